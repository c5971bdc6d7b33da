//! What the threads of the shell tell the one that owns the model.

use crate::app::message::{Msg, Ticket};

/// Something for the main thread.
#[derive(Debug)]
pub enum Event {
    /// For the core.
    Core(Msg),
    /// A signal, by its number.
    Signal(i32),
    /// The terminal is gone.
    Gone,
    /// The terminal answered a question that was put to it.
    Report(termina::Event),
    /// The editor has ended.
    EditorEnded {
        /// Which visit.
        ticket: Ticket,
        /// How it ended.
        status: std::io::Result<std::process::ExitStatus>,
    },
}
