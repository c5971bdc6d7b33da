//! Makes text from elsewhere safe to show, in one place.
//!
//! A title, a user name or an error text is written by somebody else. Sent to a terminal as it
//! is, it could move the cursor, retitle the window, reorder the row that it stands in or hide
//! half of itself. `decode` sends every string of a server through [`scrub`] once (what is also written
//! or kept stands beside it as it was sent: `confluence::ServerText`); whatever else
//! reaches a terminal from outside (error texts, file names) goes the same way. This module must
//! never let a control character out, and never fail.
//!
//! What becomes of what, and why:
//!
//! | found | becomes | because |
//! | --- | --- | --- |
//! | tab, line feed and the other line breaks (CR, VT, FF, NEL, U+2028, U+2029) | one space for a run of them | they part words |
//! | the rest of C0, DEL, C1, noncharacters | `�` | never there by accident: the reader should see that something was |
//! | bidirectional controls, zero-width characters, soft hyphens, tags, fillers | nothing | pasted from web pages all the time; a sign for each would be noise |
//! | U+200D and U+200C | kept between emoji or letters of scripts that need them, else nothing | a family emoji or a Persian word is broken without |
//! | a cluster of more than sixteen characters | its first sixteen and `�` | hundreds of marks on one letter cover the rows around it |
//! | a combining mark with nothing before it | on a dotted circle `◌` | it would sit on the border of the pane |

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

use super::width;

/// The most characters that one cluster may have. The longest emoji in use has eleven.
const CLUSTER_LIMIT: usize = 16;

/// Columns from one tab stop to the next in [`scrub_lines`].
const TAB_STOP: usize = 4;

const REPLACEMENT: char = '\u{FFFD}';
const DOTTED_CIRCLE: char = '\u{25CC}';
const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';

/// Makes one line of safe text of any text.
///
/// Borrows what is clean already. Scrubbing twice changes nothing more.
pub fn scrub(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) || is_clean(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(cut_clusters(&replace(text)))
}

/// A sentence without the numbers that the system has for its failures: "No such file or directory (os
/// error 2)" is told as "No such file or directory".
///
/// Every sentence of ours passes here on its way to a person, so that none has to think of it.
pub fn without_numbers(sentence: &str) -> Cow<'_, str> {
    const BEGINS: &str = " (os error ";
    if !sentence.contains(BEGINS) {
        return Cow::Borrowed(sentence);
    }
    let mut parts = sentence.split(BEGINS);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                told.push_str(rest);
            }
            _ => {
                told.push_str(BEGINS);
                told.push_str(part);
            }
        }
    }
    Cow::Owned(told)
}

/// Makes safe text of any text and keeps its lines.
///
/// Every kind of line break becomes `\n`; tabs become spaces up to the next multiple of four
/// columns. Otherwise as [`scrub`], line by line.
pub fn scrub_lines(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte == b'\n' || (0x20..0x7F).contains(&byte))
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let unified = text.replace("\r\n", "\n");
    for (index, line) in unified.split(is_line_break).enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let start = out.len();
        let mut columns = 0;
        for (index, piece) in line.split('\t').enumerate() {
            if index > 0 {
                let gap = TAB_STOP - columns % TAB_STOP;
                out.extend(std::iter::repeat_n(' ', gap));
                columns += gap;
            }
            let piece = scrub(piece);
            columns += width::width(&piece);
            out.push_str(&piece);
        }
        // Blanks made of a tab can join what follows them to one cluster that is too long.
        let line = scrub(&out[start..]).into_owned();
        out.truncate(start);
        out.push_str(&line);
        debug_assert!(!out[start..].contains('\n'));
    }
    if out == text {
        return Cow::Borrowed(text);
    }
    Cow::Owned(out)
}

/// Whether a character, looked at alone, neither drives a terminal nor reorders a line nor hides in
/// one. A selector counts as visible: it varies what stands before it.
pub fn is_visible(c: char) -> bool {
    matches!(verdict(c), Verdict::Keep | Verdict::Selector)
}

