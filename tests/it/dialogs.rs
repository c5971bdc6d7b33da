//! Snapshots of every form and dialog in its states, and what their keys do: told as stories.

use std::collections::BTreeMap;

use coracle::app::key::{KeyPress, Stroke};
use coracle::app::message::{DiskCall, DiskError, DiskReply, Effect, Msg, TakenTurn, TextFile};
use coracle::app::{StartMode, Writes};
use coracle::confluence::{
    Call, Cursor, CursorPage, ErrorKind, Permission, Reply, ServerText, Space, SpaceKey,
    SpaceStatus,
};
use coracle::jobs::{Stored, ledger};

use crate::meddling::prove;
use crate::story::{Answer, Story, error, page, trashed, wiki};

/// The usual sizes, from the smallest that works.
const SIZES: [(u16, u16); 3] = [(40, 12), (80, 24), (120, 40)];

/// So often something may be asked and answered before a story counts as one without end.
const ROUNDS: usize = 20_000;

/// A story whose disk answers, with every file in memory.
pub(crate) struct Desk {
    pub(crate) story: Story,
    /// The journal, line by line.
    pub(crate) journal: Vec<String>,
    /// The state files.
    pub(crate) files: BTreeMap<String, String>,
    /// State files that can't be read, and why.
    pub(crate) unreadable: BTreeMap<String, String>,
    /// The files of backups.
    pub(crate) backups: BTreeMap<(String, String), Vec<u8>>,
    /// Whether the journal takes lines.
    pub(crate) takes_lines: bool,
    /// Whether another process is writing to the server.
    pub(crate) is_held: bool,
    /// Whether there is room for the lock of the server.
    pub(crate) is_full: bool,
    done: usize,
}

impl Desk {
    /// A start on the sample wiki, everything answered.
    pub(crate) fn browsing(width: u16, height: u16) -> Self {
        Self::with(width, height, Writes::Allowed)
    }

    pub(crate) fn with(width: u16, height: u16, writes: Writes) -> Self {
        let story = Story::with(width, height, StartMode::Connect, writes);
        let mut desk = Self::of(story);
        desk.work(&wiki);
        desk.story.rest();
        desk.work(&wiki);
        desk
    }

    /// On top of a story that has just begun.
    pub(crate) fn of(story: Story) -> Self {
        Self {
            story,
            journal: Vec::new(),
            files: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            backups: BTreeMap::new(),
            takes_lines: true,
            is_held: false,
            is_full: false,
            done: 0,
        }
    }

    /// A copy at this moment.
    pub(crate) fn copy(&self) -> Self {
        let story = Story {
            model: self.story.model.clone(),
            at: self.story.at,
            open: self.story.open.clone(),
            sent: self.story.sent.clone(),
            effects: self.story.effects.clone(),
            recorder: None,
        };
        Self {
            story,
            journal: self.journal.clone(),
            files: self.files.clone(),
            unreadable: self.unreadable.clone(),
            backups: self.backups.clone(),
            ..*self
        }
    }

    /// The next thing that is asked of the disk, taken from it.
    pub(crate) fn next_of_disk(&mut self) -> Option<Effect> {
        while let Some(effect) = self.story.effects.get(self.done).cloned() {
            self.done += 1;
            if matches!(effect, Effect::Disk { .. }) {
                return Some(effect);
            }
        }
        None
    }

