//! The only code that talks to a Confluence over the network.
//!
//! It adds origin, context path, headers and sign-in to a [`Call`], sends it, reads the answer
//! within limits, and asks again where [`super::retry`] says so. It never follows a redirect,
//! keeps no cookie, sends the secret nowhere but to the configured address, and a read-only
//! client sends no write.

use std::error::Error as _;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use futures_util::stream;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, IF_RANGE, RANGE, SET_COOKIE,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

use super::backup_restore::{Downloaded, Resume};
use super::body::Body;
use super::call::{Call, Method, Reply, Request};
use super::certificate::Chain;
use super::endpoint::Endpoint;
use super::error::{
    ApiError, BAD_PASSWORD, BAD_TOKEN, ErrorKind, NO_PASSWORDS, NO_SIGN_IN, PROXY_SIGN_IN,
};
use super::headers::Headers;
use super::pool::Pool;
use super::proxy::{self, Named, Way};
use super::retry::{Budget, Nature, Patience, RateHeaders, Turn};
use super::tls::{self, Record, Stage, Trust};
use super::transfer::{self, Brings, Form, Sink, Transfer};
use crate::text::plain::scrub;

/// Below this many bytes a second, over the whole answer, a server is taken for stuck.
const SLOWEST: u64 = 64;

/// The longest a write waits for its turn: what it was sent for may have changed by then.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);

/// Waits for a turn that are worth telling.
const WORTH_TELLING: Duration = Duration::from_millis(500);

/// How to sign in. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Not at all.
    Anonymous,
    /// A personal access token.
    Bearer(SecretString),
    /// A user name and a password.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: SecretString,
    },
}

impl Credentials {
    fn header(&self) -> Result<Option<HeaderValue>, ApiError> {
        let text = match self {
            Self::Anonymous => return Ok(None),
            Self::Bearer(token) => joined(&["Bearer ", token.expose_secret()]),
            Self::Basic { user, password } => {
                let pair = joined(&[user, ":", password.expose_secret()]);
                let code = SecretString::from(
                    base64::engine::general_purpose::STANDARD.encode(pair.expose_secret()),
                );
                joined(&["Basic ", code.expose_secret()])
            }
        };
        let mut value = HeaderValue::from_str(text.expose_secret()).map_err(|_| {
            ApiError::new(
                ErrorKind::Settings,
                "The token holds characters that a token can't have, such as a line break.",
            )
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// The parts as one secret, in a place that is large enough from the beginning: what grows is
/// copied, and the old place is not wiped.
fn joined(parts: &[&str]) -> SecretString {
    let mut whole = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        whole.push_str(part);
    }
    SecretString::from(whole)
}

/// What the client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads alone; a write fails before anything is sent.
    ReadOnly,
    /// Reads and writes.
    ReadWrite,
}

/// Which addresses a host has, where it is not the system that is asked. The port of an address
/// counts only when the URL names none.
#[derive(Clone)]
pub struct Names(Arc<Look>);

type Look = dyn Fn(&str) -> std::io::Result<Vec<SocketAddr>> + Send + Sync;

impl Names {
    /// Asks this function. It is called once for each new connection and must not block.
    pub fn by(
        look: impl Fn(&str) -> std::io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(look))
    }
}

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = (self.0)(name.as_str());
        Box::pin(std::future::ready(match found {
            Ok(addresses) => Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs),
            Err(error) => Err(error.into()),
        }))
    }
}

/// All that a connection needs to know.
#[derive(Clone)]
pub struct Settings {
    /// Where.
    pub endpoint: Endpoint,
    /// As whom.
    pub credentials: Credentials,
    /// The variable that the token comes from, if it comes from one: it is named where the token is
    /// refused.
    pub token_variable: Option<String>,
    /// Time to make a connection.
    pub connect_timeout: Duration,
    /// Time for the first byte of an answer, and between two pieces of it.
    pub read_timeout: Duration,
    /// Requests at once, at most.
    pub concurrency: usize,
    /// What may be done.
    pub access: Access,
    /// Lets plain `http` go to another machine.
    pub allow_http: bool,
    /// Takes any certificate.
    pub insecure: bool,
    /// More authorities, PEM, beside those of the system.
    pub ca_pem: Option<Vec<u8>>,
    /// Our own certificate and key, PEM, in one text.
    pub identity_pem: Option<SecretString>,
    /// A proxy instead of the environment's. May hold a password, hence secret.
    pub proxy: Option<SecretString>,
    /// Hosts that are reached without the proxy, as in `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// Who says which addresses a host has; `None`: the system.
    pub names: Option<Names>,
    /// The largest answer taken, in bytes, after decompression.
    pub max_body: usize,
    /// How patient to be with faults.
    pub patience: Patience,
    /// Whether what the server shows when TLS is set up is told with each answer.
    pub chain: Tell,
}

