//! What hangs on the current pages and blog posts of a space: attached files and the comments on them.
//!
//! The files alone are counted before a space is deleted and after it has come back, so that the two
//! can be compared. All of it, with versions, is listed before a server writes a space out and once
//! more before the space is deleted: what is new by then is in no backup.
//!
//! The rows of a list tell of most, a hundred pages at once. A page of which they do not tell all is
//! asked about by itself, and so is one that the list left out. What could not be had is counted:
//! unknown is not none.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::desk::{Desk, WHOLE, unexpected};
use super::listing::may_hold;
use super::listing::{Seen, may_be_for_asking_so_much};
use super::losses::NAMED;
use super::step::Step;
use crate::confluence::SpaceKey;
use crate::confluence::call::{Depth, Window};
use crate::confluence::ids::IdSet;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentMore, Page, Reply, ServerText,
};
use crate::text::number;

/// Pages that are asked for at once.
const PAGES: u64 = 100;
/// What hangs on one page and is asked for at once.
const HANGING: u64 = 200;

/// Why not all is known of a page whose list was read.
const NOT_ALL: &str = "The server's list tells the same twice, or less than it says there is.";

const KINDS: [ContentKind; 2] = [ContentKind::Page, ContentKind::BlogPost];

/// What the rows of pages are asked to tell. The last of the answers need be no more than counted:
/// where there is one, its page is asked about by itself.
const ALL: &str = "version,children.attachment.version,children.comment.version,\
                   children.comment.children.comment.version,\
                   children.comment.children.comment.children.comment";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The files.
    Files,
    /// Files and comments, with their versions.
    All,
    /// The same, of a server that cannot tell them with the rows of pages.
    AllByPage,
}

/// A page, or something that hangs on one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: ContentId,
    pub(super) version: Option<u64>,
    /// What it is, in words.
    pub(super) name: String,
    /// Where it hangs on a page: its type, and the page.
    pub(super) hangs: Option<(ContentKind, ContentId)>,
    /// Of an attached file, how long it is, where told.
    pub(super) size: Option<u64>,
}

/// What hangs on the pages of a space, listed once more before it is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    pages: Option<OnPages>,
    /// Why the pages could not be listed.
    failed: Option<String>,
}

impl Look {
    /// Asks for what hangs on the pages among `rows` and on others of the space.
    pub(super) fn ask(&mut self, desk: &mut Desk, key: &SpaceKey, rows: &[Seen]) {
        let pages = self.pages.get_or_insert_with(|| {
            let held = rows.iter().filter(|row| may_hold(row));
            let named = held.map(|row| (row.id.clone(), Arc::from(row.title.shown())));
            OnPages::all(key.clone(), named.collect())
        });
        if !desk.is_busy(WHOLE) {
            pages.ask(desk);
        }
        let so_far = number::count(pages.len() as u64, "page");
        desk.say(format!(
            "{key}: looking for files and comments that are new, {so_far} so far"
        ));
    }

    /// Takes an answer in; what it told of.
    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Vec<Found> {
        let Some(pages) = &mut self.pages else {
            return Vec::new();
        };
        if let Err(error) = pages.take(answer) {
            self.failed = Some(error.message);
        }
        pages.take_found()
    }

    pub(super) fn is_over(&self) -> bool {
        self.failed.is_some() || self.pages.as_ref().is_some_and(OnPages::is_over)
    }

    /// Why the pages could not be listed.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Why it is not known what hangs on this page.
    pub(super) fn why_unread(&self, page: &ContentId) -> Option<&str> {
        let listed = self.pages.as_ref()?;
        let why = listed.unread.get(page).map(String::as_str);
        self.failed.as_deref().or(why)
    }

    /// What was listed, where the pages could be.
    pub(super) fn listed(&self) -> Option<&OnPages> {
        self.pages.as_ref().filter(|_| self.failed.is_none())
    }
}

/// A page that is asked about by itself.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    id: ContentId,
    title: Arc<str>,
    /// Files, or comments.
    kind: ContentKind,
    start: u64,
    seen: u64,
}

/// Never stored with a job: what was interrupted is begun anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OnPages {
    space: SpaceKey,
    wanted: Wanted,
    /// The type that is listed, and from which row on.
    kind: usize,
    start: u64,
    pages: IdSet,
    /// Pages that are known to be there, whether a list tells of them or not.
    expected: Vec<(ContentId, Arc<str>)>,
    queue: VecDeque<Asked>,
    files: IdSet,
    comments: IdSet,
    found: Vec<Found>,
    /// Pages of which not all is known, and why.
    unread: HashMap<ContentId, String>,
    unread_titles: Vec<String>,
}

