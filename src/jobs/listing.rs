//! A list read to its end: the trash of a space, or the content of one.
//!
//! What a whole-trash purge destroys is decided by such a list, so an end that is not certain is
//! an error, never a shorter list.

use serde::{Deserialize, Serialize};

use super::desk::{is_not_offered, unexpected};
use crate::confluence::call::{Depth, Window};
use crate::confluence::ids::IdSet;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Cursor, ErrorKind, Reply,
    SpaceKey,
};

/// Rows that are asked for at once.
pub(super) const LIMIT: u64 = 200;
const EXPAND: &str = "version";

/// What the trash of a server without operation 12 is asked for, one type after the other.
const KINDS: [ContentKind; 4] = [
    ContentKind::Page,
    ContentKind::BlogPost,
    ContentKind::Comment,
    ContentKind::Attachment,
];

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) id: ContentId,
    pub(super) kind: ContentKind,
    pub(super) title: String,
    pub(super) version: Option<u64>,
    pub(super) status: ContentStatus,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Place {
    Trash(Option<Cursor>),
    TrashOfKind(usize, u64),
    Content(usize, u64),
    End,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Listing {
    space: SpaceKey,
    place: Place,
    seen: Vec<Seen>,
    #[serde(skip)]
    ids: IdSet,
    barren: u32,
    /// How many rows there are in all, as far as the server told.
    #[serde(skip)]
    total: Option<u64>,
    /// Whether the trash is read without operation 12, one type after the other.
    by_kind: bool,
    /// What the server would not list.
    unlisted: Vec<ContentKind>,
}

impl Listing {
    /// The trash of a space.
    pub(super) fn trash(space: SpaceKey) -> Self {
        Self::from(space, Place::Trash(None))
    }

    /// Pages, blog posts and then the trash of a space.
    pub(super) fn everything(space: SpaceKey) -> Self {
        Self::from(space, Place::Content(0, 0))
    }

    fn from(space: SpaceKey, place: Place) -> Self {
        Self {
            space,
            place,
            seen: Vec::new(),
            ids: IdSet::default(),
            barren: 0,
            total: None,
            by_kind: false,
            unlisted: Vec::new(),
        }
    }

    /// The next thing to ask; `None` at the end.
    pub(super) fn call(&self) -> Option<Call> {
        let key = self.space.clone();
        let expand = EXPAND.to_owned();
        let window = |start: u64| Window {
            start,
            limit: LIMIT,
        };
        match &self.place {
            Place::Trash(cursor) => Some(Call::Trash {
                key,
                cursor: cursor.clone(),
                expand,
                limit: LIMIT,
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

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
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
                let rows = page.results.len() as u64;
                let fresh = self.add(page.results, ContentStatus::Current)?;
                self.place = if page.has_next && fresh > 0 {
                    Place::Content(kind, start + rows)
                } else if kind == 0 {
                    Place::Content(1, 0)
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
        let before = self.seen.len();
        for row in rows {
            if self.ids.insert(&row.id) {
                self.seen.push(Seen {
                    id: row.id,
                    kind: row.kind,
                    title: row.title,
                    version: row.version.and_then(|version| version.number),
                    status,
                });
            }
        }
        let fresh = self.seen.len() - before;
        self.barren = if fresh == 0 { self.barren + 1 } else { 0 };
        if self.barren > 3 {
            return Err(ApiError {
                kind: ErrorKind::Malformed,
                message: "The server's list brings nothing new and does not end.".to_owned(),
                status: None,
                details: Vec::new(),
            });
        }
        Ok(fresh)
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
