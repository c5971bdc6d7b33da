//! What lies over the panes. The last of the stack is on top and has the keys.

pub mod backups;
pub mod confirm;
pub mod edit_space;
pub mod help;
pub mod jobs;
pub mod leave;
pub mod menu;
pub mod new_space;
mod over;
pub mod palette;
pub mod plans;
pub mod profiles;
pub mod question;
pub mod reading;
pub mod setup;
mod shown;
pub mod spaces_filter;
pub mod stack;
mod taking_up;
mod to_read;

use serde::Serialize;

use self::backups::Backups;
use self::confirm::Confirm;
use self::edit_space::{EditSpaceForm, Stage};
use self::jobs::JobView;
use self::leave::Leave;
use self::menu::Menu;
use self::new_space::NewSpaceForm;
pub(in crate::app) use self::over::Over;
use self::palette::Palette;
use self::plans::Plans;
use self::profiles::Profiles;
use self::question::QuestionDialog;
use self::reading::{Reading, What};
use self::setup::SetUp;
use self::spaces_filter::SpacesFilterForm;
use self::stack::Seen;
pub use self::stack::{Dropped, Stack};
use super::action::Action;
use super::form::{Control, Note, Taken};
use super::key::{Chord, Key, KeyPress};
use super::keymap::Found;
use super::message::{Effect, LogLevel, Ticket};
use super::model::Model;
use crate::jobs::{JobId, JobState, Outcome as JobOutcome};

/// A dialog, a menu, or a text to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Modal {
    /// A few things to choose from.
    Menu(Menu),
    /// Any verb by its name.
    Palette(Palette),
    /// A text to read: help, log, an address.
    Reading(Reading),
    /// What to ask the server for in the list of spaces.
    SpacesFilter(SpacesFilterForm),
    /// A new space.
    NewSpace(Box<NewSpaceForm>),
    /// A space to be changed.
    EditSpace(Box<EditSpaceForm>),
    /// A plan and its confirmation.
    Confirm(Box<Confirm>),
    /// A job's question.
    Question(QuestionDialog),
    /// The list of jobs.
    Jobs,
    /// One job in detail.
    Job(JobView),
    /// Plans that can be applied.
    Plans(Plans),
    /// The backups on this machine.
    Backups(Box<Backups>),
    /// The profiles that can be switched to.
    Profiles(Profiles),
    /// The guided set-up.
    SetUp(Box<SetUp>),
    /// "Leave?"
    Leave(Leave),
}

impl Modal {
    /// Whether it is a text to read, with the keys of one.
    pub fn is_reading(&self) -> bool {
        matches!(self, Self::Reading(reading) if !reading.typing)
    }

    /// Whether it takes its keys itself, before the table of verbs.
    pub fn takes_keys(&self) -> bool {
        !self.is_reading()
    }

    /// Whether it asks something, or takes what is typed: a list and a text only show.
    pub fn asks(&self) -> bool {
        match self {
            Self::Jobs | Self::Job(_) | Self::Plans(_) => false,
            Self::Backups(backups) => backups.is_typing(),
            Self::Reading(reading) => reading.typing,
            Self::Menu(_)
            | Self::Palette(_)
            | Self::SpacesFilter(_)
            | Self::NewSpace(_)
            | Self::EditSpace(_)
            | Self::Confirm(_)
            | Self::Question(_)
            | Self::Profiles(_)
            | Self::SetUp(_)
            | Self::Leave(_) => true,
        }
    }

    /// Whether keys are letters of a text in it.
    pub(in crate::app) fn types_text(&self) -> bool {
        match self {
            Self::Palette(_) | Self::SpacesFilter(_) | Self::NewSpace(_) => true,
            Self::EditSpace(form) => matches!(form.stage, Stage::Form | Stage::Picking(_)),
            Self::SetUp(form) => form.stage == setup::Stage::Form,
            Self::Reading(reading) => reading.typing,
            Self::Confirm(dialog) => dialog.at == confirm::At::Typed,
            Self::Backups(backups) => {
                backups.is_typing()
                    || backups.removal.is_some()
                    || backups
                        .open
                        .as_ref()
                        .is_some_and(|open| open.again.is_some())
            }
            Self::Menu(_)
            | Self::Question(_)
            | Self::Jobs
            | Self::Job(_)
            | Self::Plans(_)
            | Self::Profiles(_)
            | Self::Leave(_) => false,
        }
    }

