//! Stories of the trash across spaces, and its pictures.

use std::collections::BTreeMap;

use coracle::app::across::Read;
use coracle::app::message::{DiskCall, DiskReply, Effect, Msg};
use coracle::app::modal::Modal;
use coracle::app::model::Screen;
use coracle::confluence::{
    Call, Content, ContentKind, ContentMore, ContentStatus, Cursor, CursorPage, ErrorKind, Reply,
    Space, SpaceKey, SpaceStatus,
};
use coracle::ui::theme::{Depth, load};

use crate::screens::at_every_size;
use crate::story::{Answer, Story, error, moment, page, space, trashed, wiki};

/// The sample wiki, where each space has a trash of its own and LEGAL refuses.
fn town(call: &Call) -> Answer {
    let mut all = crate::story::spaces();
    all.push(space("LEGAL", "Legal", SpaceStatus::Current));
    match call {
        Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&all, *window))),
        Call::Trash { key, .. } if key.as_str() == "LEGAL" => Err(error(
            ErrorKind::Forbidden,
            403,
            "You may not see this trash.",
        )),
        Call::Trash { key, .. } => Ok(Reply::Trash(CursorPage {
            results: trash_of(key),
            next: None,
            total: None,
        })),
        other => wiki(other),
    }
}

fn trash_of(key: &SpaceKey) -> Vec<Content> {
    let item = |n: usize, title: &str, edited: &str| {
        let mut item = trashed(
            &format!("{key}{n}"),
            title,
            &[("1", "Home"), ("2", "Runbooks")],
        );
        if let Some(version) = &mut item.version {
            version.when = Some(moment(edited));
        }
        item
    };
    match key.as_str() {
        "ENG" => vec![
            item(1, "Old policy 31", "2014-05-02T08:00:00Z"),
            item(2, "Database failover", "2026-11-20T08:00:00Z"),
            item(3, "Draft of nothing", "2020-01-01T08:00:00Z"),
        ],
        "HR" => {
            let mut post = item(1, "Old policy 12", "2019-07-30T08:00:00Z");
            post.kind = ContentKind::BlogPost;
            vec![post]
        }
        _ => Vec::new(),
    }
}

fn looking(width: u16, height: u16) -> Story {
    let mut story = Story::start(width, height);
    story.answer_all(&town);
    story.rest();
    story.answer_all(&town);
    story.keys("T");
    story
}

fn read(width: u16, height: u16) -> Story {
    let mut story = looking(width, height);
    story.answer_all(&town);
    story
}

fn trash_calls(story: &Story) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for call in &story.sent {
        if let Call::Trash { key, .. } | Call::TrashedContent { key, .. } = call {
            *calls.entry(key.to_string()).or_insert(0) += 1;
        }
    }
    calls
}

#[test]
fn every_space_is_asked_once_and_a_refusal_is_a_row() {
    let story = read(120, 40);
    let calls = trash_calls(&story);
    assert_eq!(calls.len(), 7, "{calls:?}");
    assert!(calls.values().all(|n| *n == 1), "{calls:?}");
    let screen = story.screen();
    assert!(screen.contains("no permission"), "{screen}");
    assert!(screen.contains("4 items"), "{screen}");
}

#[test]
fn the_first_answer_comes_alone_and_then_as_many_as_the_profile_allows() {
    let mut story = looking(120, 40);
    let open = |story: &Story| {
        story
            .open
            .iter()
            .filter(|(_, call)| matches!(call, Call::Trash { .. }))
            .count()
    };
    assert_eq!(
        open(&story),
        1,
        "it is not known yet whether there is a trash listing"
    );
    let (_, first) = story.open[0].clone();
    story.answer(town(&first));
    assert_eq!(open(&story), 4, "the concurrency of the profile");
}

