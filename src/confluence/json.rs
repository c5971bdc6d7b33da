//! An answer as JSON, or why it is none.

use serde::de::DeserializeOwned;

use super::error::{ApiError, ErrorKind};
use crate::text::json;

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|failure| {
        if failure.is_eof() {
            ApiError::new(ErrorKind::Truncated, "The answer ended in the middle.")
        } else {
            ApiError::new(
                ErrorKind::Malformed,
                format!("The answer is not understood: {}.", json::told(&failure)),
            )
        }
    })
}

pub(super) fn not_what(wanted: &str) -> ApiError {
    ApiError::new(
        ErrorKind::Malformed,
        format!("The server answered, but not with {wanted}."),
    )
}
