//! What hangs on items and is in no backup: files and comments. It is counted while the items are saved,
//! and the job asks before its first request that destroys.

use coracle::confluence::*;
use coracle::jobs::backup;
use coracle::jobs::journal::{Phase, Record};
use coracle::jobs::*;

use crate::machines::Bench;
use crate::simulation::{Lists, Server, agree, doc, fail, head, missing};

/// Three trashed pages: one with files and comments, one of which the server does not tell, and one with
/// nothing.
fn server() -> Server {
    let docs = ["Guide", "Riddle", "Scrap"].into_iter().zip(100..);
    let docs = docs.map(|(title, id)| (id.to_string(), doc("ENG", title, ContentStatus::Trashed)));
    Server::with(docs.collect(), Lists::Bare)
}

/// A page of what hangs on something.
fn hanging(ids: &[&str], kind: &ContentKind, has_next: bool) -> Reply {
    let row = |id: &&str| Content {
        id: ContentId::new(id),
        kind: kind.clone(),
        status: Some(ContentStatus::Current),
        title: ServerText::new(format!("{id}.pdf")),
        has_children: None,
        space: None,
        version: None,
        ancestors: None,
        position: None,
        more: Some(Box::new(ContentMore {
            file_size: (*kind == ContentKind::Attachment).then_some(1_500),
            ..ContentMore::default()
        })),
    };
    Reply::Contents(Page {
        results: ids.iter().map(row).collect(),
        start: 0,
        limit: None,
        total: None,
        has_next,
    })
}

fn told(_: &mut Server, call: &Call, _: u64) -> Option<Result<Reply, ApiError>> {
    match call {
        Call::Attachments { id, .. } | Call::Comments { id, .. } if id.as_str() == "101" => {
            Some(Err(missing()))
        }
        Call::Attachments { id, .. } if id.as_str() == "100" => {
            let files = hanging(&["att1", "att2"], &ContentKind::Attachment, false);
            Some(Ok(files))
        }
        Call::Comments { id, window, .. } if id.as_str() == "100" => {
            let comments = match window.start {
                0 => hanging(&["1", "2"], &ContentKind::Comment, true),
                _ => hanging(&["3"], &ContentKind::Comment, false),
            };
            Some(Ok(comments))
        }
        _ => None,
    }
}

fn marked() -> Job {
    let items = [("100", "Guide"), ("101", "Riddle"), ("102", "Scrap")];
    let items = items.map(|(id, title)| ItemTarget {
        id: ContentId::new(id),
        kind: ContentKind::Page,
        title: title.to_owned(),
        version: Some(1),
        space: Some(SpaceKey::new("ENG")),
    });
    let head = head(Act::PurgeMarked, &["ENG"], items.into());
    let consent = agree(Challenge::new(head.target.clone()));
    Job::purge_marked(head, consent).expect("agreed to")
}

fn all() -> Job {
    let head = head(Act::PurgeAll, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    Job::purge_all(head, consent).expect("agreed to")
}

pub(crate) fn space() -> Job {
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::GoOn,
    };
    Job::delete_spaces(head, consent, options).expect("agreed to")
}

/// Goes on until the job asks; nothing has been destroyed by then.
pub(crate) fn asked(job: Job) -> Bench {
    let mut bench = Bench::new(job, server());
    bench.run(&mut told, |_| false);
    let Some(Question::Losses { items, losses, .. }) = bench.job.question() else {
        panic!("{:?} {:?}", bench.job.question(), bench.job.lines());
    };
    let expected = Losses {
        items: 2,
        files: 2,
        bytes: 3_000,
        comments: 3,
        files_unknown: 1,
        comments_unknown: 1,
        ..Losses::default()
    };
    assert_eq!((items.len(), *losses), (2, expected));
    assert_eq!(
        losses.in_words(),
        "2 attached files (3.0 kB), 3 comments and the files and comments of 1 item (not known)"
    );
    assert_eq!((bench.server.docs.len(), bench.journal.len()), (3, 0));
    bench
}

