//! The files of jobs that back up and restore.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of jobs.
#[derive(Debug, Default)]
pub(crate) struct Files {
    folder: Option<PathBuf>,
    open: HashMap<i64, File>,
}

impl Files {
    /// Beside this data file.
    pub(crate) fn beside(data: Option<&Path>) -> Self {
        let folder = data.map(|data| {
            let mut name = data.file_name().unwrap_or_default().to_owned();
            name.push(".backups");
            data.with_file_name(name)
        });
        Self {
            folder,
            open: HashMap::new(),
        }
    }

    pub(crate) fn make(&mut self, job: i64) -> io::Result<File> {
        let file = match &self.folder {
            None => tempfile::tempfile()?,
            Some(folder) => {
                fs::create_dir_all(folder)?;
                let path = folder.join(format!("{job}.zip"));
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(path)?
            }
        };
        self.open.insert(job, file.try_clone()?);
        Ok(file)
    }

    /// A nameless file, gone when it is closed.
    pub(crate) fn scratch(&self) -> io::Result<File> {
        match &self.folder {
            None => tempfile::tempfile(),
            Some(folder) => {
                fs::create_dir_all(folder)?;
                tempfile::tempfile_in(folder)
            }
        }
    }

    /// A file to read from its beginning, with a place of its own.
    pub(crate) fn get(&mut self, job: i64) -> Option<ReadAt> {
        if let Some(folder) = &self.folder
            && !self.open.contains_key(&job)
        {
            let file = File::open(folder.join(format!("{job}.zip"))).ok()?;
            self.open.insert(job, file);
        }
        let file = self.open.get(&job)?.try_clone().ok()?;
        let length = file.metadata().ok()?.len();
        Some(ReadAt {
            file: Arc::new(file),
            place: 0,
            length,
        })
    }
}

/// A file that several read at one time, each at a place of its own.
#[derive(Clone)]
pub(crate) struct ReadAt {
    pub(crate) file: Arc<File>,
    pub(crate) place: u64,
    pub(crate) length: u64,
}

impl Read for ReadAt {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let left = usize::try_from(self.length.saturating_sub(self.place)).unwrap_or(usize::MAX);
        let most = into.len().min(left);
        let read = self.file.read_at(&mut into[..most], self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for ReadAt {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.place)
    }
}

/// How the work of a job ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) job: i64,
    pub(crate) error: Option<String>,
}
