//! TLS and proxies: servers with an authority of their own, made here, and a proxy of a few lines.
//!
//! All of it is on loopback. A host such as `wiki.example.org` is this machine by the names that
//! the client is given, so nothing asks the network.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use coracle::confluence::client::{Answer, Client, Names, Settings};
use coracle::confluence::{Call, ErrorKind};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::faults::{USER, kind, request, send_with, settings, write};
use crate::terminal::{Terminal, coracle};

const HOST: &str = "wiki.example.org";

/// Who vouches for certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Papers {
    /// What is sent: its own, and those above it.
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

fn named(hosts: &[&str], name: &str) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Authority {
    pub(crate) fn named(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(Self::params(name), key).expect("an authority"))
    }

    /// One that this one vouches for.
    pub(crate) fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let below = CertifiedIssuer::signed_by(Self::params(name), key, &self.0);
        Self(below.expect("an authority"))
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = named(&[], name);
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Harbour");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn issues(
        &self,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Papers {
        let mut params = named(hosts, "somebody");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Papers::of(&certificate, &key)
    }
}

impl Papers {
    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// Sent with the certificate of this authority behind it.
    pub(crate) fn with(mut self, above: &Authority) -> Self {
        self.chain.push(above.0.der().clone());
        self
    }

    fn pem(&self) -> SecretString {
        SecretString::from(format!("{}\n{}", self.certificate_pem, self.key_pem))
    }
}

/// What a server saw of one connection.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The name that was asked for before anything else.
    sni: Option<String>,
    /// How many certificates the client showed.
    client_certificates: usize,
    /// The head of the request; empty if the handshake failed.
    pub(crate) request: String,
}

/// What a server does once it has read a request.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Answers,
    /// Lets the server at this port of this machine answer.
    Relays(u16),
    /// Sends half of the answer and drops the line.
    LeavesInTheMiddle,
}

/// A TLS server.
pub(crate) struct TlsServer {
    pub(crate) port: u16,
    seen: mpsc::Receiver<Seen>,
}

impl TlsServer {
    fn new(papers: Papers) -> Self {
        Self::with(papers, None, Manner::Answers)
    }

    /// With the authority that clients have to show a certificate of.
    pub(crate) fn with(papers: Papers, clients: Option<&Authority>, manner: Manner) -> Self {
        Self::speaking(rustls::ALL_VERSIONS, papers, clients, manner)
    }

    pub(crate) fn speaking(
        versions: &[&'static SupportedProtocolVersion],
        papers: Papers,
        clients: Option<&Authority>,
        manner: Manner,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).expect("a root");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .expect("a verifier");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let key = PrivateKeyDer::try_from(papers.key).expect("a key");
        let config = Arc::new(
            builder
                .with_single_cert(papers.chain, key)
                .expect("a certificate"),
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (tell, seen) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a session");
                let tell = tell.clone();
                // Each by itself: a client may keep one open that it does not use.
                std::thread::spawn(move || {
                    // Nobody may want to know.
                    let _ = tell.send(serve(connection, stream, manner));
                });
            }
        });
        Self { port, seen }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen
            .recv_timeout(Duration::from_secs(20))
            .expect("a connection")
    }
}

fn serve(connection: ServerConnection, stream: TcpStream, manner: Manner) -> Seen {
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    if !head.is_empty() {
        let own = |length: usize| {
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{USER}"
            )
            .into_bytes()
        };
        let answer = match manner {
            Manner::Answers => own(USER.len()),
            Manner::LeavesInTheMiddle => own(USER.len() * 2),
            Manner::Relays(port) => relayed(&head, port).unwrap_or_default(),
        };
        let _ = stream.write_all(&answer);
        if !matches!(manner, Manner::LeavesInTheMiddle) {
            stream.conn.send_close_notify();
        }
    }
    let _ = stream.flush();
    Seen {
        sni: stream.conn.server_name().map(str::to_owned),
        client_certificates: stream.conn.peer_certificates().map_or(0, <[_]>::len),
        request: String::from_utf8_lossy(&head).into_owned(),
    }
}

