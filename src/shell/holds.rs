//! The backups that jobs of this process stand on.
//!
//! Each is locked, so that no other process removes it; read whole before the first request that
//! destroys on its strength; and looked at before each such request. A file that looks touched is
//! read again with all the others, for only its bytes tell whether it was changed.

use std::collections::{BTreeMap, HashMap};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::journal_file::Written;
use super::lock::{self, Hold, ProfileLock};
use super::{backups, files};
use crate::jobs::backup::{BackupError, FileEntry, MANIFEST, Manifest};
use crate::jobs::proof::{Claim, Claimed, Index, Standing};

/// So often a backup is read anew because it looked touched; after that somebody keeps changing it.
const READINGS: u32 = 4;

/// So many bytes of files are read before the disk turns to what else waits.
const AT_ONCE: u64 = 8 << 20;

/// The backups that are held, by name.
#[derive(Debug, Default)]
pub struct Holds {
    held: BTreeMap<String, Held>,
    /// The locks of the turn to write, while it is ours.
    turn: Option<Vec<ProfileLock>>,
    /// The journal and the jobs as they were when they were last read or written here.
    jobs: Option<Marks>,
    /// What was written here of them.
    written: Written,
}

#[derive(Debug)]
struct Held {
    lock: ProfileLock,
    read: Reading,
    /// How often it was begun to be read.
    readings: u32,
}

/// How far a backup has been read.
#[derive(Debug, Default)]
enum Reading {
    #[default]
    Not,
    Files {
        manifest: Manifest,
        files: Vec<Known>,
        index: Index,
    },
    All {
        /// The manifest is the last.
        files: Vec<Known>,
        index: Index,
    },
}

/// A file as it was when it was read and found right.
#[derive(Debug)]
struct Known {
    name: String,
    mark: Mark,
}

/// What changes when a file is written to, or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    place: (u64, u64),
    bytes: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Mark {
    fn of(it: &Metadata) -> Self {
        Self {
            place: (it.dev(), it.ino()),
            bytes: it.len(),
            written: (it.mtime(), it.mtime_nsec()),
            changed: (it.ctime(), it.ctime_nsec()),
        }
    }
}

/// The files of the journal and of jobs, each with what changes when it is written to.
type Marks = BTreeMap<String, Mark>;

fn marks(folder: &Path) -> Option<Marks> {
    let mut marks = Marks::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(marks),
        Err(_) => return None,
    };
    for entry in entries {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == super::folders::JOURNAL || name.starts_with("job-") {
            marks.insert(name, Mark::of(&entry.metadata().ok()?));
        }
    }
    Some(marks)
}

/// Whose turn it is to write.
#[derive(Debug)]
pub enum TurnTaken {
    /// Ours, and nobody else has written since.
    Again,
    /// Ours; somebody else may have written.
    Anew,
    /// That of another process, in words.
    Theirs(String),
}

/// The turn of this process to write: see `crate::app::turn`.
impl Holds {
    /// Whether it is ours.
    pub fn has_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// What this process wrote of journal and jobs.
    pub fn written(&mut self) -> &mut Written {
        &mut self.written
    }

    /// Adds a line to the journal of a profile; an error is with the file that it is about.
    ///
    /// Where the lock of the turn, the journal or the job's file is not what it was, nothing is written and
    /// the turn is over: it is taken anew before the next line.
    pub fn append(
        &mut self,
        profile: &Path,
        locks: &[PathBuf],
        line: &str,
    ) -> Result<(), (io::Error, PathBuf)> {
        let mut held = self.turn.iter().flatten().zip(locks);
        let lost = held.find(|(lock, folder)| !lock.is_in(folder));
        let lost = lost.map(|(_, folder)| {
            let why = "It was removed meanwhile; going on takes it anew";
            (io::Error::other(why), folder.join(lock::FILE))
        });
        let looked = self.written.look(profile, line);
        if lost.is_some() || self.written.is_foreign() {
            self.turn = None;
        }
        looked?;
        lost.map_or(Ok(()), Err)?;
        self.written.add(profile, line)
    }

