//! Stories of somebody who looks through the trash: as a tree and as a table, by filters, with a
//! preview beside it, and out of it into a file.

use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, Size};
use coracle::app::tree::Presence;
use coracle::confluence::{
    Call, Content, ContentId, ContentKind, ContentMore, ContentStatus, CursorPage, ErrorKind,
    Person, Reply, Version,
};
use proptest::prelude::*;

use crate::screens::at_every_size;
use crate::story::{Answer, Story, error, moment, trashed, wiki};
use coracle::ui::theme::Theme;

const BODY: &str = r#"<h1>When the database fails</h1>
<p>Call <a href="https://pager.example.com">the pager</a>, then <strong>wait</strong>.</p>
<table><tbody><tr><th>Host</th><th>Role</th></tr><tr><td>db-1</td><td>primary</td></tr></tbody></table>
<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter>
<ac:plain-text-body><![CDATA[pg_ctl promote && echo "done"]]></ac:plain-text-body></ac:structured-macro>
<ac:structured-macro ac:name="warning"><ac:rich-text-body><p>Never both at once.</p></ac:rich-text-body></ac:structured-macro>
<ac:task-list><ac:task><ac:task-status>complete</ac:task-status><ac:task-body>Read this</ac:task-body></ac:task>
<ac:task><ac:task-status>incomplete</ac:task-status><ac:task-body>Try it</ac:task-body></ac:task></ac:task-list>
<ul><li>one</li><li>two</li></ul>"#;

fn item(id: &str, title: &str, by: &str, when: &str, above: &[(&str, &str)]) -> Content {
    Content {
        version: Some(Version {
            number: Some(7),
            when: Some(moment(when)),
            by: Some(Person {
                display_name: by.to_owned(),
                ..Person::default()
            }),
            message: None,
        }),
        ..trashed(id, title, above)
    }
}

fn items() -> Vec<Content> {
    let (home, gone) = (("1", "Home"), ("9", "Old runbooks"));
    let mut post = item("33", "We moved", "A. Smith", "2026-11-02T10:00:00Z", &[]);
    post.kind = ContentKind::BlogPost;
    vec![
        item("30", "Policies", "J. Doe", "2019-05-01T10:00:00Z", &[home]),
        item(
            "31",
            "Policy, \"old\"",
            "J. Doe",
            "2020-01-19T10:00:00Z",
            &[home, ("30", "Policies")],
        ),
        item(
            "32",
            "Database failover",
            "A. Smith",
            "2024-06-01T10:00:00Z",
            &[home, gone],
        ),
        post,
    ]
}

/// The sample wiki with a trash whose parents are alive, trashed, and gone.
fn server(call: &Call) -> Answer {
    match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: items(),
            next: None,
            total: Some(4),
        })),
        Call::Content { id, status, expand } => {
            let found = items().into_iter().find(|item| item.id == *id);
            let content = match (id.as_str(), status, found) {
                ("1", None, _) => Content {
                    status: Some(ContentStatus::Current),
                    ..crate::story::content("1", "Home", 3, true)
                },
                (_, Some(ContentStatus::Trashed), Some(item)) => item,
                _ => {
                    return Err(error(
                        ErrorKind::NotFound,
                        404,
                        "There is nothing at this address.",
                    ));
                }
            };
            let body = expand.contains("body.storage").then(|| BODY.to_owned());
            Ok(Reply::Content(Box::new(Content {
                more: Some(Box::new(ContentMore {
                    body_storage: body,
                    ..ContentMore::default()
                })),
                ..content
            })))
        }
        other => wiki(other),
    }
}

