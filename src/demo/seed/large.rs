//! A large wiki by formula: the same numbers and seed always make the same wiki.
//!
//! The first space is `BIG`. Of the pages and of the trash, one tenth is spread over the other
//! spaces (`S00001`, `S00002`, …), but never more than one page and ten trashed items each; all
//! the rest is in `BIG`. So `--spaces 1 --pages 200000` is one space of exactly 200,000 pages. The
//! first 50 pages of `BIG` are roots; the others hang below them breadth first, each page having
//! none to 40 children. Bodies are not kept but made from id and title when they are asked for.
//!
//! Comments and attached files hang on the pages of `BIG`. Files differ in size, from a quarter to seven
//! quarters of what they have on average, and have exactly the bytes that were asked for in all; what is
//! in them is not kept but made from the id.
//!
//! Rows are streamed into SQLite, which spills to disk: the memory used does not grow with the
//! numbers.

use std::fmt::Write as _;

use rusqlite::{Connection, params};

use super::super::permissions;
use super::error::SeedError;
use crate::demo::store::{Account, FIRST_CONTENT, FIRST_SPACE, Kind, Status, Store as _};

/// The numbers of a large wiki.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Large {
    /// Spaces; at least one is made.
    pub spaces: u64,
    /// Current pages and blog posts.
    pub pages: u64,
    /// Trashed items.
    pub trash: u64,
    /// Comments on pages.
    pub comments: u64,
    /// Files attached to pages.
    pub files: u64,
    /// How many bytes these have in all.
    pub bytes: u64,
    /// Another number, another wiki.
    pub seed: u64,
}

const ROOTS: u64 = 50;
const PEOPLE: i64 = 40;
/// 1 January 2019, UTC.
const EPOCH: i64 = 1_546_300_800_000;
/// Until the end of 2025.
const SPAN: u64 = 7 * 365 * 86_400_000;

const FIRST_NAMES: [&str; 10] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Esra", "Femi", "Greta", "Hiro", "Inês", "Jonas",
];
const LAST_NAMES: [&str; 8] = [
    "Lindqvist",
    "Okafor",
    "Moreau",
    "Tanaka",
    "Novák",
    "Silva",
    "Weber",
    "Kaya",
];
const TEAMS: [&str; 12] = [
    "Platform",
    "Payments",
    "Field service",
    "Customer care",
    "Research",
    "Warehouse",
    "Design",
    "Security",
    "Finance",
    "Data",
    "Mobile",
    "Legal",
];
const MATTERS: [&str; 10] = [
    "handbook",
    "projects",
    "operations",
    "archive",
    "wiki",
    "planning",
    "notes",
    "guild",
    "programme",
    "library",
];
const ADJECTIVES: [&str; 16] = [
    "Weekly",
    "Draft",
    "Final",
    "Regional",
    "Quarterly",
    "Internal",
    "Old",
    "Revised",
    "Annual",
    "Shared",
    "Technical",
    "Open",
    "Joint",
    "Nightly",
    "Interim",
    "Public",
];
const NOUNS: [&str; 24] = [
    "runbook",
    "retrospective",
    "roadmap",
    "meeting notes",
    "decision record",
    "checklist",
    "onboarding guide",
    "incident report",
    "budget",
    "release plan",
    "style guide",
    "test plan",
    "survey",
    "migration steps",
    "glossary",
    "interview notes",
    "capacity plan",
    "risk register",
    "price list",
    "vendor review",
    "post-mortem",
    "travel policy",
    "architecture sketch",
    "status report",
];
const FAN_OUT: [u64; 12] = [0, 2, 0, 5, 1, 12, 0, 3, 8, 40, 0, 7];

/// Files are smaller than this and a kilobyte, so that a backup of a million items, of which one in eleven
/// is a file, has room on a disk: some two gigabytes.
const LARGEST_FILE: i64 = 30_000;

/// The endings of attached files, and what they are.
const FILE_TYPES: [(&str, &str); 5] = [
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("txt", "text/plain"),
    ("zip", "application/zip"),
    ("bin", "application/octet-stream"),
];

