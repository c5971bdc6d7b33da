//! The filter language, one for all lists.
//!
//! A filter is terms with spaces between them; a row must satisfy all of them.
//!
//! | term | holds for a row that |
//! | --- | --- |
//! | `word` | has the letters in this order, best if together (fuzzy; with a capital in it, case counts) |
//! | `'word` | has exactly this in it, in any case |
//! | `"two words"` | the same |
//! | `!word` | does not have this in it |
//! | `type:page`, `under:"Old runbooks"` | has this in a field that the list knows |
//! | `!type:page` | does not |
//! | `before:2024-06-01`, `after:2024` | was changed before that day, or on it or later |
//! | `older:90d`, `newer:6w` | was changed longer ago than that, or not |
//!
//! The fields are the list's own: it names those that it knows. What a field means is the list's
//! business; this module parses their values and never looks at a row. Rows are matched by
//! [`Scan`] over an [`Index`].

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a row must satisfy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Term {
    /// Its letters stand in the row in this order.
    Word(String),
    /// The row has this text in it, in any case.
    Exact(String),
    /// The row does not have this text in it, in any case.
    Without(String),
    /// A field of the row has this value.
    Is {
        /// One of the names that the list gave.
        field: String,
        /// As typed, without quotes.
        value: String,
    },
    /// A field of the row does not have this value.
    IsNot {
        /// One of the names that the list gave.
        field: String,
        /// As typed, without quotes.
        value: String,
    },
    /// Changed before this day.
    Before(Date),
    /// Changed on this day or later.
    After(Date),
    /// Changed longer ago than this many days.
    Older(u32),
    /// Changed at most this many days ago.
    Newer(u32),
}

/// A parsed filter. The default has no terms and lets every row through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    terms: Vec<Term>,
}

/// Why a text is no filter. While somebody types this is often a term that is not finished yet:
/// show it and keep the last good filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The list has no such field.
    #[error("There is no field `{name}` in this list.")]
    UnknownField {
        /// As typed.
        name: String,
        /// The known field that is spelled most like it.
        nearest: Option<String>,
        /// All fields that the list knows.
        known: Vec<String>,
    },
    /// Nothing after the colon yet.
    #[error("`{field}:` needs a value.")]
    NoValue {
        /// The field.
        field: String,
    },
    /// Not a date, or not yet.
    #[error("`{value}` is not a date.")]
    BadDate {
        /// As typed.
        value: String,
    },
    /// Not an age, or not yet.
    #[error("`{value}` is not an age.")]
    BadAge {
        /// As typed.
        value: String,
    },
    /// `!` before a date or an age.
    #[error("`!` does not go with `{field}:`.")]
    Negated {
        /// The field.
        field: String,
        /// The field that means the opposite.
        opposite: &'static str,
    },
}

impl FilterError {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownField {
                name,
                nearest: Some(nearest),
                ..
            } => format!("Did you mean `{nearest}:`? To look for the text, type `'{name}:`."),
            Self::UnknownField { name, known, .. } if known.is_empty() => {
                format!("This list has no fields. To look for the text, type `'{name}:`.")
            }
            Self::UnknownField { name, known, .. } => format!(
                "Fields are {}. To look for the text, type `'{name}:`.",
                known.join(", ")
            ),
            Self::NoValue { field } => match field.as_str() {
                "before" | "after" => format!("Type a day, such as `{field}:2024-06-01`."),
                "older" | "newer" => format!("Type an age, such as `{field}:90d`."),
                _ => format!("Type it after the colon; with spaces, `{field}:\"two words\"`."),
            },
            Self::BadDate { .. } => {
                "Type a day as year-month-day, such as 2024-06-01; the month or the year alone will do."
                    .to_owned()
            }
            Self::BadAge { .. } => {
                "Type a number of days, weeks, months or years, such as 90d, 6w, 3m or 1y.".to_owned()
            }
            Self::Negated { opposite, .. } => format!("Use `{opposite}:` instead."),
        }
    }
}

