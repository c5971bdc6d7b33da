//! Secrets and the files they are taken from: who gets them, and who could have put them there.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coracle::demo::{Options, Server};
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

const TOKEN: &str = "s3cret-token";

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn server(token: &str) -> Server {
    Server::start(Options {
        token: Some(token.to_owned()),
        ..Options::default()
    })
    .expect("loopback has a free port")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("it is there")
        .permissions()
        .mode()
        & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A script for `sh` in a file of its own.
fn script(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, text).expect("a script");
    path
}

/// The configuration in its usual place.
fn configured(home: &Path, text: &str) -> PathBuf {
    let folder = home.join(".config/coracle");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("config.toml");
    fs::write(&path, text).expect("a configuration");
    path
}

// ---- Other programs -----------------------------------------------------------------------

/// The program with every secret in its environment that its configuration names.
fn with_secrets(home: &Path, arguments: &[&str]) -> CommandBuilder {
    let mut command = coracle(home, arguments);
    for (variable, secret) in SECRETS {
        command.env(variable, secret);
    }
    command
}

/// `CORACLE_TOKEN` is taken without any configuration; the others are named in it.
const SECRETS: [(&str, &str); 4] = [
    ("CORACLE_TOKEN", "s3cret-of-the-option"),
    ("WIKI_TOKEN", "s3cret-of-one"),
    ("OTHER_TOKEN", "s3cret-of-two"),
    ("WIKI_PASSWORD", "s3cret-of-three"),
];

#[test]
fn no_other_program_gets_a_secret_of_ours() {
    let (one, two) = (server("s3cret-of-one"), server("from-a-command"));
    let home = home();
    let dump = |name: &str| {
        let (text, made) = (
            format!(
                "env > '{0}/{name}.part'\nmv '{0}/{name}.part' '{0}/{name}.env'\necho from-a-command\n",
                home.path().display()
            ),
            home.path().join(format!("{name}.env")),
        );
        (script(home.path(), name, &text), made)
    };
    let ((editor, by_editor), (browser, by_browser), (command, by_command)) =
        (dump("editor"), dump("browser"), dump("command"));
    configured(
        home.path(),
        &format!(
            "default_profile = 'one'\n\
             [profiles.one]\nurl = '{}'\ntoken_env = 'WIKI_TOKEN'\n\
             [profiles.other]\nurl = '{}'\ntoken_command = ['sh', '{}']\n\
             [profiles.two]\nurl = 'http://127.0.0.1:1'\ntoken_env = 'OTHER_TOKEN'\n\
             [profiles.three]\nurl = 'http://127.0.0.1:1'\nuser = 'jdoe'\npassword_env = 'WIKI_PASSWORD'\n",
            one.base_url(),
            two.base_url(),
            command.display(),
        ),
    );
    let mut program = with_secrets(home.path(), &[]);
    program.env("EDITOR", format!("sh {}", editor.display()));
    program.env("BROWSER", format!("sh {}", browser.display()));
    let mut terminal = Terminal::start(program, 120, 40);
    terminal.wait_for("42 of 42");
    terminal.send("o");
    terminal.until("the browser has run", || by_browser.exists());
    terminal.send("n");
    terminal.wait_for("New space");
    terminal.send([5]);
    terminal.until("the editor has run", || by_editor.exists());
    terminal.wait_for("New space");
    terminal.send("\x1b");
    terminal.wait("the form is closed", |screen| {
        !screen.contents().contains("New space")
    });
    terminal.send("@");
    terminal.wait_for("other");
    terminal.send("\r");
    terminal.until("the command has run", || by_command.exists());
    terminal.until("its server is asked", || !two.requests().is_empty());
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);
    for dumped in [by_editor, by_browser, by_command] {
        let text = fs::read_to_string(&dumped).expect("an environment");
        assert!(text.contains("HOME="), "{dumped:?} has the rest: {text}");
        for (variable, secret) in SECRETS {
            assert!(
                !text.contains(variable) && !text.contains(secret),
                "{dumped:?} has {variable}"
            );
        }
    }
}

