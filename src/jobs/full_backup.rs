//! Spaces written out by the server itself, downloaded and checked: with history, permissions and all
//! that apps store, which nothing but the server can read.
//!
//! [`ServerCopy`] makes one, for this machine and for others. What is in the space is listed first, so
//! that it is known later what the file has to hold. Each step is on the disk before the next is taken,
//! and a job of the server is found again by the beginning of the name of its file: whatever interrupts
//! this, it goes on where it was. A copy that is given up is given up on the server too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backup::{
    self, Digest, FORMAT, FileEntry, Item, MANIFEST, Manifest, ServerFile, VERSION,
};
use super::complete::{Care, Prover, Scope};
use super::consent::SpaceTarget;
use super::desk::{Again, Desk, Fate, Settled, WHOLE, is_not_offered, refusal, unexpected};
use super::effect::{JobWrite, StoreError, Stored};
use super::head::Head;
use super::line::Outcome;
use super::listing::may_hold;
use super::listing::{Rows, Seen};
use super::machine::Machine;
use super::on_pages::OnPages;
use super::server_job::{Followed, Follower, Told, patience};
use super::step::Step;
use super::zip_checked::{Bytes, Expected, Held, ZipFound};
use crate::confluence::{
    ApiError, BackupJob, BackupState, Call, ContentId, ContentKind, ContentStatus, Downloaded,
    ErrorKind, JobOperation, LocalFile, Reply, Resume, Version,
};
use crate::text::number;

/// The name of the server's file in a backup.
pub const ZIP: &str = "space.zip";
/// What the names of files begin with that list what was in the space.
pub const LISTING: &str = "listing-";
/// So many rows of what is in the space are in one file.
const ROWS_PER_FILE: usize = 1_000;
/// So many jobs of the server are looked through for ours.
const JOBS: u64 = 25;
/// How often a write that was certainly not applied is sent.
const TRIES: u8 = 4;
/// How often a download may bring nothing new before it is given up.
const BARREN: u8 = 4;
/// How often the end of a cancelled job of the server is looked for.
const LOOKS: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Yes,
    No,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The folder is made and held.
    Folder(Asked),
    /// What is in the space is listed.
    Listing,
    /// The files in it are counted.
    Counting,
    /// The list is read back, the file of this number next.
    ReadingList(usize, Asked),
    /// The server is asked, or is to be.
    Ready,
    /// Whether it was asked is not known.
    Settling,
    /// Another job about this space is under way: whose?
    Busy,
    /// The server's job of this number is at work.
    Following(u64),
    /// It is being given up; whether the server was asked to.
    Cancelling(u64, Asked),
    /// Its file comes to the disk.
    Downloading(u64),
    /// The file is looked through.
    Checking(u64, Asked),
    /// The manifest is being written.
    Manifest,
    /// It is read back.
    ReadingBack(Asked),
    Verified,
    /// It was not made, for this reason.
    Broken(Why),
}

/// Why a copy was not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Why {
    /// The server would not, could not, or did not.
    Failed(String),
    /// It could not be learned what became of it.
    Unknown(String),
    /// It was given up on purpose.
    Cancelled(String),
}

impl Why {
    pub(super) fn told(&self) -> &str {
        match self {
            Self::Failed(why) | Self::Unknown(why) | Self::Cancelled(why) => why,
        }
    }
}

/// One space, written out by the server and kept here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ServerCopy {
    space: SpaceTarget,
    folder: String,
    stage: Stage,
    /// The files with what is in the space.
    lists: Vec<FileEntry>,
    pages: u64,
    posts: u64,
    trashed: u64,
    listed: u64,
    attached: Option<u64>,
    /// What of the server's file is there, and what to go on with.
    arrived: u64,
    resume: Option<Resume>,
    sha256: Option<Digest>,
    zip: Option<ZipFound>,
    manifest: Option<FileEntry>,
    /// The number of the server's job.
    job: u64,
    #[serde(default)]
    made_for: MadeFor,
    /// What was listed, with its version: the file is held against it, and later the space.
    known: Option<BTreeMap<ContentId, Option<u64>>>,
    /// What of that is no current page or blog post.
    #[serde(default)]
    lesser: BTreeSet<ContentId>,
    /// Which of it are attached files, and how long each is, where told.
    #[serde(default)]
    sizes: BTreeMap<ContentId, Option<u64>>,
    /// How many attached files there are in it without their bytes.
    #[serde(default)]
    hollow: u64,
    /// What was listed and is not in the file, or not as it was.
    #[serde(default)]
    absent: BTreeSet<ContentId>,
    /// Whether the space is deleted afterwards.
    #[serde(default)]
    is_before_deletion: bool,
    /// What the file was found to lack of it.
    #[serde(default)]
    lacks: Lacks,
    #[serde(default)]
    hung: Hung,
    /// How often it was asked for, or brought nothing new.
    tries: u8,
    /// How many objects the server says that it left out.
    #[serde(default)]
    skipped: u64,
    #[serde(skip)]
    follower: Follower,
    // An earlier run's time means nothing in this one.
    #[serde(skip)]
    next_at: u64,
    #[serde(skip)]
    listing: Option<Prover>,
    #[serde(skip)]
    rows: Vec<Seen>,
    #[serde(skip)]
    files: Option<OnPages>,
    /// The current pages and blog posts among the rows.
    #[serde(skip)]
    pages_listed: Vec<(ContentId, Arc<str>)>,
}