    /// Takes all the locks in these folders, or none.
    pub fn take_turn(&mut self, locks: &[PathBuf], profile: &Path) -> io::Result<TurnTaken> {
        if self.turn.is_none() {
            let mut ours = Vec::new();
            for folder in locks {
                match lock::patiently(|| lock::take(folder))? {
                    Hold::Ours(lock) => ours.push(lock),
                    Hold::Theirs(who) => return Ok(TurnTaken::Theirs(who)),
                }
            }
            self.turn = Some(ours);
        }
        let now = marks(profile);
        let is_known = now.is_some() && now == self.jobs && !self.written.is_foreign();
        self.written.begin(profile);
        Ok(if is_known {
            TurnTaken::Again
        } else {
            self.jobs = marks(profile);
            TurnTaken::Anew
        })
    }

    /// Gives it up.
    pub fn give_turn(&mut self, profile: &Path) {
        self.jobs = marks(profile);
        self.turn = None;
        self.written.end();
    }

    /// The jobs are about to be read.
    pub fn read_jobs(&mut self, profile: &Path) {
        self.jobs = marks(profile);
    }

    /// Whether nobody else has written to journal and jobs since.
    pub fn knows_jobs(&self, profile: &Path) -> bool {
        self.jobs.is_some() && marks(profile) == self.jobs
    }
}

impl Holds {
    /// Whether a job of this process stands on it.
    pub fn has(&self, backup: &str) -> bool {
        self.held.contains_key(backup)
    }

    /// Holds a backup from now on: nobody else removes it.
    pub fn hold(&mut self, folder: &Path, backup: &str) -> io::Result<()> {
        if self.held.contains_key(backup) {
            return Ok(());
        }
        let lock = match lock::patiently(|| lock::share_in(folder))? {
            Hold::Ours(lock) => lock,
            Hold::Theirs(who) => {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    format!("It is held by {who}"),
                ));
            }
        };
        let held = Held {
            lock,
            read: Reading::Not,
            readings: 0,
        };
        self.held.insert(backup.to_owned(), held);
        Ok(())
    }

    /// Lets go of one.
    pub fn release(&mut self, folder: &Path, backup: &str) {
        if let Some(held) = self.held.remove(backup) {
            held.lock.give_up(folder);
        }
    }

    /// Holds a backup that is there as a whole; whether it is. What is being removed is not there: its
    /// manifest goes first.
    pub fn hold_whole(&mut self, folder: &Path, backup: &str) -> io::Result<bool> {
        if !files::is_folder(folder) {
            return Ok(false);
        }
        self.hold(folder, backup)?;
        let is_there = folder.join(MANIFEST).try_exists()?;
        if !is_there {
            self.release(folder, backup);
        }
        Ok(is_there)
    }

    /// Looks whether the backups of a claim stand, and hold what is claimed. `folders` is where they
    /// lie.
    pub fn prove(&mut self, folders: &Path, claim: &Claim) -> Result<Standing, String> {
        for backup in &claim.backups {
            let folder = folders.join(backup);
            let problem = |why: String| format!("Backup {backup}: {why}");
            if !files::is_folder(&folder) {
                self.held.remove(backup);
                return Err(problem("The folder is not there any more.".to_owned()));
            }
            if let Some(held) = self.held.get(backup)
                && !held.lock.is_in(&folder)
            {
                // Another folder, or another lock, is in its place.
                self.held.remove(backup);
            }
            self.hold(&folder, backup)
                .map_err(|error| problem(format!("{error}.")))?;
            let Some(held) = self.held.get_mut(backup) else {
                continue;
            };
            if !held.is_read(&folder).map_err(problem)? {
                return Ok(Standing::Reading);
            }
            if !held.is_as_read(&folder, &claim.items).map_err(problem)? {
                held.read = Reading::Not;
                return Ok(Standing::Reading);
            }
        }
        Ok(match self.lacking(claim) {
            0 => Standing::Holds,
            lacking => Standing::Lacks(lacking),
        })
    }

    /// How much of what is claimed is in none of the backups, which are read.
    fn lacking(&self, claim: &Claim) -> u64 {
        let indexes: Vec<&Index> = claim
            .backups
            .iter()
            .filter_map(|backup| match &self.held.get(backup)?.read {
                Reading::All { index, .. } => Some(index),
                Reading::Not | Reading::Files { .. } => None,
            })
            .collect();
        match &claim.items {
            Claimed::One { item, space } => {
                let is_in = |index: &&Index| index.find(*item, space.as_ref()).is_some();
                u64::from(!indexes.iter().any(is_in))
            }
            Claimed::All(items) => {
                let is_in_none =
                    |item: &&_| indexes.iter().all(|it| it.find(**item, None).is_none());
                items.iter().filter(is_in_none).count() as u64
            }
        }
    }
}

