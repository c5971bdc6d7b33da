//! A space deleted and brought back from the keyboard, by the real program, and interrupted meanwhile.
//!
//! A wiki with three levels of pages, history, threads of comments, restrictions, trash and attached files
//! of a certain size is kept by `coracle serve` in a process of its own. The program deletes its space after
//! the server has written that out, and restores it: once undisturbed, then once for each interruption.
//! These are spread over the first request of each kind, the answer to it, and eight pieces on the line
//! that are equally far apart, so that there is one within each step, long or short. In turn they are:
//!
//! - the program killed, and told to end;
//! - the line dropped, before the piece or after it;
//! - the disk full, of the program and of the server;
//! - a second program that tries to remove the backups, and one that tries to go on with the job;
//! - the server killed, and told to end, and started again, which forgets the jobs that it was at;
//! - a second server with the same data.
//!
//! Then somebody does what there is to do: takes up the job that is left over, answers what it asks,
//! begins again what has failed, until the space is there again. It is checked that everything in it is
//! as it was, to the byte; that it was never gone without a backup that verifies; that it was deleted
//! once and read in once; that neither the program nor the server took more than 100 MiB; and that the
//! journal verifies.
//!
//! Says how long the undisturbed run took, the most memory of the program and the server, the slowest
//! answer to a key meanwhile and the longest time in which nothing moved; then a line for each run that
//! went wrong. The size of the attached files may be given (from 1G on there are a thousand pages instead
//! of forty), how many interruptions there are (0: none; fewer than moments: spread over them; more: of
//! several kinds at each), and how many runs there are at once. Linux only, for it reads `/proc`.
//!
//! ```sh
//! cargo build --release && cargo run --release --example undelete -- 8M 220 2
//! cargo build --release && cargo run --release --example undelete -- 2G 12 1
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "it measures and waits, so it reads the clock"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

pub(crate) use line::Moment;
use line::{Request, Wire, locked};
use terminal::{Outcome, PATIENT, Session, peak, wanted};

#[path = "undelete/line.rs"]
mod line;
#[path = "undelete/terminal.rs"]
mod terminal;
#[path = "undelete/wiki.rs"]
mod wiki;

/// How long one job may take: a small one, and one of gigabytes.
const JOB: [Duration; 2] = [Duration::from_mins(4), Duration::from_mins(40)];
/// A run that is measured has so many pages.
const LARGE: u64 = 1_000;
/// No more memory may be taken, in MiB.
const MOST: u64 = 100;
/// How often somebody begins or takes up something before giving up.
const ROUNDS: usize = 10;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let size = arguments.next().unwrap_or_else(|| "8M".to_owned());
    let wanted: usize = arguments.next().map_or(Ok(220), |text| text.parse())?;
    let at_once: usize = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let program = program()?;
    coracle::confluence::client::choose_cryptography();
    let pages = if size.ends_with('G') { LARGE } else { 40 };
    let scale = Scale { size, pages };
    let calm = undelete(&program, &scale, None)?;
    say(&format!("undisturbed: {calm}"));
    let rest = interruptions(&moments(&calm), wanted);
    for moment in moments(&calm)
        .iter()
        .filter(|moment| rest.iter().any(|it| it.moment == **moment))
    {
        say(&format!("interrupted at {moment}"));
    }
    let (all, wrong, missed) = (rest.len(), AtomicU64::new(0), AtomicU64::new(0));
    let most = Mutex::new((calm.client, calm.server));
    let rest = Mutex::new(rest.into_iter());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let Some(next) = locked(&rest).next() else {
                        return;
                    };
                    match undelete(&program, &scale, Some(next.clone())) {
                        Ok(report) => {
                            missed.fetch_add(u64::from(report.is_missed), Ordering::SeqCst);
                            let mut most = locked(&most);
                            most.0 = most.0.max(report.client);
                            most.1 = most.1.max(report.server);
                        }
                        Err(error) => {
                            wrong.fetch_add(1, Ordering::SeqCst);
                            say(&format!("{next:?}: {error}"));
                        }
                    }
                }
            });
        }
    });
    let (wrong, missed) = (wrong.into_inner(), missed.into_inner());
    let (client, server) = *locked(&most);
    say(&format!(
        "{all} interruptions, {wrong} went wrong, {missed} whose moment did not come; peak memory {client} MiB, of the server {server} MiB"
    ));
    if wrong > 0 {
        return Err("something went wrong".into());
    }
    Ok(())
}

