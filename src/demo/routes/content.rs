//! Pages, blog posts, comments and attachments: the neighbours of the thirteen operations.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::answer::{
    Answer, Failure, Need, Query, Sent, content_cap, no_content, now, ok, space_for, told, with,
    write,
};
use super::ranged::Ranged;
use crate::demo::behaviour::ListOf;
use crate::demo::file_bytes;
use crate::demo::json::{Expand, Shape, Slice, children_of, comments_of, id_of_user_key};
use crate::demo::percent::encoded;
use crate::demo::permissions::ONE_USER;
use crate::demo::site::Site;
use crate::demo::store::{Access, ContentRow, Filter, Kind, Rows, Status, Store};

/// What an answer to a single content, or to a write, is expanded by when nothing is asked for.
fn usual() -> Expand {
    Expand::parse(["history,space,version"].into_iter())
}

/// What an answer to a write shows.
fn written() -> Expand {
    Expand::parse(["history,space,version,ancestors,body.storage,container"].into_iter())
}

/// An id of the wire: digits, or `att` and digits. Anything else makes a real server stumble.
fn parse_id(id: &str) -> Result<i64, Failure> {
    id.strip_prefix("att").unwrap_or(id).parse().map_err(|_| {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("java.lang.NumberFormatException: For input string: \"{id}\""),
        )
    })
}

fn no_content_with(id: &str) -> Failure {
    Failure::missing(format!("No content found with id: ContentId{{id={id}}}"))
}

/// A content that the one user may see, in one of these states.
pub(super) fn content_for(
    db: &Connection,
    id: &str,
    states: &[Status],
) -> Result<ContentRow, Failure> {
    let row = db
        .content(parse_id(id)?)?
        .filter(|row| states.contains(&row.status))
        .ok_or_else(|| no_content_with(id))?;
    match db.space_by_id(row.space)?.map(|space| space.access) {
        Some(Access::Admin) => Ok(row),
        Some(Access::NotAdmin) if row.status == Status::Current => Ok(row),
        Some(Access::NotAdmin) => Err(Failure::forbidden(
            "User is not permitted to see the trash of the space",
        )),
        Some(Access::Hidden) | None => Err(no_content_with(id)),
    }
}

pub(super) const ANY: &[Status] = &[Status::Current, Status::Trashed];

/// The states that a `status` names.
fn states(query: &Query) -> Result<&'static [Status], Failure> {
    match query.first("status") {
        None | Some("" | "current") => Ok(&[Status::Current]),
        Some("trashed") => Ok(&[Status::Trashed]),
        Some("any") => Ok(ANY),
        // Known to Confluence; there are none of them here.
        Some("draft" | "historical") => Ok(&[]),
        Some(other) => Err(Failure::bad(format!("Unknown content status : {other}"))),
    }
}

/// `GET /content/{id}`.
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        if query.first("status") == Some("historical") {
            return historical(db, shape, &id, query.number("version", 0)?);
        }
        let row = content_for(db, &id, states(&query)?)?;
        let expand = query.expand();
        let expand = if expand.is_empty() { usual() } else { expand };
        ok(shape.alone(shape.content(&row, &expand)?))
    })
}

