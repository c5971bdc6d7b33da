//! What a person at the keys sees when writes go wrong: answers lost before and after the server
//! applied them, applied late, refused, overtaken by somebody else, long tasks that fail, stall
//! and vanish, and a program that is killed with a request on the line.
//!
//! The whole core with its picture on one side, a model of a server on the other, the clock
//! jumped. Held after each: the server is as it should be, the journal tells the truth, and the
//! screen says it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use coracle::app::Start;
use coracle::app::modal::jobs::word;
use coracle::confluence::{
    ApiError, Call, ContentStatus, ErrorKind, LongTask, LongTaskId, Page, Reply, SpaceContent,
    SpaceKey, SpaceStatus,
};
use coracle::jobs::Step;
use coracle::jobs::journal::{self, Phase, Record};

use crate::dialogs::Desk;
use crate::simulation::{Lists, Room, Server, doc, missing};
use crate::story::{Answer, Story, beginning, error, page, space, wiki};

/// What becomes of a write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is applied and answered.
    Answered,
    /// It never arrives, and the line drops.
    LostBefore,
    /// It is applied, and the line drops.
    LostAfter,
    /// It is refused.
    Refused(ErrorKind, u16, &'static str),
}

/// How the long task of a deletion goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tasks {
    /// The space is gone and the task says so.
    End,
    /// The task ends without success; the space stays.
    Fail,
    /// The task stays at 60 %.
    Stall,
    /// The task stays at 60 % with the message of an error.
    StallWithError,
    /// Nobody knows the task any more; the space stays.
    Vanish,
    /// The space is gone, and so is the task.
    Expire,
}

/// The server as the stories want it.
#[derive(Clone)]
pub(crate) struct Wiki {
    pub(crate) server: Server,
    /// What becomes of the next writes; those that follow are answered.
    pub(crate) fates: VecDeque<Fate>,
    pub(crate) tasks: Tasks,
    /// Writes as they were sent.
    pub(crate) writes: Vec<Call>,
    /// Spaces that are being deleted.
    doomed: BTreeSet<String>,
    /// Items whose text can't be had.
    pub(crate) unreadable: BTreeSet<String>,
}

impl Wiki {
    fn new() -> Self {
        let room = |name: &str, archived| Room {
            name: name.into(),
            description: "As it was.".into(),
            archived,
        };
        let rooms = [
            ("ENG", room("Engineering", false)),
            ("OLD", room("Old project", true)),
        ];
        let docs = [
            ("100", doc("ENG", "Old policy", ContentStatus::Trashed)),
            ("101", doc("ENG", "Draft", ContentStatus::Trashed)),
            ("200", doc("ENG", "Home", ContentStatus::Current)),
        ];
        Self {
            server: Server {
                rooms: rooms.map(|(key, room)| (key.to_owned(), room)).into(),
                docs: docs.map(|(id, doc)| (id.to_owned(), doc)).into(),
                tasks: BTreeMap::new(),
                next: 1_000,
                modern: true,
                lists: Lists::Bare,
                user: "me".into(),
            },
            fates: VecDeque::new(),
            tasks: Tasks::End,
            writes: Vec::new(),
            doomed: BTreeSet::new(),
            unreadable: BTreeSet::new(),
        }
    }

    /// Nothing but spaces that may go, and one that may not.
    fn of_doomed() -> Self {
        let mut wiki = Self::new();
        wiki.server.rooms.clear();
        for key in ["D1", "D2", "D3", "D4", "D5", "KEEP"] {
            let room = Room {
                name: format!("Space {key}"),
                description: String::new(),
                archived: false,
            };
            wiki.server.rooms.insert(key.to_owned(), room);
        }
        wiki.server.docs.clear();
        let last = doc("D3", "Last words", ContentStatus::Trashed);
        wiki.server.docs.insert("300".to_owned(), last);
        wiki
    }

    fn gone(&mut self, key: &str) {
        self.server.rooms.remove(key);
        self.server.docs.retain(|_, doc| doc.space != key);
    }

