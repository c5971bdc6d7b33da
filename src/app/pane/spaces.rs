//! The list of spaces: loaded page by page, sorted, filtered, marked.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::filter::FilterLine;
use crate::app::inflight::Waiter;
use crate::app::layout::Pane;
use crate::app::list::{Cursor, Step};
use crate::app::message::{Effect, LogLevel, Millis};
use crate::app::modal::spaces_filter::summary;
use crate::app::model::Model;
use crate::app::spread::Spread;
use crate::confluence::call::{SpacesFilter, Window};
use crate::confluence::paging::Pager;
use crate::confluence::{ApiError, Call, ErrorKind, Page, Space, SpaceKey, SpaceKind, SpaceStatus};
use crate::text::index::{Index, Progress, Scan};
use crate::text::number;

/// How many spaces are asked for at once: the cap of real servers for a list without `expand`.
const PAGE: u64 = 500;

/// How many rows a filter looks at before a key may come in between: some three milliseconds.
const SLICE: usize = 10_000;

/// What can be done about a server filter that failed.
pub const FILTER_KEYS: &str = "‹server-filter› changes or clears it, ‹refresh› asks again.";

/// What the list is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortBy {
    /// The key, without case.
    #[default]
    Key,
    /// The name, without case.
    Name,
    /// Personal spaces after global ones, archived after current ones.
    Status,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Whether the last comes first.
    pub descending: bool,
}

impl Sort {
    /// Every order that can be chosen, with its name in the menu.
    pub const ALL: [(Self, &'static str); 5] = [
        (
            Self {
                by: SortBy::Key,
                descending: false,
            },
            "Key, A to Z",
        ),
        (
            Self {
                by: SortBy::Key,
                descending: true,
            },
            "Key, Z to A",
        ),
        (
            Self {
                by: SortBy::Name,
                descending: false,
            },
            "Name, A to Z",
        ),
        (
            Self {
                by: SortBy::Name,
                descending: true,
            },
            "Name, Z to A",
        ),
        (
            Self {
                by: SortBy::Status,
                descending: false,
            },
            "Status, then key",
        ),
    ];

    fn compare(self, a: &Space, b: &Space) -> Ordering {
        let by_key = || caseless(a.key.as_str(), b.key.as_str());
        let order = match self.by {
            SortBy::Key => by_key(),
            SortBy::Name => caseless(&a.name, &b.name).then_with(by_key),
            SortBy::Status => {
                let rank = |s: &Space| (s.status == Some(SpaceStatus::Archived), s.kind);
                rank(a).cmp(&rank(b)).then_with(by_key)
            }
        };
        if self.descending {
            order.reverse()
        } else {
            order
        }
    }
}

impl Sort {
    /// Puts the numbers of rows into this order. Rows that are equal in it stay as they are.
    fn apply(self, rows: &[Space], order: &mut [u32]) {
        let mut keyed: Vec<(u128, u32)> = order
            .iter()
            .map(|row| (self.start_of(&rows[*row as usize]), *row))
            .collect();
        let starts = |a: u128, b: u128| {
            if self.descending {
                b.cmp(&a)
            } else {
                a.cmp(&b)
            }
        };
        keyed.sort_by(|(a, one), (b, other)| {
            starts(*a, *b).then_with(|| self.compare(&rows[*one as usize], &rows[*other as usize]))
        });
        for (place, (_, row)) in order.iter_mut().zip(keyed) {
            *place = row;
        }
    }

    /// The first bytes of what a row is compared by, as a number with the same order. Nearly every
    /// comparison ends with it, without a look at the texts all over the memory.
    fn start_of(self, space: &Space) -> u128 {
        match self.by {
            SortBy::Key => start(space.key.as_str()),
            SortBy::Name => start(&space.name),
            SortBy::Status => {
                let archived = space.status == Some(SpaceStatus::Archived);
                let rank = u128::from(archived) * 2 + u128::from(space.kind == SpaceKind::Personal);
                // Two bits before the text; what they push out is left to the full comparison.
                rank << 126 | start(space.key.as_str()) >> 2
            }
        }
    }
}

/// The first sixteen bytes of a text without case.
fn start(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let mut used = 0;
    for c in text.chars().flat_map(char::to_lowercase) {
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            if used == bytes.len() {
                return u128::from_be_bytes(bytes);
            }
            bytes[used] = byte;
            used += 1;
        }
    }
    u128::from_be_bytes(bytes)
}

