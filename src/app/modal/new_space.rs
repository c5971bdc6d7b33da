//! The form for a new space: global, private or personal.

use serde::Serialize;

use super::leave::Leaving;
use super::{Modal, Outcome, is_esc};
use crate::app::form::{Control, Form, FormField, Note, Taken};
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key};
use crate::app::message::{Effect, Millis, Ticket};
use crate::app::model::Model;
use crate::app::space_name::{self, LONGEST};
use crate::confluence::call::Audience;
use crate::confluence::{ApiError, Call, ErrorKind, Reply, Space, SpaceKey};
use crate::jobs::{Act, Job, JobId, NewSpace, SpaceTarget};

/// The fields, in order.
pub const NAME: usize = 0;
/// The key.
pub const KEY: usize = 1;
/// Global, private or personal.
pub const KIND: usize = 2;
/// The description.
pub const DESCRIPTION: usize = 3;
/// Whether a personal space is private.
pub const PRIVATE: usize = 4;

/// How long nothing is typed before the key is looked up, in milliseconds.
const PAUSE: u64 = 250;

/// The form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewSpaceForm {
    /// Its fields.
    pub form: Form,
    /// What concerns no field.
    pub problem: Option<String>,
    /// The job that makes the space; while it is at work the form waits.
    pub job: Option<JobId>,
    /// The visit to an editor that is under way.
    pub editing: Option<Ticket>,
    /// Whether the key was typed by hand, so that it isn't proposed any more.
    key_typed: bool,
    /// When the key is to be looked up.
    pub look_up: Option<Millis>,
    /// Other spellings of the key that are still to be looked up: keys are the same in upper and
    /// lower case, and servers find them by one spelling.
    spellings: Vec<SpaceKey>,
    pristine: Form,
}

impl Default for NewSpaceForm {
    fn default() -> Self {
        let mut form = Form::new(vec![
            FormField::line("Name", ""),
            FormField::line("Key", ""),
            FormField::choice("Kind", &["global", "private", "personal"], 0),
            FormField::area("Description", ""),
            FormField::choice("Private", &["no", "yes"], 0),
        ]);
        form.fields[KIND].note = Note::Hint(kind_hint(0).to_owned());
        form.fields[PRIVATE].enabled = false;
        Self {
            pristine: form.clone(),
            form,
            problem: None,
            job: None,
            editing: None,
            key_typed: false,
            look_up: None,
            spellings: Vec::new(),
        }
    }
}

fn kind_hint(kind: usize) -> &'static str {
    match kind {
        0 => "everybody with access can see it",
        1 => "only you can see it",
        _ => "your own space",
    }
}

