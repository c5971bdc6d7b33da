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

/// What of what was expected is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Whether that could be seen.
    pub is_known: bool,
    /// What is not in it.
    pub missing: Vec<ContentId>,
    /// What is in it as it was before.
    pub older: Vec<ContentId>,
}

impl Default for Held {
    /// Of something of which nothing is expected.
    fn default() -> Self {
        Self {
            is_known: true,
            missing: Vec::new(),
            older: Vec::new(),
        }
    }
}
