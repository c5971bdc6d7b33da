//! The guided set-up: from the welcome screen to the list of spaces, with a configuration that is
//! written once it works, for its owner alone, and never over another.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use coracle::app::message::{DiskError, DiskReply, Effect, Msg, Ticket};
use coracle::app::{StartMode, Writes};
use coracle::config::{self, Auth};
use coracle::demo::{Options, Server};
use coracle::doctor::{Check, Finding};

use crate::screens::at_every_size;
use crate::story::Story;
use crate::terminal::{Terminal, coracle};
use crate::tls::{Authority, Manner, TlsServer};

fn welcome(width: u16, height: u16) -> Story {
    let mode = StartMode::Welcome {
        config_path: "~/.config/coracle/config.toml".to_owned(),
    };
    Story::with(width, height, mode, Writes::Allowed)
}

/// With the form filled in, not yet tested.
pub(crate) fn filled(width: u16, height: u16) -> Story {
    let mut story = welcome(width, height);
    story.keys("c").types("https://wiki.example.com/display/X");
    story.keys("Tab Tab Tab").types("pass show wiki/token");
    story
}

/// With what its test has found.
pub(crate) fn tested(width: u16, height: u16) -> Story {
    let mut story = filled(width, height);
    story.keys("Ctrl-s");
    found(&mut story, &good());
    story
}

fn testing(story: &Story) -> (Ticket, String) {
    story
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Examine { ticket, text } => Some((*ticket, text.clone())),
            _ => None,
        })
        .expect("a test is asked for")
}

fn saving(story: &Story) -> Option<(Ticket, String)> {
    story.effects.iter().find_map(|effect| match effect {
        Effect::SaveConfig { ticket, text } => Some((*ticket, text.clone())),
        _ => None,
    })
}

fn found(story: &mut Story, findings: &[Finding]) {
    let (ticket, _) = testing(story);
    for finding in findings.iter().cloned().map(Some).chain([None]) {
        story.happen(Msg::Examined { ticket, finding });
    }
}

fn good() -> Vec<Finding> {
    let mut findings = vec![
        Finding::ok(Check::Secret, "The token comes from the command pass."),
        Finding::ok(Check::Name, "wiki.example.com is 192.0.2.7."),
        Finding::ok(Check::Connection, "192.0.2.7:443 answers in 12 ms."),
        Finding::ok(Check::SignIn, "The server takes it."),
        Finding::ok(Check::User, "jdoe (J. Doe)"),
        Finding::ok(Check::Version, "Confluence 9.2.1"),
    ];
    for number in 1..=13 {
        findings.push(if number == 12 {
            Finding::note(
                Check::Operation(12),
                "list the trash: not available",
                "Newer.",
            )
        } else {
            Finding::ok(Check::Operation(number), "there")
        });
    }
    findings
}

fn bad() -> Vec<Finding> {
    vec![
        Finding::ok(Check::Secret, "The token comes from the command pass."),
        Finding::failed(
            Check::SignIn,
            "The server did not accept the token.",
            "Check that the token is whole, has not expired and belongs to this server, or make a new one under Settings, Personal access tokens.",
        ),
        Finding::skipped(Check::User, "It is not known."),
    ]
}

#[test]
fn every_stage_is_drawn_at_every_size() {
    at_every_size("setup", filled);
    at_every_size("setup-problem", |width, height| {
        let mut story = welcome(width, height);
        story.keys("c").types("wiki.example.com");
        story.keys("Ctrl-s");
        story
    });
    at_every_size("setup-failed", |width, height| {
        let mut story = filled(width, height);
        story.keys("Ctrl-s");
        found(&mut story, &bad());
        story
    });
    at_every_size("setup-good", |width, height| {
        let mut story = filled(width, height);
        story.keys("Ctrl-s");
        found(&mut story, &good());
        story
    });
}

#[test]
fn nothing_is_written_before_it_works() {
    let mut story = filled(80, 24);
    story.keys("Enter");
    assert!(story.effects.is_empty(), "{:?}", story.effects);
    story.keys("Ctrl-s");
    let (_, tested) = testing(&story);
    // Not while it is tested, nor when the test has failed.
    story.keys("Enter");
    found(&mut story, &bad());
    story.keys("Enter");
    assert_eq!(saving(&story), None);
    assert!(
        story.screen().contains("Nothing was written"),
        "{}",
        story.screen()
    );
    story.keys("r");
    found(&mut story, &good());
    story.keys("Enter");
    let (ticket, written) = saving(&story).expect("it is saved");
    assert_eq!(written, tested, "what was tested is what is written");
    let config = config::parse(&written, Path::new("/"), Ok(())).expect("it is sound");
    assert!(matches!(config.profiles["wiki"].auth, Auth::Token(_)));
    assert_eq!(config.default_profile.as_deref(), Some("wiki"));
    story.happen(Msg::Disk {
        ticket,
        outcome: Ok(DiskReply::Written),
    });
    assert_eq!(
        story.effects.last(),
        Some(&Effect::Switch("wiki".to_owned()))
    );
}

