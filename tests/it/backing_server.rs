//! A model of a server that can write spaces out and read them in by jobs of its own, and that takes
//! comments and files. What it has in common with others is the model of the simulation.
//!
//! It remembers when somebody else changed something, and when it was last asked for that: what is changed
//! between the last look and a deletion is the one exception that the product names.

use std::collections::BTreeMap;

use coracle::confluence::*;
use coracle::jobs::backup::Digest;
use coracle::jobs::zip_checked::{Expected, Held, ZipChecked, ZipFound};
use coracle::jobs::{StoreError, Stored};

use crate::simulation::{Disk, Doc, Room, Server, fail, hangs, missing};

/// The name of the server's file in a backup, and of what has come of it.
const ZIP: &str = "space.zip";
const PART: &str = "space.zip.part";

/// How a job of the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finishes,
    Fails,
    /// It never does.
    Stands,
    /// An administrator gives it up.
    IsCancelled,
    HasNoFile,
    /// The server tells of a job about another space.
    OfAnother,
    /// Its file is of another space.
    FileOfAnother,
    NoZip,
    /// Its file is of an earlier time.
    Older,
    /// A comment, a file or something of the trash is not in its file.
    LeavesOut,
    /// Its file is laid out in a way that is not known.
    Unreadable,
    /// The server says nothing of it any more.
    Vanishes,
    LosesFile,
    /// It calls itself finished, and half of it is there.
    Half,
    /// It calls itself finished, and nothing is there.
    Nothing,
}

/// What the server does when it is told to give a job up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obeys {
    Yes,
    /// It says so and goes on.
    SaysSo,
    Refuses,
}

/// A job of the server's own.
#[derive(Clone, Debug)]
pub(crate) struct ServerJob {
    pub(crate) operation: JobOperation,
    pub(crate) key: String,
    /// What its file is called.
    pub(crate) file: String,
    pub(crate) owner: String,
    pub(crate) state: BackupState,
    /// So many looks until it moves.
    left: u64,
    ending: Ending,
    /// The file that it writes or reads.
    zip: Option<usize>,
    is_told: bool,
}

/// A space as the server wrote it out.
#[derive(Clone, Debug)]
pub(crate) struct Zip {
    pub(crate) key: String,
    room: Room,
    pub(crate) docs: BTreeMap<String, Doc>,
    is_readable: bool,
    is_zip: bool,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) jobs: BTreeMap<u64, ServerJob>,
    pub(crate) zips: Vec<Zip>,
    /// How its jobs end.
    pub(crate) ending: Ending,
    pub(crate) obeys: Obeys,
    /// What it says to those who ask for a backup, or for a space to be read in.
    pub(crate) refusal: Option<(ErrorKind, u16)>,
    /// So often a download is cut.
    pub(crate) cuts: u64,
    /// Whether the rows of pages tell what hangs on them.
    pub(crate) rows_tell: bool,
    /// The page whose comments it does not list.
    pub(crate) untold: Option<String>,
    /// Whether it takes comments at the foot of a page alone.
    pub(crate) foot_only: bool,
    /// After so many writes to a page its restrictions are gone, once.
    pub(crate) drops_after: Option<u64>,
    /// The pages that lost their restrictions so.
    pub(crate) dropped: Vec<String>,
    /// The number of what happened last.
    pub(crate) now: u64,
    /// When others changed something, or put it into the trash.
    pub(crate) touched: BTreeMap<String, u64>,
    /// When they changed what is in it.
    pub(crate) edited: BTreeMap<String, u64>,
    /// When what is in a space was last listed from the beginning, by type and whether it is in the trash.
    passes: BTreeMap<(bool, ContentKind), u64>,
    /// The same with what hangs on pages, and page by page.
    with_hung: Option<u64>,
    on: BTreeMap<(String, ContentKind), u64>,
}

