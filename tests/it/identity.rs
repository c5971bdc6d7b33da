//! A job belongs to one server, one profile and one user: what is shown and asked before it goes on
//! elsewhere or as somebody else, and what the journal then says.

use coracle::app::Start;
use coracle::app::message::{DiskCall, Effect};
use coracle::app::remote::Remote;
use coracle::confluence::{BaseUrl, Call, CurrentUser};
use coracle::jobs::journal::Entry;
use coracle::jobs::plan::Plan;
use coracle::jobs::{Act, Answer, SameServer};

use crate::lost::Visit;
use crate::story::beginning;

const PROD: &str = "https://wiki.example.com/prod";
const STAGING: &str = "https://wiki.example.com/staging";

fn start(url: &str) -> Start {
    let mut start = beginning(120, 40);
    url.clone_into(&mut start.profile.base_url);
    start
}

/// Five deletions at the third when the program dies; then it is started again.
fn killed(again: Start) -> Visit {
    let mut visit = Visit::about_to_delete_five(120, 40);
    PROD.clone_into(&mut visit.desk.story.model.profile.base_url);
    visit.keys("Esc D").work();
    visit.types("5").keys("Enter");
    let third = |call: &Call| matches!(call, Call::DeleteSpace { key } if key.as_str() == "D3");
    for _ in 0..100 {
        visit.work_but(third);
        if visit.desk.story.open.iter().any(|(_, call)| third(call)) {
            break;
        }
        visit.desk.jump();
    }
    let mut visit = visit.kill_and_start(false, again);
    visit.sees("left over");
    visit
}

/// What was said last.
fn said(visit: &Visit) -> &str {
    let toast = visit.desk.story.model.toasts.last();
    toast.map_or("", |toast| &toast.text)
}

fn signs_in_as(visit: &mut Visit, user: &str) {
    let value = CurrentUser {
        username: Some(user.to_owned()),
        display_name: user.to_owned(),
    };
    let at = visit.desk.story.model.now;
    visit.desk.story.model.session.user = Remote::Ready { value, at };
}

/// The journal's lines, each with its user and address.
fn lines(visit: &Visit) -> Vec<(Option<String>, Option<BaseUrl>)> {
    let read = |line: &String| serde_json::from_str::<Entry>(line).expect("a line of the journal");
    let entries = visit.desk.journal.iter().map(read);
    entries.map(|entry| (entry.user, entry.address)).collect()
}

#[test]
fn a_job_of_another_address_on_the_same_host_does_not_go_on() {
    let mut visit = killed(start(STAGING));
    let (sent, journal) = (visit.sent(), visit.desk.journal.len());
    let asked = visit.desk.story.sent.len();
    for key in ["r", "p", "c"] {
        visit.keys(key).work();
        let told = format!("This job belongs to {PROD}; this is {STAGING}.");
        assert!(said(&visit).starts_with(&told), "{key}: {}", said(&visit));
        visit.desk.story.model.toasts.clear();
    }
    // In detail too, where no key is named that is refused.
    visit.keys("Enter");
    visit.sees(&format!("This job belongs to {PROD}"));
    assert!(!visit.desk.screen().contains("asks you first"));
    visit.keys("r").work();
    assert!(said(&visit).contains("w saves what is left as a plan"));
    assert_eq!((visit.sent(), visit.desk.journal.len()), (sent, journal));
    assert_eq!(visit.desk.story.sent.len(), asked, "not even a read");
}

#[test]
fn what_is_left_of_a_job_of_another_address_is_saved_as_a_plan_for_this_one() {
    let mut visit = killed(start(STAGING));
    visit.sees("w save the rest as a plan");
    visit.keys("w").work();
    let written = visit.desk.story.effects.iter().find_map(|it| match it {
        Effect::Disk {
            call: DiskCall::WritePlan { text, .. },
            ..
        } => Some(text.clone()),
        _ => None,
    });
    let plan = Plan::decode(&written.expect("a plan is written")).expect("it is one");
    assert_eq!(plan.target.act, Act::DeleteSpaces);
    let keys: Vec<&str> = plan
        .target
        .spaces
        .iter()
        .map(|it| it.key.as_str())
        .collect();
    assert_eq!(keys, ["D3", "D4", "D5"], "what is left, and nothing else");
    let here = plan.target.server.is_at(&BaseUrl::of(STAGING));
    assert_eq!(here, SameServer::Yes);
    let was = plan
        .left_of
        .as_ref()
        .map(|server| server.is_at(&BaseUrl::of(PROD)));
    assert_eq!(was, Some(SameServer::Yes));
}

