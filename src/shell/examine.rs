//! Finds out what `doctor` decides over: fetches the secret, looks names up, connects, and sends a
//! few harmless reads. Never a write; after a sign-in that was refused, nothing more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::clipboard::Through;
use super::writer::Charset;
use super::{ask, clock, connection, room, screen, terminal};
use crate::config::{Auth, Config, Paths, Profile};
use crate::confluence::call::{Depth, SpacesFilter, Window};
use crate::confluence::client::{Access, Answer, Client, Credentials, Tell};
use crate::confluence::proxy::{self, Named, Way};
use crate::confluence::retry::Patience;
use crate::confluence::{ApiError, Call, ContentKind, CurrentUser, ErrorKind, Reply, ServerInfo};
use crate::doctor::server::{self, Checking, Probe, Probes};
use crate::doctor::terminal::{Between, Facts};
use crate::doctor::{Check, Finding, local};
use crate::report::scrub;
use crate::secret::{RunCommand, SecretSource};
use crate::ui::theme::Depth as Colors;

/// How long a name or a connection may take.
const LINE_LIMIT: Duration = Duration::from_secs(10);

/// How long a terminal may take to answer.
const TERMINAL_LIMIT: Duration = Duration::from_millis(600);

/// How many paths are looked at.
const PATHS: usize = 5_000;

/// Hands on one finding after the other.
pub type TellFinding<'a> = &'a mut (dyn FnMut(Finding) + Send);

/// What comes after the way to the server, for when the way is not there.
const BEHIND: [Check; 5] = [
    Check::SignIn,
    Check::User,
    Check::Version,
    Check::Operation(0),
    Check::Clock,
];

fn skip(checks: &[Check], why: &str, tell: TellFinding<'_>) {
    for check in checks {
        if let Check::Operation(0) = check {
            for number in 1..=13 {
                tell(Finding::skipped(Check::Operation(number), why));
            }
        } else {
            tell(Finding::skipped(*check, why));
        }
    }
}

/// Which way requests of this profile take.
fn way_of(profile: &Profile) -> Way {
    let except = profile.no_proxy.join(",");
    let named = profile.proxy.as_ref().map(|proxy| Named {
        address: proxy.expose_secret(),
        except: &except,
    });
    proxy::way(&profile.url, named, |name| std::env::var(name).ok())
}

/// Checks the server that the one profile of a configuration's text names.
pub async fn text(text: &str, path: &Path, run: RunCommand<'_>, tell: TellFinding<'_>) {
    let folder = path.parent().unwrap_or(Path::new("."));
    match crate::config::parse(text, folder, Ok(())) {
        Ok(config) => {
            for profile in config.profiles.values() {
                server(profile, run, tell).await;
            }
        }
        Err(problems) => {
            for problem in problems {
                tell(Finding::failed(
                    Check::Config,
                    &problem.message,
                    problem.hint.as_deref().unwrap_or("Change it in the form."),
                ));
            }
        }
    }
}

/// Checks one server: the secret, the way there, the sign-in, what it can do.
pub async fn server(profile: &Profile, run: RunCommand<'_>, tell: TellFinding<'_>) {
    if let Some(finding) = key_mode(profile) {
        tell(finding);
    }
    let credentials = secret(profile, run, tell).await;
    if !line(profile, tell).await {
        skip(&[Check::Tls], "There is no connection.", tell);
        skip(&BEHIND, "There is no connection.", tell);
        return;
    }
    requests(profile, credentials, tell).await;
}

/// A note where others can read the key of our own certificate.
fn key_mode(profile: &Profile) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let ours = profile.client_certificate.as_ref()?;
    let path = ours.key.as_ref().unwrap_or(&ours.certificate);
    // What can't be read at all is told where it is used.
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let path = scrub(&path.to_string_lossy());
    (mode & 0o077 != 0).then(|| {
        Finding::note(
            Check::Modes,
            format!("Others can read {path} ({mode:04o}), the key of your certificate."),
            format!("chmod go-rwx {path}"),
        )
    })
}