impl Site {
    pub(crate) fn of(server: Server) -> Self {
        Self {
            server,
            jobs: BTreeMap::new(),
            zips: Vec::new(),
            ending: Ending::Finishes,
            obeys: Obeys::Yes,
            refusal: None,
            cuts: 0,
            rows_tell: true,
            untold: None,
            foot_only: false,
            drops_after: None,
            dropped: Vec::new(),
            now: 0,
            touched: BTreeMap::new(),
            edited: BTreeMap::new(),
            passes: BTreeMap::new(),
            with_hung: None,
            on: BTreeMap::new(),
        }
    }

    /// Answers a call; a write that is answered `Ok` has been applied.
    pub(crate) fn serve(&mut self, call: &Call, disk: &mut Disk) -> Result<Reply, ApiError> {
        self.watch(call);
        match call {
            Call::BackUpSpace { key, prefix } => self.back_up(key, prefix),
            Call::UploadBackup { from } => self.upload(from, disk),
            Call::BackupJobs { key, operation, .. } => Ok(self.jobs_about(key, *operation)),
            Call::BackupJob { id } => {
                self.work(*id);
                let job = self.jobs.get(id).filter(|job| job.is_told);
                let job = job.ok_or_else(|| fail(ErrorKind::Forbidden, 403))?;
                Ok(Reply::BackupJob(Box::new(Self::tell(*id, job))))
            }
            Call::CancelBackupJob { id } => self.cancel(*id),
            Call::DownloadBackup { id, into, resume } => {
                self.download(*id, into, resume.as_ref(), disk)
            }
            Call::CreateComment {
                on,
                kind,
                parent,
                remark,
                storage,
            } => {
                if remark.is_some() && self.foot_only {
                    return Err(fail(ErrorKind::Invalid, 400));
                }
                self.comment(on, kind, parent.as_ref(), storage)
            }
            Call::AttachFile {
                id, title, from, ..
            } => self.attach(id, title, from, disk),
            Call::Comments { id, .. } if self.untold.as_deref() == Some(id.as_str()) => {
                Err(fail(ErrorKind::Forbidden, 403))
            }
            Call::SpaceContentOfKind { expand, .. } if expand.contains("children.comment") => {
                let mut answer = self.server.serve(call)?;
                if let (true, Reply::Contents(page)) = (self.rows_tell, &mut answer) {
                    page.results.iter_mut().for_each(|row| self.tell_of(row));
                }
                Ok(answer)
            }
            Call::ReplaceBody { id, .. } | Call::AddLabels { id, .. } => {
                let answer = self.server.serve(call)?;
                self.drop_restrictions(id.as_str());
                Ok(answer)
            }
            _ => self.server.serve(call),
        }
    }

    // Jobs.

    fn begin(&mut self, job: ServerJob) -> Reply {
        let id = self.jobs.keys().last().unwrap_or(&6) + 1;
        let told = Self::tell(id, &job);
        self.jobs.insert(id, job);
        Reply::BackupJob(Box::new(told))
    }

    /// Somebody else has the space written out at this moment.
    pub(crate) fn is_busy_for(&mut self, owner: &str) {
        self.begin(ServerJob {
            operation: JobOperation::Backup,
            key: "ENG".into(),
            file: "nightly.zip".into(),
            owner: owner.into(),
            state: BackupState::Processing,
            left: 1_000_000,
            ending: Ending::Stands,
            zip: None,
            is_told: true,
        });
    }

    fn back_up(&mut self, key: &SpaceKey, prefix: &str) -> Result<Reply, ApiError> {
        if let Some((why, status)) = &self.refusal {
            return Err(fail(why.clone(), *status));
        }
        if !self.server.rooms.contains_key(key.as_str()) {
            return Err(missing());
        }
        let mut jobs = self.jobs.values();
        if jobs.any(|job| job.key == key.as_str() && !job.state.is_over()) {
            return Err(fail(ErrorKind::Conflict, 409));
        }
        Ok(self.begin(ServerJob {
            operation: JobOperation::Backup,
            key: key.to_string(),
            file: format!("{prefix}.zip"),
            owner: self.server.user.clone(),
            state: BackupState::Queued,
            left: self.jobs.len() as u64 % 2,
            ending: self.ending,
            zip: None,
            is_told: true,
        }))
    }

