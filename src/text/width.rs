//! How wide text is on the screen, and how to make it fit.
//!
//! Widths are those of ratatui's cells: by cluster (what a person calls a character), by
//! `unicode-width`, with the halfwidth Katakana sound marks counted as one column each. The sum
//! over clusters is what is drawn; the width of a whole string may be less (an Arabic lam and
//! alef count one together, and yet fill two cells), so nothing else should be used to lay out.
//!
//! All of these take scrubbed text ([`super::plain`]). None of them ever cuts a cluster.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Where text stands in a field that is wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left: names.
    Left,
    /// In the middle: titles.
    Centre,
    /// At the right: numbers.
    Right,
}

/// The sign for what was left out.
pub const ELLIPSIS: &str = "…";

const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// Whether text is printable ASCII alone: a column for each byte.
pub fn is_ascii_line(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7F).contains(&byte))
}

/// The columns that one cluster fills.
pub fn cluster_width(cluster: &str) -> usize {
    match cluster.as_bytes() {
        [byte] => usize::from(!byte.is_ascii_control()),
        _ if cluster.contains(char::is_control) => 0,
        _ => {
            cluster.width()
                + cluster
                    .chars()
                    .filter(|c| matches!(c, '\u{FF9E}' | '\u{FF9F}'))
                    .count()
        }
    }
}

/// The columns that text fills in one row.
pub fn width(text: &str) -> usize {
    if is_ascii_line(text) {
        return text.len();
    }
    text.graphemes(true).map(cluster_width).sum()
}

/// Cuts text at its end to at most `columns`, with `…` where something was cut.
///
/// A wide character that would be halved is left out, so the result may be a column short;
/// [`fit`] fills it up.
pub fn clip(text: &str, columns: usize) -> Cow<'_, str> {
    if (text.len() <= columns && is_ascii_line(text)) || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut end = 0;
    for (index, cluster) in text.grapheme_indices(true) {
        used += cluster_width(cluster);
        // One column belongs to the ellipsis.
        if used >= columns {
            break;
        }
        end = index + cluster.len();
    }
    Cow::Owned(format!("{}{ELLIPSIS}", &text[..end]))
}

/// As much of a sentence as fits into this many columns: whole sentences or clauses of it where it has
/// some, as half a word tells nothing; else as [`clip`] has it. A blank at either end stays.
pub fn clauses(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let last = if text.ends_with(' ') { " " } else { "" };
    let mut kept = None;
    for (at, sign) in text.match_indices([':', '.', ';']) {
        let rest = &text[at + sign.len()..];
        // The sign is a period in its place; a number has signs inside.
        if rest.starts_with(' ') && !rest.trim().is_empty() && at > columns / 3 {
            let part = format!("{}.{last}", &text[..at]);
            if width(&part) <= columns {
                kept = Some(part);
            }
        }
    }
    kept.map_or_else(|| clip(text, columns), Cow::Owned)
}

/// Cuts text at its start to at most `columns`, with `…` where something was cut: for paths and
/// for fields whose cursor is at the end.
pub fn clip_start(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut start = text.len();
    for (index, cluster) in text.grapheme_indices(true).rev() {
        used += cluster_width(cluster);
        if used >= columns {
            break;
        }
        start = index;
    }
    Cow::Owned(format!("{ELLIPSIS}{}", &text[start..]))
}

/// Fills text with spaces to at least `columns`.
pub fn pad(text: &str, columns: usize, align: Align) -> Cow<'_, str> {
    let gap = columns.saturating_sub(width(text));
    if gap == 0 {
        return Cow::Borrowed(text);
    }
    let (left, right) = match align {
        Align::Left => (0, gap),
        Align::Centre => (gap / 2, gap - gap / 2),
        Align::Right => (gap, 0),
    };
    Cow::Owned(format!("{:left$}{text}{:right$}", "", ""))
}

/// Makes text exactly `columns` wide: cut, then filled.
pub fn fit(text: &str, columns: usize, align: Align) -> Cow<'_, str> {
    match clip(text, columns) {
        Cow::Borrowed(text) => pad(text, columns, align),
        Cow::Owned(text) => Cow::Owned(pad(&text, columns, align).into_owned()),
    }
}

/// The byte range of text that fills the columns from `from` on, `columns` at most: for fields
/// that scroll sideways. Starts and ends at cluster borders.
pub fn window(text: &str, from: usize, columns: usize) -> std::ops::Range<usize> {
    let mut at = 0;
    let mut start = None;
    let mut end = text.len();
    for (index, cluster) in text.grapheme_indices(true) {
        let wide = cluster_width(cluster);
        if start.is_none() && at >= from {
            start = Some((index, at));
        }
        if let Some((_, first)) = start
            && at + wide > first.max(from) + columns
        {
            end = index;
            break;
        }
        at += wide;
    }
    let start = start.map_or(text.len(), |(index, _)| index);
    start..end.max(start)
}

/// Whether text has letters that run from right to left.
pub fn has_right_to_left(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|c| {
            matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
                | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        })
}

