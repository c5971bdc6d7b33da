//! How long a filter takes over the titles of a list: to the first result and to the end.

use std::fmt::Write as _;

use coracle::text::filter::Filter;
use coracle::text::index::{Index, Progress, Scan};
use divan::{Bencher, black_box};

const ROWS: [usize; 3] = [1_000, 10_000, 100_000];

fn main() {
    divan::main();
}

/// Titles such as wikis have: two to five words out of a few dozen, and a number.
fn titles(rows: usize) -> Index {
    const WORDS: [&str; 24] = [
        "Engineering",
        "Home",
        "Runbook",
        "Database",
        "failover",
        "policy",
        "Old",
        "Meeting",
        "notes",
        "Release",
        "plan",
        "Architecture",
        "decision",
        "Onboarding",
        "guide",
        "Retro",
        "Überblick",
        "Sprint",
        "Incident",
        "report",
        "Customer",
        "portal",
        "Access",
        "review",
    ];
    let mut index = Index::default();
    let mut seed = 42_u64;
    let mut title = String::new();
    for row in 0..rows {
        title.clear();
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        for word in 0..2 + (seed >> 60) % 4 {
            let at = (seed >> (20 + word * 8)) as usize % WORDS.len();
            title.push_str(WORDS[at]);
            title.push(' ');
        }
        let _ = write!(title, "{row}");
        index.push(&title);
    }
    index
}

fn filter(text: &str) -> Filter {
    Filter::parse(text, &[]).unwrap_or_default()
}

/// What a keystroke waits for: all plain matches.
#[divan::bench(args = ROWS)]
fn first_result(bencher: Bencher, rows: usize) {
    let index = titles(rows);
    let filter = filter("runb");
    bencher.bench(|| {
        let mut scan = Scan::new(&filter, &index);
        black_box(scan.step(&index, usize::MAX));
        scan.matches().len()
    });
}

/// One letter, which almost every row has.
#[divan::bench(args = ROWS)]
fn first_result_of_one_letter(bencher: Bencher, rows: usize) {
    let index = titles(rows);
    let filter = filter("e");
    bencher.bench(|| {
        let mut scan = Scan::new(&filter, &index);
        black_box(scan.step(&index, usize::MAX));
        scan.matches().len()
    });
}

/// Everything, what is only alike included.
#[divan::bench(args = ROWS)]
fn whole_result(bencher: Bencher, rows: usize) {
    let index = titles(rows);
    let filter = filter("engho");
    bencher.bench(|| {
        let mut scan = Scan::new(&filter, &index);
        while scan.step(&index, 10_000) == Progress::Working {}
        scan.matches().len()
    });
}

/// Everything, from the result of one letter less.
#[divan::bench(args = ROWS)]
fn narrowed_result(bencher: Bencher, rows: usize) {
    let index = titles(rows);
    let mut wider = Scan::new(&filter("engh"), &index);
    while wider.step(&index, usize::MAX) == Progress::Working {}
    let filter = filter("engho");
    bencher.bench(|| {
        let mut scan = Scan::after(&wider, &filter, &index);
        while scan.step(&index, 10_000) == Progress::Working {}
        scan.matches().len()
    });
}

/// The longest that one slice of ten thousand rows may keep the keys waiting.
#[divan::bench]
fn one_slice_of_what_is_alike(bencher: Bencher) {
    let index = titles(10_000);
    let mut begun = Scan::new(&filter("engho"), &index);
    begun.step(&index, usize::MAX);
    bencher
        .with_inputs(|| begun.clone())
        .bench_values(|mut scan| {
            scan.step(&index, 10_000);
            scan.matches().len()
        });
}