/// A number that looks random and depends on nothing but its argument (SplitMix64).
pub(in crate::demo) fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn pick<'a>(words: &[&'a str], n: u64) -> &'a str {
    words[(n % words.len() as u64) as usize]
}

fn title(out: &mut String, hash: u64, number: u64) {
    out.clear();
    let _ = write!(
        out,
        "{} {} {number}",
        pick(&ADJECTIVES, hash),
        pick(&NOUNS, hash >> 8)
    );
}

impl Large {
    fn hash(&self, what: u64, n: u64) -> u64 {
        scatter(scatter(self.seed ^ (what << 56)).wrapping_add(n))
    }

    pub(super) fn fill(&self, db: &Connection) -> Result<(), SeedError> {
        for n in 0..PEOPLE {
            let first = FIRST_NAMES[n as usize % FIRST_NAMES.len()];
            let last = LAST_NAMES[(n as usize / FIRST_NAMES.len() + n as usize) % LAST_NAMES.len()];
            db.execute(
                "INSERT OR IGNORE INTO person (username, name) VALUES (?, ?)",
                params![format!("user{n:02}"), format!("{first} {last}")],
            )?;
            // Ids of people begin behind the one user.
            db.set_account(
                2 + n,
                match n % 20 {
                    7 => Account::Disabled,
                    13 => Account::Gone,
                    _ => Account::Active,
                },
            )?;
        }
        let others = self.spaces.max(1) - 1;
        let spread_pages = others.min(self.pages / 10);
        let each_trash = 10_u64.min(self.trash / 10 / others.max(1));
        let spread_trash = each_trash * others;
        let mut next = FIRST_CONTENT;
        let big_pages = self.pages - spread_pages;
        self.fill_spaces(db, big_pages)?;
        self.fill_pages(db, &mut next, big_pages)?;
        for n in 0..spread_pages {
            self.fill_page(
                db,
                &mut next,
                FIRST_SPACE + 1 + n as i64,
                None,
                0,
                big_pages + n,
            )?;
        }
        self.fill_trash(db, &mut next, self.trash - spread_trash, big_pages)?;
        for n in 0..spread_trash {
            let space = FIRST_SPACE + 1 + (n / each_trash.max(1)) as i64;
            self.fill_trashed(db, &mut next, space, None, self.trash + n)?;
        }
        if big_pages > 0 {
            self.fill_comments(db, &mut next, big_pages)?;
            self.fill_files(db, &mut next, big_pages)?;
        }
        Ok(())
    }

    fn fill_comments(&self, db: &Connection, next: &mut i64, pages: u64) -> Result<(), SeedError> {
        for n in 0..self.comments {
            let hash = self.hash(6, n);
            let parent = FIRST_CONTENT + (hash >> 8) as i64 % pages as i64;
            let body = format!(
                "<p>The {} looks right to {}.</p>",
                pick(&NOUNS, hash >> 12),
                pick(&FIRST_NAMES, hash >> 20)
            );
            Self::hang(db, *next, Kind::Comment, parent, "Re: ", &body, hash)?;
            *next += 1;
        }
        Ok(())
    }

    fn fill_files(&self, db: &Connection, next: &mut i64, pages: u64) -> Result<(), SeedError> {
        for n in 0..self.files {
            let hash = self.hash(7, n);
            let parent = FIRST_CONTENT + (hash >> 8) as i64 % pages as i64;
            let (ending, media_type) = FILE_TYPES[(hash % FILE_TYPES.len() as u64) as usize];
            let name = format!("{} {}.{ending}", pick(&NOUNS, hash >> 16), n + 1);
            Self::hang(db, *next, Kind::Attachment, parent, &name, "", hash)?;
            db.prepare_cached("INSERT INTO file VALUES (?, ?, ?)")?
                .execute(params![*next, media_type, self.file_size(n) as i64])?;
            *next += 1;
        }
        Ok(())
    }