/// What is to be done with one character, looked at alone.
enum Verdict {
    Keep,
    Drop,
    /// Parts words: a space.
    Break,
    /// Never there by accident: shown as a replacement character.
    Show,
    /// Kept or dropped by its neighbours.
    Joiner,
    /// Kept only behind something that it can vary.
    Selector,
}

fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn verdict(c: char) -> Verdict {
    match c {
        ' '..='~' => Verdict::Keep,
        '\t' => Verdict::Break,
        _ if is_line_break(c) => Verdict::Break,
        '\0'..='\u{9F}' => Verdict::Show,
        ZWNJ | ZWJ => Verdict::Joiner,
        '\u{FE00}'..='\u{FE0F}' => Verdict::Selector,
        // Soft hyphen (terminals disagree about its width), grapheme joiner, Arabic letter mark,
        // Mongolian vowel separator.
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}'
        // Zero-width space, directional marks, embeddings and overrides.
        | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        // Word joiner, invisible operators, isolates, deprecated format characters.
        | '\u{2060}'..='\u{206F}'
        // Fillers: blank, yet letters.
        | '\u{3164}' | '\u{FFA0}'
        // Byte order mark, annotations, shorthand and musical format characters.
        | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        // Tags and the supplementary selectors: text hidden in text.
        | '\u{E0000}'..='\u{E0FFF}' => Verdict::Drop,
        '\u{FDD0}'..='\u{FDEF}' => Verdict::Show,
        _ if u32::from(c) & 0xFFFE == 0xFFFE => Verdict::Show,
        _ => Verdict::Keep,
    }
}

/// Whether there is nothing to do: no character that needs a closer look and no run that could
/// be an overlong cluster.
fn is_clean(text: &str) -> bool {
    let mut run = 0;
    for (index, c) in text.chars().enumerate() {
        if !matches!(verdict(c), Verdict::Keep) {
            return false;
        }
        if index == 0 && has_no_width(c) {
            return false;
        }
        // These are bases of their own: a cluster ends before each of them.
        let base = matches!(c, '\0'..='\u{2FF}' | '\u{370}'..='\u{482}' | '\u{48A}'..='\u{58F}'
            | '\u{3041}'..='\u{3098}' | '\u{309B}'..='\u{9FFF}');
        run = if base { 0 } else { run + 1 };
        // A cluster is one base and what follows it.
        if run >= CLUSTER_LIMIT {
            return text.graphemes(true).all(|cluster| !is_overlong(cluster))
                && text.chars().all(|c| matches!(verdict(c), Verdict::Keep));
        }
    }
    true
}

fn has_no_width(c: char) -> bool {
    UnicodeWidthChar::width(c).unwrap_or(0) == 0
}

fn is_overlong(cluster: &str) -> bool {
    cluster.len() > CLUSTER_LIMIT && cluster.chars().nth(CLUSTER_LIMIT).is_some()
}

/// The first pass: character by character.
fn replace(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_break = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let was_after_break = std::mem::take(&mut after_break);
        match verdict(c) {
            Verdict::Keep => {
                if out.is_empty() && has_no_width(c) {
                    out.push(DOTTED_CIRCLE);
                }
                out.push(c);
            }
            Verdict::Drop => after_break = was_after_break,
            Verdict::Break => {
                if !was_after_break {
                    out.push(' ');
                }
                after_break = true;
            }
            Verdict::Show => out.push(REPLACEMENT),
            Verdict::Joiner => {
                // What will stand behind it once the characters that are dropped are gone.
                let next = chars
                    .clone()
                    .find(|&c| !matches!(verdict(c), Verdict::Drop));
                if joins(c, &out, next) {
                    out.push(c);
                } else {
                    after_break = was_after_break;
                }
            }
            Verdict::Selector => {
                let base = out.chars().next_back();
                if base.is_some_and(|base| base != ' ' && !is_selector(base)) {
                    out.push(c);
                } else {
                    after_break = was_after_break;
                }
            }
        }
    }
    out
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}')
}

/// Whether a joiner does something between what is there already and what comes next.
fn joins(joiner: char, before: &str, next: Option<char>) -> bool {
    let Some(previous) = before.chars().rev().find(|&c| !is_selector(c)) else {
        return false;
    };
    if joiner == ZWJ && is_virama(previous) {
        return true;
    }
    let Some(next) = next else {
        return false;
    };
    (joiner == ZWJ && is_pictograph(previous) && is_pictograph(next))
        || (needs_joiners(previous) && needs_joiners(next))
}

