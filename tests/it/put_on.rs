//! Comments and attached files put back on pages that are made again from a local backup, with the embedded
//! server and real files; and killed at every step of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use coracle::confluence::Call;
use coracle::demo::{Fault, Generation, Options, Rule, Seed};
use coracle::jobs::backup::Manifest;
use coracle::jobs::*;
use coracle::shell::backups;
use serde_json::Value;

use crate::local_backup::{WIKI, all_generations, deletion, folder_of, options};
use crate::server_copies::{Bench, Death};
use crate::simulation::head;

/// A backup of the space, in a folder of the test.
pub(crate) struct Saved {
    home: tempfile::TempDir,
    manifest: Manifest,
}

pub(crate) const NAME: &str = "saved";

impl Saved {
    pub(crate) fn new() -> Self {
        Self::of(WIKI)
    }

    fn of(wiki: &str) -> Self {
        let mut bench = Bench::of(deletion(), options(wiki, Generation::Ten, true));
        bench.feed(JobEvent::Begin);
        bench.run(None, |_| false);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        let home = tempfile::tempdir().expect("a folder for the test");
        copy(&folder_of(&bench), &home.path().join(NAME));
        let manifest = backups::verify(home.path(), NAME)
            .expect("there")
            .expect("whole");
        Self { home, manifest }
    }

    /// All of it made again, on a server that has the space and nothing in it.
    pub(crate) fn again(&self, options: Options) -> Bench {
        self.done_by(Job::recreate, options)
    }

    /// The same, tried by reads alone.
    fn rehearsed(&self, options: Options) -> Bench {
        self.done_by(Job::rehearse, options)
    }

    fn done_by(&self, job: fn(Head, Recipe) -> Job, options: Options) -> Bench {
        let contents = backups::contents(self.home.path(), NAME).expect("there");
        let items = contents.expect("whole").items;
        let meant = items.iter().map(|(_, item)| ItemTarget {
            id: item.id.clone(),
            kind: item.kind.clone(),
            title: item.title.to_string(),
            version: item.version_number(),
            space: item.space.clone(),
        });
        let mut head = head(Act::Recreate, &["ENG"], meant.collect());
        // Everybody is, on the embedded server.
        head.user = Some("jdoe".to_owned());
        let unknown = UnknownRestrictions::OnlyMe;
        let recipe = Recipe::new(NAME, &self.manifest, items, None, unknown);
        let bench = Bench::of(job(head, recipe), options);
        copy(
            &self.home.path().join(NAME),
            &bench.folders.backups.join(NAME),
        );
        bench
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("there") {
        let file = file.expect("one");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
    }
}

pub(crate) fn empty(generation: Generation, real: bool) -> Options {
    Options {
        seed: Seed::Text("space: ENG\nname: Engineering\n".to_owned()),
        generation,
        real,
        ..Options::default()
    }
}

/// Something that hangs on a page, as the server tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct On {
    page: String,
    /// Its text without the line that says whose it was, or its name.
    what: String,
    place: String,
    /// The text of the comment that it answers.
    answers: Option<String>,
    bytes: Option<Vec<u8>>,
}

/// What hangs on the pages of the space.
pub(crate) struct Site {
    runtime: tokio::runtime::Runtime,
    base: String,
}

