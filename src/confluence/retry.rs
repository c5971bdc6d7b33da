//! When to ask again, and how many questions at once. Pure: time and chance come in from outside.

use std::time::Duration;

use super::error::{ApiError, ErrorKind};
use super::headers::Headers;
use crate::text::number;

/// The longest wait on 429, whatever the server asks for, in milliseconds.
pub const LONGEST_LIMIT_WAIT_MS: u64 = 120_000;

/// What is said while so many seconds are left to wait because of a 429: the server asked for so much,
/// or for more than it gets, or for nothing.
pub fn limited(seconds: u64, after_ms: Option<u64>) -> String {
    match after_ms {
        None => format!("waiting {seconds} s, the server limits how often it may be asked"),
        Some(asked) if asked <= LONGEST_LIMIT_WAIT_MS => {
            format!("waiting {seconds} s, the server asked for it")
        }
        Some(asked) => format!(
            "asking again in {seconds} s, the server wanted a wait of {} s",
            number::grouped(asked.div_ceil(1_000))
        ),
    }
}

/// How patient the client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts in all, the first included, for faults of the line and the server.
    pub attempts: u32,
    /// The first wait; doubles with each attempt.
    pub first_wait: Duration,
    /// The longest wait of our own choosing.
    pub longest_wait: Duration,
    /// No new attempt for such a fault after this long.
    pub total: Duration,
    /// The shortest wait on 429: `Retry-After: 0` is not "at once for ever".
    pub shortest_limit_wait: Duration,
    /// The longest wait on 429, whatever the server asks for.
    pub longest_limit_wait: Duration,
    /// No new attempt for a 429 after this long.
    pub limit_total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_millis(400),
            longest_wait: Duration::from_secs(15),
            total: Duration::from_secs(90),
            shortest_limit_wait: Duration::from_secs(1),
            longest_limit_wait: Duration::from_millis(LONGEST_LIMIT_WAIT_MS),
            limit_total: Duration::from_mins(15),
        }
    }
}

/// Whether a call changes something. Only reads are tried again on a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
}

impl Patience {
    /// How long to wait before the next attempt; `None` to give up.
    ///
    /// A write is never tried again here, also not on 429: it was sent because of something that was
    /// looked at just before, and has to be looked at again. That is the caller's to do.
    ///
    /// `attempt` counts those made (from 1), `spent` is the time since the first began, `chance`
    /// is a random number from 0 to 1.
    pub fn next_wait(
        &self,
        error: &ApiError,
        nature: Nature,
        attempt: u32,
        spent: Duration,
        chance: f64,
    ) -> Option<Duration> {
        let chance = if chance.is_finite() {
            chance.clamp(0.0, 1.0)
        } else {
            1.0
        };
        if nature == Nature::Write {
            return None;
        }
        if let ErrorKind::RateLimited { after_ms } = error.kind {
            if spent >= self.limit_total {
                return None;
            }
            // Up to a tenth more, so that many waiting clients don't come back as one.
            return Some(
                self.limit_wait(after_ms, attempt)
                    .mul_f64(1.0 + chance / 10.0),
            );
        }
        let again = match error.kind {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Truncated => {
                true
            }
            ErrorKind::Server => matches!(error.status, Some(502..=504)),
            _ => false,
        };
        if !again || attempt >= self.attempts {
            return None;
        }
        // Between a half and the whole.
        let wait = self.back_off(attempt).mul_f64(0.5 + chance / 2.0);
        (spent + wait <= self.total).then_some(wait)
    }

    /// How long nobody asks after a 429.
    pub fn limit_wait(&self, after_ms: Option<u64>, attempt: u32) -> Duration {
        after_ms
            .map_or_else(|| self.back_off(attempt), Duration::from_millis)
            .clamp(self.shortest_limit_wait, self.longest_limit_wait)
    }

    fn back_off(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        self.first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait)
    }
}

/// What the `X-RateLimit-*` headers of an answer say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateHeaders {
    /// Requests that may still be sent.
    pub remaining: f64,
    /// Requests that are added each second.
    pub per_second: f64,
    /// The most that can be saved up.
    pub limit: f64,
}

