//! The promise that nothing is lost by accident, held over thousands of random visits: keys, held
//! keys, pastes, answers good and bad and lost, a disk that fails, and a clock that jumps.
//!
//! The visits know nothing of the core's own idea of consent: what was typed is counted here.

use std::collections::BTreeSet;

use coracle::app::Writes;
use coracle::app::field::{Field, Lines};
use coracle::app::jobs::Journal;
use coracle::app::key::{Chord, Key, KeyPress, Stroke};
use coracle::app::message::{DiskError, Effect, Msg, Size};
use coracle::app::modal::Modal;
use coracle::confluence::{AccessMode, Call, ErrorKind, LongTaskId, Reply};
use coracle::jobs::{Act, Target};
use proptest::prelude::*;

use crate::dialogs::Desk;
use crate::story::{Answer, error, wiki};

/// A small generator: the same seed tells the same visit.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("a small number")
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// Keys that a visit is made of.
const KEYS: &[&str] = &[
    "j",
    "k",
    "h",
    "l",
    "g",
    "G",
    "Space",
    "Space",
    "V",
    "*",
    "U",
    "t",
    "T",
    "D",
    "D",
    "P",
    "P",
    "x",
    "x",
    "u",
    "b",
    "E",
    "B",
    "a",
    "n",
    "e",
    "y",
    "y",
    "Enter",
    "Enter",
    "Enter",
    "Esc",
    "Esc",
    "Tab",
    "Shift-Tab",
    "/",
    "[",
    "]",
    "1",
    "2",
    "3",
    "4",
    "0",
    "J",
    "L",
    "r",
    "p",
    "c",
    "w",
    "d",
    "f",
    "!",
    "Ctrl-s",
    "Ctrl-e",
    "Ctrl-u",
    "Ctrl-c",
    "q",
    "?",
    ":",
    "@",
    "s",
    "o",
    "Up",
    "Down",
    "Left",
    "Right",
    "PgUp",
    "PgDn",
    "Home",
    "End",
    "Backspace",
    "Delete",
    "Alt-x",
    "Alt-y",
    "E",
    "N",
    "G",
    "H",
    "R",
    "O",
    "L",
    "m",
    "z",
    "~",
];

/// Writes that a server could answer.
fn server(call: &Call) -> Answer {
    Ok(match call {
        Call::DeleteSpace { .. } => Reply::LongTaskStarted(LongTaskId("1f".to_owned())),
        Call::CreateSpace { key, name, .. } => Reply::Space(Box::new(crate::story::space(
            key.as_str(),
            name,
            coracle::confluence::SpaceStatus::Current,
        ))),
        Call::UpdateSpace { key, .. } => {
            return wiki(&Call::Space {
                key: key.clone(),
                expand: String::new(),
            });
        }
        Call::ArchiveSpace { .. }
        | Call::RestoreSpace { .. }
        | Call::PurgeTrash { .. }
        | Call::PurgeContent { .. } => Reply::Done,
        Call::Content { id, .. } => {
            Reply::Content(Box::new(crate::story::trashed(id.as_str(), "Old", &[])))
        }
        other => return wiki(other),
    })
}

/// What is thrown at the core, and what it may not do.
struct Visit {
    desk: Desk,
    dice: Dice,
    /// What was typed, key by key, since the dialog on top was opened.
    typed: String,
    dialog: Option<Target>,
    agreed: Vec<Target>,
    looked_at: usize,
    done: usize,
    quit: bool,
    opened: bool,
    destroyed: usize,
}

impl Visit {
    fn new(seed: u64, desk: Desk) -> Self {
        let looked_at = desk.story.sent.len();
        let done = desk.story.effects.len();
        Self {
            desk,
            dice: Dice(seed),
            typed: String::new(),
            dialog: None,
            agreed: Vec::new(),
            looked_at,
            done,
            quit: false,
            opened: false,
            destroyed: 0,
        }
    }

    fn top(&self) -> Option<(Target, Option<String>, String)> {
        match self.desk.story.model.modals.last() {
            Some(Modal::Confirm(dialog)) => Some((
                dialog.target().clone(),
                dialog.wanted(),
                dialog.typed.text(),
            )),
            _ => None,
        }
    }

