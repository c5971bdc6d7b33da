//! Filtering and sorting the trash of many spaces in slices: one space may hold hundreds of
//! thousands of items, and a key is answered all the same.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Across, Item, ItemSort, Names, SpaceTrash};
use crate::app::fields::{Test, Wanted, is_kind, tests};
use crate::app::list::Cursor;
use crate::app::message::Millis;
use crate::app::slices::{self, Stage};
use crate::app::sort::Sorter;
use crate::app::tree::IdSet;
use crate::text::filter::{Filter, Term};
use crate::text::index::{Progress, Scan};

/// What the filter lets through of a space.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Sieve {
    /// All, as there is no filter.
    #[default]
    Open,
    /// Nothing yet: it is not this space's turn. What an earlier filter found may shorten the look.
    Due(Option<Box<Look>>),
    /// What was found so far.
    At(Box<Look>),
}

impl Sieve {
    /// Makes way for another filter.
    fn renew(&mut self) {
        *self = Self::Due(match std::mem::take(self) {
            Self::Open => None,
            Self::Due(earlier) => earlier,
            Self::At(look) => Some(look),
        });
    }

    /// How far the look is.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Open => Stage::Done,
            Self::Due(_) => Stage::Plain,
            Self::At(look) => look.stage,
        }
    }
}

/// A filter on its way through the titles of a space.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Look {
    scan: Scan,
    stage: Stage,
    /// The space as such is not meant.
    hides_all: bool,
    /// How many of what was found are marked.
    marked: usize,
}

impl Look {
    /// Words that stand in the key or name of the space fit all of its items; the others are
    /// looked for in the titles.
    fn new(filter: &Filter, space: &SpaceTrash, earlier: Option<&Self>) -> Self {
        let whole = format!("{} {}", space.key, space.name);
        let is_meant = |term: &Term| match term {
            Term::Without(_) => !term.stands_in(&whole),
            Term::Is { field, value } if field == "space" => is_called(space, value),
            Term::IsNot { field, value } if field == "space" => !is_called(space, value),
            _ => true,
        };
        let hides_all = !filter.terms().iter().all(is_meant);
        let filter = filter.retaining(|term| match term {
            Term::Word(_) | Term::Exact(_) => !term.stands_in(&whole),
            _ => true,
        });
        Self {
            scan: match earlier {
                Some(earlier) => Scan::after(&earlier.scan, &filter, &space.titles),
                None => Scan::new(&filter, &space.titles),
            },
            stage: if hides_all { Stage::Done } else { Stage::Plain },
            hides_all,
            marked: 0,
        }
    }

    /// Looks at some more titles.
    fn step(
        &mut self,
        space: &SpaceTrash,
        names: &Names,
        tests: &[Test],
        marks: Option<&IdSet>,
        budget: usize,
    ) {
        if self.hides_all {
            self.stage = Stage::Done;
            return;
        }
        if self.scan.is_stale(&space.titles) {
            self.scan = Scan::new(&self.scan.filter().clone(), &space.titles);
            self.marked = 0;
        }
        let marked = &mut self.marked;
        let progress = self.scan.step_where(&space.titles, budget, |ix| {
            let item = &space.items[ix as usize];
            let passes = tests.iter().all(|test| passes(test, item, names));
            if passes && marks.is_some_and(|marks| marks.contains(&item.id)) {
                *marked += 1;
            }
            passes
        });
        self.stage = Stage::after(progress, &self.scan, &space.titles);
        debug_assert!(progress == Progress::Working || self.stage == Stage::Done);
    }
}

fn is_called(space: &SpaceTrash, value: &str) -> bool {
    let value = value.to_lowercase();
    *space.folded == *value || space.name.to_lowercase().contains(&value)
}

fn passes(test: &Test, item: &Item, names: &Names) -> bool {
    let (holds, wanted) = match test {
        Test::Kind(name, wanted) => (is_kind(&item.kind, name), *wanted),
        Test::Editor(name, wanted) => (names.folded(item.by).contains(name.as_str()), *wanted),
        Test::Under(title, wanted) => (names.folded(item.under).contains(title.as_str()), *wanted),
        Test::Before(moment) | Test::From(moment) => {
            // Of unknown age: neither before nor after.
            let Some(edited) = item.edited else {
                return false;
            };
            let is_before = edited.0.as_millisecond() < *moment;
            (is_before == matches!(test, Test::Before(_)), Wanted::Yes)
        }
    };
    holds == (wanted == Wanted::Yes)
}

impl SpaceTrash {
    /// The items that the filter lets through as far as is known, all without one.
    pub fn shown(&self) -> Vec<u32> {
        match &self.sieve {
            Sieve::Open => (0..u32::try_from(self.items.len()).unwrap_or(u32::MAX)).collect(),
            Sieve::Due(_) => Vec::new(),
            Sieve::At(look) => look.scan.matches().to_vec(),
        }
    }

