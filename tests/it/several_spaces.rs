//! Several spaces in one job: each has its own backups, and is told with them.

use std::collections::BTreeSet;

use coracle::demo::{Options, Seed};
use coracle::jobs::*;

use crate::server_copies::Bench;
use crate::simulation::{agree, head};

const WIKI: &str = "\
space: ENG
name: Engineering

=== page
title: Home

<p>home</p>

space: OPS
name: Operations

=== page
title: Start

<p>start</p>
";

/// The keys that each backup of each line says it is of, and how many of them hold a file of the server's.
fn backups(bench: &Bench) -> Vec<(BTreeSet<String>, usize)> {
    let of = |line| {
        let folders = bench.job.backups_of(line);
        let manifests = folders.map(|folder| {
            let told = coracle::shell::backups::verify(&bench.folders.backups, folder);
            told.expect("it is there").expect("it is whole")
        });
        let manifests: Vec<_> = manifests.collect();
        let by_server = manifests.iter().filter(|it| it.server_file.is_some());
        let by_server = by_server.count();
        let spaces = manifests.iter().map(|it| {
            let keys = it.spaces.iter().map(|space| space.key.to_string());
            keys.collect::<Vec<_>>().join(" ")
        });
        (spaces.collect(), by_server)
    };
    (0..bench.job.lines().len()).map(of).collect()
}

pub(crate) fn deletion(server: BackupChoice, backup: BackupChoice) -> Bench {
    let head = head(Act::DeleteSpaces, &["ENG", "OPS"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server,
        backup,
        on_failure: OnFailure::Stop,
    };
    let job = Job::delete_spaces(head, consent, options).expect("agreed to");
    let wiki = Options {
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    };
    let mut bench = Bench::of(job, wiki);
    bench.feed(JobEvent::Begin);
    bench
}

#[test]
fn each_of_several_spaces_has_its_own_backups_and_is_told_with_them() {
    use BackupChoice::{Declined, Save};
    for (server, backup, by_server) in [(Save, Save, 1), (Declined, Save, 0), (Save, Declined, 1)] {
        let mut bench = deletion(server, backup);
        bench.run(None, |_| false);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        let told = backups(&bench);
        let expected = ["ENG", "OPS"].map(|key| (BTreeSet::from([key.to_owned()]), by_server));
        assert_eq!(told, expected, "{server:?} {backup:?}");
        let all: Vec<&str> = (0..2).flat_map(|line| bench.job.backups_of(line)).collect();
        let each = usize::from(server == Save) + usize::from(backup == Save);
        assert_eq!(all.len(), 2 * each);
    }
}

#[test]
fn what_was_begun_before_a_kill_is_not_named_as_a_backup() {
    let mut bench = deletion(BackupChoice::Declined, BackupChoice::Save);
    bench.run(None, |it| it.job.backups_of(0).next().is_some());
    let before: Vec<String> = bench.job.backups_of(0).map(str::to_owned).collect();
    assert_eq!(before.len(), 1);
    bench.feed(JobEvent::Pause);
    bench.run(None, |it| it.writes.is_empty() && it.requests.is_empty());
    assert!(bench.taken_up());
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let after: Vec<&str> = bench.job.backups_of(0).collect();
    assert_eq!(after.len(), 1);
    assert_ne!(after, before, "it was begun anew under another name");
    assert_eq!(backups(&bench).len(), 2);
}
