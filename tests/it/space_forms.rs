//! The forms for a space hold only what was read and what a server takes, and say what they leave out.

use coracle::app::message::{Effect, Msg};
use coracle::confluence::{Call, ErrorKind, Reply, ServerText, SpaceKey};

use crate::dialogs::Desk;
use crate::story::{Answer, error, wiki};

/// The sample wiki, whose server does not tell what a space is about.
fn untold(call: &Call) -> Answer {
    let mut answer = wiki(call)?;
    if let Reply::Space(space) = &mut answer
        && let Some(more) = &mut space.more
    {
        more.description = None;
    }
    Ok(answer)
}

/// The sample wiki, in which no space but these is found by its key.
fn only(keys: &'static [&'static str]) -> impl Fn(&Call) -> Answer {
    move |call| match call {
        Call::Space { key, .. } if !keys.contains(&key.as_str()) => {
            Err(error(ErrorKind::NotFound, 404, "No space with this key."))
        }
        other => wiki(other),
    }
}

fn sees(desk: &Desk, text: &str) {
    let screen = desk.screen();
    assert!(screen.contains(text), "no `{text}` in\n{screen}");
}

fn edits(desk: &Desk) -> usize {
    let effects = desk.story.effects.iter();
    effects
        .filter(|effect| matches!(effect, Effect::Edit { .. }))
        .count()
}

#[test]
fn a_description_that_was_not_read_is_shown_as_such_and_stays_closed() {
    let mut desk = Desk::browsing(120, 40);
    desk.keys("e").work(&untold);
    sees(&desk, "not read");
    // From the name the next field is the homepage, and no editor opens on nothing.
    desk.types(" and tools")
        .keys("Tab")
        .types("x")
        .keys("Ctrl-e");
    assert_eq!(edits(&desk), 0, "{}", desk.screen());
    sees(&desk, "was not read");
    desk.keys("Ctrl-s y").work(&untold);
    let [Call::UpdateSpace { description, .. }] = desk.writes()[..] else {
        panic!("{:?}", desk.writes());
    };
    assert_eq!(*description, None);
}

#[test]
fn names_that_servers_refuse_or_that_hide_something_stay_in_the_form() {
    let long = "x".repeat(256);
    for (name, why) in [
        (long.as_str(), "255"),
        ("Harbour\u{202E}goL", "U+202E"),
        ("Harbour\u{200B}Log", "U+200B"),
    ] {
        for opens in ["n", "e"] {
            let mut desk = Desk::browsing(120, 40);
            desk.keys(opens).work(&wiki).keys("Ctrl-u");
            desk.story.happen(Msg::Paste(name.to_owned()));
            desk.keys("Ctrl-s").work(&only(&["ENG"]));
            assert!(
                desk.writes().is_empty(),
                "{opens} {name}: {}",
                desk.screen()
            );
            sees(&desk, why);
        }
    }
    // Letters of scripts that need a joiner, and a name of the full length, are fine.
    let full = "ü".repeat(255);
    for name in ["می\u{200C}خواهم", full.as_str()] {
        let mut desk = Desk::browsing(120, 40);
        desk.keys("e").work(&wiki).keys("Ctrl-u");
        desk.story.happen(Msg::Paste(name.to_owned()));
        desk.keys("Ctrl-s y").work(&wiki);
        assert_eq!(desk.writes().len(), 1, "{name}: {}", desk.screen());
    }
}

/// The server with a name that hides two characters.
fn hiding(call: &Call) -> Answer {
    let mut answer = wiki(call)?;
    if let (Call::Space { .. }, Reply::Space(space)) = (call, &mut answer) {
        space.name = ServerText::new("Harb\u{AD}our\u{200B} Log");
    }
    Ok(answer)
}

#[test]
fn a_name_that_nobody_touched_goes_back_as_the_server_told_it() {
    let mut desk = Desk::browsing(120, 40);
    desk.keys("e").work(&hiding);
    sees(&desk, "Harbour Log");
    desk.keys("Tab")
        .types("More.")
        .keys("Ctrl-s y")
        .work(&hiding);
    let [Call::UpdateSpace { name, .. }] = desk.writes()[..] else {
        panic!("{:?} {}", desk.writes(), desk.screen());
    };
    assert_eq!(name.as_sent(), "Harb\u{AD}our\u{200B} Log");
}

#[test]
fn what_is_left_out_of_a_pasted_or_edited_text_is_said() {
    for opens in ["n", "e"] {
        let mut desk = Desk::browsing(120, 40);
        desk.keys(opens).work(&wiki);
        desk.keys(if opens == "n" { "Tab Tab Tab" } else { "Tab" });
        desk.story.happen(Msg::Paste("What\0 we do.".to_owned()));
        sees(&desk, "What we do.");
        sees(&desk, "U+0000 can't be sent and was left out.");
        // For as long as there is a text that it was left out of.
        desk.types("x");
        sees(&desk, "U+0000 can't be sent and was left out.");

        desk.keys("Ctrl-e");
        let ticket = desk
            .story
            .effects
            .iter()
            .rev()
            .find_map(|effect| match effect {
                Effect::Edit { ticket, .. } => Some(*ticket),
                _ => None,
            });
        desk.story.happen(Msg::Edited {
            ticket: ticket.expect("the editor was opened"),
            outcome: Ok("One\u{1b}[31m line\0.\nAnd a tab\there.".to_owned()),
        });
        sees(&desk, "U+001B, U+0000 can't be sent and were left out.");
    }
}

#[test]
fn a_key_that_differs_in_case_alone_is_taken() {
    // In the list that is on the screen: nothing has to be asked.
    let mut desk = Desk::browsing(120, 40);
    desk.keys("n")
        .types("Harbour")
        .keys("Tab Ctrl-u")
        .types("eng");
    desk.story.rest();
    desk.work(&only(&[]));
    sees(&desk, "A space already exists with key ENG.");

    // Known to the server alone.
    let mut desk = Desk::browsing(120, 40);
    desk.keys("n")
        .types("Harbour")
        .keys("Tab Ctrl-u")
        .types("far");
    desk.story.rest();
    desk.work(&|call| match call {
        Call::Space { key, expand } if key.as_str() == "FAR" => {
            let mut answer = wiki(&Call::Space {
                key: SpaceKey::new("ENG"),
                expand: expand.clone(),
            })?;
            if let Reply::Space(space) = &mut answer {
                space.key = key.clone();
            }
            Ok(answer)
        }
        other => only(&[])(other),
    });
    sees(&desk, "A space already exists with key FAR.");
    desk.keys("Ctrl-s");
    desk.work(&wiki);
    assert!(desk.writes().is_empty(), "{}", desk.screen());

    // Free in every spelling.
    let mut desk = Desk::browsing(120, 40);
    desk.keys("n")
        .types("Harbour")
        .keys("Tab Ctrl-u")
        .types("Far");
    desk.story.rest();
    desk.work(&only(&[]));
    sees(&desk, "free");
}