    fn upload(&mut self, from: &LocalFile, disk: &Disk) -> Result<Reply, ApiError> {
        if let Some((why, status)) = &self.refusal {
            return Err(fail(why.clone(), *status));
        }
        let file = disk.files.get(&(from.backup.clone(), from.name.clone()));
        let file = file.ok_or_else(|| fail(ErrorKind::Storage, 0))?;
        let Some((number, zip)) = self.zip_in(file) else {
            return Err(fail(ErrorKind::Invalid, 400));
        };
        let key = zip.key.clone();
        if self.server.rooms.contains_key(&key) {
            return Err(fail(ErrorKind::Conflict, 409));
        }
        Ok(self.begin(ServerJob {
            operation: JobOperation::Restore,
            key,
            file: from.name.clone(),
            owner: self.server.user.clone(),
            state: BackupState::Queued,
            left: self.jobs.len() as u64 % 2,
            ending: self.ending,
            zip: Some(number),
            is_told: true,
        }))
    }

    fn jobs_about(&self, key: &SpaceKey, of: JobOperation) -> Reply {
        let jobs = self
            .jobs
            .iter()
            .filter(|(_, job)| job.is_told && job.key == key.as_str() && job.operation == of);
        let jobs = jobs.rev().map(|(id, job)| Self::tell(*id, job));
        Reply::BackupJobs(jobs.collect())
    }

    fn tell(id: u64, job: &ServerJob) -> BackupJob {
        let is_begun = job.state != BackupState::Queued;
        let key = if job.ending == Ending::OfAnother && is_begun {
            "HR"
        } else {
            &job.key
        };
        BackupJob {
            id,
            operation: Some(job.operation),
            state: Some(job.state),
            error: None,
            owner: Some(job.owner.clone()),
            file: Some(job.file.clone()),
            has_file: (job.state == BackupState::Finished)
                .then_some(job.ending != Ending::HasNoFile),
            spaces: vec![SpaceKey::new(key)],
            total: None,
            processed: None,
            skipped: None,
        }
    }

    fn cancel(&mut self, id: u64) -> Result<Reply, ApiError> {
        let obeys = self.obeys;
        let job = self.jobs.get_mut(&id).ok_or_else(missing)?;
        if job.state.is_over() {
            return Err(fail(ErrorKind::Invalid, 400));
        }
        match obeys {
            Obeys::Refuses => return Err(fail(ErrorKind::Forbidden, 403)),
            Obeys::SaysSo => {}
            Obeys::Yes => {
                job.state = BackupState::Cancelling;
                job.left = id % 2;
            }
        }
        Ok(Reply::BackupJob(Box::new(Self::tell(id, &self.jobs[&id]))))
    }

    /// A job goes on by one step.
    fn work(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if job.left > 0 {
            job.left -= 1;
            return;
        }
        match job.state {
            BackupState::Queued => {
                job.state = BackupState::Processing;
                job.left = id % 3;
                if job.operation == JobOperation::Backup {
                    let (key, ending) = (job.key.clone(), job.ending);
                    let zip = self.write_out(&key, ending);
                    self.zips.push(zip);
                    let number = self.zips.len() - 1;
                    self.jobs.entry(id).and_modify(|job| job.zip = Some(number));
                }
            }
            BackupState::Processing => self.end(id),
            BackupState::Cancelling => job.state = BackupState::Cancelled,
            _ => {}
        }
    }

    fn end(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.state = match job.ending {
            Ending::Stands => return,
            Ending::Fails => BackupState::Failed,
            Ending::IsCancelled => BackupState::Cancelled,
            _ => BackupState::Finished,
        };
        job.is_told = job.ending != Ending::Vanishes;
        let job = job.clone();
        let zip = job.zip.and_then(|number| self.zips.get(number)).cloned();
        let is_read_in = job.operation == JobOperation::Restore
            && job.state == BackupState::Finished
            && job.ending != Ending::Nothing;
        let Some(zip) = zip.filter(|_| is_read_in) else {
            return;
        };
        if self.server.rooms.contains_key(&zip.key) {
            self.jobs
                .entry(id)
                .and_modify(|job| job.state = BackupState::Failed);
            return;
        }
        self.server.rooms.insert(zip.key.clone(), zip.room.clone());
        let half = job.ending == Ending::Half;
        let all = zip.docs.iter().enumerate();
        let read = all.filter(|(at, _)| !half || at % 2 == 0);
        let read = read.map(|(_, (id, doc))| (id.clone(), doc.clone()));
        self.server.docs.extend(read);
    }

