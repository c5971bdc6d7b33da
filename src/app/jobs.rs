//! The jobs of this run: drives the machines of `jobs` with answers, writes and time, and keeps
//! the journal's chain.
//!
//! A job outlives the screen that started it. Its requests go out as any other; its lines of the
//! journal go out one at a time, in the order in which they were asked for.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::inflight::Waiter;
use super::layout::Pane;
use super::list::Cursor;
use super::message::{
    DiskCall, DiskError, DiskReply, ENTRIES, Effect, LogLevel, Millis, TextFile, Ticket,
};
use super::modal::Modal;
use super::modal::question::QuestionDialog;
use super::model::{Model, Writes};
use super::notice::Holds;
use super::pane::content::Tab;
use super::turn::Turns;
use crate::confluence::{AccessMode, ApiError, ErrorKind, Reply, SpaceStatus};
use crate::jobs::journal::{Chain, Entry, Reached, Record, Scribe};
use crate::jobs::{
    Act, Consent, Head, Job, JobEffect, JobEvent, JobId, JobState, JobWrite, Line, Outcome,
    RequestNo, Session, StoreError, Stored, Target, Thing, Unfit, WriteNo, done_to, ledger,
};
use crate::text::plain;

/// How many jobs that are over are remembered from run to run.
const KEPT: usize = 50;

/// Whether the journal takes lines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Journal {
    /// Not read yet: what is to be written waits.
    Unread,
    /// Its chain goes on.
    Open(Scribe<(JobId, WriteNo)>),
    /// It takes no line: what is wrong with it and what to do, as sentences. Writes stop, reads go on.
    Closed(String),
}

/// What the jobs await of the disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum Stores {
    /// The journal and the jobs of earlier runs.
    Recovery,
    /// A line of the journal.
    Line,
    /// Whether it is our turn to write.
    Turn,
    /// The file of an old job was removed, or the turn given up; if not, the next start tries again.
    Tidied,
    /// Anything else that a job wrote or read.
    /// Of a job; whether the list of backups shows it.
    Job(JobId, WriteNo, bool),
}

/// A job of this run, or one found from an earlier run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entered {
    /// The job.
    pub job: Job,
    /// Whether it was found on disk and not begun in this run.
    pub found: bool,
    /// The other process that is at work on it: "process 4711 since 14:02".
    pub elsewhere: Option<String>,
}

impl Entered {
    /// A job of this run.
    pub fn begun(job: Job) -> Self {
        Self {
            job,
            found: false,
            elsewhere: None,
        }
    }

    /// A job that was found on disk.
    pub fn found(job: Job) -> Self {
        Self {
            job,
            found: true,
            elsewhere: None,
        }
    }

    /// Whether an earlier run left it unfinished, and nobody is at work on it.
    pub fn is_left_over(&self) -> bool {
        self.found && self.elsewhere.is_none() && !self.job.state().is_over()
    }
}

/// What follows when the jobs have come to rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::app) enum Ending {
    /// The program ends with this exit code.
    Quit(u8),
    /// The profile of this name is opened.
    Switch(String),
}

/// All jobs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jobs {
    /// Those that are not over, then those that are; the newest first in both.
    pub list: Vec<Entered>,
    /// The journal.
    pub journal: Journal,
    /// What the journal says, the oldest first.
    pub entries: Vec<Entry>,
    /// Files that are no jobs though they are named like ones, each with what is wrong with it.
    pub aside: Vec<String>,
    /// The cursor of the view.
    pub cursor: Cursor,
    /// Forms that were left while the job that saves them is at work: they come back when it fails.
    pub(in crate::app) parked: Vec<Modal>,
    /// Set when the program ends, or another profile is opened, as soon as what is under way is
    /// known.
    pub(in crate::app) ending: Option<Ending>,
    /// Writes whose answers are not here yet.
    writes_out: BTreeSet<(JobId, RequestNo)>,
    waiting: BTreeMap<Ticket, Stores>,
    /// Whose turn it is to write.
    pub turns: Turns,
    /// Lines that came before the journal was read.
    early: Vec<((JobId, WriteNo), Record)>,
    made: u64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            journal: Journal::Unread,
            entries: Vec::new(),
            aside: Vec::new(),
            cursor: Cursor::default(),
            parked: Vec::new(),
            ending: None,
            writes_out: BTreeSet::new(),
            waiting: BTreeMap::new(),
            turns: Turns::default(),
            early: Vec::new(),
            made: 0,
        }
    }
}

impl Jobs {
    /// A job by its name.
    pub fn get(&self, id: &JobId) -> Option<&Job> {
        self.entered(id).map(|entered| &entered.job)
    }

    /// A job by its name, with where it is from.
    pub fn entered(&self, id: &JobId) -> Option<&Entered> {
        self.list
            .iter()
            .find(|entered| entered.job.head().id == *id)
    }

    /// The job under the cursor of the view.
    pub fn at_cursor(&self) -> Option<&Entered> {
        self.list.get(self.cursor.at)
    }

