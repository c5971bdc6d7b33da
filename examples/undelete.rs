//! A space deleted and brought back from the keyboard, by the real program, and interrupted meanwhile.
//!
//! A wiki with three levels of pages, history, comments, restrictions and attached files of a certain
//! size is kept by `coracle serve` in a process of its own. The program deletes its space after the
//! server has written that out, and restores it: once undisturbed, then once for each of some moments,
//! at which something gets in the way. A moment is a piece that goes over the line, either way; every
//! so many of them is tried with each of
//!
//! - the program killed, and told to end;
//! - the line dropped, before the piece or after it;
//! - the disk full, of the program and of the server;
//! - a second process that tries to remove the backups;
//! - the server killed and started again, which forgets the jobs that it was at.
//!
//! Then somebody does what there is to do: takes up the job that is left over, answers what it asks,
//! begins again what has failed, until the space is there again. It is checked that everything in it is
//! as it was, to the byte; that it was never gone without a backup that verifies; that it was deleted
//! once and read in once; and that the journal verifies.
//!
//! Says how long the undisturbed run took, the most memory of the program and the server, the slowest
//! answer to a key meanwhile and the longest time in which nothing moved; then a line for each run that
//! went wrong. The size of the attached files may be given, every how many moments there is an
//! interruption (0: none), and how many runs there are at once. Linux only, for it reads `/proc`.
//!
//! ```sh
//! cargo build --release && cargo run --release --example undelete -- 8M 20 2
//! cargo build --release && cargo run --release --example undelete -- 2G 0
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "it measures and waits, so it reads the clock"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How long one step on the screen may take.
const STEP: Duration = Duration::from_mins(1);
/// How long one job may take: a small one, and one of gigabytes.
const JOB: [Duration; 2] = [Duration::from_mins(4), Duration::from_mins(40)];
/// A run that is measured has so many pages.
const LARGE: u64 = 1_000;
/// How often somebody begins or takes up something before giving up.
const ROUNDS: usize = 10;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let size = arguments.next().unwrap_or_else(|| "8M".to_owned());
    let every: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let at_once: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let program = program()?;
    coracle::confluence::client::choose_cryptography();
    let scale = Scale {
        size,
        pages: if every == 0 { LARGE } else { 40 },
    };
    let calm = undelete(&program, &scale, None)?;
    say(&format!("undisturbed: {calm}"));
    if every == 0 {
        return Ok(());
    }
    let mut rest = Vec::new();
    for moment in (1..=calm.moments).step_by(every as usize) {
        rest.extend(What::ALL.map(|what| Interruption { what, moment }));
    }
    let (all, wrong) = (rest.len(), AtomicU64::new(0));
    let rest = Mutex::new(rest);
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(next) = next_of(&rest) {
                    if let Err(error) = undelete(&program, &scale, Some(next)) {
                        wrong.fetch_add(1, Ordering::SeqCst);
                        say(&format!("{next:?}: {error}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    say(&format!("{all} interruptions, {wrong} went wrong"));
    if wrong > 0 {
        return Err("something went wrong".into());
    }
    Ok(())
}

fn next_of(rest: &Mutex<Vec<Interruption>>) -> Option<Interruption> {
    locked(rest).pop()
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn say(text: &str) {
    // A report that nobody reads is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The program that was built beside this one.
fn program() -> Outcome<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me.parent().and_then(Path::parent);
    let program = folder.ok_or("no folder")?.join("coracle");
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("{} is not there; cargo build makes it", program.display()).into())
    }
}

/// How much there is in the space.
pub(crate) struct Scale {
    /// The attached files in all, as `coracle serve` takes it.
    pub(crate) size: String,
    /// Pages.
    pub(crate) pages: u64,
}

/// What gets in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The program gets SIGKILL.
    Killed,
    /// The program gets SIGTERM.
    Ended,
    /// The line drops before the piece has gone over it.
    DroppedBefore,
    /// The line drops after that.
    DroppedAfter,
    /// No file of the program can grow.
    Full,
    /// No file of the server can grow.
    ServerFull,
    /// Another process tries to remove the backups.
    Second,
    /// The server gets SIGKILL, and is started again.
    ServerKilled,
}

impl What {
    const ALL: [Self; 8] = [
        Self::Killed,
        Self::Ended,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::Full,
        Self::ServerFull,
        Self::Second,
        Self::ServerKilled,
    ];
}

/// Something that gets in the way once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interruption {
    /// What it is.
    pub(crate) what: What,
    /// Before which piece on the line, counted from the first key of the deletion.
    pub(crate) moment: u64,
}

