//! A command that prints a secret: how it is called, and what it gave.

use std::process::ExitStatus;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::error::SecretError;
use crate::report::scrub;

/// More bytes than this are no token.
pub(super) const SIZE_LIMIT: u64 = 64 * 1024;
/// How many lines a failed command may say.
const LINES_SHOWN: usize = 4;

/// A program and its arguments.
pub(super) fn command(words: &[String]) -> std::process::Command {
    let mut command = super::program::command(words.first().map_or("", String::as_str));
    command.args(words.get(1..).unwrap_or_default());
    command
}

pub(super) fn not_started(program: &str, error: &std::io::Error) -> SecretError {
    SecretError::NotStarted {
        program: program.to_owned(),
        error: error.to_string(),
    }
}

/// What a command that has ended gave: the first line that it printed, or why there is none.
pub(super) fn told(
    program: &str,
    status: ExitStatus,
    output: Zeroizing<Vec<u8>>,
    said: &[u8],
) -> Result<SecretString, SecretError> {
    if status.success() {
        return first_line(&format!("`{program}`"), output);
    }
    let said = Zeroizing::new(String::from_utf8_lossy(said).into_owned());
    let said = without(&said, &output);
    let mut shown = String::new();
    for line in said.lines().take(LINES_SHOWN) {
        shown.push('\n');
        shown.push_str(&scrub(line));
    }
    Err(SecretError::CommandFailed {
        program: program.to_owned(),
        status: crate::report::ended(status),
        said: if shown.is_empty() {
            shown
        } else {
            format!(":{shown}")
        },
    })
}

/// What a command says, without what it printed as its secret: one that prints it to both must not
/// make us repeat it.
pub(super) fn without(said: &str, output: &[u8]) -> Zeroizing<String> {
    let output = Zeroizing::new(String::from_utf8_lossy(output).into_owned());
    let mut said = Zeroizing::new(said.to_owned());
    for line in output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        said = Zeroizing::new(said.replace(line, "…"));
    }
    said
}

/// The first line, without the mark that some editors put before it.
pub(super) fn first_line(
    whence: &str,
    bytes: Zeroizing<Vec<u8>>,
) -> Result<SecretString, SecretError> {
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(SecretError::NotText(whence.to_owned()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText(whence.to_owned()))?;
    let line = text
        .trim_start_matches('\u{feff}')
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('\r');
    if line.trim().is_empty() {
        return Err(SecretError::Empty(whence.to_owned()));
    }
    Ok(SecretString::from(line))
}