/// Who was signed in when a copy was begun. Its manifest names that user whoever goes on with it: one that
/// is written again after an interruption is the same to the byte, and what is saved is never replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum MadeFor {
    /// This user, where known.
    User(Option<String>),
    /// It was begun by an older program, which did not keep that.
    #[default]
    NotKept,
}

/// What a file lacks of what is no current page or blog post: without those it is no backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Lacks {
    /// So much.
    Items(u64),
    /// It cannot be seen.
    #[default]
    NotKnown,
}

/// Of how many pages it is not known what hung on them before the server was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hung {
    /// It was not listed.
    #[default]
    NotListed,
    /// It was, but for that of so many pages.
    Listed {
        /// How many.
        unread: u64,
    },
}

impl ServerCopy {
    /// A copy of `space` in this folder, which must be new.
    pub(super) fn new(desk: &Desk, space: SpaceTarget, folder: String) -> Self {
        Self {
            space,
            folder,
            stage: Stage::Folder(Asked::No),
            lists: Vec::new(),
            pages: 0,
            posts: 0,
            trashed: 0,
            listed: 0,
            attached: None,
            arrived: 0,
            resume: None,
            sha256: None,
            zip: None,
            manifest: None,
            job: 0,
            made_for: MadeFor::User(signed_in(desk)),
            known: Some(BTreeMap::new()),
            lesser: BTreeSet::new(),
            sizes: BTreeMap::new(),
            hollow: 0,
            absent: BTreeSet::new(),
            is_before_deletion: false,
            lacks: Lacks::NotKnown,
            hung: Hung::NotListed,
            tries: 0,
            skipped: 0,
            follower: Follower::default(),
            next_at: 0,
            listing: None,
            rows: Vec::new(),
            files: None,
            pages_listed: Vec::new(),
        }
    }

    /// The same for a space that is deleted afterwards: what is in it is listed in two ways, with what
    /// hangs on it, and remembered.
    pub(super) fn before_deletion(desk: &Desk, space: SpaceTarget, folder: String) -> Self {
        Self {
            is_before_deletion: true,
            ..Self::new(desk, space, folder)
        }
    }

    /// Whether this was in the space, in this version, when it was listed.
    pub(super) fn knows(&self, id: &ContentId, version: Option<u64>) -> bool {
        let known = self.known.as_ref().and_then(|known| known.get(id));
        version.is_some() && known == Some(&version)
    }

    /// Whether this was there, and it was not told in which version, now or then.
    pub(super) fn cannot_tell(&self, id: &ContentId, version: Option<u64>) -> bool {
        let known = self.known.as_ref().and_then(|known| known.get(id));
        known.is_some_and(|known| known.is_none() || version.is_none())
    }

    /// Whether this was a current page or blog post when it was listed. What hung on it then is known; what
    /// was added until it went into a trash is not.
    pub(super) fn had_it_current(&self, id: &ContentId) -> bool {
        let is_known = self.known.as_ref().is_some_and(|it| it.contains_key(id));
        is_known && !self.lesser.contains(id)
    }

    /// Whether the file was found not to hold this, or its bytes.
    pub(super) fn lacks(&self, id: &ContentId) -> bool {
        self.absent.contains(id)
    }

