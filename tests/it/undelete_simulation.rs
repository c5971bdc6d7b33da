//! What undoes a deletion, with seeded faults at every step: a space that the server writes out before it is
//! deleted, one that it reads in again, comments, files and labels that come back on pages made again.
//!
//! Each seed chooses a small wiki, how the jobs of the server end, what it refuses, what a person decides,
//! and what goes wrong: answers lost before and after a write was applied, 429, 503, no connection, a
//! disk that refuses, a kill at any moment, a job that is cancelled; and other people who add, edit and
//! trash meanwhile and change files of the backup. Held after every run:
//!
//! 1. a space is deleted only if each backup that was chosen holds all of it, or what it does not hold was
//!    shown and agreed to in this run of the program;
//! 2. after a cancel nothing is deleted, and no job of the server is left at work without a word;
//! 3. the server is asked once for what it may be doing already;
//! 4. a file is sent to a server only while no space of that key is there, once, and only as it was
//!    checked; what came back is what the backup knew, or it is told what differs;
//! 5. nothing is put on a page twice, nothing on one that is not kept from others as it was, and what was
//!    not put there is told;
//! 6. the journal tells the truth;
//! 7. where nobody else interferes, the run ends as an undisturbed one does, but for a deletion whose answer
//!    was lost;
//! 8. the job comes to an end.
//!
//! `CORACLE_SIM_SEEDS=1000000` runs more seeds, `CORACLE_SIM_SEED=n` one of them.

use std::collections::{BTreeMap, BTreeSet};

use coracle::confluence::*;
use coracle::jobs::backup::{self, Manifest};
use coracle::jobs::journal::{Chain, Phase, Reached, Record, Scribe};
use coracle::jobs::proof::Standing;
use coracle::jobs::*;

use BackupChoice::{Declined, Save};

use crate::backing_server::{Ending, Obeys, Site};
use crate::guards::is_kept;
use crate::meddling::prove;
use crate::seeds;
use crate::simulation::{
    Dice, Disk, Doc, Lists, Server, agree, brought, checked, doc, fail, hang_something, hangs,
    head, kept_of, session, speaks_of, time, wiki,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Calm,
    /// Faults of line, server, disk and process.
    Faults,
    /// The same, and other people.
    Others,
}

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Person {
    GoesOn,
    LeavesOut,
    Stops,
    /// Twice, and then goes on.
    TriesAgain,
}

/// What was agreed to, and when.
#[derive(Clone, Debug, Default)]
struct Agreed {
    /// That the space goes without a backup by the server. That is kept over a kill.
    without: bool,
    /// What was named as not in it.
    names: BTreeMap<String, u64>,
    /// That it is not known what hangs on pages.
    unknown: u64,
    /// What hangs on these pages and is not in the backup on this machine.
    losses: BTreeMap<String, (Losses, u64)>,
}

/// What is to be had back.
enum Back {
    Nothing,
    /// A space, from this zip.
    Space(usize),
    /// Pages with what hung on them: by id, and whether all could read it.
    Pages(BTreeMap<String, (Doc, bool)>),
}

struct Run {
    dice: Dice,
    weather: Weather,
    person: Person,
    site: Site,
    disk: Disk,
    scribe: Scribe<WriteNo>,
    job: Job,
    fresh: Job,
    options: Option<DeleteOptions>,
    requests: Vec<(RequestNo, Call)>,
    writes: Vec<(WriteNo, JobWrite)>,
    at: u64,
    ledger: BTreeMap<u64, Record>,
    applied: BTreeSet<u64>,
    faults: BTreeMap<String, u32>,
    kills: u32,
    /// Destroying requests whose ground was shown and that have not gone out yet.
    permits: u32,
    agreed: Agreed,
    again: u32,
    /// All that was asked and told.
    said: String,
    is_cancelled: bool,
    /// Whether somebody changed something, of the server or of the disk.
    is_meddled: bool,
    doubtful: bool,
    /// As whom it is at work.
    session: Session,
    /// How often it was told to go on with what keeps it from going on.
    resumed: u32,
    back: Back,
    /// Files of a backup that were looked at and are about to be sent: nobody changes those.
    checked: BTreeSet<String>,
    /// Whether the space was not there when it was looked for last.
    is_free: bool,
    /// The share of the job that was told last.
    share: u8,
    errors: Vec<String>,
}

impl Run {
    fn new(dice: Dice, weather: Weather, person: Person, site: Site, disk: Disk, job: Job) -> Self {
        Self {
            dice,
            weather,
            person,
            site,
            disk,
            scribe: Scribe::new(Chain::default()),
            options: job.delete_options(),
            fresh: job.clone(),
            job,
            requests: Vec::new(),
            writes: Vec::new(),
            at: 0,
            ledger: BTreeMap::new(),
            applied: BTreeSet::new(),
            faults: BTreeMap::new(),
            kills: 0,
            permits: 0,
            agreed: Agreed::default(),
            again: 0,
            said: String::new(),
            is_cancelled: false,
            is_meddled: false,
            doubtful: false,
            session: session(),
            resumed: 0,
            back: Back::Nothing,
            checked: BTreeSet::new(),
            is_free: false,
            share: 0,
            errors: Vec::new(),
        }
    }

    fn complain(&mut self, what: impl Into<String>) {
        self.errors.push(what.into());
    }

    fn feed(&mut self, event: JobEvent) {
        if event == JobEvent::Pause {
            self.permits = 0;
        }
        let effects = self.job.step(self.at, event);
        if let Some(share) = self.job.share() {
            let before = std::mem::replace(&mut self.share, share);
            if share < before {
                self.complain(format!("{share} % after {before} %"));
            }
        }
        for effect in effects {
            match effect {
                JobEffect::Send { request, call } => {
                    if consent::is_destructive(&call) {
                        self.permits = self.permits.saturating_sub(1);
                        if self.is_cancelled {
                            self.complain(format!("sent after it was cancelled: {call:?}"));
                        }
                    }
                    if matches!(call, Call::UploadBackup { .. }) && !self.is_free {
                        self.complain("sent though nobody saw that the key is free");
                    }
                    self.requests.push((request, call));
                }
                JobEffect::Write { write, what } => match what {
                    JobWrite::Journal(record) => self.scribe.push(write, *record),
                    what => self.writes.push((write, what)),
                },
                JobEffect::Ask(question) => self.said.push_str(&format!("{question:?}\n")),
                JobEffect::GiveUp { request } => self.line_drops(request),
                JobEffect::GiveUpWrite { write } => {
                    self.writes.retain(|(other, _)| *other != write);
                }
            }
        }
    }

