//! The mouse: what a press, a drag and the wheel mean where they happen.
//!
//! A press does what the keys could do from there. A second one on the same row, soon after, opens it.

use ratatui::layout::Rect;
use serde::Serialize;

use super::action::Action;
use super::key::{Chord, Key, KeyPress};
use super::layout::{Layout, Pane, Split, inside};
use super::list::Step;
use super::message::{Effect, Millis, Mouse, Position};
use super::modal::Modal;
use super::modal::palette;
use super::model::{Model, Screen};
use super::pane::content::{TAB_GAP, Tab};
use crate::text::width;

/// How soon the second press of two comes, in milliseconds.
const DOUBLE: u64 = 400;
/// How many rows a notch of the wheel is.
const NOTCH: i64 = 3;

/// What the mouse is in the middle of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pointer {
    /// The border between the panes is held.
    holds_border: bool,
    /// The last press, and when it was.
    last: Option<(Position, Millis)>,
}

impl Pointer {
    /// Notes a press; says whether it is the second of two on this row.
    fn presses(&mut self, at: Position, now: Millis) -> bool {
        let again = self.last.is_some_and(|(last, then)| {
            last.y == at.y && last.x.abs_diff(at.x) <= 1 && now.since(then) <= DOUBLE
        });
        // A third press begins anew.
        self.last = (!again).then_some((at, now));
        again
    }
}

fn holds(area: Rect, at: Position) -> bool {
    area.contains(ratatui::layout::Position { x: at.x, y: at.y })
}

impl Model {
    pub(in crate::app) fn mouse(&mut self, mouse: Mouse, out: &mut Vec<Effect>) {
        let Layout::Panes { panes, .. } = self.layout() else {
            return;
        };
        match mouse {
            Mouse::Wheel(at, notches) => self.wheel(at, notches, &panes, out),
            Mouse::Press(at) => {
                let again = self.pointer.presses(at, self.now);
                if !self.modals.is_empty() {
                    self.press_modal(at, out);
                } else if self.screen == Screen::Across {
                    self.across_click(at.y);
                } else if self.screen == Screen::Panes {
                    self.press_panes(at, again, &panes, out);
                }
            }
            Mouse::Drag(at) if self.pointer.holds_border && self.size.width > 0 => {
                let hundredths = u32::from(at.x + 1) * 100 / u32::from(self.size.width);
                self.split = Split::new(u16::try_from(hundredths).unwrap_or(50));
                self.resettle();
            }
            Mouse::Release(_) => self.pointer.holds_border = false,
            Mouse::Drag(_) => {}
        }
    }

    fn wheel(&mut self, at: Position, notches: i8, panes: &[Rect; 3], out: &mut Vec<Effect>) {
        if !self.modals.is_empty() && self.modals.seen(self.typed_at).is_none() {
            return;
        }
        let rows = i64::from(notches) * NOTCH;
        let (action, key) = if notches < 0 {
            (Action::Up, Key::Up)
        } else {
            (Action::Down, Key::Down)
        };
        match self.modals.last() {
            Some(Modal::Reading(_)) => {
                for _ in 0..rows.abs() {
                    self.modal_verb(action, out);
                }
            }
            Some(
                Modal::Menu(_)
                | Modal::Palette(_)
                | Modal::Confirm(_)
                | Modal::Question(_)
                | Modal::Jobs
                | Modal::Job(_)
                | Modal::Plans(_)
                | Modal::Backups(_)
                | Modal::Profiles(_)
                | Modal::Leave(_),
            ) => {
                for _ in 0..notches.unsigned_abs() {
                    self.modal_key(KeyPress::press(Chord::plain(key)), out);
                }
            }
            // There the arrows would change what was chosen or typed.
            Some(
                Modal::SpacesFilter(_) | Modal::NewSpace(_) | Modal::EditSpace(_) | Modal::SetUp(_),
            ) => {}
            None if self.preview.is_open && holds(self.preview_area(), at) => {
                let (focus, has_keys) = (self.focus, self.preview.has_keys);
                self.focus = Pane::Content;
                self.preview.has_keys = true;
                for _ in 0..rows.abs() {
                    self.preview_verb(action, out);
                }
                self.focus = focus;
                self.preview.has_keys = has_keys;
            }
            None if self.screen == Screen::Across => self.across_wheel(rows),
            None => {
                if let Some(pane) = pane_at(panes, at) {
                    let focus = std::mem::replace(&mut self.focus, pane);
                    self.step(Step::By(rows), out);
                    self.focus = focus;
                }
            }
        }
    }

