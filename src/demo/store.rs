//! The data: SQLite's schema, its rows, and the queries that several routes need.
//!
//! It knows nothing of HTTP or JSON. Every list that a route pages through has an index that holds
//! it in order, and the counts of content are kept by triggers, so that any page of a space with a
//! million items is found without a walk over all of them.

use std::path::Path;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter};

use super::permissions;

/// The first ids: far from 1, as on a server that has lived.
pub(super) const FIRST_SPACE: i64 = 98_305;
pub(super) const FIRST_CONTENT: i64 = 393_217;

/// The layout of a data file, kept as its `user_version`.
const LAYOUT: i64 = 1;

const TABLES: &str = "
CREATE TABLE person (
  id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE space (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL,
  personal INTEGER NOT NULL, archived INTEGER NOT NULL, description TEXT NOT NULL,
  homepage INTEGER, creator INTEGER, created INTEGER NOT NULL, modifier INTEGER,
  modified INTEGER NOT NULL, favourite INTEGER NOT NULL, retention TEXT, access INTEGER NOT NULL);
CREATE TABLE space_label (
  space INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (space, name)) WITHOUT ROWID;
CREATE TABLE content (
  id INTEGER PRIMARY KEY AUTOINCREMENT, space INTEGER NOT NULL, kind INTEGER NOT NULL,
  status INTEGER NOT NULL, parent INTEGER, position INTEGER, title TEXT NOT NULL,
  version INTEGER NOT NULL, creator INTEGER, created INTEGER NOT NULL, modifier INTEGER,
  modified INTEGER NOT NULL, body TEXT);
CREATE TABLE file (content INTEGER PRIMARY KEY, media_type TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE content_label (
  content INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (content, name)) WITHOUT ROWID;
CREATE TABLE restriction (
  content INTEGER NOT NULL, operation TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (content, operation, subject, name)) WITHOUT ROWID;
CREATE TABLE task (
  number INTEGER PRIMARY KEY, space TEXT NOT NULL, looks INTEGER NOT NULL, ended INTEGER NOT NULL);
CREATE TABLE tally (
  space INTEGER NOT NULL, status INTEGER NOT NULL, kind INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (space, status, kind)) WITHOUT ROWID;
";

/// What a file made by an earlier version may lack. No row of it is needed to understand another.
const LATER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS old_version (
  content INTEGER NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL, body TEXT,
  modifier INTEGER, modified INTEGER NOT NULL, PRIMARY KEY (content, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS extension (
  content INTEGER PRIMARY KEY, location TEXT, resolution TEXT, marker TEXT, selection TEXT,
  note TEXT);
CREATE TABLE IF NOT EXISTS backup_job (
  id INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, spaces TEXT NOT NULL,
  state TEXT NOT NULL, looks INTEGER NOT NULL, created INTEGER NOT NULL, started INTEGER,
  finished INTEGER, cancelled INTEGER, error TEXT, file TEXT, kept INTEGER NOT NULL,
  total INTEGER NOT NULL, done INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS account (person INTEGER PRIMARY KEY, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS team (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS membership (
  team TEXT NOT NULL, username TEXT NOT NULL, PRIMARY KEY (team, username)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS space_permission (
  id INTEGER PRIMARY KEY, space INTEGER NOT NULL, operation TEXT NOT NULL, target TEXT NOT NULL,
  subject TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (space, operation, target, subject, name));
CREATE TABLE IF NOT EXISTS space_category (
  space INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (space, name)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS space_category_name ON space_category (name);
CREATE VIEW IF NOT EXISTS label_of_space AS
  SELECT space, 'global' AS prefix, name FROM space_label
  UNION ALL SELECT space, 'team', name FROM space_category;
";

/// Whoever a restriction, a permission or a group names is there, however it came to be named.
const NAMED_ARE_THERE: &str = "
CREATE TRIGGER IF NOT EXISTS restricted_to_group AFTER INSERT ON restriction
  WHEN new.subject = 'group' BEGIN INSERT OR IGNORE INTO team VALUES (new.name); END;
CREATE TRIGGER IF NOT EXISTS restricted_to_user AFTER INSERT ON restriction
  WHEN new.subject = 'user' BEGIN
  INSERT OR IGNORE INTO person (username, name) VALUES (new.name, new.name); END;
CREATE TRIGGER IF NOT EXISTS permitted_to_group AFTER INSERT ON space_permission
  WHEN new.subject = 'group' BEGIN INSERT OR IGNORE INTO team VALUES (new.name); END;
CREATE TRIGGER IF NOT EXISTS permitted_to_user AFTER INSERT ON space_permission
  WHEN new.subject = 'user' BEGIN
  INSERT OR IGNORE INTO person (username, name) VALUES (new.name, new.name); END;
CREATE TRIGGER IF NOT EXISTS member_of_group AFTER INSERT ON membership BEGIN
  INSERT OR IGNORE INTO team VALUES (new.team);
  INSERT OR IGNORE INTO person (username, name) VALUES (new.username, new.username); END;
";

/// What belongs to a space and goes with it, but for its content.
const OF_A_SPACE: [&str; 4] = ["space_label", "space_category", "space_permission", "tally"];
/// What belongs to a content and goes with it.
const OF_A_CONTENT: [&str; 6] = [
    "content_label",
    "restriction",
    "file",
    "file_piece",
    "old_version",
    "extension",
];

/// The bytes of files that were sent.
const FILE_PIECES: &str = "
CREATE TABLE file_piece (
  content INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (content, number));
";

/// How many bytes of a file stand in one row, at most.
pub(super) const PIECE: u64 = 65_536;

/// Made after a fresh wiki is filled: a sort at the end is quicker than an index kept all along.
const INDEXES: &str = "
CREATE INDEX content_in_space ON content (space, status, kind);
CREATE INDEX content_trash ON content (space) WHERE status = 1;
CREATE INDEX content_roots ON content (space, status, kind) WHERE parent IS NULL;
CREATE INDEX content_children ON content (parent, status, kind, position) WHERE parent IS NOT NULL;
CREATE INDEX content_title ON content (space, title COLLATE NOCASE) WHERE status = 0;
CREATE INDEX space_status ON space (archived, personal);
CREATE INDEX space_label_name ON space_label (name);
CREATE INDEX content_label_name ON content_label (name);
INSERT INTO tally SELECT space, status, kind, count(*) FROM content GROUP BY space, status, kind;
CREATE TRIGGER tally_insert AFTER INSERT ON content BEGIN
  INSERT INTO tally VALUES (new.space, new.status, new.kind, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER tally_delete AFTER DELETE ON content BEGIN
  UPDATE tally SET n = n - 1
    WHERE space = old.space AND status = old.status AND kind = old.kind;
END;
CREATE TRIGGER tally_update AFTER UPDATE OF space, status ON content BEGIN
  UPDATE tally SET n = n - 1
    WHERE space = old.space AND status = old.status AND kind = old.kind;
  INSERT INTO tally VALUES (new.space, new.status, new.kind, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
";

/// Where a wiki is kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// In memory, gone with the server.
    Memory,
    /// In a nameless file of SQLite's, gone with the server: for a wiki larger than memory should
    /// be.
    Scratch,
    /// In this file.
    File(&'a Path),
}

/// Whether a wiki was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It has no tables yet.
    Nothing,
    /// It is filled.
    Wiki,
}

/// Opens a wiki.
pub(super) fn open(place: Place<'_>) -> rusqlite::Result<(Connection, Found)> {
    let db = match place {
        Place::Memory => Connection::open_in_memory()?,
        Place::Scratch => Connection::open("")?,
        Place::File(path) => Connection::open(path)?,
    };
    db.set_prepared_statement_cache_capacity(128);
    if matches!(place, Place::File(_)) {
        take_alone(&db)?;
    }
    let layout: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match place {
        // Nobody needs these after a crash: no journal on disk.
        Place::Memory | Place::Scratch => {
            db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
        }
        Place::File(_) => {
            db.execute_batch("PRAGMA synchronous = NORMAL;")?;
            if layout == LAYOUT {
                let _: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
            }
        }
    }
    if matches!(place, Place::Memory) {
        // Files have no bounds: their bytes lie in a nameless file all the same.
        db.execute_batch(
            "ATTACH DATABASE '' AS files; PRAGMA files.journal_mode = MEMORY; \
             PRAGMA files.synchronous = OFF; \
             PRAGMA files.cache_size = -2048;",
        )?;
        db.execute_batch(&FILE_PIECES.replace("TABLE ", "TABLE files."))?;
    }
    // 32 MiB: enough for the upper levels of every index of a large wiki.
    db.execute_batch("PRAGMA cache_size = -32768;")?;
    match layout {
        0 => Ok((db, Found::Nothing)),
        LAYOUT => {
            let tx = db.unchecked_transaction()?;
            make_later_tables(&tx)?;
            tx.commit()?;
            Ok((db, Found::Wiki))
        }
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Takes the file for this process until it ends: what another would change in it, this one would not know.
fn take_alone(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::ZERO)?;
    db.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;")
}

fn make_later_tables(db: &Connection) -> rusqlite::Result<()> {
    let lacks_permissions = db.prepare("SELECT 1 FROM space_permission").is_err();
    db.execute_batch(LATER_TABLES)?;
    db.execute_batch(NAMED_ARE_THERE)?;
    if lacks_permissions {
        permissions::fill_in(db)?;
    }
    match db.prepare("SELECT 1 FROM file_piece") {
        Ok(_) => Ok(()),
        Err(_) => db.execute_batch(FILE_PIECES),
    }
}

/// Deletes a space with all that belongs to it.
pub(super) fn delete_space(db: &Connection, id: i64) -> rusqlite::Result<()> {
    let mut all = Filter::default();
    all.and("space = ?", [id.into()]);
    db.delete_contents(&all)?;
    for table in OF_A_SPACE {
        db.execute(&format!("DELETE FROM {table} WHERE space = ?"), [id])?;
    }
    db.execute("DELETE FROM space WHERE id = ?", [id])?;
    Ok(())
}

/// Fills a wiki without tables: all or nothing.
pub(super) fn fill<E: From<rusqlite::Error>>(
    db: &mut Connection,
    fill: impl FnOnce(&Connection) -> Result<(), E>,
) -> Result<(), E> {
    let tx = db.transaction()?;
    tx.execute_batch(TABLES)?;
    make_later_tables(&tx)?;
    fill(&tx)?;
    tx.execute_batch(INDEXES)?;
    tx.pragma_update(None, "user_version", LAYOUT)?;
    tx.commit()?;
    Ok(())
}

/// The type of a content, as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Page = 0,
    BlogPost = 1,
    Comment = 2,
    Attachment = 3,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::BlogPost => "blogpost",
            Self::Comment => "comment",
            Self::Attachment => "attachment",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Page, Self::BlogPost, Self::Comment, Self::Attachment]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    fn kept(number: i64) -> Self {
        match number {
            0 => Self::Page,
            1 => Self::BlogPost,
            2 => Self::Comment,
            _ => Self::Attachment,
        }
    }
}

/// The status of a content, as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Status {
    Current = 0,
    Trashed = 1,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Trashed => "trashed",
        }
    }
}

/// What the one user may do in a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    #[default]
    Admin = 0,
    /// Read and edit, but not administer: 403 on the trash, deletion, archive and changes.
    NotAdmin = 1,
    /// Nothing: the space answers 404 and is in no list.
    Hidden = 2,
}

/// A space as kept. Times are milliseconds since 1970.
#[derive(Clone, Debug)]
pub(super) struct SpaceRow {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) name: String,
    pub(super) personal: bool,
    pub(super) archived: bool,
    pub(super) description: String,
    pub(super) homepage: Option<i64>,
    pub(super) creator: Option<i64>,
    pub(super) created: i64,
    pub(super) modifier: Option<i64>,
    pub(super) modified: i64,
    pub(super) favourite: bool,
    pub(super) retention: Option<String>,
    pub(super) access: Access,
}

/// The columns of [`SpaceRow`], in order.
const SPACE: &str = "id, key, name, personal, archived, description, homepage, creator, created, \
                     modifier, modified, favourite, retention, access";

fn space_row(row: &Row<'_>) -> rusqlite::Result<SpaceRow> {
    Ok(SpaceRow {
        id: row.get(0)?,
        key: row.get(1)?,
        name: row.get(2)?,
        personal: row.get(3)?,
        archived: row.get(4)?,
        description: row.get(5)?,
        homepage: row.get(6)?,
        creator: row.get(7)?,
        created: row.get(8)?,
        modifier: row.get(9)?,
        modified: row.get(10)?,
        favourite: row.get(11)?,
        retention: row.get(12)?,
        access: match row.get::<_, i64>(13)? {
            0 => Access::Admin,
            1 => Access::NotAdmin,
            _ => Access::Hidden,
        },
    })
}

/// A content as kept, without its body.
#[derive(Clone, Debug)]
pub(super) struct ContentRow {
    pub(super) id: i64,
    pub(super) space: i64,
    pub(super) kind: Kind,
    pub(super) status: Status,
    pub(super) parent: Option<i64>,
    pub(super) position: Option<i64>,
    pub(super) title: String,
    pub(super) version: i64,
    pub(super) creator: Option<i64>,
    pub(super) created: i64,
    pub(super) modifier: Option<i64>,
    pub(super) modified: i64,
}

/// The columns of [`ContentRow`], in order.
const CONTENT: &str = "id, space, kind, status, parent, position, title, version, creator, \
                       created, modifier, modified";

fn content_row(row: &Row<'_>) -> rusqlite::Result<ContentRow> {
    Ok(ContentRow {
        id: row.get(0)?,
        space: row.get(1)?,
        kind: Kind::kept(row.get(2)?),
        status: if row.get::<_, i64>(3)? == 0 {
            Status::Current
        } else {
            Status::Trashed
        },
        parent: row.get(4)?,
        position: row.get(5)?,
        title: row.get(6)?,
        version: row.get(7)?,
        creator: row.get(8)?,
        created: row.get(9)?,
        modifier: row.get(10)?,
        modified: row.get(11)?,
    })
}

/// What has become of somebody's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Account {
    /// They can sign in.
    #[default]
    Active,
    /// An administrator has disabled it; it is listed all the same.
    Disabled,
    /// It was deleted: whoever wrote something is unknown.
    Gone,
}

impl Account {
    /// The name in a wiki's text, and as kept; an active one is not kept.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Gone => "gone",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Active, Self::Disabled, Self::Gone]
            .into_iter()
            .find(|account| account.name() == name)
    }
}

/// A person as kept.
#[derive(Clone, Debug)]
pub(super) struct PersonRow {
    pub(super) id: i64,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) account: Account,
}

/// The columns of [`PersonRow`], in order.
const PERSON: &str =
    "id, username, name, (SELECT status FROM account WHERE account.person = person.id)";

/// A condition of SQL with its values.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    sql: String,
    values: Vec<SqlValue>,
}