/// What the server at this port answers to a request without a body.
fn relayed(head: &[u8], port: u16) -> std::io::Result<Vec<u8>> {
    let mut there = TcpStream::connect(("127.0.0.1", port))?;
    let head = &head[..head.len() - 2];
    there.write_all(&[head, b"Connection: close\r\n\r\n"].concat())?;
    let mut answer = Vec::new();
    there.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Every name is this machine.
fn here() -> Names {
    Names::by(|_| Ok(vec![SocketAddr::from(([127, 0, 0, 1], 0))]))
}

/// As somebody who knows the server by a name, and trusts this authority beside those of the
/// system.
fn by_name(port: u16, authority: Option<&Authority>) -> Settings {
    Settings {
        names: Some(here()),
        ca_pem: authority.map(Authority::pem),
        ..patient(&format!("https://{HOST}:{port}"))
    }
}

/// Handshakes take a while beside many other tests.
fn patient(address: &str) -> Settings {
    Settings {
        connect_timeout: Duration::from_secs(20),
        read_timeout: Duration::from_secs(20),
        ..settings(address)
    }
}

fn ask(settings: Settings) -> Answer {
    send_with(settings, &Call::CurrentUser).0
}

/// What is said of a server with this certificate.
fn told(papers: Papers, authority: Option<&Authority>) -> String {
    let server = TlsServer::new(papers);
    let answer = ask(by_name(server.port, authority));
    assert_eq!(kind(&answer), ErrorKind::Tls, "{answer:?}");
    assert_eq!(server.seen().request, "", "nothing was sent");
    let error = answer.outcome.expect_err("refused");
    assert!(!error.may_have_been_applied());
    assert!(error.hint().contains("ca_file"), "{}", error.hint());
    error.message
}

#[test]
fn an_authority_of_ones_own_is_trusted_beside_those_of_the_system() {
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::new(authority.issues(&[HOST], |_| {}));
    let answer = ask(by_name(server.port, Some(&authority)));
    assert!(answer.outcome.is_ok(), "{answer:?}");
    let seen = server.seen();
    assert_eq!(seen.sni.as_deref(), Some(HOST), "the name is told first");
    assert!(seen.request.contains("Bearer s3cret-token"), "{seen:?}");
}

#[test]
fn an_authority_that_is_not_known_is_named() {
    let authority = Authority::named("Harbour CA");
    let other = Authority::named("Another CA");
    for trusted in [None, Some(&other)] {
        let said = told(authority.issues(&[HOST], |_| {}), trusted);
        assert!(said.contains("not known here"), "{said}");
        assert!(said.contains("O=Harbour,CN=Harbour CA"), "{said}");
    }
}

#[test]
fn an_authority_of_the_same_name_with_another_key_is_not_trusted() {
    let (real, fake) = (
        Authority::named("Harbour CA"),
        Authority::named("Harbour CA"),
    );
    let said = told(fake.issues(&[HOST], |_| {}), Some(&real));
    assert!(
        said.contains("altered") || said.contains("not known"),
        "{said}"
    );
}

#[test]
fn a_certificate_out_of_its_time_is_told_with_the_day() {
    let authority = Authority::named("Harbour CA");
    let over = authority.issues(&[HOST], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    let said = told(over, Some(&authority));
    assert!(said.contains("expired on 2020-02-29"), "{said}");
    let early = authority.issues(&[HOST], |params| {
        params.not_before = date_time_ymd(2999, 5, 4);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    let said = told(early, Some(&authority));
    assert!(said.contains("not valid before 2999-05-04"), "{said}");
    assert!(said.contains("check the clock"), "{said}");
}

#[test]
fn a_certificate_of_another_host_is_told_with_its_names() {
    let authority = Authority::named("Harbour CA");
    let papers = authority.issues(&["intern.example.org", "10.0.0.7"], |_| {});
    let said = told(papers, Some(&authority));
    assert!(
        said.contains("issued for intern.example.org, 10.0.0.7, not for wiki.example.org"),
        "{said}"
    );
    let said = told(authority.issues(&[], |_| {}), Some(&authority));
    assert!(said.contains("names no host at all"), "{said}");
}

#[test]
fn names_in_a_certificate_bring_no_escape_to_the_screen() {
    let bad = Authority::named("Harbour \u{1b}[2J\u{202e}CA");
    let said = told(bad.issues(&[HOST], |_| {}), None);
    assert!(
        !said.chars().any(|c| c.is_control() || c == '\u{202e}'),
        "{said:?}"
    );
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told() {
    let key = KeyPair::generate().expect("a key");
    let own = named(&[HOST], "wiki itself")
        .self_signed(&key)
        .expect("a certificate");
    let said = told(Papers::of(&own, &key), None);
    assert!(said.contains("signed by nobody but itself"), "{said}");
    assert!(said.contains("CN=wiki itself"), "{said}");
}

#[test]
fn a_certificate_for_something_else_than_servers_is_told() {
    let authority = Authority::named("Harbour CA");
    let papers = authority.issues(&[HOST], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    });
    let said = told(papers, Some(&authority));
    assert!(said.contains("not meant for a server"), "{said}");
}

#[test]
fn an_authority_that_is_a_server_too_is_told() {
    let key = KeyPair::generate().expect("a key");
    let mut params = named(&[HOST], "wiki and authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = params.self_signed(&key).expect("a certificate");
    let said = told(Papers::of(&own, &key), None);
    assert!(said.contains("of an authority as its own"), "{said}");
}

#[test]
fn any_certificate_is_taken_only_where_the_profile_says_so() {
    let authority = Authority::named("Harbour CA");
    let papers = authority.issues(&["elsewhere.example.org"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let server = TlsServer::new(papers);
    let insecure = Settings {
        insecure: true,
        ..by_name(server.port, None)
    };
    assert!(ask(insecure).outcome.is_ok());
    assert_eq!(kind(&ask(by_name(server.port, None))), ErrorKind::Tls);
}

#[test]
fn a_file_of_authorities_that_holds_none_is_told() {
    let empty = Settings {
        ca_pem: Some(b"nothing here".to_vec()),
        ..by_name(1, None)
    };
    let broken = Settings {
        ca_pem: Some(b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n".to_vec()),
        ..by_name(1, None)
    };
    for settings in [empty, broken] {
        let error = Client::new(settings).expect_err("unusable");
        assert_eq!(error.kind, ErrorKind::Settings);
        assert!(error.message.contains("ca_file"), "{error}");
    }
}

#[test]
fn a_server_that_wants_to_know_us_gets_our_certificate_and_no_other() {
    let (servers, people) = (
        Authority::named("Servers CA"),
        Authority::named("People CA"),
    );
    let server = TlsServer::with(
        servers.issues(&[HOST], |_| {}),
        Some(&people),
        Manner::Answers,
    );
    let mine = people.issues(&["jdoe"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let with = |identity: Option<SecretString>| Settings {
        identity_pem: identity,
        ..by_name(server.port, Some(&servers))
    };
    let answer = ask(with(Some(mine.pem())));
    assert!(answer.outcome.is_ok(), "{answer:?}");
    assert_eq!(server.seen().client_certificates, 1);

    let error = ask(with(None)).outcome.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Tls, "{error:?}");
    assert!(
        error.message.contains("wants a client certificate"),
        "{error}"
    );
    // Another authority would not help.
    let hint = error.hint();
    assert!(
        hint.contains("`client_cert`") && !hint.contains("ca_file"),
        "{hint}"
    );
    assert_eq!(server.seen().request, "", "it was not looked at");

    let stranger = Authority::named("Nobody's CA").issues(&["jdoe"], |_| {});
    let error = ask(with(Some(stranger.pem())))
        .outcome
        .expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Tls, "{error:?}");
    assert!(error.message.contains("does not accept our"), "{error}");
    assert!(!error.hint().contains("ca_file"), "{}", error.hint());
}

#[test]
fn a_certificate_of_ours_that_cannot_be_used_is_told_and_its_key_is_not_shown() {
    let authority = Authority::named("People CA");
    let (mine, other) = (
        authority.issues(&["jdoe"], |_| {}),
        authority.issues(&["asmith"], |_| {}),
    );
    let mixed = format!("{}\n{}", mine.certificate_pem, other.key_pem);
    let locked = format!(
        "{}\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        mine.certificate_pem
    );
    for (pem, said) in [
        (mixed, "not that of"),
        (locked, "locked with a password"),
        (mine.certificate_pem.clone(), "client_key"),
        (mine.key_pem.clone(), "no certificate"),
        ("nothing".to_owned(), "no certificate"),
    ] {
        let settings = Settings {
            identity_pem: Some(SecretString::from(pem)),
            ..by_name(1, None)
        };
        assert!(!format!("{settings:?}").contains("BEGIN"));
        let error = Client::new(settings).expect_err("unusable");
        assert_eq!(error.kind, ErrorKind::Settings);
        assert!(error.message.contains(said), "{error}");
        assert!(!format!("{error:?}").contains("BEGIN"), "{error:?}");
    }
}

#[test]
fn a_line_that_drops_in_the_middle_of_a_safe_answer_is_told() {
    let authority = Authority::named("Harbour CA");
    let papers = authority.issues(&[HOST], |_| {});
    let server = TlsServer::with(papers, None, Manner::LeavesInTheMiddle);
    let (answer, retries) = send_with(by_name(server.port, Some(&authority)), &Call::CurrentUser);
    assert_eq!(kind(&answer), ErrorKind::Truncated);
    assert_eq!(retries.len(), 2, "a read is asked again");
    let (answer, retries) = send_with(by_name(server.port, Some(&authority)), &write());
    assert!(answer.outcome.expect_err("cut").may_have_been_applied());
    assert!(retries.is_empty());
}

#[test]
fn a_port_that_speaks_no_tls_is_told() {
    let plain = Plain::answering();
    let answer = ask(by_name(plain.port, None));
    assert_eq!(kind(&answer), ErrorKind::Tls, "{answer:?}");
    let error = answer.outcome.expect_err("refused");
    let (hint, said) = (error.hint(), error.message);
    assert!(said.contains("does not speak TLS"), "{said}");
    assert!(hint.contains("the port"), "{hint}");
    assert!(!plain.seen().contains("s3cret"), "nothing leaked");
}

#[test]
fn a_port_that_speaks_tls_alone_is_told_to_plain_http() {
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::new(authority.issues(&[HOST], |_| {}));
    let (answer, retries) = send_with(
        patient(&format!("http://127.0.0.1:{}", server.port)),
        &Call::CurrentUser,
    );
    let error = answer.outcome.expect_err("no HTTP");
    assert!(error.message.contains("https://"), "{error:?}");
    assert!(retries.is_empty(), "it would not help");
}

#[test]
fn a_handshake_that_never_ends_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let settings = Settings {
        connect_timeout: Duration::from_millis(100),
        ..by_name(port, None)
    };
    let (answer, retries) = send_with(settings, &Call::CurrentUser);
    let error = answer.outcome.expect_err("silence");
    assert_eq!(error.kind, ErrorKind::Connect);
    assert!(error.message.contains("in time"), "{error}");
    assert_eq!(retries.len(), 2);
    drop(listener);
}

/// A server or proxy of plain HTTP that answers everything with the same, or passes a tunnel on.
pub(crate) struct Plain {
    pub(crate) port: u16,
    seen: mpsc::Receiver<String>,
}

impl Plain {
    fn new(play: impl Fn(&str, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (tell, seen) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                // What is no HTTP has no end that could be waited for.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
                let head = request(&mut stream);
                let _ = stream.set_read_timeout(None);
                let gone = tell.send(head.clone()).is_err();
                play(&head, stream);
                if gone {
                    return;
                }
            }
        });
        Self { port, seen }
    }

    fn answering() -> Self {
        Self::saying("200 OK")
    }

    pub(crate) fn saying(status: &'static str) -> Self {
        Self::new(move |_, mut stream| {
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{USER}",
                USER.len()
            );
        })
    }

    /// A proxy whose tunnels all lead to this port of this machine.
    pub(crate) fn tunnelling_to(port: u16) -> Self {
        Self::new(move |head, mut stream| {
            // Whoever only looks whether it listens says nothing.
            if !head.starts_with("CONNECT ") {
                return;
            }
            let Ok(mut there) = TcpStream::connect(("127.0.0.1", port)) else {
                return;
            };
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let (Ok(mut from_there), Ok(mut back)) = (there.try_clone(), stream.try_clone()) else {
                return;
            };
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from_there, &mut back);
                let _ = back.shutdown(std::net::Shutdown::Both);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut stream, &mut there);
                let _ = there.shutdown(std::net::Shutdown::Write);
            });
        })
    }

    pub(crate) fn seen(&self) -> String {
        self.seen
            .recv_timeout(Duration::from_secs(20))
            .expect("a connection")
    }

    pub(crate) fn was_left_alone(&self) -> bool {
        self.seen.try_recv().is_err()
    }
}

