//! Jobs that put content back, one answer at a time: titles that are taken, backups that are not as
//! they were written, parents, and restrictions that nobody knows.

use coracle::confluence::*;
use coracle::jobs::backup::{self, FileEntry, Item, Manifest};
use coracle::jobs::*;

use crate::machines::{Bench, wiki};
use crate::simulation::{Server, doc, head, time};

const FILE: &str = "items-0001.ndjson.gz";

/// One and Two are in the trash, and current pages have their titles.
fn with_both_titles_taken() -> Server {
    let mut server = wiki();
    for (id, title) in [("201", "One"), ("202", "Two")] {
        let taken = doc("ENG", title, ContentStatus::Current);
        server.docs.insert(id.to_owned(), taken);
    }
    server
}

/// What is in the trash of the server, as a backup has it.
fn saved(server: &Server) -> Vec<Item> {
    let trashed = |id: &&String| server.docs[*id].status == ContentStatus::Trashed;
    let ids = server.docs.keys().filter(trashed);
    ids.map(|id| Item::of(server.content(id), ContentStatus::Trashed, None, None))
        .collect()
}

fn meant(items: &[Item]) -> Vec<ItemTarget> {
    let target = |item: &Item| ItemTarget {
        id: item.id.clone(),
        kind: item.kind.clone(),
        title: item.title.to_string(),
        version: None,
        space: item.space.clone(),
    };
    items.iter().map(target).collect()
}

fn restoring(server: Server) -> Bench {
    let items = meant(&saved(&server));
    let job = Job::restore_content(head(Act::RestoreContent, &[], items));
    Bench::new(job, server)
}

/// These were purged, and are made again from a backup.
pub(crate) fn recreating(server: Server, items: Vec<Item>, unknown: UnknownRestrictions) -> Bench {
    from_a_backup(server, items, unknown, Job::recreate)
}

/// The same, tried by reads alone.
pub(crate) fn rehearsing(server: Server, items: Vec<Item>, unknown: UnknownRestrictions) -> Bench {
    from_a_backup(server, items, unknown, Job::rehearse)
}

fn from_a_backup(
    mut server: Server,
    items: Vec<Item>,
    unknown: UnknownRestrictions,
    job: fn(Head, Recipe) -> Job,
) -> Bench {
    for item in &items {
        server.docs.remove(item.id.as_str());
    }
    let bytes = packed(&items);
    let manifest = Manifest {
        format: backup::FORMAT.into(),
        version: backup::VERSION,
        job: JobId::new("j0"),
        act: Act::PurgeMarked,
        created: time(),
        profile: "prod".into(),
        server: BaseUrl::of("https://wiki.example.org").into(),
        user: None,
        spaces: Vec::new(),
        items: items.len() as u64,
        not_saved: Vec::new(),
        lacks: Vec::new(),
        server_file: None,
        files: vec![FileEntry::of(FILE, &bytes, items.len() as u64)],
    };
    let head = head(Act::Recreate, &["ENG"], meant(&items));
    let items = items.into_iter().map(|item| (FILE.to_owned(), item));
    let recipe = Recipe::new("j0", &manifest, items.collect(), None, unknown);
    let mut bench = Bench::new(job(head, recipe), server);
    bench.files.insert(("j0".into(), FILE.into()), bytes);
    bench
}

fn packed(items: &[Item]) -> Vec<u8> {
    backup::pack(&items.iter().map(backup::line).collect::<String>())
}

impl Bench {
    fn titles(&self) -> Vec<&str> {
        let docs = self.server.docs.values();
        docs.filter(|doc| doc.status == ContentStatus::Current)
            .map(|doc| doc.title.as_str())
            .collect()
    }

    fn id_of(&self, title: &str) -> &str {
        let mut docs = self.server.docs.iter();
        let found = docs.find(|(_, doc)| doc.title == title);
        found.expect("it is there").0
    }

    fn writes(&self) -> usize {
        self.count(|call| !call.is_read())
    }
}

#[test]
fn a_dry_run_tells_of_a_comment_whose_text_is_not_in_the_backup() {
    let mut server = wiki();
    let mut comment = doc("ENG", "Re: One", ContentStatus::Trashed);
    comment.kind = ContentKind::Comment;
    comment.parent = Some("100".to_owned());
    server.docs.insert("150".to_owned(), comment);
    for has_text in [true, false] {
        let mut items = saved(&server);
        let it = items.iter_mut().find(|it| it.id.as_str() == "150");
        let it = it.expect("saved");
        it.container = Some(ContentRef {
            id: ContentId::new("100"),
            title: None,
        });
        if !has_text {
            it.storage = None;
        }
        let mut bench = rehearsing(server.clone(), items, UnknownRestrictions::OnlyMe);
        bench.finish(&mut |_, _, _| None);
        let mut lines = bench.job.lines().iter();
        let told = lines.find(|line| &*line.subject == "150").expect("a line");
        let told = told.outcome.as_ref();
        match told {
            Some(Outcome::Done(_)) if has_text => {}
            Some(Outcome::Skipped(why)) if !has_text => {
                assert_eq!(why, "The backup has no text for it.");
            }
            other => panic!("{has_text}: {other:?}"),
        }
        assert_eq!(bench.writes(), 0);
    }
}

