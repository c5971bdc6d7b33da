//! Where things are kept, which names files of ours may have, and what is told when the disk refuses.

use std::io;
use std::path::{Path, PathBuf};

use crate::app::message::DiskError;
use crate::text::on_disk;

/// The name of the journal in the folder of a profile.
pub const JOURNAL: &str = "journal.ndjson";

/// Whether this process may write the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalAccess {
    /// It holds the profile's lock.
    Write,
    /// Another process does.
    ReadOnly,
}

/// Where things are kept; each folder is made at the first write into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The journal, the jobs, and what is remembered from run to run, of one profile.
    pub profile: PathBuf,
    /// Backups.
    pub backups: PathBuf,
    /// Plans that were written to be applied later.
    pub plans: PathBuf,
    /// Lists that were exported.
    pub exports: PathBuf,
    /// Where the locks are that are held while a job writes.
    pub locks: Vec<PathBuf>,
}

/// A file's place in a folder; a name that would leave the folder is refused.
pub(super) fn plain_file(folder: &Path, name: &str) -> Result<PathBuf, DiskError> {
    let plain = !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if plain {
        Ok(folder.join(name))
    } else {
        Err(DiskError {
            message: format!("`{name}` is not a name for a file of ours."),
        })
    }
}

/// What the system says of it, where, and what to do: "No space left on device: …/journal.ndjson. Make
/// room on that disk."
pub(super) fn failed(error: &io::Error, path: &Path) -> DiskError {
    DiskError {
        message: crate::report::scrub(&on_disk::told(error, &path.to_string_lossy())),
    }
}

pub(super) fn no_such_backup() -> DiskError {
    DiskError {
        message: "The backup is not there any more.".to_owned(),
    }
}