#[test]
fn nothing_of_ours_is_left_in_a_core_dump() {
    use std::io::{BufRead as _, BufReader};
    let home = home();
    let program = env!("CARGO_BIN_EXE_coracle");
    let mut child = Command::new("sh")
        .args([
            "-c",
            "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$0\" serve --port 0",
            program,
        ])
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line);
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id()));
    // What others of the same user may read of it follows the same switch.
    let owner = fs::metadata(format!("/proc/{}/environ", child.id()));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(read.is_ok_and(|count| count > 0), "it has begun");
    if cfg!(target_os = "linux") {
        use std::os::unix::fs::MetadataExt as _;
        let limits = limits.expect("its limits");
        let core = limits.lines().find(|line| line.contains("core file"));
        let soft = core.and_then(|line| line.split_whitespace().nth(4));
        assert_eq!(soft, Some("0"), "{limits}");
        assert_eq!(owner.expect("its surroundings").uid(), 0);
    }
}

// ---- Files that others can write ----------------------------------------------------------

#[test]
fn a_configuration_that_others_can_write_runs_no_command() {
    let home = home();
    let ran = home.path().join("ran");
    let config = configured(
        home.path(),
        &format!(
            "[profiles.p]\nurl = 'http://127.0.0.1:1'\ntoken_command = ['touch', '{}']\n",
            ran.display()
        ),
    );
    let folder = config.parent().expect("a folder").to_owned();
    let above = folder.parent().expect("a folder").to_owned();
    for (path, open, shut) in [
        (&config, 0o666, 0o600),
        (&config, 0o602, 0o644),
        (&folder, 0o777, 0o755),
        (&above, 0o777, 0o700),
    ] {
        set_mode(path, open);
        for arguments in [&[][..], &["doctor"], &["keys"], &["bugreport"]] {
            let ended = Terminal::start(coracle(home.path(), arguments), 200, 40).end();
            let screen = ended.screen.replace('\n', "");
            assert!(!ran.exists(), "{path:?} {arguments:?}: its command ran");
            if arguments != ["bugreport"] {
                assert_eq!(ended.code, 2, "{path:?} {arguments:?} {screen}");
                let mend = format!("o-w {}", path.display());
                assert!(screen.contains("then chmod"), "{arguments:?} {screen}");
                assert!(screen.contains(&mend), "{mend} {arguments:?} {screen}");
            }
        }
        set_mode(path, shut);
    }
    // As it should be, it is used.
    let ended = Terminal::start(coracle(home.path(), &["doctor"]), 200, 40).end();
    assert!(ran.exists(), "{}", ended.screen);
}

#[test]
fn a_configuration_behind_a_link_is_judged_where_it_is() {
    let home = home();
    let real = home.path().join("dotfiles");
    fs::create_dir(&real).expect("a folder");
    fs::write(real.join("coracle.toml"), "theme = 'dark'\n").expect("a configuration");
    let config = home.path().join(".config/coracle/config.toml");
    fs::create_dir_all(config.parent().expect("a folder")).expect("a folder");
    symlink(real.join("coracle.toml"), &config).expect("a link");
    let code = || {
        let ended = Terminal::start(coracle(home.path(), &["keys"]), 120, 400).end();
        ended.code
    };
    assert_eq!(code(), 0);
    set_mode(&real, 0o777);
    assert_eq!(code(), 2, "others can put another file there");
    set_mode(&real, 0o700);
    set_mode(config.parent().expect("a folder"), 0o777);
    assert_eq!(code(), 2, "others can put another link there");
}

#[test]
fn a_folder_behind_a_link_keeps_its_mode() {
    let home = home();
    let shared = home.path().join("shared");
    fs::create_dir(&shared).expect("a folder");
    set_mode(&shared, 0o755);
    let state = home.path().join(".local/state");
    fs::create_dir_all(&state).expect("a folder");
    symlink(&shared, state.join("coracle")).expect("a link");
    let mut terminal = Terminal::start(coracle(home.path(), &["--demo"]), 120, 40);
    terminal.wait_for("42 of 42");
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
    assert!(shared.join("demo-1").is_dir(), "it is used");
    assert_eq!(mode(&shared), 0o755);
    assert_eq!(mode(&shared.join("demo-1")), 0o700);
}

// ---- A command that asks ------------------------------------------------------------------