/// Compares without case; equal texts by their bytes, so that the order is one.
fn caseless(a: &str, b: &str) -> Ordering {
    let lower = |s: &'_ str| s.chars().flat_map(char::to_lowercase).collect::<String>();
    let order = if a.is_ascii() && b.is_ascii() {
        a.bytes()
            .map(|b| b.to_ascii_lowercase())
            .cmp(b.bytes().map(|b| b.to_ascii_lowercase()))
    } else {
        lower(a).cmp(&lower(b))
    };
    order.then_with(|| a.cmp(b))
}

/// Spaces, in the order in which they came, with an order to show them in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SpaceTable {
    rows: Vec<Space>,
    by_key: HashMap<SpaceKey, u32>,
    sorted: Vec<u32>,
    /// How wide the keys are.
    pub keys: Spread,
    /// How wide the names are.
    pub names: Spread,
    #[serde(skip)]
    index: Index,
}

impl SpaceTable {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A space by its key.
    pub fn get(&self, key: &SpaceKey) -> Option<&Space> {
        self.by_key.get(key).map(|ix| &self.rows[*ix as usize])
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Space> {
        self.rows.iter()
    }

    /// Adds those that are new, and puts them into the order.
    fn add(&mut self, spaces: Vec<Space>, sort: Sort) {
        let from = self.rows.len();
        for mut space in spaces {
            if self.by_key.contains_key(&space.key) {
                continue;
            }
            // The list shows none of it, and at 100,000 rows it would weigh more than all else.
            space.more = None;
            self.by_key.insert(
                space.key.clone(),
                u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            );
            self.index.push(&row_text(&space));
            self.keys.add(space.key.as_str());
            self.names.add(&space.name);
            self.rows.push(space);
        }
        let rows = &self.rows;
        let compare = |a: &u32, b: &u32| sort.compare(&rows[*a as usize], &rows[*b as usize]);
        let mut fresh: Vec<u32> = (from..rows.len())
            .map(|ix| u32::try_from(ix).unwrap_or(u32::MAX))
            .collect();
        fresh.sort_by(compare);
        // Where each goes is found by halving: a page costs the comparisons of its own rows, however
        // long the list is, and most pages go to its end.
        let mut old = self.sorted.as_slice();
        let in_order = |last: &u32, next: &u32| compare(last, next).is_le();
        if let (Some(last), Some(next)) = (old.last(), fresh.first())
            && in_order(last, next)
        {
            self.sorted.append(&mut fresh);
            return;
        }
        let mut merged = Vec::with_capacity(rows.len());
        for next in fresh {
            let (before, after) = old.split_at(old.partition_point(|row| in_order(row, &next)));
            merged.extend_from_slice(before);
            merged.push(next);
            old = after;
        }
        merged.extend_from_slice(old);
        self.sorted = merged;
    }

    fn sort(&mut self, sort: Sort) {
        sort.apply(&self.rows, &mut self.sorted);
    }

    /// Replaces what the list shows of one space.
    pub fn replace(&mut self, space: &Space, sort: Sort) {
        let mut space = Space {
            more: None,
            ..space.clone()
        };
        match self.by_key.get(&space.key) {
            Some(ix) => {
                let row = &mut self.rows[*ix as usize];
                if space.status.is_none() {
                    space.status = row.status;
                }
                if *row != space {
                    self.index.update(*ix, &row_text(&space));
                    self.names.remove(&row.name);
                    self.names.add(&space.name);
                    *row = space;
                    self.sort(sort);
                }
            }
            None => self.add(vec![space], sort),
        }
    }

    /// Takes a space out.
    pub fn remove(&mut self, key: &SpaceKey, sort: Sort) {
        if self.by_key.contains_key(key) {
            let rest: Vec<Space> = self
                .rows
                .drain(..)
                .filter(|space| space.key != *key)
                .collect();
            *self = Self::default();
            self.add(rest, sort);
        }
    }

    fn set_status(&mut self, archived: &BTreeSet<SpaceKey>) {
        for row in &mut self.rows {
            row.status = Some(if archived.contains(&row.key) {
                SpaceStatus::Archived
            } else {
                SpaceStatus::Current
            });
        }
    }
}

/// A list that is being read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// What was read and what is still wanted.
    pub pager: Pager,
    /// What is asked of the server.
    pub asked: SpacesFilter,
    /// Where the rows go when older ones are still shown; swapped in at the end.
    pub fresh: Option<SpaceTable>,
    /// When it began.
    pub since: Millis,
}