fn decided(job: Job, decision: Decision) -> Bench {
    let mut bench = asked(job);
    bench.feed(JobEvent::Decide(decision));
    bench.finish(&mut told);
    bench
}

#[test]
fn what_hangs_on_items_is_asked_about_before_anything_is_destroyed() {
    for (make, writes) in [(marked as fn() -> Job, 3), (all, 1), (space, 1)] {
        let done = decided(make(), Decision::GoOn);
        assert_eq!(done.server.docs.len(), 0, "{:?}", done.job.lines());
        assert_eq!(done.job.state(), JobState::Done, "{:?}", done.job.lines());
        let records = done.journal.iter();
        let records = records.map(|line| serde_json::from_str::<Record>(line).expect("a line"));
        let intended = records.filter(|record| record.outcome == Phase::Intended);
        let before: Vec<String> = intended.map(|record| record.before).collect();
        assert_eq!(before.len(), writes);
        let accepted = "not saved, as accepted: 2 attached files (3.0 kB)";
        assert!(before[0].contains(accepted), "{before:?}");
        // Of what loses nothing, nothing is said.
        assert!(writes == 1 || before[2].ends_with("saved"), "{before:?}");

        let stopped = decided(make(), Decision::Stop);
        assert_eq!((stopped.server.docs.len(), stopped.journal.len()), (3, 0));
        assert_eq!(stopped.job.state(), JobState::Failed);
    }
    for make in [marked as fn() -> Job, all] {
        let left = decided(make(), Decision::LeaveOut);
        let ids: Vec<&str> = left.server.docs.keys().map(String::as_str).collect();
        assert_eq!(ids, ["100", "101"]);
        let whys = left
            .job
            .lines()
            .iter()
            .filter_map(|line| match &line.outcome {
                Some(Outcome::Skipped(why)) => Some(why.as_str()),
                _ => None,
            });
        assert_eq!(
            whys.collect::<Vec<_>>(),
            [
                "It was left alone: 2 attached files (3.0 kB) and 3 comments would be lost.",
                "It was left alone: the files and comments of 1 item (not known) would be lost.",
            ]
        );
    }
}

#[test]
fn what_could_not_be_read_is_tried_once_more_where_the_person_says_so() {
    for make in [marked as fn() -> Job, all, space] {
        // Nothing has changed: it is asked about again, and nothing is accepted by that.
        let mut bench = asked(make());
        let lines = bench.job.lines().len();
        bench.feed(JobEvent::Decide(Decision::Again));
        bench.run(&mut told, |_| false);
        assert!(
            matches!(bench.job.question(), Some(Question::Losses { .. })),
            "{:?} {:?}",
            bench.job.question(),
            bench.job.lines()
        );
        assert_eq!(bench.job.lines().len(), lines);
        assert_eq!((bench.server.docs.len(), bench.journal.len()), (3, 0));
        // By now all of it can be read.
        bench.feed(JobEvent::Decide(Decision::Again));
        bench.finish(&mut takes_along);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert_eq!(bench.server.docs.len(), 0);
        let accepted = |line: &String| line.contains("as accepted");
        assert!(!bench.journal.iter().any(accepted), "{:?}", bench.journal);
    }
}

#[test]
fn whoever_stops_a_job_that_asks_has_not_made_it_fail() {
    for make in [marked as fn() -> Job, all, space] {
        let stopped = decided(make(), Decision::Stop);
        assert!(stopped.job.is_stopped(), "{:?}", stopped.job.lines());
        let other = decided(make(), Decision::GoOn);
        assert!(!other.job.is_stopped());
    }
}

/// Whoever accepted before a kill is asked again about what is then found.
#[test]
fn what_was_accepted_is_not_accepted_for_what_is_saved_anew() {
    let mut bench = asked(marked());
    bench.kill();
    bench.feed(JobEvent::Resume);
    bench.run(&mut told, |_| false);
    assert!(matches!(
        bench.job.question(),
        Some(Question::Losses { .. })
    ));
    assert_eq!(bench.journal.len(), 0);
}

