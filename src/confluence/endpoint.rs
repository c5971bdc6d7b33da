//! The address that a person gave for a Confluence, and what may be asked below it.

use core::net::IpAddr;
use std::fmt;

use url::{Host, Url};

use super::address::BaseUrl;
use super::call::Request;
use super::error::{ApiError, ErrorKind};

/// The base address of a Confluence: origin and context path, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// Reads an address as a person pasted it: a page's path, a query and a fragment are taken
    /// off, a context path is kept.
    ///
    /// Refused: other schemes than `http` and `https`, a user name or password inside (they would
    /// end in logs and histories), and Confluence Cloud.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let bad = |message: &str| ApiError::new(ErrorKind::BadUrl, message);
        let text = text.trim();
        if text.is_empty() {
            return Err(bad("The address is empty."));
        }
        // Without "//" the name of a host is taken for a scheme.
        if !text.contains("://") {
            return Err(bad("The address has to begin with https://."));
        }
        let mut url =
            Url::parse(text).map_err(|error| bad(&format!("The address is unusable: {error}.")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("The address has to begin with https:// or http://."));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(
                "The address holds a user name or a password; put them into the profile instead.",
            ));
        }
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() {
            return Err(bad("The address names no host."));
        }
        let host = host.trim_end_matches('.');
        if host == "atlassian.net"
            || host.ends_with(".atlassian.net")
            || host.ends_with(".jira.com")
        {
            return Err(ApiError::new(
                ErrorKind::CloudNotSupported,
                "This is Confluence Cloud, which is not supported.",
            ));
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = context_path(url.path());
        url.set_path(&path);
        Ok(Self { url })
    }

    /// Whether the connection is not encrypted.
    pub fn is_plain_http(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether the server is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.eq_ignore_ascii_case("localhost")
            }
            None => false,
        }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The address without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The address, to be compared.
    pub fn base_url(&self) -> BaseUrl {
        BaseUrl::of(self.as_str())
    }

    /// The host alone.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The full address of a request.
    pub(super) fn url_of(&self, request: &Request) -> Result<Url, ApiError> {
        let outside = || {
            ApiError::new(
                ErrorKind::BadUrl,
                "The request would leave the configured address; it was not sent.",
            )
        };
        if !request.stays_below_base() {
            return Err(outside());
        }
        let mut url =
            Url::parse(&format!("{}{}", self.as_str(), request.path)).map_err(|_| outside())?;
        let base = self.url.path().trim_end_matches('/');
        let below = url.path().strip_prefix(base);
        if url.origin() != self.url.origin() || !below.is_some_and(|path| path.starts_with('/')) {
            return Err(outside());
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.as_str())
    }
}

/// What of a pasted path is the context path: all before the first part that is Confluence's own.
fn context_path(path: &str) -> String {
    const OWN: [&str; 14] = [
        "rest",
        "display",
        "pages",
        "spaces",
        "x",
        "plugins",
        "download",
        "label",
        "labels",
        "people",
        "users",
        "admin",
        "dashboard",
        "questions",
    ];
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .take_while(|segment| !OWN.contains(segment) && !segment.ends_with(".action"))
        .fold(String::new(), |mut context, segment| {
            context.push('/');
            context.push_str(segment);
            context
        })
}