/// Whether a server heeded what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Heeded {
    /// As far as anybody can tell.
    Yes,
    /// It gave as many as without the filter, which the rows can neither prove nor disprove.
    Perhaps,
    /// So many rows are not what was asked for.
    No(usize),
}

/// How the last load ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Ended {
    /// Not yet, or still under way.
    Not,
    /// To the end.
    Complete,
    /// Stopped by `Esc`: the list is cut short.
    Stopped,
    /// By a failure: the list is old, or cut short.
    Failed(ApiError),
}

/// Reading the archived spaces of a server that doesn't tell the status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Learning {
    pager: Pager,
    archived: BTreeSet<SpaceKey>,
}

/// The pane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpacesPane {
    /// What is shown.
    pub table: SpaceTable,
    /// What is being read.
    pub load: Option<Load>,
    /// How the last load ended.
    pub ended: Ended,
    /// When the last load ended well.
    pub as_of: Option<Millis>,
    /// How many there are in all, as far as the server told.
    pub total: Option<u64>,
    /// Whether the list repeated rows, or told fewer than it says: others may be left out.
    pub is_uncertain: bool,
    /// What is asked of the server from the next reading on.
    pub asked: SpacesFilter,
    /// What was asked for the rows that are shown.
    pub shown: SpacesFilter,
    /// What is known of how the server heeded that.
    pub heeded: Heeded,
    /// How many there were when all were asked for.
    all: Option<usize>,
    /// The order.
    pub sort: Sort,
    /// The filter line.
    pub filter: FilterLine,
    /// The cursor.
    pub cursor: Cursor,
    /// The space under the cursor: it stays there when rows come, go or move.
    pub at: Option<SpaceKey>,
    /// The marked ones.
    pub marks: BTreeSet<SpaceKey>,
    /// The last one that was marked by itself.
    pub last_mark: Option<SpaceKey>,
    learning: Option<Learning>,
    /// What the filter lets through, best first; `None` without a filter.
    view: Option<Vec<u32>>,
    /// The filter on its way through the rows.
    #[serde(skip)]
    scan: Option<Scan>,
    /// Whether the filter has rows left to look at.
    scanning: bool,
}

impl Default for SpacesPane {
    fn default() -> Self {
        Self {
            table: SpaceTable::default(),
            load: None,
            ended: Ended::Not,
            as_of: None,
            total: None,
            is_uncertain: false,
            asked: SpacesFilter::default(),
            shown: SpacesFilter::default(),
            heeded: Heeded::Yes,
            all: None,
            sort: Sort::default(),
            filter: FilterLine::default(),
            cursor: Cursor::default(),
            at: None,
            marks: BTreeSet::new(),
            last_mark: None,
            learning: None,
            view: None,
            scan: None,
            scanning: false,
        }
    }
}

impl SpacesPane {
    fn view(&self) -> &[u32] {
        self.view.as_deref().unwrap_or(&self.table.sorted)
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether no row is shown.
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }

    /// The space in a row.
    pub fn row(&self, row: usize) -> Option<&Space> {
        self.view()
            .get(row)
            .map(|ix| &self.table.rows[*ix as usize])
    }

    /// The space under the cursor.
    pub fn at_cursor(&self) -> Option<&Space> {
        self.row(self.cursor.at)
    }

    /// The marked spaces; without marks, the one under the cursor.
    pub fn acted_on(&self) -> Vec<SpaceKey> {
        if self.marks.is_empty() {
            self.at_cursor()
                .map(|space| space.key.clone())
                .into_iter()
                .collect()
        } else {
            self.marks.iter().cloned().collect()
        }
    }

    /// How many marked spaces the filter hides.
    pub fn hidden_marks(&self) -> usize {
        match &self.view {
            None => 0,
            Some(view) => {
                let shown = view
                    .iter()
                    .filter(|ix| self.marks.contains(&self.table.rows[**ix as usize].key))
                    .count();
                self.marks.len() - shown
            }
        }
    }

    /// How many spaces have been read by a load that is under way.
    pub fn progress(&self) -> Option<(usize, Option<u64>)> {
        self.load.as_ref().map(|load| load.pager.progress())
    }

