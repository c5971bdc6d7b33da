//! What must hold for any bytes: one function for each reader of what others wrote.
//!
//! The fuzz targets beside it call these with what the engine thinks of; `tests/it/fuzz.rs`
//! includes this file and calls them with the corpus. Each function panics where its reader does
//! not keep its promise: never to panic, to give only text that can't drive a terminal, to give
//! no more than a fixed multiple of what came in, and to read back what it has written.

use std::path::Path;

use coracle::app::action::Context;
use coracle::app::key::Chord;
use coracle::app::keymap::{Keymap, Keys, Rebinding};
use coracle::confluence::call::{Audience, Depth, SpacesFilter, Window};
use coracle::confluence::paging::{CursorPager, Pager};
use coracle::confluence::{
    BaseUrl, Call, ContentId, ContentKind, ContentStatus, Cursor, Headers, LocalFile, LongTaskId,
    Reply, Restriction, ServerText, SpaceContent, SpaceKey,
};
use coracle::jobs::backup::{self, BackupError, FileEntry, Manifest};
use coracle::jobs::plan::Plan;
use coracle::jobs::{Session, journal, ledger};
use coracle::shell::record::Replay;
use coracle::text::doc::{Doc, find};
use coracle::text::filter::Filter;
use coracle::text::index::{Index, Progress, Scan, positions};
use coracle::text::plain;
use coracle::ui::{picture, theme};
use coracle::{config, report};
use serde_json::Value;

/// A body: takes any bytes, panics where a promise is broken.
pub type Body = fn(&[u8]);

/// Every target with its body, by name.
pub const TARGETS: [(&str, Body); 10] = [
    ("backup", backup),
    ("config", config),
    ("decode", decode),
    ("filter", filter),
    ("html", html),
    ("journal", journal),
    ("keys", keys),
    ("recording", recording),
    ("storage", storage),
    ("theme", theme),
];

/// Whether a character can drive a terminal, reorder a row or hide in it.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Fails unless the text is one line that can go to a terminal.
pub fn line_is_safe(text: &str) {
    assert!(!text.contains(is_harmful), "not safe: {text:?}");
}

/// The same for text of several lines.
fn lines_are_safe(text: &str) {
    text.split('\n').for_each(line_is_safe);
}

/// Fails where more came out than `factor` times what went in.
fn is_bounded(out: usize, from: usize, factor: usize) {
    assert!(
        out <= from * factor + 16 * 1024,
        "{out} bytes came of {from}"
    );
}

/// The first byte, and the rest as text.
fn choice(data: &[u8]) -> (usize, String) {
    let (first, rest) = data.split_first().map_or((0, data), |(b, rest)| (*b, rest));
    (
        usize::from(first),
        String::from_utf8_lossy(rest).into_owned(),
    )
}

/// The storage format of a page.
pub fn storage(data: &[u8]) {
    let (columns, body) = choice(data);
    laid_out(
        &coracle::text::storage::parse(&body),
        columns % 128,
        body.len(),
    );
}

/// The rendered HTML of a page.
pub fn html(data: &[u8]) {
    let (columns, body) = choice(data);
    laid_out(
        &coracle::text::html::parse(&body),
        columns % 128,
        body.len(),
    );
}

/// A document in lines: each fits and is safe, and there are not too many of them.
fn laid_out(doc: &Doc, columns: usize, from: usize) {
    let lines = doc.lines(columns);
    assert!(
        lines.len() <= from * 8 + 64,
        "{} lines of {from}",
        lines.len()
    );
    for line in &lines {
        assert!(line.width() <= columns.max(8), "wider: {line:?}");
        line_is_safe(&line.text());
    }
    doc.links().iter().for_each(|link| line_is_safe(link));
    // What is searched for is found where it is.
    let needle: String = lines
        .iter()
        .map(|line| line.text())
        .find(|text| !text.trim().is_empty())
        .map(|text| text.chars().rev().take(3).collect())
        .unwrap_or_default();
    for needle in [needle.as_str(), "a", "\u{307}"] {
        for hit in find(&lines, needle) {
            let line = &lines[hit.line];
            assert!(hit.columns.start <= hit.columns.end);
            assert!(hit.columns.end <= line.width(), "{hit:?} in {line:?}");
        }
    }
    // It goes into the model and into recordings.
    let text = serde_json::to_string(doc).expect("a document is plain data");
    assert_eq!(serde_json::from_str::<Doc>(&text).ok().as_ref(), Some(doc));
}

