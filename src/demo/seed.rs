//! What a fresh wiki holds: nothing, the demo, a text of one's own, or a large one by formula.
//!
//! The demo and the texts of tests are written in one plain format, read by [`Wiki::parse`]:
//!
//! ```text
//! space: ENG
//! name: Engineering
//! homepage: Engineering Home
//!
//! === page
//! title: Engineering Home
//! by: jdoe
//! when: 2024-11-02T10:00:00+01:00
//!
//! <p>Storage format, until the next line that starts with "=== ".</p>
//!
//! === page
//! title: An old plan
//! parent: Engineering Home
//! status: trashed
//! ```
//!
//! Before the first space there may be people and groups:
//!
//! ```text
//! person: rmarsh | Rosa Marsh | disabled
//! group: hr-staff | jdoe, rmarsh
//! ```
//!
//! An account is `active`, `disabled` or `gone`: the author of what somebody wrote whose account is gone is
//! unknown. Whoever is named anywhere is there without such a line, as is every group.
//!
//! Headers of a space: `space` (its key), `name`, `type` (`global`, `personal`), `status`
//! (`current`, `archived`), `description`, `creator`, `created`, `modifier`, `modified`, `labels`,
//! `categories`, `permit` (`SUBJECT | OPERATION | TARGET`, repeats, and stands for what everybody may usually
//! do; a subject is `user:NAME`, `group:NAME` or `anonymous`), `favourite` (`yes`, `no`), `retention`, `homepage` (a title), `admins`, `access` (`admin`,
//! `not-admin`, `hidden`: what the one user may do; `not-admin` where `admins` leaves them out).
//! Headers of an item (`page`, `blogpost`, `comment`, `attachment`): `title`, `parent` (a title),
//! `parent-gone` (a title: the parent was purged), `by`, `when`, `created`, `version`, `labels`,
//! `status` (`current`, `trashed`), `read` and `update` (`user:NAME`, `group:NAME`), `attachment`
//! (`FILE | MEDIA TYPE | BYTES`, repeats), and for an attachment `media-type`, `size` and `note`; for a
//! comment `location` (`footer`, `inline`, `resolved`), `marker` and `selection`. The parent of a comment
//! may be another one, by its title.
//! Several spaces may follow each other in one text.

use std::collections::HashMap;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, params};

pub use self::error::{MalformedWiki, SeedError};
pub use self::large::Large;
use super::permissions::{self, ONE_USER, Subject};
pub use super::store::{Access, Account};
use super::store::{FIRST_CONTENT, FIRST_SPACE, Kind, Status, Store as _};

mod assets;
mod error;
pub(super) mod large;

/// 1 January 2024, noon UTC: the time of whatever does not say when it was.
const NOON: i64 = 1_704_110_400_000;

/// What a fresh wiki holds. A data file that is filled already keeps what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seed {
    /// No space at all.
    Empty,
    /// The demo wiki.
    #[default]
    Demo,
    /// A wiki in the format of this module.
    Text(String),
    /// A wiki already read, or put together in code.
    Wiki(Wiki),
    /// A large wiki by formula.
    Large(Large),
}

/// A wiki to be filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiki {
    /// User names and names shown.
    pub people: Vec<(String, String)>,
    /// What became of the accounts of some, by user name.
    pub accounts: Vec<(String, Account)>,
    /// Groups, and the user names of their members.
    pub groups: Vec<(String, Vec<String>)>,
    /// Its spaces, in order of their ids.
    pub spaces: Vec<SpaceSeed>,
}

/// A space to be filled in. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpaceSeed {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Personal instead of global.
    pub personal: bool,
    /// Archived instead of current.
    pub archived: bool,
    /// The description, plain.
    pub description: String,
    /// User name of who made it.
    pub creator: Option<String>,
    /// When it was made.
    pub created: Option<i64>,
    /// User name of who changed it last.
    pub modifier: Option<String>,
    /// When it was changed last.
    pub modified: Option<i64>,
    /// Labels.
    pub labels: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
    /// Who may do what: subject, operation, target; none: what is usual.
    pub permits: Vec<(String, String, String)>,
    /// Whether the one user likes it.
    pub favourite: bool,
    /// The retention policy in words.
    pub retention: Option<String>,
    /// Title of its homepage.
    pub homepage: Option<String>,
    /// User names of its administrators; none: everybody is one.
    pub admins: Vec<String>,
    /// What the one user may do; decided by `admins` when absent.
    pub access: Option<Access>,
    /// Its pages, blog posts and trashed things.
    pub items: Vec<ItemSeed>,
}

