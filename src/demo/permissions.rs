//! What one may do in a space: which user, which group or anybody at all, and the groups that there
//! always are.
//!
//! They are kept to be told, backed up and brought back. What the one user of the server may do is
//! decided by [`super::store::Access`] alone.

use rusqlite::{Connection, params};

/// The user that everybody is: name to sign in with and name shown.
pub(super) const ONE_USER: (&str, &str) = ("jdoe", "J. Doe");

/// Everybody with an account.
pub(super) const EVERYBODY: &str = "confluence-users";
/// Who administers the site.
pub(super) const ADMINISTRATORS: &str = "confluence-administrators";

/// What is told of everybody's spaces where nothing else is said.
const USUAL: [(&str, &str); 3] = [
    ("read", "space"),
    ("create", "page"),
    ("create", "blogpost"),
];

/// Who may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    User(String),
    Group(String),
    Anonymous,
}

impl Subject {
    /// Reads `user:NAME`, `group:NAME` or `anonymous`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some(("user", name)) if !name.is_empty() => Some(Self::User(name.to_owned())),
            Some(("group", name)) if !name.is_empty() => Some(Self::Group(name.to_owned())),
            None if text == "anonymous" => Some(Self::Anonymous),
            _ => None,
        }
    }

    /// The type and the name, as kept.
    fn kept(&self) -> (&'static str, &str) {
        match self {
            Self::User(name) => ("user", name),
            Self::Group(name) => ("group", name),
            Self::Anonymous => ("anonymous", ""),
        }
    }
}

/// One thing that one may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) operation: String,
    pub(super) target: String,
    pub(super) subject: Subject,
}

/// Permits something; a second time changes nothing.
pub(super) fn permit(
    db: &Connection,
    space: i64,
    (operation, target): (&str, &str),
    subject: &Subject,
) -> rusqlite::Result<()> {
    let (kind, name) = subject.kept();
    db.prepare_cached(
        "INSERT OR IGNORE INTO space_permission (space, operation, target, subject, name) \
         VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![space, operation, target, kind, name])?;
    Ok(())
}

/// Permits these and the site's administrators to administer a space.
pub(super) fn permit_administrators(
    db: &Connection,
    space: i64,
    usernames: &[String],
) -> rusqlite::Result<()> {
    let mut usernames = usernames.to_vec();
    usernames.sort();
    let users = usernames.into_iter().map(Subject::User);
    for subject in users.chain([Subject::Group(ADMINISTRATORS.to_owned())]) {
        permit(db, space, ("administer", "space"), &subject)?;
    }
    Ok(())
}

/// Permits everybody what is usual.
pub(super) fn permit_usual(db: &Connection, space: i64) -> rusqlite::Result<()> {
    let everybody = Subject::Group(EVERYBODY.to_owned());
    for what in USUAL {
        permit(db, space, what, &everybody)?;
    }
    Ok(())
}

/// Permits one user everything, and nobody else anything.
pub(super) fn permit_only(db: &Connection, space: i64, username: &str) -> rusqlite::Result<()> {
    let user = Subject::User(username.to_owned());
    for what in [("administer", "space")].into_iter().chain(USUAL) {
        permit(db, space, what, &user)?;
    }
    Ok(())
}

/// The permissions of a space, in the order in which they were given.
pub(super) fn of(db: &Connection, space: i64) -> rusqlite::Result<Vec<Permission>> {
    db.prepare_cached(
        "SELECT operation, target, subject, name FROM space_permission WHERE space = ? ORDER BY id",
    )?
    .query_map([space], |row| {
        let name: String = row.get(3)?;
        Ok(Permission {
            operation: row.get(0)?,
            target: row.get(1)?,
            subject: match row.get::<_, String>(2)?.as_str() {
                "user" => Subject::User(name),
                "group" => Subject::Group(name),
                _ => Subject::Anonymous,
            },
        })
    })?
    .collect()
}

/// Whether there is a group of this name.
pub(super) fn is_group(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM team WHERE name = ?")?
        .exists([name])
}

/// Makes what a wiki lacks that has none of it yet: one that is new, or a file that an earlier version
/// made, whose spaces had administrators and nothing else.
pub(super) fn fill_in(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR IGNORE INTO person (username, name) VALUES (?, ?)",
        [ONE_USER.0, ONE_USER.1],
    )?;
    for name in [EVERYBODY, ADMINISTRATORS] {
        db.execute("INSERT OR IGNORE INTO team VALUES (?)", [name])?;
    }
    db.execute(
        "INSERT OR IGNORE INTO membership VALUES (?, ?)",
        [ADMINISTRATORS, ONE_USER.0],
    )?;
    db.execute_batch(
        "INSERT OR IGNORE INTO team SELECT name FROM restriction WHERE subject = 'group'; \
         INSERT OR IGNORE INTO person (username, name) \
         SELECT name, name FROM restriction WHERE subject = 'user';",
    )?;
    let has_administrators = db.prepare("SELECT 1 FROM space_admin").is_ok();
    let spaces: Vec<i64> = db
        .prepare("SELECT id FROM space ORDER BY id")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for space in spaces {
        let administrators: Vec<String> = if has_administrators {
            db.prepare_cached("SELECT username FROM space_admin WHERE space = ?")?
                .query_map([space], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?
        } else {
            Vec::new()
        };
        permit_administrators(db, space, &administrators)?;
        permit_usual(db, space)?;
    }
    db.execute_batch("DROP TABLE IF EXISTS space_admin")
}
