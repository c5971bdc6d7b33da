//! `backup-restore`: a space written out by the server itself, downloaded, and read in again.
//!
//! A job's work is done on a thread of its own; what its state says moves on with each look, so that
//! nothing depends on time but the work itself. Files lie beside the data file, or nowhere but in
//! memory's place on the disk where there is none: they go with the server.

use std::io::{self, Read, Write};
use std::sync::Arc;

use axum::extract::{Multipart, Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::answer::{Answer, Failure, Need, Query, Sent, now, ok, space_for, with, write};
use super::ranged::Ranged;
use crate::demo::behaviour::{FullBackup, FullRestore};
use crate::demo::export::{self, Export, Import};
use crate::demo::file_bytes;
use crate::demo::job_files::{Outcome, ReadAt};
use crate::demo::json::Shape;
use crate::demo::permissions::ONE_USER;
use crate::demo::site::Site;
use crate::demo::store::Store;

/// So many pieces of files are kept in one transaction: one for each would have the disk write them all
/// the time.
const AT_ONCE: usize = 128;

/// A job as kept.
struct JobRow {
    id: i64,
    operation: String,
    spaces: Vec<String>,
    state: String,
    looks: u32,
    created: i64,
    started: Option<i64>,
    finished: Option<i64>,
    cancelled: Option<i64>,
    error: Option<String>,
    file: Option<String>,
    kept: bool,
    total: i64,
    done: i64,
}

const JOB: &str = "id, operation, spaces, state, looks, created, started, finished, cancelled, \
                   error, file, kept, total, done";

fn job_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<JobRow> {
    let spaces: String = row.get(2)?;
    Ok(JobRow {
        id: row.get(0)?,
        operation: row.get(1)?,
        spaces: serde_json::from_str(&spaces).unwrap_or_default(),
        state: row.get(3)?,
        looks: row.get(4)?,
        created: row.get(5)?,
        started: row.get(6)?,
        finished: row.get(7)?,
        cancelled: row.get(8)?,
        error: row.get(9)?,
        file: row.get(10)?,
        kept: row.get(11)?,
        total: row.get(12)?,
        done: row.get(13)?,
    })
}

impl JobRow {
    fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "FINISHED" | "CANCELLED" | "FAILED")
    }

    /// Whether its work is done, though its state does not say so yet.
    fn is_ready(&self) -> bool {
        self.done >= self.total
    }

    fn has_file(&self) -> bool {
        self.operation == "BACKUP" && self.state == "FINISHED"
    }

    fn body(&self, shape: &Shape<'_>, has_file: bool) -> Value {
        let time = |at: Option<i64>| at.map(|at| shape.time(at));
        let skips = shape.behaviour.full_backup == FullBackup::SkipsSome;
        json!({
            "id": self.id,
            "jobOperation": self.operation,
            "jobScope": "SPACE",
            "jobState": self.state,
            "createTime": shape.time(self.created),
            "startProcessingTime": time(self.started),
            "finishProcessingTime": time(self.finished),
            "cancelTime": time(self.cancelled),
            "errorMessage": self.error,
            "owner": ONE_USER.0,
            "fileName": self.file,
            "fileExists": has_file,
            "spaceKeys": self.spaces,
            "jobSettings": {"spaceKeys": self.spaces, "keepPermanently": self.kept},
            "statistics": {
                "totalObjectsCount": self.total,
                "processedObjectsCount": self.done.min(self.total),
                "persistedObjectsCount": self.done.min(self.total),
                "skippedObjectsCount": if skips { 3 } else { 0 },
                "reusedObjectsCount": 0,
            },
            "_links": {"self": format!("{}/rest/api/backup-restore/jobs/{}", shape.base, self.id)},
        })
    }
}

/// What a job that was under way when the server ended has become.
pub(crate) fn forget_interrupted(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE backup_job SET state = 'FAILED', error = 'The server was restarted.' \
         WHERE state NOT IN ('FINISHED', 'CANCELLED', 'FAILED')",
        [],
    )?;
    db.execute(
        "DELETE FROM file_piece WHERE content NOT IN (SELECT id FROM content)",
        [],
    )?;
    Ok(())
}

