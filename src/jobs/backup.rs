//! The backup format: what is kept of an item before it is purged or its space is deleted.
//!
//! A backup is a folder: `manifest.json` with what, when, from where and the SHA-256 of every
//! other file; `items-0001.ndjson.gz` and on, one JSON object per item, readable by `zcat`; and
//! the files of trashed attachments. This module is pure over bytes. `docs/backup-format.md`
//! describes the format for other tools.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::JobId;
use super::consent::{Act, SpaceTarget};
use super::journal::sha256_of;
use super::saved_server::SavedServer;
use crate::confluence::{
    AttachmentRef, BaseUrl, Content, ContentId, ContentKind, ContentRef, ContentStatus, Remark,
    Restriction, ServerText, SpaceKey, Version,
};
use crate::text::number::bytes as size;
use crate::text::{json, plain};

/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// `format` of the manifest.
pub const FORMAT: &str = "coracle-backup";
/// `version` of the manifest that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// How much an items file may hold when it is unpacked, and one line of it too, in bytes. Files
/// are begun anew every few megabytes; what is longer was packed to fill the memory.
pub const UNPACKED: u64 = 512 << 20;
/// What has to be expanded so that an item can be saved whole.
pub const EXPAND: &str = "body.storage,version,ancestors,history,space,container,metadata.labels,\
extensions,restrictions.read.restrictions.user,restrictions.read.restrictions.group,\
restrictions.update.restrictions.user,restrictions.update.restrictions.group";

const TOO_LARGE: &str = "it holds more than a backup ever has in one file";

/// Reads the next line of an unpacked file into `line`, which is empty; `false` at the end.
pub fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line_up_to(UNPACKED, from, line)
}

fn line_up_to(most: u64, from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = from.take(most).read_until(b'\n', line)?;
    if read as u64 == most && line.last() != Some(&b'\n') {
        return Err(io::Error::other(TOO_LARGE));
    }
    Ok(read > 0)
}

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "InFile")]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The job that made it.
    pub job: JobId,
    /// What the job was about to do.
    pub act: Act,
    /// When the job was made.
    pub created: Timestamp,
    /// The profile, by name.
    pub profile: String,
    /// The server.
    #[serde(flatten)]
    pub server: SavedServer,
    /// Who was signed in, where known.
    pub user: Option<String>,
    /// The spaces it is about, where known.
    pub spaces: Vec<SpaceTarget>,
    /// How many items are saved.
    pub items: u64,
    /// What could not be saved and was not touched.
    pub not_saved: Vec<NotSaved>,
    /// Comments and attached files of saved items that could not be saved, one by one, and lists of them
    /// that could not be read or are not certain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<Lack>,
    /// Every other file that belongs to it.
    pub files: Vec<FileEntry>,
    /// Of a backup that the server made itself: its file, and what has to be in it. The items are
    /// then only listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_file: Option<ServerFile>,
}

/// A space as the server itself wrote it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFile {
    /// The name of the file.
    pub name: String,
    /// The number of the server's job that made it.
    pub job: u64,
    /// How many current pages the space had just before.
    pub pages: u64,
    /// How many current blog posts.
    pub posts: u64,
    /// How many items in its trash.
    pub trashed: u64,
    /// How many attached files are in it.
    pub files: u64,
    /// How many files hung on current pages and blog posts just before, where that could be counted.
    #[serde(default)]
    pub attached: Option<u64>,
    /// How many of them are in it without their bytes, or with another number of them than was told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub hollow: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks in this way")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A [`Manifest`] as files have it, those of earlier versions too.
#[derive(Deserialize)]
struct InFile {
    format: String,
    version: u32,
    job: JobId,
    act: Act,
    created: Timestamp,
    profile: String,
    host: String,
    #[serde(default)]
    address: Option<BaseUrl>,
    user: Option<String>,
    spaces: Vec<SpaceTarget>,
    items: u64,
    not_saved: Vec<NotSaved>,
    #[serde(default)]
    lacks: Vec<Lack>,
    files: Vec<FileEntry>,
    #[serde(default)]
    server_file: Option<ServerFile>,
}

impl From<InFile> for Manifest {
    fn from(file: InFile) -> Self {
        Self {
            format: file.format,
            version: file.version,
            job: file.job,
            act: file.act,
            created: file.created,
            profile: file.profile,
            server: SavedServer::read(&file.host, file.address),
            user: file.user,
            spaces: file.spaces,
            items: file.items,
            not_saved: file.not_saved,
            lacks: file.lacks,
            files: file.files,
            server_file: file.server_file,
        }
    }
}

