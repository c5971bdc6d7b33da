//! Switching to another profile: nothing of the old server is kept, nothing meant for it goes to the
//! new one, and nothing that is under way is lost.

use std::fs;

use coracle::app::key::{Chord, Key, KeyPress};
use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TakenTurn};
use coracle::app::model::{ProfileChoice, Switched};
use coracle::app::{Model, Profile, Start, Writes};
use coracle::confluence::{Call, Reply};
use coracle::demo::{Options, Seed, Server};
use coracle::shell::lock::{self, Hold};

use crate::screens::at_every_size;
use crate::story::{Story, beginning, wiki};
use crate::terminal::{Terminal, coracle};

fn choice(name: &str, url: &str) -> ProfileChoice {
    ProfileChoice {
        name: name.to_owned(),
        base_url: url.to_owned(),
        color: None,
        read_only: false,
        protected: false,
    }
}

fn choices() -> Vec<ProfileChoice> {
    vec![
        ProfileChoice {
            color: Some("red".to_owned()),
            protected: true,
            ..choice("prod", "https://wiki.example.com")
        },
        ProfileChoice {
            color: Some("green".to_owned()),
            ..choice("stage", "https://stage.example.com/confluence")
        },
        ProfileChoice {
            read_only: true,
            ..choice("zoo-of-old-wikis", "https://attic.example.com:8443")
        },
    ]
}

/// On the sample wiki, with everything answered and the files read.
fn browsing(width: u16, height: u16) -> Story {
    let mut story = Story::begin(Start {
        profiles: choices(),
        ..beginning(width, height)
    });
    disk(&mut story);
    story.answer_all(&wiki);
    story.rest();
    story.answer_all(&wiki);
    disk(&mut story);
    story
}

/// Answers what was asked of the disk.
fn disk(story: &mut Story) {
    loop {
        let at = story
            .effects
            .iter()
            .position(|effect| matches!(effect, Effect::Disk { .. }));
        let Some(at) = at else { return };
        let Effect::Disk { ticket, call } = story.effects.remove(at) else {
            return;
        };
        let reply = match call {
            DiskCall::ReadJobs => DiskReply::Jobs {
                at_work: None,
                journal: Box::new(Ok(coracle::jobs::ledger::Journal::default())),
                checkpoints: Vec::new(),
            },
            DiskCall::ReadState { .. } => DiskReply::Text(None),
            DiskCall::TakeTurn => DiskReply::Turn(TakenTurn::Ours(None)),
            _ => DiskReply::Written,
        };
        story.happen(Msg::Disk {
            ticket,
            outcome: Ok(reply),
        });
    }
}

fn switched(name: &str, url: &str) -> Msg {
    Msg::Switched(Ok(Box::new(Switched {
        profile: Profile {
            name: name.to_owned(),
            base_url: url.to_owned(),
            ..beginning(80, 24).profile
        },
        writes: Writes::Allowed,
        notice: None,
        profiles: choices(),
    })))
}

/// Which profile the shell is asked to open.
fn asked(story: &Story) -> Option<&str> {
    story.effects.iter().find_map(|effect| match effect {
        Effect::Switch(name) => Some(name.as_str()),
        _ => None,
    })
}

#[test]
fn the_picker_shows_name_host_and_what_is_allowed() {
    at_every_size("profiles", |width, height| {
        let mut story = browsing(width, height);
        story.keys("@");
        story
    });
}

#[test]
fn the_name_has_the_colour_of_the_profile() {
    use coracle::ui::theme::{self, Depth};
    let mut story = browsing(80, 24);
    story.keys("@");
    let theme = theme::load("dark", Depth::True).expect("a theme of ours");
    let mut terminal =
        ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).expect("a test backend");
    terminal
        .draw(|frame| coracle::ui::draw(&story.model, &theme, frame))
        .expect("it takes any frame");
    let buffer = terminal.backend().buffer();
    for (name, color) in [("stage", "green"), ("prod", "red")] {
        let wanted = theme.profile(color).expect("a colour").fg;
        let found = (1..23).any(|y| {
            let row: String = (0..80).map(|x| buffer[(x, y)].symbol()).collect();
            // Behind the border and the caret, which take more than a byte each.
            row.contains(name)
                && (0..80).any(|x| {
                    buffer[(x, y)].symbol() == &name[..1] && Some(buffer[(x, y)].fg) == wanted
                })
        });
        assert!(found, "{name} is not {color}");
    }
}

