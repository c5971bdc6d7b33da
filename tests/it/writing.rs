//! Every write, done from the keyboard of the real program against the embedded Confluence, and
//! checked there in plain HTTP: what it does, how it is refused, and what is left after a crash.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use coracle::demo::{Behaviour, Deletion, Fault, Options, Rule, Seed, Server};
use portable_pty::CommandBuilder;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

const WIKI: &str = "\
space: ALPHA
name: Alpha
description: The first one.
homepage: Start

=== page
title: Start

<p>Here.</p>

=== page
title: Runbooks
parent: Start

<p>There.</p>

=== page
title: Gone one
status: trashed

<p>Gone.</p>

=== page
title: Gone two
status: trashed

<p>Gone too.</p>

space: BETA
name: Beta

=== page
title: Beta home

space: D1
name: Doomed one

=== page
title: Last words

<p>One.</p>

space: D2
name: Doomed two

space: D3
name: Doomed three

space: D4
name: Doomed four

space: D5
name: Doomed five

space: OMEGA
name: Omega
";

/// A server with a program on a terminal in front of it.
struct Bench {
    server: Server,
    home: TempDir,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        Self::behaving(Behaviour {
            deletion_looks: 1,
            ..Behaviour::default()
        })
    }

    fn behaving(behaviour: Behaviour) -> Self {
        let options = Options {
            seed: Seed::Text(WIKI.to_owned()),
            behaviour,
            ..Options::default()
        };
        coracle::confluence::client::choose_cryptography();
        Self {
            server: Server::start(options).expect("loopback has a free port"),
            home: tempfile::tempdir().expect("a folder for the test"),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("nothing special is asked for"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a test may have a runtime"),
        }
    }

    fn command(&self) -> CommandBuilder {
        let mut command = coracle(self.home.path(), &["--url", self.server.base_url()]);
        command.env("EDITOR", self.home.path().join("editor"));
        command
    }

    fn start(&self) -> Visit {
        let terminal = Terminal::start(self.command(), 150, 50);
        let mut visit = Visit {
            terminal: Some(terminal),
        };
        visit.sees("Alpha");
        visit
    }

    /// Status and body of a plain GET.
    fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/rest/api{path}", self.server.base_url());
        self.runtime.block_on(async {
            let answer = self.client.get(url).send().await.expect("it answers");
            let status = answer.status().as_u16();
            let body = answer.bytes().await.expect("a body");
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    /// Status of a plain DELETE.
    fn delete(&self, path: &str) -> u16 {
        let url = format!("{}/rest/api{path}", self.server.base_url());
        self.runtime.block_on(async {
            let answer = self.client.delete(url).send().await.expect("it answers");
            answer.status().as_u16()
        })
    }

    fn space(&self, key: &str) -> (u16, Value) {
        self.get(&format!("/space/{key}?expand=description.plain,homepage"))
    }

    fn trash(&self, key: &str) -> usize {
        let (_, page) = self.get(&format!("/space/{key}/trash?limit=200"));
        page["results"].as_array().map_or(0, Vec::len)
    }

    /// How many requests with this method to this path were let in.
    fn asked(&self, method: &str, path: &str) -> usize {
        self.server
            .requests()
            .iter()
            .filter(|it| it.method == method && it.target.split('?').next() == Some(path))
            .count()
    }

    fn refuse(&self, route: &str, status: u16, message: &str) {
        let body = json!({
            "statusCode": status,
            "data": {"valid": false, "errors": [{"message": {"translation": message}}]},
            "message": message,
        });
        self.server.faults().add(Rule::new(
            route,
            Fault::Answer {
                status,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: body.to_string(),
            },
        ));
    }

    fn journal(&self) -> PathBuf {
        fn find(folder: &Path) -> Option<PathBuf> {
            for entry in fs::read_dir(folder).ok()? {
                let path = entry.ok()?.path();
                if path.is_dir() {
                    if let Some(found) = find(&path) {
                        return Some(found);
                    }
                } else if path
                    .file_name()
                    .is_some_and(|name| name == "journal.ndjson")
                {
                    return Some(path);
                }
            }
            None
        }
        find(&self.home.path().join(".local/state/coracle")).expect("a journal was written")
    }

    /// `coracle journal verify`: its exit code and what it says.
    fn verify(&self) -> (u32, String) {
        let command = coracle(self.home.path(), &["journal", "verify"]);
        let ended = Terminal::start(command, 150, 50).end();
        (ended.code, ended.screen)
    }

    fn editor(&self, script: &str) {
        let path = self.home.path().join("editor");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("an editor");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an editor");
    }
}

/// The program, and somebody at its keys.
struct Visit {
    /// `None` when it has ended.
    terminal: Option<Terminal>,
}

/// The screen without borders and with single blanks, so that a sentence is found although it is
/// broken.
pub(crate) fn plain(screen: &vt100::Screen) -> String {
    let text: String = screen
        .contents()
        .chars()
        .map(|c| {
            if "│╭╮╰╯─▸●".contains(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Visit {
    fn at(&mut self) -> &mut Terminal {
        self.terminal.as_mut().expect("it runs")
    }

    fn sees(&mut self, text: &str) -> &mut Self {
        self.at().wait(text, |screen| plain(screen).contains(text));
        self
    }

    fn sees_no_more(&mut self, text: &str) -> &mut Self {
        self.at().wait(&format!("no {text}"), |screen| {
            !plain(screen).contains(text)
        });
        self
    }

    fn types(&mut self, text: &str) -> &mut Self {
        self.at().send(text);
        self
    }

    /// Types letter by letter; each is seen before the next.
    fn types_slowly(&mut self, before: &str, text: &str) -> &mut Self {
        for end in 1..=text.len() {
            self.at().send(&text[end - 1..end]);
            self.sees(&format!("{before} {}", &text[..end]));
        }
        self
    }

    fn enter(&mut self) -> &mut Self {
        self.at().send_apart("\r");
        self
    }

    /// Waits until all that the dialog is about is counted.
    fn counted(&mut self) -> &mut Self {
        self.at().wait("all is counted", |screen| {
            let text = plain(screen);
            let counting = ["… page", "… blog", "… in trash"];
            !counting.iter().any(|open| text.contains(open))
        });
        self
    }

    /// Agrees to what the dialog asks, once it is counted what that is.
    fn agrees(&mut self) -> &mut Self {
        self.counted();
        self.at().agrees("\r", "Type ");
        self
    }

    fn escape(&mut self, gone: &str) -> &mut Self {
        self.types("\u{1b}").sees_no_more(gone)
    }

    /// Puts the cursor on a space by a filter.
    fn goes_to(&mut self, key: &str) -> &mut Self {
        self.types("1").types("/").sees("Enter keep the filter");
        self.types(&format!("'{key}\r")).sees("Spaces 1 of");
        self.sees_no_more("Enter keep the filter")
    }

    fn all_again(&mut self) -> &mut Self {
        self.types("\u{1b}").sees_no_more("Spaces 1 of")
    }

    /// Opens the form for a new space and names it; the proposed key is found to be free.
    fn names_new(&mut self, name: &str, key: &str) -> &mut Self {
        self.types("n").sees("Ctrl-s create");
        self.types(name).sees(&format!("{key} free"))
    }

    /// Opens the form for a personal space.
    fn opens_personal(&mut self) -> &mut Self {
        self.types("n").sees("Ctrl-s create");
        self.types("\t\t\u{1b}[D").sees("your own space")
    }

    /// Opens the form for a space, adds an x to its name and asks to save it.
    fn lengthens_name(&mut self, to: &str) -> &mut Self {
        self.types("e").sees("Ctrl-s save");
        self.types("x\u{13}").sees(&format!("+ {to}"))
    }

    fn saves(&mut self) -> &mut Self {
        self.types("\u{13}")
    }

    /// Leaves a form with changes; `form` is something that it shows.
    fn gives_up(&mut self, form: &str) -> &mut Self {
        self.types("\u{1b}").sees("Leave the form?");
        self.types("y").sees_no_more(form)
    }

    /// Opens the dialog that deletes a space.
    fn would_delete(&mut self, key: &str) -> &mut Self {
        self.types("D").sees(&format!("Type {key} to delete it:"));
        // The dialog is another one once it is known whether the server writes spaces out.
        self.at().wait("what the server can do", |screen| {
            let text = plain(screen);
            let is_told = text.contains("First the server writes it out")
                && text.contains("before anything is deleted");
            is_told || text.contains("back it up itself")
        });
        self
    }

    /// Deletes a space, its key typed.
    fn deletes(&mut self, key: &str) -> &mut Self {
        self.would_delete(key);
        self.types_slowly("to delete it:", key).agrees()
    }

    /// Purges the whole trash of a space, its key typed.
    fn purges_all(&mut self, key: &str) -> &mut Self {
        let asked = format!("Type {key} to purge its trash:");
        self.types("P").sees(&asked);
        self.types_slowly("to purge its trash:", key).agrees();
        self.sees_no_more(&asked)
    }

    /// Looks for a sentence in the log.
    fn is_told(&mut self, said: &str) -> &mut Self {
        self.types("L").sees("Log and journal").sees(said);
        self.escape("Log and journal")
    }

    fn quits(&mut self) {
        self.types("q");
        let terminal = self.terminal.take().expect("it runs");
        assert_eq!(terminal.end().code, 0);
    }
}

#[test]
fn spaces_are_made_changed_and_put_away() {
    let bench = Bench::new();
    let mut visit = bench.start();

    visit.names_new("Harbour Log", "HL");
    visit
        .types("\t\t\tFirst line.\rSecond line.")
        .sees("Second line.");
    visit.saves().sees("New space HL: done.");
    let (status, space) = bench.space("HL");
    assert_eq!((status, &space["name"]), (200, &json!("Harbour Log")));
    assert_eq!(
        space["description"]["plain"]["value"],
        "First line.\nSecond line."
    );
    assert_eq!(bench.asked("POST", "/rest/api/space"), 1);

    visit.names_new("Own Notes", "ON");
    visit.types("\t\t\u{1b}[C").sees("only you can see it");
    visit.saves().sees("New space ON: done.");
    assert_eq!(bench.asked("POST", "/rest/api/space/_private"), 1);
    assert_eq!(bench.space("ON").0, 200);

    visit.opens_personal().types("\tMine.").sees("Mine.");
    visit.saves().sees("New space ~jdoe: done.");
    assert_eq!(bench.asked("POST", "/rest/api/space/personal"), 1);
    let (status, space) = bench.space("~jdoe");
    assert_eq!(status, 200);
    assert_eq!(space["description"]["plain"]["value"], "Mine.");

    // The name changes and the description goes; the homepage is not touched.
    visit.goes_to("ALPHA").types("e").sees("Ctrl-s save");
    visit
        .types("bet\t\u{1}\u{7f}")
        .sees_no_more("The first one. Homepage");
    visit
        .saves()
        .sees("The description is cleared.")
        .sees("+ Alphabet");
    visit.types("y").sees("Change ALPHA: done.");
    let (_, space) = bench.space("ALPHA");
    assert_eq!(space["name"], "Alphabet");
    assert_eq!(space["description"]["plain"]["value"], "");
    assert_eq!(space["homepage"]["title"], "Start");

    // Another homepage, found by a few letters.
    visit.types("e").sees("Ctrl-s save");
    visit.types("\t\t").sees("Enter picks");
    visit.enter().sees("2 pages").types("runb").sees("1 of 2");
    visit.at().wait_for("▸ Runbooks");
    visit.enter().sees("Homepage Runbooks");
    visit.saves().sees("+ Runbooks").types("y");
    visit.sees_no_more("+ Runbooks").sees("Change ALPHA: done.");
    assert_eq!(bench.space("ALPHA").1["homepage"]["title"], "Runbooks");
    assert_eq!(bench.asked("PUT", "/rest/api/space/ALPHA"), 2);

    visit
        .types("a")
        .sees("Archive ALPHA")
        .types("y")
        .sees("Archive ALPHA: done.");
    assert_eq!(bench.space("ALPHA").1["status"], "ARCHIVED");
    visit
        .sees("archived")
        .types("a")
        .sees("Restore ALPHA")
        .types("y");
    visit.sees("Restore ALPHA: done.");
    assert_eq!(bench.space("ALPHA").1["status"], "CURRENT");
    assert_eq!(bench.asked("PUT", "/rest/api/space/ALPHA/archive"), 1);
    assert_eq!(bench.asked("PUT", "/rest/api/space/ALPHA/restore"), 1);

    // Enter alone agrees to nothing, and neither does a wrong answer.
    visit
        .types("P")
        .sees("Type ALPHA to purge its trash:")
        .sees("2 in trash");
    visit.enter().sees("That is not ALPHA. Nothing was done.");
    visit.types_slowly("to purge its trash:", "ALPHA");
    assert_eq!(bench.trash("ALPHA"), 2);
    visit.enter().sees("Purge the trash of ALPHA: done.");
    assert_eq!(bench.trash("ALPHA"), 0);
    assert_eq!(bench.asked("DELETE", "/rest/api/space/ALPHA/trash"), 1);

    visit.would_delete("ALPHA").sees("2 pages");
    visit
        .types("\u{1b}[200~ALPHA\u{1b}[201~")
        .sees("Pasted text doesn't count here.");
    visit.types_slowly("to delete it:", "ALPHA").agrees();
    visit.sees("Delete ALPHA: done.");
    assert_eq!(bench.space("ALPHA").0, 404);
    assert_eq!(bench.asked("DELETE", "/rest/api/space/ALPHA"), 1);
    assert!(bench.home.path().join(".local").exists());

    visit.is_told("DELETE /rest/api/space/ALPHA");
    visit.all_again().quits();
    let (code, said) = bench.verify();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_somebody_trashes_while_the_dialog_is_read_is_not_purged() {
    let bench = Bench::new();
    let mut visit = bench.start();
    visit.goes_to("ALPHA");
    visit
        .types("P")
        .sees("Type ALPHA to purge its trash:")
        .sees("2 in trash");
    let (_, pages) = bench.get("/space/ALPHA/content/page");
    let pages = pages["results"].as_array().expect("pages");
    let later = pages
        .iter()
        .find(|it| it["title"] == "Runbooks")
        .expect("a page");
    let later = format!("/content/{}", later["id"].as_str().expect("an id"));
    assert_eq!(bench.delete(&later), 204);
    assert_eq!(bench.trash("ALPHA"), 3);
    visit.types_slowly("to purge its trash:", "ALPHA").agrees();
    visit.sees("Purge the trash of ALPHA: done.");
    assert_eq!(bench.trash("ALPHA"), 1);
    assert_eq!(bench.get(&format!("{later}?status=trashed")).0, 200);
    assert_eq!(bench.asked("DELETE", "/rest/api/space/ALPHA/trash"), 0);
    visit.types("J").sees("1 left out").enter();
    visit.sees("You were not shown it");
}

#[test]
fn what_the_server_refuses_of_a_new_space_is_told_beside_its_field() {
    let bench = Bench::new();
    let mut visit = bench.start();

    // Operations 2 and 3 are refused alike, and everything stays as it was typed.
    for (route, kind, shown, name, key) in [
        ("POST /rest/api/space", "", "Kind", "Harbour Log", "HL"),
        (
            "POST /rest/api/space/_private",
            "\t\t\u{1b}[C",
            "◂ private",
            "Own Notes",
            "ON",
        ),
    ] {
        // A key that confirms does not count in one read with others.
        visit.names_new(name, key).types(kind).sees(shown);
        bench.refuse(route, 400, "The space name must not be blank.");
        let beside = format!("{name} The space name must not be blank. Key {key}");
        visit.saves().sees(&beside);
        let exists = format!("A space already exists with key {key}");
        bench.refuse(route, 409, &exists);
        visit.saves().sees(&format!("{key} {exists}"));
        // The key is thought to be taken; typing in it asks anew.
        let other = format!("{key}2");
        visit.types("2").sees(&format!("{other} free"));
        bench.refuse(route, 403, "User is not permitted to create spaces");
        visit
            .saves()
            .sees("User is not permitted to create spaces")
            .sees("Ask an administrator");
        visit.saves().sees(&format!("New space {other}: done."));
        assert_eq!(bench.space(&other).0, 200);
        assert_eq!(bench.space(key).0, 404);
    }

    visit.opens_personal();
    for (status, message) in [
        (400, "The description is too long"),
        (403, "You may have no personal space"),
        (409, "There is one already"),
    ] {
        bench.refuse("POST /rest/api/space/personal", status, message);
        visit.saves().sees(message);
    }
    assert_eq!(bench.space("~jdoe").0, 404);
    visit.saves().sees("New space ~jdoe: done.");
    visit.quits();
    assert_eq!(bench.verify().0, 0);
}

#[test]
fn what_the_server_refuses_of_a_space_is_told_and_leaves_it_as_it_was() {
    let bench = Bench::new();
    let mut visit = bench.start();
    visit.goes_to("BETA");
    for (status, message) in [
        (400, "Some reason of the server"),
        (403, "You may not edit it"),
        (404, "There is no such thing"),
        (409, "Somebody was faster"),
    ] {
        bench.refuse("PUT /rest/api/space/BETA", status, message);
        visit.lengthens_name("Betax").types("y");
        visit.sees(message).sees("Name Betax");
        visit.gives_up("Ctrl-s save");
    }
    assert_eq!(bench.space("BETA").1["name"], "Beta");

    for (status, message) in [(403, "Never yours"), (404, "Vanished")] {
        bench.refuse("DELETE /rest/api/space/BETA", status, message);
        visit
            .would_delete("BETA")
            .types("\tb")
            .sees("you declined it");
        visit
            .types("\t")
            .types_slowly("to delete it:", "BETA")
            .agrees();
        visit.sees(message).sees_no_more("Type BETA");
    }
    assert_eq!(bench.space("BETA").0, 200);
    visit.types("J").sees("o plans").sees("failed");
    visit.escape("o plans").all_again().quits();
    assert_eq!(bench.verify().0, 0);
}

#[test]
fn what_the_server_refuses_of_archive_and_trash_is_told_and_leaves_them_as_they_were() {
    let bench = Bench::new();
    let mut visit = bench.start();
    visit.goes_to("ALPHA");
    // 8 and then 9: refused for every reason, and done when there is none.
    for (path, act, standing, before) in [
        ("archive", "Archive", "ARCHIVED", "CURRENT"),
        ("restore", "Restore", "CURRENT", "ARCHIVED"),
    ] {
        for (status, message, said) in [
            (
                401,
                "Sign in first",
                format!("{act} ALPHA: failed. The server wants a sign-in"),
            ),
            (
                403,
                "Not an admin",
                format!("{act} ALPHA: failed. Not an admin"),
            ),
            // The space is there, so it is the operation that is missing.
            (404, "Not here", "cannot archive spaces".to_owned()),
        ] {
            let route = format!("PUT /rest/api/space/ALPHA/{path}");
            bench.refuse(&route, status, message);
            visit.types("a").sees("Nothing is lost");
            visit.types("y").sees_no_more("Nothing is lost");
            visit.is_told(&said);
            assert_eq!(bench.space("ALPHA").1["status"], before);
        }
        visit.types("a").sees("Nothing is lost");
        visit.types("y").sees(&format!("{act} ALPHA: done."));
        assert_eq!(bench.space("ALPHA").1["status"], standing);
    }

    let route = "DELETE /rest/api/space/ALPHA/trash";
    bench.refuse(route, 403, "Not an admin");
    visit
        .purges_all("ALPHA")
        .is_told("Purge the trash of ALPHA: failed. 0 of 2 purged, 2 not tried. Not an admin");
    assert_eq!(bench.trash("ALPHA"), 2);
    // The space is there, so it is the operation that is missing: what was agreed to is done
    // item by item.
    bench.refuse(route, 404, "Not here");
    visit
        .purges_all("ALPHA")
        .is_told("Purge the trash of ALPHA: done.");
    assert_eq!(bench.trash("ALPHA"), 0);
    assert_eq!(bench.asked("DELETE", "/rest/api/space/ALPHA/trash"), 2);
    visit.all_again().quits();
    assert_eq!(bench.verify().0, 0);
}

#[test]
fn an_editor_is_lent_the_terminal_and_gives_it_back() {
    let bench = Bench::new();
    let mut visit = bench.start();
    visit.names_new("Harbour Log", "HL");
    visit.types("\t\t\tTyped here.").sees("Typed here.");

    bench.editor("printf 'Written\\nelsewhere.\\n' > \"$1\"");
    visit.types("\u{5}").sees("Written").sees("elsewhere.");
    bench.editor("exit 1");
    visit.types("\u{5}").sees("status 1").sees("Written");
    bench.editor("kill -9 $$");
    visit.types("\u{5}").sees("signal 9").sees("Written");
    fs::remove_file(bench.home.path().join("editor")).expect("it was there");
    visit
        .types("\u{5}")
        .sees("could not be started")
        .sees("Written");

    visit.saves().sees("New space HL: done.");
    assert_eq!(
        bench.space("HL").1["description"]["plain"]["value"],
        "Written\nelsewhere."
    );
    visit.quits();
}

#[test]
fn a_lost_answer_is_asked_about_and_nothing_is_done_twice() {
    let bench = Bench::new();
    let lose = |route: &str, fault: Fault| bench.server.faults().add(Rule::new(route, fault));
    let mut visit = bench.start();

    for (name, key, fault, times) in [
        ("Harbour Log", "HL", Fault::AppliedThenLost, 1),
        ("Night Watch", "NW", Fault::Dropped, 2),
    ] {
        bench.server.forget_requests();
        lose("POST /rest/api/space", fault);
        visit.names_new(name, key);
        visit.saves().sees(&format!("New space {key}: done."));
        assert_eq!(bench.space(key).1["name"], name);
        assert_eq!(bench.asked("POST", "/rest/api/space"), times);
    }

    visit.goes_to("ALPHA");
    for (path, said, standing) in [
        ("archive", "Archive ALPHA: done.", "ARCHIVED"),
        ("restore", "Restore ALPHA: done.", "CURRENT"),
    ] {
        let path = format!("/rest/api/space/ALPHA/{path}");
        lose(&format!("PUT {path}"), Fault::AppliedThenLost);
        visit
            .types("a")
            .sees("Nothing is lost")
            .types("y")
            .sees(said);
        assert_eq!(bench.asked("PUT", &path), 1);
        assert_eq!(bench.space("ALPHA").1["status"], standing);
    }
    lose("DELETE /rest/api/space/ALPHA/trash", Fault::AppliedThenLost);
    visit
        .purges_all("ALPHA")
        .sees("Purge the trash of ALPHA: done.");
    assert_eq!(bench.asked("DELETE", "/rest/api/space/ALPHA/trash"), 1);
    assert_eq!(bench.trash("ALPHA"), 0);

    visit.all_again().goes_to("BETA");
    lose("PUT /rest/api/space/BETA", Fault::AppliedThenLost);
    visit.lengthens_name("Betax").types("y");
    visit.sees("Change BETA: done.");
    assert_eq!(bench.asked("PUT", "/rest/api/space/BETA"), 1);
    assert_eq!(bench.space("BETA").1["name"], "Betax");

    lose("DELETE /rest/api/space/BETA", Fault::AppliedThenLost);
    visit.deletes("BETA").sees("Delete BETA: done.");
    assert_eq!(bench.asked("DELETE", "/rest/api/space/BETA"), 1);
    assert_eq!(bench.space("BETA").0, 404);
    visit.all_again().quits();
    assert_eq!(bench.verify().0, 0);
}

#[test]
fn a_change_made_meanwhile_is_shown_and_a_person_chooses() {
    let bench = Bench::new();
    let mut visit = bench.start();
    let rename = |name: &str| {
        let url = format!("{}/rest/api/space/BETA", bench.server.base_url());
        let body = json!({"key": "BETA", "name": name}).to_string();
        bench.runtime.block_on(async {
            let sent = bench.client.put(url).body(body).send().await;
            assert_eq!(sent.expect("it answers").status(), 200);
        });
    };
    visit.goes_to("BETA");
    for (choice, mine, theirs, name) in [
        ("t", "Betax", "Theirs 1", "Theirs 1"),
        ("m", "Theirs 1x", "Theirs 2", "Theirs 1x"),
    ] {
        visit.lengthens_name(mine);
        rename(theirs);
        visit
            .types("y")
            .sees("Changed meanwhile")
            .sees("theirs Theirs");
        // The cursor is on the first answer.
        if choice != "t" {
            visit.types(choice);
        }
        visit
            .enter()
            .sees_no_more("Changed meanwhile")
            .sees(&format!("BETA {name} current"));
        // The list may have been read again while the job was still at work: until it is over, the form
        // has the keys.
        visit.sees_no_more("Esc leave: the job goes on");
        assert_eq!(bench.space("BETA").1["name"], name);
    }
    visit.all_again().quits();
}

#[test]
fn a_deletion_that_fails_or_gets_lost_is_told_as_it_is() {
    for (deletion, said, status) in [
        (Deletion::Fails, "Delete BETA: failed.", 200),
        (Deletion::Expires, "Delete BETA: done.", 404),
    ] {
        let bench = Bench::behaving(Behaviour {
            deletion,
            deletion_looks: 1,
            ..Behaviour::default()
        });
        let mut visit = bench.start();
        visit.goes_to("BETA").deletes("BETA").sees(said);
        assert_eq!(bench.space("BETA").0, status);
        visit.all_again().quits();
    }
}

/// Begins to delete the five spaces that are doomed.
fn begins_five_deletions(visit: &mut Visit) {
    plans_five_deletions(visit);
    visit.agrees();
}

/// Five deletions, counted and with what was asked typed.
fn plans_five_deletions(visit: &mut Visit) {
    visit.types("/").sees("Enter keep the filter");
    visit.types("Doomed\r").sees("Spaces 5 of");
    visit.types("*").sees("5 marked");
    visit.types("D").sees("Type 5 to delete them:");
    visit.types("5").sees("to delete them: 5").counted();
}

/// Starts again after a kill, agrees anew, and sees all five end.
fn goes_on_with_five_deletions(bench: &Bench) {
    let (code, said) = bench.verify();
    assert_eq!(code, 0, "{said}");
    let mut visit = bench.start();
    visit.sees("Delete 5 spaces").sees("left over");
    visit.types("r").sees("Type 3 to delete them:");
    visit.sees("2 of 5 done").types("3");
    visit.sees("to delete them: 3").agrees();
    visit.sees("Delete 5 spaces: done.");
    for key in ["D1", "D2", "D3", "D4", "D5"] {
        assert_eq!(bench.space(key).0, 404, "{key}");
        let path = format!("/rest/api/space/{key}");
        assert_eq!(bench.asked("DELETE", &path), 1, "{key}");
    }
    assert_eq!(bench.space("ALPHA").0, 200);
    visit.escape("o plans").quits();
    let (code, said) = bench.verify();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn five_deletions_cut_short_by_a_kill_are_taken_up_and_end_as_if_nothing_had_been() {
    let bench = Bench::new();
    let mut visit = bench.start();
    plans_five_deletions(&mut visit);
    // The third space is being read when the program dies.
    let gate = bench.server.faults().hold("GET /rest/api/space/D3/**");
    visit.agrees();
    visit.sees("1 job 40 %");
    visit
        .at()
        .wait("the third request waits", |_| gate.waiting() == 1);
    // The screen may be ahead of the disk: what the journal holds is what the next run knows.
    visit
        .at()
        .until("the second deletion is in the journal as done", || {
            let journal = fs::read_to_string(bench.journal()).expect("the journal");
            let told = |line: &str| {
                line.ends_with('}')
                    && line.contains(r#""subject":"D2""#)
                    && line.contains(r#""outcome":"done""#)
            };
            journal.lines().any(told)
        });
    visit.at().signal(Signal::KILL);
    drop(visit);
    gate.open();
    assert_eq!((bench.space("D1").0, bench.space("D2").0), (404, 404));
    assert_eq!(bench.space("D4").0, 200);
    goes_on_with_five_deletions(&bench);
}

#[test]
fn a_kill_with_a_deletion_on_the_line_is_settled_by_asking_for_the_space() {
    let bench = Bench::new();
    let mut visit = bench.start();
    // The third deletion is applied, and its answer is still coming when the program dies.
    let slowly = Fault::Trickle {
        bytes: 1,
        pause: std::time::Duration::from_hours(1),
    };
    let third = "DELETE /rest/api/space/D3";
    bench.server.faults().add(Rule::new(third, slowly));
    begins_five_deletions(&mut visit);
    visit.sees("1 job 40 %");
    visit.at().until("the third deletion is on the line", || {
        bench.asked("DELETE", "/rest/api/space/D3") == 1
    });
    visit.at().signal(Signal::KILL);
    drop(visit);
    assert_eq!((bench.space("D2").0, bench.space("D4").0), (404, 200));
    goes_on_with_five_deletions(&bench);
}

#[test]
fn a_broken_journal_stops_writes_and_a_cut_line_does_not() {
    let bench = Bench::new();
    let mut visit = bench.start();
    visit.names_new("Harbour Log", "HL");
    visit.saves().sees("New space HL: done.").quits();
    let journal = bench.journal();
    let whole = fs::read(&journal).expect("the journal");
    assert_eq!(
        fs::metadata(&journal)
            .expect("the journal")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );

    // A crash in the middle of a line.
    let half = whole[..whole.len() / 3].to_vec();
    let mut cut = whole.clone();
    cut.extend_from_slice(&half);
    fs::write(&journal, &cut).expect("the journal");
    let mut visit = bench.start();
    visit.names_new("Night Watch", "NW");
    visit.saves().sees("New space NW: done.").quits();
    let (code, said) = bench.verify();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("4 entries"), "{said}");
    assert!(said.contains("does not count"), "{said}");

    // Somebody changed what it says.
    let text = String::from_utf8(whole).expect("text");
    fs::write(&journal, text.replace("\"HL\"", "\"XX\"")).expect("the journal");
    let (code, said) = bench.verify();
    assert_ne!(code, 0, "{said}");
    let mut visit = bench.start();
    visit
        .sees("Until then nothing is changed.")
        .types("n")
        .sees("Until then nothing is changed.");
    bench.server.forget_requests();
    visit
        .types("a")
        .types("D")
        .types("L")
        .sees("Log and journal")
        .escape("Log and journal");
    visit.quits();
    assert!(bench.server.requests().iter().all(|it| it.method == "GET"));
}
