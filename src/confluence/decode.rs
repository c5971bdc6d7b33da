//! From status, headers and body to a [`Reply`], or to an error that says what was received.
//! Pure, and the only reader of the JSON of the wire. Tolerant of what servers leave out or spell
//! otherwise; strict where an answer is no answer: a web page, a body cut short, a redirect.

use std::borrow::Cow;

use super::backup_restore;
use super::call::{Call, Reply};
use super::error::{
    ApiError, BAD_PASSWORD, BAD_TOKEN, ErrorKind, NO_PASSWORDS, NOWHERE, PROXY_SIGN_IN,
};
use super::headers::Headers;
use super::json::{not_what, parse};
use super::types::{AccessMode, Content, Cursor, CursorPage, Space, SpaceContent};
use super::wire::{
    ContentWire, ErrorWire, LongTaskWire, PageWire, PersonWire, ServerWire, SpaceContentWire,
    SpaceWire, TaskPointerWire, Word,
};
use crate::text::plain::scrub;

/// Longest wait that is taken from a `Retry-After`; `9223372036854775807` has been seen.
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1000;

impl Call {
    /// What the server answered to this call.
    pub fn decode(&self, status: u16, headers: &Headers, body: &[u8]) -> Result<Reply, ApiError> {
        if is_cloud(headers) {
            return Err(ApiError::new(
                ErrorKind::CloudNotSupported,
                "This is Confluence Cloud, which is not supported.",
            )
            .with_status(status));
        }
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if !(200..300).contains(&status) {
            return Err(self.refusal(status, headers, body).with_status(status));
        }
        self.success(headers, body)
            .map_err(|error| error.with_status(status))
    }

    fn success(&self, headers: &Headers, body: &[u8]) -> Result<Reply, ApiError> {
        // A file is on the disk before an answer is read: what comes here is none.
        if let Self::DownloadBackup { .. } | Self::Download { .. } = self {
            return Err(not_json(headers, body));
        }
        // Whatever it says, it says nothing about a write.
        if let Self::Probe { .. } = self {
            return Ok(Reply::Done);
        }
        let blank = body.iter().all(u8::is_ascii_whitespace);
        if blank && !self.is_read() {
            return Ok(Reply::Done);
        }
        self.json_only(headers, body)?;
        let error = match self.read(body) {
            Err(error) if error.kind == ErrorKind::Malformed => error,
            outcome => return outcome,
        };
        // Half an emoji or a stray byte in one title must not hide a page of five hundred; but a
        // body that had to be mended is not the body, and must never reach a backup.
        match mend(body).map(|mended| self.read(mended.as_bytes())) {
            Some(Ok(reply)) if !has_body(&reply) => Ok(reply),
            _ => Err(error),
        }
    }

