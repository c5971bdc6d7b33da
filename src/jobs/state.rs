//! Where a job stands.

use serde::{Deserialize, Serialize};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Not begun.
    Queued,
    /// At work.
    Running,
    /// Waiting for the person: paused, in trouble, or loaded from disk.
    Paused,
    /// All of it was done.
    Done,
    /// Some of it was not done, and it is known what.
    Failed,
    /// Given up by the person.
    Cancelled,
    /// Of some of it, it could not be learned whether it was done.
    Unknown,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        match self {
            Self::Queued | Self::Running | Self::Paused => false,
            Self::Done | Self::Failed | Self::Cancelled | Self::Unknown => true,
        }
    }
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Things with an outcome.
    pub finished: usize,
    /// Requests that were sent, of which the server has not shown yet what became of them.
    #[serde(default)]
    pub sent: usize,
    /// Things in all, as far as known.
    pub total: usize,
    /// When it began, on the program's clock, in milliseconds.
    pub started_ms: Option<u64>,
    /// Things finished in a second.
    pub per_second: Option<f64>,
    /// Milliseconds until the end, at this rate.
    pub remaining_ms: Option<u64>,
    /// How far the thing at work is, in percent, where the server tells.
    pub part: u8,
    /// How many of how many are saved, while the backup is made that comes first.
    pub saving: Option<(usize, usize)>,
    /// What it is doing, in one line.
    pub message: String,
}