    /// How many items the filter lets through as far as is known, all without one.
    pub fn shown_len(&self) -> usize {
        match &self.sieve {
            Sieve::Open => self.items.len(),
            Sieve::Due(_) => 0,
            Sieve::At(look) => look.scan.matches().len(),
        }
    }

    /// Whether the filter has looked for plain words in all titles, so that what is shown counts.
    pub fn is_looked_through(&self) -> bool {
        self.sieve.stage() > Stage::Plain
    }

    /// How many marked items the filter hides, of so many that are marked.
    pub(super) fn hidden(&self, marked: usize) -> usize {
        match &self.sieve {
            Sieve::Open => 0,
            Sieve::Due(_) => marked,
            Sieve::At(look) => marked.saturating_sub(look.marked),
        }
    }

    /// Counts anew how many of what the filter shows are marked.
    pub(super) fn count_marked(&mut self, marks: Option<&IdSet>) {
        let Sieve::At(look) = &mut self.sieve else {
            return;
        };
        look.marked = match marks {
            None => 0,
            Some(marks) => {
                let found = look.scan.matches().iter();
                found
                    .filter(|ix| marks.contains(&self.items[**ix as usize].id))
                    .count()
            }
        };
    }

    /// One of the items was marked, or its mark taken away.
    pub(super) fn note_mark(&mut self, item: u32, on: bool) {
        if let Sieve::At(look) = &mut self.sieve
            && look.scan.matches().contains(&item)
        {
            look.marked = if on {
                look.marked + 1
            } else {
                look.marked.saturating_sub(1)
            };
        }
    }

    /// The items are others than before: what was found counts no more.
    pub(super) fn forget_found(&mut self) {
        if self.sieve != Sieve::Open {
            self.sieve = Sieve::Due(None);
        }
    }
}

impl Across {
    /// Whether everything is done at once.
    fn is_small(&self) -> bool {
        self.rows.len() + self.kept() <= slices::SMALL
    }

    /// The filter is another one: all is looked at anew, from here on slice by slice.
    pub(super) fn refilter(&mut self, now: Timestamp, zone: &TimeZone) {
        let Some(filter) = &self.filter.applied else {
            self.tests = Vec::new();
            self.looking = None;
            self.hidden = 0;
            for row in &mut self.rows {
                row.sieve = Sieve::Open;
            }
            self.inside_changed(true);
            return;
        };
        self.tests = tests(filter, now, zone);
        for row in &mut self.rows {
            row.sieve.renew();
        }
        self.looking = Some((Stage::Plain, 0));
        self.is_new = true;
        self.inside_changed(true);
    }

    /// There is more to look at in this row.
    pub(super) fn look_from(&mut self, row: usize) {
        if self.filter.applied.is_none() {
            return;
        }
        let space = &mut self.rows[row];
        match &mut space.sieve {
            Sieve::Open => space.sieve = Sieve::Due(None),
            Sieve::Due(_) => {}
            Sieve::At(look) if look.hides_all => {}
            Sieve::At(look) => look.stage = Stage::Plain,
        }
        let from = match self.looking {
            Some((Stage::Plain, at)) => at.min(row),
            Some(_) | None => row,
        };
        self.looking = Some((Stage::Plain, from));
    }

    /// The items of the space that is looked into are others, or in another order.
    pub(super) fn inside_changed(&mut self, is_urgent: bool) {
        if let Some(inside) = &mut self.inside {
            inside.is_stale = true;
            if is_urgent {
                inside.is_urgent = true;
                inside.sorting = None;
            }
        }
    }

    /// When [`work`](Self::work) is due; `None` if there is nothing to do.
    pub fn due(&self) -> Option<Millis> {
        if self.is_filtering() {
            return Some(Millis(0));
        }
        let inside = self.inside.as_ref()?;
        if inside.sorting.is_some() || (inside.is_stale && inside.is_urgent) {
            return Some(Millis(0));
        }
        inside.is_stale.then(|| self.next_inside())
    }

    /// From when on the items of a space are listed again while more of them come.
    fn next_inside(&self) -> Millis {
        self.inside.as_ref().map_or(Millis(0), |inside| {
            let is_sorted = inside.sort != ItemSort::Server;
            slices::next_rows(inside.built, self.rows[inside.row].items.len(), is_sorted)
        })
    }

    /// Does a slice of what is to be done, a millisecond or so; all of it where that is little.
    pub(super) fn work(&mut self, now: Millis, height: usize) {
        let is_small = self.is_small();
        let (titles, rows) = if is_small {
            (usize::MAX, usize::MAX)
        } else {
            (slices::SCAN, slices::ROWS)
        };
        loop {
            if self.is_filtering() && self.look_on(titles) {
                self.settle(height);
                self.recount();
            }
            self.list_inside(now, height, rows);
            if !is_small || self.due().is_none_or(|due| due > now) {
                return;
            }
        }
    }

