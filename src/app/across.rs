//! The trash of many spaces at once: read space by space as answers come, filtered, marked.
//!
//! Every space is asked once, page by page to its end, and never more requests are under way than
//! the profile allows. Of an item no more is kept than a decision needs: about 200 bytes
//! (a record of at most 96, its id, and its title twice, as written and in lower case). What was
//! read stays when the view is closed; nothing here changes anything on a server.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::acts::LONG;
use super::disk::DiskWaiter;
use super::inflight::Waiter;
use super::key::{Chord, Key};
use super::layout::{Layout, WIDE};
use super::list::{Cursor, Step};
use super::message::{DiskCall, DiskError, DiskReply, Size};
use super::message::{Effect, LogLevel, Millis};
use super::modal::Modal;
use super::modal::confirm::Confirm;
use super::modal::menu::{Choice, Entry, Menu};
use super::model::{Model, Screen};
use super::pane::filter::FilterLine;
use super::pane::first_seen::{FirstSeen, file_name};
use super::tree::{IdSet, ShortId, date_of, day_number};
use crate::confluence::call::Window;
use crate::confluence::paging::{CursorPager, Pager};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, CursorPage, ErrorKind, Moment, Page, SpaceKey,
};
use crate::jobs::{Act, ItemTarget, SpaceTarget};
use crate::text::filter::{Filter, Index, Progress, Scan, Term};

/// What is asked for with each item.
const EXPAND: &str = "version,ancestors";

/// How many items are asked for at once: the cap of real servers for content with `expand`.
const PAGE: u64 = 200;

/// So many items are kept in all; reading stops there.
pub const MOST: usize = 1_000_000;

/// So many failures in a row stop the reading: then it is the line, not the space.
const FAILURES: u32 = 3;

/// How many items a filter looks at before the next picture.
const AT_ONCE: usize = 60_000;

/// What a filter can ask of an item.
pub const FIELDS: [&str; 8] = [
    "type", "by", "before", "after", "older", "newer", "under", "space",
];

/// What the list of spaces is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sort {
    /// The key, without case.
    #[default]
    Key,
    /// The most items first.
    Items,
    /// The space with the oldest edit first.
    Oldest,
    /// The space with the newest edit first.
    Newest,
}

impl Sort {
    /// Every order, with its name in the menu.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Key, "Key, A to Z"),
        (Self::Items, "Items, most first"),
        (Self::Oldest, "Oldest edit first"),
        (Self::Newest, "Newest edit first"),
    ];
}

/// What the items of one space are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemSort {
    /// As the server lists them; with a filter, the best match first.
    #[default]
    Server,
    /// The title, without case.
    Title,
    /// The oldest edit first.
    Oldest,
    /// The newest edit first.
    Newest,
}

impl ItemSort {
    /// Every order, with its name in the menu.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Server, "As the server lists them"),
        (Self::Title, "Title, A to Z"),
        (Self::Oldest, "Last edit, oldest first"),
        (Self::Newest, "Last edit, newest first"),
    ];
}

/// Texts that many items share, each kept once.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Names {
    list: Vec<Box<str>>,
    by_text: HashMap<Box<str>, u32>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(text.into());
        self.by_text.insert(text.into(), number);
        number
    }

    fn text(&self, number: u32) -> &str {
        self.list.get(number as usize).map_or("", AsRef::as_ref)
    }
}

/// What is kept of a trashed item. Its title is in the index of its space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: ContentId,
    /// Its type.
    pub kind: ContentKind,
    /// The version that was listed.
    pub version: Option<u64>,
    /// When it was edited last.
    pub edited: Option<Moment>,
    by: u32,
    /// The titles of what it was below, outermost first, one on a line.
    under: u32,
    /// Days from 1970 to the first sight; 0 for not known.
    seen: u16,
}

impl Item {
    /// On which day we saw it in the trash for the first time.
    pub fn first_seen(&self) -> Option<Date> {
        date_of(self.seen)
    }

    fn number(&self) -> Option<u64> {
        ShortId::of(&self.id).map(ShortId::number)
    }
}

/// How far the trash of a space is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Read {
    /// Not asked for yet.
    Waiting,
    /// By operation 12.
    ByCursor(CursorPager),
    /// By `GET /content?status=trashed`, type by type: servers without operation 12.
    ByKind {
        /// The type being read.
        kind: ContentKind,
        /// What was read of it.
        pager: Pager,
    },
    /// To the end.
    Complete,
    /// Not, for this reason.
    Failed(ApiError),
}

/// The trash of one space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceTrash {
    /// Its key.
    pub key: SpaceKey,
    /// Its name.
    pub name: String,
    /// Its items, as the server lists them.
    pub items: Vec<Item>,
    #[serde(skip)]
    titles: Index,
    /// How far it is read.
    pub read: Read,
    /// Whether it was read through the content list, which has no attachments.
    pub by_list: bool,
    /// How many there are in all, as far as the server told.
    pub total: Option<u64>,
    /// The oldest last edit.
    pub oldest: Option<Moment>,
    /// The newest last edit.
    pub newest: Option<Moment>,
    /// When its items were seen for the first time, while it is read.
    seen: FirstSeen,
    /// Of how many items that was looked up.
    noted: usize,
    /// The items are those of the read before.
    old: bool,
    /// What the filter lets through, best first; `None` while there is no filter.
    matched: Option<Vec<u32>>,
}

impl SpaceTrash {
    fn new(key: SpaceKey, name: String) -> Self {
        Self {
            key,
            name,
            items: Vec::new(),
            titles: Index::default(),
            read: Read::Waiting,
            by_list: false,
            total: None,
            oldest: None,
            newest: None,
            seen: FirstSeen::default(),
            noted: 0,
            old: false,
            matched: None,
        }
    }

    /// The title of an item.
    pub fn title(&self, item: u32) -> &str {
        self.titles.row(item)
    }

    /// How many items there are at least, and whether that is all.
    pub fn count(&self) -> (u64, bool) {
        let have = self.items.len() as u64;
        match (&self.read, self.total) {
            (Read::Complete, _) => (have, true),
            (_, Some(total)) => (total.max(have), true),
            (_, None) => (have, false),
        }
    }

    /// The items that the filter lets through, all without one.
    pub fn shown(&self) -> Vec<u32> {
        match &self.matched {
            Some(matched) => matched.clone(),
            None => (0..u32::try_from(self.items.len()).unwrap_or(u32::MAX)).collect(),
        }
    }

    /// How many items the filter lets through, all without one.
    pub fn shown_len(&self) -> usize {
        self.matched.as_ref().map_or(self.items.len(), Vec::len)
    }