    fn disk(&mut self, call: DiskCall) -> Result<DiskReply, DiskError> {
        Ok(match call {
            DiskCall::ReadJobs => DiskReply::Jobs {
                at_work: None,
                journal: Box::new(ledger::read(
                    &self.journal,
                    self.files.values().map(String::as_str),
                    100,
                )),
                checkpoints: self
                    .files
                    .iter()
                    .filter(|(name, _)| name.starts_with("job-"))
                    .map(|(name, text)| TextFile::read(name, text))
                    .chain(self.unreadable.iter().map(|(name, why)| TextFile {
                        name: name.clone(),
                        text: Err(why.clone()),
                    }))
                    .collect(),
            },
            DiskCall::TakeTurn if self.is_held => {
                DiskReply::Turn(TakenTurn::Theirs("process 4711 since 14:02".to_owned()))
            }
            DiskCall::TakeTurn if self.is_full => {
                return Err(DiskError {
                    message: "No space left on device: server.lock.".to_owned(),
                });
            }
            DiskCall::TakeTurn => DiskReply::Turn(TakenTurn::Ours(None)),
            DiskCall::AppendJournal(line) => {
                if !self.takes_lines {
                    return Err(DiskError {
                        message: "No space left on device: journal.ndjson.".to_owned(),
                    });
                }
                self.journal.push(line);
                DiskReply::Written
            }
            DiskCall::WriteState { name, text } => {
                self.files.insert(name, text);
                DiskReply::Written
            }
            DiskCall::RemoveState { name } => {
                self.files.remove(&name);
                DiskReply::Written
            }
            DiskCall::WriteBackup {
                backup,
                name,
                bytes,
            } => {
                self.backups.insert((backup, name), bytes.to_vec());
                DiskReply::Written
            }
            DiskCall::ReadBackup { backup, name } => {
                DiskReply::Bytes(self.backups.get(&(backup, name)).cloned())
            }
            DiskCall::ProveBackups(claim) => {
                let read = |backup: &str, name: &str| {
                    let place = (backup.to_owned(), name.to_owned());
                    self.backups.get(&place).cloned()
                };
                match prove(&claim, &read) {
                    Ok(Stored::Standing(standing)) => DiskReply::Standing(standing),
                    Ok(other) => panic!("{other:?}"),
                    Err(problem) => {
                        return Err(DiskError {
                            message: problem.message,
                        });
                    }
                }
            }
            DiskCall::WritePlan { name, .. } => DiskReply::Path(format!("plans/{name}")),
            _ => DiskReply::Text(None),
        })
    }

    /// Answers the disk. Says whether anything was asked of it.
    pub(crate) fn answer_disk(&mut self) -> bool {
        let mut any = false;
        while let Some(effect) = self.story.effects.get(self.done).cloned() {
            self.done += 1;
            if let Effect::Disk { ticket, call } = effect {
                any = true;
                let outcome = self.disk(call);
                self.story.happen(Msg::Disk { ticket, outcome });
            }
        }
        any
    }

    /// Answers disk and requests, but for those that are held, until nothing else is asked.
    pub(crate) fn work_but(
        &mut self,
        server: &dyn Fn(&Call) -> Answer,
        held: &dyn Fn(&Call) -> bool,
    ) {
        // A job that asks for ever is to fail its test, not to hang it.
        for _ in 0..ROUNDS {
            let disk = self.answer_disk();
            let place = self.story.open.iter().position(|(_, call)| !held(call));
            if let Some((ticket, call)) = place.and_then(|place| self.story.open.remove(place)) {
                let outcome = server(&call);
                self.story.happen(Msg::Reply {
                    ticket,
                    outcome,
                    took_ms: 42,
                });
            } else if !disk {
                return;
            }
        }
        panic!("no end\n{}", self.screen());
    }

    /// Answers disk and requests until nothing more is asked.
    pub(crate) fn work(&mut self, server: &dyn Fn(&Call) -> Answer) -> &mut Self {
        self.work_but(server, &|_| false);
        self
    }

    /// Jumps to the next time that the core wants.
    pub(crate) fn jump(&mut self) -> &mut Self {
        if let Some(at) = self.story.model.deadline() {
            self.story.at = self.story.at.max(at.0);
            self.story.happen(Msg::Clock);
        }
        self
    }

    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        self.story.keys(keys);
        self
    }

    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        // A person takes a while from key to key.
        for c in text.chars() {
            self.story.at += 150;
            self.story.types(&c.to_string());
        }
        self
    }

    /// What was sent since the beginning and would change something.
    pub(crate) fn writes(&self) -> Vec<&Call> {
        let writes = self.story.sent.iter().filter(|call| !call.is_read());
        writes.collect()
    }

    pub(crate) fn screen(&self) -> String {
        self.story.screen()
    }
}

fn at_every_size(name: &str, tell: impl Fn(&mut Desk)) {
    for (width, height) in SIZES {
        let mut desk = Desk::browsing(width, height);
        tell(&mut desk);
        // Toasts come and go; these are pictures of what stays.
        desk.story.model.toasts.clear();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}-{width}x{height}"), desk.screen());
        });
    }
}

fn refusal(kind: ErrorKind, status: u16, message: &str) -> Answer {
    Err(error(kind, status, message))
}

