//! The server's own backup of a space as a job: asked for, followed, downloaded and checked, with the
//! embedded server and real files; and killed at every step of it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use coracle::app::message::{DiskCall, DiskReply};
use coracle::confluence::Endpoint;
use coracle::confluence::client::{Client, Credentials, Settings};
use coracle::confluence::retry::Patience;
use coracle::confluence::{ApiError, Call, ErrorKind, LocalFile, Reply, Resume, ServerText};
use coracle::demo::{
    Behaviour, Fault, FullBackup, FullRestore, Generation, Options, Rule, Seed, Server,
};
use coracle::jobs::backup::{Digest, MANIFEST, Manifest};
use coracle::jobs::journal::{Chain, Phase, Reached, Record, Scribe};
use coracle::jobs::*;
use coracle::shell::backups;
use coracle::shell::disk::perform;
use coracle::shell::download::Moves;
use coracle::shell::folders::{Folders, JournalAccess};
use coracle::shell::holds::Holds;
use coracle::shell::progress::Tell;

use BackupChoice::{Declined, Save};

use crate::emptying::Visit;
use crate::simulation::{agree, head, session, time};

const WIKI: &str = "\
space: ENG
name: Engineering
homepage: Home

=== page
title: Home

<p>home</p>

=== page
title: Plan
parent: Home
attachment: plan.pdf | application/pdf | 200000
attachment: notes.txt | text/plain | 100

=== blogpost
title: News

=== page
title: Old
parent: Home
status: trashed

space: OPS
name: Operations
";

/// The name of the server's file in a backup.
pub(crate) const ZIP: &str = "space.zip";

/// When the process dies: at the step of this number, before it is done or after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) at: usize,
    pub(crate) done: bool,
}

/// A job with the embedded server, and files in a folder of the test.
pub(crate) struct Bench {
    pub(crate) server: Server,
    client: Client,
    moves: Moves,
    pub(crate) folders: Folders,
    holds: Holds,
    pub(crate) job: Job,
    /// What was sent.
    pub(crate) sent: Vec<Call>,
    /// Whether the disk says that it is full.
    pub(crate) is_full: bool,
    scribe: Scribe<WriteNo>,
    journal: Vec<String>,
    checkpoint: Option<String>,
    pub(crate) requests: VecDeque<(RequestNo, Call)>,
    pub(crate) writes: VecDeque<(WriteNo, JobWrite)>,
    /// The time of the job, which goes on only where it waits.
    pub(crate) at: u64,
    pub(crate) steps: usize,
    runtime: tokio::runtime::Runtime,
    _home: tempfile::TempDir,
}

pub(crate) fn options() -> Options {
    Options {
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    }
}

impl Bench {
    fn new(spaces: &[&str], options: Options) -> Self {
        let head = head(Act::BackUpSpaces, spaces, Vec::new());
        Self::of(Job::back_up_spaces(head).expect("a job"), options)
    }

    pub(crate) fn of(job: Job, options: Options) -> Self {
        let server = Server::start(options).expect("a server");
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = |name: &str| home.path().join(name);
        let folders = Folders {
            profile: folder("profile"),
            backups: folder("backups"),
            plans: folder("plans"),
            exports: folder("exports"),
            locks: Vec::new(),
        };
        let endpoint = Endpoint::parse(server.base_url()).expect("usable");
        let client = Client::new(Settings {
            patience: Patience {
                first_wait: std::time::Duration::from_millis(1),
                ..Patience::default()
            },
            ..Settings::new(endpoint, Credentials::Anonymous)
        });
        Self {
            client: client.expect("usable"),
            moves: Moves::of(&folders.backups),
            server,
            folders,
            holds: Holds::default(),
            job,
            sent: Vec::new(),
            is_full: false,
            scribe: Scribe::new(Chain::default()),
            journal: Vec::new(),
            checkpoint: None,
            requests: VecDeque::new(),
            writes: VecDeque::new(),
            at: 0,
            steps: 0,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            _home: home,
        }
    }

    pub(crate) fn feed(&mut self, event: JobEvent) {
        for effect in self.job.step(self.at, event) {
            match effect {
                JobEffect::Send { request, call } => self.requests.push_back((request, call)),
                JobEffect::Write {
                    write,
                    what: JobWrite::Journal(record),
                } => self.scribe.push(write, *record),
                JobEffect::Write { write, what } => self.writes.push_back((write, what)),
                JobEffect::Ask(_) => {}
                JobEffect::GiveUp { request } => {
                    self.requests.retain(|(other, _)| *other != request);
                }
                JobEffect::GiveUpWrite { write } => {
                    self.writes.retain(|(other, _)| *other != write);
                }
            }
        }
    }