#[test]
fn a_test_that_was_left_changes_nothing_any_more() {
    let mut story = filled(80, 24);
    story.keys("Ctrl-s");
    let (old, _) = testing(&story);
    story.keys("Esc Ctrl-s");
    let (new, _) = testing(&story);
    assert_ne!(old, new);
    for finding in good().into_iter().map(Some).chain([None]) {
        story.happen(Msg::Examined {
            ticket: old,
            finding,
        });
    }
    story.keys("Enter");
    assert_eq!(saving(&story), None);
    assert!(story.screen().contains("Testing"), "{}", story.screen());
}

#[test]
fn a_file_that_came_meanwhile_is_told_and_the_form_stays() {
    let mut story = filled(80, 24);
    story.keys("Ctrl-s");
    found(&mut story, &good());
    story.keys("Enter");
    let (ticket, _) = saving(&story).expect("it is saved");
    let message = "There is a configuration already; it was left as it is.".to_owned();
    story.happen(Msg::Disk {
        ticket,
        outcome: Err(DiskError { message }),
    });
    let screen = story.screen();
    assert!(screen.contains("left as it is"), "{screen}");
    assert!(screen.contains("pass show wiki/token"), "{screen}");
    // And what was typed is asked about.
    story.keys("Esc");
    assert!(
        story.screen().contains("Leave the form?"),
        "{}",
        story.screen()
    );
}

#[test]
fn passwords_have_a_user_and_nothing_has_neither() {
    let mut story = welcome(80, 24);
    story.keys("c").types("https://wiki.example.com");
    story.keys("Tab Right Tab").types("jdoe");
    story.keys("Tab Right Tab").types("WIKI_PASSWORD");
    story.keys("Ctrl-s");
    let (_, text) = testing(&story);
    assert!(
        text.contains("user = \"jdoe\"\npassword_env = \"WIKI_PASSWORD\"\n"),
        "{text}"
    );
    let mut story = welcome(80, 24);
    story.keys("c").types("https://wiki.example.com");
    story.keys("Tab Left Ctrl-s");
    let (_, text) = testing(&story);
    assert!(
        !text.contains("token") && !text.contains("password"),
        "{text}"
    );
}

#[test]
fn an_authority_is_asked_for_once_one_is_missing() {
    let mut story = filled(80, 24);
    assert!(!story.screen().contains("Authority"), "{}", story.screen());
    story.keys("Ctrl-s");
    found(
        &mut story,
        &[Finding::failed(
            Check::Tls,
            "The certificate of wiki.example.com was issued by an authority that is not known here.",
            "Set `ca_file`.",
        )],
    );
    // Back in the form it is the field to fill in.
    story.keys("Esc").types("~/company-ca.pem");
    let screen = story.screen();
    assert!(
        screen.contains("Authority     ~/company-ca.pem"),
        "{screen}"
    );
    story.keys("Ctrl-s");
    let (_, text) = testing(&story);
    assert!(
        text.contains("\nca_file = \"~/company-ca.pem\"\n"),
        "{text}"
    );
    // Another failure asks for nothing.
    let mut story = filled(80, 24);
    story.keys("Ctrl-s");
    found(&mut story, &bad());
    story.keys("Esc");
    assert!(!story.screen().contains("Authority"), "{}", story.screen());
}