    /// Whether keys are steps and verbs in it, not letters of a text.
    fn is_list(&self) -> bool {
        match self {
            Self::Menu(_) | Self::Jobs | Self::Job(_) | Self::Plans(_) | Self::Profiles(_) => true,
            Self::Backups(backups) => !backups.is_typing(),
            Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::NewSpace(_)
            | Self::EditSpace(_)
            | Self::Confirm(_)
            | Self::Question(_)
            | Self::SetUp(_)
            | Self::Leave(_) => false,
        }
    }

    /// Whether a key chooses one of its entries.
    fn has_letter(&self, chord: Chord) -> bool {
        match self {
            Self::Menu(menu) => menu
                .entries
                .iter()
                .any(|entry| Some(entry.letter) == chord.typed()),
            _ => false,
        }
    }

    /// Whether keys that are held down don't count in it, as something can be lost: it is then worth
    /// a few bytes for each key to be told of them.
    pub fn minds_held_keys(&self) -> bool {
        match self {
            Self::Confirm(dialog) => dialog.wanted().is_some(),
            Self::Backups(backups) => backups.removal.is_some(),
            Self::Menu(_)
            | Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::NewSpace(_)
            | Self::EditSpace(_)
            | Self::Question(_)
            | Self::Jobs
            | Self::Job(_)
            | Self::Plans(_)
            | Self::Profiles(_)
            | Self::SetUp(_)
            | Self::Leave(_) => false,
        }
    }

    /// What it asks.
    fn face(&self) -> Face {
        match self {
            Self::EditSpace(form) => Face::Stage(match (&form.stage, &form.job) {
                (_, Some(_)) => "saving",
                (Stage::Reading, None) => "reading",
                (Stage::Failed(_), None) => "failed",
                (Stage::Form, None) => "form",
                (Stage::Picking(_), None) => "picking",
                (Stage::Diff { .. }, None) => "diff",
            }),
            Self::SetUp(form) => Face::Stage(match &form.stage {
                setup::Stage::Form => "form",
                setup::Stage::Test {
                    ticket: Some(_), ..
                } => "testing",
                setup::Stage::Test { ticket: None, .. } => "tested",
                setup::Stage::Writing(_) => "writing",
            }),
            Self::Backups(backups) => match (&backups.removal, &backups.open) {
                (Some(removal), _) => Face::Removal(removal.name.clone()),
                (None, Some(open)) if open.again.is_some() => Face::Stage("again"),
                (None, _) => Face::One,
            },
            Self::Menu(_)
            | Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::NewSpace(_)
            | Self::Confirm(_)
            | Self::Question(_)
            | Self::Jobs
            | Self::Job(_)
            | Self::Plans(_)
            | Self::Profiles(_)
            | Self::Leave(_) => Face::One,
        }
    }

    /// What is agreed to in it.
    fn terms(&self) -> Terms {
        match self {
            Self::Confirm(dialog) => Terms::Plan(dialog.terms()),
            _ => Terms::Fixed,
        }
    }

    /// Whether a key agrees to something in it, so that it has to come by itself. Every key that
    /// begins, ends or removes something without a further question stands here.
    fn confirms(&self, chord: Chord) -> bool {
        let enter = chord == Chord::plain(Key::Enter);
        let yes = chord.typed() == Some('y');
        let save = chord.ctrl && chord.key == Key::Char('s');
        match self {
            Self::Confirm(dialog) => enter || yes && dialog.wanted().is_none(),
            Self::Question(_) | Self::Profiles(_) => enter,
            Self::NewSpace(_) => save,
            // What its form wants is shown first.
            Self::EditSpace(form) => yes && matches!(form.stage, Stage::Diff { .. }),
            // Its form is tested first, with reads alone.
            Self::SetUp(form) => enter && matches!(form.stage, setup::Stage::Test { .. }),
            Self::Backups(backups) => enter && backups.removal.is_some(),
            // A job is paused, given up, or goes on.
            Self::Jobs | Self::Job(_) => enter || matches!(chord.typed(), Some('p' | 'c' | 'r')),
            Self::Leave(_) => yes,
            Self::Menu(_)
            | Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::Plans(_) => false,
        }
    }

