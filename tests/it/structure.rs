//! How the program is put together: which room may use which, what each must never contain, and
//! that every verb can be reached and read about.
//!
//! The sources are read as text. Comments and the contents of strings don't count.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use coracle::app::action::{Action, Context, VERBS};
use coracle::app::key::{Chord, KeyPress};
use coracle::app::keymap::{Found, Keymap};

use crate::story::{Story, wiki};

/// Each room and the others that it may name. What is not here is not to be used.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("confluence", &["text"]),
    ("doctor", &["text", "confluence"]),
    ("jobs", &["text", "confluence"]),
    ("app", &["text", "confluence", "doctor", "jobs"]),
    ("ui", &["text", "confluence", "doctor", "jobs", "app"]),
    // Beside them all: it shares nothing with the client.
    ("demo", &[]),
    // What the program is started with.
    ("report", &["text"]),
    ("secret", &["report"]),
    ("cli", &["demo"]),
    (
        "config",
        &["app", "cli", "confluence", "report", "secret", "ui"],
    ),
    (
        "shell",
        &[
            "text",
            "confluence",
            "doctor",
            "jobs",
            "app",
            "ui",
            "demo",
            "cli",
            "config",
            "report",
            "secret",
        ],
    ),
    (
        "boot",
        &[
            "text",
            "confluence",
            "doctor",
            "jobs",
            "app",
            "ui",
            "shell",
            "demo",
            "cli",
            "config",
            "report",
            "secret",
        ],
    ),
];

/// What reads a clock, the surroundings, a file, the network or a terminal.
const OUTSIDE: &[&str] = &[
    "tokio",
    "reqwest",
    "crossterm",
    "termina::",
    "rusqlite",
    "rustix",
    "std::fs",
    "std::env",
    "std::thread",
    "std::net",
    "std::process",
    "std::time::Instant",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "stdin(",
    "stdout(",
    "stderr(",
    "println!",
    "thread_local!",
    "static mut",
];

/// What changes behind a shared reference.
const INTERIOR: &[&str] = &[
    "Cell<",
    "RefCell",
    "Mutex",
    "RwLock",
    "OnceLock",
    "LazyLock",
    "Atomic",
    "&mut Model",
];

/// Each room and what it never contains, outside its tests.
const NEVER: &[(&str, &[&[&str]])] = &[
    ("text", &[OUTSIDE]),
    ("doctor", &[OUTSIDE]),
    ("jobs", &[OUTSIDE]),
    ("app", &[OUTSIDE]),
    ("ui", &[OUTSIDE, INTERIOR]),
];

pub(crate) struct Source {
    /// Below `src`.
    path: PathBuf,
    /// The module that it is: `["app", "pane", "spaces"]`.
    pub(crate) module: Vec<String>,
    /// Without comments, string contents and tests.
    pub(crate) code: String,
    /// Without comments and string contents.
    with_tests: String,
}

pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let path = path.strip_prefix(&root).expect("below it").to_owned();
                let module = path
                    .with_extension("")
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned())
                    .filter(|part| part != "mod")
                    .collect();
                let with_tests = bare(&text);
                let code = match with_tests.find("#[cfg(test)]\nmod tests {") {
                    Some(at) => with_tests[..at].to_owned(),
                    None => with_tests.clone(),
                };
                let tests = path.ends_with("tests.rs");
                found.push(Source {
                    code: if tests { String::new() } else { code },
                    path,
                    module,
                    with_tests,
                });
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// Code without comments, and with empty strings. Knows what this crate uses of the language.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("r#\"") {
            out.push_str("\"\"");
            rest.find("\"#").map_or(rest.len(), |at| at + 2)
        } else if c == '"' {
            out.push_str("\"\"");
            let mut escaped = false;
            rest.char_indices()
                .skip(1)
                .find(|(_, c)| {
                    let ends = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                })
                .map_or(rest.len(), |(at, _)| at + 1)
        } else if rest.starts_with("'\"'") {
            out.push_str("' '");
            3
        } else if rest.starts_with("'\\\"'") {
            out.push_str("' '");
            4
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[skip..];
    }
    out
}

/// The first names behind `crate::`, inside braces too.
fn named(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut fresh) = (0, true);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                c if fresh && !c.is_whitespace() => {
                    names.insert(word(&list[at..]));
                    fresh = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// The longest chain of `super::`.
fn longest_way_up(code: &str) -> usize {
    let mut longest = 0;
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        let mut count = 0;
        rest = &rest[at..];
        while let Some(after) = rest.strip_prefix("super::") {
            count += 1;
            rest = after;
        }
        longest = longest.max(count);
    }
    longest
}

