//! What a job stands on, changed under it: files of its backup, its checkpoint, the process itself.
//!
//! The job machines run against the model of a server of the simulation. Where it is about files, those
//! are real ones in a folder of the test.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use coracle::app::message::{DiskCall, DiskReply};
use coracle::confluence::*;
use coracle::jobs::backup::{self, MANIFEST, Manifest};
use coracle::jobs::journal::{Chain, Phase, Reached, Record, Scribe};
use coracle::jobs::proof::{Claim, Claimed, Index, Standing};
use coracle::jobs::*;
use coracle::shell::disk::perform;
use coracle::shell::folders::{Folders, JournalAccess};
use coracle::shell::holds::Holds;
use serde_json::Value;

use crate::dialogs::Desk;
use crate::machines;
use crate::simulation::{
    Dice, Disk, Doc, SCENARIOS, Server, agree, brought, checked, doc, head, job, session, time,
    wiki,
};
use crate::story::{self, Story};

/// Looks whether backups stand and hold what is claimed, as a disk does whose files are these.
pub(crate) fn prove(
    claim: &Claim,
    read: &dyn Fn(&str, &str) -> Option<Vec<u8>>,
) -> Result<Stored, StoreError> {
    let refused = |message: String| StoreError { message };
    let mut indexes = Vec::new();
    for backup in &claim.backups {
        let manifest = read(backup, MANIFEST).ok_or_else(|| refused("No manifest.".to_owned()))?;
        let told = |error: backup::BackupError| refused(error.to_string());
        let manifest = Manifest::decode(&manifest).map_err(told)?;
        manifest.verify(|name| read(backup, name)).map_err(told)?;
        let mut index = Index::default();
        for file in manifest.files.iter().filter(|file| file.items > 0) {
            let bytes = read(backup, &file.name).unwrap_or_default();
            for item in backup::unpack(&file.name, &bytes).map_err(told)? {
                index.add(&item, 0);
            }
        }
        let number = |name: &str| read(backup, name).map(|_| 0);
        index.finish(number).map_err(refused)?;
        indexes.push(index);
    }
    let is_in = |item, space: Option<&SpaceKey>| {
        let found = indexes.iter().map(|index| index.find(item, space));
        found.flatten().next().is_some()
    };
    let lacking = match &claim.items {
        Claimed::One { item, space } => u64::from(!is_in(*item, space.as_ref())),
        Claimed::All(items) => items.iter().filter(|it| !is_in(**it, None)).count() as u64,
    };
    Ok(Stored::Standing(match lacking {
        0 => Standing::Holds,
        lacking => Standing::Lacks(lacking),
    }))
}

/// A checkpoint of a job that destroys, with another page's id in it and the title kept; any other
/// checkpoint as it is.
pub(crate) fn meddled_checkpoint(text: &str, ids: &[&String], dice: &mut Dice) -> String {
    let mut job: Value = serde_json::from_str(text).expect("a checkpoint");
    let act = job["head"]["target"]["act"].as_str().unwrap_or_default();
    if !act.starts_with("purge") || ids.is_empty() {
        return text.to_owned();
    }
    let id = ids[dice.below(ids.len() as u64) as usize];
    let count = job["desk"]["lines"].as_array().map_or(0, Vec::len);
    if count == 0 {
        return text.to_owned();
    }
    let at = dice.below(count as u64) as usize;
    let also_agreed_to = dice.percent(50);
    let line = &mut job["desk"]["lines"][at];
    if line["outcome"].is_null() {
        line["subject"] = Value::from(id.as_str());
        if also_agreed_to && job["head"]["target"]["items"][at].is_object() {
            job["head"]["target"]["items"][at]["id"] = Value::from(id.as_str());
        }
    }
    job.to_string()
}

/// When the process dies: at the write to disk of this number, before or after it.
#[derive(Clone, Copy, Debug)]
struct Death {
    at: usize,
    /// Whether that write reached the disk.
    written: bool,
    /// Whether requests that were on the line reached the server.
    arrived: bool,
}

/// A job with a server and a disk that do one thing after the other.
struct Course {
    server: Server,
    disk: Disk,
    job: Job,
    scribe: Scribe<WriteNo>,
    requests: VecDeque<(RequestNo, Call)>,
    writes: VecDeque<(WriteNo, JobWrite)>,
    at: u64,
    /// Writes to disk so far.
    written: usize,
    /// Whether what was asked last is answered first.
    last_first: bool,
}

