//! What a profile looks like is kept from one run to the next: how the panes are split, the order
//! of the list, the last space and tab, the commands that were used last.
//!
//! It is one small file, read when a server is opened and written when something changed and for
//! a while nothing else did, and at the end. What the server was asked for (`f`) is not kept: a
//! list that begins narrowed hides spaces from somebody who has forgotten why.
//!
//! A file that is broken, or of another version, loses nothing but these: each entry that can be
//! read counts, and the next change replaces the file.

use serde::{Deserialize, Serialize};

use super::action::{Action, VERBS};
use super::disk::DiskWaiter;
use super::layout::{Pane, Split};
use super::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, LogLine, Millis};
use super::model::Model;
use super::pane::content::Tab;
use super::pane::spaces::Sort;
use crate::confluence::SpaceKey;

/// The name of the file.
pub const FILE: &str = "view.json";

/// How long nothing changes before the file is written, in milliseconds.
pub const SETTLED: u64 = 2_000;

/// How many commands are remembered.
const RECENT: usize = 8;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// How wide the list of spaces is.
    pub split: Split,
    /// The order of the list.
    pub sort: Sort,
    /// The space under the cursor.
    pub space: Option<SpaceKey>,
    /// The tab in front.
    pub tab: Tab,
    /// The commands that were used last, the newest first, by their names in the configuration.
    pub recent: Vec<String>,
}

impl Kept {
    /// Reads what can be read of a file.
    pub fn read(text: &str) -> Self {
        fn entry<T: serde::de::DeserializeOwned>(
            all: &mut serde_json::Map<String, serde_json::Value>,
            name: &str,
        ) -> Option<T> {
            serde_json::from_value(all.remove(name)?).ok()
        }
        let mut all: serde_json::Map<_, _> = serde_json::from_str(text).unwrap_or_default();
        let mut kept = Self::default();
        if let Some(hundredths) = entry(&mut all, "split") {
            kept.split = Split::new(hundredths);
        }
        if let Some(sort) = entry(&mut all, "sort") {
            kept.sort = sort;
        }
        kept.space = entry(&mut all, "space").unwrap_or_default();
        kept.tab = entry(&mut all, "tab").unwrap_or_default();
        kept.recent = entry(&mut all, "recent").unwrap_or_default();
        kept.recent.truncate(RECENT);
        kept
    }
}

/// How far the file is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum File {
    /// Not read yet: nothing is written over it.
    #[default]
    Unread,
    /// This stands in it, as far as we know.
    Holds(Kept),
    /// It can be neither read nor written, which was logged.
    Lost,
}

/// The kept view of this run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// How far the file is.
    pub file: File,
    /// The space that the cursor goes to as soon as the list has it, unless somebody moves first.
    pub wanted: Option<SpaceKey>,
    /// Whether somebody has moved in the list: from then on the cursor is theirs.
    pub taken: bool,
    /// Since when the file is behind.
    pub changed: Option<Millis>,
    /// The commands that were used last, the newest first.
    pub recent: Vec<Action>,
}

impl View {
    /// Somebody moves in the list of spaces: the cursor no longer goes where it was last time.
    pub(in crate::app) fn take(&mut self) {
        self.wanted = None;
        self.taken = true;
    }
}

impl Model {
    /// Reads what was kept, once in a run.
    pub(in crate::app) fn recall_view(&mut self, out: &mut Vec<Effect>) {
        if self.view.file == File::Unread {
            let name = FILE.to_owned();
            self.ask_disk(DiskWaiter::View, DiskCall::ReadState { name }, out);
        }
    }