/// Whether something is told that costs a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Settings {
    /// The defaults for a server.
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        Self {
            endpoint,
            credentials,
            token_variable: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            concurrency: 8,
            access: Access::ReadWrite,
            allow_http: false,
            insecure: false,
            ca_pem: None,
            identity_pem: None,
            proxy: None,
            no_proxy: None,
            names: None,
            max_body: 128 * 1024 * 1024,
            patience: Patience::default(),
            chain: Tell::No,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.endpoint)
            .field("credentials", &self.credentials)
            .field("access", &self.access)
            .field("concurrency", &self.concurrency)
            .field("allow_http", &self.allow_http)
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

/// A request is put off: it failed and is tried again, or the pace of the server is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Why.
    pub error: ApiError,
    /// Which attempt comes next, counted from 1.
    pub attempt: u32,
    /// How long until then.
    pub wait: Duration,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The reply, or why there is none.
    pub outcome: Result<Reply, ApiError>,
    /// The status of the last attempt, where there was an answer.
    pub status: Option<u16>,
    /// How long the last attempt took.
    pub took: Duration,
    /// As whom the server took us (`X-AUSERNAME`), where it said so.
    pub user: Option<String>,
    /// What time it is there (`Date`), where it said so.
    pub date: Option<Timestamp>,
    /// What was shown when TLS was set up, also where that failed, if [`Settings::chain`] asks for it.
    pub chain: Option<Chain>,
}

impl Answer {
    /// Nothing was sent.
    pub fn none(error: ApiError) -> Self {
        Self {
            outcome: Err(error),
            status: None,
            took: Duration::ZERO,
            user: None,
            date: None,
            chain: None,
        }
    }

    /// Nothing had to be sent.
    pub fn of(reply: Reply) -> Self {
        let mut answer = Self::none(ApiError::read_only_client());
        answer.outcome = Ok(reply);
        answer
    }
}

/// A connection to one server. Clones share connections and budget.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    pool: Mutex<Pool<reqwest::Client>>,
    endpoint: Endpoint,
    /// Host and port of the proxy on the way, if there is one.
    proxy: Option<String>,
    signed_in: bool,
    /// What is said when the server refuses the sign-in.
    refused: String,
    /// What is told of an answer as to nobody.
    as_nobody: String,
    writes: AtomicBool,
    connect_timeout: Duration,
    read_timeout: Duration,
    max_body: usize,
    patience: Patience,
    budget: Mutex<Budget>,
    /// Whoever holds it is the next to have a turn.
    queue: tokio::sync::Mutex<()>,
    freed: Notify,
    started: Instant,
    chance: RandomState,
    record: Option<Record>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.0.endpoint)
    }
}

/// An answer as it came.
struct Raw {
    status: u16,
    headers: Headers,
    body: Body,
    first_byte: Duration,
    /// What went to the disk instead of into the body.
    downloaded: Option<Downloaded>,
}

/// A turn taken from the budget; given back however the request ends, also if it is dropped.
struct Seat<'a>(&'a Inner);

/// Tells somebody who waits why, and for how long, once for each wait.
struct Teller<'a, F> {
    notify: &'a mut F,
    attempt: u32,
    /// Until when the last word holds.
    until: Instant,
}

impl<F: FnMut(Retry)> Teller<'_, F> {
    fn tell(&mut self, wait: Duration) {
        let now = Instant::now();
        if now < self.until {
            return;
        }
        self.until = now + wait.max(WORTH_TELLING);
        if wait < WORTH_TELLING {
            return;
        }
        (self.notify)(Retry {
            error: ApiError::new(
                ErrorKind::RateLimited {
                    after_ms: Some(wait.as_millis() as u64),
                },
                "The server limits how often it may be asked.",
            ),
            attempt: self.attempt,
            wait,
        });
    }
}

/// A place among those who wait for a turn; given back however the wait ends.
struct Place<'a>(&'a Inner);

