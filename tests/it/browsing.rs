//! Somebody browses with the real program on a real terminal, and things go wrong.
//!
//! The server runs inside the test, so a gate can hold back an answer and a fault can spoil it.

use coracle::demo::{Fault, Options, Rule, Server};
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

/// A home, a server with the demo wiki, and the program looking at it.
struct Visit {
    // The order in which they go.
    terminal: Terminal,
    server: Server,
    _home: TempDir,
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

fn server() -> Server {
    Server::start(Options::default()).expect("a server")
}

impl Visit {
    fn to(server: Server, columns: u16, rows: u16) -> Self {
        let home = home();
        let url = server.base_url().to_owned();
        let terminal = Terminal::start(coracle(home.path(), &["--url", &url]), columns, rows);
        Self {
            terminal,
            server,
            _home: home,
        }
    }

    /// With the list of spaces read to its end.
    fn browsing(columns: u16, rows: u16) -> Self {
        let mut visit = Self::to(server(), columns, rows);
        visit.wait_for("42 of 42");
        visit
    }

    fn wait_for(&mut self, text: &str) {
        self.terminal.wait_for(text);
    }

    fn gone(&mut self, text: &str) {
        self.terminal.wait(&format!("{text} is gone"), |screen| {
            !screen.contents().contains(text)
        });
    }

    fn type_(&mut self, keys: &str) {
        self.terminal.send(keys);
    }

    fn leave(self) {
        let Self {
            mut terminal,
            server,
            _home,
        } = self;
        // Ctrl-c, from wherever this is.
        terminal.send([3]);
        let ended = terminal.end();
        assert_eq!((ended.code, ended.screen.as_str()), (130, ""));
        drop(server);
    }
}

/// The line that the caret stands in.
fn at_caret(screen: &vt100::Screen) -> String {
    let contents = screen.contents();
    let line = contents.lines().find(|line| line.contains('▸'));
    line.unwrap_or_default().to_owned()
}

#[test]
fn the_first_frame_is_there_before_the_first_answer() {
    let server = server();
    let gate = server.faults().hold_all("GET /**");
    let mut visit = Visit::to(server, 120, 40);
    visit.wait_for("Signing in");
    visit.wait_for("Spaces");
    assert!(visit.server.requests().iter().all(|r| r.status.is_none()));
    // Keys are answered meanwhile.
    visit.type_("?");
    visit.wait_for("Help");
    visit.type_("q");
    gate.open();
    visit.wait_for("42 of 42");
    visit.leave();
}

#[test]
fn spaces_are_walked_filtered_sorted_and_marked() {
    let mut visit = Visit::browsing(120, 40);
    visit.type_("jj");
    visit.type_("/eng");
    visit.terminal.wait("ENG under the caret", |screen| {
        at_caret(screen).contains("ENG")
    });
    visit.type_("\r");
    visit.type_("\x1b");
    visit.wait_for("42 of 42");
    visit.type_(" ");
    visit.wait_for("1 marked");
    visit.type_("U");
    visit.gone("1 marked");
    visit.type_("s");
    visit.wait_for("Sort");
    visit.type_("q");
    visit.gone("Sort by");
    visit.type_("G");
    visit.type_("g");
    visit.leave();
}

#[test]
fn the_server_is_asked_for_some_of_the_spaces() {
    let mut visit = Visit::browsing(120, 40);
    visit.type_("f");
    visit.wait_for("Labels");
    // Type: global, personal; the second of them.
    visit.type_("\x1b[C\x1b[C\r");
    visit.terminal.wait("fewer spaces", |screen| {
        let contents = screen.contents();
        !contents.contains("42 of 42") && contents.contains(" of ")
    });
    assert!(
        visit
            .server
            .requests()
            .iter()
            .any(|request| request.target.contains("type=personal"))
    );
    visit.leave();
}

#[test]
fn pages_are_opened_and_trash_is_shown() {
    let mut visit = Visit::browsing(120, 40);
    visit.type_("/'eng\r");
    visit.type_("3");
    visit.wait_for("▸ Engineering Home");
    visit.type_("gl");
    visit
        .terminal
        .wait("an open branch", |screen| screen.contents().contains('▾'));
    visit.type_("t");
    visit.wait_for("ENG Engineering ▸ Trash");
    visit.terminal.wait("a count of trash", |screen| {
        let contents = screen.contents();
        let (_, after) = contents.split_once("│ Trash ").unwrap_or_default();
        after.starts_with(|c: char| c.is_ascii_digit())
    });
    visit.leave();
}

#[test]
fn help_and_log_are_read() {
    let mut visit = Visit::browsing(80, 24);
    visit.type_("?");
    visit.wait_for("Spaces (here)");
    visit.type_("/browser");
    visit.wait_for("Open this row in a browser");
    visit.type_("\x1b");
    visit.type_("q");
    visit.gone("Spaces (here)");
    visit.type_("L");
    visit.wait_for("Log");
    visit.type_("q");
    visit.leave();
}

#[test]
fn every_width_has_its_layout_and_the_place_is_kept() {
    let mut visit = Visit::browsing(120, 40);
    visit.type_("/'eng");
    visit.terminal.wait("ENG under the caret", |screen| {
        at_caret(screen).contains("ENG")
    });
    visit.type_("\r");
    visit.terminal.resize(80, 24);
    visit.wait_for("ENG");
    visit.terminal.resize(30, 8);
    visit.wait_for("Too small");
    visit.terminal.resize(200, 60);
    visit
        .terminal
        .wait("the same row", |screen| at_caret(screen).contains("ENG"));
    visit.leave();
}

#[test]
fn without_a_configuration_one_is_welcome() {
    let home = home();
    let mut terminal = Terminal::start(coracle(home.path(), &[]), 80, 24);
    terminal.wait_for("Look around in the demo wiki");
    terminal.wait_for("No config file at");
    terminal.send("d");
    terminal.wait_for("42 of 42");
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);
}

