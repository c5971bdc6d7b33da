//! What a person is told: true, of what is, and at the right door.

use coracle::app::action::Context;
use coracle::app::expansions::Operation;
use coracle::app::keymap::{Keymap, Rebinding};
use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TextFile};
use coracle::app::{Start, StartMode, Writes};
use coracle::confluence::{
    Call, Content, ContentId, ContentMore, Cursor, CursorPage, ErrorKind, Reply, SpaceKey,
    SpaceKind,
};

use crate::dialogs::Desk;
use crate::story::{Answer, Story, beginning, content, error, trashed, wiki};

#[track_caller]
fn shows(story: &Story, text: &str) {
    let screen = story.screen();
    assert!(screen.contains(text), "{text}\n{screen}");
}

#[track_caller]
fn shows_not(story: &Story, text: &str) {
    let screen = story.screen();
    assert!(!screen.contains(text), "{text}\n{screen}");
}

// Texts.

#[test]
fn a_body_that_was_not_given_is_not_called_empty() {
    let with = |body: Option<&'static str>| {
        move |call: &Call| -> Answer {
            match call {
                Call::Content { id, .. } => {
                    let mut page = content(id.as_str(), "Home", 12, false);
                    page.more = Some(Box::new(ContentMore {
                        body_storage: body.map(str::to_owned),
                        ..ContentMore::default()
                    }));
                    Ok(Reply::Content(Box::new(page)))
                }
                other => wiki(other),
            }
        }
    };
    let mut story = Story::browsing(120, 40);
    story.keys("3 p").answer_all(&with(None));
    shows(&story, "The server gave no text of it.");
    shows_not(&story, "There is no text in it.");
    let mut story = Story::browsing(120, 40);
    story.keys("3 p").answer_all(&with(Some("")));
    shows(&story, "There is no text in it.");
}

// What a server can't expand.

/// The sample wiki, which fails over these expansions.
fn failing(bad: &'static [&'static str]) -> impl Fn(&Call) -> Answer {
    move |call| {
        let expand = match call {
            Call::Space { expand, .. }
            | Call::SpaceContent { expand, .. }
            | Call::ChildPages { expand, .. }
            | Call::Content { expand, .. }
            | Call::Trash { expand, .. } => expand.as_str(),
            _ => "",
        };
        if expand.split(',').any(|one| bad.contains(&one)) {
            return Err(error(
                ErrorKind::Server,
                500,
                "The server answered with status 500.",
            ));
        }
        match call {
            Call::Content { id, .. } => {
                let mut page = content(id.as_str(), "Home", 12, false);
                page.more = Some(Box::new(ContentMore {
                    body_storage: Some("<p>What it says.</p>".to_owned()),
                    ..ContentMore::default()
                }));
                Ok(Reply::Content(Box::new(page)))
            }
            other => wiki(other),
        }
    }
}

fn asked_of_spaces(story: &Story) -> Vec<String> {
    let expand = |call: &Call| match call {
        Call::Space { expand, .. } => Some(expand.clone()),
        _ => None,
    };
    story.sent.iter().filter_map(expand).collect()
}

#[test]
fn an_expansion_that_fails_alone_is_left_out_and_said_and_the_rest_is_shown() {
    let server = failing(&["permissions"]);
    let mut story = Story::start(120, 40);
    story.answer_all(&server).rest().answer_all(&server);
    shows(&story, "Everything that is written down here.");
    shows(&story, "permissions  not read: the server fails over it");
    let asked = asked_of_spaces(&story);
    let last = asked.last().expect("the space is read");
    assert!(
        !last.contains("permissions") && last.contains("retentionPolicy"),
        "{last}"
    );
    assert!(last.contains("description.plain"), "{last}");
    // It is known for the rest of the visit: the next space is asked for once.
    story.keys("j").rest().answer_all(&server);
    shows(&story, "not read: the server fails over it");
    assert_eq!(asked_of_spaces(&story).len(), asked.len() + 1);
    // Another profile begins with nothing of that.
    let fresh = story.model.inflight.clone().emptied();
    assert_eq!(fresh.expansions.missing(Operation::Space).count(), 0);
}

