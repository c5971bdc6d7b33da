//! The routes: one function for each operation, grouped as the API is.
//!
//! A handler takes the lock of the database once, reads or writes, and answers from memory. What
//! a server refuses is a [`Failure`], worded as Confluence words it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::behaviour::ListOf;
use super::json::{Expand, Shape};
use super::serve::{Generation, Site};
use super::store::{Access, ContentRow, Filter, Kind, Rows, SpaceRow, Store};

mod backups;
mod content;
mod named;
mod people;
mod ranged;
mod space;
mod space_parts;
mod system;

pub(super) use backups::{Files, Outcome, forget_interrupted};

/// The routes below the context path.
pub(super) fn router(site: Arc<Site>) -> Router {
    let ten = site.generation == Generation::Ten;
    let archives = site.generation != Generation::Seven;
    let mut router = Router::new()
        .route("/rest/api/space", get(space::list).post(space::create))
        .route("/rest/api/space/_private", post(space::create_private))
        .route(
            "/rest/api/space/{key}",
            get(space::one).put(space::update).delete(space::delete),
        )
        .route("/rest/api/space/{key}/content", get(space::content))
        .route(
            "/rest/api/space/{key}/content/{kind}",
            get(space::content_of_kind),
        );
    if ten {
        router = router
            .route("/rest/api/space/personal", post(space::create_personal))
            .route(
                "/rest/api/space/{key}/trash",
                get(space::trash).delete(space::purge),
            )
            .route(
                "/rest/api/space/{key}/permissions",
                get(space_parts::permissions),
            )
            .route(
                "/rest/api/space/{key}/category/{name}",
                post(space_parts::add_category).delete(space_parts::remove_category),
            )
            .route("/rest/api/space/{key}/labels", get(space_parts::labels));
    }
    if archives {
        router = router
            .route("/rest/api/space/{key}/archive", put(space::archive))
            .route("/rest/api/space/{key}/restore", put(space::restore))
            .route(
                "/rest/api/server-information",
                get(system::server_information),
            )
            .route("/rest/api/content/scan", get(content::scan))
            .route("/rest/api/user/list", get(people::list))
            .merge(backup_restore());
    }
    router
        .route(
            "/rest/api/content",
            get(content::list).post(content::create),
        )
        .route("/rest/api/content/search", get(content::search))
        .route("/rest/api/search", get(content::search_all))
        .route(
            "/rest/api/content/{id}",
            get(content::one)
                .put(content::update)
                .delete(content::delete),
        )
        .route(
            "/rest/api/content/{id}/child/{kind}",
            get(content::children)
                .post(content::attach)
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/rest/api/content/{id}/version", get(content::versions))
        .route(
            "/rest/experimental/content/{id}/version",
            get(content::versions),
        )
        .route(
            "/rest/api/content/{id}/label",
            get(content::labels).post(content::add_labels),
        )
        .route("/rest/api/content/{id}/restriction", put(content::restrict))
        .route(
            "/rest/experimental/content/{id}/restriction",
            put(content::restrict),
        )
        .route(
            "/rest/api/content/{id}/restriction/byOperation",
            get(content::restrictions),
        )
        .merge(named_elsewhere())
        .route("/download/attachments/{id}/{name}", get(content::download))
        .route("/rest/api/longtask/{id}", get(system::long_task))
        .route(
            "/rest/api/longtask/{id}/{part}",
            get(system::part_of_long_task),
        )
        .route("/rest/api/space/{key}/label", get(space_parts::labels))
        .route("/rest/api/user", get(people::one))
        .route("/rest/api/user/current", get(system::current_user))
        .route("/rest/api/group/{name}", get(people::group))
        .route("/rest/api/group/{name}/member", get(people::members))
        .route("/rest/api/accessmode", get(system::access_mode))
        .route("/rest/applinks/1.0/manifest", get(system::manifest))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(site)
}

/// What other answers name.
fn named_elsewhere() -> Router<Arc<Site>> {
    Router::new()
        .route("/rest/api/content/{id}/history", get(named::history))
        .route("/rest/api/content/{id}/child", get(named::children))
        .route("/rest/api/content/{id}/descendant", get(named::descendants))
        .route(
            "/rest/api/content/{id}/descendant/{kind}",
            get(named::descendants_of_kind),
        )
        .route(
            "/rest/api/content/{id}/restriction/byOperation/{operation}",
            get(named::restriction),
        )
        .route("/display/{key}", get(named::space))
        .route("/display/{key}/{title}", get(named::titled))
        .route("/pages/viewpage.action", get(named::by_id))
        .route("/pages/viewpageattachments.action", get(named::by_id))
        .route("/x/{id}", get(named::short))
        .route("/images/{*rest}", get(named::picture))
}

/// The server's own backups of spaces.
fn backup_restore() -> Router<Arc<Site>> {
    Router::new()
        .route(
            "/rest/api/backup-restore/backup/space",
            post(backups::back_up),
        )
        .route("/rest/api/backup-restore/jobs", get(backups::list))
        .route("/rest/api/backup-restore/jobs/{id}", get(backups::one))
        .route(
            "/rest/api/backup-restore/jobs/{id}/cancel",
            put(backups::cancel),
        )
        .route(
            "/rest/api/backup-restore/jobs/{id}/download",
            get(backups::download),
        )
        .route(
            "/rest/api/backup-restore/restore/space/upload",
            post(backups::upload).layer(DefaultBodyLimit::disable()),
        )
}

/// The answer of a handler.
type Answer = Result<Response, Failure>;

/// What a `GET` of a space or content answers, whatever its status: the old values, where a write
/// is to be passed over. `None` for any other path.
pub(super) async fn as_it_is(site: Arc<Site>, path: &str) -> Option<Response> {
    let mut segments = path.rsplit('/');
    let (last, kind) = (segments.next()?, segments.next()?);
    let id = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    let id = Path(id.into_owned());
    let answer = match kind {
        "space" => {
            let expand = ("expand".to_owned(), "description.plain,homepage".to_owned());
            space::one(State(site), id, Query(vec![expand])).await
        }
        "content" => {
            let status = ("status".to_owned(), "any".to_owned());
            content::one(State(site), id, Query(vec![status])).await
        }
        _ => return None,
    };
    Some(answer.into_response())
}

/// A path that no operation has: the HTML page that real servers give.
pub(super) async fn not_found() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Page Not Found - Confluence</title></head>\
                <body><h1>Page Not Found</h1></body></html>\n";
    let html = HeaderValue::from_static("text/html;charset=UTF-8");
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, html)], page).into_response()
}

