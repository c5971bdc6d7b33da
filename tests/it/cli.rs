//! The program without a terminal: what it prints and the exit codes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program below a home folder of its own, without a terminal.
fn coracle(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

#[test]
fn without_a_terminal_it_says_so_in_one_line_and_ends() {
    let home = tempfile::tempdir().expect("a folder for the test");
    for arguments in [&["--demo"][..], &[]] {
        let output = coracle(home.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        let said = text(&output.stderr);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("terminal"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn paths_follow_the_environment() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let output = coracle(
        home.path(),
        &["--print-paths", "--config", "/etc/mine.toml"],
    );
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(said.contains("config   /etc/mine.toml\n"), "{said}");
    let home = home.path().to_string_lossy();
    assert_eq!(said.matches(&*home).count(), 4, "{said}");
}

#[test]
fn wrong_usage_is_exit_2_and_help_is_exit_0() {
    let home = tempfile::tempdir().expect("a folder for the test");
    for (arguments, code) in [
        (&["--nonsense"][..], 2),
        (&["--demo", "--url", "http://localhost"], 2),
        (&["--log", "loud"], 2),
        (&["--help"], 0),
        (&["--version"], 0),
    ] {
        let output = coracle(home.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}
