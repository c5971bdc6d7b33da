//! One thing that is wrong with a configuration, and how it is pointed at.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use crate::report::scrub;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which bytes of the file.
    pub span: Range<usize>,
    /// What is wrong with them: one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether the line holds a secret and must not be quoted.
    pub quote: Quote,
}

/// Whether a line of the file may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quote {
    /// It may, without these bytes of the file: they may hold a secret. In their order.
    Without(Vec<Range<usize>>),
    /// It may hold a secret, nobody knows where.
    Hide,
}

impl Problem {
    /// The line of the file that it is on, and the column in it, both counted from 1. The column
    /// counts characters.
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// File, line and column, what is wrong, the line with a mark under it, and the hint.
    pub fn told(&self, name: &str, text: &str) -> String {
        let (line, column) = self.place(text);
        let mut told = format!("{name}:{line}:{column}: {}", scrub(&self.message));
        let Quote::Without(secrets) = &self.quote else {
            return told + &self.told_hint();
        };
        let (content, column) = self.open(text, secrets);
        if !content.trim().is_empty() {
            let (content, column) = window(&content.replace('\t', " "), column);
            let (before, rest) = match content.char_indices().nth(column - 1) {
                Some((at, _)) => content.split_at(at),
                None => (content.as_str(), ""),
            };
            let marked: String = {
                let hidden = secrets
                    .iter()
                    .any(|secret| secret.contains(&self.span.start));
                let length = text.get(self.span.clone()).map_or(1, |marked| {
                    marked.lines().next().unwrap_or_default().chars().count()
                });
                rest.chars().take(if hidden { 1 } else { length }).collect()
            };
            let number = line.to_string();
            let margin = " ".repeat(number.len());
            let _ = write!(
                told,
                "\n {number} | {}\n {margin} | {}{}",
                scrub(&content),
                " ".repeat(scrub(before).width()),
                "^".repeat(scrub(&marked).width().max(1)),
            );
        }
        told + &self.told_hint()
    }

    fn told_hint(&self) -> String {
        match &self.hint {
            Some(hint) => format!("\n   {}", scrub(hint)),
            None => String::new(),
        }
    }

    /// The line without what may be a secret, and in which column of it the problem is, from 1.
    fn open(&self, text: &str, secrets: &[Range<usize>]) -> (String, usize) {
        let at = text.floor_char_boundary(self.span.start);
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        let (mut shown, mut before) = (String::new(), String::new());
        let mut from = start;
        for secret in secrets.iter().filter(|s| s.end > start && s.start < end) {
            let secret = secret.start.max(from)..secret.end.min(end);
            shown.push_str(&text[from..secret.start]);
            before.push_str(&text[from.min(at)..secret.start.min(at)]);
            shown.push('…');
            if secret.end <= at {
                before.push('…');
            }
            from = secret.end;
        }
        shown.push_str(&text[from..end]);
        before.push_str(&text[from.min(at)..at]);
        let shown = shown.trim_end_matches('\r').to_owned();
        (shown, before.chars().count() + 1)
    }
}

/// What is shown of a line: all of it, or where that is very long, what is around a column. With
/// the column as it is then.
fn window(line: &str, column: usize) -> (String, usize) {
    const SHOWN: usize = 160;
    const BEFORE: usize = 60;
    if line.len() <= SHOWN {
        return (line.to_owned(), column);
    }
    let from = (column - 1).saturating_sub(BEFORE);
    let mut rest = line.chars().skip(from);
    let mut shown = String::from(if from > 0 { "…" } else { "" });
    shown.extend(rest.by_ref().take(SHOWN));
    if rest.next().is_some() {
        shown.push('…');
    }
    (shown, column - from + usize::from(from > 0))
}

/// The name that was probably meant, if one is near: misspelt, or written in part.
pub(super) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let written = plain(written);
    let names: Vec<&str> = names.into_iter().collect();
    let misspelt = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&plain(name), &written), *name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name);
    // Of several names that begin so, none is more likely than the others, unless one word of it
    // is what was written.
    let only = |fits: &dyn Fn(&str) -> bool| {
        let mut found = names.iter().filter(|name| fits(&plain(name)));
        found.next().filter(|_| found.next().is_none()).copied()
    };
    let begins = |name: &str| !written.is_empty() && name.starts_with(&written);
    let first_word = |name: &str| name.split('_').next() == Some(&written);
    misspelt
        .or_else(|| only(&begins))
        .or_else(|| only(&first_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_written_in_part_is_told_if_there_is_one_alone() {
        let names = [
            "default_profile",
            "token_env",
            "token_file",
            "log",
            "logo_x",
        ];
        for (written, meant) in [
            ("default", Some("default_profile")),
            ("Default", Some("default_profile")),
            ("def", Some("default_profile")),
            ("defualt_profile", Some("default_profile")),
            ("token", None),
            ("profile", None),
            ("", None),
            ("logo", Some("log")),
        ] {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
        let names = ["ca_file", "cache_size"];
        assert_eq!(nearest("ca", names), Some("ca_file"), "its first word");
    }

    #[test]
    fn of_a_very_long_line_what_is_around_the_mark_is_shown() {
        let text = format!("{} here = 1 {}", "ä".repeat(5_000), "z".repeat(5_000));
        let at = text.find("here").expect("because it was just written");
        let problem = Problem {
            span: at..at + 4,
            message: "Wrong.".to_owned(),
            hint: None,
            quote: Quote::Without(Vec::new()),
        };
        let told = problem.told("c.toml", &text);
        assert!(told.starts_with("c.toml:1:5002: Wrong.\n 1 | …"), "{told}");
        assert!(told.len() < 600, "{}", told.len());
        let lines: Vec<&str> = told.lines().collect();
        let column = |line: &str, what| {
            let at = line.find(what).expect("it is there");
            line[..at].chars().count()
        };
        assert_eq!(column(lines[1], "here"), column(lines[2], "^^^^"));
        assert!(lines[1].ends_with('…') && lines[2].ends_with(" ^^^^"));
    }

    #[test]
    fn a_file_of_nothing_but_problems_is_told_in_part() {
        let text = "x = 1\n".repeat(3);
        let problem = Problem {
            span: 0..1,
            message: "Wrong.".to_owned(),
            hint: None,
            quote: Quote::Without(Vec::new()),
        };
        let told = crate::config::failure("c.toml", &text, &vec![problem; 5_000]).text();
        assert!(
            told.contains("5000 problems, 100 of them shown, in"),
            "{told}"
        );
        assert_eq!(told.matches("Wrong.").count(), 100);
    }
}