/// Answers what was asked of the disk: reads with `state`, writes with success.
fn answer_disk(story: &mut Story, state: Option<&str>) -> Vec<DiskCall> {
    let mut calls = Vec::new();
    for effect in std::mem::take(&mut story.effects) {
        if let Effect::Disk { ticket, call } = effect {
            let outcome = match &call {
                DiskCall::ReadState { name } if name.starts_with("seen-") => {
                    DiskReply::Text(state.map(str::to_owned))
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

fn in_trash(width: u16, height: u16) -> Story {
    let mut story = Story::browsing(width, height);
    story.keys("t").answer_all(&server);
    let known = r#"{"format":1,"days":{"2025-03-04":"u"}}"#;
    answer_disk(&mut story, Some(known));
    story.answer_all(&server);
    story
}

#[test]
fn the_trash_as_a_tree_tells_what_became_of_parents() {
    at_every_size("triage-tree", in_trash);
    let story = in_trash(200, 60);
    let tree = &story.model.content.trees.trash.tree;
    let presence = |id: &str| {
        tree.find(&ContentId::new(id))
            .and_then(|ix| tree.presence(ix))
    };
    assert_eq!(presence("1"), Some(Presence::Alive));
    assert_eq!(presence("9"), Some(Presence::Gone));
}

#[test]
fn the_trash_as_a_table() {
    at_every_size("triage-table", |width, height| {
        let mut story = in_trash(width, height);
        story.keys("v").answer_all(&server);
        story
    });
}

#[test]
fn each_parent_is_asked_for_once() {
    let mut story = in_trash(120, 40);
    story.keys("v j j k v g G").rest();
    story.answer_all(&server);
    let asked = |status: Option<ContentStatus>| {
        let is = |call: &&Call| matches!(call, Call::Content { status: s, .. } if *s == status);
        story.sent.iter().filter(is).count()
    };
    assert_eq!(asked(None), 2);
    assert_eq!(
        asked(Some(ContentStatus::Trashed)),
        1,
        "only of the one that is not in its place"
    );
}

#[test]
fn the_first_sight_is_kept_from_run_to_run() {
    let mut story = Story::browsing(200, 60);
    story.keys("t").answer_all(&server);
    let asked = answer_disk(
        &mut story,
        Some(r#"{"format":1,"days":{"2025-03-04":"u"}}"#),
    );
    assert!(
        asked.contains(&DiskCall::ReadState {
            name: "seen-ENG.json".to_owned()
        }),
        "{asked:?}"
    );
    let screen = story.screen();
    assert!(screen.contains("2025-03-04"), "{screen}");
    assert!(screen.contains("today"), "{screen}");
    let written = answer_disk(&mut story, None);
    let text = match &written[..] {
        [DiskCall::WriteState { name, text }] if name == "seen-ENG.json" => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        text,
        r#"{"format":1,"days":{"2025-03-04":"u","2026-11-23":"v 1 1"}}"#
    );
    // What was read again is known already: nothing is written.
    story.keys("r").answer_all(&server);
    answer_disk(&mut story, Some(&text));
    assert_eq!(answer_disk(&mut story, None), []);
}

#[test]
fn filters_know_fields_and_say_how_many_match() {
    for (text, matches) in [
        ("type:page", 3),
        ("type:blog", 1),
        ("by:smith", 2),
        ("!by:smith", 2),
        ("before:2024-06-01", 2),
        ("after:2024-06-01", 2),
        ("older:90d", 3),
        ("newer:90d", 1),
        ("under:home", 3),
        ("under:\"Old runbooks\"", 1),
        ("under:policies", 1),
        ("polic by:doe before:2020", 1),
    ] {
        let mut story = in_trash(120, 40);
        story.keys("/").types(text);
        assert_eq!(
            story.model.content.trees.trash.tree.matched(),
            Some(matches),
            "{text}"
        );
        let said = format!("{matches} of 4 read");
        assert!(story.screen().contains(&said), "{text}\n{}", story.screen());
    }
}

#[test]
fn a_term_that_is_not_finished_keeps_the_last_result_and_says_so() {
    let mut story = in_trash(120, 40);
    story.keys("/").types("polic before:2020");
    let rows = story.model.content.trees.trash.tree.rows().to_vec();
    assert_eq!(rows.len(), 2, "the item and its parent");
    story.types("-");
    assert_eq!(story.model.content.trees.trash.tree.rows(), rows);
    assert!(
        story.screen().contains("is not a date"),
        "{}",
        story.screen()
    );
    story.types("06");
    assert_eq!(story.model.content.trees.trash.tree.matched(), Some(2));
    assert!(
        !story.screen().contains("is not a date"),
        "{}",
        story.screen()
    );
}

#[test]
fn all_that_the_filter_shows_is_marked_and_nothing_else() {
    let mut story = in_trash(120, 40);
    story.keys("/").types("by:smith").keys("Enter *");
    let marked: Vec<String> = story
        .model
        .content
        .trees
        .trash
        .marks
        .iter()
        .map(|id| id.to_string())
        .collect();
    assert_eq!(marked, ["32", "33"]);
    story.keys("/").types("policies");
    assert!(
        story.screen().contains("2 marked, 2 hidden"),
        "{}",
        story.screen()
    );
}

fn long(count: u32) -> impl Fn(&Call) -> Answer {
    move |call| match call {
        Call::Trash { cursor, limit, .. } => {
            let start: u32 = cursor.as_ref().map_or(0, |c| c.0.parse().expect("ours"));
            let end = (start + u32::try_from(*limit).expect("small")).min(count);
            let results = (start..end)
                .map(|n| {
                    trashed(
                        &(1_000 + n).to_string(),
                        &format!("Item {n}"),
                        &[("1", "Home")],
                    )
                })
                .collect();
            let next = (end < count).then(|| coracle::confluence::Cursor(end.to_string()));
            Ok(Reply::Trash(CursorPage {
                results,
                next,
                total: Some(u64::from(count)),
            }))
        }
        other => server(other),
    }
}

#[test]
fn a_long_trash_is_filtered_in_slices_while_keys_are_taken() {
    let mut story = Story::browsing(120, 40);
    let wiki = long(50_000);
    story.keys("t").answer_all(&wiki);
    assert!(
        story.model.content.trees.trash.tree.items() < 2_000,
        "no more than is looked at"
    );
    story.keys("/").answer_all(&wiki);
    story.rest();
    story.answer_all(&wiki);
    assert_eq!(story.model.content.trees.trash.tree.items(), 50_000);
    story.rest();
    story.types("'4999");
    let tree = &story.model.content.trees.trash.tree;
    assert!(tree.is_looking(), "not all at once");
    assert!(tree.rows().len() > 50_000, "the rows are still there");
    assert_eq!(story.model.deadline(), Some(story.model.now));
    story.rest();
    let tree = &story.model.content.trees.trash.tree;
    assert!(!tree.is_looking());
    assert_eq!(tree.matched(), Some(15));
    assert!(
        story.screen().contains("15 of 50,000 read"),
        "{}",
        story.screen()
    );
    assert!(
        story.screen().contains("▸     Item 4999"),
        "{}",
        story.screen()
    );
    assert!(
        story.model.content.trees.trash.tree.due().is_none(),
        "and then it rests"
    );
}

fn with_preview(width: u16, height: u16) -> Story {
    let mut story = in_trash(width, height);
    story.keys("G k p").answer_all(&server);
    story
}

#[test]
fn the_preview_shows_the_text() {
    at_every_size("triage-preview", with_preview);
}

#[test]
fn the_preview_says_when_there_is_no_text() {
    at_every_size("triage-preview-empty", |width, height| {
        let mut story = in_trash(width, height);
        story.keys("p").answer_all(&|call| match call {
            Call::Content { .. } => {
                let Ok(Reply::Content(mut content)) = server(call) else {
                    return server(call);
                };
                content.more = None;
                Ok(Reply::Content(content))
            }
            other => server(other),
        });
        story
    });
}

#[test]
fn the_preview_says_what_went_wrong() {
    at_every_size("triage-preview-failed", |width, height| {
        let mut story = in_trash(width, height);
        story.keys("p").answer_all(&|_| {
            Err(error(
                ErrorKind::Forbidden,
                403,
                "You may not see this content.",
            ))
        });
        story
    });
}

#[test]
fn the_preview_follows_the_cursor_when_it_rests_and_gives_up_what_is_passed_over() {
    let mut story = in_trash(120, 40);
    story.keys("g j p");
    assert!(
        matches!(story.sent.last(), Some(Call::Content { id, status: Some(ContentStatus::Trashed), expand })
            if id.as_str() == "30" && expand.contains("body.storage")),
        "{:?}",
        story.sent.last()
    );
    let before = story.sent.len();
    story.keys("j");
    assert!(story.open.is_empty(), "the request is given up");
    story.keys("j j");
    assert_eq!(
        story.sent.len(),
        before,
        "nothing is asked for what is passed over"
    );
    story.rest();
    assert_eq!(story.sent.len(), before + 1);
    story.answer_all(&server);
    assert!(
        story.screen().contains("When the database fails"),
        "{}",
        story.screen()
    );
    // What was shown is shown again without asking.
    story.keys("k").rest();
    story.answer_all(&server);
    let asked = story.sent.len();
    story.keys("j").rest();
    assert_eq!(story.sent.len(), asked);
    story.keys("Esc");
    assert!(!story.model.preview.is_open);
}

#[test]
fn the_preview_is_scrolled_and_searched() {
    let mut story = with_preview(80, 24);
    assert!(
        story.model.preview_has_keys(),
        "nothing else is on the screen"
    );
    story.keys("/").types("never").keys("Enter n");
    assert!(
        story.screen().contains("Never both at once"),
        "{}",
        story.screen()
    );
    let top = story.model.preview.top;
    story.keys("g");
    assert_eq!(story.model.preview.top, 0);
    story.keys("N");
    assert_eq!(story.model.preview.top, top);
    story.keys("Esc");
    assert!(story.model.preview.is_open, "the search goes first");
    story.keys("q");
    assert!(!story.model.preview.is_open);
    assert!(!story.model.quitting);
    let mut story = with_preview(120, 40);
    assert!(!story.model.preview_has_keys(), "the tree is beside it");
    story.keys("Tab");
    assert!(story.model.preview_has_keys());
    story.keys("j");
    assert_eq!(story.model.preview.top, 1);
    story.keys("p");
    assert!(!story.model.preview.is_open);
}

#[test]
fn without_storage_format_the_shown_form_is_asked_for() {
    let mut story = in_trash(120, 40);
    story.keys("p").answer_all(&|call| match call {
        Call::Content { expand, .. } => {
            let Ok(Reply::Content(mut content)) = server(call) else {
                return server(call);
            };
            let shown = expand.contains("body.view");
            content.more = Some(Box::new(ContentMore {
                body_view: shown.then(|| "<p>As it <b>looks</b>.</p>".to_owned()),
                ..ContentMore::default()
            }));
            Ok(Reply::Content(content))
        }
        other => server(other),
    });
    assert!(
        story.screen().contains("As it looks."),
        "{}",
        story.screen()
    );
}

fn exported(story: &mut Story, key: &str) -> (String, String) {
    story.keys("E").keys(key);
    let exported = answer_disk(story, None);
    match &exported[..] {
        [DiskCall::Export { name, text }] => (name.clone(), text.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_listed_goes_into_a_file() {
    let mut story = in_trash(120, 40);
    answer_disk(&mut story, None);
    story.keys("/").types("polic").keys("Enter");
    let (name, text) = exported(&mut story, "c");
    assert_eq!(name, "trash-ENG-2026-11-23.csv");
    assert_eq!(
        text,
        "id,type,title,version,last_edit,last_edit_by,former_parent,former_parent_is,first_seen_in_trash\r\n\
         30,page,Policies,7,2019-05-01T10:00:00Z,J. Doe,Home,alive,2025-03-04\r\n\
         31,page,\"Policy, \"\"old\"\"\",7,2020-01-19T10:00:00Z,J. Doe,Policies,listed,2026-11-23\r\n"
    );
    assert!(
        story.screen().contains("/exports/trash-ENG-2026-11-23.csv"),
        "{}",
        story.screen()
    );
    let (_, text) = exported(&mut story, "n");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["title"], "Policy, \"old\"");
    assert_eq!(lines[1]["version"], 7);
}

#[test]
fn no_cell_of_an_export_is_a_formula() {
    let titles = [
        "=HYPERLINK(\"http://evil.example\";\"Click\")",
        "+1",
        "-1+cmd|' /C calc'!A0",
        "@SUM(1)",
        "'quoted",
        "a=b",
    ];
    let evil = move |call: &Call| match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: titles
                .iter()
                .zip(40..)
                .map(|(title, id)| {
                    item(&id.to_string(), title, "=1+1", "2019-05-01T10:00:00Z", &[])
                })
                .collect(),
            next: None,
            total: Some(titles.len() as u64),
        })),
        other => server(other),
    };
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&evil);
    answer_disk(&mut story, None);
    story.answer_all(&evil);
    answer_disk(&mut story, None);
    let (_, text) = exported(&mut story, "c");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.expect("it is CSV");
        for cell in &record {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
        found.push(record[2].to_owned());
    }
    for title in titles {
        let shown = if title.starts_with(['\'', 'a']) {
            title.to_owned()
        } else {
            format!("'{title}")
        };
        assert!(found.contains(&shown), "{shown} {found:?}");
    }
    let (_, text) = exported(&mut story, "n");
    assert!(text.contains(r#""title":"+1""#), "{text}");
}

#[test]
fn a_list_that_was_not_read_to_its_end_says_so_in_the_file() {
    let mut story = Story::browsing(120, 40);
    let wiki = long(5_000);
    story.keys("t").answer_all(&wiki);
    answer_disk(&mut story, None);
    answer_disk(&mut story, None);
    let (name, text) = exported(&mut story, "n");
    assert_eq!(name, "trash-ENG-2026-11-23-truncated.ndjson");
    let last = text.lines().last().expect("a line");
    assert!(
        last.contains("\"truncated\":true") && last.contains("\"total\":5000"),
        "{last}"
    );
    let (_, text) = exported(&mut story, "c");
    let columns = |line: &str| line.matches(',').count();
    let head = columns(text.lines().next().expect("a head"));
    assert!(text.lines().all(|line| columns(line) == head), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a body holds, as storage format or as HTML, no cell of the screen holds a
    /// character that a terminal would take for a command, or that turns the text around.
    #[test]
    fn no_body_brings_an_escape_to_the_screen(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        wrapped in any::<bool>(),
        html in any::<bool>(),
    ) {
        let mut body = String::from_utf8_lossy(&bytes).into_owned();
        body.push_str("\u{1b}]52;c;x\u{7}\u{9b}31m\u{202e}&#27;[2J&#x9b;&#8238;");
        if wrapped {
            body = format!("<p>{body}</p><ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[{body}]]></ac:plain-text-body></ac:structured-macro>");
        }
        let mut story = in_trash(120, 40);
        story.keys("p").answer_all(&|call| match call {
            Call::Content { .. } => {
                let Ok(Reply::Content(mut content)) = server(call) else {
                    return server(call);
                };
                content.more = Some(Box::new(ContentMore {
                    body_storage: (!html).then(|| body.clone()),
                    body_view: html.then(|| body.clone()),
                    ..ContentMore::default()
                }));
                Ok(Reply::Content(content))
            }
            other => server(other),
        });
        let screen = story.screen_of_any_text();
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        prop_assert!(!screen.contains(bad), "{screen:?}");
    }
}

#[test]
fn after_a_filter_without_hits_the_cursor_is_back_where_it_was() {
    let mut story = in_trash(120, 40);
    story.keys("j j");
    let under = |story: &Story| {
        let outline = &story.model.content.trees.trash;
        outline.node().map(|(_, node)| node.title.to_owned())
    };
    let before = under(&story);
    assert_eq!(before.as_deref(), Some("Old runbooks"));
    // First something that matches, which moves the cursor, then nothing.
    story.keys("/").types("moved");
    assert_eq!(under(&story).as_deref(), Some("We moved"));
    story.types(" nowhere");
    assert_eq!(story.model.content.trees.trash.tree.matched(), Some(0));
    story.keys("Esc");
    assert_eq!(under(&story), before);
    // Kept by Enter and cleared later it is the same.
    story.keys("/").types("nowhere").keys("Enter Esc");
    assert_eq!(under(&story), before);
}

#[test]
fn with_marks_the_matches_are_still_told() {
    let mut story = in_trash(120, 40);
    story.keys("Space /").types("by:smith").keys("Enter");
    let screen = story.screen();
    assert!(
        screen.contains("2 of 4 read · 1 marked, 1 hidden"),
        "{screen}"
    );
}

#[test]
fn a_long_trash_is_sorted_in_slices_while_keys_are_taken() {
    let mut story = Story::browsing(120, 40);
    let wiki = long(60_000);
    story.keys("t / Esc").answer_all(&wiki);
    story.rest();
    story.answer_all(&wiki);
    story.rest();
    assert_eq!(story.model.content.trees.trash.tree.items(), 60_000);
    for view in ["", "v"] {
        story.keys(view).rest();
        story.keys("s 2");
        let before = story.model.content.trees.trash.tree.rows().to_vec();
        let mut slices = 0;
        while story.model.deadline() == Some(story.model.now) {
            assert_eq!(
                story.model.content.trees.trash.tree.rows().len(),
                before.len(),
                "the old rows stay meanwhile"
            );
            story.happen(Msg::Clock);
            slices += 1;
        }
        assert!(slices > 10, "{slices} slices");
        let tree = &story.model.content.trees.trash.tree;
        let titles: Vec<String> = tree
            .rows()
            .iter()
            .filter_map(|row| match row {
                coracle::app::tree::Row::Node(ix, _) => Some(tree.node(*ix)),
                coracle::app::tree::Row::Rest(..) => None,
            })
            .filter(|node| node.standing == coracle::app::tree::Standing::Item)
            .map(|node| node.title.to_lowercase())
            .collect();
        assert_eq!(titles.len(), 60_000);
        assert!(titles.is_sorted(), "{view}");
        story.keys("s 3").rest();
    }
}

#[test]
fn enter_shows_the_text_of_what_has_nothing_below_it() {
    for (view, row) in [("", "G"), ("v", "g")] {
        let mut story = in_trash(120, 40);
        story.keys(view).answer_all(&server);
        story.keys(row);
        let before = story.model.content.trees.trash.at.clone();
        story.keys("Enter").answer_all(&server);
        assert!(story.model.preview.is_open);
        assert_eq!(story.model.content.trees.trash.at, before);
        assert!(
            story.screen().contains("When the database fails"),
            "{}",
            story.screen()
        );
    }
    // What has something below it is expanded and collapsed.
    let mut story = in_trash(120, 40);
    let rows = story.model.content.trees.trash.tree.rows().len();
    story.keys("g Enter").answer_all(&server);
    assert!(!story.model.preview.is_open);
    assert!(story.model.content.trees.trash.tree.rows().len() < rows);
}

#[test]
fn without_a_match_it_is_said_whether_all_was_read() {
    let mut story = in_trash(120, 40);
    story.keys("/").types("zzzz");
    let screen = story.screen();
    assert!(
        screen.contains("Nothing matches. Esc clears the filter."),
        "{screen}"
    );
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&long(5_000));
    story.keys("/").types("zzzz");
    let screen = story.screen();
    assert!(screen.contains("Nothing that is read matches."), "{screen}");
}

#[test]
fn a_filter_that_makes_no_sense_says_what_to_type() {
    let mut story = in_trash(80, 24);
    story.keys("/").types("befor:2020");
    let screen = story.screen();
    assert!(
        screen.contains("There is no field `befor` in this list."),
        "{screen}"
    );
    let mut story = in_trash(200, 60);
    story.keys("3 /").types("befor:2020");
    let screen = story.screen();
    assert!(screen.contains("Did you mean `before:`?"), "{screen}");
}

#[test]
fn an_empty_trash_offers_nothing_to_do_with_items() {
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&|call| match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: Vec::new(),
            next: None,
            total: None,
        })),
        other => server(other),
    });
    let screen = story.screen();
    let footer = screen.lines().last().expect("a footer");
    assert!(
        !footer.contains("purge") && !footer.contains("restore"),
        "{footer}"
    );
    story.keys("x");
    let screen = story.screen();
    assert!(
        screen.contains("There is nothing in the trash of this space."),
        "{screen}"
    );
    assert!(in_trash(120, 40).screen().contains("u restore  x purge"));
}

