//! Where a secret goes and where it does not: every byte that leaves the program, and every byte
//! that it leaves behind.
//!
//! Whatever the program connects to is a tap of the test: the servers of its profiles, the host
//! that their answers name, and, as its proxy, the whole rest of the world.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use coracle::demo::{Behaviour, Fault, Options, Quirk, Rule, Seed, Server};
use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::terminal::{Terminal, coracle};

const WIKI: &str = "\
space: ALPHA
name: Alpha
description: The first one.
homepage: Start

=== page
title: Start

<p>Here.</p>

=== page
title: Gone one
status: trashed

<p>Gone.</p>

space: BETA
name: Beta

=== page
title: Beta home

<p>There.</p>
";

/// Passes on what it hears, in both directions, and remembers what the program said.
struct Tap {
    /// Host and port.
    address: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// In front of this server (host and port); without one it hears and hangs up.
    fn before(server: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let tap = Self {
            address,
            heard: Arc::clone(&heard),
        };
        std::thread::spawn(move || {
            while let Ok((from, _)) = listener.accept() {
                let (heard, server) = (Arc::clone(&heard), server.clone());
                // A connection is worth a note even if nothing is said on it.
                note(&heard, b"\n-- connected --\n");
                std::thread::spawn(move || pass_on(from, server.as_deref(), &heard));
            }
        });
        tap
    }

    fn of(server: &Server) -> Self {
        let (_, address) = server.base_url().split_once("//").expect("a URL");
        let address = address.split('/').next().expect("host and port");
        Self::before(Some(address.to_owned()))
    }

    fn heard(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&heard).into_owned()
    }
}

fn note(heard: &Mutex<Vec<u8>>, bytes: &[u8]) {
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend_from_slice(bytes);
}

fn pass_on(mut from: TcpStream, server: Option<&str>, heard: &Mutex<Vec<u8>>) {
    let mut to = server.map(|address| TcpStream::connect(address).expect("the server"));
    if let Some(to) = &to {
        let (mut answers, mut back) = (
            to.try_clone().expect("a second end"),
            from.try_clone().expect("a second end"),
        );
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut answers, &mut back);
            let _ = back.shutdown(Shutdown::Both);
        });
    }
    let mut bytes = [0; 8192];
    while let Ok(count) = from.read(&mut bytes) {
        // Noted before it is passed on: what was answered was heard.
        note(heard, &bytes[..count]);
        let gone = match &mut to {
            Some(to) => count == 0 || to.write_all(&bytes[..count]).is_err(),
            None => true,
        };
        if gone {
            break;
        }
    }
    if let Some(to) = to {
        let _ = to.shutdown(Shutdown::Both);
    }
}