/// A version that was replaced, with the text that it had.
fn historical(db: &Connection, shape: &Shape<'_>, id: &str, number: u64) -> Answer {
    let row = content_for(db, id, ANY)?;
    let found: Option<(String, Option<String>, Option<i64>, i64)> = db
        .query_row(
            "SELECT title, body, modifier, modified FROM old_version \
             WHERE content = ? AND number = ?",
            params![row.id, number as i64],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let (title, body, by, when) = found.ok_or_else(|| no_content_with(id))?;
    ok(json!({
        "id": id,
        "type": row.kind.name(),
        "status": "historical",
        "title": title,
        "version": {
            "number": number, "by": shape.person(by)?, "when": shape.time(when), "minorEdit": false,
        },
        "body": {"storage": {"value": body, "representation": "storage"}},
        "_links": {"base": shape.base, "context": shape.context},
    }))
}

/// `GET /content/{id}/version`: the newest first.
pub(super) async fn versions(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let start = query.number("start", 0)? as usize;
        let limit = query.number("limit", 25)?.min(200) as usize;
        let mut all = vec![(row.version, row.modifier, row.modified)];
        let sql = "SELECT number, modifier, modified FROM old_version WHERE content = ? \
                   ORDER BY number DESC";
        for old in db
            .prepare_cached(sql)?
            .query_map([row.id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        {
            all.push(old?);
        }
        let mut results = Vec::new();
        for (number, by, when) in all.iter().skip(start).take(limit) {
            results.push(json!({
                "number": number, "by": shape.person(*by)?, "when": shape.time(*when),
                "message": "", "minorEdit": false,
            }));
        }
        let more = start + results.len() < all.len();
        let next = format!(
            "/rest/api/content/{id}/version?limit={limit}&start={}",
            start + results.len()
        );
        let mut page = json!({
            "results": results, "start": start, "limit": limit, "size": results.len(),
            "_links": {"base": shape.base, "context": shape.context},
        });
        if more {
            page["_links"]["next"] = json!(next);
        }
        ok(page)
    })
}

/// `GET /content?spaceKey=&type=&status=&title=`.
pub(super) async fn list(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |db, shape| {
        let states = states(&query)?;
        let kind = match query.first("type") {
            None | Some("") => Kind::Page,
            Some(name) => Kind::named(name)
                .ok_or_else(|| Failure::bad(format!("Unknown content type : {name}")))?,
        };
        let mut filter = Filter::default();
        let mut space = None;
        if let Some(key) = query.first("spaceKey").filter(|key| !key.is_empty()) {
            let need = if states.contains(&Status::Trashed) {
                Need::Administer
            } else {
                Need::Read
            };
            let row = space_for(db, key, need)?;
            filter.and("space = ?", [row.id.into()]);
            space = Some(row);
        }
        let numbers = states.iter().map(|state| (*state as i64).into()).collect();
        match states {
            [state] => drop(filter.and("status = ?", [(*state as i64).into()])),
            _ => drop(filter.within("status", numbers)),
        }
        filter.and("kind = ?", [(kind as i64).into()]);
        let title = query.first("title").filter(|title| !title.is_empty());
        if let Some(title) = title {
            let title = SqlValue::Text(title.to_owned());
            filter.and("title = ? COLLATE NOCASE", [title]);
        }
        if space.is_none() {
            filter.and("space IN (SELECT id FROM space WHERE access < 2)", []);
        }
        let total = match (&space, title, states) {
            (Some(space), None, [state]) => db.tally(space.id, *state, &[kind])?,
            _ => db.count_contents(&filter)?,
        };
        let list = (ListOf::Contents, &filter, "id");
        answer_list(db, shape, &query, list, total, "/rest/api/content")
    })
}

pub(super) fn answer_list(
    db: &Connection,
    shape: &Shape<'_>,
    query: &Query,
    (list, filter, order): (ListOf, &Filter, &str),
    total: u64,
    path: &str,
) -> Answer {
    let expand = query.expand();
    let slice = Slice::new(
        query.number("start", 0)?,
        query.number("limit", 25)?,
        content_cap(&expand),
        total,
        shape.behaviour,
    );
    let rows = db.contents(filter, order, slice.rows)?;
    let mut results = Vec::new();
    for row in told(db, shape, list, (filter, order), slice.rows.offset, rows)? {
        results.push(shape.content(&row, &expand)?);
    }
    ok(shape.page(results, &slice, path, &query.0))
}

/// A place in a scan: behind this id.
fn scanned_to(cursor: &str) -> Result<i64, Failure> {
    // As a text, or as the object that documented servers give.
    let id = cursor.strip_prefix("content:false:").map(str::to_owned);
    let id = id.or_else(|| {
        let object: Value = serde_json::from_str(cursor).ok()?;
        (object["cursorType"] == "CONTENT" && object["reverse"] == false)
            .then(|| object["contentId"].to_string())
    });
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| Failure::bad(format!("Invalid cursor : {cursor}")))
}

