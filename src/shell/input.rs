//! Reads the terminal: bytes in, keys, pastes, mouse and answers out.
//!
//! One thread. It waits in `poll` and reads only what is there, so it can be told to leave the
//! terminal to an editor, and a terminal that is gone ends it instead of making it spin.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::stdin;
use termina::Parser;
use termina::event::{
    KeyCode, KeyEvent, KeyEventKind, Modifiers, MouseButton, MouseEvent, MouseEventKind,
};

use super::event::Event;
use crate::app::key::{Chord, Key, KeyPress, Stroke};
use crate::app::message::{Mouse, Msg, Position};

/// How long the rest of a sequence may take to arrive after its escape character, in
/// milliseconds. A longer wait makes a lone Esc sluggish, a shorter one tears sequences on bad lines.
const SEQUENCE_MS: i64 = 30;

/// The reading thread, seen from outside.
#[derive(Debug)]
pub struct Input {
    orders: OwnedFd,
    paused: Receiver<()>,
}

impl Input {
    /// Starts to read.
    pub fn start(events: Sender<Event>) -> io::Result<Self> {
        let (orders_out, orders) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (tell_paused, paused) = channel();
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                let mut reader = Reader::new(events);
                // The receiver is gone only when the program ends.
                let _ = reader.run(&orders_out, &tell_paused);
            })?;
        Ok(Self { orders, paused })
    }

    /// Leaves the terminal to somebody else; returns when no more will be read.
    pub fn pause(&self) {
        self.order(PAUSE);
        // Fails when the thread has ended: then nothing is read either.
        let _ = self.paused.recv();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.order(RESUME);
    }

    fn order(&self, order: u8) {
        while rustix::io::write(&self.orders, &[order]) == Err(Errno::INTR) {}
    }
}

const PAUSE: u8 = b'p';
const RESUME: u8 = b'r';

/// The program is ending: nobody listens any more.
struct NobodyListens;

struct Reader {
    events: Sender<Event>,
    parser: Parser,
    typed: TypedText,
    /// What was parsed and not passed on yet.
    parsed: Vec<termina::Event>,
    /// An escape character came last: it is a key, or the start of a sequence.
    torn: bool,
}

impl Reader {
    fn new(events: Sender<Event>) -> Self {
        Self {
            events,
            parser: Parser::default(),
            typed: TypedText::default(),
            parsed: Vec::new(),
            torn: false,
        }
    }

    fn run(&mut self, orders: &OwnedFd, paused: &Sender<()>) -> Result<(), NobodyListens> {
        let mut reading = true;
        let mut bytes = [0; 4096];
        loop {
            // A terminal that hangs up is reported whatever was asked for.
            let wanted = if reading {
                PollFlags::IN
            } else {
                PollFlags::empty()
            };
            let mut waiting = [
                PollFd::from_borrowed_fd(stdin(), wanted),
                PollFd::new(orders, PollFlags::IN),
            ];
            let limit = Timespec {
                tv_sec: 0,
                tv_nsec: SEQUENCE_MS * 1_000_000,
            };
            match poll(&mut waiting, self.torn.then_some(&limit)) {
                Err(Errno::INTR) => continue,
                Err(_) => return self.tell(Event::Gone),
                Ok(0) => {
                    self.nothing_more();
                    self.pass_on()?;
                    continue;
                }
                Ok(_) => {}
            }
            let (terminal, order) = (waiting[0].revents(), waiting[1].revents());
            if !order.is_empty() {
                let mut order = [0];
                match rustix::io::read(orders, &mut order) {
                    Ok(1) if order[0] == PAUSE => {
                        reading = false;
                        paused.send(()).map_err(|_| NobodyListens)?;
                    }
                    Ok(1) => reading = true,
                    _ => return Err(NobodyListens),
                }
                continue;
            }
            if terminal.contains(PollFlags::IN) && reading {
                match rustix::io::read(stdin(), &mut bytes) {
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Ok(0) | Err(_) => return self.tell(Event::Gone),
                    Ok(count) => {
                        self.take(&bytes[..count]);
                        self.pass_on()?;
                    }
                }
            } else if terminal.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return self.tell(Event::Gone);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        // Two escape characters in a row are two keys; the parser would make them one.
        for part in bytes.chunk_by(|a, b| !(*a == ESCAPE && *b == ESCAPE)) {
            if self.torn && part.first() == Some(&ESCAPE) {
                self.nothing_more();
            }
            // Keys that say what they type end with a u, and nothing else that does so says it.
            for piece in part.split_inclusive(|byte| *byte == b'u') {
                self.parser.parse(piece, true);
                let text = self.typed.read(piece);
                self.drain();
                if let Some(text) = text
                    && let Some(termina::Event::Key(key)) = self.parsed.last().cloned()
                {
                    self.parsed.pop();
                    self.parsed
                        .extend(typed_keys(key, &text).map(termina::Event::Key));
                }
            }
            self.torn = part.last() == Some(&ESCAPE);
        }
    }

    fn drain(&mut self) {
        while let Some(event) = self.parser.pop() {
            self.parsed.push(event);
        }
    }

    /// What has arrived is all there is: an escape character at its end was a key.
    fn nothing_more(&mut self) {
        self.torn = false;
        self.parser.parse(&[], false);
        self.drain();
    }

    fn pass_on(&mut self) -> Result<(), NobodyListens> {
        for event in std::mem::take(&mut self.parsed) {
            if let Some(event) = translate(event) {
                self.tell(event)?;
            }
        }
        Ok(())
    }

    fn tell(&self, event: Event) -> Result<(), NobodyListens> {
        self.events.send(event).map_err(|_| NobodyListens)
    }
}

const ESCAPE: u8 = 0x1b;

/// The text that a reported key types. The parser leaves it out, and the key alone does not tell:
/// it takes the layout of the keyboard to make `~` of it.
#[derive(Debug, Default)]
struct TypedText {
    /// What has come of a sequence since its escape character; empty between sequences.
    sequence: Vec<u8>,
}

impl TypedText {
    /// No report of a key is longer.
    const LONGEST: usize = 96;

