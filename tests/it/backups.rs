//! Backups on this machine, by the command line and in the browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use coracle::app::Writes;
use coracle::app::message::{DiskCall, DiskReply, Effect, Msg};
use coracle::app::modal::Modal;
use coracle::app::modal::backups::Check;
use coracle::confluence::{
    BaseUrl, Call, ContentId, ContentKind, ContentRef, ContentStatus, Page, Reply, Restriction,
    ServerText, SpaceKey,
};
use coracle::jobs::backup::{self, FORMAT, FileEntry, Item, MANIFEST, Manifest, VERSION};
use coracle::jobs::{Act, JobId, JobState, SpaceTarget};
use coracle::shell::disk::perform;
use coracle::shell::folders::{Folders, JournalAccess};
use coracle::shell::holds::Holds;

use crate::screens::at_every_size;
use crate::story::{Answer, Story, content, wiki};

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
        title: ServerText::new(title.to_owned()),
        id: ContentId::new(title.replace(' ', "-")),
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
        restrictions_complete: false,
        attachments: None,
        container: None,
        file: None,
        remark: None,
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
    let folder = write(
        &backups,
        "2026-ENG",
        "wiki.example.com",
        &[item("One"), item("Two")],
    );
    (home, folder)
}

/// Writes a backup of these items and says where.
fn write(backups: &Path, name: &str, host: &str, items: &[Item]) -> PathBuf {
    let folder = backups.join(name);
    std::fs::create_dir_all(&folder).expect("because the home is ours");
    let lines: String = items.iter().map(backup::line).collect();
    let (bytes, count) = (backup::pack(&lines), items.len() as u64);
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        job: JobId::new(name),
        act: Act::BackUp,
        created: "2026-11-23T14:02:11Z".parse().expect("a date of the test"),
        profile: "prod".to_owned(),
        server: BaseUrl::of(&format!("https://{host}")).into(),
        user: None,
        spaces: vec![SpaceTarget {
            key: SpaceKey::new("ENG"),
            name: "Engineering".to_owned(),
        }],
        items: count,
        not_saved: Vec::new(),
        lacks: Vec::new(),
        server_file: None,
        files: vec![FileEntry::of(ITEMS, &bytes, count)],
    };
    std::fs::write(folder.join(ITEMS), bytes).expect("because the folder was just made");
    std::fs::write(folder.join(MANIFEST), manifest.encode())
        .expect("because the folder was just made");
    folder
}

