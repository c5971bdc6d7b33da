//! The terminal: what the environment says of it, and what it answers for itself.

use super::{Check, Finding};
use crate::text::width;

/// Texts that terminals disagree on, with what they are.
pub const SAMPLES: [(&str, &str); 3] = [
    ("世", "wide letters"),
    ("e\u{301}", "combining marks"),
    ("👩\u{200d}🚀", "joined emoji"),
];

/// What stands between the program and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Nothing that is known of.
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

/// What a terminal says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The column of the cursor behind each of [`SAMPLES`], counted from 1.
    pub columns: Vec<u16>,
    /// Whether it knows how to show a frame as a whole (mode 2026).
    pub synchronized: Option<bool>,
    /// Whether it knows the form of mouse reports that is used (mode 1006).
    pub mouse: Option<bool>,
}

/// The question that [`Answers::read`] reads the answer to: each sample at the start of a line with a
/// question for the cursor behind it, then for two modes, then for the class of the terminal, which
/// all of them answer.
pub fn question() -> Vec<u8> {
    let mut bytes = Vec::new();
    for (sample, _) in SAMPLES {
        bytes.push(b'\r');
        bytes.extend_from_slice(sample.as_bytes());
        bytes.extend_from_slice(b"\x1b[6n");
    }
    bytes.extend_from_slice(b"\r\x1b[K\x1b[?2026$p\x1b[?1006$p\x1b[c");
    bytes
}

impl Answers {
    /// Reads what came back; `None` until the last answer, that of its class, is there.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut answers = Self::default();
        let mut classed = false;
        let mut rest = bytes;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
            rest = &rest[at + 2..];
            let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
                break;
            };
            let parameters = String::from_utf8_lossy(&rest[..end]).into_owned();
            let numbers: Vec<u16> = parameters
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            match (rest[end], numbers.as_slice(), parameters.starts_with('?')) {
                (b'R', [_, column], false) => answers.columns.push(*column),
                // 0: never heard of it. 4: it is off for good.
                (b'y', [2026, state], true) => {
                    answers.synchronized = Some(!matches!(state, 0 | 4));
                }
                (b'y', [1006, state], true) => answers.mouse = Some(!matches!(state, 0 | 4)),
                (b'c', _, true) => classed = true,
                _ => {}
            }
            rest = &rest[end + 1..];
        }
        classed.then_some(answers)
    }
}

/// What is known of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// `TERM`.
    pub term: String,
    /// How many colours are drawn with, in words.
    pub colors: String,
    /// Whether there is more than black and white.
    pub is_colored: bool,
    /// Columns and rows.
    pub size: (u16, u16),
    /// What is in between.
    pub between: Between,
    /// Whether the locale is one of UTF-8.
    pub utf8: bool,
    /// Whether the mouse is wanted.
    pub wants_mouse: bool,
    /// What it answered; `None`: it did not, in time.
    pub answers: Option<Answers>,
}

/// What is told where there is no terminal.
pub fn none() -> Vec<Finding> {
    [
        Check::Colors,
        Check::Size,
        Check::Width,
        Check::Clipboard,
        Check::Between,
        Check::Mouse,
        Check::Synchronized,
    ]
    .map(|check| Finding::skipped(check, "Standard input or output is not a terminal."))
    .into()
}

/// What the facts mean.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let asked = "The terminal did not answer in time.";
    vec![
        if facts.is_colored {
            Finding::ok(
                Check::Colors,
                format!("{}, TERM={}", facts.colors, facts.term),
            )
        } else {
            Finding::note(
                Check::Colors,
                format!("None, TERM={}", facts.term),
                "Set TERM to what your terminal is, such as xterm-256color; NO_COLOR switches them off.",
            )
        },
        size(facts.size),
        match &facts.answers {
            None => Finding::skipped(Check::Width, asked),
            Some(answers) => widths(answers, facts.utf8),
        },
        match facts.between {
            Between::Nothing => Finding::ok(
                Check::Clipboard,
                "Text to copy goes through the terminal (OSC 52); whether it takes it, none tells.",
            ),
            Between::Tmux => Finding::note(
                Check::Clipboard,
                "Text to copy goes through tmux, which has to let it pass.",
                "In tmux.conf: set -g set-clipboard on",
            ),
            Between::Screen => Finding::note(
                Check::Clipboard,
                "Text to copy goes through GNU screen, in pieces, as long as it hands them on.",
                "Where nothing arrives, select by hand: what is copied is always shown too.",
            ),
        },
        match facts.between {
            Between::Nothing => Finding::ok(Check::Between, "None."),
            Between::Tmux => Finding::ok(Check::Between, "tmux"),
            Between::Screen => Finding::ok(Check::Between, "GNU screen"),
        },
        match (facts.wants_mouse, facts.answers.as_ref().map(|a| a.mouse)) {
            (false, _) => Finding::ok(Check::Mouse, "Left to the terminal, as configured."),
            (true, Some(Some(false))) => Finding::note(
                Check::Mouse,
                "The terminal does not report it.",
                "Everything can be done with keys.",
            ),
            (true, Some(Some(true))) => Finding::ok(
                Check::Mouse,
                "Reported; with Shift held it selects as elsewhere.",
            ),
            (true, Some(None)) => Finding::ok(
                Check::Mouse,
                "The terminal does not say; most of them report it.",
            ),
            (true, None) => Finding::skipped(Check::Mouse, asked),
        },
        match facts.answers.as_ref().map(|answers| answers.synchronized) {
            None => Finding::skipped(Check::Synchronized, asked),
            Some(Some(true)) => Finding::ok(Check::Synchronized, "Supported."),
            Some(Some(false) | None) => Finding::ok(
                Check::Synchronized,
                "Not supported: on a slow line a frame may be seen half drawn.",
            ),
        },
    ]
}

