//! What is kept of the looks from run to run, and the commands that are found by name.

use coracle::app::action::Action;
use coracle::app::message::{DiskCall, DiskError, DiskReply, Effect, Msg, Stop};
use coracle::app::modal::Modal;
use coracle::app::view::{FILE, Kept, SETTLED};
use coracle::confluence::{Reply, SpaceStatus};

use crate::story::{Story, page, space, wiki};

/// Answers the read of what was kept.
fn remembered(story: &mut Story, outcome: Result<Option<&str>, &str>) {
    let ticket = story
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Disk {
                ticket,
                call: DiskCall::ReadState { name },
            } if name == FILE => Some(*ticket),
            _ => None,
        })
        .expect("what was kept is read");
    let outcome = match outcome {
        Ok(text) => Ok(DiskReply::Text(text.map(str::to_owned))),
        Err(message) => Err(DiskError {
            message: message.to_owned(),
        }),
    };
    story.happen(Msg::Disk { ticket, outcome });
}

/// What was last written to be kept.
fn kept(story: &Story) -> Option<Kept> {
    story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Disk {
            call: DiskCall::WriteState { name, text },
            ..
        } if name == FILE => Some(Kept::read(text)),
        _ => None,
    })
}

fn cursor(story: &Story) -> &str {
    story
        .model
        .space_at_cursor()
        .map_or("", |space| space.as_str())
}

/// The second space of the sample wiki in the order of the list.
fn second() -> String {
    let mut story = Story::browsing(120, 40);
    story.keys("j");
    cursor(&story).to_owned()
}

#[test]
fn the_last_run_comes_back() {
    let second = second();
    let mut story = Story::start(120, 40);
    let text = format!(
        r#"{{"split":60,"sort":{{"by":"name","descending":true}},"space":"{second}","tab":"trash","recent":["log"]}}"#
    );
    remembered(&mut story, Ok(Some(&text)));
    story.answer_all(&wiki).rest().answer_all(&wiki);
    assert_eq!(cursor(&story), second);
    assert!(story.model.content.is_trash());
    assert!(story.model.spaces.sort.descending);
    assert_eq!(story.model.view.recent, [Action::Log]);
    assert_eq!(kept(&story), None, "nothing has changed");
}