const WINDOW: Window = Window {
    start: 0,
    limit: 25,
};

/// Each operation with the word that names it in an input.
fn calls() -> Vec<(&'static str, Call)> {
    let key = || SpaceKey::new("ENG");
    let id = || ContentId::new("7");
    let expand = String::new;
    let (window, version, kind) = (WINDOW, 2, ContentKind::Page);
    vec![
        (
            "spaces",
            Call::Spaces {
                filter: SpacesFilter::default(),
                expand: expand(),
                window,
            },
        ),
        (
            "create-space",
            Call::CreateSpace {
                key: key(),
                name: ServerText::new("Eng"),
                description: String::new(),
                audience: Audience::Everybody,
            },
        ),
        (
            "create-personal-space",
            Call::CreatePersonalSpace {
                description: String::new(),
                audience: Audience::OnlyCreator,
            },
        ),
        (
            "space",
            Call::Space {
                key: key(),
                expand: expand(),
            },
        ),
        (
            "update-space",
            Call::UpdateSpace {
                key: key(),
                name: ServerText::new("Eng"),
                description: None,
                homepage: None,
            },
        ),
        ("delete-space", Call::DeleteSpace { key: key() }),
        ("archive-space", Call::ArchiveSpace { key: key() }),
        ("restore-space", Call::RestoreSpace { key: key() }),
        (
            "space-content",
            Call::SpaceContent {
                key: key(),
                depth: Depth::All,
                expand: expand(),
                window,
            },
        ),
        (
            "space-content-of-kind",
            Call::SpaceContentOfKind {
                key: key(),
                kind: kind.clone(),
                depth: Depth::Root,
                expand: expand(),
                window,
            },
        ),
        (
            "trash",
            Call::Trash {
                key: key(),
                cursor: Some(Cursor("content:1".to_owned())),
                expand: expand(),
                limit: 25,
            },
        ),
        ("purge-trash", Call::PurgeTrash { key: key() }),
        (
            "long-task",
            Call::LongTask {
                id: LongTaskId("t1".to_owned()),
            },
        ),
        (
            "content",
            Call::Content {
                id: id(),
                status: Some(ContentStatus::Trashed),
                expand: expand(),
            },
        ),
        (
            "child-pages",
            Call::ChildPages {
                id: id(),
                expand: expand(),
                window,
            },
        ),
        (
            "attachments",
            Call::Attachments {
                id: id(),
                expand: expand(),
                window,
            },
        ),
        (
            "trashed-content",
            Call::TrashedContent {
                key: key(),
                kind: kind.clone(),
                expand: expand(),
                window,
            },
        ),
        (
            "content-by-title",
            Call::ContentByTitle {
                key: key(),
                title: ServerText::new("Home"),
                kind: kind.clone(),
            },
        ),
        (
            "restore-content",
            Call::RestoreContent {
                id: id(),
                kind: kind.clone(),
                title: ServerText::new("Home"),
                version,
            },
        ),
        (
            "move-content",
            Call::MoveContent {
                id: id(),
                kind: kind.clone(),
                title: ServerText::new("Home"),
                version,
                parent: id(),
            },
        ),
        ("purge-content", Call::PurgeContent { id: id() }),
        ("trash-content", Call::TrashContent { id: id() }),
        (
            "create-content",
            Call::CreateContent {
                space: key(),
                kind: kind.clone(),
                title: ServerText::new("Home"),
                parent: None,
                storage: String::new(),
            },
        ),
        (
            "replace-body",
            Call::ReplaceBody {
                id: id(),
                kind,
                title: ServerText::new("Home"),
                version,
                storage: String::new(),
            },
        ),
        (
            "set-restrictions",
            Call::SetRestrictions {
                id: id(),
                restrictions: vec![Restriction {
                    operation: "read".to_owned(),
                    users: Vec::new(),
                    user_keys: Vec::new(),
                    groups: vec![ServerText::new("staff")],
                }],
            },
        ),
        (
            "add-labels",
            Call::AddLabels {
                id: id(),
                labels: vec![ServerText::new("old")],
            },
        ),
        (
            "download",
            Call::Download {
                path: "/download/attachments/7/a.png".to_owned(),
                into: LocalFile {
                    backup: "b".to_owned(),
                    name: "file-att7-v1".to_owned(),
                },
                size: None,
                job: "j".to_owned(),
                resume: None,
            },
        ),
        ("current-user", Call::CurrentUser),
        ("server-info", Call::ServerInfo),
        ("manifest", Call::Manifest),
        ("access-mode", Call::AccessMode),
    ]
}

