//! The whole program without a terminal: the core, the picture, the real client and the shell's
//! threads against the embedded Confluence over loopback.
//!
//! Waits for what the core waits for, never for time: where the core only wants the clock, the
//! clock jumps.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use coracle::app::inflight::Waiter;
use coracle::app::key::{Chord, Key, KeyPress};
use coracle::app::keymap::Keymap;
use coracle::app::layout::Pane;
use coracle::app::message::{Effect, Millis, Msg, Size};
use coracle::app::pane::content::Tab;
use coracle::app::tree::Row;
use coracle::app::{Model, Profile as Shown, Start, StartMode, Writes, update};
use coracle::config::{Auth, Profile};
use coracle::confluence::Endpoint;
use coracle::confluence::client::Access;
use coracle::confluence::{SpaceKey, SpaceStatus};
use coracle::demo::seed::Large;
use coracle::demo::{Fault, Gate, Generation, Options, Rule, Seed, Server};
use coracle::shell::connection::Target;
use coracle::shell::disk::Disk;
use coracle::shell::event::Event;
use coracle::shell::folders::{Folders, JournalAccess};
use coracle::shell::perform::Perform;
use coracle::ui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tempfile::TempDir;

/// How long one thing may take that is waited for, on a machine that does much else.
const LIMIT: Duration = Duration::from_mins(1);

/// No jump of the clock is longer while something is on its way.
const JUMP: u64 = 200;

struct App {
    model: Model,
    server: Server,
    now: Millis,
    perform: Perform,
    queue: Receiver<Event>,
    ended: Option<u8>,
    _home: TempDir,
}

impl App {
    /// The program at its first frame, nothing answered yet.
    fn start(server: Server, width: u16, height: u16) -> Self {
        let home = tempfile::tempdir().expect("a folder for the test");
        let endpoint = Endpoint::parse(server.base_url()).expect("an address");
        let profile = Profile::new(endpoint);
        let (model, effects) = Model::new(Start {
            size: Size { width, height },
            wall: "2026-11-23T14:02:11Z".parse().expect("a date of the test"),
            zone: jiff::tz::TimeZone::UTC,
            mode: StartMode::Connect,
            profile: Shown {
                name: "test".to_owned(),
                base_url: profile.url.to_string(),
                color: None,
                signs_in: !matches!(profile.auth, Auth::Anonymous),
                banner: None,
                concurrency: profile.concurrency.into(),
            },
            writes: Writes::Allowed,
            keymap: Keymap::default(),
            notice: None,
            profiles: Vec::new(),
        });
        let (events, queue) = channel();
        let folder = |name: &str| home.path().join(name);
        let folders = Folders {
            profile: folder("profile"),
            backups: folder("backups"),
            plans: folder("plans"),
            exports: folder("exports"),
            locks: Vec::new(),
        };
        let disk = Disk::start(folders, JournalAccess::Write, events.clone()).expect("a thread");
        let target = Target {
            profile,
            access: Access::ReadWrite,
            credentials: None,
        };
        let perform = Perform::start(disk, Some(target), events).expect("threads");
        let mut app = Self {
            model,
            server,
            now: Millis(0),
            perform,
            queue,
            ended: None,
            _home: home,
        };
        app.perform(effects);
        app
    }

