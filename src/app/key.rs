//! Keys as a person and the configuration name them: `j`, `Ctrl-s`, `Shift-Tab`, `PgUp`, `Space`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
    /// Repeated because it is held; few terminals report it.
    Repeat,
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

impl FromStr for Chord {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(text.to_owned());
        let mut chord = Self::plain(Key::Esc);
        let mut rest = text;
        loop {
            let lower = rest.to_ascii_lowercase();
            if lower.starts_with("ctrl-") && rest.len() > 5 {
                chord.ctrl = true;
                rest = &rest[5..];
            } else if lower.starts_with("alt-") && rest.len() > 4 {
                chord.alt = true;
                rest = &rest[4..];
            } else if lower.starts_with("shift-") && rest.len() > 6 {
                chord.shift = true;
                rest = &rest[6..];
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        chord.key = match (chars.next(), chars.next()) {
            (Some(c), None) => Key::Char(c),
            (None, _) => return Err(bad()),
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
                chord.key = Key::Char(c.to_uppercase().next().unwrap_or(c));
                chord.shift = false;
            }
            if chord.ctrl {
                chord.key = Key::Char(c.to_ascii_lowercase());
            }
        }
        Ok(chord)
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
    fn nonsense_is_refused_by_name() {
        for name in ["", "Ctrl-", "Hyper-x", "F99", "Entr"] {
            assert!(name.parse::<Chord>().is_err(), "{name}");
        }
    }
}
