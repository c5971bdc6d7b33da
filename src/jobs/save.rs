//! The backup that comes before a purge or a deletion: fetch, write, read back, compare.
//!
//! A part of other machines. Nothing counts as saved before every file has been read back from
//! the disk and found to be what was written. One that was interrupted is begun anew under
//! another name; attached files that are there whole are taken over from it.
//!
//! What a list gave whole is written as it came; everything else is asked for by itself. With a page
//! go the comments and the attached files that hang on it, each an item of its own; see [`attached`].

mod file_name;
mod lacking;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::file_name::file_name;
use self::lacking::Listed;
use super::attached::{self, Attached, Folder, Holder, Hung, Read, Reading, SCAN, Scan, Told};
use super::backup::{
    self, AttachmentEntry, Digest, FileEntry, Item, Lack, MANIFEST, Manifest, NotSaved, SavedFile,
};
use super::consent::SpaceTarget;
use super::desk::{Desk, is_not_there, unexpected};
use super::effect::{JobWrite, StoreError, Stored};
use super::listing::{Seen, holder_of};
use super::losses::Losses;
use super::proof::Fingerprint;
use super::step::Step;
use crate::confluence::call::Scanned;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Downloaded, ErrorKind,
    LocalFile, Page, Reply, Resume,
};

/// A file of items is written when it would hold this many…
const ITEMS_PER_FILE: u64 = 1_000;
/// …or this many bytes before packing.
const BYTES_PER_FILE: usize = 4 << 20;
/// How often an answer may bring nothing more of a file before it is given up.
const BARREN: u8 = 4;
/// Why a file is not in a backup.
const NOT_WHOLE: &str = "Its file did not arrive whole.";

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
            title: seen.title.shown().into(),
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

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    wanted: Wanted,
    need: Need,
    /// Whether the item itself came from a list, which may be a while ago.
    #[serde(default)]
    is_from_list: bool,
    content: Option<Content>,
    /// What it hangs on, if it is not wanted by itself.
    #[serde(skip)]
    on: Option<Holder>,
    /// What its row tells of what hangs on it.
    #[serde(skip)]
    told: Told,
    /// The list that is being read of what hangs on it, and its files so far.
    #[serde(skip)]
    list: Reading,
    #[serde(skip)]
    files: Vec<Content>,
    /// How far its file has come, and how often an answer brought nothing more of it.
    #[serde(skip)]
    resume: Option<Resume>,
    #[serde(skip)]
    arrived: u64,
    #[serde(skip)]
    barren: u8,
    /// What its file adds to the room that is needed.
    #[serde(skip)]
    counted: u64,
}