impl Filter {
    /// Adds a condition; each `?` in it takes one of `values`.
    pub(super) fn and(
        &mut self,
        condition: &str,
        values: impl IntoIterator<Item = SqlValue>,
    ) -> &mut Self {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(condition);
        self.values.extend(values);
        self
    }

    /// Adds `column IN (values)`.
    pub(super) fn within(&mut self, column: &str, values: Vec<SqlValue>) -> &mut Self {
        let marks = vec!["?"; values.len()].join(", ");
        self.and(&format!("{column} IN ({marks})"), values)
    }

    fn clause(&self) -> &str {
        if self.sql.is_empty() { "1" } else { &self.sql }
    }

    fn values(&self, rows: Rows) -> impl Params {
        let window = [rows.count as i64, rows.offset as i64].map(SqlValue::Integer);
        params_from_iter(self.values.clone().into_iter().chain(window))
    }
}

/// How many rows to pass over and how many to give.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) offset: u64,
    pub(super) count: u64,
}

/// The queries. A connection is a store.
pub(super) trait Store {
    fn space(&self, key: &str) -> rusqlite::Result<Option<SpaceRow>>;
    fn space_by_id(&self, id: i64) -> rusqlite::Result<Option<SpaceRow>>;
    fn spaces(&self, filter: &Filter, rows: Rows) -> rusqlite::Result<Vec<SpaceRow>>;
    fn count_spaces(&self, filter: &Filter) -> rusqlite::Result<u64>;
    fn content(&self, id: i64) -> rusqlite::Result<Option<ContentRow>>;
    fn body(&self, id: i64) -> rusqlite::Result<Option<String>>;
    fn contents(
        &self,
        filter: &Filter,
        order: &str,
        rows: Rows,
    ) -> rusqlite::Result<Vec<ContentRow>>;
    fn count_contents(&self, filter: &Filter) -> rusqlite::Result<u64>;
    fn tally(&self, space: i64, status: Status, kinds: &[Kind]) -> rusqlite::Result<u64>;
    fn person(&self, id: i64) -> rusqlite::Result<Option<PersonRow>>;
    fn person_named(&self, username: &str) -> rusqlite::Result<Option<PersonRow>>;
    fn people(&self, filter: &Filter, rows: Rows) -> rusqlite::Result<Vec<PersonRow>>;
    fn count_people(&self, filter: &Filter) -> rusqlite::Result<u64>;
    fn set_account(&self, person: i64, account: Account) -> rusqlite::Result<()>;
    fn texts(&self, sql: &str, id: i64) -> rusqlite::Result<Vec<String>>;
    fn delete_contents(&self, filter: &Filter) -> rusqlite::Result<usize>;
}

