//! Stories of somebody who browses.

use coracle::app::action::Context;
use coracle::app::field::Field;
use coracle::app::keymap::{Keymap, Rebinding};
use coracle::app::layout::Pane;
use coracle::app::message::{Effect, Msg, Size};
use coracle::app::modal::Modal;
use coracle::app::pane::content::Tab;
use coracle::app::{Start, StartMode, Writes};
use coracle::confluence::{Call, ErrorKind, Page, Reply, SpaceContent, SpaceKey, SpaceStatus};

use crate::story::{Answer, Story, beginning, content, error, page, space, spaces, wiki};

#[test]
fn the_first_request_goes_out_alone() {
    let mut story = Story::start(120, 40);
    assert_eq!(story.sent, [Call::CurrentUser]);
    story.answer(wiki(&Call::CurrentUser));
    assert!(story.sent.len() > 1);
}

#[test]
fn a_wrong_token_sends_nothing_more_and_says_what_to_do() {
    let mut story = Story::start(120, 40);
    story.answer(Err(error(
        ErrorKind::Unauthorized,
        401,
        "The server does not accept the token.",
    )));
    assert_eq!(story.sent, [Call::CurrentUser]);
    assert!(
        story
            .screen()
            .contains("Not signed in. The server does not"),
        "{}",
        story.screen()
    );
    story.keys("r");
    assert_eq!(story.sent, [Call::CurrentUser, Call::CurrentUser]);
}

#[test]
fn detail_and_content_follow_the_cursor_when_it_rests_and_not_before() {
    let mut story = Story::browsing(120, 40);
    let before = story.sent.len();
    story.keys("j j j j");
    assert_eq!(
        story.sent.len(),
        before,
        "nothing is asked for what is passed over"
    );
    story.rest();
    let asked: Vec<_> = story.sent[before..].to_vec();
    assert!(
        matches!(&asked[..], [Call::Space { key, .. }, Call::SpaceContent { .. }] if key.as_str() == "PORT"),
        "{asked:?}"
    );
}

#[test]
fn a_late_answer_for_another_space_changes_nothing() {
    let mut story = Story::browsing(120, 40);
    story.keys("j").rest();
    let late = story.open.clone();
    story.keys("j").rest();
    story.answer_all(&wiki);
    let (before, screen) = (story.model.detail.clone(), story.screen());
    for (ticket, call) in late {
        story.happen(Msg::Reply {
            ticket,
            outcome: wiki(&call),
            took_ms: 9_000,
        });
    }
    assert_eq!(story.model.detail, before);
    assert_eq!(story.screen(), screen);
}

#[test]
fn the_filter_finds_and_the_cursor_comes_back() {
    let mut story = Story::browsing(120, 40);
    story.keys("j j /").types("people");
    assert_eq!(story.model.space_at_cursor(), Some(&SpaceKey::new("HR")));
    assert!(story.screen().contains("1 of 6"), "{}", story.screen());
    story.keys("Esc");
    assert_eq!(story.model.spaces.len(), 6);
    story.keys("/").types("!e").keys("Enter");
    assert!(!story.model.spaces.filter.typing);
    story.keys("q");
    assert!(
        story.model.quitting,
        "in the list q quits, also with a filter kept"
    );
}

#[test]
fn a_filter_over_many_rows_goes_in_slices_and_ends() {
    let mut story = Story::start(120, 40);
    let many = |call: &Call| match call {
        Call::Spaces { window, .. } => {
            let all: Vec<_> = (0..30_000)
                .map(|n| {
                    let name = format!("Space number {n}");
                    space(
                        &format!("K{n:05}"),
                        &name,
                        coracle::confluence::SpaceStatus::Current,
                    )
                })
                .collect();
            Ok(Reply::Spaces(page(&all, *window)))
        }
        other => wiki(other),
    };
    story.answer_all(&many);
    story.keys("/").types("29999");
    assert!(
        story.model.spaces.is_scanning(),
        "not all rows before the next key"
    );
    story.rest();
    assert!(!story.model.spaces.is_scanning());
    assert_eq!(
        story.model.space_at_cursor(),
        Some(&SpaceKey::new("K29999"))
    );
    // What was filtered belongs to rows that are there: refresh to fewer.
    story.keys("Enter r").answer_all(&wiki);
    assert_eq!(story.model.spaces.len(), 0);
    story.keys("Esc");
    assert_eq!(story.model.spaces.len(), 6);
}

