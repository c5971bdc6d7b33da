//! The address of a server, in one form, so that two can be compared.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::text::plain::scrub;

/// The whole base address of a server: scheme, host, port and context path, in one form whatever
/// way it was written. Two are equal only where all four are: a test wiki often differs from the
/// real one in its path alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct BaseUrl(Arc<str>);

impl BaseUrl {
    /// The address that `text` writes. What is no address stays as it is, and equals itself alone.
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        let Ok(url) = Url::parse(text) else {
            return Self(Arc::from(&*scrub(text)));
        };
        let Some(host) = url.host_str().map(|host| host.trim_end_matches('.')) else {
            return Self(Arc::from(&*scrub(text)));
        };
        let mut address = format!("{}://{}", url.scheme(), host.to_lowercase());
        if let Some(port) = url.port() {
            address = format!("{address}:{port}");
        }
        for segment in url.path().split('/').filter(|segment| !segment.is_empty()) {
            address.push('/');
            address.push_str(segment);
        }
        Self(Arc::from(address))
    }

    /// The whole address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without its scheme, for where there is little room.
    pub fn short(&self) -> &str {
        self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<String> for BaseUrl {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

impl From<BaseUrl> for String {
    fn from(address: BaseUrl) -> Self {
        address.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_address_however_it_is_written() {
        let plain = BaseUrl::of("https://wiki.example.com/prod");
        for same in [
            "https://wiki.example.com/prod/",
            "https://WIKI.example.com/prod",
            "HTTPS://wiki.example.com:443/prod//",
            " https://wiki.example.com./prod ",
        ] {
            assert_eq!(BaseUrl::of(same), plain, "{same}");
        }
        assert_eq!(plain.as_str(), "https://wiki.example.com/prod");
        assert_eq!(plain.short(), "wiki.example.com/prod");
    }

    #[test]
    fn whatever_differs_makes_another_server() {
        let plain = BaseUrl::of("https://wiki.example.com/prod");
        for other in [
            "https://wiki.example.com/staging",
            "https://wiki.example.com/Prod",
            "https://wiki.example.com",
            "https://wiki.example.com/prod/wiki",
            "http://wiki.example.com/prod",
            "https://wiki.example.com:8443/prod",
            "https://wiki.example.net/prod",
            "",
            "wiki.example.com/prod",
        ] {
            assert_ne!(BaseUrl::of(other), plain, "{other}");
        }
    }
}
