//! A new space: global, private or personal. It is read once it is made, and what differs is said.

use serde::{Deserialize, Serialize};

use super::desk::{Again, Desk, Fate, Settled, is_not_there, refused, unexpected};
use super::line::Outcome;
use super::machine::Machine;
use super::session::{NotHere, Session, Users};
use super::space_form::same_text;
use super::step::Step;
use super::witness::{Sight, Witness};
use crate::confluence::call::Audience;
use crate::confluence::{ApiError, Call, Reply, ServerText, Space, SpaceKey};

const TRIES: u8 = 8;

/// What a new space is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewSpace {
    /// Operations 2 and 3.
    Global {
        /// Its key.
        key: SpaceKey,
        /// Its name.
        name: String,
        /// Its description, plain text.
        description: String,
        /// Who can see it.
        audience: Audience,
    },
    /// Operation 4: the space of the user who is signed in.
    Personal {
        /// Its description, plain text.
        description: String,
        /// Who can see it.
        audience: Audience,
    },
}

impl NewSpace {
    /// The key that it will have, as far as known.
    pub fn key(&self, user: Option<&str>) -> Option<SpaceKey> {
        match self {
            Self::Global { key, .. } => Some(key.clone()),
            Self::Personal { .. } => user.map(|user| SpaceKey::new(format!("~{user}"))),
        }
    }

    /// The name that it will have, as far as known.
    pub fn name(&self) -> &str {
        match self {
            Self::Global { name, .. } => name,
            Self::Personal { .. } => "",
        }
    }

    fn call(&self) -> Call {
        match self.clone() {
            Self::Global {
                key,
                name,
                description,
                audience,
            } => Call::CreateSpace {
                key,
                name: ServerText::new(name),
                description,
                audience,
            },
            Self::Personal {
                description,
                audience,
            } => Call::CreatePersonalSpace {
                description,
                audience,
            },
        }
    }

    /// Whether `space`, found after a lost answer where none was before, is this one.
    fn made(&self, space: &Space, users: &Users) -> bool {
        let by = space
            .more
            .as_ref()
            .and_then(|more| more.creator.as_ref())
            .and_then(|creator| creator.username.as_deref());
        if by.is_some_and(|by| !users.has(by)) {
            return false;
        }
        match self {
            Self::Global { name, .. } => space.name.as_sent() == name,
            Self::Personal { .. } => true,
        }
    }

    /// What of `space`, which was made as this one, is not as it was sent.
    fn differing(&self, space: &Space) -> Vec<&'static str> {
        let (name, description) = match self {
            Self::Global {
                name, description, ..
            } => (Some(name), description),
            Self::Personal { description, .. } => (None, description),
        };
        let more = space.more.as_deref();
        let told = more.and_then(|more| more.description.as_deref());
        let mut differing = Vec::new();
        if name.is_some_and(|name| name != space.name.as_sent()) {
            differing.push("name");
        }
        if !same_text(description, told.unwrap_or_default()) {
            differing.push("description");
        }
        differing
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Look,
    Ready,
    Settle,
    /// There is no such space, by the last answer: was none made, or is it hidden from this user?
    Missing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Create {
    new: NewSpace,
    user: Users,
    stage: Stage,
    tries: u8,
    /// The key that the server answered with.
    #[serde(default)]
    made: Option<SpaceKey>,
    #[serde(skip)]
    witness: Option<Witness>,
}

impl Create {
    pub(super) fn new(new: NewSpace, user: Option<String>) -> Self {
        Self {
            new,
            user: Users::begun_by(user),
            stage: Stage::Look,
            tries: 0,
            made: None,
            witness: None,
        }
    }

