//! A server that answers "done" and did nothing, that says 404 of what one may not see, and that keeps
//! the old values: an outcome is what a read shows afterwards.
//!
//! First one test for each such answer, then jobs of every kind against a server that gives them at
//! random, with kills between. Held after every run: no line is "done" or "gone" while the server's
//! state says otherwise, and no line of the journal says "done" of a write that was not applied or
//! "failed" of one that was.
//!
//! `CORACLE_SIM_SEEDS=1000000` runs more seeds, `CORACLE_SIM_SEED=n` one of them.

use std::collections::BTreeMap;

use coracle::confluence::*;
use coracle::jobs::journal::{Phase, Record};
use coracle::jobs::*;

use crate::machines::{Bench, deletion, lost, purge_all, purge_marked, wiki};
use crate::seeds;
use crate::simulation::{Dice, Room, Server, agree, doc, fail, head, missing};

/// The answer of a server that did it, without doing it.
fn only_says_so(server: &Server, call: &Call) -> Option<Result<Reply, ApiError>> {
    (!call.is_read()).then(|| server.clone().serve(call))
}

fn form(name: &str, description: Option<&str>) -> SpaceForm {
    SpaceForm {
        name: ServerText::new(name),
        description: description.map(str::to_owned),
        homepage: None,
        homepage_title: None,
    }
}

fn update(base: SpaceForm, mine: SpaceForm) -> Bench {
    let head = head(Act::UpdateSpace, &["ENG"], Vec::new());
    let job = Job::update_space(head, SpaceKey::new("ENG"), base, mine);
    Bench::new(job, wiki())
}

fn creation(description: &str) -> Bench {
    let new = NewSpace::Global {
        key: SpaceKey::new("NEW"),
        name: "New".into(),
        description: description.into(),
        audience: call::Audience::Everybody,
    };
    let head = head(Act::CreateSpace, &["NEW"], Vec::new());
    Bench::new(Job::create_space(head, new), wiki())
}

fn items(server: &Server) -> Vec<ItemTarget> {
    let trashed = server
        .docs
        .iter()
        .filter(|(_, doc)| doc.status == ContentStatus::Trashed);
    trashed
        .map(|(id, doc)| ItemTarget {
            id: ContentId::new(id),
            kind: doc.kind.clone(),
            title: doc.title.clone(),
            version: Some(doc.version),
            space: Some(SpaceKey::new(&doc.space)),
        })
        .collect()
}

fn restoration() -> Bench {
    let server = wiki();
    let items = items(&server);
    let job = Job::restore_content(head(Act::RestoreContent, &[], items));
    Bench::new(job, server)
}

fn archiving() -> Bench {
    let job = Job::archive_spaces(head(Act::ArchiveSpaces, &["ENG"], Vec::new()));
    Bench::new(job, wiki())
}

fn failed(bench: &Bench, with: &str) {
    assert_eq!(
        bench.job.state(),
        JobState::Failed,
        "{:?}",
        bench.outcomes()
    );
    for outcome in bench.outcomes() {
        assert!(
            matches!(&outcome, Outcome::Failed(why) if why.contains(with)),
            "{outcome:?}"
        );
    }
}

