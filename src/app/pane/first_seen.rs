//! On which day each trashed item was seen for the first time, kept from run to run.
//!
//! Servers don't tell when something was deleted; this is the next best. One state file for each
//! space, written when a reading of the trash pauses or ends. It is compact, as a trash can hold a
//! million items: for each day the numbers of the items, each as the distance to the one before,
//! in base 36.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::app::disk::DiskWaiter;
use crate::app::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, LogLine};
use crate::app::model::Model;
use crate::app::pane::content::TrashRead;
use crate::app::tree::{NodeIx, Tree};
use crate::confluence::SpaceKey;

/// So many items of a space are remembered.
const MOST: usize = 1_000_000;

/// The form of the file.
const FORMAT: u32 = 1;

/// What is known of first sights in one space.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FirstSeen {
    state: State,
    /// Numbers of items with their days, ascending by number.
    #[serde(skip)]
    known: Vec<(u64, Date)>,
    /// Something is to be written.
    is_new: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
enum State {
    /// The file was not asked for.
    #[default]
    Unasked,
    /// It is being read.
    Asked,
    /// It was read, or there is none yet.
    Known,
    /// It could not be read, so it is not written either.
    Unreadable,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    days: BTreeMap<Date, String>,
}

impl FirstSeen {
    /// The trash is read from the top.
    pub fn begin(&mut self) {
        if self.state == State::Unreadable {
            self.state = State::Unasked;
        }
    }

    /// Notes that an item of the trash is there today.
    pub fn note(&mut self, tree: &mut Tree, ix: NodeIx, today: Date) {
        if let Some(number) = tree.number_of(ix)
            && let Some(day) = self.day_of(number, today)
        {
            tree.set_first_seen(ix, day);
        }
    }

    /// On which day the item of this number was seen first, which may be today; `None` while the
    /// file is not read.
    pub fn day_of(&mut self, number: u64, today: Date) -> Option<Date> {
        if self.state != State::Known {
            return None;
        }
        let known = self
            .known
            .binary_search_by_key(&number, |(number, _)| *number);
        Some(match known {
            Ok(at) => self.known[at].1,
            Err(_) => {
                self.is_new = true;
                today
            }
        })
    }

    /// Notes that the file was asked for. Says whether it was not before.
    pub(in crate::app) fn ask(&mut self) -> bool {
        let is_first = self.state == State::Unasked;
        if is_first {
            self.state = State::Asked;
        }
        is_first
    }

    /// Takes the file; `None`: there is none yet.
    pub(in crate::app) fn answered(&mut self, text: Option<&str>) {
        self.known = text.map(read).unwrap_or_default();
        self.state = State::Known;
    }

    /// The file could not be read, so it is not written either.
    pub(in crate::app) fn unreadable(&mut self) {
        self.state = State::Unreadable;
    }

    /// The file as it is to be written, if there is anything new: `all` that is in the trash now,
    /// read to its end or not. What was known is forgotten: it is in the file.
    pub(in crate::app) fn finish(
        &mut self,
        all: impl Iterator<Item = (u64, Date)>,
        is_whole: bool,
    ) -> Option<String> {
        if self.state != State::Known {
            return None;
        }
        let text = self.is_new.then(|| self.text(all, is_whole));
        *self = Self::default();
        text
    }

    /// Another part of the program has written the file: it is read anew before it is used.
    pub(in crate::app) fn forget(&mut self) {
        if self.state == State::Known {
            *self = Self::default();
        }
    }

    /// Takes the file, and notes all that is in the tree already.
    fn came(&mut self, text: Option<&str>, tree: &mut Tree, today: Date) {
        self.answered(text);
        let nodes: Vec<NodeIx> = tree.numbered().map(|(ix, ..)| ix).collect();
        for ix in nodes {
            self.note(tree, ix, today);
        }
    }

    /// What is to be written: what the tree holds, and unless that is all of the trash, what was
    /// known before.
    fn text(&mut self, all: impl Iterator<Item = (u64, Date)>, is_whole: bool) -> String {
        let mut all: Vec<(u64, Date)> = all.collect();
        if !is_whole {
            all.extend_from_slice(&self.known);
        }
        all.sort_unstable();
        all.dedup_by_key(|(number, _)| *number);
        all.truncate(MOST);
        self.known = all;
        self.is_new = false;
        write(&self.known)
    }
}

fn read(text: &str) -> Vec<(u64, Date)> {
    let Ok(file) = serde_json::from_str::<File>(text) else {
        return Vec::new();
    };
    if file.format != FORMAT {
        return Vec::new();
    }
    let mut known = Vec::new();
    for (day, numbers) in file.days {
        let mut number = 0_u64;
        for distance in numbers.split_whitespace() {
            let Ok(distance) = u64::from_str_radix(distance, 36) else {
                break;
            };
            number = number.wrapping_add(distance);
            known.push((number, day));
        }
    }
    known.sort_unstable();
    known.dedup_by_key(|(number, _)| *number);
    known.truncate(MOST);
    known
}

