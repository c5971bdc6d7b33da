//! What a file that the server made of a space holds: its rows, held against what was listed before.
//!
//! `entities.xml` has an `object` for each row, with a class, an id and properties. It may be hundreds of
//! megabytes: it is read as a stream, and what is in memory at one time is one text of it at most.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::confluence::ContentId;
use crate::confluence::ids::{ATTACHMENT, ShortId};
use crate::jobs::zip_checked::{Expected, Held};

/// The entry with the rows.
pub(super) const ENTITIES: &str = "entities.xml";
/// No text of it is read that is longer than this, in bytes.
const LONGEST: usize = 32 << 20;
/// The classes of what a space has in it.
const CLASSES: [&str; 6] = [
    "Page",
    "BlogPost",
    "Comment",
    "Attachment",
    "CustomContentEntityObject",
    "ContentEntityObject",
];

/// What is to be in a file, and what of that was found.
pub(super) struct Entities<'a> {
    expected: &'a [Expected],
    by_number: HashMap<u64, usize>,
    found: Vec<Found>,
    is_readable: bool,
}

/// Whether something was found.
#[derive(Clone, Copy)]
enum Found {
    No,
    /// In this version, if it says so.
    Yes(Option<u64>),
}

/// An object while it is read.
#[derive(Default)]
struct Object {
    id: Option<u64>,
    version: Option<u64>,
}

/// What the text of an element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Version,
}

impl<'a> Entities<'a> {
    /// Expects these, each in this version or a later one.
    pub(super) fn expecting(expected: &'a [Expected]) -> Self {
        let numbers = expected.iter().enumerate();
        let by_number = numbers.filter_map(|(at, it)| Some((number_of(&it.id)?, at)));
        Self {
            expected,
            by_number: by_number.collect(),
            found: vec![Found::No; expected.len()],
            is_readable: false,
        }
    }

    /// Reads the entry to its end, also past what cannot be understood; tells its length. An error is
    /// one of the reading, such as a check sum that differs.
    pub(super) fn read(&mut self, from: impl Read) -> io::Result<u64> {
        let mut source = Source {
            from,
            bytes: 0,
            failed: None,
        };
        if !self.by_number.is_empty() {
            self.is_readable = self.parse(&mut source);
        }
        if source.failed.is_none() {
            io::copy(&mut source, &mut io::sink())?;
        }
        match source.failed {
            Some(error) => Err(error),
            None => Ok(source.bytes),
        }
    }

    /// Whether it is laid out in a way that is known here.
    fn parse(&mut self, source: &mut impl Read) -> bool {
        let metered = Metered {
            from: BufReader::with_capacity(1 << 16, source),
            left: LONGEST,
        };
        let mut reader = Reader::from_reader(metered);
        let mut buffer = Vec::new();
        let mut depth = 0_usize;
        let mut objects = 0_u64;
        let mut object: Option<(usize, Object)> = None;
        let mut field: Option<(Field, String)> = None;
        loop {
            reader.get_mut().left = LONGEST;
            let Ok(event) = reader.read_event_into(&mut buffer) else {
                return false;
            };
            match event {
                Event::Start(start) => {
                    depth += 1;
                    if start.name().as_ref() == "object" && object.is_none() {
                        objects += 1;
                        let class = attribute(&start, "class").unwrap_or_default();
                        if CLASSES.contains(&class.as_str()) {
                            object = Some((depth, Object::default()));
                        }
                    } else if object.as_ref().is_some_and(|(at, _)| depth == at + 1) {
                        field = field_of(&start).map(|field| (field, String::new()));
                    }
                }
                Event::Text(text) => {
                    if let Some((_, value)) = &mut field {
                        value.push_str(&text);
                    }
                }
                Event::CData(text) => {
                    if let Some((_, value)) = &mut field {
                        value.push_str(&text);
                    }
                }
                Event::End(_) => {
                    if let (Some((field, value)), Some((_, object))) = (field.take(), &mut object) {
                        let number = value.trim().parse().ok();
                        match field {
                            Field::Id => object.id = number,
                            Field::Version => object.version = number,
                        }
                    }
                    if object.as_ref().is_some_and(|(at, _)| *at == depth)
                        && let Some((_, object)) = object.take()
                    {
                        self.take(&object);
                    }
                    depth = depth.saturating_sub(1);
                }
                Event::Eof => return objects > 0 && depth == 0,
                _ => {}
            }
            buffer.clear();
        }
    }

    fn take(&mut self, object: &Object) {
        let at = object.id.and_then(|id| self.by_number.get(&id));
        if let Some(found) = at.and_then(|at| self.found.get_mut(*at)) {
            *found = Found::Yes(object.version);
        }
    }

    /// What was found of what is expected.
    pub(super) fn held(self) -> Held {
        if self.expected.is_empty() {
            return Held::default();
        }
        let mut held = Held {
            is_known: self.is_readable,
            ..Held::default()
        };
        if !self.is_readable {
            return held;
        }
        for (Expected { id, version, .. }, found) in self.expected.iter().zip(&self.found) {
            match found {
                // An id that is no number cannot be looked for.
                Found::No if number_of(id).is_none() => held.is_known = false,
                Found::No => held.missing.push(id.clone()),
                Found::Yes(found) => {
                    let is_older = found.zip(*version).is_some_and(|(it, then)| it < then);
                    if is_older {
                        held.older.push(id.clone());
                    }
                }
            }
        }
        held
    }
}