fn unknown(bench: &Bench, with: &str) {
    assert_eq!(
        bench.job.state(),
        JobState::Unknown,
        "{:?}",
        bench.outcomes()
    );
    for outcome in bench.outcomes() {
        assert!(
            matches!(&outcome, Outcome::Unknown(why) if why.contains(with)),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_purge_that_is_answered_and_did_nothing_has_failed() {
    let mut bench = purge_marked();
    bench.finish(&mut |server, call, _| only_says_so(server, call));
    failed(&bench, "still in the trash");
    assert_eq!(bench.told(Step::Purge), Phase::Failed);
    let purges = bench.count(|call| matches!(call, Call::PurgeContent { .. }));
    assert_eq!(purges, 2, "what was answered is not sent again");
}

#[test]
fn a_purge_that_is_answered_as_if_the_item_were_not_there_is_not_told_as_vanished() {
    let mut bench = purge_marked();
    bench.finish(&mut |_, call, _| match call {
        Call::PurgeContent { .. } => Some(Err(missing())),
        _ => None,
    });
    failed(&bench, "still in the trash");
    assert_eq!(bench.told(Step::Purge), Phase::Failed);
}

#[test]
fn an_item_is_gone_only_while_the_trash_is_still_shown() {
    // Somebody else purges one; the trash is still listed.
    let mut bench = purge_marked();
    let mut checked = false;
    bench.finish(&mut |server, call, _| {
        if matches!(call, Call::Content { expand, .. } if expand.starts_with("version")) && !checked
        {
            checked = true;
            server.docs.remove("100");
        }
        None
    });
    assert!(
        matches!(bench.outcomes()[..], [Outcome::Gone, Outcome::Done(_)]),
        "{:?}",
        bench.outcomes()
    );

    // The user may not see the space any more.
    let mut bench = purge_marked();
    let mut checked = false;
    bench.finish(&mut |_, call, _| {
        checked |= matches!(call, Call::Content { expand, .. } if expand.starts_with("version"));
        checked.then(|| Err(missing()))
    });
    failed(&bench, "not gone");
    assert_eq!(bench.server.docs.len(), 3, "nothing was purged");
}

#[test]
fn a_purge_that_is_lost_is_done_only_while_the_trash_is_still_shown() {
    let mut bench = purge_marked();
    let mut sent = false;
    bench.finish(&mut |_, call, _| {
        if sent {
            return Some(Err(missing()));
        }
        sent = matches!(call, Call::PurgeContent { .. });
        sent.then(lost)
    });
    let outcomes = bench.outcomes();
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, Outcome::Unknown(_) | Outcome::Failed(_))),
        "{outcomes:?}"
    );
    assert_eq!(bench.job.state(), JobState::Unknown);
    assert_eq!(bench.server.docs.len(), 3, "nothing was purged");
}

#[test]
fn an_item_that_the_trash_still_lists_is_not_told_as_purged() {
    let mut bench = purge_marked();
    let mut sent = false;
    bench.finish(&mut |server, call, _| {
        sent |= matches!(call, Call::PurgeContent { .. });
        match call {
            Call::PurgeContent { .. } => only_says_so(server, call),
            // Asked for by itself it is hidden, and the list of the trash tells of it.
            Call::Content { .. } if sent => Some(Err(missing())),
            _ => None,
        }
    });
    let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done(_) | Outcome::Gone);
    assert!(
        !bench.outcomes().iter().any(is_done),
        "{:?}",
        bench.outcomes()
    );
}

#[test]
fn a_purge_is_confirmed_with_one_read_of_each_item_and_few_of_the_trash() {
    let mut server = wiki();
    for n in 0..40 {
        let page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        server.docs.insert(format!("{}", 1_000 + n), page);
    }
    let items = items(&server);
    let count = items.len();
    let head = head(Act::PurgeMarked, &[], items);
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::purge_marked(head, consent).expect("agreed to");
    let mut bench = Bench::new(job, server);
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done);
    let looks = bench
        .count(|it| matches!(it, Call::Content { expand, .. } if expand.starts_with("version")));
    assert_eq!(looks, 2 * count, "one before each purge and one after it");
    // Before that the trash was read once, for what hangs on the pages.
    let lists = bench.count(|it| matches!(it, Call::Trash { expand, .. } if expand.is_empty()));
    assert!((1..=4).contains(&lists), "{lists} looks at the trash");
}

#[test]
fn a_whole_trash_that_is_answered_as_purged_and_is_not_has_failed() {
    let mut bench = purge_all();
    bench.finish(&mut |server, call, _| only_says_so(server, call));
    failed(&bench, "still in the trash");
    assert_eq!(bench.told(Step::PurgeTrash), Phase::Failed);
}

#[test]
fn an_archive_that_is_answered_and_did_nothing_has_failed() {
    let mut bench = archiving();
    bench.finish(&mut |server, call, _| only_says_so(server, call));
    failed(&bench, "the space is as it was");
    assert_eq!(bench.told(Step::Archive), Phase::Failed);

    let mut bench = archiving();
    bench.finish(&mut |_, call, _| match call {
        Call::ArchiveSpace { .. } => Some(Err(missing())),
        _ => None,
    });
    failed(&bench, "permitted");
}

