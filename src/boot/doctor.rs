//! `coracle doctor` and `coracle bugreport`: runs all checks and tells what they found.
//!
//! Prints no escapes, to whatever it prints, but for the question that a terminal is asked.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::opening::{Chosen, Which, choose};
use super::settings::{There, looks, no_state, shown};
use crate::cli::{BugreportArgs, Cli, DoctorArgs};
use crate::config::trust::Untrusted;
use crate::config::{self, Auth, Config, Paths, Profile, Unusable};
use crate::doctor::{self, Blame, Check, Finding, Verdict};
use crate::report::{Exit, Failure, say, scrub};
use crate::secret::{self, RunCommand, SecretSource};
use crate::shell::{clock, examine, files};

/// How many lines of the log go into a bug report.
const LOG_LINES: usize = 200;

/// How much of the end of the log is looked at for them, in bytes.
const LOG_BYTES: usize = 256 * 1024;

/// Checks everything and tells it, a line each.
pub(super) fn doctor(cli: &Cli, options: &DoctorArgs, paths: &Paths) -> Result<Exit, Failure> {
    let which = Which::named(options.profile.as_ref(), options.url.as_ref());
    let is_json = options.json;
    let mut printed = Ok(());
    let mut lines = doctor::Lines::default();
    let checked = check(cli, &which, paths, &mut |finding| {
        if !is_json && printed.is_ok() {
            printed = say(&lines.found(finding));
        }
    })?;
    printed?;
    say(&lines.end())?;
    let exit = exit(&checked.findings);
    if is_json {
        say(&format!("{:#}\n", checked.json(paths, exit)))?;
    } else {
        say(&format!("{}\n", doctor::summary(&checked.findings)))?;
    }
    Ok(exit)
}

/// All that was found.
struct Checked {
    findings: Vec<Finding>,
    /// The configuration, if it is usable.
    config: Option<Config>,
    /// The profile that was checked, by its name.
    profile: Option<(String, Box<Profile>)>,
}

impl Checked {
    fn json(&self, paths: &Paths, exit: Exit) -> serde_json::Value {
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|finding| {
                let mut told = json!({
                    "check": finding.check.name(),
                    "verdict": finding.verdict,
                    "says": finding.says,
                    "hint": finding.hint,
                });
                if let Some(certificate) = &finding.certificate {
                    told["certificate"] = json!(certificate);
                }
                told
            })
            .collect();
        json!({
            "coracle": env!("CARGO_PKG_VERSION"),
            "config": shown(&paths.config),
            "profile": self.profile.as_ref().map(|(name, _)| name),
            "url": self.profile.as_ref().map(|(_, profile)| profile.url.as_str()),
            "checks": findings,
            "exit": exit.code(),
        })
    }
}

/// The exit code that goes with what was found.
fn exit(findings: &[Finding]) -> Exit {
    match doctor::blame(findings) {
        None => Exit::Done,
        Some(Blame::Config) => Exit::Usage,
        Some(Blame::SignIn) => Exit::SignIn,
        Some(Blame::Server) => Exit::Server,
        Some(Blame::Machine) => Exit::Failed,
    }
}

