//! What an act is about, and the deliberate yes to it.
//!
//! A [`Target`] is captured once, when the person asks for the act: exact keys, ids and versions, never
//! "what is selected". A [`Challenge`] shows it and says what has to be typed; only its answer makes a
//! [`Consent`]. A consent has private fields and is never written to disk, so a job that was
//! loaded from a file has none and must ask again.

use std::borrow::Cow;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::saved_server::SavedServer;
use crate::confluence::ids::IdSet;
use crate::confluence::{BaseUrl, Call, ContentId, ContentKind, SpaceKey};
use crate::text::plain::scrub;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A new space.
    CreateSpace,
    /// Name, description or homepage of a space.
    UpdateSpace,
    /// Spaces into the archive.
    ArchiveSpaces,
    /// Spaces out of the archive.
    RestoreSpaces,
    /// Spaces deleted with all they hold.
    DeleteSpaces,
    /// Chosen items of the trash purged.
    PurgeMarked,
    /// The whole trash of one space purged.
    PurgeAll,
    /// A local copy and nothing else.
    BackUp,
    /// Spaces written out by the server itself, and kept here.
    BackUpSpaces,
    /// Spaces read in again by the server, from what it wrote out.
    RestoreFromBackup,
    /// Content out of the trash.
    RestoreContent,
    /// Content made again from a backup.
    Recreate,
    /// A protected profile opened for writing.
    OpenForWriting,
    /// Reads that show what a plan would do.
    DryRun,
}

impl Act {
    /// Whether the server cannot undo it.
    pub fn is_destructive(self) -> bool {
        matches!(
            self,
            Self::DeleteSpaces | Self::PurgeMarked | Self::PurgeAll
        )
    }

    /// The act as a word for the journal and for file names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateSpace => "create-space",
            Self::UpdateSpace => "update-space",
            Self::ArchiveSpaces => "archive-spaces",
            Self::RestoreSpaces => "restore-spaces",
            Self::DeleteSpaces => "delete-spaces",
            Self::PurgeMarked => "purge-marked",
            Self::PurgeAll => "purge-all",
            Self::BackUp => "back-up",
            Self::BackUpSpaces => "back-up-spaces",
            Self::RestoreFromBackup => "restore-from-backup",
            Self::RestoreContent => "restore-content",
            Self::Recreate => "recreate",
            Self::OpenForWriting => "open-for-writing",
            Self::DryRun => "dry-run",
        }
    }
}

/// What an act does to a thing, in a word.
pub fn done_to(act: Act) -> &'static str {
    match act {
        Act::CreateSpace => "made",
        Act::UpdateSpace => "changed",
        Act::ArchiveSpaces => "archived",
        Act::RestoreSpaces => "taken out of the archive",
        Act::DeleteSpaces => "deleted",
        Act::PurgeMarked => "purged",
        Act::PurgeAll => "emptied of its trash",
        Act::BackUp | Act::BackUpSpaces => "backed up",
        Act::RestoreContent | Act::RestoreFromBackup => "restored",
        Act::Recreate => "made again",
        Act::OpenForWriting | Act::DryRun => "read",
    }
}

/// A space as it was when the act was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceTarget {
    /// Its key.
    pub key: SpaceKey,
    /// Its name.
    pub name: String,
}

/// A content as it was when the act was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemTarget {
    /// Its id.
    pub id: ContentId,
    /// Its type.
    pub kind: ContentKind,
    /// Its title.
    pub title: String,
    /// The version that was seen; `None` where the list did not say.
    pub version: Option<u64>,
    /// The space it belongs to.
    pub space: Option<SpaceKey>,
}

impl ItemTarget {
    /// What a person calls it: its title, or its id where it has none.
    pub fn name(&self) -> Cow<'_, str> {
        if self.title.trim().is_empty() {
            Cow::Owned(format!("id {}, without a title", self.id))
        } else {
            Cow::Borrowed(&self.title)
        }
    }
}

/// Exactly what an act is about, on which server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "InFile")]
pub struct Target {
    /// The act.
    pub act: Act,
    /// The profile, by name.
    pub profile: String,
    /// The server.
    #[serde(flatten)]
    pub server: SavedServer,
    /// The spaces meant.
    pub spaces: Vec<SpaceTarget>,
    /// The items meant; empty where whole spaces are.
    pub items: Vec<ItemTarget>,
}

/// A [`Target`] as files have it, those of earlier versions too.
#[derive(Deserialize)]
struct InFile {
    act: Act,
    profile: String,
    host: String,
    #[serde(default)]
    address: Option<BaseUrl>,
    spaces: Vec<SpaceTarget>,
    items: Vec<ItemTarget>,
}