    /// The job that saves what was typed into it, while that is at work.
    pub(in crate::app) fn saved_by(&self) -> Option<&JobId> {
        match self {
            Self::NewSpace(form) => form.job.as_ref(),
            Self::EditSpace(form) => form.job.as_ref(),
            _ => None,
        }
    }

    /// Takes what the server refused: the form can be typed in again.
    fn refused(&mut self, why: &str) {
        match self {
            Self::NewSpace(form) => form.refused(why),
            Self::EditSpace(form) => form.refused(why),
            _ => {}
        }
    }

    /// Whether something was typed into it that would be lost.
    pub fn has_changes(&self) -> bool {
        match self {
            Self::NewSpace(form) => form.is_changed() && form.job.is_none(),
            Self::EditSpace(form) => form.is_changed() && form.job.is_none(),
            Self::SetUp(form) => form.is_changed(),
            Self::Menu(_)
            | Self::Palette(_)
            | Self::Reading(_)
            | Self::SpacesFilter(_)
            | Self::Confirm(_)
            | Self::Question(_)
            | Self::Jobs
            | Self::Job(_)
            | Self::Plans(_)
            | Self::Backups(_)
            | Self::Profiles(_)
            | Self::Leave(_) => false,
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
    /// Not a key of its own: it may be one of the few that hold over every dialog.
    NotMine,
}

/// What a dialog asks, as far as that changes while it is open: another face is another question, of
/// which a picture has to be out before keys count for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Face {
    /// The same as long as it is open.
    One,
    /// A stage of a form, by its name.
    Stage(&'static str),
    /// The question before a backup is removed, with its name.
    Removal(String),
}

/// What is agreed to, as far as that changes while a dialog is open: typing goes on meanwhile, but
/// nothing is agreed to before a picture of it is out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Terms {
    /// The same as long as the dialog is open.
    Fixed,
    /// Of a plan: what is counted, and what was chosen.
    Plan(confirm::Terms),
}

impl Model {
    /// Whether what is on top has to know which keys are held down.
    pub fn minds_held_keys(&self) -> bool {
        self.modals.last().is_some_and(Modal::minds_held_keys)
    }

    /// Whether the help is on top.
    pub(in crate::app) fn reads_help(&self) -> bool {
        matches!(self.modals.last(), Some(Modal::Reading(reading)) if matches!(reading.what, What::Help(_)))
    }

    /// Whether the key of the list of jobs opens it here.
    pub fn reaches_jobs(&self) -> bool {
        let opens = |modal: &Modal| !modal.takes_keys() || modal.is_list();
        self.modals.last().is_none_or(opens)
    }

    /// Gives a key to the modal on top, where it ends.
    pub(in crate::app) fn modal_key(&mut self, press: KeyPress, out: &mut Vec<Effect>) {
        self.pending = None;
        let verb = match self.keymap.find(self.contexts(), None, press.chord) {
            Found::Action(action) => Some(action),
            Found::Pending | Found::Nothing => None,
        };
        let over = verb.and_then(Over::of);
        let is_typed = press.chord.typed().is_some();
        if let Some(over) = over.filter(|over| over.is_of_the_terminal() && !is_typed) {
            return self.act_over(over, out);
        }
        let Some(seen) = self.modals.heed(press, self.typed_at) else {
            return;
        };
        let mut press = press;
        let takes_steps = |modal: &Modal| modal.is_list() && !modal.has_letter(press.chord);
        if self.modals.last().is_some_and(takes_steps) {
            // The key that opened the jobs closes them.
            let closes = |over: &Over| {
                *over == Over::Jobs && matches!(self.modals.last(), Some(Modal::Jobs))
            };
            if let Some(over) = over.filter(|over| over.is_in_lists() && !closes(over)) {
                return self.act_over(over, out);
            }
            press.chord = verb.and_then(in_list).unwrap_or(press.chord);
        }
        let Some(mut lifted) = self.modals.pop() else {
            return;
        };
        let depth = self.modals.len();
        let outcome = self.give(&mut lifted.modal, press, &seen, out);
        if outcome != Outcome::Close {
            self.modals.lay(depth, lifted);
        }
        if outcome == Outcome::NotMine
            && let Some(action) = verb
        {
            self.act(action, out);
        }
    }

