//! Questions to the terminal, and its answers picked out of what arrives.
//!
//! Pure: the shell writes [`question`], feeds what it reads to [`Answers`], and stops when
//! [`Answers::complete`] or when its own time limit is over. Terminals answer in order and all
//! of them answer the last question, so waiting ends early even where the others are unknown.
//! What is no answer is a key somebody pressed: [`Answers::finish`] hands it back untouched.

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// The background colour (OSC 11).
    Background,
    /// Whether synchronized updates are known (DECRQM 2026).
    Synchronized,
    /// Where the cursor is (CPR). Ask alone: a key with a modifier, F3, can look like the answer.
    Cursor,
}

/// The bytes to write; a question for the terminal's class ends them.
pub fn question(asks: &[Ask]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for ask in asks {
        bytes.extend_from_slice(match ask {
            Ask::Background => b"\x1b]11;?\x1b\\".as_slice(),
            Ask::Synchronized => b"\x1b[?2026$p".as_slice(),
            Ask::Cursor => b"\x1b[6n".as_slice(),
        });
    }
    bytes.extend_from_slice(b"\x1b[c");
    bytes
}

/// Whether the terminal knows a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It can be set.
    Known,
    /// It can't.
    Unknown,
}

/// What the terminal answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// The background, 8 bits a channel: red, green, blue.
    pub background: Option<[u8; 3]>,
    /// Whether it knows synchronized updates.
    pub synchronized: Option<Mode>,
    /// Column and row of the cursor, from 0.
    pub cursor: Option<(u16, u16)>,
    ended: bool,
    awaits_cursor: bool,
    keys: Vec<u8>,
    rest: Vec<u8>,
}

/// Longer than any answer: what goes on so long without an end is none.
const LONGEST: usize = 128;

impl Answers {
    /// Waits for the answers to these questions.
    pub fn to(asks: &[Ask]) -> Self {
        Self {
            awaits_cursor: asks.contains(&Ask::Cursor),
            ..Self::default()
        }
    }

