//! What the command line and the configuration say together, and what is told where a place of ours fails.

use std::path::Path;

use crate::cli::Cli;
use crate::config::{self, Config, Paths};
use crate::report::{Exit, Failure, scrub};
use crate::shell::run::ByGround;
use crate::shell::screen;
use crate::ui::theme::{self, Theme};

/// Whether there is a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    Yes,
    No,
}

pub(super) fn configuration(cli: &Cli, paths: &Paths) -> Result<(Config, There), Failure> {
    match config::load(paths)? {
        Some(config) => Ok((config, There::Yes)),
        None if cli.config.is_some() => Err(Failure::new(
            Exit::Usage,
            format!("There is no configuration {}.", shown(&paths.config)),
        )),
        None => Ok((Config::default(), There::No)),
    }
}

/// The theme to begin with, and where it is `auto`, what follows the terminal's background.
pub(super) fn looks(
    cli: &Cli,
    config: &Config,
    paths: &Paths,
) -> Result<(Theme, Option<ByGround>), Failure> {
    let name = cli.theme.as_deref().unwrap_or(&config.theme);
    let variable = |name: &str| std::env::var(name).ok();
    let depth = screen::depth(variable);
    let own = paths.themes.join(format!("{name}.toml"));
    let plain = !name.contains(['/', '\\']) && !name.starts_with('.');
    let text = config::file::text(&own).ok().filter(|_| plain);
    let theme = match &text {
        Some(text) => theme::parse(name, text, depth),
        None => theme::load(name, depth),
    }
    .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint(error.hint()))?;
    let glyphs = if cli.ascii || config.ascii || screen::draws_plain(variable) {
        &theme::ASCII
    } else {
        theme.glyphs
    };
    let asks = name == "auto" && text.is_none() && screen::may_ask(variable);
    let by_ground = asks.then_some(ByGround { depth, glyphs });
    Ok((theme.with_glyphs(glyphs), by_ground))
}

pub(super) fn no_state(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("Nothing can be kept in {}.", shown(folder)),
    )
    .caused_by(error)
    .hint("coracle --print-paths says where things are kept.")
}

pub(super) fn shown(path: &Path) -> String {
    scrub(&path.to_string_lossy())
}
