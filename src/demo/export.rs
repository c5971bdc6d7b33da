//! A space written out as a zip, and read in again: what `backup-restore` makes and takes.
//!
//! The zip is laid out as those of real servers are: `exportDescriptor.properties` names the space,
//! `entities.xml` holds every row that belongs to it, and `attachments/PAGE/FILE/VERSION` the files.
//! A space that is read in gets new ids; everything else is as it was, history and permissions too.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, BufReader, Read, Seek, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rusqlite::types::{Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::store::{self, Store as _};

const DESCRIPTOR: &str = "exportDescriptor.properties";
const ENTITIES: &str = "entities.xml";
/// Larger entries get the sizes of ZIP64.
const ZIP64_FROM: u64 = 0xF000_0000;

/// Each class of `entities.xml`: its table, and the query for the rows of a space.
const CLASSES: &[(&str, &str, &str)] = &[
    (
        "ConfluenceUserImpl",
        "person",
        "SELECT * FROM person WHERE id IN (SELECT creator FROM content WHERE space = ?1 \
         UNION SELECT modifier FROM content WHERE space = ?1 \
         UNION SELECT creator FROM space WHERE id = ?1 \
         UNION SELECT modifier FROM space WHERE id = ?1 \
         UNION SELECT modifier FROM old_version WHERE content IN \
         (SELECT id FROM content WHERE space = ?1)) ORDER BY id",
    ),
    ("Space", "space", "SELECT * FROM space WHERE id = ?1"),
    (
        "SpacePermission",
        "space_admin",
        "SELECT * FROM space_admin WHERE space = ?1 ORDER BY username",
    ),
    (
        "SpaceLabel",
        "space_label",
        "SELECT * FROM space_label WHERE space = ?1 ORDER BY name",
    ),
    (
        "ContentEntityObject",
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
];

/// What a space is written out as, but for the bytes of its files.
pub(super) struct Export {
    key: String,
    entities: String,
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

impl Export {
    /// Reads the rows of a space, all at one time.
    pub(super) fn of(db: &Connection, space: &store::SpaceRow) -> rusqlite::Result<Self> {
        let mut entities =
            String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hibernate-generic>\n");
        let mut objects = 0;
        for (class, _, sql) in CLASSES {
            let mut statement = db.prepare_cached(sql)?;
            let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let mut rows = statement.query([space.id])?;
            while let Some(row) = rows.next()? {
                objects += 1;
                let _ = writeln!(entities, "<object class=\"{class}\">");
                for (index, name) in names.iter().enumerate() {
                    write_property(&mut entities, name, row.get_ref(index)?);
                }
                entities.push_str("</object>\n");
            }
        }
        entities.push_str("</hibernate-generic>\n");
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

    /// Writes the zip. `bytes` gives a piece of a file: which, from where, how much.
    pub(super) fn write<W: Write + Seek>(
        &self,
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
        zip.start_file(ENTITIES, packed)?;
        zip.write_all(self.entities.as_bytes())?;
        for file in &self.files {
            let stored = SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored)
                .large_file(file.size >= ZIP64_FROM);
            zip.start_file(&file.entry, stored)?;
            let mut from = 0;
            while from < file.size {
                let count = (file.size - from).min(store::PIECE);
                zip.write_all(&bytes(file.content, from, count)?)?;
                from += count;
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

fn write_property(out: &mut String, name: &str, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(number) => {
            let _ = writeln!(out, "<property name=\"{name}\">{number}</property>");
        }
        ValueRef::Real(number) => {
            let _ = writeln!(out, "<property name=\"{name}\">{number}</property>");
        }
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            if is_sayable(&text) {
                let text = text.replace("]]>", "]]]]><![CDATA[>");
                let _ = writeln!(
                    out,
                    "<property name=\"{name}\"><![CDATA[{text}]]></property>"
                );
            } else {
                let text = STANDARD.encode(text.as_bytes());
                let _ = writeln!(
                    out,
                    "<property name=\"{name}\" encoding=\"base64\">{text}</property>"
                );
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

/// A space that is being read in.
pub(super) struct Import<R> {
    zip: ZipArchive<R>,
    objects: Vec<Object>,
    /// The new id of each content.
    contents: HashMap<i64, i64>,
}

impl<R: Read + Seek> Import<R> {
    /// Reads the rows. `half` leaves out every second page, as a server does that calls a restore
    /// finished and has not done it.
    pub(super) fn read(zip: R, half: bool) -> Result<Self, NotAnExport> {
        let mut zip = ZipArchive::new(zip)?;
        let mut objects = objects_in(BufReader::new(zip.by_name(ENTITIES)?))?;
        if half {
            let mut count = 0_u32;
            objects.retain(|it| {
                count += u32::from(it.class == "ContentEntityObject");
                it.class != "ContentEntityObject" || count % 2 == 1
            });
        }
        Ok(Self {
            zip,
            objects,
            contents: HashMap::new(),
        })
    }

    pub(super) fn objects(&self) -> u64 {
        self.objects.len() as u64
    }

    /// Takes the ids that the contents will have.
    pub(super) fn reserve(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let ids = self
            .objects
            .iter()
            .filter(|it| it.class == "ContentEntityObject")
            .filter_map(|it| it.number("id"))
            .collect::<Vec<_>>();
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
        let mut piece = vec![0; store::PIECE as usize];
        for name in names.iter().filter(|name| name.starts_with("attachments/")) {
            let old = name.split('/').nth(2).and_then(|id| id.parse().ok());
            let Some(new) = old.and_then(|old: i64| self.contents.get(&old)).copied() else {
                continue;
            };
            let mut entry = self.zip.by_name(name)?;
            for number in 0.. {
                let read = fill(&mut entry, &mut piece)?;
                if read == 0 {
                    break;
                }
                take(new, number, &piece[..read])?;
            }
        }
        Ok(())
    }

    /// Puts the rows in: everything, or nothing.
    pub(super) fn insert(&self, db: &Connection) -> Result<(), NotAnExport> {
        let space = db
            .query_row("SELECT ifnull(max(id), 0) + 1 FROM space", [], |row| {
                row.get::<_, i64>(0)
            })?
            .max(super::seed::FIRST_SPACE);
        let mut people = HashMap::new();
        for object in self
            .objects
            .iter()
            .filter(|it| it.class == "ConfluenceUserImpl")
        {
            let (Some(old), Some(username)) = (object.number("id"), object.columns.get("username"))
            else {
                continue;
            };
            let name = object.columns.get("name").unwrap_or(username);
            db.execute(
                "INSERT OR IGNORE INTO person (username, name) VALUES (?, ?)",
                [username, name],
            )?;
            if let Some(person) = db.person_named(username)? {
                people.insert(old, person.id);
            }
        }
        for (class, table, _) in CLASSES.iter().skip(1) {
            for object in self.objects.iter().filter(|it| it.class == *class) {
                self.insert_row(db, table, object, space, &people)?;
            }
        }
        Ok(())
    }

    fn insert_row(
        &self,
        db: &Connection,
        table: &str,
        object: &Object,
        space: i64,
        people: &HashMap<i64, i64>,
    ) -> Result<(), NotAnExport> {
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
                "id" if table == "space" => SqlValue::Integer(space),
                "space" => SqlValue::Integer(space),
                "id" | "content" => match self.contents.get(&old()) {
                    Some(id) => SqlValue::Integer(*id),
                    // What a half restore has left out.
                    None => return Ok(()),
                },
                "parent" | "homepage" => self
                    .contents
                    .get(&old())
                    .map_or(SqlValue::Null, |id| SqlValue::Integer(*id)),
                "creator" | "modifier" => people
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

fn fill(from: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < piece.len() {
        match from.read(&mut piece[read..])? {
            0 => break,
            count => read += count,
        }
    }
    Ok(read)
}

fn attribute(start: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let found = start
        .attributes()
        .flatten()
        .find(|it| it.key.as_ref() == wanted)?;
    Some(found.value.into_owned())
}

fn objects_in(from: impl io::BufRead) -> Result<Vec<Object>, NotAnExport> {
    let broken = |error: &dyn std::fmt::Display| {
        NotAnExport::Content(format!("The entities of the zip are broken: {error}"))
    };
    let mut reader = Reader::from_reader(from);
    let mut buffer = Vec::new();
    let mut objects = Vec::new();
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
            Event::End(end) if end.name().as_ref() == "object" => objects.extend(object.take()),
            Event::Eof => return Ok(objects),
            _ => {}
        }
        buffer.clear();
    }
}

/// The bytes of a file that was sent, and not made by formula.
pub(super) fn sent_piece(
    db: &Connection,
    file: i64,
    number: u64,
) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT bytes FROM file_piece WHERE content = ? AND number = ?")?
        .query_row(params![file, number as i64], |row| row.get(0))
        .optional()
}
