//! What hangs on what is saved: comments and attached files. Each is an item of the backup of its own.
//!
//! The list of what hangs on a page is believed where another way tells nothing more: the row of the
//! page itself, which names the first of them, or the scan of a space; else, where the list took more
//! than one answer, a second reading by another limit. What only one of them tells is saved too. A list
//! that repeats rows has left others out: it is read again, and what stays uncertain is "not known".

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::Arc;

use super::backup::{AttachmentEntry, Lack};
use super::proof::Fingerprint;
use super::save::{Slot, Wanted};
use crate::confluence::call::Window;
use crate::confluence::ids::IdSet;
use crate::confluence::{
    AttachmentRef, Content, ContentId, ContentKind, ContentMore, ContentRef, Cursor, Page, SpaceKey,
};

/// What has to be expanded so that a comment or an attached file can be saved whole.
pub(super) const EXPAND: &str = "body.storage,version,ancestors,history,space,container,\
metadata.labels,extensions.inlineProperties,extensions.resolution";
/// Rows that are asked for at once: servers give no more with bodies.
pub(super) const ROWS: u64 = 100;
/// The same in a reading whose pages begin elsewhere.
const OTHER_ROWS: u64 = 73;
/// So often a list is read before it is left uncertain.
const MOST_READINGS: u8 = 3;
/// The numbers that are given to what hangs on items begin here.
pub(super) const FIRST: u32 = 1 << 31;
/// The number of the scan for comments and files.
pub(super) const SCAN: u32 = u32::MAX - 1;

/// What comments and files hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The caller's number.
    pub(super) item: u32,
    pub(super) id: ContentId,
    pub(super) title: Arc<str>,
}

impl Holder {
    pub(super) fn of(wanted: &Wanted) -> Self {
        Self {
            item: wanted.item,
            id: wanted.id.clone(),
            title: Arc::clone(&wanted.title),
        }
    }
}

/// What the row of a page tells of what hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// All files, if it names all.
    pub(super) files: Option<Vec<AttachmentRef>>,
    /// All comments on it and the answers to them, if it names all.
    pub(super) comments: Option<Vec<ContentId>>,
    /// Whether there are comments.
    pub(super) has_comments: Option<bool>,
}

impl Told {
    /// Takes it out of the row.
    pub(super) fn by(more: &mut ContentMore) -> Self {
        Self {
            files: more.attachments.take(),
            comments: more
                .comments
                .take()
                .map(|all| all.into_iter().map(|it| it.id).collect()),
            has_comments: more.has_comments.take(),
        }
    }

    /// Whether all comments that it names are among these.
    pub(super) fn comments_are_in(&self, known: impl Fn(&ContentId) -> bool) -> bool {
        self.comments
            .as_ref()
            .is_some_and(|all| all.iter().all(known))
    }
}

/// What a list of what hangs on a page has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There is more to ask for.
    More,
    /// It has told all.
    Whole,
    /// That is not certain.
    Uncertain,
}

/// A list of what hangs on one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    start: u64,
    number: u8,
    pages: u32,
    here: IdSet,
    repeats: bool,
    total: Option<u64>,
    /// What all readings told.
    union: HashMap<ContentId, Row>,
    /// What was told of under an id that something else has: in this reading, since it was taken last,
    /// and all of it.
    twins_here: HashSet<Row>,
    twins: Vec<Content>,
    twins_known: HashSet<Row>,
}

/// What a row says of something, as little as tells two things under one id apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Row {
    version: Option<u64>,
    print: u64,
}

impl Row {
    fn of(row: &Content) -> Self {
        let more = row.more.as_deref();
        let mut hasher = DefaultHasher::new();
        row.id.as_str().hash(&mut hasher);
        row.title.as_sent().hash(&mut hasher);
        more.and_then(|more| more.file_size).hash(&mut hasher);
        more.and_then(|more| more.body_storage.as_deref())
            .hash(&mut hasher);
        Self {
            version: version_of(row),
            print: hasher.finish(),
        }
    }
}

fn version_of(row: &Content) -> Option<u64> {
    row.version.as_ref().and_then(|version| version.number)
}

impl Reading {
    /// What to ask for next.
    pub(super) fn window(&self) -> Window {
        Window {
            start: self.start,
            limit: if self.number.is_multiple_of(2) {
                ROWS
            } else {
                OTHER_ROWS
            },
        }
    }

    pub(super) fn knows(&self, id: &ContentId) -> bool {
        self.union.contains_key(id)
    }

    /// What was told of under an id that something else has, since this was asked last.
    pub(super) fn take_twins(&mut self) -> Vec<Content> {
        std::mem::take(&mut self.twins)
    }