    /// Nobody waits for this answer any more. A file that was on the line may have arrived all the same.
    fn line_drops(&mut self, request: RequestNo) {
        let Some(at) = self.requests.iter().position(|(it, _)| *it == request) else {
            return;
        };
        let (_, call) = self.requests.swap_remove(at);
        if !call.is_read() && self.dice.percent(50) {
            let _ = self.apply(&call);
        }
    }

    /// Whether something goes wrong here; each thing goes wrong twice at most.
    fn trouble(&mut self, percent: u64, with: impl FnOnce() -> String) -> bool {
        if self.weather == Weather::Calm || !self.dice.percent(percent) {
            return false;
        }
        let count = self.faults.entry(with()).or_default();
        *count += 1;
        *count <= 2
    }

    /// Applies a call to the server and holds the invariants that can be seen only then.
    fn apply(&mut self, call: &Call) -> Result<Reply, ApiError> {
        if call.is_read() {
            let answer = self.site.serve(call, &mut self.disk);
            if let Call::Space { .. } = call {
                self.is_free = answer.is_err();
            }
            return answer;
        }
        // A copy of all for each write would be most of the work.
        let is_judged = matches!(call, Call::DeleteSpace { .. });
        let before = is_judged.then(|| self.site.clone());
        let wrong = self.what_is_wrong(call);
        let answer = self.site.serve(call, &mut self.disk)?;
        self.errors.extend(wrong);
        let open = self.ledger.values().find(|record| {
            record.outcome == Phase::Intended
                && !self.applied.contains(&record.no)
                && speaks_of(record, call)
        });
        match open.map(|record| record.no) {
            Some(no) => {
                self.applied.insert(no);
            }
            None => self.complain(format!("applied without an open intent: {call:?}")),
        }
        if let (Some(before), Call::DeleteSpace { key }) = (before, call) {
            self.check_deletion(&before, key);
        }
        Ok(answer)
    }

    /// What speaks against a write, should the server take it.
    fn what_is_wrong(&self, call: &Call) -> Option<String> {
        let mut jobs = self.site.jobs.values();
        match call {
            Call::BackUpSpace { prefix, .. } => jobs
                .any(|job| job.file.starts_with(prefix))
                .then(|| format!("asked twice to write it out: {prefix}")),
            Call::UploadBackup { .. } => jobs
                .any(|job| job.operation == JobOperation::Restore)
                .then(|| "sent twice".to_owned()),
            Call::CreateComment { on: page, .. } | Call::AttachFile { id: page, .. } => {
                self.readable_by_all(page.as_str())
            }
            _ => None,
        }
    }

    fn answer(&mut self) {
        let index = self.dice.below(self.requests.len() as u64) as usize;
        let (request, call) = self.requests.swap_remove(index);
        let outcome = if self.trouble(10, || format!("{call:?}")) {
            match self.dice.below(6) {
                0 => Err(fail(ErrorKind::RateLimited { after_ms: Some(9) }, 429)),
                1 => Err(fail(ErrorKind::Connect, 0)),
                2 => Err(fail(ErrorKind::Lost, 0)),
                3 => Err(fail(ErrorKind::Server, 503)),
                // Applied, and the answer lost.
                4 => self.apply(&call).and(Err(fail(ErrorKind::Timeout, 0))),
                _ => self.apply(&call).and(Err(fail(ErrorKind::Truncated, 200))),
            }
        } else {
            self.apply(&call)
        };
        if let Some((place, bytes)) = brought(&self.site.server, &call, &outcome) {
            self.disk.files.insert(place, bytes);
        }
        if outcome.is_err() && matches!(call, Call::DeleteSpace { .. }) {
            self.doubtful = true;
        }
        self.feed(JobEvent::Reply { request, outcome });
    }

    fn store(&mut self) {
        let index = self.dice.below(self.writes.len() as u64) as usize;
        let (write, what) = self.writes.swap_remove(index);
        let wrong = |message: &str| StoreError {
            message: message.into(),
        };
        let is_refused = match &what {
            JobWrite::BackupFile { backup, name, .. } => {
                self.trouble(6, || format!("{backup} {name}"))
            }
            JobWrite::Checkpoint(_) => self.trouble(6, || "checkpoint".to_owned()),
            _ => false,
        };
        let files = &self.disk.files;
        let outcome = match what {
            _ if is_refused => Err(wrong("No space left on the disk.")),
            JobWrite::ReadBack { backup, name } => {
                let found = files.get(&(backup, name)).cloned();
                found.map(Stored::Bytes).ok_or_else(|| wrong("It is gone."))
            }
            JobWrite::Prove(claim) => {
                let proved = prove(&claim, &|backup, name| {
                    files.get(&(backup.to_owned(), name.to_owned())).cloned()
                });
                self.permits += u32::from(proved == Ok(Stored::Standing(Standing::Holds)));
                proved
            }
            JobWrite::CheckFile { backup, file } => {
                self.checked.insert(file.name.clone());
                let found = files.get(&(backup, file.name.clone()));
                checked(&file, found.map(Vec::as_slice))
            }
            JobWrite::CheckZip {
                backup,
                name,
                sha256,
                space,
                expected,
            } => {
                let found = files.get(&(backup, name));
                self.site.check_zip(found, sha256, &space, &expected)
            }
            JobWrite::Checkpoint(text) => {
                self.disk.checkpoint = Some(text);
                Ok(Stored::Done)
            }
            JobWrite::BackupFile {
                backup,
                name,
                bytes,
            } => {
                let saved = self.disk.save((backup, name), bytes.to_vec());
                saved.map(|()| Stored::Done)
            }
            JobWrite::MakeFolder { .. }
            | JobWrite::CheckRoom { .. }
            | JobWrite::Hold { .. }
            | JobWrite::Release { .. }
            | JobWrite::Journal(_) => Ok(Stored::Done),
        };
        self.feed(JobEvent::Written { write, outcome });
    }

