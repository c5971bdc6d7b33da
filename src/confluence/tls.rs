//! TLS: whom we trust, who we are, and in words why a server is not trusted.
//!
//! Only the client uses it. It never trusts more than it is told to: a certificate that is refused
//! is looked into only to say what is wrong with it.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct,
    OtherError, RootCertStore, SignatureScheme,
};
use secrecy::{ExposeSecret as _, SecretString};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::certificate::{Chain, End, hosts, name, told_hosts};
use super::error::{ApiError, ErrorKind, NO_TLS, OUR_CERTIFICATE};
use crate::text::plain::scrub;

/// Whose certificates are taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trust<'a> {
    /// Those of the authorities that the system knows, and of these beside them (PEM).
    Authorities(Option<&'a [u8]>),
    /// Anybody's.
    Anybody,
}

/// What a connection is set up with. `identity` is our own certificate and its key, PEM, in any
/// order; `record` is where what servers show is left, if somebody wants to know.
pub(super) fn config(
    trust: Trust<'_>,
    identity: Option<&SecretString>,
    record: Option<&Record>,
) -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match record {
        None => verifier(trust, &provider)?,
        Some(record) => Arc::new(Recorded {
            inner: verifier(trust, &provider)?,
            trust: match trust {
                Trust::Anybody => Checked::No,
                Trust::Authorities(beside) => Checked::Yes {
                    file: beside.and_then(|pem| of_file(pem, &provider)),
                },
            },
            record: record.clone(),
        }),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| settings(format!("The connection can't be set up: {error}.")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(pem) => with_identity(builder, pem)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn settings(message: impl AsRef<str>) -> ApiError {
    ApiError::new(ErrorKind::Settings, message)
}

fn verifier(
    trust: Trust<'_>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ApiError> {
    let beside = match trust {
        Trust::Anybody => {
            return Ok(Arc::new(Unchecked(
                provider.signature_verification_algorithms,
            )));
        }
        Trust::Authorities(None) => Vec::new(),
        Trust::Authorities(Some(pem)) => {
            let unusable =
                || settings("The certificates of `ca_file` can't be used: they have to be PEM.");
            let found = CertificateDer::pem_slice_iter(pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| unusable())?;
            if found.is_empty() {
                return Err(settings("There is no certificate in `ca_file`."));
            }
            found
        }
    };
    let given = !beside.is_empty();
    let inner =
        rustls_platform_verifier::Verifier::new_with_extra_roots(beside, Arc::clone(provider))
            .map_err(|error| {
                settings(if given {
                    format!("The certificates of `ca_file` can't be used: {error}.")
                } else {
                    "The system has no certificates of authorities; name some as `ca_file`."
                        .to_owned()
                })
            })?;
    Ok(Arc::new(Explained(inner)))
}

fn with_identity(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    pem: &SecretString,
) -> Result<ClientConfig, ApiError> {
    let pem = pem.expose_secret();
    // A key that is locked in the older way makes the whole file unreadable: it is looked for first.
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(settings(
            "The key of `client_cert` is locked with a password; write an unlocked one into a file of mode 0600 with openssl pkey.",
        ));
    }
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| settings("The certificate of `client_cert` is not whole."))?;
    if chain.is_empty() {
        return Err(settings("There is no certificate in `client_cert`."));
    }
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        settings("There is no key for `client_cert`; name the file that holds it as `client_key`.")
    })?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                settings("The key of `client_key` is not that of `client_cert`.")
            }
            _ => settings("The certificate and key of `client_cert` can't be used."),
        })
}

/// Refuses what its inner one refuses, and says more about it.
#[derive(Debug)]
struct Explained(rustls_platform_verifier::Verifier);

impl ServerCertVerifier for Explained {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.0
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| match error {
                rustls::Error::InvalidCertificate(why) => {
                    let chain: Vec<&[u8]> = std::iter::once(end_entity)
                        .chain(intermediates)
                        .map(|certificate| certificate.as_ref())
                        .collect();
                    let refused = Refused {
                        fault: fault(&why, &chain),
                        host: scrub(&server_name.to_str()).into_owned(),
                    };
                    CertificateError::Other(OtherError(Arc::new(refused))).into()
                }
                other => other,
            })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// What the last server that was spoken to has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<Option<Chain>>>);

impl Record {
    /// What was shown, if it came to that.
    pub(super) fn get(&self) -> Option<Chain> {
        self.with(|chain| chain.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Option<Chain>) -> T) -> T {
        // A panic elsewhere leaves a chain behind, no broken promise.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn speaks(&self, version: &str) {
        self.with(|chain| {
            if let Some(chain) = chain {
                chain.version = Some(version.to_owned());
            }
        });
    }
}