#[test]
fn what_a_filter_matched_is_picked_out_as_long_as_it_is_applied() {
    const NOTHING: [&str; 0] = [];
    // In the titles of the trash, as a tree and as a table.
    for view in ["", "v"] {
        let mut story = in_trash(120, 40);
        story.keys(view);
        assert_eq!(story.picked_out(), NOTHING);
        story.keys("/").types("poli");
        assert_eq!(story.picked_out(), ["Poli", "Poli"]);
        story.keys("Enter j");
        assert_eq!(story.picked_out(), ["Poli", "Poli"], "under the cursor too");
        story.keys("Esc");
        assert_eq!(story.picked_out(), NOTHING);
        // Whom a filter asks for stands in no title.
        story.keys("/").types("by:doe");
        assert_eq!(story.picked_out(), NOTHING);
    }
    // In the titles of pages.
    let mut story = Story::browsing(120, 40);
    story.keys("3 /").types("om");
    assert_eq!(story.picked_out(), ["om"]);
    // In keys and names of spaces, which a filter looks at together.
    let mut story = Story::browsing(120, 40);
    story.keys("/").types("eng");
    assert_eq!(story.picked_out(), ["ENG"]);
    story.keys("Esc /").types("gineer");
    assert_eq!(story.picked_out(), ["gineer"]);
    story.keys("Esc");
    assert_eq!(story.picked_out(), NOTHING);
}