    /// One line of the journal, or its refusal.
    fn journal(&mut self) -> bool {
        let Some(line) = self.scribe.next_line(time(), &self.session) else {
            return false;
        };
        let (outcome, reached) = if self.trouble(3, || "journal".to_owned()) {
            let why = StoreError {
                message: "No space left on the disk.".into(),
            };
            (Err(why), Reached::No)
        } else {
            self.write_down(line);
            (Ok(Stored::Done), Reached::Yes)
        };
        for write in self.scribe.written(reached) {
            let outcome = outcome.clone();
            self.feed(JobEvent::Written { write, outcome });
        }
        true
    }

    fn write_down(&mut self, line: String) {
        let record: Record = serde_json::from_str(&line).expect("because it was just written");
        self.ledger.insert(record.no, record);
        self.disk.journal.push(line);
    }

    /// The process dies: what is on the line or on its way to the disk may or may not arrive.
    fn kill(&mut self) {
        self.kills += 1;
        self.permits = 0;
        for (_, call) in std::mem::take(&mut self.requests) {
            self.doubtful |= matches!(call, Call::DeleteSpace { .. });
            if self.dice.percent(50) {
                let _ = self.apply(&call);
            }
        }
        for (_, what) in std::mem::take(&mut self.writes) {
            match what {
                JobWrite::Checkpoint(text) if self.dice.percent(50) => {
                    self.disk.checkpoint = Some(text);
                }
                JobWrite::BackupFile {
                    backup,
                    name,
                    bytes,
                } if self.dice.percent(50) => {
                    // Whole or not at all: it is written beside its place.
                    let _ = self.disk.save((backup, name), bytes.to_vec());
                }
                _ => {}
            }
        }
        if let Some(line) = self.scribe.next_line(time(), &self.session) {
            match self.dice.below(3) {
                0 => self.write_down(line),
                1 => self.disk.journal.push(line[..line.len() / 2].to_owned()),
                _ => {}
            }
        }
        let mut ends = self.ledger.values();
        self.doubtful |= ends.any(|it| it.step == Step::Delete && it.outcome == Phase::Intended);
        self.is_taken_up();
    }

    fn is_taken_up(&mut self) {
        self.at = 0;
        self.is_free = false;
        self.agreed = Agreed {
            without: self.agreed.without,
            ..Agreed::default()
        };
        let stored = self.disk.checkpoint.as_deref();
        let read = match ledger::read(&self.disk.journal, stored, 10) {
            Ok(read) => read,
            Err(broken) => return self.complain(broken.to_string()),
        };
        self.scribe = Scribe::new(read.verified.chain);
        self.share = 0;
        self.job = match stored.map(|text| Job::reopen(text, &read.needed)) {
            Some(Ok(job)) => job,
            Some(Err(problem)) => return self.complain(problem.to_string()),
            None => self.fresh.clone(),
        };
        // One that was not stored begins anew, as it was made.
        let is_stored = self.job.state() == JobState::Paused;
        let pick = if is_stored { self.dice.below(3) } else { 0 };
        let user = ["me", "ann", "bob"][pick as usize];
        self.session.user = Some(user.into());
        self.site.server.user = user.into();
        // A cancel that did not reach the disk is forgotten.
        self.is_cancelled &= self.job.is_cancelling() || self.job.state().is_over();
        if self.job.state() == JobState::Paused
            && let Err(not_here) = self.job.take_up(self.session.clone())
        {
            self.complain(not_here.to_string());
        }
        if let Some(challenge) = self.job.challenge()
            && let Err(problem) = self.job.agree(agree(challenge))
        {
            self.complain(problem.to_string());
        }
        self.feed(JobEvent::Begin);
        self.feed(JobEvent::Resume);
    }

    /// The person answers.
    fn decide(&mut self, question: &Question) {
        let choice = |goes_on: Decision| match self.person {
            Person::GoesOn | Person::TriesAgain => goes_on,
            Person::LeavesOut => Decision::LeaveOut,
            Person::Stops => Decision::Stop,
        };
        let decision = match question {
            Question::ServerBackup { .. } | Question::Losses { .. } | Question::NotSaved { .. }
                if self.person == Person::TriesAgain && self.again < 2 =>
            {
                self.again += 1;
                Decision::Again
            }
            Question::TitleCollision { .. } => Decision::Rename,
            Question::NotSaved { .. } => Decision::LeaveOut,
            Question::SpaceChanged { .. } => Decision::Stop,
            Question::Unlisted { .. } | Question::Losses { .. } | Question::CameLater { .. } => {
                choice(Decision::GoOn)
            }
            Question::ServerBackup { .. } => choice(Decision::GoOn),
        };
        if decision == Decision::GoOn {
            self.agree_to(question);
        }
        self.feed(JobEvent::Decide(decision));
    }

    fn agree_to(&mut self, question: &Question) {
        let now = self.site.now;
        match question {
            Question::ServerBackup {
                is_there: false, ..
            } => self.agreed.without = true,
            Question::ServerBackup { changed, .. } if !changed.is_empty() => {
                // What is wrong with one of them stands behind its name.
                let of = |name: &String| {
                    let end = ": the server left it out of its file";
                    name.strip_suffix(end).unwrap_or(name).to_owned()
                };
                let names = changed.iter().map(|name| (of(name), now));
                self.agreed.names.extend(names);
            }
            Question::ServerBackup { .. } => self.agreed.unknown = now,
            Question::Losses { items, .. } => {
                let all = items.iter().map(|it| (it.id.to_string(), (it.losses, now)));
                self.agreed.losses.extend(all);
            }
            _ => {}
        }
    }

    /// What a person may call it who is asked about it.
    fn name_of(site: &Site, id: &str, doc: &Doc) -> String {
        let page = site.page_of(id).filter(|_| hangs(&doc.kind));
        let page = page.and_then(|page| site.server.docs.get(&page));
        match (page, &doc.kind) {
            (Some(page), ContentKind::Comment) => format!("a comment on {}", page.title),
            (Some(page), _) => format!("the file {} on {}", doc.title, page.title),
            (None, _) => doc.title.clone(),
        }
    }

    /// When the page in the trash that something hangs on was named. What hangs on one there cannot be
    /// listed by itself.
    fn with_page(&self, site: &Site, id: &str) -> Option<&u64> {
        let doc = site.server.docs.get(id).filter(|doc| hangs(&doc.kind))?;
        let page = site.page_of(id).filter(|_| hangs(&doc.kind))?;
        let page = site.server.docs.get(&page)?;
        let is_trashed = page.status == ContentStatus::Trashed;
        self.agreed.names.get(&page.title).filter(|_| is_trashed)
    }