/// A key made of a name: the initials of its words, or the letters of its one word, in upper
/// case and ASCII. Empty when nothing in the name is.
pub fn proposed_key(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| {
            word.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
        .collect();
    let key: String = match words.as_slice() {
        [] => String::new(),
        [one] => one.chars().take(10).collect(),
        many => many
            .iter()
            .filter_map(|word| word.chars().next())
            .take(10)
            .collect(),
    };
    key.to_ascii_uppercase()
}

impl NewSpaceForm {
    fn text(&self, field: usize) -> String {
        self.form.fields[field].text()
    }

    fn set(&mut self, field: usize, text: &str) {
        if let Control::Text(control) = &mut self.form.fields[field].control {
            control.set(text);
        }
    }

    /// Whether the space will be the user's own.
    pub fn is_personal(&self) -> bool {
        self.form.fields[KIND].chosen() == 2
    }

    /// Whether anything was typed or chosen.
    pub fn is_changed(&self) -> bool {
        let values = |form: &Form| form.fields.iter().map(FormField::text).collect::<Vec<_>>();
        values(&self.form) != values(&self.pristine)
    }

    /// Takes in that values may have changed in the field with the focus.
    pub fn changed(&mut self, now: Millis) {
        let field = self.form.focus;
        self.problem = None;
        if field == KIND {
            let kind = self.form.fields[KIND].chosen();
            let personal = self.is_personal();
            self.form.fields[KIND].note = Note::Hint(kind_hint(kind).to_owned());
            self.form.fields[NAME].enabled = !personal;
            self.form.fields[KEY].enabled = !personal;
            self.form.fields[PRIVATE].enabled = personal;
        }
        if field == KEY {
            self.key_typed = !self.text(KEY).is_empty();
        }
        if matches!(field, NAME | DESCRIPTION) {
            self.form.fields[field].note = Note::None;
        }
        if matches!(field, NAME | KEY) {
            let before = self.text(KEY);
            if !self.key_typed && field == NAME {
                let key = proposed_key(&self.text(NAME));
                self.set(KEY, &key);
            }
            if field == KEY || self.text(KEY) != before {
                self.check_key(now);
            }
        }
    }

    /// Checks the key for its form, and says when it is to be looked up.
    fn check_key(&mut self, now: Millis) {
        let key = self.text(KEY);
        self.look_up = None;
        self.form.fields[KEY].note = if key.is_empty() {
            Note::None
        } else if let Some(problem) = key_problem(&key) {
            Note::Problem(problem)
        } else {
            self.look_up = Some(now.plus(PAUSE));
            Note::None
        };
    }

    /// What the server said of the key, or of another spelling of it. Says which to ask for next.
    pub(in crate::app) fn key_checked(
        &mut self,
        key: &SpaceKey,
        outcome: &Result<Reply, ApiError>,
    ) -> Option<SpaceKey> {
        if self.text(KEY) != key.as_str() || self.is_personal() {
            return None;
        }
        self.form.fields[KEY].note = match outcome {
            Ok(Reply::Space(space)) => is_taken(&space.key),
            Ok(_) => is_taken(key),
            Err(error) if error.kind == ErrorKind::NotFound => match self.spellings.pop() {
                Some(spelling) => return Some(spelling),
                None => Note::Hint("free".to_owned()),
            },
            Err(_) => Note::Hint("could not be checked".to_owned()),
        };
        None
    }

    /// The space that the form describes; `None` when something is wrong, which is then noted.
    fn read(&mut self) -> Option<NewSpace> {
        let description = self.text(DESCRIPTION);
        if self.is_personal() {
            let private = self.form.fields[PRIVATE].chosen() == 1;
            let audience = if private {
                Audience::OnlyCreator
            } else {
                Audience::Everybody
            };
            return Some(NewSpace::Personal {
                description,
                audience,
            });
        }
        let name = self.text(NAME).trim().to_owned();
        if let Some(problem) = space_name::problem(&name) {
            self.form.problem(NAME, problem);
            return None;
        }
        let key = self.text(KEY).trim().to_owned();
        let problem = if key.is_empty() {
            Some("A space needs a key.".to_owned())
        } else {
            key_problem(&key)
        };
        if let Some(problem) = problem {
            self.form.problem(KEY, problem);
            return None;
        }
        if let Note::Problem(_) = self.form.fields[KEY].note {
            self.form.focus = KEY;
            return None;
        }
        let audience = if self.form.fields[KIND].chosen() == 1 {
            Audience::OnlyCreator
        } else {
            Audience::Everybody
        };
        Some(NewSpace::Global {
            key: SpaceKey::new(key),
            name,
            description,
            audience,
        })
    }

    /// Puts what the server refused beside the field that it concerns.
    pub(in crate::app) fn refused(&mut self, why: &str) {
        self.job = None;
        let words = [("key", KEY), ("name", NAME), ("description", DESCRIPTION)];
        // Of a personal space the description alone is given.
        let words = if self.is_personal() {
            &words[2..]
        } else {
            &words[..]
        };
        self.problem = self.form.refused(why, words);
    }
}

fn is_taken(key: &SpaceKey) -> Note {
    Note::Problem(format!("A space already exists with key {key}."))
}

/// What is wrong with the form of a key.
fn key_problem(key: &str) -> Option<String> {
    if let Some(bad) = key.chars().find(|c| !c.is_ascii_alphanumeric()) {
        return Some(format!(
            "A key has only the letters A to Z and digits, no `{bad}`."
        ));
    }
    (key.len() > LONGEST).then(|| format!("The key is longer than {LONGEST} characters."))
}

impl Model {
    pub(super) fn new_space_key(
        &mut self,
        dialog: &mut NewSpaceForm,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if is_esc(chord) {
            if dialog.job.is_some() {
                self.jobs
                    .parked
                    .push(Modal::NewSpace(Box::new(dialog.clone())));
            } else if dialog.is_changed() {
                self.modals.push(Leaving::Form.into());
                return Outcome::Stay;
            }
            return Outcome::Close;
        }
        if dialog.job.is_some() {
            // The request is on its way; what was typed stays as it was sent.
            return if chord.ctrl {
                Outcome::NotMine
            } else {
                Outcome::Stay
            };
        }
        if chord.ctrl && chord.key == Key::Char('s') {
            if let Some(reason) = self.why_read_only() {
                dialog.problem = Some(reason);
                return Outcome::Stay;
            }
            if let Some(new) = dialog.read() {
                let mut target = self.target(Act::CreateSpace);
                let user = self
                    .session
                    .user
                    .value()
                    .and_then(|user| user.username.clone());
                let key = new
                    .key(user.as_deref())
                    .unwrap_or_else(|| SpaceKey::new("~"));
                target.spaces.push(SpaceTarget {
                    key: key.clone(),
                    name: new.name().to_owned(),
                });
                dialog.problem = None;
                let head = self.head(format!("New space {key}"), target);
                let job = Job::create_space(head, new);
                dialog.job = Some(job.head().id.clone());
                // The form must be in its place when the job's first news comes.
                self.modals.push(Modal::NewSpace(Box::new(dialog.clone())));
                self.begin_job(job, out);
                return Outcome::Close;
            }
            return Outcome::Stay;
        }
        if chord.ctrl && chord.key == Key::Char('e') {
            // The one field that is worth it, from wherever one is.
            dialog.form.focus = DESCRIPTION;
            let ticket = self.inflight.ticket();
            dialog.editing = Some(ticket);
            out.push(Effect::Edit {
                ticket,
                text: dialog.text(DESCRIPTION),
            });
            return Outcome::Stay;
        }
        match dialog.form.key(chord) {
            Taken::Changed => dialog.changed(self.now),
            Taken::Moved => {}
            Taken::Entered => {
                dialog.form.key(Chord::plain(Key::Tab));
            }
            Taken::No => return Outcome::NotMine,
        }
        Outcome::Stay
    }

    /// Looks up the key of the form on top when nothing was typed for a moment.
    pub(in crate::app) fn look_up_key(&mut self, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some(Modal::NewSpace(dialog)) = self.modals.last_mut() else {
            return;
        };
        if dialog.look_up.is_none_or(|at| at > now) {
            return;
        }
        dialog.look_up = None;
        let key = dialog.text(KEY);
        let is_same = |space: &&Space| space.key.as_str().eq_ignore_ascii_case(&key);
        if let Some(space) = self.spaces.table.iter().find(is_same) {
            dialog.form.fields[KEY].note = is_taken(&space.key);
            return;
        }
        dialog.form.fields[KEY].note = Note::Busy("looking it up …".to_owned());
        dialog.spellings = [key.to_ascii_lowercase(), key.to_ascii_uppercase()]
            .into_iter()
            .filter(|spelling| *spelling != key)
            .map(SpaceKey::new)
            .collect();
        let key = SpaceKey::new(key);
        self.ask_for_key(&key, key.clone(), now, out);
    }

    fn ask_for_key(&mut self, typed: &SpaceKey, key: SpaceKey, now: Millis, out: &mut Vec<Effect>) {
        let expand = String::new();
        let call = Call::Space { key, expand };
        let waiter = Waiter::KeyCheck(typed.clone());
        self.inflight.ask(waiter, call, now, out);
    }

    /// The server said whether there is a space of the key that is typed.
    pub(in crate::app) fn key_was_checked(
        &mut self,
        key: &SpaceKey,
        outcome: &Result<Reply, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let now = self.now;
        let dialogs = self.modals.iter_mut().filter_map(|modal| match modal {
            Modal::NewSpace(form) => form.key_checked(key, outcome),
            _ => None,
        });
        let next: Vec<SpaceKey> = dialogs.collect();
        for spelling in next {
            self.ask_for_key(key, spelling, now, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_proposed_from_names() {
        for (name, key) in [
            ("Harbour Log", "HL"),
            ("Engineering", "ENGINEERIN"),
            ("people & culture", "PC"),
            ("港湾局 Harbour", "HARBOUR"),
            ("Ünïcode", "NCODE"),
            ("  ", ""),
            ("a b c d e f g h i j k l", "ABCDEFGHIJ"),
        ] {
            assert_eq!(proposed_key(name), key, "{name}");
        }
    }
}
