//! Content made again from a backup: parents first, restricted before it is filled.
//!
//! Ids, history, comments, watchers and the files of attachments do not come back. What was
//! restricted is made empty, restricted, and only then given its text; where that fails it is
//! put into the trash again. What may have been restricted, by itself or by a parent that is
//! not there any more, is treated as restricted.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::backup::{self, FileEntry, Item, Manifest};
use super::desk::{Desk, Fate, Settled, is_not_there, unexpected};
use super::job::{Decision, JobWrite, Line, Machine, Outcome, Question, Step, StoreError, Stored};
use super::session::Users;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, Reply, Restriction, SpaceKey, Version,
};

const TRIES: u8 = 8;
const RENAMES: u32 = 20;
const EXPAND: &str = "body.storage,version,history,metadata.labels,\
restrictions.read.restrictions.user,restrictions.read.restrictions.group,\
restrictions.update.restrictions.user,restrictions.update.restrictions.group";

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
        items.sort_by_key(|(_, item)| item.ancestors.as_ref().map_or(0, Vec::len));
        Self {
            backup: backup.into(),
            files: manifest.files.clone(),
            items,
            into,
            unknown,
        }
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
            "History, comments, watchers and likes do not come back.",
            "Files of attachments do not come back with their pages.",
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Load,
    Title,
    Create,
    /// The answer to the creation was lost: what has the title now?
    FindMade,
    /// Is what was found what was sent?
    Compare,
    Restrict,
    Restricted,
    Fill,
    Filled,
    Label,
    Labelled,
    Withdraw,
    Withdrawn,
}

/// What is known of where an item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// Is its former parent still there?
    LookFor,
    Known,
    /// Its parent is neither made again nor current: what it inherited is not known.
    Orphan,
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
    place: Place,
    version: u64,
    tries: u8,
    renamed: u32,
    note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Recreate {
    recipe: Recipe,
    user: Users,
    things: Vec<Thing>,
    on_collision: OnCollision,
    /// Whether the place of each is known. Then they are made, one after the other.
    placed: bool,
    asked_disk: bool,
    /// The texts of one file. Not stored: it is read again.
    #[serde(skip)]
    loaded: Option<(String, HashMap<ContentId, Option<String>>)>,
}

impl Recreate {
    pub(super) fn new(recipe: Recipe, user: Option<String>) -> Self {
        let thing = Thing {
            stage: Stage::Load,
            known: Vec::new(),
            found: None,
            made: None,
            parent: None,
            place: Place::LookFor,
            version: 1,
            tries: 0,
            renamed: 0,
            note: None,
        };
        let things = vec![thing; recipe.items.len()];
        Self {
            recipe,
            user: Users::begun_by(user),
            things,
            on_collision: OnCollision::Ask,
            placed: false,
            asked_disk: false,
            loaded: None,
        }
    }