impl Slot {
    fn new(wanted: Wanted, need: Need) -> Self {
        Self {
            wanted,
            need,
            is_from_list: false,
            content: None,
            on: None,
            told: Told::default(),
            list: Reading::default(),
            files: Vec::new(),
            resume: None,
            arrived: 0,
            barren: 0,
            counted: 0,
        }
    }
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
    /// What it is a backup of, where that is one of the spaces that the job is about.
    #[serde(default)]
    space: Option<SpaceTarget>,
    /// How many were wanted.
    total: usize,
    todo: VecDeque<Wanted>,
    slots: Vec<Slot>,
    kept: Vec<(u32, Kept)>,
    not_saved: Vec<NotSaved>,
    files: Vec<FileEntry>,
    manifest: Option<FileEntry>,
    items: u64,
    /// How many of them were wanted.
    #[serde(default)]
    own: u64,
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
    /// What hangs on what is wanted.
    #[serde(skip)]
    attached: Attached,
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
        let mut attached = Attached::default();
        let may_hang = wanted
            .iter()
            .filter(|it| super::listing::may_hang(&it.kind));
        let own = may_hang.map(|it| (it.id.clone(), None)).collect();
        attached.own = own;
        attached.known.insert_all(attached.own.keys());
        attached.files_last = true;
        Self {
            folder,
            space: None,
            total: wanted.len(),
            todo: wanted.into(),
            slots: Vec::new(),
            kept: Vec::new(),
            not_saved: Vec::new(),
            files: Vec::new(),
            manifest: None,
            items: 0,
            own: 0,
            stage: Stage::Fetching,
            supply: Supply::Given,
            losing: Vec::new(),
            placed: Vec::new(),
            attached,
            settled: Vec::new(),
            buffer: String::new(),
            buffered: 0,
        }
    }

    /// A backup of what is wanted little by little; see [`Save::want`].
    pub(super) fn streamed(folder: String) -> Self {
        let mut save = Self::new(folder, Vec::new());
        save.supply = Supply::Coming;
        save.attached.files_last = false;
        save
    }

    /// The same for all of a space: its comments and files are scanned where the server has a scan, and
    /// files come last, when it is known how much room they take.
    pub(super) fn of_space(folder: String, space: SpaceTarget) -> Self {
        let mut save = Self::streamed(folder);
        save.attached.files_last = true;
        save.attached.scan = Some(Scan::of(space.key.clone()));
        save.in_space(space)
    }

    /// The same, of this one of the spaces that the job is about.
    pub(super) fn in_space(self, space: SpaceTarget) -> Self {
        Self {
            space: Some(space),
            ..self
        }
    }

    /// One more to be saved; with `whole` if a list gave it so, see [`is_whole`].
    pub(super) fn want(&mut self, desk: &mut Desk, wanted: Wanted, whole: Option<Content>) {
        if super::listing::may_hang(&wanted.kind) {
            if !self.attached.known.insert(&wanted.id) {
                self.want_again(wanted);
                return;
            }
            self.attached.own.insert(wanted.id.clone(), None);
        }
        let Some(content) = whole else {
            self.todo.push_back(wanted);
            return;
        };
        let slot = Slot {
            is_from_list: true,
            ..Slot::new(wanted, Need::Content)
        };
        self.has_content(desk, slot, content);
    }

    /// It is saved with what it hangs on, or will be.
    fn want_again(&mut self, wanted: Wanted) {
        match self.attached.saved.get(&wanted.id) {
            Some(version) => {
                let kept = Kept::Saved(*version);
                self.settle(wanted, kept);
            }
            None => {
                self.attached.same.insert(wanted.id.clone(), wanted);
            }
        }
    }

    /// What takes files and comments with it that are not saved, by the caller's numbers.
    pub(super) fn take_losing(&mut self) -> Vec<(u32, Losses)> {
        std::mem::take(&mut self.losing)
    }

    /// The comments and files that are saved with what was wanted, since this was asked last.
    pub(super) fn take_hung(&mut self) -> Vec<Hung> {
        std::mem::take(&mut self.attached.fresh)
    }

    /// What could not be saved of what hangs on what was wanted.
    pub(super) fn lacks(&self) -> &[Lack] {
        &self.attached.lacks
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
        let files = if self.files_wait() {
            0
        } else {
            self.attached.files.len()
        };
        self.todo.len() + self.slots.len() + files
    }

    /// How many of what was wanted were fetched so far.
    pub(super) fn fetched(&self) -> u64 {
        self.own
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
            spaces: match &self.space {
                Some(space) => vec![space.clone()],
                None => head.target.spaces.clone(),
            },
            items: self.items,
            not_saved: self.not_saved.clone(),
            lacks: self.attached.lacks.clone(),
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
            let is_file = slot.need == Need::File;
            if !desk.is_busy(slot.wanted.item) && (!is_file || self.has_room(desk)) {
                self.ask(desk, index);
            }
        }
        while desk.has_room() && desk.has_room_for_files() {
            let next = self.todo.pop_front();
            let next = next.map(|wanted| Slot::new(wanted, Need::Content));
            let Some(slot) = next.or_else(|| self.next_file(desk)) else {
                break;
            };
            self.slots.push(slot);
            self.ask(desk, self.slots.len() - 1);
        }
        if self.supply == Supply::Coming || !self.todo.is_empty() || !self.slots.is_empty() {
            return;
        }
        if self.attached.scan.is_some() {
            self.scan(desk);
        } else if self.attached.files.is_empty() {
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
        self.stage = Stage::ReadingBack(index, Asked::Yes);
        let backup = self.folder.clone();
        desk.store(match self.files.get(index) {
            // Of any size: the disk reads it piece by piece.
            Some(file) if file.items == 0 => JobWrite::CheckFile {
                backup,
                file: file.clone(),
            },
            file => JobWrite::ReadBack {
                backup,
                name: file.map_or_else(|| MANIFEST.to_owned(), |file| file.name.clone()),
            },
        });
    }

    pub(super) fn stored(&mut self, what: &JobWrite, answer: Result<Stored, StoreError>) {
        let room = &mut self.attached.room;
        match what {
            JobWrite::MakeFolder { backup } if *backup == self.folder => {
                room.folder = Folder::Made;
            }
            JobWrite::CheckRoom { backup, .. } if *backup == self.folder => {
                room.granted = room.asked.take().unwrap_or(room.granted);
            }
            JobWrite::ReadBack { name, .. } => self.was_read_back(name, answer),
            JobWrite::CheckFile { file, .. } => self.was_read_back(&file.name, answer),
            _ => {}
        }
    }

    fn was_read_back(&mut self, name: &str, answer: Result<Stored, StoreError>) {
        let Stage::ReadingBack(index, _) = self.stage else {
            return;
        };
        let expected = match self.files.get(index) {
            Some(file) => Some(file),
            None => self.manifest.as_ref(),
        };
        let checked = match (answer, expected) {
            (Ok(Stored::Bytes(bytes)), Some(file)) => {
                file.check(&bytes).map_err(|problem| problem.to_string())
            }
            (Ok(Stored::Done), Some(file)) if file.items == 0 && file.name == name => Ok(()),
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
        if item == SCAN {
            self.scanned(desk, answer);
            return;
        }
        let Some(index) = self.slots.iter().position(|it| it.wanted.item == item) else {
            return;
        };
        let slot = &mut self.slots[index];
        match (step, answer) {
            (Step::Fetch, Ok(Reply::Content(content))) if content.id == slot.wanted.id => {
                let slot = self.slots.remove(index);
                self.has_content(desk, slot, *content);
            }
            (Step::FetchAttachments, Ok(Reply::Contents(page))) => {
                self.files_told(desk, index, page);
            }
            // Some servers don't list the attachments of what is in the trash.
            (Step::FetchAttachments, Err(error)) => {
                let slot = self.slots.remove(index);
                self.files_end(desk, slot, Listed::Refused(error.message));
            }
            (Step::FetchComments, Ok(Reply::Contents(page))) => {
                self.comments_told(desk, index, page);
            }
            (Step::FetchComments, Err(error)) => {
                let slot = self.slots.remove(index);
                self.comments_end(&slot, Listed::Refused(error.message));
            }
            (Step::FetchFile, Ok(Reply::Downloaded(now))) => self.has_come(desk, index, now),
            // Of this machine and not of the server: it waits until somebody has made room.
            (Step::FetchFile, Err(error)) if error.kind == ErrorKind::Storage => {
                desk.trouble(format!("{} {}", error.message, error.hint()));
            }
            // Gone meanwhile, or its file has another address by now: it tells itself.
            (Step::FetchFile, Err(_)) if slot.is_from_list => Self::ask_itself(slot),
            (Step::Fetch, Err(error)) if is_not_there(&error) => {
                let slot = self.slots.remove(index);
                let why = "The server does not show it any more.";
                self.ends(slot, Kept::Gone, why);
            }
            (_, other) => {
                let why = other.err().unwrap_or_else(unexpected).message;
                let slot = self.slots.remove(index);
                self.give_up(slot, &why);
            }
        }
    }

    /// What a list told of it is not enough, or not true any more.
    fn ask_itself(slot: &mut Slot) {
        slot.is_from_list = false;
        slot.need = Need::Content;
        slot.resume = None;
        slot.arrived = 0;
        slot.barren = 0;
    }

    /// An item is there as the server tells of it: on with what else it needs.
    fn has_content(&mut self, desk: &mut Desk, mut slot: Slot, mut content: Content) {
        let more = content.more.get_or_insert_default();
        let told = Told::by(more);
        let (has_text, has_file) = (more.body_storage.is_some(), more.download.is_some());
        match slot.wanted.kind {
            ContentKind::Attachment if !has_file => {
                let why = "The server does not say where its file is.";
                slot.content = Some(content);
                self.give_up(slot, why);
            }
            ContentKind::Attachment => self.want_file(slot, content),
            _ if !has_text => {
                slot.content = Some(content);
                self.give_up(slot, "The server did not give its text.");
            }
            ContentKind::Page | ContentKind::BlogPost => {
                slot.content = Some(content);
                slot.told = told;
                slot.need = Need::Attachments(0);
                if slot.told.files.as_ref().is_some_and(Vec::is_empty) {
                    self.files_end(desk, slot, Listed::Whole);
                } else {
                    self.slots.push(slot);
                }
            }
            ContentKind::Comment | ContentKind::Other(_) => {
                self.put(desk, slot, content, None, None);
            }
        }
    }

    /// Writes an item down.
    fn put(
        &mut self,
        desk: &mut Desk,
        slot: Slot,
        content: Content,
        attachments: Option<Vec<AttachmentEntry>>,
        file: Option<SavedFile>,
    ) {
        if slot.on.is_none() {
            self.place(&slot.wanted, &content);
            self.attached.own.remove(&slot.wanted.id);
            self.own += 1;
        }
        let item = Item::of(content, slot.wanted.status, attachments, file);
        let version = item.version_number();
        self.buffer.push_str(&backup::line(&item));
        self.buffered += 1;
        self.items += 1;
        if self.buffered >= ITEMS_PER_FILE || self.buffer.len() >= BYTES_PER_FILE {
            self.flush(desk);
        }
        if slot.on.is_some() {
            self.attached.fresh.push(Hung {
                print: Fingerprint::of(&item.id, version, &item.title),
                id: item.id.clone(),
                version,
            });
            self.attached.saved.insert(item.id.clone(), version);
            if let Some(same) = self.attached.same.remove(&item.id) {
                if let Some(container) = item.container {
                    let placed = (same.item, item.kind, container.id);
                    self.placed.push(placed);
                }
                self.own += 1;
                self.settle(same, Kept::Saved(version));
            }
        } else {
            self.settle(slot.wanted, Kept::Saved(version));
        }
    }

    fn place(&mut self, wanted: &Wanted, content: &Content) {
        if let Some(holder) = holder_of(content) {
            let placed = (wanted.item, content.kind.clone(), holder.clone());
            self.placed.push(placed);
        }
    }

    fn give_up(&mut self, slot: Slot, why: &str) {
        self.ends(slot, Kept::Not(why.to_owned()), why);
    }

    /// It is not saved.
    fn ends(&mut self, slot: Slot, kept: Kept, why: &str) {
        let same = match &slot.on {
            None => {
                if let Some(content) = &slot.content {
                    self.place(&slot.wanted, content);
                }
                // It is not in the trash by itself, or not to be had there. Where a list tells that it
                // hangs on a page, it goes with that page and is saved with it.
                match self.attached.own.remove(&slot.wanted.id) {
                    Some(Some(hung)) => self.attached.files.push_back(*hung),
                    Some(None) => {
                        self.attached.known.remove(&slot.wanted.id);
                    }
                    None => {}
                }
                Some(slot.wanted)
            }
            Some(on) => {
                self.lack_one(&slot, on, why);
                self.attached.same.remove(&slot.wanted.id)
            }
        };
        let Some(wanted) = same else {
            return;
        };
        if let Kept::Not(why) = &kept {
            self.not_saved.push(NotSaved {
                id: wanted.id.clone(),
                title: wanted.title.to_string(),
                why: why.clone(),
            });
        }
        self.settle(wanted, kept);
    }

    /// Asks for what something needs.
    fn ask(&self, desk: &mut Desk, index: usize) {
        let slot = &self.slots[index];
        let (item, id) = (slot.wanted.item, slot.wanted.id.clone());
        let (step, call) = match slot.need {
            Need::Content => {
                let is_trashed = slot.wanted.status == ContentStatus::Trashed;
                let status = is_trashed.then_some(ContentStatus::Trashed);
                let expand = match slot.on {
                    Some(_) => attached::EXPAND,
                    None => backup::EXPAND,
                };
                let expand = expand.to_owned();
                (Step::Fetch, Call::Content { id, status, expand })
            }
            Need::Attachments(_) => {
                let (expand, window) = (attached::EXPAND.to_owned(), slot.list.window());
                let call = Call::Attachments { id, expand, window };
                (Step::FetchAttachments, call)
            }
            Need::Comments(_) => {
                let (expand, window) = (attached::EXPAND.to_owned(), slot.list.window());
                let call = Call::Comments { id, expand, window };
                (Step::FetchComments, call)
            }
            Need::File => {
                let content = slot.content.as_ref();
                let more = content.and_then(|content| content.more.as_deref());
                let call = Call::Download {
                    path: more
                        .and_then(|more| more.download.clone())
                        .unwrap_or_default(),
                    into: LocalFile {
                        backup: self.folder.clone(),
                        name: content.map(file_name).unwrap_or_default(),
                    },
                    size: more.and_then(|more| more.file_size),
                    job: desk.head().id.to_string(),
                    resume: slot.resume.clone(),
                };
                (Step::FetchFile, call)
            }
        };
        desk.read(item, step, call);
    }
}

