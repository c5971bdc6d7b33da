//! A space read in again by the server, from a file that it wrote out itself.
//!
//! The file is looked through once more before it is sent, and nothing is sent while a space with that
//! key is there. That the server calls its job finished is a claim: what is there then is counted and
//! held against what the backup knew.

use serde::{Deserialize, Serialize};

use super::backup::{FileEntry, MANIFEST, Manifest, ServerFile};
use super::consent::SpaceTarget;
use super::desk::{
    Again, Desk, Fate, Settled, WHOLE, is_not_offered, is_not_there, refusal, unexpected,
};
use super::effect::{JobWrite, StoreError, Stored};
use super::line::Outcome;
use super::listing::{Listing, Rows};
use super::machine::Machine;
use super::on_pages::OnPages;
use super::server_job::{Followed, Follower, Told, patience};
use super::step::Step;
use crate::confluence::{
    ApiError, BackupJob, Call, ContentKind, ContentStatus, ErrorKind, JobOperation, LocalFile,
    Reply,
};
use crate::text::number;

/// So many jobs of the server are looked through for ours.
const JOBS: u64 = 25;
/// How often a write that was certainly not applied is sent.
const TRIES: u8 = 4;
/// How often what is there is counted before it counts as missing.
const COUNTS: u8 = 3;

/// A space as the server wrote it out, to be read in again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceFile {
    backup: String,
    space: SpaceTarget,
    zip: FileEntry,
    known: ServerFile,
}

impl SpaceFile {
    /// The one of a backup; `None` if it is none that the server made of one space.
    pub fn of(backup: &str, manifest: &Manifest) -> Option<Self> {
        let known = manifest.server_file.clone()?;
        let [space] = manifest.spaces.as_slice() else {
            return None;
        };
        let zip = manifest.files.iter().find(|file| file.name == known.name)?;
        Some(Self {
            backup: backup.to_owned(),
            space: space.clone(),
            zip: zip.clone(),
            known,
        })
    }

    /// The space.
    pub fn space(&self) -> &SpaceTarget {
        &self.space
    }

    /// How long the file is.
    pub fn bytes(&self) -> u64 {
        self.zip.bytes
    }

    /// What has to be in the space afterwards, in words.
    pub fn in_words(&self) -> String {
        let known = Found {
            pages: self.known.pages,
            posts: self.known.posts,
            trashed: self.known.trashed,
            files: self.known.attached,
        };
        known.in_words()
    }
}

/// What is in a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    pages: u64,
    posts: u64,
    trashed: u64,
    files: Option<u64>,
}

impl Found {
    fn in_words(self) -> String {
        let mut parts = vec![
            number::count(self.pages, "page"),
            number::count(self.posts, "blog post"),
        ];
        if self.trashed > 0 {
            parts.push(format!("{} in the trash", number::grouped(self.trashed)));
        }
        if let Some(files) = self.files {
            parts.push(number::count(files, "file"));
        }
        parts.join(", ")
    }

