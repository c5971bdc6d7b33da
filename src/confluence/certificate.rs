//! What a server's certificates say of themselves, for people: until when, by whom, for what.
//!
//! Whether they are to be trusted is decided elsewhere, by the TLS library; nothing here may stand
//! in for that.

use core::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::text::plain::scrub;

/// The longest name that is told, in characters.
const LONGEST: usize = 120;

/// The most certificates of a chain that are kept: more are a fault, or meant to be one.
const MOST: usize = 8;

/// What a server showed when TLS was set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The host that it was asked to be; a proxy that is spoken to by TLS is asked before the server.
    pub host: String,
    /// Which TLS is spoken, such as `TLS 1.3`; `None` where it did not come to that.
    pub version: Option<String>,
    /// What it sent, its own certificate first; `None` where one can't be read.
    pub certificates: Vec<Option<Certificate>>,
    /// How many more it sent.
    pub more: usize,
    /// Where the trust in it comes from.
    pub end: End,
}

impl Chain {
    /// What was sent, in DER, its own certificate first.
    pub(super) fn read(host: &str, sent: &[&[u8]], end: End) -> Self {
        Self {
            host: scrub(host).into_owned(),
            version: None,
            certificates: sent
                .iter()
                .take(MOST)
                .map(|der| Certificate::read(der))
                .collect(),
            more: sent.len().saturating_sub(MOST),
            end,
        }
    }
}

/// Where the trust in a chain comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// An authority that the system knows; its name.
    System(String),
    /// An authority of `ca_file`; its name.
    File(String),
    /// Nowhere: it is not checked.
    Unchecked,
    /// Nowhere: it is refused.
    Refused,
}

/// A certificate, as far as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whom it is about, such as `CN=wiki.example.com`; scrubbed.
    pub subject: String,
    /// The hosts that it was issued for; scrubbed.
    pub hosts: Vec<String>,
    /// Who issued it; scrubbed.
    pub issuer: String,
    /// The first moment at which it is valid.
    pub from: Timestamp,
    /// The last moment at which it is valid.
    pub until: Timestamp,
}

impl Certificate {
    /// Reads one in DER; `None` if it can't be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let facts = certificate.tbs_certificate();
        let moment = |time: &x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
            Timestamp::from_second(seconds).ok()
        };
        let validity = facts.validity();
        Some(Self {
            subject: name(facts.subject()),
            hosts: hosts(&certificate),
            issuer: name(facts.issuer()),
            from: moment(&validity.not_before)?,
            until: moment(&validity.not_after)?,
        })
    }
}

/// A distinguished name as people write it: `CN=Harbour CA,O=Harbour`; scrubbed.
pub(super) fn name(name: &x509_cert::name::Name) -> String {
    scrub(&name.to_string()).chars().take(LONGEST).collect()
}

/// The hosts that a certificate was issued for; scrubbed.
pub(super) fn hosts(certificate: &x509_cert::Certificate) -> Vec<String> {
    let Ok(Some((_, SubjectAltName(names)))) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
    else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(scrub(name.as_str()).into_owned()),
            GeneralName::IpAddress(bytes) => {
                let bytes = bytes.as_bytes();
                <[u8; 4]>::try_from(bytes)
                    .map(IpAddr::from)
                    .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
                    .ok()
                    .map(|address| address.to_string())
            }
            GeneralName::OtherName(_)
            | GeneralName::Rfc822Name(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::UniformResourceIdentifier(_)
            | GeneralName::RegisteredId(_) => None,
        })
        .collect()
}

/// Hosts in words; some certificates hold hundreds, of which a few are told.
pub fn told_hosts(hosts: &[String]) -> String {
    /// How many are told.
    const TOLD: usize = 5;
    let mut told = hosts
        .iter()
        .take(TOLD)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if hosts.len() > TOLD {
        told.push_str(&format!(" and {} more", hosts.len() - TOLD));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    /// Made for this test alone: CN=wiki.example.com, by itself, until 2036-11-20.
    const DER: &str = "MIIBvTCCAWOgAwIBAgIUbgWzJL+vZZxQjP/N3cKzKxLCAsQwCgYIKoZIzj0EAwIwNDEXMBUGA1UECgwOSGFyYm91ciBPZmZpY2UxGTAXBgNVBAMMEHdpa2kuZXhhbXBsZS5jb20wHhcNMjYxMTIzMTg0MjQ0WhcNMzYxMTIwMTg0MjQ0WjA0MRcwFQYDVQQKDA5IYXJib3VyIE9mZmljZTEZMBcGA1UEAwwQd2lraS5leGFtcGxlLmNvbTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCKgj18Y2yjQh7Deqb53tngyZ7H6whI0DxC7X68nDZCcleytZgZyL9tMHz5Tibcnqg6GESOLSsJEa8/iLHoWEzijUzBRMB0GA1UdDgQWBBQtCETUpofXEhzhHQ7vk5agF48kKDAfBgNVHSMEGDAWgBQtCETUpofXEhzhHQ7vk5agF48kKDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDU41NdywdoSM5/vvl0k0ifuHOaGdh2z8M6FRvduUxjkAIgYvc3MTytG4HFOtc0HGf0UZ0pNgSnZBFgV0W2luRiLAY=";

    #[test]
    fn a_certificate_tells_until_when_and_by_whom() {
        let der = base64::engine::general_purpose::STANDARD
            .decode(DER)
            .expect("base64");
        let certificate = Certificate::read(&der).expect("a certificate");
        assert_eq!(certificate.subject, "CN=wiki.example.com,O=Harbour Office");
        assert_eq!(certificate.issuer, certificate.subject);
        assert_eq!(certificate.hosts, Vec::<String>::new());
        assert_eq!(certificate.from.to_string(), "2026-11-23T18:42:44Z");
        assert_eq!(certificate.until.to_string(), "2036-11-20T18:42:44Z");
        for cut in [0, 1, der.len() / 2, der.len() - 1] {
            assert_eq!(Certificate::read(&der[..cut]), None);
        }
    }

    #[test]
    fn a_chain_is_kept_up_to_a_few_and_what_is_no_certificate_keeps_its_place() {
        let der = base64::engine::general_purpose::STANDARD
            .decode(DER)
            .expect("base64");
        let sent: Vec<&[u8]> = std::iter::once(&b"garbage"[..])
            .chain(std::iter::repeat_n(&der[..], 20))
            .collect();
        let chain = Chain::read("wiki\u{1b}[2J", &sent, End::Refused);
        assert_eq!(chain.certificates.len(), MOST);
        assert_eq!(chain.more, 13);
        assert_eq!(chain.certificates[0], None);
        assert!(chain.certificates[1].is_some());
        assert!(!chain.host.contains('\u{1b}'), "{:?}", chain.host);
    }

    #[test]
    fn hosts_are_told_up_to_a_few() {
        let hosts: Vec<String> = (0..300).map(|n| format!("h{n}.example.org")).collect();
        let told = told_hosts(&hosts);
        assert!(told.ends_with("h4.example.org and 295 more"), "{told}");
        assert_eq!(told_hosts(&hosts[..1]), "h0.example.org");
    }
}
