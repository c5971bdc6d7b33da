//! Files of backups, from the server to the disk and back: piece by piece, whatever their size.
//!
//! What has arrived lies beside its final name until all of it is there and on the disk. Its check sum
//! is made as it arrives; after a restart, of what is there.
//!
//! Of attached files the check sum is written down before the file gets its name ([`SUMS`]): a later run
//! of the same job takes over what is there whole, and nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::files;
use super::folders::{failed, plain_file};
use super::progress::{Gauge, Tell};
use crate::confluence::client::{Answer, Client, Retry};
use crate::confluence::transfer::{Sink, Source, Transfer};
use crate::confluence::{ApiError, Call, Downloaded, ErrorKind, LocalFile, Reply, Resume};
use crate::jobs::JobId;
use crate::jobs::backup::{MANIFEST, is_of_job};

/// What is added to the name of a file that has not arrived whole.
pub const PART: &str = "part";

/// The check sums of the files that arrived, in the form of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";

/// How much is read at once.
const PIECE: usize = 256 * 1024;

/// The files that move between the server and a folder of backups.
#[derive(Debug, Default)]
pub struct Moves {
    backups: PathBuf,
    /// Check sums of what has arrived so far, each with the length that it is of.
    sums: Mutex<HashMap<PathBuf, (u64, Sha256)>>,
}

impl Moves {
    /// To and from the backups in this folder.
    pub fn of(backups: &Path) -> Self {
        Self {
            backups: backups.to_owned(),
            sums: Mutex::default(),
        }
    }

    /// Sends a call, with its file if it has one.
    pub async fn send(
        &self,
        client: &Client,
        call: &Call,
        retrying: impl FnMut(Retry) + Send,
    ) -> Answer {
        self.send_telling(client, call, retrying, Arc::new(|_, _| {}))
            .await
    }

    /// The same, and tells how far the file is.
    pub async fn send_telling(
        &self,
        client: &Client,
        call: &Call,
        retrying: impl FnMut(Retry) + Send,
        tell: Tell,
    ) -> Answer {
        match call {
            Call::DownloadBackup { into, resume, .. } => {
                self.download(client, call, into, resume.as_ref(), retrying, tell)
                    .await
            }
            Call::Download {
                into,
                size,
                job,
                resume,
                ..
            } => {
                if resume.is_none() {
                    match self.taken_over(into, *size, job).await {
                        Ok(Some(downloaded)) => return Answer::of(Reply::Downloaded(downloaded)),
                        Ok(None) => {}
                        Err(error) => return Answer::none(error),
                    }
                }
                self.download(client, call, into, resume.as_ref(), retrying, tell)
                    .await
            }
            Call::UploadBackup { from } => match self.opened(from, tell) {
                Ok(file) => {
                    client
                        .transfer(call, Transfer::From(Arc::new(file)), retrying)
                        .await
                }
                Err(error) => Answer::none(error),
            },
            Call::AttachFile {
                from,
                title,
                media_type,
                note,
                ..
            } => match self.opened(from, tell) {
                Ok(file) => {
                    let file = Upload {
                        name: title.as_sent().to_owned(),
                        media_type: media_type
                            .clone()
                            .unwrap_or_else(|| "application/octet-stream".to_owned()),
                        note: note.as_ref().map(|note| note.as_sent().to_owned()),
                        ..file
                    };
                    client
                        .transfer(call, Transfer::From(Arc::new(file)), retrying)
                        .await
                }
                Err(error) => Answer::none(error),
            },
            _ => client.send(call, retrying).await,
        }
    }

    fn place(&self, file: &LocalFile) -> Result<PathBuf, ApiError> {
        plain_file(&self.backups, &file.backup)
            .and_then(|folder| plain_file(&folder, &file.name))
            .map_err(|error| ApiError::new(ErrorKind::Storage, error.message))
    }

    fn opened(&self, file: &LocalFile, tell: Tell) -> Result<Upload, ApiError> {
        let path = self.place(file)?;
        let length = files::open(&path).and_then(|file| file.metadata());
        Ok(Upload {
            length: length.map_err(|error| trouble(&error, &path))?.len(),
            name: file.name.clone(),
            media_type: "application/zip".to_owned(),
            note: None,
            path,
            tell,
        })
    }

