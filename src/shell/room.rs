//! Whether files can be written into a folder, before the first of them is.

use std::io;
use std::path::Path;

use rustix::fs::Access;

use super::folders::failed;
use crate::app::message::DiskError;
use crate::text::number;

/// So much room is left on the disk for the journal and for everybody else, in bytes.
const LEFT_FREE: u64 = 16 << 20;

/// The first folder at or above this path that is there, and why nothing can be made in it where that
/// is so: no folder, no right, a disk that takes no writes. How much is free there says nothing then.
pub(super) fn writable(folder: &Path) -> Result<&Path, (&Path, io::Error)> {
    let there = folder.ancestors().find(|above| above.exists());
    let there = there.unwrap_or(folder);
    if there.exists() && !there.is_dir() {
        return Err((there, io::ErrorKind::NotADirectory.into()));
    }
    match rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(there),
        Err(error) => Err((there, error.into())),
    }
}

/// Whether there is room for so many bytes in a folder that is there, or will be.
pub(super) fn check(folder: &Path, bytes: u64) -> Result<(), DiskError> {
    let there = writable(folder).map_err(|(there, error)| failed(&error, there))?;
    let free = match rustix::fs::statvfs(there) {
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        // Where that can't be told, writing tells.
        Err(_) => return Ok(()),
    };
    enough(bytes, free, there)
}

/// Whether so many bytes fit into so many, less what is left free.
fn enough(bytes: u64, free: u64, folder: &Path) -> Result<(), DiskError> {
    let needed = bytes.saturating_add(LEFT_FREE);
    if free >= needed {
        return Ok(());
    }
    Err(DiskError {
        message: crate::report::scrub(&format!(
            "The files take {}, and {} are kept free beside them; {} are free in {}. Make room there.",
            number::bytes(bytes),
            number::bytes(LEFT_FREE),
            number::bytes(free),
            folder.display()
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_with_what_is_kept_free() {
        let folder = Path::new("/var/backups");
        let told = |bytes, free| enough(bytes, free, folder).map_err(|error| error.message);
        assert_eq!(told(1_000_000, 17_777_216), Ok(()));
        // More is free than the files take: that alone would not explain it.
        assert_eq!(
            told(2_000_000, 10_000_000),
            Err(
                "The files take 2.0 MB, and 17 MB are kept free beside them; 10 MB are free in /var/backups. Make room there."
                    .to_owned()
            )
        );
        assert!(told(u64::MAX, 1).is_err());
    }

    #[test]
    fn where_nothing_can_be_written_that_is_told_and_not_how_much_is_free() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let file = home.path().join("file");
        std::fs::write(&file, "x").expect("written");
        let below = file.join("backups");
        let told = check(&below, 1).expect_err("it is no folder").message;
        assert!(told.contains(&format!("{}.", file.display())), "{told}");
        assert!(!told.contains("free"), "{told}");
        assert_eq!(check(&home.path().join("a/b"), 1), Ok(()));
    }
}
