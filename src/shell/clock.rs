//! The one clock of the program. Everything above the shell gets its time with each message.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the place where time enters"
)]

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::app::message::Millis;

/// Counts from the start of the program and never goes back.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: Timestamp,
}

impl Clock {
    /// A clock that reads 0 now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    /// How long the program has been running.
    pub fn now(&self) -> Millis {
        Millis(
            self.start
                .elapsed()
                .as_millis()
                .try_into()
                .unwrap_or(u64::MAX),
        )
    }

    /// The time of day when this clock read 0.
    pub fn wall(&self) -> Timestamp {
        self.wall
    }

    /// How long it is from now to `moment`; nothing if that is past.
    pub fn until(&self, moment: Millis) -> Duration {
        // One more, for `now` has dropped what is less than a millisecond.
        let wait = moment.since(self.now());
        Duration::from_millis(if wait == 0 { 0 } else { wait + 1 })
    }
}

/// Rests for a while: for what another process does and does not tell of.
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The time of day now, for the log and the names of files.
pub fn time_of_day() -> Timestamp {
    Timestamp::now()
}
