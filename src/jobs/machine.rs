//! What makes a job of one kind go.

use super::desk::{Desk, Fate};
use super::effect::{JobWrite, StoreError, Stored};
use super::question::Decision;
use super::step::Step;
use crate::confluence::{ApiError, Reply};

/// What a machine does when something happened. Machines only ask in `go`, so that replaying a
/// journal through `wrote` sends nothing.
pub(super) trait Machine {
    /// Ask for what can be asked now. Called after everything that happens.
    fn go(&mut self, desk: &mut Desk);
    /// A read was answered.
    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>);
    /// It is known how a write went, or that this is not known.
    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate);
    /// A file of a backup was written, or read back.
    fn stored(&mut self, _desk: &mut Desk, _what: &JobWrite, _answer: Result<Stored, StoreError>) {}
    /// A destroying write was not sent: what it is about is in no backup as it is now.
    fn lacking(&mut self, desk: &mut Desk, _item: u32) {
        desk.halt("What is to be destroyed is in no backup as it is now. Nothing was sent.");
    }
    /// The person answered.
    fn decide(&mut self, _desk: &mut Desk, _decision: Decision) {}
    /// It goes on as this user, who may be another than the one before.
    fn taken_up(&mut self, _user: Option<&str>) {}
    /// The job was loaded from disk; the journal has been replayed.
    fn reopened(&mut self, _desk: &mut Desk) {}
}