#[test]
fn a_whole_backup_is_listed_and_verifies() {
    let (home, _) = home();
    let list = coracle(home.path(), &["backup", "list"]);
    assert_eq!(list.status.code(), Some(0));
    let text = said(&list);
    for part in [
        "2026-ENG",
        "2 items",
        "wiki.example.com",
        "ENG  local, for ",
    ] {
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
    let spoils: [(&str, Spoil); 5] = [
        ("It is a link", |folder| {
            let aside = folder.join("aside");
            std::fs::rename(folder.join(ITEMS), &aside).expect("the items");
            std::os::unix::fs::symlink(aside, folder.join(ITEMS)).expect("a link");
        }),
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
fn an_unfinished_backup_fails_only_while_no_later_run_of_its_job_made_a_whole_one() {
    let (home, first) = home();
    let folder = first.parent().expect("the backups");
    // Another job, whose name begins alike, is not the same.
    for name in ["2026-ENG2", "2026-ENG-runs", "2026-ENG-x"] {
        std::fs::create_dir(folder.join(name)).expect("a folder");
        let output = coracle(home.path(), &["backup", "verify", name]);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", said(&output));
        std::fs::remove_dir(folder.join(name)).expect("a folder");
    }
    std::fs::rename(&first, folder.join("2026-ENG-run2")).expect("the backup");
    std::fs::create_dir(&first).expect("a folder");
    std::fs::write(first.join(ITEMS), "").expect("a file");
    for arguments in [&["backup", "verify"][..], &["backup", "verify", "2026-ENG"]] {
        let output = coracle(home.path(), arguments);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(
            text.contains("2026-ENG: unfinished, left by an interrupted run"),
            "{text}"
        );
    }
    // An earlier one does not stand in for a later one, and a spoilt one for none.
    std::fs::create_dir(folder.join("2026-ENG-run3")).expect("a folder");
    let output = coracle(home.path(), &["backup", "verify", "2026-ENG-run3"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    std::fs::write(folder.join("2026-ENG-run2").join(ITEMS), "spoilt").expect("the items");
    let output = coracle(home.path(), &["backup", "verify", "2026-ENG"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

#[test]
fn where_nothing_was_saved_that_is_told_and_the_others_are_verified() {
    let (home, first) = home();
    let refused = first.with_file_name("2026-OPS");
    std::fs::create_dir(&refused).expect("a folder");
    for name in ["lock", "listing-0001.ndjson.gz", "space.zip.part"] {
        std::fs::write(refused.join(name), "x").expect("a file");
    }
    let told = "2026-OPS: Unfinished: nothing was saved in it.";
    let output = coracle(home.path(), &["backup", "verify"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(told), "{}", said(&output));
    // A job of an earlier run may go on with this very folder.
    let to_do = "finish or cancel that first (J)";
    assert!(said(&output).contains(to_do), "{}", said(&output));
    let output = coracle(home.path(), &["backup", "list"]);
    assert!(said(&output).contains(to_do), "{}", said(&output));
    // Asked about by its name, it is no backup.
    let output = coracle(home.path(), &["backup", "verify", "2026-OPS"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    // A file that is there without its manifest may be a backup that was spoilt.
    std::fs::write(refused.join("space.zip"), "x").expect("a file");
    let output = coracle(home.path(), &["backup", "verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("manifest.json is missing"));
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

/// A person at the keys, with the real files in a folder of the test.
pub(crate) struct Browser {
    pub(crate) story: Story,
    folders: Folders,
    holds: Holds,
    done: usize,
    _home: tempfile::TempDir,
}

impl Browser {
    /// The sample wiki, and a folder for backups with nothing in it.
    fn empty(width: u16, height: u16) -> Self {
        let home = tempfile::tempdir().expect("because the temporary folder can be written");
        let folder = |name: &str| home.path().join(name);
        let folders = Folders {
            profile: folder("profile"),
            backups: folder("backups"),
            plans: folder("plans"),
            exports: folder("exports"),
            locks: Vec::new(),
        };
        let mut browser = Self {
            story: Story::browsing(width, height),
            folders,
            holds: Holds::default(),
            done: 0,
            _home: home,
        };
        browser.go_on(&wiki);
        browser
    }

    /// The same with two backups in it: one of ENG on this server, one of another.
    pub(crate) fn filled(width: u16, height: u16) -> Self {
        let browser = Self::empty(width, height);
        let backups = &browser.folders.backups;
        write(
            backups,
            "20261101T090000-purge-marked-1",
            "wiki.example.net",
            &[item("Elsewhere")],
        );
        write(
            backups,
            "20261123T140000-purge-marked-1",
            "wiki.example.com",
            &tree(),
        );
        browser
    }

    /// Lets server and disk answer until nothing more is asked.
    fn go_on(&mut self, server: &dyn Fn(&Call) -> Answer) -> &mut Self {
        // What asks for ever is to fail its test, not to hang it.
        for _ in 0..5_000 {
            if let Some((ticket, call)) = self.story.open.pop_front() {
                let outcome = server(&call);
                self.story.happen(Msg::Reply {
                    ticket,
                    outcome,
                    took_ms: 42,
                });
                continue;
            }
            let asked = self.story.effects[self.done..]
                .iter()
                .find_map(|effect| match effect {
                    Effect::Disk { ticket, call } => Some((*ticket, call.clone())),
                    _ => None,
                });
            let Some((ticket, call)) = asked else {
                self.done = self.story.effects.len();
                // A read that failed is tried again a while later.
                let waits = self.story.model.jobs.deadline();
                let Some(at) = waits else {
                    return self;
                };
                self.story.at = self.story.at.max(at.0);
                self.story.happen(Msg::Clock);
                continue;
            };
            let is_it = |effect: &Effect| matches!(effect, Effect::Disk { ticket: it, .. } if *it == ticket);
            self.done += 1 + self.story.effects[self.done..]
                .iter()
                .position(is_it)
                .unwrap_or(0);
            let outcome = perform(&self.folders, JournalAccess::Write, &mut self.holds, &call);
            self.story.happen(Msg::Disk { ticket, outcome });
        }
        panic!("no end\n{}", self.story.screen());
    }

    /// Lets the disk answer and the server not.
    fn disk_alone(&mut self) -> &mut Self {
        while let Some(effect) = self.story.effects.get(self.done).cloned() {
            self.done += 1;
            if let Effect::Disk { ticket, call } = effect {
                let outcome = perform(&self.folders, JournalAccess::Write, &mut self.holds, &call);
                self.story.happen(Msg::Disk { ticket, outcome });
            }
        }
        self
    }

    /// Presses keys, with another server.
    fn keys_on(&mut self, server: &dyn Fn(&Call) -> Answer, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.story.keys(key);
            self.go_on(server);
        }
        self
    }

    /// The plan of the one backup of this server, written and left again; its file.
    fn plans(&mut self) -> PathBuf {
        self.keys("B Enter R Enter w Esc Esc Esc");
        let mut files = std::fs::read_dir(&self.folders.plans).expect("the plans");
        files.next().expect("a plan").expect("a plan").path()
    }

    /// What is on the screen, without borders and with single blanks.
    fn plain(&self) -> String {
        let text = self
            .story
            .screen()
            .replace(|c: char| "│╭╮╰╯─▸".contains(c), " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn tells(&self, part: &str) {
        let screen = self.plain();
        assert!(
            screen.contains(part),
            "no \"{part}\" in\n{}",
            self.story.screen()
        );
    }

    /// What was said in a notice, however it was folded.
    #[track_caller]
    fn said(&self, part: &str) {
        let log = &self.story.model.log;
        let mut texts = log.iter().map(|it| it.line.text.as_str());
        assert!(
            texts.any(|text| text.contains(part)),
            "no \"{part}\" in {log:#?}"
        );
    }

    /// Whether a confirmation is open.
    fn confirms(&self) -> bool {
        let mut modals = self.story.model.modals.iter();
        modals.any(|modal| matches!(modal, Modal::Confirm(_)))
    }

    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            self.story.keys(key);
            self.go_on(&wiki);
        }
        self
    }

    /// The story as it stands, without its files.
    pub(crate) fn take(&mut self) -> Story {
        std::mem::replace(&mut self.story, Story::start(40, 12))
    }

    fn shows(&self, part: &str) {
        let screen = self.story.screen();
        assert!(screen.contains(part), "{part}\n{screen}");
    }

    fn check(&self) -> Check {
        match self.story.model.modals.last() {
            Some(Modal::Backups(backups)) => backups.at_cursor().expect("a backup").check.clone(),
            other => panic!("the browser is open: {other:?}"),
        }
    }
}

/// A parent, its child before it in the file, a restricted page, and the file of an attachment. The
/// parent is below the homepage, as most are.
fn tree() -> Vec<Item> {
    let page = |id: &str, title: &str, above: &[(&str, &str)]| Item {
        id: ContentId::new(id),
        ancestors: Some(
            above
                .iter()
                .map(|(id, title)| ContentRef {
                    id: ContentId::new(id),
                    title: Some((*title).to_owned()),
                })
                .collect(),
        ),
        restrictions: Some(Vec::new()),
        restrictions_complete: true,
        storage: Some(format!("<h1>{title}</h1><p>What was written on it.</p>")),
        ..item(title)
    };
    let mut secret = page("12", "Salaries", &[("1", "Home")]);
    secret.restrictions = Some(vec![Restriction {
        operation: "read".to_owned(),
        users: vec!["jdoe".to_owned()],
        user_keys: Vec::new(),
        groups: Vec::new(),
    }]);
    let mut file = page("13", "plan.png", &[]);
    file.kind = ContentKind::Attachment;
    file.storage = None;
    vec![
        page(
            "11",
            "Failover drill",
            &[("1", "Home"), ("10", "Runbooks of old")],
        ),
        page("10", "Runbooks of old", &[("1", "Home")]),
        secret,
        file,
    ]
}

/// The sample wiki, which takes new content.
fn takes_content(call: &Call) -> Answer {
    match call {
        Call::ContentByTitle { .. } => Ok(Reply::Contents(Page {
            results: Vec::new(),
            start: 0,
            limit: Some(3),
            total: None,
            has_next: false,
        })),
        Call::CreateContent { title, .. } => {
            // A title for the time being ends in the number of the item.
            let number = title.strip_prefix("Being restored ");
            let number = number.and_then(|rest| rest.rsplit(' ').next());
            let id = match number {
                Some(number) => format!("9{number}"),
                None => format!("9{}", title.len()),
            };
            Ok(Reply::Content(Box::new(content(&id, title, 1, false))))
        }
        Call::ReplaceBody {
            id, title, version, ..
        } => Ok(Reply::Content(Box::new(content(
            id.as_str(),
            title,
            *version,
            false,
        )))),
        Call::SetRestrictions { .. } | Call::AddLabels { .. } => Ok(Reply::Done),
        // Home, which everybody may read, and what was made: that is for jdoe alone.
        Call::Content { id, expand, .. } if expand.contains("restrictions") => {
            let mut page = content(id.as_str(), "A page", 1, false);
            page.ancestors = Some(Vec::new());
            let restrictions = if id.as_str() == "1" {
                Vec::new()
            } else {
                vec![Restriction {
                    operation: "read".to_owned(),
                    users: vec!["jdoe".to_owned()],
                    user_keys: Vec::new(),
                    groups: Vec::new(),
                }]
            };
            page.more = Some(Box::new(coracle::confluence::ContentMore {
                restrictions: Some(restrictions),
                ..coracle::confluence::ContentMore::default()
            }));
            Ok(Reply::Content(Box::new(page)))
        }
        other => wiki(other),
    }
}

/// The same, and a page has the version that was put into it last.
fn shows_what_it_took() -> impl Fn(&Call) -> Answer {
    let versions = std::cell::RefCell::new(std::collections::HashMap::new());
    move |call| {
        let answer = takes_content(call);
        match (call, answer) {
            (Call::ReplaceBody { id, version, .. }, answer) => {
                versions.borrow_mut().insert(id.clone(), *version);
                answer
            }
            (Call::Content { id, .. }, Ok(Reply::Content(mut page))) => {
                if let (Some(now), Some(version)) = (&mut page.version, versions.borrow().get(id)) {
                    now.number = Some(*version);
                }
                Ok(Reply::Content(page))
            }
            (_, answer) => answer,
        }
    }
}

/// The sample wiki, which gives the text of anything in its trash.
fn gives_texts(call: &Call) -> Answer {
    match call {
        Call::Content { id, .. } => {
            let mut found = crate::story::trashed(id.as_str(), "Old", &[]);
            found.more = Some(Box::new(coracle::confluence::ContentMore {
                body_storage: Some("<p>Old.</p>".to_owned()),
                ..coracle::confluence::ContentMore::default()
            }));
            Ok(Reply::Content(Box::new(found)))
        }
        Call::Attachments { .. } => Ok(Reply::Contents(Page {
            results: Vec::new(),
            start: 0,
            limit: None,
            total: None,
            has_next: false,
        })),
        other => wiki(other),
    }
}

/// What was written to the server, in a few words each.
fn writes(story: &Story) -> Vec<String> {
    let told = |call: &Call| match call {
        Call::CreateContent {
            space,
            title,
            parent,
            storage,
            ..
        } => Some(format!(
            "create {} in {space} below {} {}",
            if title.starts_with("Being restored ") {
                "a blank page"
            } else {
                title
            },
            parent.as_ref().map_or("nothing", ContentId::as_str),
            if storage.is_empty() {
                "empty"
            } else {
                "with text"
            }
        )),
        Call::SetRestrictions { id, .. } => Some(format!("restrict {id}")),
        Call::ReplaceBody { id, .. } => Some(format!("fill {id}")),
        other if !other.is_read() => Some(format!("{other:?}")),
        _ => None,
    };
    story.sent.iter().filter_map(told).collect()
}

#[test]
fn the_browser_lists_what_is_there_newest_first() {
    let mut browser = Browser::empty(120, 40);
    browser.keys("B").shows("No backups yet.");
    let mut browser = Browser::filled(120, 40);
    let asked = browser.story.sent.len();
    browser.keys("B").shows("2 backups");
    let screen = browser.story.screen();
    let (new, old) = (
        screen.find("wiki.example.com  "),
        screen.find("wiki.example.net"),
    );
    assert!(new < old && old.is_some(), "{screen}");
    browser.keys("Enter").shows("4 items");
    assert_eq!(browser.story.sent.len(), asked, "the server is not asked");
    browser.keys("/ r u n b").shows("1 of 4 items");
    browser.keys("Esc /");
    browser.story.types("type:attachment");
    browser.shows("1 of 4 items");
    browser.keys("Esc").shows("Failover drill");
    browser.keys("Esc").shows("2 backups");
}

#[test]
fn backups_of_one_day_are_told_apart_by_their_time() {
    for width in [40, 60, 120] {
        let mut browser = Browser::filled(width, 40);
        browser.keys("B").shows("2026-11-23 14:02");
    }
}

#[test]
fn a_text_is_read_from_the_backup() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter p").shows("What was written on it.");
    browser.shows("was in ENG · Home ▸ Runbooks of old");
    browser
        .keys("q j j j p")
        .shows("The backup holds no text of it.");
}

#[test]
fn the_text_of_a_backup_is_searched() {
    let mut browser = Browser::empty(80, 24);
    let mut long = item("Long");
    let lines = "<p>Line</p>".repeat(80);
    long.storage = Some(format!("{lines}<p>The needle</p>{lines}<p>A needle</p>"));
    write(
        &browser.folders.backups,
        "20261123T1",
        "wiki.example.com",
        &[long],
    );
    browser.keys("B Enter p").shows("Line");
    browser.keys("/ N E E D L E").shows("The needle");
    browser.keys("Enter n").shows("A needle");
    browser.keys("N").shows("The needle");
    browser.keys("Esc").shows("Preview from the backup");
    browser.keys("q").shows("Backup of 2026-11-23");
}

#[test]
fn the_list_of_backups_is_filtered_by_space_server_and_date() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B");
    for (filter, shown) in [
        ("example.net", 1),
        ("engineering", 2),
        ("space:eng !example.net", 1),
        ("space:hr", 0),
        ("after:2026-11-23", 2),
        ("before:2026-11-23", 0),
        ("newer:1d", 2),
    ] {
        browser.keys("/");
        browser.story.types(filter);
        browser.shows(&format!("{shown} of 2"));
        browser.keys("Esc");
    }
    // What is then done is done to what is shown.
    browser.keys("/");
    browser.story.types("example.net");
    browser.keys("Enter Enter").shows("Elsewhere");
    browser.keys("q Esc").shows("2 backups");
}

#[test]
fn items_of_a_backup_are_filtered_by_their_dates_too() {
    let mut browser = Browser::empty(120, 40);
    let dated = |title: &str, when: &str| Item {
        version: Some(coracle::confluence::Version {
            number: Some(1),
            when: Some(crate::story::moment(when)),
            by: None,
            message: None,
        }),
        ..item(title)
    };
    let items = [
        dated("Then", "2020-01-01T08:00:00Z"),
        dated("Now", "2026-11-20T08:00:00Z"),
        item("Whenever"),
    ];
    write(
        &browser.folders.backups,
        "20261123T1",
        "wiki.example.com",
        &items,
    );
    browser.keys("B Enter").shows("2020-01-01");
    for (filter, shown) in [
        ("older:1y", "Then"),
        ("newer:1y", "Now"),
        ("before:2026-11-20", "Then"),
        ("after:2026-11-20", "Now"),
        ("!type:page", ""),
    ] {
        browser.keys("/");
        browser.story.types(filter);
        browser.shows(&format!("{} of 3 items", usize::from(!shown.is_empty())));
        let screen = browser.story.screen();
        for title in ["Then", "Now", "Whenever"] {
            assert_eq!(screen.contains(title), title == shown, "{filter}\n{screen}");
        }
        browser.keys("Esc");
    }
}

#[test]
fn a_backup_of_this_run_was_verified_when_it_was_made() {
    let mut browser = Browser::empty(120, 40);
    browser.keys("t b");
    browser.story.keys("y");
    browser.go_on(&gives_texts);
    browser.shows("done. B shows the backup.");
    browser.keys("B").shows("when made");
    assert_eq!(browser.check(), Check::WhenMade);
    let screen = browser.story.screen();
    assert!(
        !screen.contains("B shows"),
        "no notice lies over it: {screen}"
    );
}

#[test]
fn a_backup_that_a_job_may_need_is_not_removed() {
    let mut browser = Browser::empty(120, 40);
    browser.keys("t b");
    browser.story.keys("y J p");
    browser.go_on(&gives_texts);
    let job = &browser.story.model.jobs.list[0].job;
    assert!(!job.state().is_over(), "{:?}", job.state());
    let name = job.head().id.to_string();
    write(
        &browser.folders.backups,
        &name,
        "wiki.example.com",
        &[item("One")],
    );
    browser
        .keys("q B x")
        .shows("is not over and may need this backup.");
    let screen = browser.story.screen();
    assert!(!screen.contains("to remove it"), "{screen}");
}

#[test]
fn the_browser_verifies_by_reading_every_file() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B");
    assert_eq!(browser.check(), Check::No);
    browser.shows("not yet");
    browser.keys("v");
    assert_eq!(browser.check(), Check::AsWritten);
    browser.shows("just now");
    browser.keys("j");
    let folder = browser
        .folders
        .backups
        .join("20261101T090000-purge-marked-1");
    let mut bytes = std::fs::read(folder.join(ITEMS)).expect("the items");
    bytes[20] ^= 1;
    std::fs::write(folder.join(ITEMS), bytes).expect("the items");
    browser.keys("v");
    assert!(matches!(browser.check(), Check::Spoilt(_)));
    browser.shows("spoilt");
    browser.shows("check sum differs");
}

#[test]
fn a_backup_goes_only_when_its_number_is_typed() {
    let mut browser = Browser::filled(120, 40);
    let folder = browser
        .folders
        .backups
        .join("20261123T140000-purge-marked-1");
    browser.keys("B x 3 Enter").shows("That is not 4.");
    browser.story.looks_at_it();
    browser.story.happen(Msg::Paste("4".to_owned()));
    browser.keys("Esc");
    assert!(
        folder.join(MANIFEST).exists(),
        "nothing goes by a wrong answer"
    );
    browser.keys("x 4 Enter").shows("was removed");
    assert!(!folder.exists());
    browser.shows("1 backup ");
}

#[test]
fn what_is_no_file_of_a_backup_is_never_removed() {
    let mut browser = Browser::filled(120, 40);
    let folder = browser
        .folders
        .backups
        .join("20261123T140000-purge-marked-1");
    std::fs::create_dir(folder.join("mine")).expect("a folder of somebody else");
    browser.keys("B x 4 Enter");
    let log = &browser.story.model.log;
    assert!(
        log.iter()
            .any(|it| it.line.text.contains("could not be removed"))
    );
    assert!(folder.join("mine").exists());
    assert!(folder.join(MANIFEST).exists(), "what goes, goes as a whole");
}

#[test]
fn purged_content_is_made_again_after_the_confirmation() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter R").shows("Into space");
    browser.shows("Re-create 3 of 4 items");
    browser.keys("Enter").shows("Re-create 3 items in ENG");
    browser.shows("w write plan   d dry run");
    for told in [
        "Content gets new ids, so links by id break.",
        "1 item left out, because only pages and blog posts can be made again",
    ] {
        browser.shows(told);
    }
    assert_eq!(
        writes(&browser.story),
        Vec::<String>::new(),
        "nothing before the yes"
    );
    browser.story.keys("y");
    browser.go_on(&shows_what_it_took());
    assert_eq!(
        writes(&browser.story),
        [
            "create Runbooks of old in ENG below 1 with text",
            "create a blank page in ENG below 1 empty",
            "restrict 92",
            "fill 92",
            "create Failover drill in ENG below 915 with text",
        ]
    );
    browser.shows("Re-create 3 items in ENG: done.");
    assert!(
        browser.story.effects.iter().any(|effect| matches!(
            effect,
            Effect::Disk { call: DiskCall::ReadBackup { backup, .. }, .. }
                if backup == "20261123T140000-purge-marked-1"
        )),
        "the texts come from the backup"
    );
}

/// The same, where a page has the title of one of them by now.
fn has_a_title(call: &Call) -> Answer {
    match call {
        Call::ContentByTitle { title, .. } if title == "Salaries" => Ok(Reply::Contents(Page {
            results: vec![content("77", title, 4, false)],
            start: 0,
            limit: Some(3),
            total: None,
            has_next: false,
        })),
        other => takes_content(other),
    }
}

/// The same, where the space is gone.
fn has_no_eng(call: &Call) -> Answer {
    match call {
        Call::Space { .. } => Err(crate::story::error(
            coracle::confluence::ErrorKind::NotFound,
            404,
            "There is no such space.",
        )),
        other => takes_content(other),
    }
}

#[test]
fn with_no_backups_nothing_is_offered_but_what_makes_one() {
    let mut browser = Browser::empty(80, 24);
    browser.keys("B").shows("No backups yet.");
    assert_eq!(browser.story.footer(), " q close");
    assert_eq!(browser.story.drawn_as_keys(), ["b", "q"]);
}

#[test]
fn a_dry_run_says_of_each_item_whether_it_would_be_made_again() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter R Enter");
    browser.keys_on(&has_a_title, "d");
    browser.tells("Dry run: Re-create 3 items in ENG");
    browser.said(
        "Dry run: nothing was changed. 2 of 3 items would be made again in ENG. Salaries: A current page",
    );
    browser.keys("Enter");
    for told in [
        "Runbooks of old It would be made again in ENG, below its former parent.",
        "Salaries A current page in ENG has its title: you would be asked",
        "Failover drill It would be made again in ENG, below its parent made again.",
    ] {
        browser.tells(told);
    }
    assert_eq!(writes(&browser.story), Vec::<String>::new());
    // The plan is still there, and can be agreed to.
    browser.keys("Esc Esc").shows("w write plan   d dry run");
    assert!(browser.confirms());
}

#[test]
fn a_dry_run_reads_the_backup_back_and_says_what_is_wrong_with_it() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter R Enter");
    let file = (browser.folders.backups)
        .join("20261123T140000-purge-marked-1")
        .join(ITEMS);
    let mut bytes = std::fs::read(&file).expect("the items");
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).expect("the items");
    browser.keys_on(&takes_content, "d Enter");
    browser.tells("state failed");
    browser.tells("Salaries The backup cannot be read.");
    browser.tells("check sum differs");
    assert_eq!(writes(&browser.story), Vec::<String>::new());
}

#[test]
fn a_plan_of_making_again_names_what_it_is_about() {
    let mut browser = Browser::filled(120, 40);
    let file = browser.plans();
    let text = std::fs::read_to_string(file).expect("the plan");
    let plan = coracle::jobs::plan::Plan::decode(&text).expect("a plan");
    let source = plan.source.expect("it says where from");
    assert_eq!(source.backup, "20261123T140000-purge-marked-1");
    assert_eq!(source.into, None);
    let names: Vec<&str> = source.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [ITEMS]);
    let items = plan.target.items.iter();
    let items: Vec<(&str, &str)> = items
        .map(|item| (item.id.as_str(), item.title.as_str()))
        .collect();
    assert_eq!(
        items,
        [
            ("10", "Runbooks of old"),
            ("12", "Salaries"),
            ("11", "Failover drill")
        ]
    );
    assert_eq!(plan.target.spaces[0].key.as_str(), "ENG");
    assert!(
        plan.cannot_be_undone
            .iter()
            .any(|it| it.contains("new ids"))
    );
}

#[test]
fn a_plan_of_making_again_is_applied_later_as_if_at_once() {
    let mut browser = Browser::filled(120, 40);
    browser.plans();
    browser.keys_on(&takes_content, "J o Enter");
    browser.shows("Re-create 3 items in ENG");
    browser.tells("The backup and the server are as the plan has them.");
    browser.tells("Content gets new ids, so links by id break.");
    assert!(browser.confirms());
    assert_eq!(
        writes(&browser.story),
        Vec::<String>::new(),
        "nothing before the yes"
    );
    browser.keys_on(&takes_content, "y");
    assert_eq!(
        writes(&browser.story),
        [
            "create Runbooks of old in ENG below 1 with text",
            "create a blank page in ENG below 1 empty",
            "restrict 92",
            "fill 92",
            "create Failover drill in ENG below 915 with text",
        ]
    );
}

#[test]
fn only_what_a_plan_names_is_made_again() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter j Space R Backspace Backspace Backspace O P S Enter w Esc Esc Esc");
    browser.keys_on(&takes_content, "J o Enter y");
    assert_eq!(
        writes(&browser.story),
        [
            "create a blank page in OPS below nothing empty",
            "restrict 91",
            "fill 91",
        ],
        "what it hung below is not in OPS"
    );
}

#[test]
fn titles_taken_since_a_plan_was_made_are_told_before_it_is_applied() {
    let mut browser = Browser::filled(120, 40);
    browser.plans();
    browser.keys_on(&has_a_title, "J o Enter");
    browser.tells("Their titles are taken now, you will be asked: 1 item (Salaries).");
    assert!(browser.confirms());
    assert_eq!(writes(&browser.story), Vec::<String>::new());
}

#[test]
fn a_plan_for_a_space_that_is_gone_is_not_applied() {
    let mut browser = Browser::filled(120, 40);
    browser.plans();
    browser.keys_on(&has_no_eng, "J o Enter");
    assert!(!browser.confirms());
    browser.said("Nothing of this plan is left to do.");
    browser.said("Their space ENG is not there any more, left out: 3 items");
    assert_eq!(writes(&browser.story), Vec::<String>::new());
}

#[test]
fn a_plan_is_not_applied_from_a_backup_that_is_gone_or_not_as_it_was() {
    type Spoil = fn(&Path);
    let spoils: [(&str, Spoil); 3] = [
        ("The backup is not there any more.", |folder| {
            std::fs::remove_dir_all(folder).expect("the backup");
        }),
        ("is not what was written", |folder| {
            // Still readable, so that only its sum tells.
            let path = folder.join(ITEMS);
            let mut bytes = std::fs::read(&path).expect("the items");
            bytes.extend(backup::pack(""));
            std::fs::write(path, bytes).expect("the items");
        }),
        (
            "It has other files than when the plan was made.",
            |folder| {
                let backups = folder.parent().expect("its folder");
                let name = folder.file_name().and_then(|name| name.to_str());
                let others = [item("Runbooks of old")];
                write(
                    backups,
                    name.expect("its name"),
                    "wiki.example.com",
                    &others,
                );
            },
        ),
    ];
    for (told, spoil) in spoils {
        let mut browser = Browser::filled(120, 40);
        browser.plans();
        spoil(
            &browser
                .folders
                .backups
                .join("20261123T140000-purge-marked-1"),
        );
        browser.keys_on(&takes_content, "J o Enter");
        assert!(!browser.confirms(), "{told}");
        browser.said("The plan can't be applied from its backup 20261123T140000-purge-marked-1.");
        browser.said(told);
        assert_eq!(writes(&browser.story), Vec::<String>::new());
    }
}

#[test]
fn a_plan_that_is_held_against_the_server_can_be_left() {
    let mut browser = Browser::filled(120, 40);
    browser.plans();
    browser.keys("J o");
    browser.story.keys("Enter");
    browser.go_on(&|call| match call {
        Call::ContentByTitle { .. } | Call::Space { .. } => Err(crate::story::error(
            coracle::confluence::ErrorKind::Forbidden,
            403,
            "You may not see this space.",
        )),
        other => takes_content(other),
    });
    assert!(!browser.confirms());
    browser.said("Left out: 3 items (Runbooks of old · Salaries · Failover drill).");
    browser.said("You may not see this space.");
    // And left while it is being read: nothing comes of it later.
    browser.story.keys("Enter");
    browser.disk_alone();
    browser.shows("Reading the backup and the server");
    browser.story.keys("Esc");
    browser.go_on(&takes_content);
    assert!(!browser.confirms());
    assert_eq!(writes(&browser.story), Vec::<String>::new());
    let states = browser.story.model.jobs.list.iter();
    let states: Vec<JobState> = states.map(|entered| entered.job.state()).collect();
    assert!(states.iter().all(|state| state.is_over()), "{states:?}");
    assert!(states.contains(&JobState::Cancelled), "{states:?}");
}

#[test]
fn a_plan_without_a_backup_or_for_no_space_here_is_not_applied() {
    let mut browser = Browser::filled(120, 40);
    let file = browser.plans();
    let text = std::fs::read_to_string(&file).expect("the plan");
    let mut plan: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let source = plan["source"].take();
    plan.as_object_mut().expect("a plan").remove("source");
    std::fs::write(&file, plan.to_string()).expect("the plan");
    browser.keys_on(&takes_content, "J o Enter");
    browser.said("This plan does not say which backup it is from");
    plan["source"] = source;
    plan["source"]["backup"] = "20261101T090000-purge-marked-1".into();
    let manifest = (browser.folders.backups)
        .join("20261101T090000-purge-marked-1")
        .join(MANIFEST);
    let manifest = std::fs::read(manifest).expect("the manifest");
    let manifest = Manifest::decode(&manifest).expect("the manifest");
    plan["source"]["files"] = serde_json::to_value(manifest.files).expect("JSON");
    std::fs::write(&file, plan.to_string()).expect("the plan");
    browser.keys_on(&takes_content, "Esc Esc J o Enter");
    browser.said("It is from another server, and the plan names no space here.");
    assert!(!browser.confirms());
}

#[test]
fn a_backup_is_not_removed_while_a_dry_run_reads_it() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter R Enter");
    browser.story.keys("d");
    browser.disk_alone();
    browser.story.keys("p Esc Esc Esc x");
    browser.said("is not over and may need this backup.");
}

#[test]
fn marked_items_go_into_the_space_that_is_named() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B Enter j Space R Backspace Backspace Backspace O P S Enter");
    browser.story.keys("y");
    browser.go_on(&takes_content);
    assert_eq!(
        writes(&browser.story),
        [
            "create a blank page in OPS below nothing empty",
            "restrict 91",
            "fill 91",
        ]
    );
}

#[test]
fn a_backup_of_another_server_goes_only_where_it_is_told() {
    let mut browser = Browser::filled(120, 40);
    browser.keys("B j Enter R Backspace Backspace Backspace Enter");
    browser.shows("Name a space of this server.");
    browser.story.types("HR");
    browser.keys("Enter").shows("which is another server");
    assert_eq!(writes(&browser.story), Vec::<String>::new());
}

#[test]
fn no_backup_is_removed_on_a_profile_that_is_read_only() {
    for writes in [Writes::ReadOnly("It is so.".to_owned()), Writes::Protected] {
        let mut browser = Browser::filled(120, 40);
        browser.keys("B");
        browser.story.model.writes = writes;
        browser.keys("x 4 Enter");
        browser.said("no backup is removed here");
        let left = std::fs::read_dir(&browser.folders.backups).expect("the backups");
        assert_eq!(left.count(), 2);
    }
}

#[test]
fn nothing_is_made_again_on_a_profile_that_is_read_only() {
    let mut browser = Browser::filled(120, 40);
    browser.story.model.writes = Writes::ReadOnly("This visit is read-only.".to_owned());
    browser.keys("B Enter R").shows("This visit is read-only.");
    assert!(matches!(
        browser.story.model.modals.last(),
        Some(Modal::Backups(_))
    ));
}

#[test]
fn an_answer_for_a_browser_that_was_left_is_dropped() {
    let mut browser = Browser::filled(120, 40);
    browser.story.keys("B");
    let ticket = browser
        .story
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Disk {
                ticket,
                call: DiskCall::ListBackups,
            } => Some(*ticket),
            _ => None,
        });
    browser.story.keys("q");
    let outcome = Ok(DiskReply::Backups(Vec::new()));
    browser.story.happen(Msg::Disk {
        ticket: ticket.expect("the list is asked for"),
        outcome,
    });
    assert!(browser.story.model.modals.is_empty());
    assert!(browser.story.model.idle());
}

