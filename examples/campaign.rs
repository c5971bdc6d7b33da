//! The real program, killed again and again in the middle of what it does, beside a second process
//! and in front of a server that fails now and then.
//!
//! Each round starts an embedded Confluence and the program on a pseudo-terminal, begins a job by keys,
//! and sends the program SIGKILL: after a random while, or as soon as a certain number of files below
//! its home have been made, changed or renamed. The job is taken up again, perhaps to be killed again,
//! until it ends. Then it is checked that
//!
//! - nothing is lost: every page is on the server, or its text is in a backup that verifies, or in one
//!   that was removed while no stored job that was not over named it, as somebody had agreed to by
//!   typing its number;
//! - nothing is repeated: no page is restored, made or changed twice;
//! - nothing is stuck: the job ends, and the program goes on to its next start without complaint;
//! - the journal verifies, and what it calls done was done.
//!
//! A confirming key that the program dropped, and says so, is pressed again, as a person does; and what
//! changes on the screen is not stuck, however long it waits for the server.
//!
//! Says one line for each round that went wrong, and a summary; of a round that was stuck also the
//! screen, the requests that the server had, the program's log, its jobs and its journal. The number of
//! kills, the first seed, the number of rounds at once and the one kind of jobs to do (`create`) may be
//! given. Linux only, for it watches files by inotify.
//!
//! ```sh
//! cargo build --release && cargo run --release --example campaign -- 500 1 4
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "it kills at random moments, so it reads the clock and waits for it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use coracle::demo::{Behaviour, Fault, Options, Rule, Seed, Server};
use coracle::jobs::journal::{Entry, Phase};
use flate2::read::MultiGzDecoder;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How long nothing may change on the screen while one step, or one job, is awaited.
const LIMIT: Duration = Duration::from_secs(90);
/// How long a job may take although the screen changes.
const LONGEST: Duration = Duration::from_mins(10);
/// How often one job is killed at most.
const MOST_KILLS: u64 = 3;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let kills: u64 = arguments.next().map_or(Ok(500), |text| text.parse())?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let at_once: usize = arguments.next().map_or(Ok(4), |text| text.parse())?;
    let only = arguments.next();
    let is_wanted = |seed: u64| only.as_deref().is_none_or(|it| it == Kind::of(seed).name());
    if !(0..9).any(is_wanted) {
        return Err("there is no such kind of jobs".into());
    }
    let program = program()?;
    coracle::confluence::client::choose_cryptography();
    let began = Instant::now();
    let seeds = AtomicU64::new(seed);
    let sum = Mutex::new(Sum::default());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while locked(&sum).kills < kills {
                    let seed = seeds.fetch_add(1, Ordering::SeqCst);
                    if !is_wanted(seed) {
                        continue;
                    }
                    let one = one_round(&program, seed);
                    let mut sum = locked(&sum);
                    sum.add(&one);
                    if sum.rounds.is_multiple_of(20) {
                        say(&format!("… {sum}"));
                    }
                }
            });
        }
    });
    let sum = locked(&sum);
    say(&format!("{sum}, {} s", began.elapsed().as_secs()));
    if sum.wrong + sum.stuck > 0 {
        return Err("something went wrong".into());
    }
    Ok(())
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one_round(program: &Path, seed: u64) -> Sum {
    let mut sum = Sum {
        rounds: 1,
        ..Sum::default()
    };
    match round(program, seed, &mut sum) {
        Ok(faults) => {
            for fault in faults {
                sum.wrong += 1;
                say(&format!("seed {seed}: {fault}"));
            }
        }
        Err(error) => {
            sum.stuck += 1;
            say(&format!("seed {seed}: {error}"));
        }
    }
    sum
}

/// What has happened so far.
#[derive(Default)]
struct Sum {
    rounds: u64,
    kills: u64,
    items: u64,
    wrong: u64,
    stuck: u64,
    /// Backups that were removed while no job needed them.
    removed: u64,
    by_kind: BTreeMap<&'static str, u64>,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.kills += other.kills;
        self.items += other.items;
        self.wrong += other.wrong;
        self.stuck += other.stuck;
        self.removed += other.removed;
        for (kind, count) in &other.by_kind {
            *self.by_kind.entry(kind).or_default() += count;
        }
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} jobs over {} items, {} kills (",
            self.rounds, self.items, self.kills
        )?;
        for (place, (kind, count)) in self.by_kind.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{kind} {count}")?;
        }
        write!(
            f,
            "), {} backups removed as agreed: {} wrong, {} stuck",
            self.removed, self.wrong, self.stuck
        )
    }
}