#[test]
fn a_filter_takes_every_letter_as_text() {
    let mut story = Story::browsing(120, 40);
    story.keys("/").types("qtxDr?");
    assert!(!story.model.quitting);
    assert_eq!(story.model.spaces.filter.text(), "qtxDr?");
}

#[test]
fn marks_are_held_by_key_through_filter_sort_and_refresh() {
    let mut story = Story::browsing(120, 40);
    story.keys("Space j Space");
    let marked: Vec<&str> = story
        .model
        .spaces
        .marks
        .iter()
        .map(SpaceKey::as_str)
        .collect();
    assert_eq!(marked, ["ENG", "OLD1"]);
    story.keys("/").types("people").keys("Enter");
    assert!(
        story.screen().contains("2 marked, 2 hidden"),
        "{}",
        story.screen()
    );
    story.keys("Esc s 4 r");
    story.answer_all(&wiki);
    assert_eq!(story.model.spaces.marks.len(), 2);
    story.keys("U");
    assert!(story.model.spaces.marks.is_empty());
}

#[test]
fn refresh_keeps_the_rows_until_the_new_ones_are_there() {
    let mut story = Story::browsing(120, 40);
    story.keys("j j").rest();
    story.answer_all(&wiki);
    story.keys("r");
    assert_eq!(story.model.spaces.len(), 6, "old rows stay");
    let mut fewer = spaces();
    fewer.remove(0);
    story.answer(Ok(Reply::Spaces(page(
        &fewer,
        coracle::confluence::call::Window {
            start: 0,
            limit: 500,
        },
    ))));
    assert_eq!(story.model.spaces.len(), 5);
    assert_eq!(
        story.model.space_at_cursor(),
        Some(&SpaceKey::new("OLD1")),
        "the cursor stays on its space"
    );
}

#[test]
fn a_failed_refresh_keeps_what_was_there() {
    let mut story = Story::browsing(120, 40);
    story.keys("r");
    story.answer(Err(error(
        ErrorKind::Server,
        503,
        "wiki.example.com answers 503.",
    )));
    assert_eq!(story.model.spaces.len(), 6);
    let screen = story.screen();
    assert!(
        screen.contains("answers 503") && screen.contains("as of"),
        "{screen}"
    );
}

#[test]
fn a_long_list_keeps_as_many_pages_under_way_as_the_profile_allows() {
    let mut story = Story::start(120, 40);
    let many: Vec<_> = (0..10_000)
        .map(|n| {
            space(
                &format!("K{n:05}"),
                &format!("Space {n}"),
                coracle::confluence::SpaceStatus::Current,
            )
        })
        .collect();
    let server = |call: &Call| match call {
        Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&many, *window))),
        other => wiki(other),
    };
    let pages = |story: &Story| {
        let asked = |call: &Call| matches!(call, Call::Spaces { .. });
        story.open.iter().filter(|(_, call)| asked(call)).count()
    };
    let mut under_way = Vec::new();
    while let Some((_, call)) = story.open.front().cloned() {
        story.answer(server(&call));
        if matches!(call, Call::Spaces { .. }) {
            under_way.push(pages(&story));
        }
    }
    // Of twenty pages the last ones have nothing to follow them.
    let (whole, rest) = under_way.split_at(under_way.len() - 4);
    assert_eq!(whole, [4; 16]);
    assert_eq!(rest, [3, 2, 1, 0]);
}

#[test]
fn esc_stops_loading_and_says_that_the_list_is_cut_short() {
    let mut story = Story::start(120, 40);
    story.answer(wiki(&Call::CurrentUser));
    while !matches!(story.open.front(), Some((_, Call::Spaces { .. }))) {
        story.answer(Err(error(ErrorKind::NotFound, 404, "Not here.")));
    }
    let first = Page {
        results: spaces(),
        start: 0,
        limit: Some(500),
        total: Some(5_000),
        has_next: true,
    };
    let ticket = story.open.pop_front().expect("the list was asked for").0;
    story.happen(Msg::Reply {
        ticket,
        outcome: Ok(Reply::Spaces(first)),
        took_ms: 50,
    });
    assert!(story.screen().contains("6 of 5,000"), "{}", story.screen());
    story.keys("Esc");
    assert!(
        story
            .open
            .iter()
            .all(|(_, call)| !matches!(call, Call::Spaces { .. }))
    );
    assert!(story.screen().contains("stopped"), "{}", story.screen());
    assert_eq!(story.model.spaces.len(), 6);
}