impl Course {
    fn new(scenario: u64, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut server = wiki(&mut dice);
        let mut disk = Disk::default();
        let job = job(scenario, &mut server, &mut disk, &mut dice);
        Self {
            server,
            disk,
            job,
            scribe: Scribe::new(Chain::default()),
            requests: VecDeque::new(),
            writes: VecDeque::new(),
            at: 0,
            written: 0,
            last_first: false,
        }
    }

    fn feed(&mut self, event: JobEvent) {
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
                JobEffect::GiveUpWrite { .. } => {}
            }
        }
    }

    /// Runs to the end, or to the death of the process; says whether that came.
    fn run(&mut self, death: Option<Death>) -> bool {
        for _ in 0..4_000 {
            if let Some(line) = self.scribe.next_line(time(), &session()) {
                if self.dies(death) {
                    if death.is_some_and(|death| death.written) {
                        self.disk.journal.push(line);
                    }
                    return true;
                }
                self.disk.journal.push(line);
                for write in self.scribe.written(Reached::Yes) {
                    let outcome = Ok(Stored::Done);
                    self.feed(JobEvent::Written { write, outcome });
                }
            } else if let Some((write, what)) = self.writes.pop_front() {
                let is_write =
                    matches!(what, JobWrite::Checkpoint(_) | JobWrite::BackupFile { .. });
                if is_write && self.dies(death) {
                    if death.is_some_and(|death| death.written) {
                        self.write(what).expect("it takes it");
                    }
                    return true;
                }
                let outcome = self.write(what);
                self.feed(JobEvent::Written { write, outcome });
            } else if let Some((request, call)) = self.next_request() {
                let outcome = self.server.serve(&call);
                let brought = brought(&self.server, &call, &outcome);
                self.disk.files.extend(brought);
                self.feed(JobEvent::Reply { request, outcome });
            } else if let Some(question) = self.job.question() {
                let decision = match question {
                    Question::TitleCollision { .. } => Decision::Rename,
                    Question::NotSaved { .. } | Question::ServerBackup { .. } => Decision::LeaveOut,
                    Question::Unlisted { .. }
                    | Question::Losses { .. }
                    | Question::CameLater { .. } => Decision::GoOn,
                    Question::SpaceChanged { .. } => Decision::KeepMine,
                };
                self.feed(JobEvent::Decide(decision));
            } else if self.job.state().is_over() {
                return false;
            } else if let Some(deadline) = self.job.deadline() {
                self.at = self.at.max(deadline);
                self.feed(JobEvent::Tick);
            } else {
                panic!(
                    "stuck while {:?}: {:?} {:?}",
                    self.job.state(),
                    self.job.trouble(),
                    self.job.lines()
                );
            }
        }
        panic!("no end: {:?}", self.job.progress());
    }

    fn next_request(&mut self) -> Option<(RequestNo, Call)> {
        if self.last_first {
            self.requests.pop_back()
        } else {
            self.requests.pop_front()
        }
    }

    fn dies(&mut self, death: Option<Death>) -> bool {
        let at = self.written;
        self.written += 1;
        death.is_some_and(|death| death.at == at)
    }

    fn write(&mut self, what: JobWrite) -> Result<Stored, StoreError> {
        match what {
            JobWrite::Checkpoint(text) => {
                self.disk.checkpoint = Some(text);
                Ok(Stored::Done)
            }
            JobWrite::BackupFile {
                backup,
                name,
                bytes,
            } => {
                let saved = self.disk.save((backup, name), bytes.to_vec());
                saved.map(|()| Stored::Done)
            }
            JobWrite::ReadBack { backup, name } => {
                let bytes = self.disk.files.get(&(backup, name)).cloned();
                bytes.map(Stored::Bytes).ok_or_else(|| StoreError {
                    message: "It is gone.".to_owned(),
                })
            }
            JobWrite::Prove(claim) => prove(&claim, &|backup, name| {
                let place = (backup.to_owned(), name.to_owned());
                self.disk.files.get(&place).cloned()
            }),
            JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
            JobWrite::CheckFile { backup, file } => {
                let place = (backup, file.name.clone());
                checked(&file, self.disk.files.get(&place).map(Vec::as_slice))
            }
            JobWrite::Journal(_)
            | JobWrite::MakeFolder { .. }
            | JobWrite::CheckRoom { .. }
            | JobWrite::Hold { .. }
            | JobWrite::Release { .. } => Ok(Stored::Done),
        }
    }

    /// The process is gone. What was on the line may have arrived.
    fn die(&mut self, death: Death) {
        for (_, call) in std::mem::take(&mut self.requests) {
            if death.arrived && !call.is_read() {
                let _ = self.server.serve(&call);
            }
        }
        self.writes.clear();
        self.at = 0;
    }

    /// The next process takes up what it finds; `false`: there is nothing.
    fn take_up(&mut self) -> bool {
        let stored = self.disk.checkpoint.clone();
        let read = ledger::read(&self.disk.journal, stored.as_deref(), 10).expect("it is whole");
        self.scribe = Scribe::new(read.verified.chain);
        let Some(text) = stored else {
            return false;
        };
        self.job = Job::reopen(&text, &read.needed).expect("a job");
        self.job.take_up(session()).expect("nobody moved");
        if let Some(challenge) = self.job.challenge() {
            self.job.agree(agree(challenge)).expect("agreed to");
        }
        self.feed(JobEvent::Resume);
        true
    }

    /// The spaces that are told to be neither deleted nor there.
    fn unknown(&self) -> BTreeSet<String> {
        let lines = self.job.lines().iter();
        lines
            .filter(|line| matches!(line.outcome, Some(Outcome::Unknown(_))))
            .map(|line| line.subject.to_string())
            .collect()
    }
}