#[test]
fn two_hundred_spaces_are_read_in_pages_with_bounded_requests() {
    let spaces: Vec<Space> = (0..200)
        .map(|n| {
            space(
                &format!("S{n:03}"),
                &format!("Space {n}"),
                SpaceStatus::Current,
            )
        })
        .collect();
    let server = |call: &Call| -> Answer {
        match call {
            Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&spaces, *window))),
            // Two pages for each, linked by a cursor of its own.
            Call::Trash { key, cursor, .. } => {
                let second = cursor.is_some();
                Ok(Reply::Trash(CursorPage {
                    results: vec![trashed(&format!("{key}-{second}"), "Old", &[])],
                    next: (!second).then(|| Cursor(format!("{key}-next"))),
                    total: None,
                }))
            }
            other => wiki(other),
        }
    };
    let mut story = Story::start(120, 40);
    story.answer_all(&server);
    story.rest();
    story.answer_all(&server);
    story.keys("T");
    let mut most = 0;
    while !story.open.is_empty() {
        most = most.max(story.model.inflight.len());
        // The newest first: the order of answers must not matter.
        let (ticket, call) = story.open.pop_back().expect("one is open");
        story.happen(coracle::app::message::Msg::Reply {
            ticket,
            outcome: server(&call),
            took_ms: 3,
        });
    }
    assert_eq!(most, 4, "as many as the profile allows, and no more");
    let calls = trash_calls(&story);
    assert_eq!(calls.len(), 200);
    assert!(calls.values().all(|n| *n == 2), "one call for each page");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.items(), (400, true));
    assert!(story.model.inflight.is_empty());
}

#[test]
fn esc_stops_r_reads_on_and_closing_keeps_what_was_read() {
    let mut story = looking(120, 40);
    let (_, first) = story.open[0].clone();
    story.answer(town(&first));
    story.keys("Esc");
    assert!(story.open.is_empty(), "what was under way is given up");
    assert_eq!(story.model.screen, Screen::Across);
    assert!(
        story.screen().contains("stopped at 1 of 7"),
        "{}",
        story.screen()
    );
    story.keys("r").answer_all(&town);
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.settled(), 7);
    assert_eq!(across.items().0, 4);
    story.keys("Esc");
    assert_eq!(story.model.screen, Screen::Panes);
    let before = story.sent.len();
    story.keys("T");
    assert_eq!(story.sent.len(), before, "nothing is asked twice");
    assert!(story.screen().contains("4 items"), "{}", story.screen());
    story.keys("r").answer_all(&town);
    assert!(trash_calls(&story)["ENG"] >= 2, "r reads everything again");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.items(), (4, true), "and nothing is there twice");
}

#[test]
fn marked_spaces_alone_are_read() {
    let mut story = Story::browsing(120, 40);
    story.keys("Space Space T").answer_all(&town);
    let calls = trash_calls(&story);
    assert_eq!(calls.keys().collect::<Vec<_>>(), ["ENG", "HR"]);
}

#[test]
fn the_filter_looks_at_all_items_and_marks_take_what_it_shows() {
    let mut story = read(120, 40);
    story
        .keys("/")
        .types("policy before:2016-01-01")
        .keys("Enter");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!((across.len(), across.matching()), (1, 1));
    story.keys("Space");
    assert_eq!(story.model.across.as_ref().expect("it").marked(), 1);
    story
        .keys("Esc /")
        .types("by:doe type:blog")
        .keys("Enter *");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!((across.marked(), across.hidden_marks()), (2, 1));
    assert!(
        story
            .screen()
            .contains("2 items marked in 2 spaces, 1 hidden"),
        "{}",
        story.screen()
    );
    let (spaces, items) = across.acted_on();
    assert_eq!(spaces.len(), 2);
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["ENG1", "HR1"]);
    story.keys("U");
    assert_eq!(story.model.across.as_ref().expect("it").marked(), 0);
}

#[test]
fn fields_of_the_filter() {
    for (filter, items) in [
        ("space:ENG", 3),
        ("!space:ENG", 1),
        ("under:runbooks", 4),
        ("under:home failover", 1),
        ("under:nowhere", 0),
        ("type:page", 3),
        ("older:1000d", 3),
        ("newer:30d", 1),
        ("engineering", 3),
        ("people policy", 1),
        ("eng policy", 1),
        ("people draft", 0),
        ("!policy", 2),
        ("engineering !draft", 2),
        ("!people", 3),
        ("!hr policy", 1),
        ("type:blog", 1),
        ("!type:blog", 3),
        ("before:2020-01-01", 2),
        ("after:2020-01-01", 2),
    ] {
        let mut story = read(120, 40);
        story.keys("/").types(filter);
        let across = story.model.across.as_ref().expect("it is open");
        assert_eq!(across.matching(), items, "{filter}");
    }
}