    /// Whether what hangs on the pages was listed before the server was asked.
    pub(super) fn hung(&self) -> Hung {
        self.hung
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// Whether it is there, whole, read back and of the space.
    pub(super) fn is_verified(&self) -> bool {
        self.stage == Stage::Verified
    }

    /// Why it was not made.
    pub(super) fn broken(&self) -> Option<&Why> {
        match &self.stage {
            Stage::Broken(why) => Some(why),
            _ => None,
        }
    }

    /// Whether the server was not asked yet. What was begun of it is begun anew under another name.
    pub(super) fn is_before_asking(&self) -> bool {
        matches!(
            self.stage,
            Stage::Folder(_) | Stage::Listing | Stage::Counting | Stage::ReadingList(..)
        )
    }

    /// What is done already, in words, for whoever goes on with it.
    pub(super) fn done_so_far(&self) -> Option<String> {
        let told = match self.stage {
            Stage::Following(_) | Stage::Busy | Stage::Settling => {
                "The server was asked to write it out already, and is not asked again."
            }
            Stage::Cancelling(..) => "The server was told to give its backup up.",
            Stage::Downloading(_) => {
                "The server has written it out already: its file is downloaded from where it was."
            }
            Stage::Checking(..) | Stage::Manifest | Stage::ReadingBack(_) | Stage::Verified => {
                "The server's backup is here already: it is looked through once more."
            }
            Stage::Folder(_)
            | Stage::Listing
            | Stage::Counting
            | Stage::ReadingList(..)
            | Stage::Ready
            | Stage::Broken(_) => return None,
        };
        Some(told.to_owned())
    }

    /// What is in it, in words.
    pub(super) fn in_words(&self) -> String {
        let mut parts = vec![
            number::count(self.pages, "page"),
            number::count(self.posts, "blog post"),
        ];
        if self.trashed > 0 {
            parts.push(format!("{} in the trash", number::grouped(self.trashed)));
        }
        if let Some(zip) = self.zip {
            parts.push(number::count(zip.files, "file"));
            parts.push(number::bytes(zip.bytes));
        }
        parts.join(", ")
    }

    /// What makes it doubtful that all of the space is in it, in words.
    pub(super) fn doubt(&self) -> Option<String> {
        let mut doubts = Vec::new();
        if self.skipped > 0 {
            let objects = number::count(self.skipped, "object");
            doubts.push(format!(
                "The server left out {objects}, and does not say which."
            ));
        }
        if self.lacks == Lacks::NotKnown {
            doubts.push(
                "Whether all that was listed is in the file of the server cannot be seen: it is laid out in a way that is not known here."
                    .to_owned(),
            );
        }
        (!doubts.is_empty()).then(|| doubts.join(" "))
    }

    /// What the file lacks, in words.
    fn lacking(&self) -> Option<String> {
        if self.hollow > 0 {
            let files = number::count(self.hollow, "file");
            return Some(format!("It lacks the contents of {files}."));
        }
        match self.lacks {
            Lacks::Items(0) | Lacks::NotKnown => None,
            Lacks::Items(items) => Some(format!(
                "It lacks {} of its trash, comments and files.",
                number::count(items, "item")
            )),
        }
    }

    /// What the name of the server's file begins with.
    fn prefix(&self) -> String {
        format!("coracle-{}", self.folder)
    }

    fn fail(&mut self, why: impl Into<String>) {
        self.stage = Stage::Broken(Why::Failed(why.into()));
    }

    /// Asks for what can be asked now.
    pub(super) fn go(&mut self, desk: &mut Desk, item: u32) {
        if desk.is_stopping() {
            self.give_up(desk, item);
            return;
        }
        match self.stage.clone() {
            Stage::Folder(Asked::No) => {
                self.stage = Stage::Folder(Asked::Yes);
                desk.store(JobWrite::MakeFolder {
                    backup: self.folder.clone(),
                });
            }
            Stage::Listing => self.list(desk),
            Stage::Counting => self.count(desk, item),
            Stage::ReadingList(index, Asked::No) if desk.is_stored() => {
                self.read_list(desk, index);
            }
            Stage::Ready if !desk.is_busy(item) => {
                self.say(desk, "asking the server to write it out");
                let call = Call::BackUpSpace {
                    key: self.space.key.clone(),
                    prefix: self.prefix(),
                };
                desk.write(item, Step::BackUpSpace, call, "no copy of this job");
            }
            Stage::Settling | Stage::Busy if !desk.is_busy(item) => {
                let call = Call::BackupJobs {
                    key: self.space.key.clone(),
                    operation: JobOperation::Backup,
                    limit: JOBS,
                };
                desk.read(item, Step::Settle, call);
            }
            Stage::Following(id) if !desk.is_busy(item) => self.follower.ask(desk, item, id),
            Stage::Cancelling(id, asked) if !desk.is_busy(item) => {
                self.cancel(desk, item, id, asked);
            }
            Stage::Downloading(id) if !desk.is_busy(item) => {
                let call = Call::DownloadBackup {
                    id,
                    into: LocalFile {
                        backup: self.folder.clone(),
                        name: ZIP.to_owned(),
                    },
                    resume: self.resume.clone(),
                };
                desk.read(item, Step::Download, call);
            }
            Stage::Checking(id, Asked::No) => self.check(desk, id),
            Stage::Manifest if desk.is_stored() => self.stage = Stage::ReadingBack(Asked::No),
            _ => {}
        }
        if self.stage == Stage::ReadingBack(Asked::No) {
            self.stage = Stage::ReadingBack(Asked::Yes);
            desk.store(JobWrite::ReadBack {
                backup: self.folder.clone(),
                name: MANIFEST.to_owned(),
            });
        }
    }

    /// The job of the server is given up too, if it is still at work.
    fn give_up(&mut self, desk: &mut Desk, item: u32) {
        if desk.is_busy(item) {
            self.say(desk, "given up as soon as the server answers");
            return;
        }
        match self.stage {
            Stage::Settling => {
                let call = Call::BackupJobs {
                    key: self.space.key.clone(),
                    operation: JobOperation::Backup,
                    limit: JOBS,
                };
                desk.read(item, Step::Settle, call);
            }
            // Without a sign-in nothing more is sent.
            Stage::Following(id) if !desk.is_halted() => {
                self.tries = 0;
                self.cancel(desk, item, id, Asked::No);
            }
            Stage::Following(_) => {
                let why = "The server may still be writing it out.";
                desk.settle(item, Step::BackUpSpace, Settled::Unknown(why));
                self.stage = Stage::Broken(Why::Unknown(why.to_owned()));
            }
            Stage::Cancelling(id, asked) => self.cancel(desk, item, id, asked),
            _ => {}
        }
    }

    /// Gives the server's job up, or looks whether that is done.
    fn cancel(&mut self, desk: &mut Desk, item: u32, id: u64, asked: Asked) {
        if asked == Asked::Yes {
            let at = self.next_at.max(desk.at());
            desk.read_at(item, Step::Settle, Call::BackupJob { id }, at);
            return;
        }
        self.stage = Stage::Cancelling(id, Asked::No);
        let made = id.to_string();
        desk.settle(item, Step::BackUpSpace, Settled::Made(&made));
        let call = Call::CancelBackupJob { id };
        desk.write(item, Step::CancelBackup, call, "under way");
    }

    // What is in the space.

    fn list(&mut self, desk: &mut Desk) {
        let key = self.space.key.clone();
        let care = if self.is_before_deletion {
            Care::Always
        } else {
            Care::InDoubt
        };
        let listing = self
            .listing
            .get_or_insert_with(|| Prover::new(key, Scope::Everything, Rows::Bare, care));
        if !desk.is_busy(WHOLE) {
            listing.ask(desk, WHOLE);
        }
        let so_far = number::count(listing.len() as u64, "item");
        self.say(desk, &format!("listing what is in it, {so_far} so far"));
    }

    fn listed(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let Some(listing) = &mut self.listing else {
            return;
        };
        if let Err(error) = listing.take(answer) {
            self.listing = None;
            self.fail(format!(
                "What is in it could not be listed. {}",
                refusal(error)
            ));
            return;
        }
        for seen in listing.take_seen() {
            match (seen.status, &seen.kind) {
                (ContentStatus::Trashed, _) => self.trashed += 1,
                (_, ContentKind::Page) => self.pages += 1,
                (_, ContentKind::BlogPost) => self.posts += 1,
                _ => {}
            }
            self.listed += 1;
            if let Some(known) = &mut self.known {
                known.insert(seen.id.clone(), seen.version);
                if may_hold(&seen) {
                    let title = seen.title.shown().into();
                    self.pages_listed.push((seen.id.clone(), title));
                } else {
                    self.lesser.insert(seen.id.clone());
                }
            }
            self.rows.push(seen);
        }
        let is_over = listing.is_over();
        while self.rows.len() >= ROWS_PER_FILE || is_over && !self.rows.is_empty() {
            self.write_rows(desk);
        }
        if is_over {
            self.listing = None;
            self.stage = Stage::Counting;
        }
    }

    /// Counts the files, to hold a restored space against; before a deletion the comments are listed
    /// too. It is done without where a server does not tell of them.
    fn count(&mut self, desk: &mut Desk, item: u32) {
        let key = self.space.key.clone();
        let pages = std::mem::take(&mut self.pages_listed);
        let is_before_deletion = self.is_before_deletion;
        let files = self.files.get_or_insert_with(|| {
            if is_before_deletion {
                OnPages::all(key, pages)
            } else {
                OnPages::files(key)
            }
        });
        if files.is_over() {
            self.attached = (files.unread() == 0).then(|| files.count());
            self.hung = Hung::Listed {
                unread: files.unread(),
            };
            self.counted(desk, item);
        } else if !desk.is_busy(WHOLE) {
            files.ask(desk);
            let what = if is_before_deletion {
                let pages = number::count(files.len() as u64, "page");
                format!("listing the files and comments, {pages} so far")
            } else {
                "counting the files in it".to_owned()
            };
            self.say(desk, &what);
        }
    }

    /// A page of what hangs on pages has come.
    fn count_read(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        let Some(files) = &mut self.files else {
            return;
        };
        let taken = files.take(answer);
        for found in files.take_found() {
            if let Some(known) = self.known.as_mut().filter(|_| found.hangs.is_some()) {
                self.lesser.insert(found.id.clone());
                if matches!(found.hangs, Some((ContentKind::Attachment, _))) {
                    self.sizes.insert(found.id.clone(), found.size);
                }
                known.insert(found.id, found.version);
            }
        }
        if taken.is_err() {
            self.counted(desk, item);
        }
    }

    fn counted(&mut self, desk: &mut Desk, item: u32) {
        self.files = None;
        self.stage = Stage::ReadingList(0, Asked::No);
        self.go(desk, item);
    }

    fn write_rows(&mut self, desk: &mut Desk) {
        let most = self.rows.len().min(ROWS_PER_FILE);
        let rows: Vec<Seen> = self.rows.drain(..most).collect();
        let count = rows.len() as u64;
        let lines: String = rows
            .into_iter()
            .map(|row| backup::line(&self.item(row)))
            .collect();
        let bytes = backup::pack(&lines);
        let name = format!("{LISTING}{:04}.ndjson.gz", self.lists.len() + 1);
        self.lists.push(FileEntry::of(&name, &bytes, count));
        desk.store(JobWrite::BackupFile {
            backup: self.folder.clone(),
            name,
            bytes: bytes.into(),
        });
    }

    fn item(&self, row: Seen) -> Item {
        Item {
            title: row.title,
            id: row.id,
            kind: row.kind,
            status: row.status,
            space: Some(self.space.key.clone()),
            version: row.version.map(|number| Version {
                number: Some(number),
                ..Version::default()
            }),
            ancestors: None,
            position: None,
            created_by: None,
            created: None,
            labels: None,
            restrictions: None,
            restrictions_complete: false,
            attachments: None,
            container: None,
            file: None,
            remark: None,
            storage: None,
        }
    }

    fn read_list(&mut self, desk: &mut Desk, index: usize) {
        let Some(file) = self.lists.get(index) else {
            self.stage = Stage::Ready;
            // The server's file is found again by a name that is on the disk.
            desk.checkpoint();
            return;
        };
        self.stage = Stage::ReadingList(index, Asked::Yes);
        desk.store(JobWrite::ReadBack {
            backup: self.folder.clone(),
            name: file.name.clone(),
        });
    }

    // The server's job.

    /// It is known how a request to the server went, or that this is not known.
    pub(super) fn wrote(&mut self, desk: &mut Desk, step: Step, fate: Fate) {
        if step == Step::CancelBackup {
            self.cancel_went(desk, fate);
            return;
        }
        let is_further = !matches!(self.stage, Stage::Ready | Stage::Settling | Stage::Busy);
        match fate {
            // The stored stage knows more than that it was asked.
            _ if is_further => {}
            Fate::Accepted { made, .. } | Fate::Applied { made } => {
                match made.and_then(|id| id.parse().ok()) {
                    Some(id) => self.follow(desk, id),
                    None => self.stage = Stage::Settling,
                }
            }
            Fate::InDoubt(_) => self.stage = Stage::Settling,
            Fate::NotApplied(_) => self.stage = Stage::Ready,
            Fate::Refused(error) if error.kind == ErrorKind::Conflict => self.stage = Stage::Busy,
            Fate::Refused(error) => self.fail(refused(error)),
            Fate::NeverKnown(why) => self.stage = Stage::Broken(Why::Unknown(why)),
        }
    }

    fn follow(&mut self, desk: &mut Desk, id: u64) {
        self.stage = Stage::Following(id);
        self.job = id;
        self.follower.begin(desk);
        desk.checkpoint();
    }

    fn cancel_went(&mut self, desk: &mut Desk, fate: Fate) {
        self.next_at = desk.at();
        let (Stage::Following(id) | Stage::Cancelling(id, _)) = self.stage else {
            return;
        };
        self.stage = match fate {
            Fate::Refused(error) => Stage::Broken(Why::Cancelled(format!(
                "The server would not give up its job {id}. {}",
                refusal(error)
            ))),
            Fate::NotApplied(_) => Stage::Cancelling(id, Asked::No),
            _ => Stage::Cancelling(id, Asked::Yes),
        };
    }

    /// A read was answered.
    pub(super) fn read(
        &mut self,
        desk: &mut Desk,
        item: u32,
        step: Step,
        answer: Result<Reply, ApiError>,
    ) {
        match (self.stage.clone(), answer) {
            (Stage::Listing, answer) => self.listed(desk, answer),
            (Stage::Counting, answer) => self.count_read(desk, item, answer),
            (Stage::Settling, answer) => self.settled(desk, item, answer),
            (Stage::Busy, answer) => self.busy(desk, answer),
            (Stage::Following(id), answer) => self.polled(desk, item, id, answer),
            (Stage::Cancelling(id, _), answer) => self.ended(desk, item, id, answer),
            (Stage::Downloading(id), answer) if step == Step::Download => {
                self.downloaded(desk, id, answer);
            }
            _ => {}
        }
    }

    /// Which of the jobs about this space is ours.
    fn ours<'a>(&self, jobs: &'a [BackupJob]) -> Option<&'a BackupJob> {
        let prefix = self.prefix();
        let is_backup = |job: &&BackupJob| job.operation != Some(JobOperation::Restore);
        jobs.iter().filter(is_backup).find(|job| job.is_of(&prefix))
    }

    /// Was the server asked at all?
    fn settled(&mut self, desk: &mut Desk, item: u32, answer: Result<Reply, ApiError>) {
        match answer {
            Ok(Reply::BackupJobs(jobs)) => {
                if let Some(job) = self.ours(&jobs) {
                    self.follow(desk, job.id);
                    return;
                }
                if desk.looks_again(item, Step::BackUpSpace) {
                    return;
                }
                let state = "the server has no such job";
                let (why, again) = desk.not_applied(item, Step::BackUpSpace, state);
                self.tries += 1;
                if again == Again::Yes && self.tries < TRIES {
                    self.stage = Stage::Ready;
                } else {
                    self.fail(why);
                }
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(item, Step::BackUpSpace, &error);
                self.stage = Stage::Broken(Why::Unknown(why));
            }
        }
    }

    /// The server writes the space out already: for whom?
    fn busy(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let jobs = match answer {
            Ok(Reply::BackupJobs(jobs)) => jobs,
            _ => Vec::new(),
        };
        if let Some(job) = self.ours(&jobs) {
            self.follow(desk, job.id);
            return;
        }
        let other = jobs.iter().find(|job| !job.is_over());
        let whose = other.and_then(|job| job.owner.as_deref());
        self.fail(format!(
            "Another backup of this space is under way on the server{}. Wait until it has ended, then begin again.",
            whose.map_or_else(String::new, |owner| format!(", asked for by {owner}"))
        ));
    }

    fn followed(&self, id: u64) -> Followed<'_> {
        Followed {
            id,
            key: &self.space.key,
            operation: JobOperation::Backup,
        }
    }

    fn polled(&mut self, desk: &mut Desk, item: u32, id: u64, answer: Result<Reply, ApiError>) {
        let mut follower = std::mem::take(&mut self.follower);
        let told = follower.take(desk, self.followed(id), "writes it out", answer);
        self.follower = follower;
        if !matches!(told, Told::Nothing(_)) {
            desk.settle(item, Step::BackUpSpace, Settled::Made(&id.to_string()));
        }
        match told {
            Told::Nothing(why) => {
                desk.settle(item, Step::BackUpSpace, Settled::Unknown(&why));
                self.stage = Stage::Broken(Why::Unknown(why));
            }
            Told::Finished(job) if job.has_file == Some(false) => {
                self.fail(format!(
                    "The server ended its job {id}, and has no file of it."
                ));
            }
            Told::Finished(job) => {
                self.skipped = job.skipped.unwrap_or(0);
                self.stage = Stage::Downloading(id);
                self.tries = 0;
                desk.part(0);
                self.say(desk, "downloading");
                desk.checkpoint();
            }
            Told::Failed(why) => {
                self.fail(format!(
                    "The server could not write it out (its job {id}). {}.",
                    why.trim_end_matches('.')
                ));
            }
            Told::Cancelled => {
                self.fail(format!("Its job {id} was cancelled on the server."));
            }
            Told::Stalled => {
                self.tries = 0;
                self.cancel(desk, item, id, Asked::No);
            }
            Told::Working(what) => self.say(desk, &what),
        }
    }

    /// A job that was given up: is it over?
    fn ended(&mut self, desk: &mut Desk, item: u32, id: u64, answer: Result<Reply, ApiError>) {
        let step = Step::CancelBackup;
        let why = match answer {
            Ok(Reply::BackupJob(job)) if self.followed(id).differs_from(&job).is_some() => {
                let why = self.followed(id).differs_from(&job).unwrap_or_default();
                desk.settle(item, step, Settled::Unknown(&why));
                why
            }
            Ok(Reply::BackupJob(job)) => match job.state {
                Some(BackupState::Cancelled) => {
                    desk.settle(item, step, Settled::Done);
                    format!("The server's job {id} was cancelled too.")
                }
                Some(BackupState::Finished | BackupState::Failed) => {
                    let why = "It had ended before.";
                    desk.settle(item, step, Settled::NotApplied(why));
                    format!("The server's job {id} had ended before.")
                }
                state => {
                    self.tries += 1;
                    self.next_at = desk.at() + u64::from(self.tries.min(5)) * 1_000;
                    let is_lost = desk.is_in_doubt(item, step) && !desk.is_accepted(item, step);
                    if is_lost && state != Some(BackupState::Cancelling) {
                        if desk.looks_again(item, step) {
                            return;
                        }
                        let goes_on = format!("the server's job {id} goes on");
                        let (why, _) = desk.not_applied(item, step, &goes_on);
                        if self.tries < LOOKS {
                            self.stage = Stage::Cancelling(id, Asked::No);
                            return;
                        }
                        why
                    } else if self.tries < LOOKS {
                        return;
                    } else {
                        let why = format!("The server's job {id} is still at work.");
                        desk.settle(item, step, Settled::Unknown(&why));
                        why
                    }
                }
            },
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                desk.unconfirmed(item, step, &error)
            }
        };
        self.stage = Stage::Broken(if desk.is_stopping() {
            Why::Cancelled(why)
        } else {
            Why::Failed(format!(
                "The server's job had not moved for {}, so it was given up. {why}",
                patience()
            ))
        });
    }

    fn downloaded(&mut self, desk: &mut Desk, id: u64, answer: Result<Reply, ApiError>) {
        let now = match answer {
            Ok(Reply::Downloaded(now)) => now,
            Err(error) if error.kind == ErrorKind::Storage => {
                desk.trouble(format!("{} {}", error.message, error.hint()));
                return;
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = if is_not_offered(&error) {
                    format!(
                        "The server has no file of its job {id} for this user. To download it takes a site administrator, or the right to export this space."
                    )
                } else {
                    format!("Its file could not be downloaded. {}", refusal(error))
                };
                self.fail(why);
                return;
            }
        };
        let Downloaded {
            bytes,
            total,
            resume,
            sha256,
        } = now;
        self.tries = if bytes > self.arrived {
            0
        } else {
            self.tries + 1
        };
        self.arrived = bytes;
        self.resume = resume;
        if let Some(sum) = sha256 {
            let Ok(sum) = Digest::try_from(sum) else {
                self.fail(unexpected().message);
                return;
            };
            self.sha256 = Some(sum);
            self.stage = Stage::Checking(id, Asked::No);
        } else if self.tries >= BARREN {
            self.fail("Its file changed again and again while it was downloaded.");
            return;
        } else {
            self.say(desk, "downloading");
            if let Some(total) = total {
                desk.moved(bytes, total);
            }
        }
        desk.checkpoint();
    }

    // What has arrived.

    fn check(&mut self, desk: &mut Desk, id: u64) {
        let Some(sha256) = self.sha256 else {
            self.stage = Stage::Downloading(id);
            return;
        };
        self.stage = Stage::Checking(id, Asked::Yes);
        self.say(desk, "checking that the file is whole");
        desk.store(JobWrite::CheckZip {
            backup: self.folder.clone(),
            name: ZIP.to_owned(),
            sha256,
            space: self.space.key.clone(),
            expected: self.expected(),
        });
    }

    /// What has to be in the file.
    fn expected(&self) -> Vec<Expected> {
        let known = self.known.iter().flatten();
        known
            .map(|(id, version)| Expected {
                id: id.clone(),
                version: *version,
                bytes: self
                    .sizes
                    .get(id)
                    .map_or(Bytes::None, |size| Bytes::File(*size)),
            })
            .collect()
    }

    /// The file is whole: does it hold what was listed? One without pages that are there is of another
    /// time. What else it lacks does not count as backed up.
    fn hold_against_the_list(&mut self, held: Held) -> Result<(), String> {
        let is_page = |id: &&ContentId| !self.lesser.contains(*id);
        let missing = held.missing.iter().filter(is_page).count() as u64;
        let older = held.older.iter().filter(is_page).count() as u64;
        if missing + older > 0 {
            let all = number::grouped(self.pages + self.posts);
            let mut what = Vec::new();
            if missing > 0 {
                what.push(format!(
                    "lacks {} of the {all} pages and blog posts in it",
                    number::grouped(missing)
                ));
            }
            if older > 0 {
                what.push(format!(
                    "has {} in an older version",
                    number::grouped(older)
                ));
            }
            return Err(format!(
                "The file of the server is no backup of what is in the space: it {}. It may be of an earlier time.",
                what.join(" and ")
            ));
        }
        self.hollow = held.hollow.len() as u64;
        let lacking = held.missing.iter().chain(&held.older).chain(&held.hollow);
        for id in lacking.clone() {
            if let Some(known) = &mut self.known {
                known.remove(id);
            }
            self.absent.insert(id.clone());
        }
        self.lacks = if held.is_known {
            Lacks::Items(lacking.count() as u64)
        } else {
            Lacks::NotKnown
        };
        Ok(())
    }

    fn write_manifest(&mut self, desk: &mut Desk, id: u64, sha256: Digest, zip: ZipFound) {
        self.zip = Some(zip);
        // Where they were not listed one by one, their number tells.
        let without_bytes = self.attached.unwrap_or(0).saturating_sub(zip.files);
        self.hollow = self.hollow.max(without_bytes);
        let head = desk.head();
        let mut files = vec![FileEntry {
            name: ZIP.to_owned(),
            sha256,
            bytes: zip.bytes,
            items: 0,
        }];
        files.extend(self.lists.iter().cloned());
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: VERSION,
            job: head.id.clone(),
            act: head.target.act,
            created: head.created,
            profile: head.target.profile.clone(),
            server: head.target.server.clone(),
            user: match &self.made_for {
                MadeFor::User(user) => user.clone(),
                MadeFor::NotKept => signed_in(desk),
            },
            spaces: vec![self.space.clone()],
            items: self.listed,
            not_saved: Vec::new(),
            lacks: Vec::new(),
            files,
            server_file: Some(ServerFile {
                name: ZIP.to_owned(),
                job: id,
                pages: self.pages,
                posts: self.posts,
                trashed: self.trashed,
                files: zip.files,
                attached: self.attached,
                hollow: self.hollow,
            }),
        };
        let bytes = manifest.encode();
        self.manifest = Some(FileEntry::of(MANIFEST, &bytes, 0));
        self.stage = Stage::Manifest;
        desk.store(JobWrite::BackupFile {
            backup: self.folder.clone(),
            name: MANIFEST.to_owned(),
            bytes: bytes.into(),
        });
    }

    /// Something of the disk.
    pub(super) fn stored(
        &mut self,
        desk: &mut Desk,
        what: &JobWrite,
        answer: Result<Stored, StoreError>,
    ) {
        match (self.stage.clone(), what, answer) {
            (Stage::Folder(_), JobWrite::MakeFolder { .. }, Ok(_)) => self.stage = Stage::Listing,
            (Stage::ReadingList(index, _), JobWrite::ReadBack { name, .. }, answer) => {
                match read_back(self.lists.get(index), name, answer) {
                    Ok(()) => self.stage = Stage::ReadingList(index + 1, Asked::No),
                    Err(why) => self.fail(format!("The backup is not good. {why}")),
                }
            }
            (Stage::Checking(id, _), JobWrite::CheckZip { sha256, .. }, answer) => match answer {
                Ok(Stored::Zip(checked)) => match self.hold_against_the_list(checked.held) {
                    Ok(()) => self.write_manifest(desk, id, *sha256, checked.found),
                    Err(why) => self.fail(why),
                },
                Ok(_) => self.fail("The disk did not say what is in the file."),
                Err(problem) => self.fail(problem.message),
            },
            (Stage::ReadingBack(_), JobWrite::ReadBack { name, .. }, answer) => {
                match read_back(self.manifest.as_ref(), name, answer) {
                    Ok(()) => self.stage = Stage::Verified,
                    Err(why) => self.fail(format!("The backup is not good. {why}")),
                }
            }
            _ => {}
        }
    }

    /// It was loaded from a file: what was asked of the disk is asked again.
    pub(super) fn reopened(&mut self) {
        self.next_at = 0;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Settling) {
            Stage::Checking(id, _) => Stage::Checking(id, Asked::No),
            // The file is looked through once more: its folder lay unwatched.
            Stage::Manifest | Stage::ReadingBack(_) | Stage::Verified => {
                Stage::Checking(self.job, Asked::No)
            }
            other => other,
        };
    }

    fn say(&self, desk: &mut Desk, what: &str) {
        desk.say(format!("{}: {what}", self.space.key));
    }
}

