//! Plans that are written, and applied later against the trash as it is then.

use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TextFile};
use coracle::app::modal::Modal;
use coracle::confluence::{Call, CursorPage, Reply};

use crate::story::{Answer, Story, trashed, wiki};

/// The plan that the last `w` wrote.
fn written(story: &Story) -> (String, String) {
    story
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
        .expect("w writes the plan")
}

/// Opens the list of plans with these files in it.
pub(crate) fn open(story: &mut Story, files: Vec<(String, String)>) {
    story.keys("J o");
    let asked = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Disk {
            ticket,
            call: DiskCall::ReadPlans,
        } => Some(*ticket),
        _ => None,
    });
    let ticket = asked.expect("the plans are asked for");
    story.happen(Msg::Disk {
        ticket,
        outcome: Ok(DiskReply::Files(
            files
                .into_iter()
                .map(|(name, text)| TextFile::read(name, text))
                .collect(),
        )),
    });
}

/// A plan to purge the three items of the sample trash.
pub(crate) fn with_plan() -> (Story, (String, String)) {
    let mut story = Story::browsing(120, 40);
    story.keys("t").answer_all(&wiki);
    story.keys("* x w Esc");
    let plan = written(&story);
    (story, plan)
}

#[test]
fn a_plan_is_shown_with_what_has_changed_since() {
    let (mut story, plan) = with_plan();
    open(&mut story, vec![plan]);
    assert!(
        story.screen().contains("Purge 3 items of ENG"),
        "{}",
        story.screen()
    );
    let footer = |story: &Story| story.screen().lines().last().unwrap_or_default().to_owned();
    assert!(footer(&story).contains("Enter apply"), "{}", footer(&story));
    story.keys("Enter");
    assert!(!footer(&story).contains("Enter"), "{}", footer(&story));
    let later = |call: &Call| -> Answer {
        match call {
            Call::Trash { .. } => {
                let mut edited = trashed("21", "Old policy 31", &[]);
                if let Some(version) = &mut edited.version {
                    version.number = Some(4);
                }
                let results = vec![
                    edited,
                    trashed("20", "Old policies", &[]),
                    trashed("90", "New here", &[]),
                ];
                Ok(Reply::Trash(CursorPage {
                    results,
                    next: None,
                    total: None,
                }))
            }
            other => wiki(other),
        }
    };
    story.answer_all(&later);
    let screen = story.screen();
    for told in [
        "Not in the trash any more, left out: 1 item (Draft of nothing) of the plan.",
        "Changed since the plan was made, left out: 1 item (Old policy 31).",
        "Also in the trash, not in the plan and not touched: 1 item.",
        "Type 1 to purge it",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
}

#[test]
fn what_is_typed_into_the_answer_changes_nothing_of_the_plan() {
    let mut story = Story::browsing(120, 40);
    story.keys("D").types("bfwd");
    let screen = story.screen();
    assert!(screen.contains("First a backup"), "{screen}");
    assert!(screen.contains("Type ENG to delete it:  bfwd"), "{screen}");
    story.keys("Tab b");
    assert!(
        story.screen().contains("no backup: you declined it"),
        "{}",
        story.screen()
    );
}

#[test]
fn a_plan_for_another_server_is_not_applied() {
    let (mut story, (name, text)) = with_plan();
    let elsewhere = text.replace("wiki.example.com", "wiki.example.net");
    open(
        &mut story,
        vec![
            (name, elsewhere),
            ("plan-x.json".to_owned(), "not a plan".to_owned()),
        ],
    );
    let before = story.sent.len();
    assert!(
        story.screen().contains("This is not a plan"),
        "{}",
        story.screen()
    );
    story.keys("Enter j Enter");
    assert_eq!(story.sent.len(), before, "nothing is asked of this server");
    assert!(
        story
            .model
            .modals
            .iter()
            .all(|modal| !matches!(modal, Modal::Confirm(_)))
    );
}

#[test]
fn a_trash_that_can_not_be_read_keeps_the_plan_from_being_applied() {
    let (mut story, plan) = with_plan();
    open(&mut story, vec![plan]);
    story.keys("Enter");
    let kind = coracle::confluence::ErrorKind::Forbidden;
    story.answer(Err(crate::story::error(
        kind,
        403,
        "You may not see this trash.",
    )));
    assert!(
        story.screen().contains("You may not see this trash."),
        "{}",
        story.screen()
    );
    assert!(
        story
            .model
            .modals
            .iter()
            .all(|modal| !matches!(modal, Modal::Confirm(_)))
    );
}

#[test]
fn without_a_trash_listing_a_plan_is_held_against_the_list_of_content() {
    let (_, plan) = with_plan();
    // Later, before anything was learned of the server.
    let mut story = Story::browsing(120, 40);
    open(&mut story, vec![plan]);
    assert!(
        story.screen().contains("wiki.example.com"),
        "for which server: {}",
        story.screen()
    );
    story.keys("Enter");
    story.answer_all(&|call| match call {
        Call::Trash { .. } => Err(crate::story::error(
            coracle::confluence::ErrorKind::NotFound,
            404,
            "There is nothing here.",
        )),
        Call::TrashedContent { kind, window, .. } => {
            let items = match kind {
                coracle::confluence::ContentKind::BlogPost => Vec::new(),
                _ => vec![trashed("20", "Old policies", &[])],
            };
            Ok(Reply::Contents(crate::story::page(&items, *window)))
        }
        other => wiki(other),
    });
    let screen = story.screen();
    assert!(screen.contains("Type 1 to purge it"), "{screen}");
    assert!(
        screen.contains("Not in the trash any more, left out: 2 items"),
        "{screen}"
    );
}
