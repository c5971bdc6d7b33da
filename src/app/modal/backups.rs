//! The backups on this machine: what is in them, whether they are as written, and content made
//! again from them.
//!
//! Everything but making content again works without a server. A backup is read by the shell,
//! without its texts; a text is read when it is looked at.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::confirm::Confirm;
use super::reading::{self, Tone, folded, width};
use super::stack::Seen;
use super::{Modal, Outcome, is_esc};
use crate::app::disk::DiskWaiter;
use crate::app::field::{Field, Lines};
use crate::app::fields::{Test, Wanted, is_kind, kind_name, tests};
use crate::app::form::{Form, FormField, Note, Taken};
use crate::app::key::{Chord, Key, KeyPress, Stroke};
use crate::app::layout::tallest_inside;
use crate::app::list::{Cursor, Step};
use crate::app::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, Size};
use crate::app::model::{Model, Writes};
use crate::app::pane::filter::FilterLine;
use crate::app::pane::hits::{Hits, Seek};
use crate::app::pane::preview::{self, Text};
use crate::confluence::{ContentId, ContentKind, SpaceKey};
use crate::jobs::backup::{BackupError, Found, Item, Manifest};
use crate::jobs::{
    Act, ItemTarget, JobState, Recipe, SameServer, SpaceFile, SpaceTarget, UnknownRestrictions,
};
use crate::text::doc::Line;
use crate::text::filter::{Filter, Term};
use crate::text::index::{Index, Progress, Scan};
use crate::text::{number, plain};

/// What a filter of the items knows.
const FIELDS: &[&str] = &[
    "type", "space", "under", "by", "before", "after", "older", "newer",
];

/// What a filter of the backups knows; their dates are those on which they were made.
const LIST_FIELDS: &[&str] = &["space", "before", "after", "older", "newer"];

const SPACE: usize = 0;
const UNKNOWN: usize = 1;

/// What was asked of the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// All backups.
    List,
    /// What is in one.
    Contents(String),
    /// Whether one is as written.
    Check(String),
    /// The text of an item.
    Text(String, ContentId),
    /// Whether one may be removed.
    MayRemove(String),
    /// One was to be removed.
    Removal(String),
}

/// What is known of the files of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Check {
    /// Not looked at in this run.
    No,
    /// Not looked at since a job of this run has written it and read it back.
    WhenMade,
    /// They are being read.
    Running,
    /// They are as written.
    AsWritten,
    /// They are not, for this reason.
    Spoilt(String),
}

/// A backup in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// The name of its folder.
    pub name: String,
    /// Its manifest, or why it has none.
    pub manifest: Result<Manifest, String>,
    /// The sizes of its files together.
    pub bytes: u64,
    /// What is known of them.
    pub check: Check,
}

/// The question before a backup is removed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Removal {
    /// The name of its folder.
    pub name: String,
    /// What has to be typed: the number of its items.
    pub wanted: String,
    /// The answer as it is typed.
    pub typed: Field,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// The first line of what is said that is shown.
    pub top: usize,
}

impl Removal {
    /// What is said, and how many rows of it are shown on a screen of this size.
    pub fn text(&self, size: Size) -> (Vec<reading::Line>, usize) {
        let columns = usize::from(size.width.saturating_sub(6).min(68));
        let about = format!("{} is removed from this machine.", self.name);
        let loss =
            "It cannot be brought back, and what was purged after it can then not be made again.";
        let folded = |tone: Tone, text: &str| {
            let lines = folded(text, columns).into_iter();
            lines
                .map(move |text| vec![(tone, text)])
                .collect::<Vec<reading::Line>>()
        };
        let lines = [folded(Tone::Plain, &about), folded(Tone::Warning, loss)].concat();
        // Below it what is typed, and what is wrong with that.
        let rows = lines.len().min(tallest_inside(size).saturating_sub(2));
        (lines, rows)
    }

    /// Takes a key that scrolls what is said. Says whether it is one.
    fn scroll(&mut self, key: Key, size: Size) -> bool {
        let (lines, rows) = self.text(size);
        let last = lines.len() - rows;
        let top = self.top.min(last);
        self.top = match key {
            Key::Up => top.saturating_sub(1),
            Key::PageUp => top.saturating_sub(rows),
            Key::Down => (top + 1).min(last),
            Key::PageDown => (top + rows).min(last),
            _ => return false,
        };
        true
    }
}

/// The text of an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Which item.
    pub id: ContentId,
    /// The text; `None` while it is read; or why it can't be.
    pub text: Option<Result<Box<Text>, String>>,
    /// The first line that is shown.
    pub top: usize,
    /// What is searched for.
    pub search: Field,
    /// Whether the search has the keys.
    pub typing: bool,
    /// What the search found.
    #[serde(skip)]
    pub hits: Hits,
    head: Vec<String>,
    #[serde(skip)]
    laid: Option<(usize, Vec<Line>)>,
}

impl Shown {
    /// Some of the lines at this width, and how many there are.
    pub fn window(&self, width: usize, height: usize) -> (Vec<Line>, usize) {
        let cut = |lines: &[Line]| {
            let shown = lines.iter().skip(self.top).take(height).cloned().collect();
            (shown, lines.len())
        };
        match (&self.laid, &self.text) {
            (Some((laid, lines)), _) if *laid == width => cut(lines),
            (_, Some(Ok(text))) => cut(&preview::lines(text, width)),
            (_, _) => (Vec::new(), 0),
        }
    }

    /// Looks for what is searched for, from the lines on that are shown.
    fn find(&mut self, width: usize, height: usize) {
        if let Some((laid, lines)) = &self.laid
            && *laid == width
        {
            self.hits = Hits::of(lines, width, &self.search.text(), self.top);
            let last = lines.len().saturating_sub(height).max(self.top);
            self.top = self.hits.top(self.top..self.top + height).min(last);
        }
    }

    /// Goes to the next hit of the search, or to the one before.
    fn seek(&mut self, height: usize, last: usize, seek: Seek) {
        let shown = self.top..self.top + height;
        self.hits.seek(seek, shown.clone());
        self.top = self.hits.top(shown).min(last);
    }