/// Who is signed in, where known.
fn signed_in(desk: &Desk) -> Option<String> {
    let user = desk.user().map(str::to_owned);
    user.or_else(|| desk.head().user.clone())
}

fn read_back(
    file: Option<&FileEntry>,
    name: &str,
    answer: Result<Stored, StoreError>,
) -> Result<(), String> {
    match (answer, file) {
        (Ok(Stored::Bytes(bytes)), Some(file)) => {
            file.check(&bytes).map_err(|problem| problem.to_string())
        }
        (Err(problem), _) => Err(problem.message),
        _ => Err(format!("The file {name} could not be read back.")),
    }
}

/// Why the server would not write a space out.
fn refused(error: ApiError) -> String {
    if is_not_offered(&error) {
        return "This server cannot write a space out: that needs Confluence 9.0.".to_owned();
    }
    if error.kind == ErrorKind::Forbidden {
        return format!(
            "{} To have a space written out takes a site administrator, or the right to export it; an administrator may also have switched this off.",
            error.message
        );
    }
    refusal(error)
}

/// Spaces written out one after the other, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FullBackup {
    spaces: Vec<SpaceTarget>,
    round: u32,
    current: Option<(u32, ServerCopy)>,
    /// The folder of the last one that was begun.
    folder: Option<String>,
}