fn size((columns, rows): (u16, u16)) -> Finding {
    let says = format!("{columns}×{rows}");
    if columns < 40 || rows < 10 {
        Finding::failed(
            Check::Size,
            says,
            "Make the window larger: 40×10 at least, 80×24 to be comfortable.",
        )
    } else if columns < 80 || rows < 24 {
        Finding::note(
            Check::Size,
            says,
            "One pane at a time is shown; from 100 columns on all three.",
        )
    } else {
        Finding::ok(Check::Size, says)
    }
}

fn widths(answers: &Answers, utf8: bool) -> Finding {
    if answers.columns.len() != SAMPLES.len() {
        return Finding::skipped(
            Check::Width,
            "The terminal does not tell where its cursor is.",
        );
    }
    let off: Vec<&str> = SAMPLES
        .iter()
        .zip(&answers.columns)
        .filter(|((sample, _), column)| usize::from(**column) != width::width(sample) + 1)
        .map(|((_, what), _)| *what)
        .collect();
    if off.is_empty() {
        return Finding::ok(Check::Width, "The terminal counts as Coracle does.");
    }
    let hint = if utf8 {
        "Rows with such characters may look shifted; a newer terminal or tmux often agrees, and --ascii keeps to plain frames."
    } else {
        "Set LANG to a locale of UTF-8, such as C.UTF-8."
    };
    Finding::note(
        Check::Width,
        format!("The terminal counts {} in another way.", off.join(" and ")),
        hint,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn facts(answers: Option<Answers>) -> Facts {
        Facts {
            term: "xterm-256color".to_owned(),
            colors: "256".to_owned(),
            is_colored: true,
            size: (80, 24),
            between: Between::Nothing,
            utf8: true,
            wants_mouse: true,
            answers,
        }
    }

    fn found(facts: &Facts, check: Check) -> Finding {
        findings(facts)
            .into_iter()
            .find(|finding| finding.check == check)
            .expect("every check has its line")
    }

    #[test]
    fn answers_are_read_from_among_other_things() {
        let bytes =
            b"q\x1b[12;3R\x1b[12;2R\x1b[A\x1b[12;3R\x1b[?2026;2$y\x1b[?1006;0$y\x1b[?62;22c";
        assert_eq!(
            Answers::read(bytes),
            Some(Answers {
                columns: vec![3, 2, 3],
                synchronized: Some(true),
                mouse: Some(false),
            })
        );
        // Not before the last one, wherever the bytes are cut.
        for cut in 0..bytes.len() {
            assert_eq!(Answers::read(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_terminal_that_counts_otherwise_is_told() {
        let answers = |columns: &[u16]| {
            Some(Answers {
                columns: columns.to_vec(),
                ..Answers::default()
            })
        };
        assert_eq!(
            found(&facts(answers(&[3, 2, 3])), Check::Width).verdict,
            Verdict::Ok
        );
        let off = found(&facts(answers(&[2, 2, 5])), Check::Width);
        assert_eq!(off.verdict, Verdict::Note);
        assert!(
            off.says.contains("wide letters and joined emoji"),
            "{}",
            off.says
        );
        assert_eq!(found(&facts(None), Check::Width).verdict, Verdict::Skipped);
        assert_eq!(
            found(&facts(answers(&[])), Check::Width).verdict,
            Verdict::Skipped
        );
    }

    #[test]
    fn every_failure_and_note_says_what_to_do() {
        for size in [(30, 8), (60, 20), (200, 60)] {
            for between in [Between::Nothing, Between::Tmux, Between::Screen] {
                for colored in [true, false] {
                    let facts = Facts {
                        size,
                        between,
                        is_colored: colored,
                        ..facts(Some(Answers::default()))
                    };
                    for finding in findings(&facts) {
                        let wants = matches!(finding.verdict, Verdict::Failed | Verdict::Note);
                        assert_eq!(finding.hint.is_some(), wants, "{finding:?}");
                    }
                }
            }
        }
        assert_eq!(
            found(
                &Facts {
                    size: (30, 8),
                    ..facts(None)
                },
                Check::Size
            )
            .verdict,
            Verdict::Failed
        );
        assert_eq!(none().len(), findings(&facts(None)).len());
    }
}
