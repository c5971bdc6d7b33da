//! Files of earlier versions stay readable: journals, jobs in the middle of their work, plans,
//! backups, a recording and what is kept of the looks, as those versions wrote them.
//!
//! Each folder below `tests/frozen` is named after the month in which its files were written. They
//! are never made again: when a format changes, the files of the new one go into a folder of their
//! own, and these must still be read.

use std::fs;
use std::path::{Path, PathBuf};

use coracle::app::modal::Modal;
use coracle::app::view::Kept;
use coracle::confluence::BaseUrl;
use coracle::jobs::backup::{self, Manifest};
use coracle::jobs::journal::{Entry, Phase};
use coracle::jobs::plan::Plan;
use coracle::jobs::{Act, Challenge, Job, JobState, Outcome, Session, ToAgree, ledger};
use coracle::shell::record::Replay;

fn frozen(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/frozen")
        .join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(frozen(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a folder, in their order.
fn names(path: &str) -> Vec<String> {
    let entries = fs::read_dir(frozen(path)).expect("the folder is in the repository");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it can be listed").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The jobs of a folder, brought up to date with its journal as at a start.
fn jobs(folder: &str) -> ledger::Found {
    let checkpoints: Vec<String> = names(folder)
        .iter()
        .filter(|name| name.starts_with("job-"))
        .map(|name| text(&format!("{folder}/{name}")))
        .collect();
    let journal = text(&format!("{folder}/journal.ndjson"));
    let stored = || checkpoints.iter().map(String::as_str);
    let read = ledger::read(journal.lines(), stored(), 1_000).expect("its chain holds");
    ledger::find(stored(), &read.needed)
}

fn left(job: &Job) -> usize {
    let open = |line: &&coracle::jobs::Line| line.outcome.is_none();
    job.lines().iter().filter(open).count()
}

#[test]
fn a_journal_is_read_line_by_line() {
    let journal = text("2026-11/profile/journal.ndjson");
    let read = ledger::read(journal.lines(), [], 1_000).expect("its chain holds");
    assert_eq!(read.verified.entries, journal.lines().count() as u64);
    assert_eq!(read.verified.set_aside, []);
    let first: &Entry = read.recent.first().expect("it has lines");
    let record = &first.record;
    assert_eq!(
        (record.act, record.no, record.outcome),
        (Act::PurgeMarked, 23, Phase::Intended)
    );
    assert_eq!(record.subject, "100");
    assert_eq!(record.title, "Old policy");
    assert_eq!(record.path, "/rest/api/content/100");
    assert_eq!(record.before, "trashed, version 2, saved");
    let ends = |phase| {
        let of = read.recent.iter().filter(|it| it.record.outcome == phase);
        of.count()
    };
    assert_eq!((ends(Phase::Intended), ends(Phase::Done)), (23, 14));
}

#[test]
fn jobs_of_every_kind_are_taken_up_in_the_middle_of_their_work() {
    let found = jobs("2026-11/profile");
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let over: Vec<Act> = found.over.iter().map(|job| job.head().target.act).collect();
    assert_eq!(over, [Act::PurgeMarked]);
    let told: Vec<(Act, usize, usize)> = found
        .open
        .iter()
        .map(|job| (job.head().target.act, left(job), job.lines().len()))
        .collect();
    assert_eq!(
        told,
        [
            (Act::PurgeMarked, 3, 5),
            (Act::PurgeAll, 5, 5),
            (Act::RestoreContent, 3, 5),
            (Act::Recreate, 4, 5),
            (Act::DeleteSpaces, 1, 2),
            (Act::ArchiveSpaces, 1, 3),
            (Act::UpdateSpace, 1, 1),
            (Act::BackUp, 2, 2),
            (Act::CreateSpace, 1, 1),
            (Act::BackUp, 5, 5),
            (Act::DryRun, 1, 5),
            (Act::DryRun, 2, 5),
        ]
    );
    for job in found.open.iter().chain(&found.over) {
        let head = job.head();
        assert_eq!(head.target.profile, "prod");
        assert_eq!(head.created.to_string(), "2026-11-30T09:15:00Z");
        let user = (head.target.act != Act::UpdateSpace).then_some("jdoe");
        assert_eq!(head.user.as_deref(), user);
        let destroys = head.target.act.is_destructive() && !job.state().is_over();
        assert_eq!(job.challenge().is_some(), destroys, "{}", head.title);
    }
    for job in &found.open {
        assert_eq!(job.state(), JobState::Paused, "{}", job.head().title);
    }
    let purge = &found.open[0];
    let item = &purge.head().target.items[1];
    assert_eq!((item.id.as_str(), item.version), ("101", Some(3)));
    assert_eq!(item.title, "Draft “two”");
    assert_eq!(purge.lines()[0].outcome, Some(Outcome::Done(None)));
    assert_eq!(
        purge.backup(),
        Some("20261130T091500000-prod-purge-marked-0")
    );
}

#[test]
fn plans_are_read() {
    let plan = |name: &str| {
        let text = text(&format!("2026-11/plans/{name}"));
        Plan::decode(&text).unwrap_or_else(|why| panic!("{name}: {why}"))
    };
    let purge = plan("plan-purge-marked.json");
    assert_eq!(purge.target.act, Act::PurgeMarked);
    assert_eq!(purge.target.items.len(), 5);
    assert!(Challenge::new(purge.target).answer("5").is_some());
    let delete = plan("plan-delete-spaces.json");
    assert_eq!(delete.target.act, Act::DeleteSpaces);
    let names: Vec<&str> = delete
        .target
        .spaces
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["Engineering", "People"]);
    let source = plan("plan-recreate.json").source.expect("its backup");
    assert_eq!((source.backup.as_str(), source.files.len()), ("j0", 1));
}

#[test]
fn backups_are_read_and_verify() {
    let folders = names("2026-11/backups");
    assert_eq!(folders.len(), 3);
    let mut saved = Vec::new();
    for folder in folders {
        let read = |name: &str| fs::read(frozen("2026-11/backups").join(&folder).join(name)).ok();
        let bytes = read(backup::MANIFEST).expect("its manifest");
        let manifest = Manifest::decode(&bytes).expect("it is one");
        manifest.verify(read).expect("nothing of it was changed");
        assert_eq!(manifest.profile, "prod");
        assert_eq!(manifest.user.as_deref(), Some("jdoe"));
        let packed = manifest.files.iter().filter(|file| file.items > 0);
        for file in packed {
            let bytes = read(&file.name).expect("it was verified");
            saved.extend(backup::unpack(&file.name, &bytes).expect("it was verified"));
        }
    }
    assert_eq!(saved.len(), 13);
    let notes = saved
        .iter()
        .find(|item| item.title == "Notes")
        .expect("it is saved");
    assert_eq!(notes.storage.as_deref(), Some("<p>Notes</p>"));
    let guards = notes.restrictions.as_deref().unwrap_or_default();
    assert_eq!(
        (&*guards[0].users[0], &*guards[0].groups[0]),
        ("jdoe", "staff")
    );
}

#[test]
fn a_recording_is_shown_to_its_end() {
    let text = text("2026-11/recording.ndjson");
    let (mut replay, _) = Replay::new(&text).expect("its first line is one");
    let mut steps = 0;
    while let Some(step) = replay.step() {
        step.unwrap_or_else(|error| panic!("after {steps}: {error}"));
        steps += 1;
    }
    assert_eq!(steps + 1, text.lines().count());
    assert_eq!(replay.model.jobs.left_over(), 1);
    let Some(Modal::Plans(plans)) = replay.model.modals.last() else {
        panic!("{:?}", replay.model.modals);
    };
    let files = plans.files.as_deref().unwrap_or_default();
    assert!(files[0].plan.is_ok(), "{:?}", files[0].plan);
}

#[test]
fn what_was_kept_of_the_looks_is_read() {
    let kept = Kept::read(&text("2026-11/profile/view.json"));
    assert_eq!(kept.space.as_ref().map(|key| key.as_str()), Some("HR"));
    assert_ne!(kept, Kept::default());
}

#[test]
fn a_job_that_names_no_address_or_user_asks_for_it() {
    let session = |user: &str| Session {
        profile: "prod".to_owned(),
        address: BaseUrl::of("https://wiki.example.org/wiki"),
        user: Some(user.to_owned()),
    };
    for job in jobs("2026-11/profile").open {
        let unsaid = ToAgree::AddressUnsaid {
            host: "wiki.example.org".to_owned(),
            here: session("").address,
        };
        let to_agree = job.may_take_up(&session("jdoe")).expect("it may be of it");
        assert_eq!(to_agree[0], unsaid, "{}", job.head().title);
        let asks_for_user = job.head().user.is_none();
        assert_eq!(to_agree.len(), 1 + usize::from(asks_for_user));
        let mut elsewhere = session("jdoe");
        elsewhere.address = BaseUrl::of("https://wiki.example.net");
        assert!(job.may_take_up(&elsewhere).is_err());
    }
}
