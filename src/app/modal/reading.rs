//! A text to read: scrolled, searched, closed.

use jiff::Timestamp;
use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::{Outcome, help};
use crate::app::action::{Action, Context};
use crate::app::field::{Field, Lines};
use crate::app::key::{Chord, Key};
use crate::app::layout::tallest_inside;
use crate::app::message::{LogLevel, Size};
use crate::app::model::Model;
use crate::jobs::journal::{Entry, Phase};
use crate::text::{number, width};

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Tone {
    /// Ordinary.
    Plain,
    /// Secondary.
    Dim,
    /// A heading.
    Heading,
    /// A key.
    Key,
    /// Something went well.
    Good,
    /// Something to know.
    Warning,
    /// Something failed.
    Danger,
}

/// A line of pieces.
pub type Line = Vec<(Tone, String)>;

/// What is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum What {
    /// The keys, those of these contexts first.
    Help(Vec<Context>),
    /// The log and the journal.
    Log,
    /// A text that was made for the occasion.
    Text {
        /// Its title.
        title: String,
        /// Its lines.
        lines: Vec<String>,
    },
}

/// A text to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// What.
    pub what: What,
    /// The first line that is shown.
    pub top: usize,
    /// What is searched for.
    pub search: Field,
    /// Whether the search has the keys.
    pub typing: bool,
}

/// The width of the text on a screen of this size.
pub fn width(size: Size) -> usize {
    usize::from(size.width.saturating_sub(4).min(110))
}

/// How many lines of the text are shown.
pub fn height(size: Size) -> usize {
    tallest_inside(size)
}

impl Reading {
    /// A text from its beginning.
    pub fn new(what: What) -> Self {
        Self {
            what,
            top: 0,
            search: Field::new(Lines::One, ""),
            typing: false,
        }
    }

    /// The width of its text on a screen of this size.
    pub fn width(&self, size: Size) -> usize {
        match &self.what {
            What::Help(_) => help::columns(size),
            What::Log | What::Text { .. } => width(size),
        }
    }

    /// How many lines of so many are shown on a screen of this size. A short text takes the room that
    /// it needs; what is narrowed by a search stays as large as it was.
    pub fn height(&self, lines: usize, size: Size) -> usize {
        match &self.what {
            What::Help(_) | What::Log => height(size),
            What::Text { .. } => height(size).min(lines.max(1)),
        }
    }

    /// Its title.
    pub fn title(&self) -> String {
        match &self.what {
            What::Help(_) => "Help".to_owned(),
            What::Log => "Log and journal".to_owned(),
            What::Text { title, .. } => title.clone(),
        }
    }

    /// Whether the search narrows the text to the lines that hold it, rather than stepping.
    fn narrows(&self) -> bool {
        matches!(self.what, What::Help(_) | What::Log)
    }

    pub(super) fn key(&mut self, chord: Chord) -> Outcome {
        if !self.typing {
            return Outcome::NotMine;
        }
        match chord.key {
            Key::Esc => {
                self.search.set("");
                self.typing = false;
            }
            Key::Enter => self.typing = false,
            _ => {
                if !self.search.key(chord) {
                    return Outcome::NotMine;
                }
                self.top = 0;
            }
        }
        Outcome::Stay
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.typing {
            self.search.insert(text);
        }
    }

    /// Does what a verb means here. Says whether it meant anything.
    pub(super) fn verb(&mut self, action: Action, lines: &[Line], height: usize) -> bool {
        let last = lines.len().saturating_sub(height);
        match action {
            Action::Up => self.top = self.top.saturating_sub(1),
            Action::Down => self.top += 1,
            Action::Top => self.top = 0,
            Action::Bottom => self.top = last,
            Action::PageUp => self.top = self.top.saturating_sub(height),
            Action::PageDown => self.top += height,
            Action::HalfUp => self.top = self.top.saturating_sub(height / 2),
            Action::HalfDown => self.top += height / 2,
            Action::Search => {
                self.search.set("");
                self.typing = true;
            }
            Action::NextHit | Action::PreviousHit => {
                let needle = self.search.text().to_lowercase();
                let hits: Vec<usize> = (0..lines.len())
                    .filter(|ix| holds(&lines[*ix], &needle))
                    .collect();
                let hit = match action {
                    Action::NextHit => hits.iter().find(|ix| **ix > self.top).or(hits.first()),
                    _ => hits.iter().rev().find(|ix| **ix < self.top).or(hits.last()),
                };
                if let Some(hit) = hit {
                    self.top = *hit;
                }
            }
            _ => return false,
        }
        self.top = self.top.min(last);
        true
    }
}