#[test]
fn it_comes_back_also_when_the_list_was_faster() {
    let second = second();
    let mut story = Story::browsing(120, 40);
    assert_ne!(cursor(&story), second);
    remembered(&mut story, Ok(Some(&format!(r#"{{"space":"{second}"}}"#))));
    assert_eq!(cursor(&story), second);
}

#[test]
fn rows_that_came_in_above_are_no_step_of_somebody() {
    let many: Vec<_> = (0..700)
        .rev()
        .map(|n| space(&format!("S{n:03}"), "A space", SpaceStatus::Current))
        .collect();
    let server = |call: &coracle::confluence::Call| match call {
        coracle::confluence::Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&many, *window))),
        other => wiki(other),
    };
    let mut story = Story::start(120, 40);
    story.answer_all(&server);
    assert!(story.model.spaces.cursor.at > 0, "it stayed on its space");
    remembered(&mut story, Ok(Some(r#"{"space":"S500"}"#)));
    assert_eq!(cursor(&story), "S500");
}

#[test]
fn who_has_moved_is_not_moved() {
    let second = second();
    let text = format!(r#"{{"space":"{second}"}}"#);
    let mut story = Story::browsing(120, 40);
    story.keys("j j");
    let here = cursor(&story).to_owned();
    assert_ne!(here, second);
    remembered(&mut story, Ok(Some(&text)));
    assert_eq!(cursor(&story), here);

    // Nor by a list that has the space only on a later page.
    let mut story = Story::start(120, 40);
    remembered(&mut story, Ok(Some(r#"{"space":"ZZZ"}"#)));
    let many: Vec<_> = (0..700)
        .map(|n| space(&format!("S{n:03}"), "A space", SpaceStatus::Current))
        .chain([space("ZZZ", "The last", SpaceStatus::Current)])
        .collect();
    let server = |call: &coracle::confluence::Call| match call {
        coracle::confluence::Call::Spaces { window, .. } => Ok(Reply::Spaces(page(&many, *window))),
        other => wiki(other),
    };
    while story.model.spaces.is_empty() {
        let (_, call) = story.open.front().expect("more is asked").clone();
        story.answer(server(&call));
    }
    story.keys("j");
    story.answer_all(&server);
    assert_eq!(cursor(&story), "S001");
}

#[test]
fn a_change_is_kept_once_things_have_settled() {
    let mut story = Story::browsing(120, 40);
    remembered(&mut story, Ok(None));
    story.keys("j").rest().answer_all(&wiki);
    assert_eq!(kept(&story), None, "not at every step");
    story.at += SETTLED;
    story.happen(Msg::Clock);
    let first = kept(&story).expect("it is kept");
    assert_eq!(
        first.space.as_ref().map(|key| key.as_str()),
        Some(cursor(&story))
    );
    assert_eq!(
        story.model.deadline(),
        None,
        "and then nothing is waited for"
    );
}

#[test]
fn an_end_of_any_kind_keeps_what_changed() {
    for end in [Stop::Terminated, Stop::HungUp] {
        let mut story = Story::browsing(120, 40);
        remembered(&mut story, Ok(None));
        story.keys("s 3");
        story.happen(Msg::Stop(end));
        let kept = kept(&story).expect("it is kept");
        assert_eq!(kept.sort, story.model.spaces.sort);
        let order: Vec<_> = story
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Disk {
                    call: DiskCall::WriteState { .. },
                    ..
                } => Some("write"),
                Effect::Quit(_) => Some("quit"),
                _ => None,
            })
            .collect();
        assert_eq!(order, ["write", "quit"]);
    }
}

#[test]
fn nothing_is_written_over_what_could_not_be_read() {
    // Not read yet.
    let mut story = Story::browsing(120, 40);
    story.keys("s 3 q");
    assert_eq!(kept(&story), None);
    // Not readable.
    let mut story = Story::browsing(120, 40);
    remembered(&mut story, Err("Permission denied: view.json."));
    story.keys("s 3 q");
    assert_eq!(kept(&story), None);
    // Read, but broken: it is replaced.
    let mut story = Story::browsing(120, 40);
    remembered(&mut story, Ok(Some("{ broken")));
    story.keys("s 3 q");
    assert!(kept(&story).is_some());
}

#[test]
fn a_command_is_found_and_run_where_one_was() {
    let mut story = Story::browsing(120, 40);
    story.keys(":").types("sort").keys("Enter");
    assert!(
        matches!(&story.model.modals[..], [Modal::Menu(_)]),
        "{:?}",
        story.model.modals
    );
    story.keys("Esc :");
    let Some(Modal::Palette(palette)) = story.model.modals.last() else {
        panic!("no palette: {:?}", story.model.modals)
    };
    assert_eq!(palette.found.first(), Some(&Action::Sort), "used last");
    story.keys("Esc");
    assert!(story.model.modals.is_empty());
}

#[test]
fn a_command_that_cannot_run_says_why_and_does_nothing() {
    let mut story = Story::browsing(120, 40);
    story.keys(":").types("purge marked");
    assert!(
        story.screen().contains("In another place: "),
        "{}",
        story.screen()
    );
    let sent = story.sent.len();
    story.keys("Enter");
    assert!(matches!(story.model.modals.last(), Some(Modal::Palette(_))));
    assert_eq!(story.sent.len(), sent);
    assert!(story.model.view.recent.is_empty());
}

#[test]
fn what_is_copied_is_shown_too() {
    let mut story = Story::browsing(120, 40);
    story.keys("y k");
    let key = cursor(&story).to_owned();
    assert!(story.effects.contains(&Effect::Copy(key.clone())));
    assert!(story.screen().contains(&format!("Copied: {key}")));

    let long = "https://wiki.example.com/display/ENG/".to_owned() + &"long-".repeat(30);
    for (base, title, copied) in [
        (long.clone(), "Copied", true),
        (
            "https://wiki.example.com/".to_owned() + &"x".repeat(80_000),
            "Too long to copy",
            false,
        ),
    ] {
        let mut story = Story::browsing(120, 40);
        story.model.profile.base_url = base;
        story.keys("y u");
        let sent = story
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(_)));
        assert_eq!(sent, copied);
        let screen = story.screen();
        assert!(screen.contains(title), "{screen}");
        assert!(screen.contains("https://wiki.example.com/"), "{screen}");
    }
}

#[test]
fn the_palette_begins_with_what_can_be_run_here() {
    let found = |story: &Story| match story.model.modals.last() {
        Some(Modal::Palette(palette)) => palette.found.clone(),
        other => panic!("no palette: {other:?}"),
    };
    let mut story = Story::browsing(80, 24);
    story.keys(":");
    let all = found(&story);
    let place = |action: Action| all.iter().position(|it| *it == action);
    assert!(
        place(Action::NewSpace) < place(Action::PurgeMarked),
        "{all:?}"
    );
    assert!(place(Action::PurgeMarked) < place(Action::Down), "{all:?}");
    // In a preview that fills the screen little can be run, and the rest says shortly where.
    story.keys("Esc 3 t").answer_all(&wiki);
    story.keys("p").answer_all(&wiki);
    story.keys(":");
    let all = found(&story);
    let place = |action: Action| all.iter().position(|it| *it == action);
    assert!(place(Action::Preview) < place(Action::Mark), "{all:?}");
    let screen = story.screen();
    assert!(screen.contains("Only in the panes."), "{screen}");
    assert!(!screen.contains("In any pa…"), "{screen}");
}
