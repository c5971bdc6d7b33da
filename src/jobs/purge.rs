//! Trash purged, after it has been saved: chosen items, or all of it. Also a backup of chosen items
//! alone.
//!
//! An item is purged only while the server still holds the version that is in the verified
//! backup, asked just before. The whole trash is purged in one stroke only when it holds exactly
//! what was saved.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::desk::{
    Desk, Fate, Settled, WHOLE, is_not_offered, is_not_there, refusal, refused, unexpected,
};
use super::job::{
    Decision, Head, JobWrite, Line, Machine, Outcome, Question, Step, StoreError, Stored,
};
use super::listing::{Listing, in_words};
use super::save::{Kept, Save, Wanted};
use crate::confluence::{ApiError, Call, ContentId, ContentKind, ContentStatus, Reply, SpaceKey};

const TRIES: u8 = 8;
/// How often the trash is read again before it is said not to be empty.
const LOOKS: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Goal {
    Purge,
    BackUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Reading the trash, to know what is in it.
    Listing,
    Saving,
    /// The person is asked about what could not be saved.
    Asking,
    /// Reading the trash again, just before operation 13.
    ListingAgain,
    /// All of it at once.
    Whole,
    /// After operation 13: reading until it is empty.
    Looking(u32),
    /// One by one.
    Items,
    /// After a reopening: is the backup still there?
    Verifying(Next),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Next {
    ListingAgain,
    Items,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Check,
    Ready,
    Settle,
    /// It is not in the trash: was it restored?
    SettleElsewhere,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Target {
    id: ContentId,
    kind: ContentKind,
    /// As the person saw it.
    seen: Option<u64>,
    /// As it is in the backup.
    saved: Option<u64>,
    way: Way,
    tries: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Purge {
    goal: Goal,
    /// The space whose whole trash is meant.
    all: Option<SpaceKey>,
    name: String,
    round: u32,
    stage: Stage,
    targets: Vec<Target>,
    listing: Option<Listing>,
    save: Option<Save>,
    look_at: u64,
    /// Whether the server has said that operation 13 is applied.
    confirmed: bool,
}

impl Purge {
    pub(super) fn marked(head: &Head, goal: Goal) -> Self {
        let items = head.target.items.iter();
        let targets = items.map(|it| Target::new(it.id.clone(), it.kind.clone(), it.version));
        Self::new(head, goal, None, Stage::Saving, targets.collect())
    }

    pub(super) fn all(head: &Head, space: &SpaceKey) -> Self {
        let all = Some(space.clone());
        Self::new(head, Goal::Purge, all, Stage::Listing, Vec::new())
    }

    fn new(
        head: &Head,
        goal: Goal,
        all: Option<SpaceKey>,
        stage: Stage,
        targets: Vec<Target>,
    ) -> Self {
        Self {
            goal,
            all,
            name: head.id.to_string(),
            round: 0,
            stage,
            targets,
            listing: None,
            save: None,
            look_at: 0,
            confirmed: false,
        }
    }

    pub(super) fn backup(&self) -> Option<&str> {
        self.save.as_ref().map(Save::folder)
    }

    fn list(&mut self, desk: &mut Desk, at: u64) {
        let Some(space) = &self.all else {
            return;
        };
        let listing = self
            .listing
            .get_or_insert_with(|| Listing::trash(space.clone()));
        desk.say(format!("Reading the trash, {} so far", listing.len()));
        if let Some(call) = listing.call() {
            let step = match self.stage {
                Stage::Looking(_) => Step::Settle,
                _ => Step::List,
            };
            desk.read_at(WHOLE, step, call, at);
        }
    }

    fn begin_saving(&mut self, desk: &mut Desk) {
        self.round += 1;
        let folder = match self.round {
            1 => self.name.clone(),
            round => format!("{}-{round}", self.name),
        };
        let wanted = desk.open().map(|item| {
            let target = &self.targets[item as usize];
            Wanted {
                item,
                id: target.id.clone(),
                kind: target.kind.clone(),
                title: desk.lines()[item as usize].title.clone(),
                status: ContentStatus::Trashed,
            }
        });
        self.save = Some(Save::new(folder, wanted.collect()));
    }

    /// The backup is verified: what is in it may go.
    fn saved(&mut self, desk: &mut Desk) {
        let Some(save) = &mut self.save else {
            return;
        };
        desk.say("");
        let mut left_out = false;
        for (item, kept) in save.take_kept() {
            let target = &mut self.targets[item as usize];
            match kept {
                Kept::Saved(version) if target.seen.is_some() && target.seen != version => {
                    left_out = true;
                    target.saved = version;
                    let why =
                        "It has changed since it was marked. It is in the backup as it is now.";
                    desk.close(item, Outcome::Skipped(why.to_owned()));
                }
                Kept::Saved(version) => {
                    target.saved = version;
                    if self.goal == Goal::BackUp {
                        desk.close(item, Outcome::Done(None));
                    }
                }
                Kept::Gone => {
                    left_out = true;
                    desk.close(item, Outcome::Gone);
                }
                Kept::Not(why) => {
                    left_out = true;
                    desk.close(item, Outcome::NotSaved(why));
                }
            }
        }
        self.stage = if self.all.is_some() && !left_out && desk.first_open().is_some() {
            Stage::ListingAgain
        } else {
            Stage::Items
        };
        desk.checkpoint();
    }

    fn relisted(&mut self, listing: Listing) {
        let is_whole = listing.is_whole_trash();
        let seen = listing.into_seen();
        let saved: HashMap<&ContentId, Option<u64>> =
            self.targets.iter().map(|it| (&it.id, it.saved)).collect();
        // A version that the list does not tell cannot be compared.
        let same = is_whole
            && seen.len() == saved.len()
            && seen.iter().all(|it| {
                it.version.is_some() && saved.get(&it.id).is_some_and(|saved| *saved == it.version)
            });
        self.stage = if same { Stage::Whole } else { Stage::Items };
    }

    fn looked(&mut self, desk: &mut Desk, listing: Listing, looks: u32) {
        // What a list by type leaves out may be in the trash all the same.
        let look_first = if listing.is_whole_trash() {
            Way::SettleElsewhere
        } else {
            Way::Settle
        };
        let there: HashSet<ContentId> = listing.into_seen().into_iter().map(|it| it.id).collect();
        let open: Vec<u32> = desk.open().collect();
        let left = open
            .iter()
            .filter(|item| there.contains(&self.targets[**item as usize].id));
        let left = left.count();
        let most = if desk.is_stopping() { 3 } else { LOOKS };
        if left > 0 && looks < most {
            self.stage = Stage::Looking(looks + 1);
            let pause = if self.confirmed {
                u64::from((looks + 1).min(5)) * 1_000
            } else {
                // A time-out means that it is slow, not that it has ended.
                1_000 << (looks + 1).min(5)
            };
            self.look_at = desk.at() + pause;
            return;
        }
        self.stage = Stage::Items;
        if self.confirmed && look_first == Way::SettleElsewhere {
            desk.settle(WHOLE, Step::PurgeTrash, Settled::Done);
            for item in open {
                let outcome = if there.contains(&self.targets[item as usize].id) {
                    Outcome::Failed("It is still in the trash.".to_owned())
                } else {
                    Outcome::Done(None)
                };
                desk.close(item, outcome);
            }
            return;
        }
        if left == 0 {
            desk.settle(WHOLE, Step::PurgeTrash, Settled::Done);
        } else {
            let why =
                "The answer was lost, and the trash is not empty. The server may still be at it.";
            desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(why));
            if desk.is_stopping() {
                for item in &open {
                    if there.contains(&self.targets[*item as usize].id) {
                        desk.close(*item, Outcome::Unknown(why.to_owned()));
                    }
                }
            } else {
                // From here item by item, which asks before each.
                self.stage = Stage::Verifying(Next::Items);
                if let Some(save) = &mut self.save {
                    save.verify_again();
                }
            }
        }
        // Purged by this, or taken out of the trash by somebody meanwhile?
        for item in open {
            let target = &mut self.targets[item as usize];
            if !there.contains(&target.id) {
                target.way = look_first;
            }
        }
    }

    fn go_items(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().take(32).collect();
        for item in open {
            if !desk.has_room() {
                return;
            }
            if desk.is_busy(item) {
                continue;
            }
            let target = &mut self.targets[item as usize];
            let id = target.id.clone();
            let trashed = |id| Call::Content {
                id,
                status: Some(ContentStatus::Trashed),
                expand: "version".to_owned(),
            };
            match target.way {
                Way::Check | Way::Ready if desk.is_stopping() => {}
                Way::Check => desk.read(item, Step::Check, trashed(id)),
                Way::Ready => {
                    // Should this not go out, it is looked at again.
                    target.way = Way::Check;
                    let before = match target.saved {
                        Some(version) => format!("trashed, version {version}, saved"),
                        None => "trashed, saved".to_owned(),
                    };
                    desk.write(item, Step::Purge, Call::PurgeContent { id }, before);
                }
                Way::Settle => desk.read(item, Step::Settle, trashed(id)),
                Way::SettleElsewhere => desk.read(
                    item,
                    Step::SettleElsewhere,
                    Call::Content {
                        id,
                        status: None,
                        expand: "version".to_owned(),
                    },
                ),
            }
        }
    }

    fn item_read(
        &mut self,
        desk: &mut Desk,
        item: u32,
        step: Step,
        answer: Result<Reply, ApiError>,
    ) {
        let Some(target) = self.targets.get_mut(item as usize) else {
            return;
        };
        match (step, answer) {
            (Step::Check, Ok(Reply::Content(now))) => {
                let version = now.version.and_then(|version| version.number);
                if version.is_none() || target.saved.is_none() {
                    let why = "Its version is not told, so whether it has changed since it was saved cannot be seen.";
                    desk.close(item, Outcome::Skipped(why.to_owned()));
                } else if version == target.saved && now.status != Some(ContentStatus::Current) {
                    target.way = Way::Ready;
                } else {
                    let why = "It has changed since it was saved.";
                    desk.close(item, Outcome::Skipped(why.to_owned()));
                }
            }
            (Step::Check, Err(error)) if is_not_there(&error) => desk.close(item, Outcome::Gone),
            (Step::Check, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.close(item, Outcome::Failed(error.message));
            }
            (Step::Settle, Ok(Reply::Content(_))) if desk.looks_again(item, Step::Purge) => {}
            (Step::Settle, Ok(Reply::Content(_))) => {
                let why = "The answer was lost, and it is still in the trash.";
                desk.settle(item, Step::Purge, Settled::NotApplied(why));
                target.way = Way::Check;
                target.tries += 1;
                if target.tries >= TRIES {
                    desk.close(item, Outcome::Failed(why.to_owned()));
                }
            }
            (Step::Settle, Err(error)) if is_not_there(&error) => {
                target.way = Way::SettleElsewhere;
            }
            (Step::SettleElsewhere, Ok(_)) => {
                let why = "Somebody took it out of the trash.";
                desk.settle(item, Step::Purge, Settled::NotApplied(why));
                desk.close(item, Outcome::Skipped(why.to_owned()));
            }
            (Step::SettleElsewhere, Err(error)) if is_not_there(&error) => {
                desk.settle(item, Step::Purge, Settled::Done);
                desk.close(item, Outcome::Done(None));
            }
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = format!("The answer was lost. {}", error.message);
                desk.settle(item, Step::Purge, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }
}

impl Target {
    fn new(id: ContentId, kind: ContentKind, seen: Option<u64>) -> Self {
        Self {
            id,
            kind,
            seen,
            saved: None,
            way: Way::Check,
            tries: 0,
        }
    }
}

impl Machine for Purge {
    fn go(&mut self, desk: &mut Desk) {
        if desk.is_stopping() && !matches!(self.stage, Stage::Looking(_)) {
            // Only what is in doubt is still asked about.
            self.go_items(desk);
            return;
        }
        match self.stage {
            Stage::Listing | Stage::ListingAgain => {
                if !desk.is_busy(WHOLE) {
                    self.list(desk, desk.at());
                }
            }
            Stage::Saving => {
                if self.save.is_none() {
                    self.begin_saving(desk);
                }
                let Some(save) = &mut self.save else {
                    return;
                };
                save.go(desk);
                if let Some(why) = save.broken() {
                    let why = format!("The backup is not good, so nothing was purged. {why}");
                    desk.halt(why);
                } else if save.is_verified() {
                    if save.not_saved().is_empty() || self.goal == Goal::BackUp {
                        self.saved(desk);
                    } else {
                        self.stage = Stage::Asking;
                        desk.ask(Question::NotSaved {
                            space: None,
                            items: save.not_saved().to_vec(),
                        });
                    }
                }
            }
            Stage::Asking => {}
            Stage::Verifying(next) => {
                let Some(save) = &mut self.save else {
                    return;
                };
                save.go(desk);
                if let Some(why) = save.broken() {
                    desk.halt(format!(
                        "The backup cannot be read any more, so nothing more was purged. {why}"
                    ));
                } else if save.is_verified() {
                    self.stage = match next {
                        Next::ListingAgain => Stage::ListingAgain,
                        Next::Items => Stage::Items,
                    };
                    self.go(desk);
                }
            }
            Stage::Whole => {
                if let Some(key) = self.all.clone()
                    && !desk.is_busy(WHOLE)
                {
                    // Should this not go out, the trash is read again.
                    self.stage = Stage::ListingAgain;
                    let before = format!("{} items in the trash, all saved", self.targets.len());
                    desk.write(WHOLE, Step::PurgeTrash, Call::PurgeTrash { key }, before);
                }
            }
            Stage::Looking(_) => {
                if !desk.is_busy(WHOLE) {
                    self.list(desk, self.look_at.max(desk.at()));
                }
            }
            Stage::Items => self.go_items(desk),
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        if item != WHOLE {
            match (&mut self.save, self.stage) {
                (Some(save), Stage::Saving) => save.read(desk, item, step, answer),
                _ => self.item_read(desk, item, step, answer),
            }
            return;
        }
        let Some(listing) = &mut self.listing else {
            return;
        };
        if let Err(error) = listing.take(answer) {
            self.listing = None;
            if let Stage::Looking(_) = self.stage {
                let why = format!("The trash could not be read again. {}", error.message);
                desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(&why));
                self.stage = Stage::Items;
                let open: Vec<u32> = desk.open().collect();
                for item in open {
                    desk.close(item, Outcome::Unknown(why.clone()));
                }
            } else {
                desk.halt(format!("The trash could not be read. {}", error.message));
            }
            return;
        }
        if !listing.is_over() {
            return;
        }
        let Some(listing) = self.listing.take() else {
            return;
        };
        match self.stage {
            Stage::Listing => {
                let unlisted = listing.unlisted().to_vec();
                for seen in listing.into_seen() {
                    desk.add_line(Line::content(&seen.id, &seen.title));
                    self.targets.push(Target::new(seen.id, seen.kind, None));
                }
                for kind in unlisted {
                    let id = ContentId::new("");
                    let title =
                        format!("All {} in the trash", in_words(std::slice::from_ref(&kind)));
                    let line = desk.add_line(Line::content(&id, &title));
                    self.targets.push(Target::new(id, kind, None));
                    let why = "The server would not list them; they were neither saved nor purged.";
                    desk.close(line, Outcome::Skipped(why.to_owned()));
                }
                self.stage = Stage::Saving;
            }
            Stage::ListingAgain => self.relisted(listing),
            Stage::Looking(looks) => self.looked(desk, listing, looks),
            _ => {}
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        if item == WHOLE {
            match fate {
                Fate::Applied { .. } => {
                    self.confirmed = true;
                    self.stage = Stage::Looking(0);
                }
                Fate::Refused(error) if is_not_offered(&error) => self.stage = Stage::Items,
                Fate::Refused(error) => desk.halt(refusal(error)),
                Fate::NotApplied(_) => self.stage = Stage::ListingAgain,
                Fate::InDoubt(_) | Fate::NeverKnown(_) => self.stage = Stage::Looking(0),
            }
            self.look_at = desk.at() + 1_000;
            self.listing = None;
            return;
        }
        // Also when a journal is replayed: once one goes by itself, all do.
        self.stage = Stage::Items;
        let Some(target) = self.targets.get_mut(item as usize) else {
            return;
        };
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) if is_not_there(&error) => desk.close(item, Outcome::Gone),
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => target.way = Way::Check,
            Fate::InDoubt(_) => target.way = Way::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }

    fn stored(&mut self, _: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if let Some(save) = &mut self.save {
            save.stored(what, answer);
        }
    }

    fn decide(&mut self, desk: &mut Desk, decision: Decision) {
        if self.stage != Stage::Asking {
            return;
        }
        if decision == Decision::LeaveOut {
            self.saved(desk);
        } else {
            desk.halt("Some items could not be saved, so nothing was purged.");
        }
    }

    fn reopened(&mut self, desk: &mut Desk) {
        self.listing = None;
        self.look_at = 0;
        let next = match self.stage {
            Stage::Listing => return,
            Stage::Saving | Stage::Asking => {
                // The backup was not finished: it is made anew.
                self.save = None;
                desk.answered();
                if self.all.is_some() {
                    self.targets.clear();
                    desk.forget_lines();
                    self.stage = Stage::Listing;
                } else {
                    self.stage = Stage::Saving;
                }
                return;
            }
            Stage::ListingAgain | Stage::Whole | Stage::Verifying(Next::ListingAgain) => {
                Next::ListingAgain
            }
            // What is in doubt is learned first, even if the job is then given up.
            Stage::Looking(_) => {
                self.stage = Stage::Looking(0);
                return;
            }
            Stage::Items | Stage::Verifying(Next::Items) => Next::Items,
        };
        self.stage = Stage::Verifying(next);
        if let Some(save) = &mut self.save {
            save.verify_again();
        }
    }
}