#[test]
fn a_taken_title_is_decided_once_for_all_and_as_decided() {
    type Make = fn() -> Bench;
    let restore: Make = || restoring(with_both_titles_taken());
    let recreate: Make = || {
        let server = with_both_titles_taken();
        let items = saved(&server);
        recreating(server, items, UnknownRestrictions::OnlyMe)
    };
    for (make, sent) in [(restore, 1), (recreate, 0)] {
        for decision in [Decision::Skip, Decision::Rename, Decision::Stop] {
            let mut bench = make();
            bench.run(&mut |_, _, _| None, |_| false);
            let asked = bench.job.question();
            assert!(
                matches!(asked, Some(Question::TitleCollision { title }) if title == "One"),
                "{asked:?}"
            );
            assert_eq!(bench.writes(), sent);
            bench.feed(JobEvent::Decide(decision.clone()));
            // It does not ask a second time.
            bench.finish(&mut |_, _, _| None);
            let outcomes = bench.outcomes();
            let others = ["Alive", "One", "Two"];
            match decision {
                Decision::Skip => {
                    let is_told = |outcome: &Outcome, title: &str| matches!(outcome, Outcome::Skipped(why) if *why == format!("A current content is called {title} already."));
                    let [one, two] = &outcomes[..] else {
                        panic!("{outcomes:?}")
                    };
                    assert!(is_told(one, "One") && is_told(two, "Two"), "{outcomes:?}");
                    assert_eq!(bench.job.halted(), None);
                    assert!(bench.titles().iter().all(|title| others.contains(title)));
                }
                Decision::Rename => {
                    let is_told = |outcome: &Outcome, title: &str| matches!(outcome, Outcome::Done(Some(note)) if note.contains(&format!("{title} (restored)")));
                    let [one, two] = &outcomes[..] else {
                        panic!("{outcomes:?}")
                    };
                    assert!(is_told(one, "One") && is_told(two, "Two"), "{outcomes:?}");
                    let mut titles = bench.titles();
                    titles.sort_unstable();
                    assert_eq!(
                        titles,
                        ["Alive", "One", "One (restored)", "Two", "Two (restored)"]
                    );
                }
                _ => {
                    let halted = bench.job.halted().unwrap_or_default();
                    assert_eq!(halted, "A title was taken, and the job was ended there.");
                    assert_eq!(bench.writes(), sent, "nothing more went out");
                    assert!(bench.titles().iter().all(|title| others.contains(title)));
                }
            }
        }
    }
}

#[test]
fn what_is_restored_keeps_the_characters_of_its_title_that_nobody_sees() {
    for taken in [false, true] {
        let mut server = if taken {
            with_both_titles_taken()
        } else {
            wiki()
        };
        let hidden = "O\u{AD}n\u{200B}e";
        let one = server
            .docs
            .values_mut()
            .find(|doc| doc.status == ContentStatus::Trashed && doc.title == "One");
        one.expect("in the trash").title = hidden.to_owned();
        if taken {
            let mut other = doc("ENG", hidden, ContentStatus::Current);
            other.kind = ContentKind::Page;
            server.docs.insert("203".to_owned(), other);
        }
        let mut bench = restoring(server);
        bench.run(&mut |_, _, _| None, |_| false);
        if taken {
            bench.feed(JobEvent::Decide(Decision::Rename));
            bench.finish(&mut |_, _, _| None);
        }
        let expected = if taken {
            format!("{hidden} (restored)")
        } else {
            hidden.to_owned()
        };
        assert!(
            bench.titles().contains(&expected.as_str()),
            "{:?}",
            bench.titles()
        );
    }
}

#[test]
fn nothing_is_made_again_from_a_file_that_is_not_as_it_was_written() {
    let items = saved(&wiki());
    // Whole and readable, but another text.
    let mut other = items.clone();
    other[0].storage = Some("<p>Something else</p>".into());
    for bytes in [packed(&other), packed(&items)[..40].to_vec()] {
        let mut bench = recreating(wiki(), items.clone(), UnknownRestrictions::OnlyMe);
        bench.files.insert(("j0".into(), FILE.into()), bytes);
        bench.finish(&mut |_, _, _| None);
        assert_eq!((bench.job.state(), bench.writes()), (JobState::Failed, 0));
        let halted = bench.job.halted().unwrap_or_default();
        assert!(halted.starts_with("The backup cannot be read."), "{halted}");
    }
}

