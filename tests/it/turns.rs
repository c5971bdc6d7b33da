//! Of all processes that have a server open one at a time writes to it, whatever its profile is
//! called; and a job goes on only at its own address, as the one who is signed in.

use std::fs;
use std::path::Path;

use coracle::app::turn::Turn;
use coracle::confluence::{BaseUrl, Call};
use coracle::demo::{Gate, Options, Seed, Server};
use coracle::jobs::JobState;
use coracle::jobs::journal::{self, Entry};
use coracle::shell::lock::{self, Hold};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::lost::Visit;
use crate::terminal::{Terminal, coracle};

/// Marks both trashed items and agrees to purge them.
fn purges(visit: &mut Visit) {
    visit.keys("t").work();
    visit.keys("g Space Space x").work();
    visit.types("2").keys("Enter");
}

fn turn(visit: &Visit) -> Turn {
    visit.desk.story.model.jobs.turns.turn
}

#[test]
fn a_job_waits_while_another_process_writes_and_begins_when_it_is_told_to() {
    let mut visit = Visit::new(120, 40);
    visit.desk.is_held = true;
    purges(&mut visit);
    visit.settle();
    assert_eq!(visit.sent(), 0);
    assert_eq!(visit.desk.journal.len(), 0);
    visit.keys("J");
    visit.sees("queued").sees("r try again");
    visit.keys("Enter");
    visit.sees("Process 4711 since 14:02 is writing to this server.");
    visit.keys("r").settle();
    assert_eq!(visit.sent(), 0);
    visit.desk.is_held = false;
    visit.keys("r").settle();
    assert_eq!(visit.sent(), 2);
    assert_eq!(turn(&visit), Turn::NotOurs, "given up when it was done");
}

#[test]
fn a_job_that_gets_no_lock_says_why_as_long_as_it_waits() {
    let mut visit = Visit::new(120, 40);
    visit.desk.is_full = true;
    purges(&mut visit);
    visit.settle();
    visit.keys("J").sees("queued");
    visit.keys("Enter");
    visit.sees("The lock of the server can't be taken: No space left on device: server.lock.");
    visit.sees("Try again once that is over, or leave it.");
    assert_eq!(visit.sent(), 0);
    visit.desk.is_full = false;
    visit.keys("r").settle();
    assert_eq!(visit.sent(), 2);
}

#[test]
fn a_form_whose_job_waits_for_another_process_says_so() {
    for (keys, change, save, done) in [
        ("n", "Harbour Log", "Ctrl-s", "New space HL: done."),
        ("e", "x", "Ctrl-s y", "done."),
    ] {
        let mut visit = Visit::new(120, 40);
        visit.desk.is_held = true;
        visit.keys(keys).settle();
        visit.types(change).settle();
        for key in save.split(' ') {
            visit.keys(key).settle();
        }
        visit
            .sees("Process 4711 since 14:02 is writing to this server, so nothing was sent.")
            .sees("Waiting.")
            .sees("a job waits");
        assert_eq!(visit.sent(), 0);
        visit.desk.is_held = false;
        visit.keys("Esc J r").settle();
        assert_eq!(visit.sent(), 1, "{keys}");
        visit.sees(done);
    }
}

#[test]
fn a_job_that_waits_can_be_left() {
    let mut visit = Visit::new(120, 40);
    visit.desk.is_held = true;
    purges(&mut visit);
    visit.settle();
    visit.keys("J c").settle();
    let job = &visit.desk.story.model.jobs.list[0].job;
    assert_eq!(job.state(), JobState::Cancelled);
    visit.desk.is_held = false;
    visit.settle();
    assert_eq!(visit.sent(), 0);
}

#[test]
fn the_turn_is_held_while_a_job_writes_and_not_while_it_is_paused() {
    let mut visit = Visit::new(120, 40);
    purges(&mut visit);
    visit.work_but(|call| matches!(call, Call::PurgeContent { .. }));
    assert_eq!(turn(&visit), Turn::Ours);
    visit.keys("J p").work();
    assert_eq!(turn(&visit), Turn::NotOurs);
    // Another process begins to write; the paused job does not go on beside it.
    visit.desk.is_held = true;
    let sent = visit.sent();
    visit.keys("r").settle();
    assert_eq!(visit.sent(), sent);
    visit.desk.is_held = false;
    visit.keys("r").settle();
    assert_eq!(visit.sent(), 2);
}

