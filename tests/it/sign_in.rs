//! Every way in which a sign-in ends, told apart, each with what to do about it.
//!
//! A raw socket answers; the client is the real one. Nothing here is asked twice: repeated bad
//! passwords lock an account.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use coracle::confluence::Endpoint;
use coracle::confluence::client::{Answer, Client, Credentials, Settings};
use coracle::confluence::{ApiError, Call, ErrorKind, SpaceKey};
use coracle::demo::{Fault, Options, Rule, Server};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::faults::{Line, Script, USER, answer, send_with, settings, write};
use crate::terminal::{Terminal, coracle};

/// Asks who we are, gets this one answer, and checks that nothing else was sent.
fn outcome_as(credentials: Credentials, line: Line) -> ApiError {
    let script = Script::new(vec![line]);
    let settings = Settings {
        credentials,
        ..settings(&script.address)
    };
    let (answer, retries) = send_with(settings, &Call::CurrentUser);
    assert!(retries.is_empty(), "{retries:?}");
    assert_eq!(script.end().len(), 1, "asked once");
    let error = answer.outcome.expect_err("it is no success");
    let shown = format!("{error:?} {}", error.hint());
    assert!(!shown.contains("s3cret"), "{shown}");
    error
}

fn outcome(line: Line) -> ApiError {
    outcome_as(
        Credentials::Bearer(SecretString::from("s3cret-token")),
        line,
    )
}

fn with_password() -> Credentials {
    Credentials::Basic {
        user: "asmith".to_owned(),
        password: SecretString::from("s3cret-word"),
    }
}

