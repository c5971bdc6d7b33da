//! What of the server is on the disk for its owner alone: the data, and the token that it accepts.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// More than this is no token.
const LONGEST: u64 = 8_192;

/// Makes a data file and what SQLite keeps beside it readable by nobody else. What can't be opened
/// here SQLite can't open either, and says why.
pub(super) fn close_to_others(data: &Path) {
    let _ = open_or_make(data).and_then(|file| close(&file));
    // SQLite gives new ones the mode of the data; these are of an earlier run.
    for kind in ["-wal", "-shm", "-journal"] {
        let mut path = data.as_os_str().to_owned();
        path.push(kind);
        let _ = open(Path::new(&path), false).and_then(|file| close(&file));
    }
}

fn open_or_make(path: &Path) -> io::Result<File> {
    open(path, true)
}

/// Opens a file, but not what a link leads to: that may be meant for others too.
fn open(path: &Path, make: bool) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(make)
        .truncate(false)
        .mode(0o600)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
}

fn close(file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_file() && is_ours && metadata.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The token in the first line of a file that nobody else may read. The error is a sentence.
pub(super) fn token_in(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unread = |error: io::Error| format!("{shown} could not be read: {error}");
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unread)?;
    let mode = file.metadata().map_err(unread)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "others can read {shown} (mode {mode:04o}): chmod 600 {shown}"
        ));
    }
    let mut text = String::new();
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(unread)?;
    token(&text, &shown.to_string())
}

/// The token in a variable.
pub(super) fn token_of(variable: &str) -> Result<String, String> {
    match std::env::var(variable) {
        Ok(text) => token(&text, &format!("the variable {variable}")),
        Err(_) => Err(format!("the variable {variable} is not set")),
    }
}

fn token(text: &str, whence: &str) -> Result<String, String> {
    let line = text.trim_start_matches('\u{feff}').lines().next();
    let token = line.unwrap_or_default().trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "there is no token on the first line of {whence}: one word of ASCII"
        ));
    }
    Ok(token.to_owned())
}
