//! "Leave?": asked where something would be lost or goes on unseen.

use serde::Serialize;

use super::reading::{Line, Tone, folded};
use super::stack::Seen;
use super::{Modal, Outcome, is_esc};
use crate::app::key::{Chord, Key};
use crate::app::layout::tallest_inside;
use crate::app::message::{Effect, Size};
use crate::app::model::Model;
use crate::text::number;

/// What a form with changes is called among what would be left.
pub const UNSAVED: &str = "A form with changes that are not saved";

/// The question, and how far its text is scrolled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leave {
    /// What is to be left.
    pub what: Leaving,
    /// The first line that is shown.
    pub top: usize,
}

/// The text of the dialog and how it is laid out on a screen.
pub struct Shape {
    /// What is said.
    pub lines: Vec<Line>,
    /// How many of its lines are shown at once.
    pub rows: usize,
    /// Whether there is room for an empty line above.
    pub airy: bool,
    /// The width of the dialog with its borders.
    pub wide: u16,
    /// Its height with its borders.
    pub high: u16,
}

/// What is to be left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Leaving {
    /// The form below, with what was typed into it.
    Form,
    /// The program.
    Program {
        /// The exit code.
        code: u8,
    },
    /// The profile, for another one.
    Profile {
        /// The name of the other one.
        to: String,
    },
}

impl Leaving {
    /// What is said, folded for so many columns: as much of what is open is named as has room.
    pub fn text(&self, left: &[String], columns: usize, rows: usize) -> Vec<String> {
        let folded = |named: usize| -> Vec<String> {
            let lines = self.lines(left, named).into_iter();
            let folded = lines.flat_map(|line| {
                let indent = line.len() - line.trim_start().len();
                let folded = folded(line.trim_start(), columns.saturating_sub(indent));
                folded
                    .into_iter()
                    .map(move |line| format!("{}{line}", " ".repeat(indent)))
            });
            folded.collect()
        };
        let all = (0..=left.len()).rev().map(folded);
        let fits = |lines: &Vec<String>| lines.len() <= rows;
        all.into_iter().find(fits).unwrap_or_else(|| folded(0))
    }

    /// What the dialog asks.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Form => "Leave the form?",
            Self::Program { .. } => "Quit?",
            Self::Profile { .. } => "Switch the profile?",
        }
    }

    /// What `y` does, in a word.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Form => "leave",
            Self::Program { .. } => "quit",
            Self::Profile { .. } => "switch",
        }
    }

    /// What is said: what is still open now, of which `left` is a line each, so many of them named, and
    /// what becomes of it.
    fn lines(&self, left: &[String], named: usize) -> Vec<String> {
        let offered = match self {
            Self::Form => {
                return vec!["What you typed is not saved and would be lost.".to_owned()];
            }
            Self::Program { .. } => "the next start offers to go on.",
            Self::Profile { .. } => "opening this profile again offers to go on.",
        };
        let mut lines = vec![match left {
            [] => "Nothing is open any more.".to_owned(),
            _ => "Still open:".to_owned(),
        }];
        lines.extend(left.iter().take(named).map(|line| format!("  {line}")));
        let more = left.len().saturating_sub(named);
        if more > 0 {
            lines.push(format!("  and {} more", number::grouped(more as u64)));
        }
        lines.push(String::new());
        if left.iter().any(|line| line != UNSAVED) {
            lines.push(format!("Jobs stop after the requests under way; {offered}"));
        }
        if left.iter().any(|line| line == UNSAVED) {
            lines.push("What is typed into the form is lost.".to_owned());
        }
        if let Self::Profile { to } = self {
            lines.push(format!("Then {to} is opened."));
        }
        lines
    }
}

impl Leave {
    /// Lays the dialog out; `left` is what is open now, a line each.
    pub fn shape(&self, left: &[String], size: Size) -> Shape {
        let wide = size.width.saturating_sub(4).min(64);
        let columns = usize::from(wide.saturating_sub(4));
        let room = tallest_inside(size).saturating_sub(2);
        let text = self.what.text(left, columns, room).into_iter();
        let lines: Vec<Line> = text.map(|line| vec![(Tone::Plain, line)]).collect();
        // With a line for the keys, and one between.
        let inside = tallest_inside(size);
        let airy = lines.len() + 3 <= inside;
        let rows = lines.len().min(inside.saturating_sub(2));
        let high = rows + if airy { 5 } else { 4 };
        Shape {
            lines,
            rows,
            airy,
            wide,
            high: u16::try_from(high).unwrap_or(size.height),
        }
    }
}

impl From<Leaving> for Modal {
    fn from(what: Leaving) -> Self {
        Self::Leave(Leave { what, top: 0 })
    }
}

impl Model {
    pub(super) fn leave_key(
        &mut self,
        leave: &mut Leave,
        chord: Chord,
        _seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let shape = leave.shape(&self.left_open(), self.size);
        let last = shape.lines.len().saturating_sub(shape.rows);
        match chord.key {
            Key::Up => leave.top = leave.top.min(last).saturating_sub(1),
            Key::Down => leave.top = (leave.top + 1).min(last),
            Key::PageUp => leave.top = leave.top.min(last).saturating_sub(shape.rows),
            Key::PageDown => leave.top = (leave.top + shape.rows).min(last),
            Key::Char('y') if !chord.ctrl => {
                match &leave.what {
                    Leaving::Form => {
                        self.modals.pop();
                    }
                    Leaving::Program { code } => self.quit_in_order(*code, out),
                    Leaving::Profile { to } => self.switch_in_order(to.clone(), out),
                }
                return Outcome::Close;
            }
            Key::Enter | Key::Char('n' | 'q') if !chord.ctrl => return Outcome::Close,
            _ if is_esc(chord) => return Outcome::Close,
            Key::Char(_) if !chord.ctrl => {}
            _ => return Outcome::NotMine,
        }
        Outcome::Stay
    }
}
