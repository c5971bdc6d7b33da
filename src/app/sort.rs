//! Sorting in slices, so that a key is answered while a million rows are put in order.
//!
//! A merge sort from the bottom up: short runs first, then pairs of runs become one, pass by pass.
//! Equal things keep their order.

use std::cmp::Ordering;

/// How many are sorted in one go.
const RUN: usize = 2_048;

/// Things that are being sorted.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) struct Sorter<T> {
    from: Vec<T>,
    to: Vec<T>,
    /// How long the sorted runs are; 0 while the first ones are made.
    run: usize,
    /// Where the pair of runs that is merged begins.
    at: usize,
    /// The next of the left and of the right run.
    heads: (usize, usize),
}

impl<T: Copy> Sorter<T> {
    /// Begins.
    pub(in crate::app) fn new(things: Vec<T>) -> Self {
        Self {
            from: things,
            to: Vec::new(),
            run: 0,
            at: 0,
            heads: (0, 0),
        }
    }

    /// How many there are.
    pub(in crate::app) fn len(&self) -> usize {
        self.from.len()
    }

    /// What was sorted.
    pub(in crate::app) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.from)
    }

    /// Goes on for about `budget` comparisons. Says whether all is in order.
    pub(in crate::app) fn step(
        &mut self,
        budget: usize,
        mut compare: impl FnMut(&T, &T) -> Ordering,
    ) -> bool {
        let len = self.from.len();
        let mut left = budget;
        if self.run == 0 {
            while self.at < len {
                if left == 0 {
                    return false;
                }
                let end = (self.at + RUN).min(len);
                self.from[self.at..end].sort_by(&mut compare);
                // A run takes as many comparisons as it has bits for each.
                left = left.saturating_sub((end - self.at) * 8);
                self.at = end;
            }
            self.run = RUN;
            self.begin_pass();
        }
        while self.run < len {
            while self.at < len {
                let middle = (self.at + self.run).min(len);
                let end = (middle + self.run).min(len);
                let (mut one, mut other) = self.heads;
                while one < middle || other < end {
                    if left == 0 {
                        self.heads = (one, other);
                        return false;
                    }
                    left -= 1;
                    let takes_one = other == end
                        || (one < middle
                            && compare(&self.from[one], &self.from[other]) != Ordering::Greater);
                    let next = if takes_one { &mut one } else { &mut other };
                    self.to.push(self.from[*next]);
                    *next += 1;
                }
                self.at = end;
                self.heads = (end, (end + self.run).min(len));
            }
            std::mem::swap(&mut self.from, &mut self.to);
            self.run *= 2;
            self.begin_pass();
        }
        self.to = Vec::new();
        true
    }

    fn begin_pass(&mut self) {
        self.to.clear();
        self.at = 0;
        self.heads = (0, self.run.min(self.from.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// In whatever slices, it ends as the sort of the standard library does.
        #[test]
        fn slices_end_as_one_go_does(
            keys in proptest::collection::vec(0..50_u8, 0..9_000),
            budget in 1..30_000_usize,
        ) {
            let things: Vec<(u8, usize)> = keys.iter().copied().zip(0..).collect();
            let mut wanted = things.clone();
            wanted.sort_by_key(|(key, _)| *key);
            let mut sorter = Sorter::new(things);
            let mut steps = 0;
            while !sorter.step(budget, |(a, _), (b, _)| a.cmp(b)) {
                steps += 1;
                proptest::prop_assert!(steps < 200_000, "it ends");
            }
            proptest::prop_assert_eq!(sorter.take(), wanted);
        }
    }

    #[test]
    fn a_slice_is_no_longer_than_it_may_be() {
        let things: Vec<u32> = (0..100_000).rev().collect();
        let mut sorter = Sorter::new(things);
        let (mut most, mut steps) = (0, 0);
        loop {
            let mut compared = 0_usize;
            let done = sorter.step(10_000, |a, b| {
                compared += 1;
                a.cmp(b)
            });
            most = most.max(compared);
            steps += 1;
            if done {
                break;
            }
        }
        assert!(most <= 10_000 + RUN * 16, "{most} comparisons in one slice");
        assert!(steps > 40, "{steps}");
    }
}
