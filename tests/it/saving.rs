//! Backups of whole trashes and spaces, with the real client from the embedded Confluence in each of its
//! generations: what lists bring whole is the same, to the byte, as what is asked for item by item.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use coracle::confluence::Endpoint;
use coracle::confluence::client::{Client, Credentials, Settings};
use coracle::confluence::transfer::{Sink, Transfer};
use coracle::confluence::{ApiError, Call, ErrorKind, Reply};
use coracle::demo::{Behaviour, Generation, Lie, ListOf, Options, Seed, Server};
use coracle::jobs::backup::{self, Item, MANIFEST, Manifest};
use coracle::jobs::{
    Act, BackupChoice, Challenge, DeleteOptions, Job, JobEffect, JobEvent, JobState, JobWrite,
    OnFailure, Outcome, Question, Stored,
};

use crate::meddling::prove;
use crate::simulation::{agree, checked, downloaded, fail, head, is_for_whole_items};

/// A space with everything that a backup keeps, in the trash and out of it.
fn seed() -> Seed {
    let mut text = String::from(
        "space: ENG\nname: Engineering\nhomepage: Home\n\n=== page\ntitle: Home\nlabels: start\n\n<p>Home</p>\n",
    );
    for status in ["current", "trashed"] {
        let _ = write!(
            text,
            "\n=== comment\ntitle: Re: {status}\nparent: {status} secret\n\n<p>Hm</p>\n\n=== comment\ntitle: Aw: {status}\nparent: {status} secret\n\n<p>Hm?</p>\n"
        );
        let tail = if status == "trashed" {
            "status: trashed\n"
        } else {
            ""
        };
        for n in 0..105 {
            let _ = write!(
                text,
                "\n=== page\ntitle: {status} {n}\nparent: Home\nversion: {}\nlabels: a{n}, b\n{tail}\n<p>{n} – “é” &amp; <ac:link/></p>\n",
                n + 1
            );
        }
        let _ = write!(
            text,
            "\n=== page\ntitle: {status} secret\nread: user:jdoe, group:hr-staff\nupdate: user:asmith\n{tail}attachment: plan.pdf | application/pdf | 20480\nattachment: notes.txt | text/plain | 100\n\n<p>Plan</p>\n"
        );
        let _ = write!(text, "\n=== page\ntitle: {status} full\n{tail}");
        for n in 0..30 {
            let _ = writeln!(text, "attachment: file{n}.txt | text/plain | {n}");
        }
        text.push_str("\n<p>Thirty files</p>\n");
        let _ = write!(text, "\n=== page\ntitle: {status} blank\n{tail}\n");
        let _ = write!(
            text,
            "\n=== blogpost\ntitle: {status} news\nby: asmith\n{tail}\n<p>News</p>\n"
        );
    }
    text.push_str(
        "\n=== attachment\ntitle: dropped.txt\nparent: Home\nmedia-type: text/plain\nsize: 59\nstatus: trashed\n",
    );
    Seed::Text(text)
}

/// Whether lists are let be asked for whole items.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    Whole,
    Refused,
}

/// A file that is held in memory.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn place(&self) -> String {
        "memory".to_owned()
    }

    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn begin(&mut self, from: u64) -> std::io::Result<()> {
        self.0.truncate(from as usize);
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> std::io::Result<()> {
        self.0.extend_from_slice(piece);
        Ok(())
    }
}

/// What a job has made of a fresh server.
struct Outcomes {
    job: Job,
    items: BTreeMap<String, Item>,
    /// The files of attachments, by their check sums.
    files: BTreeMap<String, String>,
    asked: Vec<Call>,
    questions: Vec<Question>,
}

impl Outcomes {
    fn count(&self, is: impl Fn(&Call) -> bool) -> usize {
        self.asked.iter().filter(|call| is(call)).count()
    }

