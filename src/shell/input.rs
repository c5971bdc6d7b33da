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

use super::clock::Clock;
use super::event::Event;
use super::keypad;
use super::sequence::{ESCAPE, EscapeKey, Piece, Splitter};
use crate::app::key::{Chord, Company, Key, KeyPress, Stroke};
use crate::app::message::{Mouse, Msg, Position};

/// The reading thread, seen from outside.
#[derive(Debug)]
pub struct Input {
    orders: OwnedFd,
    paused: Receiver<()>,
}

impl Input {
    /// Starts to read.
    pub fn start(events: Sender<Event>, clock: Clock) -> io::Result<Self> {
        let (orders_out, orders) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (tell_paused, paused) = channel();
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                let mut reader = Reader::new(events, clock);
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

    /// From now on an escape character alone is no key: the terminal sends Esc as a sequence.
    pub fn escape_is_a_sequence(&self) {
        self.order(CLEAR);
    }

    fn order(&self, order: u8) {
        while rustix::io::write(&self.orders, &[order]) == Err(Errno::INTR) {}
    }
}

const PAUSE: u8 = b'p';
const RESUME: u8 = b'r';
const CLEAR: u8 = b'c';

/// A paste that takes longer is told of, in milliseconds.
const SLOW_PASTE_MS: u64 = 1_000;

/// The program is ending: nobody listens any more.
struct NobodyListens;

struct Reader {
    events: Sender<Event>,
    clock: Clock,
    splitter: Splitter,
    escape: EscapeKey,
    /// Whether it was told that a paste takes long.
    told_of_paste: bool,
}

impl Reader {
    fn new(events: Sender<Event>, clock: Clock) -> Self {
        Self {
            events,
            clock,
            splitter: Splitter::default(),
            escape: EscapeKey::Bare,
            told_of_paste: false,
        }
    }

    /// How long to wait for more, in milliseconds.
    fn limit(&self) -> Option<u64> {
        let now = self.clock.now().0;
        let patience = self.splitter.patience(self.escape, now)?;
        let since = self.splitter.pastes_since();
        let told = since.filter(|_| !self.told_of_paste);
        let told = told.map(|since| (since + SLOW_PASTE_MS).saturating_sub(now));
        Some(told.map_or(patience, |told| told.min(patience)))
    }

    /// Nothing more came for as long as was to be waited.
    fn waited(&mut self) -> Result<(), NobodyListens> {
        let now = self.clock.now().0;
        if self.splitter.patience(self.escape, now) == Some(0) {
            self.splitter.silence();
        }
        self.pass_on()
    }

    /// Tells that a paste takes long, and when that is over.
    fn tell_of_paste(&mut self) -> Result<(), NobodyListens> {
        let now = self.clock.now();
        let since = self.splitter.pastes_since();
        let is_slow = since.is_some_and(|since| now.0.saturating_sub(since) >= SLOW_PASTE_MS);
        if is_slow != self.told_of_paste {
            self.told_of_paste = is_slow;
            self.tell(Event::Core(Msg::Pasting(is_slow)))?;
        }
        Ok(())
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
            let limit = self.limit().map(limit);
            match poll(&mut waiting, limit.as_ref()) {
                Err(Errno::INTR) => continue,
                Err(_) => return self.tell(Event::Gone),
                Ok(0) => {
                    self.waited()?;
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
                    Ok(1) if order[0] == CLEAR => self.escape = EscapeKey::Sequence,
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
                        self.splitter.take(&bytes[..count], self.clock.now().0);
                        self.pass_on()?;
                    }
                }
            } else if terminal.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return self.tell(Event::Gone);
            }
        }
    }

    /// Passes on what is whole. What comes in one go was read in one go.
    fn pass_on(&mut self) -> Result<(), NobodyListens> {
        let at = self.clock.now();
        let mut company = Company::Alone;
        for piece in self.splitter.pieces() {
            for event in read(piece) {
                let event = match event {
                    Event::Core(Msg::Key(press)) => {
                        let press = KeyPress { company, ..press };
                        company = Company::Behind;
                        Event::Typed {
                            at,
                            msg: Msg::Key(press),
                        }
                    }
                    Event::Core(msg) => Event::Typed { at, msg },
                    other => other,
                };
                self.tell(event)?;
            }
        }
        self.tell_of_paste()
    }

    fn tell(&self, event: Event) -> Result<(), NobodyListens> {
        self.events.send(event).map_err(|_| NobodyListens)
    }
}

