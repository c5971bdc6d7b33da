//! What the system says of a file or a folder, and what to do about it: one wording for all that is read
//! and written.

use std::io::{self, ErrorKind};

use super::plain;

/// What happened, where, and what to do where the system's word tells that: "No space left on device:
/// /var/backups/x. Make room on that disk."
pub fn told(error: &io::Error, place: &str) -> String {
    let said = error.to_string();
    let said = plain::without_numbers(&said);
    match advice(error.kind()) {
        Some(advice) => format!("{said}: {place}. {advice}"),
        None => format!("{said}: {place}."),
    }
}

/// What to do. A disk that takes no writes has all the room there is, so only a full one is told to make room.
fn advice(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("Make room on that disk."),
        ErrorKind::ReadOnlyFilesystem => Some("Mount that disk so that it can be written to."),
        ErrorKind::PermissionDenied => Some("Give yourself the right to it, with chmod or chown."),
        ErrorKind::FileTooLarge => Some("Raise the limit of a file's size there (ulimit -f)."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_trouble_with_the_disk_has_its_own_advice() {
        let told = |kind| told(&io::Error::from(kind), "/var/x");
        for full in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert!(told(full).ends_with(": /var/x. Make room on that disk."));
        }
        let read_only = told(ErrorKind::ReadOnlyFilesystem);
        assert!(read_only.contains("/var/x. Mount that disk"), "{read_only}");
        let not_permitted = told(ErrorKind::PermissionDenied);
        assert!(not_permitted.contains("the right to it"), "{not_permitted}");
        for other in [
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::PermissionDenied,
            ErrorKind::NotFound,
        ] {
            assert!(!told(other).contains("Make room"), "{}", told(other));
        }
        let numbered = io::Error::from_raw_os_error(28);
        assert!(!super::told(&numbered, "/x").contains("os error"));
    }
}
