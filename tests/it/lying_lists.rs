//! Jobs against servers whose lists lie: rows are told again, and others are not told at all.
//!
//! Each seed chooses a job, a small wiki, which lists lie and how, and which other ways of listing the
//! server has. Held after every run:
//!
//! 1. what is destroyed is, in that version, in a backup that verifies;
//! 2. a space is deleted, and a whole trash purged in one stroke, only where nothing was left out;
//! 3. a trash of which a list was caught lying is never purged in one stroke;
//! 4. where the server scans, a space is deleted whatever its lists say, and where nothing lies a space
//!    is deleted whatever the server has.

use std::collections::{BTreeMap, BTreeSet};

use coracle::confluence::call::{Depth, Scanned};
use coracle::confluence::*;
use coracle::jobs::backup::{self, Manifest};
use coracle::jobs::*;

use crate::machines::Bench;
use crate::seeds;
use crate::simulation::{Dice, Lists, Server, agree, doc, fail, head};

/// How a list lies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    /// The row at this place is told again in place of so many after it, whatever the limit.
    Ties(u64, u64),
    /// Every page but the first begins with the last row of the one before, in place of its own.
    Borders,
    /// The row at this place is not told, and nothing shows it.
    Silent(u64),
}

/// A list of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Pages,
    Posts,
    Trash,
    TrashOfKind,
    Roots,
    Children,
}

/// What a server does to what it lists.
#[derive(Clone, Debug)]
struct Liar {
    lies: BTreeMap<List, Lie>,
    has_scan: bool,
    tells_totals: bool,
    /// Lists that were caught: something of them was told otherwise than it is.
    caught: BTreeSet<List>,
    /// What was destroyed, with the request.
    destroyed: Vec<(String, u64, Call)>,
    /// How many rows a page has at most.
    cap: u64,
}

impl Liar {
    /// A page of a list with its lie.
    fn page(&mut self, list: List, rows: Vec<Content>, start: u64, limit: u64) -> Page<Content> {
        let limit = limit.min(self.cap);
        let total = rows.len() as u64;
        let mut told: Vec<(u64, Content)> = (0..).zip(rows.clone()).collect();
        match self.lies.get(&list) {
            Some(Lie::Ties(at, hides)) => {
                for (place, row) in &mut told {
                    if *place > *at && *place <= at + hides {
                        *row = rows[*at as usize].clone();
                    }
                }
            }
            Some(Lie::Silent(at)) => told.retain(|(place, _)| place != at),
            Some(Lie::Borders) | None => {}
        }
        let length = told.len() as u64;
        let mut page: Vec<(u64, Content)> = told
            .into_iter()
            .skip(start as usize)
            .take(limit as usize)
            .collect();
        if let (Some(Lie::Borders), true, Some(first)) =
            (self.lies.get(&list), start > 0, page.first_mut())
        {
            first.1 = rows[start as usize - 1].clone();
        }
        let is_a_lie = |(place, row): &(u64, Content)| rows[*place as usize].id != row.id;
        if page.iter().any(is_a_lie) || length < total {
            self.caught.insert(list);
        }
        Page {
            has_next: start + (page.len() as u64) < length,
            results: page.into_iter().map(|(_, row)| row).collect(),
            start,
            limit: None,
            total: self.tells_totals.then_some(total),
        }
    }