    /// A body of JSON, as this call's answer.
    fn read(&self, body: &[u8]) -> Result<Reply, ApiError> {
        match self {
            Self::Spaces { expand, .. } => {
                let page: PageWire<Space> = parse(body)?;
                let mut page = page.page().ok_or_else(|| not_what("a list of spaces"))?;
                if expand.is_empty() {
                    // Some servers tell the rest all the same: half a kilobyte a row.
                    page.results.iter_mut().for_each(|space| space.more = None);
                }
                Ok(Reply::Spaces(page))
            }
            Self::Space { key, .. }
            | Self::CreateSpace { key, .. }
            | Self::UpdateSpace { key, .. } => {
                let space: SpaceWire = parse(body)?;
                let asked = if self.is_read() { None } else { Some(key) };
                space
                    .space(asked)
                    .map(|space| Reply::Space(Box::new(space)))
                    .ok_or_else(|| not_what("a space"))
            }
            Self::CreatePersonalSpace { .. } => {
                let space: SpaceWire = parse(body)?;
                space
                    .space(None)
                    .map(|space| Reply::Space(Box::new(space)))
                    .ok_or_else(|| not_what("a space"))
            }
            Self::DeleteSpace { .. } => {
                let pointer: TaskPointerWire = parse(body)?;
                pointer
                    .id()
                    .map(Reply::LongTaskStarted)
                    .ok_or_else(|| not_what("a long task"))
            }
            Self::SpaceContent { .. } => {
                let answer: SpaceContentWire = parse(body)?;
                answer
                    .answer()
                    .map(Reply::SpaceContent)
                    .ok_or_else(|| not_what("content"))
            }
            Self::SpaceContentOfKind { .. }
            | Self::ChildPages { .. }
            | Self::Attachments { .. }
            | Self::Comments { .. }
            | Self::TrashedContent { .. }
            | Self::ContentByTitle { .. } => {
                let page: PageWire<Content> = parse(body)?;
                page.page()
                    .map(Reply::Contents)
                    .ok_or_else(|| not_what("a list of content"))
            }
            Self::Trash { cursor, .. } => by_cursor(body, cursor.as_ref()).map(Reply::Trash),
            Self::Scan { cursor, .. } => by_cursor(body, cursor.as_ref()).map(Reply::Scan),
            Self::LongTask { id } => {
                let task: LongTaskWire = parse(body)?;
                Ok(Reply::LongTask(task.task(id)))
            }
            Self::Content { id, .. }
            | Self::RestoreContent { id, .. }
            | Self::MoveContent { id, .. }
            | Self::ReplaceBody { id, .. } => {
                let content: ContentWire = parse(body)?;
                let asked = if self.is_read() { None } else { Some(id) };
                content
                    .content(asked)
                    .map(|content| Reply::Content(Box::new(content)))
                    .ok_or_else(|| not_what("a content"))
            }
            Self::CreateContent { .. } | Self::CreateComment { .. } => {
                let content: ContentWire = parse(body)?;
                content
                    .content(None)
                    .map(|content| Reply::Content(Box::new(content)))
                    .ok_or_else(|| not_what("a content"))
            }
            Self::CurrentUser => {
                let person: PersonWire = parse(body)?;
                person
                    .current_user()
                    .map(Reply::CurrentUser)
                    .ok_or_else(|| not_what("a user"))
            }
            Self::ServerInfo | Self::Manifest => {
                let server: ServerWire = parse(body)?;
                if let Some(kind) = server.stranger() {
                    return Err(ApiError::new(
                        ErrorKind::NotConfluence,
                        format!("This is not Confluence: the server says that it is “{kind}”."),
                    ));
                }
                Ok(Reply::ServerInfo(server.info()))
            }
            Self::AccessMode => access_mode(body),
            Self::ArchiveSpace { .. }
            | Self::RestoreSpace { .. }
            | Self::PurgeTrash { .. }
            | Self::PurgeContent { .. }
            | Self::TrashContent { .. }
            | Self::SetRestrictions { .. }
            | Self::AddLabels { .. } => Ok(Reply::Done),
            Self::BackUpSpace { .. }
            | Self::BackupJob { .. }
            | Self::CancelBackupJob { .. }
            | Self::UploadBackup { .. } => {
                backup_restore::job(body).map(|job| Reply::BackupJob(Box::new(job)))
            }
            Self::BackupJobs { .. } => backup_restore::jobs(body).map(Reply::BackupJobs),
            Self::DownloadBackup { .. } | Self::Download { .. } => Err(not_what("a file")),
            Self::AttachFile { .. } => attached(body),
            Self::Probe { .. } => Ok(Reply::Done),
        }
    }