fn job(db: &Connection, id: &str) -> Result<JobRow, Failure> {
    // Documented: 403 also where there is none.
    let missing = || Failure::forbidden(format!("No job with id {id}, or no right to see it."));
    let number: i64 = id
        .parse()
        .map_err(|_| Failure::bad(format!("A job's id is a number, not {id}")))?;
    db.query_row(
        &format!("SELECT {JOB} FROM backup_job WHERE id = ?"),
        [number],
        job_row,
    )
    .optional()?
    .ok_or_else(missing)
}

fn set_state(db: &Connection, id: i64, state: &str, error: Option<&str>) -> rusqlite::Result<()> {
    let column = match state {
        "PROCESSING" => "started",
        "CANCELLED" => "cancelled",
        _ => "finished",
    };
    let sql = format!("UPDATE backup_job SET state = ?, error = ?, {column} = ? WHERE id = ?");
    db.execute(&sql, params![state, error, now(), id])?;
    Ok(())
}

/// Ends a job. A server that is being stopped says nothing: its next start finds the job interrupted.
fn end(site: &Site, job: i64, result: Result<(), export::NotAnExport>) {
    if site.is_stopping() {
        return;
    }
    let error = result.err().map(|error| error.to_string());
    site.outcomes().push(Outcome { job, error });
    settle(site);
}

/// Writes down how jobs ended. While the data file takes nothing, as on a full disk, the outcomes wait for
/// the next request about a job, so that none counts as running for ever.
fn settle(site: &Site) {
    let db = site.db();
    settle_in(&db, &mut site.outcomes());
}

fn settle_in(db: &Connection, outcomes: &mut Vec<Outcome>) {
    outcomes.retain(|Outcome { job, error }| {
        let written = match error {
            None => db
                .execute("UPDATE backup_job SET done = total WHERE id = ?", [job])
                .map(drop),
            Some(error) => set_state(db, *job, "FAILED", Some(error)),
        };
        written.is_err()
    });
}