/// The sample wiki, which tells who administers a space and when it was changed.
pub(crate) fn told(call: &Call) -> Answer {
    match call {
        Call::Space { key, .. } => {
            let mut answer = wiki(call)?;
            if let Reply::Space(space) = &mut answer {
                let more = space.more.get_or_insert_with(Box::default);
                more.permissions = Some(vec![Permission {
                    operation: "administer".to_owned(),
                    target: "space".to_owned(),
                    subjects: vec!["J. Doe".to_owned(), "A. Smith".to_owned()],
                }]);
                let _ = key;
            }
            Ok(answer)
        }
        Call::SpaceContentOfKind { window, kind, .. } => {
            let count = if *kind == coracle::confluence::ContentKind::Page {
                412
            } else {
                18
            };
            let mut page = page(&[], *window);
            page.total = Some(count);
            page.has_next = true;
            Ok(Reply::Contents(page))
        }
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: Vec::new(),
            next: Some(Cursor("more".to_owned())),
            total: Some(96),
        })),
        other => wiki(other),
    }
}

/// Nothing is in the space.
fn nothing(call: &Call) -> Answer {
    match call {
        Call::SpaceContentOfKind { window, .. } => Ok(Reply::Contents(page(&[], *window))),
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: Vec::new(),
            next: None,
            total: Some(0),
        })),
        other => wiki(other),
    }
}

/// The list of the trash tells a row again, and another is not told.
fn lying(call: &Call) -> Answer {
    match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: ["20", "21", "21", "23"]
                .map(|id| trashed(id, "Old policies", &[]))
                .into(),
            next: None,
            total: Some(4),
        })),
        other => told(other),
    }
}

#[test]
fn a_list_that_leaves_rows_out_is_told_before_anything_stands_on_it() {
    at_every_size("delete-one-uncertain", |desk| {
        desk.keys("j j D").work(&lying);
    });
    at_every_size("purge-all-uncertain", |desk| {
        desk.keys("j t").work(&lying);
        desk.keys("P").work(&lying);
    });
    let mut desk = Desk::browsing(120, 40);
    desk.keys("j t").work(&lying);
    let screen = desk.screen();
    assert!(screen.contains("Trash 3?"), "{screen}");
    assert!(
        screen.contains("not certain: the list repeats rows"),
        "{screen}"
    );
}

fn free(call: &Call) -> Answer {
    match call {
        Call::Space { .. } => refusal(ErrorKind::NotFound, 404, "No space with this key."),
        other => wiki(other),
    }
}

#[test]
fn new_space() {
    at_every_size("new-space", |desk| {
        desk.keys("n");
    });
    at_every_size("new-space-filled", |desk| {
        desk.keys("n").types("Harbour Log");
        desk.keys("Tab Tab Tab")
            .types("What came in, what went out.");
        desk.story.rest();
        desk.work(&free);
    });
    at_every_size("new-space-taken", |desk| {
        desk.keys("n")
            .types("Engineering")
            .keys("Tab Ctrl-u")
            .types("ENG");
        desk.story.rest();
        desk.work(&wiki);
    });
    at_every_size("new-space-bad-key", |desk| {
        desk.keys("n").types("Harbour Log").keys("Tab").types("-1");
    });
    at_every_size("new-space-private", |desk| {
        desk.keys("n").types("Harbour Log").keys("Tab Tab Right");
    });
    at_every_size("new-space-personal", |desk| {
        desk.keys("n Tab Tab Left Tab")
            .types("Mine.")
            .keys("Tab Right");
    });
    at_every_size("new-space-saving", |desk| {
        desk.keys("n").types("Harbour Log").keys("Ctrl-s");
        desk.answer_disk();
    });
    at_every_size("new-space-refused", |desk| {
        desk.keys("n").types("Harbour Log").keys("Ctrl-s");
        desk.work(&|call| match call {
            Call::CreateSpace { .. } => refusal(
                ErrorKind::Forbidden,
                403,
                "User is not permitted to create spaces",
            ),
            other => free(other),
        });
    });
    at_every_size("leave-form", |desk| {
        desk.keys("n").types("Harbour Log").keys("Esc");
    });
}

#[test]
fn the_banner_stays_in_sight_above_a_dialog() {
    for (width, height) in SIZES {
        let mut desk = Desk::browsing(width, height);
        desk.story.model.profile.banner = Some("The certificate is not checked.".to_owned());
        desk.story.keys("D");
        desk.work(&told);
        let screen = desk.screen();
        assert!(screen.contains("Type"), "{screen}");
        // In the narrowest window the note beside it takes some of its room.
        let shown = if width < 80 {
            "The certif"
        } else {
            "The certificate is not checked."
        };
        assert_eq!(screen.matches(shown).count(), 1, "{screen}");
    }
}