    fn answer(&mut self, server: &mut Server, call: &Call) -> Option<Result<Reply, ApiError>> {
        let rows = |space: &SpaceKey, is: &dyn Fn(&crate::simulation::Doc) -> bool| {
            let mine = server.docs.iter();
            let mine = mine.filter(|(_, doc)| doc.space == space.as_str() && is(doc));
            mine.map(|(id, _)| server.content(id)).collect::<Vec<_>>()
        };
        let current = |doc: &crate::simulation::Doc| doc.status == ContentStatus::Current;
        let (list, rows, window) = match call {
            Call::SpaceContentOfKind { key, .. } | Call::Trash { key, .. }
                if !server.rooms.contains_key(key.as_str()) =>
            {
                return None;
            }
            Call::SpaceContentOfKind {
                key,
                kind,
                depth,
                window,
                ..
            } => {
                let is_root = |doc: &crate::simulation::Doc| {
                    *depth == Depth::All
                        || doc
                            .parent
                            .as_ref()
                            .is_none_or(|it| !server.docs.get(it).is_some_and(current))
                };
                let list = match (kind, depth) {
                    (ContentKind::Page, Depth::All) => List::Pages,
                    (ContentKind::Page, Depth::Root) => List::Roots,
                    _ => List::Posts,
                };
                let is = |doc: &crate::simulation::Doc| {
                    current(doc) && doc.kind == *kind && is_root(doc)
                };
                (list, rows(key, &is), *window)
            }
            Call::ChildPages { id, window, .. } => {
                let key = SpaceKey::new(&server.docs.get(id.as_str())?.space);
                let is = |doc: &crate::simulation::Doc| {
                    current(doc)
                        && doc.kind == ContentKind::Page
                        && doc.parent.as_deref() == Some(id.as_str())
                };
                (List::Children, rows(&key, &is), *window)
            }
            Call::TrashedContent {
                key, kind, window, ..
            } => {
                let is = |doc: &crate::simulation::Doc| !current(doc) && doc.kind == *kind;
                (List::TrashOfKind, rows(key, &is), *window)
            }
            Call::Trash {
                key, cursor, limit, ..
            } if server.modern => {
                let start = cursor.as_ref().map_or(0, |it| it.0.parse().unwrap_or(0));
                let rows = rows(key, &|doc| !current(doc));
                let page = self.page(List::Trash, rows, start, *limit);
                let next = start + page.results.len() as u64;
                return Some(Ok(Reply::Trash(CursorPage {
                    next: page.has_next.then(|| Cursor(next.to_string())),
                    results: page.results,
                    total: page.total,
                })));
            }
            Call::Scan {
                key,
                of,
                cursor,
                limit,
                ..
            } => {
                if !self.has_scan {
                    return Some(Err(fail(ErrorKind::Server, 500)));
                }
                let start: usize = cursor.as_ref().map_or(0, |it| it.0.parse().unwrap_or(0));
                let all = rows(key, &|doc| *of == Scanned::Any || !current(doc));
                let page: Vec<_> = all
                    .iter()
                    .skip(start)
                    .take(*limit as usize)
                    .cloned()
                    .collect();
                let next = start + page.len();
                return Some(Ok(Reply::Scan(CursorPage {
                    next: (next < all.len()).then(|| Cursor(next.to_string())),
                    results: page,
                    total: None,
                })));
            }
            Call::DeleteSpace { key } | Call::PurgeTrash { key } => {
                let all = matches!(call, Call::DeleteSpace { .. });
                for row in rows(key, &|doc| all || !current(doc)) {
                    let version = row.version.and_then(|it| it.number).unwrap_or(0);
                    self.destroyed
                        .push((row.id.to_string(), version, call.clone()));
                }
                return None;
            }
            Call::PurgeContent { id } => {
                let doc = server.docs.get(id.as_str())?;
                self.destroyed
                    .push((id.to_string(), doc.version, call.clone()));
                return None;
            }
            _ => return None,
        };
        let page = self.page(list, rows, window.start, window.limit);
        Some(Ok(Reply::Contents(page)))
    }
}

fn wiki(dice: &mut Dice) -> Server {
    let mut docs = BTreeMap::new();
    let mut add = |n: u64, doc| docs.insert((100 + n).to_string(), doc);
    let (pages, trashed) = (1 + dice.below(9), dice.below(9));
    for n in 0..pages {
        let mut page = doc("ENG", &format!("Page {n}"), ContentStatus::Current);
        if n > 0 && dice.percent(60) {
            page.parent = Some((100 + dice.below(n)).to_string());
        }
        add(n, page);
    }
    for n in 0..dice.below(5) {
        let mut post = doc("ENG", &format!("News {n}"), ContentStatus::Current);
        post.kind = ContentKind::BlogPost;
        add(20 + n, post);
    }
    for n in 0..trashed {
        let mut gone = doc("ENG", &format!("Gone {n}"), ContentStatus::Trashed);
        gone.version = 1 + dice.below(3);
        if dice.percent(20) {
            gone.kind = ContentKind::BlogPost;
        }
        add(40 + n, gone);
    }
    Server {
        modern: dice.percent(60),
        ..Server::with(docs, Lists::Whole)
    }
}

