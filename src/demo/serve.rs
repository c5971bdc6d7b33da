//! Starting and stopping: options, the command line, the listening socket, and the gate that
//! every request passes (log, host and origin, faults, rate, sign-in, read-only mode).
//!
//! A server runs on a thread of its own with a small runtime of its own, so that tests and the
//! program need none. Faults that wait do so outside the database lock.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use futures_util::{StreamExt as _, stream};
use rusqlite::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::behaviour::{Behaviour, Generation};
use super::faults::{Fault, Faults, Rule};
use super::job_files::Files;
use super::permissions::ONE_USER;
use super::routes;
use super::routes::answer::Failure;
use super::seed::{Large, Seed, SeedError};
use super::site::{Recorded, Site, locked};
use super::store::{self, Found, Place};
use super::{guard, private};

/// How to start a server.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The port on loopback; 0 picks a free one.
    pub port: u16,
    /// The data file; `None` keeps the wiki in memory.
    pub data: Option<PathBuf>,
    /// Which Confluence to be like.
    pub generation: Generation,
    /// Generation 10 in the shapes of real servers: content by type, no totals.
    pub real: bool,
    /// Accept this token alone, as `Bearer` or as the password of Basic sign-in.
    pub token: Option<String>,
    /// Hosts that it answers to besides those of this machine: where a proxy finds it by a name.
    pub hosts: Vec<String>,
    /// The context path, such as `/confluence`; empty for none.
    pub context: String,
    /// What a fresh wiki holds.
    pub seed: Seed,
    /// How the whole server behaves at first.
    pub behaviour: Behaviour,
}

/// `coracle serve`: a Confluence on loopback.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArgs {
    /// Port on loopback; 0 picks a free one
    #[arg(long, default_value_t = 8090, value_name = "N")]
    pub port: u16,
    /// Keep the data in this file (in memory without it)
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Which Confluence to be like
    #[arg(long, default_value = "10", value_parser = ["10", "9", "7"], value_name = "GENERATION")]
    pub api: String,
    /// Answer in the shapes of real servers instead of the documented ones
    #[arg(long)]
    pub real: bool,
    /// Accept this token alone; everybody on the machine can read it here
    #[arg(long, value_name = "TOKEN", hide = true)]
    pub token: Option<String>,
    /// Accept the token in this variable alone
    #[arg(long, value_name = "NAME", conflicts_with_all = ["token", "token_file"])]
    pub token_env: Option<String>,
    /// Accept the token on the first line of this file alone, which nobody else may read
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// Context path, such as /confluence
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "PATH"
    )]
    pub context: String,
    /// Make a large wiki by formula: this many spaces
    #[arg(long, value_name = "N")]
    pub spaces: Option<u64>,
    /// Make a large wiki by formula: this many pages and blog posts
    #[arg(long, value_name = "N")]
    pub pages: Option<u64>,
    /// Make a large wiki by formula: this many trashed items
    #[arg(long, value_name = "N")]
    pub trash: Option<u64>,
    /// Make a large wiki by formula: this many comments
    #[arg(long, value_name = "N")]
    pub comments: Option<u64>,
    /// Make a large wiki by formula: this many attached files
    #[arg(long, value_name = "N")]
    pub files: Option<u64>,
    /// Make a large wiki by formula: attached files of this size in all, such as 300M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub attachments: Option<u64>,
    /// Another number makes another large wiki
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Wait this many milliseconds before each answer
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub latency: u64,
    /// Answer 429 to more requests than this per second
    #[arg(long, value_name = "N")]
    pub rate: Option<u32>,
    /// Start in read-only mode
    #[arg(long)]
    pub read_only_site: bool,
}

impl ServeArgs {
    /// The token to accept, from wherever it is.
    fn token(&self) -> Result<Option<String>, ServeError> {
        let found = match (&self.token_file, &self.token_env) {
            (Some(path), _) => private::token_in(path),
            (None, Some(name)) => private::token_of(name),
            (None, None) => return Ok(self.token.clone()),
        };
        found.map(Some).map_err(ServeError::Token)
    }

