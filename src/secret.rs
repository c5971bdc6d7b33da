//! Tokens and passwords: where they come from, and that they go nowhere else.
//!
//! A secret is read from a command, a variable or a file at the time it is needed, kept in memory
//! that is wiped, and never written, logged or shown; [`SecretSource`] tells of itself only where
//! the secret would be found.

mod command;
mod error;
mod lent;
pub mod program;
mod shape;

use std::fmt;
use std::future::Future;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use self::command::{SIZE_LIMIT, command, first_line, not_started, told};
use self::error::VARIABLE;
use self::program::SecretVariable;
use self::shape::Unfit;
use crate::report::scrub;

pub use error::SecretError;
pub use lent::Lent;

/// How long a command may take: somebody may have to unlock a store first.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);

/// Where a secret is to be found.
#[derive(Clone)]
pub enum SecretSource {
    /// The first line that this command prints: a program and its arguments, run without a shell.
    Command(Vec<String>),
    /// A variable of the environment.
    Env(SecretVariable),
    /// The first line of a file that nobody else may read.
    File(PathBuf),
    /// The configuration itself, when nobody else may read it.
    Inline(SecretString),
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(words) => f.debug_tuple("Command").field(&words.first()).finish(),
            Self::Env(variable) => f.debug_tuple("Env").field(&variable.name()).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Inline(_) => f.write_str("Inline"),
        }
    }
}

/// The first line of what a command prints, which is on its way.
pub type Running = Pin<Box<dyn Future<Output = Result<SecretString, SecretError>> + Send>>;

/// What runs a command that prints a secret: whoever asks knows whose the terminal is.
pub type RunCommand<'r> = &'r (dyn Fn(Vec<String>) -> Running + Send + Sync);

impl SecretSource {
    /// Fetches a token: one word, without what may stand around it. May take as long as a person
    /// needs to unlock a store.
    pub async fn token(&self, run: RunCommand<'_>) -> Result<SecretString, SecretError> {
        let line = self.line(run).await?;
        shape::token(&line).map_err(|unfit| self.unfit(unfit))
    }

    /// Fetches a password, which may hold blanks.
    pub async fn password(&self, run: RunCommand<'_>) -> Result<SecretString, SecretError> {
        let line = self.line(run).await?;
        shape::password(&line).map_err(|unfit| self.unfit(unfit))
    }

    fn unfit(&self, unfit: Unfit) -> SecretError {
        let whence = match self {
            Self::Command(words) => {
                format!("`{}`", scrub(words.first().map_or("", String::as_str)))
            }
            Self::Env(variable) => format!("the variable {}", scrub(variable.name())),
            Self::File(path) => scrub(&path.to_string_lossy()),
            Self::Inline(_) => "the configuration".to_owned(),
        };
        match unfit {
            Unfit::Empty => SecretError::Empty(whence),
            Unfit::Control => SecretError::NotText(whence),
            Unfit::Token(why) => SecretError::NotAToken { whence, why },
        }
    }

    /// The line that holds the secret, whatever stands in it.
    pub async fn line(&self, run: RunCommand<'_>) -> Result<SecretString, SecretError> {
        match self {
            Self::Command(words) => run(words.clone()).await,
            Self::Env(variable) => match std::env::var(variable.name()) {
                Ok(value) => first_line(
                    &format!("{VARIABLE}{}", variable.name()),
                    Zeroizing::new(value.into_bytes()),
                ),
                Err(std::env::VarError::NotPresent) => {
                    Err(SecretError::NotSet(variable.name().to_owned()))
                }
                Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::NotText(format!(
                    "the variable {}",
                    variable.name()
                ))),
            },
            Self::File(path) => {
                let path = path.clone();
                match tokio::task::spawn_blocking(move || read_file(&path)).await {
                    Ok(secret) => secret,
                    Err(lost) => Err(SecretError::Unreadable {
                        path: "the file".to_owned(),
                        error: lost.to_string(),
                    }),
                }
            }
            Self::Inline(secret) => Ok(secret.clone()),
        }
    }
}

/// Checks that nobody but its owner can read an open file, and that the owner is us (or root).
pub fn check_private(path: &str, file: &std::fs::File) -> Result<(), SecretError> {
    let unreadable = |error: std::io::Error| SecretError::Unreadable {
        path: path.to_owned(),
        error: error.to_string(),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(SecretError::TooOpen {
            path: path.to_owned(),
            mode,
        });
    }
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        return Err(SecretError::NotOurs(path.to_owned()));
    }
    Ok(())
}

fn read_file(path: &std::path::Path) -> Result<SecretString, SecretError> {
    let name = scrub(&path.to_string_lossy());
    let unreadable = |error: std::io::Error| SecretError::Unreadable {
        path: name.clone(),
        error: error.to_string(),
    };
    // What is checked is what is read, also when the path is a link or changes in between. A pipe
    // must not make us wait.
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unreadable)?;
    check_private(&name, &file)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    file.take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    first_line(&name, bytes)
}

/// Runs a command where there is no terminal to lend to it: it gets no keys, and it is ended when
/// it takes too long.
pub fn run_apart(words: Vec<String>) -> Running {
    Box::pin(async move { run(&words, COMMAND_LIMIT).await })
}

