//! Runs of a property over many seeds, on all cores.
//!
//! `CORACLE_SIM_SEEDS=1000000` runs more of them, `CORACLE_SIM_SEED=n` one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// So many seeds that went wrong are told of: a long run that stopped at the first would have to be begun
/// again after each mend.
const TOLD: usize = 10;

/// So many seeds are run where nothing else is said.
const USUAL: u64 = 10_000;

/// Runs all seeds: each tells what went wrong, and how much of something it found. Returns how many
/// seeds there were and the sum of that.
pub(crate) fn all(run: impl Fn(u64) -> (Vec<String>, usize) + Sync) -> (usize, usize) {
    one_in(1, run)
}

/// The same with one seed in `share` of those that are usual, of runs that take long.
pub(crate) fn one_in(
    share: u64,
    run: impl Fn(u64) -> (Vec<String>, usize) + Sync,
) -> (usize, usize) {
    let (from, to) = match number("CORACLE_SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("CORACLE_SIM_SEEDS").unwrap_or(USUAL / share)),
    };
    let next = AtomicU64::new(from);
    let bad = Mutex::new(Vec::new());
    let work = || {
        let mut sum = 0;
        loop {
            // A core that has less to do beside takes more of them.
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= to {
                return sum;
            }
            let (wrong, found) = run(seed);
            sum += found;
            if wrong.is_empty() {
                continue;
            }
            let mut bad = bad.lock().expect("nobody panics with it");
            bad.push(format!(
                "Seed {seed} went wrong; run it alone with CORACLE_SIM_SEED={seed}.\n{}",
                wrong.join("\n")
            ));
            if bad.len() >= TOLD {
                next.store(to, Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| worker.join());
        ends.map(|sum| sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    });
    let bad = bad.into_inner().expect("nobody panics with it");
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
    ((to - from) as usize, sum)
}

/// What a strategy makes of a seed, always the same.
pub(crate) fn value<S: Strategy>(strategy: &S, seed: u64) -> S::Value {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let tree = strategy.new_tree(&mut runner);
    tree.expect("a strategy that refuses nothing").current()
}