impl Held {
    /// Reads on, but not for long. Whether all is read.
    fn is_read(&mut self, folder: &Path) -> Result<bool, String> {
        let mut read = 0;
        while read < AT_ONCE {
            match &mut self.read {
                Reading::All { .. } => return Ok(true),
                Reading::Not => self.begin(folder)?,
                Reading::Files {
                    manifest,
                    files,
                    index,
                } => match manifest.files.get(files.len()) {
                    Some(entry) => {
                        read += entry.bytes;
                        let known = read_file(folder, entry, files.len(), index)?;
                        files.push(known);
                    }
                    None => self.finish(folder)?,
                },
            }
        }
        Ok(false)
    }

    fn begin(&mut self, folder: &Path) -> Result<(), String> {
        if self.readings >= READINGS {
            return Err("Its files are changed again and again.".to_owned());
        }
        self.readings += 1;
        self.read = Reading::Files {
            manifest: backups::manifest(folder).map_err(told)?,
            files: Vec::new(),
            index: Index::default(),
        };
        Ok(())
    }

    /// All files are what the manifest says. It is looked at last: should it have been changed since
    /// it was read, its files are no longer those that were read.
    fn finish(&mut self, folder: &Path) -> Result<(), String> {
        let read = std::mem::take(&mut self.read);
        let Reading::Files {
            manifest,
            mut files,
            mut index,
        } = read
        else {
            return Ok(());
        };
        let mark = mark_of(folder, MANIFEST)?;
        if backups::manifest(folder).map_err(told)? != manifest {
            return Ok(());
        }
        let counted: u64 = manifest.files.iter().map(|file| file.items).sum();
        if counted != manifest.items {
            return Err(told(BackupError::Count {
                name: MANIFEST.to_owned(),
                expected: manifest.items,
                found: counted,
            }));
        }
        let numbers: HashMap<&str, u32> = files
            .iter()
            .zip(0..)
            .map(|(known, number)| (known.name.as_str(), number))
            .collect();
        index
            .finish(|name| numbers.get(name).copied())
            .map_err(|name| told(BackupError::Missing(name)))?;
        files.push(Known {
            name: MANIFEST.to_owned(),
            mark,
        });
        self.read = Reading::All { files, index };
        Ok(())
    }

    /// Whether the files that a claim is about look as they did when they were read. An error: one is
    /// gone, or is no file any more.
    fn is_as_read(&self, folder: &Path, items: &Claimed) -> Result<bool, String> {
        let Reading::All { files, index } = &self.read else {
            return Ok(false);
        };
        let is_same = |known: &Known| Ok(mark_of(folder, &known.name)? == known.mark);
        let Claimed::One { item, space } = items else {
            return all(files.iter().map(is_same));
        };
        // A backup of a great many files is not looked through for each item.
        let mut looked = files.last().into_iter().collect::<Vec<_>>();
        if let Some(file) = index.find(*item, space.as_ref()) {
            looked.extend(files.get(file as usize));
        }
        if let Some(file) = index.attached(*item) {
            looked.extend(files.get(file as usize));
        }
        all(looked.into_iter().map(is_same))
    }
}

fn all(mut same: impl Iterator<Item = Result<bool, String>>) -> Result<bool, String> {
    same.try_fold(true, |all, same| Ok(all && same?))
}

/// Reads one file, and takes in what items are in it.
fn read_file(
    folder: &Path,
    entry: &FileEntry,
    number: usize,
    index: &mut Index,
) -> Result<Known, String> {
    let path = backups::file_in(folder, &entry.name).map_err(told)?;
    let before = mark_of(folder, &entry.name)?;
    entry
        .check_each(
            || files::open(&path),
            |item| index.add(&item, number as u32),
        )
        .map_err(told)?;
    if mark_of(folder, &entry.name)? != before {
        return Err(told(BackupError::Changed(entry.name.clone())));
    }
    Ok(Known {
        name: entry.name.clone(),
        mark: before,
    })
}

fn mark_of(folder: &Path, name: &str) -> Result<Mark, String> {
    let path: PathBuf = folder.join(name);
    match std::fs::symlink_metadata(path) {
        Ok(it) if it.is_file() => Ok(Mark::of(&it)),
        Ok(_) => Err(format!(
            "Instead of the file {name} there is something else."
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(told(BackupError::Missing(name.to_owned())))
        }
        Err(error) => Err(format!("The file {name} cannot be looked at: {error}.")),
    }
}

fn told(error: BackupError) -> String {
    error.to_string()
}
