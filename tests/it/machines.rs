//! The job machines, one answer at a time: what they do when the server is vague.
//!
//! The server is the model of the simulation; each test says what it answers otherwise.

use std::collections::HashMap;

use coracle::confluence::*;
use coracle::jobs::backup;
use coracle::jobs::journal::{Chain, Phase, Reached, Record, Scribe};
use coracle::jobs::*;

use crate::meddling::prove;
use crate::simulation::{
    Lists, Server, agree, brought, checked, doc, downloaded, fail, head, is_for_whole_items,
    missing, session, time,
};

/// A job with a server, a disk and a clock.
pub(crate) struct Bench {
    pub(crate) job: Job,
    pub(crate) server: Server,
    at: u64,
    pub(crate) sent: Vec<Call>,
    requests: Vec<(RequestNo, Call)>,
    writes: Vec<(WriteNo, JobWrite)>,
    scribe: Scribe<WriteNo>,
    pub(crate) journal: Vec<String>,
    checkpoint: String,
    pub(crate) files: HashMap<(String, String), Vec<u8>>,
}

/// What the server answers instead of what the model would.
pub(crate) type Otherwise<'a> =
    &'a mut dyn FnMut(&mut Server, &Call, u64) -> Option<Result<Reply, ApiError>>;

impl Bench {
    pub(crate) fn new(job: Job, server: Server) -> Self {
        Self {
            job,
            server,
            at: 0,
            sent: Vec::new(),
            requests: Vec::new(),
            writes: Vec::new(),
            scribe: Scribe::new(Chain::default()),
            journal: Vec::new(),
            checkpoint: String::new(),
            files: HashMap::new(),
        }
    }

    pub(crate) fn feed(&mut self, event: JobEvent) {
        for effect in self.job.step(self.at, event) {
            match effect {
                JobEffect::Send { request, call } => self.requests.push((request, call)),
                JobEffect::Write {
                    write,
                    what: JobWrite::Journal(record),
                } => self.scribe.push(write, *record),
                JobEffect::Write { write, what } => self.writes.push((write, what)),
                JobEffect::Ask(_) => {}
                JobEffect::GiveUp { request } => {
                    self.requests.retain(|(other, _)| *other != request);
                }
                JobEffect::GiveUpWrite { .. } => {}
            }
        }
    }

    fn disk(&mut self) -> bool {
        if let Some(line) = self.scribe.next_line(time(), &session()) {
            self.journal.push(line);
            for write in self.scribe.written(Reached::Yes) {
                self.feed(JobEvent::Written {
                    write,
                    outcome: Ok(Stored::Done),
                });
            }
            return true;
        }
        let Some((write, what)) = self.writes.pop() else {
            return false;
        };
        let outcome = match what {
            JobWrite::Checkpoint(text) => {
                self.checkpoint = text;
                Ok(Stored::Done)
            }
            JobWrite::BackupFile {
                backup,
                name,
                bytes,
            } => {
                self.files.insert((backup, name), bytes.to_vec());
                Ok(Stored::Done)
            }
            JobWrite::ReadBack { backup, name } => {
                Ok(Stored::Bytes(self.files[&(backup, name)].clone()))
            }
            JobWrite::Prove(claim) => prove(&claim, &|backup, name| {
                let place = (backup.to_owned(), name.to_owned());
                self.files.get(&place).cloned()
            }),
            JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
            JobWrite::CheckFile { backup, file } => {
                let place = (backup, file.name.clone());
                checked(&file, self.files.get(&place).map(Vec::as_slice))
            }
            JobWrite::Journal(_)
            | JobWrite::MakeFolder { .. }
            | JobWrite::CheckRoom { .. }
            | JobWrite::Hold { .. }
            | JobWrite::Release { .. } => Ok(Stored::Done),
        };
        self.feed(JobEvent::Written { write, outcome });
        true
    }

    /// Goes on until the job is over, asks, or `until` says so.
    pub(crate) fn run(&mut self, otherwise: Otherwise<'_>, until: impl Fn(&Self) -> bool) {
        self.feed(JobEvent::Begin);
        for _ in 0..2_000 {
            if self.disk() {
                continue;
            }
            if until(self) || self.job.state().is_over() || self.job.question().is_some() {
                return;
            }
            if self.requests.is_empty() {
                let deadline = self.job.deadline();
                self.at = deadline.unwrap_or_else(|| {
                    let state = self.job.state();
                    panic!("stuck while {state:?}: {:?}", self.job.lines());
                });
                self.feed(JobEvent::Tick);
                continue;
            }
            let (request, call) = self.requests.remove(0);
            self.sent.push(call.clone());
            let outcome = otherwise(&mut self.server, &call, self.at)
                .unwrap_or_else(|| self.server.serve(&call));
            self.files.extend(brought(&self.server, &call, &outcome));
            self.feed(JobEvent::Reply { request, outcome });
        }
        panic!("no end: {:?}", self.job.progress());
    }

    pub(crate) fn finish(&mut self, otherwise: Otherwise<'_>) {
        self.run(otherwise, |_| false);
        assert!(self.job.state().is_over(), "{:?}", self.job.question());
    }

    /// The process dies and the job is loaded again.
    pub(crate) fn kill(&mut self) {
        let stored = Some(self.checkpoint.as_str());
        let read = ledger::read(&self.journal, stored, 10).expect("the journal is whole");
        self.scribe = Scribe::new(read.verified.chain);
        self.requests.clear();
        self.writes.clear();
        self.at = 0;
        self.job = Job::reopen(&self.checkpoint, &read.needed).expect("it was stored");
        self.job.take_up(session()).expect("nobody moved");
        if let Some(challenge) = self.job.challenge() {
            self.job.agree(agree(challenge)).expect("agreed to");
        }
    }

    /// Whether the job has a checkpoint to be loaded from.
    pub(crate) fn is_stored(&self) -> bool {
        !self.checkpoint.is_empty()
    }

    pub(crate) fn count(&self, is: impl Fn(&Call) -> bool) -> usize {
        self.sent.iter().filter(|call| is(call)).count()
    }

    fn deletions(&self) -> usize {
        self.count(|call| matches!(call, Call::DeleteSpace { .. }))
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        let lines = self.job.lines().iter();
        lines.filter_map(|line| line.outcome.clone()).collect()
    }

    /// How the last write of this step ended, by the journal.
    pub(crate) fn told(&self, step: Step) -> Phase {
        let mut records = self.journal.iter().rev().filter_map(|line| {
            let record: Record = serde_json::from_str(line).ok()?;
            (record.step == step).then_some(record.outcome)
        });
        records.next().expect("it was journaled")
    }
}

pub(crate) fn wiki() -> Server {
    let docs = [
        ("100", doc("ENG", "One", ContentStatus::Trashed)),
        ("101", doc("ENG", "Two", ContentStatus::Trashed)),
        ("200", doc("ENG", "Alive", ContentStatus::Current)),
    ];
    let docs = docs.map(|(id, doc)| (id.to_owned(), doc)).into();
    Server::with(docs, Lists::Bare)
}

pub(crate) fn deletion(backup: BackupChoice) -> Bench {
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup,
        on_failure: OnFailure::Stop,
    };
    let job = Job::delete_spaces(head, consent, options).expect("agreed to");
    Bench::new(job, wiki())
}