/// `GET /content/scan?spaceKey=&status=`: what is in a space, by a cursor that nothing can shift. Pages
/// and blog posts, of the trash whatever is in it; of a type that is named all there is.
pub(super) async fn scan(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |db, shape| {
        let states = states(&query)?;
        let key = query.first("spaceKey").unwrap_or_default();
        if key.is_empty() {
            return Err(Failure::bad("spaceKey is needed"));
        }
        let need = if states.contains(&Status::Trashed) {
            Need::Administer
        } else {
            Need::Read
        };
        let space = space_for(db, key, need)?;
        let mut filter = Filter::default();
        filter.and("space = ?", [space.id.into()]);
        let numbers = states.iter().map(|state| (*state as i64).into()).collect();
        filter.within("status", numbers);
        if let Some(name) = query.first("type").filter(|name| !name.is_empty()) {
            let kind = Kind::named(name)
                .ok_or_else(|| Failure::bad(format!("Unknown content type : {name}")))?;
            filter.and("kind = ?", [(kind as i64).into()]);
        } else {
            filter.and("(status = 1 OR kind IN (0, 1))", []);
        }
        let expand = query.expand();
        let limit = query.number("limit", 25)?.min(content_cap(&expand));
        let behind = match query.first("cursor").filter(|cursor| !cursor.is_empty()) {
            Some(cursor) => scanned_to(cursor)?,
            None => 0,
        };
        let mut passed = filter.clone();
        passed.and("id <= ?", [behind.into()]);
        let window = Rows {
            offset: db.count_contents(&passed)?,
            count: limit + 1,
        };
        let mut rows = db.contents(&filter, "id", window)?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let last = rows.last().map(|row| row.id).filter(|_| more);
        let mut results = Vec::new();
        for row in told(
            db,
            shape,
            ListOf::Scan,
            (&filter, "id"),
            window.offset,
            rows,
        )? {
            results.push(shape.content(&row, &expand)?);
        }
        let path = "/rest/api/content/scan";
        let mut page = json!({
            "size": results.len(),
            "results": results,
            "limit": limit,
            "_links": {"base": shape.base, "context": shape.context},
        });
        if let Some(id) = last {
            let mut link = format!("{path}?");
            for (name, value) in query.0.iter().filter(|(name, _)| name != "cursor") {
                link.push_str(&format!("{}={}&", encoded(name), encoded(value)));
            }
            page["_links"]["next"] = json!(format!("{link}cursor=content:false:{id}"));
            page["nextCursor"] = if shape.real {
                json!(format!("content:false:{id}"))
            } else {
                json!({"cursorType": "CONTENT", "reverse": false, "contentId": id})
            };
        }
        ok(page)
    })
}

/// `GET /content/{id}/child/{type}`: also of a trashed page, for its attachments go with it.
pub(super) async fn children(
    State(site): State<Arc<Site>>,
    Path((id, kind)): Path<(String, String)>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let kind = Kind::named(&kind)
            .ok_or_else(|| Failure::bad(format!("Unknown content type : {kind}")))?;
        let filter = match query.first("depth") {
            Some("all") if kind == Kind::Comment => comments_of(row.id),
            _ => children_of(row.id, kind),
        };
        let total = db.count_contents(&filter)?;
        let path = format!("/rest/api/content/{id}/child/{}", kind.name());
        let list = (ListOf::Children, &filter, "position, id");
        answer_list(db, shape, &query, list, total, &path)
    })
}

fn one_user(db: &Connection) -> Result<i64, Failure> {
    Ok(db.person_named(ONE_USER.0)?.map_or(1, |person| person.id))
}

