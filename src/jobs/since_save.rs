//! What hangs on the pages of a space and is not in its backup on this machine as it is now: comments and
//! files that were added or changed since they were saved.
//!
//! It is looked at last before the space is deleted. What is new is saved with its page, and then all is
//! looked at once more; what cannot be listed, or cannot be saved, is a loss, and is asked about.

use std::collections::{HashMap, HashSet};

use super::backup::Lack;
use super::desk::Desk;
use super::listing::Seen;
use super::listing::may_hold;
use super::losses::{Losses, NAMED_OF_ONE};
use super::on_pages::{Found, Look};
use crate::confluence::{ApiError, ContentId, ContentKind, Reply, SpaceKey};

/// Never stored with a job: after an interruption all of it is looked at anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SinceSave {
    look: Look,
    /// The pages on which something is new.
    changed: HashSet<ContentId>,
    /// Whether a page itself is new, or another than it was.
    has_new_pages: bool,
    /// For what a page was saved again: once for each thing and version.
    tried: HashSet<(ContentId, Option<u64>)>,
    /// By page, what hangs on it and is not in the backup all the same.
    losses: HashMap<ContentId, Losses>,
    /// By page, why that is so.
    why: HashMap<ContentId, Vec<String>>,
}

/// What is to be done about what was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum New {
    /// Nothing is new, or no more can be done about it; see [`SinceSave::take_losses`].
    Nothing,
    /// These pages are to be saved again, with what hangs on them.
    On(HashSet<ContentId>),
    /// The space is to be listed anew.
    Pages,
}

impl SinceSave {
    /// Another space.
    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }

    /// Time passes: it is looked at anew.
    pub(super) fn forget(&mut self) {
        *self = Self {
            tried: std::mem::take(&mut self.tried),
            ..Self::default()
        };
    }

    /// Asks for what hangs on the pages among `rows` and on others of the space.
    pub(super) fn ask(&mut self, desk: &mut Desk, key: &SpaceKey, rows: &[Seen]) {
        self.look.ask(desk, key, rows);
    }

    /// Takes an answer in. `saved` is what the backup holds, with its version; `lacks` is what it is known
    /// not to hold.
    pub(super) fn take(
        &mut self,
        answer: Result<Reply, ApiError>,
        saved: &HashMap<ContentId, Option<u64>>,
        lacks: &[Lack],
    ) {
        for found in self.look.take(answer) {
            let held = saved.get(&found.id).copied();
            if held.is_some_and(|held| held.is_some() && held == found.version) {
                continue;
            }
            let Found {
                id,
                version,
                name,
                hangs,
                size: _,
            } = found;
            let Some((kind, page)) = hangs else {
                self.has_new_pages = true;
                continue;
            };
            // Unknown is not unchanged.
            if held.is_some_and(|held| held.is_none() || version.is_none()) {
                let why = format!(
                    "{name}: the server tells no version of it, so it may have been changed since it was saved."
                );
                self.lose(page, Losses::unknown(&kind), why);
            } else if lacks.iter().any(|lack| lack.id == id) {
                // It is counted with what could not be saved.
            } else if self.tried.insert((id, version)) {
                self.changed.insert(page);
            } else {
                let why = format!(
                    "{name}: it is new or changed, and could not be saved when that was tried."
                );
                self.lose(page, Losses::one(&kind, 0), why);
            }
        }
    }

    fn lose(&mut self, page: ContentId, losses: Losses, why: String) {
        let reasons = self.why.entry(page.clone()).or_default();
        if reasons.len() < NAMED_OF_ONE {
            reasons.push(why);
        }
        let known = self.losses.entry(page).or_default();
        *known = known.with(losses);
    }

    pub(super) fn is_over(&self) -> bool {
        self.look.is_over()
    }

    /// All was looked at; `rows` is what is in the space.
    pub(super) fn found(&mut self, rows: &[Seen]) -> New {
        if self.has_new_pages {
            return New::Pages;
        }
        if !self.changed.is_empty() {
            return New::On(std::mem::take(&mut self.changed));
        }
        let listed = self.look.listed();
        let is_unread = |row: &&Seen| listed.is_none_or(|pages| pages.is_unread(&row.id));
        let unread = rows.iter().filter(|row| may_hold(row)).filter(is_unread);
        let unread: Vec<ContentId> = unread.map(|row| row.id.clone()).collect();
        for page in unread {
            let why = self.look.why_unread(&page).unwrap_or_default();
            let why = format!("Its files and comments could not be listed once more. {why}");
            let (files, comments) = (ContentKind::Attachment, ContentKind::Comment);
            self.lose(
                page,
                Losses::unknown(&files).with(Losses::unknown(&comments)),
                why.trim_end().to_owned(),
            );
        }
        New::Nothing
    }

    /// By page, why that is so.
    pub(super) fn take_why(&mut self) -> HashMap<ContentId, Vec<String>> {
        std::mem::take(&mut self.why)
    }

    /// By page, what hangs on it and is not in the backup.
    pub(super) fn take_losses(&mut self) -> HashMap<ContentId, Losses> {
        std::mem::take(&mut self.losses)
    }
}