    /// Gives a key to a modal that was seen.
    fn give(
        &mut self,
        modal: &mut Modal,
        press: KeyPress,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        match modal {
            Modal::Menu(menu) => self.menu_key(menu, press.chord, out),
            Modal::Palette(palette) => self.palette_key(palette, press.chord, out),
            Modal::Reading(reading) => reading.key(press.chord),
            Modal::SpacesFilter(form) => self.spaces_filter_key(form, press.chord, out),
            Modal::NewSpace(form) => self.new_space_key(form, press.chord, out),
            Modal::EditSpace(form) => self.edit_space_key(form, press.chord, seen, out),
            Modal::Confirm(dialog) => self.confirm_key(dialog, press, seen, out),
            Modal::Question(dialog) => self.question_key(dialog, press.chord, seen, out),
            Modal::Jobs => self.jobs_key(press.chord, out),
            Modal::Plans(plans) => self.plans_key(plans, press.chord, out),
            Modal::Backups(backups) => self.backups_key(backups, press, seen, out),
            Modal::SetUp(dialog) => self.setup_key(dialog, press.chord, out),
            Modal::Profiles(profiles) => self.profiles_key(profiles, press.chord, out),
            Modal::Job(view) => self.job_key(view, press.chord, out),
            Modal::Leave(leave) => self.leave_key(leave, press.chord, seen, out),
        }
    }

    /// Gives pasted text to the modal on top.
    pub(in crate::app) fn modal_paste(&mut self, text: &str) {
        if self.modals.seen(self.typed_at).is_none() {
            self.modals.drop_early("pasted text".to_owned());
            return;
        }
        let (now, wall) = (self.now, self.time(self.now));
        match self.modals.last_mut() {
            Some(Modal::SpacesFilter(form)) => {
                if form.form.paste(text) == Taken::Changed {
                    form.check();
                }
            }
            Some(Modal::Palette(palette)) => {
                palette.field.insert(text);
                palette.search();
            }
            Some(Modal::Reading(reading)) => reading.paste(text),
            Some(Modal::Backups(backups)) => backups.paste(text, wall, &self.zone),
            Some(Modal::SetUp(dialog)) => Self::setup_paste(dialog, text),
            Some(Modal::NewSpace(dialog)) if dialog.job.is_none() => {
                if dialog.form.paste(text) == Taken::Changed {
                    dialog.changed(now);
                }
            }
            Some(Modal::EditSpace(dialog)) if dialog.job.is_none() => {
                if dialog.stage == Stage::Form {
                    dialog.form.paste(text);
                }
            }
            // What is to be typed is to be typed.
            Some(Modal::Confirm(dialog)) => {
                dialog.problem = Some("Pasted text doesn't count here. Type it.".to_owned());
            }
            Some(
                Modal::NewSpace(_)
                | Modal::EditSpace(_)
                | Modal::Menu(_)
                | Modal::Question(_)
                | Modal::Jobs
                | Modal::Job(_)
                | Modal::Plans(_)
                | Modal::Profiles(_)
                | Modal::Leave(_),
            )
            | None => {}
        }
    }