    /// What a status other than 2xx means for this call.
    fn refusal(&self, status: u16, headers: &Headers, body: &[u8]) -> ApiError {
        if (300..400).contains(&status) {
            return redirect(headers);
        }
        if status == 407 {
            return ApiError::new(ErrorKind::Settings, PROXY_SIGN_IN);
        }
        let json = looks_like_json(headers, body);
        let (said, details) = if json {
            parse::<ErrorWire>(body).map_or((None, Vec::new()), ErrorWire::said)
        } else {
            (None, Vec::new())
        };
        if let Some(lock) = captcha(status, headers) {
            return lock;
        }
        if wants_no_passwords(status, body) {
            return ApiError::new(ErrorKind::Unauthorized, NO_PASSWORDS).with_details(details);
        }
        if !json && let Some(error) = self.in_between(status, headers, body) {
            return error;
        }
        let fallback = || plain_status(status);
        let text = said.clone().unwrap_or_else(fallback);
        let kind = match status {
            400 => ErrorKind::Invalid,
            401 => {
                let text =
                    said.unwrap_or_else(|| if json { BAD_TOKEN } else { BAD_PASSWORD }.to_owned());
                return ApiError::new(ErrorKind::Unauthorized, text).with_details(details);
            }
            402 => ErrorKind::Licence,
            403 => ErrorKind::Forbidden,
            404 if json && !no_route(&text) => ErrorKind::NotFound,
            // A file is asked for by the server's own link.
            404 if matches!(self, Self::Download { .. }) => ErrorKind::NotFound,
            // A task that has expired may be answered with nothing at all.
            404 if matches!(self, Self::LongTask { .. }) && body.is_empty() => ErrorKind::NotFound,
            // A route that is not there is answered by the web server, not by the API.
            404 if self.is_everywhere() && !json => {
                return ApiError::new(
                    ErrorKind::NotConfluence,
                    "There is no REST API of Confluence at this address (404).",
                );
            }
            404 if self.is_everywhere() => ErrorKind::NotFound,
            404 => ErrorKind::NoSuchOperation,
            405 if contains(body, b"READ_ONLY") => {
                let text = details
                    .first()
                    .cloned()
                    .unwrap_or_else(|| "The site is in read-only mode.".to_owned());
                return ApiError::new(ErrorKind::ReadOnlySite, text).with_details(details);
            }
            405 => ErrorKind::NoSuchOperation,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::RateLimited {
                after_ms: retry_after(headers),
            },
            500 if self.is_taken_for_an_id(&text) => ErrorKind::NoSuchOperation,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Status,
        };
        let text = match kind {
            ErrorKind::NoSuchOperation => {
                format!("This server has no such operation ({status}).")
            }
            ErrorKind::RateLimited { .. } if headers.get("x-ratelimit-limit") == Some("0") => {
                "The server lets this account make no requests at all (rate limit 0).".to_owned()
            }
            // A fault of the server's is told as that: its own words may be the name of a class.
            ErrorKind::Server if said.is_some() && !text.contains(&status.to_string()) => {
                format!("The server answered with status {status}: {text}")
            }
            _ => text,
        };
        ApiError::new(kind, text).with_details(details)
    }

    /// A web page, or a bare line, where Confluence would refuse with JSON: what it is, with its
    /// status and title. `None` where the status alone tells whose it is and what it means.
    fn in_between(&self, status: u16, headers: &Headers, body: &[u8]) -> Option<ApiError> {
        // 401, 402, 407 and 429 are asked for by Confluence as well, with a page; a route that is
        // not there is answered by its web server; how far a 408 got is not known.
        let own = matches!(status, 401 | 402 | 404 | 407 | 408 | 429);
        if own || !(400..500).contains(&status) || contains(body, b"READ_ONLY") {
            return None;
        }
        let said = title(body).or_else(|| first_line(headers, body))?;
        // A method that Confluence's own web server does not take is an operation that is not there.
        if status == 405 && (matches!(self, Self::Probe { .. }) || said.starts_with("HTTP Status"))
        {
            return None;
        }
        Some(ApiError::new(
            ErrorKind::InBetween,
            format!(
                "Something between here and Confluence has refused this, with status {status} and “{said}”."
            ),
        ))
    }

    /// Whether an older server has taken the last part of the path for the id of an item, and says that
    /// it is none: it has no such operation, and asking again does not change that.
    fn is_taken_for_an_id(&self, said: &str) -> bool {
        matches!(self, Self::Scan { .. }) && said.ends_with("For input string: \"scan\"")
    }

