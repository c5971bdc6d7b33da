//! What is typed counts for what was on the screen: no key answers a dialog before its picture was out,
//! none reaches what lies below it, and none is lost behind an Esc.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use coracle::app::key::{Chord, Company, Key, KeyPress};
use coracle::app::message::{Millis, Msg};
use coracle::app::modal::Modal;
use coracle::app::model::ProfileChoice;
use coracle::app::{Model, update};
use coracle::confluence::{Call, ErrorKind};
use proptest::prelude::*;

use crate::dialogs::Desk;
use crate::seeds;
use crate::story::{Story, beginning, error, wiki};

/// A desk whose profiles can be switched.
pub(crate) fn desk() -> Desk {
    let choice = |name: &str| ProfileChoice {
        name: name.to_owned(),
        base_url: "https://wiki.example.com".to_owned(),
        color: None,
        read_only: false,
        protected: false,
    };
    let mut start = beginning(120, 40);
    start.profiles = vec![choice("prod"), choice("staging")];
    let mut desk = Desk::of(Story::begin(start));
    desk.work(&wiki);
    desk.story.rest();
    desk.work(&wiki);
    desk
}

/// Every dialog that keys open, with what it takes to open it; `|` is a wait for the server, `!` one
/// for a server that refuses.
pub(crate) const DIALOGS: &[(&str, &str)] = &[
    ("the menu of orders", "s"),
    ("the menu of copies", "y"),
    ("the menu of exports", "t | E"),
    ("the palette", ":"),
    ("the help", "?"),
    ("a search in the help", "? /"),
    ("the log", "L"),
    ("the server filter", "f"),
    ("a new space", "n"),
    ("leaving a form", "n z Esc"),
    ("a form that is read for", "e"),
    ("a form that could not be read", "e !"),
    ("an edited space", "e |"),
    ("its homepage", "e | Tab Tab Enter |"),
    ("its changes", "e | z Ctrl-s"),
    ("an archiving", "a"),
    ("a deletion", "D |"),
    ("a deletion's plan", "D | Tab"),
    ("a purge of all", "P |"),
    ("a purge", "t | Space x"),
    ("a restoring", "t | Space u"),
    ("a backup", "t | b"),
    ("the jobs", "J"),
    ("the plans", "J o |"),
    ("the backups", "B |"),
    ("the profiles", "@"),
];

pub(crate) fn opens(desk: &mut Desk, keys: &str) {
    for key in keys.split_whitespace() {
        match key {
            "|" => drop(desk.work(&wiki)),
            "!" => drop(desk.work(&|_| Err(error(ErrorKind::Server, 500, "Not now.")))),
            key => drop(desk.keys(key)),
        }
    }
}

/// What must not change below a dialog.
fn below(model: &Model) -> impl PartialEq + std::fmt::Debug + use<> {
    let trees = &model.content.trees;
    let outlines = [&trees.pages, &trees.blog, &trees.trash]
        .map(|outline| (outline.cursor, outline.marks.clone(), outline.filter.text()));
    (
        model.space_at_cursor().cloned(),
        model.spaces.marks.clone(),
        model.spaces.filter.text(),
        model.focus,
        (model.detail.space.clone(), model.detail.scroll),
        (model.content.space.clone(), model.content.tab),
        (outlines, model.screen.clone(), model.preview.is_open),
    )
}