#[test]
fn trees_open_branch_by_branch() {
    let mut story = Story::browsing(120, 40);
    story.keys("Enter l");
    assert!(matches!(story.sent.last(), Some(Call::ChildPages { id, .. }) if id.as_str() == "1"));
    story.answer_all(&wiki);
    let screen = story.screen();
    assert!(screen.contains("Database failover"), "{screen}");
    story.keys("j h");
    assert_eq!(
        story.model.content.outline().cursor.at,
        0,
        "h goes to the parent"
    );
    story.keys("h");
    assert!(
        !story.screen().contains("Database failover"),
        "{}",
        story.screen()
    );
    let before = story.sent.len();
    story.keys("l");
    assert_eq!(story.sent.len(), before, "what was read is not read again");
}

#[test]
fn t_shows_the_trash_with_the_cursor_on_the_first_trashed_item() {
    let mut story = Story::browsing(120, 40);
    story.keys("t");
    story.answer_all(&wiki);
    assert_eq!(story.model.focus, Pane::Content);
    assert_eq!(story.model.content.tab, Tab::Trash);
    let node = story.model.content.outline().node().expect("a row").1;
    assert_eq!(node.title, "Old policies");
    assert!(story.screen().contains("Trash 3"), "{}", story.screen());
}

#[test]
fn a_server_without_trash_is_asked_in_the_older_way() {
    let mut story = Story::browsing(120, 40);
    story.keys("t");
    story.answer_all(&|call| match call {
        Call::Trash { .. } => Err(error(ErrorKind::NotFound, 404, "Not here.")),
        Call::TrashedContent { window, .. } => Ok(Reply::Contents(page(
            &[crate::story::trashed("9", "Gone", &[])],
            *window,
        ))),
        other => wiki(other),
    });
    assert!(story.screen().contains("Gone"), "{}", story.screen());
    assert_eq!(story.model.session.has_trash, Some(false));
}

#[test]
fn the_server_filter_sends_every_parameter() {
    let mut story = Story::browsing(120, 40);
    story
        .keys("f Right Tab Right Tab")
        .types("eng, ops")
        .keys("Tab Tab Right Tab Right Tab")
        .types("ENG");
    story.keys("Tab Tab").types("12,x").keys("Enter");
    assert!(
        story.screen().contains("`x` is no id"),
        "{}",
        story.screen()
    );
    story.keys("Backspace Backspace Enter");
    let Some(Call::Spaces { filter, .. }) = story.sent.last() else {
        panic!("{:?}", story.sent.last())
    };
    assert_eq!(filter.kind, Some(coracle::confluence::SpaceKind::Global));
    assert_eq!(
        filter.status,
        Some(coracle::confluence::SpaceStatus::Current)
    );
    assert_eq!(filter.labels, ["eng", "ops"]);
    assert_eq!(
        (filter.favourite, filter.has_retention_policy),
        (Some(true), Some(true))
    );
    assert_eq!(filter.keys, [SpaceKey::new("ENG")]);
    assert_eq!(filter.ids, [12]);
}

#[test]
fn archived_spaces_are_learned_where_the_list_does_not_tell() {
    let mut story = Story::start(120, 40);
    let old = |call: &Call| match call {
        Call::Spaces { filter, window, .. } => {
            let all: Vec<_> = spaces()
                .into_iter()
                .filter(|s| filter.status.is_none_or(|status| s.status == Some(status)))
                .map(|s| coracle::confluence::Space { status: None, ..s })
                .collect();
            Ok(Reply::Spaces(page(&all, *window)))
        }
        other => wiki(other),
    };
    story.answer_all(&old);
    let table = &story.model.spaces.table;
    let status = |key: &str| {
        table
            .get(&SpaceKey::new(key))
            .and_then(|space| space.status)
    };
    assert_eq!(
        status("OLD1"),
        Some(coracle::confluence::SpaceStatus::Archived)
    );
    assert_eq!(
        status("ENG"),
        Some(coracle::confluence::SpaceStatus::Current)
    );
}

#[test]
fn q_closes_then_returns_then_quits() {
    let mut story = Story::browsing(120, 40);
    story.keys("3 ? q");
    assert!(story.model.modals.is_empty());
    story.keys("q");
    assert_eq!(story.model.focus, Pane::Spaces);
    assert!(!story.model.quitting);
    story.keys("q");
    assert_eq!(story.effects.last(), Some(&Effect::Quit(0)));
}

