//! Cuts what the terminal sends into whole keys, sequences, strings and pastes.
//!
//! The parser of events waits for the end of what has begun, for ever: a string whose end was lost, or
//! Esc and `]` typed together, would swallow every key after them. So it is given whole pieces alone,
//! and what is unfinished is kept here, where a silence ends it, whatever it is: an escape sequence was
//! keys after all, a string is dropped, a paste is what came of it.
//!
//! Somebody who types leaves no silence. So all that is unfinished has a bound as well, counted from
//! when more came last than a keyboard sends: a paste over the slowest line stays one, and keys that are
//! typed into what was never ended come out of it. Esc or Ctrl-c ends a paste at once.

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
/// No report of the Esc key is longer.
const LONGEST_ESC_REPORT: usize = 32;
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

/// So many bytes without an escape character between them, in a second, no keyboard sends.
const FLOWS: usize = 64;
/// The time in which they have to come, in milliseconds.
const FLOWS_IN_MS: u64 = 1_000;
/// How long a sequence stays unfinished while only a keyboard sends.
const SEQUENCE_BOUND_MS: u64 = 1_000;
/// The same for a string.
const STRING_BOUND_MS: u64 = 2_000;
/// The same for a paste.
const PASTE_BOUND_MS: u64 = 10_000;

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
    /// What looks like the rest of the end of a paste that a silence ended: so many bytes of it came
    /// before that silence.
    LateEnd(usize),
}

impl State {
    /// How long it may last while only a keyboard sends, in milliseconds.
    fn bound(self) -> Option<u64> {
        match self {
            Self::Ground => None,
            Self::Character(_)
            | Self::Escape
            | Self::Single
            | Self::Control
            | Self::Counted(_)
            | Self::LateEnd(_) => Some(SEQUENCE_BOUND_MS),
            Self::String | Self::StringEscape => Some(STRING_BOUND_MS),
            Self::Paste => Some(PASTE_BOUND_MS),
        }
    }
}

/// How what is unfinished comes in.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// When it began.
    began: u64,
    /// When the last byte came.
    heard: u64,
    /// When it last came faster than from a keyboard, or began.
    flowed: u64,
    /// A second of it: since when, and how much.
    since: u64,
    count: usize,
}

impl Flow {
    fn from(now: u64) -> Self {
        Self {
            began: now,
            heard: now,
            flowed: now,
            since: now,
            count: 0,
        }
    }

    fn byte(&mut self, byte: u8, now: u64) {
        self.heard = now;
        if now.saturating_sub(self.since) >= FLOWS_IN_MS {
            self.since = now;
            self.count = 0;
        }
        // Reported keys and the mouse send many bytes, each with one of these.
        self.count = if byte == ESCAPE { 0 } else { self.count + 1 };
        if self.count >= FLOWS {
            self.flowed = now;
        }
    }
}

/// Takes bytes as they come, gives whole pieces.
#[derive(Debug, Default)]
pub struct Splitter {
    state: State,
    /// The bytes of what is unfinished.
    held: Vec<u8>,
    whole: Vec<Piece>,
    flow: Flow,
    /// Ctrl-c came in the paste.
    given_up: bool,
    /// So many bytes of the end of the last paste came before a silence ended it.
    end_begun: usize,
}

