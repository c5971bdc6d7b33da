//! The acts on spaces and trash: what is meant is captured here, once, when the key is pressed.

use super::jobs::Ending;
use super::layout::Pane;
use super::message::{Effect, LogLevel};
use super::modal::Modal;
use super::modal::confirm::Confirm;
use super::modal::jobs::told;
use super::modal::leave::{Leaving, UNSAVED};
use super::model::{Model, Screen, Writes};
use super::notice::Holds;
use super::pane::content::TrashRead;
use super::tree::{Node, Standing};
use crate::confluence::{SpaceKey, SpaceStatus};
use crate::jobs::{Act, ItemTarget, SpaceTarget};

/// From this many items on a backup of all of a trash is one of the trash as it then is, and not of
/// each item by name.
pub(in crate::app) const LONG: usize = 10_000;

impl Model {
    /// The spaces that an act means: the marked ones where marks are in force, else the one that
    /// is looked at.
    fn meant_spaces(&self) -> Vec<SpaceKey> {
        match self.focus {
            Pane::Spaces => self.spaces.acted_on(),
            Pane::Detail | Pane::Content => self.shown_space().cloned().into_iter().collect(),
        }
    }

    /// The one space that is looked at from the pane that has the keys.
    pub(in crate::app) fn act_space(&self) -> Option<&SpaceKey> {
        match self.focus {
            Pane::Spaces => self.space_at_cursor(),
            Pane::Detail | Pane::Content => self.shown_space(),
        }
    }

    fn space_target(&self, key: &SpaceKey) -> SpaceTarget {
        let name = self
            .spaces
            .table
            .get(key)
            .map(|space| space.name.to_string())
            .unwrap_or_default();
        SpaceTarget {
            key: key.clone(),
            name,
        }
    }

    /// Opens the form for a new space.
    pub(in crate::app) fn new_space(&mut self) {
        self.modals.push(Modal::NewSpace(Box::default()));
    }

    /// Opens the form that changes the space.
    pub(in crate::app) fn edit(&mut self, out: &mut Vec<Effect>) {
        let key = self.act_space().cloned();
        if let Some(key) = key {
            self.edit_space(key, out);
        }
    }

    /// Archives or restores: of several, what fits the one under the cursor.
    pub(in crate::app) fn archive(&mut self, out: &mut Vec<Effect>) {
        let keys = self.meant_spaces();
        let status = |key: &SpaceKey| self.spaces.table.get(key).and_then(|space| space.status);
        let lead = self.act_space().cloned();
        let into_archive = lead.as_ref().and_then(status) != Some(SpaceStatus::Archived);
        let fits = |key: &&SpaceKey| (status(key) != Some(SpaceStatus::Archived)) == into_archive;
        let act = if into_archive {
            Act::ArchiveSpaces
        } else {
            Act::RestoreSpaces
        };
        let mut target = self.target(act);
        target.spaces = keys
            .iter()
            .filter(fits)
            .map(|key| self.space_target(key))
            .collect();
        let word = if into_archive {
            "already archived"
        } else {
            "not archived"
        };
        let skipped: Vec<String> = keys
            .iter()
            .filter(|key| !fits(key))
            .map(|key| format!("{key} is {word}."))
            .collect();
        if target.spaces.is_empty() {
            self.say(
                LogLevel::Info,
                format!("None of the marked spaces fits: {}", skipped.join(" ")),
            );
            return;
        }
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.skipped = skipped;
        dialog.hidden = self.hidden_of_spaces();
        self.confirm(dialog, out);
    }

    fn hidden_of_spaces(&self) -> usize {
        if self.focus == Pane::Spaces {
            self.spaces.hidden_marks()
        } else {
            0
        }
    }

    /// Deletes spaces.
    pub(in crate::app) fn delete(&mut self, out: &mut Vec<Effect>) {
        let mut target = self.target(Act::DeleteSpaces);
        target.spaces = self
            .meant_spaces()
            .iter()
            .map(|key| self.space_target(key))
            .collect();
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.hidden = self.hidden_of_spaces();
        self.confirm(dialog, out);
    }

    /// Has spaces written out by the server, and keeps that here.
    pub(in crate::app) fn back_up_spaces(&mut self, out: &mut Vec<Effect>) {
        let mut target = self.target(Act::BackUpSpaces);
        target.spaces = self
            .meant_spaces()
            .iter()
            .map(|key| self.space_target(key))
            .collect();
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.hidden = self.hidden_of_spaces();
        self.confirm(dialog, out);
    }

