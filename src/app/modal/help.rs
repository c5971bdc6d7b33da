//! The help: every key in effect, those of the place where one is first.
//!
//! Made from the table of verbs and the keymap, so it can't tell of a key that there is not. What other
//! places have in common with one that stands above is named there by its keys alone. A search keeps
//! the entries that hold it, of every place, whole and under their headings. Where there is room and need, the
//! groups stand in two columns, read down the left one and on at the top of the right one.

use super::reading::{Line, Tone, folded};
use crate::app::action::{Context, VERBS};
use crate::app::keymap::Keymap;
use crate::app::message::Size;
use crate::text::width::{self, Align};

/// From this width on there is room for two columns, of which each can hold a sentence.
const TWO_COLUMNS: usize = 100;
/// Wider, and an eye loses its line on the way back.
const WIDEST: u16 = 168;
/// What stands between two columns.
const GAP: usize = 3;
/// What stands before a key.
const INDENT: usize = 2;
/// The columns of the keys.
const KEYS: usize = 15;

/// The width of the help on a screen of this size.
pub fn columns(size: Size) -> usize {
    usize::from(size.width.saturating_sub(4).min(WIDEST))
}

/// Some keys under one heading.
struct Group {
    heading: &'static str,
    note: &'static str,
    entries: Vec<(String, &'static str)>,
    /// Keys that do what was said in a group above.
    as_above: Vec<String>,
}

/// The lines of the help at this width, in a window of so many rows.
pub fn lines(
    keymap: &Keymap,
    here: &[Context],
    needle: &str,
    width: usize,
    rows: usize,
) -> Vec<Line> {
    let groups = groups(keymap, here, needle);
    if width < TWO_COLUMNS {
        return stacked(groups.iter().map(|group| set(group, width)));
    }
    let column = (width - GAP) / 2;
    let set: Vec<Vec<Line>> = groups.iter().map(|group| set(group, column)).collect();
    if height(&set) <= rows {
        return stacked(set);
    }
    // Whole groups, so that the longer column is as short as it can be.
    let split = (1..set.len())
        .min_by_key(|split| height(&set[..*split]).max(height(&set[*split..])))
        .unwrap_or(set.len());
    let mut left = set;
    let right = stacked(left.split_off(split));
    beside(stacked(left), right, column)
}

/// The verbs of every place, this one's first, without those that a search leaves out.
fn groups(keymap: &Keymap, here: &[Context], needle: &str) -> Vec<Group> {
    let elsewhere = Context::ALL.iter().filter(|at| !here.contains(at));
    let mut groups: Vec<Group> = Vec::new();
    for context in here.iter().chain(elsewhere) {
        let heading = context.title();
        let all = heading.to_lowercase().contains(needle);
        let entries = VERBS
            .iter()
            .filter(|verb| verb.contexts.contains(context))
            .map(|verb| {
                let keys = keymap.keys_of(&[*context], verb.action).join("  ");
                let unbound = "unbound".to_owned();
                (if keys.is_empty() { unbound } else { keys }, verb.help)
            })
            .filter(|(keys, help)| all || format!("{keys} {help}").to_lowercase().contains(needle));
        let is_news = |entry: &(String, &'static str)| {
            here.contains(context)
                || !needle.is_empty()
                || !groups.iter().any(|group| group.entries.contains(entry))
        };
        let (entries, known): (Vec<_>, Vec<_>) = entries.partition(is_news);
        if !entries.is_empty() || !known.is_empty() {
            let is_here = here.first() == Some(context);
            groups.push(Group {
                heading,
                note: if is_here { " (here)" } else { "" },
                entries,
                as_above: known.into_iter().map(|(keys, _)| keys).collect(),
            });
        }
    }
    groups
}

/// A group at this width.
fn set(group: &Group, width: usize) -> Vec<Line> {
    let mut lines = vec![vec![
        (Tone::Heading, group.heading.to_owned()),
        (Tone::Dim, group.note.to_owned()),
    ]];
    for (keys, help) in &group.entries {
        // Keys of one's own may be long: they get a line, rather than an ellipsis.
        let mut beside = keys.as_str();
        if width::width(keys) >= KEYS {
            lines.push(vec![
                (Tone::Plain, " ".repeat(INDENT)),
                (Tone::Key, keys.clone()),
            ]);
            beside = "";
        }
        let room = width.saturating_sub(INDENT + KEYS).max(20);
        for text in folded(help, room) {
            let key = width::fit(beside, KEYS, Align::Left).into_owned();
            lines.push(vec![
                (Tone::Plain, " ".repeat(INDENT)),
                (Tone::Key, key),
                (Tone::Plain, text),
            ]);
            beside = "";
        }
    }
    if !group.as_above.is_empty() {
        let keys = group.as_above.join("  ");
        for (ix, keys) in folded(&keys, width.saturating_sub(INDENT + KEYS).max(20))
            .into_iter()
            .enumerate()
        {
            let label = if ix == 0 { "as above" } else { "" };
            lines.push(vec![
                (Tone::Plain, " ".repeat(INDENT)),
                (Tone::Dim, width::fit(label, KEYS, Align::Left).into_owned()),
                (Tone::Key, keys.trim_start().to_owned()),
            ]);
        }
    }
    lines
}

/// How many lines the groups take, one under the other.
fn height(groups: &[Vec<Line>]) -> usize {
    groups.iter().map(|group| group.len() + 1).sum::<usize>() - usize::from(!groups.is_empty())
}

/// Groups one under the other, with a blank line between.
fn stacked(groups: impl IntoIterator<Item = Vec<Line>>) -> Vec<Line> {
    let mut lines = Vec::new();
    for group in groups {
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines.extend(group);
    }
    lines
}

/// Two columns side by side, the left one this wide.
fn beside(left: Vec<Line>, right: Vec<Line>, column: usize) -> Vec<Line> {
    let rows = left.len().max(right.len());
    let mut right = right.into_iter();
    let mut left = left.into_iter();
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            let Some(beside) = right.next().filter(|line| !line.is_empty()) else {
                return line;
            };
            let used: usize = line.iter().map(|(_, text)| width::width(text)).sum();
            let gap = (column + GAP).saturating_sub(used);
            line.push((Tone::Plain, " ".repeat(gap)));
            line.extend(beside);
            line
        })
        .collect()
}
