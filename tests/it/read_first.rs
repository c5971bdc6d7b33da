//! Nothing is agreed to unseen: a plan that is longer than the window has to be read to its end.

use coracle::app::key::{Chord, Company, Key, KeyPress};
use coracle::app::message::{Effect, Msg, Size};
use coracle::app::modal::confirm::shape;
use coracle::app::modal::{Dropped, Modal};
use coracle::confluence::{Call, CursorPage, Reply};
use coracle::jobs::JobState;
use proptest::prelude::*;

use crate::dialogs::Desk;
use crate::story::{Answer, trashed, wiki};
use crate::typed_ahead::{DIALOGS, chords, opens};

const SMALL: (u16, u16) = (40, 12);

fn jobs(desk: &Desk) -> usize {
    desk.story.model.jobs.list.len()
}

/// Reads on, as somebody who looks at each page.
fn read_on(desk: &mut Desk) {
    for _ in 0..40 {
        desk.keys("PgDn");
    }
}

/// Keys that come faster than pictures.
fn burst(desk: &mut Desk, keys: &str) {
    for key in keys.split_whitespace() {
        let chord: Chord = key.parse().expect("a key of the test");
        desk.story.happen(Msg::Key(KeyPress::press(chord)));
    }
}

/// A wiki whose trash holds 300 items.
fn long_trash(call: &Call) -> Answer {
    match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: (1_000..1_300)
                .map(|id| trashed(&id.to_string(), &format!("Item {id}"), &[]))
                .collect(),
            next: None,
            total: Some(300),
        })),
        other => wiki(other),
    }
}

#[test]
fn no_answer_counts_before_the_end_of_the_plan_was_on_the_screen() {
    for (opening, answer) in [("D", "E N G"), ("t | x", "1"), ("P |", "E N G")] {
        let mut desk = Desk::browsing(SMALL.0, SMALL.1);
        opens(&mut desk, opening);
        desk.work(&wiki);
        desk.keys(answer).keys("Enter");
        assert_eq!(jobs(&desk), 0, "{opening}\n{}", desk.screen());
        assert!(
            desk.screen().contains("Not all of this"),
            "{}",
            desk.screen()
        );
        read_on(&mut desk);
        desk.keys("Enter");
        assert_eq!(jobs(&desk), 1, "{opening}\n{}", desk.screen());
    }
}

/// The shell draws until nothing is unseen: a part below the window must not keep it at that.
#[test]
fn a_picture_of_a_part_leaves_nothing_unseen_until_it_is_scrolled() {
    for opening in ["D", "t | x", "P |"] {
        let mut desk = Desk::browsing(SMALL.0, SMALL.1);
        opens(&mut desk, opening);
        desk.work(&wiki);
        desk.story.looks_at_it();
        let screen = desk.screen();
        assert!(screen.contains("unread, PgDn"), "{opening}\n{screen}");
        assert_eq!(desk.story.model.unseen(), None, "{opening}\n{screen}");
        burst(&mut desk, "PgDn");
        assert!(desk.story.model.unseen().is_some(), "{opening}");
    }
}

#[test]
fn keys_that_are_faster_than_the_pictures_leave_no_part_of_a_plan_out() {
    let mut desk = Desk::browsing(SMALL.0, SMALL.1);
    desk.keys("D").work(&wiki);
    burst(&mut desk, "PgDn PgDn PgDn PgDn PgDn PgDn PgDn PgDn");
    desk.keys("E N G Enter");
    assert_eq!(jobs(&desk), 0, "{}", desk.screen());
    assert!(desk.screen().contains("unread, PgDn"), "{}", desk.screen());
}