/// What a run has shown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many pieces went over the line.
    pub(crate) moments: u64,
    /// The most memory of the program, in MiB.
    pub(crate) client: u64,
    /// The most memory of the server, in MiB.
    pub(crate) server: u64,
    deleting: Duration,
    restoring: Duration,
    slowest_key: Duration,
    stillest: Duration,
    still_text: String,
    things: usize,
    bytes: u64,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} things and {} bytes of files as they were; deleted in {:.1} s, restored in {:.1} s; peak memory {} MiB, of the server {} MiB; the slowest key {} ms; nothing moved for {:.1} s at most ({}); {} pieces on the line",
            self.things,
            self.bytes,
            self.deleting.as_secs_f64(),
            self.restoring.as_secs_f64(),
            self.client,
            self.server,
            self.slowest_key.as_millis(),
            self.stillest.as_secs_f64(),
            self.still_text,
            self.moments
        )
    }
}

/// Deletes the space and brings it back.
pub(crate) fn undelete(
    program: &Path,
    scale: &Scale,
    interruption: Option<Interruption>,
) -> Outcome<Report> {
    let world = Arc::new(World::new(program, scale)?);
    world.prepare()?;
    let before = world.picture()?;
    let mut report = Report {
        things: before.len(),
        bytes: before
            .values()
            .flat_map(|it| it["files"].as_array().into_iter().flatten())
            .filter_map(|file| file[1].as_u64())
            .sum(),
        ..Report::default()
    };
    let mut person = Person::begin(&world)?;
    if let Some(interruption) = interruption {
        world.arm(interruption);
    }
    world.line.count.store(0, Ordering::SeqCst);
    let was_gone = person.undeletes(&world, &mut report)?;
    person.leave(&mut report);
    report.moments = world.line.count.load(Ordering::SeqCst);
    report.server = report.server.max(world.server_peak());
    if !was_gone {
        return Err("it was never deleted".into());
    }
    if !world.has_struck() {
        return Err("nothing got in the way".into());
    }
    world.check(&before)?;
    Ok(report)
}

// The server, and the line to it.

/// A server in a process of its own, the line to it, and the home of the program.
struct World {
    program: PathBuf,
    home: tempfile::TempDir,
    scale: Vec<String>,
    is_large: bool,
    port: u16,
    server: Mutex<process::Child>,
    line: Arc<Wire>,
    address: String,
    /// The process at the keyboard, for what gets in its way.
    client: Mutex<Option<Pid>>,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Drop for World {
    fn drop(&mut self) {
        self.line.close();
        let server = self.server.get_mut();
        let server = server.unwrap_or_else(PoisonError::into_inner);
        let _ = server.kill();
        let _ = server.wait();
    }
}

/// Runs a program that gets an error, and not a signal, where a file can't grow.
const PATIENT: &str = "trap '' XFSZ; exec \"$@\"";

impl World {
    fn new(program: &Path, scale: &Scale) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let is_large = scale.pages >= LARGE;
        let scale = ["--spaces", "1", "--trash", "5", "--comments", "30"]
            .map(str::to_owned)
            .into_iter()
            .chain(["--pages".to_owned(), scale.pages.to_string()])
            .chain(["--attachments".to_owned(), scale.size.clone()])
            .chain(["--files".to_owned(), (scale.pages / 2).to_string()])
            .collect::<Vec<_>>();
        let (server, port) = serve(program, home.path(), 0, &scale)?;
        let line = Arc::new(Wire::default());
        let address = line.listen(port)?;
        Ok(Self {
            program: program.to_owned(),
            home,
            scale,
            is_large,
            port,
            server: Mutex::new(server),
            line,
            address,
            client: Mutex::new(None),
            http: reqwest::Client::builder().no_proxy().build()?,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?,
        })
    }

    fn arm(self: &Arc<Self>, interruption: Interruption) {
        let world = Arc::downgrade(self);
        let strike = move || {
            world
                .upgrade()
                .is_none_or(|it| it.strike(interruption.what))
        };
        *locked(&self.line.armed) = Some((interruption.moment, Box::new(strike)));
    }