    /// A press while something lies over the panes: menus and the palette run the row, and close
    /// when the press is beside them. Nothing that is typed or agreed to is a press away.
    fn press_modal(&mut self, at: Position, out: &mut Vec<Effect>) {
        if self.modals.seen(self.typed_at).is_none() {
            self.modals.drop_early("a click".to_owned());
            return;
        }
        let size = self.size;
        let (area, head) = match self.modals.last() {
            Some(Modal::Menu(menu)) => (menu.area(size), 0),
            Some(Modal::Palette(_)) => (palette::area(size), 1),
            _ => return,
        };
        let key = |key| KeyPress::press(Chord::plain(key));
        if !holds(area, at) {
            self.modal_key(key(Key::Esc), out);
            return;
        }
        let inner = inside(area);
        let Some(line) = at.y.checked_sub(inner.y + head).map(usize::from) else {
            return;
        };
        let is_row = match self.modals.last_mut() {
            Some(Modal::Menu(menu)) => menu.point_at(line, size),
            Some(Modal::Palette(list)) => list.point_at(line, palette::rows(size)),
            _ => false,
        };
        if is_row && holds(inner, at) {
            self.modal_key(key(Key::Enter), out);
        }
    }

    fn press_panes(&mut self, at: Position, again: bool, panes: &[Rect; 3], out: &mut Vec<Effect>) {
        let left = panes[Pane::Spaces as usize];
        let is_split = left.width > 0 && left.right() < self.size.width;
        if is_split && holds(left.union(panes[Pane::Content as usize]), at) {
            // The borders of both sides stand together.
            self.pointer.holds_border = at.x + 1 == left.right() || at.x == left.right();
            if self.pointer.holds_border {
                return;
            }
        }
        if self.preview.is_open && holds(self.preview_area(), at) {
            self.focus = Pane::Content;
            self.preview.has_keys = true;
            return;
        }
        let Some(pane) = pane_at(panes, at) else {
            return;
        };
        self.preview.has_keys = false;
        self.focus_on(pane, out);
        let area = panes[pane as usize];
        let inner = inside(area);
        if pane == Pane::Content && at.y == area.y {
            if let Some(tab) = self.tab_at(at.x.saturating_sub(area.x)) {
                self.show_tab(tab, out);
            }
            return;
        }
        let Some(line) =
            at.y.checked_sub(inner.y)
                .filter(|line| *line < inner.height)
                .map(usize::from)
        else {
            return;
        };
        match pane {
            Pane::Spaces => {
                let Some(row) = line.checked_sub(1) else {
                    return;
                };
                let (row, height) = (self.spaces.cursor.top + row, self.rows_of(pane));
                if row < self.spaces.len() {
                    self.view.take();
                    self.spaces.put(row, height);
                    self.moved = Some(self.now);
                    if again {
                        self.act(Action::Open, out);
                    }
                }
            }
            Pane::Detail => {}
            Pane::Content => {
                let height = self.rows_of(pane);
                let head = usize::from(self.content_head(area.width));
                let Some(line) = line.checked_sub(head) else {
                    return;
                };
                let outline = self.content.outline_mut();
                let row = outline.cursor.top + line;
                if row < outline.tree.rows().len() {
                    outline.put(row, height);
                    if again {
                        self.act(Action::Open, out);
                    }
                }
            }
        }
    }

    /// The tab whose label is in this column of the content pane's title.
    fn tab_at(&self, column: u16) -> Option<Tab> {
        // A corner and a blank come before the first.
        let mut from = 2;
        Tab::ALL.into_iter().find(|tab| {
            let until = from + width::width(&self.content.label(*tab));
            let found = (from..until).contains(&usize::from(column));
            from = until + width::width(TAB_GAP);
            found
        })
    }
}

fn pane_at(panes: &[Rect; 3], at: Position) -> Option<Pane> {
    [Pane::Spaces, Pane::Detail, Pane::Content]
        .into_iter()
        .find(|pane| holds(panes[*pane as usize], at))
}
