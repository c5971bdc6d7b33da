//! Name, description and homepage of a space, changed against a fresh read.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, Fate, Settled, is_not_there, refused, unexpected};
use super::job::{Decision, Machine, Outcome, Question, Step};
use crate::confluence::{ApiError, Call, ContentId, Reply, Space, SpaceKey};

const TRIES: u8 = 8;

/// What the form for a space holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceForm {
    /// The name.
    pub name: String,
    /// The description as plain text; `None` where the server did not say.
    pub description: Option<String>,
    /// The homepage; `None` where there is none or the server did not say.
    pub homepage: Option<ContentId>,
    /// What that page is called, where known: for people to read, it is never sent.
    #[serde(default)]
    pub homepage_title: Option<String>,
}

impl SpaceForm {
    /// The form for a space that was read with `description.plain` and `homepage` expanded.
    pub fn of(space: &Space) -> Self {
        let more = space.more.as_deref();
        let page = more.and_then(|more| more.homepage.as_ref());
        Self {
            name: space.name.clone(),
            description: more.and_then(|more| more.description.clone()),
            homepage: page.map(|page| page.id.clone()),
            homepage_title: page.and_then(|page| page.title.clone()),
        }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        let text = |form: &Self| form.description.clone().unwrap_or_default();
        self.name == other.name && text(self) == text(other) && self.homepage == other.homepage
    }
}

/// What has to be expanded for [`SpaceForm::of`].
pub(super) const EXPAND: &str = "description.plain,homepage";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Check,
    Ready,
    Settle,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Update {
    key: SpaceKey,
    base: SpaceForm,
    mine: SpaceForm,
    theirs: Option<SpaceForm>,
    stage: Stage,
    tries: u8,
}

impl Update {
    pub(super) fn new(key: SpaceKey, base: SpaceForm, mine: SpaceForm) -> Self {
        Self {
            key,
            base,
            mine,
            theirs: None,
            stage: Stage::Check,
            tries: 0,
        }
    }

    /// Key and name always go; the others only when they were changed.
    fn call(&self) -> Call {
        let text = |form: &SpaceForm| form.description.clone().unwrap_or_default();
        Call::UpdateSpace {
            key: self.key.clone(),
            name: self.mine.name.clone(),
            description: (text(&self.mine) != text(&self.base)).then(|| text(&self.mine)),
            homepage: match &self.mine.homepage {
                Some(page) if self.base.homepage.as_ref() != Some(page) => Some(page.clone()),
                _ => None,
            },
        }
    }
}

impl Machine for Update {
    fn go(&mut self, desk: &mut Desk) {
        if !desk.is_open(0) || desk.is_busy(0) {
            return;
        }
        let look = Call::Space {
            key: self.key.clone(),
            expand: EXPAND.to_owned(),
        };
        match self.stage {
            Stage::Check | Stage::Ready if desk.is_stopping() => {}
            Stage::Check => desk.read(0, Step::Check, look),
            Stage::Ready => {
                let before = format!("named {}", self.base.name);
                // Should this not go out, the space has to be read again.
                self.stage = Stage::Check;
                desk.write(0, Step::UpdateSpace, self.call(), before);
            }
            Stage::Settle => desk.read(0, Step::Settle, look),
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        let now = match answer {
            Ok(Reply::Space(space)) => SpaceForm::of(&space),
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let gone = is_not_there(&error);
                if step == Step::Check {
                    desk.close(item, Outcome::Failed(error.message));
                } else if gone {
                    let why = "The answer was lost, and the space is gone.";
                    desk.settle(item, Step::UpdateSpace, Settled::Unknown(why));
                    desk.close(item, Outcome::Unknown(why.to_owned()));
                } else {
                    let why = format!("The answer was lost. {}", error.message);
                    desk.settle(item, Step::UpdateSpace, Settled::Unknown(&why));
                    desk.close(item, Outcome::Unknown(why));
                }
                return;
            }
        };
        if step == Step::Check {
            if now.says_the_same(&self.base) {
                self.stage = Stage::Ready;
            } else if now.says_the_same(&self.mine) {
                let note = "The space already says so.".to_owned();
                desk.close(item, Outcome::Done(Some(note)));
            } else {
                self.theirs = Some(now.clone());
                desk.ask(Question::SpaceChanged {
                    base: self.base.clone(),
                    mine: self.mine.clone(),
                    theirs: now,
                });
            }
        } else if now.says_the_same(&self.mine) {
            desk.settle(item, Step::UpdateSpace, Settled::Done);
            desk.close(item, Outcome::Done(None));
        } else if now.says_the_same(&self.base) {
            if desk.looks_again(item, Step::UpdateSpace) {
                return;
            }
            let why = "The answer was lost, and the space is as it was.";
            desk.settle(item, Step::UpdateSpace, Settled::NotApplied(why));
            self.stage = Stage::Check;
            self.tries += 1;
            if self.tries >= TRIES {
                desk.close(item, Outcome::Failed(why.to_owned()));
            }
        } else {
            let why = "The answer was lost, and the space now says neither what it said nor what was sent.";
            desk.settle(item, Step::UpdateSpace, Settled::Unknown(why));
            desk.close(item, Outcome::Unknown(why.to_owned()));
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => self.stage = Stage::Check,
            Fate::InDoubt(_) => self.stage = Stage::Settle,
            Fate::NeverKnown(why) => desk.close(item, Outcome::Unknown(why)),
        }
    }

    fn decide(&mut self, desk: &mut Desk, decision: Decision) {
        let theirs = self.theirs.take();
        match (decision, theirs) {
            (Decision::KeepMine, Some(theirs)) => self.base = theirs,
            (Decision::Merge(merged), Some(theirs)) => {
                self.base = theirs;
                self.mine = merged;
            }
            _ => desk.close(
                0,
                Outcome::Skipped("The change made by somebody else was kept.".to_owned()),
            ),
        }
    }
}