fn liar(dice: &mut Dice) -> Liar {
    let has_scan = dice.percent(50);
    let mut lies = BTreeMap::new();
    for list in [
        List::Pages,
        List::Posts,
        List::Trash,
        List::TrashOfKind,
        List::Roots,
        List::Children,
    ] {
        if dice.percent(65) {
            continue;
        }
        let lie = match dice.below(3) {
            0 => Lie::Borders,
            // Without another way nobody can know.
            1 if has_scan => Lie::Silent(dice.below(6)),
            _ => Lie::Ties(dice.below(6), 1 + dice.below(3)),
        };
        lies.insert(list, lie);
    }
    Liar {
        lies,
        has_scan,
        tells_totals: dice.percent(50),
        caught: BTreeSet::new(),
        destroyed: Vec::new(),
        cap: [3, 4, 100][dice.below(3) as usize],
    }
}

fn job(act: Act) -> Job {
    let head = head(act, &["ENG"], Vec::new());
    let consent = || agree(Challenge::new(head.target.clone()));
    match act {
        Act::DeleteSpaces => {
            let options = DeleteOptions {
                server: BackupChoice::Declined,
                backup: BackupChoice::Save,
                on_failure: OnFailure::GoOn,
            };
            Job::delete_spaces(head.clone(), consent(), options).expect("agreed to")
        }
        _ => Job::purge_all(head.clone(), consent()).expect("agreed to"),
    }
}

/// What is in the backups of a bench, by id and version.
fn saved(bench: &Bench) -> BTreeSet<(String, u64)> {
    let mut saved = BTreeSet::new();
    for ((folder, name), bytes) in &bench.files {
        if name != backup::MANIFEST {
            continue;
        }
        let read = |name: &str| bench.files.get(&(folder.clone(), name.to_owned())).cloned();
        let manifest = Manifest::decode(bytes).expect("whole");
        manifest.verify(read).expect("as it was written");
        for file in manifest.files.iter().filter(|file| file.items > 0) {
            let bytes = read(&file.name).expect("written");
            for item in backup::unpack(&file.name, &bytes).expect("whole") {
                let version = item.version_number().unwrap_or(0);
                saved.insert((item.id.to_string(), version));
            }
        }
    }
    saved
}

/// Runs a job to its end.
fn run(act: Act, server: Server, mut liar: Liar) -> (Bench, Liar) {
    let mut bench = Bench::new(job(act), server);
    loop {
        bench.run(&mut |server, call, _| liar.answer(server, call), |_| false);
        if bench.job.question().is_none() {
            return (bench, liar);
        }
        bench.feed(JobEvent::Decide(Decision::GoOn));
    }
}

fn check(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let act = [Act::DeleteSpaces, Act::PurgeAll][dice.below(2) as usize];
    let server = wiki(&mut dice);
    let liar = liar(&mut dice);
    let truth = server.docs.len();
    let (bench, liar) = run(act, server, liar);
    let saved = saved(&bench);
    let mut errors = Vec::new();
    for (id, version, call) in &liar.destroyed {
        if !saved.contains(&(id.clone(), *version)) {
            errors.push(format!("{id} is in no backup: {call:?}"));
        }
    }
    let trash = [List::Trash, List::TrashOfKind];
    let in_one = |call: &Call| matches!(call, Call::PurgeTrash { .. });
    if liar.destroyed.iter().any(|(_, _, call)| in_one(call))
        && trash.iter().any(|list| liar.caught.contains(list))
    {
        errors.push("a trash whose list lies was purged in one stroke".to_owned());
    }
    if act == Act::DeleteSpaces && (liar.has_scan || liar.lies.is_empty()) {
        let is_done = bench.job.state() == JobState::Done && liar.destroyed.len() == truth;
        if !is_done {
            errors.push(format!("it was not deleted: {:?}", bench.job.lines()));
        }
    }
    if !errors.is_empty() {
        errors.push(format!("{act:?} {:?} {:?}", liar.lies, bench.job.lines()));
    }
    errors
}

#[test]
fn nothing_is_lost_where_lists_lie() {
    seeds::all(|seed| (check(seed), 0));
}