impl Filter {
    /// Reads a filter. `fields` are the names that this list knows; `before`, `after`, `older`
    /// and `newer` among them take dates and ages.
    pub fn parse(text: &str, fields: &[&str]) -> Result<Self, FilterError> {
        // No row has a control character in it. Taken out first, for what they hide would be read
        // otherwise without them.
        let text: String = text
            .chars()
            .filter(|c| c.is_whitespace() || !c.is_control())
            .collect();
        let mut terms = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (term, after) = term(rest, fields)?;
            terms.extend(term);
            rest = after.trim_start();
        }
        Ok(Self { terms })
    }

    /// The terms in the order in which they were typed.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether there are terms about fields, which the list has to judge itself.
    pub fn has_fields(&self) -> bool {
        self.terms.iter().any(Term::is_about_field)
    }

    /// The same without the terms that `keep` does not want.
    #[must_use]
    pub fn retaining(&self, keep: impl FnMut(&&Term) -> bool) -> Self {
        Self {
            terms: self.terms.iter().filter(keep).cloned().collect(),
        }
    }

    /// Whether every row that passes this filter also passed `wider`: one more letter, one more
    /// term. May say no where the answer is yes, never the other way round.
    pub fn narrows(&self, wider: &Self) -> bool {
        wider
            .terms
            .iter()
            .all(|old| self.terms.iter().any(|new| new.implies(old)))
    }
}

impl Term {
    /// Whether a text has the text of this term in it just so; false for terms about fields.
    pub fn stands_in(&self, text: &str) -> bool {
        match self {
            Self::Word(word) if word.chars().any(char::is_uppercase) => text.contains(word),
            Self::Word(word) | Self::Exact(word) | Self::Without(word) => {
                text.to_lowercase().contains(&word.to_lowercase())
            }
            Self::Is { .. }
            | Self::IsNot { .. }
            | Self::Before(_)
            | Self::After(_)
            | Self::Older(_)
            | Self::Newer(_) => false,
        }
    }

    fn is_about_field(&self) -> bool {
        match self {
            Self::Word(_) | Self::Exact(_) | Self::Without(_) => false,
            Self::Is { .. }
            | Self::IsNot { .. }
            | Self::Before(_)
            | Self::After(_)
            | Self::Older(_)
            | Self::Newer(_) => true,
        }
    }

    fn implies(&self, old: &Self) -> bool {
        match (self, old) {
            // An accent makes the matcher tell accents apart, a capital makes it tell cases
            // apart: both only ever let fewer rows through.
            (Self::Word(new), Self::Word(old)) => new.starts_with(old.as_str()),
            (Self::Exact(new), Self::Exact(old)) => {
                new.to_lowercase().contains(&old.to_lowercase())
            }
            (Self::Without(new), Self::Without(old)) => {
                old.to_lowercase().contains(&new.to_lowercase())
            }
            _ => self == old,
        }
    }
}

/// The text of a term up to the next space, or what is between quotes.
fn value(text: &str) -> (String, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut out = String::new();
        let mut chars = quoted.char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => return (out, &quoted[index + 1..]),
                // A backslash takes a quote or a backslash literally.
                '\\' if quoted[index + 1..].starts_with(['"', '\\']) => {
                    out.extend(chars.next().map(|(_, c)| c));
                }
                // Rows are one line each, so a line feed could match nothing.
                c if c.is_control() => out.push(' '),
                c => out.push(c),
            }
        }
        // The closing quote has not been typed yet.
        return (out, "");
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

/// The name in front of a colon, where there is one that could be a field.
fn field(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    // `https://…` is a text, not a field.
    (is_name && !rest.starts_with("//")).then_some((name, rest))
}

/// Reads one term; `None` for one that is empty so far, such as `!`.
fn term<'a>(text: &'a str, fields: &[&str]) -> Result<(Option<Term>, &'a str), FilterError> {
    let (negated, body) = match text.strip_prefix('!') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let (exact, body) = match body.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (body.starts_with('"'), body),
    };
    if !exact && let Some((name, rest)) = field(body) {
        let (value, rest) = value(rest);
        return Ok((Some(field_term(negated, name, value, fields)?), rest));
    }
    let (value, rest) = value(body);
    let term = match (negated, exact) {
        _ if value.trim().is_empty() => None,
        (true, _) => Some(Term::Without(value)),
        (false, true) => Some(Term::Exact(value)),
        (false, false) => Some(Term::Word(value)),
    };
    Ok((term, rest))
}

