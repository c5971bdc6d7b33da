//! What hangs on a space besides its content: permissions, labels and categories.

use std::sync::Arc;

use axum::extract::{Path, State};
use rusqlite::params;

use super::answer::{Answer, Failure, Need, Query, no_content, ok, space_for, with, write};
use crate::demo::json::Slice;
use crate::demo::percent::encoded;
use crate::demo::site::Site;

/// `GET /space/{key}/permissions`: for its administrators.
pub(super) async fn permissions(State(site): State<Arc<Site>>, Path(key): Path<String>) -> Answer {
    with(&site, |db, shape| {
        let space = space_for(db, &key, Need::Administer)?;
        ok(shape.permissions(&space)?)
    })
}

/// `GET /space/{key}/labels`, and `label`, which is what older servers name: categories are among
/// them, with the prefix `team`.
pub(super) async fn labels(
    State(site): State<Arc<Site>>,
    Path(key): Path<String>,
    query: Query,
) -> Answer {
    with(&site, |db, shape| {
        let space = space_for(db, &key, Need::Read)?;
        let all = shape.space_labels(&space)?;
        let slice = Slice::new(
            query.number("start", 0)?,
            query.number("limit", 200)?,
            200,
            all.len() as u64,
            shape.behaviour,
        );
        let window = all
            .into_iter()
            .skip(slice.rows.offset as usize)
            .take(slice.rows.count as usize);
        let path = format!("/rest/api/space/{}/label", encoded(&space.key));
        ok(shape.page(window.collect(), &slice, &path, &query.0))
    })
}

/// `POST /space/{key}/category/{name}`: a second time changes nothing.
pub(super) async fn add_category(
    State(site): State<Arc<Site>>,
    Path((key, name)): Path<(String, String)>,
) -> Answer {
    write(&site, |db, _| {
        let space = space_for(db, &key, Need::Administer)?;
        let name = category(&name)?;
        db.execute(
            "INSERT OR IGNORE INTO space_category VALUES (?, ?)",
            params![space.id, name],
        )?;
        no_content()
    })
}

/// `DELETE /space/{key}/category/{name}`.
pub(super) async fn remove_category(
    State(site): State<Arc<Site>>,
    Path((key, name)): Path<(String, String)>,
) -> Answer {
    write(&site, |db, _| {
        let space = space_for(db, &key, Need::Administer)?;
        let name = category(&name)?;
        let removed = db.execute(
            "DELETE FROM space_category WHERE space = ? AND name = ?",
            params![space.id, name],
        )?;
        if removed == 0 {
            return Err(Failure::missing(format!(
                "The space {key} has no category : {name}"
            )));
        }
        no_content()
    })
}

/// A category as it is kept.
fn category(name: &str) -> Result<String, Failure> {
    let is_one = !name.is_empty()
        && name.chars().count() <= 255
        && !name.contains(|c: char| c.is_whitespace() || ":;,.?&[(#^*@!".contains(c));
    if is_one {
        Ok(name.to_lowercase())
    } else {
        Err(Failure::invalid(vec![format!(
            "The category \"{name}\" must be 1 to 255 characters, without spaces and punctuation."
        )]))
    }
}