async fn method_not_allowed() -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "HTTP 405 Method Not Allowed",
    )
}

/// What the server refuses.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    /// For `data.errors`.
    details: Vec<String>,
    reason: Option<&'static str>,
    authorized: bool,
    allowed_in_read_only_mode: bool,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
            reason: None,
            authorized: status != StatusCode::FORBIDDEN,
            allowed_in_read_only_mode: true,
        }
    }

    fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A refusal of a form, with a message for each problem.
    fn invalid(details: Vec<String>) -> Self {
        Self {
            details,
            ..Self::bad(
                "com.atlassian.confluence.api.service.exceptions.BadRequestException: \
                 The request is not valid",
            )
        }
    }

    pub(super) fn read_only() -> Self {
        Self {
            reason: Some("READ_ONLY"),
            allowed_in_read_only_mode: false,
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "The site is in read-only mode: READ_ONLY",
            )
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let errors: Vec<_> = self
            .details
            .iter()
            .map(|text| json!({"message": {"key": text, "args": [], "translation": text}}))
            .collect();
        let reason = self
            .reason
            .unwrap_or(self.status.canonical_reason().unwrap_or("Error"));
        let body = json!({
            "statusCode": self.status.as_u16(),
            "data": {
                "authorized": self.authorized,
                "valid": self.details.is_empty() && self.status != StatusCode::BAD_REQUEST,
                "allowedInReadOnlyMode": self.allowed_in_read_only_mode,
                "errors": errors,
                "successful": false,
            },
            "message": self.message,
            "reason": reason,
        });
        (self.status, axum::Json(body)).into_response()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a handler ends")]
fn ok(value: Value) -> Answer {
    Ok(axum::Json(value).into_response())
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a handler ends")]
fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The query of a request.
struct Query(Vec<(String, String)>);

impl Query {
    fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of several names; a value may be a list joined by commas.
    fn listed(&self, names: &[&str]) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(found, _)| names.contains(&found.as_str()))
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
            .collect()
    }

    fn number(&self, name: &str, default: u64) -> Result<u64, Failure> {
        match self.first(name) {
            None | Some("") => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Failure::bad(format!("{name} must be a number, not {text}"))),
        }
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.first(name) {
            None | Some("") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => Err(Failure::bad(format!(
                "{name} must be true or false, not {text}"
            ))),
        }
    }

    fn expand(&self) -> Expand {
        Expand::parse(
            self.0
                .iter()
                .filter(|(found, _)| found == "expand")
                .map(|(_, value)| value.as_str()),
        )
    }
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Failure> {
        axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(pairs)| Self(pairs))
            .map_err(|_| Failure::bad("The query is malformed"))
    }
}

