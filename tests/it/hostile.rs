//! Servers, files and surroundings that mean harm: nothing of theirs reaches the screen as more
//! than text, nothing makes the program fall over, and nothing takes more than its share.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use coracle::app::message::{DiskCall, DiskReply, Effect, Msg};
use coracle::app::view::Kept;
use coracle::config;
use coracle::confluence::call::{Depth, SpacesFilter, Window};
use coracle::confluence::{
    ApiError, Call, ContentId, ErrorKind, Headers, LongTaskId, Page, Reply, ServerText, SpaceKey,
    SpaceStatus,
};
use coracle::jobs::backup::Manifest;
use coracle::jobs::journal;
use coracle::ui::theme;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::faults::{Script, answer, send_with, settings};
use crate::simulation::download;
use crate::story::{Story, space, wiki};
use crate::terminal::{Terminal, coracle};

/// Escapes of C0 and C1, a turned direction, hidden characters, a tower of marks.
fn evil() -> String {
    format!(
        "a\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}b\u{2066}\u{200b}\u{feff}\u{7f}\u{0}\r\n\u{2028}{}z",
        "\u{301}".repeat(400)
    )
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'
            | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{2060}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Line breaks belong to descriptions.
fn check(place: &str, text: &str) {
    if let Some(c) = text.chars().find(|&c| c != '\n' && is_harmful(c)) {
        panic!("{c:?} in {place}: {text:?}");
    }
    let marks = text.split(|c| c != '\u{301}').map(str::len).max();
    assert!(marks.unwrap_or(0) < 64, "a tower of marks in {place}");
}

/// Puts the evil text behind every string, and checks how often it did.
fn poison(value: &mut Value, name: &str) -> usize {
    match value {
        // What decides about meaning stays what it is.
        Value::String(_) if matches!(name, "id" | "type" | "when" | "nextCursor" | "next") => 0,
        Value::String(text) => {
            text.push_str(&evil());
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| poison(item, name)).sum(),
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(name, value)| poison(value, name))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Whether a field of a reply is written or kept as it was sent, and so has a type of its own.
fn is_kept_as_sent(place: &str) -> bool {
    let (holder, name) = place.rsplit_once('.').unwrap_or(("", place));
    let is_reference = ["ancestors", "container", "homepage"]
        .iter()
        .any(|it| holder.ends_with(it));
    let names = [
        "title",
        "name",
        "labels",
        "groups",
        "file_note",
        "selection",
    ];
    names.contains(&name) && !is_reference
}

/// Checks every text of a reply but the bodies, which are kept to the byte.
fn look_through(value: &Value, place: &str) -> usize {
    match value {
        // A link to a file is looked at where it is followed: it must not lead out of the base.
        Value::String(_) if place.contains("body_") || place.ends_with(".download") => 0,
        // A `ServerText` stands in JSON as it was sent; what is shown of it is checked.
        Value::String(text) if is_kept_as_sent(place) => {
            check(place, ServerText::new(text).shown());
            1
        }
        Value::String(text) => {
            check(place, text);
            1
        }
        Value::Array(items) => items.iter().map(|item| look_through(item, place)).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                check(place, name);
                look_through(value, &format!("{place}.{name}"))
            })
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn json_headers() -> Headers {
    Headers::from_iter([("Content-Type", "application/json")])
}

const WINDOW: Window = Window {
    start: 0,
    limit: 25,
};

fn eng() -> SpaceKey {
    SpaceKey::new("ENG")
}

/// Every operation that reads, with an answer of it.
fn answers() -> Vec<(Call, String)> {
    let sample = |text: &str| text.to_owned();
    vec![
        (
            Call::Spaces {
                filter: SpacesFilter::default(),
                expand: String::new(),
                window: WINDOW,
            },
            sample(include_str!("samples/spaces-7.json")),
        ),
        (
            Call::Space {
                key: eng(),
                expand: String::new(),
            },
            sample(include_str!("samples/space-10.json")),
        ),
        (
            Call::SpaceContent {
                key: eng(),
                depth: Depth::All,
                expand: String::new(),
                window: WINDOW,
            },
            sample(include_str!("samples/content-by-type.json")),
        ),
        (
            Call::Trash {
                key: eng(),
                cursor: None,
                expand: String::new(),
                limit: 25,
            },
            sample(include_str!("samples/trash-1.json")),
        ),
        (
            Call::Content {
                id: ContentId::new("1"),
                status: None,
                expand: String::new(),
            },
            sample(include_str!("samples/content-full.json")),
        ),
        (
            Call::CurrentUser,
            sample(r#"{"type":"known","username":"a","userKey":"k","displayName":"A"}"#),
        ),
        (
            Call::ServerInfo,
            sample(r#"{"version":"9.2","buildNumber":"1","baseUrl":"http://x"}"#),
        ),
        (
            Call::LongTask {
                id: LongTaskId("t".to_owned()),
            },
            sample(
                r#"{"id":"t","name":{"key":"n","args":["x"]},"percentageComplete":4,"messages":[{"translation":"m","args":[]},{"translation":null,"args":["y"]},"z"]}"#,
            ),
        ),
    ]
}

/// What the real client makes of a body that a raw socket answers with.
fn over_a_socket(call: &Call, body: &str) -> Result<Reply, ApiError> {
    let script = Script::new(vec![answer("200 OK", "", body)]);
    let settings = coracle::confluence::client::Settings {
        max_body: 16 << 20,
        read_timeout: std::time::Duration::from_secs(20),
        ..settings(&script.address)
    };
    send_with(settings, call).0.outcome
}

#[test]
fn every_text_of_every_answer_is_scrubbed() {
    for (call, sample) in answers() {
        let mut body: Value = serde_json::from_str(&sample).expect("a sample");
        assert!(poison(&mut body, "") > 1, "{call:?}");
        let reply = over_a_socket(&call, &body.to_string())
            .unwrap_or_else(|error| panic!("{call:?}: {error:?}"));
        let told = serde_json::to_value(&reply).expect("plain data");
        assert!(look_through(&told, "") > 0, "{call:?}");
    }
}

#[test]
fn a_link_to_a_file_that_leads_elsewhere_or_hides_something_is_not_followed() {
    for path in [
        format!("/download/{}", evil()),
        "/download/../../admin".to_owned(),
        "//evil.example/x".to_owned(),
        "https://evil.example/x".to_owned(),
    ] {
        let request = download(path).request();
        assert!(!request.stays_below_base(), "{request:?}");
    }
}

/// What would lead elsewhere as a part of a path, for one of those that a request passes on its way.
const NO_IDS: [&str; 7] = [
    "..%2F",
    "../space/ENG",
    "1/../2",
    "..\\2",
    "%2e%2e",
    "1?x=1",
    "١",
];

#[test]
fn what_a_server_or_a_file_calls_an_id_and_is_none_is_taken_for_no_thing() {
    let content = |id: &str| {
        let call = Call::Content {
            id: ContentId::new("1"),
            status: None,
            expand: String::new(),
        };
        let body = serde_json::json!({"id": id, "type": "page", "title": "A"});
        over_a_socket(&call, &body.to_string())
    };
    assert!(content("1").is_ok(), "what is one");
    assert!(content("att12").is_ok(), "what is one");
    for id in NO_IDS {
        assert!(content(id).is_err(), "{id}");
        let file = serde_json::to_string(id).expect("a text");
        assert!(serde_json::from_str::<ContentId>(&file).is_err(), "{id}");
    }
}

#[test]
fn no_request_about_an_id_leads_to_another_thing() {
    for id in NO_IDS.into_iter().filter(|id| id.contains(['/', '\\'])) {
        let call = Call::PurgeContent {
            id: ContentId::new(id),
        };
        assert!(!call.request().stays_below_base(), "{id}");
    }
    // A personal key may hold a slash, and leads up with none.
    for (key, stays) in [("~a/b", true), ("~a/../b", false), ("..\\ENG", false)] {
        let call = Call::DeleteSpace {
            key: SpaceKey::new(key),
        };
        assert_eq!(call.request().stays_below_base(), stays, "{key}");
    }
}

fn check_error(error: &ApiError) {
    check("message", &error.message);
    check("hint", &error.hint());
    for detail in &error.details {
        check("detail", detail);
    }
    let told = serde_json::to_value(error).expect("plain data");
    look_through(&told, "");
    assert!(error.message.chars().count() <= 501, "{error}");
}

#[test]
fn every_text_of_every_refusal_is_scrubbed_and_short() {
    let evil = evil();
    // What a header can hold of it.
    let header: String = evil.chars().filter(|c| !c.is_control()).collect();
    let long = "x".repeat(100_000);
    let call = Call::CurrentUser;
    for status in [
        200, 301, 302, 400, 401, 402, 403, 404, 405, 407, 409, 418, 429, 500, 503,
    ] {
        for (kind, body) in [
            (
                "application/json",
                json!({"message": format!("m{evil}{long}"), "reason": evil, "data": {"errors": [{"message": {"translation": evil}}, evil]}}).to_string(),
            ),
            ("text/html", format!("<html><title>{evil}{long}</title>{evil}")),
            (header.as_str(), evil.clone()),
        ] {
            let headers = Headers::from_iter([
                ("Content-Type", kind),
                ("Location", header.as_str()),
                ("X-Authentication-Denied-Reason", header.as_str()),
                ("Server", header.as_str()),
                ("Retry-After", header.as_str()),
            ]);
            let error = call
                .decode(status, &headers, body.as_bytes())
                .expect_err("a refusal");
            check_error(&error);
        }
        let lock = format!("CAPTCHA_CHALLENGE; login-url=https://x/{header}");
        let headers = Headers::from_iter([("X-Authentication-Denied-Reason", lock.as_str())]);
        if let Err(error) = call.decode(status, &headers, b"") {
            check_error(&error);
        }
    }
}

#[test]
fn numbers_out_of_all_bounds_are_clamped_and_shown() {
    let huge = [
        "1e400",
        "-1",
        "99999999999999999999999999",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1.5",
        "\"12x\"",
        "true",
    ];
    for number in huge {
        for (call, sample) in answers() {
            let mut body: Value = serde_json::from_str(&sample).expect("a sample");
            let marker = "@number@";
            replace_numbers(&mut body, marker);
            let text = body.to_string().replace(&format!("\"{marker}\""), number);
            // Either it is taken or it is refused; a crash would be neither.
            let _ = over_a_socket(&call, &text);
        }
        // And what is taken can be shown.
        let call = Call::Spaces {
            filter: SpacesFilter::default(),
            expand: String::new(),
            window: WINDOW,
        };
        let body = format!(
            r#"{{"results":[{{"id":{number},"key":"ENG","name":"E"}}],"start":{number},"limit":{number},"size":{number},"totalCount":{number},"_links":{{"next":"/rest/api/space?start={number}"}}}}"#
        );
        let Ok(Reply::Spaces(page)) = call.decode(200, &json_headers(), body.as_bytes()) else {
            continue;
        };
        let mut story = Story::start(80, 24);
        story.answer(wiki(&Call::CurrentUser));
        let once = |call: &Call| match call {
            Call::Spaces { window, .. } if window.start == 0 => Ok(Reply::Spaces(page.clone())),
            Call::Spaces { .. } => Ok(Reply::Spaces(Page {
                results: Vec::new(),
                start: 0,
                limit: None,
                total: page.total,
                has_next: false,
            })),
            other => wiki(other),
        };
        story.answer_all(&once);
        let screen = story.screen();
        assert!(screen.contains("ENG"), "{number}: {screen}");
    }
}

fn replace_numbers(value: &mut Value, marker: &str) {
    match value {
        Value::Number(_) => *value = Value::String(marker.to_owned()),
        Value::Array(items) => items.iter_mut().for_each(|it| replace_numbers(it, marker)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|it| replace_numbers(it, marker)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn a_list_that_repeats_its_ids_for_ever_ends_and_shows_each_once() {
    let mut story = Story::start(120, 40);
    story.answer(wiki(&Call::CurrentUser));
    let asked = std::cell::Cell::new(0);
    let same = |call: &Call| match call {
        Call::Spaces { window, .. } => {
            asked.set(asked.get() + 1);
            assert!(asked.get() < 100, "it is asked for ever");
            Ok(Reply::Spaces(Page {
                results: vec![space("ENG", "Engineering", SpaceStatus::Current); 25],
                start: window.start,
                limit: Some(25),
                total: None,
                has_next: true,
            }))
        }
        other => wiki(other),
    };
    story.answer_all(&same);
    assert_eq!(story.model.spaces.len(), 1);
}

#[test]
fn an_answer_of_a_hundred_thousand_rows_or_fields_is_taken_in_time_and_memory() {
    let rows = (0..100_000)
        .map(|n| format!(r#"{{"key":"K{n}","name":"N"}}"#))
        .collect::<Vec<_>>()
        .join(",");
    let call = Call::Spaces {
        filter: SpacesFilter::default(),
        expand: String::new(),
        window: WINDOW,
    };
    let answer = over_a_socket(&call, &format!("{{\"results\":[{rows}]}}"));
    let Ok(Reply::Spaces(page)) = answer else {
        panic!("a list");
    };
    assert_eq!(page.results.len(), 100_000);
    let fields = (0..100_000)
        .map(|n| format!("\"f{n}\":[{{}}]"))
        .collect::<Vec<_>>()
        .join(",");
    let space = Call::Space {
        key: eng(),
        expand: String::new(),
    };
    let body = format!("{{\"key\":\"ENG\",{fields}}}");
    assert!(over_a_socket(&space, &body).is_ok());
}

#[test]
fn an_answer_that_is_ten_thousand_levels_deep_does_no_harm() {
    let (open, close) = ("[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let mut refused = 0;
    for (call, _) in answers() {
        for body in [
            format!("{open}{close}"),
            format!("{{\"results\":{open}{close}}}"),
            format!("{{\"results\":[{{\"id\":\"1\",\"body\":{objects}}}]}}"),
            objects.clone(),
        ] {
            let outcome = over_a_socket(&call, &body);
            // What is of no use is passed over, however deep it is.
            if let Err(error) = outcome {
                refused += 1;
                assert_eq!(error.kind, ErrorKind::Malformed, "{call:?}: {error:?}");
                check_error(&error);
            }
        }
    }
    assert!(refused >= answers().len(), "{refused} refused");
}

// ---- Files --------------------------------------------------------------------------------

/// Runs the program without a terminal.
fn run(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// Everything that it said, checked.
fn said(output: &Output) -> String {
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    check("what is printed", &said);
    said
}

#[test]
fn a_configuration_with_escapes_is_quoted_without_them() {
    let evil = "\u{1b}[2J\u{202e}\u{9b}31m";
    for text in [
        format!("theme = \"{evil}\"\n'{evil}' = 1\n"),
        format!("[profiles.'{evil}']\nurl = '{evil}'\nca_file = 7\n"),
        format!("[keys.'{evil}']\n'{evil}' = ['{evil}']\n"),
        evil.to_owned(),
        format!("# {evil}\ncolor = '{evil}'"),
    ] {
        let home = TempDir::new().expect("a folder for the test");
        let file = home.path().join("config.toml");
        fs::write(&file, &text).expect("a file");
        let output = run(home.path(), &["keys", "--config", &file.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(!said(&output).is_empty());
    }
}

#[test]
fn a_configuration_that_is_deep_huge_or_no_file_is_refused_in_words() {
    let home = TempDir::new().expect("a folder for the test");
    let file = home.path().join("config.toml");
    let arguments = ["keys", "--config", &file.to_string_lossy()];
    let refused = |what: &str, expected: &str| {
        let output = run(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{what}: {output:?}");
        let said = said(&output);
        assert!(said.contains(expected), "{what}: {said}");
    };
    for deep in [
        format!("theme = {}", "[".repeat(10_000)),
        format!("theme = {}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{} = 1", vec!["a"; 10_000].join(".")),
        format!("theme = {}", "{a=".repeat(10_000)),
    ] {
        fs::write(&file, deep).expect("a file");
        refused("deep", "config.toml");
    }
    fs::write(&file, b"theme = '\xff\xfe'").expect("a file");
    refused("bytes", "UTF-8");
    fs::File::create(&file)
        .and_then(|file| file.set_len(1 << 40))
        .expect("a file");
    refused("a terabyte", "larger than 4 MiB");
    fs::remove_file(&file).expect("gone");
    fs::create_dir(&file).expect("a folder");
    refused("a folder", "not a file");
    fs::remove_dir(&file).expect("gone");
    std::os::unix::fs::symlink("/dev/zero", &file).expect("a link");
    refused("a device", "not a file");
    fs::remove_file(&file).expect("gone");
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RUSR).expect("a pipe");
    refused("a pipe", "not a file");
}

#[test]
fn thousands_of_problems_are_told_without_end_of_memory_or_patience() {
    let lines: Vec<String> = (0..5_000).map(|n| format!("nonsense_{n} = 1")).collect();
    let text = lines.join("\n");
    let problems = config::parse(&text, Path::new("/"), Ok(())).expect_err("all wrong");
    assert_eq!(problems.len(), 5_000);
    let told = config::failure("config.toml", &text, &problems).text();
    assert!(told.len() < 4 << 20, "{}", told.len());
}

#[test]
fn a_theme_that_is_none_is_told_without_its_escapes() {
    let evil = "\u{1b}[2J\u{202e}";
    for text in [
        "[".repeat(10_000),
        format!("'{evil}' = 1"),
        format!("[roles]\n'{evil}' = {{ fg = '{evil}' }}"),
        format!("inherits = '{evil}'"),
        format!("[profiles]\n'{evil}' = '{evil}'"),
        "\u{0}".to_owned(),
    ] {
        let Err(error) = theme::parse("mine", &text, theme::Depth::True) else {
            continue;
        };
        // As the program prints it.
        let home = TempDir::new().expect("a folder for the test");
        let themes = home.path().join(".config/coracle/themes");
        fs::create_dir_all(&themes).expect("a folder");
        fs::write(themes.join("mine.toml"), &text).expect("a theme");
        let ended = Terminal::start(
            coracle(home.path(), &["--demo", "--theme", "mine"]),
            100,
            30,
        )
        .end();
        assert_eq!(ended.code, 2, "{error}");
        let bytes = String::from_utf8_lossy(&ended.bytes).into_owned();
        assert!(
            !bytes.contains(|c| is_harmful(c) && !matches!(c, '\r' | '\n')),
            "{bytes:?}"
        );
    }
}

#[test]
fn what_was_kept_of_the_looks_can_be_anything() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for text in [
        String::new(),
        "null".to_owned(),
        deep.clone(),
        format!("{{\"split\":{deep}}}"),
        r#"{"split":1e400,"sort":7,"space":{},"tab":"nothing","recent":["a",1]}"#.to_owned(),
        r#"{"split":-5,"space":"\u001b[2J\u202e","recent":["\u001b[2J"]}"#.to_owned(),
        format!(r#"{{"space":"{}"}}"#, "x".repeat(1_000_000)),
        format!(r#"{{"recent":{:?}}}"#, vec!["log"; 100_000]),
    ] {
        let kept = Kept::read(&text);
        assert!(kept.recent.len() <= 8);
        // And the program goes on with it.
        let mut story = Story::browsing(80, 24);
        let ticket = story.effects.iter().find_map(|effect| match effect {
            Effect::Disk {
                ticket,
                call: DiskCall::ReadState { .. },
            } => Some(*ticket),
            _ => None,
        });
        story.happen(Msg::Disk {
            ticket: ticket.expect("it is read"),
            outcome: Ok(DiskReply::Text(Some(text))),
        });
        story.rest().answer_all(&wiki);
        let screen = story.screen();
        assert!(screen.contains("ENG"), "{screen}");
        check("the screen", &screen);
    }
}

#[test]
fn a_journal_that_was_written_by_somebody_else_is_told_without_its_escapes() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let home = TempDir::new().expect("a folder for the test");
    let file = home.path().join("journal.ndjson");
    for (number, text) in [
        "\u{1b}[2J\u{202e}\n".to_owned(),
        format!("{deep}\n{deep}\n"),
        "{\"seq\":1e400,\"prev\":\"\u{1b}\"}\n".to_owned(),
        format!(
            "{{\"what\":\"\u{1b}[2J\",\"x\":\"{}\"}}\n",
            "y".repeat(1_000_000)
        ),
        "\n\n\n\n".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = journal::verify(text.lines().map(str::as_bytes));
        fs::write(&file, &text).expect("a file");
        let output = run(home.path(), &["journal", "verify", &file.to_string_lossy()]);
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{number}: {output:?}"
        );
        assert!(said(&output).len() < 4_000, "{number}");
    }
}

#[test]
fn a_manifest_that_was_written_by_somebody_else_does_no_harm() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let home = TempDir::new().expect("a folder for the test");
    let backups = home.path().join(".local/share/coracle/backups");
    for (name, text) in [
        ("deep", deep),
        ("nothing", String::new()),
        (
            "escapes",
            "{\"format\":\"\u{1b}[2J\u{202e}\",\"version\":1}".to_owned(),
        ),
        (
            "numbers",
            r#"{"format":"coracle-backup","version":99999999999999999999,"items":-1}"#.to_owned(),
        ),
    ] {
        assert!(Manifest::decode(text.as_bytes()).is_err(), "{name}");
        let folder = backups.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("manifest.json"), text).expect("a manifest");
    }
    // The name of a folder is text from outside, too.
    fs::create_dir_all(backups.join("x\u{1b}[2J\u{202e}y")).expect("a folder");
    let list = run(home.path(), &["backup", "list"]);
    assert_eq!(list.status.code(), Some(0));
    assert!(said(&list).contains("numbers"), "{}", said(&list));
    let verify = run(home.path(), &["backup", "verify"]);
    assert_eq!(verify.status.code(), Some(1));
    said(&verify);
}

#[test]
fn a_recording_that_was_written_by_somebody_else_is_told_without_its_escapes() {
    let home = TempDir::new().expect("a folder for the test");
    let file = home.path().join("visit.ndjson");
    for text in [
        "[".repeat(10_000),
        "\u{1b}[2J\u{202e}".to_owned(),
        "{\"coracle\":\"\u{1b}[2J\"}\n".to_owned(),
    ] {
        fs::write(&file, text).expect("a file");
        let output = run(home.path(), &["replay", &file.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(!said(&output).is_empty());
    }
}

// ---- Surroundings -------------------------------------------------------------------------

#[test]
fn variables_that_hold_anything_do_no_harm() {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = std::ffi::OsStr::from_bytes(b"\xff\xfe\x1b[2J");
    let names = [
        "EDITOR",
        "VISUAL",
        "BROWSER",
        "LANG",
        "LC_ALL",
        "COLORTERM",
        "NO_COLOR",
        "TMUX",
        "STY",
        "SSH_TTY",
        "TZ",
        "COLUMNS",
        "LINES",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
    ];
    let home = TempDir::new().expect("a folder for the test");
    let mut command = coracle(home.path(), &["--demo"]);
    for name in names {
        command.env(name, bytes);
    }
    let mut terminal = Terminal::start(command, 100, 30);
    terminal.wait_for("42 of 42");
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    assert!(
        !ended.bytes.windows(6).any(|at| at == b"\xff\xfe\x1b[2J"),
        "nothing of it was written"
    );
}

#[test]
fn a_token_from_the_surroundings_that_can_be_none_is_told_without_it() {
    use std::os::unix::ffi::OsStrExt as _;
    for token in [&b"tw0\x1b[2J-s3cret"[..], b"\xff\xfe-s3cret", b" "] {
        let home = TempDir::new().expect("a folder for the test");
        let mut command = coracle(home.path(), &["--url", "http://127.0.0.1:1"]);
        command.env("CORACLE_TOKEN", std::ffi::OsStr::from_bytes(token));
        let mut terminal = Terminal::start(command, 120, 30);
        terminal.wait_for("CORACLE_TOKEN");
        terminal.send("q");
        let ended = terminal.end();
        assert_eq!(ended.code, 0);
        assert!(!String::from_utf8_lossy(&ended.bytes).contains("s3cret"));
    }
}

#[test]
fn without_a_home_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .arg("--print-paths")
        .env_clear()
        .env("HOME", "")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    // Somebody without HOME may still have one by the system's list of users.
    assert!(matches!(output.status.code(), Some(0 | 2)));
    assert!(!said(&output).is_empty());
}