/// What hangs on what is wanted.
impl Save {
    /// A page of the list of files of an item.
    fn files_told(&mut self, desk: &mut Desk, index: usize, page: Page<Content>) {
        let slot = &mut self.slots[index];
        let named = slot.told.files.as_ref();
        let (rows, read) = slot.list.take(page, |list| {
            named.is_some_and(|all| all.iter().all(|file| list.knows(&file.id)))
        });
        slot.files.extend(rows);
        let holder = Holder::of(&slot.wanted);
        for twin in slot.list.take_twins() {
            self.lack_twin(&holder, &twin);
        }
        if read != Read::More {
            let slot = self.slots.remove(index);
            self.files_end(desk, slot, Listed::of(read));
        }
    }

    /// As much is known of the files of an item as will be: it is written down, and they are wanted.
    fn files_end(&mut self, desk: &mut Desk, mut slot: Slot, listed: Listed) {
        let holder = Holder::of(&slot.wanted);
        let rows = std::mem::take(&mut slot.files);
        let mut entries: Vec<AttachmentEntry> = rows.iter().map(attached::entry).collect();
        let named = slot.told.files.take();
        let ids = named.as_ref().map(|all| all.iter().map(|file| &file.id));
        let listed = listed.borne_out_by(ids);
        let is_known = listed == Listed::Whole;
        for file in rows {
            self.hang(desk, &holder, file);
        }
        for file in named.into_iter().flatten() {
            if entries
                .iter()
                .any(|it| it.id == file.id && it.title != file.title)
            {
                let size = file.file_size.unwrap_or(0);
                let kind = ContentKind::Attachment;
                self.lack_named_twin(&holder, &kind, &file.id, &file.title, size);
            } else if entries.iter().all(|it| it.id != file.id) {
                let status = slot.wanted.status;
                self.want_alone(
                    &holder,
                    ContentKind::Attachment,
                    &file.id,
                    &file.title,
                    status,
                );
                entries.push(file.into());
            }
        }
        self.lack_list(&holder, ContentKind::Attachment, listed);
        let told = std::mem::take(&mut slot.told);
        let wanted = slot.wanted.clone();
        if self.attached.scan.is_some() {
            self.attached.holders.insert(holder.id.clone(), holder);
        }
        if let Some(content) = slot.content.take() {
            let is_told = is_known || !entries.is_empty();
            self.put(desk, slot, content, is_told.then_some(entries), None);
        }
        if told.has_comments == Some(false) {
            return;
        }
        if self.attached.scan.is_some() {
            self.attached.waits.push((wanted, told));
        } else {
            self.read_comments(wanted, told);
        }
    }