    /// Lets something get in the way. Says whether the piece goes over the line all the same.
    fn strike(&self, what: What) -> bool {
        let client = *locked(&self.client);
        let signal = |signal| {
            if let Some(pid) = client {
                let _ = kill_process(pid, signal);
            }
        };
        match what {
            What::Killed => signal(Signal::KILL),
            What::Ended => signal(Signal::TERM),
            What::DroppedBefore => {
                self.line.drop_all();
                return false;
            }
            What::DroppedAfter => self.line.dropping.store(true, Ordering::SeqCst),
            What::Full => self.limit(client, Some(1)),
            What::ServerFull => self.limit(self.server_pid(), Some(1)),
            What::Second => {
                let _ = meddle(&self.program, self.home.path(), &self.address);
            }
            What::ServerKilled => {
                let mut server = locked(&self.server);
                let _ = server.kill();
                let _ = server.wait();
                let home = self.home.path();
                if let Ok((again, _)) = serve(&self.program, home, self.port, &self.scale) {
                    *server = again;
                }
                return false;
            }
        }
        true
    }

    /// How long a file of a process may become; `None`: as long as it likes.
    #[expect(clippy::unused_self, reason = "it belongs to what gets in the way")]
    fn limit(&self, pid: Option<Pid>, bytes: Option<u64>) {
        if let Some(pid) = pid {
            let limit = Rlimit {
                current: bytes,
                maximum: None,
            };
            let _ = prlimit(Some(pid), Resource::Fsize, limit);
        }
    }

    /// Whether what is to get in the way has done so.
    fn has_struck(&self) -> bool {
        locked(&self.line.armed).is_none()
    }

    /// There is room on the disks again.
    fn makes_room(&self) {
        self.limit(*locked(&self.client), None);
        self.limit(self.server_pid(), None);
    }

    fn server_pid(&self) -> Option<Pid> {
        Pid::from_raw(locked(&self.server).id().cast_signed())
    }

