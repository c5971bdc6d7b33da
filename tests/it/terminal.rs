//! The real program in a pseudo-terminal: types into it, reads its screen, sees how it ends.
//!
//! Every wait is for something on the screen or for the end, and has one limit for the whole life
//! of the program. Whatever a test does, the program is gone after it.

#![expect(
    clippy::disallowed_methods,
    reason = "the limit of a whole test is real time"
)]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long a program may live.
const LIMIT: Duration = Duration::from_mins(1);

/// A program on a terminal.
pub(crate) struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    /// Asks the reading thread for the next bytes; it holds the terminal open until this is gone.
    ask: Option<Sender<()>>,
    answers: Receiver<Option<Vec<u8>>>,
    asked: bool,
    parser: vt100::Parser,
    bytes: Vec<u8>,
    /// How many bytes it had written when something was typed.
    typed_at: usize,
    /// How many of the bytes were looked through for status reports.
    looked_through: usize,
    /// Whether status reports are answered, as terminals do.
    reports: Reports,
    /// Whether a frame has begun that has not ended.
    in_frame: bool,
    modes: String,
    until: Instant,
}

/// What becomes of a status report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reports {
    /// It is answered when the terminal has read what was before it.
    Answered,
    /// Nothing.
    Ignored,
}

/// How a program ended, and what it left behind.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: u32,
    /// Everything that it wrote.
    pub(crate) bytes: Vec<u8>,
    /// What the terminal shows after it.
    pub(crate) screen: String,
}

/// The program itself, below this home folder, in a tidy environment.
pub(crate) fn coracle(home: &Path, arguments: &[&str]) -> CommandBuilder {
    program(home, env!("CARGO_BIN_EXE_coracle"), arguments)
}