/// Fetches the secret, and says where from.
async fn secret(
    profile: &Profile,
    run: RunCommand<'_>,
    tell: TellFinding<'_>,
) -> Option<Credentials> {
    let source = match &profile.auth {
        Auth::Anonymous => None,
        Auth::Token(source) => Some(("token", source)),
        Auth::Basic { password, .. } => Some(("password", password)),
    };
    let Some((what, source)) = source else {
        tell(Finding::skipped(
            Check::Secret,
            "No token or password is configured.",
        ));
        return Some(Credentials::Anonymous);
    };
    let whence = match source {
        SecretSource::Command(words) => {
            format!(
                "the command {}",
                scrub(words.first().map_or("", String::as_str))
            )
        }
        SecretSource::Env(variable) => format!("the variable {}", scrub(variable.name())),
        SecretSource::File(path) => format!("the file {}", scrub(&path.to_string_lossy())),
        SecretSource::Inline(_) => "the configuration itself".to_owned(),
    };
    match connection::credentials(&profile.auth, run).await {
        Ok(credentials) => {
            tell(Finding::ok(
                Check::Secret,
                format!("The {what} comes from {whence}."),
            ));
            Some(credentials)
        }
        Err(error) => {
            tell(Finding::failed(
                Check::Secret,
                format!("There is no {what}: {error}."),
                error.hint(),
            ));
            None
        }
    }
}

