//! Where every job's requests and writes pass: numbers, write-ahead, waiting, trying again.
//!
//! A machine asks the desk for reads and writes about its things. The desk sees to it that a write is
//! in the journal before it is sent and that its end is written after, that what was certainly not
//! applied is sent again after a while, and that nothing destructive leaves without a consent. It
//! decides nothing about the work itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::consent::{self, Act, Consent, Shown, Target};
use super::effect::{JobEffect, JobWrite, StoreError, Stored};
use super::head::Head;
use super::journal::{Phase, Record};
use super::line::{Line, Outcome};
use super::names::{JobId, RequestNo, WriteNo};
use super::outcomes::Outcomes;
use super::proof::{Claim, Ground, Permit, Standing};
use super::question::Question;
use super::saved_server::SavedServer;
use super::session::Session;
use super::state::Progress;
use super::step::Step;
use crate::confluence::call::Method;
use crate::confluence::retry::{self, LONGEST_LIMIT_WAIT_MS};
use crate::confluence::{ApiError, Call, ErrorKind, Reply, SpaceKey};
use crate::text::number;

mod broken_off;

/// The thing number of what is about the job as a whole.
pub(super) const WHOLE: u32 = u32::MAX;
/// Requests of one job that may be under way at once.
const CONCURRENCY: usize = 4;
/// Files of a backup that may be on their way to the disk.
const FILES_AT_ONCE: usize = 2;
/// How often a read is tried.
const READ_TRIES: u32 = 6;
/// How often a read that can be done without.
const SPARE_TRIES: u32 = 2;
/// How often a write that did not reach the server is tried.
const CONNECT_TRIES: u32 = 12;
/// How often 429 is obeyed for one request.
const LIMITED_TRIES: u32 = 30;
/// Writes after which the job is stored again, so that little has to be replayed.
const WRITES_PER_CHECKPOINT: u32 = 256;
/// What is said of a write to which no answer came that tells whether it was done: the line dropped, or
/// the server failed over it.
pub(super) const UNTOLD: &str = "No answer told whether it was done";

/// What is known of an upload that was broken off: the first half of a sentence.
const BROKEN_OFF: &str = "It was stopped while the file was being sent";
/// What is said while the server is asked about it.
const ASKS_WHAT_IT_HAS: &str = "Stopped. Asking the server what it has";

/// How often a write whose answer was lost is looked for before it counts as not applied: at once,
/// then after 1, 2 and 4 seconds. A server, or a proxy's queue, may still be at it.
const LOOKS: u32 = 4;
/// About so many times a long job is stored between its beginning and its end.
const CHECKPOINTS: u32 = 16;

/// What the journal notes of a write that destroys what was not saved.
const WITHOUT_BACKUP: &str = "Without a backup, which was declined.";
/// What is said while the disk reads what a destroying write stands on.
const READING_BACK: &str = "Reading the backup back";

/// What is known of how a write went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    /// It is applied: a read has shown it, or nothing can show it better than the answer.
    Applied {
        /// The id of what it made.
        made: Option<String>,
    },
    /// The server answered that it was done. The write stays open until a read has confirmed that.
    Accepted {
        /// The id of what it made.
        made: Option<String>,
        /// The task that does the rest.
        task: Option<String>,
    },
    /// The server refused it.
    Refused(ApiError),
    /// It was learned, in an earlier run, that it was not applied.
    NotApplied(String),
    /// The answer was lost: ask, then settle.
    InDoubt(String),
    /// It was given up to learn.
    NeverKnown(String),
}

/// An answer for the machine.
pub(super) enum Answered {
    Read(u32, Step, Result<Reply, ApiError>),
    Wrote(u32, Step, Fate),
}

/// Whether a write that was not applied may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