/// The trash of a space that holds these, read.
fn trash_with(items: &[Content], width: u16, height: u16) -> Story {
    let server = |call: &Call| match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: items.to_vec(),
            next: None,
            total: Some(items.len() as u64),
        })),
        other => wiki(other),
    };
    let mut story = Story::browsing(width, height);
    story.keys("t").answer_all(&server);
    answer_disk(&mut story, None);
    story.answer_all(&server);
    story
}

/// The line that names the columns, from the title on, with single blanks.
fn heads(story: &Story) -> String {
    let screen = story.screen();
    let at = screen.find("TITLE").unwrap_or_else(|| panic!("{screen}"));
    let line = screen[at..].lines().next().unwrap_or_default();
    let words: Vec<_> = line.trim_end_matches('│').split_whitespace().collect();
    words.join(" ")
}

#[test]
fn titles_keep_their_columns_and_what_says_little_goes_first() {
    let day = "2022-11-15T10:00:00Z";
    let long = [
        item("40", "Fax gateway: list of numbers", "J. Doe", day, &[]),
        item("41", "Fax gateway: list of models", "J. Doe", day, &[]),
    ];
    for (width, names) in [
        (80, "TITLE TYPE LAST EDIT FIRST SEEN"),
        (100, "TITLE TYPE LAST EDIT"),
        (120, "TITLE TYPE LAST EDIT FIRST SEEN"),
        (200, "TITLE TYPE LAST EDIT BY FIRST SEEN"),
    ] {
        let story = trash_with(&long, width, 40);
        assert_eq!(heads(&story), names);
        let screen = story.screen();
        assert!(screen.contains("list of numbers "), "{screen}");
        assert!(screen.contains("list of models "), "{screen}");
    }
    let shown = [56, 63, 66, 90, 100, 103, 118, 140, 160].map(|width| {
        let mut story = trash_with(&long, width, 40);
        let tree = story.screen();
        story.keys("v");
        [tree, story.screen()]
    });
    assert!(shown[8][1].contains("FORMER PARENT"), "{}", shown[8][1]);
    for screen in shown.iter().flatten() {
        let line = screen.lines().find(|line| line.contains("TITLE"));
        let line = line.and_then(|line| line.split_once("TITLE"));
        let title = line.map_or("", |(_, rest)| rest);
        let wide = title.chars().take_while(|c| *c == ' ').count() + 5;
        assert!(wide >= 30, "{screen}");
    }
}

