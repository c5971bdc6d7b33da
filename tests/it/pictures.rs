//! The pictures of the documentation: real frames of a real visit to the demo wiki.
//!
//! This holds that they show what the program shows now. After a change of the looks:
//!
//! ```text
//! UPDATE_PICTURES=1 cargo test --test it pictures::
//! ```

use std::path::{Path, PathBuf};

use coracle::app::{Profile, Start};
use coracle::confluence::Endpoint;
use coracle::confluence::client::{Client, Credentials, Settings};
use coracle::demo::{Options, Server};
use coracle::ui::picture;
use coracle::ui::theme::{Depth, load};

use crate::story::{Answer, Story, beginning};

/// A visit to the demo wiki, as someone has it on a terminal of 120 × 40.
struct Visit {
    story: Story,
    client: Client,
    runtime: tokio::runtime::Runtime,
    _server: Server,
}

impl Visit {
    fn begin() -> Self {
        let server = Server::start(Options::default()).expect("a server");
        let endpoint = Endpoint::parse(server.base_url()).expect("an address");
        let client =
            Client::new(Settings::new(endpoint, Credentials::Anonymous)).expect("a client");
        let start = beginning(120, 40);
        let mut visit = Self {
            story: Story::begin(Start {
                profile: Profile {
                    name: "demo".to_owned(),
                    ..start.profile.clone()
                },
                ..start
            }),
            client,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            _server: server,
        };
        visit.settle();
        visit
    }

    /// Answers everything from the wiki, with the cursor at rest.
    fn settle(&mut self) {
        for _ in 0..3 {
            let ask = |call: &coracle::confluence::Call| -> Answer {
                self.runtime
                    .block_on(self.client.send(call, |_| {}))
                    .outcome
            };
            self.story.answer_all(&ask);
            self.story.rest();
        }
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.story.keys(key);
            self.settle();
        }
        self
    }

    /// Compares the screen with the picture that is kept, or keeps it.
    fn shows(&mut self, name: &str, title: &str) {
        self.story.model.toasts.clear();
        let theme = load("dark", Depth::True).expect("a built-in theme");
        let svg = picture::svg(&picture::frame(&self.story.model, &theme), title);
        let path = folder().join(name).with_extension("svg");
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::create_dir_all(folder()).expect("the folder");
            std::fs::write(&path, &svg).expect("the picture");
            return;
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == svg,
            "{} is not what the program shows now. Look at it after\n\
             UPDATE_PICTURES=1 cargo test --test it pictures::\n{}",
            path.display(),
            self.story.screen()
        );
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures")
}

#[test]
fn browsing() {
    let mut visit = Visit::begin();
    visit.keys("j j 3 l j l");
    visit.shows("browsing", "Browsing: spaces, detail and pages");
}

#[test]
fn trash() {
    let mut visit = Visit::begin();
    visit.keys("j j t Space j Space");
    visit.shows("trash", "The trash of a space, with marks");
}

#[test]
fn plan() {
    let mut visit = Visit::begin();
    visit.keys("j j t Space j Space x");
    visit.shows("plan", "A plan and its confirmation");
}
