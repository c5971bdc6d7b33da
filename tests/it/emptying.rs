//! Somebody empties a trash with the real program on a real terminal, and gets it all back.
//!
//! The server runs inside the test: what is on it is asked with the real client, and what was asked
//! of it is read from its log.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coracle::confluence::Endpoint;
use coracle::confluence::call::{Depth, Window};
use coracle::confluence::client::{Client, Credentials, Settings};
use coracle::confluence::{Call, Content, ContentKind, Reply, SpaceKey};
use coracle::demo::{Options, Seed, Server};
use coracle::jobs::backup::{self, Manifest};
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

/// Twenty things to keep, three to purge, and a tree of three levels.
fn seed() -> Seed {
    use std::fmt::Write as _;
    let mut text = String::from(
        "space: ENG\nname: Engineering\nhomepage: Home\n\n=== page\ntitle: Home\n\n<p>Home</p>\n",
    );
    for n in 0..20 {
        let _ = write!(
            text,
            "\n=== page\ntitle: Keep {n}\nparent: Home\nstatus: trashed\nversion: {}\n\n<p>{n}</p>\n",
            n + 1
        );
    }
    for (title, body) in SCRAPS {
        let _ = write!(
            text,
            "\n=== page\ntitle: {title}\nparent: Home\nstatus: trashed\n\n{body}\n"
        );
    }
    for (title, parent) in TREE {
        let _ = write!(
            text,
            "\n=== page\ntitle: {title}\nparent: {parent}\nstatus: trashed\n\n<p>{title}</p>\n"
        );
    }
    Seed::Text(text)
}

const SCRAPS: [(&str, &str); 3] = [
    ("Scrap one", "<p>one</p>"),
    ("Scrap \"two\" – für später", "<p>two &amp; more</p>"),
    ("Scrap three", "<p>three</p>"),
];

const TREE: [(&str, &str); 3] = [
    ("Guide", "Home"),
    ("Guide chapter", "Guide"),
    ("Guide section", "Guide chapter"),
];

pub(crate) struct Visit {
    pub(crate) terminal: Terminal,
    pub(crate) server: Server,
    client: Client,
    runtime: tokio::runtime::Runtime,
    pub(crate) home: TempDir,
}

impl Visit {
    pub(crate) fn new(seed: Seed) -> Self {
        Self::of(Options {
            seed,
            ..Options::default()
        })
    }

    pub(crate) fn of(options: Options) -> Self {
        let server = Server::start(options).expect("a server");
        let home = tempfile::tempdir().expect("a folder for the test");
        let arguments = ["--url", server.base_url()];
        let terminal = Terminal::start(coracle(home.path(), &arguments), 120, 40);
        let endpoint = Endpoint::parse(server.base_url()).expect("usable");
        let client = Client::new(Settings::new(endpoint, Credentials::Anonymous)).expect("usable");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            terminal,
            server,
            client,
            runtime,
            home,
        }
    }

    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        self.terminal.send_keys(keys);
        self
    }

    /// Agrees to a plan that asks for a `y`.
    pub(crate) fn agrees(&mut self) -> &mut Self {
        self.terminal.agrees("y", "y confirm");
        self
    }

    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        self.terminal.wait_for(text);
        self
    }

    fn ask(&self, call: &Call) -> Reply {
        let answer = self.runtime.block_on(self.client.send(call, |_| {}));
        answer.outcome.expect("an answer")
    }

    /// What is in the trash, as the server tells it; title, id and version of each, in its order.
    pub(crate) fn trash(&self) -> Vec<(String, String, Option<u64>)> {
        let call = Call::Trash {
            key: SpaceKey::new("ENG"),
            cursor: None,
            expand: "version".to_owned(),
            limit: 200,
        };
        let Reply::Trash(page) = self.ask(&call) else {
            panic!("a trash");
        };
        assert_eq!(page.next, None);
        let version = |item: &Content| item.version.as_ref().and_then(|version| version.number);
        page.results
            .iter()
            .map(|item| (item.title.to_string(), item.id.to_string(), version(item)))
            .collect()
    }

    /// The pages that are current.
    fn pages(&self) -> Vec<Content> {
        let call = Call::SpaceContentOfKind {
            key: SpaceKey::new("ENG"),
            kind: ContentKind::Page,
            depth: Depth::All,
            expand: "version,ancestors,body.storage".to_owned(),
            window: Window {
                start: 0,
                limit: 200,
            },
        };
        match self.ask(&call) {
            Reply::Contents(page) => page.results,
            other => panic!("{other:?}"),
        }
    }

    fn page(&self, title: &str) -> Content {
        let pages = self.pages();
        let found = pages.into_iter().find(|page| page.title == title);
        found.unwrap_or_else(|| panic!("{title} is not there"))
    }

    /// The writes that came in since this was asked last.
    pub(crate) fn writes(&self) -> Vec<(String, String)> {
        let writes = self
            .server
            .requests()
            .into_iter()
            .filter(|request| request.method != "GET")
            .map(|request| (request.method, request.target))
            .collect();
        self.server.forget_requests();
        writes
    }

    pub(crate) fn leave(self) {
        let Self {
            mut terminal,
            server,
            home,
            ..
        } = self;
        terminal.send([3]);
        assert_eq!(terminal.end().code, 130);
        drop((server, home));
    }
}