impl Site {
    pub(crate) fn of(bench: &Bench) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            base: bench.server.base_url().to_owned(),
        }
    }

    fn bytes(&self, path: &str) -> Vec<u8> {
        let url = format!("{}{path}", self.base);
        let get = async { reqwest::get(url).await?.bytes().await };
        self.runtime.block_on(get).expect("an answer").to_vec()
    }

    fn rows(&self, path: &str) -> Vec<Value> {
        let answer: Value = serde_json::from_slice(&self.bytes(path)).expect("JSON");
        answer["results"].as_array().expect("a list").clone()
    }

    pub(crate) fn pages(&self) -> BTreeMap<String, String> {
        let of = |kind: &str| self.rows(&format!("/rest/api/space/ENG/content/{kind}?limit=100"));
        let all = of("page").into_iter().chain(of("blogpost"));
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        all.map(|it| (text(&it["title"]), text(&it["id"])))
            .collect()
    }

    pub(crate) fn hanging(&self) -> Vec<On> {
        let mut all = Vec::new();
        for (page, id) in self.pages() {
            let expand = "limit=100&depth=all&expand=body.storage,ancestors";
            let rows = self.rows(&format!("/rest/api/content/{id}/child/comment?{expand}"));
            let text = |row: &Value| {
                let text = row["body"]["storage"]["value"].as_str().unwrap_or_default();
                text.split_once(":</em></p>")
                    .map_or(text, |(_, text)| text)
                    .to_owned()
            };
            for row in &rows {
                let above = row["ancestors"].as_array().and_then(|all| all.last());
                let above = above.map(|above| {
                    let parent = rows.iter().find(|it| it["id"] == above["id"]);
                    text(parent.expect("it is on the same page"))
                });
                all.push(On {
                    page: page.clone(),
                    what: text(row),
                    place: row["extensions"]["location"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    answers: above,
                    bytes: None,
                });
            }
            for row in self.rows(&format!(
                "/rest/api/content/{id}/child/attachment?limit=100"
            )) {
                let link = row["_links"]["download"].as_str().expect("a link");
                all.push(On {
                    page: page.clone(),
                    what: row["title"].as_str().expect("a name").to_owned(),
                    place: row["extensions"]["mediaType"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    answers: row["extensions"]["comment"].as_str().map(str::to_owned),
                    bytes: Some(self.bytes(link)),
                });
            }
        }
        all.sort();
        all
    }
}

/// What hung on the pages before. What was on a page in the trash is among it.
fn before() -> Vec<On> {
    let text = WIKI.replace("status: trashed\n", "");
    let bench = Bench::of(deletion(), options(&text, Generation::Ten, true));
    let all = Site::of(&bench).hanging();
    assert_eq!(all.len(), 6 + 5);
    all
}

fn assert_all_done(bench: &Bench, what: &str) {
    assert_eq!(bench.job.question(), None, "{what}");
    assert_eq!(
        bench.job.state(),
        JobState::Done,
        "{what}: {:?}",
        bench.job.lines()
    );
}

/// The files of a fresh server are made from their numbers: those of the backup are compared.
fn with_bytes_of(saved: &Saved, mut all: Vec<On>) -> Vec<On> {
    let contents = backups::contents(saved.home.path(), NAME)
        .expect("there")
        .expect("whole");
    for on in all.iter_mut().filter(|on| on.bytes.is_some()) {
        let (_, item) = contents
            .items
            .iter()
            .find(|(_, it)| it.title == *on.what)
            .expect("saved");
        let name = &item.file.as_ref().expect("a file").name;
        on.bytes = Some(std::fs::read(saved.home.path().join(NAME).join(name)).expect("there"));
    }
    all
}

#[test]
fn comments_and_files_come_back_with_their_pages_and_restricted_ones_stay_restricted() {
    let saved = Saved::new();
    let expected = with_bytes_of(&saved, before());
    for (generation, real) in all_generations() {
        let mut bench = saved.again(empty(generation, real));
        bench.feed(JobEvent::Begin);
        bench.run(None, |_| false);
        let what = format!("{generation:?} {real}");
        assert_all_done(&bench, &what);
        let site = Site::of(&bench);
        assert_eq!(site.hanging(), expected, "{what}");
        let plan = &site.pages()["Plan"];
        let path = format!("/rest/api/content/{plan}?expand=restrictions.read.restrictions.group");
        let plan: Value = serde_json::from_slice(&site.bytes(&path)).expect("JSON");
        let groups = &plan["restrictions"]["read"]["restrictions"]["group"]["results"];
        assert_eq!(groups[0]["name"], "hr-staff", "{what}");
        // Who wrote a comment, and when, is said in it.
        let id = &site.pages()["Plan"];
        let rows = site.rows(&format!(
            "/rest/api/content/{id}/child/comment?expand=body.storage"
        ));
        let texts = rows
            .iter()
            .map(|row| row["body"]["storage"]["value"].to_string());
        let texts: Vec<String> = texts.collect();
        let is_signed = |text: &String| text.contains("2024-01-01 12:00 UTC:</em></p><p>Why?");
        assert!(texts.iter().any(is_signed), "{texts:?}");
    }
}

/// Titles, a file, a label and a group with characters that nobody sees: a soft hyphen, a zero-width space,
/// a mark of direction. Two pages look alike.
const HIDDEN: &str = "\
space: ENG
name: Engineering

=== page
title: Plan
labels: q\u{AD}3
read: group:hr\u{200B}staff
attachment: no\u{200B}tes.txt | text/plain | 100

<p>One</p>

=== page
title: Pl\u{AD}an

<p>Two</p>

=== attachment
title: notes.txt
parent: Plan
size: 50
note: mi\u{AD}ne

=== blogpost
title: \u{200F}News

<p>News</p>
";

#[test]
fn titles_names_labels_and_groups_come_back_to_the_byte() {
    let saved = Saved::of(HIDDEN);
    for (generation, real) in all_generations() {
        let mut bench = saved.again(empty(generation, real));
        bench.feed(JobEvent::Begin);
        bench.run(None, |_| false);
        let what = format!("{generation:?} {real}");
        assert_all_done(&bench, &what);
        let site = Site::of(&bench);
        let pages = site.pages();
        let titles: Vec<&str> = pages.keys().map(String::as_str).collect();
        assert_eq!(titles, ["Plan", "Pl\u{AD}an", "\u{200F}News"], "{what}");
        let files: Vec<(String, Option<String>)> = site
            .hanging()
            .into_iter()
            .map(|on| (on.what, on.answers))
            .collect();
        let note = Some("mi\u{AD}ne".to_owned());
        assert_eq!(
            files,
            [
                ("notes.txt".to_owned(), note),
                ("no\u{200B}tes.txt".to_owned(), Some(String::new()))
            ],
            "{what}"
        );
        let path = format!(
            "/rest/api/content/{}?expand=metadata.labels,restrictions.read.restrictions.group",
            pages["Plan"]
        );
        let plan: Value = serde_json::from_slice(&site.bytes(&path)).expect("JSON");
        let groups = &plan["restrictions"]["read"]["restrictions"]["group"]["results"];
        assert_eq!(groups[0]["name"], "hr\u{200B}staff", "{what}");
        let labels = plan["metadata"]["labels"].to_string();
        assert!(labels.contains("q\u{AD}3"), "{what}: {labels}");
    }
}

#[test]
fn a_server_that_takes_comments_at_the_foot_alone_gets_them_there_and_that_is_said() {
    let saved = Saved::new();
    let mut site = empty(Generation::Ten, true);
    site.behaviour.footer_comments_only = true;
    let mut bench = saved.again(site);
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    assert_all_done(&bench, "at the foot");
    let all = Site::of(&bench).hanging();
    assert_eq!(all.len(), 11);
    assert!(
        !all.iter()
            .any(|on| ["inline", "resolved"].contains(&on.place.as_str())),
        "{all:?}"
    );
    let told = bench.job.lines().iter().filter(|line| {
        let outcome = format!("{:?}", line.outcome);
        outcome.contains("so it stands at the foot of the page")
    });
    assert_eq!(told.count(), 2, "{:?}", bench.job.lines());
}

#[test]
fn a_file_that_is_spoilt_in_the_backup_is_not_put_back_and_the_others_are() {
    let saved = Saved::new();
    let mut bench = saved.again(empty(Generation::Ten, true));
    let folder = bench.folders.backups.join(NAME);
    let spoilt: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("there")
        .map(|file| file.expect("one").path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|it| it.to_string_lossy().starts_with("file-"))
        })
        .take(1)
        .collect();
    std::fs::write(&spoilt[0], b"something else").expect("written");
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Failed);
    let failed = bench.job.lines().iter().filter(|line| {
        matches!(&line.outcome, Some(Outcome::Failed(why)) if why.contains("is not what was written") && why.ends_with("Take it from another copy of the backup."))
    });
    assert_eq!(failed.count(), 1, "{:?}", bench.job.lines());
    assert_eq!(Site::of(&bench).hanging().len(), 10);
}

