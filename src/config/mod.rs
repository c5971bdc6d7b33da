//! Configuration: where it is, what it may say, and what is wrong with it.
//!
//! The file is TOML. It is walked by hand, not by serde, so that every problem in it is told at
//! once, each with its line and what was probably meant.

pub mod file;
pub mod paths;
mod problem;
mod read;
mod settings;
pub mod trust;

use std::path::PathBuf;

use secrecy::zeroize::Zeroizing;

use crate::report::{Exit, Failure, scrub};
use crate::secret::SecretSource;

pub use paths::Paths;
pub use problem::Problem;
pub use settings::{Auth, ClientCertificate, Config, KeyBinding, PROFILE_KEYS, Profile, TOP_KEYS};

/// Why a configuration can't be used.
#[derive(Debug)]
pub enum Unusable {
    /// It can't be read.
    Unreadable(std::io::Error),
    /// Others could have written it.
    Untrusted(trust::Untrusted),
    /// It says things that are wrong.
    Wrong {
        /// All of it, which may hold a secret.
        text: Zeroizing<String>,
        /// Everything that is wrong, in the order of the file.
        problems: Vec<Problem>,
    },
}

/// Reads the configuration file. `Ok(None)` when there is none.
pub fn load(paths: &Paths) -> Result<Option<Config>, Failure> {
    let name = scrub(&paths.config.to_string_lossy());
    read(paths).map_err(|unusable| match unusable {
        Unusable::Unreadable(error) => Failure::new(
            Exit::Usage,
            format!("The configuration {name} could not be read."),
        )
        .caused_by(&error)
        .hint(unreadable_hint(&error)),
        Unusable::Untrusted(untrusted) => Failure::new(
            Exit::Usage,
            format!("The configuration is not used: {untrusted}."),
        )
        .hint(untrusted.hint()),
        Unusable::Wrong { text, problems } => failure(&name, &text, &problems),
    })
}

/// What to do about a configuration that can't be read.
pub fn unreadable_hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "Check who may read it.",
        std::io::ErrorKind::InvalidData => "Save it as UTF-8.",
        std::io::ErrorKind::FileTooLarge => {
            "Put a text file there, as config.example.toml is one, or name another with --config."
        }
        _ => "Put a text file there, or name another with --config.",
    }
}

/// The same with what is wrong one by one.
pub fn read(paths: &Paths) -> Result<Option<Config>, Unusable> {
    let name = scrub(&paths.config.to_string_lossy());
    let file = match file::open(&paths.config) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unusable::Unreadable(error)),
    };
    match trust::check(&paths.config, &file) {
        Ok(Ok(())) => {}
        Ok(Err(untrusted)) => return Err(Unusable::Untrusted(untrusted)),
        Err(error) => return Err(Unusable::Unreadable(error)),
    }
    let text = file::bytes_of(&file)
        .and_then(file::into_text)
        .map(Zeroizing::new)
        .map_err(Unusable::Unreadable)?;
    let private = crate::secret::check_private(&name, &file).map_err(|error| error.to_string());
    let folder = paths.config.parent().unwrap_or(std::path::Path::new("."));
    parse(&text, folder, private)
        .map(Some)
        .map_err(|problems| Unusable::Wrong { text, problems })
}

/// A configuration for others to read: of secrets only where they come from, of commands only the
/// program, of proxies only that there is one.
pub fn redacted(config: &Config) -> String {
    use std::fmt::Write as _;
    let source = |source: &SecretSource| match source {
        SecretSource::Command(words) => {
            let program = words.first().map_or("", String::as_str);
            let more = if words.len() > 1 { ", …" } else { "" };
            format!("command [\"{program}\"{more}]")
        }
        SecretSource::Env(variable) => format!("variable {}", variable.name()),
        SecretSource::File(path) => format!("file {}", path.display()),
        SecretSource::Inline(_) => "in the configuration, not shown".to_owned(),
    };
    let path = |path: Option<&PathBuf>| match path {
        Some(path) => path.display().to_string(),
        None => "none".to_owned(),
    };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} = {}", scrub(value));
    };
    line(
        "default_profile",
        config.default_profile.as_deref().unwrap_or("none"),
    );
    line("theme", &config.theme);
    line("ascii", &config.ascii.to_string());
    line("mouse", &config.mouse.to_string());
    line("keyboard_protocol", &config.keyboard_protocol.to_string());
    line("log", config.log.name());
    for binding in &config.keys {
        line(
            &format!("keys.{}.{}", binding.context, binding.verb),
            &binding.keys.join(", "),
        );
    }
    for (name, profile) in &config.profiles {
        line("profile", name);
        line("  url", profile.url.as_str());
        match &profile.auth {
            Auth::Anonymous => line("  sign-in", "none"),
            Auth::Token(token) => line("  token", &source(token)),
            Auth::Basic { password, .. } => {
                line("  user", "one, not shown");
                line("  password", &source(password));
            }
        }
        let ours = profile.client_certificate.as_ref();
        let is_proxied = profile.proxy.is_some();
        line("  ca_file", &path(profile.ca_file.as_ref()));
        line("  client_cert", &path(ours.map(|ours| &ours.certificate)));
        line(
            "  client_key",
            &path(ours.and_then(|ours| ours.key.as_ref())),
        );
        line(
            "  proxy",
            if is_proxied { "one, not shown" } else { "none" },
        );
        line("  no_proxy", &profile.no_proxy.join(", "));
        line("  insecure", &profile.insecure.to_string());
        line("  allow_http", &profile.allow_http.to_string());
        line("  timeout", &format!("{} s", profile.timeout.as_secs()));
        line("  concurrency", &profile.concurrency.to_string());
        line("  read_only", &profile.read_only.to_string());
        line("  protected", &profile.protected.to_string());
        line("  color", profile.color.as_deref().unwrap_or("none"));
    }
    text
}

/// Reads a configuration from its text. Relative paths in it start at `folder`. `private` says
/// whether nobody else can read the file, or else why secrets can't stand in it.
pub fn parse(
    text: &str,
    folder: &std::path::Path,
    private: Result<(), String>,
) -> Result<Config, Vec<Problem>> {
    read::config(text, folder, private)
}

/// All problems of a file as one failure.
pub fn failure(name: &str, text: &str, problems: &[Problem]) -> Failure {
    // Nobody reads more at once, and a file of nothing else would be told for minutes.
    const MOST: usize = 100;
    let told: Vec<String> = problems
        .iter()
        .take(MOST)
        .map(|problem| problem.told(name, text))
        .collect();
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        n if n > MOST => format!("{n} problems, {MOST} of them shown,"),
        n => format!("{n} problems"),
    };
    Failure::new(
        Exit::Usage,
        format!("{count} in the configuration.\n{}", told.join("\n")),
    )
}
