//! Long lists in bounded memory: what is held is counted, not measured.
//!
//! `docs/performance.md` says how a million trashed items are measured with the real program.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TakenTurn};
use coracle::confluence::call::Scanned;
use coracle::confluence::{
    Call, Content, ContentId, ContentKind, ContentMore, ContentStatus, Cursor, CursorPage,
    ErrorKind, LongTask, LongTaskId, Page, Person, Reply, ServerText, SpaceKey, Version,
};
use coracle::jobs::backup::{self, Manifest};
use coracle::jobs::journal::{Chain, Entry, Phase, Record};
use coracle::jobs::proof::Standing;
use coracle::jobs::{
    Act, BackupChoice, Challenge, DeleteOptions, Head, ItemTarget, Job, JobEffect, JobEvent, JobId,
    JobState, JobWrite, OnFailure, Outcome, Step, Stored, ledger,
};

use crate::simulation::{Lists, agree, fail, head, is_for_whole_items, missing, session, time};
use crate::story::{Answer, Story, trashed, wiki};

/// A server whose one space has so many trashed pages; a few of them can't be read.
struct Trash {
    items: u64,
    refused: HashSet<u64>,
    lists: Lists,
    /// Pages that are not in the trash, numbered behind those that are.
    pages: u64,
    /// Taken out of the trash while the request that purges it is on its way.
    taken_out: HashSet<u64>,
    purged: Cell<bool>,
    deleted: Cell<bool>,
    asked: RefCell<Vec<Call>>,
}

impl Trash {
    fn of(items: u64) -> Self {
        Self {
            items,
            refused: HashSet::new(),
            lists: Lists::Bare,
            pages: 0,
            taken_out: HashSet::new(),
            purged: Cell::new(false),
            deleted: Cell::new(false),
            asked: RefCell::default(),
        }
    }

    /// Of these lists bring whole items.
    fn whole(items: u64) -> Self {
        Self {
            lists: Lists::Whole,
            ..Self::of(items)
        }
    }

    fn count(&self, is: impl Fn(&Call) -> bool) -> usize {
        self.asked.borrow().iter().filter(|call| is(call)).count()
    }

    fn content(n: u64) -> Content {
        Content {
            id: ContentId::new((1_000 + n).to_string()),
            kind: ContentKind::Page,
            status: Some(ContentStatus::Trashed),
            title: ServerText::new(format!("Old page {n}")),
            has_children: None,
            space: Some(SpaceKey::new("BIG")),
            version: Some(Version {
                number: Some(3),
                ..Version::default()
            }),
            ancestors: Some(Vec::new()),
            position: None,
            more: Some(Box::new(ContentMore {
                body_storage: Some(format!("<p>{}</p>", "text ".repeat(50))),
                created_by: Some(Person::default()),
                labels: Some(Vec::new()),
                restrictions: Some(Vec::new()),
                ..ContentMore::default()
            })),
        }
    }

    fn row(&self, n: u64, expand: &str) -> Content {
        let mut row = Self::content(n);
        if is_for_whole_items(expand) && self.lists == Lists::Whole {
            if let Some(more) = &mut row.more {
                more.attachments = Some(Vec::new());
                more.has_comments = Some(false);
            }
        } else if expand.contains("children.attachment") && self.lists == Lists::Whole {
            row.more = Some(Box::new(ContentMore {
                attachments: Some(Vec::new()),
                has_comments: Some(false),
                ..ContentMore::default()
            }));
        } else {
            row.more = None;
        }
        row
    }

