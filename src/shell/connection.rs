//! How the server is reached: a profile becomes a client once something is to be sent.
//!
//! The secret is fetched at the first request, behind the loop, and once for all requests.

use std::io;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, OnceLock, PoisonError};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::sync::{OnceCell, oneshot};

use super::disk::Disk;
use super::download::Moves;
use super::event::{Borrower, Event};
use super::progress::Tell;
use crate::app::message::Ticket;
use crate::config::{Auth, Profile, file};
use crate::confluence::Endpoint;
use crate::confluence::client::{Access, Client, Credentials, Retry, Settings};
use crate::confluence::{ApiError, Call, ErrorKind, Reply};
use crate::demo;
use crate::report::scrub;
use crate::secret::{self, RunCommand, Running, SecretError, SecretSource};

/// What a run is connected to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server and how to reach it.
    pub profile: Profile,
    /// Whether writes may leave at all.
    pub access: Access,
    /// What to sign in with, where it was fetched before there was a screen; `None`: it is fetched
    /// once something is to be sent.
    pub credentials: Option<Result<Credentials, SecretError>>,
}

impl Target {
    /// Has a command that gives the secret run now, while the terminal is as it was: it may ask
    /// something. Everything else needs no terminal and can wait.
    pub fn ask_before_the_screen(&mut self) {
        let (Auth::Token(source)
        | Auth::Basic {
            password: source, ..
        }) = &self.profile.auth
        else {
            return;
        };
        if !matches!(source, SecretSource::Command(_)) {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        // Where there is no runtime now, there will be an error when one is needed.
        if let Ok(runtime) = runtime {
            let asked = credentials(&self.profile.auth, &secret::run_on_terminal);
            self.credentials = Some(runtime.block_on(asked));
        }
    }
}

/// Runs a command that prints a secret.
pub type Runner = Box<dyn Fn(Vec<String>) -> Running + Send + Sync>;

/// Has commands run by the loop, which lends them the terminal.
pub fn by_the_loop(events: Sender<Event>) -> Runner {
    Box::new(move |words| {
        let program = scrub(words.first().map_or("", String::as_str));
        let (tell, told) = oneshot::channel();
        let asked = events.send(Event::Lend(Borrower {
            words,
            secret: tell,
        }));
        Box::pin(async move {
            match (asked, told.await) {
                (Ok(()), Ok(secret)) => secret,
                _ => Err(SecretError::NotRun(program)),
            }
        })
    })
}

/// The way to the server.
pub struct Line {
    run: Runner,
    target: Mutex<Option<Target>>,
    client: OnceCell<Result<Client, ApiError>>,
    demo: OnceLock<demo::Server>,
    files: Moves,
    /// For whom the server took us in the last answer that said so.
    user: Mutex<Option<String>>,
}

impl Line {
    /// The way to this server; `None` until the embedded one runs. Files of backups come from and go to
    /// where this disk has them.
    pub fn to(target: Option<Target>, disk: &Disk, run: Runner) -> Self {
        Self {
            run,
            target: Mutex::new(target),
            client: OnceCell::new(),
            demo: OnceLock::new(),
            files: Moves::of(disk.backups()),
            user: Mutex::new(None),
        }
    }

    /// Starts the embedded server and connects to it. Says where it is, or why it is not.
    pub fn start_demo(&self) -> Result<String, String> {
        let failed = |error: &dyn std::error::Error| {
            format!("The embedded server could not be started: {error}.")
        };
        let options = demo::Options {
            port: 0,
            ..demo::Options::default()
        };
        let server = demo::Server::start(options).map_err(|error| failed(&error))?;
        let base_url = server.base_url().to_owned();
        let endpoint = Endpoint::parse(&base_url).map_err(|error| failed(&error))?;
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(Target {
            profile: Profile::new(endpoint),
            access: Access::ReadWrite,
            credentials: None,
        });
        // A second demo is not started: the core asks once.
        let _ = self.demo.set(server);
        Ok(base_url)
    }

    /// Lets writes out from now on.
    pub fn allow_writes(&self) {
        let mut target = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = &mut *target {
            target.access = Access::ReadWrite;
        }
        if let Some(Ok(client)) = self.client.get() {
            client.allow_writes();
        }
    }

    /// Whom the server took us for, if it is somebody else than in the answer before.
    fn another(&self, user: Option<String>) -> Option<String> {
        let mut before = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = user.is_some() && *before != user;
        is_news.then(|| before.clone_from(&user));
        user.filter(|_| is_news)
    }

    /// Sends a call. Says what became of it, how many milliseconds the last attempt took, and for whom the
    /// server took us where that is another than before.
    pub async fn ask(
        &self,
        ticket: Ticket,
        call: &Call,
        retrying: impl Fn(Retry) + Send,
        moved: Tell,
    ) -> (Result<Reply, ApiError>, u64, Option<String>) {
        let client = match self.client.get_or_init(|| self.connect()).await {
            Ok(client) => client,
            Err(error) => return (Err(error.clone()), 0, None),
        };
        let answer = self.files.send_telling(client, call, retrying, moved).await;
        let request = call.request();
        let took_ms = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
        match &answer.outcome {
            Ok(_) => tracing::info!(
                ticket = ticket.0,
                method = request.method.as_str(),
                path = request.path,
                status = answer.status,
                ms = took_ms,
                "answered"
            ),
            Err(error) => tracing::warn!(
                ticket = ticket.0,
                method = request.method.as_str(),
                path = request.path,
                status = answer.status,
                ms = took_ms,
                "{}",
                logged(error)
            ),
        }
        (answer.outcome, took_ms, self.another(answer.user))
    }