/// The blocks that emoji come from. Wider than the property: a joiner between two arrows is
/// harmless, as it joins nothing.
fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}'
        | '\u{20E3}' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}'
        | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Letters of scripts in which a joiner changes the shape of a word: Arabic, Syriac, Thaana,
/// N'Ko, the scripts of India, Tibetan, Myanmar, Khmer, Mongolian and their supplements.
fn needs_joiners(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{DFF}' | '\u{F00}'..='\u{109F}' | '\u{1780}'..='\u{18AF}'
        | '\u{1A00}'..='\u{1AAF}' | '\u{1B00}'..='\u{1C4F}' | '\u{A840}'..='\u{A8FF}'
        | '\u{A980}'..='\u{A9DF}' | '\u{AA00}'..='\u{AADF}' | '\u{ABC0}'..='\u{ABFF}'
        | '\u{FB50}'..='\u{FDCF}' | '\u{FE70}'..='\u{FEFC}' | '\u{11000}'..='\u{11FFF}')
}

/// The sign that a consonant has no vowel; a joiner behind it asks for the half form, also at
/// the end of a word.
fn is_virama(c: char) -> bool {
    matches!(
        c,
        '\u{94D}'
            | '\u{9CD}'
            | '\u{A4D}'
            | '\u{ACD}'
            | '\u{B4D}'
            | '\u{BCD}'
            | '\u{C4D}'
            | '\u{CCD}'
            | '\u{D4D}'
            | '\u{DCA}'
    )
}

