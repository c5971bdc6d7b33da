//! The trash of many spaces at once: read space by space as answers come, filtered, marked.
//!
//! Every space is asked once, page by page to its end, and never more requests are under way than
//! the profile allows. Of an item no more is kept than a decision needs: about 200 bytes
//! (a record of at most 96, its id, and its title twice, as written and in lower case). What was
//! read stays when the view is closed; nothing here changes anything on a server. What takes long
//! with many items, filtering and sorting, is done in slices: see [`Across::work`].

mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::civil::Date;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::action::{Action, Context};
use super::acts::LONG;
use super::disk::DiskWaiter;
use super::fields::Test;
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
use super::notice::Holds;
use super::pane::filter::FilterLine;
use super::pane::first_seen::{FirstSeen, file_name};
use super::slices::Stage;
use super::sort::Sorter;
use super::spread::Spread;
use super::tree::{IdSet, ShortId, date_of, day_number};
use crate::confluence::call::Window;
use crate::confluence::paging::{CursorPager, Pager};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, CursorPage, ErrorKind, Moment, Page, SpaceKey,
};
use crate::jobs::{Act, ItemTarget, SpaceTarget};
use crate::text::index::Index;
use crate::text::width::width;
use work::Sieve;

/// What is asked for with each item.
const EXPAND: &str = "version,ancestors";

/// How many items are asked for at once: the cap of real servers for content with `expand`.
const PAGE: u64 = 200;

/// So many items are kept in all; reading stops there.
pub const MOST: usize = 1_000_000;

/// So many failures in a row stop the reading: then it is the line, not the space.
const FAILURES: u32 = 3;

/// Said where the filter is not through, and something is marked.
const STILL_FILTERING: &str = "The filter still looks: what it has found so far is marked.";

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
    /// The same in lower case, where that differs.
    folded: Vec<Option<Box<str>>>,
    by_text: HashMap<Box<str>, u32>,
    /// The columns that the longest name of an editor fills.
    editors_wide: u16,
}

impl Names {
    fn editor(&mut self, name: &str) -> u32 {
        let wide = u16::try_from(width(name)).unwrap_or(u16::MAX);
        self.editors_wide = self.editors_wide.max(wide);
        self.number(name)
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(text.into());
        let folded = text.to_lowercase();
        self.folded.push((folded != text).then(|| folded.into()));
        self.by_text.insert(text.into(), number);
        number
    }

    fn folded(&self, number: u32) -> &str {
        match self.folded.get(number as usize) {
            Some(Some(folded)) => folded,
            Some(None) | None => self.text(number),
        }
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
    /// Its key in lower case.
    folded: Box<str>,
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
    /// Days from 1970 to the first sight of any of its items; 0 for not known.
    seen_from: u16,
    /// When its items were seen for the first time, while it is read.
    seen: FirstSeen,
    /// Of how many items that was looked up.
    noted: usize,
    /// The items are those of the read before.
    old: bool,
    /// Whether its list repeated rows, or told fewer than it says: others may be left out.
    is_uncertain: bool,
    /// What the filter lets through.
    #[serde(skip)]
    sieve: Sieve,
}

impl SpaceTrash {
    fn new(key: SpaceKey, name: String) -> Self {
        Self {
            folded: key.as_str().to_lowercase().into(),
            key,
            name,
            items: Vec::new(),
            titles: Index::default(),
            read: Read::Waiting,
            by_list: false,
            total: None,
            oldest: None,
            newest: None,
            seen_from: 0,
            seen: FirstSeen::default(),
            noted: 0,
            old: false,
            is_uncertain: false,
            sieve: Sieve::default(),
        }
    }

    /// The title of an item.
    pub fn title(&self, item: u32) -> &str {
        self.titles.row(item)
    }

    /// On which day we saw the first of its items in the trash.
    pub fn first_seen(&self) -> Option<Date> {
        date_of(self.seen_from)
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
        self.seen_from = 0;
        self.old = false;
        self.forget_found();
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
            by: names.editor(by.as_ref().map_or("", |by| by.display_name.as_str())),
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
            if self.seen_from == 0 || item.seen < self.seen_from {
                self.seen_from = item.seen;
            }
        }
        self.noted = self.items.len();
        if !self.is_settled() {
            return None;
        }
        let all = self.items.iter();
        let all = all.filter_map(|item| Some((item.number()?, item.first_seen()?)));
        self.seen.finish(all, self.read == Read::Complete)
    }