impl Splitter {
    /// The pieces that are whole by now.
    pub fn pieces(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.whole)
    }

    /// How long to wait for more before [`Splitter::silence`], in milliseconds; `None` where nothing
    /// is unfinished.
    pub fn patience(&self, escape: EscapeKey, now: u64) -> Option<u64> {
        let silence = match (self.state, escape) {
            (State::Ground, _) => return None,
            (State::Escape, EscapeKey::Bare) => AFTER_ESCAPE_MS,
            (State::String, _) if self.held.len() > 2 => IN_STRING_MS,
            (State::Paste, _) if self.given_up || ends_with_esc(&self.held) => IN_SEQUENCE_MS,
            (State::Paste, _) => IN_PASTE_MS,
            (_, _) => IN_SEQUENCE_MS,
        };
        let until = (self.flow.heard + silence).min(self.bound());
        Some(until.saturating_sub(now))
    }

    /// Since when a paste is coming in.
    pub fn pastes_since(&self) -> Option<u64> {
        (self.state == State::Paste).then_some(self.flow.began)
    }

    /// When what is unfinished ends, whatever comes from a keyboard.
    fn bound(&self) -> u64 {
        let bound = self.state.bound();
        bound.map_or(u64::MAX, |bound| self.flow.flowed + bound)
    }

    /// Takes bytes, which came at this time, in milliseconds.
    pub fn take(&mut self, bytes: &[u8], now: u64) {
        for byte in bytes {
            if now >= self.bound() {
                self.silence();
            }
            let before = self.state.bound();
            self.byte(*byte);
            if self.state.bound() == before {
                self.flow.byte(*byte, now);
            } else {
                self.flow = Flow::from(now);
            }
        }
    }

    /// What has arrived is all there is: whatever is unfinished ends.
    pub fn silence(&mut self) {
        let held = std::mem::take(&mut self.held);
        match std::mem::take(&mut self.state) {
            State::Ground => {}
            State::LateEnd(_) => {
                for byte in held {
                    self.key(byte);
                }
            }
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
                let begun = (1..PASTE_ENDS.len())
                    .rev()
                    .find(|begun| text.ends_with(&PASTE_ENDS[..*begun]));
                self.end_begun = begun.unwrap_or(0);
                let end = begun.or_else(|| reported_esc(&text));
                text.truncate(text.len() - end.unwrap_or(0));
                self.whole.push(Piece::Paste(text));
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        let begun = std::mem::take(&mut self.end_begun);
        match self.state {
            State::Ground if begun > 0 && byte == PASTE_ENDS[begun] => self.late_end(byte, begun),
            State::Ground => self.begins(byte),
            State::LateEnd(begun) if PASTE_ENDS.get(begun + self.held.len()) == Some(&byte) => {
                self.late_end(byte, begun);
            }
            State::Character(missing) if (0x80..0xc0).contains(&byte) => {
                self.held.push(byte);
                match missing {
                    0 | 1 => self.finished(),
                    more => self.state = State::Character(more - 1),
                }
            }
            State::Escape => self.after_escape(byte),
            State::Single
                if matches!(byte, b'A'..=b'D' | b'F' | b'H' | b'P'..=b'S')
                    || super::keypad::key(byte).is_some() =>
            {
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
            State::Character(_) | State::Single | State::Counted(_) | State::LateEnd(_) => {
                self.anew(byte);
            }
        }
    }

    /// The rest of the end of a paste types nothing, however late it comes.
    fn late_end(&mut self, byte: u8, begun: usize) {
        self.goes_on(byte, State::LateEnd(begun));
        if begun + self.held.len() == PASTE_ENDS.len() {
            self.dropped();
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
                    self.given_up = false;
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
        // It ends the program, so it must not be lost. The text may still go on, but is not waited for.
        if byte == CTRL_C {
            self.given_up = true;
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

/// Whether what came of a paste ends with the Esc key, as one of its two forms: nothing that is pasted
/// stops there.
fn ends_with_esc(held: &[u8]) -> bool {
    held.last() == Some(&ESCAPE) || reported_esc(held).is_some()
}

/// How long the report of the Esc key is (the kitty keyboard protocol) with which this ends.
fn reported_esc(held: &[u8]) -> Option<usize> {
    // A paste may be long: only its end is looked at.
    let tail = &held[held.len().saturating_sub(LONGEST_ESC_REPORT)..];
    let from = tail.iter().rposition(|byte| *byte == ESCAPE)?;
    let report = tail[from..].strip_prefix(b"\x1b[27")?.strip_suffix(b"u")?;
    let is_modified = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
    let is_whole = report.first().is_none_or(|first| *first == b';');
    (is_whole && report.iter().all(is_modified)).then_some(tail.len() - from)
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

    /// As many as the simulations take, which are told by the same variable.
    fn cases() -> u32 {
        let told = std::env::var("CORACLE_SIM_SEEDS").ok();
        told.and_then(|it| it.parse().ok()).unwrap_or(10_000)
    }

    fn split(chunks: &[&[u8]]) -> Vec<Piece> {
        let mut splitter = Splitter::default();
        for chunk in chunks {
            splitter.take(chunk, 0);
        }
        splitter.silence();
        splitter.pieces()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

        /// Wherever it is cut and whatever came before, a silence ends it, and the next key counts.
        #[test]
        fn after_a_silence_the_next_key_counts(chunks in prop::collection::vec((bytes(), any::<bool>()), 0..5)) {
            let mut splitter = Splitter::default();
            for (chunk, silent) in &chunks {
                splitter.take(chunk, 0);
                if *silent {
                    splitter.silence();
                    prop_assert_eq!(splitter.patience(EscapeKey::Bare, 0), None);
                }
            }
            splitter.silence();
            splitter.pieces();
            for key in [b'q', b'\r', CTRL_C] {
                splitter.take(&[key], 0);
                prop_assert_eq!(splitter.pieces(), vec![Piece::Whole(vec![key])]);
            }
        }

        /// Ctrl-c needs no silence.
        #[test]
        fn ctrl_c_always_counts(before in bytes()) {
            let mut splitter = Splitter::default();
            splitter.take(&before, 0);
            splitter.pieces();
            splitter.take(&[CTRL_C], 0);
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
            splitter.take(&bytes, 0);
            let waits = splitter.patience(EscapeKey::Sequence, 0);
            prop_assert_eq!(waits.is_none(), splitter.held.is_empty() && splitter.state == State::Ground);
            prop_assert!(waits.is_none_or(|ms| ms <= IN_PASTE_MS));
        }
    }

    /// Feeds keys that are typed one after the other, each so long after the one before, into what is
    /// unfinished, with the silences that a reader would see. Gives when the first of them came out.
    fn typed_into(begun: &[u8], key: u8, every: u64) -> Option<u64> {
        let mut splitter = Splitter::default();
        splitter.take(begun, 0);
        splitter.pieces();
        for at in (1..2_000).map(|n| n * every) {
            if splitter.patience(EscapeKey::Bare, at) == Some(0) {
                splitter.silence();
                splitter.pieces();
            }
            splitter.take(&[key], at);
            if splitter.pieces().contains(&Piece::Whole(vec![key])) {
                return Some(at);
            }
        }
        None
    }

    #[test]
    fn what_is_never_ended_ends_while_somebody_types() {
        for begun in [
            &b"\x1b[200~lost"[..],
            b"\x1b]11;rgb",
            b"\x1bP1$r",
            b"\x1b_G",
            b"\x1b[",
        ] {
            for every in [20, 90, 200, 900] {
                let heard = typed_into(begun, b'7', every);
                assert!(
                    heard.is_some_and(|at| at <= 11_000),
                    "{begun:?} {every}: {heard:?}"
                );
            }
        }
    }

    #[test]
    fn reported_keys_and_the_mouse_do_not_hold_a_paste_open() {
        for report in [&b"\x1b[106;1:2u"[..], b"\x1b[<35;100;20M"] {
            let mut splitter = Splitter::default();
            splitter.take(b"\x1b[200~lost", 0);
            let keys = (1..1_000).map(|n| n * 20);
            let out = keys.into_iter().find(|at| {
                splitter.take(report, *at);
                splitter.pieces().len() > 1
            });
            assert!(out.is_some_and(|at| at <= 11_000), "{out:?}");
        }
    }

    #[test]
    fn a_large_paste_over_a_slow_line_is_one_paste() {
        // 1,200 bytes a second, a byte at a time, and in pieces with stalls between them.
        for (piece, every) in [(1, 1), (1_400, 1_200), (4_096, 2_900)] {
            let text: Vec<u8> = (0..1_000_000).map(|n| b'a' + (n % 26) as u8).collect();
            let whole = [PASTE_BEGINS, &text, PASTE_ENDS].concat();
            let mut splitter = Splitter::default();
            for (n, bytes) in whole.chunks(piece).enumerate() {
                let at = n as u64 * every;
                assert_ne!(
                    splitter.patience(EscapeKey::Bare, at),
                    Some(0),
                    "{piece} at {at}"
                );
                splitter.take(bytes, at);
            }
            assert_eq!(splitter.pieces(), [Piece::Paste(text)]);
        }
    }

    #[test]
    fn esc_and_ctrl_c_end_a_paste() {
        for key in [&b"\x1b"[..], b"\x1b[27u", b"\x1b[27;1:1u", b"\x03"] {
            let mut splitter = Splitter::default();
            splitter.take(b"\x1b[200~lost", 0);
            assert_eq!(splitter.patience(EscapeKey::Bare, 0), Some(IN_PASTE_MS));
            splitter.take(key, 100);
            assert_eq!(
                splitter.patience(EscapeKey::Bare, 100),
                Some(IN_SEQUENCE_MS)
            );
            splitter.silence();
            let pieces = splitter.pieces();
            assert!(
                pieces.contains(&Piece::Paste(b"lost".to_vec())),
                "{pieces:?}"
            );
            splitter.take(b"q", 500);
            assert_eq!(splitter.pieces(), [Piece::Whole(b"q".to_vec())]);
        }
    }

    #[test]
    fn the_late_rest_of_the_end_of_a_paste_types_nothing() {
        for cut in 1..PASTE_ENDS.len() {
            let (first, second) = PASTE_ENDS.split_at(cut);
            let mut splitter = Splitter::default();
            splitter.take(&[PASTE_BEGINS, b"text", first].concat(), 0);
            splitter.silence();
            splitter.take(second, 5_000);
            splitter.take(b"q", 5_000);
            let text = Piece::Paste(b"text".to_vec());
            assert_eq!(splitter.pieces(), [text, Piece::Whole(b"q".to_vec())]);
        }
        // What only looks like it is typed.
        let mut splitter = Splitter::default();
        splitter.take(b"\x1b[200~text\x1b", 0);
        splitter.silence();
        splitter.pieces();
        splitter.take(b"[2q", 900);
        let keys = [b"[", b"2", b"q"].map(|key| Piece::Whole(key.to_vec()));
        assert_eq!(splitter.pieces(), keys);
    }

    #[test]
    fn a_string_without_end_takes_no_memory_and_ends() {
        let mut splitter = Splitter::default();
        splitter.take(b"\x1b]52;c;", 0);
        splitter.take(&vec![b'x'; 1 << 20], 0);
        assert!(splitter.held.len() <= LONGEST_STRING);
        splitter.take(b"\x07q", 0);
        assert_eq!(splitter.pieces(), [Piece::Whole(vec![b'q'])]);
    }

    #[test]
    fn a_lone_escape_waits_longer_where_it_is_no_key() {
        let mut splitter = Splitter::default();
        splitter.take(b"\x1b", 0);
        assert_eq!(splitter.patience(EscapeKey::Bare, 0), Some(AFTER_ESCAPE_MS));
        assert_eq!(
            splitter.patience(EscapeKey::Sequence, 0),
            Some(IN_SEQUENCE_MS)
        );
    }
}
