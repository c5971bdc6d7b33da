//! What the screen can show, as far as the environment tells before anything is asked.

use super::clipboard::Through;
use super::terminal::Unbuffered;
use super::writer::{Charset, ThriftyBackend, Traits};
use crate::app::message::Size;
use crate::ui::theme::Depth;

/// A backend for the terminal of this process. Its size is the one that the core knows, which the
/// terminal may already have left: a picture is never of another size than the model it shows.
pub fn backend(size: Size) -> ThriftyBackend<Unbuffered> {
    let variable = |name: &str| std::env::var(name).ok();
    let traits = Traits {
        charset: charset(variable),
        ..Traits::new(depth(variable))
    };
    ThriftyBackend::with_size(Unbuffered, traits, cells(size))
}

/// Which characters the terminal takes, as the locale says: the first of the three variables that is
/// set counts. Where none is, nothing is known of it, and nearly every terminal takes UTF-8.
pub fn charset(variable: impl Fn(&str) -> Option<String>) -> Charset {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    match locale.map(|locale| locale.to_ascii_lowercase()) {
        Some(locale) if !locale.contains("utf-8") && !locale.contains("utf8") => Charset::Ascii,
        Some(_) | None => Charset::Utf8,
    }
}

/// A size as the backend counts it.
pub fn cells(size: Size) -> ratatui::layout::Size {
    ratatui::layout::Size::new(size.width, size.height)
}

/// What stands between the program and the terminal, by the customs of the environment.
pub fn between(variable: impl Fn(&str) -> Option<String>) -> Through {
    if variable("TMUX").is_some_and(|value| !value.is_empty()) {
        Through::Tmux
    } else if variable("TERM").is_some_and(|term| term.starts_with("screen")) {
        Through::Screen
    } else {
        Through::Terminal
    }
}

/// Whether it is the terminal itself that answers a status report: not a program in between, which
/// answers what the terminal has not seen yet. (mosh tells of itself by a variable for ncurses alone.)
pub fn answers_itself(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    let term = variable("TERM").unwrap_or_default();
    !["TMUX", "STY", "ZELLIJ", "NCURSES_NO_UTF8_ACS"]
        .into_iter()
        .any(is_set)
        && !["screen", "tmux", "dumb"]
            .iter()
            .any(|name| term.starts_with(name))
        && !term.is_empty()
}

/// How many colours the terminal has, by the customs of the environment.
pub fn depth(variable: impl Fn(&str) -> Option<String>) -> Depth {
    let term = variable("TERM").unwrap_or_default();
    if variable("NO_COLOR").is_some_and(|value| !value.is_empty())
        || matches!(term.as_str(), "" | "dumb" | "vt100" | "vt102" | "vt220")
        || term.ends_with("-m")
        || term.ends_with("-mono")
    {
        return Depth::Mono;
    }
    if variable("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"))
        || term.ends_with("-direct")
    {
        return Depth::True;
    }
    if term.contains("256color") {
        return Depth::Ansi256;
    }
    Depth::Ansi16
}

/// Whether the terminal is to be asked how light it is: not where there is no colour to choose, nor
/// where it doesn't know the question (the Linux console shows a part of it).
pub fn may_ask(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    depth(&variable) != Depth::Mono && !matches!(term.as_str(), "linux" | "cons25" | "ansi")
}

/// Whether the terminal is to be asked how it reports keys: not where it is known to be an old one.
pub fn may_ask_of_keys(variable: impl Fn(&str) -> Option<String>) -> bool {
    !variable("TERM").unwrap_or_default().is_empty() && !is_plain(variable)
}

/// Whether the terminal has no more glyphs than those of ASCII, for all that its name and the locale
/// tell.
pub fn draws_plain(variable: impl Fn(&str) -> Option<String>) -> bool {
    is_plain(&variable) || charset(&variable) == Charset::Ascii
}

