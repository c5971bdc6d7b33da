//! Jobs as they are seen: the list, one in detail, what they ask, and what is said when one quits.

use coracle::confluence::{Call, ContentKind, ContentStatus, Cursor, ErrorKind};
use coracle::jobs::journal::Record;

use crate::lost::{Fate, Tasks, Visit};
use crate::simulation::doc;
use crate::story::error;

/// The usual sizes, from the smallest that works.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (120, 40)];

fn shown(name: &str, visit: &mut Visit) {
    // Toasts come and go; these are pictures of what stays.
    visit.desk.story.model.toasts.clear();
    let size = visit.desk.story.model.size;
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(
            format!("{name}-{}x{}", size.width, size.height),
            visit.desk.screen()
        );
    });
}

fn at_every_size(tell: impl Fn(&mut Visit)) {
    for (width, height) in SIZES {
        tell(&mut Visit::new(width, height));
    }
}

/// A purge of all that is in the trash, with the first item saved and the second on its way.
fn saving(visit: &mut Visit) {
    visit.keys("P").work().types("ENG").keys("Enter");
    visit.work_but(|call| matches!(call, Call::Content { id, .. } if id.as_str() == "101"));
}

/// A deletion whose task stands at 60 %.
fn deleting(visit: &mut Visit) {
    visit.wiki.borrow_mut().tasks = Tasks::Stall;
    visit.keys("D").work().types("ENG").keys("Enter");
    for _ in 0..12 {
        visit.work();
        visit.desk.jump();
    }
    visit.work();
}

/// A purge that can't save one of its items, and asks.
pub(crate) fn asking(visit: &mut Visit) {
    let unreadable = "101".to_owned();
    visit.wiki.borrow_mut().unreadable.insert(unreadable);
    visit.keys("P").work().types("ENG").keys("Enter").settle();
}

#[test]
fn the_list() {
    at_every_size(|visit| {
        visit.keys("J");
        shown("jobs-empty", visit);
    });
    at_every_size(|visit| {
        visit.keys("a y").settle();
        let refused = Fate::Refused(ErrorKind::Forbidden, 403, "You may not create spaces.");
        visit.wiki.borrow_mut().fates.push_back(refused);
        visit.keys("n").types("Harbour Log").keys("Ctrl-s").settle();
        visit.keys("Esc y");
        visit.wiki.borrow_mut().fates.push_back(Fate::LostBefore);
        visit.keys("j D").work().types("OLD").keys("Enter").settle();
        visit.keys("k");
        visit.desk.story.rest();
        visit.work();
        saving(visit);
        visit.keys("J");
        // What is to be watched comes first, then what is over, the newest first.
        let screen = visit.desk.screen();
        let places: Vec<_> = ["Purge the trash", "Delete OLD", "New space", "Archive ENG"]
            .map(|title| {
                screen
                    .find(title)
                    .unwrap_or_else(|| panic!("{title}\n{screen}"))
            })
            .into();
        assert!(places.is_sorted(), "{screen}");
        shown("jobs", visit);
    });
}

#[test]
fn one_in_detail() {
    at_every_size(|visit| {
        saving(visit);
        visit.keys("J Enter");
        shown("job-saving", visit);
    });
    at_every_size(|visit| {
        deleting(visit);
        visit.keys("J Enter");
        shown("job-running", visit);
        visit.keys("p");
        shown("job-paused", visit);
    });
    at_every_size(|visit| {
        visit.wiki.borrow_mut().tasks = Tasks::Fail;
        visit.keys("D").work().types("ENG").keys("Enter").settle();
        visit.keys("J Enter");
        shown("job-failed", visit);
    });
    at_every_size(|visit| {
        visit.wiki.borrow_mut().fates.push_back(Fate::LostBefore);
        visit.keys("D").work().types("ENG").keys("Enter").settle();
        visit.keys("J Enter");
        shown("job-unknown", visit);
    });
    at_every_size(|visit| {
        visit.keys("P").work().types("ENG").keys("Enter").settle();
        visit.keys("J Enter");
        shown("job-done", visit);
    });
    at_every_size(|visit| {
        visit.desk.takes_lines = false;
        visit.keys("a y").settle();
        visit.keys("J Enter");
        shown("job-waits", visit);
    });
}

#[test]
fn the_key_of_the_jobs_is_named_where_it_opens_them() {
    at_every_size(|visit| {
        asking(visit);
        visit.keys("Esc B").settle();
        visit.sees("J shows it").keys("J").sees("asks you");
        assert!(visit.desk.screen().contains("╭ Jobs"));
        // The key that opened it closes it.
        visit.keys("J");
        assert!(!visit.desk.screen().contains("╭ Jobs"));
        assert!(visit.desk.screen().contains("╭ Backups"));
        // From what lies over it, it leads back to it, and there is one alone.
        visit.keys("J L J");
        assert!(visit.desk.screen().contains("╭ Jobs"));
        visit.keys("J");
        assert!(visit.desk.screen().contains("╭ Backups"));
        visit.keys("q n").sees("a job asks you");
        assert!(!visit.desk.screen().contains("shows it"));
    });
}

