//! The local backup of a space, with the embedded server and real files: pages, blog posts, the comments on
//! them, attached files, labels, restrictions and trash; what the server refuses of it is counted and named.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use coracle::confluence::Call;
use coracle::demo::{Behaviour, Fault, Generation, Lie, ListOf, Options, Rule, Seed};
use coracle::jobs::*;
use coracle::shell::backups;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::server_copies::Bench;
use crate::simulation::{agree, head};

pub(crate) const WIKI: &str = "\
space: ENG
name: Engineering
homepage: Home

=== page
title: Home
labels: start

<p>Home</p>

=== page
title: Plan
parent: Home
read: user:jdoe, group:hr-staff
attachment: plan.pdf | application/pdf | 200000
attachment: notes.txt | text/plain | 100

<p>A <ac:inline-comment-marker ac:ref=\"m1\">word</ac:inline-comment-marker></p>

=== comment
title: Re: Plan
parent: Plan
by: asmith

<p>Why?</p>

=== comment
title: Answer
parent: Re: Plan

<p>Because.</p>

=== comment
title: Inline
parent: Plan
location: inline
marker: m1
selection: word

<p>Which?</p>

=== comment
title: Settled
parent: Plan
location: resolved
marker: m2
selection: gone

<p>Done</p>

=== attachment
title: logo.png
parent: Home
media-type: image/png
size: 5000
version: 3
note: the new one

=== blogpost
title: News
attachment: photo.jpg | image/jpeg | 70000

<p>News</p>

=== comment
title: Re: News
parent: News

<p>Good news</p>

=== page
title: Old
parent: Home
status: trashed
attachment: old.txt | text/plain | 59

<p>Old</p>

=== comment
title: Re: Old
parent: Old

<p>Is it?</p>
";

pub(crate) fn all_generations() -> [(Generation, bool); 4] {
    [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ]
}

pub(crate) fn deletion() -> Job {
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::Stop,
    };
    Job::delete_spaces(head, consent, options).expect("agreed to")
}

pub(crate) fn options(text: &str, generation: Generation, real: bool) -> Options {
    Options {
        seed: Seed::Text(text.to_owned()),
        generation,
        real,
        ..Options::default()
    }
}

/// The deletion of the space on such a server, up to its first question or its end.
fn deleted(options: Options, faults: Vec<Rule>) -> Bench {
    let mut bench = Bench::of(deletion(), options);
    for rule in faults {
        bench.server.faults().add(rule);
    }
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    bench
}

fn has_deleted(bench: &Bench) -> bool {
    let mut sent = bench.sent.iter();
    sent.any(|call| matches!(call, Call::DeleteSpace { .. }))
}

/// The folder of the one backup that is whole.
pub(crate) fn folder_of(bench: &Bench) -> PathBuf {
    let found = backups::list(&bench.folders.backups).expect("the backups");
    let mut whole = found.into_iter().filter(|it| it.manifest.is_ok());
    let one = whole.next().expect("a backup");
    assert_eq!(whole.next(), None, "one");
    bench.folders.backups.join(one.name)
}

