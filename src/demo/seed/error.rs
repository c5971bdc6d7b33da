//! What is wrong with a wiki to begin with.

/// A text that is not in the format of this module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct MalformedWiki {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// A wiki that cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Its text is malformed.
    #[error(transparent)]
    Malformed(#[from] MalformedWiki),
    /// Two things in it contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// The database refused it.
    #[error("the database refused it")]
    Database(#[from] rusqlite::Error),
}
