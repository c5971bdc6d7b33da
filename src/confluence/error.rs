//! What can go wrong between us and a server, each with what to do about it.

use serde::{Deserialize, Serialize};

/// A failed call: what happened, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct ApiError {
    /// What sort of failure it is.
    pub kind: ErrorKind,
    /// One line, scrubbed, ends with a period: "No space with key : x."
    pub message: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// All messages of `data.errors`, scrubbed, for forms that put them beside a field.
    pub details: Vec<String>,
}

/// The sorts of failure that the program treats differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorKind {
    /// 400: the server did not take what was sent.
    Invalid,
    /// 401: bad token or password. Never tried again.
    Unauthorized,
    /// 401 or 403 with a CAPTCHA challenge: the account is locked until it is solved.
    CaptchaLock {
        /// Where to solve it.
        login_url: Option<String>,
    },
    /// 402.
    Licence,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405 (or 404 of a whole route): this server has no such operation.
    NoSuchOperation,
    /// 405 with `READ_ONLY`: the site is in read-only mode.
    ReadOnlySite,
    /// 409.
    Conflict,
    /// 429.
    RateLimited {
        /// How long the server wants us to wait, clamped, in milliseconds.
        after_ms: Option<u64>,
    },
    /// 5xx.
    Server,
    /// Any other status that is not a success.
    Status,
    /// A 3xx: never followed.
    Redirect {
        /// Where to.
        to: String,
        /// Whether that is a page to sign in.
        login: bool,
    },
    /// 2xx, but not JSON: a login page or a proxy.
    NotJson {
        /// What came instead.
        content_type: String,
    },
    /// JSON, but not what the operation answers.
    Malformed,
    /// The body ended early.
    Truncated,
    /// The body is larger than we take.
    TooLarge,
    /// A cursor came a second time: the list would never end.
    RepeatedCursor,
    /// No connection: name not found, refused, no route. Nothing was sent.
    Connect,
    /// The certificate or the handshake. Nothing was sent.
    Tls,
    /// No answer in time. Whether the request was applied is not known.
    Timeout,
    /// The line dropped after the request went out. Whether it was applied is not known.
    Lost,
    /// The client is read-only and sent nothing.
    ReadOnlyClient,
    /// Given up on our side before it was sent.
    Cancelled,
    /// The address is unusable.
    BadUrl,
}
impl ApiError {
    pub fn hint(&self) -> String {
        String::new()
    }
}