/// The type of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemKind {
    /// A page.
    #[default]
    Page,
    /// A blog post.
    BlogPost,
    /// A comment.
    Comment,
    /// An attachment of its own, such as a trashed one.
    Attachment,
}

/// An item to be filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemSeed {
    /// Its type.
    pub kind: ItemKind,
    /// Its title, or its file name.
    pub title: String,
    /// Title of what it is under; none: at the root, or the parent is gone.
    pub parent: Option<String>,
    /// In the trash instead of current.
    pub trashed: bool,
    /// User name of who edited it last.
    pub by: Option<String>,
    /// When it was edited last.
    pub when: Option<i64>,
    /// When it was made.
    pub created: Option<i64>,
    /// The number of its version; 1 where not given.
    pub version: Option<i64>,
    /// Labels.
    pub labels: Vec<String>,
    /// Who alone may read it: `user:NAME` or `group:NAME`.
    pub read: Vec<String>,
    /// Who alone may change it: `user:NAME` or `group:NAME`.
    pub update: Vec<String>,
    /// Its attachments: file name, media type, bytes.
    pub attachments: Vec<(String, String, i64)>,
    /// Media type of an attachment.
    pub media_type: Option<String>,
    /// Bytes of an attachment.
    pub size: Option<i64>,
    /// What was noted of an attachment.
    pub note: Option<String>,
    /// Where a comment stands: `footer`, `inline` or `resolved`.
    pub location: Option<String>,
    /// The mark in the page that an inline comment is about.
    pub marker: Option<String>,
    /// The words it was about.
    pub selection: Option<String>,
    /// The body in storage format.
    pub body: String,
    /// Where it stands: file and line, for messages.
    place: String,
}

impl Wiki {
    /// Reads a text; `file` is its name for messages.
    pub fn parse(file: &str, text: &str) -> Result<Self, MalformedWiki> {
        let mut wiki = Self::default();
        wiki.read(file, text)?;
        Ok(wiki)
    }

    /// The demo wiki.
    pub fn demo() -> Result<Self, MalformedWiki> {
        let mut wiki = Self::default();
        for (file, text) in assets::Texts::unpack().files() {
            if file == assets::PEOPLE {
                wiki.read_people(file, text)?;
            } else {
                wiki.read(file, text)?;
            }
        }
        Ok(wiki)
    }

    /// Takes `username | Display Name`, or with the state of the account behind it.
    fn take_person(&mut self, line: &str) -> Result<(), String> {
        let parts: Vec<_> = line.split('|').map(str::trim).collect();
        let (username, name, account) = match parts[..] {
            [username, name] => (username, name, Account::Active),
            [username, name, account] => {
                let known = Account::named(account);
                let account = known
                    .ok_or_else(|| format!("`{account}` is none of active, disabled, gone"))?;
                (username, name, account)
            }
            _ => return Err("expected `username | Display Name`".to_owned()),
        };
        self.people.push((username.to_owned(), name.to_owned()));
        if account != Account::Active {
            self.accounts.push((username.to_owned(), account));
        }
        Ok(())
    }

    /// Takes `name | username, username`.
    fn take_group(&mut self, line: &str) -> Result<(), String> {
        let Some((name, members)) = line.split_once('|') else {
            return Err("expected `group | username, username`".to_owned());
        };
        self.groups.push((name.trim().to_owned(), list(members)));
        Ok(())
    }