#[test]
fn what_the_reader_of_sources_sees() {
    let code = bare(
        "use crate::{app::{key, list}, text}; // crate::shell\nlet a = \"crate::ui\"; crate::jobs::x();",
    );
    let names: Vec<String> = named(&code).into_iter().collect();
    assert_eq!(names, ["app", "jobs", "text"]);
    assert_eq!(longest_way_up("super::a; super::super::super::b;"), 3);
}

#[test]
fn every_room_uses_only_the_rooms_before_it() {
    for source in sources() {
        let Some(room) = source.module.first() else {
            continue;
        };
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(name, _)| name == room)
            .unwrap_or_else(|| panic!("a room without a place: {room}"));
        for name in named(&source.with_tests) {
            assert!(
                name == *room || allowed.contains(&name.as_str()),
                "{} uses crate::{name}, which {room} may not",
                source.path.display()
            );
        }
        // The way up must not lead out of the room unseen.
        assert!(
            longest_way_up(&source.code) < source.module.len(),
            "{} reaches the root of the crate by super::",
            source.path.display()
        );
    }
}

#[test]
fn the_order_of_the_rooms_has_no_circle() {
    // Each may use only what stands before it in one order, so there is none.
    let order = [
        "text",
        "demo",
        "confluence",
        "doctor",
        "jobs",
        "app",
        "ui",
        "report",
        "secret",
        "cli",
        "config",
        "shell",
        "boot",
    ];
    let place = |room: &str| order.iter().position(|name| *name == room);
    for (room, allowed) in MAY_USE {
        for other in *allowed {
            assert!(place(other) < place(room), "{room} uses {other}");
        }
        assert!(place(room).is_some(), "{room}");
    }
}

#[test]
fn the_pure_rooms_touch_nothing_outside() {
    for source in sources() {
        let Some(room) = source.module.first() else {
            continue;
        };
        for (_, lists) in NEVER.iter().filter(|(name, _)| name == room) {
            for word in lists.iter().copied().flatten() {
                assert!(
                    !source.code.contains(word),
                    "{} contains {word}",
                    source.path.display()
                );
            }
        }
    }
}

#[test]
fn only_the_client_and_the_shell_touch_the_network() {
    for source in sources() {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        if source.code.contains("reqwest") {
            assert_eq!(
                module,
                ["confluence", "client"],
                "{}",
                source.path.display()
            );
        }
        if module.first() == Some(&"confluence") && module != ["confluence", "client"] {
            for word in ["tokio", "std::fs", "std::env", "std::net", "std::thread"] {
                assert!(
                    !source.code.contains(word),
                    "{} contains {word}",
                    source.path.display()
                );
            }
        }
    }
}

/// What carries a page's title, text or labels to a server is asked for with a proof that not
/// everybody can read it who should not: see `jobs::guard`.
#[test]
fn only_the_guard_makes_the_calls_that_carry_what_is_in_a_page() {
    let mut makers = BTreeSet::new();
    for source in sources() {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        // What sends a file along knows the call when it sees it.
        let sends = module == ["shell", "download"];
        if module.first() == Some(&"confluence") || sends {
            continue;
        }
        for call in [
            "CreateContent",
            "ReplaceBody",
            "AddLabels",
            "CreateComment",
            "AttachFile",
        ] {
            if source.code.contains(&format!("Call::{call}")) {
                makers.insert(module.join("::"));
            }
        }
    }
    assert_eq!(makers, BTreeSet::from(["jobs::guard".to_owned()]));
}

#[test]
fn other_programs_are_started_in_one_place_alone() {
    // There our secrets are taken out of what they get.
    for source in sources() {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        let starts = ["Command::new(", "Command as ", "Command::{"]
            .iter()
            .any(|word| source.code.contains(word));
        assert_eq!(
            starts,
            module == ["secret", "program"],
            "{}",
            source.path.display()
        );
    }
}

#[test]
fn every_key_of_every_verb_reaches_it_somewhere() {
    let keymap = Keymap::with(&[]).expect("the table as it stands");
    for verb in VERBS {
        for keys in verb.keys {
            let chords: Vec<Chord> = keys
                .split_whitespace()
                .map(|key| key.parse().expect("a key"))
                .collect();
            let reaches = |stack: &&&[Context]| {
                let mut pending = None;
                for chord in &chords {
                    match keymap.find(stack, pending, *chord) {
                        Found::Action(action) => return action == verb.action,
                        Found::Pending => pending = Some(*chord),
                        Found::Nothing => return false,
                    }
                }
                false
            };
            assert!(
                Context::STACKS.iter().any(|stack| reaches(&stack)),
                "`{keys}` never means `{}`",
                verb.name
            );
        }
    }
}