/// Whether a current page or blog post of this title is in the space, other than `but`.
fn taken(db: &Connection, space: i64, kind: Kind, title: &str, but: i64) -> Result<bool, Failure> {
    // Blog posts of one title may stand beside each other.
    if kind != Kind::Page {
        return Ok(false);
    }
    let found: Option<i64> = db
        .prepare_cached(
            "SELECT id FROM content WHERE space = ? AND title = ? COLLATE NOCASE AND status = 0 \
             AND kind = 0 AND id <> ? LIMIT 1",
        )?
        .query_row(params![space, title, but], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}

fn title_taken(title: &str) -> Failure {
    Failure::conflict(format!(
        "com.atlassian.confluence.api.service.exceptions.ConflictException: A page with this \
         title already exists: A page already exists with the title {title} in the space"
    ))
}

/// The last of the ancestors sent: the parent wanted.
fn parent_sent(body: &Value) -> Option<&Value> {
    body["ancestors"].as_array()?.last().map(|last| &last["id"])
}

fn id_sent(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// The page of this id in this space, to be a parent.
fn parent_for(db: &Connection, id: &Value, space: i64) -> Result<ContentRow, Failure> {
    let page = match id_sent(id) {
        Some(id) => db.content(id)?,
        None => None,
    };
    page.filter(|page| {
        page.space == space && page.kind == Kind::Page && page.status == Status::Current
    })
    .ok_or_else(|| {
        Failure::bad(format!(
            "No page with id {id} in this space to be the parent"
        ))
    })
}

fn last_position(db: &Connection, space: i64, parent: Option<i64>) -> Result<i64, Failure> {
    let last: Option<i64> = match parent {
        Some(parent) => db.query_row(
            "SELECT max(position) FROM content WHERE parent = ? AND status = 0 AND kind = 0",
            [parent],
            |row| row.get(0),
        )?,
        None => db.query_row(
            "SELECT max(position) FROM content WHERE space = ? AND status = 0 AND kind = 0 \
             AND parent IS NULL",
            [space],
            |row| row.get(0),
        )?,
    };
    Ok(last.map_or(0, |last| last + 1))
}

/// `POST /content`.
pub(super) async fn create(State(site): State<Arc<Site>>, Sent(body): Sent) -> Answer {
    write(&site, |db, shape| {
        let key = body["space"]["key"].as_str().unwrap_or_default();
        let title = body["title"].as_str().unwrap_or_default().trim();
        let kind = body["type"].as_str().and_then(Kind::named);
        if kind == Some(Kind::Comment) {
            return comment(db, shape, &body);
        }
        let mut problems = Vec::new();
        if key.is_empty() {
            problems.push("The space is missing.".to_owned());
        }
        if title.is_empty() || title.chars().count() > 255 {
            problems.push("The title must be 1 to 255 characters.".to_owned());
        }
        let Some(kind @ (Kind::Page | Kind::BlogPost)) = kind else {
            problems.push("The type must be page or blogpost.".to_owned());
            return Err(Failure::invalid(problems));
        };
        if !problems.is_empty() {
            return Err(Failure::invalid(problems));
        }
        let space = space_for(db, key, Need::Read)?;
        let parent = match parent_sent(&body) {
            Some(id) if kind == Kind::Page => Some(parent_for(db, id, space.id)?.id),
            _ => None,
        };
        if taken(db, space.id, kind, title, 0)? {
            return Err(title_taken(title));
        }
        let position = match kind {
            Kind::Page => Some(last_position(db, space.id, parent)?),
            _ => None,
        };
        let storage = body["body"]["storage"]["value"].as_str();
        let storage = shape.behaviour.keeps.text(storage.unwrap_or_default());
        let (by, now) = (one_user(db)?, now());
        db.execute(
            "INSERT INTO content (space, kind, status, parent, position, title, version, creator, \
             created, modifier, modified, body) VALUES (?, ?, 0, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
            params![
                space.id,
                kind as i64,
                parent,
                position,
                title,
                by,
                now,
                by,
                now,
                storage
            ],
        )?;
        let id = db.last_insert_rowid();
        answer_written(db, shape, id)
    })
}

/// A new comment on a page or blog post, or an answer to one.
fn comment(db: &Connection, shape: &Shape<'_>, body: &Value) -> Answer {
    let on = id_sent(&body["container"]["id"]).map(|id| id.to_string());
    let on = on.ok_or_else(|| Failure::invalid(vec!["The container is missing.".to_owned()]))?;
    let page = content_for(db, &on, &[Status::Current])?;
    if !matches!(page.kind, Kind::Page | Kind::BlogPost) {
        return Err(Failure::bad("A comment belongs to a page or a blog post"));
    }
    let parent = match parent_sent(body).and_then(id_sent) {
        Some(id) => {
            let mut thread = comments_of(page.id);
            thread.and("id = ?", [id.into()]);
            if db.count_contents(&thread)? == 0 {
                return Err(Failure::bad(format!(
                    "No comment with id {id} on content {on}"
                )));
            }
            id
        }
        None => page.id,
    };
    let storage = body["body"]["storage"]["value"].as_str();
    let extensions = &body["extensions"];
    let location = extensions["location"].as_str().unwrap_or("footer");
    let marker = extensions["inlineProperties"]["markerRef"].as_str();
    if location != "footer" && (shape.behaviour.footer_comments_only || marker.is_none()) {
        return Err(Failure::bad(format!(
            "A comment cannot be created at the location {location}"
        )));
    }
    let (by, now) = (one_user(db)?, now());
    db.execute(
        "INSERT INTO content (space, kind, status, parent, position, title, version, creator, \
         created, modifier, modified, body) VALUES (?, 2, 0, ?, NULL, ?, 1, ?, ?, ?, ?, ?)",
        params![
            page.space,
            parent,
            format!("Re: {}", page.title),
            by,
            now,
            by,
            now,
            shape.behaviour.keeps.text(storage.unwrap_or_default())
        ],
    )?;
    let id = db.last_insert_rowid();
    if location != "footer" {
        db.execute(
            "INSERT INTO extension VALUES (?, ?, ?, ?, ?, NULL)",
            params![
                id,
                location,
                extensions["resolution"]["status"].as_str(),
                marker,
                extensions["inlineProperties"]["originalSelection"].as_str(),
            ],
        )?;
    }
    answer_written(db, shape, id)
}

fn answer_written(db: &Connection, shape: &Shape<'_>, id: i64) -> Answer {
    let row = db
        .content(id)?
        .ok_or_else(|| no_content_with(&id.to_string()))?;
    ok(shape.content(&row, &written())?)
}

/// `PUT /content/{id}`: restore from the trash, rename, move, or replace the body; a new version.
pub(super) async fn update(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    write(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let sent = body["version"]["number"].as_i64();
        let wrong = format!(
            "Version must be incremented on update. Current version is: {}",
            row.version
        );
        let restores = row.status == Status::Trashed;
        if restores && body["status"].as_str() != Some("current") {
            return Err(no_content_with(&id));
        }
        match sent {
            None => return Err(Failure::invalid(vec!["The version is missing.".to_owned()])),
            Some(number) if number == row.version + 1 => {}
            Some(_) if restores => return Err(Failure::bad(wrong)),
            Some(_) => return Err(Failure::conflict(wrong)),
        }
        if body["type"]
            .as_str()
            .is_some_and(|kind| kind != row.kind.name())
        {
            return Err(Failure::invalid(vec![
                "The type can't be changed.".to_owned(),
            ]));
        }
        let title = match body["title"].as_str().map(str::trim) {
            Some("") => {
                return Err(Failure::invalid(vec![
                    "The title must not be blank.".to_owned(),
                ]));
            }
            Some(title) => title,
            None => &row.title,
        };
        if taken(db, row.space, row.kind, title, row.id)? {
            return Err(title_taken(title));
        }
        let mut parent = row.parent;
        let mut position = row.position;
        if let (Some(wanted), Kind::Page) = (parent_sent(&body), row.kind) {
            let wanted = parent_for(db, wanted, row.space)?;
            let mut above = Some(wanted.id);
            while let Some(id) = above {
                if id == row.id {
                    return Err(Failure::bad("A page can't be moved below itself"));
                }
                above = db.content(id)?.and_then(|page| page.parent);
            }
            if parent != Some(wanted.id) || position.is_none() {
                parent = Some(wanted.id);
                position = Some(last_position(db, row.space, parent)?);
            }
        } else if restores && row.kind == Kind::Page {
            // Back in its place if its parent is there, otherwise at the root.
            let above = match parent {
                Some(id) => db.content(id)?,
                None => None,
            };
            parent = above
                .filter(|page| page.status == Status::Current)
                .map(|page| page.id);
            position = Some(last_position(db, row.space, parent)?);
        }
        db.execute(
            "INSERT OR REPLACE INTO old_version \
             SELECT id, version, title, body, modifier, modified FROM content WHERE id = ?",
            [row.id],
        )?;
        let storage = body["body"]["storage"]["value"].as_str();
        db.execute(
            "UPDATE content SET status = 0, title = ?, parent = ?, position = ?, version = ?, \
             modifier = ?, modified = ?, body = ifnull(?, body) WHERE id = ?",
            params![
                title,
                parent,
                position,
                row.version + 1,
                one_user(db)?,
                now(),
                storage.map(|text| shape.behaviour.keeps.text(text)),
                row.id
            ],
        )?;
        answer_written(db, shape, row.id)
    })
}

/// Purges what a condition on a single number finds, with the attachments and comments below it.
/// What was below it otherwise has no parent any more.
pub(super) fn purge_where(db: &Connection, condition: &str, value: i64) -> Result<(), Failure> {
    // An answer to a comment hangs on that comment.
    let mut below = Filter::default();
    below.and(
        &format!(
            "id IN (WITH RECURSIVE below (id) AS (SELECT id FROM content WHERE {condition} \
             UNION SELECT content.id FROM content JOIN below ON parent = below.id \
             WHERE kind IN (2, 3)) SELECT id FROM below) AND kind IN (2, 3)"
        ),
        [value.into()],
    );
    db.delete_contents(&below)?;
    let sql = format!(
        "UPDATE content SET parent = NULL \
         WHERE parent IN (SELECT id FROM content WHERE {condition})"
    );
    db.execute(&sql, [value])?;
    let mut these = Filter::default();
    these.and(condition, [value.into()]);
    db.delete_contents(&these)?;
    Ok(())
}

/// `DELETE /content/{id}`: into the trash; with `status=trashed` for good.
pub(super) async fn delete(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    write(&site, |db, _| {
        let states = states(&query)?;
        let row = content_for(db, &id, states)?;
        if row.status == Status::Trashed {
            purge_where(db, "id = ?", row.id)?;
            return no_content();
        }
        // The children move up to where it was; attachments and comments go with it.
        db.execute(
            "UPDATE content SET parent = ? WHERE parent = ? AND kind = 0 AND status = 0",
            params![row.parent, row.id],
        )?;
        db.execute(
            "UPDATE content SET status = 1, position = NULL WHERE id = ?",
            [row.id],
        )?;
        no_content()
    })
}

/// `GET /content/{id}/label`.
pub(super) async fn labels(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        ok(shape.alone(shape.content_labels(&row)?))
    })
}

