//! The journal and the backup format as other tools see them, by their documented shape.

use coracle::confluence::call::Method;
use coracle::confluence::{ContentId, ContentKind, ContentStatus, ServerText};
use coracle::jobs::backup::{self, FileEntry, Item};
use coracle::jobs::journal::{self, Chain, Phase, Record};
use coracle::jobs::{Act, JobId, Step};
use jiff::Timestamp;

use crate::simulation::session;

fn record(no: u64) -> Record {
    Record {
        job: JobId::new("j1"),
        act: Act::PurgeMarked,
        no,
        item: 0,
        step: Step::Purge,
        subject: "393229".into(),
        title: "A “quoted” title".into(),
        method: Method::Delete,
        path: "/rest/api/content/393229".into(),
        before: "trashed, version 3, saved".into(),
        outcome: Phase::Intended,
        made: None,
        note: None,
    }
}

fn lines(n: u64) -> Vec<String> {
    let mut chain = Chain::default();
    let line = |no| {
        let line = chain.draft(&record(no), Timestamp::UNIX_EPOCH, &session());
        chain.commit(&line);
        line
    };
    (1..=n).map(line).collect()
}

#[test]
fn a_line_has_the_documented_fields_and_names_the_line_before() {
    let lines = lines(2);
    let second: serde_json::Value = serde_json::from_str(&lines[1]).expect("because it is JSON");
    assert_eq!(second["seq"], 2);
    assert_eq!(second["act"], "purge-marked");
    assert_eq!(second["method"], "DELETE");
    assert_eq!(second["outcome"], "intended");
    assert_eq!(second["prev"], journal::sha256(lines[0].as_bytes()));
    assert!(!lines[1].contains('\n'));
}

#[test]
fn any_change_of_a_line_that_is_followed_by_another_breaks_the_chain() {
    let whole = lines(3);
    for place in 0..whole[1].len() {
        let mut changed = whole.clone();
        let mut bytes = changed[1].clone().into_bytes();
        bytes[place] = if bytes[place] == b'x' { b'y' } else { b'x' };
        changed[1] = String::from_utf8_lossy(&bytes).into_owned();
        assert!(journal::verify(&changed).is_err(), "byte {place}");
    }
}

#[test]
fn a_journal_cut_at_any_byte_still_holds_and_can_be_continued() {
    let whole: Vec<Vec<u8>> = lines(3).into_iter().map(String::into_bytes).collect();
    for cut in 0..whole[2].len() {
        let mut rest = whole.clone();
        rest[2].truncate(cut);
        let found = journal::verify(&rest).expect("because only the last line is cut");
        assert_eq!(found.entries, 2, "cut at {cut}");
        let next = found
            .chain
            .draft(&record(9), Timestamp::UNIX_EPOCH, &session());
        rest.push(next.into_bytes());
        assert_eq!(
            journal::verify(&rest).map(|found| found.entries),
            Ok(3),
            "cut at {cut}"
        );
    }
}

fn item(title: &str) -> Item {
    Item {
        title: ServerText::new(title),
        id: ContentId::new("1"),
        kind: ContentKind::Page,
        status: ContentStatus::Trashed,
        space: None,
        version: None,
        ancestors: None,
        position: None,
        created_by: None,
        created: None,
        labels: None,
        restrictions: None,
        restrictions_complete: false,
        attachments: None,
        container: None,
        file: None,
        remark: None,
        storage: Some("<p>\u{a0}text &amp; <![CDATA[code]]></p>".into()),
    }
}

#[test]
fn items_come_back_to_the_byte_and_a_spoilt_file_is_noticed() {
    let items = vec![item("One"), item("Say \"two\"")];
    let bytes = backup::pack(&items.iter().map(backup::line).collect::<String>());
    let entry = FileEntry::of("items-0001.ndjson.gz", &bytes, 2);
    assert_eq!(entry.check(&bytes), Ok(()));
    assert_eq!(backup::unpack(&entry.name, &bytes), Ok(items));
    for place in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[place] ^= 1;
        assert!(entry.check(&spoilt).is_err(), "byte {place}");
        assert!(entry.check(&bytes[..place]).is_err(), "cut at {place}");
    }
}

#[test]
fn titles_can_be_listed_with_standard_tools() {
    let folder = tempfile::tempdir().expect("because the temporary folder can be written");
    let items = [item("One"), item("Say \"two\"")];
    let bytes = backup::pack(&items.iter().map(backup::line).collect::<String>());
    std::fs::write(folder.path().join("items-0001.ndjson.gz"), bytes)
        .expect("because the folder was just made");
    let document = include_str!("../../docs/backup-format.md");
    let command = document
        .lines()
        .find(|line| line.trim_start().starts_with("zcat"))
        .expect("because the document shows it");
    let run = std::process::Command::new("sh")
        .args(["-c", command.trim()])
        .current_dir(folder.path())
        .output()
        .expect("because there is a shell");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "One\nSay \\\"two\\\"\n"
    );
}