    /// Whether its end was reached, or it was given up.
    pub fn is_settled(&self) -> bool {
        matches!(self.read, Read::Complete | Read::Failed(_))
    }

    fn clear(&mut self) {
        self.items = Vec::new();
        self.noted = 0;
        self.titles.clear();
        self.oldest = None;
        self.newest = None;
        self.old = false;
        if let Some(matched) = &mut self.matched {
            matched.clear();
        }
    }

    fn add(&mut self, content: Content, names: &mut Names) {
        let (version, edited, by) = match content.version {
            None => (None, None, None),
            Some(version) => (version.number, version.when, version.by),
        };
        let mut under = String::new();
        for ancestor in content.ancestors.iter().flatten() {
            if !under.is_empty() {
                under.push('\n');
            }
            under.push_str(ancestor.title.as_deref().unwrap_or_default());
        }
        if let Some(at) = edited {
            self.oldest = Some(self.oldest.map_or(at, |old| old.min(at)));
            self.newest = Some(self.newest.map_or(at, |new| new.max(at)));
        }
        self.titles.push(&content.title);
        self.items.push(Item {
            id: content.id,
            kind: content.kind,
            version,
            edited,
            by: names.number(by.as_ref().map_or("", |by| by.display_name.as_str())),
            under: names.number(&under),
            seen: 0,
        });
    }

    /// Looks up when the items that came were seen first. Says what is to be written, once it is
    /// read to its end.
    fn note_seen(&mut self, today: Date) -> Option<String> {
        for item in &mut self.items[self.noted..] {
            let Some(number) = item.number() else {
                continue;
            };
            // Not read yet: all of them later.
            let day = self.seen.day_of(number, today)?;
            item.seen = day_number(day);
        }
        self.noted = self.items.len();
        if !self.is_settled() {
            return None;
        }
        let all = self.items.iter();
        let all = all.filter_map(|item| Some((item.number()?, item.first_seen()?)));
        self.seen.finish(all, self.read == Read::Complete)
    }

    /// Takes items out that are not in the trash any more.
    fn take_out(&mut self, gone: &HashSet<ContentId>) {
        if !self.items.iter().any(|item| gone.contains(&item.id)) {
            return;
        }
        let titles = std::mem::take(&mut self.titles);
        let items = std::mem::take(&mut self.items);
        (self.oldest, self.newest) = (None, None);
        for (ix, item) in items.into_iter().enumerate() {
            if gone.contains(&item.id) {
                continue;
            }
            if let Some(at) = item.edited {
                self.oldest = Some(self.oldest.map_or(at, |old| old.min(at)));
                self.newest = Some(self.newest.map_or(at, |new| new.max(at)));
            }
            self.titles
                .push(titles.row(u32::try_from(ix).unwrap_or(u32::MAX)));
            self.items.push(item);
        }
        self.noted = self.items.len();
        if self.total.is_some() {
            self.total = Some(self.items.len() as u64);
        }
    }
}

/// Whose trash is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Scope {
    /// Of every space in the list.
    All,
    /// Of the spaces that were marked.
    Marked(BTreeSet<SpaceKey>),
}

/// Whether reading goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Going {
    /// It does, or all is read.
    On,
    /// The person stopped it.
    Stopped,
    /// It stopped by itself, for this reason: one sentence.
    Halted(String),
}

/// The items of one space, looked at one by one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inside {
    /// Whose.
    pub row: usize,
    /// Their numbers in the order in which they are shown.
    pub view: Vec<u32>,
    /// The cursor.
    pub cursor: Cursor,
    /// The item under the cursor: it stays there when rows come or go.
    pub at: Option<ContentId>,
    /// The order.
    pub sort: ItemSort,
    /// The last item that was marked by itself.
    last_mark: Option<ContentId>,
}

/// The trash of many spaces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Across {
    /// Whose.
    pub scope: Scope,
    /// The spaces in the order in which they were listed.
    pub rows: Vec<SpaceTrash>,
    by_key: HashMap<SpaceKey, u32>,
    names: Names,
    /// Spaces that a page is to be asked of, the next one first.
    due: VecDeque<u32>,
    /// Whether reading goes on.
    pub going: Going,
    /// Failures in a row.
    failures: u32,
    /// The order.
    pub sort: Sort,
    /// The filter line.
    pub filter: FilterLine,
    /// The next row that the filter looks at; `None` when it is through.
    filtering: Option<usize>,
    /// The spaces that are shown, in order.
    view: Vec<u32>,
    /// The cursor.
    pub cursor: Cursor,
    /// The space under the cursor: it stays there when rows move.
    pub at: Option<SpaceKey>,
    /// The marked items.
    pub marks: BTreeMap<SpaceKey, IdSet>,
    last_mark: Option<SpaceKey>,
    /// How many marked items the filter hides.
    hidden: usize,
    /// One space that is looked into.
    pub inside: Option<Inside>,
    /// When all was read.
    pub as_of: Option<Millis>,
}

impl Across {
    fn new(scope: Scope) -> Self {
        Self {
            scope,
            rows: Vec::new(),
            by_key: HashMap::new(),
            names: Names::default(),
            due: VecDeque::new(),
            going: Going::On,
            failures: 0,
            sort: Sort::default(),
            filter: FilterLine::default(),
            filtering: None,
            view: Vec::new(),
            cursor: Cursor::default(),
            at: None,
            marks: BTreeMap::new(),
            last_mark: None,
            hidden: 0,
            inside: None,
            as_of: None,
        }
    }

    fn add_space(&mut self, key: &SpaceKey, name: &str) {
        if self.by_key.contains_key(key) {
            return;
        }
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.by_key.insert(key.clone(), row);
        self.rows
            .push(SpaceTrash::new(key.clone(), name.to_owned()));
        self.due.push_back(row);
    }

    /// How many spaces are shown.
    pub fn len(&self) -> usize {
        self.view.len()
    }

