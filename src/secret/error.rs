//! Why a secret could not be had, and what to do about it.

/// How a variable is named as the source of a secret.
pub(super) const VARIABLE: &str = "the variable ";

/// Why a secret could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not there, or empty.
    #[error("the variable {0} is not set")]
    NotSet(String),
    /// The file can't be read.
    #[error("{path} could not be read: {error}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system says.
        error: String,
    },
    /// The file can be read by others.
    #[error("{path} has mode {mode:04o}, so others can read it")]
    TooOpen {
        /// Which.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// The file belongs to somebody else.
    #[error("{0} belongs to somebody else")]
    NotOurs(String),
    /// Neither file nor variable nor output holds anything.
    #[error("{0} gave nothing on its first line")]
    Empty(String),
    /// There is something that no token or password can hold.
    #[error("{0} gave something that is no line of text")]
    NotText(String),
    /// There is something that no token can be.
    #[error("{whence} gave what can be no token: {why}")]
    NotAToken {
        /// Where it came from.
        whence: String,
        /// What is wrong with it, without a part of it.
        why: &'static str,
    },
    /// The command could not be started.
    #[error("`{program}` could not be started: {error}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system says.
        error: String,
    },
    /// The command failed.
    #[error("`{program}` ended with {status}{said}")]
    CommandFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// What it wrote to standard error, scrubbed, each line after a break.
        said: String,
    },
    /// The command did not end.
    #[error("`{program}` took longer than {seconds} s and was ended")]
    TookTooLong {
        /// The program.
        program: String,
        /// The limit.
        seconds: u64,
    },
    /// The program ended before the command was run.
    #[error("`{0}` was not run")]
    NotRun(String),
}

impl SecretError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NotSet(name) => format!("Set {name}, or name another source in the profile."),
            Self::Unreadable { .. } => "Check the path in the profile.".to_owned(),
            Self::TooOpen { path, .. } => format!("chmod 600 {path}"),
            Self::NotOurs(_) => "Copy it to a file of your own with mode 0600.".to_owned(),
            Self::Empty(whence) if whence.starts_with(VARIABLE) => {
                "Set it to the token or password.".to_owned()
            }
            Self::Empty(_) => "Put the secret on the first line.".to_owned(),
            Self::NotText(_) => "The secret is taken from the first line, up to 64 KiB of UTF-8 without control characters.".to_owned(),
            Self::NotAToken { .. } => {
                "Copy the token again: one word, as the page that made it showed it.".to_owned()
            }
            Self::NotStarted { .. } => {
                "The command is a list: the program, then its arguments.".to_owned()
            }
            Self::CommandFailed { program, .. }
            | Self::TookTooLong { program, .. }
            | Self::NotRun(program) => {
                format!("Run `{program}` by hand to see why.")
            }
        }
    }
}
