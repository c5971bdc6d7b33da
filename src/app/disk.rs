//! The reads and writes of files that are under way, and what waits for each.
//!
//! The core names files by plain names and never sees a path; the shell does what is asked.

use serde::{Deserialize, Serialize};

use super::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, LogLine, Ticket};
use super::modal::backups::Asked;
use super::model::Model;
use crate::confluence::SpaceKey;

/// What to do where a file could not be written.
const SEE_TO_IT: &str =
    "See that there is room and that the folder can be written, then try again.";

/// What an answer of the disk is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskWaiter {
    /// When the trashed items of a space were seen for the first time.
    FirstSeen(SpaceKey),
    /// The same, for the trash across spaces.
    FirstSeenAcross(SpaceKey),
    /// Something that is kept from run to run: only a failure is worth a word.
    Kept,
    /// A list that was exported: the file is named to the person.
    Export,
    /// A plan that was written: the file is named to the person.
    Plan,
    /// The plans, for their list.
    Plans,
    /// What is in the backup of this name, to hold a plan against it.
    PlanBackup(String),
    /// What the screen looks like from run to run.
    View,
    /// Something of a backup.
    Backup(Asked),
    /// Who else is at work on jobs.
    AtWork,
}

impl Model {
    /// Reads or writes a file for `waiter`.
    pub(in crate::app) fn ask_disk(
        &mut self,
        waiter: DiskWaiter,
        call: DiskCall,
        out: &mut Vec<Effect>,
    ) -> Ticket {
        let ticket = self.inflight.ticket();
        self.disk.insert(ticket, waiter);
        out.push(Effect::Disk { ticket, call });
        ticket
    }

    /// Takes an answer of the disk.
    pub(in crate::app) fn disk_came(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        // An answer that nobody waits for any more is stale.
        let Some(waiter) = self.disk.remove(&ticket) else {
            return;
        };
        match (waiter, outcome) {
            (DiskWaiter::FirstSeen(key), outcome) => self.first_seen_came(&key, outcome, out),
            (DiskWaiter::FirstSeenAcross(key), outcome) => {
                self.across_seen_came(&key, outcome, out);
            }
            (DiskWaiter::Plans, outcome) => self.plans_came(outcome),
            (DiskWaiter::PlanBackup(name), outcome) => self.plan_backup_came(&name, outcome, out),
            (DiskWaiter::Backup(asked), outcome) => self.backup_came(asked, outcome),
            (DiskWaiter::AtWork, outcome) => self.at_work_came(outcome, out),
            (DiskWaiter::Kept, Ok(_)) => {}
            (DiskWaiter::Kept, Err(error)) => self.keep(LogLine {
                level: LogLevel::Warning,
                text: format!("What is kept from run to run could not be written: {error}"),
            }),
            (DiskWaiter::View, outcome) => self.view_came(outcome, out),
            (DiskWaiter::Export, Ok(DiskReply::Exported(path))) => {
                self.say(LogLevel::Info, format!("Exported to {path}"));
            }
            (DiskWaiter::Plan, Ok(DiskReply::Path(path))) => {
                self.say(LogLevel::Info, format!("The plan was written to {path}"));
            }
            (DiskWaiter::Export | DiskWaiter::Plan, Ok(_)) => {}
            (DiskWaiter::Plan, Err(error)) => {
                self.say(
                    LogLevel::Error,
                    format!("The plan could not be written: {error} {SEE_TO_IT}"),
                );
            }
            (DiskWaiter::Export, Err(error)) => {
                self.say(
                    LogLevel::Error,
                    format!("The list could not be exported: {error} {SEE_TO_IT}"),
                );
            }
        }
    }
}