impl<'a> Place<'a> {
    fn take(inner: &'a Inner) -> Self {
        inner.with_budget(Budget::waits);
        Self(inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.with_budget(Budget::waits_no_more);
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.with_budget(Budget::finished);
        // Not one: the window may have grown while others waited.
        self.0.freed.notify_waiters();
    }
}

/// Says which cryptography TLS uses in this process, before the first client is built. Safe to
/// call again.
pub fn choose_cryptography() {
    // An error means that it was said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Client {
    /// A client with these settings. Nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, ApiError> {
        let endpoint = settings.endpoint;
        let loopback = endpoint.is_loopback();
        if endpoint.is_plain_http() && !loopback && !settings.allow_http {
            return Err(ApiError::new(
                ErrorKind::BadUrl,
                "Plain http would send the token in the clear; use https, or set `allow_http` in the profile.",
            ));
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Many versions refuse a request without one, even where there is no body.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let authorization = settings.credentials.header()?;
        let signed_in = authorization.is_some();
        let refused = match settings.credentials {
            Credentials::Anonymous => NO_SIGN_IN.to_owned(),
            Credentials::Bearer(_) => match &settings.token_variable {
                Some(name) => format!("The server did not accept the token in {name}."),
                None => BAD_TOKEN.to_owned(),
            },
            Credentials::Basic { .. } => BAD_PASSWORD.to_owned(),
        };
        let sent = match &settings.token_variable {
            Some(name) => format!("the token in {name}"),
            None => "a sign-in".to_owned(),
        };
        let as_nobody = format!("The server treats us as not signed in, although {sent} was sent.");
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value);
        }
        let record = (settings.chain == Tell::Yes).then(Record::default);
        let trust = if endpoint.is_plain_http() && (loopback || settings.proxy.is_none()) {
            // No TLS, no need to read the authorities of the system.
            None
        } else {
            let trust = if settings.insecure {
                Trust::Anybody
            } else {
                Trust::Authorities(settings.ca_pem.as_deref())
            };
            let config = tls::config(trust, settings.identity_pem.as_ref(), record.as_ref())?;
            Some(config)
        };
        let by_proxy = match &settings.proxy {
            Some(address) if !loopback => {
                let except = settings
                    .no_proxy
                    .as_deref()
                    .and_then(reqwest::NoProxy::from_string);
                let proxy = reqwest::Proxy::all(address.expose_secret())
                    .map_err(|_| ApiError::new(ErrorKind::Settings, "The proxy can't be used."))?
                    .no_proxy(except);
                Some(proxy)
            }
            _ => None,
        };
        let (connect_timeout, names) = (settings.connect_timeout, settings.names);
        let build = move || {
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("coracle/", env!("CARGO_PKG_VERSION")))
                .default_headers(headers.clone())
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .connect_timeout(connect_timeout)
                .tcp_nodelay(true)
                .tcp_keepalive(Duration::from_secs(30))
                // No timer of its own: our pool looks at the age of what waits.
                .pool_idle_timeout(None)
                .gzip(!loopback);
            builder = match &trust {
                None => builder.tls_certs_only([]),
                Some(config) => builder.tls_backend_preconfigured(config.clone()),
            };
            if let Some(names) = &names {
                builder = builder.dns_resolver(names.clone());
            }
            if loopback {
                builder = builder.no_proxy();
            } else if let Some(proxy) = &by_proxy {
                builder = builder.proxy(proxy.clone());
            }
            builder.build()
        };
        let named = settings.proxy.as_ref().map(|proxy| Named {
            address: proxy.expose_secret(),
            except: settings.no_proxy.as_deref().unwrap_or_default(),
        });
        let proxy = match proxy::way(&endpoint, named, |name| std::env::var(name).ok()) {
            Way::Proxy { host, port, .. } => Some(format!("{host}:{port}")),
            Way::Direct(_) | Way::Unusable { .. } => None,
        };
        choose_cryptography();
        let http = build().map_err(|error| {
            ApiError::new(
                ErrorKind::Settings,
                format!("The connection can't be set up: {}", innermost(&error)),
            )
        })?;
        Ok(Self(Arc::new(Inner {
            pool: Mutex::new(Pool::new(http, Box::new(move || build().ok()))),
            endpoint,
            proxy,
            signed_in,
            refused,
            as_nobody,
            writes: AtomicBool::new(settings.access == Access::ReadWrite),
            connect_timeout,
            read_timeout: settings.read_timeout,
            max_body: settings.max_body,
            patience: settings.patience,
            budget: Mutex::new(Budget::new(settings.concurrency)),
            queue: tokio::sync::Mutex::new(()),
            freed: Notify::new(),
            started: Instant::now(),
            chance: RandomState::new(),
            record,
        })))
    }

    /// Where it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// What it may do.
    pub fn access(&self) -> Access {
        if self.0.writes.load(Ordering::Relaxed) {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        }
    }

    /// Lets writes out from now on: somebody opened a protected profile on purpose.
    pub fn allow_writes(&self) {
        self.0.writes.store(true, Ordering::Relaxed);
    }

    /// Sends a call and waits for its answer; a read is asked again where that helps, after telling
    /// `notify`. A write goes out at once or not at all: where it would have to wait, it fails as
    /// [`ErrorKind::RateLimited`] with the time to wait, unsent if `status` is `None`. Dropping the future gives the call up; a write may have gone out by then.
    pub async fn send(&self, call: &Call, notify: impl FnMut(Retry) + Send) -> Answer {
        self.transfer(call, Transfer::None, notify).await
    }

    /// The same for a call that a file goes along with, which is read or written piece by piece.
    pub async fn transfer(
        &self,
        call: &Call,
        mut file: Transfer<'_>,
        mut notify: impl FnMut(Retry) + Send,
    ) -> Answer {
        let mut resume = match call {
            Call::DownloadBackup { resume, .. } | Call::Download { resume, .. } => resume.clone(),
            _ => None,
        };
        let inner = &*self.0;
        let mut answer = Answer::none(ApiError::read_only_client());
        let request = call.request();
        let nature = if call.is_read() && request.method == Method::Get {
            Nature::Read
        } else {
            Nature::Write
        };
        if nature == Nature::Write && self.access() == Access::ReadOnly {
            return answer;
        }
        let url = match inner.endpoint.url_of(&request) {
            Ok(url) => url,
            Err(error) => {
                answer.outcome = Err(error);
                return answer;
            }
        };
        let begun = Instant::now();
        let mut attempt = 1;
        loop {
            let seat = match inner.seat(nature, attempt, &mut notify).await {
                Ok(seat) => seat,
                Err(error) => {
                    answer.outcome = Err(error);
                    return answer;
                }
            };
            let sent = Instant::now();
            let raw = inner
                .exchange(&request, url.clone(), &mut file, &mut resume)
                .await;
            answer.took = sent.elapsed();
            answer.chain = inner.record.as_ref().and_then(Record::get);
            let rate = raw
                .as_ref()
                .ok()
                .and_then(|raw| RateHeaders::of(&raw.headers));
            let first_byte = raw.as_ref().map_or(answer.took, |raw| raw.first_byte);
            let status = raw.as_ref().ok().map(|raw| raw.status);
            answer.status = status;
            let mut as_nobody = false;
            answer.outcome = raw.and_then(|raw| {
                answer.user = user_of(&raw.headers);
                answer.date = date_of(&raw.headers);
                as_nobody = is_nobody(&raw.headers);
                if let Some(downloaded) = raw.downloaded {
                    return Ok(Reply::Downloaded(downloaded));
                }
                call.decode(raw.status, &raw.headers, &raw.body)
            });
            if let Err(error) = &mut answer.outcome {
                inner.complete(error);
            }
            inner.signed_in(&mut answer.outcome, as_nobody.then_some(status).flatten());
            tracing::debug!(
                method = request.method.as_str(),
                path = request.path,
                status,
                ms = answer.took.as_millis() as u64,
                failed = answer
                    .outcome
                    .as_ref()
                    .err()
                    .map(|error| error.message.as_str()),
                "request"
            );
            let wait = answer.outcome.as_ref().err().and_then(|error| {
                inner
                    .patience
                    .next_wait(error, nature, attempt, begun.elapsed(), inner.chance())
            });
            inner.learn(&answer.outcome, first_byte, rate, attempt, wait);
            drop(seat);
            let (Err(error), Some(wait)) = (&answer.outcome, wait) else {
                return answer;
            };
            attempt += 1;
            notify(Retry {
                error: error.clone(),
                attempt,
                wait,
            });
            sleep(wait).await;
        }
    }
}