#[test]
fn what_is_made_again_comes_below_its_parent_or_says_why_not() {
    let family = || {
        let mut server = wiki();
        let child = server.docs.get_mut("101").expect("it is there");
        child.parent = Some("100".into());
        server
    };
    // The parent is made again too: the child comes below the new one, whatever the order.
    let mut items = saved(&family());
    items.reverse();
    let mut bench = recreating(family(), items.clone(), UnknownRestrictions::OnlyMe);
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.job.state(), JobState::Done);
    let two = &bench.server.docs[bench.id_of("Two")];
    assert_eq!(two.parent.as_deref(), Some(bench.id_of("One")));
    assert_ne!(two.parent.as_deref(), Some("100"), "a new id");
    // The parent is not made again: neither is the child.
    let mut server = family();
    let taken = doc("ENG", "One", ContentStatus::Current);
    server.docs.insert("201".into(), taken);
    let mut bench = recreating(server, items.clone(), UnknownRestrictions::OnlyMe);
    bench.run(&mut |_, _, _| None, |_| false);
    bench.feed(JobEvent::Decide(Decision::Skip));
    bench.finish(&mut |_, _, _| None);
    assert_eq!(bench.writes(), 0);
    let outcomes = bench.outcomes();
    assert!(
        matches!(&outcomes[..], [Outcome::Skipped(_), Outcome::Skipped(why)] if why == "Its parent was not made again."),
        "{outcomes:?}"
    );
    // The parent is current, or nowhere any more: what it inherited is not known then.
    for is_there in [true, false] {
        let mut server = family();
        let child = saved(&server).remove(1);
        assert_eq!(child.title, "Two");
        if is_there {
            let parent = server.docs.get_mut("100").expect("it is there");
            parent.status = ContentStatus::Current;
        } else {
            server.docs.remove("100");
        }
        let mut bench = recreating(server, vec![child], UnknownRestrictions::OnlyMe);
        bench.finish(&mut |_, _, _| None);
        assert_eq!(bench.job.state(), JobState::Done);
        let two = &bench.server.docs[bench.id_of("Two")];
        assert_eq!(two.storage, "<p>Two</p>");
        let parent = is_there.then_some("100");
        assert_eq!(two.parent.as_deref(), parent);
        assert_eq!(two.restrictions.len(), usize::from(!is_there));
    }
}

#[test]
fn what_may_have_been_restricted_is_for_oneself_alone_or_left_out() {
    for (unknown, known) in [
        (UnknownRestrictions::OnlyMe, false),
        (UnknownRestrictions::Skip, false),
        (UnknownRestrictions::Skip, true),
    ] {
        let mut server = wiki();
        let page = server.docs.get_mut("100").expect("it is there");
        page.parent = Some("200".into());
        let mut item = saved(&server).remove(0);
        if !known {
            item.restrictions = None;
        }
        let mut bench = recreating(server, vec![item], unknown);
        bench.finish(&mut |server, call, _| {
            let mut docs = server.docs.values();
            let open = docs.any(|doc| {
                doc.title == "One" && !doc.storage.is_empty() && doc.restrictions.is_empty()
            });
            assert!(known || !open, "readable for everybody at {call:?}");
            None
        });
        let outcomes = bench.outcomes();
        match (unknown, known) {
            (UnknownRestrictions::OnlyMe, _) => {
                let one = &bench.server.docs[bench.id_of("One")];
                assert_eq!(one.storage, "<p>One</p>");
                let [only] = &one.restrictions[..] else {
                    panic!("{:?}", one.restrictions)
                };
                assert_eq!(
                    (only.operation.as_str(), &only.users[..]),
                    ("read", &["me".to_owned()][..])
                );
                assert!(only.groups.is_empty());
            }
            (UnknownRestrictions::Skip, false) => {
                assert_eq!(bench.writes(), 0);
                assert!(
                    matches!(&outcomes[..], [Outcome::Skipped(why)] if why == "It is not known whether it was restricted."),
                    "{outcomes:?}"
                );
            }
            (UnknownRestrictions::Skip, true) => {
                let one = &bench.server.docs[bench.id_of("One")];
                assert_eq!(
                    (one.storage.as_str(), one.restrictions.len()),
                    ("<p>One</p>", 0)
                );
            }
        }
    }
}