    fn press(&mut self, press: KeyPress) {
        let before = self.top();
        let depth = self.desk.story.model.modals.len();
        if let Some((target, wanted, _)) = &before {
            if self.dialog.as_ref() != Some(target) {
                self.typed.clear();
                self.dialog = Some(target.clone());
            }
            if press.stroke == Stroke::Press
                && let Some(c) = press.chord.typed()
            {
                self.typed.push(c);
            }
            let is_subsequence = |wanted: &str| {
                let mut typed = self.typed.chars();
                wanted.chars().all(|c| typed.any(|t| t == c))
            };
            if press.chord.key == Key::Enter
                && press.stroke == Stroke::Press
                && let Some(wanted) = wanted
                && is_subsequence(wanted)
            {
                self.agreed.push(target.clone());
            }
        } else {
            self.dialog = None;
        }
        // Now and then somebody types without a look.
        if self.dice.below(6) > 0 {
            self.desk.story.looks_at_it();
        }
        self.desk.story.happen(Msg::Key(press));
        if self.desk.story.model.modals.len() != depth {
            self.dialog = None;
        }
    }

    fn key(&mut self, key: &str) {
        self.press(KeyPress::press(key.parse().expect("a key of the test")));
    }

    /// One thing happens.
    fn happen(&mut self) {
        match self.dice.below(100) {
            0..=54 => {
                let key = *self.dice.one(KEYS);
                // Visits that end at once show little.
                if !matches!(key, "q" | "Ctrl-c") || self.dice.below(20) == 0 {
                    self.key(key);
                }
            }
            55..=58 => {
                // A key that is held, as terminals that report it do, or as those that don't.
                let chord: Chord = self.dice.one(KEYS).parse().expect("a key of the test");
                let stroke = *self.dice.one(&[Stroke::Repeat, Stroke::Press]);
                for _ in 0..self.dice.below(8) {
                    self.press(KeyPress {
                        stroke,
                        ..KeyPress::press(chord)
                    });
                }
            }
            59..=61 => {
                let text = *self
                    .dice
                    .one(&["ENG", "OLD1", "1", "2", "3", "prod", "HR\n", "y"]);
                self.desk.story.happen(Msg::Paste(text.to_owned()));
            }
            62..=71 => {
                // What the dialog asks for, typed as a person would.
                if let Some((_, Some(wanted), _)) = self.top() {
                    // Most wait until it is counted what it is about.
                    if self.dice.below(4) > 0 {
                        for _ in 0..20 {
                            self.answer();
                        }
                    }
                    if self.dice.below(2) == 0 {
                        for key in ["Tab", "b", "Tab"] {
                            self.key(key);
                        }
                    }
                    for c in wanted.chars() {
                        self.desk.story.at += 150;
                        self.press(KeyPress::press(Chord::plain(Key::Char(c))));
                    }
                    if self.dice.below(4) > 0 {
                        self.key("Enter");
                    }
                } else {
                    let key = *self.dice.one(&["D", "P", "Esc"]);
                    self.key(key);
                }
            }
            72..=84 => self.answer(),
            85..=94 => self.disk(),
            95..=97 => {
                self.desk.story.at += self.dice.next() % 40_000;
                self.desk.story.happen(Msg::Clock);
            }
            _ => {
                let size = Size {
                    width: u16::try_from(self.dice.below(301)).expect("small"),
                    height: u16::try_from(self.dice.below(101)).expect("small"),
                };
                self.desk.story.happen(Msg::Resized(size));
            }
        }
        self.look();
    }

    fn answer(&mut self) {
        if self.desk.story.open.is_empty() {
            return;
        }
        let place = self.dice.below(self.desk.story.open.len());
        let Some((ticket, call)) = self.desk.story.open.remove(place) else {
            return;
        };
        let kind = self
            .dice
            .one(&[
                ErrorKind::Lost,
                ErrorKind::Server,
                ErrorKind::Connect,
                ErrorKind::Conflict,
                ErrorKind::Forbidden,
                ErrorKind::NotFound,
            ])
            .clone();
        let outcome = match self.dice.below(10) {
            0..=6 => server(&call),
            // The answer is late: it may come after everything else.
            7 => {
                self.desk.story.open.push_back((ticket, call));
                return;
            }
            _ => Err(error(kind, 500, "It did not work.")),
        };
        self.desk.story.happen(Msg::Reply {
            ticket,
            outcome,
            took_ms: 1,
        });
    }

