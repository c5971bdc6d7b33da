//! What a job will do, counted, before it does it.
//!
//! A plan is plain data: it can be shown, stored in a file, run dry and applied later, after
//! what has changed since has been shown.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::consent::{Act, ItemTarget, Target};
use super::delete::BackupChoice;
use super::journal::sha256;
use super::losses::{COUNTED_LATER, Losses};
use super::recipe::{Recipe, Source};
use super::saved_server::SavedServer;
use crate::confluence::ContentKind;
use crate::text::json;

/// `format` of a stored plan.
pub const FORMAT: &str = "coracle-plan";

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is done, in a few words.
    pub what: String,
    /// How many times; `None` where that is known only once it is done.
    pub count: Option<usize>,
}

/// What will be done, and what cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: String,
    /// When it was made.
    pub created: Timestamp,
    /// What it is about.
    pub target: Target,
    /// The steps, in order.
    pub steps: Vec<PlanStep>,
    /// What cannot be undone, one sentence each.
    pub cannot_be_undone: Vec<String>,
    /// What goes with the items and is not saved. Before a job has counted it, not known.
    #[serde(default, skip_serializing_if = "Losses::is_none")]
    pub losses: Losses,
    /// Where content that is made again comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The server of the job that it is what was left of, where it is that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_of: Option<SavedServer>,
    /// The check sum of all the rest, in a file; see [`Plan::seal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_sum: Option<String>,
}

/// Whether a plan of a file is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seal {
    /// It is.
    Whole,
    /// It was changed, and can be reviewed as a new one.
    Changed,
    /// It has no check sum: an earlier version wrote it.
    Missing,
}

/// How the trash differs from a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Differences {
    /// There as the plan has it, as the server tells it now.
    pub same: Vec<ItemTarget>,
    /// In the plan, but not there any more.
    pub gone: Vec<ItemTarget>,
    /// There in another version, with another title or type, or in another space; as it is now.
    pub changed: Vec<ItemTarget>,
    /// There, but not in the plan: trashed since, or never meant. Not touched.
    pub others: usize,
}

impl Differences {
    /// Whether everything that is in the plan is as the plan has it.
    pub fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.changed.is_empty()
    }
}

impl Plan {
    /// The plan for an act on `target`. `backup` counts for the deletion of spaces alone: before
    /// a purge there always is one.
    pub fn of(target: Target, backup: BackupChoice, created: Timestamp) -> Self {
        let step = |what: &str, count| PlanStep {
            what: what.to_owned(),
            count,
        };
        let items = (!target.items.is_empty()).then_some(target.items.len());
        let spaces = Some(target.spaces.len());
        let mut cannot_be_undone = Vec::new();
        // A list shows what its reader may see; the server destroys the rest with it.
        let unseen = "What the signed-in user may not see is neither listed nor saved.";
        let steps = match target.act {
            Act::PurgeMarked | Act::PurgeAll => {
                cannot_be_undone.push(
                    "Purged items, their history, comments and attachments are gone from the server."
                        .to_owned(),
                );
                cannot_be_undone.push(COUNTED_LATER.to_owned());
                cannot_be_undone
                    .push("From the backup they can be made again with new ids.".to_owned());
                if target.act == Act::PurgeAll {
                    cannot_be_undone.push(unseen.to_owned());
                }
                vec![
                    step("Save each item", items),
                    step("Read the backup back and compare it", None),
                    step("Purge what is saved and unchanged", items),
                ]
            }
            Act::DeleteSpaces => {
                let gone = match target.spaces.as_slice() {
                    [_] => {
                        "Then the space is gone from the server for everybody. There is no undo."
                    }
                    _ => {
                        "Then the spaces are gone from the server for everybody. There is no undo."
                    }
                };
                cannot_be_undone.push(gone.to_owned());
                cannot_be_undone.push(unseen.to_owned());
                let mut steps = Vec::new();
                match backup {
                    BackupChoice::Save => {
                        steps.push(step(
                            "Save pages, blog posts, comments, files and trash of each space",
                            spaces,
                        ));
                        steps.push(step("Read the backups back and compare them", None));
                        cannot_be_undone.push(COUNTED_LATER.to_owned());
                    }
                    BackupChoice::Declined => {
                        cannot_be_undone.push("There is no backup: it was declined.".to_owned());
                    }
                }
                steps.push(step(
                    "Delete each space and follow the server's task",
                    spaces,
                ));
                steps
            }
            Act::RestoreContent => vec![
                step("Take each item out of the trash, parents first", items),
                step("Put each back below its former parent", None),
            ],
            Act::Recreate => {
                cannot_be_undone.extend(Recipe::losses().iter().map(|it| (*it).to_owned()));
                let posts = target
                    .items
                    .iter()
                    .filter(|it| matches!(it.kind, ContentKind::Page | ContentKind::BlogPost));
                let posts = posts.count();
                let mut steps = vec![step(
                    "Make each page and blog post again, parents first",
                    Some(posts),
                )];
                if target.items.len() > posts {
                    steps.push(step(
                        "Put comments and attached files back on them",
                        Some(target.items.len() - posts),
                    ));
                }
                steps
            }
            Act::ArchiveSpaces => vec![step("Archive each space", spaces)],
            Act::RestoreSpaces => vec![step("Take each space out of the archive", spaces)],
            Act::CreateSpace => vec![step("Make the space", Some(1))],
            Act::UpdateSpace => vec![step("Read the space again and change it", Some(1))],
            Act::BackUp if target.items.is_empty() => vec![
                step("Save all that is in the trash by then", None),
                step("Read the backup back and compare it", None),
            ],
            Act::RestoreFromBackup => vec![
                step("Check that the file is whole and of the space", None),
                step("See that no space of its key is there", None),
                step("Send the file to the server, which reads it in", spaces),
                step("Count what is there, and compare it with the backup", None),
            ],
            Act::BackUpSpaces => vec![
                step(
                    "Have the server write each space out, with history and permissions",
                    spaces,
                ),
                step("Download the file", None),
                step("Check that it is whole and of the space", None),
            ],
            Act::BackUp => vec![
                step("Save each item", items),
                step("Read the backup back and compare it", None),
            ],
            Act::OpenForWriting => vec![step("Open the profile for writing", Some(1))],
            Act::DryRun => vec![step("Read each thing", Some(target.count()))],
        };
        let losses = match target.act {
            Act::PurgeMarked => Losses::not_known(target.items.iter().map(|item| &item.kind)),
            _ => Losses::default(),
        };
        Self {
            format: FORMAT.to_owned(),
            created,
            target,
            steps,
            cannot_be_undone,
            losses,
            source: None,
            left_of: None,
            check_sum: None,
        }
    }

