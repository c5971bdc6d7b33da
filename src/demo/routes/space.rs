//! The thirteen operations on spaces.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::answer::{
    Answer, EVERY_KIND, Failure, Need, Query, Sent, content_cap, no_content, now, ok, space_for,
    told, with, write,
};
use super::system;
use crate::demo::behaviour::{ListOf, Quirk};
use crate::demo::json::{Expand, Shape, Slice};
use crate::demo::percent::encoded;
use crate::demo::permissions::{self, ONE_USER};
use crate::demo::site::Site;
use crate::demo::store::{ContentRow, Filter, Kind, Rows, SpaceRow, Status, Store};

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

/// 1: `GET /space`.
pub(super) async fn list(State(site): State<Arc<Site>>, query: Query) -> Answer {
    write(&site, |db, shape| {
        let expand = query.expand();
        let filter = filter(db, &query)?;
        let cap = if expand.has("homepage") || expand.has("description") {
            100
        } else if expand.is_empty() {
            500
        } else {
            200
        };
        let start = query.number("start", 0)?;
        let total = db.count_spaces(&filter)?;
        let asked = query.number("limit", 25)?;
        let slice = Slice::new(start, asked, cap, total, shape.behaviour);
        let mut results = Vec::new();
        for row in db.spaces(&filter, slice.rows)? {
            results.push(shape.space(&row, &expand)?);
        }
        if shape.behaviour.has(Quirk::Growing) && start > 0 {
            let key = format!("NEW{total}");
            insert(db, &key, &format!("New space {total}"), "", false)?;
        }
        ok(shape.page(results, &slice, "/rest/api/space", &query.0))
    })
}

/// Every filter of operation 1.
fn filter(db: &Connection, query: &Query) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    filter.and("access < 2", []);
    let mut keys = query.listed(&["spaceKey", "spaceKeys"]);
    keys.extend(query.first("spaceKeySingle").filter(|key| !key.is_empty()));
    if !keys.is_empty() {
        filter.within("key", keys.into_iter().map(text).collect());
    }
    let mut ids = Vec::new();
    for id in query.listed(&["spaceId", "spaceIds"]) {
        let id: i64 = id
            .parse()
            .map_err(|_| Failure::bad(format!("spaceId must be a number, not {id}")))?;
        ids.push(SqlValue::Integer(id));
    }
    if !ids.is_empty() {
        filter.within("id", ids);
    }
    match query.first("type") {
        None | Some("") => {}
        Some("global") => drop(filter.and("personal = 0", [])),
        Some("personal") => drop(filter.and("personal = 1", [])),
        Some(other) => return Err(Failure::bad(format!("Unknown space type : {other}"))),
    }
    match query
        .first("status")
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("") => {}
        Some("current") => drop(filter.and("archived = 0", [])),
        Some("archived") => drop(filter.and("archived = 1", [])),
        Some(other) => return Err(Failure::bad(format!("Unknown space status : {other}"))),
    }
    for (names, table, condition) in [
        (
            ["label", "labels"],
            "label_of_space",
            "id IN (SELECT space FROM label_of_space WHERE name IN (",
        ),
        (
            ["contentLabel", "contentLabels"],
            "content_label",
            "id IN (SELECT c.space FROM content_label l JOIN content c ON c.id = l.content \
             WHERE c.status = 0 AND l.name IN (",
        ),
    ] {
        let labels = query.listed(&names);
        for label in &labels {
            let sql = format!("SELECT 1 FROM {table} WHERE name = ? LIMIT 1");
            let known: Option<i64> = db
                .prepare_cached(&sql)?
                .query_row([label], |row| row.get(0))
                .optional()?;
            if known.is_none() {
                return Err(Failure::bad(format!("No label with name : {label}")));
            }
        }
        if !labels.is_empty() {
            let marks = vec!["?"; labels.len()].join(", ");
            filter.and(
                &format!("{condition}{marks}))"),
                labels.into_iter().map(text),
            );
        }
    }
    if let Some(favourite) = query.flag("favourite")? {
        filter.and("favourite = ?", [SqlValue::Integer(i64::from(favourite))]);
    }
    match query.flag("hasRetentionPolicy")? {
        Some(true) => drop(filter.and("retention IS NOT NULL", [])),
        Some(false) => drop(filter.and("retention IS NULL", [])),
        None => {}
    }
    Ok(filter)
}