#[test]
fn what_has_changed_of_a_plan_is_read_again() {
    let mut desk = Desk::browsing(SMALL.0, SMALL.1);
    desk.keys("D").work(&wiki);
    read_on(&mut desk);
    // The backup is declined: what is said of it has another text, and comes into sight.
    desk.keys("Tab b Tab");
    assert!(desk.screen().contains("no backup"), "{}", desk.screen());
    // A narrower window folds it anew.
    let mut desk = Desk::browsing(100, 30);
    desk.keys("D").work(&wiki);
    desk.keys("E N G");
    let (width, height) = SMALL;
    desk.story.happen(Msg::Resized(Size { width, height }));
    desk.keys("Enter");
    assert_eq!(jobs(&desk), 0, "{}", desk.screen());
}

#[test]
fn of_many_items_the_number_is_read_and_the_list_is_for_whoever_wants_it() {
    let mut desk = Desk::browsing(80, 24);
    desk.keys("t").work(&long_trash);
    desk.keys("* x").work(&long_trash);
    let screen = desk.screen();
    assert!(screen.contains("items more, listed below"), "{screen}");
    desk.keys("3 0 0 Enter");
    assert_eq!(jobs(&desk), 1, "{}", desk.screen());
}

#[test]
fn changes_are_read_to_their_end_before_they_are_saved() {
    let mut desk = Desk::browsing(SMALL.0, SMALL.1);
    desk.keys("e").work(&wiki);
    desk.types(&"A long name of a space that is folded many times. ".repeat(4));
    desk.keys("Ctrl-s y");
    assert_eq!(jobs(&desk), 0, "{}", desk.screen());
    assert!(desk.screen().contains("unread, PgDn"), "{}", desk.screen());
    read_on(&mut desk);
    desk.keys("y");
    assert_eq!(jobs(&desk), 1, "{}", desk.screen());
}

/// What one could not take back: jobs and what became of them, writes, files, the end.
fn begun(desk: &Desk) -> (Vec<(String, JobState)>, usize, usize) {
    let jobs = desk.story.model.jobs.list.iter();
    let states = jobs.map(|it| (it.job.head().id.to_string(), it.job.state()));
    let effects = desk.story.effects.iter();
    let heavy = effects.filter(|effect| {
        matches!(
            effect,
            Effect::Quit(_) | Effect::Switch(_) | Effect::SaveConfig { .. } | Effect::AllowWrites
        )
    });
    (states.collect(), desk.writes().len(), heavy.count())
}

#[test]
fn no_key_that_came_behind_another_begins_anything_in_any_dialog() {
    let mut alone = 0;
    for (dialog, keys) in DIALOGS {
        let mut opened = crate::typed_ahead::desk();
        opens(&mut opened, keys);
        if opened
            .story
            .model
            .modals
            .last()
            .is_some_and(|modal| matches!(modal, Modal::Palette(_)))
        {
            continue;
        }
        // What is typed is right, so that the next key could agree to it.
        match opened.story.model.modals.last() {
            Some(Modal::NewSpace(_)) => drop(opened.types("Night Watch")),
            Some(Modal::Confirm(confirm)) => {
                if let Some(wanted) = confirm.wanted() {
                    opened.types(&wanted);
                }
            }
            _ => {}
        }
        read_on(&mut opened);
        let before = begun(&opened);
        for chord in chords() {
            // Those that begin something anywhere. A dry run sends reads alone, and Ctrl-c always counts.
            let name = chord.to_string();
            if !["y", "Enter", "Ctrl-s", "p", "c", "r", "x", "w", "q"].contains(&name.as_str()) {
                continue;
            }
            for company in [Company::Behind, Company::Alone] {
                let mut desk = opened.copy();
                desk.story.press(KeyPress {
                    company,
                    ..KeyPress::press(chord)
                });
                desk.work(&wiki);
                let changed = begun(&desk) != before;
                if company == Company::Behind {
                    assert!(!changed, "{chord} behind another in {dialog}");
                } else if changed {
                    alone += 1;
                }
            }
        }
    }
    assert!(alone > 5, "only {alone} keys begin something");
}

