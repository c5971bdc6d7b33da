//! A trash of a million items in one space: opened, scrolled, filtered, sorted and backed up with the
//! real program on a pseudo-terminal, against the embedded server in a process of its own.
//!
//! Says after each step how long it took and the most memory that the client had until then. The
//! number of items may be given as the only argument. Linux only, for it reads `/proc`.
//!
//! ```sh
//! cargo build --release && cargo run --release --example million
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "it measures, so it reads the clock"
)]

use std::error::Error;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

/// No step takes longer.
const LIMIT: Duration = Duration::from_hours(3);

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let items: u64 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let program = program()?;
    let place = tempfile::tempdir()?;
    say(&format!("filling a wiki with {items} trashed items …"));
    let data = place.path().join("wiki.sqlite");
    let mut server = Command::new(&program)
        .args(["serve", "--port", "0", "--spaces", "1", "--pages", "1000"])
        .args(["--trash", &items.to_string(), "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let outcome = measure(&program, place.path(), items, &mut server);
    server.kill()?;
    server.wait()?;
    outcome
}

/// The program that was built beside this one.
fn program() -> Outcome<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me.parent().and_then(Path::parent);
    let program = folder.ok_or("no folder")?.join("coracle");
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!(
            "{} is not there; cargo build --release makes it",
            program.display()
        )
        .into())
    }
}

