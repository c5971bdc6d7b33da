//! Which profile is opened, at the start and when somebody switches, and what that takes: its lock,
//! its folders, whether it may write.

use std::path::{Path, PathBuf};

use super::settings::{There, no_state, shown};
use crate::app::model::{Profile as ShownProfile, ProfileChoice, StartMode, Switched, Writes};
use crate::cli::Cli;
use crate::config::{Auth, Config, Paths, Profile};
use crate::confluence::Endpoint;
use crate::confluence::client::Access;
use crate::report::{Exit, Failure};
use crate::secret::SecretSource;
use crate::secret::program::{SecretVariable, TOKEN_VARIABLE};
use crate::shell::connection::Target;
use crate::shell::files;
use crate::shell::folders::{Folders, JournalAccess};
use crate::shell::lock::{self, Hold, ProfileLock};
use crate::shell::run::Opened;

/// How many demos can run at once.
const DEMOS: u32 = 64;

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// The embedded server.
    Demo,
    /// The server at this address, without a profile.
    Url(String),
    /// The profile of this name.
    Profile(String),
    /// The default profile, or the only one.
    Default,
}

impl Which {
    /// What the options of a command name.
    pub(super) fn named(profile: Option<&String>, url: Option<&String>) -> Self {
        match (url, profile) {
            (Some(url), _) => Self::Url(url.clone()),
            (None, Some(name)) => Self::Profile(name.clone()),
            (None, None) => Self::Default,
        }
    }

    /// What the command line names.
    pub(super) fn of(cli: &Cli) -> Self {
        if cli.demo {
            Self::Demo
        } else {
            Self::named(cli.profile.as_ref(), cli.url.as_ref())
        }
    }
}

/// A profile that is ready to be worked with, and where the core begins with it.
pub(super) struct Ready {
    pub(super) mode: StartMode,
    pub(super) opened: Opened,
}

/// Opens what is asked for, and says what may be written.
pub(super) fn ready(
    which: &Which,
    read_only: bool,
    config: &Config,
    there: There,
    paths: &Paths,
) -> Result<Ready, Failure> {
    let Opening {
        mode,
        shown,
        mut target,
        folder,
    } = open(which, config, there, paths)?;
    let place = match &folder {
        Folder::OfProfile(folder) => of_profile(folder),
        Folder::OfDemo => hold_demo(&paths.state)?,
    };
    let by_config = target
        .as_ref()
        .is_some_and(|target| target.profile.read_only);
    let read_only = why_read_only(&shown.name, read_only, by_config);
    let (writes, notice) = match (&place.journal, read_only) {
        (JournalAccess::ReadOnly, _) => {
            let why = place.why;
            let notice = format!("Journal, jobs and backups are closed. {why}");
            (Writes::Unkept(why), Some(notice))
        }
        (JournalAccess::Write, Some(why)) => (Writes::ReadOnly(why), None),
        (JournalAccess::Write, None) => {
            let protected = target
                .as_ref()
                .is_some_and(|target| target.profile.protected);
            (
                if protected {
                    Writes::Protected
                } else {
                    Writes::Allowed
                },
                None,
            )
        }
    };
    // A protected profile is opened later, by its name.
    if let (Writes::ReadOnly(_) | Writes::Unkept(_) | Writes::Protected, Some(target)) =
        (&writes, &mut target)
    {
        target.access = Access::ReadOnly;
    }
    let (backups, plans, locks) = match &folder {
        Folder::OfProfile(folder) => (
            paths.backups.clone(),
            paths.plans.clone(),
            vec![
                lock::of_server(&paths.state, &shown.address()),
                folder.clone(),
            ],
        ),
        // Each has a server and a folder of its own.
        Folder::OfDemo => (
            place.folder.join("backups"),
            place.folder.join("plans"),
            Vec::new(),
        ),
    };
    Ok(Ready {
        mode,
        opened: Opened {
            switched: Switched {
                profile: shown,
                writes,
                notice,
                profiles: choices(config),
            },
            target,
            folders: Folders {
                backups,
                plans,
                profile: place.folder,
                exports: paths.exports.clone(),
                locks,
            },
            journal: place.journal,
            hold: place.hold,
        },
    })
}

/// Why a profile takes no writes, told wherever somebody wants one: what says so, and what to change.
fn why_read_only(name: &str, by_option: bool, by_config: bool) -> Option<String> {
    match (by_option, by_config) {
        (_, true) => Some(format!(
            "{name} is read-only: take read_only out of its configuration to write."
        )),
        (true, false) => Some(format!(
            "{name} was opened with --read-only: start without it to write."
        )),
        (false, false) => None,
    }
}

