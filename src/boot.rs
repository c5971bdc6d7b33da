//! The one place where everything is put together: command line, configuration, terminal, core.

mod backups;
mod doctor;
mod opening;
mod settings;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use jiff::tz::TimeZone;

use self::backups::{list_backups, verify_backups};
use self::opening::{Ready, Which, ready};
use self::settings::{There, configuration, looks, no_state, shown};
use crate::app::action::{Context, VERBS};
use crate::app::keymap::Keymap;
use crate::app::model::{Start, Switched};
use crate::cli::{BackupCommand, Cli, Command, JournalCommand, ReplayArgs};
use crate::config::{self, Paths};
use crate::demo;
use crate::jobs::journal::Verifier;
use crate::report::{self, Exit, Failure, say, scrub};
use crate::shell::clock::Clock;
use crate::shell::disk::each_line;
use crate::shell::folders::JOURNAL;
use crate::shell::query::Question;
use crate::shell::record::{Recorder, Replay, ReplayError};
use crate::shell::run::{Crash, OpenProfile, Session, run};
use crate::shell::terminal::{self, MouseCapture};
use crate::shell::{core_dump, crash, files, log, screen};
use crate::text::number;
use crate::ui::picture;
use crate::ui::theme;

/// Runs the program and says how it ended.
pub fn main() -> ExitCode {
    core_dump::forbid();
    coracle_heap::give_back_large_blocks();
    let clock = Clock::start();
    let code = match command_line().and_then(|cli| match cli {
        Some(cli) => go(clock, &cli),
        None => Ok(Exit::Done.code()),
    }) {
        Ok(code) => code,
        Err(failure) => {
            failure.print();
            failure.exit.code()
        }
    };
    // Not by returning: nothing is left to be done, and nothing is to be waited for.
    std::process::exit(code.into())
}

/// The command line; `None` where it asked for help or the version, which was printed.
fn command_line() -> Result<Option<Cli>, Failure> {
    match Cli::try_parse() {
        Ok(cli) => Ok(Some(cli)),
        Err(error) if error.use_stderr() => error.exit(),
        Err(error) => report::written(error.print()).map(|()| None),
    }
}

fn go(clock: Clock, cli: &Cli) -> Result<u8, Failure> {
    if let Some(option) = cli.stray() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{option} stands before a command, which does not heed it there."),
        )
        .hint("Put it behind the command, if that takes it; its --help says so."));
    }
    let mut paths = Paths::of_platform().ok_or_else(|| {
        Failure::new(Exit::Usage, "There is no home folder to keep things in.").hint("Set HOME.")
    })?;
    if let Some(config) = &cli.config {
        paths.config.clone_from(config);
    }
    if cli.print_paths {
        if cli.demo {
            // Each demo that runs has the next folder.
            paths.of_demo();
        }
        say(&paths.lines())?;
        return Ok(Exit::Done.code());
    }
    match &cli.command {
        Some(Command::Serve(options)) => {
            return demo::serve_blocking(options)
                .map(|signal| Exit::Signal(signal).code())
                .map_err(|error| {
                    Failure::new(Exit::Failed, "The embedded server has ended.")
                        .caused_by(&error)
                        .hint(error.hint())
                });
        }
        Some(Command::Replay(options)) => {
            return replay(options).map(|()| Exit::Done.code());
        }
        Some(Command::Doctor(options)) => {
            return doctor::doctor(cli, options, &paths).map(Exit::code);
        }
        Some(Command::Bugreport(options)) => {
            return doctor::bug_report(cli, options, &paths).map(Exit::code);
        }
        Some(Command::Keys) => {
            let (config, _) = configuration(cli, &paths)?;
            say(&key_table(&config.keymap))?;
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
            "coracle is a program for a terminal, and standard input or output is not one; coracle --help lists the commands that need none.",
        ));
    }
    let (config, there) = configuration(cli, &paths)?;
    let keymap = config.keymap.clone();
    let (theme, by_ground) = looks(cli, &config, &paths)?;
    let which = Which::of(cli);
    let ready = ready(&which, cli.read_only, &config, there, &paths)?;
    log::start(&paths.log, cli.log.unwrap_or(config.log));
    // Where it can't be made, the profile was opened to be read, and says so.
    let _ = files::make_folder(&paths.state);
    crash::install(paths.log.clone());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        profile = ready.opened.switched.profile.name,
        "started"
    );
    let record = match &cli.record {
        Some(path) => Some(Recorder::create(path).map_err(|error| no_recording(path, &error))?),
        None => None,
    };
    let Ready { mode, mut opened } = ready;
    if let Some(target) = &mut opened.target {
        target.ask_before_the_screen();
    }
    let Switched {
        profile,
        writes,
        notice,
        profiles,
    } = opened.switched;
    let scratch = paths.state.join("edit");
    run(Session {
        clock,
        start: Start {
            size: terminal::size(),
            wall: clock.wall(),
            zone: TimeZone::system(),
            mode,
            profile,
            writes,
            keymap,
            notice,
            profiles,
        },
        theme,
        by_ground,
        question: Question {
            ground: by_ground.is_some(),
            keyboard: config.keyboard_protocol
                && screen::may_ask_of_keys(|name| std::env::var(name).ok()),
        },
        mouse: if config.mouse {
            MouseCapture::On
        } else {
            MouseCapture::Off
        },
        folders: opened.folders,
        journal: opened.journal,
        scratch,
        target: opened.target,
        hold: opened.hold,
        config: paths.config.clone(),
        open_profile: opener(cli.read_only, paths),
        record,
        crash: if cli.crash {
            Crash::AtAnotherSize
        } else {
            Crash::Never
        },
    })
}