#[test]
fn nothing_of_the_old_server_is_left() {
    let mut story = browsing(120, 40);
    // Marks, a filter, a preview, the trash, and something in the log.
    story.keys("Space t").answer_all(&wiki);
    story.keys("r");
    assert!(!story.open.is_empty(), "something is still awaited");
    story.keys("@ Enter");
    assert_eq!(asked(&story), Some("stage"));
    story.happen(switched("stage", "https://stage.example.com/confluence"));
    let screen = story.screen();
    assert!(screen.contains("stage"), "{screen}");
    for old in [
        "ENG",
        "Engineering",
        "prod",
        "jdoe",
        "9.2.1",
        "42 ms",
        "policy",
    ] {
        assert!(!screen.contains(old), "{old} is still there\n{screen}");
    }
    let state = serde_json::to_string(&story.model).expect("plain data");
    for old in ["Engineering", "Old policy", "J. Doe"] {
        assert!(!state.contains(old), "{old} is still known");
    }
    // The first request to the new server is the sign-in, alone.
    let asked: Vec<&Call> = story.open.iter().map(|(_, call)| call).collect();
    assert_eq!(asked.last(), Some(&&Call::CurrentUser));
}

#[test]
fn a_late_answer_of_the_old_server_changes_nothing() {
    let mut story = browsing(120, 40);
    story.keys("t");
    let late: Vec<_> = story.open.iter().cloned().collect();
    assert!(!late.is_empty());
    story.keys("@ Enter");
    story.happen(switched("stage", "https://stage.example.com"));
    let before = serde_json::to_value(&story.model).expect("plain data");
    for (ticket, call) in late {
        assert!(
            !story.model.inflight.iter().any(|a| a.since.0 == 0),
            "something of before is awaited"
        );
        let sent = story.sent.len();
        story.happen(Msg::Reply {
            ticket,
            outcome: wiki(&call),
            took_ms: 42,
        });
        assert_eq!(story.sent.len(), sent, "it led to a request");
    }
    // The embedded server of a demo that was left may still report in.
    story.happen(Msg::Connected(Ok(coracle::app::message::Connected {
        base_url: "http://127.0.0.1:1".to_owned(),
    })));
    let mut after = serde_json::to_value(&story.model).expect("plain data");
    after["now"] = before["now"].clone();
    assert_eq!(after, before);
}

#[test]
fn the_open_profile_is_not_opened_again() {
    let mut story = browsing(80, 24);
    story.keys("@ g Enter");
    assert_eq!(asked(&story), None);
    assert!(story.screen().contains("open already"));
    story.keys("@ Esc");
    assert_eq!(asked(&story), None);
}

#[test]
fn without_profiles_the_key_says_where_they_would_be() {
    let mut story = Story::browsing(80, 24);
    story.keys("@");
    assert!(story.model.modals.is_empty());
    assert!(
        story.screen().contains("--print-paths"),
        "{}",
        story.screen()
    );
}

#[test]
fn a_profile_that_cannot_be_opened_leaves_everything_as_it_was() {
    let mut story = browsing(80, 24);
    let seen = story.screen();
    story.keys("@ Enter");
    story.happen(Msg::Switched(Err(
        "1 problem in the configuration.".to_owned()
    )));
    let screen = story.screen();
    assert!(
        screen.contains("1 problem in the configuration"),
        "{screen}"
    );
    assert_eq!(screen.lines().next(), seen.lines().next(), "the header");
    assert!(screen.contains("ENG"), "{screen}");
}

/// An archive job whose request is on its way.
fn with_a_job() -> Story {
    let mut story = browsing(120, 40);
    story.keys("a").answer_all(&wiki);
    story.keys("y");
    for _ in 0..8 {
        let reads = |(_, call): &(_, Call)| call.is_read();
        disk(&mut story);
        if story.open.iter().any(|open| !reads(open)) {
            return story;
        }
        story.answer_all(&wiki);
    }
    panic!("the job sends nothing\n{}", story.screen());
}

fn job_is_at_work(model: &Model) -> bool {
    model.jobs.at_work().next().is_some()
}

