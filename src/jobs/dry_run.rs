//! What a plan would do, learned by reads alone.

use serde::{Deserialize, Serialize};

use super::consent::done_to;
use super::consent::{Act, Target};
use super::desk::{Desk, Fate, is_not_there, unexpected};
use super::line::Outcome;
use super::machine::Machine;
use super::step::Step;
use crate::confluence::{ApiError, Call, ContentId, ContentStatus, Reply, SpaceKey};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Thing {
    Space(SpaceKey),
    Item(ContentId, Option<u64>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DryRun {
    pub(super) would: Act,
    things: Vec<Thing>,
}

impl DryRun {
    pub(super) fn new(would: Act, target: &Target) -> Self {
        let items = target.items.iter();
        let spaces = target.spaces.iter();
        let things = if target.items.is_empty() {
            spaces.map(|it| Thing::Space(it.key.clone())).collect()
        } else {
            items
                .map(|it| Thing::Item(it.id.clone(), it.version))
                .collect()
        };
        Self { would, things }
    }
}

impl Machine for DryRun {
    fn go(&mut self, desk: &mut Desk) {
        let open: Vec<u32> = desk.open().take(16).collect();
        for item in open {
            if !desk.has_room() || desk.is_stopping() {
                return;
            }
            if desk.is_busy(item) {
                continue;
            }
            let call = match &self.things[item as usize] {
                Thing::Space(key) => Call::Space {
                    key: key.clone(),
                    expand: String::new(),
                },
                Thing::Item(id, _) => Call::Content {
                    id: id.clone(),
                    status: Some(ContentStatus::Trashed),
                    expand: "version".to_owned(),
                },
            };
            desk.read(item, Step::Look, call);
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, _: Step, answer: Result<Reply, ApiError>) {
        let would = format!("It would be {}.", done_to(self.would));
        let outcome = match (answer, &self.things[item as usize]) {
            (Ok(Reply::Content(now)), Thing::Item(_, seen)) => {
                let version = now.version.and_then(|version| version.number);
                if seen.is_some() && version != *seen {
                    Outcome::Skipped("It has changed since the plan was made.".to_owned())
                } else {
                    Outcome::Done(Some(would))
                }
            }
            (Ok(Reply::Space(_)), Thing::Space(_)) => Outcome::Done(Some(would)),
            (Err(error), _) if is_not_there(&error) => Outcome::Gone,
            (other, _) => Outcome::Failed(other.err().unwrap_or_else(unexpected).message),
        };
        desk.close(item, outcome);
    }

    fn wrote(&mut self, _: &mut Desk, _: u32, _: Step, _: Fate) {
        // A dry run writes nothing.
    }
}