/// Where the file of an attachment lies in the backup.
fn file_of(bench: &Bench, title: &str) -> PathBuf {
    let folder = bench.folders.backups.join(NAME);
    let contents = backups::contents(&bench.folders.backups, NAME);
    let contents = contents.expect("there").expect("whole");
    let mut items = contents.items.iter();
    let (_, item) = items.find(|(_, it)| it.title == *title).expect("saved");
    folder.join(&item.file.as_ref().expect("a file").name)
}

#[test]
fn a_dry_run_tells_of_each_file_of_the_backup_that_is_missing_cut_or_spoilt() {
    let saved = Saved::new();
    let mut bench = saved.rehearsed(empty(Generation::Ten, true));
    let of = |title: &str| file_of(&bench, title);
    let (gone, cut, spoilt) = (of("plan.pdf"), of("photo.jpg"), of("logo.png"));
    std::fs::remove_file(gone).expect("removed");
    let mut bytes = std::fs::read(&cut).expect("there");
    bytes.truncate(1_000);
    std::fs::write(&cut, bytes).expect("cut");
    let mut bytes = std::fs::read(&spoilt).expect("there");
    bytes[7] ^= 1;
    std::fs::write(&spoilt, bytes).expect("spoilt");
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    let expected = [
        ("plan.pdf", "is missing"),
        ("photo.jpg", "has 1.0 kB instead of 70 kB"),
        ("logo.png", "its check sum differs"),
    ];
    for line in bench.job.lines() {
        let bad = expected.iter().find(|(title, _)| *title == &*line.title);
        match (&line.outcome, bad) {
            (Some(Outcome::Failed(why)), Some((_, words))) if why.contains(words) => {}
            (Some(Outcome::Done(_)), None) => {}
            (other, _) => panic!("{}: {other:?}", line.title),
        }
    }
    assert!(bench.sent.iter().all(Call::is_read));
    let is_file = |call: &&Call| matches!(call, Call::Download { .. } | Call::Attachments { .. });
    assert_eq!(
        bench.sent.iter().filter(is_file).count(),
        0,
        "the disk tells"
    );
}