#[test]
fn a_space_is_gone_only_while_the_same_user_is_shown_another_one() {
    let other = Room::named("HR");
    for (user, is_other_shown, is_done) in [
        (Some("me"), true, true),
        (Some("me"), false, false),
        (Some("somebody"), true, false),
        (None, true, false),
    ] {
        let mut bench = deletion(BackupChoice::Declined);
        bench.server.rooms.insert("HR".into(), other.clone());
        bench.finish(&mut |server, call, _| match call {
            Call::DeleteSpace { .. } => {
                server.rooms.remove("ENG");
                if !is_other_shown {
                    server.rooms.clear();
                }
                Some(lost())
            }
            Call::CurrentUser => Some(Ok(Reply::CurrentUser(CurrentUser {
                username: user.map(str::to_owned),
                display_name: String::new(),
            }))),
            _ => None,
        });
        if is_done {
            assert_eq!(bench.job.state(), JobState::Done);
            assert_eq!(bench.told(Step::Delete), Phase::Done);
        } else {
            unknown(&bench, "not gone");
            assert_eq!(bench.told(Step::Delete), Phase::Unknown, "{user:?}");
        }
    }
}

#[test]
fn a_space_that_may_not_be_deleted_is_not_told_as_vanished() {
    let mut bench = deletion(BackupChoice::Declined);
    bench.finish(&mut |_, call, _| match call {
        Call::DeleteSpace { .. } => Some(Err(missing())),
        _ => None,
    });
    failed(&bench, "permitted");
}

#[test]
fn a_restore_that_is_answered_and_did_nothing_has_failed() {
    let mut bench = restoration();
    bench.finish(&mut |server, call, _| only_says_so(server, call));
    failed(&bench, "still in the trash");
    assert_eq!(bench.told(Step::Restore), Phase::Failed);

    let mut bench = restoration();
    bench.finish(&mut |_, call, _| match call {
        Call::RestoreContent { .. } => Some(Err(missing())),
        _ => None,
    });
    failed(&bench, "still in the trash");
}

#[test]
fn what_somebody_else_restored_is_not_told_as_vanished() {
    let mut bench = restoration();
    for doc in bench.server.docs.values_mut() {
        doc.status = ContentStatus::Current;
    }
    bench.finish(&mut |_, _, _| None);
    for outcome in bench.outcomes() {
        assert!(
            matches!(&outcome, Outcome::Done(Some(why)) if why.contains("somebody else")),
            "{outcome:?}"
        );
    }
}

fn refusal(kind: ErrorKind, status: u16, words: &str) -> ApiError {
    ApiError::new(kind, words).with_status(status)
}

#[test]
fn a_version_that_was_overtaken_is_read_again_and_is_no_taken_title() {
    for (kind, status) in [(ErrorKind::Conflict, 409), (ErrorKind::Invalid, 400)] {
        let mut bench = restoration();
        let mut refused = 0;
        bench.finish(&mut |_, call, _| match call {
            Call::RestoreContent { .. } if refused < 2 => {
                refused += 1;
                let words = "Version must be incremented on update. Current version is: 3";
                Some(Err(refusal(kind.clone(), status, words)))
            }
            _ => None,
        });
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
        let titles = bench.server.docs.values().map(|doc| doc.title.as_str());
        assert_eq!(titles.collect::<Vec<_>>(), ["One", "Two", "Alive"]);
    }
}

#[test]
fn a_title_that_is_taken_is_asked_about_whatever_the_status() {
    for (kind, status) in [(ErrorKind::Conflict, 409), (ErrorKind::Invalid, 400)] {
        let mut bench = restoration();
        let mut answer = |_: &mut Server, call: &Call, _: u64| match call {
            Call::RestoreContent { title, .. } if title == "One" => {
                let words = "A page with this title already exists in the space";
                Some(Err(refusal(kind.clone(), status, words)))
            }
            _ => None,
        };
        bench.run(&mut answer, |_| false);
        let asked = bench.job.question().cloned();
        assert!(
            matches!(&asked, Some(Question::TitleCollision { title }) if title == "One"),
            "{status}: {asked:?} {:?}",
            bench.outcomes()
        );
        bench.feed(JobEvent::Decide(Decision::Rename));
        bench.finish(&mut answer);
        assert_eq!(bench.server.docs["100"].title, "One (restored)");
        assert_eq!(bench.server.docs["101"].title, "Two");
    }
}