/// The profiles as the picker shows them.
fn choices(config: &Config) -> Vec<ProfileChoice> {
    let choice = |(name, profile): (&String, &Profile)| ProfileChoice {
        name: name.clone(),
        base_url: profile.url.to_string(),
        color: profile.color.clone(),
        read_only: profile.read_only,
        protected: profile.protected,
    };
    config.profiles.iter().map(choice).collect()
}

/// Where a run begins and what it is connected to.
struct Opening {
    mode: StartMode,
    shown: ShownProfile,
    target: Option<Target>,
    folder: Folder,
}

/// Which folder of the state belongs to a run.
enum Folder {
    OfProfile(PathBuf),
    OfDemo,
}

fn open(which: &Which, config: &Config, there: There, paths: &Paths) -> Result<Opening, Failure> {
    Ok(match choose(which, config, there, paths)? {
        Chosen::Demo => demo(StartMode::Demo),
        Chosen::Welcome => demo(StartMode::Welcome {
            config_path: shown(&paths.config),
        }),
        Chosen::Server {
            name,
            profile,
            folder,
        } => to_profile(&name, &profile, folder),
    })
}

/// What is to be opened, once it is known what there is.
pub(super) enum Chosen {
    Demo,
    /// There is no configuration, and nothing was named.
    Welcome,
    Server {
        name: String,
        profile: Box<Profile>,
        /// Where its files are.
        folder: PathBuf,
    },
}

/// Which server is meant.
pub(super) fn choose(
    which: &Which,
    config: &Config,
    there: There,
    paths: &Paths,
) -> Result<Chosen, Failure> {
    let named = match which {
        Which::Demo => return Ok(Chosen::Demo),
        Which::Url(text) => {
            let url = Endpoint::parse(text)
                .map_err(|error| Failure::new(Exit::Usage, &error.message).hint(error.hint()))?;
            return by_url(url, paths);
        }
        Which::Profile(name) => Some(name),
        Which::Default => config.default_profile.as_ref(),
    };
    let name = match named {
        Some(name) => name,
        None => match config.profiles.len() {
            1 => config.profiles.keys().next().expect("because there is one"),
            0 if there == There::No => return Ok(Chosen::Welcome),
            0 => {
                return Err(Failure::new(
                    Exit::Usage,
                    format!("There is no profile in {}.", shown(&paths.config)),
                )
                .hint("Add one as in config.example.toml, or try coracle --demo."));
            }
            _ => {
                return Err(Failure::new(
                    Exit::Usage,
                    "There are several profiles and none is the default.",
                )
                .hint(format!(
                    "Choose by --profile, or set default_profile to one of {}.",
                    names(config)
                )));
            }
        },
    };
    let Some(profile) = config.profiles.get(name) else {
        return Err(
            Failure::new(Exit::Usage, format!("There is no profile `{name}`.")).hint(
                if config.profiles.is_empty() {
                    format!("There are none in {}.", shown(&paths.config))
                } else {
                    format!("The configuration has {}.", names(config))
                },
            ),
        );
    };
    Ok(Chosen::Server {
        name: name.clone(),
        profile: Box::new(profile.clone()),
        folder: paths.state.join("profiles").join(name),
    })
}

fn names(config: &Config) -> String {
    let names: Vec<&str> = config.profiles.keys().map(String::as_str).collect();
    names.join(", ")
}

fn demo(mode: StartMode) -> Opening {
    Opening {
        mode,
        shown: ShownProfile {
            name: "demo".to_owned(),
            base_url: String::new(),
            color: None,
            signs_in: false,
            banner: None,
            concurrency: 8,
        },
        target: None,
        folder: Folder::OfDemo,
    }
}

fn by_url(url: Endpoint, paths: &Paths) -> Result<Chosen, Failure> {
    let mut profile = Profile::new(url);
    if std::env::var_os(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty()) {
        profile.auth = Auth::Token(SecretSource::Env(SecretVariable::named(TOKEN_VARIABLE)));
    }
    if profile.url.is_plain_http()
        && !profile.url.is_loopback()
        && !matches!(profile.auth, Auth::Anonymous)
    {
        return Err(Failure::new(
            Exit::Usage,
            "Everybody on the way could read the token over plain HTTP.",
        )
        .hint("Use https, or a profile with allow_http = true."));
    }
    let host = profile.url.host().to_owned();
    // A name for a folder that no other address has.
    let place: String = profile
        .url
        .as_str()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    Ok(Chosen::Server {
        name: host,
        profile: Box::new(profile),
        folder: paths.state.join("urls").join(place),
    })
}

