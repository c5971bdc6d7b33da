//! A list read to its end: the trash of a space, or the content of one; as a list, by a scan, or along
//! the tree of pages.
//!
//! An end that is not certain is an error, never a shorter list. Whether a list that came to its end
//! has told everything is another matter: what speaks against it is noted here ([`Flaw`]), and `complete`
//! decides.
//!
//! A list may be asked for all that a backup needs of each item, so that most of them need no request
//! of their own. That is a help and nothing more: a server that does not give it, or fails over it, is
//! asked for the bare rows.

use std::collections::{HashSet, VecDeque};

use super::backup;
use super::desk::{Desk, is_not_offered, unexpected};
use super::met::{Marks, Met};
use super::step::Step;
use crate::confluence::call::{Depth, Scanned, Window};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Cursor, CursorPage, ErrorKind,
    Page, Reply, ServerText, SpaceKey,
};

/// Bare rows that are asked for at once.
pub(super) const LIMIT: u64 = 200;
const EXPAND: &str = "version";
/// Whole rows that are asked for at once: servers give no more with bodies…
const WHOLE_LIMIT: u64 = 100;
/// …and where that was too much for one, fewer.
const FEW_WHOLE: u64 = 25;
/// So often a server may fail over whole rows before it is asked for bare ones alone.
const MOST_REFUSALS: u8 = 3;
/// Ids that are asked for at once, where nothing is expanded.
const IDS_LIMIT: u64 = 500;
/// How often a list of ids is begun anew because it moved while it was read.
const MOST_RESTARTS: u32 = 3;
/// So many pages in a row without a new row end a list that says that it goes on.
const MOST_BARREN: u32 = 3;

/// What the trash of a server without operation 12 is asked for, one type after the other.
const KINDS: [ContentKind; 4] = [
    ContentKind::Page,
    ContentKind::BlogPost,
    ContentKind::Comment,
    ContentKind::Attachment,
];

/// What a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// What an item is, and its version.
    Bare,
    /// All that a backup needs of it, for as long as the server does that. How often it did not.
    Whole(u8),
    /// That it is there.
    Ids,
    /// What an item is, and what it hangs on.
    Holders,
}

impl Default for Rows {
    fn default() -> Self {
        Self::Whole(0)
    }
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: ContentId,
    pub(super) kind: ContentKind,
    pub(super) title: ServerText,
    pub(super) version: Option<u64>,
    pub(super) status: ContentStatus,
    /// What it hangs on, if that was asked for.
    pub(super) holder: Option<ContentId>,
    /// The item itself, if whole rows were asked for and this is one.
    pub(super) whole: Option<Box<Content>>,
}

/// What says that a list has left rows out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It told a row again.
    Repeats,
    /// It told fewer rows than it says there are.
    Short {
        /// How many different rows it told.
        told: u64,
        /// How many it says there are.
        total: u64,
    },
}

/// How many different rows a list told, by type and by whether they are in the trash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts([u64; CLASSES]);

/// Types of content, current and trashed.
pub(super) const CLASSES: usize = 10;

impl Counts {
    /// The class of a row.
    pub(super) fn class(kind: &ContentKind, status: ContentStatus) -> usize {
        let kind = match kind {
            ContentKind::Page => 0,
            ContentKind::BlogPost => 1,
            ContentKind::Comment => 2,
            ContentKind::Attachment => 3,
            ContentKind::Other(_) => 4,
        };
        kind + 5 * usize::from(status == ContentStatus::Trashed)
    }

    pub(super) fn add(&mut self, class: usize) {
        self.0[class] += 1;
    }

    pub(super) fn of(&self, class: usize) -> u64 {
        self.0[class]
    }

    /// The classes that have rows.
    pub(super) fn classes(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len()).filter(|class| self.0[*class] > 0)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Trash(Option<Cursor>),
    TrashOfKind(usize, u64),
    Content(usize, u64),
    /// A scan: of everything, then of the types that were expected and that it told nothing of.
    Scan(Scanned, Option<ContentKind>, Option<Cursor>),
    /// The pages at the root.
    Roots(u64),
    /// The pages below one.
    Below(ContentId, u64),
    End,
}

