//! Configuration and files.

use super::{Check, Finding};

/// A file or folder of ours, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, as it is shown.
    pub path: String,
    /// Its mode, of which the lowest nine bits count.
    pub mode: u32,
}

/// Who can read what is ours: nobody else should.
pub fn modes(entries: &[Entry]) -> Finding {
    let open: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.mode & 0o077 != 0)
        .collect();
    match (open.as_slice(), entries.len()) {
        ([], 0) => Finding::ok(Check::Modes, "Nothing was written yet."),
        ([], 1) => Finding::ok(
            Check::Modes,
            "Only you can read the one path that is there.",
        ),
        ([], n) => Finding::ok(
            Check::Modes,
            format!("Only you can read any of the {n} paths that are there."),
        ),
        (open, _) => {
            let shown: Vec<String> = open
                .iter()
                .take(3)
                .map(|entry| format!("{} ({:04o})", entry.path, entry.mode & 0o777))
                .collect();
            let more = match open.len().saturating_sub(shown.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let paths: Vec<&str> = open
                .iter()
                .take(3)
                .map(|entry| entry.path.as_str())
                .collect();
            Finding::failed(
                Check::Modes,
                format!("Others can get at {}{more}.", shown.join(", ")),
                format!("chmod go-rwx {}", paths.join(" ")),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn what_others_can_read_is_named_with_its_mode() {
        let entry = |path: &str, mode| Entry {
            path: path.to_owned(),
            mode,
        };
        assert_eq!(modes(&[]).verdict, Verdict::Ok);
        assert_eq!(
            modes(&[entry("/a", 0o100_600), entry("/b", 0o40_700)]).verdict,
            Verdict::Ok
        );
        let found = modes(&[entry("/a", 0o100_600), entry("/b", 0o100_644)]);
        assert_eq!(found.verdict, Verdict::Failed);
        assert!(found.says.contains("/b (0644)"), "{}", found.says);
        assert!(!found.says.contains("/a"), "{}", found.says);
        assert_eq!(found.hint.as_deref(), Some("chmod go-rwx /b"));
    }
}
