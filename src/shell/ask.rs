//! Asks the terminal what it can do, for `coracle doctor`: outside of the screen, with the line in
//! raw mode for no longer than the answer takes.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::clock::Clock;
use super::terminal::write_all;
use crate::app::message::Millis;
use crate::doctor::terminal::{Answers, question};

/// More than this is no answer, in bytes.
const LIMIT: usize = 4096;

/// Puts the modes of the line back, however asking ends.
struct Before(Termios);

impl Drop for Before {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

/// Asks, and waits for the answer for `limit` at most. What is typed meanwhile is lost.
pub fn ask(limit: Duration) -> Option<Answers> {
    let before = tcgetattr(stdin()).ok()?;
    let mut raw = before.clone();
    raw.make_raw();
    let _before = Before(before);
    tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
    write_all(&question()).ok()?;
    let clock = Clock::start();
    let end = Millis(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    let mut bytes = Vec::new();
    while clock.now() < end && bytes.len() < LIMIT {
        let left = clock.until(end);
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(0),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut waiting = [PollFd::from_borrowed_fd(stdin(), PollFlags::IN)];
        match poll(&mut waiting, Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(1) => {}
            Ok(_) | Err(_) => break,
        }
        let mut piece = [0; 512];
        match rustix::io::read(stdin(), &mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
        if let Some(answers) = Answers::read(&bytes) {
            return Some(answers);
        }
    }
    None
}