    /// Whether no space is shown.
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }

    /// The space in a row of the view.
    pub fn row(&self, row: usize) -> Option<&SpaceTrash> {
        self.view.get(row).map(|ix| &self.rows[*ix as usize])
    }

    /// The space under the cursor.
    pub fn at_cursor(&self) -> Option<&SpaceTrash> {
        self.row(self.cursor.at)
    }

    /// Items in all, and whether that is all there are.
    pub fn items(&self) -> (u64, bool) {
        self.rows.iter().fold((0, true), |(sum, all), row| {
            let (count, exact) = row.count();
            let known = exact || matches!(row.read, Read::Failed(_));
            (sum + count, all && known)
        })
    }

    /// How many items the filter lets through.
    pub fn matching(&self) -> usize {
        self.rows.iter().map(SpaceTrash::shown_len).sum()
    }

    /// How many spaces are read or given up.
    pub fn settled(&self) -> usize {
        self.rows.iter().filter(|row| row.is_settled()).count()
    }

    /// Whether answers are awaited or still to be asked for.
    pub fn is_reading(&self) -> bool {
        self.going == Going::On && self.settled() < self.rows.len()
    }

    /// Whether the filter has not looked at everything yet.
    pub fn is_filtering(&self) -> bool {
        self.filtering.is_some()
    }

    /// How many items are marked.
    pub fn marked(&self) -> usize {
        self.marks.values().map(IdSet::len).sum()
    }

    /// How many of them the filter hides.
    pub fn hidden_marks(&self) -> usize {
        self.hidden
    }

    /// How many items of a space are marked.
    pub fn marked_of(&self, key: &SpaceKey) -> usize {
        self.marks.get(key).map_or(0, IdSet::len)
    }

    /// Who edited an item last; empty where the server did not say.
    pub fn by(&self, item: &Item) -> &str {
        self.names.text(item.by)
    }

    /// What an item was right below; empty for the top of a space.
    pub fn former_parent(&self, item: &Item) -> &str {
        let under = self.names.text(item.under);
        under.rsplit('\n').next().unwrap_or(under)
    }

    fn kept(&self) -> usize {
        self.rows.iter().map(|row| row.items.len()).sum()
    }

    /// Puts the spaces into their order, and the cursor back on the one it was on.
    fn settle(&mut self, height: usize) {
        let rows = &self.rows;
        let filtered = self.filter.applied.is_some();
        let mut view: Vec<u32> = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX))
            .filter(|ix| !filtered || rows[*ix as usize].shown_len() > 0)
            .collect();
        let lower: fn(&SpaceTrash) -> String = |row| row.key.as_str().to_lowercase();
        match self.sort {
            Sort::Key => view.sort_by_cached_key(|ix| lower(&rows[*ix as usize])),
            Sort::Items => view.sort_by_cached_key(|ix| {
                let row = &rows[*ix as usize];
                let count = if filtered {
                    row.shown_len() as u64
                } else {
                    row.count().0
                };
                (std::cmp::Reverse(count), lower(row))
            }),
            Sort::Oldest => view.sort_by_cached_key(|ix| {
                let row = &rows[*ix as usize];
                (row.oldest.is_none(), row.oldest, lower(row))
            }),
            Sort::Newest => view.sort_by_cached_key(|ix| {
                let row = &rows[*ix as usize];
                (std::cmp::Reverse(row.newest), lower(row))
            }),
        }
        self.view = view;
        let row = self
            .at
            .as_ref()
            .and_then(|key| self.by_key.get(key))
            .and_then(|ix| self.view.iter().position(|at| at == ix));
        if let Some(row) = row {
            let from_top = self.cursor.at.saturating_sub(self.cursor.top);
            self.cursor.at = row;
            if self.cursor.top > 0 {
                self.cursor.top = row.saturating_sub(from_top);
            }
        }
        self.cursor.keep_in_view(self.view.len(), height);
        self.settle_inside(height);
    }

    fn settle_inside(&mut self, height: usize) {
        let Some(inside) = &mut self.inside else {
            return;
        };
        let space = &self.rows[inside.row];
        let mut view = space.shown();
        let item = |ix: &u32| &space.items[*ix as usize];
        match inside.sort {
            ItemSort::Server => {}
            ItemSort::Title => view.sort_by_cached_key(|ix| space.titles.row(*ix).to_lowercase()),
            ItemSort::Oldest => view.sort_by_key(|ix| (item(ix).edited.is_none(), item(ix).edited)),
            ItemSort::Newest => view.sort_by_key(|ix| std::cmp::Reverse(item(ix).edited)),
        }
        inside.view = view;
        let row = inside.at.as_ref().and_then(|id| {
            inside
                .view
                .iter()
                .position(|ix| space.items[*ix as usize].id == *id)
        });
        if let Some(row) = row {
            let from_top = inside.cursor.at.saturating_sub(inside.cursor.top);
            inside.cursor.at = row;
            if inside.cursor.top > 0 {
                inside.cursor.top = row.saturating_sub(from_top);
            }
        }
        inside.cursor.keep_in_view(inside.view.len(), height);
    }

    /// What is listed: the items of the space that is looked into, else those of every space
    /// that is shown; each with its space, as far as the filter lets them through.
    pub fn listed(&self) -> Vec<(&SpaceTrash, Vec<u32>)> {
        match &self.inside {
            Some(inside) => vec![(&self.rows[inside.row], inside.view.clone())],
            None => self
                .view
                .iter()
                .map(|ix| &self.rows[*ix as usize])
                .map(|space| (space, space.shown()))
                .collect(),
        }
    }

    /// How many items are listed.
    pub fn listed_len(&self) -> usize {
        match &self.inside {
            Some(inside) => inside.view.len(),
            None => self.matching(),
        }
    }

    /// The item under the cursor, when a space is looked into.
    pub fn item_at_cursor(&self) -> Option<(&SpaceTrash, u32)> {
        let inside = self.inside.as_ref()?;
        let ix = *inside.view.get(inside.cursor.at)?;
        Some((&self.rows[inside.row], ix))
    }

    fn step(&mut self, step: Step, height: usize) {
        match &mut self.inside {
            Some(inside) => {
                inside.cursor.step(step, inside.view.len(), height);
                let space = &self.rows[inside.row];
                inside.at = inside
                    .view
                    .get(inside.cursor.at)
                    .map(|ix| space.items[*ix as usize].id.clone());
            }
            None => {
                self.cursor.step(step, self.view.len(), height);
                self.at = self.at_cursor().map(|row| row.key.clone());
            }
        }
    }

    fn put(&mut self, row: usize, height: usize) {
        match &mut self.inside {
            Some(inside) => inside.cursor.put(row, inside.view.len(), height),
            None => self.cursor.put(row, self.view.len(), height),
        }
        self.step(Step::By(0), height);
    }

    fn open(&mut self, height: usize) {
        if let Some(ix) = self.view.get(self.cursor.at) {
            self.inside = Some(Inside {
                row: *ix as usize,
                view: Vec::new(),
                cursor: Cursor::default(),
                at: None,
                sort: ItemSort::default(),
                last_mark: None,
            });
            self.settle_inside(height);
            self.step(Step::Top, height);
        }
    }

    fn set_marks(&mut self, row: usize, items: &[u32], on: bool) {
        let space = &self.rows[row];
        let ids = items.iter().map(|ix| space.items[*ix as usize].id.clone());
        if on {
            self.marks.entry(space.key.clone()).or_default().extend(ids);
        } else if let Some(marks) = self.marks.get_mut(&space.key) {
            for id in ids {
                marks.remove(&id);
            }
        }
        self.marks.retain(|_, marks| !marks.is_empty());
        self.recount();
    }

    fn recount(&mut self) {
        self.hidden = 0;
        if self.filter.applied.is_none() {
            return;
        }
        for (key, marks) in &self.marks {
            let Some(row) = self.by_key.get(key) else {
                continue;
            };
            let space = &self.rows[*row as usize];
            let shown = space
                .matched
                .iter()
                .flatten()
                .filter(|ix| marks.contains(&space.items[**ix as usize].id))
                .count();
            self.hidden += marks.len() - shown;
        }
    }

    fn toggle_mark(&mut self) {
        if let Some(inside) = &self.inside {
            let Some(ix) = inside.view.get(inside.cursor.at).copied() else {
                return;
            };
            let (row, space) = (inside.row, &self.rows[inside.row]);
            let id = space.items[ix as usize].id.clone();
            let on = !self
                .marks
                .get(&space.key)
                .is_some_and(|marks| marks.contains(&id));
            self.set_marks(row, &[ix], on);
            if let Some(inside) = &mut self.inside {
                inside.last_mark = Some(id);
            }
            return;
        }
        let Some(ix) = self.view.get(self.cursor.at).copied() else {
            return;
        };
        let space = &self.rows[ix as usize];
        let (key, items) = (space.key.clone(), space.shown());
        let marks = self.marks.get(&key);
        let all = items
            .iter()
            .all(|ix| marks.is_some_and(|marks| marks.contains(&space.items[*ix as usize].id)));
        self.set_marks(ix as usize, &items, !all);
        self.last_mark = Some(key);
    }

    /// What to say when the space under the cursor is marked before it is read to its end.
    fn marking_early(&self) -> Option<String> {
        let space = self.at_cursor().filter(|_| self.inside.is_none())?;
        (!space.is_settled()).then(|| {
            format!(
                "The trash of {} is not read to its end: what was read so far is marked.",
                space.key
            )
        })
    }

    fn mark_range(&mut self) {
        if let Some(inside) = &self.inside {
            let space = &self.rows[inside.row];
            let from = inside
                .last_mark
                .as_ref()
                .and_then(|id| {
                    inside
                        .view
                        .iter()
                        .position(|ix| space.items[*ix as usize].id == *id)
                })
                .unwrap_or(inside.cursor.at);
            let (from, to) = (from.min(inside.cursor.at), from.max(inside.cursor.at));
            let items = inside.view.get(from..=to).unwrap_or(&[]).to_vec();
            self.set_marks(inside.row, &items, true);
            return;
        }
        let from = self
            .last_mark
            .as_ref()
            .and_then(|key| self.by_key.get(key))
            .and_then(|ix| self.view.iter().position(|at| at == ix))
            .unwrap_or(self.cursor.at);
        let (from, to) = (from.min(self.cursor.at), from.max(self.cursor.at));
        let rows = self.view.get(from..=to).unwrap_or(&[]).to_vec();
        self.mark_rows(&rows);
    }

    fn mark_all(&mut self) {
        match &self.inside {
            Some(inside) => {
                let (row, items) = (inside.row, inside.view.clone());
                self.set_marks(row, &items, true);
            }
            None => {
                let rows = self.view.clone();
                self.mark_rows(&rows);
            }
        }
    }

    fn mark_rows(&mut self, rows: &[u32]) {
        for row in rows {
            let items = self.rows[*row as usize].shown();
            self.set_marks(*row as usize, &items, true);
        }
    }

    fn clear_marks(&mut self) {
        self.marks.clear();
        self.hidden = 0;
    }

    /// What an act is about: the marked items; without marks, what is under the cursor.
    pub fn acted_on(&self) -> (Vec<SpaceTarget>, Vec<ItemTarget>) {
        let mut spaces = Vec::new();
        let mut items = Vec::new();
        let mut take = |space: &SpaceTrash, wanted: &dyn Fn(u32) -> bool| {
            let before = items.len();
            for ix in 0..u32::try_from(space.items.len()).unwrap_or(u32::MAX) {
                if wanted(ix) {
                    let item = &space.items[ix as usize];
                    items.push(ItemTarget {
                        id: item.id.clone(),
                        kind: item.kind.clone(),
                        title: space.title(ix).to_owned(),
                        version: item.version,
                        space: Some(space.key.clone()),
                    });
                }
            }
            if items.len() > before {
                spaces.push(SpaceTarget {
                    key: space.key.clone(),
                    name: space.name.clone(),
                });
            }
        };
        if !self.marks.is_empty() {
            for (key, marks) in &self.marks {
                if let Some(row) = self.by_key.get(key) {
                    let space = &self.rows[*row as usize];
                    take(space, &|ix| marks.contains(&space.items[ix as usize].id));
                }
            }
        } else if let Some((space, at)) = self.item_at_cursor() {
            take(space, &|ix| ix == at);
        } else if self.inside.is_none()
            && let Some(space) = self.at_cursor()
        {
            let shown: HashSet<u32> = space.shown().into_iter().collect();
            take(space, &|ix| shown.contains(&ix));
        }
        (spaces, items)
    }

    /// The spaces meant, where all that is meant is all of their trash and that is long.
    fn whole_trashes(&self) -> Option<Vec<SpaceTarget>> {
        if self.marked() < LONG {
            return None;
        }
        let whole = |(key, marks): (&SpaceKey, &IdSet)| {
            let space = self.rows.get(*self.by_key.get(key)? as usize)?;
            let is_whole = space.read == Read::Complete
                && space.items.len() == marks.len()
                && space.items.iter().all(|item| marks.contains(&item.id));
            is_whole.then(|| SpaceTarget {
                key: space.key.clone(),
                name: space.name.clone(),
            })
        };
        self.marks.iter().map(whole).collect()
    }

    /// The filter text changed: look at everything anew, from here on row by row.
    fn refilter(&mut self) {
        if self.filter.applied.is_some() {
            self.filtering = Some(0);
        } else {
            self.filtering = None;
            for row in &mut self.rows {
                row.matched = None;
            }
            self.recount();
        }
    }

    /// Lets the filter look at some more items.
    fn filter_on(&mut self, judge: &Judge<'_>) {
        let Some(filter) = self.filter.applied.clone() else {
            self.filtering = None;
            return;
        };
        let Some(mut at) = self.filtering else { return };
        let mut looked = 0;
        while at < self.rows.len() && looked < AT_ONCE {
            looked += self.rows[at].items.len() + 1;
            let matched = matching(&filter, &self.rows[at], &self.names, judge);
            self.rows[at].matched = Some(matched);
            at += 1;
        }
        self.filtering = (at < self.rows.len()).then_some(at);
        if self.filtering.is_none() {
            self.recount();
        }
    }
}