    /// The large wiki that is asked for, if one is.
    fn large(&self) -> Option<Large> {
        let hanging = [self.comments, self.files, self.attachments];
        let is_asked_for = [self.spaces, self.pages, self.trash]
            .iter()
            .chain(&hanging)
            .any(Option::is_some);
        if !is_asked_for {
            return None;
        }
        let hangs = hanging.iter().any(|it| it.is_some_and(|it| it > 0));
        let bytes = self.attachments;
        let files = self
            .files
            .or(bytes.map(|bytes| (bytes / 1024).clamp(1, 1_000)));
        let files = files.unwrap_or(0);
        Some(Large {
            spaces: self.spaces.unwrap_or(1),
            // Comments and files hang on pages.
            pages: self.pages.unwrap_or(if hangs { 1_000 } else { 0 }),
            trash: self.trash.unwrap_or(0),
            comments: self.comments.unwrap_or(0),
            files,
            bytes: bytes.unwrap_or(files * USUAL_FILE),
            seed: self.seed,
        })
    }

    /// The options that these arguments stand for.
    pub fn options(&self) -> Options {
        let seed = self.large().map_or(Seed::Demo, Seed::Large);
        Options {
            port: self.port,
            data: self.data.clone(),
            generation: match self.api.as_str() {
                "7" => Generation::Seven,
                "9" => Generation::Nine,
                _ => Generation::Ten,
            },
            real: self.real,
            token: self.token.clone(),
            hosts: Vec::new(),
            context: self.context.clone(),
            seed,
            behaviour: Behaviour {
                requests_per_second: self.rate,
                read_only: self.read_only_site,
                ..Behaviour::default()
            },
        }
    }
}

/// How large a file is on average where no size is asked for.
const USUAL_FILE: u64 = 30 << 10;

/// A number of bytes, as somebody writes it.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.trim_end_matches(['b', 'B']).split_at_checked(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    ) {
        Some((digits, unit)) => (digits, unit.trim_end_matches('i')),
        None => (text, ""),
    };
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" => Some(0),
        "K" => Some(10),
        "M" => Some(20),
        "G" => Some(30),
        _ => None,
    };
    shift
        .and_then(|shift| digits.parse::<u64>().ok()?.checked_mul(1 << shift))
        .filter(|bytes| *bytes <= MOST_ATTACHED)
        .ok_or_else(|| "write a size such as 500K, 300M or 2G, up to 1024G".to_owned())
}