    /// Takes a page in; what is new of it, and how far that is. `is_borne_out`: something else has told
    /// nothing more.
    pub(super) fn take(
        &mut self,
        page: Page<Content>,
        is_borne_out: impl FnOnce(&Self) -> bool,
    ) -> (Vec<Content>, Read) {
        let rows = page.results.len() as u64;
        self.total = page.total.or(self.total);
        self.pages += 1;
        let (mut fresh, mut told) = (Vec::new(), 0_u64);
        let mut in_this_answer = IdSet::default();
        for row in page.results {
            let (now, is_again) = (Row::of(&row), !in_this_answer.insert(&row.id));
            match self.union.get(&row.id) {
                // A change meanwhile is another version, and in another answer.
                Some(known) if *known != now && (is_again || known.version == now.version) => {
                    told += u64::from(self.twins_here.insert(now));
                    if self.twins_known.insert(now) {
                        self.twins.push(row);
                    }
                }
                Some(_) => told += u64::from(self.here.insert(&row.id)),
                None => {
                    told += u64::from(self.here.insert(&row.id));
                    self.union.insert(row.id.clone(), now);
                    fresh.push(row);
                }
            }
        }
        // Rows past the end, again and again, are the way of some servers and hide nothing.
        let is_past_the_end = told == 0 && page.has_next && self.pages > 1;
        self.repeats |= told < rows && !is_past_the_end;
        if page.has_next && told > 0 {
            self.start += rows;
            return (fresh, Read::More);
        }
        let is_short = self
            .total
            .is_some_and(|total| ((self.here.len() + self.twins_here.len()) as u64) < total);
        let is_clean = !self.repeats && !is_short && self.here.len() == self.union.len();
        let is_enough = self.number > 0 || self.pages == 1 || is_borne_out(self);
        if is_clean && is_enough {
            return (fresh, Read::Whole);
        }
        if self.number + 1 >= MOST_READINGS {
            return (fresh, Read::Uncertain);
        }
        *self = Self {
            number: self.number + 1,
            union: std::mem::take(&mut self.union),
            twins: std::mem::take(&mut self.twins),
            twins_known: std::mem::take(&mut self.twins_known),
            ..Self::default()
        };
        (fresh, Read::More)
    }
}

/// What hangs on the pages of a space, by a scan of each type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) space: SpaceKey,
    pub(super) kind: ContentKind,
    pub(super) cursor: Option<Cursor>,
}

impl Scan {
    pub(super) fn of(space: SpaceKey) -> Self {
        Self {
            space,
            kind: ContentKind::Comment,
            cursor: None,
        }
    }
}

/// A comment or file that is in the backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hung {
    pub(super) id: ContentId,
    pub(super) version: Option<u64>,
    pub(super) print: Fingerprint,
}

/// What hangs on the items of a backup that is being made. Never stored: what was interrupted is begun
/// anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Attached {
    next: u32,
    /// What was told of, of the items or of what hangs on them.
    pub(super) known: IdSet,
    /// What of it is saved, with its version.
    pub(super) saved: HashMap<ContentId, Option<u64>>,
    /// The same since it was asked last.
    pub(super) fresh: Vec<Hung>,
    /// Items that are saved as what hangs on others.
    pub(super) same: HashMap<ContentId, Wanted>,
    /// What comments say that they answer, and no list has told of so far.
    pub(super) above: Vec<(Holder, ContentId)>,
    /// Items that are wanted by themselves, until it is known what becomes of them, with what a list
    /// tells of one as something that hangs on another.
    pub(super) own: HashMap<ContentId, Option<Box<Slot>>>,
    /// Files that wait, and whether they wait for the end of the list.
    pub(super) files: VecDeque<Slot>,
    pub(super) files_last: bool,
    /// The scan for comments and files, and who waits for the end of that for comments.
    pub(super) scan: Option<Scan>,
    pub(super) waits: Vec<(Wanted, Told)>,
    /// What the scan can tell something on.
    pub(super) holders: HashMap<ContentId, Holder>,
    pub(super) lacks: Vec<Lack>,
    pub(super) room: Room,
    /// By id, what a list told of it.
    placed: HashMap<ContentId, Placed>,
}

/// Where something hangs, and what it was called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placed {
    item: u32,
    version: Option<u32>,
    name: u64,
}

impl Attached {
    /// A number for something.
    pub(super) fn number(&mut self) -> u32 {
        let number = FIRST + self.next;
        self.next += 1;
        number
    }

    /// Whether a list told of it as something that hangs on this item.
    pub(super) fn is_on(&self, item: u32, id: &ContentId) -> bool {
        self.placed.get(id).is_some_and(|it| it.item == item)
    }

