//! What to ask the server for in the list of spaces: every parameter of operation 1.

use serde::Serialize;

use super::{Outcome, is_esc};
use crate::app::form::{Form, FormField, Note, Taken};
use crate::app::key::{Chord, Key};
use crate::app::message::Effect;
use crate::app::model::Model;
use crate::confluence::call::SpacesFilter;
use crate::confluence::{SpaceKey, SpaceKind, SpaceStatus};

const KIND: usize = 0;
const STATUS: usize = 1;
const LABELS: usize = 2;
const CONTENT_LABELS: usize = 3;
const FAVOURITE: usize = 4;
const RETENTION: usize = 5;
const KEYS: usize = 6;
const KEY_SINGLE: usize = 7;
const IDS: usize = 8;

/// The form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpacesFilterForm {
    /// Its fields.
    pub form: Form,
}

impl SpacesFilterForm {
    /// The form, filled with what is asked for now.
    pub fn new(asked: &SpacesFilter) -> Self {
        let three = |value: Option<bool>| match value {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        };
        let keys: Vec<&str> = asked.keys.iter().map(SpaceKey::as_str).collect();
        let ids: Vec<String> = asked.ids.iter().map(ToString::to_string).collect();
        let kind = match asked.kind {
            None => 0,
            Some(SpaceKind::Global) => 1,
            Some(SpaceKind::Personal) => 2,
        };
        let status = match asked.status {
            None => 0,
            Some(SpaceStatus::Current) => 1,
            Some(SpaceStatus::Archived) => 2,
        };
        let mut form = Form::new(vec![
            FormField::choice("Type", &["any", "global", "personal"], kind),
            FormField::choice("Status", &["any", "current", "archived"], status),
            FormField::line("Labels", &asked.labels.join(", ")),
            FormField::line("Content labels", &asked.content_labels.join(", ")),
            FormField::choice("Favourite", &["any", "yes", "no"], three(asked.favourite)),
            FormField::choice(
                "Retention policy",
                &["any", "yes", "no"],
                three(asked.has_retention_policy),
            ),
            FormField::line("Keys", &keys.join(", ")),
            FormField::line(
                "Single key",
                asked.key_single.as_ref().map_or("", SpaceKey::as_str),
            ),
            FormField::line("Ids", &ids.join(", ")),
        ]);
        form.fields[LABELS].note = Note::Hint("separated by commas".to_owned());
        Self { form }
    }

    fn text(&self, field: usize) -> String {
        self.form.fields[field].text()
    }

    /// Checks the fields and notes what is wrong.
    pub fn check(&mut self) {
        let bad = list(&self.text(IDS))
            .into_iter()
            .find(|id| id.parse::<u64>().is_err());
        self.form.fields[IDS].note = match bad {
            Some(id) => Note::Problem(format!("`{id}` is no id. Ids of spaces are numbers.")),
            None => Note::None,
        };
    }

    /// What to ask for.
    pub fn filter(&self) -> SpacesFilter {
        let three = |field: usize| match self.form.fields[field].chosen() {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        };
        SpacesFilter {
            keys: list(&self.text(KEYS)).iter().map(SpaceKey::new).collect(),
            key_single: list(&self.text(KEY_SINGLE)).first().map(SpaceKey::new),
            ids: list(&self.text(IDS))
                .iter()
                .filter_map(|id| id.parse().ok())
                .collect(),
            kind: match self.form.fields[KIND].chosen() {
                1 => Some(SpaceKind::Global),
                2 => Some(SpaceKind::Personal),
                _ => None,
            },
            status: match self.form.fields[STATUS].chosen() {
                1 => Some(SpaceStatus::Current),
                2 => Some(SpaceStatus::Archived),
                _ => None,
            },
            labels: list(&self.text(LABELS)),
            content_labels: list(&self.text(CONTENT_LABELS)),
            favourite: three(FAVOURITE),
            has_retention_policy: three(RETENTION),
        }
    }
}

/// The parts of a text with commas between them.
fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Model {
    pub(super) fn spaces_filter_key(
        &mut self,
        dialog: &mut SpacesFilterForm,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let save = chord.ctrl && chord.key == Key::Char('s');
        if is_esc(chord) {
            return Outcome::Close;
        }
        match dialog.form.key(chord) {
            Taken::Changed | Taken::Moved => {
                dialog.check();
                Outcome::Stay
            }
            Taken::Entered | Taken::No if save || chord.key == Key::Enter => {
                dialog.check();
                if dialog.form.has_problem() {
                    dialog.form.focus = IDS;
                    return Outcome::Stay;
                }
                self.spaces.asked = dialog.filter();
                self.load_spaces(out);
                Outcome::Close
            }
            Taken::Entered | Taken::No => Outcome::NotMine,
        }
    }
}

/// What is asked for, in a few words; empty when everything is.
pub fn summary(asked: &SpacesFilter) -> String {
    let mut parts = Vec::new();
    match asked.kind {
        Some(SpaceKind::Global) => parts.push("global".to_owned()),
        Some(SpaceKind::Personal) => parts.push("personal".to_owned()),
        None => {}
    }
    match asked.status {
        Some(SpaceStatus::Current) => parts.push("current".to_owned()),
        Some(SpaceStatus::Archived) => parts.push("archived".to_owned()),
        None => {}
    }
    parts.extend(asked.labels.iter().map(|label| format!("label {label}")));
    parts.extend(
        asked
            .content_labels
            .iter()
            .map(|label| format!("content label {label}")),
    );
    match asked.favourite {
        Some(true) => parts.push("favourite".to_owned()),
        Some(false) => parts.push("not favourite".to_owned()),
        None => {}
    }
    match asked.has_retention_policy {
        Some(true) => parts.push("with retention policy".to_owned()),
        Some(false) => parts.push("without retention policy".to_owned()),
        None => {}
    }
    parts.extend(asked.keys.iter().map(|key| format!("key {key}")));
    parts.extend(asked.key_single.iter().map(|key| format!("key {key}")));
    parts.extend(asked.ids.iter().map(|id| format!("id {id}")));
    parts.join(", ")
}
