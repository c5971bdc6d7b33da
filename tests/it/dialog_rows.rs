//! Dialogs leave the first row and the last to header and footer, at every size: that is where
//! notices are told, and what was typed too early.

use std::collections::BTreeSet;

use coracle::app::Model;
use coracle::app::message::{Millis, Msg, Size};
use coracle::app::modal::Modal;
use coracle::app::update;
use coracle::ui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::backups::Browser;
use crate::dialogs::{Desk, told};
use crate::lost::Visit;
use crate::plans;
use crate::setup;
use crate::story::{Story, wiki};

/// Which dialog is on top.
fn kind(modal: &Modal) -> &'static str {
    match modal {
        Modal::Menu(_) => "menu",
        Modal::Palette(_) => "palette",
        Modal::Reading(_) => "text",
        Modal::SpacesFilter(_) => "filter of spaces",
        Modal::NewSpace(_) => "new space",
        Modal::EditSpace(_) => "edit space",
        Modal::Confirm(_) => "confirmation",
        Modal::Question(_) => "question",
        Modal::Jobs => "jobs",
        Modal::Job(_) => "job",
        Modal::Plans(_) => "plans",
        Modal::Backups(_) => "backups",
        Modal::Profiles(_) => "profiles",
        Modal::SetUp(_) => "set-up",
        Modal::Leave(_) => "leave",
    }
}

/// How many kinds there are.
const KINDS: usize = 15;

/// Every dialog, in more than one of its states where it has some.
fn dialogs() -> Vec<Model> {
    let mut models = Vec::new();
    for keys in ["s", "y", ":", "?", "L", "f", "n", "J", "a", "D", "* D", "@"] {
        let mut story = Story::browsing(120, 40);
        let profile = |n: usize| coracle::app::model::ProfileChoice {
            name: format!("wiki-{n}"),
            base_url: format!("https://wiki-{n}.example.com"),
            color: None,
            read_only: false,
            protected: false,
        };
        story.model.profiles = (0..120).map(profile).collect();
        story.keys(keys).answer_all(&wiki);
        models.push(story.model);
    }
    for keys in ["x", "* x", "P", "u", "b", "* x Tab w Esc J o"] {
        let mut desk = Desk::browsing(120, 40);
        desk.keys("t").work(&wiki);
        desk.keys(keys).work(&wiki);
        models.push(desk.story.model);
    }
    for keys in [
        "e",
        "e Tab Tab Enter",
        "e x Ctrl-s",
        "e x Esc",
        "n x Ctrl-c",
    ] {
        let mut desk = Desk::browsing(120, 40);
        for key in keys.split(' ') {
            desk.keys(key).work(&told);
        }
        models.push(desk.story.model);
    }
    for keys in ["J Enter", "J", "Ctrl-c"] {
        let mut visit = Visit::new(120, 40);
        crate::jobs::asking(&mut visit);
        models.push(visit.desk.story.model.clone());
        visit.keys("Esc").keys(keys);
        models.push(visit.desk.story.model);
    }
    let mut visit = Visit::new(120, 40);
    visit.keys("t").work();
    visit.keys("x").work().types("1").keys("Enter").settle();
    visit.keys("J Enter");
    models.push(visit.desk.story.model);
    for keys in [
        "B",
        "B x",
        "B Enter",
        "B Enter p",
        "B Enter R",
        "B Enter R Enter",
    ] {
        models.push(Browser::filled(120, 40).keys(keys).take().model);
    }
    let (mut story, plan) = plans::with_plan();
    plans::open(&mut story, vec![plan; 60]);
    models.push(story.model);
    models.push(setup::filled(120, 40).model);
    models.push(setup::tested(120, 40).model);
    models
}

/// The rows of the screen as text.
fn rows(model: &Model) -> Vec<String> {
    let Size { width, height } = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend");
    terminal
        .draw(|frame| coracle::ui::draw(model, &Theme::auto(), frame))
        .expect("a test backend takes any frame");
    let cells = &terminal.backend().buffer().content;
    let rows = cells.chunks(usize::from(width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect())
        .collect()
}

fn has_border(row: &str) -> bool {
    row.chars().any(|c| matches!(c, '\u{2500}'..='\u{257f}'))
}

#[test]
fn no_dialog_at_any_size_covers_the_first_row_or_the_last() {
    let dialogs = dialogs();
    let kinds: BTreeSet<&str> = dialogs
        .iter()
        .filter_map(|model| model.modals.last().map(kind))
        .collect();
    assert_eq!(kinds.len(), KINDS, "{kinds:?}");
    for mut model in dialogs {
        let name = model.modals.last().map_or("none", kind);
        for height in [10, 11, 12, 13, 14, 16, 18, 20, 22, 24, 26, 30, 40, 60] {
            for width in [40, 80, 120] {
                let size = Size { width, height };
                let _ = update(&mut model, Millis(1 << 40), Msg::Resized(size));
                let rows = rows(&model);
                let last = rows.len() - 1;
                let inside = rows[1..last].iter().any(|row| has_border(row));
                assert!(
                    inside,
                    "{name} at {width}x{height}: no dialog\n{}",
                    rows.join("\n")
                );
                for row in [0, last] {
                    assert!(
                        !has_border(&rows[row]),
                        "{name} at {width}x{height}, row {row}:\n{}",
                        rows.join("\n")
                    );
                }
            }
        }
    }
}

#[test]
fn what_was_typed_too_early_is_told_below_a_dialog_as_tall_as_the_screen() {
    let mut desk = Desk::browsing(80, 24);
    desk.keys("* D").work(&told);
    assert!(desk.screen().contains(", PgDn"), "{}", desk.screen());
    desk.keys("Esc").work(&told);
    // Both come in one read: the letter before its dialog was on the screen.
    desk.keys("D");
    let press = coracle::app::key::KeyPress::press("x".parse().expect("a key"));
    desk.story.happen(Msg::Key(press));
    desk.work(&told);
    let screen = desk.screen();
    let last = screen.lines().last().unwrap_or_default();
    assert!(last.contains("typed too early"), "{screen}");
}

#[test]
fn what_is_still_open_scrolls_where_it_does_not_fit() {
    let mut desk = Desk::browsing(40, 10);
    desk.keys("n").types("Harbour").keys("Ctrl-c");
    let first = desk.screen();
    assert!(first.contains("more, PgDn"), "{first}");
    desk.keys("PgDn PgDn");
    let screen = desk.screen();
    assert!(screen.contains("lost."), "{screen}");
    assert!(screen.contains("PgUp"), "{screen}");
    assert!(screen.contains("y quit"), "{screen}");
}

#[test]
fn the_removal_of_a_backup_shows_all_that_it_says_in_the_smallest_window() {
    let mut browser = Browser::filled(40, 10);
    browser.keys("B x");
    let mut seen = String::new();
    for _ in 0..6 {
        seen.push_str(&browser.story.screen());
        browser.keys("PgDn");
    }
    for word in ["removed from", "be made again", "Type"] {
        assert!(seen.contains(word), "{word}\n{seen}");
    }
}
