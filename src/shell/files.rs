//! Files and folders that belong to one user alone: 0700 and 0600, replaced as a whole.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::config::trust::{self, Place};

/// Makes a folder with all above it that is missing, open to its owner alone.
///
/// One that is there already is closed to others if it is ours. What a link leads to may be meant
/// for other things too, so its mode is left as it is; but nothing is kept where others could put
/// something else in its place.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let open = |flags: OFlags| {
        OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::DIRECTORY | flags).bits().cast_signed())
            .open(path)
    };
    let us = rustix::process::geteuid().as_raw();
    let (folder, is_link) = match open(OFlags::NOFOLLOW) {
        Ok(folder) => (folder, false),
        Err(_) if path.is_symlink() => (open(OFlags::empty())?, true),
        Err(error) => return Err(error),
    };
    // What is looked at is what is changed, also when another takes its place in between.
    let metadata = folder.metadata()?;
    let is_open = metadata.mode() & 0o077 != 0;
    if is_open && !is_link && metadata.uid() == us {
        return folder.set_permissions(Permissions::from_mode(0o700));
    }
    // As strictly as a file: what anybody may put beside ours would be taken for ours.
    trust::look(path, Place::File, &metadata)
        .map_err(|untrusted| io::Error::other(format!("{untrusted}. {}", untrusted.hint())))
}

/// Makes a folder with all above it that is missing; one that is there keeps its mode, as it may hold
/// what is not ours.
pub fn make_folder_above(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file of ours to read it: a regular file and nothing else. What is reached through a link may
/// be anybody's, and a pipe would keep whoever opens it waiting.
pub fn open(path: &Path) -> io::Result<File> {
    regular(OpenOptions::new().read(true), path)
}

/// Reads a file of ours; see [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file to append to; a new one is readable by its owner alone. A regular file, as in [`open`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    regular(&mut options, path)
}

fn regular(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let file = match opened {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(io::Error::other("It is a link, not a file"));
        }
        other => other?,
    };
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("It is not a regular file"))
    }
}

/// Whether a folder is there itself, not a link to one.
pub fn is_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|it| it.is_dir())
}

/// Makes a file that must not exist yet.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Puts `bytes` into the place of a file: after a crash it holds the old or the new, never a part.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_added_extension(format!("{}.new", std::process::id()));
    let written = write_beside(&beside, &mut &*bytes).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync_folder_of(path)
}

/// Makes a file with all that `from` gives; one that is there stays as it is.
pub fn create_whole(path: &Path, from: &mut impl io::Read) -> io::Result<()> {
    let beside = path.with_added_extension(format!("{}.new", std::process::id()));
    // A link fails where there is something already, which a renaming would put out of the way.
    let made = write_beside(&beside, from).and_then(|()| std::fs::hard_link(&beside, path));
    let _ = std::fs::remove_file(&beside);
    made?;
    sync_folder_of(path)
}

fn write_beside(path: &Path, from: &mut impl io::Read) -> io::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut file = create_new(path)?;
    io::copy(from, &mut file)?;
    file.sync_all()
}

/// Removes the files of a folder, but for the one of this name.
pub fn clear_folder(path: &Path, but: &str) -> io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name() != but && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes sure that names in the folder of `path` survive a crash.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_regular_file_is_opened_and_nothing_waits() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("file"), "text").expect("a file");
        std::os::unix::fs::symlink(at("file"), at("link")).expect("a link");
        std::fs::create_dir(at("folder")).expect("a folder");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), mode).expect("a pipe");
        assert_eq!(read(&at("file")).expect("it is read"), b"text");
        for name in ["link", "folder", "pipe"] {
            let why = read(&at(name)).expect_err(name).to_string();
            assert!(why.starts_with("It is "), "{name}: {why}");
            assert!(open_to_append(&at(name)).is_err(), "{name}");
        }
        let missing = read(&at("missing")).expect_err("it is not there");
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(is_folder(&at("folder")) && !is_folder(&at("file")));
    }

    fn mode(path: &Path) -> u32 {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn a_folder_of_ours_is_closed_and_what_a_link_leads_to_is_left_as_it_is() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let (ours, link) = (home.path().join("a/b/ours"), home.path().join("link"));
        make_folder(&ours).expect("a folder");
        for made in ["a", "a/b", "a/b/ours"] {
            assert_eq!(mode(&home.path().join(made)), 0o700, "{made}");
        }
        set_mode(&ours, 0o755);
        symlink(&ours, &link).expect("a link");
        make_folder(&link).expect("it can be used");
        assert_eq!(mode(&ours), 0o755, "through a link");
        set_mode(&ours, 0o777);
        let error = make_folder(&link).expect_err("others can write there");
        assert!(error.to_string().contains("others can write"), "{error}");
        assert_eq!(mode(&ours), 0o777, "through a link");
        make_folder(&ours).expect("it is ours");
        assert_eq!(mode(&ours), 0o700);
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_as_it_is() {
        let home = tempfile::tempdir().expect("a folder for the test");
        if !rustix::process::geteuid().is_root() {
            // Only root can give one away. Here is one of root's.
            let before = mode(Path::new("/"));
            let _ = make_folder(Path::new("/"));
            assert_eq!(mode(Path::new("/")), before);
            return;
        }
        let theirs = home.path().join("theirs");
        std::fs::create_dir(&theirs).expect("a folder");
        set_mode(&theirs, 0o755);
        std::os::unix::fs::chown(&theirs, Some(12_345), None).expect("root can");
        let error = make_folder(&theirs).expect_err("it is another's");
        assert!(error.to_string().contains("another user"), "{error}");
        assert_eq!(mode(&theirs), 0o755);
        // Also where nobody else can get at it.
        set_mode(&theirs, 0o700);
        make_folder(&theirs).expect_err("it is another's");
    }
}