    /// Takes the text that comes back from an editor.
    pub(in crate::app) fn edited(&mut self, ticket: Ticket, outcome: Result<String, String>) {
        let now = self.now;
        let mut failed = None;
        for modal in &mut self.modals {
            let (editing, form, field) = match modal {
                Modal::NewSpace(dialog) => (
                    &mut dialog.editing,
                    &mut dialog.form,
                    new_space::DESCRIPTION,
                ),
                Modal::EditSpace(dialog) => (
                    &mut dialog.editing,
                    &mut dialog.form,
                    edit_space::DESCRIPTION,
                ),
                _ => continue,
            };
            if *editing != Some(ticket) {
                continue;
            }
            *editing = None;
            let mut dropped = Vec::new();
            match (&outcome, &mut form.fields[field].control) {
                (Ok(text), Control::Text(control)) => {
                    dropped = control.set(text);
                    form.fields[field].left_out.clear();
                }
                (Ok(_), _) => {}
                (Err(why), _) => failed = Some(why.clone()),
            }
            form.fields[field].note = Note::None;
            match modal {
                Modal::NewSpace(dialog) => {
                    dialog.changed(now);
                    dialog.form.left_out(field, &dropped);
                    dialog.problem.clone_from(&failed);
                }
                Modal::EditSpace(dialog) => {
                    dialog.form.left_out(field, &dropped);
                    dialog.problem.clone_from(&failed);
                }
                _ => {}
            }
        }
        if let Some(why) = failed {
            self.say(LogLevel::Error, why);
        }
    }

    /// A job that a form waits for is over.
    pub(in crate::app) fn form_job_ended(&mut self, id: &JobId, _out: &mut Vec<Effect>) {
        let Some(job) = self.jobs.get(id) else { return };
        let state = job.state();
        let why = job
            .lines()
            .iter()
            .find_map(|line| match &line.outcome {
                Some(
                    JobOutcome::Failed(why)
                    | JobOutcome::Unknown(why)
                    | JobOutcome::Skipped(why)
                    | JobOutcome::NotTried(why),
                ) => Some(why.clone()),
                _ => None,
            })
            .or_else(|| job.halted().map(str::to_owned))
            .unwrap_or_else(|| "It was not done.".to_owned());
        // A form that was left while it was saved comes back, below what is looked at now.
        let is_its = |modal: &Modal| modal.saved_by() == Some(id);
        if let Some(place) = self.jobs.parked.iter().position(is_its) {
            let form = self.jobs.parked.remove(place);
            self.modals.insert(0, form);
        }
        self.modals.retain_mut(|modal| {
            if !is_its(modal) {
                return true;
            }
            modal.refused(&why);
            state != JobState::Done
        });
    }

    /// Does what a verb means in a modal. Says whether it meant anything.
    pub(in crate::app) fn modal_verb(&mut self, action: Action, out: &mut Vec<Effect>) -> bool {
        let height = reading::height(self.size);
        let Some(top) = self.modals.last() else {
            return false;
        };
        if matches!(action, Action::Cancel | Action::Back) {
            if top.takes_keys() {
                // Whatever key leaves, what was typed is asked about.
                self.modal_key(KeyPress::press(Chord::plain(Key::Esc)), out);
            } else {
                self.modals.pop();
            }
            return true;
        }
        let Modal::Reading(reading) = top else {
            return false;
        };
        let lines = reading::lines(self, reading);
        if let Some(Modal::Reading(reading)) = self.modals.last_mut() {
            return reading.verb(action, &lines, height);
        }
        false
    }
}

/// The key that lists know for what another one was bound to.
fn in_list(action: Action) -> Option<Chord> {
    let key = match action {
        Action::Up => Key::Up,
        Action::Down => Key::Down,
        Action::Top => Key::Home,
        Action::Bottom => Key::End,
        Action::PageUp => Key::PageUp,
        Action::PageDown => Key::PageDown,
        Action::Back => Key::Char('q'),
        Action::Cancel => Key::Esc,
        _ => return None,
    };
    Some(Chord::plain(key))
}

/// Whether a key means "close this".
pub(in crate::app) fn is_esc(chord: Chord) -> bool {
    chord == Chord::plain(Key::Esc)
}
