//! Jobs in front of a server that lacks an operation: it is asked once, and not waited for.

use coracle::confluence::Call;
use coracle::demo::{Fault, Generation, Rule};
use coracle::jobs::*;

use crate::local_backup::{WIKI, deletion, options};
use crate::server_copies::Bench;

/// A space as it is deleted, up to the request that does it.
fn up_to_the_deletion(generation: Generation, rule: Option<Rule>) -> Bench {
    let mut bench = Bench::of(deletion(), options(WIKI, generation, true));
    if let Some(rule) = rule {
        bench.server.faults().add(rule);
    }
    bench.feed(JobEvent::Begin);
    bench.run(None, |it| it.requests().any(is_deletion));
    assert!(bench.requests().any(is_deletion), "{:?}", bench.job.lines());
    bench
}

fn is_deletion(call: &Call) -> bool {
    matches!(call, Call::DeleteSpace { .. })
}

fn scans(bench: &Bench) -> usize {
    let scans = |call: &&Call| matches!(call, Call::Scan { .. });
    bench.sent.iter().filter(scans).count()
}

fn answer(status: u16, kind: &str, body: &str) -> Fault {
    Fault::Answer {
        status,
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        body: body.to_owned(),
    }
}

#[test]
fn a_scan_that_an_older_server_lacks_is_asked_for_once_and_not_waited_for() {
    let bench = up_to_the_deletion(Generation::Seven, None);
    assert_eq!((bench.at, scans(&bench)), (0, 1));
    // However a server, or the web server before it, says that there is no such operation.
    let page = "<html><head><title>HTTP Status 405</title></head></html>";
    for (status, kind, body) in [
        (
            404,
            "text/html",
            "<html><title>Page Not Found</title></html>",
        ),
        (405, "text/html", page),
        (
            405,
            "application/json",
            "{\"message\":\"HTTP 405 Method Not Allowed\"}",
        ),
    ] {
        let rule = Rule::new("GET /rest/api/content/scan", answer(status, kind, body));
        let bench = up_to_the_deletion(Generation::Nine, Some(rule.always()));
        assert_eq!((bench.at, scans(&bench)), (0, 1), "{status} {kind}");
    }
}

#[test]
fn a_scan_that_fails_is_tried_once_more_after_a_moment() {
    let fault = answer(500, "application/json", "{\"message\":\"Broken\"}");
    let rule = Rule::new("GET /rest/api/content/scan", fault).always();
    let bench = up_to_the_deletion(Generation::Nine, Some(rule));
    // Each list that could do with one waits for itself.
    let lists = scans(&bench) as u64 / 2;
    assert_eq!(scans(&bench) % 2, 0);
    assert!(lists > 0 && bench.at <= 2_000 * lists, "{}", bench.at);
}