    fn server_peak(&self) -> u64 {
        self.server_pid().map_or(0, peak)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Outcome<(u16, Value)> {
        let (status, bytes) = self.runtime.block_on(async {
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            Ok::<_, reqwest::Error>((status, answer.bytes().await?))
        })?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/rest/api{path}", self.port)
    }

    fn get(&self, path: &str) -> Outcome<Value> {
        Ok(self.send(self.http.get(self.url(path)))?.1)
    }

    fn is_there(&self) -> Outcome<bool> {
        Ok(self.send(self.http.get(self.url("/space/BIG")))?.0 == 200)
    }

    /// Gives some pages a history, others restrictions, and the space categories.
    fn prepare(&self) -> Outcome<()> {
        for name in ["harbour", "safety"] {
            let url = self.url(&format!("/space/BIG/category/{name}"));
            let (status, said) = self.send(self.http.post(url))?;
            if status != 204 {
                return Err(format!("the space takes no category: {said}").into());
            }
        }
        let pages = self.get("/space/BIG/content/page?limit=12&expand=version")?;
        let pages = pages["results"].as_array().ok_or("no pages")?;
        for (n, page) in pages.iter().enumerate() {
            let id = page["id"].as_str().ok_or("no id")?;
            if n % 2 == 0 {
                let version = page["version"]["number"].as_u64().ok_or("no version")?;
                let body = json!({
                    "type": "page", "title": page["title"],
                    "version": {"number": version + 1},
                    "body": {"storage": {
                        "value": format!("<p>edited {n} ]]&gt;</p>"),
                        "representation": "storage"
                    }},
                });
                let put = self.http.put(self.url(&format!("/content/{id}")));
                let (status, said) = self.send(put.body(body.to_string()))?;
                if status != 200 {
                    return Err(format!("a page cannot be edited: {said}").into());
                }
            } else {
                let body = json!([{
                    "operation": "read",
                    "restrictions": {"user": [{"type": "known", "username": "jdoe"}], "group": []},
                }]);
                let url = self.url(&format!("/content/{id}/restriction"));
                let (status, said) = self.send(self.http.put(url).body(body.to_string()))?;
                if status != 200 {
                    return Err(format!("a page cannot be restricted: {said}").into());
                }
            }
        }
        Ok(())
    }

    /// Everything that can be read of the space, by path of titles, without ids; of files their hash.
    fn picture(&self) -> Outcome<BTreeMap<String, Value>> {
        let mut picture = BTreeMap::from([(String::new(), self.space()?)]);
        let expand = "body.storage,version,ancestors,metadata.labels,history,\
restrictions.read.restrictions.user,restrictions.read.restrictions.group";
        let mut path = format!("/content/scan?spaceKey=BIG&status=any&limit=100&expand={expand}");
        loop {
            let page = self.get(&path)?;
            for row in page["results"].as_array().ok_or("no rows")? {
                let above = row["ancestors"].as_array().into_iter().flatten();
                let above: Vec<&Value> = above.map(|it| &it["title"]).collect();
                let name = format!("{above:?} {} {}", row["title"], row["type"]);
                if picture.insert(name.clone(), self.seen(row)?).is_some() {
                    return Err(format!("twice: {name}").into());
                }
            }
            match page["_links"]["next"].as_str() {
                Some(next) => next
                    .split_once("/rest/api")
                    .map_or("", |(_, rest)| rest)
                    .clone_into(&mut path),
                None => return Ok(picture),
            }
        }
    }

    /// The space without its content: permissions, labels and categories, who made it.
    fn space(&self) -> Outcome<Value> {
        let mut permissions = self.get("/space/BIG/permissions")?;
        for one in permissions.as_array_mut().ok_or("no permissions")? {
            // What is read in has a new id.
            one.as_object_mut()
                .ok_or("no permission")?
                .remove("spaceId");
        }
        let space = self.get("/space/BIG?expand=description.plain,metadata.labels")?;
        Ok(json!({
            "permissions": permissions,
            "labels": self.get("/space/BIG/labels")?["results"],
            "name": space["name"], "description": space["description"],
            "creator": space["creator"]["username"], "created": space["creationDate"],
        }))
    }

    fn seen(&self, row: &Value) -> Outcome<Value> {
        let id = row["id"].as_str().ok_or("no id")?;
        let said = self.get(&format!(
            "/content/{id}/child/comment?depth=all&limit=200&expand=body.storage"
        ))?;
        let said = said["results"].as_array().into_iter().flatten();
        let mut said: Vec<String> = said
            .map(|it| it["body"]["storage"]["value"].to_string())
            .collect();
        said.sort();
        let number = row["version"]["number"].as_u64().unwrap_or(0);
        let old = format!(
            "/content/{id}?status=historical&version={}&expand=body.storage",
            number.saturating_sub(1)
        );
        let (status, old) = self.send(self.http.get(self.url(&old)))?;
        Ok(json!({
            "type": row["type"], "status": row["status"], "number": number,
            "by": row["version"]["by"]["displayName"], "kind": row["version"]["by"]["type"],
            "author": row["history"]["createdBy"]["username"], "when": row["version"]["when"],
            "body": row["body"]["storage"]["value"], "labels": row["metadata"]["labels"]["results"],
            "created": row["history"]["createdDate"],
            "users": row["restrictions"]["read"]["restrictions"]["user"]["results"],
            "groups": row["restrictions"]["read"]["restrictions"]["group"]["results"],
            "comments": said,
            "old": (status == 200).then(|| old["body"]["storage"]["value"].clone()),
            "files": self.files(id)?,
        }))
    }

    /// Name, length and hash of each file of a page.
    fn files(&self, page: &str) -> Outcome<Vec<Value>> {
        let list = self.get(&format!("/content/{page}/child/attachment?limit=200"))?;
        let mut files = Vec::new();
        for file in list["results"].as_array().into_iter().flatten() {
            let link = file["_links"]["download"].as_str().ok_or("no link")?;
            let url = format!("http://127.0.0.1:{}{link}", self.port);
            let (mut hash, mut length) = (Sha256::new(), 0);
            self.runtime.block_on(async {
                let mut answer = self.http.get(url).send().await?;
                while let Some(piece) = answer.chunk().await? {
                    hash.update(&piece);
                    length += piece.len();
                }
                Ok::<_, reqwest::Error>(())
            })?;
            let hash = format!("{:x?}", &hash.finalize()[..]);
            files.push(json!([file["title"], length, hash]));
        }
        files.sort_by_key(Value::to_string);
        Ok(files)
    }

    /// The space is as it was, and nothing was done twice.
    fn check(&self, before: &BTreeMap<String, Value>) -> Outcome<()> {
        let after = self.picture()?;
        for (name, was) in before {
            let now = after.get(name);
            if now != Some(was) {
                return Err(format!("not as it was: {name}\n{was}\n{now:?}").into());
            }
        }
        if after.len() != before.len() {
            return Err("there is more than there was".into());
        }
        let jobs = self.get("/backup-restore/jobs?jobOperation=RESTORE&limit=100")?;
        let jobs = jobs.as_array().into_iter().flatten();
        let restored = jobs.filter(|job| job["jobState"] == "FINISHED").count();
        if restored != 1 {
            return Err(format!("it was read in {restored} times").into());
        }
        let deletions = self.line.deletions.load(Ordering::SeqCst);
        if deletions > 1 {
            return Err(format!("its deletion was accepted {deletions} times").into());
        }
        let (code, said) = run(&self.program, self.home.path(), &["journal", "verify"])?;
        if code != 0 {
            return Err(format!("the journal does not verify: {said}").into());
        }
        Ok(())
    }
}

/// Starts a server on a port, or on a free one. Says which.
fn serve(
    program: &Path,
    home: &Path,
    port: u16,
    scale: &[String],
) -> Outcome<(process::Child, u16)> {
    let mut server = Command::new("sh")
        .args(["-c", PATIENT, "sh"])
        .arg(program)
        .args(["serve", "--port", &port.to_string(), "--data"])
        .arg(home.join("wiki.sqlite"))
        .args(scale)
        .stdout(Stdio::piped())
        .spawn()?;
    let told = server.stdout.take().ok_or("the server says nothing")?;
    let mut line = String::new();
    BufReader::new(told).read_line(&mut line)?;
    let port = line
        .trim()
        .rsplit(':')
        .next()
        .and_then(|it| it.parse().ok());
    match port {
        Some(port) => Ok((server, port)),
        None => {
            let _ = server.kill();
            let _ = server.wait();
            Err(format!("the server does not start: {line}").into())
        }
    }
}

/// What gets in the way, and at which piece. Says whether the piece goes on.
type Armed = (u64, Box<dyn FnOnce() -> bool + Send>);

/// A line that can be cut, and counts what goes over it.
#[derive(Default)]
struct Wire {
    count: AtomicU64,
    armed: Mutex<Option<Armed>>,
    /// It drops after the piece that is on it.
    dropping: AtomicBool,
    closed: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    /// Deletions that the server has accepted.
    deletions: AtomicU64,
}

impl Wire {
    /// Listens for those who want to the server on this port. Says the address.
    fn listen(self: &Arc<Self>, server: u16) -> Outcome<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = format!("http://{}", listener.local_addr()?);
        let line = Arc::clone(self);
        thread::spawn(move || {
            for near in listener.incoming() {
                if line.closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(near) = near else { return };
                if let Ok(far) = TcpStream::connect(("127.0.0.1", server)) {
                    let _ = line.join(near, far);
                }
            }
        });
        Ok(address)
    }

