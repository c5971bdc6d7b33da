//! The files of a profile: its journal and what is remembered from run to run.
//!
//! One thread does what is asked in the order it was asked, so the journal has the order of the
//! events; a second one does the long reads, which the journal must not wait for. Whatever has been answered with [`DiskReply::Written`] survives a crash.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::event::Event;
use super::folders::{Folders, JOURNAL, JournalAccess, failed, no_such_backup, plain_file};
use super::holds::{Holds, TurnTaken};
use super::progress::told;
use super::zip_check::Watch;
use super::{at_work, backups, files, removal, room, zip_check};
use crate::app::message::{
    DiskCall, DiskError, DiskReply, ENTRIES, JobsRead, Msg, TakenTurn, TextFile, Ticket,
};
use crate::confluence::SpaceKey;
use crate::jobs::backup::Digest;
use crate::jobs::ledger::Reader;
use crate::jobs::zip_checked::Expected;

/// How many exports of one name are kept apart by a number.
const EXPORTS_OF_A_NAME: u32 = 1_000;

/// The name of the thread.
pub const THREAD: &str = "disk";

/// The name of the thread for long reads.
pub const READER: &str = "disk-reads";

/// The thread that reads and writes.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Where the backups lie.
    backups: PathBuf,
    /// Long calls that nobody waits for any more.
    given_up: GivenUp,
    work: Sender<Work>,
    reads: Sender<(Ticket, DiskCall)>,
}

/// The tickets of long calls that nobody waits for any more.
type GivenUp = Arc<Mutex<HashSet<Ticket>>>;

/// What the look through a file of this call is told by, where it is one.
fn look(
    folders: &Folders,
    call: &DiskCall,
    ticket: Ticket,
    events: &Sender<Event>,
    given_up: &GivenUp,
) -> Option<Result<DiskReply, DiskError>> {
    let DiskCall::CheckZip {
        backup,
        name,
        sha256,
        space,
        expected,
    } = call
    else {
        return None;
    };
    let tell = told(events.clone(), ticket);
    let is_wanted = || {
        let mut given_up = given_up.lock().unwrap_or_else(PoisonError::into_inner);
        !given_up.remove(&ticket)
    };
    Some(check_zip(
        folders,
        backup,
        name,
        *sha256,
        space,
        expected,
        Watch::new(tell, is_wanted),
    ))
}

fn check_zip(
    folders: &Folders,
    backup: &str,
    name: &str,
    sha256: Digest,
    space: &SpaceKey,
    expected: &[Expected],
    watch: Watch<'_>,
) -> Result<DiskReply, DiskError> {
    let path = plain_file(&plain_file(&folders.backups, backup)?, name)?;
    let found = zip_check::check(&path, sha256, space, expected, watch);
    found.map(DiskReply::Zip).map_err(|why| DiskError {
        message: crate::report::scrub(&why),
    })
}

#[derive(Debug)]
enum Work {
    Do(Ticket, DiskCall),
    Tell(Sender<()>),
}

impl Disk {
    /// Starts the thread for the files in these folders.
    pub fn start(
        folders: Folders,
        access: JournalAccess,
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let backups = folders.backups.clone();
        let (reads, queue) = channel();
        let (of_reader, events_of_reader) = (folders.clone(), events.clone());
        let given_up = GivenUp::default();
        let unwanted = Arc::clone(&given_up);
        thread::Builder::new()
            .name(READER.to_owned())
            .spawn(move || {
                let mut none = Holds::default();
                for (ticket, call) in queue {
                    let looked = look(&of_reader, &call, ticket, &events_of_reader, &unwanted);
                    let outcome = looked.unwrap_or_else(|| {
                        perform(&of_reader, JournalAccess::ReadOnly, &mut none, &call)
                    });
                    let _ = events_of_reader.send(Event::Core(Msg::Disk { ticket, outcome }));
                }
            })?;
        let (work, queue) = channel();
        thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                let mut holds = Holds::default();
                for work in queue {
                    match work {
                        Work::Do(ticket, call) => {
                            let outcome = in_turn(&folders, access, &mut holds, &call);
                            // Nobody listens any more when the program ends; the work was done.
                            let _ = events.send(Event::Core(Msg::Disk { ticket, outcome }));
                        }
                        Work::Tell(done) => {
                            let _ = done.send(());
                        }
                    }
                }
            })?;
        Ok(Self {
            backups,
            given_up,
            work,
            reads,
        })
    }

    /// Where the backups lie.
    pub fn backups(&self) -> &Path {
        &self.backups
    }

    /// Asks for something to be read or written.
    pub fn submit(&self, ticket: Ticket, call: DiskCall) {
        // The threads end only with the program.
        if call.is_long() {
            let _ = self.reads.send((ticket, call));
        } else {
            let _ = self.work.send(Work::Do(ticket, call));
        }
    }

    /// Nobody waits any more for the answer to this long call.
    pub fn give_up(&self, ticket: Ticket) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.insert(ticket);
    }

    /// Waits until all that was asked for is done, but not longer than `limit`. Says whether it is.
    pub fn finish(&self, limit: Duration) -> bool {
        let (done, wait) = channel();
        self.work.send(Work::Tell(done)).is_ok() && wait.recv_timeout(limit).is_ok()
    }
}

