//! The one place where everything is put together: command line, configuration, terminal, core.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use jiff::tz::TimeZone;

use crate::app::action::{Context, VERBS};
use crate::app::keymap::{Keymap, Rebinding};
use crate::app::model::{Profile as ShownProfile, Start, StartMode, Writes};
use crate::cli::{BackupCommand, Cli, Command, JournalCommand, ReplayArgs};
use crate::config::{self, Auth, Config, Paths, Profile};
use crate::confluence::client::{Access, Endpoint};
use crate::demo;
use crate::jobs::backup::Found;
use crate::jobs::journal;
use crate::report::{Exit, Failure, scrub};
use crate::secret::SecretSource;
use crate::shell::clock::Clock;
use crate::shell::connection::Target;
use crate::shell::disk::{Folders, JOURNAL, JournalAccess};
use crate::shell::lock::{self, Hold, ProfileLock};
use crate::shell::record::{Recorder, Replay, ReplayError};
use crate::shell::run::{ByGround, Crash, Session, run};
use crate::shell::terminal::{self, MouseCapture};
use crate::shell::{backups, crash, files, log, screen};
use crate::text::number;
use crate::ui::picture;
use crate::ui::theme::{self, Theme};

/// The variable that a token for `--url` is taken from.
const TOKEN_VARIABLE: &str = "CORACLE_TOKEN";

/// How many demos can run at once.
const DEMOS: u32 = 64;

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    let clock = Clock::start();
    let cli = Cli::parse();
    let code = match go(clock, &cli) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.exit.code()
        }
    };
    // Not by returning: nothing is left to be done, and nothing is to be waited for.
    std::process::exit(code.into())
}

fn go(clock: Clock, cli: &Cli) -> Result<u8, Failure> {
    let mut paths = Paths::of_platform().ok_or_else(|| {
        Failure::new(Exit::Usage, "There is no home folder to keep things in.").hint("Set HOME.")
    })?;
    if let Some(config) = &cli.config {
        paths.config.clone_from(config);
    }
    if cli.print_paths {
        say(&paths.lines());
        return Ok(Exit::Done.code());
    }
    match &cli.command {
        Some(Command::Serve(options)) => {
            return demo::serve_blocking(options)
                .map(|()| Exit::Done.code())
                .map_err(|error| {
                    Failure::new(Exit::Failed, "The embedded server has ended.").caused_by(&error)
                });
        }
        Some(Command::Replay(options)) => {
            return replay(options).map(|()| Exit::Done.code());
        }
        Some(Command::Keys) => {
            let (config, _) = configuration(cli, &paths)?;
            say(&key_table(&keymap(&config, &paths)?));
            return Ok(Exit::Done.code());
        }
        Some(Command::Journal(JournalCommand::Verify { files })) => {
            return verify_journals(files, &paths.state).map(Exit::code);
        }
        Some(Command::Backup(BackupCommand::List)) => {
            return list_backups(&paths.backups).map(Exit::code);
        }
        Some(Command::Backup(BackupCommand::Verify { names })) => {
            return verify_backups(names, &paths.backups).map(Exit::code);
        }
        None => {}
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "coracle is a program for a terminal, and standard input or output is not one.",
        ));
    }
    let (config, there) = configuration(cli, &paths)?;
    let keymap = keymap(&config, &paths)?;
    let (theme, by_ground) = looks(cli, &config, &paths)?;
    let Opening {
        mode,
        shown,
        mut target,
        folder,
    } = open(cli, &config, there, &paths)?;
    let place = match &folder {
        Folder::OfProfile(folder) => hold(folder)?,
        Folder::OfDemo => hold_demo(&paths.state)?,
    };
    let read_only = cli.read_only
        || target
            .as_ref()
            .is_some_and(|target| target.profile.read_only);
    let (writes, notice) = match (&place.journal, read_only) {
        (JournalAccess::ReadOnly, _) => {
            let why = format!("The profile is held by {}.", place.holder);
            (
                Writes::ReadOnly(why.clone()),
                Some(format!("{why} This one is read-only.")),
            )
        }
        (JournalAccess::Write, true) => (
            Writes::ReadOnly("It was opened read-only.".to_owned()),
            None,
        ),
        (JournalAccess::Write, false) => {
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
    if let (Writes::ReadOnly(_) | Writes::Protected, Some(target)) = (&writes, &mut target) {
        target.access = Access::ReadOnly;
    }
    log::start(&paths.log, cli.log.unwrap_or(config.log));
    files::make_folder(&paths.state).map_err(|error| no_state(&paths.state, &error))?;
    crash::install(paths.log.clone());
    let record = match &cli.record {
        Some(path) => Some(Recorder::create(path).map_err(|error| no_recording(path, &error))?),
        None => None,
    };
    run(Session {
        clock,
        start: Start {
            size: terminal::size(),
            wall: clock.wall(),
            zone: TimeZone::system(),
            mode,
            profile: shown,
            writes,
            keymap,
            notice,
        },
        theme,
        by_ground,
        mouse: if config.mouse {
            MouseCapture::On
        } else {
            MouseCapture::Off
        },
        folders: Folders {
            backups: match folder {
                Folder::OfProfile(_) => paths.backups.clone(),
                Folder::OfDemo => place.folder.join("backups"),
            },
            plans: match folder {
                Folder::OfProfile(_) => paths.plans.clone(),
                Folder::OfDemo => place.folder.join("plans"),
            },
            profile: place.folder,
            exports: paths.exports,
        },
        journal: place.journal,
        scratch: paths.state.join("edit"),
        target,
        record,
        crash: if cli.crash {
            Crash::AfterTheFirstFrame
        } else {
            Crash::Never
        },
    })
}

/// Writes to standard output. A reader that went away is nothing to act on.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn no_recording(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::new(
        Exit::Usage,
        format!("Nothing can be recorded into {}.", shown(path)),
    );
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        failure.hint("There is a file already; name one that is not there yet.")
    } else {
        failure.caused_by(error)
    }
}

