//! The one question that is put to the terminal: how light its background is.
//!
//! Pure: the shell writes [`QUESTION`] once, after the first frame, and hands what the terminal
//! reports to [`Asked`]. Nothing waits for the answer. It comes through the same parser as the
//! keys, so it can never be taken for one, nor a key for a part of it, however late it is.

use termina::escape::csi::{Csi, Device};
use termina::escape::osc::{ColorOrQuery, DynamicColorNumber, Osc};

use crate::app::message::Millis;
use crate::ui::theme::Ground;

/// The bytes to write: the background colour (OSC 11), then the terminal's class (DA1). Terminals
/// answer in order and all of them answer the second, which tells that the first stays unanswered.
/// Ended by BEL, for terminals end their answer as the question ended: an ESC \ on a bad line may
/// be torn, and look like a key.
pub const QUESTION: &[u8] = b"\x1b]11;?\x07\x1b[c";

/// How long an answer changes the picture, in milliseconds. Later it would surprise.
pub const LIMIT: u64 = 2_000;

/// How long after the question an end waits for the answer, in milliseconds: what comes later is
/// typed into the shell that gets the terminal.
pub const PATIENCE: u64 = 500;

/// The question, once it was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    at: Millis,
    answered: Answered,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    NotYet,
    Fully,
}

impl Asked {
    /// The question was put at this moment.
    pub fn at(at: Millis) -> Self {
        Self {
            at,
            answered: Answered::NotYet,
        }
    }

    /// Takes a report that came at `now`; says what ground to draw on from here on.
    pub fn report(&mut self, now: Millis, report: &termina::Event) -> Option<Ground> {
        match report {
            termina::Event::Csi(Csi::Device(Device::DeviceAttributes(()))) => {
                self.answered = Answered::Fully;
                None
            }
            termina::Event::Osc(Osc::ChangeDynamicColors(
                DynamicColorNumber::TextBackgroundColor,
                colors,
            )) if self.answered == Answered::NotYet && now.since(self.at) <= LIMIT => {
                match colors.first()? {
                    ColorOrQuery::Color(rgb) => Some(Ground::of([rgb.red, rgb.green, rgb.blue])),
                    ColorOrQuery::Query => None,
                }
            }
            _ => None,
        }
    }

    /// Until when an end has to wait for an answer that is on its way; `None` if for none.
    pub fn owed(&self) -> Option<Millis> {
        match self.answered {
            Answered::NotYet => Some(self.at.plus(PATIENCE)),
            Answered::Fully => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(bytes: &[u8]) -> Vec<termina::Event> {
        let mut parser = termina::Parser::default();
        parser.parse(bytes, true);
        std::iter::from_fn(|| parser.pop()).collect()
    }

    fn ground(bytes: &[u8], at: u64) -> (Option<Ground>, Asked) {
        let mut asked = Asked::at(Millis(100));
        let ground = reports(bytes)
            .iter()
            .filter_map(|report| asked.report(Millis(at), report))
            .last();
        (ground, asked)
    }

    #[test]
    fn the_background_tells_the_ground() {
        for (color, expected) in [
            ("rgb:2828/2c2c/3434", Ground::Dark),
            ("rgb:ff/fd/f5", Ground::Light),
            ("rgb:0000/0000/0000", Ground::Dark),
        ] {
            for end in ["\x07", "\x1b\\"] {
                let answer = format!("\x1b]11;{color}{end}");
                assert_eq!(
                    ground(answer.as_bytes(), 200).0,
                    Some(expected),
                    "{answer:?}"
                );
            }
        }
    }

    #[test]
    fn the_class_ends_the_waiting() {
        let (ground, asked) = ground(b"\x1b[?62;22c", 200);
        assert_eq!((ground, asked.owed()), (None, None));
        assert_eq!(Asked::at(Millis(100)).owed(), Some(Millis(100 + PATIENCE)));
    }

    #[test]
    fn what_comes_too_late_or_unasked_changes_nothing() {
        let white = b"\x1b]11;rgb:ffff/ffff/ffff\x07";
        assert_eq!(ground(white, 100 + LIMIT).0, Some(Ground::Light));
        assert_eq!(ground(white, 101 + LIMIT).0, None);
        let after: Vec<u8> = [b"\x1b[?1;2c".as_slice(), white].concat();
        assert_eq!(ground(&after, 200).0, None);
        assert_eq!(ground(b"\x1b]10;rgb:ffff/ffff/ffff\x07", 200).0, None);
        assert_eq!(ground(b"\x1b]11;rgb:zz/zz/zz\x07", 200).0, None);
    }
}