    /// Whether the list doesn't hold all that the server has.
    pub fn is_cut_short(&self) -> bool {
        match &self.ended {
            Ended::Not | Ended::Complete => false,
            Ended::Stopped => true,
            Ended::Failed(_) => self.as_of.is_none(),
        }
    }

    /// What happened where a reading failed that asked the server for some spaces only: the filter by
    /// its parts, and what was answered.
    pub fn failed_filter(&self, error: &ApiError) -> Option<String> {
        if self.asked.is_empty() || !matches!(self.ended, Ended::Failed(_)) {
            return None;
        }
        let filter = summary(&self.asked);
        Some(match error.kind {
            // Of what was sent, the filter alone can be what the server did not take.
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Forbidden => format!(
                "The server refused the filter ({filter}). {}",
                error.message
            ),
            _ => format!(
                "The filter ({filter}) was not applied. {} {}",
                error.told(),
                error.hint()
            ),
        })
    }

    /// Puts the cursor back on the space it was on, after rows changed.
    pub fn settle(&mut self, height: usize) {
        let row = self.at.as_ref().and_then(|key| {
            let ix = *self.table.by_key.get(key)?;
            self.view().iter().position(|at| *at == ix)
        });
        let len = self.len();
        match row {
            Some(row) => {
                // Rows that come in above push the window along, so that the row stays where it is.
                let from_top = self.cursor.at.saturating_sub(self.cursor.top);
                self.cursor.at = row;
                if self.cursor.top > 0 {
                    self.cursor.top = row.saturating_sub(from_top);
                }
                self.cursor.keep_in_view(len, height);
            }
            None => {
                self.cursor.keep_in_view(len, height);
                if self.filter.field.is_none() {
                    self.at = self.at_cursor().map(|space| space.key.clone());
                }
            }
        }
    }

    /// Applies the filter to the rows as they are: to the first slice of them at once, to the
    /// others when no key waits; see [`SpacesPane::is_scanning`].
    fn refilter(&mut self) {
        self.scan = self.filter.applied.as_ref().map(|filter| match &self.scan {
            Some(earlier) => Scan::after(earlier, filter, &self.table.index),
            None => Scan::new(filter, &self.table.index),
        });
        self.scanning = self.scan.is_some();
        self.scan_on();
    }

    /// Whether the filter has rows left to look at.
    pub fn is_scanning(&self) -> bool {
        self.scanning
    }

    /// Looks at the next slice of rows.
    fn scan_on(&mut self) {
        let Some(scan) = &mut self.scan else {
            self.view = None;
            self.scanning = false;
            return;
        };
        self.scanning = scan.step(&self.table.index, SLICE) == Progress::Working;
        let mut view = scan.matches().to_vec();
        // The best first, unless another order was asked for.
        if self.sort != Sort::default() {
            self.sort.apply(&self.table.rows, &mut view);
        }
        self.view = Some(view);
    }

    /// Filters on. Somebody who moved stays on the space; nobody else is moved.
    pub(in crate::app) fn scan_slice(&mut self, height: usize) {
        let held = (self.cursor.at > 0).then(|| self.at_cursor().map(|space| space.key.clone()));
        self.scan_on();
        if let Some(key) = held.flatten() {
            self.go_to(&key, height);
        }
        self.cursor.keep_in_view(self.len(), height);
    }

    /// The filter text changed: show what matches, the best first.
    pub fn filter_changed(&mut self, height: usize) {
        self.filter.parse(&[]);
        self.refilter();
        if self.view.is_some() {
            self.cursor = Cursor::default();
        } else {
            self.settle(height);
        }
    }

    /// Clears the filter; the cursor stays on its space. Says whether there was one.
    pub fn clear_filter(&mut self, height: usize) -> bool {
        if let Some(space) = self.at_cursor() {
            self.at = Some(space.key.clone());
        }
        let had = self.filter.clear();
        self.refilter();
        self.settle(height);
        had
    }

    /// Moves the cursor. Says whether it moved.
    pub fn step(&mut self, step: Step, height: usize) -> bool {
        let moved = self.cursor.step(step, self.len(), height);
        if moved || self.at.is_none() {
            self.at = self.at_cursor().map(|space| space.key.clone());
        }
        moved
    }

    /// Puts the cursor on a row.
    pub fn put(&mut self, row: usize, height: usize) {
        self.cursor.put(row, self.len(), height);
        self.at = self.at_cursor().map(|space| space.key.clone());
    }