/// An answer with a body of HTML.
fn page(status: &str, headers: &str, body: &str) -> Line {
    Line::Says(
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html;charset=UTF-8\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

#[track_caller]
fn says(error: &ApiError, kind: &ErrorKind, message: &str, hint: &str) {
    assert_eq!(error.kind, *kind, "{error:?}");
    assert!(error.message.contains(message), "{error:?}");
    assert!(error.hint().contains(hint), "{}", error.hint());
}

const AUTHENTICATE: &str =
    r#"{"message":"Client must be authenticated to access this resource.","status-code":401}"#;

#[test]
fn a_bad_token() {
    says(
        &outcome(answer("401 Unauthorized", "", AUTHENTICATE)),
        &ErrorKind::Unauthorized,
        "did not accept the token",
        "Personal access tokens",
    );
}

#[test]
fn a_bad_password() {
    let basic = "WWW-Authenticate: Basic realm=\"protected-area\"\r\n";
    let html = "<html><body><h2>Basic Authentication Failure - Reason : AUTHENTICATED_FAILED</h2>";
    says(
        &outcome_as(with_password(), page("401 Unauthorized", basic, html)),
        &ErrorKind::Unauthorized,
        "did not accept the user name or the password",
        "lock the account",
    );
}

#[test]
fn no_sign_in_where_one_is_wanted() {
    says(
        &outcome_as(
            Credentials::Anonymous,
            answer("401 Unauthorized", "", AUTHENTICATE),
        ),
        &ErrorKind::Unauthorized,
        "wants a sign-in",
        "CORACLE_TOKEN",
    );
}

#[test]
fn a_password_where_only_tokens_are_taken() {
    let words = "Basic Authentication has been disabled on this instance.";
    let json = format!(r#"{{"message":"{words}","status-code":403}}"#);
    let html = format!("<html><head><title>Oops</title></head><body><p>{words}</p></body></html>");
    for line in [
        answer("403 Forbidden", "", &json),
        page("403 Forbidden", "", &html),
        page("401 Unauthorized", "", &html),
    ] {
        says(
            &outcome_as(with_password(), line),
            &ErrorKind::Unauthorized,
            "wants a token",
            "personal access token",
        );
    }
}

#[test]
fn a_web_page_that_refuses_comes_from_in_between_and_is_told_with_status_and_title() {
    let nginx = |title: &str| format!("<html><head><title>{title}</title></head></html>");
    for (status, body, title) in [
        (
            "403 Forbidden",
            "XSRF check failed".to_owned(),
            "XSRF check failed",
        ),
        ("403 Forbidden", nginx("Request blocked"), "Request blocked"),
        (
            "405 Not Allowed",
            nginx("405 Not Allowed"),
            "405 Not Allowed",
        ),
        (
            "411 Length Required",
            nginx("411 Length Required"),
            "411 Length Required",
        ),
        (
            "400 Bad Request",
            "<html><body><h1>Bad\nRequest</h1>".to_owned(),
            "Bad",
        ),
    ] {
        let script = Script::new(vec![page(status, "", &body)]);
        let (got, retries) = send_with(settings(&script.address), &write());
        assert_eq!(script.end().len(), 1, "sent once");
        assert!(retries.is_empty());
        let error = got.outcome.expect_err("refused");
        let told = format!("{error} {}", error.hint());
        for part in [&status[..3], title, "between here and", "proxy"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        for wrong in ["permission", "does not offer the operation", "Change what"] {
            assert!(!told.contains(wrong), "{wrong}: {told}");
        }
        assert!(!error.may_have_been_applied());
    }
    // What Confluence's own web server says of a method is of the operation.
    let tomcat = nginx("HTTP Status 405 – Method Not Allowed");
    let script = Script::new(vec![page("405 Method Not Allowed", "", &tomcat)]);
    let (got, _) = send_with(settings(&script.address), &write());
    let kind = got.outcome.expect_err("refused").kind;
    assert_eq!(kind, ErrorKind::NoSuchOperation);
}

#[test]
fn a_captcha_lock() {
    const URL: &str = "https://wiki.example.org/login.action";
    let lock = format!(
        "X-Seraph-LoginReason: AUTHENTICATION_DENIED\r\nX-Authentication-Denied-Reason: CAPTCHA_CHALLENGE; login-url={URL}\r\n"
    );
    let kind = ErrorKind::CaptchaLock {
        login_url: Some(URL.to_owned()),
    };
    for status in ["401 Unauthorized", "403 Forbidden"] {
        for line in [page(status, &lock, "<html>"), answer(status, &lock, "{}")] {
            says(&outcome_as(with_password(), line), &kind, "CAPTCHA", URL);
        }
    }
    // Without an address.
    let lock = "X-Authentication-Denied-Reason: CAPTCHA_CHALLENGE\r\n";
    let error = outcome_as(with_password(), page("401 Unauthorized", lock, ""));
    says(
        &error,
        &ErrorKind::CaptchaLock { login_url: None },
        "CAPTCHA",
        "in a browser",
    );
}

#[test]
fn nobody_despite_a_sign_in() {
    let hint = "takes the Authorization header away";
    let anonymous = r#"{"type":"anonymous","username":"","displayName":"Anonymous"}"#;
    says(
        &outcome(answer("200 OK", "", anonymous)),
        &ErrorKind::Anonymous,
        "treats us as not signed in",
        hint,
    );
    // Also where only the header says so.
    says(
        &outcome(answer("200 OK", "X-AUSERNAME: anonymous\r\n", USER)),
        &ErrorKind::Anonymous,
        "treats us as not signed in",
        hint,
    );
    // Who brought nothing is nobody, and that is no failure.
    let script = Script::new(vec![answer(
        "200 OK",
        "X-AUSERNAME: anonymous\r\n",
        anonymous,
    )]);
    let nobody = Settings {
        credentials: Credentials::Anonymous,
        ..settings(&script.address)
    };
    assert!(send_with(nobody, &Call::CurrentUser).0.outcome.is_ok());
}

#[test]
fn a_page_of_single_sign_on() {
    let to = "Location: https://sso.example.org/adfs/ls/?SAMLRequest=abc\r\n";
    let error = outcome(answer("302 Found", to, ""));
    assert!(
        matches!(error.kind, ErrorKind::Redirect { login: true, .. }),
        "{error:?}"
    );
    assert!(error.message.contains("sign-in in a browser"), "{error}");
    assert!(error.hint().contains("personal access token"));
    let html = "<html><head><title>Log in - Harbour SSO</title></head>";
    let error = outcome(page("200 OK", "", html));
    assert!(matches!(error.kind, ErrorKind::NotJson { .. }), "{error:?}");
    assert!(error.message.contains("Log in - Harbour SSO"), "{error}");
    assert!(error.hint().contains("single sign-on"), "{}", error.hint());
}

#[test]
fn another_address() {
    let to = "Location: https://new.example.org/wiki/rest/api/user/current\r\n";
    let error = outcome(answer("301 Moved Permanently", to, ""));
    assert!(
        matches!(error.kind, ErrorKind::Redirect { login: false, .. }),
        "{error:?}"
    );
    assert_eq!(
        error.hint(),
        "The server answers at https://new.example.org/wiki; set `url` to that if you trust it."
    );
    assert!(error.message.contains("nothing was sent there"), "{error}");
}

#[test]
fn no_permission() {
    let body = r#"{"statusCode":403,"message":"com.atlassian.confluence.api.service.exceptions.PermissionException: User not permitted to use Confluence","reason":"Forbidden"}"#;
    says(
        &outcome(answer("403 Forbidden", "", body)),
        &ErrorKind::Forbidden,
        "User not permitted to use Confluence",
        "permission",
    );
}

#[test]
fn no_licence() {
    says(
        &outcome(answer(
            "402 Payment Required",
            "",
            r#"{"message":"No license"}"#,
        )),
        &ErrorKind::Licence,
        "No license",
        "licence",
    );
}

#[test]
fn a_site_that_is_only_read() {
    let body = r#"{"statusCode":405,"data":{"authorized":false,"valid":true,"allowedInReadOnlyMode":false,"errors":[],"successful":false},"message":"READ_ONLY: the site is in read-only mode"}"#;
    let script = Script::new(vec![answer("405 Method Not Allowed", "", body)]);
    let (got, retries) = send_with(settings(&script.address), &write());
    let error = got.outcome.expect_err("refused");
    says(
        &error,
        &ErrorKind::ReadOnlySite,
        "read-only mode",
        "Reading goes on",
    );
    assert!(!error.may_have_been_applied());
    assert!(retries.is_empty());
    // Any other 405: no such operation.
    let script = Script::new(vec![answer("405 Method Not Allowed", "", "{}")]);
    let (got, _) = send_with(settings(&script.address), &write());
    says(
        &got.outcome.expect_err("refused"),
        &ErrorKind::NoSuchOperation,
        "no such operation",
        "newer server",
    );
}

#[test]
fn something_that_is_not_confluence() {
    let hint = "context path";
    let nginx = page("404 Not Found", "", "<html><h1>404 Not Found</h1>nginx");
    says(
        &outcome(nginx),
        &ErrorKind::NotConfluence,
        "no REST API of Confluence",
        hint,
    );
    let error = outcome(answer("200 OK", "", r#"{"hello":"world"}"#));
    says(
        &error,
        &ErrorKind::Malformed,
        "not with a user",
        "Data Center",
    );
    let error = outcome(page("200 OK", "", "<title>Welcome to nginx!</title>"));
    assert!(matches!(error.kind, ErrorKind::NotJson { .. }));
    assert!(error.hint().contains("`url`"));
    // Another product of the same house.
    let script = Script::new(vec![answer(
        "200 OK",
        "",
        r#"{"typeId":"jira","version":"9.12"}"#,
    )]);
    let (got, _) = send_with(settings(&script.address), &Call::Manifest);
    says(
        &got.outcome.expect_err("another one"),
        &ErrorKind::NotConfluence,
        "“jira”",
        hint,
    );
}

#[test]
fn the_cloud_is_not_supported_and_told_why() {
    let hint = "another sign-in";
    for url in [
        "https://harbour.atlassian.net/wiki",
        "https://HARBOUR.atlassian.net",
    ] {
        let error = Endpoint::parse(url).expect_err("the cloud");
        says(&error, &ErrorKind::CloudNotSupported, "Cloud", hint);
    }
    // Behind a name of one's own.
    says(
        &outcome(answer("401 X", "Server: AtlassianEdge\r\n", "{}")),
        &ErrorKind::CloudNotSupported,
        "Cloud",
        hint,
    );
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_session_is_told_at_the_next_answer() {
    let script = Script::new(vec![
        answer("200 OK", "X-AUSERNAME: asmith\r\n", USER),
        answer(
            "404 Not Found",
            "X-AUSERNAME: anonymous\r\n",
            r#"{"statusCode":404,"message":"No space with key : ENG"}"#,
        ),
    ]);
    let space = Call::Space {
        key: SpaceKey::new("ENG"),
        expand: String::new(),
    };
    let answers: Vec<Answer> = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            let client = Client::new(settings(&script.address)).expect("usable");
            vec![
                client.send(&Call::CurrentUser, |_| {}).await,
                client.send(&space, |_| {}).await,
            ]
        });
    assert!(answers[0].outcome.is_ok());
    // Not "no such space": that would be believed.
    let error = answers[1].outcome.as_ref().expect_err("nobody");
    assert_eq!(error.kind, ErrorKind::Anonymous);
}

#[test]
fn what_can_be_no_token_is_refused_before_anything_is_sent() {
    for token in ["two\nlines", "bell\u{7}", "a\r\nX-Evil: 1"] {
        let bad = Settings {
            credentials: Credentials::Bearer(SecretString::from(token)),
            ..settings("http://127.0.0.1:1")
        };
        let error = Client::new(bad).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Settings, "{token:?}");
        assert!(!format!("{error:?}").contains(token));
    }
}

/// The whole program before a server that answers every question with this.
fn seen_with(fault: Fault, awaited: &[&str]) {
    let server = Server::start(Options::default()).expect("a server");
    server.faults().add(Rule::new("* /**", fault).always());
    let home = TempDir::new().expect("a folder for the test");
    let mut command = coracle(home.path(), &["--url", server.base_url()]);
    command.env("CORACLE_TOKEN", "s3cret-token");
    let mut terminal = Terminal::start(command, 160, 40);
    for text in awaited {
        terminal.wait_for(text);
    }
    assert_eq!(
        server.requests().len(),
        1,
        "nothing more is asked until somebody says so"
    );
    terminal.send("q");
    let ended = terminal.end();
    assert_eq!(ended.code, 0);
    assert!(!String::from_utf8_lossy(&ended.bytes).contains("s3cret"));
}

#[test]
fn a_lock_is_shown_with_its_address_and_nothing_more_is_asked() {
    seen_with(
        Fault::Answer {
            status: 401,
            headers: vec![(
                "X-Authentication-Denied-Reason".to_owned(),
                "CAPTCHA_CHALLENGE; login-url=https://wiki.example.org/login.action".to_owned(),
            )],
            body: String::new(),
        },
        &["CAPTCHA", "https://wiki.example.org/login.action"],
    );
}

#[test]
fn a_moved_server_is_shown_with_the_setting_to_change() {
    seen_with(
        Fault::Redirect("https://new.example.org/wiki/rest/api/user/current".to_owned()),
        &["https://new.example.org/wiki", "set `url`"],
    );
}

#[test]
fn the_log_tells_of_each_request_and_nothing_of_an_answer() {
    let told = |level: &str| {
        let server = Server::start(Options::default()).expect("a server");
        let refused = Fault::Answer {
            status: 400,
            headers: vec![("X-Told".to_owned(), "of-a-header".to_owned())],
            body: r#"{"statusCode":400,"message":"of-a-body"}"#.to_owned(),
        };
        let moved = Fault::Redirect("https://of-a-redirect.example.org/".to_owned());
        server
            .faults()
            .add(Rule::new("GET /rest/api/accessmode", moved).always());
        server
            .faults()
            .add(Rule::new("GET /rest/api/space", refused).always());
        let home = TempDir::new().expect("a folder for the test");
        let mut command = coracle(home.path(), &["--url", server.base_url(), "--log", level]);
        command.env("CORACLE_TOKEN", "s3cret-token");
        let mut terminal = Terminal::start(command, 160, 40);
        terminal.wait_for("of-a-body");
        terminal.send("q");
        assert_eq!(terminal.end().code, 0);
        fs::read_to_string(home.path().join(".local/state/coracle/coracle.log")).expect("a log")
    };
    let log = told("info");
    let line = |path: &str| {
        log.lines()
            .find(|line| line.contains(&format!("path=\"{path}\"")))
            .unwrap_or_else(|| panic!("{path} is not told\n{log}"))
    };
    assert!(
        log.lines()
            .next()
            .is_some_and(|line| line.contains("started version=")),
        "{log}"
    );
    let fine = line("/rest/api/user/current");
    for part in [" INFO ", "ticket=", "method=\"GET\"", "status=200", "ms="] {
        assert!(fine.contains(part), "{part} {fine}");
    }
    let bad = line("/rest/api/space");
    for part in [" WARN ", "Invalid", "ticket=", "status=400"] {
        assert!(bad.contains(part), "{part} {bad}");
    }
    assert!(!log.contains("of-a-"), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
    // Who asks for more gets what the screen says.
    let log = told("debug");
    assert!(log.contains("of-a-body"), "{log}");
    assert!(!log.contains("of-a-header"), "{log}");
    assert!(!log.contains("s3cret"), "{log}");
}

/// Opens a profile whose secret comes from here, and waits until this is shown.
fn secret_from(home: &TempDir, source: &str, awaited: &[&str]) {
    let server = Server::start(Options {
        token: Some("s3cret-token".to_owned()),
        ..Options::default()
    })
    .expect("a server");
    let config = home.path().join("config.toml");
    let text = format!("[profiles.p]\nurl = '{}'\n{source}\n", server.base_url());
    fs::write(&config, text).expect("a configuration");
    let mut terminal = Terminal::start(
        coracle(home.path(), &["--config", &config.to_string_lossy()]),
        160,
        40,
    );
    for text in awaited {
        terminal.wait(text, |screen| {
            let screen = screen.contents();
            // The first pane tells it, in as many lines as it takes.
            let pane = screen.lines().filter_map(|line| line.split('│').nth(1));
            let told: Vec<&str> = pane.map(str::trim).collect();
            screen.contains(text) || told.join(" ").contains(text)
        });
    }
    let fine = terminal.contents().contains("42 of 42");
    assert_eq!(
        server.requests().is_empty(),
        !fine,
        "without it nothing is asked"
    );
    terminal.send([3]);
    let ended = terminal.end();
    assert_eq!(ended.code, 130);
    assert!(!String::from_utf8_lossy(&ended.bytes).contains("s3cret"));
}

#[test]
fn a_secret_that_others_can_read_is_not_used_also_behind_a_link() {
    let home = TempDir::new().expect("a folder for the test");
    let (file, link) = (home.path().join("token"), home.path().join("link"));
    fs::write(&file, "s3cret-token\n").expect("a file");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for (mode, awaited) in [
        (0o644, &["mode 0644", "chmod 600"][..]),
        (0o660, &["mode 0660", "chmod 600"]),
        (0o600, &["42 of 42"]),
    ] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        for path in [&file, &link] {
            let source = format!("token_file = '{}'", path.display());
            secret_from(&home, &source, awaited);
        }
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_told_with_what_to_do() {
    let home = TempDir::new().expect("a folder for the test");
    let empty = home.path().join("empty");
    fs::write(&empty, "\n").expect("a file");
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).expect("a mode");
    for (source, awaited) in [
        ("token_file = 'missing'".to_owned(), &["could not be read", "Check the path"][..]),
        (format!("token_file = '{}'", empty.display()), &["gave nothing on its first line", "first line"]),
        ("token_env = 'NOT_SET_HERE'".to_owned(), &["NOT_SET_HERE is not set"]),
        (
            "token_command = ['sh', '-c', 'echo s3cret-token; echo the store is locked >&2; exit 2']".to_owned(),
            &["the store is locked", "by hand"],
        ),
        ("token_command = ['/nonexistent/pass']".to_owned(), &["could not be started"]),
    ] {
        secret_from(&home, &source, awaited);
    }
}