#[test]
fn beside_a_banner_the_header_still_says_where_one_is() {
    let mut desk = Desk::browsing(80, 24);
    desk.story.model.profile.banner = Some("The certificate is not checked.".to_owned());
    let screen = desk.screen();
    let header = screen.lines().next().unwrap_or_default();
    assert!(
        header.starts_with(" coracle  prod ▸ ENG Engineering"),
        "{header}"
    );
    assert!(
        header.ends_with("The certificate is not checked."),
        "{header}"
    );
}

#[test]
fn edit_space() {
    at_every_size("edit-reading", |desk| {
        desk.keys("e");
    });
    at_every_size("edit-unreadable", |desk| {
        desk.keys("e");
        desk.work(&|call| match call {
            Call::Space { .. } => refusal(ErrorKind::NotFound, 404, "No space with key : ENG"),
            other => wiki(other),
        });
    });
    at_every_size("edit", |desk| {
        desk.keys("e");
        desk.work(&wiki);
    });
    at_every_size("edit-picker", |desk| {
        desk.keys("e").work(&pages);
        desk.keys("Tab Tab Enter").work(&pages);
        desk.types("run");
    });
    at_every_size("edit-diff", |desk| {
        desk.keys("e").work(&wiki);
        desk.types(" and tools")
            .keys("Tab Ctrl-a")
            .types("All of it.\nAnd more.");
        desk.keys("Ctrl-s");
    });
    at_every_size("edit-saving", |desk| {
        desk.keys("e").work(&wiki);
        desk.types(" and tools").keys("Ctrl-s y");
        desk.answer_disk();
    });
    at_every_size("edit-refused", |desk| {
        desk.keys("e").work(&wiki);
        desk.types(" and tools").keys("Ctrl-s y");
        desk.work(&|call| match call {
            Call::UpdateSpace { .. } => refusal(
                ErrorKind::Conflict,
                409,
                "Somebody else changed this space at the same moment.",
            ),
            other => wiki(other),
        });
    });
    at_every_size("edit-changed-meanwhile", changed_meanwhile);
}

/// The pages of a space to pick from.
fn pages(call: &Call) -> Answer {
    match call {
        Call::SpaceContentOfKind { window, .. } => {
            let all: Vec<_> = [
                "Home",
                "Runbooks",
                "Running notes",
                "A quiet rundown",
                "Notes",
            ]
            .iter()
            .enumerate()
            .map(|(n, title)| crate::story::content(&(n + 1).to_string(), title, 3, false))
            .collect();
            Ok(Reply::Contents(page(&all, *window)))
        }
        other => wiki(other),
    }
}

/// The name is changed here while somebody else changed name and description.
fn changed_meanwhile(desk: &mut Desk) {
    desk.keys("e").work(&wiki);
    desk.types(" and tools").keys("Ctrl-s y");
    desk.work(&theirs);
}

fn theirs(call: &Call) -> Answer {
    let mut answer = wiki(call)?;
    if let (Call::Space { .. }, Reply::Space(space)) = (call, &mut answer) {
        space.name = ServerText::new("Engineers");
        if let Some(more) = &mut space.more {
            more.description = Some("Rewritten by somebody else.".to_owned());
        }
    }
    Ok(answer)
}

#[test]
fn a_reported_hold_moves_in_lists_and_counts_in_no_confirmation() {
    let mut desk = Desk::browsing(120, 40);
    let held = |desk: &mut Desk, key: &str| {
        desk.story.at += 500;
        desk.story.press(KeyPress {
            stroke: Stroke::Repeat,
            ..KeyPress::press(key.parse().expect("a key of the test"))
        });
    };
    desk.keys("j");
    held(&mut desk, "j");
    assert_eq!(desk.story.model.spaces.cursor.at, 2, "OLD1");
    assert!(!desk.story.model.minds_held_keys());
    desk.keys("D").work(&told);
    assert!(desk.story.model.minds_held_keys());
    // Slower than any keyboard repeats by itself: what counts is what is reported.
    desk.types("O");
    held(&mut desk, "O");
    let screen = desk.screen();
    assert!(screen.contains("Held keys don't count here."), "{screen}");
    assert!(!screen.contains("OO"), "{screen}");
    desk.types("LD1");
    held(&mut desk, "Enter");
    assert_eq!(desk.journal.len(), 0, "nothing was agreed to");
    desk.keys("Enter").work(&nothing);
    assert_ne!(desk.journal.len(), 0, "but it is now");
    assert!(!desk.story.model.minds_held_keys());
}

