//! Which jobs of a profile another process is at work on.
//!
//! Whoever is at work on jobs holds the lock of their profile, and stores a job when it begins and
//! when it goes on. So the jobs of that process are those that are stored as being at work since the
//! lock was taken; what was stored before was left over by others.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::files;
use super::holds::Holds;
use super::lock;
use crate::app::message::AtWork;
use crate::jobs::ledger;

/// Who is at work on jobs in this folder of a profile, where that is not this process.
pub(super) fn look(profile: &Path, holds: &Holds) -> Option<AtWork> {
    if holds.has_turn() {
        return None;
    }
    let who = lock::holder(profile)?;
    let time = |it: &Metadata| (it.mtime(), it.mtime_nsec());
    let since = time(&std::fs::symlink_metadata(profile.join(lock::FILE)).ok()?);
    let mut jobs = Vec::new();
    for entry in std::fs::read_dir(profile).ok()?.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_stored_since = entry.metadata().is_ok_and(|it| time(&it) >= since);
        let is_json = Path::new(&name).extension().is_some_and(|it| it == "json");
        if !name.starts_with("job-") || !is_json || !is_stored_since {
            continue;
        }
        let text = files::read(&entry.path()).unwrap_or_default();
        if ledger::is_at_work(&text) {
            jobs.push(name);
        }
    }
    (!jobs.is_empty()).then_some(AtWork { who, jobs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::lock::Hold;

    #[test]
    fn the_jobs_that_are_stored_as_at_work_since_the_lock_was_taken_are_those_of_its_holder() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = home.path();
        let write = |name: &str, state: &str| {
            let text =
                format!(r#"{{"state":"{state}","cancelled":false,"desk":{{"question":null}}}}"#);
            std::fs::write(folder.join(name), text).expect("the folder is ours");
        };
        write("job-killed.json", "running");
        let early = std::fs::File::open(folder.join("job-killed.json")).expect("it is there");
        early
            .set_modified(std::time::UNIX_EPOCH)
            .expect("the file is ours");
        let none = Holds::default();
        assert_eq!(look(folder, &none), None, "nobody has the lock");
        let Ok(Hold::Ours(lock)) = lock::take_in(folder) else {
            panic!("nobody has it");
        };
        assert_eq!(look(folder, &none), None, "it has stored nothing yet");
        write("job-running.json", "running");
        write("job-paused.json", "paused");
        write("job-done.json", "done");
        let found = look(folder, &none).expect("somebody is at work");
        assert_eq!(found.jobs, ["job-running.json"]);
        assert!(found.who.starts_with("process "), "{}", found.who);
        drop(lock);
        assert_eq!(look(folder, &none), None, "it was killed");
    }
}
