//! What is known of a job before it begins.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::consent::Target;
use super::names::JobId;

/// What is known of a job before it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its name.
    pub id: JobId,
    /// What it is called on screen: "Purge 3 items".
    pub title: String,
    /// What it is about.
    pub target: Target,
    /// When it was made.
    pub created: Timestamp,
    /// Who is signed in, where known.
    pub user: Option<String>,
}