#[test]
fn letters_that_a_paste_repeats_are_not_left_out_without_a_word() {
    let mut desk = Desk::browsing(120, 40);
    desk.keys("D").work(&told).types("O");
    for _ in 0..5 {
        desk.story
            .press(KeyPress::press("L".parse().expect("a key of the test")));
    }
    desk.types("D1").keys("Enter");
    let screen = desk.screen();
    assert!(
        screen.contains("That is not ENG. Nothing was done."),
        "{screen}"
    );
    assert!(screen.contains("Letters that came"), "{screen}");
    // It is told once: what is typed after it stands as it was typed.
    desk.types("x").keys("Enter");
    let screen = desk.screen();
    assert!(
        screen.contains("That is not ENG. Nothing was done."),
        "{screen}"
    );
    assert!(!screen.contains("Letters that came"), "{screen}");
}

#[test]
fn what_was_archived_is_shown_so_before_it_is_read_again() {
    let mut desk = Desk::browsing(120, 40);
    // Each time the space is still to be read again when the key comes.
    let held = |call: &Call| matches!(call, Call::Space { expand, .. } if !expand.is_empty());
    let is_archived = std::cell::Cell::new(false);
    let server = |call: &Call| match call {
        Call::ArchiveSpace { .. } | Call::RestoreSpace { .. } => {
            is_archived.set(matches!(call, Call::ArchiveSpace { .. }));
            Ok(Reply::Done)
        }
        _ => {
            let mut answer = told(call)?;
            if let Reply::Space(space) = &mut answer
                && is_archived.get()
            {
                space.status = Some(SpaceStatus::Archived);
            }
            Ok(answer)
        }
    };
    let archives = |desk: &Desk| {
        let archives = |call: &&Call| matches!(call, Call::ArchiveSpace { .. });
        desk.story.sent.iter().filter(archives).count()
    };
    desk.keys("a y").work_but(&server, &held);
    assert_eq!(archives(&desk), 1);
    assert!(
        desk.screen().contains("Archive ENG: done."),
        "{}",
        desk.screen()
    );
    let row = |desk: &Desk| {
        let status = |space: &Space| space.status;
        let key = SpaceKey::new("ENG");
        desk.story.model.spaces.table.get(&key).and_then(status)
    };
    assert_eq!(row(&desk), Some(SpaceStatus::Archived));
    desk.keys("a y").work_but(&server, &held);
    assert_eq!(archives(&desk), 1, "the same key takes it back");
    assert_eq!(row(&desk), Some(SpaceStatus::Current));
}

#[test]
fn confirmations() {
    at_every_size("confirm-archive", |desk| {
        desk.keys("a");
    });
    at_every_size("confirm-restore-skipped", |desk| {
        desk.keys("j j Space k k k Space Space k a");
    });
    at_every_size("confirm-delete", |desk| {
        desk.keys("j j D").work(&told);
    });
    at_every_size("confirm-delete-asking", |desk| {
        desk.keys("j j D");
    });
    at_every_size("confirm-delete-declined", |desk| {
        desk.keys("j j D").work(&told);
        desk.keys("Tab b Tab").types("OLD");
    });
    at_every_size("confirm-delete-many", |desk| {
        desk.keys("Space Space Space D").work(&told);
    });
    at_every_size("confirm-delete-wrong", |desk| {
        desk.keys("j j D").work(&told);
        desk.types("OLD2").keys("Enter");
    });
    at_every_size("confirm-delete-held", |desk| {
        desk.keys("j j D").work(&told);
        desk.keys("O O O O O O");
    });
    at_every_size("confirm-purge-all", |desk| {
        desk.keys("t").work(&wiki);
        desk.keys("P").work(&wiki);
    });
    at_every_size("confirm-purge-marked", |desk| {
        desk.keys("t").work(&wiki);
        desk.keys("Space Space x").work(&wiki);
    });
    at_every_size("confirm-restore-items", |desk| {
        desk.keys("t").work(&wiki);
        desk.keys("Space Space u").work(&wiki);
    });
    for (width, height) in SIZES {
        let mut desk = Desk::with(width, height, Writes::Protected);
        desk.keys("!");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("confirm-protected-{width}x{height}"), desk.screen());
        });
    }
}