/// The plain description that a body brings, if it brings one.
fn description(body: &Value, problems: &mut Vec<String>) -> Option<String> {
    let description = body.get("description").filter(|value| !value.is_null())?;
    let value = &description["plain"]["value"];
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if description
            .as_object()
            .is_some_and(serde_json::Map::is_empty) =>
        {
            None
        }
        None => {
            problems.push("The description must have a plain value.".to_owned());
            None
        }
    }
}

fn name(body: &Value, problems: &mut Vec<String>) -> String {
    let name = body["name"].as_str().unwrap_or_default().trim().to_owned();
    if name.is_empty() {
        problems.push("The space name must not be blank.".to_owned());
    } else if name.chars().count() > 255 {
        problems.push("The space name must not be longer than 255 characters.".to_owned());
    }
    name
}

fn may_create(shape: &Shape<'_>) -> Result<(), Failure> {
    if shape.behaviour.may_create_spaces {
        Ok(())
    } else {
        Err(Failure::forbidden("User is not permitted to create spaces"))
    }
}

/// 2: `POST /space`.
pub(super) async fn create(State(site): State<Arc<Site>>, Sent(body): Sent) -> Answer {
    create_global(&site, &body, false)
}

/// 3: `POST /space/_private`.
pub(super) async fn create_private(State(site): State<Arc<Site>>, Sent(body): Sent) -> Answer {
    create_global(&site, &body, true)
}

fn create_global(site: &Site, body: &Value, only_creator: bool) -> Answer {
    write(site, |db, shape| {
        may_create(shape)?;
        let mut problems = Vec::new();
        let key = body["key"].as_str().unwrap_or_default();
        let fits = (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric());
        if !fits {
            problems.push("The space key must be 1 to 255 letters and digits.".to_owned());
        }
        let name = name(body, &mut problems);
        let description = description(body, &mut problems).unwrap_or_default();
        if !problems.is_empty() {
            return Err(Failure::invalid(problems));
        }
        if db.space(key)?.is_some() {
            return Err(Failure::conflict(format!(
                "A space already exists with key {key}"
            )));
        }
        let row = insert(db, key, &name, &description, only_creator)?;
        ok(shape.alone(shape.space(&row, &everything())?))
    })
}

/// 4: `POST /space/personal`.
pub(super) async fn create_personal(State(site): State<Arc<Site>>, Sent(body): Sent) -> Answer {
    write(&site, |db, shape| {
        may_create(shape)?;
        let mut problems = Vec::new();
        let description = description(&body, &mut problems).unwrap_or_default();
        let private = match &body["isPrivate"] {
            Value::Bool(private) => *private,
            Value::Null => false,
            _ => {
                problems.push("isPrivate must be true or false.".to_owned());
                false
            }
        };
        if !problems.is_empty() {
            return Err(Failure::invalid(problems));
        }
        let key = format!("~{}", ONE_USER.0);
        if db.space(&key)?.is_some() {
            return Err(Failure::conflict(format!(
                "A personal space already exists for user {}",
                ONE_USER.0
            )));
        }
        let row = insert(db, &key, ONE_USER.1, &description, private)?;
        ok(shape.alone(shape.space(&row, &everything())?))
    })
}

/// What a created or changed space is answered with.
fn everything() -> Expand {
    Expand::parse(["description.plain,homepage,metadata.labels"].into_iter())
}

fn one_user(db: &Connection) -> Result<i64, Failure> {
    Ok(db.person_named(ONE_USER.0)?.map_or(1, |person| person.id))
}

/// A new space with its homepage.
fn insert(
    db: &Connection,
    key: &str,
    name: &str,
    description: &str,
    only_creator: bool,
) -> Result<SpaceRow, Failure> {
    let by = one_user(db)?;
    let now = now();
    db.execute(
        "INSERT INTO space (key, name, personal, archived, description, homepage, creator, \
         created, modifier, modified, favourite, retention, access) \
         VALUES (?, ?, ?, 0, ?, NULL, ?, ?, ?, ?, 0, NULL, 0)",
        params![
            key,
            name,
            key.starts_with('~'),
            description,
            by,
            now,
            by,
            now
        ],
    )?;
    let id = db.last_insert_rowid();
    if only_creator {
        permissions::permit_only(db, id, ONE_USER.0)?;
    } else {
        permissions::permit_administrators(db, id, &[])?;
        permissions::permit_usual(db, id)?;
    }
    db.execute(
        "INSERT INTO content (space, kind, status, parent, position, title, version, creator, \
         created, modifier, modified, body) VALUES (?, 0, 0, NULL, 0, ?, 1, ?, ?, ?, ?, ?)",
        params![id, format!("{name} Home"), by, now, by, now, "<p></p>"],
    )?;
    let homepage = db.last_insert_rowid();
    db.execute("UPDATE space SET homepage = ? WHERE id = ?", [homepage, id])?;
    db.space_by_id(id)?
        .ok_or_else(|| Failure::missing("The space was not made"))
}

