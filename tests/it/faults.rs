//! What the client makes of lines and servers that misbehave: raw sockets that answer by script.
//!
//! Nothing here waits for time to pass: limits come from the settings and are milliseconds.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use coracle::confluence::Endpoint;
use coracle::confluence::client::{Access, Answer, Client, Credentials, Names, Retry, Settings};
use coracle::confluence::retry::Patience;
use coracle::confluence::{Call, ErrorKind, Reply, SpaceKey};
use secrecy::SecretString;
use tokio::runtime::Runtime;

pub(crate) const USER: &str = r#"{"type":"known","username":"asmith","displayName":"A"}"#;

/// What one connection does after it has read a request.
pub(crate) enum Line {
    /// Writes this and closes.
    Says(Vec<u8>),
    /// Writes this and keeps the line open until the client leaves.
    Stalls(Vec<u8>),
    /// Writes a head, then a byte at a time until the client leaves.
    Trickles,
    /// Announces no length and writes without end until the client leaves.
    Floods,
    /// Writes this and reads the next request on the same line, which it never answers: so is a
    /// line that one side has forgotten, after a sleep or behind a firewall.
    AnswersOnce(Vec<u8>),
}

/// A server that takes one connection for each line of its script.
pub(crate) struct Script {
    pub(crate) address: String,
    requests: mpsc::Receiver<String>,
    thread: Option<JoinHandle<()>>,
}

impl Script {
    pub(crate) fn new(lines: Vec<Line>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let (tell, requests) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            for line in lines {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let _ = tell.send(request(&mut stream));
                play(&mut stream, line);
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Self {
            address,
            requests,
            thread: Some(thread),
        }
    }

    /// The requests, after the script has been played to its end.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.thread.take().map(JoinHandle::join);
        self.requests.try_iter().collect()
    }
}

/// The head of a request, and its body if it says how long that is.
pub(crate) fn request(stream: &mut TcpStream) -> String {
    let mut got = Vec::new();
    let mut byte = [0];
    while !got.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        got.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&got).to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    got.extend(body);
    String::from_utf8_lossy(&got).into_owned()
}

