//! A backup that a purge stands on, meddled with while the real program purges item by item on a real
//! terminal.
//!
//! Each request that purges is held back by the server, so that what happens meanwhile happens in the
//! middle of the job.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use coracle::demo::{Gate, Seed};
use coracle::jobs::journal;
use rustix::process::Signal;

use crate::emptying::{Visit, backup_in};
use crate::terminal::{Terminal, coracle};
use crate::writing::plain;

const ITEMS: usize = 30;

fn seed() -> Seed {
    let mut text = String::from("space: ENG\nname: Engineering\n");
    for n in 0..ITEMS {
        let _ = write!(
            text,
            "\n=== page\ntitle: Old {n}\nstatus: trashed\n\n<p>{n}</p>\n"
        );
    }
    Seed::Text(text)
}

/// A purge of all items, one by one, with the first requests on the line.
fn purging() -> (Visit, Gate) {
    let mut visit = Visit::new(seed());
    let gate = purges(&mut visit);
    (visit, gate)
}

fn purges(visit: &mut Visit) -> Gate {
    let gate = visit.server.faults().hold_all("DELETE /rest/api/content/*");
    visit.sees("1 of 1").keys("t").sees("Old 0");
    visit.keys("*").sees("30 marked");
    visit.keys("x").sees("Type 30 to purge them:");
    visit.keys("30").sees("to purge them:  30").keys("\r");
    visit
        .terminal
        .until("a purge is on the line", || gate.waiting() > 0);
    gate
}

fn items_file(visit: &Visit) -> PathBuf {
    backup_in(visit.home.path()).join("items-0001.ndjson.gz")
}

/// The job ends and says why; most items are on the server, and those that are not were on the line.
fn ends_early(visit: &mut Visit, gate: &Gate, why: &str) {
    gate.open();
    for told in ["The backup is not as it was written", why, "Begin again"] {
        visit
            .terminal
            .wait(told, |screen| plain(screen).contains(told));
    }
    let left = visit.trash().len();
    assert!(left >= ITEMS / 2, "{left} are left");
    let purged = visit.writes().len();
    assert_eq!(left, ITEMS - purged, "what was sent, and nothing else");
}

#[test]
fn a_folder_removed_under_a_purge_ends_it_and_the_rest_stays() {
    let (mut visit, gate) = purging();
    // All at once: a look in the middle of it would find a file missing, and say that.
    let away = visit.home.path().join("away");
    std::fs::rename(backup_in(visit.home.path()), &away).expect("moved");
    std::fs::remove_dir_all(away).expect("removed");
    ends_early(&mut visit, &gate, "The folder is not there any more");
    visit.leave();
}

#[test]
fn one_byte_changed_under_a_purge_ends_it_and_the_rest_stays() {
    let (mut visit, gate) = purging();
    let file = items_file(&visit);
    let mut bytes = std::fs::read(&file).expect("the items");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // All at once: a look in the middle of it would find a file cut short, and say that.
    let changed = visit.home.path().join("changed");
    std::fs::write(&changed, bytes).expect("the items");
    std::fs::rename(changed, &file).expect("the items");
    ends_early(&mut visit, &gate, "is not what was written");
    visit.leave();
}

/// Another program, of the profile of this address.
fn other_window(visit: &Visit, url: &str) -> Terminal {
    let mut other = Terminal::start(coracle(visit.home.path(), &["--url", url]), 120, 40);
    other.wait_for("Engineering");
    other
}

/// Asks for the one backup to be removed, and is refused at once in these words.
fn is_refused(other: &mut Terminal, told: &[&str]) {
    other.send("B");
    other.wait_for("1 backup");
    other.send("x");
    for told in told {
        other.wait(told, |screen| plain(screen).contains(told));
    }
    let screen = other.contents();
    assert!(!screen.contains("to remove it:"), "{screen}");
}

#[test]
fn a_second_process_is_told_at_once_which_process_stands_on_a_backup() {
    let (mut visit, gate) = purging();
    let by_name = visit.server.base_url().replace("127.0.0.1", "localhost");
    let by_number = visit.server.base_url().to_owned();
    let holder = format!(
        "Not removed: process {}",
        visit.terminal.pid().as_raw_nonzero()
    );
    // Another profile of the same server, and the same one once more.
    for url in [by_name, by_number] {
        let mut other = other_window(&visit, &url);
        is_refused(&mut other, &[&holder, "holds it for Purge 30 items of ENG"]);
        assert!(items_file(&visit).exists());
        other.send([3]);
        other.end();
    }
    gate.open();
    visit.sees("Purge 30 items of ENG: done");
    assert_eq!(visit.trash(), []);
    visit.leave();
}

