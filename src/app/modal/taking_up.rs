//! Whether a job of an earlier run, or a plan, belongs here; what of a job is left, as a plan for
//! the server that is open.

use super::Outcome;
use crate::app::disk::DiskWaiter;
use crate::app::message::{DiskCall, Effect, LogLevel};
use crate::app::model::Model;
use crate::jobs::plan::Plan;
use crate::jobs::{Act, BackupChoice, Job, JobId, NotHere, SameServer, Target, ToAgree};

impl Model {
    /// Why a job can't go on here; else what has to be agreed to before.
    pub(super) fn may_take_up(&self, job: &Job) -> Result<Vec<ToAgree>, String> {
        let to_agree = job
            .may_take_up(&self.signed_in())
            .map_err(|why| self.spell(&told_of_job(job, &why)))?;
        if self.profile.signs_in && self.session.user.value().is_none() {
            let why = "It is not known yet who is signed in. Once the header says it, try again.";
            return Err(why.to_owned());
        }
        Ok(to_agree)
    }

    /// Why a job that an earlier run left can't go on here, and what to do; `None` where it can.
    pub(super) fn why_not_here(&self, job: &Job) -> Option<String> {
        let why = job.may_take_up(&self.signed_in()).err()?;
        Some(self.spell(&told_of_job(job, &why)))
    }

    /// Why nothing of this target can be done here: it is about another server or profile.
    pub(super) fn why_elsewhere(&self, target: &Target) -> Option<String> {
        let here = self.profile.address();
        if target.server.is_at(&here) == SameServer::No {
            let at = target.server.address().map(ToString::to_string);
            let at = at.unwrap_or_else(|| target.server.shown().to_owned());
            return Some(format!("This plan is for {at}; this is {here}."));
        }
        (target.profile != self.profile.name).then(|| {
            format!(
                "This plan is for the profile {}; this is {}.",
                target.profile, self.profile.name
            )
        })
    }

    /// Whether what is left of a job can be saved as a plan: it is of another server than the one
    /// that is open.
    pub(super) fn can_save_rest(&self, job: &Job) -> bool {
        let server = &job.head().target.server;
        !job.state().is_over()
            && is_planned(job.head().target.act)
            && server.is_at(&self.profile.address()) == SameServer::No
    }

    /// Saves what is left of a job as a plan for the server that is open.
    pub(super) fn save_rest(&mut self, id: &JobId, out: &mut Vec<Effect>) -> Outcome {
        let Some(job) = self.jobs.get(id) else {
            return Outcome::Stay;
        };
        if !self.can_save_rest(job) {
            let why = "Only what is left of a job of another server is saved as a plan.";
            self.say(LogLevel::Info, why);
            return Outcome::Stay;
        }
        let mut target = job.rest();
        let was = target.server.clone();
        let backup = job.delete_options().map(|options| options.backup);
        let source = job.source();
        target.profile.clone_from(&self.profile.name);
        target.server = self.profile.address().into();
        let head = self.head("", target.clone());
        let now = self.time(self.now);
        let mut plan = Plan::of(target, backup.unwrap_or(BackupChoice::Save), now);
        plan.source = source;
        plan.left_of = Some(was);
        let call = DiskCall::WritePlan {
            name: format!("plan-{}.json", head.id),
            text: plan.encode(),
        };
        self.ask_disk(DiskWaiter::Plan, call, out);
        Outcome::Stay
    }
}

/// Whether a plan can be made of what is left of such a job, and applied later.
fn is_planned(act: Act) -> bool {
    match act {
        Act::ArchiveSpaces
        | Act::RestoreSpaces
        | Act::DeleteSpaces
        | Act::PurgeMarked
        | Act::PurgeAll
        | Act::BackUp
        | Act::BackUpSpaces
        | Act::RestoreContent
        | Act::Recreate => true,
        Act::CreateSpace
        | Act::UpdateSpace
        | Act::RestoreFromBackup
        | Act::OpenForWriting
        | Act::DryRun => false,
    }
}

/// Why not, and what to do.
fn told_of_job(job: &Job, why: &NotHere) -> String {
    let to_do = match why {
        NotHere::OtherServer { .. } if is_planned(job.head().target.act) => {
            "Nothing was sent. Open it with that address, or w saves what is left as a plan, \
             to be reviewed for this server."
        }
        NotHere::OtherServer { .. } => "Nothing was sent. Open it with that address.",
        NotHere::OtherProfile { .. } => {
            "Nothing was sent. Open that profile with ‹switch-profile›."
        }
        NotHere::OthersOwn { .. } => "Nothing was sent. Cancel it, or sign in as its user.",
    };
    format!("{why} {to_do}")
}