#[test]
fn a_job_that_is_paused_before_its_turn_has_come_does_not_begin() {
    let mut visit = Visit::new(120, 40);
    purges(&mut visit);
    // The lock is asked for and not yet answered.
    assert_eq!(turn(&visit), Turn::Asked);
    visit.keys("J p").settle();
    assert_eq!(visit.sent(), 0);
    assert_eq!(turn(&visit), Turn::NotOurs);
    visit.keys("r").settle();
    assert_eq!(visit.sent(), 2);
}

const WIKI: &str = "\
space: ALPHA
name: Alpha

=== page
title: Start

=== page
title: Gone one
status: trashed

<p>Gone.</p>

=== page
title: Gone two
status: trashed

<p>Gone too.</p>

=== page
title: Gone three
status: trashed

<p>And gone.</p>
";

fn server(context: &str) -> Server {
    let options = Options {
        seed: Seed::Text(WIKI.to_owned()),
        context: context.to_owned(),
        ..Options::default()
    };
    Server::start(options).expect("loopback has a free port")
}

/// Profiles by name and address.
fn home(profiles: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().expect("a folder for the test");
    configure(home.path(), profiles);
    home
}

fn configure(home: &Path, profiles: &[(&str, &str)]) {
    let folder = home.join(".config/coracle");
    fs::create_dir_all(&folder).expect("the home is ours");
    let profiles = profiles.iter();
    let texts = profiles.map(|(name, url)| format!("[profiles.{name}]\nurl = \"{url}\"\n"));
    let text = texts.collect::<Vec<_>>().join("\n");
    fs::write(folder.join("config.toml"), text).expect("the home is ours");
}

fn start(home: &Path, profile: &str) -> Terminal {
    let mut terminal = Terminal::start(coracle(home, &["--profile", profile]), 150, 50);
    terminal.wait_for("Alpha");
    terminal
}

/// Opens the trash and the plan that purges all three items of it.
fn plans_a_purge(terminal: &mut Terminal) {
    terminal.send("t");
    terminal.wait_for("Gone three");
    terminal.send("*");
    terminal.wait_for("3 marked");
    terminal.send("x");
    terminal.wait_for("Type 3 to purge them");
    terminal.send("3");
    terminal.wait_for("purge them:  3");
}

/// What was asked to be purged.
fn purge_targets(server: &Server) -> Vec<String> {
    let requests = server.requests().into_iter();
    let purges =
        requests.filter(|it| it.method == "DELETE" && it.target.contains("/rest/api/content/"));
    purges.map(|it| it.target).collect()
}

fn purges_sent(server: &Server) -> usize {
    purge_targets(server).len()
}

#[test]
fn two_processes_under_two_names_on_one_server_never_write_at_once() {
    let server = server("");
    let url = server.base_url().to_owned();
    let home = home(&[("one", &url), ("two", &format!("{url}/"))]);
    let mut one = start(home.path(), "one");
    let mut two = start(home.path(), "two");
    let gate = server.faults().hold_all("DELETE /**");
    plans_a_purge(&mut one);
    plans_a_purge(&mut two);
    one.send("\r");
    one.wait("the first purge is on the line", |_| gate.waiting() > 0);
    two.send("\r");
    two.wait_for("is writing to this server");
    // More of the first may be on the line by now, and what the second sent would be of the same items.
    let mut sent = purge_targets(&server);
    let all = sent.len();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), all, "nothing of the second one");
    gate.open();
    one.wait_for("Purge 3 items of ALPHA: done.");
    assert_eq!(purges_sent(&server), 3);
    let state = home.path().join(".local/state/coracle");
    let folder = lock::of_server(&state, &BaseUrl::of(&url));
    one.until("the lock is given up", || {
        matches!(lock::take(&folder), Ok(Hold::Ours(_)))
    });
    // Now it is its turn: what it was to purge is gone.
    two.send("J");
    two.wait_for("queued");
    two.send("r");
    two.wait("it has ended", |screen| {
        !screen.contents().contains("queued")
    });
    assert_eq!(purges_sent(&server), 3, "nothing is purged twice");
    for mut terminal in [one, two] {
        terminal.send([3, 3]);
        let _ = terminal.end();
    }
}

