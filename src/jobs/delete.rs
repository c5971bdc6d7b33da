//! Spaces deleted, one after the other, each after a backup of what is in it.
//!
//! The server only promises (202) and works on in a long task; this machine follows the task to its end
//! and then asks for the space itself: gone means deleted, as long as the server still shows this user
//! another space. A server that is deleting shows the space until its task ends, so one that is still
//! there after a lost answer means nothing: the end is then unknown, and a deletion is never sent a
//! second time on a guess.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::backup::Lack;
use super::complete::{Care, CompleteList, Completeness, Doubt, Prover, Scope};
use super::consent::{Shown, SpaceTarget};
use super::desk::{Desk, Fate, Settled, WHOLE, is_not_there, refused};
use super::effect::{JobWrite, StoreError, Stored};
use super::full_backup::ServerCopy;
use super::head::Head;
use super::line::Outcome;
use super::listing::{LIMIT, Listing, Rows, Seen, in_words};
use super::losses::{Losing, Losses, NAMED, named};
use super::machine::Machine;
use super::proof::{Claim, Claimed, Fingerprint, Ground};
use super::question::{Decision, OnFailure, Question};
use super::save::{Kept, Save, Wanted};
use super::since_copy::{Since, SinceCopy};
use super::since_save::{New, SinceSave};
use super::step::Step;
use super::witness::{Sight, Witness};
use crate::confluence::{
    ApiError, Call, ContentId, ContentKind, ContentStatus, LongTask, LongTaskId, Reply, SpaceKey,
};
use crate::text::number;

/// Rounds of saving what changed while the round before was saved.
const ROUNDS: u32 = 5;
/// So often a space is listed before it is given up that this proves anything.
const LISTS: u32 = 12;
/// So often a list may stay uncertain.
const MOST_UNCERTAIN: u32 = 3;
/// How often the space is asked for after a lost answer before the end counts as unknown.
const LOOKS: u32 = 8;
/// A task that has not moved for this long and whose last message is an error has failed.
const STUCK_MS: u64 = 30_000;
/// A task that has not moved for this long is given up: unknown.
const STALLED_MS: u64 = 15 * 60_000;

/// Whether what is in a space is saved before it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BackupChoice {
    /// Pages, blog posts and trash are saved first.
    Save,
    /// Knowingly declined in the dialog.
    Declined,
}

/// How spaces are to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteOptions {
    /// The backup.
    pub backup: BackupChoice,
    /// The backup that the server itself makes, before that.
    #[serde(default = "declined")]
    pub server: BackupChoice,
    /// What happens to the rest after a failure.
    pub on_failure: OnFailure,
}