    /// The space goes: each backup that was chosen holds it, or it was agreed to.
    fn check_deletion(&mut self, before: &Site, key: &SpaceKey) {
        let Some(options) = self.options else {
            return;
        };
        let stands = self.zips_that_stand();
        let saved = if options.backup == Save {
            self.disk.saved()
        } else {
            BTreeSet::new()
        };
        let docs = before.server.docs.iter();
        for (id, doc) in docs.filter(|(_, doc)| doc.space == key.as_str()) {
            if before.is_late(id) {
                continue;
            }
            let is_as_it_is =
                |there: &Doc| there.version == doc.version && there.storage == doc.storage;
            let mut zips = stands.iter().map(|number| &before.zips[*number]);
            let in_zip = zips.any(|zip| zip.docs.get(id).is_some_and(is_as_it_is));
            let edited = before.edited.get(id).copied().unwrap_or(0);
            let names = &self.agreed.names;
            let named = names
                .get(&Self::name_of(before, id, doc))
                .max(self.with_page(before, id));
            let hung = hangs(&doc.kind) && before.page_of(id).is_some();
            let is_agreed = named.is_some_and(|at| edited <= *at)
                || hung && self.agreed.unknown > 0 && self.is_unlisted(before, id, edited);
            if options.server == Save && !self.agreed.without && !in_zip && !is_agreed {
                self.complain(format!(
                    "{id} ({doc:?}) is not in the server's backup, and nobody agreed: edited {edited}, {:?}",
                    self.agreed
                ));
            }
            let is_saved = saved.contains(&kept_of(id, doc)) || hung && (in_zip || is_agreed);
            if options.backup == Save && !is_saved && !self.loses(before, id, doc, edited) {
                self.complain(format!(
                    "{id} ({doc:?}) is not in the backup on this machine, and nobody agreed: edited {edited}, {:?}",
                    self.agreed
                ));
            }
        }
    }

    /// Whether this could not be listed when that was agreed to.
    fn is_unlisted(&self, site: &Site, id: &str, edited: u64) -> bool {
        edited <= self.agreed.unknown || site.page_of(id) == site.untold
    }

    /// Whether it was agreed that this is lost.
    fn loses(&self, site: &Site, id: &str, doc: &Doc, edited: u64) -> bool {
        let page = site.page_of(id).filter(|_| hangs(&doc.kind));
        let agreed = page.and_then(|page| self.agreed.losses.get(&page));
        agreed.is_some_and(|(losses, at)| {
            let count = match doc.kind {
                ContentKind::Attachment => losses.files + losses.files_unknown,
                _ => losses.comments + losses.comments_unknown,
            };
            // What cannot be listed can be no more than known to be there.
            let is_unlisted = losses.files_unknown + losses.comments_unknown > 0;
            count > 0 && (is_unlisted || edited <= *at)
        })
    }

    /// The zips in backups that verify.
    fn zips_that_stand(&self) -> Vec<usize> {
        let files = &self.disk.files;
        let manifests = files
            .iter()
            .filter(|((_, name), _)| name == backup::MANIFEST);
        let zip = |((folder, _), bytes): (&(String, String), &Vec<u8>)| {
            let read = |name: &str| files.get(&(folder.clone(), name.to_owned())).cloned();
            let manifest = Manifest::decode(bytes).ok()?;
            manifest.verify(read).ok()?;
            let zip = read(&manifest.server_file?.name)?;
            Some(self.site.zip_in(&zip)?.0)
        };
        manifests.filter_map(zip).collect()
    }

    /// Somebody else does something in the space.
    fn others(&mut self) {
        let what = self.dice.below(7);
        let ids: Vec<String> = self.site.server.docs.keys().cloned().collect();
        let pick = self.dice.below(ids.len() as u64) as usize;
        let Some(id) = ids.get(pick) else {
            return;
        };
        let server = &self.site.server;
        let is_current = server.docs[id].status == ContentStatus::Current;
        let kind = server.docs[id].kind.clone();
        let may_hold = is_current && matches!(kind, ContentKind::Page | ContentKind::BlogPost);
        // What hangs on something in the trash cannot be changed.
        let page = self.site.page_of(id).filter(|_| hangs(&kind));
        let on = page.and_then(|page| self.site.server.docs.get(&page));
        // Nor does anybody know yet of what was put back a moment ago.
        let is_new = id.starts_with('n') && hangs(&kind);
        let may_change =
            is_current && !is_new && on.is_none_or(|on| on.status == ContentStatus::Current);
        let server = &mut self.site.server;
        server.next += 1;
        let new = format!("x{}", server.next);
        let added = match what {
            0 => Some((ContentKind::Page, None)),
            1 if may_hold => Some((ContentKind::Comment, Some(id.clone()))),
            2 if may_hold => Some((ContentKind::Attachment, Some(id.clone()))),
            _ => None,
        };
        let changed = match (added, server.docs.get_mut(id)) {
            (Some((kind, parent)), Some(there)) => {
                let title = format!("New {new}");
                let it = Doc {
                    kind,
                    parent,
                    ..doc(&there.space, &title, ContentStatus::Current)
                };
                server.docs.insert(new.clone(), it);
                new
            }
            (None, Some(there)) if may_change && matches!(what, 3 | 4) => {
                there.version += 1;
                there.storage.push_str(" edited");
                id.clone()
            }
            (None, Some(there)) if may_hold && what == 5 => {
                there.status = ContentStatus::Trashed;
                id.clone()
            }
            _ => return,
        };
        self.is_meddled = true;
        let now = self.site.now;
        if what != 5 {
            self.site.edited.insert(changed.clone(), now);
        }
        self.site.touched.insert(changed, now);
    }

    /// Somebody changes or removes a file of a backup. Not between the look at what a destroying request
    /// stands on and that request.
    fn meddle(&mut self) {
        let is_out = |(_, call): &(RequestNo, Call)| {
            consent::is_destructive(call) || matches!(call, Call::UploadBackup { .. })
        };
        if self.permits > 0 || self.requests.iter().any(is_out) {
            return;
        }
        let pick = self.dice.below(self.disk.files.len() as u64) as usize;
        let Some(place) = self.disk.files.keys().nth(pick).cloned() else {
            return;
        };
        if self.checked.contains(&place.1) {
            return;
        }
        self.is_meddled = true;
        let at = self.dice.next() as usize;
        match self.disk.files.get_mut(&place) {
            Some(bytes) if !bytes.is_empty() && at.is_multiple_of(2) => {
                let at = at % bytes.len();
                bytes[at] ^= 0x20;
            }
            _ => {
                self.disk.files.remove(&place);
            }
        }
    }

