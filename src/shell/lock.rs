//! Lock files that say who holds them: one writer for each profile, and backups that a job stands on.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use url::Url;

use super::{clock, files};
use crate::confluence::BaseUrl;
use crate::jobs::journal::sha256;

/// The name of the lock file in the folder of a profile.
pub const FILE: &str = "lock";

/// The folder with the locks of the servers.
const SERVERS: &str = "servers";

/// So often a lock that somebody has is tried again: after 1 ms, 2 ms and so on, for a second in all.
const PAUSES: u32 = 10;

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

impl ProfileLock {
    /// Gives up a lock in this folder, and takes its file away unless somebody shares it.
    pub fn give_up(self, folder: &Path) {
        // While it is still locked, so that nobody who waits for it finds it gone. A shared lock becomes
        // one of its own where nobody else shares it.
        if self.is_in(folder) && self.file.try_lock().is_ok() {
            let _ = std::fs::remove_file(folder.join(FILE));
        }
    }
}

/// Whether others may hold it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Alone,
    Shared,
}

/// Who may write.
#[derive(Debug)]
pub enum Hold {
    /// This process.
    Ours(ProfileLock),
    /// Another one, in words: "process 4711 since 14:02".
    Theirs(String),
}

/// Whether there can be a lock in `folder`, and so anything at all; it is not taken.
pub fn can_be_kept(folder: &Path) -> io::Result<()> {
    files::make_folder(folder)?;
    files::open_to_append(&folder.join(FILE)).map(drop)
}

/// Tries to take the lock of the profile that keeps its files in `folder`.
pub fn take(folder: &Path) -> io::Result<Hold> {
    files::make_folder(folder)?;
    take_in(folder)
}

/// The folder with the lock of a server, whatever the profile is called that leads to it; `state` is
/// where all profiles keep their files.
///
/// All names of this machine for itself are one server here. Of other names nothing is known without
/// asking the network, whose answer may be another one tomorrow: two of them are two servers.
pub fn of_server(state: &Path, address: &BaseUrl) -> PathBuf {
    let name = sha256(one_name(address).as_bytes());
    state.join(SERVERS).join(&name[..NAME])
}

/// An address, with one name for this machine where it is of this machine.
fn one_name(address: &BaseUrl) -> String {
    let text = address.as_str();
    let whole = Url::parse(text);
    match whole {
        Ok(mut url) if url.host_str().is_some_and(is_loopback) => {
            match url.set_host(Some("localhost")) {
                Ok(()) => url.as_str().trim_end_matches('/').to_owned(),
                Err(_) => text.to_owned(),
            }
        }
        _ => text.to_owned(),
    }
}

/// Whether a host is this machine by its name alone (RFC 6761) or its address.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').trim_matches(['[', ']']);
    let lower = host.to_ascii_lowercase();
    lower == "localhost"
        || lower.ends_with(".localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|it| it.to_canonical().is_loopback())
}

/// Who holds the lock in this folder, in words, as far as can be told without being in the way of
/// those who want it: it is tried only where the process that wrote its name is alive.
pub fn holder(folder: &Path) -> Option<String> {
    let path = folder.join(FILE);
    let bytes = files::read(&path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let who = text.lines().next()?;
    let pid = who
        .strip_prefix("process ")?
        .split(' ')
        .next()?
        .parse()
        .ok()?;
    let is_alive = match test_kill_process(Pid::from_raw(pid)?) {
        Ok(()) => true,
        Err(error) => error != Errno::SRCH,
    };
    let is_held = is_alive
        && files::open(&path)
            .is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
    is_held.then(|| crate::report::scrub(who))
}

/// Tries to take a lock, and tries again for a while if somebody has it: whoever only looks who has it,
/// or whether a backup can be removed, has it for a moment, and nobody is to give up because of that.
pub fn patiently(mut take: impl FnMut() -> io::Result<Hold>) -> io::Result<Hold> {
    for wait in (0..PAUSES).map(|doubled| Duration::from_millis(1 << doubled)) {
        match take()? {
            Hold::Theirs(_) => clock::pause(wait),
            ours @ Hold::Ours(_) => return Ok(ours),
        }
    }
    take()
}

/// Tries to take the lock in a folder that is there.
pub fn take_in(folder: &Path) -> io::Result<Hold> {
    take_as(folder, Kind::Alone)
}

/// Tries to share the lock in a folder that is there: others may share it, and nobody has it alone.
pub fn share_in(folder: &Path) -> io::Result<Hold> {
    take_as(folder, Kind::Shared)
}

fn take_as(folder: &Path, kind: Kind) -> io::Result<Hold> {
    loop {
        match take_once(folder, kind)? {
            // The file was removed, by whoever held it last, after it was opened here.
            Hold::Ours(lock) if !lock.is_in(folder) => {}
            hold => return Ok(hold),
        }
    }
}

fn take_once(folder: &Path, kind: Kind) -> io::Result<Hold> {
    let mut file = files::open_to_append(&folder.join(FILE))?;
    let taken = match kind {
        Kind::Alone => file.try_lock(),
        Kind::Shared => file.try_lock_shared(),
    };
    match taken {
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
    fn the_names_of_this_machine_for_itself_are_one_server() {
        let of = |url: &str| of_server(Path::new("state"), &BaseUrl::of(url));
        let here = of("http://localhost:8090/wiki");
        for name in [
            "127.0.0.1",
            "[::1]",
            "LOCALHOST",
            "localhost.",
            "wiki.localhost",
            "127.1.2.3",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(of(&format!("http://{name}:8090/wiki")), here, "{name}");
        }
        for other in [
            "http://localhost:8091/wiki",
            "https://localhost:8090/wiki",
            "http://localhost:8090",
            "http://localhost.example.com:8090/wiki",
            "http://mylocalhost:8090/wiki",
            "http://128.0.0.1:8090/wiki",
        ] {
            assert_ne!(of(other), here, "{other}");
        }
    }

    #[test]
    fn a_lock_that_is_shared_is_nobodys_alone_and_its_file_goes_with_the_last() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = home.path();
        let shares = || match share_in(folder).expect("a lock") {
            Hold::Ours(lock) => lock,
            Hold::Theirs(who) => panic!("{who} has it"),
        };
        let (first, second) = (shares(), shares());
        let Ok(Hold::Theirs(who)) = take_in(folder) else {
            panic!("it is shared");
        };
        assert!(who.contains(&std::process::id().to_string()), "{who}");
        assert_eq!(holder(folder), Some(who));
        first.give_up(folder);
        assert!(matches!(take_in(folder), Ok(Hold::Theirs(_))));
        assert!(folder.join(FILE).exists(), "the second one has it");
        second.give_up(folder);
        assert!(!folder.join(FILE).exists());
        assert_eq!(holder(folder), None);
        let Ok(Hold::Ours(alone)) = take_in(folder) else {
            panic!("nobody has it");
        };
        assert!(matches!(share_in(folder), Ok(Hold::Theirs(_))));
        drop(alone);
        assert_eq!(holder(folder), None, "its file is there, and nobody has it");
    }

    #[test]
    fn who_only_looks_is_not_in_the_way_of_who_takes() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let folder = home.path();
        drop(take(folder).expect("a lock"));
        let file = files::open(&folder.join(FILE)).expect("it is there");
        file.try_lock().expect("nobody has it");
        let mut looks = Some(file);
        let hold = patiently(|| {
            let hold = take(folder);
            // It was in the way, and has seen enough.
            looks = None;
            hold
        });
        assert!(matches!(hold, Ok(Hold::Ours(_))), "{hold:?}");
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