/// A backup as somebody reads it who has nothing but `docs/backup-format.md`: gzip, JSON, SHA-256.
struct Reading {
    manifest: Value,
    items: Vec<Value>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Reading {
    fn of(folder: &Path) -> Self {
        let read = |name: &str| std::fs::read(folder.join(name)).expect("it is there");
        let manifest: Value = serde_json::from_slice(&read("manifest.json")).expect("JSON");
        assert_eq!(manifest["format"], "coracle-backup");
        let (mut items, mut files) = (Vec::new(), BTreeMap::new());
        for file in manifest["files"].as_array().expect("files") {
            let name = file["name"].as_str().expect("a name");
            let bytes = read(name);
            let sum = Sha256::digest(&bytes);
            let digits = sum.iter().flat_map(|byte| [byte >> 4, byte & 15]);
            let digits = digits.map(|digit| char::from_digit(digit.into(), 16));
            let sum: String = digits.map(|digit| digit.expect("below 16")).collect();
            assert_eq!(file["sha256"], sum, "{name}");
            assert_eq!(file["bytes"], bytes.len(), "{name}");
            if name.starts_with("items-") {
                let mut text = String::new();
                let mut unpacked = flate2::read::GzDecoder::new(bytes.as_slice());
                unpacked.read_to_string(&mut text).expect("gzip");
                let lines = text
                    .lines()
                    .map(|line| serde_json::from_str(line).expect("JSON"));
                let before = items.len();
                items.extend(lines);
                assert_eq!(file["items"], items.len() - before, "{name}");
            } else {
                assert!(name.starts_with("file-"), "{name}");
                files.insert(name.to_owned(), bytes);
            }
        }
        assert_eq!(manifest["items"], items.len());
        Self {
            manifest,
            items,
            files,
        }
    }

    fn item(&self, title: &str) -> &Value {
        let mut found = self.items.iter().filter(|item| item["title"] == title);
        let one = found.next().unwrap_or_else(|| panic!("{title} is saved"));
        assert_eq!(found.next(), None, "{title} is saved once");
        one
    }

    /// The bytes of an attached file.
    fn file(&self, title: &str) -> &[u8] {
        let name = self.item(title)["file"]["name"].as_str().expect("a file");
        &self.files[name]
    }
}

/// What the server has of a file.
fn served(bench: &Bench, title: &str) -> Vec<u8> {
    let mut sent = bench.sent.iter().filter_map(|call| match call {
        Call::Download { path, .. } if path.contains(title) => Some(path.clone()),
        _ => None,
    });
    let path = sent.next().expect("it was asked for");
    let url = format!("{}{path}", bench.server.base_url());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let get = async { reqwest::get(url).await?.bytes().await };
    runtime.block_on(get).expect("the file").to_vec()
}

#[test]
fn a_space_is_saved_whole_and_read_by_the_documented_format_alone() {
    for (generation, real) in all_generations() {
        // It is looked at while the space is still there.
        let mut bench = Bench::of(deletion(), options(WIKI, generation, real));
        bench.feed(JobEvent::Begin);
        bench.run(None, |bench| {
            let mut waiting = bench.requests();
            waiting.any(|call| matches!(call, Call::DeleteSpace { .. }))
        });
        let what = format!("{generation:?} {real}");
        assert_eq!(bench.job.question(), None, "{what}");
        let saved = Reading::of(&folder_of(&bench));
        let kinds = |kind: &str| saved.items.iter().filter(|it| it["type"] == kind).count();
        let counted = ["page", "blogpost", "comment", "attachment"].map(kinds);
        assert_eq!(counted, [3, 1, 6, 5], "{what}");
        assert_eq!(saved.files.len(), 5, "{what}");
        assert_eq!(saved.manifest.get("lacks"), None);

        let plan = saved.item("Plan");
        assert_eq!(plan["restrictions"][0]["operation"], "read");
        assert_eq!(saved.item("Home")["labels"][0], "start");
        let (first, answer) = (saved.item("Re: Plan"), saved.item("Answer"));
        assert_eq!(first["container"]["id"], plan["id"]);
        assert_eq!(answer["container"]["id"], plan["id"]);
        assert_eq!(first["ancestors"].as_array().map(Vec::len), Some(0));
        assert_eq!(answer["ancestors"][0]["id"], first["id"]);
        assert_eq!(first["storage"], "<p>Why?</p>");
        assert_eq!(first["created_by"]["username"], "asmith");
        let inline = &saved.item("Inline")["remark"];
        assert_eq!(inline["location"], "inline");
        assert_eq!(
            (&inline["marker"], &inline["selection"]),
            (&"m1".into(), &"word".into())
        );
        let settled = &saved.item("Settled")["remark"];
        assert_eq!(settled["location"], "resolved");
        assert_eq!(settled["resolution"], "resolved");
        assert_eq!(
            saved.item("Re: Old")["container"]["id"],
            saved.item("Old")["id"]
        );

        let logo = saved.item("logo.png");
        assert_eq!(logo["version"]["number"], 3);
        assert_eq!(logo["file"]["media_type"], "image/png");
        assert_eq!(logo["file"]["size"], 5_000);
        assert_eq!(logo["file"]["comment"], "the new one");
        assert_eq!(logo["container"]["id"], saved.item("Home")["id"]);
        for title in ["plan.pdf", "notes.txt", "logo.png", "photo.jpg", "old.txt"] {
            assert_eq!(saved.file(title), served(&bench, title), "{what} {title}");
        }
        bench.run(None, |_| false);
        assert_eq!(
            bench.job.state(),
            JobState::Done,
            "{what} {:?}",
            bench.job.lines()
        );
    }
}

/// All that a backup tells of an item, with titles for ids, in the words of the documented format.
fn told(saved: &Reading, item: &Value) -> Value {
    let title = |id: &Value| {
        let found = saved.items.iter().find(|it| it["id"] == *id);
        found.map_or(Value::Null, |it| it["title"].clone())
    };
    let above = item["ancestors"].as_array().into_iter().flatten();
    let above: Vec<Value> = above.map(|it| title(&it["id"])).collect();
    let restrictions = item["restrictions"].as_array().into_iter().flatten();
    let restrictions: Vec<Value> = restrictions
        .map(|it| json!([it["operation"], it["users"], it["groups"]]))
        .collect();
    let (remark, file) = (&item["remark"], &item["file"]);
    let bytes = file["name"].as_str().map(|name| saved.files[name].len());
    json!([
        [item["type"], item["status"], item["space"]],
        [title(&item["container"]["id"]), above],
        [item["labels"], restrictions, item["restrictions_complete"]],
        [
            remark["location"],
            remark["resolution"],
            remark["marker"],
            remark["selection"]
        ],
        [bytes, file["size"], file["media_type"], file["comment"]],
        [item["version"]["number"], item["created_by"]["username"]],
        item["storage"]
    ])
}

#[test]
fn everything_of_a_space_is_read_by_the_documented_format_alone() {
    let mut bench = Bench::of(deletion(), options(WIKI, Generation::Ten, true));
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    assert!(has_deleted(&bench), "{:?}", bench.job.lines());
    let saved = Reading::of(&folder_of(&bench));
    let manifest = &saved.manifest;
    assert_eq!(manifest["spaces"], json!([{"key": "ENG", "name": "ENG"}]));
    assert_eq!(manifest["act"], "delete-spaces");
    assert_eq!(manifest["address"], "https://wiki.example.org");
    assert_eq!(
        (&manifest["items"], &manifest["not_saved"]),
        (&json!(15), &json!([]))
    );
    let all: BTreeMap<&str, Value> = saved
        .items
        .iter()
        .map(|item| (item["title"].as_str().expect("a title"), told(&saved, item)))
        .collect();
    let mut text = String::new();
    for (title, told) in &all {
        let _ = writeln!(text, "{title}: {told}");
    }
    insta::assert_snapshot!(text);
}

#[cfg(target_os = "linux")]
#[test]
fn the_commands_of_the_documented_format_read_a_backup() {
    let mut bench = Bench::of(deletion(), options(WIKI, Generation::Ten, true));
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    let folder = folder_of(&bench);
    let saved = Reading::of(&folder);
    let text = include_str!("../../docs/backup-format.md");
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|it| it.strip_prefix("    "))
        .collect();
    let said: Vec<Vec<String>> = commands
        .iter()
        .map(|command| {
            let output = std::process::Command::new("sh")
                .args(["-c", command])
                .current_dir(&folder)
                .output()
                .expect("a shell");
            assert!(output.status.success(), "{command} {output:?}");
            let text = String::from_utf8(output.stdout).expect("text");
            text.lines().map(|line| line.trim().to_owned()).collect()
        })
        .collect();
    let [titles, counts, texts, comments, files, sums] = said.as_slice() else {
        panic!("{commands:?}");
    };
    let all: Vec<&Value> = saved.items.iter().collect();
    let titles_of: Vec<&str> = all.iter().filter_map(|it| it["title"].as_str()).collect();
    assert_eq!(*titles, titles_of);
    let of = |kind: &str, status: &str| {
        all.iter()
            .filter(|it| it["type"] == kind && it["status"] == status)
            .count()
    };
    let mut counted: Vec<String> = Vec::new();
    for kind in ["attachment", "blogpost", "comment", "page"] {
        for status in ["current", "trashed"] {
            if of(kind, status) > 0 {
                counted.push(format!("{} {kind} {status}", of(kind, status)));
            }
        }
    }
    assert_eq!(*counts, counted);
    let is = |kind: &'static str| all.iter().filter(move |it| it["type"] == kind);
    let written = |text: &Value| text.to_string().trim_matches('"').to_owned();
    assert_eq!(
        *texts,
        is("page")
            .map(|it| written(&it["storage"]))
            .collect::<Vec<_>>()
    );
    let places = is("comment").map(|it| {
        let on = it["container"]["id"].as_str().unwrap_or_default();
        (on.to_owned(), it["ancestors"].clone(), it["remark"].clone())
    });
    let seen = comments.iter().map(|line| {
        let (on, rest) = line.split_once(' ').expect("a page");
        let mut rest = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let mut next = || rest.next().expect("there").expect("JSON");
        (on.to_owned(), next(), next())
    });
    assert_eq!(seen.collect::<Vec<_>>(), places.collect::<Vec<_>>());
    let names = is("attachment").map(|it| {
        let name = it["file"]["name"].as_str().unwrap_or_default();
        format!("{name} {}", it["title"].as_str().unwrap_or_default())
    });
    assert_eq!(*files, names.collect::<Vec<_>>());
    assert_eq!(sums.len(), saved.files.len() + 1);
    assert!(sums.iter().all(|line| line.ends_with(": OK")), "{sums:?}");
}

