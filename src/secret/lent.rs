//! A command that has the terminal while it runs, so that it can ask for a PIN or a password.
//!
//! It stays in our process group, which is in the foreground, and keeps standard input. What it says
//! on standard error is passed on as it comes, and kept for the case that it fails. There is no
//! limit of time: somebody sits before it, and Ctrl-c reaches it.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::command::{SIZE_LIMIT, command, not_started, told, without};
use super::error::SecretError;
use crate::report::scrub;

/// How long a command that has ended may keep us because something that it started still holds its
/// output, and how long such an end goes unnoticed, in milliseconds.
const LINGERS_MS: i64 = 200;

/// A command that is running on the terminal.
#[derive(Debug)]
pub struct Lent {
    program: String,
    child: Child,
}

impl Lent {
    /// Starts the command. Nothing of ours may be on the terminal.
    pub fn start(words: &[String]) -> Result<Self, SecretError> {
        let program = scrub(words.first().map_or("", String::as_str));
        let child = command(words)
            .stdin(Stdio::inherit())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(&program, &error))?;
        Ok(Self { program, child })
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has ended, and says what it gave.
    pub fn finish(mut self) -> Result<SecretString, SecretError> {
        let (mut output, mut said) = (
            Zeroizing::new(Vec::with_capacity(4096)),
            Zeroizing::new(Vec::new()),
        );
        let (mut from, mut of) = (self.child.stdout.take(), self.child.stderr.take());
        // In this order: what it printed is known before what it says is passed on.
        while from.is_some() || of.is_some() {
            let limit = Timespec {
                tv_sec: 0,
                tv_nsec: LINGERS_MS * 1_000_000,
            };
            let mut waiting: Vec<PollFd<'_>> = from
                .iter()
                .map(AsFd::as_fd)
                .chain(of.iter().map(AsFd::as_fd))
                .map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN))
                .collect();
            match poll(&mut waiting, Some(&limit)) {
                Err(rustix::io::Errno::INTR) => continue,
                Ok(0) if matches!(self.child.try_wait(), Ok(None)) => continue,
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let printed = from.is_some() && is_ready(&waiting[0]);
            let (more, is_open) = piece(&mut from, printed);
            keep(&mut output, &more);
            if !is_open {
                from = None;
            }
            if printed {
                continue;
            }
            let (more, is_open) = piece(&mut of, true);
            pass_on(&more, &output);
            keep(&mut said, &more);
            if !is_open {
                of = None;
            }
        }
        let status = self.child.wait();
        let status = status.map_err(|error| not_started(&self.program, &error))?;
        told(&self.program, status, output, &said)
    }
}

/// Keeps what came, up to the limit and a little more.
fn keep(kept: &mut Vec<u8>, more: &[u8]) {
    if kept.len() as u64 <= SIZE_LIMIT {
        kept.extend_from_slice(more);
    }
}

fn is_ready(end: &PollFd<'_>) -> bool {
    !end.revents().is_empty()
}

/// What is there to be read, and whether more may come.
fn piece(end: &mut Option<impl std::io::Read>, is_ready: bool) -> (Zeroizing<Vec<u8>>, bool) {
    let mut bytes = Zeroizing::new(vec![0; 4096]);
    let (Some(end), true) = (end, is_ready) else {
        return (Zeroizing::new(Vec::new()), true);
    };
    let count = end.read(&mut bytes).unwrap_or(0);
    bytes.truncate(count);
    (bytes, count > 0)
}

/// Shows what the command says, but not what it printed as its secret.
fn pass_on(said: &[u8], output: &[u8]) {
    let text = String::from_utf8_lossy(said);
    let shown = without(&text, output);
    let shown = if *shown == text {
        said
    } else {
        shown.as_bytes()
    };
    // Nobody reads it: nothing to act on.
    let _ = std::io::stderr().write_all(shown);
}