/// Runs a command on the terminal that the program was started on, while nothing of ours is on it.
pub fn run_on_terminal(words: Vec<String>) -> Running {
    Box::pin(async move {
        let program = scrub(words.first().map_or("", String::as_str));
        let ended = tokio::task::spawn_blocking(move || Lent::start(&words)?.finish()).await;
        ended.unwrap_or(Err(SecretError::NotRun(program)))
    })
}

async fn run(words: &[String], limit: Duration) -> Result<SecretString, SecretError> {
    let program = scrub(words.first().map_or("", String::as_str));
    let not_started = |error: std::io::Error| not_started(&program, &error);
    let mut child = tokio::process::Command::from(command(words))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Not in the foreground: it can't take keys or write into the screen by accident.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(not_started)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(limit, async {
        tokio::join!(all_of(stdout), all_of(stderr), child.wait())
    })
    .await;
    let Ok((output, said, status)) = ended else {
        // The whole group: what the command has started would go on otherwise.
        if let Some(pid) = child
            .id()
            .and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
        {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        return Err(SecretError::TookTooLong {
            program,
            seconds: limit.as_secs(),
        });
    };
    let status = status.map_err(not_started)?;
    told(&program, status, output, &said)
}

/// All that comes, up to the limit and one byte.
async fn all_of(stream: Option<impl AsyncRead + Unpin>) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    if let Some(stream) = stream {
        // What could be read until it failed is judged as it is.
        let _ = stream.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use secrecy::ExposeSecret as _;

    fn says(secret: &Result<SecretString, SecretError>, expected: &str) -> bool {
        secret
            .as_ref()
            .is_ok_and(|secret| secret.expose_secret() == expected)
    }

    fn read(source: &SecretSource) -> Result<SecretString, SecretError> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(source.password(&run_apart))
    }

    fn printed_by(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn a_command_gives_its_first_line() {
        assert!(says(
            &read(&printed_by(&["printf", "s3cret\nuser: me\n"])),
            "s3cret"
        ));
        // No shell: what a shell would expand stays as it is.
        assert!(says(
            &read(&printed_by(&["echo", "$HOME `id`"])),
            "$HOME `id`"
        ));
    }

    #[test]
    fn a_failed_command_is_quoted_without_what_it_printed() {
        let error = read(&printed_by(&[
            "sh",
            "-c",
            "echo hunter2; echo locked: hunter2 >&2; exit 3",
        ]))
        .expect_err("it failed");
        let said = format!("{error} {error:?} {}", error.hint());
        assert!(said.contains("locked"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(matches!(
            read(&printed_by(&["/nonexistent/x"])),
            Err(SecretError::NotStarted { .. })
        ));
        assert!(matches!(
            read(&printed_by(&["true"])),
            Err(SecretError::Empty(_))
        ));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let words = ["sh", "-c", "sleep 600 & wait"].map(str::to_owned);
        let secret = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(run(&words, Duration::from_millis(50)));
        assert!(matches!(secret, Err(SecretError::TookTooLong { .. })));
    }

    #[test]
    fn what_a_command_has_started_is_ended_with_it() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let line = home.path().join("line");
        let made = std::process::Command::new("mkfifo").arg(&line).status();
        assert!(made.expect("it runs").success());
        let (tell, told) = std::sync::mpsc::channel();
        let there = line.clone();
        // It ends when nobody holds the other side any more.
        std::thread::spawn(move || {
            let read = std::fs::File::open(there).and_then(|mut line| line.read(&mut [0]));
            let _ = tell.send(read.ok());
        });
        let words = ["sh", "-c", "exec 3>\"$0\"; sleep 600 & wait"];
        let words: Vec<String> = words
            .into_iter()
            .map(str::to_owned)
            .chain([line.to_string_lossy().into_owned()])
            .collect();
        let secret = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(run(&words, Duration::from_secs(2)));
        assert!(matches!(secret, Err(SecretError::TookTooLong { .. })));
        let ended = told.recv_timeout(Duration::from_secs(20));
        assert_eq!(ended, Ok(Some(0)), "something of it goes on");
    }

    #[test]
    fn a_file_must_be_ours_alone_also_behind_a_link() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let (file, link) = (home.path().join("token"), home.path().join("link"));
        std::fs::write(&file, "s3cret\n").expect("a file");
        symlink(&file, &link).expect("a link");
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
            for path in [&file, &link] {
                let secret = read(&SecretSource::File(path.clone()));
                assert_eq!(
                    says(&secret, "s3cret"),
                    fine,
                    "{mode:o} {path:?} {secret:?}"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        for bytes in [&b""[..], b"\n", b"  \n", b"\xff\xfe"] {
            assert!(
                first_line("it", Zeroizing::new(bytes.to_vec())).is_err(),
                "{bytes:?}"
            );
        }
        let control = read(&printed_by(&["printf", "a\\033b\\n"]));
        assert!(
            matches!(control, Err(SecretError::NotText(_))),
            "{control:?}"
        );
        assert!(says(
            &first_line("it", Zeroizing::new(b"a b\r\nc".to_vec())),
            "a b"
        ));
        assert!(first_line("it", Zeroizing::new(vec![b'a'; 70_000])).is_err());
    }

    #[test]
    fn a_source_does_not_show_what_it_holds() {
        let inline = SecretSource::Inline(SecretString::from("hunter2"));
        let shown = format!("{inline:?} {:?}", printed_by(&["print", "hunter2"]));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