#[test]
fn a_second_window_of_a_profile_writes_when_the_first_does_not_and_the_journal_holds() {
    let server = server("");
    let home = home(&[("one", server.base_url())]);
    let mut first = start(home.path(), "one");
    let mut second = start(home.path(), "one");
    assert!(
        !second.contents().contains("READ-ONLY"),
        "{}",
        second.contents()
    );
    for (terminal, name) in [(&mut first, "Alphax"), (&mut second, "Alphaxx")] {
        terminal.send("1e");
        terminal.wait_for("Ctrl-s save");
        terminal.send("x\u{13}");
        terminal.wait_for(&format!("+ {name}"));
        terminal.send("y");
        terminal.wait_for("done.");
    }
    for mut terminal in [first, second] {
        terminal.send([3]);
        let _ = terminal.end();
    }
    let journal = home
        .path()
        .join(".local/state/coracle/profiles/one/journal.ndjson");
    let journal = fs::read_to_string(journal).expect("both wrote into it");
    let lines = journal.lines().map(str::as_bytes);
    let found = journal::verify(lines).expect("its chain holds");
    assert_eq!((found.entries, found.set_aside), (4, Vec::new()));
}

/// A window in which a purge of three items is on the line, and another one that was opened after it
/// and shows the jobs.
fn at_work_elsewhere(home: &Path, server: &Server) -> (Terminal, Terminal, Gate) {
    let mut one = start(home, "one");
    let gate = server.faults().hold_all("DELETE /**");
    plans_a_purge(&mut one);
    one.send("\r");
    one.wait("a purge is on the line", |_| gate.waiting() > 0);
    let mut other = start(home, "one");
    let who = format!("process {}", one.pid().as_raw_nonzero());
    other.wait_for(&format!("1 job is at work in another window ({who}"));
    other.send("J");
    other.wait_for("elsewhere");
    let screen = other.contents();
    assert!(!screen.contains("left over"), "{screen}");
    assert!(!screen.contains("go on"), "{screen}");
    assert!(!screen.contains("c cancel"), "{screen}");
    other.send("r");
    other.wait_for(&format!("It runs in another window ({who}"));
    (one, other, gate)
}

#[test]
fn a_job_that_runs_in_another_window_is_shown_as_such_until_it_is_done() {
    let server = server("");
    let home = home(&[("one", server.base_url())]);
    let (mut one, mut other, gate) = at_work_elsewhere(home.path(), &server);
    gate.open();
    one.wait_for("Purge 3 items of ALPHA: done.");
    let state = home.path().join(".local/state/coracle");
    let folder = state.join("profiles/one");
    one.until("the lock is given up", || lock::holder(&folder).is_none());
    other.send("r");
    other.wait("it is done", |screen| {
        let text = screen.contents();
        text.contains("done") && !text.contains("elsewhere")
    });
    for mut terminal in [one, other] {
        terminal.send([3, 3]);
        let _ = terminal.end();
    }
}

#[test]
fn a_job_that_ran_in_another_window_is_left_over_once_that_is_killed() {
    let server = server("");
    let home = home(&[("one", server.base_url())]);
    let (one, mut other, gate) = at_work_elsewhere(home.path(), &server);
    one.signal(Signal::KILL);
    drop(one);
    gate.open();
    other.send("r");
    other.wait_for("left over");
    other.wait_for("go on");
    other.send([3, 3]);
    let _ = other.end();
}

#[test]
fn a_job_killed_in_one_wiki_does_not_go_on_in_another_on_the_same_host() {
    let prod = server("/prod");
    let url = prod.base_url().to_owned();
    let home = home(&[("wiki", &url)]);
    let mut terminal = start(home.path(), "wiki");
    let gate = prod.faults().hold_all("DELETE /**");
    plans_a_purge(&mut terminal);
    terminal.send("\r");
    terminal.wait("a purge is on the line", |_| gate.waiting() > 0);
    terminal.signal(Signal::KILL);
    drop(terminal);
    gate.open();
    let moved = url.replace("/prod", "/staging");
    configure(home.path(), &[("wiki", &moved)]);
    let asked = prod.requests().len();
    let mut terminal = Terminal::start(coracle(home.path(), &["--profile", "wiki"]), 150, 50);
    terminal.wait_for("left over");
    terminal.wait_for("save the rest as a plan");
    let sent = purges_sent(&prod);
    terminal.send("r");
    terminal.wait_for(&format!("This job belongs to {url}"));
    terminal.send("w");
    terminal.wait_for("The plan was written to");
    assert_eq!(purges_sent(&prod), sent);
    assert!(prod.requests().len() >= asked);
    terminal.send([3]);
    let _ = terminal.end();
    let journal = home
        .path()
        .join(".local/state/coracle/profiles/wiki/journal.ndjson");
    let journal = fs::read_to_string(journal).expect("it wrote into it");
    for line in journal.lines() {
        let entry: Entry = serde_json::from_str(line).expect("a line");
        let address = entry.address.map(|address| address.to_string());
        assert_eq!(address.as_deref(), Some(url.as_str()));
    }
}