/// An answer of a server: `operation status`, headers, an empty line, the body.
pub fn decode(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &data[data.len()..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let word = first.next().unwrap_or_default();
    let calls = calls();
    let any = word.bytes().map(usize::from).sum::<usize>() % calls.len();
    let named = calls.iter().find(|(name, _)| *name == word);
    let (_, call) = named.unwrap_or(&calls[any]);
    let status = first.next().and_then(|code| code.parse().ok());
    let headers: Headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let reply = match call.decode(status.unwrap_or(200), &headers, body) {
        Ok(reply) => reply,
        Err(error) => {
            line_is_safe(&error.message);
            error.details.iter().for_each(|text| line_is_safe(text));
            line_is_safe(&error.hint());
            line_is_safe(&error.to_string());
            let kind = serde_json::to_value(&error.kind).expect("plain data");
            texts(&kind, "", &mut |_, text| line_is_safe(text));
            is_bounded(error.message.len() + error.hint().len(), data.len(), 16);
            return;
        }
    };
    let value = serde_json::to_value(&reply).expect("plain data");
    is_bounded(value.to_string().len(), data.len(), 128);
    texts(&value, "", &mut |place, text| {
        let (holder, name) = place.rsplit_once('.').unwrap_or(("", place));
        match name {
            // Kept to the byte, for backups and for requests; never shown as they are.
            "body_storage" | "body_view" | "download" | "next" => {}
            // A `ServerText` stands in JSON as it was sent.
            "title" | "name" | "labels" | "groups" | "file_note" | "selection"
                if !["ancestors", "container", "homepage"]
                    .iter()
                    .any(|it| holder.ends_with(it)) =>
            {
                line_is_safe(ServerText::new(text).shown());
            }
            "description" => lines_are_safe(text),
            _ => line_is_safe(text),
        }
    });
    pages(reply);
}

/// Every text of a value with the path of the field that it is in, or that its list is in.
fn texts(value: &Value, place: &str, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(place, text),
        Value::Array(list) => list.iter().for_each(|one| texts(one, place, see)),
        Value::Object(map) => {
            for (name, one) in map {
                texts(one, &format!("{place}.{name}"), see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A page that comes again and again ends its list.
fn pages(reply: Reply) {
    let page = match reply {
        Reply::Trash(page) => {
            let mut pager = CursorPager::new();
            for _ in 0..64 {
                if pager.wanted().is_none() {
                    break;
                }
                if pager.accept(page.clone(), |row| row.id.as_str()).is_err() {
                    break;
                }
            }
            assert!(pager.wanted().is_none() || pager.is_done() || page.next.is_some());
            return;
        }
        Reply::Contents(page) | Reply::SpaceContent(SpaceContent::Flat(page)) => page,
        Reply::SpaceContent(SpaceContent::ByType { page, .. }) => page,
        _ => return,
    };
    let mut pager = Pager::new(25);
    for _ in 0..64 {
        let Some(window) = pager.wanted(1).pop() else {
            break;
        };
        let _ = pager.accept(window, page.clone(), |row| row.id.as_str());
    }
    let (read, _) = pager.progress();
    assert!(read <= page.results.len(), "the same rows were taken twice");
}

/// The configuration, its keys too.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let folder = Path::new("/etc/coracle");
    for private in [Ok(()), Err("It can be read by others.".to_owned())] {
        match config::parse(&text, folder, private) {
            Err(problems) => {
                assert!(!problems.is_empty());
                let told = config::failure("config.toml", &text, &problems).text();
                lines_are_safe(&told);
                is_bounded(told.len(), text.len(), 512);
                for problem in &problems {
                    assert!(problem.span.start <= text.len());
                    let (line, column) = problem.place(&text);
                    assert!(line >= 1 && column >= 1);
                }
            }
            Ok(config) => {
                let mut changes = Vec::new();
                for binding in config.keys {
                    let context = Context::ALL
                        .into_iter()
                        .find(|context| context.name() == binding.context);
                    changes.extend(context.map(|context| Rebinding {
                        context,
                        verb: binding.verb,
                        keys: binding.keys,
                    }));
                }
                match Keymap::with(&changes) {
                    Ok(keymap) => keymap
                        .table()
                        .for_each(|(_, keys, _)| line_is_safe(&keys.to_string())),
                    Err(problems) => {
                        for problem in problems {
                            let failure =
                                report::Failure::new(report::Exit::Usage, problem.to_string());
                            lines_are_safe(&failure.text());
                        }
                    }
                }
                for (name, profile) in &config.profiles {
                    line_is_safe(name);
                    line_is_safe(&profile.url.to_string());
                }
            }
        }
    }
}

/// Keys as they are written.
pub fn keys(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Keys>() {
        Ok(keys) => {
            let written = keys.to_string();
            line_is_safe(&written);
            assert_eq!(written.parse().as_ref(), Ok(&keys), "{written:?}");
        }
        Err(bad) => is_bounded(bad.to_string().len(), text.len(), 2),
    }
    if let Ok(chord) = text.parse::<Chord>() {
        let written = chord.to_string();
        line_is_safe(&written);
        assert_eq!(written.parse().as_ref(), Ok(&chord), "{written:?}");
    }
}

const FIELDS: &[&str] = &["type", "by", "under", "before", "after", "older", "newer"];

/// Rows to look through: plain ones, and those in which case, accents and width go wrong.
const ROWS: &[&str] = &[
    "",
    "Engineering Home",
    "Old runbooks",
    "Übergabe – Größe",
    "İstanbul ISPARTA ıŞıK",
    "ὈΔΥΣΣΕΎΣ Ὀδυσσεύς",
    "日本語のページ",
    "e\u{301}te\u{301}",
    "👩\u{200D}👩\u{200D}👧 family",
    "https://wiki.example.com/x",
    "\"quoted\" 'text' type:page",
];

/// The filter language: reading, writing, matching.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = Filter::parse(&plain::scrub(&text), FIELDS) {
        line_is_safe(&error.to_string());
        line_is_safe(&error.hint());
    }
    let filter = match Filter::parse(&text, FIELDS) {
        Ok(filter) => filter,
        Err(error) => {
            is_bounded(error.hint().len() + error.to_string().len(), text.len(), 4);
            return;
        }
    };
    let canonical = filter.to_string();
    assert_eq!(
        Filter::parse(&canonical, FIELDS).as_ref(),
        Ok(&filter),
        "{canonical:?}"
    );
    assert!(filter.narrows(&filter));
    let index = Index::new(ROWS.iter().copied().chain([&*text]));
    let mut scan = Scan::new(&filter, &index);
    while scan.step(&index, 3) == Progress::Working {}
    let found = scan.matches();
    let mut once = found.to_vec();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), found.len(), "a row was found twice");
    assert!(found.iter().all(|&row| row < index.len()));
    for &row in found {
        let text = index.row(row);
        for range in positions(&filter, text) {
            assert!(text.get(range.clone()).is_some(), "{range:?} of {text:?}");
        }
    }
    // While one types the rest of it: what is found is what would be found from the start.
    let end = text.floor_char_boundary(text.len() / 2);
    if let Ok(before) = Filter::parse(&text[..end], FIELDS)
        && filter.narrows(&before)
    {
        let mut wider = Scan::new(&before, &index);
        while wider.step(&index, 1000) == Progress::Working {}
        for row in found {
            assert!(wider.matches().contains(row), "{row} came from nowhere");
        }
        let mut after = Scan::after(&wider, &filter, &index);
        while after.step(&index, 1000) == Progress::Working {}
        assert_eq!(after.matches(), found);
    }
}