/// One job, killed once and taken up again; how many writes to disk it makes undisturbed.
fn killed(scenario: u64, seed: u64, death: Option<Death>) -> usize {
    let mut calm = Course::new(scenario, seed);
    calm.feed(JobEvent::Begin);
    calm.run(None);
    let Some(death) = death else {
        return calm.written;
    };
    let what = format!("scenario {scenario}, seed {seed}, {death:?}");
    let mut course = Course::new(scenario, seed);
    course.feed(JobEvent::Begin);
    assert!(course.run(Some(death)), "{what}: it lived");
    course.die(death);
    // What was begun by one process arrives in another order in the next.
    course.last_first = true;
    if course.take_up() {
        course.run(None);
    } else {
        assert_eq!(course.disk.journal, [""; 0], "{what}: nothing was begun");
        let before = Course::new(scenario, seed);
        assert_eq!(course.disk.files, before.disk.files, "{what}");
        assert_eq!(course.server.digest(), before.server.digest(), "{what}");
        return calm.written;
    }
    let unknown = course.unknown();
    if course.job.head().target.act == Act::DeleteSpaces && !unknown.is_empty() {
        // Nobody can tell a server that is deleting from one that never heard.
        assert_eq!(course.job.state(), JobState::Unknown, "{what}");
        return calm.written;
    }
    let lines = course.job.lines();
    let halted = course.job.halted();
    assert_eq!(
        course.job.state(),
        calm.job.state(),
        "{what}: {lines:?} {halted:?}"
    );
    assert_eq!(
        course.server.digest(),
        calm.server.digest(),
        "{what}: {lines:?}"
    );
    for line in &course.disk.journal {
        let record: Record = serde_json::from_str(line).expect("a line");
        let told = course.disk.journal.iter().rev().find_map(|line| {
            let other: Record = serde_json::from_str(line).ok()?;
            (other.no == record.no).then_some(other.outcome)
        });
        assert_ne!(told, Some(Phase::Intended), "{what}: left open: {line}");
    }
    calm.written
}

#[test]
fn every_job_killed_at_each_write_to_disk_is_taken_up_and_ends_as_if_undisturbed() {
    std::thread::scope(|scope| {
        for scenario in 0..SCENARIOS {
            scope.spawn(move || {
                for seed in [1, 7, 12] {
                    for at in 0..killed(scenario, seed, None) {
                        for (written, arrived) in
                            [(false, false), (true, false), (false, true), (true, true)]
                        {
                            let death = Death {
                                at,
                                written,
                                arrived,
                            };
                            killed(scenario, seed, Some(death));
                        }
                    }
                }
            });
        }
    });
}

/// A purge of marked items, one by one, with real files in a folder of the test.
struct OnDisk {
    course: Course,
    folders: Folders,
    holds: Holds,
    _home: tempfile::TempDir,
}

impl OnDisk {
    fn purge(count: usize) -> Self {
        let mut server = machines::wiki();
        server.docs.clear();
        let mut items = Vec::new();
        for n in 0..count {
            let id = format!("{}", 100 + n);
            let mut doc = doc("ENG", &format!("Page {n}"), ContentStatus::Trashed);
            // One backup, and files that are not tiny.
            doc.storage = "<p>text</p>".repeat(50 + n);
            server.docs.insert(id.clone(), doc);
            items.push(ItemTarget {
                id: ContentId::new(id),
                kind: ContentKind::Page,
                title: format!("Page {n}"),
                version: Some(1),
                space: Some(SpaceKey::new("ENG")),
            });
        }
        let head = head(Act::PurgeMarked, &[], items);
        let consent = agree(Challenge::new(head.target.clone()));
        let job = Job::purge_marked(head, consent).expect("agreed to");
        Self::of(job, server)
    }

