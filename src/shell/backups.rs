//! The backups on this machine: which there are, and whether they are what was written.
//!
//! Works without any server. Nothing here changes what is in a backup, it can only be removed as a
//! whole; files are read piece by piece, so that checking a large one takes no more memory than
//! its longest line.

use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::{files, lock};
use crate::confluence::ContentId;
use crate::jobs::backup::{BackupError, Contents, Found, Item, MANIFEST, Manifest, next_line};
use crate::jobs::full_backup::LISTING;
use crate::text::plain;

/// What a download is called until it is whole.
const PART_OF_ZIP: &str = ".zip.part";

/// A manifest is not read further than this, in bytes.
const MANIFEST_LIMIT: u64 = 64 << 20;

/// So many items of a backup are read to be looked at.
const ITEMS: usize = 100_000;

/// All backups in the order of their names, which begin with their time. None where there is no folder yet.
pub fn list(folder: &Path) -> io::Result<Vec<Found>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // What is reached through a link is not a backup of ours.
        if !entry.file_type()?.is_dir() || !is_plain(&name) {
            continue;
        }
        let mut bytes = 0;
        for file in std::fs::read_dir(entry.path())? {
            bytes += file?.metadata()?.len();
        }
        found.push(Found {
            manifest: manifest(&entry.path()),
            name,
            bytes,
        });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Reads every file of a backup and compares it with the manifest. `None`: there is no such backup.
pub fn verify(folder: &Path, name: &str) -> Option<Result<Manifest, BackupError>> {
    let folder = folder.join(name);
    if !is_plain(name) || !files::is_folder(&folder) {
        return None;
    }
    Some(manifest(&folder).and_then(|manifest| {
        let mut counted = 0;
        for file in &manifest.files {
            let path = file_in(&folder, &file.name)?;
            file.check_file(|| files::open(&path))?;
            counted += file.items;
        }
        if counted == manifest.items {
            Ok(manifest)
        } else {
            Err(BackupError::Count {
                name: MANIFEST.to_owned(),
                expected: manifest.items,
                found: counted,
            })
        }
    }))
}

/// Reads what is in a backup, without the texts. `None`: there is no such backup.
pub fn contents(folder: &Path, name: &str) -> Option<Result<Contents, BackupError>> {
    let folder = folder.join(name);
    if !is_plain(name) || !files::is_folder(&folder) {
        return None;
    }
    Some(manifest(&folder).and_then(|manifest| {
        let mut items = Vec::new();
        for file in manifest.files.iter().filter(|file| file.items > 0) {
            each(&folder, &file.name, |mut item| {
                item.storage = None;
                items.push((file.name.clone(), item));
                items.len() < ITEMS
            })?;
            if items.len() >= ITEMS {
                break;
            }
        }
        Ok(Contents { manifest, items })
    }))
}

/// Reads the text of one item; `None` inside: it has none, or is not there.
pub fn text(
    folder: &Path,
    name: &str,
    file: &str,
    id: &ContentId,
) -> Option<Result<Option<String>, BackupError>> {
    let folder = folder.join(name);
    if !is_plain(name) || !files::is_folder(&folder) {
        return None;
    }
    let mut text = None;
    let read = each(&folder, file, |item| {
        let is_it = item.id == *id;
        if is_it {
            text = item.storage;
        }
        !is_it
    });
    Some(read.map(|()| text))
}

/// Removes a backup: first its manifest, so that what a crash leaves is known for no whole backup.
///
/// Where there is anything else than files in it, nothing is removed: that is an error.
pub fn remove(folder: &Path, name: &str) -> io::Result<()> {
    if !is_plain(name) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let path = folder.join(name);
    if !std::fs::symlink_metadata(&path)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    for entry in std::fs::read_dir(&path)? {
        if !entry?.file_type()?.is_file() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
    }
    match std::fs::remove_file(path.join(MANIFEST)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    files::clear_folder(&path, "")?;
    std::fs::remove_dir(&path)?;
    files::sync_folder_of(&path)
}

/// Reads the items of a file one by one, as long as `take` wants more.
fn each(folder: &Path, name: &str, mut take: impl FnMut(Item) -> bool) -> Result<(), BackupError> {
    if !is_plain(name) {
        return Err(BackupError::Missing(name.to_owned()));
    }
    let trouble = |error: io::Error| BackupError::of_file(name, &error);
    let file = files::open(&folder.join(name)).map_err(trouble)?;
    let mut lines = BufReader::new(MultiGzDecoder::new(file));
    let mut line = Vec::new();
    while next_line(&mut lines, &mut line).map_err(trouble)? {
        let item = serde_json::from_slice(&line).map_err(|problem| {
            BackupError::Unreadable(name.to_owned(), crate::text::json::told(&problem))
        })?;
        if !take(item) {
            break;
        }
        line.clear();
    }
    Ok(())
}

/// Where a file that a manifest names lies.
pub(super) fn file_in(folder: &Path, name: &str) -> Result<PathBuf, BackupError> {
    if is_plain(name) {
        Ok(folder.join(name))
    } else {
        Err(BackupError::Manifest(format!(
            "`{name}` is not a name for a file of a backup"
        )))
    }
}

/// Reads the manifest in this folder.
pub(super) fn manifest(folder: &Path) -> Result<Manifest, BackupError> {
    let mut bytes = Vec::new();
    let read = files::open(&folder.join(MANIFEST)).and_then(|file| {
        file.take(MANIFEST_LIMIT)
            .read_to_end(&mut bytes)
            .map(|_| ())
    });
    match read {
        Ok(()) => Manifest::decode(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(if holds_nothing(folder).unwrap_or(false) {
                BackupError::NothingSaved
            } else {
                BackupError::Missing(MANIFEST.to_owned())
            })
        }
        Err(error) => Err(BackupError::Manifest(
            plain::without_numbers(&error.to_string()).into_owned(),
        )),
    }
}

/// Whether there is nothing in a folder but what a backup begins with: its lock, lists of what was in
/// the space, and a part of a file that never came whole.
fn holds_nothing(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let is_a_beginning =
            name == lock::FILE || name.starts_with(LISTING) || name.ends_with(PART_OF_ZIP);
        if !is_a_beginning {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a name stays in the folder it is joined to.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