#[test]
fn what_the_server_refuses_of_comments_and_files_is_counted_named_and_asked_about() {
    let refused = |status: u16| Fault::Refused {
        status,
        message: "No.".to_owned(),
    };
    for fault in [
        refused(403),
        refused(404),
        refused(500),
        Fault::CutShort,
        Fault::DroppedMidBody,
    ] {
        let what = format!("{fault:?}");
        let rule = Rule::new("GET /download/attachments/*/plan.pdf", fault).always();
        let mut bench = deleted(options(WIKI, Generation::Ten, true), vec![rule]);
        let Some(Question::Losses { items, losses, .. }) = bench.job.question() else {
            panic!("{what} {:?} {:?}", bench.job.question(), bench.job.lines());
        };
        assert_eq!(
            (losses.files, losses.bytes, losses.comments),
            (1, 200_000, 0),
            "{what}"
        );
        assert_eq!(
            (losses.files_unknown, losses.comments_unknown),
            (0, 0),
            "{what}"
        );
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].title, "Plan");
        assert!(
            items[0].named[0].starts_with("plan.pdf: "),
            "{:?}",
            items[0].named
        );
        assert_eq!(
            losses.told(),
            "1 attached file (200 kB) in 1 page could not be read."
        );
        assert!(!has_deleted(&bench), "{what}");
        let saved = Reading::of(&folder_of(&bench));
        assert_eq!(saved.manifest["lacks"][0]["title"], "plan.pdf");
        assert_eq!(saved.manifest["lacks"][0]["on"], saved.item("Plan")["id"]);
        assert_eq!(saved.files.len(), 4, "the others are saved");
        bench.feed(JobEvent::Decide(Decision::LeaveOut));
        bench.run(None, |_| false);
        assert!(!has_deleted(&bench), "{what}");
    }
    for path in [
        "GET /rest/api/content/*/child/comment",
        "GET /rest/api/content/scan?type=comment",
    ] {
        for generation in [Generation::Ten, Generation::Seven] {
            let rule = Rule::new(path, refused(403)).always();
            let bench = deleted(options(WIKI, generation, true), vec![rule]);
            match bench.job.question() {
                // Before 9 nothing else tells of answers to comments.
                Some(Question::Losses { losses, .. }) => {
                    assert!(
                        generation == Generation::Seven && path.contains("child"),
                        "{path}"
                    );
                    assert_eq!(losses.comments_unknown, 3);
                    assert!(!has_deleted(&bench));
                }
                _ => assert!(has_deleted(&bench), "{path} {:?}", bench.job.lines()),
            }
        }
    }
}

