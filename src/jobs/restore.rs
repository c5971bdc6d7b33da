//! Content out of the trash: parents before children, then back below the former parent.
//!
//! A refusal is told for what it is: a title counts as taken only when the server says so of the title,
//! or when a page of that title is found. What was changed meanwhile is read again and tried again.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::consent::Target;
use super::desk::{Again, Desk, Fate, Settled, is_not_there, refusal, unexpected};
use super::line::Outcome;
use super::machine::Machine;
use super::new_title::new_title;
use super::question::{Decision, Question};
use super::step::Step;
use super::witness::{Sight, Witness};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, ErrorKind, Reply, ServerText,
    SpaceKey,
};

const TRIES: u8 = 8;
/// Titles that are tried when a current content has the title.
const RENAMES: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// Not looked at yet.
    Look,
    /// Looked at; its turn comes when those above it are done.
    Waiting,
    /// Read once more, for its version.
    Check,
    Ready,
    Settle,
    /// It is not current: is it in the trash still?
    SettleElsewhere,
    /// The restore was answered as if it were not there: is that so?
    Refused,
    /// It is not in the trash: is it current?
    Elsewhere,
    /// It is answered as neither: is it gone, or hidden from this user?
    Missing,
    /// The restore was refused over a conflict that is not named: is its title taken?
    TitleTaken,
    /// Asking where it came back to.
    Place,
    Move,
    SettleMove,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum OnCollision {
    Ask,
    Skip,
    Rename,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Thing {
    id: ContentId,
    kind: ContentKind,
    title: ServerText,
    #[serde(default)]
    space: Option<SpaceKey>,
    /// How many ancestors it had; unknown counts as none.
    depth: usize,
    parent: Option<ContentId>,
    version: u64,
    stage: Stage,
    tries: u8,
    renamed: u32,
    /// What the last refusal said.
    #[serde(default)]
    refusal: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Restore {
    things: Vec<Thing>,
    looked: usize,
    /// In which order, once all have been looked at.
    order: Vec<u32>,
    next: usize,
    on_collision: OnCollision,
    #[serde(skip)]
    witnesses: HashMap<u32, Witness>,
}

impl Restore {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            things: target
                .items
                .iter()
                .map(|it| Thing {
                    id: it.id.clone(),
                    kind: it.kind.clone(),
                    title: ServerText::new(&*it.title),
                    space: it.space.clone(),
                    depth: 0,
                    parent: None,
                    version: 0,
                    stage: Stage::Look,
                    tries: 0,
                    renamed: 0,
                    refusal: String::new(),
                })
                .collect(),
            looked: 0,
            order: Vec::new(),
            next: 0,
            on_collision: OnCollision::Ask,
            witnesses: HashMap::new(),
        }
    }

    fn look_at_all(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().collect();
        let mut waiting = false;
        for item in open {
            let stage = self.things[item as usize].stage;
            if !matches!(stage, Stage::Look | Stage::Elsewhere | Stage::Missing) {
                continue;
            }
            waiting = true;
            if !desk.has_room() {
                return;
            }
            if desk.is_busy(item) {
                continue;
            }
            if stage == Stage::Look {
                let call = self.trashed(item, "version,ancestors");
                desk.read(item, Step::Look, call);
            } else {
                self.ask_where(desk, item);
            }
        }
        if waiting {
            return;
        }
        self.order = (0..self.things.len() as u32).collect();
        // What lies below another of them has more ancestors; same depth keeps the order given.
        self.order
            .sort_by_key(|item| self.things[*item as usize].depth);
        self.looked = self.things.len();
        // Parents are known now and no longer once things are restored: keep them.
        desk.checkpoint();
    }

    fn trashed(&self, item: u32, expand: &str) -> Call {
        Call::Content {
            id: self.things[item as usize].id.clone(),
            status: Some(ContentStatus::Trashed),
            expand: expand.to_owned(),
        }
    }

    /// Asks what became of an item that is not where it was.
    fn ask_where(&mut self, desk: &mut Desk, item: u32) {
        let thing = &self.things[item as usize];
        match thing.stage {
            Stage::Refused => desk.read(item, Step::Look, self.trashed(item, "version")),
            Stage::Elsewhere => desk.read(item, Step::Look, self.current(item)),
            Stage::Missing => {
                let space = thing.space.clone();
                let witness = self.witnesses.entry(item);
                let witness = witness.or_insert_with(|| Witness::of_trash(space));
                desk.read(item, Step::Witness, witness.call());
            }
            Stage::TitleTaken => {
                if let Some(key) = thing.space.clone() {
                    let call = Call::ContentByTitle {
                        key,
                        title: thing.new_title(),
                        kind: thing.kind.clone(),
                    };
                    desk.read(item, Step::Look, call);
                }
            }
            _ => {}
        }
    }

    /// Takes the answer to [`Restore::ask_where`].
    fn found_where(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let thing = &mut self.things[item as usize];
        match (thing.stage, answer) {
            (Stage::Missing, answer) => self.witnessed(desk, item, answer),
            (Stage::TitleTaken, Ok(Reply::Contents(page))) => {
                if page.results.iter().any(|row| row.id != thing.id) {
                    self.collides(desk, item);
                } else {
                    self.check_again(desk, item);
                }
            }
            (Stage::Refused, Ok(_)) => {
                let why = "The server answered as if it were not there, and it is still in the trash. You may not be permitted to restore it.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            (Stage::Elsewhere, Ok(_)) => {
                let note = "It was not in the trash any more: somebody else has restored it.";
                desk.close(item, Outcome::Done(Some(note.to_owned())));
            }
            (Stage::Refused, Err(error)) if is_not_there(&error) => thing.stage = Stage::Elsewhere,
            (Stage::Elsewhere, Err(error)) if is_not_there(&error) => thing.stage = Stage::Missing,
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.close(item, Outcome::Failed(error.message));
            }
        }
    }

    fn witnessed(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let Some(mut witness) = self.witnesses.remove(&item) else {
            return;
        };
        match witness.answer(desk.user(), answer) {
            None => drop(self.witnesses.insert(item, witness)),
            Some(Sight::Shown(ids)) if ids.contains(&self.things[item as usize].id) => {
                let why = "The trash lists it, and asked for by itself it is not there. You may not be permitted to restore it.";
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
            Some(Sight::Shown(_)) => desk.close(item, Outcome::Gone),
            Some(Sight::Hidden(why)) => desk.close(item, Outcome::Failed(why)),
        }
    }

    /// The restore was refused for what was sent: a title that is taken, or a version that is not
    /// the one that follows. Servers answer 409 and 400 to both, so their words are read; where they
    /// name neither, the title is looked for.
    fn refused(&mut self, desk: &mut Desk, item: u32, error: ApiError) {
        let thing = &mut self.things[item as usize];
        let blames = blamed(&error);
        let is_conflict = error.kind == ErrorKind::Conflict;
        thing.refusal = refusal(error);
        match blames {
            Blames::Title => self.collides(desk, item),
            Blames::Version => self.check_again(desk, item),
            Blames::Neither if is_conflict && thing.space.is_some() => {
                thing.stage = Stage::TitleTaken;
            }
            Blames::Neither => {
                let why = thing.refusal.clone();
                desk.close(item, Outcome::Failed(why));
            }
        }
    }

    /// Reads it once more, for the version that it has now, and tries again.
    fn check_again(&mut self, desk: &mut Desk, item: u32) {
        let thing = &mut self.things[item as usize];
        thing.stage = Stage::Check;
        thing.tries += 1;
        if thing.tries >= TRIES {
            let why = thing.refusal.clone();
            desk.close(item, Outcome::Failed(why));
        }
    }

    /// It is current again, after a restore.
    fn came_back(&mut self, desk: &mut Desk, item: u32, now: &Content) {
        let thing = &mut self.things[item as usize];
        thing.version = version_of(now);
        let here = parent_of(now);
        let moved = thing.tries >= TRIES;
        if thing.parent.is_none() || here == thing.parent {
            self.placed(desk, item, Ok(()));
        } else if now.ancestors.is_none() || moved {
            self.placed(desk, item, Err("Its former place could not be given back."));
        } else {
            thing.stage = Stage::Move;
        }
    }

    fn current(&self, item: u32) -> Call {
        Call::Content {
            id: self.things[item as usize].id.clone(),
            status: None,
            expand: "version,ancestors".to_owned(),
        }
    }

    fn collides(&mut self, desk: &mut Desk, item: u32) {
        let thing = &mut self.things[item as usize];
        thing.stage = Stage::Check;
        match self.on_collision {
            OnCollision::Ask => desk.ask(Question::TitleCollision {
                title: thing.title.to_string(),
            }),
            OnCollision::Skip => {
                let why = format!("A current content is called {} already.", thing.title);
                desk.close(item, Outcome::Skipped(why));
            }
            OnCollision::Rename => {
                thing.renamed += 1;
                // Later steps send the title again, also after a kill.
                desk.checkpoint();
                if thing.renamed > RENAMES {
                    let why = "No free title was found.".to_owned();
                    desk.close(item, Outcome::Failed(why));
                }
            }
        }
    }

    fn placed(&mut self, desk: &mut Desk, item: u32, kept: Result<(), &str>) {
        let thing = &self.things[item as usize];
        let renamed = if thing.renamed > 0 {
            format!("Renamed to {}. ", thing.new_title())
        } else {
            String::new()
        };
        let note = match kept {
            Ok(()) if renamed.is_empty() => None,
            Ok(()) => Some(renamed.trim_end().to_owned()),
            Err(why) => Some(format!("{renamed}{why}")),
        };
        desk.close(item, Outcome::Done(note));
    }
}