    /// Takes a key for the search.
    fn search_key(&mut self, chord: Chord, size: Size) -> Outcome {
        match chord.key {
            Key::Esc => {
                self.search.set("");
                self.typing = false;
            }
            Key::Enter => self.typing = false,
            _ => {
                if !self.search.key(chord) {
                    return Outcome::NotMine;
                }
            }
        }
        self.find(width(size), lines(size));
        Outcome::Stay
    }

    fn lay_out(&mut self, width: usize) {
        if let Some(Ok(text)) = &self.text
            && self.laid.as_ref().is_none_or(|(laid, _)| *laid != width)
        {
            let lines = preview::lines(text, width);
            self.hits = Hits::of(&lines, width, &self.search.text(), self.top);
            self.laid = Some((width, lines));
        }
    }
}

/// Where content is made again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Again {
    /// The form: space, what happens where restrictions are not known.
    pub form: Form,
    /// The items meant, by their rows.
    pub rows: Vec<usize>,
    /// The one space that all of them come from.
    from: Option<SpaceKey>,
    /// What cannot be made again: it is no page or blog post. By its rows.
    unfit: Vec<usize>,
}

impl Again {
    /// What is asked about.
    pub fn title(&self) -> String {
        let meant = self.rows.len() + self.unfit.len();
        let (rows, items) = (self.rows.len() as u64, number::count(meant as u64, "item"));
        if self.unfit.is_empty() {
            format!("Re-create {items}")
        } else {
            format!("Re-create {} of {items}", number::grouped(rows))
        }
    }

    /// What cannot be made again, by name; `None` where everything can.
    pub fn unfit(&self, items: &[(String, Item)]) -> Option<String> {
        let names = self.unfit.iter().filter_map(|row| items.get(*row));
        let names = names.map(|(_, it)| format!("{} ({})", it.title, kind_name(&it.kind)));
        let mut names: Vec<String> = names.take(UNFIT_NAMED).collect();
        let more = self.unfit.len().saturating_sub(names.len());
        if more > 0 {
            names.push(format!("and {} more", number::grouped(more as u64)));
        }
        let what = number::count(self.unfit.len() as u64, "item");
        let stays = if self.unfit.len() == 1 {
            "It stays"
        } else {
            "They stay"
        };
        (!names.is_empty()).then(|| {
            format!(
                "{what} left out, because only pages and blog posts can be made again, with what hangs on them: {}. {stays} in the backup.",
                names.join(", ")
            )
        })
    }
}

/// So many of what cannot be made again are named; of more, the number is told.
const UNFIT_NAMED: usize = 6;

/// A backup that is looked into.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Opened {
    /// The name of its folder.
    pub name: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its items without their texts, each with its file; `None` while they are read.
    pub items: Option<Vec<(String, Item)>>,
    /// Why they can't be read.
    pub problem: Option<String>,
    /// The cursor among what is shown.
    pub cursor: Cursor,
    /// The filter.
    pub filter: FilterLine,
    /// The rows that the filter lets through.
    pub shown: Vec<usize>,
    /// The marked rows.
    pub marks: BTreeSet<usize>,
    /// The text that is shown instead of the list.
    pub preview: Option<Shown>,
    /// Where the marked ones are made again, while that is asked.
    pub again: Option<Box<Again>>,
    #[serde(skip)]
    index: Index,
}

impl Opened {
    /// The item under the cursor.
    pub fn item(&self) -> Option<&(String, Item)> {
        let row = *self.shown.get(self.cursor.at)?;
        self.items.as_ref()?.get(row)
    }

    fn look_for(&mut self, now: Timestamp, zone: &TimeZone) {
        self.filter.parse(FIELDS);
        let items = self.items.as_deref().unwrap_or_default();
        self.shown = match &self.filter.applied {
            None => (0..items.len()).collect(),
            Some(filter) => {
                let tests = tests(filter, now, zone);
                let accepts = |row: u32| {
                    let item = items.get(row as usize).map(|(_, item)| item);
                    item.is_some_and(|item| {
                        tests.iter().all(|test| passes(item, test))
                            && filter.terms().iter().all(|term| is_there(item, term))
                    })
                };
                let mut scan = Scan::new(filter, &self.index);
                while scan.step_where(&self.index, usize::MAX, accepts) == Progress::Working {}
                scan.matches().iter().map(|row| *row as usize).collect()
            }
        };
        self.cursor = Cursor::default();
    }
}

/// Whether an item passes a test.
fn passes(item: &Item, test: &Test) -> bool {
    let has = |text: Option<&str>, value: &str| {
        text.is_some_and(|text| text.to_lowercase().contains(value))
    };
    let version = item.version.as_ref();
    let (holds, wanted) = match test {
        Test::Kind(name, wanted) => (is_kind(&item.kind, name), *wanted),
        Test::Editor(name, wanted) => {
            let by = version.and_then(|version| version.by.as_ref());
            (has(by.map(|by| by.display_name.as_str()), name), *wanted)
        }
        Test::Under(title, wanted) => {
            let mut above = item.ancestors.iter().flatten();
            (above.any(|it| has(it.title.as_deref(), title)), *wanted)
        }
        Test::Before(moment) | Test::From(moment) => {
            let Some(edited) = version.and_then(|version| version.when) else {
                return false;
            };
            let is_before = edited.0.as_millisecond() < *moment;
            (is_before == matches!(test, Test::Before(_)), Wanted::Yes)
        }
    };
    holds == (wanted == Wanted::Yes)
}

/// Whether an item was where a term says, as far as it says that.
fn is_there(item: &Item, term: &Term) -> bool {
    let is = |value: &str| {
        let key = item.space.as_ref().map(SpaceKey::as_str);
        key.is_some_and(|key| key.to_lowercase() == value.to_lowercase())
    };
    match term {
        Term::Is { field, value } if field == "space" => is(value),
        Term::IsNot { field, value } if field == "space" => !is(value),
        _ => true,
    }
}

impl Kept {
    /// Whether the server itself wrote out what is in it.
    fn is_of_server(&self) -> bool {
        let manifest = self.manifest.as_ref();
        manifest.is_ok_and(|manifest| manifest.server_file.is_some())
    }

