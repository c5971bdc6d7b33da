//! The backup that comes before a purge or a deletion: fetch, write, read back, compare.
//!
//! A part of other machines. Nothing counts as saved before every file has been read back from
//! the disk and found to be what was written. One that was interrupted is begun anew under
//! another name.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backup::{
    self, AttachmentEntry, FileEntry, Item, MANIFEST, Manifest, NotSaved, SavedFile,
};
use super::desk::{Desk, is_not_offered, is_not_there, unexpected};
use super::job::{JobWrite, Step, StoreError, Stored};
use crate::confluence::call::Window;
use crate::confluence::{ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Reply};

/// A file of items is written when it would hold this many…
const ITEMS_PER_FILE: u64 = 1_000;
/// …or this many bytes before packing.
const BYTES_PER_FILE: usize = 4 << 20;
const ATTACHMENTS_PER_PAGE: u64 = 200;

/// An item to be saved. `item` is the caller's number for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) item: u32,
    pub(super) id: ContentId,
    pub(super) kind: ContentKind,
    pub(super) title: Arc<str>,
    pub(super) status: ContentStatus,
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
    File,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    wanted: Wanted,
    need: Need,
    content: Option<Content>,
    attachments: Vec<AttachmentEntry>,
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
    /// It comes little by little; what is saved is forgotten.
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
    /// Of what comes little by little: what could not be saved and was not told yet.
    #[serde(skip)]
    exceptions: Vec<(Wanted, Kept)>,
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
            exceptions: Vec::new(),
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

    /// One more to be saved.
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.todo.push_back(wanted);
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

    /// What could not be saved since this was asked last, where things come little by little.
    pub(super) fn take_exceptions(&mut self) -> Vec<(Wanted, Kept)> {
        std::mem::take(&mut self.exceptions)
    }

    fn settle(&mut self, wanted: Wanted, kept: Kept) {
        match (self.supply, &kept) {
            (Supply::Given, _) => self.kept.push((wanted.item, kept)),
            (Supply::Coming | Supply::Ended, Kept::Saved(_)) => {}
            (Supply::Coming | Supply::Ended, Kept::Gone | Kept::Not(_)) => {
                self.exceptions.push((wanted, kept));
            }
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
                let bytes = self.manifest_of(desk).encode();
                self.manifest = Some(FileEntry::of(MANIFEST, &bytes, 0));
                self.stage = Stage::Manifest;
                desk.store(JobWrite::BackupFile {
                    backup: self.folder.clone(),
                    name: MANIFEST.to_owned(),
                    bytes,
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

    fn manifest_of(&self, desk: &Desk) -> Manifest {
        let head = desk.head();
        Manifest {
            format: backup::FORMAT.to_owned(),
            version: backup::VERSION,
            job: head.id.clone(),
            act: head.target.act,
            created: head.created,
            profile: head.target.profile.clone(),
            host: head.target.host.clone(),
            user: head.user.clone(),
            spaces: head.target.spaces.clone(),
            items: self.items,
            not_saved: self.not_saved.clone(),
            files: self.files.clone(),
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
            if !desk.has_room() {
                return;
            }
            let slot = &self.slots[index];
            if !desk.is_busy(slot.wanted.item) {
                let (step, call) = slot.ask();
                desk.read(slot.wanted.item, step, call);
            }
        }
        while desk.has_room() && desk.has_room_for_files() {
            let Some(wanted) = self.todo.pop_front() else {
                break;
            };
            let slot = Slot {
                wanted,
                need: Need::Content,
                content: None,
                attachments: Vec::new(),
            };
            let (step, call) = slot.ask();
            desk.read(slot.wanted.item, step, call);
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
        let bytes = backup::pack(&std::mem::take(&mut self.buffer));
        let name = format!("items-{number:04}.ndjson.gz");
        self.files.push(FileEntry::of(
            &name,
            &bytes,
            std::mem::take(&mut self.buffered),
        ));
        desk.store(JobWrite::BackupFile {
            backup: self.folder.clone(),
            name,
            bytes,
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
                        self.keep(desk, index, None, None);
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
                    let attachments = std::mem::take(&mut slot.attachments);
                    self.keep(desk, index, Some(attachments), None);
                }
            }
            // Some servers don't list the attachments of what is in the trash.
            (Step::FetchAttachments, Err(error)) if is_not_offered(&error) => {
                self.keep(desk, index, None, None);
            }
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
                    bytes,
                });
                self.keep(desk, index, None, Some(file));
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
        attachments: Option<Vec<AttachmentEntry>>,
        file: Option<SavedFile>,
    ) {
        let slot = self.slots.remove(index);
        let Some(content) = slot.content else {
            return;
        };
        let item = Item::of(content, slot.wanted.status, attachments, file);
        self.settle(slot.wanted, Kept::Saved(item.version_number()));
        self.buffer.push_str(&backup::line(&item));
        self.buffered += 1;
        self.items += 1;
        if self.buffered >= ITEMS_PER_FILE || self.buffer.len() >= BYTES_PER_FILE {
            self.flush(desk);
        }
    }

    fn give_up(&mut self, index: usize, why: &str) {
        let slot = self.slots.remove(index);
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

/// A plain name whatever the server uses for ids.
fn file_name(id: &ContentId) -> String {
    let plain = id
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("file-{}", plain.collect::<String>())
}