/// Wraps text with right-to-left letters in an isolate, so that a terminal that reorders can't
/// move what stands beside it.
///
/// To be called last, on text that is scrubbed and clipped already: the scrubber takes isolates
/// out and a clip would cut the closing one off. The width stays the same. The two characters
/// are clusters of their own with no width: `Buffer::set_string` and `set_line` of ratatui drop
/// them, while a `Span` or `Line` *rendered as a widget* hangs them on the cells beside them. So
/// draw isolated text as a widget. In plain mode don't call this at all.
pub fn isolate(text: &str) -> Cow<'_, str> {
    if !has_right_to_left(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"))
}

/// How many isolates are open behind `text`, of which so many were open before it.
pub fn isolates_open(text: &str, before: usize) -> usize {
    if text.is_ascii() {
        return before;
    }
    text.chars().fold(before, |open, c| match c {
        FIRST_STRONG_ISOLATE => open + 1,
        POP_ISOLATE => open.saturating_sub(1),
        _ => open,
    })
}

/// Text with so many isolates closed behind it.
pub fn isolates_closed(text: &str, open: usize) -> String {
    text.chars()
        .chain(std::iter::repeat_n(POP_ISOLATE, open))
        .collect()
}

/// Text with so many isolates opened before it.
pub fn isolates_opened(text: &str, open: usize) -> String {
    std::iter::repeat_n(FIRST_STRONG_ISOLATE, open)
        .chain(text.chars())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_a_sentence_that_is_too_long_whole_clauses_are_kept() {
        let text =
            " The file items-0001.ndjson.gz is not what was written: its check sum differs. ";
        assert_eq!(clauses(text, 100), text);
        assert_eq!(
            clauses(text, 76),
            " The file items-0001.ndjson.gz is not what was written. "
        );
        // What has no clause that fits is cut with a sign.
        assert_eq!(clauses(text, 20), clip(text, 20));
        let two = "The line to 127.0.0.1 dropped. Enter tries again.";
        assert_eq!(clauses(two, 40), "The line to 127.0.0.1 dropped.");
        for columns in 0..90 {
            assert!(width(&clauses(text, columns)) <= columns);
        }
    }

    use crate::text::plain::scrub;

    #[test]
    fn widths_by_cluster() {
        for (text, columns) in [
            ("", 0),
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            ("👩\u{200D}👩\u{200D}👧", 2),
            ("❤\u{FE0F}", 2),
            ("🇩🇪", 2),
            ("👍🏽", 2),
            ("لا", 2),
        ] {
            assert_eq!(width(text), columns, "{text:?}");
        }
    }

    #[test]
    fn clipping_keeps_clusters_whole() {
        assert_eq!(clip("Engineering", 11), "Engineering");
        assert_eq!(clip("Engineering", 6), "Engin…");
        assert_eq!(clip("日本語", 4), "日…");
        assert_eq!(clip("日本語", 5), "日本…");
        assert_eq!(clip("ae\u{301}bc", 3), "ae\u{301}…");
        assert_eq!(clip("abc", 0), "");
        assert_eq!(clip("abc", 1), "…");
        assert_eq!(
            clip_start("Home / Engineering / Runbooks", 10),
            "… Runbooks"
        );
        assert_eq!(clip_start("日本語", 4), "…語");
        assert_eq!(clip_start("abc", 0), "");
    }

    #[test]
    fn fitting_is_exact() {
        assert_eq!(fit("日本語", 4, Align::Left), "日… ");
        assert_eq!(fit("7", 3, Align::Right), "  7");
        assert_eq!(fit("ab", 5, Align::Centre), " ab  ");
        assert_eq!(pad("abc", 2, Align::Left), "abc");
    }

    #[test]
    fn windows_scroll_sideways() {
        let text = "ab日本cd";
        assert_eq!(&text[window(text, 0, 3)], "ab");
        assert_eq!(&text[window(text, 2, 4)], "日本");
        assert_eq!(&text[window(text, 3, 4)], "本cd");
        assert_eq!(&text[window(text, 99, 4)], "");
    }

    #[test]
    fn names_from_right_to_left_are_isolated() {
        assert!(matches!(isolate("Home"), Cow::Borrowed(_)));
        let name = "شركة";
        let isolated = isolate(name);
        assert_eq!(isolated, format!("\u{2068}{name}\u{2069}"));
        assert_eq!(width(&isolated), width(name));
    }

    proptest! {
        #[test]
        fn always_fits(text in "\\PC{0,30}", columns in 0..40usize) {
            let text = scrub(&text);
            prop_assert!(width(&clip(&text, columns)) <= columns);
            prop_assert!(width(&clip_start(&text, columns)) <= columns);
            for align in [Align::Left, Align::Centre, Align::Right] {
                prop_assert_eq!(width(&fit(&text, columns, align)), columns);
            }
            let range = window(&text, columns / 2, columns);
            prop_assert!(width(&text[range]) <= columns);
        }
    }
}
