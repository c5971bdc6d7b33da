//! A menu: a few things to choose from, with the cursor keys or by their letter.

use std::ops::Range;

use ratatui::layout::Rect;
use serde::Serialize;

use super::reading::{Reading, What};
use super::{Modal, Outcome, is_esc};
use crate::app::across;
use crate::app::key::{Chord, Key};
use crate::app::layout::{Pane, centred};
use crate::app::message::{COPY_LIMIT, Effect, LogLevel, LogLine, Size};
use crate::app::model::{Model, Screen};
use crate::app::pane::content::Order;
use crate::app::pane::export;
use crate::app::pane::spaces::Sort;
use crate::confluence::{ContentId, SpaceKey};
use crate::text::{number, width};

/// The widest text that a notice shows in one line, in columns.
const SHORT: usize = 52;

/// What choosing an entry does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Choice {
    /// Orders the list of spaces.
    SortSpaces(Sort),
    /// Orders the tree in front.
    OrderTree(Order),
    /// Orders the trash of many spaces.
    SortAcross(across::Sort),
    /// Orders the items of one of them.
    SortAcrossItems(across::ItemSort),
    /// Writes what is listed into a file.
    Export(export::Form),
    /// Copies this text.
    Copy(String),
}

/// A line of a menu.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The letter that chooses it.
    pub letter: char,
    /// What it says.
    pub label: String,
    /// More about it, dim.
    pub note: String,
    /// What it does.
    pub choice: Choice,
}

/// A menu.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Menu {
    /// Its title.
    pub title: String,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// The line under the cursor.
    pub chosen: usize,
}

impl Menu {
    /// How wide the labels and the notes are.
    pub fn columns(&self) -> (usize, usize) {
        let widest = |text: fn(&Entry) -> &str| {
            let widths = self.entries.iter().map(|entry| width::width(text(entry)));
            widths.max().unwrap_or(0)
        };
        (widest(|entry| &entry.label), widest(|entry| &entry.note))
    }

    /// Where it is on a screen of this size.
    pub fn area(&self, size: Size) -> Rect {
        let (label, note) = self.columns();
        let title = width::width(&self.title) + 6;
        let wide = u16::try_from((label + note + 14).max(title)).unwrap_or(60);
        let wide = wide.clamp(28, 76);
        let high = u16::try_from(self.entries.len()).unwrap_or(10) + 2;
        centred(size, wide, high)
    }

    /// Which of its lines are shown on a screen of this size: the one under the cursor among them.
    pub fn window(&self, size: Size) -> Range<usize> {
        let rows = usize::from(self.area(size).height.saturating_sub(2));
        let from = (self.chosen + 1).saturating_sub(rows);
        from..(from + rows).min(self.entries.len())
    }

    /// Puts the cursor on this one of the lines that are shown, if there is one.
    pub(in crate::app) fn point_at(&mut self, line: usize, size: Size) -> bool {
        let row = self.window(size).nth(line);
        if let Some(row) = row {
            self.chosen = row;
        }
        row.is_some()
    }
}

impl Model {
    pub(super) fn menu_key(
        &mut self,
        menu: &mut Menu,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let last = menu.entries.len().saturating_sub(1);
        let by_letter = chord
            .typed()
            .and_then(|c| menu.entries.iter().position(|entry| entry.letter == c));
        match (by_letter, chord.key) {
            (Some(ix), _) => self.choose(&menu.entries[ix].choice, out),
            (None, Key::Up | Key::Char('k')) => menu.chosen = menu.chosen.saturating_sub(1),
            (None, Key::Down | Key::Char('j')) => menu.chosen = (menu.chosen + 1).min(last),
            (None, Key::Home) => menu.chosen = 0,
            (None, Key::End) => menu.chosen = last,
            (None, Key::Enter) => {
                if let Some(entry) = menu.entries.get(menu.chosen) {
                    self.choose(&entry.choice, out);
                }
                return Outcome::Close;
            }
            (None, Key::Char('q')) => return Outcome::Close,
            (None, _) if is_esc(chord) => return Outcome::Close,
            (None, Key::Char(_)) if !chord.ctrl => {}
            _ => return Outcome::NotMine,
        }
        if by_letter.is_some() {
            Outcome::Close
        } else {
            Outcome::Stay
        }
    }