fn field_term(
    negated: bool,
    name: &str,
    value: String,
    fields: &[&str],
) -> Result<Term, FilterError> {
    let name = name.to_ascii_lowercase();
    if !fields.contains(&name.as_str()) {
        let nearest = fields
            .iter()
            .map(|field| (strsim::damerau_levenshtein(field, &name), *field))
            .filter(|(distance, field)| {
                *distance <= 2 && *distance < field.len() || field.starts_with(&name)
            })
            .min()
            .map(|(_, field)| field.to_owned());
        return Err(FilterError::UnknownField {
            name,
            nearest,
            known: fields.iter().map(|&field| field.to_owned()).collect(),
        });
    }
    let opposite = match name.as_str() {
        "before" => Some("after"),
        "after" => Some("before"),
        "older" => Some("newer"),
        "newer" => Some("older"),
        _ => None,
    };
    if let (true, Some(opposite)) = (negated, opposite) {
        return Err(FilterError::Negated {
            field: name,
            opposite,
        });
    }
    if value.trim().is_empty() {
        return Err(FilterError::NoValue { field: name });
    }
    Ok(match name.as_str() {
        "before" => Term::Before(date(&value)?),
        "after" => Term::After(date(&value)?),
        "older" => Term::Older(age(&value)?),
        "newer" => Term::Newer(age(&value)?),
        _ if negated => Term::IsNot { field: name, value },
        _ => Term::Is { field: name, value },
    })
}

/// `2024-06-01`, `2024-06` (its first day) or `2024` (its first day).
fn date(value: &str) -> Result<Date, FilterError> {
    let bad = || FilterError::BadDate {
        value: value.to_owned(),
    };
    let mut parts = [1_i16; 3];
    for (index, part) in value.split('-').enumerate() {
        let digits = if index == 0 { 4..=4 } else { 1..=2 };
        let fits = digits.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let Some(number) = parts.get_mut(index).filter(|_| fits) else {
            return Err(bad());
        };
        *number = part.parse().map_err(|_| bad())?;
    }
    Date::new(parts[0], parts[1] as i8, parts[2] as i8).map_err(|_| bad())
}

