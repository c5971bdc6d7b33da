//! How much of a long list is worked on between two looks at the keyboard: a millisecond or two.

use super::message::Millis;
use crate::text::index::{Index, Progress, Scan};

/// Up to this many rows everything is done at once; beyond, in slices.
pub(in crate::app) const SMALL: usize = 20_000;

/// How many rows a filter looks at in a slice.
pub(in crate::app) const SCAN: usize = 8_000;

/// How many rows are listed in a slice.
pub(in crate::app) const ROWS: usize = 40_000;

/// To compare two rows costs about so much more than to list one.
pub(in crate::app) const SORT_COST: usize = 2;

/// How far a filter is with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) enum Stage {
    /// Looking for plain words.
    Plain,
    /// Looking for what is alike; plain words are shown.
    Alike,
    /// All was looked at; more may come.
    Done,
}

impl Stage {
    /// Where a scan is after a step that came to this.
    pub(in crate::app) fn after(progress: Progress, scan: &Scan, index: &Index) -> Self {
        match progress {
            Progress::Done => Self::Done,
            Progress::Working if scan.has_plain(index) => Self::Alike,
            Progress::Working => Self::Plain,
        }
    }
}

/// From when on rows that were built at this moment, and that nobody waits for, are built again
/// while a list streams in: the longer the list, the later, and later still where it is sorted.
pub(in crate::app) fn next_rows(built: Millis, len: usize, is_sorted: bool) -> Millis {
    if len <= SMALL {
        return built;
    }
    let pace = (len as u64 / 1_000).clamp(50, 1_000);
    built.plus(pace * if is_sorted { 5 } else { 1 })
}