fn check(
    cli: &Cli,
    which: &Which,
    paths: &Paths,
    tell: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked, Failure> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut keep = |finding: Finding| {
        tell(&finding);
        findings.push(finding);
    };
    let path = shown(&paths.config);
    let mut open_config = None;
    let config = match config::read(paths) {
        Ok(Some(config)) => {
            let profiles = crate::text::number::count(config.profiles.len() as u64, "profile");
            keep(Finding::ok(Check::Config, format!("{path}, {profiles}")));
            Some((config, There::Yes))
        }
        Ok(None) if cli.config.is_some() => {
            keep(Finding::failed(
                Check::Config,
                format!("There is no configuration {path}."),
                "Check the path behind --config.",
            ));
            None
        }
        Ok(None) => {
            keep(Finding::note(
                Check::Config,
                format!("There is none at {path}."),
                "Start coracle: it offers to make one, and tests the connection first.",
            ));
            Some((Config::default(), There::No))
        }
        Err(Unusable::Unreadable(error)) => {
            keep(Finding::failed(
                Check::Config,
                format!("{path} could not be read: {error}."),
                config::unreadable_hint(&error),
            ));
            None
        }
        Err(Unusable::Untrusted(untrusted)) => {
            if let Untrusted::Writable { path, mode, .. } = &untrusted {
                let (path, mode) = (path.clone(), *mode);
                open_config = Some(doctor::local::Entry { path, mode });
            }
            keep(Finding::failed(
                Check::Config,
                format!("It is not used: {untrusted}."),
                untrusted.hint(),
            ));
            None
        }
        Err(Unusable::Wrong { text, problems }) => {
            for problem in &problems {
                let (line, column) = problem.place(&text);
                keep(Finding::failed(
                    Check::Config,
                    format!("{path}:{line}:{column}: {}", problem.message),
                    problem
                        .hint
                        .as_deref()
                        .unwrap_or("config.example.toml shows every setting."),
                ));
            }
            None
        }
    };
    if let Some((config, _)) = &config
        && let Err(failure) = looks(cli, config, paths)
    {
        keep(Finding::failed(
            Check::Config,
            failure.error,
            failure.hint.unwrap_or_default(),
        ));
    }
    keep(examine::modes(paths, open_config));
    keep(examine::state(paths));
    let mut profile = None;
    if let Some((config, there)) = &config {
        match choose(which, config, *there, paths)? {
            Chosen::Server {
                name,
                profile: chosen,
                ..
            } => {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| {
                        Failure::new(Exit::Failed, "The checks could not begin.").caused_by(&error)
                    })?;
                runtime.block_on(examine::server(&chosen, runner(), &mut keep));
                // A name that is still being looked up must not keep us.
                runtime.shutdown_background();
                profile = Some((name, chosen));
            }
            Chosen::Demo | Chosen::Welcome => {
                keep(Finding::skipped(
                    Check::Connection,
                    "No server is configured.",
                ));
            }
        }
    }
    let config = config.map(|(config, _)| config);
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        let defaults = Config::default();
        examine::terminal(config.as_ref().unwrap_or(&defaults))
            .into_iter()
            .for_each(&mut keep);
    } else {
        doctor::terminal::none().into_iter().for_each(&mut keep);
    }
    Ok(Checked {
        findings,
        config,
        profile,
    })
}

/// Writes a bug report and says where it is.
pub(super) fn bug_report(
    cli: &Cli,
    options: &BugreportArgs,
    paths: &Paths,
) -> Result<Exit, Failure> {
    let which = Which::named(options.profile.as_ref(), options.url.as_ref());
    let checked = check(cli, &which, paths, &mut |_| {})?;
    let now = clock::time_of_day();
    let mut text = format!(
        "Bug report of coracle, {now:.0}\n\n\
         It names servers, profiles, spaces (a personal one by the name of its user) and paths. Your home\n\
         folder stands in it as ~, your names as <user>, this machine as <machine>. No secret is in it.\n\
         Read it before you send it.\n\n\
         ## Versions\ncoracle {}\n{} {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
    );
    for variable in [
        "TERM",
        "COLORTERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "LANG",
    ] {
        let value = std::env::var(variable).unwrap_or_default();
        let _ = writeln!(text, "{variable}={}", scrub(&value));
    }
    text.push_str("\n## Checks\n");
    let mut lines = doctor::Lines::default();
    for finding in &checked.findings {
        text.push_str(&lines.found(finding));
    }
    text.push_str(&lines.end());
    text.push_str("\n## Configuration\n");
    match &checked.config {
        Some(config) => text.push_str(&config::redacted(config)),
        None => text.push_str("It can't be used; see the checks.\n"),
    }
    let _ = writeln!(text, "\n## The last {LOG_LINES} lines of the log");
    for line in last_lines(&paths.log) {
        let _ = writeln!(text, "{}", scrub(&line));
    }
    let text = without_names(&without_secrets(text, &checked), &names(&checked));
    let path = match &options.output {
        Some(path) => path.clone(),
        None => {
            files::make_folder(&paths.state).map_err(|error| no_state(&paths.state, &error))?;
            let stamp = now.strftime("%Y%m%dT%H%M%S%3f");
            paths.state.join(format!("bugreport-{stamp}.txt"))
        }
    };
    files::create_new(&path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(|error| {
            Failure::new(
                Exit::Failed,
                format!("The report could not be written to {}.", shown(&path)),
            )
            .caused_by(&error)
            .hint("Name another file with --output.")
        })?;
    say(&format!("{}\n", shown(&path)))?;
    Ok(Exit::Done)
}

/// The end of the log, also where it has just begun a new file.
fn last_lines(log: &std::path::Path) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let older = log.with_added_extension("1");
    for path in [older, PathBuf::from(log)] {
        let Ok(bytes) = files::read(&path) else {
            continue;
        };
        let from = bytes.len().saturating_sub(LOG_BYTES);
        let text = String::from_utf8_lossy(&bytes[from..]);
        lines.extend(text.lines().skip(usize::from(from > 0)).map(str::to_owned));
    }
    let skip = lines.len().saturating_sub(LOG_LINES);
    lines.split_off(skip)
}

