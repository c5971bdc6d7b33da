//! How a failure reaches a person outside the screen: what happened, what caused it, what to do.
//!
//! Every text passes the scrubber here once more, for some of them hold file names and the words
//! of other programs. Nothing here may print a secret; the errors that arrive hold none.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;

use crate::text::plain;

/// The exit code of the program, by what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed in some other way.
    Failed,
    /// Wrong usage, a bad configuration, or no terminal.
    Usage,
    /// The server did not take the sign-in, or the secret could not be had.
    SignIn,
    /// The server or the way to it.
    Server,
    /// Refused on our side: read-only, or no consent.
    Refused,
    /// Ended by a signal of this number: 128 and the number, as shells have it.
    Signal(u8),
}

impl Exit {
    /// The number that the calling shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::SignIn => 3,
            Self::Server => 4,
            Self::Refused => 5,
            Self::Signal(number) => 128u8.saturating_add(number),
        }
    }
}

/// A failure as it is told on standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit code to end with.
    pub exit: Exit,
    /// What happened; may be of several lines.
    pub error: String,
    /// What brought it about, outermost first.
    pub causes: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without causes or hint.
    pub fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self {
            exit,
            error: error.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with an error and its sources as causes, but for those that only say again what the one
    /// before them said.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let said = error.to_string();
            let again = |before: &String| said.ends_with(before.as_str()) || before.contains(&said);
            if !self.causes.last().is_some_and(again) {
                self.causes.push(said);
            }
            next = error.source();
        }
        self
    }

    /// The text for standard error, scrubbed, with a line break at its end.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (label, said) in std::iter::once(("error", self.error.as_str()))
            .chain(
                self.causes
                    .iter()
                    .map(|cause| ("caused by", cause.as_str())),
            )
            .chain(self.hint.iter().map(|hint| ("hint", hint.as_str())))
        {
            let said = plain::without_numbers(said);
            let mut lines = said.lines();
            let first = lines.next().unwrap_or_default();
            let _ = writeln!(text, "{label}: {}", scrub(first));
            for line in lines {
                let _ = writeln!(text, "{}", scrub(line));
            }
        }
        text
    }

    /// Writes it to standard error. A standard error that is gone is nothing to act on.
    pub fn print(&self) {
        let _ = std::io::stderr().write_all(self.text().as_bytes());
    }
}

/// Writes to standard output, to the last byte. A reader that went away, as `head` does, is nothing
/// to act on; what could not be written, as on a full disk, is a failure.
pub fn say(text: &str) -> Result<(), Failure> {
    written(std::io::stdout().write_all(text.as_bytes()))
}

/// What became of something written to standard output, of which a part may still be on its way.
pub fn written(outcome: std::io::Result<()>) -> Result<(), Failure> {
    match outcome.and_then(|()| std::io::stdout().flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::new(
            Exit::Failed,
            "What there was to say could not be written to standard output.",
        )
        .caused_by(&error)
        .hint("Make room on the disk, or send the output somewhere else.")),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// How a program ended: "status 2", or by which signal.
pub fn ended(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// What the system says of a failure, without the number that it has there.
pub fn system(error: &std::io::Error) -> String {
    scrub(&plain::without_numbers(&error.to_string()))
}

/// One line that cannot change a terminal: what drives it, reorders a line or hides in one becomes
/// a visible `\u{…}`, by the same judgement as all text of a server.
pub fn scrub(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    for c in line.chars() {
        if plain::is_visible(c) {
            clean.push(c);
        } else {
            let _ = write!(clean, "\\u{{{:x}}}", u32::from(c));
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_then_why_then_what_to_do() {
        let io = std::io::Error::other("disk on fire");
        let failure = Failure::new(Exit::Usage, "Could not read it.")
            .caused_by(&io)
            .hint("Try another.");
        assert_eq!(
            failure.text(),
            "error: Could not read it.\ncaused by: disk on fire\nhint: Try another.\n"
        );
    }

    #[test]
    fn a_cause_that_says_what_the_one_before_it_said_is_left_out() {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Said(&'static str, #[source] Option<Box<Said>>);
        let chain = |words: &[&'static str]| {
            let causes = words.iter().rev();
            causes.fold(None, |source, &said| Some(Box::new(Said(said, source))))
        };
        let told = |words: &[&'static str]| {
            let chain = chain(words).expect("there are words");
            let failure = Failure::new(Exit::Failed, "It has ended.").caused_by(&*chain);
            failure.text().matches("caused by").count()
        };
        let twice = ["no database", "Error code 26: no database"];
        assert_eq!(told(&twice), 1);
        assert_eq!(told(&["the file cannot be used", "no database"]), 2);
        assert_eq!(told(&["it fails", "it fails because of this"]), 2);
    }

    #[test]
    fn nothing_hides_in_what_is_quoted() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{2069}',
            '\u{3164}',
            '\u{feff}',
            '\u{fffa}',
            '\u{e0041}',
        ] {
            let told = scrub(&format!("a{c}b"));
            assert_eq!(told, format!("a\\u{{{:x}}}b", u32::from(c)));
        }
        assert_eq!(scrub("Ä ⚙\u{fe0f} שלום 東"), "Ä ⚙\u{fe0f} שלום 東");
    }

    #[test]
    fn other_peoples_words_cannot_drive_the_terminal() {
        let failure = Failure::new(Exit::Failed, "a\u{1b}[2Jb\u{202e}c\u{9b}d");
        assert_eq!(failure.text(), "error: a\\u{1b}[2Jb\\u{202e}c\\u{9b}d\n");
    }

    #[test]
    fn codes_are_those_of_the_manual() {
        let codes = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::SignIn,
            Exit::Server,
            Exit::Refused,
            Exit::Signal(2),
        ]
        .map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 130]);
    }
}
