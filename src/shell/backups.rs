//! The backups on this machine: which there are, and whether they are what was written.
//!
//! Works without any server. Nothing here changes a backup; files are read piece by piece, so a
//! large one takes no more memory than its longest line.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::jobs::backup::{BackupError, MANIFEST, Manifest};

/// A manifest is not read further than this, in bytes.
const MANIFEST_LIMIT: u64 = 64 << 20;

/// A folder among the backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What is in it, or why that can't be told.
    pub manifest: Result<Manifest, BackupError>,
    /// The sizes of its files together.
    pub bytes: u64,
}

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
    if !is_plain(name) || !folder.is_dir() {
        return None;
    }
    Some(manifest(&folder).and_then(|manifest| {
        let mut counted = 0;
        for file in &manifest.files {
            if !is_plain(&file.name) {
                return Err(BackupError::Manifest(format!(
                    "`{}` is not a name for a file of a backup",
                    file.name
                )));
            }
            let path = folder.join(&file.name);
            file.check_file(|| File::open(&path))?;
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

fn manifest(folder: &Path) -> Result<Manifest, BackupError> {
    let path: PathBuf = folder.join(MANIFEST);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| {
        file.take(MANIFEST_LIMIT)
            .read_to_end(&mut bytes)
            .map(|_| ())
    });
    match read {
        Ok(()) => Manifest::decode(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(BackupError::Missing(MANIFEST.to_owned()))
        }
        Err(error) => Err(BackupError::Manifest(error.to_string())),
    }
}

/// Whether a name stays in the folder it is joined to.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