fn limit(ms: u64) -> Timespec {
    let part = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    Timespec {
        tv_sec: part(ms / 1_000),
        tv_nsec: part(ms % 1_000) * 1_000_000,
    }
}

/// What a whole piece means to us.
fn read(piece: Piece) -> Vec<Event> {
    let bytes = match piece {
        Piece::Paste(text) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            return vec![Event::Core(Msg::Paste(text))];
        }
        // The parser doesn't know it.
        Piece::Whole(bytes) if matches!(&bytes[..], b"\x1b[0n" | b"\x1b[3n") => {
            return vec![Event::Status];
        }
        Piece::Whole(bytes) if !is_known(&bytes) => return Vec::new(),
        Piece::Whole(bytes) => bytes,
    };
    // The parser would wait for more.
    if let [ESCAPE, first @ (b'[' | b']' | b'O' | b'P')] = &bytes[..] {
        let press = KeyPress::press(Chord {
            alt: true,
            ..Chord::plain(Key::Char(char::from(*first)))
        });
        return vec![Event::Core(Msg::Key(press))];
    }
    if let [ESCAPE, b'O', byte] = bytes[..]
        && let Some(key) = keypad::key(byte)
    {
        return vec![Event::Core(Msg::Key(KeyPress::press(Chord::plain(key))))];
    }
    // A parser for each: none ever waits for the end of a piece.
    let mut parser = Parser::default();
    parser.parse(&bytes, false);
    let events = std::iter::from_fn(|| parser.pop());
    let text = typed_text(&bytes);
    let typed = events.flat_map(|event| match (event, &text) {
        (termina::Event::Key(key), Some(text)) => {
            typed_keys(key, text).map(termina::Event::Key).collect()
        }
        (event, _) => vec![event],
    });
    typed.filter_map(translate).collect()
}

/// Whether the parser follows a piece to its end. Of others it would take the rest for keys.
fn is_known(bytes: &[u8]) -> bool {
    match bytes {
        [ESCAPE, b'[', first @ 0x20..=0x3f, ..] => {
            matches!(first, b'0'..=b'9' | b'<' | b'>' | b'?')
        }
        [ESCAPE, b'_' | b'^' | b'X', _, ..] => false,
        _ => true,
    }
}