fn server(current: u64, trashed: u64) -> Server {
    let mut server = wiki(&mut Dice(0));
    server.docs.clear();
    server.modern = true;
    for n in 0..current {
        let page = doc("ENG", &format!("Page {n}"), ContentStatus::Current);
        server.docs.insert((100 + n).to_string(), page);
    }
    for n in 0..trashed {
        let page = doc("ENG", &format!("Gone {n}"), ContentStatus::Trashed);
        server.docs.insert((500 + n).to_string(), page);
    }
    server
}

fn lying(list: List, lie: Lie, has_scan: bool, tells_totals: bool) -> Liar {
    Liar {
        lies: [(list, lie)].into(),
        has_scan,
        tells_totals,
        caught: BTreeSet::new(),
        destroyed: Vec::new(),
        cap: 100,
    }
}

/// The dialog said "all 44 items", and the list hides two of them.
#[test]
fn a_space_whose_list_hides_two_of_44_items_is_saved_whole_or_stays() {
    for totals in [false, true] {
        let lie = Lie::Ties(20, 2);
        let (bench, liar) = run(
            Act::DeleteSpaces,
            server(44, 0),
            lying(List::Pages, lie, true, totals),
        );
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert_eq!((liar.destroyed.len(), saved(&bench).len()), (44, 44));

        // Along the tree of pages, where there is no scan.
        let (bench, liar) = run(
            Act::DeleteSpaces,
            server(44, 0),
            lying(List::Pages, lie, false, totals),
        );
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        assert_eq!((liar.destroyed.len(), saved(&bench).len()), (44, 44));

        // Nothing else tells of trash.
        let mut old = server(3, 44);
        old.modern = false;
        let liar = lying(List::TrashOfKind, lie, false, totals);
        let (bench, liar) = run(Act::DeleteSpaces, old, liar);
        assert_eq!(liar.destroyed, []);
        assert_eq!(bench.server.docs.len(), 47);
        let Some(Outcome::NotSaved(why)) = &bench.job.lines()[0].outcome else {
            panic!("{:?}", bench.job.lines());
        };
        assert_eq!(
            why,
            "It is not certain that all of it was listed, because the server's list repeats rows, which means that it leaves others out: what the list leaves out would be lost."
        );
    }
}

#[test]
fn a_trash_whose_list_was_caught_lying_is_purged_item_by_item_and_the_rest_stays() {
    let lie = Lie::Ties(20, 2);
    // A scan tells what the list hides: all of it is saved and goes, one by one.
    let liar = lying(List::Trash, lie, true, false);
    let (bench, liar) = run(Act::PurgeAll, server(2, 44), liar);
    assert_eq!(liar.destroyed.len(), 44);
    let one_by_one = |(_, _, call): &(String, u64, Call)| matches!(call, Call::PurgeContent { .. });
    assert!(liar.destroyed.iter().all(one_by_one));
    assert_eq!((saved(&bench).len(), bench.server.docs.len()), (44, 2));

    // Nothing tells of it: what was listed goes, the rest stays, and that is said.
    let mut liar = lying(List::Trash, lie, false, false);
    liar.lies.insert(List::TrashOfKind, lie);
    let (bench, liar) = run(Act::PurgeAll, server(2, 44), liar);
    assert_eq!(liar.destroyed.len(), 42);
    assert!(liar.destroyed.iter().all(one_by_one));
    assert_eq!(bench.server.docs.len(), 4);
    let last = bench
        .job
        .lines()
        .iter()
        .find(|line| line.subject.is_empty());
    let Some(Outcome::Skipped(why)) = last.and_then(|line| line.outcome.as_ref()) else {
        panic!("{:?}", bench.job.lines());
    };
    assert!(why.starts_with("It is not certain that all of the trash was listed"));
}

#[test]
fn a_trash_that_two_ways_tell_alike_is_purged_in_one_stroke() {
    for has_scan in [true, false] {
        let mut liar = lying(List::Posts, Lie::Borders, has_scan, false);
        liar.lies.clear();
        let (bench, liar) = run(Act::PurgeAll, server(2, 44), liar);
        assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
        let in_one = |(_, _, call): &(String, u64, Call)| matches!(call, Call::PurgeTrash { .. });
        assert!(liar.destroyed.iter().all(in_one), "{has_scan}");
        assert_eq!(liar.destroyed.len(), 44);
    }
}