#[test]
fn a_conflict_that_names_nothing_is_a_taken_title_only_if_there_is_one() {
    let mut bench = restoration();
    let mut refused = false;
    bench.finish(&mut |_, call, _| match call {
        Call::RestoreContent { .. } if !refused => {
            refused = true;
            Some(Err(fail(ErrorKind::Conflict, 409)))
        }
        _ => None,
    });
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
    assert_eq!(bench.server.docs["100"].title, "One");
}

#[test]
fn a_title_that_gets_longer_stays_within_what_servers_take() {
    let mut bench = restoration();
    let long = "ü".repeat(255);
    let taken = doc("ENG", &long, ContentStatus::Current);
    bench.server.docs.get_mut("100").expect("there").title = long;
    bench.server.docs.insert("300".into(), taken);
    bench.run(&mut |_, _, _| None, |_| false);
    assert!(bench.job.question().is_some());
    bench.feed(JobEvent::Decide(Decision::Rename));
    bench.finish(&mut |_, _, _| None);
    let title = &bench.server.docs["100"].title;
    assert!(title.ends_with(" (restored)"), "{title}");
    assert_eq!(title.chars().count(), 255);
}

#[test]
fn an_item_that_a_later_page_of_the_trash_still_lists_is_not_told_as_purged() {
    let mut server = wiki();
    for n in 2..6 {
        let page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        server.docs.insert(format!("{}", 100 + n), page);
    }
    // A page of a list has three rows here.
    let mut items = items(&server);
    let items = items.split_off(4);
    let head = head(Act::PurgeMarked, &[], items);
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::purge_marked(head, consent).expect("agreed to");
    let mut bench = Bench::new(job, server);
    let mut sent = false;
    bench.finish(&mut |server, call, _| {
        sent |= matches!(call, Call::PurgeContent { .. });
        match call {
            Call::PurgeContent { .. } => only_says_so(server, call),
            // Asked for by itself each is hidden.
            Call::Content { .. } if sent => Some(Err(missing())),
            _ => None,
        }
    });
    unknown(&bench, "the trash still lists it");
    assert_eq!(bench.told(Step::Purge), Phase::Unknown);
}

#[test]
fn a_purge_whose_last_reading_fails_says_what_it_stands_on() {
    let mut server = wiki();
    for n in 2..6 {
        let page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        server.docs.insert(format!("{}", 100 + n), page);
    }
    let mut items = items(&server);
    items.truncate(1);
    let head = head(Act::PurgeMarked, &[], items);
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::purge_marked(head, consent).expect("agreed to");
    let mut bench = Bench::new(job, server);
    let mut looks = 0;
    bench.finish(&mut |server, call, _| {
        let is_gone = !server.docs.contains_key("100");
        match call {
            // The first look shows the first page; then nothing more can be read.
            Call::Trash { .. } if is_gone => {
                looks += 1;
                (looks > 1).then(|| Err(fail(ErrorKind::Forbidden, 403)))
            }
            _ => None,
        }
    });
    assert!(looks > 1, "it was read once more");
    let outcomes = bench.outcomes();
    assert!(
        matches!(&outcomes[..], [Outcome::Done(Some(why))] if why.contains("could not be read once more")),
        "{outcomes:?}"
    );
}

#[test]
fn a_change_that_wipes_something_else_is_told_and_not_as_done() {
    let described = || {
        let mut bench = update(
            form("ENG", Some("What we do.")),
            form("Engineers", Some("What we do.")),
        );
        let room = bench.server.rooms.get_mut("ENG").expect("there");
        room.description = "What we do.".into();
        bench
    };
    type Meddle = fn(&mut Room);
    let meddles: [(Meddle, &str); 2] = [
        (
            |room| room.description.clear(),
            "the description of the space",
        ),
        (|room| room.archived = true, "the status of the space"),
    ];
    for (meddle, what) in meddles {
        let mut bench = described();
        bench.finish(&mut |server, call, _| {
            let Call::UpdateSpace { .. } = call else {
                return None;
            };
            let answer = server.serve(call);
            meddle(server.rooms.get_mut("ENG").expect("there"));
            Some(answer)
        });
        failed(&bench, what);
        failed(&bench, "More was changed than was asked for");
        assert_eq!(bench.told(Step::UpdateSpace), Phase::Done);
    }
    let mut bench = described();
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done);
}

/// A sign-in page, with the status of an answer.
fn web_page() -> Result<Reply, ApiError> {
    let kind = ErrorKind::NotJson {
        content_type: "text/html".into(),
    };
    let words = "The server answered with a web page, “Log in”, instead of data.";
    Err(ApiError::new(kind, words).with_status(200))
}