    /// Reads people and groups, one a line.
    fn read_people(&mut self, file: &str, text: &str) -> Result<(), MalformedWiki> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let taken = match line.strip_prefix("group:") {
                Some(group) => self.take_group(group),
                None => self.take_person(line),
            };
            taken.map_err(|problem| malformed(file, number, &problem))?;
        }
        Ok(())
    }

    fn read(&mut self, file: &str, text: &str) -> Result<(), MalformedWiki> {
        enum Reading {
            Nothing,
            Space,
            Item,
            Body,
        }
        let mut reading = Reading::Nothing;
        for (number, line) in text.lines().enumerate() {
            if let Some(kind) = line.strip_prefix("=== ") {
                let Some(space) = self.spaces.last_mut() else {
                    return Err(malformed(file, number, "an item before its space"));
                };
                let kind = match kind.trim() {
                    "page" => ItemKind::Page,
                    "blogpost" => ItemKind::BlogPost,
                    "comment" => ItemKind::Comment,
                    "attachment" => ItemKind::Attachment,
                    other => {
                        return Err(malformed(file, number, &format!("unknown item `{other}`")));
                    }
                };
                space.items.push(ItemSeed {
                    kind,
                    place: format!("{file}:{}", number + 1),
                    ..ItemSeed::default()
                });
                reading = Reading::Item;
                continue;
            }
            // A text may hold several spaces: a body never starts a line with this.
            if let Some(key) = line.strip_prefix("space: ")
                && !matches!(reading, Reading::Item)
            {
                self.spaces.push(SpaceSeed {
                    key: key.trim().to_owned(),
                    ..SpaceSeed::default()
                });
                reading = Reading::Space;
                continue;
            }
            let space = self.spaces.last_mut();
            let item = |space: Option<&mut SpaceSeed>, act: &mut dyn FnMut(&mut ItemSeed)| {
                if let Some(item) = space.and_then(|space| space.items.last_mut()) {
                    act(item);
                }
            };
            match reading {
                Reading::Nothing => {
                    if let Some(person) = line.strip_prefix("person:") {
                        self.take_person(person)
                            .map_err(|problem| malformed(file, number, &problem))?;
                    } else if let Some(group) = line.strip_prefix("group:") {
                        self.take_group(group)
                            .map_err(|problem| malformed(file, number, &problem))?;
                    } else if !line.trim().is_empty() && !line.starts_with('#') {
                        return Err(malformed(file, number, "expected `space: KEY`"));
                    }
                }
                Reading::Space => {
                    if line.trim().is_empty() {
                        continue;
                    }
                    let (name, value) = header(file, number, line)?;
                    if let Some(space) = space {
                        space
                            .take(name, value)
                            .map_err(|problem| malformed(file, number, &problem))?;
                    }
                }
                Reading::Item => {
                    if line.trim().is_empty() {
                        reading = Reading::Body;
                        continue;
                    }
                    let (name, value) = header(file, number, line)?;
                    let mut taken = Ok(());
                    item(space, &mut |item| taken = item.take(name, value));
                    taken.map_err(|problem| malformed(file, number, &problem))?;
                }
                Reading::Body => item(space, &mut |item| {
                    item.body.push_str(line);
                    item.body.push('\n');
                }),
            }
        }
        for space in &mut self.spaces {
            for item in &mut space.items {
                let whole = item.body.trim().len();
                if whole != item.body.len() {
                    item.body = item.body.trim().to_owned();
                }
                if item.title.is_empty() {
                    let line = item.place.rsplit(':').next().and_then(|n| n.parse().ok());
                    return Err(malformed(
                        file,
                        line.unwrap_or(1_usize).saturating_sub(1),
                        "an item without a title",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn malformed(file: &str, number: usize, problem: &str) -> MalformedWiki {
    MalformedWiki {
        file: file.to_owned(),
        line: number + 1,
        problem: problem.to_owned(),
    }
}

fn header<'a>(
    file: &str,
    number: usize,
    line: &'a str,
) -> Result<(&'a str, &'a str), MalformedWiki> {
    line.split_once(':')
        .map(|(name, value)| (name.trim(), value.trim()))
        .ok_or_else(|| malformed(file, number, "expected `name: value`"))
}

fn list(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn moment(value: &str) -> Result<i64, String> {
    Timestamp::from_str(value)
        .map(Timestamp::as_millisecond)
        .map_err(|_| format!("`{value}` is not a time such as 2024-11-02T10:00:00+01:00"))
}

fn number(value: &str) -> Result<i64, String> {
    value
        .parse()
        .map_err(|_| format!("`{value}` is not a number"))
}

fn one_of<T: Copy>(value: &str, choices: &[(&str, T)]) -> Result<T, String> {
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            format!("`{value}` is none of {}", names.join(", "))
        })
}

impl SpaceSeed {
    /// A global space with nothing in it.
    pub fn new(key: &str, name: &str) -> Self {
        Self {
            key: key.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let text = || Some(value.to_owned());
        match name {
            "name" => value.clone_into(&mut self.name),
            "type" => self.personal = one_of(value, &[("global", false), ("personal", true)])?,
            "status" => self.archived = one_of(value, &[("current", false), ("archived", true)])?,
            "description" => value.clone_into(&mut self.description),
            "creator" => self.creator = text(),
            "created" => self.created = Some(moment(value)?),
            "modifier" => self.modifier = text(),
            "modified" => self.modified = Some(moment(value)?),
            "labels" => self.labels = list(value),
            "categories" => self.categories = list(value),
            "permit" => self.permits.push(permit(value)?),
            "favourite" => self.favourite = one_of(value, &[("yes", true), ("no", false)])?,
            "retention" => self.retention = text().filter(|value| !value.is_empty()),
            "homepage" => self.homepage = text(),
            "admins" => self.admins = list(value),
            "access" => {
                self.access = Some(one_of(
                    value,
                    &[
                        ("admin", Access::Admin),
                        ("not-admin", Access::NotAdmin),
                        ("hidden", Access::Hidden),
                    ],
                )?);
            }
            _ => return Err(format!("unknown header `{name}` of a space")),
        }
        Ok(())
    }

    fn access(&self) -> Access {
        match self.access {
            Some(access) => access,
            None if self.admins.is_empty() => Access::Admin,
            None if self.admins.iter().any(|name| name == ONE_USER.0) => Access::Admin,
            None => Access::NotAdmin,
        }
    }
}

impl ItemSeed {
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let text = || Some(value.to_owned());
        match name {
            "title" => value.clone_into(&mut self.title),
            "parent" => self.parent = text().filter(|value| !value.is_empty()),
            // The server has forgotten it: all that is left is that there is no parent.
            "parent-gone" => self.parent = None,
            "by" => self.by = text(),
            "when" => self.when = Some(moment(value)?),
            "created" => self.created = Some(moment(value)?),
            "version" => self.version = Some(number(value)?),
            "labels" => self.labels = list(value),
            "status" => self.trashed = one_of(value, &[("current", false), ("trashed", true)])?,
            "read" => self.read = subjects(value)?,
            "update" => self.update = subjects(value)?,
            "attachment" => {
                let parts: Vec<_> = value.split('|').map(str::trim).collect();
                let [file, media_type, size] = parts[..] else {
                    return Err("expected `FILE | MEDIA TYPE | BYTES`".to_owned());
                };
                self.attachments
                    .push((file.to_owned(), media_type.to_owned(), number(size)?));
            }
            "media-type" => self.media_type = text(),
            "note" => self.note = text(),
            "marker" => self.marker = text(),
            "selection" => self.selection = text(),
            "location" => {
                let all = ["footer", "inline", "resolved"].map(|name| (name, name));
                self.location = Some(one_of(value, &all)?.to_owned());
            }
            "size" => self.size = Some(number(value)?),
            _ => return Err(format!("unknown header `{name}` of an item")),
        }
        Ok(())
    }
}

/// Reads `SUBJECT | OPERATION | TARGET`.
fn permit(value: &str) -> Result<(String, String, String), String> {
    let parts: Vec<_> = value.split('|').map(str::trim).collect();
    match parts[..] {
        [subject, operation, target] if Subject::parse(subject).is_some() => {
            Ok((subject.to_owned(), operation.to_owned(), target.to_owned()))
        }
        _ => Err(
            "expected `SUBJECT | OPERATION | TARGET`, with user:NAME, group:NAME or anonymous \
             as the subject"
                .to_owned(),
        ),
    }
}

fn subjects(value: &str) -> Result<Vec<String>, String> {
    let subjects = list(value);
    match subjects
        .iter()
        .find(|subject| !subject.starts_with("user:") && !subject.starts_with("group:"))
    {
        Some(subject) => Err(format!(
            "`{subject}` is neither `user:NAME` nor `group:NAME`"
        )),
        None => Ok(subjects),
    }
}

impl Seed {
    /// Fills an empty wiki.
    pub(super) fn fill(&self, db: &Connection) -> Result<(), SeedError> {
        match self {
            Self::Empty => insert(db, &Wiki::default()),
            Self::Demo => insert(db, &Wiki::demo()?),
            Self::Text(text) => insert(db, &Wiki::parse("text", text)?),
            Self::Wiki(wiki) => insert(db, wiki),
            Self::Large(large) => {
                insert(db, &Wiki::default())?;
                large.fill(db)
            }
        }
    }
}

struct People<'a> {
    db: &'a Connection,
    ids: HashMap<String, i64>,
}

impl People<'_> {
    fn add(&mut self, username: &str, name: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.ids.get(username) {
            return Ok(*id);
        }
        self.db
            .prepare_cached(
                "INSERT INTO person (username, name) VALUES (?, ?) \
                 ON CONFLICT (username) DO NOTHING",
            )?
            .execute([username, name])?;
        let id = match self.db.person_named(username)? {
            Some(person) => person.id,
            None => return Err(rusqlite::Error::QueryReturnedNoRows),
        };
        self.ids.insert(username.to_owned(), id);
        Ok(id)
    }

    /// The id of somebody, known by the user name alone if need be.
    fn id(&mut self, username: Option<&str>) -> rusqlite::Result<i64> {
        let username = username.unwrap_or(ONE_USER.0);
        self.add(username, username)
    }
}

fn insert(db: &Connection, wiki: &Wiki) -> Result<(), SeedError> {
    let mut people = People {
        db,
        ids: HashMap::new(),
    };
    for (username, name) in &wiki.people {
        people.add(username, name)?;
    }
    people.add(ONE_USER.0, ONE_USER.1)?;
    for (username, account) in &wiki.accounts {
        let person = people.add(username, username)?;
        db.set_account(person, *account)?;
    }
    for (name, members) in &wiki.groups {
        db.execute("INSERT OR IGNORE INTO team VALUES (?)", [name])?;
        for username in members {
            people.add(username, username)?;
            db.execute(
                "INSERT OR IGNORE INTO membership VALUES (?, ?)",
                [name, username],
            )?;
        }
    }
    let mut next = FIRST_CONTENT;
    for (index, space) in wiki.spaces.iter().enumerate() {
        let id = FIRST_SPACE + index as i64;
        insert_space(db, &mut people, id, space, &mut next)?;
    }
    Ok(())
}

fn insert_space(
    db: &Connection,
    people: &mut People<'_>,
    id: i64,
    space: &SpaceSeed,
    next: &mut i64,
) -> Result<(), SeedError> {
    // Titles first, for a child may stand before its parent. A current page wins over a trashed
    // one of the same title.
    let mut ids: HashMap<&str, (i64, bool)> = HashMap::new();
    let mut comments: HashMap<&str, i64> = HashMap::new();
    for (index, item) in space.items.iter().enumerate() {
        if item.kind == ItemKind::Comment {
            comments.insert(&item.title, *next + index as i64);
        }
        if matches!(item.kind, ItemKind::Page | ItemKind::BlogPost) {
            let found = (*next + index as i64, item.trashed);
            match ids.get(item.title.as_str()) {
                Some((_, false)) => {
                    if !item.trashed {
                        return Err(SeedError::Contradiction(format!(
                            "{}: a second current item titled `{}` in {}",
                            item.place, item.title, space.key
                        )));
                    }
                }
                Some((_, true)) if item.trashed => {}
                _ => {
                    ids.insert(&item.title, found);
                }
            }
        }
    }
    let homepage = match &space.homepage {
        Some(title) => match ids.get(title.as_str()) {
            Some((id, false)) => Some(*id),
            _ => {
                return Err(SeedError::Contradiction(format!(
                    "{}: no page titled `{title}` to be the homepage",
                    space.key
                )));
            }
        },
        None => None,
    };
    let created = space.created.unwrap_or(NOON);
    let creator = people.id(space.creator.as_deref())?;
    let modifier = match &space.modifier {
        Some(username) => people.id(Some(username))?,
        None => creator,
    };
    db.prepare_cached("INSERT INTO space VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            id,
            space.key,
            if space.name.is_empty() {
                &space.key
            } else {
                &space.name
            },
            space.personal || space.key.starts_with('~'),
            space.archived,
            space.description,
            homepage,
            creator,
            created,
            modifier,
            space.modified.unwrap_or(created),
            space.favourite,
            space.retention,
            space.access() as i64,
        ])?;
    for name in &space.labels {
        db.prepare_cached("INSERT OR IGNORE INTO space_label VALUES (?, ?)")?
            .execute(params![id, name])?;
    }
    for name in &space.categories {
        db.prepare_cached("INSERT OR IGNORE INTO space_category VALUES (?, ?)")?
            .execute(params![id, name])?;
    }
    permissions::permit_administrators(db, id, &space.admins)?;
    if space.permits.is_empty() {
        permissions::permit_usual(db, id)?;
    }
    for (subject, operation, target) in &space.permits {
        if let Some(subject) = Subject::parse(subject) {
            permissions::permit(db, id, (operation, target), &subject)?;
        }
    }
    let mut positions: HashMap<Option<i64>, i64> = HashMap::new();
    let first = *next;
    // Attachments of pages come after everything that has a place in `items`.
    let mut attachment = first + space.items.len() as i64;
    for (index, item) in space.items.iter().enumerate() {
        let content = first + index as i64;
        let parent = match &item.parent {
            Some(title) => match (ids.get(title.as_str()), comments.get(title.as_str())) {
                (Some((parent, _)), _) if *parent != content => Some(*parent),
                (None, Some(parent)) if item.kind == ItemKind::Comment && *parent != content => {
                    Some(*parent)
                }
                _ => {
                    return Err(SeedError::Contradiction(format!(
                        "{}: no item titled `{title}` in {} to be the parent",
                        item.place, space.key
                    )));
                }
            },
            None => None,
        };
        let position = match item.kind {
            ItemKind::Page => {
                let next = positions.entry(parent).or_default();
                *next += 1;
                Some(*next - 1)
            }
            ItemKind::BlogPost | ItemKind::Comment | ItemKind::Attachment => None,
        };
        let by = people.id(item.by.as_deref())?;
        let when = item.when.or(item.created).unwrap_or(NOON);
        insert_content(
            db,
            content,
            id,
            item.kind.kept(),
            if item.trashed {
                Status::Trashed
            } else {
                Status::Current
            },
            parent,
            position,
            &item.title,
            item.version.unwrap_or(1),
            by,
            item.created.unwrap_or(when),
            when,
            Some(&item.body),
        )?;
        if item.kind == ItemKind::Attachment {
            insert_file(
                db,
                content,
                item.media_type
                    .as_deref()
                    .unwrap_or("application/octet-stream"),
                item.size.unwrap_or(1024),
            )?;
        }
        if item.location.is_some() || item.note.is_some() {
            let is_resolved = item.location.as_deref() == Some("resolved");
            db.prepare_cached("INSERT INTO extension VALUES (?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    content,
                    item.location,
                    is_resolved.then_some("resolved"),
                    item.marker,
                    item.selection,
                    item.note,
                ])?;
        }
        for name in &item.labels {
            db.prepare_cached("INSERT OR IGNORE INTO content_label VALUES (?, ?)")?
                .execute(params![content, name])?;
        }
        for (operation, subjects) in [("read", &item.read), ("update", &item.update)] {
            for subject in subjects {
                if let Some((subject, name)) = subject.split_once(':') {
                    db.prepare_cached("INSERT OR IGNORE INTO restriction VALUES (?, ?, ?, ?)")?
                        .execute(params![content, operation, subject, name])?;
                }
            }
        }
        for (file, media_type, size) in &item.attachments {
            insert_content(
                db,
                attachment,
                id,
                Kind::Attachment,
                Status::Current,
                Some(content),
                None,
                file,
                1,
                by,
                when,
                when,
                Some(""),
            )?;
            insert_file(db, attachment, media_type, *size)?;
            attachment += 1;
        }
    }
    *next = attachment;
    Ok(())
}

