//! What comes into the core and what goes out of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::key::KeyPress;
use super::model::Switched;
use crate::confluence::{ApiError, Call, ContentId, Reply, SpaceKey};
use crate::doctor::Finding;
use crate::jobs::backup::{BackupError, Contents, Digest, FileEntry, Found};
use crate::jobs::journal::Broken;
use crate::jobs::ledger;
use crate::jobs::proof::{Claim, Standing};
use crate::jobs::zip_checked::{Expected, ZipChecked};

/// Milliseconds since the program began, from a clock that never goes back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// This moment and `ms` milliseconds more.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; 0 if it is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Columns and rows of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// A cell of the terminal, from the top left, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Column.
    pub x: u16,
    /// Row.
    pub y: u16,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mouse {
    /// The left button went down.
    Press(Position),
    /// Moved with the left button down.
    Drag(Position),
    /// The left button came up.
    Release(Position),
    /// The wheel: negative is up, counted in notches.
    Wheel(Position, i8),
}

/// Names one request, one write to disk or one visit to an editor. Never used twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub u64);

/// Why the shell wants the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// SIGTERM or SIGINT from outside.
    Terminated,
    /// The line dropped: SIGHUP, or the terminal is gone.
    HungUp,
}

/// Something that happened. Comes with its time; see `update`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Msg {
    /// A key.
    Key(KeyPress),
    /// Text that was pasted (bracketed paste).
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// The terminal has a new size.
    Resized(Size),
    /// The picture that `Model::unseen` numbered is written to the terminal.
    Shown {
        /// Its number.
        picture: u64,
        /// Whether a status report was sent behind it.
        asked: bool,
    },
    /// The terminal answered a status report: what was written before it is on its screen.
    Status,
    /// A paste takes long, or its end has come: until then no key counts.
    Pasting(bool),
    /// The time that `Model::deadline` asked for has come.
    Clock,
    /// The answer to a `Send`, or its failure, for good.
    Reply {
        /// Which request.
        ticket: Ticket,
        /// What became of it.
        outcome: Result<Reply, ApiError>,
        /// How long the last attempt took, in milliseconds.
        took_ms: u64,
    },
    /// The server said for whom it takes us, and it is somebody else than in the answer before. Comes before
    /// the answer that said so.
    TakenFor(String),
    /// A read failed or was told to wait, and will be tried again.
    Retrying {
        /// Which request.
        ticket: Ticket,
        /// Why.
        error: ApiError,
        /// The next attempt, counted from 2.
        attempt: u32,
        /// Milliseconds until then.
        wait_ms: u64,
    },
    /// How far a file has been sent, has arrived or has been read, in bytes. Comes any number of times
    /// before the answer.
    Moved {
        /// Which request, or which call to the disk.
        ticket: Ticket,
        /// How much of it.
        done: u64,
        /// Of how much.
        total: u64,
    },
    /// The embedded server of `--demo` listens, or could not be started.
    Connected(Result<Connected, String>),
    /// Another profile was opened, with nothing sent to its server yet, or why it was not: a
    /// sentence.
    Switched(Result<Box<Switched>, String>),
    /// A check of an `Effect::Examine` came out; `None`: there are no more.
    Examined {
        /// Which test.
        ticket: Ticket,
        /// What was found.
        finding: Option<Finding>,
    },
    /// A file was read or written.
    Disk {
        /// Which `Effect::Disk`.
        ticket: Ticket,
        /// What became of it: bytes for a read, nothing for a write, or why not, in words.
        outcome: Result<DiskReply, DiskError>,
    },
    /// The editor has ended.
    Edited {
        /// Which `Effect::Edit`.
        ticket: Ticket,
        /// The new text, or why there is none.
        outcome: Result<String, String>,
    },
    /// An address could not be opened in a browser.
    Unopened {
        /// The address.
        address: String,
        /// Why not: one sentence.
        why: String,
    },
    /// A line for the log view.
    Logged(LogLine),
    /// The program is to end.
    Stop(Stop),
}

/// Where the client is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// The base address, without credentials.
    pub base_url: String,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How grave it is.
    pub level: LogLevel,
    /// What is said; one line, scrubbed.
    pub text: String,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// What one looks up later.
    Info,
    /// Something to know.
    Warning,
    /// Something failed.
    Error,
}

/// How many entries of the journal are kept for the view.
pub const ENTRIES: usize = 2_000;