/// Opens a profile by its name while the program runs. The configuration is read anew, so that
/// what was changed in it meanwhile counts.
fn opener(read_only: bool, paths: Paths) -> OpenProfile {
    Box::new(move |name| {
        let told = |failure: Failure| {
            let mut told = failure.error;
            for more in failure.causes.iter().chain(&failure.hint) {
                told.push(' ');
                told.push_str(more);
            }
            told.replace('\n', " ")
        };
        let config = config::load(&paths).map_err(told)?.unwrap_or_default();
        let which = Which::Profile(name.to_owned());
        ready(&which, read_only, &config, There::Yes, &paths)
            .map(|ready| ready.opened)
            .map_err(told)
    })
}

fn no_recording(path: &Path, error: &std::io::Error) -> Failure {
    let failure = Failure::new(
        Exit::Usage,
        format!("Nothing can be recorded into {}.", shown(path)),
    );
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        failure.hint("There is a file already; name one that is not there yet.")
    } else {
        failure
            .caused_by(error)
            .hint("Name a new file in a folder that is there and that you may write into.")
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
    let text = std::fs::read(&options.file)
        .and_then(config::file::into_text)
        .map_err(|error| failed(&error).hint("Name a file that coracle --record has made."))?;
    let (mut replay, _) = Replay::new(&text).map_err(bad)?;
    let theme = theme::load("dark", theme::Depth::True)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let screen = |replay: &Replay<'_>| picture::text(&picture::frame(&replay.model, &theme));
    let mut last = String::new();
    if options.frames {
        last = screen(&replay);
        say(&format!("── 0 ms\n{last}"))?;
    }
    while let Some(step) = replay.step() {
        let at = step.map_err(bad)?;
        if options.frames {
            let now = screen(&replay);
            if now != last {
                say(&format!("── {} ms\n{now}", number::grouped(at.0)))?;
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
        say(&screen(&replay))?;
    }
    Ok(())
}

/// Checks journals and prints a line for each.
fn verify_journals(files: &[PathBuf], state: &Path) -> Result<Exit, Failure> {
    let found;
    let is_found = files.is_empty();
    let files = if is_found {
        found = journals(state).map_err(|error| no_state(state, &error))?;
        &found
    } else {
        files
    };
    if files.is_empty() {
        say("No journal yet: nothing was written.\n")?;
    }
    let mut exit = Exit::Done;
    for file in files {
        let mut verifier = Verifier::default();
        // What we have found ourselves may be a pipe, which would make us wait.
        let opened = if is_found {
            files::open(file)
        } else {
            File::open(file)
        };
        let read = opened
            .and_then(|file| each_line(file, |line| verifier.push(line).map(|_| ())))
            .map_err(|error| {
                let failure =
                    Failure::new(Exit::Failed, format!("{} could not be read.", shown(file)))
                        .caused_by(&error);
                if is_found {
                    failure.hint("Move it aside: the next start begins a new journal.")
                } else {
                    failure.hint("Name a journal, or none to check all that there are.")
                }
            })?;
        match read.map(|()| verifier.finish()) {
            Ok(verified) => {
                say(&format!(
                    "{}: {}, unbroken\n",
                    shown(file),
                    crate::text::number::count(verified.entries, "entry")
                ))?;
                for aside in verified.set_aside {
                    say(&format!(
                        "  line {} does not count: {}\n",
                        aside.line, aside.why
                    ))?;
                }
            }
            Err(broken) => {
                exit = Exit::Failed;
                say(&format!(
                    "{}: {}\n  {}\n",
                    shown(file),
                    scrub(&broken.to_string()),
                    broken.hint()
                ))?;
            }
        }
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
            if std::fs::symlink_metadata(&journal).is_ok() {
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