/// Reads or writes once. No line of the journal is written out of turn; what is written of a job
/// that only reads is not taken for somebody else's.
fn in_turn(
    folders: &Folders,
    access: JournalAccess,
    holds: &mut Holds,
    call: &DiskCall,
) -> Result<DiskReply, DiskError> {
    if matches!(call, DiskCall::AppendJournal(_)) && !holds.has_turn() {
        return Err(DiskError {
            message: "The lock of the server is not held.".to_owned(),
        });
    }
    let is_of_job = match call {
        DiskCall::WriteState { name, .. } | DiskCall::RemoveState { name } => {
            name.starts_with("job-")
        }
        _ => false,
    };
    let known = is_of_job && !holds.has_turn() && holds.knows_jobs(&folders.profile);
    let outcome = perform(folders, access, holds, call);
    if known {
        holds.read_jobs(&folders.profile);
    }
    outcome
}

fn take_turn(folders: &Folders, holds: &mut Holds) -> Result<TakenTurn, DiskError> {
    let folder = folders.profile.as_path();
    let taken = holds.take_turn(&folders.locks, folder);
    match taken.map_err(|error| failed(&error, folder))? {
        TurnTaken::Again => Ok(TakenTurn::Ours(None)),
        TurnTaken::Theirs(who) => Ok(TakenTurn::Theirs(who)),
        TurnTaken::Anew => match read_jobs(folder) {
            Ok(read) => Ok(TakenTurn::Ours(Some(Box::new(read)))),
            Err(error) => {
                holds.give_turn(folder);
                Err(error)
            }
        },
    }
}

fn look_at_jobs(folder: &Path, holds: &mut Holds) -> Result<DiskReply, DiskError> {
    let read = if holds.has_turn() || holds.knows_jobs(folder) {
        None
    } else {
        holds.read_jobs(folder);
        Some(Box::new(read_jobs(folder)?))
    };
    Ok(DiskReply::AtWork(at_work::look(folder, holds), read))
}

