//! The connections that wait for the next request, and when they are too old for it.
//!
//! HTTP's library can close what nobody uses by a timer, but that wakes a program in which nothing
//! happens. Here nobody looks until a connection is wanted: if the one whose turn it is has waited
//! for too long, all that wait are left for new ones.
//!
//! Pure: times are durations since any fixed moment.

use std::time::Duration;

/// Below the 20 seconds after which Tomcat and many proxies hang up: a write sent into a connection
/// that ends at that moment is a write of which nobody knows what became of it.
const TOO_LONG: Duration = Duration::from_secs(15);

/// Makes a client with no connections.
type Make<C> = Box<dyn Fn() -> Option<C> + Send + Sync>;

/// Clients of the HTTP library, one after the other; each keeps the connections made for it.
pub(super) struct Pool<C> {
    make: Make<C>,
    client: C,
    made: Duration,
    /// Since when the connection waits that is taken when so many others are in use (the index).
    /// The one used last is taken first, so that is when that many were in use for the last time.
    waits_since: Vec<Duration>,
}

impl<C: Clone> Pool<C> {
    /// Begins with this client; `make` gives further ones like it, or `None` if it can't.
    pub(super) fn new(client: C, make: Make<C>) -> Self {
        Self {
            make,
            client,
            made: Duration::ZERO,
            waits_since: Vec::new(),
        }
    }

    /// The client for a request beside `others` that are under way. Those keep the connections
    /// they have.
    pub(super) fn client(&mut self, now: Duration, others: usize) -> C {
        let since = self.waits_since.get(others).copied();
        if now.saturating_sub(since.unwrap_or(self.made)) > TOO_LONG
            && let Some(client) = (self.make)()
        {
            self.client = client;
            self.made = now;
            self.waits_since.clear();
        }
        self.client.clone()
    }

    /// A request beside `others` has its whole answer, and its connection waits from now on.
    pub(super) fn waits(&mut self, now: Duration, others: usize) {
        if self.waits_since.len() <= others {
            self.waits_since.resize(others + 1, self.made);
        }
        self.waits_since[others] = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn pool() -> Pool<u32> {
        let made = AtomicU32::new(0);
        let make = move || Some(made.fetch_add(1, Ordering::Relaxed) + 1);
        Pool::new(0, Box::new(make))
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_waited_for_too_long_is_left() {
        let mut pool = pool();
        for round in 0..5 {
            assert_eq!(pool.client(at(15 * round), 0), 0, "each answer begins anew");
            pool.waits(at(15 * round), 0);
        }
        assert_eq!(pool.client(at(76), 0), 1);
        assert_eq!(pool.client(at(76), 1), 1, "these are new");
    }

    #[test]
    fn one_in_use_does_not_keep_the_others_young() {
        let mut pool = pool();
        for others in [2, 1, 0] {
            pool.waits(at(0), others);
        }
        for now in [5, 10, 15, 20] {
            assert_eq!(pool.client(at(now), 0), 0);
            pool.waits(at(now), 0);
        }
        assert_eq!(pool.client(at(20), 0), 0);
        assert_eq!(pool.client(at(20), 1), 1, "it waited for twenty seconds");
        assert_eq!(
            pool.client(at(20), 2),
            1,
            "and so did this, which went with it"
        );
    }

    #[test]
    fn a_connection_that_nobody_asked_for_is_as_old_as_its_client() {
        // The library may open one more than is used in the end.
        for unused in [1, 3] {
            let mut pool = pool();
            pool.waits(at(10), 0);
            pool.waits(at(10), 2);
            assert_eq!(pool.client(at(10), unused), 0);
            assert_eq!(pool.client(at(16), 0), 0);
            assert_eq!(pool.client(at(16), unused), 1);
        }
    }

    #[test]
    fn an_old_client_is_better_than_none() {
        let mut pool = Pool::new(7, Box::new(|| None));
        assert_eq!(pool.client(at(30), 0), 7);
    }
}