/// `POST /content/{id}/label`.
pub(super) async fn add_labels(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    write(&site, |db, shape| {
        let row = content_for(db, &id, &[Status::Current])?;
        let sent = match &body {
            Value::Array(labels) => labels.as_slice(),
            one => std::slice::from_ref(one),
        };
        for label in sent {
            let name = label["name"].as_str().unwrap_or_default();
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err(Failure::invalid(vec![format!(
                    "The label \"{name}\" must have no spaces and not be empty."
                )]));
            }
            db.execute(
                "INSERT OR IGNORE INTO content_label VALUES (?, ?)",
                params![row.id, name.to_lowercase()],
            )?;
        }
        ok(shape.alone(shape.content_labels(&row)?))
    })
}

/// `GET /content/{id}/restriction/byOperation`.
pub(super) async fn restrictions(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let expand = query.expand();
        let all = Expand::parse(["read.restrictions,update.restrictions"].into_iter());
        let expand = if expand.is_empty() { all } else { expand };
        let path = format!("/rest/api/content/{id}");
        ok(shape.restrictions(row.id, &expand, &path)?)
    })
}

/// `PUT /content/{id}/restriction`: replaces all; a list, or a page of `results`.
pub(super) async fn restrict(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    Sent(body): Sent,
) -> Answer {
    write(&site, |db, shape| {
        let row = content_for(db, &id, &[Status::Current])?;
        let sent = body
            .as_array()
            .or_else(|| body["results"].as_array())
            .ok_or_else(|| {
                Failure::invalid(vec!["A list of restrictions is needed.".to_owned()])
            })?;
        db.execute("DELETE FROM restriction WHERE content = ?", [row.id])?;
        for restriction in sent {
            let operation = restriction["operation"].as_str().unwrap_or_default();
            if !["read", "update"].contains(&operation) {
                return Err(Failure::invalid(vec![format!(
                    "Unknown operation of a restriction: \"{operation}\"."
                )]));
            }
            for (subject, field) in [("user", "username"), ("group", "name")] {
                let list = &restriction["restrictions"][subject];
                let list = list.as_array().or_else(|| list["results"].as_array());
                for entry in list.into_iter().flatten() {
                    let name = match (entry[field].as_str(), entry["userKey"].as_str()) {
                        (Some(name), _) => name.to_owned(),
                        (None, Some(key)) => person_of_key(db, key)?,
                        (None, None) => {
                            return Err(Failure::invalid(vec![format!(
                                "A {subject} of a restriction has no name."
                            )]));
                        }
                    };
                    db.execute(
                        "INSERT OR IGNORE INTO restriction VALUES (?, ?, ?, ?)",
                        params![row.id, operation, subject, name],
                    )?;
                }
            }
        }
        let all = Expand::parse(["read.restrictions,update.restrictions"].into_iter());
        let path = format!("/rest/api/content/{id}");
        let map = shape.restrictions(row.id, &all, &path)?;
        let results = [map["read"].clone(), map["update"].clone()];
        ok(json!({"results": results, "start": 0, "limit": 100, "size": 2}))
    })
}