    /// What happens beside the job, if anything does; whether the process died of it.
    fn surroundings(&mut self) -> bool {
        self.site.now += 1;
        if self.weather == Weather::Calm {
            return false;
        }
        if self.weather == Weather::Others {
            if self.dice.percent(4) {
                self.others();
            }
            if self.dice.percent(1) {
                self.meddle();
            }
            if !self.is_cancelled && self.dice.below(400) == 0 {
                self.is_cancelled = true;
                self.feed(JobEvent::Cancel);
            }
        }
        if self.kills < 3 && !self.job.state().is_over() && self.dice.percent(2) {
            self.kill();
            return true;
        }
        if self.dice.percent(1) {
            self.feed(JobEvent::Pause);
        }
        false
    }

    fn run(&mut self) {
        self.feed(JobEvent::Begin);
        for _ in 0..4_000 {
            if !self.errors.is_empty() {
                return;
            }
            if self.job.state().is_over()
                && self.requests.is_empty()
                && self.writes.is_empty()
                && !self.journal()
            {
                return;
            }
            if self.surroundings() {
                continue;
            }
            let first = self.dice.below(3);
            if first == 0 && self.journal() {
                continue;
            }
            if first <= 1 && !self.writes.is_empty() {
                self.store();
            } else if !self.requests.is_empty() {
                self.answer();
            } else if !self.writes.is_empty() {
                self.store();
            } else if self.journal() {
            } else if let Some(question) = self.job.question().cloned() {
                self.decide(&question);
            } else if self.job.state() == JobState::Paused
                && (self.job.trouble().is_some() || !self.job.is_cancelling())
            {
                self.goes_on();
            } else if let Some(deadline) = self.job.deadline() {
                self.at = self.at.max(deadline);
                self.feed(JobEvent::Tick);
            } else {
                let state = self.job.state();
                self.complain(format!("stuck while {state:?}: {:?}", self.job.lines()));
            }
        }
        self.complain(format!("no end: {:?}", self.job.progress()));
    }

    /// The person lets it go on, or gives it up where that does not help.
    fn goes_on(&mut self) {
        self.resumed += u32::from(self.job.trouble().is_some());
        if self.resumed > 20 && !self.is_cancelled {
            self.is_cancelled = true;
            self.feed(JobEvent::Cancel);
        } else {
            self.feed(JobEvent::Resume);
        }
    }

    /// The journal in short, for a seed that went wrong.
    fn story(&self) -> String {
        let lines = self.disk.journal.iter().map(|line| {
            serde_json::from_str::<Record>(line).map_or("(cut)".to_owned(), |it| {
                let (no, item, step, outcome) = (it.no, it.item, it.step, it.outcome);
                let (path, made, note) = (it.path, it.made, it.note);
                format!("{no} item {item} {step:?} {outcome:?} {path} {made:?} {note:?}")
            })
        });
        let lines: Vec<String> = lines.collect();
        format!(
            "{:?} {:?} {:?} {:?}\n{}\n{:#?}\n{}",
            self.site.ending,
            self.person,
            self.options,
            self.job.state(),
            self.said,
            self.job.lines(),
            lines.join("\n")
        )
    }

    fn check(&mut self) {
        for (no, record) in self.ledger.clone() {
            let applied = self.applied.contains(&no);
            let lie = match record.outcome {
                Phase::Intended => Some("left open"),
                // Somebody else did the same.
                Phase::Done if record.step == Step::Withdraw && self.is_meddled => None,
                Phase::Failed if record.step == Step::Create && self.is_meddled => None,
                Phase::Done if !applied && record.step != Step::CancelBackup => {
                    Some("done, but not applied")
                }
                Phase::Failed if applied && record.step != Step::CancelBackup => {
                    Some("failed, but applied")
                }
                Phase::Done | Phase::Failed | Phase::Unknown => None,
            };
            if let Some(lie) = lie {
                self.complain(format!("the journal lies, {lie}: {record:?}"));
            }
            if record.step == Step::CancelBackup {
                self.check_cancel(&record);
            }
        }
        if let Err(broken) = journal::verify(&self.disk.journal) {
            self.complain(broken.to_string());
        }
        for line in self.job.lines() {
            self.said.push_str(&format!("{:?}\n", line.outcome));
        }
        self.check_jobs();
    }

    /// What the journal says of a job of the server that was given up.
    fn check_cancel(&mut self, record: &Record) {
        let mut parts = record.path.split('/');
        let job = parts.find_map(|part| self.site.jobs.get(&part.parse().ok()?));
        let is_cancelled = job.is_some_and(|job| job.state == BackupState::Cancelled);
        if record.outcome == Phase::Done && !is_cancelled {
            self.complain(format!("it is not cancelled: {record:?}"));
        }
    }

    /// No job of the server is left at work without a word.
    fn check_jobs(&mut self) {
        let is_ours = |file: &str| file.starts_with("coracle-");
        let jobs = self.site.jobs.iter();
        let left = jobs.filter(|(_, job)| is_ours(&job.file) && !job.state.is_over());
        let said = &self.said;
        let untold = left.filter(|(id, _)| !said.contains(&format!("job {id}")));
        let untold: Vec<u64> = untold.map(|(id, _)| *id).collect();
        if !untold.is_empty() && !self.said.contains("The server may still be writing it out") {
            self.complain(format!("left at work without a word: {untold:?}"));
        }
    }
}

