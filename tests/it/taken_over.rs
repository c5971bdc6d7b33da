//! A backup by the server that somebody else goes on with, or that is given up while the disk is full.

use coracle::demo::Options;
use coracle::jobs::*;

use crate::server_copies::{Bench, Death, options};
use crate::simulation::head;

fn backing_up(options: Options) -> Bench {
    let head = head(Act::BackUpSpaces, &["ENG"], Vec::new());
    Bench::of(Job::back_up_spaces(head).expect("a job"), options)
}

#[test]
fn somebody_else_goes_on_with_a_backup_from_each_step_of_it() {
    for at in 0.. {
        let mut bench = backing_up(options());
        bench.feed(JobEvent::Begin);
        let death = Death { at, done: true };
        let has_died = bench.run(Some(death), |_| false);
        if has_died {
            if !bench.taken_up_by(Some("ann".to_owned())) {
                continue;
            }
            bench.run(None, |_| false);
        }
        let trouble = bench.job.trouble().map(str::to_owned);
        assert_eq!(trouble, None, "{death:?}");
        assert_eq!(bench.job.state(), JobState::Done, "{death:?}");
        if !has_died {
            assert!(at > 20, "{at} steps");
            break;
        }
    }
}

#[test]
fn a_job_that_is_given_up_waits_for_no_file_of_its_backup() {
    let mut bench = backing_up(options());
    bench.feed(JobEvent::Begin);
    bench.run(None, |bench| {
        let next = bench.writes.front().map(|(_, what)| what);
        matches!(next, Some(JobWrite::BackupFile { .. }))
    });
    bench.feed(JobEvent::Cancel);
    let (write, _) = bench.writes.pop_front().expect("a file");
    let outcome = Err(StoreError {
        message: "No space left on the disk.".to_owned(),
    });
    bench.feed(JobEvent::Written { write, outcome });
    bench.run(None, |_| false);
    assert_eq!(bench.job.trouble(), None);
    assert_eq!(bench.job.state(), JobState::Cancelled);
}