fn through(proxy: &str, settings: Settings) -> Settings {
    Settings {
        proxy: Some(SecretString::from(proxy)),
        ..settings
    }
}

#[test]
fn plain_http_goes_through_the_proxy_with_its_whole_address() {
    let proxy = Plain::answering();
    let settings = through(
        &format!("http://me:pr0xy-pw@127.0.0.1:{}", proxy.port),
        Settings {
            allow_http: true,
            ..patient("http://wiki.example.org/wiki")
        },
    );
    let answer = ask(settings);
    assert!(answer.outcome.is_ok(), "{answer:?}");
    let seen = proxy.seen();
    assert!(
        seen.starts_with("GET http://wiki.example.org/wiki/rest/api/user/current HTTP/1.1"),
        "{seen}"
    );
    assert!(seen.to_lowercase().contains("proxy-authorization: basic"));
}

#[test]
fn https_goes_through_a_tunnel_and_the_proxy_sees_no_secret() {
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::new(authority.issues(&[HOST], |_| {}));
    let proxy = Plain::tunnelling_to(server.port);
    let settings = through(
        &format!("http://me:pr0xy-pw@127.0.0.1:{}", proxy.port),
        Settings {
            ca_pem: Some(authority.pem()),
            // No name is looked up here: that is for the proxy.
            names: Some(Names::by(|name| panic!("{name} was looked up"))),
            ..patient(&format!("https://{HOST}"))
        },
    );
    let answer = ask(settings);
    assert!(answer.outcome.is_ok(), "{answer:?}");
    let seen = proxy.seen();
    assert!(
        seen.starts_with("CONNECT wiki.example.org:443 HTTP/1.1"),
        "{seen}"
    );
    assert!(!seen.contains("s3cret-token"), "{seen}");
    let behind = server.seen();
    assert_eq!(behind.sni.as_deref(), Some(HOST));
    assert!(behind.request.contains("Bearer s3cret-token"));
    assert!(
        !behind
            .request
            .to_lowercase()
            .contains("proxy-authorization"),
        "the proxy's password is for the proxy"
    );
}