/// Any program, below this home folder, in a tidy environment.
pub(crate) fn program(home: &Path, path: &str, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(path);
    command.args(arguments);
    command.env_clear();
    command.env("HOME", home);
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("TZ", "UTC");
    command.cwd(home);
    command
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

impl Terminal {
    /// Starts a program on a terminal of this size.
    pub(crate) fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let pair = native_pty_system()
            .openpty(size(columns, rows))
            .expect("a pseudo-terminal");
        let modes = modes(&*pair.master);
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let writer = pair.master.take_writer().expect("its input");
        let child = pair
            .slave
            .spawn_command(command)
            .expect("the program starts");
        // Only the program holds its end now, so the output ends with it.
        drop(pair.slave);
        let (ask, asked) = channel();
        let (answer, answers) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while asked.recv().is_ok() {
                let read = match reader.read(&mut bytes) {
                    // Linux says EIO when the other end is closed.
                    Ok(0) | Err(_) => None,
                    Ok(count) => Some(bytes[..count].to_vec()),
                };
                let at_end = read.is_none();
                if answer.send(read).is_err() || at_end {
                    return;
                }
            }
        });
        Self {
            master: Some(pair.master),
            writer: Some(writer),
            child,
            ask: Some(ask),
            answers,
            asked: false,
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            bytes: Vec::new(),
            typed_at: 0,
            looked_through: 0,
            reports: Reports::Answered,
            in_frame: false,
            modes,
            until: Instant::now() + LIMIT,
        }
    }

    /// Types.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.typed_at = self.bytes.len();
        let writer = self.writer.as_mut().expect("the terminal is there");
        writer.write_all(bytes.as_ref()).expect("it takes input");
        writer.flush().expect("it takes input");
    }

    /// Types once the program has drawn what became of what was typed before, so that this is read by
    /// itself.
    pub(crate) fn send_apart(&mut self, bytes: impl AsRef<[u8]>) {
        while self.bytes.len() <= self.typed_at {
            match self.read() {
                Got::Bytes => {}
                Got::End | Got::TooLate => panic!("nothing came of a key\n{}", self.contents()),
            }
        }
        self.send(bytes);
    }

    /// Agrees with this key to the dialog that shows this text. Where that has just changed, it is looked at, and
    /// agreed to once more, as somebody would.
    pub(crate) fn agrees(&mut self, key: &str, asked: &str) {
        const AGAIN: &str = "answer again";
        loop {
            self.send_apart(key);
            self.wait("an answer to the key that agrees", |screen| {
                let text = screen.contents();
                text.contains(AGAIN) || !text.contains(asked)
            });
            if !self.contents().contains(AGAIN) {
                return;
            }
            // Page down does nothing but clear that.
            self.send("\u{1b}[6~");
            self.wait("the dialog as it was", |screen| {
                !screen.contents().contains(AGAIN)
            });
        }
    }

    /// Types, each Enter in a read of its own: nothing is agreed to by what may be a paste.
    pub(crate) fn send_keys(&mut self, keys: &str) {
        for (place, part) in keys.split('\r').enumerate() {
            if place > 0 {
                self.send_apart("\r");
            }
            if !part.is_empty() {
                self.send(part);
            }
        }
    }

    /// Leaves status reports without an answer from now on.
    pub(crate) fn ignores_reports(&mut self) {
        self.reports = Reports::Ignored;
    }

    /// Looks through what was read: answers status reports, and notes whether a frame has ended.
    fn look_through(&mut self) {
        const REPORT: &[u8] = b"\x1b[5n";
        const BEGINS: &[u8] = b"\x1b[?2026h";
        const ENDS: &[u8] = b"\x1b[?2026l";
        while self.looked_through < self.bytes.len() {
            let rest = &self.bytes[self.looked_through..];
            let Some(known) = [REPORT, BEGINS, ENDS]
                .into_iter()
                .find(|known| rest.starts_with(known))
            else {
                if [REPORT, BEGINS, ENDS]
                    .iter()
                    .any(|known| known.starts_with(rest))
                {
                    return;
                }
                self.looked_through += 1;
                continue;
            };
            self.looked_through += known.len();
            if known != REPORT {
                self.in_frame = known == BEGINS;
            } else if self.reports == Reports::Answered
                && let Some(writer) = &mut self.writer
            {
                // Fails when the program has ended.
                let _ = writer.write_all(b"\x1b[0n").and_then(|()| writer.flush());
            }
        }
    }

    /// Waits until the screen is as `predicate` wants it; `what` says what that is.
    pub(crate) fn wait(&mut self, what: &str, predicate: impl Fn(&vt100::Screen) -> bool) {
        // What comes behind the frame may want an answer.
        while self.in_frame || !predicate(self.parser.screen()) {
            match self.read() {
                Got::Bytes => {}
                Got::End => panic!("it ended before this: {what}\n{}", self.contents()),
                Got::TooLate => panic!("it took too long: {what}\n{}", self.contents()),
            }
        }
    }

    /// Waits until the screen shows this text.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    /// Waits until the program has written these bytes.
    pub(crate) fn wait_for_bytes(&mut self, wanted: &[u8]) {
        while !self.bytes.windows(wanted.len()).any(|at| at == wanted) {
            match self.read() {
                Got::Bytes => {}
                Got::End | Got::TooLate => panic!("it never wrote {wanted:?}\n{}", self.contents()),
            }
        }
    }

    /// Waits until keys are reported with these flags of the kitty keyboard protocol.
    pub(crate) fn wait_for_keyboard(&mut self, flags: u8) {
        while self.keyboard().flags() != flags {
            match self.read() {
                Got::Bytes => {}
                Got::End | Got::TooLate => {
                    panic!("no {flags}: {:?}\n{}", self.keyboard(), self.contents())
                }
            }
        }
    }

    /// What the program has made of the keyboard up to now.
    pub(crate) fn keyboard(&self) -> Keyboard {
        Keyboard::after(&self.bytes)
    }

    /// Goes on reading until something outside of the terminal has happened.
    pub(crate) fn until(&mut self, what: &str, happened: impl Fn() -> bool) {
        while !happened() {
            assert!(Instant::now() < self.until, "it took too long: {what}");
            std::thread::yield_now();
        }
    }

    /// The screen.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// What the screen shows.
    pub(crate) fn contents(&self) -> String {
        self.parser.screen().contents()
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        self.master
            .as_ref()
            .expect("the terminal is there")
            .resize(size(columns, rows))
            .expect("a new size");
    }

    /// Blanks the screen behind the back of the program, as a window does that was attached anew.
    pub(crate) fn blank(&mut self) {
        self.parser.process(b"\x1b[2J");
    }

    /// The process.
    pub(crate) fn pid(&self) -> Pid {
        let id = self.child.process_id().expect("it runs");
        Pid::from_raw(id.cast_signed()).expect("a process id")
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// Closes the terminal under the program, and says with which code it ended and how long
    /// that took.
    ///
    /// The library's writer types a line feed and Ctrl-d as it goes, which the program may still
    /// read before the line drops.
    pub(crate) fn hang_up(mut self) -> (u32, Duration) {
        assert!(!self.asked, "nothing is being read");
        self.writer = None;
        let since = Instant::now();
        self.ask = None;
        self.master = None;
        (self.exit_code(), since.elapsed())
    }

    /// Reads to the end and checks that the terminal is as it was before the program.
    pub(crate) fn end(mut self) -> Ended {
        loop {
            match self.read() {
                Got::Bytes => {}
                Got::End => break,
                Got::TooLate => panic!("it did not end\n{}", self.contents()),
            }
        }
        let after = modes(&**self.master.as_ref().expect("the terminal is there"));
        assert_eq!(after, self.modes, "the modes of the line are back");
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the first screen is back");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "pastes are plain again");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is free"
        );
        assert_eq!(
            self.keyboard(),
            Keyboard::default(),
            "keys are reported as before"
        );
        assert_eq!(screen.fgcolor(), vt100::Color::Default, "no colour is left");
        assert!(
            !screen.bold() && !screen.inverse() && !screen.dim(),
            "no style is left"
        );
        Ended {
            screen: self.contents(),
            bytes: std::mem::take(&mut self.bytes),
            code: self.exit_code(),
        }
    }

    fn read(&mut self) -> Got {
        if !self.asked {
            let ask = self.ask.as_ref().expect("the terminal is there");
            if ask.send(()).is_err() {
                return Got::End;
            }
            self.asked = true;
        }
        let left = self.until.saturating_duration_since(Instant::now());
        match self.answers.recv_timeout(left) {
            Ok(Some(bytes)) => {
                self.asked = false;
                self.parser.process(&bytes);
                self.bytes.extend_from_slice(&bytes);
                self.look_through();
                Got::Bytes
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Got::End,
            Err(RecvTimeoutError::Timeout) => Got::TooLate,
        }
    }

    /// Waits for the end of the process itself, bounded by a thread that kills it.
    fn exit_code(&mut self) -> u32 {
        let left = self.until.saturating_duration_since(Instant::now());
        let mut killer = self.child.clone_killer();
        let (ended, wait) = channel::<()>();
        let guard = std::thread::spawn(move || {
            if wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                let _ = killer.kill();
                return false;
            }
            true
        });
        let status = self.child.wait().expect("its exit code");
        drop(ended);
        assert!(guard.join().expect("the guard"), "it did not end in time");
        status.exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails when it is gone already, as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a terminal with the kitty keyboard protocol remembers: for each of its two screens the flags
/// that are in force, the last, and those that come back when they are popped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Keyboard {
    screens: [Vec<u8>; 2],
    alternate: bool,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self {
            screens: [vec![0], vec![0]],
            alternate: false,
        }
    }
}