    fn read_comments(&mut self, wanted: Wanted, told: Told) {
        self.slots.push(Slot {
            told,
            ..Slot::new(wanted, Need::Comments(0))
        });
    }

    /// A page of the list of comments on an item.
    fn comments_told(&mut self, desk: &mut Desk, index: usize, page: Page<Content>) {
        let slot = &mut self.slots[index];
        let told = &slot.told;
        let (rows, read) = slot
            .list
            .take(page, |list| told.comments_are_in(|id| list.knows(id)));
        let holder = Holder::of(&slot.wanted);
        let twins = slot.list.take_twins();
        let ended = (read != Read::More).then(|| self.slots.remove(index));
        for twin in twins {
            self.lack_twin(&holder, &twin);
        }
        for row in rows {
            self.hang(desk, &holder, row);
        }
        if let Some(slot) = ended {
            self.comments_end(&slot, Listed::of(read));
            self.want_above();
        }
    }

    /// As much is known of the comments on an item as will be.
    fn comments_end(&mut self, slot: &Slot, listed: Listed) {
        let holder = Holder::of(&slot.wanted);
        let named = slot.told.comments.clone().unwrap_or_default();
        for id in named.iter().filter(|id| !slot.list.knows(id)) {
            let title = format!("Re: {}", slot.wanted.title);
            self.want_alone(
                &holder,
                ContentKind::Comment,
                id,
                &title,
                ContentStatus::Current,
            );
        }
        self.lack_list(&holder, ContentKind::Comment, listed);
    }