impl ItemKind {
    fn kept(self) -> Kind {
        match self {
            Self::Page => Kind::Page,
            Self::BlogPost => Kind::BlogPost,
            Self::Comment => Kind::Comment,
            Self::Attachment => Kind::Attachment,
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one for each column, in the order of the table"
)]
fn insert_content(
    db: &Connection,
    id: i64,
    space: i64,
    kind: Kind,
    status: Status,
    parent: Option<i64>,
    position: Option<i64>,
    title: &str,
    version: i64,
    by: i64,
    created: i64,
    modified: i64,
    body: Option<&str>,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            id,
            space,
            kind as i64,
            status as i64,
            parent,
            position,
            title,
            version,
            by,
            created,
            by,
            modified,
            body
        ])?;
    Ok(())
}

fn insert_file(db: &Connection, content: i64, media_type: &str, size: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO file VALUES (?, ?, ?)")?
        .execute(params![content, media_type, size])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_in_the_format_and_can_be_filled_in() {
        let wiki = Wiki::demo().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(wiki.spaces.len(), 42);
        let items = || wiki.spaces.iter().flat_map(|space| &space.items);
        let trashed = items().filter(|item| item.trashed).count();
        assert!(trashed >= 300, "{trashed} trashed");
        assert!(items().count() - trashed >= 1_500);
        let (mut db, _) = super::super::store::open(super::super::store::Place::Memory).unwrap();
        super::super::store::fill(&mut db, |db| Seed::Demo.fill(db))
            .unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn what_is_wrong_is_named_by_file_and_line() {
        let wrong = |text: &str| Wiki::parse("a.wiki", text).unwrap_err().to_string();
        assert_eq!(wrong("hello"), "a.wiki:1: expected `space: KEY`");
        assert_eq!(wrong("=== page"), "a.wiki:1: an item before its space");
        assert_eq!(
            wrong("space: A\ncolour: red"),
            "a.wiki:2: unknown header `colour` of a space"
        );
        assert_eq!(
            wrong("space: A\nfavourite: maybe"),
            "a.wiki:2: `maybe` is none of yes, no"
        );
        assert_eq!(
            wrong("space: A\n=== sheet"),
            "a.wiki:2: unknown item `sheet`"
        );
        assert_eq!(
            wrong("space: A\n=== page\ntitle: T\nwhen: yesterday"),
            "a.wiki:4: `yesterday` is not a time such as 2024-11-02T10:00:00+01:00"
        );
        assert_eq!(
            wrong("space: A\n=== page\ntitle: T\nread: jdoe"),
            "a.wiki:4: `jdoe` is neither `user:NAME` nor `group:NAME`"
        );
        assert_eq!(
            wrong("space: A\n\n=== page\n\nbody"),
            "a.wiki:3: an item without a title"
        );
    }

    #[test]
    fn a_parent_that_is_not_there_is_a_contradiction() {
        let (mut db, _) = super::super::store::open(super::super::store::Place::Memory).unwrap();
        let seed = Seed::Text("space: A\n=== page\ntitle: T\nparent: U".to_owned());
        let error = super::super::store::fill(&mut db, |db| seed.fill(db)).unwrap_err();
        assert!(error.to_string().contains("no item titled `U`"), "{error}");
    }
}