    async fn download(
        &self,
        client: &Client,
        call: &Call,
        into: &LocalFile,
        resume: Option<&Resume>,
        retrying: impl FnMut(Retry) + Send,
        tell: Tell,
    ) -> Answer {
        let whole = match self.place(into) {
            Ok(path) => path,
            Err(error) => return Answer::none(error),
        };
        let part = whole.with_added_extension(PART);
        let is_attached = matches!(call, Call::Download { .. });
        let begun = match self
            .begun(&whole, &part, resume.is_some(), is_attached)
            .await
        {
            Ok(begun) => begun,
            Err(error) => return Answer::none(trouble(&error, &part)),
        };
        let mut arriving = match begun {
            Begun::Whole(downloaded) => return Answer::of(Reply::Downloaded(downloaded)),
            Begun::Part(arriving) => arriving,
        };
        arriving.gauge = resume.map(|resume| Gauge::of(resume.total, tell));
        let mut answer = client
            .transfer(call, Transfer::Into(&mut arriving), retrying)
            .await;
        let Arriving {
            file, length, sum, ..
        } = arriving;
        let is_whole = matches!(
            &answer.outcome,
            Ok(Reply::Downloaded(downloaded)) if downloaded.total == Some(length)
        );
        let digest = is_whole.then(|| hexadecimal(sum.clone()));
        let named = digest.clone().map(|digest| Named {
            part: part.clone(),
            whole,
            digest: is_attached.then_some(digest),
        });
        if let Err(error) = synced(file, named).await {
            answer.outcome = Err(trouble(&error, &part));
            return answer;
        }
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(digest), Ok(Reply::Downloaded(downloaded))) = (digest, &mut answer.outcome) {
            sums.remove(&part);
            downloaded.sha256 = Some(digest);
        } else {
            sums.insert(part, (length, sum));
        }
        answer
    }

    /// What is there of a file.
    async fn begun(
        &self,
        whole: &Path,
        part: &Path,
        goes_on: bool,
        is_attached: bool,
    ) -> io::Result<Begun> {
        let known = {
            let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
            sums.remove(part)
        };
        let (whole, part) = (whole.to_owned(), part.to_owned());
        let begin = move || {
            if !is_attached && whole.symlink_metadata().is_ok() {
                // It got its name when it was whole, just before the program ended.
                let (length, sum) = sum_of(files::open(&whole)?)?;
                return Ok(Begun::Whole(Downloaded {
                    bytes: length,
                    total: Some(length),
                    resume: None,
                    sha256: Some(hexadecimal(sum)),
                }));
            }
            let file = files::open_to_append(&part)?;
            let length = file.metadata()?.len();
            let (length, sum) = match known {
                _ if !goes_on => {
                    file.set_len(0)?;
                    (0, Sha256::new())
                }
                Some((of, sum)) if of == length => (length, sum),
                _ => sum_of(files::open(&part)?)?,
            };
            Ok(Begun::Part(Arriving {
                file,
                path: part,
                length,
                sum,
                gauge: None,
            }))
        };
        match tokio::task::spawn_blocking(begin).await {
            Ok(begun) => begun,
            Err(lost) => Err(io::Error::other(lost)),
        }
    }
}

