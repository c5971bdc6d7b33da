//! Something that lives on the server, and how far we are with reading it.

use serde::{Deserialize, Serialize};

use super::message::Millis;
use crate::confluence::ApiError;

/// A value from the server. What was read before stays until something newer has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Remote<T> {
    /// Never asked for.
    Absent,
    /// Asked for; `old` is what was read before.
    Loading {
        /// The last value, if there was one.
        old: Option<T>,
        /// When it was asked for.
        since: Millis,
    },
    /// Read.
    Ready {
        /// The value.
        value: T,
        /// When it came.
        at: Millis,
    },
    /// Could not be read; `old` is what was read before.
    Failed {
        /// The last value, if there was one.
        old: Option<T>,
        /// Why not.
        error: ApiError,
        /// When that was known.
        at: Millis,
    },
}

impl<T> Remote<T> {
    /// The newest value that there is, however old.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Absent => None,
            Self::Loading { old, .. } | Self::Failed { old, .. } => old.as_ref(),
            Self::Ready { value, .. } => Some(value),
        }
    }

    /// The failure, if the last read failed.
    pub fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Absent | Self::Loading { .. } | Self::Ready { .. } => None,
        }
    }

    /// Whether an answer is awaited.
    pub fn is_loading(&self) -> bool {
        matches!(self, Self::Loading { .. })
    }

    /// Whether the newest value came at or after `moment`.
    pub fn is_newer_than(&self, moment: Millis) -> bool {
        matches!(self, Self::Ready { at, .. } if *at >= moment)
    }

    /// Notes that the value has been asked for; keeps the old one.
    pub fn begin(&mut self, since: Millis) {
        let old = self.take();
        *self = Self::Loading { old, since };
    }

    /// Takes the outcome of a read; a failure keeps the old value.
    pub fn settle(&mut self, at: Millis, outcome: Result<T, ApiError>) {
        *self = match outcome {
            Ok(value) => Self::Ready { value, at },
            Err(error) => Self::Failed {
                old: self.take(),
                error,
                at,
            },
        };
    }

    /// Forgets that an answer is awaited; keeps the old value, as read `at`.
    pub fn abandon(&mut self, at: Millis) {
        if self.is_loading() {
            *self = match self.take() {
                Some(value) => Self::Ready { value, at },
                None => Self::Absent,
            };
        }
    }

    fn take(&mut self) -> Option<T> {
        match std::mem::replace(self, Self::Absent) {
            Self::Absent => None,
            Self::Loading { old, .. } | Self::Failed { old, .. } => old,
            Self::Ready { value, .. } => Some(value),
        }
    }
}
