//! How wide the texts of a column are: kept as rows come, so that a picture need not look at all of
//! them, and the same however the list is scrolled.

use serde::Serialize;

use crate::text::width::width;

/// Wider texts count as this wide: no column is wider.
const WIDEST: usize = 120;

/// How many texts there are of each width.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    counts: Vec<u32>,
}

impl Spread {
    /// Takes in the text of a row.
    pub fn add(&mut self, text: &str) {
        let wide = width(text).min(WIDEST);
        if self.counts.len() <= wide {
            self.counts.resize(wide + 1, 0);
        }
        self.counts[wide] += 1;
    }

    /// Takes out a text that was taken in.
    pub fn remove(&mut self, text: &str) {
        if let Some(count) = self.counts.get_mut(width(text).min(WIDEST)) {
            *count = count.saturating_sub(1);
        }
    }

    /// The width of the widest, in columns.
    pub fn widest(&self) -> u16 {
        let last = self.counts.iter().rposition(|count| *count > 0);
        u16::try_from(last.unwrap_or(0)).unwrap_or(u16::MAX)
    }

    /// The width that nineteen of twenty texts need, in columns: one long name is no measure for the others.
    pub fn most(&self) -> u16 {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen * 20 >= all * 19
        });
        u16::try_from(at.unwrap_or(0)).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wide_text_is_the_widest_and_not_what_most_need() {
        let mut spread = Spread::default();
        assert_eq!((spread.widest(), spread.most()), (0, 0));
        for _ in 0..19 {
            spread.add("港の");
        }
        spread.add("a very long name");
        assert_eq!((spread.widest(), spread.most()), (16, 4));
        spread.add("a very long name");
        assert_eq!(spread.most(), 16);
        spread.remove("a very long name");
        spread.remove("a very long name");
        assert_eq!((spread.widest(), spread.most()), (4, 4));
        spread.add(&"x".repeat(1_000));
        assert_eq!(usize::from(spread.widest()), WIDEST);
    }
}
