//! A space written out as a zip, and read in again: what `backup-restore` makes and takes.
//!
//! The zip is laid out as those of real servers are: `exportDescriptor.properties` names the space,
//! `entities.xml` holds every row that belongs to it, and `attachments/PAGE/FILE/VERSION` the files.
//! A space that is read in gets new ids; everything else is as it was, history and permissions too.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::file_bytes;
use super::permissions;
use super::seed::large;
use super::store::{self, Account, Store as _};

const DESCRIPTOR: &str = "exportDescriptor.properties";
const ENTITIES: &str = "entities.xml";
/// The class of people, whose ids all other rows name.
const PERSON: &str = "ConfluenceUserImpl";
/// The class of pages, blog posts, comments and files.
const CONTENT: &str = "ContentEntityObject";
/// The class of what one may do in a space.
const PERMISSION: &str = "SpacePermission";
/// Larger entries get the sizes of ZIP64.
const ZIP64_FROM: u64 = 0xF000_0000;

/// Each class of `entities.xml`: its table, and the query for the rows of a space.
const CLASSES: &[(&str, &str, &str)] = &[
    (
        PERSON,
        "person",
        "SELECT person.*, (SELECT status FROM account WHERE account.person = person.id) AS status \
         FROM person WHERE id IN (SELECT creator FROM content WHERE space = ?1 \
         UNION SELECT modifier FROM content WHERE space = ?1 \
         UNION SELECT creator FROM space WHERE id = ?1 \
         UNION SELECT modifier FROM space WHERE id = ?1 \
         UNION SELECT modifier FROM old_version WHERE content IN \
         (SELECT id FROM content WHERE space = ?1)) OR username IN \
         (SELECT name FROM space_permission WHERE space = ?1 AND subject = 'user' \
         UNION SELECT name FROM restriction WHERE subject = 'user' AND content IN \
         (SELECT id FROM content WHERE space = ?1)) ORDER BY id",
    ),
    ("Space", "space", "SELECT * FROM space WHERE id = ?1"),
    (
        PERMISSION,
        "space_permission",
        "SELECT space, operation, target, subject, name FROM space_permission WHERE space = ?1 \
         ORDER BY id",
    ),
    (
        "SpaceLabel",
        "space_label",
        "SELECT * FROM space_label WHERE space = ?1 ORDER BY name",
    ),
    (
        "SpaceCategory",
        "space_category",
        "SELECT * FROM space_category WHERE space = ?1 ORDER BY name",
    ),
    (
        CONTENT,
        "content",
        "SELECT * FROM content WHERE space = ?1 ORDER BY id",
    ),
    (
        "FileInformation",
        "file",
        "SELECT * FROM file WHERE content IN (SELECT id FROM content WHERE space = ?1)",
    ),
    (
        "Labelling",
        "content_label",
        "SELECT * FROM content_label WHERE content IN (SELECT id FROM content WHERE space = ?1)",
    ),
    (
        "ContentPermission",
        "restriction",
        "SELECT * FROM restriction WHERE content IN (SELECT id FROM content WHERE space = ?1)",
    ),
    (
        "HistoricalVersion",
        "old_version",
        "SELECT * FROM old_version WHERE content IN (SELECT id FROM content WHERE space = ?1)",
    ),
    (
        "ContentProperty",
        "extension",
        "SELECT * FROM extension WHERE content IN (SELECT id FROM content WHERE space = ?1)",
    ),
];

/// What a space is written out as, but for the bytes of its files.
pub(super) struct Export {
    key: String,
    /// The rows, as they go into the zip: a space has no bounds, memory has.
    entities: File,
    files: Vec<ExportedFile>,
    /// How many rows there are.
    pub(super) objects: u64,
}

struct ExportedFile {
    content: i64,
    entry: String,
    size: u64,
}