impl RateHeaders {
    /// Reads them; `None` if they are missing or make no sense.
    pub fn of(headers: &Headers) -> Option<Self> {
        let number = |name: &str| -> Option<f64> {
            let value: f64 = headers.get(name)?.trim().parse().ok()?;
            (value.is_finite() && value >= 0.0).then_some(value)
        };
        let limit = number("x-ratelimit-limit")?;
        let remaining = number("x-ratelimit-remaining")?.min(limit);
        let interval = number("x-ratelimit-interval-seconds")
            .unwrap_or(1.0)
            .clamp(1.0, 3600.0);
        let fill = number("x-ratelimit-fillrate").unwrap_or(limit);
        let per_second = fill / interval;
        (limit > 0.0 && per_second > 0.0).then_some(Self {
            remaining,
            per_second,
            limit,
        })
    }
}

/// How many requests may be under way, and how many a second. One for each server.
///
/// Times are durations since any fixed moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    most: f64,
    window: f64,
    in_flight: usize,
    /// Requests that wait for their turn.
    waiting: usize,
    not_before: Duration,
    pace: Option<Pace>,
    /// Smoothed latency: slow, and fast.
    usual: Option<f64>,
    recent: f64,
    last_cut: Option<Duration>,
    /// Successes since `counting_since`, to learn a rate from the first refusal.
    successes: u32,
    counting_since: Duration,
}

/// A bucket of requests that fills with time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    tokens: f64,
    per_second: f64,
    depth: f64,
    filled: Duration,
    /// From headers it is the truth; else it was learned from a refusal and is tried upwards.
    learned: bool,
}

impl Pace {
    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.depth);
        self.filled = self.filled.max(now);
    }
}

/// Whether a request may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may; it counts as under way until [`Budget::finished`].
    Go,
    /// Not before this long has passed.
    In(Duration),
    /// Not before another one has finished.
    Full,
}

/// Longest that one look at the clock is put off; the pace may have changed by then.
const LONGEST_TURN: Duration = Duration::from_mins(1);