#[test]
fn an_address_that_is_none_is_one_line_and_2() {
    let home = home();
    let ended = Terminal::start(coracle(home.path(), &["--url", "htp:/nonsense"]), 80, 24).end();
    assert_eq!(ended.code, 2, "{}", ended.screen);
    assert!(ended.screen.contains("https://"), "{}", ended.screen);
    assert!(!ended.bytes.contains(&0x1b), "no escape was written");
}

#[test]
fn a_dead_port_is_told_with_what_to_do() {
    let home = home();
    // Nobody listens there.
    let mut terminal = Terminal::start(
        coracle(home.path(), &["--url", "http://127.0.0.1:1"]),
        120,
        40,
    );
    terminal.wait_for("127.0.0.1:1");
    terminal.wait_for("Nothing listens");
    terminal.wait_for("Check the address");
    terminal.wait_for("r tries again");
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn a_wrong_token_is_told_once_with_what_to_do() {
    let home = home();
    let server = Server::start(Options {
        token: Some("right".to_owned()),
        ..Options::default()
    })
    .expect("a server");
    let mut command = coracle(home.path(), &["--url", server.base_url()]);
    command.env("CORACLE_TOKEN", "wrong");
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for("Not signed in.");
    terminal.wait_for("CORACLE_TOKEN");
    terminal.wait_for("Check that the token");
    assert_eq!(server.requests().len(), 1, "one bad password, one request");
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    let bytes = String::from_utf8_lossy(&ended.bytes).into_owned();
    assert!(!bytes.contains("wrong"), "the token is not shown");
}

#[test]
fn a_refused_token_of_a_profile_is_told_with_its_variable() {
    let home = home();
    let server = Server::start(Options {
        token: Some("right".to_owned()),
        ..Options::default()
    })
    .expect("a server");
    let file = home.path().join("c.toml");
    let text = format!(
        "[profiles.p]\nurl = '{}'\ntoken_env = 'WIKI_TOKEN'\n",
        server.base_url()
    );
    std::fs::write(&file, text).expect("a configuration");
    let named = file.to_string_lossy();
    let mut command = coracle(home.path(), &["--config", &named]);
    command.env("WIKI_TOKEN", "wrong");
    let mut terminal = Terminal::start(command, 80, 24);
    terminal.wait_for("Not signed in.");
    terminal.wait_for("WIKI_TOKEN");
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn an_address_of_something_else_is_told_with_what_to_do() {
    let server = server();
    let home = home();
    let url = format!("{}/somewhere", server.base_url());
    let mut terminal = Terminal::start(coracle(home.path(), &["--url", &url]), 120, 40);
    terminal.wait_for("url");
    terminal.wait("what to do", |screen| {
        let contents = screen.contents();
        contents.contains("context path") || contents.contains("check `url`")
    });
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

/// What goes wrong, what is said, and what to do.
fn troubles() -> Vec<(Fault, &'static str, &'static str)> {
    let broken = Fault::Answer {
        status: 500,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: r#"{"statusCode":500,"message":"java.lang.NullPointerException"}"#.to_owned(),
    };
    vec![
        (Fault::LoginPage, "web page", "personal access token"),
        (Fault::CutShort, "line dropped", "try again"),
        (broken, "500", "Try again"),
    ]
}

#[test]
fn answers_that_are_none_are_told_at_the_start_with_what_to_do() {
    for (fault, said, hint) in troubles() {
        let server = server();
        server
            .faults()
            .add(Rule::new("GET /rest/api/space", fault).always());
        let mut visit = Visit::to(server, 120, 40);
        visit.wait_for(said);
        visit.wait_for(hint);
        visit.leave();
    }
}

#[test]
fn answers_that_are_none_leave_the_panes_as_they_were() {
    for (fault, said, hint) in troubles() {
        let mut visit = Visit::browsing(120, 40);
        visit.wait_for("ENG");
        visit
            .server
            .faults()
            .add(Rule::new("GET /rest/api/space", fault).always());
        visit.type_("r");
        visit.wait_for(said);
        visit.wait_for(hint);
        let contents = visit.terminal.contents();
        assert!(contents.contains("ENG"), "{contents}");
        visit.server.faults().clear();
        visit.type_("\x1b");
        visit.type_("r");
        visit.wait_for("42 of 42");
        visit.leave();
    }
}