#[test]
fn a_job_of_another_profile_does_not_go_on() {
    let mut again = start(PROD);
    "attic".clone_into(&mut again.profile.name);
    let mut visit = killed(again);
    let sent = visit.sent();
    visit.keys("r").work();
    let told = "This job belongs to the profile prod; this is attic.";
    assert!(said(&visit).starts_with(told), "{}", said(&visit));
    assert_eq!(visit.sent(), sent);
}

#[test]
fn a_resumed_job_asks_for_the_number_that_is_left() {
    let mut visit = killed(start(&format!("{PROD}/")));
    let job = &visit.desk.story.model.jobs.list[0].job;
    let challenge = job.challenge().expect("it was loaded from a file");
    assert_eq!(*challenge.wants(), Answer::Count(3));
    assert!(challenge.answer("5").is_none(), "not that of the beginning");
    visit.keys("r").work();
    visit.sees("2 of 5 done").sees("Type 3 to delete them");
    visit.types("5").keys("Enter").work();
    visit.sees("That is not 3. Nothing was done.");
}

/// The third deletion was on the line: it may be gone, and then two are left.
#[test]
fn a_resumed_job_says_between_which_numbers_what_is_left_is() {
    let mut visit = killed(start(PROD));
    let job = &visit.desk.story.model.jobs.list[0].job;
    assert_eq!((job.left(), job.in_doubt()), (3, 1));
    visit.keys("r").work();
    visit.sees("2 to 3 are left: of 1 it is not known yet whether it is deleted already.");
    visit.sees("nothing is sent twice");
    visit.sees("Type 3 to delete them");
    // One that nothing was sent of says nothing of the kind.
    let mut visit = Visit::about_to_delete_five(120, 40);
    visit.work();
    assert!(!visit.desk.screen().contains("are left:"));
}

#[test]
fn a_job_whose_file_names_no_address_asks_before_it_goes_on() {
    let mut visit = killed(start(PROD));
    // As the version before wrote it.
    for text in visit.desk.files.values_mut() {
        *text = text.replace(&format!(r#","address":"{PROD}""#), "");
        assert!(!text.contains("\"address\""), "{text}");
    }
    let mut visit = visit.kill_and_start(false, start(PROD));
    let written = visit.desk.journal.len();
    visit.keys("c").work();
    assert!(said(&visit).starts_with("Its file names no address"));
    visit.keys("r").work();
    visit.sees(&format!(
        "Its file names the server wiki.example.com and no address. Go on only if that is {PROD}."
    ));
    let now = visit.desk.journal.len();
    assert_eq!(now, written, "nothing before that is agreed to");
    visit.types("3").keys("Enter").settle();
    assert!(visit.desk.journal.len() > written);
    let (_, address) = lines(&visit).pop().expect("it wrote");
    assert_eq!(address, Some(BaseUrl::of(PROD)));
    let stored = visit.desk.files.values().any(|text| text.contains(PROD));
    assert!(stored, "from here on it is known");
}

#[test]
fn a_host_that_differs_is_another_server_also_where_no_address_is_known() {
    let mut visit = killed(start(PROD));
    for text in visit.desk.files.values_mut() {
        *text = text.replace(&format!(r#","address":"{PROD}""#), "");
    }
    let elsewhere = start("https://wiki.example.net/prod");
    let mut visit = visit.kill_and_start(false, elsewhere);
    visit.keys("r").work();
    let told = "This job belongs to wiki.example.com; this is https://wiki.example.net/prod.";
    assert!(said(&visit).starts_with(told), "{}", said(&visit));
}

#[test]
fn each_line_of_the_journal_names_who_was_signed_in_when_it_was_written() {
    let mut visit = killed(start(PROD));
    let before = lines(&visit);
    assert!(
        before
            .iter()
            .all(|(user, _)| user.as_deref() == Some("jdoe"))
    );
    assert!(before.iter().all(|(_, at)| *at == Some(BaseUrl::of(PROD))));
    signs_in_as(&mut visit, "ann");
    visit.keys("r").work();
    visit.sees("jdoe began it; ann is signed in.");
    assert_eq!(lines(&visit), before, "nothing before that is agreed to");
    visit.types("3").keys("Enter").settle();
    let all = lines(&visit);
    let after = &all[before.len()..];
    assert!(!after.is_empty());
    assert!(
        after.iter().all(|(user, _)| user.as_deref() == Some("ann")),
        "{after:?}"
    );
}

#[test]
fn until_it_is_known_who_is_signed_in_nothing_goes_on() {
    let mut visit = killed(start(PROD));
    visit.desk.story.model.session.user = Remote::Absent;
    let sent = visit.sent();
    visit.keys("r").work();
    assert!(said(&visit).starts_with("It is not known yet who is signed in."));
    assert_eq!(visit.sent(), sent);
}
