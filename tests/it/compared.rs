//! What is put back from a backup is compared with it: a server that says yes and keeps nothing, half or
//! something else is seen, one that writes the same in its own way is not told as one that differs.

use coracle::confluence::Call;
use coracle::demo::{Behaviour, Generation, Keeps, Options};
use coracle::jobs::journal::Phase;
use coracle::jobs::*;

use crate::put_on::{Saved, Site, empty};
use crate::server_copies::{Bench, Death};

fn keeping(keeps: Keeps) -> Options {
    Options {
        behaviour: Behaviour {
            keeps,
            ..Behaviour::default()
        },
        ..empty(Generation::Ten, true)
    }
}

/// The outcome of each thing, with what it is called.
fn outcomes(bench: &Bench) -> Vec<(String, Outcome)> {
    let lines = bench.job.lines().iter();
    let told = lines.map(|line| {
        let outcome = line.outcome.clone().expect("it has ended");
        (line.title.to_string(), outcome)
    });
    told.collect()
}

fn is_file(title: &str) -> bool {
    title.contains('.')
}

/// How what was put back differs, without the ids.
fn how(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Differs(how) => how.split(" Its new id").next(),
        _ => None,
    }
}

#[test]
fn a_server_that_keeps_nothing_half_or_something_else_is_told_item_by_item() {
    let saved = Saved::new();
    for keeps in [Keeps::Nothing, Keeps::Half, Keeps::Another] {
        let mut bench = saved.again(keeping(keeps));
        bench.ends();
        let all = outcomes(&bench);
        assert_eq!(all.len(), 4 + 6 + 5);
        for (title, outcome) in &all {
            // Of a file the length alone is compared.
            let is_seen = !is_file(title) || keeps != Keeps::Another;
            let is_told = how(outcome).is_some_and(|it| it.contains("differs from the backup"));
            assert_eq!(is_told, is_seen, "{keeps:?} {title}: {outcome:?}");
        }
        let counted = bench.job.outcomes();
        let files = if keeps == Keeps::Another { 5 } else { 0 };
        assert_eq!((counted.differing, counted.done), (15 - files, files));
        let words = counted.in_words(Act::Recreate);
        assert!(
            words.contains(" put back and differ from the backup"),
            "{words}"
        );
        assert_eq!(bench.job.state(), JobState::Failed);
        // Nothing is put there a second time because of that.
        assert_eq!(Site::of(&bench).hanging().len(), 11, "{keeps:?}");
        assert_eq!(Site::of(&bench).pages().len(), 4, "{keeps:?}");
        let records = bench.records();
        let noted = records.iter().filter(|record| {
            let note = record.note.as_deref().unwrap_or_default();
            record.outcome == Phase::Done && note.contains("differs from the backup")
        });
        assert_eq!(noted.count(), counted.differing, "{keeps:?}");
        bench.assert_told("differs");
    }
}

#[test]
fn how_much_is_there_of_a_text_or_a_file_is_told() {
    let saved = Saved::new();
    let mut bench = saved.again(keeping(Keeps::Half));
    bench.ends();
    let of = |title: &str| {
        let all = outcomes(&bench);
        let (_, outcome) = all.into_iter().find(|(it, _)| it == title).expect("there");
        how(&outcome).expect("it differs").to_owned()
    };
    assert_eq!(
        of("plan.pdf"),
        "It differs from the backup: 100 kB instead of 200 kB."
    );
    assert!(of("Home").starts_with("It differs from the backup: "));
    let mut bench = saved.again(keeping(Keeps::Nothing));
    bench.ends();
    let all = outcomes(&bench);
    let (_, home) = all.iter().find(|(it, _)| it == "Home").expect("there");
    assert_eq!(
        how(home),
        Some("It differs from the backup: no text is in it.")
    );
}

#[test]
fn a_server_that_writes_the_same_in_its_own_way_does_not_differ() {
    let saved = Saved::new();
    let mut bench = saved.again(keeping(Keeps::InItsOwnWay));
    bench.ends();
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let is_silent = |outcome: &Outcome| matches!(outcome, Outcome::Done(Some(note)) if !note.contains("compared"));
    assert!(outcomes(&bench).iter().all(|(_, it)| is_silent(it)));
}

#[test]
fn a_size_that_the_server_does_not_tell_is_told_as_not_compared() {
    let saved = Saved::new();
    let options = empty(Generation::Ten, true);
    let mut bench = saved.again(Options {
        behaviour: Behaviour {
            tells_sizes: false,
            ..Behaviour::default()
        },
        ..options
    });
    bench.ends();
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    for (title, outcome) in outcomes(&bench) {
        let is_told = matches!(&outcome, Outcome::Done(Some(note)) if note.contains("so it was not compared"));
        assert_eq!(is_told, is_file(&title), "{title}: {outcome:?}");
    }
}

#[test]
fn a_page_that_is_not_there_after_the_server_said_so_is_not_told_as_made() {
    let saved = Saved::new();
    for trash in [false, true] {
        let mut bench = saved.again(empty(Generation::Ten, true));
        bench.feed(JobEvent::Begin);
        let is_made = |bench: &Bench| {
            let made = bench
                .sent
                .iter()
                .any(|call| matches!(call, Call::CreateContent { .. }));
            made && bench.requests().next().is_some()
        };
        bench.run(None, is_made);
        let read = bench.requests().next().expect("it is read").clone();
        let Call::Content { id, .. } = read else {
            panic!("{read:?}");
        };
        // It is gone before it was seen.
        bench
            .send(&Call::TrashContent { id: id.clone() })
            .expect("trashed");
        if !trash {
            bench.send(&Call::PurgeContent { id }).expect("purged");
        }
        bench.run(None, |_| false);
        let all = outcomes(&bench);
        let (_, home) = all.iter().find(|(it, _)| it == "Home").expect("there");
        assert!(
            matches!(home, Outcome::Failed(why) if why.contains("and it is not there")),
            "{home:?}"
        );
        let records = bench.records();
        let first = records.iter().rfind(|it| it.item == 0).expect("a line");
        assert_eq!((first.step, first.outcome), (Step::Create, Phase::Failed));
        bench.assert_told("gone");
    }
}

/// One step in so many is tried.
const STEP: usize = 7;

#[test]
fn a_process_that_dies_at_any_step_tells_the_same_differences() {
    let saved = Saved::new();
    let mut calm = saved.again(keeping(Keeps::Half));
    calm.ends();
    let told = |bench: &Bench| -> Vec<(String, Option<String>)> {
        let all = outcomes(bench).into_iter();
        all.map(|(title, outcome)| (title, how(&outcome).map(str::to_owned)))
            .collect()
    };
    let expected = told(&calm);
    for at in (0..calm.steps).step_by(STEP) {
        for done in [false, true] {
            let mut bench = saved.again(keeping(Keeps::Half));
            bench.feed(JobEvent::Begin);
            let death = Death { at, done };
            let has_died = bench.run(Some(death), |_| false);
            if has_died && !bench.taken_up() {
                continue;
            }
            bench.run(None, |_| false);
            assert_eq!(told(&bench), expected, "{death:?}");
            bench.assert_told(&format!("{death:?}"));
        }
    }
}
