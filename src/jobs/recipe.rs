//! What is to be made again of a backup, and where.

use serde::{Deserialize, Serialize};

use super::backup::{self, FileEntry, Item, Manifest};
use super::effect::{StoreError, Stored};
use super::listing::may_hang;
use crate::confluence::SpaceKey;

/// What happens to an item of which it is not known whether it was restricted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnknownRestrictions {
    /// It is made readable for the person alone who makes it again.
    OnlyMe,
    /// It is left alone.
    Skip,
}

/// What is to be made again, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    pub(super) backup: String,
    files: Vec<FileEntry>,
    /// The items without their text, with the file that holds it.
    pub(super) items: Vec<(String, Item)>,
    pub(super) into: Option<SpaceKey>,
    pub(super) unknown: UnknownRestrictions,
}

impl Recipe {
    /// Items of the backup in folder `backup`, each with the name of its file; `into` another
    /// space, or `None` for the space of each.
    pub fn new(
        backup: impl Into<String>,
        manifest: &Manifest,
        items: Vec<(String, Item)>,
        into: Option<SpaceKey>,
        unknown: UnknownRestrictions,
    ) -> Self {
        let mut items = items;
        for (_, item) in &mut items {
            item.storage = None;
        }
        items.sort_by_key(|(_, item)| Self::order(item));
        Self {
            backup: backup.into(),
            files: manifest.files.clone(),
            items,
            into,
            unknown,
        }
    }

    /// The order in which items are made again: pages before what hangs on them, parents first.
    pub fn order(item: &Item) -> (bool, usize) {
        let depth = item.ancestors.as_ref().map_or(0, Vec::len);
        (may_hang(&item.kind), depth)
    }

    /// What a plan in a file keeps of it.
    pub fn source(&self) -> Source {
        Source {
            backup: self.backup.clone(),
            files: self.files.clone(),
            into: self.into.clone(),
            unknown: self.unknown,
        }
    }

    /// The file of an attachment in the backup, as it was written.
    pub(super) fn file_of(&self, item: &Item) -> Option<&FileEntry> {
        let name = &item.file.as_ref()?.name;
        self.files.iter().find(|file| file.name == *name)
    }

    /// Where an item goes.
    pub(super) fn space(&self, item: &Item) -> Option<SpaceKey> {
        self.into.clone().or_else(|| item.space.clone())
    }

    /// The items of a file of the backup as the disk gave it back, if it is what was written.
    pub(super) fn unpacked(
        &self,
        name: &str,
        answer: Result<Stored, StoreError>,
    ) -> Result<Vec<Item>, String> {
        let entry = self.files.iter().find(|file| file.name == *name);
        match (answer, entry) {
            (Ok(Stored::Bytes(bytes)), Some(entry)) => entry
                .check(&bytes)
                .and_then(|()| backup::unpack(name, &bytes))
                .map_err(|problem| problem.to_string()),
            (Err(problem), _) => Err(problem.message),
            _ => Err(format!("The backup has no file {name}.")),
        }
    }

    /// What does not come back, one sentence each; to be shown before.
    pub fn losses() -> &'static [&'static str] {
        &[
            "Content gets new ids, so links by id break.",
            "History, watchers and likes do not come back.",
            "Comments come back as yours, and say whose they were; of files the last version.",
        ]
    }
}

/// What a plan in a file keeps of a [`Recipe`]: the ids and titles are in its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The folder of the backup.
    pub backup: String,
    /// The files of the backup as they were. One with other files is not the one that was meant.
    pub files: Vec<FileEntry>,
    /// The space that was named; `None`: each goes into the space it was in.
    pub into: Option<SpaceKey>,
    /// What happens to what may have been restricted.
    pub unknown: UnknownRestrictions,
}