/// Whether a line holds a text, without case.
pub fn holds(line: &Line, needle: &str) -> bool {
    !needle.is_empty() && plain(line).to_lowercase().contains(needle)
}

/// A text in parts, of which the second, fourth and so on are what is searched for, without case.
pub fn by_hits<'t>(text: &'t str, needle: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(range) = hit(rest, needle) {
        parts.push(&rest[..range.start]);
        parts.push(&rest[range.clone()]);
        rest = &rest[range.end..];
    }
    parts.push(rest);
    parts
}

/// Where a text holds the needle, which is in small letters, for the first time.
fn hit(text: &str, needle: &str) -> Option<std::ops::Range<usize>> {
    if needle.is_empty() {
        return None;
    }
    text.char_indices().find_map(|(start, _)| {
        let mut wanted = needle.chars().peekable();
        let mut chars = text[start..].char_indices();
        while wanted.peek().is_some() {
            let (_, c) = chars.next()?;
            for small in c.to_lowercase() {
                if wanted.next() != Some(small) {
                    return None;
                }
            }
        }
        let end = chars.next().map_or(text.len(), |(at, _)| start + at);
        Some(start..end)
    })
}

fn plain(line: &Line) -> String {
    line.iter().map(|(_, text)| text.as_str()).collect()
}

/// The lines of a text at this width.
pub fn lines(model: &Model, reading: &Reading) -> Vec<Line> {
    let width = reading.width(model.size);
    let needle = reading.search.text().to_lowercase();
    let all = match &reading.what {
        What::Help(contexts) => {
            let rows = height(model.size);
            help::lines(&model.keymap, contexts, &needle, width, rows)
        }
        What::Log => log(model, width),
        What::Text { lines, .. } => lines
            .iter()
            .flat_map(|line| folded(line, width))
            .map(|line| vec![(Tone::Plain, line)])
            .collect(),
    };
    if needle.is_empty() || !reading.narrows() {
        return all;
    }
    // The help has left out what does not hold it, in whole entries.
    let of_help = matches!(reading.what, What::Help(_));
    let found: Vec<Line> = all
        .into_iter()
        .filter(|line| of_help || holds(line, &needle))
        .collect();
    if found.is_empty() {
        return vec![vec![(
            Tone::Dim,
            format!("Nothing here holds \"{}\".", reading.search.text()),
        )]];
    }
    found
}

fn log(model: &Model, width: usize) -> Vec<Line> {
    let mut told: Vec<(Timestamp, Tone, String)> = model
        .log
        .iter()
        .map(|logged| {
            let tone = match logged.line.level {
                LogLevel::Info => Tone::Plain,
                LogLevel::Warning => Tone::Warning,
                LogLevel::Error => Tone::Danger,
            };
            (model.time(logged.at), tone, logged.line.text.clone())
        })
        .chain(model.jobs.entries.iter().map(journaled))
        .collect();
    if told.is_empty() {
        return vec![vec![(
            Tone::Dim,
            "Nothing was logged yet, and the journal is empty.".to_owned(),
        )]];
    }
    // The newest first: that is what one comes for.
    told.sort_by_key(|(at, ..)| *at);
    let mut out = Vec::new();
    let today = number::date(model.time(model.now), &model.zone);
    let mut day = today;
    for (at, tone, text) in told.into_iter().rev() {
        let date = number::date(at, &model.zone);
        if date != day {
            out.push(vec![(Tone::Heading, date.clone())]);
            day = date;
        }
        let time = number::time(at, &model.zone);
        for (ix, text) in folded(&text, width.saturating_sub(10).max(20))
            .into_iter()
            .enumerate()
        {
            let time = if ix == 0 {
                format!("{time}  ")
            } else {
                " ".repeat(10)
            };
            out.push(vec![(Tone::Dim, time), (tone, text)]);
        }
    }
    out
}