    /// The items that were asked for by themselves.
    fn asked_for_alone(&self) -> Vec<&str> {
        let ids = self.asked.iter().filter_map(|call| match call {
            Call::Content { id, expand, .. } if expand == backup::EXPAND => Some(id.as_str()),
            _ => None,
        });
        let mut titles: Vec<&str> = ids.map(|id| self.items[id].title.shown()).collect();
        titles.sort_unstable();
        titles
    }
}

fn run(job: Job, seed: Seed, generation: Generation, real: bool, lists: Lists) -> Outcomes {
    let options = Options {
        seed,
        generation,
        real,
        ..Options::default()
    };
    run_on(job, options, lists)
}

fn run_on(mut job: Job, options: Options, lists: Lists) -> Outcomes {
    let server = Server::start(options).expect("a server");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let endpoint = Endpoint::parse(server.base_url()).expect("usable");
    let client = Client::new(Settings::new(endpoint, Credentials::Anonymous)).expect("usable");
    let (mut asked, mut questions) = (Vec::new(), Vec::new());
    let mut disk: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
    let mut at = 0;
    let mut todo: VecDeque<JobEffect> = job.step(at, JobEvent::Begin).into();
    loop {
        let Some(effect) = todo.pop_front() else {
            if let Some(question) = job.question() {
                let destroys = |call: &Call| !call.is_read();
                assert!(!asked.iter().any(destroys), "it is asked about before");
                questions.push(question.clone());
                let go_on = JobEvent::Decide(coracle::jobs::Decision::GoOn);
                todo.extend(job.step(at, go_on));
                continue;
            }
            let Some(deadline) = job.deadline() else {
                break;
            };
            at = deadline;
            todo.extend(job.step(at, JobEvent::Tick));
            continue;
        };
        let event = match effect {
            JobEffect::Send { request, call } => {
                let outcome: Result<Reply, ApiError> = match &call {
                    Call::Trash { expand, .. }
                    | Call::TrashedContent { expand, .. }
                    | Call::SpaceContentOfKind { expand, .. }
                        if lists == Lists::Refused && is_for_whole_items(expand) =>
                    {
                        Err(fail(ErrorKind::Invalid, 400))
                    }
                    Call::Download { into, .. } => {
                        let mut file = Bytes(Vec::new());
                        let sent = client.transfer(&call, Transfer::Into(&mut file), |_| {});
                        let outcome = runtime.block_on(sent).outcome;
                        outcome.map(|_| {
                            let place = (into.backup.clone(), into.name.clone());
                            let reply = downloaded(&file.0);
                            disk.insert(place, file.0);
                            reply
                        })
                    }
                    call => runtime.block_on(client.send(call, |_| {})).outcome,
                };
                asked.push(call);
                JobEvent::Reply { request, outcome }
            }
            JobEffect::Write { write, what } => {
                let stored = match what {
                    JobWrite::BackupFile {
                        backup,
                        name,
                        bytes,
                    } => {
                        disk.insert((backup, name), bytes.to_vec());
                        Stored::Done
                    }
                    JobWrite::ReadBack { backup, name } => {
                        Stored::Bytes(disk[&(backup, name)].clone())
                    }
                    JobWrite::Prove(claim) => {
                        let read = |backup: &str, name: &str| {
                            let place = (backup.to_owned(), name.to_owned());
                            disk.get(&place).cloned()
                        };
                        prove(&claim, &read).expect("it stands")
                    }
                    JobWrite::CheckZip { .. } => panic!("no server writes a space out here"),
                    JobWrite::CheckFile { backup, file } => {
                        let place = (backup, file.name.clone());
                        checked(&file, disk.get(&place).map(Vec::as_slice)).expect("it is whole")
                    }
                    JobWrite::Journal(_)
                    | JobWrite::Checkpoint(_)
                    | JobWrite::MakeFolder { .. }
                    | JobWrite::CheckRoom { .. }
                    | JobWrite::Hold { .. }
                    | JobWrite::Release { .. } => Stored::Done,
                };
                JobEvent::Written {
                    write,
                    outcome: Ok(stored),
                }
            }
            JobEffect::Ask(_) | JobEffect::GiveUp { .. } | JobEffect::GiveUpWrite { .. } => {
                continue;
            }
        };
        todo.extend(job.step(at, event));
    }
    assert!(job.backup().is_some(), "it made a backup");
    let (items, files) = saved_on(&disk);
    Outcomes {
        job,
        items,
        files,
        asked,
        questions,
    }
}

