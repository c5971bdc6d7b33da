//! Cuts what the terminal sends into whole keys, sequences, strings and pastes.
//!
//! The parser of events waits for the end of what has begun, for ever: a string whose end was lost, or
//! Esc and `]` typed together, would swallow every key after them. So it is given whole pieces alone,
//! and what is unfinished is kept here, where a silence ends it, whatever it is: an escape sequence was
//! keys after all, a string is dropped, a paste is what came of it.

/// The escape character.
pub const ESCAPE: u8 = 0x1b;
/// What Ctrl-c is sent as.
const CTRL_C: u8 = 0x03;
/// What ends a string beside ESC \.
const BELL: u8 = 0x07;
/// Both of them give up a sequence, by the standard.
const CANCEL: [u8; 2] = [0x18, 0x1a];

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// No sequence that means something to us is longer.
const LONGEST_SEQUENCE: usize = 256;
/// No string that a terminal answers is longer. What is longer is followed to its end, and dropped.
const LONGEST_STRING: usize = 4_096;

/// How long the rest of a sequence may take to arrive after its escape character alone, in
/// milliseconds. A longer wait makes a lone Esc sluggish, a shorter one tears sequences on bad lines.
const AFTER_ESCAPE_MS: u64 = 30;
/// How long the rest may take of what has more than its escape character.
const IN_SEQUENCE_MS: u64 = 250;
/// How long the rest of a string may take.
const IN_STRING_MS: u64 = 1_000;
/// How long the rest of a paste may take: what comes later counts as keys, so it is long.
const IN_PASTE_MS: u64 = 3_000;

/// How the terminal sends the Esc key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeKey {
    /// As an escape character, with which sequences begin as well.
    Bare,
    /// As a sequence of its own (the kitty keyboard protocol): an escape character alone is the start
    /// of something else, and may wait for it.
    Sequence,
}

/// Something that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// One key, report or string.
    Whole(Vec<u8>),
    /// What was pasted.
    Paste(Vec<u8>),
}

/// What is unfinished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing.
    #[default]
    Ground,
    /// A character of several bytes, of which so many are still to come.
    Character(u8),
    /// An escape character.
    Escape,
    /// ESC O: one more byte.
    Single,
    /// ESC [ and perhaps parameters.
    Control,
    /// ESC [ M or ESC [ [: so many bytes of any kind.
    Counted(u8),
    /// A string: ESC and one of `]` `P` `_` `^` `X`.
    String,
    /// An escape character in a string: it ends it, or gives it up.
    StringEscape,
    /// Pasted text.
    Paste,
}

/// Takes bytes as they come, gives whole pieces.
#[derive(Debug, Default)]
pub struct Splitter {
    state: State,
    /// The bytes of what is unfinished.
    held: Vec<u8>,
    whole: Vec<Piece>,
}

