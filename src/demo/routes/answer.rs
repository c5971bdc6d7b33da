//! What the routes have in common: how a request is read, what is refused and how, and the lock of the data.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::demo::behaviour::ListOf;
use crate::demo::json::{Expand, Shape};
use crate::demo::site::Site;
use crate::demo::store::{Access, ContentRow, Filter, Kind, Rows, SpaceRow, Store};

/// The answer of a handler.
pub(super) type Answer = Result<Response, Failure>;

/// What the server refuses.
#[derive(Debug)]
pub(in crate::demo) struct Failure {
    status: StatusCode,
    message: String,
    /// For `data.errors`.
    details: Vec<String>,
    reason: Option<&'static str>,
    authorized: bool,
    allowed_in_read_only_mode: bool,
}

impl Failure {
    pub(in crate::demo) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
            reason: None,
            authorized: status != StatusCode::FORBIDDEN,
            allowed_in_read_only_mode: true,
        }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// A refusal of a form, with a message for each problem.
    pub(super) fn invalid(details: Vec<String>) -> Self {
        Self {
            details,
            ..Self::bad(
                "com.atlassian.confluence.api.service.exceptions.BadRequestException: \
                 The request is not valid",
            )
        }
    }

    pub(in crate::demo) fn read_only() -> Self {
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
pub(super) fn ok(value: Value) -> Answer {
    Ok(axum::Json(value).into_response())
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a handler ends")]
pub(super) fn no_content() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The query of a request.
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of several names; a value may be a list joined by commas.
    pub(super) fn listed(&self, names: &[&str]) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(found, _)| names.contains(&found.as_str()))
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
            .collect()
    }

    pub(super) fn number(&self, name: &str, default: u64) -> Result<u64, Failure> {
        match self.first(name) {
            None | Some("") => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Failure::bad(format!("{name} must be a number, not {text}"))),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.first(name) {
            None | Some("") => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => Err(Failure::bad(format!(
                "{name} must be true or false, not {text}"
            ))),
        }
    }

    pub(super) fn expand(&self) -> Expand {
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
pub(super) struct Sent(pub(super) Value);

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
pub(super) fn content_cap(expand: &Expand) -> u64 {
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
pub(super) fn told(
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
pub(super) fn with<T>(
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
pub(super) fn write<T>(
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
pub(super) enum Need {
    Read,
    Administer,
}

pub(super) fn no_space(key: &str) -> Failure {
    Failure::missing(format!("No space with key : {key}"))
}

/// The space of a key, if the one user may do this there. A hidden space is as good as none.
pub(super) fn space_for(db: &Connection, key: &str, need: Need) -> Result<SpaceRow, Failure> {
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
pub(super) const EVERY_KIND: [Kind; 4] =
    [Kind::Page, Kind::BlogPost, Kind::Comment, Kind::Attachment];

/// Milliseconds since 1970, now.
pub(super) fn now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a server stamps what is written to it"
    )]
    let now = jiff::Timestamp::now();
    now.as_millisecond()
}