#[test]
fn a_web_page_in_answer_to_a_write_is_told_and_the_write_is_never_sent_again() {
    type Make = fn() -> Bench;
    let jobs: [(Make, usize); 5] = [
        (
            || update(form("ENG", Some("")), form("Engineers", Some(""))),
            1,
        ),
        (|| creation("What we do."), 1),
        (archiving, 1),
        (restoration, 2),
        (purge_marked, 2),
    ];
    for (make, most) in jobs {
        for kill in [false, true] {
            let mut bench = make();
            // The server is asked who is there: a space that is missing is looked for.
            let other = bench.server.rooms["ENG"].clone();
            bench.server.rooms.insert("HR".into(), other);
            let mut page = |_: &mut Server, call: &Call, _: u64| (!call.is_read()).then(web_page);
            let writes = |bench: &Bench| bench.count(|call| !call.is_read());
            if kill {
                bench.run(&mut page, |bench| writes(bench) > 0);
                bench.kill();
                bench.feed(JobEvent::Resume);
            }
            bench.finish(&mut page);
            failed(&bench, "Something between here and the server answered");
            failed(&bench, "“Log in”");
            failed(&bench, "Nothing is sent again by itself");
            assert_eq!(writes(&bench), most, "kill: {kill} {:?}", bench.sent);
        }
    }
    // Where it did reach the server, that is what counts.
    let mut bench = update(form("ENG", Some("")), form("Engineers", Some("")));
    bench.finish(&mut |server, call, _| {
        let is_read = call.is_read();
        (!is_read).then(|| server.serve(call).and_then(|_| web_page()))
    });
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
}

#[test]
fn a_change_that_is_answered_with_the_old_values_has_failed() {
    let base = form("ENG", Some(""));
    let mut bench = update(base, form("Engineers", Some("")));
    bench.finish(&mut |server, call, _| match call {
        Call::UpdateSpace { key, .. } => Some(server.serve(&Call::Space {
            key: key.clone(),
            expand: String::new(),
        })),
        _ => None,
    });
    failed(&bench, "the space is as it was");
    assert_eq!(bench.told(Step::UpdateSpace), Phase::Failed);
}

#[test]
fn a_change_of_which_a_part_was_taken_says_which_was_not() {
    let base = form("ENG", Some(""));
    let mut bench = update(base, form("Engineers", Some("What we do.")));
    bench.finish(&mut |server, call, _| match call {
        Call::UpdateSpace { key, name, .. } => Some(server.serve(&Call::UpdateSpace {
            key: key.clone(),
            name: name.clone(),
            description: None,
            homepage: None,
        })),
        _ => None,
    });
    unknown(&bench, "the description of the space is not what was sent");
}

#[test]
fn a_description_that_was_not_told_is_not_sent_and_no_reason_to_ask() {
    let base = form("ENG", None);
    let mut bench = update(base, form("Engineers", None));
    bench
        .server
        .rooms
        .get_mut("ENG")
        .expect("there")
        .description = "A text.".into();
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.outcomes());
    let room = &bench.server.rooms["ENG"];
    assert_eq!((&*room.name, &*room.description), ("Engineers", "A text."));
}

#[test]
fn a_space_that_is_answered_as_made_and_is_not_as_sent_says_so() {
    let mut bench = creation("What we do.");
    bench.finish(&mut |server, call, _| match call {
        Call::CreateSpace { .. } => {
            let answer = server.serve(call);
            server.rooms.get_mut("NEW").expect("made").description = String::new();
            Some(answer)
        }
        _ => None,
    });
    unknown(
        &bench,
        "the description of the space NEW is not what was sent",
    );

    let mut bench = creation("What we do.");
    bench.finish(&mut |server, call, _| only_says_so(server, call));
    unknown(&bench, "does not show it");
    assert_eq!(bench.told(Step::CreateSpace), Phase::Unknown);
}

/// What a server does to one write.
enum Lie {
    None,
    /// It answers as if it had done it.
    Nothing,
    /// It says 404.
    NoRight,
    /// The answer is lost, after it was applied or before.
    Lost(bool),
}

/// A server that lies.
struct Liar {
    dice: Dice,
    /// Whether this user sees nothing any more.
    is_blind: bool,
    /// How many writes were applied, by path.
    applied: BTreeMap<String, u32>,
}

