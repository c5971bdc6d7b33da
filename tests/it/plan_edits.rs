//! Plans that somebody has edited: what is shown and done is what the server tells, never what the
//! file says.

use std::collections::BTreeSet;

use coracle::app::message::{DiskCall, DiskReply, Effect, Msg, TextFile};
use coracle::app::modal::Modal;
use coracle::app::modal::confirm::Confirm;
use coracle::confluence::{BaseUrl, Call, ContentId, ContentKind, ContentStatus, SpaceKey};
use coracle::jobs::plan::{Plan, Seal};
use coracle::jobs::{Act, ItemTarget, SpaceTarget};
use proptest::prelude::*;

use crate::lost::Visit;
use crate::seeds;
use crate::simulation::doc;

/// The plan that the last `w` wrote.
fn written(visit: &Visit) -> String {
    let effects = visit.desk.story.effects.iter().rev();
    let mut plans = effects.filter_map(|effect| match effect {
        Effect::Disk {
            call: DiskCall::WritePlan { text, .. },
            ..
        } => Some(text.clone()),
        _ => None,
    });
    plans.next().expect("w writes the plan")
}

/// A wiki with five items in the trash of ENG, and a plan to purge three of them.
fn with_plan() -> (Visit, Plan) {
    let mut visit = Visit::new(120, 40);
    {
        let mut wiki = visit.wiki.borrow_mut();
        for (id, title) in [("102", "Notes"), ("103", "Minutes"), ("104", "Ideas")] {
            let item = doc("ENG", title, ContentStatus::Trashed);
            wiki.server.docs.insert(id.to_owned(), item);
        }
    }
    visit.keys("t").work();
    visit.keys("g Space Space Space x").work();
    visit.keys("w Esc").work();
    let plan = Plan::decode(&written(&visit)).expect("it is a plan");
    assert_eq!(plan.target.items.len(), 3);
    (visit, plan)
}

/// Opens the list of plans with this one in it, and holds it against the server.
fn applies(visit: &mut Visit, text: &str) {
    visit.keys("J o");
    let asked = visit.desk.story.effects.iter().rev();
    let mut asked = asked.filter_map(|effect| match effect {
        Effect::Disk {
            ticket,
            call: DiskCall::ReadPlans,
        } => Some(*ticket),
        _ => None,
    });
    let ticket = asked.next().expect("the plans are asked for");
    let files = vec![TextFile::read("plan-x.json", text)];
    let outcome = Ok(DiskReply::Files(files));
    visit.desk.story.happen(Msg::Disk { ticket, outcome });
    visit.keys("Enter").work();
}

fn dialog(visit: &Visit) -> Option<&Confirm> {
    match visit.desk.story.model.modals.last() {
        Some(Modal::Confirm(dialog)) => Some(dialog),
        _ => None,
    }
}

/// An edited plan as its file: with the check sum of what it was before.
fn edited(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("plain data")
}

#[test]
fn a_title_of_the_file_is_never_shown_for_an_id_that_is_called_otherwise() {
    let (mut visit, mut plan) = with_plan();
    let planned: Vec<ContentId> = plan.target.items.iter().map(|it| it.id.clone()).collect();
    let docs = visit.wiki.borrow().server.docs.clone();
    let mut others = docs.iter().filter(|(id, doc)| {
        doc.status == ContentStatus::Trashed && !planned.iter().any(|it| it.as_str() == **id)
    });
    let (other, other_doc) = others.next().expect("more is in the trash");
    let old_title = plan.target.items[0].title.clone();
    plan.target.items[0].id = ContentId::new(other);
    plan.target.items[0].version = Some(other_doc.version);
    applies(&mut visit, &edited(&plan));
    let dialog = dialog(&visit).expect("two are left");
    let ids: Vec<&str> = dialog
        .target()
        .items
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert!(!ids.contains(&other.as_str()), "{ids:?}");
    assert_eq!(ids.len(), 2);
    visit.sees("This plan was changed after it was written.");
    visit.sees(&format!(
        "Changed since the plan was made, left out: 1 item ({}).",
        other_doc.title
    ));
    assert!(!visit.desk.screen().contains(&format!("{old_title} (page)")));
}

#[test]
fn an_id_that_is_in_a_plan_more_than_once_is_refused_by_name() {
    let (mut visit, mut plan) = with_plan();
    let again = plan.target.items[0].clone();
    plan.target.items.extend([again.clone(), again.clone()]);
    let why = Plan::decode(&edited(&plan)).expect_err("it is refused");
    let told = format!(
        "This is a plan that names more than once: {} ({}).",
        again.id, again.title
    );
    assert!(why.starts_with(&told), "{why}");
    let asked = visit.desk.story.sent.len();
    applies(&mut visit, &edited(&plan));
    assert!(dialog(&visit).is_none());
    assert_eq!(visit.desk.story.sent.len(), asked);
}