#[test]
fn one_that_asks() {
    at_every_size(|visit| {
        asking(visit);
        shown("question-not-saved", visit);
        visit.keys("Esc");
        shown("job-asks-below", visit);
        visit.keys("J");
        shown("jobs-asking", visit);
        // Enter is the way to the question, from the list and from the job.
        visit.keys("Enter").sees("Stop the job: nothing is");
        visit.keys("Esc");
        assert!(visit.desk.screen().contains("Jobs"));
    });
    // Left out knowingly: the rest goes.
    at_every_size(|visit| {
        asking(visit);
        visit.keys("l Enter").settle();
        visit.keys("J Enter");
        shown("job-left-out", visit);
    });
}

#[test]
fn one_that_was_left_over() {
    for (width, height) in SIZES {
        let mut visit = Visit::about_to_delete_five(width, height);
        visit.types("5").keys("Enter");
        let third = |call: &Call| matches!(call, Call::SpaceContentOfKind { key, .. } if key.as_str() == "D3");
        for _ in 0..40 {
            visit.work_but(third);
            visit.desk.jump();
        }
        let mut visit = visit.kill(false);
        shown("jobs-left-over", &mut visit);
        visit.keys("Enter");
        shown("job-left-over", &mut visit);
        visit.keys("r").work();
        shown("confirm-left-over", &mut visit);
    }
}

#[test]
fn questions() {
    for (width, height) in SIZES {
        let mut visit = Visit::about_to_delete_five(width, height);
        visit.types("5").keys("Enter");
        for _ in 0..40 {
            let open: Vec<_> = visit.desk.story.open.drain(..).collect();
            for (ticket, call) in open {
                let refused = matches!(
                    &call,
                    Call::TrashedContent {
                        kind: ContentKind::Comment | ContentKind::Attachment,
                        ..
                    }
                );
                let outcome = match &call {
                    _ if refused => Err(error(ErrorKind::Invalid, 400, "No such type.")),
                    Call::Trash { .. } => {
                        Err(error(ErrorKind::NoSuchOperation, 404, "No such operation."))
                    }
                    other => visit.wiki.borrow_mut().server.serve(other),
                };
                let happened = coracle::app::message::Msg::Reply {
                    ticket,
                    outcome,
                    took_ms: 1,
                };
                visit.desk.story.happen(happened);
            }
            visit.desk.answer_disk();
        }
        shown("question-unlisted", &mut visit);
        assert_eq!(visit.wiki.borrow().writes, []);
    }
    at_every_size(|visit| {
        let taken = crate::simulation::doc(
            "ENG",
            "Old policy",
            coracle::confluence::ContentStatus::Current,
        );
        let mut wiki = visit.wiki.borrow_mut();
        wiki.server.docs.insert("201".to_owned(), taken);
        drop(wiki);
        visit.keys("t").work();
        visit.keys("* u y").settle();
        shown("question-title-taken", visit);
    });
}

#[test]
fn quitting() {
    at_every_size(|visit| {
        deleting(visit);
        visit.keys("Ctrl-c");
        shown("quit-jobs", visit);
        visit.keys("Esc n").types("Harbour Log").keys("Ctrl-c");
        shown("quit-jobs-and-form", visit);
    });
    at_every_size(|visit| {
        visit.keys("n").types("Harbour Log").keys("Ctrl-c");
        shown("quit-form", visit);
    });
}

#[test]
fn a_dry_run_speaks_of_things_by_their_names() {
    let mut visit = Visit::new(120, 40);
    visit.keys("t").work();
    visit.keys("* x d").settle();
    visit.keys("Enter");
    visit.sees("Old policy It would be purged.");
    let screen = visit.desk.screen();
    assert!(!screen.contains("purge-marked"), "{screen}");
    // Ids are for the journal.
    assert!(!screen.contains("100"), "{screen}");
    assert!(visit.wiki.borrow().writes.is_empty());
}