impl From<InFile> for Target {
    fn from(file: InFile) -> Self {
        Self {
            act: file.act,
            profile: file.profile,
            server: SavedServer::read(&file.host, file.address),
            spaces: file.spaces,
            items: file.items,
        }
    }
}

impl Target {
    /// How many things the act is about.
    pub fn count(&self) -> usize {
        if self.items.is_empty() {
            self.spaces.len()
        } else {
            self.items.len()
        }
    }

    /// The ids and keys that are in it more than once, each with its title or name.
    pub fn repeated(&self) -> Vec<String> {
        let mut seen = HashSet::new();
        let items = self.items.iter();
        let items = items.filter(|item| !seen.insert(item.id.as_str()));
        let mut repeated: Vec<String> = items
            .map(|item| format!("{} ({})", item.id, scrub(&item.title)))
            .collect();
        let mut seen = HashSet::new();
        let spaces = self.spaces.iter();
        let spaces = spaces.filter(|space| !seen.insert(space.key.as_str()));
        repeated.extend(spaces.map(|space| space.key.to_string()));
        repeated.sort();
        repeated.dedup();
        repeated
    }

    /// What has to be typed before this may happen.
    pub fn wants(&self) -> Answer {
        match self.act {
            Act::DeleteSpaces if self.spaces.len() > 1 => Answer::Count(self.spaces.len()),
            Act::DeleteSpaces | Act::PurgeAll => match self.spaces.first() {
                Some(space) => Answer::SpaceKey(space.key.clone()),
                None => Answer::Count(0),
            },
            Act::PurgeMarked => Answer::Count(self.items.len()),
            Act::OpenForWriting => Answer::ProfileName(self.profile.clone()),
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::ArchiveSpaces
            | Act::RestoreSpaces
            | Act::BackUp
            | Act::BackUpSpaces
            | Act::RestoreFromBackup
            | Act::RestoreContent
            | Act::Recreate
            | Act::DryRun => Answer::Confirm,
        }
    }
}

/// What a challenge wants to have typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The key of the space.
    SpaceKey(SpaceKey),
    /// The number of things meant.
    Count(usize),
    /// Nothing: a plain yes is enough.
    Confirm,
    /// The name of the profile.
    ProfileName(String),
}

/// A question that has to be answered on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    target: Arc<Target>,
    wants: Answer,
}

impl Challenge {
    /// Asks about `target`, as [`Target::wants`] demands.
    pub fn new(target: Target) -> Self {
        let wants = target.wants();
        Self {
            target: Arc::new(target),
            wants,
        }
    }

    /// Asks about what is left of `target`: so many of its things.
    pub(super) fn of_rest(target: Target, left: usize) -> Self {
        let mut challenge = Self::new(target);
        if let Answer::Count(count) = &mut challenge.wants {
            *count = left;
        }
        challenge
    }

    /// What the question is about.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What has to be typed.
    pub fn wants(&self) -> &Answer {
        &self.wants
    }

    /// The consent, if `typed` is what was wanted; spaces around it don't count.
    ///
    /// An act about nothing is never agreed to.
    pub fn answer(&self, typed: &str) -> Option<Consent> {
        let typed = typed.trim();
        let agreed = match &self.wants {
            Answer::SpaceKey(key) => typed == key.as_str(),
            Answer::Count(0) => false,
            Answer::Count(n) => typed == n.to_string(),
            Answer::Confirm => true,
            Answer::ProfileName(name) => typed == name,
        };
        agreed.then(|| Consent {
            target: Arc::clone(&self.target),
            shown: BTreeMap::new(),
        })
    }
}

/// What was in a space when it was agreed to destroy all of something in it, as far as that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// These and no others.
    Items(Arc<IdSet>),
    /// So many: the list was not read to its end, and the server told their number.
    Count(u64),
}

impl Shown {
    /// Whether something was not there, as far as that can be told of one.
    pub(super) fn lacks(&self, id: &ContentId) -> bool {
        matches!(self, Self::Items(items) if !items.contains(id))
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Items(items) => items.len() as u64,
            Self::Count(count) => *count,
        }
    }
}

/// The yes to one target. Made by [`Challenge::answer`] alone; never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    target: Arc<Target>,
    /// What was in the target's spaces by then, where that was counted.
    shown: BTreeMap<SpaceKey, Shown>,
}

impl Consent {
    /// The same consent, to no more in this space than was shown.
    #[must_use]
    pub fn showing(mut self, space: SpaceKey, shown: Shown) -> Self {
        self.shown.insert(space, shown);
        self
    }