#[test]
fn an_expansion_that_failed_is_asked_for_again_by_a_refresh() {
    let missing = |story: &Story| {
        let missing = story.model.inflight.expansions.missing(Operation::Space);
        missing.map(str::to_owned).collect::<Vec<_>>()
    };
    let server = failing(&["permissions"]);
    let mut story = Story::start(120, 40);
    story.answer_all(&server).rest().answer_all(&server);
    shows(&story, "left out and shown as not read; r asks again.");
    // It fails still: told as before, and known again.
    story.keys("2 r");
    let last = asked_of_spaces(&story).pop().expect("the space is read");
    assert!(last.contains("permissions"), "{last}");
    shows(&story, "permissions  not read: the server fails over it");
    story.answer_all(&server);
    assert_eq!(missing(&story), ["permissions"]);
    // By now the server can.
    story.keys("r").answer_all(&wiki);
    assert_eq!(missing(&story), [""; 0]);
    let screen = story.screen();
    assert!(!screen.contains("not read: the server fails"), "{screen}");
    story.keys("1 j").rest();
    let last = asked_of_spaces(&story).pop().expect("the space is read");
    assert!(last.contains("permissions"), "{last}");
}

#[test]
fn several_expansions_that_fail_are_all_left_out() {
    let server = failing(&["permissions", "homepage"]);
    let mut story = Story::start(120, 40);
    story.answer_all(&server).rest().answer_all(&server);
    shows(&story, "URL          https://wiki.example.com/display/ENG");
    shows(&story, "homepage     not read: the server fails over it");
    let before = asked_of_spaces(&story).len();
    story.keys("j").rest().answer_all(&server);
    assert_eq!(asked_of_spaces(&story).len(), before + 1);
}

#[test]
fn trees_and_trash_are_shown_without_what_fails() {
    let server = failing(&["children.page", "ancestors"]);
    let mut story = Story::start(120, 40);
    story.answer_all(&server).rest().answer_all(&server);
    shows(&story, "Notes");
    shows(&story, "not read: children");
    story.keys("t").answer_all(&server);
    shows(&story, "Old policy 31");
    shows(&story, "not read: former parents");
    story.keys("p").answer_all(&server);
    shows(&story, "What it says.");
}

#[test]
fn a_server_that_fails_anyway_is_asked_once_more_and_its_failure_told() {
    let mut story = Story::start(120, 40);
    let broken = |call: &Call| match call {
        Call::Space { .. } => Err(error(
            ErrorKind::Server,
            500,
            "The server answered with status 500.",
        )),
        other => wiki(other),
    };
    story.answer_all(&broken).rest().answer_all(&broken);
    shows(&story, "status 500");
    assert_eq!(asked_of_spaces(&story).len(), 2);
    let missing = |operation| story.model.inflight.expansions.missing(operation).count();
    assert_eq!(missing(Operation::Space), 0);
}

// The filter of the server.

#[test]
fn a_filter_that_was_refused_or_stopped_does_not_stand_over_the_rows_of_before() {
    let title = |story: &Story| {
        let screen = story.screen();
        screen.lines().nth(1).unwrap_or_default().to_owned()
    };
    let mut story = Story::browsing(120, 40);
    story.keys("f Right Right Enter");
    assert!(!title(&story).contains("personal"), "{}", title(&story));
    story.answer(Err(error(ErrorKind::Invalid, 400, "No such type.")));
    shows(&story, "The server refused the filter (personal). No");
    assert!(!title(&story).contains("personal"), "{}", title(&story));
    story.keys("*");
    assert_eq!(story.model.spaces.marks.len(), 6);
    let mut story = Story::browsing(120, 40);
    story.keys("f Right Right Enter Esc");
    assert!(title(&story).contains("stopped"), "{}", title(&story));
    assert!(!title(&story).contains("personal"), "{}", title(&story));
    // What was asked for is asked again.
    story.keys("r");
    assert!(matches!(
        story.sent.last(),
        Some(Call::Spaces { filter, .. }) if filter.kind == Some(SpaceKind::Personal)
    ));
}

#[test]
fn rows_that_do_not_fit_what_was_asked_are_told_and_left_out_of_all_marks() {
    // It passes over every parameter but the status.
    let mut story = Story::browsing(120, 40);
    story.keys("f Right Right Enter").answer_all(&wiki);
    shows(&story, "not personal: 5");
    shows(&story, "The server ignored the filter (personal): 5 rows");
    story.keys("*");
    let marks: Vec<&str> = story
        .model
        .spaces
        .marks
        .iter()
        .map(SpaceKey::as_str)
        .collect();
    assert_eq!(marks, ["~jdoe"]);
    // What rows don't tell can't be proved: as many as without the filter are not taken for fit.
    let mut story = Story::browsing(120, 40);
    story
        .keys("f Tab Tab")
        .types("eng")
        .keys("Enter")
        .answer_all(&wiki);
    shows(&story, "perhaps not all label eng");
    story.keys("*");
    assert_eq!(story.model.spaces.marks.len(), 0);
    // One that is heeded stands in the title as ever.
    let mut story = Story::browsing(120, 40);
    story.keys("f Tab Right Right Enter").answer_all(&wiki);
    shows(&story, "Spaces 1 of 1 · archived");
    story.keys("*");
    assert_eq!(story.model.spaces.marks.len(), 1);
}