#[test]
fn help_begins_with_this_pane_and_narrows() {
    let mut story = Story::browsing(120, 40);
    story.keys("?");
    let screen = story.screen();
    assert!(screen.contains("Spaces (here)"), "{screen}");
    story.keys("/").types("browser");
    let screen = story.screen();
    assert!(
        screen.contains("Open this row in a browser") && !screen.contains("Move one row up"),
        "{screen}"
    );
    // Whole entries, wherever their lines break, with the place they belong to.
    story.keys("Esc /").types("before:2024-06-01");
    let screen = story.screen();
    for part in ["Spaces (here)", " /  ", "Filter this list", "clears it."] {
        assert!(screen.contains(part), "{part}\n{screen}");
    }
    story.keys("Esc /").types("everywhere");
    let screen = story.screen();
    assert!(screen.contains("Move one row up"), "{screen}");
    // Of every place that has it, also where the whole help says "as above".
    story.keys("Esc /").types("clear all marks");
    let screen = story.screen();
    for place in ["Spaces (here)", "Trash", "Trash across spaces"] {
        let rows = screen.lines().map(|line| line.trim_matches(['│', ' ']));
        assert!(
            rows.into_iter().any(|row| row == place),
            "{place}\n{screen}"
        );
    }
    assert!(!screen.contains("as above"), "{screen}");
    story.keys("Esc /").types("no such thing");
    let screen = story.screen();
    assert!(screen.contains("Nothing here holds"), "{screen}");
}

#[test]
fn the_footer_shows_the_keys_as_they_are_here() {
    let change = |context, verb: &str, keys: &str| Rebinding {
        context,
        verb: verb.to_owned(),
        keys: vec![keys.to_owned()],
    };
    let keymap = Keymap::with(&[
        change(Context::Everywhere, "down", "Ctrl-n"),
        change(Context::Everywhere, "up", "Ctrl-p"),
        change(Context::Spaces, "sort", "t"),
    ]);
    let mut story = Story::begin(Start {
        keymap: keymap.expect("a sound change"),
        ..beginning(200, 40)
    });
    story.answer_all(&wiki);
    let footer = |story: &Story| story.screen().lines().last().map(str::to_owned);
    let shown = footer(&story).expect("a footer");
    assert!(shown.contains("Ctrl-n/Ctrl-p move"), "{shown}");
    assert!(
        shown.contains("t sort") && !shown.contains("t trash"),
        "{shown}"
    );
    story.keys("3");
    let shown = footer(&story).expect("a footer");
    assert!(shown.contains("t trash"), "{shown}");
}

#[test]
fn the_first_of_two_keys_says_what_may_follow() {
    let change = |context, verb: &str, keys: &str| Rebinding {
        context,
        verb: verb.to_owned(),
        keys: vec![keys.to_owned()],
    };
    let keymap = Keymap::with(&[
        change(Context::Panes, "trash", "Ctrl-x t"),
        change(Context::Everywhere, "top", "Ctrl-x g"),
    ]);
    let mut story = Story::begin(Start {
        keymap: keymap.expect("a sound change"),
        ..beginning(120, 40)
    });
    story.answer_all(&wiki).keys("/").types("e");
    story.keys("Enter Ctrl-x");
    let footer = |story: &Story| story.screen().lines().last().map(str::to_owned);
    assert_eq!(
        footer(&story).as_deref().map(str::trim),
        Some("Ctrl-x t trash  Ctrl-x g First row  Esc leave")
    );
    // Esc takes back that key alone: the filter stays.
    story.keys("Esc");
    let screen = story.screen();
    assert!(
        screen.contains("/ e") && screen.contains("j/k move"),
        "{screen}"
    );
    story.keys("Ctrl-x t");
    assert_eq!(story.model.content.tab, Tab::Trash);
}

#[test]
fn the_key_of_the_help_closes_it_too() {
    let mut story = Story::browsing(120, 40);
    story.keys("?");
    assert_eq!(story.model.modals.len(), 1);
    story.keys("?");
    assert!(story.model.modals.is_empty());
    // In another text it tells of that text's keys.
    story.keys("L ?");
    assert!(story.screen().contains("Reading a text (here)"));
    story.keys("?");
    assert!(story.screen().contains("Log and journal"));
}