    fn disk(&mut self) {
        if self.dice.below(12) == 0
            && let Some(Effect::Disk { ticket, .. }) = self.desk.next_of_disk()
        {
            let outcome = Err(DiskError {
                message: "No space left on device.".to_owned(),
            });
            self.desk.story.happen(Msg::Disk { ticket, outcome });
        } else {
            self.desk.answer_disk();
        }
    }

    /// Holds what must hold after everything that happens.
    fn look(&mut self) {
        for call in &self.desk.story.sent[self.looked_at..] {
            let covers = |target: &Target, act: &[Act], key: Option<&str>, id: Option<&str>| {
                act.contains(&target.act)
                    && key.is_none_or(|key| target.spaces.iter().any(|it| it.key.as_str() == key))
                    && id.is_none_or(|id| target.items.iter().any(|it| it.id.as_str() == id))
            };
            let agreed = |act: &[Act], key: Option<&str>, id: Option<&str>| {
                self.agreed
                    .iter()
                    .any(|target| covers(target, act, key, id))
            };
            let fine = match call {
                Call::DeleteSpace { key } => agreed(&[Act::DeleteSpaces], Some(key.as_str()), None),
                Call::PurgeTrash { key } => agreed(&[Act::PurgeAll], Some(key.as_str()), None),
                Call::PurgeContent { id } => {
                    agreed(&[Act::PurgeMarked], None, Some(id.as_str()))
                        || agreed(&[Act::PurgeAll], None, None)
                }
                _ => continue,
            };
            assert!(fine, "{call:?} was not agreed to");
            self.destroyed += 1;
        }
        self.looked_at = self.desk.story.sent.len();
        for effect in &self.desk.story.effects[self.done..] {
            match effect {
                Effect::Quit(_) => self.quit = true,
                Effect::AllowWrites => self.opened = true,
                _ => {}
            }
        }
        self.done = self.desk.story.effects.len();
        let model = &self.desk.story.model;
        assert!(model.spaces.cursor.at < model.spaces.len().max(1));
        let outline = model.content.outline();
        assert!(outline.cursor.at < outline.tree.rows().len().max(1));
        assert!(model.jobs.cursor.at < model.jobs.list.len().max(1));
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.happen();
            if self.quit {
                return;
            }
        }
        // What was begun comes to its end on a line that is well again.
        let rounds = if self.agreed.is_empty() { 0 } else { 5 };
        for _ in 0..rounds {
            self.desk.work(&server);
            self.desk.jump();
            self.look();
        }
    }
}

/// Visits, each with its seed told when it fails.
fn visits(count: u64, begin: impl Fn() -> Desk, check: impl Fn(&Visit)) -> usize {
    let mut destroyed = 0;
    let begun = begin();
    for seed in 0..count {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut visit = Visit::new(seed, begun.copy());
            visit.run(120);
            check(&visit);
            visit.destroyed
        }));
        match outcome {
            Ok(more) => destroyed += more,
            Err(panic) => {
                let why = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or_default();
                panic!("the visit of seed {seed} failed: {why}");
            }
        }
    }
    destroyed
}

#[test]
fn nothing_is_destroyed_that_was_not_agreed_to_by_typing() {
    let destroyed = visits(2_000, || Desk::browsing(80, 24), |_| {});
    // Else nothing was shown.
    assert!(destroyed > 20, "only {destroyed} destructive requests left");
}

#[test]
fn in_read_only_nothing_but_reads_leaves_whatever_is_pressed() {
    let only_reads = |visit: &Visit| {
        if !visit.opened {
            assert_eq!(visit.desk.writes(), Vec::<&Call>::new());
        }
    };
    let read_only = Writes::ReadOnly("This profile is read-only.".to_owned());
    visits(
        160,
        || Desk::with(80, 24, read_only.clone()),
        |visit| {
            assert!(!visit.opened);
            only_reads(visit);
        },
    );
    visits(
        160,
        || Desk::with(80, 24, Writes::Protected),
        |visit| {
            only_reads(visit);
            let typed = |target: &Target| target.act == Act::OpenForWriting;
            assert!(!visit.opened || visit.agreed.iter().any(typed));
        },
    );
    visits(
        160,
        || {
            let mut desk = Desk::browsing(80, 24);
            desk.story.model.session.access = Some(AccessMode::ReadOnly);
            desk
        },
        only_reads,
    );
    // A journal that can't be read.
    visits(
        100,
        || {
            let mut desk = Desk::browsing(80, 24);
            let why = "Line 2 was changed after it was written.".to_owned();
            desk.story.model.jobs.journal = Journal::Closed(why);
            assert!(desk.story.model.why_read_only().is_some());
            desk
        },
        only_reads,
    );
}