    fn join(self: &Arc<Self>, near: TcpStream, far: TcpStream) -> std::io::Result<()> {
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        locked(&self.open).extend([near.try_clone()?, far.try_clone()?]);
        let pairs = [
            (near.try_clone()?, far.try_clone()?, true),
            (far, near, false),
        ];
        for (from, to, is_asking) in pairs {
            let line = Arc::clone(self);
            thread::spawn(move || line.pump(from, to, is_asking));
        }
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, is_asking: bool) {
        let mut piece = vec![0; 65_536];
        while let Ok(read) = from.read(&mut piece) {
            let piece = &piece[..read];
            if read == 0 || !self.passes() || to.write_all(piece).is_err() {
                break;
            }
            // What a deletion is accepted with.
            if !is_asking && piece.starts_with(b"HTTP/1.1 202") {
                self.deletions.fetch_add(1, Ordering::SeqCst);
            }
            if self.dropping.swap(false, Ordering::SeqCst) {
                self.drop_all();
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    /// Counts a piece. Whether it goes on.
    fn passes(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let strikes = {
            let mut armed = locked(&self.armed);
            let is_now = armed.as_ref().is_some_and(|(at, _)| number >= *at);
            armed.take_if(|_| is_now)
        };
        strikes.is_none_or(|(_, strike)| strike())
    }

    fn drop_all(&self) {
        for stream in locked(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.drop_all();
    }
}

/// The most memory of a process, in MiB.
fn peak(pid: Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = fs::read_to_string(path).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0).div_ceil(1024)
}

/// Exit code and output of a command.
fn run(program: &Path, home: &Path, arguments: &[&str]) -> Outcome<(i32, String)> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code().unwrap_or(-1), text))
}

