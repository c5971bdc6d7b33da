//! The job: one head, one desk, one machine.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::{Archive, Direction};
use super::back_up::BackUp;
use super::consent::{Act, Answer, Challenge, Consent, Target};
use super::create::{Create, NewSpace};
use super::delete::{BackupChoice, Delete, DeleteOptions};
use super::desk::{Answered, Arrived, Desk};
use super::dry_run::DryRun;
use super::full_backup::FullBackup;
use super::journal::Entry;
use super::needs;
use super::outcomes::Outcomes;
use super::purge::{Goal, Purge};
use super::read_in::{ReadIn, SpaceFile};
use super::recipe::{Recipe, Source};
use super::recreate::Recreate;
use super::rehearsal::{Rehearsal, Verdict};
use super::restore::Restore;
use super::session::{NotHere, Session, ToAgree, is_same};
use super::space_form::SpaceForm;
use super::update::Update;
use crate::confluence::SpaceKey;
use crate::text::json;

pub use super::effect::{JobEffect, JobEvent, JobWrite, StoreError, Stored};
pub use super::head::Head;
pub use super::line::{Line, Outcome, Thing};
use super::machine::Machine;
pub use super::names::{JobId, RequestNo, WriteNo};
pub use super::question::{Decision, OnFailure, Question};
pub use super::state::{JobState, Progress};
pub use super::step::Step;

/// Why a job cannot be made of what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The consent is about something else.
    #[error("The consent is about something else.")]
    OtherConsent,
    /// There is nothing to do.
    #[error("There is nothing to do.")]
    Nothing,
    /// Something is in its target more than once.
    #[error("It names more than once: {0}.")]
    Repeated(String),
    /// What was loaded is not a job.
    #[error("This is not a job of this program: {0}.")]
    NotAJob(String),
}

impl Unfit {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::OtherConsent => "Ask again about what the job is about.",
            Self::Nothing => "Mark something first.",
            Self::Repeated(_) => "Ask for each of them once.",
            Self::NotAJob(_) => "Remove the file, or keep it and use the version that wrote it.",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Work {
    Create(Create),
    Update(Update),
    Archive(Archive),
    Delete(Box<Delete>),
    Purge(Box<Purge>),
    BackUp(Box<BackUp>),
    FullBackup(Box<FullBackup>),
    ReadIn(Box<ReadIn>),
    Restore(Restore),
    Recreate(Box<Recreate>),
    DryRun(DryRun),
    Rehearsal(Box<Rehearsal>),
}

impl Work {
    fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Self::Create(machine) => machine,
            Self::Update(machine) => machine,
            Self::Archive(machine) => machine,
            Self::Delete(machine) => machine.as_mut(),
            Self::Purge(machine) => machine.as_mut(),
            Self::BackUp(machine) => machine.as_mut(),
            Self::FullBackup(machine) => machine.as_mut(),
            Self::ReadIn(machine) => machine.as_mut(),
            Self::Restore(machine) => machine,
            Self::Recreate(machine) => machine.as_mut(),
            Self::DryRun(machine) => machine,
            Self::Rehearsal(machine) => machine.as_mut(),
        }
    }
}

/// One user-visible operation.
///
/// Plain data: it can be cloned, compared and stored. Only a consent is not stored with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    head: Arc<Head>,
    state: JobState,
    cancelled: bool,
    /// What keeps it from going on: the disk, for instance.
    trouble: Option<String>,
    desk: Desk,
    work: Work,
    /// The largest share that was told.
    #[serde(default)]
    furthest: u8,
    /// Whether the person ended it by the answer to a question.
    #[serde(default)]
    stopped: bool,
}

impl Job {
    fn new(head: Head, lines: Vec<Line>, work: Work, consent: Option<Consent>) -> Self {
        let head = Arc::new(head);
        let desk = Desk::new(Arc::clone(&head), lines, consent);
        Self {
            head,
            state: JobState::Queued,
            cancelled: false,
            trouble: None,
            desk,
            work,
            furthest: 0,
            stopped: false,
        }
    }

    /// A new space.
    pub fn create_space(head: Head, new: NewSpace) -> Self {
        let line = match new.key(head.user.as_deref()) {
            Some(key) => Line::space(&key, new.name()),
            None => Line::space(&SpaceKey::new("~"), new.name()),
        };
        let user = head.user.clone();
        Self::new(head, vec![line], Work::Create(Create::new(new, user)), None)
    }