impl Liar {
    fn answer(&mut self, server: &mut Server, call: &Call) -> Option<Result<Reply, ApiError>> {
        if call.is_read() {
            return match call {
                Call::CurrentUser if self.is_blind => Some(Ok(Reply::CurrentUser(CurrentUser {
                    username: None,
                    display_name: "Anonymous".into(),
                }))),
                _ => self.is_blind.then(|| Err(missing())),
            };
        }
        let lie = match self.dice.below(20) {
            0..=3 => Lie::Nothing,
            4..=6 => Lie::NoRight,
            7 | 8 => Lie::Lost(self.dice.percent(50)),
            _ => Lie::None,
        };
        let request = call.request();
        let path = format!("{:?} {}", request.method, request.path);
        if self.is_blind {
            return Some(Err(missing()));
        }
        match lie {
            Lie::None | Lie::Lost(true) => {
                let answer = server.serve(call);
                if answer.is_ok() {
                    *self.applied.entry(path).or_default() += 1;
                }
                if let Lie::Lost(_) = lie {
                    self.is_blind = self.dice.percent(20);
                    return Some(lost());
                }
                Some(answer)
            }
            Lie::Nothing => {
                if let Call::DeleteSpace { .. } = call {
                    // A task that ends well and was about nothing.
                    let mut copy = server.clone();
                    let answer = copy.serve(call);
                    server.next = copy.next;
                    server.tasks = copy.tasks;
                    for task in server.tasks.values_mut() {
                        task.space.clear();
                    }
                    return Some(answer);
                }
                let old = match call {
                    Call::UpdateSpace { key, .. } if self.dice.percent(50) => Call::Space {
                        key: key.clone(),
                        expand: String::new(),
                    },
                    _ => return only_says_so(server, call),
                };
                Some(server.serve(&old))
            }
            Lie::NoRight => {
                self.is_blind = self.dice.percent(30);
                Some(Err(missing()))
            }
            Lie::Lost(false) => {
                self.is_blind = self.dice.percent(30);
                Some(lost())
            }
        }
    }
}

fn random_wiki(dice: &mut Dice) -> Server {
    let mut server = wiki();
    server.modern = dice.percent(70);
    server.next = 1_000 + dice.below(7);
    for n in 0..dice.below(5) {
        let mut page = doc("ENG", &format!("Old {n}"), ContentStatus::Trashed);
        page.version = 1 + dice.below(4);
        page.parent = dice.percent(50).then(|| "200".to_owned());
        server.docs.insert(format!("{}", 300 + n), page);
    }
    for key in ["HR", "OLD"] {
        let room = Room {
            archived: key == "OLD",
            ..Room::named(key)
        };
        server.rooms.insert(key.into(), room);
    }
    server
}

fn random_job(dice: &mut Dice, server: &Server) -> Job {
    let agreed = |head: &Head| agree(Challenge::new(head.target.clone()));
    match dice.below(8) {
        0 | 1 => {
            let head = head(Act::PurgeMarked, &[], items(server));
            let consent = agreed(&head);
            Job::purge_marked(head, consent).expect("agreed to")
        }
        2 => {
            let head = head(Act::PurgeAll, &["ENG"], Vec::new());
            let consent = agreed(&head);
            Job::purge_all(head, consent).expect("agreed to")
        }
        3 => Job::restore_content(head(Act::RestoreContent, &[], items(server))),
        4 => {
            let head = head(Act::DeleteSpaces, &["ENG", "HR"], Vec::new());
            let consent = agreed(&head);
            let options = DeleteOptions {
                server: BackupChoice::Declined,
                backup: BackupChoice::Declined,
                on_failure: OnFailure::GoOn,
            };
            Job::delete_spaces(head, consent, options).expect("agreed to")
        }
        5 => Job::archive_spaces(head(Act::ArchiveSpaces, &["ENG", "HR"], Vec::new())),
        6 => {
            let head = head(Act::UpdateSpace, &["ENG"], Vec::new());
            let mine = form("Engineers", Some("What we do."));
            Job::update_space(head, SpaceKey::new("ENG"), form("ENG", Some("")), mine)
        }
        _ => creation("What we do.").job,
    }
}

