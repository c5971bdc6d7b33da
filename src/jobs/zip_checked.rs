//! What was found in a file that the server made.

use serde::{Deserialize, Serialize};

use crate::confluence::ContentId;

/// What was found in a file that the server made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZipFound {
    /// Its length.
    pub bytes: u64,
    /// How many attached files are in it.
    pub files: u64,
}

/// What was found in it, and what of what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZipChecked {
    /// What it is.
    pub found: ZipFound,
    /// What of what was expected is in it.
    pub held: Held,
}

/// Something that has to be in a file, in this version or a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// Its id.
    pub id: ContentId,
    /// Its version, where that was told.
    pub version: Option<u64>,
    /// Whether it has bytes of its own, as an attached file has.
    pub bytes: Bytes,
}

/// The bytes of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bytes {
    /// It has none: a page, a comment.
    #[default]
    None,
    /// It is an attached file; so long, where that was told.
    File(Option<u64>),
}

/// What of what was expected is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Whether that could be seen.
    pub is_known: bool,
    /// What is not in it.
    pub missing: Vec<ContentId>,
    /// What is in it as it was before.
    pub older: Vec<ContentId>,
    /// The attached files whose rows are in it and whose bytes are not, or not as many as were told.
    #[serde(default)]
    pub hollow: Vec<ContentId>,
}

impl Default for Held {
    /// Of something of which nothing is expected.
    fn default() -> Self {
        Self {
            is_known: true,
            missing: Vec::new(),
            older: Vec::new(),
            hollow: Vec::new(),
        }
    }
}
