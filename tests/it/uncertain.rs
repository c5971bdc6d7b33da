//! Lists that repeat rows, and so leave others out: what is shown of them says so, and a server that
//! was caught once is not trusted for the rest of the session.

use coracle::app::message::Size;
use coracle::confluence::*;
use coracle::jobs::*;

use crate::machines::{Bench, wiki as model};
use crate::simulation::{agree, head};
use crate::story::{Answer, Story, page, spaces, trashed, wiki};

/// The list of spaces tells the first one again in place of the last.
fn repeats_spaces(call: &Call) -> Answer {
    match call {
        Call::Spaces { window, filter, .. } if filter.status.is_none() => {
            let mut all = spaces();
            let last = all.len() - 1;
            all[last] = all[0].clone();
            Ok(Reply::Spaces(page(&all, *window)))
        }
        other => wiki(other),
    }
}

/// The trash of ENG tells a row again.
fn repeats_trash(call: &Call) -> Answer {
    match call {
        Call::Trash { key, .. } => Ok(Reply::Trash(CursorPage {
            results: match key.as_str() {
                "ENG" => ["20", "21", "21", "23"]
                    .map(|id| trashed(id, "Old policies", &[]))
                    .into(),
                _ => Vec::new(),
            },
            next: None,
            total: None,
        })),
        other => wiki(other),
    }
}

fn begun(server: &dyn Fn(&Call) -> Answer) -> Story {
    let mut story = Story::start(120, 40);
    story.answer_all(server);
    story.rest();
    story.answer_all(server);
    story
}

const NOTE: &str = "may not be all";

#[test]
fn a_list_of_spaces_that_repeats_rows_says_that_it_may_not_be_all() {
    let story = begun(&wiki);
    assert!(!story.screen().contains(NOTE), "{}", story.screen());
    assert!(!story.model.session.lists_lie);
    let story = begun(&repeats_spaces);
    assert!(story.screen().contains(NOTE), "{}", story.screen());
    assert!(story.model.session.lists_lie);
}

#[test]
fn the_trash_across_spaces_says_where_it_may_not_be_all() {
    let mut story = begun(&wiki);
    story.keys("T");
    story.answer_all(&repeats_trash);
    assert!(story.screen().contains(NOTE), "{}", story.screen());
    assert!(story.model.session.lists_lie, "for the session");
    story.happen(coracle::app::message::Msg::Resized(Size {
        width: 80,
        height: 24,
    }));
    assert!(story.screen().contains(NOTE), "{}", story.screen());
}

#[test]
fn on_a_server_that_was_caught_before_a_whole_trash_is_purged_item_by_item() {
    for caught in [false, true] {
        let head = head(Act::PurgeAll, &["ENG"], Vec::new());
        let consent = agree(Challenge::new(head.target.clone()));
        let job = Job::purge_all(head, consent).expect("agreed to");
        let job = if caught {
            job.on_a_server_that_leaves_rows_out()
        } else {
            job
        };
        let mut bench = Bench::new(job, model());
        bench.finish(&mut |_, _, _| None);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
        let at_once = bench.count(|call| matches!(call, Call::PurgeTrash { .. }));
        assert_eq!(at_once, usize::from(!caught));
        let docs = bench.server.docs.values();
        assert!(docs.clone().all(|doc| doc.status == ContentStatus::Current));
    }
}

#[test]
fn what_a_job_caught_is_known_to_the_session() {
    let head = head(Act::PurgeAll, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::purge_all(head, consent).expect("agreed to");
    let mut bench = Bench::new(job, model());
    assert!(!bench.job.caught_a_list());
    bench.finish(&mut |server, call, _| match call {
        Call::Trash { .. } => {
            let Ok(Reply::Trash(mut page)) = server.serve(call) else {
                return None;
            };
            let again = page.results.first().cloned();
            page.results.extend(again);
            Some(Ok(Reply::Trash(page)))
        }
        _ => None,
    });
    assert!(bench.job.caught_a_list());
}