impl OnPages {
    /// Counts the files.
    pub(super) fn files(space: SpaceKey) -> Self {
        Self::of(space, Wanted::Files, Vec::new())
    }

    /// Lists files and comments of `pages`, and of others that come to light.
    pub(super) fn all(space: SpaceKey, pages: Vec<(ContentId, Arc<str>)>) -> Self {
        Self::of(space, Wanted::All, pages)
    }

    fn of(space: SpaceKey, wanted: Wanted, expected: Vec<(ContentId, Arc<str>)>) -> Self {
        Self {
            space,
            wanted,
            kind: 0,
            start: 0,
            pages: IdSet::default(),
            expected,
            queue: VecDeque::new(),
            files: IdSet::default(),
            comments: IdSet::default(),
            found: Vec::new(),
            unread: HashMap::new(),
            unread_titles: Vec::new(),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.kind >= KINDS.len() && self.queue.is_empty()
    }

    /// How many files there are.
    pub(super) fn count(&self) -> u64 {
        self.files.len() as u64
    }

    /// How many pages were looked through.
    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Of how many pages it is not known what hangs on them.
    pub(super) fn unread(&self) -> u64 {
        self.unread.len() as u64
    }

    /// Whether this is one of them.
    pub(super) fn is_unread(&self, page: &ContentId) -> bool {
        self.unread.contains_key(page)
    }

    /// The first of these.
    pub(super) fn unread_titles(&self) -> &[String] {
        &self.unread_titles
    }

    /// What was told since this was asked last.
    pub(super) fn take_found(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.found)
    }

    /// Asks for the next page.
    pub(super) fn ask(&self, desk: &mut Desk) {
        if let Some(asked) = self.queue.front() {
            let id = asked.id.clone();
            let window = Window {
                start: asked.start,
                limit: HANGING,
            };
            let expand = match self.wanted {
                Wanted::Files => String::new(),
                Wanted::All | Wanted::AllByPage => "version".to_owned(),
            };
            if asked.kind == ContentKind::Comment {
                let call = Call::Comments { id, expand, window };
                desk.read(WHOLE, Step::FetchComments, call);
            } else {
                let call = Call::Attachments { id, expand, window };
                desk.read(WHOLE, Step::FetchAttachments, call);
            }
            return;
        }
        let Some(kind) = KINDS.get(self.kind) else {
            return;
        };
        let expand = match self.wanted {
            Wanted::Files => "children.attachment",
            Wanted::All => ALL,
            Wanted::AllByPage => "version",
        };
        let call = Call::SpaceContentOfKind {
            key: self.space.clone(),
            kind: kind.clone(),
            depth: Depth::All,
            expand: expand.to_owned(),
            window: Window {
                start: self.start,
                limit: PAGES,
            },
        };
        match self.wanted {
            // There is another way.
            Wanted::All => desk.try_read(WHOLE, Step::FetchAttachments, call),
            Wanted::Files | Wanted::AllByPage => {
                desk.read(WHOLE, Step::FetchAttachments, call);
            }
        }
    }