/// A trashed page, with a file and a comment on it that are in the trash by themselves.
fn with_rows_of_their_own(marked: &[&str]) -> Bench {
    let kinds = [
        ("100", "Guide", ContentKind::Page),
        ("att7", "plan.pdf", ContentKind::Attachment),
        ("8", "Re: Guide", ContentKind::Comment),
    ];
    let mut server = server();
    server.docs.clear();
    let mut items = Vec::new();
    for (id, title, kind) in kinds {
        let mut row = doc("ENG", title, ContentStatus::Trashed);
        row.kind = kind.clone();
        row.parent = (kind != ContentKind::Page).then(|| "100".to_owned());
        server.docs.insert(id.to_owned(), row);
        items.push(ItemTarget {
            id: ContentId::new(id),
            kind,
            title: title.to_owned(),
            version: Some(1),
            space: Some(SpaceKey::new("ENG")),
        });
    }
    items.retain(|it| marked.contains(&it.id.as_str()));
    let head = head(Act::PurgeMarked, &["ENG"], items);
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::purge_marked(head, consent).expect("agreed to");
    Bench::new(job, server)
}

/// Nothing but rows of their own hang on anything; a page that is purged takes these along.
fn takes_along(server: &mut Server, call: &Call, _: u64) -> Option<Result<Reply, ApiError>> {
    match call {
        Call::Attachments { .. } => Some(Ok(hanging(&[], &ContentKind::Attachment, false))),
        Call::Comments { .. } => Some(Ok(hanging(&[], &ContentKind::Comment, false))),
        Call::PurgeContent { id } if id.as_str() == "100" => {
            let answer = server.serve(call);
            server
                .docs
                .retain(|_, it| it.parent.as_deref() != Some("100"));
            Some(answer)
        }
        _ => None,
    }
}

#[test]
fn what_hangs_on_a_page_and_was_not_chosen_is_a_loss_that_is_asked_about() {
    let asked = || {
        let mut bench = with_rows_of_their_own(&["100", "8"]);
        bench.run(&mut takes_along, |_| false);
        let Some(Question::Losses { items, losses, .. }) = bench.job.question() else {
            panic!("{:?} {:?}", bench.job.question(), bench.job.lines());
        };
        assert_eq!(items.len(), 1);
        assert_eq!(
            items[0].named,
            [
                "A file of it is in the trash by itself, and is not among what is purged: mark it too, and it is saved."
            ]
        );
        assert_eq!(losses.in_words(), "1 attached file");
        assert_eq!((bench.server.docs.len(), bench.journal.len()), (3, 0));
        bench
    };
    let mut bench = asked();
    bench.feed(JobEvent::Decide(Decision::LeaveOut));
    bench.finish(&mut takes_along);
    assert!(bench.server.docs.contains_key("100") && bench.server.docs.contains_key("att7"));

    let mut bench = asked();
    bench.feed(JobEvent::Decide(Decision::GoOn));
    bench.finish(&mut takes_along);
    assert!(bench.server.docs.is_empty());
    let told = bench
        .journal
        .iter()
        .any(|line| line.contains("not saved, as accepted: 1 attached file"));
    assert!(told, "{:?}", bench.journal);
}

#[test]
fn where_the_trash_is_not_told_what_hangs_on_a_page_is_not_known() {
    let mut bench = with_rows_of_their_own(&["100"]);
    bench.run(
        &mut |server, call, at| match call {
            Call::Trash { .. } | Call::TrashedContent { .. } => Some(Err(missing())),
            _ => takes_along(server, call, at),
        },
        |_| false,
    );
    let Some(Question::Losses { items, losses, .. }) = bench.job.question() else {
        panic!("{:?} {:?}", bench.job.question(), bench.job.lines());
    };
    assert_eq!((losses.files_unknown, losses.comments_unknown), (1, 1));
    let why = &items[0].named;
    assert!(!why.is_empty(), "it is told why");
    let names_the_trash = |why: &String| why.contains("trash of ENG");
    assert!(why.iter().all(names_the_trash), "{why:?}");
    assert_eq!(bench.journal.len(), 0);
}