    /// Follows what arrives; returns the text when the report of a key that types one is complete.
    fn read(&mut self, bytes: &[u8]) -> Option<Vec<char>> {
        let mut text = None;
        for byte in bytes {
            match (self.sequence.len(), byte) {
                (_, &ESCAPE) => self.sequence = vec![ESCAPE],
                (0, _) => {}
                (1, b'[') | (2.., b'0'..=b'9' | b';' | b':')
                    if self.sequence.len() < Self::LONGEST =>
                {
                    self.sequence.push(*byte);
                }
                (2.., b'u') => {
                    text = Self::of(&self.sequence[2..]);
                    self.sequence.clear();
                }
                _ => self.sequence.clear(),
            }
        }
        text
    }

    /// The third parameter: code points.
    fn of(parameters: &[u8]) -> Option<Vec<char>> {
        let parameters = std::str::from_utf8(parameters).ok()?;
        let text: Option<Vec<char>> = parameters
            .split(';')
            .nth(2)?
            .split(':')
            .map(|code| char::from_u32(code.parse().ok()?).filter(|c| !c.is_control()))
            .collect();
        text.filter(|text| !text.is_empty())
    }
}

/// The keys that type a text, one for each character. What Shift did to it is done already.
fn typed_keys(key: KeyEvent, text: &[char]) -> impl Iterator<Item = KeyEvent> {
    text.iter().map(move |c| KeyEvent {
        code: KeyCode::Char(*c),
        modifiers: key.modifiers.difference(Modifiers::SHIFT),
        ..key
    })
}

/// What an event of the terminal means to us, if anything.
fn translate(event: termina::Event) -> Option<Event> {
    match event {
        termina::Event::Key(key) => key_press(key).map(|key| Event::Core(Msg::Key(key))),
        termina::Event::Mouse(event) => mouse(event).map(|mouse| Event::Core(Msg::Mouse(mouse))),
        termina::Event::Paste(text) => Some(Event::Core(Msg::Paste(text))),
        report @ (termina::Event::Csi(_) | termina::Event::Osc(_) | termina::Event::Dcs(_)) => {
            Some(Event::Report(report))
        }
        termina::Event::WindowResized(_) | termina::Event::FocusIn | termina::Event::FocusOut => {
            None
        }
    }
}

fn key_press(event: KeyEvent) -> Option<KeyPress> {
    let stroke = match event.kind {
        KeyEventKind::Press => Stroke::Press,
        KeyEventKind::Repeat => Stroke::Repeat,
        KeyEventKind::Release => return None,
    };
    let has = |modifier| event.modifiers.contains(modifier);
    if event
        .modifiers
        .intersects(Modifiers::SUPER | Modifiers::HYPER | Modifiers::META)
    {
        // They belong to the desktop; without them it would be another key.
        return None;
    }
    let mut chord = Chord {
        key: Key::Esc,
        ctrl: has(Modifiers::CONTROL),
        alt: has(Modifiers::ALT),
        shift: has(Modifiers::SHIFT),
    };
    chord.key = match event.code {
        KeyCode::Char(c) => {
            let shifted = std::mem::take(&mut chord.shift);
            Key::Char(if chord.ctrl {
                c.to_ascii_lowercase()
            } else if shifted {
                // Alt-Shift-x is reported as an x with Shift.
                c.to_ascii_uppercase()
            } else {
                c
            })
        }
        KeyCode::Enter => Key::Enter,
        KeyCode::Escape => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => {
            chord.shift = true;
            Key::Tab
        }
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Function(number) => Key::F(number),
        _ => return None,
    };
    Some(KeyPress {
        chord: chord.canonical(),
        stroke,
    })
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    let at = Position {
        x: event.column,
        y: event.row,
    };
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Press(at)),
        MouseEventKind::Drag(MouseButton::Left) => Some(Mouse::Drag(at)),
        MouseEventKind::Up(MouseButton::Left) => Some(Mouse::Release(at)),
        MouseEventKind::ScrollUp => Some(Mouse::Wheel(at, -1)),
        MouseEventKind::ScrollDown => Some(Mouse::Wheel(at, 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reaches the core when `chunks` arrive one after the other, and then nothing for a while.
    fn typed(chunks: &[&[u8]]) -> Vec<Event> {
        let (events, received) = channel();
        let mut reader = Reader::new(events);
        for chunk in chunks {
            reader.take(chunk);
            assert!(reader.pass_on().is_ok());
        }
        reader.nothing_more();
        assert!(reader.pass_on().is_ok());
        received.try_iter().collect()
    }

    fn keys(chunks: &[&[u8]]) -> Vec<String> {
        typed(chunks)
            .into_iter()
            .map(|event| match event {
                Event::Core(Msg::Key(key)) => key.chord.to_string(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn bytes_become_the_keys_of_the_configuration() {
        for (bytes, names) in [
            (&b"jG "[..], &["j", "G", "Space"][..]),
            (b"\x03\x1a\x13", &["Ctrl-c", "Ctrl-z", "Ctrl-s"]),
            (
                b"\r\t\x1b[Z\x7f",
                &["Enter", "Tab", "Shift-Tab", "Backspace"],
            ),
            (
                b"\x1b[A\x1bOB\x1b[1;5C\x1b[H",
                &["Up", "Down", "Ctrl-Right", "Home"],
            ),
            (
                b"\x1b[5~\x1b[6~\x1b[3~\x1b[15~",
                &["PgUp", "PgDn", "Delete", "F5"],
            ),
            (b"\x1bx", &["Alt-x"]),
            (b"\x1b", &["Esc"]),
            (b"\x1b\x1b", &["Esc", "Esc"]),
            (b"\x1b\x1b\x1b", &["Esc", "Esc", "Esc"]),
            (b"\x1b\x1b[A", &["Esc", "Up"]),
            ("ü世".as_bytes(), &["ü", "世"]),
        ] {
            assert_eq!(keys(&[bytes]), names, "{bytes:?}");
        }
    }

    #[test]
    fn a_sequence_torn_anywhere_is_still_one_key() {
        for whole in [&b"\x1b[A"[..], b"\x1b[1;5C", b"\x1bOB", "世".as_bytes()] {
            for cut in 1..whole.len() {
                let (first, second) = whole.split_at(cut);
                assert_eq!(keys(&[first, second]), keys(&[whole]), "{whole:?} at {cut}");
            }
        }
    }

    #[test]
    fn an_escape_that_waited_is_not_swallowed_by_the_next_key() {
        assert_eq!(keys(&[b"\x1b", b"\x1b[A"]), ["Esc", "Up"]);
        assert_eq!(keys(&[b"\x1b", b"\x1b", b"\x1b"]), ["Esc", "Esc", "Esc"]);
    }

    #[test]
    fn a_paste_is_one_message_whatever_is_in_it() {
        let events = typed(&[b"\x1b[200~one\r", b"two\x1b[A\x1b", b"[201~j"]);
        assert!(
            matches!(&events[..], [Event::Core(Msg::Paste(text)), Event::Core(Msg::Key(_))] if text == "one\rtwo\x1b[A"),
            "{events:?}"
        );
    }

    #[test]
    fn the_mouse_counts_cells_from_0() {
        let events = typed(&[b"\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<65;10;5M"]);
        let at = Position { x: 0, y: 0 };
        let mice: Vec<_> = events
            .into_iter()
            .filter_map(|event| match event {
                Event::Core(Msg::Mouse(mouse)) => Some(mouse),
                _ => None,
            })
            .collect();
        assert_eq!(
            mice,
            [
                Mouse::Press(at),
                Mouse::Release(at),
                Mouse::Wheel(Position { x: 9, y: 4 }, 1)
            ]
        );
    }

    #[test]
    fn answers_of_the_terminal_are_no_keys() {
        let events = typed(&[
            b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
            b"\x1b[?2026;2$y",
            b"\x1b[?62;c",
        ]);
        assert_eq!(events.len(), 3, "{events:?}");
        assert!(
            events.iter().all(|event| matches!(event, Event::Report(_))),
            "{events:?}"
        );
    }

    /// Keys as a terminal with the kitty keyboard protocol reports them.
    #[test]
    fn reported_keys_are_the_keys_of_any_other_terminal() {
        for (bytes, names) in [
            (
                &b"\x1b[27u\x1b[27;1:1u\x1b[91;5u"[..],
                &["Esc", "Esc", "Esc"][..],
            ),
            (b"\x1b[99;5u\x1b[122;5u", &["Ctrl-c", "Ctrl-z"]),
            (b"\x1b[105;5u\t\x1b[9;2u", &["Tab", "Tab", "Shift-Tab"]),
            (b"\x1b[109;5u\x1b[13;2u\r", &["Enter", "Enter", "Enter"]),
            (
                b"\x1b[127;2u\x1b[127;5u\x08",
                &["Backspace", "Ctrl-h", "Ctrl-h"],
            ),
            (b"\x1b[32;5u\0", &["Ctrl-Space", "Ctrl-Space"]),
            (
                b"\x1b[92;5u\x1c\x1b[47;5u\x1f",
                &["Ctrl-\\", "Ctrl-\\", "Ctrl-/", "Ctrl-/"],
            ),
            (b"\x1b[120;3u\x1b[120;4u\x1bX", &["Alt-x", "Alt-X", "Alt-X"]),
            (b"\x1b[1;1:2B\x1b[5;5:1~", &["Down", "Ctrl-PgUp"]),
            // Enter of the number pad, Caps Lock and Num Lock are on.
            (b"\x1b[57414;193u\x1b[57358u", &["Enter"]),
            // The desktop's own, Shift alone, keys that are let go.
            (b"\x1b[113;9u\x1b[57441;2u\x1b[106;1:3u\x1b[1;1:3A", &[]),
            // With their text: shifted, with AltGr, with Caps Lock, from an input method.
            (
                b"\x1b[103;2;71u\x1b[43;1;126u\x1b[101;65;69u\x1b[101;66;101u\x1b[0;;19990:30028u",
                &["G", "~", "E", "e", "\u{4e16}", "\u{754c}"],
            ),
            (
                b"\x1b[106;1;106u\x1b[13u\x1b[117;1;117uu",
                &["j", "Enter", "u", "u"],
            ),
            // A text that no key types changes nothing.
            (
                b"\x1b[106;1;27u\x1b[106;1;u\x1b[106;1;99999999u",
                &["j", "j", "j"],
            ),
        ] {
            assert_eq!(keys(&[bytes]), names, "{bytes:?}");
            for cut in 1..bytes.len() {
                let (first, second) = bytes.split_at(cut);
                assert_eq!(keys(&[first, second]), names, "{bytes:?} at {cut}");
            }
        }
    }

    #[test]
    fn a_paste_that_looks_like_keys_is_a_paste() {
        let events = typed(&[b"\x1b[200~\x1b[103;2;71u\x1b[201~\x1b[103;2;71u"]);
        assert!(
            matches!(&events[..], [Event::Core(Msg::Paste(text)), Event::Core(Msg::Key(key))]
                if text == "\x1b[103;2;71u" && key.chord.to_string() == "G"),
            "{events:?}"
        );
    }

    #[test]
    fn only_reported_repeats_are_repeats() {
        let events = typed(&[b"\x1b[106;1:2;106u", b"\x1b[106;1:3u", b"j"]);
        let strokes: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Event::Core(Msg::Key(key)) => Some(key.stroke),
                _ => None,
            })
            .collect();
        assert_eq!(strokes, [Stroke::Repeat, Stroke::Press]);
    }
}