/// The text that a reported key types, its third parameter. The parser leaves it out, and the key
/// alone does not tell: it takes the layout of the keyboard to make `~` of it.
fn typed_text(sequence: &[u8]) -> Option<Vec<char>> {
    let parameters = sequence.strip_prefix(&[ESCAPE, b'['])?.strip_suffix(b"u")?;
    let parameters = std::str::from_utf8(parameters).ok()?;
    let text: Option<Vec<char>> = parameters
        .split(';')
        .nth(2)?
        .split(':')
        .map(|code| char::from_u32(code.parse().ok()?).filter(|c| !c.is_control()))
        .collect();
    text.filter(|text| !text.is_empty())
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
        company: Company::Alone,
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

    /// What reaches the core when `chunks` arrive one after the other, an empty one a silence, and
    /// then nothing for a while.
    fn typed(chunks: &[&[u8]]) -> Vec<Event> {
        let (events, received) = channel();
        let mut reader = Reader::new(events, Clock::start());
        for chunk in chunks.iter().chain([&&b""[..]]) {
            if chunk.is_empty() {
                reader.splitter.silence();
            } else {
                reader.splitter.take(chunk, 0);
            }
            assert!(reader.pass_on().is_ok());
        }
        let core = |event| match event {
            Event::Typed { msg, .. } => Event::Core(msg),
            other => other,
        };
        received.try_iter().map(core).collect()
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
            // The number pad in its application mode.
            (b"\x1bOq\x1bOp\x1bOk\x1bOM", &["1", "0", "+", "Enter"]),
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
        for whole in [
            &b"\x1b[A"[..],
            b"\x1b[1;5C",
            b"\x1bOB",
            b"\x1bOM",
            "世".as_bytes(),
        ] {
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

    /// What may be left unfinished: by a line that tears, or by keys that arrive together.
    const UNFINISHED: &[&[u8]] = &[
        b"\x1b",
        b"\x1b[",
        b"\x1bO",
        b"\x1b]",
        b"\x1bP",
        b"\x1b_",
        b"\x1b^",
        b"\x1bX",
        b"\x1b[1",
        b"\x1b[1;5",
        b"\x1b[<0;1",
        b"\x1b[M",
        b"\x1b[M !",
        b"\x1b[[",
        b"\x1b[?62;",
        b"\x1b]11;rgb:ff",
        b"\x1b]11;rgb:ff\x1b",
        b"\x1bP1$r",
        b"\x1b_Gi=1",
        b"\xe4",
        b"\xe4\xb8",
        b"\x1b\xc3",
        b"\x1b[200~lost",
        b"\x1b[200~lost\x1b[20",
    ];

    #[test]
    fn after_a_silence_every_key_counts_again() {
        for left in UNFINISHED {
            let typed = keys(&[left, b"", b"q"]);
            assert_eq!(
                typed.last().map(String::as_str),
                Some("q"),
                "{left:?}: {typed:?}"
            );
        }
    }

    #[test]
    fn ctrl_c_gets_through_whatever_is_unfinished() {
        for left in UNFINISHED {
            let together = [left, &b"\x03"[..]].concat();
            for chunks in [&[left, &b"\x03"[..]][..], &[&together[..]][..]] {
                let typed = keys(chunks);
                assert!(
                    typed.iter().any(|key| key == "Ctrl-c"),
                    "{left:?}: {typed:?}"
                );
            }
        }
    }

    #[test]
    fn an_introducer_that_nothing_follows_was_a_key() {
        for (bytes, names) in [
            (&b"\x1b]"[..], &["Alt-]"][..]),
            (b"\x1b[", &["Alt-["]),
            (b"\x1bO", &["Alt-O"]),
            (b"\x1bP", &["Alt-P"]),
            (b"\x1b_", &["Alt-_"]),
            (b"\x1bX", &["Alt-X"]),
            (b"\x1bOz", &["Alt-O", "z"]),
            (b"\x1b[1", &["Alt-[", "1"]),
        ] {
            assert_eq!(keys(&[bytes]), names, "{bytes:?}");
        }
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
    fn what_is_read_together_is_told_apart_from_what_is_read_alone() {
        use Company::{Alone, Behind};
        let company = |chunks: &[&[u8]]| -> Vec<Company> {
            let presses = typed(chunks).into_iter().filter_map(|event| match event {
                Event::Core(Msg::Key(key)) => Some(key.company),
                _ => None,
            });
            presses.collect()
        };
        assert_eq!(company(&[b"1\r"]), [Alone, Behind]);
        assert_eq!(company(&[b"1", b"\r"]), [Alone, Alone]);
        // A key that is let go, and what the terminal says, are no keys before it.
        assert_eq!(company(&[b"\x1b[49;1:3u\x1b[0n\x1b[13u"]), [Alone]);
        assert_eq!(company(&[b"\x1b[0;;97:98u"]), [Alone, Behind]);
    }

    #[test]
    fn the_answer_to_a_status_report_is_no_key() {
        assert_eq!(keys(&[b"x\x1b[0n1"]), ["x", "Status", "1"]);
        assert_eq!(keys(&[b"\x1b[", b"0n"]), ["Status"]);
    }

    #[test]
    fn what_nobody_asked_for_types_nothing() {
        for bytes in [
            &b"\x1b_Gi=1;OK\x1b\\"[..],
            b"\x1b^jjx\x1b\\",
            b"\x1bXjjx\x1b\\",
            b"\x1bP1$rjx\x1b\\",
            b"\x1b]52;c;jjx\x07",
            b"\x1b[!p",
            b"\x1b[=1;2c",
            b"\x1b[;x",
            b"\x1b[1x",
            b"\x1b[?1x",
        ] {
            let typed = keys(&[bytes]);
            assert!(
                typed.iter().all(|key| key.contains('(')),
                "{bytes:?}: {typed:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_came_before_the_next_key_is_that_key(
            before in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        ) {
            let typed = keys(&[&before, b"", b"q", b"\x03"]);
            proptest::prop_assert_eq!(&typed[typed.len() - 2..], ["q", "Ctrl-c"]);
        }
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
