//! Jobs that another process is at work on: they are shown as such, and nothing is offered for them
//! that would fail.

use super::disk::DiskWaiter;
use super::jobs::{Entered, Jobs, checkpoint};
use super::message::{AtWork, DiskCall, DiskError, DiskReply, Effect, LogLevel};
use super::model::Model;
use super::turn::Turn;
use crate::jobs::JobId;
use crate::text::number;

impl Jobs {
    /// Takes down which of them another process is at work on.
    fn are_at_work(&mut self, at_work: Option<&AtWork>) {
        for entered in &mut self.list {
            let file = checkpoint(&entered.job.head().id);
            let is_open = entered.found && !entered.job.state().is_over();
            entered.elsewhere = at_work
                .filter(|it| is_open && it.jobs.contains(&file))
                .map(|it| it.who.clone());
        }
    }

    /// The other process that is at work on this job.
    pub fn elsewhere(&self, id: &JobId) -> Option<&str> {
        self.entered(id)?.elsewhere.as_deref()
    }
}

impl Model {
    /// Asks who else is at work on jobs, where there are any that others may be at work on. While it
    /// is our turn, nobody else is.
    pub(in crate::app) fn look_at_jobs(&mut self, out: &mut Vec<Effect>) {
        let may_be = |entered: &Entered| entered.found && !entered.job.state().is_over();
        let is_asked = self
            .disk
            .values()
            .any(|waiter| *waiter == DiskWaiter::AtWork);
        let ours = self.jobs.turns.turn != Turn::NotOurs;
        if !is_asked && !ours && self.jobs.list.iter().any(may_be) {
            let ticket = self.inflight.beside();
            self.disk.insert(ticket, DiskWaiter::AtWork);
            out.push(Effect::Disk {
                ticket,
                call: DiskCall::LookAtJobs,
            });
        }
    }

    /// Takes what a start, or a look, has found, and says it.
    pub(in crate::app) fn told_at_work(&mut self, at_work: Option<&AtWork>) {
        self.jobs.are_at_work(at_work);
        let many = self.jobs.list.iter().filter(|it| it.elsewhere.is_some());
        let many = many.count() as u64;
        if let Some(AtWork { who, .. }) = at_work.filter(|_| many > 0) {
            let is = if many == 1 { "is" } else { "are" };
            self.say(
                LogLevel::Info,
                format!(
                    "{} {is} at work in another window ({who}). ‹jobs› shows more.",
                    number::count(many, "job")
                ),
            );
        }
    }

    /// Takes what the disk says of jobs in other processes.
    pub(super) fn at_work_came(
        &mut self,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        // What cannot be learned now stays as it was shown.
        let Ok(DiskReply::AtWork(at_work, read)) = outcome else {
            return;
        };
        if self.jobs.turns.turn != Turn::NotOurs {
            return;
        }
        if let Some(read) = read {
            self.refresh_jobs(*read, out);
        }
        self.jobs.are_at_work(at_work.as_ref());
    }

    /// Says that another process is at work on a job, if one is, and looks anew.
    pub(in crate::app) fn is_elsewhere_at_work(
        &mut self,
        id: &JobId,
        out: &mut Vec<Effect>,
    ) -> bool {
        let Some(who) = self.jobs.elsewhere(id).map(str::to_owned) else {
            return false;
        };
        self.say(
            LogLevel::Info,
            format!("It runs in another window ({who}). Pause or cancel it there."),
        );
        self.look_at_jobs(out);
        true
    }
}