    /// The program on a server with these options, with everything answered.
    fn on(options: Options) -> Self {
        let server = Server::start(options).expect("a server");
        let mut app = Self::start(server, 120, 40);
        app.settle();
        app
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { ticket, call } => self.perform.send(ticket, call),
                Effect::Cancel(ticket) => self.perform.cancel(ticket),
                Effect::CancelDisk(ticket) => self.perform.cancel_disk(ticket),
                Effect::Disk { ticket, call } => self.perform.disk(ticket, call),
                Effect::Quit(code) => self.ended = Some(code),
                other => panic!("no test of this file asks for {other:?}"),
            }
        }
    }

    fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.model, self.now, msg);
        self.perform(effects);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Core(msg) => {
                self.now = self.now.plus(1);
                self.tell(msg);
            }
            other => panic!("no test of this file causes {other:?}"),
        }
    }

    /// Waits until the core is as wanted; `what` says what that is.
    fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        loop {
            while let Ok(event) = self.queue.try_recv() {
                self.take(event);
            }
            if wanted(self) {
                return;
            }
            let waits = !self.model.inflight.is_empty() || !self.model.disk.is_empty();
            match self.model.deadline() {
                Some(at) if !waits || at.since(self.now) < JUMP => {
                    self.now = self.now.max(at);
                    self.tell(Msg::Clock);
                }
                _ if waits => match self.queue.recv_timeout(LIMIT) {
                    Ok(event) => self.take(event),
                    Err(error) => {
                        panic!("nothing came of this: {what}: {error}\n{}", self.screen())
                    }
                },
                _ => panic!("nothing is left to lead to this: {what}\n{}", self.screen()),
            }
        }
    }

    /// Waits until nothing is awaited any more.
    fn settle(&mut self) {
        self.until("everything is answered", |app| app.model.idle());
    }

    /// What is drawn by now has arrived.
    fn looks_at_it(&mut self) {
        if let Some(picture) = self.model.unseen() {
            let asked = true;
            self.tell(Msg::Shown { picture, asked });
            self.tell(Msg::Status);
        }
    }

    /// Types keys as the configuration writes them.
    fn keys(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            let chord: Chord = key.parse().expect("a key of the test");
            self.looks_at_it();
            self.tell(Msg::Key(KeyPress::press(chord)));
        }
    }

    fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.looks_at_it();
            self.tell(Msg::Key(KeyPress::press(Chord::plain(Key::Char(c)))));
        }
    }

    fn screen(&self) -> String {
        let size = self.model.size;
        let mut terminal =
            Terminal::new(TestBackend::new(size.width, size.height)).expect("a test backend");
        terminal
            .draw(|frame| coracle::ui::draw(&self.model, &Theme::auto(), frame))
            .expect("a test backend takes any frame");
        terminal.backend().to_string()
    }

    fn shows(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "{text} is missing\n{screen}");
    }

    /// How many requests the server was sent whose target holds this.
    fn asked(&self, part: &str) -> usize {
        let holds = |target: &str| target.contains(part);
        self.server
            .requests()
            .iter()
            .filter(|request| holds(&request.target))
            .count()
    }

    fn spaces(&self) -> usize {
        self.model.spaces.table.len()
    }

    /// How many distinct spaces the list holds.
    fn distinct_spaces(&self) -> usize {
        let keys: BTreeSet<&str> = self
            .model
            .spaces
            .table
            .iter()
            .map(|space| space.key.as_str())
            .collect();
        keys.len()
    }
}

fn large(spaces: u64, pages: u64, trash: u64) -> Seed {
    Seed::Large(Large {
        spaces,
        pages,
        trash,
        seed: 1,
        ..Large::default()
    })
}

fn is_list(waiter: &Waiter) -> bool {
    matches!(waiter, Waiter::Spaces(_))
}

/// Waits until so many requests stand at a gate.
fn at(app: &mut App, gate: &Gate, count: usize) {
    // What is on its way gets there; nothing else can happen first.
    let mut turns = 0_u64;
    while gate.waiting() < count {
        while let Ok(event) = app.queue.try_recv() {
            app.take(event);
        }
        std::thread::yield_now();
        turns += 1;
        assert!(turns < 2_000_000_000, "they never came\n{}", app.screen());
    }
}

#[test]
fn the_demo_is_browsed() {
    let mut app = App::on(Options::default());
    app.shows("42 of 42");
    assert_eq!(app.distinct_spaces(), 42);

    // Nothing is asked for what the cursor passes over, and detail and content follow its rest.
    let before = app.server.requests().len();
    app.keys("j j j");
    assert_eq!(app.server.requests().len(), before);
    app.settle();
    let key = app.model.space_at_cursor().cloned();
    assert_eq!(app.model.shown_space(), key.as_ref());

    // A branch is read when it is opened, and once.
    app.keys("g");
    app.settle();
    app.keys("3");
    app.settle();
    let roots = app.model.content.outline().tree.rows().len();
    app.keys("g l");
    app.settle();
    assert!(app.model.content.outline().tree.rows().len() > roots);
    let asked = app.asked("/child/page");
    assert_eq!(asked, 1);
    app.keys("h l");
    app.settle();
    assert_eq!(app.asked("/child/page"), asked);
}