    /// Takes items out that are not in the trash any more. Says which number each of the items has
    /// now, where any went.
    fn take_out(&mut self, gone: &HashSet<ContentId>) -> Option<Vec<Option<u32>>> {
        if !self.items.iter().any(|item| gone.contains(&item.id)) {
            return None;
        }
        let titles = std::mem::take(&mut self.titles);
        let items = std::mem::take(&mut self.items);
        (self.oldest, self.newest) = (None, None);
        self.seen_from = 0;
        let mut numbers = Vec::with_capacity(items.len());
        for (ix, item) in (0..).zip(items) {
            if gone.contains(&item.id) {
                numbers.push(None);
                continue;
            }
            if let Some(at) = item.edited {
                self.oldest = Some(self.oldest.map_or(at, |old| old.min(at)));
                self.newest = Some(self.newest.map_or(at, |new| new.max(at)));
            }
            if item.seen > 0 && (self.seen_from == 0 || item.seen < self.seen_from) {
                self.seen_from = item.seen;
            }
            numbers.push(Some(self.titles.len()));
            self.titles.push(titles.row(ix));
            self.items.push(item);
        }
        self.noted = self.items.len();
        if self.total.is_some() {
            self.total = Some(self.items.len() as u64);
        }
        self.forget_found();
        Some(numbers)
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
    /// The number that the item under the cursor had when it came there.
    near: u32,
    /// Whether the cursor goes to the first item when those that a filter finds come.
    seeks_first: bool,
    /// What was under the cursor when the filter was opened.
    before: Option<ContentId>,
    /// The view is not what it is to be.
    is_stale: bool,
    /// A person waits for it.
    is_urgent: bool,
    /// When the view was made.
    built: Millis,
    /// The next view, while it is put in order.
    #[serde(skip)]
    sorting: Option<Sorter<u32>>,
}

impl Inside {
    fn new(row: usize) -> Self {
        Self {
            row,
            view: Vec::new(),
            cursor: Cursor::default(),
            at: None,
            sort: ItemSort::default(),
            last_mark: None,
            near: 0,
            seeks_first: false,
            before: None,
            is_stale: true,
            is_urgent: true,
            built: Millis(0),
            sorting: None,
        }
    }

    fn note_cursor(&mut self, space: &SpaceTrash) {
        let number = self.view.get(self.cursor.at).copied();
        let item = number.and_then(|ix| space.items.get(ix as usize));
        self.at = item.map(|item| item.id.clone());
        self.near = number.unwrap_or(0);
    }

    /// Whether the view is being put in order.
    pub fn is_sorting(&self) -> bool {
        self.sorting.is_some()
    }
}

/// The trash of many spaces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Across {
    /// Whose.
    pub scope: Scope,
    /// The spaces in the order in which they were listed.
    pub rows: Vec<SpaceTrash>,
    by_key: HashMap<SpaceKey, u32>,
    /// How wide the keys of the spaces are.
    pub key_widths: Spread,
    /// How wide their names are.
    pub name_widths: Spread,
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
    /// What the filter asks of fields.
    #[serde(skip)]
    tests: Vec<Test>,
    /// How far the filter is: what it does, and the next row; `None` when it is through.
    #[serde(skip)]
    looking: Option<(Stage, usize)>,
    /// Somebody waits for the filter's first result.
    is_new: bool,
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
            key_widths: Spread::default(),
            name_widths: Spread::default(),
            names: Names::default(),
            due: VecDeque::new(),
            going: Going::On,
            failures: 0,
            sort: Sort::default(),
            filter: FilterLine::default(),
            tests: Vec::new(),
            looking: None,
            is_new: false,
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
        self.key_widths.add(key.as_str());
        self.name_widths.add(name);
        self.rows
            .push(SpaceTrash::new(key.clone(), name.to_owned()));
        self.due.push_back(row);
        self.look_from(row as usize);
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
        self.looking.is_some()
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

