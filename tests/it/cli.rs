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
        assert!(said.contains("coracle --help lists"), "{said}");
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
    let commands: [&[&str]; 9] = [
        &["keys"],
        &["--help"],
        &["--version"],
        &["--print-paths"],
        &["doctor"],
        &["doctor", "--json"],
        &["journal", "verify"],
        &["backup", "list"],
        &["serve"],
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
        assert!(said.contains("hint: Make room on the disk"), "{said}");
        if arguments == &["serve"][..] {
            // Of which nobody reads the address goes on all the same.
            continue;
        }
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
    use coracle::shell::folders::JOURNAL;
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
    // What is there and is no file is not told as none.
    std::fs::remove_file(&journal).expect("it was there");
    std::fs::create_dir(&journal).expect("a folder");
    let said = coracle(home.path(), &["journal", "verify"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let told = text(&said.stderr);
    assert!(told.contains("not a regular file"), "{told}");
    assert!(told.contains("hint: Move it aside"), "{told}");
}

#[test]
fn a_recording_that_is_none_is_told_without_the_words_of_its_reader() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let file = home.path().join("recording");
    let replayed = || {
        let said = coracle(home.path(), &["replay", &file.to_string_lossy()]);
        assert_eq!(said.status.code(), Some(1), "{said:?}");
        let told = text(&said.stderr).to_string();
        assert!(told.contains("hint: "), "{told}");
        for word in ["expected", "stream", "os error"] {
            assert!(!told.contains(word), "{told}");
        }
    };
    replayed();
    for bytes in ["hello\n".as_bytes(), b"\xff\xfe\x00"] {
        std::fs::write(&file, bytes).expect("no recording");
        replayed();
    }
}

/// Starts `serve` with these arguments, and says what it is asked without and with a token.
fn served(home: &Path, arguments: &[&str], variable: Option<&str>) -> (String, Vec<u8>) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let mut command = Command::new(env!("CARGO_BIN_EXE_coracle"));
    command.args(["serve", "--port", "0"]).args(arguments);
    command.env_clear().env("HOME", home).current_dir(home);
    if let Some(token) = variable {
        command.env("WIKI_TOKEN", token);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line);
    let mut said = String::new();
    if read.is_ok() && line.starts_with("http://") {
        let address = line.trim().trim_start_matches("http://");
        for header in ["", "Authorization: Bearer s3cret-token\r\n"] {
            let mut stream = std::net::TcpStream::connect(address).expect("it listens");
            write!(stream, "GET /rest/api/user/current HTTP/1.1\r\nHost: {address}\r\n{header}Connection: close\r\n\r\n").expect("it reads");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("it answers");
            said.push_str(answer.split(' ').nth(1).unwrap_or_default());
            said.push(' ');
        }
        child.kill().expect("it runs");
    }
    let output = child.wait_with_output().expect("it ends");
    (said, output.stderr)
}

#[test]
fn the_token_of_serve_comes_from_a_variable_or_a_file_and_is_never_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder for the test");
    let file = home.path().join("token");
    std::fs::write(&file, "s3cret-token\n").expect("a file");
    let set_mode = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    set_mode(0o600);
    let by_file = ["--token-file", "token"];
    let by_variable = ["--token-env", "WIKI_TOKEN"];
    assert_eq!(served(home.path(), &by_file, None).0, "401 200 ");
    assert_eq!(
        served(home.path(), &by_variable, Some("s3cret-token")).0,
        "401 200 "
    );
    // A list of arguments is no place for it: it goes on working, and says so.
    let (said, error) = served(home.path(), &["--token", "s3cret-token"], None);
    assert_eq!(said, "401 200 ");
    assert!(text(&error).contains("--token-file"), "{}", text(&error));
    let help = coracle(home.path(), &["serve", "--help"]);
    assert!(
        !text(&help.stdout).contains("--token <"),
        "{}",
        text(&help.stdout)
    );
    // What is no token starts nothing.
    set_mode(0o644);
    let wrong = [
        (&by_file, None, "chmod 600"),
        (&["--token-file", "missing"], None, "could not be read"),
        (&by_variable, None, "WIKI_TOKEN"),
        (&by_variable, Some("s3cret token"), "no token"),
    ];
    for (arguments, variable, why) in wrong {
        let (said, error) = served(home.path(), arguments, variable);
        let error = text(&error);
        assert_eq!(said, "", "{arguments:?}");
        assert!(error.contains(why) && !error.contains("s3cret"), "{error}");
    }
}

#[test]
fn the_data_of_serve_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder for the test");
    let file = home.path().join("wiki.db");
    let modes = || {
        let entries = std::fs::read_dir(home.path()).expect("a folder");
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("its mode").permissions().mode() & 0o777;
            if entry.file_name().to_string_lossy().starts_with("wiki.db") {
                found.push((entry.file_name(), mode));
            }
        }
        assert!(!found.is_empty());
        found
    };
    served(home.path(), &["--data", "wiki.db"], None);
    assert!(
        modes().iter().all(|(_, mode)| *mode == 0o600),
        "{:?}",
        modes()
    );
    // One that an earlier version made.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    served(home.path(), &["--data", "wiki.db"], None);
    assert!(
        modes().iter().all(|(_, mode)| *mode == 0o600),
        "{:?}",
        modes()
    );
}
