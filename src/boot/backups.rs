//! `coracle backup list` and `coracle backup verify`.

use std::path::Path;

use super::settings::shown;
use crate::jobs::backup::{BackupError, Found};
use crate::report::{Exit, Failure, say, scrub};
use crate::shell::backups;
use crate::text::number;

fn found_backups(folder: &Path) -> Result<Vec<Found>, Failure> {
    backups::list(folder).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("The backups in {} can't be listed.", shown(folder)),
        )
        .caused_by(&error)
    })
}

/// Prints a line for each backup. What is no whole backup says so.
pub(super) fn list_backups(folder: &Path) -> Result<Exit, Failure> {
    let found = found_backups(folder)?;
    if found.is_empty() {
        say(&format!("No backups in {}.\n", shown(folder)))?;
    }
    for backup in found {
        let about = match &backup.manifest {
            Ok(manifest) => {
                let spaces: Vec<&str> = manifest.spaces.iter().map(|s| s.key.as_str()).collect();
                let made_by = match manifest.server_file {
                    Some(_) => "by the server",
                    None => "local",
                };
                let user = manifest.user.as_deref().unwrap_or("an unknown user");
                format!(
                    "{}  {}  {}  {}  {made_by}, for {} by {user}",
                    number::count(manifest.items, "item"),
                    number::bytes(backup.bytes),
                    manifest.server.shown(),
                    spaces.join(" "),
                    manifest.act.as_str(),
                )
            }
            Err(error) => format!("{error} {}", error.hint()),
        };
        say(&format!("{}  {}\n", backup.name, scrub(&about)))?;
    }
    Ok(Exit::Done)
}

/// Checks backups and prints a line for each.
pub(super) fn verify_backups(names: &[String], folder: &Path) -> Result<Exit, Failure> {
    let is_of_all = names.is_empty();
    let names = if is_of_all {
        found_backups(folder)?
            .into_iter()
            .map(|backup| backup.name)
            .collect()
    } else {
        names.to_vec()
    };
    if names.is_empty() {
        say(&format!("No backups in {}.\n", shown(folder)))?;
    }
    let mut exit = Exit::Done;
    for name in names {
        let line = match backups::verify(folder, &name) {
            Some(Ok(manifest)) => format!(
                "{}, {}, as written",
                number::count(manifest.items, "item"),
                number::count(manifest.files.len() as u64, "file")
            ),
            Some(Err(error)) if error.is_unfinished() && is_replaced(folder, &name)? => {
                "unfinished, left by an interrupted run; a later one of the same job is complete"
                    .to_owned()
            }
            // The server refused, or it was interrupted before anything was kept.
            Some(Err(error @ BackupError::NothingSaved)) if is_of_all => {
                format!("{error} {}", error.hint())
            }
            Some(Err(error)) => {
                exit = Exit::Failed;
                format!("{error} {}", error.hint())
            }
            None => {
                exit = Exit::Failed;
                "There is no such backup. coracle backup list shows those there are.".to_owned()
            }
        };
        say(&format!("{}: {}\n", scrub(&name), scrub(&line)))?;
    }
    Ok(exit)
}

/// Whether a later run of the same job has made the backup that this one was to be, and that is as written.
fn is_replaced(folder: &Path, unfinished: &str) -> Result<bool, Failure> {
    let mut later = found_backups(folder)?;
    later.retain(|it| {
        let manifest = it.manifest.as_ref();
        manifest.is_ok_and(|manifest| manifest.replaces(&it.name, unfinished))
    });
    Ok(later
        .iter()
        .any(|it| matches!(backups::verify(folder, &it.name), Some(Ok(_)))))
}