/// An entry of the journal as a line of the log.
fn journaled(entry: &Entry) -> (Timestamp, Tone, String) {
    let record = &entry.record;
    let (word, tone) = match record.outcome {
        Phase::Intended => ("asked for", Tone::Dim),
        Phase::Done => ("done", Tone::Plain),
        Phase::Failed => ("not done", Tone::Danger),
        Phase::Unknown => ("unknown", Tone::Danger),
    };
    let mut text = format!(
        "journal {}  {} {}  {word}",
        entry.seq,
        record.method.as_str(),
        record.path
    );
    if let Some(made) = &record.made {
        text = format!("{text}, made {made}");
    }
    if let Some(note) = &record.note {
        text = format!("{text}: {note}");
    }
    (entry.time, tone, text)
}

/// Breaks a text at spaces so that each line fits; a longer word is broken where it must be, a path
/// after a slash.
pub fn folded(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let room = columns.saturating_sub(width::width(&line) + usize::from(!line.is_empty()));
        if !line.is_empty() && width::width(word) > room {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        let mut from = line.len();
        for cluster in word.graphemes(true) {
            if width::width(&line) + width::width(cluster) > columns {
                // A name that begins on the line before is hard to read, and to copy. Not where that
                // would leave most of the line empty, as behind "https://".
                let slash = line[from..].rfind(['/', '\\']).map(|at| from + at + 1);
                let slash = slash.filter(|at| width::width(&line[..*at]) * 2 >= columns);
                let rest = slash.map(|at| line.split_off(at));
                lines.push(std::mem::replace(&mut line, rest.unwrap_or_default()));
                from = 0;
            }
            line.push_str(cluster);
        }
    }
    lines.push(line);
    lines
}

/// Breaks pieces of text at spaces so that each line fits, each piece keeping its tone.
pub fn folded_pieces(pieces: &[(Tone, &str)], columns: usize) -> Vec<Line> {
    let text: String = pieces.iter().map(|(_, text)| *text).collect();
    let mut source = pieces
        .iter()
        .flat_map(|(tone, text)| text.chars().map(|c| (*tone, c)));
    let mut lines = Vec::new();
    for (ix, line) in folded(&text, columns).into_iter().enumerate() {
        let mut out: Line = Vec::new();
        for (at, wanted) in line.chars().enumerate() {
            let mut next = source.next();
            // The space at which the line before ended is in none.
            if ix > 0 && at == 0 && next.is_some_and(|(_, c)| c == ' ' && wanted != ' ') {
                next = source.next();
            }
            let Some((tone, c)) = next else { break };
            match out.last_mut() {
                Some((last, text)) if *last == tone => text.push(c),
                _ => out.push((tone, c.to_string())),
            }
        }
        lines.push(out);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_longer_than_a_line_is_broken_after_a_slash() {
        let text = "Written to /home/jdoe/.local/state/coracle/exports/ENG-trash-truncated.csv.";
        assert_eq!(
            folded(text, 44),
            [
                "Written to",
                "/home/jdoe/.local/state/coracle/exports/",
                "ENG-trash-truncated.csv."
            ]
        );
        // One that fits stays whole.
        let lines = folded(text, 64);
        assert_eq!(lines[0], "Written to");
        assert_eq!(lines.len(), 2);
        // Where no slash is near, a word is broken where it must be, and nothing gets lost.
        assert_eq!(folded("a /bcdefgh", 4), ["a", "/bcd", "efgh"]);
        assert_eq!(folded("ab/cdefghij", 4), ["ab/", "cdef", "ghij"]);
        assert_eq!(folded("C:\\ab\\cdef", 7), ["C:\\ab\\", "cdef"]);
        assert_eq!(folded("https://wiki.example.com", 18).len(), 2);
        for columns in 1..text.len() {
            let whole: String = folded(text, columns).concat();
            assert_eq!(whole.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