/// A command that asks for a number on the terminal and makes a token of it.
const ASKS: &str = "printf 'Number of the card: ' > /dev/tty\n\
                    IFS= read -r number < /dev/tty\n\
                    echo \"token-$number\"\n";

#[test]
fn a_command_that_asks_has_the_terminal_before_the_screen_is_taken() {
    let (home, server) = (home(), server("token-q1"));
    let ask = script(home.path(), "ask", ASKS);
    configured(
        home.path(),
        &format!(
            "[profiles.p]\nurl = '{}'\ntoken_command = ['sh', '{}']\n",
            server.base_url(),
            ask.display()
        ),
    );
    let mut terminal = Terminal::start(coracle(home.path(), &[]), 120, 40);
    terminal.wait("it asks on the terminal as it was", |screen| {
        screen.contents().contains("Number of the card: ") && !screen.alternate_screen()
    });
    // A q is a key of the program; here it is part of the answer.
    terminal.send("q1\n");
    terminal.wait_for("42 of 42");
    assert!(!terminal.contents().contains("Number of the card"));
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_command_that_asks_in_mid_session_gets_the_terminal_as_an_editor_does() {
    let (home, one, two) = (home(), server(TOKEN), server("token-q2"));
    let ask = script(home.path(), "ask", ASKS);
    configured(
        home.path(),
        &format!(
            "default_profile = 'one'\n\
             [profiles.one]\nurl = '{}'\ntoken_env = 'WIKI_TOKEN'\n\
             [profiles.two]\nurl = '{}'\ntoken_command = ['sh', '{}']\n",
            one.base_url(),
            two.base_url(),
            ask.display()
        ),
    );
    let mut command = coracle(home.path(), &[]);
    command.env("WIKI_TOKEN", TOKEN);
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for("42 of 42");
    terminal.send("@");
    terminal.wait_for("two");
    terminal.send("\r");
    terminal.wait("it asks on the terminal as it was", |screen| {
        screen.contents().contains("Number of the card: ") && !screen.alternate_screen()
    });
    terminal.send("q2\n");
    terminal.wait("the other profile is there", |screen| {
        screen.alternate_screen()
            && screen.contents().contains("two")
            && screen.contents().contains("42 of 42")
    });
    assert!(!terminal.contents().contains("Number of the card"));
    // Keys are keys again.
    terminal.send("?");
    terminal.wait_for("Help");
    terminal.send("qq");
    assert_eq!(terminal.end().code, 0);
    assert!(
        two.requests()
            .iter()
            .all(|request| request.status == Some(200))
    );
}

// ---- What a token can be ------------------------------------------------------------------

#[test]
fn what_stands_around_a_token_is_not_part_of_it() {
    for around in [
        "\u{feff}s3cret-token",
        "  s3cret-token\t",
        "Bearer s3cret-token",
        "\u{feff} bearer  s3cret-token \r\n",
    ] {
        let (home, server) = (home(), server(TOKEN));
        let mut command = coracle(home.path(), &["--url", server.base_url()]);
        command.env("CORACLE_TOKEN", around);
        let mut terminal = Terminal::start(command, 120, 40);
        terminal.wait_for("42 of 42");
        terminal.send("q");
        assert_eq!(terminal.end().code, 0, "{around:?}");
        assert!(server.requests().iter().all(|r| r.status != Some(401)));
    }
}

#[test]
fn what_no_token_can_be_is_refused_unsent_and_not_shown() {
    let long = "hunter2".repeat(2_000);
    for (token, why) in [
        ("hunter2 hunter2", "a blank inside"),
        ("hunter2-ä", "other than ASCII"),
        ("Bearer", "nothing"),
        ("\u{feff}", "nothing"),
        (long.as_str(), "longer than"),
    ] {
        let (home, server) = (home(), server(TOKEN));
        let mut command = coracle(home.path(), &["--url", server.base_url()]);
        command.env("CORACLE_TOKEN", token);
        let mut terminal = Terminal::start(command, 200, 40);
        terminal.wait(why, |screen| screen.contents().contains(why));
        terminal.send([3]);
        let ended = terminal.end();
        assert!(server.requests().is_empty(), "{token:?} was sent");
        let written = String::from_utf8_lossy(&ended.bytes);
        assert!(!written.contains("hunter2"), "{token:?} was shown");
    }
}