/// Shows a recording: the last screen, every screen, or a picture of the last.
fn replay(options: &ReplayArgs) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::new(
            Exit::Failed,
            format!("{} can't be shown.", shown(&options.file)),
        )
        .caused_by(error)
    };
    let bad = |error: ReplayError| failed(&error).hint(error.hint());
    let text = std::fs::read_to_string(&options.file).map_err(|error| failed(&error))?;
    let (mut replay, _) = Replay::new(&text).map_err(bad)?;
    let theme = theme::load("dark", theme::Depth::True)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let screen = |replay: &Replay<'_>| picture::text(&picture::frame(&replay.model, &theme));
    let mut last = String::new();
    if options.frames {
        last = screen(&replay);
        say(&format!("── 0 ms\n{last}"));
    }
    while let Some(step) = replay.step() {
        let at = step.map_err(bad)?;
        if options.frames {
            let now = screen(&replay);
            if now != last {
                say(&format!("── {} ms\n{now}", number::grouped(at.0)));
                last = now;
            }
        }
    }
    if let Some(path) = &options.svg {
        let title = format!("coracle {}", replay.model.profile.name);
        let svg = picture::svg(&picture::frame(&replay.model, &theme), &title);
        return files::create_new(path)
            .and_then(|mut file| file.write_all(svg.as_bytes()))
            .map_err(|error| {
                Failure::new(
                    Exit::Failed,
                    format!("The picture could not be written to {}.", shown(path)),
                )
                .caused_by(&error)
            });
    }
    if !options.frames {
        say(&screen(&replay));
    }
    Ok(())
}

/// Checks journals and prints a line for each.
fn verify_journals(files: &[PathBuf], state: &Path) -> Result<Exit, Failure> {
    let found;
    let files = if files.is_empty() {
        found = journals(state).map_err(|error| no_state(state, &error))?;
        &found
    } else {
        files
    };
    if files.is_empty() {
        say("No journal yet: nothing was written.\n");
    }
    let mut exit = Exit::Done;
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| {
            Failure::new(Exit::Failed, format!("{} could not be read.", shown(file)))
                .caused_by(&error)
        })?;
        let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        // What follows the last line break.
        if lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        match journal::verify(lines) {
            Ok(verified) => {
                say(&format!(
                    "{}: {} entries, unbroken\n",
                    shown(file),
                    verified.entries
                ));
                for aside in verified.set_aside {
                    say(&format!(
                        "  line {} does not count: {}\n",
                        aside.line, aside.why
                    ));
                }
            }
            Err(broken) => {
                exit = Exit::Failed;
                say(&format!(
                    "{}: {}\n  {}\n",
                    shown(file),
                    scrub(&broken.to_string()),
                    broken.hint()
                ));
            }
        }
    }
    Ok(exit)
}

fn found_backups(folder: &Path) -> Result<Vec<Found>, Failure> {
    backups::list(folder).map_err(|error| {
        Failure::new(
            Exit::Failed,
            format!("The backups in {} can't be listed.", shown(folder)),
        )
        .caused_by(&error)
    })
}