fn secret_file(home: &Path, name: &str, secret: &str) -> String {
    let path = home.join(name);
    fs::write(&path, format!("{secret}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    path.to_string_lossy().into_owned()
}

fn server(token: &str, context: &str) -> Server {
    Server::start(Options {
        token: Some(token.to_owned()),
        context: context.to_owned(),
        seed: Seed::Text(WIKI.to_owned()),
        behaviour: Behaviour {
            quirks: vec![Quirk::ForeignBase],
            deletion_looks: 1,
            ..Behaviour::default()
        },
        ..Options::default()
    })
    .expect("loopback has a free port")
}

/// The screen without borders and with single blanks.
fn plain(screen: &vt100::Screen) -> String {
    let text = screen
        .contents()
        .replace(['│', '╭', '╮', '╰', '╯', '─', '▸', '●'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sees(terminal: &mut Terminal, text: &str) {
    terminal.wait(text, |screen| plain(screen).contains(text));
}

/// How often a part occurs, in small letters.
fn count(text: &str, part: &str) -> usize {
    text.to_lowercase().matches(part).count()
}

#[test]
fn a_secret_goes_to_its_own_server_and_nowhere_else() {
    const ONE: &str = "s3cret-of-0ne";
    const TWO: &str = "s3cret-of-tw0";
    let (first, second) = (server(ONE, ""), server(TWO, "/confluence"));
    let (one, two) = (Tap::of(&first), Tap::of(&second));
    let (elsewhere, world) = (Tap::before(None), Tap::before(None));
    // An answer that leads away, at each of them.
    for (server, context) in [(&first, ""), (&second, "/confluence")] {
        let away = format!(
            "http://{}{context}/rest/api/space/ALPHA/trash",
            elsewhere.address
        );
        server
            .faults()
            .add(Rule::new("GET /rest/api/space/ALPHA/trash", Fault::Redirect(away)).always());
    }
    let home = TempDir::new().expect("a folder for the test");
    let config = home.path().join("two.toml");
    let text = format!(
        "default_profile = 'one'\n\
         [profiles.one]\nurl = 'http://{}'\ntoken_command = ['cat', '{}']\n\
         [profiles.two]\nurl = 'http://{}/confluence'\nuser = 'jdoe'\npassword_file = '{}'\n",
        one.address,
        secret_file(home.path(), "one", ONE),
        two.address,
        secret_file(home.path(), "two", TWO),
    );
    fs::write(&config, text).expect("a configuration");
    let config = config.to_string_lossy().into_owned();
    let run = |arguments: &[&str]| {
        let mut command = coracle(home.path(), arguments);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env(name, format!("http://{}", world.address));
        }
        Terminal::start(command, 150, 50)
    };
    let mut terminal = run(&["--config", &config]);
    for (name, next) in [("one", "@"), ("two", "q")] {
        // Not the screen of the other one, which looks the same.
        sees(&mut terminal, &format!("coracle {name} ALPHA"));
        sees(&mut terminal, "Spaces 2 of 2");
        // Every list and text of a space, with its foreign links, and the redirect.
        sees(&mut terminal, "The first one.");
        sees(&mut terminal, "Start v1");
        terminal.send("t");
        sees(&mut terminal, &elsewhere.address);
        terminal.send("[[");
        sees(&mut terminal, "Start v1");
        terminal.send("p");
        sees(&mut terminal, "Here.");
        terminal.send("p1");
        let before = second.requests().len();
        terminal.send(next);
        if next != "q" {
            sees(&mut terminal, "Profiles");
            terminal.send("\r");
            terminal.until("the second server is asked", || {
                second.requests().len() > before
            });
        }
    }
    let ended = terminal.end();
    assert_eq!(ended.code, 0, "{}", ended.screen);
    let mut shown = String::from_utf8_lossy(&ended.bytes).into_owned();
    for profile in ["one", "two"] {
        let asked = (first.requests().len(), second.requests().len());
        let ended = run(&["doctor", "--profile", profile, "--config", &config]).end();
        shown.push_str(&String::from_utf8_lossy(&ended.bytes));
        let now = (first.requests().len(), second.requests().len());
        assert_eq!(now.0 > asked.0, profile == "one", "{}", ended.screen);
        assert_eq!(now.1 > asked.1, profile == "two", "{}", ended.screen);
    }

    let basic = base64::engine::general_purpose::STANDARD.encode(format!("jdoe:{TWO}"));
    let (to_one, to_two) = (one.heard(), two.heard());
    for (heard, header) in [
        (&to_one, format!("authorization: bearer {ONE}")),
        (
            &to_two,
            format!("authorization: basic {}", basic.to_lowercase()),
        ),
    ] {
        let requests = count(heard, " http/1.1\r\n");
        assert!(requests >= 8, "{requests} requests");
        assert_eq!(count(heard, &header), requests, "each brings its own");
        assert!(heard.contains("/trash"), "the redirect was met");
        assert_eq!(count(heard, "cookie:"), 0);
    }
    for (whose, heard) in [("one", &to_one), ("two", &to_two)] {
        let foreign: [&str; 2] = if whose == "one" {
            [TWO, &basic]
        } else {
            [ONE, "Bearer"]
        };
        for secret in foreign {
            assert!(!heard.contains(secret), "{secret} in what {whose} heard");
        }
    }
    // The servers were reached through the taps alone: no absolute link was followed.
    assert_eq!(first.requests().len(), count(&to_one, " http/1.1\r\n"));
    assert_eq!(second.requests().len(), count(&to_two, " http/1.1\r\n"));
    assert_eq!(elsewhere.heard(), "", "the redirect was not followed");
    assert_eq!(world.heard(), "", "no link was followed");
    for secret in [ONE, TWO, &basic] {
        assert!(!shown.contains(secret), "{secret} on the screen");
    }
}

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// What a file holds, unpacked where it is packed.
fn contents(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a file");
    if path.extension().is_some_and(|it| it == "gz") {
        let mut unpacked = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut unpacked)
            .expect("it is whole");
        return unpacked;
    }
    bytes
}

/// A home with profiles whose secrets must stay where they are.
struct Household {
    home: TempDir,
    server: Server,
    config: String,
    /// Every form in which a secret could turn up.
    needles: Vec<String>,
    /// Where the secrets stand because somebody put them there.
    sources: Vec<PathBuf>,
    /// What the program wrote to its terminal, over all runs.
    written: Vec<u8>,
}

const TOKEN: &str = "s3cret+t0ken/with=signs";
const PROXY_PASSWORD: &str = "pr0xy-s3cret";

impl Household {
    fn new() -> Self {
        let server = server(TOKEN, "");
        let home = TempDir::new().expect("a folder for the test");
        let token = secret_file(home.path(), "token", TOKEN);
        let config = home.path().join("config.toml");
        let url = server.base_url();
        let text = format!(
            "default_profile = 'good'\nlog = 'trace'\n\
             [profiles.good]\nurl = '{url}'\ntoken_file = '{token}'\nproxy = 'http://me:{PROXY_PASSWORD}@127.0.0.1:9'\n\
             [profiles.word]\nurl = '{url}'\nuser = 'jdoe'\npassword_command = ['cat', '{token}']\n\
             [profiles.variable]\nurl = '{url}'\ntoken_env = 'WIKI_TOKEN'\n\
             [profiles.loud]\nurl = '{url}'\ntoken_command = ['sh', '-c', 'cat {token}; cat {token} >&2; exit 3']\n\
             [profiles.inline]\nurl = '{url}'\ntoken = '{TOKEN}'\n\
             [profiles.nowhere]\nurl = 'https://wiki.invalid'\ntoken_file = '{token}'\nproxy = 'http://me:{PROXY_PASSWORD}@127.0.0.1:9'\n",
        );
        fs::write(&config, text).expect("a configuration");
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("its mode");
        let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        Self {
            needles: vec![
                TOKEN.to_owned(),
                encode(TOKEN.to_owned()).trim_end_matches('=').to_owned(),
                encode(format!("jdoe:{TOKEN}"))
                    .trim_end_matches('=')
                    .to_owned(),
                "s3cret%2Bt0ken".to_owned(),
                "s3cret+t0ken\\/with".to_owned(),
                PROXY_PASSWORD.to_owned(),
                encode(format!("me:{PROXY_PASSWORD}"))
                    .trim_end_matches('=')
                    .to_owned(),
            ],
            sources: vec![PathBuf::from(token), config.clone()],
            config: config.to_string_lossy().into_owned(),
            server,
            home,
            written: Vec::new(),
        }
    }

    fn command(&self, arguments: &[&str]) -> CommandBuilder {
        let mut all = arguments.to_vec();
        all.extend(["--config", &self.config]);
        let mut command = coracle(self.home.path(), &all);
        command.env("WIKI_TOKEN", TOKEN);
        command
    }

    /// Runs it until these are seen in turn, each after its keys, and to its end.
    fn visit(&mut self, arguments: &[&str], steps: &[(&str, &str)], code: u32) {
        let mut terminal = Terminal::start(self.command(arguments), 150, 50);
        for (keys, awaited) in steps {
            // Letter by letter: where a name is typed to agree, speed would be taken for a paste.
            terminal.send_keys(keys);
            sees(&mut terminal, awaited);
        }
        if !steps.is_empty() {
            let line = fs::read(format!("/proc/{}/cmdline", terminal.pid().as_raw_nonzero()))
                .expect("its command line");
            self.clean("the command line", &line);
            terminal.send([3]);
        }
        let ended = terminal.end();
        assert_eq!(ended.code, code, "{arguments:?} {}", ended.screen);
        self.written.extend(ended.bytes);
    }

    /// Starts, and crashes in the middle of it.
    fn crash(&mut self) {
        let mut terminal = Terminal::start(self.command(&["--crash"]), 150, 50);
        sees(&mut terminal, "Spaces");
        terminal.resize(100, 30);
        let ended = terminal.end();
        assert_eq!(ended.code, 1, "{}", ended.screen);
        self.written.extend(ended.bytes);
    }

    /// Runs a command to its end, however it ends.
    fn runs(&mut self, arguments: &[&str]) {
        let ended = Terminal::start(self.command(arguments), 150, 50).end();
        assert!(ended.code <= 4, "{arguments:?} {}", ended.screen);
        assert!(!ended.screen.is_empty(), "{arguments:?}");
        self.written.extend(ended.bytes);
    }

    fn clean(&self, what: &str, bytes: &[u8]) {
        for needle in &self.needles {
            assert!(
                !bytes
                    .windows(needle.len())
                    .any(|at| at == needle.as_bytes()),
                "{needle} in {what}"
            );
        }
    }
}

#[test]
fn nothing_that_is_left_behind_holds_a_secret() {
    let mut house = Household::new();
    let record = house.home.path().join("visit.ndjson");
    let record = record.to_string_lossy().into_owned();
    // A whole visit: read, look, purge with a backup, be recorded.
    house.visit(
        &["--log", "trace", "--record", &record],
        &[
            ("", "Spaces 2 of 2"),
            ("", "The first one."),
            ("", "Start v1"),
            ("3p", "Here."),
            ("p1t", "Gone one"),
            ("P", "Type ALPHA to purge its trash:"),
            ("A", "to purge its trash: A"),
            ("L", "to purge its trash: AL"),
            ("P", "to purge its trash: ALP"),
            ("H", "to purge its trash: ALPH"),
            ("A", "to purge its trash: ALPHA"),
            ("\r", "Purge the trash of ALPHA: done."),
            ("L", "Log and journal"),
        ],
        130,
    );
    house.visit(&["--profile", "word"], &[("", "Spaces 2 of 2")], 130);
    house.visit(&["--profile", "variable"], &[("", "Spaces 2 of 2")], 130);
    house.visit(&["--profile", "inline"], &[("", "Spaces 2 of 2")], 130);
    // A secret that can't be had, a server that can't be reached, a sign-in that is refused.
    house.visit(
        &["--profile", "loud"],
        &[("", "There is no token or password")],
        130,
    );
    house.visit(&["--profile", "nowhere"], &[("", "Nothing listens")], 130);
    house.server.faults().add(
        Rule::new(
            "* /**",
            Fault::Answer {
                status: 401,
                headers: Vec::new(),
                body: String::new(),
            },
        )
        .always(),
    );
    house.visit(&[], &[("", "did not accept")], 130);
    house.server.faults().clear();
    // A crash, and what is looked at afterwards.
    house.crash();
    house.visit(&["journal", "verify"], &[], 0);
    house.visit(&["backup", "verify"], &[], 0);
    house.visit(&["replay", "--frames", &record], &[], 0);
    for profile in ["good", "word", "variable", "inline", "loud", "nowhere"] {
        house.runs(&["doctor", "--profile", profile]);
    }
    let report = house.home.path().join("report.txt");
    let report = report.to_string_lossy().into_owned();
    house.runs(&["doctor", "--json"]);
    house.runs(&["bugreport", "--output", &report]);
    // A configuration that is wrong is quoted, but not where a secret may stand.
    let broken = house.home.path().join("broken.toml");
    fs::write(
        &broken,
        format!("[profiles.x]\nurl = 'https://x.example'\ntokn = '{TOKEN}'\nproxy = 'me:{PROXY_PASSWORD}@x'\n"),
    )
    .expect("a configuration");
    let ended = Terminal::start(
        coracle(house.home.path(), &["--config", &broken.to_string_lossy()]),
        150,
        50,
    )
    .end();
    assert_eq!(ended.code, 2);
    house.written.extend(ended.bytes);
    house.sources.push(broken);

    house.clean("what was written to the terminal", &house.written);
    let mut all = Vec::new();
    files(house.home.path(), &mut all);
    let mut left = Vec::new();
    for path in all.iter().filter(|path| !house.sources.contains(path)) {
        let bytes = contents(path);
        house.clean(&path.display().to_string(), &bytes);
        left.push((path.to_string_lossy().into_owned(), bytes));
    }
    // What was looked through is all there is: each kind of file was written, with something in it.
    for (name, part) in [
        ("coracle.log", "/rest/api/space"),
        ("coracle.log", "PANIC"),
        ("journal.ndjson", "ALPHA"),
        ("manifest.json", "ALPHA"),
        (".ndjson.gz", "Gone one"),
        ("view.json", "ALPHA"),
        ("visit.ndjson", "The first one."),
        ("report.txt", "profiles"),
    ] {
        assert!(
            left.iter().any(|(path, bytes)| path.contains(name)
                && String::from_utf8_lossy(bytes).contains(part)),
            "{part} in {name}: {:?}",
            left.iter().map(|(path, _)| path).collect::<Vec<_>>()
        );
    }
}
