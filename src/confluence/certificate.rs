//! What a server's certificate says of itself, for people: until when, by whom, for what.
//!
//! Whether it is to be trusted is decided elsewhere, by the TLS library; nothing here may stand in
//! for that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use x509_cert::der::Decode as _;

use crate::text::plain::scrub;

/// The longest name that is told, in characters.
const LONGEST: usize = 120;

/// A certificate, as far as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whom it is about, such as `CN=wiki.example.com`; scrubbed.
    pub subject: String,
    /// Who issued it; scrubbed.
    pub issuer: String,
    /// The last moment at which it is valid.
    pub until: Timestamp,
}

impl Certificate {
    /// Reads one in DER; `None` if it can't be read.
    pub fn read(der: &[u8]) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_der(der).ok()?;
        let facts = certificate.tbs_certificate();
        let name = |name: String| scrub(&name).chars().take(LONGEST).collect();
        let until = facts.validity().not_after.to_unix_duration().as_secs();
        Some(Self {
            subject: name(facts.subject().to_string()),
            issuer: name(facts.issuer().to_string()),
            until: Timestamp::from_second(i64::try_from(until).ok()?).ok()?,
        })
    }
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
        assert_eq!(certificate.until.to_string(), "2036-11-20T18:42:44Z");
        for cut in [0, 1, der.len() / 2, der.len() - 1] {
            assert_eq!(Certificate::read(&der[..cut]), None);
        }
    }
}
