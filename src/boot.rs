//! The one place where everything is put together: command line, configuration, terminal, core.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::config::Paths;
use crate::report::{Exit, Failure};

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    let mut paths = Paths::of_platform().ok_or_else(|| {
        Failure::new(Exit::Usage, "There is no home folder to keep things in.").hint("Set HOME.")
    })?;
    if let Some(config) = &cli.config {
        paths.config.clone_from(config);
    }
    if cli.print_paths {
        say(&paths.lines());
        return Ok(Exit::Done);
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "coracle is a program for a terminal, and standard input or output is not one.",
        ));
    }
    Ok(Exit::Done)
}

/// Writes to standard output. A reader that went away is nothing to act on.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