#[test]
fn a_letter_and_the_key_that_creates_a_space_in_one_read_create_none() {
    let mut desk = crate::typed_ahead::desk();
    desk.keys("n").types("Night Watc");
    desk.work(&wiki);
    let press = |key: &str, company| KeyPress {
        company,
        ..KeyPress::press(key.parse().expect("a key of the test"))
    };
    desk.story.press(press("h", Company::Alone));
    desk.story.press(press("Ctrl-s", Company::Behind));
    assert_eq!(jobs(&desk), 0);
    let dropped = desk.story.model.modals.dropped();
    assert_eq!(dropped, Some(&Dropped::Together("Ctrl-s".to_owned())));
    assert!(
        desk.screen().contains("Press Ctrl-s again"),
        "{}",
        desk.screen()
    );
    desk.keys("Ctrl-s");
    assert_eq!(jobs(&desk), 1);
}

#[test]
fn a_key_that_comes_as_one_with_esc_agrees_to_nothing_in_the_dialog_below() {
    let mut desk = crate::typed_ahead::desk();
    desk.keys("n").types("Night Watch");
    desk.work(&wiki);
    desk.keys("Esc");
    assert!(desk.screen().contains("would be lost"), "{}", desk.screen());
    let mut save: Chord = "Ctrl-s".parse().expect("a key of the test");
    save.alt = true;
    desk.story.press(KeyPress::press(save));
    assert_eq!(jobs(&desk), 0, "{}", desk.screen());
    desk.keys("Ctrl-s");
    assert_eq!(jobs(&desk), 1, "{}", desk.screen());
}

/// The lines that have to be read of the dialog on top.
fn must_read(desk: &Desk) -> Option<Vec<String>> {
    let model = &desk.story.model;
    let Some(Modal::Confirm(dialog)) = model.modals.last() else {
        return None;
    };
    let shape = shape(model, dialog, model.size);
    let lines = shape.lines.iter().take(shape.must);
    Some(
        lines
            .map(|line| line.iter().map(|(_, text)| text.as_str()).collect())
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is typed, scrolled and resized: what begins a job was on the screen, line by line.
    #[test]
    fn what_is_agreed_to_was_on_the_screen_line_by_line(
        width in 40_u16..100,
        height in 10_u16..30,
        opening in prop::sample::select(vec!["D", "t | x", "P", "a", "t | Space u", "t | b", "Space j Space D"]),
        keys in prop::collection::vec(
            (prop::sample::select(vec!["PgDn", "PgDn", "PgDn", "PgDn", "PgUp", "Down", "Up", "Tab", "b", "answer", "answer", "resize", "work"]), any::<bool>()),
            0..30,
        ),
    ) {
        let mut desk = Desk::browsing(width, height);
        opens(&mut desk, opening);
        let mut seen: Vec<String> = Vec::new();
        for (key, looks) in keys {
            if looks {
                desk.story.looks_at_it();
                prop_assert_eq!(desk.story.model.unseen(), None, "drawn without end");
                seen.push(desk.screen());
            }
            let before = jobs(&desk);
            let must = must_read(&desk);
            match key {
                "resize" => {
                    let size = Size { width: 80, height: 12 };
                    desk.story.happen(Msg::Resized(size));
                }
                "work" => drop(desk.work(&wiki)),
                "answer" => {
                    let wanted = match desk.story.model.modals.last() {
                        Some(Modal::Confirm(dialog)) => dialog.wanted(),
                        _ => None,
                    };
                    let keys: Vec<Key> = match wanted {
                        Some(wanted) => wanted.chars().map(Key::Char).chain([Key::Enter]).collect(),
                        None => vec![Key::Char('y')],
                    };
                    for key in keys {
                        desk.story.at += 100;
                        desk.story.happen(Msg::Key(KeyPress::press(Chord::plain(key))));
                    }
                }
                key => burst(&mut desk, key),
            }
            if jobs(&desk) > before {
                for line in must.into_iter().flatten() {
                    let is_shown = seen.iter().any(|screen| screen.contains(line.trim_end()));
                    prop_assert!(is_shown, "never on the screen: {line}");
                }
            }
        }
    }
}