#[test]
fn a_list_of_comments_or_files_that_leaves_some_out_is_made_up_for_or_is_not_believed() {
    let mut text = "space: ENG\nname: Engineering\n\n=== page\ntitle: Plan\n".to_owned();
    for n in 0..8 {
        let _ = writeln!(text, "attachment: f{n}.txt | text/plain | 10");
    }
    text.push_str("\n<p>Plan</p>\n");
    for n in 0..8 {
        let _ = write!(
            text,
            "\n=== comment\ntitle: Re: {n}\nparent: Plan\n\n<p>{n}</p>\n"
        );
    }
    for (generation, real) in all_generations() {
        for list in [ListOf::Children, ListOf::Scan] {
            let mut site = options(&text, generation, real);
            site.behaviour = Behaviour {
                lies: vec![Lie {
                    list,
                    place: 2,
                    hides: 2,
                }],
                ..Behaviour::default()
            };
            let bench = deleted(site, Vec::new());
            let saved = Reading::of(&folder_of(&bench));
            let kinds = |kind: &str| saved.items.iter().filter(|it| it["type"] == kind).count();
            let what = format!("{generation:?} {real} {list:?}");
            assert_eq!((kinds("comment"), kinds("attachment")), (8, 8), "{what}");
            assert_eq!(saved.files.len(), 8, "{what}");
        }
    }
}

