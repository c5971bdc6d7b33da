//! The log file: bounded, ours alone, and without a word of anybody else's libraries.
//!
//! Only events of this program are written. The libraries below it may say at their finer levels
//! what went over the wire, and that holds secrets.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{clock, files};
use crate::cli::LogLevel;

/// From this size on, in bytes, the next line begins a new file.
const LIMIT: u64 = 1 << 20;
/// How many old files are kept.
const KEPT: u32 = 3;

/// Writes from now on into `path`. The file is opened at the first line.
pub fn start(path: &Path, level: LogLevel) {
    let level = match level {
        LogLevel::Off => return,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_timer(TimeOfDay)
        .with_writer(Mutex::new(Rotating::new(path, LIMIT)));
    // It fails when there is one already, as in a test: then that one is right.
    let _ = tracing_subscriber::registry()
        .with(Targets::new().with_target("coracle", level))
        .with(lines)
        .try_init();
}

struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.3}", clock::time_of_day())
    }
}

/// A file that makes room for itself.
#[derive(Debug)]
struct Rotating {
    path: PathBuf,
    limit: u64,
    open: Option<(File, u64)>,
}

impl Rotating {
    fn new(path: &Path, limit: u64) -> Self {
        Self {
            path: path.to_owned(),
            limit,
            open: None,
        }
    }

    fn file(&mut self) -> io::Result<&mut (File, u64)> {
        if self
            .open
            .as_ref()
            .is_some_and(|(_, size)| *size >= self.limit)
        {
            self.open = None;
            for old in (0..KEPT).rev() {
                // What is not there can't be moved on.
                let _ = std::fs::rename(self.kept(old), self.kept(old + 1));
            }
        }
        match &mut self.open {
            Some(open) => Ok(open),
            none => {
                if let Some(folder) = self.path.parent() {
                    files::make_folder(folder)?;
                }
                let file = files::open_to_append(&self.path)?;
                let size = file.metadata()?.len();
                Ok(none.insert((file, size)))
            }
        }
    }

    fn kept(&self, number: u32) -> PathBuf {
        match number {
            0 => self.path.clone(),
            number => self.path.with_added_extension(number.to_string()),
        }
    }
}

impl Write for Rotating {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let (file, size) = self.file()?;
        file.write_all(line)?;
        *size += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_never_outgrows_its_bounds() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("state/coracle.log");
        let mut log = Rotating::new(&path, 100);
        for number in 0..100 {
            writeln!(log, "line {number:03} of the log").expect("a line");
        }
        let files: Vec<_> = std::fs::read_dir(home.path().join("state"))
            .expect("the folder")
            .map(|entry| entry.expect("an entry").metadata().expect("its size"))
            .collect();
        assert_eq!(files.len(), 4);
        for file in files {
            assert!(file.len() < 130, "{}", file.len());
            assert_eq!(file.permissions().mode() & 0o777, 0o600);
        }
        let newest = std::fs::read_to_string(&path).expect("the log");
        assert!(newest.contains("line 099"), "{newest}");
    }
}
