//! Name, description and homepage of a space, changed against a fresh read.
//!
//! After the write the space is read again, and all of it is held against what was wanted: what was
//! changed as it was typed, everything else as it was read just before. A field that the server did not
//! tell was not seen by anybody, so it is neither compared nor sent.

use serde::{Deserialize, Serialize};

use super::desk::{Again, Desk, Fate, Settled, is_not_there, refused, unexpected};
use super::line::Outcome;
use super::machine::Machine;
use super::question::{Decision, Question};
use super::space_form::{EXPAND, SpaceForm, same_text};
use super::step::Step;
use crate::confluence::{ApiError, Call, ContentId, Reply, Space, SpaceKey, SpaceStatus};

const TRIES: u8 = 8;

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
    /// The space as it was read just before the write.
    #[serde(default)]
    before: Option<Seen>,
    stage: Stage,
    tries: u8,
    /// The expansions that the server fails over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unread: Vec<String>,
}

/// A space as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    form: SpaceForm,
    status: Option<SpaceStatus>,
}

impl Seen {
    fn of(space: &Space) -> Self {
        Self {
            form: SpaceForm::of(space),
            status: space.status,
        }
    }
}

impl Update {
    pub(super) fn new(
        key: SpaceKey,
        base: SpaceForm,
        mine: SpaceForm,
        unread: Vec<String>,
    ) -> Self {
        Self {
            key,
            base,
            mine,
            theirs: None,
            before: None,
            stage: Stage::Check,
            tries: 0,
            unread,
        }
    }

    /// What is expanded when the space is read: what of [`EXPAND`] the server does not fail over.
    fn expand(&self) -> String {
        let read = EXPAND.split(',').filter(|one| !self.is_unread(one));
        read.collect::<Vec<_>>().join(",")
    }

    fn is_unread(&self, expansion: &str) -> bool {
        self.unread.iter().any(|one| one == expansion)
    }

    fn changes_text(&self) -> bool {
        self.mine.text() != self.base.text()
    }

    /// The homepage that is to be set, if it is another one.
    fn new_homepage(&self) -> Option<&ContentId> {
        let page = self.mine.homepage.as_ref();
        page.filter(|page| self.base.homepage.as_ref() != Some(*page))
    }

    /// Key and name always go; the others only when they were changed.
    fn call(&self) -> Call {
        Call::UpdateSpace {
            key: self.key.clone(),
            name: self.mine.name.clone(),
            description: self.changes_text().then(|| self.mine.text().to_owned()),
            homepage: self.new_homepage().cloned(),
        }
    }

    /// The space as it was just read, but for what does not matter here: a description or a homepage
    /// that nobody saw and nobody changes.
    fn comparable(&self, now: &SpaceForm) -> SpaceForm {
        let mut now = now.clone();
        let is_untold = now.description.is_none() || self.base.description.is_none();
        if is_untold && !self.changes_text() {
            now.description.clone_from(&self.base.description);
        }
        if self.is_unread("homepage") {
            now.homepage.clone_from(&self.base.homepage);
        }
        now
    }

    /// Read just before the write.
    fn checked(&mut self, desk: &mut Desk, item: u32, seen: Seen) {
        let now = &seen.form;
        let is_untold = now.description.is_none() && !self.base.text().is_empty();
        if is_untold && self.changes_text() {
            let why = "The server does not tell the description now, so whether somebody changed it cannot be seen. Nothing was sent.";
            desk.close(item, Outcome::Failed(why.to_owned()));
            return;
        }
        let now = self.comparable(now);
        if now.says_the_same(&self.base) {
            self.before = Some(seen);
            self.stage = Stage::Ready;
            // After a kill it is held against this, too.
            desk.checkpoint();
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
    }

    /// What was to be changed, by name, and whether it is what was sent.
    fn changes(&self, now: &SpaceForm) -> Vec<(&'static str, bool)> {
        let mut changes = Vec::new();
        if self.mine.name != self.base.name {
            changes.push(("name", now.name == self.mine.name));
        }
        if self.changes_text() {
            changes.push(("description", same_text(now.text(), self.mine.text())));
        }
        if let Some(page) = self.new_homepage() {
            changes.push(("homepage", now.homepage.as_ref() == Some(page)));
        }
        changes
    }

    /// What nobody was to change and is not as it was just before the write, by name.
    fn others(&self, seen: &Seen) -> Vec<&'static str> {
        let Some(before) = &self.before else {
            return Vec::new();
        };
        let (was, now) = (&before.form, &seen.form);
        let mut others = Vec::new();
        if self.mine.name == self.base.name && now.name != was.name {
            others.push("name");
        }
        // Where it was told before and is not told now, it may be gone.
        let is_told = was.description.is_some();
        if !self.changes_text() && is_told && !same_text(now.text(), was.text()) {
            others.push("description");
        }
        if self.new_homepage().is_none() && now.homepage != was.homepage {
            others.push("homepage");
        }
        let status = before.status.zip(seen.status);
        if status.is_some_and(|(was, now)| was != now) {
            others.push("status");
        }
        others
    }

