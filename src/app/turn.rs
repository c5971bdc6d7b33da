//! Whose turn it is to write. Of all processes that have a server open, under whatever name, one at
//! a time runs jobs that write; the turn is taken when a job begins or goes on, and given up when
//! none is at work any more.
//!
//! Between two turns of this process another one may have written to the journal and gone on with
//! its jobs: then both are read again before anything else happens.

use serde::Serialize;

use super::inflight::Waiter;
use super::jobs::{Entered, Jobs};
use super::message::{DiskError, DiskReply, Effect, JobsRead, LogLevel, TakenTurn};
use super::model::Model;
use crate::jobs::{Act, Consent, Decision, Job, JobEvent, JobId, JobState};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Turn {
    /// Not ours, as far as we know.
    #[default]
    NotOurs,
    /// It was asked for.
    Asked,
    /// Ours: nobody else writes to this server.
    Ours,
}

/// What waits for the turn.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Begin,
    GoOn(Option<Consent>),
    Decide(Decision),
    Cancel,
}

/// The turn, and what waits for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Turns {
    /// Whose it is.
    pub turn: Turn,
    /// Who had it when it was asked for last.
    pub holder: Option<String>,
    /// Why the disk could not give it when it was asked for last.
    pub refused: Option<String>,
    #[serde(skip)]
    wanted: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq)]
struct Waiting {
    id: JobId,
    wanted: Wanted,
    /// The job as it was shown, if it was found on disk.
    seen: Option<Box<Job>>,
}

impl Turns {
    /// Whether something of a job, such as an answer of its person, waits for the turn.
    pub(in crate::app) fn is_awaited_for(&self, id: &JobId) -> bool {
        self.wanted.iter().any(|waiting| waiting.id == *id)
    }
}

/// Whether a job writes, to the server or to a backup.
fn writes(job: &Job) -> bool {
    job.head().target.act != Act::DryRun
}

impl Model {
    /// Begins a job that is in the list, when it is our turn.
    pub(in crate::app) fn begin_at_turn(&mut self, id: &JobId, out: &mut Vec<Effect>) {
        self.at_turn(id, Wanted::Begin, out);
    }

    /// Goes on with a job, when it is our turn.
    pub(in crate::app) fn resume_job(
        &mut self,
        id: &JobId,
        consent: Option<Consent>,
        out: &mut Vec<Effect>,
    ) {
        self.at_turn(id, Wanted::GoOn(consent), out);
    }

    /// Gives a job the person's answer, when it is our turn; one that was paused goes on with it.
    pub(in crate::app) fn decide_job(
        &mut self,
        id: &JobId,
        decision: Decision,
        out: &mut Vec<Effect>,
    ) {
        self.at_turn(id, Wanted::Decide(decision), out);
    }

    /// Gives a job up: nothing new is done, what is under way is learned, when it is our turn.
    pub(in crate::app) fn cancel_job(&mut self, id: &JobId, out: &mut Vec<Effect>) {
        self.wait_no_more(id);
        let is_queued = |job: &Job| job.state() == JobState::Queued;
        if self.jobs.get(id).is_some_and(is_queued) {
            self.cancel_now(id, out);
        } else {
            self.at_turn(id, Wanted::Cancel, out);
        }
    }

    fn at_turn(&mut self, id: &JobId, wanted: Wanted, out: &mut Vec<Effect>) {
        let waits = self.jobs.get(id).is_some_and(writes) && self.jobs.turns.turn != Turn::Ours;
        if !waits {
            self.do_wanted(id, wanted, out);
            return;
        }
        let seen = self.jobs.entered(id).filter(|entered| entered.found);
        let seen = seen.map(|entered| Box::new(entered.job.clone()));
        self.wait_no_more(id);
        self.jobs.turns.wanted.push(Waiting {
            id: id.clone(),
            wanted,
            seen,
        });
        if self.jobs.turns.turn == Turn::NotOurs {
            self.jobs.turns.turn = Turn::Asked;
            self.ask_for_turn(out);
        }
    }

    fn do_wanted(&mut self, id: &JobId, wanted: Wanted, out: &mut Vec<Effect>) {
        match wanted {
            Wanted::Begin => self.job_event(id, JobEvent::Begin, out),
            Wanted::GoOn(consent) => self.resume_now(id, consent, out),
            Wanted::Decide(decision) => self.decide_now(id, decision, out),
            Wanted::Cancel => self.cancel_now(id, out),
        }
    }

