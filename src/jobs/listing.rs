//! A list read to its end: the trash of a space, or the content of one.
//!
//! What a whole-trash purge destroys is decided by such a list, so an end that is not certain is
//! an error, never a shorter list.
//!
//! A list may be asked for all that a backup needs of each item, so that most of them need no request
//! of their own. That is a help and nothing more: a server that does not give it, or fails over it, is
//! asked for the bare rows.

use super::backup;
use super::desk::{Desk, is_not_offered, unexpected};
use super::job::Step;
use super::save;
use crate::confluence::call::{Depth, Window};
use crate::confluence::ids::{IdSet, ShortId};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Cursor, ErrorKind, Reply,
    SpaceKey,
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
    pub(super) title: String,
    pub(super) version: Option<u64>,
    pub(super) status: ContentStatus,
    /// The item itself, if whole rows were asked for and this is one.
    pub(super) whole: Option<Box<Content>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    Trash(Option<Cursor>),
    TrashOfKind(usize, u64),
    Content(usize, u64),
    End,
}

/// The ids of a list so far. Lists mostly go by id, so most of them stand in one piece of memory:
/// many little ones would be strewn over a heap that pages of bodies come to and go from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Met {
    ascending: Vec<ShortId>,
    /// Of attachments, which are numbered beside the rest.
    attachments: Vec<ShortId>,
    others: IdSet,
}

impl Met {
    /// Puts an id in. Says whether it was not there.
    fn insert(&mut self, id: &ContentId) -> bool {
        if self.contains(id) {
            return false;
        }
        let Some(number) = ShortId::of(id) else {
            return self.others.insert(id);
        };
        let run = if number.is_attachment() {
            &mut self.attachments
        } else {
            &mut self.ascending
        };
        if run.last().is_none_or(|last| *last < number) {
            run.push(number);
            return true;
        }
        self.others.insert(id)
    }

    fn contains(&self, id: &ContentId) -> bool {
        let is_in_a_run = |number: ShortId| {
            let run = if number.is_attachment() {
                &self.attachments
            } else {
                &self.ascending
            };
            run.binary_search(&number).is_ok()
        };
        ShortId::of(id).is_some_and(is_in_a_run) || self.others.contains(id)
    }