#[test]
fn a_plan_carries_a_check_sum_of_all_that_it_says() {
    let (mut visit, plan) = with_plan();
    assert_eq!(plan.seal(), Seal::Whole);
    // Other blanks change nothing of what it says.
    let packed = serde_json::to_string(&plan).expect("plain data");
    let packed = Plan::decode(&packed).expect("it is a plan");
    assert_eq!(packed.seal(), Seal::Whole);
    let mut other = plan.clone();
    other.target.items[1].version = Some(77);
    assert_eq!(other.seal(), Seal::Changed);
    let old = Plan {
        check_sum: None,
        ..plan.clone()
    };
    assert_eq!(old.seal(), Seal::Missing);
    applies(&mut visit, &edited(&plan));
    assert_eq!(dialog(&visit).map(|it| it.to_agree.len()), Some(0));
    let (mut visit, _) = with_plan();
    applies(&mut visit, &edited(&old));
    visit.sees("This plan has no check sum");
}

#[test]
fn a_space_that_has_another_name_by_now_is_left_out() {
    let (mut visit, mut plan) = with_plan();
    plan.target.act = Act::DeleteSpaces;
    plan.target.items.clear();
    let space = |key: &str, name: &str| SpaceTarget {
        key: SpaceKey::new(key),
        name: name.to_owned(),
    };
    plan.target.spaces = vec![
        space("ENG", "Attic"),
        space("OLD", "Old project"),
        space("NONE", "Nothing"),
    ];
    applies(&mut visit, &edited(&plan));
    let dialog = dialog(&visit).expect("one is left");
    let keys: Vec<&str> = dialog
        .target()
        .spaces
        .iter()
        .map(|it| it.key.as_str())
        .collect();
    assert_eq!(keys, ["OLD"]);
    visit
        .sees("left out: NONE.")
        .sees("left out: ENG (Engineering).");
}

#[test]
fn a_plan_for_another_address_of_the_same_host_is_not_applied() {
    let (mut visit, mut plan) = with_plan();
    plan.target.server = BaseUrl::of("https://wiki.example.com/staging").into();
    let asked = visit.desk.story.sent.len();
    applies(&mut visit, &plan.encode());
    assert!(dialog(&visit).is_none());
    assert_eq!(visit.desk.story.sent.len(), asked);
    let toast = visit.desk.story.model.toasts.last().expect("it is told");
    let told =
        "This plan is for https://wiki.example.com/staging; this is https://wiki.example.com.";
    assert!(toast.text.starts_with(told), "{}", toast.text);
}

/// What somebody does to the file of a plan.
#[derive(Clone, Debug)]
enum Edit {
    Id(usize, String),
    Version(usize, Option<u64>),
    Title(usize, String),
    Kind(usize),
    Space(usize, Option<String>),
    Twice(usize),
    Act(Act),
    Elsewhere,
    HostAlone,
    NoSpaces,
}

fn edit() -> impl Strategy<Value = Edit> {
    let ids = prop_oneof![
        Just("100"),
        Just("101"),
        Just("102"),
        Just("103"),
        Just("104"),
        Just("200"),
        Just("9")
    ];
    let titles = prop_oneof![
        Just("Old policy"),
        Just("Draft"),
        Just("Notes"),
        Just("Minutes"),
        Just("Home"),
        Just("")
    ];
    let acts = prop_oneof![
        Just(Act::PurgeMarked),
        Just(Act::RestoreContent),
        Just(Act::BackUp),
        Just(Act::PurgeAll),
        Just(Act::DeleteSpaces),
        Just(Act::ArchiveSpaces),
        Just(Act::DryRun)
    ];
    let spaces = prop::option::of(prop_oneof![Just("ENG"), Just("OLD"), Just("NONE")]);
    let at = 0..3_usize;
    prop_oneof![
        (at.clone(), ids).prop_map(|(at, id)| Edit::Id(at, id.to_owned())),
        (at.clone(), prop::option::of(0..4_u64)).prop_map(|(at, it)| Edit::Version(at, it)),
        (at.clone(), titles).prop_map(|(at, title)| Edit::Title(at, title.to_owned())),
        at.clone().prop_map(Edit::Kind),
        (at.clone(), spaces).prop_map(|(at, it)| Edit::Space(at, it.map(str::to_owned))),
        at.prop_map(Edit::Twice),
        acts.prop_map(Edit::Act),
        Just(Edit::Elsewhere),
        Just(Edit::HostAlone),
        Just(Edit::NoSpaces),
    ]
}