/// A small generator with a known sequence (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn percent(&mut self, p: u64) -> bool {
        self.below(100) < p
    }
}

/// What a job does, and so what is checked after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    PurgeMarked,
    PurgeAll,
    Delete,
    Restore,
    BackUp,
    Archive,
    Create,
    Update,
    Recreate,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::PurgeMarked,
        Self::PurgeAll,
        Self::Delete,
        Self::Restore,
        Self::BackUp,
        Self::Archive,
        Self::Create,
        Self::Update,
        Self::Recreate,
    ];

    fn of(seed: u64) -> Self {
        Self::ALL[(seed % 9) as usize]
    }

    fn name(self) -> &'static str {
        match self {
            Self::PurgeMarked => "purge marked",
            Self::PurgeAll => "purge all",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::BackUp => "back up",
            Self::Archive => "archive",
            Self::Create => "create",
            Self::Update => "update",
            Self::Recreate => "re-create",
        }
    }
}

fn round(program: &Path, seed: u64, sum: &mut Sum) -> Outcome<Vec<String>> {
    let mut dice = Dice(seed);
    let kind = Kind::of(seed);
    let items = 6 + dice.below(30);
    let options = Options {
        seed: Seed::Text(wiki(items)),
        behaviour: Behaviour {
            deletion_looks: 2,
            ..Behaviour::default()
        },
        ..Options::default()
    };
    let server = Server::start(options)?;
    let home = tempfile::tempdir()?;
    let before = pages(&server)?;
    sum.items += before.len() as u64;
    *sum.by_kind.entry(kind.name()).or_default() += 1;

    let watch = Watch::over(home.path())?;
    let one = Round {
        program,
        home: home.path(),
        server: &server,
        kind,
        items,
    };
    one.run(&mut dice, sum)
        .map_err(|error| format!("{error}\n{}", one.found()))?;
    let removed = watch.end();
    sum.removed += removed.agreed;
    check(program, home.path(), &server, kind, &before, &removed)
}

/// What one round is about.
struct Round<'a> {
    program: &'a Path,
    home: &'a Path,
    server: &'a Server,
    kind: Kind,
    items: u64,
}

impl Round<'_> {
    fn start(&self) -> Outcome<Session> {
        Session::start(self.program, self.home, self.server.base_url())
    }

    /// Does the job, with its kills, to its end.
    fn run(&self, dice: &mut Dice, sum: &mut Sum) -> Outcome<()> {
        let mut session = self.start()?;
        session.until("the list", |text| text.contains("Engineering"))?;
        if self.kind == Kind::Recreate {
            begin(&mut session, Kind::PurgeMarked, self.items)?;
            wait_for_the_end(&mut session, self.home, false)?;
        }
        self.server.forget_requests();
        misbehave(self.server, dice);
        prepare(&mut session, self.kind, self.items)?;
        let mut second = None;
        let most = 1 + dice.below(MOST_KILLS);
        for attempt in 0..=most {
            let killer = (attempt < most)
                .then(|| Killer::arm(session.pid, self.home, dice))
                .transpose()?;
            let began = if attempt == 0 {
                let began = session.begin();
                second = dice.percent(25).then(|| self.meddle(dice));
                began
            } else {
                session
                    .until("the list", |text| text.contains("Engineering"))
                    .and_then(|()| take_up(&mut session, self.home))
            };
            if self.has_ended(&mut session, began, killer.as_ref(), attempt > 0)? {
                break;
            }
            sum.kills += 1;
            drop(killer);
            session = self.start()?;
            if attempt + 1 == most {
                self.server.faults().clear();
            }
        }
        if let Some(second) = second {
            second.end();
        }
        self.server.faults().clear();
        session.quit()
    }

    /// Waits for the end of the job, or for its kill; says whether it was the end.
    fn has_ended(
        &self,
        session: &mut Session,
        began: Outcome<()>,
        killer: Option<&Killer>,
        may_be_none: bool,
    ) -> Outcome<bool> {
        match killer {
            None => {
                began?;
                wait_for_the_end(session, self.home, may_be_none)?;
                Ok(true)
            }
            // It may have been killed before anything could be typed.
            Some(killer) if began.is_err() => {
                if !killer.comes() {
                    began?;
                }
                let _ = session.child.wait();
                Ok(false)
            }
            Some(killer) => session.until_killed_or(self.home, killer, may_be_none),
        }
    }

    /// What the server and the program have written down, to learn why a round is stuck.
    fn found(&self) -> String {
        let mut text = "the server was asked:\n".to_owned();
        for request in self.server.requests() {
            let status = match request.status {
                Some(status) => status.to_string(),
                None => "no answer".to_owned(),
            };
            let _ = writeln!(text, "  {} {}: {status}", request.method, request.target);
        }
        for path in files_below(&self.home.join(".local")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let tells = name.ends_with(".log")
                || name == "lock"
                || name == "journal.ndjson"
                || (name.starts_with("job-") && name.ends_with(".json"));
            if tells {
                let there = fs::read_to_string(&path).unwrap_or_default();
                let _ = writeln!(text, "{}:\n{there}", path.display());
            }
        }
        text
    }
}

