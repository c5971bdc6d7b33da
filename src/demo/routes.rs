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

use super::behaviour::Generation;
use super::site::Site;

pub(super) mod answer;
mod backups;
mod content;
mod named;
mod people;
mod ranged;
mod space;
mod space_parts;
mod system;

use self::answer::{Failure, Query};
pub(super) use backups::forget_interrupted;

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