    /// A space changed from `base`, as the form showed it, to `mine`.
    pub fn update_space(head: Head, key: SpaceKey, base: SpaceForm, mine: SpaceForm) -> Self {
        Self::update_space_without(head, key, base, mine, Vec::new())
    }

    /// The same on a server that fails over these expansions: what they bring was not read, and is
    /// neither compared nor sent.
    pub fn update_space_without(
        head: Head,
        key: SpaceKey,
        base: SpaceForm,
        mine: SpaceForm,
        unread: Vec<String>,
    ) -> Self {
        let lines = vec![Line::space(&key, &base.name)];
        let update = Update::new(key, base, mine, unread);
        Self::new(head, lines, Work::Update(update), None)
    }

    /// The target's spaces archived.
    pub fn archive_spaces(head: Head) -> Self {
        Self::archive(head, Direction::IntoArchive)
    }

    /// The target's spaces taken out of the archive.
    pub fn restore_spaces(head: Head) -> Self {
        Self::archive(head, Direction::OutOfArchive)
    }

    fn archive(head: Head, direction: Direction) -> Self {
        let lines = space_lines(&head.target);
        let keys = head.target.spaces.iter().map(|space| space.key.clone());
        let work = Work::Archive(Archive::new(direction, keys.collect()));
        Self::new(head, lines, work, None)
    }

    /// The target's spaces deleted, one after the other.
    pub fn delete_spaces(
        head: Head,
        consent: Consent,
        options: DeleteOptions,
    ) -> Result<Self, Unfit> {
        may_begin(&head, &consent, Act::DeleteSpaces)?;
        let lines = space_lines(&head.target);
        let work = Work::Delete(Box::new(Delete::new(&head, options)));
        Ok(Self::new(head, lines, work, Some(consent)))
    }

    /// The target's items backed up and purged.
    pub fn purge_marked(head: Head, consent: Consent) -> Result<Self, Unfit> {
        may_begin(&head, &consent, Act::PurgeMarked)?;
        let lines = item_lines(&head.target);
        let work = Work::Purge(Box::new(Purge::marked(&head, Goal::Purge)));
        Ok(Self::new(head, lines, work, Some(consent)))
    }

    /// The whole trash of the target's one space backed up and purged.
    pub fn purge_all(head: Head, consent: Consent) -> Result<Self, Unfit> {
        may_begin(&head, &consent, Act::PurgeAll)?;
        let [space] = head.target.spaces.as_slice() else {
            return Err(Unfit::Nothing);
        };
        let work = Work::Purge(Box::new(Purge::all(&space.key)));
        Ok(Self::new(head, Vec::new(), work, Some(consent)))
    }

    /// The target's trashed items backed up; without items, the whole trash of its spaces.
    pub fn back_up(head: Head) -> Result<Self, Unfit> {
        let (work, lines) = match (head.target.items.as_slice(), head.target.spaces.as_slice()) {
            ([], []) => return Err(Unfit::Nothing),
            ([], _) => (
                Work::BackUp(Box::new(BackUp::new(&head))),
                space_lines(&head.target),
            ),
            _ => (
                Work::Purge(Box::new(Purge::marked(&head, Goal::BackUp))),
                item_lines(&head.target),
            ),
        };
        Ok(Self::new(head, lines, work, None))
    }

    /// The target's spaces written out by the server, downloaded and checked.
    pub fn back_up_spaces(head: Head) -> Result<Self, Unfit> {
        if head.target.spaces.is_empty() {
            return Err(Unfit::Nothing);
        }
        let lines = space_lines(&head.target);
        let work = Work::FullBackup(Box::new(FullBackup::new(&head)));
        Ok(Self::new(head, lines, work, None))
    }

    /// The target's space read in again by the server, from a file that it wrote out.
    pub fn restore_from_backup(head: Head, file: SpaceFile) -> Self {
        let lines = space_lines(&head.target);
        let work = Work::ReadIn(Box::new(ReadIn::new(file)));
        Self::new(head, lines, work, None)
    }

    /// The target's items taken out of the trash, parents first.
    pub fn restore_content(head: Head) -> Self {
        let lines = item_lines(&head.target);
        let work = Work::Restore(Restore::new(&head.target));
        Self::new(head, lines, work, None)
    }

    /// Content made again from a backup.
    pub fn recreate(head: Head, recipe: Recipe) -> Self {
        let work = Recreate::new(recipe, head.user.clone());
        let lines = work.lines();
        Self::new(head, lines, Work::Recreate(Box::new(work)), None)
    }

