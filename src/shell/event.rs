//! What the threads of the shell tell the one that owns the model.

use secrecy::SecretString;
use tokio::sync::oneshot;

use crate::app::message::{Millis, Msg, Ticket};
use crate::secret::SecretError;

/// Something for the main thread.
#[derive(Debug)]
pub enum Event {
    /// For the core.
    Core(Msg),
    /// For the core, from the terminal: a key, a paste, the mouse.
    Typed {
        /// When it was read, which may be long before anybody has time for it.
        at: Millis,
        /// What it was.
        msg: Msg,
    },
    /// A signal, by its number.
    Signal(i32),
    /// The terminal is gone.
    Gone,
    /// The terminal answered a question that was put to it.
    Report(termina::Event),
    /// The terminal says that it is there (ESC [ 0 n): it has read, and shows, all that was written
    /// before it was asked.
    Status,
    /// The editor has ended.
    EditorEnded {
        /// Which visit.
        ticket: Ticket,
        /// How it ended.
        status: std::io::Result<std::process::ExitStatus>,
    },
    /// A command that prints a secret needs the terminal.
    Lend(Borrower),
    /// It has ended.
    Returned(Result<SecretString, SecretError>),
}

/// A command that prints a secret, and may ask for something first.
#[derive(Debug)]
pub struct Borrower {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// Where the first line of its output goes.
    pub secret: oneshot::Sender<Result<SecretString, SecretError>>,
}
