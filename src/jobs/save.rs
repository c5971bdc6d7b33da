//! The backup that comes before a purge or a deletion: fetch, write, read back, compare.
//!
//! A part of other machines. Nothing counts as saved before every file has been read back from
//! the disk and found to be what was written. One that was interrupted is begun anew under
//! another name.
//!
//! What a list gave whole is written as it came; everything else is asked for by itself.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backup::{
    self, AttachmentEntry, FileEntry, Item, MANIFEST, Manifest, NotSaved, SavedFile,
};
use super::desk::{Desk, is_not_offered, is_not_there, unexpected};
use super::job::{JobWrite, Step, StoreError, Stored};
use super::listing::{Seen, holder_of};
use super::losses::Losses;
use crate::confluence::call::Window;
use crate::confluence::ids::IdSet;
use crate::confluence::{ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Reply};

/// A file of items is written when it would hold this many…
const ITEMS_PER_FILE: u64 = 1_000;
/// …or this many bytes before packing.
const BYTES_PER_FILE: usize = 4 << 20;
const ATTACHMENTS_PER_PAGE: u64 = 200;
const COMMENTS_PER_PAGE: u64 = 200;

/// An item to be saved. `item` is the caller's number for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) item: u32,
    pub(super) id: ContentId,
    pub(super) kind: ContentKind,
    pub(super) title: Arc<str>,
    pub(super) status: ContentStatus,
}

impl Wanted {
    /// What was seen in a list, and the item itself if the list gave it whole.
    pub(super) fn seen(item: u32, seen: Seen) -> (Self, Option<Content>) {
        let wanted = Self {
            item,
            id: seen.id,
            kind: seen.kind,
            title: seen.title.into(),
            status: seen.status,
        };
        (wanted, seen.whole.map(|whole| *whole))
    }
}