/// Prints a line for each backup. What is no whole backup says so.
fn list_backups(folder: &Path) -> Result<Exit, Failure> {
    let found = found_backups(folder)?;
    if found.is_empty() {
        say(&format!("No backups in {}.\n", shown(folder)));
    }
    for backup in found {
        let about = match &backup.manifest {
            Ok(manifest) => {
                let spaces: Vec<&str> = manifest.spaces.iter().map(|s| s.key.as_str()).collect();
                format!(
                    "{}  {}  {}  {}",
                    number::count(manifest.items, "item"),
                    number::bytes(backup.bytes),
                    manifest.host,
                    spaces.join(" ")
                )
            }
            Err(error) => format!("{error} {}", error.hint()),
        };
        say(&format!("{}  {}\n", backup.name, scrub(&about)));
    }
    Ok(Exit::Done)
}

/// Checks backups and prints a line for each.
fn verify_backups(names: &[String], folder: &Path) -> Result<Exit, Failure> {
    let names = if names.is_empty() {
        found_backups(folder)?
            .into_iter()
            .map(|backup| backup.name)
            .collect()
    } else {
        names.to_vec()
    };
    if names.is_empty() {
        say(&format!("No backups in {}.\n", shown(folder)));
    }
    let mut exit = Exit::Done;
    for name in names {
        let line = match backups::verify(folder, &name) {
            Some(Ok(manifest)) => format!(
                "{}, {}, as written",
                number::count(manifest.items, "item"),
                number::count(manifest.files.len() as u64, "file")
            ),
            Some(Err(error)) => {
                exit = Exit::Failed;
                format!("{error} {}", error.hint())
            }
            None => {
                exit = Exit::Failed;
                "There is no such backup. coracle backup list shows those there are.".to_owned()
            }
        };
        say(&format!("{}: {}\n", scrub(&name), scrub(&line)));
    }
    Ok(exit)
}