    /// A space as it is now, as a job of this ending writes it out.
    pub(crate) fn write_out(&self, key: &str, ending: Ending) -> Zip {
        let key = if matches!(ending, Ending::OfAnother | Ending::FileOfAnother) {
            "HR"
        } else {
            key
        };
        let docs = self.server.docs.iter().filter(|(_, doc)| doc.space == key);
        let mut docs: BTreeMap<String, Doc> =
            docs.map(|(id, doc)| (id.clone(), doc.clone())).collect();
        if ending == Ending::Older {
            for doc in docs.values_mut().filter(|doc| !hangs(&doc.kind)) {
                doc.version -= 1;
            }
        }
        if ending == Ending::LeavesOut {
            let lesser = |doc: &Doc| hangs(&doc.kind) || doc.status == ContentStatus::Trashed;
            let found = docs.iter().find(|(_, doc)| lesser(doc));
            if let Some(id) = found.map(|(id, _)| id.clone()) {
                docs.remove(&id);
            }
        }
        let room = self.server.rooms.get(key).cloned();
        Zip {
            key: key.to_owned(),
            room: room.unwrap_or_else(|| Room::named(key)),
            docs,
            is_readable: ending != Ending::Unreadable,
            is_zip: ending != Ending::NoZip,
        }
    }

    // Files.

    /// What is in a zip, as bytes that name it.
    pub(crate) fn bytes_of(number: usize) -> Vec<u8> {
        format!("zip {number} {} end", "x".repeat(40)).into_bytes()
    }

    /// The zip that a file is, if it is whole.
    pub(crate) fn zip_in(&self, bytes: &[u8]) -> Option<(usize, &Zip)> {
        let text = std::str::from_utf8(bytes).ok()?;
        let number: usize = text.strip_prefix("zip ")?.split(' ').next()?.parse().ok()?;
        let zip = self.zips.get(number).filter(|zip| zip.is_zip)?;
        (Self::bytes_of(number) == bytes).then_some((number, zip))
    }

    fn download(
        &mut self,
        id: u64,
        into: &LocalFile,
        resume: Option<&Resume>,
        disk: &mut Disk,
    ) -> Result<Reply, ApiError> {
        let job = self.jobs.get(&id).ok_or_else(missing)?;
        let number = job.zip.filter(|_| job.ending != Ending::LosesFile);
        let all = Self::bytes_of(number.ok_or_else(missing)?);
        let part = (into.backup.clone(), PART.to_owned());
        let there = disk.files.get(&part).filter(|_| resume.is_some());
        let there = there.map_or(0, Vec::len).min(all.len());
        let is_cut = self.cuts > 0;
        self.cuts -= u64::from(is_cut);
        let to = if is_cut {
            there + (all.len() - there) / 2
        } else {
            all.len()
        };
        let mut now = Downloaded {
            bytes: to as u64,
            total: Some(all.len() as u64),
            resume: Some(Resume {
                tag: None,
                total: all.len() as u64,
            }),
            sha256: None,
        };
        if to < all.len() {
            disk.files.insert(part, all[..to].to_vec());
        } else {
            now.sha256 = Some(Digest::of(&all).to_string());
            disk.files.remove(&part);
            disk.files
                .insert((into.backup.clone(), ZIP.to_owned()), all);
        }
        Ok(Reply::Downloaded(now))
    }

