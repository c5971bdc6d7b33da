//! What answers of other routes name in `_links` and `_expandable`, so that nothing they name is a 404:
//! parts of a content, pages for a browser, pictures.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse};
use rusqlite::Connection;
use serde_json::json;

use super::answer::{Answer, Failure, Need, Query, ok, space_for, with};
use super::content::{ANY, answer_list, content_for};
use crate::demo::behaviour::ListOf;
use crate::demo::json::{Expand, Shape, descendants_of};
use crate::demo::site::Site;
use crate::demo::store::{ContentRow, Filter, Kind, Rows, SpaceRow, Store};
use crate::demo::view;

/// `GET /content/{id}/history`.
pub(super) async fn history(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        ok(shape.alone(shape.history(&row, &query.expand())?))
    })
}

/// `GET /content/{id}/child`: the types, each where it is expanded.
pub(super) async fn children(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let path = format!("/rest/api/content/{id}");
        ok(shape.alone(shape.children(&row, &query.expand(), &path)?))
    })
}

/// `GET /content/{id}/descendant`: the types.
pub(super) async fn descendants(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    with(&site, |db, shape| {
        content_for(db, &id, ANY)?;
        let path = format!("/rest/api/content/{id}/descendant");
        let link = |kind: Kind| format!("{path}/{}", kind.name());
        ok(shape.alone(json!({
            "_links": {"self": format!("{}{path}", shape.base)},
            "_expandable": {
                "page": link(Kind::Page),
                "attachment": link(Kind::Attachment),
                "comment": link(Kind::Comment),
            },
        })))
    })
}

/// `GET /content/{id}/descendant/{type}`: whatever is below a content and current.
pub(super) async fn descendants_of_kind(
    State(site): State<Arc<Site>>,
    Path((id, kind)): Path<(String, String)>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let kind = Kind::named(&kind)
            .ok_or_else(|| Failure::bad(format!("Unknown content type : {kind}")))?;
        let filter = descendants_of(row.id, kind);
        let total = db.count_contents(&filter)?;
        let path = format!("/rest/api/content/{id}/descendant/{}", kind.name());
        let list = (ListOf::Children, &filter, "id");
        answer_list(db, shape, &query, list, total, &path)
    })
}

/// `GET /content/{id}/restriction/byOperation/{operation}`.
pub(super) async fn restriction(
    State(site): State<Arc<Site>>,
    Path((id, operation)): Path<(String, String)>,
) -> Answer {
    with(&site, |db, shape| {
        let row = content_for(db, &id, ANY)?;
        let path = format!("/rest/api/content/{id}");
        let asked = format!("{operation}.restrictions");
        let expand = Expand::parse([asked.as_str()].into_iter());
        let mut both = shape.restrictions(row.id, &expand, &path)?;
        match both[&operation].take() {
            serde_json::Value::Null => Err(Failure::bad(format!(
                "Unknown operation of a restriction: \"{operation}\"."
            ))),
            one => ok(shape.alone(one)),
        }
    })
}

/// `/display/{key}`: the homepage of a space.
pub(super) async fn space(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    with(&site, |db, shape| {
        let space = space_for(db, &key, Need::Read)?;
        let home = match space.homepage {
            Some(id) => db.content(id)?,
            None => None,
        };
        page(db, shape, &space, home.as_ref())
    })
}

/// `/display/{key}/{title}`: a page by its title, in which a plus stands for a space.
pub(super) async fn titled(
    State(site): State<Arc<Site>>,
    Path((key, title)): Path<(String, String)>,
) -> Answer {
    with(&site, |db, shape| {
        let space = space_for(db, &key, Need::Read)?;
        let mut found = None;
        for title in [title.replace('+', " "), title] {
            let mut filter = Filter::default();
            filter.and(
                "space = ? AND status = 0 AND kind = 0 AND title = ? COLLATE NOCASE",
                [space.id.into(), title.into()],
            );
            let first = Rows {
                offset: 0,
                count: 1,
            };
            found = found.or(db.contents(&filter, "id", first)?.pop());
        }
        let row = found.ok_or_else(|| Failure::missing("There is no such page"))?;
        page(db, shape, &space, Some(&row))
    })
}

/// `/pages/viewpage.action?pageId=`, and the same with `viewpageattachments`: any content by its id.
pub(super) async fn by_id(State(site): State<Arc<Site>>, query: Query) -> Answer {
    let id = query.first("pageId").unwrap_or_default();
    with(&site, |db, shape| page_of(db, shape, id))
}

/// `/x/{id}`: the short address of a page, its id in hexadecimal.
pub(super) async fn short(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let id = i64::from_str_radix(&id, 16).unwrap_or(0).to_string();
    with(&site, |db, shape| page_of(db, shape, &id))
}

fn page_of(db: &Connection, shape: &Shape<'_>, id: &str) -> Answer {
    let row = content_for(db, id, ANY)?;
    let space = db.space_by_id(row.space)?;
    let space = space.ok_or_else(|| Failure::missing("There is no such space"))?;
    page(db, shape, &space, Some(&row))
}

fn page(db: &Connection, shape: &Shape<'_>, space: &SpaceRow, row: Option<&ContentRow>) -> Answer {
    let (title, body) = match row {
        Some(row) => (row.title.as_str(), shape.rendered(row)?),
        None => (space.name.as_str(), String::new()),
    };
    let comments = match row {
        Some(row) => db.count_contents(&descendants_of(row.id, Kind::Comment))?,
        None => 0,
    };
    let html = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{title} - {name}</title></head>\
         <body><h1>{title}</h1>{body}<p>Comments: {comments}</p></body></html>\n",
        title = view::escape(title),
        name = view::escape(&space.name),
    );
    Ok(Html(html).into_response())
}

/// `/images/…`: one picture stands for each.
pub(super) async fn picture() -> impl IntoResponse {
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"48\" height=\"48\">\
               <circle cx=\"24\" cy=\"24\" r=\"20\" fill=\"#7a869a\"/></svg>\n";
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg)
}