#[test]
fn a_window_that_was_open_before_does_not_remove_what_a_killed_purge_stands_on() {
    let mut visit = Visit::new(seed());
    let url = visit.server.base_url().to_owned();
    let mut other = other_window(&visit, &url);
    let gate = purges(&mut visit);
    visit.terminal.signal(Signal::KILL);
    gate.open();
    is_refused(
        &mut other,
        &["Purge 30 items of ENG", "is not over and may need it"],
    );
    assert!(items_file(&visit).exists());
    other.send([3]);
    other.end();
}

/// The job waits, and its detail says this.
fn is_told_in_detail(visit: &mut Visit, told: &str) {
    visit.keys("J").sees("Enter details").keys("\r");
    visit.terminal.wait(told, |screen| {
        let text = plain(screen);
        text.contains(told) && !text.contains("Enter details")
    });
}

/// The journal of the one profile below a home.
fn journal_in(home: &Path) -> PathBuf {
    let mut folders = vec![home.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path
                .file_name()
                .is_some_and(|name| name == "journal.ndjson")
            {
                return path;
            }
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    panic!("there is no journal");
}

#[test]
fn a_journal_removed_under_a_purge_halts_it_and_comes_back_whole_when_that_goes_on() {
    let (mut visit, gate) = purging();
    let journal = journal_in(visit.home.path());
    let before = std::fs::read_to_string(&journal).expect("the journal");
    // The folder with the journal, the job and the lock, all at once.
    let away = visit.home.path().join("away");
    let folder = journal.parent().expect("it is in a folder");
    std::fs::rename(folder, &away).expect("moved");
    std::fs::remove_dir_all(away).expect("removed");
    gate.open();
    visit.sees("Purge 30 items of ENG waits.");
    let sent = visit.writes().len();
    assert!(sent <= ITEMS / 2, "{sent} were on the line, and no others");
    is_told_in_detail(&mut visit, "going on writes it anew with all its lines");
    visit.keys("r").sees("Purge 30 items of ENG: done");
    assert_eq!(visit.trash(), []);
    assert_eq!(visit.writes().len(), ITEMS - sent, "nothing twice");
    let after = std::fs::read_to_string(&journal).expect("it is there again");
    assert!(after.starts_with(&before), "with all its lines");
    let verified = journal::verify(after.lines()).expect("its chain is whole");
    assert_eq!(verified.set_aside, []);
    let is_purged = |line: &&str| line.contains("\"outcome\":\"done\"");
    assert_eq!(after.lines().filter(is_purged).count(), ITEMS);
    visit.leave();
}

#[test]
fn another_user_in_the_middle_of_a_purge_is_asked_about_before_the_next_write() {
    let (mut visit, gate) = purging();
    visit.server.behave(|it| it.takes_all_for = Some("asmith"));
    gate.open();
    visit.sees("a job waits");
    let told = "The server takes you for asmith now; jdoe was at work until here.";
    is_told_in_detail(&mut visit, told);
    let sent = visit.writes().len();
    assert!(sent <= ITEMS / 2, "{sent} were on the line, and no others");
    visit.keys("r").sees("jdoe began it; asmith is signed in.");
    let left = visit.trash().len();
    assert_eq!(left, ITEMS - sent, "nothing before that is agreed to");
    visit.sees("Type 30 to purge them:").keys("30");
    visit.sees("to purge them:  30").keys("\r");
    visit.sees("Purge 30 items of ENG: done");
    assert_eq!(visit.trash(), []);
    let text = std::fs::read_to_string(journal_in(visit.home.path())).expect("the journal");
    let by = |user: &str| text.lines().filter(|line| line.contains(user)).count();
    let (jdoe, asmith) = (by("\"user\":\"jdoe\""), by("\"user\":\"asmith\""));
    assert!(jdoe >= sent && asmith >= 2 * left, "{jdoe} and {asmith}");
    visit.leave();
}
