//! Signals as events.
//!
//! A signal that ends the program is passed on, and the main thread ends it in order. When that
//! thread can't (it waits for a terminal that takes no bytes), the program is ended from here.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::event::Event;
use super::terminal;

/// How long an orderly end may take: the disk gets time to sync what is on its way.
const ORDERLY: Duration = Duration::from_secs(2);

/// Takes the signals over and starts the thread that passes them on.
pub fn start(events: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH])?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if events.send(Event::Signal(signal)).is_err() {
                    return;
                }
                if matches!(signal, SIGHUP | SIGTERM | SIGQUIT) {
                    end_if_stuck(signal);
                }
            }
        })?;
    Ok(())
}

fn end_if_stuck(signal: i32) {
    // If no thread can be had, the orderly way is the only one.
    let _ = thread::Builder::new()
        .name("last resort".to_owned())
        .spawn(move || {
            // Nobody unparks this thread; a spurious wake-up only shortens the wait.
            thread::park_timeout(ORDERLY);
            terminal::leave_without_writing();
            std::process::exit(128 + signal);
        });
}
