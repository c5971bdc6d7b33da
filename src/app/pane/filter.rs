//! The filter line of a list: typed at the bottom of the pane, applied at every letter.

use serde::Serialize;

use crate::app::field::{Field, Lines};
use crate::text::filter::Filter;

/// A filter line.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FilterLine {
    /// The text as it is typed; `None` while there is no filter.
    pub field: Option<Field>,
    /// Whether the line has the keys.
    pub typing: bool,
    /// The last text that made sense.
    #[serde(skip)]
    pub applied: Option<Filter>,
    /// What is wrong with the text as it stands.
    pub problem: Option<String>,
    /// What to do about that.
    pub hint: String,
}

impl FilterLine {
    /// Opens the line, empty.
    pub fn open(&mut self) {
        *self = Self {
            field: Some(Field::new(Lines::One, "")),
            typing: true,
            applied: None,
            problem: None,
            hint: String::new(),
        };
    }

    /// Clears the filter. Says whether there was one.
    pub fn clear(&mut self) -> bool {
        let had = self.field.is_some();
        *self = Self::default();
        had
    }

    /// Reads the text again after it changed. An unfinished term keeps the last result.
    pub fn parse(&mut self, fields: &[&str]) {
        let text = self.text();
        match Filter::parse(&text, fields) {
            Ok(filter) => {
                self.applied = (!filter.is_empty()).then_some(filter);
                self.problem = None;
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                self.hint = error.hint();
            }
        }
    }

    /// The text as it is typed.
    pub fn text(&self) -> String {
        self.field.as_ref().map(Field::text).unwrap_or_default()
    }

    /// Whether the line is shown: it has the keys or a text.
    pub fn is_shown(&self) -> bool {
        self.field.is_some()
    }

    /// Ends typing; an empty filter goes away.
    pub fn keep(&mut self) {
        self.typing = false;
        if self.text().trim().is_empty() {
            self.clear();
        }
    }
}
