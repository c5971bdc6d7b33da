//! What can go wrong between us and a server, each with what to do about it.

use serde::{Deserialize, Serialize};

use crate::text::plain::{scrub, without_numbers};

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
    /// A web page with a status of 4xx: Confluence refuses with JSON, so something between here
    /// and it has refused. Nothing was applied.
    InBetween,
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
    /// Answered as to nobody, although a token or password was sent: it was not taken. A write
    /// may have been applied if the status is 2xx.
    Anonymous,
    /// Something answers there, but it is not Confluence.
    NotConfluence,
    /// It is Confluence Cloud, which has another API.
    CloudNotSupported,
    /// A certificate, key or proxy of the settings can't be used. Nothing was sent.
    Settings,
    /// A file that was to be received or sent could not be written or read on this machine.
    Storage,
}

/// The message of a 401 to a user name and password; `hint` tells it from a refused token.
pub(super) const BAD_PASSWORD: &str = "The server did not accept the user name or the password.";
/// The message of any other 401 without a text of its own.
pub(super) const BAD_TOKEN: &str = "The server did not accept the token.";
/// The message of a refusal where passwords are switched off.
pub(super) const NO_PASSWORDS: &str = "The server takes no user name and password (Basic authentication is disabled); it wants a token.";
/// The message of a redirect without an address.
pub(super) const NOWHERE: &str = "The server redirects, and does not say where to.";
/// The message of a 407, which is never the server's.
pub(super) const PROXY_SIGN_IN: &str = "The proxy wants a user name and a password (407); write them into `proxy` as http://user:password@host:port.";
/// What every message about a certificate of our own says; `hint` tells it from one of the server.
pub(super) const OUR_CERTIFICATE: &str = "client certificate";
/// What the message of a port without TLS says.
pub(super) const NO_TLS: &str = "does not speak TLS";
/// The message of a 401 to a request that carried neither.
pub(super) const NO_SIGN_IN: &str = "The server wants a sign-in, and there is none for it.";