    /// The server writes each space out before anything else.
    pub fn server_first(&mut self) {
        let what = "Have the server write each space out, download that and check it";
        let step = PlanStep {
            what: what.to_owned(),
            count: Some(self.target.spaces.len()),
        };
        self.steps.insert(0, step);
    }

    /// The plan as it goes into a file.
    pub fn encode(&self) -> String {
        let sealed = Self {
            check_sum: Some(self.sum()),
            ..self.clone()
        };
        let mut text = serde_json::to_string_pretty(&sealed)
            .expect("because a plan is made of strings and numbers");
        text.push('\n');
        text
    }

    /// The check sum of all but the check sum.
    fn sum(&self) -> String {
        let open = Self {
            check_sum: None,
            ..self.clone()
        };
        let text =
            serde_json::to_vec(&open).expect("because a plan is made of strings and numbers");
        sha256(&text)
    }

    /// Whether it is as it was written.
    pub fn seal(&self) -> Seal {
        match &self.check_sum {
            None => Seal::Missing,
            Some(sum) if *sum == self.sum() => Seal::Whole,
            Some(_) => Seal::Changed,
        }
    }

    /// Reads a stored plan; the error is one sentence.
    pub fn decode(text: &str) -> Result<Self, String> {
        let plan: Self = serde_json::from_str(text)
            .map_err(|problem| format!("This is not a plan: {}.", json::told(&problem)))?;
        if plan.format != FORMAT {
            return Err(format!(
                "This is not a plan: its format is {}.",
                plan.format
            ));
        }
        // A backup may hold an item twice: one that moved while it was saved.
        let repeated = plan.target.repeated();
        if plan.target.act != Act::Recreate && !repeated.is_empty() {
            return Err(format!(
                "This is a plan that names more than once: {}.",
                repeated.join(", ")
            ));
        }
        Ok(plan)
    }

    /// How `now`, the trash as it is, differs from what the plan was made for.
    pub fn differences(&self, now: &[ItemTarget]) -> Differences {
        let there: HashMap<_, _> = now.iter().map(|it| (&it.id, it)).collect();
        let planned: HashMap<_, _> = self.target.items.iter().map(|it| (&it.id, it)).collect();
        let mut found = Differences::default();
        for item in &self.target.items {
            match there.get(&item.id) {
                None => found.gone.push(item.clone()),
                Some(now) if is_as_planned(item, now) => found.same.push((*now).clone()),
                Some(now) => found.changed.push((*now).clone()),
            }
        }
        found.others = now
            .iter()
            .filter(|it| !planned.contains_key(&it.id))
            .count();
        found
    }
}

/// Whether an item is what a plan says that it is. An unknown version is taken as it comes.
fn is_as_planned(planned: &ItemTarget, now: &ItemTarget) -> bool {
    let version = planned.version.is_none() || planned.version == now.version;
    version
        && (&planned.title, &planned.kind, &planned.space) == (&now.title, &now.kind, &now.space)
}
