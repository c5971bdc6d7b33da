//! The corpus of the fuzz targets, replayed: what was ever found stays found.
//!
//! The bodies are those of the targets; `docs/fuzzing.md` says how those are run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is the library of the fuzz targets")]
mod bodies;

use bodies::TARGETS;

/// How much corpus is kept, in bytes: small enough to read and to replay in seconds.
const MOST: u64 = 200 << 10;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect()
}

/// Sends the corpus of a target through its body; says what a body fails with, by input.
fn replay(name: &str) {
    let (_, body) = TARGETS
        .iter()
        .find(|(target, _)| *target == name)
        .expect("a target");
    let corpus = folder().join("corpus").join(name);
    let failed: Vec<String> = names(&corpus)
        .into_iter()
        .filter(|input| {
            let bytes = fs::read(corpus.join(input)).expect("an input");
            std::panic::catch_unwind(|| body(&bytes)).is_err()
        })
        .collect();
    assert!(failed.is_empty(), "{name} fails for {failed:?}");
}

macro_rules! replayed {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replayed!(
    backup, config, decode, filter, html, journal, keys, recording, storage, theme
);

#[test]
fn every_target_is_built_replayed_and_described() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let replayed: BTreeSet<String> = REPLAYED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(known, replayed);
    assert_eq!(known, names(&folder().join("corpus")));
    let sources: BTreeSet<String> = known.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(sources, names(&folder().join("fuzz_targets")));
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).expect("the manifest");
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fuzzing.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let mut bytes = 0;
    for name in &known {
        let source = folder().join("fuzz_targets").join(format!("{name}.rs"));
        let source = fs::read_to_string(source).expect("a target");
        assert!(source.contains(&format!("coracle_fuzz::{name}(data)")));
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")));
        assert!(guide.contains(&format!("| `{name}` |")), "{name}");
        let corpus = folder().join("corpus").join(name);
        let inputs = names(&corpus);
        assert!(inputs.len() >= 3, "{name} has next to no corpus");
        for input in inputs {
            let input = fs::metadata(corpus.join(input)).expect("an input");
            bytes += input.len();
        }
    }
    assert!(bytes < MOST, "{bytes} bytes of corpus");
}

/// A body that asserts nothing would let everything pass.
#[test]
fn the_bodies_can_fail() {
    for text in ["\u{1b}", "\u{9b}", "\u{202e}", "\u{200b}", "\u{e0041}"] {
        assert!(std::panic::catch_unwind(|| bodies::line_is_safe(text)).is_err());
    }
}