/// The items and the files of all backups, which are whole.
fn saved_on(
    disk: &BTreeMap<(String, String), Vec<u8>>,
) -> (BTreeMap<String, Item>, BTreeMap<String, String>) {
    let mut items = BTreeMap::new();
    let mut files = BTreeMap::new();
    for ((folder, name), bytes) in disk {
        if name != MANIFEST {
            continue;
        }
        let read = |name: &str| disk.get(&(folder.clone(), name.to_owned())).cloned();
        let manifest = Manifest::decode(bytes).expect("whole");
        manifest.verify(read).expect("as it was written");
        for file in &manifest.files {
            if file.items == 0 {
                files.insert(file.name.clone(), file.sha256.to_string());
                continue;
            }
            let bytes = read(&file.name).expect("written");
            for item in backup::unpack(&file.name, &bytes).expect("whole") {
                let twice = items.insert(item.id.to_string(), item);
                assert_eq!(twice, None, "each is saved once");
            }
        }
    }
    (items, files)
}

fn all_generations() -> [(Generation, bool); 4] {
    [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ]
}

fn back_up() -> Job {
    Job::back_up(head(Act::BackUp, &["ENG"], Vec::new())).expect("about a space")
}

fn purge_all() -> Job {
    let head = head(Act::PurgeAll, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    Job::purge_all(head, consent).expect("agreed to")
}

fn delete() -> Job {
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let options = DeleteOptions {
        server: BackupChoice::Declined,
        backup: BackupChoice::Save,
        on_failure: OnFailure::Stop,
    };
    Job::delete_spaces(head, consent, options).expect("agreed to")
}

/// Nothing is different in a backup that was made of lists, and all but a few odd items are in them.
#[test]
fn what_lists_bring_whole_is_what_is_saved_item_by_item() {
    let trash = [
        "trashed blank",
        // The child map holds no more than twenty-five attachments.
        "trashed full",
    ];
    let both = ["current blank", "current full", trash[0], trash[1]];
    for (generation, real) in all_generations() {
        // Two comments and thirty-two files hang on what is in the trash, and as many on what is not.
        for (make, items, files, odd) in [
            (back_up as fn() -> Job, 110, 32, &trash[..]),
            (purge_all, 110, 32, &trash),
            (delete, 220, 64, &both),
        ] {
            let with = run(make(), seed(), generation, real, Lists::Whole);
            let what = format!("{:?} {generation:?} {real}", with.job.head().target.act);
            assert_eq!(with.job.state(), JobState::Done, "{:?}", with.job.lines());
            assert_eq!(with.asked_for_alone(), odd, "{what}");
            let without = run(make(), seed(), generation, real, Lists::Refused);
            assert_eq!(without.job.state(), JobState::Done, "{what}");
            assert_eq!(with.items.len(), items + files + files / 16, "{what}");
            assert_eq!(with.items, without.items, "{what}");
            assert_eq!(
                (with.files.len(), &with.files),
                (1 + files, &without.files),
                "{what}"
            );
            let secret = with.items.values().find(|it| it.title == "trashed secret");
            let secret = secret.expect("it is saved");
            assert_eq!(secret.restrictions.as_ref().map(Vec::len), Some(2));
            assert_eq!(secret.attachments.as_ref().map(Vec::len), Some(2));
            assert_eq!(secret.storage.as_deref(), Some("<p>Plan</p>"));
            let full = with.items.values().find(|it| it.title == "trashed full");
            let full = full.expect("it is saved");
            assert_eq!(full.attachments.as_ref().map(Vec::len), Some(30), "{what}");
            let reads = |it: &Outcomes| it.count(Call::is_read);
            assert!(reads(&with) + items <= reads(&without), "{what}");
        }
    }
}

/// The same with the demo wiki: spaces with scripts, emoji, trees, attachments, and those that refuse.
#[test]
fn the_trash_of_the_demo_wiki_is_saved_the_same_from_lists_and_one_by_one() {
    let keys = ["ENG", "OPS", "HR", "COMMS", "JA", "AR", "LEGAL", "~jdoe"];
    let job = || Job::back_up(head(Act::BackUp, &keys, Vec::new())).expect("about spaces");
    for (generation, real) in [(Generation::Ten, true), (Generation::Seven, true)] {
        let with = run(job(), Seed::Demo, generation, real, Lists::Whole);
        let without = run(job(), Seed::Demo, generation, real, Lists::Refused);
        assert!(with.items.len() > 100, "{}", with.items.len());
        assert_eq!(with.items, without.items);
        assert_eq!(with.files, without.files);
        assert!(!with.files.is_empty());
        let outcomes = |it: &Outcomes| -> Vec<Option<Outcome>> {
            it.job.lines().iter().map(|it| it.outcome.clone()).collect()
        };
        assert_eq!(outcomes(&with), outcomes(&without));
        assert_eq!(with.asked_for_alone(), Vec::<&str>::new());
    }
}

/// What hangs on the items is saved with them, so that nothing is lost and nothing is asked about; by
/// lists and one by one.
#[test]
fn files_and_comments_are_saved_with_what_they_hang_on() {
    for (generation, real) in all_generations() {
        for make in [purge_all as fn() -> Job, delete, back_up] {
            for lists in [Lists::Whole, Lists::Refused] {
                let done = run(make(), seed(), generation, real, lists);
                assert_eq!(done.questions, [], "{generation:?} {real}");
                assert_eq!(done.job.state(), JobState::Done);
                let secret = done.items.values().find(|it| it.title == "trashed secret");
                let secret = secret.expect("it is saved").id.clone();
                let on_it = done.items.values().filter(|it| {
                    let container = it.container.as_ref();
                    container.is_some_and(|container| container.id == secret)
                });
                let mut titles: Vec<&str> = on_it.map(|it| it.title.shown()).collect();
                titles.sort_unstable();
                let all = ["Aw: trashed", "Re: trashed", "notes.txt", "plan.pdf"];
                assert_eq!(titles, all, "{generation:?} {real}");
            }
        }
    }
}

/// A list hides two of 44 pages, and that of the trash two of 44 items, over HTTP and in each generation:
/// a scan tells of them, the tree of pages where there is none, and where nothing does the space stays.
#[test]
fn what_a_list_hides_is_saved_before_its_space_goes_or_the_space_stays() {
    let mut text =
        String::from("space: ENG\nname: Engineering\n\n=== page\ntitle: Home\n\n<p>Home</p>\n");
    for status in ["", "status: trashed\n"] {
        for n in 0..44 {
            let _ = write!(
                text,
                "\n=== page\ntitle: Page {n}\nparent: Home\n{status}\n<p>{n}</p>\n"
            );
        }
    }
    let lie = |list| Lie {
        list,
        place: 20,
        hides: 2,
    };
    for (generation, real) in all_generations() {
        for list in [ListOf::SpaceContentOfKind, ListOf::Trash, ListOf::Contents] {
            let options = Options {
                seed: Seed::Text(text.clone()),
                generation,
                real,
                behaviour: Behaviour {
                    lies: vec![lie(list)],
                    ..Behaviour::default()
                },
                ..Options::default()
            };
            let what = format!("{generation:?} {real} {list:?}");
            let done = run_on(delete(), options, Lists::Whole);
            let is_deleted = done
                .asked
                .iter()
                .any(|call| matches!(call, Call::DeleteSpace { .. }));
            // Neither a scan nor another list of the trash.
            let nothing_else_tells = generation == Generation::Seven && list == ListOf::Contents;
            assert_eq!(
                is_deleted,
                !nothing_else_tells,
                "{what} {:?}",
                done.job.lines()
            );
            assert_eq!(done.items.len(), if is_deleted { 89 } else { 87 }, "{what}");
        }
    }
}
