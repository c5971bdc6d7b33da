//! Spaces into the archive and out of it. Both operations are idempotent, and an answer to one says
//! little: the status of the space, read afterwards, tells whether it was done.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::desk::{Again, Desk, Fate, Settled, is_not_offered, is_not_there, refused, unexpected};
use super::line::Outcome;
use super::machine::Machine;
use super::step::Step;
use super::witness::{Sight, Witness};
use crate::confluence::{ApiError, Call, Reply, SpaceKey, SpaceStatus};

/// Tries of one write that the server has shown not to be applied.
const TRIES: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Direction {
    IntoArchive,
    OutOfArchive,
}

impl Direction {
    fn step(self) -> Step {
        match self {
            Self::IntoArchive => Step::Archive,
            Self::OutOfArchive => Step::Unarchive,
        }
    }

    fn wanted(self) -> SpaceStatus {
        match self {
            Self::IntoArchive => SpaceStatus::Archived,
            Self::OutOfArchive => SpaceStatus::Current,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Ready,
    /// Was it done?
    Settle,
    /// Refused as if space or operation were not there: which of the two?
    WhatIsMissing,
    /// Refused as if there were no such space: is that so?
    Refused,
    /// There is no such space, by the last answer: is it gone, or hidden from this user?
    Missing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Archive {
    direction: Direction,
    spaces: Vec<(SpaceKey, Stage, u8)>,
    #[serde(skip)]
    witnesses: HashMap<u32, Witness>,
}

impl Archive {
    pub(super) fn new(direction: Direction, keys: Vec<SpaceKey>) -> Self {
        Self {
            direction,
            spaces: keys.into_iter().map(|key| (key, Stage::Ready, 0)).collect(),
            witnesses: HashMap::new(),
        }
    }

    /// The write was refused with a 404.
    fn refused(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let (_, stage, _) = &mut self.spaces[item as usize];
        let why = match answer {
            Ok(_) if *stage == Stage::Refused => {
                "The server answered as if there were no such space, and the space is there: this server cannot archive spaces through its API, or you may not be permitted to.".to_owned()
            }
            Ok(_) => {
                "This server cannot archive spaces through its API: it has no such operation."
                    .to_owned()
            }
            Err(error) if is_not_there(&error) => {
                *stage = Stage::Missing;
                return;
            }
            Err(error) => error.message,
        };
        desk.close(item, Outcome::Failed(why));
    }

    /// A space that is answered as missing is gone only if the server still shows this user others.
    fn witnessed(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let Some(mut witness) = self.witnesses.remove(&item) else {
            return;
        };
        let write = self.direction.step();
        let was_sent = desk.is_in_doubt(item, write);
        match witness.answer(desk.user(), answer) {
            None => drop(self.witnesses.insert(item, witness)),
            Some(Sight::Shown(_)) => {
                desk.settle(item, write, Settled::Unknown("The space is gone."));
                desk.close(item, Outcome::Gone);
            }
            Some(Sight::Hidden(why)) if was_sent => {
                desk.settle(item, write, Settled::Unknown(&why));
                desk.close(item, Outcome::Unknown(why));
            }
            Some(Sight::Hidden(why)) => desk.close(item, Outcome::Failed(why)),
        }
    }
}

impl Machine for Archive {
    fn go(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().take(16).collect();
        for item in open {
            if !desk.has_room() {
                return;
            }
            if desk.is_busy(item) {
                continue;
            }
            let (key, stage, _) = &self.spaces[item as usize];
            let key = key.clone();
            match stage {
                Stage::Ready if desk.is_stopping() => {}
                Stage::Ready => {
                    let (call, before) = match self.direction {
                        Direction::IntoArchive => (Call::ArchiveSpace { key }, "current"),
                        Direction::OutOfArchive => (Call::RestoreSpace { key }, "archived"),
                    };
                    desk.write(item, self.direction.step(), call, before);
                }
                Stage::Settle | Stage::WhatIsMissing | Stage::Refused => {
                    let expand = String::new();
                    desk.read(item, Step::Settle, Call::Space { key, expand });
                }
                Stage::Missing => {
                    let witness = self.witnesses.entry(item);
                    let witness = witness.or_insert_with(|| Witness::of_space(key));
                    desk.read(item, Step::Witness, witness.call());
                }
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, _: Step, answer: Result<Reply, ApiError>) {
        let wanted = self.direction.wanted();
        let write = self.direction.step();
        let (_, stage, tries) = &mut self.spaces[item as usize];
        match stage {
            Stage::WhatIsMissing | Stage::Refused => return self.refused(desk, item, answer),
            Stage::Missing => return self.witnessed(desk, item, answer),
            Stage::Ready | Stage::Settle => {}
        }
        match answer {
            Ok(Reply::Space(space)) => match space.status {
                Some(status) if status == wanted => {
                    desk.settle(item, write, Settled::Done);
                    desk.close(item, Outcome::Done(None));
                }
                Some(_) if desk.looks_again(item, write) => {}
                Some(_) => {
                    let (why, again) = desk.not_applied(item, write, "the space is as it was");
                    *stage = Stage::Ready;
                    *tries += 1;
                    if again == Again::No || *tries >= TRIES {
                        desk.close(item, Outcome::Failed(why));
                    }
                }
                None => {
                    let why = format!(
                        "{}, and this server does not tell whether a space is archived.",
                        desk.heard(item, write)
                    );
                    desk.settle(item, write, Settled::Unknown(&why));
                    desk.close(item, Outcome::Unknown(why));
                }
            },
            Err(error) if is_not_there(&error) => *stage = Stage::Missing,
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(item, write, &error);
                desk.close(item, Outcome::Unknown(why));
            }
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        let Some((_, stage, _)) = self.spaces.get_mut(item as usize) else {
            return;
        };
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) if is_not_there(&error) => *stage = Stage::Refused,
            Fate::Refused(error) if is_not_offered(&error) => *stage = Stage::WhatIsMissing,
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => *stage = Stage::Ready,
            Fate::Accepted { .. } | Fate::InDoubt(_) => *stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }
}