    fn serve(&self, call: &Call) -> Answer {
        self.asked.borrow_mut().push(call.clone());
        if let (
            Lists::Refuse(why, status),
            Call::Trash { expand, .. } | Call::SpaceContentOfKind { expand, .. },
        ) = (&self.lists, call)
            && is_for_whole_items(expand)
        {
            return Err(fail(why.clone(), *status));
        }
        match call {
            Call::Trash {
                cursor,
                limit,
                expand,
                ..
            } => {
                let items = if self.purged.get() { 0 } else { self.items };
                let start: u64 = cursor.as_ref().map_or(0, |at| at.0.parse().expect("ours"));
                let end = (start + limit).min(items);
                Ok(Reply::Trash(CursorPage {
                    results: (start..end).map(|n| self.row(n, expand)).collect(),
                    next: (end < items).then(|| Cursor(end.to_string())),
                    total: Some(items),
                }))
            }
            Call::SpaceContentOfKind {
                kind,
                window,
                expand,
                ..
            } => {
                let mut all: Vec<u64> = (self.items..self.items + self.pages).collect();
                if self.purged.get() {
                    all.extend(&self.taken_out);
                }
                if *kind != ContentKind::Page {
                    all.clear();
                }
                let rows = all.iter().skip(window.start as usize);
                let rows = rows.take(window.limit as usize);
                let results: Vec<Content> = rows.map(|n| self.row(*n, expand)).collect();
                Ok(Reply::Contents(Page {
                    has_next: (window.start as usize) + results.len() < all.len(),
                    results,
                    start: window.start,
                    limit: None,
                    total: None,
                }))
            }
            Call::Content { id, status, .. } => {
                let n = id.as_str().parse::<u64>().expect("ours") - 1_000;
                if self.refused.contains(&n) {
                    return Err(fail(ErrorKind::Forbidden, 403));
                }
                let is_current = n >= self.items || self.taken_out.contains(&n);
                if self.purged.get() && (status.is_some() || !is_current) {
                    return Err(missing());
                }
                Ok(Reply::Content(Box::new(Self::content(n))))
            }
            Call::Comments { .. } | Call::Attachments { .. } => Ok(Reply::Contents(Page {
                results: Vec::new(),
                start: 0,
                limit: None,
                total: None,
                has_next: false,
            })),
            Call::Scan {
                cursor, limit, of, ..
            } => {
                let start: u64 = cursor.as_ref().map_or(0, |at| at.0.parse().expect("ours"));
                let all = match of {
                    Scanned::Trashed => self.items,
                    Scanned::Any => self.items + self.pages,
                };
                let end = (start + limit).min(all);
                let row = |n: u64| Content {
                    status: Some(if n < self.items {
                        ContentStatus::Trashed
                    } else {
                        ContentStatus::Current
                    }),
                    ..self.row(n, "")
                };
                Ok(Reply::Scan(CursorPage {
                    results: (start..end).map(row).collect(),
                    next: (end < all).then(|| Cursor(end.to_string())),
                    total: None,
                }))
            }
            Call::PurgeTrash { .. } => {
                self.purged.set(true);
                Ok(Reply::Done)
            }
            Call::DeleteSpace { .. } => {
                self.deleted.set(true);
                Ok(Reply::LongTaskStarted(LongTaskId("t".to_owned())))
            }
            Call::LongTask { id } => Ok(Reply::LongTask(LongTask {
                id: id.clone(),
                name: None,
                elapsed_ms: None,
                percentage: 100,
                successful: true,
                messages: Vec::new(),
            })),
            Call::Space { .. } if self.deleted.get() => Err(missing()),
            other => panic!("{other:?}"),
        }
    }
}

/// What a job asked for, in all and at one time.
#[derive(Default)]
struct Peaks {
    /// Items that wait to be saved.
    held: usize,
    /// Bytes on their way to the disk.
    bytes: usize,
    /// The longest text of the job.
    checkpoint: usize,
    /// Requests at a time.
    requests: usize,
}