#[test]
fn a_job_at_work_is_asked_about_and_its_answer_is_waited_for() {
    let mut story = with_a_job();
    assert!(job_is_at_work(&story.model));
    story.keys("@ Enter");
    assert_eq!(asked(&story), None);
    let screen = story.screen();
    assert!(screen.contains("Switch the profile?"), "{screen}");
    // Enter stays.
    story.keys("Enter");
    assert_eq!(asked(&story), None);
    story.keys("@ Enter y");
    disk(&mut story);
    assert_eq!(asked(&story), None, "a write is on its way");
    story.answer(Ok(Reply::Done));
    for _ in 0..8 {
        disk(&mut story);
    }
    assert_eq!(asked(&story), Some("stage"));
    // All that was known of the job was asked of the disk before.
    assert!(story.model.jobs.is_settled());
}

#[test]
fn a_switch_that_waits_can_be_given_up() {
    let mut story = with_a_job();
    story.keys("@ Enter y Esc");
    assert!(story.screen().contains("stays open"), "{}", story.screen());
    story.answer(Ok(Reply::Done));
    for _ in 0..8 {
        disk(&mut story);
    }
    assert_eq!(asked(&story), None);
    // And Ctrl-c asks as ever, as a switch that waits is no end.
    let mut story = with_a_job();
    story.keys("@ Enter y");
    story.happen(Msg::Key(KeyPress::press(Chord {
        ctrl: true,
        ..Chord::plain(Key::Char('c'))
    })));
    assert!(story.screen().contains("Quit?"), "{}", story.screen());
}

fn server(wiki: &str) -> Server {
    Server::start(Options {
        seed: Seed::Text(wiki.to_owned()),
        ..Options::default()
    })
    .expect("loopback has a free port")
}

#[test]
fn two_servers_are_switched_between_on_a_real_terminal() {
    let (one, two) = (
        server("space: ALPHA\nname: Only in one\n"),
        server("space: OMEGA\nname: Only in two\n"),
    );
    let home = tempfile::tempdir().expect("a folder for the test");
    let file = home.path().join("two.toml");
    let text = format!(
        "default_profile = 'one'\n[profiles.one]\nurl = '{}'\n[profiles.two]\nurl = '{}'\ncolor = 'red'\n",
        one.base_url(),
        two.base_url()
    );
    fs::write(&file, text).expect("a configuration");
    let file = file.to_string_lossy().into_owned();
    let state = home.path().join(".local/state/coracle/profiles");
    let free = |name: &str| {
        let hold = lock::take(&state.join(name)).expect("a lock file");
        matches!(hold, Hold::Ours(_))
    };

    let mut terminal = Terminal::start(coracle(home.path(), &["--config", &file]), 120, 40);
    terminal.wait_for("Only in one");
    terminal.send("@");
    terminal.wait_for("Profiles");
    terminal.send("\r");
    terminal.wait_for("Only in two");
    let screen = terminal.contents();
    assert!(!screen.contains("ALPHA"), "{screen}");
    assert!(!screen.contains("Only in one"), "{screen}");
    assert!(free("one"), "the first profile is still held");
    assert!(free("two"), "no job writes, so it is not held");
    let asked_of_one = one.requests().len();

    // And back again: what the screen looks like is kept by profile.
    terminal.send("@");
    terminal.wait_for("Profiles");
    terminal.send("\r");
    terminal.wait_for("Only in one");
    assert!(!terminal.contents().contains("OMEGA"));
    assert!(one.requests().len() > asked_of_one);
    assert!(free("two"));
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
    for name in ["one", "two"] {
        let kept = fs::read_to_string(state.join(name).join("view.json")).expect("it is kept");
        assert_eq!(kept.contains("ALPHA"), name == "one", "{name}: {kept}");
    }
    // Nobody was asked for what only the other one has.
    for (server, other) in [(&one, "OMEGA"), (&two, "ALPHA")] {
        assert!(
            server.requests().iter().all(|r| !r.target.contains(other)),
            "{other}"
        );
    }
}

#[test]
fn the_picker_tells_its_keys_once() {
    let mut story = browsing(80, 24);
    story.keys("@");
    let screen = story.screen();
    assert_eq!(screen.matches("Enter open").count(), 1, "{screen}");
    assert_eq!(story.footer(), " Enter open  Esc stay");
}