    fn choose(&mut self, choice: &Choice, out: &mut Vec<Effect>) {
        match choice {
            Choice::SortSpaces(sort) => {
                let height = self.rows_of(Pane::Spaces);
                self.spaces.set_sort(*sort, height);
            }
            Choice::SortAcross(sort) => self.sort_across(*sort),
            Choice::SortAcrossItems(sort) => self.sort_across_items(*sort),
            Choice::OrderTree(Order::Server) => {
                self.content.outline_mut().order = Order::Server;
                self.reload_content(out);
            }
            Choice::OrderTree(order) => {
                let height = self.rows_of(Pane::Content);
                self.content.outline_mut().sort(*order, height);
            }
            Choice::Export(form) => self.export(*form, out),
            Choice::Copy(text) => self.copy(text, out),
        }
    }

    /// Copies a text, and shows it so that it can be selected by hand: a terminal may refuse what
    /// is sent to its clipboard, and none of them says so.
    fn copy(&mut self, text: &str, out: &mut Vec<Effect>) {
        let fits = text.len() <= COPY_LIMIT;
        if fits {
            out.push(Effect::Copy(text.to_owned()));
        }
        if fits && !text.contains('\n') && width::width(text) <= SHORT {
            self.say(LogLevel::Info, format!("Copied: {text}"));
            return;
        }
        let (title, about) = if fits {
            (
                "Copied",
                "Should your terminal not take it: select it by hand.".to_owned(),
            )
        } else {
            (
                "Too long to copy",
                format!(
                    "It has {} bytes; at most {} go through a terminal. Select what you need by hand.",
                    number::grouped(text.len() as u64),
                    number::grouped(COPY_LIMIT as u64)
                ),
            )
        };
        self.show_to_select(title, &about, text);
    }

    /// An address that no browser was found for: copied, and shown as a whole.
    pub(in crate::app) fn unopened(&mut self, address: &str, why: &str, out: &mut Vec<Effect>) {
        self.keep(LogLine {
            level: LogLevel::Warning,
            text: format!("{why} The address: {address}"),
        });
        let about = if address.len() <= COPY_LIMIT {
            out.push(Effect::Copy(address.to_owned()));
            format!("{why} The address was copied; here it is to select by hand.")
        } else {
            format!("{why} Here is the address to select by hand.")
        };
        self.show_to_select("Address", &about, address);
    }

    fn show_to_select(&mut self, title: &str, about: &str, text: &str) {
        let mut lines = vec![about.to_owned()];
        lines.push("With Shift held the mouse selects as it does elsewhere.".to_owned());
        lines.push(String::new());
        lines.extend(text.lines().map(str::to_owned));
        let title = title.to_owned();
        self.modals
            .push(Modal::Reading(Reading::new(What::Text { title, lines })));
    }

    /// The menu of orders for the pane that has the keys.
    pub(in crate::app) fn sort_menu(&self) -> Menu {
        let entry = |ix: usize, label: &str, choice| Entry {
            letter: char::from_digit(u32::try_from(ix).unwrap_or(0) + 1, 10).unwrap_or('0'),
            label: label.to_owned(),
            note: String::new(),
            choice,
        };
        let (entries, chosen) = match self.focus {
            Pane::Spaces | Pane::Detail => (
                Sort::ALL
                    .iter()
                    .enumerate()
                    .map(|(ix, (sort, label))| entry(ix, label, Choice::SortSpaces(*sort)))
                    .collect(),
                Sort::ALL
                    .iter()
                    .position(|(sort, _)| *sort == self.spaces.sort),
            ),
            Pane::Content => (
                Order::ALL
                    .iter()
                    .enumerate()
                    .map(|(ix, (order, label))| entry(ix, label, Choice::OrderTree(*order)))
                    .collect(),
                Order::ALL
                    .iter()
                    .position(|(order, _)| *order == self.content.outline().order),
            ),
        };
        Menu {
            title: "Sort by".to_owned(),
            entries,
            chosen: chosen.unwrap_or(0),
        }
    }

