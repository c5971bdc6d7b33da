//! Other programs: the editor and the browser of the user.
//!
//! They are named by variables that hold a command line. It is split into words here, without a
//! shell in between, and they get no secret of ours.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::clock::Clock;
use super::files;
use crate::app::message::Ticket;
use crate::secret::program;

/// A text in somebody's editor. The file is gone when this is dropped.
#[derive(Debug)]
pub struct EditorVisit {
    path: PathBuf,
    program: String,
    ends_with_break: bool,
    begins_with_mark: bool,
}

/// The mark of a byte order, which some editors put before what they save.
const BYTE_ORDER_MARK: char = '\u{feff}';

impl EditorVisit {
    /// Writes `text` into a new file of `folder` and opens the user's editor on it. The terminal
    /// must have been given back already.
    pub fn start(folder: &Path, ticket: Ticket, text: &str) -> Result<(Self, Child), String> {
        let line = ["VISUAL", "EDITOR"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|line| !line.trim().is_empty())
            .unwrap_or_else(|| "vi".to_owned());
        let words = words(&line).ok_or_else(|| {
            format!("$VISUAL or $EDITOR has a quotation mark without its partner: {line}")
        })?;
        let path = folder.join(format!("edit-{}-{}.txt", std::process::id(), ticket.0));
        let visit = Self {
            path,
            program: words.first().cloned().unwrap_or_default(),
            ends_with_break: text.ends_with('\n'),
            begins_with_mark: text.starts_with(BYTE_ORDER_MARK),
        };
        files::make_folder(folder)
            .and_then(|()| files::create_new(&visit.path))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("The text could not be written for the editor: {error}."))?;
        let child = program::command(&visit.program)
            .args(&words[1..])
            .arg(&visit.path)
            .spawn()
            .map_err(|error| {
                format!(
                    "The editor `{}` could not be started: {error}. Set EDITOR to one that is there.",
                    visit.program
                )
            })?;
        Ok((visit, child))
    }

    /// What the editor left behind.
    pub fn finish(self, status: io::Result<std::process::ExitStatus>) -> Result<String, String> {
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Err(format!(
                    "The editor `{}` ended with {}; the text is as it was.",
                    self.program,
                    crate::report::ended(status)
                ));
            }
            Err(error) => {
                return Err(format!(
                    "The editor `{}` was lost: {error}; the text is as it was.",
                    self.program
                ));
            }
        }
        let mut text = String::new();
        std::fs::File::open(&self.path)
            .and_then(|mut file| file.read_to_string(&mut text))
            .map_err(|error| {
                format!("What the editor saved could not be read: {error}. The text is as it was.")
            })?;
        if !self.begins_with_mark && text.starts_with(BYTE_ORDER_MARK) {
            text.remove(0);
        }
        if !self.ends_with_break && text.ends_with('\n') {
            // Editors end a file with a line break; the text had none.
            text.pop();
        }
        Ok(text)
    }
}

impl Drop for EditorVisit {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A browser that fails this soon after its start, in milliseconds, has not shown the page. Later
/// somebody may have closed it.
const SHOWN: u64 = 10_000;

/// Opens an address in a browser. `Err` says why there is none to open it in; `failed` is told if one
/// was started and could not do it.
pub fn open_in_browser(
    address: &str,
    clock: Clock,
    failed: impl FnOnce(String) + Send + 'static,
) -> Result<(), String> {
    let safe = url::Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !safe {
        return Err("Only addresses of the web are opened.".to_owned());
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    // As others have it: several browsers, of which the first that is there is taken.
    let candidates: Vec<Vec<String>> = match std::env::var("BROWSER") {
        Ok(line) if !line.trim().is_empty() => line
            .split(':')
            .filter(|line| !line.trim().is_empty())
            .map(|line| {
                words(line).ok_or_else(|| {
                    format!("$BROWSER has a quotation mark without its partner: {line}")
                })
            })
            .collect::<Result<_, _>>()?,
        _ if cfg!(target_os = "macos") => vec![vec!["open".to_owned()]],
        _ if set("DISPLAY") || set("WAYLAND_DISPLAY") => vec![vec!["xdg-open".to_owned()]],
        _ => Vec::new(),
    };
    let mut why = "There is no browser here; set BROWSER to name one.".to_owned();
    for mut command in candidates {
        let mut named = false;
        for word in &mut command {
            if word.contains("%s") {
                *word = word.replace("%s", address);
                named = true;
            }
        }
        if !named {
            command.push(address.to_owned());
        }
        let name = command[0].clone();
        let started = program::command(&name)
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                why = format!("`{name}` could not be started: {error}.");
                continue;
            }
        };
        let begun = clock.now();
        // Somebody has to take its exit code, or it stays as a zombie as long as we live.
        let _ = std::thread::Builder::new()
            .name("browser".to_owned())
            .spawn(move || {
                if let Ok(status) = child.wait()
                    && !status.success()
                    && clock.now().since(begun) < SHOWN
                {
                    failed(format!(
                        "`{name}` ended with {}.",
                        crate::report::ended(status)
                    ));
                }
            });
        return Ok(());
    }
    Err(why)
}

/// The words of a command line as a shell would split them; `None` when a quotation is not closed.
/// Never empty.
fn words(line: &str) -> Option<Vec<String>> {
    shlex::split(line).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_split_as_in_a_shell_but_not_run_by_one() {
        assert_eq!(
            words("code --wait '/a b/$HOME' \"c d\""),
            Some(
                ["code", "--wait", "/a b/$HOME", "c d"]
                    .map(str::to_owned)
                    .to_vec()
            )
        );
        assert_eq!(words("vi 'x"), None);
        assert_eq!(words("  "), None);
    }

    #[test]
    fn the_mark_of_a_byte_order_that_an_editor_puts_before_a_text_is_no_part_of_it() {
        use std::os::unix::process::ExitStatusExt as _;
        let home = tempfile::tempdir().expect("a folder for the test");
        let edited = |before: &str, saved: &str| {
            let path = home.path().join("edit.txt");
            std::fs::write(&path, saved).expect("what the editor saved");
            let visit = EditorVisit {
                path,
                program: "vi".to_owned(),
                ends_with_break: before.ends_with('\n'),
                begins_with_mark: before.starts_with(BYTE_ORDER_MARK),
            };
            visit.finish(Ok(std::process::ExitStatus::from_raw(0)))
        };
        assert_eq!(edited("a", "\u{feff}b\n").as_deref(), Ok("b"));
        assert_eq!(edited("a", "b\u{feff}\n").as_deref(), Ok("b\u{feff}"));
        // One that was there before stays.
        assert_eq!(
            edited("\u{feff}a", "\u{feff}b\n").as_deref(),
            Ok("\u{feff}b")
        );
    }

    #[test]
    fn only_the_web_is_opened() {
        for address in ["file:///etc/passwd", "javascript:alert(1)", "-x", ""] {
            let opened = open_in_browser(address, Clock::start(), |_| {});
            assert!(opened.is_err(), "{address}");
        }
    }
}