fn person_of_key(db: &Connection, key: &str) -> Result<String, Failure> {
    let person = match id_of_user_key(key) {
        Some(id) => db.person(id)?,
        None => None,
    };
    person
        .map(|person| person.username)
        .ok_or_else(|| Failure::invalid(vec![format!("No user with key {key}.")]))
}

/// `GET /download/attachments/{container}/{name}`: the file or a range of it, also of trashed ones.
///
/// The bytes of a file that was not sent to this server are made from its id, the same every time: text
/// for text types, noise for others.
pub(super) async fn download(
    State(site): State<Arc<Site>>,
    Path((id, name)): Path<(String, String)>,
    asked: HeaderMap,
) -> Answer {
    let (file, version, media_type, size) = with(&site, |db, shape| {
        let missing = || Failure::missing(format!("No attachment {name} of content {id}"));
        let number = parse_id(&id)?;
        let found: Option<(i64, i64)> = db
            .query_row(
                "SELECT id, version FROM content WHERE (parent = ?1 OR id = ?1) AND kind = 3 \
                 AND title = ?2 ORDER BY status LIMIT 1",
                params![number, name],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (file, version) = found.ok_or_else(missing)?;
        content_for(db, &file.to_string(), ANY).map_err(|_| missing())?;
        let (media_type, size) = shape.file(file)?;
        Ok((file, version, media_type, size.max(0) as u64))
    })?;
    let ranged = Ranged {
        name: &name,
        media_type: &media_type,
        tag: format!("\"{file}-{version}-{size}\""),
        length: size,
    };
    Ok(ranged.answer(&asked, move |from, count| {
        file_bytes::read(&site.db(), file, from, count).map_err(io::Error::other)
    }))
}

/// `POST /content/{id}/child/attachment`: files as parts `file` of a form, each a new attachment.
pub(super) async fn attach(
    State(site): State<Arc<Site>>,
    Path((id, kind)): Path<(String, String)>,
    mut form: Multipart,
) -> Answer {
    if kind != "attachment" {
        return Err(Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "HTTP 405 Method Not Allowed",
        ));
    }
    let broken = |error: &dyn std::fmt::Display| {
        Failure::bad(format!("The upload could not be read: {error}"))
    };
    let (mut made, mut note) = (Vec::new(), String::new());
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        if field.name() == Some("comment") {
            // Not its `text`, which carries the tables of every encoding of the web: forms are UTF-8.
            let bytes = field.bytes().await.map_err(|error| broken(&error))?;
            note = String::from_utf8_lossy(&bytes).into_owned();
            continue;
        }
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or_default().to_owned();
        let media_type = field
            .content_type()
            .unwrap_or("application/octet-stream")
            .to_owned();
        let mut file = site.files().scratch().map_err(|error| broken(&error))?;
        while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
            file.write_all(&bytes).map_err(|error| broken(&error))?;
        }
        made.push(write(&site, |db, shape| {
            let sent = file.metadata().map_err(|error| broken(&error))?.len();
            let kept = file.set_len(shape.behaviour.keeps.bytes(sent));
            kept.map_err(|error| broken(&error))?;
            let made = attach_file(db, &id, &name, &media_type, &mut file)?;
            if !note.is_empty() {
                let sql = "INSERT INTO extension (content, note) VALUES (?, ?)";
                db.execute(sql, params![made, note])?;
            }
            Ok(made)
        })?);
    }
    if made.is_empty() {
        return Err(Failure::bad("The form has no part named file."));
    }
    with(&site, |db, shape| {
        let mut results = Vec::new();
        for id in &made {
            let row = db
                .content(*id)?
                .ok_or_else(|| no_content_with(&id.to_string()))?;
            results.push(shape.content(&row, &written())?);
        }
        ok(json!({
            "size": results.len(), "results": results, "start": 0, "limit": 50,
            "_links": {"base": shape.base, "context": shape.context},
        }))
    })
}