#[test]
fn a_type_has_four_letters_until_there_is_room_for_more() {
    let mut story = in_trash(80, 24);
    let screen = story.screen();
    assert!(
        screen.contains(" TYPE  LAST EDIT   FIRST SEEN "),
        "{screen}"
    );
    assert!(screen.contains(" blog  2026-11-02  "), "{screen}");
    // What became of a parent has the room of the other columns.
    assert!(screen.contains(" parent, alive "), "{screen}");
    assert!(screen.contains(" parent, gone or hidden "), "{screen}");
    story.happen(Msg::Resized(Size {
        width: 100,
        height: 30,
    }));
    let screen = story.screen();
    assert!(!screen.contains("FIRST SEEN"), "{screen}");
    assert!(screen.contains(" parent, gone or hidden "), "{screen}");
}

#[test]
fn names_of_editors_are_whole_where_titles_leave_room() {
    let by = "Magdalena Kowalska-Brandvik";
    let day = "2022-11-15T10:00:00Z";
    let items = [item("40", "Fax gateway", by, day, &[])];
    let screen = trash_with(&items, 200, 60).screen();
    assert!(screen.contains(by), "{screen}");
    assert!(screen.contains("FIRST SEEN"), "{screen}");
}

#[test]
fn where_parents_stand_among_the_items_the_place_is_that_of_a_row() {
    let day = "2022-11-15T10:00:00Z";
    let items: Vec<_> = (100..140)
        .map(|id| item(&id.to_string(), "Draft", "J. Doe", day, &[("9", "Gone")]))
        .collect();
    let mut story = trash_with(&items, 80, 24);
    let screen = story.screen();
    assert!(screen.contains(" row 2 of 41 ─╯"), "{screen}");
    story.keys("v");
    let screen = story.screen();
    assert!(screen.contains("─ 1 of 40 ─╯"), "{screen}");
}

