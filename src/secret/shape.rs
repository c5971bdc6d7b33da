//! What a token or a password can look like. What is no token is refused here, before it costs a
//! sign-in that fails; nothing here repeats what it judges.

use secrecy::{ExposeSecret as _, SecretString};

/// More characters than this are no token: no server takes them in a header.
const LONGEST: usize = 8_192;

/// Why something is no token or no password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// There is nothing.
    Empty,
    /// There is a control character in it.
    Control,
    /// A reason that only tokens have.
    Token(&'static str),
}

/// Blanks, and the marks that editors put before a text or that come along when one is copied.
fn is_around(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')
}

/// The token in a line: without what stands around it, and without the `Bearer` of a header.
pub(super) fn token(line: &SecretString) -> Result<SecretString, Unfit> {
    let mut token = line.expose_secret().trim_matches(is_around);
    if let Some((word, rest)) = token.split_at_checked("Bearer".len())
        && word.eq_ignore_ascii_case("Bearer")
        && (rest.is_empty() || rest.starts_with(is_around))
    {
        token = rest.trim_start_matches(is_around);
    }
    if token.is_empty() {
        Err(Unfit::Empty)
    } else if token.chars().any(char::is_control) {
        Err(Unfit::Control)
    } else if token.contains(char::is_whitespace) {
        Err(Unfit::Token("there is a blank inside"))
    } else if !token.is_ascii() {
        Err(Unfit::Token("there are other than ASCII characters in it"))
    } else if token.len() > LONGEST {
        Err(Unfit::Token("it is longer than 8,192 characters"))
    } else {
        Ok(SecretString::from(token))
    }
}

/// The password in a line, which may hold blanks and every letter there is.
pub(super) fn password(line: &SecretString) -> Result<SecretString, Unfit> {
    let password = line.expose_secret().trim_start_matches('\u{feff}');
    if password.trim().is_empty() {
        Err(Unfit::Empty)
    } else if password.chars().any(char::is_control) {
        Err(Unfit::Control)
    } else {
        Ok(SecretString::from(password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token_of(line: &str) -> Result<String, Unfit> {
        token(&SecretString::from(line)).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn what_stands_around_a_token_goes_and_what_is_none_is_refused() {
        for line in [
            "NjY2+/=",
            "\u{feff}NjY2+/=",
            " \tNjY2+/= ",
            "Bearer NjY2+/=",
            "\u{feff} BEARER\t NjY2+/=\u{a0}",
        ] {
            assert_eq!(token_of(line).as_deref(), Ok("NjY2+/="), "{line:?}");
        }
        // Nothing but a word that begins the same way.
        assert_eq!(token_of("Bearerx").as_deref(), Ok("Bearerx"));
        for line in ["", " ", "\u{feff}", "Bearer", "bearer "] {
            assert_eq!(token_of(line), Err(Unfit::Empty), "{line:?}");
        }
        for line in [
            "a b",
            "Authorization: Bearer a",
            "Bearer a b",
            "ä",
            "a\u{200b}b",
        ] {
            assert!(matches!(token_of(line), Err(Unfit::Token(_))), "{line:?}");
        }
        assert_eq!(token_of("a\u{1b}b"), Err(Unfit::Control));
        assert!(token_of(&"a".repeat(LONGEST)).is_ok());
        assert!(token_of(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_password_keeps_its_blanks() {
        let of = |line: &str| {
            password(&SecretString::from(line)).map(|found| found.expose_secret().to_owned())
        };
        assert_eq!(
            of("\u{feff} Grüße an alle ").as_deref(),
            Ok(" Grüße an alle ")
        );
        assert_eq!(of("Bearer x").as_deref(), Ok("Bearer x"));
        assert_eq!(of(" "), Err(Unfit::Empty));
        assert_eq!(of("a\tb"), Err(Unfit::Control));
    }

    proptest! {
        #[test]
        fn whatever_passes_is_one_word_of_ascii(line in any::<String>()) {
            if let Ok(token) = token_of(&line) {
                prop_assert!(!token.is_empty());
                prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{token:?}");
                prop_assert!(line.contains(&token));
                // Judged again it is the same.
                if !token.eq_ignore_ascii_case("bearer") {
                    prop_assert_eq!(token_of(&token), Ok(token));
                }
            }
        }
    }
}
