//! How a job's end is told: its sentence, its row in the list and its detail say the same, and all of
//! it.

use std::cell::Cell;

use coracle::app::message::LogLevel;
use coracle::confluence::{Call, ContentStatus};

use crate::lost::Visit;
use crate::simulation::doc;

/// So many items are in the trash.
const ITEMS: usize = 20;

/// In the trash of ENG, with so many items in it.
fn in_the_trash(width: u16, height: u16) -> Visit {
    let mut visit = Visit::new(width, height);
    let mut wiki = visit.wiki.borrow_mut();
    wiki.server.docs.clear();
    for n in 0..ITEMS {
        let id = format!("{}", 300 + n);
        let gone = doc("ENG", &format!("Gone {n:02}"), ContentStatus::Trashed);
        wiki.server.docs.insert(id, gone);
    }
    drop(wiki);
    visit.keys("t").work();
    visit
}

fn last_said(visit: &Visit) -> (LogLevel, String) {
    let last = visit.desk.story.model.log.last();
    let last = last.expect("something was said");
    (last.line.level, last.line.text.clone())
}

/// Purges one by one until so many are gone from the server.
fn purging(visit: &mut Visit, most: usize) {
    let wanted = ITEMS.to_string();
    visit.keys("* x").work().types(&wanted).keys("Enter");
    for _ in 0..400 {
        let gone = Cell::new(ITEMS - visit.wiki.borrow().server.docs.len());
        visit.work_but(|call| {
            let is_purge = matches!(call, Call::PurgeContent { .. });
            if is_purge && gone.get() < most {
                gone.set(gone.get() + 1);
                return false;
            }
            is_purge
        });
        let left = visit.wiki.borrow().server.docs.len();
        if ITEMS - left >= most {
            return;
        }
        visit.desk.jump();
    }
    panic!("nothing is purged\n{}", visit.desk.screen());
}

#[test]
fn a_purge_that_loses_its_backup_says_the_same_everywhere_and_what_is_in_no_backup() {
    let mut visit = in_the_trash(120, 40);
    purging(&mut visit, 7);
    visit.desk.backups.clear();
    visit.settle();
    let left = visit.wiki.borrow().server.docs.len();
    let purged = ITEMS - left;
    assert!((7..ITEMS).contains(&purged), "{purged}");
    let counts = format!("{purged} of {ITEMS} purged, {left} not tried");
    let (level, said) = last_said(&visit);
    assert_eq!(level, LogLevel::Error);
    assert!(said.contains(&format!("failed. {counts}.")), "{said}");
    let lost =
        format!("{purged} items were purged before that. They are in no whole backup any more");
    for part in [
        lost.as_str(),
        "Begin again with what is left",
        "coracle backup verify",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    visit.keys("J").sees(&counts);
    visit
        .keys("Enter")
        .sees(&counts)
        .sees(&lost)
        .sees("not tried");
}

#[test]
fn a_job_that_is_cancelled_says_how_far_it_came() {
    let mut visit = in_the_trash(120, 40);
    purging(&mut visit, 3);
    visit.keys("J c");
    visit.settle();
    let left = visit.wiki.borrow().server.docs.len();
    let counts = format!("{} of {ITEMS} purged, {left} not tried", ITEMS - left);
    let (_, said) = last_said(&visit);
    assert!(said.contains(&format!("cancelled. {counts}.")), "{said}");
    visit.sees(&counts).sees("cancelled");
}

#[test]
fn a_job_that_left_everything_out_is_not_told_as_done() {
    let mut visit = Visit::new(120, 40);
    visit.keys("t").work();
    visit.keys("* x").work();
    for doc in visit.wiki.borrow_mut().server.docs.values_mut() {
        doc.version += 1;
    }
    visit.types("2").keys("Enter").settle();
    assert_eq!(visit.wiki.borrow().writes, []);
    let (level, said) = last_said(&visit);
    assert_eq!(level, LogLevel::Warning);
    assert!(said.contains("all of it was left out."), "{said}");
    assert!(said.contains("It has changed since"), "{said}");
    visit.keys("J").sees("0 of 2 purged, 2 left out");
    let row = visit.desk.screen();
    assert!(row.contains("left out │"), "{row}");
    visit.keys("Enter").sees("state left out");
}

#[test]
fn keys_for_a_job_that_has_ended_say_so() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut visit = Visit::new(width, height);
        visit.keys("t").work();
        visit.keys("x").work().types("1").keys("Enter").settle();
        for place in ["J", "Enter"] {
            visit.keys(place);
            for key in ["r", "p", "c"] {
                visit.desk.story.model.toasts.clear();
                visit.keys(key).sees("This job has ended.");
                assert_eq!(last_said(&visit).1, "This job has ended.");
            }
        }
    }
}

#[test]
fn what_waits_for_its_confirmation_moves_the_counts_on() {
    let mut visit = in_the_trash(120, 40);
    // Until the trash was looked at, nothing that was purged is told as done.
    let is_witness = |call: &Call| matches!(call, Call::Trash { .. } | Call::TrashedContent { .. });
    let wanted = ITEMS.to_string();
    visit.keys("* x").work().types(&wanted).keys("Enter");
    let purged = Cell::new(0);
    let is_held = |call: &Call| {
        if matches!(call, Call::PurgeContent { .. }) {
            purged.set(purged.get() + 1);
            return false;
        }
        purged.get() > 0 && is_witness(call)
    };
    for _ in 0..10 {
        visit.work_but(is_held);
        visit.desk.jump();
    }
    let counted = |visit: &Visit| -> usize {
        let screen = visit.desk.screen();
        let (before, _) = screen.split_once(" more sent").expect("it is told");
        let number = before.rsplit(' ').next().and_then(|it| it.parse().ok());
        number.expect("a number")
    };
    visit.keys("Ctrl-c").sees(&format!("of {ITEMS} done, "));
    assert!(counted(&visit) >= 4, "{}", visit.desk.screen());
    visit.keys("Esc").settle();
    let (_, said) = last_said(&visit);
    assert!(said.contains("done."), "{said}");
}

#[test]
fn every_dialog_that_purges_says_that_there_is_no_undo() {
    for (width, height) in [(40, 12), (80, 24), (120, 40), (200, 60)] {
        for keys in ["x", "* x", "P"] {
            let mut visit = in_the_trash(width, height);
            visit.keys(keys).work();
            visit.sees("There is no undo on the server.");
        }
        let mut visit = in_the_trash(width, height);
        visit.keys("Esc T").settle();
        visit.keys("* x").work();
        visit.sees("There is no undo on the server.");
    }
}