    fn of(job: Job, server: Server) -> Self {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = |name: &str| home.path().join(name);
        let folders = Folders {
            profile: folder("profile"),
            backups: folder("backups"),
            plans: folder("plans"),
            exports: folder("exports"),
            locks: Vec::new(),
        };
        let mut course = Course::new(0, 0);
        course.server = server;
        course.job = job;
        course.feed(JobEvent::Begin);
        Self {
            course,
            folders,
            holds: Holds::default(),
            _home: home,
        }
    }

    /// Goes on until so many are purged, or to the end.
    fn until_purged(&mut self, count: usize) -> &mut Self {
        let before = self.course.server.docs.len();
        for _ in 0..10_000 {
            let is_over = self.course.job.state().is_over() && self.course.writes.is_empty();
            if before - self.course.server.docs.len() >= count || is_over {
                return self;
            }
            if let Some(line) = self.course.scribe.next_line(time(), &session()) {
                self.course.disk.journal.push(line);
                for write in self.course.scribe.written(Reached::Yes) {
                    let outcome = Ok(Stored::Done);
                    self.course.feed(JobEvent::Written { write, outcome });
                }
            } else if let Some((write, what)) = self.course.writes.pop_front() {
                let outcome = self.disk(what);
                self.course.feed(JobEvent::Written { write, outcome });
            } else if let Some((request, call)) = self.course.requests.pop_front() {
                let outcome = self.course.server.serve(&call);
                self.course.feed(JobEvent::Reply { request, outcome });
            } else if let Some(deadline) = self.course.job.deadline() {
                self.course.at = self.course.at.max(deadline);
                self.course.feed(JobEvent::Tick);
            } else {
                panic!("stuck: {:?}", self.course.job.trouble());
            }
        }
        panic!("no end: {:?}", self.course.job.progress());
    }

    fn ends(&mut self) -> &mut Self {
        self.until_purged(usize::MAX)
    }

    fn disk(&mut self, what: JobWrite) -> Result<Stored, StoreError> {
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
            JobWrite::Prove(claim) => DiskCall::ProveBackups(claim),
            JobWrite::MakeFolder { backup } => DiskCall::MakeBackup { backup },
            JobWrite::CheckRoom { bytes, .. } => DiskCall::CheckRoom { bytes },
            JobWrite::CheckFile { backup, file } => DiskCall::CheckFile { backup, file },
            JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
            JobWrite::Hold { backup } => DiskCall::HoldBackup { backup },
            JobWrite::Release { backup } => DiskCall::ReleaseBackup { backup },
            JobWrite::Checkpoint(text) => {
                self.course.disk.checkpoint = Some(text.clone());
                DiskCall::WriteState {
                    name: "job-j1.json".to_owned(),
                    text,
                }
            }
            JobWrite::Journal(_) => return Ok(Stored::Done),
        };
        let answer = perform(&self.folders, JournalAccess::Write, &mut self.holds, &call);
        match answer {
            Ok(DiskReply::Bytes(Some(bytes))) => Ok(Stored::Bytes(bytes)),
            Ok(DiskReply::Standing(standing)) => Ok(Stored::Standing(standing)),
            Ok(_) => Ok(Stored::Done),
            Err(error) => Err(StoreError {
                message: error.message,
            }),
        }
    }

    /// Another process takes the job up.
    fn taken_up(&mut self) -> &mut Self {
        self.holds = Holds::default();
        self.course.requests.clear();
        self.course.writes.clear();
        assert!(self.course.take_up());
        self
    }

    fn left(&self) -> usize {
        self.course.server.docs.len()
    }

    fn folder(&self) -> PathBuf {
        self.folders.backups.join("j1")
    }

    /// It ended early, or left the rest alone, and said why.
    fn ended_early(&self, what: &str, why: &str) {
        let job = &self.course.job;
        let left = job.lines().iter().filter_map(|line| match &line.outcome {
            Some(Outcome::Skipped(told) | Outcome::NotTried(told)) => Some(told),
            _ => None,
        });
        let left: Vec<&String> = left.collect();
        assert_eq!(left.len(), self.left(), "{what}: {:?}", job.lines());
        assert!(!left.is_empty(), "{what}");
        for told in left {
            assert!(told.contains(why), "{what}: {told}");
        }
        if let Some(told) = job.halted() {
            assert_eq!(job.state(), JobState::Failed, "{what}");
            assert!(told.contains("Begin again"), "{what}: {told}");
        }
    }

    fn remove(&self) -> Result<DiskReply, coracle::app::message::DiskError> {
        let call = DiskCall::RemoveBackup {
            backup: "j1".to_owned(),
        };
        // Locks of one process do not keep it from itself: another one has its own.
        let mut theirs = Holds::default();
        perform(&self.folders, JournalAccess::Write, &mut theirs, &call)
    }
}