    /// What the disk finds in a file that the server made.
    pub(crate) fn check_zip(
        &self,
        bytes: Option<&Vec<u8>>,
        sha256: Digest,
        space: &SpaceKey,
        expected: &[Expected],
    ) -> Result<Stored, StoreError> {
        let wrong = |why: &str| StoreError {
            message: why.to_owned(),
        };
        let bytes = bytes.ok_or_else(|| wrong("The file is gone."))?;
        if Digest::of(bytes) != sha256 {
            return Err(wrong("The file is not what arrived."));
        }
        let (_, zip) = self.zip_in(bytes).ok_or_else(|| wrong("It is no zip."))?;
        if zip.key != space.as_str() {
            return Err(wrong("The file of the server is of another space."));
        }
        let mut held = Held {
            is_known: zip.is_readable || expected.is_empty(),
            ..Held::default()
        };
        for Expected { id, version, .. } in expected.iter().filter(|_| zip.is_readable) {
            match zip.docs.get(id.as_str()) {
                None => held.missing.push(id.clone()),
                Some(doc) if version.is_some_and(|it| doc.version < it) => {
                    held.older.push(id.clone());
                }
                Some(_) => {}
            }
        }
        let files = zip.docs.values();
        let files = files.filter(|doc| doc.kind == ContentKind::Attachment);
        let found = ZipFound {
            bytes: bytes.len() as u64,
            files: files.count() as u64,
        };
        Ok(Stored::Zip(ZipChecked { found, held }))
    }

    // What hangs on pages.

    /// The page or blog post that a comment or a file is on.
    pub(crate) fn page_of(&self, id: &str) -> Option<String> {
        let mut at = self.server.docs.get(id)?.parent.clone()?;
        while let Some(doc) = self.server.docs.get(&at)
            && hangs(&doc.kind)
        {
            at = doc.parent.clone()?;
        }
        Some(at)
    }

    /// What hangs on a page and is not in the trash by itself.
    pub(crate) fn hanging(&self, page: &str, kind: &ContentKind) -> Vec<(&String, &Doc)> {
        let docs = self.server.docs.iter();
        let is_it = |(id, doc): &(&String, &Doc)| {
            doc.kind == *kind
                && doc.status == ContentStatus::Current
                && self.page_of(id).as_deref() == Some(page)
        };
        docs.filter(is_it).collect()
    }

    fn tell_of(&self, row: &mut Content) {
        let files = self.hanging(row.id.as_str(), &ContentKind::Attachment);
        let files = files.into_iter().map(|(id, doc)| AttachmentRef {
            id: ContentId::new(id),
            title: ServerText::new(&doc.title),
            version: Some(doc.version),
            file_size: Some(doc.storage.len() as u64),
            media_type: None,
        });
        let more = row.more.get_or_insert_default();
        more.attachments = Some(files.collect());
        if self.untold.as_deref() == Some(row.id.as_str()) {
            return;
        }
        let comments = self.hanging(row.id.as_str(), &ContentKind::Comment);
        more.has_comments = Some(!comments.is_empty());
        let comments = comments.into_iter().map(|(id, doc)| CommentRef {
            id: ContentId::new(id),
            version: Some(doc.version),
        });
        more.comments = Some(comments.collect());
    }

    fn is_current(&self, id: &str, kind: &ContentKind) -> bool {
        let doc = self.server.docs.get(id);
        doc.is_some_and(|doc| doc.kind == *kind && doc.status == ContentStatus::Current)
    }

    fn comment(
        &mut self,
        on: &ContentId,
        kind: &ContentKind,
        parent: Option<&ContentId>,
        storage: &str,
    ) -> Result<Reply, ApiError> {
        if !self.is_current(on.as_str(), kind) {
            return Err(missing());
        }
        if let Some(parent) = parent
            && (!self.is_current(parent.as_str(), &ContentKind::Comment)
                || self.page_of(parent.as_str()).as_deref() != Some(on.as_str()))
        {
            return Err(fail(ErrorKind::Invalid, 400));
        }
        let above = parent.unwrap_or(on).to_string();
        Ok(self.hang(on, above, ContentKind::Comment, "Re: it", storage))
    }