    /// Takes an answer in. An error says that the pages could not be listed.
    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
        let answer = match answer {
            Ok(Reply::Contents(page)) => Ok(page),
            other => Err(other.err().unwrap_or_else(unexpected)),
        };
        if let Some(asked) = self.queue.pop_front() {
            match answer {
                Ok(page) => self.take_of_page(asked, page),
                Err(error) if self.wanted == Wanted::Files => return Err(error),
                Err(error) => self.leave_unread(&asked.id, &asked.title, &error.message),
            }
            return Ok(());
        }
        match answer {
            Err(error) if self.wanted == Wanted::All && may_be_for_asking_so_much(&error) => {
                self.wanted = Wanted::AllByPage;
            }
            Err(error) => return Err(error),
            Ok(page) => self.take_pages(page),
        }
        if self.kind >= KINDS.len() {
            self.ask_about_the_rest();
        }
        Ok(())
    }

    /// Files of one page, or comments on it.
    fn take_of_page(&mut self, asked: Asked, page: Page<Content>) {
        let rows = page.results.len() as u64;
        let is_file = asked.kind == ContentKind::Attachment;
        let before = self.files.len() + self.comments.len();
        for row in page.results {
            let version = row.version.and_then(|version| version.number);
            let on = (&asked.id, &*asked.title);
            let size = row.more.as_deref().and_then(|more| more.file_size);
            self.take_one(on, row.id, version, is_file.then_some((&row.title, size)));
        }
        let new = (self.files.len() + self.comments.len() - before) as u64;
        let seen = asked.seen + new;
        let goes_on = page.has_next && new > 0;
        // What is told again stands where something else is left out.
        let is_short = !goes_on && page.total.is_some_and(|total| seen < total);
        if self.wanted != Wanted::Files && (is_short || new < rows) {
            self.leave_unread(&asked.id, &asked.title, NOT_ALL);
        }
        if goes_on {
            self.queue.push_front(Asked {
                start: asked.start + rows,
                seen,
                ..asked
            });
        }
    }

    fn take_pages(&mut self, page: Page<Content>) {
        let rows = page.results.len() as u64;
        let before = self.pages.len();
        for row in page.results {
            if self.pages.insert(&row.id) {
                self.take_row(row);
            }
        }
        if page.has_next && self.pages.len() > before {
            self.start += rows;
        } else {
            self.kind += 1;
            self.start = 0;
        }
    }

    /// A page, and what its row tells of what hangs on it.
    fn take_row(&mut self, row: Content) {
        let title: Arc<str> = row.title.shown().into();
        let more = row.more.map(|more| *more).unwrap_or_default();
        let ContentMore {
            attachments,
            comments,
            has_comments,
            ..
        } = more;
        if self.wanted != Wanted::Files {
            self.found.push(Found {
                id: row.id.clone(),
                version: row.version.and_then(|version| version.number),
                name: row.title.to_string(),
                hangs: None,
                size: None,
            });
        }
        let needs_versions = self.wanted != Wanted::Files;
        match attachments {
            Some(all) if !needs_versions || all.iter().all(|it| it.version.is_some()) => {
                let (before, told) = (self.files.len(), all.len());
                for file in all {
                    let named = Some((&file.title, file.file_size));
                    self.take_one((&row.id, &title), file.id, file.version, named);
                }
                // What is told again stands where something else is left out.
                if self.files.len() - before < told && needs_versions {
                    self.leave_unread(&row.id, &title, NOT_ALL);
                }
            }
            _ => self.queue_up(&row.id, &title, ContentKind::Attachment),
        }
        if self.wanted == Wanted::Files {
            return;
        }
        match comments {
            Some(all) if all.iter().all(|it| it.version.is_some()) => {
                let (before, told) = (self.comments.len(), all.len());
                for comment in all {
                    self.take_one((&row.id, &title), comment.id, comment.version, None);
                }
                if self.comments.len() - before < told {
                    self.leave_unread(&row.id, &title, NOT_ALL);
                }
            }
            _ if has_comments == Some(false) => {}
            _ => self.queue_up(&row.id, &title, ContentKind::Comment),
        }
    }

    /// A file of this name and length, or a comment, on this page.
    fn take_one(
        &mut self,
        (page, title): (&ContentId, &str),
        id: ContentId,
        version: Option<u64>,
        file: Option<(&ServerText, Option<u64>)>,
    ) {
        let (ids, kind) = match file {
            Some(_) => (&mut self.files, ContentKind::Attachment),
            None => (&mut self.comments, ContentKind::Comment),
        };
        if !ids.insert(&id) || self.wanted == Wanted::Files {
            return;
        }
        self.found.push(Found {
            id,
            version,
            name: match file {
                Some((name, _)) => format!("the file {name} on {title}"),
                None => format!("a comment on {title}"),
            },
            hangs: Some((kind, page.clone())),
            size: file.and_then(|(_, size)| size),
        });
    }

    fn queue_up(&mut self, id: &ContentId, title: &Arc<str>, kind: ContentKind) {
        self.queue.push_back(Asked {
            id: id.clone(),
            title: Arc::clone(title),
            kind,
            start: 0,
            seen: 0,
        });
    }

    /// The pages that the list left out.
    fn ask_about_the_rest(&mut self) {
        for (id, title) in std::mem::take(&mut self.expected) {
            if self.pages.insert(&id) {
                self.queue_up(&id, &title, ContentKind::Attachment);
                self.queue_up(&id, &title, ContentKind::Comment);
            }
        }
    }

    fn leave_unread(&mut self, id: &ContentId, title: &str, why: &str) {
        let before = self.unread.insert(id.clone(), why.to_owned());
        if before.is_none() && self.unread_titles.len() < NAMED {
            self.unread_titles.push(title.to_owned());
        }
    }
}