#[test]
fn pictures_of_the_browser() {
    at_every_size("backups-empty", |width, height| {
        Browser::empty(width, height).keys("B").take()
    });
    at_every_size("backups", |width, height| {
        Browser::filled(width, height).keys("B v j").take()
    });
    at_every_size("backups-open", |width, height| {
        Browser::filled(width, height)
            .keys("B Enter Space j")
            .take()
    });
    at_every_size("backups-recreate", |width, height| {
        Browser::filled(width, height).keys("B Enter R").take()
    });
    at_every_size("backups-recreate-plan", |width, height| {
        Browser::filled(width, height)
            .keys("B Enter R Enter")
            .take()
    });
    at_every_size("backups-recreate-dry", |width, height| {
        let mut browser = Browser::filled(width, height);
        browser.keys("B Enter R Enter");
        browser.keys_on(&has_a_title, "d Enter");
        // What is said of it comes and goes.
        browser.story.model.toasts.clear();
        browser.take()
    });
    at_every_size("plans-recreate-reading", |width, height| {
        let mut browser = Browser::filled(width, height);
        browser.plans();
        browser.keys("J o");
        browser.story.keys("Enter");
        browser.disk_alone().take()
    });
    at_every_size("plans-recreate", |width, height| {
        let mut browser = Browser::filled(width, height);
        browser.plans();
        browser.keys_on(&has_a_title, "J o Enter").take()
    });
    at_every_size("backups-remove", |width, height| {
        Browser::filled(width, height).keys("B x 7 Enter").take()
    });
}