impl Store for Connection {
    fn space(&self, key: &str) -> rusqlite::Result<Option<SpaceRow>> {
        self.prepare_cached(&format!("SELECT {SPACE} FROM space WHERE key = ?"))?
            .query_row([key], space_row)
            .optional()
    }

    fn space_by_id(&self, id: i64) -> rusqlite::Result<Option<SpaceRow>> {
        self.prepare_cached(&format!("SELECT {SPACE} FROM space WHERE id = ?"))?
            .query_row([id], space_row)
            .optional()
    }

    fn spaces(&self, filter: &Filter, rows: Rows) -> rusqlite::Result<Vec<SpaceRow>> {
        let sql = format!(
            "SELECT {SPACE} FROM space WHERE id IN (SELECT id FROM space WHERE {} ORDER BY id \
             LIMIT ? OFFSET ?) ORDER BY id",
            filter.clause()
        );
        self.prepare_cached(&sql)?
            .query_map(filter.values(rows), space_row)?
            .collect()
    }

    fn count_spaces(&self, filter: &Filter) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM space WHERE {}", filter.clause());
        self.prepare_cached(&sql)?
            .query_row(params_from_iter(&filter.values), count)
    }

    fn content(&self, id: i64) -> rusqlite::Result<Option<ContentRow>> {
        self.prepare_cached(&format!("SELECT {CONTENT} FROM content WHERE id = ?"))?
            .query_row([id], content_row)
            .optional()
    }

    fn body(&self, id: i64) -> rusqlite::Result<Option<String>> {
        self.prepare_cached("SELECT body FROM content WHERE id = ?")?
            .query_row([id], |row| row.get(0))
    }

    fn contents(
        &self,
        filter: &Filter,
        order: &str,
        rows: Rows,
    ) -> rusqlite::Result<Vec<ContentRow>> {
        // The inner query walks an index alone, so that a large offset costs little.
        let sql = format!(
            "SELECT {CONTENT} FROM content WHERE id IN (SELECT id FROM content WHERE {} \
             ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
            filter.clause()
        );
        self.prepare_cached(&sql)?
            .query_map(filter.values(rows), content_row)?
            .collect()
    }

    fn count_contents(&self, filter: &Filter) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM content WHERE {}", filter.clause());
        self.prepare_cached(&sql)?
            .query_row(params_from_iter(&filter.values), count)
    }

    fn tally(&self, space: i64, status: Status, kinds: &[Kind]) -> rusqlite::Result<u64> {
        let mut sum = 0;
        for kind in kinds {
            let n = self
                .prepare_cached("SELECT n FROM tally WHERE space = ? AND status = ? AND kind = ?")?
                .query_row(params![space, status as i64, *kind as i64], count)
                .optional()?;
            sum += n.unwrap_or(0);
        }
        Ok(sum)
    }

    fn person(&self, id: i64) -> rusqlite::Result<Option<PersonRow>> {
        self.prepare_cached(&format!("SELECT {PERSON} FROM person WHERE id = ?"))?
            .query_row([id], person_row)
            .optional()
    }

    fn person_named(&self, username: &str) -> rusqlite::Result<Option<PersonRow>> {
        self.prepare_cached(&format!("SELECT {PERSON} FROM person WHERE username = ?"))?
            .query_row([username], person_row)
            .optional()
    }

    fn people(&self, filter: &Filter, rows: Rows) -> rusqlite::Result<Vec<PersonRow>> {
        let sql = format!(
            "SELECT {PERSON} FROM person WHERE {} ORDER BY username LIMIT ? OFFSET ?",
            filter.clause()
        );
        self.prepare_cached(&sql)?
            .query_map(filter.values(rows), person_row)?
            .collect()
    }

    fn count_people(&self, filter: &Filter) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM person WHERE {}", filter.clause());
        self.prepare_cached(&sql)?
            .query_row(params_from_iter(&filter.values), count)
    }

    fn set_account(&self, person: i64, account: Account) -> rusqlite::Result<()> {
        self.execute("DELETE FROM account WHERE person = ?", [person])?;
        if account != Account::Active {
            self.execute(
                "INSERT INTO account VALUES (?, ?)",
                params![person, account.name()],
            )?;
        }
        Ok(())
    }

    fn texts(&self, sql: &str, id: i64) -> rusqlite::Result<Vec<String>> {
        self.prepare_cached(sql)?
            .query_map([id], |row| row.get(0))?
            .collect()
    }

    fn delete_contents(&self, filter: &Filter) -> rusqlite::Result<usize> {
        let clause = filter.clause();
        for table in OF_A_CONTENT {
            let sql = format!(
                "DELETE FROM {table} WHERE content IN (SELECT id FROM content WHERE {clause})"
            );
            self.execute(&sql, params_from_iter(&filter.values))?;
        }
        let sql = format!("DELETE FROM content WHERE {clause}");
        self.execute(&sql, params_from_iter(&filter.values))
    }
}

