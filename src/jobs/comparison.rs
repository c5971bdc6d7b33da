//! What was put back, held against what the backup holds.
//!
//! That a server answers "made" is a claim. The text of a page and of a comment is compared with what a
//! read shows afterwards, by [`compare`]. Of a file the length is compared that the list of the page tells:
//! its check sum was looked at on this machine just before it was sent, and to load each file again would
//! double the way of all of them. Where the server tells no text or no length, it says "not compared".
//!
//! A difference is no failure: it is there, and is told as what it is. What a server shows of text that it
//! has just taken may be older: a difference of something that everybody may read is looked at again
//! before it counts.

use serde::{Deserialize, Serialize};

use crate::text::number;
use crate::text::storage_compare::{Likeness, compare};

/// What is on the server, compared with what the backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Comparison {
    /// It was not read since.
    #[default]
    NotRead,
    Same,
    /// It could not be compared, for this reason: a sentence.
    NotCompared(String),
    /// How it differs: a sentence.
    Differs(String),
}

impl Comparison {
    /// A text that is there; `None`: the server did not give it, or the backup could not be read.
    pub(super) fn of_text(wanted: Option<&str>, there: Option<&str>) -> Self {
        let (Some(wanted), Some(there)) = (wanted, there) else {
            let whose = if wanted.is_none() {
                "The text in the backup could not be read"
            } else {
                "The server did not give its text"
            };
            return Self::NotCompared(format!("{whose}, so it was not compared with the backup."));
        };
        match compare(wanted, there) {
            Likeness::Same => Self::Same,
            Likeness::Broken => Self::Differs(
                "It differs from the backup: what is there is not well-formed, as if it was cut."
                    .to_owned(),
            ),
            Likeness::Other { there: 0, .. } => {
                Self::Differs("It differs from the backup: no text is in it.".to_owned())
            }
            Likeness::Other { wanted, there } if wanted == there => Self::Differs(
                "It differs from the backup: the text is as long and is another one.".to_owned(),
            ),
            Likeness::Other { wanted, there } => Self::Differs(format!(
                "It differs from the backup: {} of text instead of {}.",
                number::count(there, "character"),
                number::grouped(wanted)
            )),
        }
    }

    /// A file that is there, by its length.
    pub(super) fn of_file(wanted: u64, there: Option<u64>) -> Self {
        match there {
            Some(there) if there == wanted => Self::Same,
            Some(there) => Self::Differs(format!(
                "It differs from the backup: {} instead of {}.",
                number::bytes(there),
                number::bytes(wanted)
            )),
            None => Self::NotCompared(
                "The server does not tell its size, so it was not compared with the backup."
                    .to_owned(),
            ),
        }
    }

    /// It could not be read, as the server said this.
    pub(super) fn unread(why: &str) -> Self {
        let why = why.trim_end_matches('.');
        Self::NotCompared(format!(
            "It could not be read again ({why}), so it was not compared with the backup."
        ))
    }
}