    /// The menu of what can be copied of the row under the cursor.
    pub(in crate::app) fn copy_menu(&self) -> Option<Menu> {
        let mut entries = Vec::new();
        let mut entry = |letter, label: &str, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                let (label, note) = (label.to_owned(), text.clone());
                entries.push(Entry {
                    letter,
                    label,
                    note,
                    choice: Choice::Copy(text),
                });
            }
        };
        if self.screen == Screen::Across {
            match self.across_subject()? {
                (space, Some(ix)) => {
                    entry('t', "Title", Some(space.title(ix).to_owned()));
                    let id = &space.items[ix as usize].id;
                    entry('i', "Id", Some(id.to_string()));
                    entry('u', "URL", self.address());
                    entry('k', "Space key", Some(space.key.to_string()));
                }
                (space, None) => {
                    entry('k', "Key", Some(space.key.to_string()));
                    entry('t', "Name", Some(space.name.clone()));
                    entry('u', "URL", self.address());
                }
            }
        } else if self.focus == Pane::Content
            && let Some((_, node)) = self.content.outline().node()
        {
            entry('t', "Title", Some(node.title.to_string()));
            entry('i', "Id", Some(node.id.to_string()));
            entry('u', "URL", self.address());
            entry(
                'k',
                "Space key",
                self.shown_space().map(ToString::to_string),
            );
        } else {
            let space = self.spaces.at_cursor()?;
            entry('k', "Key", Some(space.key.to_string()));
            entry('t', "Name", Some(space.name.to_string()));
            entry('i', "Id", space.id.map(|id| id.to_string()));
            entry('u', "URL", self.address());
        }
        (!entries.is_empty()).then(|| Menu {
            title: "Copy".to_owned(),
            entries,
            chosen: 0,
        })
    }

    /// The address of the row under the cursor, to open in a browser.
    pub(in crate::app) fn address(&self) -> Option<String> {
        let base = self.profile.base_url.trim_end_matches('/');
        let below = |path: &str| format!("{base}/{}", path.trim_start_matches('/'));
        if self.screen == Screen::Across {
            let (space, item) = self.across_subject()?;
            return Some(below(&match item {
                Some(ix) => page_address(&space.items[ix as usize].id),
                None => space_address(&space.key),
            }));
        }
        if self.focus == Pane::Content
            && let Some((_, node)) = self.content.outline().node()
        {
            let fallback = || page_address(&node.id);
            return Some(below(
                &node.webui.map_or_else(fallback, ToString::to_string),
            ));
        }
        let space = self.spaces.at_cursor()?;
        let told = self
            .detail
            .value
            .value()
            .filter(|detail| detail.key == space.key);
        let webui = told.and_then(|detail| detail.more.as_ref()?.webui.clone());
        Some(below(&webui.unwrap_or_else(|| space_address(&space.key))))
    }
}

fn page_address(id: &ContentId) -> String {
    format!("pages/viewpage.action?pageId={id}")
}

fn space_address(key: &SpaceKey) -> String {
    let segment =
        percent_encoding::utf8_percent_encode(key.as_str(), crate::confluence::call::SEGMENT);
    format!("display/{segment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_under_the_cursor_is_always_among_those_that_are_shown() {
        let entry = |n: u32| Entry {
            letter: char::from_u32(u32::from('a') + n).unwrap_or('?'),
            label: format!("Line {n}"),
            note: String::new(),
            choice: Choice::Copy(n.to_string()),
        };
        let mut menu = Menu {
            title: "Copy".to_owned(),
            entries: (0..20).map(entry).collect(),
            chosen: 0,
        };
        for height in 10..30 {
            let size = Size { width: 80, height };
            for chosen in 0..20 {
                menu.chosen = chosen;
                let window = menu.window(size);
                assert!(window.contains(&chosen), "{window:?} {chosen}");
                let rows = usize::from(menu.area(size).height - 2);
                assert_eq!(window.len(), rows.min(20), "{window:?}");
                // A press on the last line that is shown is that entry.
                let mut pressed = menu.clone();
                assert!(pressed.point_at(window.len() - 1, size));
                assert_eq!(pressed.chosen, window.end - 1);
                assert!(!menu.clone().point_at(window.len(), size));
            }
        }
    }
}