#[test]
fn nobody_agrees_to_what_is_still_being_counted() {
    for (keys, wanted) in [("D", "delete"), ("t P", "purge")] {
        let mut story = Story::browsing(120, 40);
        let (first, last) = keys.split_at(keys.len() - 1);
        story.keys(first).answer_all(&wiki);
        story.keys(last);
        for c in "ENG".chars() {
            story.at += 150;
            story.types(&c.to_string());
        }
        story.keys("Enter");
        let screen = story.screen();
        assert!(screen.contains("Still counting"), "{wanted}: {screen}");
        assert!(screen.contains("ENG"), "what was typed stays: {screen}");
        // A number that can't be had counts as told.
        let refused = |call: &Call| match call {
            Call::Trash { .. } => Err(error(ErrorKind::Forbidden, 403, "No.")),
            other => wiki(other),
        };
        story.answer_all(&refused);
        let screen = story.screen();
        assert!(!screen.contains("Still counting"), "{screen}");
        assert!(screen.contains("you may not read its trash"), "{screen}");
        story.keys("Enter");
        assert!(story.model.modals.is_empty(), "{}", story.screen());
        assert_eq!(story.model.jobs.list.len(), 1);
    }
}

#[test]
fn the_footer_of_a_confirmation_offers_what_it_has() {
    let mut story = Story::browsing(120, 40);
    story.keys("D").answer_all(&wiki);
    assert_eq!(story.footer(), " Enter do it  Tab options  Esc cancel");
    story.keys("Tab");
    assert_eq!(
        story.footer(),
        " b decline the backup  w write plan  d dry run  Tab back  Esc cancel"
    );
    story.keys("b Tab").types("E");
    assert!(
        story.screen().contains("to delete it:  E"),
        "{}",
        story.screen()
    );
    // What opens a profile has no options: the field keeps the keys.
    let mut desk = Desk::with(120, 40, Writes::Protected);
    desk.story.keys("!");
    assert_eq!(desk.story.footer(), " Enter do it  Esc cancel");
    desk.story.keys("Tab").types("prod");
    assert!(
        desk.screen().contains("to open it:  prod"),
        "{}",
        desk.screen()
    );
}

#[test]
fn keys_in_dialogs_look_like_those_in_the_footer() {
    let keys = |before: &str| {
        let mut story = Story::browsing(120, 40);
        story.keys(before).answer_all(&wiki);
        story.drawn_as_keys()
    };
    let has = |found: &[String], wanted: &[&str]| {
        // Those of the footer are at the end.
        let mut found = found.iter();
        wanted.iter().all(|key| found.any(|it| it == key))
    };
    let delete = keys("D");
    let typed = ["b", "w", "d", "Tab", "Esc", "Enter", "Tab", "Esc"];
    assert!(has(&delete, &typed), "{delete:?}");
    let archive = keys("a");
    let asked = ["a", "w", "d", "y", "Esc", "y", "Tab", "Esc"];
    assert!(has(&archive, &asked), "{archive:?}");
    let backups = keys("B");
    assert!(has(&backups, &["q"]), "{backups:?}");
    let picks = keys("e");
    let form = ["Ctrl-s", "Ctrl-e", "Esc", "Tab", "Ctrl-s", "Ctrl-e", "Esc"];
    assert!(has(&picks, &form), "{picks:?}");
    let new = keys("n");
    let form = ["Ctrl-s", "Ctrl-e", "Esc", "Tab", "Ctrl-s", "Ctrl-e", "Esc"];
    assert!(has(&new, &form), "{new:?}");
}

#[test]
fn a_new_space_is_created_in_the_box_and_in_the_footer() {
    let mut story = Story::browsing(120, 40);
    story.keys("n");
    let screen = story.screen();
    assert_eq!(screen.matches("Ctrl-s create").count(), 2, "{screen}");
    assert!(!screen.contains("save"), "{screen}");
    assert!(!story.footer().contains("← →"), "{}", story.footer());
    story.keys("Tab Tab");
    assert!(story.footer().contains("← → change"), "{}", story.screen());
    let mut story = Story::browsing(120, 40);
    story.keys("e").answer_all(&wiki);
    assert_eq!(story.screen().matches("Ctrl-s save").count(), 2);
}