impl Thing {
    fn new_title(&self) -> ServerText {
        new_title(&self.title, self.renamed)
    }
}

/// What a refusal speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blames {
    /// A title that is taken.
    Title,
    /// A version that is not the one that follows.
    Version,
    /// Neither, or both.
    Neither,
}

fn blamed(error: &ApiError) -> Blames {
    if !matches!(error.kind, ErrorKind::Conflict | ErrorKind::Invalid) {
        return Blames::Neither;
    }
    let mut words = error.message.to_lowercase();
    for detail in &error.details {
        words.push(' ');
        words.push_str(&detail.to_lowercase());
    }
    let says = |word: &str| words.contains(word);
    let title = says("title") && ["exist", "already", "taken"].into_iter().any(says);
    match (title, says("version")) {
        (true, false) => Blames::Title,
        (false, true) => Blames::Version,
        _ => Blames::Neither,
    }
}

fn version_of(content: &Content) -> u64 {
    content
        .version
        .as_ref()
        .and_then(|version| version.number)
        .unwrap_or(1)
}

fn parent_of(content: &Content) -> Option<ContentId> {
    let ancestors = content.ancestors.as_ref()?;
    ancestors.last().map(|parent| parent.id.clone())
}

impl Machine for Restore {
    fn go(&mut self, desk: &mut Desk) {
        if self.looked < self.things.len() && !desk.is_stopping() {
            self.look_at_all(desk);
            // Either something is still to be looked at, or the checkpoint comes first.
            return;
        }
        if desk.is_stopping() {
            // Only what is in doubt is still asked about.
            let open: Vec<u32> = desk.open().collect();
            for item in open {
                if desk.is_busy(item) {
                    continue;
                }
                match self.things[item as usize].stage {
                    Stage::Settle | Stage::SettleMove => {
                        desk.read(item, Step::Settle, self.current(item));
                    }
                    Stage::SettleElsewhere => {
                        let call = self.trashed(item, "version");
                        desk.read(item, Step::SettleElsewhere, call);
                    }
                    Stage::Place | Stage::Move => {
                        self.placed(desk, item, Err("Its former place was not looked for."));
                    }
                    Stage::Look
                    | Stage::Waiting
                    | Stage::Check
                    | Stage::Ready
                    | Stage::Refused
                    | Stage::Elsewhere
                    | Stage::Missing
                    | Stage::TitleTaken => {}
                }
            }
            return;
        }
        while let Some(item) = self.order.get(self.next).copied() {
            if desk.is_open(item) {
                break;
            }
            self.next += 1;
        }
        let Some(item) = self.order.get(self.next).copied() else {
            return;
        };
        if desk.is_busy(item) {
            return;
        }
        let thing = &mut self.things[item as usize];
        match thing.stage {
            Stage::Look | Stage::Waiting | Stage::Check => {
                thing.stage = Stage::Check;
                let call = self.trashed(item, "version,ancestors");
                desk.read(item, Step::Check, call);
            }
            Stage::Ready => {
                // Should this not go out, it is looked at again.
                thing.stage = Stage::Check;
                let call = Call::RestoreContent {
                    id: thing.id.clone(),
                    kind: thing.kind.clone(),
                    title: thing.new_title(),
                    version: thing.version + 1,
                };
                let before = format!("trashed, version {}", thing.version);
                desk.write(item, Step::Restore, call, before);
            }
            Stage::Settle | Stage::SettleMove => {
                let call = self.current(item);
                desk.read(item, Step::Settle, call);
            }
            Stage::SettleElsewhere => {
                let call = self.trashed(item, "version");
                desk.read(item, Step::SettleElsewhere, call);
            }
            Stage::Refused | Stage::Elsewhere | Stage::Missing | Stage::TitleTaken => {
                self.ask_where(desk, item);
            }
            Stage::Place => {
                let call = self.current(item);
                desk.read(item, Step::Look, call);
            }
            Stage::Move => {
                let Some(parent) = thing.parent.clone() else {
                    self.placed(desk, item, Ok(()));
                    return;
                };
                // Should this not go out, its place is looked at again.
                thing.stage = Stage::Place;
                let call = Call::MoveContent {
                    id: thing.id.clone(),
                    kind: thing.kind.clone(),
                    title: thing.new_title(),
                    version: thing.version + 1,
                    parent,
                };
                let before = format!("current, version {}, elsewhere", thing.version);
                desk.write(item, Step::Move, call, before);
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        match (thing.stage, step, answer) {
            (Stage::Look, _, Ok(Reply::Content(now))) => {
                thing.depth = now.ancestors.as_ref().map_or(0, Vec::len);
                thing.parent = parent_of(&now);
                thing.stage = Stage::Waiting;
            }
            (Stage::Look | Stage::Check, _, Err(error)) if is_not_there(&error) => {
                thing.stage = Stage::Elsewhere;
            }
            (Stage::Refused | Stage::Elsewhere | Stage::Missing | Stage::TitleTaken, _, answer) => {
                self.found_where(desk, item, answer);
            }
            (Stage::Check, _, Ok(Reply::Content(now))) => {
                thing.version = version_of(&now);
                thing.parent = parent_of(&now).or(thing.parent.take());
                if thing.renamed == 0 && !now.title.is_empty() {
                    thing.title.clone_from(&now.title);
                }
                thing.stage = Stage::Ready;
            }
            (Stage::Look | Stage::Check, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.close(item, Outcome::Failed(error.message));
            }
            (Stage::Settle, _, Ok(Reply::Content(now))) => {
                desk.settle(item, Step::Restore, Settled::Done);
                self.came_back(desk, item, &now);
            }
            (Stage::Settle, _, Err(error)) if is_not_there(&error) => {
                thing.stage = Stage::SettleElsewhere;
            }
            (Stage::SettleElsewhere, _, Ok(_)) if desk.looks_again(item, Step::Restore) => {
                thing.stage = Stage::Settle;
            }
            (Stage::SettleElsewhere, _, Ok(_)) => {
                let state = "it is still in the trash";
                let (why, again) = desk.not_applied(item, Step::Restore, state);
                thing.stage = Stage::Check;
                thing.tries += 1;
                if again == Again::No || thing.tries >= TRIES {
                    desk.close(item, Outcome::Failed(why));
                }
            }
            (Stage::SettleElsewhere, _, Err(error)) if is_not_there(&error) => {
                let why = format!(
                    "{}, and it is neither in the trash nor current.",
                    desk.heard(item, Step::Restore)
                );
                desk.settle(item, Step::Restore, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
            (Stage::Settle | Stage::SettleElsewhere, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(item, Step::Restore, &error);
                desk.close(item, Outcome::Unknown(why));
            }
            (Stage::Place, _, Ok(Reply::Content(now))) => self.came_back(desk, item, &now),
            (Stage::Place, ..) => {
                self.placed(
                    desk,
                    item,
                    Err("Where it came back to could not be learned."),
                );
            }
            (Stage::SettleMove, _, Ok(Reply::Content(now))) => {
                if parent_of(&now) == thing.parent {
                    desk.settle(item, Step::Move, Settled::Done);
                    self.placed(desk, item, Ok(()));
                } else if !desk.looks_again(item, Step::Move) {
                    let (why, again) = desk.not_applied(item, Step::Move, "it is where it was");
                    thing.stage = Stage::Place;
                    thing.tries += 1;
                    if again == Again::No {
                        self.placed(desk, item, Err(&why));
                    }
                }
            }
            (Stage::SettleMove, _, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = format!("Its place is not known. {}", error.message);
                desk.settle(item, Step::Move, Settled::Unknown(&why));
                self.placed(desk, item, Err(&why));
            }
            (Stage::Waiting | Stage::Ready | Stage::Move, ..) => {}
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate) {
        let Some(thing) = self.things.get_mut(item as usize) else {
            return;
        };
        if step == Step::Move {
            match fate {
                Fate::Applied { .. } => self.placed(desk, item, Ok(())),
                Fate::Refused(error) => {
                    let why = format!("It did not get its former place back. {}", error.message);
                    self.placed(desk, item, Err(&why));
                }
                Fate::NotApplied(_) => thing.stage = Stage::Place,
                Fate::Accepted { .. } | Fate::InDoubt(_) => thing.stage = Stage::SettleMove,
                Fate::NeverKnown(why) => self.placed(desk, item, Err(&why)),
            }
            return;
        }
        match fate {
            Fate::Applied { .. } => thing.stage = Stage::Place,
            Fate::Refused(error) if is_not_there(&error) => thing.stage = Stage::Refused,
            Fate::Refused(error) => self.refused(desk, item, error),
            Fate::NotApplied(_) => thing.stage = Stage::Check,
            Fate::Accepted { .. } | Fate::InDoubt(_) => thing.stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
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
        if let Some(item) = self.order.get(self.next).copied() {
            self.collides(desk, item);
        }
    }
}
