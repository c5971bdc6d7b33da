//! Text fields: one line or many, with words, selection, undo and wide characters.

use std::fmt;

use ratatui_textarea::{CursorMove, Input, Key as FieldKey, TextArea};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::key::{Chord, Key};

/// How many lines a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lines {
    /// One: Enter belongs to the form, and line breaks that are pasted become spaces.
    One,
    /// Any number.
    Many,
}

/// A text field. Two are equal when their text and cursor are.
#[derive(Clone)]
pub struct Field {
    area: TextArea<'static>,
    lines: Lines,
}

impl Field {
    /// A field that holds `text`, with the cursor at its end.
    pub fn new(lines: Lines, text: &str) -> Self {
        let mut field = Self {
            area: TextArea::default(),
            lines,
        };
        field.area.set_max_histories(200);
        field.set(text);
        field
    }

    /// The text, lines joined by `\n`.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        self.area.lines()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// Line and character of the cursor, counted from 0.
    pub fn cursor(&self) -> (usize, usize) {
        let at = self.area.cursor();
        (at.0, at.1)
    }

    /// What is selected: from line and character to line and character.
    pub fn selection(&self) -> Option<((usize, usize), (usize, usize))> {
        self.area.selection_range()
    }

    /// Whether it takes one line or many.
    pub fn kind(&self) -> Lines {
        self.lines
    }

    /// Replaces the text; the cursor goes to its end. Can be undone. Gives back what was left out, as
    /// [`Field::insert`] does.
    pub fn set(&mut self, text: &str) -> Vec<char> {
        if !self.area.is_empty() {
            self.area.select_all();
            self.area.delete_char();
        }
        let dropped = self.insert(text);
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
        dropped
    }

    /// Puts the cursor before everything.
    pub fn to_top(&mut self) {
        self.area.move_cursor(CursorMove::Top);
        self.area.move_cursor(CursorMove::Head);
    }

    /// Inserts text at the cursor, in place of what is selected. Control characters stay out; gives
    /// those back, in their order, for whoever has to say so.
    pub fn insert(&mut self, text: &str) -> Vec<char> {
        let text = match self.lines {
            Lines::One => text.replace(['\r', '\n', '\t'], " "),
            Lines::Many => text.replace("\r\n", "\n").replace('\r', "\n"),
        };
        let is_fine = |c: &char| *c == '\n' || *c == '\t' || !c.is_control();
        let (clean, dropped): (Vec<char>, Vec<char>) = text.chars().partition(is_fine);
        self.area.insert_str(clean.into_iter().collect::<String>());
        dropped
    }

    /// Whether a chord with Alt moves or deletes by words in a text.
    pub fn knows_alt(chord: Chord) -> bool {
        matches!(
            chord.key,
            Key::Left | Key::Right | Key::Home | Key::End | Key::Backspace | Key::Char('b' | 'f')
        )
    }