/// An item that could not be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSaved {
    /// Its id.
    pub id: ContentId,
    /// Its title.
    pub title: String,
    /// Why.
    pub why: String,
}

/// A comment or an attached file of a saved item that could not be saved, or a list of them that is not
/// all that there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// Its id; of a list that of the item.
    pub id: ContentId,
    /// Its type; of a list that of what it lists.
    #[serde(rename = "type")]
    pub kind: ContentKind,
    /// Its title; of a list that of the item.
    pub title: String,
    /// What it hangs on.
    pub on: ContentId,
    /// Why.
    pub why: String,
    /// What is known of the list, where it is a list that is lacking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListLack>,
}

/// What is known of a list of comments or files that is not all that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListLack {
    /// It could not be read: whether there are any is not known.
    NotRead,
    /// What it told is saved, and it may have left others out.
    NotCertain,
}

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// A plain file name.
    pub name: String,
    /// SHA-256 of the file as it is on the disk.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// How many items are in it; 0 for the file of an attachment.
    pub items: u64,
}

/// A SHA-256; in JSON 64 hexadecimal digits. Held as its bytes, for a backup has as many as there are
/// attachments in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The one of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let nibble = |digit: u8| char::from(digit).to_digit(16).map(|it| it as u8);
        let mut digest = [0; 32];
        let pairs = text.as_bytes().chunks(2);
        if text.len() == 2 * digest.len()
            && pairs.zip(&mut digest).all(|(pair, byte)| match pair {
                [high, low] => nibble(*high).zip(nibble(*low)).is_some_and(|(high, low)| {
                    *byte = high << 4 | low;
                    true
                }),
                _ => false,
            })
        {
            Ok(Self(digest))
        } else {
            Err("a SHA-256 has 64 hexadecimal digits")
        }
    }
}

/// One saved item: one line of an items file. The title comes first, so that it is easily found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its title.
    pub title: ServerText,
    /// Its id.
    pub id: ContentId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ContentKind,
    /// Trashed, or current where a space was to be deleted.
    pub status: ContentStatus,
    /// Its space, where known.
    pub space: Option<SpaceKey>,
    /// Its last version.
    pub version: Option<Version>,
    /// Its ancestors, outermost first; absent where the server did not say.
    pub ancestors: Option<Vec<ContentRef>>,
    /// Its position among its siblings.
    pub position: Option<i64>,
    /// Who made it.
    pub created_by: Option<crate::confluence::Person>,
    /// When it was made.
    pub created: Option<crate::confluence::Moment>,
    /// Its labels, without prefix; absent where the server did not say.
    pub labels: Option<Vec<ServerText>>,
    /// Who alone may read or update it; empty: no restrictions; absent: the server did not say.
    pub restrictions: Option<Vec<Restriction>>,
    /// Whether `restrictions` leaves nobody out: all was told, and who has no name is counted. In
    /// backups of older programs it does not stand, and an empty list may mean that somebody without
    /// a name was dropped.
    #[serde(default)]
    pub restrictions_complete: bool,
    /// Names and sizes of its attachments, which are items of their own; absent where the server did
    /// not say.
    pub attachments: Option<Vec<AttachmentEntry>>,
    /// What it hangs on, for attachments and comments.
    pub container: Option<ContentRef>,
    /// The file of an attachment.
    pub file: Option<SavedFile>,
    /// Where and how a comment stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Remark>,
    /// Its text in storage format, to the byte.
    pub storage: Option<String>,
}

/// An attachment of a saved item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentEntry {
    /// Its id.
    pub id: ContentId,
    /// Its name.
    pub title: ServerText,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Media type.
    pub media_type: Option<String>,
}

impl From<AttachmentRef> for AttachmentEntry {
    fn from(attachment: AttachmentRef) -> Self {
        Self {
            id: attachment.id,
            title: attachment.title,
            size: attachment.file_size,
            media_type: attachment.media_type,
        }
    }
}

/// Where the file of a saved attachment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// A plain file name in the same folder.
    pub name: String,
    /// Media type.
    pub media_type: Option<String>,
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What was noted of it when it was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<ServerText>,
}