#[test]
fn no_letter_or_ctrl_chord_alone_destroys() {
    for verb in VERBS {
        let destroys = matches!(
            verb.action,
            Action::Delete | Action::PurgeMarked | Action::PurgeAll
        );
        if destroys {
            assert!(
                verb.keys.iter().all(|key| !key.contains("Ctrl")),
                "{}",
                verb.name
            );
        }
    }
}

#[test]
fn every_verb_is_in_the_help_of_its_place_with_its_keys() {
    let places: [(&str, &[Context]); 5] = [
        ("1", Context::STACKS[0]),
        ("2", Context::STACKS[1]),
        ("3", Context::STACKS[2]),
        ("t", Context::STACKS[3]),
        ("L", Context::STACKS[4]),
    ];
    let mut seen = BTreeSet::new();
    for (keys, _) in places {
        let mut story = Story::browsing(200, 300);
        story.keys(keys).answer_all(&wiki);
        let stack = story.model.contexts();
        story.keys("?");
        let screen = story.screen();
        for verb in VERBS {
            if verb.contexts.iter().any(|context| stack.contains(context)) {
                let first = verb.help.split_whitespace().take(3);
                let first = first.collect::<Vec<_>>().join(" ");
                assert!(screen.contains(&first), "{} is not in the help", verb.name);
                assert!(
                    screen.contains(verb.keys[0]),
                    "{} has no key in the help",
                    verb.name
                );
                seen.insert(verb.name);
            }
        }
    }
    assert_eq!(seen.len(), VERBS.len(), "a verb that no place has");
}

#[test]
fn every_stack_of_contexts_is_one_that_occurs() {
    for (keys, stack) in ["1", "2", "3", "t", "L"].iter().zip(Context::STACKS) {
        let mut story = Story::browsing(120, 40);
        story.keys(keys).answer_all(&wiki);
        assert_eq!(story.model.contexts(), stack);
    }
}

#[test]
fn a_key_that_means_nothing_asks_for_nothing() {
    let keymap = Keymap::with(&[]).expect("the table as it stands");
    let mut story = Story::browsing(120, 40);
    for c in (' '..='~').filter(|c| !c.is_alphanumeric()) {
        let chord: Chord = Chord::plain(coracle::app::key::Key::Char(c));
        if keymap.find(story.model.contexts(), None, chord) == Found::Nothing {
            let (before, screen) = (story.sent.len(), story.screen());
            story.press(KeyPress::press(chord));
            assert_eq!((story.sent.len(), story.screen()), (before, screen), "{c}");
        }
    }
}

/// The strings of a source outside its tests, as they read.
fn strings(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next();
    let mut rest = code.unwrap_or_default();
    let mut found = Vec::new();
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let end = end.map_or(rest.len(), |(at, _)| at);
            // A line that is broken in the source is none on the screen.
            let broken = rest[1..end].split("\\\n");
            found.push(broken.map(str::trim_start).collect());
            end + 1
        } else if rest.starts_with("'\"'") {
            3
        } else {
            c.len_utf8()
        };
        rest = rest.get(skip..).unwrap_or_default();
    }
    found
}

/// The key that a sentence spells: a default key of a verb where a sentence or a part of one begins,
/// before a word that says what it does.
fn spelt<'t>(text: &'t str, keys: &BTreeSet<&str>) -> Option<&'t str> {
    let begins = [". ", "; ", ": ", "  ", "(", ", "];
    let starts = begins.iter().flat_map(|mark| {
        let found = text.match_indices(mark);
        found.map(|(at, mark)| at + mark.len())
    });
    std::iter::once(0)
        .chain(starts)
        .filter_map(|at| text[at..].split_once(' '))
        .find(|(key, after)| keys.contains(key) && after.starts_with(|c: char| c.is_lowercase()))
        .map(|(key, _)| key)
}

/// Keys that a file may spell, as a dialog that is drawn or told there has them for itself: they are
/// never rebound.
fn of_dialogs(path: &Path) -> &'static [&'static str] {
    let path = path.to_string_lossy();
    let drawn = [
        "backups",
        "confirm",
        "form",
        "jobs",
        "modal",
        "plans",
        "setup",
        "space_forms",
    ];
    let is_drawn = drawn.iter().any(|name| path == format!("ui/{name}.rs"));
    match &*path {
        "app/modal/jobs.rs" => &["r", "p", "c", "Enter", "Esc"],
        _ if is_drawn || path.starts_with("app/modal/") => {
            &["Enter", "Esc", "Tab", "PgUp", "PgDn", "y"]
        }
        _ => &[],
    }
}

