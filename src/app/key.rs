//! Keys as a person and the configuration name them: `j`, `Ctrl-s`, `Shift-Tab`, `PgUp`, `Space`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::plain::scrub;

/// A key without its modifiers. Letters carry their case (`G` is `Char('G')`, without Shift).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Key {
    /// A printable character.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator; with Shift it is the back tab.
    Tab,
    /// Deletes to the left.
    Backspace,
    /// Deletes to the right.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// To the start.
    Home,
    /// To the end.
    End,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// Whether the terminal said that a key is held down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stroke {
    /// Pressed, as far as the terminal tells.
    Press,
    /// Repeated because it is held: reported while it matters, by terminals that can.
    Repeat,
}

/// Whether a key was read from the terminal by itself. Keys that are typed one after the other come
/// together on a slow line; a paste that the terminal does not mark always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Company {
    /// By itself, or before all others.
    #[default]
    Alone,
    /// Behind another key, in the same read.
    Behind,
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// Control was down.
    pub ctrl: bool,
    /// Alt was down.
    pub alt: bool,
    /// Shift was down; never set for characters, whose case tells.
    pub shift: bool,
}

/// One key as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyPress {
    /// What was typed.
    pub chord: Chord,
    /// Pressed or repeated.
    pub stroke: Stroke,
    /// Whether it came by itself.
    #[serde(default)]
    pub company: Company,
}

impl Chord {
    /// A key without modifiers.
    pub const fn plain(key: Key) -> Self {
        Self {
            key,
            ctrl: false,
            alt: false,
            shift: false,
        }
    }

    /// The chord that it counts as: terminals that can only send the old codes send one and the same
    /// for Ctrl-i and Tab, Ctrl-[ and Esc, Shift-Enter and Enter. A key means the same on every
    /// terminal, so they are one where a terminal tells them apart, and in the configuration, too.
    #[must_use]
    pub fn canonical(self) -> Self {
        let (key, ctrl, shift) = match (self.key, self.ctrl) {
            (Key::Char('i'), true) => (Key::Tab, false, self.shift),
            (Key::Char('m'), true) | (Key::Enter, _) => (Key::Enter, false, false),
            (Key::Char('[' | '3'), true) | (Key::Esc, _) => (Key::Esc, false, false),
            (Key::Char('8' | '?'), true) | (Key::Backspace, false) => {
                (Key::Backspace, false, false)
            }
            (Key::Backspace, true) => (Key::Char('h'), true, false),
            (Key::Char('2' | '@'), true) => (Key::Char(' '), true, false),
            (Key::Char('4'), true) => (Key::Char('\\'), true, false),
            (Key::Char('5'), true) => (Key::Char(']'), true, false),
            (Key::Char('6'), true) => (Key::Char('^'), true, false),
            (Key::Char('7' | '_'), true) => (Key::Char('/'), true, false),
            (Key::Tab, _) => (Key::Tab, false, self.shift),
            (key, ctrl) => (key, ctrl, self.shift),
        };
        Self {
            key,
            ctrl,
            alt: self.alt,
            shift,
        }
    }

    /// The character, if this chord types one.
    pub fn typed(self) -> Option<char> {
        match self {
            Self {
                key: Key::Char(c),
                ctrl: false,
                alt: false,
                ..
            } => Some(c),
            _ => None,
        }
    }
}

impl KeyPress {
    /// A key pressed once.
    pub const fn press(chord: Chord) -> Self {
        Self {
            chord,
            stroke: Stroke::Press,
            company: Company::Alone,
        }
    }
}

const NAMES: &[(&str, Key)] = &[
    ("Enter", Key::Enter),
    ("Esc", Key::Esc),
    ("Tab", Key::Tab),
    ("Backspace", Key::Backspace),
    ("Delete", Key::Delete),
    ("Insert", Key::Insert),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PgUp", Key::PageUp),
    ("PgDn", Key::PageDown),
    ("Space", Key::Char(' ')),
];

/// A key name that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a key. Keys are written like j, G, Ctrl-s, Alt-x, Shift-Tab, PgUp, F5 or Space."
)]
pub struct BadKey(pub String);

/// What follows a modifier; `None` where there is no such modifier, or nothing behind it.
fn behind<'t>(text: &'t str, modifier: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(modifier.len())?;
    (start.eq_ignore_ascii_case(modifier) && !rest.is_empty()).then_some(rest)
}