#[test]
fn help_stands_in_two_columns_where_they_fit() {
    let headings = |width, height| {
        let mut story = Story::browsing(width, height);
        story.keys("?");
        let screen = story.screen();
        ["Spaces (here)", "Everywhere"].map(|heading| {
            let line = screen.lines().find(|line| line.contains(heading));
            line.and_then(|line| Some(line.split_once(heading)?.0.chars().count()))
        })
    };
    let beside = |width, height| matches!(headings(width, height), [Some(left), Some(right)] if right > left + 40);
    assert!(beside(120, 40) && beside(200, 60));
    assert_eq!(headings(80, 24)[1], None, "far below, in one column");
    // All of it is to be seen in one: nothing is gained by a second.
    let [left, right] = headings(200, 300);
    assert!(left.is_some() && left == right, "{left:?} {right:?}");
    // Nothing is cut off: what is bound to a long chord says so in full.
    let keys = "Ctrl-x Ctrl-Alt-Shift-Left";
    let keymap = Keymap::with(&[Rebinding {
        context: Context::Spaces,
        verb: "sort".to_owned(),
        keys: vec![keys.to_owned()],
    }]);
    let mut story = Story::begin(Start {
        keymap: keymap.expect("a sound change"),
        ..beginning(120, 40)
    });
    story.answer_all(&wiki).keys("?");
    let screen = story.screen();
    assert!(screen.contains(keys), "{screen}");
}

#[test]
fn an_unbound_alt_key_means_esc_and_the_key() {
    let mut story = Story::browsing(120, 40);
    story.keys("j Alt-k");
    assert_eq!(story.model.spaces.cursor.at, 0);
}

#[test]
fn welcome_leads_to_the_demo() {
    let mut story = Story::with(
        80,
        24,
        StartMode::Welcome {
            config_path: "~/.config/coracle/config.toml".to_owned(),
        },
        Writes::Allowed,
    );
    assert!(story.sent.is_empty());
    story.keys("d");
    assert_eq!(story.effects, [Effect::StartDemo]);
}

#[test]
fn resizing_never_loses_the_place() {
    let mut story = Story::start(120, 40);
    let many = |call: &Call| match call {
        Call::Spaces { window, .. } => {
            let all: Vec<_> = (0..900)
                .map(|n| {
                    space(
                        &format!("K{n:04}"),
                        &format!("Space {n}"),
                        coracle::confluence::SpaceStatus::Current,
                    )
                })
                .collect();
            Ok(Reply::Spaces(page(&all, *window)))
        }
        other => wiki(other),
    };
    story.answer_all(&many);
    story.keys("PgDn PgDn PgDn j j");
    let key = story.model.space_at_cursor().cloned();
    for (width, height) in [(80, 24), (20, 3), (40, 10), (200, 60), (120, 40)] {
        story.happen(Msg::Resized(Size { width, height }));
        assert_eq!(story.model.space_at_cursor().cloned(), key);
        if width >= 40 {
            let shown = key.as_ref().map(ToString::to_string).unwrap_or_default();
            assert!(
                story.screen().contains(&shown),
                "{width}×{height}\n{}",
                story.screen()
            );
        }
    }
}

/// A story in which somebody types while the program signs in.
fn signing_in(keys: &str) -> Story {
    let mut story = Story::start(120, 40);
    story.keys(keys);
    story
}

#[test]
fn a_filter_typed_while_signing_in_is_a_filter() {
    let mut story = signing_in("/ o l");
    let screen = story.screen();
    assert!(screen.contains("/ol waits for the list"), "{screen}");
    story.answer_all(&wiki);
    story.keys("d");
    let typed = story.model.spaces.filter.field.as_ref();
    assert_eq!(typed.map(Field::text).as_deref(), Some("old"));
    assert_eq!(story.model.spaces.len(), 1);
    assert!(story.model.modals.is_empty(), "{}", story.screen());
}

#[test]
fn steps_typed_before_the_list_move_its_cursor() {
    let mut story = signing_in("j j j k");
    story.answer_all(&wiki);
    assert_eq!(story.model.spaces.cursor.at, 2);
    let mut story = signing_in("G");
    story.answer_all(&wiki);
    assert_eq!(story.model.spaces.cursor.at, story.model.spaces.len() - 1);
}

#[test]
fn what_is_typed_ahead_opens_a_plan_and_does_not_answer_it() {
    let mut story = signing_in("a y");
    story.answer_all(&wiki);
    let screen = story.screen();
    assert!(screen.contains("Archive ENG"), "{screen}");
    let archives = |call: &Call| matches!(call, Call::ArchiveSpace { .. });
    assert!(!story.sent.iter().any(archives));
}

