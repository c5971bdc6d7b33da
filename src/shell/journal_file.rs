//! The journal of a profile and the files of its jobs, while this process writes them.
//!
//! A line says that something is about to be sent: it counts only in a file that has its name still, beside
//! the file of its job, from which both are found at the next start. Before each line that is looked at.
//! A journal that lost its name is held open, so all its lines are there to be written anew.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::files;
use super::folders::JOURNAL;

const GONE: &str = "It was removed meanwhile; going on writes it anew with all its lines";
const JOB_GONE: &str = "It was removed meanwhile; going on writes it anew";
const REPLACED: &str =
    "Something else wrote to it, or put another file in its place; it is read anew";

/// The journal and the files of jobs as this process wrote them last.
#[derive(Debug, Default)]
pub struct Written {
    journal: Option<Journal>,
    /// The file of each job, by name.
    jobs: BTreeMap<String, (u64, u64)>,
    /// Whether somebody else has written to the journal.
    foreign: bool,
}

#[derive(Debug)]
struct Journal {
    file: File,
    bytes: u64,
    /// Whether the file was seen to have lost its name.
    lost: bool,
}

/// What of a line tells whose it is.
#[derive(Deserialize)]
struct OfJob {
    job: String,
}

fn place(it: &Metadata) -> (u64, u64) {
    (it.dev(), it.ino())
}