fn change(plan: &mut Plan, edit: Edit) {
    let items = &mut plan.target.items;
    let place = |at: usize| at.min(items.len() - 1);
    match edit {
        Edit::Id(at, id) => {
            let at = place(at);
            items[at].id = ContentId::new(id);
        }
        Edit::Version(at, version) => {
            let at = place(at);
            items[at].version = version;
        }
        Edit::Title(at, title) => {
            let at = place(at);
            items[at].title = title;
        }
        Edit::Kind(at) => {
            let at = place(at);
            items[at].kind = ContentKind::BlogPost;
        }
        Edit::Space(at, space) => {
            let at = place(at);
            items[at].space = space.map(SpaceKey::new);
        }
        Edit::Twice(at) => {
            let at = place(at);
            let item = items[at].clone();
            items.push(item);
        }
        Edit::Act(act) => plan.target.act = act,
        Edit::Elsewhere => {
            plan.target.server = BaseUrl::of("https://wiki.example.com/staging").into();
        }
        Edit::HostAlone => {
            let text = serde_json::to_string(plan).expect("plain data");
            let text = text.replace(r#""address":"https://wiki.example.com","#, "");
            *plan = serde_json::from_str(&text).expect("as an earlier version wrote it");
        }
        Edit::NoSpaces => plan.target.spaces.clear(),
    }
}

/// Each thing that the dialog is about is what the server says that it is, and is there once.
fn is_true(visit: &Visit) -> Result<(), String> {
    let Some(dialog) = dialog(visit) else {
        return Ok(());
    };
    let wiki = visit.wiki.borrow();
    let mut seen = BTreeSet::new();
    for ItemTarget {
        id,
        kind,
        title,
        version,
        space,
    } in &dialog.target().items
    {
        let doc = wiki.server.docs.get(id.as_str()).ok_or("it is not there")?;
        let same = doc.title == *title
            && doc.kind == *kind
            && *version == Some(doc.version)
            && space.as_ref().map(SpaceKey::as_str) == Some(doc.space.as_str())
            && doc.status == ContentStatus::Trashed;
        if !same || !seen.insert(id.clone()) {
            return Err(format!("{id} {title:?} {version:?} is {doc:?}"));
        }
    }
    for space in &dialog.target().spaces {
        let room = wiki.server.rooms.get(space.key.as_str());
        if room.is_none_or(|room| room.name != space.name) {
            return Err(format!("{space:?}"));
        }
    }
    Ok(())
}

thread_local! {
    static BEGUN: (Visit, Plan) = with_plan();
}

/// Edits a plan and applies it: how many items are purged, each as it was shown.
fn holds_what_was_shown(edits: Vec<Edit>) -> Result<usize, String> {
    let (mut visit, mut plan) = BEGUN.with(|(visit, plan)| (visit.copy(), plan.clone()));
    for edit in edits {
        change(&mut plan, edit);
    }
    applies(&mut visit, &edited(&plan));
    is_true(&visit)?;
    let shown: Option<(BTreeSet<String>, BTreeSet<String>)> = dialog(&visit).map(|dialog| {
        let target = dialog.target();
        let items = target.items.iter().map(|it| it.id.to_string());
        let spaces = target.spaces.iter().map(|it| it.key.to_string());
        (items.collect(), spaces.collect())
    });
    if let Some(wanted) = dialog(&visit).map(|dialog| dialog.wanted()) {
        match wanted {
            Some(wanted) => visit.types(&wanted).keys("Enter").settle(),
            None => visit.keys("y").settle(),
        };
    }
    let wiki = visit.wiki.borrow();
    for call in &wiki.writes {
        let (items, spaces) = shown.clone().expect("nothing is done that was not shown");
        let was_shown = match call {
            Call::PurgeContent { id } => items.contains(id.as_str()) || items.is_empty(),
            Call::PurgeTrash { key } | Call::DeleteSpace { key } => spaces.contains(key.as_str()),
            _ => true,
        };
        if !was_shown {
            return Err(format!("{call:?} was not shown"));
        }
    }
    let purged = wiki.writes.iter().filter_map(|call| match call {
        Call::PurgeContent { id } => Some(id.to_string()),
        _ => None,
    });
    let purged: Vec<String> = purged.collect();
    let once: BTreeSet<&String> = purged.iter().collect();
    if once.len() != purged.len() {
        return Err(format!("more than once: {purged:?}"));
    }
    Ok(purged.len())
}

#[test]
fn whatever_is_edited_what_is_destroyed_was_shown_as_the_server_tells_it() {
    let edits = prop::collection::vec(edit(), 0..4);
    let (_, purged) = seeds::all(|seed| {
        // A whole visit takes ten times as long as a run of the others.
        if !seed.is_multiple_of(10) {
            return (Vec::new(), 0);
        }
        let edits = seeds::value(&edits, seed);
        let told = format!("{edits:?}");
        match holds_what_was_shown(edits) {
            Ok(purged) => (Vec::new(), purged),
            Err(lie) => (vec![lie, told], 0),
        }
    });
    assert!(
        purged > 0 || seeds::number("CORACLE_SIM_SEED").is_some(),
        "else it shows nothing"
    );
}
