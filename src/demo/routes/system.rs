//! The site itself: who one is, what the server is, whether it takes writes, long tasks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::answer::{Answer, Failure, ok, with, write};
use crate::demo::behaviour::Generation;
use crate::demo::behaviour::{Behaviour, Deletion};
use crate::demo::permissions::ONE_USER;
use crate::demo::site::Site;
use crate::demo::store::{Store, delete_space};

/// `GET /user/current`.
pub(super) async fn current_user(State(site): State<Arc<Site>>) -> Answer {
    with(&site, |db, shape| {
        if shape.behaviour.anonymous {
            return ok(json!({
                "type": "anonymous",
                "profilePicture": {
                    "path": format!("{}/images/icons/profilepics/anonymous.svg", shape.context),
                    "width": 48, "height": 48, "isDefault": true,
                },
                "displayName": "Anonymous",
                "_links": {"base": shape.base, "context": shape.context},
            }));
        }
        let person = db.person_named(ONE_USER.0)?;
        let mut user = shape.person(person.map(|person| person.id))?;
        user["_links"]["base"] = json!(shape.base);
        user["_links"]["context"] = json!(shape.context);
        ok(user)
    })
}

fn version(generation: Generation) -> (&'static str, u32) {
    match generation {
        Generation::Ten => ("10.2.1", 10_201),
        Generation::Nine => ("9.2.4", 9_111),
        Generation::Seven => ("7.19.16", 8_804),
    }
}

/// `GET /server-information`.
pub(super) async fn server_information(State(site): State<Arc<Site>>) -> Answer {
    with(&site, |_, shape| {
        let (version, build) = version(shape.generation);
        ok(json!({
            "version": version,
            "buildNumber": build.to_string(),
            "baseUrl": shape.base,
            "title": "Confluence",
        }))
    })
}

/// `GET /rest/applinks/1.0/manifest`: XML, unless JSON is asked for.
pub(super) async fn manifest(State(site): State<Arc<Site>>, headers: HeaderMap) -> Answer {
    let wants_json = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("json"));
    with(&site, |_, shape| {
        let (version, build) = version(shape.generation);
        let base = &shape.base;
        if wants_json {
            return ok(json!({
                "id": "5f1c1a3e-6a5b-3c9d-8e2f-c0a1c1e00001",
                "name": "Confluence",
                "typeId": "confluence",
                "version": version,
                "buildNumber": build,
                "applinksVersion": "9.0.0",
                "url": base,
                "publicSignup": false,
            }));
        }
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><manifest>\
             <id>5f1c1a3e-6a5b-3c9d-8e2f-c0a1c1e00001</id><name>Confluence</name>\
             <typeId>confluence</typeId><version>{version}</version>\
             <buildNumber>{build}</buildNumber><url>{base}</url></manifest>"
        );
        Ok(([(header::CONTENT_TYPE, "application/xml")], xml).into_response())
    })
}

/// `GET /accessmode`.
pub(super) async fn access_mode(State(site): State<Arc<Site>>) -> Answer {
    let mode = if site.behaviour().read_only {
        "READ_ONLY"
    } else {
        "READ_WRITE"
    };
    Ok(Json(mode).into_response())
}

/// The id of a long task on the wire.
fn task_id(number: i64) -> String {
    format!("{number:08x}-5b1e-4c0a-9f00-{:012x}", number * 7919)
}

/// A deletion that is under way or has ended.
struct Task {
    number: i64,
    space: String,
    looks: u32,
    ended: bool,
}

/// Starts the deletion of a space, or finds the one under way; answers the body of the 202.
pub(super) fn start_deletion(
    db: &Connection,
    key: &str,
    base: &str,
    real: bool,
) -> Result<Value, Failure> {
    let running: Option<i64> = db
        .query_row(
            "SELECT number FROM task WHERE space = ? AND ended = 0",
            [key],
            |row| row.get(0),
        )
        .optional()?;
    let number = match running {
        Some(number) => number,
        None => {
            db.execute(
                "INSERT INTO task (space, looks, ended) VALUES (?, 0, 0)",
                [key],
            )?;
            db.last_insert_rowid()
        }
    };
    let id = task_id(number);
    let status = format!("/rest/api/longtask/{id}");
    Ok(if real {
        json!({"id": id, "links": {"status": status}})
    } else {
        json!({
            "id": id,
            "links": {"status": status, "result": format!("{base}{status}/status")},
            "resultPath": format!("{status}/result"),
            "statusPath": format!("{status}/status"),
        })
    })
}