#[test]
fn what_hangs_on_a_page_goes_before_it_and_what_stays_keeps_the_page() {
    let purged = |bench: &Bench| -> Vec<String> {
        let purges = bench.sent.iter().filter_map(|call| match call {
            Call::PurgeContent { id } => Some(id.as_str().to_owned()),
            _ => None,
        });
        purges.collect()
    };
    let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
    bench.finish(&mut takes_along);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert_eq!(purged(&bench).last().map(String::as_str), Some("100"));
    assert_eq!(purged(&bench).len(), 3);

    // The file was changed after it was saved.
    let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
    let mut is_saved = false;
    bench.finish(&mut |server, call, at| {
        if !is_saved && matches!(call, Call::Trash { .. }) {
            is_saved = true;
            server.docs.get_mut("att7").expect("there").version += 1;
        }
        takes_along(server, call, at)
    });
    assert_eq!(purged(&bench), ["8"]);
    let ids: Vec<&str> = bench.server.docs.keys().map(String::as_str).collect();
    assert_eq!(ids, ["100", "att7"]);
    let why = "It was left alone: \"plan.pdf\" hangs on it, is not known to be purged, and would go with it.";
    assert!(
        bench.outcomes().contains(&Outcome::Skipped(why.to_owned())),
        "{:?}",
        bench.outcomes()
    );

    // The backup lacks its file by then.
    let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
    bench.run(&mut takes_along, |bench| {
        bench.count(|call| matches!(call, Call::Trash { .. })) > 0
    });
    bench
        .files
        .retain(|(_, name), _| !name.starts_with("file-"));
    bench.finish(&mut takes_along);
    assert_eq!(
        (purged(&bench).len(), bench.server.docs.len()),
        (0, 3),
        "{:?}",
        bench.outcomes()
    );
}

/// Also a whole trash that is purged item by item: what could not be saved keeps its page.
#[test]
fn a_file_that_could_not_be_saved_keeps_its_page_in_the_trash() {
    let mut bench = with_rows_of_their_own(&["100"]);
    bench.job = all();
    let mut otherwise = |server: &mut Server, call: &Call, at: u64| match call {
        Call::Download { .. } => Some(Err(missing())),
        _ => takes_along(server, call, at),
    };
    bench.run(&mut otherwise, |_| false);
    assert!(matches!(
        bench.job.question(),
        Some(Question::NotSaved { .. })
    ));
    bench.feed(JobEvent::Decide(Decision::LeaveOut));
    bench.finish(&mut otherwise);
    let ids: Vec<&str> = bench.server.docs.keys().map(String::as_str).collect();
    assert_eq!(ids, ["100", "att7"], "{:?}", bench.outcomes());
}

/// An answer to a comment goes with that comment, and no list says that it hangs on it: both are told to
/// hang on the page.
#[test]
fn what_goes_with_what_it_hung_on_is_told_so_and_not_as_vanished() {
    let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
    bench.finish(&mut |server, call, at| match call {
        Call::PurgeContent { id } if id.as_str() == "8" => {
            let answer = server.serve(call);
            server.docs.remove("att7");
            Some(answer)
        }
        Call::PurgeContent { id } if id.as_str() == "att7" => {
            server.docs.remove("8");
            let answer = server.serve(call);
            Some(answer)
        }
        _ => takes_along(server, call, at),
    });
    assert!(bench.server.docs.is_empty(), "{:?}", bench.outcomes());
    assert_eq!(bench.job.state(), JobState::Done);
    let outcomes = format!("{:?}", bench.outcomes());
    assert!(outcomes.contains("WithPage"), "{outcomes}");
    assert!(!outcomes.contains("Gone"), "{outcomes}");
}

