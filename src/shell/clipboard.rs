//! Copying to the clipboard of the person's own machine, through the terminal (OSC 52).
//!
//! Pure: it makes the bytes, the shell writes them. It works over SSH, where no other way to the
//! clipboard does; terminals may refuse it silently, so the text is always shown too. The bytes
//! of the text are base64, so nothing in it can reach the terminal as a command.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands between the program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Nothing.
    Terminal,
    /// tmux (`TMUX` is set).
    Tmux,
    /// GNU screen (`TERM` starts with `screen` and `TMUX` isn't set).
    Screen,
}

pub use crate::app::message::COPY_LIMIT as LIMIT;

/// Bytes a piece that GNU screen passes on; its buffer for such strings holds 256 in old versions.
const SCREEN_PIECE: usize = 240;

/// The text is longer than terminals take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The text has {bytes} bytes; at most {LIMIT} can be copied through the terminal.")]
pub struct TooLong {
    /// Bytes of the text.
    pub bytes: usize,
}

impl TooLong {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        "Export it to a file instead."
    }
}

/// The bytes that put a text on the clipboard.
pub fn copy(text: &str, through: Through) -> Result<Vec<u8>, TooLong> {
    if text.len() > LIMIT {
        return Err(TooLong { bytes: text.len() });
    }
    // Ended by BEL: an ESC \ would end screen's wrapping too early.
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes();
    Ok(match through {
        Through::Terminal => plain,
        Through::Tmux => {
            // tmux takes the plain one where it keeps the clipboard itself (set-clipboard on),
            // and hands on the wrapped one where it lets such through (allow-passthrough on).
            let mut bytes = plain.clone();
            bytes.extend_from_slice(b"\x1bPtmux;");
            for byte in plain {
                if byte == 0x1b {
                    bytes.push(byte);
                }
                bytes.push(byte);
            }
            bytes.extend_from_slice(b"\x1b\\");
            bytes
        }
        Through::Screen => plain
            .chunks(SCREEN_PIECE)
            .flat_map(|piece| [b"\x1bP".as_slice(), piece, b"\x1b\\".as_slice()].concat())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_base64_in_osc_52() {
        let bytes = copy("ENG ▸ \x1b[2J", Through::Terminal).unwrap();
        assert_eq!(bytes, b"\x1b]52;c;RU5HIOKWuCAbWzJK\x07");
    }

    #[test]
    fn tmux_gets_it_plain_and_wrapped() {
        let bytes = copy("hi", Through::Tmux).unwrap();
        assert_eq!(
            bytes,
            b"\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
        );
    }

    #[test]
    fn screen_gets_pieces_that_join_to_the_whole() {
        let text = "x".repeat(1000);
        let bytes = copy(&text, Through::Screen).unwrap();
        let wrapped = String::from_utf8(bytes).unwrap();
        let pieces: Vec<_> = wrapped
            .split_terminator("\x1b\\")
            .map(|piece| piece.strip_prefix("\x1bP").unwrap())
            .collect();
        assert!(pieces.len() > 1);
        assert!(pieces.iter().all(|piece| piece.len() <= SCREEN_PIECE));
        assert_eq!(
            pieces.concat().into_bytes(),
            copy(&text, Through::Terminal).unwrap()
        );
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert!(copy(&"x".repeat(LIMIT), Through::Terminal).is_ok());
        let error = copy(&"x".repeat(LIMIT + 1), Through::Terminal).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The text has 74995 bytes; at most 74994 can be copied through the terminal."
        );
    }
}
