//! What a search found in a text that is laid out, and which of it is looked at.

use std::ops::Range;

use crate::text::doc::{Found, Line, find};

/// Where a search goes from the hit that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Seek {
    /// Down, and from the last to the first.
    Next,
    /// Up, and from the first to the last.
    Previous,
}

/// The hits of a search, from top to bottom, one of which is looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// The width that the text is laid out in: in another, the places are others.
    width: usize,
    all: Vec<Found>,
    at: usize,
}

impl Hits {
    /// What is found in these lines; what is looked at is the first from the line `top` on.
    pub(in crate::app) fn of(lines: &[Line], width: usize, needle: &str, top: usize) -> Self {
        let all = find(lines, needle);
        let at = all.iter().position(|hit| hit.line >= top).unwrap_or(0);
        Self { width, all, at }
    }

    /// The hit that is looked at, in a text of this width.
    pub fn current(&self, width: usize) -> Option<&Found> {
        self.all.get(self.at).filter(|_| self.width == width)
    }

    /// Which hit is looked at, and how many there are.
    pub fn told(&self) -> String {
        use crate::text::number::grouped;
        if self.all.is_empty() {
            return "nothing found".to_owned();
        }
        let (at, all) = (self.at as u64 + 1, self.all.len() as u64);
        format!("{} of {}", grouped(at), grouped(all))
    }

    /// Goes on to another hit: from the one that is looked at, or where that is out of sight, from
    /// the lines that are shown.
    pub(in crate::app) fn seek(&mut self, seek: Seek, shown: Range<usize>) {
        let Some(last) = self.all.len().checked_sub(1) else {
            return;
        };
        let in_sight = shown.contains(&self.all[self.at].line);
        self.at = match (seek, in_sight) {
            (Seek::Next, true) if self.at == last => 0,
            (Seek::Next, true) => self.at + 1,
            (Seek::Previous, true) => self.at.checked_sub(1).unwrap_or(last),
            (Seek::Next, false) => {
                let from = |hit: &Found| hit.line >= shown.start;
                self.all.iter().position(from).unwrap_or(0)
            }
            (Seek::Previous, false) => {
                let above = |hit: &Found| hit.line < shown.start;
                self.all.iter().rposition(above).unwrap_or(last)
            }
        };
    }

    /// The first line to show so that the hit is in sight: where it is already, none but the present.
    pub(in crate::app) fn top(&self, shown: Range<usize>) -> usize {
        match self.all.get(self.at) {
            Some(hit) if !shown.contains(&hit.line) => hit.line,
            Some(_) | None => shown.start,
        }
    }
}
