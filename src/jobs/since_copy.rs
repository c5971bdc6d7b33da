//! What has changed in a space since its server began to write it out: pages and blog posts, attached
//! files, comments.
//!
//! It is looked at last before the space is deleted, whatever came between. What was accepted is
//! accepted as it was then: what comes later is shown again.

use std::collections::{BTreeMap, HashSet};

use super::desk::Desk;
use super::full_backup::{Hung, ServerCopy};
use super::listing::Seen;
use super::on_pages::{Look, OnPages};
use crate::confluence::{ApiError, ContentId, ContentStatus, Reply, SpaceKey};
use crate::text::number;

/// Something that is not in the server's file, or not as it is now.
#[derive(Clone, Debug, PartialEq)]
struct Differing {
    id: ContentId,
    version: Option<u64>,
    name: String,
    hangs: bool,
}

/// What it is called in the question about it.
fn named(name: String, is_absent: bool) -> String {
    if is_absent {
        format!("{name}: the server left it out of its file")
    } else {
        name
    }
}

/// Never stored with a job: after an interruption all of it is looked at anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SinceCopy {
    look: Look,
    differing: Vec<Differing>,
    /// Of what it was not told which version it is.
    untold: u64,
    accepted: BTreeMap<ContentId, Option<u64>>,
    /// Of how many it was accepted that they are not known.
    accepted_unknown: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Since {
    /// Nothing, or what was accepted.
    Nothing,
    /// These are new, or others than they were.
    Changed {
        /// What they are, in words.
        names: Vec<String>,
        /// Whether any of them hangs on a page.
        hangs: bool,
    },
    /// It cannot be seen, for this reason.
    Unknown(String),
}

impl SinceCopy {
    /// Another space, or another copy of it.
    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// Time passes: it is looked at anew.
    pub(super) fn forget(&mut self) {
        self.look = Look::default();
        self.differing.clear();
        self.untold = 0;
    }

    /// Asks for what hangs on the pages among `rows` and on others of the space.
    pub(super) fn ask(&mut self, desk: &mut Desk, key: &SpaceKey, rows: &[Seen]) {
        self.look.ask(desk, key, rows);
    }

    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>, copy: &ServerCopy) {
        for found in self.look.take(answer) {
            if copy.knows(&found.id, found.version) {
                continue;
            }
            let hangs = found.hangs.is_some();
            if hangs && copy.cannot_tell(&found.id, found.version) {
                self.untold += 1;
                continue;
            }
            let id = found.id;
            self.differing.push(Differing {
                version: found.version,
                name: named(found.name, copy.lacks(&id)),
                id,
                hangs,
            });
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.look.is_over()
    }

    /// How many pages it is of which that is not known.
    fn unknown(&self, copy: &ServerCopy) -> u64 {
        let before = match copy.hung() {
            Hung::NotListed => u64::MAX,
            Hung::Listed { unread } => unread,
        };
        let now = self.look.listed().map_or(u64::MAX, OnPages::unread);
        before.max(now).max(self.untold)
    }

    /// What was found, held against the copy; `rows` is what is in the space.
    pub(super) fn found(&mut self, copy: &ServerCopy, rows: &[Seen]) -> Since {
        let told: HashSet<ContentId> = self.differing.iter().map(|it| it.id.clone()).collect();
        for row in rows {
            // What hangs on a page in the trash is not listed: it went there with what is new on it.
            let went_to_trash =
                row.status == ContentStatus::Trashed && copy.had_it_current(&row.id);
            let is_as_it_was = copy.knows(&row.id, row.version) && !went_to_trash;
            if !told.contains(&row.id) && !is_as_it_was {
                self.differing.push(Differing {
                    id: row.id.clone(),
                    version: row.version,
                    name: named(row.title.to_string(), copy.lacks(&row.id)),
                    hangs: false,
                });
            }
        }
        let new: Vec<&Differing> = self.not_accepted().collect();
        if !new.is_empty() {
            return Since::Changed {
                hangs: new.iter().any(|it| it.hangs),
                names: new.iter().map(|it| it.name.clone()).collect(),
            };
        }
        let unknown = self.unknown(copy);
        if unknown <= self.accepted_unknown {
            return Since::Nothing;
        }
        Since::Unknown(self.why_unknown(copy, unknown))
    }

    /// What differs, but for what was accepted as it is now.
    fn not_accepted(&self) -> impl Iterator<Item = &Differing> {
        let differing = self.differing.iter();
        differing.filter(|it| self.accepted.get(&it.id) != Some(&it.version))
    }

    fn why_unknown(&self, copy: &ServerCopy, unknown: u64) -> String {
        let so = "so whether any were added or changed since the server wrote it out is not known.";
        if let Some(why) = self.look.failed() {
            return format!("Its files and comments could not be listed ({why}), {so}");
        }
        if copy.hung() == Hung::NotListed {
            return format!(
                "Its files and comments could not be listed before the server wrote it out, {so}"
            );
        }
        let titles = self.look.listed().map(OnPages::unread_titles);
        let first = titles.and_then(|titles| titles.iter().find(|it| !it.is_empty()));
        let such_as = first.map_or_else(String::new, |title| format!(" ({title})"));
        if self.untold == unknown {
            let files = number::count(unknown, "file or comment");
            return format!("The server does not tell the version of {files}, {so}");
        }
        format!(
            "What hangs on {}{such_as} could not be listed, {so}",
            number::count(unknown, "page")
        )
    }

    /// Whether nothing is known to differ but what was accepted.
    pub(super) fn is_of_the_unknown(&self) -> bool {
        self.not_accepted().next().is_none()
    }

    /// What was found may go.
    pub(super) fn accept(&mut self, copy: &ServerCopy) {
        // What was shown is accepted, and no more.
        if self.is_of_the_unknown() {
            self.accepted_unknown = self.unknown(copy);
        }
        let differing = self.differing.drain(..);
        self.accepted
            .extend(differing.map(|it| (it.id, it.version)));
    }
}