/// No more is asked for than a disk may hold.
const MOST_ATTACHED: u64 = 1 << 40;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is taken or not allowed.
    #[error("port {port} on loopback cannot be opened")]
    Port {
        /// The port asked for.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// The data file cannot be opened or is something else.
    #[error("the data file cannot be used")]
    Data(#[source] rusqlite::Error),
    /// Another process has the data file.
    #[error("another coracle serve uses this data file")]
    InUse,
    /// There is no token where one should be.
    #[error("{0}")]
    Token(String),
    /// The wiki cannot be filled.
    #[error("the wiki cannot be filled")]
    Seed(#[from] SeedError),
    /// The system gave no thread, signal or runtime.
    #[error("the system refused a thread or a signal")]
    System(#[source] io::Error),
    /// Nobody could be told where it listens.
    #[error("its address could not be written to standard output")]
    Output(#[source] io::Error),
}

impl ServeError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Port { .. } => "Choose another port with --port, or 0 for a free one.",
            Self::Data(_) => {
                "Name a file that coracle serve made, or one that does not exist yet, with --data."
            }
            Self::InUse => "End the other one first, or name another file with --data.",
            Self::Token(_) => {
                "Put the token on the first line of a file with mode 0600 for --token-file, or into a variable for --token-env."
            }
            Self::Seed(_) => "Correct the wiki's text, or free some disk space.",
            Self::System(_) => "Close some programs and try again.",
            Self::Output(_) => "Make room on the disk, or send the output somewhere else.",
        }
    }
}

/// How long a request that is in the middle of its work may keep a server from stopping.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// A running server. It stops when it is dropped.
pub struct Server {
    site: Arc<Site>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("base", &self.site.base)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Starts a server and returns when it listens.
    ///
    /// A data file that holds a wiki keeps it; an empty or missing one is filled with the seed.
    pub fn start(options: Options) -> Result<Self, ServeError> {
        let db = open(&options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("confluence")
            .enable_all()
            .build()
            .map_err(ServeError::System)?;
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)))
            .map_err(|source| ServeError::Port {
                port: options.port,
                source,
            })?;
        let address = listener.local_addr().map_err(ServeError::System)?;
        let context = match options.context.trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        let site = Arc::new(Site {
            generation: options.generation,
            real: options.real || options.generation != Generation::Ten,
            base: format!("http://{address}{context}"),
            context,
            token: options.token,
            hosts: options.hosts,
            db: Mutex::new(db),
            files: Mutex::new(Files::beside(options.data.as_deref())),
            behaviour: Mutex::new(options.behaviour),
            faults: Faults::default(),
            log: Mutex::default(),
            inflight: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            rate: Mutex::default(),
            outcomes: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let app = router(&site);
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("confluence".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let service = app.into_make_service_with_connect_info::<Line>();
                    let serving = axum::serve(Loopback(listener), service);
                    // The socket has been listening since it was bound.
                    let _ = ready.send(());
                    tokio::select! {
                        _ = serving.into_future() => {}
                        _ = stopped => {}
                    }
                });
                // Drops every open connection at once, and waits until no request has the data file any
                // more: who starts the next server may take the same one.
                runtime.shutdown_timeout(SHUTDOWN);
            })
            .map_err(ServeError::System)?;
        let _ = started.recv();
        Ok(Self {
            site,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Its address, with the context path and without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.site.base
    }

    /// Its faults.
    pub fn faults(&self) -> Faults {
        self.site.faults.clone()
    }

    /// How it behaves.
    pub fn behaviour(&self) -> Behaviour {
        self.site.behaviour()
    }

    /// Changes how it behaves, from the next request on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.site.behaviour));
    }

    /// The requests so far, oldest first; the last 10,000 of them.
    pub fn requests(&self) -> Vec<Recorded> {
        locked(&self.site.log).kept.iter().cloned().collect()
    }

    /// Forgets the requests so far and the peak.
    pub fn forget_requests(&self) {
        let mut log = locked(&self.site.log);
        log.forgotten += log.kept.len();
        log.kept.clear();
        self.site
            .peak
            .store(self.site.inflight.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// The most requests that were worked on at one time.
    pub fn peak_inflight(&self) -> usize {
        self.site.peak.load(Ordering::SeqCst)
    }

    /// How many requests are worked on now.
    pub fn inflight(&self) -> usize {
        self.site.inflight.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.site.stopping.store(true, Ordering::SeqCst);
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open(options: &Options) -> Result<Connection, ServeError> {
    let place = match (&options.data, &options.seed) {
        (Some(path), _) => Place::File(path),
        (None, Seed::Large(_)) => Place::Scratch,
        (None, _) => Place::Memory,
    };
    if let Place::File(path) = place {
        private::close_to_others(path);
    }
    let (mut db, found) = store::open(place).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy) => ServeError::InUse,
        _ => ServeError::Data(error),
    })?;
    match found {
        Found::Nothing => store::fill(&mut db, |db| options.seed.fill(db))?,
        Found::Wiki => routes::forget_interrupted(&db).map_err(ServeError::Data)?,
    }
    Ok(db)
}

/// Runs `coracle serve` until SIGINT or SIGTERM: prints the base URL on one line when it listens. Says
/// the number of the signal.
pub fn serve_blocking(args: &ServeArgs) -> Result<u8, ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    // Before anything is printed: whoever reads the line may send a signal at once.
    let (mut interrupt, mut terminate) = runtime
        .block_on(async { Ok((Signal::interrupt()?, Signal::terminate()?)) })
        .map_err(ServeError::System)?;
    let options = Options {
        token: args.token()?,
        ..args.options()
    };
    if args.token.is_some() {
        // A standard error that is gone is nothing to act on.
        let _ = writeln!(
            io::stderr(),
            "note: everybody on this machine can read a token in a command line; use --token-file or --token-env."
        );
    }
    let server = Server::start(options)?;
    if args.latency > 0 {
        let latency = Fault::Latency(Duration::from_millis(args.latency));
        server.faults().add(Rule::new("* /**", latency).always());
    }
    let mut out = io::stdout();
    let told = writeln!(out, "{}", server.base_url()).and_then(|()| out.flush());
    // That nobody reads on is nothing to end for.
    told.or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(ServeError::Output(error)),
    })?;
    Ok(runtime.block_on(async {
        tokio::select! {
            () = interrupt.came() => SIGINT,
            () = terminate.came() => SIGTERM,
        }
    }))
}

/// Ctrl-C, by its number.
const SIGINT: u8 = 2;
/// The polite end, by its number.
const SIGTERM: u8 = 15;

/// A signal that ends the server.
struct Signal {
    #[cfg(unix)]
    inner: tokio::signal::unix::Signal,
    #[cfg(not(unix))]
    interrupt: bool,
}