/// A text as a dialog shows it, or a line on standard output.
fn told(error: &BackupError) {
    line_is_safe(&plain::scrub(&format!("{error} {}", error.hint())));
    line_is_safe(&report::scrub(&format!("{error} {}", error.hint())));
}

/// Files of a backup: a manifest, items, packed items; and a stored plan.
pub fn backup(data: &[u8]) {
    match Manifest::decode(data) {
        Ok(manifest) => {
            assert_eq!(Manifest::decode(&manifest.encode()).as_ref(), Ok(&manifest));
            let outcome = manifest.verify(|_| Some(data.to_vec()));
            outcome.as_ref().err().map(told);
        }
        Err(error) => told(&error),
    }
    let text = String::from_utf8_lossy(data);
    match backup::unpack("items-0001.ndjson.gz", &backup::pack(&text)) {
        Ok(items) => {
            let lines: String = items.iter().map(backup::line).collect();
            let packed = backup::pack(&lines);
            let again = backup::unpack("items-0001.ndjson.gz", &packed);
            assert_eq!(again.as_ref(), Ok(&items));
            let entry = FileEntry::of("items-0001.ndjson.gz", &packed, items.len() as u64);
            assert_eq!(entry.check(&packed), Ok(()));
            assert_eq!(entry.check_file(|| Ok(packed.as_slice())), Ok(()));
            if let Some(cut) = packed.len().checked_sub(1) {
                assert!(entry.check(&packed[..cut]).is_err());
            }
        }
        Err(error) => told(&error),
    }
    // As it came, packed by somebody else.
    let entry = FileEntry::of("items-0001.ndjson.gz", data, 1);
    let (at_once, by_piece) = (entry.check(data), entry.check_file(|| Ok(data)));
    assert_eq!(
        at_once.is_ok(),
        by_piece.is_ok(),
        "{at_once:?} {by_piece:?}"
    );
    at_once.as_ref().err().map(told);
    by_piece.as_ref().err().map(told);
    if let Ok(plan) = Plan::decode(&text) {
        // What is written has its check sum, whatever it was read from.
        let again = Plan::decode(&plan.encode()).map(|again| Plan {
            check_sum: plan.check_sum.clone(),
            ..again
        });
        assert_eq!(again.as_ref(), Ok(&plan));
        let _ = plan.differences(&plan.target.items);
    }
}

