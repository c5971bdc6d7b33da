//! What making content again from a backup would do, learned by reads alone.
//!
//! The backup is read back as the job would read it, each of its attached files with its length and its
//! check sum, and the server is asked what the job would ask before it writes: whether the space is
//! there, the former parent, the title. Nothing here asks for a write, and the desk lets none of a dry
//! run through.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::ancestry::{self, Ancestry, Below, Place};
use super::backup::{ANOTHER_COPY, Item};
use super::desk::{Desk, Fate, WHOLE, is_not_there, unexpected};
use super::effect::{JobWrite, StoreError, Stored};
use super::guard::{self, Need};
use super::line::{Line, Outcome};
use super::listing::may_hang;
use super::machine::Machine;
use super::recipe::Recipe;
use super::step::Step;
use crate::confluence::{AccessMode, ApiError, Call, ContentId, ContentKind, Reply, SpaceKey};

/// So many of the items are looked at at once, so that none waits for one far behind it.
const WINDOW: usize = 16;

/// What would become of an item that is to be made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It would be made.
    Made {
        /// Whether its former parent was looked for and is not there.
        parent_is_gone: bool,
    },
    /// A current page has its title: the job would ask what to do.
    TitleTaken,
    /// Its parent is made only if the person wants that, and so is it.
    Depends,
    /// Its space is not there.
    NoSpace,
    /// It would be left alone, for this reason.
    LeftOut(String),
    /// It could not be made, or that could not be learned, for this reason.
    Cannot(String),
    /// What the backup has of it is not what was written.
    Spoilt(String),
}