/// The journals of all profiles, in the order of their names.
fn journals(state: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for group in ["profiles", "urls"] {
        let entries = match std::fs::read_dir(state.join(group)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let journal = entry?.path().join(JOURNAL);
            if journal.is_file() {
                found.push(journal);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The keys in effect, by place: keys, the verb's name for the configuration, what it does.
fn key_table(keymap: &Keymap) -> String {
    let mut table = String::new();
    for context in Context::ALL {
        let here: Vec<_> = VERBS
            .iter()
            .filter(|verb| verb.contexts.contains(&context))
            .collect();
        if here.is_empty() {
            continue;
        }
        if !table.is_empty() {
            table.push('\n');
        }
        let _ = writeln!(table, "{}  [keys.{}]", context.title(), context.name());
        for verb in here {
            let keys = keymap.keys_of(&[context], verb.action).join("  ");
            let keys = if keys.is_empty() { "–" } else { &keys };
            let _ = writeln!(table, "  {keys:<22}  {:<18}  {}", verb.name, verb.title);
        }
    }
    table
}

/// Whether there is a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Yes,
    No,
}

fn configuration(cli: &Cli, paths: &Paths) -> Result<(Config, There), Failure> {
    match config::load(paths)? {
        Some(config) => Ok((config, There::Yes)),
        None if cli.config.is_some() => Err(Failure::new(
            Exit::Usage,
            format!("There is no configuration {}.", shown(&paths.config)),
        )),
        None => Ok((Config::default(), There::No)),
    }
}

fn keymap(config: &Config, paths: &Paths) -> Result<Keymap, Failure> {
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    for binding in &config.keys {
        match Context::ALL
            .into_iter()
            .find(|context| context.name() == binding.context)
        {
            Some(context) => changes.push(Rebinding {
                context,
                verb: binding.verb.clone(),
                keys: binding.keys.clone(),
            }),
            None => {
                let known: Vec<&str> = Context::ALL.iter().map(|context| context.name()).collect();
                problems.push(format!(
                    "[keys.{}] there is no such place; there are {}.",
                    binding.context,
                    known.join(", ")
                ));
            }
        }
    }
    match Keymap::with(&changes) {
        Ok(keymap) if problems.is_empty() => return Ok(keymap),
        Ok(_) => {}
        Err(errors) => problems.extend(errors.iter().map(ToString::to_string)),
    }
    Err(Failure::new(
        Exit::Usage,
        format!(
            "The keys in {} can't be used.\n{}",
            shown(&paths.config),
            problems.join("\n")
        ),
    ))
}

/// The theme to begin with, and where it is `auto`, what follows the terminal's background.
fn looks(cli: &Cli, config: &Config, paths: &Paths) -> Result<(Theme, Option<ByGround>), Failure> {
    let name = cli.theme.as_deref().unwrap_or(&config.theme);
    let variable = |name: &str| std::env::var(name).ok();
    let depth = screen::depth(variable);
    let own = paths.themes.join(format!("{name}.toml"));
    let plain = !name.contains(['/', '\\']) && !name.starts_with('.');
    let text = std::fs::read_to_string(&own).ok().filter(|_| plain);
    let theme = match &text {
        Some(text) => theme::parse(name, text, depth),
        None => theme::load(name, depth),
    }
    .map_err(|error| Failure::new(Exit::Usage, error.to_string()).hint(error.hint()))?;
    let glyphs = if cli.ascii || config.ascii || screen::is_plain(variable) {
        &theme::ASCII
    } else {
        theme.glyphs
    };
    let asks = name == "auto" && text.is_none() && screen::may_ask(variable);
    let by_ground = asks.then_some(ByGround { depth, glyphs });
    Ok((theme.with_glyphs(glyphs), by_ground))
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

fn open(cli: &Cli, config: &Config, there: There, paths: &Paths) -> Result<Opening, Failure> {
    if cli.demo {
        return Ok(demo(StartMode::Demo));
    }
    if let Some(text) = &cli.url {
        let url = Endpoint::parse(text)
            .map_err(|error| Failure::new(Exit::Usage, &error.message).hint(error.hint()))?;
        return by_url(url, paths);
    }
    let name = match (&cli.profile, &config.default_profile) {
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => match config.profiles.len() {
            1 => config.profiles.keys().next().expect("because there is one"),
            0 if there == There::No => {
                return Ok(demo(StartMode::Welcome {
                    config_path: shown(&paths.config),
                }));
            }
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
                    format!("There are {}.", names(config))
                },
            ),
        );
    };
    Ok(to_profile(
        name,
        profile,
        paths.state.join("profiles").join(name),
    ))
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

fn by_url(url: Endpoint, paths: &Paths) -> Result<Opening, Failure> {
    let mut profile = Profile::new(url);
    if std::env::var_os(TOKEN_VARIABLE).is_some_and(|token| !token.is_empty()) {
        profile.auth = Auth::Token(SecretSource::Env(TOKEN_VARIABLE.to_owned()));
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
    Ok(to_profile(
        &host,
        &profile,
        paths.state.join("urls").join(place),
    ))
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
        }),
        folder: Folder::OfProfile(folder),
    }
}

/// Where a run keeps its files, and whether it may write the journal there.
struct Place {
    folder: PathBuf,
    journal: JournalAccess,
    /// Who else holds it, in words.
    holder: String,
}

fn hold(folder: &Path) -> Result<Place, Failure> {
    match lock::take(folder).map_err(|error| no_state(folder, &error))? {
        Hold::Ours(lock) => Ok(ours(folder, lock)),
        Hold::Theirs(holder) => Ok(Place {
            folder: folder.to_owned(),
            journal: JournalAccess::ReadOnly,
            holder,
        }),
    }
}

/// A folder for a demo: each run has a wiki of its own, so it has a journal of its own, and what an
/// earlier one left is about a wiki that is gone.
fn hold_demo(state: &Path) -> Result<Place, Failure> {
    for number in 1..=DEMOS {
        let folder = state.join(format!("demo-{number}"));
        let Hold::Ours(lock) = lock::take(&folder).map_err(|error| no_state(&folder, &error))?
        else {
            continue;
        };
        files::clear_folder(&folder, lock::FILE).map_err(|error| no_state(&folder, &error))?;
        return Ok(ours(&folder, lock));
    }
    Err(Failure::new(
        Exit::Failed,
        format!("{DEMOS} demos are running already."),
    ))
}

fn ours(folder: &Path, lock: ProfileLock) -> Place {
    // Held until the process is gone, however it ends.
    std::mem::forget(lock);
    Place {
        folder: folder.to_owned(),
        journal: JournalAccess::Write,
        holder: String::new(),
    }
}

fn no_state(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("Nothing can be kept in {}.", shown(folder)),
    )
    .caused_by(error)
    .hint("coracle --print-paths says where things are kept.")
}

fn shown(path: &Path) -> String {
    scrub(&path.to_string_lossy())
}