    /// Changes the order; the cursor stays on its space.
    pub fn set_sort(&mut self, sort: Sort, height: usize) {
        self.sort = sort;
        self.table.sort(sort);
        if let Some(load) = &mut self.load
            && let Some(fresh) = &mut load.fresh
        {
            fresh.sort(sort);
        }
        self.refilter();
        self.settle(height);
    }

    /// Marks or unmarks the row under the cursor.
    pub fn toggle_mark(&mut self) {
        if let Some(key) = self.at_cursor().map(|space| space.key.clone()) {
            if !self.marks.remove(&key) {
                self.marks.insert(key.clone());
            }
            self.last_mark = Some(key);
        }
    }

    /// The keys of these rows, as far as they are what was asked of the server.
    fn fitting(&self, rows: impl Iterator<Item = usize>) -> Vec<SpaceKey> {
        rows.filter_map(|row| self.row(row))
            .filter(|space| self.shown.may_fit(space))
            .map(|space| space.key.clone())
            .collect()
    }

    /// Looks whether the rows are what was asked for.
    fn judge(&mut self) {
        let strangers = self.table.iter().filter(|space| !self.shown.may_fit(space));
        let told = |space: &Space| self.shown.is_told_by(space);
        self.heeded = match strangers.count() {
            0 if self.shown.is_empty() || self.table.iter().all(told) => Heeded::Yes,
            0 if self.all.is_some_and(|all| self.table.len() >= all) => Heeded::Perhaps,
            0 => Heeded::Yes,
            strangers => Heeded::No(strangers),
        };
    }

    /// Marks from the last mark to the cursor.
    pub fn mark_range(&mut self) {
        let last = self
            .last_mark
            .as_ref()
            .and_then(|key| self.table.by_key.get(key));
        let from = last
            .and_then(|ix| self.view().iter().position(|at| at == ix))
            .unwrap_or(self.cursor.at);
        let (from, to) = (from.min(self.cursor.at), from.max(self.cursor.at));
        let keys = self.fitting(from..=to);
        self.marks.extend(keys);
        self.last_mark = self.at_cursor().map(|space| space.key.clone());
    }

    /// Marks all that the filter shows, but for what was not asked for. Nothing, where it is not
    /// known whether the server heeded what was.
    pub fn mark_all(&mut self) {
        if self.heeded != Heeded::Perhaps {
            let keys = self.fitting(0..self.len());
            self.marks.extend(keys);
        }
    }

    /// A space was changed, made or removed by us: show it as it is now.
    pub fn replace(&mut self, space: &Space, height: usize) {
        self.table.replace(space, self.sort);
        self.judge();
        self.refilter();
        self.settle(height);
    }

    /// Puts the cursor on a space, if it is shown.
    pub fn go_to(&mut self, key: &SpaceKey, height: usize) {
        let ix = self.table.by_key.get(key);
        if let Some(row) = ix.and_then(|ix| self.view().iter().position(|at| at == ix)) {
            self.put(row, height);
        }
    }

    /// A space is gone.
    pub fn remove(&mut self, key: &SpaceKey, height: usize) {
        if self.table.get(key).is_some() {
            let one_less = |count: u64| count.saturating_sub(1);
            self.total = self.total.map(one_less);
            self.all = self.all.map(|all| all.saturating_sub(1));
        }
        self.table.remove(key, self.sort);
        // The rows after it have other numbers now, and it may have been a row that was not asked for.
        self.scan = None;
        self.judge();
        self.marks.remove(key);
        if self.at.as_ref() == Some(key) {
            self.at = None;
        }
        self.refilter();
        self.settle(height);
    }
}

impl Model {
    /// Reads the list of spaces from its beginning. What is shown stays until the new list is there.
    pub fn load_spaces(&mut self, out: &mut Vec<Effect>) {
        self.inflight.cancel(out, |w| {
            matches!(w, Waiter::Spaces(_) | Waiter::ArchivedSpaces(_))
        });
        let keep = !self.spaces.table.is_empty();
        if !keep {
            self.spaces.shown = self.spaces.asked.clone();
            self.spaces.heeded = Heeded::Yes;
        }
        self.spaces.load = Some(Load {
            pager: Pager::new(PAGE),
            asked: self.spaces.asked.clone(),
            fresh: keep.then(SpaceTable::default),
            since: self.now,
        });
        self.spaces.ended = Ended::Not;
        self.spaces.learning = None;
        self.ask_spaces(out);
    }