#[test]
fn a_server_with_an_authority_of_its_own_is_set_up_without_leaving_the_form() {
    const TOKEN: &str = "NjY2-very-secret";
    let wiki = Server::start(Options {
        token: Some(TOKEN.to_owned()),
        ..Options::default()
    })
    .expect("loopback has a free port");
    let port = wiki.base_url().rsplit(':').next().expect("a port");
    let relay = Manner::Relays(port.parse().expect("a number"));
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::with(authority.issues(&["localhost"], |_| {}), None, relay);
    let home = tempfile::tempdir().expect("a folder for the test");
    fs::write(home.path().join("ca.pem"), authority.pem()).expect("an authority");
    let mut command = coracle(home.path(), &[]);
    command.env("WIKI_TOKEN", TOKEN);
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.wait_for("Connect to my Confluence");
    terminal.send("\r");
    terminal.wait_for("Address");
    terminal.send(format!("https://localhost:{}", server.port));
    terminal.send("\t\t\x1b[C\tWIKI_TOKEN\x13");
    terminal.wait_for("not known here: O=Harbour,CN=Harbour CA");
    terminal.wait_for("Nothing was written");
    terminal.send("\x1b");
    terminal.wait_for("Authority");
    terminal.send(b"~/ca.pem\x13");
    terminal.wait_for("It works.");
    terminal.send("\r");
    terminal.wait_for("ENG");
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
    let text =
        fs::read_to_string(home.path().join(".config/coracle/config.toml")).expect("it is written");
    assert!(text.contains("ca_file = \"~/ca.pem\""), "{text}");
    assert!(!text.contains(TOKEN), "{text}");
}

#[test]
fn from_nothing_to_the_spaces_on_a_real_terminal() {
    const TOKEN: &str = "NjY2-very-secret";
    let home = tempfile::tempdir().expect("a folder for the test");
    let server = Server::start(Options {
        token: Some(TOKEN.to_owned()),
        ..Options::default()
    })
    .expect("loopback has a free port");
    let secret = home.path().join("token");
    fs::write(&secret, TOKEN).expect("a token");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("a mode");

    let mut terminal = Terminal::start(coracle(home.path(), &[]), 80, 24);
    terminal.wait_for("Connect to my Confluence");
    terminal.send("\r");
    terminal.wait_for("Address");
    // A wrong secret first: it is told, and nothing is written.
    terminal.send(server.base_url());
    terminal.send("\t\t\x1b[C\x1b[C\t~/wrong");
    terminal.wait_for("~/wrong");
    terminal.send([0x13]);
    terminal.wait_for("FAILED");
    terminal.wait_for("Nothing was written");
    let config = home.path().join(".config/coracle/config.toml");
    assert!(!config.exists());
    terminal.send("\x1b");
    terminal.wait_for("~/wrong");
    // Ctrl-u clears the field.
    terminal.send(b"\x15~/token\x13");
    terminal.wait_for("It works.");
    assert!(!config.exists());
    terminal.send("\r");
    terminal.wait_for("ENG");
    let mode = fs::metadata(&config)
        .expect("it is written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&config).expect("it is text");
    assert!(!text.contains(TOKEN), "{text}");
    assert!(text.contains("token_file = \"~/token\""), "{text}");
    let beside = fs::read_dir(config.parent().expect("a folder")).expect("a folder");
    assert_eq!(beside.count(), 1, "nothing is left beside it");
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    let shown = ended
        .bytes
        .windows(TOKEN.len())
        .any(|at| at == TOKEN.as_bytes());
    assert!(!shown, "the token was on the screen");
    assert!(server.requests().iter().all(|r| r.method == "GET"));

    // The next start goes there at once.
    let mut terminal = Terminal::start(coracle(home.path(), &[]), 80, 24);
    terminal.wait_for("ENG");
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_file_is_made_whole_or_not_at_all_and_never_over_another() {
    use coracle::shell::files::create_whole;
    let home = tempfile::tempdir().expect("a folder for the test");
    let path = home.path().join("config.toml");
    create_whole(&path, &mut &b"one"[..]).expect("it is new");
    let error = create_whole(&path, &mut &b"two"[..]).expect_err("it is there");
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).expect("a file"), b"one");
    assert_eq!(
        fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 1);
    // A link that leads nowhere is something too.
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.path().join("nowhere"), &link).expect("a link");
    assert!(create_whole(&link, &mut &b"three"[..]).is_err());
}

#[test]
fn the_form_stands_alone_and_tells_the_keys_of_its_fields() {
    let mut story = welcome(80, 24);
    assert!(story.screen().contains("No config file"));
    story.keys("c");
    assert!(!story.footer().contains("← →"), "{}", story.footer());
    story.keys("Tab Tab");
    assert!(story.footer().contains("← → change"), "{}", story.screen());
    let screen = story.screen();
    let around = screen
        .lines()
        .filter(|line| !line.contains('│') && !line.contains('─'));
    assert!(around.rev().skip(1).all(str::is_empty), "{screen}");
    story.keys("Esc");
    assert!(story.screen().contains("No config file"));
}