impl Item {
    /// What is kept of `content`.
    pub fn of(
        content: Content,
        status: ContentStatus,
        attachments: Option<Vec<AttachmentEntry>>,
        file: Option<SavedFile>,
    ) -> Self {
        let more = content.more.map(|more| *more).unwrap_or_default();
        Self {
            title: content.title,
            id: content.id,
            kind: content.kind,
            status,
            space: content.space,
            version: content.version,
            ancestors: content.ancestors,
            position: content.position,
            created_by: more.created_by,
            created: more.created,
            labels: more.labels,
            restrictions_complete: more.restrictions.is_some(),
            restrictions: more.restrictions,
            attachments,
            container: more.container,
            file,
            remark: more.remark.map(|remark| *remark),
            storage: more.body_storage,
        }
    }

    /// The number of its version.
    pub fn version_number(&self) -> Option<u64> {
        self.version.as_ref().and_then(|version| version.number)
    }
}

/// A folder among the backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What is in it, or why that can't be told.
    pub manifest: Result<Manifest, BackupError>,
    /// The sizes of its files together.
    pub bytes: u64,
}

/// What is in a backup, without the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Its manifest.
    pub manifest: Manifest,
    /// Items in the order of the files, each with the name of its file; of a very large backup
    /// the first ones, fewer than the manifest counts.
    pub items: Vec<(String, Item)>,
}

/// What to do where something cannot be put back because the backup does not hold it as it was written.
pub(super) const ANOTHER_COPY: &str = "Take it from another copy of the backup.";

/// What is wrong with a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum BackupError {
    /// The manifest cannot be read.
    #[error("The manifest cannot be read: {0}.")]
    Manifest(String),
    /// It was written by a newer program.
    #[error("The backup has format version {0}, which is newer than this program.")]
    Newer(u32),
    /// Nothing was saved in it, by what is there.
    #[error("Unfinished: nothing was saved in it.")]
    NothingSaved,
    /// A file is missing.
    #[error("The file {0} is missing.")]
    Missing(String),
    /// A file is not what was written.
    #[error("The file {0} is not what was written: its check sum differs.")]
    Changed(String),
    /// A file has another length than was written.
    #[error("The file {name} is not what was written: it has {} instead of {}.", size(*.found), size(*.expected))]
    Length {
        /// The file.
        name: String,
        /// How long it was written.
        expected: u64,
        /// How long it is.
        found: u64,
    },
    /// A file cannot be unpacked or read.
    #[error("The file {0} cannot be read: {1}.")]
    Unreadable(String, String),
    /// A file does not hold what the manifest says.
    #[error("The file {name} holds {found} items where the manifest says {expected}.")]
    Count {
        /// Which.
        name: String,
        /// As the manifest has it.
        expected: u64,
        /// As found.
        found: u64,
    },
}

/// Whether a folder of this name is of a backup that this job made, or began.
pub fn is_of_job(name: &str, job: &JobId) -> bool {
    run_of(name, job).is_some()
}

/// Which run of a job made the backup of this name; `None` where another job did.
fn run_of(name: &str, job: &JobId) -> Option<u32> {
    let rest = name.strip_prefix(job.as_str())?;
    let (run, rest) = match rest.strip_prefix("-run") {
        None => (1, rest),
        Some(rest) => {
            let end = rest.find('-').unwrap_or(rest.len());
            (rest[..end].parse().ok()?, &rest[end..])
        }
    };
    let is_numbered = |number: &str| number.parse::<u32>().is_ok();
    let is_whole = rest.is_empty() || rest.strip_prefix('-').is_some_and(is_numbered);
    is_whole.then_some(run)
}

impl Manifest {
    /// Whether this, a complete backup of that name, stands in for an unfinished one. A job that was
    /// interrupted before its backup was complete has destroyed nothing, and begins it anew in its next
    /// run. The backups of a deletion are needed together, so none of them stands in for another.
    pub fn replaces(&self, name: &str, unfinished: &str) -> bool {
        let is_made_anew = matches!(
            self.act,
            Act::PurgeMarked | Act::PurgeAll | Act::BackUp | Act::BackUpSpaces
        );
        is_made_anew
            && match (run_of(unfinished, &self.job), run_of(name, &self.job)) {
                (Some(before), Some(later)) => before < later,
                _ => false,
            }
    }
}