pub(crate) fn purge_all() -> Bench {
    let head = head(Act::PurgeAll, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    Bench::new(Job::purge_all(head, consent).expect("agreed to"), wiki())
}

pub(crate) fn purge_marked() -> Bench {
    let items = [("100", "One"), ("101", "Two")].map(|(id, title)| ItemTarget {
        id: ContentId::new(id),
        kind: ContentKind::Page,
        title: title.into(),
        version: None,
        space: Some(SpaceKey::new("ENG")),
    });
    let head = head(Act::PurgeMarked, &[], items.into());
    let consent = agree(Challenge::new(head.target.clone()));
    Bench::new(Job::purge_marked(head, consent).expect("agreed to"), wiki())
}

/// A whole trash of so many pages, numbered from 100, beside so many that are current, from 001.
fn purge_of(trashed: usize, current: usize) -> Bench {
    let mut bench = purge_all();
    bench.server.docs.clear();
    for n in 0..trashed {
        let page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        bench.server.docs.insert(format!("{}", 100 + n), page);
    }
    for n in 1..=current {
        let page = doc("ENG", &format!("Alive {n}"), ContentStatus::Current);
        bench.server.docs.insert(format!("{n:03}"), page);
    }
    bench
}

/// Somebody takes this out of the trash.
fn take_out(server: &mut Server, id: &str) {
    let doc = server.docs.get_mut(id).expect("it is there");
    doc.status = ContentStatus::Current;
    doc.version += 1;
}

/// Whether the ids of what is current are asked for.
fn lists_ids(call: &Call) -> bool {
    matches!(call, Call::SpaceContentOfKind { expand, .. } if expand.is_empty())
}

/// Whether it is asked for one item among what is current.
fn asks_for_one(call: &Call) -> bool {
    matches!(call, Call::Content { status: None, .. })
}

pub(crate) fn lost() -> Result<Reply, ApiError> {
    Err(fail(ErrorKind::Timeout, 0))
}

#[test]
fn a_deletion_whose_answer_is_lost_is_not_sent_again_while_the_space_is_there() {
    let mut bench = deletion(BackupChoice::Declined);
    bench.finish(&mut |_, call, _| match call {
        Call::DeleteSpace { .. } => Some(lost()),
        _ => None,
    });
    assert_eq!(bench.deletions(), 1);
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert_eq!(bench.told(Step::Delete), Phase::Unknown);
}

#[test]
fn a_space_that_the_list_of_spaces_still_shows_is_not_told_as_deleted() {
    let mut bench = deletion(BackupChoice::Declined);
    let other = bench.server.rooms["ENG"].clone();
    for key in ["A", "B", "C"] {
        bench.server.rooms.insert(key.into(), other.clone());
    }
    let mut was_sent = false;
    bench.finish(&mut |server, call, _| match call {
        Call::DeleteSpace { .. } => {
            was_sent = true;
            Some(lost())
        }
        Call::Space { .. } if was_sent => Some(Err(missing())),
        Call::Spaces { filter, window, .. } if !filter.keys.is_empty() => {
            let keys = filter.keys.clone();
            let rooms = server.rooms.clone();
            server
                .rooms
                .retain(|key, _| keys.iter().any(|it| it.as_str() == key));
            let answer = server.serve(&Call::Spaces {
                filter: call::SpacesFilter::default(),
                expand: String::new(),
                window: *window,
            });
            server.rooms = rooms;
            Some(answer)
        }
        _ => None,
    });
    assert_eq!(bench.deletions(), 1);
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert_eq!(bench.told(Step::Delete), Phase::Unknown);
}

#[test]
fn an_answer_that_names_no_task_is_no_deletion() {
    let mut bench = deletion(BackupChoice::Declined);
    bench.finish(&mut |_, call, _| match call {
        Call::DeleteSpace { .. } => Some(Ok(Reply::Done)),
        _ => None,
    });
    assert_eq!(bench.deletions(), 1);
    assert_eq!(bench.job.state(), JobState::Unknown);

    let mut bench = deletion(BackupChoice::Declined);
    let other = bench.server.rooms["ENG"].clone();
    bench.server.rooms.insert("HR".into(), other);
    bench.finish(&mut |server, call, _| match call {
        Call::DeleteSpace { .. } => {
            server.rooms.remove("ENG");
            Some(Ok(Reply::Done))
        }
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Done);
    assert_eq!(bench.told(Step::Delete), Phase::Done);
}

#[test]
fn a_task_that_is_followed_is_followed_on_after_a_kill() {
    let mut bench = deletion(BackupChoice::Declined);
    let mut asked = 0;
    let mut slow = |server: &mut Server, call: &Call, _: u64| match call {
        Call::LongTask { id } => {
            asked += 1;
            if asked == 20 {
                server.rooms.clear();
            }
            let done = asked >= 20;
            Some(Ok(Reply::LongTask(LongTask {
                id: id.clone(),
                name: None,
                elapsed_ms: None,
                percentage: if done { 100 } else { 50 },
                successful: done,
                messages: Vec::new(),
            })))
        }
        Call::DeleteSpace { .. } => Some(Ok(Reply::LongTaskStarted(LongTaskId("t".into())))),
        _ => None,
    };
    bench.run(&mut slow, |bench| {
        bench.count(|call| matches!(call, Call::LongTask { .. })) == 3
    });
    bench.kill();
    bench.feed(JobEvent::Resume);
    bench.finish(&mut slow);
    assert_eq!(bench.deletions(), 1);
    assert_eq!(bench.job.state(), JobState::Done);
    assert_eq!(
        bench.count(|call| matches!(call, Call::LongTask { .. })),
        20
    );
}

#[test]
fn an_operation_that_is_refused_is_not_told_as_success() {
    let refused = || Some(Err(fail(ErrorKind::NoSuchOperation, 405)));
    let mut bench = deletion(BackupChoice::Declined);
    bench.finish(&mut |_, call, _| match call {
        Call::DeleteSpace { .. } => refused(),
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Failed);

    let mut bench = purge_marked();
    bench.finish(&mut |_, call, _| match call {
        Call::PurgeContent { .. } => refused(),
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Failed);
    let [Outcome::Failed(why), Outcome::Failed(_)] = &bench.outcomes()[..] else {
        panic!("{:?}", bench.outcomes());
    };
    assert!(why.contains("ask an administrator"), "{why}");
}

#[test]
fn a_sign_in_that_is_lost_ends_the_job_and_leaves_a_taken_write_in_doubt() {
    let mut bench = purge_marked();
    bench.finish(&mut |_, call, _| match call {
        Call::Content { expand, .. } if expand == "version,space" => {
            Some(Err(fail(ErrorKind::Anonymous, 404)))
        }
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Failed);
    let halted = bench.job.halted().unwrap_or_default();
    assert!(halted.contains("make a new token"), "{halted}");
    assert_eq!(bench.count(|call| !call.is_read()), 0);

    let mut bench = deletion(BackupChoice::Declined);
    bench.finish(&mut |_, call, _| match call {
        Call::DeleteSpace { .. } => Some(Err(fail(ErrorKind::Anonymous, 202))),
        Call::Space { .. } => Some(Err(fail(ErrorKind::Anonymous, 404))),
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert_eq!(bench.told(Step::Delete), Phase::Unknown);
}

#[test]
fn a_question_does_not_outlive_the_backup_it_was_about() {
    let mut bench = deletion(BackupChoice::Save);
    let mut unreadable = |_: &mut Server, call: &Call, _: u64| match call {
        Call::Content { id, .. } if id.as_str() == "200" => {
            Some(Err(fail(ErrorKind::Forbidden, 403)))
        }
        _ => None,
    };
    bench.run(&mut unreadable, |_| false);
    assert!(bench.job.question().is_some());
    bench.kill();
    assert_eq!(bench.job.question(), None);
    bench.feed(JobEvent::Resume);
    bench.run(&mut unreadable, |_| false);
    assert!(bench.job.question().is_some(), "it is asked anew");
    bench.feed(JobEvent::Decide(Decision::Stop));
    bench.finish(&mut unreadable);
    assert_eq!(bench.deletions(), 0);
}

/// The model's answer without any version.
fn versionless(server: &mut Server, call: &Call) -> Result<Reply, ApiError> {
    let mut answer = server.serve(call)?;
    match &mut answer {
        Reply::Content(content) => content.version = None,
        Reply::Contents(page) => page.results.iter_mut().for_each(|it| it.version = None),
        Reply::Trash(page) => page.results.iter_mut().for_each(|it| it.version = None),
        _ => {}
    }
    Ok(answer)
}

#[test]
fn an_unknown_version_does_not_count_as_unchanged() {
    let mut bench = purge_marked();
    bench.finish(&mut |server, call, _| call.is_read().then(|| versionless(server, call)));
    assert_eq!(bench.count(|call| !call.is_read()), 0);
    assert!(matches!(
        &bench.outcomes()[..],
        [Outcome::Skipped(_), Outcome::Skipped(_)]
    ));

    let mut bench = deletion(BackupChoice::Save);
    bench.finish(&mut |server, call, _| call.is_read().then(|| versionless(server, call)));
    assert_eq!(bench.deletions(), 0);
    assert!(matches!(&bench.outcomes()[..], [Outcome::NotSaved(_)]));
}

/// An older server, which lists trashed pages and blog posts alone.
fn old(server: &mut Server, call: &Call) -> Option<Result<Reply, ApiError>> {
    server.modern = false;
    match call {
        Call::TrashedContent {
            kind: ContentKind::Comment | ContentKind::Attachment,
            ..
        } => Some(Err(fail(ErrorKind::Invalid, 400))),
        _ => None,
    }
}

#[test]
fn a_space_is_not_deleted_unasked_when_some_of_its_trash_can_not_be_listed() {
    let asked = || {
        let mut bench = deletion(BackupChoice::Save);
        bench.run(&mut |server, call, _| old(server, call), |_| false);
        let Some(Question::Unlisted { space, kinds }) = bench.job.question() else {
            panic!("{:?}", bench.job.question());
        };
        assert_eq!(space.as_str(), "ENG");
        assert_eq!(kinds_in_words(kinds), "comments and attachments");
        assert_eq!(bench.deletions(), 0);
        bench
    };
    let mut bench = asked();
    bench.feed(JobEvent::Decide(Decision::GoOn));
    bench.finish(&mut |server, call, _| old(server, call));
    assert_eq!(bench.deletions(), 1);
    let [Outcome::Done(Some(note))] = &bench.outcomes()[..] else {
        panic!("{:?}", bench.outcomes());
    };
    assert!(note.contains("comments and attachments"), "{note}");

    for decision in [Decision::Stop, Decision::LeaveOut] {
        let mut bench = asked();
        bench.feed(JobEvent::Decide(decision));
        bench.finish(&mut |server, call, _| old(server, call));
        assert_eq!(bench.deletions(), 0);
        assert!(matches!(&bench.outcomes()[..], [Outcome::NotSaved(_)]));
        assert!(bench.server.rooms.contains_key("ENG"));
    }

    // A yes is for this run: after a kill it is asked anew.
    let mut bench = asked();
    bench.feed(JobEvent::Decide(Decision::GoOn));
    bench.disk();
    bench.kill();
    bench.feed(JobEvent::Resume);
    bench.run(&mut |server, call, _| old(server, call), |_| false);
    assert!(bench.job.question().is_some());
    assert_eq!(bench.deletions(), 0);
}

#[test]
fn what_could_not_be_listed_is_named() {
    let mut bench = purge_all();
    bench.finish(&mut |server, call, _| old(server, call));
    let whole = bench.count(|call| matches!(call, Call::PurgeTrash { .. }));
    assert_eq!(whole, 0, "a list by type is not the whole trash");
    let done = Outcome::Done(None);
    let [Outcome::Skipped(_), Outcome::Skipped(_), one, two] = &{
        let mut outcomes = bench.outcomes();
        outcomes.reverse();
        outcomes
    }[..] else {
        panic!("{:?}", bench.outcomes());
    };
    assert_eq!((one, two), (&done, &done));
}

#[test]
fn a_trash_that_is_purged_slowly_is_not_told_as_failed() {
    let mut bench = purge_all();
    let mut begun = None;
    bench.finish(&mut |server, call, at| match call {
        Call::PurgeTrash { .. } => {
            begun = Some(at);
            Some(lost())
        }
        Call::Trash { .. } if begun.is_some_and(|begun| at > begun + 60_000) => {
            // One was purged at last; the other somebody took out of the trash.
            server.docs.remove("100");
            if let Some(doc) = server.docs.get_mut("101") {
                doc.status = ContentStatus::Current;
            }
            None
        }
        _ => None,
    });
    assert_eq!(bench.told(Step::PurgeTrash), Phase::Done);
    assert!(
        matches!(
            &bench.outcomes()[..],
            [Outcome::Done(None), Outcome::Skipped(_)]
        ),
        "{:?}",
        bench.outcomes()
    );
    assert_eq!(
        bench.count(|call| matches!(call, Call::PurgeContent { .. })),
        0
    );
}

#[test]
fn a_trash_that_stays_is_left_unknown_and_purged_one_by_one() {
    let mut bench = purge_all();
    bench.finish(&mut |_, call, _| match call {
        Call::PurgeTrash { .. } => Some(lost()),
        _ => None,
    });
    assert_eq!(bench.told(Step::PurgeTrash), Phase::Unknown);
    assert_eq!(bench.outcomes(), [Outcome::Done(None), Outcome::Done(None)]);
}

#[test]
fn a_cancel_that_came_too_late_is_not_told_as_one() {
    // The last write is on its way: all is done when its answer has come.
    let mut bench = purge_marked();
    let purges = |bench: &Bench| bench.count(|call| matches!(call, Call::PurgeContent { .. }));
    bench.run(&mut |_, _, _| None, |bench| purges(bench) == 2);
    bench.feed(JobEvent::Cancel);
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.outcomes(), [Outcome::Done(None), Outcome::Done(None)]);
    assert_eq!(bench.job.state(), JobState::Done);
    assert!(bench.job.was_cancelled_too_late());
}

#[test]
fn whoever_cancels_waits_for_no_answer_but_of_a_write() {
    // A server may keep a read for as long as it likes: it asks for a wait of a day.
    let mut bench = purge_marked();
    bench.run(&mut |_, _, _| None, |bench| {
        bench.requests.iter().any(|(_, call)| call.is_read())
    });
    bench.feed(JobEvent::Cancel);
    bench.finish(&mut |_, call, _| panic!("{call:?} is still waited for"));
    assert_eq!(bench.job.state(), JobState::Cancelled);
}

#[test]
fn a_wait_that_the_server_did_not_ask_for_is_not_told_as_its_wish() {
    for (after_ms, told) in [
        (Some(12_000), "Waiting 12 s, the server asked for it."),
        (
            Some(86_400_000),
            "Asking again in 120 s, the server wanted a wait of 86,400 s.",
        ),
        (
            None,
            "Waiting 2 s, the server limits how often it may be asked.",
        ),
    ] {
        let mut bench = purge_marked();
        let kind = ErrorKind::RateLimited { after_ms };
        bench.run(
            &mut |_, call, _| {
                let is_purge = matches!(call, Call::PurgeContent { .. });
                is_purge.then(|| Err(fail(kind.clone(), 429)))
            },
            |bench| bench.job.waits_until().is_some() && bench.requests.is_empty(),
        );
        assert_eq!(bench.job.progress().message, told);
    }
}

#[test]
fn a_write_that_was_limited_is_held_and_looked_at_again() {
    let mut bench = purge_marked();
    let mut limited = Some(ErrorKind::RateLimited {
        after_ms: Some(12_000),
    });
    let is_purge = |call: &Call| matches!(call, Call::PurgeContent { .. });
    bench.run(
        &mut |_, call, _| {
            is_purge(call)
                .then(|| limited.take().map(|kind| Err(fail(kind, 429))))
                .flatten()
        },
        |bench| bench.job.waits_until().is_some() && bench.requests.is_empty(),
    );
    assert_eq!(bench.job.waits_until(), Some(bench.at + 12_000));
    assert_eq!(
        bench.job.progress().message,
        "Waiting 12 s, the server asked for it."
    );
    let looked = |bench: &Bench| {
        bench
            .count(|call| matches!(call, Call::Content { expand, .. } if expand == "version,space"))
    };
    let before = looked(&bench);
    bench.finish(&mut |_, _, _| None);
    assert!(looked(&bench) > before, "it was looked at again");
    assert_eq!(bench.job.state(), JobState::Done);

    let mut bench = purge_marked();
    bench.run(
        &mut |_, call, _| {
            let for_ever = ErrorKind::RateLimited {
                after_ms: Some(u64::MAX),
            };
            is_purge(call).then(|| Err(fail(for_ever, 429)))
        },
        |bench| bench.job.waits_until().is_some(),
    );
    let until = bench.job.waits_until().expect("held");
    assert!(until <= bench.at + 120_000, "{until}");
}

#[test]
fn what_is_read_again_later_is_told_while_a_backup_is_made() {
    let mut bench = purge_marked();
    let fails = |call: &Call| matches!(call, Call::Content { .. });
    bench.run(
        &mut |_, call, _| fails(call).then(|| Err(fail(ErrorKind::Server, 500))),
        |bench| !bench.job.progress().message.is_empty() && bench.requests.is_empty(),
    );
    let message = bench.job.progress().message;
    assert!(message.starts_with("Waiting 2 s. "), "{message}");
}

#[test]
fn the_options_of_a_deletion_are_told_after_a_kill() {
    let mut bench = deletion(BackupChoice::Declined);
    bench.run(&mut |_, _, _| Some(Err(missing())), |_| true);
    bench.kill();
    let options = bench.job.delete_options().expect("it deletes");
    assert_eq!(options.backup, BackupChoice::Declined);
    assert_eq!(purge_all().job.delete_options(), None);
}

/// A job that makes, changes or archives a space, or takes items out of the trash.
fn plain_jobs() -> Vec<Bench> {
    let form = |name: &str| SpaceForm {
        name: ServerText::new(name),
        description: Some(String::new()),
        homepage: None,
        homepage_title: None,
    };
    let new = NewSpace::Global {
        key: SpaceKey::new("NEW"),
        name: "New".into(),
        description: String::new(),
        audience: call::Audience::Everybody,
    };
    let item = ItemTarget {
        id: ContentId::new("100"),
        kind: ContentKind::Page,
        title: "One".into(),
        version: None,
        space: Some(SpaceKey::new("ENG")),
    };
    let one = vec![item];
    let purge = head(Act::PurgeMarked, &[], one.clone());
    let consent = agree(Challenge::new(purge.target.clone()));
    let eng = SpaceKey::new("ENG");
    [
        Job::create_space(head(Act::CreateSpace, &["NEW"], Vec::new()), new),
        Job::update_space(
            head(Act::UpdateSpace, &["ENG"], Vec::new()),
            eng,
            form("ENG"),
            form("Engineers"),
        ),
        Job::archive_spaces(head(Act::ArchiveSpaces, &["ENG"], Vec::new())),
        Job::purge_marked(purge, consent).expect("agreed to"),
        Job::restore_content(head(Act::RestoreContent, &[], one)),
    ]
    .map(|job| Bench::new(job, wiki()))
    .into()
}

#[test]
fn a_write_that_is_applied_late_is_not_sent_a_second_time() {
    for mut bench in plain_jobs() {
        let what = bench.job.head().target.act;
        let mut late: Option<(Call, u64)> = None;
        let mut sent = 0;
        bench.finish(&mut |server, call, at| {
            // Five seconds after the line dropped the server has come to it.
            if let Some((call, _)) = late.take_if(|(_, since)| at >= *since + 5_000) {
                server.serve(&call).expect("it is applied");
            }
            if call.is_read() {
                return None;
            }
            sent += 1;
            late = (sent == 1).then(|| (call.clone(), at));
            (sent == 1).then(lost)
        });
        assert_eq!((sent, bench.job.state()), (1, JobState::Done), "{what:?}");
        assert_eq!(bench.outcomes().len(), 1, "{what:?}");
    }
}

#[test]
fn a_write_that_never_arrived_is_looked_for_in_growing_steps_and_sent_again() {
    for mut bench in plain_jobs() {
        let what = bench.job.head().target.act;
        let mut sent = Vec::new();
        bench.finish(&mut |_, call, at| {
            if call.is_read() {
                return None;
            }
            sent.push(at);
            (sent.len() == 1).then(lost)
        });
        assert_eq!(bench.job.state(), JobState::Done, "{what:?}");
        let [first, second] = sent[..] else {
            panic!("{what:?} was sent {} times", sent.len());
        };
        assert_eq!(second - first, 7_000, "{what:?}");
    }
}

#[test]
fn what_is_told_of_a_purged_trash_was_read_after_it() {
    // The server says that it has emptied the trash, and one item is there all the same.
    let mut bench = purge_all();
    let mut purged = false;
    bench.finish(&mut |server, call, _| match call {
        Call::PurgeTrash { .. } => {
            purged = true;
            server.docs.remove("100");
            Some(Ok(Reply::Done))
        }
        _ => None,
    });
    assert!(purged);
    assert!(
        matches!(
            &bench.outcomes()[..],
            [Outcome::Done(None), Outcome::Failed(_)]
        ),
        "{:?}",
        bench.outcomes()
    );
    assert_eq!(bench.job.state(), JobState::Failed);

    // Nothing can be read any more: nothing is told to be done.
    let mut bench = purge_all();
    let mut purged = false;
    bench.finish(&mut |_, call, _| match call {
        Call::PurgeTrash { .. } => {
            purged = true;
            None
        }
        _ if purged => Some(Err(fail(ErrorKind::Forbidden, 403))),
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert!(
        matches!(
            &bench.outcomes()[..],
            [Outcome::Unknown(_), Outcome::Unknown(_)]
        ),
        "{:?}",
        bench.outcomes()
    );
}

#[test]
fn a_backup_tells_how_far_it_is_and_the_pace_afterwards_is_that_of_the_purge() {
    let mut bench = purge_marked();
    let mut told = Vec::new();
    let mut slow = |_: &mut Server, _: &Call, _: u64| None;
    for _ in 0..2 {
        let before = bench.sent.len();
        bench.run(&mut slow, |bench| bench.sent.len() > before);
        told.push(bench.job.progress().saving);
    }
    bench.at += 60_000;
    bench.run(&mut slow, |bench| {
        bench.count(|call| matches!(call, Call::PurgeContent { .. })) == 1
    });
    assert!(told.contains(&Some((0, 2))), "{told:?}");
    bench.at += 1_000;
    bench.finish(&mut slow);
    let progress = bench.job.progress();
    assert_eq!((progress.saving, progress.finished), (None, 2));
    // A minute of saving does not count.
    assert!(
        progress.per_second.is_some_and(|rate| rate > 0.5),
        "{progress:?}"
    );
}

#[test]
fn what_was_taken_out_of_the_trash_at_the_last_moment_is_not_told_as_purged() {
    // Few are asked for one by one, for more the space is listed, as long as that is less work.
    for (trashed, current, lists, singles) in [(2, 1, 0, 2), (9, 4, 3, 0), (4, 30, 4, 4)] {
        for answer_is_lost in [false, true] {
            let what = format!("{trashed} and {current}, lost: {answer_is_lost}");
            let mut bench = purge_of(trashed, current);
            bench.finish(&mut |server, call, _| match call {
                Call::PurgeTrash { .. } => {
                    take_out(server, "101");
                    let answer = server.serve(call);
                    Some(if answer_is_lost { lost() } else { answer })
                }
                _ => None,
            });
            assert_eq!(bench.told(Step::PurgeTrash), Phase::Done, "{what}");
            for line in bench.job.lines() {
                let right = match &line.outcome {
                    Some(Outcome::Skipped(why)) => {
                        &*line.subject == "101" && why == "Somebody took it out of the trash."
                    }
                    Some(Outcome::Done(None)) => &*line.subject != "101",
                    _ => false,
                };
                assert!(right, "{what}: {line:?}");
            }
            assert_eq!(bench.job.state(), JobState::Done, "{what}");
            assert_eq!(bench.count(lists_ids), lists, "{what}");
            let asked = bench.count(|call| {
                asks_for_one(call)
                    && matches!(call, Call::Content { expand, .. } if expand == "version")
            });
            assert_eq!(asked, singles, "{what}");
        }
    }
}

#[test]
fn nothing_is_told_as_purged_while_it_can_not_be_seen_whether_it_was_taken_out() {
    for trashed in [2, 9] {
        let mut bench = purge_of(trashed, 4);
        let mut purged = false;
        bench.finish(&mut |_, call, _| {
            purged |= matches!(call, Call::PurgeTrash { .. });
            (purged && (lists_ids(call) || asks_for_one(call)))
                .then(|| Err(fail(ErrorKind::Forbidden, 403)))
        });
        assert_eq!(bench.told(Step::PurgeTrash), Phase::Done);
        assert_eq!(bench.job.state(), JobState::Unknown);
        let outcomes = bench.outcomes();
        assert_eq!(outcomes.len(), trashed);
        for outcome in outcomes {
            let Outcome::Unknown(why) = &outcome else {
                panic!("{outcome:?}");
            };
            assert!(why.starts_with("It is no longer in the trash"), "{why}");
        }
    }
}

#[test]
fn a_list_that_moves_while_it_is_read_hides_nothing_that_was_taken_out() {
    // Pages of three. What was taken out is the last of all, and moves up while it is read.
    for (current, at_page) in [(3, 2), (6, 3)] {
        let mut bench = purge_of(9, current);
        let mut pages = 0;
        bench.finish(&mut |server, call, _| {
            if matches!(call, Call::PurgeTrash { .. }) {
                take_out(server, "105");
            }
            if lists_ids(call) {
                pages += 1;
                if pages == at_page {
                    server.docs.remove("001");
                }
            }
            None
        });
        let line = bench.job.lines().iter().find(|it| &*it.subject == "105");
        let outcome = line.and_then(|line| line.outcome.clone());
        assert!(matches!(outcome, Some(Outcome::Skipped(_))), "{outcome:?}");
    }

    // One that never stands still tells nothing.
    let mut bench = purge_of(20, 30);
    let mut next = 0;
    bench.finish(&mut |server, call, _| {
        if lists_ids(call) {
            next += 1;
            server.docs.remove(&format!("{next:03}"));
        }
        None
    });
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert!(bench.count(lists_ids) < 20);
    let told = |it: &Outcome| matches!(it, Outcome::Unknown(_));
    assert!(bench.outcomes().iter().all(told), "{:?}", bench.outcomes());
}

#[test]
fn what_became_of_a_purged_trash_is_learned_also_after_a_kill_and_a_cancellation() {
    let taking = |server: &mut Server, call: &Call| {
        if matches!(call, Call::PurgeTrash { .. }) {
            take_out(server, "101");
        }
        None
    };
    let skipped = |bench: &Bench| {
        let lines = bench.job.lines().iter();
        let left = lines.filter(|line| line.outcome != Some(Outcome::Done(None)));
        left.map(|line| line.subject.to_string())
            .collect::<Vec<_>>()
    };
    let mut bench = purge_of(9, 4);
    bench.run(&mut |server, call, _| taking(server, call), |bench| {
        bench.count(lists_ids) == 1
    });
    bench.feed(JobEvent::Pause);
    while bench.disk() {}
    bench.kill();
    bench.feed(JobEvent::Resume);
    bench.finish(&mut |_, _, _| None);
    let purges = bench.count(|call| !call.is_read());
    assert_eq!((purges, bench.job.state()), (1, JobState::Done));
    assert_eq!(skipped(&bench), ["101"]);

    let mut bench = purge_of(9, 4);
    bench.run(&mut |server, call, _| taking(server, call), |bench| {
        bench.count(lists_ids) == 1
    });
    bench.feed(JobEvent::Cancel);
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    assert_eq!(skipped(&bench), ["101"]);
}

#[test]
fn no_space_is_begun_while_an_item_of_the_one_before_is_under_way() {
    let head = head(Act::DeleteSpaces, &["ENG", "HR"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::GoOn,
    };
    let job = Job::delete_spaces(head, consent, options).expect("agreed to");
    let mut bench = Bench::new(job, wiki());
    let hr = bench.server.rooms["ENG"].clone();
    bench.server.rooms.insert("HR".to_owned(), hr);
    let rules = doc("HR", "Rules", ContentStatus::Current);
    bench.server.docs.insert("300".to_owned(), rules);
    bench.feed(JobEvent::Begin);
    // The list fails while the one page that it told of is still being fetched.
    let is_list = |(_, call): &(RequestNo, Call)| matches!(call, Call::SpaceContentOfKind { .. });
    loop {
        while bench.disk() {}
        let Some(place) = bench.requests.iter().position(is_list) else {
            break;
        };
        let (request, call) = bench.requests.remove(place);
        let outcome = match &call {
            Call::SpaceContentOfKind {
                kind: ContentKind::BlogPost,
                ..
            } => Err(fail(ErrorKind::Forbidden, 403)),
            call => bench.server.serve(call),
        };
        bench.feed(JobEvent::Reply { request, outcome });
    }
    let [(_, Call::Content { id, .. })] = &bench.requests[..] else {
        panic!("{:?}", bench.requests);
    };
    assert_eq!(id.as_str(), "200");
    bench.finish(&mut |_, _, _| None);
    let [Outcome::NotSaved(why), Outcome::Done(None)] = &bench.outcomes()[..] else {
        panic!("{:?}", bench.outcomes());
    };
    assert!(why.contains("could not be read"), "{why}");
    assert!(bench.server.rooms.contains_key("ENG"));
    assert!(!bench.server.rooms.contains_key("HR"));
}

#[test]
fn a_page_of_a_list_that_is_not_understood_is_asked_for_bare_and_the_next_one_whole() {
    let head = head(Act::BackUp, &["ENG"], Vec::new());
    let mut bench = Bench::new(Job::back_up(head).expect("about a space"), wiki());
    bench.server.lists = Lists::Whole;
    for n in 0..10 {
        let page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        bench.server.docs.insert(format!("{}", 300 + n), page);
    }
    let mut pages = 0;
    bench.finish(&mut |_, call, _| match call {
        Call::Trash { expand, .. } if is_for_whole_items(expand) => {
            pages += 1;
            (pages % 2 == 0).then(|| Err(fail(ErrorKind::Malformed, 200)))
        }
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Done);
    // Twelve items, three at a time: the second page and the fourth were bare.
    let fetched = bench.count(|call| matches!(call, Call::Content { .. }));
    assert_eq!((pages, fetched), (4, 6));
}

#[test]
fn a_file_that_a_list_told_of_and_that_is_not_there_any_more_is_gone_and_not_unsaved() {
    let attached = |bench: &mut Bench| {
        bench.server.lists = Lists::Whole;
        let file = bench.server.docs.get_mut("101").expect("it is there");
        file.kind = ContentKind::Attachment;
    };
    let mut bench = purge_all();
    attached(&mut bench);
    bench.finish(&mut |server, call, _| {
        if matches!(call, Call::Download { .. }) {
            server.docs.remove("101");
        }
        None
    });
    assert_eq!(bench.outcomes(), [Outcome::Done(None), Outcome::Gone]);
    assert_eq!(bench.job.state(), JobState::Done);

    // It is there, and its file is not to be had: nothing is purged before somebody is asked.
    let mut bench = purge_all();
    attached(&mut bench);
    bench.run(
        &mut |_, call, _| matches!(call, Call::Download { .. }).then(|| Err(missing())),
        |_| false,
    );
    assert!(matches!(
        bench.job.question(),
        Some(Question::NotSaved { items, .. }) if items.len() == 1
    ));
    assert_eq!(bench.count(|call| matches!(call, Call::Download { .. })), 2);
    assert_eq!(bench.count(|call| !call.is_read()), 0);
}

#[test]
fn a_backup_that_is_spoilt_while_the_program_is_away_lets_nothing_more_be_purged() {
    for (mut bench, is_all) in [(purge_all(), true), (purge_marked(), false)] {
        // Saved and verified, and nothing is purged yet.
        bench.run(&mut |_, _, _| None, |bench| {
            let is_manifest = |(_, name): &(String, String)| name == "manifest.json";
            bench.files.keys().any(is_manifest)
                && bench.requests.iter().any(|(_, call)| match call {
                    Call::Content { expand, .. } => expand == "version,space",
                    Call::Trash { .. } => is_all,
                    _ => false,
                })
        });
        assert_eq!(bench.count(|call| !call.is_read()), 0);
        bench.kill();
        for ((_, name), bytes) in &mut bench.files {
            if name.starts_with("items") {
                bytes.truncate(bytes.len() / 2);
            }
        }
        bench.feed(JobEvent::Resume);
        bench.finish(&mut |_, _, _| None);
        assert_eq!(bench.count(|call| !call.is_read()), 0);
        assert_eq!(bench.job.state(), JobState::Failed);
        let halted = bench.job.halted().unwrap_or_default();
        assert!(halted.contains("is not as it was written"), "{halted}");
    }
}

#[test]
fn all_pages_of_the_attachments_of_an_item_are_saved() {
    let mut bench = purge_marked();
    let mut told = |_: &mut Server, call: &Call, _: u64| match call {
        Call::Attachments { id, window, .. } => {
            // Its file is not to be had.
            let mut one = wiki().content("200");
            one.kind = ContentKind::Attachment;
            one.id = ContentId::new(format!("{id}-{}", window.start));
            Some(Ok(Reply::Contents(Page {
                results: vec![one],
                start: window.start,
                limit: None,
                total: None,
                has_next: window.start < 2,
            })))
        }
        _ => None,
    };
    bench.run(&mut told, |_| false);
    assert!(
        matches!(bench.job.question(), Some(Question::Losses { losses, .. }) if losses.files == 6),
        "{:?}",
        bench.job.question()
    );
    let items = bench
        .files
        .iter()
        .find(|((_, name), _)| name.starts_with("items"));
    let ((_, name), bytes) = items.expect("it was saved");
    for item in backup::unpack(name, bytes).expect("whole") {
        let ids: Vec<String> = item
            .attachments
            .into_iter()
            .flatten()
            .map(|it| it.id.to_string())
            .collect();
        let all = [0, 1, 2].map(|n| format!("{}-{n}", item.id));
        assert_eq!(ids, all);
    }
}

#[test]
fn a_file_that_does_not_arrive_whole_is_not_saved() {
    for lists in [Lists::Bare, Lists::Whole] {
        let mut bench = purge_all();
        bench.server.lists = lists;
        let file = bench.server.docs.get_mut("101").expect("it is there");
        file.kind = ContentKind::Attachment;
        bench.run(
            &mut |_, call, _| matches!(call, Call::Download { .. }).then(|| Ok(downloaded(b"<p>"))),
            |_| false,
        );
        let Some(Question::NotSaved { items, .. }) = bench.job.question() else {
            panic!("{:?}", bench.job.question());
        };
        assert_eq!(items[0].why, "Its file did not arrive whole.");
        assert_eq!(bench.count(|call| !call.is_read()), 0);
        // Unmarked, it stays, and the other one goes, by itself.
        bench.feed(JobEvent::Decide(Decision::LeaveOut));
        bench.finish(&mut |_, _, _| None);
        assert!(matches!(
            &bench.outcomes()[..],
            [Outcome::Done(None), Outcome::NotSaved(_)]
        ));
        assert_eq!(
            bench.count(|call| matches!(call, Call::PurgeTrash { .. })),
            0
        );
        assert!(bench.server.docs.contains_key("101"));
    }
}

#[test]
fn a_backup_alone_is_not_done_before_it_was_read_back() {
    let head = head(Act::BackUp, &["ENG"], Vec::new());
    let mut bench = Bench::new(Job::back_up(head).expect("about a space"), wiki());
    bench.feed(JobEvent::Begin);
    let spoilt = |bench: &mut Bench| {
        for bytes in bench.files.values_mut() {
            bytes.truncate(bytes.len() / 2);
        }
    };
    while !bench.job.state().is_over() {
        spoilt(&mut bench);
        if bench.disk() {
            continue;
        }
        let (request, call) = bench.requests.remove(0);
        let outcome = bench.server.serve(&call);
        bench.feed(JobEvent::Reply { request, outcome });
    }
    assert_eq!(bench.job.state(), JobState::Failed);
    let halted = bench.job.halted().unwrap_or_default();
    assert!(halted.starts_with("The backup is not good."), "{halted}");
    assert!(matches!(&bench.outcomes()[..], [Outcome::NotTried(_)]));
}

/// A restricted page with a label, to be made again.
fn secret_again() -> Bench {
    let mut server = wiki();
    let secret = server.docs.get_mut("100").expect("it is there");
    secret.restrictions = vec![Restriction {
        operation: "read".into(),
        users: vec!["jdoe".into()],
        user_keys: Vec::new(),
        groups: Vec::new(),
    }];
    secret.labels = vec!["plan".into()];
    let content = server.content("100");
    server.docs.remove("100");
    let target = ItemTarget {
        id: content.id.clone(),
        kind: content.kind.clone(),
        title: content.title.to_string(),
        version: None,
        space: content.space.clone(),
    };
    let item = backup::Item::of(content, ContentStatus::Trashed, None, None);
    let bytes = backup::pack(&backup::line(&item));
    let file = "items-0001.ndjson.gz".to_owned();
    let manifest = backup::Manifest {
        format: backup::FORMAT.into(),
        version: backup::VERSION,
        job: JobId::new("j0"),
        act: Act::PurgeMarked,
        created: time(),
        profile: "prod".into(),
        server: BaseUrl::of("https://wiki.example.org").into(),
        user: None,
        spaces: Vec::new(),
        items: 1,
        not_saved: Vec::new(),
        lacks: Vec::new(),
        server_file: None,
        files: vec![backup::FileEntry::of(&file, &bytes, 1)],
    };
    let items = vec![(file.clone(), item)];
    let recipe = Recipe::new("j0", &manifest, items, None, UnknownRestrictions::OnlyMe);
    let job = Job::recreate(head(Act::Recreate, &["ENG"], vec![target]), recipe);
    let mut bench = Bench::new(job, server);
    bench.files.insert(("j0".to_owned(), file), bytes);
    bench
}

#[test]
fn what_can_not_be_restricted_again_is_not_made_readable() {
    let mut bench = secret_again();
    bench.finish(&mut |server, call, _| {
        let texts = server.docs.values();
        let readable = texts.filter(|doc| doc.title == "One" && !doc.storage.is_empty());
        assert_eq!(readable.count(), 0, "{call:?}");
        matches!(call, Call::SetRestrictions { .. }).then(|| Err(fail(ErrorKind::Forbidden, 403)))
    });
    assert_eq!(bench.job.state(), JobState::Failed);
    let writes: Vec<&Call> = bench.sent.iter().filter(|call| !call.is_read()).collect();
    assert!(
        matches!(
            writes[..],
            [
                Call::CreateContent { .. },
                Call::SetRestrictions { .. },
                Call::TrashContent { .. }
            ]
        ),
        "{writes:?}"
    );
}

#[test]
fn what_the_journal_tells_of_a_text_holds_though_the_labels_came_after_it() {
    for ends in [false, true] {
        let mut bench = secret_again();
        let is_due = |bench: &Bench, is: fn(&Call) -> bool| {
            let mut calls = bench.requests.iter();
            calls.any(|(_, call)| is(call))
        };
        let fills = |call: &Call| matches!(call, Call::ReplaceBody { .. });
        let labels = |call: &Call| matches!(call, Call::AddLabels { .. });
        bench.run(&mut |_, _, _| None, |bench| is_due(bench, fills));
        let before = bench.checkpoint.clone();
        // No answer tells whether the text is in it, and somebody has changed the page since.
        let mut changed = |server: &mut Server, call: &Call, _| {
            let Call::ReplaceBody { id, .. } = call else {
                return None;
            };
            let doc = server.docs.get_mut(id.as_str()).expect("it was made");
            doc.version += 2;
            doc.storage = "<p>By somebody else.</p>".into();
            Some(lost())
        };
        bench.run(&mut changed, |bench| is_due(bench, labels));
        let (_, call) = bench.requests.remove(0);
        bench.server.serve(&call).expect("they are taken");
        bench.checkpoint = before;
        bench.kill();
        bench.feed(JobEvent::Resume);
        if ends {
            bench.feed(JobEvent::Cancel);
        }
        bench.finish(&mut |_, _, _| None);
        assert_eq!(bench.count(fills), 1);
        assert_eq!(bench.told(Step::FillIn), Phase::Unknown);
        assert_eq!(bench.told(Step::Label), Phase::Done);
        let outcomes = bench.outcomes();
        assert!(
            matches!(&outcomes[..], [Outcome::Unknown(why)] if why.contains("look whether its text is in it")),
            "{outcomes:?}"
        );
    }
}

#[test]
fn what_moved_while_a_space_was_listed_is_saved_as_it_is_before_the_space_goes() {
    let mut bench = deletion(BackupChoice::Save);
    let mut lists = 0;
    bench.finish(&mut |server, call, _| {
        if matches!(call, Call::Trash { .. }) {
            lists += 1;
            if lists == 2 {
                // The pages have been read, the trash has not: it is in neither.
                take_out(server, "100");
            }
        }
        None
    });
    assert_eq!((lists, bench.job.state()), (3, JobState::Done));
    let files = bench.files.iter();
    let files = files.filter(|((_, name), _)| name.starts_with("items"));
    let items = files.flat_map(|((_, name), bytes)| backup::unpack(name, bytes).expect("whole"));
    let versions: Vec<Option<u64>> = items
        .filter(|item| item.id.as_str() == "100")
        .map(|item| item.version_number())
        .collect();
    assert!(versions.contains(&Some(2)), "{versions:?}");
}

#[test]
fn what_comes_back_elsewhere_gets_its_former_place_and_where_not_that_is_told() {
    for parent_is_there in [true, false] {
        let mut server = wiki();
        // This one forgets the parent of what it takes out of the trash.
        server.next = 1_001;
        let page = server.docs.get_mut("100").expect("it is there");
        page.parent = Some("200".into());
        let item = ItemTarget {
            id: ContentId::new("100"),
            kind: ContentKind::Page,
            title: "One".into(),
            version: None,
            space: Some(SpaceKey::new("ENG")),
        };
        let job = Job::restore_content(head(Act::RestoreContent, &[], vec![item]));
        let mut bench = Bench::new(job, server);
        bench.finish(&mut |server, call, _| {
            if matches!(call, Call::RestoreContent { .. }) && !parent_is_there {
                server.docs.remove("200");
            }
            None
        });
        let moves = bench.count(|call| matches!(call, Call::MoveContent { .. }));
        assert_eq!((moves, bench.job.state()), (1, JobState::Done));
        let page = &bench.server.docs["100"];
        assert_eq!(page.status, ContentStatus::Current);
        match (parent_is_there, &bench.outcomes()[..]) {
            (true, [Outcome::Done(None)]) => assert_eq!(page.parent.as_deref(), Some("200")),
            (false, [Outcome::Done(Some(note))]) => {
                assert!(
                    note.starts_with("It did not get its former place back."),
                    "{note}"
                );
            }
            (_, outcomes) => panic!("{outcomes:?}"),
        }
    }
}

/// A backup with an item of each sort, and what would become of it, by its title.
fn for_a_rehearsal() -> (Bench, Vec<(&'static str, &'static str)>) {
    let mut server = wiki();
    server
        .docs
        .insert("900".into(), doc("ENG", "Taken", ContentStatus::Current));
    server
        .docs
        .insert("901".into(), doc("ENG", "There", ContentStatus::Current));
    let above = |id: &str| ContentRef {
        id: ContentId::new(id),
        title: None,
    };
    let saved = |id: &str, title: &str, parent: Option<&str>| {
        let content = server.content("900");
        let mut item = backup::Item::of(content, ContentStatus::Trashed, None, None);
        item.id = ContentId::new(id);
        item.title = ServerText::new(title);
        item.space = Some(SpaceKey::new("ENG"));
        item.ancestors = Some(parent.map(above).into_iter().collect());
        item.restrictions = Some(Vec::new());
        item.storage = Some("<p>Text.</p>".into());
        item
    };
    let mut secret = saved("3", "Secret", None);
    secret.restrictions = Some(vec![Restriction {
        operation: "read".into(),
        users: vec!["jdoe".into()],
        user_keys: Vec::new(),
        groups: Vec::new(),
    }]);
    let mut unclear = saved("4", "Unclear", None);
    unclear.restrictions = None;
    let mut silent = saved("5", "Silent", None);
    silent.storage = None;
    let mut elsewhere = saved("6", "Elsewhere", None);
    elsewhere.space = Some(SpaceKey::new("NONE"));
    let mut nowhere = saved("7", "Nowhere", None);
    nowhere.space = None;
    let mut post = saved("8", "Taken", None);
    post.kind = ContentKind::BlogPost;
    let all = vec![
        saved("1", "Parent", None),
        saved("2", "Taken", None),
        secret,
        unclear,
        silent,
        elsewhere,
        nowhere,
        post,
        saved("9", "PARENT", None),
        saved("11", "Child", Some("1")),
        saved("12", "Child of taken", Some("2")),
        saved("13", "Child of silent", Some("5")),
        saved("14", "Below", Some("901")),
        saved("15", "Orphan", Some("404")),
    ];
    let told = vec![
        ("Parent", "It would be made again in ENG, at the top."),
        ("Taken", "A current page in ENG has its title"),
        (
            "Secret",
            "It would be made again in ENG, at the top. It would be restricted as it was",
        ),
        (
            "Unclear",
            "It would be made again in ENG, at the top. It is not known whether it was restricted, so",
        ),
        ("Silent", "The backup has no text for it."),
        ("Elsewhere", "There is no space NONE that you can see"),
        ("Nowhere", "The backup does not say which space it was in."),
        ("Taken", "It would be made again in ENG, at the top."),
        ("PARENT", "A current page in ENG has its title"),
        (
            "Child",
            "It would be made again in ENG, below its parent made again.",
        ),
        ("Child of taken", "It would be made only if its parent is"),
        ("Child of silent", "Its parent would not be made again."),
        (
            "Below",
            "It would be made again in ENG, below its former parent.",
        ),
        (
            "Orphan",
            "It would be made again in ENG, at the top: its former parent is not there",
        ),
    ];
    let lines: String = all.iter().map(backup::line).collect();
    let (file, bytes) = ("items-0001.ndjson.gz".to_owned(), backup::pack(&lines));
    let manifest = backup::Manifest {
        format: backup::FORMAT.into(),
        version: backup::VERSION,
        job: JobId::new("j0"),
        act: Act::PurgeMarked,
        created: time(),
        profile: "prod".into(),
        server: BaseUrl::of("https://wiki.example.org").into(),
        user: None,
        spaces: Vec::new(),
        items: all.len() as u64,
        not_saved: Vec::new(),
        lacks: Vec::new(),
        server_file: None,
        files: vec![backup::FileEntry::of(&file, &bytes, all.len() as u64)],
    };
    let items = all.into_iter().map(|item| (file.clone(), item)).collect();
    let recipe = Recipe::new("j0", &manifest, items, None, UnknownRestrictions::OnlyMe);
    let job = Job::rehearse(head(Act::Recreate, &["ENG"], Vec::new()), recipe);
    let mut bench = Bench::new(job, server);
    bench.files.insert(("j0".to_owned(), file), bytes);
    (bench, told)
}

#[test]
fn a_rehearsal_says_what_would_become_of_each_item() {
    let (mut bench, told) = for_a_rehearsal();
    bench.finish(&mut |_, _, _| None);
    let lines = bench.job.lines();
    assert_eq!(lines.len(), told.len());
    for (line, (title, told)) in lines.iter().zip(told) {
        assert_eq!(&*line.title, title);
        let outcome = line.outcome.as_ref().expect("it is over");
        let (Outcome::Done(Some(text)) | Outcome::Skipped(text) | Outcome::Failed(text)) = outcome
        else {
            panic!("{title}: {outcome:?}");
        };
        assert!(text.starts_with(told), "{title}: {text}");
    }
}

/// What a rehearsal meets, by what it is called.
type Trouble = Box<dyn FnMut(&mut Server, &Call, u64) -> Option<Result<Reply, ApiError>>>;

#[test]
fn a_rehearsal_sends_no_write_whatever_happens() {
    let always = |kind: ErrorKind, status| -> Trouble {
        Box::new(move |_, _, _| Some(Err(fail(kind.clone(), status))))
    };
    let troubles: Vec<(&str, Trouble)> = vec![
        ("nothing", Box::new(|_, _, _| None)),
        (
            "read-only",
            Box::new(|_, call, _| {
                let mode = Reply::AccessMode(AccessMode::ReadOnly);
                matches!(call, Call::AccessMode).then_some(Ok(mode))
            }),
        ),
        ("lost", always(ErrorKind::Lost, 0)),
        ("refused", always(ErrorKind::Forbidden, 403)),
        ("nobody", always(ErrorKind::Unauthorized, 401)),
        ("broken", always(ErrorKind::Server, 500)),
        (
            "limited",
            always(ErrorKind::RateLimited { after_ms: None }, 429),
        ),
        ("gone", always(ErrorKind::NotFound, 404)),
        ("nonsense", Box::new(|_, _, _| Some(Ok(Reply::Done)))),
    ];
    for (name, mut trouble) in troubles {
        for spoilt in [false, true] {
            for killed in [false, true] {
                let (mut bench, _) = for_a_rehearsal();
                if spoilt {
                    for bytes in bench.files.values_mut() {
                        bytes[20] ^= 1;
                    }
                }
                if killed {
                    bench.run(&mut *trouble, |bench| bench.sent.len() >= 4);
                    if !bench.job.state().is_over() {
                        bench.feed(JobEvent::Pause);
                        bench.disk();
                        bench.kill();
                        bench.feed(JobEvent::Resume);
                    }
                }
                bench.finish(&mut *trouble);
                let writes: Vec<&Call> =
                    (bench.sent.iter()).filter(|call| !call.is_read()).collect();
                assert!(writes.is_empty(), "{name}: {writes:?}");
                assert!(bench.journal.is_empty(), "{name}: {:?}", bench.journal);
                let made = bench
                    .outcomes()
                    .iter()
                    .any(|it| matches!(it, Outcome::Done(_)));
                assert_eq!(made, name == "nothing" && !spoilt, "{name}");
                if spoilt && name == "nothing" {
                    assert_eq!(bench.job.state(), JobState::Failed);
                }
            }
        }
    }
}