#[test]
fn what_is_said_of_rows_that_do_not_fit_is_counted_again_when_one_goes() {
    for (filter, before, after) in [
        ("f Right Right Enter", "not personal: 2", "not personal: 1"),
        (
            "f Tab Tab e n g Enter",
            "perhaps not all label eng",
            "perhaps not all label eng",
        ),
    ] {
        let mut visit = crate::lost::Visit::new(120, 40);
        visit.keys(filter).work().sees(before).sees("Spaces 2 of 2");
        visit.keys("D").work().types("ENG").keys("Enter").settle();
        visit.sees(after).sees("Spaces 1 of 1");
    }
}

// Plans.

/// The plan that the last `w` wrote, put before the person again with the trash as it is.
fn applied(story: &mut Story, server: &dyn Fn(&Call) -> Answer) {
    let plan = story
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Disk {
                call: DiskCall::WritePlan { name, text },
                ..
            } => Some((name.clone(), text.clone())),
            _ => None,
        })
        .expect("w writes the plan");
    story.keys("Esc J o");
    let ticket = story
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Disk {
                ticket,
                call: DiskCall::ReadPlans,
            } => Some(*ticket),
            _ => None,
        })
        .expect("the plans are asked for");
    story.happen(Msg::Disk {
        ticket,
        outcome: Ok(DiskReply::Files(vec![TextFile::read(plan.0, plan.1)])),
    });
    story.keys("Enter").answer_all(server);
}

#[test]
fn what_a_plan_never_contained_is_not_called_new() {
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&wiki);
    // One of three, applied at once.
    story.keys("x w");
    applied(&mut story, &wiki);
    shows(
        &story,
        "Also in the trash, not in the plan and not touched: 2 items.",
    );
    shows(&story, "All that is in the plan is in the trash as it was.");
    shows_not(&story, "New in the trash");
}

#[test]
fn what_has_no_title_is_named_by_its_id() {
    let nameless = |call: &Call| -> Answer {
        match call {
            Call::Trash { .. } => Ok(Reply::Trash(CursorPage {
                results: vec![trashed("77", "", &[])],
                next: None,
                total: Some(1),
            })),
            other => wiki(other),
        }
    };
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&nameless);
    story.keys("x");
    shows(&story, "id 77, without a title (page)");
    story.keys("w");
    applied(&mut story, &wiki);
    shows(&story, "id 77, without a title");
}

// Jobs and dialogs.

/// An item of the sample wiki's trash, whole.
fn whole(id: &ContentId) -> Content {
    let trash = Call::Trash {
        key: SpaceKey::new("ENG"),
        cursor: None,
        expand: String::new(),
        limit: 200,
    };
    let Ok(Reply::Trash(page)) = wiki(&trash) else {
        panic!("the sample wiki has a trash");
    };
    let item = page.results.into_iter().find(|item| item.id == *id);
    let mut whole = item.unwrap_or_else(|| trashed(id.as_str(), "Old policies", &[]));
    whole.more = Some(Box::new(ContentMore {
        body_storage: Some("<p>x</p>".to_owned()),
        labels: Some(Vec::new()),
        restrictions: Some(Vec::new()),
        ..ContentMore::default()
    }));
    whole
}

#[test]
fn the_quit_dialog_tells_of_each_request_that_is_sent_though_they_are_confirmed_together() {
    let wiki = |call: &Call| match call {
        Call::Content { id, .. } => Ok(Reply::Content(Box::new(whole(id)))),
        other => wiki(other),
    };
    let mut desk = Desk::browsing(120, 40);
    desk.keys("t").work(&wiki);
    desk.keys("* x").work(&wiki);
    desk.keys("3 Enter");
    let purge = |call: &Call| matches!(call, Call::PurgeContent { .. });
    desk.work_but(&wiki, &purge);
    // This server tells nothing of files: the job asks.
    desk.keys("p Enter");
    desk.work_but(&wiki, &purge);
    desk.keys("Ctrl-c");
    for sent in 1..3 {
        let place = desk.story.open.iter().position(|(_, call)| purge(call));
        let place = place.unwrap_or_else(|| panic!("{}\n{:?}", desk.screen(), desk.story.open));
        let (ticket, _) = desk.story.open.remove(place).expect("it is there");
        let outcome = Ok(Reply::Done);
        desk.story.happen(Msg::Reply {
            ticket,
            outcome,
            took_ms: 42,
        });
        shows(&desk.story, &format!("0 of 3 done, {sent} more sent"));
        // What is sent is half of the way.
        shows(&desk.story, &format!("1 job {} %", sent * 100 / 6));
    }
}