/// `POST /backup-restore/backup/space`.
pub(super) async fn back_up(State(site): State<Arc<Site>>, Sent(body): Sent) -> Answer {
    let behaviour = site.behaviour().full_backup;
    match behaviour {
        FullBackup::Forbidden => {
            return Err(Failure::forbidden(
                "You are not permitted to back up a space.",
            ));
        }
        FullBackup::SwitchedOff => {
            return Err(Failure::forbidden(
                "Backup and restore is disabled by an administrator.",
            ));
        }
        _ => {}
    }
    settle(&site);
    let (id, export, answer) = write(&site, |db, shape| {
        let keys: Vec<String> = body["spaceKeys"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        let [key] = keys.as_slice() else {
            return Err(Failure::invalid(vec![
                "spaceKeys must name one space.".to_owned(),
            ]));
        };
        let space = space_for(db, key, Need::Administer)?;
        let running: Option<i64> = db
            .query_row(
                "SELECT id FROM backup_job WHERE spaces = ? AND operation = 'BACKUP' \
                 AND state NOT IN ('FINISHED', 'CANCELLED', 'FAILED')",
                [json!([space.key]).to_string()],
                |row| row.get(0),
            )
            .optional()?;
        if running.is_some() || behaviour == FullBackup::Busy {
            return Err(Failure::conflict(format!(
                "A backup of the space {key} is queued or running already."
            )));
        }
        let scratch = site.files().scratch();
        let export = scratch.map_err(export::NotAnExport::File);
        let export = export
            .and_then(|scratch| Export::of(db, &space, scratch))
            .map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        let export = match behaviour {
            FullBackup::OtherSpace => Ok(export.of_another_space()),
            FullBackup::WithoutFiles => Ok(export.without_files()),
            FullBackup::EmptyFiles => Ok(export.with_empty_files()),
            FullBackup::Earlier => export.of_an_earlier_time(),
            FullBackup::LaidOutOtherwise => export.laid_out_otherwise(),
            _ => Ok(export),
        }
        .map_err(|error| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        let prefix = body["fileNamePrefix"].as_str().unwrap_or("Confluence");
        let file = format!("{prefix}-space-export-{}.zip", space.key);
        db.execute(
            "INSERT INTO backup_job (operation, spaces, state, looks, created, file, kept, total, \
             done) VALUES ('BACKUP', ?, 'QUEUED', 0, ?, ?, ?, ?, 0)",
            params![
                json!([space.key]).to_string(),
                now(),
                file,
                body["keepPermanently"].as_bool().unwrap_or(false),
                export.objects as i64,
            ],
        )?;
        let id = db.last_insert_rowid();
        let row = job(db, &id.to_string())?;
        Ok((id, export, row.body(shape, false)))
    })?;
    let worker = Arc::clone(&site);
    drop(tokio::task::spawn_blocking(move || {
        let written = write_file(&worker, id, export, behaviour);
        end(&worker, id, written);
    }));
    ok(answer)
}

fn write_file(
    site: &Site,
    id: i64,
    export: Export,
    behaviour: FullBackup,
) -> Result<(), export::NotAnExport> {
    let file = site.files().make(id)?;
    let mut file = export.write(file, |content, from, count| {
        if site.is_stopping() {
            return Err(io::Error::other("the server is being stopped"));
        }
        let db = site.db();
        file_bytes::read(&db, content, from, count).map_err(io::Error::other)
    })?;
    file.flush()?;
    if behaviour == FullBackup::Broken {
        let length = file.metadata()?.len();
        file.set_len(length / 2)?;
    }
    Ok(())
}

/// A look at a job moves it on, as far as its work has come.
fn look(db: &Connection, row: &mut JobRow, shape: &Shape<'_>) -> Result<(), Failure> {
    if row.is_over() {
        return Ok(());
    }
    row.looks += 1;
    db.execute(
        "UPDATE backup_job SET looks = ? WHERE id = ?",
        params![row.looks, row.id],
    )?;
    let now = shape.behaviour;
    let is_backup = row.operation == "BACKUP";
    let (stalls, fails) = if is_backup {
        (
            now.full_backup == FullBackup::Stalls,
            now.full_backup == FullBackup::Fails,
        )
    } else {
        (
            now.full_restore == FullRestore::Stalls,
            now.full_restore == FullRestore::Fails,
        )
    };
    let state = if row.state == "CANCELLING" {
        "CANCELLED"
    } else if stalls || row.looks < now.job_looks {
        "PROCESSING"
    } else if fails {
        "FAILED"
    } else if row.is_ready() {
        "FINISHED"
    } else {
        "COMPLETING"
    };
    if state != row.state {
        let error = fails.then_some("Out of memory while the space was processed.");
        set_state(db, row.id, state, error)?;
    }
    *row = job(db, &row.id.to_string())?;
    Ok(())
}

/// `GET /backup-restore/jobs/{id}`.
pub(super) async fn one(State(site): State<Arc<Site>>, UrlPath(id): UrlPath<String>) -> Answer {
    settle(&site);
    write(&site, |db, shape| {
        let mut row = job(db, &id)?;
        look(db, &mut row, shape)?;
        let has_file = row.has_file() && shape.behaviour.full_backup != FullBackup::NoFile;
        let mut body = row.body(shape, has_file);
        let (backup, restore) = (shape.behaviour.full_backup, shape.behaviour.full_restore);
        if backup == FullBackup::TellsOfAnother || restore == FullRestore::TellsOfAnother {
            body["spaceKeys"] = json!(["OTHER"]);
        } else if backup == FullBackup::TellsOfARestore {
            body["jobOperation"] = json!("RESTORE");
        }
        ok(body)
    })
}

/// `GET /backup-restore/jobs?spaceKey=&jobStates=&jobOperation=&jobScope=&limit=`: the newest first.
pub(super) async fn list(State(site): State<Arc<Site>>, query: Query) -> Answer {
    with(&site, |db, shape| {
        let limit = query.number("limit", 25)? as usize;
        let states = query.listed(&["jobStates"]);
        let key = query.first("spaceKey").filter(|key| !key.is_empty());
        let operation = query.first("jobOperation").filter(|it| !it.is_empty());
        let mut found = Vec::new();
        let sql = format!("SELECT {JOB} FROM backup_job ORDER BY id DESC");
        for row in db.prepare_cached(&sql)?.query_map([], job_row)? {
            let row = row?;
            let fits = key
                .is_none_or(|key| row.spaces.iter().any(|it| it.eq_ignore_ascii_case(key)))
                && (states.is_empty() || states.contains(&row.state.as_str()))
                && operation.is_none_or(|it| row.operation == it);
            if fits && found.len() < limit {
                found.push(row.body(shape, row.has_file()));
            }
        }
        ok(json!(found))
    })
}

/// `PUT /backup-restore/jobs/{id}/cancel`.
pub(super) async fn cancel(State(site): State<Arc<Site>>, UrlPath(id): UrlPath<String>) -> Answer {
    write(&site, |db, shape| {
        let row = job(db, &id)?;
        if !row.is_over() {
            set_state(db, row.id, "CANCELLING", None)?;
        }
        ok(job(db, &id)?.body(shape, false))
    })
}

/// `GET /backup-restore/jobs/{id}/download`: the file, or a range of it.
pub(super) async fn download(
    State(site): State<Arc<Site>>,
    UrlPath(id): UrlPath<String>,
    asked: HeaderMap,
) -> Answer {
    let missing = || Failure::missing(format!("No file of job {id}"));
    let (name, number) = with(&site, |db, shape| {
        let row = job(db, &id)?;
        if !row.has_file() || shape.behaviour.full_backup == FullBackup::NoFile {
            return Err(missing());
        }
        Ok((row.file.unwrap_or_default(), row.id))
    })?;
    let mut file = site.files().get(number).ok_or_else(missing)?;
    let ranged = Ranged {
        name: &name,
        media_type: "application/zip",
        tag: format!("\"{number}-{}\"", file.length),
        length: file.length,
    };
    Ok(ranged.answer(&asked, move |from, count| {
        let mut piece = vec![0; count as usize];
        file.place = from;
        let read = file.read(&mut piece)?;
        piece.truncate(read);
        Ok(piece)
    }))
}

/// `POST /backup-restore/restore/space/upload`: a zip as part `file` of a form.
pub(super) async fn upload(State(site): State<Arc<Site>>, mut form: Multipart) -> Answer {
    let behaviour = site.behaviour().full_restore;
    if behaviour == FullRestore::Forbidden {
        return Err(Failure::forbidden(
            "You are not permitted to restore a space.",
        ));
    }
    let broken = |error: &dyn std::fmt::Display| {
        Failure::bad(format!("The upload could not be read: {error}"))
    };
    let mut taken = None;
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        if field.name() != Some("file") {
            continue;
        }
        let name = field.file_name().unwrap_or("upload.zip").to_owned();
        let mut file = site.files().scratch().map_err(|error| broken(&error))?;
        while let Some(bytes) = field.chunk().await.map_err(|error| broken(&error))? {
            file.write_all(&bytes).map_err(|error| broken(&error))?;
        }
        taken = Some((name, file));
    }
    let (name, file) = taken.ok_or_else(|| Failure::bad("The form has no part named file."))?;
    let length = file.metadata().map_err(|error| broken(&error))?.len();
    let zip = ReadAt {
        file: Arc::new(file),
        place: 0,
        length,
    };
    let key = export::key_in(zip.clone()).map_err(|error| Failure::bad(error.to_string()))?;
    let (id, answer) = write(&site, |db, shape| {
        db.execute(
            "INSERT INTO backup_job (operation, spaces, state, looks, created, file, kept, total, \
             done) VALUES ('RESTORE', ?, 'QUEUED', 0, ?, ?, 0, 1, 0)",
            params![json!([key]).to_string(), now(), name],
        )?;
        let id = db.last_insert_rowid();
        Ok((id, job(db, &id.to_string())?.body(shape, false)))
    })?;
    let worker = Arc::clone(&site);
    drop(tokio::task::spawn_blocking(move || {
        let restored = if matches!(behaviour, FullRestore::Fails | FullRestore::Stalls) {
            Ok(())
        } else {
            read_in(&worker, id, zip, &key, behaviour == FullRestore::Half)
        };
        end(&worker, id, restored);
    }));
    ok(answer)
}

fn read_in(
    site: &Site,
    id: i64,
    zip: ReadAt,
    key: &str,
    half: bool,
) -> Result<(), export::NotAnExport> {
    let mut import = Import::read(zip, half)?;
    {
        let db = site.db();
        if db.space(key)?.is_some() {
            return Err(export::NotAnExport::taken(key));
        }
        let objects = import.objects() as i64;
        db.execute(
            "UPDATE backup_job SET total = ? WHERE id = ?",
            [objects.max(1), id],
        )?;
        import.reserve(&db)?;
    }
    let put = put_in(site, &mut import, key);
    if put.is_err() {
        import.forget_files(&site.db())?;
    }
    put
}

fn put_in(site: &Site, import: &mut Import<ReadAt>, key: &str) -> Result<(), export::NotAnExport> {
    let mut pieces = Vec::new();
    import.files(|content, number, bytes| {
        if site.is_stopping() {
            return Err(interrupted());
        }
        pieces.push((content, number, bytes.to_vec()));
        if pieces.len() < AT_ONCE {
            return Ok(());
        }
        keep(site, &mut pieces)
    })?;
    keep(site, &mut pieces)?;
    let db = site.db();
    let tx = db.unchecked_transaction()?;
    if tx.space(key)?.is_some() {
        return Err(export::NotAnExport::taken(key));
    }
    import.insert(&tx)?;
    tx.commit()?;
    Ok(())
}

/// What ends the work on the data file when the server is stopped.
fn interrupted() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT);
    rusqlite::Error::SqliteFailure(code, Some("the server is being stopped".to_owned()))
}

