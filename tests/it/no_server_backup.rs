//! The deletion of a space, from the keyboard, where the server does not write the space out or gives
//! something else: the program asks, and deletes nothing by itself.

use std::process::Command;

use coracle::demo::{Fault, FullBackup, Generation, Options, Rule, Seed};

use crate::emptying::Visit;

const WIKI: &str = "\
space: ENG
name: Engineering
homepage: Home

=== page
title: Home

<p>home</p>

=== page
title: Plan
parent: Home
attachment: plan.pdf | application/pdf | 200000

=== page
title: Old
parent: Home
status: trashed
";

fn visit(generation: Generation, full_backup: FullBackup) -> Visit {
    let mut visit = Visit::of(Options {
        seed: Seed::Text(WIKI.to_owned()),
        generation,
        ..Options::default()
    });
    visit.server.behave(|it| {
        it.full_backup = full_backup;
        it.deletion_looks = 1;
        it.job_looks = 1;
    });
    visit.sees("1 of 1").keys("D");
    visit
}

/// Agrees to the deletion that is shown.
fn agrees(visit: &mut Visit) {
    visit.keys("ENG").sees("to delete it:  ENG");
    visit.terminal.agrees("\r", "Type ");
}

fn deletions(visit: &Visit) -> usize {
    let writes = visit.writes();
    writes
        .iter()
        .filter(|(method, _)| method == "DELETE")
        .count()
}

/// How many backups `coracle backup verify` finds as they were written.
fn whole_backups(visit: &Visit) -> usize {
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["backup", "verify"])
        .env_clear()
        .env("HOME", visit.home.path())
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines()
        .filter(|line| line.ends_with("as written"))
        .count()
}

#[test]
fn whatever_the_server_gives_instead_of_a_backup_the_job_asks_and_deletes_nothing() {
    let cases = [
        (FullBackup::Forbidden, "site administrator"),
        (FullBackup::SwitchedOff, "disabled by an administrator"),
        (FullBackup::Busy, "Another backup of this space"),
        (FullBackup::Fails, "Out of memory"),
        (FullBackup::OtherSpace, "not of ENG"),
        (FullBackup::Broken, "no whole zip"),
        (FullBackup::NoFile, "no file of it"),
        (FullBackup::Earlier, "is no backup of what is in the space"),
    ];
    std::thread::scope(|scope| {
        for (full_backup, words) in cases {
            scope.spawn(move || {
                let mut visit = visit(Generation::Ten, full_backup);
                visit.sees("downloaded and checked");
                agrees(&mut visit);
                visit.sees("No backup by the server").sees(words);
                visit.sees("Nothing has been deleted.");
                // Enter alone takes the first way, which destroys nothing.
                visit.terminal.agrees("\r", "No backup by the server");
                visit
                    .keys("J")
                    .sees("It was left alone: there is no backup");
                visit.keys("q");
                assert_eq!(deletions(&visit), 0, "{full_backup:?}");
                visit.leave();
            });
        }
    });
}

#[test]
fn a_download_that_is_cut_goes_on_before_the_space_is_deleted() {
    let mut visit = visit(Generation::Ten, FullBackup::Works);
    let route = "GET /rest/api/backup-restore/jobs/*/download";
    visit
        .server
        .faults()
        .add(Rule::new(route, Fault::DroppedMidBody));
    visit.sees("downloaded and checked");
    agrees(&mut visit);
    visit.sees("Delete ENG: done");
    assert_eq!(deletions(&visit), 1);
    assert_eq!(whole_backups(&visit), 2);
    visit.leave();
}

#[test]
fn where_the_server_writes_nothing_out_the_local_backup_is_all_there_is_and_that_is_said() {
    let mut old = visit(Generation::Seven, FullBackup::Works);
    old.sees("that needs Confluence 9.0 and an");
    agrees(&mut old);
    old.sees("Delete ENG: done");
    // What a deletion takes along cannot be listed there by a way of its own.
    assert_eq!(deletions(&old), 1);
    assert_eq!(whole_backups(&old), 1);
    old.leave();

    let mut off = visit(Generation::Ten, FullBackup::SwitchedOff);
    off.sees("downloaded and checked");
    agrees(&mut off);
    off.sees("Delete it with the local backup alone");
    off.keys("d")
        .sees("▸ d  Delete it with the local backup alone");
    off.terminal.agrees("\r", "No backup by the server");
    off.sees("Delete ENG: done");
    assert_eq!(deletions(&off), 1);
    assert_eq!(whole_backups(&off), 1);
    off.leave();
}

/// The rows of attached files are in the server's file, and their bytes are not: they would be lost.
#[test]
fn files_whose_bytes_are_not_in_the_server_s_backup_are_asked_about() {
    std::thread::scope(|scope| {
        for full_backup in [FullBackup::WithoutFiles, FullBackup::EmptyFiles] {
            scope.spawn(move || {
                let mut visit = visit(Generation::Ten, full_backup);
                visit.sees("downloaded and checked");
                visit.keys("\t").sees("d dry run").keys("b");
                visit.keys("\t").sees("Tab");
                agrees(&mut visit);
                visit.sees("Not in the server's backup");
                visit.sees("the file plan.pdf on Plan: the server left it out of its file");
                assert_eq!(deletions(&visit), 0, "{full_backup:?}");
                visit.terminal.agrees("\r", "Not in the server's backup");
                visit.keys("J").sees("It was left alone");
                visit.keys("q");
                assert_eq!(deletions(&visit), 0, "{full_backup:?}");
                visit.leave();
            });
        }
    });
}