/// The stored jobs, and the state of each.
fn jobs(home: &Path) -> Vec<String> {
    let mut states = Vec::new();
    let mut folders = vec![home.join(".local")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if name
                .strip_suffix(".json")
                .is_some_and(|it| it.starts_with("job-"))
            {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                let job: Value = serde_json::from_str(&text).unwrap_or_default();
                states.push(job["state"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    states
}

fn open_jobs(home: &Path) -> usize {
    let over = ["done", "failed", "cancelled", "unknown"];
    let states = jobs(home).into_iter();
    states.filter(|it| !over.contains(&it.as_str())).count()
}

/// Another process tries to remove each backup.
fn meddle(program: &Path, home: &Path, address: &str) -> Outcome<()> {
    let mut other = Session::start(program, home, address)?;
    other.until("the list", |text| text.contains("Spaces"))?;
    other.send("B")?;
    for _ in 0..3 {
        other.rests();
        other.send("x")?;
        other.rests();
        if let Some(wanted) = wanted(&other.text()) {
            other.types(&wanted)?;
            other.send("\r")?;
            other.rests();
        }
        other.send("\u{1b}")?;
        other.rests();
        other.send("j")?;
    }
    other.end();
    Ok(())
}

/// What a dialog wants to have typed.
fn wanted(text: &str) -> Option<String> {
    let at = text.find("Type ")?;
    text[at + 5..].split_whitespace().next().map(str::to_owned)
}

// Somebody at the keyboard.

/// Somebody who wants the space deleted, and then to have it back.
struct Person {
    session: Session,
}

impl Person {
    fn begin(world: &World) -> Outcome<Self> {
        let session = Session::start(&world.program, world.home.path(), &world.address)?;
        *locked(&world.client) = Some(session.pid);
        let mut person = Self { session };
        person.session.until("the list", |text| {
            text.contains("Spaces 1 of 1") || text.contains("No spaces, or none")
        })?;
        Ok(person)
    }

    /// Does what there is to do until the space was deleted and is there again. Whether it was gone.
    fn undeletes(&mut self, world: &World, report: &mut Report) -> Outcome<bool> {
        let mut was_gone = false;
        for _ in 0..ROUNDS {
            if self.session.has_ended() {
                self.comes_back(world, report)?;
            }
            // Somebody has made room meanwhile.
            if world.has_struck() {
                world.makes_room();
            }
            let is_there = world.is_there()?;
            let began = Instant::now();
            let done = if open_jobs(world.home.path()) > 0 {
                self.takes_up(world)
            } else if !is_there {
                was_gone = true;
                self.has_a_backup(world)?;
                self.restores()
            } else if !was_gone {
                self.deletes()
            } else {
                return Ok(true);
            };
            let done = done.and_then(|()| self.waits(world, report));
            match done {
                Ok(()) => {}
                // It was killed, or told to end, while somebody typed.
                Err(_) if self.session.has_ended() => {}
                Err(error) => return Err(error),
            }
            let took = began.elapsed();
            if is_there {
                report.deleting += took;
            } else {
                report.restoring += took;
            }
        }
        Err(format!("it does not come to an end\n{}", self.session.screen()).into())
    }

    /// What is gone is in a backup that verifies.
    #[expect(clippy::unused_self, reason = "it is what somebody would do")]
    fn has_a_backup(&self, world: &World) -> Outcome<()> {
        let (code, said) = run(&world.program, world.home.path(), &["backup", "verify"])?;
        if code != 0 || said.is_empty() {
            return Err(format!("it is gone, and no backup verifies: {said}").into());
        }
        Ok(())
    }

    fn comes_back(&mut self, world: &World, report: &mut Report) -> Outcome<()> {
        self.session.note_peak(report);
        world.makes_room();
        *self = Self::begin(world)?;
        Ok(())
    }

    fn deletes(&mut self) -> Outcome<()> {
        let it = &mut self.session;
        it.closes_dialogs();
        it.send("1D")?;
        it.until("the plan", |text| text.contains("Type BIG"))?;
        it.rests();
        it.until("what the server can do", |text| {
            text.contains("downloaded and checked")
        })?;
        it.types("BIG")?;
        it.send("\r")
    }

    fn restores(&mut self) -> Outcome<()> {
        let it = &mut self.session;
        it.closes_dialogs();
        it.send("B")?;
        it.until("the backups", |text| text.contains("KIND"))?;
        for _ in 0..20 {
            it.rests();
            let text = it.text();
            if text.contains("written out by the server") {
                it.send("R")?;
                it.until("the plan", |text| {
                    text.contains("Restore BIG from its backup")
                })?;
                it.rests();
                return it.send("y");
            }
            it.send("j")?;
        }
        Err(format!("there is no backup of the server\n{}", it.screen()).into())
    }

    /// Takes up the job that was left over, or goes on with the one that waits.
    fn takes_up(&mut self, world: &World) -> Outcome<()> {
        world.makes_room();
        let it = &mut self.session;
        if !it.text().contains("r go on") {
            it.closes_dialogs();
            it.send("J")?;
        }
        it.until("the job", |text| text.contains("r go on"))?;
        it.rests();
        it.send("r")?;
        it.rests();
        let text = it.text();
        if let Some(wanted) = wanted(&text) {
            it.types(&wanted)?;
            it.send("\r")?;
        } else if text.contains("y confirm") {
            it.send("y")?;
        }
        Ok(())
    }

    /// Waits until the job has ended, or waits for somebody to mend something; answers what it asks.
    fn waits(&mut self, world: &World, report: &mut Report) -> Outcome<()> {
        let until = Instant::now() + JOB[usize::from(world.is_large)];
        let (mut moved, mut was) = (Instant::now(), String::new());
        let home = world.home.path();
        let mut looks = 0;
        loop {
            let ended = self.session.drain(Duration::from_millis(100)).is_err();
            self.session.note_peak(report);
            if ended {
                return Ok(());
            }
            let text = self.session.text();
            if text != was {
                if moved.elapsed() > report.stillest {
                    report.stillest = moved.elapsed();
                    report.still_text = what_it_does(&was);
                }
                (moved, was) = (Instant::now(), text.clone());
            }
            looks += 1;
            if looks > 20 && open_jobs(home) == 0 {
                return Ok(());
            }
            if looks % 10 == 0 && !text.contains("Enter choose") && !text.contains("Type ") {
                self.measures_a_key(report)?;
            }
            let was_dropped = text.contains("Dropped, ")
                || text.contains("then answer again")
                || text.contains("Press Enter again");
            if text.contains("Enter choose") || was_dropped {
                self.session.rests();
                self.session.send("\r")?;
            }
            // Its question was closed by a key that was on its way.
            if text.contains("J shows it") {
                self.session.send("J")?;
                self.session.rests();
                self.session.send("r")?;
                self.session.rests();
            }
            // Where the disk is full the job's file does not say so.
            let it_waits = text.contains("Make room") || text.contains("waits.");
            if looks > 20 && (it_waits || jobs(home).iter().any(|it| it == "paused")) {
                // The disk is full: there is room again, and it goes on.
                self.takes_up(world)?;
            }
            if Instant::now() > until {
                return Err(format!("the job does not end\n{}", self.session.screen()).into());
            }
        }
    }

    /// How long a key takes while a job is at work.
    fn measures_a_key(&mut self, report: &mut Report) -> Outcome<()> {
        let began = Instant::now();
        self.session.send("?")?;
        self.session
            .until("the help", |text| text.contains("In any pane"))?;
        report.slowest_key = report.slowest_key.max(began.elapsed());
        self.session.send("q")?;
        self.session
            .until("no help", |text| !text.contains("In any pane"))?;
        Ok(())
    }

    fn leave(mut self, report: &mut Report) {
        self.session.note_peak(report);
        self.session.closes_dialogs();
        self.session.end();
    }
}

/// The words about the job.
fn what_it_does(text: &str) -> String {
    text.find("BIG: ")
        .map(|at| text[at..].chars().take(60).collect())
        .unwrap_or_default()
}

/// The program on a terminal that answers status reports.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    pid: Pid,
    tail: Vec<u8>,
    ended: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Session {
    fn start(program: &Path, home: &Path, address: &str) -> Outcome<Self> {
        let (rows, cols) = (50, 150);
        let pair = native_pty_system().openpty(PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        })?;
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", PATIENT, "sh"]);
        command.arg(program);
        command.args(["--url", address]);
        command.env_clear();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
            ("TZ", "UTC"),
            ("LANG", "C.UTF-8"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", home);
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let (tell, bytes) = channel();
        thread::spawn(move || {
            // The terminal stays open as long as somebody reads it.
            let _master = pair.master;
            let mut piece = [0; 16_384];
            while let Ok(count) = reader.read(&mut piece) {
                if count == 0 || tell.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let cells = |n| NonZeroU16::new(n).ok_or("no cells");
        let pid = child.process_id().ok_or("no process")?;
        Ok(Self {
            pid: Pid::from_raw(pid.cast_signed()).ok_or("no process")?,
            child,
            writer,
            bytes,
            parser: vt100::Parser::new(cells(rows)?, cells(cols)?, 0),
            tail: Vec::new(),
            ended: false,
        })
    }

    fn note_peak(&self, report: &mut Report) {
        report.client = report.client.max(peak(self.pid));
    }

    /// The screen as it is.
    fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// The screen without borders and with single blanks.
    fn text(&self) -> String {
        let contents = self.screen();
        let plain = contents.chars().map(|c| match c {
            '│' | '╭' | '╮' | '╰' | '╯' | '─' | '▸' | '●' => ' ',
            c => c,
        });
        let text: String = plain.collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn take(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.parser.process(bytes);
        self.tail.extend_from_slice(bytes);
        while let Some(at) = self.tail.windows(4).position(|it| it == b"\x1b[5n") {
            self.tail.drain(..at + 4);
            self.writer.write_all(b"\x1b[0n")?;
            self.writer.flush()?;
        }
        let keep = self.tail.len().saturating_sub(3);
        self.tail.drain(..keep);
        Ok(())
    }

    fn send(&mut self, keys: &str) -> Outcome<()> {
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        Ok(())
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> Outcome<()> {
        let until = Instant::now() + STEP;
        loop {
            if is_so(&self.text()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("it took too long: {what}\n{}", self.screen()).into());
            }
            self.reads(Duration::from_millis(100))
                .map_err(|_| format!("it ended before this: {what}\n{}", self.screen()))?;
        }
    }

    fn reads(&mut self, time: Duration) -> Outcome<()> {
        match self.bytes.recv_timeout(time) {
            Ok(bytes) => self.take(&bytes),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                Err("it ended".into())
            }
        }
    }

    /// Reads for a while.
    fn drain(&mut self, time: Duration) -> Outcome<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.reads(until.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Whether the program is gone.
    fn has_ended(&mut self) -> bool {
        self.ended || matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits as a person does who looks before typing.
    fn rests(&mut self) {
        let _ = self.drain(Duration::from_millis(350));
    }

    /// Back to the panes. Without a dialog Esc would stop a list that is read.
    fn closes_dialogs(&mut self) {
        self.rests();
        for _ in 0..4 {
            let text = self.text();
            let key = if text.contains("q close") {
                "q"
            } else if text.contains("Esc ") {
                "\u{1b}"
            } else {
                return;
            };
            let _ = self.send(key);
            self.rests();
        }
    }

    /// Types what a dialog wants, letter by letter, and waits until it is shown.
    fn types(&mut self, answer: &str) -> Outcome<()> {
        self.until("the counts", |text| !text.contains("… page"))?;
        self.rests();
        for letter in answer.chars() {
            self.send(&letter.to_string())?;
            self.drain(Duration::from_millis(60))?;
        }
        // Enter in one reading with what is typed before it would be dropped.
        let shown = format!(": {answer}");
        self.until("what was typed", |text| text.contains(&shown))
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ended = true;
    }
}
