//! What a destroying request stands on: a verified backup, as it lies on the disk at that moment.
//!
//! A job says what has to be in which backups ([`Claim`]); the disk looks and answers
//! ([`Standing`]). Only that answer, or a backup that was knowingly declined, makes a [`Permit`], and
//! without one the desk sends nothing that destroys. What a job remembers, or its checkpoint says, is
//! no ground: either may be older than what lies there, or written by somebody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::backup::Item;
use crate::confluence::{Content, ContentId, SpaceKey};

/// An item in one version and under one title, as eight bytes: there may be a million.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The one of this item.
    pub fn of(id: &ContentId, version: Option<u64>, title: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update((id.as_str().len() as u64).to_le_bytes());
        hasher.update(id.as_str());
        hasher.update([u8::from(version.is_some())]);
        hasher.update(version.unwrap_or_default().to_le_bytes());
        hasher.update(title);
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize()[..8]);
        Self(u64::from_le_bytes(first))
    }
}

/// What has to be in backups before a request may destroy it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The folders below the backups. Each thing has to be in one of them.
    pub backups: Vec<String>,
    /// What has to be there.
    pub items: Claimed,
}

/// What a [`Claim`] is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Claimed {
    /// One item, as the server told of it just before.
    One {
        /// Which, in which version.
        item: Fingerprint,
        /// The space it is in, where the server told.
        space: Option<SpaceKey>,
    },
    /// All that the last list told of.
    All(#[serde(skip)] Arc<[Fingerprint]>),
}

impl Claimed {
    /// This item, as the server tells of it.
    pub fn one(now: &Content) -> Self {
        let version = now.version.as_ref().and_then(|version| version.number);
        Self::One {
            item: Fingerprint::of(&now.id, version, &now.title),
            space: now.space.clone(),
        }
    }
}

/// What the disk has found of a [`Claim`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// The backups are as they were verified, and hold all that was claimed.
    Holds,
    /// The backups are as they were verified, and so many of what was claimed are in none of them.
    Lacks(u64),
    /// They are still being read, a file at a time, so that nothing else waits long: ask again.
    Reading,
}

/// What a destroying request stands on.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ground {
    /// What the disk is asked about before it is sent.
    Backup(Claim),
    /// The person knowingly declined a backup.
    Declined,
}

/// The leave to send one destroying request. Made here alone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Permit(());

impl Permit {
    pub(super) fn of(standing: Standing) -> Option<Self> {
        (standing == Standing::Holds).then_some(Self(()))
    }

    pub(super) fn without_backup(ground: &Ground) -> Option<Self> {
        (*ground == Ground::Declined).then_some(Self(()))
    }
}

/// What is in a backup, as read from its files.
#[derive(Debug, Default)]
pub struct Index {
    /// In order once it is [`Index::finish`]ed.
    entries: Vec<Entry>,
    /// The names of the files of those that have one, until it is finished.
    named: Vec<(Fingerprint, String)>,
    /// The numbers of those files.
    attached: BTreeMap<Fingerprint, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    item: Fingerprint,
    /// Four bytes of the space's fingerprint; 0 where the backup does not tell it.
    space: u32,
    /// The number of the file it is in.
    file: u32,
}

impl Index {
    /// Takes in an item that was read from the file of this number.
    pub fn add(&mut self, item: &Item, file: u32) {
        let print = Fingerprint::of(&item.id, item.version_number(), &item.title);
        self.entries.push(Entry {
            item: print,
            space: item.space.as_ref().map_or(0, short),
            file,
        });
        if let Some(saved) = &item.file {
            self.named.push((print, saved.name.clone()));
        }
    }

    /// All has been read; `number` gives the number of the file of a name. An error: there is none of
    /// this name.
    pub fn finish(&mut self, number: impl Fn(&str) -> Option<u32>) -> Result<(), String> {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
        for (item, name) in std::mem::take(&mut self.named) {
            let Some(number) = number(&name) else {
                return Err(name);
            };
            self.attached.insert(item, number);
        }
        Ok(())
    }

    /// The number of the file that an item is in; of this space where both tell one.
    pub fn find(&self, item: Fingerprint, space: Option<&SpaceKey>) -> Option<u32> {
        let wanted = space.map_or(0, short);
        let from = self.entries.partition_point(|entry| entry.item < item);
        self.entries[from..]
            .iter()
            .take_while(|entry| entry.item == item)
            .find(|entry| wanted == 0 || entry.space == 0 || entry.space == wanted)
            .map(|entry| entry.file)
    }

    /// The number of an item's own file, if it has one.
    pub fn attached(&self, item: Fingerprint) -> Option<u32> {
        self.attached.get(&item).copied()
    }
}

fn short(space: &SpaceKey) -> u32 {
    let digest = Sha256::digest(space.as_str());
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, version: u64, title: &str, space: Option<&str>) -> Item {
        let text = serde_json::json!({
            "title": title, "id": id, "type": "page", "status": "trashed", "space": space,
            "version": {"number": version},
        });
        serde_json::from_value(text).expect("an item")
    }

    #[test]
    fn an_item_is_found_by_id_version_title_and_space_together() {
        let mut index = Index::default();
        index.add(&item("1", 3, "One", Some("ENG")), 7);
        index.add(&item("2", 1, "Two", None), 8);
        index.finish(|_| None).expect("none has a file");
        let find = |id: &str, version, title: &str, space: Option<&str>| {
            let print = Fingerprint::of(&ContentId::new(id), version, title);
            index.find(print, space.map(SpaceKey::new).as_ref())
        };
        assert_eq!(find("1", Some(3), "One", Some("ENG")), Some(7));
        assert_eq!(find("1", Some(3), "One", None), Some(7));
        assert_eq!(find("2", Some(1), "Two", Some("ENG")), Some(8));
        for (id, version, title, space) in [
            ("1", Some(4), "One", Some("ENG")),
            ("1", None, "One", Some("ENG")),
            ("1", Some(3), "Two", Some("ENG")),
            ("1", Some(3), "One", Some("HR")),
            ("2", Some(3), "One", Some("ENG")),
            ("13", Some(0), "One", None),
        ] {
            assert_eq!(
                find(id, version, title, space),
                None,
                "{id} {version:?} {title}"
            );
        }
    }

    #[test]
    fn only_a_backup_that_holds_or_was_declined_gives_leave() {
        assert!(Permit::of(Standing::Holds).is_some());
        assert!(Permit::of(Standing::Lacks(0)).is_none());
        assert!(Permit::of(Standing::Reading).is_none());
        assert!(Permit::without_backup(&Ground::Declined).is_some());
        let ground = Ground::Backup(Claim {
            backups: Vec::new(),
            items: Claimed::All(Arc::from([])),
        });
        assert!(Permit::without_backup(&ground).is_none());
    }
}