impl BackupError {
    /// A file of it that could not be read.
    pub fn of_file(name: &str, error: &io::Error) -> Self {
        let said = error.to_string();
        let why = match error.kind() {
            io::ErrorKind::NotFound => return Self::Missing(name.to_owned()),
            _ if said == TOO_LARGE => said,
            // The words of what unpacks it are about its insides.
            io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof => {
                "it was cut or changed since it was written".to_owned()
            }
            _ => plain::without_numbers(&said).into_owned(),
        };
        Self::Unreadable(name.to_owned(), why)
    }

    /// Whether it was never finished, by what is there.
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::Missing(name) if name == MANIFEST)
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Newer(_) => "Use the version of coracle that wrote it.",
            Self::NothingSaved => {
                "Its job may still need it: finish or cancel that first (J). Then it can be removed."
            }
            Self::Missing(name) if name == MANIFEST => {
                "An interrupted backup has no manifest; make a new one."
            }
            _ => "Keep the folder and make a new backup while the items are still on the server.",
        }
    }
}

/// The line for an item, with its line break.
pub fn line(item: &Item) -> String {
    let mut line =
        serde_json::to_string(item).expect("because an item is made of strings and numbers");
    line.push('\n');
    line
}

/// Lines packed with gzip. The same lines give the same bytes.
pub fn pack(lines: &str) -> Vec<u8> {
    let room = Vec::with_capacity(lines.len() / 2);
    let mut encoder = GzEncoder::new(room, Compression::new(6));
    encoder
        .write_all(lines.as_bytes())
        .and_then(|()| encoder.finish())
        .expect("because writing to memory does not fail")
}

/// The items of a packed file called `name`.
pub fn unpack(name: &str, bytes: &[u8]) -> Result<Vec<Item>, BackupError> {
    unpack_up_to(UNPACKED, name, bytes)
}

fn unpack_up_to(most: u64, name: &str, bytes: &[u8]) -> Result<Vec<Item>, BackupError> {
    let unreadable = |why: String| BackupError::Unreadable(name.to_owned(), why);
    let mut text = String::new();
    MultiGzDecoder::new(bytes)
        .take(most + 1)
        .read_to_string(&mut text)
        .map_err(|problem| BackupError::of_file(name, &problem))?;
    if text.len() as u64 > most {
        return Err(unreadable(TOO_LARGE.to_owned()));
    }
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|problem| unreadable(json::told(&problem))))
        .collect()
}

impl FileEntry {
    /// The entry for a file.
    pub fn of(name: impl Into<String>, bytes: &[u8], items: u64) -> Self {
        Self {
            name: name.into(),
            sha256: Digest::of(bytes),
            bytes: bytes.len() as u64,
            items,
        }
    }

    /// Checks a file as read from the disk: check sum, and that every item can be read.
    pub fn check(&self, bytes: &[u8]) -> Result<(), BackupError> {
        self.holds(bytes.len() as u64, &Digest::of(bytes).to_string())?;
        if self.items > 0 {
            let found = unpack(&self.name, bytes)?.len() as u64;
            if found != self.items {
                return Err(BackupError::Count {
                    name: self.name.clone(),
                    expected: self.items,
                    found,
                });
            }
        }
        Ok(())
    }
}

impl FileEntry {
    /// Whether a file of this length and check sum is the one that was written.
    fn holds(&self, found: u64, sum: &str) -> Result<(), BackupError> {
        if found != self.bytes {
            return Err(BackupError::Length {
                name: self.name.clone(),
                expected: self.bytes,
                found,
            });
        }
        if sum != self.sha256.to_string() {
            return Err(BackupError::Changed(self.name.clone()));
        }
        Ok(())
    }

    /// The same for a file of any size: `open` gives it from its beginning, and it is read piece
    /// by piece.
    pub fn check_file<R: Read>(
        &self,
        open: impl FnMut() -> io::Result<R>,
    ) -> Result<(), BackupError> {
        self.check_each(open, drop)
    }

    /// The same, and gives each item that is in it.
    pub fn check_each<R: Read>(
        &self,
        mut open: impl FnMut() -> io::Result<R>,
        mut take: impl FnMut(Item),
    ) -> Result<(), BackupError> {
        let trouble = |error: io::Error| BackupError::of_file(&self.name, &error);
        let (found, sum) = sha256_of(open().map_err(trouble)?).map_err(trouble)?;
        self.holds(found, &sum)?;
        if self.items == 0 {
            return Ok(());
        }
        let mut lines = BufReader::new(MultiGzDecoder::new(open().map_err(trouble)?));
        let (mut line, mut found) = (Vec::new(), 0);
        while next_line(&mut lines, &mut line).map_err(trouble)? {
            let item = serde_json::from_slice(&line).map_err(|problem| {
                BackupError::Unreadable(self.name.clone(), json::told(&problem))
            })?;
            take(item);
            found += 1;
            line.clear();
        }
        if found == self.items {
            Ok(())
        } else {
            Err(BackupError::Count {
                name: self.name.clone(),
                expected: self.items,
                found,
            })
        }
    }
}