/// Sentences that only look as if they spelt a verb's key.
const NO_VERBS: [&str; 3] = [
    // The key of a space.
    "Space key",
    // Ctrl-c quits whatever is bound to it.
    "Waiting for the answers that are under way. Ctrl-c quits at once.",
    // The list of jobs.
    "{title} asks you something. ‹jobs› shows the job, Enter its question.",
];

#[test]
fn no_sentence_spells_a_key() {
    let keys = VERBS.iter().flat_map(|verb| verb.keys).copied();
    // These begin a part of a sentence as words, too: an article, numbers, sides.
    let words = [
        "a", "1", "2", "3", "Left", "Right", "Up", "Down", "Home", "End",
    ];
    let keys: BTreeSet<&str> = keys.filter(|key| !words.contains(key)).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut looked_at = 0;
    for source in sources() {
        let room = source.module.first().map_or("", String::as_str);
        // The table of verbs and the names of keys are what is looked up.
        let is_table = source.path.ends_with("action.rs") || source.path.ends_with("key.rs");
        if !["app", "ui", "jobs", "doctor", "confluence"].contains(&room) || is_table {
            continue;
        }
        let text = fs::read_to_string(root.join(&source.path)).expect("a source");
        let own = of_dialogs(&source.path);
        let keys: BTreeSet<&str> = keys
            .iter()
            .copied()
            .filter(|key| !own.contains(key))
            .collect();
        for sentence in strings(&text) {
            looked_at += 1;
            let allowed = NO_VERBS.contains(&sentence.as_str());
            if let Some(key) = spelt(&sentence, &keys).filter(|_| !allowed) {
                panic!(
                    "{}: {key} in {sentence:?}: name the verb, as in ‹refresh›",
                    source.path.display()
                );
            }
        }
    }
    assert!(looked_at > 2_000, "{looked_at}");
    // The check itself can fail.
    for sentence in [
        "It is cut. r reads on.",
        "B shows it.",
        "stopped, r reads on",
    ] {
        assert!(spelt(sentence, &keys).is_some(), "{sentence}");
    }
    assert_eq!(strings("say(\"one \\\n   two\")"), ["one two"]);
}

/// The tests that a row of the documentation names in its last column: `module::test` of this
/// binary, or `room::module::tests::test` of the library.
fn named_tests(row: &str) -> Vec<String> {
    let last = row.trim().trim_end_matches('|').rsplit('|').next();
    let parts = last.unwrap_or_default().split('`');
    // Every second part stands between backticks.
    parts.skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a test of that name is where its name says.
fn is_a_test(name: &str) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some((place, test)) = name.rsplit_once("::") else {
        return false;
    };
    let files = match place.strip_suffix("::tests") {
        Some(module) => {
            let path = root.join("src").join(module.replace("::", "/"));
            vec![
                path.with_extension("rs"),
                path.join("mod.rs"),
                path.join("tests.rs"),
            ]
        }
        None => vec![root.join("tests/it").join(place).with_extension("rs")],
    };
    files.iter().any(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let Some((before, _)) = text.split_once(&format!("fn {test}(")) else {
            return false;
        };
        // Attributes stand between the item before and the function.
        let item = before.rsplit(['}', ';']).next().unwrap_or_default();
        item.contains("#[test]") && !item.contains("#[ignore")
    })
}

#[test]
fn every_fault_of_the_documentation_has_its_test() {
    let text = include_str!("../../docs/reliability.md");
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| fault ") && !line.starts_with("| ---")
        })
        .collect();
    let mut faults = BTreeSet::new();
    let mut before_a_server = 0;
    for row in &rows {
        let cells: Vec<&str> = row
            .trim_matches(['|', ' '])
            .split('|')
            .map(str::trim)
            .collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(faults.insert(cells[0]), "told twice: {row}");
        let tests = named_tests(row);
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            assert!(is_a_test(&test), "there is no test {test}: {row}");
        }
        let made = ["raw socket", "TLS server", "proxy", "embedded", "program"];
        before_a_server += usize::from(made.iter().any(|how| cells[1].contains(how)));
    }
    assert!(before_a_server >= 60, "{before_a_server} of {}", rows.len());
    // The check itself can fail.
    assert!(!is_a_test("faults::a_test_that_is_not_there"));
    assert!(!is_a_test("faults::here"), "a function that is no test");
}