#[test]
fn inside_a_space_single_items_are_marked_and_marks_survive_reading_again() {
    let mut story = read(120, 40);
    story.keys("Enter j Space");
    assert!(
        story.screen().contains("Database failover"),
        "{}",
        story.screen()
    );
    story.keys("q");
    assert_eq!(
        story.model.screen,
        Screen::Across,
        "q leaves the space first"
    );
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.marked_of(&SpaceKey::new("ENG")), 1);
    story.keys("r").answer_all(&town);
    let (_, items) = story.model.across.as_ref().expect("it").acted_on();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].title, "Database failover");
    story.keys("r").answer_all(&|call| match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: Vec::new(),
            next: None,
            total: None,
        })),
        other => town(other),
    });
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.marked(), 0, "what is gone is not marked any more");
}

#[test]
fn without_a_trash_listing_the_content_list_is_read_and_said() {
    let mut story = looking(120, 40);
    story.answer_all(&|call| match call {
        Call::Trash { .. } => Err(error(ErrorKind::NotFound, 404, "There is nothing here.")),
        Call::TrashedContent {
            key, kind, window, ..
        } => {
            let items: Vec<Content> = trash_of(key)
                .into_iter()
                .filter(|item| item.kind == *kind)
                .collect();
            Ok(Reply::Contents(page(&items, *window)))
        }
        other => town(other),
    });
    let wasted = story
        .sent
        .iter()
        .filter(|call| matches!(call, Call::Trash { .. }))
        .count();
    assert_eq!(wasted, 1, "one space tells for all");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.items(), (4, true));
    assert!(
        story.screen().contains("content list"),
        "{}",
        story.screen()
    );
    story.happen(Msg::Resized(coracle::app::message::Size {
        width: 80,
        height: 24,
    }));
    assert!(
        story.screen().contains("no attachments"),
        "{}",
        story.screen()
    );
}

#[test]
fn a_wrong_token_stops_at_once_and_a_dead_line_after_three() {
    for (kind, most) in [(ErrorKind::Unauthorized, 1), (ErrorKind::Connect, 3)] {
        let mut story = looking(120, 40);
        story.answer_all(&|call| match call {
            Call::Trash { .. } => Err(error(kind.clone(), 0, "It did not work.")),
            other => town(other),
        });
        assert_eq!(trash_calls(&story).len(), most, "{kind:?}");
        let across = story.model.across.as_ref().expect("it is open");
        let failed = across
            .rows
            .iter()
            .filter(|row| matches!(row.read, Read::Failed(_)))
            .count();
        assert_eq!(failed, most);
        // The line is back: r reads on with what failed and what was not asked.
        story.keys("r").answer_all(&town);
        assert_eq!(story.model.across.as_ref().expect("it").items().0, 4);
    }
}

#[test]
fn spaces_that_refuse_do_not_stop_the_others() {
    let mut story = looking(120, 40);
    story.answer_all(&|call| match call {
        Call::Trash { key, .. } if key.as_str() != "~jdoe" => Err(error(
            ErrorKind::Forbidden,
            403,
            "You may not see this trash.",
        )),
        other => town(other),
    });
    assert_eq!(across(&story).settled(), 7);
    assert_eq!(trash_calls(&story).len(), 7, "every one is asked");
}

#[test]
fn what_an_act_means_beyond_what_is_shown_is_told_before_it() {
    let mut story = read(120, 40);
    story.keys("Space /").types("failover").keys("Enter x");
    let screen = story.screen();
    assert!(screen.contains("Type 3"), "{screen}");
    assert!(
        screen.contains("The filter hides 2 marked rows of these."),
        "{screen}"
    );
    // A space of which only the first page has come.
    let mut story = looking(120, 40);
    let (_, first) = story.open[0].clone();
    let Call::Trash { key, .. } = &first else {
        panic!("{first:?}");
    };
    let results = vec![trashed("1", "Old", &[])];
    let next = Some(Cursor("more".to_owned()));
    story.answer(Ok(Reply::Trash(CursorPage {
        results,
        next,
        total: None,
    })));
    let told = format!("{key}: not read to its end; what was not read is not meant.");
    story.keys("Space x");
    assert!(story.screen().contains(&told), "{}", story.screen());
}

