//! What a running server is made of: its data, its behaviour, its faults, and the requests so far.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{Method, header};
use base64::Engine as _;
use rusqlite::Connection;

use super::behaviour::{Behaviour, Generation};
use super::faults::Faults;
use super::job_files::{Files, Outcome};

/// A request that was answered, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// Path and query as they came, with the context path.
    pub target: String,
    /// The status of the answer; `None` while it is worked on, and when the line was dropped.
    pub status: Option<u16>,
}

/// What a running server is made of.
pub(super) struct Site {
    pub(super) generation: Generation,
    pub(super) real: bool,
    pub(super) context: String,
    pub(super) base: String,
    pub(super) token: Option<String>,
    pub(super) hosts: Vec<String>,
    pub(super) db: Mutex<Connection>,
    pub(super) files: Mutex<Files>,
    pub(super) behaviour: Mutex<Behaviour>,
    pub(super) faults: Faults,
    pub(super) log: Mutex<Log>,
    pub(super) inflight: AtomicUsize,
    pub(super) peak: AtomicUsize,
    pub(super) rate: Mutex<Option<(Instant, u32)>>,
    pub(super) outcomes: Mutex<Vec<Outcome>>,
    pub(super) stopping: AtomicBool,
}

/// The last requests; older ones are forgotten, but counted.
#[derive(Default)]
pub(super) struct Log {
    pub(super) forgotten: usize,
    pub(super) kept: VecDeque<Recorded>,
}

/// How many requests the log keeps.
const KEPT: usize = 10_000;

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Site {
    pub(super) fn db(&self) -> MutexGuard<'_, Connection> {
        locked(&self.db)
    }

    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        locked(&self.files)
    }

    /// Outcomes of jobs that are not in the data file yet.
    pub(super) fn outcomes(&self) -> MutexGuard<'_, Vec<Outcome>> {
        locked(&self.outcomes)
    }

    /// Whether the server is being stopped: long work ends where it is.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        locked(&self.behaviour).clone()
    }

    pub(super) fn record(&self, method: &Method, target: String) -> usize {
        let mut log = locked(&self.log);
        if log.kept.len() == KEPT {
            log.kept.pop_front();
            log.forgotten += 1;
        }
        log.kept.push_back(Recorded {
            method: method.to_string(),
            target,
            status: None,
        });
        log.forgotten + log.kept.len() - 1
    }

    pub(super) fn answered(&self, number: usize, status: u16) {
        let mut log = locked(&self.log);
        let forgotten = log.forgotten;
        if let Some(record) = number
            .checked_sub(forgotten)
            .and_then(|index| log.kept.get_mut(index))
        {
            record.status = Some(status);
        }
    }

    /// Whether one more request fits into this second.
    pub(super) fn admits(&self, per_second: u32) -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "the server's rate is about real time"
        )]
        let now = Instant::now();
        let mut rate = locked(&self.rate);
        match &mut *rate {
            Some((since, count)) if now.duration_since(*since) < Duration::from_secs(1) => {
                *count += 1;
                *count <= per_second
            }
            other => {
                *other = Some((now, 1));
                true
            }
        }
    }

    pub(super) fn signed_in(&self, request: &Request) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let sent = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if let Some(bearer) = sent.strip_prefix("Bearer ") {
            return bearer == token;
        }
        sent.strip_prefix("Basic ")
            .and_then(|pair| base64::engine::general_purpose::STANDARD.decode(pair).ok())
            .and_then(|pair| String::from_utf8(pair).ok())
            .and_then(|pair| pair.split_once(':').map(|(_, password)| password == token))
            .unwrap_or(false)
    }
}
