//! Confluence Data Center as this program sees it.
//!
//! [`Call`] says what is wanted, [`Call::request`] turns it into a [`Request`] and
//! [`Call::decode`] turns status, headers and body into a [`Reply`]. Both are pure; only
//! [`client`] touches the network.

pub mod address;
pub mod backup_restore;
mod body;
pub mod call;
pub mod certificate;
pub mod client;
pub mod decode;
pub mod endpoint;
pub mod error;
pub mod headers;
pub mod ids;
mod json;
pub mod paging;
mod pool;
pub mod proxy;
mod request;
pub mod retry;
pub mod server_text;
mod tls;
pub mod transfer;
pub mod types;
mod wire;

pub use address::BaseUrl;
pub use backup_restore::{BackupJob, BackupState, Downloaded, JobOperation, LocalFile, Resume};
pub use call::{Call, Reply, Request};
pub use endpoint::Endpoint;
pub use error::{ApiError, ErrorKind};
pub use headers::Headers;
pub use server_text::ServerText;
pub use types::*;
