//! Where the platform wants configuration and state to be.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The folders and files of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file.
    pub config: PathBuf,
    /// Themes of one's own.
    pub themes: PathBuf,
    /// Journals, locks and what is remembered from run to run.
    pub state: PathBuf,
    /// Backups.
    pub backups: PathBuf,
    /// Lists that were exported.
    pub exports: PathBuf,
    /// Plans that were written to be applied later.
    pub plans: PathBuf,
    /// The log file.
    pub log: PathBuf,
}

impl Paths {
    /// The places of this platform and user; `None` when there is no home folder.
    pub fn of_platform() -> Option<Self> {
        let project = ProjectDirs::from("", "", "coracle")?;
        let data = project.data_local_dir();
        Some(Self::below(
            project.config_dir(),
            project.state_dir().unwrap_or(data),
            data,
        ))
    }

    /// The places below these three folders.
    pub fn below(config: &Path, state: &Path, data: &Path) -> Self {
        Self {
            config: config.join("config.toml"),
            themes: config.join("themes"),
            state: state.to_owned(),
            backups: data.join("backups"),
            exports: data.join("exports"),
            plans: data.join("plans"),
            log: state.join("coracle.log"),
        }
    }

    /// The same for a demo, the first that runs: what it keeps is in a folder of its own, and is
    /// removed when the next one begins.
    pub fn of_demo(&mut self) {
        let folder = self.state.join("demo-1");
        self.backups = folder.join("backups");
        self.plans = folder.join("plans");
        self.state = folder;
    }

    /// One line for each, as `--print-paths` prints them.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for (name, path) in [
            ("config", &self.config),
            ("themes", &self.themes),
            ("state", &self.state),
            ("backups", &self.backups),
            ("exports", &self.exports),
            ("plans", &self.plans),
            ("log", &self.log),
        ] {
            let _ = writeln!(
                lines,
                "{name:<9}{}",
                crate::report::scrub(&path.to_string_lossy())
            );
        }
        lines
    }
}