impl Splitter {
    /// The pieces that are whole by now.
    pub fn pieces(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.whole)
    }

    /// How long to wait for more before [`Splitter::silence`], in milliseconds; `None` where nothing
    /// is unfinished.
    pub fn patience(&self, escape: EscapeKey) -> Option<u64> {
        match (self.state, escape) {
            (State::Ground, _) => None,
            (State::Escape, EscapeKey::Bare) => Some(AFTER_ESCAPE_MS),
            (State::String, _) if self.held.len() > 2 => Some(IN_STRING_MS),
            (State::Paste, _) => Some(IN_PASTE_MS),
            (_, _) => Some(IN_SEQUENCE_MS),
        }
    }

    /// Takes bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    /// What has arrived is all there is: whatever is unfinished ends.
    pub fn silence(&mut self) {
        let held = std::mem::take(&mut self.held);
        match std::mem::take(&mut self.state) {
            State::Ground => {}
            // A character that is cut is none; what came before it was a key.
            State::Character(_) if held.first() == Some(&ESCAPE) => self.key(ESCAPE),
            State::Character(_) => {}
            State::Escape | State::Single | State::Control | State::Counted(_) => self.keys(&held),
            // Nothing follows what would begin a string: it was a key.
            State::String if held.len() == 2 => self.keys(&held),
            State::String => {}
            State::StringEscape => {
                if held.len() == 2 {
                    self.keys(&held);
                }
                self.key(ESCAPE);
            }
            State::Paste => {
                let mut text = held;
                let cut = (1..PASTE_ENDS.len()).find(|cut| {
                    let begun = &PASTE_ENDS[..PASTE_ENDS.len() - cut];
                    text.ends_with(begun)
                });
                if let Some(cut) = cut {
                    text.truncate(text.len() + cut - PASTE_ENDS.len());
                }
                self.whole.push(Piece::Paste(text));
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.begins(byte),
            State::Character(missing) if (0x80..0xc0).contains(&byte) => {
                self.held.push(byte);
                match missing {
                    0 | 1 => self.finished(),
                    more => self.state = State::Character(more - 1),
                }
            }
            State::Escape => self.after_escape(byte),
            State::Single if matches!(byte, b'A'..=b'D' | b'F' | b'H' | b'P'..=b'S') => {
                self.finished_by(byte);
            }
            State::Control => self.in_control(byte),
            State::Counted(missing) if byte >= 0x20 => {
                self.held.push(byte);
                match missing {
                    0 | 1 => self.finished(),
                    more => self.state = State::Counted(more - 1),
                }
            }
            State::String => self.in_string(byte),
            State::StringEscape if byte == b'\\' => {
                if self.held.len() < LONGEST_STRING {
                    self.held.extend_from_slice(b"\x1b\\");
                    self.finished();
                } else {
                    self.dropped();
                }
            }
            State::StringEscape => {
                // It gave the string up, and begins something else.
                self.silence_before_escape();
                self.after_escape(byte);
            }
            State::Paste => self.in_paste(byte),
            State::Character(_) | State::Single | State::Counted(_) => self.anew(byte),
        }
    }

    fn begins(&mut self, byte: u8) {
        self.held.push(byte);
        match byte {
            ESCAPE => self.state = State::Escape,
            _ => self.character(byte),
        }
    }

    /// The last byte held is the first of a character.
    fn character(&mut self, first: u8) {
        match first {
            0x00..=0x7f => self.finished(),
            0xc0..=0xdf => self.state = State::Character(1),
            0xe0..=0xef => self.state = State::Character(2),
            0xf0..=0xf7 => self.state = State::Character(3),
            0x80..=0xbf | 0xf8..=0xff => {
                self.state = State::Character(0);
                self.silence();
            }
        }
    }

    fn after_escape(&mut self, byte: u8) {
        match byte {
            // Two keys. Alt-Ctrl-c is never meant; Ctrl-c always counts.
            ESCAPE | CTRL_C => self.anew(byte),
            b'[' => self.goes_on(byte, State::Control),
            b'O' => self.goes_on(byte, State::Single),
            b']' | b'P' | b'_' | b'^' | b'X' => self.goes_on(byte, State::String),
            _ => {
                self.held.push(byte);
                self.character(byte);
            }
        }
    }

    fn in_control(&mut self, byte: u8) {
        let is_first = self.held.len() == 2;
        match byte {
            b'M' if is_first => self.goes_on(byte, State::Counted(3)),
            b'[' if is_first => self.goes_on(byte, State::Counted(1)),
            0x20..=0x3f if self.held.len() < LONGEST_SEQUENCE => self.held.push(byte),
            0x20..=0x3f => self.dropped(),
            0x40..=0x7e => {
                self.held.push(byte);
                if self.held == PASTE_BEGINS {
                    self.held.clear();
                    self.state = State::Paste;
                } else {
                    self.finished();
                }
            }
            0x00..=0x1f | 0x7f..=0xff => self.anew(byte),
        }
    }

    fn in_string(&mut self, byte: u8) {
        match byte {
            ESCAPE => self.state = State::StringEscape,
            BELL if self.held.len() < LONGEST_STRING => self.finished_by(byte),
            BELL => self.dropped(),
            CTRL_C => self.anew(byte),
            _ if CANCEL.contains(&byte) => self.anew(byte),
            _ if self.held.len() < LONGEST_STRING => self.held.push(byte),
            _ => {}
        }
    }

    fn in_paste(&mut self, byte: u8) {
        // It ends the program, so it must not be lost; the text may still go on.
        if byte == CTRL_C {
            self.key(byte);
            return;
        }
        self.held.push(byte);
        if byte == b'~' && self.held.ends_with(PASTE_ENDS) {
            let mut text = std::mem::take(&mut self.held);
            text.truncate(text.len() - PASTE_ENDS.len());
            self.whole.push(Piece::Paste(text));
            self.state = State::Ground;
        }
    }

    /// What is unfinished ends as it does in a silence, and the byte begins something else.
    fn anew(&mut self, byte: u8) {
        self.silence();
        self.begins(byte);
    }

    /// A string is given up by the escape character that came last, which stays.
    fn silence_before_escape(&mut self) {
        self.state = State::String;
        self.silence();
        self.begins(ESCAPE);
    }

    fn goes_on(&mut self, byte: u8, state: State) {
        self.held.push(byte);
        self.state = state;
    }

    fn finished_by(&mut self, byte: u8) {
        self.held.push(byte);
        self.finished();
    }

    fn finished(&mut self) {
        let held = std::mem::take(&mut self.held);
        self.whole.push(Piece::Whole(held));
        self.state = State::Ground;
    }

    fn dropped(&mut self) {
        self.held.clear();
        self.state = State::Ground;
    }

    /// An escape sequence that was keys: Esc or Alt with the first, and the others.
    fn keys(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(2));
        self.whole.push(Piece::Whole(first.to_vec()));
        for byte in rest {
            self.key(*byte);
        }
    }

    fn key(&mut self, byte: u8) {
        // A byte of no character is no key: a mouse of the old form counts in them.
        if byte < 0x80 {
            self.whole.push(Piece::Whole(vec![byte]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of which many are parts of what a terminal sends.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            4 => any::<u8>().prop_map(|byte| vec![byte]),
            4 => prop::sample::select(vec![
                &b"\x1b"[..], b"\x1b[", b"\x1b]", b"\x1bP", b"\x1b_", b"\x1bO", b"\x1b\\", b"\x07",
                b"\x1b[200~", b"\x1b[201~", b"\x1b[M", b"\x1b[<0;1;1", b"M", b"m", b"1;5", b"u", b"A",
                b"q", b"\r", b"\x03", b"\x1b[0n", "\u{4e16}".as_bytes(), b"\x1b[27u",
            ])
            .prop_map(<[u8]>::to_vec),
        ];
        prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
    }

    fn split(chunks: &[&[u8]]) -> Vec<Piece> {
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter.take(chunk);
        }
        splitter.silence();
        splitter.pieces()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Wherever it is cut and whatever came before, a silence ends it, and the next key counts.
        #[test]
        fn after_a_silence_the_next_key_counts(chunks in prop::collection::vec((bytes(), any::<bool>()), 0..5)) {
            let mut splitter = Splitter::default();
            for (chunk, silent) in &chunks {
                splitter.take(chunk);
                if *silent {
                    splitter.silence();
                    prop_assert_eq!(splitter.patience(EscapeKey::Bare), None);
                }
            }
            splitter.silence();
            splitter.pieces();
            for key in [b'q', b'\r', CTRL_C] {
                splitter.take(&[key]);
                prop_assert_eq!(splitter.pieces(), vec![Piece::Whole(vec![key])]);
            }
        }

        /// Ctrl-c needs no silence.
        #[test]
        fn ctrl_c_always_counts(before in bytes()) {
            let mut splitter = Splitter::default();
            splitter.take(&before);
            splitter.pieces();
            splitter.take(&[CTRL_C]);
            // In a mouse of the old form, too.
            prop_assert!(splitter.pieces().contains(&Piece::Whole(vec![CTRL_C])));
        }

        /// Cuts alone change nothing.
        #[test]
        fn it_is_the_same_wherever_it_is_cut(bytes in bytes(), cut in any::<prop::sample::Index>()) {
            let (first, second) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(split(&[first, second]), split(&[&bytes]));
        }

        /// Nothing is unfinished without an end.
        #[test]
        fn whatever_is_unfinished_has_an_end(bytes in bytes()) {
            let mut splitter = Splitter::default();
            splitter.take(&bytes);
            let waits = splitter.patience(EscapeKey::Sequence);
            prop_assert_eq!(waits.is_none(), splitter.held.is_empty() && splitter.state == State::Ground);
            prop_assert!(waits.is_none_or(|ms| ms <= IN_PASTE_MS));
        }
    }

    #[test]
    fn a_string_without_end_takes_no_memory_and_ends() {
        let mut splitter = Splitter::default();
        splitter.take(b"\x1b]52;c;");
        splitter.take(&vec![b'x'; 1 << 20]);
        assert!(splitter.held.len() <= LONGEST_STRING);
        splitter.take(b"\x07q");
        assert_eq!(splitter.pieces(), [Piece::Whole(vec![b'q'])]);
    }

    #[test]
    fn a_lone_escape_waits_longer_where_it_is_no_key() {
        let mut splitter = Splitter::default();
        splitter.take(b"\x1b");
        assert_eq!(splitter.patience(EscapeKey::Bare), Some(AFTER_ESCAPE_MS));
        assert_eq!(splitter.patience(EscapeKey::Sequence), Some(IN_SEQUENCE_MS));
    }
}
