//! Trash purged, after it has been saved: chosen items, or all of it. Also a backup of chosen items
//! alone.
//!
//! An item is purged only while the server still holds the version that is in the verified
//! backup, asked just before, under the title of its line. What the server tells then is what the disk
//! has to find in the backup. The whole trash is purged in one stroke only when it holds exactly
//! what was saved; what left it then was purged, or taken out by somebody at the last moment, and
//! which of the two is looked up.
//!
//! A file or a comment that is in the trash by itself goes before the page that it hangs on (`hanging`).
//!
//! What the server answered to a purge is a claim. Each item is asked for once more, and counts as
//! gone when the server, asked after that, still lists the trash that it was in.
//!
//! When the last of them is gone, the trash is read once more as a whole: what it still tells of was not
//! purged, whatever is answered for it alone.
//!
//! A whole trash is saved while it is listed. Of each item its line stays, and the version that was
//! saved; lists that are read later are compared page by page and not held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::complete::{Care, CompleteList, Completeness, Doubt, Prover, Scope};
use super::consent::Shown;
use super::desk::{
    Again, Desk, Fate, Settled, WHOLE, is_not_offered, is_not_there, refusal, refused, unexpected,
};
use super::effect::{JobWrite, StoreError, Stored};
use super::hanging::Hanging;
use super::head::Head;
use super::line::{Line, Outcome};
use super::listing::{LIMIT, Listing, Rows, Seen, in_words, may_hang};
use super::losses::{Losing, Losses, NAMED, has_any, named};
use super::machine::Machine;
use super::proof::{Claim, Claimed, Fingerprint, Ground, Standing};
use super::question::{Decision, Question};
use super::save::{Kept, Save, Wanted};
use super::step::Step;
use super::witness::{Sight, Witness};
use crate::confluence::{ApiError, Call, ContentId, ContentKind, ContentStatus, Reply, SpaceKey};
use crate::text::number;

const TRIES: u8 = 8;
/// How often the trash is read again before it is said not to be empty.
const LOOKS: u32 = 10;
/// The fewest requests that list a space: for no more items than that, it is not listed.
const LEAST_LIST: usize = 2;
/// What is asked of an item just before it is purged.
const LOOK: &str = "version,space";
/// The most items that wait for one look at the trash.
const WITNESSED_AT_ONCE: usize = 16;
/// How often the last reading of the trash is made before what it tells of is said to be there.
const LAST_LOOKS: u32 = 3;
const STILL_LISTED: &str = "Asked for by itself it is not there, and the trash still lists it. Look at the trash again in a while.";
/// The purge of a whole trash names no item: what it was about is in the backup, and nowhere else.
const NOT_AS_SAVED: &str = "The file of the job and its backup do not agree on what was in the trash that it purged, or the backup cannot be read. Look at the trash and the backup to learn what became of it.";
const TAKEN_OUT: &str = "Somebody took it out of the trash.";
const CAME_LATER: &str =
    "You were not shown it when you agreed to purge what was in the trash, so it was left there.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Goal {
    Purge,
    BackUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Reading the trash, to know what is in it, and saving that meanwhile.
    Listing,
    Saving,
    /// Reading the trash for what hangs on the items and is not among them.
    Hanging,
    /// The person is asked about what could not be saved.
    Asking,
    /// The person is asked about what goes with the items and is not saved.
    AskingLosses,
    /// Reading the trash again, just before operation 13.
    ListingAgain,
    /// All of it at once.
    Whole,
    /// After operation 13: reading until it is empty.
    Looking(u32),
    /// What has left the trash is looked for among the pages and blog posts of the space.
    Elsewhere,
    /// One by one.
    Items,
    /// After the last of them: one whole reading of the trash bears out that they are gone.
    LastReading(u32),
    /// After a reopening: is the backup still there?
    Verifying(Next),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Next {
    ListingAgain,
    Items,
}

/// More items than were shown when it was agreed to purge them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum More {
    #[default]
    None,
    Asked,
    Agreed,
}

/// Whether the lines are what is in the backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum AsSaved {
    /// They come from a checkpoint, which others may have changed.
    #[default]
    Unasked,
    /// The disk compares them.
    Asked,
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    #[default]
    Check,
    Ready,
    Settle,
    /// It is not in the trash: was it restored?
    SettleElsewhere,
    /// The purge was answered as if it were not there: is that so?
    Refused,
    /// It is answered as if it were not there. It waits until the server has shown that this user
    /// still sees the trash.
    Missing,
}

/// What is known of an item beside its line. There may be a million: what is not out of the ordinary
/// is not stored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Target {
    /// As the person saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<u64>,
    /// As it is in the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<u64>,
    /// Whether lists of what is current would tell of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_listed: bool,
    #[serde(skip_serializing_if = "Way::is_check")]
    way: Way,
    #[serde(skip_serializing_if = "is_none")]
    tries: u8,
}

impl Way {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_check(&self) -> bool {
        *self == Self::Check
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(tries: &u8) -> bool {
    *tries == 0
}

/// What is read to be compared.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    List(Listing),
    /// In two ways: something is destroyed on the strength of it.
    Proof(Prover),
}

impl Source {
    fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
        match self {
            Self::List(listing) => listing.take(answer),
            Self::Proof(prover) => prover.take(answer),
        }
    }

    fn take_seen(&mut self) -> Vec<Seen> {
        match self {
            Self::List(listing) => listing.take_seen(),
            Self::Proof(prover) => prover.take_seen(),
        }
    }

    fn is_over(&self) -> bool {
        match self {
            Self::List(listing) => listing.is_over(),
            Self::Proof(prover) => prover.is_over(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::List(listing) => listing.len(),
            Self::Proof(prover) => prover.len(),
        }
    }

    fn is_whole_trash(&self) -> bool {
        match self {
            Self::List(listing) => listing.is_whole_trash(),
            Self::Proof(prover) => prover.is_whole_trash(),
        }
    }

    /// Whether something says that it has left rows out.
    fn is_in_doubt(&self) -> bool {
        match self {
            Self::List(listing) => listing.flaw().is_some(),
            Self::Proof(prover) => prover.doubt().is_some(),
        }
    }
}

/// A list that is compared with the items while it is read.
#[derive(Clone, Debug, PartialEq)]
struct Reading {
    listing: Source,
    /// The items in the order of their ids.
    order: Vec<u32>,
    /// Of each item, whether the list has it.
    met: Vec<bool>,
    /// Whether the list has anything that is not an item, or is one in another version.
    differs: bool,
    /// What the list told of, to be found in the backup.
    told: Vec<Fingerprint>,
    /// How many pages of it were read.
    pages: usize,
}

impl Reading {
    fn new(listing: Source, lines: &[Line]) -> Self {
        let mut order: Vec<u32> = (0..lines.len() as u32).collect();
        order.sort_unstable_by_key(|item| &lines[*item as usize].subject);
        Self {
            listing,
            order,
            met: vec![false; lines.len()],
            differs: false,
            told: Vec::new(),
            pages: 0,
        }
    }