impl Budget {
    /// At most `most` at once.
    pub fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        Self {
            most,
            window: most,
            in_flight: 0,
            waiting: 0,
            not_before: Duration::ZERO,
            pace: None,
            usual: None,
            recent: 0.0,
            last_cut: None,
            successes: 0,
            counting_since: Duration::ZERO,
        }
    }

    /// How many may be under way at this moment.
    pub fn window(&self) -> usize {
        self.window as usize
    }

    /// How many are under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Asks for a turn. A write follows the look that allowed it, so it may borrow one request from
    /// the pace; otherwise that look could use up every turn and the write never come to one.
    pub fn turn(&mut self, now: Duration, nature: Nature) -> Turn {
        if now < self.not_before {
            return Turn::In(self.not_before.saturating_sub(now).min(LONGEST_TURN));
        }
        if self.in_flight >= self.window() {
            return Turn::Full;
        }
        if let Some(pace) = &mut self.pace {
            pace.fill(now);
            let needed = match nature {
                Nature::Read => 1.0,
                Nature::Write => 0.0,
            };
            if pace.tokens < needed {
                let wait = (needed - pace.tokens) / pace.per_second;
                return Turn::In(
                    Duration::from_secs_f64(wait.min(LONGEST_TURN.as_secs_f64()))
                        .max(Duration::from_millis(1)),
                );
            }
            pace.tokens -= 1.0;
        }
        self.in_flight += 1;
        Turn::Go
    }

    /// A request begins to wait for its turn; it counts until [`Budget::waits_no_more`].
    pub fn waits(&mut self) {
        self.waiting = self.waiting.saturating_add(1);
    }

    /// A request has had its turn, or was given up.
    pub fn waits_no_more(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// How long it takes until all that wait have had their turn, at the pace of the server.
    pub fn queue(&self, now: Duration) -> Duration {
        let pause = self.not_before.saturating_sub(now);
        let seconds = self
            .pace
            .as_ref()
            .map_or(0.0, |pace| self.waiting as f64 / pace.per_second);
        pause.saturating_add(Duration::from_secs_f64(
            seconds.min(LONGEST_TURN.as_secs_f64()),
        ))
    }

    /// A request is under way no more, whatever became of it.
    pub fn finished(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// An answer came, after `latency` to its first byte.
    pub fn answered(&mut self, now: Duration, latency: Duration, rate: Option<RateHeaders>) {
        self.successes = self.successes.saturating_add(1);
        self.window = (self.window + 1.0 / self.window).min(self.most);
        match (&mut self.pace, rate) {
            (Some(pace), Some(rate)) if !pace.learned => {
                pace.fill(now);
                pace.per_second = rate.per_second;
                pace.depth = rate.limit;
                // Those under way are counted here already, there perhaps not yet.
                pace.tokens = pace.tokens.min(rate.remaining);
            }
            (_, Some(rate)) => {
                self.pace = Some(Pace {
                    tokens: (rate.remaining - self.in_flight as f64).max(0.0),
                    per_second: rate.per_second,
                    depth: rate.limit,
                    filled: now,
                    learned: false,
                });
            }
            (Some(pace), None) if pace.learned => {
                pace.per_second *= 1.005;
                if pace.per_second > 500.0 {
                    self.pace = None;
                }
            }
            (_, None) => {}
        }
        let latency = latency.as_secs_f64();
        self.recent = if self.usual.is_some() {
            self.recent * 0.7 + latency * 0.3
        } else {
            latency
        };
        let usual = self
            .usual
            .map_or(latency, |usual| usual * 0.98 + latency * 0.02);
        self.usual = Some(usual);
        // Small answers vary by their nature; only a wait that a person notices counts.
        if self.recent > 2.0 * usual && self.recent > 1.0 {
            self.cut(now);
        }
    }

    /// The server refused with 429: nobody asks for `wait`, and fewer ask after it.
    pub fn refused(&mut self, now: Duration, wait: Duration) {
        self.not_before = self.not_before.max(now + wait);
        if now < self.counting_since {
            // Sent together with one that was refused before: the same sign.
            return;
        }
        let elapsed = now.saturating_sub(self.counting_since).as_secs_f64() + wait.as_secs_f64();
        let observed = f64::from(self.successes) / elapsed.max(0.05);
        let per_second = match &self.pace {
            Some(pace) if !pace.learned => pace.per_second,
            Some(pace) => pace.per_second.min(observed.max(pace.per_second * 0.7)) * 0.9,
            None => observed * 0.9,
        }
        .max(0.1);
        let learned = self.pace.as_ref().is_none_or(|pace| pace.learned);
        self.pace = Some(Pace {
            tokens: 1.0,
            per_second,
            depth: self
                .pace
                .as_ref()
                .filter(|_| !learned)
                .map_or(1.0, |p| p.depth),
            filled: now + wait,
            learned,
        });
        self.successes = 0;
        self.counting_since = now + wait;
        self.cut(now);
    }

    /// The server is overloaded (503).
    pub fn overloaded(&mut self, now: Duration) {
        self.cut(now);
    }

    /// Half as many at once; answers to what was sent together count as one sign.
    fn cut(&mut self, now: Duration) {
        let again = Duration::from_secs(1);
        if self.last_cut.is_none_or(|last| now >= last + again) {
            self.window = (self.window / 2.0).max(1.0);
            self.last_cut = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, status: Option<u16>) -> ApiError {
        ApiError {
            status,
            ..ApiError::new(kind, "x")
        }
    }

    fn wait(error: &ApiError, nature: Nature, attempt: u32) -> Option<Duration> {
        Patience::default().next_wait(error, nature, attempt, Duration::ZERO, 0.5)
    }

    #[test]
    fn reads_are_tried_again_and_writes_are_not() {
        for (kind, status) in [
            (ErrorKind::Connect, None),
            (ErrorKind::Timeout, None),
            (ErrorKind::Lost, None),
            (ErrorKind::Truncated, Some(200)),
            (ErrorKind::Server, Some(502)),
            (ErrorKind::Server, Some(503)),
            (ErrorKind::Server, Some(504)),
        ] {
            let error = error(kind, status);
            assert!(wait(&error, Nature::Read, 1).is_some(), "{error:?}");
            assert_eq!(wait(&error, Nature::Write, 1), None, "{error:?}");
        }
        for (kind, status) in [
            (ErrorKind::Unauthorized, Some(401)),
            (ErrorKind::CaptchaLock { login_url: None }, Some(401)),
            (ErrorKind::Forbidden, Some(403)),
            (ErrorKind::NotFound, Some(404)),
            (ErrorKind::Server, Some(500)),
            (ErrorKind::Tls, None),
        ] {
            assert_eq!(wait(&error(kind, status), Nature::Read, 1), None);
        }
    }

    #[test]
    fn waits_are_spread_so_that_many_do_not_come_back_as_one() {
        let patience = Patience::default();
        let by_chance = |error: &ApiError, chance| {
            patience
                .next_wait(error, Nature::Read, 1, Duration::ZERO, chance)
                .expect("it waits")
        };
        let lost = error(ErrorKind::Lost, None);
        assert_eq!(by_chance(&lost, 0.0), patience.first_wait / 2);
        assert_eq!(by_chance(&lost, 1.0), patience.first_wait);
        // What the server asks for is the least.
        let after_ms = Some(10_000);
        let limited = error(ErrorKind::RateLimited { after_ms }, Some(429));
        assert_eq!(by_chance(&limited, 0.0), Duration::from_secs(10));
        assert_eq!(by_chance(&limited, 1.0), Duration::from_secs(11));
        // And no number that is none.
        assert_eq!(by_chance(&lost, f64::NAN), patience.first_wait);
    }

    #[test]
    fn a_refusal_for_rate_is_waited_out_for_a_read_and_clamped() {
        let limited = |after_ms| error(ErrorKind::RateLimited { after_ms }, Some(429));
        let patience = Patience::default();
        let at_once = wait(&limited(Some(0)), Nature::Read, 1).expect("waits");
        assert!(at_once >= patience.shortest_limit_wait);
        let for_ever = wait(&limited(Some(u64::MAX)), Nature::Read, 1).expect("waits");
        assert!(for_ever <= patience.longest_limit_wait.mul_f64(1.1));
        assert!(wait(&limited(None), Nature::Read, 9).is_some());
        // What a write was sent for has to be looked at again.
        assert_eq!(wait(&limited(Some(0)), Nature::Write, 1), None);
        assert_eq!(
            patience.next_wait(
                &limited(Some(0)),
                Nature::Read,
                3,
                patience.limit_total,
                0.0
            ),
            None
        );
    }

    #[test]
    fn waits_grow_and_end() {
        let lost = error(ErrorKind::Lost, None);
        let patience = Patience::default();
        let at = |attempt| patience.next_wait(&lost, Nature::Read, attempt, Duration::ZERO, 1.0);
        assert_eq!(at(1), Some(Duration::from_millis(400)));
        assert_eq!(at(2), Some(Duration::from_millis(800)));
        assert_eq!(at(5), None);
        assert_eq!(
            patience.next_wait(&lost, Nature::Read, 1, patience.total, 1.0),
            None
        );
        assert!(
            patience
                .next_wait(&lost, Nature::Read, 1, Duration::ZERO, f64::NAN)
                .is_some()
        );
    }

    #[test]
    fn a_write_may_follow_its_look_at_once_and_the_pace_is_kept_all_the_same() {
        let mut budget = Budget::new(8);
        budget.refused(Duration::ZERO, Duration::ZERO);
        let now = Duration::from_secs(1);
        assert_eq!(budget.turn(now, Nature::Read), Turn::Go);
        assert!(matches!(budget.turn(now, Nature::Read), Turn::In(_)));
        assert_eq!(budget.turn(now, Nature::Write), Turn::Go);
        let Turn::In(wait) = budget.turn(now, Nature::Write) else {
            panic!("only one is borrowed");
        };
        assert_eq!(wait, Duration::from_secs(10), "at 0.1 a second");
    }

    /// Drives a budget against a server that takes `rate` requests a second and saves up as many.
    fn storm(headers: bool, rate: f64) -> (u32, Duration) {
        let mut budget = Budget::new(8);
        let patience = Patience::default();
        let (mut tokens, mut now) = (rate, Duration::ZERO);
        let step = Duration::from_millis(5);
        let (mut answered, mut refused) = (0, 0);
        while answered < 1000 {
            now += step;
            tokens = (tokens + rate * step.as_secs_f64()).min(rate);
            let mut sent = 0;
            while budget.turn(now, Nature::Read) == Turn::Go {
                sent += 1;
            }
            for _ in 0..sent {
                if tokens >= 1.0 {
                    tokens -= 1.0;
                    answered += 1;
                    let said = headers.then_some(RateHeaders {
                        remaining: tokens.floor(),
                        per_second: rate,
                        limit: rate,
                    });
                    budget.answered(now, step, said);
                } else {
                    refused += 1;
                    let error = error(
                        ErrorKind::RateLimited {
                            after_ms: Some(1000),
                        },
                        Some(429),
                    );
                    let wait = patience
                        .next_wait(&error, Nature::Read, 1, Duration::ZERO, 0.5)
                        .expect("waits");
                    budget.refused(now, wait);
                }
                budget.finished();
            }
            assert!(now < Duration::from_secs(1000), "starved after {answered}");
        }
        (refused, now)
    }

    #[test]
    fn a_thousand_requests_against_a_limit_of_ten_a_second_cause_no_storm() {
        let (refused, took) = storm(true, 10.0);
        assert!(refused <= 10, "{refused} refused with headers");
        assert!(took < Duration::from_secs(130), "{took:?} with headers");
        let (refused, took) = storm(false, 10.0);
        assert!(refused <= 50, "{refused} refused without headers");
        assert!(took < Duration::from_secs(250), "{took:?} without headers");
    }

    #[test]
    fn the_window_is_halved_once_for_one_sign_and_grows_again() {
        let mut budget = Budget::new(8);
        let now = Duration::from_secs(5);
        for _ in 0..8 {
            budget.overloaded(now);
        }
        assert_eq!(budget.window(), 4);
        for _ in 0..60 {
            budget.answered(now, Duration::from_millis(50), None);
        }
        assert_eq!(budget.window(), 8);
    }

    #[test]
    fn answers_that_take_twice_as_long_halve_the_window_and_small_ones_do_not() {
        let after = |usual: u64, slow: u64| {
            let mut budget = Budget::new(8);
            let mut now = Duration::ZERO;
            for latency in std::iter::repeat_n(usual, 100).chain(std::iter::repeat_n(slow, 5)) {
                now += Duration::from_secs(1);
                budget.answered(now, Duration::from_millis(latency), None);
            }
            budget.window()
        };
        assert_eq!(after(800, 800), 8);
        assert!(after(800, 4_000) <= 4, "{}", after(800, 4_000));
        assert_eq!(after(20, 100), 8, "nobody notices");
    }

    #[test]
    fn the_window_grows_by_one_for_each_round_of_answers() {
        let mut budget = Budget::new(64);
        for second in 0..4 {
            budget.overloaded(Duration::from_secs(second * 2));
        }
        assert_eq!(budget.window(), 4);
        let mut sizes = Vec::new();
        for _ in 0..3 {
            for _ in 0..=budget.window() {
                budget.answered(Duration::from_mins(1), Duration::from_millis(5), None);
            }
            sizes.push(budget.window());
        }
        assert_eq!(sizes, [5, 6, 7]);
    }

    #[test]
    fn headers_slow_it_down_before_anything_is_refused() {
        let mut budget = Budget::new(8);
        assert_eq!(budget.turn(Duration::ZERO, Nature::Read), Turn::Go);
        budget.finished();
        let rate = RateHeaders {
            remaining: 2.0,
            per_second: 0.5,
            limit: 60.0,
        };
        budget.answered(Duration::ZERO, Duration::from_millis(5), Some(rate));
        for _ in 0..2 {
            assert_eq!(budget.turn(Duration::ZERO, Nature::Read), Turn::Go);
        }
        let Turn::In(wait) = budget.turn(Duration::ZERO, Nature::Read) else {
            panic!("nothing is left");
        };
        assert_eq!(wait, Duration::from_secs(2), "one every two seconds");
        for _ in 0..7 {
            budget.waits();
        }
        budget.waits_no_more();
        assert_eq!(budget.queue(Duration::ZERO), Duration::from_secs(12));
    }

    #[test]
    fn senseless_rate_headers_are_passed_over() {
        let of = |limit: &str, remaining: &str, fill: &str| {
            RateHeaders::of(&Headers::from_iter([
                ("X-RateLimit-Limit", limit),
                ("x-ratelimit-remaining", remaining),
                ("X-RateLimit-FillRate", fill),
                ("X-RateLimit-Interval-Seconds", "1"),
            ]))
        };
        assert_eq!(of("0", "0", "0"), None);
        assert_eq!(of("NaN", "1", "1"), None);
        assert_eq!(of("-5", "1", "1"), None);
        assert_eq!(
            of("10", "3", "5"),
            Some(RateHeaders {
                remaining: 3.0,
                per_second: 5.0,
                limit: 10.0
            })
        );
    }
}
