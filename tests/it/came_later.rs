//! What comes into a trash, or into a space, after somebody agreed to destroy what was in it: it was not
//! shown, so it stays, or is asked about.

use std::sync::Arc;

use coracle::confluence::ids::IdSet;
use coracle::confluence::{Call, ContentId, ContentStatus, SpaceKey};
use coracle::jobs::{
    Act, BackupChoice, Challenge, Decision, DeleteOptions, Job, JobEvent, JobState, OnFailure,
    Outcome, Question, Shown,
};

use crate::machines::{Bench, purge_marked, wiki};
use crate::simulation::{agree, doc, head};

fn shown(ids: &[&str]) -> Shown {
    let ids: IdSet = ids.iter().map(ContentId::new).collect();
    Shown::Items(Arc::new(ids))
}

/// The whole trash of ENG, two pages of which were shown so.
fn purge_all(shown: Shown) -> Bench {
    let head = head(Act::PurgeAll, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let consent = consent.showing(SpaceKey::new("ENG"), shown);
    Bench::new(Job::purge_all(head, consent).expect("agreed to"), wiki())
}

fn deletion(shown: Shown) -> Bench {
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let consent = consent.showing(SpaceKey::new("ENG"), shown);
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::Stop,
    };
    let job = Job::delete_spaces(head, consent, options).expect("agreed to");
    Bench::new(job, wiki())
}

fn add(bench: &mut Bench, id: &str, status: ContentStatus) {
    let page = doc("ENG", &format!("Later {id}"), status);
    bench.server.docs.insert(id.to_owned(), page);
}

fn purges(call: &Call) -> bool {
    matches!(call, Call::PurgeContent { .. } | Call::PurgeTrash { .. })
}

#[test]
fn what_came_into_a_trash_after_it_was_agreed_to_purge_it_stays() {
    let mut bench = purge_all(shown(&["100", "101"]));
    add(&mut bench, "102", ContentStatus::Trashed);
    bench.finish(&mut |_, _, _| None);
    assert!(bench.server.docs.contains_key("102"), "it was not shown");
    assert!(!bench.server.docs.contains_key("100"), "it was");
    assert!(!bench.server.docs.contains_key("101"), "it was");
    assert_eq!(
        bench.count(|call| matches!(call, Call::PurgeTrash { .. })),
        0
    );
    let mut left = bench.outcomes().into_iter();
    let left = left
        .find(|it| matches!(it, Outcome::Skipped(why) if why.contains("You were not shown it")));
    assert!(left.is_some(), "{:?}", bench.job.lines());
    assert_eq!(bench.job.state(), JobState::Done);
}

#[test]
fn fewer_than_were_shown_go_as_agreed() {
    let mut bench = purge_all(shown(&["100", "101", "102"]));
    bench.finish(&mut |_, _, _| None);
    assert_eq!(
        bench.count(|call| matches!(call, Call::PurgeTrash { .. })),
        1
    );
    assert_eq!(bench.job.state(), JobState::Done);
}

#[test]
fn where_only_the_number_was_shown_more_than_that_is_asked_about() {
    for (decision, purged) in [(Decision::Stop, false), (Decision::GoOn, true)] {
        let mut bench = purge_all(Shown::Count(2));
        add(&mut bench, "102", ContentStatus::Trashed);
        bench.run(&mut |_, _, _| None, |_| false);
        let Some(Question::CameLater { shown, found, .. }) = bench.job.question() else {
            panic!("{:?}", bench.job.question());
        };
        assert_eq!((*shown, *found), (2, 3));
        assert_eq!(bench.count(purges), 0, "nothing before that is answered");
        bench.feed(JobEvent::Decide(decision));
        bench.finish(&mut |_, _, _| None);
        assert_eq!(bench.count(purges) > 0, purged);
        assert_eq!(bench.server.docs.contains_key("102"), !purged);
    }
    let mut bench = purge_all(Shown::Count(2));
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done, "no more than that");
}

#[test]
fn what_came_into_a_space_after_its_deletion_was_agreed_to_is_asked_about() {
    let all = ["100", "101", "200"];
    for (decision, deleted) in [
        (Decision::Stop, false),
        (Decision::LeaveOut, false),
        (Decision::GoOn, true),
    ] {
        for shown in [shown(&all), Shown::Count(3)] {
            let is_named = matches!(shown, Shown::Items(_));
            let mut bench = deletion(shown);
            add(&mut bench, "201", ContentStatus::Current);
            bench.run(&mut |_, _, _| None, |_| false);
            let Some(Question::CameLater { found, items, .. }) = bench.job.question() else {
                panic!("{:?} {:?}", bench.job.question(), bench.job.lines());
            };
            assert_eq!(*found, 4);
            assert_eq!(items.contains(&"Later 201".to_owned()), is_named);
            bench.feed(JobEvent::Decide(decision.clone()));
            bench.finish(&mut |_, _, _| None);
            let sent = bench.count(|call| matches!(call, Call::DeleteSpace { .. }));
            assert_eq!(sent == 1, deleted, "{decision:?}");
        }
    }
    let mut bench = deletion(shown(&all));
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done, "what was shown goes");
}

#[test]
fn what_comes_once_more_after_the_answer_is_asked_about_once_more() {
    let mut bench = deletion(shown(&["100", "101", "200"]));
    for id in ["201", "202"] {
        add(&mut bench, id, ContentStatus::Current);
        bench.run(&mut |_, _, _| None, |_| false);
        assert!(
            matches!(bench.job.question(), Some(Question::CameLater { .. })),
            "{id}"
        );
        bench.feed(JobEvent::Decide(Decision::GoOn));
    }
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done);
}

#[test]
fn of_chosen_items_no_other_is_ever_purged() {
    let mut bench = purge_marked();
    add(&mut bench, "102", ContentStatus::Trashed);
    bench.finish(&mut |_, _, _| None);
    assert!(bench.server.docs.contains_key("102"));
    assert_eq!(bench.job.state(), JobState::Done);
}