impl FullBackup {
    pub(super) fn new(head: &Head) -> Self {
        Self {
            spaces: head.target.spaces.clone(),
            round: 0,
            current: None,
            folder: None,
        }
    }

    pub(super) fn backup(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    fn begin(&mut self, desk: &mut Desk, item: u32) {
        self.round += 1;
        let folder = desk.backup_name(self.round);
        desk.begins_backup(item, &folder);
        self.folder = Some(folder.clone());
        let copy = ServerCopy::new(desk, self.spaces[item as usize].clone(), folder);
        self.current = Some((item, copy));
    }

    /// Closes the line of a copy that is made, or was not.
    fn end(&mut self, desk: &mut Desk) {
        let Some((item, copy)) = &self.current else {
            return;
        };
        let outcome = match copy.broken() {
            None if copy.is_verified() => {
                let mut note = copy.in_words();
                note.push_str(". Downloaded, read back and found whole.");
                for more in copy.doubt().into_iter().chain(copy.lacking()) {
                    note.push(' ');
                    note.push_str(&more);
                }
                Outcome::Done(Some(note))
            }
            None => return,
            Some(Why::Failed(why)) => Outcome::Failed(with_advice(why)),
            Some(Why::Unknown(why)) => Outcome::Unknown(with_advice(why)),
            Some(Why::Cancelled(why)) => Outcome::Skipped(format!("It was given up. {why}")),
        };
        desk.close(*item, outcome);
        let folder = copy.folder().to_owned();
        if !copy.is_verified() {
            desk.drops_backup(&folder);
        }
        desk.release(&folder);
        self.current = None;
        desk.say("");
        desk.checkpoint();
    }
}

/// Why there is no backup, and what to do where that does not say it.
fn with_advice(why: &str) -> String {
    if why.contains("begin again") {
        why.to_owned()
    } else {
        format!("{why} Nothing in the space was changed: begin again, or ask a site administrator.")
    }
}

impl Machine for FullBackup {
    fn go(&mut self, desk: &mut Desk) {
        if self.current.is_none() {
            match desk.first_open() {
                Some(item) if !desk.is_stopping() => self.begin(desk, item),
                _ => return,
            }
        }
        if let Some((item, copy)) = &mut self.current {
            copy.go(desk, *item);
        }
        self.end(desk);
        if self.current.is_none() && desk.first_open().is_some() && !desk.is_stopping() {
            self.go(desk);
        }
    }

    fn read(&mut self, desk: &mut Desk, _: u32, step: Step, answer: Result<Reply, ApiError>) {
        if let Some((item, copy)) = &mut self.current {
            copy.read(desk, *item, step, answer);
        }
    }

    fn wrote(&mut self, desk: &mut Desk, item: u32, step: Step, fate: Fate) {
        match &mut self.current {
            Some((at, copy)) if *at == item => copy.wrote(desk, step, fate),
            // The file of the job is older than its journal, or not of this job.
            _ => {
                let why = "What became of it is not in the file of the job.";
                desk.settle(item, step, Settled::Unknown(why));
            }
        }
    }

    fn stored(&mut self, desk: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if let Some((_, copy)) = &mut self.current {
            copy.stored(desk, what, answer);
        }
    }

    fn reopened(&mut self, desk: &mut Desk) {
        match &mut self.current {
            Some((_, copy)) if copy.is_before_asking() => {
                desk.drops_backup(copy.folder());
                self.current = None;
            }
            Some((_, copy)) => copy.reopened(),
            None => {}
        }
    }
}
