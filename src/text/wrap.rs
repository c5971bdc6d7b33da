//! Breaks text into lines: at words where it can, at cluster borders where it must.
//!
//! Returns ranges of the text, so that a caller that has attributes by range (a document, a
//! selection) can carry them over. Nothing but spaces at the breaks is ever left out.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::width::cluster_width;

/// The columns there are for the text of a line: the indent is the caller's and taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// On the first line.
    pub first: usize,
    /// On all others, and after a line feed.
    pub rest: usize,
}

impl From<usize> for Columns {
    fn from(columns: usize) -> Self {
        Self {
            first: columns,
            rest: columns,
        }
    }
}

/// Breaks text into lines, given as byte ranges without the line feeds and the spaces at breaks.
///
/// A line feed always breaks. Wide characters (Chinese, Japanese) may break on both sides. A word
/// longer than the line is broken between clusters. A wide character in a field of one column
/// stands alone on its line and is wider than the field. Always at least one line.
pub fn wrap(text: &str, columns: impl Into<Columns>) -> Vec<Range<usize>> {
    let columns = columns.into();
    let mut lines = Vec::new();
    let mut budget = columns.first.max(1);
    let mut offset = 0;
    for paragraph in text.split('\n') {
        wrap_paragraph(
            paragraph,
            offset,
            &mut budget,
            columns.rest.max(1),
            &mut lines,
        );
        offset += paragraph.len() + 1;
    }
    lines
}

fn wrap_paragraph(
    text: &str,
    offset: usize,
    budget: &mut usize,
    rest: usize,
    lines: &mut Vec<Range<usize>>,
) {
    let mut start = 0;
    let mut used = 0;
    // Where the line could end, where the next would begin, and what is used up to there.
    let mut chance: Option<(usize, usize, usize)> = None;
    let mut last_end = 0;
    let mut previous_wide = false;
    let mut in_spaces = false;
    for (index, cluster) in text.grapheme_indices(true) {
        let wide = cluster_width(cluster);
        let space = cluster == " ";
        if space {
            used += wide;
            in_spaces = true;
            previous_wide = false;
            continue;
        }
        if in_spaces {
            // The spaces in front of the first word are an indent that the text brought along.
            if last_end > start {
                chance = Some((last_end, index, used));
            }
            in_spaces = false;
        } else if (wide == 2 || previous_wide) && index > start {
            chance = Some((index, index, used));
        }
        if used + wide > *budget && index > start {
            let (end, next, before) = chance.take().unwrap_or((index, index, used));
            lines.push(offset + start..offset + end);
            start = next;
            used -= before;
            *budget = rest;
            // What was carried over may itself be longer than the narrower line.
            while used + wide > *budget && index > start {
                let cut = start + fitting(&text[start..index], *budget);
                lines.push(offset + start..offset + cut);
                start = cut;
                used = super::width::width(&text[start..index]);
            }
        }
        used += wide;
        last_end = index + cluster.len();
        previous_wide = wide == 2;
    }
    // Spaces at the end stay only where they fit: they carry the cursor of a field, no more.
    let end = if last_end > start {
        last_end
    } else {
        text.len().max(start)
    };
    lines.push(offset + start..offset + end.min(text.len()));
    *budget = rest;
}

/// The length in bytes of what fits into `columns`, one cluster at least.
fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (index, cluster) in text.grapheme_indices(true) {
        used += cluster_width(cluster);
        if used > columns && index > 0 {
            return index;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::plain::scrub_lines;
    use crate::text::width::width;

    fn lines(text: &str, columns: usize) -> Vec<&str> {
        wrap(text, columns)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn breaks_between_words() {
        assert_eq!(lines("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(lines("the quick  brown", 9), ["the quick", "brown"]);
        assert_eq!(lines("a\n\nb", 9), ["a", "", "b"]);
        assert_eq!(lines("", 9), [""]);
        assert_eq!(lines("  indented text", 10), ["  indented", "text"]);
    }

    #[test]
    fn breaks_words_that_are_too_long() {
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("ab abcdefgh", 4), ["ab", "abcd", "efgh"]);
        assert_eq!(
            lines("e\u{301}e\u{301}e\u{301}", 2),
            ["e\u{301}e\u{301}", "e\u{301}"]
        );
    }

    #[test]
    fn wide_characters_break_anywhere_but_inside() {
        assert_eq!(lines("日本語のページ", 5), ["日本", "語の", "ペー", "ジ"]);
        assert_eq!(lines("ab日本", 3), ["ab", "日", "本"]);
        assert_eq!(lines("日本", 1), ["日", "本"]);
    }

    #[test]
    fn the_first_line_may_have_its_own_width() {
        let columns = Columns { first: 9, rest: 4 };
        let text = "one two three";
        let lines: Vec<_> = wrap(text, columns).into_iter().map(|r| &text[r]).collect();
        assert_eq!(lines, ["one two", "thre", "e"]);
    }

    proptest! {
        #[test]
        fn fits_and_loses_nothing(text in "[a-c 日é\u{301}\n👍]{0,60}", first in 0..12usize, rest in 0..12usize) {
            let text = scrub_lines(&text);
            let lines = wrap(&text, Columns { first, rest });
            let mut at = 0;
            let mut kept = String::new();
            for (index, line) in lines.iter().enumerate() {
                prop_assert!(line.start >= at);
                prop_assert!(text[at..line.start].chars().all(|c| c == ' ' || c == '\n'));
                at = line.end;
                let limit = if index == 0 { first } else { rest };
                let line = &text[line.clone()];
                prop_assert!(
                    width(line.trim_end()) <= limit.max(1)
                        || line.graphemes(true).count() == 1,
                    "{line:?} in {limit}"
                );
                kept.push_str(line);
            }
            prop_assert!(text[at..].chars().all(|c| c == ' ' || c == '\n'));
        }
    }
}
