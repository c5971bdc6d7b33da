//! What the checks of a connection, a configuration and a terminal mean: pure decisions over what
//! somebody else has found out.
//!
//! `coracle doctor`, the guided set-up and the bug report all tell these [`Finding`]s. Nothing here
//! asks anything; the asking is done by the shell, with reads alone. A finding never holds a secret.

pub mod local;
pub mod server;
pub mod terminal;

use serde::{Deserialize, Serialize};

use crate::confluence::certificate::Certificate;
use crate::text::plain;

/// What is looked at, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Check {
    /// The configuration file.
    Config,
    /// Who can read the files that are ours.
    Modes,
    /// Whether journal, jobs and backups can be written.
    State,
    /// Whether the secret can be had.
    Secret,
    /// Which proxy is on the way.
    Proxy,
    /// Whether the name of the server is known.
    Name,
    /// Whether something listens there.
    Connection,
    /// Whether its certificate is one to trust.
    Tls,
    /// One certificate of the chain that it sends, counted from 1, which is its own.
    Certificate(u8),
    /// Whether the server takes the sign-in.
    SignIn,
    /// Whom it takes us for.
    User,
    /// Which version it is.
    Version,
    /// Whether it has one of the thirteen operations, counted from 1.
    Operation(u8),
    /// How far its clock is from ours.
    Clock,
    /// How many colours the terminal has.
    Colors,
    /// How large it is.
    Size,
    /// Whether it agrees with us on how wide characters are.
    Width,
    /// Whether text can be put on the clipboard through it.
    Clipboard,
    /// What is between it and us.
    Between,
    /// Whether it reports the mouse.
    Mouse,
    /// Whether it shows a frame as a whole.
    Synchronized,
}

impl Check {
    /// Its name for programs.
    pub fn name(self) -> String {
        let name = match self {
            Self::Config => "config",
            Self::Modes => "file-modes",
            Self::State => "state",
            Self::Secret => "secret",
            Self::Proxy => "proxy",
            Self::Name => "dns",
            Self::Connection => "tcp",
            Self::Tls => "tls",
            Self::Certificate(number) => return format!("certificate-{number}"),
            Self::SignIn => "sign-in",
            Self::User => "user",
            Self::Version => "version",
            Self::Operation(number) => return format!("operation-{number}"),
            Self::Clock => "clock",
            Self::Colors => "terminal-colors",
            Self::Size => "terminal-size",
            Self::Width => "terminal-width",
            Self::Clipboard => "terminal-clipboard",
            Self::Between => "terminal-multiplexer",
            Self::Mouse => "terminal-mouse",
            Self::Synchronized => "terminal-synchronized",
        };
        name.to_owned()
    }

    /// Its label for people.
    pub fn label(self) -> String {
        let label = match self {
            Self::Config => "Configuration",
            Self::Modes => "File modes",
            Self::State => "Kept files",
            Self::Secret => "Secret",
            Self::Proxy => "Proxy",
            Self::Name => "Name",
            Self::Connection => "Connection",
            Self::Tls => "TLS",
            Self::Certificate(number) => return format!("Certificate {number}"),
            Self::SignIn => "Sign-in",
            Self::User => "User",
            Self::Version => "Version",
            Self::Operation(number) => return format!("Operation {number}"),
            Self::Clock => "Clock",
            Self::Colors => "Colours",
            Self::Size => "Size",
            Self::Width => "Character widths",
            Self::Clipboard => "Clipboard",
            Self::Between => "Multiplexer",
            Self::Mouse => "Mouse",
            Self::Synchronized => "Whole frames",
        };
        label.to_owned()
    }
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Something to know; nothing is broken.
    Note,
    /// Broken.
    Failed,
    /// Not looked at, as something before it has failed or it doesn't apply.
    Skipped,
}

impl Verdict {
    /// The word at the start of a line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Failed => "FAILED",
            Self::Skipped => "-",
        }
    }
}

/// What one check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found: one line, scrubbed.
    pub says: String,
    /// What to do about it. Every failure has one.
    pub hint: Option<String>,
    /// The certificate that it is about, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<Certificate>>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: Check, says: impl AsRef<str>) -> Self {
        Self::new(check, Verdict::Ok, says, None)
    }

    /// Something to know.
    pub fn note(check: Check, says: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self::new(check, Verdict::Note, says, Some(hint.as_ref()))
    }

    /// Broken.
    pub fn failed(check: Check, says: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        Self::new(check, Verdict::Failed, says, Some(hint.as_ref()))
    }

    /// Not looked at.
    pub fn skipped(check: Check, says: impl AsRef<str>) -> Self {
        Self::new(check, Verdict::Skipped, says, None)
    }

    fn new(check: Check, verdict: Verdict, says: impl AsRef<str>, hint: Option<&str>) -> Self {
        Self {
            check,
            verdict,
            says: one_line(says.as_ref()),
            hint: hint.map(one_line),
            certificate: None,
        }
    }

    /// With the certificate that it is about.
    #[must_use]
    pub fn about(self, certificate: &Certificate) -> Self {
        Self {
            certificate: Some(Box::new(certificate.clone())),
            ..self
        }
    }

    /// The line for people, with its hint on a second one; no line break at its end.
    pub fn told(&self) -> String {
        let (word, label) = (self.verdict.word(), self.check.label());
        let mut told = format!("{word:<7} {label:<17} {}", self.says);
        if let Some(hint) = &self.hint {
            told.push_str("\n        ");
            told.push_str(hint);
        }
        told
    }
}

/// Findings as lines for people, one after the other. What was not looked at for one and the same
/// reason is told together.
#[derive(Debug, Default)]
pub struct Lines {
    skipped: Vec<Finding>,
}

