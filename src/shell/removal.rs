//! A backup removed: only one that no job may need.
//!
//! A job holds what it needs with a lock while its process lives; when that is gone, its file tells.
//! A job is stored only while it holds what it needs, so whoever has the lock for himself and finds
//! no such job stored may remove it: none can begin to need it meanwhile.

use std::io;
use std::path::Path;

use super::folders::{Folders, JournalAccess, failed, no_such_backup, plain_file};
use super::holds::Holds;
use super::lock::{self, Hold, ProfileLock};
use super::{backups, files};
use crate::app::message::{DiskError, DiskReply};
use crate::jobs::needs::{self, Need};

/// Says whether a backup may be removed; an error says who may need it.
pub(super) fn ask(
    folders: &Folders,
    access: JournalAccess,
    holds: &Holds,
    backup: &str,
) -> Result<DiskReply, DiskError> {
    free(folders, access, holds, backup).map(|lock| {
        lock.give_up(&folders.backups.join(backup));
        DiskReply::Written
    })
}

/// Removes a backup that no job may need.
pub(super) fn remove(
    folders: &Folders,
    access: JournalAccess,
    holds: &Holds,
    backup: &str,
) -> Result<DiskReply, DiskError> {
    let lock = free(folders, access, holds, backup)?;
    match backups::remove(&folders.backups, backup) {
        Ok(()) => Ok(DiskReply::Written),
        Err(error) => {
            let folder = folders.backups.join(backup);
            lock.give_up(&folder);
            Err(failed(&error, &folder))
        }
    }
}

/// The lock of a backup that no job may need: as long as it is held, none begins to.
fn free(
    folders: &Folders,
    access: JournalAccess,
    holds: &Holds,
    backup: &str,
) -> Result<ProfileLock, DiskError> {
    let refused = |message: String| Err(DiskError { message });
    if access == JournalAccess::ReadOnly {
        return refused("This process is read-only: it removes nothing.".to_owned());
    }
    let folder = plain_file(&folders.backups, backup)?;
    if holds.has(backup) {
        return refused(
            "A job of this process stands on it. Remove it when the job is over.".to_owned(),
        );
    }
    let trouble = |error: io::Error| failed(&error, &folder);
    if !files::is_folder(&folder) {
        return Err(no_such_backup());
    }
    // Before its lock is taken, which would be in the way of a job that is taken up right now.
    none_needs(folders, backup, &folder)?;
    let lock = match lock::take_in(&folder).map_err(trouble)? {
        Hold::Theirs(who) => {
            return refused(format!(
                "{who} holds it for a job. Remove it when that job is over."
            ));
        }
        Hold::Ours(lock) => lock,
    };
    match none_needs(folders, backup, &folder) {
        Ok(()) => Ok(lock),
        Err(refusal) => {
            lock.give_up(&folder);
            Err(refusal)
        }
    }
}

/// An error says which stored job may need a backup, and who is at work on it.
fn none_needs(folders: &Folders, backup: &str, folder: &Path) -> Result<(), DiskError> {
    let message = match needed(&folders.profile, backup) {
        Ok(None) => return Ok(()),
        Ok(Some(need)) => told(need, lock::holder(folder)),
        Err(error) => {
            format!("It can't be learned whether a job may need it: {error}. Nothing was removed.")
        }
    };
    Err(DiskError { message })
}

fn told(need: Need, holder: Option<String>) -> String {
    let job = match (need.title, need.profile) {
        (Some(title), Some(profile)) => {
            crate::report::scrub(&format!("{title} (profile {profile})"))
        }
        _ => "A job whose file can't be read".to_owned(),
    };
    match holder {
        Some(who) => format!("{who} holds it for {job}, which is not over."),
        None => {
            format!("{job} is not over and may need it. Go on with that job or cancel it first.")
        }
    }
}

/// A job of any profile that may need a backup. The folders of all profiles lie beside each other.
fn needed(profile: &Path, backup: &str) -> io::Result<Option<Need>> {
    let Some(profiles) = profile.parent() else {
        return Ok(None);
    };
    for folder in entries(profiles)? {
        if !files::is_folder(&folder) {
            continue;
        }
        for file in entries(&folder)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if !name.starts_with("job-") || !name.ends_with(".json") {
                continue;
            }
            let text = match files::read(&file) {
                Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                // It was over, and is not kept any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => None,
            };
            if let Some(need) = needs::need(&name, text.as_deref(), backup) {
                return Ok(Some(need));
            }
        }
    }
    Ok(None)
}

/// What lies in a folder; nothing, where there is none.
fn entries(folder: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