    /// The size of a file: one of two is as much above the average as the other is below it, and the last
    /// one has what is left.
    fn file_size(&self, n: u64) -> u64 {
        let usual = self.bytes / self.files;
        let by = self.hash(8, n / 2) % (usual * 3 / 4 + 1);
        let rest = if n + 1 == self.files {
            self.bytes % self.files
        } else {
            0
        };
        match n % 2 {
            0 if n + 1 == self.files => usual + rest,
            0 => usual - by,
            _ => usual + by + rest,
        }
    }

    /// What hangs on a page of `BIG`. A title that ends in a blank goes on with that of the page.
    fn hang(
        db: &Connection,
        id: i64,
        kind: Kind,
        parent: i64,
        title: &str,
        body: &str,
        hash: u64,
    ) -> Result<(), SeedError> {
        let of_page = if title.ends_with(' ') { "title" } else { "''" };
        let by = 2 + (hash >> 16) as i64 % PEOPLE;
        let made = EPOCH + (hash % SPAN) as i64;
        let sql = format!(
            "INSERT INTO content SELECT ?1, space, ?2, 0, id, NULL, ?3 || {of_page}, 1, ?4, ?5, \
             ?4, ?5, ?6 FROM content WHERE id = ?7"
        );
        db.prepare_cached(&sql)?.execute(params![
            id,
            kind as i64,
            title,
            by,
            made,
            body,
            parent
        ])?;
        Ok(())
    }

    fn fill_spaces(&self, db: &Connection, big_pages: u64) -> Result<(), SeedError> {
        let mut space =
            db.prepare("INSERT INTO space VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0)")?;
        let mut label = db.prepare("INSERT INTO space_label VALUES (?, ?)")?;
        for n in 0..self.spaces.max(1) {
            let id = FIRST_SPACE + n as i64;
            let hash = self.hash(1, n);
            let key = if n == 0 {
                "BIG".to_owned()
            } else {
                format!("S{n:05}")
            };
            let team = pick(&TEAMS, hash);
            let name = if n == 0 {
                "The big one".to_owned()
            } else {
                format!("{team} {} {n}", pick(&MATTERS, hash >> 8))
            };
            let created = EPOCH + (hash % SPAN) as i64;
            let by = 2 + (hash >> 16) as i64 % PEOPLE;
            space.execute(params![
                id,
                key,
                name,
                false,
                n > 0 && (hash >> 24).is_multiple_of(16),
                format!("What {team} keeps."),
                (n == 0 && big_pages > 0).then_some(FIRST_CONTENT),
                by,
                created,
                by,
                created + 86_400_000,
                n > 0 && (hash >> 32).is_multiple_of(64),
            ])?;
            permissions::permit_administrators(db, id, &[])?;
            permissions::permit_usual(db, id)?;
            if (hash >> 40).is_multiple_of(4) {
                label.execute(params![id, team.to_lowercase().replace(' ', "-")])?;
            }
        }
        Ok(())
    }

    fn fill_pages(&self, db: &Connection, next: &mut i64, pages: u64) -> Result<(), SeedError> {
        let first = *next;
        // The page that gets children now, how many it still gets, and how many it has.
        let (mut parent, mut left, mut has) = (0_u64, 10_u64, 0_i64);
        for n in 0..pages {
            if n < ROOTS {
                self.fill_page(db, next, FIRST_SPACE, None, n as i64, n)?;
                continue;
            }
            while left == 0 {
                parent += 1;
                has = 0;
                // The roots are never empty, and the last page before this one never is: else
                // there would be nobody left to hang this one under.
                left = match FAN_OUT[(self.hash(2, parent) % FAN_OUT.len() as u64) as usize] {
                    few if parent < ROOTS => few.max(3),
                    0 if parent + 1 >= n => 2,
                    fan => fan,
                };
            }
            self.fill_page(db, next, FIRST_SPACE, Some(first + parent as i64), has, n)?;
            left -= 1;
            has += 1;
        }
        Ok(())
    }

    fn fill_page(
        &self,
        db: &Connection,
        next: &mut i64,
        space: i64,
        parent: Option<i64>,
        position: i64,
        number: u64,
    ) -> Result<(), SeedError> {
        let hash = self.hash(3, number);
        let blog = parent.is_none() && number >= ROOTS && hash.is_multiple_of(10);
        let kind = if blog { Kind::BlogPost } else { Kind::Page };
        Self::row(
            db,
            next,
            space,
            kind,
            Status::Current,
            parent,
            Some(position),
            hash,
            number,
        )
    }