/// Never stored with a job: a list that was interrupted is begun anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listing {
    space: SpaceKey,
    rows: Rows,
    /// Whether the next page alone is asked for bare rows, because it can't be had whole.
    bare_page: bool,
    /// How many rows are asked for at once, where that was chosen.
    limit: Option<u64>,
    place: Place,
    seen: Vec<Seen>,
    /// What was told, here or by a reading before this one.
    known: Met,
    /// What was told at this place, and how many different rows that is.
    here: Marks,
    told: u64,
    /// How many rows there are at this place, as far as the server told.
    told_total: Option<u64>,
    counts: Counts,
    /// What says that rows were left out, by class.
    flaws: [Option<Flaw>; CLASSES],
    barren: u32,
    /// How many rows there are in all, as far as the server told.
    total: Option<u64>,
    /// The most rows that came at once.
    widest: u64,
    /// Whether nothing took more than one page.
    is_one_page: bool,
    /// Whether the trash is read without operation 12, one type after the other.
    by_kind: bool,
    /// Whether the trash follows what is current.
    has_trash: bool,
    /// What the server would not list.
    unlisted: Vec<ContentKind>,
    /// Types that a scan should tell of.
    expected: Vec<ContentKind>,
    /// Pages whose children are still to be asked for.
    parents: VecDeque<ContentId>,
    /// Whether the server was able to say which pages have children.
    tells_children: bool,
    /// How often it was begun anew.
    restarts: u32,
}

impl Listing {
    /// The trash of a space.
    pub(super) fn trash(space: SpaceKey, rows: Rows) -> Self {
        Self::from(space, rows, Place::Trash(None))
    }

    /// The same, one type after the other, whatever else the server has.
    pub(super) fn trash_by_kind(space: SpaceKey, rows: Rows) -> Self {
        Self {
            by_kind: true,
            ..Self::from(space, rows, Place::TrashOfKind(0, 0))
        }
    }

    /// Pages, blog posts and then the trash of a space.
    pub(super) fn everything(space: SpaceKey, rows: Rows) -> Self {
        Self {
            has_trash: true,
            ..Self::from(space, rows, Place::Content(0, 0))
        }
    }

    /// The ids of the pages and blog posts of a space, and nothing else. None is missing that was
    /// there all the time.
    pub(super) fn ids(space: SpaceKey) -> Self {
        Self::from(space, Rows::Ids, Place::Content(0, 0))
    }

    /// A scan of a space. Types that are `expected` and that it does not tell of are asked for by name:
    /// a server may mean pages alone where none is named.
    pub(super) fn scan(
        space: SpaceKey,
        of: Scanned,
        rows: Rows,
        expected: Vec<ContentKind>,
    ) -> Self {
        Self {
            expected,
            ..Self::from(space, rows, Place::Scan(of, None, None))
        }
    }

    /// The pages of a space, from the roots down.
    pub(super) fn tree(space: SpaceKey) -> Self {
        Self::from(space, Rows::Bare, Place::Roots(0))
    }

    fn from(space: SpaceKey, rows: Rows, place: Place) -> Self {
        Self {
            space,
            rows,
            bare_page: false,
            limit: None,
            restarts: 0,
            place,
            seen: Vec::new(),
            known: Met::default(),
            here: Marks::default(),
            told: 0,
            told_total: None,
            counts: Counts::default(),
            flaws: [None; CLASSES],
            barren: 0,
            total: None,
            widest: 0,
            is_one_page: true,
            by_kind: false,
            has_trash: false,
            unlisted: Vec::new(),
            expected: Vec::new(),
            parents: VecDeque::new(),
            tells_children: true,
        }
    }

    /// Tells only what is not in `known`, which readings before this one have told.
    pub(super) fn after(mut self, known: Met) -> Self {
        self.known = known;
        self
    }

    /// Asks for so many rows at once.
    pub(super) fn by(mut self, limit: u64) -> Self {
        self.limit = Some(limit.max(1));
        self
    }

    /// What is asked for now.
    fn asks(&self) -> Rows {
        match self.rows {
            Rows::Whole(refusals) if self.bare_page || refusals >= MOST_REFUSALS => Rows::Bare,
            rows => rows,
        }
    }

    /// What to ask the next list of this server for.
    pub(super) fn rows(&self) -> Rows {
        self.rows
    }