    /// Does what a write asks for.
    pub(crate) fn apply(&mut self, call: &Call) -> Answer {
        match call {
            Call::DeleteSpace { key } => {
                if !self.server.rooms.contains_key(key.as_str()) {
                    return Err(missing());
                }
                self.doomed.insert(key.to_string());
                Ok(Reply::LongTaskStarted(LongTaskId(format!("task-{key}"))))
            }
            Call::CreatePersonalSpace { description, .. } => {
                let room = Room {
                    name: "J. Doe".into(),
                    description: description.clone(),
                    archived: false,
                };
                if self.server.rooms.insert("~jdoe".to_owned(), room).is_some() {
                    return Err(error(ErrorKind::Conflict, 409, "There is one already."));
                }
                self.server.serve(&Call::Space {
                    key: SpaceKey::new("~jdoe"),
                    expand: String::new(),
                })
            }
            other => self.server.serve(other),
        }
    }

    fn task(&mut self, key: &str) -> Answer {
        let (percentage, successful, message) = match self.tasks {
            Tasks::End => {
                self.gone(key);
                (100, true, None)
            }
            Tasks::Fail => (100, false, Some("The attachments could not be removed.")),
            Tasks::Stall => (60, false, None),
            Tasks::StallWithError => (60, false, Some("An error occurred while removing pages.")),
            Tasks::Vanish => return Err(missing()),
            Tasks::Expire => {
                self.gone(key);
                return Err(missing());
            }
        };
        Ok(Reply::LongTask(LongTask {
            id: LongTaskId(format!("task-{key}")),
            name: None,
            elapsed_ms: None,
            percentage,
            successful,
            messages: message.map(str::to_owned).into_iter().collect(),
        }))
    }

    fn answer(&mut self, call: &Call) -> Answer {
        let lost = || Err(error(ErrorKind::Lost, 0, "The line dropped."));
        if !call.is_read() {
            self.writes.push(call.clone());
            return match self.fates.pop_front().unwrap_or(Fate::Answered) {
                Fate::Answered => self.apply(call),
                Fate::LostBefore => lost(),
                Fate::LostAfter => self.apply(call).and(lost()),
                Fate::Refused(kind, status, message) => Err(error(kind, status, message)),
            };
        }
        match call {
            Call::CurrentUser | Call::ServerInfo | Call::AccessMode => wiki(call),
            Call::Spaces { filter, window, .. } => {
                let status = |archived| {
                    if archived {
                        SpaceStatus::Archived
                    } else {
                        SpaceStatus::Current
                    }
                };
                let rooms = self.server.rooms.iter();
                let all: Vec<_> = rooms
                    .map(|(key, room)| space(key, &room.name, status(room.archived)))
                    .filter(|space| filter.status.is_none() || space.status == filter.status)
                    .collect();
                Ok(Reply::Spaces(page(&all, *window)))
            }
            Call::SpaceContent { window, .. } => {
                let nothing = || Page {
                    total: Some(0),
                    ..page(&[], *window)
                };
                Ok(Reply::SpaceContent(SpaceContent::ByType {
                    page: nothing(),
                    blogpost: nothing(),
                }))
            }
            Call::LongTask { id } => {
                let key = id.0.trim_start_matches("task-").to_owned();
                self.task(&key)
            }
            Call::Space { key, .. } => {
                // Whether it is looked at or not, the server goes on with what it was asked for.
                if self.doomed.contains(key.as_str()) && self.tasks == Tasks::End {
                    self.gone(key.as_str());
                }
                self.server.serve(call)
            }
            Call::Content { id, expand, .. }
                if self.unreadable.contains(id.as_str()) && expand != "version" =>
            {
                Err(error(ErrorKind::Forbidden, 403, "You may not read it."))
            }
            other => self.server.serve(other),
        }
    }
}

/// A person, a program and a server.
pub(crate) struct Visit {
    pub(crate) desk: Desk,
    pub(crate) wiki: RefCell<Wiki>,
}

impl Visit {
    pub(crate) fn new(width: u16, height: u16) -> Self {
        Self::to(Wiki::new(), width, height)
    }

