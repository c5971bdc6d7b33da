//! Sentences that say what happened and what to do, where they once said less, or something else.

use coracle::app::Start;
use coracle::app::action::Context;
use coracle::app::key::{Chord, Key, KeyPress};
use coracle::app::keymap::{Keymap, Rebinding};
use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TextFile};
use coracle::confluence::{Call, ErrorKind};

use crate::dialogs::Desk;
use crate::story::{Answer, Story, beginning, error, wiki};

#[track_caller]
fn shows(screen: &str, text: &str) {
    // What is folded in a dialog or a notice is one sentence all the same.
    let plain = |text: &str| {
        let inside = text.replace(['│', '╭', '╮', '╰', '╯', '─'], " ");
        inside.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(plain(screen).contains(&plain(text)), "no {text}\n{screen}");
}

#[track_caller]
fn shows_not(screen: &str, text: &str) {
    assert!(!screen.contains(text), "{text}\n{screen}");
}

/// The sample wiki, which refuses a label that it does not know.
fn without_the_label(call: &Call) -> Answer {
    match call {
        Call::Spaces { filter, .. } if !filter.labels.is_empty() => {
            let why = "Label nope does not exist.";
            Err(error(ErrorKind::Invalid, 400, why))
        }
        other => wiki(other),
    }
}

fn asks_for_a_label(story: &mut Story, server: &dyn Fn(&Call) -> Answer, form: &str, ask: &str) {
    story.keys(form).keys("Tab Tab").types("nope").keys(ask);
    story.answer_all(server);
}

#[test]
fn a_refused_server_filter_is_named_with_the_keys_that_change_and_ask_again() {
    for (width, height) in [(120, 40), (80, 24)] {
        let mut story = Story::browsing(width, height);
        asks_for_a_label(&mut story, &without_the_label, "1 f", "Enter");
        let screen = story.screen();
        shows(&screen, "The server refused the filter (label nope).");
        shows(&screen, "Label nope does not exist.");
        shows(&screen, "f changes or clears it, r asks again.");
        story.keys("L");
        let log = story.screen();
        shows(&log, "The server refused the filter (label nope).");
    }
    let change = |verb: &str, keys: &str, context| Rebinding {
        context,
        verb: verb.to_owned(),
        keys: vec![keys.to_owned()],
    };
    let keymap = Keymap::with(&[
        change("server-filter", "F4", Context::Spaces),
        change("refresh", "F5", Context::Panes),
    ]);
    let mut story = Story::begin(Start {
        keymap: keymap.expect("a sound change"),
        ..beginning(120, 40)
    });
    let server = without_the_label;
    story.answer_all(&server).rest().answer_all(&server);
    asks_for_a_label(&mut story, &server, "1 F4", "Enter");
    shows(&story.screen(), "F4 changes or clears it, F5 asks again.");
}

#[test]
fn a_server_filter_that_could_not_be_asked_for_is_named_too() {
    let broken = |call: &Call| match call {
        Call::Spaces { filter, .. } if !filter.labels.is_empty() => {
            Err(error(ErrorKind::Server, 503, "The server is busy."))
        }
        other => wiki(other),
    };
    let mut story = Story::browsing(120, 40);
    asks_for_a_label(&mut story, &broken, "1 f", "Enter");
    let screen = story.screen();
    shows(&screen, "The filter (label nope) was not applied.");
    shows(&screen, "f changes or clears it, r asks again.");
}

#[test]
fn a_list_that_was_not_read_is_not_called_empty() {
    let refused = |call: &Call| match call {
        Call::Spaces { .. } => {
            let why = "The server did not accept the token.";
            Err(error(ErrorKind::Unauthorized, 401, why))
        }
        other => wiki(other),
    };
    let mut story = Story::start(80, 24);
    story.answer_all(&refused).rest().answer_all(&refused);
    shows(&story.screen(), "Not signed in.");
    for key in ["Enter", "/", "s", "Space"] {
        story.keys(key);
        let screen = story.screen();
        shows_not(&screen, "no spaces here yet");
        let toast = story.model.toasts.last().map(|toast| toast.text.clone());
        let said = toast.unwrap_or_default();
        assert!(said.starts_with("Not signed in."), "{key}: {said}");
        assert!(said.contains("Check that the token"), "{key}: {said}");
        story.model.toasts.clear();
    }
    let broken = |call: &Call| match call {
        Call::Spaces { .. } => Err(error(ErrorKind::Server, 500, "Oops.")),
        other => wiki(other),
    };
    let mut story = Story::start(80, 24);
    story.answer_all(&broken).rest().answer_all(&broken);
    story.keys("Enter");
    let said = story.model.toasts.last().map(|toast| toast.text.clone());
    assert_eq!(
        said.as_deref(),
        Some("The spaces were not read: Oops. r tries again.")
    );
}

#[test]
fn a_plan_that_can_not_be_read_says_what_to_do_and_offers_no_apply() {
    let mut desk = Desk::browsing(80, 24);
    desk.keys("J o");
    let asked = desk.story.effects.iter().rev().find_map(|it| match it {
        Effect::Disk {
            ticket,
            call: DiskCall::ReadPlans,
        } => Some(*ticket),
        _ => None,
    });
    let ticket = asked.expect("the plans are asked for");
    let files = vec![TextFile::read("plan-x.json", "{\"format\": \"cora")];
    let outcome = Ok(DiskReply::Files(files));
    desk.story.happen(Msg::Disk { ticket, outcome });
    let screen = desk.screen();
    shows_not(&screen, "Enter apply");
    shows(&screen, "plan-x.json is not a plan: it ends in the middle");
    shows(&screen, "It can't be applied: write the plan anew");
    desk.keys("Enter");
    let said = desk.story.model.toasts.last();
    assert_eq!(
        said.map(|toast| toast.text.as_str()),
        Some("plan-x.json can't be applied.")
    );
}

/// The sample wiki, which fails over these expansions of a space.
fn failing(bad: &'static [&'static str]) -> impl Fn(&Call) -> Answer {
    move |call| match call {
        Call::Space { expand, .. } if expand.split(',').any(|one| bad.contains(&one)) => {
            let why = "The server answered with status 500.";
            Err(error(ErrorKind::Server, 500, why))
        }
        // Nor does it tell what is not asked for.
        Call::Space { expand, .. } => wiki(call).map(|mut reply| {
            if let coracle::confluence::Reply::Space(space) = &mut reply
                && let Some(more) = &mut space.more
            {
                if !expand.contains("description.plain") {
                    more.description = None;
                }
                if !expand.contains("homepage") {
                    more.homepage = None;
                }
            }
            reply
        }),
        other => wiki(other),
    }
}