    /// Something that hangs on an item: how it is asked for by itself, unless it is known already.
    fn hung(
        &mut self,
        on: &Holder,
        kind: ContentKind,
        id: &ContentId,
        title: &str,
        status: ContentStatus,
    ) -> Option<Slot> {
        let is_new = self.attached.known.insert(id);
        let own = self.attached.own.get(id);
        if !is_new && !own.is_some_and(Option::is_none) {
            return None;
        }
        let wanted = Wanted {
            item: self.attached.number(),
            id: id.clone(),
            kind,
            title: title.into(),
            status,
        };
        let slot = Slot {
            on: Some(on.clone()),
            ..Slot::new(wanted, Need::Content)
        };
        if is_new {
            return Some(slot);
        }
        self.attached.own.insert(id.clone(), Some(Box::new(slot)));
        None
    }

    /// The same, as a list tells of it.
    fn hang(&mut self, desk: &mut Desk, on: &Holder, row: Content) {
        if self.attached.is_twin(on.item, &row) {
            self.lack_twin(on, &row);
            return;
        }
        let status = row.status.unwrap_or(ContentStatus::Current);
        if row.kind == ContentKind::Comment {
            let above = row.ancestors.iter().flatten().map(|it| &it.id);
            let above = above.filter(|id| **id != on.id && !self.attached.known.contains(id));
            let above: Vec<_> = above.map(|id| (on.clone(), id.clone())).collect();
            self.attached.above.extend(above);
        }
        let Some(slot) = self.hung(on, row.kind.clone(), &row.id, &row.title, status) else {
            return;
        };
        let slot = Slot {
            is_from_list: true,
            ..slot
        };
        if !attached::is_whole(&row) {
            self.attached.files.push_back(Slot {
                is_from_list: false,
                content: Some(row),
                ..slot
            });
        } else if row.kind == ContentKind::Attachment {
            self.want_file(slot, attached::placed(row, on));
        } else {
            self.put(desk, slot, attached::placed(row, on), None, None);
        }
    }