    /// Whether the filter of the list lets it through: words look at its date, its spaces with
    /// their names, the profile and the server.
    fn is_meant(&self, filter: &Filter, now: Timestamp, zone: &TimeZone) -> bool {
        let Ok(manifest) = &self.manifest else {
            return filter.terms().iter().all(|term| match term {
                Term::Without(_) => !term.stands_in(&self.name),
                other => other.stands_in(&self.name),
            });
        };
        let mut text = format!(
            "{} {} {} {}",
            number::date(manifest.created, zone),
            manifest.profile,
            manifest.server.shown(),
            self.name
        );
        for space in &manifest.spaces {
            text.push_str(&format!(" {} {}", space.key, space.name));
        }
        let is_of = |value: &str| {
            let mut keys = manifest.spaces.iter().map(|space| space.key.as_str());
            keys.any(|key| key.to_lowercase() == value.to_lowercase())
        };
        let fits = |term: &Term| match term {
            Term::Word(_) | Term::Exact(_) => term.stands_in(&text),
            Term::Without(_) => !term.stands_in(&text),
            Term::Is { value, .. } => is_of(value),
            Term::IsNot { value, .. } => !is_of(value),
            Term::Before(_) | Term::After(_) | Term::Older(_) | Term::Newer(_) => true,
        };
        let made = manifest.created.as_millisecond();
        let in_time = |test: &Test| match test {
            Test::Before(moment) => made < *moment,
            Test::From(moment) => made >= *moment,
            Test::Kind(..) | Test::Editor(..) | Test::Under(..) => true,
        };
        filter.terms().iter().all(fits) && tests(filter, now, zone).iter().all(in_time)
    }
}

/// The browser.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Backups {
    /// The backups, the newest first; `None` while they are read.
    pub list: Option<Vec<Kept>>,
    /// Why they can't be read.
    pub problem: Option<String>,
    /// The cursor of the list.
    pub cursor: Cursor,
    /// The filter of the list.
    pub filter: FilterLine,
    /// The rows of the list that it lets through.
    pub shown: Vec<usize>,
    /// The question before one is removed.
    pub removal: Option<Removal>,
    /// The one that is looked into.
    pub open: Option<Box<Opened>>,
}

impl Backups {
    /// Whether keys are letters of a text.
    pub fn is_typing(&self) -> bool {
        let inside = |open: &Opened| {
            open.filter.typing
                || open.again.is_some()
                || open.preview.as_ref().is_some_and(|shown| shown.typing)
        };
        self.filter.typing || self.removal.is_some() || self.open.as_deref().is_some_and(inside)
    }

    /// The backup under the cursor.
    pub fn at_cursor(&self) -> Option<&Kept> {
        let row = *self.shown.get(self.cursor.at)?;
        self.list.as_ref()?.get(row)
    }

    /// Shows what is there now. What was looked at stays so, and the cursor stays where it is.
    fn renew(&mut self, mut now_there: Vec<Kept>, now: Timestamp, zone: &TimeZone) {
        let at = self.at_cursor().map(|kept| kept.name.clone());
        for kept in &mut now_there {
            let before = self.get(&kept.name).map(|before| &before.check);
            if let Some(check) = before.filter(|check| **check != Check::No) {
                kept.check = check.clone();
            }
        }
        self.list = Some(now_there);
        self.look_for(now, zone);
        let list = self.list.as_deref().unwrap_or_default();
        let mut shown = self.shown.iter();
        let row = shown.position(|row| Some(&list[*row].name) == at.as_ref());
        self.cursor.at = row.unwrap_or(0);
    }

    fn look_for(&mut self, now: Timestamp, zone: &TimeZone) {
        self.filter.parse(LIST_FIELDS);
        let list = self.list.as_deref().unwrap_or_default();
        let filter = self.filter.applied.as_ref();
        let is_meant =
            |row: &usize| filter.is_none_or(|filter| list[*row].is_meant(filter, now, zone));
        self.shown = (0..list.len()).filter(is_meant).collect();
        self.cursor = Cursor::default();
    }

    /// Asks whether the backup of this name is to be removed, if it is still what is looked at.
    fn ask_to_remove(&mut self, name: &str) {
        let is_busy = self.removal.is_some() || self.open.is_some() || self.filter.typing;
        let Some(kept) = self
            .at_cursor()
            .filter(|kept| kept.name == name && !is_busy)
        else {
            return;
        };
        let wanted = kept.manifest.as_ref().map_or(0, |manifest| manifest.items);
        self.removal = Some(Removal {
            name: name.to_owned(),
            wanted: wanted.to_string(),
            typed: Field::new(Lines::One, ""),
            problem: None,
            top: 0,
        });
    }

    /// A backup by its name.
    pub fn get(&self, name: &str) -> Option<&Kept> {
        self.list.iter().flatten().find(|kept| kept.name == name)
    }

    /// The keys that mean something now, with a word for each.
    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        match (&self.removal, &self.open) {
            (Some(_), _) => &[("Enter", "remove"), ("Esc", "cancel")],
            (None, None) if self.filter.typing => &[("Enter", "keep"), ("Esc", "clear")],
            (None, None) if self.list.as_ref().is_none_or(Vec::is_empty) => &[("q", "close")],
            (None, None) if self.at_cursor().is_some_and(Kept::is_of_server) => &[
                ("Enter", "open"),
                ("R", "restore"),
                ("/", "filter"),
                ("v", "verify"),
                ("x", "remove"),
                ("q", "close"),
            ],
            (None, None) => &[
                ("Enter", "open"),
                ("/", "filter"),
                ("v", "verify"),
                ("x", "remove"),
                ("q", "close"),
            ],
            (None, Some(open)) if open.again.as_ref().is_some_and(|it| it.form.is_at_choice()) => {
                &[
                    ("Enter", "go on"),
                    ("Tab", "next"),
                    ("← →", "change"),
                    ("Esc", "cancel"),
                ]
            }
            (None, Some(open)) if open.again.is_some() => {
                &[("Enter", "go on"), ("Tab", "next"), ("Esc", "cancel")]
            }
            (None, Some(open)) if open.preview.as_ref().is_some_and(|it| it.typing) => {
                &[("Enter", "keep"), ("Esc", "clear")]
            }
            (None, Some(open)) if open.preview.as_ref().is_some_and(|it| it.search.is_empty()) => {
                &[("j/k", "move"), ("/", "search"), ("q", "close")]
            }
            (None, Some(open)) if open.preview.is_some() => &[
                ("j/k", "move"),
                ("/", "search"),
                ("n", "next"),
                ("q", "close"),
            ],
            (None, Some(open)) if open.filter.typing => &[("Enter", "keep"), ("Esc", "clear")],
            (None, Some(open)) if open.manifest.server_file.is_some() => &[
                ("R", "restore"),
                ("/", "filter"),
                ("v", "verify"),
                ("q", "back"),
            ],
            (None, Some(_)) => &[
                ("Enter", "preview"),
                ("Space", "mark"),
                ("R", "re-create"),
                ("/", "filter"),
                ("v", "verify"),
                ("q", "back"),
            ],
        }
    }

    /// Takes pasted text. What is to be typed is to be typed.
    pub(super) fn paste(&mut self, text: &str, now: Timestamp, zone: &TimeZone) {
        if let Some(removal) = &mut self.removal {
            removal.problem = Some("Pasted text doesn't count here. Type it.".to_owned());
        } else if let Some(open) = &mut self.open {
            if let Some(again) = &mut open.again {
                again.form.paste(text);
            } else if let Some(shown) = &mut open.preview {
                if shown.typing {
                    shown.search.insert(text);
                }
            } else if open.filter.typing
                && let Some(field) = &mut open.filter.field
            {
                field.insert(text);
                open.look_for(now, zone);
            }
        } else if self.filter.typing
            && let Some(field) = &mut self.filter.field
        {
            field.insert(text);
            self.look_for(now, zone);
        }
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Kept> {
        let list = self.list.iter_mut().flatten();
        list.into_iter().find(|kept| kept.name == name)
    }
}