impl FromStr for Chord {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(text.to_owned());
        let mut chord = Self::plain(Key::Esc);
        let mut rest = text;
        loop {
            if let Some(after) = behind(rest, "ctrl-") {
                chord.ctrl = true;
                rest = after;
            } else if let Some(after) = behind(rest, "alt-") {
                chord.alt = true;
                rest = after;
            } else if let Some(after) = behind(rest, "shift-") {
                chord.shift = true;
                rest = after;
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        chord.key = match (chars.next(), chars.next()) {
            // Keys are shown in the footer and in the help.
            (Some(c), None) if scrub(rest) == rest => Key::Char(c),
            (Some(_), None) | (None, _) => return Err(bad()),
            _ => match NAMES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(rest))
            {
                Some((_, key)) => *key,
                None => match rest.strip_prefix(['F', 'f']).map(str::parse) {
                    Some(Ok(n @ 1..=24)) => Key::F(n),
                    _ => return Err(bad()),
                },
            },
        };
        if let Key::Char(c) = chord.key {
            if chord.shift {
                // Some letters have no capital of one letter; no key types two.
                let mut capital = c.to_uppercase();
                let capital = match (capital.next(), capital.next()) {
                    (Some(capital), None) => capital,
                    _ => c,
                };
                chord.key = Key::Char(capital);
                chord.shift = false;
            }
            if chord.ctrl {
                chord.key = Key::Char(c.to_ascii_lowercase());
            }
        }
        Ok(chord.canonical())
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = String::new();
        for (on, prefix) in [
            (self.ctrl, "Ctrl-"),
            (self.alt, "Alt-"),
            (self.shift, "Shift-"),
        ] {
            if on {
                name.push_str(prefix);
            }
        }
        match (NAMES.iter().find(|(_, key)| *key == self.key), self.key) {
            (Some((text, _)), _) => name.push_str(text),
            (None, Key::Char(c)) => name.push(c),
            (None, Key::F(n)) => name.push_str(&format!("F{n}")),
            (None, _) => {}
        }
        f.pad(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_they_are_written() {
        for name in [
            "j",
            "G",
            "Ctrl-s",
            "Alt-x",
            "Shift-Tab",
            "PgUp",
            "Space",
            "F12",
            "/",
            "Enter",
            "Ctrl-Alt-Left",
            "-",
        ] {
            let chord: Chord = name.parse().expect(name);
            assert_eq!(chord.to_string(), name);
        }
        assert_eq!("Shift-g".parse::<Chord>(), "G".parse());
        assert_eq!("ctrl-S".parse::<Chord>(), "Ctrl-s".parse());
    }

    #[test]
    fn keys_that_old_terminals_can_not_tell_apart_are_one() {
        for (name, counts_as) in [
            ("Ctrl-i", "Tab"),
            ("Ctrl-m", "Enter"),
            ("Ctrl-[", "Esc"),
            ("Ctrl-Alt-i", "Alt-Tab"),
            ("Shift-Enter", "Enter"),
            ("Ctrl-Enter", "Enter"),
            ("Shift-Esc", "Esc"),
            ("Shift-Backspace", "Backspace"),
            ("Ctrl-Backspace", "Ctrl-h"),
            ("Ctrl-Tab", "Tab"),
            ("Ctrl-Shift-Tab", "Shift-Tab"),
            ("Ctrl-4", "Ctrl-\\"),
            ("Ctrl-_", "Ctrl-/"),
            ("Ctrl-Space", "Ctrl-Space"),
            ("Shift-Up", "Shift-Up"),
        ] {
            let chord: Chord = name.parse().expect(name);
            assert_eq!(chord.to_string(), counts_as, "{name}");
            assert_eq!(chord.canonical(), chord, "{name}");
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for name in ["", "Ctrl-", "Hyper-x", "F99", "Entr", "Ctr\u{e9}-"] {
            assert!(name.parse::<Chord>().is_err(), "{name}");
        }
    }

    #[test]
    fn what_can_not_be_shown_is_no_key() {
        for c in ['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{301}'] {
            assert!(c.to_string().parse::<Chord>().is_err(), "{c:?}");
            assert!(format!("Ctrl-{c}").parse::<Chord>().is_err(), "{c:?}");
        }
    }

    #[test]
    fn a_letter_without_a_capital_stays_itself() {
        assert_eq!("Shift-ß".parse::<Chord>(), "ß".parse());
        assert_eq!("Shift-ö".parse::<Chord>(), "Ö".parse());
    }

    #[test]
    fn modifiers_without_end_take_no_time() {
        let text = "Ctrl-".repeat(200_000);
        assert_eq!(text.parse::<Chord>(), Err(BadKey(text.clone())));
        assert_eq!(format!("{text}j").parse::<Chord>(), "Ctrl-j".parse());
    }
}
