//! The things of a job, and what became of each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::confluence::{ContentId, SpaceKey};

/// What became of one thing of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done, perhaps with something to know.
    Done(Option<String>),
    /// Put back, and what a read shows of it is not what the backup holds: how it differs.
    Differs(String),
    /// It had vanished meanwhile; nothing was left to do.
    Gone,
    /// The server did not do it.
    Failed(String),
    /// Left alone on purpose.
    Skipped(String),
    /// It could not be learned what became of it.
    Unknown(String),
    /// It could not be backed up and was left alone.
    NotSaved(String),
    /// The job ended before it came to this, for this reason.
    NotTried(String),
    /// It was stopped while its file was on the line: what the server has of it.
    Stopped(String),
    /// It went with what it hung on, which this job purged.
    WithPage,
}

impl Outcome {
    /// Whether it is on the server as the job wanted it.
    pub fn leaves_nothing_to_do(&self) -> bool {
        match self {
            Self::Done(_) | Self::Gone | Self::WithPage => true,
            Self::Failed(_)
            | Self::Differs(_)
            | Self::Stopped(_)
            | Self::Skipped(_)
            | Self::Unknown(_)
            | Self::NotSaved(_)
            | Self::NotTried(_) => false,
        }
    }
}

/// What a [`Line`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// A space, known by its key.
    Space,
    /// A content, known by its title.
    Content,
}

/// One thing of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is about.
    pub thing: Thing,
    /// The key of the space or the id of the content.
    pub subject: Arc<str>,
    /// Its name or title.
    pub title: Arc<str>,
    /// What became of it; `None` while open.
    pub outcome: Option<Outcome>,
}

impl Line {
    /// What a person calls it: the key of a space, the title of a content.
    pub fn name(&self) -> &str {
        match self.thing {
            Thing::Content if !self.title.is_empty() => &self.title,
            Thing::Space | Thing::Content => &self.subject,
        }
    }

    pub(super) fn space(key: &SpaceKey, name: &str) -> Self {
        Self {
            thing: Thing::Space,
            subject: Arc::from(key.as_str()),
            title: Arc::from(name),
            outcome: None,
        }
    }

    pub(super) fn content(id: &ContentId, title: &str) -> Self {
        Self {
            thing: Thing::Content,
            subject: Arc::from(id.as_str()),
            title: Arc::from(title),
            outcome: None,
        }
    }
}