/// `90d`, `6w`, `3m` (30 days each), `1y` (365 days), or days without a letter.
fn age(value: &str) -> Result<u32, FilterError> {
    let bad = || FilterError::BadAge {
        value: value.to_owned(),
    };
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &value[digits.len()..] {
        "" | "d" => 1,
        "w" => 7,
        "m" => 30,
        "y" => 365,
        _ => return Err(bad()),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let number: u32 = digits.parse().map_err(|_| bad())?;
    number.checked_mul(factor).ok_or_else(bad)
}

/// A value with quotes where it would not be read back without.
fn quoted(value: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with(['"', '\''])
        && !value.contains(|c: char| c.is_whitespace() || c == ':');
    if plain {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The canonical text, which parses to the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Exact(text) => write!(f, "'{}", quoted(text)),
            Self::Without(text) => write!(f, "!{}", quoted(text)),
            Self::Is { field, value } => write!(f, "{field}:{}", quoted(value)),
            Self::IsNot { field, value } => write!(f, "!{field}:{}", quoted(value)),
            Self::Before(day) => write!(f, "before:{day}"),
            Self::After(day) => write!(f, "after:{day}"),
            Self::Older(days) => write!(f, "older:{days}d"),
            Self::Newer(days) => write!(f, "newer:{days}d"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELDS: &[&str] = &["type", "by", "under", "before", "after", "older", "newer"];

    fn terms(text: &str) -> Vec<Term> {
        Filter::parse(text, FIELDS).unwrap().terms
    }

    fn is(field: &str, value: &str) -> Term {
        Term::Is {
            field: field.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn words_and_their_signs() {
        assert_eq!(
            terms(" run 'Book !old "),
            [
                Term::Word("run".into()),
                Term::Exact("Book".into()),
                Term::Without("old".into())
            ]
        );
        assert_eq!(terms("'\"two words\""), [Term::Exact("two words".into())]);
        assert_eq!(terms("\"two words"), [Term::Exact("two words".into())]);
        assert_eq!(terms("!\"a \\\"b\\\"\""), [Term::Without("a \"b\"".into())]);
        assert_eq!(terms("! ' \" \" ''"), [Term::Exact("'".into())]);
        assert_eq!(terms("'type:x"), [Term::Exact("type:x".into())]);
        assert_eq!(terms("https://x"), [Term::Word("https://x".into())]);
    }

    #[test]
    fn fields_have_types() {
        let day = Date::new(2024, 6, 1).unwrap();
        assert_eq!(terms("type:page"), [is("type", "page")]);
        assert_eq!(
            terms("under:\"Old runbooks\""),
            [is("under", "Old runbooks")]
        );
        assert_eq!(terms("before:2024-06-01"), [Term::Before(day)]);
        assert_eq!(terms("After:2024-06"), [Term::After(day)]);
        assert_eq!(
            terms("older:90d newer:6w"),
            [Term::Older(90), Term::Newer(42)]
        );
        assert_eq!(
            terms("!type:page"),
            [Term::IsNot {
                field: "type".into(),
                value: "page".into()
            }]
        );
    }

    #[test]
    fn mistakes_say_what_to_do() {
        let error = |text| Filter::parse(text, FIELDS).unwrap_err();
        assert!(error("tpye:page").hint().contains("`type:`"));
        assert!(error("colour:red").hint().contains("type, by, under"));
        assert!(
            Filter::parse("a:b", &[])
                .unwrap_err()
                .hint()
                .contains("no fields")
        );
        for text in [
            "before:2024-",
            "before:2024-13",
            "before:20240601",
            "after:x",
        ] {
            assert!(matches!(error(text), FilterError::BadDate { .. }), "{text}");
        }
        for text in [
            "older:d",
            "older:9x",
            "older:99999999999",
            "older:4294967295y",
            "older:9ä",
        ] {
            assert!(matches!(error(text), FilterError::BadAge { .. }), "{text}");
        }
        assert!(matches!(error("type:"), FilterError::NoValue { .. }));
        assert_eq!(error("!older:3d").hint(), "Use `newer:` instead.");
    }

    #[test]
    fn control_characters_hide_no_sign() {
        assert_eq!(terms("ty\u{14}pe\u{9b}:page"), [is("type", "page")]);
        assert_eq!(terms("\u{1}'a \u{7f}!b"), terms("'a !b"));
        assert_eq!(terms("\"a\tb\u{1b}c\""), [Term::Exact("a bc".into())]);
    }

    #[test]
    fn narrowing() {
        let narrows = |new: &str, old: &str| {
            let parse = |text| Filter::parse(text, FIELDS).unwrap();
            parse(new).narrows(&parse(old))
        };
        assert!(narrows("runb", "run"));
        assert!(narrows("run type:page", "run"));
        assert!(narrows("'runbook", "'book"));
        assert!(narrows("!a", "!ab"));
        assert!(!narrows("run", "runb"));
        assert!(!narrows("!ab", "!a"));
        assert!(!narrows("'run", "run x"));
    }

    proptest! {
        #[test]
        fn any_text_parses_or_says_why(text in "\\PC{0,40}|[a-z'!\": \\\\\n\t]{0,30}") {
            match Filter::parse(&text, FIELDS) {
                Ok(filter) => {
                    let canonical = filter.to_string();
                    prop_assert_eq!(Filter::parse(&canonical, FIELDS), Ok(filter), "{}", canonical);
                }
                Err(error) => prop_assert!(!error.hint().is_empty()),
            }
        }

        #[test]
        fn terms_of_fields_parse_or_say_why(
            field in prop::sample::select(FIELDS),
            value in "[0-9dwmy-]{0,12}|\\PC{0,12}",
        ) {
            let text = format!("{field}:{value}");
            if let Ok(filter) = Filter::parse(&text, FIELDS) {
                prop_assert_eq!(Filter::parse(&filter.to_string(), FIELDS), Ok(filter));
            }
        }
    }
}