/// Whether the name of the terminal tells that it is an old one.
fn is_plain(variable: impl Fn(&str) -> Option<String>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    matches!(
        term.as_str(),
        "dumb" | "linux" | "cons25" | "ansi" | "vt52" | "vt100" | "vt102" | "vt220"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_that_the_environment_promises() {
        for (variables, expected) in [
            (&[("TERM", "xterm")][..], Depth::Ansi16),
            (&[("TERM", "xterm-256color")], Depth::Ansi256),
            (
                &[("TERM", "tmux-256color"), ("COLORTERM", "truecolor")],
                Depth::True,
            ),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
                Depth::Mono,
            ),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Depth::Ansi16),
            (&[("TERM", "dumb")], Depth::Mono),
            (
                &[("TERM", "vt100"), ("COLORTERM", "truecolor")],
                Depth::Mono,
            ),
            (&[], Depth::Mono),
        ] {
            let found = depth(|name| {
                let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
                Some((*value).to_owned())
            });
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn a_locale_without_utf_8_gets_ascii_and_the_first_variable_that_is_set_counts() {
        for (variables, expected) in [
            (&[][..], Charset::Utf8),
            (&[("LANG", "C.UTF-8")], Charset::Utf8),
            (&[("LANG", "en_US.utf8")], Charset::Utf8),
            (&[("LANG", "C")], Charset::Ascii),
            (&[("LANG", "POSIX")], Charset::Ascii),
            (&[("LANG", "de_DE.ISO-8859-1")], Charset::Ascii),
            (&[("LANG", "de_DE")], Charset::Ascii),
            (&[("LANG", "C"), ("LC_CTYPE", "en_GB.UTF-8")], Charset::Utf8),
            (
                &[("LC_CTYPE", "en_GB.UTF-8"), ("LC_ALL", "C")],
                Charset::Ascii,
            ),
            (&[("LC_ALL", ""), ("LANG", "C.UTF-8")], Charset::Utf8),
        ] {
            let variable = |name: &str| {
                let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
                Some((*value).to_owned())
            };
            assert_eq!(charset(variable), expected, "{variables:?}");
            assert_eq!(
                draws_plain(|name| variable(name).or((name == "TERM").then(|| "xterm".to_owned()))),
                expected == Charset::Ascii,
                "{variables:?}"
            );
        }
    }

    #[test]
    fn only_terminals_with_colours_that_know_the_question_are_asked() {
        for (term, no_color, expected) in [
            ("xterm-256color", "", true),
            ("screen", "", true),
            ("xterm-256color", "1", false),
            ("linux", "", false),
            ("dumb", "", false),
        ] {
            let asked = may_ask(|name| match name {
                "TERM" => Some(term.to_owned()),
                "NO_COLOR" => Some(no_color.to_owned()),
                _ => None,
            });
            assert_eq!(asked, expected, "{term} {no_color}");
        }
    }

    #[test]
    fn what_answers_for_the_terminal_is_not_asked_for_it() {
        for (variables, expected) in [
            (&[("TERM", "xterm-256color")][..], true),
            (&[("TERM", "linux")], true),
            (&[("TERM", "tmux-256color")], false),
            (&[("TERM", "screen")], false),
            (
                &[
                    ("TERM", "xterm-256color"),
                    ("TMUX", "/tmp/tmux-0/default,1,0"),
                ],
                false,
            ),
            (&[("TERM", "xterm"), ("STY", "1.pts-0")], false),
            (
                &[("TERM", "xterm-256color"), ("NCURSES_NO_UTF8_ACS", "1")],
                false,
            ),
            (&[("TERM", "dumb")], false),
            (&[], false),
        ] {
            let found = answers_itself(|name| {
                let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
                Some((*value).to_owned())
            });
            assert_eq!(found, expected, "{variables:?}");
        }
    }

    #[test]
    fn only_terminals_that_may_know_of_it_are_asked_of_keys() {
        for (term, expected) in [
            ("xterm-256color", true),
            ("xterm-kitty", true),
            ("tmux-256color", true),
            ("linux", false),
            ("vt100", false),
            ("dumb", false),
            ("", false),
        ] {
            let asked = may_ask_of_keys(|name| (name == "TERM").then(|| term.to_owned()));
            assert_eq!(asked, expected, "{term}");
        }
    }
}