impl Keyboard {
    fn after(bytes: &[u8]) -> Self {
        let mut keyboard = Self::default();
        let mut rest = bytes;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
            rest = &rest[at + 2..];
            let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
                break;
            };
            let parameters = String::from_utf8_lossy(&rest[..end]).into_owned();
            keyboard.take(&parameters, rest[end]);
            rest = &rest[end + 1..];
        }
        keyboard
    }

    fn take(&mut self, parameters: &str, last: u8) {
        let stack = &mut self.screens[usize::from(self.alternate)];
        let flags = || parameters[1..].parse().expect("flags");
        match (last, parameters.as_bytes().first()) {
            (b'h' | b'l', _) if parameters == "?1049" => self.alternate = last == b'h',
            (b'u', Some(b'>')) => stack.push(flags()),
            (b'u', Some(b'=')) => *stack.last_mut().expect("flags are in force") = flags(),
            (b'u', Some(b'<')) => {
                assert!(stack.len() > 1, "nothing was pushed");
                stack.pop();
            }
            _ => {}
        }
    }

    /// The flags in force.
    pub(crate) fn flags(&self) -> u8 {
        let stack = &self.screens[usize::from(self.alternate)];
        *stack.last().expect("flags are in force")
    }
}

enum Got {
    Bytes,
    End,
    TooLate,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// All modes of the line: flags, special characters and speeds.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}