/// What can be asked of the disk. Names are resolved by the shell to the folders of
/// `coracle --print-paths`; the core never sees a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskCall {
    /// Append one line to the journal and sync it. The line has no line break.
    AppendJournal(String),
    /// Read the whole journal, for the view.
    ReadJournal,
    /// Read the files of all jobs (`job-….json`), and of the journal what they need and the last
    /// [`ENTRIES`] entries.
    ReadJobs,
    /// See who else is at work on jobs, and whether somebody has changed them.
    LookAtJobs,
    /// Take the turn to write: the locks of the server and of the profile. What another process has
    /// written since is read again.
    TakeTurn,
    /// Give the turn up.
    GiveTurn,
    /// Write one file of a backup and sync it with its folder.
    WriteBackup {
        /// The folder below the backups; a plain name.
        backup: String,
        /// The file in it; a plain name.
        name: String,
        /// What is in it.
        #[serde(skip)]
        bytes: Arc<[u8]>,
    },
    /// Make the folder of a backup and hold it for this process; one that is there is held.
    MakeBackup {
        /// The folder below the backups; a plain name.
        backup: String,
    },
    /// See that a file which the server made is what arrived, a whole zip, and of this space.
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
    /// See that there is room for so many bytes of files in a backup.
    CheckRoom {
        /// How many.
        bytes: u64,
    },
    /// See that a file of a backup, of any size, is what it is said to be.
    CheckFile {
        /// The folder below the backups.
        backup: String,
        /// The file.
        file: FileEntry,
    },
    /// Write a plan to the folder of plans; answered with its path.
    WritePlan {
        /// A plain file name.
        name: String,
        /// What is in it.
        text: String,
    },
    /// Read all plans.
    ReadPlans,
    /// Read one file of a backup.
    ReadBackup {
        /// The folder below the backups.
        backup: String,
        /// The file in it.
        name: String,
    },
    /// See that backups are as they were verified and hold what is to be destroyed; they are held for
    /// this process from then on.
    ProveBackups(Claim),
    /// Let go of a backup that is held for this process.
    ReleaseBackup {
        /// The folder below the backups.
        backup: String,
    },
    /// List the backups.
    ListBackups,
    /// Read what is in a backup, without the texts.
    ReadContents {
        /// The folder below the backups.
        backup: String,
    },
    /// Read the text of one item of a backup.
    ReadText {
        /// The folder below the backups.
        backup: String,
        /// The file in it.
        name: String,
        /// The item.
        id: ContentId,
    },
    /// Read every file of a backup and compare it with the manifest.
    VerifyBackup {
        /// The folder below the backups.
        backup: String,
    },
    /// Hold a backup that a job is about to read from, so that nobody removes it.
    HoldBackup {
        /// The folder below the backups.
        backup: String,
    },
    /// See whether a backup may be removed: an error says who may need it.
    AskRemoval {
        /// The folder below the backups.
        backup: String,
    },
    /// Remove a backup for good.
    RemoveBackup {
        /// The folder below the backups.
        backup: String,
    },
    /// Replace one of our state files as a whole (written beside, synced, renamed).
    WriteState {
        /// A plain file name, such as `view.json`.
        name: String,
        /// The new text.
        text: String,
    },
    /// Read one of our state files.
    ReadState {
        /// A plain file name.
        name: String,
    },
    /// Remove one of our state files.
    RemoveState {
        /// A plain file name.
        name: String,
    },
    /// Write a list into a new file in the folder of exports.
    Export {
        /// A plain file name; where there is one already, a number is added.
        name: String,
        /// The list.
        text: String,
    },
}

impl DiskCall {
    /// Whether it may read much and is waited for by nobody but the person: it must not keep the
    /// journal waiting.
    pub fn is_long(&self) -> bool {
        matches!(
            self,
            Self::ListBackups
                | Self::ReadContents { .. }
                | Self::ReadText { .. }
                | Self::VerifyBackup { .. }
                | Self::CheckZip { .. }
                | Self::CheckFile { .. }
        )
    }
}

/// What the disk answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskReply {
    /// Written.
    Written,
    /// Read; `None` when there is no such file.
    Text(Option<String>),
    /// Exported into this file, as it is shown.
    Exported(String),
    /// Read as it is; `None` when there is no such file.
    Bytes(Option<Vec<u8>>),
    /// What was to be held is not there any more.
    Gone,
    /// Files with their texts, in the order of their names.
    Files(Vec<TextFile>),
    /// Written, to this path.
    Path(String),
    /// The backups, the oldest first.
    Backups(Vec<Found>),
    /// What is in a backup, or what is wrong with it.
    Contents(Box<Result<Contents, BackupError>>),
    /// What was found in a file that the server made.
    Zip(ZipChecked),
    /// What was found of a claim about backups.
    Standing(Standing),
    /// Whether a backup is what was written.
    Verified(Result<(), BackupError>),
    /// Whose turn it is.
    Turn(TakenTurn),
    /// What the journal says, and the text of each job's file.
    Jobs {
        /// The journal, as far as a start needs it, or where it is broken.
        journal: Box<Result<ledger::Journal, Broken>>,
        /// The files, in the order of their names.
        checkpoints: Vec<TextFile>,
        /// Who else is at work on them.
        #[serde(default)]
        at_work: Option<AtWork>,
    },
    /// Who is at work on jobs in another process, and what there is of jobs by now, where somebody
    /// else has changed it.
    AtWork(Option<AtWork>, Option<Box<JobsRead>>),
}