    /// Looks at the target's things and says of each what would be done. Sends reads only.
    pub fn dry_run(mut head: Head) -> Self {
        let would = head.target.act;
        head.target.act = Act::DryRun;
        let lines = if head.target.items.is_empty() {
            space_lines(&head.target)
        } else {
            item_lines(&head.target)
        };
        let work = Work::DryRun(DryRun::new(would, &head.target));
        Self::new(head, lines, work, None)
    }

    /// Looks at a backup and a server and says of each item whether it could be made again. Sends
    /// reads only.
    pub fn rehearse(mut head: Head, recipe: Recipe) -> Self {
        head.target.act = Act::DryRun;
        let work = Rehearsal::new(recipe, head.user.clone());
        let lines = work.lines();
        Self::new(head, lines, Work::Rehearsal(Box::new(work)), None)
    }

    /// A job as its last checkpoint had it, brought up to date with the journal's entries about it.
    /// It is paused, and goes on only once it is taken up; see [`Job::take_up`] and
    /// [`Job::challenge`].
    pub fn reopen(checkpoint: &str, entries: &[Entry]) -> Result<Self, Unfit> {
        let mut job: Self = serde_json::from_str(checkpoint)
            .map_err(|problem| Unfit::NotAJob(json::told(&problem)))?;
        job.desk.belongs_to(Arc::clone(&job.head));
        if job.state.is_over() {
            return Ok(job);
        }
        job.state = JobState::Paused;
        job.trouble = None;
        let news = job.desk.reopen(
            entries
                .iter()
                .map(|entry| &entry.record)
                .filter(|record| record.job == job.head.id),
        );
        for (item, step, fate) in news {
            job.work.machine().wrote(&mut job.desk, item, step, fate);
        }
        job.work.machine().reopened(&mut job.desk);
        Ok(job)
    }

    /// A job as its last checkpoint had it, to look at; `None` if it is none.
    pub(super) fn stored(checkpoint: &str) -> Option<Self> {
        serde_json::from_str(checkpoint).ok()
    }

    /// Whether what the journal says of its write of this number is not in its checkpoint.
    pub(super) fn needs(&self, no: u64) -> bool {
        self.desk.needs(no)
    }