    fn ask_spaces(&mut self, out: &mut Vec<Effect>) {
        let Some(load) = &mut self.spaces.load else {
            return;
        };
        for window in load.pager.wanted(self.profile.concurrency) {
            let call = Call::Spaces {
                filter: load.asked.clone(),
                expand: String::new(),
                window,
            };
            self.inflight
                .ask(Waiter::Spaces(window), call, self.now, out);
        }
    }

    /// Takes a page of the list.
    pub(in crate::app) fn spaces_came(
        &mut self,
        window: Window,
        outcome: Result<Page<Space>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let height = self.rows_of(Pane::Spaces);
        let Some(load) = &mut self.spaces.load else {
            return;
        };
        let page = match outcome {
            Ok(page) => page,
            Err(error) => {
                self.inflight
                    .cancel(out, |w| matches!(w, Waiter::Spaces(_)));
                self.spaces.load = None;
                self.spaces.ended = Ended::Failed(error);
                self.spaces.judge();
                return;
            }
        };
        let accepted = load.pager.accept(window, page, |space| space.key.as_str());
        self.spaces.is_uncertain = !load.pager.is_certain();
        self.session.lists_lie |= self.spaces.is_uncertain;
        let sort = self.spaces.sort;
        match &mut load.fresh {
            Some(fresh) => fresh.add(accepted.fresh, sort),
            None => self.spaces.table.add(accepted.fresh, sort),
        }
        self.spaces.total = load.pager.progress().1;
        if load.pager.is_done() {
            if let Some(fresh) = load.fresh.take() {
                self.spaces.table = fresh;
                self.spaces.shown = load.asked.clone();
                // Its rows have other numbers than those that the filter looked at.
                self.spaces.scan = None;
                let table = &self.spaces.table;
                self.spaces
                    .marks
                    .retain(|key| table.by_key.contains_key(key));
            }
            self.spaces.load = None;
            self.spaces.ended = Ended::Complete;
            self.spaces.as_of = Some(self.now);
            self.spaces.total = Some(self.spaces.table.len() as u64);
            if self.spaces.shown.is_empty() {
                self.spaces.all = Some(self.spaces.table.len());
            }
            self.spaces.judge();
            self.say_what_was_passed_over();
            self.learn_archived(out);
        } else {
            self.ask_spaces(out);
        }
        self.spaces.refilter();
        let before = self.spaces.at.clone();
        self.spaces.settle(height);
        self.go_to_wanted();
        if before.is_none() && self.spaces.at.is_some() {
            // Nobody is moving yet: detail and content can follow at once.
            self.follow_cursor(out);
        } else if before != self.spaces.at {
            // The space is gone from the list, and another one came below the cursor.
            self.moved = Some(self.now);
        }
    }

    /// Tells where rows are not what was asked for, or perhaps not.
    fn say_what_was_passed_over(&mut self) {
        let asked = summary(&self.spaces.shown);
        let text = match self.spaces.heeded {
            Heeded::Yes => return,
            Heeded::Perhaps => format!(
                "The server gave as many spaces as without the filter ({asked}). Perhaps it does not know it: ‹mark-all› marks nothing here."
            ),
            Heeded::No(strangers) => format!(
                "The server ignored the filter ({asked}): {} {} not what was asked for. ‹mark-all› leaves them out.",
                number::count(strangers as u64, "row"),
                if strangers == 1 { "is" } else { "are" }
            ),
        };
        self.say(LogLevel::Warning, text);
    }

    /// Asks which spaces are archived where the list doesn't tell: servers before 8.
    fn learn_archived(&mut self, out: &mut Vec<Effect>) {
        let told = self.spaces.table.iter().any(|space| space.status.is_some());
        if told || self.spaces.table.is_empty() || self.spaces.shown.status.is_some() {
            return;
        }
        self.spaces.learning = Some(Learning {
            pager: Pager::new(PAGE),
            archived: BTreeSet::new(),
        });
        self.ask_archived(out);
    }

    fn ask_archived(&mut self, out: &mut Vec<Effect>) {
        let Some(learning) = &mut self.spaces.learning else {
            return;
        };
        for window in learning.pager.wanted(1) {
            let filter = SpacesFilter {
                status: Some(SpaceStatus::Archived),
                ..self.spaces.shown.clone()
            };
            let call = Call::Spaces {
                filter,
                expand: String::new(),
                window,
            };
            self.inflight
                .ask(Waiter::ArchivedSpaces(window), call, self.now, out);
        }
    }