/// A journal; after an empty line, what is known of a job.
pub fn journal(data: &[u8]) {
    let (lines, checkpoint) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &data[data.len()..]),
    };
    let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let checkpoint = String::from_utf8_lossy(checkpoint);
    let read = ledger::read(&lines, [&*checkpoint], usize::MAX);
    let (entries, needed, verified) = match read {
        Ok(read) => (read.recent, read.needed, read.verified),
        Err(broken) => {
            assert!(broken.line >= 1 && broken.line <= lines.len() as u64);
            line_is_safe(&broken.to_string());
            line_is_safe(broken.hint());
            return;
        }
    };
    assert_eq!(verified.entries as usize, entries.len());
    assert_eq!(journal::verify(&lines).as_ref(), Ok(&verified));
    if let Some(last) = entries.last() {
        // What is written next belongs to it.
        let session = Session {
            profile: last.profile.clone(),
            address: BaseUrl::of(&last.host),
            user: last.user.clone(),
        };
        let line = verified.chain.draft(&last.record, last.time, &session);
        let longer = lines.iter().copied().chain([line.as_bytes()]);
        let again = journal::verify(longer).expect("the chain goes on");
        assert_eq!(again.entries, verified.entries + 1);
    }
    let found = ledger::find([&*checkpoint], &needed);
    for (_, unfit) in &found.unreadable {
        line_is_safe(&plain::scrub(&unfit.to_string()));
    }
    for job in found.open.iter().chain(&found.over) {
        let text = serde_json::to_string(job).expect("plain data");
        let again = ledger::find([text.as_str()], &[]);
        assert!(again.unreadable.is_empty(), "{text}");
    }
    let _ = ledger::challenges(&found.open);
}

/// A recording that somebody sent.
pub fn recording(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let theme = theme::load("dark", theme::Depth::True).expect("a built-in theme");
    let Ok((mut replay, _)) = Replay::new(&text) else {
        return;
    };
    let look = |replay: &Replay<'_>| {
        let shown = picture::text(&picture::frame(&replay.model, &theme));
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown:?}"
        );
    };
    look(&replay);
    for _ in 0..64 {
        match replay.step() {
            Some(Ok(_)) => look(&replay),
            Some(Err(error)) => {
                let failure = report::Failure::new(report::Exit::Failed, error.to_string());
                lines_are_safe(&failure.text());
                break;
            }
            None => break,
        }
    }
}

/// A theme of one's own.
pub fn theme(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for depth in [
        theme::Depth::True,
        theme::Depth::Ansi256,
        theme::Depth::Ansi16,
        theme::Depth::Mono,
    ] {
        match theme::parse("own", &text, depth) {
            Ok(theme) => {
                for (role, style) in theme.roles() {
                    for color in [style.fg, style.bg].into_iter().flatten() {
                        assert_eq!(depth.lower(color), Some(color), "{role}");
                    }
                }
            }
            Err(error) => {
                let failure = report::Failure::new(report::Exit::Usage, error.to_string());
                let told = failure.hint(error.hint()).text();
                lines_are_safe(&told);
                is_bounded(told.len(), text.len(), 16);
            }
        }
    }
}