/// What a filter needs to know beside the items.
struct Judge<'a> {
    zone: &'a TimeZone,
    now: Timestamp,
}

/// The items of a space that a filter lets through, best first. Words look at the titles, and
/// where they fit the key or name of the space, they fit all of its items.
fn matching(filter: &Filter, space: &SpaceTrash, names: &Names, judge: &Judge<'_>) -> Vec<u32> {
    let accepts = |ix: u32| {
        let item = &space.items[ix as usize];
        filter
            .terms()
            .iter()
            .all(|term| fits(term, space, item, names, judge))
    };
    let whole = {
        let index = Index::new([format!("{} {}", space.key, space.name).as_str()]);
        let mut scan = Scan::new(filter, &index);
        while scan.step(&index, usize::MAX) != Progress::Done {}
        !scan.matches().is_empty()
    };
    if whole {
        return (0..space.titles.len()).filter(|ix| accepts(*ix)).collect();
    }
    let mut scan = Scan::new(filter, &space.titles);
    while scan.step_where(&space.titles, usize::MAX, accepts) != Progress::Done {}
    scan.matches().to_vec()
}

/// Whether an item satisfies a term about a field. Other terms are not judged here.
fn fits(term: &Term, space: &SpaceTrash, item: &Item, names: &Names, judge: &Judge<'_>) -> bool {
    let field = |name: &str, value: &str| {
        let value = value.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&value);
        match name {
            "type" => type_name(&item.kind).starts_with(&value) || item.kind.as_str() == value,
            "by" => holds(names.text(item.by)),
            "under" => names.text(item.under).split('\n').any(holds),
            "space" => space.key.as_str().to_lowercase() == value || holds(&space.name),
            _ => true,
        }
    };
    let start = |date: &jiff::civil::Date| judge.zone.to_timestamp(date.at(0, 0, 0, 0)).ok();
    let days_ago = |days: u32| {
        judge
            .now
            .checked_sub(jiff::SignedDuration::from_hours(i64::from(days) * 24))
            .ok()
    };
    match term {
        Term::Word(_) | Term::Exact(_) | Term::Without(_) => true,
        Term::Is { field: name, value } => field(name, value),
        Term::IsNot { field: name, value } => !field(name, value),
        // What has no date is neither before nor after anything.
        Term::Before(date) => item
            .edited
            .is_some_and(|at| start(date).is_some_and(|day| at.0 < day)),
        Term::After(date) => item
            .edited
            .is_some_and(|at| start(date).is_some_and(|day| at.0 >= day)),
        Term::Older(days) => item
            .edited
            .is_some_and(|at| days_ago(*days).is_some_and(|then| at.0 < then)),
        Term::Newer(days) => item
            .edited
            .is_some_and(|at| days_ago(*days).is_none_or(|then| at.0 >= then)),
    }
}