/// Reads or writes once.
pub fn perform(
    folders: &Folders,
    access: JournalAccess,
    holds: &mut Holds,
    call: &DiskCall,
) -> Result<DiskReply, DiskError> {
    let folder = folders.profile.as_path();
    match call {
        DiskCall::AppendJournal(line) => match access {
            JournalAccess::Write => holds
                .append(folder, &folders.locks, line)
                .map(|()| DiskReply::Written)
                .map_err(|(error, path)| failed(&error, &path)),
            JournalAccess::ReadOnly => Err(DiskError {
                message: format!(
                    "Another process writes the journal: {}.",
                    folder.join(JOURNAL).display()
                ),
            }),
        },
        DiskCall::ReadJournal => read(&folder.join(JOURNAL)),
        DiskCall::ReadJobs => {
            holds.read_jobs(folder);
            let JobsRead {
                journal,
                checkpoints,
            } = read_jobs(folder)?;
            let journal = Box::new(journal);
            Ok(DiskReply::Jobs {
                journal,
                checkpoints,
                at_work: at_work::look(folder, holds),
            })
        }
        DiskCall::LookAtJobs => look_at_jobs(folder, holds),
        DiskCall::TakeTurn => take_turn(folders, holds).map(DiskReply::Turn),
        DiskCall::GiveTurn => {
            holds.give_turn(folder);
            Ok(DiskReply::Written)
        }
        DiskCall::WriteBackup {
            backup,
            name,
            bytes,
        } => {
            let folder = plain_file(&folders.backups, backup)?;
            let path = plain_file(&folder, name)?;
            files::make_folder(&folders.backups)
                .and_then(|()| files::make_folder(&folder))
                .and_then(|()| files::sync_folder_of(&folder))
                .and_then(|()| holds.hold(&folder, backup))
                .and_then(|()| match files::read(&path) {
                    // Written already, and asked for again after a doubt.
                    Ok(there) if *there == **bytes => Ok(()),
                    // What was saved is never written over.
                    Ok(_) => Err(io::Error::from(io::ErrorKind::AlreadyExists)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        files::replace(&path, bytes)
                    }
                    Err(error) => Err(error),
                })
                .map(|()| DiskReply::Written)
                .map_err(|error| failed(&error, &path))
        }
        DiskCall::MakeBackup { backup } => {
            let folder = plain_file(&folders.backups, backup)?;
            files::make_folder(&folders.backups)
                .and_then(|()| files::make_folder(&folder))
                .and_then(|()| files::sync_folder_of(&folder))
                .and_then(|()| holds.hold(&folder, backup))
                .map(|()| DiskReply::Written)
                .map_err(|error| failed(&error, &folder))
        }
        DiskCall::CheckZip {
            backup,
            name,
            sha256,
            space,
            expected,
        } => check_zip(
            folders,
            backup,
            name,
            *sha256,
            space,
            expected,
            Watch::none(),
        ),
        DiskCall::CheckRoom { bytes } => {
            room::check(&folders.backups, *bytes).map(|()| DiskReply::Written)
        }
        DiskCall::CheckFile { backup, file } => {
            let folder = plain_file(&folders.backups, backup)?;
            let path = plain_file(&folder, &file.name)?;
            let checked = file.check_file(|| files::open(&path));
            checked
                .map(|()| DiskReply::Written)
                .map_err(|error| DiskError {
                    message: crate::report::scrub(&error.to_string()),
                })
        }
        DiskCall::ReadBackup { backup, name } => {
            let folder = plain_file(&folders.backups, backup)?;
            let path = plain_file(&folder, name)?;
            // Where nothing can be written, nothing can be removed either.
            let _ = holds.hold(&folder, backup);
            match files::read(&path) {
                Ok(bytes) => Ok(DiskReply::Bytes(Some(bytes))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DiskReply::Bytes(None)),
                Err(error) => Err(failed(&error, &path)),
            }
        }
        DiskCall::ProveBackups(claim) => {
            for backup in &claim.backups {
                plain_file(&folders.backups, backup)?;
            }
            let found = holds.prove(&folders.backups, claim);
            found.map(DiskReply::Standing).map_err(|why| DiskError {
                message: crate::report::scrub(&why),
            })
        }
        DiskCall::ReleaseBackup { backup } => {
            let folder = plain_file(&folders.backups, backup)?;
            holds.release(&folder, backup);
            Ok(DiskReply::Written)
        }
        DiskCall::ListBackups => backups::list(&folders.backups)
            .map(DiskReply::Backups)
            .map_err(|error| failed(&error, &folders.backups)),
        DiskCall::ReadContents { backup } => backups::contents(&folders.backups, backup)
            .map(|contents| DiskReply::Contents(Box::new(contents)))
            .ok_or_else(no_such_backup),
        DiskCall::ReadText { backup, name, id } => {
            match backups::text(&folders.backups, backup, name, id) {
                Some(Ok(text)) => Ok(DiskReply::Text(text)),
                Some(Err(error)) => Err(DiskError {
                    message: crate::report::scrub(&error.to_string()),
                }),
                None => Err(no_such_backup()),
            }
        }
        DiskCall::VerifyBackup { backup } => backups::verify(&folders.backups, backup)
            .map(|checked| DiskReply::Verified(checked.map(|_| ())))
            .ok_or_else(no_such_backup),
        DiskCall::HoldBackup { backup } => {
            let folder = plain_file(&folders.backups, backup)?;
            match holds.hold_whole(&folder, backup) {
                Ok(true) => Ok(DiskReply::Written),
                Ok(false) => Ok(DiskReply::Gone),
                Err(error) => Err(failed(&error, &folder)),
            }
        }
        DiskCall::AskRemoval { backup } => removal::ask(folders, access, holds, backup),
        DiskCall::RemoveBackup { backup } => removal::remove(folders, access, holds, backup),
        DiskCall::ReadPlans => read_texts(&folders.plans, "plan-").map(DiskReply::Files),
        DiskCall::WritePlan { name, text } => {
            let path = plain_file(&folders.plans, name)?;
            files::make_folder(&folders.plans)
                .and_then(|()| files::replace(&path, text.as_bytes()))
                .map(|()| DiskReply::Path(path.display().to_string()))
                .map_err(|error| failed(&error, &path))
        }
        DiskCall::ReadState { name } => read(&state_file(folder, name)?),
        DiskCall::WriteState { name, .. } | DiskCall::RemoveState { name }
            if access == JournalAccess::ReadOnly && name.starts_with("job-") =>
        {
            Err(DiskError {
                message: format!("Another process of this profile is at work on its jobs: {name}."),
            })
        }
        DiskCall::WriteState { name, text } => {
            let path = state_file(folder, name)?;
            let written = files::make_folder(folder)
                .and_then(|()| files::replace(&path, text.as_bytes()))
                .map(|()| DiskReply::Written)
                .map_err(|error| failed(&error, &path));
            if written.is_ok() && name.starts_with("job-") {
                holds.written().stored(folder, name);
            }
            written
        }
        DiskCall::RemoveState { name } => {
            let path = state_file(folder, name)?;
            holds.written().removed(name);
            match std::fs::remove_file(&path) {
                Ok(()) => files::sync_folder_of(&path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            }
            .map(|()| DiskReply::Written)
            .map_err(|error| failed(&error, &path))
        }
        DiskCall::Export { name, text } => export(&folders.exports, name, text),
    }
}

/// Writes a list into a file that was not there before: `name`, or with a number in it.
fn export(folder: &Path, name: &str, text: &str) -> Result<DiskReply, DiskError> {
    let path = state_file(folder, name)?;
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, "txt"));
    let write = |path: &Path| {
        let mut file = files::create_new(path)?;
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = std::fs::remove_file(path);
        }
        written
    };
    let named = (1..EXPORTS_OF_A_NAME).map(|number| match number {
        1 => path.clone(),
        _ => folder.join(format!("{stem}-{number}.{kind}")),
    });
    let made = files::make_folder(folder);
    made.map_err(|error| failed(&error, folder))?;
    for path in named {
        match write(&path) {
            Ok(()) => {
                files::sync_folder_of(&path).map_err(|error| failed(&error, &path))?;
                let shown = crate::report::scrub(&path.to_string_lossy());
                return Ok(DiskReply::Exported(shown));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&error, &path)),
        }
    }
    Err(DiskError {
        message: format!(
            "There are too many exports of this name: {}.",
            path.display()
        ),
    })
}

