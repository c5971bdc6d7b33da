//! What a job asks for, and what it is told: requests, writes to disk, questions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backup::{Digest, FileEntry};
use super::journal::Record;
use super::names::{RequestNo, WriteNo};
use super::proof::{Claim, Standing};
use super::question::{Decision, Question};
use super::zip_checked::{Expected, ZipChecked};
use crate::confluence::{ApiError, Call, Reply, SpaceKey};

/// A write to disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobWrite {
    /// A line of the journal: synced before it is acknowledged.
    Journal(Box<Record>),
    /// The job as JSON, replacing the one before (written beside, synced, renamed).
    Checkpoint(String),
    /// A file of a backup, written and synced with its folder.
    BackupFile {
        /// The folder below the backups.
        backup: String,
        /// The file in it; a plain name.
        name: String,
        /// What is in it.
        #[serde(skip)]
        bytes: Arc<[u8]>,
    },
    /// The folder of a backup, held for this job from now on.
    MakeFolder {
        /// The folder below the backups.
        backup: String,
    },
    /// Not a write: see that a file which the server made is what arrived, a whole zip and of this
    /// space; answered by [`Stored::Zip`]. An error says what is wrong with it.
    CheckZip {
        /// The folder below the backups.
        backup: String,
        /// The file in it.
        name: String,
        /// What arrived.
        sha256: Digest,
        /// The space.
        space: SpaceKey,
        /// What has to be in it, each in this version or a later one.
        expected: Vec<Expected>,
    },
    /// Not a write: see that there is room for so many bytes of files. An error says how much there is.
    CheckRoom {
        /// The folder below the backups that they go into.
        backup: String,
        /// How many.
        bytes: u64,
    },
    /// Not a write: see that a file of a backup, of any size, is what it is said to be.
    CheckFile {
        /// The folder below the backups.
        backup: String,
        /// The file.
        file: FileEntry,
    },
    /// Not a write: read a file of a backup from the disk, answered by [`Stored::Bytes`].
    ReadBack {
        /// The folder below the backups.
        backup: String,
        /// The file in it.
        name: String,
    },
    /// Not a write: see that the backups are as they were verified and hold what is to be destroyed,
    /// answered by [`Stored::Standing`]. An error says what is wrong with them.
    Prove(Claim),
    /// Hold a backup that the job reads from, before its file names it: nobody removes it from now on.
    /// Answered by [`Stored::Gone`] where there is none any more.
    Hold {
        /// The folder below the backups.
        backup: String,
    },
    /// Let go of a backup that was held for this job: others may remove it from now on.
    Release {
        /// The folder below the backups.
        backup: String,
    },
}

/// What the disk did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stored {
    /// Written and synced.
    Done,
    /// What was read.
    Bytes(Vec<u8>),
    /// What was found of a claim.
    Standing(Standing),
    /// What was found in a file that the server made.
    Zip(ZipChecked),
    /// It is not there any more.
    Gone,
}

/// Why the disk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct StoreError {
    /// One sentence, with the path.
    pub message: String,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobEvent {
    /// Its turn has come.
    Begin,
    /// The answer to a [`JobEffect::Send`].
    Reply {
        /// Which.
        request: RequestNo,
        /// What the server said.
        outcome: Result<Reply, ApiError>,
    },
    /// The outcome of a [`JobEffect::Write`].
    Written {
        /// Which.
        write: WriteNo,
        /// What the disk said.
        outcome: Result<Stored, StoreError>,
    },
    /// How far the file is that is sent, arrives or is read, in bytes.
    Moved {
        /// How much of it.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// The time that [`super::job::Job::deadline`] named has come.
    Tick,
    /// Do nothing new.
    Pause,
    /// Go on. Ignored while [`super::job::Job::challenge`] is unanswered.
    Resume,
    /// Do nothing new, learn what became of what is under way, and end.
    Cancel,
    /// The answer to [`super::job::Job::question`].
    Decide(Decision),
    /// The server takes the program for this user now, which is another one than before.
    TakenFor(String),
}

/// Something to be done for a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JobEffect {
    /// Send this.
    Send {
        /// Its name.
        request: RequestNo,
        /// What to ask.
        call: Call,
    },
    /// Write this.
    Write {
        /// Its name.
        write: WriteNo,
        /// What to write.
        what: JobWrite,
    },
    /// Ask the person; also kept in [`super::job::Job::question`].
    Ask(Question),
    /// Nobody waits any more for this long look at the disk.
    GiveUpWrite {
        /// Which.
        write: WriteNo,
    },
    /// Nobody waits any more for the answer to this. The line is dropped at once: of a read, and of a
    /// write that sends a file. Whoever gave such a write up asks the server what became of it.
    GiveUp {
        /// Its name.
        request: RequestNo,
    },
}