    /// The file of an attachment that is known otherwise.
    fn want_file(&mut self, mut slot: Slot, content: Content) {
        let size = content.more.as_deref().and_then(|more| more.file_size);
        let room = &mut self.attached.room;
        // A server may say any number.
        room.told = room.told.saturating_sub(slot.counted);
        room.told = room.told.saturating_add(size.unwrap_or(0));
        slot.counted = size.unwrap_or(0);
        slot.need = Need::File;
        slot.content = Some(content);
        self.attached.files.push_back(slot);
    }

    /// The same where no list of its own tells of it.
    fn want_alone(
        &mut self,
        on: &Holder,
        kind: ContentKind,
        id: &ContentId,
        title: &str,
        status: ContentStatus,
    ) {
        let slot = self.hung(on, kind, id, title, status);
        self.attached.files.extend(slot);
    }

    /// Asks for the next page of the comments, or of the files, of the space.
    fn scan(&self, desk: &mut Desk) {
        if let Some(scan) = &self.attached.scan
            && !desk.is_busy(SCAN)
        {
            let call = Call::Scan {
                key: scan.space.clone(),
                of: Scanned::Any,
                kind: Some(scan.kind.clone()),
                cursor: scan.cursor.clone(),
                expand: attached::EXPAND.to_owned(),
                limit: attached::ROWS,
            };
            desk.try_read(SCAN, Step::FetchComments, call);
        }
    }