fn below(page: &Content) -> Vec<String> {
    let above = page.ancestors.iter().flatten();
    above
        .map(|it| it.title.clone().unwrap_or_default())
        .collect()
}

/// The one folder among the backups.
pub(crate) fn backup_in(home: &Path) -> PathBuf {
    let backups = home.join(if cfg!(target_os = "macos") {
        "Library/Application Support/coracle/backups"
    } else {
        ".local/share/coracle/backups"
    });
    let folders: Vec<PathBuf> = std::fs::read_dir(backups)
        .expect("the backups")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders.into_iter().next().expect("one")
}

/// The command of the README that lists the titles of a backup, as it stands there.
fn one_liner() -> &'static str {
    let readme = include_str!("../../README.md");
    let line = readme.lines().find(|line| line.starts_with("    zcat "));
    line.expect("the README shows it").trim()
}

/// Three of many are found by a filter, purged, read in the backup without Coracle, and made
/// again from the backup browser. Everything else stays as it was.
#[test]
fn three_of_many_are_purged_and_come_back_from_the_backup() {
    let mut visit = Visit::new(seed());
    visit.sees("1 of 1").keys("t").sees("Keep 0");
    let before = visit.trash();
    assert_eq!(before.len(), 26);
    visit.keys("/'scrap").sees("3 of 26 read");
    visit.keys("\r*").sees("3 marked");
    visit.server.forget_requests();
    visit.keys("x").sees("Type 3 to purge them");
    visit.keys("3\r").sees("Purge 3 items of ENG: done");

    let purged: Vec<_> = before
        .iter()
        .filter(|(title, ..)| title.starts_with("Scrap"))
        .cloned()
        .collect();
    let mut after = before.clone();
    after.retain(|item| !purged.contains(item));
    assert_eq!(visit.trash(), after, "the others are as they were");
    let mut wanted: Vec<(String, String)> = purged
        .iter()
        .map(|(_, id, _)| {
            let target = format!("/rest/api/content/{id}?status=trashed");
            ("DELETE".to_owned(), target)
        })
        .collect();
    let mut writes = visit.writes();
    wanted.sort();
    writes.sort();
    assert_eq!(writes, wanted, "nothing else was written");

    // The backup verifies, by its manifest and by the program, and is read by other tools.
    let folder = backup_in(visit.home.path());
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let manifest = Manifest::decode(&read(backup::MANIFEST).expect("there")).expect("whole");
    manifest.verify(read).expect("as it was written");
    assert_eq!((manifest.items, manifest.not_saved.len()), (3, 0));
    let items = backup::unpack("items", &read("items-0001.ndjson.gz").expect("there"));
    for item in items.expect("readable") {
        let (_, body) = SCRAPS
            .iter()
            .find(|(title, _)| item.title == **title)
            .expect("one of the three");
        assert_eq!(item.storage.as_deref().map(str::trim), Some(*body));
    }
    let verified = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["backup", "verify"])
        .env_clear()
        .env("HOME", visit.home.path())
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert_eq!(verified.status.code(), Some(0));
    let titles = Command::new("sh")
        .args(["-c", one_liner()])
        .current_dir(&folder)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("a shell");
    let titles = String::from_utf8(titles.stdout).expect("text");
    let mut titles: Vec<&str> = titles.lines().collect();
    titles.sort_unstable();
    let written = ["Scrap \\\"two\\\" – für später", "Scrap one", "Scrap three"];
    assert_eq!(titles, written, "by the command of the README");

    // From the backup browser they are made again.
    visit.keys("\x1bB").sees("1 backup");
    visit.keys("\r").sees("Scrap three");
    visit.keys("R").sees("Enter go on");
    visit.keys("\t\t\t\r");
    visit.sees("Re-create 3 items in ENG");
    visit.agrees().sees("Re-create 3 items in ENG: done");
    for (title, body) in SCRAPS {
        let page = visit.page(title);
        assert_eq!(below(&page), ["Home"], "{title}");
        let more = page.more.expect("its text");
        assert_eq!(more.body_storage.as_deref().map(str::trim), Some(body));
        assert!(
            !purged.iter().any(|(_, id, _)| *id == page.id.to_string()),
            "a new id"
        );
    }
    assert_eq!(visit.trash(), after);
    visit.leave();
}

