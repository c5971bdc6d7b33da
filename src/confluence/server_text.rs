//! A text of the server that is shown and also sent back or kept: a title, the name of a file, a label.
//!
//! What is drawn must be free of what drives a terminal or hides in a line; what is written to a server
//! or into a backup must be what the server sent, to the byte. One string can't be both, so there are
//! two: whoever shows a [`ServerText`] gets the safe one without asking, whoever writes it asks for
//! [`ServerText::as_sent`], and calls and backups take nothing less.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::plain::scrub;

/// A text as the server sent it. It reads, prints and compares with other strings as it is safe to show;
/// two of them are equal only when the same was sent.
///
/// In files it stands as it was sent.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerText {
    shown: Box<str>,
    /// Where it differs from what is shown.
    sent: Option<Box<str>>,
}

impl ServerText {
    /// A text as the server sent it, or as somebody means to send it.
    pub fn new(sent: impl Into<String>) -> Self {
        let sent = sent.into();
        match scrub(&sent) {
            std::borrow::Cow::Owned(shown) if *shown != *sent => Self {
                shown: shown.into(),
                sent: Some(sent.into()),
            },
            _ => Self {
                shown: sent.into(),
                sent: None,
            },
        }
    }

    /// As it is safe to show.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// To the byte what the server sent. Never goes to a screen.
    pub fn as_sent(&self) -> &str {
        self.sent.as_deref().unwrap_or(&self.shown)
    }
}

impl Deref for ServerText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.shown
    }
}

impl fmt::Display for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl fmt::Debug for ServerText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_sent(), f)
    }
}

impl PartialEq<str> for ServerText {
    fn eq(&self, other: &str) -> bool {
        *self.shown == *other
    }
}

impl PartialEq<&str> for ServerText {
    fn eq(&self, other: &&str) -> bool {
        *self.shown == **other
    }
}

impl Serialize for ServerText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_sent())
    }
}

impl<'de> Deserialize<'de> for ServerText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_safe_and_what_is_sent_is_to_the_byte() {
        let text = ServerText::new("Budget\u{AD}ary \u{202E}plan");
        assert_eq!(text.shown(), "Budgetary plan");
        assert_eq!(text.to_string(), "Budgetary plan");
        assert_eq!(text.as_sent(), "Budget\u{AD}ary \u{202E}plan");
        let plain = ServerText::new("Plan");
        assert_eq!((plain.shown(), plain.as_sent()), ("Plan", "Plan"));
    }

    #[test]
    fn texts_that_look_alike_are_not_the_same() {
        assert_ne!(ServerText::new("Pl\u{200B}an"), ServerText::new("Plan"));
        assert_eq!(ServerText::new("Pl\u{200B}an"), "Plan");
    }

    #[test]
    fn a_file_keeps_what_was_sent() {
        let text = ServerText::new("a\u{200B}b");
        let json = serde_json::to_string(&text).expect("JSON");
        assert_eq!(json, "\"a\u{200B}b\"");
        let back: ServerText = serde_json::from_str(&json).expect("a text");
        assert_eq!(back, text);
    }
}