    /// The next thing to ask; `None` at the end.
    pub(super) fn call(&self) -> Option<Call> {
        let key = self.space.clone();
        let (expand, most) = match self.asks() {
            Rows::Bare => (EXPAND.to_owned(), LIMIT),
            Rows::Whole(0) => (whole_expand(), WHOLE_LIMIT),
            Rows::Whole(_) => (whole_expand(), FEW_WHOLE),
            Rows::Ids => (String::new(), IDS_LIMIT),
            Rows::Holders => (format!("{EXPAND},container"), LIMIT),
        };
        let limit = self.limit.unwrap_or(most);
        let window = |start: u64| Window { start, limit };
        let with_children = || {
            if self.tells_children {
                format!("{EXPAND},children.page")
            } else {
                EXPAND.to_owned()
            }
        };
        match &self.place {
            Place::Trash(cursor) => Some(Call::Trash {
                key,
                cursor: cursor.clone(),
                expand,
                limit,
            }),
            Place::TrashOfKind(kind, start) => Some(Call::TrashedContent {
                key,
                kind: KINDS[*kind].clone(),
                expand,
                window: window(*start),
            }),
            Place::Content(kind, start) => Some(Call::SpaceContentOfKind {
                key,
                kind: KINDS[*kind].clone(),
                depth: Depth::All,
                expand,
                window: window(*start),
            }),
            Place::Scan(of, kind, cursor) => Some(Call::Scan {
                key,
                of: *of,
                kind: kind.clone(),
                cursor: cursor.clone(),
                expand,
                limit,
            }),
            Place::Roots(start) => Some(Call::SpaceContentOfKind {
                key,
                kind: ContentKind::Page,
                depth: Depth::Root,
                expand: with_children(),
                window: window(*start),
            }),
            Place::Below(id, start) => Some(Call::ChildPages {
                id: id.clone(),
                expand: with_children(),
                window: window(*start),
            }),
            Place::End => None,
        }
    }

    /// Asks for the next page under this number, unless it is over.
    pub(super) fn ask(&self, desk: &mut Desk, item: u32) {
        let Some(call) = self.call() else {
            return;
        };
        let is_needed = !matches!(
            self.place,
            Place::Scan(..) | Place::Roots(_) | Place::Below(..)
        );
        if is_needed && !matches!(self.asks(), Rows::Whole(_)) {
            desk.read(item, Step::List, call);
        } else {
            desk.try_read(item, Step::List, call);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.place == Place::End
    }

    /// Whether it names all that is in the trash: read by operation 12, not type by type.
    pub(super) fn is_whole_trash(&self) -> bool {
        !self.by_kind
    }

    /// Types in the trash that the server would not list.
    pub(super) fn unlisted(&self) -> &[ContentKind] {
        &self.unlisted
    }

    /// What says that it has left rows out, if anything does.
    pub(super) fn flaw(&self) -> Option<Flaw> {
        self.flaws.iter().copied().find_map(|flaw| flaw)
    }

    /// The same, by class.
    pub(super) fn flaws(&self) -> [Option<Flaw>; CLASSES] {
        self.flaws
    }

    /// Something says that rows were left out at this place.
    fn note(&mut self, flaw: Flaw) {
        let of = |kind: &ContentKind, status| {
            let class = Counts::class(kind, status);
            class..class + 1
        };
        let classes = match &self.place {
            Place::Trash(_) => CLASSES / 2..CLASSES,
            Place::TrashOfKind(kind, _) => of(&KINDS[*kind], ContentStatus::Trashed),
            Place::Content(kind, _) => of(&KINDS[*kind], ContentStatus::Current),
            Place::Roots(_) | Place::Below(..) => of(&ContentKind::Page, ContentStatus::Current),
            Place::Scan(..) | Place::End => 0..CLASSES,
        };
        for class in classes {
            self.flaws[class].get_or_insert(flaw);
        }
    }

    /// How many different rows it told.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// The most rows that came at once.
    pub(super) fn widest(&self) -> u64 {
        self.widest
    }

    /// Whether nothing took more than one page.
    pub(super) fn is_one_page(&self) -> bool {
        self.is_one_page
    }

    /// What was told, by this reading and those before it.
    pub(super) fn into_known(self) -> Met {
        self.known
    }

    /// What was seen since this was asked last; each thing once.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    /// How many rows there are in all, as far as the server told.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many things were told, by this reading and those before it.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
        if let (Rows::Whole(refusals), Err(error)) = (self.asks(), &answer)
            && may_be_for_asking_so_much(error)
        {
            // The same place once more, and with patience.
            self.bare_page = true;
            // An answer that is not understood is about one item in it.
            if !matches!(error.kind, ErrorKind::Malformed | ErrorKind::Connect) {
                self.rows = Rows::Whole(refusals + 1);
            }
            return Ok(());
        }
        match (answer, self.place.clone()) {
            (Ok(Reply::Trash(page)), Place::Trash(asked)) => {
                let next = self.by_cursor(page, asked.as_ref(), ContentStatus::Trashed)?;
                self.place = next.map_or(Place::End, |next| Place::Trash(Some(next)));
            }
            (Err(error), Place::Trash(None)) if is_not_offered(&error) => {
                self.by_kind = true;
                self.place = Place::TrashOfKind(0, 0);
            }
            (Ok(Reply::Scan(mut page)), Place::Scan(of, kind, asked)) => {
                // Some servers pass over the type and tell everything once more.
                page.results
                    .retain(|row| kind.as_ref().is_none_or(|kind| row.kind == *kind));
                let status = match of {
                    Scanned::Trashed => ContentStatus::Trashed,
                    Scanned::Any => ContentStatus::Current,
                };
                let next = self.by_cursor(page, asked.as_ref(), status)?;
                self.place = match next {
                    Some(next) => Place::Scan(of, kind, Some(next)),
                    None => self.scan_for_more(of),
                };
            }
            (Ok(Reply::Contents(page)), Place::TrashOfKind(kind, start)) => {
                if let Some(next) = self.by_offset(page, start, ContentStatus::Trashed) {
                    self.place = Place::TrashOfKind(kind, next);
                } else {
                    self.end_place();
                    self.place = next_kind(kind);
                }
            }
            // Comments and attachments are types that some servers don't list.
            (Err(error), Place::TrashOfKind(kind, _)) if kind > 1 && is_refusal(&error) => {
                self.unlisted.push(KINDS[kind].clone());
                self.begin_place();
                self.place = next_kind(kind);
            }
            (Ok(Reply::Contents(page)), Place::Content(kind, start)) => {
                self.content(page, kind, start)?;
            }
            (Ok(Reply::Contents(page)), place @ (Place::Roots(_) | Place::Below(..))) => {
                self.branch(page, place);
            }
            (Err(_), Place::Roots(_) | Place::Below(..)) if self.tells_children => {
                self.tells_children = false;
            }
            (other, _) => return Err(other.err().unwrap_or_else(unexpected)),
        }
        Ok(())
    }

