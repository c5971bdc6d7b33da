//! Stories of somebody with the mouse.

use coracle::app::layout::{Layout, Pane};
use coracle::app::message::{Mouse, Msg, Position};
use coracle::app::modal::Modal;
use coracle::app::pane::content::Tab;

use crate::story::{Story, wiki};

/// A hand on the mouse, a screen before it.
struct Hand(Story);

impl Hand {
    fn browsing() -> Self {
        Self(Story::browsing(120, 40))
    }

    fn press(&mut self, x: u16, y: u16) {
        let at = Position { x, y };
        self.0.looks_at_it();
        self.0.happen(Msg::Mouse(Mouse::Press(at)));
        self.0.happen(Msg::Mouse(Mouse::Release(at)));
    }

    /// Presses this text, where it stands for the last time on the screen.
    fn press_text(&mut self, text: &str) {
        let screen = self.0.screen();
        let found = screen.lines().enumerate().filter_map(|(y, line)| {
            let at = line.rfind(text)?;
            Some((line[..at].chars().count(), y))
        });
        let (x, y) = found
            .last()
            .unwrap_or_else(|| panic!("no {text}:\n{screen}"));
        self.press(
            u16::try_from(x).expect("a column"),
            u16::try_from(y).expect("a row"),
        );
    }

    fn wheel(&mut self, x: u16, y: u16, notches: i8) {
        let at = Position { x, y };
        self.0.looks_at_it();
        self.0.happen(Msg::Mouse(Mouse::Wheel(at, notches)));
    }

    fn pause(&mut self) {
        self.0.at += 1_000;
    }

    /// The column behind the list of spaces.
    fn border(&self) -> u16 {
        match self.0.model.layout() {
            Layout::Panes { panes, .. } => panes[Pane::Spaces as usize].right(),
            Layout::TooSmall => panic!("it is large enough"),
        }
    }
}

#[test]
fn a_press_goes_to_a_row_and_a_second_one_opens_it() {
    let mut hand = Hand::browsing();
    hand.press(5, 4);
    assert_eq!(hand.0.model.spaces.cursor.at, 1);
    assert_eq!(hand.0.model.focus, Pane::Spaces);
    hand.pause();
    hand.press(5, 4);
    assert_eq!(hand.0.model.focus, Pane::Spaces, "that was no double press");
    hand.press(5, 4);
    assert_eq!(hand.0.model.focus, Pane::Content);
    // In a tree it expands, and only twice.
    let mut hand = Hand::browsing();
    hand.0.keys("3");
    let before = hand.0.screen();
    hand.pause();
    hand.press_text("Home");
    hand.pause();
    assert_eq!(hand.0.screen(), before, "it was there already");
    hand.press_text("Home");
    hand.press_text("Home");
    assert_ne!(hand.0.screen(), before);
    // The heads of columns and the borders are no rows.
    let mut hand = Hand::browsing();
    hand.0.keys("j");
    for y in [0, 1, 2, 39] {
        hand.press(5, y);
        assert_eq!(hand.0.model.spaces.cursor.at, 1, "in line {y}");
    }
}

#[test]
fn tabs_are_pressed_by_their_labels() {
    let mut hand = Hand::browsing();
    for (label, tab) in [
        ("Blog", Tab::Blog),
        ("Trash", Tab::Trash),
        ("Pages", Tab::Pages),
    ] {
        hand.press_text(label);
        hand.0.answer_all(&wiki);
        assert_eq!(hand.0.model.content.tab, tab);
        assert_eq!(hand.0.model.focus, Pane::Content);
    }
    hand.press_text(" │ Blog");
    assert_eq!(hand.0.model.content.tab, Tab::Pages, "beside the label");
}

#[test]
fn the_border_follows_as_long_as_it_is_held() {
    let mut hand = Hand::browsing();
    let border = hand.border();
    let drag = |hand: &mut Hand, x| {
        let at = Position { x, y: 20 };
        hand.0.happen(Msg::Mouse(Mouse::Drag(at)));
    };
    let y = 10;
    let at = |x| Position { x, y };
    for side in [border - 1, border] {
        let mut hand = Hand::browsing();
        hand.0.happen(Msg::Mouse(Mouse::Press(at(side))));
        assert_eq!(hand.0.model.spaces.cursor.at, 0, "a border is no row");
        // However far it went between two reports.
        drag(&mut hand, border + 20);
        assert!(
            hand.border().abs_diff(border + 20) <= 1,
            "{}",
            hand.border()
        );
        drag(&mut hand, border - 8);
        assert!(hand.border().abs_diff(border - 8) <= 1, "{}", hand.border());
        hand.0.happen(Msg::Mouse(Mouse::Release(at(border - 8))));
        drag(&mut hand, border + 20);
        assert!(hand.border().abs_diff(border - 8) <= 1, "it was let go");
    }
    // Something else was pressed.
    hand.0.happen(Msg::Mouse(Mouse::Press(at(border - 3))));
    drag(&mut hand, border);
    drag(&mut hand, border + 9);
    assert_eq!(hand.border(), border);
}

#[test]
fn the_wheel_turns_what_is_under_it_and_leaves_the_keys_where_they_are() {
    let mut hand = Hand::browsing();
    hand.0.keys("3");
    hand.wheel(5, 10, 1);
    assert_eq!(hand.0.model.spaces.cursor.at, 3);
    assert_eq!(hand.0.model.focus, Pane::Content);
    hand.wheel(5, 10, -1);
    assert_eq!(hand.0.model.spaces.cursor.at, 0);
    hand.0.keys("s");
    hand.wheel(60, 20, 1);
    assert!(matches!(hand.0.model.modals.last(), Some(Modal::Menu(menu)) if menu.chosen == 1));
    hand.0.keys("Esc ?");
    hand.wheel(60, 20, 1);
    assert!(matches!(hand.0.model.modals.last(), Some(Modal::Reading(text)) if text.top == 3));
}

#[test]
fn a_menu_and_the_palette_are_pressed_and_left_by_a_press_beside_them() {
    let mut hand = Hand::browsing();
    let first = hand.0.model.space_at_cursor().cloned();
    hand.0.keys("s");
    hand.press_text("Key, Z to A");
    assert!(hand.0.model.modals.is_empty());
    hand.0.keys("g");
    assert_ne!(hand.0.model.space_at_cursor().cloned(), first);
    hand.0.keys("s");
    // Beside the menu, on a row of the list below it.
    hand.press(5, 4);
    assert!(hand.0.model.modals.is_empty(), "left");
    assert_eq!(hand.0.model.spaces.cursor.at, 0, "and nothing else pressed");
    hand.0.keys(":").types("log");
    hand.press_text("Log  ");
    assert!(hand.0.screen().contains("Log and journal"));
}

#[test]
fn nothing_is_agreed_to_by_a_press() {
    let mut hand = Hand::browsing();
    hand.0.keys("a");
    let asked = hand.0.screen();
    for (x, y) in (0..120).flat_map(|x| (0..40).map(move |y| (x, y))) {
        hand.press(x, y);
    }
    assert_eq!(hand.0.screen(), asked);
    assert!(hand.0.sent.iter().all(|call| call.is_read()));
}