/// A type in words.
pub fn type_name(kind: &ContentKind) -> &str {
    match kind {
        ContentKind::Page => "page",
        ContentKind::BlogPost => "blog post",
        ContentKind::Comment => "comment",
        ContentKind::Attachment => "attachment",
        ContentKind::Other(name) => name,
    }
}

impl Model {
    /// Opens the view: with what was read before, or from the beginning.
    pub(in crate::app) fn open_across(&mut self, out: &mut Vec<Effect>) {
        if self.preview.is_open {
            self.close_preview(out);
        }
        let scope = if self.spaces.marks.is_empty() {
            Scope::All
        } else {
            Scope::Marked(self.spaces.marks.clone())
        };
        match &mut self.across {
            Some(across) if across.scope == scope => across.going = Going::On,
            across => *across = Some(Box::new(Across::new(scope))),
        }
        self.screen = Screen::Across;
        self.across_spaces();
    }

    /// Takes in the spaces that are listed by now.
    fn across_spaces(&mut self) {
        let height = self.across_height();
        let Some(across) = &mut self.across else {
            return;
        };
        let before = across.rows.len();
        for space in self.spaces.table.iter() {
            let meant = match &across.scope {
                Scope::All => true,
                Scope::Marked(keys) => keys.contains(&space.key),
            };
            if meant {
                across.add_space(&space.key, &space.name);
            }
        }
        if across.rows.len() > before {
            across.settle(height);
            if across.at.is_none() {
                across.step(Step::Top, height);
            }
        }
    }

    /// How many rows the view shows.
    pub fn across_height(&self) -> usize {
        // Two borders and the heads of the columns.
        usize::from(self.across_areas().0.height.saturating_sub(3)).max(1)
    }

    /// Where the view is, and the preview below it, or over it where only one fits.
    pub fn across_areas(&self) -> (Rect, Rect) {
        let Size { width, height } = self.size;
        let whole = Rect {
            x: 0,
            y: height.min(1),
            width,
            height: height.saturating_sub(2),
        };
        if !self.preview.is_open || width < WIDE {
            return (whole, whole);
        }
        let table = (whole.height * 2 / 5).max(6).min(whole.height);
        let below = Rect {
            y: whole.y + table,
            height: whole.height - table,
            ..whole
        };
        (
            Rect {
                height: table,
                ..whole
            },
            below,
        )
    }

    /// What is under the cursor: a space, and an item where one is looked into.
    pub(in crate::app) fn across_subject(&self) -> Option<(&SpaceTrash, Option<u32>)> {
        let across = self.across.as_ref()?;
        if across.inside.is_some() {
            return across.item_at_cursor().map(|(space, ix)| (space, Some(ix)));
        }
        across.at_cursor().map(|space| (space, None))
    }

    /// Goes on with reading and filtering. Called after everything that happens.
    pub(in crate::app) fn drive_across(&mut self, out: &mut Vec<Effect>) {
        let Some(across) = &self.across else { return };
        if self.screen == Screen::Across
            && across.scope == Scope::All
            && across.rows.len() < self.spaces.table.len()
        {
            self.across_spaces();
        }
        self.ask_across(out);
        let (now, height) = (self.time(self.now), self.across_height());
        let zone = &self.zone;
        if let Some(across) = &mut self.across
            && across.is_filtering()
        {
            across.filter_on(&Judge { zone, now });
            across.settle(height);
        }
    }