#[test]
fn the_quit_dialog_moves_on_with_the_jobs_that_it_counts() {
    let mut desk = Desk::browsing(120, 40);
    desk.keys("t");
    desk.work(&wiki);
    desk.keys("* b y");
    let item = |call: &Call| matches!(call, Call::Content { .. });
    desk.work_but(&wiki, &item);
    desk.keys("Ctrl-c");
    shows(&desk.story, "Quit?");
    let before = desk.screen();
    // One item of three has come, while the question stands.
    let (ticket, call) = desk.story.open.pop_front().expect("an item is asked for");
    let Call::Content { id, .. } = &call else {
        panic!("{call:?}")
    };
    let whole = whole(id);
    desk.story.happen(Msg::Reply {
        ticket,
        outcome: Ok(Reply::Content(Box::new(whole))),
        took_ms: 42,
    });
    desk.work_but(&wiki, &item);
    let line = |screen: &str| -> String {
        let lines = screen
            .lines()
            .skip_while(|line| !line.contains("Still open"));
        lines.take(3).collect()
    };
    assert_ne!(line(&before), line(&desk.screen()), "{}", desk.screen());
    // What is over by now is not told as open.
    desk.work(&|call| match call {
        Call::Content { .. } => Err(error(ErrorKind::NotFound, 404, "It is gone.")),
        other => wiki(other),
    });
    shows(&desk.story, "Nothing is open any more.");
}

#[test]
fn marks_of_other_spaces_stay_when_an_act_is_agreed_to() {
    let mut desk = Desk::browsing(120, 40);
    // Two are marked; the trash of a third is backed up.
    desk.keys("Space Space t");
    desk.work(&wiki);
    desk.keys("* b y");
    desk.work(&wiki);
    let marks = |desk: &Desk| desk.story.model.spaces.marks.len();
    assert_eq!(marks(&desk), 2);
    // What the act meant loses its marks; an archived space is left out of it, and keeps its own.
    desk.keys("1 g Space j j Space");
    desk.story.rest();
    desk.work(&wiki);
    desk.keys("g U Space Space Space k k k a y");
    desk.work(&wiki);
    let left: Vec<&str> = desk
        .story
        .model
        .spaces
        .marks
        .iter()
        .map(SpaceKey::as_str)
        .collect();
    assert_eq!(left, ["OLD1"], "{}", desk.screen());
}

// Notices.

#[test]
fn a_notice_goes_when_what_it_speaks_of_is_over() {
    // Why a verb can't run.
    let mut story = Story::browsing(120, 40);
    story.keys("U");
    shows(&story, "Nothing is marked.");
    story.keys("Space");
    shows_not(&story, "Nothing is marked.");
    // What is not read yet.
    let first = |call: &Call| -> Answer {
        let mut answer = wiki(call)?;
        if let (Reply::Trash(page), Call::Trash { cursor: None, .. }) = (&mut answer, call) {
            page.results.truncate(1);
            page.next = Some(Cursor("1".to_owned()));
        }
        Ok(answer)
    };
    let mut story = Story::browsing(120, 40);
    story.keys("t");
    story.answer(first(&Call::Trash {
        key: SpaceKey::new("ENG"),
        cursor: None,
        expand: String::new(),
        limit: 1,
    }));
    story.keys("*");
    shows(&story, "Not everything is read yet");
    story.answer_all(&wiki);
    shows_not(&story, "Not everything is read yet");
}

// The header.

