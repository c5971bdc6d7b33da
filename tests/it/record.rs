//! Recordings: the same messages lead to the same screens, and no secret is in them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use base64::Engine as _;
use coracle::demo::{Options, Server};
use coracle::shell::record::{Recorder, Replay, ReplayError};

use crate::terminal::{Terminal, coracle};

/// Records a visit to a server that wants a token, and gives the recording and the last screen.
fn visit(home: &std::path::Path, token: &str) -> (std::path::PathBuf, String) {
    let server = Server::start(Options {
        token: Some(token.to_owned()),
        ..Options::default()
    })
    .expect("a server");
    let file = home.join("visit.ndjson");
    let path = file.to_string_lossy().into_owned();
    let arguments = ["--url", server.base_url(), "--record", &path];
    let mut command = coracle(home, &arguments);
    command.env("CORACLE_TOKEN", token);
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for("ENG");
    terminal.send("/eng\r");
    terminal.wait_for("/ eng");
    terminal.send("?");
    // The lowest row of the dialog: all of the frame is there.
    terminal.wait("help is there", |screen| {
        screen.contents().contains("lines more") && screen.contents().contains("q close")
    });
    let last = terminal.contents();
    terminal.send("qqqq");
    assert_eq!(terminal.end().code, 0);
    (file, last)
}

#[test]
fn a_recording_shows_the_same_screens_again() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let token = "s3cret-token-of-the-test";
    let (file, last) = visit(home.path(), token);
    let mode = fs::metadata(&file)
        .expect("the recording")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("the recording");
    for secret in [
        token.to_owned(),
        base64::engine::general_purpose::STANDARD.encode(token),
        "Bearer".to_owned(),
        "uthorization".to_owned(),
    ] {
        assert!(!text.contains(&secret), "{secret} is in the recording");
    }
    let replayed = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["replay", &file.to_string_lossy(), "--frames"])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("it runs");
    assert!(replayed.status.success(), "{replayed:?}");
    let frames = String::from_utf8(replayed.stdout).expect("text");
    // The terminal model keeps isolates in the cell before them, also after it was overwritten.
    let plain = |row: &str| {
        let text = row.replace(['\u{2068}', '\u{2069}'], "");
        text.trim_end().to_owned()
    };
    let wanted: Vec<String> = last.lines().map(plain).collect();
    // At the start of a line: in a border the same signs stand before a profile's name.
    let found = frames.split("\n── ").any(|frame| {
        let rows: Vec<String> = frame.lines().skip(1).map(plain).collect();
        rows.iter().zip(&wanted).filter(|(a, b)| a == b).count() + 1 >= wanted.len().min(39)
    });
    assert!(
        found,
        "the last screen is among the frames\n{last}\n{frames}"
    );
    // A picture of its end.
    let picture = home.path().join("end.svg");
    let drawn = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["replay", &file.to_string_lossy(), "--svg"])
        .arg(&picture)
        .env_clear()
        .env("HOME", home.path())
        .output()
        .expect("it runs");
    assert!(drawn.status.success(), "{drawn:?}");
    let svg = fs::read_to_string(&picture).expect("the picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    // A file that is there is never written over.
    let again = Terminal::start(
        coracle(
            home.path(),
            &["--demo", "--record", &file.to_string_lossy()],
        ),
        80,
        24,
    );
    let ended = again.end();
    assert_eq!(ended.code, 2);
    assert!(
        ended.screen.contains("There is a file already"),
        "{}",
        ended.screen
    );
    assert_eq!(fs::read_to_string(&file).expect("the recording"), text);
}

#[test]
fn every_message_of_a_story_comes_back_as_it_was() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let path = home.path().join("story.ndjson");
    let mut recorder = Recorder::create(&path).expect("a new file");
    let start = crate::story::beginning(120, 40);
    recorder.begin(&start).expect("it is written");
    let mut story = crate::story::Story::begin(start);
    story.recorder = Some(recorder);
    story
        .answer_all(&crate::story::wiki)
        .rest()
        .answer_all(&crate::story::wiki);
    story.keys("t").answer_all(&crate::story::wiki);
    story.keys("Space x");
    let mut text = fs::read_to_string(&path).expect("the recording");
    // Cut short in the middle of a line, as by a crash.
    text.push_str("{\"at\":99,\"ms");
    let (mut replay, _) = Replay::new(&text).expect("a recording");
    while let Some(step) = replay.step() {
        step.expect("a message");
    }
    assert_eq!(
        serde_json::to_value(&replay.model).expect("plain data"),
        serde_json::to_value(&story.model).expect("plain data")
    );
}

#[test]
fn a_recording_without_pictures_is_shown_as_it_was_seen() {
    let start = serde_json::to_string(&crate::story::beginning(80, 24)).expect("plain data");
    let mut text = format!("{{\"recording\":1,\"coracle\":\"0\",\"start\":{start}}}\n");
    for (at, key) in [
        (5, "?"),
        (6, "Esc"),
        (7, "J"),
        (8, "o"),
        (9, "Esc"),
        (10, "Esc"),
    ] {
        let key = match key {
            "Esc" => "\"Esc\"".to_owned(),
            letter => format!("{{\"Char\":\"{letter}\"}}"),
        };
        let chord = format!("{{\"key\":{key},\"ctrl\":false,\"alt\":false,\"shift\":false}}");
        let msg = format!("{{\"Key\":{{\"chord\":{chord},\"stroke\":\"Press\"}}}}");
        text.push_str(&format!("{{\"at\":{at},\"msg\":{msg}}}\n"));
    }
    let (mut replay, _) = Replay::new(&text).expect("a recording");
    let mut open = Vec::new();
    while let Some(step) = replay.step() {
        step.expect("a message");
        open.push(replay.model.modals.len());
    }
    assert_eq!(open, [1, 0, 1, 2, 1, 0], "each key was taken");
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    assert!(matches!(Replay::new(""), Err(ReplayError::Empty)));
    assert!(matches!(
        Replay::new("{\"recording\":3}\n"),
        Err(ReplayError::Version(3))
    ));
    assert!(matches!(
        Replay::new("{}\n"),
        Err(ReplayError::Line { line: 1, .. })
    ));
    let start = serde_json::to_string(&crate::story::beginning(80, 24)).expect("plain data");
    let text = format!("{{\"recording\":1,\"coracle\":\"0\",\"start\":{start}}}\nnonsense\n");
    let (mut replay, _) = Replay::new(&text).expect("a beginning");
    assert!(matches!(
        replay.step(),
        Some(Err(ReplayError::Line { line: 2, .. }))
    ));
}

#[test]
fn a_size_that_no_terminal_has_is_refused() {
    let start =
        serde_json::to_string(&crate::story::beginning(65_535, 65_535)).expect("plain data");
    let text = format!("{{\"recording\":1,\"coracle\":\"0\",\"start\":{start}}}\n");
    assert!(matches!(
        Replay::new(&text),
        Err(ReplayError::Line { line: 1, .. })
    ));
    let start = serde_json::to_string(&crate::story::beginning(80, 24)).expect("plain data");
    let resized = r#"{"at":1,"msg":{"Resized":{"width":80,"height":65535}}}"#;
    let text = format!("{{\"recording\":1,\"coracle\":\"0\",\"start\":{start}}}\n{resized}\n");
    let (mut replay, _) = Replay::new(&text).expect("a beginning");
    assert!(matches!(
        replay.step(),
        Some(Err(ReplayError::Line { line: 2, .. }))
    ));
}