    fn scanned(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let Some(mut scan) = self.attached.scan.take() else {
            return;
        };
        let is_had = answer.is_ok();
        if let Ok(Reply::Scan(page)) = answer {
            let asked = std::mem::replace(&mut scan.cursor, page.next);
            let is_more = scan.cursor.is_some() && scan.cursor != asked;
            let before = self.attached.known.len();
            for row in page.results.into_iter().filter(|row| row.kind == scan.kind) {
                if let Some(on) = self.holder(&row) {
                    self.hang(desk, &on, row);
                }
            }
            // One that tells nothing of the type, or the same for ever, is no help.
            if is_more && self.attached.known.len() > before {
                self.attached.scan = Some(scan);
                return;
            }
        }
        if scan.kind == ContentKind::Comment {
            if is_had {
                self.attached.scan = Some(Scan {
                    kind: ContentKind::Attachment,
                    cursor: None,
                    ..scan
                });
            }
            self.comments_scanned();
        }
    }

    /// Whose comments the scan does not bear out is asked for them by itself.
    fn comments_scanned(&mut self) {
        for (wanted, told) in std::mem::take(&mut self.attached.waits) {
            let attached = &self.attached;
            if !told.comments_are_in(|id| attached.is_on(wanted.item, id)) {
                self.read_comments(wanted, told);
            }
        }
        self.want_above();
    }

    /// The comments that others answer and no list told of.
    fn want_above(&mut self) {
        for (on, id) in std::mem::take(&mut self.attached.above) {
            let title = format!("Re: {}", on.title);
            self.want_alone(
                &on,
                ContentKind::Comment,
                &id,
                &title,
                ContentStatus::Current,
            );
        }
    }

    /// The item that a comment or a file is on.
    fn holder(&self, row: &Content) -> Option<Holder> {
        let container = row.more.as_deref()?.container.as_ref()?;
        self.attached.holders.get(&container.id).cloned()
    }