pub(crate) fn chords() -> Vec<Chord> {
    let plain = ('!'..='~').map(Key::Char).chain([
        Key::Char(' '),
        Key::Char('\u{4e16}'),
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::Backspace,
        Key::Delete,
        Key::Insert,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::Home,
        Key::End,
        Key::PageUp,
        Key::PageDown,
        Key::F(1),
        Key::F(5),
    ]);
    let plain: Vec<Chord> = plain.map(Chord::plain).collect();
    let with = |ctrl, shift| {
        let changed = move |chord: &Chord| {
            Chord {
                ctrl,
                shift,
                ..*chord
            }
            .canonical()
        };
        plain.iter().map(changed).collect::<Vec<_>>()
    };
    let mut all = [plain.clone(), with(true, false), with(false, true)].concat();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn whatever_is_typed_into_a_dialog_nothing_below_it_changes() {
    for (dialog, keys) in DIALOGS {
        let mut begun = desk();
        begun.keys("j");
        begun.story.rest();
        begun.work(&wiki);
        opens(&mut begun, keys);
        assert!(!begun.story.model.modals.is_empty(), "{dialog} is open");
        let before = below(&begun.story.model);
        for chord in chords() {
            // Its command is run when it is closed.
            if *dialog == "the palette" && chord.key == Key::Enter {
                continue;
            }
            let mut desk = begun.copy();
            desk.story.press(KeyPress::press(chord));
            desk.story.rest();
            assert_eq!(below(&desk.story.model), before, "{chord} in {dialog}");
        }
    }
}

#[test]
fn esc_and_the_next_key_in_one_read_are_both_taken() {
    for (dialog, keys) in DIALOGS {
        // There Esc goes back by a step, or asks.
        if ["leaving a form", "a form", "an edited", "its ", "a search"]
            .iter()
            .any(|it| dialog.starts_with(it))
        {
            continue;
        }
        let mut desk = desk();
        opens(&mut desk, keys);
        let depth = desk.story.model.modals.len();
        desk.keys("Alt-L");
        let model = &desk.story.model;
        assert_eq!(model.modals.len(), depth, "{dialog}: {}", desk.screen());
        assert!(
            desk.screen().contains("Log and journal"),
            "{dialog}: {}",
            desk.screen()
        );
    }
}

/// What becomes of the pictures: the shell tells what the test says.
trait Shell {
    /// The picture is written, with a status report behind it or without.
    fn drawn(&mut self, asked: bool);
    /// The terminal answers a status report.
    fn status(&mut self);
    /// So much time passes.
    fn waits(&mut self, ms: u64);
    fn jobs(&self) -> usize;
    fn says(&self, text: &str);
}

impl Shell for Desk {
    fn drawn(&mut self, asked: bool) {
        if let Some(picture) = self.story.model.unseen() {
            self.story.happen_now(Msg::Shown { picture, asked });
        }
    }

    fn status(&mut self) {
        self.story.happen_now(Msg::Status);
    }

    fn waits(&mut self, ms: u64) {
        self.story.at += ms;
    }

    fn jobs(&self) -> usize {
        self.story.model.jobs.list.len()
    }

    fn says(&self, text: &str) {
        let screen = self.story.screen();
        assert!(screen.contains(text), "no {text}\n{screen}");
    }
}

/// The plan that purges the item under the cursor is open, and in no picture yet.
fn purging() -> Desk {
    let mut desk = desk();
    opens(&mut desk, "t |");
    burst(&mut desk, "x");
    desk
}

#[test]
fn keys_count_from_the_answer_behind_the_picture_on() {
    let mut desk = purging();
    burst(&mut desk, "1 Enter");
    desk.drawn(true);
    burst(&mut desk, "1 Enter");
    desk.says("Dropped, typed too early: \"1\", Enter, \"1\", Enter.");
    // The keys of the dialog stay where they are.
    desk.says("Esc cancel");
    desk.status();
    burst(&mut desk, "1");
    assert!(!desk.screen().contains("Dropped"), "{}", desk.screen());
    burst(&mut desk, "Enter");
    assert_eq!(desk.jobs(), 1);
}

#[test]
fn a_terminal_that_answers_what_nobody_asked_is_not_asked_any_more() {
    let mut desk = purging();
    let asks = |desk: &Desk| desk.story.model.modals.wants_report(Millis(desk.story.at));
    desk.drawn(true);
    desk.status();
    assert!(asks(&desk));
    // Two terminals show the program, and both answer.
    desk.status();
    assert!(!asks(&desk), "the next answer may be from either");
    burst(&mut desk, "Esc x");
    desk.drawn(false);
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 0);
    desk.status();
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 0, "{}", desk.screen());
    desk.waits(260);
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 1, "{}", desk.screen());
}

#[test]
fn a_report_of_another_picture_means_nothing() {
    let mut desk = purging();
    desk.drawn(true);
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 0);
    desk.status();
    // It is left, and the next one asked behind; that one is answered when a third is open.
    burst(&mut desk, "Esc x");
    desk.drawn(true);
    desk.story.happen(Msg::Resized(coracle::app::message::Size {
        width: 100,
        height: 40,
    }));
    burst(&mut desk, "Enter");
    desk.status();
    burst(&mut desk, "Esc x");
    desk.drawn(true);
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 0, "{}", desk.screen());
    desk.status();
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 1, "{}", desk.screen());
}

