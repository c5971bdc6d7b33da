//! A job of the server's own, followed to its end: whether it writes a space out or reads one in.
//!
//! What is told of another job, of another space, or of work the other way round is no word about this
//! one. A job that does not move is waited for, then given up.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, refusal, unexpected};
use super::step::Step;
use crate::confluence::{ApiError, BackupJob, BackupState, Call, JobOperation, Reply, SpaceKey};
use crate::text::{number, plain};

/// A job that has not moved for this long is no longer waited for.
const STALLED_MS: u64 = 15 * 60_000;
/// After this long it is said that it does not move.
const STILL_MS: u64 = 30_000;

/// A job of the server. Its number is stored with the job of this machine; the rest is learned anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Follower {
    // An earlier run's time means nothing in this one.
    #[serde(skip)]
    since: Option<u64>,
    #[serde(skip)]
    moved_at: u64,
    #[serde(skip)]
    moved: (Option<BackupState>, Option<u64>),
    #[serde(skip)]
    polls: u64,
    #[serde(skip)]
    next_at: u64,
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed<'a> {
    pub(super) id: u64,
    pub(super) key: &'a SpaceKey,
    pub(super) operation: JobOperation,
}

/// What the server told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is at work, in words.
    Working(String),
    /// It is done.
    Finished(Box<BackupJob>),
    /// It failed, for this reason.
    Failed(String),
    /// Somebody gave it up.
    Cancelled,
    /// It has not moved for too long.
    Stalled,
    /// Nothing about this job, for this reason.
    Nothing(String),
}

/// For how long a job may stand still, in words.
pub(super) fn patience() -> String {
    format!("{} minutes", STALLED_MS / 60_000)
}

impl Followed<'_> {
    /// Why this is told of something else, if it is. What the server leaves out speaks for nothing.
    pub(super) fn differs_from(&self, job: &BackupJob) -> Option<String> {
        let id = self.id;
        if job.id != id {
            return Some(format!(
                "Asked for its job {id}, the server told of job {}.",
                job.id
            ));
        }
        if let Some(other) = job.operation.filter(|it| *it != self.operation) {
            let does = match other {
                JobOperation::Backup => "writes a space out",
                JobOperation::Restore => "reads a space in",
            };
            return Some(format!(
                "Asked for its job {id}, the server told of one that {does}."
            ));
        }
        let is_it = |key: &SpaceKey| key.as_str().eq_ignore_ascii_case(self.key.as_str());
        if job.spaces.is_empty() || job.spaces.iter().any(is_it) {
            return None;
        }
        let spaces: Vec<&str> = job.spaces.iter().map(SpaceKey::as_str).collect();
        Some(format!(
            "Asked for its job {id}, the server told of one about {}, not about {}.",
            plain::scrub(&spaces.join(", ")),
            self.key
        ))
    }
}

impl Follower {
    /// Begins with a job anew.
    pub(super) fn begin(&mut self, desk: &Desk) {
        *self = Self {
            next_at: desk.at(),
            ..Self::default()
        };
    }

    /// Asks how it is, when it is time for that.
    pub(super) fn ask(&self, desk: &mut Desk, item: u32, id: u64) {
        let at = self.next_at.max(desk.at());
        desk.read_at(item, Step::Poll, Call::BackupJob { id }, at);
    }

    /// An answer to that. `does` is what the server does, in words.
    pub(super) fn take(
        &mut self,
        desk: &mut Desk,
        of: Followed<'_>,
        does: &str,
        answer: Result<Reply, ApiError>,
    ) -> Told {
        let job = match answer {
            Ok(Reply::BackupJob(job)) => job,
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                return Told::Nothing(format!(
                    "The server does not tell of its job {}. {}",
                    of.id,
                    refusal(error)
                ));
            }
        };
        if let Some(why) = of.differs_from(&job) {
            return Told::Nothing(format!("{why} What became of it is not known."));
        }
        let at = desk.at();
        let since = *self.since.get_or_insert(at);
        self.polls += 1;
        if self.polls == 1 || self.moved != (job.state, job.processed) {
            self.moved = (job.state, job.processed);
            self.moved_at = at;
        }
        let still = at.saturating_sub(self.moved_at);
        match job.state {
            Some(BackupState::Finished) => Told::Finished(job),
            Some(BackupState::Failed) => {
                let why = job.error.as_deref().unwrap_or("It does not say why");
                Told::Failed(why.trim_end_matches('.').to_owned())
            }
            Some(BackupState::Cancelled) => Told::Cancelled,
            _ if still >= STALLED_MS => Told::Stalled,
            _ => {
                self.next_at = at + self.polls.min(5) * 1_000;
                let spent = at.saturating_sub(since);
                Told::Working(progress_of(desk, &job, does, spent, still))
            }
        }
    }
}

/// What a job does, how far it is and for how long, in words; and its part, for the bar.
fn progress_of(desk: &mut Desk, job: &BackupJob, does: &str, spent: u64, still: u64) -> String {
    let mut what = match job.state {
        Some(BackupState::Queued) => "queued on the server".to_owned(),
        Some(BackupState::Completing) => "the server completes it".to_owned(),
        Some(BackupState::Cancelling) => "being cancelled on the server".to_owned(),
        _ => format!("the server {does}"),
    };
    if let (Some(done), Some(total)) = (job.processed, job.total.filter(|it| *it > 0)) {
        what.push_str(&format!(
            ", {} of {}",
            number::grouped(done),
            number::count(total, "object")
        ));
        desk.part((done.min(total) * 100 / total) as u8);
    }
    let span = |ms| number::duration(std::time::Duration::from_millis(ms));
    if spent >= 1_000 {
        what.push_str(&format!(", {}", span(spent)));
    }
    if still >= STILL_MS {
        what.push_str(&format!(", not moving for {}", span(still)));
    }
    what
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_another_job_is_no_word_about_this_one() {
        let key = SpaceKey::new("ENG");
        let of = Followed {
            id: 7,
            key: &key,
            operation: JobOperation::Backup,
        };
        let told = BackupJob {
            id: 7,
            operation: Some(JobOperation::Backup),
            spaces: vec![SpaceKey::new("eng")],
            ..BackupJob::default()
        };
        assert_eq!(of.differs_from(&told), None);
        // What is left out speaks for nothing.
        let little = BackupJob {
            id: 7,
            ..BackupJob::default()
        };
        assert_eq!(of.differs_from(&little), None);
        for (other, words) in [
            (
                BackupJob {
                    id: 8,
                    ..told.clone()
                },
                "told of job 8",
            ),
            (
                BackupJob {
                    operation: Some(JobOperation::Restore),
                    ..told.clone()
                },
                "reads a space in",
            ),
            (
                BackupJob {
                    spaces: vec![SpaceKey::new("OPS")],
                    ..told.clone()
                },
                "one about OPS, not about ENG",
            ),
        ] {
            let why = of.differs_from(&other).expect(words);
            assert!(why.contains(words), "{why}");
        }
    }
}