#[test]
fn a_dead_server_is_told_in_the_header_since_when() {
    for width in [80, 120] {
        let mut story = Story::browsing(width, 24);
        let header = |story: &Story| story.screen().lines().next().unwrap_or_default().to_owned();
        assert!(header(&story).contains("42 ms"), "{}", header(&story));
        story.keys("r");
        let (ticket, _) = story.open.pop_front().expect("the list is asked for");
        let dead = || error_without_status(ErrorKind::Connect, "Nothing listens there.");
        story.happen(Msg::Retrying {
            ticket,
            error: dead(),
            attempt: 2,
            wait_ms: 400,
        });
        for _ in 0..2 {
            assert!(
                header(&story).contains("no answer since 14:02:1"),
                "{}",
                header(&story)
            );
            assert!(!header(&story).contains("42 ms"), "{}", header(&story));
            story.happen(Msg::Reply {
                ticket,
                outcome: Err(dead()),
                took_ms: 1,
            });
        }
        // An answer is one, also where it is a refusal.
        story.keys("r");
        story.answer(Err(error(ErrorKind::Server, 500, "Oops.")));
        assert!(header(&story).contains("42 ms"), "{}", header(&story));
        // Where nothing at all comes, nobody has to fail first.
        story.keys("r");
        story.at += 11_000;
        story.happen(Msg::Clock);
        assert!(
            header(&story).contains("no answer since"),
            "{}",
            header(&story)
        );
    }
}

fn error_without_status(kind: ErrorKind, message: &str) -> coracle::confluence::ApiError {
    coracle::confluence::ApiError {
        status: None,
        ..error(kind, 0, message)
    }
}

// Keys.

/// A keymap in which these verbs have other keys.
fn rebound(changes: &[(Context, &str, &str)]) -> Keymap {
    let changes: Vec<Rebinding> = changes
        .iter()
        .map(|(context, verb, key)| Rebinding {
            context: *context,
            verb: (*verb).to_owned(),
            keys: vec![(*key).to_owned()],
        })
        .collect();
    Keymap::with(&changes).expect("a sound keymap")
}

#[test]
fn sentences_name_the_keys_in_effect() {
    let keymap = rebound(&[
        (Context::Panes, "refresh", "F5"),
        (Context::Panes, "backups", "F6"),
        (Context::Across, "refresh", "F5"),
        (Context::Everywhere, "jobs", "F7"),
        (Context::Panes, "unlock", "F8"),
        (Context::Everywhere, "cancel", "F9"),
    ]);
    let story = |writes: Writes| {
        Story::begin(Start {
            keymap: keymap.clone(),
            mode: StartMode::Connect,
            writes,
            ..beginning(120, 40)
        })
    };
    let mut failed = story(Writes::Allowed);
    failed.answer_all(&wiki).rest().answer_all(&wiki);
    failed.keys("1 F5").answer_all(&|call| match call {
        Call::Spaces { .. } => Err(error(ErrorKind::Server, 500, "Oops.")),
        other => wiki(other),
    });
    shows(&failed, "F5 tries again.");
    failed.keys("F5 F9");
    shows(&failed, "stopped, F5 reads on");
    let mut protected = story(Writes::Protected);
    protected.answer_all(&wiki).rest().answer_all(&wiki);
    protected.keys("n");
    shows(&protected, "F8 opens it for writing");
    let mut desk = Desk::of(story(Writes::Allowed));
    desk.work(&wiki);
    desk.story.rest();
    desk.work(&wiki);
    desk.keys("t");
    desk.work(&wiki);
    desk.keys("b y");
    desk.work(&|call| match call {
        Call::Content { id, .. } => {
            let mut whole = trashed(id.as_str(), "Old policies", &[]);
            whole.more = Some(Box::new(ContentMore {
                body_storage: Some("<p>x</p>".to_owned()),
                labels: Some(Vec::new()),
                restrictions: Some(Vec::new()),
                ..ContentMore::default()
            }));
            Ok(Reply::Content(Box::new(whole)))
        }
        other => wiki(other),
    });
    shows(&desk.story, "F6 shows the backup.");
}

#[test]
fn a_sentence_names_a_verb_without_a_key_by_its_title() {
    let keymap = Keymap::with(&[Rebinding {
        context: Context::Panes,
        verb: "backups".to_owned(),
        keys: Vec::new(),
    }]);
    let keymap = keymap.expect("a sound keymap");
    let here = Context::IN_SPACES;
    assert_eq!(
        keymap.spell(here, "‹backups› shows it; ‹no-such› ‹ stays."),
        // Across spaces it has one.
        "B shows it; ‹no-such› ‹ stays."
    );
    assert_eq!(keymap.spell(here, "‹refresh› and ‹sort›"), "r and s");
    let none = Keymap::with(&[Rebinding {
        context: Context::Everywhere,
        verb: "jobs".to_owned(),
        keys: Vec::new(),
    }]);
    let none = none.expect("a sound keymap");
    assert_eq!(none.spell(here, "‹jobs› shows it."), "\"Jobs\" shows it.");
}
