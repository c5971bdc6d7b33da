//! A server that limits how often it may be asked, and the real client in front of it.
//!
//! Client and server share a runtime whose clock jumps to the next wait as soon as nobody has
//! anything to do: what takes minutes takes a second. The sockets are real ones.

#![expect(
    clippy::print_stdout,
    reason = "the figures that the documentation names"
)]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use coracle::confluence::client::{Client, Retry, Settings};
use coracle::confluence::retry::Patience;
use coracle::confluence::{Call, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::faults::{USER, settings};
use crate::story::{Story, error, wiki};

/// What the server tells beside its answers.
#[derive(Clone, Copy, PartialEq)]
enum Tells {
    /// `X-RateLimit-*` on every answer.
    Headers,
    /// Only how long to wait, and only when it refuses.
    RetryAfter(u64),
    /// Nothing at all: a bare 429.
    Nothing,
}

/// A bucket that fills with time.
struct Limit {
    per_second: f64,
    tokens: Cell<f64>,
    filled: Cell<Instant>,
    tells: Tells,
    answered: Cell<u32>,
    refused: Cell<u32>,
    /// How long an answer takes.
    latency: Duration,
}

impl Limit {
    fn new(per_second: f64, tells: Tells, latency: Duration) -> Rc<Self> {
        Rc::new(Self {
            per_second,
            tokens: Cell::new(per_second),
            filled: Cell::new(Instant::now()),
            tells,
            answered: Cell::new(0),
            refused: Cell::new(0),
            latency,
        })
    }

    fn answer(&self) -> String {
        let now = Instant::now();
        let passed = now.duration_since(self.filled.replace(now)).as_secs_f64();
        let tokens = (self.tokens.get() + passed * self.per_second).min(self.per_second);
        let may = tokens >= 1.0;
        self.tokens.set(if may { tokens - 1.0 } else { tokens });
        let mut headers = String::new();
        if self.tells == Tells::Headers {
            headers = format!(
                "X-RateLimit-Limit: {0}\r\nX-RateLimit-Remaining: {1}\r\nX-RateLimit-Interval-Seconds: 1\r\nX-RateLimit-FillRate: {0}\r\n",
                self.per_second,
                self.tokens.get().floor()
            );
        }
        if may {
            self.answered.set(self.answered.get() + 1);
            return format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{USER}",
                USER.len()
            );
        }
        self.refused.set(self.refused.get() + 1);
        let wait = match self.tells {
            Tells::Headers => "Retry-After: 1\r\n".to_owned(),
            Tells::RetryAfter(seconds) => format!("Retry-After: {seconds}\r\n"),
            Tells::Nothing => String::new(),
        };
        format!("HTTP/1.1 429 Too Many Requests\r\n{headers}{wait}Content-Length: 0\r\n\r\n")
    }

    async fn listen(self: Rc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(Rc::clone(&self).talk(stream));
        }
    }

    async fn talk(self: Rc<Self>, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut bytes = [0; 1024];
        while let Ok(count) = stream.read(&mut bytes).await {
            if count == 0 {
                return;
            }
            head.extend_from_slice(&bytes[..count]);
            if head.ends_with(b"\r\n\r\n") {
                head.clear();
                let answer = self.answer();
                tokio::time::sleep(self.latency).await;
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

struct Outcome {
    answered: usize,
    failed: usize,
    refused: u32,
    took: Duration,
    /// What was told while somebody waited.
    told: Vec<Retry>,
}

/// Sends so many requests at once to a server with this limit.
fn storm(requests: usize, limit: f64, tells: Tells) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let limit = Limit::new(limit, tells, Duration::from_millis(20));
        tokio::task::spawn_local(Rc::clone(&limit).listen(listener));
        let client = Client::new(Settings {
            patience: Patience::default(),
            connect_timeout: Duration::from_mins(1),
            read_timeout: Duration::from_mins(1),
            ..settings(&address)
        })
        .expect("usable");
        let begun = Instant::now();
        let tasks: Vec<_> = (0..requests)
            .map(|_| {
                let client = client.clone();
                tokio::task::spawn_local(async move {
                    let mut told = Vec::new();
                    let answer = client
                        .send(&Call::CurrentUser, |retry| told.push(retry))
                        .await;
                    (answer.outcome.is_ok(), told)
                })
            })
            .collect();
        let mut outcome = Outcome {
            answered: 0,
            failed: 0,
            refused: 0,
            took: Duration::ZERO,
            told: Vec::new(),
        };
        for task in tasks {
            let (fine, told) = task.await.expect("because it does not panic");
            outcome.answered += usize::from(fine);
            outcome.failed += usize::from(!fine);
            outcome.told.extend(told);
        }
        outcome.took = begun.elapsed();
        outcome.refused = limit.refused.get();
        assert_eq!(
            limit.answered.get() as usize,
            requests,
            "each was answered once"
        );
        outcome
    })
}