    fn content(&mut self, page: Page<Content>, kind: usize, start: u64) -> Result<(), ApiError> {
        // Each page of ids begins with one that was seen. Where it does not, something before
        // it has left the list, and what moved up was passed over.
        let first = page.results.first();
        let has_moved = self.rows == Rows::Ids
            && start > 0
            && !first.is_some_and(|row| self.here.contains(&self.known, &row.id));
        if has_moved {
            self.restarts += 1;
            self.known = Met::default();
            self.counts = Counts::default();
            self.begin_place();
            self.place = Place::Content(kind, 0);
            return if self.restarts > MOST_RESTARTS {
                Err(endless(
                    "The server's list moves faster than it can be read.",
                ))
            } else {
                Ok(())
            };
        }
        if let Some(next) = self.by_offset(page, start, ContentStatus::Current) {
            self.place = Place::Content(kind, next);
            return Ok(());
        }
        self.end_place();
        self.place = match kind {
            0 => Place::Content(1, 0),
            _ if self.has_trash => Place::Trash(None),
            _ => Place::End,
        };
        Ok(())
    }

    /// A page of pages at the root, or below one.
    fn branch(&mut self, page: Page<Content>, place: Place) {
        for row in &page.results {
            let is_new = !self.here.contains(&self.known, &row.id);
            if is_new && row.has_children != Some(false) {
                self.parents.push_back(row.id.clone());
            }
        }
        let start = match place {
            Place::Roots(start) | Place::Below(_, start) => start,
            _ => 0,
        };
        let next = self.by_offset(page, start, ContentStatus::Current);
        self.place = match (next, place) {
            (Some(next), Place::Below(id, _)) => Place::Below(id, next),
            (Some(next), _) => Place::Roots(next),
            (None, _) => {
                // A page is told in one branch alone: what was told before stays.
                let here = std::mem::take(&mut self.here);
                self.end_place();
                self.here = here;
                let next = self.parents.pop_front();
                next.map_or(Place::End, |id| Place::Below(id, 0))
            }
        };
    }