    /// Takes what was read, in pieces of any length.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut at = 0;
        while at < rest.len() {
            match self.answer(&rest[at..]) {
                Found::Answer(length) => at += length,
                Found::Part => break,
                Found::Key => {
                    self.keys.push(rest[at]);
                    at += 1;
                }
            }
        }
        self.rest = rest[at..].to_vec();
    }

    /// Whether the last question is answered.
    pub fn complete(&self) -> bool {
        self.ended
    }

    /// Ends the waiting; gives what was no answer, in the order in which it came.
    pub fn finish(mut self) -> (Self, Vec<u8>) {
        let mut keys = std::mem::take(&mut self.keys);
        keys.append(&mut self.rest);
        (self, keys)
    }

    fn answer(&mut self, bytes: &[u8]) -> Found {
        match bytes {
            [0x1b] => Found::Part,
            [0x1b, b']', body @ ..] => self.osc(body),
            [0x1b, b'[', body @ ..] => self.csi(body),
            _ => Found::Key,
        }
    }

    fn osc(&mut self, body: &[u8]) -> Found {
        let known = b"11;rgb";
        let shared = body.len().min(known.len());
        if body[..shared] != known[..shared] {
            return Found::Key;
        }
        let Some(end) = body.iter().position(|&byte| byte == 7 || byte == 0x1b) else {
            return part(body);
        };
        let end_length = match &body[end..] {
            [7, ..] => 1,
            [0x1b, b'\\', ..] => 2,
            [0x1b] => return Found::Part,
            _ => return Found::Key,
        };
        match color(&body[3..end]) {
            Some(rgb) => {
                self.background = Some(rgb);
                Found::Answer(2 + end + end_length)
            }
            None => Found::Key,
        }
    }

    fn csi(&mut self, body: &[u8]) -> Found {
        let inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b';' | b'?' | b'$');
        let Some(end) = body.iter().position(|byte| !inside(byte)) else {
            return part(body);
        };
        let (parameters, last) = (&body[..end], body[end]);
        let taken = match (parameters, last) {
            ([b'?', ..], b'c') => {
                self.ended = true;
                true
            }
            ([b'?', mode @ .., b'$'], b'y') => match numbers(mode).as_slice() {
                [2026, state] => {
                    // 0: not recognized; 4: for ever reset.
                    self.synchronized = Some(match state {
                        1..=3 => Mode::Known,
                        _ => Mode::Unknown,
                    });
                    true
                }
                // Another mode's report is no key either.
                _ => true,
            },
            (place, b'R') if self.awaits_cursor && self.cursor.is_none() => {
                match numbers(place).as_slice() {
                    &[row, column] if row > 0 && column > 0 => {
                        self.cursor = Some((column - 1, row - 1));
                        true
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        if taken {
            Found::Answer(2 + end + 1)
        } else {
            Found::Key
        }
    }
}

enum Found {
    /// An answer of this many bytes.
    Answer(usize),
    /// The beginning of what may become one.
    Part,
    /// Something else.
    Key,
}

fn part(body: &[u8]) -> Found {
    if body.len() > LONGEST {
        Found::Key
    } else {
        Found::Part
    }
}

fn numbers(text: &[u8]) -> Vec<u16> {
    text.split(|&byte| byte == b';')
        .filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
        .collect()
}

/// Reads `rgb:r/g/b` or `rgba:r/g/b/a` with one to four hex digits a channel.
fn color(text: &[u8]) -> Option<[u8; 3]> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, channels) = text.split_once(':')?;
    let mut channels = channels.split('/').map(|digits| {
        let most = match digits.len() {
            1..=4 => (1u32 << (4 * digits.len())) - 1,
            _ => return None,
        };
        let value = u32::from_str_radix(digits, 16).ok()?;
        Some((value * 255 / most) as u8)
    });
    Some([channels.next()??, channels.next()??, channels.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[u8] = b"\x1b]11;rgb:2828/2c2c/3434\x1b\\\x1b[?2026;2$y\x1b[?62;22c";

    fn read(pieces: &[&[u8]]) -> (Answers, Vec<u8>) {
        let mut answers = Answers::to(&[Ask::Background, Ask::Synchronized]);
        for piece in pieces {
            answers.feed(piece);
        }
        answers.finish()
    }

    #[test]
    fn the_last_question_is_one_that_every_terminal_answers() {
        assert_eq!(
            question(&[Ask::Background, Ask::Synchronized]),
            b"\x1b]11;?\x1b\\\x1b[?2026$p\x1b[c"
        );
    }

    #[test]
    fn answers_are_read_and_end_the_waiting() {
        let (answers, keys) = read(&[ALL]);
        assert_eq!(answers.background, Some([0x28, 0x2c, 0x34]));
        assert_eq!(answers.synchronized, Some(Mode::Known));
        assert!(answers.complete());
        assert_eq!(keys, b"");
    }

    #[test]
    fn answers_may_come_in_pieces_of_any_length() {
        let whole = read(&[ALL]);
        for cut in 0..=ALL.len() {
            assert_eq!(read(&[&ALL[..cut], &ALL[cut..]]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = ALL.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn keys_between_the_answers_are_handed_back() {
        let mut mixed = b"j\x1b[A".to_vec();
        mixed.extend_from_slice(&ALL[..25]);
        mixed.extend_from_slice(b"\x1bOPq\xc3\xa9");
        mixed.extend_from_slice(&ALL[25..]);
        mixed.extend_from_slice(b"\x1b[1;2R\x1b");
        let (answers, keys) = read(&[&mixed]);
        assert_eq!(answers.background, Some([0x28, 0x2c, 0x34]));
        assert!(answers.complete());
        assert_eq!(keys, b"j\x1b[A\x1bOPq\xc3\xa9\x1b[1;2R\x1b");
    }

    #[test]
    fn a_terminal_that_knows_only_its_class_ends_the_waiting() {
        let (answers, keys) = read(&[b"\x1b[?1;2c"]);
        assert!(answers.complete());
        assert_eq!((answers.background, answers.synchronized), (None, None));
        assert_eq!(keys, b"");
    }

    #[test]
    fn colours_come_in_several_lengths() {
        for (text, rgb) in [
            ("\x1b]11;rgb:ff/80/00\x07", [255, 128, 0]),
            ("\x1b]11;rgb:f/0/8\x07", [255, 0, 136]),
            ("\x1b]11;rgba:ffff/0000/8080/ffff\x1b\\", [255, 0, 128]),
        ] {
            let (answers, keys) = read(&[text.as_bytes()]);
            assert_eq!(answers.background, Some(rgb), "{text:?}");
            assert_eq!(keys, b"");
        }
        let (answers, keys) = read(&[b"\x1b]11;rgb:zz/80/00\x07"]);
        assert_eq!(answers.background, None);
        assert_eq!(keys, b"\x1b]11;rgb:zz/80/00\x07");
    }

    #[test]
    fn modes_that_are_unknown_are_told() {
        for (state, mode) in [(0, Mode::Unknown), (1, Mode::Known), (4, Mode::Unknown)] {
            let (answers, _) = read(&[format!("\x1b[?2026;{state}$y").as_bytes()]);
            assert_eq!(answers.synchronized, Some(mode));
        }
    }

    #[test]
    fn the_cursor_is_read_only_where_it_was_asked_for() {
        let mut answers = Answers::to(&[Ask::Cursor]);
        answers.feed(b"\x1b[12;40R\x1b[1;5R");
        let (answers, keys) = answers.finish();
        assert_eq!(answers.cursor, Some((39, 11)));
        assert_eq!(keys, b"\x1b[1;5R");
    }

    #[test]
    fn what_never_ends_is_no_answer() {
        let mut long = b"\x1b[".to_vec();
        long.extend_from_slice(&[b'1'; LONGEST + 1]);
        let (answers, keys) = read(&[&long, b"k"]);
        assert!(!answers.complete());
        assert_eq!(keys.len(), long.len() + 1);
    }
}
