//! How many files hang on the current pages and blog posts of a space: told the same way before a space
//! is deleted and after it has come back, so that the two can be compared.

use std::collections::VecDeque;

use super::desk::{Desk, WHOLE, unexpected};
use super::job::Step;
use crate::confluence::call::{Depth, Window};
use crate::confluence::ids::IdSet;
use crate::confluence::{ApiError, Call, ContentId, ContentKind, Reply, SpaceKey};

/// Pages that are asked for at once.
const PAGES: u64 = 100;
/// Files of one page that are asked for at once.
const FILES: u64 = 200;

const KINDS: [ContentKind; 2] = [ContentKind::Page, ContentKind::BlogPost];

/// Never stored with a job: what was interrupted is begun anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileCount {
    space: SpaceKey,
    /// The type that is listed, and from which row on.
    kind: usize,
    start: u64,
    seen: IdSet,
    /// Pages with more files than their row tells, and from which file on.
    many: VecDeque<(ContentId, u64)>,
    files: IdSet,
}

impl FileCount {
    pub(super) fn of(space: SpaceKey) -> Self {
        Self {
            space,
            kind: 0,
            start: 0,
            seen: IdSet::default(),
            many: VecDeque::new(),
            files: IdSet::default(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.kind >= KINDS.len() && self.many.is_empty()
    }

    pub(super) fn count(&self) -> u64 {
        self.files.len() as u64
    }

    /// Asks for the next page.
    pub(super) fn ask(&self, desk: &mut Desk) {
        let call = match (self.many.front(), KINDS.get(self.kind)) {
            (Some((id, start)), _) => Call::Attachments {
                id: id.clone(),
                expand: String::new(),
                window: Window {
                    start: *start,
                    limit: FILES,
                },
            },
            (None, Some(kind)) => Call::SpaceContentOfKind {
                key: self.space.clone(),
                kind: kind.clone(),
                depth: Depth::All,
                expand: "children.attachment".to_owned(),
                window: Window {
                    start: self.start,
                    limit: PAGES,
                },
            },
            (None, None) => return,
        };
        desk.read(WHOLE, Step::FetchAttachments, call);
    }

    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
        let page = match answer {
            Ok(Reply::Contents(page)) => page,
            other => return Err(other.err().unwrap_or_else(unexpected)),
        };
        let rows = page.results.len() as u64;
        if let Some((id, start)) = self.many.pop_front() {
            let before = self.files.len();
            self.files.insert_all(page.results.iter().map(|it| &it.id));
            if page.has_next && self.files.len() > before {
                self.many.push_front((id, start + rows));
            }
            return Ok(());
        }
        let before = self.seen.len();
        self.seen.insert_all(page.results.iter().map(|it| &it.id));
        let has_more = page.has_next && self.seen.len() > before;
        for row in page.results {
            match row.more.and_then(|more| more.attachments) {
                Some(all) => self.files.insert_all(all.iter().map(|it| &it.id)),
                None => self.many.push_back((row.id, 0)),
            }
        }
        if has_more {
            self.start += rows;
        } else {
            self.kind += 1;
            self.start = 0;
        }
        Ok(())
    }
}