/// Looks the name up and connects. Says whether somebody listens.
async fn line(profile: &Profile, tell: TellFinding<'_>) -> bool {
    let url = Url::parse(profile.url.as_str()).ok();
    let port = url.as_ref().and_then(Url::port_or_known_default);
    let own = (
        profile.url.host().trim_matches(['[', ']']).to_owned(),
        port.unwrap_or(443),
    );
    let way = way_of(profile);
    let is_proxied = matches!(way, Way::Proxy { .. });
    let (host, port) = match way {
        Way::Direct(why) => {
            tell(Finding::ok(Check::Proxy, format!("None: {why}.")));
            own
        }
        Way::Proxy { host, port, by } => {
            tell(Finding::ok(
                Check::Proxy,
                format!("{host}:{port}, as {by} says; it looks up the name of the server."),
            ));
            (host, port)
        }
        Way::Unusable { by } => {
            tell(Finding::failed(
                Check::Proxy,
                format!("What {by} says is not the address of a proxy."),
                "Write it as http://proxy.example.com:3128.",
            ));
            own
        }
    };
    let shown = scrub(&host);
    let found = timeout(LINE_LIMIT, lookup_host((host.as_str(), port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => Vec::new(),
        Err(_) => {
            tell(Finding::failed(
                Check::Name,
                format!(
                    "Looking {shown} up takes longer than {} s.",
                    LINE_LIMIT.as_secs()
                ),
                "Check the network: a resolver does not answer. With a VPN, whether it is up.",
            ));
            skip(&[Check::Connection], "The name is not known.", tell);
            return false;
        }
    };
    if addresses.is_empty() {
        tell(Finding::failed(
            Check::Name,
            format!("The name {shown} is not found."),
            "Check the spelling, and the network: a name of the inside is known only there (VPN).",
        ));
        skip(&[Check::Connection], "The name is not known.", tell);
        return false;
    }
    let list: Vec<String> = addresses
        .iter()
        .take(3)
        .map(|a| a.ip().to_string())
        .collect();
    let more = if addresses.len() > list.len() {
        " …"
    } else {
        ""
    };
    tell(Finding::ok(
        Check::Name,
        format!("{shown} is {}{more}.", list.join(", ")),
    ));
    let clock = clock::Clock::start();
    let mut why = format!("nobody answers in {} s", LINE_LIMIT.as_secs());
    for address in &addresses {
        match timeout(LINE_LIMIT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                tell(Finding::ok(
                    Check::Connection,
                    format!("{address} answers in {} ms.", clock.now().0),
                ));
                return true;
            }
            Ok(Err(error)) => why = scrub(&error.to_string()),
            Err(_) => {}
        }
    }
    tell(Finding::failed(
        Check::Connection,
        if is_proxied {
            format!("No connection to the proxy {shown}:{port}: {why}.")
        } else {
            format!("No connection to {shown}:{port}: {why}.")
        },
        if is_proxied {
            "Check the address of the proxy and that it is up, or take it out where none is needed."
        } else {
            "Check that the server is up, the port, and the network (VPN, firewall)."
        },
    ));
    false
}

/// A client that is patient with nothing: a check tells what is, not what may become of it.
async fn client(profile: &Profile, credentials: Credentials) -> Result<Client, ApiError> {
    let mut settings = connection::settings(profile, credentials).await?;
    settings.access = Access::ReadOnly;
    settings.chain = Tell::Yes;
    settings.connect_timeout = LINE_LIMIT;
    settings.patience = Patience {
        attempts: 1,
        limit_total: LINE_LIMIT,
        longest_limit_wait: LINE_LIMIT,
        ..Patience::default()
    };
    Client::new(settings)
}

async fn requests(profile: &Profile, credentials: Option<Credentials>, tell: TellFinding<'_>) {
    let signs_in = !matches!(credentials, Some(Credentials::Anonymous));
    let has_secret = credentials.is_some();
    let client = match client(profile, credentials.unwrap_or(Credentials::Anonymous)).await {
        Ok(client) => client,
        Err(error) => {
            tell(Finding::failed(Check::Config, &error.message, error.hint()));
            skip(&[Check::Tls], "The connection can't be set up.", tell);
            skip(&BEHIND, "The connection can't be set up.", tell);
            return;
        }
    };
    // The first request goes alone: several with one bad password can lock an account.
    let first = if has_secret {
        Call::CurrentUser
    } else {
        Call::ServerInfo
    };
    let answer = client.send(&first, |_| ()).await;
    let now = clock::time_of_day();
    tls(profile, &answer, now).into_iter().for_each(&mut *tell);
    if !has_secret {
        let why = "There is no secret to sign in with.";
        skip(&BEHIND[..2], why, tell);
        let info = server_info(&answer.outcome);
        tell(server::version(&info));
        skip(&[Check::Operation(0)], why, tell);
        tell(told_time(&answer, now));
        return;
    }
    let user = answer.outcome.clone().and_then(|reply| match reply {
        Reply::CurrentUser(user) => Ok(user),
        _ => Err(unexpected()),
    });
    let goes_on = may_go_on(&user);
    for finding in server::sign_in(&user, signs_in) {
        tell(finding);
    }
    if goes_on {
        let mut info = server_info(&client.send(&Call::ServerInfo, |_| ()).await.outcome);
        if info.as_ref().map_or(true, |info| info.version.is_none()) {
            let other = server_info(&client.send(&Call::Manifest, |_| ()).await.outcome);
            info = other.or(info);
        }
        tell(server::version(&info));
        let version = info.ok().and_then(|info| info.version);
        let probes = probe(&client).await;
        for finding in server::operations(&probes, version.as_deref()) {
            tell(finding);
        }
    } else {
        let why = "Nothing more is asked before the sign-in works.";
        skip(&[Check::Version, Check::Operation(0)], why, tell);
    }
    tell(told_time(&answer, now));
}

fn may_go_on(user: &Result<CurrentUser, ApiError>) -> bool {
    user.as_ref()
        .err()
        .is_none_or(|error| error.kind == ErrorKind::NoSuchOperation)
}

fn told_time(answer: &Answer, now: Timestamp) -> Finding {
    let took = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
    server::clock(answer.date, now, took)
}

fn tls(profile: &Profile, answer: &Answer, now: Timestamp) -> Vec<Finding> {
    if profile.url.is_plain_http() {
        return vec![if profile.url.is_loopback() {
            Finding::skipped(Check::Tls, "Plain HTTP, which does not leave this machine.")
        } else {
            Finding::note(
                Check::Tls,
                "Plain HTTP: others on the way can read along.",
                "Use https; then take allow_http out of the profile.",
            )
        }];
    }
    let checking = if profile.insecure {
        Checking::No
    } else {
        Checking::Yes
    };
    server::tls(
        answer.outcome.as_ref().map(|_| ()),
        answer.chain.as_ref(),
        checking,
        now,
    )
}

fn server_info(outcome: &Result<Reply, ApiError>) -> Result<ServerInfo, ApiError> {
    outcome.clone().and_then(|reply| match reply {
        Reply::ServerInfo(info) => Ok(info),
        _ => Err(unexpected()),
    })
}

fn unexpected() -> ApiError {
    ApiError::new(
        ErrorKind::Malformed,
        "The answer is not one to this request.",
    )
}

/// Asks about the operations, with reads alone, one after the other.
async fn probe(client: &Client) -> Probes {
    let window = Window { start: 0, limit: 1 };
    let expand = String::new;
    let segments = |path: &[&str]| Call::Probe {
        segments: path.iter().map(|&segment| segment.to_owned()).collect(),
    };
    let outcome =
        async |call: Call| -> Probe { client.send(&call, |_| ()).await.outcome.map(drop) };
    let list = client
        .send(
            &Call::Spaces {
                filter: SpacesFilter::default(),
                expand: expand(),
                window,
            },
            |_| (),
        )
        .await
        .outcome;
    let key = match &list {
        Ok(Reply::Spaces(page)) => page.results.first().map(|space| space.key.clone()),
        _ => None,
    };
    let mut probes = Probes {
        spaces: Some(list.map(drop)),
        private: Some(outcome(segments(&["space", "_private"])).await),
        personal: Some(outcome(segments(&["space", "personal"])).await),
        ..Probes::default()
    };
    let Some(key) = key else { return probes };
    probes.space = Some(
        outcome(Call::Space {
            key: key.clone(),
            expand: expand(),
        })
        .await,
    );
    probes.archive = Some(outcome(segments(&["space", key.as_str(), "archive"])).await);
    probes.restore = Some(outcome(segments(&["space", key.as_str(), "restore"])).await);
    probes.content = Some(
        outcome(Call::SpaceContent {
            key: key.clone(),
            depth: Depth::Root,
            expand: expand(),
            window,
        })
        .await,
    );
    probes.of_type = Some(
        outcome(Call::SpaceContentOfKind {
            key: key.clone(),
            kind: ContentKind::Page,
            depth: Depth::Root,
            expand: expand(),
            window,
        })
        .await,
    );
    probes.trash = Some(
        outcome(Call::Trash {
            key,
            cursor: None,
            expand: expand(),
            limit: 1,
        })
        .await,
    );
    probes
}

/// Looks at who can read what is ours. `config` is a configuration that others can write, or its folder.
pub fn modes(paths: &Paths, config: Option<local::Entry>) -> Finding {
    let mut entries: Vec<local::Entry> = config.into_iter().collect();
    for root in [&paths.state, &paths.backups, &paths.plans, &paths.exports] {
        walk(root, 4, &mut entries);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    entries.dedup();
    local::modes(&entries)
}

/// Whether what is kept from run to run can be written: the folders are made, or could be.
pub fn state(paths: &Paths) -> Finding {
    let wanted = [&paths.state, &paths.backups];
    let refused = wanted.into_iter().find_map(|folder| {
        let error = unwritable(folder)?;
        Some((folder, error))
    });
    match refused {
        None => Finding::ok(Check::State, "Journal, jobs and backups can be written."),
        Some((folder, error)) => not_kept(folder, folder == &paths.backups, &error),
    }
}

/// What cannot be written, what comes of it, and what to do.
fn not_kept(folder: &Path, is_of_backups: bool, error: &std::io::Error) -> Finding {
    let is_full = error.kind() == std::io::ErrorKind::StorageFull;
    let so = if is_of_backups {
        "coracle starts, but nothing is purged, as no backup can be made"
    } else if is_full {
        "coracle starts, but nothing is changed before there is room"
    } else {
        "coracle starts, but only reads"
    };
    let (folder, why) = (
        scrub(&folder.to_string_lossy()),
        crate::report::system(error),
    );
    Finding::failed(
        Check::State,
        format!("Nothing can be kept in {folder} ({why}): {so}."),
        if is_full {
            "Make room on that disk; coracle --print-paths says where things are kept."
        } else {
            "Make the folder yours and writable; coracle --print-paths says where things are kept."
        },
    )
}

/// Why nothing can be written into a folder, or made in the first one above it that is there.
fn unwritable(folder: &Path) -> Option<std::io::Error> {
    match room::writable(folder) {
        Ok(there) => has_room(there).err(),
        Err((_, error)) => Some(error),
    }
}

/// Whether a page can be written there: into a file without a name, which is gone with this.
fn has_room(folder: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    tempfile::tempfile_in(folder)?.write_all(&[0; 4096])
}

/// What is kept at a path: itself, or the folder that a link there leads to, which is what others can or
/// cannot get at. A link to a file is none of ours: no file is read or written through one.
fn kept_at(path: &Path) -> Option<(PathBuf, std::fs::Metadata)> {
    let there = std::fs::symlink_metadata(path).ok()?;
    if !there.is_symlink() {
        return Some((path.to_owned(), there));
    }
    let path = std::fs::canonicalize(path).ok()?;
    let folder = std::fs::symlink_metadata(&path).ok()?;
    folder.is_dir().then_some((path, folder))
}

fn walk(path: &Path, depth: u32, entries: &mut Vec<local::Entry>) {
    use std::os::unix::fs::PermissionsExt as _;
    let Some((path, metadata)) = kept_at(path) else {
        return;
    };
    if entries.len() >= PATHS {
        return;
    }
    entries.push(local::Entry {
        path: scrub(&path.to_string_lossy()),
        mode: metadata.permissions().mode(),
    });
    if metadata.is_dir()
        && depth > 0
        && let Ok(below) = std::fs::read_dir(path)
    {
        for entry in below.flatten() {
            walk(&entry.path(), depth - 1, entries);
        }
    }
}

/// Looks at the terminal, and asks it.
pub fn terminal(config: &Config) -> Vec<Finding> {
    let variable = |name: &str| std::env::var(name).ok();
    let depth = screen::depth(variable);
    let colors = match depth {
        Colors::Mono => "none",
        Colors::Ansi16 => "16",
        Colors::Ansi256 => "256",
        Colors::True => "16 million",
    };
    let size = terminal::size();
    crate::doctor::terminal::findings(&Facts {
        term: scrub(&variable("TERM").unwrap_or_default()),
        colors: colors.to_owned(),
        is_colored: depth != Colors::Mono,
        size: (size.width, size.height),
        between: match screen::between(variable) {
            Through::Terminal => Between::Nothing,
            Through::Tmux => Between::Tmux,
            Through::Screen => Between::Screen,
        },
        utf8: screen::charset(variable) == Charset::Utf8,
        wants_mouse: config.mouse,
        answers: screen::may_ask(variable)
            .then(|| ask::ask(TERMINAL_LIMIT))
            .flatten(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_behind_a_link_is_looked_at_as_what_it_leads_to() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let home = tempfile::tempdir().expect("a folder for the test");
        let at = |name: &str| home.path().join(name);
        let close = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
                .expect("it is ours");
        };
        let paths = Paths::below(&at("config"), &at("state"), &at("data"));
        std::fs::create_dir_all(at("elsewhere/prod")).expect("a folder");
        close(&at("elsewhere"), 0o700);
        close(&at("elsewhere/prod"), 0o700);
        symlink(at("elsewhere"), &paths.state).expect("a link");
        let told = |paths: &Paths| modes(paths, None).told();
        assert!(told(&paths).contains("Only you"), "{}", told(&paths));
        // The folder that the link leads to, and one below it that is a link itself.
        close(&at("elsewhere"), 0o755);
        assert!(
            told(&paths).contains("elsewhere (0755)"),
            "{}",
            told(&paths)
        );
        close(&at("elsewhere"), 0o700);
        std::fs::create_dir(at("open")).expect("a folder");
        close(&at("open"), 0o777);
        symlink(at("open"), at("elsewhere/test")).expect("a link");
        assert!(told(&paths).contains("open (0777)"), "{}", told(&paths));
        // What leads nowhere, or in a circle, ends.
        std::fs::remove_file(at("elsewhere/test")).expect("the link");
        symlink(at("nowhere"), at("elsewhere/none")).expect("a link");
        symlink(at("elsewhere"), at("elsewhere/round")).expect("a link");
        assert!(told(&paths).contains("Only you"), "{}", told(&paths));
    }

    #[test]
    fn what_comes_of_a_folder_that_takes_nothing_is_told_as_it_is() {
        let error = |kind: std::io::ErrorKind| std::io::Error::from(kind);
        let full = error(std::io::ErrorKind::StorageFull);
        let closed = error(std::io::ErrorKind::ReadOnlyFilesystem);
        for (is_of_backups, error, so, hint) in [
            (false, &closed, "but only reads.", "writable"),
            (false, &full, "before there is room.", "Make room"),
            (true, &closed, "nothing is purged", "writable"),
            (true, &full, "nothing is purged", "Make room"),
        ] {
            let told = not_kept(Path::new("/x"), is_of_backups, error).told();
            assert!(told.contains(so) && told.contains(hint), "{told}");
        }
        // A folder in which a page can be written is no failure, and nothing is left in it.
        let folder = tempfile::tempdir().expect("a folder for the test");
        assert!(unwritable(folder.path()).is_none());
        let left = std::fs::read_dir(folder.path()).expect("it is there");
        assert_eq!(left.count(), 0);
    }
}