#[test]
fn a_proxy_that_wants_a_sign_in_is_told_and_asked_once() {
    let proxy = Plain::saying("407 Proxy Authentication Required");
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let plain = Settings {
        allow_http: true,
        ..patient("http://wiki.example.org")
    };
    for settings in [plain, patient(&format!("https://{HOST}"))] {
        let (answer, retries) = send_with(through(&address, settings), &Call::CurrentUser);
        let error = answer.outcome.expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Settings, "{error:?}");
        assert!(error.message.contains("407"), "{error}");
        assert!(error.message.contains("`proxy`"), "{error}");
        assert!(retries.is_empty());
    }
}

#[test]
fn a_proxy_that_lets_nobody_through_or_is_dead_is_told_without_its_password() {
    let proxy = Plain::saying("403 Forbidden");
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = dead.local_addr().expect("bound").port();
    drop(dead);
    for (port, said) in [
        (proxy.port, "does not let us through"),
        (closed, "Nothing listens"),
    ] {
        let address = format!("http://me:pr0xy-pw@127.0.0.1:{port}");
        let settings = through(&address, patient(&format!("https://{HOST}")));
        let error = ask(settings).outcome.expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Connect, "{error:?}");
        assert!(error.message.contains(said), "{error}");
        assert!(
            error
                .message
                .contains(&format!("through the proxy 127.0.0.1:{port}")),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("pr0xy-pw"), "{error:?}");
    }
}