    /// The types that a scan of everything told nothing of are asked for by name.
    fn scan_for_more(&mut self, of: Scanned) -> Place {
        while let Some(kind) = self.expected.pop() {
            let class = |status| self.counts.of(Counts::class(&kind, status));
            if class(ContentStatus::Current) + class(ContentStatus::Trashed) == 0 {
                return Place::Scan(of, Some(kind), None);
            }
        }
        Place::End
    }

    /// A page by cursor. Where it goes on.
    fn by_cursor(
        &mut self,
        page: CursorPage<Content>,
        asked: Option<&Cursor>,
        status: ContentStatus,
    ) -> Result<Option<Cursor>, ApiError> {
        self.total = page.total.or(self.total);
        self.told_total = page.total.or(self.told_total);
        let (fresh, again) = self.add(page.results, status);
        if !again.is_empty() {
            self.note(Flaw::Repeats);
        }
        self.barren = if fresh == 0 { self.barren + 1 } else { 0 };
        self.is_one_page &= page.next.is_none();
        if self.barren > MOST_BARREN {
            return Err(endless(
                "The server's list brings nothing new and does not end.",
            ));
        }
        if page.next.is_some() && page.next.as_ref() == asked {
            return Err(ApiError {
                kind: ErrorKind::RepeatedCursor,
                message: "The server's list repeats itself and would never end.".to_owned(),
                status: None,
                details: Vec::new(),
            });
        }
        if page.next.is_none() && !matches!(self.place, Place::Scan(..)) {
            self.end_place();
        }
        Ok(page.next)
    }

    /// A page by offset. Where it goes on.
    ///
    /// A row that is told again means that others were left out, but for rows past the end: there are
    /// servers that tell the last ones again and again and always offer a next page.
    fn by_offset(&mut self, page: Page<Content>, start: u64, status: ContentStatus) -> Option<u64> {
        let rows = page.results.len() as u64;
        self.told_total = page.total.or(self.told_total);
        let (fresh, mut again) = self.add(page.results, status);
        let overlaps = self.rows == Rows::Ids && start > 0;
        if overlaps && !again.is_empty() {
            again.remove(0);
        }
        let is_counted = self.told_total.is_some_and(|total| start < total);
        let different: HashSet<&ContentId> = again.iter().collect();
        let may_be_past_the_end =
            fresh == 0 && page.has_next && !is_counted && different.len() == again.len();
        let told_nothing_before = std::mem::take(&mut self.barren);
        if (!again.is_empty() && !may_be_past_the_end) || (fresh > 0 && told_nothing_before > 0) {
            self.note(Flaw::Repeats);
        }
        if fresh == 0 {
            self.barren = told_nothing_before + 1;
        }
        // One more look tells whether it was the end.
        let most = if may_be_past_the_end { 1 } else { MOST_BARREN };
        self.is_one_page &= !page.has_next;
        let goes_on = page.has_next && (fresh > 0 || (!again.is_empty() && self.barren <= most));
        goes_on.then(|| (start + rows).saturating_sub(u64::from(self.rows == Rows::Ids)))
    }

    /// The list at this place has come to its end.
    fn end_place(&mut self) {
        if let Some(total) = self.told_total
            && self.told < total
        {
            let told = self.told;
            self.note(Flaw::Short { told, total });
        }
        self.begin_place();
    }

    fn begin_place(&mut self) {
        self.here = Marks::default();
        self.told = 0;
        self.told_total = None;
        self.barren = 0;
    }