    /// Takes down that a list told of this on an item; `true` if something else has its id. The same
    /// under another name is another version of it.
    pub(super) fn is_twin(&mut self, item: u32, row: &Content) -> bool {
        let mut hasher = DefaultHasher::new();
        row.title.as_sent().hash(&mut hasher);
        let now = Placed {
            item,
            version: version_of(row).and_then(|number| u32::try_from(number).ok()),
            name: hasher.finish(),
        };
        let known = *self.placed.entry(row.id.clone()).or_insert(now);
        known.item != item || (known.version == now.version && known.name != now.name)
    }
}

/// Whether files may come to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) folder: Folder,
    /// The sizes of all files that were told of.
    pub(super) told: u64,
    /// What of that has come.
    pub(super) arrived: u64,
    /// For how much the disk was asked, and has room.
    pub(super) asked: Option<u64>,
    pub(super) granted: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Folder {
    #[default]
    Not,
    Asked,
    Made,
}

/// What a page says of one of its files.
pub(super) fn entry(row: &Content) -> AttachmentEntry {
    let more = row.more.as_deref();
    AttachmentEntry {
        id: row.id.clone(),
        title: row.title.clone(),
        size: more.and_then(|more| more.file_size),
        media_type: more.and_then(|more| more.media_type.clone()),
    }
}

/// A row of a list, with what it hangs on where the server left that out.
pub(super) fn placed(mut row: Content, on: &Holder) -> Content {
    let more = row.more.get_or_insert_default();
    more.container.get_or_insert_with(|| ContentRef {
        id: on.id.clone(),
        title: Some(on.title.to_string()),
    });
    row
}

/// Whether a row has all that is saved of it.
pub(super) fn is_whole(row: &Content) -> bool {
    let Some(more) = row.more.as_deref() else {
        return false;
    };
    let has_version = row.version.as_ref().is_some_and(|it| it.number.is_some());
    has_version
        && match row.kind {
            ContentKind::Attachment => more.download.is_some(),
            _ => more.body_storage.is_some(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::ServerText;

    fn page(ids: &[&str], has_next: bool, total: Option<u64>) -> Page<Content> {
        let row = |id: &&str| Content {
            id: ContentId::new(id),
            kind: ContentKind::Comment,
            status: None,
            title: ServerText::new(String::new()),
            has_children: None,
            space: None,
            version: None,
            ancestors: None,
            position: None,
            more: None,
        };
        Page {
            results: ids.iter().map(row).collect(),
            start: 0,
            limit: None,
            total,
            has_next,
        }
    }

    /// Reads answers as they come; how many rows were new in all, and what it came to.
    fn read(pages: &[Page<Content>], is_borne_out: bool) -> (usize, Read) {
        let (mut reading, mut fresh) = (Reading::default(), 0);
        let mut read = Read::More;
        for page in pages {
            assert_eq!(read, Read::More, "nothing more is asked for");
            let (new, now) = reading.take(page.clone(), |_| is_borne_out);
            fresh += new.len();
            read = now;
        }
        (fresh, read)
    }

    #[test]
    fn a_list_is_believed_where_two_ways_agree() {
        let one = || page(&["1", "2"], false, None);
        assert_eq!(read(&[one()], false), (2, Read::Whole));
        let two = || [page(&["1", "2"], true, None), page(&["3"], false, None)];
        assert_eq!(read(&two(), true), (3, Read::Whole));
        assert_eq!(read(&two(), false), (3, Read::More));
        let twice = [two(), two()].concat();
        assert_eq!(read(&twice, false), (3, Read::Whole));
        assert_eq!(read(&[page(&[], false, None)], false), (0, Read::Whole));
    }

    #[test]
    fn a_list_that_repeats_or_is_short_is_read_again_and_may_stay_uncertain() {
        let lies = || page(&["1", "1", "3"], false, None);
        let whole = || page(&["1", "2", "3"], false, None);
        assert_eq!(read(&[lies()], true), (2, Read::More));
        assert_eq!(read(&[lies(), whole()], true), (3, Read::Whole));
        assert_eq!(read(&[lies(), lies(), lies()], true), (2, Read::Uncertain));
        let short = || page(&["1"], false, Some(2));
        assert_eq!(read(&[short(), short(), short()], true).1, Read::Uncertain);
    }

    #[test]
    fn a_list_that_tells_its_last_rows_for_ever_ends() {
        let pages = [page(&["1", "2"], true, None), page(&["1", "2"], true, None)];
        assert_eq!(read(&pages, true), (2, Read::Whole));
    }
}