    /// The job that was made last.
    pub fn newest(&self) -> Option<&Job> {
        self.list
            .iter()
            .rev()
            .map(|entered| &entered.job)
            .max_by_key(|job| job.head().created)
    }

    /// Puts the cursor of the view on a job.
    pub(in crate::app) fn point_at(&mut self, id: &JobId) {
        let here = |entered: &Entered| entered.job.head().id == *id;
        if let Some(at) = self.list.iter().position(here) {
            self.cursor.at = at;
        }
    }

    /// Puts the jobs in their order; the cursor stays on its job.
    pub(super) fn arrange(&mut self) {
        let here = self.at_cursor().map(|it| it.job.head().id.clone());
        self.list.sort_by_key(|entered| {
            let job = &entered.job;
            (job.state().is_over(), Reverse(job.head().created))
        });
        if let Some(id) = here {
            self.point_at(&id);
        }
    }

    fn get_mut(&mut self, id: &JobId) -> Option<&mut Job> {
        self.list
            .iter_mut()
            .map(|entered| &mut entered.job)
            .find(|job| job.head().id == *id)
    }

    /// The jobs that are not over and were begun in this run, or taken up again.
    pub fn at_work(&self) -> impl Iterator<Item = &Job> {
        self.list
            .iter()
            .filter(|entered| !entered.found)
            .map(|entered| &entered.job)
            .filter(|job| !job.state().is_over())
    }

    /// The jobs that an earlier run left unfinished.
    pub fn left_over(&self) -> usize {
        self.list
            .iter()
            .filter(|entered| entered.is_left_over())
            .count()
    }

    /// When a job next wants the time.
    pub fn deadline(&self) -> Option<Millis> {
        self.list
            .iter()
            .filter_map(|entered| entered.job.deadline())
            .min()
            .map(Millis)
    }

    /// Whether nothing is awaited from the disk.
    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether it is known of every write that left what became of it, and this is on disk.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.writes_out.is_empty()
    }

    /// Whether the program only waits for the answers that are under way to end.
    pub fn is_ending(&self) -> bool {
        matches!(self.ending, Some(Ending::Quit(_)))
    }
}

impl Model {
    /// Reads the journal and the jobs that an earlier run left.
    pub(in crate::app) fn recover_jobs(&mut self, out: &mut Vec<Effect>) {
        let ticket = self.inflight.ticket();
        self.jobs.waiting.insert(ticket, Stores::Recovery);
        out.push(Effect::Disk {
            ticket,
            call: DiskCall::ReadJobs,
        });
    }

    /// Why journal, jobs and backups are closed, if they are: nothing can be kept.
    pub fn why_closed(&self) -> Option<&str> {
        match &self.writes {
            Writes::Unkept(why) => Some(why),
            Writes::Allowed | Writes::ReadOnly(_) | Writes::Protected => None,
        }
    }

    /// Why nothing may be written now; `None` when it may.
    pub fn why_read_only(&self) -> Option<String> {
        match (&self.writes, self.session.access, &self.jobs.journal) {
            (Writes::ReadOnly(reason) | Writes::Unkept(reason), ..) => Some(reason.clone()),
            (Writes::Protected, ..) => Some(self.spell(&format!(
                "The profile {} is protected. ‹unlock› opens it for writing until you quit.",
                self.profile.name
            ))),
            (_, Some(AccessMode::ReadOnly), _) => Some(self.spell(
                "The site is in read-only mode: it takes no changes now. ‹refresh› asks again.",
            )),
            (.., Journal::Closed(why)) => Some(format!("{why} Until then nothing is changed.")),
            (Writes::Allowed, _, Journal::Unread | Journal::Open(_)) => None,
        }
    }

