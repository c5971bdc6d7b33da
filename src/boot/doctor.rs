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
use super::{There, say, shown};
use crate::cli::{BugreportArgs, DoctorArgs};
use crate::config::{self, Auth, Config, Paths, Profile, Unusable};
use crate::doctor::{self, Blame, Check, Finding};
use crate::report::{Exit, Failure, scrub};
use crate::secret::SecretSource;
use crate::shell::{clock, examine, files};

/// How many lines of the log go into a bug report.
const LOG_LINES: usize = 200;

/// How much of the end of the log is looked at for them, in bytes.
const LOG_BYTES: usize = 256 * 1024;

/// Checks everything and tells it, a line each.
pub(super) fn doctor(options: &DoctorArgs, paths: &Paths, is_named: bool) -> Result<Exit, Failure> {
    let which = Which::named(options.profile.as_ref(), options.url.as_ref());
    let is_json = options.json;
    let checked = check(&which, paths, is_named, &mut |finding| {
        if !is_json {
            say(&format!("{}\n", finding.told()));
        }
    })?;
    let exit = exit(&checked.findings);
    if is_json {
        say(&format!("{:#}\n", checked.json(paths, exit)));
    } else {
        say(&format!("{}\n", doctor::summary(&checked.findings)));
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
    which: &Which,
    paths: &Paths,
    is_named: bool,
    tell: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked, Failure> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut keep = |finding: Finding| {
        tell(&finding);
        findings.push(finding);
    };
    let path = shown(&paths.config);
    let config = match config::read(paths) {
        Ok(Some(config)) => {
            let profiles = crate::text::number::count(config.profiles.len() as u64, "profile");
            keep(Finding::ok(Check::Config, format!("{path}, {profiles}")));
            Some((config, There::Yes))
        }
        Ok(None) if is_named => {
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
                "Check who may read it.",
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
    keep(examine::modes(paths));
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
                runtime.block_on(examine::server(&chosen, &mut keep));
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
    options: &BugreportArgs,
    paths: &Paths,
    is_named: bool,
) -> Result<Exit, Failure> {
    let which = Which::named(options.profile.as_ref(), options.url.as_ref());
    let checked = check(&which, paths, is_named, &mut |_| {})?;
    let now = clock::time_of_day();
    let mut text = format!(
        "Bug report of coracle, {now:.0}\n\n\
         It names servers, spaces and paths, and no secret. Read it before you send it.\n\n\
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
    for finding in &checked.findings {
        let _ = writeln!(text, "{}", finding.told());
    }
    text.push_str("\n## Configuration\n");
    match &checked.config {
        Some(config) => text.push_str(&config::redacted(config)),
        None => text.push_str("It can't be used; see the checks.\n"),
    }
    let _ = writeln!(text, "\n## The last {LOG_LINES} lines of the log");
    for line in last_lines(&paths.log) {
        let _ = writeln!(text, "{}", scrub(&line));
    }
    let text = without_secrets(text, &checked);
    let path = match &options.output {
        Some(path) => path.clone(),
        None => {
            files::make_folder(&paths.state)
                .map_err(|error| super::no_state(&paths.state, &error))?;
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
    say(&format!("{}\n", shown(&path)));
    Ok(Exit::Done)
}

/// The end of the log, also where it has just begun a new file.
fn last_lines(log: &std::path::Path) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let older = log.with_added_extension("1");
    for path in [older, PathBuf::from(log)] {
        let Ok(bytes) = std::fs::read(&path) else {
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
        if let Some(secret) = at_hand(source)
            && !secret.expose_secret().is_empty()
        {
            text = Zeroizing::new(text.replace(secret.expose_secret(), "…"));
        }
    }
    std::mem::take(&mut *text)
}

/// A secret that no program has to be run for.
fn at_hand(source: &SecretSource) -> Option<SecretString> {
    match source {
        SecretSource::Command(_) => None,
        SecretSource::Env(_) | SecretSource::File(_) | SecretSource::Inline(_) => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
            runtime.block_on(source.read()).ok()
        }
    }
}