#[test]
fn a_job_that_is_killed_takes_over_the_files_that_are_there_whole() {
    let mut text = "space: ENG\nname: Engineering\n\n=== page\ntitle: Plan\n".to_owned();
    for n in 0..12 {
        let _ = writeln!(text, "attachment: f{n}.txt | text/plain | 70000");
    }
    text.push_str("\n<p>Plan</p>\n");
    let mut bench = Bench::of(deletion(), options(&text, Generation::Ten, true));
    let downloads = |bench: &Bench| {
        let sent = bench.sent.iter();
        sent.filter(|call| matches!(call, Call::Download { .. }))
            .count()
    };
    bench.feed(JobEvent::Begin);
    bench.run(None, |bench| downloads(bench) == 7);
    assert!(bench.taken_up());
    // One of them is spoilt meanwhile, and one is cut.
    let mut spoilt = 0;
    for folder in std::fs::read_dir(&bench.folders.backups).expect("there") {
        for file in std::fs::read_dir(folder.expect("one").path()).expect("there") {
            let path = file.expect("one").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name.starts_with("file-") && spoilt < 2 {
                let mut bytes = std::fs::read(&path).expect("a file");
                match spoilt {
                    0 => bytes[5] ^= 1,
                    _ => bytes.truncate(100),
                }
                std::fs::write(&path, bytes).expect("written");
                spoilt += 1;
            }
        }
    }
    assert_eq!(spoilt, 2);
    let before = bench.server.requests();
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let again = bench.server.requests().into_iter().skip(before.len());
    let again = again.filter(|it| it.target.contains("/download/")).count();
    assert_eq!(again, 12 - 7 + 2);
    let saved = Reading::of(&folder_of(&bench));
    assert_eq!(saved.files.len(), 12);
}

#[test]
fn a_disk_without_room_is_told_before_the_first_file() {
    let mut bench = Bench::of(deletion(), options(WIKI, Generation::Ten, true));
    bench.is_full = true;
    bench.feed(JobEvent::Begin);
    bench.run(None, |_| false);
    let trouble = bench.job.trouble().expect("it waits");
    assert!(
        trouble.contains("The files take 2.0 GB, and 1.0 GB are free."),
        "{trouble}"
    );
    let is_file = |call: &Call| matches!(call, Call::Download { .. });
    assert!(!bench.sent.iter().any(is_file));
    bench.is_full = false;
    bench.feed(JobEvent::Resume);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    assert_eq!(bench.sent.iter().filter(|call| is_file(call)).count(), 5);
}

/// A space of so many pages, with comments and files on some of them.
fn large(pages: u32, comments: u32, files: u32) -> String {
    let mut text = "space: ENG\nname: Engineering\n".to_owned();
    for n in 0..pages {
        let _ = write!(text, "\n=== page\ntitle: Page {n}\n");
        if n < files {
            let _ = writeln!(text, "attachment: f{n}.txt | text/plain | 10");
        }
        let _ = writeln!(text, "\n<p>{n}</p>");
    }
    for n in 0..comments {
        let on = n * 2 % pages;
        let _ = write!(
            text,
            "\n=== comment\ntitle: Re: {n}\nparent: Page {on}\n\n<p>{n}</p>\n"
        );
    }
    text
}

/// How many pages, comments and files: `CORACLE_SPACE=10000,5000,1000` for more.
fn size() -> (u32, u32, u32) {
    let told = std::env::var("CORACLE_SPACE").unwrap_or_default();
    let numbers: Vec<u32> = told.split(',').filter_map(|it| it.parse().ok()).collect();
    match numbers[..] {
        [pages, comments, files] => (pages, comments, files),
        _ => (300, 150, 30),
    }
}

#[test]
fn a_space_is_saved_with_one_request_a_hundred_items_and_one_a_file_and_its_page() {
    let (pages, comments, files) = size();
    // Each list has an end of its own: pages, blog posts, comments, files, and the trash, which before
    // 10 is a list for each type.
    for (generation, ends) in [(Generation::Ten, 5), (Generation::Nine, 9)] {
        let site = options(&large(pages, comments, files), generation, true);
        let mut bench = Bench::of(deletion(), site);
        bench.feed(JobEvent::Begin);
        bench.run(None, |bench| {
            let found = backups::list(&bench.folders.backups).unwrap_or_default();
            found.iter().any(|it| it.manifest.is_ok())
        });
        let items = pages + comments + files;
        let most = items.div_ceil(100) + ends + 2 * files;
        let sent = bench.sent.len() as u32;
        assert!(sent <= most, "{sent} of {most}: {:?}", bench.sent);
        let saved = Reading::of(&folder_of(&bench));
        assert_eq!(saved.items.len() as u32, items);
    }
}