/// The list of comments tells of an answer, and not of what it answers.
#[test]
fn a_comment_that_only_an_answer_to_it_names_is_saved_or_is_a_loss() {
    let mut answers = |_: &mut Server, call: &Call, _: u64| match call {
        Call::Comments { id, .. } if id.as_str() == "100" => {
            let mut told = hanging(&["2"], &ContentKind::Comment, false);
            if let Reply::Contents(page) = &mut told {
                page.results[0].ancestors = Some(vec![ContentRef {
                    id: ContentId::new("1"),
                    title: None,
                }]);
            }
            Some(Ok(told))
        }
        _ => None,
    };
    for is_there in [true, false] {
        let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
        for id in if is_there { &["1", "2"][..] } else { &["2"] } {
            let mut row = doc("ENG", "Re: Guide", ContentStatus::Current);
            row.kind = ContentKind::Comment;
            row.parent = Some("100".to_owned());
            bench.server.docs.insert((*id).to_owned(), row);
        }
        bench.run(&mut answers, |_| false);
        if is_there {
            assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
            assert!(
                saved(&bench).contains(&"1".to_owned()),
                "{:?}",
                saved(&bench)
            );
        } else {
            let Some(Question::Losses { losses, .. }) = bench.job.question() else {
                panic!("{:?}", bench.outcomes());
            };
            assert_eq!(losses.in_words(), "1 comment");
            assert_eq!(bench.journal.len(), 0);
        }
    }
}

/// The ids of what is in the files of backups.
fn saved(bench: &Bench) -> Vec<String> {
    let files = bench.files.iter();
    let files = files.filter(|((_, name), _)| name.starts_with("items-"));
    let items = files.flat_map(|((_, name), bytes)| backup::unpack(name, bytes).expect("items"));
    items.map(|it| it.id.to_string()).collect()
}

/// That a file cannot be kept here says nothing of the server's.
#[test]
fn a_file_that_this_machine_cannot_keep_is_no_loss_and_is_fetched_again() {
    let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
    let mut is_full = true;
    bench.run(
        &mut |_, call, _| match call {
            Call::Download { .. } if is_full => Some(Err(fail(ErrorKind::Storage, 0))),
            _ => None,
        },
        |bench| bench.job.trouble().is_some(),
    );
    assert_eq!(
        bench.job.state(),
        JobState::Paused,
        "{:?}",
        bench.outcomes()
    );
    assert_eq!(bench.job.question(), None);
    is_full = false;
    bench.feed(JobEvent::Resume);
    bench.finish(&mut |_, _, _| None);
    assert!(!is_full && bench.server.docs.is_empty());
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
}

/// A file that was marked came back to its page, which is still in the trash: it is not in the trash by
/// itself any more, and goes with the page all the same. The list of the page's files tells of it before
/// it is known that it is gone from the trash, and after that.
#[test]
fn a_marked_file_that_is_back_on_its_trashed_page_is_saved_with_that_page() {
    for is_told_first in [true, false] {
        let mut bench = with_rows_of_their_own(&["100", "att7", "8"]);
        let file = bench.server.docs.get_mut("att7").expect("it is there");
        file.status = ContentStatus::Current;
        let mut limited = is_told_first;
        let mut otherwise = |_: &mut Server, call: &Call, _: u64| match call {
            Call::Content { id, .. } if id.as_str() == "att7" && limited => {
                limited = false;
                let kind = ErrorKind::RateLimited { after_ms: None };
                Some(Err(fail(kind, 429)))
            }
            _ => None,
        };
        bench.run(&mut otherwise, |bench| {
            let mut sent = bench.sent.iter();
            sent.any(|call| matches!(call, Call::PurgeContent { id } if id.as_str() == "100"))
        });
        assert!(
            saved(&bench).contains(&"att7".to_owned()),
            "{is_told_first} {:?}",
            saved(&bench)
        );
        bench.finish(&mut otherwise);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
        assert!(bench.server.docs.is_empty());
    }
}