impl Manifest {
    /// The manifest as it goes into its file.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self)
            .expect("because a manifest is made of strings and numbers");
        text.push(b'\n');
        text
    }

    /// Reads a manifest.
    pub fn decode(bytes: &[u8]) -> Result<Self, BackupError> {
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|problem| BackupError::Manifest(json::told(&problem)))?;
        if manifest.format != FORMAT {
            return Err(BackupError::Manifest(format!(
                "its format is {}",
                manifest.format
            )));
        }
        if manifest.version > VERSION {
            return Err(BackupError::Newer(manifest.version));
        }
        Ok(manifest)
    }

    /// Checks every file, one at a time; `read` gives a file's bytes, or `None` if it is missing.
    pub fn verify(&self, mut read: impl FnMut(&str) -> Option<Vec<u8>>) -> Result<(), BackupError> {
        for file in &self.files {
            let bytes = read(&file.name).ok_or_else(|| BackupError::Missing(file.name.clone()))?;
            file.check(&bytes)?;
        }
        let found: u64 = self.files.iter().map(|file| file.items).sum();
        if found != self.items {
            return Err(BackupError::Count {
                name: MANIFEST.to_owned(),
                expected: self.items,
                found,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_to_fill_the_memory_is_refused() {
        let bomb = pack(&" ".repeat(1 << 20));
        let told = unpack_up_to(1_000, "items-0001.ndjson.gz", &bomb);
        let Err(BackupError::Unreadable(_, why)) = told else {
            panic!("it was read: {told:?}");
        };
        assert_eq!(why, TOO_LARGE);
        let mut lines = BufReader::new(MultiGzDecoder::new(bomb.as_slice()));
        let mut line = Vec::new();
        let told = line_up_to(1_000, &mut lines, &mut line).expect_err("it is too long");
        assert_eq!(told.to_string(), TOO_LARGE);
        assert_eq!(line.len(), 1_000);
    }

    #[test]
    fn only_a_backup_without_a_manifest_is_called_interrupted() {
        let interrupted = |error: BackupError| error.hint().contains("interrupted");
        assert!(interrupted(BackupError::Missing(MANIFEST.to_owned())));
        let spoilt = Manifest::decode(b"{\"format\"").expect_err("it is cut");
        assert!(!interrupted(spoilt));
        let file = "items-0001.ndjson.gz".to_owned();
        assert!(!interrupted(BackupError::Missing(file)));
    }

    #[test]
    fn a_packed_file_that_was_cut_or_changed_is_told_without_the_words_of_what_unpacks_it() {
        let good = pack(&"{\"id\": 1}\n".repeat(500));
        let mut changed = good.clone();
        changed[15] ^= 0xff;
        for bytes in [&good[..good.len() / 2], &changed, b"no gzip at all"] {
            let told = unpack("items-0001.ndjson.gz", bytes).expect_err("it is spoilt");
            assert!(told.to_string().contains("cut or changed"), "{told}");
            for word in ["deflate", "gzip", "stream", "corrupt"] {
                assert!(!told.to_string().contains(word), "{told}");
            }
        }
        let gone = io::Error::from_raw_os_error(13);
        let told = BackupError::of_file("x", &gone).to_string();
        assert_eq!(told, "The file x cannot be read: Permission denied.");
    }

    #[test]
    fn lines_as_long_as_they_may_be_are_read() {
        let mut from = BufReader::new(b"123\n1234".as_slice());
        let mut line = Vec::new();
        assert!(line_up_to(5, &mut from, &mut line).expect("it fits"));
        line.clear();
        assert!(line_up_to(5, &mut from, &mut line).expect("it fits"));
        assert_eq!(line, b"1234");
        assert!(!line_up_to(5, &mut from, &mut line).expect("the end"));
        assert_eq!(unpack_up_to(3, "x", &pack("")), Ok(Vec::new()));
    }
}
