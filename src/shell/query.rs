//! The one question that is put to the terminal: how light its background is, and whether it can
//! say of keys what they are.
//!
//! Pure: the shell writes a [`Question`] once, after the first frame, and hands what the terminal
//! reports to [`Asked`]. Nothing waits for the answer. It comes through the same parser as the
//! keys, so it can never be taken for one, nor a key for a part of it, however late it is.

use termina::escape::csi::{Csi, Device, Keyboard};
use termina::escape::osc::{ColorOrQuery, DynamicColorNumber, Osc};

use crate::app::message::Millis;
use crate::ui::theme::Ground;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// How light the background is.
    pub ground: bool,
    /// How keys are reported (the kitty keyboard protocol).
    pub keyboard: bool,
}

/// Asks for the terminal's class (DA1). Terminals answer in order and all of them answer this, which
/// tells that what was asked before stays unanswered.
pub const CLASS: &[u8] = b"\x1b[c";

/// Asks the terminal whether it is there (DSR 5). It answers when it has read what was written before,
/// which a picture of it then is as well.
pub const STATUS: &[u8] = b"\x1b[5n";

impl Question {
    /// The bytes to write; none where nothing is asked. The background colour (OSC 11) is asked with
    /// BEL at the end, for terminals end their answer as the question ended: an ESC \ on a bad line
    /// may be torn, and look like a key.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.keyboard {
            bytes.extend_from_slice(b"\x1b[?u");
        }
        if self.ground {
            bytes.extend_from_slice(b"\x1b]11;?\x07");
        }
        if !bytes.is_empty() {
            bytes.extend_from_slice(CLASS);
        }
        bytes
    }
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The ground to draw on from here on.
    Ground(Ground),
    /// Keys can be reported for what they are.
    Keyboard,
}

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

    /// Takes a report that came at `now`; says what it means, if anything.
    pub fn report(&mut self, now: Millis, report: &termina::Event) -> Option<Answer> {
        match report {
            termina::Event::Csi(Csi::Device(Device::DeviceAttributes(()))) => {
                self.answered = Answered::Fully;
                None
            }
            // Whenever it comes: nobody sees the difference.
            termina::Event::Csi(Csi::Keyboard(Keyboard::ReportFlags(_))) => Some(Answer::Keyboard),
            termina::Event::Osc(Osc::ChangeDynamicColors(
                DynamicColorNumber::TextBackgroundColor,
                colors,
            )) if self.answered == Answered::NotYet && now.since(self.at) <= LIMIT => {
                match colors.first()? {
                    ColorOrQuery::Color(rgb) => {
                        let ground = Ground::of([rgb.red, rgb.green, rgb.blue]);
                        Some(Answer::Ground(ground))
                    }
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
            .filter_map(|report| match asked.report(Millis(at), report) {
                Some(Answer::Ground(ground)) => Some(ground),
                _ => None,
            })
            .last();
        (ground, asked)
    }

    #[test]
    fn only_what_is_to_be_known_is_asked_and_the_class_last() {
        let bytes = |ground, keyboard| Question { ground, keyboard }.bytes();
        assert_eq!(bytes(false, false), b"");
        assert_eq!(bytes(true, false), b"\x1b]11;?\x07\x1b[c");
        assert_eq!(bytes(false, true), b"\x1b[?u\x1b[c");
        assert_eq!(bytes(true, true), b"\x1b[?u\x1b]11;?\x07\x1b[c");
    }

    #[test]
    fn a_terminal_that_tells_of_its_keyboard_can_be_told() {
        for answer in [&b"\x1b[?0u"[..], b"\x1b[?31u"] {
            let mut asked = Asked::at(Millis(100));
            let told: Vec<_> = reports(answer)
                .iter()
                .map(|report| asked.report(Millis(9_000), report))
                .collect();
            assert_eq!(told, [Some(Answer::Keyboard)]);
            assert!(asked.owed().is_some(), "its class is still to come");
        }
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