/// 5: `GET /space/{key}`.
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    query: Query,
) -> Answer {
    write(&site, |db, shape| {
        system::look_at_space(db, &key, shape.behaviour)?;
        // Kept also when the space is gone by now: hence an answer inside an answer.
        Ok(match space_for(db, &key, Need::Read) {
            Ok(row) => ok(shape.alone(shape.space(&row, &query.expand())?)),
            Err(failure) => Err(failure),
        })
    })?
}

/// 6: `PUT /space/{key}`.
pub(super) async fn update(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    Sent(body): Sent,
) -> Answer {
    write(&site, |db, shape| {
        let row = space_for(db, &key, Need::Administer)?;
        let mut problems = Vec::new();
        let name = name(&body, &mut problems);
        let description = description(&body, &mut problems);
        if body["key"].as_str().is_some_and(|sent| sent != row.key) {
            problems.push("The key of a space can't be changed.".to_owned());
        }
        let homepage = match &body["homepage"]["id"] {
            Value::Null => row.homepage,
            id => {
                let id = match id {
                    Value::String(text) => text.parse().ok(),
                    other => other.as_i64(),
                };
                let page = match id {
                    Some(id) => db.content(id)?,
                    None => None,
                };
                match page {
                    Some(page)
                        if page.space == row.id
                            && page.kind == Kind::Page
                            && page.status == Status::Current =>
                    {
                        Some(page.id)
                    }
                    _ => {
                        problems.push("The homepage must be a page of this space.".to_owned());
                        None
                    }
                }
            }
        };
        if !problems.is_empty() {
            return Err(Failure::invalid(problems));
        }
        db.execute(
            "UPDATE space SET name = ?, description = ?, homepage = ?, modifier = ?, modified = ? \
             WHERE id = ?",
            params![
                name,
                description.unwrap_or(row.description),
                homepage,
                one_user(db)?,
                now(),
                row.id
            ],
        )?;
        let row = space_for(db, &key, Need::Read)?;
        ok(shape.alone(shape.space(&row, &everything())?))
    })
}

/// 7: `DELETE /space/{key}`: a long task.
pub(super) async fn delete(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    write(&site, |db, shape| {
        let row = space_for(db, &key, Need::Administer)?;
        let task = system::start_deletion(db, &row.key, &shape.base, shape.real)?;
        Ok((StatusCode::ACCEPTED, axum::Json(task)).into_response())
    })
}

/// 8: `PUT /space/{key}/archive`.
pub(super) async fn archive(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    set_archived(&site, &key, true)
}

/// 9: `PUT /space/{key}/restore`.
pub(super) async fn restore(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    set_archived(&site, &key, false)
}

fn set_archived(site: &Site, key: &str, archived: bool) -> Answer {
    write(site, |db, _| {
        let row = space_for(db, key, Need::Administer)?;
        db.execute(
            "UPDATE space SET archived = ?, modifier = ?, modified = ? \
             WHERE id = ? AND archived <> ?",
            params![archived, one_user(db)?, now(), row.id, archived],
        )?;
        no_content()
    })
}

/// Pages or roots only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    All,
    Root,
}

fn depth(query: &Query) -> Result<Depth, Failure> {
    match query.first("depth") {
        None | Some("" | "all") => Ok(Depth::All),
        Some("root") => Ok(Depth::Root),
        Some(other) => Err(Failure::bad(format!(
            "Unrecognized depth : {other}. Expected all or root"
        ))),
    }
}

fn in_space(space: &SpaceRow, kind: Kind, depth: Depth) -> Filter {
    let mut filter = Filter::default();
    filter.and(
        "space = ? AND status = 0 AND kind = ?",
        [space.id.into(), (kind as i64).into()],
    );
    if depth == Depth::Root {
        filter.and("parent IS NULL", []);
    }
    filter
}

fn count(db: &Connection, space: &SpaceRow, kind: Kind, depth: Depth) -> Result<u64, Failure> {
    Ok(match depth {
        Depth::All => db.tally(space.id, Status::Current, &[kind])?,
        Depth::Root => db.count_contents(&in_space(space, kind, depth))?,
    })
}

