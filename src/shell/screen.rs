//! What the screen can show, as far as the environment tells before anything is asked.

use super::clipboard::Through;
use super::terminal::Unbuffered;
use super::writer::{ThriftyBackend, Traits};
use crate::app::message::Size;
use crate::ui::theme::Depth;

/// A backend for the terminal of this process. Its size is the one that the core knows, which the
/// terminal may already have left: a picture is never of another size than the model it shows.
pub fn backend(size: Size) -> ThriftyBackend<Unbuffered> {
    let depth = depth(|variable| std::env::var(variable).ok());
    ThriftyBackend::with_size(Unbuffered, Traits::new(depth), cells(size))
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

/// Whether the terminal has no more glyphs than those of ASCII, for all that its name tells.
pub fn is_plain(variable: impl Fn(&str) -> Option<String>) -> bool {
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