fn thousand(tells: Tells, most: Duration) -> Outcome {
    let outcome = storm(1_000, 10.0, tells);
    println!(
        "{} answered, {} failed, {} refused, {:?}, told {} times",
        outcome.answered,
        outcome.failed,
        outcome.refused,
        outcome.took,
        outcome.told.len()
    );
    assert_eq!((outcome.answered, outcome.failed), (1_000, 0));
    assert!(
        outcome.took >= Duration::from_secs(95),
        "{:?}",
        outcome.took
    );
    assert!(outcome.took < most, "{:?}", outcome.took);
    // Whoever waits for long is told why and how long, and not at every step of the queue.
    let told = outcome.told.iter().filter(|retry| {
        matches!(retry.error.kind, ErrorKind::RateLimited { .. })
            && retry.wait >= Duration::from_secs(5)
    });
    assert!(told.count() >= 500);
    assert!(outcome.told.len() < 20_000, "{}", outcome.told.len());
    outcome
}

#[test]
fn a_thousand_requests_to_a_server_that_tells_its_limit_of_ten_a_second() {
    let outcome = thousand(Tells::Headers, Duration::from_secs(130));
    assert!(outcome.refused <= 10, "{} refused", outcome.refused);
}

#[test]
fn a_thousand_requests_to_a_server_that_limits_to_ten_a_second_and_tells_when_it_refuses() {
    let outcome = thousand(Tells::RetryAfter(1), Duration::from_secs(250));
    assert!(outcome.refused <= 50, "{} refused", outcome.refused);
    let outcome = thousand(Tells::RetryAfter(12), Duration::from_secs(400));
    assert!(outcome.refused <= 50, "{} refused", outcome.refused);
}

#[test]
fn a_thousand_requests_to_a_server_that_limits_to_ten_a_second_and_tells_nothing() {
    let outcome = thousand(Tells::Nothing, Duration::from_secs(250));
    assert!(outcome.refused <= 50, "{} refused", outcome.refused);
}

/// The story of a list that the server puts off for twelve seconds.
fn put_off() -> Story {
    put_off_for(Some(12_000), 12_000)
}

/// The story of a list that is put off for so long, after the server asked for so much.
fn put_off_for(after_ms: Option<u64>, wait_ms: u64) -> Story {
    let mut story = Story::start(120, 40);
    story.answer(wiki(&Call::CurrentUser));
    let ticket = story
        .open
        .iter()
        .find(|(_, call)| matches!(call, Call::Spaces { .. }))
        .expect("the list is asked for")
        .0;
    story.happen(coracle::app::message::Msg::Retrying {
        ticket,
        error: error(
            ErrorKind::RateLimited { after_ms },
            429,
            "Too many requests.",
        ),
        attempt: 2,
        wait_ms,
    });
    story
}

#[test]
fn the_footer_says_who_asked_for_the_wait_and_counts_down() {
    let mut story = put_off();
    let screen = story.screen();
    assert!(
        screen.contains("waiting 12 s, the server asked for it  Esc stop"),
        "{screen}"
    );
    assert!(story.model.deadline().is_some(), "it counts down");
    story.at += 4_000;
    story.happen(coracle::app::message::Msg::Clock);
    let screen = story.screen();
    assert!(screen.contains("waiting 8 s, the server"), "{screen}");
}

#[test]
fn the_footer_tells_a_wait_of_ours_as_ours() {
    let screen = put_off_for(Some(86_400_000), 120_000).screen();
    let told = "asking again in 120 s, the server wanted a wait of 86,400 s  Esc stop";
    assert!(screen.contains(told), "{screen}");
    let screen = put_off_for(None, 2_000).screen();
    let told = "waiting 2 s, the server limits how often it may be asked  Esc stop";
    assert!(screen.contains(told), "{screen}");
}

#[test]
fn esc_gives_the_wait_up_and_the_list_says_that_it_was_stopped() {
    let mut story = put_off();
    story.keys("Esc");
    assert!(
        story
            .open
            .iter()
            .all(|(_, call)| !matches!(call, Call::Spaces { .. })),
        "the read is cancelled"
    );
    let screen = story.screen();
    assert!(!screen.contains("the server asked for it"), "{screen}");
    assert!(screen.contains("stopped"), "{screen}");
}