    /// What of a space was shown, where that was counted.
    pub(super) fn shown(&self, space: &SpaceKey) -> Option<&Shown> {
        self.shown.get(space)
    }

    /// What was agreed to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether this consent allows `call`, the write about the target's thing number `item`.
    /// What is not destructive needs none.
    pub(crate) fn covers(&self, item: usize, call: &Call) -> bool {
        let space = |key: &SpaceKey| self.target.spaces.iter().any(|space| space.key == *key);
        match call {
            Call::DeleteSpace { key } => self.target.act == Act::DeleteSpaces && space(key),
            Call::PurgeTrash { key } => self.target.act == Act::PurgeAll && space(key),
            Call::PurgeContent { id } => match self.target.act {
                Act::PurgeMarked => self.target.items.get(item).is_some_and(|it| it.id == *id),
                Act::PurgeAll => !self.shown.values().any(|shown| shown.lacks(id)),
                _ => false,
            },
            _ => true,
        }
    }
}

/// Whether `call` is one that the server cannot undo.
pub fn is_destructive(call: &Call) -> bool {
    matches!(
        call,
        Call::DeleteSpace { .. } | Call::PurgeTrash { .. } | Call::PurgeContent { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(act: Act, spaces: &[&str], items: &[&str]) -> Target {
        Target {
            act,
            profile: "prod".into(),
            server: BaseUrl::of("https://wiki.example.org").into(),
            spaces: spaces
                .iter()
                .map(|key| SpaceTarget {
                    key: SpaceKey::new(key),
                    name: (*key).to_owned(),
                })
                .collect(),
            items: items
                .iter()
                .map(|id| ItemTarget {
                    id: ContentId::new(id),
                    kind: ContentKind::Page,
                    title: (*id).to_owned(),
                    version: Some(1),
                    space: None,
                })
                .collect(),
        }
    }

    #[test]
    fn one_space_wants_its_key_and_many_want_their_number() {
        let one = Challenge::new(target(Act::DeleteSpaces, &["ENG"], &[]));
        assert!(one.answer("ENG").is_some());
        assert!(one.answer(" ENG ").is_some());
        for wrong in ["", "eng", "EN", "1", "ENG2"] {
            assert!(one.answer(wrong).is_none(), "{wrong}");
        }
        let many = Challenge::new(target(Act::DeleteSpaces, &["A", "B"], &[]));
        assert!(many.answer("2").is_some());
        assert!(many.answer("A").is_none());
        let marked = Challenge::new(target(Act::PurgeMarked, &[], &["1", "2", "3"]));
        assert!(marked.answer("3").is_some());
        assert!(marked.answer("03").is_none());
    }

    #[test]
    fn nothing_can_be_destroyed_about_nothing() {
        assert!(
            Challenge::new(target(Act::PurgeMarked, &[], &[]))
                .answer("0")
                .is_none()
        );
        assert!(
            Challenge::new(target(Act::PurgeAll, &[], &[]))
                .answer("0")
                .is_none()
        );
    }

    #[test]
    fn a_consent_to_a_whole_trash_covers_what_was_shown_of_it() {
        let agreed = Challenge::new(target(Act::PurgeAll, &["ENG"], &[])).answer("ENG");
        let agreed = agreed.expect("because the key was typed");
        let purge = |id: &str| Call::PurgeContent {
            id: ContentId::new(id),
        };
        assert!(agreed.covers(0, &purge("3")), "nothing was counted");
        let items: IdSet = ["1", "2"].map(ContentId::new).into_iter().collect();
        let agreed = agreed.showing(SpaceKey::new("ENG"), Shown::Items(Arc::new(items)));
        assert!(agreed.covers(0, &purge("2")));
        assert!(!agreed.covers(0, &purge("3")));
    }

    #[test]
    fn a_consent_covers_its_own_target_alone() {
        let agreed = Challenge::new(target(Act::PurgeMarked, &["ENG"], &["1", "2"]))
            .answer("2")
            .expect("because two were meant");
        let purge = |id: &str| Call::PurgeContent {
            id: ContentId::new(id),
        };
        assert!(agreed.covers(0, &purge("1")));
        assert!(!agreed.covers(0, &purge("2")));
        assert!(!agreed.covers(2, &purge("3")));
        let key = SpaceKey::new("ENG");
        assert!(!agreed.covers(0, &Call::PurgeTrash { key: key.clone() }));
        assert!(!agreed.covers(0, &Call::DeleteSpace { key }));
    }
}
