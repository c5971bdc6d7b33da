//! What a panic leaves behind: the terminal as it was, a report in the log, one line on the screen.

use std::backtrace::Backtrace;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::disk::{self, Disk};
use super::{clock, files, terminal};
use crate::report::{Exit, Failure, scrub};

/// What is on its way to the disk when the program panics.
static DISK: Mutex<Option<Disk>> = Mutex::new(None);

/// How long that may take.
const DISK_LIMIT: Duration = Duration::from_secs(2);

/// From now on a panic in any thread ends the program in order.
pub fn install(log: PathBuf) {
    std::panic::set_hook(Box::new(move |panic| end(&log, panic)));
}

/// Lets a panic wait for what this disk has been asked to do, and for no other any more.
pub fn spare(disk: Disk) {
    if let Ok(mut spared) = DISK.lock() {
        *spared = Some(disk);
    }
}

fn end(log: &Path, panic: &PanicHookInfo<'_>) {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if ENDING.swap(true, Ordering::SeqCst) {
        return;
    }
    terminal::leave();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let report = report(thread, panic);
    let written = files::open_to_append(log).and_then(|mut file| file.write_all(report.as_bytes()));
    let failure = Failure::new(
        Exit::Failed,
        match written {
            Ok(()) => format!(
                "coracle has crashed; the report is at the end of {}.",
                log.display()
            ),
            Err(error) => format!(
                "coracle has crashed at {}, and the report could not be written: {error}.",
                place(panic)
            ),
        },
    );
    failure.print();
    if thread != disk::THREAD
        && let Ok(spared) = DISK.try_lock()
        && let Some(disk) = &*spared
    {
        disk.finish(DISK_LIMIT);
    }
    std::process::exit(failure.exit.code().into());
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

fn report(thread: &str, panic: &PanicHookInfo<'_>) -> String {
    let message = panic.payload_as_str().unwrap_or("no message");
    let mut report = format!(
        "{:.3} PANIC coracle {} in thread `{thread}` at {}: {}\n",
        clock::time_of_day(),
        env!("CARGO_PKG_VERSION"),
        place(panic),
        scrub(message),
    );
    for line in Backtrace::force_capture().to_string().lines() {
        report.push_str("  ");
        report.push_str(&scrub(line));
        report.push('\n');
    }
    report
}