#[test]
fn a_proxy_that_is_spoken_to_by_tls_is_told_apart_from_the_server() {
    let stranger = Authority::named("Stranger CA");
    let proxy = TlsServer::new(stranger.issues(&["localhost"], |_| {}));
    let settings = through(
        &format!("https://localhost:{}", proxy.port),
        patient(&format!("https://{HOST}")),
    );
    let error = ask(settings).outcome.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Tls, "{error:?}");
    assert!(
        error.message.starts_with("The certificate of localhost"),
        "{error}"
    );
    assert_eq!(proxy.seen().request, "", "nothing was sent");
}

#[test]
fn a_host_that_is_excepted_is_not_told_as_behind_the_proxy() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = dead.local_addr().expect("bound").port();
    drop(dead);
    let excepted = Settings {
        names: Some(here()),
        no_proxy: Some(".example.org".to_owned()),
        ..patient(&format!("https://{HOST}:{closed}"))
    };
    let error = ask(through("http://127.0.0.1:1", excepted))
        .outcome
        .expect_err("nobody");
    assert_eq!(
        error.message,
        format!("Nothing listens at https://{HOST}:{closed}.")
    );
}

#[test]
fn hosts_of_no_proxy_and_this_machine_are_reached_without_it() {
    let proxy = Plain::answering();
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let server = Plain::answering();
    let excepted = Settings {
        names: Some(here()),
        no_proxy: Some("other.example.com,.example.org".to_owned()),
        allow_http: true,
        ..patient(&format!("http://{HOST}:{}", server.port))
    };
    assert!(ask(through(&address, excepted)).outcome.is_ok());
    assert!(server.seen().starts_with("GET /rest"), "directly");
    let loopback = patient(&format!("http://127.0.0.1:{}", server.port));
    assert!(ask(through(&address, loopback)).outcome.is_ok());
    assert!(server.seen().starts_with("GET /rest"), "directly");
    assert!(proxy.was_left_alone());
}