impl Inner {
    fn with_budget<T>(&self, look: impl FnOnce(&mut Budget) -> T) -> T {
        // A panic elsewhere leaves numbers behind, no broken promise.
        look(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with_pool<T>(
        &self,
        look: impl FnOnce(&mut Pool<reqwest::Client>, Duration, usize) -> T,
    ) -> T {
        let others = self.with_budget(|budget| budget.in_flight().saturating_sub(1));
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut pool, self.now(), others)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// A number from 0 to 1, good enough to keep clients from waiting in step.
    fn chance(&self) -> f64 {
        let bits = self.chance.hash_one(self.now());
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Waits for a turn; a write not longer than [`WRITE_PATIENCE`] in all. Reads take their turns
    /// in the order in which they came; a write passes them, as it follows a look just made.
    async fn seat(
        &self,
        nature: Nature,
        attempt: u32,
        notify: &mut impl FnMut(Retry),
    ) -> Result<Seat<'_>, ApiError> {
        if nature == Nature::Write {
            return self.seat_of_a_write().await;
        }
        let _place = Place::take(self);
        let mut teller = Teller {
            notify,
            attempt,
            until: Instant::now(),
        };
        let turn = self.queue.lock();
        tokio::pin!(turn);
        let _first = loop {
            tokio::select! {
                biased;
                first = &mut turn => break first,
                // Many small waits are a long one for whoever is last.
                () = sleep_until(teller.until) => teller.tell(self.expected()),
            }
        };
        loop {
            let freed = self.freed.notified();
            match self.with_budget(|budget| budget.turn(self.now(), nature)) {
                Turn::Go => return Ok(Seat(self)),
                Turn::Full => freed.await,
                Turn::In(wait) => {
                    teller.tell(self.expected().max(wait));
                    sleep(wait).await;
                }
            }
        }
    }

    async fn seat_of_a_write(&self) -> Result<Seat<'_>, ApiError> {
        let begun = Instant::now();
        loop {
            let freed = self.freed.notified();
            let left = WRITE_PATIENCE.saturating_sub(begun.elapsed());
            match self.with_budget(|budget| budget.turn(self.now(), Nature::Write)) {
                Turn::Go => return Ok(Seat(self)),
                Turn::Full => {
                    if timeout(left, freed).await.is_err() {
                        return Err(unsent(None));
                    }
                }
                Turn::In(wait) if wait > left => return Err(unsent(Some(wait))),
                Turn::In(wait) => sleep(wait).await,
            }
        }
    }

    /// How long whoever comes last has to wait, as far as it is known.
    fn expected(&self) -> Duration {
        self.with_budget(|budget| budget.queue(self.now()))
    }

    /// One attempt: out with the request, in with the whole answer.
    async fn exchange(
        &self,
        request: &Request,
        url: Url,
        file: &mut Transfer<'_>,
        resume: &mut Option<Resume>,
    ) -> Result<Raw, ApiError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let writes = request.method != Method::Get;
        let client = self.with_pool(Pool::client);
        let mut builder = client.request(method, url);
        if writes {
            builder = builder.header(
                HeaderName::from_static("x-atlassian-token"),
                HeaderValue::from_static("no-check"),
            );
        }
        let mut sent = None;
        builder = match file {
            Transfer::None => builder,
            Transfer::Into(sink) => asking_for_part(builder, sink.length(), resume.as_ref()),
            Transfer::From(source) => {
                let form = Form::of(Arc::clone(source), [self.random(1), self.random(2)]);
                sent = Some(Arc::clone(&form.sent));
                sending(builder, &form)?
            }
        };
        match (&request.body, request.method) {
            _ if sent.is_some() => {}
            (Some(body), _) => builder = builder.body(body.clone()),
            // Some proxies refuse these with 411 where no length is told.
            (None, Method::Post | Method::Put) => {
                builder = builder.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            (None, Method::Get | Method::Delete) => {}
        }
        let begun = Instant::now();
        let patience = self.connect_timeout.saturating_add(self.read_timeout);
        let mut response = answered(builder.send(), patience, sent.as_deref())
            .await
            .ok_or_else(|| slow("The server did not answer in time."))?
            .map_err(|error| self.line_fault(&error))?;
        let first_byte = begun.elapsed();
        let status = response.status().as_u16();
        let headers: Headers = response
            .headers()
            .iter()
            .filter(|(name, _)| *name != SET_COOKIE)
            .map(|(name, value)| {
                (
                    name.as_str(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        if let Transfer::Into(sink) = file {
            let brings = transfer::brings(status, &headers, sink.length(), resume.as_ref())
                .map_err(|error| error.with_status(status))?;
            if brings != Brings::None {
                let taken = self.take_file(response, &mut **sink, brings, resume).await;
                let downloaded = taken.map_err(|error| error.with_status(status))?;
                return Ok(Raw {
                    status,
                    headers,
                    body: Body::announced(0),
                    first_byte,
                    downloaded: Some(downloaded),
                });
            }
        }
        let announced = response.content_length().unwrap_or(0);
        if announced > self.max_body as u64 {
            return Err(self.too_large(status));
        }
        let mut body = Body::announced(announced as usize);
        let reading = Instant::now();
        loop {
            let piece = timeout(self.read_timeout, response.chunk())
                .await
                .map_err(|_| slow("The answer stopped in the middle.").with_status(status))?
                .map_err(|error| cut(&error).with_status(status))?;
            let Some(piece) = piece else { break };
            if body.len() + piece.len() > self.max_body {
                return Err(self.too_large(status));
            }
            body.push(&piece);
            let spent = reading.elapsed();
            if spent > self.read_timeout && (body.len() as u64) < SLOWEST * spent.as_secs().max(1) {
                return Err(slow("The answer trickles in too slowly.").with_status(status));
            }
        }
        self.with_pool(Pool::waits);
        Ok(Raw {
            status,
            headers,
            body,
            first_byte,
            downloaded: None,
        })
    }

    /// Hands a file on, as it comes.
    async fn take_file(
        &self,
        mut response: reqwest::Response,
        sink: &mut dyn Sink,
        brings: Brings,
        resume: &mut Option<Resume>,
    ) -> Result<Downloaded, ApiError> {
        let place = sink.place();
        let stored = |outcome: std::io::Result<()>| {
            outcome.map_err(|error| transfer::storage(&error, &place))
        };
        let Brings::From {
            from,
            total,
            resume: next,
        } = brings
        else {
            *resume = None;
            stored(sink.begin(0))?;
            return Ok(Downloaded {
                total: (brings == Brings::Nothing).then_some(0),
                ..Downloaded::default()
            });
        };
        stored(sink.begin(from))?;
        resume.clone_from(&next);
        let (reading, mut taken) = (Instant::now(), 0_u64);
        loop {
            let piece = timeout(self.read_timeout, response.chunk())
                .await
                .map_err(|_| slow("The answer stopped in the middle."))?
                .map_err(|error| cut(&error))?;
            let Some(piece) = piece else { break };
            stored(sink.write(&piece))?;
            taken += piece.len() as u64;
            let spent = reading.elapsed();
            if spent > self.read_timeout && taken < SLOWEST * spent.as_secs().max(1) {
                return Err(slow("The answer trickles in too slowly."));
            }
        }
        self.with_pool(Pool::waits);
        Ok(Downloaded {
            bytes: sink.length(),
            // Without a length told, the end of the answer is the end of the file.
            total: total.or_else(|| Some(sink.length())),
            resume: next,
            sha256: None,
        })
    }

    /// A number that nobody guesses.
    fn random(&self, which: u64) -> u64 {
        self.chance.hash_one((which, self.now()))
    }

    fn too_large(&self, status: u16) -> ApiError {
        let mebibytes = self.max_body / (1024 * 1024);
        let limit = if mebibytes > 0 {
            format!("{mebibytes} MiB")
        } else {
            format!("{} bytes", self.max_body)
        };
        ApiError::new(
            ErrorKind::TooLarge,
            format!("The answer is larger than {limit}, the most that is taken."),
        )
        .with_status(status)
    }

    /// What the line did, in words, before there was an answer.
    fn line_fault(&self, error: &reqwest::Error) -> ApiError {
        let host = scrub(self.endpoint.host()).into_owned();
        let stage = if error.is_connect() {
            Stage::Connecting
        } else {
            Stage::Talking
        };
        if let Some(tls) = tls::explain(error, &host, stage) {
            return tls;
        }
        if error.is_connect() {
            let cause = innermost(error);
            if cause.contains("proxy authorization required") {
                return ApiError::new(ErrorKind::Settings, PROXY_SIGN_IN);
            }
            let message = if cause.contains("tunnel error: unsuccessful") {
                format!("The proxy does not let us through to {host}.")
            } else if error.is_dns() || cause.contains("lookup") {
                format!("The name {host} is not found.")
            } else if error.is_timeout() {
                format!("{host} does not take the connection in time.")
            } else if io_kind(error) == Some(std::io::ErrorKind::ConnectionRefused) {
                // Behind a proxy it would be the proxy who says so.
                match &self.proxy {
                    Some(_) => "Nothing listens at the address of the proxy.".to_owned(),
                    None => format!("Nothing listens at {}.", self.endpoint),
                }
            } else {
                match io_error(error) {
                    Some(error) if error.raw_os_error().is_some() => {
                        format!("No connection to {host}: {error}.")
                    }
                    Some(_) => {
                        format!("The line to {host} was closed while the connection was made.")
                    }
                    // Other libraries have words of their own for what went wrong.
                    None => format!("No connection to {host}."),
                }
            };
            return ApiError::new(ErrorKind::Connect, self.by_way_of(message));
        }
        if error.is_timeout() {
            return slow("The server did not answer in time.");
        }
        if error.is_builder() {
            return ApiError::new(ErrorKind::BadUrl, "The request can't be sent as it is.");
        }
        if innermost(error).contains("invalid HTTP version") {
            let other = if self.endpoint.is_plain_http() {
                "https"
            } else {
                "http"
            };
            return ApiError::new(
                ErrorKind::Malformed,
                format!(
                    "{host} does not speak HTTP at this port; perhaps the address begins with {other}://."
                ),
            );
        }
        ApiError::new(
            ErrorKind::Lost,
            format!("The line to {host} dropped before an answer came."),
        )
    }

    /// The message, and the proxy that may be what it is about.
    fn by_way_of(&self, message: String) -> String {
        match &self.proxy {
            Some(proxy) => format!("{message} The way there leads through the proxy {proxy}."),
            None => message,
        }
    }

    /// Adds what only the client knows: where a relative redirect leads.
    fn complete(&self, error: &mut ApiError) {
        if let ErrorKind::Redirect { to, .. } = &mut error.kind
            && (to.is_empty() || to.starts_with('/') && !to.starts_with("//"))
        {
            *to = format!("{}{to}", self.endpoint.origin());
        }
        if error.kind == ErrorKind::Unauthorized && error.message != NO_PASSWORDS {
            // The answer doesn't know what was sent; its own words are kept beside ours.
            let said = std::mem::replace(&mut error.message, self.refused.clone());
            if said != error.message && !error.details.contains(&said) {
                error.details.push(said);
            }
        }
    }

    /// A token that is not taken, or no longer, is answered as to nobody: 200, or 404 where nobody
    /// may look. Neither says what the signed-in user would see. `as_nobody` is the status of an
    /// answer whose `X-AUSERNAME` says so.
    fn signed_in(&self, outcome: &mut Result<Reply, ApiError>, as_nobody: Option<u16>) {
        if !self.signed_in {
            return;
        }
        let status = match (&*outcome, as_nobody) {
            (Ok(Reply::CurrentUser(user)), _) if user.username.is_none() => 200,
            (Ok(_), Some(status)) => status,
            (Err(error), Some(status)) => match error.kind {
                ErrorKind::NotFound | ErrorKind::Forbidden => status,
                ErrorKind::NoSuchOperation if status == 404 => status,
                _ => return,
            },
            (_, None) => return,
        };
        let error = ApiError::new(ErrorKind::Anonymous, &self.as_nobody);
        *outcome = Err(error.with_status(status));
    }

    /// Lets the budget know how it went.
    fn learn(
        &self,
        outcome: &Result<Reply, ApiError>,
        first_byte: Duration,
        rate: Option<RateHeaders>,
        attempt: u32,
        wait: Option<Duration>,
    ) {
        let now = self.now();
        let status = outcome.as_ref().err().and_then(|error| error.status);
        self.with_budget(|budget| match (outcome, status) {
            (
                Err(ApiError {
                    kind: ErrorKind::RateLimited { after_ms },
                    ..
                }),
                _,
            ) => {
                let wait = wait.unwrap_or_else(|| self.patience.limit_wait(*after_ms, attempt));
                budget.refused(now, wait);
            }
            (Err(_), Some(503)) => budget.overloaded(now),
            (Err(_), None) => {}
            (Ok(_) | Err(_), _) => budget.answered(now, first_byte, rate),
        });
    }
}

/// Asks for a part of a file, from what is there on. The file is no JSON, and is not to be packed.
fn asking_for_part(
    builder: reqwest::RequestBuilder,
    have: u64,
    resume: Option<&Resume>,
) -> reqwest::RequestBuilder {
    let builder = builder
        .header(ACCEPT, HeaderValue::from_static("*/*"))
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
        .header(RANGE, transfer::range(have));
    match resume.and_then(|resume| resume.tag.as_ref()) {
        Some(tag) if have > 0 => builder.header(IF_RANGE, tag),
        _ => builder,
    }
}

/// Sends a file as a form.
fn sending(
    builder: reqwest::RequestBuilder,
    form: &Form,
) -> Result<reqwest::RequestBuilder, ApiError> {
    let pieces = form.pieces();
    let pieces = pieces.map_err(|error| transfer::storage(&error, form.name()))?;
    Ok(builder
        .header(CONTENT_TYPE, form.content_type())
        .header(CONTENT_LENGTH, form.length())
        .body(reqwest::Body::wrap_stream(stream::iter(pieces))))
}

/// Waits for an answer for as long as `patience`; while a file is being sent, for as long after each
/// piece of it.
async fn answered<T>(
    sending: impl Future<Output = T>,
    patience: Duration,
    sent: Option<&AtomicU64>,
) -> Option<T> {
    tokio::pin!(sending);
    let mut before = 0;
    loop {
        if let Ok(answer) = timeout(patience, &mut sending).await {
            return Some(answer);
        }
        let now = sent.map_or(0, |sent| sent.load(Ordering::Relaxed));
        if now == before {
            return None;
        }
        before = now;
    }
}

/// A write that would have had to wait.
fn unsent(wait: Option<Duration>) -> ApiError {
    ApiError::new(
        ErrorKind::RateLimited {
            after_ms: wait.map(|wait| wait.as_millis() as u64),
        },
        "The server limits how often it may be asked; nothing was sent.",
    )
}

fn slow(message: &str) -> ApiError {
    ApiError::new(ErrorKind::Timeout, message)
}

/// The answer began and did not end.
fn cut(error: &reqwest::Error) -> ApiError {
    if error.is_timeout() {
        return slow("The answer stopped in the middle.");
    }
    ApiError::new(
        ErrorKind::Truncated,
        "The line dropped in the middle of the answer.",
    )
}

/// The time of the answer: RFC 9110 has it in the form of mails.
fn date_of(headers: &Headers) -> Option<Timestamp> {
    const PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    PARSER.parse_timestamp(headers.get("date")?).ok()
}

fn user_of(headers: &Headers) -> Option<String> {
    let name = headers.get("x-ausername")?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    (!name.is_empty() && name != "anonymous").then(|| scrub(&name).into_owned())
}

/// Whether the server says that it took us for nobody.
fn is_nobody(headers: &Headers) -> bool {
    headers
        .get("x-ausername")
        .is_some_and(|name| name.trim().eq_ignore_ascii_case("anonymous"))
}

/// The last cause: the one that says something.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    // The outermost text holds the address; the innermost never does.
    let text = if error.source().is_none() {
        String::new()
    } else {
        cause.to_string()
    };
    scrub(&text).chars().take(300).collect()
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    io_error(error).map(std::io::Error::kind)
}

/// The innermost failure of the system.
fn io_error(error: &reqwest::Error) -> Option<&std::io::Error> {
    let mut cause = error.source();
    let mut found = None;
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            found = Some(io);
        }
        cause = inner.source();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::LocalFile;

    fn base(text: &str) -> String {
        Endpoint::parse(text).expect("usable").as_str().to_owned()
    }

    fn refused(text: &str) -> ErrorKind {
        Endpoint::parse(text).expect_err("refused").kind
    }

    #[test]
    fn pasted_addresses_come_down_to_origin_and_context_path() {
        for (pasted, expected) in [
            ("https://wiki.example.org", "https://wiki.example.org"),
            (" https://wiki.example.org/ ", "https://wiki.example.org"),
            (
                "https://wiki.example.org/#all-updates",
                "https://wiki.example.org",
            ),
            (
                "https://wiki.example.org/display/ENG/Home?x=1",
                "https://wiki.example.org",
            ),
            (
                "https://example.org/confluence/",
                "https://example.org/confluence",
            ),
            (
                "https://example.org/confluence/display/X",
                "https://example.org/confluence",
            ),
            (
                "https://example.org/wiki/spaces/ENG/pages/1",
                "https://example.org/wiki",
            ),
            (
                "https://example.org/a/b/rest/api/space?limit=1",
                "https://example.org/a/b",
            ),
            (
                "https://example.org/c/pages/viewpage.action?pageId=1",
                "https://example.org/c",
            ),
            (
                "https://example.org/c/login.action#x",
                "https://example.org/c",
            ),
            (
                "http://localhost:8090/confluence",
                "http://localhost:8090/confluence",
            ),
            ("http://[::1]:8090/", "http://[::1]:8090"),
        ] {
            assert_eq!(base(pasted), expected, "{pasted}");
        }
    }

    #[test]
    fn unusable_addresses_are_refused() {
        assert_eq!(refused(""), ErrorKind::BadUrl);
        assert_eq!(refused("wiki.example.org"), ErrorKind::BadUrl);
        assert_eq!(refused("localhost:8090"), ErrorKind::BadUrl);
        assert_eq!(refused("ftp://example.org"), ErrorKind::BadUrl);
        assert_eq!(refused("file:///etc/passwd"), ErrorKind::BadUrl);
        assert_eq!(refused("https://me:secret@example.org"), ErrorKind::BadUrl);
        assert_eq!(
            refused("https://me.atlassian.net/wiki"),
            ErrorKind::CloudNotSupported
        );
        assert_eq!(
            refused("https://ME.Atlassian.NET./wiki"),
            ErrorKind::CloudNotSupported
        );
    }

    #[test]
    fn plain_http_goes_to_this_machine_alone_unless_allowed() {
        let client = |address: &str, allow_http: bool| {
            let endpoint = Endpoint::parse(address).expect("usable");
            Client::new(Settings {
                allow_http,
                ..Settings::new(endpoint, Credentials::Anonymous)
            })
        };
        assert!(client("http://127.0.0.1:1", false).is_ok());
        assert!(client("http://[::ffff:127.0.0.1]:1", false).is_ok());
        assert!(client("http://localhost:1", false).is_ok());
        assert!(client("http://localhost.example.org", false).is_err());
        assert!(client("http://example.org", false).is_err());
        assert!(client("http://example.org", true).is_ok());
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = Settings {
            proxy: Some(SecretString::from("http://me:hunter2@proxy:1")),
            ..Settings::new(
                Endpoint::parse("http://localhost").expect("usable"),
                Credentials::Basic {
                    user: "me".to_owned(),
                    password: SecretString::from("hunter2"),
                },
            )
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
        let header = settings
            .credentials
            .header()
            .expect("usable")
            .expect("some");
        assert!(!format!("{header:?}").contains("bWU6"));
    }

    #[test]
    fn no_path_leads_out_of_the_base() {
        let endpoint = Endpoint::parse("https://example.org/wiki").expect("usable");
        let url = |path: &str| {
            let call = Call::Download {
                path: path.to_owned(),
                into: LocalFile {
                    backup: "b".to_owned(),
                    name: "file-1".to_owned(),
                },
                size: None,
                job: String::new(),
                resume: None,
            };
            endpoint.url_of(&call.request()).map(|url| url.to_string())
        };
        assert_eq!(
            url("/download/attachments/1/a%20b.pdf?version=1&api=v2").expect("below"),
            "https://example.org/wiki/download/attachments/1/a%20b.pdf?version=1&api=v2"
        );
        for path in [
            "//evil.example/x",
            "https://evil.example/x",
            "@evil.example/x",
            ".evil.example/x",
            "/../../etc",
            "/a/%2e%2E/%2e%2e/x",
            "/a/..%2f..%2fx",
            "/a\\..\\..\\x",
            "/a/..",
            "",
        ] {
            assert!(url(path).is_err(), "{path}");
        }
    }
}
