//! What goes wrong on demand: chosen by route and count, struck before or after the server acts.
//!
//! A fault never touches the data by itself: whether a write was applied depends only on whether
//! the fault lets the request through.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request waits this long before the server looks at it.
    Latency(Duration),
    /// The request waits until its gate is opened.
    Hold(Gate),
    /// This is the answer; the request is not applied.
    Answer {
        /// The status code.
        status: u16,
        /// Headers, added to those every answer has.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The API's own refusal with this status and these words; the request is not applied. 404 is what
    /// servers say of what one has no right to.
    Refused {
        /// The status code.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The answer of success, and nothing is done: the old values to a `PUT` of a space or content,
    /// a task that nobody knows to the deletion of a space, else 204.
    Unapplied,
    /// 200 and the HTML page of a sign-in; the request is not applied.
    LoginPage,
    /// 302 to this address; the request is not applied.
    Redirect(String),
    /// The connection closes without an answer; the request is not applied.
    Dropped,
    /// The request is applied, then the connection closes without an answer.
    AppliedThenLost,
    /// The request is applied, then the connection closes in the middle of a chunked answer.
    DroppedMidBody,
    /// The request is applied; the answer announces more bytes than come.
    CutShort,
    /// The request is applied; the answer comes in small pieces.
    Trickle {
        /// Bytes in a piece.
        bytes: usize,
        /// Time between two pieces.
        pause: Duration,
    },
}

/// Which requests a [`Fault`] strikes.
#[derive(Clone, Debug)]
pub struct Rule {
    method: Option<String>,
    path: Vec<String>,
    query: Option<String>,
    skip: u32,
    left: Option<u32>,
    fault: Fault,
}

impl Rule {
    /// A fault for the next request to `route`.
    ///
    /// A route is a method and a path below the context: `GET /rest/api/space/*/trash`. `*` stands
    /// for any method or any one segment, a last `**` for any rest; after a `?` stands what the
    /// query must contain: `DELETE /rest/api/content/*?status=trashed`.
    pub fn new(route: &str, fault: Fault) -> Self {
        let (method, target) = route.split_once(' ').unwrap_or(("*", route));
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        Self {
            method: (method != "*").then(|| method.to_ascii_uppercase()),
            path: segments(path).map(str::to_owned).collect(),
            query,
            skip: 0,
            left: Some(1),
            fault,
        }
    }

    /// Lets the first `n` matching requests through.
    #[must_use]
    pub fn skip(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Strikes `n` requests instead of one.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.left = Some(n);
        self
    }

    /// Strikes every matching request.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        if self
            .method
            .as_deref()
            .is_some_and(|wanted| wanted != method)
        {
            return false;
        }
        if self
            .query
            .as_deref()
            .is_some_and(|part| !query.contains(part))
        {
            return false;
        }
        let mut wanted = self.path.iter();
        let mut found = segments(path);
        loop {
            match (wanted.next().map(String::as_str), found.next()) {
                (Some("**"), _) | (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(a), Some(b)) if a == b => {}
                _ => return false,
            }
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The faults of a running server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Rule>>>);

/// What a request has to go through.
#[derive(Debug, Default)]
pub(super) struct Struck {
    pub(super) waits: Vec<Fault>,
    pub(super) end: Option<Fault>,
}

impl Faults {
    /// Adds a rule. Of several that match, waiting ones add up and the first other one strikes.
    pub fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    /// Holds the next request to `route` until the gate is opened.
    pub fn hold(&self, route: &str) -> Gate {
        let gate = Gate::new();
        self.add(Rule::new(route, Fault::Hold(gate.clone())));
        gate
    }

    /// Holds every request to `route` until the gate is opened.
    pub fn hold_all(&self, route: &str) -> Gate {
        let gate = Gate::new();
        self.add(Rule::new(route, Fault::Hold(gate.clone())).always());
        gate
    }

    /// Forgets all rules. Requests that wait at a gate go on waiting.
    pub fn clear(&self) {
        self.rules().clear();
    }

    /// How many rules can still strike.
    pub fn pending(&self) -> usize {
        self.rules().len()
    }

    pub(super) fn strike(&self, method: &str, path: &str, query: &str) -> Struck {
        let mut struck = Struck::default();
        let mut rules = self.rules();
        for rule in rules.iter_mut() {
            let waiting = matches!(rule.fault, Fault::Latency(_) | Fault::Hold(_));
            if (!waiting && struck.end.is_some()) || !rule.matches(method, path, query) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(left) = &mut rule.left {
                if *left == 0 {
                    continue;
                }
                *left -= 1;
            }
            if waiting {
                struck.waits.push(rule.fault.clone());
            } else {
                struck.end = Some(rule.fault.clone());
            }
        }
        rules.retain(|rule| rule.left != Some(0));
        struck
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gate that requests wait at until a test opens it: what takes long, without a clock.
#[derive(Clone, Debug)]
pub struct Gate {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl Gate {
    fn new() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(0)),
            waiting: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Lets everything through, now and later.
    pub fn open(&self) {
        self.permits.close();
    }

    /// Lets one request through.
    pub fn let_one_through(&self) {
        self.permits.add_permits(1);
    }

    /// How many requests wait at this moment.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub(super) async fn pass(&self) {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        // A closed semaphore is an open gate.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(faults: &Faults, method: &str, path: &str, query: &str) -> bool {
        faults.strike(method, path, query).end.is_some()
    }

    #[test]
    fn a_rule_strikes_its_route_once_after_what_it_skips() {
        let faults = Faults::default();
        faults.add(Rule::new("GET /rest/api/space/*/trash", Fault::Dropped).skip(1));
        assert!(!struck(&faults, "GET", "/rest/api/space/ENG", ""));
        assert!(!struck(&faults, "DELETE", "/rest/api/space/ENG/trash", ""));
        assert!(!struck(&faults, "GET", "/rest/api/space/ENG/trash", ""));
        assert!(struck(&faults, "GET", "/rest/api/space/ENG/trash", ""));
        assert!(!struck(&faults, "GET", "/rest/api/space/ENG/trash", ""));
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn wildcards_and_queries() {
        let faults = Faults::default();
        faults.add(Rule::new("* /rest/api/content/**?status=trashed", Fault::Dropped).always());
        assert!(struck(
            &faults,
            "DELETE",
            "/rest/api/content/12",
            "status=trashed"
        ));
        assert!(!struck(&faults, "DELETE", "/rest/api/content/12", ""));
        assert!(struck(
            &faults,
            "GET",
            "/rest/api/content",
            "a=b&status=trashed"
        ));
    }

    #[test]
    fn waiting_faults_add_to_the_first_other_one() {
        let faults = Faults::default();
        faults.add(Rule::new("* /**", Fault::Latency(Duration::from_millis(1))).always());
        faults.add(Rule::new("* /**", Fault::Dropped));
        faults.add(Rule::new("* /**", Fault::LoginPage));
        let first = faults.strike("GET", "/", "");
        assert_eq!(first.waits.len(), 1);
        assert!(matches!(first.end, Some(Fault::Dropped)));
        assert!(matches!(
            faults.strike("GET", "/", "").end,
            Some(Fault::LoginPage)
        ));
    }
}
