//! The jobs that are not over, found again after the program has ended in whatever way.
//!
//! A job's checkpoint says what it was about; the journal says which of its writes were announced
//! and how they ended. Together they are all that is known.

use std::collections::{BTreeMap, VecDeque};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::consent::Challenge;
use super::job::{Job, Unfit};
use super::journal::{Broken, Entry, Verified, Verifier};
use super::names::JobId;
use super::state::JobState;

/// What a start finds.
#[derive(Debug, Default)]
pub struct Found {
    /// Jobs that are not over, in the order of their checkpoints. Each is paused.
    pub open: Vec<Job>,
    /// Jobs that are over.
    pub over: Vec<Job>,
    /// Checkpoints that are no jobs, by their place in the list, and why.
    pub unreadable: Vec<(usize, Unfit)>,
}

/// Jobs from their checkpoints and the entries of the journal.
pub fn find<'a>(checkpoints: impl IntoIterator<Item = &'a str>, entries: &[Entry]) -> Found {
    let mut found = Found::default();
    for (place, text) in checkpoints.into_iter().enumerate() {
        match Job::reopen(text, entries) {
            Ok(job) if job.state().is_over() => found.over.push(job),
            Ok(job) => found.open.push(job),
            Err(problem) => found.unreadable.push((place, problem)),
        }
    }
    found
}

/// What a start needs of a journal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Its last entries, for the view.
    pub recent: Vec<Entry>,
    /// The last entry about each write of an unfinished job whose end its checkpoint does not tell.
    pub needed: Vec<Entry>,
    /// Where its chain ends.
    pub verified: Verified,
}

/// Reads a journal line by line and keeps no more of it than a start needs: a journal has two
/// lines for every item that was ever purged.
#[derive(Debug)]
pub struct Reader {
    verifier: Verifier,
    most: usize,
    recent: VecDeque<Entry>,
    open: BTreeMap<JobId, Job>,
    needed: BTreeMap<(JobId, u64), Entry>,
    /// What the last line replaced among the needed, should it have to be taken back.
    replaced: Option<((JobId, u64), Option<Entry>)>,
}

impl Reader {
    /// For jobs with these checkpoints, and the last `most` entries.
    pub fn new<'a>(checkpoints: impl IntoIterator<Item = &'a str>, most: usize) -> Self {
        let jobs = checkpoints.into_iter().filter_map(Job::stored);
        Self {
            verifier: Verifier::default(),
            most,
            recent: VecDeque::new(),
            open: jobs
                .filter(|job| !job.state().is_over())
                .map(|job| (job.head().id.clone(), job))
                .collect(),
            needed: BTreeMap::new(),
            replaced: None,
        }
    }

    /// Takes the next line, without its line break.
    pub fn push(&mut self, line: &[u8]) -> Result<(), Broken> {
        let Some(entry) = self.verifier.push(line)? else {
            return Ok(());
        };
        // A line that was written again replaces the one before.
        if self.recent.back().is_some_and(|last| last.seq == entry.seq) {
            self.recent.pop_back();
            match self.replaced.take() {
                Some((key, Some(before))) => {
                    self.needed.insert(key, before);
                }
                Some((key, None)) => {
                    self.needed.remove(&key);
                }
                None => {}
            }
        }
        self.replaced = None;
        let record = &entry.record;
        if self
            .open
            .get(&record.job)
            .is_some_and(|job| job.needs(record.no))
        {
            let key = (record.job.clone(), record.no);
            let before = self.needed.insert(key.clone(), entry.clone());
            self.replaced = Some((key, before));
        }
        if self.recent.len() >= self.most.max(1) {
            self.recent.pop_front();
        }
        self.recent.push_back(entry);
        Ok(())
    }

    /// The result, when all lines have been taken.
    pub fn finish(self) -> Journal {
        Journal {
            recent: self.recent.into(),
            needed: self.needed.into_values().collect(),
            verified: self.verifier.finish(),
        }
    }
}

/// Reads a journal whose lines are at hand; see [`Reader`].
pub fn read<'a, L: AsRef<[u8]>>(
    lines: impl IntoIterator<Item = L>,
    checkpoints: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Result<Journal, Broken> {
    let mut reader = Reader::new(checkpoints, most);
    for line in lines {
        reader.push(line.as_ref())?;
    }
    Ok(reader.finish())
}

/// What of a checkpoint tells whether its job was at work.
#[derive(Deserialize)]
struct Work {
    state: JobState,
    #[serde(default)]
    cancelled: bool,
    desk: Asking,
}

#[derive(Deserialize)]
struct Asking {
    #[serde(default)]
    question: Option<IgnoredAny>,
}

/// Whether a job was at work by itself when this checkpoint of it was written: one that asks somebody
/// or is paused does nothing.
pub fn is_at_work(checkpoint: &[u8]) -> bool {
    serde_json::from_slice::<Work>(checkpoint).is_ok_and(|job| {
        let is_running = job.state == JobState::Running && job.desk.question.is_none();
        is_running || job.cancelled && !job.state.is_over()
    })
}

/// What has to be agreed to before open jobs may go on, each with its job's place in the list.
pub fn challenges(open: &[Job]) -> Vec<(usize, Challenge)> {
    let jobs = open.iter().enumerate();
    jobs.filter_map(|(place, job)| job.challenge().map(|challenge| (place, challenge)))
        .collect()
}