/// Runs a seed in its weather; what was found wrong. `make` makes the same world each time.
fn simulate(seed: u64, make: &dyn Fn(Weather) -> Run, check: &dyn Fn(&mut Run)) -> Vec<String> {
    let run = |weather: Weather| {
        let mut run = make(weather);
        run.run();
        if run.errors.is_empty() {
            run.check();
            check(&mut run);
        }
        if !run.errors.is_empty() {
            run.errors.push(run.story());
        }
        run
    };
    if !seed.is_multiple_of(3) {
        return run(Weather::Others).errors;
    }
    let mut calm = run(Weather::Calm);
    let mut rough = run(Weather::Faults);
    if calm.errors.is_empty() && rough.errors.is_empty() {
        let is_unknown = rough.doubtful && rough.job.state() == JobState::Unknown;
        let ends = [&calm, &rough].map(|run| (run.job.state(), run.site.server.digest()));
        if !is_unknown
            && calm.site.drops_after.is_none()
            && calm.site.dropped.is_empty()
            && ends[0] != ends[1]
        {
            rough.errors.push(format!(
                "it ended elsewhere:\nundisturbed {:#?}\nwith faults {:#?}",
                ends[0], ends[1]
            ));
            rough.errors.push(calm.story());
            rough.errors.push(rough.story());
        }
    }
    calm.errors.append(&mut rough.errors);
    calm.errors
}

/// A small wiki with something that hangs on its pages.
fn site(dice: &mut Dice) -> Site {
    let mut server = wiki(dice);
    // Small ones show as much, and more of them are tried.
    let is_many = |id: &str| ("104".."200").contains(&id) || ("202".."300").contains(&id);
    server.docs.retain(|id, _| !is_many(id));
    server.modern = dice.percent(85);
    hang_something(&mut server, dice);
    Site::of(server)
}

// A space is deleted after the server wrote it out.

fn deletion(seed: u64, weather: Weather) -> Run {
    use Ending::*;
    let mut dice = Dice(seed);
    let mut site = site(&mut dice);
    let endings = [
        Fails,
        IsCancelled,
        HasNoFile,
        OfAnother,
        FileOfAnother,
        NoZip,
        Older,
        LeavesOut,
        Unreadable,
        Vanishes,
        LosesFile,
    ];
    site.ending = match dice.below(100) {
        0..45 => Finishes,
        45..48 => Stands,
        _ => endings[dice.below(endings.len() as u64) as usize],
    };
    site.obeys = [Obeys::Yes, Obeys::Yes, Obeys::SaysSo, Obeys::Refuses][dice.below(4) as usize];
    site.cuts = dice.below(3);
    site.rows_tell = dice.percent(60);
    if dice.percent(15) {
        let pages = site.server.docs.iter();
        let mut pages = pages.filter(|(_, doc)| doc.status == ContentStatus::Current);
        site.untold = pages.next().map(|(id, _)| id.clone());
    }
    match dice.below(20) {
        0 => site.refusal = Some((ErrorKind::Forbidden, 403)),
        1 => site.refusal = Some((ErrorKind::Invalid, 400)),
        2 => site.is_busy_for("ann"),
        _ => {}
    }
    if !site.server.modern {
        site.refusal = Some((ErrorKind::NoSuchOperation, 404));
    }
    let person = person(&mut dice);
    let backup = if dice.percent(50) { Save } else { Declined };
    deleting(dice, weather, person, site, backup)
}

/// ENG is deleted after the server wrote it out, with or without a backup on this machine.
fn deleting(dice: Dice, weather: Weather, person: Person, site: Site, backup: BackupChoice) -> Run {
    let options = DeleteOptions {
        server: Save,
        backup,
        on_failure: OnFailure::GoOn,
    };
    let head = head(Act::DeleteSpaces, &["ENG"], Vec::new());
    let consent = agree(Challenge::new(head.target.clone()));
    let job = Job::delete_spaces(head, consent, options).expect("because it was agreed to");
    Run::new(dice, weather, person, site, Disk::default(), job)
}

fn person(dice: &mut Dice) -> Person {
    let all = [
        Person::GoesOn,
        Person::GoesOn,
        Person::LeavesOut,
        Person::Stops,
        Person::TriesAgain,
    ];
    all[dice.below(5) as usize]
}

fn check_the_deletion(run: &mut Run) {
    let is_there = run.site.server.rooms.contains_key("ENG");
    let line = run.job.lines()[0].clone();
    if matches!(line.outcome, Some(Outcome::Done(_))) && is_there {
        run.complain("the space is said to be deleted and is there");
    }
    let is_left = matches!(
        line.outcome,
        Some(Outcome::Skipped(_) | Outcome::NotTried(_) | Outcome::NotSaved(_))
    );
    if is_left && !is_there {
        run.complain("the space is said to be left alone and is gone");
    }
    let told = format!("{:?}", line.outcome);
    if told.contains("can bring it back") && !run.is_meddled && run.zips_that_stand().is_empty() {
        run.complain("nothing can bring it back");
    }
}

#[test]
fn what_is_not_known_is_accepted_once_also_after_something_that_is_missing() {
    let mut on = doc("ENG", "On it", ContentStatus::Current);
    on.kind = ContentKind::Comment;
    on.parent = Some("200".into());
    let docs = [
        ("100", doc("ENG", "Old", ContentStatus::Trashed)),
        ("200", doc("ENG", "Home", ContentStatus::Current)),
        ("c200", on),
    ];
    let docs = docs.map(|(id, doc)| (id.to_owned(), doc));
    let mut site = Site::of(Server::with(docs.into(), Lists::Whole));
    // The page in the trash is not in the file, and the comment is told nowhere.
    site.ending = Ending::LeavesOut;
    site.untold = Some("200".into());
    let mut run = deleting(Dice(1), Weather::Calm, Person::GoesOn, site, Save);
    run.run();
    assert_eq!(run.errors, Vec::<String>::new());
    assert_eq!(run.job.state(), JobState::Done, "{:?}", run.job.lines());
    assert_eq!(run.said.lines().count(), 2, "{}", run.said);
}

#[test]
fn no_space_goes_that_its_chosen_backups_do_not_hold() {
    seeds::one_in(3, |seed| {
        let make = |weather| deletion(seed, weather);
        (simulate(seed, &make, &check_the_deletion), 0)
    });
}

// A space is read in again by the server, from what it wrote out.

