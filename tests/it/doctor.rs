//! `coracle doctor` and `coracle bugreport`: what they tell of servers of each generation, of what is
//! broken, and that neither writes to a server nor tells a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use coracle::demo::{Generation, Options, Seed, Server};
use serde_json::Value;
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

const TOKEN: &str = "NjY2-very-secret-token";

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

/// Runs the program without a terminal.
fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    let said = String::from_utf8(output.stdout.clone()).expect("it writes UTF-8");
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
    said + &errors
}

/// What `--json` says of a check.
fn verdict<'j>(json: &'j Value, check: &str) -> &'j str {
    json["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("{check} is not told"))["verdict"]
        .as_str()
        .expect("a word")
}

fn with_token(generation: Generation) -> Server {
    Server::start(Options {
        generation,
        token: Some(TOKEN.to_owned()),
        ..Options::default()
    })
    .expect("loopback has a free port")
}

#[test]
fn a_server_of_each_generation_is_told_with_what_it_lacks() {
    for (generation, missing) in [
        (Generation::Ten, &[][..]),
        (Generation::Nine, &[4, 12, 13]),
        (Generation::Seven, &[4, 8, 9, 12, 13]),
    ] {
        let (server, home) = (with_token(generation), home());
        let arguments = ["doctor", "--url", server.base_url(), "--json"];
        let output = run(home.path(), &arguments, &[("CORACLE_TOKEN", TOKEN)]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["exit"], 0);
        for check in [
            "secret",
            "proxy",
            "dns",
            "tcp",
            "sign-in",
            "user",
            "version",
            "clock",
            "file-modes",
        ] {
            assert_eq!(verdict(&json, check), "ok", "{check} {text}");
        }
        for number in 1..=13 {
            let expected = if missing.contains(&number) {
                "note"
            } else {
                "ok"
            };
            let found = verdict(&json, &format!("operation-{number}"));
            assert_eq!(found, expected, "{generation:?} {number} {text}");
        }
        for finding in json["checks"].as_array().expect("a list") {
            let wants = matches!(finding["verdict"].as_str(), Some("failed" | "note"));
            assert_eq!(finding["hint"].is_string(), wants, "{finding}");
        }
        let requests = server.requests();
        assert!(requests.len() > 8, "{requests:?}");
        assert!(requests.iter().all(|r| r.method == "GET"), "{requests:?}");
        assert!(requests[0].target.ends_with("/user/current"));
    }
}

#[test]
fn each_check_is_a_line_for_people() {
    let (server, home) = (with_token(Generation::Ten), home());
    let arguments = ["doctor", "--url", server.base_url()];
    let output = run(home.path(), &arguments, &[("CORACLE_TOKEN", TOKEN)]);
    let text = said(&output);
    for label in [
        "Configuration",
        "File modes",
        "Secret",
        "Proxy",
        "Name",
        "Connection",
        "TLS",
        "Sign-in",
        "User",
        "Version",
        "Operation 13",
        "Clock",
        "Colours, Size",
    ] {
        let lines = text
            .lines()
            .filter(|line| line.get(8..).is_some_and(|l| l.starts_with(label)));
        assert_eq!(lines.count(), 1, "{label}\n{text}");
    }
    assert!(text.contains("the variable CORACLE_TOKEN"), "{text}");
}

#[test]
fn a_refused_sign_in_is_exit_3_and_is_asked_once() {
    let (server, home) = (with_token(Generation::Ten), home());
    let arguments = ["doctor", "--url", server.base_url()];
    let output = run(home.path(), &arguments, &[("CORACLE_TOKEN", "wrong-one")]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("FAILED  Sign-in"), "{text}");
    assert!(!text.contains("wrong-one"), "{text}");
    assert_eq!(server.requests().len(), 1, "{:?}", server.requests());
}

#[test]
fn a_secret_that_cannot_be_had_is_exit_3_and_nobody_is_asked_as_nobody() {
    let (server, home) = (with_token(Generation::Ten), home());
    let file = home.path().join("c.toml");
    let text = format!(
        "[profiles.p]\nurl = '{}'\ntoken_command = ['sh', '-c', 'echo no luck >&2; exit 3']\n",
        server.base_url()
    );
    fs::write(&file, text).expect("a configuration");
    let file = file.to_string_lossy();
    let output = run(home.path(), &["doctor", "--config", &file], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("no luck"), "{text}");
    let requests = server.requests();
    assert!(
        requests
            .iter()
            .all(|r| r.target.ends_with("/server-information")),
        "{requests:?}"
    );
}