fn attach_file(
    db: &Connection,
    to: &str,
    name: &str,
    media_type: &str,
    file: &mut File,
) -> Result<i64, Failure> {
    let unkept = |error: io::Error| {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The file could not be kept: {error}"),
        )
    };
    let page = content_for(db, to, &[Status::Current])?;
    let taken: Option<i64> = db
        .query_row(
            "SELECT id FROM content WHERE parent = ? AND kind = 3 AND title = ? AND status = 0",
            params![page.id, name],
            |row| row.get(0),
        )
        .optional()?;
    if name.is_empty() || taken.is_some() {
        return Err(Failure::bad(format!(
            "Cannot add a new attachment with same file name as an existing attachment: {name}"
        )));
    }
    let (by, now) = (one_user(db)?, now());
    db.execute(
        "INSERT INTO content (space, kind, status, parent, position, title, version, creator, \
         created, modifier, modified, body) VALUES (?, 3, 0, ?, NULL, ?, 1, ?, ?, ?, ?, '')",
        params![page.space, page.id, name, by, now, by, now],
    )?;
    let id = db.last_insert_rowid();
    let size = file.seek(SeekFrom::End(0)).map_err(unkept)?;
    file.rewind().map_err(unkept)?;
    db.execute(
        "INSERT INTO file VALUES (?, ?, ?)",
        params![id, media_type, size as i64],
    )?;
    file_bytes::pieces(file, |number, bytes| {
        file_bytes::write_piece(db, id, number, bytes).map_err(io::Error::other)
    })
    .map_err(unkept)?;
    Ok(id)
}

/// One condition of a query in CQL.
struct Condition {
    field: String,
    operator: char,
    value: String,
}