/// Keeps pieces of files, which are nobody's until the rows are in.
fn keep(site: &Site, pieces: &mut Vec<(i64, i64, Vec<u8>)>) -> rusqlite::Result<()> {
    let db = site.db();
    let tx = db.unchecked_transaction()?;
    for (content, number, bytes) in pieces.drain(..) {
        file_bytes::write_piece(&tx, content, number, &bytes)?;
    }
    tx.commit()
}

#[cfg(test)]
mod tests {
    use super::super::super::store::{self, Place};
    use super::*;

    #[test]
    fn a_job_that_ends_while_the_data_file_takes_nothing_is_over_once_it_does() {
        let (mut db, _) = store::open(Place::Memory).unwrap();
        store::fill(&mut db, |_| Ok::<(), rusqlite::Error>(())).unwrap();
        db.execute(
            "INSERT INTO backup_job (operation, spaces, state, looks, created, kept, total, done) \
             VALUES ('BACKUP', '[\"ENG\"]', 'PROCESSING', 1, 0, 0, 5, 0)",
            [],
        )
        .unwrap();
        let id = db.last_insert_rowid();
        let mut outcomes = vec![Outcome {
            job: id,
            error: Some("the disk is full".to_owned()),
        }];
        let is_over = || job(&db, &id.to_string()).is_ok_and(|row| row.is_over());
        db.pragma_update(None, "query_only", true).unwrap();
        settle_in(&db, &mut outcomes);
        assert!(!is_over());
        db.pragma_update(None, "query_only", false).unwrap();
        settle_in(&db, &mut outcomes);
        assert!(is_over());
        assert!(outcomes.is_empty());
    }
}
