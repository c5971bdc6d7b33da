//! What is typed before the list of spaces is there.
//!
//! On a slow line people type ahead. What they typed is neither lost nor does it turn into something
//! else: `/bay`, begun while the program signs in, is a filter, and its last letters are not the verbs
//! that they would be on a list that has come meanwhile. The keys are kept, shown in the footer, and
//! applied once the first rows are there. None of them answers a dialog that nobody has seen.

use super::action::{Action, Availability};
use super::key::{Chord, Key, KeyPress};
use super::keymap::Found;
use super::layout::Pane;
use super::message::Effect;
use super::modal::is_esc;
use super::model::{Model, Screen};
use super::pane::spaces::Ended;

/// So many keys are kept.
const MOST: usize = 256;

impl Model {
    /// Whether the list of spaces is on its way, and no row of it is there yet.
    fn list_is_coming(&self) -> bool {
        self.screen == Screen::Panes
            && self.spaces.table.is_empty()
            && self.spaces.ended == Ended::Not
            && self.session.user.error().is_none()
    }

    /// Keeps a key that is for the list which is on its way. Says whether it did.
    pub(in crate::app) fn keeps_for_list(&mut self, press: KeyPress) -> bool {
        if self.focus != Pane::Spaces || !self.list_is_coming() {
            return false;
        }
        let chord = press.chord;
        if self.ahead.is_empty() {
            if !self.is_for_list(chord) {
                return false;
            }
        } else if is_esc(chord) {
            self.ahead.clear();
            return true;
        } else if chord.ctrl {
            return false;
        }
        if self.ahead.len() < MOST {
            self.ahead.push(press);
        }
        true
    }

    /// Whether the first of some keys waits for rows. What can be done without them is done at once.
    fn is_for_list(&self, chord: Chord) -> bool {
        let action = match self.keymap.find(self.contexts(), None, chord) {
            Found::Action(action) => action,
            Found::Pending => return true,
            Found::Nothing => return false,
        };
        match action {
            _ if action.is_step() => true,
            Action::Open
            | Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::Trash
            | Action::Preview
            | Action::Export
            | Action::Copy
            | Action::Browse => true,
            Action::Filter | Action::Sort | Action::ServerFilter => {
                self.availability(action) != Availability::Yes
            }
            Action::NewSpace
            | Action::EditSpace
            | Action::Archive
            | Action::Delete
            | Action::PurgeAll
            | Action::BackUpSpace
            | Action::BackUp => {
                self.why_read_only().is_none() && self.availability(action) != Availability::Yes
            }
            _ => false,
        }
    }

    /// Applies what was typed ahead once there are rows. If none came it was for nothing.
    pub(in crate::app) fn apply_ahead(&mut self, out: &mut Vec<Effect>) {
        if self.ahead.is_empty() || self.list_is_coming() {
            return;
        }
        let keys = std::mem::take(&mut self.ahead);
        if self.spaces.table.is_empty() {
            return;
        }
        for press in keys {
            self.key(press, out);
        }
    }

    /// What was typed ahead, as it was typed.
    pub fn typed_ahead(&self) -> String {
        let name = |press: &KeyPress| match press.chord.key {
            Key::Char(' ') => " ".to_owned(),
            Key::Char(_) => press.chord.to_string(),
            _ => format!(" {} ", press.chord),
        };
        self.ahead.iter().map(name).collect()
    }
}