    fn to(wiki: Wiki, width: u16, height: u16) -> Self {
        let mut visit = Self {
            desk: Desk::of(Story::start(width, height)),
            wiki: RefCell::new(wiki),
        };
        visit.work();
        visit.desk.story.rest();
        visit.work();
        visit
    }

    /// To a server where five spaces are marked and the dialog that deletes them is open.
    pub(crate) fn about_to_delete_five(width: u16, height: u16) -> Self {
        let mut visit = Self::to(Wiki::of_doomed(), width, height);
        visit.keys("Space Space Space Space Space D").work();
        visit
    }

    /// A copy at this moment.
    pub(crate) fn copy(&self) -> Self {
        Self {
            desk: self.desk.copy(),
            wiki: RefCell::new(self.wiki.borrow().clone()),
        }
    }

    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        self.desk.keys(keys);
        self
    }

    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        // Where not all that has to be read is in sight, it is read first.
        for _ in 0..40 {
            if !self.desk.screen().contains("unread, PgDn") {
                break;
            }
            self.keys("PgDn");
        }
        self.desk.types(text);
        self
    }

    /// Answers everything that is asked.
    pub(crate) fn work(&mut self) -> &mut Self {
        self.work_but(|_| false)
    }

    /// Answers everything that is asked but for what is held.
    pub(crate) fn work_but(&mut self, held: impl Fn(&Call) -> bool) -> &mut Self {
        let wiki = &self.wiki;
        self.desk
            .work_but(&|call| wiki.borrow_mut().answer(call), &held);
        self
    }

    /// Lets time pass and answers until every job is over, or asks, or waits.
    pub(crate) fn settle(&mut self) -> &mut Self {
        self.settle_but(|_| false)
    }

    fn settle_but(&mut self, held: impl Fn(&Call) -> bool) -> &mut Self {
        for _ in 0..1_000 {
            self.work_but(&held);
            let jobs = &self.desk.story.model.jobs;
            let rests = jobs
                .at_work()
                .all(|job| job.question().is_some() || job.deadline().is_none());
            if rests {
                return self;
            }
            self.desk.jump();
        }
        panic!("no end\n{}", self.desk.screen());
    }

    /// The program dies. What is on the line is applied, or not; then it is started again.
    pub(crate) fn kill(self, applied: bool) -> Self {
        let size = self.desk.story.model.size;
        self.kill_and_start(applied, beginning(size.width, size.height))
    }

    /// The same, and it is started again in another way.
    pub(crate) fn kill_and_start(self, applied: bool, start: Start) -> Self {
        let mut wiki = self.wiki.into_inner();
        let mut old = self.desk;
        for (_, call) in old.story.open.drain(..) {
            if !call.is_read() {
                wiki.writes.push(call.clone());
                if applied {
                    wiki.apply(&call).expect("it is applied");
                }
            }
        }
        let mut desk = Desk::of(Story::begin(start));
        desk.journal = old.journal;
        desk.files = old.files;
        desk.backups = old.backups;
        let mut visit = Self {
            desk,
            wiki: RefCell::new(wiki),
        };
        visit.work();
        visit.desk.story.rest();
        visit.work();
        visit
    }

    /// What is on the screen, without borders and with single blanks.
    fn plain(&self) -> String {
        let text = self
            .desk
            .screen()
            .replace(|c: char| "│╭╮╰╯─▸".contains(c), " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        let screen = self.plain();
        assert!(
            screen.contains(text),
            "no \"{text}\" in\n{}",
            self.desk.screen()
        );
        self
    }

    /// The list of jobs shows the newest in this state, and the log tells it so.
    #[track_caller]
    fn is_told(&mut self, state: &str, said: &str) {
        while !self.desk.story.model.modals.is_empty() {
            self.keys("Esc");
        }
        self.keys("J");
        let jobs = &self.desk.story.model.jobs;
        let entered = jobs.list.iter().max_by_key(|it| it.job.head().created);
        let entered = entered.expect("there is a job");
        assert_eq!(word(entered), state, "{:?}", entered.job.lines());
        let title = entered.job.head().title.clone();
        self.sees(&title).sees(state).keys("Esc L");
        self.sees(said).keys("Esc");
        self.journal_holds();
    }

    /// Every write of the journal has its end, and the chain holds.
    #[track_caller]
    fn journal_holds(&self) {
        let mut ends = BTreeMap::new();
        for line in &self.desk.journal {
            let record: Record = serde_json::from_str(line).expect("a line of the journal");
            ends.insert((record.job.clone(), record.no), record.outcome);
        }
        let open = ends.values().any(|end| *end == Phase::Intended);
        assert!(!open, "{:#?}", self.desk.journal);
        journal::verify(&self.desk.journal).expect("the chain holds");
    }

    /// How the last write of this step ended, by the journal.
    fn written(&self, step: Step) -> Phase {
        let mut records = self.desk.journal.iter().rev().filter_map(|line| {
            let record: Record = serde_json::from_str(line).ok()?;
            (record.step == step).then_some(record.outcome)
        });
        records.next().expect("it was journaled")
    }

    pub(crate) fn sent(&self) -> usize {
        self.wiki.borrow().writes.len()
    }

    fn has(&self, key: &str) -> bool {
        self.wiki.borrow().server.rooms.contains_key(key)
    }

    fn room(&self, key: &str) -> Room {
        self.wiki.borrow().server.rooms[key].clone()
    }

    fn doc(&self, id: &str) -> Option<ContentStatus> {
        let wiki = self.wiki.borrow();
        wiki.server.docs.get(id).map(|doc| doc.status)
    }
}