#[test]
fn what_was_counted_meanwhile_has_to_be_seen_before_it_is_agreed_to() {
    let mut desk = desk();
    burst(&mut desk, "D");
    desk.drawn(true);
    desk.status();
    burst(&mut desk, "E N");
    desk.work(&wiki);
    // Typing goes on; agreeing waits for the picture with the numbers.
    desk.drawn(true);
    burst(&mut desk, "G Enter");
    assert_eq!(desk.jobs(), 0, "{}", desk.screen());
    desk.says("delete it:  ENG");
    desk.says("This has just changed");
    desk.status();
    burst(&mut desk, "Enter");
    assert_eq!(desk.jobs(), 1, "{}", desk.screen());
}

#[test]
fn without_an_answer_a_quarter_of_a_second_without_a_key_has_to_do() {
    // In tmux, screen and mosh nothing is asked.
    let mut desk = purging();
    desk.drawn(false);
    for _ in 0..5 {
        desk.waits(200);
        burst(&mut desk, "1");
    }
    desk.says("Dropped, typed too early");
    desk.waits(260);
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 1, "{}", desk.screen());

    // A terminal that does not answer is waited for once, for two seconds, and not asked again.
    let mut desk = purging();
    let asks = |desk: &Desk| desk.story.model.modals.wants_report(Millis(desk.story.at));
    assert!(asks(&desk));
    desk.drawn(true);
    desk.waits(1_900);
    burst(&mut desk, "1");
    desk.says("Dropped, typed too early");
    desk.waits(300);
    burst(&mut desk, "1");
    assert!(!desk.screen().contains("Dropped"), "{}", desk.screen());
    assert!(!asks(&desk));
    desk.status();
    assert!(asks(&desk), "late, but it came");
}

#[test]
fn a_key_read_before_the_write_had_ended_is_too_early_however_late_it_is_taken() {
    let mut desk = purging();
    let read = Millis(desk.story.at + 5);
    desk.waits(20);
    desk.drawn(false);
    desk.waits(5_000);
    for key in ["1", "Enter"] {
        let press = KeyPress::press(key.parse().expect("a key of the test"));
        let _ = update(&mut desk.story.model, read, Msg::Key(press));
    }
    assert_eq!(desk.jobs(), 0);
    desk.says("Dropped, typed too early: \"1\", Enter.");
}

#[test]
fn enter_that_came_with_other_keys_agrees_to_nothing() {
    let enter = KeyPress {
        company: Company::Behind,
        ..KeyPress::press(Chord::plain(Key::Enter))
    };
    let mut desk = purging();
    desk.keys("1");
    desk.story.happen(Msg::Key(enter));
    assert_eq!(desk.jobs(), 0);
    desk.says("Dropped, it came with other keys: Enter. Press Enter again.");
    desk.says("purge it:  1");
    burst(&mut desk, "Enter");
    assert_eq!(desk.jobs(), 1);
    // In a form nothing is agreed to by it.
    let mut desk = self::desk();
    desk.keys("n").types("Name");
    desk.story.happen(Msg::Key(enter));
    assert!(!desk.screen().contains("again"), "{}", desk.screen());
}

#[test]
fn a_new_question_of_an_open_dialog_is_a_new_dialog() {
    let mut desk = self::desk();
    opens(&mut desk, "e |");
    desk.types("z");
    burst(&mut desk, "Ctrl-s y");
    assert_eq!(desk.jobs(), 0, "{}", desk.screen());
    desk.says("Dropped, typed too early: \"y\".");
    desk.keys("y");
    assert_eq!(desk.jobs(), 1);
    // What was chosen has to be seen as well, before it is agreed to.
    let mut desk = self::desk();
    opens(&mut desk, "D |");
    desk.keys("Tab");
    burst(&mut desk, "b Tab E N G Enter");
    assert_eq!(desk.jobs(), 0);
    desk.says("This has just changed");
    desk.keys("Enter");
    assert_eq!(desk.jobs(), 1);
}

#[test]
fn a_dialog_that_has_no_room_in_the_window_is_not_seen() {
    let mut desk = purging();
    let size = |width, height| Msg::Resized(coracle::app::message::Size { width, height });
    desk.story.happen(size(20, 5));
    desk.drawn(true);
    desk.status();
    desk.story.happen(size(120, 40));
    burst(&mut desk, "1 Enter");
    assert_eq!(desk.jobs(), 0);
    desk.keys("1 Enter");
    assert_eq!(desk.jobs(), 1);
}