/// The simple forms of CQL: conditions joined by `and`, with `=` and `~`.
fn parse_cql(cql: &str) -> Result<Vec<Condition>, Failure> {
    let wrong = || Failure::bad(format!("Could not parse cql : {cql}"));
    let mut conditions = Vec::new();
    let mut rest = cql.trim();
    if let Some(at) = rest.to_ascii_lowercase().find(" order by ") {
        rest = rest[..at].trim_end();
    }
    while !rest.is_empty() {
        let at = rest.find(['=', '~']).ok_or_else(wrong)?;
        let field = rest[..at].trim().to_ascii_lowercase();
        let operator = rest[at..].chars().next().ok_or_else(wrong)?;
        rest = rest[at + 1..].trim_start();
        let value = if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(wrong)?;
            rest = quoted[end + 1..].trim_start();
            &quoted[..end]
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let value = &rest[..end];
            rest = rest[end..].trim_start();
            value
        };
        conditions.push(Condition {
            field,
            operator,
            value: value.to_owned(),
        });
        if !rest.is_empty() {
            let joined = rest
                .get(..4)
                .is_some_and(|and| and.eq_ignore_ascii_case("and "));
            if !joined {
                return Err(wrong());
            }
            rest = rest[4..].trim_start();
        }
    }
    if conditions.is_empty() {
        return Err(wrong());
    }
    Ok(conditions)
}

struct Found {
    rows: Vec<ContentRow>,
    slice: Slice,
    cql: String,
}

fn find(db: &Connection, shape: &Shape<'_>, query: &Query) -> Result<Found, Failure> {
    let cql = query.first("cql").unwrap_or_default().to_owned();
    let mut filter = Filter::default();
    filter.and("status = 0", []);
    filter.and("space IN (SELECT id FROM space WHERE access < 2)", []);
    for condition in parse_cql(&cql)? {
        let value = SqlValue::Text(condition.value.clone());
        match (condition.field.as_str(), condition.operator) {
            ("space" | "space.key", '=') => {
                filter.and("space = (SELECT id FROM space WHERE key = ?)", [value]);
            }
            ("type", '=') => {
                let kind = Kind::named(&condition.value).ok_or_else(|| {
                    Failure::bad(format!("Unknown content type : {}", condition.value))
                })?;
                filter.and("kind = ?", [(kind as i64).into()]);
            }
            ("title", '=') => drop(filter.and("title = ? COLLATE NOCASE", [value])),
            ("title" | "text" | "sitesearch", '~') => {
                for word in condition.value.split_whitespace() {
                    let word = SqlValue::Text(word.trim_matches('*').to_owned());
                    filter.and("instr(lower(title), lower(?)) > 0", [word]);
                }
            }
            ("label", '=') => {
                filter.and(
                    "id IN (SELECT content FROM content_label WHERE name = ?)",
                    [value],
                );
            }
            ("id" | "content", '=') => drop(filter.and("id = ?", [value])),
            ("parent", '=') => drop(filter.and("parent = ?", [value])),
            (field, operator) => {
                return Err(Failure::bad(format!(
                    "Could not parse cql : no field {field} with {operator}"
                )));
            }
        }
    }
    let expand = query.expand();
    let slice = Slice::new(
        query.number("start", 0)?,
        query.number("limit", 25)?,
        content_cap(&expand),
        db.count_contents(&filter)?,
        shape.behaviour,
    );
    let rows = db.contents(&filter, "id", slice.rows)?;
    Ok(Found { rows, slice, cql })
}

/// `GET /content/search?cql=`: contents.
pub(super) async fn search(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |db, shape| {
        let found = find(db, shape, &query)?;
        let expand = query.expand();
        let mut results = Vec::new();
        for row in &found.rows {
            results.push(shape.content(row, &expand)?);
        }
        let path = "/rest/api/content/search";
        let mut page = shape.page(results, &found.slice, path, &query.0);
        page["totalSize"] = json!(found.slice.total);
        page["cqlQuery"] = json!(found.cql);
        ok(page)
    })
}

/// `GET /search?cql=`: results of a search, each with its content.
pub(super) async fn search_all(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |db, shape| {
        let found = find(db, shape, &query)?;
        let mut results = Vec::new();
        for row in &found.rows {
            let content = shape.content(row, &Expand::default())?;
            let space = db.space_by_id(row.space)?;
            results.push(json!({
                "title": row.title,
                "excerpt": "",
                "url": content["_links"]["webui"],
                "entityType": "content",
                "iconCssClass": "aui-icon content-type-page",
                "resultGlobalContainer": space.map(|space| json!({
                    "title": space.name,
                    "displayUrl": format!("/display/{}", encoded(&space.key)),
                })),
                "content": content,
            }));
        }
        let mut page = shape.page(results, &found.slice, "/rest/api/search", &query.0);
        page["totalSize"] = json!(found.slice.total);
        page["cqlQuery"] = json!(found.cql);
        page["searchDuration"] = json!(3);
        ok(page)
    })
}