fn write(known: &[(u64, Date)]) -> String {
    let mut days: BTreeMap<Date, (u64, String)> = BTreeMap::new();
    for (number, day) in known {
        let (last, text) = days.entry(*day).or_default();
        if !text.is_empty() {
            text.push(' ');
        }
        push_base36(text, number.wrapping_sub(*last));
        *last = *number;
    }
    let days = days
        .into_iter()
        .map(|(day, (_, text))| (day, text))
        .collect();
    let file = File {
        format: FORMAT,
        days,
    };
    serde_json::to_string(&file).unwrap_or_default()
}

fn push_base36(text: &mut String, mut number: u64) {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            break;
        }
    }
    text.extend(digits.into_iter().rev());
}

/// The name of the file of a space: letters and digits stay, others become their numbers.
pub(in crate::app) fn file_name(key: &SpaceKey) -> String {
    let mut name = "seen-".to_owned();
    for c in key.as_str().chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else {
            name.push_str(&format!("_{:x}_", u32::from(c)));
        }
    }
    name.push_str(".json");
    name
}

impl Model {
    /// The day that it is where we are.
    pub fn today(&self) -> Date {
        self.zone.to_datetime(self.time(self.now)).date()
    }

    /// Reads the file of a space, once.
    pub(in crate::app) fn read_first_seen(&mut self, key: &SpaceKey, out: &mut Vec<Effect>) {
        if self.content.trees.first_seen.ask() {
            let call = DiskCall::ReadState {
                name: file_name(key),
            };
            self.ask_disk(DiskWaiter::FirstSeen(key.clone()), call, out);
        }
    }

    pub(in crate::app) fn first_seen_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        let today = self.today();
        let Some(trees) = self.content.trees_of(key) else {
            return;
        };
        let tree = &mut trees.trash.tree;
        let mut problem = None;
        match outcome {
            Ok(DiskReply::Text(text)) => trees.first_seen.came(text.as_deref(), tree, today),
            Ok(_) => trees.first_seen.state = State::Unreadable,
            Err(error) => {
                trees.first_seen.state = State::Unreadable;
                problem = Some(error);
            }
        }
        if let Some(error) = problem {
            self.keep(LogLine {
                level: LogLevel::Warning,
                text: format!(
                    "What was seen in the trash of {key} before could not be read: {error}"
                ),
            });
        }
        if self.content.space.as_ref() == Some(key)
            && self.content.trees.trash_read == TrashRead::Complete
        {
            let key = key.clone();
            self.keep_first_seen(&key, out);
        }
    }

    /// Writes what is new.
    pub(in crate::app) fn keep_first_seen(&mut self, key: &SpaceKey, out: &mut Vec<Effect>) {
        let trees = &mut self.content.trees;
        if !trees.first_seen.is_new || trees.first_seen.state != State::Known {
            return;
        }
        let is_whole = trees.trash_read == TrashRead::Complete;
        let all = trees.trash.tree.numbered();
        let all = all.filter_map(|(_, number, day)| Some((number, day?)));
        let text = trees.first_seen.text(all, is_whole);
        let call = DiskCall::WriteState {
            name: file_name(key),
            text,
        };
        self.ask_disk(DiskWaiter::Kept, call, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn what_is_written_reads_back() {
        let known = vec![
            (3, date(2026, 11, 1)),
            (40, date(2026, 11, 2)),
            (41, date(2026, 11, 1)),
            ((1 << 63) | 7, date(2026, 11, 2)),
        ];
        assert_eq!(read(&write(&known)), known);
        assert!(read("{").is_empty());
        assert!(read(&write(&known).replace("\"format\":1", "\"format\":2")).is_empty());
    }

    #[test]
    fn a_million_items_take_few_bytes_each() {
        let known: Vec<(u64, Date)> = (0..100_000)
            .map(|n| (400_000 + n * 37, date(2026, 11, 23)))
            .collect();
        let text = write(&known);
        assert!(text.len() < 4 * known.len(), "{}", text.len());
    }

    #[test]
    fn names_of_files_are_plain_and_apart() {
        let names: Vec<String> = ["ENG", "~jdoe", "~j_doe", "a/b", "日本"]
            .map(|key| file_name(&SpaceKey::new(key)))
            .to_vec();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        assert!(
            names.iter().all(|name| name.chars().all(plain)),
            "{names:?}"
        );
        let apart: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(apart.len(), names.len());
    }
}