/// The number that an id has in the file, where attachments are told from others by their class.
pub(super) fn number_of(id: &ContentId) -> Option<u64> {
    Some(ShortId::of(id)?.number() & !ATTACHMENT)
}

fn attribute(start: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let mut all = start.attributes().flatten();
    let found = all.find(|it| it.key.as_ref() == wanted)?;
    Some(found.value.into_owned())
}

/// `<id name="id">` or `<property name="id">`, and `<property name="version">`.
fn field_of(start: &BytesStart<'_>) -> Option<Field> {
    let is_id = start.name().as_ref() == "id";
    match attribute(start, "name").as_deref() {
        Some("id") => Some(Field::Id),
        None if is_id => Some(Field::Id),
        Some("version") if !is_id => Some(Field::Version),
        _ => None,
    }
}

/// Counts what is read, and remembers the failure that a parser would hide.
struct Source<R> {
    from: R,
    bytes: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.from.read(into) {
            Ok(read) => {
                self.bytes += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }
}

/// Gives no more than what is left at one time.
struct Metered<R> {
    from: R,
    left: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = into.len().min(self.left);
        let read = self.from.read(&mut into[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other("a text of it is too long"));
        }
        let left = self.left;
        let given = self.from.fill_buf()?;
        Ok(&given[..given.len().min(left)])
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.from.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::zip_checked::Bytes;

    fn page(id: &str, version: Option<u64>) -> Expected {
        Expected {
            id: ContentId::new(id),
            version,
            bytes: Bytes::None,
        }
    }

    fn held(xml: &str, expected: &[(&str, Option<u64>)]) -> Held {
        let expected: Vec<Expected> = expected
            .iter()
            .map(|(id, version)| page(id, *version))
            .collect();
        let mut entities = Entities::expecting(&expected);
        let read = entities.read(xml.as_bytes()).expect("it is read");
        assert_eq!(read, xml.len() as u64, "to its end");
        entities.held()
    }

    /// As servers write it.
    const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<hibernate-generic datetime="2026-01-01">
<object class="Space" package="com.atlassian.confluence.spaces"><id name="id">9</id></object>
<object class="Page" package="com.atlassian.confluence.pages">
<id name="id">11</id>
<property name="title"><![CDATA[<object class="Page"><id name="id">12</id></object>]]></property>
<property name="version">3</property>
<property name="parent" class="Page"><id name="id">13</id></property>
<collection name="children"><element class="Page"><id name="id">14</id></element></collection>
</object>
<object class="Attachment"><property name="id">21</property><property name="version">1</property></object>
</hibernate-generic>
"#;

    #[test]
    fn what_a_file_lacks_or_has_in_an_older_version_is_named() {
        let found = held(XML, &[("11", Some(3)), ("att21", Some(1))]);
        assert!(found.is_known && found.missing.is_empty() && found.older.is_empty());
        // What is only named in it is not in it.
        for other in ["9", "12", "13", "14", "99"] {
            let found = held(XML, &[("11", Some(2)), (other, None)]);
            assert_eq!(found.missing, [ContentId::new(other)]);
        }
        let found = held(XML, &[("11", Some(4)), ("att21", None)]);
        assert_eq!(
            (found.missing.len(), found.older),
            (0, vec![ContentId::new("11")])
        );
    }

    #[test]
    fn a_file_that_is_laid_out_otherwise_is_not_known() {
        let cut = &XML[..XML.len() / 2];
        for xml in ["", "no xml <", "<a><b/></a>", cut] {
            let found = held(xml, &[("11", Some(3))]);
            assert!(!found.is_known && found.missing.is_empty(), "{xml}");
        }
        assert!(!held(XML, &[("an-odd-id", None)]).is_known);
        // Nothing is expected, so nothing is in question.
        assert!(held("", &[]).is_known);
    }

    /// So many bytes of one text, never all at once, and what follows them.
    struct Long {
        head: io::Cursor<Vec<u8>>,
        left: usize,
        tail: io::Cursor<Vec<u8>>,
    }

    impl Read for Long {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.head.read(into)? {
                0 if self.left == 0 => self.tail.read(into),
                0 => {
                    let count = into.len().min(self.left);
                    into[..count].fill(b'x');
                    self.left -= count;
                    Ok(count)
                }
                read => Ok(read),
            }
        }
    }

    #[test]
    fn a_text_without_end_is_not_held_in_memory() {
        let expected = [page("11", Some(1))];
        let mut entities = Entities::expecting(&expected);
        let head = b"<x><object class=\"Page\"><property name=\"body\"><![CDATA[".to_vec();
        let tail = b"]]></property></object></x>".to_vec();
        let length = (head.len() + 2 * LONGEST + tail.len()) as u64;
        let long = Long {
            head: io::Cursor::new(head),
            left: 2 * LONGEST,
            tail: io::Cursor::new(tail),
        };
        assert_eq!(entities.read(long).expect("it is read"), length);
        assert!(!entities.held().is_known, "all of it was in memory");
    }
}