impl Signal {
    #[cfg(unix)]
    fn interrupt() -> io::Result<Self> {
        let kind = tokio::signal::unix::SignalKind::interrupt();
        let inner = tokio::signal::unix::signal(kind)?;
        Ok(Self { inner })
    }

    #[cfg(unix)]
    fn terminate() -> io::Result<Self> {
        let kind = tokio::signal::unix::SignalKind::terminate();
        let inner = tokio::signal::unix::signal(kind)?;
        Ok(Self { inner })
    }

    #[cfg(unix)]
    async fn came(&mut self) {
        self.inner.recv().await;
    }

    #[cfg(not(unix))]
    fn interrupt() -> io::Result<Self> {
        Ok(Self { interrupt: true })
    }

    #[cfg(not(unix))]
    fn terminate() -> io::Result<Self> {
        Ok(Self { interrupt: false })
    }

    #[cfg(not(unix))]
    async fn came(&mut self) {
        if self.interrupt {
            let _ = tokio::signal::ctrl_c().await;
        } else {
            std::future::pending::<()>().await;
        }
    }
}

fn router(site: &Arc<Site>) -> Router {
    let api = routes::router(site.clone());
    let whole = if site.context.is_empty() {
        api
    } else {
        Router::new()
            .nest(&site.context, api)
            .fallback(routes::not_found)
    };
    whole.layer(from_fn_with_state(site.clone(), pass))
}

/// What every request passes, outermost first: the log, host and origin, faults, rate, sign-in, read-only mode.
async fn pass(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    struct Inflight<'a>(&'a AtomicUsize);
    impl Drop for Inflight<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let target = request
        .uri()
        .path_and_query()
        .map_or_else(String::new, ToString::to_string);
    let number = site.record(request.method(), target);
    let now = site.inflight.fetch_add(1, Ordering::SeqCst) + 1;
    let _inflight = Inflight(&site.inflight);
    site.peak.fetch_max(now, Ordering::SeqCst);

    if let Some(refusal) = guard::refusal(&request, &site.hosts) {
        let response = refusal.into_response();
        site.answered(number, response.status().as_u16());
        return response;
    }
    let line = request.extensions().get::<ConnectInfo<Line>>().cloned();
    let path = request.uri().path();
    let path = path.strip_prefix(site.context.as_str()).unwrap_or(path);
    let query = request.uri().query().unwrap_or_default();
    let struck = site.faults.strike(request.method().as_str(), path, query);
    for wait in struck.waits {
        match wait {
            Fault::Latency(time) => tokio::time::sleep(time).await,
            Fault::Hold(gate) => gate.pass().await,
            _ => {}
        }
    }
    let lost = || {
        if let Some(ConnectInfo(line)) = &line {
            line.0.store(true, Ordering::SeqCst);
        }
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    };
    let response = match struck.end {
        Some(Fault::Answer {
            status,
            headers,
            body,
        }) => canned(status, &headers, body),
        Some(Fault::Refused { status, message }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            Failure::new(status, message).into_response()
        }
        Some(Fault::Unapplied) => {
            let (method, path) = (request.method().clone(), path.to_owned());
            unapplied(&site, method, &path).await
        }
        Some(Fault::LoginPage) => canned(
            200,
            &[(
                "Content-Type".to_owned(),
                "text/html;charset=UTF-8".to_owned(),
            )],
            LOGIN_PAGE.to_owned(),
        ),
        Some(Fault::Redirect(to)) => canned(302, &[("Location".to_owned(), to)], String::new()),
        Some(Fault::Dropped) => return lost(),
        Some(Fault::AppliedThenLost) => {
            let _ = answer(&site, request, next).await;
            return lost();
        }
        Some(Fault::DroppedMidBody) => broken(answer(&site, request, next).await, Broken::Chunked),
        Some(Fault::CutShort) => broken(answer(&site, request, next).await, Broken::Announced),
        Some(Fault::Trickle { bytes, pause }) => {
            trickled(answer(&site, request, next).await, bytes, pause)
        }
        Some(Fault::Latency(_) | Fault::Hold(_)) | None => answer(&site, request, next).await,
    };
    site.answered(number, response.status().as_u16());
    response
}

