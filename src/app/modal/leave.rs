//! "Leave?": asked where something would be lost or goes on unseen.

use serde::Serialize;

use super::{Outcome, is_esc};
use crate::app::key::{Chord, Key};
use crate::app::message::Effect;
use crate::app::model::Model;

/// What is to be left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Leaving {
    /// The form below, with what was typed into it.
    Form,
    /// The program.
    Program {
        /// The exit code.
        code: u8,
        /// What would be left, a line each.
        left: Vec<String>,
    },
    /// The profile, for another one.
    Profile {
        /// The name of the other one.
        to: String,
        /// What would be left, a line each.
        left: Vec<String>,
    },
}

impl Model {
    pub(super) fn leave_key(
        &mut self,
        leaving: &Leaving,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        match chord.key {
            Key::Char('y') if !chord.ctrl => {
                match leaving {
                    Leaving::Form => {
                        self.modals.pop();
                    }
                    Leaving::Program { code, .. } => self.quit_in_order(*code, out),
                    Leaving::Profile { to, .. } => self.switch_in_order(to.clone(), out),
                }
                Outcome::Close
            }
            Key::Enter | Key::Char('n' | 'q') if !chord.ctrl => Outcome::Close,
            _ if is_esc(chord) => Outcome::Close,
            Key::Char(_) if !chord.ctrl => Outcome::Stay,
            _ => Outcome::Pass,
        }
    }
}