    fn meet(&mut self, seen: &Seen, lines: &[Line], targets: &[Target]) {
        let by_id = |item: &u32| (*lines[*item as usize].subject).cmp(seen.id.as_str());
        let from = self.order.partition_point(|item| by_id(item).is_lt());
        let its = self.order[from..]
            .iter()
            .take_while(|item| by_id(item).is_eq());
        let mut is_ours = false;
        for item in its.map(|item| *item as usize) {
            is_ours = true;
            self.met[item] = true;
            // A version that the list does not tell cannot be compared.
            self.differs |= seen.version.is_none() || seen.version != targets[item].saved;
        }
        self.differs |= !is_ours;
        if is_ours {
            self.told
                .push(Fingerprint::of(&seen.id, seen.version, &seen.title));
        }
    }

    fn has(&self, item: u32) -> bool {
        self.met[item as usize]
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Purge {
    goal: Goal,
    /// The space whose whole trash is meant.
    all: Option<SpaceKey>,
    round: u32,
    stage: Stage,
    targets: Vec<Target>,
    /// What of a whole trash could not be saved, or had vanished before.
    #[serde(default)]
    left: Vec<(u32, Kept)>,
    /// What takes files and comments with it that are not saved, by line.
    #[serde(default)]
    losing: Vec<(u32, Losses)>,
    /// What of that was accepted.
    #[serde(default)]
    accepted: Option<Losses>,
    /// What hangs on the items and is in the trash by itself.
    #[serde(default)]
    hanging: Hanging,
    /// Whether something of the trash stays.
    #[serde(default)]
    left_out: bool,
    /// Whether the trash can't be purged in one stroke: a list of it was caught leaving rows out, or
    /// the server has no operation for it.
    #[serde(default)]
    one_by_one: bool,
    /// Whether a list was caught leaving rows out.
    #[serde(default)]
    caught: bool,
    /// Whether something came into the trash after it was agreed to purge what was in it: it stays.
    #[serde(default)]
    came_later: bool,
    /// Whether the person is asked about more items than were shown, or has agreed to them.
    #[serde(skip)]
    more: More,
    // A list that was interrupted is begun anew.
    #[serde(skip)]
    listing: Option<Prover>,
    #[serde(skip)]
    reading: Option<Reading>,
    /// What is ready to be purged: each item as the server told of it.
    #[serde(skip)]
    checked: BTreeMap<u32, Claimed>,
    /// The whole trash as it was listed last, where that is what was saved.
    #[serde(skip)]
    whole: Vec<Fingerprint>,
    /// What is answered as if it were not there, in the order of the answers.
    #[serde(skip)]
    missing: Vec<u32>,
    /// The look at the trash that is under way, and the items that it tells about.
    #[serde(skip)]
    witness: Option<(Witness, Vec<u32>)>,
    /// The proof that what is saved is all that is in the trash. Without it nothing is purged but item
    /// by item.
    #[serde(skip)]
    complete: Option<CompleteList>,
    save: Option<Save>,
    look_at: u64,
    /// Whether operation 13 was answered as done, or seen to be.
    confirmed: bool,
    /// Whether what was listed and saved is what the lines say; learned anew in each run.
    #[serde(skip)]
    as_saved: AsSaved,
    /// The trashes that are to be read once more at the end; `None` before that is known.
    #[serde(skip)]
    unread: Option<Vec<SpaceKey>>,
    /// Trashes that were seen as a whole after the last purge in them.
    #[serde(skip)]
    seen_whole: Vec<SpaceKey>,
}

impl Purge {
    pub(super) fn marked(head: &Head, goal: Goal) -> Self {
        let items = head.target.items.iter();
        let targets = items.map(|it| Target {
            seen: it.version,
            ..Target::default()
        });
        Self::new(goal, None, Stage::Saving, targets.collect())
    }

    pub(super) fn all(space: &SpaceKey) -> Self {
        let all = Some(space.clone());
        Self::new(Goal::Purge, all, Stage::Listing, Vec::new())
    }

    fn new(goal: Goal, all: Option<SpaceKey>, stage: Stage, targets: Vec<Target>) -> Self {
        Self {
            goal,
            all,
            round: 0,
            stage,
            targets,
            left: Vec::new(),
            losing: Vec::new(),
            accepted: None,
            hanging: Hanging::default(),
            left_out: false,
            one_by_one: false,
            caught: false,
            came_later: false,
            more: More::default(),
            listing: None,
            reading: None,
            checked: BTreeMap::new(),
            whole: Vec::new(),
            missing: Vec::new(),
            witness: None,
            complete: None,
            save: None,
            look_at: 0,
            confirmed: false,
            as_saved: AsSaved::Unasked,
            unread: None,
            seen_whole: Vec::new(),
        }
    }

    /// The whole trash is purged item by item, whatever its list looks like.
    pub(super) fn trust_no_list(&mut self) {
        self.one_by_one = true;
    }

    pub(super) fn caught_a_list(&self) -> bool {
        self.caught
    }

    pub(super) fn backup(&self) -> Option<&str> {
        self.save.as_ref().map(Save::folder)
    }

    /// How many items of a whole trash wait to be saved at this moment.
    pub(super) fn held(&self) -> Option<usize> {
        let save = self.all.is_some().then_some(self.save.as_ref());
        save.map(|save| save.map_or(0, Save::waiting))
    }

    fn next_folder(&mut self, desk: &Desk) -> String {
        self.round += 1;
        desk.backup_name(self.round)
    }

    /// What the purge of these stands on.
    fn ground(&self, items: Claimed) -> Ground {
        let backups = self.backup().map(str::to_owned);
        Ground::Backup(Claim {
            backups: backups.into_iter().collect(),
            items,
        })
    }

    /// Reads the whole trash and saves it at the same time: no page is asked for before there is room
    /// for what it brings.
    fn gather(&mut self, desk: &mut Desk) {
        let Some(space) = self.all.clone() else {
            return;
        };
        if self.save.is_none() {
            self.save = Some(Save::streamed(self.next_folder(desk)));
        }
        let Some(save) = &mut self.save else {
            return;
        };
        let listing = self.listing.get_or_insert_with(|| {
            Prover::new(space, Scope::Trash, Rows::default(), Care::InDoubt)
        });
        let has_room =
            save.waiting() < LIMIT as usize && desk.has_room() && desk.has_room_for_files();
        if has_room && !desk.is_busy(WHOLE) {
            listing.ask(desk, WHOLE);
        }
        save.go(desk);
        let total = listing.total().map_or(0, |total| total as usize);
        desk.saving(Some((
            save.fetched() as usize,
            total.max(self.targets.len()),
        )));
        let what = if listing.is_checking() {
            "The list repeats rows: reading the trash in another way"
        } else {
            "Reading the trash"
        };
        desk.say(format!(
            "{what}, {} so far",
            number::grouped(listing.len() as u64)
        ));
    }

    fn gathered(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let (Some(listing), Some(save)) = (&mut self.listing, &mut self.save) else {
            return;
        };
        if let Err(error) = listing.take(answer) {
            self.listing = None;
            desk.halt(format!("The trash could not be read. {}", error.message));
            return;
        }
        let shown = self.all.as_ref().and_then(|space| desk.shown(space));
        for seen in listing.take_seen() {
            let item = desk.add_line(Line::content(&seen.id, &seen.title));
            self.targets.push(Target {
                is_listed: matches!(seen.kind, ContentKind::Page | ContentKind::BlogPost),
                ..Target::default()
            });
            if shown.as_ref().is_some_and(|shown| shown.lacks(&seen.id)) {
                self.came_later = true;
                self.one_by_one = true;
                desk.close(item, Outcome::Skipped(CAME_LATER.to_owned()));
                continue;
            }
            let (wanted, whole) = Wanted::seen(item, seen);
            save.want(desk, wanted, whole);
        }
        if !listing.is_over() {
            return;
        }
        for kind in listing.unlisted() {
            let title = format!("All {} in the trash", in_words(std::slice::from_ref(kind)));
            let line = desk.add_line(Line::content(&ContentId::new(""), &title));
            self.targets.push(Target::default());
            let why = "The server would not list them; they were neither saved nor purged.";
            desk.close(line, Outcome::Skipped(why.to_owned()));
        }
        self.caught |= listing.doubt().is_some_and(Doubt::is_of_a_list);
        self.one_by_one |= listing.doubt().is_some() || !listing.is_whole_trash();
        if let (Some(doubt), Completeness::NotCertain(_)) =
            (listing.doubt(), listing.completeness())
        {
            let line = desk.add_line(Line::content(&ContentId::new(""), UNTOLD));
            self.targets.push(Target::default());
            desk.close(line, left_out(doubt));
        }
        save.finish();
        let found = listing.len() as u64;
        self.listing = None;
        self.stage = Stage::Saving;
        if let (Some(Shown::Count(shown)), Some(space)) = (shown, &self.all)
            && found > shown
        {
            self.more = More::Asked;
            desk.ask(Question::CameLater {
                space: space.clone(),
                shown,
                found,
                items: Vec::new(),
            });
        }
    }

    /// Takes down what became of what was listed.
    fn take_settled(&mut self) {
        let Some(save) = &mut self.save else {
            return;
        };
        for (wanted, kept) in save.take_settled() {
            match kept {
                Kept::Saved(version) => self.targets[wanted.item as usize].saved = version,
                Kept::Gone | Kept::Not(_) => self.left.push((wanted.item, kept)),
            }
        }
    }

    /// Reads a list that is compared with what was saved.
    fn compare(&mut self, desk: &mut Desk, at: u64) {
        let stage = self.stage;
        let space = match stage {
            Stage::LastReading(_) => self
                .unread
                .as_ref()
                .and_then(|unread| unread.last().cloned()),
            _ => self.all.clone(),
        };
        let Some(space) = space else {
            return;
        };
        let reading = self.reading.get_or_insert_with(|| {
            let listing = match stage {
                Stage::Elsewhere => Source::List(Listing::ids(space)),
                Stage::ListingAgain => {
                    Source::Proof(Prover::new(space, Scope::Trash, Rows::Bare, Care::Always))
                }
                _ => Source::List(Listing::trash(space, Rows::Bare)),
            };
            Reading::new(listing, desk.lines())
        });
        let what = match stage {
            Stage::Elsewhere => "Looking for what was taken out of the trash",
            Stage::LastReading(_) => "Reading the trash once more",
            _ => "Reading the trash",
        };
        desk.say(format!(
            "{what}, {} so far",
            number::grouped(reading.listing.len() as u64)
        ));
        let listing = match &reading.listing {
            Source::List(listing) => listing,
            Source::Proof(prover) => {
                prover.ask(desk, WHOLE);
                return;
            }
        };
        if let Some(call) = listing.call() {
            let step = match stage {
                Stage::Looking(_) => Step::Settle,
                Stage::Elsewhere => Step::SettleElsewhere,
                _ => Step::List,
            };
            desk.read_at(WHOLE, step, call, at);
        }
    }

    fn compared(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let Some(reading) = &mut self.reading else {
            return;
        };
        if let Err(error) = reading.listing.take(answer) {
            self.reading = None;
            self.unreadable(desk, &error);
            return;
        }
        reading.pages += 1;
        for seen in reading.listing.take_seen() {
            reading.meet(&seen, desk.lines(), &self.targets);
        }
        if !reading.listing.is_over() {
            if self.stage == Stage::Elsewhere && reading.pages >= self.listed(desk).len() {
                self.ask_for_each(desk);
            }
            return;
        }
        let Some(mut reading) = self.reading.take() else {
            return;
        };
        self.caught |= reading.listing.is_in_doubt();
        match self.stage {
            Stage::LastReading(looks) => self.read_last(desk, &reading, looks),
            Stage::ListingAgain => {
                let has_all = reading.met.iter().all(|met| *met);
                let same = reading.listing.is_whole_trash() && has_all && !reading.differs;
                if same {
                    self.whole = std::mem::take(&mut reading.told);
                    self.as_saved = AsSaved::Yes;
                }
                self.complete = match &reading.listing {
                    Source::Proof(prover) if same => match prover.completeness() {
                        Completeness::Certain(list) => Some(list),
                        Completeness::NotCertain(_) => None,
                    },
                    _ => None,
                };
                self.stage = match &self.complete {
                    Some(list) if list.is_undisputed() => Stage::Whole,
                    _ => Stage::Items,
                };
            }
            Stage::Looking(looks) => self.looked(desk, &reading, looks),
            // What a list leaves out is not gone.
            Stage::Elsewhere if reading.listing.is_in_doubt() => self.ask_for_each(desk),
            Stage::Elsewhere => {
                self.end_listed(desk, |item| {
                    if reading.has(item) {
                        Outcome::Skipped(TAKEN_OUT.to_owned())
                    } else {
                        Outcome::Done(None)
                    }
                });
            }
            _ => {}
        }
    }

    /// After a whole trash was asked to be purged: whether the lines are what was in it, by the backup.
    /// Until that is known nothing is said of any; if they are not, that is said.
    fn lines_are_as_saved(&mut self, desk: &mut Desk) -> bool {
        match self.as_saved {
            AsSaved::Yes => true,
            AsSaved::Asked => false,
            AsSaved::Unasked => {
                let of = |item: u32| {
                    let saved = self.targets[item as usize].saved;
                    let title = &desk.lines()[item as usize].title;
                    Fingerprint::of(&id_of(desk, item), saved, title)
                };
                let items: Vec<Fingerprint> = desk.open().map(of).collect();
                let backups = self.backup().map(str::to_owned).into_iter().collect();
                let items = Claimed::All(items.into());
                desk.store(JobWrite::Prove(Claim { backups, items }));
                desk.say("Comparing the backup with the items of the job");
                self.as_saved = AsSaved::Asked;
                false
            }
            AsSaved::No => {
                let why = NOT_AS_SAVED;
                desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(why));
                self.stage = Stage::Items;
                let mut open: Vec<u32> = desk.open().collect();
                open.retain(|item| !desk.is_in_doubt(*item, Step::Purge));
                for item in open {
                    desk.close(item, Outcome::Unknown(why.to_owned()));
                }
                true
            }
        }
    }

    /// A list could not be read: nothing is said that would follow from it.
    fn unreadable(&mut self, desk: &mut Desk, error: &ApiError) {
        match self.stage {
            Stage::Looking(_) => {
                let why = format!("The trash could not be read again. {}", error.message);
                desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(&why));
                self.stage = Stage::Items;
                let open: Vec<u32> = desk.open().collect();
                for item in open {
                    desk.close(item, Outcome::Unknown(why.clone()));
                }
            }
            Stage::Elsewhere => {
                let why = left_it(error);
                self.end_listed(desk, |_| Outcome::Unknown(why.clone()));
            }
            Stage::LastReading(_) => {
                let why = format!(
                    "It was asked for by itself and is gone; the trash could not be read once more to bear that out. {}",
                    error.message
                );
                self.note_purged(desk, &why);
                self.read_next(desk);
            }
            _ => desk.halt(format!("The trash could not be read. {}", error.message)),
        }
    }

