//! What lies over the panes. The last of the stack is on top and has the keys.

pub mod menu;
pub mod reading;
pub mod spaces_filter;

use serde::Serialize;

use self::menu::Menu;
use self::reading::Reading;
use self::spaces_filter::SpacesFilterForm;
use super::action::Action;
use super::form::Taken;
use super::key::{Chord, Key, KeyPress};
use super::message::Effect;
use super::model::Model;

/// A dialog, a menu, or a text to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Modal {
    /// A few things to choose from.
    Menu(Menu),
    /// A text to read: help, log, an address.
    Reading(Reading),
    /// What to ask the server for in the list of spaces.
    SpacesFilter(SpacesFilterForm),
}

impl Modal {
    /// Whether it is a text to read, with the keys of one.
    pub fn is_reading(&self) -> bool {
        matches!(self, Self::Reading(reading) if !reading.typing)
    }

    /// Whether it takes every printable key as text.
    pub fn takes_text(&self) -> bool {
        match self {
            Self::Menu(_) => false,
            Self::Reading(reading) => reading.typing,
            Self::SpacesFilter(_) => true,
        }
    }
}

/// What a modal wants done with itself after a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Stay.
    Stay,
    /// Close.
    Close,
    /// Not a key of its own: look it up among the verbs.
    Pass,
}

impl Model {
    /// Gives a key to the modal on top.
    pub(in crate::app) fn modal_key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        let Some(mut modal) = self.modals.pop() else {
            return;
        };
        let depth = self.modals.len();
        let outcome = match &mut modal {
            Modal::Menu(menu) => self.menu_key(menu, press.chord, out),
            Modal::Reading(reading) => reading.key(press.chord),
            Modal::SpacesFilter(form) => self.spaces_filter_key(form, press.chord, out),
        };
        match outcome {
            Outcome::Close => {}
            Outcome::Stay => self.modals.insert(depth, modal),
            Outcome::Pass => {
                self.modals.insert(depth, modal);
                self.verb_key(press, out);
            }
        }
    }

    /// Gives pasted text to the modal on top.
    pub(in crate::app) fn modal_paste(&mut self, text: &str) {
        match self.modals.last_mut() {
            Some(Modal::SpacesFilter(form)) => {
                if form.form.paste(text) == Taken::Changed {
                    form.check();
                }
            }
            Some(Modal::Reading(reading)) => reading.paste(text),
            Some(Modal::Menu(_)) | None => {}
        }
    }

    /// Does what a verb means in a modal. Says whether it meant anything.
    pub(in crate::app) fn modal_verb(&mut self, action: Action) -> bool {
        let height = reading::height(self.size);
        let Some(top) = self.modals.last() else {
            return false;
        };
        if matches!(action, Action::Cancel | Action::Back) {
            self.modals.pop();
            return true;
        }
        let Modal::Reading(reading) = top else {
            return false;
        };
        let lines = reading::lines(self, reading, reading::width(self.size));
        if let Some(Modal::Reading(reading)) = self.modals.last_mut() {
            return reading.verb(action, &lines, height);
        }
        false
    }
}

/// Whether a key means "close this".
pub(in crate::app) fn is_esc(chord: Chord) -> bool {
    chord == Chord::plain(Key::Esc)
}