    /// What waits to be sent.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Call> {
        self.requests.iter().map(|(_, call)| call)
    }

    pub(crate) fn send(&self, call: &Call) -> Result<Reply, ApiError> {
        let sent = self.moves.send(&self.client, call, |_| {});
        self.runtime.block_on(sent).outcome
    }

    fn store(&mut self, what: JobWrite) -> Result<Stored, StoreError> {
        let call = match what {
            JobWrite::BackupFile {
                backup,
                name,
                bytes,
            } => DiskCall::WriteBackup {
                backup,
                name,
                bytes,
            },
            JobWrite::ReadBack { backup, name } => DiskCall::ReadBackup { backup, name },
            JobWrite::MakeFolder { backup } => DiskCall::MakeBackup { backup },
            JobWrite::CheckRoom { .. } if self.is_full => {
                return Err(StoreError {
                    message: "The files take 2.0 GB, and 1.0 GB are free.".to_owned(),
                });
            }
            JobWrite::CheckRoom { bytes, .. } => DiskCall::CheckRoom { bytes },
            JobWrite::CheckFile { backup, file } => DiskCall::CheckFile { backup, file },
            JobWrite::CheckZip {
                backup,
                name,
                sha256,
                space,
                expected,
            } => DiskCall::CheckZip {
                backup,
                name,
                sha256,
                space,
                expected,
            },
            JobWrite::Prove(claim) => DiskCall::ProveBackups(claim),
            JobWrite::Hold { backup } => DiskCall::HoldBackup { backup },
            JobWrite::Release { backup } => DiskCall::ReleaseBackup { backup },
            JobWrite::Checkpoint(text) => {
                self.checkpoint = Some(text);
                return Ok(Stored::Done);
            }
            JobWrite::Journal(_) => return Ok(Stored::Done),
        };
        match perform(&self.folders, JournalAccess::Write, &mut self.holds, &call) {
            Ok(DiskReply::Bytes(Some(bytes))) => Ok(Stored::Bytes(bytes)),
            Ok(DiskReply::Bytes(None)) => Err(StoreError {
                message: "It is gone.".to_owned(),
            }),
            Ok(DiskReply::Zip(found)) => Ok(Stored::Zip(found)),
            Ok(DiskReply::Standing(standing)) => Ok(Stored::Standing(standing)),
            Ok(DiskReply::Gone) => Ok(Stored::Gone),
            Ok(_) => Ok(Stored::Done),
            Err(error) => Err(StoreError {
                message: error.message,
            }),
        }
    }

    /// Does the next thing that waits; says whether there was one, and whether the process lives on.
    fn step(&mut self, death: Option<Death>) -> (bool, bool) {
        let dies = |steps: usize| death.filter(|death| death.at == steps);
        if let Some(line) = self.scribe.next_line(time(), &session()) {
            let dying = dies(self.steps);
            self.steps += 1;
            if dying.is_none_or(|death| death.done) {
                self.journal.push(line);
            }
            if dying.is_some() {
                return (true, false);
            }
            for write in self.scribe.written(Reached::Yes) {
                let outcome = Ok(Stored::Done);
                self.feed(JobEvent::Written { write, outcome });
            }
            return (true, true);
        }
        if let Some((write, what)) = self.writes.pop_front() {
            let dying = dies(self.steps);
            self.steps += 1;
            if dying.is_some_and(|death| !death.done) {
                return (true, false);
            }
            let outcome = self.store(what);
            if dying.is_some() {
                return (true, false);
            }
            self.feed(JobEvent::Written { write, outcome });
            return (true, true);
        }
        if let Some((request, call)) = self.requests.pop_front() {
            let dying = dies(self.steps);
            self.steps += 1;
            if dying.is_some_and(|death| !death.done) {
                return (true, false);
            }
            let outcome = self.send(&call);
            self.sent.push(call);
            if dying.is_some() {
                return (true, false);
            }
            self.feed(JobEvent::Reply { request, outcome });
            return (true, true);
        }
        (false, true)
    }

    /// Runs until the job is over, waits for somebody, `until` says so, or the process dies.
    pub(crate) fn run(&mut self, death: Option<Death>, until: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..20_000 {
            if until(self) {
                return false;
            }
            match self.step(death) {
                (_, false) => return true,
                (true, true) => {}
                (false, true)
                    if self.job.state().is_over()
                        || self.job.trouble().is_some()
                        || self.job.question().is_some() =>
                {
                    return false;
                }
                (false, true) => {
                    let Some(deadline) = self.job.deadline() else {
                        panic!("stuck: {:?} {:?}", self.job.progress(), self.job.lines());
                    };
                    self.at = self.at.max(deadline);
                    self.feed(JobEvent::Tick);
                }
            }
        }
        panic!("no end: {:?}", self.job.progress());
    }

    pub(crate) fn ends(&mut self) -> &mut Self {
        self.feed(JobEvent::Begin);
        self.run(None, |_| false);
        self
    }

    /// Another process takes up what it finds; `false`: nothing was begun.
    pub(crate) fn taken_up(&mut self) -> bool {
        let user = self.job.head().user.clone();
        self.taken_up_by(user)
    }

    /// The same, with this user signed in.
    pub(crate) fn taken_up_by(&mut self, user: Option<String>) -> bool {
        self.requests.clear();
        self.writes.clear();
        self.holds = Holds::default();
        self.moves = Moves::of(&self.folders.backups);
        self.at = 0;
        let stored = self.checkpoint.clone();
        let read = ledger::read(&self.journal, stored.as_deref(), 10).expect("it is whole");
        self.scribe = Scribe::new(read.verified.chain);
        let Some(text) = stored else {
            return false;
        };
        self.job = Job::reopen(&text, &read.needed).expect("a job");
        let session = Session { user, ..session() };
        self.job.take_up(session).expect("nobody moved");
        if let Some(challenge) = self.job.challenge() {
            self.job.agree(agree(challenge)).expect("agreed to");
        }
        self.feed(JobEvent::Resume);
        true
    }

    pub(crate) fn outcome(&self) -> &Outcome {
        let line = self.job.lines().first().expect("a line");
        line.outcome.as_ref().expect("an outcome")
    }

    /// Why it did not work.
    pub(crate) fn why(&self) -> &str {
        match self.outcome() {
            Outcome::Failed(why) | Outcome::Unknown(why) | Outcome::Skipped(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The whole backups that the server made.
    pub(crate) fn copies(&self) -> Vec<(String, Manifest)> {
        let found = backups::list(&self.folders.backups).expect("the backups");
        let whole = found
            .into_iter()
            .filter_map(|it| Some((it.name, it.manifest.ok()?)));
        whole.filter(|(_, it)| it.server_file.is_some()).collect()
    }

    pub(crate) fn folder(&self, backup: &str) -> PathBuf {
        self.folders.backups.join(backup)
    }

    /// How often this was asked of the server.
    pub(crate) fn asked(&self, method: &str, part: &str) -> usize {
        let requests = self.server.requests();
        let of_it = requests.iter();
        of_it
            .filter(|it| it.method == method && it.target.contains(part))
            .count()
    }

    /// What the journal says.
    pub(crate) fn records(&self) -> Vec<Record> {
        let lines = self.journal.iter();
        lines
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect()
    }

    /// The journal leaves nothing open.
    pub(crate) fn assert_told(&self, what: &str) {
        let records = self.records();
        for record in &records {
            let last = records.iter().rev().find(|it| it.no == record.no);
            let told = last.map(|it| it.outcome);
            assert_ne!(told, Some(Phase::Intended), "{what}: left open: {record:?}");
        }
    }
}

fn behaving(full_backup: FullBackup) -> Options {
    Options {
        behaviour: Behaviour {
            full_backup,
            ..Behaviour::default()
        },
        ..options()
    }
}

#[test]
fn a_space_is_written_out_downloaded_and_found_whole() {
    let mut bench = Bench::new(&["ENG", "OPS"], options());
    bench.ends();
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let copies = bench.copies();
    assert_eq!(copies.len(), 2);
    let (name, manifest) = &copies[0];
    let file = manifest.server_file.as_ref().expect("of the server");
    assert_eq!(
        (file.pages, file.posts, file.trashed, file.files),
        (2, 1, 1, 2)
    );
    assert_eq!(manifest.spaces[0].key.as_str(), "ENG");
    let told = backups::verify(&bench.folders.backups, name).expect("it is there");
    assert_eq!(told.as_ref(), Ok(manifest));
    let zip = std::fs::read(bench.folder(name).join(ZIP)).expect("the file");
    assert_eq!(Digest::of(&zip), manifest.files[0].sha256);
    let listed = backups::contents(&bench.folders.backups, name).expect("it is there");
    let titles: Vec<String> = listed
        .expect("it can be read")
        .items
        .into_iter()
        .map(|(_, item)| item.title.to_string())
        .collect();
    assert_eq!(titles, ["Home", "Plan", "News", "Old"]);
    let Outcome::Done(Some(note)) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    assert!(
        note.starts_with("2 pages, 1 blog post, 1 in the trash, 2 files, "),
        "{note}"
    );
    bench.assert_told("undisturbed");
    // Nobody holds it any more.
    assert!(!bench.folder(name).join("lock").exists());
}

#[test]
fn what_the_server_refuses_or_does_not_do_is_told_and_is_no_backup() {
    let cases = [
        (FullBackup::Forbidden, "site administrator"),
        (FullBackup::SwitchedOff, "disabled by an administrator"),
        (
            FullBackup::Busy,
            "Another backup of this space is under way",
        ),
        (FullBackup::Fails, "Out of memory"),
        (FullBackup::OtherSpace, "not of ENG"),
        (FullBackup::Broken, "no whole zip"),
        (FullBackup::NoFile, "no file of it"),
        (FullBackup::Earlier, "lacks 1 of the 3 pages and blog posts"),
    ];
    for (behaviour, words) in cases {
        let mut bench = Bench::new(&["ENG"], behaving(behaviour));
        bench.ends();
        assert_eq!(bench.job.state(), JobState::Failed, "{behaviour:?}");
        assert!(
            bench.why().contains(words),
            "{behaviour:?}: {}",
            bench.why()
        );
        // Each says what to do.
        assert!(
            bench.why().contains("begin again"),
            "{behaviour:?}: {}",
            bench.why()
        );
        assert_eq!(bench.copies(), [], "{behaviour:?}");
        bench.assert_told(words);
    }
    let old = Options {
        generation: Generation::Seven,
        ..options()
    };
    let mut bench = Bench::new(&["ENG"], old);
    bench.ends();
    assert!(
        bench.why().contains("needs Confluence 9.0"),
        "{}",
        bench.why()
    );
}

#[test]
fn what_is_told_of_another_job_is_no_word_about_this_one() {
    for (behaviour, words) in [
        (FullBackup::TellsOfAnother, "about OTHER, not about ENG"),
        (FullBackup::TellsOfARestore, "one that reads a space in"),
    ] {
        let mut bench = Bench::new(&["ENG"], behaving(behaviour));
        bench.ends();
        assert_eq!(bench.job.state(), JobState::Unknown, "{behaviour:?}");
        assert!(bench.why().contains(words), "{}", bench.why());
        assert_eq!(bench.asked("GET", "/download"), 0, "{behaviour:?}");
        bench.assert_told(words);
        let mut bench = Bench::deletes(Save, Declined, behaving(behaviour));
        bench.ends();
        let Some(Question::ServerBackup { why, is_there, .. }) = bench.job.question() else {
            panic!("{behaviour:?}: {:?}", bench.job.lines());
        };
        assert!(why.contains(words) && !is_there, "{why}");
    }
    let (mut bench, file) = with_a_backup(options());
    bench.deletes_the_space();
    bench
        .server
        .behave(|it| it.full_restore = FullRestore::TellsOfAnother);
    bench.restores(&file).ends();
    assert_eq!(bench.job.state(), JobState::Unknown);
    let words = "about OTHER, not about ENG";
    assert!(bench.why().contains(words), "{}", bench.why());
}

#[test]
fn what_the_server_left_out_or_may_have_is_told_and_asked_about_before_a_deletion() {
    for (behaviour, words) in [
        (FullBackup::SkipsSome, "The server left out 3 objects"),
        (FullBackup::LaidOutOtherwise, "cannot be seen"),
    ] {
        let mut bench = Bench::new(&["ENG"], behaving(behaviour));
        bench.ends();
        let Outcome::Done(Some(note)) = bench.outcome() else {
            panic!("{:?}", bench.outcome());
        };
        assert!(note.contains(words), "{note}");
        for decision in [Decision::Stop, Decision::GoOn] {
            let mut bench = Bench::deletes(Save, Declined, behaving(behaviour));
            bench.ends();
            let Some(Question::ServerBackup { why, is_there, .. }) = bench.job.question() else {
                panic!("{behaviour:?}: {:?}", bench.job.lines());
            };
            assert!(why.contains(words) && *is_there, "{why}");
            assert_eq!(bench.asked("DELETE", ""), 0);
            bench.decides(decision.clone());
            assert_eq!(bench.has_space(), decision == Decision::Stop);
        }
    }
}

#[test]
fn a_whole_file_of_an_earlier_time_is_no_backup_of_the_space() {
    let mut bench = Bench::deletes(Save, Declined, behaving(FullBackup::Earlier));
    bench.ends();
    let Some(Question::ServerBackup { why, is_there, .. }) = bench.job.question() else {
        panic!("{:?}", bench.job.lines());
    };
    assert!(
        why.contains("is no backup of what is in the space"),
        "{why}"
    );
    assert!(!is_there);
    assert_eq!((bench.asked("DELETE", ""), bench.copies().len()), (0, 0));
    bench.server.behave(|it| it.full_backup = FullBackup::Works);
    bench.decides(Decision::Again);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
}

#[test]
fn a_server_that_never_ends_is_given_up_and_told_to_stop() {
    let mut bench = Bench::new(&["ENG"], behaving(FullBackup::Stalls));
    bench.ends();
    assert_eq!(bench.job.state(), JobState::Failed);
    let why = bench.why();
    assert!(why.contains("not moved for 15 minutes"), "{why}");
    assert!(why.contains("was cancelled too"), "{why}");
    assert_eq!(bench.asked("PUT", "/cancel"), 1);
    bench.assert_told("stalled");
}

#[test]
fn what_is_cancelled_is_cancelled_on_the_server_too() {
    let mut bench = Bench::new(&["ENG", "OPS"], behaving(FullBackup::Stalls));
    bench.feed(JobEvent::Begin);
    bench.run(None, |bench| {
        bench.job.progress().message.contains("writes it out")
    });
    bench.feed(JobEvent::Cancel);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    assert_eq!(bench.asked("PUT", "/cancel"), 1);
    assert_eq!(bench.asked("POST", "/backup/space"), 1, "OPS is left alone");
    assert!(bench.why().contains("was cancelled too"), "{}", bench.why());
    bench.assert_told("cancelled");
}

#[test]
fn a_cancel_that_is_killed_is_taken_up_and_the_server_is_told_once() {
    let mut calm = Bench::new(&["ENG"], behaving(FullBackup::Stalls));
    let follow = |bench: &mut Bench| {
        bench.feed(JobEvent::Begin);
        bench.run(None, |bench| {
            bench.job.progress().message.contains("writes it out")
        });
        bench.feed(JobEvent::Cancel);
        bench.steps
    };
    let from = follow(&mut calm);
    calm.run(None, |_| false);
    for at in from..calm.steps {
        for done in [false, true] {
            let what = format!("{at} {done}");
            let mut bench = Bench::new(&["ENG"], behaving(FullBackup::Stalls));
            assert_eq!(follow(&mut bench), from);
            if !bench.run(Some(Death { at, done }), |_| false) {
                // A server that is quicker this time takes fewer looks.
                assert!(bench.job.state().is_over(), "{what}");
                continue;
            }
            assert!(bench.taken_up(), "{what}");
            // Before the cancel was on the disk, it was not given.
            if !bench.job.is_cancelling() && !bench.job.state().is_over() {
                bench.feed(JobEvent::Cancel);
            }
            bench.run(None, |_| false);
            assert_eq!(bench.job.state(), JobState::Cancelled, "{what}");
            assert_eq!(bench.asked("PUT", "/cancel"), 1, "{what}");
            bench.assert_told(&what);
        }
    }
}

#[test]
fn a_backup_killed_at_each_step_goes_on_and_the_server_is_asked_once() {
    let mut calm = Bench::new(&["ENG"], options());
    calm.ends();
    assert!(calm.steps > 20, "{}", calm.steps);
    for at in 0..calm.steps {
        for done in [false, true] {
            let what = format!("{at} {done}");
            let mut bench = Bench::new(&["ENG"], options());
            bench.feed(JobEvent::Begin);
            if !bench.run(Some(Death { at, done }), |_| false) {
                // A server that is quicker this time takes fewer looks.
                assert!(bench.job.state().is_over(), "{what}");
                continue;
            }
            if !bench.taken_up() {
                assert_eq!(bench.asked("POST", "/backup/space"), 0, "{what}");
                continue;
            }
            bench.run(None, |_| false);
            let lines = bench.job.lines();
            assert_eq!(bench.job.state(), JobState::Done, "{what}: {lines:?}");
            assert_eq!(bench.asked("POST", "/backup/space"), 1, "{what}");
            let copies = bench.copies();
            assert_eq!(copies.len(), 1, "{what}");
            let told = backups::verify(&bench.folders.backups, &copies[0].0);
            assert!(told.is_some_and(|it| it.is_ok()), "{what}");
            bench.assert_told(&what);
        }
    }
}

#[test]
fn an_answer_that_is_lost_is_looked_for_and_nothing_is_asked_twice() {
    for (fault, asked) in [(Fault::AppliedThenLost, 1), (Fault::Dropped, 2)] {
        let mut bench = Bench::new(&["ENG"], options());
        let route = "POST /rest/api/backup-restore/backup/space";
        bench.server.faults().add(Rule::new(route, fault));
        bench.ends();
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert_eq!(bench.asked("POST", "/backup/space"), asked);
        assert_eq!(bench.copies().len(), 1);
        bench.assert_told("lost");
    }
}

#[test]
fn a_download_that_is_cut_goes_on_where_it_was_cut() {
    let mut bench = Bench::new(&["ENG"], options());
    let route = "GET /rest/api/backup-restore/jobs/*/download";
    let faults = bench.server.faults();
    faults.add(Rule::new(route, Fault::CutShort).times(2));
    bench.ends();
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert!(bench.asked("GET", "/download") >= 3);
}

/// A finished job of the server, and its file.
fn finished(bench: &Bench) -> (u64, Vec<u8>, Resume) {
    let call = Call::BackUpSpace {
        key: coracle::confluence::SpaceKey::new("ENG"),
        prefix: "x".to_owned(),
    };
    let Ok(Reply::BackupJob(job)) = bench.send(&call) else {
        panic!("a job");
    };
    for _ in 0..10_000 {
        let Ok(Reply::BackupJob(now)) = bench.send(&Call::BackupJob { id: job.id }) else {
            panic!("a job");
        };
        if now.is_over() {
            break;
        }
    }
    let home = bench.folder("whole");
    std::fs::create_dir_all(&home).expect("a folder");
    let Ok(Reply::Downloaded(whole)) = bench.send(&download(job.id, "whole", None)) else {
        panic!("a file");
    };
    let bytes = std::fs::read(home.join(ZIP)).expect("the file");
    assert_eq!(whole.bytes, bytes.len() as u64);
    assert_eq!(whole.sha256, Some(Digest::of(&bytes).to_string()));
    (job.id, bytes, whole.resume.expect("the server gives parts"))
}

fn download(id: u64, backup: &str, resume: Option<Resume>) -> Call {
    Call::DownloadBackup {
        id,
        into: LocalFile {
            backup: backup.to_owned(),
            name: ZIP.to_owned(),
        },
        resume,
    }
}

#[test]
fn what_has_arrived_is_not_asked_for_again_and_what_changed_is() {
    let bench = Bench::new(&["ENG"], options());
    let (id, bytes, resume) = finished(&bench);
    let part = |name: &str| {
        let folder = bench.folder(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder.join("space.zip.part")
    };
    let sent = |name: &str, resume| match bench.send(&download(id, name, resume)) {
        Ok(Reply::Downloaded(now)) => now,
        other => panic!("{other:?}"),
    };
    std::fs::write(part("same"), &bytes[..1_000]).expect("a part");
    let whole = sent("same", Some(resume.clone()));
    assert_eq!(whole.sha256, Some(Digest::of(&bytes).to_string()));
    assert!(!part("same").exists(), "it has its name");

    // The same length of something else: only the tag tells.
    std::fs::write(part("changed"), &bytes[..1_000]).expect("a part");
    let other = Resume {
        tag: Some("\"another\"".to_owned()),
        ..resume.clone()
    };
    let whole = sent("changed", Some(other));
    assert_eq!(whole.sha256, Some(Digest::of(&bytes).to_string()));

    // Another length: begun anew.
    std::fs::write(part("longer"), &bytes[..1_000]).expect("a part");
    let other = Resume {
        tag: None,
        total: resume.total + 1,
    };
    let again = sent("longer", Some(other));
    assert_eq!((again.bytes, again.resume), (0, None));
    let whole = sent("longer", None);
    assert_eq!(whole.sha256, Some(Digest::of(&bytes).to_string()));

    // Whole already: the server is not asked.
    let before = bench.asked("GET", "/download");
    assert_eq!(sent("longer", None).sha256, whole.sha256);
    assert_eq!(bench.asked("GET", "/download"), before);
}

#[test]
fn a_disk_that_takes_no_more_lets_the_job_wait_and_go_on() {
    let mut bench = Bench::new(&["ENG"], options());
    bench.feed(JobEvent::Begin);
    bench.run(None, |bench| {
        let waits = bench.requests.front();
        matches!(waits, Some((_, Call::DownloadBackup { .. })))
    });
    let (name, _) = folder_of(&bench.folders.backups);
    let folder = bench.folder(&name);
    // Something is in the way of the file.
    std::fs::create_dir(folder.join("space.zip.part")).expect("in the way");
    bench.run(None, |_| false);
    let trouble = bench.job.trouble().expect("it waits").to_owned();
    assert_eq!(bench.job.state(), JobState::Paused);
    assert!(trouble.contains("space.zip.part"), "{trouble}");
    std::fs::remove_dir(folder.join("space.zip.part")).expect("out of the way");
    bench.feed(JobEvent::Resume);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
}

#[test]
fn a_look_through_the_file_is_given_up_with_its_job() {
    let looks = |bench: &Bench| {
        let waits = bench.writes.front();
        matches!(waits, Some((_, JobWrite::CheckZip { .. })))
    };
    let mut bench = Bench::new(&["ENG"], options());
    bench.feed(JobEvent::Begin);
    bench.run(None, looks);
    bench.feed(JobEvent::Cancel);
    assert!(!looks(&bench), "nobody waits for it");
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    bench.assert_told("given up");

    let (mut bench, file) = with_a_backup(options());
    bench.deletes_the_space();
    bench.restores(&file).feed(JobEvent::Begin);
    bench.run(None, looks);
    bench.feed(JobEvent::Cancel);
    assert!(!looks(&bench), "nobody waits for it");
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    assert_eq!(bench.asked("POST", "/upload"), 0);
}

#[test]
fn what_arrives_and_what_is_sent_tells_how_far_it_is() {
    let large = Options {
        seed: Seed::Text(WIKI.replace("200000", "5000000")),
        ..options()
    };
    let (mut bench, file) = with_a_backup(large);
    bench.deletes_the_space();
    let (name, manifest) = bench.copies().remove(0);
    let of_server = manifest.server_file.as_ref().expect("of the server");
    let place = LocalFile {
        backup: name,
        name: ZIP.to_owned(),
    };
    let whole = bench.folder(&place.backup).join(ZIP);
    std::fs::copy(&whole, bench.folders.backups.join("copy.zip")).expect("a copy");
    std::fs::remove_file(&whole).expect("removed");
    let heard = |call: &Call| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&told);
        let tell: Tell = Arc::new(move |done, total| {
            hears.lock().expect("nobody panics").push((done, total));
        });
        let sent = bench.moves.send_telling(&bench.client, call, |_| {}, tell);
        bench.runtime.block_on(sent).outcome.expect("it is done");
        told.lock().expect("nobody panics").clone()
    };
    let resume = Resume {
        tag: None,
        total: file.bytes(),
    };
    let mut arriving = download(of_server.job, &place.backup, Some(resume));
    if let Call::DownloadBackup { into, .. } = &mut arriving {
        into.clone_from(&place);
    }
    for told in [heard(&arriving), heard(&Call::UploadBackup { from: place })] {
        assert!(told.len() >= 3, "{told:?}");
        let is_so = |(done, total): &(u64, u64)| done <= total && *total == file.bytes();
        assert!(told.is_sorted() && told.iter().all(is_so), "{told:?}");
    }

    bench.job = Job::restore_from_backup(head(Act::RestoreFromBackup, &["ENG"], Vec::new()), file);
    bench.feed(JobEvent::Begin);
    let done = JobEvent::Moved {
        done: 1_200_000,
        total: 4_800_000,
    };
    bench.feed(done);
    let progress = bench.job.progress();
    assert!(
        progress.message.ends_with(", 1.2 MB of 4.8 MB"),
        "{}",
        progress.message
    );
    assert_eq!(progress.part, 25);
}

fn folder_of(backups: &Path) -> (String, PathBuf) {
    let mut entries = std::fs::read_dir(backups).expect("the backups");
    let entry = entries.next().expect("one").expect("an entry");
    (
        entry.file_name().to_string_lossy().into_owned(),
        entry.path(),
    )
}

#[test]
fn an_upload_brings_a_deleted_space_back() {
    let bench = Bench::new(&["ENG"], options());
    let (_, bytes, _) = finished(&bench);
    let upload = || Call::UploadBackup {
        from: LocalFile {
            backup: "whole".to_owned(),
            name: ZIP.to_owned(),
        },
    };
    let key = || coracle::confluence::SpaceKey::new("ENG");
    let gone = bench.send(&Call::DeleteSpace { key: key() });
    assert!(gone.is_ok(), "{gone:?}");
    let space = || {
        bench.send(&Call::Space {
            key: key(),
            expand: String::new(),
        })
    };
    for _ in 0..10 {
        let _ = space();
    }
    assert_eq!(space().expect_err("gone").kind, ErrorKind::NotFound);
    let Ok(Reply::BackupJob(job)) = bench.send(&upload()) else {
        panic!("a job");
    };
    for _ in 0..10_000 {
        match bench.send(&Call::BackupJob { id: job.id }) {
            Ok(Reply::BackupJob(now)) if now.is_over() => break,
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(space().is_ok(), "{} bytes", bytes.len());
    // What is no file is not sent.
    std::fs::remove_file(bench.folder("whole").join(ZIP)).expect("removed");
    let refused = bench.send(&upload()).expect_err("nothing to send");
    assert_eq!(refused.kind, ErrorKind::Storage);
    assert!(!refused.may_have_been_applied());
}

#[test]
fn a_manifest_of_an_older_program_names_no_file_of_the_server() {
    let mut bench = Bench::new(&["ENG"], options());
    bench.ends();
    let (name, manifest) = bench.copies().remove(0);
    let path = bench.folder(&name).join(MANIFEST);
    let text = std::fs::read_to_string(path).expect("the manifest");
    let mut value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    value
        .as_object_mut()
        .expect("an object")
        .remove("server_file");
    let older = Manifest::decode(value.to_string().as_bytes()).expect("it is read");
    assert_eq!(older.server_file, None);
    assert_eq!(older.files, manifest.files);
}

/// The file that a backup of ENG has left, and the bench with its server.
pub(crate) fn with_a_backup(options: Options) -> (Bench, SpaceFile) {
    let mut bench = Bench::new(&["ENG"], options);
    bench.ends();
    let (name, manifest) = bench.copies().remove(0);
    let file = SpaceFile::of(&name, &manifest).expect("of the server");
    (bench, file)
}

impl Bench {
    /// Turns to restoring the space, by a process of its own.
    pub(crate) fn restores(&mut self, file: &SpaceFile) -> &mut Self {
        let mut head = head(Act::RestoreFromBackup, &["ENG"], Vec::new());
        head.id = JobId::new("j2");
        self.job = Job::restore_from_backup(head, file.clone());
        self.checkpoint = None;
        self.journal.clear();
        self.scribe = Scribe::new(Chain::default());
        self.steps = 0;
        self
    }

    pub(crate) fn deletes_the_space(&mut self) {
        let key = coracle::confluence::SpaceKey::new("ENG");
        let gone = self.send(&Call::DeleteSpace { key: key.clone() });
        assert!(gone.is_ok(), "{gone:?}");
        for _ in 0..20 {
            let call = Call::Space {
                key: key.clone(),
                expand: String::new(),
            };
            if self.send(&call).is_err() {
                return;
            }
        }
        panic!("it is still there");
    }
}

#[test]
fn a_deleted_space_is_restored_and_held_against_what_the_backup_knew() {
    let (mut bench, file) = with_a_backup(options());
    bench.deletes_the_space();
    bench.restores(&file).ends();
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let Outcome::Done(Some(note)) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    assert_eq!(
        note,
        "2 pages, 1 blog post, 1 in the trash, 2 files, as the backup has it."
    );
    bench.assert_told("restored");
}

#[test]
fn a_space_is_not_restored_while_one_of_its_key_is_there() {
    let (mut bench, file) = with_a_backup(options());
    bench.restores(&file).ends();
    assert_eq!(bench.job.state(), JobState::Failed);
    assert!(bench.why().contains("ENG already"), "{}", bench.why());
    assert_eq!(bench.asked("POST", "/upload"), 0);
}

#[test]
fn a_restore_that_is_refused_fails_or_does_half_is_told() {
    let cases = [
        (
            FullRestore::Forbidden,
            JobState::Failed,
            "site administrator",
        ),
        (FullRestore::Fails, JobState::Failed, "Out of memory"),
        (
            FullRestore::Half,
            JobState::Failed,
            "differs from the backup",
        ),
        (FullRestore::Stalls, JobState::Unknown, "has not moved"),
    ];
    for (full_restore, state, words) in cases {
        let (mut bench, file) = with_a_backup(options());
        bench.deletes_the_space();
        bench.server.behave(|it| it.full_restore = full_restore);
        bench.restores(&file).ends();
        assert_eq!(bench.job.state(), state, "{full_restore:?}");
        assert!(
            bench.why().contains(words),
            "{full_restore:?}: {}",
            bench.why()
        );
        bench.assert_told(words);
    }
}

/// What the server's file lacks of attached files comes back by name alone.
#[test]
fn files_without_their_bytes_are_told_with_the_backup_and_with_the_restore() {
    for full_backup in [FullBackup::WithoutFiles, FullBackup::Works] {
        let (mut bench, file) = with_a_backup(behaving(full_backup));
        let (_, manifest) = bench.copies().remove(0);
        let hollow = manifest.server_file.map(|it| it.hollow);
        bench.deletes_the_space();
        bench.restores(&file).ends();
        if full_backup == FullBackup::Works {
            assert_eq!(hollow, Some(0));
            assert!(matches!(bench.outcome(), Outcome::Done(_)));
            continue;
        }
        assert_eq!(hollow, Some(2));
        let words = "the contents of 2 files are not in the server's file";
        assert!(bench.why().contains(words), "{}", bench.why());
    }
}

/// The server's file has what no list had shown.
#[test]
fn more_than_the_lists_had_shown_is_no_difference() {
    let (mut bench, _) = with_a_backup(options());
    let (name, mut manifest) = bench.copies().remove(0);
    if let Some(file) = &mut manifest.server_file {
        file.pages -= 1;
    }
    let place = bench.folders.backups.join(&name).join("manifest.json");
    std::fs::write(place, manifest.encode()).expect("because it may be written");
    let file = SpaceFile::of(&name, &manifest).expect("of the server");
    bench.deletes_the_space();
    bench.restores(&file).ends();
    let Outcome::Done(Some(note)) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    let words = "More than the lists showed before the backup: pages 1.";
    assert!(note.contains(words), "{note}");
}

#[test]
fn a_backup_that_was_changed_is_not_sent() {
    let (mut bench, file) = with_a_backup(options());
    bench.deletes_the_space();
    let (name, _) = bench.copies().remove(0);
    let path = bench.folder(&name).join(ZIP);
    let mut bytes = std::fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("changed");
    bench.restores(&file).ends();
    assert!(bench.why().contains("nothing was sent"), "{}", bench.why());
    assert!(bench.why().contains("another copy"), "{}", bench.why());
    assert_eq!(bench.asked("POST", "/upload"), 0);
}

#[test]
fn a_restore_killed_at_each_step_ends_with_the_space_there_once() {
    let (mut calm, file) = with_a_backup(options());
    calm.deletes_the_space();
    calm.restores(&file).ends();
    for at in 0..calm.steps {
        for done in [false, true] {
            let what = format!("{at} {done}");
            let (mut bench, file) = with_a_backup(options());
            bench.deletes_the_space();
            bench.restores(&file).feed(JobEvent::Begin);
            if !bench.run(Some(Death { at, done }), |_| false) {
                // A server that is quicker this time takes fewer looks.
                assert!(bench.job.state().is_over(), "{what}");
                continue;
            }
            if !bench.taken_up() {
                assert_eq!(bench.asked("POST", "/upload"), 0, "{what}");
                continue;
            }
            bench.run(None, |_| false);
            let lines = bench.job.lines();
            assert_eq!(bench.job.state(), JobState::Done, "{what}: {lines:?}");
            assert_eq!(bench.asked("POST", "/upload"), 1, "{what}");
            bench.assert_told(&what);
        }
    }
}

#[test]
fn an_upload_whose_answer_is_lost_is_found_again_by_its_job() {
    for (fault, asked) in [(Fault::AppliedThenLost, 1), (Fault::Dropped, 2)] {
        let (mut bench, file) = with_a_backup(options());
        bench.deletes_the_space();
        let route = "POST /rest/api/backup-restore/restore/space/upload";
        bench.server.faults().add(Rule::new(route, fault));
        bench.restores(&file).ends();
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert_eq!(bench.asked("POST", "/upload"), asked);
        bench.assert_told("lost");
    }
}

impl Bench {
    /// About to delete ENG, after these backups.
    pub(crate) fn deletes(server: BackupChoice, backup: BackupChoice, options: Options) -> Self {
        let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
        let consent = agree(Challenge::new(head.target.clone()));
        let how = DeleteOptions {
            server,
            backup,
            on_failure: OnFailure::Stop,
        };
        let job = Job::delete_spaces(head, consent, how).expect("agreed to");
        Self::of(job, options)
    }

    pub(crate) fn has_space(&self) -> bool {
        let call = Call::Space {
            key: coracle::confluence::SpaceKey::new("ENG"),
            expand: String::new(),
        };
        self.send(&call).is_ok()
    }

    pub(crate) fn decides(&mut self, decision: Decision) -> &mut Self {
        self.feed(JobEvent::Decide(decision));
        self.run(None, |_| false);
        self
    }
}

#[test]
fn a_space_is_deleted_after_the_server_wrote_it_out_and_can_be_had_back() {
    for backup in [Save, Declined] {
        let mut bench = Bench::deletes(Save, backup, options());
        bench.ends();
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert!(!bench.has_space());
        let (name, manifest) = bench.copies().remove(0);
        let file = SpaceFile::of(&name, &manifest).expect("of the server");
        let all = backups::list(&bench.folders.backups).expect("the backups");
        assert_eq!(all.len(), if backup == Save { 2 } else { 1 });
        bench.assert_told("deleted");
        bench.restores(&file).ends();
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert!(bench.has_space());
    }
}

#[test]
fn a_server_backup_that_fails_never_turns_into_a_deletion_without_it() {
    for behaviour in [
        FullBackup::Forbidden,
        FullBackup::SwitchedOff,
        FullBackup::Busy,
        FullBackup::Fails,
        FullBackup::OtherSpace,
        FullBackup::Broken,
        FullBackup::NoFile,
        FullBackup::Stalls,
    ] {
        let mut bench = Bench::deletes(Save, Save, behaving(behaviour));
        bench.ends();
        let Some(Question::ServerBackup { why, changed, .. }) = bench.job.question() else {
            panic!("{behaviour:?}: {:?}", bench.job.lines());
        };
        assert!(!why.is_empty() && changed.is_empty(), "{behaviour:?}");
        assert_eq!(bench.asked("DELETE", ""), 0, "{behaviour:?}");
        bench.decides(Decision::Stop);
        assert!(bench.job.state().is_over(), "{behaviour:?}");
        assert_eq!(bench.asked("DELETE", ""), 0, "{behaviour:?}");
        bench.assert_told("stopped");
    }
    // Nothing of its file ever arrives, or never to its end.
    for fault in [Fault::Dropped, Fault::CutShort, Fault::DroppedMidBody] {
        let mut bench = Bench::deletes(Save, Save, options());
        let route = "GET /rest/api/backup-restore/jobs/*/download";
        let rule = Rule::new(route, fault.clone()).always();
        bench.server.faults().add(rule);
        bench.ends();
        let question = bench.job.question();
        assert!(
            matches!(question, Some(Question::ServerBackup { .. })),
            "{fault:?}: {:?}",
            bench.job.lines()
        );
        assert_eq!(bench.asked("DELETE", ""), 0, "{fault:?}");
    }
    // Gone on without it, by its person; and once more, where it works by then.
    let mut bench = Bench::deletes(Save, Save, behaving(FullBackup::Fails));
    bench.ends().decides(Decision::GoOn);
    // The local backup lacks nothing that would have to be asked about.
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert_eq!(bench.copies(), []);
    let mut bench = Bench::deletes(Save, Declined, behaving(FullBackup::Fails));
    bench.ends();
    bench.server.behave(|it| it.full_backup = FullBackup::Works);
    bench.decides(Decision::Again);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert_eq!(bench.copies().len(), 1);
}

#[test]
fn what_changed_since_the_server_wrote_it_out_halts_the_deletion_and_is_shown() {
    for backup in [Save, Declined] {
        let mut bench = Bench::deletes(Save, backup, options());
        bench.feed(JobEvent::Begin);
        bench.run(None, |bench| {
            let waits = bench.requests.front();
            matches!(waits, Some((_, Call::DownloadBackup { .. })))
        });
        let made = bench.send(&Call::CreateContent {
            space: coracle::confluence::SpaceKey::new("ENG"),
            kind: coracle::confluence::ContentKind::Page,
            title: ServerText::new("Late"),
            parent: None,
            storage: "<p>late</p>".to_owned(),
        });
        assert!(made.is_ok(), "{made:?}");
        bench.run(None, |_| false);
        let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
            panic!("{:?} {:?}", bench.job.lines(), bench.job.progress());
        };
        assert_eq!(changed, &["Late"]);
        assert_eq!(bench.asked("DELETE", ""), 0);
        bench.decides(Decision::Again);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert!(!bench.has_space());
    }
}

#[test]
fn a_deletion_killed_at_each_step_has_its_server_backup_or_the_space_is_there() {
    let mut calm = Bench::deletes(Save, Declined, options());
    calm.ends();
    for at in 0..calm.steps {
        for done in [false, true] {
            let what = format!("{at} {done}");
            let mut bench = Bench::deletes(Save, Declined, options());
            bench.feed(JobEvent::Begin);
            if !bench.run(Some(Death { at, done }), |_| false) {
                // A server that is quicker this time takes fewer looks.
                assert!(bench.job.state().is_over(), "{what}");
                continue;
            }
            if !bench.taken_up() {
                assert!(bench.has_space(), "{what}");
                continue;
            }
            bench.run(None, |_| false);
            let lines = bench.job.lines();
            assert!(
                matches!(bench.job.state(), JobState::Done | JobState::Unknown),
                "{what}: {lines:?} {:?}",
                bench.job.question()
            );
            assert!(bench.asked("POST", "/backup/space") <= 1, "{what}");
            assert!(bench.asked("DELETE", "/space/ENG") <= 1, "{what}");
            if !bench.has_space() {
                assert_eq!(bench.copies().len(), 1, "{what}");
            }
            bench.assert_told(&what);
        }
    }
}

#[test]
fn a_space_is_deleted_and_brought_back_from_the_keyboard() {
    let mut visit = Visit::new(Seed::Text(WIKI.to_owned()));
    visit.server.behave(|it| {
        it.deletion_looks = 1;
        it.job_looks = 1;
    });
    visit.sees("2 of 2").keys("D");
    visit.sees("2 pages · 1 blog post · 1 in trash");
    visit.sees("downloaded and checked");
    visit.keys("ENG").sees("to delete it:  ENG");
    visit.terminal.agrees("\r", "Type ");
    visit.sees("Delete ENG: done");
    visit.keys("B").sees("KIND").keys("j");
    visit.sees("written out by the server").keys("R");
    visit.sees("Restore ENG from its backup").agrees();
    visit.sees("as the backup has it");
    visit.leave();
}

#[test]
fn a_list_of_backups_that_is_open_follows_one_that_is_being_made() {
    let mut visit = Visit::new(Seed::Text(WIKI.to_owned()));
    visit
        .server
        .behave(|it| it.full_backup = FullBackup::Stalls);
    visit.sees("2 of 2").keys("b").sees("Back up ENG");
    visit.sees("1 in trash").sees("last change").agrees();
    visit.sees("1 job").keys("B").sees("being made");
    assert!(!visit.terminal.contents().contains("is missing"));
    visit.server.behave(|it| it.full_backup = FullBackup::Works);
    visit.sees("when made").sees("written out by the server");
    visit.keys("q");
    // One that is refused has left nothing, and that is no fault of the others.
    visit
        .server
        .behave(|it| it.full_backup = FullBackup::Forbidden);
    visit.keys("b").sees("Back up ENG");
    visit.sees("1 in trash").sees("last change").agrees();
    visit
        .sees("failed")
        .keys("B")
        .sees("nothing was saved in it");
    visit.keys("q");
    visit.leave();
}

#[test]
fn what_a_deletion_has_done_is_told_before_it_goes_on() {
    let mut bench = Bench::deletes(Save, Declined, options());
    bench.feed(JobEvent::Begin);
    let mut told = Vec::new();
    let mut at = 0;
    loop {
        at += 1;
        let before = bench.steps;
        bench.run(None, |bench| bench.steps > before);
        let now = bench.job.done_so_far();
        if told.last() != Some(&now) {
            told.push(now);
        }
        if bench.job.state().is_over() || at > 5_000 {
            break;
        }
        let is_sent = bench.asked("DELETE", "/space/ENG") > 0;
        assert!(
            is_sent || bench.job.progress().sent == 0,
            "nothing of the deletion is sent"
        );
    }
    let words: Vec<String> = told.into_iter().flatten().collect();
    let parts = [
        "was asked to write it out already",
        "has written it out already",
        "is here already",
        "was sent already",
    ];
    let found = parts.map(|part| words.iter().position(|it| it.contains(part)));
    assert!(found.is_sorted() && !found.contains(&None), "{words:?}");
}

#[test]
fn to_go_on_without_the_server_is_kept_over_a_kill() {
    let mut bench = Bench::deletes(Save, Save, behaving(FullBackup::Fails));
    bench.ends();
    bench.feed(JobEvent::Decide(Decision::GoOn));
    bench.run(None, |bench| {
        let waits = bench.requests.front();
        matches!(waits, Some((_, Call::SpaceContentOfKind { .. })))
    });
    assert!(bench.taken_up());
    let told = bench.job.done_so_far().unwrap_or_default();
    assert!(told.contains("as you chose"), "{told}");
    bench.run(None, |_| false);
    assert_eq!(bench.job.question(), None, "the local backup lacks nothing");
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert_eq!(bench.asked("POST", "/backup/space"), 1);
}