/// The sample wiki with nothing in any trash.
fn tidy(call: &Call) -> Answer {
    match call {
        Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
            results: Vec::new(),
            next: None,
            total: Some(0),
        })),
        other => wiki(other),
    }
}

#[test]
fn an_empty_trash_is_not_purged_and_says_that_it_is_empty() {
    let mut story = Story::start(120, 40);
    story.answer_all(&tidy).rest();
    story.answer_all(&tidy);
    // Whether there is something in it is not known yet.
    story.keys("P");
    assert!(story.screen().contains("Type ENG to purge its trash"));
    story.keys("Esc t").answer_all(&tidy);
    story.keys("P");
    assert!(story.model.modals.is_empty(), "{}", story.screen());
    let told = "There is nothing in the trash of this space.";
    assert!(story.screen().contains(told), "{}", story.screen());
    // What is known of one space says nothing of the next.
    story.keys("1 j P");
    assert!(story.screen().contains("Type HR to purge its trash"));
}

#[test]
fn the_search_says_which_hit_it_is_at_and_marks_it() {
    let mut story = with_preview(80, 40);
    let title = "Database failover";
    let on_screen = |story: &Story| story.screen().matches(title).count();
    assert_eq!(on_screen(&story), 1, "{}", story.screen());
    story.keys("/").types("in").keys("Enter");
    let hits = story.picked_out().len();
    assert!(hits > 2, "{}", story.screen());
    let line = |story: &Story| {
        let screen = story.screen();
        let mut lines = screen.lines().map(ToOwned::to_owned);
        lines
            .find(|line| line.starts_with("│▸"))
            .unwrap_or_default()
    };
    let mut seen = Vec::new();
    for at in 1..=hits {
        let told = format!("/ in {at} of {hits} ");
        assert!(story.screen().contains(&told), "{told}\n{}", story.screen());
        assert!(
            line(&story).to_lowercase().contains("in"),
            "{}",
            story.screen()
        );
        seen.push((line(&story), story.looks(&Theme::auto())));
        story.keys("n");
    }
    assert!(
        story.screen().contains(&format!("/ in 1 of {hits} ")),
        "round"
    );
    // No two hits look alike, also those that share a line.
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
    story.keys("N");
    assert!(story.screen().contains(&format!("/ in {hits} of {hits} ")));
    // A search that finds nothing says so; without one there is nothing to step to.
    story.keys("/").types("zzz").keys("Enter");
    assert!(story.screen().contains("/ zzz nothing found"));
    assert!(story.footer().contains("n next"), "{}", story.footer());
    story.keys("Esc");
    assert!(!story.footer().contains("n next"), "{}", story.footer());
    assert!(!line(&story).starts_with("│▸"));
}

#[test]
fn the_title_stays_in_sight_once_when_the_text_is_scrolled() {
    let mut story = with_preview(80, 12);
    let border = |story: &Story| story.screen().lines().nth(1).map(str::to_owned);
    let titled = |story: &Story| border(story).is_some_and(|it| it.contains("Database failover"));
    assert!(!titled(&story), "the text begins with it");
    story.keys("j");
    assert!(titled(&story), "{}", story.screen());
}

#[test]
fn the_footer_of_a_preview_offers_what_it_does() {
    let mut story = with_preview(80, 24);
    for (offered, is) in [
        ("p close", true),
        ("p preview", false),
        ("n next", false),
        ("Tab pane", false),
        ("back", false),
    ] {
        assert_eq!(
            story.footer().contains(offered),
            is,
            "{offered}: {}",
            story.footer()
        );
    }
    story.keys("p");
    assert!(story.footer().contains("p preview"), "{}", story.footer());
    let story = with_preview(120, 40);
    assert!(story.footer().contains("p close"), "{}", story.footer());
    assert!(story.footer().contains("Tab pane"), "{}", story.footer());
}