/// Another process that is at work on jobs of this profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtWork {
    /// Which: "process 4711 since 14:02".
    pub who: String,
    /// The names of their files.
    pub jobs: Vec<String>,
}

/// A file of ours by its name, with its text or why it can't be read. One that can't be read hides none
/// of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RecordedFile")]
pub struct TextFile {
    /// Its name, without its folder; empty in an old recording of a job.
    pub name: String,
    /// Its text, or a sentence that says what is wrong with it.
    pub text: Result<String, String>,
}

/// A file as a recording has it; old ones have no more of a job than its text, and of a plan its name
/// and text.
#[derive(Deserialize)]
#[serde(untagged)]
enum RecordedFile {
    Text(String),
    Named(String, String),
    File {
        name: String,
        text: Result<String, String>,
    },
}

impl From<RecordedFile> for TextFile {
    fn from(file: RecordedFile) -> Self {
        match file {
            RecordedFile::Text(text) => Self::read("", text),
            RecordedFile::Named(name, text) => Self::read(name, text),
            RecordedFile::File { name, text } => Self { name, text },
        }
    }
}

impl TextFile {
    /// One that was read.
    pub fn read(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: Ok(text.into()),
        }
    }
}

/// Whether it is our turn to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TakenTurn {
    /// It is. What there is of jobs by now, where somebody else has changed it.
    Ours(Option<Box<JobsRead>>),
    /// Another process has it: "process 4711 since 14:02".
    Theirs(String),
}

/// The journal, as far as a start needs it, or where it is broken; the text of each job's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobsRead {
    /// The journal.
    pub journal: Result<ledger::Journal, Broken>,
    /// The files, in the order of their names.
    pub checkpoints: Vec<TextFile>,
}

/// Why the disk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct DiskError {
    /// What happened, with the path: "No space left on device: …/journal.ndjson."
    pub message: String,
}

/// The most bytes of text that are put on the clipboard: xterm takes 100,000 bytes of base64.
pub const COPY_LIMIT: usize = 74_994;

/// Something to be done by the shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Send this; the answer comes as `Msg::Reply` with the same ticket.
    Send {
        /// Its name.
        ticket: Ticket,
        /// What to ask.
        call: Call,
    },
    /// Give this request up if it is a read; no answer comes any more.
    Cancel(Ticket),
    /// Nobody waits any more for a long call to the disk: it need not go on. Its answer may come.
    CancelDisk(Ticket),
    /// Read or write a file; the outcome comes as `Msg::Disk`.
    Disk {
        /// Its name.
        ticket: Ticket,
        /// What to do.
        call: DiskCall,
    },
    /// Hand the terminal to `$EDITOR` with this text; the outcome comes as `Msg::Edited`.
    Edit {
        /// Its name.
        ticket: Ticket,
        /// What to start with.
        text: String,
    },
    /// Put text of at most [`COPY_LIMIT`] bytes on the clipboard by way of the terminal. Whether the
    /// terminal took it nobody learns.
    Copy(String),
    /// Open an address in a browser; where there is none, `Msg::Unopened` comes back.
    Open(String),
    /// Start the embedded server and connect to it.
    StartDemo,
    /// Let writes out for the rest of this visit: the person typed the name of a protected profile.
    AllowWrites,
    /// Open the profile of this name instead of the one that is open. The last of its batch; comes
    /// back as `Msg::Switched` before anything else happens. What else is asked for in the same
    /// batch after it is done only if the profile can't be opened.
    Switch(String),
    /// Test the connection that this text of a configuration describes, with reads alone; each
    /// finding comes as `Msg::Examined`. Can be given up by `Cancel`.
    Examine {
        /// Its name.
        ticket: Ticket,
        /// The configuration.
        text: String,
    },
    /// Write this text as the configuration, where there is none yet; the outcome comes as
    /// `Msg::Disk`.
    SaveConfig {
        /// Its name.
        ticket: Ticket,
        /// The configuration.
        text: String,
    },
    /// Stop the program, as Ctrl-z does in a shell.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program with this exit code.
    Quit(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_old_recordings_are_read_as_those_of_new_ones() {
        let read = |text: &str| serde_json::from_str::<TextFile>(text).expect(text);
        assert_eq!(read(r#""{}""#), TextFile::read("", "{}"));
        assert_eq!(
            read(r#"["plan-1.json","{}"]"#),
            TextFile::read("plan-1.json", "{}")
        );
        let unread = TextFile {
            name: "job-1.json".to_owned(),
            text: Err("It is a link, not a file.".to_owned()),
        };
        for file in [TextFile::read("job-1.json", "{}"), unread] {
            let text = serde_json::to_string(&file).expect("it is text");
            assert_eq!(read(&text), file);
        }
    }
}