/// What became of a wanted item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kept {
    /// It is in the backup with this version.
    Saved(Option<u64>),
    /// It had vanished.
    Gone,
    /// It could not be saved.
    Not(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Need {
    Content,
    Attachments(u64),
    Comments(u64),
    File,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    wanted: Wanted,
    need: Need,
    /// Whether the item itself came from a list, which may be a while ago.
    #[serde(default)]
    is_from_list: bool,
    content: Option<Content>,
    attachments: Vec<AttachmentEntry>,
    /// Whether the server told which attachments there are.
    #[serde(default)]
    is_told: bool,
    /// The comments that were counted.
    #[serde(default)]
    comments: IdSet,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Fetching,
    Writing,
    Manifest,
    /// Reading back the file of this number; one past the last is the manifest.
    ReadingBack(usize, Asked),
    Verified,
    Broken(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Yes,
    No,
}

/// Where what is wanted comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Supply {
    /// All of it was given at the beginning, and what becomes of each is remembered.
    #[default]
    Given,
    /// It comes little by little; what becomes of each is told once and forgotten.
    Coming,
    /// The same, and no more will come.
    Ended,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Save {
    folder: String,
    /// How many were wanted.
    total: usize,
    todo: VecDeque<Wanted>,
    slots: Vec<Slot>,
    kept: Vec<(u32, Kept)>,
    not_saved: Vec<NotSaved>,
    files: Vec<FileEntry>,
    manifest: Option<FileEntry>,
    items: u64,
    stage: Stage,
    /// Whether all that is wanted is known, or comes little by little.
    #[serde(default)]
    supply: Supply,
    /// What takes files and comments with it that are not saved.
    #[serde(default)]
    losing: Vec<(u32, Losses)>,
    /// What attached files and comments hang on, by the caller's numbers.
    #[serde(default)]
    placed: Vec<(u32, ContentKind, ContentId)>,
    /// Of what comes little by little: what became of each, where it was not told yet.
    #[serde(skip)]
    settled: Vec<(Wanted, Kept)>,
    /// Lines not yet on the disk. Not stored: what was interrupted is begun anew.
    #[serde(skip)]
    buffer: String,
    #[serde(skip)]
    buffered: u64,
}

impl Save {
    pub(super) fn new(folder: String, wanted: Vec<Wanted>) -> Self {
        Self {
            folder,
            total: wanted.len(),
            todo: wanted.into(),
            slots: Vec::new(),
            kept: Vec::new(),
            not_saved: Vec::new(),
            files: Vec::new(),
            manifest: None,
            items: 0,
            stage: Stage::Fetching,
            supply: Supply::Given,
            losing: Vec::new(),
            placed: Vec::new(),
            settled: Vec::new(),
            buffer: String::new(),
            buffered: 0,
        }
    }

    /// A backup of what is wanted little by little; see [`Save::want`].
    pub(super) fn streamed(folder: String) -> Self {
        Self {
            supply: Supply::Coming,
            ..Self::new(folder, Vec::new())
        }
    }

    /// One more to be saved; with `whole` if a list gave it so, see [`is_whole`].
    pub(super) fn want(&mut self, desk: &mut Desk, wanted: Wanted, whole: Option<Content>) {
        let Some(mut content) = whole else {
            self.todo.push_back(wanted);
            return;
        };
        if wanted.kind == ContentKind::Attachment {
            self.slots.push(Slot {
                wanted,
                need: Need::File,
                is_from_list: true,
                content: Some(content),
                attachments: Vec::new(),
                is_told: false,
                comments: IdSet::default(),
            });
            return;
        }
        let is_a_page = matches!(wanted.kind, ContentKind::Page | ContentKind::BlogPost);
        let more = content.more.as_mut().filter(|_| is_a_page);
        let (attachments, has_comments) = more.map_or((None, None), |more| {
            (more.attachments.take(), more.has_comments)
        });
        let attachments = attachments.map(|all| all.into_iter().map(AttachmentEntry::from));
        let attachments: Option<Vec<AttachmentEntry>> = attachments.map(Iterator::collect);
        if !is_a_page || has_comments == Some(false) {
            self.put(desk, wanted, content, attachments, Some(0), None);
            return;
        }
        // How many there are in all is asked for only where there are any, or that is not told.
        self.slots.push(Slot {
            wanted,
            need: Need::Comments(0),
            is_from_list: true,
            content: Some(content),
            is_told: attachments.is_some(),
            attachments: attachments.unwrap_or_default(),
            comments: IdSet::default(),
        });
    }

    /// What takes files and comments with it that are not saved, by the caller's numbers.
    pub(super) fn take_losing(&mut self) -> Vec<(u32, Losses)> {
        std::mem::take(&mut self.losing)
    }

    /// What attached files and comments hang on, as far as it was told.
    pub(super) fn take_placed(&mut self) -> Vec<(u32, ContentKind, ContentId)> {
        std::mem::take(&mut self.placed)
    }

    /// Nothing more will be wanted.
    pub(super) fn finish(&mut self) {
        self.supply = Supply::Ended;
    }

    /// How many wait to be saved.
    pub(super) fn waiting(&self) -> usize {
        self.todo.len() + self.slots.len()
    }

    /// How many were fetched so far.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// What became of what came little by little, since this was asked last.
    pub(super) fn take_settled(&mut self) -> Vec<(Wanted, Kept)> {
        std::mem::take(&mut self.settled)
    }

    fn settle(&mut self, wanted: Wanted, kept: Kept) {
        match self.supply {
            Supply::Given => self.kept.push((wanted.item, kept)),
            Supply::Coming | Supply::Ended => self.settled.push((wanted, kept)),
        }
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether every file has been read back and is what was written.
    pub(super) fn is_verified(&self) -> bool {
        self.stage == Stage::Verified
    }

    /// Why it is no backup, if it is not.
    pub(super) fn broken(&self) -> Option<&str> {
        match &self.stage {
            Stage::Broken(why) => Some(why),
            _ => None,
        }
    }

    /// What became of the items, once it is verified.
    pub(super) fn kept(&self) -> &[(u32, Kept)] {
        &self.kept
    }

    /// The same, to be forgotten here.
    pub(super) fn take_kept(&mut self) -> Vec<(u32, Kept)> {
        std::mem::take(&mut self.kept)
    }

    pub(super) fn not_saved(&self) -> &[NotSaved] {
        &self.not_saved
    }

    /// Reads everything back once more.
    pub(super) fn verify_again(&mut self) {
        self.stage = Stage::ReadingBack(0, Asked::No);
    }

    pub(super) fn go(&mut self, desk: &mut Desk) {
        match &self.stage {
            Stage::Fetching => self.fetch(desk),
            Stage::Writing if desk.is_stored() => {
                let manifest = self.manifest_of(desk);
                let bytes = manifest.encode();
                self.files = manifest.files;
                self.manifest = Some(FileEntry::of(MANIFEST, &bytes, 0));
                self.stage = Stage::Manifest;
                desk.store(JobWrite::BackupFile {
                    backup: self.folder.clone(),
                    name: MANIFEST.to_owned(),
                    bytes: bytes.into(),
                });
            }
            Stage::Manifest if desk.is_stored() => {
                self.stage = Stage::ReadingBack(0, Asked::No);
                self.read_back(desk);
            }
            Stage::ReadingBack(_, Asked::No) => self.read_back(desk),
            Stage::Writing
            | Stage::Manifest
            | Stage::ReadingBack(_, Asked::Yes)
            | Stage::Verified
            | Stage::Broken(_) => {}
        }
    }

    /// The manifest, with the list of files, which is given back once it is written: it can be long.
    fn manifest_of(&mut self, desk: &Desk) -> Manifest {
        let head = desk.head();
        Manifest {
            format: backup::FORMAT.to_owned(),
            version: backup::VERSION,
            job: head.id.clone(),
            act: head.target.act,
            created: head.created,
            profile: head.target.profile.clone(),
            server: head.target.server.clone(),
            user: desk.user().map(str::to_owned),
            spaces: head.target.spaces.clone(),
            items: self.items,
            not_saved: self.not_saved.clone(),
            files: std::mem::take(&mut self.files),
            server_file: None,
        }
    }

    fn fetch(&mut self, desk: &mut Desk) {
        match self.supply {
            Supply::Given => {
                desk.saving(Some((self.kept.len(), self.total)));
                desk.say("");
            }
            Supply::Coming | Supply::Ended => desk.say("Saving"),
        }
        for index in 0..self.slots.len() {
            if !desk.has_room() || !desk.has_room_for_files() {
                return;
            }
            let slot = &self.slots[index];
            if !desk.is_busy(slot.wanted.item) {
                let (step, call) = slot.ask();
                ask(desk, slot.wanted.item, step, call);
            }
        }
        while desk.has_room() && desk.has_room_for_files() {
            let Some(wanted) = self.todo.pop_front() else {
                break;
            };
            let slot = Slot {
                wanted,
                need: Need::Content,
                is_from_list: false,
                content: None,
                attachments: Vec::new(),
                is_told: false,
                comments: IdSet::default(),
            };
            let (step, call) = slot.ask();
            ask(desk, slot.wanted.item, step, call);
            self.slots.push(slot);
        }
        if self.waiting() == 0 && self.supply != Supply::Coming {
            self.flush(desk);
            self.stage = Stage::Writing;
            self.go(desk);
        }
    }

    fn flush(&mut self, desk: &mut Desk) {
        if self.buffered == 0 {
            return;
        }
        let number = 1 + self.files.iter().filter(|file| file.items > 0).count();
        let bytes = backup::pack(&self.buffer);
        // Its room is kept: room for megabytes that comes and goes a thousand times, with ids that
        // stay in between, leaves a heap that no room is found in.
        self.buffer.clear();
        let name = format!("items-{number:04}.ndjson.gz");
        self.files.push(FileEntry::of(
            &name,
            &bytes,
            std::mem::take(&mut self.buffered),
        ));
        desk.store(JobWrite::BackupFile {
            backup: self.folder.clone(),
            name,
            bytes: bytes.into(),
        });
    }

    fn read_back(&mut self, desk: &mut Desk) {
        let Stage::ReadingBack(index, _) = self.stage else {
            return;
        };
        desk.saving(None);
        desk.say("Reading the backup back");
        let name = match self.files.get(index) {
            Some(file) => file.name.clone(),
            None => MANIFEST.to_owned(),
        };
        self.stage = Stage::ReadingBack(index, Asked::Yes);
        desk.store(JobWrite::ReadBack {
            backup: self.folder.clone(),
            name,
        });
    }

    pub(super) fn stored(&mut self, what: &JobWrite, answer: Result<Stored, StoreError>) {
        let (JobWrite::ReadBack { name, .. }, Stage::ReadingBack(index, _)) = (what, &self.stage)
        else {
            return;
        };
        let index = *index;
        let expected = match self.files.get(index) {
            Some(file) => Some(file),
            None => self.manifest.as_ref(),
        };
        let checked = match (answer, expected) {
            (Ok(Stored::Bytes(bytes)), Some(file)) => {
                file.check(&bytes).map_err(|problem| problem.to_string())
            }
            (Err(problem), _) => Err(problem.message),
            _ => Err(format!("The file {name} could not be read back.")),
        };
        self.stage = match checked {
            Err(why) => Stage::Broken(why),
            Ok(()) if index < self.files.len() => Stage::ReadingBack(index + 1, Asked::No),
            Ok(()) => Stage::Verified,
        };
    }

    pub(super) fn read(
        &mut self,
        desk: &mut Desk,
        item: u32,
        step: Step,
        answer: Result<Reply, ApiError>,
    ) {
        let Some(index) = self.slots.iter().position(|it| it.wanted.item == item) else {
            return;
        };
        let slot = &mut self.slots[index];
        match (step, answer) {
            (Step::Fetch, Ok(Reply::Content(content))) if content.id == slot.wanted.id => {
                let more = content.more.as_deref();
                slot.need = match slot.wanted.kind {
                    ContentKind::Attachment => {
                        if more.is_none_or(|more| more.download.is_none()) {
                            self.give_up(index, "The server does not say where its file is.");
                            return;
                        }
                        Need::File
                    }
                    _ if more.is_none_or(|more| more.body_storage.is_none()) => {
                        self.give_up(index, "The server did not give its text.");
                        return;
                    }
                    ContentKind::Page | ContentKind::BlogPost => Need::Attachments(0),
                    ContentKind::Comment | ContentKind::Other(_) => {
                        slot.content = Some(*content);
                        self.keep(desk, index, Some(0), None);
                        return;
                    }
                };
                slot.content = Some(*content);
            }
            (Step::FetchAttachments, Ok(Reply::Contents(page))) => {
                let Need::Attachments(start) = slot.need else {
                    return;
                };
                let rows = page.results.len() as u64;
                let before = slot.attachments.len();
                for it in page.results {
                    if slot.attachments.iter().all(|known| known.id != it.id) {
                        let more = it.more.unwrap_or_default();
                        slot.attachments.push(AttachmentEntry {
                            id: it.id,
                            title: it.title,
                            size: more.file_size,
                            media_type: more.media_type,
                        });
                    }
                }
                if page.has_next && slot.attachments.len() > before {
                    slot.need = Need::Attachments(start + rows);
                } else {
                    slot.is_told = true;
                    slot.need = Need::Comments(0);
                }
            }
            // Some servers don't list the attachments of what is in the trash.
            (Step::FetchAttachments, Err(error)) if is_not_offered(&error) => {
                slot.need = Need::Comments(0);
            }
            (Step::FetchComments, Ok(Reply::Contents(page))) => {
                let Need::Comments(start) = slot.need else {
                    return;
                };
                let rows = page.results.len() as u64;
                let before = slot.comments.len();
                slot.comments
                    .insert_all(page.results.iter().map(|it| &it.id));
                if page.has_next && slot.comments.len() > before {
                    slot.need = Need::Comments(start + rows);
                } else {
                    let comments = slot.comments.len() as u64;
                    self.keep(desk, index, Some(comments), None);
                }
            }
            // They are not saved anyway: that their number is not known is told.
            (Step::FetchComments, Err(_)) => self.keep(desk, index, None, None),
            (Step::FetchFile, Ok(Reply::File(bytes))) => {
                let more = slot.content.as_ref().and_then(|it| it.more.as_deref());
                let size = more.and_then(|more| more.file_size);
                if size.is_some_and(|size| size != bytes.len() as u64) {
                    self.give_up(index, "Its file did not arrive whole.");
                    return;
                }
                let file = SavedFile {
                    name: file_name(&slot.wanted.id),
                    media_type: more.and_then(|more| more.media_type.clone()),
                };
                self.files.push(FileEntry::of(&file.name, &bytes, 0));
                desk.store(JobWrite::BackupFile {
                    backup: self.folder.clone(),
                    name: file.name.clone(),
                    bytes: bytes.into(),
                });
                self.keep(desk, index, Some(0), Some(file));
            }
            // Gone meanwhile, or its file has another address by now: it tells itself.
            (Step::FetchFile, Err(_)) if slot.is_from_list => {
                slot.is_from_list = false;
                slot.content = None;
                slot.need = Need::Content;
            }
            (Step::Fetch, Err(error)) if is_not_there(&error) => {
                let slot = self.slots.remove(index);
                self.settle(slot.wanted, Kept::Gone);
            }
            (_, other) => {
                let why = other.err().unwrap_or_else(unexpected).message;
                self.give_up(index, &why);
            }
        }
    }

    fn keep(
        &mut self,
        desk: &mut Desk,
        index: usize,
        comments: Option<u64>,
        file: Option<SavedFile>,
    ) {
        let slot = self.slots.remove(index);
        let attachments = slot.is_told.then_some(slot.attachments);
        if let Some(content) = slot.content {
            self.put(desk, slot.wanted, content, attachments, comments, file);
        }
    }

    fn put(
        &mut self,
        desk: &mut Desk,
        wanted: Wanted,
        content: Content,
        attachments: Option<Vec<AttachmentEntry>>,
        comments: Option<u64>,
        file: Option<SavedFile>,
    ) {
        let losses = Losses::of(&wanted.kind, attachments.as_deref(), comments);
        if !losses.is_none() {
            self.losing.push((wanted.item, losses));
        }
        if let Some(holder) = holder_of(&content) {
            let placed = (wanted.item, content.kind.clone(), holder.clone());
            self.placed.push(placed);
        }
        let item = Item::of(content, wanted.status, attachments, file);
        self.settle(wanted, Kept::Saved(item.version_number()));
        self.buffer.push_str(&backup::line(&item));
        self.buffered += 1;
        self.items += 1;
        if self.buffered >= ITEMS_PER_FILE || self.buffer.len() >= BYTES_PER_FILE {
            self.flush(desk);
        }
    }

    fn give_up(&mut self, index: usize, why: &str) {
        let slot = self.slots.remove(index);
        if let Some(content) = &slot.content
            && let Some(holder) = holder_of(content)
        {
            let placed = (slot.wanted.item, content.kind.clone(), holder.clone());
            self.placed.push(placed);
        }
        self.not_saved.push(NotSaved {
            id: slot.wanted.id.clone(),
            title: slot.wanted.title.to_string(),
            why: why.to_owned(),
        });
        self.settle(slot.wanted, Kept::Not(why.to_owned()));
    }
}

impl Slot {
    fn ask(&self) -> (Step, Call) {
        let id = self.wanted.id.clone();
        match self.need {
            Need::Content => (
                Step::Fetch,
                Call::Content {
                    id,
                    status: (self.wanted.status == ContentStatus::Trashed)
                        .then_some(ContentStatus::Trashed),
                    expand: backup::EXPAND.to_owned(),
                },
            ),
            Need::Attachments(start) => (
                Step::FetchAttachments,
                Call::Attachments {
                    id,
                    expand: String::new(),
                    window: Window {
                        start,
                        limit: ATTACHMENTS_PER_PAGE,
                    },
                },
            ),
            Need::Comments(start) => (
                Step::FetchComments,
                Call::Comments {
                    id,
                    expand: String::new(),
                    window: Window {
                        start,
                        limit: COMMENTS_PER_PAGE,
                    },
                },
            ),
            Need::File => (
                Step::FetchFile,
                Call::Download {
                    path: self
                        .content
                        .as_ref()
                        .and_then(|content| content.more.as_ref())
                        .and_then(|more| more.download.clone())
                        .unwrap_or_default(),
                },
            ),
        }
    }
}

/// Asks for what an item needs. How many comments there are can be left open.
fn ask(desk: &mut Desk, item: u32, step: Step, call: Call) {
    if step == Step::FetchComments {
        desk.try_read(item, step, call);
    } else {
        desk.read(item, step, call);
    }
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

/// A plain name whatever the server uses for ids.
fn file_name(id: &ContentId) -> String {
    let plain = id
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("file-{}", plain.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::{ContentMore, ContentRef, Person, SpaceKey, Version};

    fn whole(kind: ContentKind) -> Content {
        Content {
            id: ContentId::new("1"),
            kind,
            status: Some(ContentStatus::Trashed),
            title: "Old".to_owned(),
            has_children: None,
            space: Some(SpaceKey::new("ENG")),
            version: Some(Version {
                number: Some(1),
                ..Version::default()
            }),
            ancestors: Some(Vec::new()),
            position: None,
            more: Some(Box::new(ContentMore {
                created_by: Some(Person::default()),
                body_storage: Some("<p/>".to_owned()),
                labels: Some(Vec::new()),
                restrictions: Some(Vec::new()),
                download: Some("/download/1".to_owned()),
                container: Some(ContentRef {
                    id: ContentId::new("2"),
                    title: None,
                }),
                attachments: Some(Vec::new()),
                ..ContentMore::default()
            })),
        }
    }

    /// Takes something out of a row.
    type Without = fn(&mut Content, &mut ContentMore);

    #[test]
    fn a_row_is_whole_only_with_all_that_is_saved_of_its_kind() {
        use ContentKind::{Attachment, BlogPost, Comment, Page};
        let other = || ContentKind::Other("sheet".to_owned());
        let all = || vec![Page, BlogPost, Comment, Attachment, other()];
        for kind in all() {
            assert!(is_whole(&whole(kind.clone())), "{kind:?}");
            let nothing = Content {
                more: None,
                ..whole(kind.clone())
            };
            assert!(!is_whole(&nothing), "{kind:?}");
        }
        let texts = || vec![Page, BlogPost, Comment, other()];
        let needs: [(Vec<ContentKind>, Without); 11] = [
            (all(), |row, _| row.version = None),
            (all(), |row, _| row.version = Some(Version::default())),
            (all(), |row, _| row.space = None),
            (all(), |_, more| more.restrictions = None),
            (all(), |_, more| more.created_by = None),
            (texts(), |_, more| more.body_storage = None),
            (texts(), |_, more| more.body_storage = Some(String::new())),
            (vec![Page, BlogPost], |_, more| more.labels = None),
            (vec![Page, BlogPost], |_, more| more.attachments = None),
            (vec![Page], |row, _| row.ancestors = None),
            (vec![Attachment], |_, more| more.download = None),
        ];
        for (number, (kinds, without)) in needs.into_iter().enumerate() {
            for kind in all() {
                let mut row = whole(kind.clone());
                let mut more = row.more.take().unwrap_or_default();
                without(&mut row, &mut more);
                row.more = Some(more);
                assert_eq!(is_whole(&row), !kinds.contains(&kind), "{number} {kind:?}");
            }
        }
        for kind in [Comment, Attachment, other()] {
            let mut row = whole(kind);
            row.more.as_mut().expect("there").container = None;
            assert!(!is_whole(&row));
        }
    }
}