/// Twenty or so pages in the trash of ENG, three spaces to delete, and something to keep.
fn wiki(items: u64) -> String {
    let mut text =
        "space: ENG\nname: Engineering\nhomepage: Home\n\n=== page\ntitle: Home\n\n<p>Home</p>\n"
            .to_owned();
    for n in 0..8 {
        let _ = write!(
            text,
            "\n=== page\ntitle: Current {n}\nparent: Home\n\n<p>c{n}</p>\n"
        );
    }
    for n in 0..items {
        let parent = if n % 4 == 3 {
            format!("Old {}", n - 1)
        } else {
            "Home".to_owned()
        };
        let _ = write!(
            text,
            "\n=== page\ntitle: Old {n}\nparent: {parent}\nstatus: trashed\nversion: {}\n\n<p>old {n}</p>\n",
            n % 5 + 1
        );
    }
    for key in ["D1", "D2", "D3"] {
        let _ = write!(
            text,
            "\nspace: {key}\nname: Doomed {key}\n\n=== page\ntitle: {key} home\n\n<p>{key}</p>\n\
             \n=== page\ntitle: {key} old\nstatus: trashed\n\n<p>{key} old</p>\n"
        );
    }
    text
}

/// Reads that fail, writes whose answers are lost.
fn misbehave(server: &Server, dice: &mut Dice) {
    let faults = server.faults();
    if dice.percent(40) {
        let answer = Fault::Answer {
            status: 503,
            headers: Vec::new(),
            body: String::new(),
        };
        let rule = Rule::new("GET /rest/api/**", answer);
        faults.add(
            rule.skip(dice.below(40) as u32)
                .times(1 + dice.below(2) as u32),
        );
    }
    if dice.percent(40) {
        let fault = if dice.percent(50) {
            Fault::AppliedThenLost
        } else {
            Fault::Dropped
        };
        let method = ["DELETE", "PUT", "POST"][dice.below(3) as usize];
        let rule = Rule::new(&format!("{method} /rest/api/**"), fault);
        faults.add(rule.skip(dice.below(10) as u32));
    }
}