/// The body of a request as JSON, whatever its `Content-Type`; an empty one is `{}`.
struct Sent(Value);

impl<S: Send + Sync> axum::extract::FromRequest<S> for Sent {
    type Rejection = Failure;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Failure> {
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|_| Failure::bad("The body could not be read"))?;
        if bytes.is_empty() {
            return Ok(Self(json!({})));
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|error| Failure::bad(format!("Could not parse JSON: {error}")))
    }
}

/// Content caps: 500, 200 with any expand, 100 with bodies.
fn content_cap(expand: &Expand) -> u64 {
    if expand.has("body") {
        100
    } else if expand.is_empty() {
        500
    } else {
        200
    }
}

/// The rows that a list tells in place of `rows`, the first of which stands at `first`: the same, but
/// for a list that lies.
fn told(
    db: &Connection,
    shape: &Shape<'_>,
    list: ListOf,
    (filter, order): (&Filter, &str),
    first: u64,
    rows: Vec<ContentRow>,
) -> rusqlite::Result<Vec<ContentRow>> {
    if shape.behaviour.lies.iter().all(|lie| lie.list != list) {
        return Ok(rows);
    }
    let mut told = Vec::with_capacity(rows.len());
    for (place, row) in (first..).zip(rows) {
        let at = shape.behaviour.told_at(list, place);
        let again = if at == place {
            None
        } else {
            let rows = Rows {
                offset: at,
                count: 1,
            };
            db.contents(filter, order, rows)?.pop()
        };
        told.push(again.unwrap_or(row));
    }
    Ok(told)
}

/// Reads under the lock with the shape of this server.
fn with<T>(
    site: &Site,
    act: impl FnOnce(&Connection, &Shape<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let behaviour = site.behaviour();
    let db = site.db();
    let shape = Shape::new(
        &db,
        site.generation,
        site.real,
        &site.base,
        &site.context,
        &behaviour,
    );
    act(&db, &shape)
}

/// Writes under the lock, all or nothing.
fn write<T>(
    site: &Site,
    act: impl FnOnce(&Connection, &Shape<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with(site, |db, shape| {
        let tx = db.unchecked_transaction()?;
        let done = act(db, shape)?;
        tx.commit()?;
        Ok(done)
    })
}

/// What a request needs in a space.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Read,
    Administer,
}

fn no_space(key: &str) -> Failure {
    Failure::missing(format!("No space with key : {key}"))
}

/// The space of a key, if the one user may do this there. A hidden space is as good as none.
fn space_for(db: &Connection, key: &str, need: Need) -> Result<SpaceRow, Failure> {
    let row = db.space(key)?.ok_or_else(|| no_space(key))?;
    match (row.access, need) {
        (Access::Hidden, _) => Err(no_space(key)),
        (Access::NotAdmin, Need::Administer) => Err(Failure::forbidden(format!(
            "User is not permitted to administer space : {key}"
        ))),
        (Access::Admin, _) | (Access::NotAdmin, Need::Read) => Ok(row),
    }
}

/// The pages, blog posts and whatever else a trash can hold.
const EVERY_KIND: [Kind; 4] = [Kind::Page, Kind::BlogPost, Kind::Comment, Kind::Attachment];

/// Milliseconds since 1970, now.
fn now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server stamps what is written to it"
    )]
    let now = jiff::Timestamp::now();
    now.as_millisecond()
}