    /// Takes a page of the list of archived spaces. A failure leaves the status unknown.
    pub(in crate::app) fn archived_came(
        &mut self,
        window: Window,
        outcome: Result<Page<Space>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let (Some(learning), Ok(page)) = (&mut self.spaces.learning, outcome) else {
            self.spaces.learning = None;
            return;
        };
        let accepted = learning
            .pager
            .accept(window, page, |space| space.key.as_str());
        learning
            .archived
            .extend(accepted.fresh.into_iter().map(|space| space.key));
        if !learning.pager.is_done() {
            self.ask_archived(out);
            return;
        }
        if let Some(learning) = self.spaces.learning.take() {
            // A server that doesn't know the parameter answers with all spaces: that tells nothing.
            if learning.archived.len() < self.spaces.table.len() {
                self.spaces.table.set_status(&learning.archived);
            }
        }
    }

    /// Stops reading the list. Says whether there was anything to stop.
    pub(in crate::app) fn stop_spaces(&mut self, out: &mut Vec<Effect>) -> bool {
        if self.spaces.load.take().is_none() {
            return false;
        }
        self.inflight.cancel(out, |w| {
            matches!(w, Waiter::Spaces(_) | Waiter::ArchivedSpaces(_))
        });
        self.spaces.ended = Ended::Stopped;
        self.spaces.judge();
        true
    }
}

/// What a filter looks at.
pub fn row_text(space: &Space) -> String {
    format!("{} {}", space.key, space.name)
}

/// How a space stands, in one word: its status, or `personal`.
pub fn standing(space: &Space) -> &'static str {
    match (space.status, space.kind) {
        (Some(SpaceStatus::Archived), _) => "archived",
        (_, SpaceKind::Personal) => "personal",
        (Some(SpaceStatus::Current), SpaceKind::Global) => "current",
        (None, SpaceKind::Global) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::ServerText;
    use proptest::prelude::*;

    fn space(key: &str, name: &str, archived: bool) -> Space {
        Space {
            id: None,
            key: SpaceKey::new(key),
            name: ServerText::new(name.to_owned()),
            kind: if key.starts_with('~') {
                SpaceKind::Personal
            } else {
                SpaceKind::Global
            },
            status: Some(if archived {
                SpaceStatus::Archived
            } else {
                SpaceStatus::Current
            }),
            more: None,
        }
    }

    /// Keys and names of which many begin alike, differ in case alone, or are not ASCII.
    fn spaces() -> impl Strategy<Value = Vec<Space>> {
        let text = "[aAbBéÉßİ ]{0,3}(the same beginning |The Same Beginning )?[aAbBzZ世]{0,3}";
        prop::collection::vec((("~?[aAbB]{1,4}", text), any::<bool>()), 0..40).prop_map(|rows| {
            rows.into_iter()
                .map(|((key, name), archived)| space(&key, &name, archived))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn rows_are_in_order_however_they_came(
            spaces in spaces(),
            pages in 1usize..9,
            order in 0..Sort::ALL.len(),
            then in 0..Sort::ALL.len(),
        ) {
            let (sort, _) = Sort::ALL[order];
            let mut table = SpaceTable::default();
            for page in spaces.chunks(pages) {
                table.add(page.to_vec(), sort);
            }
            for sort in [sort, Sort::ALL[then].0] {
                table.sort(sort);
                let mut plain: Vec<u32> = (0..table.len() as u32).collect();
                plain.sort_by(|a, b| {
                    sort.compare(&table.rows[*a as usize], &table.rows[*b as usize])
                });
                prop_assert_eq!(&table.sorted, &plain, "{:?}", sort);
            }
        }

        #[test]
        fn pages_are_merged_into_the_order(spaces in spaces(), pages in 1usize..9, order in 0..Sort::ALL.len()) {
            let (sort, _) = Sort::ALL[order];
            let mut table = SpaceTable::default();
            for page in spaces.chunks(pages) {
                table.add(page.to_vec(), sort);
                let mut again = table.clone();
                again.sort(sort);
                prop_assert_eq!(&table.sorted, &again.sorted, "{:?}", sort);
            }
        }
    }
}
