//! Forms: labelled fields, one of which has the focus.
//!
//! A form knows keys and values, not what they mean: the dialog that owns it checks them and
//! puts a problem beside the field that it concerns.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::field::{Field, Lines};
use super::key::{Chord, Key};
use super::space_name;

/// What a field is edited with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Control {
    /// Text of one line or many.
    Text(Field),
    /// One of a few, changed with `← →`.
    Choice {
        /// What there is to choose from.
        options: Vec<String>,
        /// Which is chosen.
        chosen: usize,
    },
    /// One of many, picked in a list of its own that Enter opens.
    Picked {
        /// The label of what is picked; empty for nothing.
        label: String,
    },
    /// Nothing: what would be edited is not known. The focus passes it over.
    Closed {
        /// Why, to be shown in its place.
        why: String,
    },
}

/// What stands beside a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// Nothing.
    #[default]
    None,
    /// Something to know, such as "free".
    Hint(String),
    /// Something is being found out.
    Busy(String),
    /// Something is wrong; a sentence.
    Problem(String),
}

/// A labelled field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormField {
    /// Its label.
    pub label: String,
    /// What it is edited with.
    pub control: Control,
    /// What stands beside it.
    pub note: Note,
    /// Whether it can be reached at all in the present state of the form.
    pub enabled: bool,
    /// What was left out of its text because it can't be sent. It is told for as long as there is a
    /// text.
    #[serde(default)]
    pub left_out: Vec<char>,
}

impl FormField {
    /// A line of text.
    pub fn line(label: &str, text: &str) -> Self {
        Self::with(label, Control::Text(Field::new(Lines::One, text)))
    }

    /// Text of many lines, seen from its beginning.
    pub fn area(label: &str, text: &str) -> Self {
        let mut field = Field::new(Lines::Many, text);
        field.to_top();
        Self::with(label, Control::Text(field))
    }

    /// One of a few.
    pub fn choice(label: &str, options: &[&str], chosen: usize) -> Self {
        Self::with(
            label,
            Control::Choice {
                options: options.iter().map(|o| (*o).to_owned()).collect(),
                chosen,
            },
        )
    }

    /// One of many.
    pub fn picked(label: &str, picked: &str) -> Self {
        Self::with(
            label,
            Control::Picked {
                label: picked.to_owned(),
            },
        )
    }

    /// One that cannot be edited, and why.
    pub fn closed(label: &str, why: &str) -> Self {
        let why = why.to_owned();
        Self::with(label, Control::Closed { why })
    }

    /// Whether the focus can come to it.
    fn takes_focus(&self) -> bool {
        self.enabled && !matches!(self.control, Control::Closed { .. })
    }

    fn with(label: &str, control: Control) -> Self {
        Self {
            label: label.to_owned(),
            control,
            note: Note::None,
            enabled: true,
            left_out: Vec::new(),
        }
    }

    /// What was left out of its text, in a sentence.
    pub fn told_left_out(&self) -> Option<String> {
        space_name::left_out(&self.left_out).filter(|_| !self.text().is_empty())
    }

    /// All that stands beside it: its note, and what was left out of its text.
    pub fn shown_note(&self) -> Cow<'_, Note> {
        match (&self.note, self.told_left_out()) {
            (note, None) => Cow::Borrowed(note),
            (Note::Problem(problem), Some(told)) => {
                Cow::Owned(Note::Problem(format!("{problem} {told}")))
            }
            (Note::None | Note::Hint(_) | Note::Busy(_), Some(told)) => {
                Cow::Owned(Note::Problem(told))
            }
        }
    }

    /// The text of a text field; of a choice, what is chosen; of a picked one, its label; nothing
    /// of a closed one.
    pub fn text(&self) -> String {
        match &self.control {
            Control::Text(field) => field.text(),
            Control::Choice { options, chosen } => {
                options.get(*chosen).cloned().unwrap_or_default()
            }
            Control::Picked { label } => label.clone(),
            Control::Closed { .. } => String::new(),
        }
    }

    /// Which option is chosen; 0 for other fields.
    pub fn chosen(&self) -> usize {
        match &self.control {
            Control::Choice { chosen, .. } => *chosen,
            Control::Text(_) | Control::Picked { .. } | Control::Closed { .. } => 0,
        }
    }
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The form took it; values may have changed.
    Changed,
    /// The form took it; only the focus moved.
    Moved,
    /// Enter was pressed in a field that has no use for it.
    Entered,
    /// Not a key for a form.
    No,
}

/// Labelled fields, one of which has the focus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// The fields, in the order of Tab.
    pub fields: Vec<FormField>,
    /// Which has the focus.
    pub focus: usize,
}

impl Form {
    /// A form with the focus on its first field.
    pub fn new(fields: Vec<FormField>) -> Self {
        Self { fields, focus: 0 }
    }

    /// The field that has the focus.
    pub fn focused(&self) -> &FormField {
        &self.fields[self.focus]
    }

    /// The field that has the focus, to change.
    pub fn focused_mut(&mut self) -> &mut FormField {
        &mut self.fields[self.focus]
    }

    /// Whether the field that has the focus is changed by `← →`.
    pub fn is_at_choice(&self) -> bool {
        matches!(self.focused().control, Control::Choice { .. })
    }