/// Takes out what must not be in it whatever has happened: every secret that can be had without
/// asking anybody, wherever it may stand.
fn without_secrets(text: String, checked: &Checked) -> String {
    let mut text = Zeroizing::new(text);
    let configured = checked
        .config
        .iter()
        .flat_map(|config| config.profiles.values());
    let used = checked.profile.iter().map(|(_, profile)| &**profile);
    for profile in configured.chain(used) {
        let source = match &profile.auth {
            Auth::Anonymous => continue,
            Auth::Token(source) => source,
            Auth::Basic { password, .. } => password,
        };
        for secret in at_hand(source) {
            text = Zeroizing::new(text.replace(secret.expose_secret(), "…"));
        }
    }
    std::mem::take(&mut *text)
}

/// What a report has no use for, each with what stands in its place: where home is, whose this
/// machine is, and what it is called.
fn names(checked: &Checked) -> Vec<(String, &'static str)> {
    let variable = |name: &str| std::env::var(name).ok();
    let home = variable("HOME").filter(|home| home.len() > 1);
    let mut users: Vec<String> = ["USER", "LOGNAME"]
        .into_iter()
        .filter_map(variable)
        .collect();
    users.extend(home.as_deref().and_then(|home| {
        let name = std::path::Path::new(home).file_name()?;
        name.to_str().map(str::to_owned)
    }));
    let configured = checked
        .config
        .iter()
        .flat_map(|config| config.profiles.values());
    let used = checked.profile.iter().map(|(_, profile)| &**profile);
    for profile in configured.chain(used) {
        if let Auth::Basic { user, .. } = &profile.auth {
            users.push(user.clone());
        }
    }
    // As the server has it: "asmith (Alice Smith)".
    let is_user =
        |finding: &&Finding| finding.check == Check::User && finding.verdict == Verdict::Ok;
    for finding in checked.findings.iter().filter(is_user) {
        if let Some((name, shown)) = finding.says.split_once(" (") {
            users.extend([name.to_owned(), shown.trim_end_matches(')').to_owned()]);
        }
    }
    let machine = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    // These tell of nobody, and stand for something else in a report.
    let tells = |name: &String| {
        name.len() > 1 && !["root", "coracle", "localhost"].contains(&name.as_str())
    };
    let home = home.map(|home| (home.trim_end_matches('/').to_owned(), "~"));
    let users = users.into_iter().filter(tells).map(|name| (name, "<user>"));
    let machine = std::iter::once(machine)
        .filter(tells)
        .map(|name| (name, "<machine>"));
    home.into_iter().chain(users).chain(machine).collect()
}

/// The text with these names replaced wherever they stand as a word.
fn without_names(text: &str, names: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (name, instead) in names {
        let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (at, found) in text.match_indices(name.as_str()) {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            if before.is_some_and(part_of_word) || after.is_some_and(part_of_word) {
                continue;
            }
            out.push_str(&text[done..at]);
            out.push_str(instead);
            done = at + found.len();
        }
        out.push_str(&text[done..]);
        text = out;
    }
    text
}

/// How a command that gives a secret is run: where there is a terminal, it may ask there.
fn runner() -> RunCommand<'static> {
    if std::io::stdin().is_terminal() {
        &secret::run_on_terminal
    } else {
        &secret::run_apart
    }
}

/// A secret that no program has to be run for: all of its line, and what of it is sent.
fn at_hand(source: &SecretSource) -> Vec<SecretString> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let (false, Ok(runtime)) = (matches!(source, SecretSource::Command(_)), runtime) else {
        return Vec::new();
    };
    let run: RunCommand<'_> = &secret::run_apart;
    let line = runtime.block_on(source.line(run));
    let token = runtime.block_on(source.token(run));
    line.into_iter().chain(token).collect()
}