    /// Lets the filter look at some more titles. Says whether there is a new result to show.
    fn look_on(&mut self, budget: usize) -> bool {
        let mut left = budget;
        // What somebody looks into comes first.
        if let Some(row) = self.inside.as_ref().map(|inside| inside.row) {
            left = left.saturating_sub(self.look(row, Stage::Done, left));
        }
        while left > 0
            && let Some((stage, at)) = self.looking
        {
            if at == self.rows.len() {
                self.looking = match stage {
                    Stage::Plain => Some((Stage::Alike, 0)),
                    Stage::Alike | Stage::Done => None,
                };
                self.is_new &= self.looking.is_some();
                return true;
            }
            let until = match stage {
                Stage::Plain => Stage::Alike,
                Stage::Alike | Stage::Done => Stage::Done,
            };
            left = left.saturating_sub(self.look(at, until, left));
            if self.rows[at].sieve.stage() >= until {
                self.looking = Some((stage, at + 1));
            }
        }
        false
    }

    /// Looks at titles of one space, until the look is so far or the budget is spent. Says how
    /// much of it that took.
    fn look(&mut self, row: usize, until: Stage, budget: usize) -> usize {
        let Some(filter) = &self.filter.applied else {
            return 0;
        };
        let space = &mut self.rows[row];
        if space.sieve.stage() >= until || budget == 0 {
            return 0;
        }
        let mut look = match std::mem::take(&mut space.sieve) {
            Sieve::Open => Box::new(Look::new(filter, space, None)),
            Sieve::Due(earlier) => Box::new(Look::new(filter, space, earlier.as_deref())),
            Sieve::At(look) => look,
        };
        let before = look.stage;
        let marks = self.marks.get(&space.key);
        let mut used = 0;
        loop {
            // A step never takes longer than the titles that there are.
            let step = (budget - used).min(space.items.len().max(1));
            look.step(space, &self.names, &self.tests, marks, step);
            used += step;
            if look.stage >= until || used >= budget {
                break;
            }
        }
        let (changed, stage) = (look.stage != before, look.stage);
        space.sieve = Sieve::At(look);
        if changed && self.inside.as_ref().is_some_and(|inside| inside.row == row) {
            self.inside_changed(self.is_new && stage > Stage::Plain);
        }
        used
    }

    /// Puts the items of the space that is looked into in order, or a part of the way there.
    fn list_inside(&mut self, now: Millis, height: usize, budget: usize) {
        let next = self.next_inside();
        let Some(inside) = &mut self.inside else {
            return;
        };
        let space = &self.rows[inside.row];
        if inside.sorting.is_none() {
            if !inside.is_stale || (!inside.is_urgent && now < next) {
                return;
            }
            // While the filter looks for the first words the rows stay as they were.
            if space.sieve.stage() == Stage::Plain && !inside.view.is_empty() {
                return;
            }
            inside.is_stale = false;
            inside.is_urgent = false;
            inside.sorting = Some(Sorter::new(space.shown()));
        }
        let Some(sorter) = &mut inside.sorting else {
            return;
        };
        let item = |ix: &u32| &space.items[*ix as usize];
        let done = match inside.sort {
            ItemSort::Server => true,
            ItemSort::Title => sorter.step(budget / slices::SORT_COST, |a, b| {
                space.titles.folded(*a).cmp(space.titles.folded(*b))
            }),
            ItemSort::Oldest => sorter.step(budget / slices::SORT_COST, |a, b| {
                let key = |ix| (item(ix).edited.is_none(), item(ix).edited);
                key(a).cmp(&key(b))
            }),
            ItemSort::Newest => sorter.step(budget / slices::SORT_COST, |a, b| {
                item(b).edited.cmp(&item(a).edited)
            }),
        };
        if done {
            inside.view = sorter.take();
            inside.sorting = None;
            inside.built = now;
            self.place_inside(height);
        }
    }

    /// Puts the cursor back onto the item it was on, after the rows have changed; onto the first
    /// one when they are those of a new filter.
    pub(super) fn place_inside(&mut self, height: usize) {
        let Some(inside) = &mut self.inside else {
            return;
        };
        let space = &self.rows[inside.row];
        if inside.seeks_first && !inside.view.is_empty() {
            inside.cursor = Cursor::default();
            inside.seeks_first = space.sieve.stage() != Stage::Done;
            inside.note_cursor(space);
            return;
        }
        let is_it = |ix: u32| {
            let item = space.items.get(ix as usize);
            item.is_some_and(|item| Some(&item.id) == inside.at.as_ref())
        };
        let number = if is_it(inside.near) {
            Some(inside.near)
        } else {
            (0..space.titles.len()).find(|ix| is_it(*ix))
        };
        let row = number.and_then(|number| inside.view.iter().position(|ix| *ix == number));
        if let Some(row) = row {
            let from_top = inside.cursor.at.saturating_sub(inside.cursor.top);
            inside.cursor.at = row;
            if inside.cursor.top > 0 {
                inside.cursor.top = row.saturating_sub(from_top);
            }
        }
        inside.cursor.keep_in_view(inside.view.len(), height);
        // Among no rows the cursor is nowhere: it comes back with them.
        if row.is_none() && !inside.view.is_empty() {
            inside.note_cursor(space);
        }
    }
}
