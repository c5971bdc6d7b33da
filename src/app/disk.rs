//! The reads and writes of files that are under way, and what waits for each.
//!
//! The core names files by plain names and never sees a path; the shell does what is asked.

use serde::{Deserialize, Serialize};

use super::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, Ticket};
use super::model::Model;

/// What an answer of the disk is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskWaiter {
    /// A list that was exported: the file is named to the person.
    Export,
    /// A plan that was written: the file is named to the person.
    Plan,
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
        _out: &mut Vec<Effect>,
    ) {
        // An answer that nobody waits for any more is stale.
        let Some(waiter) = self.disk.remove(&ticket) else {
            return;
        };
        match (waiter, outcome) {
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
                    format!("The plan could not be written: {error}"),
                );
            }
            (DiskWaiter::Export, Err(error)) => {
                self.say(
                    LogLevel::Error,
                    format!("The list could not be exported: {error}"),
                );
            }
        }
    }
}