#[test]
fn what_cannot_be_made_again_is_named_before_anything_is_and_what_was_restricted_is_counted() {
    let mut browser = Browser::filled(120, 40);
    let mut items = tree();
    let mut below = items[1].clone();
    below.id = ContentId::new("14");
    below.title = ServerText::new("Salaries of old");
    below.ancestors = Some(vec![ContentRef {
        id: ContentId::new("12"),
        title: Some("Salaries".to_owned()),
    }]);
    items.push(below);
    for n in 0..8 {
        let mut file = items[3].clone();
        file.id = ContentId::new(format!("att{n}"));
        file.title = ServerText::new(format!("drawing-{n}.png"));
        items.push(file);
    }
    let name = "20261124T140000-purge-marked-1";
    write(&browser.folders.backups, name, "wiki.example.com", &items);
    browser.keys("B Enter R");
    let named = [
        "Re-create 4 of 13 items",
        "9 items left out",
        "drawing-1.png (attachment)",
        "and 3 more",
    ];
    let shown = |browser: &Browser| {
        let screen = browser.story.screen();
        let words = screen.replace(['│', '\n'], " ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let screen = shown(&browser);
    for part in named {
        assert!(screen.contains(part), "{part}: {}", browser.story.screen());
    }
    browser.keys("Enter");
    let screen = shown(&browser);
    let restricted = "1 item was restricted. It comes back with the same restrictions, or not at all, and so does 1 below it.";
    for part in [restricted, "9 items left out", "and 3 more"] {
        assert!(screen.contains(part), "{part}: {}", browser.story.screen());
    }
}