/// Opens the dialog of a job, up to the key that begins it.
fn prepare(session: &mut Session, kind: Kind, items: u64) -> Outcome<()> {
    let in_trash = |session: &mut Session| -> Outcome<()> {
        session.goes_to("ENG")?;
        session.press("t", "the trash", |text| text.contains("Old 0"))
    };
    match kind {
        Kind::PurgeMarked => {
            in_trash(session)?;
            session.press("*", "marks", |text| {
                text.contains(&format!("{items} marked"))
            })?;
            session.press("x", "the plan", |text| {
                text.contains(&format!("Type {items} to purge"))
            })?;
            session.type_answer(&items.to_string())
        }
        Kind::PurgeAll => {
            in_trash(session)?;
            session.press("P", "the plan", |text| text.contains("Type ENG to purge"))?;
            session.type_answer("ENG")
        }
        Kind::Delete => {
            session.press("/", "the filter", |text| {
                text.contains("Enter keep the filter")
            })?;
            session.press("Doomed\r", "three spaces", |text| {
                text.contains("Spaces 3 of")
            })?;
            session.press("*", "marks", |text| text.contains("3 marked"))?;
            session.press("D", "the plan", |text| text.contains("Type 3 to delete"))?;
            session.type_answer("3")
        }
        Kind::Restore | Kind::BackUp => {
            in_trash(session)?;
            session.press("*", "marks", |text| {
                text.contains(&format!("{items} marked"))
            })?;
            let key = if kind == Kind::Restore { "u" } else { "b" };
            session.press(key, "the plan", |text| text.contains("Enter "))?;
            session.rests();
            session.moves_to_yes()
        }
        Kind::Archive => {
            session.press("/", "the filter", |text| {
                text.contains("Enter keep the filter")
            })?;
            session.press("Doomed\r", "three spaces", |text| {
                text.contains("Spaces 3 of")
            })?;
            session.press("*", "marks", |text| text.contains("3 marked"))?;
            session.press("a", "the plan", |text| text.contains("Archive"))?;
            session.rests();
            session.moves_to_yes()
        }
        Kind::Create => {
            session.press("n", "the form", |text| text.contains("Ctrl-s"))?;
            session.rests();
            session.press("Harbour Log", "a free key", |text| text.contains("free"))?;
            session.begin = "\u{13}";
            Ok(())
        }
        Kind::Update => {
            session.goes_to("ENG")?;
            session.press("e", "the form", |text| text.contains("Ctrl-s"))?;
            session.rests();
            session.press("x\u{13}", "the change", |text| {
                text.contains("+ Engineeringx")
            })?;
            session.rests();
            session.begin = "y";
            Ok(())
        }
        Kind::Recreate => {
            session.press("B", "the backups", |text| text.contains("on this machine"))?;
            session.rests();
            session.press("\r", "the items", |text| text.contains("Old "))?;
            session.press("*R", "the plan", |text| text.contains("Re-create"))?;
            session.rests();
            session.moves_to_yes()
        }
    }
}

fn begin(session: &mut Session, kind: Kind, items: u64) -> Outcome<()> {
    prepare(session, kind, items)?;
    session.begin()
}

/// Takes up the job that was left over, as its person would.
fn take_up(session: &mut Session, home: &Path) -> Outcome<()> {
    if open_jobs(home).is_empty() {
        // Killed before anything of it was stored.
        return Ok(());
    }
    if !session.text().contains("left over") || !session.text().contains("go on") {
        session.send("J")?;
    }
    session.until("the job that was left over", |text| text.contains("go on"))?;
    session.rests();
    session.send("r")?;
    session.until("its question, or that it goes on", |text| {
        wanted(text).is_some() || text.contains("y confirm") || !text.contains("left over")
    })?;
    session.rests();
    let text = session.text();
    if let Some(wanted) = wanted(&text) {
        session.until("the counts", |text| !text.contains("… page"))?;
        session.type_answer(&wanted)?;
        session.confirm("\r")?;
    } else if text.contains("y confirm") {
        session.confirm("y")?;
    }
    Ok(())
}

/// What a dialog wants to have typed.
fn wanted(text: &str) -> Option<String> {
    let at = text.find("Type ")?;
    text[at + 5..].split_whitespace().next().map(str::to_owned)
}

/// The checkpoints of jobs that are not over.
fn open_jobs(home: &Path) -> Vec<PathBuf> {
    let mut open = jobs(home);
    open.retain(|(_, job)| {
        let state = job["state"].as_str().unwrap_or_default().to_owned();
        !["done", "failed", "cancelled", "unknown"].contains(&state.as_str())
    });
    open.into_iter().map(|(path, _)| path).collect()
}

fn jobs(home: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for path in files_below(&home.join(".local")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("job-")
            && name.ends_with(".json")
            && let Ok(text) = fs::read_to_string(&path)
            && let Ok(job) = serde_json::from_str(&text)
        {
            found.push((path.clone(), job));
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Waits until no job is open, and answers what it asks. One that `may_be_none` was killed before
/// anything of it was stored, and then nothing was begun.
fn wait_for_the_end(session: &mut Session, home: &Path, may_be_none: bool) -> Outcome<()> {
    let mut patience = Patience::new();
    loop {
        session.drain(Duration::from_millis(50))?;
        let text = session.text();
        let began = may_be_none
            || !jobs(home).is_empty()
            || text.contains("done.")
            || text.contains("failed");
        if began && open_jobs(home).is_empty() && !text.contains("Type ") {
            return Ok(());
        }
        session.answers()?;
        if patience.is_over(&text) {
            return Err(format!("the job does not end\n{}", session.screen()).into());
        }
    }
}

/// Waits as long as something changes on the screen, within reason.
struct Patience {
    began: Instant,
    changed: Instant,
    text: String,
}

impl Patience {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            changed: now,
            text: String::new(),
        }
    }

    fn is_over(&mut self, text: &str) -> bool {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.changed = Instant::now();
        }
        self.changed.elapsed() > LIMIT || self.began.elapsed() > LONGEST
    }
}

