//! The program on a pseudo-terminal that answers status reports, and what somebody does there.

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use rustix::process::Pid;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// How long one step on the screen may take.
const STEP: Duration = Duration::from_mins(1);
/// Runs a program that gets an error, and not a signal, where a file can't grow.
pub(crate) const PATIENT: &str = "trap '' XFSZ; exec \"$@\"";

/// The most memory of a process, in MiB.
pub(crate) fn peak(pid: Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let status = fs::read_to_string(path).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0).div_ceil(1024)
}

/// What a dialog wants to have typed.
pub(crate) fn wanted(text: &str) -> Option<String> {
    let at = text.find("Type ")?;
    text[at + 5..].split_whitespace().next().map(str::to_owned)
}

/// The program on a terminal that answers status reports.
pub(crate) struct Session {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    /// The process.
    pub(crate) pid: Pid,
    tail: Vec<u8>,
    ended: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Session {
    pub(crate) fn start(program: &Path, home: &Path, address: &str) -> Outcome<Self> {
        let (rows, cols) = (50, 150);
        let pair = native_pty_system().openpty(PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        })?;
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", PATIENT, "sh"]);
        command.arg(program);
        command.args(["--url", address]);
        command.env_clear();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm-256color"),
            ("TZ", "UTC"),
            ("LANG", "C.UTF-8"),
        ] {
            command.env(name, value);
        }
        command.env("HOME", home);
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let (tell, bytes) = channel();
        thread::spawn(move || {
            // The terminal stays open as long as somebody reads it.
            let _master = pair.master;
            let mut piece = [0; 16_384];
            while let Ok(count) = reader.read(&mut piece) {
                if count == 0 || tell.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let cells = |n| NonZeroU16::new(n).ok_or("no cells");
        let pid = child.process_id().ok_or("no process")?;
        Ok(Self {
            pid: Pid::from_raw(pid.cast_signed()).ok_or("no process")?,
            child,
            writer,
            bytes,
            parser: vt100::Parser::new(cells(rows)?, cells(cols)?, 0),
            tail: Vec::new(),
            ended: false,
        })
    }

    /// The most memory that it has had, in MiB.
    pub(crate) fn peak(&self) -> u64 {
        peak(self.pid)
    }

    /// The screen as it is.
    pub(crate) fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// The screen without borders and with single blanks.
    pub(crate) fn text(&self) -> String {
        let contents = self.screen();
        let plain = contents.chars().map(|c| match c {
            '│' | '╭' | '╮' | '╰' | '╯' | '─' | '▸' | '●' => ' ',
            c => c,
        });
        let text: String = plain.collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn take(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.parser.process(bytes);
        self.tail.extend_from_slice(bytes);
        while let Some(at) = self.tail.windows(4).position(|it| it == b"\x1b[5n") {
            self.tail.drain(..at + 4);
            self.writer.write_all(b"\x1b[0n")?;
            self.writer.flush()?;
        }
        let keep = self.tail.len().saturating_sub(3);
        self.tail.drain(..keep);
        Ok(())
    }

    pub(crate) fn send(&mut self, keys: &str) -> Outcome<()> {
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        Ok(())
    }

    pub(crate) fn until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> Outcome<()> {
        let until = Instant::now() + STEP;
        loop {
            if is_so(&self.text()) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("it took too long: {what}\n{}", self.screen()).into());
            }
            self.reads(Duration::from_millis(100))
                .map_err(|_| format!("it ended before this: {what}\n{}", self.screen()))?;
        }
    }

    fn reads(&mut self, time: Duration) -> Outcome<()> {
        match self.bytes.recv_timeout(time) {
            Ok(bytes) => self.take(&bytes),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                self.ended = true;
                Err("it ended".into())
            }
        }
    }

    /// Reads for a while.
    pub(crate) fn drain(&mut self, time: Duration) -> Outcome<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.reads(until.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    /// Whether the program is gone.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.ended || matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits as a person does who looks before typing.
    pub(crate) fn rests(&mut self) {
        let _ = self.drain(Duration::from_millis(350));
    }

    /// Back to the panes. Without a dialog Esc would stop a list that is read.
    pub(crate) fn closes_dialogs(&mut self) {
        self.rests();
        for _ in 0..4 {
            let text = self.text();
            let key = if text.contains("q close") {
                "q"
            } else if text.contains("Esc ") {
                "\u{1b}"
            } else {
                return;
            };
            let _ = self.send(key);
            self.rests();
        }
    }

    /// Types what a dialog wants, letter by letter, and waits until it is shown.
    pub(crate) fn types(&mut self, answer: &str) -> Outcome<()> {
        self.until("the counts", |text| !text.contains("… page"))?;
        self.rests();
        for letter in answer.chars() {
            self.send(&letter.to_string())?;
            self.drain(Duration::from_millis(60))?;
        }
        // Enter in one reading with what is typed before it would be dropped.
        let shown = format!(": {answer}");
        self.until("what was typed", |text| text.contains(&shown))
    }

    pub(crate) fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.ended = true;
    }
}