    /// What was changed is there; something else is not as it was.
    fn changed_more(desk: &mut Desk, item: u32, others: &[&str]) {
        let others = others.join(" and the ");
        let why = format!(
            "More was changed than was asked for: with what was saved the {others} of the space changed too, by the server or by somebody else. Save once more to see how it is now and to put it back."
        );
        desk.settle(item, Step::UpdateSpace, Settled::DoneBut(&why));
        desk.close(item, Outcome::Failed(why));
    }

    /// Read after the write.
    fn settled(&mut self, desk: &mut Desk, item: u32, seen: &Seen) {
        let now = &seen.form;
        let changes = self.changes(now);
        let others = self.others(seen);
        let missing: Vec<&str> = changes
            .iter()
            .filter(|(_, is_there)| !is_there)
            .map(|(field, _)| *field)
            .collect();
        if missing.is_empty() && others.is_empty() {
            desk.settle(item, Step::UpdateSpace, Settled::Done);
            desk.close(item, Outcome::Done(None));
            return;
        }
        if desk.looks_again(item, Step::UpdateSpace) {
            return;
        }
        if missing.is_empty() {
            Self::changed_more(desk, item, &others);
            return;
        }
        if self.comparable(now).says_the_same(&self.base) {
            let state = "the space is as it was";
            let (why, again) = desk.not_applied(item, Step::UpdateSpace, state);
            self.stage = Stage::Check;
            self.tries += 1;
            if again == Again::No || self.tries >= TRIES {
                desk.close(item, Outcome::Failed(why));
            }
            return;
        }
        let why = format!(
            "{}, and the {} of the space is not what was sent.",
            desk.heard(item, Step::UpdateSpace),
            [missing, others].concat().join(" and the ")
        );
        desk.settle(item, Step::UpdateSpace, Settled::Unknown(&why));
        desk.close(item, Outcome::Unknown(why));
    }
}

impl Machine for Update {
    fn go(&mut self, desk: &mut Desk) {
        if !desk.is_open(0) || desk.is_busy(0) {
            return;
        }
        let look = Call::Space {
            key: self.key.clone(),
            expand: self.expand(),
        };
        match self.stage {
            Stage::Check | Stage::Ready if desk.is_stopping() => {
                let why = "Nothing was saved.";
                let why = match self.theirs.take() {
                    Some(_) => format!(
                        "{why} Somebody changed the space meanwhile: save once more to see what they changed."
                    ),
                    None => why.to_owned(),
                };
                desk.close(0, Outcome::Skipped(why));
            }
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
            Ok(Reply::Space(space)) => Seen::of(&space),
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                if step == Step::Check {
                    desk.close(item, Outcome::Failed(error.message));
                    return;
                }
                let why = if is_not_there(&error) {
                    let why = format!(
                        "{}, and the server no longer shows the space.",
                        desk.heard(item, Step::UpdateSpace)
                    );
                    desk.settle(item, Step::UpdateSpace, Settled::Unknown(&why));
                    why
                } else {
                    desk.unconfirmed(item, Step::UpdateSpace, &error)
                };
                desk.close(item, Outcome::Unknown(why));
                return;
            }
        };
        if step == Step::Check {
            self.checked(desk, item, now);
        } else {
            self.settled(desk, item, &now);
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, _: Step, fate: Fate) {
        match fate {
            Fate::Applied { .. } => desk.close(item, Outcome::Done(None)),
            Fate::Refused(error) => desk.close(item, refused(error)),
            Fate::NotApplied(_) => self.stage = Stage::Check,
            Fate::Accepted { .. } | Fate::InDoubt(_) => self.stage = Stage::Settle,
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