/// A look at the space of a deletion moves it on as well: a client that lost the 202 asks for the
/// space, and must not wait for ever.
pub(super) fn look_at_space(db: &Connection, key: &str, now: &Behaviour) -> Result<(), Failure> {
    let task = db
        .query_row(
            "SELECT number, space, looks, ended FROM task WHERE space = ? AND ended = 0",
            [key],
            task_row,
        )
        .optional()?;
    if let Some(mut task) = task {
        advance(db, &mut task, now)?;
    }
    Ok(())
}

fn task_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Task> {
    Ok(Task {
        number: row.get(0)?,
        space: row.get(1)?,
        looks: row.get(2)?,
        ended: row.get(3)?,
    })
}

fn advance(db: &Connection, task: &mut Task, now: &Behaviour) -> Result<(), Failure> {
    task.looks += 1;
    let over = task.looks >= now.deletion_looks;
    match now.deletion {
        Deletion::Succeeds | Deletion::Expires if over => {
            task.ended = true;
            if let Some(space) = db.space(&task.space)? {
                delete_space(db, space.id)?;
            }
        }
        Deletion::Fails | Deletion::Vanishes if over => task.ended = true,
        _ => {}
    }
    db.execute(
        "UPDATE task SET looks = ?, ended = ? WHERE number = ?",
        params![task.looks, task.ended, task.number],
    )?;
    Ok(())
}

/// `GET /longtask/{id}/status` and `/result`: the same, by the addresses that a deletion names.
pub(super) async fn part_of_long_task(
    site: State<Arc<Site>>,
    Path((id, part)): Path<(String, String)>,
) -> Answer {
    if ["status", "result"].contains(&part.as_str()) {
        long_task(site, Path(id)).await
    } else {
        Err(Failure::missing(format!("A task has no {part}")))
    }
}

/// `GET /longtask/{id}`. Each look moves it on; nothing depends on time.
pub(super) async fn long_task(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Answer {
    let missing = || Failure::missing(format!("No task with id : {id}"));
    write(&site, |db, shape| {
        let number = id
            .split('-')
            .next()
            .and_then(|digits| i64::from_str_radix(digits, 16).ok())
            .filter(|number| task_id(*number) == id)
            .ok_or_else(missing)?;
        let mut task = db
            .query_row(
                "SELECT number, space, looks, ended FROM task WHERE number = ?",
                [number],
                task_row,
            )
            .optional()?
            .ok_or_else(missing)?;
        let now = shape.behaviour;
        if !task.ended {
            advance(db, &mut task, now)?;
        }
        let gone = match now.deletion {
            Deletion::Expires => task.ended,
            Deletion::Vanishes => task.looks > 1,
            Deletion::Succeeds | Deletion::Fails | Deletion::Stalls | Deletion::StallsWithError => {
                false
            }
        };
        if gone {
            return Ok(Err(missing()));
        }
        let running = (100 * task.looks / now.deletion_looks.max(1)).min(99);
        let (percentage, successful) = match (now.deletion, task.ended) {
            (Deletion::Fails, true) => (100, false),
            (_, true) => (100, true),
            (Deletion::Stalls, false) => (running.min(60), true),
            (Deletion::StallsWithError, false) => (running.min(60), false),
            (_, false) => (running, true),
        };
        let message = |text: String| json!({"translation": text, "args": []});
        let mut messages = vec![message(format!("Deleting space {}.", task.space))];
        match (now.deletion, task.ended) {
            (Deletion::Fails, true) => messages.push(message(format!(
                "There was an error while deleting space {}.",
                task.space
            ))),
            (Deletion::StallsWithError, _) => {
                messages.push(message("Error: the database did not answer.".to_owned()));
            }
            (_, true) => messages.push(json!({"translation": null, "args": [task.space]})),
            (_, false) => {}
        }
        Ok(Ok(json!({
            "id": id,
            "name": {"key": "space.delete", "translation": "Space deletion", "args": [task.space]},
            "elapsedTime": task.looks * 750,
            "percentageComplete": percentage,
            "successful": successful,
            "messages": messages,
            "_links": {"self": format!("{}/rest/api/longtask/{id}", shape.base)},
        })))
    })?
    .and_then(ok)
}