    /// A job does not wait for the turn any more: it was paused, or given up.
    pub(in crate::app) fn wait_no_more(&mut self, id: &JobId) {
        self.jobs.turns.wanted.retain(|waiting| waiting.id != *id);
    }

    /// Takes what the disk says of the turn.
    pub(in crate::app) fn turn_came(
        &mut self,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        let wanted = std::mem::take(&mut self.jobs.turns.wanted);
        self.jobs.turns.turn = Turn::NotOurs;
        self.jobs.turns.holder = None;
        self.jobs.turns.refused = None;
        match outcome {
            Ok(DiskReply::Turn(TakenTurn::Ours(read))) => {
                self.jobs.turns.turn = Turn::Ours;
                let reread = read.is_some();
                if let Some(read) = read {
                    self.refresh_jobs(*read, out);
                }
                for Waiting { id, wanted, seen } in wanted {
                    let is_new = wanted == Wanted::Begin;
                    if reread && !is_new && self.jobs.get(&id) != seen.as_deref() {
                        self.say(
                            LogLevel::Warning,
                            "Another process has gone on with this job meanwhile. Look at it again.",
                        );
                    } else {
                        self.do_wanted(&id, wanted, out);
                    }
                }
            }
            Ok(DiskReply::Turn(TakenTurn::Theirs(who))) => {
                self.say(
                    LogLevel::Warning,
                    format!(
                        "{}. The job waits; ‹jobs› shows it, with the keys to try again or to leave it.",
                        writes_here(&who)
                    ),
                );
                self.jobs.turns.holder = Some(who);
            }
            Ok(_) => {}
            Err(error) => {
                self.say(
                    LogLevel::Error,
                    format!(
                        "Nothing was sent, as the lock of the server can't be taken: {error} The job waits; ‹jobs› shows it, with the keys to try again or to leave it."
                    ),
                );
                self.jobs.turns.refused = Some(error.to_string());
            }
        }
    }

    /// Takes the journal and the jobs as they are on disk by now.
    pub(super) fn refresh_jobs(&mut self, read: JobsRead, out: &mut Vec<Effect>) {
        let JobsRead {
            journal,
            checkpoints,
        } = read;
        let journal = match journal {
            Ok(journal) => journal,
            Err(broken) => {
                self.close_journal(format!("{broken} {}", broken.hint()), out);
                return;
            }
        };
        self.jobs.entries = journal.recent;
        self.open_journal(journal.verified.chain, out);
        // What has not begun here, what only reads and what is over is not anybody else's.
        self.jobs.list.retain(|entered| {
            let job = &entered.job;
            !entered.found
                && (!writes(job) || job.state() == JobState::Queued || job.state().is_over())
        });
        let found = self.found_jobs(&checkpoints, &journal.needed);
        for job in found.over.into_iter().chain(found.open) {
            if self.jobs.get(&job.head().id).is_none() {
                self.jobs.list.push(Entered::found(job));
            }
        }
        self.jobs.arrange();
        let last = self.jobs.list.len().saturating_sub(1);
        self.jobs.cursor.at = self.jobs.cursor.at.min(last);
    }

    /// Gives the turn up, once no job is at work and all that was asked for is done.
    pub(in crate::app) fn give_turn_up(&mut self, out: &mut Vec<Effect>) {
        let is_done = self.jobs.turns.turn == Turn::Ours
            && self.jobs.turns.wanted.is_empty()
            && self.jobs.is_settled()
            && !self.jobs.at_work().any(is_busy)
            && self.inflight.count(|it| matches!(it, Waiter::Job(..))) == 0;
        if is_done {
            self.jobs.turns.turn = Turn::NotOurs;
            self.tell_turn_is_over(out);
        }
    }
}

/// Whether a job would write by itself.
fn is_busy(job: &Job) -> bool {
    match job.state() {
        // While a person is asked, others may write.
        JobState::Running => job.question().is_none(),
        JobState::Queued => false,
        _ => job.is_cancelling() && job.trouble().is_none(),
    }
}

impl Jobs {
    /// What keeps a job from beginning: the first half of a sentence.
    pub fn waits_for(&self, job: &Job) -> Option<String> {
        if job.state() != JobState::Queued {
            return None;
        }
        if let Some(who) = &self.turns.holder {
            return Some(writes_here(who));
        }
        let why = self.turns.refused.as_deref()?.trim_end_matches('.');
        Some(format!("The lock of the server can't be taken: {why}"))
    }
}

/// Who writes to the server: the first half of a sentence.
fn writes_here(who: &str) -> String {
    let mut letters = who.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let who: String = first.into_iter().chain(letters).collect();
    format!("{who} is writing to this server")
}
