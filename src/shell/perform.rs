//! Effects become tasks, their outcomes become messages.
//!
//! A read can be given up. Of the writes only one that sends a file can: its job says so, and asks the
//! server afterwards what it has. Of any other, once it may have left, only its answer tells what became
//! of it.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use super::connection::{Line, Target, by_the_loop};
use super::disk::Disk;
use super::event::Event;
use super::progress::told;
use super::{examine, files};
use crate::app::message::{Connected, DiskCall, DiskError, DiskReply, Msg, Ticket};
use crate::confluence::Call;
use crate::confluence::client::Retry;
use crate::report::scrub;

/// From this many tickets on, those of finished reads are cleared away.
const TIDY: usize = 256;

/// What performs effects behind the loop.
pub struct Perform {
    events: Sender<Event>,
    disk: Disk,
    runtime: Option<Runtime>,
    line: Arc<Line>,
    reads: HashMap<Ticket, AbortHandle>,
    /// Files on their way to the server. They outlast a turn to another one.
    uploads: HashMap<Ticket, AbortHandle>,
}

impl Perform {
    /// Starts the threads that requests are sent from. Nothing is sent yet, and no secret is
    /// fetched.
    pub fn start(disk: Disk, target: Option<Target>, events: Sender<Event>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("network")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            line: Arc::new(Line::to(target, &disk, by_the_loop(events.clone()))),
            disk,
            events,
            reads: HashMap::new(),
            uploads: HashMap::new(),
        })
    }

    /// Turns to another server and other files. What was read of the old server is given up, what
    /// was asked of the old disk has to be done within `limit`; if it is not, nothing is changed.
    pub fn turn_to(&mut self, disk: Disk, target: Option<Target>, limit: Duration) -> bool {
        if !self.disk.finish(limit) {
            return false;
        }
        for (_, read) in self.reads.drain() {
            read.abort();
        }
        let line = Line::to(target, &disk, by_the_loop(self.events.clone()));
        let old = std::mem::replace(&mut self.line, Arc::new(line));
        self.disk = disk;
        // An embedded server ends with its line, which takes a moment.
        let _ = std::thread::Builder::new()
            .name("hang-up".to_owned())
            .spawn(move || drop(old));
        true
    }

    /// Sends a call; the answer comes as a message.
    pub fn send(&mut self, ticket: Ticket, call: Call) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        let (line, events) = (Arc::clone(&self.line), self.events.clone());
        let (is_read, sends_a_file) = (call.is_read(), call.sends_a_file());
        let task = runtime.spawn(async move {
            let retrying = {
                let events = events.clone();
                move |retry: Retry| {
                    // Nobody listens any more when the program ends.
                    let _ = events.send(Event::Core(Msg::Retrying {
                        ticket,
                        error: retry.error,
                        attempt: retry.attempt,
                        wait_ms: u64::try_from(retry.wait.as_millis()).unwrap_or(u64::MAX),
                    }));
                }
            };
            let moved = told(events.clone(), ticket);
            let (outcome, took_ms, user) = line.ask(ticket, &call, retrying, moved).await;
            if let Some(user) = user {
                let _ = events.send(Event::Core(Msg::TakenFor(user)));
            }
            let _ = events.send(Event::Core(Msg::Reply {
                ticket,
                outcome,
                took_ms,
            }));
        });
        if is_read {
            if self.reads.len() >= TIDY {
                self.reads.retain(|_, task| !task.is_finished());
            }
            self.reads.insert(ticket, task.abort_handle());
        } else if sends_a_file {
            self.uploads.retain(|_, task| !task.is_finished());
            self.uploads.insert(ticket, task.abort_handle());
        }
    }

    /// Drops the line of a read, or of a write that sends a file. Does nothing to any other write.
    pub fn cancel(&mut self, ticket: Ticket) {
        let upload = self.uploads.remove(&ticket);
        if let Some(task) = self.reads.remove(&ticket).or(upload) {
            task.abort();
        }
    }

    /// Lets a long call to the disk end before its time.
    pub fn cancel_disk(&self, ticket: Ticket) {
        self.disk.give_up(ticket);
    }

    /// Lets writes out from now on: a protected profile was opened on purpose.
    pub fn allow_writes(&self) {
        self.line.allow_writes();
    }

    /// Tests the connection that a configuration describes; relative paths in it start at the folder
    /// of `path`.
    pub fn examine(&mut self, ticket: Ticket, text: String, path: PathBuf) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        let events = self.events.clone();
        let task = runtime.spawn(async move {
            let run = by_the_loop(events.clone());
            let tell = |finding| {
                // Nobody listens any more when the program ends.
                let _ = events.send(Event::Core(Msg::Examined { ticket, finding }));
            };
            examine::text(&text, &path, &*run, &mut |finding| tell(Some(finding))).await;
            tell(None);
        });
        self.reads.insert(ticket, task.abort_handle());
    }

    /// Writes the configuration, where there is none yet, for its owner alone.
    pub fn save_config(&self, ticket: Ticket, text: String, path: PathBuf) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        let events = self.events.clone();
        runtime.spawn_blocking(move || {
            let folder = path.parent().map_or(Ok(()), files::make_folder_above);
            let outcome = folder
                .and_then(|()| files::create_whole(&path, &mut text.as_bytes()))
                .map(|()| DiskReply::Written)
                .map_err(|error| DiskError {
                    message: match error.kind() {
                        io::ErrorKind::AlreadyExists => format!(
                            "There is a configuration at {} already; it was left as it is.",
                            scrub(&path.to_string_lossy())
                        ),
                        _ => format!(
                            "{} could not be written: {error}.",
                            scrub(&path.to_string_lossy())
                        ),
                    },
                });
            let _ = events.send(Event::Core(Msg::Disk { ticket, outcome }));
        });
    }

    /// Reads or writes a file.
    pub fn disk(&self, ticket: Ticket, call: DiskCall) {
        self.disk.submit(ticket, call);
    }

    /// Starts the embedded server on a thread of its own and connects to it.
    pub fn start_demo(&self) {
        let (line, events) = (Arc::clone(&self.line), self.events.clone());
        let tell = move |outcome| {
            let _ = events.send(Event::Core(Msg::Connected(outcome)));
        };
        let failed = tell.clone();
        let started = std::thread::Builder::new()
            .name("demo".to_owned())
            .spawn(move || match line.start_demo() {
                Ok(base_url) => tell(Ok(Connected { base_url })),
                Err(why) => tell(Err(why)),
            });
        if let Err(error) = started {
            failed(Err(format!(
                "The embedded server could not be started: {error}."
            )));
        }
    }

    /// Waits until the disk has done what it was asked to, but not longer than `limit`, and
    /// leaves the network to itself.
    pub fn finish(&mut self, limit: Duration) {
        if !self.disk.finish(limit) {
            tracing::error!("the disk did not finish in {limit:?}");
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