    fn ask_across(&mut self, out: &mut Vec<Effect>) {
        if self.screen != Screen::Across || !self.session.open {
            return;
        }
        loop {
            let own = self
                .inflight
                .count(|w| matches!(w, Waiter::Across(_) | Waiter::AcrossList(..)));
            // The first answer tells whether there is a trash listing at all: it comes alone.
            if self.inflight.len() >= self.profile.concurrency.max(1)
                || (self.session.has_trash.is_none() && own > 0)
            {
                return;
            }
            let without = self.session.has_trash == Some(false);
            let Some(across) = &mut self.across else {
                return;
            };
            if across.going != Going::On {
                return;
            }
            let Some(row) = across.due.pop_front() else {
                return;
            };
            let space = &mut across.rows[row as usize];
            let key = space.key.clone();
            let begins = space.read == Read::Waiting && space.seen.ask();
            let seen_of = begins.then(|| key.clone());
            if space.read == Read::Waiting {
                space.by_list = without;
                space.read = if without {
                    by_kind(ContentKind::Page)
                } else {
                    Read::ByCursor(CursorPager::new())
                };
            }
            let expand = EXPAND.to_owned();
            match &mut space.read {
                Read::Waiting | Read::Complete | Read::Failed(_) => {}
                Read::ByCursor(pager) => {
                    if let Some(cursor) = pager.wanted() {
                        let call = Call::Trash {
                            key: key.clone(),
                            cursor,
                            expand,
                            limit: PAGE,
                        };
                        self.inflight.ask(Waiter::Across(key), call, self.now, out);
                    }
                }
                Read::ByKind { kind, pager } => {
                    if let Some(window) = pager.wanted(1).into_iter().next() {
                        let call = Call::TrashedContent {
                            key: key.clone(),
                            kind: kind.clone(),
                            expand,
                            window,
                        };
                        self.inflight
                            .ask(Waiter::AcrossList(key, window), call, self.now, out);
                    }
                }
            }
            if let Some(key) = seen_of {
                let name = file_name(&key);
                let call = DiskCall::ReadState { name };
                self.ask_disk(DiskWaiter::FirstSeenAcross(key), call, out);
            }
        }
    }