    /// Takes rows in. How many were not told at this place before, and those that were.
    fn add(&mut self, rows: Vec<Content>, status: ContentStatus) -> (usize, Vec<ContentId>) {
        let asked = self.asks();
        let (mut with_body, mut whole, sent) = (0, 0, rows.len());
        let (mut fresh, mut again) = (0, Vec::new());
        self.widest = self.widest.max(sent as u64);
        for row in rows {
            let is_whole = matches!(asked, Rows::Whole(_)) && is_whole(&row);
            whole += usize::from(is_whole);
            let has_body = row
                .more
                .as_ref()
                .is_some_and(|it| it.body_storage.is_some());
            with_body += usize::from(has_body || row.kind == ContentKind::Attachment);
            let is_new = self.known.insert(&row.id);
            if !self.here.insert(&self.known, &row.id) {
                again.push(row.id);
                continue;
            }
            fresh += 1;
            self.told += 1;
            // What the list of the trash tells is in the trash, whatever it says of itself.
            let status = match self.place {
                Place::Scan(Scanned::Any, ..) => row.status.unwrap_or(status),
                _ => status,
            };
            self.counts.add(Counts::class(&row.kind, status));
            if !is_new {
                continue;
            }
            self.seen.push(Seen {
                id: row.id.clone(),
                kind: row.kind.clone(),
                title: row.title.clone(),
                version: row.version.as_ref().and_then(|version| version.number),
                status,
                holder: holder_of(&row).filter(|_| asked == Rows::Holders).cloned(),
                whole: is_whole.then(|| Box::new(row)),
            });
        }
        self.bare_page = false;
        if let Rows::Whole(refusals) = asked
            && sent > 0
            && whole == 0
        {
            // It passes over what is to be expanded, or leaves out a part of it.
            self.rows = Rows::Whole(if with_body == 0 {
                MOST_REFUSALS
            } else {
                refusals + 1
            });
        }
        (fresh, again)
    }
}

/// What an attached file or a comment hangs on. Other types are contained in their space.
pub(super) fn holder_of(row: &Content) -> Option<&ContentId> {
    let more = row.more.as_deref().filter(|_| may_hang(&row.kind))?;
    more.container.as_ref().map(|container| &container.id)
}

/// Whether what is of this type goes with the page that it hangs on.
pub(super) fn may_hang(kind: &ContentKind) -> bool {
    matches!(kind, ContentKind::Attachment | ContentKind::Comment)
}

fn next_kind(kind: usize) -> Place {
    if kind + 1 < KINDS.len() {
        Place::TrashOfKind(kind + 1, 0)
    } else {
        Place::End
    }
}

/// What is expanded in whole rows.
fn whole_expand() -> String {
    format!(
        "{},children.attachment,children.comment.children.comment.children.comment",
        backup::EXPAND
    )
}

/// Whether a list that was asked for whole rows, and not for long, may be had without them: they are
/// more bytes, and more work for the server, than it may bear.
pub(super) fn may_be_for_asking_so_much(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::Server
            | ErrorKind::Status
            | ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Lost
            | ErrorKind::Truncated
            | ErrorKind::TooLarge
            | ErrorKind::Malformed
            | ErrorKind::NotJson { .. }
    )
}

fn endless(message: &str) -> ApiError {
    ApiError {
        kind: ErrorKind::Malformed,
        message: message.to_owned(),
        status: None,
        details: Vec::new(),
    }
}

/// Types in words: "comments and attachments".
pub fn in_words(kinds: &[ContentKind]) -> String {
    let words: Vec<&str> = kinds
        .iter()
        .map(|kind| match kind {
            ContentKind::Page => "pages",
            ContentKind::BlogPost => "blog posts",
            ContentKind::Comment => "comments",
            ContentKind::Attachment => "attachments",
            ContentKind::Other(_) => "others",
        })
        .collect();
    words.join(" and ")
}

fn is_refusal(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::Invalid) || is_not_offered(error)
}

/// Whether this is a current page or blog post, on which something may hang.
pub(super) fn may_hold(seen: &Seen) -> bool {
    let is_a_page = matches!(seen.kind, ContentKind::Page | ContentKind::BlogPost);
    is_a_page && seen.status != ContentStatus::Trashed
}

/// Whether a row of a list has all that a backup needs of it, so that asking for it alone would bring
/// nothing more. No text at all is not believed of a list.
pub(super) fn is_whole(row: &Content) -> bool {
    let Some(more) = row.more.as_deref() else {
        return false;
    };
    let has_text = more
        .body_storage
        .as_ref()
        .is_some_and(|text| !text.is_empty());
    let is_told = row
        .version
        .as_ref()
        .is_some_and(|version| version.number.is_some())
        && row.space.is_some()
        && more.restrictions.is_some()
        && (more.created.is_some() || more.created_by.is_some());
    is_told
        && match row.kind {
            ContentKind::Page | ContentKind::BlogPost => {
                has_text
                    && more.labels.is_some()
                    && more.attachments.is_some()
                    && (row.ancestors.is_some() || row.kind == ContentKind::BlogPost)
            }
            ContentKind::Comment | ContentKind::Other(_) => has_text && more.container.is_some(),
            ContentKind::Attachment => more.download.is_some() && more.container.is_some(),
        }
}