#[test]
fn what_is_typed_ahead_of_a_form_does_not_go_into_it() {
    let mut story = signing_in("n M y Space q");
    story.answer_all(&wiki);
    let screen = story.screen();
    assert!(screen.contains("New space"), "{screen}");
    assert!(
        story
            .footer()
            .contains("Dropped, typed too early: \"M\", \"y\", Space, \"q\"."),
        "{}",
        story.footer()
    );
    story.types("Mine");
    assert!(story.screen().contains("Mine"), "{}", story.screen());
    assert!(!story.footer().contains("dropped"), "{}", story.footer());
}

#[test]
fn what_was_typed_ahead_is_forgotten_by_esc_and_with_a_list_that_does_not_come() {
    let mut story = signing_in("j a Esc");
    assert!(!story.screen().contains("waits"), "{}", story.screen());
    story.answer_all(&wiki);
    assert_eq!(story.model.spaces.cursor.at, 0);
    assert!(story.model.modals.is_empty(), "{}", story.screen());

    let mut story = signing_in("j a");
    story.answer(Err(error(ErrorKind::Unauthorized, 401, "No.")));
    assert_eq!(story.model.typed_ahead(), "");
    assert!(story.model.modals.is_empty(), "{}", story.screen());
}

#[test]
fn q_before_the_list_quits_and_help_opens() {
    assert!(signing_in("q").model.quitting);
    assert!(signing_in("?").model.modals.len() == 1);
}

#[test]
fn in_a_window_that_shows_nothing_keys_do_nothing_but_end_it() {
    let mut story = Story::browsing(120, 40);
    let calm = story.model.clone();
    let small = Size {
        width: 20,
        height: 5,
    };
    story.happen(Msg::Resized(small));
    story.keys("j D E N G Enter a y n x u Space / Tab t T");
    story.happen(Msg::Paste("ENG".to_owned()));
    story.happen(Msg::Resized(calm.size));
    assert_eq!(story.model.spaces, calm.spaces);
    assert_eq!(story.model.modals, calm.modals);
    assert_eq!(story.model.focus, calm.focus);
    assert_eq!(story.model.content, calm.content);

    story.keys("D");
    story.happen(Msg::Resized(small));
    story.types("ENG").keys("Enter q");
    assert!(!story.model.quitting, "q may have been meant as a letter");
    story.keys("Ctrl-c");
    assert!(story.model.quitting);
    let deletes = |call: &Call| matches!(call, Call::DeleteSpace { .. });
    assert!(!story.sent.iter().any(deletes));

    let mut story = Story::browsing(120, 40);
    story.happen(Msg::Resized(small));
    story.keys("q");
    assert!(story.model.quitting);
}

/// A story with these keys instead of those of the table.
fn rebound(changes: &[(Context, &str, &[&str])]) -> Story {
    let changes: Vec<Rebinding> = changes
        .iter()
        .map(|(context, verb, keys)| Rebinding {
            context: *context,
            verb: (*verb).to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        })
        .collect();
    let mut story = Story::begin(Start {
        keymap: Keymap::with(&changes).expect("a sound change"),
        ..beginning(120, 40)
    });
    story.answer_all(&wiki);
    story
}

#[test]
fn lists_in_dialogs_take_the_keys_of_the_configuration() {
    let mut story = rebound(&[
        (Context::Everywhere, "down", &["z"]),
        (Context::Everywhere, "up", &["Z"]),
        (Context::Everywhere, "back", &["X"]),
        (Context::Everywhere, "cancel", &["Ctrl-x"]),
    ]);
    let chosen = |story: &Story| match story.model.modals.last() {
        Some(Modal::Menu(menu)) => menu.chosen,
        _ => panic!("a menu\n{}", story.screen()),
    };
    story.keys("s z z Z");
    assert_eq!(chosen(&story), 1);
    for keys in ["X", "J X", "B X", "B Ctrl-x", "J o X X"] {
        story.keys(keys);
        assert!(story.model.modals.is_empty(), "{keys}: {}", story.screen());
    }
}

#[test]
fn help_log_and_commands_open_over_lists_too() {
    for list in ["J", "B", "s", "J o"] {
        for (key, shown) in [("?", "Help"), ("L", "Log"), (":", "Commands")] {
            let mut story = Story::browsing(120, 40);
            story.keys(list);
            let below = story.model.modals.to_vec();
            story.keys(key);
            let screen = story.screen();
            assert!(screen.contains(shown), "{list} {key}: {screen}");
            story.keys("Esc");
            assert_eq!(story.model.modals[..], below[..], "{list} {key}");
        }
        let mut story = Story::browsing(120, 40);
        story.keys(list).keys("Ctrl-l");
        assert!(story.effects.contains(&Effect::Redraw), "{list}");
    }
    let mut story = Story::browsing(120, 40);
    story.keys("/ e Ctrl-l");
    assert!(story.effects.contains(&Effect::Redraw));
}