#[test]
fn a_space_that_could_not_be_read_says_why_under_the_list() {
    let mut story = looking(80, 24);
    story.answer_all(&|call| match call {
        Call::Trash { key, .. } if key.as_str() == "OPS" => Err(error(
            ErrorKind::Timeout,
            0,
            "The server did not answer within 30 s.",
        )),
        other => town(other),
    });
    assert!(story.screen().contains("not reached"), "{}", story.screen());
    assert!(
        !story.screen().contains("within 30 s"),
        "{}",
        story.screen()
    );
    while across(&story)
        .at_cursor()
        .is_some_and(|at| at.key.as_str() != "OPS")
    {
        story.keys("j");
    }
    let screen = story.screen();
    assert!(
        screen.contains("The server did not answer within 30 s. Enter tries again."),
        "{screen}"
    );
    story.keys("Enter").answer_all(&town);
    assert!(
        !story.screen().contains("not reached"),
        "{}",
        story.screen()
    );
}

#[test]
fn pictures() {
    at_every_size("across", read);
    at_every_size("across-reading", |width, height| {
        let mut story = looking(width, height);
        for _ in 0..3 {
            let (_, call) = story.open[0].clone();
            story.answer(town(&call));
        }
        story
    });
    at_every_size("across-marked", |width, height| {
        let mut story = read(width, height);
        story.keys("s 2 Space Space j");
        story
    });
    at_every_size("across-inside", |width, height| {
        let mut story = read(width, height);
        story.keys("Enter Space");
        story
    });
    at_every_size("across-nothing", |width, height| {
        let mut story = read(width, height);
        story.keys("/").types("zzzz");
        story
    });
}

#[test]
fn marks_over_several_spaces_are_one_purge_whose_number_is_typed() {
    let mut story = read(120, 40);
    story.keys("Space Space x");
    let screen = story.screen();
    assert!(screen.contains("Type 4"), "{screen}");
    assert!(screen.contains("from      ENG 3 · HR 1"), "{screen}");
    assert!(
        !story.sent.iter().any(|call| !call.is_read()),
        "nothing is written before"
    );
    story.keys("Esc");
    assert_eq!(
        story.model.across.as_ref().expect("it").marked(),
        4,
        "leaving the dialog leaves the marks"
    );
}

#[test]
fn marking_what_is_not_read_yet_says_so() {
    let mut story = looking(120, 40);
    story.keys("Space");
    let across = story.model.across.as_ref().expect("it is open");
    assert_eq!(across.marked(), 0);
    assert!(
        story.screen().contains("not read to its end"),
        "{}",
        story.screen()
    );
}

/// The town, where HR has three trashed pages with ids that are numbers, as servers have them.
fn numbered(call: &Call) -> Answer {
    let rows = || -> Vec<Content> {
        [("30", "Policies"), ("31", "Old \"news\""), ("32", "Notes")]
            .map(|(id, title)| trashed(id, title, &[("1", "Home")]))
            .to_vec()
    };
    match call {
        Call::Trash { key, .. } if key.as_str() == "HR" => Ok(Reply::Trash(CursorPage {
            results: rows(),
            next: None,
            total: Some(3),
        })),
        Call::Content { id, expand, .. } => {
            let row = rows().into_iter().find(|row| row.id == *id);
            let mut row = row.expect("one of the three");
            let body = expand.contains("body.storage");
            row.more = Some(Box::new(ContentMore {
                body_storage: body.then(|| "<h1>What it says</h1><p>Something old.</p>".to_owned()),
                ..ContentMore::default()
            }));
            Ok(Reply::Content(Box::new(row)))
        }
        other => town(other),
    }
}

/// Answers what is asked of the disk; gives what was written.
fn disk(story: &mut Story) -> Vec<DiskCall> {
    let mut calls = Vec::new();
    for effect in std::mem::take(&mut story.effects) {
        if let Effect::Disk { ticket, call } = effect {
            let known = r#"{"format":1,"days":{"2025-03-04":"u"}}"#;
            let outcome = match &call {
                DiskCall::ReadState { name } if name == "seen-HR.json" => {
                    DiskReply::Text(Some(known.to_owned()))
                }
                DiskCall::ReadState { .. } | DiskCall::ReadJournal => DiskReply::Text(None),
                DiskCall::Export { name, .. } => DiskReply::Exported(format!("/exports/{name}")),
                _ => DiskReply::Written,
            };
            calls.push(call);
            story.happen(Msg::Disk {
                ticket,
                outcome: Ok(outcome),
            });
        }
    }
    calls
}