/// Runs a job to its end against a server and a disk that forgets all but the manifest and what has
/// to be read back.
fn run(job: &mut Job, server: &Trash) -> (Peaks, u64, Option<Manifest>) {
    let mut peaks = Peaks::default();
    let mut files = std::collections::HashMap::new();
    let mut todo: std::collections::VecDeque<JobEffect> = job.step(0, JobEvent::Begin).into();
    let (mut saved, mut manifest) = (0, None);
    let mut at = 0;
    loop {
        let Some(effect) = todo.pop_front() else {
            let Some(deadline) = job.deadline() else {
                return (peaks, saved, manifest);
            };
            at = deadline;
            todo.extend(job.step(at, JobEvent::Tick));
            continue;
        };
        peaks.held = peaks.held.max(job.held().unwrap_or(usize::MAX));
        let sends = std::iter::once(&effect).chain(&todo);
        let sends = sends.filter(|it| matches!(it, JobEffect::Send { .. }));
        peaks.requests = peaks.requests.max(sends.count());
        let bytes = todo.iter().map(|it| match it {
            JobEffect::Write {
                what: JobWrite::BackupFile { bytes, .. },
                ..
            } => bytes.len(),
            _ => 0,
        });
        peaks.bytes = peaks.bytes.max(bytes.sum());
        let event = match effect {
            JobEffect::Send { request, call } => JobEvent::Reply {
                request,
                outcome: server.serve(&call),
            },
            JobEffect::Write { write, what } => {
                let stored = match what {
                    JobWrite::Checkpoint(text) => {
                        peaks.checkpoint = peaks.checkpoint.max(text.len());
                        Stored::Done
                    }
                    JobWrite::BackupFile { name, bytes, .. } => {
                        if name == backup::MANIFEST {
                            manifest = Some(Manifest::decode(&bytes).expect("whole"));
                        } else {
                            let items = backup::unpack(&name, &bytes).expect("whole");
                            saved += items.len() as u64;
                        }
                        files.insert(name, bytes);
                        Stored::Done
                    }
                    JobWrite::ReadBack { name, .. } => {
                        Stored::Bytes(files.remove(&name).expect("written").to_vec())
                    }
                    JobWrite::Prove(_) => Stored::Standing(Standing::Holds),
                    JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
                    JobWrite::Journal(_)
                    | JobWrite::MakeFolder { .. }
                    | JobWrite::CheckRoom { .. }
                    | JobWrite::CheckFile { .. }
                    | JobWrite::Hold { .. }
                    | JobWrite::Release { .. } => Stored::Done,
                };
                JobEvent::Written {
                    write,
                    outcome: Ok(stored),
                }
            }
            JobEffect::Ask(question) => panic!("{question:?}"),
            JobEffect::GiveUp { .. } | JobEffect::GiveUpWrite { .. } => continue,
        };
        todo.extend(job.step(at, event));
    }
}