    async fn connect(&self) -> Result<Client, ApiError> {
        let target = self
            .target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(Target {
            profile,
            access,
            credentials: fetched,
        }) = target
        else {
            return Err(ApiError::new(
                ErrorKind::Settings,
                "There is no server to send this to.",
            ));
        };
        let credentials = match fetched {
            Some(fetched) => fetched,
            None => credentials(&profile.auth, &*self.run).await,
        }
        .map_err(no_secret)?;
        let mut settings = settings(&profile, credentials).await?;
        settings.access = access;
        let client = Client::new(settings)?;
        // It may have been opened for writing while the secret was fetched.
        let now = self.target.lock().unwrap_or_else(PoisonError::into_inner);
        if now
            .as_ref()
            .is_some_and(|target| target.access == Access::ReadWrite)
        {
            client.allow_writes();
        }
        Ok(client)
    }
}

/// What the log says of a failure. The words of an answer, and what stood in its headers, are for
/// the screen, and for those who ask for more than usual.
fn logged(error: &ApiError) -> String {
    if error.status.is_none() {
        return error.message.clone();
    }
    let kind = format!("{:?}", error.kind);
    let end = kind.find(|c: char| !c.is_alphanumeric());
    kind[..end.unwrap_or(kind.len())].to_owned()
}

/// Fetches the secret of a profile.
pub async fn credentials(auth: &Auth, run: RunCommand<'_>) -> Result<Credentials, SecretError> {
    Ok(match auth {
        Auth::Anonymous => Credentials::Anonymous,
        Auth::Token(source) => Credentials::Bearer(source.token(run).await?),
        Auth::Basic { user, password } => Credentials::Basic {
            user: user.clone(),
            password: password.password(run).await?,
        },
    })
}

/// What a client of this profile needs to know; reads its certificates.
pub async fn settings(profile: &Profile, credentials: Credentials) -> Result<Settings, ApiError> {
    let mut settings = Settings::new(profile.url.clone(), credentials);
    if let Auth::Token(SecretSource::Env(variable)) = &profile.auth {
        settings.token_variable = Some(scrub(variable.name()));
    }
    settings.read_timeout = profile.timeout;
    settings.concurrency = profile.concurrency.into();
    settings.allow_http = profile.allow_http;
    settings.insecure = profile.insecure;
    settings.proxy.clone_from(&profile.proxy);
    settings.no_proxy = match profile.no_proxy.as_slice() {
        [] => None,
        hosts => Some(hosts.join(",")),
    };
    if let Some(path) = &profile.ca_file {
        settings.ca_pem = Some(read(path).await?.to_vec());
    }
    if let Some(ours) = &profile.client_certificate {
        let mut pem = read(&ours.certificate).await?;
        if let Some(key) = &ours.key {
            pem.push(b'\n');
            pem.extend_from_slice(&read(key).await?);
        }
        let text = std::str::from_utf8(&pem).map_err(|_| not_pem(&ours.certificate, &pem))?;
        settings.identity_pem = Some(SecretString::from(text));
    }
    Ok(settings)
}

fn no_secret(error: SecretError) -> ApiError {
    ApiError::new(
        ErrorKind::Settings,
        format!("There is no token or password: {error}. {}", error.hint()),
    )
}

/// A certificate of ours that is no text. PKCS#12 is told apart: it is what browsers export.
fn not_pem(path: &Path, bytes: &[u8]) -> ApiError {
    let path = scrub(&path.to_string_lossy());
    // The outermost sequence of DER; in PKCS#12 the version 3 follows it.
    let is_der = bytes.starts_with(&[0x30]);
    let is_pkcs12 = is_der && bytes.windows(3).take(6).any(|at| at == [2, 1, 3]);
    ApiError::new(
        ErrorKind::Settings,
        if is_pkcs12 {
            format!(
                "{path} is PKCS#12, which is not read: write it as PEM with openssl pkcs12 -nodes -in {path} -out client.pem, mode 0600."
            )
        } else if is_der {
            format!("{path} is DER: write it as PEM with openssl x509 -inform der -in {path}.")
        } else {
            format!("{path} is not PEM.")
        },
    )
}

async fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let there = path.to_owned();
    let bytes = tokio::task::spawn_blocking(move || file::bytes(&there))
        .await
        .unwrap_or_else(|lost| Err(io::Error::other(lost)));
    match bytes {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) => Err(ApiError::new(
            ErrorKind::Settings,
            format!(
                "{} could not be read: {error}.",
                scrub(&path.to_string_lossy())
            ),
        )),
    }
}
