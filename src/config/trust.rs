//! Who could have written a file: only what nobody else can change is believed.
//!
//! A configuration names commands that are run. Whoever can write it, or put another one in its
//! place, runs commands as us.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::report::scrub;

/// Why a file or folder is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Others can write it.
    #[error("others can write {path} (mode {mode:04o})")]
    Writable {
        /// Which.
        path: String,
        /// Its mode.
        mode: u32,
        /// The classes of users to take the right from, as `chmod` names them.
        from: &'static str,
    },
    /// It belongs to another user, who can change it.
    #[error("{path} belongs to another user (uid {owner})")]
    Owned {
        /// Which.
        path: String,
        /// Whose it is.
        owner: u32,
    },
}

impl Untrusted {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Writable { path, from, .. } => {
                format!("See that nobody has changed it, then chmod {from}-w {path}")
            }
            Self::Owned { path, .. } => {
                format!(
                    "See that nothing in it is strange, then chown $USER {path}, or use a copy of your own."
                )
            }
        }
    }
}

/// Who we are, and which groups have nobody else in them.
#[derive(Clone, Copy, Debug)]
pub struct Users<'u> {
    /// Our user.
    pub us: u32,
    /// The text of `/etc/passwd`.
    pub passwd: &'u str,
    /// The text of `/etc/group`.
    pub group: &'u str,
}

/// What there is to know about a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its owner.
    pub owner: u32,
    /// Its group.
    pub group: u32,
    /// Its mode.
    pub mode: u32,
}

impl From<&Metadata> for Facts {
    fn from(metadata: &Metadata) -> Self {
        Self {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
        }
    }
}

/// What one is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file itself.
    File,
    /// The folder that it is in.
    Folder,
    /// A folder further up: what its group does is a matter of those who made it.
    Above,
}

/// Whether what is at `path` could have been changed by others.
pub fn judge(path: &Path, place: Place, facts: Facts, users: Users<'_>) -> Result<(), Untrusted> {
    let shown = || scrub(&path.to_string_lossy());
    let Facts { owner, group, mode } = facts;
    if place != Place::Above && owner != users.us && owner != 0 {
        return Err(Untrusted::Owned {
            path: shown(),
            owner,
        });
    }
    // In such a folder only the owner of a file can put another one in its place.
    let sticky = place != Place::File && mode & 0o1000 != 0;
    let others = mode & 0o002 != 0 && !sticky;
    let by_group =
        mode & 0o020 != 0 && !sticky && place != Place::Above && !is_private(group, owner, users);
    if !others && !by_group {
        return Ok(());
    }
    Err(Untrusted::Writable {
        path: shown(),
        mode,
        from: if by_group { "go" } else { "o" },
    })
}

/// Whether a group has nobody in it but the owner: it is named like them, is their first one, and
/// lists no one else. Where that is not to be seen in the system's files, it is not known.
fn is_private(group: u32, owner: u32, users: Users<'_>) -> bool {
    fn fields(line: &str) -> Vec<&str> {
        line.split(':').collect()
    }
    let (gid, uid) = (group.to_string(), owner.to_string());
    let people: Vec<Vec<&str>> = users.passwd.lines().map(fields).collect();
    let name = people.iter().find_map(|person| match person[..] {
        [name, _, id, first, ..] if id == uid && first == gid => Some(name),
        _ => None,
    });
    let alone = people.iter().all(|person| match person[..] {
        [_, _, id, first, ..] => first != gid || id == uid,
        _ => true,
    });
    let groups: Vec<Vec<&str>> = users.group.lines().map(fields).collect();
    let mut named = groups.iter().filter_map(|group| match group[..] {
        [name, _, id, members] if id == gid => Some((name, members)),
        _ => None,
    });
    let Some(name) = name else { return false };
    let only = |members: &str| {
        members
            .split(',')
            .map(str::trim)
            .all(|member| member.is_empty() || member == name)
    };
    alone
        && named.clone().next().is_some()
        && named.all(|(group, members)| group == name && only(members))
}

/// Looks at something with the users of this machine.
pub fn look(path: &Path, place: Place, metadata: &Metadata) -> Result<(), Untrusted> {
    let text = |path| super::file::text(Path::new(path)).unwrap_or_default();
    let facts = Facts::from(metadata);
    // They are read only where they decide.
    let (passwd, group) = if facts.mode & 0o020 == 0 {
        (String::new(), String::new())
    } else {
        (text("/etc/passwd"), text("/etc/group"))
    };
    let users = Users {
        us: rustix::process::geteuid().as_raw(),
        passwd: &passwd,
        group: &group,
    };
    judge(path, place, facts, users)
}