/// Attached files that are there already.
impl Moves {
    /// A file that this run, or an earlier one of the same job, has whole: it need not come again.
    async fn taken_over(
        &self,
        into: &LocalFile,
        size: Option<u64>,
        job: &str,
    ) -> Result<Option<Downloaded>, ApiError> {
        let whole = self.place(into)?;
        let (backups, name, job) = (self.backups.clone(), into.name.clone(), JobId::new(job));
        let at = whole.clone();
        let look = move || {
            let folders = std::fs::read_dir(&backups)?;
            for folder in folders {
                let folder = folder?;
                let is_of_job = folder
                    .file_name()
                    .to_str()
                    .is_some_and(|name| is_of_job(name, &job));
                if !is_of_job || !folder.file_type()?.is_dir() {
                    continue;
                }
                if let Some(found) = whole_in(&folder.path(), &name, size)? {
                    take(&folder.path(), &name, &at, &found)?;
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(outcome) => outcome,
            Err(lost) => Err(io::Error::other(lost)),
        }
        .map_err(|error| trouble(&error, &whole))
    }
}

/// A file that is in a folder whole: as long as it should be, and with the check sum that it arrived with.
fn whole_in(folder: &Path, name: &str, size: Option<u64>) -> io::Result<Option<Downloaded>> {
    let file = match files::open(&folder.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if size.is_some_and(|size| file.metadata().is_ok_and(|it| it.len() != size)) {
        return Ok(None);
    }
    let sums = match files::read(&folder.join(SUMS)) {
        Ok(sums) => String::from_utf8_lossy(&sums).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_its = |line: &&str| line.split_once("  ").is_some_and(|(_, of)| of == name);
    let Some((told, _)) = sums
        .lines()
        .rev()
        .find(is_its)
        .and_then(|it| it.split_once("  "))
    else {
        return Ok(None);
    };
    let (length, sum) = sum_of(file)?;
    let sum = hexadecimal(sum);
    Ok((sum == told).then_some(Downloaded {
        bytes: length,
        total: Some(length),
        resume: None,
        sha256: Some(sum),
    }))
}

/// Puts a file of an earlier run where this one has its own. What is in a whole backup stays there.
fn take(from: &Path, name: &str, to: &Path, found: &Downloaded) -> io::Result<()> {
    let there = from.join(name);
    if there == to {
        return Ok(());
    }
    let part = to.with_added_extension(PART);
    if from.join(MANIFEST).try_exists()? {
        let mut copy = files::open_to_append(&part)?;
        copy.set_len(0)?;
        io::copy(&mut files::open(&there)?, &mut copy)?;
        copy.sync_all()?;
    } else {
        std::fs::rename(&there, &part)?;
    }
    let digest = found.sha256.as_deref().unwrap_or_default();
    note_sum(to, digest)?;
    std::fs::rename(&part, to)?;
    files::sync_folder_of(to)
}

/// Writes down the check sum of a file that is about to get this name.
fn note_sum(whole: &Path, digest: &str) -> io::Result<()> {
    let name = whole.file_name().unwrap_or_default().to_string_lossy();
    let mut sums = files::open_to_append(&whole.with_file_name(SUMS))?;
    sums.write_all(format!("{digest}  {name}\n").as_bytes())?;
    sums.sync_all()
}

/// The name that a file gets once it is whole.
struct Named {
    part: PathBuf,
    whole: PathBuf,
    /// Its check sum, where that is written down.
    digest: Option<String>,
}

enum Begun {
    Part(Arriving),
    Whole(Downloaded),
}

/// A file that is arriving.
struct Arriving {
    file: File,
    path: PathBuf,
    length: u64,
    sum: Sha256,
    /// Where it is known how long the file is.
    gauge: Option<Gauge>,
}

impl Sink for Arriving {
    fn length(&self) -> u64 {
        self.length
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn begin(&mut self, from: u64) -> io::Result<()> {
        if from == self.length {
            return Ok(());
        }
        self.file.set_len(from)?;
        self.length = from;
        // Nothing but the beginning is ever gone back to.
        self.sum = Sha256::new();
        if from == 0 {
            return Ok(());
        }
        Err(io::Error::other("it goes on elsewhere than it ends"))
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(piece) {
            // What is counted is what is there.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.sum.update(piece);
        self.length += piece.len() as u64;
        if let Some(gauge) = &mut self.gauge {
            gauge.at(self.length);
        }
        Ok(())
    }
}

/// A file that is sent.
struct Upload {
    path: PathBuf,
    name: String,
    media_type: String,
    note: Option<String>,
    length: u64,
    tell: Tell,
}

/// Reads a file, and tells how far.
struct Told {
    file: File,
    read: u64,
    gauge: Gauge,
}

impl Read for Told {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read += read as u64;
        self.gauge.at(self.read);
        Ok(read)
    }
}

impl Source for Upload {
    fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> u64 {
        self.length
    }

    fn media_type(&self) -> &str {
        &self.media_type
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Told {
            file: files::open(&self.path)?,
            read: 0,
            gauge: Gauge::of(self.length, Arc::clone(&self.tell)),
        }))
    }
}

/// What has arrived is on the disk; if it is whole, under its name.
async fn synced(file: File, named: Option<Named>) -> io::Result<()> {
    let sync = move || {
        file.sync_all()?;
        if let Some(Named {
            part,
            whole,
            digest,
        }) = named
        {
            if let Some(digest) = digest {
                note_sum(&whole, &digest)?;
            }
            std::fs::rename(&part, &whole)?;
            files::sync_folder_of(&whole)?;
        }
        Ok(())
    };
    match tokio::task::spawn_blocking(sync).await {
        Ok(outcome) => outcome,
        Err(lost) => Err(io::Error::other(lost)),
    }
}

/// Length and check sum of a file, read piece by piece.
fn sum_of(mut file: File) -> io::Result<(u64, Sha256)> {
    let (mut sum, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok((length, sum)),
            Ok(read) => {
                sum.update(&piece[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hexadecimal(sum: Sha256) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in sum.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn trouble(error: &io::Error, path: &Path) -> ApiError {
    ApiError::new(ErrorKind::Storage, failed(error, path).message)
}