#[test]
fn an_edit_form_opens_with_the_field_closed_that_the_server_fails_over() {
    for (bad, closed) in [
        (&["description.plain"][..], "Description not read"),
        (&["homepage"], "Homepage not read"),
        (&["permissions"], "Name Engineering"),
    ] {
        let server = failing(bad);
        let mut desk = Desk::browsing(120, 40);
        desk.keys("e").work(&server);
        shows(&desk.screen(), closed);
        // The rest is edited and saved, and what was not read is not sent.
        desk.types(" 2").keys("Ctrl-s");
        shows_not(&desk.screen(), "Homepage");
        desk.keys("y").work(&server);
        let [
            Call::UpdateSpace {
                name,
                description,
                homepage,
                ..
            },
        ] = desk.writes()[..]
        else {
            panic!("{bad:?}: {:?}\n{}", desk.writes(), desk.screen());
        };
        assert_eq!(name, "Engineering 2");
        assert_eq!((description, homepage), (&None, &None), "{bad:?}");
    }
}

#[test]
fn a_character_that_can_not_be_sent_is_told_however_it_came_and_until_it_is_saved() {
    // A terminal that does not bracket what is pasted sends it as keys: NUL is Ctrl-Space.
    let nul = KeyPress::press(Chord {
        ctrl: true,
        ..Chord::plain(Key::Char(' '))
    });
    let told = "U+0000 can't be sent and was left out.";
    for opens in ["n", "e"] {
        for bracketed in [true, false] {
            let mut desk = Desk::browsing(80, 24);
            desk.keys(opens).work(&wiki).keys("Ctrl-u");
            if bracketed {
                desk.story.happen(Msg::Paste("Har\0bour".to_owned()));
            } else {
                desk.types("Har");
                desk.story.press(nul);
                desk.types("bour");
            }
            shows(&desk.screen(), told);
            desk.types(" Two");
            shows(&desk.screen(), told);
            if opens == "e" {
                // In what is saved, too.
                desk.keys("Ctrl-s");
                shows(&desk.screen(), &format!("Name: {told}"));
            }
        }
    }
    // Emptied, there is nothing to be said of it.
    let mut desk = Desk::browsing(80, 24);
    desk.keys("n");
    desk.story.happen(Msg::Paste("Har\0bour".to_owned()));
    desk.keys("Ctrl-u");
    shows_not(&desk.screen(), "U+0000");
}

#[test]
fn a_form_that_is_being_saved_says_for_how_long_it_waits_and_why() {
    for (width, height) in [(120, 40), (80, 24)] {
        let mut desk = Desk::browsing(width, height);
        desk.keys("e").work(&wiki);
        desk.types("x").keys("Ctrl-s").work(&wiki);
        let fails = |call: &Call| match call {
            Call::Space { .. } => Err(error(ErrorKind::Server, 500, "It fails.")),
            other => wiki(other),
        };
        desk.keys("y").work(&fails);
        let screen = desk.screen();
        shows(&screen, "Saving …");
        shows(&screen, "Waiting ");
        shows(&screen, " s. It fails.");
    }
}

/// Whoever builds a sentence of what the system says puts it into one of these.
#[test]
fn no_sentence_has_the_numbers_of_the_system() {
    let gone = std::io::Error::from_raw_os_error(2);
    let said = format!("x.pem could not be read: {gone}.");
    assert!(said.contains("os error 2"), "{said}");
    let mut story = Story::browsing(80, 24);
    story
        .model
        .say(coracle::app::message::LogLevel::Error, &said);
    let toast = story.model.toasts.last().expect("it is shown");
    for told in [
        coracle::confluence::ApiError::new(ErrorKind::Settings, &said).message,
        coracle::doctor::Finding::note(coracle::doctor::Check::Config, &said, &said).told(),
        coracle::report::Failure::new(coracle::report::Exit::Failed, &said)
            .caused_by(&gone)
            .text(),
        toast.text.clone(),
    ] {
        assert!(told.contains("No such file or directory"), "{told}");
        assert!(!told.contains("os error"), "{told}");
    }
}