#[test]
fn a_proxy_is_not_an_address_that_cannot_be_one() {
    let settings = through("http://[", patient(&format!("https://{HOST}")));
    let error = Client::new(settings).expect_err("unusable");
    assert_eq!(error.kind, ErrorKind::Settings);
    assert!(error.message.contains("proxy"), "{error}");
}

/// Starts the program with a token and these variables, and waits for this on its screen.
fn run_with(url: &str, variables: &[(&str, &str)], awaited: &str) {
    let home = TempDir::new().expect("a folder for the test");
    let mut command = coracle(home.path(), &["--url", url]);
    command.env("CORACLE_TOKEN", "s3cret-token");
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut terminal = Terminal::start(command, 120, 40);
    terminal.wait_for(awaited);
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn without_a_setting_the_environment_names_the_proxy() {
    let proxy = Plain::saying("407 Proxy Authentication Required");
    let address = format!("http://127.0.0.1:{}", proxy.port);
    run_with(
        "https://wiki.example.org",
        &[("HTTPS_PROXY", &address)],
        "407",
    );
    let seen = proxy.seen();
    assert!(seen.starts_with("CONNECT wiki.example.org:443"), "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
    // Where it is dead, it is to blame, and not the server.
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = dead.local_addr().expect("bound").port();
    drop(dead);
    run_with(
        "https://wiki.example.org",
        &[("HTTPS_PROXY", &format!("http://127.0.0.1:{closed}"))],
        &format!("127.0.0.1:{closed}"),
    );
    // This machine is reached without one, whatever the environment says.
    let server = coracle::demo::Server::start(coracle::demo::Options::default()).expect("a server");
    run_with(
        server.base_url(),
        &[
            ("HTTP_PROXY", &address),
            ("http_proxy", &address),
            ("ALL_PROXY", &address),
        ],
        "42 of 42",
    );
    assert!(proxy.was_left_alone());
}

/// A folder with a configuration of one profile that has these settings beside its address.
pub(crate) fn profile(port: u16, settings: &str, files: &[(&str, &[u8])]) -> (TempDir, String) {
    let home = TempDir::new().expect("a folder for the test");
    for (name, bytes) in files {
        std::fs::write(home.path().join(name), bytes).expect("a file");
    }
    let config = home.path().join("config.toml");
    // A name that is this machine in every list of hosts.
    let text = format!("[profiles.harbour]\nurl = 'https://localhost:{port}'\n{settings}\n");
    std::fs::write(&config, text).expect("a configuration");
    let config = config.to_string_lossy().into_owned();
    (home, config)
}

fn open(home: &TempDir, config: &str) -> Terminal {
    Terminal::start(coracle(home.path(), &["--config", config]), 160, 40)
}

#[test]
fn a_profile_brings_its_authority_and_its_certificate_from_files() {
    let (servers, people) = (
        Authority::named("Servers CA"),
        Authority::named("People CA"),
    );
    let server = TlsServer::with(
        servers.issues(&["localhost"], |_| {}),
        Some(&people),
        Manner::Answers,
    );
    let mine = people.issues(&["jdoe"], |_| {});
    let ca = servers.pem();
    let files: &[(&str, &[u8])] = &[
        ("ca.pem", &ca),
        ("me.pem", mine.certificate_pem.as_bytes()),
        ("me.key", mine.key_pem.as_bytes()),
        // How PKCS#12 begins: a sequence, and its version.
        (
            "me.p12",
            &[0x30, 0x82, 0x0a, 0x10, 0x02, 0x01, 0x03, 0x30, 0x82, 0xff],
        ),
    ];
    let settings = "ca_file = 'ca.pem'\nclient_cert = 'me.pem'\nclient_key = 'me.key'";
    let (home, config) = profile(server.port, settings, files);
    let mut terminal = open(&home, &config);
    let seen = server.seen();
    assert!(
        seen.request.starts_with("GET /rest/api/user/current"),
        "{seen:?}"
    );
    assert_eq!(seen.sni.as_deref(), Some("localhost"));
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);

    for (settings, awaited) in [
        ("ca_file = 'ca.pem'", "wants a client certificate"),
        ("ca_file = 'ca.pem'\nclient_cert = 'me.p12'", "is PKCS#12"),
        ("ca_file = 'missing.pem'", "could not be read"),
        ("ca_file = 'me.key'", "no certificate in"),
        ("client_cert = 'me.pem'", "client_key"),
    ] {
        let (home, config) = profile(server.port, settings, files);
        let mut terminal = open(&home, &config);
        terminal.wait_for(awaited);
        terminal.send([3]);
        assert_eq!(terminal.end().code, 130, "{settings}");
    }
}

#[test]
fn plain_http_that_is_allowed_is_said_on_every_screen() {
    let proxy = Plain::answering();
    let home = TempDir::new().expect("a folder for the test");
    let config = home.path().join("config.toml");
    let text = format!(
        "[profiles.harbour]\nurl = 'http://{HOST}'\nallow_http = true\nproxy = 'http://127.0.0.1:{}'\n",
        proxy.port
    );
    std::fs::write(&config, text).expect("a configuration");
    let mut terminal = open(&home, &config.to_string_lossy());
    let banner = "others on the way can read along";
    terminal.wait_for(banner);
    // Over a dialog, and in a low window.
    terminal.send("?");
    terminal.wait_for("Help");
    assert!(
        terminal.contents().contains(banner),
        "{}",
        terminal.contents()
    );
    terminal.send("q");
    terminal.resize(80, 11);
    terminal.wait("the banner in a low window", |screen| {
        screen.contents().contains(banner)
    });
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);
}

#[test]
fn a_certificate_that_is_not_checked_is_said_on_every_screen() {
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::new(authority.issues(&["localhost"], |_| {}));
    let (home, config) = profile(server.port, "", &[]);
    let mut terminal = open(&home, &config);
    terminal.wait_for("CN=Harbour CA");
    terminal.wait_for("ca_file");
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);

    let (home, config) = profile(server.port, "insecure = true", &[]);
    let mut terminal = open(&home, &config);
    // While it signs in, over a dialog, and in the smallest window.
    let banner = "certificate is not checked";
    terminal.wait_for(banner);
    terminal.send("?");
    terminal.wait_for("Help");
    assert!(
        terminal.contents().contains(banner),
        "{}",
        terminal.contents()
    );
    terminal.send("q");
    terminal.resize(40, 12);
    terminal.wait("the banner in a small window", |screen| {
        screen.contents().contains("certificate is not chec")
    });
    terminal.send([3]);
    assert_eq!(terminal.end().code, 130);
}