impl Verdict {
    /// Whether it is made, or would be if the person says so.
    pub fn may_be_made(&self) -> bool {
        matches!(self, Self::Made { .. } | Self::TitleTaken | Self::Depends)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    /// Where it goes, once that is known.
    #[serde(default)]
    goes: Option<Place>,
    /// Its parent, if that is made again too.
    parent: Option<u32>,
    /// The page before it that is to have the same title in the same space.
    twin: Option<u32>,
    verdict: Option<Verdict>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rehearsal {
    recipe: Recipe,
    user: Option<String>,
    things: Vec<Thing>,
    /// Whether the site takes no changes; `None` until it was asked.
    read_only: Option<bool>,
    /// The spaces it is about, each with what is wrong with it.
    spaces: BTreeMap<SpaceKey, Option<Result<(), Verdict>>>,
    #[serde(skip)]
    ancestry: Ancestry,
    #[serde(skip)]
    asked_disk: bool,
    /// Which items have a text in the files that were read. Not stored: they are read again.
    #[serde(skip)]
    files: BTreeMap<String, Result<BTreeSet<ContentId>, String>>,
    /// Which attached files the disk was asked about, and what is wrong with each.
    #[serde(skip)]
    attached: BTreeMap<String, Result<(), String>>,
}

impl Rehearsal {
    pub(super) fn reads_from(&self) -> &str {
        &self.recipe.backup
    }

    pub(super) fn new(recipe: Recipe, user: Option<String>) -> Self {
        let ids: HashMap<&ContentId, u32> = (recipe.items.iter().enumerate().rev())
            .map(|(ix, (_, item))| (&item.id, ix as u32))
            .collect();
        let mut titles: HashMap<(SpaceKey, String), u32> = HashMap::new();
        let mut spaces = BTreeMap::new();
        let mut things = Vec::new();
        for (ix, (_, item)) in recipe.items.iter().enumerate() {
            let above = item.ancestors.as_deref().unwrap_or_default();
            // A blog post hangs below nothing.
            let parent = above.last().filter(|_| item.kind != ContentKind::BlogPost);
            // What hangs on a page goes with it.
            let container = item.container.as_ref().filter(|_| may_hang(&item.kind));
            let parent = if may_hang(&item.kind) {
                container
            } else {
                parent
            };
            let parent = parent.and_then(|parent| ids.get(&parent.id)).copied();
            let mut twin = None;
            if let Some(space) = recipe.space(item) {
                if item.kind == ContentKind::Page {
                    let name = (space.clone(), item.title.as_sent().to_lowercase());
                    twin = titles.insert(name, ix as u32);
                }
                spaces.insert(space, None);
            }
            things.push(Thing {
                goes: None,
                parent,
                twin,
                verdict: None,
            });
        }
        Self {
            recipe,
            user,
            things,
            read_only: None,
            spaces,
            ancestry: Ancestry::default(),
            asked_disk: false,
            files: BTreeMap::new(),
            attached: BTreeMap::new(),
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        let items = self.recipe.items.iter();
        items
            .map(|(_, item)| Line::content(&item.id, &item.title))
            .collect()
    }

    /// What would become of each item, in the order of the lines; `None` where that is open.
    pub(super) fn verdicts(&self) -> Vec<Option<&Verdict>> {
        let things = self.things.iter();
        things.map(|thing| thing.verdict.as_ref()).collect()
    }

    fn verdict(&self, item: u32) -> Option<&Verdict> {
        self.things.get(item as usize)?.verdict.as_ref()
    }

    /// Whether what comes before it has to be known first. Never for the first one that is open.
    fn waits(&self, item: u32) -> bool {
        let thing = &self.things[item as usize];
        let is_open = |before: u32| before < item && self.verdict(before).is_none();
        thing.parent.is_some_and(is_open) || thing.twin.is_some_and(is_open)
    }

    /// Whether a page before it in this job would have its title.
    fn has_twin(&self, item: u32) -> bool {
        let mut before = self.things[item as usize].twin;
        while let Some(twin) = before {
            if self.verdict(twin).is_some_and(Verdict::may_be_made) {
                return true;
            }
            before = self.things[twin as usize].twin;
        }
        false
    }

    fn close(&mut self, desk: &mut Desk, item: u32, verdict: Verdict) {
        let outcome = self.told(item, &verdict);
        self.things[item as usize].verdict = Some(verdict);
        desk.close(item, outcome);
    }

    /// A verdict as what is shown of the item.
    fn told(&self, item: u32, verdict: &Verdict) -> Outcome {
        let it = &self.recipe.items[item as usize].1;
        let space = self.recipe.space(it);
        let space = space.as_ref().map_or("", SpaceKey::as_str);
        match verdict {
            Verdict::Made { .. } if may_hang(&it.kind) => {
                Outcome::Done(Some("It would be put back on what it hung on.".to_owned()))
            }
            Verdict::Made { .. } => {
                let goes = self.things[item as usize].goes.as_ref();
                let place = match goes.map(|it| &it.below) {
                    Some(Below::Live(_)) => ", below its former parent",
                    Some(Below::Again(_)) => ", below its parent made again",
                    _ if goes.is_some_and(Place::is_parent_gone) => {
                        ", at the top: its former parent is not there any more"
                    }
                    Some(Below::Top) | None => ", at the top",
                };
                let rights = match self.need(item) {
                    Need::Kept(kept) => match (kept.unsure, kept.below) {
                        (Some(why), _) => {
                            format!(" {}, so it would be readable for you alone.", why.because())
                        }
                        (None, Some(_)) => {
                            " It would be kept from others by what it hangs below, before its text is \
                             put in."
                                .to_owned()
                        }
                        (None, None) => {
                            " It would be restricted as it was, before its text is put in.".to_owned()
                        }
                    },
                    Need::Open | Need::Left(_) => String::new(),
                };
                Outcome::Done(Some(format!(
                    "It would be made again in {space}{place}.{rights}"
                )))
            }
            Verdict::TitleTaken => Outcome::Skipped(format!(
                "A current {} in {space} has its title: you would be asked whether to skip it or \
                 to give it another one.",
                if it.kind == ContentKind::BlogPost {
                    "blog post"
                } else {
                    "page"
                }
            )),
            Verdict::Depends => Outcome::Skipped(
                "It would be made only if its parent is, and about that you would be asked."
                    .to_owned(),
            ),
            Verdict::NoSpace => Outcome::Failed(format!(
                "There is no space {space} that you can see, so it could not be made."
            )),
            Verdict::LeftOut(why) => Outcome::Skipped(why.clone()),
            Verdict::Cannot(why) => Outcome::Failed(why.clone()),
            Verdict::Spoilt(why) => {
                Outcome::Failed(format!("The backup cannot be read. {why} {ANOTHER_COPY}"))
            }
        }
    }

    /// What has to keep an item from others: as the job would find it.
    fn need(&self, item: u32) -> Need {
        let place = |at: u32| self.things[at as usize].goes.as_ref();
        let inherited = ancestry::inherited(&self.recipe, item, place);
        let it = &self.recipe.items[item as usize].1;
        guard::need(it, inherited, self.recipe.unknown, self.user.as_deref())
    }

    /// What keeps an item from being made, as far as that is known without asking about it.
    fn known(&self, item: u32) -> Option<Verdict> {
        let (file, it) = &self.recipe.items[item as usize];
        let Some(space) = self.recipe.space(it) else {
            let why = "The backup does not say which space it was in.";
            return Some(Verdict::LeftOut(why.to_owned()));
        };
        if may_hang(&it.kind) {
            return self.known_of_hung(item);
        }
        if !matches!(it.kind, ContentKind::Page | ContentKind::BlogPost) {
            let why = format!("A {} cannot be made again.", it.kind.as_str());
            return Some(Verdict::LeftOut(why));
        }
        if let Some(Err(verdict)) = self.text_on_disk(file, &it.id) {
            return Some(verdict);
        }
        if self.read_only == Some(true) {
            let why = "The site is in read-only mode: it takes no changes now.";
            return Some(Verdict::Cannot(why.to_owned()));
        }
        if let Some(Some(Err(verdict))) = self.spaces.get(&space) {
            return Some(verdict.clone());
        }
        let parent = self.things[item as usize].parent?;
        match self.verdict(parent) {
            Some(Verdict::Made { .. }) if parent < item => None,
            Some(Verdict::TitleTaken | Verdict::Depends) if parent < item => Some(Verdict::Depends),
            _ => Some(Verdict::LeftOut(
                "Its parent would not be made again.".to_owned(),
            )),
        }
    }

    /// The same for a comment or an attached file.
    fn known_of_hung(&self, item: u32) -> Option<Verdict> {
        let left = |why: &str| Some(Verdict::LeftOut(why.to_owned()));
        let (file, it) = &self.recipe.items[item as usize];
        let Some(on) = self.things[item as usize].parent else {
            return left("What it hung on is not among what would be made again.");
        };
        let verdict = match self.verdict(on) {
            Some(Verdict::Made { .. }) => Verdict::Made {
                parent_is_gone: false,
            },
            Some(Verdict::TitleTaken | Verdict::Depends) => Verdict::Depends,
            _ => return left("What it hung on would not be made again."),
        };
        let on_disk = match it.kind {
            ContentKind::Attachment => self.file_on_disk(it),
            _ => self.text_on_disk(file, &it.id),
        };
        on_disk.map(|found| found.map_or_else(|bad| bad, |()| verdict))
    }

    /// Whether the backup has the text of an item, whole; `None` until the disk was asked.
    fn text_on_disk(&self, file: &str, id: &ContentId) -> Option<Result<(), Verdict>> {
        Some(match self.files.get(file)? {
            Err(why) => Err(Verdict::Spoilt(why.clone())),
            Ok(texts) if texts.contains(id) => Ok(()),
            Ok(_) => {
                let why = "The backup has no text for it.";
                Err(Verdict::LeftOut(why.to_owned()))
            }
        })
    }

    /// Whether the backup has the file of an attachment, whole: as long as it was written and with its
    /// check sum. `None` until the disk was asked.
    fn file_on_disk(&self, item: &Item) -> Option<Result<(), Verdict>> {
        let Some(entry) = self.recipe.file_of(item) else {
            let why = "The backup has no file for it.";
            return Some(Err(Verdict::LeftOut(why.to_owned())));
        };
        let checked = self.attached.get(&entry.name)?;
        Some(checked.clone().map_err(Verdict::Spoilt))
    }

    /// Asks the disk for what has to be known of an item: one thing after the other.
    fn ask_disk(&mut self, desk: &mut Desk, item: u32) {
        if std::mem::replace(&mut self.asked_disk, true) {
            return;
        }
        let (file, it) = &self.recipe.items[item as usize];
        let backup = self.recipe.backup.clone();
        let entry = self.recipe.file_of(it).cloned();
        desk.store(match entry {
            Some(file) => JobWrite::CheckFile { backup, file },
            None => JobWrite::ReadBack {
                backup,
                name: file.clone(),
            },
        });
    }

    /// Asks what is to be known of an item next, or closes it. Whether it was closed.
    fn go_on(&mut self, desk: &mut Desk, item: u32) -> bool {
        if let Some(verdict) = self.known(item) {
            self.close(desk, item, verdict);
            return true;
        }
        let (file, it) = &self.recipe.items[item as usize];
        // What hangs on a page needs nothing but what the disk tells.
        if may_hang(&it.kind) || !self.files.contains_key(file) {
            self.ask_disk(desk, item);
            return false;
        }
        if self.things[item as usize].goes.is_none() {
            match self.ancestry.place(&self.recipe, item) {
                Ok(place) => self.things[item as usize].goes = Some(place),
                Err(ancestry::Open::Failed(why)) => {
                    self.close(desk, item, Verdict::Cannot(why));
                    return true;
                }
                Err(ancestry::Open::Read(id)) => {
                    if let Some(call) = self.ancestry.ask(item, id) {
                        desk.read(item, Step::Look, call);
                    }
                    return false;
                }
            }
        }
        if let Need::Left(why) = self.need(item) {
            let why = format!("{}. It would be left out.", why.because());
            self.close(desk, item, Verdict::LeftOut(why));
            return true;
        }
        let it = &self.recipe.items[item as usize].1;
        if it.kind == ContentKind::Page && self.has_twin(item) {
            self.close(desk, item, Verdict::TitleTaken);
            return true;
        }
        // Blog posts may have one title, but one that is there already may be the same post.
        if matches!(it.kind, ContentKind::Page | ContentKind::BlogPost)
            && let Some(key) = self.recipe.space(it)
        {
            let call = Call::ContentByTitle {
                key,
                title: it.title.clone(),
                kind: it.kind.clone(),
            };
            desk.read(item, Step::Check, call);
            return false;
        }
        self.would_be_made(desk, item);
        true
    }

    fn would_be_made(&mut self, desk: &mut Desk, item: u32) {
        let goes = self.things[item as usize].goes.as_ref();
        let parent_is_gone = goes.is_some_and(Place::is_parent_gone);
        self.close(desk, item, Verdict::Made { parent_is_gone });
    }

    /// Asks about the site and the spaces, one after the other. Whether all of it is known.
    fn knows_the_ground(&self, desk: &mut Desk) -> bool {
        let call = match (self.read_only, self.next_space()) {
            (None, _) => (Step::Check, Call::AccessMode),
            (Some(false), Some(key)) => {
                let expand = String::new();
                let key = key.clone();
                (Step::Look, Call::Space { key, expand })
            }
            (Some(_), _) => return true,
        };
        if !desk.is_busy(WHOLE) {
            desk.read(WHOLE, call.0, call.1);
        }
        false
    }

    fn next_space(&self) -> Option<&SpaceKey> {
        let mut spaces = self.spaces.iter();
        spaces.find_map(|(key, known)| known.is_none().then_some(key))
    }
}

impl Machine for Rehearsal {
    fn go(&mut self, desk: &mut Desk) {
        if desk.is_stopping() || !self.knows_the_ground(desk) {
            return;
        }
        let mut again = true;
        while again {
            again = false;
            let open: Vec<u32> = desk.open().take(WINDOW).collect();
            for item in open {
                if !desk.has_room() {
                    return;
                }
                if !desk.is_busy(item) && !self.waits(item) {
                    again |= self.go_on(desk, item);
                }
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        if item == WHOLE {
            if step == Step::Check {
                // Where the server does not tell, the spaces do, or the job would.
                let mode = Reply::AccessMode(AccessMode::ReadOnly);
                self.read_only = Some(answer.is_ok_and(|reply| reply == mode));
            } else if let Some(key) = self.next_space().cloned() {
                let known = match answer {
                    Ok(Reply::Space(_)) => Ok(()),
                    Err(error) if is_not_there(&error) => Err(Verdict::NoSpace),
                    other => {
                        let error = other.err().unwrap_or_else(unexpected);
                        Err(Verdict::Cannot(error.message))
                    }
                };
                self.spaces.insert(key, Some(known));
            }
            return;
        }
        match (step, answer) {
            (Step::Look, answer) => self.ancestry.learn(item, answer),
            (Step::Check, Ok(Reply::Contents(page))) if page.results.is_empty() => {
                self.would_be_made(desk, item);
            }
            (Step::Check, Ok(Reply::Contents(_))) => self.close(desk, item, Verdict::TitleTaken),
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                self.close(desk, item, Verdict::Cannot(error.message));
            }
        }
    }

    fn wrote(&mut self, _: &mut Desk, _: u32, _: Step, _: Fate) {
        // A dry run writes nothing.
    }

    fn stored(&mut self, _: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        let name = match what {
            JobWrite::ReadBack { name, .. } => name,
            JobWrite::CheckFile { file, .. } => {
                self.asked_disk = false;
                let checked = answer.map(|_| ()).map_err(|problem| problem.message);
                self.attached.insert(file.name.clone(), checked);
                return;
            }
            _ => return,
        };
        self.asked_disk = false;
        let items = self.recipe.unpacked(name, answer);
        let texts = items.map(|items: Vec<Item>| {
            let with_text = items.into_iter().filter(|item| item.storage.is_some());
            with_text.map(|item| item.id).collect()
        });
        self.files.insert(name.clone(), texts);
    }
}