/// The one number of a count, which SQLite keeps signed.
fn count(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0).map(i64::unsigned_abs)
}

fn person_row(row: &Row<'_>) -> rusqlite::Result<PersonRow> {
    Ok(PersonRow {
        id: row.get(0)?,
        username: row.get(1)?,
        name: row.get(2)?,
        account: row
            .get::<_, Option<String>>(3)?
            .and_then(|status| Account::named(&status))
            .unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::seed::Seed;
    use super::*;

    /// The tables that have this column.
    fn tables_with(db: &Connection, column: &str) -> Vec<String> {
        db.prepare(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND c.name = ? ORDER BY m.name",
        )
        .unwrap()
        .query_map([column], |row| row.get(0))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
    }

    fn rows(db: &Connection, table: &str) -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap()
    }

    #[test]
    fn a_deleted_space_takes_all_that_belongs_to_it() {
        let text = "space: A\nname: A\nlabels: one\ncategories: two\nadmins: asmith\n\
                    === page\ntitle: T\nlabels: three\nread: user:jdoe\n\
                    attachment: a.txt | text/plain | 3\n";
        let (mut db, _) = open(Place::Scratch).unwrap();
        fill(&mut db, |db| Seed::Text(text.to_owned()).fill(db)).unwrap();
        let of_space = tables_with(&db, "space");
        for table in OF_A_SPACE {
            assert!(rows(&db, table) > 0, "{table}");
        }
        let space = db.space("A").unwrap().unwrap();
        delete_space(&db, space.id).unwrap();
        // A task names its space by key, and is not of it.
        for table in of_space.iter().filter(|table| *table != "task") {
            assert_eq!(rows(&db, table), 0, "{table}");
        }
        for table in tables_with(&db, "content") {
            assert!(OF_A_CONTENT.contains(&table.as_str()), "{table}");
            assert_eq!(rows(&db, &table), 0, "{table}");
        }
    }
}