#[test]
fn a_dry_run_never_reads_as_if_it_was_done() {
    for (keys, told) in [
        ("t", "x d"),
        ("t", "* x d"),
        ("t", "* u d"),
        ("t", "* b d"),
        ("t", "P Tab d"),
        ("D", "Tab d"),
        ("a", "d"),
        ("j a", "d"),
        ("* a", "d"),
    ]
    .into_iter()
    .zip([
        "1 item of ENG would be purged.",
        "2 items of ENG would be purged.",
        "2 items of ENG would be restored.",
        "2 items of ENG would be backed up.",
        "ENG would be emptied of its trash.",
        "ENG would be deleted.",
        "ENG would be archived.",
        "OLD would be taken out of the archive.",
        "ENG would be archived.",
    ])
    .map(|((before, keys), told)| ([before, keys], told))
    {
        let mut visit = Visit::new(120, 40);
        for keys in keys {
            visit.keys(keys).work();
        }
        visit.settle();
        let said = last_said(&visit);
        assert_eq!(said, format!("Dry run: nothing was changed. {told}"));
        let screen = visit.desk.screen();
        let toast = &visit.desk.story.model.toasts;
        assert!(toast.iter().any(|it| it.text == said), "{screen}");
        assert!(visit.wiki.borrow().writes.is_empty(), "{screen}");
        visit.keys("Enter").sees("looked at");
    }
}

/// What was said last.
fn last_said(visit: &Visit) -> String {
    let log = &visit.desk.story.model.log;
    log.last()
        .map(|it| it.line.text.clone())
        .unwrap_or_default()
}

#[test]
fn a_dry_run_says_how_many_would_not_be_done_and_why() {
    let mut visit = Visit::new(120, 40);
    visit.keys("t").work().keys("* x");
    visit.wiki.borrow_mut().server.docs.remove("101");
    visit.keys("d").settle();
    assert_eq!(
        last_said(&visit),
        "Dry run: nothing was changed. 1 of 2 items of ENG would be purged. \
         Draft: It is not there any more."
    );
    visit.wiki.borrow_mut().server.docs.remove("100");
    visit.keys("Esc d").settle();
    assert_eq!(
        last_said(&visit),
        "Dry run: nothing was changed. None of 2 items of ENG would be purged. \
         Old policy: It is not there any more. J shows the others."
    );
}

#[test]
fn keys_that_are_offered_for_a_job_do_something() {
    let mut visit = Visit::new(80, 24);
    deleting(&mut visit);
    visit
        .keys("J")
        .sees("Enter details p pause c cancel o plans q close");
    visit.keys("p").sees("r go on c cancel");
    visit.keys("Enter").sees("state paused");
    visit
        .keys("r")
        .sees("state running")
        .sees("p pause c cancel q close");
    visit.keys("c").sees("state stopping");
    visit.keys("q q");
    assert!(visit.desk.story.model.modals.is_empty());
}

#[test]
fn numbers_of_a_large_job_have_their_thousands_parted() {
    let mut visit = Visit::new(120, 40);
    for id in 1_000..2_200 {
        let draft = doc("ENG", &format!("Draft {id}"), ContentStatus::Trashed);
        let docs = &mut visit.wiki.borrow_mut().server.docs;
        docs.insert(id.to_string(), draft);
    }
    visit.keys("P").work().types("ENG").keys("Enter");
    let is_last = |cursor: &Option<Cursor>| cursor.as_ref().is_some_and(|it| it.0 == "1200");
    visit.work_but(|call| matches!(call, Call::Trash { cursor, .. } if is_last(cursor)));
    visit.keys("J Enter").sees("backing up 1,200 of 1,200");
    visit.sees("now Reading the trash, 1,200 so far");
    visit.work_but(|call| matches!(call, Call::Content { id, .. } if id.as_str() == "999"));
    visit.keys("q q Ctrl-c");
    visit.sees("Purge the trash of ENG, 0 of 1,202 done");
}

#[test]
fn a_dry_run_that_is_cancelled_has_changed_nothing() {
    let mut visit = Visit::new(120, 40);
    visit.keys("t").work().keys("* x d c").settle();
    assert_eq!(
        last_said(&visit),
        "Dry run: cancelled. Nothing was changed."
    );
}

#[test]
fn a_deletion_whose_backup_was_declined_says_so_in_its_detail_and_its_journal() {
    let mut visit = Visit::new(120, 40);
    visit
        .keys("D")
        .work()
        .keys("Tab b Tab")
        .types("ENG")
        .keys("Enter")
        .settle();
    visit
        .keys("J")
        .sees("Without a backup, which was declined.");
    visit.keys("Enter").sees("None. It was declined.");
    let records: Vec<Record> = (visit.desk.journal.iter())
        .map(|line| serde_json::from_str(line).expect("a line"))
        .collect();
    assert!(!records.is_empty());
    for record in records {
        let note = record.note.unwrap_or_default();
        assert!(
            note.contains("Without a backup"),
            "{:?}: {note}",
            record.outcome
        );
    }
    // One with a backup does not.
    let mut visit = Visit::new(120, 40);
    visit.keys("D").work().types("ENG").keys("Enter").settle();
    visit.keys("J");
    assert!(!visit.desk.screen().contains("declined"));
    assert!(!visit.desk.journal.join("").contains("Without a backup"));
}
