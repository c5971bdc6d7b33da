//! Content made again from a backup: parents first, restricted before it is filled.
//!
//! Ids, history and watchers do not come back; comments and attached files follow their pages, see
//! [`put_on`]. What was
//! restricted, by itself or by what it hung below, is made blank, restricted, read, and only then
//! given its title and text; where that fails it is put into the trash again. What may have been
//! restricted is treated as restricted: see [`guard`].
//!
//! A server may drop restrictions with any later write. So each write that puts something into a
//! restricted page stays open until a read has shown what was written *and* what keeps the page from
//! others. Where that is gone it is set again; where it does not stay, the page goes into the trash.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::ancestry::{self, Ancestry, Below, Place};
use super::backup::{ANOTHER_COPY, Item};
use super::comparison::Comparison;
use super::desk::{Again, Desk, Fate, Settled, is_not_there, unexpected};
use super::effect::{JobWrite, StoreError, Stored};
use super::guard::{self, Guardian, Kept, MayHoldText, Need, New, Shown, Unshown};
use super::line::{Line, Outcome};
use super::machine::Machine;
use super::new_title::new_title;
use super::question::{Decision, Question};
use super::recipe::{Recipe, Source};
use super::session::Users;
use super::step::Step;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Reply, ServerText, SpaceKey,
    Version,
};

mod put_on;
mod read_back;

use put_on::PutOn;