#[test]
fn filter_marks_and_trash_of_the_demo() {
    let mut app = App::on(Options::default());
    app.keys("/");
    app.types("eng");
    assert!(app.model.spaces.len() < 42);
    assert_eq!(app.model.space_at_cursor(), Some(&SpaceKey::new("ENG")));
    app.keys("Enter Space Esc");
    app.settle();
    assert_eq!(app.model.spaces.len(), 42);
    assert_eq!(app.model.spaces.marks.len(), 1);

    app.keys("/");
    app.types("'eng");
    app.keys("Enter t");
    app.settle();
    assert_eq!(
        (app.model.focus, app.model.content.tab),
        (Pane::Content, Tab::Trash)
    );
    let (_, node) = app.model.content.outline().node().expect("a trashed item");
    assert!(!node.title.is_empty());
    let total = app.model.content.outline().total.expect("read to the end");
    app.shows(&format!("Trash {total}"));
    assert_eq!(app.ended, None);
    app.keys("q q");
    assert_eq!(app.ended, Some(0));
}

#[test]
fn ten_thousand_spaces_are_usable_after_the_first_page() {
    let server = Server::start(Options {
        seed: large(10_000, 0, 0),
        ..Options::default()
    })
    .expect("a server");
    let gate = server.faults().hold_all("GET /rest/api/space");
    let late = Fault::Latency(Duration::from_millis(50));
    server.faults().add(Rule::new("* /**", late).always());
    let mut app = App::start(server, 120, 40);

    at(&mut app, &gate, 1);
    assert_eq!(app.spaces(), 0);
    app.shows("Reading the spaces");
    gate.let_one_through();
    app.until("the first page", |app| app.spaces() > 0);
    assert_eq!(app.spaces(), 500);
    app.shows("500 of 10,000");

    // The other pages are held, as many side by side as the profile allows.
    at(&mut app, &gate, 8);
    assert!(app.model.inflight.count(is_list) == 8);
    // Meanwhile every key is answered.
    app.keys("j j j PgDn");
    let key = app.model.space_at_cursor().cloned();
    assert!(key.is_some());
    assert!(app.model.spaces.cursor.at > 3);
    app.keys("s Esc /");
    app.types("library");
    assert!(app.model.spaces.len() < 500);
    let found = app.model.space_at_cursor().cloned();
    assert_ne!(found, key);
    app.keys("Esc");
    assert_eq!(
        app.model.space_at_cursor(),
        found.as_ref(),
        "what was found stays"
    );
    app.keys("Space");
    app.shows("loading");
    let here = app.model.space_at_cursor().cloned();

    gate.open();
    app.settle();
    app.shows("10,000 of 10,000");
    assert_eq!(
        app.model.space_at_cursor(),
        here.as_ref(),
        "also while rows come in"
    );
    assert_eq!((app.spaces(), app.distinct_spaces()), (10_000, 10_000));
    assert_eq!(app.model.spaces.marks.len(), 1);
    assert!(
        app.asked("/rest/api/space?") <= 22,
        "{}",
        app.asked("/rest/api/space?")
    );
    assert!(
        app.server.peak_inflight() <= 8,
        "{}",
        app.server.peak_inflight()
    );
}

#[test]
fn a_list_without_a_total_says_so_and_is_read_to_its_end() {
    let server = Server::start(Options {
        seed: large(1_200, 0, 0),
        real: true,
        ..Options::default()
    })
    .expect("a server");
    let gate = server.faults().hold_all("GET /rest/api/space");
    let mut app = App::start(server, 120, 40);
    at(&mut app, &gate, 1);
    gate.let_one_through();
    app.until("the first page", |app| app.spaces() > 0);
    app.shows("500 of 500+");
    // Without a total one page after the other.
    at(&mut app, &gate, 1);
    assert_eq!(app.model.inflight.count(is_list), 1);
    gate.open();
    app.settle();
    app.shows("1,200 of 1,200");
    assert_eq!(app.distinct_spaces(), 1_200);
}

#[test]
fn esc_stops_a_list_and_r_reads_on() {
    let server = Server::start(Options {
        seed: large(1_200, 0, 0),
        ..Options::default()
    })
    .expect("a server");
    let gate = server.faults().hold_all("GET /rest/api/space");
    let mut app = App::start(server, 120, 40);
    at(&mut app, &gate, 1);
    gate.let_one_through();
    app.until("the first page", |app| app.spaces() > 0);
    app.keys("Esc");
    app.shows("stopped");
    assert_eq!(app.spaces(), 500);
    gate.open();
    app.keys("r");
    app.settle();
    app.shows("1,200 of 1,200");
}