#[test]
fn a_cancel_waits_for_no_file_that_is_being_put_back_and_says_whether_it_is_there() {
    let saved = Saved::new();
    for has_arrived in [false, true] {
        let mut bench = saved.again(empty(Generation::Ten, true));
        bench.feed(JobEvent::Begin);
        let sends = |bench: &Bench| {
            let mut requests = bench.requests();
            requests.any(|call| matches!(call, Call::AttachFile { .. }))
        };
        bench.run(None, sends);
        if has_arrived {
            let call = bench.requests().next().expect("it waits").clone();
            bench.send(&call).expect("it is taken");
        }
        bench.feed(JobEvent::Cancel);
        assert!(!sends(&bench), "nobody waits for it");
        bench.run(None, |_| false);
        assert_eq!(bench.job.state(), JobState::Cancelled);
        let told = bench.job.lines().iter().filter(|line| match &line.outcome {
            Some(Outcome::Stopped(why)) => {
                !has_arrived
                    && why.contains("while the file was being sent, and it is not on the page")
            }
            _ => false,
        });
        assert_eq!(told.count(), usize::from(!has_arrived));
        let files = Site::of(&bench).hanging();
        let files = files.iter().filter(|on| on.bytes.is_some());
        assert_eq!(files.count(), usize::from(has_arrived));
        bench.assert_told("stopped");
    }
}

#[test]
fn an_answer_that_is_lost_puts_nothing_there_twice_and_leaves_nothing_out() {
    let saved = Saved::new();
    let expected = with_bytes_of(&saved, before());
    for fault in [
        Fault::AppliedThenLost,
        Fault::Dropped,
        Fault::DroppedMidBody,
    ] {
        for route in [
            "POST /rest/api/content/*/child/attachment",
            "POST /rest/api/content",
        ] {
            // The pages are made before.
            let first = if route.ends_with("content") { 4 } else { 0 };
            for nth in 0..5 {
                let mut bench = saved.again(empty(Generation::Nine, true));
                let rule = Rule::new(route, fault.clone()).skip(first + nth);
                bench.server.faults().add(rule);
                bench.feed(JobEvent::Begin);
                bench.run(None, |_| false);
                let what = format!("{fault:?} {route} {nth}");
                assert_all_done(&bench, &what);
                assert_eq!(Site::of(&bench).hanging(), expected, "{what}");
            }
        }
    }
}