impl Lines {
    /// What there is to be written once this was found; it may be nothing yet.
    pub fn found(&mut self, finding: &Finding) -> String {
        let is_skipped = finding.verdict == Verdict::Skipped && finding.hint.is_none();
        let goes_on = self
            .skipped
            .last()
            .is_some_and(|last| last.says == finding.says);
        let mut lines = String::new();
        if !(is_skipped && goes_on) {
            lines = self.end();
        }
        if is_skipped {
            self.skipped.push(finding.clone());
        } else {
            lines.push_str(&finding.told());
            lines.push('\n');
        }
        lines
    }

    /// What is still to be written when all was found.
    pub fn end(&mut self) -> String {
        let skipped = std::mem::take(&mut self.skipped);
        match skipped.as_slice() {
            [] => String::new(),
            [one] => format!("{}\n", one.told()),
            [one, ..] => format!(
                "{:<7} {:<17} {}\n        {}\n",
                Verdict::Skipped.word(),
                "Not checked",
                one.says,
                labels(&skipped)
            ),
        }
    }
}

/// The labels of these checks; operations that follow on each other are one.
fn labels(findings: &[Finding]) -> String {
    let mut labels: Vec<String> = Vec::new();
    let mut operations: Option<(u8, u8)> = None;
    let range = |(first, last)| {
        if first == last {
            Check::Operation(first).label()
        } else {
            format!("Operations {first}-{last}")
        }
    };
    for finding in findings {
        match (finding.check, operations) {
            (Check::Operation(number), Some((first, last))) if number == last + 1 => {
                operations = Some((first, number));
            }
            (check, before) => {
                labels.extend(before.map(range));
                operations = None;
                if let Check::Operation(number) = check {
                    operations = Some((number, number));
                } else {
                    labels.push(check.label());
                }
            }
        }
    }
    labels.extend(operations.map(range));
    labels.join(", ")
}

fn one_line(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    plain::without_numbers(&plain::scrub(&text)).into_owned()
}

/// What is to blame when something has failed, for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The configuration.
    Config,
    /// The secret, or the server's opinion of it.
    SignIn,
    /// The server or the way to it.
    Server,
    /// Something on this machine.
    Machine,
}

/// What is to blame for the first failure; `None` when nothing has failed.
pub fn blame(findings: &[Finding]) -> Option<Blame> {
    let failed = |finding: &&Finding| finding.verdict == Verdict::Failed;
    let first = findings
        .iter()
        .filter(failed)
        .min_by_key(|finding| match finding.check {
            // Who can read a file has nothing to do with whether it works.
            Check::Modes => (1, finding.check),
            _ => (0, finding.check),
        })?;
    Some(match first.check {
        Check::Config => Blame::Config,
        Check::Secret | Check::SignIn | Check::User => Blame::SignIn,
        Check::Proxy
        | Check::Name
        | Check::Connection
        | Check::Tls
        | Check::Certificate(_)
        | Check::Version
        | Check::Operation(_)
        | Check::Clock => Blame::Server,
        Check::Modes
        | Check::State
        | Check::Colors
        | Check::Size
        | Check::Width
        | Check::Clipboard
        | Check::Between
        | Check::Mouse
        | Check::Synchronized => Blame::Machine,
    })
}

/// How many have failed, in words.
pub fn summary(findings: &[Finding]) -> String {
    let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count() as u64;
    match (count(Verdict::Failed), count(Verdict::Note)) {
        (0, 0) => "All is well.".to_owned(),
        (0, notes) => format!(
            "Nothing has failed; {}.",
            crate::text::number::count(notes, "note")
        ),
        (failed, _) => format!("{} failed.", crate::text::number::count(failed, "check")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_is_to_blame_but_not_who_can_read_a_file() {
        let fine = Finding::ok(Check::Config, "it is there");
        let modes = Finding::failed(Check::Modes, "0644", "chmod");
        let sign_in = Finding::failed(Check::SignIn, "401", "make a token");
        let tls = Finding::failed(Check::Tls, "expired", "wait");
        assert_eq!(blame(&[]), None);
        assert_eq!(blame(std::slice::from_ref(&fine)), None);
        assert_eq!(blame(&[fine.clone(), modes.clone()]), Some(Blame::Machine));
        assert_eq!(
            blame(&[modes, sign_in.clone(), tls]),
            Some(Blame::Server),
            "what comes first on the way"
        );
        assert_eq!(blame(&[fine, sign_in]), Some(Blame::SignIn));
    }

    #[test]
    fn what_was_not_looked_at_for_one_reason_is_told_together() {
        let mut lines = Lines::default();
        let skipped = |check, why| Finding::skipped(check, why);
        let mut told = lines.found(&Finding::failed(Check::Connection, "No.", "Look."));
        for check in [Check::Tls, Check::Operation(1), Check::Operation(2)] {
            told += &lines.found(&skipped(check, "There is none."));
        }
        told += &lines.found(&skipped(Check::Clock, "Not told."));
        told += &lines.end();
        assert_eq!(
            told,
            "FAILED  Connection        No.\n        Look.\n\
             -       Not checked       There is none.\n        TLS, Operations 1-2\n\
             -       Clock             Not told.\n"
        );
    }

    #[test]
    fn a_finding_is_one_line_and_cannot_drive_a_terminal() {
        let finding = Finding::failed(Check::Name, "a\nb\u{1b}[2J", "c\u{202e}\r\nd");
        let told = finding.told();
        assert_eq!(told.lines().count(), 2, "{told:?}");
        assert!(
            !told.contains('\u{1b}') && !told.contains('\u{202e}'),
            "{told:?}"
        );
    }
}