/// When something may get in the way: in each step of what an undisturbed run does.
fn moments(calm: &Report) -> Vec<Moment> {
    let first = calm.kinds.iter().cloned();
    let mut moments: Vec<Moment> = first
        .flat_map(|kind| [Moment::Asked(kind.clone()), Moment::After(kind)])
        .collect();
    // A run that is interrupted takes as many pieces, but for a few looks at what the server is at.
    let share = |n: u64| Moment::Piece(1 + calm.pieces * n / 9);
    moments.extend((1..=8).map(share));
    moments
}

/// So many interruptions, spread over the moments, and of each kind in turn.
fn interruptions(moments: &[Moment], wanted: usize) -> Vec<Interruption> {
    let one = |n: usize| {
        let (at, kind) = if wanted < moments.len() {
            (n * moments.len() / wanted, n)
        } else {
            let (round, at) = (n / moments.len(), n % moments.len());
            (at, at + round)
        };
        Interruption {
            what: What::ALL[kind % What::ALL.len()],
            moment: moments[at].clone(),
        }
    };
    (0..wanted).map(one).collect()
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
    /// Another program tries to remove the backups.
    Remover,
    /// Another program tries to go on with the job.
    Helper,
    /// The server gets SIGKILL, and is started again.
    ServerKilled,
    /// The server gets SIGTERM, and is started again.
    ServerEnded,
    /// Another server is started with the same data.
    SecondServer,
}

impl What {
    const ALL: [Self; 11] = [
        Self::Killed,
        Self::Ended,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::Full,
        Self::ServerFull,
        Self::Remover,
        Self::Helper,
        Self::ServerKilled,
        Self::ServerEnded,
        Self::SecondServer,
    ];
}

/// Something that gets in the way once.
#[derive(Clone, Debug)]
pub(crate) struct Interruption {
    /// What it is.
    pub(crate) what: What,
    /// Before which piece on the line.
    pub(crate) moment: Moment,
}