/// A write as it is done from the keyboard, and how to see on the server that it was done.
struct Deed {
    step: Step,
    does: fn(&mut Visit),
    is_done: fn(&Visit) -> bool,
    said: &'static str,
}

const DEEDS: &[Deed] = &[
    Deed {
        step: Step::CreateSpace,
        does: |visit| {
            visit.keys("n").types("Harbour Log").keys("Ctrl-s");
        },
        is_done: |visit| visit.has("HL"),
        said: "New space HL: done.",
    },
    Deed {
        step: Step::CreateSpace,
        does: |visit| {
            visit
                .keys("n")
                .types("Own Notes")
                .keys("Tab Tab Right Ctrl-s");
        },
        is_done: |visit| visit.has("ON"),
        said: "New space ON: done.",
    },
    Deed {
        step: Step::CreateSpace,
        does: |visit| {
            visit
                .keys("n Tab Tab Left Tab")
                .types("Mine.")
                .keys("Ctrl-s");
        },
        is_done: |visit| visit.has("~jdoe") && visit.room("~jdoe").description == "Mine.",
        said: "New space ~jdoe: done.",
    },
    Deed {
        step: Step::UpdateSpace,
        does: |visit| {
            visit.keys("e").work();
            visit.types(" and tools").keys("Ctrl-s y");
        },
        is_done: |visit| visit.room("ENG").name == "Engineering and tools",
        said: "Change ENG: done.",
    },
    Deed {
        step: Step::Archive,
        does: |visit| {
            visit.keys("a y");
        },
        is_done: |visit| visit.room("ENG").archived,
        said: "Archive ENG: done.",
    },
    Deed {
        step: Step::Unarchive,
        does: |visit| {
            visit.keys("j a y");
        },
        is_done: |visit| !visit.room("OLD").archived,
        said: "Restore OLD: done.",
    },
    Deed {
        step: Step::Purge,
        does: |visit| {
            visit.keys("t").work();
            visit.keys("x").work();
            visit.types("1").keys("Enter");
        },
        is_done: |visit| visit.doc("100").is_none() != visit.doc("101").is_none(),
        said: "Purge 1 item of ENG: done.",
    },
    Deed {
        step: Step::Restore,
        does: |visit| {
            visit.keys("t").work();
            visit.keys("u y");
        },
        is_done: |visit| {
            let current = |id| visit.doc(id) == Some(ContentStatus::Current);
            current("100") != current("101")
        },
        said: "Restore 1 item of ENG: done.",
    },
];