/// Whether nobody else could have written an open file, or put it where it is: it, its folder, and
/// for everybody's hands the folders above; where a link leads to it, also the link's.
pub fn check(path: &Path, file: &File) -> io::Result<Result<(), Untrusted>> {
    if let Err(error) = look(path, Place::File, &file.metadata()?) {
        return Ok(Err(error));
    }
    let absolute = std::path::absolute(path)?;
    let mut places: Vec<PathBuf> = vec![std::fs::canonicalize(path)?];
    if let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) {
        let as_named = std::fs::canonicalize(folder)?.join(name);
        if !places.contains(&as_named) {
            places.insert(0, as_named);
        }
    }
    for file in places {
        for (up, folder) in file.ancestors().skip(1).enumerate() {
            let place = if up == 0 { Place::Folder } else { Place::Above };
            if let Err(error) = look(folder, place, &std::fs::metadata(folder)?) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\njdoe:x:1000:1000:,,,:/home/jdoe:/bin/sh\n\
                          asmith:x:1001:100:,,,:/home/asmith:/bin/sh\nbot:x:1002:1003::/:/bin/sh\n\
                          twin:x:1003:1003::/:/bin/sh\n";
    const GROUP: &str =
        "root:x:0:\njdoe:x:1000:\nusers:x:100:asmith,jdoe\nbot:x:1003:\nwiki:x:50:jdoe\n";

    fn judged(us: u32, place: Place, owner: u32, group: u32, mode: u32) -> Result<(), Untrusted> {
        let users = Users {
            us,
            passwd: PASSWD,
            group: GROUP,
        };
        let facts = Facts { owner, group, mode };
        judge(Path::new("/c"), place, facts, users)
    }

    #[test]
    fn what_others_can_write_or_own_is_not_believed() {
        use Place::{Above, File, Folder};
        for (place, owner, group, mode) in [
            (File, 1000, 1000, 0o600),
            (File, 1000, 100, 0o644),
            // The user's own private group, and root's.
            (File, 1000, 1000, 0o664),
            (File, 0, 0, 0o644),
            (File, 0, 0, 0o664),
            (Folder, 1000, 1000, 0o775),
            (Folder, 0, 0, 0o755),
            // As /tmp is, and the store of some systems.
            (Folder, 0, 0, 0o1777),
            (Folder, 0, 50, 0o1775),
            (Above, 0, 0, 0o1777),
            // Whoever owns a folder above: it may be a container's idea of it.
            (Above, 65_534, 65_534, 0o755),
            (Above, 0, 50, 0o2775),
        ] {
            let judged = judged(1000, place, owner, group, mode);
            assert_eq!(judged, Ok(()), "{place:?} {owner} {group} {mode:o}");
        }
        for (place, owner, group, mode, mend) in [
            (File, 1000, 1000, 0o666, "chmod o-w /c"),
            (File, 1000, 1000, 0o602, "chmod o-w /c"),
            (File, 1000, 100, 0o664, "chmod go-w /c"),
            (File, 1000, 50, 0o620, "chmod go-w /c"),
            (File, 0, 0, 0o646, "chmod o-w /c"),
            (File, 1000, 1000, 0o1666, "chmod o-w /c"),
            (File, 1001, 100, 0o600, "chown $USER /c"),
            (Folder, 1001, 100, 0o755, "chown $USER /c"),
            (Folder, 1000, 50, 0o775, "chmod go-w /c"),
            (Folder, 1000, 1000, 0o777, "chmod o-w /c"),
            (Above, 0, 0, 0o777, "chmod o-w /c"),
            // A group that is not in the files: who is in it is not known.
            (File, 1000, 7000, 0o660, "chmod go-w /c"),
        ] {
            let error = judged(1000, place, owner, group, mode).expect_err("others can");
            assert!(error.hint().contains(mend), "{mode:o} {}", error.hint());
        }
        // Root believes nobody but itself.
        assert!(judged(0, File, 1000, 1000, 0o600).is_err());
        assert!(judged(0, File, 0, 0, 0o600).is_ok());
    }

    #[test]
    fn a_group_is_private_only_to_the_one_whose_name_it_has() {
        // Two have it as their first, or it lists another one.
        assert!(judged(1002, Place::File, 1002, 1003, 0o660).is_err());
        assert!(judged(1001, Place::File, 1001, 100, 0o660).is_err());
        // It is another one's.
        assert!(judged(1001, Place::File, 1001, 1000, 0o660).is_err());
    }
}
