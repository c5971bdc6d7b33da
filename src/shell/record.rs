//! Records a run, to be shown again: the beginning and every message, each with its time.
//!
//! A recording is text, one JSON object a line: the first holds what the core began with
//! ([`Head`]), each other one message ([`Line`]). Since the core knows no clock, no files and no
//! network, the same messages lead to the same pictures.
//!
//! A recording holds what was typed and what the server sent, so it is made only when somebody
//! asks for it and is readable by them alone. The secrets of a sign-in never come into the core:
//! none is in it.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files;
use crate::app::message::{Effect, Millis, Msg, Size};
use crate::app::model::{Model, Start};
use crate::app::update::update;
use crate::text::json;

/// The version of the format. A later one is refused.
pub const VERSION: u32 = 2;

/// The first one, which did not tell when a picture was written: whoever typed had seen it.
const WITHOUT_PICTURES: u32 = 1;

/// No terminal is wider or higher than this; a recording that says so was made up, and would have
/// us draw gigabytes.
const LARGEST: u16 = 2_000;

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    pub recording: u32,
    /// The program that made it.
    pub coracle: String,
    /// What the core began with.
    pub start: Start,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: Millis,
    /// What.
    pub msg: Msg,
}

/// A recording that is being made.
#[derive(Debug)]
pub struct Recorder {
    file: File,
}

impl Recorder {
    /// Begins a recording in a file that must not exist yet.
    pub fn create(path: &Path) -> io::Result<Self> {
        files::create_new(path).map(|file| Self { file })
    }

    /// Writes what the core begins with.
    pub fn begin(&mut self, start: &Start) -> io::Result<()> {
        self.line(&Head {
            recording: VERSION,
            coracle: env!("CARGO_PKG_VERSION").to_owned(),
            start: start.clone(),
        })
    }

    /// Writes a message. Each is there at once: a crash is what one wants a recording of.
    pub fn message(&mut self, at: Millis, msg: &Msg) -> io::Result<()> {
        self.line(&Line {
            at,
            msg: msg.clone(),
        })
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// Why a recording can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It has no first line.
    #[error("There is nothing in the recording.")]
    Empty,
    /// Another version of the format.
    #[error("This recording is of version {0}; this program knows version {VERSION}.")]
    Version(u64),
    /// A line that is none.
    #[error("Line {line} is not one of a recording: {why}.")]
    Line {
        /// Which, from 1.
        line: usize,
        /// What the reader says.
        why: String,
    },
}

impl ReplayError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Line { .. } => "Record again with coracle --record FILE.",
            Self::Version(_) => "Show it with the version of coracle that made it.",
        }
    }
}

/// A recording that is being shown: a core that gets the same messages again. What it wants done
/// is not done.
#[derive(Debug)]
pub struct Replay<'t> {
    /// The core.
    pub model: Model,
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    whole: bool,
    version: u64,
}

impl<'t> Replay<'t> {
    /// Begins with the first line.
    pub fn new(text: &'t str) -> Result<(Self, Vec<Effect>), ReplayError> {
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or(ReplayError::Empty)?;
        let value: serde_json::Value = read(0, first)?;
        let version = match value.get("recording").and_then(serde_json::Value::as_u64) {
            Some(version) if (1..=u64::from(VERSION)).contains(&version) => version,
            Some(version) => return Err(ReplayError::Version(version)),
            None => {
                return Err(ReplayError::Line {
                    line: 1,
                    why: "it names no version".to_owned(),
                });
            }
        };
        let head: Head = read(0, first)?;
        drawable(0, head.start.size)?;
        let (model, effects) = Model::new(head.start);
        let replay = Self {
            model,
            lines,
            whole: text.ends_with('\n'),
            version,
        };
        Ok((replay, effects))
    }

    /// The next message goes to the core; `None` at the end. A last line that was cut short by the
    /// end of the program that wrote it counts as the end.
    pub fn step(&mut self) -> Option<Result<Millis, ReplayError>> {
        let (ix, text) = self.lines.next()?;
        let line = read(ix, text).and_then(|line: Line| {
            if let Msg::Resized(size) = line.msg {
                drawable(ix, size)?;
            }
            Ok(line)
        });
        let line = match line {
            Ok(line) => line,
            Err(_) if !self.whole && self.lines.clone().next().is_none() => return None,
            Err(error) => return Some(Err(error)),
        };
        if self.version == u64::from(WITHOUT_PICTURES)
            && let Some(picture) = self.model.unseen()
        {
            let asked = true;
            let _ = update(&mut self.model, line.at, Msg::Shown { picture, asked });
            let _ = update(&mut self.model, line.at, Msg::Status);
        }
        let _ = update(&mut self.model, line.at, line.msg);
        Some(Ok(line.at))
    }
}

fn drawable(ix: usize, size: Size) -> Result<(), ReplayError> {
    if size.width.max(size.height) <= LARGEST {
        return Ok(());
    }
    Err(ReplayError::Line {
        line: ix + 1,
        why: format!("no terminal has {} × {}", size.width, size.height),
    })
}

fn read<T: serde::de::DeserializeOwned>(ix: usize, text: &str) -> Result<T, ReplayError> {
    serde_json::from_str(text).map_err(|error| ReplayError::Line {
        line: ix + 1,
        why: json::told(&error),
    })
}