    /// A personal space is that of the one who is signed in.
    pub(super) fn may_take_up(&self, session: &Session) -> Result<(), NotHere> {
        match (&self.new, self.user.now()) {
            (NewSpace::Personal { .. }, Some(was)) if session.user.as_deref() != Some(was) => {
                Err(NotHere::OthersOwn {
                    was: was.to_owned(),
                    here: session.user.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn key(&self) -> Option<SpaceKey> {
        self.made.clone().or_else(|| self.new.key(self.user.now()))
    }

    /// There is a space of that key.
    fn found(&self, desk: &mut Desk, item: u32, space: &Space) {
        let step = Step::CreateSpace;
        let heard = desk.heard(item, step);
        if !desk.is_accepted(item, step) && !self.new.made(space, &self.user) {
            let why = format!(
                "{heard}, and there is a space {} now that looks different.",
                space.key
            );
            desk.settle(item, step, Settled::Unknown(&why));
            desk.close(item, Outcome::Unknown(why));
            return;
        }
        let differing = self.new.differing(space);
        if differing.is_empty() {
            desk.settle(item, step, Settled::Made(space.key.as_str()));
            desk.close(item, Outcome::Done(None));
        } else if !desk.looks_again(item, step) {
            let why = format!(
                "{heard}, and the {} of the space {} is not what was sent. Edit the space.",
                differing.join(" and the "),
                space.key
            );
            desk.settle(item, step, Settled::Unknown(&why));
            desk.close(item, Outcome::Unknown(why));
        }
    }

    /// No space was made, as far as this user can see.
    fn witnessed(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let Some(witness) = &mut self.witness else {
            return;
        };
        let Some(sight) = witness.answer(desk.user(), answer) else {
            return;
        };
        self.witness = None;
        match sight {
            Sight::Shown(_) => {
                let state = "there is no such space";
                let (why, again) = desk.not_applied(item, Step::CreateSpace, state);
                self.stage = Stage::Look;
                self.tries += 1;
                if again == Again::No || self.tries >= TRIES {
                    desk.close(item, Outcome::Failed(why));
                }
            }
            Sight::Hidden(why) => {
                desk.settle(item, Step::CreateSpace, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }
}

impl Machine for Create {
    fn taken_up(&mut self, user: Option<&str>) {
        self.user.taken_up_by(user);
    }

    fn go(&mut self, desk: &mut Desk) {
        if !desk.is_open(0) || desk.is_busy(0) {
            return;
        }
        let look = |key| Call::Space {
            key,
            expand: "creator,description.plain".to_owned(),
        };
        match (self.stage, self.key()) {
            (Stage::Look | Stage::Ready, _) if desk.is_stopping() => {}
            // What was not there before and is there after a lost answer was made by us.
            (Stage::Look, Some(key)) => desk.read(0, Step::Look, look(key)),
            (Stage::Look | Stage::Ready, _) => {
                desk.write(0, Step::CreateSpace, self.new.call(), "no such space");
            }
            (Stage::Settle, Some(key)) => desk.read(0, Step::Settle, look(key)),
            (Stage::Missing, Some(key)) => {
                let witness = self.witness.get_or_insert_with(|| Witness::of_space(key));
                desk.read(0, Step::Witness, witness.call());
            }
            (Stage::Settle | Stage::Missing, None) => {
                let why = format!(
                    "{}, and it is not known which key the space would have.",
                    desk.heard(0, Step::CreateSpace)
                );
                desk.settle(0, Step::CreateSpace, Settled::Unknown(&why));
                desk.close(0, Outcome::Unknown(why));
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        let key = self.key().map(|key| key.to_string()).unwrap_or_default();
        match (step, answer) {
            (Step::Look, Ok(_)) => desk.close(
                item,
                Outcome::Failed(format!("A space with the key {key} exists already.")),
            ),
            (Step::Look, Err(error)) if is_not_there(&error) => self.stage = Stage::Ready,
            (Step::Look, Err(error)) => desk.close(item, Outcome::Failed(error.message)),
            (Step::Witness, answer) => self.witnessed(desk, item, answer),
            (_, Ok(Reply::Space(space))) => self.found(desk, item, &space),
            (_, Err(error))
                if is_not_there(&error) && desk.looks_again(item, Step::CreateSpace) => {}
            (_, Err(error))
                if is_not_there(&error) && desk.is_accepted(item, Step::CreateSpace) =>
            {
                let why = format!(
                    "The server answered that it made the space {key}, and does not show it. You may not be permitted to see it."
                );
                desk.settle(item, Step::CreateSpace, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
            (_, Err(error)) if is_not_there(&error) => self.stage = Stage::Missing,
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(item, Step::CreateSpace, &error);
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => self.stage = Stage::Look,
            Fate::Accepted { made, .. } => {
                self.made = made.map(SpaceKey::new);
                self.stage = Stage::Settle;
            }
            Fate::InDoubt(_) => self.stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }
}