fn items_file(folder: &Path) -> PathBuf {
    folder.join("items-0001.ndjson.gz")
}

#[test]
fn a_purge_ends_at_once_when_its_backup_is_changed_cut_replaced_or_removed() {
    type Meddle = fn(&Path);
    let ways: [(&str, Meddle, &str); 6] = [
        (
            "the folder is gone",
            |folder| std::fs::remove_dir_all(folder).expect("removed"),
            "not there any more",
        ),
        (
            "a file is gone",
            |folder| std::fs::remove_file(items_file(folder)).expect("removed"),
            "is missing",
        ),
        (
            "one byte differs",
            |folder| {
                let mut bytes = std::fs::read(items_file(folder)).expect("there");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(items_file(folder), bytes).expect("written");
            },
            "is not what was written",
        ),
        (
            "it is cut",
            |folder| {
                let bytes = std::fs::read(items_file(folder)).expect("there");
                std::fs::write(items_file(folder), &bytes[..bytes.len() - 1]).expect("written");
            },
            "is not what was written",
        ),
        (
            "a link is in its place",
            |folder| {
                let aside = folder.with_file_name("aside");
                std::fs::rename(items_file(folder), &aside).expect("moved");
                std::os::unix::fs::symlink(&aside, items_file(folder)).expect("linked");
            },
            "something else",
        ),
        (
            "the manifest names less",
            |folder| {
                let path = folder.join(MANIFEST);
                let text = std::fs::read_to_string(&path).expect("there");
                let mut manifest: Value = serde_json::from_str(&text).expect("whole");
                manifest["items"] = Value::from(0);
                manifest["files"] = Value::from(Vec::<Value>::new());
                std::fs::write(path, manifest.to_string()).expect("written");
            },
            "not in the backup",
        ),
    ];
    for (what, meddle, why) in ways {
        let mut purge = OnDisk::purge(12);
        purge.until_purged(1);
        let left = purge.left();
        meddle(&purge.folder());
        purge.ends();
        // What was on the line when it happened has arrived.
        assert!(left - purge.left() < 8, "{what}: {left}, {}", purge.left());
        purge.ended_early(what, why);
    }
}

#[test]
fn a_file_that_was_only_touched_is_read_again_and_the_purge_goes_on() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    let file = items_file(&purge.folder());
    let bytes = std::fs::read(&file).expect("there");
    std::fs::write(&file, bytes).expect("written");
    purge.ends();
    assert_eq!(purge.left(), 0);
    assert_eq!(purge.course.job.state(), JobState::Done);
}

#[test]
fn a_backup_that_a_job_stands_on_is_not_removed_by_another_process() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    let error = purge.remove().expect_err("it is held");
    let me = format!("process {}", std::process::id());
    assert!(error.message.contains(&me), "{error}");
    assert!(items_file(&purge.folder()).exists());
    purge.ends();
    assert_eq!(purge.left(), 0);
    let mut names: Vec<String> = std::fs::read_dir(purge.folder())
        .expect("there")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("plain")
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["items-0001.ndjson.gz", MANIFEST],
        "the lock is gone"
    );
    purge.remove().expect("nobody stands on it any more");
    assert!(!purge.folder().exists());
}

/// The process at work is killed: its locks are gone, and the file of its job is all that tells.
#[test]
fn a_backup_that_a_killed_job_stands_on_is_not_removed_by_a_window_of_any_profile() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    purge.holds = Holds::default();
    let is_kept = |purge: &OnDisk, profile: &str| {
        let mut folders = purge.folders.clone();
        folders.profile = purge.folders.profile.with_file_name(profile);
        for call in [
            DiskCall::AskRemoval {
                backup: "j1".to_owned(),
            },
            DiskCall::RemoveBackup {
                backup: "j1".to_owned(),
            },
        ] {
            let mut theirs = Holds::default();
            let error = perform(&folders, JournalAccess::Write, &mut theirs, &call)
                .expect_err("a job needs it");
            let told = error.message;
            assert!(told.contains("is not over and may need it"), "{told}");
            assert!(told.contains(&purge.course.job.head().title), "{told}");
        }
        assert!(items_file(&purge.folder()).exists());
    };
    is_kept(&purge, "profile");
    is_kept(&purge, "another");
    purge.taken_up().ends();
    assert_eq!(purge.left(), 0);
    purge.remove().expect("the job is over");
    assert!(!purge.folder().exists());
}

