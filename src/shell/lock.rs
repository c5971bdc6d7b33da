//! One writer for each profile: a lock file that says who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::{clock, files};

/// The name of the lock file in the folder of a profile.
pub const FILE: &str = "lock";

/// Held as long as it lives; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct ProfileLock {
    _file: File,
}

/// Who may write.
#[derive(Debug)]
pub enum Hold {
    /// This process.
    Ours(ProfileLock),
    /// Another one, in words: "process 4711 since 14:02".
    Theirs(String),
}

/// Tries to take the lock of the profile that keeps its files in `folder`.
pub fn take(folder: &Path) -> io::Result<Hold> {
    files::make_folder(folder)?;
    let mut file = files::open_to_append(&folder.join(FILE))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            let since = clock::time_of_day()
                .to_zoned_datetime(jiff::tz::TimeZone::system())
                .strftime("%H:%M")
                .to_string();
            write!(file, "process {} since {since}", std::process::id())?;
            Ok(Hold::Ours(ProfileLock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut who = String::new();
            file.seek(SeekFrom::Start(0))?;
            file.take(80).read_to_string(&mut who)?;
            let who = who.lines().next().unwrap_or_default();
            Ok(Hold::Theirs(if who.is_empty() {
                "another process".to_owned()
            } else {
                crate::report::scrub(who)
            }))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_learns_who_is_first_and_gets_it_after() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let first = take(home.path()).expect("a lock");
        assert!(matches!(first, Hold::Ours(_)));
        let Ok(Hold::Theirs(who)) = take(home.path()) else {
            panic!("two hold it");
        };
        assert!(who.contains(&std::process::id().to_string()), "{who}");
        drop(first);
        assert!(matches!(take(home.path()), Ok(Hold::Ours(_))));
    }
}
