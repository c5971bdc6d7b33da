//! The server that a file is about, and whether it is the one that is open.

use serde::{Deserialize, Serialize};

use crate::confluence::BaseUrl;
use crate::text::plain::scrub;

/// The server that a file is about. Files of earlier versions name its host and not its address.
///
/// It can be shown, and held against an address; a host alone can't be compared with anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedServer {
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<BaseUrl>,
}

/// How a server of a file and the one that is open compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameServer {
    /// It is the same.
    Yes,
    /// It is another one.
    No,
    /// The file names the host alone, and that is the same.
    Unsaid,
}

impl SavedServer {
    /// As a file has it.
    pub(super) fn read(host: &str, address: Option<BaseUrl>) -> Self {
        Self {
            host: scrub(host).into_owned(),
            address,
        }
    }

    /// What it is called: its address without the scheme; its host, where nothing else is known.
    pub fn shown(&self) -> &str {
        self.address.as_ref().map_or(&self.host, BaseUrl::short)
    }

    /// Host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Its whole address, where known.
    pub fn address(&self) -> Option<&BaseUrl> {
        self.address.as_ref()
    }

    /// Whether it is the one at `address`.
    pub fn is_at(&self, address: &BaseUrl) -> SameServer {
        match &self.address {
            Some(of_file) if of_file == address => SameServer::Yes,
            None if host_of(address).eq_ignore_ascii_case(&self.host) => SameServer::Unsaid,
            Some(_) | None => SameServer::No,
        }
    }
}

impl From<BaseUrl> for SavedServer {
    fn from(address: BaseUrl) -> Self {
        Self {
            host: host_of(&address).to_owned(),
            address: Some(address),
        }
    }
}

/// Host and port.
fn host_of(address: &BaseUrl) -> &str {
    let short = address.short();
    short.split_once('/').map_or(short, |(host, _)| host)
}
