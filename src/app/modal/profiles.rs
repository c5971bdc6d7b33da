//! The profiles of the configuration, to switch to one of them.
//!
//! Nothing is asked of the other server before it is chosen, and nothing of this one is kept after:
//! the shell opens the other profile and the core begins anew.

use serde::Serialize;

use super::leave::Leaving;
use super::{Modal, Outcome, is_esc};
use crate::app::jobs::Ending;
use crate::app::key::{Chord, Key};
use crate::app::layout::tallest_inside;
use crate::app::list::{Cursor, Step};
use crate::app::message::{Effect, LogLevel, Size};
use crate::app::model::{Model, ProfileChoice};
use crate::app::notice::Holds;

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Profiles {
    /// The cursor.
    pub cursor: Cursor,
}

/// How many profiles are shown at once.
pub fn height(size: Size) -> usize {
    tallest_inside(size)
}

impl Model {
    /// Whether this is the profile that is open.
    pub fn is_open_profile(&self, choice: &ProfileChoice) -> bool {
        choice.name == self.profile.name && choice.base_url == self.profile.base_url
    }

    /// Shows the profiles, with the cursor on the next one.
    pub(in crate::app) fn pick_profile(&mut self) {
        let len = self.profiles.len();
        let open = self.profiles.iter().position(|c| self.is_open_profile(c));
        let mut list = Profiles::default();
        list.cursor.put(
            open.map_or(0, |at| (at + 1) % len.max(1)),
            len,
            height(self.size),
        );
        self.modals.push(Modal::Profiles(list));
    }

    pub(super) fn profiles_key(
        &mut self,
        list: &mut Profiles,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if is_esc(chord) || chord.typed() == Some('q') {
            return Outcome::Close;
        }
        let step = match chord.key {
            Key::Up | Key::Char('k') => Some(Step::Up),
            Key::Down | Key::Char('j') => Some(Step::Down),
            Key::PageUp => Some(Step::PageUp),
            Key::PageDown => Some(Step::PageDown),
            Key::Home | Key::Char('g') => Some(Step::Top),
            Key::End | Key::Char('G') => Some(Step::Bottom),
            _ => None,
        };
        if let Some(step) = step.filter(|_| !chord.ctrl) {
            list.cursor
                .step(step, self.profiles.len(), height(self.size));
            return Outcome::Stay;
        }
        match chord.key {
            Key::Enter => {}
            Key::Char(_) if !chord.ctrl => return Outcome::Stay,
            _ => return Outcome::NotMine,
        }
        match self.profiles.get(list.cursor.at) {
            Some(choice) if self.is_open_profile(choice) => {
                let text = format!("The profile {} is open already.", choice.name);
                self.say(LogLevel::Info, text);
            }
            Some(choice) => self.switch(choice.name.clone(), out),
            None => {}
        }
        Outcome::Close
    }

    /// Switches to another profile; asks first where something would be left.
    fn switch(&mut self, to: String, out: &mut Vec<Effect>) {
        if self.left_open().is_empty() {
            self.switch_in_order(to, out);
        } else {
            self.modals.push(Leaving::Profile { to }.into());
        }
    }

    /// Switches when the jobs have come to rest: they send nothing new, and what they sent is
    /// answered and written down before the other profile is opened.
    pub(in crate::app) fn switch_in_order(&mut self, to: String, out: &mut Vec<Effect>) {
        self.rest_jobs(out);
        if self.jobs.is_settled() {
            self.switch_now(to, out);
            return;
        }
        let text = format!(
            "Waiting for the answers that are under way, then {to} is opened. ‹cancel› stays."
        );
        self.jobs.ending = Some(Ending::Switch(to));
        self.say_while(Holds::WhileEnding, LogLevel::Info, text);
    }

    /// Asks for the other profile.
    pub(in crate::app) fn switch_now(&mut self, to: String, out: &mut Vec<Effect>) {
        self.write_view(out);
        out.push(Effect::Switch(to));
    }

    /// Gives up a switch that waits for the jobs. Says whether there was one.
    pub(in crate::app) fn stay(&mut self) -> bool {
        let waits = matches!(self.jobs.ending, Some(Ending::Switch(_)));
        if waits {
            self.jobs.ending = None;
            self.say(
                LogLevel::Info,
                "This profile stays open. The jobs are paused: ‹jobs› shows them, and lets each go on.",
            );
        }
        waits
    }
}