    /// Purges the whole trash of the space that is looked at.
    pub(in crate::app) fn purge_all(&mut self, out: &mut Vec<Effect>) {
        let key = self.act_space().cloned();
        let Some(key) = key else { return };
        let mut target = self.target(Act::PurgeAll);
        target.spaces.push(self.space_target(&key));
        let dialog = Confirm::new(target, self.time(self.now));
        self.confirm(dialog, out);
    }

    /// The trashed items that an act means: the marked ones, else the one under the cursor.
    fn meant_items(&self) -> Vec<ItemTarget> {
        let outline = &self.content.trees.trash;
        let space = self.shown_space();
        let item = |node: Node<'_>| ItemTarget {
            id: node.id.clone(),
            kind: node.kind.clone(),
            title: node.title.to_string(),
            version: node.version.map(u64::from),
            space: space.cloned(),
        };
        if outline.marks.is_empty() {
            let node = outline
                .node()
                .map(|(_, node)| node)
                .filter(|node| node.standing == Standing::Item);
            return node.map(item).into_iter().collect();
        }
        outline
            .tree
            .all_items()
            .filter(|node| outline.marks.contains(&node.id))
            .map(item)
            .collect()
    }

    /// Whether all of a long trash is marked: what is meant is then the trash, not a list of items.
    fn means_whole_trash(&self) -> bool {
        let outline = &self.content.trees.trash;
        outline.marks.len() >= LONG
            && self.content.trees.trash_read == TrashRead::Complete
            && outline.all_marked()
    }

    /// An act on trashed items of the space that is looked at.
    pub(in crate::app) fn on_items(&mut self, act: Act, out: &mut Vec<Effect>) {
        if self.screen == Screen::Across {
            self.on_items_across(act, out);
            return;
        }
        let Some(key) = self.shown_space().cloned() else {
            return;
        };
        let mut target = self.target(act);
        target.spaces.push(self.space_target(&key));
        if act == Act::BackUp && self.means_whole_trash() {
            // A list of all of it would be longer than anybody reads, and would fill the memory.
            let mut dialog = Confirm::new(target, self.time(self.now));
            dialog.hidden = self.content.trees.trash.hidden_marks();
            self.confirm(dialog, out);
            return;
        }
        target.items = self.meant_items();
        if target.items.is_empty() {
            self.say(
                LogLevel::Info,
                "There is no trashed item under the cursor. ‹mark› marks items, ‹mark-all› all that are shown.",
            );
            return;
        }
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.hidden = self.content.trees.trash.hidden_marks();
        self.confirm(dialog, out);
    }

    /// Opens a protected profile for writing, by its name.
    pub(in crate::app) fn unlock(&mut self, out: &mut Vec<Effect>) {
        match &self.writes {
            Writes::Protected => {
                let dialog = Confirm::new(self.target(Act::OpenForWriting), self.time(self.now));
                self.confirm(dialog, out);
            }
            Writes::Allowed => self.say(LogLevel::Info, "This profile takes writes already."),
            Writes::ReadOnly(reason) | Writes::Unkept(reason) => {
                let reason = reason.clone();
                self.say(LogLevel::Info, reason);
            }
        }
    }

    /// Quits, unless something would be left that a person may not want to leave: that is asked
    /// once, and a second `Ctrl-c` quits at once.
    pub(in crate::app) fn quit(&mut self, code: u8, out: &mut Vec<Effect>) {
        let asked = self.modals.iter().any(|modal| {
            matches!(modal, Modal::Leave(leave) if matches!(leave.what, Leaving::Program { .. }))
        });
        if self.left_open().is_empty() || asked || self.jobs.is_ending() {
            self.quit_now(code, out);
        } else {
            self.modals.push(Leaving::Program { code }.into());
        }
    }

    /// What would be left, a line each: jobs at work, forms with changes.
    pub fn left_open(&self) -> Vec<String> {
        let unsaved = self.modals.iter().any(Modal::has_changes);
        // What would be lost comes first.
        let unsaved = unsaved.then(|| UNSAVED.to_owned());
        unsaved
            .into_iter()
            .chain(self.jobs.at_work().map(told))
            .collect()
    }

    /// Quits in order: jobs send nothing new, and the end comes when what they sent is answered.
    pub(in crate::app) fn quit_in_order(&mut self, code: u8, out: &mut Vec<Effect>) {
        self.jobs.ending = Some(Ending::Quit(code));
        self.rest_jobs(out);
        if !self.jobs.is_settled() {
            self.say_while(
                Holds::WhileEnding,
                LogLevel::Info,
                "Waiting for the answers that are under way. Ctrl-c quits at once.",
            );
        }
    }

    /// Quits without asking.
    pub(in crate::app) fn quit_now(&mut self, code: u8, out: &mut Vec<Effect>) {
        self.quitting = true;
        self.write_view(out);
        out.push(Effect::Quit(code));
    }
}
