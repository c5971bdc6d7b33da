//! How far a file is that is sent, arrives or is read.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::event::Event;
use crate::app::message::{Msg, Ticket};

/// After so many bytes it is told how far a file is.
const STEP: u64 = 1 << 20;

/// Hears how far a file is: bytes, and of how many.
pub type Tell = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Tells how far a file is, now and then.
pub(super) struct Gauge {
    tell: Tell,
    pub(super) total: u64,
    told: u64,
}

impl Gauge {
    pub(super) fn of(total: u64, tell: Tell) -> Self {
        Self {
            tell,
            total,
            told: 0,
        }
    }

    pub(super) fn at(&mut self, done: u64) {
        if done >= self.told.saturating_add(STEP) || done < self.told {
            self.told = done;
            (self.tell)(done, self.total);
        }
    }
}

/// Tells the core how far a file is.
pub(super) fn told(events: Sender<Event>, ticket: Ticket) -> Tell {
    Arc::new(move |done, total| {
        // Nobody listens any more when the program ends.
        let _ = events.send(Event::Core(Msg::Moved {
            ticket,
            done,
            total,
        }));
    })
}
