//! How far a job is, as its footer has it: a percent is told only of what is known, and never goes down.

use std::cell::RefCell;

use coracle::app::modal::jobs::standing;
use coracle::jobs::*;

use crate::losses;
use crate::several_spaces::deletion;

/// What the footer says of a job, each time that it changes.
fn told(server: BackupChoice, backup: BackupChoice) -> Vec<String> {
    let mut bench = deletion(server, backup);
    bench.server.behave(|it| {
        it.job_looks = 3;
        it.deletion_looks = 3;
    });
    let all: RefCell<Vec<String>> = RefCell::default();
    bench.run(None, |it| {
        let now = standing(&it.job);
        let mut all = all.borrow_mut();
        if all.last() != Some(&now) {
            all.push(now);
        }
        it.job.state().is_over()
    });
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    all.into_inner()
}

fn percents(told: &[String]) -> Vec<u8> {
    let percents = told.iter().filter_map(|it| it.strip_suffix(" %"));
    percents
        .map(|it| it.trim().parse().expect("a percent"))
        .collect()
}

#[test]
fn what_comes_before_a_deletion_is_told_in_a_word_and_no_percent_goes_down() {
    use BackupChoice::{Declined, Save};
    for (server, backup) in [(Save, Save), (Declined, Save), (Save, Declined)] {
        let told = told(server, backup);
        let percents = percents(&told);
        assert!(percents.is_sorted(), "{told:?}");
        // Two spaces: a percent before the first is gone would be one of its backup.
        let word = |word: &str| told.iter().any(|it| it.starts_with(word));
        assert_eq!(word(", server backup"), server == Save, "{told:?}");
        assert_eq!(word(", backup "), backup == Save, "{told:?}");
        assert!(percents.iter().any(|it| *it >= 50), "{told:?}");
        assert!(!percents.contains(&100), "{told:?}");
    }
}

#[test]
fn of_one_thing_no_percent_is_told_before_something_of_it_is_known() {
    let bench = losses::asked(losses::space());
    assert_eq!(bench.job.share(), None);
    assert_eq!(standing(&bench.job), "");
}