/// In the trash of HR, on its second item.
fn inside_hr(width: u16, height: u16) -> Story {
    let mut story = Story::start(width, height);
    story.answer_all(&numbered);
    story.rest();
    story.answer_all(&numbered);
    story.keys("T").answer_all(&numbered);
    disk(&mut story);
    story.keys("/").types("space:hr").keys("Enter Enter j");
    story
}

#[test]
fn first_sights_are_told_and_kept_across_spaces() {
    let mut story = Story::start(120, 40);
    story.answer_all(&numbered);
    story.rest();
    story.answer_all(&numbered);
    story.effects.clear();
    story.keys("T").answer_all(&numbered);
    let asked = disk(&mut story);
    let files = |calls: &[DiskCall]| -> Vec<String> {
        let reads = calls.iter().filter_map(|call| match call {
            DiskCall::ReadState { name } => Some(name.clone()),
            _ => None,
        });
        reads.collect()
    };
    assert_eq!(files(&asked).len(), 7, "one for each space: {asked:?}");
    let mut written = disk(&mut story);
    written
        .retain(|call| matches!(call, DiskCall::WriteState { name, .. } if name == "seen-HR.json"));
    let text = r#"{"format":1,"days":{"2025-03-04":"u","2026-11-23":"v 1"}}"#;
    let wanted = DiskCall::WriteState {
        name: "seen-HR.json".to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(written, [wanted]);
    let screen = story.screen();
    let row = screen
        .lines()
        .find(|line| line.contains("People & Culture"));
    assert!(
        row.is_some_and(|row| row.contains("2025-03-04")),
        "the first sight of any of them: {screen}"
    );
    story.keys("/").types("space:hr").keys("Enter Enter");
    let screen = story.screen();
    assert!(screen.contains("FIRST SEEN"), "{screen}");
    assert!(screen.contains("2025-03-04"), "{screen}");
    assert!(screen.contains("today"), "{screen}");
}

#[test]
fn an_item_of_many_spaces_is_previewed_where_it_stands() {
    let mut story = inside_hr(120, 40);
    assert!(
        story
            .screen()
            .contains("Trash across spaces ▸ HR People & Culture"),
        "{}",
        story.screen()
    );
    story.keys("Enter").answer_all(&numbered);
    let asked = story.sent.iter().any(|call| {
        matches!(call, Call::Content { id, status: Some(ContentStatus::Trashed), .. }
            if id.as_str() == "31")
    });
    assert!(asked, "as it is in the trash");
    let screen = story.screen();
    assert!(screen.contains("What it says"), "{screen}");
    assert!(screen.contains("Policies"), "the table stays: {screen}");
    // The text follows the cursor, and has the keys after Tab.
    story.keys("j").rest();
    story.answer_all(&numbered);
    assert!(story.screen().contains("│ Notes "), "{}", story.screen());
    story.keys("Tab");
    assert!(story.model.preview_has_keys());
    let at = story
        .model
        .across
        .as_ref()
        .expect("it is open")
        .inside
        .clone();
    story.keys("j");
    let now = story
        .model
        .across
        .as_ref()
        .expect("it is open")
        .inside
        .clone();
    assert_eq!(at, now, "the text scrolls, not the table");
    story.keys("Esc");
    assert!(!story.model.preview.is_open);
    assert_eq!(story.model.screen, Screen::Across);
    assert!(now.is_some(), "and the space is still looked into");
    at_every_size("across-preview", |width, height| {
        let mut story = inside_hr(width, height);
        story.keys("p").answer_all(&numbered);
        story
    });
    // Of a space there is no text.
    let mut story = read(120, 40);
    story.keys("p");
    let screen = story.screen();
    assert!(screen.contains("Look inside a space first"), "{screen}");
}

#[test]
fn an_item_of_many_spaces_is_copied_and_opened_by_its_own_address() {
    let mut story = inside_hr(120, 40);
    story.effects.clear();
    story.keys("o");
    let url = "https://wiki.example.com/pages/viewpage.action?pageId=31";
    assert_eq!(story.effects, [Effect::Open(url.to_owned())]);
    story.keys("y");
    for text in ["Old \"news\"", "31", url, "HR"] {
        assert!(story.screen().contains(text), "{text}\n{}", story.screen());
    }
    story.effects.clear();
    story.keys("i");
    assert_eq!(story.effects, [Effect::Copy("31".to_owned())]);
    story.keys("q");
    story.effects.clear();
    story.keys("o");
    let url = "https://wiki.example.com/display/HR";
    assert_eq!(story.effects, [Effect::Open(url.to_owned())]);
}

#[test]
fn what_is_listed_of_many_spaces_is_exported_with_its_space() {
    let mut story = inside_hr(120, 40);
    story.keys("q Esc E c");
    let text = |calls: Vec<DiskCall>| {
        let mut exports = calls.into_iter().filter_map(|call| match call {
            DiskCall::Export { name, text } => Some((name, text)),
            _ => None,
        });
        exports.next().expect("an export")
    };
    let (name, csv) = text(disk(&mut story));
    // LEGAL refuses, so this is not all of it.
    assert_eq!(name, "trash-spaces-2026-11-23-truncated.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("space,id,type,title,version,"),
        "{csv}"
    );
    assert!(csv.contains("\r\nENG,ENG1,page,Old policy 31,"), "{csv}");
    assert!(
        csv.contains("\r\nHR,31,page,\"Old \"\"news\"\"\","),
        "{csv}"
    );
    // Nothing but lines of the table: that there is more is in the name.
    assert_eq!(lines.len(), 1 + 6, "{csv}");
    story
        .keys("/")
        .types("space:hr notes")
        .keys("Enter Enter E n");
    let (name, json) = text(disk(&mut story));
    assert_eq!(name, "trash-HR-2026-11-23.ndjson");
    assert_eq!(json.lines().count(), 1, "{json}");
    assert!(json.starts_with(r#"{"space":"HR","id":"32","type":"page","title":"Notes""#));
    assert!(
        json.contains(r#""first_seen_in_trash":"2026-11-23""#),
        "{json}"
    );
}

#[test]
fn marks_and_matches_are_both_told() {
    let mut story = read(120, 40);
    story.keys("Space /").types("policy").keys("Enter");
    let screen = story.screen();
    assert!(
        screen.contains("2 items in 2 spaces · 3 items marked in 1 space, 2 hidden"),
        "{screen}"
    );
}

#[test]
fn what_the_filter_matched_is_picked_out_inside_a_space() {
    let mut story = read(120, 40);
    story.keys("/").types("policy").keys("Enter");
    assert!(
        story.picked_out().is_empty(),
        "it looks at no name of a space"
    );
    story.keys("Enter");
    let picked = story.picked_out();
    assert!(
        !picked.is_empty() && picked.iter().all(|it| it.to_lowercase() == "policy"),
        "{picked:?}"
    );
    story.keys("Esc Esc Enter");
    assert!(story.picked_out().is_empty());
}

/// The town, where the trash of ENG is long: items 0 to `count`, each a day older than the one before.
fn with_long(count: u32) -> impl Fn(&Call) -> Answer {
    move |call| match call {
        Call::Trash {
            key, cursor, limit, ..
        } if key.as_str() == "ENG" => {
            let start: u32 = cursor.as_ref().map_or(0, |c| c.0.parse().expect("ours"));
            let end = (start + u32::try_from(*limit).expect("small")).min(count);
            let results = (start..end)
                .map(|n| {
                    let title = format!("Item {}", n * 7919 % count);
                    let mut item = trashed(&(1_000 + n).to_string(), &title, &[("1", "Home")]);
                    let at = 1_700_000_000 - i64::from(n) * 86_400;
                    if let Some(version) = &mut item.version {
                        version.when = jiff::Timestamp::from_second(at)
                            .ok()
                            .map(coracle::confluence::Moment);
                    }
                    item
                })
                .collect();
            Ok(Reply::Trash(CursorPage {
                results,
                next: (end < count).then(|| Cursor(end.to_string())),
                total: Some(u64::from(count)),
            }))
        }
        other => town(other),
    }
}

fn across(story: &Story) -> &coracle::app::across::Across {
    story.model.across.as_ref().expect("it is open")
}

/// In the long trash of ENG, all of it read.
fn inside_long(count: u32) -> Story {
    let wiki = with_long(count);
    let mut story = looking(120, 40);
    story.answer_all(&wiki);
    disk(&mut story);
    disk(&mut story);
    story.keys("g Enter").rest();
    assert!(story.model.idle());
    let inside = across(&story).inside.as_ref().expect("it is looked into");
    assert_eq!(inside.view.len(), count as usize);
    story
}

/// Lets the core work until it is through; says in how many slices. `check` looks in between.
fn slices(story: &mut Story, check: impl Fn(&Story)) -> usize {
    let mut slices = 0;
    while story.model.deadline() == Some(story.model.now) {
        check(story);
        story.happen(Msg::Clock);
        slices += 1;
        assert!(slices < 10_000, "it ends");
    }
    slices
}

#[test]
fn a_long_trash_of_many_is_filtered_in_slices_while_keys_are_taken() {
    let mut story = inside_long(50_000);
    story.keys("j j Space");
    let before = across(&story).inside.as_ref().expect("inside").at.clone();
    story.keys("/").types("'4999");
    assert!(across(&story).is_filtering(), "not all at once");
    let rows = across(&story).inside.as_ref().expect("inside").view.len();
    assert_eq!(rows, 50_000, "the rows are still there");
    assert!(story.screen().contains("filtering"), "{}", story.screen());
    // What is not found yet is not marked.
    let mut early = Story {
        model: story.model.clone(),
        open: story.open.clone(),
        sent: Vec::new(),
        effects: Vec::new(),
        recorder: None,
        at: story.at,
    };
    early.keys("Enter *");
    assert!(across(&early).marked() < 17, "{}", across(&early).marked());
    assert!(
        early.screen().contains("filter still looks"),
        "{}",
        early.screen()
    );
    assert!(!story.model.idle());
    let taken = slices(&mut story, |_| {});
    assert!(taken > 4, "{taken} slices");
    assert!(!across(&story).is_filtering());
    let inside = across(&story).inside.as_ref().expect("inside");
    assert_eq!((inside.view.len(), inside.cursor.at), (15, 0));
    let screen = story.screen();
    assert!(screen.contains("15 of 50,000"), "{screen}");
    assert!(screen.contains("15 items in 1 space"), "{screen}");
    assert!(
        screen.contains("1 item marked in 1 space, 1 hidden"),
        "{screen}"
    );
    assert!(story.model.idle(), "and then it rests");
    // One more letter looks only at what was found, and `*` marks just that.
    story.types("9").rest();
    story.keys("Enter *");
    assert_eq!((across(&story).matching(), across(&story).marked()), (1, 2));
    // Where nothing matched the cursor goes back to what it was on before.
    story.keys("/").types("zzzz").rest();
    story.keys("Esc").rest();
    let inside = across(&story).inside.as_ref().expect("inside");
    assert_eq!(inside.view.len(), 50_000);
    assert!(inside.at.is_some());
    assert_eq!(inside.at, before);
    assert_eq!(inside.cursor.at, 3);
    assert_eq!(across(&story).hidden_marks(), 0);
}

#[test]
fn a_long_trash_of_many_is_sorted_in_slices_while_keys_are_taken() {
    let mut story = inside_long(60_000);
    story.keys("j j j");
    let at = across(&story).inside.as_ref().expect("inside").at.clone();
    let titles = |story: &Story| -> Vec<String> {
        let inside = across(story).inside.as_ref().expect("inside");
        let space = &across(story).rows[inside.row];
        let title = |ix: &u32| space.title(*ix).to_lowercase();
        inside.view.iter().map(title).collect()
    };
    for (key, is_right) in [("2", (|t, _| t) as fn(bool, bool) -> bool), ("3", |_, d| d)] {
        story.keys("s").keys(key);
        let taken = slices(&mut story, |story| {
            let rows = across(story).inside.as_ref().expect("inside").view.len();
            assert_eq!(rows, 60_000, "the old rows stay meanwhile");
        });
        assert!(taken > 10, "{taken} slices");
        let inside = across(&story).inside.as_ref().expect("inside");
        let space = &across(&story).rows[inside.row];
        let oldest_first = inside
            .view
            .is_sorted_by_key(|ix| space.items[*ix as usize].edited);
        assert!(is_right(titles(&story).is_sorted(), oldest_first), "{key}");
        assert_eq!(inside.view.len(), 60_000);
        assert_eq!(inside.at, at, "the cursor stays on its item");
        let under = inside.view[inside.cursor.at] as usize;
        assert_eq!(Some(&space.items[under].id), at.as_ref());
    }
}

#[test]
fn a_long_trash_that_still_comes_is_listed_now_and_then() {
    let wiki = with_long(40_000);
    let mut story = looking(120, 40);
    let mut built = 0;
    let mut before = 0;
    for turn in 0.. {
        let Some((ticket, call)) = story.open.pop_front() else {
            break;
        };
        story.happen(Msg::Reply {
            ticket,
            outcome: wiki(&call),
            took_ms: 3,
        });
        if turn == 20 {
            story.keys("g Enter s 2");
        }
        let now = across(&story)
            .inside
            .as_ref()
            .map_or(0, |inside| inside.view.len());
        if now > 20_000 && now != before {
            built += 1;
        }
        before = now;
    }
    assert!(built < 5, "not with every page: {built}");
    story.rest();
    story.rest();
    let inside = across(&story).inside.as_ref().expect("inside");
    assert_eq!(inside.view.len(), 40_000, "and all of it in the end");
}

#[test]
fn the_column_that_the_spaces_are_sorted_by_has_an_arrow() {
    let mut story = read(120, 40);
    for (keys, head) in [
        ("s 1", " KEY ↑ "),
        ("s 2", " ITEMS ↓ "),
        ("s 3", " OLDEST EDIT ↑ "),
        ("s 4", " NEWEST EDIT ↓ "),
    ] {
        story.keys(keys);
        let screen = story.screen();
        assert!(screen.contains(head), "{screen}");
        assert_eq!(screen.matches(['↑', '↓']).count(), 1, "{screen}");
    }
    story.keys("s 1 Enter");
    let screen = story.screen();
    assert_eq!(screen.matches(['↑', '↓']).count(), 0, "{screen}");
    for (keys, head) in [
        ("s 2", " TITLE ↑ "),
        ("s 3", " LAST EDIT ↑ "),
        ("s 4", " LAST EDIT ↓ "),
    ] {
        story.keys(keys);
        assert!(story.screen().contains(head), "{}", story.screen());
    }
}

#[test]
fn what_a_filter_finds_is_a_plain_count_and_no_warning() {
    let theme = load("dark", Depth::True).expect("it is built in");
    let mut story = read(120, 40);
    story.keys("Space /").types("zzzz").keys("Enter");
    let screen = story.screen();
    let text = "0 items in 0 spaces · 3 items marked in 1 space";
    let found = screen.lines().enumerate().find_map(|(y, line)| {
        let at = line.find(text)?;
        Some((y, line[..at].chars().count()))
    });
    let (y, x) = found.unwrap_or_else(|| panic!("{screen}"));
    let warning = theme.mark.fg.map(|color| format!("fg(Color::{color:?})"));
    let warning = warning.expect("a colour of the theme");
    // The letter of each cell, and what each letter stands for.
    let looks = story.looks(&theme);
    let of = |x: usize| {
        let letter = looks.lines().nth(y).and_then(|line| line.chars().nth(x));
        let legend = looks.lines().skip(40);
        let style = legend.filter_map(|line| line.split_once(' '));
        style
            .filter(|(it, _)| it.chars().next() == letter)
            .map(|(_, style)| style.contains(&warning))
            .next()
    };
    assert_eq!(of(x), Some(false), "{looks}");
    let marks = x + text.chars().position(|c| c == '3').unwrap_or_default();
    assert_eq!(of(marks), Some(true), "{looks}");
}

#[test]
fn the_place_among_the_spaces_and_the_items_is_told_where_not_all_are_seen() {
    let mut story = read(80, 10);
    story.keys("j");
    let screen = story.screen();
    assert!(screen.contains("─ 2 of 7 ─╯"), "{screen}");
    let mut story = inside_long(1_500);
    story.keys("G");
    let screen = story.screen();
    assert!(screen.contains("─ 1,500 of 1,500 ─╯"), "{screen}");
}

#[test]
fn the_backups_open_from_here_as_the_notice_of_one_promises() {
    let mut story = read(120, 40);
    story.keys("B");
    assert!(
        matches!(&story.model.modals[..], [Modal::Backups(_)]),
        "{}",
        story.screen()
    );
    assert_eq!(story.model.screen, Screen::Across, "and it stays below");
}
