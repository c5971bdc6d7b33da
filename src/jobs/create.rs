//! A new space: global, private or personal.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Fate, Settled, is_not_there, refused, unexpected};
use super::job::{Machine, Outcome, Step};
use super::session::{NotHere, Session, Users};
use crate::confluence::call::Audience;
use crate::confluence::{ApiError, Call, Reply, Space, SpaceKey};

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
                name,
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
            Self::Global { name, .. } => space.name == *name,
            Self::Personal { .. } => true,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Look,
    Ready,
    Settle,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Create {
    new: NewSpace,
    user: Users,
    stage: Stage,
    tries: u8,
}

impl Create {
    pub(super) fn new(new: NewSpace, user: Option<String>) -> Self {
        Self {
            new,
            user: Users::begun_by(user),
            stage: Stage::Look,
            tries: 0,
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
        self.new.key(self.user.now())
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
            expand: "creator".to_owned(),
        };
        match (self.stage, self.key()) {
            (Stage::Look | Stage::Ready, _) if desk.is_stopping() => {}
            // What was not there before and is there after a lost answer was made by us.
            (Stage::Look, Some(key)) => desk.read(0, Step::Look, look(key)),
            (Stage::Look | Stage::Ready, _) => {
                desk.write(0, Step::CreateSpace, self.new.call(), "no such space");
            }
            (Stage::Settle, Some(key)) => desk.read(0, Step::Settle, look(key)),
            (Stage::Settle, None) => {
                let why =
                    "The answer was lost, and it is not known which key the space would have.";
                desk.settle(0, Step::CreateSpace, Settled::Unknown(why));
                desk.close(0, Outcome::Unknown(why.to_owned()));
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
            (_, Ok(Reply::Space(space))) => {
                if self.new.made(&space, &self.user) {
                    desk.settle(item, Step::CreateSpace, Settled::Made(space.key.as_str()));
                    desk.close(item, Outcome::Done(None));
                } else {
                    let why = format!(
                        "The answer was lost, and there is a space {key} now that looks different."
                    );
                    desk.settle(item, Step::CreateSpace, Settled::Unknown(&why));
                    desk.close(item, Outcome::Unknown(why));
                }
            }
            (_, Err(error))
                if is_not_there(&error) && desk.looks_again(item, Step::CreateSpace) => {}
            (_, Err(error)) if is_not_there(&error) => {
                let why = "The answer was lost, and there is no such space.";
                desk.settle(item, Step::CreateSpace, Settled::NotApplied(why));
                self.stage = Stage::Look;
                self.tries += 1;
                if self.tries >= TRIES {
                    desk.close(item, Outcome::Failed(why.to_owned()));
                }
            }
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = format!("The answer was lost. {}", error.message);
                desk.settle(item, Step::CreateSpace, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => self.stage = Stage::Look,
            Fate::InDoubt(_) => self.stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }
}