fn say(text: &str) {
    // A report that nobody reads is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn measure(
    program: &Path,
    home: &Path,
    items: u64,
    server: &mut std::process::Child,
) -> Outcome<()> {
    let told = server.stdout.take().ok_or("the server says nothing")?;
    let mut address = String::new();
    for line in BufReader::new(told).lines() {
        let line = line?;
        if let Some(at) = line.find("http://") {
            line[at..]
                .split_whitespace()
                .next()
                .unwrap_or("")
                .clone_into(&mut address);
            break;
        }
    }
    let all = grouped(items);
    let mut it = Session::start(program, home, &address)?;
    it.report("started, the space is listed", "BIG")?;
    it.send("t")?;
    it.report("t: the first rows of the trash", "Former")?;
    it.send("/'runbook")?;
    it.report("/: all is read and filtered", &format!("of {all} read"))?;
    it.until("the filter has looked at everything", |text| {
        !text.contains(&format!("… of {all} read"))
    })?;
    let mut slowest = Duration::ZERO;
    let mut typed = "/ 'runbook".to_owned();
    for letter in " weekly".chars() {
        typed.push(letter);
        it.send(&letter.to_string())?;
        // A blank at the end is not seen, so the letter after it says when both are there.
        if letter != ' ' {
            slowest = slowest.max(it.until("the letter", |text| text.contains(&typed))?);
        }
    }
    it.line("letters in the filter, the slowest", slowest);
    it.send("\x1b")?;
    it.until("all rows again", |text| !text.contains("/ 'runbook"))?;
    it.keys("a page down, the slowest of 100", "\x1b[6~", 100)?;
    it.send("G")?;
    it.report("G: the last row", "")?;
    it.send("g")?;
    it.send("v")?;
    it.answers("v: keys while it becomes a table, the slowest")?;
    it.send("s2")?;
    it.answers("s: keys while it is sorted by title, the slowest")?;
    it.send("*")?;
    it.report("*: all marked", &format!("{all} marked"))?;
    it.send("b")?;
    it.report("b: the plan", "Back up the trash of BIG")?;
    it.send("y")?;
    it.answers("keys while it backs up, the slowest")?;
    it.report(
        "the backup is written and read back",
        "Back up the trash of BIG: done",
    )?;
    it.send("\x03")?;
    let _ = it.child.wait();
    let checked = Command::new(program)
        .args(["backup", "verify"])
        .env("HOME", home)
        .output()?;
    say(String::from_utf8_lossy(&checked.stdout).trim());
    Ok(())
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (ix, digit) in digits.chars().enumerate() {
        if ix > 0 && (digits.len() - ix).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

struct Session {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    bytes: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    pid: u32,
    since: Instant,
}

impl Session {
    fn start(program: &Path, home: &Path, address: &str) -> Outcome<Self> {
        let pair = native_pty_system().openpty(PtySize {
            rows: 40,
            cols: 120,
            pixel_width: 0,
            pixel_height: 0,
        })?;
        let mut command = CommandBuilder::new(program);
        command.args(["--url", address]);
        command.env_clear();
        command.env("HOME", home);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command)?;
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let (tell, bytes) = channel();
        std::thread::spawn(move || {
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
        Ok(Self {
            pid: child.process_id().ok_or("no process")?,
            child,
            writer,
            bytes,
            parser: vt100::Parser::new(cells(40)?, cells(120)?, 0),
            since: Instant::now(),
        })
    }

    fn send(&mut self, keys: &str) -> Outcome<()> {
        self.since = Instant::now();
        self.writer.write_all(keys.as_bytes())?;
        self.writer.flush()?;
        Ok(())
    }

    /// Waits until the screen is so; says how long that took since the last key.
    fn until(&mut self, what: &str, is_so: impl Fn(&str) -> bool) -> Outcome<Duration> {
        let mut told = Instant::now();
        while !is_so(&self.parser.screen().contents()) {
            match self.bytes.recv_timeout(Duration::from_mins(1)) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("it ended before this: {what}").into());
                }
            }
            if self.since.elapsed() > LIMIT {
                let screen = self.parser.screen().contents();
                return Err(format!("it took too long: {what}\n{screen}").into());
            }
            if told.elapsed() > Duration::from_mins(1) {
                told = Instant::now();
                let screen = self.parser.screen().contents();
                let foot = screen.lines().last().unwrap_or_default();
                say(&format!(
                    "   … {} s, {} KiB: {foot}",
                    self.since.elapsed().as_secs(),
                    self.peak()
                ));
            }
        }
        Ok(self.since.elapsed())
    }

    fn report(&mut self, what: &str, wanted: &str) -> Outcome<()> {
        let took = if wanted.is_empty() {
            self.quiet()
        } else {
            self.until(what, |text| text.contains(wanted))?
        };
        self.line(what, took);
        Ok(())
    }

    fn line(&self, what: &str, took: Duration) {
        let mib = self.peak() as f64 / 1_024.0;
        let ms = took.as_secs_f64() * 1_000.0;
        say(&format!("{what:<50} {ms:>12.1} ms   peak {mib:>7.1} MiB"));
    }

    /// Reads until nothing has come for a while; says when the last came.
    fn quiet(&mut self) -> Duration {
        let mut last = self.since.elapsed();
        while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(500)) {
            self.parser.process(&bytes);
            last = self.since.elapsed();
        }
        last
    }

    /// One key many times; the slowest answer.
    fn keys(&mut self, what: &str, key: &str, times: usize) -> Outcome<()> {
        let mut slowest = Duration::ZERO;
        for _ in 0..times {
            self.quiet_for(Duration::from_millis(30));
            let before = self.parser.screen().contents();
            self.send(key)?;
            slowest = slowest.max(self.until(what, |text| text != before)?);
        }
        self.line(what, slowest);
        Ok(())
    }

    fn quiet_for(&mut self, time: Duration) {
        while let Ok(bytes) = self.bytes.recv_timeout(time) {
            self.parser.process(&bytes);
        }
    }

    /// Opens and closes the help again and again, for as long as something is at work.
    fn answers(&mut self, what: &str) -> Outcome<()> {
        let mut slowest = Duration::ZERO;
        for _ in 0..40 {
            self.send("?")?;
            slowest = slowest.max(self.until(what, |text| text.contains("╭ Help "))?);
            self.send("q")?;
            slowest = slowest.max(self.until(what, |text| !text.contains("╭ Help "))?);
        }
        self.line(what, slowest);
        Ok(())
    }

    /// The most memory that the client ever had, in KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        line.and_then(|line| line.split_whitespace().nth(1))
            .and_then(|kib| kib.parse().ok())
            .unwrap_or(0)
    }
}
