//! The command line. Describes, decides nothing.
//!
//! No option takes a secret: the command line of a process can be read by everybody on its machine.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::demo::ServeArgs;

/// A terminal browser and caretaker for the spaces of Confluence Data Center.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "coracle",
    version,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, configuration or no terminal, 3 sign-in, \
                  4 server or network, 5 refused, 128 and its number after a signal (130 Ctrl-C)."
)]
pub struct Cli {
    /// Start an embedded Confluence with a small wiki in it and open that.
    #[arg(long, conflicts_with_all = ["profile", "url"])]
    pub demo: bool,
    /// Open this profile of the configuration.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Read this configuration instead of the usual one.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Open this server; a token is taken from CORACLE_TOKEN.
    #[arg(long, value_name = "URL", conflicts_with = "profile")]
    pub url: Option<String>,
    /// Send nothing that changes anything.
    #[arg(long)]
    pub read_only: bool,
    /// Look like this: auto, dark, light, high-contrast, mono, or a theme of your own.
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with the characters of ASCII alone.
    #[arg(long)]
    pub ascii: bool,
    /// Write this much into the log file.
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<LogLevel>,
    /// Record everything that is typed and answered into a new file, for coracle replay.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Print where configuration, state and logs are, and end.
    #[arg(long)]
    pub print_paths: bool,
    /// Panic when the terminal gets another size: for the test of what a crash leaves behind.
    #[arg(long, hide = true)]
    pub crash: bool,
    /// What to do instead of opening the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// An option of the screen that stands before a command, which would not heed it.
    pub fn stray(&self) -> Option<&'static str> {
        self.command.as_ref()?;
        [
            (self.demo, "--demo"),
            (self.profile.is_some(), "--profile"),
            (self.url.is_some(), "--url"),
            (self.read_only, "--read-only"),
            (self.theme.is_some(), "--theme"),
            (self.ascii, "--ascii"),
            (self.log.is_some(), "--log"),
            (self.record.is_some(), "--record"),
            (self.print_paths, "--print-paths"),
            (self.crash, "--crash"),
        ]
        .into_iter()
        .find_map(|(is_there, name)| is_there.then_some(name))
    }
}

/// What can be done without the screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the embedded Confluence alone and print its address
    Serve(ServeArgs),
    /// Show what was recorded with --record: its last screen
    Replay(ReplayArgs),
    /// Check configuration, connection, sign-in and terminal; sends reads alone
    Doctor(DoctorArgs),
    /// Write one file that tells what a bug report needs, without a secret in it
    Bugreport(BugreportArgs),
    /// Print the keys in effect
    Keys,
    /// Look after the record of everything that was written
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Look after the backups on this machine; needs no server
    #[command(subcommand)]
    Backup(BackupCommand),
}

/// What is checked, and how it is told.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DoctorArgs {
    /// Check this profile of the configuration instead of the default one.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Check this server; a token is taken from CORACLE_TOKEN.
    #[arg(long, value_name = "URL", conflicts_with = "profile")]
    pub url: Option<String>,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// What goes into a bug report, and where to.
#[derive(Clone, Debug, clap::Args)]
pub struct BugreportArgs {
    /// Check this profile of the configuration instead of the default one.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Check this server; a token is taken from CORACLE_TOKEN.
    #[arg(long, value_name = "URL", conflicts_with = "profile")]
    pub url: Option<String>,
    /// Write into this new file instead of one in the state folder.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What can be done with backups.
#[derive(Clone, Debug, Subcommand)]
pub enum BackupCommand {
    /// Print a line for each backup: name, items, size, server, spaces
    List,
    /// Read every file back and compare it with what was written
    Verify {
        /// The backups by name; without any, all of them
        names: Vec<String>,
    },
}

/// How a recording is shown.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// The recording.
    pub file: PathBuf,
    /// Every screen, each with its time, rather than the last one alone.
    #[arg(long, conflicts_with = "svg")]
    pub frames: bool,
    /// Draw the last screen into this new file as an SVG picture.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// What can be done with journals.
#[derive(Clone, Debug, Subcommand)]
pub enum JournalCommand {
    /// Check that no entry was changed, removed or put in between
    Verify {
        /// The journals; without any, those of all profiles
        files: Vec<PathBuf>,
    },
}

/// How much goes into the log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// And what went wrong but was put right.
    Warn,
    /// And every request: method, path, status, time.
    #[default]
    Info,
    /// And what the program decided.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// Its name on the command line and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_description_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn level_names_are_those_that_parse() {
        for level in LogLevel::value_variants() {
            assert_eq!(LogLevel::from_str(level.name(), false), Ok(*level));
        }
    }
}