fn purge_all() -> Job {
    let head = head(Act::PurgeAll, &["BIG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    Job::purge_all(head, consent).expect("fit")
}

/// A trash ten times as long is backed up in the same memory: pages of the list come no faster
/// than they are saved, and what is saved is forgotten.
#[test]
fn a_backup_of_a_whole_trash_holds_a_page_or_two_at_a_time() {
    let mut before: Option<Peaks> = None;
    for (items, lists) in [
        (2_000, Lists::Bare),
        (10_000, Lists::Bare),
        (10_000, Lists::Whole),
    ] {
        let server = Trash {
            lists,
            ..Trash::of(items)
        };
        let mut job = Job::back_up(head(Act::BackUp, &["BIG"], Vec::new())).expect("fit");
        let (peaks, saved, manifest) = run(&mut job, &server);
        assert_eq!(job.state(), JobState::Done, "{:?}", job.lines());
        assert_eq!(saved, items);
        let manifest = manifest.expect("it was written");
        assert_eq!(manifest.items, items);
        assert!(peaks.held <= 400, "{} items at a time", peaks.held);
        assert!(peaks.requests <= 4, "{} requests", peaks.requests);
        assert_eq!(job.lines().len(), 1, "a line for the space");
        assert!(peaks.checkpoint < 20_000, "{} bytes", peaks.checkpoint);
        let progress = job.progress();
        assert_eq!(
            (progress.finished, progress.total),
            (items as usize, items as usize)
        );
        if let Some(before) = before {
            assert!(peaks.held <= before.held);
            assert!(peaks.bytes <= 2 * before.bytes.max(1), "{}", peaks.bytes);
        }
        before = Some(peaks);
    }
}

/// Lists that bring whole items make a request for each of them needless, whatever comes after the
/// backup.
#[test]
fn what_lists_bring_whole_is_not_asked_for_again() {
    let items = 10_000;
    let single = |call: &Call| matches!(call, Call::Content { .. } | Call::Attachments { .. });

    let server = Trash::whole(items);
    let mut job = Job::back_up(head(Act::BackUp, &["BIG"], Vec::new())).expect("fit");
    let (_, saved, _) = run(&mut job, &server);
    assert_eq!((job.state(), saved), (JobState::Done, items));
    assert_eq!((server.count(single), server.count(|_| true)), (0, 100));

    let server = Trash::whole(items);
    let mut job = purge_all();
    let (peaks, saved, _) = run(&mut job, &server);
    assert_eq!((job.state(), saved), (JobState::Done, items));
    // A hundred pages to save it, fifty and a scan of twenty to compare, the purge, a look, and pages
    // and blog posts.
    assert_eq!((server.count(single), server.count(|_| true)), (0, 174));
    assert!(peaks.held <= 400, "{} items at a time", peaks.held);

    let server = Trash {
        pages: items,
        ..Trash::whole(items)
    };
    let head = head(Act::DeleteSpaces, &["BIG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::Stop,
    };
    let mut job = Job::delete_spaces(head, consent, options).expect("fit");
    let (peaks, saved, _) = run(&mut job, &server);
    assert_eq!((job.state(), saved), (JobState::Done, 2 * items));
    // Both lists whole, and once more bare and as a scan; blog posts three times; a scan for comments and
    // one for files; the pages with what hangs on them; the deletion, its task and the space.
    assert_eq!((server.count(single), server.count(|_| true)), (0, 508));
    assert!(peaks.held <= 400, "{} items at a time", peaks.held);
}

/// A server that gives less, or nothing, or fails, costs as much as one that is not asked for whole
/// items, but for the few requests by which that is learned.
#[test]
fn a_server_that_gives_no_whole_items_is_soon_asked_for_bare_rows() {
    let items = 5_000;
    for (lists, whole) in [
        (Lists::Bare, 1),
        (Lists::Refuse(ErrorKind::Invalid, 400), 3),
        (Lists::Refuse(ErrorKind::Status, 413), 3),
        (Lists::Refuse(ErrorKind::TooLarge, 200), 3),
        // Each is tried twice.
        (Lists::Refuse(ErrorKind::Server, 500), 6),
        (Lists::Refuse(ErrorKind::Timeout, 0), 6),
    ] {
        let server = Trash {
            lists: lists.clone(),
            ..Trash::of(items)
        };
        let mut job = Job::back_up(head(Act::BackUp, &["BIG"], Vec::new())).expect("fit");
        let (_, saved, _) = run(&mut job, &server);
        assert_eq!((job.state(), saved), (JobState::Done, items), "{lists:?}");
        let for_whole = server
            .count(|call| matches!(call, Call::Trash { expand, .. } if is_for_whole_items(expand)));
        assert_eq!(for_whole, whole, "{lists:?}");
        let rest = server.count(|_| true) - for_whole;
        assert!(rest <= 3 * 5_000 + 25, "{rest} requests, {lists:?}");
    }
}

/// What a server once failed over it is not asked for again in the next space, and the trash is read
/// from where it stood.
#[test]
fn what_a_server_does_with_whole_items_is_remembered_from_space_to_space() {
    let server = Trash {
        lists: Lists::Refuse(ErrorKind::Invalid, 400),
        ..Trash::of(900)
    };
    let keys = ["A", "B", "C"];
    let mut job = Job::back_up(head(Act::BackUp, &keys, Vec::new())).expect("fit");
    let (_, saved, _) = run(&mut job, &server);
    assert_eq!((job.state(), saved), (JobState::Done, 2_700));
    let whole = server
        .count(|call| matches!(call, Call::Trash { expand, .. } if is_for_whole_items(expand)));
    assert_eq!(whole, 3);
}

/// Of each item of a trash that is purged as a whole its line stays, and the version that was saved.
#[test]
fn a_whole_trash_that_is_purged_is_held_by_names_and_versions_alone() {
    for server in [Trash::whole(10_000), Trash::of(10_000)] {
        let mut job = purge_all();
        let (peaks, ..) = run(&mut job, &server);
        assert_eq!(job.state(), JobState::Done);
        assert!(peaks.held <= 400, "{} items at a time", peaks.held);
        let each = peaks.checkpoint / 10_000;
        assert!(each <= 120, "{each} bytes an item in the file of the job");
    }
}

#[test]
fn what_can_not_be_saved_of_a_whole_trash_has_a_line_of_its_own() {
    let server = Trash {
        refused: HashSet::from([7, 333]),
        ..Trash::of(500)
    };
    let mut job = Job::back_up(head(Act::BackUp, &["BIG"], Vec::new())).expect("fit");
    let (_, saved, manifest) = run(&mut job, &server);
    assert_eq!((saved, job.state()), (498, JobState::Failed));
    let failed: Vec<&str> = job
        .lines()
        .iter()
        .filter(|line| matches!(line.outcome, Some(Outcome::NotSaved(_))))
        .map(|line| &*line.subject)
        .collect();
    assert_eq!(failed, ["1007", "1333"]);
    let manifest = manifest.expect("it was written");
    assert_eq!((manifest.items, manifest.not_saved.len()), (498, 2));
}

/// A job of many items is stored with its items once, and only now and then.
#[test]
fn the_file_of_a_long_job_names_its_items_once_and_is_seldom_written() {
    let count = 10_000_usize;
    let items: Vec<ItemTarget> = (0..count)
        .map(|n| ItemTarget {
            id: ContentId::new((1_000 + n).to_string()),
            kind: ContentKind::Page,
            title: format!("A title that is only here {n}."),
            version: Some(3),
            space: Some(SpaceKey::new("BIG")),
        })
        .collect();
    let head = head(Act::PurgeMarked, &["BIG"], items);
    let consent = agree(Challenge::new(head.target.clone()));
    let mut job = Job::purge_marked(head, consent).expect("fit");
    let server = Trash::of(count as u64);
    let mut files = std::collections::HashMap::new();
    let mut purged = std::collections::HashSet::new();
    let mut todo: std::collections::VecDeque<JobEffect> = job.step(0, JobEvent::Begin).into();
    let (mut checkpoints, mut most) = (0, 0);
    while let Some(effect) = todo.pop_front() {
        let event = match effect {
            JobEffect::Send { request, call } => JobEvent::Reply {
                request,
                outcome: match &call {
                    Call::PurgeContent { id } => {
                        purged.insert(id.clone());
                        Ok(Reply::Done)
                    }
                    Call::Content { id, .. } if purged.contains(id) => Err(missing()),
                    other => server.serve(other).map(|answer| match answer {
                        Reply::Trash(mut page) => {
                            page.results.retain(|row| !purged.contains(&row.id));
                            Reply::Trash(page)
                        }
                        other => other,
                    }),
                },
            },
            JobEffect::Write { write, what } => {
                let stored = match what {
                    JobWrite::Checkpoint(text) => {
                        checkpoints += 1;
                        // As a target and as a line of the job; nowhere else.
                        let named = text.matches("A title that is only here 777.").count();
                        most = most.max(named);
                        Stored::Done
                    }
                    JobWrite::BackupFile { name, bytes, .. } => {
                        files.insert(name, bytes);
                        Stored::Done
                    }
                    JobWrite::ReadBack { name, .. } => Stored::Bytes(files[&name].to_vec()),
                    JobWrite::Prove(_) => Stored::Standing(Standing::Holds),
                    JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
                    JobWrite::Journal(_)
                    | JobWrite::MakeFolder { .. }
                    | JobWrite::CheckRoom { .. }
                    | JobWrite::CheckFile { .. }
                    | JobWrite::Hold { .. }
                    | JobWrite::Release { .. } => Stored::Done,
                };
                JobEvent::Written {
                    write,
                    outcome: Ok(stored),
                }
            }
            JobEffect::Ask(question) => panic!("{question:?}"),
            JobEffect::GiveUp { .. } | JobEffect::GiveUpWrite { .. } => continue,
        };
        todo.extend(job.step(0, event));
    }
    assert_eq!(job.state(), JobState::Done);
    assert!(checkpoints <= 24, "{checkpoints} times");
    assert!(most <= 3, "{most} times in one file");
}

fn record(job: &Head, no: u64, outcome: Phase) -> Record {
    Record {
        job: job.id.clone(),
        act: Act::PurgeMarked,
        no,
        item: 0,
        step: Step::Purge,
        subject: no.to_string(),
        title: "Old".to_owned(),
        method: coracle::confluence::call::Method::Delete,
        path: format!("/rest/api/content/{no}"),
        before: "trashed".to_owned(),
        outcome,
        made: None,
        note: None,
    }
}

/// A start keeps of a journal what it needs, however long it is.
#[test]
fn a_long_journal_is_read_without_being_kept() {
    let done = head(Act::PurgeMarked, &["BIG"], Vec::new());
    let mut mine = head(Act::BackUp, &["BIG"], Vec::new());
    mine.id = JobId::new("mine");
    let mut job = Job::back_up(mine.clone()).expect("fit");
    let mut stored = String::new();
    for effect in job.step(0, JobEvent::Begin) {
        if let JobEffect::Write {
            what: JobWrite::Checkpoint(text),
            ..
        } = effect
        {
            stored = text;
        }
    }
    let mut chain = Chain::default();
    let mut lines = Vec::new();
    let mut write = |record: &Record| {
        let line = chain.draft(record, time(), &session());
        chain.commit(&line);
        lines.push(line);
    };
    for no in 1..5_000 {
        write(&record(&done, no, Phase::Intended));
        write(&record(&done, no, Phase::Done));
    }
    for no in 500..510 {
        write(&record(&mine, no, Phase::Intended));
        write(&record(&mine, no, Phase::Done));
    }
    write(&record(&mine, 510, Phase::Intended));
    for no in 5_000..9_000 {
        write(&record(&done, no, Phase::Intended));
    }
    let read = ledger::read(&lines, Some(stored.as_str()), 100).expect("whole");
    assert_eq!(read.verified.entries, lines.len() as u64);
    assert_eq!(read.recent.len(), 100);
    assert_eq!(
        read.recent.last().map(|entry| entry.seq),
        Some(lines.len() as u64)
    );
    let needed: Vec<(u64, Phase)> = read
        .needed
        .iter()
        .map(|entry: &Entry| (entry.record.no, entry.record.outcome))
        .collect();
    let mut wanted: Vec<_> = (500..510).map(|no| (no, Phase::Done)).collect();
    wanted.push((510, Phase::Intended));
    assert_eq!(needed, wanted);
}

/// All of a long trash marked means the trash: its backup names no item.
#[test]
fn all_of_a_long_trash_is_backed_up_as_the_trash_and_not_by_name() {
    let count: u32 = 12_000;
    let server = move |call: &Call| -> Answer {
        match call {
            Call::Trash { cursor, limit, .. } => {
                let start: u32 = cursor.as_ref().map_or(0, |at| at.0.parse().expect("ours"));
                let end = (start + u32::try_from(*limit).expect("small")).min(count);
                let item = |n: u32| trashed(&(1_000 + n).to_string(), &format!("Item {n}"), &[]);
                Ok(Reply::Trash(CursorPage {
                    results: (start..end).map(item).collect(),
                    next: (end < count).then(|| Cursor(end.to_string())),
                    total: Some(u64::from(count)),
                }))
            }
            other => wiki(other),
        }
    };
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&server);
    story.keys("*");
    let screen = story.screen();
    assert!(screen.contains("Not everything is read yet"), "{screen}");
    story.answer_all(&server);
    story.rest();
    story.keys("*").rest();
    assert_eq!(story.model.content.trees.trash.marks.len(), count as usize);
    story.keys("b").answer_all(&server);
    let screen = story.screen();
    assert!(screen.contains("Back up the trash of ENG"), "{screen}");
    assert!(screen.contains("12,000 in trash"), "{screen}");
    story.keys("y");
    let job = &story.model.jobs.list.last().expect("it began").job;
    assert!(job.head().target.items.is_empty());
    assert_eq!(
        job.held(),
        Some(0),
        "nothing is held before it is asked for"
    );
    // It is stored once it is its turn to write.
    let turn = story.effects.iter().find_map(|effect| match effect {
        Effect::Disk {
            ticket,
            call: DiskCall::TakeTurn,
        } => Some(*ticket),
        _ => None,
    });
    story.happen(Msg::Disk {
        ticket: turn.expect("it asks for its turn"),
        outcome: Ok(DiskReply::Turn(TakenTurn::Ours(None))),
    });
    let stored = story.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Disk {
                call: DiskCall::WriteState { name, text },
                ..
            } if name.starts_with("job-") && text.len() < 20_000
        )
    });
    assert!(stored, "its file is short");
}
