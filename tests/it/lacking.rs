//! What a backup lacks of what hangs on its items: told alike by the dialog and by the manifest, with why.

use coracle::confluence::*;
use coracle::jobs::backup::{self, Manifest};
use coracle::jobs::*;

use crate::machines::Bench;
use crate::simulation::{Lists, Server, agree, doc, head, missing};

/// A file as a list tells of it; what is in it is told by its address.
fn file(id: &str, title: &str, address: &str) -> Content {
    Content {
        id: ContentId::new(id),
        kind: ContentKind::Attachment,
        status: Some(ContentStatus::Trashed),
        title: ServerText::new(title),
        has_children: None,
        space: Some(SpaceKey::new("ENG")),
        version: Some(Version {
            number: Some(1),
            ..Version::default()
        }),
        ancestors: None,
        position: None,
        more: Some(Box::new(ContentMore {
            download: Some(format!("/download/{address}")),
            ..ContentMore::default()
        })),
    }
}

fn list(results: Vec<Content>) -> Reply {
    Reply::Contents(Page {
        results,
        start: 0,
        limit: None,
        total: None,
        has_next: false,
    })
}

/// The purge of two trashed pages, up to its question; `files` and `comments` tell what hangs on each.
fn purged(
    files: impl Fn(&str) -> Result<Reply, ApiError>,
    comments: impl Fn(&str) -> Result<Reply, ApiError>,
) -> Bench {
    let pages = [("100", "Guide"), ("101", "Riddle")];
    let mut docs: std::collections::BTreeMap<_, _> = pages
        .map(|(id, title)| (id.to_owned(), doc("ENG", title, ContentStatus::Trashed)))
        .into();
    for (id, text) in [("900", "one"), ("901", "another")] {
        let mut other = doc("OPS", id, ContentStatus::Current);
        text.clone_into(&mut other.storage);
        docs.insert(id.to_owned(), other);
    }
    let server = Server::with(docs, Lists::Bare);
    let items = pages.map(|(id, title)| ItemTarget {
        id: ContentId::new(id),
        kind: ContentKind::Page,
        title: title.to_owned(),
        version: Some(1),
        space: Some(SpaceKey::new("ENG")),
    });
    let head = head(Act::PurgeMarked, &["ENG"], items.into());
    let consent = agree(Challenge::new(head.target.clone()));
    let mut bench = Bench::new(Job::purge_marked(head, consent).expect("agreed to"), server);
    bench.run(
        &mut |_, call, _| match call {
            Call::Attachments { id, .. } => Some(files(id.as_str())),
            Call::Comments { id, .. } => Some(comments(id.as_str())),
            _ => None,
        },
        |_| false,
    );
    bench
}

fn none(_: &str) -> Reply {
    list(Vec::new())
}

/// What the job asks about: what would be lost, and what is named of it.
fn asked(bench: &Bench) -> (String, Vec<String>) {
    assert_eq!(bench.journal.len(), 0, "nothing is destroyed before that");
    match bench.job.question() {
        Some(Question::Losses { items, losses, .. }) => (
            losses.in_words(),
            items.iter().flat_map(|it| it.named.clone()).collect(),
        ),
        other => panic!("{other:?} {:?}", bench.outcomes()),
    }
}

fn manifest(bench: &Bench) -> serde_json::Value {
    let mut files = bench.files.iter();
    let (_, bytes) = files
        .find(|((_, name), _)| name == backup::MANIFEST)
        .expect("a backup");
    serde_json::from_slice::<Manifest>(bytes).expect("it is read as a manifest");
    serde_json::from_slice(bytes).expect("JSON")
}

#[test]
fn of_two_files_under_one_id_the_one_that_is_not_saved_is_a_loss() {
    type Files = fn(&str) -> Vec<Content>;
    let ways: [(&str, Files); 3] = [
        ("one list, two names", |page| match page {
            "100" => vec![file("att1", "a.txt", "900"), file("att1", "b.txt", "901")],
            _ => Vec::new(),
        }),
        ("two lists, two names", |page| match page {
            "100" => vec![file("att1", "a.txt", "900")],
            _ => vec![file("att1", "b.txt", "901")],
        }),
        ("two lists, one name", |page| match page {
            "100" => vec![file("att1", "b.txt", "900")],
            _ => vec![file("att1", "b.txt", "901")],
        }),
    ];
    for (way, files) in ways {
        let bench = purged(|page| Ok(list(files(page))), |page| Ok(none(page)));
        let (lost, named) = asked(&bench);
        assert_eq!(lost, "1 attached file", "{way}");
        assert!(named[0].contains(".txt: Something else"), "{way} {named:?}");
        let lacks = manifest(&bench)["lacks"].clone();
        assert_eq!(lacks.as_array().map(Vec::len), Some(1), "{way} {lacks}");
        assert_eq!(lacks[0]["id"], "att1", "{way}");
    }
    // Nothing shows that these are two: the list is not believed.
    let same = |page: &str| match page {
        "100" => vec![file("att1", "a.txt", "900"), file("att1", "a.txt", "900")],
        _ => Vec::new(),
    };
    let bench = purged(|page| Ok(list(same(page))), |page| Ok(none(page)));
    let (lost, _) = asked(&bench);
    assert_eq!(lost, "files of 1 item that the lists may have left out");
}

#[test]
fn a_list_that_is_not_known_is_told_in_the_dialog_and_in_the_manifest_with_why() {
    let refused = |page: &str| match page {
        "101" => Err(missing()),
        _ => Ok(none(page)),
    };
    let bench = purged(refused, refused);
    let (lost, named) = asked(&bench);
    assert_eq!(lost, "the files and comments of 1 item (not known)");
    assert!(named[0].starts_with("The list of its files: "), "{named:?}");
    assert!(
        named[1].starts_with("The list of its comments: "),
        "{named:?}"
    );
    let manifest = manifest(&bench);
    for (lack, kind) in manifest["lacks"]
        .as_array()
        .expect("some")
        .iter()
        .zip(["attachment", "comment"])
    {
        assert_eq!((&lack["type"], &lack["on"]), (&kind.into(), &"101".into()));
        assert_eq!(lack["list"], "not_read");
        assert_ne!(lack["why"], "");
    }
    assert_eq!(manifest["lacks"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_is_saved_though_its_list_is_not_certain_is_not_said_to_be_unread() {
    let repeats = |page: &str| match page {
        "100" => vec![file("att1", "a.txt", "900"), file("att1", "a.txt", "900")],
        _ => Vec::new(),
    };
    let bench = purged(|page| Ok(list(repeats(page))), |page| Ok(none(page)));
    let Some(Question::Losses { losses, .. }) = bench.job.question() else {
        panic!("{:?}", bench.outcomes());
    };
    assert_eq!(
        losses.told(),
        "The lists may have left out files of 1 item; what they told is saved."
    );
    assert_eq!(manifest(&bench)["lacks"][0]["list"], "not_certain");
    let both = losses.and(Losses {
        items: 1,
        comments: 2,
        ..Losses::default()
    });
    assert_eq!(
        both.told(),
        "2 comments could not be read. The lists may have left out files of 1 item; what they told is saved."
    );
}