impl ApiError {
    /// A failure of this sort, in words. The message is scrubbed, cut at 500 characters and
    /// ended with a period.
    pub fn new(kind: ErrorKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            message: sentence(message.as_ref()),
            status: None,
            details: Vec::new(),
        }
    }

    /// The same, with the status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The same, with all that the server said.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// What a read-only client says to every write.
    pub fn read_only_client() -> Self {
        Self::new(
            ErrorKind::ReadOnlyClient,
            "This connection is read-only; nothing was sent.",
        )
    }

    /// Whether nobody was signed in, or not as the one who was meant.
    pub fn is_of_sign_in(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Unauthorized
                | ErrorKind::CaptchaLock { .. }
                | ErrorKind::Anonymous
                | ErrorKind::Redirect { login: true, .. }
        )
    }

    /// What happened, for where something could not be read: that nobody was signed in comes first.
    pub fn told(&self) -> String {
        if self.is_of_sign_in() {
            format!("Not signed in. {}", self.message)
        } else {
            self.message.clone()
        }
    }

    /// Whether a write that ended so may have been carried out all the same. `false` is certain;
    /// after `true` the server has to be asked what became of it.
    pub fn may_have_been_applied(&self) -> bool {
        match &self.kind {
            // The status says that the server did something, only what is not known.
            ErrorKind::NotJson { .. }
            | ErrorKind::Malformed
            | ErrorKind::Truncated
            | ErrorKind::TooLarge
            | ErrorKind::RepeatedCursor
            | ErrorKind::Timeout
            | ErrorKind::Lost
            // A 5xx may be the proxy's, about a request that went through.
            | ErrorKind::Server => true,
            // Taken as nobody's, but taken.
            ErrorKind::Anonymous => self.status.is_some_and(|s| (200..300).contains(&s)),
            // 302 and 303 may follow on something done; the others say "ask elsewhere".
            ErrorKind::Redirect { login, .. } => {
                !login && matches!(self.status, Some(302 | 303))
            }
            // 408: how much had arrived is not known.
            ErrorKind::Status => self.status.is_none_or(|s| s == 408 || s < 400),
            ErrorKind::Invalid
            | ErrorKind::Unauthorized
            | ErrorKind::CaptchaLock { .. }
            | ErrorKind::Licence
            | ErrorKind::Forbidden
            | ErrorKind::InBetween
            | ErrorKind::NotFound
            | ErrorKind::NoSuchOperation
            | ErrorKind::ReadOnlySite
            | ErrorKind::Conflict
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Connect
            | ErrorKind::Tls
            | ErrorKind::ReadOnlyClient
            | ErrorKind::Cancelled
            | ErrorKind::BadUrl
            | ErrorKind::NotConfluence
            | ErrorKind::CloudNotSupported
            | ErrorKind::Settings
            // A form that could not be read to its end is none.
            | ErrorKind::Storage => false,
        }
    }

    /// What to do about it, in one sentence.
    pub fn hint(&self) -> String {
        let hint = match &self.kind {
            ErrorKind::Invalid => "Change what the message names and send it again.",
            ErrorKind::Unauthorized if self.message == BAD_PASSWORD => {
                "Check the user name and the password of the profile; nothing is tried again, because repeated failures lock the account."
            }
            ErrorKind::Unauthorized if self.message == NO_SIGN_IN => {
                "Put a personal access token into CORACLE_TOKEN, or use a profile that says where the token is."
            }
            ErrorKind::Unauthorized if self.message == NO_PASSWORDS => {
                "Make a personal access token under Settings, Personal access tokens, and use it in the profile instead of `user` and a password."
            }
            ErrorKind::Unauthorized => {
                "Check that the token is whole, has not expired and belongs to this server, or make a new one under Settings, Personal access tokens."
            }
            ErrorKind::CaptchaLock {
                login_url: Some(url),
            } => {
                return format!(
                    "Sign in once in a browser at {url} and solve the CAPTCHA, then connect again; until then the right password is refused too."
                );
            }
            ErrorKind::CaptchaLock { login_url: None } => {
                "Sign in once in a browser and solve the CAPTCHA, then connect again; until then the right password is refused too."
            }
            ErrorKind::Licence => {
                "Ask an administrator of the site about its licence; Confluence takes no such request without a valid one."
            }
            ErrorKind::Forbidden => {
                "Ask an administrator of the space or the site for the permission, or connect as somebody who has it."
            }
            ErrorKind::InBetween => {
                "Confluence itself refuses with data, not with a web page: show status and title to whoever looks after the proxy, the firewall or the web server."
            }
            ErrorKind::NotFound => {
                "It may have been removed, or you may not be permitted to see it: Confluence answers both alike; refresh to see what is there."
            }
            ErrorKind::NoSuchOperation => {
                "This version of Confluence does not offer the operation; use a browser for it, or a newer server."
            }
            ErrorKind::ReadOnlySite => {
                "Reading goes on; try the change again when the administrators have ended read-only mode."
            }
            ErrorKind::Conflict => "Look how it is now, then decide again.",
            ErrorKind::RateLimited { .. } => {
                "Wait a while, or ask an administrator to raise the rate limit of this account."
            }
            ErrorKind::Server => {
                "Try again in a moment; if it goes on, the log of the server tells an administrator why."
            }
            ErrorKind::Status => "Check `url`, and what stands between here and the server.",
            ErrorKind::Redirect { login: true, .. } => {
                "Sign-in pages can't be used from here: use a personal access token, and an address that lets tokens through to /rest/api."
            }
            ErrorKind::Redirect { .. } if self.message == NOWHERE => {
                "Check `url`, and what stands between here and the server."
            }
            ErrorKind::Redirect { to, .. } => {
                return format!("The server answers at {to}; set `url` to that if you trust it.");
            }
            ErrorKind::NotJson { .. } => {
                "Probably a sign-in page or a proxy: check `url`, use a personal access token, and let /rest/api through without single sign-on."
            }
            ErrorKind::Malformed => {
                "Check that `url` is a Confluence Data Center; if it is, report this answer as a bug."
            }
            ErrorKind::Truncated => {
                "A node or a proxy gave up in the middle: try again; if it goes on, tell the administrators of the server."
            }
            ErrorKind::TooLarge => {
                "Confluence sends nothing so large: check the proxy, or whatever else is between here and the server."
            }
            ErrorKind::RepeatedCursor => {
                "What was read so far is shown; refresh, and if it happens again tell the administrators of the server."
            }
            ErrorKind::Connect => {
                "Check the address, that the server is up, and the network (VPN, proxy)."
            }
            ErrorKind::Tls if self.message.contains(OUR_CERTIFICATE) => {
                "Ask the administrators of the server whose certificates it takes, and name yours as `client_cert` and `client_key`."
            }
            ErrorKind::Tls if self.message.contains(NO_TLS) => {
                "Check `url`: the port, and whether it begins with http:// or https://."
            }
            ErrorKind::Tls => {
                "Don't go on before you know why: check the address and the clock, or set `ca_file` to the authority that your organisation uses."
            }
            ErrorKind::Timeout => {
                "The server or the line is slow: try again, or raise `timeout` in the profile."
            }
            ErrorKind::Lost => "Check the network, then try again.",
            ErrorKind::ReadOnlyClient => {
                "Start without --read-only, or take `read_only` out of the profile, to make changes."
            }
            ErrorKind::Cancelled => "Ask again when you want it.",
            ErrorKind::BadUrl => {
                "Give the address of the start page, such as https://wiki.example.org or https://example.org/confluence."
            }
            ErrorKind::Anonymous => {
                "The token or password was passed over: make a new token, and check that no proxy takes the Authorization header away."
            }
            ErrorKind::NotConfluence => {
                "Set `url` to the address of the start page of Confluence, with its context path if it has one (/confluence, /wiki)."
            }
            ErrorKind::CloudNotSupported => {
                "Coracle speaks the REST API of Confluence Data Center; Cloud has other operations and another sign-in, so nothing would be safe there."
            }
            ErrorKind::Storage => "Once that is mended, go on where it stopped.",
            ErrorKind::Settings => {
                "Correct the setting or the file that the message names, then try again."
            }
        };
        hint.to_owned()
    }
}

/// One line, scrubbed, not endless, with a period at its end.
fn sentence(text: &str) -> String {
    const LONGEST: usize = 500;
    let clean = scrub(text);
    let clean = without_numbers(clean.trim());
    let mut line: String = clean.chars().take(LONGEST).collect();
    if line.len() < clean.len() {
        line.push('…');
    } else if !line.ends_with(['.', '!', '?', '…']) {
        line.push('.');
    }
    line
}
