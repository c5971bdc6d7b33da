//! Whether a file that the server made of a space is a whole zip, and of which space.
//!
//! Every entry is unpacked and compared with its check sum, piece by piece; only the list of the entries
//! is held in memory.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::files;
use super::progress::{Gauge, Tell};
use super::zip_entities::{ENTITIES, Entities, number_of};
use crate::confluence::{ContentId, SpaceKey};
use crate::jobs::backup::{BackupError, Digest, FileEntry};
use crate::jobs::zip_checked::{Bytes, Expected, Held, ZipChecked, ZipFound};

/// Why a look through a file has ended before its end.
const NOT_WANTED: &str = "it is not wanted any more";

/// Names the space, and what it was made by.
const DESCRIPTOR: &str = "exportDescriptor.properties";
/// How much is unpacked at once.
const PIECE: usize = 64 * 1024;
/// A descriptor is not read further than this, in bytes.
const DESCRIPTOR_LIMIT: u64 = 1 << 20;
/// Below it lie the attached files: page, file, version.
const ATTACHMENTS: &str = "attachments";

/// Hears how far a look through a file is, and says whether it is still wanted.
pub struct Watch<'a> {
    gauge: Gauge,
    is_wanted: Box<dyn Fn() -> bool + 'a>,
}

impl<'a> Watch<'a> {
    /// `is_wanted` is asked after each piece.
    pub fn new(tell: Tell, is_wanted: impl Fn() -> bool + 'a) -> Self {
        Self {
            gauge: Gauge::of(0, tell),
            is_wanted: Box::new(is_wanted),
        }
    }

    /// Nobody hears it, and it is wanted to its end.
    pub fn none() -> Self {
        Self::new(Arc::new(|_, _| {}), || true)
    }

    /// Something was read: how much, before what is read twice is taken once.
    fn read(&mut self, twice: u64) -> io::Result<()> {
        self.gauge.at(twice / 2);
        if (self.is_wanted)() {
            Ok(())
        } else {
            Err(io::Error::other(NOT_WANTED))
        }
    }
}

/// A file that is watched while it is read.
struct Watched<'a, 'b> {
    file: File,
    watch: &'a RefCell<Watch<'b>>,
    read: u64,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.read += read as u64;
        self.watch.borrow_mut().read(self.read)?;
        Ok(read)
    }
}

/// What is unpacked of an entry, watched while it is read.
struct Unpacked<'a, 'b, R> {
    from: R,
    watch: &'a RefCell<Watch<'b>>,
    /// How much was read before it, and how long it is in the file.
    before: u64,
    packed: u64,
    read: u64,
}

impl<R: Read> Read for Unpacked<'_, '_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.read += read as u64;
        let so_far = self.before + self.packed.min(self.read);
        self.watch.borrow_mut().read(so_far)?;
        Ok(read)
    }
}

fn read_out(from: &mut impl Read, piece: &mut [u8]) -> io::Result<u64> {
    let mut all = 0;
    loop {
        match from.read(piece)? {
            0 => return Ok(all),
            read => all += read as u64,
        }
    }
}

/// Checks the file at `path`, which is to be what arrived, and to be of this space; and looks for what is
/// to be in it, each in this version or a later one.
pub fn check(
    path: &Path,
    sha256: Digest,
    space: &SpaceKey,
    expected: &[Expected],
    watch: Watch<'_>,
) -> Result<ZipChecked, String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unreadable =
        |error: &dyn std::fmt::Display| format!("The file {name} cannot be read: {error}.");
    let bytes = files::open(path)
        .and_then(|file| file.metadata())
        .map_err(|error| unreadable(&error))?
        .len();
    let entry = FileEntry {
        name: name.clone().into_owned(),
        sha256,
        bytes,
        items: 0,
    };
    let watch = RefCell::new(watch);
    watch.borrow_mut().gauge.total = bytes;
    entry
        .check_file(|| {
            Ok(Watched {
                file: files::open(path)?,
                watch: &watch,
                read: 0,
            })
        })
        .map_err(|error: BackupError| error.to_string())?;
    let file = files::open(path).map_err(|error| unreadable(&error))?;
    let mut zip = ZipArchive::new(io::BufReader::new(file)).map_err(|error| no_zip(&error))?;
    let named = spaces_named(&mut zip).map_err(|error| no_zip(&error))?;
    let is_it = |key: &String| key.to_lowercase() == space.as_str().to_lowercase();
    if !named.iter().any(is_it) {
        return Err(match named.as_slice() {
            [] => "The file of the server names no space.".to_owned(),
            others => format!(
                "The file of the server is of {}, not of {space}.",
                crate::report::scrub(&others.join(", "))
            ),
        });
    }
    let mut attached = HashSet::new();
    let mut passed = 0;
    let mut piece = vec![0; PIECE];
    let mut entities = Entities::expecting(expected);
    let mut contents = Contents::default();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(|error| no_zip(&error))?;
        let name = entry.name().map_err(|error| no_zip(&error))?;
        if let Some(file) = attachment(&name) {
            attached.insert(file);
            contents.take(&name, entry.size());
        }
        let is_of_rows = name == ENTITIES;
        let (length, packed) = (entry.size(), entry.compressed_size());
        // Reading to the end compares the check sum too.
        let mut unpacked = Unpacked {
            from: &mut entry,
            watch: &watch,
            before: bytes + passed,
            packed,
            read: 0,
        };
        let read = if is_of_rows {
            entities.read(&mut unpacked)
        } else {
            read_out(&mut unpacked, &mut piece)
        };
        read.map_err(|error| no_zip(&error.into()))?;
        if unpacked.read != length {
            return Err(no_whole_zip("one of its entries is shorter than it says"));
        }
        passed += packed;
    }
    let mut held = entities.held();
    held.hollow = contents.lacking(expected, &held);
    Ok(ZipChecked {
        found: ZipFound {
            bytes,
            files: attached.len() as u64,
        },
        held,
    })
}