    /// Whether every version of Confluence that we know of has the operation.
    fn is_everywhere(&self) -> bool {
        !matches!(
            self,
            Self::CreatePersonalSpace { .. }
                | Self::ArchiveSpace { .. }
                | Self::RestoreSpace { .. }
                | Self::Trash { .. }
                | Self::PurgeTrash { .. }
                | Self::SetRestrictions { .. }
                | Self::ServerInfo
                | Self::Manifest
                | Self::AccessMode
                | Self::Download { .. }
                | Self::Scan { .. }
                | Self::BackUpSpace { .. }
                | Self::BackupJobs { .. }
                | Self::BackupJob { .. }
                | Self::CancelBackupJob { .. }
                | Self::DownloadBackup { .. }
                | Self::UploadBackup { .. }
                | Self::Probe { .. }
        )
    }
}

/// A 3xx in words. It is never followed, whatever it points to.
fn redirect(headers: &Headers) -> ApiError {
    const SIGN_IN: [&str; 12] = [
        "login",
        "logon",
        "signin",
        "sign-in",
        "sign_in",
        "saml",
        "/sso",
        "oauth",
        "authorize",
        "adfs",
        "/cas/",
        "os_destination",
    ];
    let location = headers.get("location").unwrap_or_default().trim();
    let lower = location.to_ascii_lowercase();
    let login = SIGN_IN.iter().any(|word| lower.contains(word));
    // The answer to `{base}/rest/api/…` points to `{new base}/rest/api/…`: name the base.
    let to = match location.find("/rest/api/").or(location.find("/rest/")) {
        Some(at) if !login => &location[..at],
        _ => location.split(['?', '#']).next().unwrap_or_default(),
    };
    let to: String = scrub(without_user(to).as_ref()).chars().take(300).collect();
    let message = if location.is_empty() {
        NOWHERE.to_owned()
    } else if login {
        "The server wants a sign-in in a browser instead of answering.".to_owned()
    } else if to.is_empty() {
        "The server redirects to its own root.".to_owned()
    } else {
        format!("The server redirects to {to}; nothing was sent there.")
    };
    ApiError::new(ErrorKind::Redirect { to, login }, message)
}

/// The body with stray bytes and halves of surrogate pairs replaced; `None` if it has none.
fn mend(body: &[u8]) -> Option<String> {
    const HALF: &str = "\\ufffd";
    let text = String::from_utf8_lossy(body);
    let unit = |text: &str, at: usize| -> Option<u16> {
        let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(hex, 16).ok()
    };
    let mut mended = String::with_capacity(text.len());
    let mut changed = matches!(text, Cow::Owned(_));
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        at += found;
        match unit(&text, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(&text, at + 6), Some(0xDC00..=0xDFFF)) => {
                at += 12;
            }
            Some(0xD800..=0xDFFF) => {
                mended.push_str(&text[done..at]);
                mended.push_str(HALF);
                at += 6;
                done = at;
                changed = true;
            }
            Some(_) => at += 6,
            // An escape of one character, which may be another backslash.
            None => {
                at += 1;
                at += text[at..].chars().next().map_or(0, char::len_utf8);
            }
        }
    }
    mended.push_str(&text[done..]);
    changed.then_some(mended)
}

/// A page of a list that was read from this cursor on.
fn by_cursor(body: &[u8], cursor: Option<&Cursor>) -> Result<CursorPage<Content>, ApiError> {
    let page: PageWire<Content> = parse(body)?;
    let page = page
        .cursor_page()
        .ok_or_else(|| not_what("a list of content"))?;
    if page.next.is_some() && page.next.as_ref() == cursor {
        return Err(ApiError::new(
            ErrorKind::RepeatedCursor,
            "The server gave the same place in the list a second time.",
        ));
    }
    Ok(page)
}