/// Whatever is stored of a job that is not over, what it needs is held at that moment: so whoever
/// has the lock of a backup for himself and finds nothing stored may remove it.
#[test]
fn no_job_is_stored_before_it_holds_the_backup_that_it_needs() {
    for scenario in 0..SCENARIOS {
        let mut course = Course::new(scenario, 1);
        let reads = course.job.source().map(|source| source.backup);
        let mut held: BTreeSet<String> = BTreeSet::new();
        course.feed(JobEvent::Begin);
        for _ in 0..40 {
            // The last that was asked for is done first, so nothing rests on their order.
            let Some((write, what)) = course.writes.pop_back() else {
                let Some((request, call)) = course.next_request() else {
                    break;
                };
                let outcome = course.server.serve(&call);
                course.feed(JobEvent::Reply { request, outcome });
                continue;
            };
            match &what {
                JobWrite::Hold { backup } | JobWrite::BackupFile { backup, .. } => {
                    held.insert(backup.clone());
                }
                JobWrite::Release { backup } => {
                    held.remove(backup);
                }
                JobWrite::Checkpoint(text) if !course.job.state().is_over() => {
                    if let Some(backup) = &reads {
                        assert!(held.contains(backup), "{scenario}: {backup}");
                    }
                    let file = format!("job-{}.json", course.job.head().id);
                    for backup in &held {
                        let need = needs::need(&file, Some(text), backup);
                        assert!(need.is_some(), "{scenario}: {backup}");
                        assert!(course.job.may_need(backup), "{scenario}: {backup}");
                    }
                }
                _ => {}
            }
            let outcome = course.write(what);
            course.feed(JobEvent::Written { write, outcome });
        }
    }
}

/// The backup was removed while the plan was looked at: nothing stood on it yet, and nothing does.
#[test]
fn a_job_whose_backup_is_gone_when_it_begins_ends_and_is_stored_as_ended_alone() {
    let reads = |scenario: &u64| Course::new(*scenario, 1).job.source().is_some();
    let scenarios: Vec<u64> = (0..SCENARIOS).filter(reads).collect();
    assert!(!scenarios.is_empty());
    for scenario in scenarios {
        let mut course = Course::new(scenario, 1);
        course.feed(JobEvent::Begin);
        for _ in 0..100 {
            let Some((write, what)) = course.writes.pop_front() else {
                break;
            };
            let outcome = match what {
                JobWrite::Hold { .. } => Ok(Stored::Gone),
                JobWrite::Checkpoint(text) => {
                    let stored: Value = serde_json::from_str(&text).expect("a job");
                    assert_eq!(stored["state"], "failed");
                    Ok(Stored::Done)
                }
                other => course.write(other),
            };
            course.feed(JobEvent::Written { write, outcome });
        }
        assert_eq!(course.job.state(), JobState::Failed);
        let why = course.job.halted().expect("it says why");
        assert!(why.contains("not there any more"), "{why}");
        assert!(course.requests.is_empty(), "nothing was asked or sent");
    }
}

/// A removal that is cut short has taken the manifest first: nobody holds what is left.
#[test]
fn what_is_left_of_a_backup_that_was_being_removed_is_not_held() {
    let mut purge = OnDisk::purge(2);
    purge.ends();
    let hold = |purge: &OnDisk| {
        let call = DiskCall::HoldBackup {
            backup: "j1".to_owned(),
        };
        let mut holds = Holds::default();
        perform(&purge.folders, JournalAccess::Write, &mut holds, &call).expect("it is looked at")
    };
    assert_eq!(hold(&purge), DiskReply::Written);
    std::fs::remove_file(purge.folder().join(MANIFEST)).expect("removed");
    assert_eq!(hold(&purge), DiskReply::Gone);
    std::fs::remove_dir_all(purge.folder()).expect("removed");
    assert_eq!(hold(&purge), DiskReply::Gone);
}

