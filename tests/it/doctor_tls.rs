//! What `coracle doctor` tells of TLS and of proxies: the program itself, before servers with an
//! authority of their own and a proxy of a few lines, all on loopback.
//!
//! Behind the TLS servers is the embedded Confluence, so that all that comes after is there too.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use coracle::demo::{Options, Server};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use serde_json::Value;
use tempfile::TempDir;

use crate::tls::{Authority, Manner, Papers, Plain, TlsServer, profile};

const TOKEN: &str = "NjY2-very-secret-token";
const HOST: &str = "wiki.example.org";

/// What the program said.
struct Told {
    text: String,
    code: Option<i32>,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = String::from_utf8(output.stdout.clone()).expect("it writes UTF-8");
        let errors = String::from_utf8_lossy(&output.stderr);
        for said in [&*text, &*errors] {
            assert!(!said.contains('\u{1b}'), "{said:?}");
            assert!(!said.contains(TOKEN), "{said}");
            assert!(!said.contains("pr0xy-pw"), "{said}");
        }
        assert_eq!(errors, "", "{text}");
        Self {
            text,
            code: output.status.code(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The line of what was not looked at, this among others.
    fn skipped(&self, label: &str) -> Option<&str> {
        let lines: Vec<&str> = self.text.lines().collect();
        let group = lines.windows(2).find(|two| {
            two[0].starts_with("-       Not checked")
                && two[1].trim().split(", ").any(|one| one == label)
        });
        group.map(|two| two[0])
    }

    /// The line about this, and that there is one alone; without its label.
    fn line(&self, label: &str) -> &str {
        let mut lines = self.text.lines().filter_map(|line| {
            let (word, rest) = line.split_at_checked(8)?;
            let (name, says) = rest.split_at_checked(18)?;
            (name.trim_end() == label && word.trim() != "").then_some(line)?;
            Some((word, says))
        });
        let Some((word, _)) = lines.next() else {
            return self
                .skipped(label)
                .unwrap_or_else(|| panic!("{label} is not told\n{}", self.text));
        };
        assert!(lines.next().is_none(), "{label} is told twice");
        let start = self
            .text
            .find(&format!("{word}{label:<17} "))
            .expect("the line that was just found");
        self.text[start..].lines().next().expect("a line")
    }
}

/// Runs `coracle doctor` with a token and these variables, without a terminal.
fn doctor(home: &Path, config: &str, more: &[&str], variables: &[(&str, &str)]) -> Told {
    let output = Command::new(env!("CARGO_BIN_EXE_coracle"))
        .args(["doctor", "--config", config])
        .args(more)
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("WIKI_TOKEN", TOKEN)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    Told::of(&output)
}

/// A Confluence that takes the token.
fn confluence() -> Server {
    Server::start(Options {
        token: Some(TOKEN.to_owned()),
        hosts: vec![HOST.to_owned()],
        ..Options::default()
    })
    .expect("loopback has a free port")
}

fn port_of(server: &Server) -> u16 {
    let port = server.base_url().rsplit(':').next().expect("a port");
    port.parse().expect("a number")
}

/// A day so many days from now, as certificates have it.
fn in_days(days: i64) -> (i32, u8, u8) {
    let then = coracle::shell::clock::time_of_day() + jiff::SignedDuration::from_hours(days * 24);
    let text = then.to_string();
    let mut parts = text.split(['-', 'T']);
    let mut part = || parts.next().expect("a date has three parts");
    (
        part().parse().expect("a year"),
        part().parse().expect("a month"),
        part().parse().expect("a day"),
    )
}

fn until(authority: &Authority, hosts: &[&str], days: i64) -> Papers {
    authority.issues(hosts, |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        let (year, month, day) = in_days(days);
        params.not_after = date_time_ymd(year, month, day);
    })
}

const SETTINGS: &str = "token_env = 'WIKI_TOKEN'\nca_file = 'ca.pem'";

#[test]
fn a_chain_is_told_to_its_authority_in_the_file_or_in_the_system() {
    let wiki = confluence();
    let root = Authority::named("Harbour Root");
    let between = root.below("Harbour Servers");
    let papers = until(&between, &["localhost", "intern.example.org"], 90).with(&between);
    let server = TlsServer::with(papers, None, Manner::Relays(port_of(&wiki)));
    let pem = root.pem();

    let (home, config) = profile(server.port, SETTINGS, &[("ca.pem", &pem)]);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    assert_eq!(
        told.line("TLS"),
        "ok      TLS               The certificate is trusted by an authority of ca_file, O=Harbour,CN=Harbour Root. TLS 1.3."
    );
    let (year, month, day) = in_days(90);
    assert_eq!(
        told.line("Certificate 1"),
        format!(
            "ok      Certificate 1     CN=somebody for localhost, intern.example.org, issued by O=Harbour,CN=Harbour Servers. Valid until {year}-{month:02}-{day:02}, 89 days."
        )
    );
    let second = told.line("Certificate 2");
    assert!(
        second.contains("O=Harbour,CN=Harbour Servers, issued by O=Harbour,CN=Harbour Root."),
        "{second}"
    );
    assert!(told.line("Proxy").contains("this machine"), "{}", told.text);
    assert!(told.line("Sign-in").starts_with("ok"), "{}", told.text);
    assert!(told.line("Operation 13").starts_with("ok"), "{}", told.text);

    // The same for programs, and with days that can be counted.
    let json = doctor(home.path(), &config, &["--json"], &[]).json();
    assert_eq!(json["exit"], 0);
    let checks = json["checks"].as_array().expect("a list");
    let of = |name: &str| checks.iter().find(|check| check["check"] == name);
    assert_eq!(of("tls").expect("told")["verdict"], "ok");
    let first = &of("certificate-1").expect("told")["certificate"];
    assert_eq!(first["subject"], "CN=somebody");
    assert_eq!(first["issuer"], "O=Harbour,CN=Harbour Servers");
    assert_eq!(first["hosts"][1], "intern.example.org");
    assert_eq!(
        first["until"],
        format!("{year}-{month:02}-{day:02}T00:00:00Z")
    );
    assert!(of("certificate-2").is_some());
    assert!(of("certificate-3").is_none(), "it was not sent");
    assert!(of("sign-in").expect("told").get("certificate").is_none());

    // An authority that the system knows, beside another one in the file.
    let other = Authority::named("Another CA").pem();
    let (home, config) = profile(
        server.port,
        SETTINGS,
        &[("ca.pem", &other), ("system.pem", &pem)],
    );
    let system = home.path().join("system.pem");
    let system = system.to_string_lossy();
    let told = doctor(home.path(), &config, &[], &[("SSL_CERT_FILE", &system)]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    assert!(
        told.line("TLS")
            .contains("by an authority of the system, O=Harbour,CN=Harbour Root. TLS 1.3."),
        "{}",
        told.text
    );
}

#[test]
fn an_older_tls_is_told_as_what_it_is() {
    let wiki = confluence();
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::speaking(
        &[&rustls::version::TLS12],
        until(&authority, &["localhost"], 90),
        None,
        Manner::Relays(port_of(&wiki)),
    );
    let (home, config) = profile(server.port, SETTINGS, &[("ca.pem", &authority.pem())]);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    assert!(told.line("TLS").ends_with("TLS 1.2."), "{}", told.text);
}

#[test]
fn a_certificate_that_ends_soon_is_a_note_and_fails_nothing() {
    let wiki = confluence();
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::with(
        until(&authority, &["localhost"], 11),
        None,
        Manner::Relays(port_of(&wiki)),
    );
    let (home, config) = profile(server.port, SETTINGS, &[("ca.pem", &authority.pem())]);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    let line = told.line("Certificate 1");
    assert!(line.starts_with("note"), "{line}");
    assert!(line.ends_with(", 10 days."), "{line}");
    assert!(
        told.text.contains("no client will get in after that day"),
        "{}",
        told.text
    );
    assert!(told.line("TLS").starts_with("ok"), "{}", told.text);
}

#[test]
fn a_certificate_that_is_refused_is_told_with_the_chain_that_was_sent() {
    let wiki = confluence();
    let relay = Manner::Relays(port_of(&wiki));
    let authority = Authority::named("Harbour CA");
    let stranger = Authority::named("Stranger CA");
    let expired = until(&authority, &["localhost"], -3);
    let elsewhere = until(&authority, &["intern.example.org"], 90);
    let unknown = until(&stranger, &["localhost"], 90).with(&stranger);
    for (papers, why, first, second) in [
        (
            expired,
            "expired on",
            "issued by O=Harbour,CN=Harbour CA. Expired on",
            None,
        ),
        (
            elsewhere,
            "issued for intern.example.org, not for localhost",
            "for intern.example.org",
            None,
        ),
        (
            unknown,
            "not known here: O=Harbour,CN=Stranger CA",
            "issued by O=Harbour,CN=Stranger CA",
            Some("issued by itself"),
        ),
    ] {
        let server = TlsServer::with(papers, None, relay);
        let (home, config) = profile(server.port, SETTINGS, &[("ca.pem", &authority.pem())]);
        let told = doctor(home.path(), &config, &[], &[]);
        assert_eq!(told.code, Some(4), "{}", told.text);
        let line = told.line("TLS");
        assert!(line.starts_with("FAILED"), "{line}");
        assert!(line.contains(why), "{line}");
        assert!(told.line("Certificate 1").contains(first), "{}", told.text);
        match second {
            Some(second) => assert!(told.line("Certificate 2").contains(second), "{}", told.text),
            None => assert!(!told.text.contains("Certificate 2"), "{}", told.text),
        }
        // What the line could not carry is not told as if it had failed by itself.
        assert!(told.line("Sign-in").starts_with('-'), "{}", told.text);
        assert!(told.text.ends_with("1 check failed.\n"), "{}", told.text);
        // The first connection is a look whether somebody listens.
        assert_eq!(server.seen().request, "");
        assert_eq!(server.seen().request, "", "no secret before trust");
        let json = doctor(home.path(), &config, &["--json"], &[]).json();
        assert_eq!(json["exit"], 4);
        let checks = json["checks"].as_array().expect("a list");
        let certificate = checks
            .iter()
            .find(|check| check["check"] == "certificate-1");
        assert!(certificate.expect("told")["certificate"]["until"].is_string());
    }
    assert_eq!(wiki.requests(), Vec::new(), "nothing got through");
}

#[test]
fn what_nobody_checks_is_told_all_the_same() {
    let wiki = confluence();
    let stranger = Authority::named("Stranger CA");
    let papers = until(&stranger, &["intern.example.org"], -3);
    let server = TlsServer::with(papers, None, Manner::Relays(port_of(&wiki)));
    let settings = "token_env = 'WIKI_TOKEN'\ninsecure = true";
    let (home, config) = profile(server.port, settings, &[]);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    let line = told.line("TLS");
    assert!(line.starts_with("note"), "{line}");
    assert!(
        line.contains("not checked, as the profile says. TLS 1.3."),
        "{line}"
    );
    let line = told.line("Certificate 1");
    assert!(line.starts_with("note"), "{line}");
    assert!(
        line.contains("for intern.example.org, issued by O=Harbour,CN=Stranger CA. Expired on"),
        "{line}"
    );
    assert!(told.line("Sign-in").starts_with("ok"), "{}", told.text);
}

#[test]
fn a_server_that_wants_to_know_us_is_told_until_it_does() {
    let wiki = confluence();
    let (servers, people) = (
        Authority::named("Servers CA"),
        Authority::named("People CA"),
    );
    let mine = people.issues(&["jdoe"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let server = TlsServer::with(
        until(&servers, &["localhost"], 90),
        Some(&people),
        Manner::Relays(port_of(&wiki)),
    );
    let ca = servers.pem();
    let files: &[(&str, &[u8])] = &[
        ("ca.pem", &ca),
        ("me.pem", mine.certificate_pem.as_bytes()),
        ("me.key", mine.key_pem.as_bytes()),
    ];
    let (home, config) = profile(server.port, SETTINGS, files);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(4), "{}", told.text);
    let line = told.line("TLS");
    assert!(line.starts_with("FAILED"), "{line}");
    assert!(line.contains("wants a client certificate"), "{line}");
    assert!(told.text.contains("`client_cert`"), "{}", told.text);
    // The server's own was fine, and is told.
    assert!(
        told.line("Certificate 1").starts_with("ok"),
        "{}",
        told.text
    );
    let settings = format!("{SETTINGS}\nclient_cert = 'me.pem'\nclient_key = 'me.key'");
    let (home, config) = profile(server.port, &settings, files);
    let key = home.path().join("me.key");
    for (mode, is_open) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("a mode");
        let told = doctor(home.path(), &config, &[], &[]);
        assert_eq!(told.code, Some(0), "{}", told.text);
        assert!(told.line("TLS").starts_with("ok"), "{}", told.text);
        let is_told = told
            .text
            .contains("me.key (0644), the key of your certificate");
        assert_eq!(is_told, is_open, "{}", told.text);
    }
}

/// A profile of a server that only a proxy can find.
fn behind(proxy: &str, files: &[(&str, &[u8])]) -> (TempDir, String) {
    let (home, config) = profile(1, "", files);
    let text = format!("[profiles.harbour]\nurl = 'https://{HOST}'\n{SETTINGS}\n{proxy}\n");
    fs::write(&config, text).expect("a configuration");
    (home, config)
}

#[test]
fn a_proxy_is_told_by_who_named_it_and_all_behind_it_too() {
    let wiki = confluence();
    let authority = Authority::named("Harbour CA");
    let server = TlsServer::with(
        until(&authority, &[HOST], 90),
        None,
        Manner::Relays(port_of(&wiki)),
    );
    let proxy = Plain::tunnelling_to(server.port);
    let pem = authority.pem();
    let files: &[(&str, &[u8])] = &[("ca.pem", &pem)];
    let address = format!("http://me:pr0xy-pw@127.0.0.1:{}", proxy.port);
    let shown = format!("127.0.0.1:{}, as", proxy.port);
    let by_profile = format!("proxy = '{address}'");
    for (settings, variables, by) in [
        (by_profile.as_str(), vec![], "the profile says"),
        // The variable is not asked where the profile names one.
        (
            by_profile.as_str(),
            vec![("HTTPS_PROXY", "http://127.0.0.1:1")],
            "the profile says",
        ),
        (
            "",
            vec![("HTTPS_PROXY", address.as_str())],
            "the variable HTTPS_PROXY says",
        ),
    ] {
        let (home, config) = behind(settings, files);
        let told = doctor(home.path(), &config, &[], &variables);
        assert_eq!(told.code, Some(0), "{}", told.text);
        let line = told.line("Proxy");
        assert!(line.contains(&shown), "{line}");
        assert!(line.contains(by), "{line}");
        assert!(
            told.line("TLS")
                .contains("ca_file, O=Harbour,CN=Harbour CA"),
            "{}",
            told.text
        );
        assert!(told.line("Certificate 1").contains(HOST), "{}", told.text);
        assert!(told.line("User").starts_with("ok"), "{}", told.text);
        // A look whether it listens, then the tunnel; it never sees the token.
        assert_eq!(proxy.seen(), "");
        let seen = proxy.seen();
        assert!(seen.starts_with(&format!("CONNECT {HOST}:443")), "{seen}");
        assert!(!seen.contains(TOKEN), "{seen}");
        // The requests that followed.
        while !proxy.was_left_alone() {}
    }
}

#[test]
fn a_proxy_that_is_dead_or_lets_nobody_through_is_to_blame_and_not_the_server() {
    let authority = Authority::named("Harbour CA").pem();
    let files: &[(&str, &[u8])] = &[("ca.pem", &authority)];
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let dead = free.local_addr().expect("its address").port();
    drop(free);
    let (home, config) = behind(&format!("proxy = 'http://127.0.0.1:{dead}'"), files);
    let told = doctor(home.path(), &config, &[], &[]);
    assert_eq!(told.code, Some(4), "{}", told.text);
    let line = told.line("Connection");
    assert!(line.starts_with("FAILED"), "{line}");
    let to = format!("No connection to the proxy 127.0.0.1:{dead}: ");
    assert!(line.contains(&to), "{line}");
    assert!(!told.text.contains("os error"), "{}", told.text);
    assert!(told.line("TLS").starts_with('-'), "{}", told.text);

    for (status, said) in [
        ("403 Forbidden", "does not let us through"),
        ("407 Proxy Authentication Required", "407"),
    ] {
        let proxy = Plain::saying(status);
        let settings = format!("proxy = 'http://me:pr0xy-pw@127.0.0.1:{}'", proxy.port);
        let (home, config) = behind(&settings, files);
        let told = doctor(home.path(), &config, &[], &[]);
        assert_eq!(told.code, Some(4), "{}", told.text);
        assert!(told.text.contains(said), "{}", told.text);
        assert!(told.line("TLS").starts_with('-'), "{}", told.text);
        assert!(!told.text.contains("Certificate 1"), "{}", told.text);
    }

    let (home, config) = behind("", files);
    let told = doctor(home.path(), &config, &[], &[("HTTPS_PROXY", "http://[")]);
    assert_eq!(told.code, Some(4), "{}", told.text);
    assert!(told.line("Proxy").starts_with("FAILED"), "{}", told.text);
}