/// Whether the reply carries a body that is kept to the byte.
fn has_body(reply: &Reply) -> bool {
    let with_body = |content: &Content| {
        content
            .more
            .as_ref()
            .is_some_and(|more| more.body_storage.is_some() || more.body_view.is_some())
    };
    match reply {
        Reply::Content(content) => with_body(content),
        Reply::Contents(page) | Reply::SpaceContent(SpaceContent::Flat(page)) => {
            page.results.iter().any(with_body)
        }
        Reply::SpaceContent(SpaceContent::ByType { page, blogpost }) => {
            page.results.iter().chain(&blogpost.results).any(with_body)
        }
        Reply::Trash(page) | Reply::Scan(page) => page.results.iter().any(with_body),
        Reply::Spaces(_)
        | Reply::Space(_)
        | Reply::LongTaskStarted(_)
        | Reply::Done
        | Reply::LongTask(_)
        | Reply::BackupJob(_)
        | Reply::BackupJobs(_)
        | Reply::Downloaded(_)
        | Reply::CurrentUser(_)
        | Reply::ServerInfo(_)
        | Reply::AccessMode(_) => false,
    }
}

fn content_type(headers: &Headers) -> &str {
    headers
        .get("content-type")
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
}

fn looks_like_json(headers: &Headers, body: &[u8]) -> bool {
    let kind = content_type(headers).to_ascii_lowercase();
    if kind.is_empty() {
        return matches!(body.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'));
    }
    kind.ends_with("json")
}

impl Call {
    fn json_only(&self, headers: &Headers, body: &[u8]) -> Result<(), ApiError> {
        let bare_word = matches!(self, Self::AccessMode) && content_type(headers) == "text/plain";
        if looks_like_json(headers, body) || bare_word {
            return Ok(());
        }
        Err(not_json(headers, body))
    }
}

fn not_json(headers: &Headers, body: &[u8]) -> ApiError {
    let content_type: String = scrub(content_type(headers)).chars().take(80).collect();
    let message = match (content_type.as_str(), title(body)) {
        (_, Some(title)) => {
            format!("The server answered with a web page, “{title}”, instead of data.")
        }
        ("text/html" | "application/xhtml+xml", None) => {
            "The server answered with a web page instead of data.".to_owned()
        }
        ("", None) if body.is_empty() => "The server answered with nothing.".to_owned(),
        ("", None) => "The server answered with something other than data.".to_owned(),
        (kind, None) => format!("The server answered with {kind} instead of data."),
    };
    ApiError::new(ErrorKind::NotJson { content_type }, message)
}

/// The title of a web page.
fn title(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    let lower = head.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let from = open + lower[open..].find('>')? + 1;
    let to = from + lower[from..].find("</title")?;
    let title = short(&scrub(head[from..to].trim()));
    (!title.is_empty()).then_some(title)
}

/// The first line of a refusal that is no data: of a text, or of what a web page without a title
/// shows.
fn first_line(headers: &Headers, body: &[u8]) -> Option<String> {
    if !content_type(headers)
        .to_ascii_lowercase()
        .starts_with("text/")
    {
        return None;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    let mut shown = String::new();
    for (at, part) in head.split('<').enumerate() {
        shown.push_str(match (at, part.split_once('>')) {
            (0, _) => part,
            (_, Some((_, text))) => text,
            (_, None) => "",
        });
        shown.push('\n');
    }
    let line = shown.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = short(&scrub(line));
    (!line.is_empty()).then_some(line)
}

/// The first 80 characters, with a sign where there are more.
fn short(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// Whether a refusal says that passwords are switched off: with 403, or 401, in data or on a page.
fn wants_no_passwords(status: u16, body: &[u8]) -> bool {
    if !matches!(status, 401 | 403) {
        return false;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]).to_ascii_lowercase();
    head.contains("basic auth") && head.contains("disabled")
}

/// The one file that was attached, of a list of those.
fn attached(body: &[u8]) -> Result<Reply, ApiError> {
    let page: PageWire<Content> = parse(body)?;
    let made = page.page().and_then(|page| page.results.into_iter().next());
    made.map(|made| Reply::Content(Box::new(made)))
        .ok_or_else(|| not_what("an attached file"))
}

fn access_mode(body: &[u8]) -> Result<Reply, ApiError> {
    let word = parse::<Word>(body)
        .ok()
        .and_then(|word| word.0)
        .unwrap_or_else(|| String::from_utf8_lossy(body).trim().to_owned());
    match word.to_ascii_uppercase().as_str() {
        "READ_WRITE" => Ok(Reply::AccessMode(AccessMode::ReadWrite)),
        "READ_ONLY" => Ok(Reply::AccessMode(AccessMode::ReadOnly)),
        _ => Err(not_what("an access mode")),
    }
}

/// Cloud says so in its headers, also under a name of one's own.
fn is_cloud(headers: &Headers) -> bool {
    headers
        .get("server")
        .is_some_and(|server| server.to_ascii_lowercase().starts_with("atlassian"))
}

fn captcha(status: u16, headers: &Headers) -> Option<ApiError> {
    if !matches!(status, 401 | 403) {
        return None;
    }
    let reason = headers.get("x-authentication-denied-reason");
    let denied = headers
        .get("x-seraph-loginreason")
        .is_some_and(|reason| reason.contains("AUTHENTICATION_DENIED"));
    if !denied && !reason.is_some_and(|reason| reason.contains("CAPTCHA")) {
        return None;
    }
    let login_url = reason
        .and_then(|reason| reason.split_once("login-url="))
        .map(|(_, url)| url.split([';', ' ']).next().unwrap_or_default())
        .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
        .map(|url| {
            scrub(without_user(url).as_ref())
                .chars()
                .take(300)
                .collect()
        });
    Some(ApiError::new(
        ErrorKind::CaptchaLock { login_url },
        "The account is locked behind a CAPTCHA after failed sign-ins.",
    ))
}

/// An address without a user name or password in it.
fn without_user(address: &str) -> Cow<'_, str> {
    if let Some((scheme, rest)) = address.split_once("://") {
        let end = rest.find('/').unwrap_or(rest.len());
        if let Some(at) = rest[..end].rfind('@') {
            return Cow::Owned(format!("{scheme}://{}", &rest[at + 1..]));
        }
    }
    Cow::Borrowed(address)
}

/// `Retry-After` in seconds or as a date (then `Date` says what time it is there), else the
/// interval of the rate limit. Clamped to an hour.
fn retry_after(headers: &Headers) -> Option<u64> {
    let date = |text: &str| {
        jiff::fmt::rfc2822::parse(text)
            .ok()
            .map(|at| at.timestamp().as_millisecond())
    };
    let value = headers.get("retry-after").map(str::trim);
    let asked = value.and_then(|value| {
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
            // More digits than fit: the longest wait.
            let seconds = value.parse::<u64>().unwrap_or(u64::MAX);
            return Some(seconds.saturating_mul(1000));
        }
        let until = date(value)?;
        let now = date(headers.get("date")?)?;
        Some(u64::try_from(until.saturating_sub(now)).unwrap_or(0))
    });
    asked
        .or_else(|| {
            let seconds: u64 = headers
                .get("x-ratelimit-interval-seconds")?
                .trim()
                .parse()
                .ok()?;
            Some(seconds.saturating_mul(1000))
        })
        .map(|ms| ms.min(LONGEST_WAIT_MS))
}

/// Jersey's own words for a path that nothing answers.
fn no_route(text: &str) -> bool {
    text.starts_with("null for uri") || text.starts_with("HTTP 404")
}

fn contains(body: &[u8], needle: &[u8]) -> bool {
    body.windows(needle.len()).any(|part| part == needle)
}

fn plain_status(status: u16) -> String {
    let words = match status {
        400 => "Bad Request",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return format!("The server answered with status {status}."),
    };
    format!("The server answered {status} ({words}).")
}