#[test]
fn a_process_that_is_read_only_removes_no_backup() {
    let mut purge = OnDisk::purge(2);
    purge.ends();
    let call = DiskCall::RemoveBackup {
        backup: "j1".to_owned(),
    };
    let mut holds = Holds::default();
    let error = perform(&purge.folders, JournalAccess::ReadOnly, &mut holds, &call)
        .expect_err("it is read-only");
    assert!(error.message.contains("read-only"), "{error}");
    assert!(items_file(&purge.folder()).exists());
}

#[test]
fn a_job_that_is_taken_up_reads_its_whole_backup_first() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    let left = purge.left();
    let file = items_file(&purge.folder());
    let mut bytes = std::fs::read(&file).expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("written");
    purge.taken_up().ends();
    assert_eq!(purge.left(), left);
    assert_eq!(purge.course.job.state(), JobState::Failed);
}

/// The answer to a purge is lost and the program dies; when the job is taken up its backup is spoilt. What
/// became of that purge is learned all the same.
#[test]
fn a_job_that_ends_early_still_learns_what_became_of_its_last_write() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    std::fs::remove_file(items_file(&purge.folder())).expect("removed");
    let is_open = |purge: &OnDisk| {
        let mut open = BTreeSet::new();
        for line in &purge.course.disk.journal {
            let record: Record = serde_json::from_str(line).expect("a line");
            match record.outcome {
                Phase::Intended => open.insert(record.no),
                _ => open.remove(&record.no),
            };
        }
        !open.is_empty()
    };
    assert!(is_open(&purge), "a purge is on the line");
    purge.taken_up().ends();
    assert_eq!(purge.course.job.state(), JobState::Failed);
    assert!(!is_open(&purge), "{:#?}", purge.course.disk.journal);
}

/// A checkpoint with another page's id at an open item: that page stays where it is.
#[test]
fn another_pages_id_in_a_checkpoint_purges_nothing_that_is_not_saved() {
    for trashed in [true, false] {
        let mut purge = OnDisk::purge(12);
        let status = if trashed {
            ContentStatus::Trashed
        } else {
            ContentStatus::Current
        };
        let mut other = doc("ENG", "Another page", status);
        other.storage = "<p>in no backup</p>".to_owned();
        purge.course.server.docs.insert("666".to_owned(), other);
        purge.until_purged(2);
        let text = purge.course.disk.checkpoint.clone().expect("stored");
        let mut job: Value = serde_json::from_str(&text).expect("a job");
        let lines = job["desk"]["lines"].as_array_mut().expect("lines");
        let last = lines.len() - 1;
        assert!(lines[last]["outcome"].is_null(), "it is open");
        lines[last]["subject"] = Value::from("666");
        job["head"]["target"]["items"][last]["id"] = Value::from("666");
        purge.course.disk.checkpoint = Some(job.to_string());
        purge.taken_up().ends();
        assert!(purge.course.server.docs.contains_key("666"), "{trashed}");
        assert_eq!(purge.left(), 2, "it, and the one it stood for");
    }
}

/// The same, and the title is the other page's too.
#[test]
fn a_page_that_is_in_no_backup_is_not_purged_under_its_own_title_either() {
    let mut purge = OnDisk::purge(12);
    let other = doc("ENG", "Another page", ContentStatus::Trashed);
    purge.course.server.docs.insert("666".to_owned(), other);
    purge.until_purged(2);
    let text = purge.course.disk.checkpoint.clone().expect("stored");
    let mut job: Value = serde_json::from_str(&text).expect("a job");
    let last = job["desk"]["lines"].as_array().expect("lines").len() - 1;
    job["desk"]["lines"][last]["subject"] = Value::from("666");
    job["desk"]["lines"][last]["title"] = Value::from("Another page");
    job["head"]["target"]["items"][last]["id"] = Value::from("666");
    job["work"]["Purge"]["targets"][last]["saved"] = Value::from(1);
    purge.course.disk.checkpoint = Some(job.to_string());
    purge.taken_up().ends();
    assert!(purge.course.server.docs.contains_key("666"));
    let last = purge.course.job.lines().last().cloned().expect("a line");
    assert!(
        matches!(&last.outcome, Some(Outcome::Skipped(why)) if why.contains("not in the backup")),
        "{last:?}"
    );
}