/// Leaves what a server shows where it can be read; what is decided is decided by its inner one.
#[derive(Debug)]
struct Recorded {
    inner: Arc<dyn ServerCertVerifier>,
    trust: Checked,
    record: Record,
}

/// Whether certificates are looked into at all.
#[derive(Debug)]
enum Checked {
    /// They are; by the authorities of `ca_file` alone, this would be the one that does.
    Yes {
        file: Option<Arc<WebPkiServerVerifier>>,
    },
    No,
}

/// Trusts the authorities of this file, and no other.
fn of_file(pem: &[u8], provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).flatten());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .ok()
}

impl Recorded {
    /// Which authority a chain that was taken ends at.
    fn end(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> End {
        let Checked::Yes { file } = &self.trust else {
            return End::Unchecked;
        };
        // The shortest part of the chain that is enough; who issued its last is the authority.
        let enough = |verifier: &dyn ServerCertVerifier| {
            (0..=intermediates.len()).find(|&sent| {
                verifier
                    .verify_server_cert(end_entity, &intermediates[..sent], server_name, &[], now)
                    .is_ok()
            })
        };
        let authority = |sent: usize| {
            let last = sent
                .checked_sub(1)
                .and_then(|last| intermediates.get(last))
                .unwrap_or(end_entity);
            Certificate::from_der(last)
                .map(|last| name(last.tbs_certificate().issuer()))
                .unwrap_or_default()
        };
        match file.as_deref().and_then(|file| enough(file)) {
            Some(sent) => End::File(authority(sent)),
            None => End::System(authority(
                enough(&*self.inner).unwrap_or(intermediates.len()),
            )),
        }
    }
}

impl ServerCertVerifier for Recorded {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let end = match &verdict {
            Ok(_) => self.end(end_entity, intermediates, server_name, now),
            Err(_) => End::Refused,
        };
        let sent: Vec<&[u8]> = std::iter::once(end_entity)
            .chain(intermediates)
            .map(|certificate| certificate.as_ref())
            .collect();
        let chain = Chain::read(&server_name.to_str(), &sent, end);
        self.record.with(|shown| *shown = Some(chain));
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record.speaks("TLS 1.2");
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record.speaks("TLS 1.3");
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Takes every certificate; that its owner is at the other end is checked all the same.
#[derive(Debug)]
struct Unchecked(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// What is wrong with a certificate, on its way through the layers below us.
#[derive(Debug)]
struct Refused {
    fault: Fault,
    /// Whose: a proxy that is spoken to by TLS shows one before the server does.
    host: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate is refused")
    }
}

impl Error for Refused {}

/// What is wrong with a certificate. Texts are scrubbed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fault {
    /// Its time is over since this moment.
    Expired(Option<Timestamp>),
    /// Its time has not come before this moment.
    TooEarly(Option<Timestamp>),
    /// It is for these hosts.
    OtherName(Vec<String>),
    /// Nobody known vouches for it; this is who does.
    UnknownAuthority(Option<String>),
    /// It vouches for itself, as this one.
    SelfSigned(String),
    /// It is an authority's own.
    OfAuthority,
    /// It was called back.
    Revoked,
    /// It is not for servers.
    OtherPurpose,
    /// It was altered, or signed by somebody else.
    BadSignature,
    /// It is signed in a way that is too weak, or not known here.
    OtherSignature,
    /// It can't be read.
    Unreadable,
    /// It is not known whether it was called back.
    RevocationUnknown,
    /// Anything else. The words of the library are names of its own, which tell a person nothing.
    Other,
}

fn fault(why: &CertificateError, chain: &[&[u8]]) -> Fault {
    let moment = |time: &UnixTime| {
        Timestamp::UNIX_EPOCH
            .checked_add(Duration::from_secs(time.as_secs()))
            .ok()
    };
    let read = |der: &&[u8]| Certificate::from_der(der).ok();
    let first = chain.first().and_then(read);
    match why {
        CertificateError::Expired => Fault::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => Fault::Expired(moment(not_after)),
        CertificateError::NotValidYet => Fault::TooEarly(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Fault::TooEarly(moment(not_before))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Fault::OtherName(first.as_ref().map(hosts).unwrap_or_default())
        }
        CertificateError::UnknownIssuer => {
            match first.filter(|first| vouches_alone(first, chain)) {
                Some(first) => Fault::SelfSigned(name(first.tbs_certificate().subject())),
                None => Fault::UnknownAuthority(
                    chain
                        .last()
                        .and_then(read)
                        .map(|last| name(last.tbs_certificate().issuer())),
                ),
            }
        }
        CertificateError::Revoked => Fault::Revoked,
        // An authority of the same name is known, with a key that did not sign this.
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            match first.filter(|first| vouches_alone(first, chain)) {
                Some(first) => Fault::SelfSigned(name(first.tbs_certificate().subject())),
                None => Fault::BadSignature,
            }
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => Fault::OtherSignature,
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
            Fault::Unreadable
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => Fault::RevocationUnknown,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Fault::OtherPurpose
        }
        CertificateError::Other(OtherError(other)) => {
            let said = other.to_string();
            if said.contains("CaUsedAsEndEntity") {
                Fault::OfAuthority
            } else if said.contains("invalid extensions") {
                // How the authorities of the system word a purpose that does not fit.
                Fault::OtherPurpose
            } else {
                Fault::Other
            }
        }
        _ => Fault::Other,
    }
}

