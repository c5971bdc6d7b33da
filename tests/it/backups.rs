//! Backups on this machine, by the command line.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use coracle::confluence::{ContentId, ContentKind, ContentStatus, SpaceKey};
use coracle::jobs::backup::{self, FORMAT, FileEntry, Item, MANIFEST, Manifest, VERSION};
use coracle::jobs::{Act, JobId, SpaceTarget};

const ITEMS: &str = "items-0001.ndjson.gz";

fn coracle(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .expect("because the program was just built")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn item(title: &str) -> Item {
    Item {
        title: title.to_owned(),
        id: ContentId::new(title),
        kind: ContentKind::Page,
        status: ContentStatus::Trashed,
        space: Some(SpaceKey::new("ENG")),
        version: None,
        ancestors: None,
        position: None,
        created_by: None,
        created: None,
        labels: None,
        restrictions: None,
        attachments: None,
        container: None,
        file: None,
        storage: Some("<p>text</p>".to_owned()),
    }
}

/// A home with one backup in it, and the folder of that backup.
fn home() -> (tempfile::TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().expect("because the temporary folder can be written");
    let backups = home.path().join(if cfg!(target_os = "macos") {
        "Library/Application Support/coracle/backups"
    } else {
        ".local/share/coracle/backups"
    });
    let folder = backups.join("2026-ENG");
    std::fs::create_dir_all(&folder).expect("because the home is ours");
    let bytes = backup::pack(&(backup::line(&item("One")) + &backup::line(&item("Two"))));
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        job: JobId::new("2026-ENG"),
        act: Act::BackUp,
        created: "2026-11-23T14:02:11Z".parse().expect("a date of the test"),
        profile: "prod".to_owned(),
        host: "wiki.example.com".to_owned(),
        user: None,
        spaces: vec![SpaceTarget {
            key: SpaceKey::new("ENG"),
            name: "Engineering".to_owned(),
        }],
        items: 2,
        not_saved: Vec::new(),
        files: vec![FileEntry::of(ITEMS, &bytes, 2)],
    };
    std::fs::write(folder.join(ITEMS), bytes).expect("because the folder was just made");
    std::fs::write(folder.join(MANIFEST), manifest.encode())
        .expect("because the folder was just made");
    (home, folder)
}

#[test]
fn a_whole_backup_is_listed_and_verifies() {
    let (home, _) = home();
    let list = coracle(home.path(), &["backup", "list"]);
    assert_eq!(list.status.code(), Some(0));
    let text = said(&list);
    for part in ["2026-ENG", "2 items", "wiki.example.com", "ENG"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for arguments in [&["backup", "verify"][..], &["backup", "verify", "2026-ENG"]] {
        let output = coracle(home.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("as written"), "{}", said(&output));
    }
}

#[test]
fn what_was_spoilt_fails_and_names_the_file() {
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 4] = [
        ("check sum differs", |folder| {
            let path = folder.join(ITEMS);
            let mut bytes = std::fs::read(&path).expect("the items");
            bytes[20] ^= 1;
            std::fs::write(path, bytes).expect("the items");
        }),
        ("is missing", |folder| {
            std::fs::remove_file(folder.join(ITEMS)).expect("the items");
        }),
        ("manifest.json is missing", |folder| {
            std::fs::remove_file(folder.join(MANIFEST)).expect("the manifest");
        }),
        ("not a name", |folder| {
            let path = folder.join(MANIFEST);
            let text = std::fs::read_to_string(&path).expect("the manifest");
            std::fs::write(path, text.replace(ITEMS, "../../../.profile")).expect("the manifest");
        }),
    ];
    for (told, spoil) in spoils {
        let (home, folder) = home();
        spoil(&folder);
        let output = coracle(home.path(), &["backup", "verify"]);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(said(&output).contains(told), "{told}: {}", said(&output));
        assert_eq!(
            coracle(home.path(), &["backup", "list"]).status.code(),
            Some(0),
            "the list goes on past {told}"
        );
    }
}

#[test]
fn a_name_that_leads_elsewhere_is_no_backup() {
    let (home, _) = home();
    for name in ["../backups/2026-ENG", "/etc", ".", "missing"] {
        let output = coracle(home.path(), &["backup", "verify", name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(said(&output).contains("no such backup"), "{name}");
    }
}