    /// What is open and would be told of by lists of what is current.
    fn listed(&self, desk: &Desk) -> Vec<u32> {
        let mut open: Vec<u32> = desk.open().collect();
        open.retain(|item| self.targets[*item as usize].is_listed);
        open
    }

    /// Operation 13 is applied, and what is open has left the trash: purged by it, or taken out by
    /// somebody just before? The pages and blog posts of the space tell, for as long as reading them
    /// takes fewer requests than asking for each item.
    fn look_elsewhere(&mut self, desk: &mut Desk) {
        if self.listed(desk).len() > LEAST_LIST {
            self.stage = Stage::Elsewhere;
        } else {
            self.ask_for_each(desk);
        }
    }

    fn ask_for_each(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().collect();
        for item in open {
            self.targets[item as usize].way = Way::SettleElsewhere;
        }
        self.reading = None;
        self.stage = Stage::Items;
    }

    /// Closes what lists of the space tell of; the rest is asked for one by one.
    fn end_listed(&mut self, desk: &mut Desk, outcome: impl Fn(u32) -> Outcome) {
        for item in self.listed(desk) {
            desk.close(item, outcome(item));
        }
        self.ask_for_each(desk);
    }

    fn begin_saving(&mut self, desk: &mut Desk) {
        let folder = self.next_folder(desk);
        let items = &desk.head().target.items;
        let wanted = desk.open().map(|item| Wanted {
            item,
            id: id_of(desk, item),
            kind: items[item as usize].kind.clone(),
            title: desk.lines()[item as usize].title.clone(),
            status: ContentStatus::Trashed,
        });
        self.save = Some(Save::new(folder, wanted.collect()));
    }