/// Whether a certificate was sent alone and names itself as its authority.
fn vouches_alone(first: &Certificate, chain: &[&[u8]]) -> bool {
    let told = first.tbs_certificate();
    chain.len() == 1 && told.issuer() == told.subject()
}

impl Fault {
    /// One sentence about the certificate of this host.
    fn told(&self, host: &str) -> String {
        let day = |at: &Timestamp| at.strftime("%Y-%m-%d").to_string();
        match self {
            Self::Expired(Some(at)) => format!("The certificate of {host} expired on {}.", day(at)),
            Self::Expired(None) => format!("The certificate of {host} has expired."),
            Self::TooEarly(Some(at)) => format!(
                "The certificate of {host} is not valid before {}; check the clock.",
                day(at)
            ),
            Self::TooEarly(None) => {
                format!("The certificate of {host} is not valid yet; check the clock.")
            }
            Self::OtherName(names) if names.is_empty() => {
                format!("The certificate was not issued for {host}; it names no host at all.")
            }
            Self::OtherName(names) => {
                let names = told_hosts(names);
                format!("The certificate was issued for {names}, not for {host}.")
            }
            Self::UnknownAuthority(Some(authority)) => format!(
                "The certificate of {host} was issued by an authority that is not known here: {authority}."
            ),
            Self::UnknownAuthority(None) => format!(
                "The certificate of {host} was issued by an authority that is not known here."
            ),
            Self::SelfSigned(name) => {
                format!("The certificate of {host} is signed by nobody but itself: {name}.")
            }
            Self::OfAuthority => format!(
                "{host} shows the certificate of an authority as its own; it needs one for a server."
            ),
            Self::Revoked => format!("The certificate of {host} was revoked."),
            Self::OtherPurpose => format!("The certificate of {host} is not meant for a server."),
            Self::BadSignature => format!(
                "The signature of the certificate of {host} is wrong: it was altered, or another authority has the same name."
            ),
            Self::OtherSignature => format!(
                "The certificate of {host} is signed in a way that is too weak to be trusted, or not known here."
            ),
            Self::Unreadable => format!("The certificate of {host} can't be read."),
            Self::RevocationUnknown => {
                format!("It can't be learned whether the certificate of {host} was revoked.")
            }
            Self::Other => format!("The certificate of {host} is not accepted."),
        }
    }
}

/// Whether a connection was being made when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It was: nothing of a request has gone out.
    Connecting,
    /// It was there.
    Talking,
}

/// What is wrong with certificate or handshake, in words; `None` when the failure is another one,
/// or leaves open whether the server has acted.
pub(super) fn explain(error: &(dyn Error + 'static), host: &str, stage: Stage) -> Option<ApiError> {
    let told = match cause(error)? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            match other.downcast_ref::<Refused>() {
                Some(Refused { fault, host }) => fault.told(host),
                None => Fault::Other.told(host),
            }
        }
        rustls::Error::InvalidCertificate(why) => fault(why, &[]).told(host),
        // With TLS 1.3 this comes after our side is through with the handshake. The server is not:
        // it has not looked at what was sent behind it.
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate,
        ) => {
            format!("{host} wants a {OUR_CERTIFICATE}; set `client_cert` and `client_key`.")
        }
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied),
        ) => {
            let why = in_words(*alert);
            format!("{host} does not accept our {OUR_CERTIFICATE} ({why}).")
        }
        rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            format!("{host} does not know itself by that name; check `url`.")
        }
        rustls::Error::AlertReceived(alert) if stage == Stage::Connecting => {
            format!("{host} refused the TLS handshake ({}).", in_words(*alert))
        }
        rustls::Error::InvalidMessage(_) if stage == Stage::Connecting => {
            format!("{host} {NO_TLS} at this port; perhaps the address begins with http://.")
        }
        rustls::Error::PeerIncompatible(_) => {
            format!("{host} speaks no TLS that is safe to use: 1.2 or 1.3 is needed.")
        }
        other if stage == Stage::Connecting => {
            format!(
                "No safe connection to {host}: {}.",
                scrub(&other.to_string())
            )
        }
        _ => return None,
    };
    Some(ApiError::new(ErrorKind::Tls, told))
}