/// How a write that was in doubt, or a long task, ended.
pub(super) enum Settled<'a> {
    Done,
    /// It was done, and this is to be said of it.
    DoneBut(&'a str),
    Made(&'a str),
    /// It made this, and this is to be said of it.
    MadeBut(&'a str, &'a str),
    NotApplied(&'a str),
    Unknown(&'a str),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Stage {
    /// Its intent is on the way to the journal.
    Announced,
    /// The disk is asked, by the write of this number, whether what it stands on is there.
    Proving(u64),
    /// To be sent at this time.
    Due(u64),
    /// On the line.
    Sent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flight {
    no: u64,
    item: u32,
    step: Step,
    call: Call,
    stage: Stage,
    tries: u32,
    /// How often it is tried at most, where the server fails or the line drops.
    #[serde(default = "read_tries")]
    most: u32,
    limited: u32,
    /// Present for writes.
    record: Option<Box<Record>>,
    /// What a destroying one stands on.
    #[serde(skip)]
    ground: Option<Ground>,
    /// Without it a destroying one is not sent.
    #[serde(skip)]
    permit: Option<Permit>,
    /// Why it is due only later: how long it waits, and what it was answered with.
    #[serde(skip)]
    put_off: Option<String>,
}

/// A write whose fate has to be settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Doubt {
    intent: Record,
    /// Looks that showed nothing of it.
    looks: u32,
    /// When it is looked for again.
    look_at: u64,
    /// Whether the server answered that it was done.
    #[serde(default)]
    accepted: bool,
    /// The id of what it made, by that answer.
    #[serde(default)]
    made: Option<String>,
    /// What answered in place of the server, if something did: the first half of a sentence. Such a
    /// write is never sent again by itself.
    #[serde(default)]
    instead: Option<String>,
    /// Whether the person stopped the job while its file was on the line.
    #[serde(default)]
    broken_off: bool,
}

impl Doubt {
    fn about(intent: Record) -> Self {
        Self {
            intent,
            looks: 0,
            look_at: 0,
            accepted: false,
            made: None,
            instead: None,
            broken_off: false,
        }
    }

    fn accepted(intent: Record, made: Option<String>) -> Self {
        Self {
            accepted: true,
            made,
            ..Self::about(intent)
        }
    }
}

/// Something of the disk for the machine.
pub(super) enum Arrived {
    /// A file of a backup was written, or read back; or the disk has compared a claim with it.
    Stored(JobWrite, Result<Stored, StoreError>),
    /// A destroying write was not sent: what it is about is in no backup as it is now.
    Lacking(u32),
}

#[derive(Clone, Debug, PartialEq)]
struct Pending {
    no: u64,
    what: JobWrite,
    refused: bool,
}

impl Pending {
    /// Whether it is needed even where the job is given up: the end of what was sent.
    fn is_needed(&self) -> bool {
        matches!(&self.what, JobWrite::Journal(record) if record.outcome != Phase::Intended)
    }

    /// Whether it is about a backup, which nobody needs where the job is given up.
    fn is_of_the_backup(&self) -> bool {
        matches!(
            self.what,
            JobWrite::BackupFile { .. } | JobWrite::MakeFolder { .. } | JobWrite::CheckRoom { .. }
        )
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Desk {
    /// The job's own: stored with the job, not twice.
    #[serde(skip, default = "nobody")]
    head: Arc<Head>,
    at: u64,
    began: Option<u64>,
    last: u64,
    lines: Vec<Line>,
    closed: usize,
    /// Lines before this one are all closed.
    first_open: usize,
    flights: Vec<Flight>,
    doubts: Vec<Doubt>,
    /// Ends of writes that have not reached the journal yet.
    endings: Vec<Record>,
    question: Option<Question>,
    halted: Option<String>,
    /// Nothing new before this time.
    held_until: u64,
    /// What to say until then.
    #[serde(default)]
    held_because: String,
    /// Writes in a row that did not get through.
    strikes: u32,
    stopping: bool,
    checkpoint_due: bool,
    since_checkpoint: u32,
    message: String,
    /// How far the file is that is sent, arrives or is read, in bytes.
    #[serde(skip)]
    moved: Option<(u64, u64)>,
    /// How far the thing at work is, in percent, where the server tells.
    part: u8,
    /// How many of how many are saved, while a backup is made.
    saving: Option<(usize, usize)>,
    /// Since when things are done at the pace that they are done at now.
    paced_from: u64,
    /// What had an outcome by then.
    paced_closed: usize,
    /// How far it is, where the lines don't tell: finished, and in all.
    #[serde(default)]
    tally: Option<(usize, usize)>,
    /// The backups that it has made or makes, each with the line of what it is of.
    #[serde(default)]
    backups: Vec<(u32, String)>,
    /// Whether it was halted because its backup does not stand any more.
    #[serde(default)]
    lost_backup: bool,
    /// How often it was taken up again. On the disk before anything is done in that run.
    #[serde(default)]
    run: u32,
    /// Backups that the disk holds for it.
    #[serde(skip)]
    held: Vec<String>,
    /// Whether the server has said that it has no scan: it is not asked again in this run.
    #[serde(skip)]
    has_no_scan: bool,
    /// Reads that were not sent for that.
    #[serde(skip)]
    known: Vec<RequestNo>,
    #[serde(skip)]
    pending: Vec<Pending>,
    #[serde(skip)]
    out: Vec<JobEffect>,
    /// What keeps it from going on, told by the machine.
    #[serde(skip)]
    trouble: Option<String>,
    #[serde(skip)]
    consent: Option<Consent>,
    /// Where and as whom it is at work in this run; `None` until a job that was loaded from a file
    /// is taken up.
    #[serde(skip)]
    session: Option<Session>,
}

impl Desk {
    pub(super) fn new(head: Arc<Head>, lines: Vec<Line>, consent: Option<Consent>) -> Self {
        let session = Session::of(&head);
        Self {
            head,
            session,
            at: 0,
            began: None,
            last: 0,
            lines,
            closed: 0,
            first_open: 0,
            flights: Vec::new(),
            doubts: Vec::new(),
            endings: Vec::new(),
            question: None,
            halted: None,
            held_until: 0,
            held_because: String::new(),
            strikes: 0,
            stopping: false,
            checkpoint_due: false,
            since_checkpoint: 0,
            message: String::new(),
            moved: None,
            part: 0,
            saving: None,
            paced_from: 0,
            paced_closed: 0,
            tally: None,
            backups: Vec::new(),
            lost_backup: false,
            run: 0,
            held: Vec::new(),
            has_no_scan: false,
            known: Vec::new(),
            pending: Vec::new(),
            out: Vec::new(),
            trouble: None,
            consent,
        }
    }

    // What machines use.

    pub(super) fn head(&self) -> &Head {
        &self.head
    }

    /// After it was loaded: whose it is.
    pub(super) fn belongs_to(&mut self, head: Arc<Head>) {
        self.head = head;
    }

    /// Where and as whom it is at work; `None` while it is not.
    pub(super) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// It goes on here, as this user.
    pub(super) fn take_up(&mut self, session: Session) {
        self.session = Some(session);
    }

    /// It goes on nowhere before it is taken up again, and nothing is agreed to. Says who was at work.
    pub(super) fn leave(&mut self) -> Option<String> {
        self.consent = None;
        self.session.take()?.user
    }

    /// Who is signed in, where known.
    pub(super) fn user(&self) -> Option<&str> {
        self.session.as_ref()?.user.as_deref()
    }

    /// Whether what the journal says of the write of this number is not known here.
    pub(super) fn needs(&self, no: u64) -> bool {
        no > self.last
            || self
                .flights
                .iter()
                .any(|flight| flight.no == no && flight.record.is_some())
            || self.doubts.iter().any(|doubt| doubt.intent.no == no)
            || self.endings.iter().any(|ending| ending.no == no)
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn add_line(&mut self, line: Line) -> u32 {
        self.lines.push(line);
        (self.lines.len() - 1) as u32
    }

    /// Begins the list of things anew.
    pub(super) fn forget_lines(&mut self) {
        self.lines.clear();
        self.tally = None;
        self.closed = 0;
        self.first_open = 0;
        self.paced_closed = 0;
    }

    pub(super) fn is_open(&self, item: u32) -> bool {
        self.lines
            .get(item as usize)
            .is_some_and(|line| line.outcome.is_none())
    }

    /// Open lines in order.
    pub(super) fn open(&self) -> impl Iterator<Item = u32> {
        let open = self.lines.iter().enumerate().skip(self.first_open);
        open.filter(|(_, line)| line.outcome.is_none())
            .map(|(item, _)| item as u32)
    }

    pub(super) fn first_open(&self) -> Option<u32> {
        self.open().next()
    }

    pub(super) fn close(&mut self, item: u32, outcome: Outcome) {
        let Some(line) = self.lines.get_mut(item as usize) else {
            return;
        };
        if line.outcome.is_none() {
            self.closed += 1;
            self.part = 0;
        }
        line.outcome = Some(outcome);
        while self
            .lines
            .get(self.first_open)
            .is_some_and(|line| line.outcome.is_some())
        {
            self.first_open += 1;
        }
    }

    /// Whether a request about this thing is under way.
    pub(super) fn is_busy(&self, item: u32) -> bool {
        self.flights.iter().any(|flight| flight.item == item)
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// Whether one more request may be made.
    pub(super) fn has_room(&self) -> bool {
        self.flights.len() < CONCURRENCY
    }

    /// Whether one more file may go to the disk.
    pub(super) fn has_room_for_files(&self) -> bool {
        let files = self
            .pending
            .iter()
            .filter(|it| matches!(it.what, JobWrite::BackupFile { .. }));
        files.count() < FILES_AT_ONCE
    }

    /// Whether everything given to the disk has reached it.
    pub(super) fn is_stored(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether only what is in doubt may still be asked about.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// A read; one that asks what became of a write waits until it is time for that.
    pub(super) fn read(&mut self, item: u32, step: Step, call: Call) {
        let doubt = self.doubts.iter().find(|it| it.intent.item == item);
        let at = match doubt {
            Some(doubt) if settles(step) => doubt.look_at.max(self.at),
            _ => self.at,
        };
        self.read_at(item, step, call, at);
    }

    /// A read that can be done without: it is tried once more and then given up.
    pub(super) fn try_read(&mut self, item: u32, step: Step, call: Call) {
        self.read(item, step, call);
        if let Some(flight) = self.flights.last_mut() {
            flight.most = SPARE_TRIES;
        }
    }

    pub(super) fn read_at(&mut self, item: u32, step: Step, call: Call, at: u64) {
        debug_assert!(call.is_read(), "because a write goes through the journal");
        let no = self.number();
        self.flights.push(Flight {
            no,
            item,
            step,
            call,
            stage: Stage::Due(at),
            tries: 0,
            most: READ_TRIES,
            put_off: None,
            limited: 0,
            record: None,
            ground: None,
            permit: None,
        });
    }

    /// A write: journaled, then sent. `before` is the state it starts from, in a few words.
    pub(super) fn write(&mut self, item: u32, step: Step, call: Call, before: impl Into<String>) {
        self.announce(item, step, call, before.into(), None);
    }

    /// A write that the server cannot undo: journaled, then sent if the disk shows that what it
    /// stands on is there.
    pub(super) fn destroy(
        &mut self,
        item: u32,
        step: Step,
        call: Call,
        before: impl Into<String>,
        ground: Ground,
    ) {
        self.announce(item, step, call, before.into(), Some(ground));
    }

    fn announce(
        &mut self,
        item: u32,
        step: Step,
        call: Call,
        before: String,
        ground: Option<Ground>,
    ) {
        if self.head.target.act == Act::DryRun {
            self.halt("A dry run sends reads only. Nothing was sent.");
            return;
        }
        if self.session.is_none() {
            self.halt("It was not agreed to go on with this job here. Nothing was sent.");
            return;
        }
        if consent::is_destructive(&call)
            && !self
                .consent
                .as_ref()
                .is_some_and(|consent| consent.covers(item as usize, &call))
        {
            self.halt("This cannot be undone and was not agreed to. Nothing was sent.");
            return;
        }
        let no = self.number();
        let mut record = self.intent(no, item, step, &call, before);
        if let Some(Ground::Declined) = &ground {
            record.note = Some(WITHOUT_BACKUP.to_owned());
        }
        self.put(no, JobWrite::Journal(Box::new(record.clone())));
        self.flights.push(Flight {
            no,
            item,
            step,
            call,
            stage: Stage::Announced,
            tries: 0,
            most: READ_TRIES,
            put_off: None,
            limited: 0,
            record: Some(Box::new(record)),
            permit: ground.as_ref().and_then(Permit::without_backup),
            ground,
        });
        self.since_checkpoint += 1;
        // A longer job is stored less often: else storing it would take longer than doing it.
        let due = WRITES_PER_CHECKPOINT.max(self.lines.len() as u32 / CHECKPOINTS);
        if self.since_checkpoint >= due {
            self.checkpoint();
        }
    }

    /// The line of the journal that announces a write.
    fn intent(&self, no: u64, item: u32, step: Step, call: &Call, before: String) -> Record {
        let (subject, title) = match self.lines.get(item as usize) {
            Some(line) => (line.subject.to_string(), line.title.to_string()),
            None => match self.head.target.spaces.first() {
                Some(space) => (space.key.to_string(), space.name.clone()),
                None => (String::new(), self.head.title.clone()),
            },
        };
        let (method, path) = request_line(call);
        Record {
            job: self.head.id.clone(),
            act: self.head.target.act,
            no,
            item,
            step,
            subject,
            title,
            method,
            path,
            before,
            outcome: Phase::Intended,
            made: None,
            note: None,
        }
    }

    /// A later read has shown that a write that counted as done may not have been applied: a line of
    /// its own in the journal, after the one that said so, says that it is not known.
    pub(super) fn take_back(&mut self, item: u32, step: Step, call: &Call, why: &str) {
        let no = self.number();
        let before = "told as done before".to_owned();
        let record = self.intent(no, item, step, call, before);
        self.record_end(record, Phase::Unknown, None, Some(why.to_owned()));
    }

    /// Whether a write is to be looked for once more, a while later, because a look showed nothing
    /// of it. Only when this says no is it known not to be applied.
    pub(super) fn looks_again(&mut self, item: u32, step: Step) -> bool {
        let at = self.at;
        let is_it = |doubt: &&mut Doubt| doubt.intent.item == item && doubt.intent.step == step;
        let Some(doubt) = self.doubts.iter_mut().find(is_it) else {
            return false;
        };
        doubt.looks += 1;
        if doubt.looks >= LOOKS {
            return false;
        }
        doubt.look_at = at + (500 << doubt.looks);
        let message = if doubt.broken_off {
            ASKS_WHAT_IT_HAS
        } else if doubt.accepted || doubt.instead.is_some() {
            "It does not show yet. Looking again."
        } else {
            "No answer tells whether it was done. Asking the server what became of it."
        };
        self.say(message);
        true
    }

    /// Whether a write of this step is not settled yet.
    pub(super) fn is_in_doubt(&self, item: u32, step: Step) -> bool {
        self.doubt(item, step).is_some()
    }

    /// Whether the server answered that this write was done, and a read has yet to show it.
    pub(super) fn is_accepted(&self, item: u32, step: Step) -> bool {
        self.doubt(item, step).is_some_and(|doubt| doubt.accepted)
    }

    fn doubt(&self, item: u32, step: Step) -> Option<&Doubt> {
        let mut doubts = self.doubts.iter();
        doubts.find(|doubt| doubt.intent.item == item && doubt.intent.step == step)
    }

    /// What was heard of a write that is not settled yet: the first half of a sentence.
    pub(super) fn heard(&self, item: u32, step: Step) -> String {
        match self.doubt(item, step) {
            Some(Doubt { accepted: true, .. }) => "The server answered that it was done".to_owned(),
            Some(Doubt {
                broken_off: true, ..
            }) => BROKEN_OFF.to_owned(),
            Some(Doubt {
                instead: Some(instead),
                ..
            }) => instead.clone(),
            _ => UNTOLD.to_owned(),
        }
    }

    /// Ends a write that could not be confirmed because of this failure, and says so.
    pub(super) fn unconfirmed(&mut self, item: u32, step: Step, error: &ApiError) -> String {
        let heard = self.heard(item, step);
        let why = if heard == UNTOLD {
            format!("{heard}. {}", error.message)
        } else {
            format!(
                "{heard}, and that could not be confirmed. {}",
                error.message
            )
        };
        self.settle(item, step, Settled::Unknown(&why));
        why
    }

    /// Ends a write that reads have shown not to be applied; `state` is what they show. Says so, and
    /// whether it may be sent again: not where it was answered, by the server or in its place.
    pub(super) fn not_applied(&mut self, item: u32, step: Step, state: &str) -> (String, Again) {
        let again = self.may_go_again(item, step);
        let mut why = format!("{}, and {state}.", self.heard(item, step));
        let doubt = self.doubt(item, step);
        if doubt.is_some_and(|it| it.instead.is_some()) {
            why.push_str(" Nothing is sent again by itself: check the address, the sign-in and the proxy, then do it once more.");
        } else if doubt.is_some_and(|it| it.accepted) {
            why.push_str(
                " Do it once more; if that changes nothing, ask the administrators of the server.",
            );
        }
        self.settle(item, step, Settled::NotApplied(&why));
        (why, again)
    }

    /// Whether a write that turns out not to be applied may be sent again by itself: only where nothing
    /// answered it.
    pub(super) fn may_go_again(&self, item: u32, step: Step) -> Again {
        match self.doubt(item, step) {
            Some(doubt) if doubt.accepted || doubt.broken_off || doubt.instead.is_some() => {
                Again::No
            }
            _ => Again::Yes,
        }
    }

    /// Writes the end of a write that was in doubt, or that a long task carried on.
    pub(super) fn settle(&mut self, item: u32, step: Step, how: Settled<'_>) {
        let Some(index) = self
            .doubts
            .iter()
            .position(|doubt| doubt.intent.item == item && doubt.intent.step == step)
        else {
            return;
        };
        let Doubt {
            intent,
            made: answered,
            ..
        } = self.doubts.remove(index);
        let (outcome, made, note) = match how {
            Settled::Done => (Phase::Done, answered, None),
            Settled::DoneBut(note) => (Phase::Done, answered, Some(note.to_owned())),
            Settled::Made(id) => (Phase::Done, Some(id.to_owned()), None),
            Settled::MadeBut(id, note) => (Phase::Done, Some(id.to_owned()), Some(note.to_owned())),
            Settled::NotApplied(why) => (Phase::Failed, None, Some(why.to_owned())),
            Settled::Unknown(why) => (Phase::Unknown, None, Some(why.to_owned())),
        };
        self.record_end(intent, outcome, made, note);
    }

    /// The folder of this job's backup of this number, counted from 1. No two runs of a job share
    /// one: what an earlier one left may be half of a backup.
    pub(super) fn backup_name(&self, number: u32) -> String {
        let mut name = self.head.id.to_string();
        if self.run > 0 {
            name.push_str(&format!("-run{}", self.run + 1));
        }
        if number > 1 {
            name.push_str(&format!("-{number}"));
        }
        name
    }

    /// A backup of what stands on this line is begun.
    pub(super) fn begins_backup(&mut self, item: u32, folder: &str) {
        self.backups.push((item, folder.to_owned()));
    }

    /// This one came to nothing.
    pub(super) fn drops_backup(&mut self, folder: &str) {
        self.backups.retain(|(_, it)| it != folder);
    }

    /// All of what stands on this line are begun anew.
    pub(super) fn drops_backups_of(&mut self, item: u32) {
        self.backups.retain(|(it, _)| *it != item);
    }

    /// The backups of what stands on this line.
    pub(super) fn backups_of(&self, item: u32) -> impl Iterator<Item = &str> {
        let of_it = self.backups.iter().filter(move |(it, _)| *it == item);
        of_it.map(|(_, folder)| folder.as_str())
    }

    /// Holds a backup before anything else of this run is stored or sent.
    pub(super) fn hold_first(&mut self, backup: String) {
        let hold = JobWrite::Hold { backup };
        if !self.pending.iter().any(|it| it.what == hold) {
            self.store(hold);
        }
    }

    /// Whether a backup is still to be held, before what is said of it is stored.
    fn is_to_hold(&self) -> bool {
        let is_hold = |it: &Pending| matches!(it.what, JobWrite::Hold { .. });
        !self.stopping && self.pending.iter().any(is_hold)
    }

    /// Nothing more is destroyed on the strength of this backup.
    pub(super) fn release(&mut self, backup: &str) {
        if let Some(at) = self.held.iter().position(|held| held == backup) {
            let backup = self.held.swap_remove(at);
            self.store(JobWrite::Release { backup });
        }
    }

    /// Nothing more is destroyed at all.
    pub(super) fn release_all(&mut self) {
        for backup in std::mem::take(&mut self.held) {
            self.store(JobWrite::Release { backup });
        }
    }

    pub(super) fn store(&mut self, what: JobWrite) {
        let no = self.number();
        self.put(no, what);
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.out.push(JobEffect::Ask(question.clone()));
        self.question = Some(question);
        self.checkpoint();
    }

    /// Has the job stored as soon as this event has been dealt with, and nothing new sent before.
    pub(super) fn checkpoint(&mut self) {
        self.checkpoint_due = true;
    }

    /// How far it is, where the lines don't tell.
    pub(super) fn tally(&mut self, finished: usize, total: usize) {
        self.tally = Some((finished, total));
    }

    pub(super) fn say(&mut self, message: impl Into<String>) {
        self.message = message.into();
        self.moved = None;
    }

    /// Tells how far the file is that is sent, arrives or is read: until something else is said.
    pub(super) fn moved(&mut self, done: u64, total: u64) {
        let done = done.min(total);
        self.moved = Some((done, total));
        if total > 0 {
            self.part((u128::from(done) * 100 / u128::from(total)) as u8);
        }
    }

    /// Tells how far the thing at work is, in percent, until it has an outcome.
    pub(super) fn part(&mut self, percent: u8) {
        self.part = percent.min(99);
    }

    /// Tells how far a backup is. Afterwards the pace is that of what follows it.
    pub(super) fn saving(&mut self, progress: Option<(usize, usize)>) {
        if self.saving.is_some() && progress.is_none() {
            self.paced_from = self.at;
            self.paced_closed = self.closed;
        }
        self.saving = progress;
    }

    /// Lets the job wait for the person, who has to mend something before it can go on.
    pub(super) fn trouble(&mut self, why: impl Into<String>) {
        self.trouble = Some(why.into());
    }

    /// Ends the job: what is open is left alone.
    pub(super) fn halt(&mut self, why: impl Into<String>) {
        self.halted.get_or_insert(why.into());
    }

    /// Ends the job because the backup does not stand any more. What that means for what was destroyed
    /// before is said at the end, when it is known how much that is.
    pub(super) fn lose_backup(&mut self, why: &str) {
        self.lost_backup = true;
        self.halt(format!(
            "The backup is not as it was written, so nothing more was destroyed. {why} Begin again with what is left: it is saved anew."
        ));
    }

    // What the job uses.

    pub(super) fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Of how many open things it is not known whether a write was applied.
    pub(super) fn in_doubt(&self) -> usize {
        let mut items: Vec<u32> = self.of_the_act().map(|doubt| doubt.intent.item).collect();
        items.sort_unstable();
        items.dedup();
        let is_open = |item: &&u32| {
            let line = self.lines.get(**item as usize);
            line.is_some_and(|line| line.outcome.is_none())
        };
        items.iter().filter(is_open).count()
    }

    /// What is in doubt of the act itself. What the server is asked for before it, destroys nothing.
    fn of_the_act(&self) -> impl Iterator<Item = &Doubt> {
        let is_destructive = self.head.target.act.is_destructive();
        self.doubts.iter().filter(move |doubt| {
            let is_before = matches!(doubt.intent.step, Step::BackUpSpace | Step::CancelBackup);
            !(is_destructive && is_before)
        })
    }

    fn sent(&self) -> usize {
        self.of_the_act().count()
    }

    pub(super) fn clock(&mut self, at: u64) {
        self.at = self.at.max(at);
    }

    pub(super) fn begin(&mut self) {
        if self.began.is_none() {
            self.began = Some(self.at);
            self.paced_from = self.at;
            self.paced_closed = self.closed;
        }
        self.checkpoint_due = true;
    }

    pub(super) fn stop(&mut self) {
        self.stopping = true;
        self.question = None;
        self.held_until = 0;
        self.recall();
        // Whoever stops waits for no answer but of a write, and of what asks what became of one: a file
        // may take an hour to arrive, and a server that asks for a wait keeps a read as long as it likes.
        let is_over = |flight: &Flight| flight.record.is_none() && !settles(flight.step);
        for flight in self.flights.iter().filter(|flight| is_over(flight)) {
            if flight.stage == Stage::Sent {
                let request = RequestNo(flight.no);
                self.out.push(JobEffect::GiveUp { request });
            }
        }
        self.flights.retain(|flight| !is_over(flight));
        // So may a look through it take long.
        let is_look = |it: &Pending| matches!(it.what, JobWrite::CheckZip { .. });
        for look in self.pending.iter().filter(|it| is_look(it)) {
            let write = WriteNo(look.no);
            self.out.push(JobEffect::GiveUpWrite { write });
        }
        self.pending.retain(|it| !is_look(it));
    }

    /// Forgets what the disk refused and nobody needs once the job is given up.
    pub(super) fn forget_refused(&mut self) {
        self.pending.retain(|it| !it.refused || it.is_needed());
    }

    /// Closes what nobody will come to any more. Whether anything is in doubt still.
    pub(super) fn leave_the_rest(&mut self) -> bool {
        if !self.doubts.is_empty() {
            return false;
        }
        let why = match &self.halted {
            Some(why) => why.clone(),
            None => "The job was cancelled before it came to this.".to_owned(),
        };
        let open: Vec<u32> = self.open().collect();
        for item in open {
            self.close(item, Outcome::NotTried(why.clone()));
        }
        let is_purge = matches!(self.head.target.act, Act::PurgeMarked | Act::PurgeAll);
        if std::mem::take(&mut self.lost_backup) && is_purge {
            let purged = Outcomes::of(&self.lines).done;
            let halted = self.halted.get_or_insert_default();
            halted.push_str(&in_no_backup(purged));
        }
        true
    }

    /// Nothing is under way that could tell what became of the writes that are in doubt, and nothing more
    /// is asked: it is not known. So a job ends whatever its machine has lost sight of.
    pub(super) fn leave_in_doubt(&mut self) {
        while let Some(doubt) = self.doubts.first() {
            let (item, step) = (doubt.intent.item, doubt.intent.step);
            let why = format!("{}. Look at the server.", self.heard(item, step));
            self.settle(item, step, Settled::Unknown(&why));
            if self.is_open(item) {
                self.close(item, Outcome::Unknown(why));
            }
        }
    }

    /// Whether all has an outcome, and what became of a write is not known all the same.
    pub(super) fn has_only_doubts(&self) -> bool {
        self.closed == self.lines.len() && !self.doubts.is_empty()
    }

    pub(super) fn agree(&mut self, consent: Consent) {
        self.consent = Some(consent);
    }

    /// What of a space was shown before all of something in it was agreed to, where that was counted.
    pub(super) fn shown(&self, space: &SpaceKey) -> Option<Shown> {
        self.consent.as_ref()?.shown(space).cloned()
    }

    pub(super) fn has_consent(&self) -> bool {
        self.consent.is_some()
    }

    pub(super) fn question(&self) -> Option<&Question> {
        self.question.as_ref()
    }

    pub(super) fn answered(&mut self) {
        self.question = None;
    }

    pub(super) fn halted(&self) -> Option<&str> {
        self.halted.as_deref()
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.is_some()
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.flights.is_empty() && self.pending.is_empty() && !self.checkpoint_due
    }

    pub(super) fn is_finished(&self) -> bool {
        self.closed == self.lines.len() && self.doubts.is_empty()
    }

    /// Whether a checkpoint is to be written now: one at a time, so that an older one never
    /// replaces a newer.
    pub(super) fn wants_checkpoint(&self) -> bool {
        let is_checkpoint = |it: &Pending| matches!(it.what, JobWrite::Checkpoint(_));
        self.checkpoint_due && !self.is_to_hold() && !self.pending.iter().any(is_checkpoint)
    }

    pub(super) fn checkpoint_taken(&mut self) {
        self.checkpoint_due = false;
        self.since_checkpoint = 0;
    }

    /// Nothing new is sent until a checkpoint that was asked for is on the disk.
    pub(super) fn waits_for_checkpoint(&self) -> bool {
        self.checkpoint_due
            || self
                .pending
                .iter()
                .any(|it| matches!(it.what, JobWrite::Checkpoint(_)))
    }

    pub(super) fn take(&mut self) -> Vec<JobEffect> {
        std::mem::take(&mut self.out)
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        let due = self.flights.iter().filter_map(|flight| match flight.stage {
            Stage::Due(at) => Some(at),
            Stage::Announced | Stage::Proving(_) | Stage::Sent => None,
        });
        due.chain(self.is_held().then_some(self.held_until)).min()
    }

    /// Whether nothing new may be asked for yet.
    pub(super) fn is_held(&self) -> bool {
        self.at < self.held_until
    }

    /// Until when nothing new is asked for.
    pub(super) fn held_until(&self) -> u64 {
        self.held_until
    }

    /// Takes back what is not on the line yet, so that it is looked at again before it goes out.
    pub(super) fn recall(&mut self) {
        let flights = std::mem::take(&mut self.flights);
        for mut flight in flights {
            match (&flight.stage, flight.record.take()) {
                (Stage::Announced | Stage::Proving(_) | Stage::Due(_), Some(record)) => {
                    let why = "It was held back before it was sent.";
                    self.record_end(*record, Phase::Failed, None, Some(why.to_owned()));
                }
                (_, record) => {
                    flight.record = record;
                    self.flights.push(flight);
                }
            }
        }
    }

    /// The next answer to a read that was not sent, because the server is known to lack the operation.
    pub(super) fn known_answer(&mut self) -> Option<Answered> {
        while let Some(request) = self.known.pop() {
            let why = "This server has no such operation.";
            let error = ApiError::new(ErrorKind::NoSuchOperation, why);
            let answered = self.answer(request, Err(error));
            if answered.is_some() {
                return answered;
            }
        }
        None
    }

    pub(super) fn send_due(&mut self) {
        if self.waits_for_checkpoint() {
            return;
        }
        for flight in &mut self.flights {
            if matches!(flight.stage, Stage::Due(at) if at <= self.at) {
                if consent::is_destructive(&flight.call) && flight.permit.is_none() {
                    let why = "It was not shown that what is to be destroyed is in a backup. Nothing was sent.";
                    self.halted.get_or_insert(why.to_owned());
                    continue;
                }
                flight.stage = Stage::Sent;
                if self.has_no_scan && is_scan(&flight.call) {
                    self.known.push(RequestNo(flight.no));
                    continue;
                }
                self.out.push(JobEffect::Send {
                    request: RequestNo(flight.no),
                    call: flight.call.clone(),
                });
            }
        }
    }

    pub(super) fn answer(
        &mut self,
        request: RequestNo,
        outcome: Result<Reply, ApiError>,
    ) -> Option<Answered> {
        let index = self
            .flights
            .iter()
            .position(|it| it.no == request.0 && it.stage == Stage::Sent)?;
        if let Err(error) = &outcome
            && let Some(at) = self.again_at(index, error)
            && (!self.stopping || settles(self.flights[index].step))
        {
            let why = waiting(at.saturating_sub(self.at), error);
            self.flights[index].stage = Stage::Due(at);
            self.flights[index].put_off = Some(why.clone());
            self.message = why;
            return None;
        }
        let flight = self.flights.remove(index);
        let Some(record) = flight.record else {
            self.has_no_scan |= is_scan(&flight.call)
                && matches!(&outcome, Err(error) if error.kind == ErrorKind::NoSuchOperation);
            if let Err(error) = &outcome
                && lost_the_sign_in(error)
            {
                // As nobody everything looks deleted, and each 401 counts towards a CAPTCHA.
                self.halt(format!("{} {}", error.message, error.hint()));
            }
            return Some(Answered::Read(flight.item, flight.step, outcome));
        };
        if let Err(error) = &outcome
            && let Some(until) = self.hold_after(error)
        {
            // The machine comes back to it, and looks again before it does.
            self.held_until = until;
            self.held_because = waiting(until.saturating_sub(self.at), error);
            let note = error.message.clone();
            self.record_end(*record, Phase::Failed, None, Some(note.clone()));
            return Some(Answered::Wrote(
                flight.item,
                flight.step,
                Fate::NotApplied(note),
            ));
        }
        let fate = match outcome {
            Ok(reply) if is_only_a_promise(&flight.call, &reply) => {
                self.strikes = 0;
                self.doubts.push(Doubt::about(*record));
                Fate::InDoubt("The server took the request and named no task.".to_owned())
            }
            Ok(reply) => {
                self.strikes = 0;
                let (made, task) = made_by(&reply);
                if is_confirmed(flight.step) {
                    self.doubts.push(Doubt::accepted(*record, made.clone()));
                    Fate::Accepted { made, task }
                } else {
                    self.record_end(*record, Phase::Done, made.clone(), None);
                    Fate::Applied { made }
                }
            }
            Err(error) if !error.may_have_been_applied() => {
                let note = Some(error.message.clone());
                self.record_end(*record, Phase::Failed, None, note);
                if ends_everything(&error) {
                    self.halt(format!("{} {}", error.message, error.hint()));
                }
                Fate::Refused(error)
            }
            Err(error) => {
                let instead = answered_instead(&error);
                if instead.is_some() {
                    // Also after a kill it is not sent again.
                    self.checkpoint();
                }
                self.doubts.push(Doubt {
                    instead,
                    ..Doubt::about(*record)
                });
                Fate::InDoubt(error.message)
            }
        };
        Some(Answered::Wrote(flight.item, flight.step, fate))
    }

    /// When a failed request is to be tried again, if it is.
    fn again_at(&mut self, index: usize, error: &ApiError) -> Option<u64> {
        let flight = &mut self.flights[index];
        if flight.record.is_some() {
            return None;
        }
        if let ErrorKind::RateLimited { after_ms } = error.kind {
            flight.limited += 1;
            let wait = limit_wait(after_ms, flight.limited);
            return (flight.limited < LIMITED_TRIES).then(|| self.at.saturating_add(wait));
        }
        match error.kind {
            ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Lost
            | ErrorKind::Truncated
            | ErrorKind::Server => {}
            _ => return None,
        }
        flight.tries += 1;
        let wait = 1_000_u64 << flight.tries.min(4);
        (flight.tries < flight.most).then(|| self.at.saturating_add(wait))
    }

    /// Until when nothing new is sent after a write was certainly not applied and may be tried
    /// again: 429 is obeyed, and a server out of reach may come back.
    fn hold_after(&mut self, error: &ApiError) -> Option<u64> {
        let (most, wait) = match error.kind {
            ErrorKind::RateLimited { after_ms } => {
                (LIMITED_TRIES, limit_wait(after_ms, self.strikes))
            }
            ErrorKind::Connect => (CONNECT_TRIES, 2_000 << self.strikes.min(4)),
            _ => return None,
        };
        self.strikes += 1;
        (self.strikes < most && !self.stopping).then(|| self.at.saturating_add(wait))
    }

    /// The disk has answered. `Ok(Some)`: for the machine; `Err`: the job has to wait, and why.
    pub(super) fn written(
        &mut self,
        write: WriteNo,
        outcome: Result<Stored, StoreError>,
    ) -> Result<Option<Arrived>, String> {
        let Some(index) = self.pending.iter().position(|it| it.no == write.0) else {
            return Ok(None);
        };
        let refusal = match (&self.pending[index].what, &outcome) {
            (
                JobWrite::ReadBack { .. }
                | JobWrite::CheckFile { .. }
                | JobWrite::CheckZip { .. }
                | JobWrite::Prove(_)
                | JobWrite::Release { .. },
                _,
            )
            | (_, Ok(_)) => None,
            (JobWrite::Journal(_), Err(why)) => Some(format!(
                "Its line is not in the journal, so nothing is sent. {} Mend that, then go on.",
                why.message
            )),
            (JobWrite::Checkpoint(_), Err(why)) => Some(format!(
                "The job cannot be stored. {} Mend that, then go on.",
                why.message
            )),
            (
                JobWrite::BackupFile { .. }
                | JobWrite::MakeFolder { .. }
                | JobWrite::CheckRoom { .. },
                Err(why),
            ) => Some(format!(
                "The backup cannot be written. {} Mend that, then go on.",
                why.message
            )),
            (JobWrite::Hold { backup }, Err(why)) => Some(format!(
                "The backup {backup} cannot be held for this job, so nothing is done. {} Go on once it can.",
                why.message
            )),
        };
        if let Some(why) = refusal {
            if self.stopping && self.pending[index].is_of_the_backup() {
                self.pending.remove(index);
                return Ok(None);
            }
            self.pending[index].refused = true;
            return Err(why);
        }
        let done = self.pending.remove(index);
        match &done.what {
            JobWrite::Journal(record) => {
                if record.outcome == Phase::Intended {
                    self.announced(record.no);
                }
                if record.outcome != Phase::Intended {
                    self.endings.retain(|ending| ending.no != record.no);
                }
                Ok(None)
            }
            JobWrite::Hold { backup } => {
                if outcome == Ok(Stored::Gone) {
                    self.held.retain(|held| held != backup);
                    // It is stored as ended, or not at all.
                    self.checkpoint_due = false;
                    self.halt(format!(
                        "The backup {backup} is not there any more, so nothing can be made again from it."
                    ));
                }
                Ok(None)
            }
            JobWrite::Checkpoint(_) | JobWrite::Release { .. } => Ok(None),
            JobWrite::Prove(_) if self.is_proving(done.no) => Ok(self.proved(done.no, outcome)),
            // Of one that was taken back meanwhile, or of a machine that asked for itself.
            JobWrite::Prove(_)
            | JobWrite::BackupFile { .. }
            | JobWrite::MakeFolder { .. }
            | JobWrite::CheckRoom { .. }
            | JobWrite::CheckFile { .. }
            | JobWrite::CheckZip { .. }
            | JobWrite::ReadBack { .. } => Ok(Some(Arrived::Stored(done.what, outcome))),
        }
    }

    /// The intent of a write is in the journal: it may go, or the disk is asked for its ground.
    fn announced(&mut self, record: u64) {
        let is_it = |flight: &&mut Flight| flight.no == record && flight.stage == Stage::Announced;
        let Some(flight) = self.flights.iter_mut().find(is_it) else {
            return;
        };
        match flight.ground.clone() {
            Some(Ground::Backup(claim)) => {
                self.last += 1;
                flight.stage = Stage::Proving(self.last);
                self.put(self.last, JobWrite::Prove(claim));
            }
            Some(Ground::Declined) | None => flight.stage = Stage::Due(self.at),
        }
    }

    /// Whether a destroying write waits for this look of the disk.
    fn is_proving(&self, no: u64) -> bool {
        let mut flights = self.flights.iter();
        flights.any(|flight| flight.stage == Stage::Proving(no))
    }

    /// The disk has looked at what a destroying write stands on.
    fn proved(&mut self, no: u64, outcome: Result<Stored, StoreError>) -> Option<Arrived> {
        let index = self
            .flights
            .iter()
            .position(|flight| flight.stage == Stage::Proving(no))?;
        let standing = match outcome {
            Ok(Stored::Standing(standing)) => Ok(standing),
            Ok(_) => Err("The disk did not say whether it is there.".to_owned()),
            Err(problem) => Err(problem.message),
        };
        let flight = &mut self.flights[index];
        match standing {
            Ok(Standing::Holds) => {
                flight.permit = Permit::of(Standing::Holds);
                flight.stage = Stage::Due(self.at);
                if self.message == READING_BACK {
                    self.say("");
                }
                None
            }
            Ok(Standing::Reading) => {
                flight.stage = Stage::Announced;
                let record = flight.no;
                self.say(READING_BACK);
                self.announced(record);
                None
            }
            Ok(Standing::Lacks(count)) => {
                let flight = self.flights.remove(index);
                let why = format!(
                    "It was not sent: {} in no backup as the server tells of it now.",
                    match count {
                        1 => "one item is".to_owned(),
                        count => format!("{count} items are"),
                    }
                );
                if let Some(record) = flight.record {
                    self.record_end(*record, Phase::Failed, None, Some(why));
                }
                Some(Arrived::Lacking(flight.item))
            }
            Err(why) => {
                let flight = self.flights.remove(index);
                if let Some(record) = flight.record {
                    let note = format!("It was not sent. {why}");
                    self.record_end(*record, Phase::Failed, None, Some(note));
                }
                self.lose_backup(&why);
                None
            }
        }
    }

    /// Gives the disk once more what it refused; a checkpoint as the job is now.
    pub(super) fn write_again(&mut self) {
        let before = self.pending.len();
        self.pending
            .retain(|it| !(it.refused && matches!(it.what, JobWrite::Checkpoint(_))));
        if self.pending.len() < before {
            self.checkpoint_due = true;
        }
        for it in &mut self.pending {
            if it.refused {
                it.refused = false;
                self.out.push(JobEffect::Write {
                    write: WriteNo(it.no),
                    what: it.what.clone(),
                });
            }
        }
    }

    pub(super) fn progress(&self) -> Progress {
        let (finished, total) = self.tally.unwrap_or((self.closed, self.lines.len()));
        let spent = self.at.saturating_sub(self.paced_from);
        let done = finished.saturating_sub(self.paced_closed);
        let has_pace = self.began.is_some() && self.saving.is_none();
        let per_second =
            (has_pace && spent >= 1_000 && done > 0).then(|| done as f64 * 1_000.0 / spent as f64);
        Progress {
            finished,
            sent: self.sent().min(total.saturating_sub(finished)),
            total,
            started_ms: self.began,
            per_second,
            remaining_ms: per_second
                .map(|rate| (total.saturating_sub(finished) as f64 * 1_000.0 / rate) as u64),
            part: self.part,
            saving: self.saving,
            message: if self.is_held() {
                self.held_because.clone()
            } else {
                match (self.put_off(), self.moved) {
                    (Some(why), _) => why.to_owned(),
                    (None, Some((done, total))) => format!(
                        "{}, {} of {}",
                        self.message,
                        number::bytes(done),
                        number::bytes(total)
                    ),
                    (None, None) => self.message.clone(),
                }
            },
        }
    }

    /// Why a request is tried again only later. What else there is to say hides no failure.
    fn put_off(&self) -> Option<&str> {
        self.flights.iter().find_map(|flight| match flight.stage {
            Stage::Due(at) if at > self.at => flight.put_off.as_deref(),
            _ => None,
        })
    }

    /// Takes in what the journal says about this job. Returns what the machine does not know yet.
    pub(super) fn reopen<'a>(
        &mut self,
        records: impl Iterator<Item = &'a Record>,
    ) -> Vec<(u32, Step, Fate)> {
        let mut last: BTreeMap<u64, &Record> = BTreeMap::new();
        for record in records {
            last.insert(record.no, record);
        }
        let undecided: Vec<u64> = self
            .flights
            .iter()
            .filter(|flight| flight.record.is_some())
            .map(|flight| flight.no)
            .chain(self.doubts.iter().map(|doubt| doubt.intent.no))
            .collect();
        let known = self.last;
        self.flights.clear();
        let doubts = std::mem::take(&mut self.doubts);
        self.checkpoint_due = false;
        self.run += 1;
        // The program's clock begins anew with each run.
        self.at = 0;
        self.began = None;
        self.message.clear();
        self.part = 0;
        self.saving = None;
        self.held_until = 0;
        // What had ended, though the journal does not say so yet, is said as soon as it goes on.
        for ending in std::mem::take(&mut self.endings) {
            if last
                .get(&ending.no)
                .is_some_and(|record| record.outcome == Phase::Intended)
            {
                let no = self.number();
                self.endings.push(ending.clone());
                self.pending.push(Pending {
                    no,
                    what: JobWrite::Journal(Box::new(ending)),
                    refused: true,
                });
            }
        }
        let mut news = Vec::new();
        for (no, record) in last {
            // The journal tells what a write was about, whatever a checkpoint says.
            if let Some(line) = self.lines.get_mut(record.item as usize)
                && *line.subject != *record.subject
            {
                line.subject = record.subject.as_str().into();
                line.title = record.title.as_str().into();
            }
            self.last = self.last.max(no);
            if no <= known && !undecided.contains(&no) {
                continue;
            }
            if record.outcome == Phase::Intended {
                let before = doubts.iter().find(|doubt| doubt.intent.no == no);
                self.doubts.push(Doubt {
                    instead: before.and_then(|doubt| doubt.instead.clone()),
                    broken_off: before.is_some_and(|doubt| doubt.broken_off),
                    ..Doubt::about(record.clone())
                });
            }
            news.push((record.item, record.step, fate_of(record)));
        }
        news
    }

    fn record_end(
        &mut self,
        intent: Record,
        outcome: Phase,
        made: Option<String>,
        note: Option<String>,
    ) {
        let no = self.number();
        let record = Record {
            outcome,
            made,
            note: note.or(intent.note),
            ..intent
        };
        self.endings.push(record.clone());
        self.put(no, JobWrite::Journal(Box::new(record)));
    }

    fn put(&mut self, no: u64, what: JobWrite) {
        self.hold(&what);
        // Nothing overtakes a line of the journal that has to be written again.
        let held = matches!(what, JobWrite::Journal(_))
            && self
                .pending
                .iter()
                .any(|it| it.refused && matches!(it.what, JobWrite::Journal(_)));
        if !held {
            self.out.push(JobEffect::Write {
                write: WriteNo(no),
                what: what.clone(),
            });
        }
        self.pending.push(Pending {
            no,
            what,
            refused: held,
        });
    }

    /// Takes down which backups the disk holds from now on.
    fn hold(&mut self, what: &JobWrite) {
        let backups = match what {
            JobWrite::BackupFile { backup, .. }
            | JobWrite::Hold { backup }
            | JobWrite::MakeFolder { backup }
            | JobWrite::CheckZip { backup, .. }
            | JobWrite::CheckFile { backup, .. }
            | JobWrite::ReadBack { backup, .. } => std::slice::from_ref(backup),
            JobWrite::Prove(Claim { backups, .. }) => backups,
            JobWrite::Journal(_)
            | JobWrite::Checkpoint(_)
            | JobWrite::CheckRoom { .. }
            | JobWrite::Release { .. } => &[],
        };
        for backup in backups {
            if !self.held.contains(backup) {
                self.held.push(backup.clone());
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// Nobody's head, until the job says whose desk it is.
/// What a backup that is lost means for so many items that were purged before.
fn in_no_backup(purged: usize) -> String {
    let (items, were, they) = match purged {
        0 => return String::new(),
        1 => ("1 item".to_owned(), "was", "It is"),
        many => (number::count(many as u64, "item"), "were", "They are"),
    };
    format!(
        " {items} {were} purged before that. {they} in no whole backup any more: put this one back from a copy of this machine's disk, if there is one, and `coracle backup verify` says whether it is whole."
    )
}

fn read_tries() -> u32 {
    READ_TRIES
}

fn nobody() -> Arc<Head> {
    Arc::new(Head {
        id: JobId::new(""),
        title: String::new(),
        target: Target {
            act: Act::DryRun,
            profile: String::new(),
            server: SavedServer::read("", None),
            spaces: Vec::new(),
            items: Vec::new(),
        },
        created: jiff::Timestamp::UNIX_EPOCH,
        user: None,
    })
}

/// Whether a request only learns what became of a write.
fn settles(step: Step) -> bool {
    matches!(
        step,
        Step::Settle | Step::SettleElsewhere | Step::Witness | Step::Poll
    )
}

/// Whether the machine confirms a write of this step by a read: until then its end is open, whatever
/// the server answered. What a re-creation makes is held against the server by its machine.
fn is_confirmed(step: Step) -> bool {
    matches!(
        step,
        Step::CreateSpace
            | Step::UpdateSpace
            | Step::BackUpSpace
            | Step::CancelBackup
            | Step::Upload
            | Step::Archive
            | Step::Unarchive
            | Step::Delete
            | Step::PurgeTrash
            | Step::Purge
            | Step::Restore
            | Step::Move
            | Step::Create
            | Step::Restrict
            | Step::FillIn
            | Step::Label
            | Step::Comment
            | Step::Attach
            | Step::Withdraw
    )
}

/// How long 429 is obeyed: as long as the server asks for, within reason; longer each time where
/// it does not say.
fn limit_wait(after_ms: Option<u64>, before: u32) -> u64 {
    after_ms
        .unwrap_or_else(|| 1_000 << before.min(6))
        .clamp(1_000, LONGEST_LIMIT_WAIT_MS)
}

/// What is said while something is held back for `ms`.
fn waiting(ms: u64, error: &ApiError) -> String {
    let seconds = ms.div_ceil(1_000);
    match error.kind {
        ErrorKind::RateLimited { after_ms } => {
            let mut said = retry::limited(seconds, after_ms);
            said.replace_range(..1, &said[..1].to_ascii_uppercase());
            said + "."
        }
        _ => format!("Waiting {seconds} s. {}", error.message),
    }
}

/// Whether the server no longer takes us for who we are.
fn lost_the_sign_in(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unauthorized | ErrorKind::CaptchaLock { .. } | ErrorKind::Anonymous
    )
}

/// Whether an answer says only that something begins, and not where to see its end: without its
/// task, a deletion is not done before the space is gone.
fn is_only_a_promise(call: &Call, reply: &Reply) -> bool {
    matches!(call, Call::DeleteSpace { .. }) && !matches!(reply, Reply::LongTaskStarted(_))
}

/// Whether nothing more of the job can succeed after this refusal.
fn ends_everything(error: &ApiError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unauthorized
            | ErrorKind::CaptchaLock { .. }
            | ErrorKind::Licence
            | ErrorKind::ReadOnlySite
            | ErrorKind::ReadOnlyClient
            | ErrorKind::BadUrl
            | ErrorKind::Anonymous
            | ErrorKind::CloudNotSupported
            | ErrorKind::Settings
    )
}

/// What answered a write in place of the server, if something did: the first half of a sentence. A web
/// page, or a redirect: Confluence answers with data.
fn answered_instead(error: &ApiError) -> Option<String> {
    let said = error.message.trim_end_matches('.');
    let said = match &error.kind {
        ErrorKind::NotJson { .. } => said.strip_prefix("The server answered ").map_or_else(
            || format!("something else than Confluence answered ({said})"),
            |with| format!("answered {with}"),
        ),
        ErrorKind::Redirect { .. } => said.strip_prefix("The server ").map_or_else(
            || format!("answered with a redirect ({said})"),
            str::to_owned,
        ),
        _ => return None,
    };
    Some(format!("Something between here and the server {said}"))
}

fn is_scan(call: &Call) -> bool {
    matches!(call, Call::Scan { .. })
}

fn made_by(reply: &Reply) -> (Option<String>, Option<String>) {
    match reply {
        Reply::LongTaskStarted(id) => (None, Some(id.0.clone())),
        Reply::Space(space) => (Some(space.key.to_string()), None),
        Reply::Content(content) => (Some(content.id.to_string()), None),
        Reply::BackupJob(job) => (Some(job.id.to_string()), None),
        _ => (None, None),
    }
}

/// Method and path of a write, for the journal. No query: nothing in it but what the path says.
fn request_line(call: &Call) -> (Method, String) {
    let request = call.request();
    (request.method, request.path)
}

/// The failure of a machine's expectation: the server answered something else.
pub(super) fn unexpected() -> ApiError {
    ApiError {
        kind: ErrorKind::Malformed,
        message: "The server answered something else than what was asked.".to_owned(),
        status: None,
        details: Vec::new(),
    }
}

/// Whether the thing asked for is not there. A refused operation (405) says nothing about it.
pub(super) fn is_not_there(error: &ApiError) -> bool {
    error.kind == ErrorKind::NotFound
}

/// Whether the operation is not offered, for this thing or at all.
pub(super) fn is_not_offered(error: &ApiError) -> bool {
    error.kind == ErrorKind::NoSuchOperation || is_not_there(error)
}

/// A refusal in words; with what to do where the message alone does not tell.
pub(super) fn refusal(error: ApiError) -> String {
    match error.kind {
        ErrorKind::Forbidden
        | ErrorKind::InBetween
        | ErrorKind::Conflict
        | ErrorKind::NotJson { .. } => {
            format!("{} {}", error.message, error.hint())
        }
        ErrorKind::NoSuchOperation => format!(
            "{} If it worked before, a proxy may forbid it: ask an administrator, or use a browser.",
            error.message
        ),
        _ => error.message,
    }
}

/// A refusal as the outcome of a thing.
pub(super) fn refused(error: ApiError) -> Outcome {
    Outcome::Failed(refusal(error))
}

/// The fate that a closed record tells, for a replay.
pub(super) fn fate_of(record: &Record) -> Fate {
    let note = record.note.clone().unwrap_or_default();
    match record.outcome {
        Phase::Intended => Fate::InDoubt(String::new()),
        Phase::Done => Fate::Applied {
            made: record.made.clone(),
        },
        Phase::Failed => Fate::NotApplied(note),
        Phase::Unknown => Fate::NeverKnown(note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::confluence::{BaseUrl, ContentId};
    use crate::jobs::proof::Claimed;

    fn purging() -> Desk {
        let target = Target {
            act: Act::PurgeAll,
            spaces: vec![consent::SpaceTarget {
                key: crate::confluence::SpaceKey::new("ENG"),
                name: String::new(),
            }],
            server: BaseUrl::of("https://wiki.example.org").into(),
            ..nobody().target.clone()
        };
        let head = Arc::new(Head {
            target: target.clone(),
            ..Head::clone(&nobody())
        });
        let agreed = consent::Challenge::new(target).answer("ENG");
        Desk::new(head, Vec::new(), agreed)
    }

    #[test]
    fn a_refusal_that_does_not_say_what_to_do_is_told_with_it() {
        for kind in [
            ErrorKind::Conflict,
            ErrorKind::Forbidden,
            ErrorKind::InBetween,
            ErrorKind::NotJson {
                content_type: "text/html".to_owned(),
            },
        ] {
            let error = ApiError::new(kind, "It was refused.");
            let hint = error.hint();
            assert_eq!(refusal(error), format!("It was refused. {hint}"));
            // A form puts what names one of its fields beside that field.
            for field in ["name", "description", "homepage"] {
                assert!(!hint.to_lowercase().contains(field), "{hint}");
            }
        }
    }

    fn purge() -> Call {
        Call::PurgeContent {
            id: ContentId::new("1"),
        }
    }

    fn ground() -> Ground {
        Ground::Backup(Claim {
            backups: vec!["b".to_owned()],
            items: Claimed::All(Arc::from([])),
        })
    }

    /// Answers what the desk has asked of the disk; how often it sent something.
    fn answer_disk(desk: &mut Desk, prove: &Result<Stored, StoreError>) -> usize {
        let mut sent = 0;
        for _ in 0..8 {
            for effect in desk.take() {
                match effect {
                    JobEffect::Send { .. } => sent += 1,
                    JobEffect::Write { write, what } => {
                        let outcome = match what {
                            JobWrite::Prove(_) => prove.clone(),
                            _ => Ok(Stored::Done),
                        };
                        let _ = desk.written(write, outcome);
                    }
                    JobEffect::Ask(_)
                    | JobEffect::GiveUp { .. }
                    | JobEffect::GiveUpWrite { .. } => {}
                }
            }
            desk.send_due();
        }
        sent
    }

    #[test]
    fn what_destroys_leaves_only_when_the_disk_has_shown_its_ground() {
        let holds = Ok(Stored::Standing(Standing::Holds));
        let mut desk = purging();
        desk.destroy(0, Step::Purge, purge(), "there", ground());
        assert_eq!(answer_disk(&mut desk, &holds), 1);
        for other in [
            Ok(Stored::Standing(Standing::Lacks(1))),
            Ok(Stored::Standing(Standing::Reading)),
            Ok(Stored::Done),
            Err(StoreError {
                message: "Gone.".to_owned(),
            }),
        ] {
            let mut desk = purging();
            desk.destroy(0, Step::Purge, purge(), "there", ground());
            assert_eq!(answer_disk(&mut desk, &other), 0, "{other:?}");
        }
        let mut desk = purging();
        desk.destroy(0, Step::Purge, purge(), "there", Ground::Declined);
        assert_eq!(answer_disk(&mut desk, &Ok(Stored::Done)), 1, "declined");
    }

    #[test]
    fn what_destroys_and_stands_on_nothing_is_not_sent() {
        let mut desk = purging();
        desk.write(0, Step::Purge, purge(), "there");
        let holds = Ok(Stored::Standing(Standing::Holds));
        assert_eq!(answer_disk(&mut desk, &holds), 0);
        let halted = desk.halted().unwrap_or_default();
        assert!(halted.contains("is in a backup"), "{halted}");
    }

    #[test]
    fn what_nobody_asks_about_any_more_is_told_as_unknown() {
        let line = |key: &str| Line::space(&crate::confluence::SpaceKey::new(key), "");
        let mut desk = purging();
        desk.add_line(line("ENG"));
        let doubt = |item| {
            let call = purge();
            Doubt::about(desk.intent(7 + u64::from(item), item, Step::Purge, &call, String::new()))
        };
        desk.doubts = vec![doubt(0)];
        assert!(!desk.has_only_doubts(), "its line is open");
        desk.close(0, Outcome::Gone);
        assert!(desk.has_only_doubts());
        desk.leave_in_doubt();
        assert!(!desk.has_only_doubts() && desk.is_finished());
        let ends: Vec<Phase> = desk.endings.iter().map(|it| it.outcome).collect();
        assert_eq!(ends, [Phase::Unknown]);
        assert_eq!(desk.lines()[0].outcome, Some(Outcome::Gone), "it had one");
    }

    #[test]
    fn no_two_runs_of_a_job_share_a_backup() {
        let mut desk = purging();
        let mut names = std::collections::BTreeSet::new();
        for _ in 0..3 {
            for number in 1..4 {
                assert!(names.insert(desk.backup_name(number)), "{number}");
            }
            desk.reopen(std::iter::empty());
        }
    }

    #[test]
    fn nothing_that_a_dry_run_asks_for_is_written() {
        let head = Arc::new(Head {
            id: JobId::new("dry"),
            ..Head::clone(&nobody())
        });
        assert_eq!(head.target.act, Act::DryRun);
        let mut desk = Desk::new(head, Vec::new(), None);
        let call = Call::TrashContent {
            id: ContentId::new("1"),
        };
        desk.write(0, Step::Withdraw, call, "there");
        desk.send_due();
        assert_eq!(desk.take(), [], "no line of the journal and no request");
        let halted = desk.halted().unwrap_or_default();
        assert!(
            halted.starts_with("A dry run sends reads only."),
            "{halted}"
        );
    }
}