/// A second process on the same server: another window that tries to remove the backups.
struct Second {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Second {
    fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = self.thread.join();
    }
}

impl Round<'_> {
    fn meddle(&self, dice: &mut Dice) -> Second {
        let stop = Arc::new(AtomicBool::new(false));
        let (program, home) = (self.program.to_owned(), self.home.to_owned());
        let (address, stopped) = (self.server.base_url().to_owned(), Arc::clone(&stop));
        let wait = Duration::from_millis(dice.below(400));
        let thread = thread::spawn(move || {
            let _ = remove_backups(&program, &home, &address, wait, &stopped);
        });
        Second { stop, thread }
    }
}

fn remove_backups(
    program: &Path,
    home: &Path,
    address: &str,
    wait: Duration,
    stop: &AtomicBool,
) -> Outcome<()> {
    let mut session = Session::start(program, home, address)?;
    session.until("the list", |text| text.contains("Engineering"))?;
    while !stop.load(Ordering::SeqCst) {
        session.drain(wait)?;
        session.send("B")?;
        session.rests();
        session.send("x")?;
        session.rests();
        if let Some(wanted) = wanted(&session.text()) {
            session.type_answer(&wanted)?;
            session.confirm("\r")?;
            session.rests();
            session.answers()?;
        }
        session.rests();
        session.send("\u{1b}")?;
        session.rests();
        session.send("\u{1b}")?;
        session.rests();
    }
    session.kill();
    Ok(())
}

/// Sends SIGKILL after a while, or at a certain write to the disk.
struct Killer {
    done: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
}

impl Killer {
    fn arm(pid: Pid, home: &Path, dice: &mut Dice) -> Outcome<Self> {
        let killer = Self {
            done: Arc::default(),
            stop: Arc::default(),
        };
        let (done, stop) = (Arc::clone(&killer.done), Arc::clone(&killer.stop));
        if dice.percent(50) {
            let wait = Duration::from_millis(dice.below(900));
            thread::spawn(move || {
                thread::sleep(wait);
                if !stop.load(Ordering::SeqCst) {
                    let _ = kill_process(pid, Signal::KILL);
                    done.store(true, Ordering::SeqCst);
                }
            });
        } else {
            let mut writes = Writes::watch(home)?;
            let nth = 1 + dice.below(60);
            thread::spawn(move || {
                let mut seen = 0;
                while !stop.load(Ordering::SeqCst) {
                    seen += writes.count();
                    if seen >= nth {
                        let _ = kill_process(pid, Signal::KILL);
                        done.store(true, Ordering::SeqCst);
                        return;
                    }
                    thread::sleep(Duration::from_micros(200));
                }
            });
        }
        Ok(killer)
    }
}

impl Killer {
    /// Whether it has struck, or does so at once.
    fn comes(&self) -> bool {
        for _ in 0..20 {
            if self.done.load(Ordering::SeqCst) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Counts what is made, changed and renamed below a folder, in folders made later too.
struct Writes {
    queue: rustix::fd::OwnedFd,
    root: PathBuf,
    watched: BTreeSet<PathBuf>,
}

impl Writes {
    fn watch(root: &Path) -> Outcome<Self> {
        let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let mut writes = Self {
            queue,
            root: root.to_owned(),
            watched: BTreeSet::new(),
        };
        writes.take_in(root);
        Ok(writes)
    }

    fn take_in(&mut self, folder: &Path) {
        let flags = WatchFlags::CREATE
            | WatchFlags::MODIFY
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE
            | WatchFlags::CLOSE_WRITE;
        if !self.watched.insert(folder.to_owned()) {
            return;
        }
        let _ = inotify::add_watch(&self.queue, folder, flags);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                self.take_in(&entry.path());
            }
        }
    }

    fn count(&mut self) -> u64 {
        let mut count = 0;
        let mut made_folder = false;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.queue, &mut buffer);
        while let Ok(event) = reader.next() {
            count += 1;
            made_folder |= event.events().contains(ReadFlags::ISDIR);
        }
        if made_folder {
            let root = self.root.clone();
            self.watched.clear();
            self.take_in(&root);
        }
        count
    }
}