    /// The file was read, or written.
    pub(in crate::app) fn view_came(
        &mut self,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(DiskReply::Text(text)) => {
                let kept = text.map(|text| Kept::read(&text)).unwrap_or_default();
                self.restore_view(&kept, out);
                self.view.file = File::Holds(kept);
            }
            Ok(_) => {}
            Err(error) => {
                self.view.file = File::Lost;
                self.keep(LogLine {
                    level: LogLevel::Warning,
                    text: format!("What the screen looks like is not kept: {error}"),
                });
            }
        }
    }

    /// What was kept comes back, but for what somebody has changed already.
    fn restore_view(&mut self, kept: &Kept, out: &mut Vec<Effect>) {
        let height = self.rows_of(Pane::Spaces);
        if self.split == Split::default() {
            self.split = kept.split;
        }
        if self.spaces.sort == Sort::default() && kept.sort != self.spaces.sort {
            self.spaces.set_sort(kept.sort, height);
        }
        if self.content.tab == Tab::default() && kept.tab != self.content.tab {
            self.content.tab = kept.tab;
            if self.content.is_trash() && self.shown_space().is_some() {
                self.load_trash(out);
            }
        }
        let named = |name: &String| VERBS.iter().find(|verb| verb.name == name);
        for verb in kept.recent.iter().filter_map(named) {
            if !self.view.recent.contains(&verb.action) {
                self.view.recent.push(verb.action);
            }
        }
        self.view.recent.truncate(RECENT);
        if !self.view.taken && !self.spaces.filter.is_shown() {
            self.view.wanted.clone_from(&kept.space);
            self.go_to_wanted();
        }
    }

    /// Puts the cursor on the space it was on in the last run, if the list has it by now.
    pub(in crate::app) fn go_to_wanted(&mut self) {
        let Some(key) = self.view.wanted.clone() else {
            return;
        };
        if self.spaces.table.get(&key).is_some() {
            let height = self.rows_of(Pane::Spaces);
            self.view.wanted = None;
            if self.space_at_cursor() != Some(&key) {
                self.spaces.go_to(&key, height);
                self.moved = Some(self.now);
            }
        } else if self.spaces.load.is_none() && self.session.open {
            // It is gone.
            self.view.wanted = None;
        }
    }

    /// Remembers a command as the one used last.
    pub(in crate::app) fn remember(&mut self, action: Action) {
        self.view.recent.retain(|other| *other != action);
        self.view.recent.insert(0, action);
        self.view.recent.truncate(RECENT);
    }

    /// Whether the file says something else than the screen.
    fn view_changed(&self) -> bool {
        let File::Holds(kept) = &self.view.file else {
            return false;
        };
        // Until it is reached, the space of the last run stays the last one.
        let space = self.view.wanted.as_ref().or(self.space_at_cursor());
        let recent = self.view.recent.iter().map(|action| action.verb().name);
        kept.split != self.split
            || kept.sort != self.spaces.sort
            || (space.is_some() && kept.space.as_ref() != space)
            || kept.tab != self.content.tab
            || !recent.eq(kept.recent.iter().map(String::as_str))
    }

    /// Notes since when the file is behind, and writes it when things have settled.
    pub(in crate::app) fn note_view(&mut self, out: &mut Vec<Effect>) {
        if !self.view_changed() {
            self.view.changed = None;
            return;
        }
        let since = *self.view.changed.get_or_insert(self.now);
        if self.now >= since.plus(SETTLED) {
            self.write_view(out);
        }
    }

    /// When the file is to be written.
    pub(in crate::app) fn view_deadline(&self) -> Option<Millis> {
        self.view.changed.map(|since| since.plus(SETTLED))
    }

    /// Writes the file if it is behind.
    pub(in crate::app) fn write_view(&mut self, out: &mut Vec<Effect>) {
        self.view.changed = None;
        if !self.view_changed() {
            return;
        }
        let File::Holds(old) = &self.view.file else {
            return;
        };
        let space = self.view.wanted.as_ref().or(self.space_at_cursor());
        let kept = Kept {
            split: self.split,
            sort: self.spaces.sort,
            space: space.or(old.space.as_ref()).cloned(),
            tab: self.content.tab,
            recent: self
                .view
                .recent
                .iter()
                .map(|action| action.verb().name.to_owned())
                .collect(),
        };
        if let Ok(text) = serde_json::to_string(&kept) {
            let name = FILE.to_owned();
            self.ask_disk(DiskWaiter::View, DiskCall::WriteState { name, text }, out);
            self.view.file = File::Holds(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back() {
        let kept = Kept {
            split: Split::new(60),
            sort: Sort::ALL[3].0,
            space: Some(SpaceKey::new("ENG")),
            tab: Tab::Trash,
            recent: vec!["sort".to_owned()],
        };
        let text = serde_json::to_string(&kept).expect("plain data");
        assert_eq!(Kept::read(&text), kept);
    }

    #[test]
    fn of_a_broken_file_counts_what_can_be_read() {
        for text in ["", "{", "[1]", "null", "{\"sort\":7,\"split\":\"wide\"}"] {
            assert_eq!(Kept::read(text), Kept::default(), "{text}");
        }
        let text = r#"{"split":999,"sort":"by name","space":"ENG","tab":"attic","later":1}"#;
        assert_eq!(
            Kept::read(text),
            Kept {
                split: Split::new(70),
                space: Some(SpaceKey::new("ENG")),
                ..Kept::default()
            }
        );
    }
}