/// What a line says that the server's state does not bear out.
fn untrue(job: &Job, line: &Line, server: &Server) -> Option<String> {
    let (is_done, is_gone) = match &line.outcome {
        Some(Outcome::Done(_)) => (true, false),
        Some(Outcome::Gone | Outcome::WithPage) => (false, true),
        _ => return None,
    };
    let subject = &*line.subject;
    let doc = server.docs.get(subject);
    let room = server.rooms.get(subject);
    let is_there = doc.is_some() || room.is_some();
    let is_true = match job.head().target.act {
        _ if is_gone => !is_there,
        Act::PurgeMarked | Act::PurgeAll | Act::DeleteSpaces => is_done && !is_there,
        Act::RestoreContent => doc.is_some_and(|doc| doc.status == ContentStatus::Current),
        Act::ArchiveSpaces => room.is_some_and(|room| room.archived),
        Act::UpdateSpace => {
            room.is_some_and(|room| room.name == "Engineers" && room.description == "What we do.")
        }
        Act::CreateSpace => {
            room.is_some_and(|room| room.name == "New" && room.description == "What we do.")
        }
        _ => true,
    };
    (!is_true).then(|| format!("{subject} is told as {:?}", line.outcome))
}

/// What the journal says of writes, held against what was applied.
fn untrue_lines(bench: &Bench, applied: &BTreeMap<String, u32>) -> Vec<String> {
    let mut last: BTreeMap<u64, Record> = BTreeMap::new();
    for line in &bench.journal {
        let record: Record = serde_json::from_str(line).expect("it was written by us");
        last.insert(record.no, record);
    }
    let mut told: BTreeMap<String, [u32; 3]> = BTreeMap::new();
    let mut untrue = Vec::new();
    for record in last.values() {
        let path = format!("{:?} {}", record.method, record.path);
        let [announced, done, failed] = told.entry(path).or_default();
        *announced += 1;
        match record.outcome {
            Phase::Done => *done += 1,
            Phase::Failed => *failed += 1,
            Phase::Unknown => {}
            Phase::Intended => untrue.push(format!("left open: {record:?}")),
        }
    }
    for (path, [announced, done, failed]) in told {
        // What was announced and never sent, because of a kill, was not applied either.
        let was = applied.get(&path).copied().unwrap_or_default();
        if done > was || failed > announced - was {
            untrue.push(format!(
                "{path}: of {announced} writes {was} applied, told are {done} done, {failed} failed"
            ));
        }
    }
    untrue
}

fn simulate(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let server = random_wiki(&mut dice);
    let job = random_job(&mut dice, &server);
    let mut kills: Vec<usize> = (0..dice.below(3))
        .map(|_| dice.below(40) as usize)
        .collect();
    kills.sort_unstable();
    let mut liar = Liar {
        dice,
        is_blind: false,
        applied: BTreeMap::new(),
    };
    let mut bench = Bench::new(job, server);
    let mut kills = kills.into_iter().peekable();
    while !bench.job.state().is_over() {
        let next = kills.peek().copied();
        bench.run(&mut |server, call, _| liar.answer(server, call), |bench| {
            next.is_some_and(|at| bench.sent.len() >= at)
        });
        if bench.job.state().is_over() {
            break;
        }
        let decision = bench.job.question().map(|question| match question {
            Question::TitleCollision { .. } => Decision::Rename,
            Question::NotSaved { .. } | Question::ServerBackup { .. } => Decision::LeaveOut,
            Question::Unlisted { .. } | Question::Losses { .. } | Question::CameLater { .. } => {
                Decision::GoOn
            }
            Question::SpaceChanged { .. } => Decision::KeepMine,
        });
        match decision {
            Some(decision) => bench.feed(JobEvent::Decide(decision)),
            None => {
                kills.next();
                if bench.is_stored() {
                    bench.kill();
                    bench.feed(JobEvent::Resume);
                }
            }
        }
    }
    let lines = bench.job.lines().iter();
    let mut errors: Vec<String> = lines
        .filter_map(|line| untrue(&bench.job, line, &bench.server))
        .collect();
    errors.extend(untrue_lines(&bench, &liar.applied));
    if !errors.is_empty() {
        errors.extend(bench.journal.iter().cloned());
    }
    errors
}

#[test]
fn no_outcome_and_no_line_of_the_journal_says_what_the_server_does_not_bear_out() {
    seeds::all(|seed| (simulate(seed), 0));
}
