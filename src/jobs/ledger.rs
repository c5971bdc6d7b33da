//! The jobs that are not over, found again after the program has ended in whatever way.
//!
//! A job's checkpoint says what it was about; the journal says which of its writes were announced
//! and how they ended. Together they are all that is known.

use super::consent::Challenge;
use super::job::{Job, Unfit};
use super::journal::{Broken, Entry, Verified, Verifier};

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

/// Reads a journal: its entries and where its chain ends.
pub fn read<L: AsRef<[u8]>>(
    lines: impl IntoIterator<Item = L>,
) -> Result<(Vec<Entry>, Verified), Broken> {
    let mut verifier = Verifier::default();
    let mut entries: Vec<Entry> = Vec::new();
    for line in lines {
        if let Some(entry) = verifier.push(line.as_ref())? {
            // A line that was written again replaces the one before.
            if entries.last().is_some_and(|last| last.seq == entry.seq) {
                entries.pop();
            }
            entries.push(entry);
        }
    }
    Ok((entries, verifier.finish()))
}

/// What has to be agreed to before open jobs may go on, each with its job's place in the list.
pub fn challenges(open: &[Job]) -> Vec<(usize, Challenge)> {
    let jobs = open.iter().enumerate();
    jobs.filter_map(|(place, job)| job.challenge().map(|challenge| (place, challenge)))
        .collect()
}