/// What the other side says in its alert: "unknown CA" for `UnknownCA`.
fn in_words(alert: AlertDescription) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(c);
        before = c;
    }
    words
        .split(' ')
        .map(|word| {
            if word.chars().all(|c| c.is_ascii_uppercase()) {
                word.to_owned()
            } else {
                word.to_ascii_lowercase()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The failure of TLS among the causes, also where it travels inside an error of input and output.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_in_the_middle_of_a_talk_leaves_open_what_was_done() {
        let alert = |alert| {
            let tls = rustls::Error::AlertReceived(alert);
            std::io::Error::new(std::io::ErrorKind::InvalidData, tls)
        };
        let told = |error: &std::io::Error, stage| explain(error, "wiki", stage);
        let broken = alert(AlertDescription::InternalError);
        assert_eq!(told(&broken, Stage::Talking), None);
        assert!(told(&broken, Stage::Connecting).is_some());
        // That the handshake has failed is certain here.
        let wants = alert(AlertDescription::CertificateRequired);
        for stage in [Stage::Connecting, Stage::Talking] {
            let error = told(&wants, stage).expect("told");
            assert!(error.message.contains("client certificate"), "{error}");
            assert!(!error.may_have_been_applied());
        }
    }

    #[test]
    fn no_fault_and_no_alert_is_told_in_the_names_of_the_library() {
        let kinds = [
            CertificateError::BadEncoding,
            CertificateError::UnhandledCriticalExtension,
            CertificateError::BadSignature,
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![6, 8],
                supported_algorithms: Vec::new(),
            },
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![6, 8],
                public_key_algorithm_id: vec![6, 9],
            },
            CertificateError::UnknownRevocationStatus,
            CertificateError::ExpiredRevocationList,
            CertificateError::InvalidOcspResponse,
            CertificateError::ApplicationVerificationFailure,
        ];
        let mut told: Vec<String> = kinds
            .iter()
            .map(|kind| fault(kind, &[]).told("the wiki"))
            .collect();
        for alert in [
            AlertDescription::UnknownCA,
            AlertDescription::HandshakeFailure,
        ] {
            told.push(in_words(alert));
        }
        assert_eq!(told[told.len() - 2..], ["unknown CA", "handshake failure"]);
        for told in told {
            let is_name = |word: &str| {
                word.chars().any(char::is_lowercase) && word.chars().skip(1).any(char::is_uppercase)
            };
            assert!(!told.contains(['{', '[']), "{told}");
            assert!(!told.split_whitespace().any(is_name), "{told}");
        }
    }

    #[test]
    fn a_key_that_is_locked_in_the_older_way_is_told_as_locked() {
        let pem = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n";
        let told = config(Trust::Anybody, Some(&SecretString::from(pem)), None);
        let told = told.expect_err("it is locked");
        assert!(told.message.contains("locked with a password"), "{told}");
    }

    #[test]
    fn a_certificate_of_no_host_and_of_many_are_told() {
        let names: Vec<String> = (0..300).map(|n| format!("h{n}.example.org")).collect();
        let told = Fault::OtherName(names).told("wiki");
        assert!(told.ends_with("and 295 more, not for wiki."), "{told}");
        assert!(told.len() < 200);
        assert!(
            Fault::OtherName(Vec::new())
                .told("wiki")
                .contains("no host at all")
        );
    }

    #[test]
    fn what_is_no_certificate_is_told_without_details() {
        let garbage: &[&[u8]] = &[b"\x30\x80garbage"];
        assert_eq!(
            fault(&CertificateError::UnknownIssuer, garbage),
            Fault::UnknownAuthority(None)
        );
        assert_eq!(
            fault(&CertificateError::NotValidForName, garbage),
            Fault::OtherName(Vec::new())
        );
    }
}