#[test]
fn every_picture_of_a_visit_can_be_drawn_at_every_size() {
    let begun = Desk::browsing(80, 24);
    let mut sizes: BTreeSet<(u16, u16)> = [(0, 0), (1, 1), (300, 100), (40, 10), (39, 9)].into();
    let mut dice = Dice(7);
    for _ in 0..200 {
        let (w, h) = (dice.below(301), dice.below(101));
        sizes.insert((
            u16::try_from(w).expect("small"),
            u16::try_from(h).expect("small"),
        ));
    }
    for (seed, (width, height)) in sizes.into_iter().enumerate() {
        let mut visit = Visit::new(seed as u64, begun.copy());
        visit.run(60);
        visit
            .desk
            .story
            .happen(Msg::Resized(Size { width, height }));
        visit.desk.screen();
    }
}

/// What a field does, said as simply as can be: characters and a place among them.
#[derive(Clone, Debug, Default)]
struct Naive {
    text: Vec<char>,
    at: usize,
}

impl Naive {
    fn take(&mut self, act: &Act1) {
        match act {
            Act1::Type(c) => {
                self.text.insert(self.at, *c);
                self.at += 1;
            }
            Act1::Paste(text) => {
                for c in text.chars() {
                    let c = if matches!(c, '\n' | '\r' | '\t') {
                        ' '
                    } else {
                        c
                    };
                    if !c.is_control() {
                        self.text.insert(self.at, c);
                        self.at += 1;
                    }
                }
            }
            Act1::Left => self.at = self.at.saturating_sub(1),
            Act1::Right => self.at = (self.at + 1).min(self.text.len()),
            Act1::Home => self.at = 0,
            Act1::End => self.at = self.text.len(),
            Act1::Backspace => {
                if self.at > 0 {
                    self.at -= 1;
                    self.text.remove(self.at);
                }
            }
            Act1::Delete => {
                if self.at < self.text.len() {
                    self.text.remove(self.at);
                }
            }
            Act1::ToHead => {
                self.text.drain(..self.at);
                self.at = 0;
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Act1 {
    Type(char),
    Paste(String),
    Left,
    Right,
    Home,
    End,
    Backspace,
    Delete,
    ToHead,
}

fn acts() -> impl Strategy<Value = Vec<Act1>> {
    let act = prop_oneof![
        6 => proptest::sample::select(vec!['a', 'Z', ' ', 'é', '港', '👩', '/', '1'])
            .prop_map(Act1::Type),
        1 => proptest::sample::select(vec!["two\nlines", "\u{1b}[31m", "tab\tbed", "", "港湾局"])
            .prop_map(|text| Act1::Paste(text.to_owned())),
        2 => Just(Act1::Left),
        2 => Just(Act1::Right),
        1 => Just(Act1::Home),
        1 => Just(Act1::End),
        2 => Just(Act1::Backspace),
        1 => Just(Act1::Delete),
        1 => Just(Act1::ToHead),
    ];
    proptest::collection::vec(act, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_of_text_is_edited_as_the_simplest_model_has_it(acts in acts()) {
        let mut field = Field::new(Lines::One, "");
        let mut naive = Naive::default();
        for act in &acts {
            match act {
                Act1::Type(c) => drop(field.key(Chord::plain(Key::Char(*c)))),
                Act1::Paste(text) => drop(field.insert(text)),
                other => {
                    let key = match other {
                        Act1::Left => "Left",
                        Act1::Right => "Right",
                        Act1::Home => "Home",
                        Act1::End => "End",
                        Act1::Backspace => "Backspace",
                        Act1::Delete => "Delete",
                        _ => "Ctrl-u",
                    };
                    field.key(key.parse().expect("a key of the test"));
                }
            }
            naive.take(act);
            let text: String = naive.text.iter().collect();
            prop_assert_eq!(field.text(), text, "after {:?}", act);
            prop_assert_eq!(field.cursor(), (0, naive.at), "after {:?}", act);
        }
    }
}