#[test]
fn what_is_broken_decides_the_exit_code() {
    // Nobody listens at a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", free.local_addr().expect("its address"));
    drop(free);
    let home = home();
    let output = run(home.path(), &["doctor", "--url", &address], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("FAILED  Connection"), "{text}");
    // What was not looked at for one reason is one line.
    assert_eq!(text.matches("There is no connection.").count(), 1, "{text}");
    assert!(
        text.contains("TLS, Sign-in, User, Version, Operations 1-13, Clock"),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let output = run(home.path(), &["doctor", "--url", &address, "--json"], &[]);
    let json: Value = serde_json::from_str(&said(&output)).expect("JSON");
    assert_eq!(verdict(&json, "operation-13"), "skipped");

    let file = home.path().join("c.toml");
    fs::write(&file, "colour = 1\n[profiles.p]\nurl = 7\n").expect("a configuration");
    let named = file.to_string_lossy();
    let output = run(home.path(), &["doctor", "--config", &named], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.matches("FAILED  Configuration").count(), 2, "{text}");
    assert!(text.contains("c.toml:1:1:"), "{text}");

    let state = home.path().join(".local/state/coracle");
    fs::create_dir_all(&state).expect("a folder");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).expect("a mode");
    let server = Server::start(Options::default()).expect("loopback has a free port");
    let output = run(home.path(), &["doctor", "--url", server.base_url()], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("chmod go-rwx"), "{text}");

    let output = run(home.path(), &["doctor", "--profile", "nope"], &[]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn a_configuration_that_others_can_write_counts_among_the_file_modes() {
    let home = home();
    let file = home.path().join("c.toml");
    fs::write(&file, "[profiles.p]\nurl = 'http://127.0.0.1:9'\n").expect("a configuration");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    let named = file.to_string_lossy();
    let output = run(home.path(), &["doctor", "--config", &named], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("ok      File modes"), "{text}");
    assert!(text.contains("FAILED  File modes"), "{text}");
    assert!(text.contains("(0666)"), "{text}");
    // That others can read it is no fault: there is no secret in it.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
    let output = run(home.path(), &["doctor", "--config", &named], &[]);
    assert!(
        said(&output).contains("ok      File modes"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_wiki_without_a_space_leaves_open_what_only_a_space_tells() {
    let home = home();
    let server = Server::start(Options {
        seed: Seed::Empty,
        ..Options::default()
    })
    .expect("loopback has a free port");
    let arguments = ["doctor", "--url", server.base_url(), "--json"];
    let output = run(home.path(), &arguments, &[]);
    let json: Value = serde_json::from_str(&said(&output)).expect("JSON");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(verdict(&json, "operation-1"), "ok");
    assert_eq!(verdict(&json, "operation-12"), "skipped");
}

#[test]
fn a_terminal_is_asked_and_its_answers_are_told() {
    let home = home();
    let mut terminal = Terminal::start(coracle(home.path(), &["doctor"]), 120, 40);
    terminal.wait_for_bytes(b"\x1b[?1006$p\x1b[c");
    terminal.send(b"\x1b[9;3R\x1b[9;3R\x1b[9;3R\x1b[?2026;2$y\x1b[?1006;2$y\x1b[?62;22c");
    terminal.wait_for("Whole frames");
    let ended = terminal.end();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    for line in [
        "ok      Size              120×40",
        "counts combining marks in another way",
        "ok      Whole frames      Supported.",
        "ok      Mouse             Reported",
    ] {
        assert!(ended.screen.contains(line), "{line}\n{}", ended.screen);
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_bug_report_has_everything_but_a_secret() {
    let (server, home) = (with_token(Generation::Ten), home());
    let secret = home.path().join("secret");
    fs::write(&secret, format!("{TOKEN}\n")).expect("a secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("a mode");
    let file = home.path().join("c.toml");
    let url = server.base_url();
    let text = format!(
        "default_profile = 'p'\n\
         [profiles.p]\nurl = '{url}'\ntoken_file = 'secret'\nproxy = 'http://me:proxy-pass@p:1'\n\
         [profiles.inline]\nurl = '{url}'\ntoken = 'inline-secret'\n\
         [profiles.command]\nurl = '{url}'\ntoken_command = ['printf', 'argument-secret']\n"
    );
    fs::write(&file, text).expect("a configuration");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    // Even if one had come into the log.
    let state = home.path().join(".local/state/coracle");
    fs::create_dir_all(&state).expect("a folder");
    let log = state.join("coracle.log");
    fs::write(
        &log,
        format!("a line with {TOKEN} and \u{1b}[2J in it\nthe last line\n"),
    )
    .expect("a log");
    for path in [&log, &state] {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let named = file.to_string_lossy();
    let output = run(home.path(), &["bugreport", "--config", &named], &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let path = Path::new(text.trim());
    let mode = fs::metadata(path).expect("the report").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let report = fs::read_to_string(path).expect("the report");
    for wanted in [
        env!("CARGO_PKG_VERSION"),
        "Operation 13",
        "file ",
        "the last line",
        "profile = inline",
        "command [\"printf\", …]",
        "Sign-in",
    ] {
        assert!(report.contains(wanted), "{wanted}\n{report}");
    }
    for never in [
        TOKEN,
        "inline-secret",
        "argument-secret",
        "proxy-pass",
        "\u{1b}",
    ] {
        assert!(!report.contains(never), "{never}\n{report}");
        assert!(!text.contains(never));
    }
    // Nor anywhere else, but where it was put.
    for path in files(home.path()) {
        if path != secret && path != log {
            let bytes = fs::read(&path).expect("a file");
            let found = bytes.windows(TOKEN.len()).any(|at| at == TOKEN.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    // A file that is there is not written over.
    let named_output = path.to_string_lossy().into_owned();
    let arguments = ["bugreport", "--config", &*named, "--output", &named_output];
    assert_eq!(run(home.path(), &arguments, &[]).status.code(), Some(1));
    assert_eq!(fs::read_to_string(path).expect("the report"), report);
}

#[test]
fn where_the_program_can_not_start_or_not_write_doctor_is_not_green() {
    let (server, home) = (with_token(Generation::Ten), home());
    let token = [("CORACLE_TOKEN", TOKEN)];
    // A theme that is not there keeps the program from starting.
    let config = home.path().join("mine.toml");
    fs::write(&config, "theme = 'no-such'\n").expect("a configuration");
    let named = config.to_string_lossy();
    let output = run(
        home.path(),
        &["doctor", "--url", server.base_url(), "--config", &named],
        &token,
    );
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("no-such"), "{text}");
    // Nothing can be kept where a file stands in place of a folder.
    let state = home.path().join("state");
    fs::write(&state, "").expect("a file");
    let state = state.to_string_lossy();
    let variables = [token[0], ("XDG_STATE_HOME", &*state)];
    let output = run(
        home.path(),
        &["doctor", "--url", server.base_url()],
        &variables,
    );
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("Nothing can be kept in"), "{text}");
    assert!(text.contains("only reads"), "{text}");
    // Where it is the backups alone, coracle does start for more than reading.
    let variables = [token[0], ("XDG_DATA_HOME", &*state)];
    let output = run(
        home.path(),
        &["doctor", "--url", server.base_url()],
        &variables,
    );
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("nothing is purged"), "{text}");
    assert!(!text.contains("only reads"), "{text}");
}

#[test]
fn a_bug_report_leaves_out_who_and_where_and_says_what_it_names() {
    let (server, home) = (with_token(Generation::Ten), home());
    let home_of_user = home.path().join("zwilliams");
    fs::create_dir_all(&home_of_user).expect("a folder");
    let output = run(
        &home_of_user,
        &["bugreport", "--url", server.base_url()],
        &[("CORACLE_TOKEN", TOKEN), ("USER", "zwilliams")],
    );
    let path = said(&output);
    let report = fs::read_to_string(path.trim()).expect("the report");
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy();
    for never in ["zwilliams", &*home.path().to_string_lossy(), &*machine] {
        assert!(!report.contains(never), "{never}\n{report}");
    }
    for wanted in ["~/", "<user>", "It names servers", "No secret"] {
        assert!(report.contains(wanted), "{wanted}\n{report}");
    }
}
