//! Spaces into the archive and out of it. Both operations are idempotent.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Fate, Settled, is_not_offered, is_not_there, refused, unexpected};
use super::job::{Machine, Outcome, Step};
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
    /// The answer was lost.
    Settle,
    /// Refused as if space or operation were not there: which of the two?
    WhatIsMissing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Archive {
    direction: Direction,
    spaces: Vec<(SpaceKey, Stage, u8)>,
}

impl Archive {
    pub(super) fn new(direction: Direction, keys: Vec<SpaceKey>) -> Self {
        Self {
            direction,
            spaces: keys.into_iter().map(|key| (key, Stage::Ready, 0)).collect(),
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
                Stage::Settle | Stage::WhatIsMissing => {
                    let expand = String::new();
                    desk.read(item, Step::Settle, Call::Space { key, expand });
                }
            }
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, _: Step, answer: Result<Reply, ApiError>) {
        let wanted = self.direction.wanted();
        let write = self.direction.step();
        let (_, stage, tries) = &mut self.spaces[item as usize];
        if *stage == Stage::WhatIsMissing {
            let outcome = match answer {
                Ok(_) => Outcome::Failed(
                    "This server cannot archive spaces through its API: it has no such operation."
                        .to_owned(),
                ),
                Err(error) if is_not_there(&error) => Outcome::Gone,
                Err(error) => Outcome::Failed(error.message),
            };
            desk.close(item, outcome);
            return;
        }
        match answer {
            Ok(Reply::Space(space)) => match space.status {
                Some(status) if status == wanted => {
                    desk.settle(item, write, Settled::Done);
                    desk.close(item, Outcome::Done(None));
                }
                Some(_) if desk.looks_again(item, write) => {}
                Some(_) => {
                    let why = "The answer was lost, and the space is as it was.";
                    desk.settle(item, write, Settled::NotApplied(why));
                    *stage = Stage::Ready;
                    *tries += 1;
                    if *tries >= TRIES {
                        desk.close(item, Outcome::Failed(why.to_owned()));
                    }
                }
                None => {
                    let why = "The answer was lost, and this server does not tell whether a space is archived.";
                    desk.settle(item, write, Settled::Unknown(why));
                    desk.close(item, Outcome::Unknown(why.to_owned()));
                }
            },
            Err(error) if is_not_there(&error) => {
                desk.settle(item, write, Settled::NotApplied("The space is gone."));
                desk.close(item, Outcome::Gone);
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = format!("The answer was lost. {}", error.message);
                desk.settle(item, write, Settled::Unknown(&why));
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
            Fate::Refused(error) if is_not_offered(&error) => *stage = Stage::WhatIsMissing,
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => *stage = Stage::Ready,
            Fate::InDoubt(_) => *stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }
}