    /// What a job is about, with the server that it is meant for.
    pub(in crate::app) fn target(&self, act: Act) -> Target {
        Target {
            act,
            profile: self.profile.name.clone(),
            server: self.profile.address().into(),
            spaces: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Where and as whom we are signed in.
    pub(in crate::app) fn signed_in(&self) -> Session {
        Session {
            profile: self.profile.name.clone(),
            address: self.profile.address(),
            user: self.username(),
        }
    }

    fn username(&self) -> Option<String> {
        let user = self.session.user.value();
        user.and_then(|user| user.username.clone())
    }

    /// The head of a new job.
    pub(in crate::app) fn head(&mut self, title: impl Into<String>, target: Target) -> Head {
        self.jobs.made += 1;
        let created = self.time(self.now);
        // To the millisecond: a program that is started again within the second counts from one.
        let stamp = jiff::fmt::strtime::format("%Y%m%dT%H%M%S%3f", created)
            .unwrap_or_else(|_| created.as_millisecond().to_string());
        Head {
            // Backups of all profiles lie side by side and are named after their jobs.
            id: JobId::new(format!(
                "{stamp}-{}-{}-{}",
                plain_name(&target.profile),
                target.act.as_str(),
                self.jobs.made
            )),
            title: title.into(),
            target,
            created,
            user: self.username(),
        }
    }

    /// Begins a job; it goes on whatever is shown. Says its name.
    pub(in crate::app) fn begin_job(&mut self, job: Job, out: &mut Vec<Effect>) -> JobId {
        let id = job.head().id.clone();
        self.jobs.list.insert(0, Entered::begun(job));
        self.jobs.arrange();
        self.begin_at_turn(&id, out);
        id
    }

    /// Begins a job that may be unfit, and says so.
    pub(in crate::app) fn begin_fit(
        &mut self,
        job: Result<Job, Unfit>,
        out: &mut Vec<Effect>,
    ) -> Option<JobId> {
        match job {
            Ok(job) => Some(self.begin_job(job, out)),
            Err(unfit) => {
                self.say(LogLevel::Error, format!("{unfit} {}", unfit.hint()));
                None
            }
        }
    }

    pub(super) fn ask_for_turn(&mut self, out: &mut Vec<Effect>) {
        let ticket = self.inflight.ticket();
        self.jobs.waiting.insert(ticket, Stores::Turn);
        let call = DiskCall::TakeTurn;
        out.push(Effect::Disk { ticket, call });
    }

    pub(super) fn tell_turn_is_over(&mut self, out: &mut Vec<Effect>) {
        let ticket = self.inflight.ticket();
        self.jobs.waiting.insert(ticket, Stores::Tidied);
        let call = DiskCall::GiveTurn;
        out.push(Effect::Disk { ticket, call });
    }

    /// Goes on with a job, or takes up one that an earlier run left.
    pub(super) fn resume_now(
        &mut self,
        id: &JobId,
        consent: Option<Consent>,
        out: &mut Vec<Effect>,
    ) {
        let session = self.signed_in();
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        if let Err(not_here) = job.may_take_up(&session) {
            self.say(LogLevel::Warning, not_here.to_string());
            return;
        }
        // It was asked about as its file has it, which may lack the address.
        if let Some(consent) = consent
            && let Err(unfit) = job.agree(consent)
        {
            self.say(LogLevel::Error, format!("{unfit} {}", unfit.hint()));
            return;
        }
        if let Err(not_here) = job.take_up(session) {
            self.say(LogLevel::Warning, not_here.to_string());
            return;
        }
        if let Some(entered) = self
            .jobs
            .list
            .iter_mut()
            .find(|entered| entered.job.head().id == *id)
        {
            entered.found = false;
        }
        self.job_event(id, JobEvent::Resume, out);
    }

    /// Gives a job up.
    pub(super) fn cancel_now(&mut self, id: &JobId, out: &mut Vec<Effect>) {
        let session = self.signed_in();
        if let Some(job) = self.jobs.get_mut(id)
            && let Err(not_here) = job.take_up(session)
        {
            self.say(LogLevel::Warning, not_here.to_string());
            return;
        }
        self.job_event(id, JobEvent::Cancel, out);
    }

    /// Lets something happen to a job and does what it asks for.
    pub(in crate::app) fn job_event(&mut self, id: &JobId, event: JobEvent, out: &mut Vec<Effect>) {
        let now = self.now.0;
        if event == JobEvent::Pause {
            self.wait_no_more(id);
        }
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        let was_over = job.state().is_over();
        let had_trouble = job.trouble().is_some();
        let effects = job.step(now, event);
        let is_over = job.state().is_over();
        self.session.lists_lie |= job.caught_a_list();
        let trouble = job
            .trouble()
            .filter(|_| !had_trouble)
            .map(|trouble| format!("{} waits. {trouble} ‹jobs› shows it.", job.head().title));
        if let Some(trouble) = trouble {
            self.say_while(Holds::WhileWaiting(id.clone()), LogLevel::Error, trouble);
        }
        for effect in effects {
            match effect {
                JobEffect::Send { request, call } => {
                    if !call.is_read() {
                        self.jobs.writes_out.insert((id.clone(), request));
                    }
                    self.inflight
                        .ask(Waiter::Job(id.clone(), request), call, self.now, out);
                }
                JobEffect::Write { write, what } => self.job_write(id, write, what, out),
                JobEffect::Ask(_) => self.ask_person(id),
                JobEffect::GiveUpWrite { write } => {
                    let is_it = |it: &Stores| matches!(it, Stores::Job(of, no, _) if of == id && *no == write);
                    let of_it = self.jobs.waiting.iter().filter(|(_, it)| is_it(it));
                    out.extend(of_it.map(|(ticket, _)| Effect::CancelDisk(*ticket)));
                }
                JobEffect::GiveUp { request } => {
                    self.jobs.writes_out.remove(&(id.clone(), request));
                    let waiter = Waiter::Job(id.clone(), request);
                    self.inflight.cancel(out, |other| *other == waiter);
                }
            }
        }
        self.write_lines(out);
        if is_over && !was_over {
            self.jobs.arrange();
            self.job_ended(id, out);
            self.backups_changed(out);
        }
    }

    fn job_write(&mut self, id: &JobId, write: WriteNo, what: JobWrite, out: &mut Vec<Effect>) {
        let is_seen = matches!(
            what,
            JobWrite::MakeFolder { .. } | JobWrite::BackupFile { .. } | JobWrite::Release { .. }
        );
        let call = match what {
            JobWrite::Journal(record) => {
                match &mut self.jobs.journal {
                    Journal::Unread => self.jobs.early.push(((id.clone(), write), *record)),
                    Journal::Open(scribe) => scribe.push((id.clone(), write), *record),
                    Journal::Closed(why) => {
                        let outcome = Err(StoreError {
                            message: why.clone(),
                        });
                        self.job_event(id, JobEvent::Written { write, outcome }, out);
                    }
                }
                return;
            }
            JobWrite::Checkpoint(text) => DiskCall::WriteState {
                name: checkpoint(id),
                text,
            },
            JobWrite::BackupFile {
                backup,
                name,
                bytes,
            } => DiskCall::WriteBackup {
                backup,
                name,
                bytes,
            },
            JobWrite::MakeFolder { backup } => DiskCall::MakeBackup { backup },
            JobWrite::CheckZip {
                backup,
                name,
                sha256,
                space,
                expected,
            } => DiskCall::CheckZip {
                backup,
                name,
                sha256,
                space,
                expected,
            },
            JobWrite::CheckRoom { bytes, .. } => DiskCall::CheckRoom { bytes },
            JobWrite::CheckFile { backup, file } => DiskCall::CheckFile { backup, file },
            JobWrite::ReadBack { backup, name } => DiskCall::ReadBackup { backup, name },
            JobWrite::Prove(claim) => DiskCall::ProveBackups(claim),
            JobWrite::Hold { backup } => DiskCall::HoldBackup { backup },
            JobWrite::Release { backup } => DiskCall::ReleaseBackup { backup },
        };
        let ticket = self.inflight.ticket();
        self.jobs
            .waiting
            .insert(ticket, Stores::Job(id.clone(), write, is_seen));
        out.push(Effect::Disk { ticket, call });
    }

    /// Sends the next line of the journal, if none is on its way.
    fn write_lines(&mut self, out: &mut Vec<Effect>) {
        let time = self.time(self.now);
        let session = self.signed_in();
        let Journal::Open(scribe) = &mut self.jobs.journal else {
            return;
        };
        if let Some(line) = scribe.next_line(time, &session) {
            if let Ok(entry) = serde_json::from_str::<Entry>(&line) {
                if self.jobs.entries.len() >= ENTRIES {
                    self.jobs.entries.drain(..ENTRIES / 10);
                }
                self.jobs.entries.push(entry);
            }
            let ticket = self.inflight.ticket();
            self.jobs.waiting.insert(ticket, Stores::Line);
            out.push(Effect::Disk {
                ticket,
                call: DiskCall::AppendJournal(line),
            });
        }
    }

    /// Takes what the disk did for a job. Says whether it was for one.
    pub(in crate::app) fn job_disk(
        &mut self,
        ticket: Ticket,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) -> Option<Result<DiskReply, DiskError>> {
        let Some(waiter) = self.jobs.waiting.remove(&ticket) else {
            return Some(outcome);
        };
        match waiter {
            Stores::Recovery => self.recovered(outcome, out),
            Stores::Turn => self.turn_came(outcome, out),
            Stores::Tidied => {}
            Stores::Line => {
                let reached = if outcome.is_ok() {
                    Reached::Yes
                } else {
                    Reached::No
                };
                let Journal::Open(scribe) = &mut self.jobs.journal else {
                    return None;
                };
                let who = scribe.written(reached);
                if reached == Reached::No {
                    self.jobs.entries.pop();
                }
                let outcome = outcome.map(|_| Stored::Done).map_err(|error| StoreError {
                    message: error.message,
                });
                for (id, write) in who {
                    let outcome = outcome.clone();
                    self.job_event(&id, JobEvent::Written { write, outcome }, out);
                }
                self.write_lines(out);
            }
            Stores::Job(id, write, is_seen) => {
                let outcome = match outcome {
                    Ok(DiskReply::Bytes(Some(bytes))) => Ok(Stored::Bytes(bytes)),
                    Ok(DiskReply::Bytes(None)) => Err(StoreError {
                        message: "A file of the backup is gone.".to_owned(),
                    }),
                    Ok(DiskReply::Zip(found)) => Ok(Stored::Zip(found)),
                    Ok(DiskReply::Standing(standing)) => Ok(Stored::Standing(standing)),
                    Ok(DiskReply::Gone) => Ok(Stored::Gone),
                    Ok(_) => Ok(Stored::Done),
                    Err(error) => Err(StoreError {
                        message: error.message,
                    }),
                };
                self.job_event(&id, JobEvent::Written { write, outcome }, out);
                if is_seen {
                    self.backups_changed(out);
                }
            }
        }
        None
    }

    fn recovered(&mut self, outcome: Result<DiskReply, DiskError>, out: &mut Vec<Effect>) {
        let (journal, checkpoints, at_work) = match outcome {
            Ok(DiskReply::Jobs {
                journal,
                checkpoints,
                at_work,
            }) => (journal, checkpoints, at_work),
            Ok(_) => (Box::new(Ok(ledger::Journal::default())), Vec::new(), None),
            Err(error) => {
                let why = format!(
                    "The journal can't be read: {error} Mend it, or move it aside, then start again."
                );
                let text = format!("{why} Until then nothing is changed.");
                let level = LogLevel::Warning;
                // That nothing can be kept was told already, and why.
                if self.why_closed().is_some() {
                    self.keep(super::message::LogLine { level, text });
                } else {
                    self.say(level, text);
                }
                self.close_journal(why, out);
                return;
            }
        };
        match *journal {
            Err(broken) => {
                self.close_journal(format!("{broken} {}", broken.hint()), out);
                self.say(
                    LogLevel::Warning,
                    format!("{broken} {} Until then nothing is changed.", broken.hint()),
                );
            }
            Ok(ledger::Journal {
                recent,
                needed,
                verified,
            }) => {
                for aside in &verified.set_aside {
                    self.keep(super::message::LogLine {
                        level: LogLevel::Info,
                        text: format!(
                            "Line {} of the journal does not count: {}",
                            aside.line, aside.why
                        ),
                    });
                }
                self.open_journal(verified.chain, out);
                let found = self.found_jobs(&checkpoints, &needed);
                // Another process may be at work on what is open here: it is left to that one.
                let mine_to_write = !matches!(self.writes, Writes::ReadOnly(_) | Writes::Unkept(_));
                // What is over is told for a while; its lines stay in the journal.
                let old = if mine_to_write {
                    found.over.len().saturating_sub(KEPT)
                } else {
                    0
                };
                for job in &found.over[..old] {
                    let name = checkpoint(&job.head().id);
                    let ticket = self.inflight.ticket();
                    self.jobs.waiting.insert(ticket, Stores::Tidied);
                    let call = DiskCall::RemoveState { name };
                    out.push(Effect::Disk { ticket, call });
                }
                let old = found.over.into_iter().chain(found.open).map(Entered::found);
                let mine = std::mem::take(&mut self.jobs.list);
                self.jobs.list = mine.into_iter().chain(old).collect();
                self.jobs.cursor = Cursor::default();
                self.jobs.arrange();
                self.told_at_work(at_work.as_ref());
                let open = if mine_to_write {
                    self.jobs.left_over()
                } else {
                    0
                };
                let mine = std::mem::take(&mut self.jobs.entries);
                self.jobs.entries = recent.into_iter().chain(mine).collect();
                if open > 0 {
                    self.say_while(
                        Holds::WhileLeftOver,
                        LogLevel::Warning,
                        format!(
                            "{} of an earlier run {} not finished. ‹jobs› shows {}; nothing goes on by itself.",
                            crate::text::number::count(open as u64, "job"),
                            if open == 1 { "is" } else { "are" },
                            if open == 1 { "it" } else { "them" },
                        ),
                    );
                    self.jobs.cursor.at = 0;
                    if self.modals.is_empty() {
                        self.modals.push(Modal::Jobs);
                    }
                }
            }
        }
    }

    /// The jobs in these files. What is none is left aside, each by its name.
    pub(super) fn found_jobs(&mut self, files: &[TextFile], needed: &[Entry]) -> ledger::Found {
        let mut found = ledger::Found::default();
        for file in files {
            let job = match &file.text {
                Ok(text) => Job::reopen(text, needed)
                    .map_err(|problem| format!("{problem} {}", problem.hint())),
                Err(why) => Err(why.clone()),
            };
            let why = match job {
                Ok(job) if !file.name.is_empty() && checkpoint(&job.head().id) != file.name => {
                    "It is a copy: the job in it has another name.".to_owned()
                }
                Ok(job) if job.state().is_over() => {
                    found.over.push(job);
                    continue;
                }
                Ok(job) => {
                    found.open.push(job);
                    continue;
                }
                Err(why) => why,
            };
            let name = plain::scrub(&file.name);
            let told = format!("{name} is left aside. {why}");
            if !self.jobs.aside.contains(&told) {
                self.jobs.aside.push(told.clone());
            }
            self.say(LogLevel::Warning, told);
        }
        found
    }

    /// The journal takes no lines: what waited for it is told so.
    pub(super) fn close_journal(&mut self, why: String, out: &mut Vec<Effect>) {
        self.jobs.journal = Journal::Closed(why.clone());
        for ((id, write), _) in std::mem::take(&mut self.jobs.early) {
            let outcome = Err(StoreError {
                message: why.clone(),
            });
            self.job_event(&id, JobEvent::Written { write, outcome }, out);
        }
    }

    /// Lets the jobs come to rest: nothing new leaves, and what left is answered and written down.
    pub(in crate::app) fn rest_jobs(&mut self, out: &mut Vec<Effect>) {
        let at_work: Vec<JobId> = self
            .jobs
            .at_work()
            .map(|job| job.head().id.clone())
            .collect();
        for id in at_work {
            self.job_event(&id, JobEvent::Pause, out);
        }
    }

    /// Ends the program, or opens another profile, when that was asked for and nothing is under way
    /// any more.
    pub(in crate::app) fn quit_when_quiet(&mut self, out: &mut Vec<Effect>) {
        if self.quitting || !self.jobs.is_settled() {
            return;
        }
        match self.jobs.ending.clone() {
            Some(Ending::Quit(code)) => self.quit_now(code, out),
            Some(Ending::Switch(to)) => {
                self.jobs.ending = None;
                self.switch_now(to, out);
            }
            None => {}
        }
    }

    pub(super) fn open_journal(&mut self, chain: Chain, out: &mut Vec<Effect>) {
        let mut scribe = Scribe::new(chain);
        for (who, record) in std::mem::take(&mut self.jobs.early) {
            scribe.push(who, record);
        }
        self.jobs.journal = Journal::Open(scribe);
        self.write_lines(out);
    }

    /// Takes an answer for a job.
    pub(in crate::app) fn job_answered(
        &mut self,
        id: &JobId,
        request: RequestNo,
        outcome: Result<Reply, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        if let Err(error) = &outcome
            && error.kind == ErrorKind::ReadOnlySite
        {
            self.session.access = Some(AccessMode::ReadOnly);
        }
        self.jobs.writes_out.remove(&(id.clone(), request));
        self.job_event(id, JobEvent::Reply { request, outcome }, out);
    }

    /// Tells a job how far one of its files is.
    pub(in crate::app) fn job_moved(
        &mut self,
        ticket: Ticket,
        done: u64,
        total: u64,
        out: &mut Vec<Effect>,
    ) {
        let of_disk = match self.jobs.waiting.get(&ticket) {
            Some(Stores::Job(id, _, _)) => Some(id.clone()),
            _ => None,
        };
        let id = of_disk.or_else(|| match &self.inflight.get(ticket)?.waiter {
            Waiter::Job(id, _) => Some(id.clone()),
            _ => None,
        });
        if let Some(id) = id {
            self.job_event(&id, JobEvent::Moved { done, total }, out);
        }
    }

    /// Tells the jobs whose time has come.
    pub(in crate::app) fn tick_jobs(&mut self, out: &mut Vec<Effect>) {
        let due: Vec<JobId> = self
            .jobs
            .list
            .iter()
            .filter(|entered| entered.job.deadline().is_some_and(|at| at <= self.now.0))
            .map(|entered| entered.job.head().id.clone())
            .collect();
        for id in due {
            self.job_event(&id, JobEvent::Tick, out);
        }
    }

    /// A job has a question: it comes on top, unless another one is being answered.
    fn ask_person(&mut self, id: &JobId) {
        let asked = self
            .modals
            .iter()
            .any(|modal| matches!(modal, Modal::Question(dialog) if dialog.job == *id));
        if asked {
            return;
        }
        // It must not come between somebody and the keys that are being typed for something else.
        let free = match self.modals.last() {
            None | Some(Modal::Jobs | Modal::Job(_)) => !self.typing_filter(),
            Some(Modal::NewSpace(form)) => form.job.as_ref() == Some(id),
            Some(Modal::EditSpace(form)) => form.job.as_ref() == Some(id),
            Some(_) => false,
        };
        let Some(job) = self.jobs.get(id) else { return };
        if !free {
            let title = job.head().title.clone();
            self.say_while(
                Holds::WhileAsking(id.clone()),
                LogLevel::Warning,
                format!("{title} asks you something. ‹jobs› shows the job, Enter its question."),
            );
        } else if let Some(dialog) = QuestionDialog::of(job) {
            self.modals.push(Modal::Question(dialog));
        }
    }

    /// Asks what the job of the form on top asks. It could not while another dialog lay over the form,
    /// which alone does not get on.
    pub(in crate::app) fn ask_over_form(&mut self) {
        let id = self.modals.last().and_then(Modal::saved_by);
        let id = id.filter(|id| !self.jobs.turns.is_awaited_for(id));
        let job = id.and_then(|id| self.jobs.get(id));
        if let Some(dialog) = job.and_then(QuestionDialog::of) {
            self.modals.push(Modal::Question(dialog));
        }
    }

    /// A job is over: say how it ended, and show the wiki as it is now.
    fn job_ended(&mut self, id: &JobId, out: &mut Vec<Effect>) {
        if self.plan_was_rehearsed(id, out) {
            return;
        }
        let Some(job) = self.jobs.get(id) else { return };
        let (title, state, act) = (job.head().title.clone(), job.state(), job.head().target.act);
        let failed: Vec<String> = job
            .lines()
            .iter()
            .filter_map(|line| match &line.outcome {
                Some(
                    Outcome::Failed(why)
                    | Outcome::Differs(why)
                    | Outcome::Unknown(why)
                    | Outcome::NotSaved(why),
                ) => Some(told_of(job, line, why)),
                _ => None,
            })
            .collect();
        let noted = noted(job);
        let outcomes = job.outcomes();
        // Of one thing, its outcome says all.
        let counted = if outcomes.is_all_done() || outcomes.total() < 2 {
            String::new()
        } else {
            format!(" {}.", outcomes.in_words(act))
        };
        let backup = match act {
            Act::PurgeMarked | Act::PurgeAll | Act::BackUp | Act::BackUpSpaces => {
                " ‹backups› shows the backup."
            }
            _ => "",
        };
        // What the whole job ended for says again what its first line failed for, and what to do.
        let first = failed.first().map(String::as_str);
        let first = first.filter(|it| !job.halted().is_some_and(|halt| halt.starts_with(it)));
        let why: Vec<&str> = first.into_iter().chain(job.halted()).collect();
        let why = why.join(" ");
        let more = if failed.len() > 1 {
            format!(
                " ({} in all; ‹jobs› shows them.)",
                crate::text::number::grouped(failed.len() as u64)
            )
        } else {
            String::new()
        };
        let (level, text) = match state {
            JobState::Done | JobState::Failed if job.would().is_some() => {
                let level = match state {
                    JobState::Done => LogLevel::Info,
                    _ => LogLevel::Error,
                };
                (level, told_of_dry_run(job))
            }
            JobState::Done if outcomes.is_all_left_out() => (
                LogLevel::Warning,
                format!("{title}: all of it was left out. {}{backup}", left_out(job)),
            ),
            JobState::Done => {
                let late = if job.was_cancelled_too_late() {
                    " It was too late to cancel."
                } else {
                    ""
                };
                let text = format!("{title}: done.{late}{counted}{noted}{backup}");
                (LogLevel::Info, text)
            }
            JobState::Cancelled if job.would().is_some() => (
                LogLevel::Warning,
                "Dry run: cancelled. Nothing was changed.".to_owned(),
            ),
            JobState::Cancelled => (
                LogLevel::Warning,
                format!(
                    "{title}: cancelled.{counted}{} ‹jobs› shows what was done.",
                    stopped(job)
                ),
            ),
            JobState::Unknown => (
                LogLevel::Error,
                format!("{title}: it is not known what became of it.{counted} {why}{more}"),
            ),
            _ if job.is_stopped() => (
                LogLevel::Warning,
                format!("{title}: stopped.{counted} {why}{more}"),
            ),
            _ => (
                LogLevel::Error,
                format!("{title}: failed.{counted} {why}{more}"),
            ),
        };
        let subjects: Vec<String> = job
            .lines()
            .iter()
            .map(|line| line.subject.to_string())
            .collect();
        let done: Vec<String> = job
            .lines()
            .iter()
            .filter(|line| {
                let outcome = line.outcome.as_ref();
                outcome.is_some_and(Outcome::leaves_nothing_to_do)
            })
            .map(|line| line.subject.to_string())
            .collect();
        let about = &job.head().target;
        let items = about.items.iter().filter_map(|item| item.space.clone());
        let spaces: Vec<crate::confluence::SpaceKey> = about
            .spaces
            .iter()
            .map(|space| space.key.clone())
            .chain(items)
            .collect();
        self.say(level, text);
        self.form_job_ended(id, out);
        let height = self.rows_of(Pane::Spaces);
        match act {
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::ArchiveSpaces
            | Act::RestoreSpaces
            | Act::RestoreFromBackup => {
                // What is done shows at once: else `a`, pressed again, would do it a second time.
                let standing = match act {
                    Act::ArchiveSpaces => Some(SpaceStatus::Archived),
                    Act::RestoreSpaces => Some(SpaceStatus::Current),
                    _ => None,
                };
                for key in done.iter().map(crate::confluence::SpaceKey::new) {
                    if standing.is_some()
                        && let Some(mut space) = self.spaces.table.get(&key).cloned()
                    {
                        space.status = standing;
                        self.spaces.replace(&space, height);
                    }
                }
                for key in subjects.iter().map(crate::confluence::SpaceKey::new) {
                    self.detail.forget(&key);
                    self.inflight.ask(
                        Waiter::Changed(key.clone()),
                        crate::confluence::Call::Space {
                            key,
                            expand: super::pane::detail::EXPAND.to_owned(),
                        },
                        self.now,
                        out,
                    );
                }
            }
            Act::DeleteSpaces => {
                for key in done.iter().map(crate::confluence::SpaceKey::new) {
                    self.detail.forget(&key);
                    self.content.forget(&key);
                    self.spaces.remove(&key, height);
                }
                self.moved = Some(self.now);
            }
            Act::PurgeMarked | Act::PurgeAll | Act::RestoreContent => {
                let gone = done.iter().map(crate::confluence::ContentId::new).collect();
                self.across_gone(&spaces, &gone);
                for key in &spaces {
                    self.content.forget(key);
                }
                // Another space that is shown by now keeps what it shows, marks and all.
                if !self
                    .content
                    .space
                    .as_ref()
                    .is_some_and(|key| spaces.contains(key))
                {
                    return;
                }
                for id in done.iter().map(crate::confluence::ContentId::new) {
                    self.content.trees.trash.marks.remove(&id);
                }
                if self.content.tab == Tab::Trash {
                    self.reload_content(out);
                } else {
                    self.content.trees.trash_read = super::pane::content::TrashRead::Not;
                    self.content.trees.trash = super::pane::content::Outline::default();
                }
                if act == Act::RestoreContent {
                    self.load_roots(out);
                }
            }
            Act::Recreate => {
                for key in &spaces {
                    self.content.forget(key);
                }
                if self
                    .content
                    .space
                    .as_ref()
                    .is_some_and(|key| spaces.contains(key))
                {
                    self.load_roots(out);
                }
            }
            Act::BackUp | Act::BackUpSpaces | Act::OpenForWriting | Act::DryRun => {}
        }
    }
}

/// What a dry run has found: how many of its things the act would do, and why not the first of the
/// others. Never as if anything was done.
fn told_of_dry_run(job: &Job) -> String {
    use crate::text::number::{count, grouped};
    let act = job.would().unwrap_or(Act::DryRun);
    let target = &job.head().target;
    let lines = job.lines();
    let fit = job.outcomes().done;
    let noun = match lines.first().map(|line| line.thing) {
        Some(Thing::Space) => "space",
        Some(Thing::Content) | None => "item",
    };
    let all = count(lines.len() as u64, noun);
    let many = match (noun, target.spaces.as_slice()) {
        ("space", [one]) => one.key.to_string(),
        ("item", [one]) if act != Act::Recreate => format!("{all} of {}", one.key),
        _ => all,
    };
    let place = match target.spaces.as_slice() {
        [one] if act == Act::Recreate => format!(" in {}", one.key),
        _ => String::new(),
    };
    let verb = format!("be {}{place}", done_to(act));
    let what = match (fit, lines.len()) {
        (0, 1) => format!("{many} would not {verb}"),
        (0, _) => format!("None of {many} would {verb}"),
        (fit, len) if fit < len => {
            format!("{} of {many} would {verb}", grouped(fit as u64))
        }
        _ => format!("{many} would {verb}"),
    };
    let why = |line: &Line| match &line.outcome {
        Some(Outcome::Gone) => Some(told_of(job, line, "It is not there any more.")),
        Some(
            Outcome::Failed(why)
            | Outcome::Differs(why)
            | Outcome::Skipped(why)
            | Outcome::NotTried(why)
            | Outcome::Stopped(why)
            | Outcome::Unknown(why)
            | Outcome::NotSaved(why),
        ) => Some(told_of(job, line, why)),
        Some(Outcome::Done(_) | Outcome::WithPage) | None => None,
    };
    let mut others = lines.iter().filter_map(why);
    let first = others.next().or_else(|| job.halted().map(str::to_owned));
    let first = first.map_or_else(String::new, |why| format!(" {why}"));
    let more = match others.count() {
        0 => "",
        _ => " ‹jobs› shows the others.",
    };
    format!("Dry run: nothing was changed. {what}.{first}{more}")
}

/// What the server has of what was stopped while it was under way; empty where nothing was.
fn stopped(job: &Job) -> String {
    let mut stopped = job.lines().iter().filter_map(|line| match &line.outcome {
        Some(Outcome::Stopped(why)) => Some(told_of(job, line, why)),
        _ => None,
    });
    let first = stopped.next();
    first.map_or_else(String::new, |first| format!(" {first}"))
}

/// Why the first of what a job left out was left out.
fn left_out(job: &Job) -> String {
    let mut left = job.lines().iter().filter_map(|line| match &line.outcome {
        Some(Outcome::Skipped(why)) => Some(told_of(job, line, why)),
        _ => None,
    });
    let first = left.next().unwrap_or_default();
    match left.count() {
        0 => first,
        others => format!(
            "{first} (and {} more; ‹jobs› shows them.)",
            crate::text::number::grouped(others as u64)
        ),
    }
}

/// What is told of one thing of a job. What the job's title names already is not named again.
fn told_of(job: &Job, line: &Line, what: &str) -> String {
    let alone = job.lines().len() == 1 && line.thing == Thing::Space;
    if alone {
        what.to_owned()
    } else {
        format!("{}: {what}", line.name())
    }
}

/// What is to be told of what a job has done; empty where nothing is.
fn noted(job: &Job) -> String {
    let mut noted: Vec<(&Line, &str)> = Vec::new();
    for line in job.lines() {
        if let Some(Outcome::Done(Some(note))) = &line.outcome {
            noted.push((line, note));
        }
    }
    let Some((line, note)) = noted.first() else {
        return String::new();
    };
    let count = noted.len() as u64;
    if count == 1 {
        format!(" {}", told_of(job, line, note))
    } else if noted.iter().all(|(_, other)| other == note) {
        format!(
            " For each of {}: {note}",
            crate::text::number::count(count, "item")
        )
    } else {
        let first = told_of(job, line, note);
        format!(
            " {first} ‹jobs› shows this and what is to be said of {} more.",
            crate::text::number::grouped(count - 1)
        )
    }
}

/// A name as part of a file's name: what isn't a letter or digit of ASCII becomes a hyphen.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(plain).take(40).collect()
}

/// The name of the file that a job's checkpoint is in.
pub fn checkpoint(id: &JobId) -> String {
    format!("job-{id}.json")
}