#[test]
fn the_title_of_the_list_has_no_number_before_there_is_one() {
    let title = |story: &Story| {
        let screen = story.screen();
        let line = screen.lines().nth(1).unwrap_or_default().to_owned();
        line.trim_matches(|c| "╭╮─ ".contains(c)).to_owned()
    };
    let mut story = Story::start(80, 24);
    assert_eq!(title(&story), "Spaces");
    story.answer(wiki(&Call::CurrentUser));
    assert_eq!(title(&story), "Spaces · loading");
    story.answer_all(&wiki);
    assert_eq!(title(&story), "Spaces 6 of 6");
    story.keys("r");
    assert_eq!(title(&story), "Spaces 6 of 6 · reading again");

    let mut story = Story::start(80, 24);
    let refused = error(ErrorKind::Unauthorized, 401, "The token is not accepted.");
    story.answer(Err(refused));
    assert_eq!(title(&story), "Spaces");
}

/// A server with these spaces, and the list of them read.
fn with_spaces(keys_and_names: &[(String, String)], width: u16, height: u16) -> Story {
    let all: Vec<_> = keys_and_names
        .iter()
        .map(|(key, name)| space(key, name, SpaceStatus::Current))
        .collect();
    let mut story = Story::start(width, height);
    story.answer_all(&|call| match call {
        Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&all, *window))),
        other => wiki(other),
    });
    story
}

fn bottom_of(story: &Story) -> String {
    let screen = story.screen();
    let height = usize::from(story.model.size.height);
    screen
        .lines()
        .nth(height - 2)
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn the_place_in_a_tree_is_that_among_its_rows() {
    let all: Vec<_> = (0..40)
        .map(|n| content(&n.to_string(), &format!("Page {n}"), 1, false))
        .collect();
    let mut story = Story::start(80, 24);
    let server = |call: &Call| match call {
        Call::SpaceContent { window, .. } => Ok(Reply::SpaceContent(SpaceContent::ByType {
            page: page(&all, *window),
            blogpost: page(&[], *window),
        })),
        other => wiki(other),
    };
    story.answer_all(&server);
    story.rest();
    story.answer_all(&server);
    story.keys("3 j");
    let bottom = bottom_of(&story);
    assert!(bottom.ends_with("2 of 40 ─╯"), "{bottom}");
}

#[test]
fn the_column_that_a_list_is_sorted_by_has_an_arrow() {
    let mut story = Story::browsing(120, 40);
    for (keys, head) in [
        ("s 1", "KEY ↑      NAME                       STATUS "),
        ("s 2", "KEY ↓      NAME                       STATUS "),
        ("s 3", "KEY        NAME ↑                     STATUS "),
        ("s 4", "KEY        NAME ↓                     STATUS "),
        ("s 5", "KEY        NAME                       STATUS ↑"),
    ] {
        story.keys(keys);
        assert!(story.screen().contains(head), "{keys}\n{}", story.screen());
    }
    // The best match first is no order of a column.
    story.keys("s 1 /").types("e");
    let screen = story.screen();
    assert!(screen.contains("KEY        NAME  "), "{screen}");
    story.keys("Enter s 3");
    let screen = story.screen();
    assert!(screen.contains("NAME ↑"), "{screen}");
}

#[test]
fn keys_have_the_columns_that_they_need_where_names_leave_them() {
    let pair = |key: &str, name: &str| (key.to_owned(), name.to_owned());
    let mut all: Vec<_> = (0..60)
        .map(|n| pair(&format!("S{n:02}"), &format!("Space {n}")))
        .collect();
    all.push(pair("~lena@ternhaven.example", "Lena Brandvik"));
    let names_at = |story: &Story| {
        let screen = story.screen();
        let head = screen.lines().nth(2).unwrap_or_default();
        head.find("NAME")
    };
    for (width, height) in [(80, 24), (200, 60)] {
        let mut story = with_spaces(&all, width, height);
        let top = names_at(&story);
        story.keys("G");
        let screen = story.screen();
        assert!(
            screen.contains(" ~lena@ternhaven.example  Lena"),
            "{screen}"
        );
        assert_eq!(names_at(&story), top, "it stays where it is");
    }
    // A third of the list at most.
    let mut story = with_spaces(&all, 120, 40);
    story.keys("G");
    let screen = story.screen();
    assert!(screen.contains(" ~lena@ternhaven…  Lena"), "{screen}");
    // Names that fill their column keep it.
    for (_, name) in &mut all {
        name.push_str(" and all that belongs to it");
    }
    let mut story = with_spaces(&all, 120, 40);
    story.keys("G");
    let screen = story.screen();
    assert!(screen.contains(" ~lena@te…  Lena"), "{screen}");
}

/// A server that is down.
fn down(_: &Call) -> Answer {
    Err(error(
        ErrorKind::Server,
        503,
        "wiki.example.com answers 503.",
    ))
}

#[test]
fn a_pane_that_failed_offers_first_what_it_promises() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut story = Story::browsing(width, height);
        assert!(!story.footer().contains("try again"), "{}", story.footer());
        story.keys("r").answer_all(&down);
        assert!(
            story.footer().starts_with(" j/k move  r try again"),
            "{}",
            story.screen()
        );
        // What has not failed is only read again.
        story.keys("2");
        assert!(!story.footer().contains("try again"), "{}", story.footer());
        story.keys("r").answer_all(&down);
        assert!(story.footer().contains("r try again"), "{}", story.screen());
        story.keys("3 t").answer_all(&down);
        assert!(
            story.footer().starts_with(" j/k move  r try again"),
            "{}",
            story.screen()
        );
        story.keys("r").answer_all(&wiki);
        assert!(!story.footer().contains("try again"), "{}", story.footer());
    }
}