    /// What is known of it since before it began.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// What a dry run is about; `None` for what is no dry run.
    pub fn would(&self) -> Option<Act> {
        match &self.work {
            Work::DryRun(run) => Some(run.would),
            Work::Rehearsal(_) => Some(Act::Recreate),
            Work::Create(_)
            | Work::Update(_)
            | Work::Archive(_)
            | Work::Delete(_)
            | Work::Purge(_)
            | Work::BackUp(_)
            | Work::FullBackup(_)
            | Work::ReadIn(_)
            | Work::Restore(_)
            | Work::Recreate(_) => None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> JobState {
        self.state
    }

    /// Whether it was cancelled but is still learning what became of the last requests.
    pub fn is_cancelling(&self) -> bool {
        self.cancelled && !self.state.is_over()
    }

    /// Its things and what became of each.
    pub fn lines(&self) -> &[Line] {
        self.desk.lines()
    }

    /// How many of its things ended how.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes::of(self.desk.lines())
    }

    /// What it cannot decide.
    pub fn question(&self) -> Option<&Question> {
        self.desk.question()
    }

    /// What keeps it from going on, in one or two sentences.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether it has ended because the person said so when it asked, and nothing of it went wrong.
    pub fn is_stopped(&self) -> bool {
        let mut outcomes = self.lines().iter().filter_map(|line| line.outcome.as_ref());
        self.stopped
            && self.state == JobState::Failed
            && !outcomes.any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// Why it ended early, if it did.
    pub fn halted(&self) -> Option<&str> {
        self.desk.halted()
    }

    /// The folder of its latest backup, if it has made one.
    pub fn backup(&self) -> Option<&str> {
        match &self.work {
            Work::Purge(purge) => purge.backup(),
            Work::BackUp(back_up) => back_up.backup(),
            Work::FullBackup(full) => full.backup(),
            Work::Delete(delete) => delete.backup(),
            _ => None,
        }
    }

    /// The folders of the backups of what stands on this line, where each has its own.
    pub fn backups_of(&self, line: usize) -> impl Iterator<Item = &str> {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.desk.backups_of(line)
    }

    /// Whether the space at work is to be deleted, and that was sent.
    pub fn is_deletion_sent(&self) -> bool {
        let is_in_doubt = self.desk.in_doubt() > 0;
        matches!(&self.work, Work::Delete(delete) if delete.is_sent() || is_in_doubt)
    }

    /// What is done already with the thing at work, in words, where that is more than the lines tell.
    pub fn done_so_far(&self) -> Option<String> {
        match &self.work {
            Work::Delete(delete) => delete.done_so_far(),
            _ => None,
        }
    }

    /// What would become of each of its lines, if it is a dry run of making content again.
    pub fn verdicts(&self) -> Option<Vec<Option<&Verdict>>> {
        match &self.work {
            Work::Rehearsal(rehearsal) => Some(rehearsal.verdicts()),
            _ => None,
        }
    }

    /// The backup that it makes content again from, if that is what it does.
    pub fn source(&self) -> Option<Source> {
        match &self.work {
            Work::Recreate(recreate) => Some(recreate.source()),
            _ => None,
        }
    }

    /// The backup that it reads from, which was there before it.
    fn reads_from(&self) -> Option<&str> {
        match &self.work {
            Work::Recreate(recreate) => Some(recreate.reads_from()),
            Work::Rehearsal(rehearsal) => Some(rehearsal.reads_from()),
            Work::ReadIn(read_in) => Some(read_in.reads_from()),
            _ => None,
        }
    }

    /// Whether it is not over and may need this backup.
    pub fn may_need(&self, backup: &str) -> bool {
        !self.state.is_over()
            && (needs::is_made_by(backup, &self.head.id) || self.reads_from() == Some(backup))
    }

    /// Begins, or goes on. The backup that it reads from is held before it is stored that it does:
    /// whoever removes a backup looks at what is stored.
    fn begin(&mut self) {
        if let Some(backup) = self.reads_from().map(str::to_owned) {
            self.desk.hold_first(backup);
        }
        self.state = JobState::Running;
        self.desk.begin();
    }

    /// The lists of this server were caught leaving rows out before: a whole trash is purged item by
    /// item, never in one stroke.
    #[must_use]
    pub fn on_a_server_that_leaves_rows_out(mut self) -> Self {
        if let Work::Purge(purge) = &mut self.work {
            purge.trust_no_list();
        }
        self
    }

    /// Whether a list of the server was caught leaving rows out while it was at work.
    pub fn caught_a_list(&self) -> bool {
        match &self.work {
            Work::Purge(purge) => purge.caught_a_list(),
            Work::Delete(delete) => delete.caught_a_list(),
            Work::BackUp(back_up) => back_up.caught_a_list(),
            Work::FullBackup(_)
            | Work::ReadIn(_)
            | Work::Create(_)
            | Work::Update(_)
            | Work::Archive(_)
            | Work::Restore(_)
            | Work::Recreate(_)
            | Work::DryRun(_)
            | Work::Rehearsal(_) => false,
        }
    }

    /// How many items wait in memory to be saved, where whole trashes or spaces are saved.
    pub fn held(&self) -> Option<usize> {
        match &self.work {
            Work::BackUp(back_up) => Some(back_up.held()),
            Work::Purge(purge) => purge.held(),
            Work::Delete(delete) => Some(delete.held()),
            _ => None,
        }
    }

    /// How spaces are to be deleted, if that is what it does.
    pub fn delete_options(&self) -> Option<DeleteOptions> {
        match &self.work {
            Work::Delete(delete) => Some(delete.options()),
            _ => None,
        }
    }

    /// Whether it destroys without a backup, which was declined.
    pub fn has_declined_backup(&self) -> bool {
        let options = self.delete_options();
        options.is_some_and(|options| options.backup == BackupChoice::Declined)
    }

    /// Until when nothing new is sent because the server asked for it or was out of reach, on the
    /// program's clock, in milliseconds.
    pub fn waits_until(&self) -> Option<u64> {
        (self.deadline().is_some() && self.desk.is_held()).then(|| self.desk.held_until())
    }

    /// What has to be agreed to before it can go on: a destructive job that was loaded from disk.
    /// The number that is asked for is that of what is left. Where nothing is left, nothing will be
    /// destroyed.
    pub fn challenge(&self) -> Option<Challenge> {
        let asks = self.head.target.act.is_destructive()
            && !self.state.is_over()
            && !self.desk.has_consent();
        let challenge = Challenge::of_rest(self.head.target.clone(), self.left());
        (asks && *challenge.wants() != Answer::Count(0)).then_some(challenge)
    }

    /// How many of its things have no outcome yet.
    pub fn left(&self) -> usize {
        self.desk.open().count()
    }

    /// Of how many of those that have no outcome it is not known yet whether what was sent was done.
    pub fn in_doubt(&self) -> usize {
        self.desk.in_doubt()
    }

    /// Its target without the things that have an outcome.
    pub fn rest(&self) -> Target {
        let over = |thing: Thing, subject: &str| {
            let mut of_it = self.desk.lines().iter();
            let mut of_it = of_it
                .by_ref()
                .filter(|line| line.thing == thing && &*line.subject == subject);
            of_it.next().is_some_and(|line| line.outcome.is_some())
                && of_it.all(|line| line.outcome.is_some())
        };
        let mut rest = self.head.target.clone();
        if rest.items.is_empty() {
            rest.spaces
                .retain(|space| !over(Thing::Space, space.key.as_str()));
        } else {
            rest.items
                .retain(|item| !over(Thing::Content, item.id.as_str()));
        }
        rest
    }

    /// Whether it may go on in `session`, and what the person has to agree to before: what was
    /// loaded from a file belongs to one server, one profile and one user.
    pub fn may_take_up(&self, session: &Session) -> Result<Vec<ToAgree>, NotHere> {
        if self.desk.session() == Some(session) {
            return Ok(Vec::new());
        }
        let to_agree = session.may_take_up(&self.head)?;
        if let Work::Create(create) = &self.work {
            create.may_take_up(session)?;
        }
        Ok(to_agree)
    }

    /// Takes it up in `session`, after what [`Job::may_take_up`] asks for was agreed to.
    pub fn take_up(&mut self, session: Session) -> Result<(), NotHere> {
        self.may_take_up(&session)?;
        if self.head.target.server.address().is_none() {
            let mut head = Head::clone(&self.head);
            head.target.server = session.address.clone().into();
            self.head = Arc::new(head);
            self.desk.belongs_to(Arc::clone(&self.head));
        }
        self.work.machine().taken_up(session.user.as_deref());
        self.desk.take_up(session);
        Ok(())
    }

    /// Takes the consent that [`Job::challenge`] asked for.
    pub fn agree(&mut self, consent: Consent) -> Result<(), Unfit> {
        agrees(&self.head, &consent, self.head.target.act)?;
        self.desk.agree(consent);
        Ok(())
    }

    /// When it next wants a [`JobEvent::Tick`], on the program's clock, in milliseconds.
    pub fn deadline(&self) -> Option<u64> {
        match self.state {
            JobState::Running => self.desk.deadline(),
            JobState::Paused if self.cancelled => self.desk.deadline(),
            _ => None,
        }
    }

    /// How much of it is done, in percent. It never goes down, and is not told where nothing of it is
    /// known: in a part of which see [`Job::part_of_it`], and of one thing at its beginning.
    pub fn share(&self) -> Option<u8> {
        let share = self.share_now()?.max(self.furthest);
        let progress = self.desk.progress();
        (share > 0 || progress.total > 1).then_some(share)
    }

    /// What is done before the thing that it is about, and how long that takes nobody knows: in a word.
    pub fn part_of_it(&self) -> Option<&'static str> {
        match &self.work {
            _ if self.state.is_over() => None,
            Work::Delete(delete) if delete.is_copying() => Some("server backup"),
            Work::FullBackup(_) => Some("server backup"),
            Work::ReadIn(_) => Some("restore"),
            _ => self.desk.progress().saving.map(|_| "backup"),
        }
    }

    /// What is sent is half done before it is shown to be: of one thing that is in doubt, nothing else
    /// would be true.
    fn share_now(&self) -> Option<u8> {
        if self.part_of_it().is_some() {
            return None;
        }
        let progress = self.desk.progress();
        let total = progress.total as u64 * 100;
        // Where the server tells how far the thing at work is, that says more.
        let at_work = match progress.part {
            0 => progress.sent as u64 * 50,
            part => u64::from(part),
        };
        let done = progress.finished as u64 * 100 + at_work;
        // One that goes on is not done.
        (total > 0).then(|| (done.min(total) * 100 / total).min(99) as u8)
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let mut progress = self.desk.progress();
        if let Some(trouble) = &self.trouble {
            progress.message.clone_from(trouble);
        } else if let Some(why) = self.desk.halted() {
            why.clone_into(&mut progress.message);
        }
        progress
    }

    /// Takes in what happened at `at_ms` and says what is to be done.
    #[must_use = "effects do nothing until they are performed"]
    pub fn step(&mut self, at_ms: u64, event: JobEvent) -> Vec<JobEffect> {
        let effects = self.take_in(at_ms, event);
        self.furthest = self.furthest.max(self.share_now().unwrap_or(0));
        effects
    }

    fn take_in(&mut self, at_ms: u64, event: JobEvent) -> Vec<JobEffect> {
        self.desk.clock(at_ms);
        let machine = self.work.machine();
        match event {
            JobEvent::Begin => {
                if self.state == JobState::Queued {
                    self.begin();
                }
            }
            JobEvent::Reply { request, outcome } => match self.desk.answer(request, outcome) {
                Some(Answered::Read(item, step, answer)) => {
                    machine.read(&mut self.desk, item, step, answer);
                }
                Some(Answered::Wrote(item, step, fate)) => {
                    machine.wrote(&mut self.desk, item, step, fate);
                }
                None => {}
            },
            JobEvent::Written { write, outcome } => match self.desk.written(write, outcome) {
                Ok(Some(Arrived::Stored(what, answer))) => {
                    machine.stored(&mut self.desk, &what, answer);
                }
                Ok(Some(Arrived::Lacking(item))) => machine.lacking(&mut self.desk, item),
                Ok(None) => {}
                Err(why) => {
                    self.trouble = Some(why);
                    if self.state == JobState::Running {
                        self.state = JobState::Paused;
                    }
                    self.desk.recall();
                }
            },
            // Nothing follows from it.
            JobEvent::Moved { done, total } => {
                self.desk.moved(done, total);
                return self.desk.take();
            }
            JobEvent::Tick => {}
            JobEvent::Pause => {
                if self.state == JobState::Running {
                    self.state = JobState::Paused;
                    self.desk.recall();
                    self.desk.checkpoint();
                }
            }
            JobEvent::Resume => {
                let is_taken_up = self.desk.session().is_some() && self.challenge().is_none();
                if self.state == JobState::Paused && is_taken_up {
                    self.trouble = None;
                    self.desk.write_again();
                    self.begin();
                }
            }
            JobEvent::Cancel => {
                if !self.state.is_over() && !self.cancelled {
                    self.cancelled = true;
                    self.desk.stop();
                    for (item, step, fate) in self.desk.break_off_uploads() {
                        machine.wrote(&mut self.desk, item, step, fate);
                    }
                    self.desk.forget_refused();
                    self.desk.write_again();
                    self.trouble = None;
                }
            }
            JobEvent::TakenFor(user) => self.taken_for(&user),
            JobEvent::Decide(decision) => {
                if self.desk.question().is_some() {
                    let is_stop = decision == Decision::Stop;
                    self.desk.answered();
                    machine.decide(&mut self.desk, decision);
                    self.stopped |= is_stop && self.desk.is_halted();
                    self.desk.checkpoint();
                }
            }
        }
        if let Some(why) = self.desk.take_trouble() {
            self.trouble = Some(why);
            if self.state == JobState::Running {
                self.state = JobState::Paused;
            }
            self.desk.recall();
            self.desk.checkpoint();
        }
        self.pump();
        self.desk.take()
    }

    /// It was begun, or gone on with, as somebody else: nothing more is written before that is agreed to.
    fn taken_for(&mut self, user: &str) {
        if self.state.is_over() || self.desk.user().is_none_or(|before| is_same(before, user)) {
            return;
        }
        let before = self.desk.leave().unwrap_or_default();
        self.desk.recall();
        self.desk.checkpoint();
        // Whoever gives it up only asks what became of the last writes, and what has not begun has none.
        if !self.cancelled && self.state != JobState::Queued {
            self.trouble = Some(format!(
                "The server takes you for {user} now; {before} was at work until here. Nothing more is sent until you say that it goes on."
            ));
            if self.state == JobState::Running {
                self.state = JobState::Paused;
            }
        }
    }

    fn pump(&mut self) {
        if !self.state.is_over() {
            self.go();
        }
        if self.desk.wants_checkpoint() {
            self.desk.checkpoint_taken();
            let text = serde_json::to_string(self)
                .expect("because a job is made of plain data with string keys");
            self.desk.store(JobWrite::Checkpoint(text));
        }
    }

    fn go(&mut self) {
        self.go_once();
        while let Some(Answered::Read(item, step, answer)) = self.desk.known_answer() {
            let machine = self.work.machine();
            machine.read(&mut self.desk, item, step, answer);
            self.go_once();
        }
        if self.may_end() {
            self.state = self.end();
            self.desk.release_all();
            self.desk.checkpoint();
        }
    }

    fn go_once(&mut self) {
        if self.desk.is_halted() && !self.desk.is_stopping() {
            self.desk.stop();
        }
        let at_work = self.state == JobState::Running || self.cancelled;
        if at_work && self.trouble.is_none() {
            self.desk.send_due();
            if self.desk.question().is_none()
                && !self.desk.waits_for_checkpoint()
                && !self.desk.is_held()
            {
                self.work.machine().go(&mut self.desk);
                if self.desk.is_halted() && !self.desk.is_stopping() {
                    self.desk.stop();
                    // What is in doubt is still asked about.
                    self.work.machine().go(&mut self.desk);
                }
                self.desk.send_due();
            }
        }
    }

    fn may_end(&mut self) -> bool {
        if !self.desk.is_quiet() {
            return false;
        }
        if self.state == JobState::Queued {
            return self.cancelled && self.desk.leave_the_rest();
        }
        if self.state == JobState::Paused && !self.cancelled {
            return false;
        }
        if self.trouble.is_some() || self.desk.question().is_some() {
            return false;
        }
        // While nothing new may be asked for, its last look is still to come.
        if self.desk.is_held() {
            return false;
        }
        // The machine was asked just now, and asks for nothing more.
        if self.desk.is_stopping() || self.desk.has_only_doubts() {
            self.desk.leave_in_doubt();
        }
        if !self.desk.is_quiet() {
            return false;
        }
        if self.desk.is_stopping() {
            return self.desk.leave_the_rest();
        }
        self.desk.is_finished()
    }

    fn end(&self) -> JobState {
        let mut state = if self.desk.is_halted() {
            JobState::Failed
        } else {
            JobState::Done
        };
        for line in self.desk.lines() {
            match &line.outcome {
                Some(Outcome::Unknown(_)) => return JobState::Unknown,
                Some(Outcome::Failed(_) | Outcome::Differs(_) | Outcome::NotSaved(_)) => {
                    state = JobState::Failed;
                }
                Some(
                    Outcome::Done(_)
                    | Outcome::Gone
                    | Outcome::WithPage
                    | Outcome::Skipped(_)
                    | Outcome::Stopped(_)
                    | Outcome::NotTried(_),
                )
                | None => {}
            }
        }
        if self.cancelled && !self.is_all_done() {
            return JobState::Cancelled;
        }
        state
    }

    /// Whether nothing of it is left to do: a cancel changed nothing, and nobody is told that it did.
    fn is_all_done(&self) -> bool {
        let is_done = |line: &Line| {
            let outcome = line.outcome.as_ref();
            outcome.is_some_and(Outcome::leaves_nothing_to_do)
        };
        !self.lines().is_empty() && self.lines().iter().all(is_done)
    }

    /// Whether it was cancelled when all of it had been done, or could not be called back.
    pub fn was_cancelled_too_late(&self) -> bool {
        self.cancelled && self.state == JobState::Done
    }
}

fn agrees(head: &Head, consent: &Consent, act: Act) -> Result<(), Unfit> {
    if head.target.act != act || *consent.target() != head.target {
        return Err(Unfit::OtherConsent);
    }
    if head.target.count() == 0 {
        return Err(Unfit::Nothing);
    }
    Ok(())
}

/// Whether what cannot be undone may begin: it was agreed to, and each thing is named once.
fn may_begin(head: &Head, consent: &Consent, act: Act) -> Result<(), Unfit> {
    agrees(head, consent, act)?;
    let repeated = head.target.repeated();
    if repeated.is_empty() {
        Ok(())
    } else {
        Err(Unfit::Repeated(repeated.join(", ")))
    }
}

fn space_lines(target: &Target) -> Vec<Line> {
    let spaces = target.spaces.iter();
    spaces.map(|it| Line::space(&it.key, &it.name)).collect()
}

fn item_lines(target: &Target) -> Vec<Line> {
    let items = target.items.iter();
    items.map(|it| Line::content(&it.id, &it.title)).collect()
}