/// The bytes of attached files that are in a zip: of each file the latest version, and its length.
#[derive(Default)]
struct Contents(HashMap<u64, (u64, u64)>);

impl Contents {
    /// An entry with the bytes of a version of a file: `attachments/PAGE/FILE/VERSION`.
    fn take(&mut self, name: &str, length: u64) {
        let mut parts = name.split('/').skip(2).map(|part| part.parse().ok());
        if let (Some(Some(file)), Some(Some(version))) = (parts.next(), parts.next()) {
            let latest = self.0.entry(file).or_insert((version, length));
            if version >= latest.0 {
                *latest = (version, length);
            }
        }
    }

    /// Which files are expected, have their rows in it, and not their bytes.
    fn lacking(&self, expected: &[Expected], held: &Held) -> Vec<ContentId> {
        if !held.is_known {
            return Vec::new();
        }
        let rows_lack: HashSet<&ContentId> = held.missing.iter().chain(&held.older).collect();
        let is_hollow = |it: &&Expected| {
            let Bytes::File(size) = it.bytes else {
                return false;
            };
            let latest = number_of(&it.id).and_then(|number| self.0.get(&number));
            let is_there = latest.is_some_and(|(version, length)| match it.version {
                // A later version may have another length.
                Some(told) if *version > told => true,
                Some(told) if *version < told => false,
                _ => size.is_none_or(|size| size == *length),
            });
            !is_there && !rows_lack.contains(&it.id)
        };
        let hollow = expected.iter().filter(is_hollow);
        hollow.map(|it| it.id.clone()).collect()
    }
}

/// What is wrong with a zip, where its reader says so: its own words are about its insides.
fn no_zip(error: &ZipError) -> String {
    match error {
        ZipError::FileNotFound => no_whole_zip("what a backup of a space begins with is not in it"),
        ZipError::Io(error) if error.raw_os_error().is_some() => {
            no_whole_zip(&crate::report::system(error))
        }
        ZipError::Io(error) if error.to_string() == NOT_WANTED => no_whole_zip(NOT_WANTED),
        _ => no_whole_zip("it was cut or changed on its way, or is something else"),
    }
}

fn no_whole_zip(why: &str) -> String {
    format!("The file of the server is no whole zip: {why}.")
}

/// The attached file that an entry is a version of, as a number.
fn attachment(name: &str) -> Option<u64> {
    let mut parts = name.split('/');
    if parts.next() != Some(ATTACHMENTS) {
        return None;
    }
    let (page, file, version) = (parts.next()?, parts.next()?, parts.next()?);
    if version.is_empty() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    (page, file).hash(&mut hasher);
    Some(hasher.finish())
}

/// The keys of the spaces that a zip says it is of.
fn spaces_named(zip: &mut ZipArchive<io::BufReader<File>>) -> zip::result::ZipResult<Vec<String>> {
    let mut text = Vec::new();
    zip.by_name(DESCRIPTOR)?
        .take(DESCRIPTOR_LIMIT)
        .read_to_end(&mut text)?;
    Ok(keys_in(&String::from_utf8_lossy(&text)))
}

/// The keys in the text of a descriptor, which is a file of Java properties.
fn keys_in(text: &str) -> Vec<String> {
    let values = text.lines().filter_map(|line| {
        let (name, value) = line.trim_start().split_once(['=', ':'])?;
        matches!(name.trim_end(), "spaceKey" | "spaceKeys").then(|| unescaped(value.trim()))
    });
    values
        .flat_map(|value| {
            let keys = value.split(',').map(|key| key.trim().to_owned());
            keys.collect::<Vec<_>>()
        })
        .filter(|key| !key.is_empty())
        .collect()
}

