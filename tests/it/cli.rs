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
    assert_eq!(said.matches(&*home).count(), 6, "{said}");
}

#[test]
fn the_configuration_is_named_before_or_behind_a_command_and_the_rest_behind() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let config = home.path().join("mine.toml");
    std::fs::write(&config, "[keys.spaces]\nsort = [\"F9\"]\n").expect("a configuration");
    let config = config.to_string_lossy();
    for arguments in [
        ["--config", &*config, "keys"],
        ["keys", "--config", &*config],
    ] {
        let output = coracle(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stdout).contains("F9"), "{arguments:?}");
    }
    for stray in [
        &["--demo"][..],
        &["--profile", "p"],
        &["--url", "http://localhost"],
        &["--read-only"],
        &["--theme", "mono"],
        &["--ascii"],
        &["--log", "debug"],
        &["--record", "r"],
        &["--print-paths"],
    ] {
        let output = coracle(home.path(), &[stray, &["keys"]].concat());
        assert_eq!(output.status.code(), Some(2), "{stray:?}");
        assert_eq!(text(&output.stdout), "", "{stray:?}");
        let said = text(&output.stderr);
        assert!(said.contains(stray[0]) && said.contains("behind"), "{said}");
    }
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

/// Runs the program with its output into this file.
fn into(home: &Path, arguments: &[&str], output: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(output)
        .output()
        .expect("the program starts")
}

#[cfg(target_os = "linux")]
#[test]
fn output_into_a_full_disk_is_a_failure_and_a_closed_pipe_is_none() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let commands: [&[&str]; 8] = [
        &["keys"],
        &["--help"],
        &["--version"],
        &["--print-paths"],
        &["doctor"],
        &["doctor", "--json"],
        &["journal", "verify"],
        &["backup", "list"],
    ];
    for arguments in commands {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("a disk that is full");
        let output = into(home.path(), arguments, full.into());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("could not be written"), "{said}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = into(home.path(), arguments, writer.into());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn the_keys_in_effect_are_printed_with_those_of_the_configuration() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let output = coracle(home.path(), &["keys"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    for verb in coracle::app::action::VERBS {
        assert!(said.contains(verb.name), "{} is missing", verb.name);
        for context in verb.contexts {
            let title = format!("[keys.{}]", context.name());
            assert!(said.contains(&title), "{title} is missing");
        }
    }
    let file = home.path().join("mine.toml");
    std::fs::write(&file, "[keys.everywhere]\nquit = 'Ctrl-q'\n").expect("a configuration");
    let output = coracle(home.path(), &["keys", "--config", &file.to_string_lossy()]);
    let said = text(&output.stdout);
    assert!(
        said.lines()
            .any(|line| line.contains("Ctrl-q") && line.contains("quit")),
        "{said}{}",
        text(&output.stderr)
    );
}

#[test]
fn keys_that_cannot_be_are_told_all_at_once() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let file = home.path().join("mine.toml");
    std::fs::write(
        &file,
        "[keys.nowhere]\nquit = 'x'\n[keys.everywhere]\nquti = 'x'\nhelp = ['F1', 'Hyper-x']\n\
         [them]\n[keys.spaces]\nsort = 'f'\n[keys.panes]\ntrash = ['Ctrl-t', 'g t']\n",
    )
    .expect("a configuration");
    let output = coracle(home.path(), &["keys", "--config", &file.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    // Each with its line and column, and in the same breath as the others.
    for place in [
        "mine.toml:1:7: There is no place `nowhere`",
        "mine.toml:4:1: [keys.everywhere] there is no verb `quti` here. Did you mean `quit`",
        "mine.toml:5:15: [keys.everywhere] help: ",
        "mine.toml:6:2: There is no setting `them`",
        " 5 | help = ['F1', 'Hyper-x']\n   |               ^^^^^^^^^",
    ] {
        assert!(said.contains(place), "{place}\n{said}");
    }
    assert!(
        said.contains("mine.toml:8:8: [keys.spaces] f is bound to both"),
        "{said}"
    );
    assert!(
        said.contains("mine.toml:10:20: [keys.panes] `trash` is g t, and `top`"),
        "{said}"
    );
    assert!(said.starts_with("error: 6 problems"), "{said}");
}

#[test]
fn serve_prints_where_it_is_and_tells_the_signal_that_ended_it() {
    use rustix::process::Signal;
    use std::io::{BufRead as _, BufReader};
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let home = tempfile::tempdir().expect("a folder for the test");
        let mut child = Command::new(env!("CARGO_BIN_EXE_coracle"))
            .args(["serve", "--port", "0"])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).expect("it runs");
        let status = child.wait().expect("its exit code");
        assert!(line.starts_with("http://127.0.0.1:"), "{line}");
        assert_eq!(status.code(), Some(code), "{signal:?}");
    }
}

#[test]
fn the_folders_of_a_demo_are_its_own() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let output = coracle(home.path(), &["--demo", "--print-paths"]);
    let said = text(&output.stdout);
    assert_eq!(said.matches("/demo-1").count(), 3, "{said}");
    for line in ["state", "backups", "plans"] {
        let found = said.lines().find(|l| l.starts_with(line)).expect("a line");
        assert!(found.contains("/demo-1"), "{said}");
    }
    assert!(!home.path().join(".local").exists(), "nothing is made");
}

#[test]
fn journals_are_checked_and_what_does_not_count_is_told() {
    use coracle::shell::disk::JOURNAL;
    let home = tempfile::tempdir().expect("a folder for the test");
    let said = coracle(home.path(), &["journal", "verify"]);
    assert_eq!(said.status.code(), Some(0));
    assert!(text(&said.stdout).contains("No journal"), "{said:?}");
    let folder = home.path().join(".local/state/coracle/profiles/prod");
    std::fs::create_dir_all(&folder).expect("a folder");
    let journal = folder.join(JOURNAL);
    std::fs::write(&journal, "").expect("a journal");
    let said = coracle(home.path(), &["journal", "verify"]);
    assert_eq!(said.status.code(), Some(0));
    assert!(
        text(&said.stdout).contains(": 0 entries, unbroken"),
        "{said:?}"
    );
    std::fs::write(&journal, "{\"seq\":").expect("a journal");
    let said = coracle(
        home.path(),
        &["journal", "verify", &journal.to_string_lossy()],
    );
    assert_eq!(said.status.code(), Some(0), "{said:?}");
    assert!(
        text(&said.stdout).contains("line 1 does not count"),
        "{said:?}"
    );
    let said = coracle(home.path(), &["journal", "verify", "missing"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
}