fn restoration(seed: u64, weather: Weather) -> Run {
    use Ending::*;
    let mut dice = Dice(seed);
    let mut site = site(&mut dice);
    site.server.modern = true;
    let zip = site.write_out("ENG", Finishes);
    let count = |is_it: &dyn Fn(&Doc) -> bool| zip.docs.values().filter(|doc| is_it(doc)).count();
    let current = |kind: ContentKind| {
        count(&|doc| doc.kind == kind && doc.status == ContentStatus::Current) as u64
    };
    let pages = zip.docs.iter();
    let pages = pages
        .filter(|(_, doc)| doc.kind == ContentKind::Page && doc.status == ContentStatus::Current);
    let attached = pages.map(|(id, _)| site.hanging(id, &ContentKind::Attachment).len() as u64);
    let known = backup::ServerFile {
        name: "space.zip".into(),
        job: 5,
        pages: current(ContentKind::Page),
        posts: current(ContentKind::BlogPost),
        trashed: count(&|doc| doc.status == ContentStatus::Trashed) as u64,
        files: current(ContentKind::Attachment),
        attached: Some(attached.sum()),
        hollow: 0,
    };
    site.zips.push(zip);
    let bytes = Site::bytes_of(0);
    let files = vec![backup::FileEntry::of("space.zip", &bytes, 0)];
    let manifest = manifest(Act::BackUpSpaces, files, Some(known));
    let mut disk = Disk::default();
    let mut put = |name: &str, bytes| disk.files.insert(("j0".into(), name.into()), bytes);
    put("space.zip", bytes);
    put(backup::MANIFEST, manifest.encode());
    if dice.percent(90) {
        site.server.rooms.remove("ENG");
        site.server.docs.retain(|_, doc| doc.space != "ENG");
    }
    let endings = [Fails, IsCancelled, OfAnother, Vanishes, Half, Half, Nothing];
    site.ending = match dice.below(100) {
        0..50 => Finishes,
        50..52 => Stands,
        _ => endings[dice.below(endings.len() as u64) as usize],
    };
    if dice.percent(5) {
        site.refusal = Some((ErrorKind::Forbidden, 403));
    }
    let file = SpaceFile::of("j0", &manifest).expect("because a server made it");
    let head = head(Act::RestoreFromBackup, &["ENG"], Vec::new());
    let job = Job::restore_from_backup(head, file);
    let mut run = Run::new(dice, weather, Person::GoesOn, site, disk, job);
    run.back = Back::Space(0);
    run
}

fn manifest(
    act: Act,
    files: Vec<backup::FileEntry>,
    server_file: Option<backup::ServerFile>,
) -> Manifest {
    Manifest {
        format: backup::FORMAT.into(),
        version: backup::VERSION,
        job: JobId::new("j0"),
        act,
        created: time(),
        profile: "prod".into(),
        server: BaseUrl::of("https://wiki.example.org").into(),
        user: None,
        spaces: head(act, &["ENG"], Vec::new()).target.spaces,
        items: files.iter().map(|file| file.items).sum(),
        not_saved: Vec::new(),
        lacks: Vec::new(),
        files,
        server_file,
    }
}

fn check_the_restoration(run: &mut Run) {
    let Back::Space(number) = run.back else {
        return;
    };
    let outcome = run.job.lines()[0].outcome.clone();
    let sorts = |docs: &BTreeMap<String, Doc>| {
        let docs = docs.values();
        let docs = docs.filter(|doc| doc.space == "ENG" && doc.kind != ContentKind::Comment);
        let mut sorts: Vec<String> = docs
            .map(|doc| format!("{:?} {:?}", doc.kind, doc.status))
            .collect();
        sorts.sort();
        sorts
    };
    let there = sorts(&run.site.server.docs);
    let is_all_there = there == sorts(&run.site.zips[number].docs);
    let is_done = matches!(outcome, Some(Outcome::Done(_)));
    if is_done && !is_all_there && !run.is_meddled {
        run.complain(format!("told as it was, and there is only {there:?}"));
    }
    let mut jobs = run.site.jobs.values();
    let has_finished = jobs.any(|job| job.state == BackupState::Finished);
    let is_well = has_finished && run.site.ending == Ending::Finishes && !run.is_meddled;
    if is_well && !is_done && !run.is_cancelled {
        run.complain(format!("all is there, and it is told {outcome:?}"));
    }
}

#[test]
fn a_space_is_read_in_once_where_none_is_and_what_differs_is_told() {
    seeds::all(|seed| {
        let make = |weather| restoration(seed, weather);
        (simulate(seed, &make, &check_the_restoration), 0)
    });
}

// Pages are made again from a backup on this machine, with what hung on them.

fn putting_back(seed: u64, weather: Weather) -> Run {
    let mut dice = Dice(seed);
    let mut site = site(&mut dice);
    site.foot_only = dice.percent(25);
    site.drops_after = dice.percent(25).then(|| dice.below(6));
    let server = &site.server;
    let is_page = |doc: &Doc| {
        let is_there = doc.space == "ENG" && doc.kind == ContentKind::Page;
        is_there && doc.status == ContentStatus::Trashed
    };
    let docs = server.docs.iter().filter(|(id, doc)| {
        let page = site.page_of(id).filter(|_| hangs(&doc.kind));
        let on = page.and_then(|page| server.docs.get(&page));
        is_page(doc) || on.is_some_and(is_page)
    });
    let mut back: BTreeMap<String, (Doc, bool)> = docs
        .map(|(id, doc)| (id.clone(), (doc.clone(), is_kept(server, id))))
        .collect();
    // Somebody says the same again.
    let texts = back
        .iter()
        .filter(|(_, (doc, _))| doc.kind == ContentKind::Comment);
    let texts: Vec<(String, String)> = texts
        .map(|(id, (doc, _))| (id.clone(), doc.storage.clone()))
        .collect();
    for pair in texts.windows(2).filter(|_| dice.percent(20)) {
        let other = back.get_mut(&pair[1].0).expect("because it was found");
        other.0.storage.clone_from(&pair[0].1);
    }
    for (id, (doc, _)) in &back {
        site.server.docs.insert(id.clone(), doc.clone());
    }
    let (mut disk, recipe) = recipe(&site, &back, &mut dice);
    disk.meant = disk.files.clone();
    for id in back.keys() {
        site.server.docs.remove(id);
    }
    let targets = back.iter().map(|(id, (doc, _))| ItemTarget {
        id: ContentId::new(id),
        kind: doc.kind.clone(),
        title: doc.title.clone(),
        version: Some(doc.version),
        space: Some(SpaceKey::new("ENG")),
    });
    let head = head(Act::Recreate, &["ENG"], targets.collect());
    let person = person(&mut dice);
    let job = Job::recreate(head, recipe);
    let mut run = Run::new(dice, weather, person, site, disk, job);
    run.back = Back::Pages(back);
    run
}