    fn len(&self) -> usize {
        self.ascending.len() + self.attachments.len() + self.others.len()
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Never stored with a job: a list that was interrupted is begun anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listing {
    space: SpaceKey,
    rows: Rows,
    /// Whether the next page alone is asked for bare rows, because it can't be had whole.
    bare_page: bool,
    place: Place,
    seen: Vec<Seen>,
    ids: Met,
    barren: u32,
    /// How many rows there are in all, as far as the server told.
    total: Option<u64>,
    /// Whether the trash is read without operation 12, one type after the other.
    by_kind: bool,
    /// What the server would not list.
    unlisted: Vec<ContentKind>,
    /// How often it was begun anew.
    restarts: u32,
}

impl Listing {
    /// The trash of a space.
    pub(super) fn trash(space: SpaceKey, rows: Rows) -> Self {
        Self::from(space, rows, Place::Trash(None))
    }

    /// Pages, blog posts and then the trash of a space.
    pub(super) fn everything(space: SpaceKey, rows: Rows) -> Self {
        Self::from(space, rows, Place::Content(0, 0))
    }

    /// The ids of the pages and blog posts of a space, and nothing else. None is missing that was
    /// there all the time.
    pub(super) fn ids(space: SpaceKey) -> Self {
        Self::from(space, Rows::Ids, Place::Content(0, 0))
    }

    fn from(space: SpaceKey, rows: Rows, place: Place) -> Self {
        Self {
            space,
            rows,
            bare_page: false,
            restarts: 0,
            place,
            seen: Vec::new(),
            ids: Met::default(),
            barren: 0,
            total: None,
            by_kind: false,
            unlisted: Vec::new(),
        }
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
        let (expand, limit) = match self.asks() {
            Rows::Bare => (EXPAND.to_owned(), LIMIT),
            Rows::Whole(0) => (whole_expand(), WHOLE_LIMIT),
            Rows::Whole(_) => (whole_expand(), FEW_WHOLE),
            Rows::Ids => (String::new(), IDS_LIMIT),
        };
        let window = |start: u64| Window { start, limit };
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
            Place::End => None,
        }
    }

    /// Asks for the next page under this number, unless it is over.
    pub(super) fn ask(&self, desk: &mut Desk, item: u32) {
        match self.call() {
            Some(call) if matches!(self.asks(), Rows::Whole(_)) => {
                desk.try_read(item, Step::List, call);
            }
            Some(call) => desk.read(item, Step::List, call),
            None => {}
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

    /// What was seen, each thing once.
    pub(super) fn into_seen(self) -> Vec<Seen> {
        self.seen
    }

    /// What was seen since this was asked last; each thing once.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    /// How many rows there are in all, as far as the server told.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many things were seen.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
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
                self.total = page.total.or(self.total);
                self.add(page.results, ContentStatus::Trashed)?;
                match page.next {
                    Some(next) if asked.as_ref() == Some(&next) => {
                        return Err(ApiError {
                            kind: ErrorKind::RepeatedCursor,
                            message: "The server's list repeats itself and would never end."
                                .to_owned(),
                            status: None,
                            details: Vec::new(),
                        });
                    }
                    next => self.place = next.map_or(Place::End, |next| Place::Trash(Some(next))),
                }
            }
            (Err(error), Place::Trash(None)) if is_not_offered(&error) => {
                self.by_kind = true;
                self.place = Place::TrashOfKind(0, 0);
            }
            (Ok(Reply::Contents(page)), Place::TrashOfKind(kind, start)) => {
                let rows = page.results.len() as u64;
                let fresh = self.add(page.results, ContentStatus::Trashed)?;
                self.place = if page.has_next && fresh > 0 {
                    Place::TrashOfKind(kind, start + rows)
                } else if kind + 1 < KINDS.len() {
                    Place::TrashOfKind(kind + 1, 0)
                } else {
                    Place::End
                };
                self.barren = 0;
            }
            // Comments and attachments are types that some servers don't list.
            (Err(error), Place::TrashOfKind(kind, _)) if kind > 1 && is_refusal(&error) => {
                self.unlisted.push(KINDS[kind].clone());
                self.place = if kind + 1 < KINDS.len() {
                    Place::TrashOfKind(kind + 1, 0)
                } else {
                    Place::End
                };
            }
            (Ok(Reply::Contents(page)), Place::Content(kind, start)) => {
                // Each page of ids begins with one that was seen. Where it does not, something before
                // it has left the list, and what moved up was passed over.
                let first = page.results.first();
                let has_moved = self.rows == Rows::Ids
                    && start > 0
                    && !first.is_some_and(|row| self.ids.contains(&row.id));
                if has_moved {
                    self.restarts += 1;
                    self.ids.clear();
                    self.place = Place::Content(kind, 0);
                    return if self.restarts > MOST_RESTARTS {
                        Err(endless(
                            "The server's list moves faster than it can be read.",
                        ))
                    } else {
                        Ok(())
                    };
                }
                let rows = page.results.len() as u64;
                let fresh = self.add(page.results, ContentStatus::Current)?;
                let next = match self.rows {
                    Rows::Ids => (start + rows).saturating_sub(1),
                    Rows::Bare | Rows::Whole(_) => start + rows,
                };
                self.place = if page.has_next && fresh > 0 {
                    Place::Content(kind, next)
                } else if kind == 0 {
                    Place::Content(1, 0)
                } else if self.rows == Rows::Ids {
                    Place::End
                } else {
                    Place::Trash(None)
                };
                self.barren = 0;
            }
            (other, _) => return Err(other.err().unwrap_or_else(unexpected)),
        }
        Ok(())
    }

    fn add(&mut self, rows: Vec<Content>, status: ContentStatus) -> Result<usize, ApiError> {
        let asked = self.asks();
        let (mut with_body, mut whole, sent) = (0, 0, rows.len());
        let before = self.seen.len();
        for row in rows {
            let is_whole = matches!(asked, Rows::Whole(_)) && save::is_whole(&row);
            whole += usize::from(is_whole);
            let has_body = row
                .more
                .as_ref()
                .is_some_and(|it| it.body_storage.is_some());
            with_body += usize::from(has_body || row.kind == ContentKind::Attachment);
            if !self.ids.insert(&row.id) {
                continue;
            }
            self.seen.push(Seen {
                id: row.id.clone(),
                kind: row.kind.clone(),
                title: row.title.clone(),
                version: row.version.as_ref().and_then(|version| version.number),
                status,
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
        let fresh = self.seen.len() - before;
        self.barren = if fresh == 0 { self.barren + 1 } else { 0 };
        if self.barren > 3 {
            return Err(endless(
                "The server's list brings nothing new and does not end.",
            ));
        }
        Ok(fresh)
    }
}

/// What is expanded in whole rows.
fn whole_expand() -> String {
    format!("{},children.attachment", backup::EXPAND)
}

/// Whether a list that was asked for whole rows, and not for long, may be had without them: they are
/// more bytes, and more work for the server, than it may bear.
fn may_be_for_asking_so_much(error: &ApiError) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_met_once_in_whatever_order_and_form() {
        let mut met = Met::default();
        let ids = ["5", "att7", "9", "7", "att8", "att3", "draft-1", "12"];
        for (count, id) in ids.into_iter().enumerate() {
            assert!(!met.contains(&ContentId::new(id)), "{id}");
            assert!(met.insert(&ContentId::new(id)), "{id}");
            assert_eq!(met.len(), count + 1);
        }
        for id in ids {
            assert!(!met.insert(&ContentId::new(id)), "{id} again");
            assert!(met.contains(&ContentId::new(id)), "{id}");
        }
        assert_eq!(met.len(), ids.len());
        met.clear();
        assert!(met.insert(&ContentId::new("5")), "begun anew");
    }
}