/// How many rows of a list are shown.
pub fn rows(size: Size) -> usize {
    tallest_inside(size).saturating_sub(1).max(1)
}

/// How many lines of a text are shown.
pub fn lines(size: Size) -> usize {
    tallest_inside(size)
}

/// What went wrong, in one safe line with what to do.
pub(super) fn told(error: &BackupError) -> String {
    plain::scrub(&format!("{error} {}", error.hint())).into_owned()
}

/// A manifest as it can be shown: its file may have been written by anybody.
pub(super) fn shown_manifest(mut manifest: Manifest) -> Manifest {
    let clean = |text: &mut String| {
        if let std::borrow::Cow::Owned(scrubbed) = plain::scrub(text) {
            *text = scrubbed;
        }
    };
    clean(&mut manifest.profile);
    for space in &mut manifest.spaces {
        clean(&mut space.name);
        space.key = SpaceKey::new(plain::scrub(space.key.as_str()));
    }
    for item in &mut manifest.not_saved {
        clean(&mut item.title);
        clean(&mut item.why);
    }
    for lack in &mut manifest.lacks {
        clean(&mut lack.title);
        clean(&mut lack.why);
    }
    manifest
}

/// An item as it can be shown.
pub(super) fn shown_item(mut item: Item) -> Item {
    item.space = item
        .space
        .map(|key| SpaceKey::new(plain::scrub(key.as_str())));
    if let ContentKind::Other(kind) = &item.kind {
        item.kind = ContentKind::Other(plain::scrub(kind).into_owned());
    }
    for above in item.ancestors.iter_mut().flatten() {
        above.title = above
            .title
            .as_deref()
            .map(|it| plain::scrub(it).into_owned());
    }
    if let Some(by) = item.version.as_mut().and_then(|it| it.by.as_mut()) {
        by.display_name = plain::scrub(&by.display_name).into_owned();
    }
    item
}

fn step_of(chord: Chord) -> Option<Step> {
    match (chord.key, chord.ctrl) {
        (Key::Char('u'), true) => Some(Step::HalfUp),
        (Key::Char('d'), true) => Some(Step::HalfDown),
        (_, true) => None,
        (Key::Up | Key::Char('k'), _) => Some(Step::Up),
        (Key::Down | Key::Char('j'), _) => Some(Step::Down),
        (Key::PageUp, _) => Some(Step::PageUp),
        (Key::PageDown, _) => Some(Step::PageDown),
        (Key::Home | Key::Char('g'), _) => Some(Step::Top),
        (Key::End | Key::Char('G'), _) => Some(Step::Bottom),
        _ => None,
    }
}

/// A letter that means nothing here stays here; anything else is looked up among the verbs.
fn rest(chord: Chord) -> Outcome {
    if chord.typed().is_some() {
        Outcome::Stay
    } else {
        Outcome::NotMine
    }
}

impl Model {
    /// Opens the browser.
    pub(in crate::app) fn open_backups(&mut self, out: &mut Vec<Effect>) {
        // What the notices said would lie over the list.
        self.toasts.clear();
        self.ask_disk(DiskWaiter::Backup(Asked::List), DiskCall::ListBackups, out);
        self.modals.push(Modal::Backups(Box::default()));
    }

    /// Reads the list again, where it is open: a job has changed what is there.
    pub(in crate::app) fn backups_changed(&mut self, out: &mut Vec<Effect>) {
        let is_open = |modal: &Modal| matches!(modal, Modal::Backups(_));
        if self.modals.iter().any(is_open) {
            self.ask_disk(DiskWaiter::Backup(Asked::List), DiskCall::ListBackups, out);
        }
    }