/// A page as the server has it: title, status and text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    space: String,
    title: String,
    status: &'static str,
    version: u64,
    text: String,
}

/// Everything that is on the server, by id.
fn pages(server: &Server) -> Outcome<BTreeMap<String, Page>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let get = |path: &str| -> Outcome<Value> {
        let url = format!("{}/rest/api{path}", server.base_url());
        let bytes = runtime.block_on(async { client.get(url).send().await?.bytes().await })?;
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    };
    let mut found = BTreeMap::new();
    for key in ["ENG", "D1", "D2", "D3"] {
        for (status, path) in [
            (
                "current",
                format!("/space/{key}/content/page?limit=200&expand=body.storage,version"),
            ),
            (
                "trashed",
                format!("/space/{key}/trash?limit=200&expand=body.storage,version"),
            ),
        ] {
            let page = get(&path)?;
            for row in page["results"].as_array().into_iter().flatten() {
                let id = row["id"].as_str().unwrap_or_default().to_owned();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                found.insert(
                    id,
                    Page {
                        space: key.to_owned(),
                        title: text(&row["title"]),
                        status,
                        version: row["version"]["number"].as_u64().unwrap_or(0),
                        text: text(&row["body"]["storage"]["value"]),
                    },
                );
            }
        }
    }
    Ok(found)
}

/// The texts of all items in all backups that verify, by id.
fn saved(program: &Path, home: &Path) -> Outcome<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let listed = run(program, home, &["backup", "list"])?;
    for line in listed.1.lines() {
        let Some(name) = line.split_whitespace().next() else {
            continue;
        };
        if run(program, home, &["backup", "verify", name])?.0 != 0 {
            continue;
        }
        for path in files_below(&home.join(".local")) {
            let is_its = path.parent().is_some_and(|folder| folder.ends_with(name));
            if is_its {
                texts(&path, &mut found)?;
            }
        }
    }
    Ok(found)
}

/// Takes in the texts of the items in a file of a backup, by id.
fn texts(path: &Path, found: &mut BTreeMap<String, String>) -> Outcome<()> {
    if !path.to_string_lossy().ends_with(".ndjson.gz") {
        return Ok(());
    }
    let mut text = String::new();
    MultiGzDecoder::new(fs::File::open(path)?).read_to_string(&mut text)?;
    for line in text.lines() {
        let item: Value = serde_json::from_str(line)?;
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        let storage = item["storage"].as_str().unwrap_or_default().to_owned();
        found.insert(id, storage);
    }
    Ok(())
}

/// What is known of backups that are not there any more.
#[derive(Default)]
struct Removed {
    /// How many went while no job needed them.
    agreed: u64,
    /// What was in those, by id.
    texts: BTreeMap<String, String>,
    /// Those that went although a job that was not over named them.
    under_jobs: Vec<String>,
}

/// Looks again and again which backups there are. Of each that is whole it keeps a copy; of each that
/// goes it looks at once whether a stored job needed it.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Removed>,
}