fn play(stream: &mut TcpStream, line: Line) {
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    match line {
        Line::Says(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Line::Stalls(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0]);
        }
        Line::Trickles => {
            let _ = stream.write_all(HEAD);
            let pause = Duration::from_millis(20);
            let _ = stream.set_read_timeout(Some(pause));
            // A read that times out is the pause; one that ends means that the client has left.
            while stream.write_all(b" ").is_ok() && !matches!(stream.read(&mut [0]), Ok(0)) {}
        }
        Line::AnswersOnce(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = request(stream);
            let _ = stream.read(&mut [0]);
        }
        Line::Floods => {
            let _ = stream.write_all(HEAD);
            while stream.write_all(&[b' '; 8192]).is_ok() {}
        }
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Line {
    Line::Says(
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

pub(crate) fn user() -> Line {
    answer(
        "200 OK",
        "X-AUSERNAME: a%40smith\r\nSet-Cookie: JSESSIONID=1\r\n",
        USER,
    )
}

/// A connection that stays open after its first answer, and is forgotten there.
fn kept() -> Line {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{USER}",
        USER.len()
    );
    Line::AnswersOnce(answer.into_bytes())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

pub(crate) fn settings(address: &str) -> Settings {
    let endpoint = Endpoint::parse(address).expect("usable");
    let token = SecretString::from("s3cret-token");
    Settings {
        connect_timeout: Duration::from_millis(500),
        read_timeout: Duration::from_millis(150),
        max_body: 1024 * 1024,
        patience: Patience {
            attempts: 3,
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_millis(2),
            shortest_limit_wait: Duration::from_millis(1),
            longest_limit_wait: Duration::from_millis(5),
            ..Patience::default()
        },
        ..Settings::new(endpoint, Credentials::Bearer(token))
    }
}

pub(crate) fn send_with(settings: Settings, call: &Call) -> (Answer, Vec<Retry>) {
    let runtime = runtime();
    runtime.block_on(async {
        let client = Client::new(settings).expect("usable");
        let mut retries = Vec::new();
        let answer = client.send(call, |retry| retries.push(retry)).await;
        (answer, retries)
    })
}

pub(crate) fn send(script: &Script, call: &Call) -> (Answer, Vec<Retry>) {
    send_with(settings(&script.address), call)
}

pub(crate) fn kind(answer: &Answer) -> ErrorKind {
    answer.outcome.as_ref().expect_err("a failure").kind.clone()
}

pub(crate) fn write() -> Call {
    Call::DeleteSpace {
        key: SpaceKey::new("ENG"),
    }
}

#[test]
fn the_name_in_a_header_brings_no_escape() {
    let name = "X-AUSERNAME: a%1b%5b2J%e2%80%aeb\r\n";
    let script = Script::new(vec![answer("200 OK", name, USER)]);
    let (answer, _) = send(&script, &Call::CurrentUser);
    let user = answer.user.expect("a name");
    assert!(user.starts_with('a') && user.ends_with('b'), "{user:?}");
    assert!(
        !user.chars().any(|c| c.is_control() || c == '\u{202e}'),
        "{user:?}"
    );
}

#[test]
fn every_request_has_its_headers_and_no_cookie() {
    let script = Script::new(vec![user(), answer("202 Accepted", "", r#"{"id":"t"}"#)]);
    let (answer, _) = send(&script, &Call::CurrentUser);
    assert_eq!(answer.user.as_deref(), Some("a@smith"));
    let (answer, _) = send(&script, &write());
    assert!(matches!(answer.outcome, Ok(Reply::LongTaskStarted(_))));
    let requests = script.end();
    for request in &requests {
        let lower = request.to_ascii_lowercase();
        for header in [
            "authorization: bearer s3cret-token",
            "accept: application/json",
            "content-type: application/json",
            concat!("user-agent: coracle/", env!("CARGO_PKG_VERSION")),
        ] {
            assert!(lower.contains(header), "{header} in {lower}");
        }
        assert!(!lower.contains("cookie:"), "{lower}");
        assert!(
            !lower.contains("accept-encoding"),
            "no gzip on loopback: {lower}"
        );
    }
    assert!(!requests[0].contains("no-check"));
    assert!(requests[1].contains("x-atlassian-token: no-check"));
    assert!(requests[1].starts_with("DELETE /rest/api/space/ENG HTTP/1.1"));
}

#[test]
fn a_write_without_a_body_says_that_it_has_none() {
    let key = SpaceKey::new("ENG");
    for call in [
        Call::ArchiveSpace { key: key.clone() },
        Call::RestoreSpace { key },
    ] {
        let script = Script::new(vec![answer("204 No Content", "", "")]);
        let (answer, _) = send(&script, &call);
        assert_eq!(answer.outcome, Ok(Reply::Done));
        let request = script.end().remove(0).to_ascii_lowercase();
        assert_eq!(
            request.matches("content-length: 0\r\n").count(),
            1,
            "{request}"
        );
    }
}

#[test]
fn a_dead_port_is_told_and_tried_again_for_reads_alone() {
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("bound");
    let address = format!("http://{port}");
    let (answer, retries) = send_with(settings(&address), &Call::CurrentUser);
    assert_eq!(kind(&answer), ErrorKind::Connect);
    assert_eq!(
        retries
            .iter()
            .map(|retry| retry.attempt)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    let (answer, retries) = send_with(settings(&address), &write());
    assert!(!answer.outcome.expect_err("dead").may_have_been_applied());
    assert!(retries.is_empty());
}

#[test]
fn a_read_only_client_sends_no_write() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("settable");
    let settings = Settings {
        access: Access::ReadOnly,
        ..settings(&format!("http://{}", listener.local_addr().expect("bound")))
    };
    assert_eq!(
        kind(&send_with(settings, &write()).0),
        ErrorKind::ReadOnlyClient
    );
    assert!(listener.accept().is_err(), "nobody connected");
}

#[test]
fn a_bad_token_is_asked_once() {
    let body = r#"{"message":"Client must be authenticated.","status-code":401}"#;
    let script = Script::new(vec![answer("401 Unauthorized", "", body)]);
    let (answer, retries) = send(&script, &Call::CurrentUser);
    assert_eq!(kind(&answer), ErrorKind::Unauthorized);
    assert!(retries.is_empty());
    assert_eq!(script.end().len(), 1);
}

#[test]
fn an_answer_as_to_nobody_is_a_failed_sign_in() {
    let script = Script::new(vec![answer("200 OK", "", r#"{"type":"anonymous"}"#)]);
    assert_eq!(
        kind(&send(&script, &Call::CurrentUser).0),
        ErrorKind::Anonymous
    );
}

#[test]
fn a_redirect_is_explained_and_the_token_does_not_follow() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("settable");
    let there = format!("http://{}/wiki", elsewhere.local_addr().expect("bound"));
    let location = format!("Location: {there}/rest/api/user/current\r\n");
    let script = Script::new(vec![answer("302 Found", &location, "")]);
    let (answer, _) = send(&script, &Call::CurrentUser);
    let error = answer.outcome.expect_err("a redirect");
    assert!(error.hint().contains(&there), "{}", error.hint());
    assert!(elsewhere.accept().is_err(), "nobody connected");
}

#[test]
fn a_body_cut_short_is_read_again_and_a_write_is_left_in_doubt() {
    let cut = || {
        Line::Says(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"type\"".to_vec())
    };
    let script = Script::new(vec![cut(), user(), cut()]);
    let (answer, retries) = send(&script, &Call::CurrentUser);
    assert!(answer.outcome.is_ok());
    assert_eq!(retries[0].error.kind, ErrorKind::Truncated);
    let (answer, retries) = send(&script, &write());
    assert!(retries.is_empty());
    assert!(answer.outcome.expect_err("cut").may_have_been_applied());
}

#[test]
fn a_line_that_drops_before_the_answer_leaves_a_write_in_doubt() {
    let script = Script::new(vec![Line::Says(Vec::new()), user(), Line::Says(Vec::new())]);
    let (answer, retries) = send(&script, &Call::CurrentUser);
    assert!(answer.outcome.is_ok());
    assert_eq!(retries[0].error.kind, ErrorKind::Lost);
    let (answer, retries) = send(&script, &write());
    assert_eq!(kind(&answer), ErrorKind::Lost);
    assert!(retries.is_empty());
    assert_eq!(script.end().len(), 3, "the write went out once");
}

#[test]
fn servers_in_trouble_are_asked_again_and_broken_ones_are_not() {
    let bad = |status: &str| answer(status, "", "{}");
    let script = Script::new(vec![
        bad("502 X"),
        bad("503 X"),
        user(),
        bad("500 X"),
        bad("503 X"),
    ]);
    let (answer, retries) = send(&script, &Call::CurrentUser);
    assert!(answer.outcome.is_ok());
    assert_eq!(retries.len(), 2);
    assert_eq!(
        kind(&send(&script, &Call::CurrentUser).0),
        ErrorKind::Server
    );
    let (answer, retries) = send(&script, &write());
    assert_eq!((kind(&answer), retries.len()), (ErrorKind::Server, 0));
}

#[test]
fn a_refusal_for_rate_is_waited_out_for_a_read_and_told_at_once_for_a_write() {
    let slow_down = |after: &str| answer("429 X", &format!("Retry-After: {after}\r\n"), "");
    let script = Script::new(vec![
        slow_down("9223372036854775807"),
        slow_down("0"),
        user(),
        slow_down("7"),
    ]);
    let (got, retries) = send(&script, &Call::CurrentUser);
    assert!(got.outcome.is_ok(), "{got:?}");
    let told: Vec<_> = retries
        .iter()
        .filter(|r| r.error.status == Some(429))
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|retry| retry.wait > Duration::ZERO));
    // What a write was sent for has to be looked at again first.
    let (got, retries) = send(&script, &write());
    let limited = ErrorKind::RateLimited {
        after_ms: Some(7_000),
    };
    assert_eq!((kind(&got), retries.len()), (limited, 0));
    assert_eq!(script.end().len(), 4, "the write went out once");
}

#[test]
fn a_write_that_would_have_to_wait_for_its_turn_does_not_go_out() {
    let script = Script::new(vec![answer("429 X", "Retry-After: 60\r\n", "")]);
    let settings = Settings {
        patience: Patience::default(),
        ..settings(&script.address)
    };
    let runtime = runtime();
    let second = runtime.block_on(async {
        let client = Client::new(settings).expect("usable");
        let first = client.send(&write(), |_| {}).await;
        assert_eq!(first.outcome.expect_err("limited").status, Some(429));
        client.send(&write(), |_| {}).await
    });
    let error = second.outcome.expect_err("limited");
    assert!(
        matches!(error.kind, ErrorKind::RateLimited { after_ms: Some(ms) } if ms > 50_000),
        "{error:?}"
    );
    assert_eq!(error.status, None, "nothing was sent");
    assert_eq!(script.end().len(), 1);
}

#[test]
fn what_is_answered_as_to_nobody_says_nothing_about_what_is_there() {
    let nobody = |status: &str, body: &str| answer(status, "X-AUSERNAME: anonymous\r\n", body);
    let missing = r#"{"statusCode":404,"message":"No space with key : ENG","reason":"Not Found"}"#;
    let script = Script::new(vec![
        nobody("404 Not Found", missing),
        nobody("200 OK", r#"{"results":[]}"#),
        nobody("404 Not Found", missing),
        nobody("202 Accepted", r#"{"id":"t"}"#),
    ]);
    let key = SpaceKey::new("ENG");
    let space = Call::Space {
        key: key.clone(),
        expand: String::new(),
    };
    let trash = Call::Trash {
        key,
        cursor: None,
        expand: String::new(),
        limit: 25,
    };
    assert_eq!(kind(&send(&script, &space).0), ErrorKind::Anonymous);
    assert_eq!(kind(&send(&script, &trash).0), ErrorKind::Anonymous);
    let refused = send(&script, &write()).0.outcome.expect_err("as nobody");
    assert_eq!(refused.kind, ErrorKind::Anonymous);
    assert!(!refused.may_have_been_applied());
    let taken = send(&script, &write()).0.outcome.expect_err("as nobody");
    assert_eq!(taken.kind, ErrorKind::Anonymous);
    assert!(taken.may_have_been_applied());
}

#[test]
fn silence_is_an_error() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    let script = Script::new(vec![Line::Stalls(Vec::new()), Line::Stalls(head.to_vec())]);
    for _ in 0..2 {
        let (answer, _) = send(&script, &write());
        assert_eq!(kind(&answer), ErrorKind::Timeout);
    }
}

#[test]
fn a_trickle_is_an_error() {
    let script = Script::new(vec![Line::Trickles]);
    let (answer, _) = send(&script, &write());
    assert_eq!(kind(&answer), ErrorKind::Timeout);
    assert!(
        answer
            .outcome
            .expect_err("slow")
            .message
            .contains("trickles")
    );
}

#[test]
fn an_answer_without_end_is_an_error() {
    let announced =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2147483648\r\n\r\n";
    let script = Script::new(vec![Line::Floods, Line::Stalls(announced.to_vec())]);
    assert_eq!(
        kind(&send(&script, &Call::CurrentUser).0),
        ErrorKind::TooLarge
    );
    assert_eq!(
        kind(&send(&script, &Call::CurrentUser).0),
        ErrorKind::TooLarge
    );
}

#[test]
fn a_line_that_was_forgotten_while_we_slept_is_given_up_and_a_new_one_is_made() {
    let script = Script::new(vec![kept(), user()]);
    let runtime = runtime();
    let retries = runtime.block_on(async {
        let client = Client::new(settings(&script.address)).expect("usable");
        let first = client.send(&Call::CurrentUser, |_| {}).await;
        assert!(first.outcome.is_ok(), "{first:?}");
        let mut retries = Vec::new();
        let second = client.send(&Call::CurrentUser, |it| retries.push(it)).await;
        assert!(second.outcome.is_ok(), "{second:?}");
        retries
    });
    assert_eq!(retries.len(), 1);
    assert_eq!(retries[0].error.kind, ErrorKind::Timeout);
}

#[test]
fn a_connection_that_waited_for_too_long_is_not_used_again() {
    let script = Script::new(vec![kept(), user()]);
    let runtime = runtime();
    runtime.block_on(async {
        let client = Client::new(settings(&script.address)).expect("usable");
        let first = client.send(&Call::CurrentUser, |_| {}).await;
        assert!(first.outcome.is_ok(), "{first:?}");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(16)).await;
        tokio::time::resume();
        let no_retry = |retry| panic!("sent into the old connection: {retry:?}");
        let second = client.send(&Call::CurrentUser, no_retry).await;
        assert!(second.outcome.is_ok(), "{second:?}");
    });
    assert_eq!(script.end().len(), 2);
}

/// As somebody who knows the server by a name, whose addresses this function gives.
fn by_name(
    script: &Script,
    look: impl Fn(&str) -> std::io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> Settings {
    let port = script.address.rsplit(':').next().expect("a port");
    Settings {
        names: Some(Names::by(look)),
        allow_http: true,
        ..settings(&format!("http://wiki.example.org:{port}"))
    }
}

fn here() -> Vec<SocketAddr> {
    vec![SocketAddr::from(([127, 0, 0, 1], 0))]
}

#[test]
fn a_name_that_is_not_found_for_a_while_is_looked_up_again() {
    let script = Script::new(vec![user()]);
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let settings = by_name(&script, move |_| {
        if count.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(std::io::Error::other(
                "temporary failure in name resolution",
            ));
        }
        Ok(here())
    });
    let (answer, retries) = send_with(settings, &Call::CurrentUser);
    assert!(answer.outcome.is_ok(), "{answer:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(retries.len(), 2);
    for retry in retries {
        assert_eq!(retry.error.kind, ErrorKind::Connect);
        assert_eq!(
            retry.error.message,
            "The name wiki.example.org is not found."
        );
    }
}

#[test]
fn a_name_that_is_not_found_ends_a_write_for_certain() {
    let script = Script::new(vec![]);
    for nothing in [true, false] {
        let settings = by_name(&script, move |_| {
            if nothing {
                return Ok(Vec::new());
            }
            Err(std::io::Error::other("no such host"))
        });
        let (answer, retries) = send_with(settings, &write());
        let error = answer.outcome.expect_err("not found");
        assert_eq!(error.kind, ErrorKind::Connect, "{error:?}");
        assert!(!error.may_have_been_applied());
        assert!(retries.is_empty());
    }
}

/// An answer whose body is packed.
fn packed(body: &[u8]) -> Line {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
    encoder.write_all(body).expect("into memory");
    let body = encoder.finish().expect("into memory");
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend(body);
    Line::Says(bytes)
}

#[test]
fn a_small_answer_that_grows_without_end_when_unpacked_is_an_error() {
    // 64 MiB of blanks in 64 KiB; the limit of these tests is 1 MiB.
    let script = Script::new(vec![
        packed(USER.as_bytes()),
        packed(&vec![b' '; 64 * 1024 * 1024]),
    ]);
    let (answer, _) = send_with(by_name(&script, |_| Ok(here())), &Call::CurrentUser);
    assert!(answer.outcome.is_ok(), "{answer:?}");
    let (answer, retries) = send_with(by_name(&script, |_| Ok(here())), &Call::CurrentUser);
    let error = answer.outcome.expect_err("too large");
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert!(
        error.message.contains("1 MiB"),
        "the limit is told: {error}"
    );
    assert!(retries.is_empty(), "it would be as large again");
    let requests = script.end();
    assert!(requests[0].to_lowercase().contains("accept-encoding: gzip"));
}

#[test]
fn a_packed_answer_that_is_cut_or_garbled_is_an_error() {
    let Line::Says(mut cut) = packed(&USER.repeat(50).into_bytes()) else {
        unreachable!("because that is what it is made of");
    };
    cut.truncate(cut.len() - 20);
    let garbled = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: 9\r\n\r\nnot gzip!";
    let script = Script::new(vec![Line::Says(cut), Line::Says(garbled.to_vec())]);
    for _ in 0..2 {
        let (answer, _) = send_with(by_name(&script, |_| Ok(here())), &write());
        let error = answer.outcome.expect_err("not whole");
        assert_eq!(error.kind, ErrorKind::Truncated, "{error:?}");
        assert!(error.may_have_been_applied());
    }
}

#[test]
fn heads_without_end_and_lines_that_are_no_http_are_errors() {
    let mut endless = b"HTTP/1.1 200 OK\r\n".to_vec();
    for number in 0..20_000 {
        endless.extend(format!("X-{number}: {}\r\n", "a".repeat(40)).into_bytes());
    }
    for (bytes, kind) in [
        (endless, ErrorKind::Lost),
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), ErrorKind::Malformed),
        (b"HTTP/1.1 200 OK\r\nContent-Le".to_vec(), ErrorKind::Lost),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\n{}".to_vec(),
            ErrorKind::Truncated,
        ),
    ] {
        let begin = String::from_utf8_lossy(&bytes[..20]).into_owned();
        let script = Script::new(vec![Line::Says(bytes)]);
        let (answer, _) = send(&script, &write());
        let error = answer.outcome.expect_err("no answer");
        assert_eq!(error.kind, kind, "{begin}: {error:?}");
        assert!(error.may_have_been_applied(), "{begin}");
    }
}

#[test]
fn a_head_that_stops_in_the_middle_is_given_up() {
    let script = Script::new(vec![Line::Stalls(b"HTTP/1.1 200 OK\r\nContent-".to_vec())]);
    let patient = Settings {
        connect_timeout: Duration::from_millis(50),
        ..settings(&script.address)
    };
    let (answer, _) = send_with(patient, &write());
    assert_eq!(kind(&answer), ErrorKind::Timeout);
}

#[test]
fn more_bytes_than_announced_are_not_taken_for_the_next_answer() {
    let two = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {0}\r\n\r\n{USER}HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}",
        USER.len()
    );
    let script = Script::new(vec![Line::Says(two.into_bytes()), user()]);
    let runtime = runtime();
    runtime.block_on(async {
        let client = Client::new(settings(&script.address)).expect("usable");
        for _ in 0..2 {
            let answer = client.send(&Call::CurrentUser, |_| {}).await;
            let Ok(Reply::CurrentUser(user)) = answer.outcome else {
                panic!("{answer:?}");
            };
            assert_eq!(user.username.as_deref(), Some("asmith"));
        }
    });
    assert_eq!(script.end().len(), 2, "on a line of its own");
}
