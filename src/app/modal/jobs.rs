//! The list of jobs, and one of them in detail.

use serde::Serialize;

use super::confirm::{Confirm, heading};
use super::question::QuestionDialog;
use super::{Modal, Outcome, is_esc};
use crate::app::key::{Chord, Key};
use crate::app::list::Step;
use crate::app::message::{Effect, LogLevel};
use crate::app::modal::reading::height;
use crate::app::model::Model;
use crate::jobs::{Act, Job, JobEvent, JobId, JobState};

/// A job in detail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobView {
    /// Which.
    pub job: JobId,
    /// The first line that is shown.
    pub top: usize,
}

impl Model {
    fn job_at_cursor(&self) -> Option<JobId> {
        self.jobs
            .list
            .get(self.jobs.cursor.at)
            .map(|entered| entered.job.head().id.clone())
    }

    pub(super) fn jobs_key(&mut self, chord: Chord, out: &mut Vec<Effect>) -> Outcome {
        let len = self.jobs.list.len();
        let rows = height(self.size);
        let step = match chord.key {
            Key::Up | Key::Char('k') => Some(Step::Up),
            Key::Down | Key::Char('j') => Some(Step::Down),
            Key::PageUp => Some(Step::PageUp),
            Key::PageDown => Some(Step::PageDown),
            Key::Home | Key::Char('g') => Some(Step::Top),
            Key::End | Key::Char('G') => Some(Step::Bottom),
            _ => None,
        };
        if let Some(step) = step.filter(|_| !chord.ctrl) {
            self.jobs.cursor.step(step, len, rows);
            return Outcome::Stay;
        }
        match chord.key {
            Key::Char('q' | 'J') if !chord.ctrl => return Outcome::Close,
            _ if is_esc(chord) => return Outcome::Close,
            Key::Char('o') if !chord.ctrl => {
                self.modals.push(Modal::Jobs);
                self.open_plans(out);
                return Outcome::Close;
            }
            Key::Enter => {
                if let Some(job) = self.job_at_cursor() {
                    self.modals.push(Modal::Jobs);
                    self.modals.push(Modal::Job(JobView { job, top: 0 }));
                    return Outcome::Close;
                }
            }
            _ => {
                if let Some(id) = self.job_at_cursor() {
                    return self.job_verb(&id, chord, out, Modal::Jobs);
                }
            }
        }
        Outcome::Stay
    }

    pub(super) fn job_key(
        &mut self,
        view: &mut JobView,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let rows = height(self.size);
        let lines = self
            .jobs
            .get(&view.job)
            .map_or(0, |job| job.lines().len() + 8);
        let last = lines.saturating_sub(rows);
        match chord.key {
            Key::Up | Key::Char('k') => view.top = view.top.saturating_sub(1),
            Key::Down | Key::Char('j') => view.top = (view.top + 1).min(last),
            Key::PageUp => view.top = view.top.saturating_sub(rows),
            Key::PageDown => view.top = (view.top + rows).min(last),
            Key::Home | Key::Char('g') => view.top = 0,
            Key::End | Key::Char('G') => view.top = last,
            Key::Char('q') => return Outcome::Close,
            _ if is_esc(chord) => return Outcome::Close,
            _ => {
                let (id, same) = (view.job.clone(), Modal::Job(view.clone()));
                return self.job_verb(&id, chord, out, same);
            }
        }
        Outcome::Stay
    }

    /// `p` pause or go on, `c` cancel, `r` take up again or answer what it asks.
    ///
    /// `behind` stays below a dialog that is opened.
    fn job_verb(
        &mut self,
        id: &JobId,
        chord: Chord,
        out: &mut Vec<Effect>,
        behind: Modal,
    ) -> Outcome {
        let Some(job) = self.jobs.get(id) else {
            return Outcome::Stay;
        };
        let state = job.state();
        let target = &job.head().target;
        let is_verb = matches!(chord.key, Key::Char('p' | 'c' | 'r')) && !chord.ctrl;
        if is_verb && (target.profile != self.profile.name || target.host != self.profile.host()) {
            let (name, host) = (target.profile.clone(), target.host.clone());
            self.say(
                LogLevel::Warning,
                format!("This job is for {name} at {host}. Start with that profile to go on."),
            );
            return Outcome::Stay;
        }
        let found = self
            .jobs
            .list
            .iter()
            .any(|entered| entered.found && entered.job.head().id == *id);
        match chord.key {
            // Another process may be at work on it.
            Key::Char('p' | 'c') if !chord.ctrl && found && self.why_read_only().is_some() => {
                let reason = self.why_read_only().unwrap_or_default();
                self.say(LogLevel::Warning, reason);
            }
            Key::Char('p') if !chord.ctrl => match state {
                JobState::Running | JobState::Queued => {
                    self.job_event(&id.clone(), JobEvent::Pause, out);
                }
                JobState::Paused => return self.take_up(id, out, behind),
                _ => self.say(LogLevel::Info, "This job is over."),
            },
            Key::Char('c') if !chord.ctrl => {
                if state.is_over() {
                    self.say(LogLevel::Info, "This job is over.");
                } else {
                    self.job_event(&id.clone(), JobEvent::Cancel, out);
                }
            }
            Key::Char('r') if !chord.ctrl => {
                if state == JobState::Paused || job.question().is_some() {
                    return self.take_up(id, out, behind);
                }
                self.say(LogLevel::Info, "This job waits for nothing.");
            }
            _ => return Outcome::Pass,
        }
        Outcome::Stay
    }

    fn take_up(&mut self, id: &JobId, out: &mut Vec<Effect>, behind: Modal) -> Outcome {
        let Some(job) = self.jobs.get(id) else {
            return Outcome::Stay;
        };
        let target = &job.head().target;
        let reads_only = matches!(target.act, Act::BackUp | Act::DryRun);
        if let Some(reason) = self.why_read_only().filter(|_| !reads_only) {
            self.say(LogLevel::Warning, reason);
            return Outcome::Stay;
        }
        if let Some(question) = job.question() {
            let dialog = QuestionDialog::new(id.clone(), question.clone());
            self.modals.push(behind);
            self.modals.push(Modal::Question(dialog));
            return Outcome::Close;
        }
        let found = self
            .jobs
            .list
            .iter()
            .any(|entered| entered.found && entered.job.head().id == *id);
        if job.challenge().is_none() && !found {
            self.resume_job(id, None, out);
            return Outcome::Stay;
        }
        // What can't be undone is agreed to anew in each run; what an earlier run left is shown
        // before it goes on.
        let mut dialog = Confirm::new(job.head().target.clone(), self.time(self.now));
        dialog.resumes = Some(id.clone());
        dialog.skipped.push(format!("Goes on with: {}", told(job)));
        self.modals.push(behind);
        self.confirm(dialog, out);
        Outcome::Close
    }
}

/// A job in a few words: what it is and how far it came.
pub fn told(job: &Job) -> String {
    let progress = job.progress();
    format!(
        "{}, {} of {} done",
        heading(&job.head().target),
        progress.finished,
        progress.total
    )
}

/// The state of a job, in one word.
pub fn word(job: &Job) -> &'static str {
    match job.state() {
        JobState::Queued => "queued",
        JobState::Running if job.is_cancelling() => "stopping",
        JobState::Running if job.question().is_some() => "asks you",
        JobState::Running => "running",
        JobState::Paused => "paused",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Unknown => "unknown",
    }
}