    /// Takes a key.
    pub fn key(&mut self, chord: Chord) -> Taken {
        match (chord.key, &mut self.fields[self.focus].control) {
            (Key::Tab, _) => {
                self.step(chord.shift);
                Taken::Moved
            }
            (
                Key::Left | Key::Right | Key::Char(' ' | 'h' | 'l'),
                Control::Choice { options, chosen },
            ) if !chord.ctrl => {
                let back = matches!(chord.key, Key::Left | Key::Char('h'));
                let n = options.len().max(1);
                *chosen = (*chosen + if back { n - 1 } else { 1 }) % n;
                Taken::Changed
            }
            (Key::Enter, Control::Text(field)) if field.kind() == Lines::Many => {
                field.key(chord);
                Taken::Changed
            }
            (Key::Enter, _) => Taken::Entered,
            // NUL, from a terminal that sends what is pasted as if it were typed.
            (Key::Char(' '), Control::Text(_)) if chord.ctrl && !chord.alt => {
                self.left_out(self.focus, &['\0']);
                Taken::Moved
            }
            (_, Control::Text(field)) => {
                let before = field.cursor();
                let lines = field.kind();
                if field.key(chord) {
                    // At the first or last line an arrow leaves the field.
                    let stuck = matches!(chord.key, Key::Up | Key::Down)
                        && field.cursor() == before
                        && !chord.shift;
                    // With its text goes what was said of it.
                    if field.is_empty() {
                        self.fields[self.focus].left_out.clear();
                    }
                    if stuck {
                        self.step(chord.key == Key::Up);
                        return Taken::Moved;
                    }
                    Taken::Changed
                } else if lines == Lines::One && matches!(chord.key, Key::Up | Key::Down) {
                    self.step(chord.key == Key::Up);
                    Taken::Moved
                } else {
                    Taken::No
                }
            }
            (Key::Up, _) => {
                self.step(true);
                Taken::Moved
            }
            (Key::Down, _) => {
                self.step(false);
                Taken::Moved
            }
            _ => Taken::No,
        }
    }

    /// Takes pasted text. What of it can't be sent is left out, and told beside the field.
    pub fn paste(&mut self, text: &str) -> Taken {
        match &mut self.fields[self.focus].control {
            Control::Text(field) => {
                let dropped = field.insert(text);
                self.left_out(self.focus, &dropped);
                Taken::Changed
            }
            Control::Choice { .. } | Control::Picked { .. } | Control::Closed { .. } => Taken::No,
        }
    }

    /// Says beside a field which characters were left out of its text.
    pub fn left_out(&mut self, field: usize, dropped: &[char]) {
        let known = &mut self.fields[field].left_out;
        for c in dropped {
            if !known.contains(c) {
                known.push(*c);
            }
        }
    }

    fn step(&mut self, back: bool) {
        let n = self.fields.len();
        for _ in 0..n {
            self.focus = (self.focus + if back { n - 1 } else { 1 }) % n;
            if self.fields[self.focus].takes_focus() {
                return;
            }
        }
    }

    /// Puts a problem beside a field and the focus on it.
    pub fn problem(&mut self, field: usize, text: impl Into<String>) {
        self.fields[field].note = Note::Problem(text.into());
        self.focus = field;
    }

    /// Puts what was refused beside the field that it speaks of: the first of `words` that is in
    /// it tells which. What speaks of none is given back.
    pub fn refused(&mut self, why: &str, words: &[(&str, usize)]) -> Option<String> {
        let lower = why.to_lowercase();
        let Some((_, field)) = words.iter().find(|(word, _)| lower.contains(word)) else {
            return Some(why.to_owned());
        };
        self.problem(*field, why);
        None
    }

    /// Whether any field has a problem.
    pub fn has_problem(&self) -> bool {
        self.fields
            .iter()
            .any(|f| f.enabled && matches!(f.note, Note::Problem(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(form: &mut Form, key: &str) -> Taken {
        form.key(key.parse().expect("a key of the test"))
    }

    #[test]
    fn tab_walks_the_fields_that_are_enabled() {
        let mut form = Form::new(vec![
            FormField::line("Name", ""),
            FormField::line("Key", ""),
            FormField::choice("Kind", &["global", "private"], 0),
        ]);
        form.fields[1].enabled = false;
        key(&mut form, "Tab");
        assert_eq!(form.focus, 2);
        key(&mut form, "Right");
        assert_eq!(form.fields[2].text(), "private");
        key(&mut form, "Tab");
        assert_eq!(form.focus, 0);
        assert_eq!(key(&mut form, "x"), Taken::Changed);
        assert_eq!(key(&mut form, "Enter"), Taken::Entered);
        assert_eq!(key(&mut form, "Ctrl-s"), Taken::No);
    }

    #[test]
    fn arrows_leave_a_text_area_at_its_ends() {
        let mut form = Form::new(vec![
            FormField::area("Description", "one\ntwo"),
            FormField::line("Name", ""),
        ]);
        key(&mut form, "Down");
        assert_eq!(form.focus, 0);
        key(&mut form, "Down");
        assert_eq!(form.focus, 1);
    }
}
