//! Small files that somebody else may have put there: read within bounds, or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The largest file that is read as configuration, theme or certificate, in bytes.
pub const LIMIT: u64 = 4 << 20;

/// Opens a file to read; a pipe or a device is none, and does not make us wait.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a file"))
    }
}

/// All of an open file, up to [`LIMIT`].
pub fn bytes_of(file: &File) -> io::Result<Vec<u8>> {
    let size = file.metadata()?.len();
    // At once, so that a secret in it is not left behind where the memory grew out of a place.
    let mut bytes = Vec::with_capacity(size.min(LIMIT) as usize + 1);
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", LIMIT >> 20),
        ));
    }
    Ok(bytes)
}

/// All of a file, up to [`LIMIT`].
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    bytes_of(&open(path)?)
}

/// All of a text file, up to [`LIMIT`].
pub fn text(path: &Path) -> io::Result<String> {
    into_text(bytes(path)?)
}

/// Bytes as text.
pub fn into_text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_bearable_size_are_read() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("file");
        std::fs::write(&path, "a = 1").expect("a file");
        assert_eq!(text(&path).expect("it is text"), "a = 1");
        std::fs::write(&path, b"\xff").expect("a file");
        assert!(text(&path).is_err());
        // Holes: as large as that only by name.
        File::create(&path)
            .and_then(|file| file.set_len(LIMIT + 1))
            .expect("a file");
        let error = bytes(&path).expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(bytes(home.path()).is_err(), "a folder");
        assert!(bytes(Path::new("/dev/zero")).is_err(), "a device");
        rustix::fs::mkfifoat(
            rustix::fs::CWD,
            home.path().join("pipe"),
            rustix::fs::Mode::RUSR,
        )
        .expect("a pipe");
        assert!(bytes(&home.path().join("pipe")).is_err(), "a pipe");
    }
}
