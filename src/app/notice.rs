//! Short notices over the panes, and for how long what they say is so.
//!
//! A notice goes after a while, and at once when what it speaks of is over: nobody has to think of
//! taking it back where that ends.

use serde::Serialize;

use super::across::Going;
use super::action::{Action, Availability};
use super::message::{LogLevel, LogLine, Millis};
use super::modal::jobs::asks;
use super::model::{Model, TOAST};
use super::pane::content::TrashRead;
use crate::confluence::SpaceKey;
use crate::jobs::JobId;
use crate::text::plain;

/// A short notice over the panes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Toast {
    /// How grave it is.
    pub level: LogLevel,
    /// What is said.
    pub text: String,
    /// When it goes.
    pub until: Millis,
    /// What it speaks of.
    pub holds: Holds,
}

/// For how long a notice is true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Holds {
    /// It tells what has happened.
    Always,
    /// While a job can't go on.
    WhileWaiting(JobId),
    /// While a job asks something.
    WhileAsking(JobId),
    /// While jobs of an earlier run are not finished.
    WhileLeftOver,
    /// While the list of spaces could not be read.
    WhileSpacesFail,
    /// While the server is taken to have no trash listing.
    WhileNoTrashListing,
    /// While the trash of a space is not read to its end.
    WhileUnread(SpaceKey),
    /// While an end, or another profile, waits for answers.
    WhileEnding,
    /// While the trash across spaces stands still after a failure.
    WhileHalted,
    /// While this is why a verb can't run.
    WhileUnavailable(Action),
}

impl Model {
    /// Shows a notice and keeps it in the log.
    pub fn say(&mut self, level: LogLevel, text: impl Into<String>) {
        self.say_while(Holds::Always, level, text);
    }

    /// Shows a notice for as long as it is true, and keeps it in the log.
    pub(in crate::app) fn say_while(
        &mut self,
        holds: Holds,
        level: LogLevel,
        text: impl Into<String>,
    ) {
        let text = plain::without_numbers(&self.spell(&text.into())).into_owned();
        self.keep(LogLine {
            level,
            text: text.clone(),
        });
        self.toasts.retain(|toast| toast.text != text);
        self.toasts.push(Toast {
            level,
            text,
            until: self.now.plus(TOAST),
            holds,
        });
        if self.toasts.len() > 3 {
            self.toasts.remove(0);
        }
    }

    /// Takes the notices away whose time has come, or which are not true any more.
    pub(in crate::app) fn drop_notices(&mut self) {
        let mut toasts = std::mem::take(&mut self.toasts);
        toasts.retain(|toast| toast.until > self.now && self.is_so(toast));
        self.toasts = toasts;
    }

    fn is_so(&self, toast: &Toast) -> bool {
        match &toast.holds {
            Holds::Always => true,
            Holds::WhileWaiting(id) => {
                let job = self.jobs.get(id);
                job.is_some_and(|job| job.trouble().is_some() && !job.state().is_over())
            }
            Holds::WhileAsking(id) => self.jobs.get(id).is_some_and(asks),
            Holds::WhileLeftOver => self.jobs.left_over() > 0,
            Holds::WhileSpacesFail => self.spaces_failure().is_some(),
            Holds::WhileNoTrashListing => self.session.has_trash == Some(false),
            Holds::WhileUnread(key) => {
                self.content.space.as_ref() == Some(key)
                    && self.content.trees.trash_read != TrashRead::Complete
            }
            Holds::WhileEnding => self.jobs.ending.is_some(),
            Holds::WhileHalted => {
                let across = self.across.as_ref();
                across.is_some_and(|across| matches!(across.going, Going::Halted(_)))
            }
            Holds::WhileUnavailable(action) => {
                self.availability(*action) == Availability::No(toast.text.clone())
            }
        }
    }
}