#[test]
fn a_write_lost_before_or_after_it_was_applied_is_done_once_in_the_end() {
    for deed in DEEDS {
        for (fate, sent) in [
            (Fate::Answered, 1),
            (Fate::LostAfter, 1),
            (Fate::LostBefore, 2),
        ] {
            let mut visit = Visit::new(120, 40);
            visit.wiki.borrow_mut().fates.push_back(fate.clone());
            (deed.does)(&mut visit);
            visit.settle();
            let what = format!("{fate:?} {}", deed.said);
            assert!((deed.is_done)(&visit), "{what}\n{}", visit.desk.screen());
            assert_eq!(visit.sent(), sent, "{what}");
            assert_eq!(visit.written(deed.step), Phase::Done, "{what}");
            visit.is_told("done", deed.said);
        }
    }
}

#[test]
fn a_lost_deletion_is_known_when_the_space_is_gone_and_unknown_while_it_is_there() {
    for (fate, gone, state, said) in [
        (Fate::LostAfter, true, "done", "Delete ENG: done."),
        (
            Fate::LostBefore,
            false,
            "unknown",
            "Delete ENG: it is not known what became of it. The server did not say",
        ),
    ] {
        let mut visit = Visit::new(120, 40);
        visit.wiki.borrow_mut().fates.push_back(fate);
        visit.keys("D").work().types("ENG").keys("Enter").settle();
        assert_eq!((visit.has("ENG"), visit.sent()), (!gone, 1));
        let phase = if gone { Phase::Done } else { Phase::Unknown };
        assert_eq!(visit.written(Step::Delete), phase);
        visit.is_told(state, said);
    }
}

#[test]
fn a_lost_purge_of_a_whole_trash_is_read_from_the_trash() {
    for (fate, sent, phase) in [
        (Fate::LostAfter, 1, Phase::Done),
        // It stays unknown what became of it; what is still there goes one by one.
        (Fate::LostBefore, 3, Phase::Unknown),
    ] {
        let mut visit = Visit::new(120, 40);
        visit.wiki.borrow_mut().fates.push_back(fate);
        visit.keys("P").work().types("ENG").keys("Enter").settle();
        assert_eq!((visit.doc("100"), visit.doc("101")), (None, None));
        assert_eq!(visit.sent(), sent);
        assert_eq!(visit.written(Step::PurgeTrash), phase);
        visit.is_told("done", "Purge the trash of ENG: done.");
    }
}

#[test]
fn the_end_of_a_long_task_is_told_as_it_is() {
    for (tasks, state, gone, said) in [
        (Tasks::End, "done", true, "Delete ENG: done."),
        (
            Tasks::Fail,
            "failed",
            false,
            "Delete ENG: failed. The server's task failed: The attachments could not be removed.",
        ),
        (
            Tasks::Stall,
            "unknown",
            false,
            "Delete ENG: it is not known what became of it. The server's task has stood at 60 %",
        ),
        (
            Tasks::StallWithError,
            "failed",
            false,
            "Delete ENG: failed. The server's task failed: An error occurred while removing pages.",
        ),
        (
            Tasks::Vanish,
            "unknown",
            false,
            "Delete ENG: it is not known what became of it. The server no longer tells of its task",
        ),
        (Tasks::Expire, "done", true, "Delete ENG: done."),
    ] {
        let mut visit = Visit::new(120, 40);
        visit.wiki.borrow_mut().tasks = tasks;
        visit.keys("D").work().types("ENG").keys("Enter").settle();
        assert_eq!((visit.has("ENG"), visit.sent()), (!gone, 1), "{tasks:?}");
        visit.is_told(state, said);
        let shown = visit
            .desk
            .story
            .model
            .spaces
            .table
            .get(&SpaceKey::new("ENG"));
        assert_eq!(shown.is_some(), !gone, "{tasks:?}");
    }
}

#[test]
fn a_conflict_keeps_what_was_typed_and_the_next_try_saves_it() {
    let mut visit = Visit::new(120, 40);
    let conflict = Fate::Refused(ErrorKind::Conflict, 409, "Somebody else was at it.");
    visit.wiki.borrow_mut().fates.push_back(conflict);
    visit.keys("e").work();
    visit.types(" and tools").keys("Ctrl-s y").settle();
    visit
        .sees("Edit ENG")
        .sees("Engineering and tools")
        .sees("Somebody else was at it.");
    assert_eq!(visit.room("ENG").name, "Engineering");
    assert_eq!(visit.written(Step::UpdateSpace), Phase::Failed);
    visit.keys("Ctrl-s y").settle();
    assert_eq!(visit.room("ENG").name, "Engineering and tools");
    visit.is_told("done", "Change ENG: done.");
}