    /// What a folder without a manifest is waiting for: a job that makes it, or may go on with it.
    pub fn job_of_backup(&self, name: &str) -> Option<&'static str> {
        let mut jobs = self.jobs.list.iter();
        let entered = jobs.find(|entered| entered.job.may_need(name))?;
        Some(if entered.is_left_over() {
            "unfinished, and its job can go on"
        } else {
            "being made"
        })
    }

    /// Takes what the disk says of backups.
    pub(in crate::app) fn backup_came(
        &mut self,
        asked: Asked,
        outcome: Result<DiskReply, DiskError>,
    ) {
        if let (Asked::MayRemove(_), Err(error)) = (&asked, &outcome) {
            self.say(LogLevel::Warning, format!("Not removed: {error}"));
        }
        if let Asked::Removal(name) = &asked {
            match &outcome {
                Ok(_) => self.say(LogLevel::Info, format!("The backup {name} was removed.")),
                Err(error) => self.say(
                    LogLevel::Error,
                    format!("The backup {name} could not be removed: {error}"),
                ),
            }
        }
        let (size, now, zone) = (self.size, self.time(self.now), &self.zone);
        // A job that is done has written its backup and read it back.
        let made: Vec<String> = self
            .jobs
            .list
            .iter()
            .filter(|entered| entered.job.state() == JobState::Done)
            .map(|entered| entered.job.head().id.to_string())
            .collect();
        let browser = self.modals.iter_mut().find_map(|modal| match modal {
            Modal::Backups(backups) => Some(backups),
            _ => None,
        });
        let Some(backups) = browser else { return };
        match (asked, outcome) {
            (Asked::List, Ok(DiskReply::Backups(found))) => {
                let kept = |found: Found| Kept {
                    check: if made.iter().any(|id| found.name.starts_with(id.as_str())) {
                        Check::WhenMade
                    } else {
                        Check::No
                    },
                    name: found.name,
                    manifest: found
                        .manifest
                        .map(shown_manifest)
                        .map_err(|error| told(&error)),
                    bytes: found.bytes,
                };
                let now_there = found.into_iter().rev().map(kept).collect();
                backups.renew(now_there, now, zone);
                backups.cursor.keep_in_view(backups.shown.len(), rows(size));
            }
            (Asked::List, outcome) => {
                backups.problem = Some(problem_of(outcome));
            }
            (Asked::Check(name), outcome) => {
                if let Some(kept) = backups.get_mut(&name) {
                    kept.check = match outcome {
                        Ok(DiskReply::Verified(Ok(()))) => Check::AsWritten,
                        Ok(DiskReply::Verified(Err(error))) => Check::Spoilt(told(&error)),
                        other => Check::Spoilt(problem_of(other)),
                    };
                }
            }
            (Asked::Contents(name), outcome) => {
                let Some(open) = backups.open.as_mut().filter(|open| open.name == name) else {
                    return;
                };
                match outcome {
                    Ok(DiskReply::Contents(contents)) => match *contents {
                        Ok(contents) => {
                            let clean = |(file, item)| (file, shown_item(item));
                            let items: Vec<(String, Item)> =
                                contents.items.into_iter().map(clean).collect();
                            open.index =
                                Index::new(items.iter().map(|(_, item)| item.title.shown()));
                            open.manifest = shown_manifest(contents.manifest);
                            open.items = Some(items);
                            open.look_for(now, zone);
                        }
                        Err(error) => open.problem = Some(told(&error)),
                    },
                    other => open.problem = Some(problem_of(other)),
                }
            }
            (Asked::Text(name, id), outcome) => {
                let open = backups.open.as_mut().filter(|open| open.name == name);
                let shown = open.and_then(|open| open.preview.as_mut());
                let Some(shown) = shown.filter(|shown| shown.id == id) else {
                    return;
                };
                shown.text = Some(match outcome {
                    Ok(DiskReply::Text(stored)) => {
                        let head = shown.head.clone();
                        let text = Text::of_storage(head, stored.as_deref());
                        Ok(Box::new(text))
                    }
                    other => Err(problem_of(other)),
                });
                shown.lay_out(width(size));
            }
            (Asked::Removal(name), Ok(_)) => {
                let at = backups.cursor;
                if let Some(list) = &mut backups.list {
                    list.retain(|kept| kept.name != name);
                }
                backups.look_for(now, zone);
                backups.cursor = at;
                backups.cursor.keep_in_view(backups.shown.len(), rows(size));
            }
            (Asked::MayRemove(name), Ok(_)) => backups.ask_to_remove(&name),
            (Asked::MayRemove(_) | Asked::Removal(_), Err(_)) => {}
        }
    }

    pub(super) fn backups_key(
        &mut self,
        backups: &mut Backups,
        press: KeyPress,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let chord = press.chord;
        if backups.removal.is_some() {
            return self.removal_key(backups, press, seen, out);
        }
        if let Some(mut open) = backups.open.take() {
            let outcome = self.opened_key(backups, &mut open, chord, out);
            return match outcome {
                Outcome::Close => Outcome::Stay,
                other => {
                    backups.open = Some(open);
                    other
                }
            };
        }
        let now = self.time(self.now);
        let len = backups.shown.len();
        if backups.filter.typing {
            match chord.key {
                Key::Esc => {
                    backups.filter.clear();
                    backups.look_for(now, &self.zone);
                }
                Key::Enter | Key::Tab => backups.filter.keep(),
                Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                    if let Some(step) = step_of(chord) {
                        backups.cursor.step(step, len, rows(self.size));
                    }
                }
                _ => {
                    let taken = backups.filter.field.as_mut().map(|field| field.key(chord));
                    if taken != Some(true) {
                        return Outcome::NotMine;
                    }
                    backups.look_for(now, &self.zone);
                }
            }
            return Outcome::Stay;
        }
        if is_esc(chord) && backups.filter.is_shown() {
            backups.filter.clear();
            backups.look_for(now, &self.zone);
            return Outcome::Stay;
        }
        if is_esc(chord) || chord.typed() == Some('q') {
            return Outcome::Close;
        }
        if chord.typed() == Some('/') {
            backups.filter.open();
            backups.look_for(now, &self.zone);
            return Outcome::Stay;
        }
        if let Some(step) = step_of(chord) {
            backups.cursor.step(step, len, rows(self.size));
            return Outcome::Stay;
        }
        let Some(kept) = backups.at_cursor() else {
            return rest(chord);
        };
        let name = kept.name.clone();
        match (chord.key, chord.typed()) {
            (Key::Enter, _) => match &kept.manifest {
                Ok(manifest) => {
                    backups.open = Some(Box::new(Opened {
                        name: name.clone(),
                        manifest: manifest.clone(),
                        items: None,
                        problem: None,
                        cursor: Cursor::default(),
                        filter: FilterLine::default(),
                        shown: Vec::new(),
                        marks: BTreeSet::new(),
                        preview: None,
                        again: None,
                        index: Index::default(),
                    }));
                    let call = DiskCall::ReadContents {
                        backup: name.clone(),
                    };
                    self.ask_disk(DiskWaiter::Backup(Asked::Contents(name)), call, out);
                }
                Err(why) => {
                    let why = match self.job_of_backup(&name) {
                        Some(what) => format!("The backup {name} is {what}."),
                        None => why.clone(),
                    };
                    self.say(LogLevel::Warning, why);
                }
            },
            (_, Some('v')) => self.check_backup(backups, &name, out),
            (_, Some('R')) => match &kept.manifest {
                Ok(manifest) if manifest.server_file.is_some() => {
                    let manifest = manifest.clone();
                    self.ask_restore(&name, &manifest, out);
                }
                Ok(_) => self.say(
                    LogLevel::Info,
                    "Open it first: what is in it is made again item by item.",
                ),
                Err(why) => {
                    let why = match self.job_of_backup(&name) {
                        Some(what) => format!("The backup {name} is {what}."),
                        None => why.clone(),
                    };
                    self.say(LogLevel::Warning, why);
                }
            },
            (_, Some('x')) => {
                if let Some(why) = self.why_kept(&name) {
                    self.say(LogLevel::Warning, why);
                } else {
                    // The disk knows of the jobs of all processes.
                    let call = DiskCall::AskRemoval {
                        backup: name.clone(),
                    };
                    self.ask_disk(DiskWaiter::Backup(Asked::MayRemove(name)), call, out);
                }
            }
            _ => return rest(chord),
        }
        Outcome::Stay
    }

    /// Why a backup can't go now.
    fn why_kept(&self, name: &str) -> Option<String> {
        let reads_only = match &self.writes {
            Writes::ReadOnly(why) | Writes::Unkept(why) => Some(why.clone()),
            Writes::Protected => self.why_read_only(),
            Writes::Allowed => None,
        };
        if let Some(why) = reads_only {
            return Some(format!("{why} So no backup is removed here."));
        }
        // What was found on the disk may have gone on since, in another process.
        let mine = self.jobs.list.iter().filter(|entered| !entered.found);
        let job = mine
            .map(|entered| &entered.job)
            .find(|job| job.may_need(name))?;
        let shows = self.spell("‹jobs› shows it.");
        Some(format!(
            "{} is not over and may need this backup. {shows}",
            job.head().title
        ))
    }

    fn check_backup(&mut self, backups: &mut Backups, name: &str, out: &mut Vec<Effect>) {
        let Some(kept) = backups.get_mut(name) else {
            return;
        };
        if kept.check == Check::Running {
            return;
        }
        kept.check = Check::Running;
        let call = DiskCall::VerifyBackup {
            backup: name.to_owned(),
        };
        self.ask_disk(DiskWaiter::Backup(Asked::Check(name.to_owned())), call, out);
    }

    fn removal_key(
        &mut self,
        backups: &mut Backups,
        press: KeyPress,
        _seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let Some(removal) = &mut backups.removal else {
            return Outcome::Stay;
        };
        if is_esc(press.chord) {
            backups.removal = None;
            return Outcome::Stay;
        }
        if removal.scroll(press.chord.key, self.size) {
            return Outcome::Stay;
        }
        if press.stroke == Stroke::Repeat {
            removal.problem = Some("Held keys don't count here.".to_owned());
            return Outcome::Stay;
        }
        if press.chord.key != Key::Enter {
            return if removal.typed.key(press.chord) {
                removal.problem = None;
                Outcome::Stay
            } else {
                Outcome::NotMine
            };
        }
        if removal.typed.text().trim() != removal.wanted {
            removal.problem = Some(format!("That is not {}. Nothing was done.", removal.wanted));
            return Outcome::Stay;
        }
        let name = removal.name.clone();
        backups.removal = None;
        let call = DiskCall::RemoveBackup {
            backup: name.clone(),
        };
        self.ask_disk(DiskWaiter::Backup(Asked::Removal(name)), call, out);
        Outcome::Stay
    }

    /// A key for a backup that is looked into. `Close` goes back to the list.
    fn opened_key(
        &mut self,
        backups: &mut Backups,
        open: &mut Opened,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if open.again.is_some() {
            return self.again_key(open, chord, out);
        }
        let now = self.time(self.now);
        if let Some(shown) = &mut open.preview {
            shown.lay_out(width(self.size));
            let height = lines(self.size);
            let last = shown.window(width(self.size), 0).1.saturating_sub(height);
            if shown.typing {
                return shown.search_key(chord, self.size);
            }
            if is_esc(chord) && !shown.search.is_empty() {
                shown.search.set("");
                shown.hits = Hits::default();
                return Outcome::Stay;
            }
            match chord.typed() {
                Some('/') => {
                    shown.search.set("");
                    shown.hits = Hits::default();
                    shown.typing = true;
                    return Outcome::Stay;
                }
                Some('n') => {
                    shown.seek(height, last, Seek::Next);
                    return Outcome::Stay;
                }
                Some('N') => {
                    shown.seek(height, last, Seek::Previous);
                    return Outcome::Stay;
                }
                _ => {}
            }
            if is_esc(chord) || matches!(chord.typed(), Some('q' | 'p')) {
                open.preview = None;
                return Outcome::Stay;
            }
            let Some(step) = step_of(chord) else {
                return rest(chord);
            };
            shown.top = match step {
                Step::Up => shown.top.saturating_sub(1),
                Step::Down => shown.top + 1,
                Step::Top => 0,
                Step::Bottom => last,
                Step::PageUp => shown.top.saturating_sub(height),
                Step::PageDown => shown.top + height,
                Step::HalfUp => shown.top.saturating_sub(height / 2),
                Step::HalfDown => shown.top + height / 2,
                Step::By(_) => shown.top,
            }
            .min(last);
            return Outcome::Stay;
        }
        if open.filter.typing {
            match chord.key {
                Key::Esc => {
                    open.filter.clear();
                    open.look_for(now, &self.zone);
                }
                Key::Enter | Key::Tab => open.filter.keep(),
                Key::Up | Key::Down | Key::PageUp | Key::PageDown => {
                    if let Some(step) = step_of(chord) {
                        open.cursor.step(step, open.shown.len(), rows(self.size));
                    }
                }
                _ => {
                    let taken = open.filter.field.as_mut().map(|field| field.key(chord));
                    if taken != Some(true) {
                        return Outcome::NotMine;
                    }
                    open.look_for(now, &self.zone);
                }
            }
            return Outcome::Stay;
        }
        if is_esc(chord) && open.filter.is_shown() {
            open.filter.clear();
            open.look_for(now, &self.zone);
            return Outcome::Stay;
        }
        if is_esc(chord) || chord.typed() == Some('q') {
            return Outcome::Close;
        }
        if let Some(step) = step_of(chord) {
            open.cursor.step(step, open.shown.len(), rows(self.size));
            return Outcome::Stay;
        }
        match (chord.key, chord.typed()) {
            (Key::Enter, _) | (_, Some('p')) => self.show_saved(open, out),
            (_, Some('v')) => self.check_backup(backups, &open.name, out),
            (_, Some('/')) => {
                open.filter.open();
                open.look_for(now, &self.zone);
            }
            (_, Some(' ')) => {
                if let Some(row) = open.shown.get(open.cursor.at)
                    && !open.marks.remove(row)
                {
                    open.marks.insert(*row);
                }
                open.cursor
                    .step(Step::Down, open.shown.len(), rows(self.size));
            }
            (_, Some('*')) => open.marks.extend(&open.shown),
            (_, Some('U')) => open.marks.clear(),
            (_, Some('R')) if open.manifest.server_file.is_some() => {
                self.ask_restore(&open.name, &open.manifest, out);
            }
            (_, Some('R')) => self.ask_where(open),
            _ => return rest(chord),
        }
        Outcome::Stay
    }

    /// Shows the text of the item under the cursor.
    fn show_saved(&mut self, open: &mut Opened, out: &mut Vec<Effect>) {
        let Some((file, item)) = open.item().cloned() else {
            return;
        };
        let call = DiskCall::ReadText {
            backup: open.name.clone(),
            name: file,
            id: item.id.clone(),
        };
        let asked = Asked::Text(open.name.clone(), item.id.clone());
        self.ask_disk(DiskWaiter::Backup(asked), call, out);
        open.preview = Some(Shown {
            head: self.head_of_saved(&item),
            id: item.id,
            text: None,
            top: 0,
            search: Field::new(Lines::One, ""),
            typing: false,
            hits: Hits::default(),
            laid: None,
        });
    }

    /// What a saved item is, in a few lines.
    fn head_of_saved(&self, item: &Item) -> Vec<String> {
        let mut facts = vec![kind_name(&item.kind).to_owned()];
        if let Some(version) = &item.version {
            facts.extend(version.number.map(|number| format!("version {number}")));
            let when = version.when;
            facts.extend(
                when.map(|when| format!("last edit {}", number::exact(when.0, &self.zone))),
            );
            let by = version.by.as_ref();
            facts.extend(by.map(|by| format!("by {}", by.display_name)));
        }
        let mut place: Vec<String> = item.space.iter().map(ToString::to_string).collect();
        let above: Vec<&str> = item
            .ancestors
            .iter()
            .flatten()
            .map(|above| above.title.as_deref().unwrap_or("?"))
            .collect();
        if !above.is_empty() {
            place.push(above.join(" ▸ "));
        }
        let mut head = vec![item.title.to_string(), facts.join(" · ")];
        if !place.is_empty() {
            head.push(format!("was in {}", place.join(" · ")));
        }
        head.push(
            match &item.restrictions {
                Some(list) if list.is_empty() && item.restrictions_complete => {
                    "It had no restrictions of its own."
                }
                Some(list) if !list.is_empty() => "It was restricted.",
                _ => "It is not known whether it was restricted.",
            }
            .to_owned(),
        );
        head
    }

    /// Asks whether the server is to read a space in again.
    fn ask_restore(&mut self, backup: &str, manifest: &Manifest, out: &mut Vec<Effect>) {
        if let Some(reason) = self.why_read_only() {
            self.say(LogLevel::Warning, reason);
            return;
        }
        let Some(file) = SpaceFile::of(backup, manifest) else {
            self.say(LogLevel::Warning, "The backup names no file of one space.");
            return;
        };
        let mut target = self.target(Act::RestoreFromBackup);
        target.spaces.push(file.space().clone());
        let mut dialog = Confirm::new(target, self.time(self.now));
        let made = number::minute(manifest.created, &self.zone);
        dialog.skipped.push(format!("The backup was made {made}."));
        if manifest.server.is_at(&self.profile.address()) != SameServer::Yes {
            dialog.skipped.push(format!(
                "It is from {}, which is not this server.",
                manifest.server.shown()
            ));
        }
        dialog.space_file = Some(Box::new(file));
        self.confirm(dialog, out);
    }

    /// Asks where the marked items are made again; without marks, all that are shown.
    fn ask_where(&mut self, open: &mut Opened) {
        if let Some(reason) = self.why_read_only() {
            self.say(LogLevel::Warning, reason);
            return;
        }
        let items = open.items.as_deref().unwrap_or_default();
        let meant: Vec<usize> = if open.marks.is_empty() {
            open.shown.clone()
        } else {
            open.marks.iter().copied().collect()
        };
        let is_fit = |row: &usize| {
            let kind = items.get(*row).map(|(_, item)| &item.kind);
            matches!(kind, Some(ContentKind::Page | ContentKind::BlogPost))
        };
        let (mut rows, unfit): (Vec<usize>, Vec<usize>) = meant.into_iter().partition(is_fit);
        if rows.is_empty() {
            self.say(
                LogLevel::Info,
                "There is no page or blog post among these. Other content cannot be made again.",
            );
            return;
        }
        // Comments and files come back with what they hang on, marked or not.
        let pages: BTreeSet<&ContentId> = rows.iter().map(|row| &items[*row].1.id).collect();
        let is_on_one = |row: &usize| {
            let (_, item) = &items[*row];
            let hangs = matches!(item.kind, ContentKind::Comment | ContentKind::Attachment);
            let on = item.container.as_ref().filter(|_| hangs);
            on.is_some_and(|on| pages.contains(&on.id))
        };
        let hung: Vec<usize> = (0..items.len()).filter(is_on_one).collect();
        let unfit: Vec<usize> = unfit.into_iter().filter(|row| !is_on_one(row)).collect();
        rows.extend(hung);
        let mut keys = rows.iter().map(|row| items[*row].1.space.as_ref());
        let first = keys.next().flatten().cloned();
        let from = first.filter(|first| keys.all(|key| key == Some(first)));
        let key = from.as_ref().map_or("", SpaceKey::as_str);
        let mut form = Form::new(vec![
            FormField::line("Into space", key),
            FormField::choice("Unclear rights", &["readable for me alone", "left out"], 0),
        ]);
        if from.is_none() {
            form.fields[SPACE].note = Note::Hint("empty: where each was".to_owned());
        }
        open.again = Some(Box::new(Again {
            form,
            rows,
            from,
            unfit,
        }));
    }

    fn again_key(&mut self, open: &mut Opened, chord: Chord, out: &mut Vec<Effect>) -> Outcome {
        let Some(mut again) = open.again.take() else {
            return Outcome::Stay;
        };
        if is_esc(chord) {
            return Outcome::Stay;
        }
        match again.form.key(chord) {
            Taken::Changed => {
                again.form.fields[SPACE].note = Note::None;
                open.again = Some(again);
            }
            Taken::Moved => open.again = Some(again),
            Taken::Entered => {
                let typed = again.form.fields[SPACE].text().trim().to_owned();
                let is_elsewhere = self.is_elsewhere(&open.manifest);
                if typed.is_empty() && is_elsewhere {
                    again.form.fields[SPACE].note =
                        Note::Problem("Name a space of this server.".to_owned());
                    open.again = Some(again);
                } else {
                    self.confirm_again(open, &again, &typed, out);
                }
            }
            Taken::No => {
                open.again = Some(again);
                return Outcome::NotMine;
            }
        }
        Outcome::Stay
    }

    /// Whether a backup is from another server than the one that is open.
    pub(super) fn is_elsewhere(&self, manifest: &Manifest) -> bool {
        manifest.server.is_at(&self.profile.address()) == SameServer::No
    }

    /// Shows the plan of what is made again, with its confirmation.
    fn confirm_again(&mut self, open: &Opened, again: &Again, typed: &str, out: &mut Vec<Effect>) {
        let items = open.items.as_deref().unwrap_or_default();
        let meant: Vec<(String, Item)> = again
            .rows
            .iter()
            .filter_map(|row| items.get(*row).cloned())
            .collect();
        let is_elsewhere = self.is_elsewhere(&open.manifest);
        let typed = (!typed.is_empty()).then(|| SpaceKey::new(typed));
        // By ids of another server nothing can be found here: there, a space is always named.
        let into = typed.filter(|key| is_elsewhere || again.from.as_ref() != Some(key));
        let unknown = match again.form.fields[UNKNOWN].chosen() {
            0 => UnknownRestrictions::OnlyMe,
            _ => UnknownRestrictions::Skip,
        };
        let from = Meant {
            backup: &open.name,
            manifest: &open.manifest,
            items: meant,
            into,
            unknown,
        };
        let mut dialog = self.recreation(from);
        dialog.skipped.extend(again.unfit(items));
        self.confirm(dialog, out);
    }

    /// The plan of what is made again: its target is made of what is in the backup.
    pub(super) fn recreation(&self, from: Meant<'_>) -> Confirm {
        let Meant {
            backup,
            manifest,
            items: mut meant,
            into,
            unknown,
        } = from;
        // In the order of the job.
        meant.sort_by_key(|(_, item)| Recipe::order(item));
        let mut target = self.target(Act::Recreate);
        let mut keys: Vec<SpaceKey> = match &into {
            Some(key) => vec![key.clone()],
            None => meant
                .iter()
                .filter_map(|(_, item)| item.space.clone())
                .collect(),
        };
        keys.sort();
        keys.dedup();
        let mut remarks = Vec::new();
        match manifest.server.is_at(&self.profile.address()) {
            SameServer::Yes => {}
            SameServer::No => remarks.push(format!(
                "The backup is from {}, which is another server.",
                manifest.server.shown()
            )),
            SameServer::Unsaid => remarks.push(format!(
                "The backup names the server {} and no address: make sure that it is from this one.",
                manifest.server.shown()
            )),
        }
        for key in &keys {
            let space = self.spaces.table.get(key);
            if space.is_none() {
                remarks.push(format!(
                    "{key} is not among the spaces listed here. Where there is no such space, nothing can be made in it."
                ));
            }
            target.spaces.push(SpaceTarget {
                key: key.clone(),
                name: space
                    .map(|space| space.name.to_string())
                    .unwrap_or_default(),
            });
        }
        target.items = meant
            .iter()
            .map(|(_, item)| ItemTarget {
                id: item.id.clone(),
                kind: item.kind.clone(),
                title: item.title.to_string(),
                version: item.version_number(),
                space: into.clone().or_else(|| item.space.clone()),
            })
            .collect();
        let recipe = Recipe::new(backup, manifest, meant, into, unknown);
        remarks.extend(restricted(&recipe));
        let unclear = match recipe.unclear() {
            0 => "What may have been restricted is".to_owned(),
            n => format!(
                "It is not known who could read {}:",
                number::count(n as u64, "item")
            ),
        };
        remarks.push(match unknown {
            UnknownRestrictions::OnlyMe => format!("{unclear} made readable for you alone."),
            UnknownRestrictions::Skip => format!("{unclear} left out."),
        });
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.skipped = remarks;
        dialog.plan.source = Some(recipe.source());
        dialog.recipe = Some(Box::new(recipe));
        dialog
    }
}