/// What a run has shown.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// How many pieces went over the line.
    pub(crate) pieces: u64,
    /// The kinds of requests.
    kinds: Vec<Request>,
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
    /// Whether the moment for the interruption did not come.
    is_missed: bool,
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
            self.pieces
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
    world.line.begins();
    if let Some(interruption) = interruption {
        world.arm(interruption);
    }
    let was_gone = person.undeletes(&world, &mut report)?;
    person.leave(&mut report);
    report.pieces = world.line.count.load(Ordering::SeqCst);
    report.kinds.clone_from(&locked(&world.line.kinds));
    world.note_server_peak();
    report.server = world.server_peak.load(Ordering::SeqCst);
    if !was_gone {
        return Err("it was never deleted".into());
    }
    // A list that the screen asks for may have come before somebody began.
    report.is_missed = !world.has_struck();
    if let Some(wrong) = locked(&world.wrong).take() {
        return Err(wrong.into());
    }
    world.check(&before)?;
    if report.client.max(report.server) > MOST {
        return Err(format!("it took more than {MOST} MiB of memory: {report}").into());
    }
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
    /// The most memory of the servers so far, in MiB.
    server_peak: AtomicU64,
    /// How often somebody has begun the deletion.
    begun: AtomicU64,
    /// What should not have been possible.
    wrong: Mutex<Option<String>>,
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
            server_peak: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            wrong: Mutex::new(None),
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
            What::Remover => self.meddles(removes_backups),
            What::Helper => self.meddles(goes_on),
            What::ServerKilled => {
                self.restarts(Signal::KILL);
                return false;
            }
            What::ServerEnded => {
                self.restarts(Signal::TERM);
                return false;
            }
            What::SecondServer => {
                let second = serve(&self.program, self.home.path(), 0, &self.scale);
                if let Ok((mut second, _)) = second {
                    let _ = second.kill();
                    let _ = second.wait();
                    self.is_wrong("a second server took the data");
                }
            }
        }
        true
    }

    fn is_wrong(&self, what: &str) {
        *locked(&self.wrong) = Some(what.to_owned());
    }

    /// Ends the server and starts it again.
    fn restarts(&self, signal: Signal) {
        self.note_server_peak();
        let pid = self.server_pid();
        let mut server = locked(&self.server);
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
        let _ = server.wait();
        match serve(&self.program, self.home.path(), self.port, &self.scale) {
            Ok((again, _)) => *server = again,
            Err(error) => self.is_wrong(&error.to_string()),
        }
    }

    /// Another program does something.
    fn meddles(&self, what: fn(&mut Session) -> Outcome<()>) {
        let other = Session::start(&self.program, self.home.path(), &self.address);
        let done = other.and_then(|mut other| {
            other.until("the list", |text| text.contains("Spaces"))?;
            what(&mut other)?;
            other.end();
            Ok(())
        });
        if let Err(error) = done {
            self.is_wrong(&format!("in the second program: {error}"));
        }
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

    fn note_server_peak(&self) {
        let now = self.server_pid().map_or(0, peak);
        self.server_peak.fetch_max(now, Ordering::SeqCst);
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
        // A deletion that the server gave up is begun again, by somebody.
        let deletions = self.line.deletions.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        if deletions > begun {
            return Err(format!("{deletions} deletions were accepted, {begun} begun").into());
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

/// Somebody else tries to remove each backup.
fn removes_backups(other: &mut Session) -> Outcome<()> {
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
    Ok(())
}

/// Somebody else tries to go on with the job that is at work.
fn goes_on(other: &mut Session) -> Outcome<()> {
    other.send("J")?;
    other.rests();
    other.send("r")?;
    other.rests();
    let text = other.text();
    if let Some(wanted) = wanted(&text) {
        other.types(&wanted)?;
        other.send("\r")?;
    } else if text.contains("y confirm") {
        other.send("y")?;
    }
    other.rests();
    Ok(())
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
                world.begun.fetch_add(1, Ordering::SeqCst);
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

    /// What is gone is in a backup that verifies. Beside it there may be one that was interrupted.
    #[expect(clippy::unused_self, reason = "it is what somebody would do")]
    fn has_a_backup(&self, world: &World) -> Outcome<()> {
        let (_, said) = run(&world.program, world.home.path(), &["backup", "verify"])?;
        if !said.lines().any(|line| line.ends_with("as written")) {
            return Err(format!("it is gone, and no backup verifies: {said}").into());
        }
        Ok(())
    }

    fn comes_back(&mut self, world: &World, report: &mut Report) -> Outcome<()> {
        report.client = report.client.max(self.session.peak());
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
        let (mut looks, mut struck) = (0, 0);
        loop {
            let ended = self.session.drain(Duration::from_millis(100)).is_err();
            report.client = report.client.max(self.session.peak());
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
            // Somebody makes room after a while.
            struck += u32::from(world.has_struck());
            if struck == 50 {
                world.makes_room();
            }
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

    /// How long a key takes while a job is at work. A question that comes up meanwhile has the key, and drops it.
    fn measures_a_key(&mut self, report: &mut Report) -> Outcome<()> {
        let is_open = |text: &str| text.contains("In any pane");
        let began = Instant::now();
        self.session.send("?")?;
        self.session.until("the help, or a question", |text| {
            is_open(text) || text.contains("Enter choose")
        })?;
        if !is_open(&self.session.text()) {
            return Ok(());
        }
        report.slowest_key = report.slowest_key.max(began.elapsed());
        self.session.send("q")?;
        self.session
            .until("no help", |text| !text.contains("In any pane"))?;
        Ok(())
    }

    fn leave(mut self, report: &mut Report) {
        report.client = report.client.max(self.session.peak());
        self.session.closes_dialogs();
        self.session.end();
    }
}

/// The words about the job, or the end of the screen.
fn what_it_does(text: &str) -> String {
    let begins = text.chars().count().saturating_sub(160);
    match text.find("BIG: ") {
        Some(at) => text[at..].chars().take(60).collect(),
        None => text.chars().skip(begins).collect(),
    }
}