/// The second pass: clusters that are too long are cut, visibly.
fn cut_clusters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        if is_overlong(cluster) {
            let end = cluster
                .char_indices()
                .nth(CLUSTER_LIMIT)
                .map_or(cluster.len(), |(index, _)| index);
            out.push_str(cluster[..end].trim_end_matches([ZWJ, ZWNJ]));
            // The sign also keeps what is left from growing into the cluster behind it.
            out.push(REPLACEMENT);
        } else {
            out.push_str(cluster);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_numbers_of_the_system_are_left_out_of_a_sentence_and_nothing_else() {
        for (said, told) in [
            (
                "x.pem could not be read: No such file or directory (os error 2).",
                "x.pem could not be read: No such file or directory.",
            ),
            ("a (os error 2) and b (os error 111) fail", "a and b fail"),
            ("a page named (os error x)", "a page named (os error x)"),
            ("an end (os error 2", "an end (os error 2"),
            ("nothing of it", "nothing of it"),
        ] {
            assert_eq!(without_numbers(said), told);
        }
    }

    #[test]
    fn clean_text_is_borrowed() {
        for text in [
            "",
            "Engineering Home",
            "Übergabe – Größe",
            "日本語のページ",
            "👍🏽 done",
            "한국어",
            "Résumé e\u{301}",
        ] {
            assert!(matches!(scrub(text), Cow::Borrowed(_)), "{text:?}");
            assert_eq!(scrub(text), text);
        }
    }

    #[test]
    fn controls_become_visible_or_a_space() {
        assert_eq!(scrub("a\x1b]0;x\x07b"), "a�]0;x�b");
        assert_eq!(scrub("a\u{9b}31mb\x7f"), "a�31mb�");
        assert_eq!(scrub("a\r\n\tb"), "a b");
        assert_eq!(scrub("a\u{2028}b\u{85}c"), "a b c");
        assert_eq!(scrub("a \n b"), "a   b");
        assert_eq!(scrub("\u{FFFF}\u{1FFFE}"), "��");
    }

    #[test]
    fn what_reorders_or_hides_is_gone() {
        assert_eq!(scrub("invoice\u{202E}fdp.exe"), "invoicefdp.exe");
        assert_eq!(scrub("\u{2066}a\u{2069}\u{200E}\u{200F}\u{61C}b"), "ab");
        assert_eq!(scrub("ad\u{200B}min\u{FEFF}\u{2060}\u{AD}"), "admin");
        assert_eq!(scrub("x\u{E0041}\u{E0042}"), "x");
    }

    #[test]
    fn joiners_stay_where_they_join() {
        let family = "👩\u{200D}👩\u{200D}👧";
        let heart = "❤\u{FE0F}\u{200D}🔥";
        let persian = "می\u{200C}خواهم";
        for text in [family, heart, persian] {
            assert_eq!(scrub(text), text);
        }
        assert_eq!(scrub("ad\u{200D}min\u{200C}"), "admin");
        assert_eq!(scrub("👩\u{200D}"), "👩");
        assert_eq!(scrub("a\u{FE0F}\u{FE0F}"), "a\u{FE0F}");
        assert_eq!(scrub("\u{FE0F}a"), "a");
    }

    #[test]
    fn towers_of_marks_are_cut() {
        let tower = format!("a{}b", "\u{301}".repeat(500));
        let cut = scrub(&tower).into_owned();
        assert_eq!(cut, format!("a{}�b", "\u{301}".repeat(15)));
        assert_eq!(scrub("\u{301}a"), "◌\u{301}a");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(scrub_lines("a\r\nb\rc\u{2028}d\n"), "a\nb\nc\nd\n");
        assert_eq!(scrub_lines("\tif\tx"), "    if  x");
        assert_eq!(scrub_lines("日本\tx"), "日本    x");
        assert!(matches!(scrub_lines("a\nb"), Cow::Borrowed(_)));
    }

    /// Text with everything in it that this module is about.
    fn hostile() -> impl Strategy<Value = String> {
        let nasty = prop::sample::select(vec![
            '\x1b',
            '\x07',
            '\0',
            '\t',
            '\n',
            '\r',
            '\u{7f}',
            '\u{85}',
            '\u{9b}',
            '\u{202E}',
            '\u{2068}',
            '\u{200B}',
            '\u{200C}',
            '\u{200D}',
            '\u{FE0F}',
            '\u{E0041}',
            '\u{301}',
            '\u{1F469}',
            '\u{1F3FD}',
            '\u{2764}',
            '\u{1F1E9}',
            '\u{645}',
            '\u{94D}',
            '\u{915}',
            '\u{1100}',
            '\u{1161}',
            '\u{11A8}',
            '\u{605}',
            '\u{FFFD}',
            ' ',
            'a',
            '日',
        ]);
        let c = prop_oneof![4 => nasty, 1 => any::<char>()];
        prop_oneof![
            prop::collection::vec(c.clone(), 0..60).prop_map(|v| v.into_iter().collect()),
            // Few kinds, often: long clusters.
            (c.clone(), c, 0..40usize, 0..40usize).prop_map(|(a, b, n, m)| {
                let mut text: String = std::iter::repeat_n(a, n).collect();
                text.extend(std::iter::repeat_n(b, m));
                text.extend(std::iter::repeat_n(a, n));
                text
            }),
        ]
    }

    fn is_harmful(c: char) -> bool {
        c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}'
                | '\u{200E}' | '\u{200F}' | '\u{61C}' | '\u{2028}' | '\u{2029}' | '\u{2060}'
                | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
    }

    proptest! {
        #[test]
        fn nothing_harmful_comes_out(text in hostile()) {
            let out = scrub(&text);
            prop_assert!(!out.contains(is_harmful), "{:?}", out);
            let longest = out.graphemes(true).map(|g| g.chars().count()).max().unwrap_or(0);
            prop_assert!(longest <= CLUSTER_LIMIT + 1);
            let lines = scrub_lines(&text);
            prop_assert!(!lines.contains(|c| c != '\n' && is_harmful(c)), "{:?}", lines);
        }

        #[test]
        fn scrubbing_twice_changes_nothing(text in hostile()) {
            let once = scrub(&text).into_owned();
            prop_assert_eq!(scrub(&once), once.as_str());
            prop_assert!(matches!(scrub(&once), Cow::Borrowed(_)) || !is_clean(&once));
            let once = scrub_lines(&text).into_owned();
            prop_assert_eq!(scrub_lines(&once), once.as_str());
        }
    }
}