#[test]
fn a_space_changed_in_between_is_written_as_the_person_chooses() {
    let they = |visit: &Visit, name: &str, description: &str| {
        let mut wiki = visit.wiki.borrow_mut();
        let room = wiki.server.rooms.get_mut("ENG").expect("it is there");
        name.clone_into(&mut room.name);
        description.clone_into(&mut room.description);
    };
    for (letter, name, description, sent) in [
        ("t", "Theirs", "By them.", 0),
        ("m", "Engineering and tools", "As it was.", 1),
        ("b", "Engineering and tools", "By them.", 1),
    ] {
        let mut visit = Visit::new(120, 40);
        visit.keys("e").work();
        visit.types(" and tools").keys("Ctrl-s");
        they(&visit, "Theirs", "By them.");
        visit.keys("y").settle();
        visit
            .sees("Changed meanwhile")
            .sees("was Engineering theirs Theirs mine Engineering and tools")
            .sees("was As it was. theirs By them. mine As it was.");
        assert_eq!(visit.sent(), 0, "{letter}");
        visit.keys(letter).keys("Enter").settle();
        let room = visit.room("ENG");
        assert_eq!(
            (room.name.as_str(), room.description.as_str()),
            (name, description)
        );
        assert_eq!(visit.sent(), sent, "{letter}");
        visit.journal_holds();
    }
    // Put off: the form is there again with what was typed, and asks once more.
    let mut visit = Visit::new(120, 40);
    visit.keys("e").work();
    visit.types(" and tools").keys("Ctrl-s");
    they(&visit, "Theirs", "By them.");
    visit.keys("y").settle().sees("Changed meanwhile");
    visit.keys("Esc").settle();
    visit
        .sees("Edit ENG")
        .sees("Engineering and tools")
        .sees("Somebody changed the space meanwhile");
    assert_eq!(visit.sent(), 0);
    visit.types("!").keys("Ctrl-s y").settle();
    visit
        .sees("Changed meanwhile")
        .sees("mine Engineering and tools!");
    visit.keys("m Enter").settle();
    assert_eq!(visit.room("ENG").name, "Engineering and tools!");
    // Asked while something else lies over the form: it is asked once that is left.
    let mut visit = Visit::new(120, 40);
    visit.keys("e").work();
    visit.types(" and tools").keys("Ctrl-s");
    they(&visit, "Theirs", "By them.");
    visit.keys("y Ctrl-c").settle().sees("asks you something");
    visit.keys("Esc").settle().sees("Changed meanwhile");
    visit.keys("m Enter").settle();
    assert_eq!(visit.room("ENG").name, "Engineering and tools");
    // And changed once more while the person was choosing.
    let mut visit = Visit::new(120, 40);
    visit.keys("e").work();
    visit.types(" and tools").keys("Ctrl-s");
    they(&visit, "Theirs", "By them.");
    visit.keys("y").settle().sees("theirs Theirs mine");
    they(&visit, "Theirs again", "By them.");
    visit.keys("m Enter").settle();
    assert_eq!(visit.sent(), 0);
    visit
        .sees("Changed meanwhile")
        .sees("theirs Theirs again mine");
    visit.keys("m Enter").settle();
    assert_eq!(visit.room("ENG").name, "Engineering and tools");
    assert_eq!(visit.sent(), 1);
}