    pub(super) fn source(&self) -> Source {
        self.recipe.source()
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

    fn title(&self, item: u32) -> String {
        let title = &self.item(item).title;
        match self.things[item as usize].renamed {
            0 => title.clone(),
            1 => format!("{title} (restored)"),
            n => format!("{title} (restored {n})"),
        }
    }

    fn space(&self, item: u32) -> Option<SpaceKey> {
        self.recipe.space(self.item(item))
    }

    fn text(&self, item: u32) -> Option<String> {
        let (_, texts) = self.loaded.as_ref()?;
        texts.get(&self.item(item).id).cloned().flatten()
    }

    /// Restrictions to be put back; `None`: none; `Err`: it must not be made.
    fn restrictions(&self, item: u32) -> Result<Option<Vec<Restriction>>, String> {
        let orphan = self.things[item as usize].place == Place::Orphan;
        let user = self.user.now();
        rights(self.item(item), orphan, self.recipe.unknown, user)
    }

    /// Learns where each goes before any is made, so that a kill cannot make it forgotten which
    /// of them have to be restricted.
    fn place(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().collect();
        for item in open {
            if self.things[item as usize].place != Place::LookFor {
                continue;
            }
            let parent = match &self.item(item).ancestors {
                None => {
                    self.things[item as usize].place = Place::Orphan;
                    continue;
                }
                Some(ancestors) => ancestors.last().map(|parent| parent.id.clone()),
            };
            let again = |id: &ContentId| self.recipe.items.iter().any(|(_, it)| it.id == *id);
            let place = match parent {
                None => Place::Known,
                Some(id) if again(&id) => Place::Known,
                Some(_) if self.recipe.into.is_some() => Place::Orphan,
                Some(id) => {
                    if !desk.has_room() {
                        return;
                    }
                    if !desk.is_busy(item) {
                        let call = Call::Content {
                            id,
                            status: None,
                            expand: String::new(),
                        };
                        desk.read(item, Step::Look, call);
                    }
                    continue;
                }
            };
            self.things[item as usize].place = place;
        }
        let is_placed = |item| self.things[item as usize].place != Place::LookFor;
        if desk.open().all(is_placed) {
            self.placed = true;
            desk.checkpoint();
        }
    }

    /// The parent that was made again in this job, if it is one of them.
    fn parent_of(&self, item: u32) -> Result<ParentPlace, String> {
        let ancestors = self.item(item).ancestors.as_deref().unwrap_or_default();
        let again = ancestors.last().and_then(|parent| {
            self.recipe
                .items
                .iter()
                .position(|(_, it)| it.id == parent.id)
        });
        match again.map(|index| &self.things[index]) {
            None => Ok(ParentPlace::AsFound),
            Some(thing) if thing.stage == Stage::Withdrawn || thing.stage == Stage::Withdraw => {
                Err("Its parent was not made again.".to_owned())
            }
            Some(thing) => match &thing.made {
                Some(made) => Ok(ParentPlace::Below(made.clone())),
                None => Err("Its parent was not made again.".to_owned()),
            },
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
            expand: EXPAND.to_owned(),
        }
    }

    fn by_title(&self, item: u32, key: SpaceKey) -> Call {
        Call::ContentByTitle {
            key,
            title: self.title(item),
            kind: self.item(item).kind.clone(),
        }
    }

    fn collides(&mut self, desk: &mut Desk, item: u32) {
        let title = self.title(item);
        self.things[item as usize].stage = Stage::Title;
        match self.on_collision {
            OnCollision::Ask => desk.ask(Question::TitleCollision { title }),
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
        let thing = &self.things[item as usize];
        let mut note = match &thing.made {
            Some(made) => format!("Its new id is {made}."),
            None => String::new(),
        };
        if thing.renamed > 0 {
            note = format!("{note} It is called {} now.", self.title(item));
        }
        if let Some(more) = &thing.note {
            note = format!("{note} {more}");
        }
        desk.close(item, Outcome::Done(Some(note)));
    }

    fn unknown(desk: &mut Desk, item: u32, step: Step, why: &str) {
        desk.settle(item, step, Settled::Unknown(why));
        desk.close(item, Outcome::Unknown(why.to_owned()));
    }

    /// Not applied after all: once more, but not for ever.
    fn once_more(&mut self, desk: &mut Desk, item: u32, step: Step, back_to: Stage) {
        if desk.looks_again(item, step) {
            return;
        }
        let why = "The answer was lost, and it was not applied.";
        desk.settle(item, step, Settled::NotApplied(why));
        let thing = &mut self.things[item as usize];
        thing.stage = back_to;
        thing.tries += 1;
        if thing.tries >= TRIES {
            desk.close(item, Outcome::Failed(why.to_owned()));
        }
    }

    fn after_restricting(&mut self, item: u32) {
        self.things[item as usize].stage = Stage::Fill;
    }

    fn after_filling(&mut self, desk: &mut Desk, item: u32) {
        let has_labels = self
            .item(item)
            .labels
            .as_ref()
            .is_some_and(|labels| !labels.is_empty());
        if has_labels {
            self.things[item as usize].stage = Stage::Label;
        } else {
            self.finish(desk, item);
        }
    }

    fn after_creating(&mut self, desk: &mut Desk, item: u32, made: ContentId) {
        self.things[item as usize].made = Some(made);
        match self.restrictions(item) {
            Ok(None) => self.after_filling(desk, item),
            Ok(Some(_)) => self.things[item as usize].stage = Stage::Restrict,
            Err(_) => self.things[item as usize].stage = Stage::Withdraw,
        }
    }
}

enum ParentPlace {
    /// At the root, or below what was found.
    AsFound,
    Below(ContentId),
}

/// Restrictions to be put back; `None`: none; `Err`: it must not be made. An orphan's parent, whose
/// restrictions it had too, is not known.
pub(super) fn rights(
    item: &Item,
    orphan: bool,
    unknown: UnknownRestrictions,
    user: Option<&str>,
) -> Result<Option<Vec<Restriction>>, String> {
    match &item.restrictions {
        Some(list) if list.iter().any(|it| it.operation == "read") => Ok(Some(list.clone())),
        Some(list) if !orphan => Ok((!list.is_empty()).then(|| list.clone())),
        _ => match (unknown, user) {
            (UnknownRestrictions::OnlyMe, Some(user)) => Ok(Some(vec![Restriction {
                operation: "read".to_owned(),
                users: vec![user.to_owned()],
                user_keys: Vec::new(),
                groups: Vec::new(),
            }])),
            _ => Err("It is not known whether it was restricted.".to_owned()),
        },
    }
}

fn same_restrictions(wanted: &[Restriction], there: &[Restriction]) -> bool {
    let flat = |list: &[Restriction]| {
        let mut flat: Vec<(String, String)> = list
            .iter()
            .flat_map(|it| {
                let operation = it.operation.clone();
                let names = it.users.iter().chain(&it.groups).cloned();
                names.map(move |name| (operation.clone(), name))
            })
            .collect();
        flat.sort();
        flat.dedup();
        flat
    };
    flat(wanted) == flat(there)
}

impl Machine for Recreate {
    fn go(&mut self, desk: &mut Desk) {
        let stopping = desk.is_stopping();
        if !self.placed && !stopping {
            self.place(desk);
            return;
        }
        let item = if stopping {
            // Only what was begun is brought to a safe end.
            let mut begun = desk.open().filter(|item| {
                matches!(
                    self.things[*item as usize].stage,
                    Stage::FindMade
                        | Stage::Compare
                        | Stage::Restricted
                        | Stage::Filled
                        | Stage::Labelled
                        | Stage::Withdrawn
                )
            });
            begun.next()
        } else {
            desk.first_open()
        };
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
        let file = self.recipe.items[item as usize].0.clone();
        let is_loaded = self.loaded.as_ref().is_some_and(|(name, _)| *name == file);
        if !is_loaded && !stopping {
            if !self.asked_disk {
                self.asked_disk = true;
                desk.store(JobWrite::ReadBack {
                    backup: self.recipe.backup.clone(),
                    name: file,
                });
            }
            return;
        }
        let text = self.text(item);
        let Some(text) = text.or_else(|| stopping.then(String::new)) else {
            let why = "The backup has no text for it.".to_owned();
            desk.close(item, Outcome::Skipped(why));
            self.go(desk);
            return;
        };
        let thing = &self.things[item as usize];
        match thing.stage {
            Stage::Load => match self.parent_of(item) {
                Err(why) => {
                    desk.close(item, Outcome::Skipped(why));
                    self.go(desk);
                }
                Ok(place) => {
                    let thing = &mut self.things[item as usize];
                    if let ParentPlace::Below(parent) = place {
                        thing.parent = Some(parent);
                    }
                    thing.stage = Stage::Title;
                    self.go(desk);
                }
            },
            Stage::Title => match self.restrictions(item) {
                Err(why) => {
                    desk.close(item, Outcome::Skipped(why));
                    self.go(desk);
                }
                Ok(_) => desk.read(item, Step::Check, self.by_title(item, space)),
            },
            Stage::Create => {
                let restricted = !matches!(self.restrictions(item), Ok(None));
                let call = Call::CreateContent {
                    space,
                    kind,
                    title: self.title(item),
                    parent: thing.parent.clone(),
                    storage: if restricted { String::new() } else { text },
                };
                // Should this not go out, the title is looked for again.
                self.things[item as usize].stage = Stage::Load;
                desk.write(item, Step::Create, call, "no content of this title");
            }
            Stage::FindMade => desk.read(item, Step::Settle, self.by_title(item, space)),
            Stage::Compare => desk.read(item, Step::SettleElsewhere, self.look(item)),
            Stage::Restricted | Stage::Filled | Stage::Labelled | Stage::Withdrawn => {
                desk.read(item, Step::Settle, self.look(item));
            }
            Stage::Restrict => {
                let (Some(id), Ok(Some(restrictions))) =
                    (thing.made.clone(), self.restrictions(item))
                else {
                    self.things[item as usize].stage = Stage::Withdraw;
                    self.go(desk);
                    return;
                };
                let call = Call::SetRestrictions { id, restrictions };
                desk.write(item, Step::Restrict, call, "empty, not restricted");
            }
            Stage::Fill => {
                let Some(id) = thing.made.clone() else {
                    return;
                };
                let call = Call::ReplaceBody {
                    id,
                    kind,
                    title: self.title(item),
                    version: thing.version + 1,
                    storage: text,
                };
                let before = format!("empty, restricted, version {}", thing.version);
                desk.write(item, Step::FillIn, call, before);
            }
            Stage::Label => {
                let (Some(id), Some(labels)) = (thing.made.clone(), self.item(item).labels.clone())
                else {
                    return;
                };
                let call = Call::AddLabels { id, labels };
                desk.write(item, Step::Label, call, "without labels");
            }
            Stage::Withdraw => {
                let Some(id) = thing.made.clone() else {
                    return;
                };
                let call = Call::TrashContent { id };
                desk.write(item, Step::Withdraw, call, "empty");
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        let user = self.user.clone();
        let restrictions = self.restrictions(item);
        let labels = self.item(item).labels.clone().unwrap_or_default();
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        if step == Step::Look {
            match answer {
                Ok(Reply::Content(parent)) => {
                    thing.parent = Some(parent.id);
                    thing.place = Place::Known;
                }
                Err(error) if is_not_there(&error) => {
                    thing.place = Place::Orphan;
                    thing.note = Some("Its former parent is not there any more.".to_owned());
                }
                other => {
                    let error = other.err().unwrap_or_else(unexpected);
                    desk.close(item, Outcome::Failed(error.message));
                }
            }
            return;
        }
        match (thing.stage, step, answer) {
            (Stage::Title, _, Ok(Reply::Contents(page))) => {
                thing.known = page.results.into_iter().map(|it| it.id).collect();
                if !thing.known.is_empty() {
                    // After a lost answer these must not be taken for what was made.
                    desk.checkpoint();
                }
                let is_page = self.item(item).kind == ContentKind::Page;
                if is_page && !self.things[item as usize].known.is_empty() {
                    self.collides(desk, item);
                } else {
                    self.things[item as usize].stage = Stage::Create;
                }
            }
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
                    desk.settle(item, Step::Create, Settled::Made(found.id.as_str()));
                    self.after_creating(desk, item, found.id);
                } else {
                    let why = "The answer was lost, and a content of that title is there, made by somebody else.";
                    Self::unknown(desk, item, Step::Create, why);
                }
            }
            (Stage::Restricted, _, Ok(Reply::Content(now))) => {
                let there = now.more.and_then(|more| more.restrictions);
                let wanted = restrictions.ok().flatten().unwrap_or_default();
                if there.is_some_and(|there| same_restrictions(&wanted, &there)) {
                    desk.settle(item, Step::Restrict, Settled::Done);
                    self.after_restricting(item);
                } else {
                    // Setting them twice is the same as once.
                    self.once_more(desk, item, Step::Restrict, Stage::Restrict);
                }
            }
            (Stage::Filled, _, Ok(Reply::Content(now))) => {
                let made = thing.version;
                let is_ours = |version: &Version| {
                    let by = version.by.as_ref().and_then(|by| by.username.as_deref());
                    version.number == Some(made + 1) && by.is_some_and(|by| user.has(by))
                };
                let ours = now.version.as_ref().is_some_and(is_ours);
                let version = now.version.and_then(|version| version.number);
                let there = now.more.and_then(|more| more.body_storage);
                match version {
                    Some(version) if version <= made => {
                        self.once_more(desk, item, Step::FillIn, Stage::Fill);
                    }
                    Some(_) if ours || (there.is_some() && there == self.text(item)) => {
                        desk.settle(item, Step::FillIn, Settled::Done);
                        self.after_filling(desk, item);
                    }
                    Some(_) => {
                        let why = "The answer was lost, and somebody has changed it since: look whether its text is in it.";
                        Self::unknown(desk, item, Step::FillIn, why);
                    }
                    None => {
                        let why = "The answer was lost, and the server does not tell the version.";
                        Self::unknown(desk, item, Step::FillIn, why);
                    }
                }
            }
            (Stage::Labelled, _, Ok(Reply::Content(now))) => {
                let there = now.more.and_then(|more| more.labels).unwrap_or_default();
                if labels.iter().all(|label| there.contains(label)) {
                    desk.settle(item, Step::Label, Settled::Done);
                    self.finish(desk, item);
                } else {
                    self.once_more(desk, item, Step::Label, Stage::Label);
                }
            }
            (Stage::Withdrawn, _, Ok(_)) => {
                self.once_more(desk, item, Step::Withdraw, Stage::Withdraw);
            }
            (Stage::Withdrawn, _, Err(error)) if is_not_there(&error) => {
                desk.settle(item, Step::Withdraw, Settled::Done);
                let why = "Its restrictions could not be put back, so it was not made again.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            (stage, _, other) => {
                let step = match stage {
                    Stage::FindMade | Stage::Compare => Step::Create,
                    Stage::Restricted => Step::Restrict,
                    Stage::Filled => Step::FillIn,
                    Stage::Labelled => Step::Label,
                    Stage::Withdrawn => Step::Withdraw,
                    _ => return,
                };
                let error = other.err().unwrap_or_else(unexpected);
                let why = format!("The answer was lost. {}", error.message);
                Self::unknown(desk, item, step, &why);
            }
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate) {
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        if let Fate::NeverKnown(why) = fate {
            desk.close(item, Outcome::Unknown(why));
            return;
        }
        match (step, fate) {
            (Step::Create, Fate::Applied { made }) => match made {
                Some(made) => self.after_creating(desk, item, ContentId::new(made)),
                None => {
                    let why = "The server did not say which id it has.".to_owned();
                    desk.close(item, Outcome::Unknown(why));
                }
            },
            (Step::Create, Fate::InDoubt(_)) => thing.stage = Stage::FindMade,
            (Step::Create, Fate::NotApplied(_)) => thing.stage = Stage::Load,
            (Step::Create, Fate::Refused(error)) => {
                desk.close(item, Outcome::Failed(error.message));
            }
            (Step::Restrict, Fate::Applied { .. }) => self.after_restricting(item),
            (Step::Restrict, Fate::InDoubt(_)) => thing.stage = Stage::Restricted,
            (Step::Restrict, Fate::NotApplied(_)) => thing.stage = Stage::Restrict,
            (Step::Restrict, Fate::Refused(_)) => thing.stage = Stage::Withdraw,
            (Step::FillIn, Fate::Applied { .. }) => self.after_filling(desk, item),
            (Step::FillIn, Fate::InDoubt(_)) => thing.stage = Stage::Filled,
            (Step::FillIn, Fate::NotApplied(_)) => thing.stage = Stage::Fill,
            (Step::FillIn, Fate::Refused(error)) => {
                let why = format!("It was made, restricted, but is empty. {}", error.message);
                desk.close(item, Outcome::Failed(why));
            }
            (Step::Label, Fate::Applied { .. }) => self.finish(desk, item),
            (Step::Label, Fate::InDoubt(_)) => thing.stage = Stage::Labelled,
            (Step::Label, Fate::NotApplied(_)) => thing.stage = Stage::Label,
            (Step::Label, Fate::Refused(error)) => {
                thing.note = Some(format!("Its labels were not taken. {}", error.message));
                self.finish(desk, item);
            }
            (_, Fate::Applied { .. }) => {
                let why = "Its restrictions could not be put back, so it was not made again.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            (_, Fate::InDoubt(_)) => thing.stage = Stage::Withdrawn,
            (_, Fate::NotApplied(_)) => thing.stage = Stage::Withdraw,
            (_, Fate::Refused(error)) => {
                let why = format!(
                    "Its restrictions could not be put back. It stands empty. {}",
                    error.message
                );
                desk.close(item, Outcome::Failed(why));
            }
            // None of its steps is left open after an answer.
            (_, Fate::NeverKnown(_) | Fate::Accepted { .. }) => {}
        }
    }

    fn stored(&mut self, desk: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
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
            Err(why) => desk.halt(format!("The backup cannot be read. {why}")),
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
        if let Some(item) = desk.first_open() {
            self.collides(desk, item);
        }
    }

    fn taken_up(&mut self, user: Option<&str>) {
        self.user.taken_up_by(user);
    }

    fn reopened(&mut self, _: &mut Desk) {
        self.asked_disk = false;
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