impl Watch {
    fn over(home: &Path) -> Outcome<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, home) = (Arc::clone(&stop), home.to_owned());
        let copies = tempfile::tempdir()?;
        let thread = thread::spawn(move || {
            let mut removed = Removed::default();
            let mut known = BTreeSet::new();
            loop {
                let is_last = stopped.load(Ordering::SeqCst);
                look_at_backups(&home, copies.path(), &mut known, &mut removed);
                if is_last {
                    return removed;
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        Ok(Self { stop, thread })
    }

    fn end(self) -> Removed {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_default()
    }
}

fn look_at_backups(
    home: &Path,
    copies: &Path,
    known: &mut BTreeSet<PathBuf>,
    removed: &mut Removed,
) {
    let manifest = |folder: &Path| folder.join("manifest.json");
    let backups = home.join(".local/share/coracle/backups");
    for entry in fs::read_dir(backups).into_iter().flatten().flatten() {
        let folder = entry.path();
        // The manifest is the last that is written of a backup.
        if known.contains(&folder) || !manifest(&folder).exists() {
            continue;
        }
        let copy = copies.join(entry.file_name());
        let _ = fs::create_dir(&copy);
        for file in files_below(&folder) {
            let _ = fs::copy(&file, copy.join(file.file_name().unwrap_or_default()));
        }
        known.insert(folder);
    }
    let gone: Vec<PathBuf> = known
        .iter()
        .filter(|it| !manifest(it).exists())
        .cloned()
        .collect();
    for folder in gone {
        known.remove(&folder);
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let needs = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.contains(&format!("\"{name}\"")) || is_of(path, &name)
        };
        match open_jobs(home).into_iter().find(needs) {
            Some(job) => removed
                .under_jobs
                .push(format!("lost: {name} was removed under {}", job.display())),
            None => {
                removed.agreed += 1;
                for file in files_below(&copies.join(&name)) {
                    let _ = texts(&file, &mut removed.texts);
                }
            }
        }
    }
}

/// Whether a backup of this name was made by the job in this file.
fn is_of(job: &Path, backup: &str) -> bool {
    let file = job.file_stem().unwrap_or_default().to_string_lossy();
    file.strip_prefix("job-")
        .is_some_and(|id| backup.starts_with(id))
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

fn check(
    program: &Path,
    home: &Path,
    server: &Server,
    kind: Kind,
    before: &BTreeMap<String, Page>,
    removed: &Removed,
) -> Outcome<Vec<String>> {
    let mut wrong = removed.under_jobs.clone();
    let after = pages(server)?;
    let saved = saved(program, home)?;
    for (id, page) in before {
        let kept = after.get(id).is_some_and(|now| now.text == page.text);
        let is_given_up = removed.texts.get(id) == Some(&page.text);
        if !kept && !is_given_up && saved.get(id) != Some(&page.text) {
            wrong.push(format!(
                "lost: {} {} ({})",
                page.space,
                page.title,
                kind.name()
            ));
        }
    }
    let mut titles = BTreeMap::<(String, String), u64>::new();
    for (id, page) in &after {
        if page.status == "current" {
            let title = (page.space.clone(), page.title.clone());
            *titles.entry(title).or_default() += 1;
        }
        if let Some(was) = before.get(id)
            && page.version > was.version + 1
        {
            wrong.push(format!(
                "repeated: {} went from version {} to {}",
                page.title, was.version, page.version
            ));
        }
    }
    for ((space, title), count) in titles {
        if count > 1 {
            wrong.push(format!("repeated: {count} pages {title} in {space}"));
        }
    }
    let (code, said) = run(program, home, &["journal", "verify"])?;
    if code != 0 {
        wrong.push(format!("the journal does not verify: {said}"));
    }
    wrong.extend(untrue_lines(home, before, &after, kind));
    for job in open_jobs(home) {
        wrong.push(format!("stuck: {} is still open", job.display()));
    }
    Ok(wrong)
}

/// Purges that the journal calls done, of what is still there.
fn untrue_lines(
    home: &Path,
    before: &BTreeMap<String, Page>,
    after: &BTreeMap<String, Page>,
    kind: Kind,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in files_below(&home.join(".local")) {
        if !path.ends_with("journal.ndjson") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        for line in text.lines() {
            let Ok(entry) = serde_json::from_str::<Entry>(line) else {
                continue;
            };
            let record = entry.record;
            let is_purge = record.path.contains("/content/") && record.path.split('/').count() == 5;
            let id = record.path.rsplit('/').next().unwrap_or_default();
            let is_there = before.contains_key(id) && after.contains_key(id);
            if record.outcome == Phase::Done
                && is_purge
                && is_there
                && matches!(kind, Kind::PurgeMarked | Kind::PurgeAll)
            {
                wrong.push(format!(
                    "untrue: {} is called purged and is there",
                    record.title
                ));
            }
        }
    }
    wrong
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

fn say(text: &str) {
    // A report that nobody reads is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The program on a terminal that answers status reports.
struct Session {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    pid: Pid,
    tail: Vec<u8>,
    /// The key that begins the job once its dialog is ready.
    begin: &'static str,
    /// The key that confirmed last.
    confirmed: &'static str,
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
        let mut command = CommandBuilder::new(program);
        command.args(["--url", address, "--log", "debug"]);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        command.env("TZ", "UTC");
        command.env("LANG", "C.UTF-8");
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
            begin: "\r",
            confirmed: "\r",
        })
    }

    /// The screen without borders and with single blanks.
    fn text(&self) -> String {
        let contents = self.parser.screen().contents();
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

    /// The screen as it is.
    fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    fn send(&mut self, keys: &str) -> Outcome<()> {
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        Ok(())
    }

    /// Begins the job whose dialog is ready.
    fn begin(&mut self) -> Outcome<()> {
        self.confirm(self.begin)
    }

    /// Presses a key that confirms.
    fn confirm(&mut self, key: &'static str) -> Outcome<()> {
        self.confirmed = key;
        self.send(key)
    }

    /// Does what the program asks its person for: chooses, or presses again what did not count, because
    /// it was dropped or because the dialog was still counting.
    fn answers(&mut self) -> Outcome<()> {
        let still_asks = |text: &str| match wanted(text) {
            Some(wanted) => text.contains(&format!(": {wanted} ")),
            None => ["y confirm", "y save", "Ctrl-s create"]
                .iter()
                .any(|keys| text.contains(keys)),
        };
        let text = self.text();
        if still_asks(&text) {
            self.rests();
            // What stands after a look is no picture of before.
            if still_asks(&self.text()) {
                self.send(self.confirmed)?;
            }
            Ok(())
        } else if text.contains("Enter choose") {
            self.rests();
            self.confirm("\r")
        } else {
            Ok(())
        }
    }

    fn press(&mut self, keys: &str, what: &str, is_so: impl Fn(&str) -> bool) -> Outcome<()> {
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        self.until(what, is_so)
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> Outcome<()> {
        let mut patience = Patience::new();
        loop {
            let text = self.text();
            if is_so(&text) {
                return Ok(());
            }
            if patience.is_over(&text) {
                return Err(format!("it took too long: {what}\n{}", self.screen()).into());
            }
            match self.bytes.recv_timeout(Duration::from_millis(100)) {
                Ok(bytes) => self.take(&bytes)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("it ended before this: {what}\n{}", self.screen()).into());
                }
            }
        }
    }

    /// Reads for a while.
    fn drain(&mut self, time: Duration) -> Outcome<()> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes)?,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err("it ended".into()),
            }
        }
    }

    /// Waits as a person does who looks before typing.
    fn rests(&mut self) {
        let _ = self.drain(Duration::from_millis(350));
    }

    fn goes_to(&mut self, key: &str) -> Outcome<()> {
        self.press("1/", "the filter", |text| {
            text.contains("Enter keep the filter")
        })?;
        self.press(&format!("'{key}\r"), "one space", |text| {
            text.contains("Spaces 1 of")
        })
    }

    /// Types what a dialog wants, letter by letter.
    fn type_answer(&mut self, answer: &str) -> Outcome<()> {
        self.rests();
        for letter in answer.chars() {
            self.writer.write_all(letter.to_string().as_bytes())?;
            self.writer.flush()?;
            self.drain(Duration::from_millis(60))?;
        }
        self.until("the counts", |text| !text.contains("… page"))?;
        // Enter in one reading with what is typed before it would be dropped.
        let shown = format!(": {answer}");
        self.until("what was typed", |text| text.contains(&shown))
    }

    /// A dialog that wants a plain yes.
    fn moves_to_yes(&mut self) -> Outcome<()> {
        self.begin = "y";
        self.until("the counts", |text| !text.contains("… page"))
    }

    /// Reads until the program was killed, or no job is open any more; says whether it ended by itself.
    /// A job that `may_be_none` was killed before anything of it was stored: then none is awaited.
    fn until_killed_or(
        &mut self,
        home: &Path,
        killer: &Killer,
        may_be_none: bool,
    ) -> Outcome<bool> {
        let mut patience = Patience::new();
        let mut quiet = 0;
        loop {
            if killer.done.load(Ordering::SeqCst) {
                let _ = self.child.wait();
                return Ok(false);
            }
            let alive = self.drain(Duration::from_millis(20)).is_ok();
            let text = self.text();
            if alive {
                // It may be killed meanwhile.
                let _ = self.answers();
            }
            let idle = (may_be_none || !jobs(home).is_empty()) && open_jobs(home).is_empty();
            quiet = if alive && idle { quiet + 1 } else { 0 };
            if quiet > 40 {
                return Ok(true);
            }
            if patience.is_over(&text) {
                return Err(format!("neither killed nor at its end\n{}", self.screen()).into());
            }
        }
    }

    fn quit(&mut self) -> Outcome<()> {
        let _ = self.writer.write_all(b"\x03");
        let _ = self.writer.flush();
        self.rests();
        let _ = self.writer.write_all(b"\x03");
        let _ = self.writer.flush();
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            let _ = self.drain(Duration::from_millis(50));
        }
        self.kill();
        Err("it did not end after Ctrl-c twice".into())
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.kill();
    }
}
