//! The few verbs that hold while a dialog is open: they open something over it, or concern the terminal
//! and the program. No other reaches past a dialog.

use crate::app::action::Action;
use crate::app::message::Effect;
use crate::app::model::Model;

/// A verb that holds over a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Over {
    /// All keys.
    Help,
    /// Any verb by its name.
    Palette,
    /// What was logged.
    Log,
    /// The jobs.
    Jobs,
    /// The profiles.
    Profiles,
    /// Draw everything anew.
    Redraw,
    /// Stop the program.
    Suspend,
    /// End it.
    Quit,
}

impl Over {
    /// What a verb is over a dialog, if it is anything.
    pub(in crate::app) fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::Help => Self::Help,
            Action::Palette => Self::Palette,
            Action::Log => Self::Log,
            Action::Jobs => Self::Jobs,
            Action::SwitchProfile => Self::Profiles,
            Action::Redraw => Self::Redraw,
            Action::Suspend => Self::Suspend,
            Action::Quit => Self::Quit,
            _ => return None,
        })
    }

    /// Whether it concerns the terminal alone, so that nothing has to be seen before.
    pub(in crate::app) fn is_of_the_terminal(self) -> bool {
        matches!(self, Self::Redraw | Self::Suspend)
    }

    /// Whether its key holds in a list that lies over the panes.
    pub(in crate::app) fn is_in_lists(self) -> bool {
        !matches!(self, Self::Profiles | Self::Quit)
    }
}

impl Model {
    /// Does what a verb is over a dialog.
    pub(in crate::app) fn act_over(&mut self, over: Over, out: &mut Vec<Effect>) {
        match over {
            Over::Help => self.open_help(),
            Over::Palette => self.open_palette(),
            Over::Log => self.open_log(),
            Over::Jobs => self.open_jobs(out),
            Over::Profiles if self.profiles.is_empty() => {}
            Over::Profiles => self.pick_profile(),
            Over::Redraw => out.push(Effect::Redraw),
            Over::Suspend => out.push(Effect::Suspend),
            Over::Quit => self.quit(130, out),
        }
    }
}