/// A value of Java properties without its escapes.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                let unit = u32::from_str_radix(&digits, 16).ok();
                text.push(unit.and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Mutex;

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn zip(descriptor: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        let mut put = |name: &str, bytes: &[u8]| {
            let is_text = name == DESCRIPTOR || name == "entities.xml";
            let method = if is_text {
                CompressionMethod::Deflated
            } else {
                CompressionMethod::Stored
            };
            let options = SimpleFileOptions::default().compression_method(method);
            zip.start_file(name, options).expect("an entry");
            zip.write_all(bytes).expect("its bytes");
        };
        put(DESCRIPTOR, descriptor.as_bytes());
        put("entities.xml", "<x/>".repeat(1_000).as_bytes());
        put("attachments/1/2/1", b"one");
        put("attachments/1/2/2", b"two");
        put("attachments/1/3/1", b"three");
        zip.finish().expect("a zip").into_inner()
    }

    fn check_bytes(bytes: &[u8], key: &str) -> Result<ZipFound, String> {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("space.zip");
        std::fs::write(&path, bytes).expect("written");
        let (key, watch) = (SpaceKey::new(key), Watch::none());
        let checked = check(&path, Digest::of(bytes), &key, &[], watch)?;
        Ok(checked.found)
    }

    #[test]
    fn a_whole_zip_of_the_space_is_told_with_its_files() {
        let bytes = zip("exportType=space\nspaceKey=ENG\n");
        let found = check_bytes(&bytes, "eng").expect("it is good");
        assert_eq!((found.files, found.bytes), (2, bytes.len() as u64));
        for named in ["spaceKeys = A, ~j\\u00e9", "spaceKey: ~j\\u00e9"] {
            check_bytes(&zip(named), "~jé").expect(named);
        }
    }

    #[test]
    fn a_zip_that_is_cut_changed_or_of_another_space_is_refused() {
        let bytes = zip("spaceKey=ENG\n");
        let other = check_bytes(&bytes, "HR").expect_err("another space");
        assert_eq!(other, "The file of the server is of ENG, not of HR.");
        assert!(check_bytes(&zip("exportType=space"), "ENG").is_err());
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            let why = check_bytes(&bytes[..cut], "ENG").expect_err("cut");
            assert!(why.contains("no whole zip"), "{why}");
        }
        // It is stored as it is, so that a byte of it can be found.
        let at = bytes.windows(5).position(|it| it == b"three");
        let at = at.expect("it is in there");
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let changed = check_bytes(&changed, "ENG").expect_err("changed");
        assert!(changed.contains("cut or changed on its way"), "{changed}");
    }

    #[test]
    fn what_is_wrong_with_a_zip_is_told_without_the_words_of_its_reader() {
        let bytes = zip("spaceKey=ENG\n");
        let short = check_bytes(&bytes[..bytes.len() / 2], "ENG").expect_err("cut");
        let empty = ZipWriter::new(io::Cursor::new(Vec::new()));
        let empty = empty.finish().expect("a zip").into_inner();
        let empty = check_bytes(&empty, "ENG").expect_err("nothing is in it");
        for why in [&short, &empty] {
            for word in ["EOCD", "archive", "specified", "declared"] {
                assert!(!why.contains(word), "{why}");
            }
        }
        assert!(short.contains("cut or changed on its way"), "{short}");
        assert!(empty.contains("is not in it"), "{empty}");
    }

    #[test]
    fn a_look_through_a_zip_tells_how_far_it_is_and_ends_where_it_is_not_wanted() {
        let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(DESCRIPTOR, stored).expect("an entry");
        zip.write_all(b"spaceKey=ENG").expect("its bytes");
        zip.start_file("attachments/1/2/1", stored)
            .expect("an entry");
        zip.write_all(&vec![7; 5 << 20]).expect("its bytes");
        let bytes = zip.finish().expect("a zip").into_inner();
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("space.zip");
        std::fs::write(&path, &bytes).expect("written");
        let look = |wanted: usize| {
            let told = Arc::new(Mutex::new(Vec::new()));
            let hears = Arc::clone(&told);
            let tell: Tell = Arc::new(move |done, total| {
                hears.lock().expect("nobody panics").push((done, total));
            });
            let heard = || told.lock().expect("nobody panics").clone();
            let watch = Watch::new(tell, || heard().len() < wanted);
            let found = check(&path, Digest::of(&bytes), &SpaceKey::new("ENG"), &[], watch);
            (found, heard())
        };
        let (found, told) = look(usize::MAX);
        assert!(found.is_ok(), "{found:?}");
        let total = bytes.len() as u64;
        // Once for each mebibyte.
        assert!((4..=5).contains(&told.len()), "{told:?}");
        assert!(told.is_sorted() && told.iter().all(|(done, of)| done <= of && *of == total));
        for wanted in [1, 4] {
            let (found, told) = look(wanted);
            assert!(found.expect_err("ended").contains("not wanted"));
            assert_eq!(told.len(), wanted);
        }
    }

    #[test]
    fn a_file_that_is_not_what_arrived_is_refused() {
        let home = tempfile::tempdir().expect("a folder for the test");
        let path = home.path().join("space.zip");
        let bytes = zip("spaceKey=ENG\n");
        std::fs::write(&path, &bytes).expect("written");
        let (key, watch) = (SpaceKey::new("ENG"), Watch::none());
        let why = check(&path, Digest::of(b"other"), &key, &[], watch);
        assert!(why.expect_err("it differs").contains("check sum differs"));
    }
}