/// What files of earlier versions mean.
fn declined() -> BackupChoice {
    BackupChoice::Declined
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Begin,
    /// The server writes the space out.
    Copying,
    /// The person is asked about that: there is none, or it lacks something.
    AskingCopy,
    Listing,
    Saving,
    /// The person is asked about what could not be saved.
    Asking,
    /// The person is asked about what the server would not list.
    AskingUnlisted,
    /// The person is asked about what goes with the space and is not saved.
    AskingLosses,
    /// The person is asked about what was not shown when the deletion was agreed to.
    AskingCameLater,
    /// All of it is listed: what has changed since the server wrote it out, or what is new on its pages
    /// since they were saved?
    Comparing,
    Ready,
    Polling(LongTaskId),
    /// Asking for the space: after a lost answer, or a task that ended or was lost.
    Settling(Why),
    /// There is no such space, by the last answer: is it gone, or hidden from this user?
    Missing(Why),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Why {
    /// Nothing was sent.
    Unsent,
    /// Was the request applied at all?
    Lost,
    /// The task reported its end; the space tells whether it is so.
    Ended,
    /// The server no longer knows the task: it may have expired after its end.
    Expired,
    /// The task failed with this message.
    Failed(String),
    /// The request was answered as if there were no such space, with this message.
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Delete {
    options: DeleteOptions,
    keys: Vec<SpaceKey>,
    #[serde(default)]
    spaces: Vec<SpaceTarget>,
    round: u32,
    /// The backups of the space at work.
    #[serde(skip)]
    folders: Vec<String>,
    /// The server's own backup of the space at work.
    #[serde(default)]
    copy: Option<Box<ServerCopy>>,
    /// Whether the person said to go on without it. That is told before another run goes on.
    #[serde(default)]
    without_copy: bool,
    /// What it lacks, and what of that may go: the person said so, in this run.
    #[serde(skip)]
    since: SinceCopy,
    /// What hangs on its pages and is not in the backup on this machine.
    #[serde(skip)]
    since_save: SinceSave,
    /// Whether the person said, in this run, that it will do though it may not be all.
    #[serde(skip)]
    doubt_accepted: bool,
    /// The line at work.
    current: Option<u32>,
    stage: Stage,
    /// What lists are asked for while what they tell of is saved.
    #[serde(skip)]
    asks: Rows,
    // A list that was interrupted is begun anew.
    #[serde(skip)]
    listing: Option<Listing>,
    /// What is to be proved: that nothing of the space was left out.
    #[serde(skip)]
    prover: Option<Prover>,
    /// What it has told so far.
    #[serde(skip)]
    found: Vec<Seen>,
    /// What the last list told of.
    #[serde(skip)]
    rows: Vec<Seen>,
    /// The proof that the rows are all that is in the space. Without it nothing is deleted.
    #[serde(skip)]
    complete: Option<CompleteList>,
    /// How often a list of this space stayed uncertain.
    #[serde(default)]
    uncertain: u32,
    /// Whether a list was caught leaving rows out.
    #[serde(default)]
    caught: bool,
    /// Why the list that is saved while it is read could not be read to its end. What is under way
    /// for it comes back before the next space is begun.
    #[serde(skip)]
    unreadable: Option<String>,
    /// Types in its trash that the server would not list.
    unlisted: Vec<ContentKind>,
    /// Types that may go without having been listed: the person said so, in this run.
    given_up: Vec<ContentKind>,
    /// What came after the deletion was agreed to and may go: the person said so, in this run.
    #[serde(skip)]
    came_later: HashSet<ContentId>,
    /// Up to so many things may go, where only their number was shown.
    #[serde(skip)]
    most: u64,
    save: Option<Save>,
    /// Of the rows, what is in a backup that is not verified yet, with its version.
    #[serde(skip)]
    written: Vec<(u32, Option<u64>)>,
    /// What is in a verified backup, with its version; comments and files too.
    saved: HashMap<ContentId, Option<u64>>,
    /// The pages and blog posts among them that were in no trash. What is added to one before it goes there
    /// is told by no list: it is saved once more where it is.
    #[serde(skip)]
    saved_current: HashSet<ContentId>,
    /// The comments and files among them.
    #[serde(skip)]
    hung: HashMap<ContentId, Fingerprint>,
    /// What takes files and comments with it that are not saved.
    #[serde(default)]
    losing: HashMap<ContentId, Losses>,
    /// What of that has a name.
    #[serde(skip)]
    lacks: Vec<Lack>,
    /// What hangs on its pages and is in no backup, by the last look.
    #[serde(default)]
    losing_since: HashMap<ContentId, Losses>,
    /// Why that is so.
    #[serde(skip)]
    why_since: HashMap<ContentId, Vec<String>>,
    /// What of all that was accepted.
    #[serde(default)]
    accepted: Option<Losses>,
    rounds_here: u32,
    /// Lists read of this space.
    lists: u32,
    looks: u32,
    next_at: u64,
    moved: Moved,
    #[serde(skip)]
    witness: Option<Witness>,
}

/// When a task last moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Moved {
    at: u64,
    percentage: u8,
    messages: usize,
    polls: u64,
}

impl Delete {
    pub(super) fn caught_a_list(&self) -> bool {
        self.caught
    }

    pub(super) fn new(head: &Head, options: DeleteOptions) -> Self {
        let spaces = head.target.spaces.iter();
        Self {
            options,
            keys: spaces.map(|space| space.key.clone()).collect(),
            spaces: head.target.spaces.clone(),
            round: 0,
            folders: Vec::new(),
            copy: None,
            without_copy: false,
            since: SinceCopy::default(),
            since_save: SinceSave::default(),
            doubt_accepted: false,
            current: None,
            stage: Stage::Begin,
            asks: Rows::default(),
            listing: None,
            prover: None,
            found: Vec::new(),
            rows: Vec::new(),
            complete: None,
            uncertain: 0,
            caught: false,
            unreadable: None,
            unlisted: Vec::new(),
            given_up: Vec::new(),
            came_later: HashSet::new(),
            most: 0,
            save: None,
            written: Vec::new(),
            saved: HashMap::new(),
            saved_current: HashSet::new(),
            hung: HashMap::new(),
            losing: HashMap::new(),
            losing_since: HashMap::new(),
            why_since: HashMap::new(),
            lacks: Vec::new(),
            accepted: None,
            rounds_here: 0,
            lists: 0,
            looks: 0,
            next_at: 0,
            moved: Moved::default(),
            witness: None,
        }
    }

    /// Whether the deletion of the space at work was sent.
    pub(super) fn is_sent(&self) -> bool {
        match &self.stage {
            Stage::Polling(_) => true,
            Stage::Settling(why) | Stage::Missing(why) => *why != Why::Unsent,
            _ => false,
        }
    }

    /// What is done already with the space at work, in words, for whoever goes on with it.
    pub(super) fn done_so_far(&self) -> Option<String> {
        let key = self.keys.get(self.current? as usize)?;
        if self.is_sent() {
            return Some(format!(
                "The deletion of {key} was sent already: what became of it is asked for, and it is not sent again."
            ));
        }
        if self.without_copy {
            return Some(format!(
                "{key} goes on without a backup by the server, as you chose."
            ));
        }
        let told = self.copy.as_ref()?.done_so_far()?;
        Some(format!("{key}: {told}"))
    }

    pub(super) fn options(&self) -> DeleteOptions {
        // The person said so of the space at work: of others nothing is said.
        let goes_without = self.without_copy && self.keys.len() == 1;
        DeleteOptions {
            server: if goes_without {
                BackupChoice::Declined
            } else {
                self.options.server
            },
            ..self.options
        }
    }

    pub(super) fn backup(&self) -> Option<&str> {
        self.save.as_ref().map(Save::folder)
    }

    /// Whether the server writes the space out.
    pub(super) fn is_copying(&self) -> bool {
        self.stage == Stage::Copying
    }

    /// How many items wait to be saved at this moment.
    pub(super) fn held(&self) -> usize {
        self.save.as_ref().map_or(0, Save::waiting)
    }

    fn begin(&mut self, item: u32) {
        self.current = Some(item);
        self.copy = None;
        self.without_copy = false;
        self.since.forget_all();
        self.since_save.forget_all();
        self.doubt_accepted = false;
        self.forget_lists();
        self.uncertain = 0;
        self.unreadable = None;
        self.came_later.clear();
        self.most = 0;
        self.unlisted.clear();
        self.folders.clear();
        self.forget_saved();
        self.looks = 0;
        self.start();
    }

    /// Nothing of the space at work is saved on this machine, as far as this run stands on it.
    fn forget_saved(&mut self) {
        self.save = None;
        self.rows.clear();
        self.written.clear();
        self.saved.clear();
        self.saved_current.clear();
        self.hung.clear();
        self.losing.clear();
        self.losing_since.clear();
        self.why_since.clear();
        self.lacks.clear();
        self.accepted = None;
        self.rounds_here = 0;
        self.lists = 0;
    }

    /// The person has it tried once more: the space is listed and saved anew, under another name. What
    /// the server wrote out stays as it is.
    fn save_anew(&mut self, desk: &mut Desk) {
        let copy = self.copy.as_ref().map(|copy| copy.folder().to_owned());
        for folder in std::mem::take(&mut self.folders) {
            if copy.as_ref() == Some(&folder) {
                self.folders.push(folder);
            } else {
                desk.drops_backup(&folder);
                desk.release(&folder);
            }
        }
        self.since_save.forget_all();
        self.forget_lists();
        self.forget_saved();
        self.start();
        desk.checkpoint();
    }

    fn end(&mut self, desk: &mut Desk, item: u32, outcome: Outcome) {
        let bad = matches!(
            outcome,
            Outcome::Failed(_) | Outcome::Unknown(_) | Outcome::NotSaved(_)
        );
        let name = desk.lines()[item as usize].subject.clone();
        desk.close(item, outcome);
        self.current = None;
        self.stage = Stage::Begin;
        self.drop_unfinished(desk);
        for folder in self.folders.drain(..) {
            desk.release(&folder);
        }
        desk.checkpoint();
        if bad && self.options.on_failure == OnFailure::Stop && desk.first_open().is_some() {
            desk.halt(format!(
                "{name} could not be deleted, and the rest was left alone."
            ));
        }
    }

    fn next_folder(&mut self, desk: &mut Desk) -> String {
        self.round += 1;
        let folder = desk.backup_name(self.round);
        if let Some(item) = self.current {
            desk.begins_backup(item, &folder);
        }
        self.folders.push(folder.clone());
        folder
    }

    /// What is no whole backup is not named as one of the space.
    fn drop_unfinished(&self, desk: &mut Desk) {
        let copy = self.copy.as_ref().filter(|copy| !copy.is_verified());
        let save = self.save.as_ref().filter(|save| !save.is_verified());
        let unfinished = copy.map(|it| it.folder()).into_iter();
        for folder in unfinished.chain(save.map(Save::folder)) {
            desk.drops_backup(folder);
        }
    }

    /// The space of this number, as a target.
    fn space(&self, item: u32) -> SpaceTarget {
        let space = self.spaces.get(item as usize).cloned();
        space.unwrap_or_else(|| SpaceTarget {
            key: self.keys[item as usize].clone(),
            name: String::new(),
        })
    }

    /// What the deletion stands on: all that the last list told of, in the backups of this run.
    fn ground(&self) -> Ground {
        if !self.stands_on_backups() {
            return Ground::Declined;
        }
        let rows = self.rows.iter();
        let items = rows.map(|row| Fingerprint::of(&row.id, row.version, &row.title));
        let items = items.chain(self.hung.values().copied());
        Ground::Backup(Claim {
            backups: self.folders.clone(),
            items: Claimed::All(items.collect()),
        })
    }

    /// Time passes: what is in the space is listed anew before anything stands on it.
    fn forget_lists(&mut self) {
        self.listing = None;
        self.prover = None;
        self.found.clear();
        self.complete = None;
        self.since.forget();
        self.since_save.forget();
    }

    /// Reads what is in the space. What the first list tells of is saved while it is read, and no
    /// page of it is asked for before there is room for what it brings.
    fn list(&mut self, desk: &mut Desk, item: u32) {
        if let Some(why) = &self.unreadable {
            if desk.is_idle() {
                let why = format!("What is in it could not be read. {why}");
                self.end(desk, item, Outcome::NotSaved(why));
            }
            return;
        }
        let key = self.keys[item as usize].clone();
        let is_first = self.lists == 0;
        // The request that deletes it is on its way: it is listed again should that not go out.
        if !is_first && desk.is_busy(item) {
            return;
        }
        if !is_first {
            self.prove(desk, key);
            return;
        }
        let asks = self.asks;
        let may_ask = self.held() < LIMIT as usize && desk.has_room() && desk.has_room_for_files();
        let listing = self
            .listing
            .get_or_insert_with(|| Listing::everything(key.clone(), asks));
        if may_ask && !desk.is_busy(WHOLE) {
            listing.ask(desk, WHOLE);
        }
        let so_far = listing.len();
        if let Some(save) = &mut self.save {
            save.go(desk);
            desk.saving(Some((save.fetched() as usize, self.rows.len())));
        }
        desk.say(reading(&key, so_far));
    }

    /// Lists the space in two ways.
    fn prove(&mut self, desk: &mut Desk, key: SpaceKey) {
        let prover = self.prover.get_or_insert_with(|| {
            Prover::new(key.clone(), Scope::Everything, Rows::Bare, Care::Always)
        });
        if !desk.is_busy(WHOLE) {
            prover.ask(desk, WHOLE);
        }
        if prover.is_checking() {
            desk.say(format!(
                "Listing {key} in another way, to be sure that nothing was left out"
            ));
        } else {
            desk.say(reading(&key, prover.len()));
        }
    }

    /// A page of a list has come.
    fn list_read(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let (taken, len) = match (&mut self.listing, &mut self.prover) {
            (Some(listing), _) => (listing.take(answer), listing.len()),
            (None, Some(prover)) => (prover.take(answer), prover.len()),
            (None, None) => return,
        };
        match taken {
            Err(error) if is_not_there(&error) && len == 0 => {
                self.forget_lists();
                self.missing(Why::Unsent);
                return;
            }
            Err(error) => {
                self.unreadable = Some(error.message);
                self.forget_lists();
                self.save = None;
                return;
            }
            Ok(()) => {}
        }
        if let Some(prover) = &mut self.prover {
            self.found.append(&mut prover.take_seen());
            if prover.is_over()
                && let Some(prover) = self.prover.take()
            {
                self.listed(desk, item, &prover);
            }
            return;
        }
        let seen = self.listing.as_mut().map(Listing::take_seen);
        for mut seen in seen.unwrap_or_default() {
            if self.save.is_none() {
                let space = self.space(item);
                self.save = Some(Save::of_space(self.next_folder(desk), space));
            }
            let whole = seen.whole.take();
            let row = self.rows.len() as u32;
            let (wanted, _) = Wanted::seen(row, seen.clone());
            self.rows.push(seen);
            if let Some(save) = &mut self.save {
                save.want(desk, wanted, whole.map(|whole| *whole));
            }
        }
        if self.listing.as_ref().is_some_and(Listing::is_over)
            && let Some(listing) = self.listing.take()
        {
            self.gathered(&listing);
        }
    }

    /// The first list is complete.
    fn gathered(&mut self, listing: &Listing) {
        self.asks = listing.rows();
        self.unlisted = listing.unlisted().to_vec();
        self.lists += 1;
        if let Some(save) = &mut self.save {
            save.finish();
            self.rounds_here += 1;
            self.stage = Stage::Saving;
        }
    }

    /// Takes down what was written of what was listed.
    fn take_settled(&mut self) {
        let Some(save) = &mut self.save else {
            return;
        };
        for (wanted, kept) in save.take_settled() {
            if let Kept::Saved(version) = kept {
                self.written.push((wanted.item, version));
            }
        }
    }

    /// The space was listed in two ways: what is new or changed is saved; when nothing is, and nothing
    /// can have been left out, the space may go.
    fn listed(&mut self, desk: &mut Desk, item: u32, prover: &Prover) {
        self.unlisted = prover.unlisted().to_vec();
        self.rows = std::mem::take(&mut self.found);
        let wanted: Vec<Wanted> = self
            .rows
            .iter()
            .enumerate()
            .filter(|_| self.options.backup == BackupChoice::Save)
            .filter(|(_, row)| match self.saved.get(&row.id) {
                Some(saved) => *saved != row.version || self.went_to_trash(row),
                None => true,
            })
            .map(|(index, row)| wanted(index, row))
            .collect();
        self.lists += 1;
        // Unknown is not unchanged.
        let mute = self.rows.iter().find(|row| {
            let saved = self.saved.get(&row.id);
            saved.is_some_and(|saved| saved.is_none() || row.version.is_none())
        });
        if let Some(row) = mute {
            let why = format!(
                "The server does not tell the version of {}, so whether it has changed since it was saved cannot be seen.",
                row.title
            );
            self.end(desk, item, Outcome::NotSaved(why));
            return;
        }
        self.caught |= prover.doubt().is_some_and(Doubt::is_of_a_list);
        let doubt = match prover.completeness() {
            Completeness::Certain(list) => {
                self.complete = Some(list);
                None
            }
            Completeness::NotCertain(doubt) => {
                self.complete = None;
                Some(doubt)
            }
        };
        if wanted.is_empty() && self.complete.is_some() {
            if let Some(question) = self.more_than_shown(desk, item) {
                self.stage = Stage::AskingCameLater;
                desk.ask(question);
                return;
            }
            let mut unlisted = self.unlisted.iter();
            if !self.has_copy() && unlisted.any(|kind| !self.given_up.contains(kind)) {
                self.stage = Stage::AskingUnlisted;
                desk.ask(Question::Unlisted {
                    space: self.keys[item as usize].clone(),
                    kinds: self.unlisted.clone(),
                });
                return;
            }
            self.since.forget();
            self.since_save.forget();
            self.stage = Stage::Comparing;
            return;
        }
        if let Some(doubt) = doubt.filter(|_| wanted.is_empty()) {
            self.uncertain += 1;
            if self.uncertain >= MOST_UNCERTAIN || self.lists >= LISTS {
                let why = format!(
                    "It is not certain that all of it was listed, because {}: what the list leaves out would be lost.",
                    doubt.because()
                );
                self.end(desk, item, Outcome::NotSaved(why));
            }
            return;
        }
        self.save_more(desk, item, wanted);
    }

    /// What is to be asked where more is in the space than was shown when its deletion was agreed to.
    fn more_than_shown(&self, desk: &Desk, item: u32) -> Option<Question> {
        let space = self.keys[item as usize].clone();
        let shown = desk.shown(&space)?;
        let is_new = |row: &&Seen| shown.lacks(&row.id) && !self.came_later.contains(&row.id);
        let mut new = self.rows.iter().filter(is_new).peekable();
        let found = self.rows.len() as u64;
        let is_more = match shown {
            Shown::Items(_) => new.peek().is_some(),
            Shown::Count(count) => found > count.max(self.most),
        };
        is_more.then(|| Question::CameLater {
            space,
            shown: shown.count(),
            found,
            items: new.take(NAMED).map(|row| row.title.to_string()).collect(),
        })
    }

    /// Whether it was saved before it went into the trash.
    fn went_to_trash(&self, row: &Seen) -> bool {
        row.status == ContentStatus::Trashed && self.saved_current.contains(&row.id)
    }

    /// Another round of saving.
    fn save_more(&mut self, desk: &mut Desk, item: u32, wanted: Vec<Wanted>) {
        self.rounds_here += 1;
        if self.rounds_here > ROUNDS || wanted.is_empty() {
            let why = "It is being changed faster than it can be saved. Archive it first.";
            self.end(desk, item, Outcome::NotSaved(why.to_owned()));
            return;
        }
        let folder = self.next_folder(desk);
        self.save = Some(Save::new(folder, wanted).in_space(self.space(item)));
        self.stage = Stage::Saving;
    }

    /// What hangs on the pages was compared with the backup on this machine.
    fn compared_with_save(&mut self, desk: &mut Desk, item: u32) {
        let changed = match self.since_save.found(&self.rows) {
            New::Nothing => {
                self.losing_since = self.since_save.take_losses();
                self.why_since = self.since_save.take_why();
                self.stage = Stage::Ready;
                self.weigh(desk, item);
                // What could not be listed has to be said also after an interruption.
                desk.checkpoint();
                return;
            }
            New::Pages => HashSet::new(),
            New::On(pages) => pages,
        };
        let rows = self.rows.iter().enumerate();
        let changed = rows.filter(|(_, row)| changed.contains(&row.id));
        let wanted: Vec<Wanted> = changed.map(|(index, row)| wanted(index, row)).collect();
        if wanted.is_empty() && self.rounds_here < ROUNDS {
            // A page that was not there when the space was listed.
            self.rounds_here += 1;
            self.again();
            return;
        }
        self.save_more(desk, item, wanted);
    }

    fn saved(&mut self, desk: &mut Desk, item: u32) {
        let Some(save) = &mut self.save else {
            return;
        };
        let losing = save.take_losing();
        let kept = save.kept().iter().filter_map(|(row, kept)| match kept {
            Kept::Saved(version) => Some((*row, *version)),
            Kept::Gone | Kept::Not(_) => None,
        });
        for (row, version) in self.written.drain(..).chain(kept) {
            let row = &self.rows[row as usize];
            let id = row.id.clone();
            if row.status == ContentStatus::Trashed {
                self.saved_current.remove(&id);
            } else {
                self.saved_current.insert(id.clone());
            }
            self.losing.remove(&id);
            self.lacks.retain(|lack| lack.on != id);
            self.saved.insert(id, version);
        }
        let lacks = save.lacks().to_vec();
        for hung in save.take_hung() {
            self.saved.insert(hung.id.clone(), hung.version);
            self.hung.insert(hung.id, hung.print);
        }
        for (row, losses) in losing {
            self.losing
                .insert(self.rows[row as usize].id.clone(), losses);
        }
        self.lacks.extend(lacks);
        // The list is read once more: what changed meanwhile is saved too.
        self.stage = Stage::Listing;
        self.weigh(desk, item);
    }

    /// What goes with the space and is not saved.
    fn losses(&self) -> Losses {
        let since = self.losing_since.keys();
        let since = since.filter(|id| !self.losing.contains_key(*id));
        let losses = self.losing.keys().chain(since);
        let losses = losses.filter_map(|id| self.losses_of(id));
        losses.fold(Losses::default(), Losses::and)
    }

    /// The same of one item.
    fn losses_of(&self, id: &ContentId) -> Option<Losses> {
        let all = [self.losing.get(id), self.losing_since.get(id)];
        all.into_iter().flatten().copied().reduce(Losses::with)
    }

    /// What goes with a page and has a name, and why it would be lost.
    fn why_lost(&self, id: &ContentId) -> Vec<String> {
        let mut why = named(&self.lacks, id);
        why.extend(self.why_since.get(id).into_iter().flatten().cloned());
        why
    }

    /// What would be lost is accepted, or asked about.
    fn weigh(&mut self, desk: &mut Desk, item: u32) {
        // What hangs on its pages is in the server's backup.
        if self.has_copy() {
            return;
        }
        let losses = self.losses();
        if losses.are_within(&self.accepted.unwrap_or_default()) {
            return;
        }
        let losing = self.rows.iter().filter_map(|row| {
            Some(Losing {
                id: row.id.clone(),
                title: row.title.to_string(),
                losses: self.losses_of(&row.id)?,
                named: self.why_lost(&row.id),
            })
        });
        let items = losing.take(NAMED).collect();
        self.stage = Stage::AskingLosses;
        desk.ask(Question::Losses {
            space: Some(self.keys[item as usize].clone()),
            items,
            losses,
        });
    }

    fn polled(&mut self, desk: &mut Desk, item: u32, task: &LongTask) {
        let at = desk.at();
        let has_moved =
            task.percentage != self.moved.percentage || task.messages.len() != self.moved.messages;
        if has_moved {
            self.moved.at = at;
            self.moved.percentage = task.percentage;
            self.moved.messages = task.messages.len();
        }
        let still = at.saturating_sub(self.moved.at);
        let last = task.messages.last().cloned().unwrap_or_default();
        self.moved.polls += 1;
        if task.percentage >= 100 {
            self.stage = Stage::Settling(if task.successful {
                Why::Ended
            } else {
                Why::Failed(last)
            });
        } else if still >= STUCK_MS && sounds_like_an_error(&last) {
            self.stage = Stage::Settling(Why::Failed(last));
        } else if still >= STALLED_MS {
            let why = format!(
                "The server's task has stood at {} % for too long.",
                task.percentage
            );
            desk.settle(item, Step::Delete, Settled::Unknown(&why));
            self.end(desk, item, Outcome::Unknown(why));
        } else {
            desk.part(task.percentage);
            let name = &desk.lines()[item as usize].subject;
            let stalled = if still >= STUCK_MS {
                ", not moving"
            } else {
                ""
            };
            let message = format!("Deleting {name}: {} %{stalled}. {last}", task.percentage);
            desk.say(message.trim().to_owned());
        }
        self.next_at = at + (self.moved.polls.min(5)) * 1_000;
        if matches!(self.stage, Stage::Settling(_)) {
            self.next_at = at;
            self.looks = 0;
        }
    }

    fn settled(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>, why: Why) {
        match (answer, why) {
            // The task and the space say the same.
            (Err(error), Why::Ended) if is_not_there(&error) => {
                desk.settle(item, Step::Delete, Settled::Done);
                self.end_deleted(desk, item);
            }
            (Err(error), why) if is_not_there(&error) => self.missing(why),
            (Ok(_), Why::Refused(message)) => {
                let why = format!(
                    "{message} The space is still there: you may not be permitted to delete it."
                );
                self.end(desk, item, Outcome::Failed(why));
            }
            (Ok(_), Why::Failed(message)) => {
                let why = if message.is_empty() {
                    "The server's task failed.".to_owned()
                } else {
                    format!("The server's task failed: {message}")
                };
                desk.settle(item, Step::Delete, Settled::NotApplied(&why));
                self.end(desk, item, Outcome::Failed(why));
            }
            (Ok(_), why) => {
                self.looks += 1;
                self.next_at = desk.at() + u64::from(self.looks.min(5)) * 1_000;
                if self.looks < LOOKS {
                    return;
                }
                self.looks = 0;
                // Never sent again from here: the server may be at it.
                let why = match why {
                    Why::Ended => "The server's task ended well, but the space is still there.",
                    Why::Expired => {
                        "The server no longer tells of its task, and the space is still there."
                    }
                    Why::Lost | Why::Failed(_) | Why::Refused(_) | Why::Unsent => {
                        "The server did not say what became of the request, and the space is still there. It may still be at it: look again later, and delete it again only then."
                    }
                };
                desk.settle(item, Step::Delete, Settled::Unknown(why));
                self.end(desk, item, Outcome::Unknown(why.to_owned()));
            }
            (Err(error), _) => {
                let why = format!(
                    "It could not be learned whether it is deleted. {}",
                    error.message
                );
                desk.settle(item, Step::Delete, Settled::Unknown(&why));
                self.end(desk, item, Outcome::Unknown(why));
            }
        }
    }

    fn missing(&mut self, why: Why) {
        self.witness = None;
        self.stage = Stage::Missing(why);
    }

    /// A space that is answered as missing is gone only if the server still shows this user others.
    fn witnessed(
        &mut self,
        desk: &mut Desk,
        item: u32,
        answer: Result<Reply, ApiError>,
        why: &Why,
    ) {
        let Some(witness) = &mut self.witness else {
            return;
        };
        let Some(sight) = witness.answer(desk.user(), answer) else {
            return;
        };
        self.witness = None;
        let was_sent = desk.is_in_doubt(item, Step::Delete);
        match (sight, why) {
            (Sight::Shown(_), _) if was_sent => {
                desk.settle(item, Step::Delete, Settled::Done);
                self.end_deleted(desk, item);
            }
            (Sight::Shown(_), _) => self.end(desk, item, Outcome::Gone),
            (Sight::Hidden(hidden), _) if was_sent => {
                desk.settle(item, Step::Delete, Settled::Unknown(&hidden));
                self.end(desk, item, Outcome::Unknown(hidden));
            }
            (Sight::Hidden(hidden), Why::Refused(message)) => {
                self.end(desk, item, Outcome::Failed(format!("{message} {hidden}")));
            }
            (Sight::Hidden(hidden), _) => self.end(desk, item, Outcome::Failed(hidden)),
        }
    }

    fn end_deleted(&mut self, desk: &mut Desk, item: u32) {
        let mut notes = Vec::new();
        if self.has_copy() {
            notes.push("The server's own backup can bring it back.".to_owned());
            let doubt = self.copy.as_ref().and_then(|copy| copy.doubt());
            notes.extend(doubt.map(|doubt| format!("As was accepted: {doubt}")));
        } else if !self.unlisted.is_empty() {
            notes.push(format!(
                "The server would not list the {} in its trash, so they are in no backup.",
                in_words(&self.unlisted)
            ));
        }
        let losses = self.losses();
        if !losses.is_none() && !self.has_copy() {
            notes.push(format!(
                "In no backup, as was accepted: {}.",
                losses.in_words()
            ));
        }
        let note = (!notes.is_empty()).then(|| notes.join(" "));
        self.end(desk, item, Outcome::Done(note));
    }

    /// Back to before the request, with a fresh look at what is in the space.
    fn again(&mut self) {
        self.forget_lists();
        self.stage = if self.stands_on_backups() {
            Stage::Listing
        } else {
            Stage::Ready
        };
    }
}

/// The backup that the server itself makes.
impl Delete {
    fn has_copy(&self) -> bool {
        self.copy.as_ref().is_some_and(|copy| copy.is_verified())
    }

    fn stands_on_backups(&self) -> bool {
        self.options.backup == BackupChoice::Save || self.has_copy()
    }

    /// The first step with a space, or the next after the server's backup.
    fn start(&mut self) {
        let wants_copy = self.options.server == BackupChoice::Save && !self.without_copy;
        if wants_copy && !self.has_copy() {
            self.stage = Stage::Copying;
            return;
        }
        // Where nothing else is saved, what is there is listed to be compared, and no more.
        if self.options.backup == BackupChoice::Declined {
            self.lists = 1;
        }
        self.again();
    }

    fn copy(&mut self, desk: &mut Desk, item: u32) {
        if self.copy.is_none() {
            if desk.is_stopping() {
                return;
            }
            let folder = self.next_folder(desk);
            let space = self.space(item);
            self.copy = Some(Box::new(ServerCopy::before_deletion(desk, space, folder)));
        }
        let Some(copy) = &mut self.copy else {
            return;
        };
        copy.go(desk, item);
        if copy.is_verified() {
            let doubt = copy.doubt().filter(|_| !self.doubt_accepted);
            if let Some(why) = doubt.filter(|_| !desk.is_stopping()) {
                self.ask_about_doubt(desk, item, why);
                return;
            }
            self.start();
            desk.part(0);
            desk.checkpoint();
            return;
        }
        let why = match copy.broken() {
            None => return,
            Some(why) => why.told().to_owned(),
        };
        if desk.is_stopping() {
            let why = format!("It was not deleted. {why}");
            self.end(desk, item, Outcome::Skipped(why));
            return;
        }
        self.stage = Stage::AskingCopy;
        desk.ask(Question::ServerBackup {
            space: self.keys[item as usize].clone(),
            why,
            changed: Vec::new(),
            is_local: self.options.backup == BackupChoice::Save,
            is_there: false,
            hangs: false,
        });
    }

    /// The server's backup is there, and may not be all of the space.
    fn ask_about_doubt(&mut self, desk: &mut Desk, item: u32, why: String) {
        self.stage = Stage::AskingCopy;
        desk.checkpoint();
        desk.ask(Question::ServerBackup {
            space: self.keys[item as usize].clone(),
            why,
            changed: Vec::new(),
            is_local: self.options.backup == BackupChoice::Save,
            is_there: true,
            hangs: false,
        });
    }

    /// All that is in the space was compared with what the server wrote out.
    fn compared(&mut self, desk: &mut Desk, item: u32) {
        let Some(copy) = self.copy.as_ref().filter(|copy| copy.is_verified()) else {
            self.compared_with_save(desk, item);
            return;
        };
        let since = self.since.found(copy, &self.rows);
        let (changed, why, hangs) = match since {
            Since::Nothing => {
                self.stage = Stage::Ready;
                desk.checkpoint();
                return;
            }
            Since::Changed { names, hangs } => {
                let count = number::count(names.len() as u64, "item");
                let why = format!("Not in the server's backup as it is now: {count}.");
                (names, why, hangs)
            }
            Since::Unknown(why) => (Vec::new(), why, false),
        };
        self.stage = Stage::AskingCopy;
        desk.ask(Question::ServerBackup {
            space: self.keys[item as usize].clone(),
            why,
            changed: changed.into_iter().take(NAMED).collect(),
            is_local: self.options.backup == BackupChoice::Save,
            is_there: true,
            hangs,
        });
    }

    fn decide_about_copy(&mut self, desk: &mut Desk, item: u32, decision: &Decision) {
        let is_there = self.has_copy();
        let is_doubtful = self
            .copy
            .as_ref()
            .is_some_and(|copy| copy.doubt().is_some());
        let may_go = self.options.backup == BackupChoice::Save || self.since.is_of_the_unknown();
        match decision {
            Decision::Again => {
                self.drop_copy(desk);
                self.start();
            }
            Decision::GoOn if is_there && is_doubtful && !self.doubt_accepted => {
                self.doubt_accepted = true;
                self.start();
            }
            Decision::GoOn if is_there && may_go => {
                if let Some(copy) = &self.copy {
                    self.since.accept(copy);
                }
                self.again();
            }
            Decision::GoOn if !is_there => {
                self.drop_copy(desk);
                self.without_copy = true;
                self.start();
                desk.checkpoint();
            }
            _ => {
                let why =
                    "It was left alone: there is no backup by the server of all that is in it.";
                self.end(desk, item, Outcome::Skipped(why.to_owned()));
                if *decision != Decision::LeaveOut {
                    desk.halt(if is_there {
                        "It was not deleted: what the server wrote out may not be all that is in it."
                    } else {
                        "It was not deleted, as the server did not back it up."
                    });
                }
            }
        }
    }

    fn drop_copy(&mut self, desk: &mut Desk) {
        self.since.forget_all();
        self.doubt_accepted = false;
        if let Some(copy) = self.copy.take() {
            self.folders.retain(|folder| folder != copy.folder());
            desk.drops_backup(copy.folder());
            desk.release(copy.folder());
        }
    }
}

/// The row of this number, to be saved.
fn wanted(index: usize, row: &Seen) -> Wanted {
    Wanted {
        item: index as u32,
        id: row.id.clone(),
        kind: row.kind.clone(),
        title: row.title.shown().into(),
        status: row.status,
    }
}

fn reading(key: &SpaceKey, so_far: usize) -> String {
    format!(
        "Reading {key}, {} so far",
        number::count(so_far as u64, "item")
    )
}

fn sounds_like_an_error(message: &str) -> bool {
    let message = message.to_lowercase();
    ["error", "fail", "exception"]
        .iter()
        .any(|word| message.contains(word))
}

impl Machine for Delete {
    fn go(&mut self, desk: &mut Desk) {
        let item = match self.current {
            Some(item) if desk.is_open(item) => item,
            _ => match desk.first_open() {
                Some(item) if !desk.is_stopping() => {
                    self.begin(item);
                    item
                }
                _ => return,
            },
        };
        let key = self.keys[item as usize].clone();
        let at = self.next_at.max(desk.at());
        match &self.stage {
            Stage::Begin
            | Stage::Asking
            | Stage::AskingCopy
            | Stage::AskingUnlisted
            | Stage::AskingLosses
            | Stage::AskingCameLater => {}
            Stage::Comparing if desk.is_stopping() => {}
            Stage::Comparing if self.since.is_over() || self.since_save.is_over() => {
                self.compared(desk, item);
                if matches!(self.stage, Stage::Ready | Stage::Saving | Stage::Listing) {
                    self.go(desk);
                }
            }
            Stage::Comparing if self.has_copy() => self.since.ask(desk, &key, &self.rows),
            Stage::Comparing => self.since_save.ask(desk, &key, &self.rows),
            Stage::Copying => {
                self.copy(desk, item);
                // On to what follows it.
                if self.stage != Stage::Copying && !desk.is_stopping() {
                    self.go(desk);
                }
            }
            Stage::Listing | Stage::Saving | Stage::Ready if desk.is_stopping() => {}
            Stage::Listing => self.list(desk, item),
            Stage::Saving => {
                let Some(save) = &mut self.save else {
                    return;
                };
                save.go(desk);
                // Later rounds save what was given at once, and tell how far they are themselves.
                if self.lists == 1 && save.waiting() > 0 {
                    desk.saving(Some((save.fetched() as usize, self.rows.len())));
                    desk.say("");
                }
                if let Some(why) = save.broken() {
                    let why = format!("The backup is not good, so it was not deleted. {why}");
                    self.end(desk, item, Outcome::NotSaved(why));
                } else if save.is_verified() {
                    if save.not_saved().is_empty() {
                        self.saved(desk, item);
                        self.go(desk);
                    } else {
                        self.stage = Stage::Asking;
                        desk.ask(Question::NotSaved {
                            space: Some(key),
                            items: save.not_saved().to_vec(),
                        });
                    }
                }
            }
            Stage::Ready => {
                if !desk.is_busy(item) {
                    let items = match (self.stands_on_backups(), &self.complete) {
                        (false, _) => None,
                        (true, Some(list)) => Some(list.items()),
                        (true, None) => {
                            self.again();
                            self.go(desk);
                            return;
                        }
                    };
                    let before = match items.map(|items| number::count(items, "item")) {
                        None => "not saved, knowingly".to_owned(),
                        Some(items) if self.has_copy() => {
                            format!("{items} in it, written out by the server")
                        }
                        Some(items) if self.unlisted.is_empty() => {
                            format!("{items} in it, all saved")
                        }
                        Some(items) => format!(
                            "{items} in it, all saved; trashed {} not listed",
                            in_words(&self.unlisted)
                        ),
                    };
                    let before = match self.options.backup {
                        BackupChoice::Save if !self.has_copy() => {
                            format!("{before}{}", self.losses().accepted())
                        }
                        BackupChoice::Save | BackupChoice::Declined => before,
                    };
                    let ground = self.ground();
                    // Should this not go out, what is in the space is looked at again.
                    self.again();
                    let call = Call::DeleteSpace { key };
                    desk.destroy(item, Step::Delete, call, before, ground);
                }
            }
            Stage::Polling(id) => {
                if !desk.is_busy(item) {
                    desk.read_at(item, Step::Poll, Call::LongTask { id: id.clone() }, at);
                }
            }
            Stage::Settling(_) => {
                if !desk.is_busy(item) {
                    let expand = String::new();
                    desk.read_at(item, Step::Settle, Call::Space { key, expand }, at);
                }
            }
            Stage::Missing(_) => {
                let witness = self.witness.get_or_insert_with(|| Witness::of_space(key));
                if !desk.is_busy(item) {
                    desk.read(item, Step::Witness, witness.call());
                }
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        let Some(current) = self.current else {
            return;
        };
        match self.stage.clone() {
            Stage::Copying => {
                let is_gone = item == WHOLE && answer.as_ref().is_err_and(is_not_there);
                if is_gone
                    && self
                        .copy
                        .as_ref()
                        .is_some_and(|copy| copy.is_before_asking())
                {
                    self.drop_copy(desk);
                    self.missing(Why::Unsent);
                } else if let Some(copy) = &mut self.copy {
                    copy.read(desk, current, step, answer);
                }
            }
            Stage::Listing if item == WHOLE => self.list_read(desk, current, answer),
            Stage::Comparing => match &self.copy {
                Some(copy) if copy.is_verified() => self.since.take(answer, copy),
                _ => self.since_save.take(answer, &self.saved, &self.lacks),
            },
            Stage::Listing | Stage::Saving => {
                if let Some(save) = &mut self.save {
                    save.read(desk, item, step, answer);
                }
            }
            Stage::Polling(_) => match answer {
                Ok(Reply::LongTask(task)) => self.polled(desk, current, &task),
                Ok(_) | Err(_) => self.stage = Stage::Settling(Why::Expired),
            },
            Stage::Settling(why) => self.settled(desk, current, answer, why),
            Stage::Missing(why) => self.witnessed(desk, current, answer, &why),
            Stage::Begin
            | Stage::Asking
            | Stage::AskingCopy
            | Stage::AskingUnlisted
            | Stage::AskingLosses
            | Stage::AskingCameLater
            | Stage::Ready => {}
        }
        self.take_settled();
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate) {
        if matches!(step, Step::BackUpSpace | Step::CancelBackup) {
            match &mut self.copy {
                Some(copy) if self.current == Some(item) => copy.wrote(desk, step, fate),
                _ => {
                    let why = "What became of it is not in the file of the job.";
                    desk.settle(item, step, Settled::Unknown(why));
                }
            }
            return;
        }
        if self.current != Some(item) {
            self.begin(item);
        }
        self.looks = 0;
        self.next_at = desk.at() + 1_000;
        match fate {
            Fate::Accepted {
                task: Some(task), ..
            } => {
                self.moved = Moved {
                    at: desk.at(),
                    ..Moved::default()
                };
                self.stage = Stage::Polling(LongTaskId(task));
                // The name of the task is nowhere else.
                desk.checkpoint();
            }
            // Of an earlier run, where it was settled.
            Fate::Applied { .. } => self.end_deleted(desk, item),
            Fate::Refused(error) if is_not_there(&error) => {
                // Servers say this of what may not be deleted too: the space itself tells.
                self.next_at = desk.at();
                self.stage = Stage::Settling(Why::Refused(error.message));
            }
            Fate::Refused(error) => self.end(desk, item, refused(error)),
            Fate::NotApplied(_) => self.again(),
            // The stored stage knows more than that it was sent.
            Fate::InDoubt(_)
                if matches!(
                    self.stage,
                    Stage::Polling(_) | Stage::Settling(_) | Stage::Missing(_)
                ) => {}
            // An answer without a task is a promise at most.
            Fate::Accepted { task: None, .. } | Fate::InDoubt(_) => {
                self.stage = Stage::Settling(Why::Lost);
            }
            Fate::NeverKnown(why) => self.end(desk, item, Outcome::Unknown(why)),
        }
    }

    fn stored(&mut self, desk: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if let (Stage::Copying, Some(copy)) = (&self.stage, &mut self.copy) {
            copy.stored(desk, what, answer);
        } else if let Some(save) = &mut self.save {
            save.stored(what, answer);
        }
    }

    fn lacking(&mut self, desk: &mut Desk, item: u32) {
        let why = "Its backups do not hold all that is in it, so it was not deleted.";
        self.end(desk, item, Outcome::NotSaved(why.to_owned()));
    }

    fn decide(&mut self, desk: &mut Desk, decision: Decision) {
        if let (Stage::AskingCopy, Some(item)) = (&self.stage, self.current) {
            self.decide_about_copy(desk, item, &decision);
            return;
        }
        let (
            Stage::Asking | Stage::AskingUnlisted | Stage::AskingLosses | Stage::AskingCameLater,
            Some(item),
        ) = (&self.stage, self.current)
        else {
            return;
        };
        if self.stage == Stage::AskingCameLater {
            if decision == Decision::GoOn {
                self.came_later
                    .extend(self.rows.iter().map(|row| row.id.clone()));
                self.most = self.rows.len() as u64;
                // Time has passed: what is in it is looked at once more.
                self.again();
                return;
            }
            let why = "It was left alone: more is in it than you agreed to.";
            self.end(desk, item, Outcome::Skipped(why.to_owned()));
            if decision != Decision::LeaveOut {
                desk.halt("More is in the space than you agreed to, so it was not deleted.");
            }
            return;
        }
        if decision == Decision::Again && matches!(self.stage, Stage::Asking | Stage::AskingLosses)
        {
            self.save_anew(desk);
            return;
        }
        if self.stage == Stage::AskingLosses {
            if decision == Decision::GoOn {
                self.accepted = Some(self.losses());
                self.stage = Stage::Listing;
                return;
            }
            let lost = self.losses().in_words();
            let why = format!("It was left alone: {lost} would be lost.");
            self.end(desk, item, Outcome::Skipped(why));
            if decision != Decision::LeaveOut {
                desk.halt("What hangs on its pages is in no backup, so it was not deleted.");
            }
            return;
        }
        if self.stage == Stage::AskingUnlisted && decision == Decision::GoOn {
            self.given_up.append(&mut self.unlisted);
            // Time has passed: what is in it is looked at once more.
            self.forget_lists();
            self.stage = Stage::Listing;
            return;
        }
        let why = "Not all of it could be saved, so it was not deleted.";
        self.end(desk, item, Outcome::NotSaved(why.to_owned()));
        if decision != Decision::LeaveOut {
            desk.halt(why);
        }
    }

    fn reopened(&mut self, desk: &mut Desk) {
        // Whatever was asked is asked again, about what is then found.
        desk.answered();
        self.given_up.clear();
        self.next_at = 0;
        self.moved = Moved::default();
        self.witness = None;
        let is_kept = match &self.stage {
            Stage::Settling(_) | Stage::Polling(_) | Stage::Begin => true,
            Stage::Missing(why) => *why != Why::Unsent,
            _ => false,
        };
        if !is_kept {
            // What was being saved is saved anew, under a new name.
            self.folders.clear();
            self.forget_saved();
            if let Some(item) = self.current {
                desk.drops_backups_of(item);
            }
            // What the server was asked for is gone on with.
            match &mut self.copy {
                Some(copy) if copy.is_before_asking() || copy.broken().is_some() => {
                    self.copy = None;
                }
                Some(copy) => {
                    copy.reopened();
                    self.folders.push(copy.folder().to_owned());
                    if let Some(item) = self.current {
                        desk.begins_backup(item, copy.folder());
                    }
                }
                None => {}
            }
            self.start();
        }
    }
}
