//! Lock files that say who holds them: one writer for each profile, and backups that a job stands on.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{clock, files};
use crate::confluence::BaseUrl;
use crate::jobs::journal::sha256;

/// The name of the lock file in the folder of a profile.
pub const FILE: &str = "lock";

/// The folder with the locks of the servers.
const SERVERS: &str = "servers";

/// So many letters of the check sum of its address name the folder of a server.
const NAME: usize = 16;

/// Held as long as it lives; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct ProfileLock {
    file: File,
}

impl ProfileLock {
    /// Whether the lock file in this folder is the one that is held, and not another in its place.
    pub fn is_in(&self, folder: &Path) -> bool {
        let there = std::fs::symlink_metadata(folder.join(FILE));
        let held = self.file.metadata();
        there.is_ok_and(|there| {
            held.is_ok_and(|held| (there.dev(), there.ino()) == (held.dev(), held.ino()))
        })
    }
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
    take_in(folder)
}

/// The folder with the lock of a server, whatever the profile is called that leads to it; `state` is
/// where all profiles keep their files.
pub fn of_server(state: &Path, address: &BaseUrl) -> PathBuf {
    let name = sha256(address.as_str().as_bytes());
    state.join(SERVERS).join(&name[..NAME])
}

/// Tries to take the lock in a folder that is there.
pub fn take_in(folder: &Path) -> io::Result<Hold> {
    loop {
        match take_once(folder)? {
            // The file was removed, by whoever held it last, after it was opened here.
            Hold::Ours(lock) if !lock.is_in(folder) => {}
            hold => return Ok(hold),
        }
    }
}

fn take_once(folder: &Path) -> io::Result<Hold> {
    let mut file = files::open_to_append(&folder.join(FILE))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            let since = clock::time_of_day()
                .to_zoned_datetime(jiff::tz::TimeZone::system())
                .strftime("%H:%M")
                .to_string();
            write!(file, "process {} since {since}", std::process::id())?;
            Ok(Hold::Ours(ProfileLock { file }))
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
    fn a_server_has_one_lock_however_its_address_is_written() {
        let of = |url: &str| of_server(Path::new("state"), &BaseUrl::of(url));
        let prod = of("https://wiki.example.com/prod");
        assert_eq!(of("https://WIKI.example.com:443/prod/"), prod);
        assert_ne!(of("https://wiki.example.com/staging"), prod);
    }

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