/// What happens between the keyboard, the program and the terminal.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A key is read.
    Key(&'static str, Company),
    /// The program draws.
    Draws,
    /// The answer to the oldest status report is read.
    Answer,
    /// The server and the disk answer.
    Work,
    /// So many milliseconds pass.
    Waits(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = vec![
        "x",
        "x",
        "P",
        "D",
        "a",
        "u",
        "b",
        "y",
        "y",
        "1",
        "1",
        "2",
        "3",
        "E",
        "N",
        "G",
        "Enter",
        "Enter",
        "Enter",
        "Esc",
        "Tab",
        "Space",
        "j",
        "k",
        "h",
        "e",
        "z",
        "Ctrl-s",
        "Alt-x",
        "Alt-Enter",
        "d",
        "J",
        "c",
    ];
    let step = prop_oneof![
        12 => (prop::sample::select(keys), prop::bool::weighted(0.2)).prop_map(|(key, behind)| {
            Step::Key(key, if behind { Company::Behind } else { Company::Alone })
        }),
        4 => Just(Step::Draws),
        3 => Just(Step::Answer),
        2 => Just(Step::Work),
        2 => prop::sample::select(vec![1_u64, 40, 249, 251, 400]).prop_map(Step::Waits),
    ];
    // Now and then somebody who means it, with a look before some of the keys.
    let meant = prop::sample::select(vec![
        &["x", "1", "Enter"][..],
        &["D", "E", "N", "G", "Enter"],
        &["u", "y"],
        &["P", "E", "N", "G", "Enter"],
    ]);
    let meant = (meant, any::<u8>()).prop_map(|(keys, looks)| {
        let mut steps = Vec::new();
        for (ix, key) in keys.iter().enumerate() {
            if looks >> ix & 1 == 1 {
                let look = [
                    Step::Draws,
                    Step::Answer,
                    Step::Work,
                    Step::Draws,
                    Step::Answer,
                ];
                steps.extend(look);
            }
            steps.push(Step::Key(key, Company::Alone));
        }
        steps
    });
    let part = prop_oneof![6 => step.prop_map(|step| vec![step]), 1 => meant];
    prop::collection::vec(part, 1..30).prop_map(|parts| parts.concat())
}

/// The dialog on top and what is agreed to in it, as a person sees them.
fn asked(desk: &Desk) -> Option<String> {
    let model = &desk.story.model;
    let depth = model.modals.len();
    let kind = |of: &Modal| std::mem::discriminant(of);
    Some(match model.modals.last()? {
        Modal::Confirm(dialog) => {
            let chosen = (dialog.backup, dialog.on_failure);
            format!("{depth} {:?} {chosen:?}", dialog.target())
        }
        Modal::EditSpace(form) => {
            format!("{depth} {:?}", std::mem::discriminant(&form.stage))
        }
        other => format!("{depth} {:?}", kind(other)),
    })
}

/// What the terminal has shown, told apart from what the core believes of it.
#[derive(Default)]
struct Screen {
    /// The dialogs behind whose pictures a report is under way, oldest first.
    under_way: VecDeque<u64>,
    /// The dialog on top: which it is, counted by how often it changed, and what it asks.
    dialog: (u64, Option<String>),
    /// The dialogs that were seen by whoever types now.
    arrived: BTreeSet<u64>,
    /// Those whose pictures were written, and since when no key came.
    written: BTreeSet<u64>,
    quiet_since: u64,
    /// Which dialog asked this before: one that is laid open again was seen before.
    known: BTreeMap<String, u64>,
}

impl Screen {
    fn look(&mut self, desk: &Desk) {
        let asked = asked(desk);
        if self.dialog.1 == asked {
            return;
        }
        let depth = |asked: &str| {
            asked
                .split(' ')
                .next()
                .and_then(|it| it.parse::<usize>().ok())
        };
        let now = asked.as_deref().and_then(depth).unwrap_or(0);
        // What was above is closed.
        self.known
            .retain(|before, _| depth(before).is_some_and(|before| before <= now));
        let next = self
            .dialog
            .0
            .max(self.known.values().copied().max().unwrap_or(0))
            + 1;
        let which = match &asked {
            Some(asked) => *self.known.entry(asked.clone()).or_insert(next),
            None => next,
        };
        self.dialog = (which, asked);
    }

    fn is_seen(&self, at: u64, answers: bool) -> bool {
        let which = &self.dialog.0;
        self.arrived.contains(which)
            || !answers && self.written.contains(which) && at >= self.quiet_since + 250
    }
}

/// Lets it happen, and says how many jobs began: none of what was not on the screen.
fn holds_consent(steps: &[Step], answers: bool) -> usize {
    let mut desk = desk();
    opens(&mut desk, "t |");
    let mut screen = Screen::default();
    let mut begun = 0;
    for step in steps {
        screen.look(&desk);
        match step {
            Step::Key(key, company) => {
                let before = desk.jobs();
                let seen = screen.is_seen(desk.story.at + 1, answers);
                let press = KeyPress {
                    company: *company,
                    ..KeyPress::press(key.parse().expect("a key of the test"))
                };
                desk.story.happen(Msg::Key(press));
                if !answers && seen {
                    // From then on nothing has to be waited for.
                    screen.arrived.insert(screen.dialog.0);
                }
                screen.quiet_since = desk.story.at;
                if desk.jobs() > before {
                    assert!(seen, "{key} began a job before its dialog was seen");
                    let merged = *key == "Enter" && *company == Company::Behind;
                    assert!(!merged, "Enter agreed that came with other keys");
                    begun += 1;
                }
            }
            Step::Draws => {
                if desk.story.model.unseen().is_some() {
                    desk.drawn(answers);
                    if answers {
                        screen.under_way.push_back(screen.dialog.0);
                    }
                    screen.written.insert(screen.dialog.0);
                    screen.quiet_since = desk.story.at;
                }
            }
            Step::Answer if answers => {
                screen.arrived.extend(screen.under_way.pop_front());
                desk.status();
            }
            Step::Answer => {}
            Step::Work => drop(desk.work(&wiki)),
            // Within the two seconds that an answer is waited for.
            Step::Waits(ms) => desk.waits(if answers { ms / 100 } else { *ms }),
        }
    }
    begun
}

/// In any order of keys, pictures, answers and time: nothing begins but what was on the screen.
#[test]
fn nothing_begins_that_was_not_on_the_screen() {
    let any_order = (steps(), any::<bool>());
    let (_, begun) = seeds::all(|seed| {
        let (steps, answers) = seeds::value(&any_order, seed);
        let held = std::panic::catch_unwind(|| holds_consent(&steps, answers));
        match held {
            Ok(begun) => (Vec::new(), begun),
            Err(_) => (vec![format!("answers: {answers}, {steps:?}")], 0),
        }
    });
    assert!(
        begun > 0 || seeds::number("CORACLE_SIM_SEED").is_some(),
        "else it shows nothing"
    );
}

#[test]
fn whoever_looks_is_heard() {
    // Else the property above shows nothing.
    let look = [Step::Draws, Step::Answer, Step::Waits(300)];
    for keys in [&["x", "1", "Enter"][..], &["u", "y"], &["b", "y"]] {
        for answers in [true, false] {
            let mut steps = Vec::new();
            for key in keys {
                steps.extend(look);
                steps.push(Step::Key(key, Company::Alone));
            }
            assert_eq!(holds_consent(&steps, answers), 1, "{keys:?}");
        }
    }
}

/// Keys as they come in one read, before anything of it is drawn.
fn burst(desk: &mut Desk, keys: &str) {
    for key in keys.split_whitespace() {
        let chord: Chord = key.parse().expect("a key of the test");
        desk.story.happen(Msg::Key(KeyPress::press(chord)));
    }
}

#[test]
fn a_burst_in_a_trash_list_begins_nothing() {
    for keys in [
        "x 1 Enter",
        "Space j x 2 Enter",
        "Space u y",
        "Space j u y",
        "b y",
        "P E N G Enter",
    ] {
        let mut desk = desk();
        opens(&mut desk, "t |");
        burst(&mut desk, keys);
        desk.work(&wiki);
        burst(&mut desk, "Enter");
        desk.work(&wiki);
        assert!(desk.story.model.jobs.list.is_empty(), "{keys} began a job");
        assert!(desk.writes().is_empty(), "{keys}: {:?}", desk.writes());
        assert!(
            !desk
                .story
                .sent
                .iter()
                .any(|call| matches!(call, Call::PurgeContent { .. }))
        );
    }
}