    fn attach(
        &mut self,
        page: &ContentId,
        title: &str,
        from: &LocalFile,
        disk: &Disk,
    ) -> Result<Reply, ApiError> {
        let file = disk.files.get(&(from.backup.clone(), from.name.clone()));
        let file = file.ok_or_else(|| fail(ErrorKind::Storage, 0))?;
        let text = String::from_utf8_lossy(file).into_owned();
        let doc = self.server.docs.get(page.as_str()).ok_or_else(missing)?;
        if doc.status != ContentStatus::Current {
            return Err(missing());
        }
        let there = self.hanging(page.as_str(), &ContentKind::Attachment);
        if there.iter().any(|(_, doc)| doc.title == title) {
            return Err(fail(ErrorKind::Invalid, 400));
        }
        let above = page.to_string();
        Ok(self.hang(page, above, ContentKind::Attachment, title, &text))
    }

    fn hang(
        &mut self,
        page: &ContentId,
        above: String,
        kind: ContentKind,
        title: &str,
        storage: &str,
    ) -> Reply {
        self.server.next += 1;
        let id = format!("n{:04}", self.server.next);
        let doc = Doc {
            space: self.server.docs[page.as_str()].space.clone(),
            kind,
            title: title.to_owned(),
            version: 1,
            status: ContentStatus::Current,
            parent: Some(above),
            storage: storage.to_owned(),
            labels: Vec::new(),
            restrictions: Vec::new(),
            by: self.server.user.clone(),
        };
        self.server.docs.insert(id.clone(), doc);
        self.drop_restrictions(page.as_str());
        Reply::Content(Box::new(self.server.content(&id)))
    }

    /// With a write, the restrictions of a page go.
    fn drop_restrictions(&mut self, page: &str) {
        let Some(left) = self.drops_after else {
            return;
        };
        let doc = self.server.docs.get_mut(page);
        let Some(doc) = doc.filter(|doc| !doc.restrictions.is_empty()) else {
            return;
        };
        self.drops_after = left.checked_sub(1);
        if left == 0 {
            doc.restrictions.clear();
            self.dropped.push(page.to_owned());
        }
    }

    // What is looked at.

    fn watch(&mut self, call: &Call) {
        match call {
            Call::SpaceContentOfKind {
                kind,
                window,
                expand,
                ..
            } if window.start == 0 => {
                self.passes.insert((false, kind.clone()), self.now);
                let has_hung = expand.contains("children.comment") && self.rows_tell;
                if has_hung && *kind == ContentKind::Page {
                    self.with_hung = Some(self.now);
                }
            }
            Call::Trash { cursor: None, .. } => {
                for kind in [
                    ContentKind::Page,
                    ContentKind::BlogPost,
                    ContentKind::Attachment,
                    ContentKind::Comment,
                ] {
                    self.passes.insert((true, kind), self.now);
                }
            }
            Call::TrashedContent { kind, window, .. } if window.start == 0 => {
                self.passes.insert((true, kind.clone()), self.now);
            }
            Call::Comments { id, window, .. } if window.start == 0 => {
                let at = (id.to_string(), ContentKind::Comment);
                self.on.insert(at, self.now);
            }
            Call::Attachments { id, window, .. } if window.start == 0 => {
                let at = (id.to_string(), ContentKind::Attachment);
                self.on.insert(at, self.now);
            }
            _ => {}
        }
    }

    /// Whether others changed something after it was last looked at.
    pub(crate) fn is_late(&self, id: &str) -> bool {
        let Some(doc) = self.server.docs.get(id) else {
            return true;
        };
        let touched = self.touched.get(id).copied().unwrap_or(0);
        if touched == 0 {
            return false;
        }
        let is_trashed = doc.status == ContentStatus::Trashed;
        let page = self.page_of(id).filter(|_| hangs(&doc.kind) && !is_trashed);
        let Some(page) = page else {
            let pass = self.passes.get(&(is_trashed, doc.kind.clone()));
            return touched >= pass.copied().unwrap_or(u64::MAX);
        };
        let asked = self.on.get(&(page.clone(), doc.kind.clone())).copied();
        let is_there = self.server.docs.get(&page);
        let is_there = is_there.is_some_and(|doc| doc.status == ContentStatus::Current);
        // Rows tell what hangs on pages that are in no trash.
        let rows = self.with_hung.filter(|_| is_there);
        // What nobody ever looked at is no exception.
        let looked = asked.max(rows).unwrap_or(u64::MAX);
        self.is_late(&page) || touched >= looked
    }
}