    /// How much of each there is, and was when it was listed.
    fn beside(self, known: &ServerFile) -> [(u64, u64, &'static str); 4] {
        let files = self.files.zip(known.attached);
        [
            (self.pages, known.pages, "pages"),
            (self.posts, known.posts, "blog posts"),
            (self.trashed, known.trashed, "items in the trash"),
            files.map_or((0, 0, "files"), |(now, then)| (now, then, "files")),
        ]
    }

    /// What came back beyond what was listed before the backup, in words: the server's file has all of
    /// it, what no list had shown too.
    fn beyond(self, known: &ServerFile) -> Option<String> {
        let all = self.beside(known);
        let more = all.iter().filter(|(now, then, _)| now > then);
        let words: Vec<String> = more
            .map(|(now, then, what)| format!("{what} {}", number::grouped(now - then)))
            .collect();
        let words = words.join(", ");
        (!words.is_empty())
            .then(|| format!(" More than the lists showed before the backup: {words}."))
    }

    /// What is less than `known`, in words; empty: nothing.
    fn differs_from(self, known: &ServerFile) -> String {
        let all = self.beside(known);
        let differing = all.iter().filter(|(now, then, _)| now < then);
        let words = differing.map(|(now, then, what)| {
            format!(
                "{} of {} {what}",
                number::grouped(*now),
                number::grouped(*then)
            )
        });
        let mut words: Vec<String> = words.collect();
        if known.hollow > 0 {
            words.push(format!(
                "the contents of {} are not in the server's file",
                number::count(known.hollow, "file")
            ));
        }
        words.join(", ")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Yes,
    No,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The manifest is read, and the backup held by that.
    Manifest(Asked),
    /// The file is looked through.
    Checking(Asked),
    /// Is the key free?
    Looking,
    /// Which jobs about this space has the server had?
    Before,
    /// The file is sent, or is to be.
    Ready,
    /// Whether it was sent is not known.
    Settling,
    /// The server's job of this number is at work.
    Following(u64),
    /// It is finished: is the space there?
    There(u64),
    /// What is in it is listed.
    Listing(u64),
    /// Its files are counted.
    Counting(u64),
    /// The job is cancelled, and the server has this job of its own for the file, or none: is there a
    /// space of that key?
    Stopped(Option<u64>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ReadIn {
    file: SpaceFile,
    stage: Stage,
    /// The number of the last job before ours.
    before: u64,
    tries: u8,
    counts: u8,
    /// How many objects the server says that it left out.
    #[serde(default)]
    skipped: u64,
    #[serde(skip)]
    follower: Follower,
    #[serde(skip)]
    next_at: u64,
    #[serde(skip)]
    found: Found,
    #[serde(skip)]
    listing: Option<Listing>,
    #[serde(skip)]
    files: Option<OnPages>,
}

/// The one thing that this is about.
const ITEM: u32 = 0;

impl ReadIn {
    pub(super) fn new(file: SpaceFile) -> Self {
        Self {
            file,
            stage: Stage::Manifest(Asked::No),
            before: 0,
            tries: 0,
            counts: 0,
            skipped: 0,
            follower: Follower::default(),
            next_at: 0,
            found: Found::default(),
            listing: None,
            files: None,
        }
    }

    /// The backup that it reads from.
    pub(super) fn reads_from(&self) -> &str {
        &self.file.backup
    }

    fn end(&mut self, desk: &mut Desk, outcome: Outcome) {
        desk.close(ITEM, outcome);
        let backup = self.file.backup.clone();
        desk.release(&backup);
        desk.say("");
        desk.checkpoint();
    }

    fn fail(&mut self, desk: &mut Desk, why: impl Into<String>) {
        self.end(desk, Outcome::Failed(why.into()));
    }

    fn say(&self, desk: &mut Desk, what: &str) {
        desk.say(format!("{}: {what}", self.file.space.key));
    }

    fn jobs(&self) -> Call {
        Call::BackupJobs {
            key: self.file.space.key.clone(),
            operation: JobOperation::Restore,
            limit: JOBS,
        }
    }

    fn space(&self) -> Call {
        Call::Space {
            key: self.file.space.key.clone(),
            expand: String::new(),
        }
    }

    fn follow(&mut self, desk: &mut Desk, id: u64) {
        self.stage = Stage::Following(id);
        self.follower.begin(desk);
        desk.checkpoint();
    }

    /// Is the key free? Only "not there" says so.
    fn looked(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let key = self.file.space.key.clone();
        match answer {
            Ok(_) => {
                let why = format!(
                    "There is a space with the key {key} already. A space is restored only where there is none of its key. Nothing was sent."
                );
                self.fail(desk, why);
            }
            Err(error) if is_not_there(&error) => self.stage = Stage::Before,
            Err(error) => self.fail(desk, format!("{} Nothing was sent.", refusal(error))),
        }
    }

    /// Which jobs were there before ours, so that ours is known.
    fn listed_before(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        match answer {
            Ok(Reply::BackupJobs(jobs)) => {
                if let Some(other) = jobs.iter().find(|job| self.is_ours(job) && !job.is_over()) {
                    let why = format!(
                        "The server reads this space in already, by its job {}. Nothing was sent.",
                        other.id
                    );
                    self.fail(desk, why);
                    return;
                }
                let ids = jobs.iter().map(|job| job.id);
                self.before = ids.max().unwrap_or(0).max(self.before);
                self.stage = Stage::Ready;
                desk.checkpoint();
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                self.fail(desk, refused(error));
            }
        }
    }

    fn is_ours(&self, job: &BackupJob) -> bool {
        job.id > self.before && job.operation != Some(JobOperation::Backup)
    }

    /// Did the file arrive?
    fn settled(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        match answer {
            Ok(Reply::BackupJobs(jobs)) => {
                if let Some(job) = jobs.iter().find(|job| self.is_ours(job)) {
                    self.follow(desk, job.id);
                    return;
                }
                if desk.looks_again(ITEM, Step::Upload) {
                    return;
                }
                if desk.is_stopping() {
                    self.stage = Stage::Stopped(None);
                    return;
                }
                let state = "the server has no such job";
                let (why, again) = desk.not_applied(ITEM, Step::Upload, state);
                self.tries += 1;
                if again == Again::Yes && self.tries < TRIES {
                    // Time has passed: the key is looked at once more.
                    self.stage = Stage::Looking;
                } else {
                    self.fail(desk, why);
                }
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(ITEM, Step::Upload, &error);
                self.end(desk, Outcome::Unknown(why));
            }
        }
    }

    fn polled(&mut self, desk: &mut Desk, id: u64, answer: Result<Reply, ApiError>) {
        let mut follower = std::mem::take(&mut self.follower);
        let of = Followed {
            id,
            key: &self.file.space.key,
            operation: JobOperation::Restore,
        };
        let told = follower.take(desk, of, "reads it in", answer);
        self.follower = follower;
        if !matches!(told, Told::Nothing(_)) {
            let made = id.to_string();
            desk.settle(ITEM, Step::Upload, Settled::Made(&made));
        }
        match told {
            Told::Nothing(why) => {
                desk.settle(ITEM, Step::Upload, Settled::Unknown(&why));
                self.end(desk, Outcome::Unknown(why));
            }
            Told::Finished(job) => {
                self.skipped = job.skipped.unwrap_or(0);
                self.stage = Stage::There(id);
                self.counts = 0;
                self.next_at = desk.at();
                desk.checkpoint();
            }
            Told::Failed(why) => {
                self.fail(
                    desk,
                    format!("The server could not read it in (its job {id}). {why}."),
                );
            }
            Told::Cancelled => {
                self.fail(desk, format!("Its job {id} was cancelled on the server."));
            }
            Told::Stalled => {
                let why = format!(
                    "The server's job {id} has not moved for {}. It may still be at it: look again later.",
                    patience()
                );
                self.end(desk, Outcome::Unknown(why));
            }
            Told::Working(what) => self.say(desk, &what),
        }
    }

    fn is_there(&mut self, desk: &mut Desk, id: u64, answer: Result<Reply, ApiError>) {
        match answer {
            Ok(Reply::Space(_)) => {
                self.found = Found::default();
                self.listing = None;
                self.files = None;
                self.stage = Stage::Listing(id);
            }
            Err(error) if is_not_there(&error) => {
                self.count_again(desk, id, "the space is not there");
            }
            other => {
                let error = other.err().unwrap_or_else(unexpected);
                self.uncounted(desk, &error);
            }
        }
    }

    /// What the server calls finished is looked at again before it counts as missing.
    fn count_again(&mut self, desk: &mut Desk, id: u64, what: &str) {
        self.counts += 1;
        if self.counts < COUNTS {
            self.stage = Stage::There(id);
            self.next_at = desk.at() + (1_000 << self.counts);
            return;
        }
        self.fail(
            desk,
            format!(
                "The server calls its job {id} finished, and {what}. The backup is as it was: an administrator may find the reason in the log of the server."
            ),
        );
    }

    fn uncounted(&mut self, desk: &mut Desk, error: &ApiError) {
        self.end(
            desk,
            Outcome::Unknown(format!(
                "The server calls it finished, and what is there could not be counted. {}",
                error.message
            )),
        );
    }

    fn listed(&mut self, desk: &mut Desk, id: u64, answer: Result<Reply, ApiError>) {
        let Some(listing) = &mut self.listing else {
            return;
        };
        if let Err(error) = listing.take(answer) {
            self.uncounted(desk, &error);
            return;
        }
        for seen in listing.take_seen() {
            match (seen.status, &seen.kind) {
                (ContentStatus::Trashed, _) => self.found.trashed += 1,
                (_, ContentKind::Page) => self.found.pages += 1,
                (_, ContentKind::BlogPost) => self.found.posts += 1,
                _ => {}
            }
        }
        if listing.is_over() {
            self.stage = Stage::Counting(id);
        }
    }

    fn counted(&mut self, desk: &mut Desk, answer: Result<Reply, ApiError>) {
        let Some(files) = &mut self.files else {
            return;
        };
        if let Err(error) = files.take(answer) {
            self.uncounted(desk, &error);
        }
    }

    /// All is counted: is it what the backup knew?
    fn weigh(&mut self, desk: &mut Desk, id: u64) {
        let differing = self.found.differs_from(&self.file.known);
        if differing.is_empty() {
            let mut note = format!("{}, as the backup has it.", self.found.in_words());
            if let Some(beyond) = self.found.beyond(&self.file.known) {
                note.push_str(&beyond);
            }
            if self.skipped > 0 {
                let objects = number::count(self.skipped, "object");
                note.push_str(&format!(" The server left out {objects}."));
            }
            self.end(desk, Outcome::Done(Some(note)));
        } else {
            self.count_again(
                desk,
                id,
                &format!("what is there differs from the backup: {differing}"),
            );
        }
    }
}

/// Why the server would not read a space in.
fn refused(error: ApiError) -> String {
    if is_not_offered(&error) {
        return "This server cannot read a space in: that needs Confluence 9.0.".to_owned();
    }
    if error.kind == ErrorKind::Forbidden {
        return format!(
            "{} To restore a space takes a site administrator; an administrator may also have switched this off.",
            error.message
        );
    }
    refusal(error)
}

impl Machine for ReadIn {
    fn go(&mut self, desk: &mut Desk) {
        if !desk.is_open(ITEM) {
            return;
        }
        if desk.is_stopping() {
            self.give_up(desk);
            return;
        }
        let is_free = !desk.is_busy(ITEM) && !desk.is_busy(WHOLE);
        let at = self.next_at.max(desk.at());
        match self.stage.clone() {
            Stage::Manifest(Asked::No) => {
                self.stage = Stage::Manifest(Asked::Yes);
                desk.store(JobWrite::ReadBack {
                    backup: self.file.backup.clone(),
                    name: MANIFEST.to_owned(),
                });
            }
            Stage::Checking(Asked::No) => {
                self.stage = Stage::Checking(Asked::Yes);
                self.say(desk, "checking that the file is whole");
                desk.store(JobWrite::CheckZip {
                    backup: self.file.backup.clone(),
                    name: self.file.zip.name.clone(),
                    sha256: self.file.zip.sha256,
                    space: self.file.space.key.clone(),
                    // What is there afterwards is held against what the backup knew.
                    expected: Vec::new(),
                });
            }
            Stage::Looking if is_free => desk.read(ITEM, Step::Check, self.space()),
            Stage::Before if is_free => desk.read(ITEM, Step::Look, self.jobs()),
            Stage::Ready if is_free => {
                self.say(desk, "sending the file");
                desk.moved(0, self.file.zip.bytes);
                let call = Call::UploadBackup {
                    from: LocalFile {
                        backup: self.file.backup.clone(),
                        name: self.file.zip.name.clone(),
                    },
                };
                desk.write(ITEM, Step::Upload, call, "no space of this key");
            }
            Stage::Settling if is_free => desk.read(ITEM, Step::Settle, self.jobs()),
            Stage::Following(id) if is_free => self.follower.ask(desk, ITEM, id),
            Stage::There(_) if is_free => desk.read_at(ITEM, Step::Look, self.space(), at),
            Stage::Listing(_) if is_free => {
                let key = self.file.space.key.clone();
                let listing = self
                    .listing
                    .get_or_insert_with(|| Listing::everything(key, Rows::Bare));
                listing.ask(desk, WHOLE);
                self.say(desk, "counting what is there");
            }
            Stage::Counting(id) if is_free => {
                let key = self.file.space.key.clone();
                let files = self.files.get_or_insert_with(|| OnPages::files(key));
                if files.is_over() {
                    self.found.files = Some(files.count());
                    self.weigh(desk, id);
                    self.go(desk);
                } else {
                    files.ask(desk);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, desk: &mut Desk, _: u32, _: Step, answer: Result<Reply, ApiError>) {
        match (self.stage.clone(), answer) {
            (Stage::Looking, answer) => self.looked(desk, answer),
            (Stage::Before, answer) => self.listed_before(desk, answer),
            (Stage::Settling, answer) => self.settled(desk, answer),
            (Stage::Following(id), answer) => self.polled(desk, id, answer),
            (Stage::There(id), answer) => self.is_there(desk, id, answer),
            (Stage::Listing(id), answer) => self.listed(desk, id, answer),
            (Stage::Counting(_), answer) => self.counted(desk, answer),
            (Stage::Stopped(id), answer) => self.stopped(desk, id, answer),
            _ => {}
        }
    }

    fn wrote(&mut self, desk: &mut Desk, _: u32, _: Step, fate: Fate) {
        let is_further = !matches!(
            self.stage,
            Stage::Looking | Stage::Before | Stage::Ready | Stage::Settling
        );
        match fate {
            // The stored stage knows more than that it was sent.
            _ if is_further => {}
            Fate::Accepted { made, .. } | Fate::Applied { made } => {
                match made.and_then(|id| id.parse().ok()) {
                    Some(id) => self.follow(desk, id),
                    None => self.stage = Stage::Settling,
                }
            }
            Fate::InDoubt(_) => self.stage = Stage::Settling,
            // Held back: the key is looked at once more.
            Fate::NotApplied(_) => self.stage = Stage::Looking,
            Fate::Refused(error) if error.kind == ErrorKind::Storage => {
                self.stage = Stage::Manifest(Asked::No);
                desk.trouble(format!("{} {}", error.message, error.hint()));
            }
            Fate::Refused(error) if error.kind == ErrorKind::Conflict => {
                let key = self.file.space.key.clone();
                let why = format!(
                    "The server would not take it: there is a space with the key {key} by now, or it reads one in already. {}",
                    error.message
                );
                self.fail(desk, why);
            }
            Fate::Refused(error) => self.fail(desk, refused(error)),
            Fate::NeverKnown(why) => self.end(desk, Outcome::Unknown(why)),
        }
    }

    fn stored(&mut self, desk: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        let spoilt = |why: String| {
            format!(
                "The backup is not good, so nothing was sent. {why} Restore from another copy of it."
            )
        };
        match (self.stage.clone(), what, answer) {
            (Stage::Manifest(_), JobWrite::ReadBack { .. }, Ok(Stored::Bytes(bytes))) => {
                let now = Manifest::decode(&bytes).map_err(|error| error.to_string());
                match now.map(|now| SpaceFile::of(&self.file.backup, &now)) {
                    Ok(Some(now)) if now == self.file => self.stage = Stage::Checking(Asked::No),
                    Ok(_) => self.fail(desk, spoilt("It is another one by now.".to_owned())),
                    Err(why) => self.fail(desk, spoilt(why)),
                }
            }
            (Stage::Checking(_), JobWrite::CheckZip { .. }, Ok(Stored::Zip(_))) => {
                self.stage = Stage::Looking;
            }
            (Stage::Manifest(_) | Stage::Checking(_), _, Err(problem)) => {
                self.fail(desk, spoilt(problem.message));
            }
            _ => {}
        }
    }

    fn reopened(&mut self, _: &mut Desk) {
        self.next_at = 0;
        self.stage = match std::mem::replace(&mut self.stage, Stage::Manifest(Asked::No)) {
            // The backup lay unwatched.
            Stage::Manifest(_)
            | Stage::Checking(_)
            | Stage::Looking
            | Stage::Before
            | Stage::Ready => Stage::Manifest(Asked::No),
            Stage::Listing(id) | Stage::Counting(id) => Stage::There(id),
            other => other,
        };
    }
}

impl ReadIn {
    /// What was sent is learned, and nothing more is done: a space that is half read in would be worse
    /// than one that the server goes on with.
    fn give_up(&mut self, desk: &mut Desk) {
        if desk.is_busy(ITEM) {
            self.say(desk, "stopped, asking the server what it has");
            return;
        }
        match self.stage {
            Stage::Settling => desk.read(ITEM, Step::Settle, self.jobs()),
            Stage::Following(id) => {
                let made = id.to_string();
                desk.settle(ITEM, Step::Upload, Settled::Made(&made));
                self.stage = Stage::Stopped(Some(id));
                self.give_up(desk);
            }
            Stage::Stopped(_) => {
                // Else the look would wait for the next one of the upload.
                let at = desk.at();
                desk.read_at(ITEM, Step::Settle, self.space(), at);
            }
            Stage::There(_) | Stage::Listing(_) | Stage::Counting(_) => {
                let why = "The server calls it finished; what is there was not counted.";
                self.end(desk, Outcome::Unknown(why.to_owned()));
            }
            _ => {}
        }
    }

    /// The job is cancelled: says what the server has now.
    fn stopped(&mut self, desk: &mut Desk, id: Option<u64>, answer: Result<Reply, ApiError>) {
        let key = self.file.space.key.clone();
        let space = match answer {
            Ok(Reply::Space(_)) => Ok(true),
            Err(error) if is_not_there(&error) => Ok(false),
            other => Err(other.err().unwrap_or_else(unexpected).message),
        };
        let Some(id) = id else {
            self.stopped_without_a_job(desk, space);
            return;
        };
        let space = match space {
            Ok(true) => format!("There is a space {key} by now"),
            Ok(false) => format!("There is no space {key} so far"),
            Err(why) => format!("Whether there is a space {key} could not be read ({why})"),
        };
        let why = format!(
            "It was given up here; the server has the whole file and goes on with its job {id}. {space}: look there later, an administrator can cancel that job."
        );
        self.end(desk, Outcome::Unknown(why));
    }

    /// The same where the server knows of no job for the file.
    fn stopped_without_a_job(&mut self, desk: &mut Desk, space: Result<bool, String>) {
        let key = self.file.space.key.clone();
        let heard = desk.heard(ITEM, Step::Upload);
        let none = format!("{heard}. The server has no job for it");
        let (why, is_known) = match space {
            Ok(false) => (format!("{none}, and no space {key}."), true),
            Ok(true) => (
                format!("{none}, and there is a space {key} by now: look at it."),
                false,
            ),
            Err(error) => (
                format!("{none}. Whether there is a space {key} could not be read. {error}"),
                false,
            ),
        };
        if is_known {
            desk.settle(ITEM, Step::Upload, Settled::NotApplied(&why));
            self.end(desk, Outcome::Stopped(why));
        } else {
            desk.settle(ITEM, Step::Upload, Settled::Unknown(&why));
            self.end(desk, Outcome::Unknown(why));
        }
    }
}