const TRIES: u8 = 8;
const RENAMES: u32 = 20;
/// How often it is looked whether a page is kept from others: at once, then after 1, 2 and 4 seconds.
const LOOKS: u8 = 4;
/// How often restrictions that are gone once text is in the page are set again.
const RESETS: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Load,
    Title,
    Create,
    /// The answer to the creation was lost: what has the title now?
    FindMade,
    /// Is what was found what was sent?
    Compare,
    /// It was made, and everybody may read it: is what is there what the backup holds?
    ReadBack,
    Restrict,
    Restricted,
    /// Is it kept from others now?
    Verify,
    /// And what it hangs below?
    VerifyAbove,
    Fill,
    Filled,
    Label,
    Labelled,
    Withdraw,
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum OnCollision {
    Ask,
    Skip,
    Rename,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    stage: Stage,
    /// What had the title before.
    known: Vec<ContentId>,
    found: Option<ContentId>,
    made: Option<ContentId>,
    parent: Option<ContentId>,
    /// Where it goes, once that is known.
    #[serde(default)]
    goes: Option<Place>,
    version: u64,
    tries: u8,
    /// Looks that did not show it kept from others.
    #[serde(default)]
    looks: u8,
    /// Whether it was once read and seen to be kept from others.
    #[serde(default)]
    was_kept: bool,
    /// Whether its text is in it.
    #[serde(default)]
    is_filled: bool,
    /// Why it is not known whether its text is in it, if that is so.
    #[serde(default)]
    unsure_of_text: Option<String>,
    /// Whether its labels were settled, one way or the other.
    #[serde(default)]
    is_labelled: bool,
    /// How often its restrictions were found gone after its text was in it, and were set again.
    #[serde(default)]
    resets: u8,
    renamed: u32,
    note: Option<String>,
    /// Why it is put into the trash again.
    #[serde(default)]
    withdrawn_for: Option<String>,
    /// Whether it was made with a title for the time being.
    #[serde(default)]
    has_interim_title: bool,
    /// Its text on the server, when that was last read, compared with the backup's.
    #[serde(default)]
    comparison: Comparison,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Recreate {
    recipe: Recipe,
    user: Users,
    things: Vec<Thing>,
    on_collision: OnCollision,
    /// Whether the place of each is known. Then they are made, one after the other.
    #[serde(default)]
    all_placed: bool,
    /// Whether all that is kept from others is made with a title for the time being. Not so in jobs
    /// of older programs.
    #[serde(default)]
    has_interim_titles: bool,
    asked_disk: bool,
    /// The comments and files that were begun.
    #[serde(default)]
    put_on: BTreeMap<u32, PutOn>,
    /// The texts of one file. Not stored: it is read again.
    #[serde(skip)]
    loaded: Option<(String, HashMap<ContentId, Option<String>>)>,
    /// The files of the backup of which the texts could not be read.
    #[serde(skip)]
    unreadable: BTreeSet<String>,
    #[serde(skip)]
    ancestry: Ancestry,
    /// The item that shows its restrictions, while what it hangs below is read.
    #[serde(skip)]
    shown: Option<(u32, Shown)>,
    /// The item that may hold text now. Not stored: it has to be read again.
    #[serde(skip)]
    proof: Option<(u32, MayHoldText)>,
}

impl Recreate {
    pub(super) fn new(recipe: Recipe, user: Option<String>) -> Self {
        let thing = Thing {
            stage: Stage::Load,
            known: Vec::new(),
            found: None,
            made: None,
            parent: None,
            goes: None,
            version: 1,
            tries: 0,
            looks: 0,
            was_kept: false,
            is_filled: false,
            unsure_of_text: None,
            is_labelled: false,
            resets: 0,
            renamed: 0,
            note: None,
            withdrawn_for: None,
            has_interim_title: false,
            comparison: Comparison::default(),
        };
        let things = vec![thing; recipe.items.len()];
        Self {
            recipe,
            user: Users::begun_by(user),
            things,
            on_collision: OnCollision::Ask,
            all_placed: false,
            has_interim_titles: true,
            asked_disk: false,
            put_on: BTreeMap::new(),
            loaded: None,
            unreadable: BTreeSet::new(),
            ancestry: Ancestry::default(),
            shown: None,
            proof: None,
        }
    }

    pub(super) fn source(&self) -> Source {
        self.recipe.source()
    }

    pub(super) fn reads_from(&self) -> &str {
        &self.recipe.backup
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let items = self.recipe.items.iter();
        items
            .map(|(_, item)| Line::content(&item.id, &item.title))
            .collect()
    }

    fn item(&self, item: u32) -> &Item {
        &self.recipe.items[item as usize].1
    }

    fn title(&self, item: u32) -> ServerText {
        new_title(&self.item(item).title, self.things[item as usize].renamed)
    }

    fn space(&self, item: u32) -> Option<SpaceKey> {
        self.recipe.space(self.item(item))
    }

    fn text(&self, item: u32) -> Option<String> {
        let (_, texts) = self.loaded.as_ref()?;
        texts.get(&self.item(item).id).cloned().flatten()
    }

    /// What has to keep an item from others.
    fn need(&self, item: u32) -> Need {
        let place = |at: u32| self.things[at as usize].goes.as_ref();
        let inherited = ancestry::inherited(&self.recipe, item, place);
        let user = self.user.now();
        guard::need(self.item(item), inherited, self.recipe.unknown, user)
    }

    /// The page that has to keep an item from others by its place: its id, and what was set on it if
    /// it was made again.
    fn guardian(&self, kept: &Kept) -> Option<(ContentId, Option<Kept>)> {
        match kept.below.as_ref()? {
            Guardian::Live(id) => Some((id.clone(), None)),
            Guardian::Again(item) => {
                let kept = match self.need(*item) {
                    Need::Kept(kept) => kept,
                    Need::Open | Need::Left(_) => return None,
                };
                let id = self.things[*item as usize].made.clone()?;
                Some((id, Some(kept)))
            }
        }
    }

    /// Learns where each goes before any is made, so that a kill cannot make it forgotten which
    /// of them have to be restricted.
    fn place(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().collect();
        for item in open {
            let is_placed = self.things[item as usize].goes.is_some() || self.hangs(item);
            if is_placed || desk.is_busy(item) {
                continue;
            }
            match self.ancestry.place(&self.recipe, item) {
                Ok(place) => self.things[item as usize].goes = Some(place),
                Err(ancestry::Open::Failed(why)) => desk.close(item, Outcome::Failed(why)),
                Err(ancestry::Open::Read(id)) => {
                    if !desk.has_room() {
                        return;
                    }
                    if let Some(call) = self.ancestry.ask(item, id) {
                        desk.read(item, Step::Look, call);
                    }
                }
            }
        }
        let is_placed = |item| self.things[item as usize].goes.is_some() || self.hangs(item);
        if desk.open().all(is_placed) {
            self.all_placed = true;
            desk.checkpoint();
        }
    }

    /// What an item is made below, or why it must not be made.
    fn parent_of(&self, item: u32) -> Result<Option<ContentId>, String> {
        const NOT_MADE: &str = "Its parent was not made again.";
        let parent = match &self.things[item as usize].goes {
            None => return Err("It is not known what it hung below.".to_owned()),
            Some(place) => match &place.below {
                Below::Top => return Ok(None),
                Below::Live(id) => return Ok(Some(id.clone())),
                Below::Again(parent) => *parent,
            },
        };
        let thing = &self.things[parent as usize];
        let is_withdrawn = matches!(thing.stage, Stage::Withdraw | Stage::Withdrawn);
        let Some(made) = thing.made.as_ref().filter(|_| !is_withdrawn) else {
            return Err(NOT_MADE.to_owned());
        };
        if thing.was_kept || self.need(parent) == Need::Open {
            return Ok(Some(made.clone()));
        }
        Err("Its parent is not known to be restricted, so nothing was made below it.".to_owned())
    }

    /// The title that an item was made with.
    fn first_title(&self, desk: &Desk, item: u32) -> ServerText {
        let is_interim = self.has_interim_titles || self.things[item as usize].has_interim_title;
        match self.need(item) {
            Need::Kept(_) if is_interim => guard::interim_title(&desk.head().id, item),
            Need::Kept(_) | Need::Open | Need::Left(_) => self.title(item),
        }
    }

    fn look(&self, item: u32) -> Call {
        Call::Content {
            id: self.things[item as usize]
                .made
                .clone()
                .or_else(|| self.things[item as usize].found.clone())
                .unwrap_or_else(|| self.item(item).id.clone()),
            status: None,
            expand: guard::EXPAND.to_owned(),
        }
    }

    fn by_title(&self, item: u32, key: SpaceKey, title: ServerText) -> Call {
        Call::ContentByTitle {
            key,
            title,
            kind: self.item(item).kind.clone(),
        }
    }

    fn collides(&mut self, desk: &mut Desk, item: u32) {
        let title = self.title(item);
        self.things[item as usize].stage = Stage::Title;
        match self.on_collision {
            OnCollision::Ask => desk.ask(Question::TitleCollision {
                title: title.to_string(),
            }),
            OnCollision::Skip => {
                let why = format!("A current content is called {title} already.");
                desk.close(item, Outcome::Skipped(why));
            }
            OnCollision::Rename => {
                let thing = &mut self.things[item as usize];
                thing.renamed += 1;
                // After a lost answer it is looked for by this title, also after a kill.
                desk.checkpoint();
                if thing.renamed > RENAMES {
                    desk.close(item, Outcome::Failed("No free title was found.".to_owned()));
                }
            }
        }
    }

    fn finish(&mut self, desk: &mut Desk, item: u32) {
        if self.is_to_be_read_back(item) {
            self.things[item as usize].stage = Stage::ReadBack;
            return;
        }
        let thing = &self.things[item as usize];
        let mut note = match &thing.made {
            Some(made) => format!("Its new id is {made}."),
            None => String::new(),
        };
        if thing.renamed > 0 {
            note = format!("{note} It is called {} now.", self.title(item));
        }
        let unsure = match self.need(item) {
            Need::Kept(kept) if kept.leaves_somebody_out() => {
                note =
                    format!("{note} Not all who could read or change it are named in the backup.");
                kept.unsure
            }
            Need::Kept(kept) => kept.unsure,
            Need::Open | Need::Left(_) => None,
        };
        let thing = &self.things[item as usize];
        if let Some(why) = unsure {
            note = format!("{note} {}, so it is readable for you alone.", why.because());
        } else if thing.goes.as_ref().is_some_and(Place::is_parent_gone) {
            note = format!("{note} Its former parent is not there any more.");
        }
        if self.things[item as usize].resets > 0 {
            note = format!(
                "{note} The server dropped its restrictions when it was changed, and they were set again: everybody who sees the space could read it for a moment."
            );
        }
        if let Some(more) = &self.things[item as usize].note {
            note = format!("{note} {more}");
        }
        let thing = &self.things[item as usize];
        let outcome = match &thing.unsure_of_text {
            Some(why) => Outcome::Unknown(format!("{why} {note}")),
            None => thing.comparison.outcome(&note),
        };
        desk.close(item, outcome);
    }

    fn unknown(desk: &mut Desk, item: u32, step: Step, why: &str) {
        desk.settle(item, step, Settled::Unknown(why));
        desk.close(item, Outcome::Unknown(why.to_owned()));
    }

    /// Not applied after all: once more, but not for ever, and not where it was answered as done.
    fn once_more(&mut self, desk: &mut Desk, item: u32, step: Step, back_to: Stage) {
        if desk.looks_again(item, step) {
            return;
        }
        let (why, again) = desk.not_applied(item, step, "it was not applied");
        let thing = &mut self.things[item as usize];
        thing.stage = back_to;
        thing.tries += 1;
        if again == Again::Yes && thing.tries < TRIES {
            return;
        }
        match step {
            Step::Label => self.labels_end(desk, item, Some(&why)),
            Step::Withdraw => self.stays(desk, item, &why),
            _ => {
                let why = format!("{why}{}", self.left_behind(desk, item));
                desk.close(item, Outcome::Failed(why));
            }
        }
    }

    /// Whether its text may be in it.
    fn may_hold_text(&self, desk: &Desk, item: u32) -> bool {
        self.things[item as usize].is_filled || desk.is_in_doubt(item, Step::FillIn)
    }

    /// What a page is called on the server now: where its text may be in it, so may its title.
    fn shown_title(&self, desk: &Desk, item: u32) -> ServerText {
        if self.may_hold_text(desk, item) {
            self.title(item)
        } else {
            self.first_title(desk, item)
        }
    }

    /// What stands in the space of an item that was begun and is not made again; empty: nothing.
    fn left_behind(&self, desk: &Desk, item: u32) -> String {
        let Some(id) = &self.things[item as usize].made else {
            return String::new();
        };
        let title = self.shown_title(desk, item);
        let what = if self.may_hold_text(desk, item) {
            "page"
        } else {
            "blank page"
        };
        format!(
            " A {what} \"{title}\" (id {id}) stands in the space: look at it, and delete it there."
        )
    }

    /// Puts it into the trash again, for this reason.
    fn withdraw(&mut self, desk: &Desk, item: u32, why: &str) {
        let because = if self.may_hold_text(desk, item) {
            "everybody who sees the space may have read it, and it was taken out again"
        } else {
            "it was not made again"
        };
        let thing = &mut self.things[item as usize];
        thing.withdrawn_for = Some(format!("{why}, so {because}."));
        thing.looks = 0;
        thing.stage = Stage::Withdraw;
    }

    /// It is in the trash again: says why, and under which title it lies there.
    fn withdrawn(&mut self, desk: &mut Desk, item: u32) {
        let place = match (self.space(item), &self.things[item as usize].made) {
            (Some(space), Some(id)) => format!(
                " It is in the trash of {space} as \"{}\" (id {id}): purge it there.",
                self.shown_title(desk, item)
            ),
            _ => String::new(),
        };
        let why = format!("{}{place}", self.why_withdrawn(item));
        self.settle_text(desk, item);
        desk.close(item, Outcome::Failed(why));
    }

    /// It could not be put into the trash again.
    fn stays(&mut self, desk: &mut Desk, item: u32, why: &str) {
        let id = self.things[item as usize].made.clone();
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let title = self.shown_title(desk, item);
        let state = if self.may_hold_text(desk, item) {
            format!(
                "Everybody who sees the space may be able to read \"{title}\" (id {id}): restrict it or delete it now."
            )
        } else {
            format!("It stands empty as \"{title}\" (id {id}): delete it there.")
        };
        let why = format!("{} {why} {state}", self.why_withdrawn(item));
        self.settle_text(desk, item);
        desk.close(item, Outcome::Failed(why));
    }

    /// Ends the writes that put something into a page that is not kept: that it was done is no doubt.
    fn settle_text(&self, desk: &mut Desk, item: u32) {
        let how = || {
            if self.things[item as usize].is_filled {
                self.things[item as usize].comparison.settled()
            } else {
                Settled::Unknown("The page was taken out again before its text was looked for.")
            }
        };
        desk.settle(item, Step::FillIn, how());
        desk.settle(
            item,
            Step::Label,
            Settled::Unknown("The page was taken out again before its labels were looked for."),
        );
    }

    /// Takes a page that was just read for what it shows of its guard.
    fn looked_at(&mut self, desk: &mut Desk, item: u32, page: &Content) {
        let Need::Kept(kept) = self.need(item) else {
            self.proved(desk, item, None);
            return;
        };
        let guardian = self.guardian(&kept);
        if kept.below.is_some() && guardian.is_none() {
            self.not_kept(desk, item, "What keeps it from others was not made again");
            return;
        }
        let guardian = guardian.as_ref().map(|(id, _)| id);
        match kept.shown_by(page, guardian, &self.user.names()) {
            Err(why) => {
                let shown = kept.shows_set(page, &self.user.names());
                let is_gone = matches!(shown, Err(Unshown::NotThere(_)));
                self.look_again(desk, item, why, is_gone);
            }
            Ok(shown) => match shown.alone(&kept, desk.at()) {
                Ok(proof) => self.proved(desk, item, Some(proof)),
                Err(shown) => {
                    self.shown = Some((item, shown));
                    self.things[item as usize].stage = Stage::VerifyAbove;
                }
            },
        }
    }

    /// The same for what it hangs below, which was just read.
    fn looked_above(&mut self, desk: &mut Desk, item: u32, above: &Content) {
        let shown = self.shown.take().filter(|(of, _)| *of == item);
        let (Some((_, shown)), Need::Kept(kept)) = (shown, self.need(item)) else {
            self.things[item as usize].stage = Stage::Verify;
            return;
        };
        let set = self.guardian(&kept).and_then(|(_, kept)| kept);
        let set = set.as_ref().map(|kept| kept.set.as_slice());
        match shown.below(above, set, &self.user.names(), desk.at()) {
            Some(proof) => self.proved(desk, item, Some(proof)),
            None => {
                let why = "The page that it hangs below is not shown to be restricted";
                self.look_again(desk, item, why, false);
            }
        }
    }

    /// It was just read, and is kept from others: on with what comes next.
    fn proved(&mut self, desk: &mut Desk, item: u32, proof: Option<MayHoldText>) {
        let thing = &mut self.things[item as usize];
        thing.was_kept |= proof.is_some();
        thing.looks = 0;
        self.proof = proof.map(|proof| (item, proof));
        if !thing.is_filled {
            thing.stage = if desk.is_in_doubt(item, Step::FillIn) {
                Stage::Filled
            } else {
                Stage::Fill
            };
            return;
        }
        desk.settle(item, Step::FillIn, thing.comparison.settled());
        if desk.is_in_doubt(item, Step::Label) && !thing.is_labelled {
            thing.stage = Stage::Labelled;
            return;
        }
        desk.settle(item, Step::Label, Settled::Done);
        self.after_filling(desk, item);
    }

    /// The proof that an item may hold text now, if there is one. It is used up by one write.
    fn take_proof(&mut self, desk: &Desk, item: u32) -> Option<MayHoldText> {
        if let Some(proof) = self.need(item).open() {
            return Some(proof);
        }
        let (of, proof) = self.proof.take()?;
        (of == item && proof.is_fresh(desk.at())).then_some(proof)
    }

    /// It does not show what keeps it from others. Where text may be in it that is set again at once;
    /// else it is looked at a little later. Neither for ever.
    fn look_again(&mut self, desk: &mut Desk, item: u32, why: &str, is_gone: bool) {
        let may_hold_text = self.may_hold_text(desk, item);
        let thing = &mut self.things[item as usize];
        thing.looks += 1;
        if thing.looks >= LOOKS {
            self.not_kept(desk, item, why);
        } else if may_hold_text && is_gone && thing.resets < RESETS {
            thing.resets += 1;
            thing.stage = Stage::Restrict;
        } else {
            thing.stage = Stage::Verify;
        }
    }

    /// It is not shown to be kept from others: nothing more goes into it, and it is taken out.
    fn not_kept(&mut self, desk: &mut Desk, item: u32, why: &str) {
        self.withdraw(desk, item, why);
    }

    fn after_filling(&mut self, desk: &mut Desk, item: u32) {
        let has_labels = self
            .item(item)
            .labels
            .as_ref()
            .is_some_and(|labels| !labels.is_empty());
        if has_labels && !self.things[item as usize].is_labelled {
            self.things[item as usize].stage = Stage::Label;
        } else {
            self.finish(desk, item);
        }
    }

    fn after_creating(&mut self, item: u32, made: ContentId) {
        self.things[item as usize].made = Some(made);
        match self.need(item) {
            // Also where the journal says that it was made: the difference is told here, or nowhere.
            Need::Open => self.things[item as usize].stage = Stage::ReadBack,
            Need::Kept(kept) => {
                self.things[item as usize].stage = if kept.set.is_empty() {
                    Stage::Verify
                } else {
                    Stage::Restrict
                };
            }
            Need::Left(_) => self.things[item as usize].stage = Stage::Withdraw,
        }
    }

    fn why_withdrawn(&self, item: u32) -> String {
        let why = self.things[item as usize].withdrawn_for.clone();
        why.unwrap_or_else(|| {
            "Its restrictions could not be put back, so it was not made again.".to_owned()
        })
    }
}

impl Recreate {
    /// Asks for what comes next about an item.
    fn ask(&mut self, desk: &mut Desk, item: u32, space: SpaceKey, text: String) {
        let thing = &self.things[item as usize];
        match thing.stage {
            Stage::Load => match self.parent_of(item) {
                Err(why) => {
                    desk.close(item, Outcome::Skipped(why));
                    self.go(desk);
                }
                Ok(parent) => {
                    let thing = &mut self.things[item as usize];
                    thing.parent = parent;
                    thing.stage = Stage::Title;
                    self.go(desk);
                }
            },
            Stage::Title => match self.need(item) {
                Need::Left(why) => {
                    desk.close(item, Outcome::Skipped(format!("{}.", why.because())));
                    self.go(desk);
                }
                Need::Open | Need::Kept(_) => {
                    let title = self.title(item);
                    desk.read(item, Step::Check, self.by_title(item, space, title));
                }
            },
            Stage::Create => self.create(desk, item, space, text),
            Stage::FindMade => {
                let title = self.first_title(desk, item);
                desk.read(item, Step::Settle, self.by_title(item, space, title));
            }
            Stage::Compare => desk.read(item, Step::SettleElsewhere, self.look(item)),
            Stage::Restricted | Stage::Filled | Stage::Labelled | Stage::ReadBack => {
                desk.read(item, Step::Settle, self.look(item));
            }
            Stage::Withdrawn => {
                let Some(id) = thing.made.clone() else {
                    return;
                };
                // That it is not among what is current could be a 404 of any other meaning.
                let call = Call::Content {
                    id,
                    status: Some(ContentStatus::Trashed),
                    expand: String::new(),
                };
                desk.read(item, Step::Settle, call);
            }
            Stage::Verify => {
                let wait = match thing.looks {
                    0 => 0,
                    looks => 500 << looks,
                };
                let at = desk.at() + wait;
                desk.read_at(item, Step::Check, self.look(item), at);
            }
            Stage::VerifyAbove => {
                let guardian = match self.need(item) {
                    Need::Kept(kept) => self.guardian(&kept),
                    Need::Open | Need::Left(_) => None,
                };
                match guardian {
                    Some((id, _)) if self.shown.is_some() => {
                        desk.read(item, Step::Check, ancestry::look(id));
                    }
                    _ => {
                        self.things[item as usize].stage = Stage::Verify;
                        self.go(desk);
                    }
                }
            }
            Stage::Restrict => {
                let (Some(id), Need::Kept(kept)) = (thing.made.clone(), self.need(item)) else {
                    self.things[item as usize].stage = Stage::Withdraw;
                    self.go(desk);
                    return;
                };
                let restrictions = kept.set;
                let call = Call::SetRestrictions { id, restrictions };
                let before = if self.may_hold_text(desk, item) {
                    "its restrictions are gone"
                } else {
                    "blank, not restricted"
                };
                desk.write(item, Step::Restrict, call, before);
            }
            Stage::Fill => self.fill(desk, item, text),
            Stage::Label => self.label(desk, item),
            Stage::Withdraw => {
                let Some(id) = thing.made.clone() else {
                    return;
                };
                let call = Call::TrashContent { id };
                let before = if self.may_hold_text(desk, item) {
                    "not shown to be kept from others"
                } else {
                    "blank"
                };
                desk.write(item, Step::Withdraw, call, before);
            }
        }
    }

    /// Whether an item has to be brought to an end though the job is ending: its last write is not
    /// settled, or its text may be in it and it is not shown that others are kept out.
    fn is_begun(&self, desk: &Desk, item: u32) -> bool {
        if self.hangs(item) {
            return self.put_on.get(&item).is_some_and(PutOn::is_begun);
        }
        match self.things[item as usize].stage {
            Stage::FindMade
            | Stage::Compare
            | Stage::ReadBack
            | Stage::Restricted
            | Stage::Filled
            | Stage::Labelled
            | Stage::Withdrawn => true,
            Stage::Restrict | Stage::Verify | Stage::VerifyAbove | Stage::Withdraw => {
                self.may_hold_text(desk, item)
            }
            Stage::Load | Stage::Title | Stage::Create | Stage::Fill | Stage::Label => false,
        }
    }

    /// When the job ends early: names what was made and will stay as it is.
    fn close_begun(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().collect();
        for item in open {
            let is_made = self.things[item as usize].made.is_some();
            if !is_made || desk.is_busy(item) || self.is_begun(desk, item) {
                continue;
            }
            let thing = &mut self.things[item as usize];
            if thing.stage == Stage::Label {
                let note = "The job was ended before its labels were put back.";
                thing.note = Some(note.to_owned());
                self.finish(desk, item);
            } else {
                let left = self.left_behind(desk, item);
                let why = format!("The job was ended before its text was put back.{left}");
                desk.close(item, Outcome::Failed(why));
            }
        }
    }

    fn create(&mut self, desk: &mut Desk, item: u32, space: SpaceKey, text: String) {
        let new = New {
            space,
            kind: self.item(item).kind.clone(),
            parent: self.things[item as usize].parent.clone(),
        };
        let call = match self.need(item).open() {
            Some(proof) => proof.create(new, self.title(item), text),
            None => {
                self.things[item as usize].has_interim_title = true;
                if !self.has_interim_titles {
                    // After a lost answer it is looked for by this title, also after a kill.
                    desk.checkpoint();
                }
                guard::blank(new, &desk.head().id, item)
            }
        };
        // Should this not go out, the title is looked for again.
        self.things[item as usize].stage = Stage::Load;
        desk.write(item, Step::Create, call, "no content of this title");
    }

    fn fill(&mut self, desk: &mut Desk, item: u32, text: String) {
        let Some(id) = self.things[item as usize].made.clone() else {
            return;
        };
        let Some(proof) = self.take_proof(desk, item) else {
            self.things[item as usize].stage = Stage::Verify;
            self.go(desk);
            return;
        };
        let kind = self.item(item).kind.clone();
        let version = self.things[item as usize].version;
        let call = proof.fill_in(id, kind, self.title(item), version + 1, text);
        let before = format!("blank, kept from others, version {version}");
        desk.write(item, Step::FillIn, call, before);
    }

    fn label(&mut self, desk: &mut Desk, item: u32) {
        let made = self.things[item as usize].made.clone();
        let (Some(id), Some(labels)) = (made, self.item(item).labels.clone()) else {
            return;
        };
        let Some(proof) = self.take_proof(desk, item) else {
            self.things[item as usize].stage = Stage::Verify;
            self.go(desk);
            return;
        };
        desk.write(item, Step::Label, proof.label(id, labels), "without labels");
    }

    /// Takes in what has its title already.
    fn titles(&mut self, desk: &mut Desk, item: u32, found: Vec<Content>) {
        let is_page = self.item(item).kind == ContentKind::Page;
        let known: Vec<ContentId> = found.into_iter().map(|it| it.id).collect();
        // Posts may have one title on different days: those that this job has made are no surprise.
        let is_ours = |id: &ContentId| self.things.iter().any(|it| it.made.as_ref() == Some(id));
        let is_taken = known.iter().any(|id| is_page || !is_ours(id));
        let thing = &mut self.things[item as usize];
        thing.known = known;
        thing.stage = Stage::Create;
        if thing.known.is_empty() {
            return;
        }
        // After a lost answer these must not be taken for what was made.
        desk.checkpoint();
        if is_taken {
            self.collides(desk, item);
        }
    }

    /// Whether its text is in it, after it was sent.
    fn filled(&mut self, desk: &mut Desk, item: u32, now: &Content) {
        self.things[item as usize].unsure_of_text = None;
        let made = self.things[item as usize].version;
        let is_ours = |version: &Version| {
            let by = version.by.as_ref().and_then(|by| by.username.as_deref());
            version.number == Some(made + 1) && by.is_some_and(|by| self.user.has(by))
        };
        let ours = now.version.as_ref().is_some_and(is_ours);
        let version = now.version.as_ref().and_then(|version| version.number);
        let more = now.more.as_ref();
        let there = more.and_then(|more| more.body_storage.clone());
        let says_it = there.is_some() && there == self.text(item);
        let wants_text = self.text(item).is_some_and(|text| !text.is_empty());
        let is_empty = wants_text && there.is_some_and(|there| there.is_empty());
        let is_told = version.is_some() && (ours || desk.is_accepted(item, Step::FillIn));
        // What is in it by then is compared with the backup.
        let is_in = says_it || is_told;
        match version {
            Some(version) if version <= made => {
                self.once_more(desk, item, Step::FillIn, Stage::Verify);
            }
            _ if is_in => {
                self.things[item as usize].is_filled = true;
                self.compare_text(item, now);
                // The write is over once it is shown that everybody else is still kept out.
                self.looked_at(desk, item, now);
            }
            other => {
                let state = match other {
                    Some(_) if is_empty => "the page is empty all the same",
                    Some(_) => "somebody has changed it since: look whether its text is in it",
                    None => "the server does not tell the version",
                };
                let why = format!("{}, and {state}.", desk.heard(item, Step::FillIn));
                desk.settle(item, Step::FillIn, Settled::Unknown(&why));
                let thing = &mut self.things[item as usize];
                thing.unsure_of_text = Some(why);
                // It may be in it.
                thing.is_filled = true;
                self.looked_at(desk, item, now);
            }
        }
    }

    /// Whether its labels are there, after they were written. For what is kept from others: and whether
    /// that still is.
    fn labelled(&mut self, desk: &mut Desk, item: u32, now: &Content) {
        let wanted = self.item(item).labels.clone().unwrap_or_default();
        let there = now.more.as_ref().and_then(|more| more.labels.as_ref());
        let has = |label| there.is_some_and(|there| there.contains(label));
        if wanted.iter().all(has) {
            self.compare_text(item, now);
            self.labels_end(desk, item, None);
        } else {
            self.once_more(desk, item, Step::Label, Stage::Label);
        }
    }

    /// Nothing more is done about its labels. What is kept from others is looked at once more.
    fn labels_end(&mut self, desk: &mut Desk, item: u32, problem: Option<&str>) {
        let thing = &mut self.things[item as usize];
        thing.is_labelled = true;
        if let Some(problem) = problem {
            thing.note = Some(format!("Its labels were not taken. {problem}"));
        }
        match self.need(item) {
            Need::Kept(_) => self.things[item as usize].stage = Stage::Verify,
            Need::Open | Need::Left(_) => {
                desk.settle(item, Step::Label, Settled::Done);
                self.finish(desk, item);
            }
        }
    }

    /// It could not be read whether it is kept from others. Where text may be in it, it is looked at
    /// again before it is taken out.
    fn guard_unread(&mut self, desk: &mut Desk, item: u32, error: &ApiError) {
        let error = error.message.trim_end_matches('.');
        let why = format!("It could not be read whether it is restricted ({error})");
        desk.settle(item, Step::Restrict, Settled::Unknown(&why));
        let may_hold_text = self.may_hold_text(desk, item);
        let thing = &mut self.things[item as usize];
        thing.looks += 1;
        if may_hold_text && thing.looks < LOOKS {
            thing.stage = Stage::Verify;
        } else {
            self.not_kept(desk, item, &why);
        }
    }

    /// What became of a write could not be read.
    fn unread(&mut self, desk: &mut Desk, item: u32, stage: Stage, error: &ApiError) {
        match stage {
            // Before it is asked whether its text is in it: does it keep others out?
            Stage::Filled => self.guard_unread(desk, item, error),
            Stage::Labelled => {
                let why = desk.unconfirmed(item, Step::Label, error);
                self.labels_end(desk, item, Some(&why));
            }
            Stage::Withdrawn => {
                let why = desk.unconfirmed(item, Step::Withdraw, error);
                self.stays(desk, item, &why);
            }
            Stage::FindMade | Stage::Compare => {
                let why = format!(
                    "No answer told whether it was done. {} If it was made, it is called \"{}\": look for it in the space, and delete it there.",
                    error.message,
                    self.first_title(desk, item)
                );
                Self::unknown(desk, item, Step::Create, &why);
            }
            _ => {}
        }
    }

    /// Whether the answer to a restriction shows it. Setting it twice is the same as once.
    fn restricted(&mut self, desk: &mut Desk, item: u32, page: &Content) {
        let Need::Kept(kept) = self.need(item) else {
            return;
        };
        match kept.shows_set(page, &self.user.names()) {
            Ok(()) => {
                desk.settle(item, Step::Restrict, Settled::Done);
                self.looked_at(desk, item, page);
            }
            Err(Unshown::NotTold(why)) => {
                desk.settle(item, Step::Restrict, Settled::Unknown(why));
                self.not_kept(desk, item, why);
            }
            Err(Unshown::NotThere(why)) => {
                if desk.looks_again(item, Step::Restrict) {
                    return;
                }
                let again = desk.may_go_again(item, Step::Restrict);
                desk.settle(item, Step::Restrict, Settled::NotApplied(why));
                let thing = &mut self.things[item as usize];
                thing.tries += 1;
                if again == Again::No || thing.tries >= TRIES {
                    self.not_kept(desk, item, why);
                } else {
                    thing.stage = Stage::Restrict;
                }
            }
        }
    }
}

impl Recreate {
    /// The next page; after the last one what hangs on them.
    fn next(&self, desk: &Desk) -> Option<u32> {
        let page = desk.open().find(|item| !self.hangs(*item));
        page.or_else(|| desk.first_open())
    }

    /// What is to be gone on with.
    fn at_work(&mut self, desk: &mut Desk) -> Option<u32> {
        if !desk.is_stopping() {
            return self.next(desk);
        }
        self.close_begun(desk);
        // Only what was begun is brought to a safe end.
        let mut open = desk.open();
        open.find(|item| self.is_begun(desk, *item))
    }

    /// Whether the text of an item is at hand; else the disk is asked for it.
    fn has_texts(&mut self, desk: &mut Desk, item: u32) -> bool {
        let file = &self.recipe.items[item as usize].0;
        if self.loaded.as_ref().is_some_and(|(name, _)| name == file) {
            return true;
        }
        if !self.asked_disk {
            self.asked_disk = true;
            desk.store(JobWrite::ReadBack {
                backup: self.recipe.backup.clone(),
                name: file.clone(),
            });
        }
        false
    }
}

impl Machine for Recreate {
    fn go(&mut self, desk: &mut Desk) {
        let stopping = desk.is_stopping();
        if !self.all_placed && !stopping {
            self.place(desk);
            return;
        }
        let mut item = self.at_work(desk);
        while let Some(hung) = item.filter(|item| self.hangs(*item)) {
            if desk.is_busy(hung) || !self.go_on_with(desk, hung) {
                return;
            }
            item = self.at_work(desk);
        }
        let Some(item) = item else {
            return;
        };
        if desk.is_busy(item) {
            return;
        }
        let Some(space) = self.space(item) else {
            let why = "The backup does not say which space it was in.".to_owned();
            desk.close(item, Outcome::Skipped(why));
            self.go(desk);
            return;
        };
        let kind = self.item(item).kind.clone();
        if !matches!(kind, ContentKind::Page | ContentKind::BlogPost) {
            let why = format!("A {} cannot be made again.", kind.as_str());
            desk.close(item, Outcome::Skipped(why));
            self.go(desk);
            return;
        }
        if !stopping && !self.has_texts(desk, item) {
            return;
        }
        let text = self.text(item);
        let Some(text) = text.or_else(|| stopping.then(String::new)) else {
            let why = "The backup has no text for it.".to_owned();
            desk.close(item, Outcome::Skipped(why));
            self.go(desk);
            return;
        };
        self.ask(desk, item, space, text);
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        if step == Step::Look {
            self.ancestry.learn(item, answer);
            return;
        }
        if (item as usize) < self.things.len() && self.hangs(item) {
            self.read_of(desk, item, step, answer);
            return;
        }
        let user = self.user.clone();
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        match (thing.stage, step, answer) {
            (Stage::Title, _, Ok(Reply::Contents(page))) => self.titles(desk, item, page.results),
            (Stage::Title, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.close(item, Outcome::Failed(error.message));
            }
            (Stage::FindMade, _, Ok(Reply::Contents(page))) => {
                let known = &thing.known;
                let new = page.results.into_iter().find(|it| !known.contains(&it.id));
                match new {
                    Some(found) => {
                        thing.found = Some(found.id);
                        thing.stage = Stage::Compare;
                    }
                    None => self.once_more(desk, item, Step::Create, Stage::Load),
                }
            }
            (Stage::Compare, _, Ok(Reply::Content(found))) => {
                if is_ours(&found, &user) {
                    self.was_made(desk, item, found.id.clone());
                    if self.things[item as usize].stage == Stage::ReadBack {
                        self.read_back(desk, item, &found);
                    }
                } else {
                    let why = "No answer told whether it was done, and a content of that title is there, made by somebody else.";
                    Self::unknown(desk, item, Step::Create, why);
                }
            }
            (Stage::ReadBack, _, Ok(Reply::Content(now))) => self.read_back(desk, item, &now),
            (Stage::ReadBack, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                self.not_read_back(desk, item, &error);
            }
            (Stage::Restricted, _, Ok(Reply::Content(now))) => {
                self.restricted(desk, item, &now);
            }
            (Stage::Verify, _, Ok(Reply::Content(now))) => {
                if self.things[item as usize].is_filled {
                    self.compare_text(item, &now);
                }
                self.looked_at(desk, item, &now);
            }
            (Stage::VerifyAbove, _, Ok(Reply::Content(now))) => {
                self.looked_above(desk, item, &now);
            }
            (Stage::Restricted | Stage::Verify | Stage::VerifyAbove, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                self.guard_unread(desk, item, &error);
            }
            (Stage::Filled, _, Ok(Reply::Content(now))) => self.filled(desk, item, &now),
            (Stage::Labelled, _, Ok(Reply::Content(now))) => self.labelled(desk, item, &now),
            (Stage::Withdrawn, _, Ok(_)) => {
                desk.settle(item, Step::Withdraw, Settled::Done);
                self.withdrawn(desk, item);
            }
            (Stage::Withdrawn, _, Err(error)) if is_not_there(&error) => {
                self.once_more(desk, item, Step::Withdraw, Stage::Withdraw);
            }
            (stage, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                self.unread(desk, item, stage, &error);
            }
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate) {
        if (item as usize) < self.things.len() && self.hangs(item) {
            self.wrote_of(desk, item, fate);
            return;
        }
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        // Labels go to what has its text, or may have it: also where nothing but the journal tells of both.
        thing.is_filled |= step == Step::Label;
        match (step, fate) {
            (Step::Restrict, Fate::NeverKnown(why)) => self.withdraw(desk, item, &why),
            (Step::Create, Fate::NeverKnown(why)) => desk.close(item, Outcome::Unknown(why)),
            // It can still be read what became of these.
            (Step::FillIn, Fate::NeverKnown(why)) => {
                thing.unsure_of_text = Some(why);
                thing.stage = Stage::Filled;
            }
            (Step::Label, Fate::NeverKnown(_)) => thing.stage = Stage::Labelled,
            (_, Fate::NeverKnown(_)) => thing.stage = Stage::Withdrawn,
            (Step::Create, Fate::Applied { made } | Fate::Accepted { made, .. }) => match made {
                Some(made) => self.was_made(desk, item, ContentId::new(made)),
                None => {
                    Self::unknown(
                        desk,
                        item,
                        Step::Create,
                        "The server did not say which id it has.",
                    );
                }
            },
            (Step::Create, Fate::InDoubt(_)) => thing.stage = Stage::FindMade,
            (Step::Create, Fate::NotApplied(_)) => thing.stage = Stage::Load,
            (Step::Create, Fate::Refused(error)) => {
                desk.close(item, Outcome::Failed(error.message));
            }
            // That it was answered shows nothing: it is read.
            (Step::Restrict, Fate::Applied { .. }) => thing.stage = Stage::Verify,
            (Step::Restrict, Fate::Accepted { .. } | Fate::InDoubt(_)) => {
                thing.stage = Stage::Restricted;
            }
            (Step::Restrict, Fate::NotApplied(_)) => thing.stage = Stage::Restrict,
            (Step::Restrict, Fate::Refused(error)) => {
                let error = error.message.trim_end_matches('.');
                let why = format!("The server did not take its restrictions ({error})");
                self.withdraw(desk, item, &why);
            }
            (Step::FillIn, Fate::Applied { .. }) => {
                thing.is_filled = true;
                thing.was_kept = true;
                thing.stage = Stage::Verify;
            }
            (Step::FillIn, Fate::Accepted { .. } | Fate::InDoubt(_)) => {
                thing.was_kept = true;
                thing.stage = Stage::Filled;
            }
            (Step::FillIn, Fate::NotApplied(_)) => thing.stage = Stage::Verify,
            (Step::FillIn, Fate::Refused(error)) => {
                let why = format!(
                    "It was made again and is kept from others, but is empty. {}{}",
                    error.message,
                    self.left_behind(desk, item)
                );
                desk.close(item, Outcome::Failed(why));
            }
            (Step::Label, Fate::Applied { .. }) => self.labels_end(desk, item, None),
            (Step::Label, Fate::Accepted { .. } | Fate::InDoubt(_)) => {
                thing.stage = Stage::Labelled;
            }
            (Step::Label, Fate::NotApplied(_)) => thing.stage = Stage::Label,
            (Step::Label, Fate::Refused(error)) => {
                self.labels_end(desk, item, Some(&error.message));
            }
            (_, Fate::Applied { .. }) => self.withdrawn(desk, item),
            (_, Fate::Accepted { .. } | Fate::InDoubt(_)) => thing.stage = Stage::Withdrawn,
            (_, Fate::NotApplied(_)) => thing.stage = Stage::Withdraw,
            (_, Fate::Refused(error)) => self.stays(desk, item, &error.message),
        }
    }

    fn stored(&mut self, desk: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if let JobWrite::CheckFile { file, .. } = what {
            self.file_checked(desk, &file.name, answer);
            return;
        }
        let JobWrite::ReadBack { name, .. } = what else {
            return;
        };
        self.asked_disk = false;
        let items = self.recipe.unpacked(name, answer);
        match items {
            Ok(items) => {
                let texts = items.into_iter().map(|item| (item.id, item.storage));
                self.loaded = Some((name.clone(), texts.collect()));
            }
            Err(why) => {
                desk.halt(format!("The backup cannot be read. {why} {ANOTHER_COPY}"));
                self.texts_are_gone(desk, name, &why);
            }
        }
    }

    fn decide(&mut self, desk: &mut Desk, decision: Decision) {
        match decision {
            Decision::Skip => self.on_collision = OnCollision::Skip,
            Decision::Rename => self.on_collision = OnCollision::Rename,
            _ => {
                desk.halt("A title was taken, and the job was ended there.");
                return;
            }
        }
        if let Some(item) = self.next(desk) {
            self.collides(desk, item);
        }
    }

    fn taken_up(&mut self, user: Option<&str>) {
        self.user.taken_up_by(user);
    }

    fn reopened(&mut self, _: &mut Desk) {
        self.asked_disk = false;
        self.put_on.values_mut().for_each(PutOn::reopened);
        self.shown = None;
        self.proof = None;
    }
}

fn is_ours(found: &Content, users: &Users) -> bool {
    let by = found
        .more
        .as_ref()
        .and_then(|more| more.created_by.as_ref())
        .and_then(|person| person.username.as_deref());
    let version = found.version.as_ref().and_then(|version| version.number);
    let first = version.is_none_or(|version| version == 1);
    first && by.is_none_or(|by| users.has(by))
}