/// Five deletions under way, the third on the line; then the program dies.
fn killed_at_the_third(options: &str, applied: bool) -> Visit {
    let mut visit = Visit::about_to_delete_five(120, 40);
    visit.keys(options).types("5").keys("Enter");
    let third = |call: &Call| matches!(call, Call::DeleteSpace { key } if key.as_str() == "D3");
    for _ in 0..100 {
        visit.work_but(third);
        if visit.desk.story.open.iter().any(|(_, call)| third(call)) {
            break;
        }
        visit.desk.jump();
    }
    assert_eq!((visit.has("D2"), visit.has("D3")), (false, true));
    let mut visit = visit.kill(applied);
    visit.sees("Delete 5 spaces").sees("left over");
    // Without a new consent nothing goes on.
    assert_eq!(visit.sent(), 3);
    visit.keys("r").work();
    visit.sees("Goes on with: Delete 5 spaces, 2 of 5 done");
    visit.types("3").keys("Enter").settle();
    visit
}

/// How often each space was asked to be deleted.
fn deletions(visit: &Visit) -> Vec<usize> {
    let wiki = visit.wiki.borrow();
    let of = |wanted: &str| {
        let is_it =
            |call: &&Call| matches!(call, Call::DeleteSpace { key } if key.as_str() == wanted);
        wiki.writes.iter().filter(is_it).count()
    };
    ["D1", "D2", "D3", "D4", "D5"].map(of).into()
}

#[test]
fn a_kill_with_a_deletion_on_the_line_ends_as_if_undisturbed_where_it_was_applied() {
    let mut visit = killed_at_the_third("Tab Tab", true);
    assert_eq!(
        visit.wiki.borrow().server.rooms.len(),
        1,
        "only KEEP is left"
    );
    assert_eq!(deletions(&visit), [1, 1, 1, 1, 1]);
    visit.is_told("done", "Delete 5 spaces: done.");
}

#[test]
fn a_kill_with_a_deletion_on_the_line_leaves_that_one_space_unknown_where_it_was_not() {
    // Stopping at a failure, as it is without being asked otherwise.
    let mut visit = killed_at_the_third("Tab Tab", false);
    assert_eq!(deletions(&visit), [1, 1, 1, 0, 0]);
    visit.is_told(
        "unknown",
        "Delete 5 spaces: it is not known what became of it. 2 of 5 deleted, 2 not tried, 1 unknown. D3:",
    );
    assert_eq!(visit.written(Step::Delete), Phase::Unknown);
    // The person looks, and finishes what is left: the same end.
    visit.keys("Esc Space Space Space D").work();
    visit.types("3").keys("Enter").settle();
    assert_eq!(
        visit.wiki.borrow().server.rooms.len(),
        1,
        "only KEEP is left"
    );
    visit.is_told("done", "Delete 3 spaces: done.");

    // Going on after a failure: only that one is left.
    let mut visit = killed_at_the_third("Tab f Tab", false);
    assert_eq!(deletions(&visit), [1, 1, 1, 1, 1]);
    assert!(visit.has("D3") && !visit.has("D4") && !visit.has("D5"));
    visit.is_told(
        "unknown",
        "Delete 5 spaces: it is not known what became of it. 4 of 5 deleted, 1 unknown. D3:",
    );
}

#[test]
fn a_trash_that_is_not_found_for_a_moment_is_not_taken_for_none() {
    let ten = |call: &Call| -> Result<Reply, ApiError> {
        let mut answer = wiki(call)?;
        if let Reply::ServerInfo(info) = &mut answer {
            info.version = Some("10.2.1".to_owned());
        }
        Ok(answer)
    };
    let stumbles = |call: &Call| match call {
        Call::Trash { .. } => Err(missing()),
        other => ten(other),
    };
    let mut desk = Desk::of(Story::start(120, 40));
    desk.work(&ten);
    desk.story.rest();
    desk.work(&ten);
    desk.keys("t").work(&stumbles);
    assert_eq!(desk.story.model.session.has_trash, None);
    let screen = desk.screen();
    assert!(!screen.contains("trash is empty"), "{screen}");
    assert!(screen.contains("NotFound"), "{screen}");
    // The dialog that deletes says that it does not know.
    desk.keys("D").work(&stumbles);
    let screen = desk.screen();
    assert!(screen.contains("trash unknown"), "{screen}");
    desk.keys("Esc r").work(&ten);
    assert!(desk.screen().contains("Old policy 31"), "{}", desk.screen());
}