    /// Whether files wait until all of them are known.
    fn files_wait(&self) -> bool {
        let is_open = |slot: &Slot| {
            slot.on.is_none() && matches!(slot.need, Need::Content | Need::Attachments(_))
        };
        self.attached.files_last
            && (self.supply == Supply::Coming
                || self.attached.scan.is_some()
                || !self.todo.is_empty()
                || self.slots.iter().any(is_open))
    }

    /// The next file to be fetched, once there is room for all that were told of.
    fn next_file(&mut self, desk: &mut Desk) -> Option<Slot> {
        if self.attached.files.is_empty() || self.files_wait() || !self.has_room(desk) {
            return None;
        }
        self.attached.files.pop_front()
    }

    /// Whether files may come to the disk. It is asked where that is not known.
    fn has_room(&mut self, desk: &mut Desk) -> bool {
        let room = &mut self.attached.room;
        if room.folder == Folder::Not {
            room.folder = Folder::Asked;
            desk.store(JobWrite::MakeFolder {
                backup: self.folder.clone(),
            });
        }
        if room.told > room.granted && room.asked.is_none() {
            room.asked = Some(room.told);
            desk.store(JobWrite::CheckRoom {
                backup: self.folder.clone(),
                bytes: room.told.saturating_sub(room.arrived),
            });
        }
        room.folder == Folder::Made && room.told <= room.granted
    }

    /// A file, or a part of it, has come to the disk.
    fn has_come(&mut self, desk: &mut Desk, index: usize, now: Downloaded) {
        let slot = &mut self.slots[index];
        let Some(sha256) = now.sha256.and_then(|sum| Digest::try_from(sum).ok()) else {
            slot.barren = if now.bytes > slot.arrived {
                0
            } else {
                slot.barren + 1
            };
            slot.arrived = now.bytes;
            slot.resume = now.resume;
            if slot.barren >= BARREN {
                let slot = self.slots.remove(index);
                self.give_up(slot, NOT_WHOLE);
            }
            return;
        };
        let more = slot.content.as_ref().and_then(|it| it.more.as_deref());
        let size = more.and_then(|more| more.file_size);
        if size.is_some_and(|size| size != now.bytes) {
            if slot.is_from_list {
                Self::ask_itself(slot);
            } else {
                let slot = self.slots.remove(index);
                self.give_up(slot, NOT_WHOLE);
            }
            return;
        }
        let mut slot = self.slots.remove(index);
        let Some(content) = slot.content.take() else {
            return;
        };
        let more = content.more.as_deref();
        let file = SavedFile {
            name: file_name(&content),
            media_type: more.and_then(|more| more.media_type.clone()),
            size: Some(now.bytes),
            comment: more.and_then(|more| more.file_note.clone()),
        };
        let room = &mut self.attached.room;
        room.arrived = room.arrived.saturating_add(slot.counted);
        self.files.push(FileEntry {
            name: file.name.clone(),
            sha256,
            bytes: now.bytes,
            items: 0,
        });
        self.put(desk, slot, content, None, Some(file));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::ServerText;
    use crate::confluence::{ContentMore, ContentRef, Person, SpaceKey, Version};
    use crate::jobs::listing::is_whole;

    fn whole(kind: ContentKind) -> Content {
        Content {
            id: ContentId::new("1"),
            kind,
            status: Some(ContentStatus::Trashed),
            title: ServerText::new("Old"),
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

    #[test]
    fn sizes_that_no_disk_has_are_added_up_all_the_same() {
        let mut save = Save::streamed("backup".to_owned());
        for id in ["1", "2"] {
            let mut file = whole(ContentKind::Attachment);
            file.id = ContentId::new(id);
            if let Some(more) = &mut file.more {
                more.file_size = Some(u64::MAX - 1);
            }
            let wanted = Wanted {
                item: 0,
                id: file.id.clone(),
                kind: file.kind.clone(),
                title: "Old".into(),
                status: ContentStatus::Trashed,
            };
            save.want_file(Slot::new(wanted, Need::Content), file);
        }
        assert_eq!(save.attached.room.told, u64::MAX);
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