fn to_profile(name: &str, profile: &Profile, folder: PathBuf) -> Opening {
    let banner = match (
        profile.insecure,
        profile.url.is_plain_http() && !profile.url.is_loopback(),
    ) {
        (true, _) => Some("The server's certificate is not checked.".to_owned()),
        (false, true) => Some("Plain HTTP: others on the way can read along.".to_owned()),
        (false, false) => None,
    };
    Opening {
        mode: StartMode::Connect,
        shown: ShownProfile {
            name: name.to_owned(),
            base_url: profile.url.to_string(),
            color: profile.color.clone(),
            signs_in: !matches!(profile.auth, Auth::Anonymous),
            banner,
            concurrency: profile.concurrency.into(),
        },
        target: Some(Target {
            profile: profile.clone(),
            access: Access::ReadWrite,
            credentials: None,
        }),
        folder: Folder::OfProfile(folder),
    }
}

/// Where a run keeps its files, and whether it may write the journal there.
struct Place {
    folder: PathBuf,
    journal: JournalAccess,
    /// Why it may not: one sentence.
    why: String,
    hold: Option<ProfileLock>,
}

/// The folder of a profile. Its lock is held while a job writes, and not while a window is open: here
/// it is not even tried, which would be in the way of a job that begins in another window.
fn of_profile(folder: &Path) -> Place {
    match lock::can_be_kept(folder) {
        Ok(()) => ours(folder, None),
        Err(error) => unkept(folder, &error),
    }
}

/// A folder in which nothing is written by this process.
fn read_only(folder: &Path, why: String) -> Place {
    Place {
        folder: folder.to_owned(),
        journal: JournalAccess::ReadOnly,
        why,
        hold: None,
    }
}

/// A folder in which nothing can be written at all: that keeps nobody from reading a wiki. Nothing
/// is changed there, as no journal could tell of it.
fn unkept(folder: &Path, error: &std::io::Error) -> Place {
    let why = format!(
        "Nothing can be kept in {} ({}), so nothing is changed here. Make that folder writable and start again.",
        shown(folder),
        crate::report::system(error)
    );
    read_only(folder, why)
}

/// A folder for a demo: each run has a wiki of its own, so it has a journal of its own, and what an
/// earlier one left is about a wiki that is gone.
fn hold_demo(state: &Path) -> Result<Place, Failure> {
    for number in 1..=DEMOS {
        let folder = state.join(format!("demo-{number}"));
        let lock = match lock::take(&folder) {
            Ok(Hold::Ours(lock)) => lock,
            Ok(Hold::Theirs(_)) => continue,
            Err(error) => return Ok(unkept(&folder, &error)),
        };
        files::clear_folder(&folder, lock::FILE).map_err(|error| no_state(&folder, &error))?;
        return Ok(ours(&folder, Some(lock)));
    }
    Err(Failure::new(
        Exit::Failed,
        format!("{DEMOS} demos are running already."),
    ))
}

fn ours(folder: &Path, hold: Option<ProfileLock>) -> Place {
    Place {
        folder: folder.to_owned(),
        journal: JournalAccess::Write,
        why: String::new(),
        hold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_opens_does_not_take_the_lock_of_its_profile() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let place = of_profile(home.path());
        assert_eq!(place.journal, JournalAccess::Write);
        let name = std::fs::read_to_string(home.path().join(lock::FILE)).expect("it was made");
        assert_eq!(name, "", "whoever takes it writes his name into it");
    }

    #[test]
    fn what_keeps_a_profile_from_writing_is_named_with_what_to_change() {
        let told = |by_option, by_config| why_read_only("prod", by_option, by_config);
        assert_eq!(told(false, false), None);
        let by_option = told(true, false).unwrap_or_default();
        assert!(by_option.contains("prod was opened with --read-only"));
        // Starting without the option would not help there.
        for by_option in [false, true] {
            let why = told(by_option, true).unwrap_or_default();
            assert!(why.contains("prod is read-only") && why.contains("read_only"));
            assert!(!why.contains("--read-only"), "{why}");
        }
    }
}