    fn fill_trash(
        &self,
        db: &Connection,
        next: &mut i64,
        trash: u64,
        pages: u64,
    ) -> Result<(), SeedError> {
        let first = *next;
        for n in 0..trash {
            let hash = self.hash(4, n);
            // Former parents: a page that is there, a trashed item before this one, or none.
            let parent = match hash % 10 {
                0..=5 if pages > 0 => Some(FIRST_CONTENT + (hash >> 8) as i64 % pages as i64),
                6..=8 if n > 0 => Some(first + ((hash >> 8) % n) as i64),
                _ => None,
            };
            self.fill_trashed(db, next, FIRST_SPACE, parent, n)?;
        }
        Ok(())
    }

    fn fill_trashed(
        &self,
        db: &Connection,
        next: &mut i64,
        space: i64,
        parent: Option<i64>,
        number: u64,
    ) -> Result<(), SeedError> {
        let hash = self.hash(5, number);
        let kind = match (hash >> 48) % 10 {
            0 => Kind::BlogPost,
            1 if parent.is_some() => Kind::Attachment,
            _ => Kind::Page,
        };
        let id = *next;
        Self::row(
            db,
            next,
            space,
            kind,
            Status::Trashed,
            parent,
            None,
            hash,
            number,
        )?;
        if kind == Kind::Attachment {
            db.prepare_cached("INSERT INTO file VALUES (?, 'application/pdf', ?)")?
                .execute(params![id, 1024 + (hash >> 32) as i64 % LARGEST_FILE])?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one for each column that varies")]
    fn row(
        db: &Connection,
        next: &mut i64,
        space: i64,
        kind: Kind,
        status: Status,
        parent: Option<i64>,
        position: Option<i64>,
        hash: u64,
        number: u64,
    ) -> Result<(), SeedError> {
        let mut name = String::with_capacity(40);
        title(&mut name, hash, number + 1);
        match (kind, status) {
            (Kind::Attachment, _) => name.push_str(".pdf"),
            (_, Status::Trashed) => name.insert_str(0, "Former "),
            (_, Status::Current) => {}
        }
        let created = EPOCH + (hash % SPAN) as i64;
        let by = 2 + (hash >> 16) as i64 % PEOPLE;
        db.prepare_cached("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)")?
            .execute(params![
                *next,
                space,
                kind as i64,
                status as i64,
                parent,
                position,
                name,
                1 + (hash >> 40) as i64 % 30,
                by,
                created,
                by,
                created + (hash >> 20) as i64 % 10_000_000_000,
            ])?;
        *next += 1;
        Ok(())
    }
}

/// The body of a content that none is kept of, in storage format.
pub(in crate::demo) fn body(id: i64, title: &str) -> String {
    let hash = scatter(id as u64);
    let team = pick(&TEAMS, hash);
    let noun = pick(&NOUNS, hash >> 8);
    let mut body = format!(
        "<p>{} keeps this {noun} up to date. Ask <strong>{} {}</strong> before you change it.</p>",
        team,
        pick(&FIRST_NAMES, hash >> 16),
        pick(&LAST_NAMES, hash >> 24),
    );
    let _ = write!(
        body,
        "<h2>What it is about</h2><p>{}</p><ul>",
        escaped(title)
    );
    for n in 0..2 + (hash >> 32) % 5 {
        let item = scatter(hash ^ n);
        let _ = write!(
            body,
            "<li>{} {}: {} days</li>",
            pick(&ADJECTIVES, item),
            pick(&NOUNS, item >> 8),
            1 + (item >> 16) % 30
        );
    }
    body.push_str("</ul>");
    if (hash >> 40).is_multiple_of(3) {
        let _ = write!(
            body,
            "<table><tbody><tr><th>Team</th><th>Hours</th></tr>\
             <tr><td>{team}</td><td>{}</td></tr></tbody></table>",
            (hash >> 44) % 400
        );
    }
    body
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