/// The JSON files of a folder whose names begin so, in the order of the names. No folder, no files.
fn read_texts(folder: &Path, begin: &str) -> Result<Vec<TextFile>, DiskError> {
    let mut names: Vec<String> = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let name = entry.map_err(|error| failed(&error, folder))?.file_name();
                let name = name.to_str().unwrap_or_default();
                let is_json = Path::new(name).extension().is_some_and(|it| it == "json");
                if name.starts_with(begin) && is_json {
                    names.push(name.to_owned());
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&error, folder)),
    }
    names.sort();
    // A spoilt file must not hide the others: whoever reads the text will find that it is spoilt.
    let read = |name: String| TextFile {
        text: match files::read(&folder.join(&name)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => Err(format!("{}.", crate::report::system(&error))),
        },
        name,
    };
    Ok(names.into_iter().map(read).collect())
}

/// Gives every line of a file, without its line break, to `take`, until that fails; none of them is
/// kept.
pub fn each_line<E>(
    file: File,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> io::Result<Result<(), E>> {
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if let Err(error) = take(&line) {
            return Ok(Err(error));
        }
        line.clear();
    }
    Ok(Ok(()))
}

/// What a start needs of the journal, and the files of all jobs.
fn read_jobs(folder: &Path) -> Result<JobsRead, DiskError> {
    let path = folder.join(JOURNAL);
    let checkpoints = read_texts(folder, "job-")?;
    let texts = checkpoints.iter().filter_map(|it| it.text.as_deref().ok());
    let mut reader = Reader::new(texts, ENTRIES);
    let journal = match files::open(&path) {
        Ok(file) => each_line(file, |line| reader.push(line))
            .map_err(|error| failed(&error, &path))?
            .map(|()| reader.finish()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(reader.finish()),
        Err(error) => return Err(failed(&error, &path)),
    };
    Ok(JobsRead {
        journal,
        checkpoints,
    })
}

/// A state file's place; a name that would leave the folder or hit another file of ours is refused.
fn state_file(folder: &Path, name: &str) -> Result<PathBuf, DiskError> {
    if name == JOURNAL {
        return Err(DiskError {
            message: format!("`{name}` is not a name for a state file."),
        });
    }
    plain_file(folder, name)
}

fn read(path: &Path) -> Result<DiskReply, DiskError> {
    match files::read(path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(|text| DiskReply::Text(Some(text)))
            .map_err(|_| DiskError {
                message: format!("The file is not UTF-8: {}.", path.display()),
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DiskReply::Text(None)),
        Err(error) => Err(failed(&error, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn perform(
        folder: &Path,
        access: JournalAccess,
        call: &DiskCall,
    ) -> Result<DiskReply, DiskError> {
        let folders = Folders {
            profile: folder.to_owned(),
            backups: folder.join("backups"),
            plans: folder.join("plans"),
            exports: folder.join("exports"),
            locks: Vec::new(),
        };
        super::perform(&folders, access, &mut Holds::default(), call)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path)
            .expect("it was made")
            .permissions()
            .mode()
            & 0o777
    }

    #[test]
    fn the_journal_grows_by_whole_lines_and_is_ours_alone() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = home.path().join("profiles/prod");
        for line in ["{\"a\":1}", "{\"b\":2}"] {
            let call = DiskCall::AppendJournal(line.to_owned());
            assert_eq!(
                perform(&folder, JournalAccess::Write, &call),
                Ok(DiskReply::Written)
            );
        }
        assert_eq!(
            perform(&folder, JournalAccess::ReadOnly, &DiskCall::ReadJournal),
            Ok(DiskReply::Text(Some("{\"a\":1}\n{\"b\":2}\n".to_owned())))
        );
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(JOURNAL)), 0o600);
    }

    #[test]
    fn a_line_cut_short_by_a_crash_does_not_spoil_the_next() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let journal = home.path().join(JOURNAL);
        std::fs::write(&journal, "{\"a\":1}\n{\"b\"").expect("a journal");
        let call = DiskCall::AppendJournal("{\"c\":3}".to_owned());
        assert!(perform(home.path(), JournalAccess::Write, &call).is_ok());
        let text = std::fs::read_to_string(&journal).expect("the journal");
        assert_eq!(text, "{\"a\":1}\n{\"b\"\n{\"c\":3}\n");
    }

    #[test]
    fn who_does_not_hold_the_lock_does_not_write_the_journal() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let call = DiskCall::AppendJournal("{}".to_owned());
        assert!(perform(home.path(), JournalAccess::ReadOnly, &call).is_err());
        assert!(!home.path().join(JOURNAL).exists());
    }

    #[test]
    fn what_was_saved_is_never_written_over() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let write = |bytes: &[u8]| {
            let call = DiskCall::WriteBackup {
                backup: "b".to_owned(),
                name: "items.ndjson.gz".to_owned(),
                bytes: bytes.into(),
            };
            perform(home.path(), JournalAccess::Write, &call)
        };
        assert_eq!(write(b"one"), Ok(DiskReply::Written));
        assert_eq!(write(b"one"), Ok(DiskReply::Written), "the same again");
        assert!(write(b"two").is_err());
        let path = home.path().join("backups/b/items.ndjson.gz");
        assert_eq!(std::fs::read(&path).expect("the backup"), b"one");
    }

    #[test]
    fn what_is_no_file_hides_none_of_the_others() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let at = |name: &str| home.path().join(name);
        for name in ["job-1.json", "job-5.json"] {
            std::fs::write(at(name), name).expect("a job");
        }
        std::fs::create_dir(at("job-2.json")).expect("a folder");
        std::os::unix::fs::symlink(at("job-1.json"), at("job-3.json")).expect("a link");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, at("job-4.json"), mode).expect("a pipe");
        std::fs::rename(at("job-4.json"), at("view.json")).expect("moved");
        std::os::unix::net::UnixListener::bind(at("job-4.json")).expect("a socket");
        let read = perform(home.path(), JournalAccess::ReadOnly, &DiskCall::ReadJobs);
        let Ok(DiskReply::Jobs { checkpoints, .. }) = read else {
            panic!("{read:?}");
        };
        let told = checkpoints
            .iter()
            .map(|it| (it.name.as_str(), it.text.is_ok()));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("job-1.json", true),
                ("job-2.json", false),
                ("job-3.json", false),
                ("job-4.json", false),
                ("job-5.json", true)
            ]
        );
        let view = DiskCall::ReadState {
            name: "view.json".to_owned(),
        };
        let error = perform(home.path(), JournalAccess::ReadOnly, &view).expect_err("a pipe");
        assert!(
            error.message.starts_with("It is not a regular file"),
            "{error}"
        );
    }

    #[test]
    fn jobs_of_another_process_are_left_alone() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let write = DiskCall::WriteState {
            name: "job-1.json".to_owned(),
            text: "{}".to_owned(),
        };
        assert!(perform(home.path(), JournalAccess::Write, &write).is_ok());
        let remove = DiskCall::RemoveState {
            name: "job-1.json".to_owned(),
        };
        for call in [write, remove] {
            assert!(perform(home.path(), JournalAccess::ReadOnly, &call).is_err());
        }
        assert!(home.path().join("job-1.json").exists());
    }

    #[test]
    fn state_is_replaced_as_a_whole_and_can_go() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let name = "view.json".to_owned();
        let read = DiskCall::ReadState { name: name.clone() };
        let go = |call: &DiskCall| perform(home.path(), JournalAccess::Write, call);
        assert_eq!(go(&read), Ok(DiskReply::Text(None)));
        for text in ["a longer text", "short"] {
            let call = DiskCall::WriteState {
                name: name.clone(),
                text: text.to_owned(),
            };
            assert_eq!(go(&call), Ok(DiskReply::Written));
            assert_eq!(go(&read), Ok(DiskReply::Text(Some(text.to_owned()))));
        }
        assert_eq!(mode(&home.path().join(&name)), 0o600);
        assert_eq!(
            std::fs::read_dir(home.path()).expect("the folder").count(),
            1,
            "nothing is left beside it"
        );
        for _ in 0..2 {
            assert_eq!(
                go(&DiskCall::RemoveState { name: name.clone() }),
                Ok(DiskReply::Written)
            );
        }
        assert_eq!(go(&read), Ok(DiskReply::Text(None)));
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let home = tempfile::tempdir().expect("a folder for the test");
        for name in ["../x", "/etc/passwd", "", ".", "..", "a/b", JOURNAL, "a\nb"] {
            let call = DiskCall::WriteState {
                name: name.to_owned(),
                text: String::new(),
            };
            assert!(
                perform(home.path(), JournalAccess::Write, &call).is_err(),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_failure_names_the_file() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = home.path().join("file");
        std::fs::write(&folder, "").expect("a file in the way");
        let call = DiskCall::AppendJournal("{}".to_owned());
        let error =
            perform(&folder, JournalAccess::Write, &call).expect_err("a file is in the way");
        assert!(error.message.contains(JOURNAL), "{error}");
        assert!(!error.message.contains("os error"), "{error}");
    }

    #[test]
    fn exports_are_ours_alone_and_never_overwrite_one_another() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let export = |text: &str| {
            let call = DiskCall::Export {
                name: "trash-ENG-2026-11-23.csv".to_owned(),
                text: text.to_owned(),
            };
            match perform(home.path(), JournalAccess::ReadOnly, &call) {
                Ok(DiskReply::Exported(path)) => PathBuf::from(path),
                other => panic!("{other:?}"),
            }
        };
        let (one, two) = (export("a"), export("b"));
        assert_eq!(std::fs::read_to_string(&one).expect("written"), "a");
        assert_eq!(std::fs::read_to_string(&two).expect("written"), "b");
        assert!(
            two.ends_with("exports/trash-ENG-2026-11-23-2.csv"),
            "{two:?}"
        );
        assert_eq!(mode(&one), 0o600);
        assert_eq!(mode(&home.path().join("exports")), 0o700);
        let call = DiskCall::Export {
            name: "../x.csv".to_owned(),
            text: String::new(),
        };
        assert!(perform(home.path(), JournalAccess::Write, &call).is_err());
    }
}