/// 10: `GET /space/{key}/content`: flat as documented, or a map by type as real servers answer.
pub(super) async fn content(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let depth = depth(&query)?;
        let space = space_for(db, &key, Need::Read)?;
        if shape.real {
            let mut map = json!({});
            for kind in [Kind::Page, Kind::BlogPost] {
                let list = (ListOf::SpaceContent, kind, depth);
                map[kind.name()] = page_of_kind(db, shape, &space, list, &query)?;
            }
            map["_links"] = json!({"base": shape.base, "context": shape.context});
            return ok(map);
        }
        let expand = query.expand();
        let pages = count(db, &space, Kind::Page, depth)?;
        let posts = count(db, &space, Kind::BlogPost, depth)?;
        let slice = Slice::new(
            query.number("start", 0)?,
            query.number("limit", 25)?,
            content_cap(&expand),
            pages + posts,
            shape.behaviour,
        );
        // All pages, then all blog posts: each from an index of its own.
        let flat = |Rows { offset, count }| -> Result<Vec<ContentRow>, Failure> {
            let mut rows = Vec::new();
            if offset < pages {
                let window = Rows { offset, count };
                rows = db.contents(&in_space(&space, Kind::Page, depth), "id", window)?;
            }
            let rest = Rows {
                offset: offset.saturating_sub(pages),
                count: count - rows.len() as u64,
            };
            if rest.count > 0 {
                rows.extend(db.contents(&in_space(&space, Kind::BlogPost, depth), "id", rest)?);
            }
            Ok(rows)
        };
        let mut results = Vec::new();
        for (place, row) in (slice.rows.offset..).zip(flat(slice.rows)?) {
            let at = shape.behaviour.told_at(ListOf::SpaceContent, place);
            let again = if at == place {
                None
            } else {
                flat(Rows {
                    offset: at,
                    count: 1,
                })?
                .pop()
            };
            results.push(shape.content(&again.unwrap_or(row), &expand)?);
        }
        let path = format!("/rest/api/space/{}/content", encoded(&space.key));
        ok(shape.page(results, &slice, &path, &query.0))
    })
}

fn page_of_kind(
    db: &Connection,
    shape: &Shape<'_>,
    space: &SpaceRow,
    (list, kind, depth): (ListOf, Kind, Depth),
    query: &Query,
) -> Result<Value, Failure> {
    let expand = query.expand();
    let slice = Slice::new(
        query.number("start", 0)?,
        query.number("limit", 25)?,
        content_cap(&expand),
        count(db, space, kind, depth)?,
        shape.behaviour,
    );
    let filter = in_space(space, kind, depth);
    let rows = db.contents(&filter, "id", slice.rows)?;
    let mut results = Vec::new();
    for row in told(db, shape, list, (&filter, "id"), slice.rows.offset, rows)? {
        results.push(shape.content(&row, &expand)?);
    }
    let path = format!(
        "/rest/api/space/{}/content/{}",
        encoded(&space.key),
        kind.name()
    );
    Ok(shape.page(results, &slice, &path, &query.0))
}

/// 11: `GET /space/{key}/content/{type}`. A type that spaces have no list of is empty.
pub(super) async fn content_of_kind(
    State(site): State<Arc<Site>>,
    Path((key, kind)): Path<(String, String)>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let depth = depth(&query)?;
        let space = space_for(db, &key, Need::Read)?;
        match Kind::named(&kind) {
            Some(kind @ (Kind::Page | Kind::BlogPost)) => {
                let list = (ListOf::SpaceContentOfKind, kind, depth);
                ok(page_of_kind(db, shape, &space, list, &query)?)
            }
            _ => {
                let asked = query.number("limit", 25)?;
                let slice = Slice::new(0, asked, 500, 0, shape.behaviour);
                let path = format!(
                    "/rest/api/space/{}/content/{}",
                    encoded(&space.key),
                    encoded(&kind)
                );
                ok(shape.page(Vec::new(), &slice, &path, &query.0))
            }
        }
    })
}

/// A place in the trash: before or after an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    backwards: bool,
    id: Option<i64>,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (Some("content"), Some(direction), Some(id), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let backwards = match direction {
            "false" => false,
            "true" => true,
            _ => return None,
        };
        let id = match id {
            "null" => None,
            digits => Some(digits.parse().ok()?),
        };
        Some(Self { backwards, id })
    }

    fn text(self) -> String {
        let id = self
            .id
            .map_or_else(|| "null".to_owned(), |id| id.to_string());
        format!("content:{}:{id}", self.backwards)
    }
}

