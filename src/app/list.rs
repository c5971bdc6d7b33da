//! A cursor in a list that may be longer than the window it is seen through.

use serde::{Deserialize, Serialize};

/// A step of the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// A window up.
    PageUp,
    /// A window down.
    PageDown,
    /// Half a window up.
    HalfUp,
    /// Half a window down.
    HalfDown,
    /// This many rows up (negative) or down.
    By(i64),
}

/// The row under the cursor and the first row of the window, both counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The row under the cursor.
    pub at: usize,
    /// The first row that is shown.
    pub top: usize,
}

impl Cursor {
    /// Moves in a list of `len` rows seen through `height` rows. Says whether the cursor moved.
    pub fn step(&mut self, step: Step, len: usize, height: usize) -> bool {
        let before = self.at;
        let page = height.max(1);
        let last = len.saturating_sub(1);
        self.at = match step {
            Step::Up => self.at.saturating_sub(1),
            Step::Down => self.at.saturating_add(1),
            Step::Top => 0,
            Step::Bottom => last,
            Step::PageUp => self.at.saturating_sub(page),
            Step::PageDown => self.at.saturating_add(page),
            Step::HalfUp => self.at.saturating_sub(page.div_ceil(2)),
            Step::HalfDown => self.at.saturating_add(page.div_ceil(2)),
            Step::By(rows) => self
                .at
                .saturating_add_signed(isize::try_from(rows).unwrap_or(0)),
        }
        .min(last);
        match step {
            // A page shows the rows that follow, with the cursor at the same height.
            Step::PageUp => self.top = self.top.saturating_sub(page),
            Step::PageDown => self.top = self.top.saturating_add(page),
            _ => {}
        }
        self.keep_in_view(len, height);
        self.at != before
    }

    /// Puts the cursor on `row`, and the window around it.
    pub fn put(&mut self, row: usize, len: usize, height: usize) {
        self.at = row.min(len.saturating_sub(1));
        self.keep_in_view(len, height);
    }

    /// Moves the window so that it shows the cursor and no more emptiness than needed.
    ///
    /// A step over the edge moves the window by half its height: on a slow line one larger
    /// picture now and then costs far less than a shifted one at every step.
    pub fn keep_in_view(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.at = self.at.min(len.saturating_sub(1));
        if self.at < self.top {
            self.top = if self.top - self.at <= 1 {
                self.at
                    .saturating_sub((height / 2).saturating_sub(1).min(height - 1))
            } else {
                self.at
            };
        } else if self.at - self.top >= height {
            self.top = if self.at - self.top == height {
                self.at - height / 2
            } else {
                self.at + 1 - height
            };
        }
        self.top = self.top.min(len.saturating_sub(height));
    }

    /// The rows that are shown.
    pub fn window(&self, len: usize, height: usize) -> std::ops::Range<usize> {
        let from = self.top.min(len);
        from..(from + height).min(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_over_the_edge_moves_the_window_by_half() {
        let mut cursor = Cursor::default();
        for _ in 0..10 {
            cursor.step(Step::Down, 100, 10);
        }
        assert_eq!(cursor, Cursor { at: 10, top: 5 });
        for _ in 0..6 {
            cursor.step(Step::Up, 100, 10);
        }
        assert_eq!((cursor.at, cursor.top), (4, 0));
    }

    #[test]
    fn the_cursor_stays_in_view_in_lists_of_any_length() {
        for len in 0..30 {
            for height in 0..12 {
                let mut cursor = Cursor::default();
                let steps = [
                    Step::Down,
                    Step::PageDown,
                    Step::HalfDown,
                    Step::Bottom,
                    Step::Up,
                    Step::HalfUp,
                    Step::PageUp,
                    Step::By(7),
                    Step::By(-3),
                    Step::Top,
                ];
                for step in steps.iter().chain(steps.iter().rev()) {
                    cursor.step(*step, len, height);
                    assert!(cursor.at < len.max(1));
                    let window = cursor.window(len, height.max(1));
                    assert!(
                        len == 0 || window.contains(&cursor.at),
                        "{cursor:?} {len} {height}"
                    );
                }
            }
        }
    }
}