    /// Takes a page of a trash by operation 12.
    pub(in crate::app) fn across_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<CursorPage<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let missing = outcome
            .as_ref()
            .is_err_and(|error| self.session.shows_no_trash(error));
        let Some(across) = &mut self.across else {
            return;
        };
        let Some(row) = across.by_key.get(key).copied() else {
            return;
        };
        let space = &mut across.rows[row as usize];
        if missing {
            // The space is in the list, so it is the operation that is not there.
            self.session.has_trash = Some(false);
            space.read = Read::Waiting;
            across.due.push_front(row);
            return;
        }
        let Read::ByCursor(pager) = &mut space.read else {
            return;
        };
        let result = outcome.and_then(|page| {
            let total = page.total;
            let accepted = pager.accept(page, |content| content.id.as_str())?;
            Ok((accepted.fresh, total, pager.is_done()))
        });
        if result.is_ok()
            || result
                .as_ref()
                .is_err_and(|error| error.kind == ErrorKind::Forbidden)
        {
            self.session.has_trash = Some(true);
        }
        self.across_grown(row, result, out);
    }

    /// Takes a page of a trash by `GET /content`.
    pub(in crate::app) fn across_list_came(
        &mut self,
        key: &SpaceKey,
        window: Window,
        outcome: Result<Page<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let Some(across) = &mut self.across else {
            return;
        };
        let Some(row) = across.by_key.get(key).copied() else {
            return;
        };
        let Read::ByKind { kind, pager } = &mut across.rows[row as usize].read else {
            return;
        };
        let result = outcome.map(|page| {
            let accepted = pager.accept(window, page, |content| content.id.as_str());
            let mut done = pager.is_done();
            if done && *kind == ContentKind::Page {
                *kind = ContentKind::BlogPost;
                *pager = Pager::new(PAGE);
                done = false;
            }
            (accepted.fresh, None, done)
        });
        self.across_grown(row, result, out);
    }

    fn across_grown(
        &mut self,
        row: u32,
        result: Result<(Vec<Content>, Option<u64>, bool), ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let height = self.across_height();
        let (now, at) = (self.time(self.now), self.now);
        let zone = &self.zone;
        let Some(across) = &mut self.across else {
            return;
        };
        let space = &mut across.rows[row as usize];
        match result {
            Err(error) => {
                let whole = match error.kind {
                    ErrorKind::Forbidden | ErrorKind::NotFound => None,
                    ErrorKind::Unauthorized | ErrorKind::CaptchaLock { .. } => Some(1),
                    _ => Some(FAILURES),
                };
                across.failures = if whole.is_some() {
                    across.failures + 1
                } else {
                    0
                };
                let halts = whole.is_some_and(|most| across.failures >= most);
                let message = error.message.clone();
                space.read = Read::Failed(error);
                if halts {
                    let why = format!("Stopped: {message} r reads on.");
                    across.going = Going::Halted(why.clone());
                    self.stop_across_requests(out);
                    self.say(LogLevel::Error, why);
                }
            }
            Ok((items, total, done)) => {
                across.failures = 0;
                if space.old {
                    space.clear();
                }
                for item in items {
                    space.add(item, &mut across.names);
                }
                space.total = total.or(space.total);
                if done {
                    space.read = Read::Complete;
                    space.total = None;
                    let there: HashSet<&ContentId> =
                        space.items.iter().map(|item| &item.id).collect();
                    if let Some(marks) = across.marks.get_mut(&space.key) {
                        marks.retain(|id| there.contains(id));
                    }
                    across.marks.retain(|_, marks| !marks.is_empty());
                } else {
                    across.due.push_front(row);
                }
                if let Some(filter) = &across.filter.applied {
                    let matched = matching(
                        filter,
                        &across.rows[row as usize],
                        &across.names,
                        &Judge { zone, now },
                    );
                    across.rows[row as usize].matched = Some(matched);
                    across.recount();
                }
                if across.kept() >= MOST && across.settled() < across.rows.len() {
                    let why = format!(
                        "Stopped at {} items, as more would fill this machine's memory. Mark fewer spaces and open this again.",
                        crate::text::number::grouped(MOST as u64)
                    );
                    across.going = Going::Halted(why.clone());
                    self.stop_across_requests(out);
                    self.say(LogLevel::Warning, why);
                }
            }
        }
        self.note_seen_across(row, out);
        if let Some(across) = &mut self.across {
            if across.settled() == across.rows.len() {
                across.as_of = Some(at);
            }
            across.settle(height);
        }
    }

    /// Takes the file of first sights of a space.
    pub(in crate::app) fn across_seen_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        let Some(across) = &mut self.across else {
            return;
        };
        let Some(row) = across.by_key.get(key).copied() else {
            return;
        };
        let seen = &mut across.rows[row as usize].seen;
        match &outcome {
            Ok(DiskReply::Text(text)) => seen.answered(text.as_deref()),
            Ok(_) | Err(_) => seen.unreadable(),
        }
        self.note_seen_across(row, out);
    }

    /// Notes when items were seen first, and writes what is new.
    fn note_seen_across(&mut self, row: u32, out: &mut Vec<Effect>) {
        let today = self.today();
        let Some(across) = &mut self.across else {
            return;
        };
        let space = &mut across.rows[row as usize];
        let Some(text) = space.note_seen(today) else {
            return;
        };
        let key = space.key.clone();
        if let Some(trees) = self.content.trees_of(&key) {
            trees.first_seen.forget();
        }
        let name = file_name(&key);
        let call = DiskCall::WriteState { name, text };
        self.ask_disk(DiskWaiter::Kept, call, out);
    }

    /// Gives up what is under way; it is asked for again when reading goes on.
    fn stop_across_requests(&mut self, out: &mut Vec<Effect>) {
        let Some(across) = &mut self.across else {
            return;
        };
        for (ix, space) in across.rows.iter_mut().enumerate() {
            let ix = u32::try_from(ix).unwrap_or(u32::MAX);
            match &mut space.read {
                Read::ByCursor(pager) => pager.rewind(),
                Read::ByKind { pager, .. } => pager.rewind(),
                Read::Waiting | Read::Complete | Read::Failed(_) => continue,
            }
            if !across.due.contains(&ix) {
                across.due.push_front(ix);
            }
        }
        self.inflight.cancel(out, |w| {
            matches!(w, Waiter::Across(_) | Waiter::AcrossList(..))
        });
    }

    /// Stops reading. Says whether there was anything to stop.
    pub(in crate::app) fn stop_across(&mut self, out: &mut Vec<Effect>) -> bool {
        let Some(across) = &mut self.across else {
            return false;
        };
        if !across.is_reading() {
            return false;
        }
        across.going = Going::Stopped;
        self.stop_across_requests(out);
        true
    }

    /// Reads on where it was stopped, else everything again; what is shown stays until then.
    fn reread_across(&mut self) {
        let Some(across) = &mut self.across else {
            return;
        };
        let unread = across.settled() < across.rows.len();
        if across.going != Going::On && unread {
            across.going = Going::On;
            for (ix, space) in across.rows.iter_mut().enumerate() {
                let refused = matches!(&space.read, Read::Failed(error) if error.kind == ErrorKind::Forbidden);
                if matches!(space.read, Read::Failed(_)) && !refused {
                    space.read = Read::Waiting;
                    across.due.push_back(u32::try_from(ix).unwrap_or(u32::MAX));
                }
            }
        } else if !unread {
            across.going = Going::On;
            across.due.clear();
            for (ix, space) in across.rows.iter_mut().enumerate() {
                space.read = Read::Waiting;
                space.total = None;
                space.old = true;
                across.due.push_back(u32::try_from(ix).unwrap_or(u32::MAX));
            }
        }
        across.failures = 0;
    }

    /// Takes items out of the view that are not in the trash any more.
    pub(in crate::app) fn across_gone(&mut self, ids: &HashSet<ContentId>) {
        let height = self.across_height();
        let Some(across) = &mut self.across else {
            return;
        };
        for space in &mut across.rows {
            space.take_out(ids);
        }
        for marks in across.marks.values_mut() {
            marks.retain(|id| !ids.contains(id));
        }
        across.marks.retain(|_, marks| !marks.is_empty());
        across.refilter();
        if across.filter.applied.is_none() {
            across.settle(height);
        }
    }

    /// Opens the dialog for an act on the marked items, or on what is under the cursor.
    pub(in crate::app) fn on_items_across(&mut self, act: Act, out: &mut Vec<Effect>) {
        let mut target = self.target(act);
        let Some(across) = &self.across else { return };
        if act == Act::BackUp
            && let Some(spaces) = across.whole_trashes()
        {
            target.spaces = spaces;
            let dialog = Confirm::new(target, self.time(self.now));
            self.confirm(dialog, out);
            return;
        }
        (target.spaces, target.items) = across.acted_on();
        if target.items.is_empty() {
            let text = match (across.inside.is_some(), across.at_cursor()) {
                (false, Some(space)) if !space.is_settled() => {
                    "The trash of this space is not read yet."
                }
                _ => "There is nothing in the trash here. Space marks spaces and items.",
            };
            self.say(LogLevel::Info, text);
            return;
        }
        let unread: Vec<String> = target
            .spaces
            .iter()
            .filter_map(|space| across.rows.get(*across.by_key.get(&space.key)? as usize))
            .filter(|space| space.read != Read::Complete)
            .map(|space| {
                format!(
                    "{}: not read to its end; what was not read is not meant.",
                    space.key
                )
            })
            .collect();
        let hidden = across.hidden_marks();
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.hidden = hidden;
        dialog.skipped = unread;
        self.confirm(dialog, out);
    }

    /// Closes the view; what was read is kept.
    fn close_across(&mut self, out: &mut Vec<Effect>) {
        self.stop_across(out);
        if self.preview.is_open {
            self.close_preview(out);
        }
        self.screen = Screen::Panes;
    }

    /// Does what a verb means in the view. Says whether it meant anything.
    pub(in crate::app) fn across_verb(&mut self, action: Action, out: &mut Vec<Effect>) -> bool {
        let height = self.across_height();
        let Some(across) = &mut self.across else {
            return false;
        };
        let step = match action {
            Action::Up => Some(Step::Up),
            Action::Down => Some(Step::Down),
            Action::Top => Some(Step::Top),
            Action::Bottom => Some(Step::Bottom),
            Action::PageUp => Some(Step::PageUp),
            Action::PageDown => Some(Step::PageDown),
            Action::HalfUp => Some(Step::HalfUp),
            Action::HalfDown => Some(Step::HalfDown),
            _ => None,
        };
        if let Some(step) = step {
            across.step(step, height);
            return true;
        }
        match action {
            Action::Open | Action::Expand if across.inside.is_some() => {}
            Action::Open | Action::Expand => {
                let failed = across
                    .view
                    .get(across.cursor.at)
                    .copied()
                    .filter(|ix| matches!(across.rows[*ix as usize].read, Read::Failed(_)));
                match failed {
                    Some(ix) => {
                        across.rows[ix as usize].read = Read::Waiting;
                        across.due.push_front(ix);
                        across.going = Going::On;
                        across.failures = 0;
                    }
                    None => across.open(height),
                }
            }
            Action::Collapse => across.inside = None,
            Action::Filter => across.filter.open(),
            Action::Mark => {
                let note = across.marking_early();
                across.toggle_mark();
                across.step(Step::Down, height);
                if let Some(note) = note {
                    self.say(LogLevel::Info, note);
                }
            }
            Action::MarkRange | Action::MarkAll => {
                let early = across.inside.is_none() && across.settled() < across.rows.len();
                match action {
                    Action::MarkRange => across.mark_range(),
                    _ => across.mark_all(),
                }
                if early {
                    self.say(
                        LogLevel::Info,
                        "Not everything is read yet: what was read so far is marked.",
                    );
                }
            }
            Action::ClearMarks => {
                if across.marks.is_empty() {
                    self.say(LogLevel::Info, "Nothing is marked.");
                } else {
                    across.clear_marks();
                }
            }
            Action::Sort => {
                let menu = across.sort_menu();
                self.modals.push(Modal::Menu(menu));
            }
            Action::Refresh => self.reread_across(),
            Action::Cancel => {
                if across.filter.is_shown() {
                    across.filter.clear();
                    across.refilter();
                    across.settle(height);
                } else if across.inside.is_some() {
                    across.inside = None;
                } else if !self.stop_across(out) {
                    self.close_across(out);
                }
            }
            Action::Back => {
                if across.inside.is_some() {
                    across.inside = None;
                } else {
                    self.close_across(out);
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether the view's filter line has the keys.
    pub fn across_typing(&self) -> bool {
        self.screen == Screen::Across
            && self
                .across
                .as_ref()
                .is_some_and(|across| across.filter.typing)
    }

    /// Takes a key in the filter line.
    pub(in crate::app) fn across_filter_key(&mut self, chord: Chord) {
        let height = self.across_height();
        let Some(across) = &mut self.across else {
            return;
        };
        match chord.key {
            Key::Esc => {
                across.filter.clear();
                across.refilter();
                across.settle(height);
            }
            Key::Enter | Key::Tab => {
                across.filter.keep();
                across.step(Step::By(0), height);
            }
            Key::Up => across.step(Step::Up, height),
            Key::Down => across.step(Step::Down, height),
            Key::PageUp => across.step(Step::PageUp, height),
            Key::PageDown => across.step(Step::PageDown, height),
            _ => {
                let before = across.filter.text();
                if let Some(field) = &mut across.filter.field {
                    field.key(chord);
                }
                if across.filter.text() != before {
                    self.across_filter_typed();
                }
            }
        }
    }

    /// Takes pasted text in the filter line.
    pub(in crate::app) fn across_filter_paste(&mut self, text: &str) {
        if let Some(across) = &mut self.across
            && let Some(field) = &mut across.filter.field
        {
            field.insert(text);
        }
        self.across_filter_typed();
    }

    fn across_filter_typed(&mut self) {
        let height = self.across_height();
        let Some(across) = &mut self.across else {
            return;
        };
        across.filter.parse(&FIELDS);
        across.refilter();
        across.cursor = Cursor::default();
        across.settle(height);
    }

    /// The wheel and the button over the view.
    pub(in crate::app) fn across_wheel(&mut self, rows: i64) {
        let height = self.across_height();
        if let Some(across) = &mut self.across {
            across.step(Step::By(rows), height);
        }
    }

    /// A click into the view, at a line of the screen.
    pub(in crate::app) fn across_click(&mut self, y: u16) {
        let height = self.across_height();
        // Header, border and the heads of the columns are above the first row.
        let Some(line) = y.checked_sub(3).map(usize::from).filter(|l| *l < height) else {
            return;
        };
        if self.layout() == Layout::TooSmall {
            return;
        }
        if let Some(across) = &mut self.across {
            let (top, len) = match &across.inside {
                Some(inside) => (inside.cursor.top, inside.view.len()),
                None => (across.cursor.top, across.view.len()),
            };
            if top + line < len {
                across.put(top + line, height);
            }
        }
    }

    /// Orders the spaces of the view.
    pub(in crate::app) fn sort_across(&mut self, sort: Sort) {
        let height = self.across_height();
        if let Some(across) = &mut self.across {
            across.sort = sort;
            across.settle(height);
        }
    }

    /// Orders the items of the space that is looked into.
    pub(in crate::app) fn sort_across_items(&mut self, sort: ItemSort) {
        let height = self.across_height();
        if let Some(across) = &mut self.across {
            if let Some(inside) = &mut across.inside {
                inside.sort = sort;
            }
            across.settle_inside(height);
        }
    }

    /// Puts the cursors back into the window, after the size changed.
    pub(in crate::app) fn resettle_across(&mut self) {
        let height = self.across_height();
        if let Some(across) = &mut self.across {
            across.settle(height);
        }
    }
}

impl Across {
    fn sort_menu(&self) -> Menu {
        let entry = |ix: usize, label: &str, choice| Entry {
            letter: char::from_digit(u32::try_from(ix).unwrap_or(0) + 1, 10).unwrap_or('0'),
            label: label.to_owned(),
            note: String::new(),
            choice,
        };
        let (entries, chosen) = match &self.inside {
            Some(inside) => (
                ItemSort::ALL
                    .iter()
                    .enumerate()
                    .map(|(ix, (sort, label))| entry(ix, label, Choice::SortAcrossItems(*sort)))
                    .collect(),
                ItemSort::ALL
                    .iter()
                    .position(|(sort, _)| *sort == inside.sort),
            ),
            None => (
                Sort::ALL
                    .iter()
                    .enumerate()
                    .map(|(ix, (sort, label))| entry(ix, label, Choice::SortAcross(*sort)))
                    .collect(),
                Sort::ALL.iter().position(|(sort, _)| *sort == self.sort),
            ),
        };
        Menu {
            title: "Sort by".to_owned(),
            entries,
            chosen: chosen.unwrap_or(0),
        }
    }
}

fn by_kind(kind: ContentKind) -> Read {
    Read::ByKind {
        kind,
        pager: Pager::new(PAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_as_small_as_the_module_says() {
        assert!(std::mem::size_of::<Item>() <= 96);
    }
}