/// 12: `GET /space/{key}/trash`, by cursor.
pub(super) async fn trash(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let space = space_for(db, &key, Need::Administer)?;
        let expand = query.expand();
        let given = query.first("cursor").filter(|text| !text.is_empty());
        let cursor = match given {
            None => Cursor {
                backwards: false,
                id: None,
            },
            Some(text) => Cursor::parse(text)
                .ok_or_else(|| Failure::bad(format!("Invalid cursor : {text}")))?,
        };
        let limit = query.number("limit", 25)?.min(content_cap(&expand));
        let mut filter = Filter::default();
        filter.and("space = ? AND status = 1", [space.id.into()]);
        let order = match (cursor.backwards, cursor.id) {
            (false, Some(id)) => {
                filter.and("id > ?", [id.into()]);
                "id"
            }
            (true, Some(id)) => {
                filter.and("id < ?", [id.into()]);
                "id DESC"
            }
            (false, None) => "id",
            (true, None) => "id DESC",
        };
        let rows = Rows {
            offset: 0,
            count: limit + 1,
        };
        let mut rows = db.contents(&filter, order, rows)?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        if cursor.backwards {
            rows.reverse();
        }
        let first = rows.first().map(|row| row.id);
        let last = rows.last().map(|row| row.id);
        // Where one came from there is more, unless one began at the end.
        let (has_next, has_prev) = if cursor.backwards {
            (cursor.id.is_some(), more)
        } else {
            (more, cursor.id.is_some())
        };
        let mut next = last.filter(|_| has_next).map(|id| {
            Cursor {
                backwards: false,
                id: Some(id),
            }
            .text()
        });
        if let (Some(given), true) = (given, shape.behaviour.has(Quirk::RepeatedCursor)) {
            next = Some(given.to_owned());
        }
        let prev = first.filter(|_| has_prev).map(|id| {
            Cursor {
                backwards: true,
                id: Some(id),
            }
            .text()
        });
        let mut results = Vec::new();
        for row in trash_told(db, shape, &space, rows)? {
            results.push(shape.content(&row, &expand)?);
        }
        let path = format!("/rest/api/space/{}/trash", encoded(&space.key));
        let link = |cursor: &str| {
            let cursor = if shape.behaviour.has(Quirk::EncodedCursor) {
                encoded(cursor)
            } else {
                cursor.to_owned()
            };
            format!("{path}?cursor={cursor}&limit={limit}")
        };
        let mut page = json!({
            "size": results.len(),
            "results": results,
            "limit": limit,
            "cursor": cursor.text(),
            "_links": {
                "base": shape.base,
                "context": shape.context,
                "self": format!("{}{}", shape.base, link(&cursor.text())),
            },
        });
        for (field, name, value) in [("nextCursor", "next", next), ("prevCursor", "prev", prev)] {
            if let Some(cursor) = value {
                page["_links"][name] = json!(link(&cursor));
                page[field] = json!(cursor);
            }
        }
        if !shape.real {
            page["totalCount"] = json!(db.tally(space.id, Status::Trashed, &EVERY_KIND)?);
        }
        ok(page)
    })
}

/// What a page of the trash tells, with the lies of that list: the same but for those.
fn trash_told(
    db: &Connection,
    shape: &Shape<'_>,
    space: &SpaceRow,
    rows: Vec<ContentRow>,
) -> Result<Vec<ContentRow>, Failure> {
    let lies = &shape.behaviour.lies;
    let Some(first) = rows.first().filter(|_| !lies.is_empty()) else {
        return Ok(rows);
    };
    let mut filter = Filter::default();
    filter.and("space = ? AND status = 1", [space.id.into()]);
    let mut before = filter.clone();
    before.and("id < ?", [first.id.into()]);
    let place = db.count_contents(&before)?;
    let list = (&filter, "id");
    Ok(told(db, shape, ListOf::Trash, list, place, rows)?)
}

/// 13: `DELETE /space/{key}/trash`: all of it, for good.
pub(super) async fn purge(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    write(&site, |db, _| {
        let space = space_for(db, &key, Need::Administer)?;
        super::content::purge_where(db, "space = ? AND status = 1", space.id)?;
        no_content()
    })
}