/// Why a zip is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAnExport {
    #[error("The file is not a zip of a space: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("The file cannot be read: {0}")]
    File(#[from] io::Error),
    #[error("{0}")]
    Content(String),
    #[error(transparent)]
    Data(#[from] rusqlite::Error),
}

impl NotAnExport {
    /// There is a space with this key.
    pub(super) fn taken(key: &str) -> Self {
        Self::Content(format!("A space with key {key} exists already."))
    }
}

impl Export {
    /// Reads the rows of a space, all at one time, into this empty file.
    pub(super) fn of(
        db: &Connection,
        space: &store::SpaceRow,
        scratch: File,
    ) -> Result<Self, NotAnExport> {
        let mut entities = BufWriter::new(scratch);
        entities.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hibernate-generic>\n")?;
        let mut objects = 0;
        for (class, _, sql) in CLASSES {
            let mut statement = db.prepare_cached(sql)?;
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let mut rows = statement.query([space.id])?;
            while let Some(row) = rows.next()? {
                objects += 1;
                writeln!(entities, "<object class=\"{class}\">")?;
                for (index, name) in names.iter().enumerate() {
                    let value = row.get_ref(index)?;
                    if *class == CONTENT && name == "body" && value == ValueRef::Null {
                        // It is made from the id, which will be another.
                        let body = large::body(row.get("id")?, &row.get::<_, String>("title")?);
                        write_property(&mut entities, name, ValueRef::Text(body.as_bytes()))?;
                    } else {
                        write_property(&mut entities, name, value)?;
                    }
                }
                entities.write_all(b"</object>\n")?;
            }
        }
        entities.write_all(b"</hibernate-generic>\n")?;
        let entities = entities
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let files = db
            .prepare_cached(
                "SELECT content.id, ifnull(content.parent, content.id), content.version, file.size \
                 FROM content JOIN file ON file.content = content.id WHERE content.space = ? \
                 ORDER BY content.id",
            )?
            .query_map([space.id], |row| {
                let (id, page, version): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(ExportedFile {
                    content: id,
                    entry: format!("attachments/{page}/{id}/{version}"),
                    size: row.get::<_, i64>(3)?.unsigned_abs(),
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Self {
            key: space.key.clone(),
            entities,
            files,
            objects,
        })
    }

    /// Says another key than its own, as the zip of another space would.
    pub(super) fn of_another_space(mut self) -> Self {
        self.key.push_str("OTHER");
        self
    }

    /// Has every second page alone.
    pub(super) fn of_an_earlier_time(self) -> io::Result<Self> {
        self.rewritten(|text| {
            let mut contents = 0_u32;
            let objects = text.split_inclusive("</object>\n");
            let kept = objects.filter(|object| {
                let is_content = object.contains(&format!("<object class=\"{CONTENT}\">"));
                contents += u32::from(is_content);
                !is_content || contents % 2 == 1
            });
            kept.collect()
        })
    }

    /// Has its rows in elements of another name.
    pub(super) fn laid_out_otherwise(self) -> io::Result<Self> {
        self.rewritten(|text| text.replace("object", "row"))
    }

    /// With other rows: all of them are in memory for that.
    fn rewritten(mut self, change: impl FnOnce(&str) -> String) -> io::Result<Self> {
        let mut text = String::new();
        self.entities.rewind()?;
        self.entities.read_to_string(&mut text)?;
        self.entities.set_len(0)?;
        self.entities.rewind()?;
        self.entities.write_all(change(&text).as_bytes())?;
        Ok(self)
    }

    /// Without the attached files, but with their rows.
    pub(super) fn without_files(mut self) -> Self {
        self.files.clear();
        self
    }

    /// With nothing in the attached files.
    pub(super) fn with_empty_files(mut self) -> Self {
        for file in &mut self.files {
            file.size = 0;
        }
        self
    }

    /// Writes the zip. `bytes` gives a piece of a file: which, from where, how much.
    pub(super) fn write<W: Write + Seek>(
        mut self,
        to: W,
        mut bytes: impl FnMut(i64, u64, u64) -> io::Result<Vec<u8>>,
    ) -> Result<W, NotAnExport> {
        let mut zip = ZipWriter::new(to);
        let packed = SimpleFileOptions::default();
        zip.start_file(DESCRIPTOR, packed)?;
        write!(
            zip,
            "exportType=space\nspaceKey={}\nbackupAttachments=true\n",
            self.key
        )?;
        let length = self.entities.stream_position()?;
        self.entities.rewind()?;
        zip.start_file(ENTITIES, packed.large_file(length >= ZIP64_FROM))?;
        io::copy(&mut self.entities, &mut zip)?;
        for file in &self.files {
            let stored = SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored)
                .large_file(file.size >= ZIP64_FROM);
            zip.start_file(&file.entry, stored)?;
            let mut from = 0;
            while from < file.size {
                let piece = bytes(file.content, from, (file.size - from).min(store::PIECE))?;
                if piece.is_empty() {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                zip.write_all(&piece)?;
                from += piece.len() as u64;
            }
        }
        Ok(zip.finish()?)
    }
}

/// Whether XML 1.0 can say this text.
fn is_sayable(text: &str) -> bool {
    text.chars()
        .all(|c| !matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
}

fn write_property(out: &mut impl Write, name: &str, value: ValueRef<'_>) -> io::Result<()> {
    match value {
        ValueRef::Null => Ok(()),
        ValueRef::Integer(number) => {
            writeln!(out, "<property name=\"{name}\">{number}</property>")
        }
        ValueRef::Real(number) => {
            writeln!(out, "<property name=\"{name}\">{number}</property>")
        }
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if is_sayable(&text) {
                let text = text.replace("]]>", "]]]]><![CDATA[>");
                writeln!(
                    out,
                    "<property name=\"{name}\"><![CDATA[{text}]]></property>"
                )
            } else {
                let text = STANDARD.encode(text.as_bytes());
                writeln!(
                    out,
                    "<property name=\"{name}\" encoding=\"base64\">{text}</property>"
                )
            }
        }
    }
}

/// A row of `entities.xml`: its class, and its columns that are not null.
struct Object {
    class: String,
    columns: BTreeMap<String, String>,
}

impl Object {
    fn number(&self, column: &str) -> Option<i64> {
        self.columns.get(column)?.parse().ok()
    }
}

/// The key of the space in a zip, and whether it is one that can be read in.
pub(super) fn key_in(zip: impl Read + Seek) -> Result<String, NotAnExport> {
    let mut zip = ZipArchive::new(zip)?;
    let mut descriptor = String::new();
    zip.by_name(DESCRIPTOR)?
        .take(65_536)
        .read_to_string(&mut descriptor)?;
    let key = descriptor
        .lines()
        .find_map(|line| line.strip_prefix("spaceKey="))
        .map(str::trim)
        .filter(|key| !key.is_empty());
    key.map(str::to_owned)
        .ok_or_else(|| NotAnExport::Content("The zip names no space.".to_owned()))
}

/// A space that is being read in. Its rows are read from the zip as often as they are needed, and not
/// kept.
pub(super) struct Import<R> {
    zip: ZipArchive<R>,
    half: bool,
    objects: u64,
    /// The old id of each content, and then the new one.
    contents: HashMap<i64, i64>,
}

impl<R: Read + Seek> Import<R> {
    /// Looks through the rows. `half` leaves out every second content, as a server does that calls a
    /// restore finished and has not done it.
    pub(super) fn read(zip: R, half: bool) -> Result<Self, NotAnExport> {
        let mut import = Self {
            zip: ZipArchive::new(zip)?,
            half,
            objects: 0,
            contents: HashMap::new(),
        };
        let (mut objects, mut contents) = (0, HashMap::new());
        import.each(|object| {
            objects += 1;
            if object.class == CONTENT
                && let Some(id) = object.number("id")
            {
                contents.insert(id, id);
            }
            Ok(())
        })?;
        (import.objects, import.contents) = (objects, contents);
        Ok(import)
    }

    /// Gives every row.
    fn each(
        &mut self,
        mut take: impl FnMut(Object) -> Result<(), NotAnExport>,
    ) -> Result<(), NotAnExport> {
        let half = self.half;
        let mut count = 0_u32;
        each_object(BufReader::new(self.zip.by_name(ENTITIES)?), |object| {
            if object.class == CONTENT {
                count += 1;
                if half && count.is_multiple_of(2) {
                    return Ok(());
                }
            }
            take(object)
        })
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects
    }

    /// Takes the ids that the contents will have.
    pub(super) fn reserve(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut ids: Vec<i64> = self.contents.keys().copied().collect();
        ids.sort_unstable();
        let last: i64 = db
            .query_row(
                "SELECT seq FROM sqlite_sequence WHERE name = 'content'",
                [],
                |row| row.get(0),
            )
            .optional()?
            .unwrap_or(0);
        let sql = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'content'";
        db.execute(sql, [last + ids.len() as i64])?;
        self.contents = ids.into_iter().zip(last + 1..).collect();
        Ok(())
    }

    /// Drops the bytes of its files, where its rows were not put in.
    pub(super) fn forget_files(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut piece = db.prepare("DELETE FROM file_piece WHERE content = ?")?;
        for id in self.contents.values() {
            piece.execute([id])?;
        }
        Ok(())
    }

    /// Gives every file, piece by piece: its new id, the number of the piece, its bytes.
    pub(super) fn files(
        &mut self,
        mut take: impl FnMut(i64, i64, &[u8]) -> rusqlite::Result<()>,
    ) -> Result<(), NotAnExport> {
        let names: Vec<String> = self
            .zip
            .file_names()
            .map(|name| name.map(Cow::into_owned))
            .collect::<Result<_, _>>()?;
        for name in names.iter().filter(|name| name.starts_with("attachments/")) {
            let old = name.split('/').nth(2).and_then(|id| id.parse().ok());
            let Some(new) = old.and_then(|old: i64| self.contents.get(&old)).copied() else {
                continue;
            };
            file_bytes::pieces(self.zip.by_name(name)?, |number, bytes| {
                take(new, number, bytes).map_err(NotAnExport::from)
            })?;
        }
        Ok(())
    }

    /// Puts the rows in: everything, or nothing.
    pub(super) fn insert(&mut self, db: &Connection) -> Result<(), NotAnExport> {
        let space = db
            .query_row("SELECT ifnull(max(id), 0) + 1 FROM space", [], |row| {
                row.get::<_, i64>(0)
            })?
            .max(store::FIRST_SPACE);
        let mut people = HashMap::new();
        self.each(|object| {
            let (PERSON, Some(old), Some(username)) = (
                object.class.as_str(),
                object.number("id"),
                object.columns.get("username"),
            ) else {
                return Ok(());
            };
            let name = object.columns.get("name").unwrap_or(username);
            let is_new = db.execute(
                "INSERT OR IGNORE INTO person (username, name) VALUES (?, ?)",
                [username, name],
            )? > 0;
            if let Some(person) = db.person_named(username)? {
                people.insert(old, person.id);
                let account = object.columns.get("status");
                if let Some(account) = account.and_then(|it| Account::named(it))
                    && is_new
                {
                    db.set_account(person.id, account)?;
                }
            }
            Ok(())
        })?;
        let contents = std::mem::take(&mut self.contents);
        let ids = Ids {
            space,
            people,
            contents: &contents,
        };
        let (mut administrators, mut has_permissions) = (Vec::new(), false);
        let inserted = self.each(|object| {
            if object.class == PERMISSION {
                // An earlier version wrote out the administrators alone.
                if let Some(username) = object.columns.get("username") {
                    administrators.push(username.clone());
                    return Ok(());
                }
                has_permissions = true;
            }
            let known = CLASSES.iter().find(|(class, ..)| *class == object.class);
            match known {
                Some((class, table, _)) if *class != PERSON => ids.insert(db, table, &object),
                _ => Ok(()),
            }
        });
        self.contents = contents;
        inserted?;
        if !has_permissions {
            permissions::permit_administrators(db, space, &administrators)?;
            permissions::permit_usual(db, space)?;
        }
        Ok(())
    }
}

/// What the ids of a zip are here.
struct Ids<'a> {
    space: i64,
    people: HashMap<i64, i64>,
    contents: &'a HashMap<i64, i64>,
}

impl Ids<'_> {
    fn insert(&self, db: &Connection, table: &str, object: &Object) -> Result<(), NotAnExport> {
        let mut names = Vec::new();
        let mut values = Vec::new();
        for (name, text) in &object.columns {
            // Names come from a file of somebody's making.
            if !name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            {
                return Err(NotAnExport::Content(format!("Unknown property {name}.")));
            }
            let old = || text.parse::<i64>().unwrap_or(0);
            let value = match name.as_str() {
                "id" if table == "space" => SqlValue::Integer(self.space),
                "space" => SqlValue::Integer(self.space),
                "id" | "content" => match self.contents.get(&old()) {
                    Some(id) => SqlValue::Integer(*id),
                    // What a half restore has left out.
                    None => return Ok(()),
                },
                "parent" | "homepage" => self
                    .contents
                    .get(&old())
                    .map_or(SqlValue::Null, |id| SqlValue::Integer(*id)),
                "creator" | "modifier" => self
                    .people
                    .get(&old())
                    .map_or(SqlValue::Null, |id| SqlValue::Integer(*id)),
                _ => SqlValue::Text(text.clone()),
            };
            names.push(name.as_str());
            values.push(value);
        }
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({marks})",
            names.join(", ")
        );
        db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
        Ok(())
    }
}

fn attribute(start: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let found = start
        .attributes()
        .flatten()
        .find(|it| it.key.as_ref() == wanted)?;
    Some(found.value.into_owned())
}

/// Gives every row of `entities.xml`, one after the other.
fn each_object(
    from: impl io::BufRead,
    mut take: impl FnMut(Object) -> Result<(), NotAnExport>,
) -> Result<(), NotAnExport> {
    let broken = |error: &dyn std::fmt::Display| {
        NotAnExport::Content(format!("The entities of the zip are broken: {error}"))
    };
    let mut reader = Reader::from_reader(from);
    let mut buffer = Vec::new();
    let mut object: Option<Object> = None;
    let mut property: Option<(String, bool, String)> = None;
    loop {
        match reader
            .read_event_into(&mut buffer)
            .map_err(|error| broken(&error))?
        {
            Event::Start(start) if start.name().as_ref() == "object" => {
                object = Some(Object {
                    class: attribute(&start, "class").unwrap_or_default(),
                    columns: BTreeMap::new(),
                });
            }
            Event::Start(start) if start.name().as_ref() == "property" => {
                let name = attribute(&start, "name").unwrap_or_default();
                let packed = attribute(&start, "encoding").is_some();
                property = Some((name, packed, String::new()));
            }
            Event::Text(text) => {
                if let Some((_, _, value)) = &mut property {
                    value.push_str(&text);
                }
            }
            Event::CData(text) => {
                if let Some((_, _, value)) = &mut property {
                    value.push_str(&text);
                }
            }
            Event::End(end) if end.name().as_ref() == "property" => {
                if let (Some((name, packed, value)), Some(object)) = (property.take(), &mut object)
                {
                    let value = if packed {
                        let bytes = STANDARD.decode(&value).map_err(|error| broken(&error))?;
                        String::from_utf8(bytes).map_err(|error| broken(&error))?
                    } else {
                        value
                    };
                    object.columns.insert(name, value);
                }
            }
            Event::End(end) if end.name().as_ref() == "object" => {
                if let Some(object) = object.take() {
                    take(object)?;
                }
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
        buffer.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::permissions::Subject;
    use super::super::seed::Seed;
    use super::super::store::{Place, fill, open};
    use super::*;

    fn wiki(text: &str) -> Connection {
        let (mut db, _) = open(Place::Scratch).unwrap();
        fill(&mut db, |db| Seed::Text(text.to_owned()).fill(db)).unwrap();
        db
    }

    fn export(db: &Connection) -> Export {
        let space = db.space("A").unwrap().unwrap();
        Export::of(db, &space, tempfile::tempfile().unwrap()).unwrap()
    }

    /// Reads a space in, where there is none.
    fn read_in(export: Export) -> Connection {
        let zip = export.write(Cursor::new(Vec::new()), |_, _, _| Ok(Vec::new()));
        let db = wiki("");
        let mut import = Import::read(zip.unwrap(), false).unwrap();
        import.reserve(&db).unwrap();
        import.insert(&db).unwrap();
        db
    }

    fn permissions(db: &Connection) -> Vec<permissions::Permission> {
        let space = db.space("A").unwrap().unwrap();
        permissions::of(db, space.id).unwrap()
    }

    #[test]
    fn everything_that_belongs_to_a_space_is_written_out() {
        let db = wiki("");
        let tables: Vec<String> = db
            .prepare(
                "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name IN ('space', 'content')",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert!(tables.len() > 9, "{tables:?}");
        for table in tables {
            // Counts, bytes that stand in the zip as files, and deletions under way.
            let is_other = ["tally", "file_piece", "task"].contains(&table.as_str());
            let is_written = CLASSES.iter().any(|(_, it, _)| *it == table);
            assert!(is_written != is_other, "{table}");
        }
    }

    #[test]
    fn permissions_categories_and_accounts_come_with_a_space_to_another_wiki() {
        let there = wiki(
            "person: agone | A. Gone | gone\n\nspace: A\nname: A\nadmins: asmith\n\
             categories: one\npermit: anonymous | read | space\n\n=== page\ntitle: T\nby: agone\n",
        );
        let here = read_in(export(&there));
        assert_eq!(permissions(&here), permissions(&there));
        let space = here.space("A").unwrap().unwrap();
        let sql = "SELECT name FROM space_category WHERE space = ?";
        assert_eq!(here.texts(sql, space.id).unwrap(), ["one"]);
        let gone = here.person_named("agone").unwrap().unwrap();
        assert_eq!(
            (gone.name.as_str(), gone.account),
            ("A. Gone", Account::Gone)
        );
        let there = there.person_named("asmith").unwrap().unwrap();
        assert_eq!(there.account, Account::Active);
    }

    #[test]
    fn a_zip_of_an_earlier_version_brings_its_administrators() {
        let there = wiki("space: A\nname: A\nadmins: asmith\n\n=== page\ntitle: T\n");
        let earlier = export(&there).rewritten(|text| {
            let objects = text.split_inclusive("</object>\n");
            let kept: String = objects
                .filter(|object| !object.contains(&format!("class=\"{PERMISSION}\"")))
                .collect();
            kept.replace(
                "</hibernate-generic>",
                "<object class=\"SpacePermission\">\n<property name=\"space\">1</property>\n\
                 <property name=\"username\"><![CDATA[asmith]]></property>\n</object>\n\
                 </hibernate-generic>",
            )
        });
        let here = read_in(earlier.unwrap());
        assert_eq!(permissions(&here), permissions(&there));
        let administrator = Subject::User("asmith".to_owned());
        assert_eq!(permissions(&here)[0].subject, administrator);
    }
}