/// The answer of a server that nothing is wrong with.
async fn answer(site: &Site, request: Request, next: Next) -> Response {
    let behaviour = site.behaviour();
    let mut response = if let Some(per_second) = behaviour.requests_per_second
        && !site.admits(per_second)
    {
        let mut response =
            Failure::new(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded").into_response();
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        headers.insert("x-ratelimit-limit", HeaderValue::from(per_second));
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
        headers.insert(
            "x-ratelimit-interval-seconds",
            HeaderValue::from_static("1"),
        );
        headers.insert("x-ratelimit-fillrate", HeaderValue::from(per_second));
        response
    } else if !site.signed_in(&request) {
        let body = serde_json::json!({
            "message": "Client must be authenticated to access this resource.",
            "status-code": 401,
        });
        let mut response = (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
        let challenge = HeaderValue::from_static("Basic realm=\"Confluence\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
        response
    } else if behaviour.read_only && request.method() != Method::GET {
        Failure::read_only().into_response()
    } else if request.method() == Method::GET
        && let Some(failing) = behaviour.fails_to_expand(request.uri().query().unwrap_or_default())
    {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("java.lang.NullPointerException: {failing}"),
        )
        .into_response()
    } else {
        next.run(request).await
    };
    let who = if let Some(who) = behaviour.takes_all_for {
        who
    } else if behaviour.anonymous || response.status() == StatusCode::UNAUTHORIZED {
        "anonymous"
    } else {
        ONE_USER.0
    };
    let headers = response.headers_mut();
    headers.insert("x-ausername", HeaderValue::from_static(who));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The answer of success to a write that is passed over.
async fn unapplied(site: &Arc<Site>, method: Method, path: &str) -> Response {
    let is_of_a_space = path.rsplit('/').nth(1) == Some("space");
    if method == Method::PUT
        && let Some(old) = routes::as_it_is(Arc::clone(site), path).await
    {
        old
    } else if method == Method::DELETE && is_of_a_space {
        let body = serde_json::json!({
            "id": "unapplied",
            "links": {"status": "/rest/api/longtask/unapplied"},
        });
        (StatusCode::ACCEPTED, axum::Json(body)).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

const LOGIN_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Log in - Confluence</title></head>\
<body><h1>Log in</h1><form action=\"/dologin.action\" method=\"post\">\
<input name=\"os_username\"><input name=\"os_password\" type=\"password\"></form></body></html>\n";

fn canned(status: u16, headers: &[(String, String)], body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// No length announced; the last chunk never comes.
    Chunked,
    /// The whole length announced; the end never comes.
    Announced,
}

/// How long a body is. Handlers say it, or answer from memory.
fn length_of(response: &Response) -> u64 {
    let told = response.headers().get(header::CONTENT_LENGTH);
    told.and_then(|value| value.to_str().ok()?.parse().ok())
        .or_else(|| response.body().size_hint().exact())
        .unwrap_or(0)
}

fn broken(response: Response, how: Broken) -> Response {
    let length = length_of(&response);
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if how == Broken::Announced {
        let announced = length.max(1);
        parts
            .headers
            .insert(header::CONTENT_LENGTH, HeaderValue::from(announced));
    }
    let half = (body.into_data_stream(), length / 2);
    let pieces = stream::unfold(Some(half), |rest| async move {
        let (mut rest, left) = rest?;
        match rest.next().await {
            Some(Ok(mut bytes)) if left > 0 => {
                bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - bytes.len() as u64;
                Some((Ok(bytes), Some((rest, left))))
            }
            _ => {
                // Turns of rest between the half and the end, so that the half is sent.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                let cut = io::Error::from(io::ErrorKind::ConnectionReset);
                Some((Err(cut), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

fn trickled(response: Response, bytes: usize, pause: Duration) -> Response {
    let (parts, body) = response.into_parts();
    let begin = (body.into_data_stream(), Bytes::new());
    let pieces = stream::unfold(begin, move |(mut body, mut rest)| async move {
        while rest.is_empty() {
            rest = body.next().await?.unwrap_or_default();
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(bytes.clamp(1, rest.len()));
        Some((Ok::<_, io::Error>(piece), (body, rest)))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

/// A listener whose connections can be cut from inside a request.
struct Loopback(TcpListener);

/// The handle that cuts a connection: once it is set, nothing more is read or written.
#[derive(Clone, Default)]
struct Line(Arc<AtomicBool>);

/// A connection that can be cut.
struct Cuttable {
    stream: TcpStream,
    line: Line,
}

impl axum::serve::Listener for Loopback {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        let line = Line::default();
        (Cuttable { stream, line }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Line {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        stream.io().line.clone()
    }
}

impl Cuttable {
    fn alive(&self) -> io::Result<()> {
        if self.line.0.load(Ordering::SeqCst) {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.alive()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