/// How many items are known to have been restricted, and what that means for them.
fn restricted(recipe: &Recipe) -> Option<String> {
    let (own, below) = recipe.restricted();
    let (were, come, below_it) = match own {
        0 => return None,
        1 => ("was", "It comes", "below it"),
        _ => ("were", "They come", "below them"),
    };
    let items = number::count(own as u64, "item");
    let kept = match below {
        0 => String::new(),
        1 => format!(", and so does 1 {below_it}"),
        n => format!(", and so do {} {below_it}", number::grouped(n as u64)),
    };
    Some(format!(
        "{items} {were} restricted. {come} back with the same restrictions, or not at all{kept}."
    ))
}

/// What is to be made again, and where.
pub(super) struct Meant<'a> {
    /// The folder of the backup.
    pub(super) backup: &'a str,
    /// What the backup is.
    pub(super) manifest: &'a Manifest,
    /// The items, each with its file.
    pub(super) items: Vec<(String, Item)>,
    /// The space that was named; `None`: each goes into the space it was in.
    pub(super) into: Option<SpaceKey>,
    /// What happens to what may have been restricted.
    pub(super) unknown: UnknownRestrictions,
}

/// What is wrong, in one sentence, where an answer is not what was asked for.
pub(super) fn problem_of(outcome: Result<DiskReply, DiskError>) -> String {
    match outcome {
        Ok(_) => "The answer of the disk is not what was asked for.".to_owned(),
        Err(error) => error.to_string(),
    }
}