    /// The columns that the longest name of an editor fills.
    pub fn editors_wide(&self) -> u16 {
        self.names.editors_wide
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
        // Before the filter has looked at all of them, none that is shown goes.
        let kept: HashSet<u32> = match self.looking {
            Some((Stage::Plain, _)) => self.view.iter().copied().collect(),
            Some(_) | None => HashSet::new(),
        };
        let mut view: Vec<u32> = (0..u32::try_from(rows.len()).unwrap_or(u32::MAX))
            .filter(|ix| !filtered || rows[*ix as usize].shown_len() > 0 || kept.contains(ix))
            .collect();
        let row = |ix: &u32| &rows[*ix as usize];
        match self.sort {
            Sort::Key => view.sort_by(|a, b| row(a).folded.cmp(&row(b).folded)),
            Sort::Items => view.sort_by_cached_key(|ix| {
                let count = if filtered {
                    row(ix).shown_len() as u64
                } else {
                    row(ix).count().0
                };
                (std::cmp::Reverse(count), &row(ix).folded)
            }),
            Sort::Oldest => view.sort_by_key(|ix| {
                let row = row(ix);
                (row.oldest.is_none(), row.oldest, &row.folded)
            }),
            Sort::Newest => {
                view.sort_by_key(|ix| (std::cmp::Reverse(row(ix).newest), &row(ix).folded));
            }
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
        if let Some(inside) = &mut self.inside {
            inside.cursor.keep_in_view(inside.view.len(), height);
        }
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
                inside.seeks_first &= step == Step::By(0);
                inside.note_cursor(&self.rows[inside.row]);
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

    fn open(&mut self, now: Millis, height: usize) {
        if let Some(ix) = self.view.get(self.cursor.at) {
            self.inside = Some(Inside::new(*ix as usize));
            self.work(now, height);
            self.step(Step::Top, height);
        }
    }

    fn set_marks(&mut self, row: usize, items: &[u32], on: bool) {
        let space = &mut self.rows[row];
        let ids = items.iter().map(|ix| &space.items[*ix as usize].id);
        let marks = self.marks.entry(space.key.clone()).or_default();
        if on {
            marks.insert_all(ids);
        } else {
            for id in ids {
                marks.remove(id);
            }
        }
        if let [item] = items {
            space.note_mark(*item, on);
        } else {
            space.count_marked(Some(&*marks));
        }
        if marks.is_empty() {
            self.marks.remove(&space.key);
        }
    }

    /// Counts the marked items that the filter hides.
    fn recount(&mut self) {
        let hidden = |(key, marks): (&SpaceKey, &IdSet)| {
            let row = self.by_key.get(key)?;
            Some(self.rows[*row as usize].hidden(marks.len()))
        };
        self.hidden = self.marks.iter().filter_map(hidden).sum();
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
            self.recount();
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
        self.recount();
        self.last_mark = Some(key);
    }

    /// What to say when the space under the cursor is marked before it is read to its end.
    fn marking_early(&self) -> Option<String> {
        let space = self.at_cursor().filter(|_| self.inside.is_none())?;
        if self.is_filtering() {
            return Some(STILL_FILTERING.to_owned());
        }
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
            self.recount();
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
                let row = inside.row;
                // The rows may still be those from before the filter.
                let items = if inside.is_stale || inside.is_sorting() {
                    self.rows[row].shown()
                } else {
                    inside.view.clone()
                };
                self.set_marks(row, &items, true);
                self.recount();
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
        self.recount();
    }

    fn clear_marks(&mut self) {
        self.marks.clear();
        self.hidden = 0;
        for row in &mut self.rows {
            row.count_marked(None);
        }
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
        let (now, height) = (self.now, self.across_height());
        if self.screen == Screen::Across
            && let Some(across) = &mut self.across
        {
            across.work(now, height);
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
            space.is_uncertain |= !pager.is_certain();
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
        let space = &mut across.rows[row as usize];
        let Read::ByKind { kind, pager } = &mut space.read else {
            return;
        };
        let result = outcome.map(|page| {
            let accepted = pager.accept(window, page, |content| content.id.as_str());
            space.is_uncertain |= !pager.is_certain();
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
        let (height, at) = (self.across_height(), self.now);
        let Some(across) = &mut self.across else {
            return;
        };
        let space = &mut across.rows[row as usize];
        self.session.lists_lie |= space.is_uncertain;
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
                    let reads_on = self.keymap.spell(Context::IN_ACROSS, "‹refresh› reads on.");
                    let why = format!("Stopped: {message} {reads_on}");
                    across.going = Going::Halted(why.clone());
                    self.stop_across_requests(out);
                    self.say_while(Holds::WhileHalted, LogLevel::Error, why);
                }
            }
            Ok((items, total, done)) => {
                across.failures = 0;
                if space.old {
                    space.clear();
                    if let Some(inside) = &mut across.inside
                        && inside.row == row as usize
                    {
                        inside.view.clear();
                        inside.sorting = None;
                        inside.is_urgent = true;
                    }
                }
                for item in items {
                    space.add(item, &mut across.names);
                }
                space.total = total.or(space.total);
                if done {
                    space.read = Read::Complete;
                    space.total = None;
                    if let Some(marks) = across.marks.remove(&space.key) {
                        let ids = space.items.iter().map(|item| &item.id);
                        let mut there = IdSet::default();
                        there.insert_all(ids.filter(|id| marks.contains(id)));
                        if !there.is_empty() {
                            across.marks.insert(space.key.clone(), there);
                        }
                    }
                } else {
                    across.due.push_front(row);
                }
                across.look_from(row as usize);
                across.recount();
                if across
                    .inside
                    .as_ref()
                    .is_some_and(|inside| inside.row == row as usize)
                {
                    across.inside_changed(false);
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
        self.inflight.expansions.ask_anew();
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
                space.is_uncertain = false;
                across.due.push_back(u32::try_from(ix).unwrap_or(u32::MAX));
            }
        }
        across.failures = 0;
    }

    /// Takes items out of the view that are not in the trash of these spaces any more.
    pub(in crate::app) fn across_gone(&mut self, spaces: &[SpaceKey], ids: &HashSet<ContentId>) {
        let height = self.across_height();
        if let Some(across) = &mut self.across {
            across.take_out(spaces, ids, height);
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
        if across.is_filtering() && across.marks.is_empty() {
            self.say(
                LogLevel::Info,
                "The filter still looks. Once it is through, this is about what it shows.",
            );
            return;
        }
        (target.spaces, target.items) = across.acted_on();
        if target.items.is_empty() {
            let text = match (across.inside.is_some(), across.at_cursor()) {
                (false, Some(space)) if !space.is_settled() => {
                    "The trash of this space is not read yet."
                }
                _ => "There is nothing in the trash here. ‹mark› marks spaces and items.",
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
        let (height, now) = (self.across_height(), self.now);
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
            Action::Open if across.inside.is_some() => return false,
            Action::Expand if across.inside.is_some() => {}
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
                    None => across.open(now, height),
                }
            }
            Action::Collapse => across.inside = None,
            Action::Filter => self.open_across_filter(),
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
                let filtering = across.is_filtering();
                match action {
                    Action::MarkRange => across.mark_range(),
                    _ => across.mark_all(),
                }
                if filtering {
                    self.say(LogLevel::Info, STILL_FILTERING);
                } else if early {
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
                    self.clear_across_filter();
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
            Key::Esc => self.clear_across_filter(),
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
        let now = self.time(self.now);
        let Some(across) = &mut self.across else {
            return;
        };
        let before = across.filter.applied.clone();
        across.filter.parse(&FIELDS);
        if across.filter.applied == before {
            return;
        }
        across.refilter(now, &self.zone);
        across.cursor = Cursor::default();
        let is_on = across.filter.applied.is_some();
        if let Some(inside) = &mut across.inside {
            inside.seeks_first = is_on;
        }
        self.resettle_across();
    }

    /// Opens the filter line. It opens empty, and so does what it shows.
    fn open_across_filter(&mut self) {
        let now = self.time(self.now);
        if let Some(across) = &mut self.across {
            if across.filter.applied.is_none()
                && let Some(inside) = &mut across.inside
            {
                inside.before.clone_from(&inside.at);
            }
            across.filter.open();
            across.refilter(now, &self.zone);
        }
        self.resettle_across();
    }

    /// Clears the filter. The cursor stays where it is, or goes back to where it was before if
    /// nothing matched.
    fn clear_across_filter(&mut self) {
        let now = self.time(self.now);
        if let Some(across) = &mut self.across {
            across.filter.clear();
            if let Some(inside) = &mut across.inside {
                inside.seeks_first = false;
                let before = inside.before.take();
                if across.rows[inside.row].shown_len() == 0 && before.is_some() {
                    inside.at = before;
                }
            }
            across.refilter(now, &self.zone);
        }
        self.resettle_across();
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
        if let Some(across) = &mut self.across
            && let Some(inside) = &mut across.inside
            && inside.sort != sort
        {
            inside.sort = sort;
            across.inside_changed(true);
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
    /// Whether the list of the space that is looked into, or of any, may have left rows out.
    pub fn is_uncertain(&self) -> bool {
        match &self.inside {
            Some(within) => self.rows[within.row].is_uncertain,
            None => self.rows.iter().any(|space| space.is_uncertain),
        }
    }

    /// Takes items out that are not in the trash of these spaces any more. The rows keep their
    /// order, and the cursor the item that it is on.
    fn take_out(&mut self, spaces: &[SpaceKey], ids: &HashSet<ContentId>, height: usize) {
        for key in spaces {
            let Some(row) = self.by_key.get(key).map(|row| *row as usize) else {
                continue;
            };
            let Some(numbers) = self.rows[row].take_out(ids) else {
                continue;
            };
            if let Some(marks) = self.marks.get_mut(key) {
                marks.retain(|id| !ids.contains(id));
                if marks.is_empty() {
                    self.marks.remove(key);
                }
            }
            self.look_from(row);
            if let Some(inside) = &mut self.inside
                && inside.row == row
            {
                let now = |ix: u32| numbers.get(ix as usize).copied().flatten();
                inside.view = inside.view.iter().filter_map(|ix| now(*ix)).collect();
                self.inside_changed(true);
                self.place_inside(height);
            }
        }
        self.recount();
        self.settle(height);
    }

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
    use crate::confluence::ServerText;

    /// Somebody looks into the trash of ENG, ordered by title, with the cursor on the third row.
    fn looking_into(titles: &[&str]) -> Across {
        let mut across = Across::new(Scope::All);
        let key = SpaceKey::new("ENG");
        across.add_space(&key, "Engineering");
        for (id, title) in (100..).zip(titles) {
            let content = Content {
                id: ContentId::new(id.to_string()),
                kind: ContentKind::Page,
                status: None,
                title: ServerText::new((*title).to_owned()),
                has_children: None,
                space: None,
                version: None,
                ancestors: None,
                position: None,
                more: None,
            };
            across.rows[0].add(content, &mut across.names);
        }
        across.settle(10);
        across.open(Millis(0), 10);
        if let Some(inside) = &mut across.inside {
            inside.sort = ItemSort::Title;
        }
        across.inside_changed(true);
        across.work(Millis(0), 10);
        across.put(2, 10);
        across
    }

    fn listed(across: &Across) -> Vec<&str> {
        let view = across.inside.as_ref().map(|inside| inside.view.clone());
        let view = view.unwrap_or_default();
        view.iter().map(|ix| across.rows[0].title(*ix)).collect()
    }

    #[test]
    fn what_is_purged_goes_at_once_and_the_rest_keeps_its_order_and_the_cursor() {
        let mut across = looking_into(&["d", "b", "e", "a", "c"]);
        assert_eq!(listed(&across), ["a", "b", "c", "d", "e"]);
        let cursor_on = |across: &Across| {
            let (space, item) = across.item_at_cursor()?;
            Some(space.title(item).to_owned())
        };
        assert_eq!(cursor_on(&across).as_deref(), Some("c"));
        across.set_marks(0, &[0, 1], true);
        let gone = ["101", "103"].map(ContentId::new).into();
        across.take_out(&[SpaceKey::new("ENG")], &gone, 10);
        assert_eq!(listed(&across), ["c", "d", "e"], "before any slice of work");
        assert_eq!(cursor_on(&across).as_deref(), Some("c"));
        assert_eq!(across.marked(), 1);
        across.work(Millis(1), 10);
        assert_eq!(listed(&across), ["c", "d", "e"]);
        assert_eq!(cursor_on(&across).as_deref(), Some("c"));
        assert_eq!(across.due(), None);
    }

    #[test]
    fn what_is_purged_is_found_no_more() {
        let mut across = looking_into(&["old d", "new b", "old e"]);
        across.filter.applied = crate::text::filter::Filter::parse("old", &FIELDS).ok();
        let zone = jiff::tz::TimeZone::UTC;
        across.refilter(jiff::Timestamp::UNIX_EPOCH, &zone);
        across.set_marks(0, &[1, 2], true);
        across.work(Millis(0), 10);
        assert_eq!(listed(&across), ["old d", "old e"]);
        assert_eq!(across.hidden_marks(), 1);
        let gone = ["100", "101"].map(ContentId::new).into();
        across.take_out(&[SpaceKey::new("ENG")], &gone, 10);
        across.work(Millis(0), 10);
        assert_eq!(listed(&across), ["old e"]);
        assert_eq!((across.marked(), across.hidden_marks()), (1, 0));
        // What was marked and hidden is neither from that moment on.
        across.set_marks(0, &[0], false);
        across.filter.applied = crate::text::filter::Filter::parse("new", &FIELDS).ok();
        across.refilter(jiff::Timestamp::UNIX_EPOCH, &zone);
        across.set_marks(0, &[0], true);
        across.work(Millis(0), 10);
        assert_eq!((across.marked(), across.hidden_marks()), (1, 1));
        let gone = [ContentId::new("102")].into();
        across.take_out(&[SpaceKey::new("ENG")], &gone, 10);
        assert_eq!((across.marked(), across.hidden_marks()), (0, 0));
    }

    #[test]
    fn an_item_is_as_small_as_the_module_says() {
        assert!(std::mem::size_of::<Item>() <= 96);
    }
}