    /// The backup is verified: what is in it may go.
    fn saved(&mut self, desk: &mut Desk) {
        let Some(save) = &mut self.save else {
            return;
        };
        desk.say("");
        let mut left_out = self.came_later;
        self.losing = save.take_losing();
        self.hanging = Hanging::told(desk, save.take_placed());
        self.hanging.are_saved(&save.take_hung());
        let mut is_all_saved = !self.came_later;
        let mut kept = save.take_kept();
        kept.append(&mut self.left);
        for (item, kept) in kept {
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
                    target.way = Way::Missing;
                    self.missing.push(item);
                }
                Kept::Not(why) => {
                    left_out = true;
                    is_all_saved = false;
                    desk.close(item, Outcome::NotSaved(why));
                }
            }
        }
        self.left_out = left_out;
        // What of a whole trash is saved has told what it hangs on.
        if self.goal == Goal::Purge && (self.all.is_none() || !is_all_saved) {
            let pages = self.pages(desk).into_iter();
            let mut spaces: Vec<SpaceKey> = pages.filter_map(|(_, key)| key).collect();
            spaces.sort();
            spaces.dedup();
            self.hanging.look(spaces);
        }
        self.stage = Stage::Hanging;
        self.look_for_hanging(desk);
        desk.checkpoint();
    }

    /// What is still to be purged and other things can hang on, each with its space.
    fn pages(&self, desk: &Desk) -> Vec<(u32, Option<SpaceKey>)> {
        let items = &desk.head().target.items;
        let is_page = |item: &u32| match items.get(*item as usize) {
            Some(it) if self.all.is_none() => has_any(&it.kind),
            _ => self.targets[*item as usize].is_listed,
        };
        let open = desk.open().filter(is_page);
        open.map(|item| (item, self.space_of(desk, item))).collect()
    }

    /// Reads the trash for what hangs on the items; then the losses are weighed.
    fn look_for_hanging(&mut self, desk: &mut Desk) {
        if self.hanging.ask(desk) {
            return;
        }
        desk.say("");
        // Of a whole trash that is saved, nothing is untold.
        let pages = if self.goal == Goal::Purge && (self.all.is_none() || self.left_out) {
            self.pages(desk)
        } else {
            Vec::new()
        };
        let mut losing: BTreeMap<u32, Losses> = self.losing.drain(..).collect();
        for (item, more) in self.hanging.sort(desk, &pages) {
            let losses = losing.entry(item).or_default();
            *losses = losses.with(more);
        }
        self.losing = losing.into_iter().collect();
        self.weigh(desk);
    }

    /// All of it is listed and saved anew, under another name. Nothing was sent.
    fn save_anew(&mut self, desk: &mut Desk) {
        if let Some(save) = self.save.take() {
            desk.release(save.folder());
        }
        self.listing = None;
        self.losing.clear();
        self.accepted = None;
        if self.all.is_some() {
            self.targets.clear();
            self.left.clear();
            self.came_later = false;
            self.more = More::None;
            desk.forget_lines();
            self.stage = Stage::Listing;
        } else {
            self.stage = Stage::Saving;
        }
    }

    /// What goes with the items that are still to be purged, and is not saved.
    fn losses(&self, desk: &Desk) -> Losses {
        let open = self.losing.iter().filter(|(item, _)| desk.is_open(*item));
        open.fold(Losses::default(), |sum, (_, losses)| sum.and(*losses))
    }

    /// What goes with an item and is not saved.
    fn lost_with(&self, item: u32) -> Losses {
        let mut losing = self.losing.iter();
        let found = losing.find(|(losing, _)| *losing == item);
        found.map_or(Losses::default(), |(_, losses)| *losses)
    }

    /// Before the first request that destroys: what would be lost is accepted, or asked about.
    fn weigh(&mut self, desk: &mut Desk) {
        let losses = self.losses(desk);
        let accepted = self.accepted.unwrap_or_default();
        if self.goal == Goal::Purge && !losses.are_within(&accepted) {
            self.stage = Stage::AskingLosses;
            let open = self.losing.iter().filter(|(item, _)| desk.is_open(*item));
            let items = open.take(NAMED).map(|(item, losses)| Losing {
                id: id_of(desk, *item),
                title: desk.lines()[*item as usize].title.to_string(),
                losses: *losses,
                named: {
                    let lacks = self.save.as_ref().map_or(&[][..], |save| save.lacks());
                    let mut why = named(lacks, &id_of(desk, *item));
                    why.extend_from_slice(self.hanging.why(*item));
                    why
                },
            });
            let items = items.collect();
            desk.ask(Question::Losses {
                space: None,
                items,
                losses,
            });
            return;
        }
        let may_be_whole = self.all.is_some() && !self.left_out && !self.one_by_one;
        self.stage = if may_be_whole && desk.first_open().is_some() {
            Stage::ListingAgain
        } else {
            Stage::Items
        };
    }

    /// The person has answered what would be lost.
    fn weighed(&mut self, desk: &mut Desk, decision: &Decision) {
        match decision {
            Decision::Again => {
                self.save_anew(desk);
                return;
            }
            Decision::GoOn => self.accepted = Some(self.losses(desk)),
            Decision::LeaveOut => {
                let losing = self.losing.iter().map(|(item, losses)| (*item, *losses));
                for (item, losses) in losing
                    .filter(|(item, _)| desk.is_open(*item))
                    .collect::<Vec<_>>()
                {
                    let why = format!("It was left alone: {} would be lost.", losses.in_words());
                    desk.close(item, Outcome::Skipped(why));
                }
                self.left_out = true;
            }
            _ => {
                desk.halt("What hangs on these items is in no backup, so nothing was purged.");
                return;
            }
        }
        self.weigh(desk);
    }

    fn looked(&mut self, desk: &mut Desk, reading: &Reading, looks: u32) {
        let open: Vec<u32> = desk.open().collect();
        let left = open.iter().filter(|item| reading.has(**item)).count();
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
        let is_whole = reading.listing.is_whole_trash();
        if is_whole && (self.confirmed || left == 0) {
            self.confirmed = true;
            settle_whole(desk, left, open.len());
            for item in open.into_iter().filter(|item| reading.has(*item)) {
                desk.close(
                    item,
                    Outcome::Failed("It is still in the trash.".to_owned()),
                );
            }
            self.look_elsewhere(desk);
            return;
        }
        if left == 0 {
            desk.settle(WHOLE, Step::PurgeTrash, Settled::Done);
        } else {
            let why = format!(
                "{}, and the trash is not empty. The server may still be at it.",
                desk.heard(WHOLE, Step::PurgeTrash)
            );
            let why = why.as_str();
            desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(why));
            if desk.is_stopping() {
                for item in &open {
                    if reading.has(*item) {
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
        // Purged by this, or taken out of the trash by somebody meanwhile? What a list by type leaves
        // out may be in the trash all the same.
        for item in open.into_iter().filter(|item| !reading.has(*item)) {
            self.targets[item as usize].way = if is_whole {
                Way::SettleElsewhere
            } else {
                Way::Settle
            };
        }
    }

    /// Looks at the trash of the first item that is missing, for all of that space that are.
    fn look_at_the_trash(&mut self, desk: &mut Desk) {
        let is_due = self.missing.len() >= WITNESSED_AT_ONCE || desk.is_idle();
        if self.witness.is_none()
            && is_due
            && let Some(first) = self.missing.first().copied()
        {
            let space = self.space_of(desk, first);
            let missing = self.missing.iter().copied();
            let (these, others) = missing.partition(|item| self.space_of(desk, *item) == space);
            self.missing = others;
            self.witness = Some((Witness::of_trash(space), these));
        }
        if let Some((witness, items)) = &self.witness
            && !desk.is_busy(items[0])
        {
            desk.read(items[0], Step::Witness, witness.call());
        }
    }

    fn space_of(&self, desk: &Desk, item: u32) -> Option<SpaceKey> {
        let items = &desk.head().target.items;
        let of_item = || items.get(item as usize).and_then(|it| it.space.clone());
        self.all.clone().or_else(of_item)
    }

    /// The trash was looked at: what is missing is gone, or only hidden.
    fn witnessed(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let Some((mut witness, items)) = self.witness.take() else {
            return;
        };
        let Some(sight) = witness.answer(desk.user(), answer) else {
            self.witness = Some((witness, items));
            return;
        };
        let space = self.space_of(desk, items[0]);
        // What was purged by itself comes first: the others may have gone with it.
        let was_sent = |item: &u32| desk.is_in_doubt(*item, Step::Purge);
        let (sent, others): (Vec<u32>, Vec<u32>) = items.into_iter().partition(was_sent);
        for item in sent.into_iter().chain(others) {
            if desk.is_open(item) {
                self.end_missing(desk, item, &sight);
            }
        }
        if let Sight::Shown(ids) = &sight
            && witness.saw_all()
        {
            self.seen_whole(desk, space, ids);
        }
    }

    /// The lines that count as purged, or as gone, in this space.
    fn purged(&self, desk: &Desk, space: &SpaceKey) -> Vec<u32> {
        let lines = (0..).zip(desk.lines());
        lines
            .filter(|(_, line)| matches!(line.outcome, Some(Outcome::Done(_) | Outcome::Gone)))
            .map(|(item, _)| item)
            .filter(|item| self.space_of(desk, *item).as_ref() == Some(space))
            .collect()
    }

    /// A look has shown these ids, and they are all that is in the trash of a space: if nothing more is
    /// to be purged there and none of them counts as purged, that is its last reading.
    fn seen_whole(&mut self, desk: &Desk, space: Option<SpaceKey>, ids: &[ContentId]) {
        let Some(space) = space else {
            return;
        };
        let is_over = !desk
            .open()
            .any(|item| self.space_of(desk, item).as_ref() == Some(&space));
        if is_over
            && !self
                .purged(desk, &space)
                .iter()
                .any(|item| ids.contains(&id_of(desk, *item)))
        {
            self.seen_whole.push(space);
        }
    }

    /// Nothing is left to be purged: reads the trashes once more that were not read as a whole since.
    fn begin_last_reading(&mut self, desk: &mut Desk) {
        let is_due = self.goal == Goal::Purge && !self.confirmed && self.unread.is_none();
        if !is_due || desk.is_stopping() || desk.first_open().is_some() || !desk.is_idle() {
            return;
        }
        let mut spaces: Vec<SpaceKey> = (0..desk.lines().len() as u32)
            .filter(|item| {
                let outcome = &desk.lines()[*item as usize].outcome;
                matches!(outcome, Some(Outcome::Done(_) | Outcome::Gone))
            })
            .filter_map(|item| self.space_of(desk, item))
            .collect();
        spaces.sort();
        spaces.dedup();
        spaces.retain(|space| !self.seen_whole.contains(space));
        spaces.reverse();
        let is_any = !spaces.is_empty();
        self.unread = Some(spaces);
        if is_any {
            self.reading = None;
            self.stage = Stage::LastReading(0);
            self.compare(desk, desk.at());
        }
    }

    /// On to the next trash that is to be read once more.
    fn read_next(&mut self, desk: &mut Desk) {
        let unread = self.unread.get_or_insert_default();
        unread.pop();
        desk.say("");
        self.stage = if unread.is_empty() {
            Stage::Items
        } else {
            Stage::LastReading(0)
        };
        self.look_at = 0;
    }

    /// The trash was read once more as a whole.
    fn read_last(&mut self, desk: &mut Desk, reading: &Reading, looks: u32) {
        let Some(space) = self
            .unread
            .as_ref()
            .and_then(|unread| unread.last().cloned())
        else {
            self.stage = Stage::Items;
            return;
        };
        let mut still = self.purged(desk, &space);
        still.retain(|item| reading.has(*item));
        if !still.is_empty() && looks < LAST_LOOKS {
            self.stage = Stage::LastReading(looks + 1);
            self.look_at = desk.at() + (1_000 << looks);
            return;
        }
        for item in still {
            let call = Call::PurgeContent {
                id: id_of(desk, item),
            };
            if desk.lines()[item as usize].outcome != Some(Outcome::Gone) {
                desk.take_back(item, Step::Purge, &call, STILL_LISTED);
            }
            desk.close(item, Outcome::Unknown(STILL_LISTED.to_owned()));
        }
        if reading.listing.is_in_doubt() {
            let why = "It was asked for by itself and is gone. The list of the trash repeats rows, so it may leave others out and bears nothing out.";
            self.note_purged(desk, why);
        }
        self.read_next(desk);
    }

    /// Says something of what was purged in the space that is read once more.
    fn note_purged(&self, desk: &mut Desk, why: &str) {
        let Some(space) = self
            .unread
            .as_ref()
            .and_then(|unread| unread.last().cloned())
        else {
            return;
        };
        for item in self.purged(desk, &space) {
            if desk.lines()[item as usize].outcome == Some(Outcome::Done(None)) {
                desk.close(item, Outcome::Done(Some(why.to_owned())));
            }
        }
    }

    fn end_missing(&mut self, desk: &mut Desk, item: u32, sight: &Sight) {
        let was_sent = desk.is_in_doubt(item, Step::Purge);
        let id = id_of(desk, item);
        match sight {
            Sight::Shown(ids) if !ids.contains(&id) => {
                desk.settle(item, Step::Purge, Settled::Done);
                desk.close(
                    item,
                    if was_sent {
                        Outcome::Done(None)
                    } else if self.went_with_page(desk, item) {
                        Outcome::WithPage
                    } else {
                        Outcome::Gone
                    },
                );
            }
            Sight::Shown(_) if was_sent && desk.looks_again(item, Step::Purge) => {
                self.targets[item as usize].way = Way::Settle;
            }
            Sight::Shown(_) if was_sent => {
                let why = STILL_LISTED;
                desk.settle(item, Step::Purge, Settled::Unknown(why));
                desk.close(item, Outcome::Unknown(why.to_owned()));
            }
            Sight::Shown(_) => {
                let why = "The trash lists it, and asked for by itself it is not there. You may not be permitted to purge it.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            Sight::Hidden(why) if was_sent => {
                desk.settle(item, Step::Purge, Settled::Unknown(why));
                desk.close(item, Outcome::Unknown(why.clone()));
            }
            Sight::Hidden(why) => desk.close(item, Outcome::Failed(why.clone())),
        }
    }

    fn go_items(&mut self, desk: &mut Desk) {
        self.ask_for_items(desk);
        self.look_at_the_trash(desk);
    }

    /// Whether an item that is gone, and was not purged by itself, went with something that this job
    /// purged: with what it is known to have hung on, or, where that was never told, with a page of the
    /// same space.
    fn went_with_page(&self, desk: &Desk, item: u32) -> bool {
        // What was not saved was gone before anything was purged.
        let was_saved = self.targets[item as usize].saved.is_some();
        if !was_saved || !self.may_hang(desk, item) {
            return false;
        }
        let is_done = |item: u32| {
            let line = desk.lines().get(item as usize);
            line.is_some_and(|line| matches!(line.outcome, Some(Outcome::Done(_))))
        };
        let mut holders = self.hanging.holders(item).peekable();
        if holders.peek().is_some() {
            return holders.any(is_done);
        }
        if self.hanging.is_told(item) {
            return false;
        }
        let space = self.space_of(desk, item);
        let all = 0..desk.lines().len() as u32;
        all.filter(|other| *other != item && is_done(*other))
            .any(|other| self.space_of(desk, other) == space && !self.is_file(desk, other))
    }

    /// Whether an item may hang on another: a file or a comment.
    fn may_hang(&self, desk: &Desk, item: u32) -> bool {
        match desk.head().target.items.get(item as usize) {
            Some(it) if self.all.is_none() => may_hang(&it.kind),
            _ => !self.targets[item as usize].is_listed,
        }
    }

    /// Whether an item is known to be a file, on which nothing hangs.
    fn is_file(&self, desk: &Desk, item: u32) -> bool {
        let it = desk.head().target.items.get(item as usize);
        it.is_some_and(|it| self.all.is_none() && it.kind == ContentKind::Attachment)
    }

    /// Whether no purge of it is looked into.
    fn is_unsent(&self, item: u32) -> bool {
        matches!(self.targets[item as usize].way, Way::Check | Way::Ready)
    }

    /// These items, and instead of those on which others hang, at first the others.
    fn in_turn(&self, desk: &Desk, items: &[u32]) -> Vec<u32> {
        let mut turn = Vec::new();
        for item in items {
            let hanging = self.hanging.before(*item).iter().copied();
            let open: Vec<u32> = hanging.filter(|it| desk.is_open(*it)).collect();
            if open.is_empty() || !self.is_unsent(*item) {
                turn.push(*item);
            } else {
                let is_asked_for = |it: &u32| self.targets[*it as usize].way != Way::Missing;
                turn.extend(open.into_iter().filter(is_asked_for));
            }
        }
        turn
    }

    fn ask_for_items(&mut self, desk: &mut Desk) {
        let is_asked_for = |item: &u32| self.targets[*item as usize].way != Way::Missing;
        let open: Vec<u32> = desk.open().filter(is_asked_for).take(32).collect();
        for item in self.in_turn(desk, &open) {
            if !desk.has_room() {
                return;
            }
            if desk.is_busy(item) || !desk.is_open(item) {
                continue;
            }
            if self.is_unsent(item)
                && let Some(why) = self.hanging.keeps(desk, item)
            {
                desk.close(item, Outcome::Skipped(why));
                continue;
            }
            let checked = match self.targets[item as usize].way {
                Way::Ready => self.checked.remove(&item),
                _ => None,
            };
            let ground = checked.map(|checked| self.ground(checked));
            let target = &mut self.targets[item as usize];
            if target.way == Way::Ready && ground.is_none() {
                // Of an earlier run.
                target.way = Way::Check;
            }
            let id = id_of(desk, item);
            let trashed = |id| Call::Content {
                id,
                status: Some(ContentStatus::Trashed),
                expand: LOOK.to_owned(),
            };
            match (target.way, ground) {
                (Way::Check | Way::Ready, _) if desk.is_stopping() => {}
                (Way::Check | Way::Ready, None) => desk.read(item, Step::Check, trashed(id)),
                (Way::Check | Way::Ready, Some(ground)) => {
                    // Should this not go out, it is looked at again.
                    target.way = Way::Check;
                    let before = match target.saved {
                        Some(version) => format!("trashed, version {version}, saved"),
                        None => "trashed, saved".to_owned(),
                    };
                    let before = format!("{before}{}", self.lost_with(item).accepted());
                    let call = Call::PurgeContent { id };
                    desk.destroy(item, Step::Purge, call, before, ground);
                }
                (Way::Settle | Way::Refused, _) => desk.read(item, Step::Settle, trashed(id)),
                (Way::Missing, _) => {}
                (Way::SettleElsewhere, _) => desk.read(
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
                let version = now.version.as_ref().and_then(|version| version.number);
                if *now.title != *desk.lines()[item as usize].title {
                    let why = format!("On the server it is called {:?}.", now.title);
                    desk.close(item, Outcome::Skipped(why));
                } else if version.is_none() || target.saved.is_none() {
                    let why = "Its version is not told, so whether it has changed since it was saved cannot be seen.";
                    desk.close(item, Outcome::Skipped(why.to_owned()));
                } else if version == target.saved && now.status != Some(ContentStatus::Current) {
                    target.way = Way::Ready;
                    self.checked.insert(item, Claimed::one(&now));
                } else {
                    let why = "It has changed since it was saved.";
                    desk.close(item, Outcome::Skipped(why.to_owned()));
                }
            }
            (Step::Check, Err(error)) if is_not_there(&error) => {
                target.way = Way::Missing;
                self.missing.push(item);
            }
            (Step::Check, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.close(item, Outcome::Failed(error.message));
            }
            (Step::Settle, Err(error))
                if is_not_there(&error)
                    && (target.way == Way::Refused || desk.is_accepted(item, Step::Purge)) =>
            {
                target.way = Way::Missing;
                self.missing.push(item);
            }
            (Step::Settle, Ok(_)) if target.way == Way::Refused => {
                let why = "The server answered as if it were not there, and it is still in the trash. You may not be permitted to purge it.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            (Step::Settle, Err(error)) if target.way == Way::Refused => {
                desk.close(item, Outcome::Failed(error.message));
            }
            (Step::Settle, Ok(Reply::Content(_))) if desk.looks_again(item, Step::Purge) => {}
            (Step::Settle, Ok(Reply::Content(_))) => {
                let (why, again) = desk.not_applied(item, Step::Purge, "it is still in the trash");
                target.way = Way::Check;
                target.tries += 1;
                if again == Again::No || target.tries >= TRIES {
                    desk.close(item, Outcome::Failed(why));
                }
            }
            (Step::Settle, Err(error)) if is_not_there(&error) => {
                target.way = Way::SettleElsewhere;
            }
            (Step::SettleElsewhere, Ok(_)) => {
                desk.settle(item, Step::Purge, Settled::NotApplied(TAKEN_OUT));
                desk.close(item, Outcome::Skipped(TAKEN_OUT.to_owned()));
            }
            // The trash was read after its purge, without this item.
            (Step::SettleElsewhere, Err(error)) if is_not_there(&error) && self.confirmed => {
                desk.settle(item, Step::Purge, Settled::Done);
                desk.close(item, Outcome::Done(None));
            }
            (Step::SettleElsewhere, Err(error)) if is_not_there(&error) => {
                target.way = Way::Missing;
                self.missing.push(item);
            }
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = if self.confirmed && !desk.is_in_doubt(item, Step::Purge) {
                    left_it(&error)
                } else {
                    desk.unconfirmed(item, Step::Purge, &error)
                };
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }
}

/// What a list may have left out, as a line.
const UNTOLD: &str = "What the list leaves out";

fn left_out(doubt: Doubt) -> Outcome {
    Outcome::Skipped(format!(
        "It is not certain that all of the trash was listed, because {}. What was listed is purged item by item, and the rest stays: look at the trash once more.",
        doubt.because()
    ))
}

fn id_of(desk: &Desk, item: u32) -> ContentId {
    ContentId::new(&desk.lines()[item as usize].subject)
}

/// Ends the purge of a whole trash of which so many of so many are still there.
fn settle_whole(desk: &mut Desk, left: usize, of: usize) {
    if left == 0 {
        desk.settle(WHOLE, Step::PurgeTrash, Settled::Done);
    } else if left == of {
        desk.not_applied(WHOLE, Step::PurgeTrash, "all of it is still in the trash");
    } else {
        let why = format!(
            "{}, and {} of {} items are still in the trash.",
            desk.heard(WHOLE, Step::PurgeTrash),
            number::grouped(left as u64),
            number::grouped(of as u64)
        );
        desk.settle(WHOLE, Step::PurgeTrash, Settled::Unknown(&why));
    }
}

/// What is known of an item that a whole purge may have purged.
fn left_it(error: &ApiError) -> String {
    format!(
        "It is no longer in the trash, and whether it was purged or taken out could not be learned. {}",
        error.message
    )
}

impl Machine for Purge {
    fn go(&mut self, desk: &mut Desk) {
        let is_about_whole = match self.stage {
            Stage::Looking(_) | Stage::Elsewhere => true,
            Stage::Items => self.confirmed,
            _ => false,
        };
        if is_about_whole && !self.lines_are_as_saved(desk) {
            return;
        }
        if desk.is_stopping() && !matches!(self.stage, Stage::Looking(_) | Stage::Elsewhere) {
            // Only what is in doubt is still asked about.
            self.go_items(desk);
            return;
        }
        match self.stage {
            Stage::Listing => self.gather(desk),
            Stage::ListingAgain | Stage::Elsewhere => {
                if !desk.is_busy(WHOLE) {
                    self.compare(desk, desk.at());
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
                if self.all.is_some() && save.waiting() > 0 {
                    desk.saving(Some((save.fetched() as usize, self.targets.len())));
                    desk.say("");
                }
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
            Stage::Asking | Stage::AskingLosses => {}
            Stage::Hanging => {
                self.look_for_hanging(desk);
                if self.stage != Stage::Hanging {
                    desk.checkpoint();
                    self.go(desk);
                }
            }
            Stage::Verifying(next) => {
                let Some(save) = &mut self.save else {
                    desk.halt("It does not say which backup it made, so nothing more was purged.");
                    return;
                };
                save.go(desk);
                if let Some(why) = save.broken() {
                    desk.lose_backup(why);
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
                    if self.complete.take().is_none() {
                        self.go(desk);
                        return;
                    }
                    let before = format!(
                        "{} in the trash, all saved{}",
                        number::count(self.targets.len() as u64, "item"),
                        self.losses(desk).accepted()
                    );
                    let items = std::mem::take(&mut self.whole);
                    let ground = self.ground(Claimed::All(items.into()));
                    let call = Call::PurgeTrash { key };
                    desk.destroy(WHOLE, Step::PurgeTrash, call, before, ground);
                }
            }
            Stage::Looking(_) | Stage::LastReading(_) => {
                if !desk.is_busy(WHOLE) {
                    self.compare(desk, self.look_at.max(desk.at()));
                }
            }
            Stage::Items => {
                self.go_items(desk);
                self.begin_last_reading(desk);
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        match (&mut self.save, self.stage) {
            _ if step == Step::Witness => self.witnessed(desk, answer),
            (_, Stage::Listing) if item == WHOLE => self.gathered(desk, answer),
            (_, Stage::Hanging) if item == WHOLE => self.hanging.take(answer),
            _ if item == WHOLE => self.compared(desk, answer),
            (Some(save), Stage::Listing | Stage::Saving) => save.read(desk, item, step, answer),
            _ => self.item_read(desk, item, step, answer),
        }
        self.take_settled();
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        if item == WHOLE {
            match fate {
                Fate::Applied { .. } | Fate::Accepted { .. } => {
                    self.confirmed = true;
                    self.stage = Stage::Looking(0);
                }
                Fate::Refused(error) if is_not_offered(&error) => self.stage = Stage::Items,
                Fate::Refused(error) => desk.halt(refusal(error)),
                Fate::NotApplied(_) => self.stage = Stage::ListingAgain,
                Fate::InDoubt(_) | Fate::NeverKnown(_) => self.stage = Stage::Looking(0),
            }
            self.look_at = desk.at() + 1_000;
            self.reading = None;
            return;
        }
        // Also when a journal is replayed: once one goes by itself, all do.
        self.stage = Stage::Items;
        let Some(target) = self.targets.get_mut(item as usize) else {
            return;
        };
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) if is_not_there(&error) => target.way = Way::Refused,
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => target.way = Way::Check,
            Fate::Accepted { .. } | Fate::InDoubt(_) => target.way = Way::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }

    fn stored(&mut self, _: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if matches!(what, JobWrite::Prove(_)) {
            if self.as_saved == AsSaved::Asked {
                self.as_saved = match answer {
                    Ok(Stored::Standing(Standing::Holds)) => AsSaved::Yes,
                    Ok(Stored::Standing(Standing::Reading)) => AsSaved::Unasked,
                    Ok(_) | Err(_) => AsSaved::No,
                };
            }
        } else if let Some(save) = &mut self.save {
            save.stored(what, answer);
        }
    }

    fn lacking(&mut self, desk: &mut Desk, item: u32) {
        if item == WHOLE {
            // What is not in the backup is found one by one, and left alone.
            self.stage = Stage::Items;
        } else {
            let why = "It is not in the backup as it is on the server now.";
            desk.close(item, Outcome::Skipped(why.to_owned()));
        }
    }

    fn decide(&mut self, desk: &mut Desk, decision: Decision) {
        if self.more == More::Asked {
            self.more = More::Agreed;
            if decision != Decision::GoOn {
                desk.halt("There was more in the trash than you agreed to, so nothing was purged.");
            }
            return;
        }
        if self.stage == Stage::AskingLosses {
            self.weighed(desk, &decision);
            return;
        }
        if self.stage != Stage::Asking {
            return;
        }
        if decision == Decision::LeaveOut {
            self.saved(desk);
        } else if decision == Decision::Again {
            self.save_anew(desk);
        } else {
            desk.halt("Some items could not be saved, so nothing was purged.");
        }
    }

    fn reopened(&mut self, desk: &mut Desk) {
        self.listing = None;
        self.reading = None;
        self.complete = None;
        self.look_at = 0;
        self.missing.clear();
        self.witness = None;
        self.unread = None;
        self.seen_whole.clear();
        for target in &mut self.targets {
            // Whether it is there is asked from the beginning.
            if matches!(target.way, Way::Missing | Way::Refused) {
                target.way = Way::Check;
            }
        }
        let next = match self.stage {
            Stage::Listing
            | Stage::Saving
            | Stage::Hanging
            | Stage::Asking
            | Stage::AskingLosses => {
                // The backup was not finished: it is made anew.
                desk.answered();
                self.save_anew(desk);
                return;
            }
            Stage::ListingAgain | Stage::Whole | Stage::Verifying(Next::ListingAgain) => {
                Next::ListingAgain
            }
            // What is in doubt is learned first, even if the job is then given up.
            Stage::Looking(_) | Stage::Elsewhere => {
                self.stage = Stage::Looking(0);
                return;
            }
            // Nothing more is destroyed: the backup is not looked at for that.
            Stage::Items | Stage::LastReading(_) | Stage::Verifying(Next::Items)
                if desk.first_open().is_none() =>
            {
                self.stage = Stage::Items;
                return;
            }
            Stage::Items | Stage::LastReading(_) | Stage::Verifying(Next::Items) => Next::Items,
        };
        self.stage = Stage::Verifying(next);
        if let Some(save) = &mut self.save {
            save.verify_again();
        }
    }
}