/// A tree of three levels comes out of the trash parents first, each below its parent again.
#[test]
fn a_tree_of_three_levels_is_restored_in_order_and_in_its_place() {
    let mut visit = Visit::new(seed());
    visit.sees("1 of 1").keys("t").sees("Keep 0");
    let trash = visit.trash();
    let id = |title: &str| {
        let item = trash.iter().find(|(other, ..)| other == title);
        item.expect("in the trash").1.clone()
    };
    visit.keys("/'guide").sees("3 of 26 read");
    visit.keys("\r*").sees("3 marked");
    visit.server.forget_requests();
    visit
        .keys("u")
        .sees("Take each item out of the trash, parents first");
    visit.agrees().sees("Restore 3 items of ENG: done");

    let writes = visit.writes();
    let first = |title: &str| {
        let path = format!("/rest/api/content/{}", id(title));
        let is = |(method, target): &(String, String)| {
            method == "PUT" && target.split('?').next() == Some(path.as_str())
        };
        writes.iter().position(is).expect("it was restored")
    };
    let order = TREE.map(|(title, _)| first(title));
    assert!(order.is_sorted(), "{writes:?}");
    let mut above = vec!["Home".to_owned()];
    for (title, _) in TREE {
        let page = visit.page(title);
        assert_eq!(page.id.to_string(), id(title), "the same page");
        assert_eq!(below(&page), above, "{title}");
        above.push(title.to_owned());
    }
    assert_eq!(visit.trash().len(), 23);
    visit.leave();
}

/// The trash of two hundred spaces: each is asked once, and never more are under way than the
/// profile allows, however many wait.
#[test]
fn two_hundred_spaces_are_asked_once_each_and_never_too_many_at_a_time() {
    use std::fmt::Write as _;
    const CONCURRENCY: usize = 8;
    let mut text = String::new();
    for n in 0..200 {
        let _ = write!(
            text,
            "space: S{n:03}\nname: Space {n}\n\n=== page\ntitle: Old {n}\nstatus: trashed\n\n<p>x</p>\n\n"
        );
    }
    let mut visit = Visit::new(Seed::Text(text));
    visit.sees("200 of 200");
    visit.terminal.wait("nothing is under way", |screen| {
        !screen.contents().contains("request")
    });
    visit.server.forget_requests();
    let gate = visit
        .server
        .faults()
        .hold_all("GET /rest/api/space/*/trash");
    visit.keys("T").sees("Trash across 200 spaces");
    // The first one comes alone, as it tells whether there is such a list at all.
    visit.terminal.until("one waits", || gate.waiting() == 1);
    gate.let_one_through();
    visit
        .terminal
        .until("as many wait as may", || gate.waiting() == CONCURRENCY);
    gate.open();
    visit.sees("200 items");
    let lists: Vec<String> = visit
        .server
        .requests()
        .into_iter()
        .filter(|request| request.target.contains("/trash"))
        .map(|request| request.target)
        .collect();
    let mut once = lists.clone();
    once.sort();
    once.dedup();
    assert_eq!((lists.len(), once.len()), (200, 200));
    assert_eq!(visit.server.peak_inflight(), CONCURRENCY);
    visit.leave();
}