#[test]
fn what_a_pane_in_sight_tells_is_no_notice_as_well() {
    let failed = "The list of spaces could not be read: wiki.example.com answers 503.";
    let logged = |story: &Story| {
        let mut log = story.model.log.iter();
        log.any(|it| it.line.text.starts_with(failed))
    };
    let mut story = Story::browsing(120, 40);
    story.keys("r").answer_all(&down);
    assert!(story.model.toasts.is_empty(), "{}", story.screen());
    assert!(logged(&story));
    let screen = story.screen();
    assert_eq!(screen.matches("answers 503").count(), 1, "{screen}");
    // Below a dialog, or on another screen, it is.
    for keys in ["r ?", "r T"] {
        let mut story = Story::browsing(120, 40);
        story.keys(keys).answer_all(&down);
        let told = |text: &str| text.starts_with(failed);
        assert!(
            story.model.toasts.iter().any(|toast| told(&toast.text)),
            "{keys}\n{}",
            story.screen()
        );
    }
    // So is the sign-in, which the list tells of.
    let mut story = Story::start(120, 40);
    story.answer_all(&down);
    assert!(story.model.toasts.is_empty(), "{}", story.screen());
    assert!(story.screen().contains("answers 503"));
}

#[test]
fn a_failure_stands_below_the_rows_and_its_key_behind_it() {
    let mut story = Story::browsing(120, 40);
    story.keys("r").answer_all(&down);
    let screen = story.screen();
    let line = |part: &str| {
        let line = screen.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("{part}\n{screen}"))
    };
    assert!(line("503.").starts_with("│  wiki"), "{screen}");
    assert!(line("Operations").starts_with("│  OPS"), "{screen}");
    let last = line("r tries again.");
    let before = last.split("r tries again.").next().unwrap_or_default();
    assert!(
        before.ends_with(".  ") && before.trim().len() > 3,
        "behind the sentence, or below it: {screen}"
    );
    assert!(story.drawn_as_keys().contains(&"r".to_owned()), "{screen}");
}

#[test]
fn what_lies_over_the_screen_is_closed_and_steps_only_through_hits() {
    for open in ["?", "L"] {
        let mut story = Story::browsing(120, 40);
        story.keys(open);
        let footer = story.footer();
        assert!(footer.contains("q close"), "{footer}");
        assert!(!footer.contains("n next"), "{footer}");
        story.keys("/").types("e").keys("Enter");
        assert!(story.footer().contains("n next"), "{}", story.footer());
    }
}

#[test]
fn the_welcome_offers_to_choose() {
    let mode = StartMode::Welcome {
        config_path: "~/.config/coracle/config.toml".to_owned(),
    };
    let mut story = Story::with(80, 24, mode, Writes::Allowed);
    assert!(
        story.footer().contains("Enter choose"),
        "{}",
        story.footer()
    );
    assert!(!story.footer().contains("jobs"), "{}", story.footer());
    story.keys("?");
    assert!(!story.footer().contains("Enter choose"));
}