    /// Takes a key. Says whether it was one for a field at all.
    pub fn key(&mut self, chord: Chord) -> bool {
        let Chord {
            key,
            ctrl,
            alt,
            shift,
        } = chord;
        if let Some(c) = chord.typed() {
            self.area.insert_char(c);
            return true;
        }
        let simple = !ctrl && !alt;
        match (key, ctrl, alt) {
            (Key::Enter, false, _) => {
                if self.lines == Lines::One {
                    return false;
                }
                self.area.insert_newline();
            }
            (Key::Up | Key::Down, ..) if self.lines == Lines::One => return false,
            (Key::Char('z'), true, false) => {
                self.area.undo();
            }
            (Key::Char('y'), true, false) => {
                self.area.redo();
            }
            (Key::Char('u'), true, false) => {
                self.area.delete_line_by_head();
            }
            (Key::Char('a'), true, false) => self.area.select_all(),
            (Key::Home, true, _) => self.moved(CursorMove::Top, shift),
            (Key::End, true, _) => self.moved(CursorMove::Bottom, shift),
            (Key::Home, ..) => self.moved(CursorMove::Head, shift),
            (Key::End, ..) => self.moved(CursorMove::End, shift),
            (Key::Left, true, _) | (Key::Left | Key::Char('b'), _, true) => {
                self.moved(CursorMove::WordBack, shift);
            }
            (Key::Right, true, _) | (Key::Right | Key::Char('f'), _, true) => {
                self.moved(CursorMove::WordForward, shift);
            }
            (Key::Left, ..) => self.moved(CursorMove::Back, shift),
            (Key::Right, ..) => self.moved(CursorMove::Forward, shift),
            (Key::Up, ..) => self.moved(CursorMove::Up, shift),
            (Key::Down, ..) => self.moved(CursorMove::Down, shift),
            (Key::Char('w' | 'h'), true, false)
            | (Key::Backspace, _, true)
            | (Key::Backspace, true, _) => {
                self.area.delete_word();
            }
            (Key::Char('k'), true, false) => {
                self.area.delete_line_by_end();
            }
            (Key::Delete, true, _) => {
                self.area.delete_next_word();
            }
            (Key::Backspace, ..) if simple => {
                self.area
                    .input_without_shortcuts(input(FieldKey::Backspace));
            }
            (Key::Delete, ..) if simple => {
                self.area.input_without_shortcuts(input(FieldKey::Delete));
            }
            _ => return false,
        }
        true
    }

    fn moved(&mut self, to: CursorMove, selecting: bool) {
        if selecting && !self.area.is_selecting() {
            self.area.start_selection();
        } else if !selecting {
            self.area.cancel_selection();
        }
        self.area.move_cursor(to);
    }
}

fn input(key: FieldKey) -> Input {
    Input {
        key,
        ctrl: false,
        alt: false,
        shift: false,
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.lines == other.lines
            && self.lines() == other.lines()
            && self.cursor() == other.cursor()
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({:?} at {:?})", self.text(), self.cursor())
    }
}

#[derive(Serialize, Deserialize)]
struct Plain {
    lines: Lines,
    text: String,
    cursor: (usize, usize),
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Plain {
            lines: self.lines,
            text: self.text(),
            cursor: self.cursor(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = Plain::deserialize(deserializer)?;
        let mut field = Self::new(plain.lines, &plain.text);
        let clamp = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        field.area.move_cursor(CursorMove::Jump(
            clamp(plain.cursor.0),
            clamp(plain.cursor.1),
        ));
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(field: &mut Field, keys: &str) {
        for key in keys.split(' ') {
            field.key(key.parse().expect("a key of the test"));
        }
    }

    #[test]
    fn words_selection_and_undo() {
        let mut field = Field::new(Lines::One, "harbour log");
        typed(&mut field, "Ctrl-w");
        assert_eq!(field.text(), "harbour ");
        typed(&mut field, "Ctrl-z");
        assert_eq!(field.text(), "harbour log");
        typed(&mut field, "Home Shift-Right Shift-Right x");
        assert_eq!(field.text(), "xrbour log");
        typed(&mut field, "Ctrl-u y");
        assert_eq!(field.text(), "yrbour log");
    }

    #[test]
    fn one_line_stays_one_line() {
        let mut field = Field::new(Lines::One, "");
        field.insert("a\r\nb\u{1b}[31m");
        assert_eq!(field.text(), "a  b[31m");
        assert!(!field.key("Enter".parse().expect("a key")));
    }

    #[test]
    fn wide_characters_are_deleted_whole() {
        let mut field = Field::new(Lines::Many, "日本");
        typed(&mut field, "Backspace");
        assert_eq!(field.text(), "日");
    }

    #[test]
    fn survives_serialisation() {
        let mut field = Field::new(Lines::Many, "one\ntwo");
        typed(&mut field, "Up Home");
        let json = serde_json::to_string(&field).expect("plain data");
        assert_eq!(
            serde_json::from_str::<Field>(&json).expect("what was written"),
            field
        );
    }
}