fn there(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Written {
    /// The turn to write begins: what is there by now goes on. A journal that was lost is put back, so that
    /// what is read next has its lines.
    pub fn begin(&mut self, folder: &Path) {
        let path = folder.join(JOURNAL);
        self.foreign = false;
        if let Some(journal) = &mut self.journal
            && journal.lost
            && journal.put_back(&path).is_ok()
        {
            return;
        }
        let is_there = there(&path).is_ok_and(|there| there.is_some());
        self.journal = is_there.then(|| Journal::at(&path).ok()).flatten();
    }

    /// The turn is over. What was lost is kept for the next one.
    pub fn end(&mut self) {
        self.jobs.clear();
        if self.journal.as_ref().is_some_and(|journal| !journal.lost) {
            self.journal = None;
        }
    }

    /// Whether somebody else has written to the journal: it has to be read before the next line.
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// The file of a job was written.
    pub fn stored(&mut self, folder: &Path, name: &str) {
        if let Ok(there) = std::fs::symlink_metadata(folder.join(name)) {
            self.jobs.insert(name.to_owned(), place(&there));
        }
    }

    /// The file of a job was removed, on purpose.
    pub fn removed(&mut self, name: &str) {
        self.jobs.remove(name);
    }

    /// Whether the journal and the file of the job of this line are what was written last. Where they are
    /// not, the error tells so once, with the path: whoever goes on then has them written anew.
    pub fn look(&mut self, folder: &Path, line: &str) -> Result<(), (io::Error, PathBuf)> {
        let path = folder.join(JOURNAL);
        let journal = self.journal_stands(&path).map_err(|error| (error, path));
        // Of both it is told at once.
        let job = self.job_stands(folder, line);
        journal.and(job)
    }

    /// Adds one line to the journal and syncs it.
    pub fn add(&mut self, folder: &Path, line: &str) -> Result<(), (io::Error, PathBuf)> {
        let path = folder.join(JOURNAL);
        let opened = match &mut self.journal {
            Some(journal) => Ok(journal),
            None => files::make_folder(folder)
                .and_then(|()| Journal::at(&path))
                .map(|journal| self.journal.insert(journal)),
        };
        let added = opened.and_then(|journal| journal.add(line));
        added.map_err(|error| (error, path))
    }

    fn journal_stands(&mut self, path: &Path) -> io::Result<()> {
        let Some(journal) = &mut self.journal else {
            return Ok(());
        };
        if journal.lost {
            return journal.put_back(path);
        }
        match there(path)? {
            Some(there) if place(&there) == place(&journal.file.metadata()?) => {
                if there.len() == journal.bytes {
                    return Ok(());
                }
            }
            Some(_) => {}
            None => {
                journal.lost = true;
                return Err(io::Error::other(GONE));
            }
        }
        self.journal = None;
        self.foreign = true;
        Err(io::Error::other(REPLACED))
    }

    fn job_stands(&mut self, folder: &Path, line: &str) -> Result<(), (io::Error, PathBuf)> {
        let Ok(OfJob { job }) = serde_json::from_str(line) else {
            return Ok(());
        };
        let name = format!("job-{job}.json");
        let Some(stored) = self.jobs.get(&name) else {
            return Ok(());
        };
        let path = folder.join(&name);
        match there(&path) {
            Ok(Some(there)) if place(&there) == *stored => Ok(()),
            Ok(_) => {
                self.jobs.remove(&name);
                Err((io::Error::other(JOB_GONE), path))
            }
            Err(error) => Err((error, path)),
        }
    }
}

impl Journal {
    /// The one at this path, or a new one.
    fn at(path: &Path) -> io::Result<Self> {
        let is_new = there(path)?.is_none();
        let file = files::open_to_append(path)?;
        if is_new {
            files::sync_folder_of(path)?;
        }
        let bytes = file.metadata()?.len();
        Ok(Self {
            file,
            bytes,
            lost: false,
        })
    }

    /// Adds one line and syncs it. What a failed attempt wrote is taken back.
    fn add(&mut self, line: &str) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if self.bytes > 0 && self.last_byte()? != b'\n' {
            // A crash cut the last line short: it stays, as a line of its own.
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        let file = &mut self.file;
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            let _ = file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn last_byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Writes all its lines anew where they were, over nothing that is there by now.
    fn put_back(&mut self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        files::create_whole(path, &mut (&self.file).take(self.bytes))?;
        *self = Self::at(path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "job-1.json";

    fn line(number: u32) -> String {
        format!("{{\"job\":\"1\",\"no\":{number}}}")
    }

    fn lines(folder: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(folder.join(JOURNAL)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn append(
        written: &mut Written,
        folder: &Path,
        line: &str,
    ) -> Result<(), (io::Error, PathBuf)> {
        written.look(folder, line)?;
        written.add(folder, line)
    }

    fn said(outcome: Result<(), (io::Error, PathBuf)>) -> String {
        let (error, path) = outcome.expect_err("it is refused");
        format!("{}: {error}", path.display())
    }

    /// Two lines were written, and the file of their job.
    fn begun(folder: &Path) -> Written {
        let mut written = Written::default();
        files::make_folder(folder).expect("a folder");
        written.begin(folder);
        std::fs::write(folder.join(JOB), "{}").expect("the file of the job");
        written.stored(folder, JOB);
        for number in [1, 2] {
            append(&mut written, folder, &line(number)).expect("written");
        }
        written
    }

    #[test]
    fn a_journal_that_was_removed_takes_no_line_unseen_and_comes_back_whole() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("profile");
        for turn_ends in [false, true] {
            let mut written = begun(&folder);
            std::fs::remove_dir_all(&folder).expect("it is ours");
            let told = said(append(&mut written, &folder, &line(3)));
            assert!(told.contains("removed"), "{told}");
            assert_eq!(lines(&folder), [""; 0], "nothing is begun unseen");
            if turn_ends {
                written.end();
                written.begin(&folder);
            }
            append(&mut written, &folder, &line(3)).expect("whoever goes on was told");
            assert_eq!(lines(&folder), [line(1), line(2), line(3)]);
            std::fs::remove_dir_all(&folder).expect("it is ours");
        }
    }

    #[test]
    fn a_journal_that_somebody_else_wrote_takes_no_line_before_it_is_read() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("profile");
        let mut written = begun(&folder);
        let path = folder.join(JOURNAL);
        std::fs::copy(&path, folder.join("copy")).expect("a copy");
        std::fs::rename(folder.join("copy"), &path).expect("in its place");
        let told = said(append(&mut written, &folder, &line(3)));
        assert!(told.contains("another file"), "{told}");
        assert!(written.is_foreign());
        written.begin(&folder);
        append(&mut written, &folder, &line(3)).expect("it was read");
        std::fs::write(&path, "other\n").expect("cut");
        assert!(said(append(&mut written, &folder, &line(4))).contains("Something else"));
        assert_eq!(lines(&folder), ["other"]);
    }

    #[test]
    fn a_job_whose_file_was_removed_gets_no_line_unseen() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("profile");
        let mut written = begun(&folder);
        std::fs::remove_file(folder.join(JOB)).expect("it is ours");
        append(&mut written, &folder, "{\"job\":\"2\"}").expect("of another job");
        let told = said(append(&mut written, &folder, &line(3)));
        assert!(told.contains(JOB), "{told}");
        assert_eq!(lines(&folder).len(), 3);
        // It goes on, and then its file is written before anything is sent.
        append(&mut written, &folder, &line(3)).expect("told once");
        std::fs::write(folder.join(JOB), "{}").expect("the file of the job");
        written.stored(&folder, JOB);
        append(&mut written, &folder, &line(4)).expect("all is there");
        written.removed(JOB);
        std::fs::remove_file(folder.join(JOB)).expect("it is ours");
        append(&mut written, &folder, &line(5)).expect("it was removed on purpose");
    }
}