/// A backup on the disk with all of that, and what is to be made again of it.
fn recipe(site: &Site, back: &BTreeMap<String, (Doc, bool)>, dice: &mut Dice) -> (Disk, Recipe) {
    let mut disk = Disk::default();
    let mut put = |name: &str, bytes: &[u8], items: u64| {
        let place = ("j0".to_owned(), name.to_owned());
        disk.files.insert(place, bytes.to_vec());
        backup::FileEntry::of(name, bytes, items)
    };
    let (mut items, mut files) = (Vec::new(), Vec::new());
    for (id, (doc, _)) in back {
        let mut content = site.server.content(id);
        let mut file = None;
        match (&doc.kind, content.more.as_mut()) {
            (ContentKind::Comment, Some(more)) if dice.percent(40) => {
                more.remark = Some(Box::new(Remark {
                    location: Some("inline".into()),
                    marker: Some("m1".into()),
                    ..Remark::default()
                }));
            }
            (ContentKind::Attachment, _) => {
                let name = format!("file-{id}");
                files.push(put(&name, doc.storage.as_bytes(), 0));
                file = Some(backup::SavedFile {
                    name,
                    media_type: None,
                    size: Some(doc.storage.len() as u64),
                    comment: None,
                });
            }
            _ => {}
        }
        items.push(backup::Item::of(content, doc.status, None, file));
    }
    let lines: String = items.iter().map(backup::line).collect();
    let name = "items-0001.ndjson.gz";
    files.insert(0, put(name, &backup::pack(&lines), items.len() as u64));
    let manifest = manifest(Act::PurgeMarked, files, None);
    let items = items.into_iter().map(|item| (name.to_owned(), item));
    let unknown = UnknownRestrictions::OnlyMe;
    let recipe = Recipe::new("j0", &manifest, items.collect(), None, unknown);
    (disk, recipe)
}

/// The id of what was made again.
fn made(outcome: Option<&Outcome>) -> Option<String> {
    let Some(Outcome::Done(Some(note)) | Outcome::Differs(note)) = outcome else {
        return None;
    };
    let (_, id) = note.split_once("Its new id is ")?;
    Some(id.split('.').next()?.to_owned())
}

impl Run {
    /// What is wrong with putting something on a page: it is not kept from others as it was.
    fn readable_by_all(&self, page: &str) -> Option<String> {
        let Back::Pages(back) = &self.back else {
            return None;
        };
        let server = &self.site.server;
        let there = server.docs.get(page)?;
        let mut was = back
            .values()
            .filter(|(doc, _)| doc.storage == there.storage);
        let was_kept = was.any(|(doc, is_kept)| doc.kind == ContentKind::Page && *is_kept);
        let is_open = was_kept && !is_kept(server, page);
        is_open.then(|| format!("everybody can read {page}: {there:?}"))
    }

    fn outcome_of(&self, id: &str) -> Option<&Outcome> {
        let mut lines = self.job.lines().iter();
        lines.find(|line| *line.subject == *id)?.outcome.as_ref()
    }

    /// What is told of something as put back is on its page, in its place.
    fn misplaced(
        &self,
        id: &str,
        doc: &Doc,
        back: &BTreeMap<String, (Doc, bool)>,
    ) -> Option<String> {
        let outcome = self.outcome_of(id);
        let new = made(outcome)?;
        if self.site.touched.contains_key(&new) {
            return None;
        }
        let told = format!("{id} is told as {outcome:?}");
        if matches!(outcome, Some(Outcome::Differs(_))) {
            return Some(format!("{told}, and nobody has changed it"));
        }
        let Some(now) = self.site.server.docs.get(&new) else {
            return Some(format!("{told} and is not there"));
        };
        if !hangs(&doc.kind) {
            let has_labels = doc.labels.iter().all(|label| now.labels.contains(label));
            let is_same = now.storage == doc.storage && (has_labels || told.contains("label"));
            return (!is_same).then(|| format!("{told} and is {now:?}"));
        }
        let above = doc.parent.clone().unwrap_or_default();
        let meant = made(self.outcome_of(&above));
        let answers = back.get(&above).is_some_and(|(it, _)| hangs(&it.kind));
        let is_alone = answers && told.contains("stands by itself");
        let is_in_place = is_alone || now.parent == meant;
        let is_it = now.kind == doc.kind && now.storage.ends_with(&doc.storage);
        (!(is_it && is_in_place)).then(|| format!("{told} and is {now:?}, not on {meant:?}"))
    }
}

fn check_what_was_put_back(run: &mut Run) {
    let Back::Pages(back) = std::mem::replace(&mut run.back, Back::Nothing) else {
        return;
    };
    for (id, (doc, _)) in &back {
        if let Some(wrong) = run.misplaced(id, doc, &back) {
            run.complain(wrong);
        }
        if !hangs(&doc.kind) {
            continue;
        }
        let alike = back
            .iter()
            .filter(|(_, (other, _))| other.kind == doc.kind && other.storage == doc.storage);
        let may_be_there = |id: &str| match run.outcome_of(id) {
            Some(Outcome::Done(_) | Outcome::Differs(_) | Outcome::Unknown(_)) => true,
            Some(Outcome::Failed(why)) => why.starts_with("It is back"),
            _ => false,
        };
        let told = alike.filter(|(id, _)| may_be_there(id)).count();
        let docs = run.site.server.docs.iter();
        let there = docs.filter(|(new, now)| {
            let is_alike = now.kind == doc.kind && now.storage.ends_with(&doc.storage);
            new.starts_with('n') && is_alike
        });
        let there = there.count();
        if there > told {
            let outcome = run.outcome_of(id);
            run.complain(format!("{there} of {doc:?}, told {told}: {outcome:?}"));
        }
    }
    for page in run.site.dropped.clone() {
        let is_there = run.site.server.docs.get(&page);
        let is_open = is_there
            .is_some_and(|doc| doc.restrictions.is_empty() && doc.status == ContentStatus::Current);
        let is_told = run.said.contains("restrict that page or delete it now")
            || run.said.contains("still kept from others")
            || run.said.contains(&format!("(id {page})"));
        if is_open && !is_told {
            run.complain(format!("everybody can read {page}, and nobody is told"));
        }
    }
}

#[test]
fn nothing_is_put_back_twice_or_where_everybody_could_read_it() {
    seeds::one_in(4, |seed| {
        let make = |weather| putting_back(seed, weather);
        (simulate(seed, &make, &check_what_was_put_back), 0)
    });
}