/// One step in so many is tried, which is each of those of some page, comment and file.
const STEP: usize = 3;

#[test]
fn a_process_that_dies_at_any_step_goes_on_and_puts_nothing_there_twice() {
    let saved = Saved::new();
    let expected = with_bytes_of(&saved, before());
    let mut at = 0;
    loop {
        let mut bench = saved.again(empty(Generation::Ten, true));
        bench.feed(JobEvent::Begin);
        let death = Death {
            at,
            done: at % 4 < 2,
        };
        let has_died = bench.run(Some(death), |_| false);
        if has_died && !bench.taken_up() {
            at += STEP;
            continue;
        }
        bench.run(None, |_| false);
        assert_all_done(&bench, &format!("{death:?}"));
        assert_eq!(Site::of(&bench).hanging(), expected, "{death:?}");
        if !has_died {
            break;
        }
        at += STEP;
    }
    assert!(at > 60, "{at} steps");
}

/// All of it made again, until the first of these requests has been sent and its answer is lost with the
/// process.
fn killed_at(saved: &Saved, is_it: impl Fn(&Call) -> bool) -> (Bench, Call) {
    let mut bench = saved.again(empty(Generation::Ten, true));
    bench.feed(JobEvent::Begin);
    bench.run(None, |bench| bench.requests().next().is_some_and(&is_it));
    let call = bench.requests().next().expect("one waits").clone();
    bench.send(&call).expect("it is taken");
    (bench, call)
}

fn unknown(bench: &Bench) -> Vec<&str> {
    let outcomes = bench
        .job
        .lines()
        .iter()
        .filter_map(|line| line.outcome.as_ref());
    let unknown = outcomes.filter_map(|outcome| match outcome {
        Outcome::Unknown(why) => Some(why.as_str()),
        _ => None,
    });
    unknown.collect()
}

#[test]
fn a_comment_whose_text_is_gone_from_the_backup_is_told_as_unknown_and_the_job_ends() {
    let saved = Saved::new();
    let (mut bench, _) = killed_at(&saved, |call| matches!(call, Call::CreateComment { .. }));
    for file in std::fs::read_dir(bench.folders.backups.join(NAME)).expect("there") {
        let file = file.expect("one");
        if file.file_name().to_string_lossy().starts_with("items-") {
            std::fs::remove_file(file.path()).expect("removed");
        }
    }
    assert!(bench.taken_up());
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Unknown);
    let told = unknown(&bench);
    assert!(
        told.len() == 1 && told[0].contains("cannot be read any more"),
        "{told:?}"
    );
    bench.assert_told("its text is gone");
}

#[test]
fn a_comment_on_a_page_that_somebody_put_into_the_trash_is_told_as_unknown_and_the_job_ends() {
    let saved = Saved::new();
    let (mut bench, call) = killed_at(&saved, |call| matches!(call, Call::CreateComment { .. }));
    let Call::CreateComment { on, .. } = call else {
        panic!("{call:?}");
    };
    bench.send(&Call::TrashContent { id: on }).expect("there");
    assert!(bench.taken_up());
    bench.run(None, |_| false);
    assert!(bench.job.state().is_over(), "{:?}", bench.job.lines());
    let told = unknown(&bench);
    assert!(
        told.len() == 1 && told[0].contains("Look at that page"),
        "{:?}",
        bench.job.lines()
    );
    bench.assert_told("its page is in the trash");
}

#[test]
fn what_is_there_already_is_asked_about_be_it_a_page_or_a_post() {
    let saved = Saved::new();
    let mut bench = saved.again(options(WIKI, Generation::Ten, true));
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    assert!(matches!(
        bench.job.question(),
        Some(Question::TitleCollision { .. })
    ));
    bench.feed(JobEvent::Decide(Decision::Skip));
    bench.run(None, |_| false);
    let mut sent = bench.sent.iter();
    assert!(!sent.any(|call| matches!(call, Call::CreateContent { .. })));
    let skipped = |title: &str| {
        let mut lines = bench.job.lines().iter();
        lines.any(|it| *it.title == *title && matches!(it.outcome, Some(Outcome::Skipped(_))))
    };
    assert!(
        skipped("Home") && skipped("News"),
        "{:?}",
        bench.job.lines()
    );
}