/// The purge of a whole trash names no item in the journal. Killed at each of its writes, with another
/// page's id, or another line twice, in the checkpoint: no page that is there is said to be purged, and
/// the journal does not say that a trash was purged that was not.
#[test]
fn a_purge_of_a_whole_trash_tells_of_no_page_that_a_checkpoint_alone_names() {
    let mut unknown = 0;
    for (seed, twice) in (0..12).flat_map(|seed| [(seed, false), (seed, true)]) {
        for at in 0..killed(2, seed, None) {
            let death = Death {
                at,
                written: at % 2 == 0,
                arrived: true,
            };
            let mut course = Course::new(2, seed);
            course.feed(JobEvent::Begin);
            assert!(course.run(Some(death)));
            course.die(death);
            let Some(text) = course.disk.checkpoint.clone() else {
                continue;
            };
            let mut job: Value = serde_json::from_str(&text).expect("a job");
            let lines = job["desk"]["lines"].as_array_mut().expect("lines");
            let is_open = |line: &&mut Value| line["outcome"].is_null();
            let first = lines.first().cloned();
            for line in lines.iter_mut().filter(is_open) {
                match &first {
                    Some(first) if twice => line["subject"] = first["subject"].clone(),
                    _ => line["subject"] = Value::from("300"),
                }
            }
            course.disk.checkpoint = Some(job.to_string());
            assert!(course.take_up());
            course.run(None);
            let what = format!("seed {seed}, {death:?}, twice {twice}");
            for line in course.job.lines() {
                let is_told = matches!(line.outcome, Some(Outcome::Done(_)));
                let is_there = course.server.docs.contains_key(&*line.subject);
                assert!(!is_told || !is_there, "{what}: {line:?}");
            }
            let trashed = |doc: &Doc| doc.space == "ENG" && doc.status == ContentStatus::Trashed;
            let left = course.server.docs.values().filter(|doc| trashed(doc));
            if left.count() > 0 {
                let line = |line: &String| serde_json::from_str::<Record>(line).ok();
                let is_purged = |record: Record| {
                    record.step == Step::PurgeTrash && record.outcome == Phase::Done
                };
                let journal = &course.disk.journal;
                assert!(!journal.iter().filter_map(line).any(is_purged), "{what}");
            }
            unknown += usize::from(course.job.state() == JobState::Unknown);
        }
    }
    assert!(
        unknown > 4,
        "{unknown} were killed after the trash was purged"
    );
}

/// What is named like a job and is none hides no job and keeps none from being begun.
#[test]
fn what_is_no_job_is_left_aside_by_its_name() {
    let mut purge = OnDisk::purge(12);
    purge.until_purged(2);
    let stored = purge.course.disk.checkpoint.clone().expect("stored");
    let mut desk = Desk::of(Story::start(120, 40));
    for (name, text) in [
        ("job-j1.json", stored.as_str()),
        ("job-j1-copy.json", stored.as_str()),
        ("job-none.json", "{}"),
    ] {
        desk.files.insert(name.to_owned(), text.to_owned());
    }
    let link = "job-link.json".to_owned();
    desk.unreadable
        .insert(link, "It is a link, not a file.".to_owned());
    desk.work(&story::wiki);
    let model = &desk.story.model;
    let told = |part: &str| {
        let log = model.log.iter().map(|it| it.line.text.as_str());
        assert!(
            log.clone().any(|text| text.contains(part)),
            "{part}: {:?}",
            log.collect::<Vec<_>>()
        );
    };
    told("job-j1-copy.json is left aside. It is a copy");
    told("job-none.json is left aside. This is not a job");
    told("job-link.json is left aside. It is a link, not a file.");
    let names = model.jobs.list.iter().map(|it| it.job.head().id.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["j1"]);
    assert_eq!(model.why_read_only(), None);
}

/// A list without jobs is no list of which nothing is known.
#[test]
fn a_list_of_jobs_does_not_say_that_there_are_none_where_a_file_or_the_journal_was_not_read() {
    for (width, height) in [(120, 40), (80, 24)] {
        let says = |story: &Story, text: &str| {
            let screen = story.screen();
            let words = screen.replace(['│', '╭', '╮', '╰', '╯', '─'], " ");
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(text), "no {text}\n{screen}");
        };
        let mut desk = Desk::of(Story::start(width, height));
        for name in ["job-none.json", "job-other.json"] {
            desk.files.insert(name.to_owned(), "{}".to_owned());
        }
        desk.work(&story::wiki);
        desk.keys("J");
        says(&desk.story, "No other jobs. job-none.json is left aside.");
        says(&desk.story, "1 file more; L shows them.");
        let mut story = Story::browsing(width, height);
        story.keys("J");
        says(&story, "No jobs yet.");
        story.model.jobs.journal =
            coracle::app::jobs::Journal::Closed("It is broken at line 2.".to_owned());
        says(
            &story,
            "It is not known which jobs there are. It is broken at line 2.",
        );
    }
}