#[test]
fn a_space_of_two_hundred_thousand_pages_opens_at_once() {
    let mut app = App::on(Options {
        seed: large(1, 200_000, 0),
        ..Options::default()
    });
    assert_eq!(app.spaces(), 1);
    // To see it took one request for its root level, however many are below.
    assert_eq!(app.asked("/content?"), 1, "{:?}", app.server.requests());
    assert_eq!(app.asked("/child/page"), 0);
    let tree = &app.model.content.trees.pages.tree;
    let roots = tree.rows().len();
    assert!((1..=51).contains(&roots), "{roots} rows");
    assert!(tree.len() <= 51, "{} nodes", tree.len());

    // Opening a page reads its children and nothing else.
    app.server.forget_requests();
    app.keys("3 g l");
    app.settle();
    assert_eq!(
        app.server.requests().len(),
        1,
        "{:?}",
        app.server.requests()
    );
    let tree = &app.model.content.trees.pages.tree;
    let opened = tree.len();
    assert!(opened > roots && opened <= roots + 41, "{opened} nodes");

    // Ten more branches cost ten more requests, and what they hold.
    for _ in 0..10 {
        app.keys("j l");
        app.settle();
    }
    assert!(app.server.requests().len() <= 11);
    let tree = &app.model.content.trees.pages.tree;
    assert!(tree.len() <= opened + 10 * 41, "{} nodes", tree.len());
    assert!(
        tree.rows()
            .iter()
            .any(|row| matches!(row, Row::Node(_, depth) if *depth > 0))
    );
}

#[test]
fn older_servers_are_read_with_what_they_have() {
    for generation in [Generation::Nine, Generation::Seven] {
        let mut app = App::on(Options {
            generation,
            ..Options::default()
        });
        app.shows("42 of 42");
        // Which are archived: told by the server, or learned by a second list.
        let table = &app.model.spaces.table;
        let archived = table
            .iter()
            .filter(|space| space.status == Some(SpaceStatus::Archived))
            .count();
        assert!(archived > 0, "{generation:?}");
        assert!(table.iter().all(|space| space.status.is_some()));
        let learned = app.asked("status=archived");
        assert_eq!(
            learned,
            usize::from(generation == Generation::Seven),
            "{generation:?}"
        );

        // The trash without the operation for it.
        app.keys("/");
        app.types("'eng");
        app.keys("Enter t");
        app.settle();
        assert_eq!(app.model.session.has_trash, Some(false));
        assert!(app.asked("status=trashed") > 0);
        assert!(
            app.model.content.outline().node().is_some(),
            "{}",
            app.screen()
        );
    }
}

/// What can go wrong with a refresh, and what is said of it.
#[test]
fn a_refresh_that_fails_says_so_and_keeps_what_was_there() {
    let page = |status: u16, body: &str| Fault::Answer {
        status,
        headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
        body: body.to_owned(),
    };
    let cases: Vec<(Fault, &str)> = vec![
        (page(500, "<h1>Oops</h1>"), "500"),
        (page(404, "<h1>Nothing</h1>"), "404"),
        (Fault::LoginPage, "web page"),
        (Fault::CutShort, "middle of the answer"),
        (Fault::DroppedMidBody, "middle of the answer"),
        (Fault::Dropped, "before an answer came"),
        (
            Fault::Redirect("https://login.example.com/sso".to_owned()),
            "sign-in in a browser",
        ),
    ];
    let mut app = App::on(Options::default());
    let rows = app.spaces();
    let pages = app.model.content.trees.pages.tree.len();
    for (fault, said) in cases {
        app.server
            .faults()
            .add(Rule::new("GET /rest/api/space", fault.clone()).always());
        app.keys("1 r");
        app.until("it is told", |app| {
            app.model
                .toasts
                .iter()
                .any(|toast| toast.text.contains(said))
                || app.model.inflight.iter().any(|awaited| {
                    awaited
                        .retry
                        .as_ref()
                        .is_some_and(|retry| retry.error.message.contains(said))
                })
                || app.model.idle()
        });
        let told = |text: &str| {
            let screen = app.screen().replace(['│', '"', '\n'], " ");
            let words: Vec<&str> = screen.split_whitespace().collect();
            words.join(" ").contains(text)
        };
        assert!(told(said), "{fault:?}: no {said}\n{}", app.screen());
        assert_eq!(app.spaces(), rows, "{fault:?}");
        assert_eq!(app.model.content.trees.pages.tree.len(), pages, "{fault:?}");
        app.keys("Esc Esc");
        app.server.faults().clear();
        app.keys("r");
        app.settle();
        app.shows("42 of 42");
        app.model.toasts.clear();
    }
}
