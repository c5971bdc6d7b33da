//! Uploads that are broken off when the person cancels their job.
//!
//! An upload takes as long as the line needs for the file, so nobody waits for its end. The line is
//! dropped at once, and from then on it is a write whose answer was lost: the machine asks the server
//! what it has, and nothing is sent a second time.

use super::{ASKS_WHAT_IT_HAS, BROKEN_OFF, Desk, Doubt, Fate, RequestNo, Stage};
use crate::jobs::effect::JobEffect;
use crate::jobs::step::Step;

impl Desk {
    /// Whether a write of this step is not settled yet because the person stopped it.
    pub(in crate::jobs) fn is_broken_off(&self, item: u32, step: Step) -> bool {
        self.doubt(item, step).is_some_and(|it| it.broken_off)
    }

    /// Drops the line of each file that is on its way to the server. Returns what each machine is told.
    #[must_use = "a machine that hears nothing of its write asks nobody about it"]
    pub(in crate::jobs) fn break_off_uploads(&mut self) -> Vec<(u32, Step, Fate)> {
        let mut told = Vec::new();
        for mut flight in std::mem::take(&mut self.flights) {
            let is_upload = flight.stage == Stage::Sent && flight.call.sends_a_file();
            let Some(intent) = flight.record.take_if(|_| is_upload) else {
                self.flights.push(flight);
                continue;
            };
            let request = RequestNo(flight.no);
            self.out.push(JobEffect::GiveUp { request });
            self.doubts.push(Doubt {
                broken_off: true,
                ..Doubt::about(*intent)
            });
            let fate = Fate::InDoubt(format!("{BROKEN_OFF}."));
            told.push((flight.item, flight.step, fate));
        }
        if !told.is_empty() {
            self.say(ASKS_WHAT_IT_HAS);
            // Also after a kill it is not sent again.
            self.checkpoint();
        }
        told
    }
}
