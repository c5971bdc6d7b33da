//! Keys that come in one write, typed into the real program on a terminal.

use std::path::Path;

use coracle::demo::{Options, Seed, Server};
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

const WIKI: &str = "\
space: ALPHA
name: Alpha

=== page
title: Start

<p>Here.</p>

=== page
title: Gone one
status: trashed

<p>Gone.</p>

=== page
title: Gone two
status: trashed

<p>Gone too.</p>
";

struct Visit {
    server: Server,
    terminal: Terminal,
    _home: TempDir,
}

/// In the trash of the one space, with these variables in the environment.
fn in_the_trash(variables: &[(&str, &str)]) -> Visit {
    let server = Server::start(Options {
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    });
    let server = server.expect("loopback has a free port");
    let home = tempfile::tempdir().expect("a folder for the test");
    let mut command = program(home.path(), &server);
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for("Start");
    terminal.send("t");
    terminal.wait_for("Gone two");
    Visit {
        server,
        terminal,
        _home: home,
    }
}

fn program(home: &Path, server: &Server) -> portable_pty::CommandBuilder {
    coracle(home, &["--url", server.base_url()])
}

impl Visit {
    fn writes(&self) -> usize {
        let requests = self.server.requests();
        requests
            .iter()
            .filter(|request| request.method != "GET")
            .count()
    }

    /// The plan of the item under the cursor is on the screen.
    fn would_purge(&mut self) {
        self.terminal.send("x");
        self.terminal.wait_for("Type 1 to purge it");
    }

    fn sees_no_more(&mut self, text: &str) {
        let gone = |screen: &vt100::Screen| !screen.contents().contains(text);
        self.terminal.wait("it to go", gone);
    }

    fn leaves(mut self) {
        self.terminal.send([3]);
        assert_eq!(self.terminal.end().code, 130);
    }
}

#[test]
fn a_plan_and_its_answer_in_one_write_purge_nothing() {
    for (keys, dropped) in [
        ("x1\r", "Dropped, typed too early: \"1\", Enter."),
        (" jx2\r", "\"2\", Enter."),
        (" uy", "\"y\"."),
    ] {
        for variables in [&[][..], &[("TMUX", "/tmp/tmux-0/default,1,0")]] {
            let mut visit = in_the_trash(variables);
            visit.terminal.send(keys);
            visit.terminal.wait_for(dropped);
            assert_eq!(visit.writes(), 0, "{keys:?}");
            visit.leaves();
        }
    }
}

#[test]
fn what_is_typed_after_a_look_counts_with_an_enter_of_its_own() {
    let mut visit = in_the_trash(&[]);
    visit.would_purge();
    visit.terminal.send("1\r");
    visit.terminal.wait_for("Press Enter again");
    assert_eq!(visit.writes(), 0);
    visit.terminal.send("\r");
    visit.terminal.wait_for("Purge 1 item of ALPHA: done.");
    assert_eq!(visit.writes(), 1);
    visit.leaves();
}

#[test]
fn a_terminal_that_answers_nothing_is_waited_for_and_then_known() {
    let mut visit = in_the_trash(&[]);
    visit.terminal.ignores_reports();
    visit.would_purge();
    visit.terminal.send("1");
    visit.terminal.wait_for("Dropped, typed too early: \"1\".");
    visit.leaves();
}

#[test]
fn esc_and_a_bracket_in_one_write_leave_no_deaf_program() {
    for keys in [
        "\x1b]",
        "\x1b[",
        "\x1bP",
        "\x1b_",
        "\x1bO",
        "\x1b]11;rgb:ff",
        "\x1b[200~lost",
    ] {
        let mut visit = in_the_trash(&[]);
        visit.terminal.send(keys);
        visit.terminal.send([3]);
        assert_eq!(visit.terminal.end().code, 130, "{keys:?}");
    }
    // Without a Ctrl-c they end in a silence: the help opens, in the search of which nothing is lost.
    let mut visit = in_the_trash(&[]);
    visit.terminal.send("\x1b]");
    visit.terminal.wait_for("v1");
    visit.terminal.send("?");
    visit.terminal.wait_for("Help");
    visit.leaves();
}

#[test]
fn a_paste_without_its_end_is_told_of_and_esc_ends_it() {
    let mut visit = in_the_trash(&[]);
    visit.terminal.send("\x1b[200~lost");
    visit.terminal.wait_for("paste that is being received");
    visit.terminal.send("\x1b");
    visit.sees_no_more("paste that is being received");
    visit.terminal.send("?");
    visit.terminal.wait_for("Help");
    visit.leaves();
}

#[test]
fn a_paste_that_takes_long_is_one_paste() {
    let mut visit = in_the_trash(&[]);
    visit.terminal.send("/");
    visit.terminal.wait_for("Enter keep");
    visit.terminal.send("\x1b[200~Gone ");
    visit.terminal.wait_for("paste that is being received");
    visit.terminal.send("t");
    visit.terminal.send("wo\x1b[201~");
    visit.terminal.wait_for("Gone two");
    visit.sees_no_more("Gone one");
    visit.leaves();
}

/// The lines that are still to be read must not keep the program at drawing.
#[test]
fn keys_are_taken_while_a_part_of_a_plan_is_below_the_window() {
    let mut visit = in_the_trash(&[]);
    visit.would_purge();
    visit.terminal.resize(60, 12);
    visit.terminal.wait_for("unread, PgDn");
    visit.terminal.send("1");
    visit.terminal.wait_for("to purge it:  1");
    visit.terminal.send("\r");
    visit.terminal.wait_for("Not all of this");
    visit.terminal.resize(100, 30);
    visit.terminal.wait_for("Esc cancel");
    assert_eq!(visit.writes(), 0);
    visit.terminal.send([27]);
    visit.sees_no_more("Type 1 to purge it");
    visit.leaves();
}
