//! A plan and its confirmation, one screen: what will be done, exactly to what, on which server,
//! what cannot be undone, and the field or the button that agrees to it.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::shown::Listed;
use super::stack::{Seen, SeenTerms};
use super::{Outcome, is_esc};
use crate::app::disk::DiskWaiter;
use crate::app::field::{Field, Lines};
use crate::app::fields::kind_name;
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key, KeyPress, Stroke};
use crate::app::layout::tallest_inside;
use crate::app::list::Step;
use crate::app::message::{DiskCall, Effect, LogLevel, Millis, Size};
use crate::app::modal::Modal;
use crate::app::modal::jobs::told;
use crate::app::modal::reading::{Line, Tone, folded, folded_pieces};
use crate::app::model::{Model, Writes};
use crate::confluence::call::{Depth, Window};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ErrorKind, JobOperation, Moment, Permission,
    Reply, SpaceKey,
};
use crate::jobs::losses::COUNTED_LATER;
use crate::jobs::plan::Plan;
use crate::jobs::{
    Act, Answer, BackupChoice, Challenge, Consent, DeleteOptions, ItemTarget, Job, JobId,
    OnFailure, Recipe, SpaceFile, SpaceTarget, Target, Thing, ToAgree, done_to,
};
use crate::text::{number, width};

/// Equal keys this close together, in milliseconds, come from a key that is held down.
const HELD_MS: u64 = 40;

/// So many of them are not typed by a person.
const HELD_KEYS: usize = 4;

/// Facts are asked for about so many spaces; a dialog has no room for more.
const FACTS: usize = 8;

/// What the first page of a list tells of how many there are.
fn counted_in(rows: &[Content], total: Option<u64>, goes_on: bool) -> Count {
    let different: HashSet<&ContentId> = rows.iter().map(|row| &row.id).collect();
    let count = different.len() as u64;
    let is_short = !goes_on && total.is_some_and(|total| count < total);
    if different.len() < rows.len() || is_short {
        return Count::Uncertain(total.unwrap_or(count));
    }
    match total {
        Some(total) => Count::Exactly(total),
        None if goes_on => Count::AtLeast(count),
        None => Count::Exactly(count),
    }
}

/// How many rows are read to count what a server doesn't total.
const COUNTED: u64 = 200;

/// What has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum At {
    /// The button that leaves.
    Cancel,
    /// The button that agrees.
    Confirm,
    /// The field in which the answer is typed.
    Typed,
    /// The plan, with its own keys.
    Plan,
}

/// What is said to an answer that comes before what it is about.
const COUNTING: &str = "Still counting what is there; nothing was done. Then Enter again.";

/// How many there are, as far as the server told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Count {
    /// Not known yet.
    Asked,
    /// So many.
    Exactly(u64),
    /// At least so many.
    AtLeast(u64),
    /// So many, by a list that repeats rows or tells fewer than it says: others may be left out.
    Uncertain(u64),
    /// The server does not tell this user.
    Refused,
    /// It could not be learned.
    Unknown,
}

/// What is counted or looked up for the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum Fact {
    /// Pages.
    Pages,
    /// Blog posts.
    Blog,
    /// Trashed items.
    Trash,
    /// The space: last change, administrators.
    Space,
    /// Whether the server can write spaces out.
    ServerBackup,
    /// Whether the key of a space that is to be restored is free.
    Key,
}

/// Whether the server can write a space out, as far as is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum ServerCan {
    /// Not asked, or not answered.
    NotKnown,
    /// It tells of such backups to this user.
    Yes,
    /// It does not, for this reason.
    No(String),
}

/// What a person should know of a space before it goes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceFacts {
    /// Its key.
    pub key: SpaceKey,
    /// Pages.
    pub pages: Count,
    /// Blog posts.
    pub blog: Count,
    /// Trashed items.
    pub trash: Count,
    /// Who administers it, where the server tells.
    pub administrators: Vec<String>,
    /// When it was changed last, and by whom.
    pub changed: Option<(Moment, String)>,
    /// What was counted, by id, as far as all of it was listed.
    #[serde(skip)]
    pub(super) listed: Listed,
}

/// What is agreed to, as far as it changes while the dialog is open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Terms {
    counts: Vec<[Count; 3]>,
    server: Option<BackupChoice>,
    backup: BackupChoice,
    on_failure: OnFailure,
}

/// The dialog.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirm {
    /// What will be done.
    pub plan: Plan,
    /// What has to be answered.
    pub challenge: Challenge,
    /// The answer as it is typed.
    pub typed: Field,
    /// What has the keys.
    pub at: At,
    /// Whether what is in a space is saved before it is deleted.
    pub backup: BackupChoice,
    /// Whether the server itself backs it up before that.
    pub server: BackupChoice,
    /// Whether it can.
    pub server_can: ServerCan,
    /// Whether a job of many goes on after a failure.
    pub on_failure: OnFailure,
    /// How many of the marked rows a filter hides.
    pub hidden: usize,
    /// Marked rows that this act doesn't fit, and why.
    pub skipped: Vec<String>,
    /// What is wrong with the answer.
    pub problem: Option<String>,
    /// What is known of the spaces.
    pub facts: Vec<SpaceFacts>,
    /// A job of an earlier run that this agrees to go on with.
    pub resumes: Option<JobId>,
    /// What is to be known before anything else, and agreed to with the act: a sentence or two each.
    pub to_agree: Vec<String>,
    /// What is made again from which backup, where that is the act.
    pub recipe: Option<Box<Recipe>>,
    /// What is read in again, where that is the act.
    pub space_file: Option<Box<SpaceFile>>,
    /// Whether a space of its key is there.
    pub is_key_taken: bool,
    /// Lines of the plan scrolled away.
    pub top: usize,
    /// The last key, how often it came in a row, and when.
    run: Option<(Chord, usize, Millis)>,
    /// Whether such keys were left out of what is typed.
    left_out: bool,
}

/// What is said of a destroying job that goes on while it is not known what became of writes that an
/// earlier run has sent.
fn in_doubt(job: &Job) -> Option<String> {
    let act = job.head().target.act;
    let (most, doubts) = (job.left(), job.in_doubt());
    if !act.is_destructive() || doubts == 0 {
        return None;
    }
    let least = most.saturating_sub(doubts);
    let count = |n: usize| number::grouped(n as u64);
    let (was, them, these) = if doubts == 1 {
        ("it", "is", "This")
    } else {
        ("they", "are", "These")
    };
    Some(format!(
        "{} to {} are left: of {} it is not known yet whether {was} {them} {} already. {these} {them} asked about first, and nothing is sent twice.",
        count(least),
        count(most),
        count(doubts),
        done_to(act),
    ))
}

impl Confirm {
    /// The dialog for an act on `target`.
    pub fn new(target: Target, now: jiff::Timestamp) -> Self {
        let challenge = Challenge::new(target.clone());
        let at = match challenge.wants() {
            Answer::Confirm => At::Cancel,
            Answer::SpaceKey(_) | Answer::Count(_) | Answer::ProfileName(_) => At::Typed,
        };
        Self {
            plan: Plan::of(target, BackupChoice::Save, now),
            challenge,
            typed: Field::new(Lines::One, ""),
            at,
            backup: BackupChoice::Save,
            server: BackupChoice::Declined,
            server_can: ServerCan::NotKnown,
            on_failure: OnFailure::Stop,
            hidden: 0,
            skipped: Vec::new(),
            problem: None,
            facts: Vec::new(),
            resumes: None,
            to_agree: Vec::new(),
            recipe: None,
            space_file: None,
            is_key_taken: false,
            top: 0,
            run: None,
            left_out: false,
        }
    }

    /// What is agreed to, as far as it changes: what is counted, once it is, and what was chosen.
    pub(super) fn terms(&self) -> Terms {
        let counts =
            |facts: &SpaceFacts| [facts.pages.clone(), facts.blog.clone(), facts.trash.clone()];
        let counts: Vec<_> = self.facts.iter().map(counts).collect();
        // Of a trash alone nothing else is counted.
        let of_spaces = counts_all(self.target().act);
        let is_asked = |counts: &[Count; 3]| {
            counts[2] == Count::Asked || of_spaces && counts[..2].contains(&Count::Asked)
        };
        Terms {
            counts: if counts.iter().any(is_asked) {
                Vec::new()
            } else {
                counts
            },
            server: (self.server_can != ServerCan::NotKnown).then_some(self.server),
            backup: self.backup,
            on_failure: self.on_failure,
        }
    }

    /// What the act is about; of a job that goes on, what is left of it.
    pub fn target(&self) -> &Target {
        &self.plan.target
    }

    /// What has to be typed, as it is asked for; `None` when a plain yes is enough.
    pub fn wanted(&self) -> Option<String> {
        match self.challenge.wants() {
            Answer::Confirm => None,
            Answer::SpaceKey(key) => Some(key.to_string()),
            Answer::Count(count) => Some(count.to_string()),
            Answer::ProfileName(name) => Some(name.clone()),
        }
    }

    /// Whether a key can't belong to the answer, so that it means what it means in the plan.
    fn is_plan_key(&self, c: char) -> bool {
        match self.at {
            At::Plan | At::Cancel | At::Confirm => true,
            // A number has no letters in it; but what changes the plan wants the plan's focus.
            At::Typed => {
                matches!(self.challenge.wants(), Answer::Count(_)) && matches!(c, 'w' | 'd')
            }
        }
    }

    /// The plan's own keys, with their words.
    pub fn options(&self) -> Vec<(&'static str, &'static str)> {
        let target = self.target();
        let mut options = Vec::new();
        if target.act == Act::DeleteSpaces && self.resumes.is_none() {
            if self.server_can == ServerCan::Yes {
                options.push(match self.server {
                    BackupChoice::Save => ("s", "skip the server's backup"),
                    BackupChoice::Declined => ("s", "server's backup too"),
                });
            }
            options.push(match self.backup {
                BackupChoice::Save => ("b", "decline the backup"),
                BackupChoice::Declined => ("b", "back up first"),
            });
            if target.spaces.len() > 1 {
                options.push(match self.on_failure {
                    OnFailure::Stop => ("f", "go on after a failure"),
                    OnFailure::GoOn => ("f", "stop at a failure"),
                });
            }
        }
        if has_plan(target.act) {
            options.push(("w", "write plan"));
            options.push(("d", "dry run"));
        }
        options
    }

    /// Whether some key of the plan could belong to the answer, so that it takes a Tab before it.
    fn keys_wait_for_tab(&self) -> bool {
        ['s', 'b', 'f', 'w', 'd']
            .into_iter()
            .any(|c| !self.is_plan_key(c))
    }

    /// The keys that mean something now, with their words.
    pub fn hints(&self) -> Vec<(&'static str, &'static str)> {
        let options = self.options();
        match (self.at, self.wanted().is_some()) {
            (At::Plan, _) => {
                let back = [("Tab", "back"), ("Esc", "cancel")];
                options.into_iter().chain(back).collect()
            }
            (_, true) if options.is_empty() => vec![("Enter", "do it"), ("Esc", "cancel")],
            (_, true) => vec![("Enter", "do it"), ("Tab", "options"), ("Esc", "cancel")],
            (_, false) => vec![("y", "confirm"), ("Tab", "next"), ("Esc", "cancel")],
        }
    }

    /// Whether this key comes from a key that is held down; what it already typed is taken back.
    fn is_held(&mut self, press: KeyPress, now: Millis) -> bool {
        if press.stroke == Stroke::Repeat {
            return true;
        }
        let count = match self.run {
            Some((chord, count, at)) if chord == press.chord && now.since(at) < HELD_MS => {
                count + 1
            }
            _ => 1,
        };
        self.run = Some((press.chord, count, now));
        if count == HELD_KEYS {
            for _ in 1..HELD_KEYS {
                self.typed.key(Chord::plain(Key::Backspace));
            }
        }
        count >= HELD_KEYS
    }

    /// The dialog that agrees to go on with a job, as it was begun: about what is left of it.
    pub(super) fn going_on(job: &Job, to_agree: &[ToAgree], now: jiff::Timestamp) -> Self {
        let mut dialog = Self::new(job.rest(), now);
        dialog.resumes = Some(job.head().id.clone());
        dialog.to_agree = to_agree.iter().map(ToAgree::told).collect();
        dialog.plan.source = job.source();
        dialog.skipped.extend(in_doubt(job));
        // Its consent is to the whole of it, as the job knows it.
        let whole = || Challenge::new(job.head().target.clone());
        dialog.challenge = job.challenge().unwrap_or_else(whole);
        if let Some(options) = job.delete_options() {
            dialog.backup = options.backup;
            dialog.server = options.server;
            if options.server == BackupChoice::Save {
                dialog.server_can = ServerCan::Yes;
            }
            dialog.on_failure = options.on_failure;
            dialog.replan();
        }
        dialog
    }

    fn replan(&mut self) {
        self.plan = Plan::of(self.target().clone(), self.backup, self.plan.created);
        if self.server == BackupChoice::Save {
            self.plan.server_first();
        }
    }

    /// Notes a fact that came.
    pub(in crate::app) fn learn(
        &mut self,
        key: &SpaceKey,
        fact: Fact,
        outcome: Result<Reply, ApiError>,
    ) {
        if fact == Fact::ServerBackup {
            self.server_can = match outcome {
                Ok(_) => ServerCan::Yes,
                Err(error) => ServerCan::No(match error.kind {
                    ErrorKind::Forbidden => "you may not have it write spaces out".to_owned(),
                    ErrorKind::NotFound | ErrorKind::NoSuchOperation => {
                        "that needs Confluence 9.0 and an administrator".to_owned()
                    }
                    _ => error.message,
                }),
            };
            if self.server_can == ServerCan::Yes && self.resumes.is_none() {
                self.server = BackupChoice::Save;
                self.replan();
            }
            return;
        }
        if fact == Fact::Key {
            self.is_key_taken = outcome.is_ok();
            return;
        }
        let Some(facts) = self.facts.iter_mut().find(|facts| facts.key == *key) else {
            return;
        };
        if self.problem.as_deref() == Some(COUNTING) {
            self.problem = None;
        }
        let count = match &outcome {
            Ok(Reply::Contents(page)) => counted_in(&page.results, page.total, page.has_next),
            Ok(Reply::Trash(page)) => counted_in(&page.results, page.total, page.next.is_some()),
            Err(error) if error.kind == ErrorKind::Forbidden => Count::Refused,
            Ok(_) | Err(_) => Count::Unknown,
        };
        facts.listed.learn(fact, &count, &outcome);
        match fact {
            Fact::Pages => facts.pages = count,
            Fact::Blog => facts.blog = count,
            Fact::Trash => facts.trash = count,
            Fact::ServerBackup | Fact::Key => {}
            Fact::Space => {
                if let Ok(Reply::Space(space)) = outcome
                    && let Some(more) = space.more
                {
                    let administers = |p: &&Permission| p.operation.starts_with("administer");
                    facts.administrators = more
                        .permissions
                        .iter()
                        .flatten()
                        .filter(administers)
                        .flat_map(|p| p.subjects.clone())
                        .collect();
                    facts.changed = more.modified.map(|at| {
                        (
                            at,
                            more.last_modifier
                                .map(|person| person.display_name)
                                .unwrap_or_default(),
                        )
                    });
                }
            }
        }
    }
}

impl Model {
    /// Opens the dialog, and asks what should be known before.
    pub(in crate::app) fn confirm(&mut self, mut dialog: Confirm, out: &mut Vec<Effect>) {
        let act = dialog.target().act;
        let whole =
            matches!(act, Act::BackUp | Act::BackUpSpaces) && dialog.target().items.is_empty();
        if whole || matches!(act, Act::DeleteSpaces | Act::PurgeAll) {
            let over = self.over_for(&dialog);
            let keys: Vec<SpaceKey> = dialog
                .target()
                .spaces
                .iter()
                .filter(|space| !over.contains(&space.key))
                .take(FACTS)
                .map(|space| space.key.clone())
                .collect();
            for key in keys {
                dialog.facts.push(SpaceFacts {
                    key: key.clone(),
                    pages: Count::Asked,
                    blog: Count::Asked,
                    trash: Count::Asked,
                    administrators: Vec::new(),
                    changed: None,
                    listed: Listed::default(),
                });
                let window = Window {
                    start: 0,
                    limit: COUNTED,
                };
                let of = |kind| Call::SpaceContentOfKind {
                    key: key.clone(),
                    kind,
                    depth: Depth::All,
                    expand: String::new(),
                    window,
                };
                let trash = Call::Trash {
                    key: key.clone(),
                    cursor: None,
                    expand: String::new(),
                    limit: COUNTED,
                };
                let space = Call::Space {
                    key: key.clone(),
                    expand: "permissions".to_owned(),
                };
                let asked = [
                    (Fact::Pages, of(ContentKind::Page)),
                    (Fact::Blog, of(ContentKind::BlogPost)),
                    (Fact::Trash, trash),
                    (Fact::Space, space),
                ];
                let asked = asked
                    .into_iter()
                    .filter(|(fact, _)| counts_all(act) || *fact == Fact::Trash);
                for (fact, call) in asked {
                    self.inflight
                        .ask(Waiter::Fact(key.clone(), fact), call, self.now, out);
                }
            }
        }
        if act == Act::DeleteSpaces
            && let Some(facts) = dialog.facts.first()
        {
            let key = facts.key.clone();
            let call = Call::BackupJobs {
                key: key.clone(),
                operation: JobOperation::Backup,
                limit: 1,
            };
            let waiter = Waiter::Fact(key, Fact::ServerBackup);
            self.inflight.ask(waiter, call, self.now, out);
        }
        if let Some(file) = &dialog.space_file {
            let key = file.space().key.clone();
            let call = Call::Space {
                key: key.clone(),
                expand: String::new(),
            };
            let waiter = Waiter::Fact(key, Fact::Key);
            self.inflight.ask(waiter, call, self.now, out);
        }
        self.modals.push(Modal::Confirm(Box::new(dialog)));
    }

    /// Spaces with which the job that the dialog goes on with is through.
    fn over_for(&self, dialog: &Confirm) -> Vec<SpaceKey> {
        let job = dialog.resumes.as_ref().and_then(|id| self.jobs.get(id));
        job.iter()
            .flat_map(|job| job.lines())
            .filter(|line| line.thing == Thing::Space && line.outcome.is_some())
            .map(|line| SpaceKey::new(&*line.subject))
            .collect()
    }

    pub(super) fn confirm_key(
        &mut self,
        dialog: &mut Confirm,
        press: KeyPress,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let chord = press.chord;
        if is_esc(chord) {
            return Outcome::Close;
        }
        if let Some(c) = chord.typed()
            && dialog.is_plan_key(c)
        {
            match (c, dialog.target().act) {
                ('w', act) if has_plan(act) => {
                    self.write_plan(dialog, out);
                    return Outcome::Stay;
                }
                ('d', act) if has_plan(act) => {
                    let target = dialog.target().clone();
                    let id = self.dry_run(target, dialog.recipe.as_deref(), out);
                    self.jobs.point_at(&id);
                    self.modals.push(Modal::Jobs);
                    return Outcome::Stay;
                }
                ('s', Act::DeleteSpaces)
                    if dialog.resumes.is_none() && dialog.server_can == ServerCan::Yes =>
                {
                    dialog.server = match dialog.server {
                        BackupChoice::Save => BackupChoice::Declined,
                        BackupChoice::Declined => BackupChoice::Save,
                    };
                    dialog.replan();
                    return Outcome::Stay;
                }
                ('b', Act::DeleteSpaces) if dialog.resumes.is_none() => {
                    dialog.backup = match dialog.backup {
                        BackupChoice::Save => BackupChoice::Declined,
                        BackupChoice::Declined => BackupChoice::Save,
                    };
                    dialog.replan();
                    return Outcome::Stay;
                }
                ('f', Act::DeleteSpaces)
                    if dialog.target().spaces.len() > 1 && dialog.resumes.is_none() =>
                {
                    dialog.on_failure = match dialog.on_failure {
                        OnFailure::Stop => OnFailure::GoOn,
                        OnFailure::GoOn => OnFailure::Stop,
                    };
                    return Outcome::Stay;
                }
                ('y', _) if dialog.wanted().is_none() => return self.agree(dialog, "", seen, out),
                ('q' | 'n', _) if dialog.wanted().is_none() => return Outcome::Close,
                _ => {}
            }
        }
        let step = match chord.key {
            Key::Up => Some(Step::Up),
            Key::Down => Some(Step::Down),
            Key::PageUp => Some(Step::PageUp),
            Key::PageDown => Some(Step::PageDown),
            _ => None,
        };
        if let Some(step) = step {
            dialog.problem = None;
            let shape = shape(self, dialog, self.size);
            let last = shape.lines.len().saturating_sub(shape.rows);
            let top = match step {
                Step::Up => dialog.top.min(last).saturating_sub(1),
                Step::PageUp => dialog.top.min(last).saturating_sub(shape.rows),
                Step::Down => (dialog.top + 1).min(last),
                _ => (dialog.top + shape.rows).min(last),
            };
            // Whatever comes faster than the pictures leaves nothing out.
            dialog.top = top.min(seen.read_from());
            return Outcome::Stay;
        }
        match (chord.key, dialog.at) {
            (Key::Enter, At::Cancel) => Outcome::Close,
            (Key::Enter, At::Confirm) => self.agree(dialog, "", seen, out),
            (Key::Enter, At::Typed) => {
                if press.stroke == Stroke::Repeat {
                    return Outcome::Stay;
                }
                let typed = dialog.typed.text();
                self.agree(dialog, &typed, seen, out)
            }
            (Key::Tab, _) => {
                dialog.at = match (dialog.at, dialog.wanted().is_some()) {
                    (At::Typed, _) if dialog.options().is_empty() => At::Typed,
                    (At::Typed, _) => At::Plan,
                    (At::Plan, true) => At::Typed,
                    (At::Cancel, _) => At::Confirm,
                    (At::Plan | At::Confirm, _) => At::Cancel,
                };
                Outcome::Stay
            }
            (Key::Left | Key::Right | Key::Char('h' | 'l'), At::Cancel) => {
                dialog.at = At::Confirm;
                Outcome::Stay
            }
            (Key::Left | Key::Right | Key::Char('h' | 'l'), At::Confirm) => {
                dialog.at = At::Cancel;
                Outcome::Stay
            }
            (_, At::Typed) => {
                if dialog.is_held(press, self.now) {
                    dialog.left_out = true;
                    dialog.problem = Some("Held keys don't count here.".to_owned());
                    return Outcome::Stay;
                }
                if dialog.typed.key(chord) {
                    dialog.problem = None;
                    Outcome::Stay
                } else {
                    Outcome::NotMine
                }
            }
            (Key::Char(_), _) if !chord.ctrl => Outcome::Stay,
            _ => Outcome::NotMine,
        }
    }

    fn agree(
        &mut self,
        dialog: &mut Confirm,
        typed: &str,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let Some(consent) = dialog.challenge.answer(typed) else {
            let wanted = dialog.wanted().unwrap_or_default();
            // Letters that repeat in what is pasted come like those of a held key.
            let why = if std::mem::take(&mut dialog.left_out) {
                " Letters that came like those of a held key were left out. Type them."
            } else {
                ""
            };
            dialog.problem = Some(format!("That is not {wanted}. Nothing was done.{why}"));
            return Outcome::Stay;
        };
        // Nobody agrees to what was not shown yet. What can't be learned is shown as unknown, so this
        // ends.
        if dialog.target().act.is_destructive() && self.is_counting(dialog) {
            dialog.problem = Some(COUNTING.to_owned());
            return Outcome::Stay;
        }
        let seen = match seen.terms() {
            Ok(seen) => seen,
            Err(missed) => {
                dialog.problem = Some(missed.told().to_owned());
                return Outcome::Stay;
            }
        };
        let consent = self.to_what_was_shown(dialog, consent);
        self.do_agreed(dialog, consent, seen, out)
    }

    /// Does what was agreed to, as it was seen.
    fn do_agreed(
        &mut self,
        dialog: &mut Confirm,
        consent: Consent,
        _seen: SeenTerms,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        if let Some(id) = &dialog.resumes {
            if let Some(reason) = self.why_read_only() {
                dialog.problem = Some(reason);
                return Outcome::Stay;
            }
            self.resume_job(id, Some(consent), out);
            return Outcome::Close;
        }
        if let Some(recipe) = dialog.recipe.take() {
            self.start_recreation(&consent, *recipe, out);
            return Outcome::Close;
        }
        if let Some(file) = dialog.space_file.take() {
            self.start_restore(&consent, *file, out);
            return Outcome::Close;
        }
        let options = DeleteOptions {
            backup: dialog.backup,
            server: dialog.server,
            on_failure: dialog.on_failure,
        };
        self.start_agreed(consent, options, out);
        Outcome::Close
    }

    /// Whether a number that the dialog is to show has not come yet.
    fn is_counting(&self, dialog: &Confirm) -> bool {
        let shown = |key: &SpaceKey| dialog.facts.iter().any(|facts| facts.key == *key);
        let waits = |waiter: &Waiter| match waiter {
            Waiter::Fact(key, fact) => *fact != Fact::Space && shown(key),
            _ => false,
        };
        self.inflight.count(waits) > 0
    }

    /// Begins what was agreed to.
    fn start_agreed(&mut self, consent: Consent, options: DeleteOptions, out: &mut Vec<Effect>) {
        let target = consent.target().clone();
        if target.act == Act::OpenForWriting {
            self.writes = Writes::Allowed;
            out.push(Effect::AllowWrites);
            self.say(
                LogLevel::Warning,
                format!("{} is open for writing until you quit.", target.profile),
            );
            return;
        }
        if let Some(reason) = self.why_read_only()
            && target.act != Act::BackUp
        {
            self.say(LogLevel::Warning, reason);
            return;
        }
        let head = self.head(heading(&target), target.clone());
        match target.act {
            Act::ArchiveSpaces => {
                self.begin_job(Job::archive_spaces(head), out);
            }
            Act::RestoreSpaces => {
                self.begin_job(Job::restore_spaces(head), out);
            }
            Act::DeleteSpaces => {
                self.begin_fit(Job::delete_spaces(head, consent, options), out);
            }
            Act::PurgeMarked => {
                self.begin_fit(Job::purge_marked(head, consent), out);
            }
            Act::PurgeAll => {
                let job = Job::purge_all(head, consent);
                let lists_lie = self.session.lists_lie;
                self.begin_fit(
                    job.map(|job| {
                        if lists_lie {
                            job.on_a_server_that_leaves_rows_out()
                        } else {
                            job
                        }
                    }),
                    out,
                );
            }
            Act::BackUp => {
                self.begin_fit(Job::back_up(head), out);
            }
            Act::BackUpSpaces => {
                self.begin_fit(Job::back_up_spaces(head), out);
            }
            Act::RestoreContent => {
                self.begin_job(Job::restore_content(head), out);
            }
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::Recreate
            | Act::RestoreFromBackup
            | Act::OpenForWriting
            | Act::DryRun => {}
        }
        // What was meant by the marks is under way; other marks are for something else.
        if matches!(
            target.act,
            Act::ArchiveSpaces | Act::RestoreSpaces | Act::DeleteSpaces | Act::BackUpSpaces
        ) {
            for space in &target.spaces {
                self.spaces.marks.remove(&space.key);
            }
        }
    }

    /// Begins to make content again.
    fn start_recreation(&mut self, consent: &Consent, recipe: Recipe, out: &mut Vec<Effect>) {
        if let Some(reason) = self.why_read_only() {
            self.say(LogLevel::Warning, reason);
            return;
        }
        let target = consent.target().clone();
        let head = self.head(heading(&target), target);
        self.begin_job(Job::recreate(head, recipe), out);
    }

    /// Begins to have a space read in again.
    fn start_restore(&mut self, consent: &Consent, file: SpaceFile, out: &mut Vec<Effect>) {
        if let Some(reason) = self.why_read_only() {
            self.say(LogLevel::Warning, reason);
            return;
        }
        let target = consent.target().clone();
        let head = self.head(heading(&target), target);
        self.begin_job(Job::restore_from_backup(head, file), out);
    }

    /// Begins to learn, by reads alone, what an act would do.
    pub(super) fn dry_run(
        &mut self,
        target: Target,
        recipe: Option<&Recipe>,
        out: &mut Vec<Effect>,
    ) -> JobId {
        let head = self.head(format!("Dry run: {}", heading(&target)), target);
        let job = match recipe {
            Some(recipe) => Job::rehearse(head, recipe.clone()),
            None => Job::dry_run(head),
        };
        self.begin_job(job, out)
    }

    fn write_plan(&mut self, dialog: &Confirm, out: &mut Vec<Effect>) {
        let head = self.head("", dialog.target().clone());
        let name = format!("plan-{}.json", head.id);
        let call = DiskCall::WritePlan {
            name,
            text: dialog.plan.encode(),
        };
        self.ask_disk(DiskWaiter::Plan, call, out);
    }
}

/// Whether pages and blog posts are counted too, and not the trash alone.
pub(super) fn counts_all(act: Act) -> bool {
    matches!(act, Act::DeleteSpaces | Act::BackUpSpaces)
}

/// Whether a plan of it can be written, and run dry.
fn has_plan(act: Act) -> bool {
    !matches!(act, Act::OpenForWriting | Act::RestoreFromBackup)
}

/// What a job on a target is called.
pub fn heading(target: &Target) -> String {
    use crate::text::number::count;
    let items = target.items.len() as u64;
    let (verb, what) = match target.act {
        Act::CreateSpace => ("New space", ""),
        Act::UpdateSpace => ("Change", "space"),
        Act::ArchiveSpaces => ("Archive", "space"),
        Act::RestoreSpaces => ("Restore", "space"),
        Act::DeleteSpaces => ("Delete", "space"),
        Act::PurgeMarked => ("Purge", "item"),
        Act::PurgeAll => ("Purge the trash of", "space"),
        Act::BackUp => ("Back up", "item"),
        Act::BackUpSpaces => ("Back up", "space"),
        Act::RestoreFromBackup => {
            let spaces = target.spaces.iter();
            let keys: Vec<&str> = spaces.map(|space| space.key.as_str()).collect();
            return format!("Restore {} from its backup", keys.join(", "));
        }
        Act::RestoreContent => ("Restore", "item"),
        Act::Recreate => ("Re-create", "item"),
        Act::OpenForWriting => return format!("Open {} for writing", target.profile),
        Act::DryRun => ("Dry run of", "item"),
    };
    match (target.spaces.as_slice(), items) {
        ([one], 0) if target.act == Act::BackUp => format!("Back up the trash of {}", one.key),
        (many, 0) if target.act == Act::BackUp => {
            format!("Back up the trash of {}", count(many.len() as u64, "space"))
        }
        ([one], 0) => format!("{verb} {}", one.key),
        (many, 0) => format!("{verb} {}", count(many.len() as u64, what)),
        ([one], n) if target.act == Act::Recreate => {
            format!("{verb} {} in {}", count(n, what), one.key)
        }
        ([one], n) => format!("{verb} {} of {}", count(n, what), one.key),
        (_, n) => format!("{verb} {}", count(n, what)),
    }
}

/// What stands in every dialog that destroys something.
const NO_UNDO: &str = "There is no undo on the server.";

/// So many things are named; of more, the number is told.
const NAMED: usize = 6;

/// So many more are listed at the end.
const LISTED: usize = 200;

/// The widest a dialog gets.
const WIDEST: u16 = 82;

/// From this many columns on, what is typed stands beside what is asked.
const BESIDE: usize = 50;

/// The text of the dialog and how it is laid out on a screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The plan: what, how many, what can't be undone.
    pub lines: Vec<Line>,
    /// How many of its lines have to be read before an answer counts: the others are its keys, and a
    /// list that they give the sum of.
    pub must: usize,
    /// How many of its lines are shown at once.
    pub rows: usize,
    /// What is asked, above or before the field.
    pub prompt: Vec<String>,
    /// Whether the field stands below what is asked.
    pub below: bool,
    /// What is wrong with the answer.
    pub problem: Vec<String>,
    /// Whether there is room for an empty line above.
    pub airy: bool,
    /// The width of the dialog with its borders.
    pub wide: u16,
    /// Its height with its borders.
    pub high: u16,
}

/// Lays the dialog out: what has to be typed, and where, is always in sight; the plan scrolls.
pub fn shape(model: &Model, dialog: &Confirm, size: Size) -> Shape {
    let wide = size.width.saturating_sub(2).min(WIDEST);
    let columns = usize::from(wide.saturating_sub(4)).max(1);
    let (mut lines, mut must) = lines(model, dialog, columns);
    let target = dialog.target();
    let server = format!("{} · {}", target.profile, target.server.shown());
    if width::width(&title(model, target)) + width::width(&server) + 8 > usize::from(wide) {
        // The border has no room for it.
        must += put_before(&mut lines, Tone::Dim, &server, columns);
    }
    let (prompt, below) = match dialog.wanted() {
        None => (Vec::new(), false),
        Some(wanted) => {
            let text = format!("Type {wanted} to {}:", act_words(dialog.target()));
            let below = columns < BESIDE || width::width(&text) + BESIDE / 2 > columns;
            (folded(&text, columns), below)
        }
    };
    let mut problem = dialog
        .problem
        .as_deref()
        .map(|problem| folded(problem, columns))
        .unwrap_or_default();
    let asked = prompt.len().max(1) + usize::from(below);
    let inner = tallest_inside(size);
    // A line of the plan stays in the smallest window.
    problem.truncate(inner.saturating_sub(asked + 1));
    // Whatever has to be scrolled for, this is read first. Of a deletion it is also said below.
    let is_purge = matches!(target.act, Act::PurgeMarked | Act::PurgeAll);
    if is_purge {
        must += put_before(&mut lines, Tone::Warning, NO_UNDO, columns);
    }
    let fits = lines.len() + asked + 3 <= inner;
    let has_no_undo = target.act.is_destructive() && dialog.server == BackupChoice::Declined;
    if !fits && !is_purge && has_no_undo {
        must += put_before(&mut lines, Tone::Warning, NO_UNDO, columns);
    }
    // What is wrong with an answer changes nothing of what has to be read.
    let foot = asked + problem.len();
    let airy = fits && lines.len() + foot + 3 <= inner;
    let rows = lines.len().min(inner.saturating_sub(foot));
    let high = rows + foot + if airy { 4 } else { 2 };
    Shape {
        lines,
        must,
        rows,
        prompt,
        below,
        problem,
        airy,
        wide,
        high: u16::try_from(high).unwrap_or(size.height),
    }
}

/// Puts a text before all other lines. Says how many lines it takes.
fn put_before(lines: &mut Vec<Line>, tone: Tone, text: &str, columns: usize) -> usize {
    let folded = folded(text, columns).into_iter();
    let before = lines.len();
    lines.splice(0..0, folded.map(|line| vec![(tone, line)]));
    lines.len() - before
}

fn act_words(target: &Target) -> &'static str {
    let one = target.count() == 1;
    match target.act {
        Act::DeleteSpaces if one => "delete it",
        Act::DeleteSpaces => "delete them",
        Act::PurgeAll => "purge its trash",
        Act::PurgeMarked if one => "purge it",
        Act::PurgeMarked => "purge them",
        Act::OpenForWriting => "open it",
        _ => "go on",
    }
}

/// What the dialog is called.
pub fn title(model: &Model, target: &Target) -> String {
    let spaces = match target.spaces.as_slice() {
        [one] => one.key.to_string(),
        many => number::count(many.len() as u64, "space"),
    };
    match target.act {
        Act::DeleteSpaces if target.spaces.len() == 1 => "Delete space".to_owned(),
        Act::DeleteSpaces => format!("Delete {spaces}"),
        Act::PurgeAll => format!("Plan: purge the trash of {spaces}"),
        Act::PurgeMarked => {
            let here = target.spaces.len() == 1
                && model.shown_space() == target.spaces.first().map(|space| &space.key);
            let of = Some(model.content.trees.trash.tree.items())
                .filter(|all| here && *all > target.items.len())
                .map(|all| format!(" of {}", number::grouped(all as u64)))
                .unwrap_or_default();
            let count = target.items.len() as u64;
            let items = if of.is_empty() {
                number::count(count, "item")
            } else {
                format!("{}{of} items", number::grouped(count))
            };
            format!("Plan: purge {items} from the trash of {spaces}")
        }
        _ => heading(target),
    }
}

/// Whether a list that the act stands on was caught leaving rows out.
fn is_in_doubt(model: &Model, dialog: &Confirm) -> bool {
    let target = dialog.target();
    let is_shown = target.spaces.len() == 1
        && model.shown_space() == target.spaces.first().map(|space| &space.key);
    let counts = |facts: &SpaceFacts| {
        let mut all = [&facts.pages, &facts.blog, &facts.trash].into_iter();
        all.any(|count| matches!(count, Count::Uncertain(_)))
    };
    match target.act {
        Act::DeleteSpaces | Act::PurgeAll => {
            dialog.facts.iter().any(counts) || (is_shown && model.content.trees.trash.is_uncertain)
        }
        _ => false,
    }
}

/// The plan, at this width, and how many of its lines have to be read.
fn lines(model: &Model, dialog: &Confirm, columns: usize) -> (Vec<Line>, usize) {
    let target = dialog.target();
    let mut lines: Vec<Line> = Vec::new();
    let mut say = |tone: Tone, text: &str| {
        // What is indented is of the right width already.
        if text.starts_with("  ") || width::width(text) <= columns {
            lines.push(vec![(tone, text.to_owned())]);
        } else {
            let folded = folded(text, columns).into_iter();
            lines.extend(folded.map(|line| vec![(tone, line)]));
        }
    };
    let resumed = dialog.resumes.as_ref().and_then(|id| model.jobs.get(id));
    let done = resumed.and_then(Job::done_so_far);
    // The space may be gone, and what has its key by now another one.
    let is_sent = target.spaces.len() == 1 && resumed.is_some_and(Job::is_deletion_sent);
    if let Some(job) = resumed {
        say(Tone::Warning, &format!("Goes on with: {}", told(job)));
        if let Some(done) = &done {
            say(Tone::Plain, done);
        }
    }
    for line in &dialog.to_agree {
        say(Tone::Warning, line);
    }
    if (target.items.is_empty() || target.act == Act::PurgeAll) && !is_sent {
        about_spaces(model, dialog, &mut say);
    }
    if is_in_doubt(model, dialog) {
        let what = match target.act {
            Act::DeleteSpaces => {
                "The server's list repeats rows, so it leaves others out. Another way to list is taken, and nothing is deleted unless everything is found."
            }
            _ => {
                "The server's list repeats rows, so it leaves others out. Another way to list is taken where there is one, and the items are purged one by one."
            }
        };
        say(Tone::Warning, what);
    } else if target.act == Act::PurgeAll && model.session.lists_lie {
        let what = "A list of this server repeated rows before, so this one may not be all either: the items are purged one by one.";
        say(Tone::Warning, what);
    }
    match target.act {
        Act::DeleteSpaces if is_sent => {}
        Act::DeleteSpaces => {
            say(Tone::Plain, "");
            let one = target.spaces.len() == 1;
            let by_server = dialog.server == BackupChoice::Save;
            if done.is_none() {
                about_server(dialog, &mut say);
            }
            match dialog.backup {
                BackupChoice::Save => {
                    let all = match dialog.facts.as_slice() {
                        [facts] if one => all_of(facts),
                        _ => None,
                    };
                    let what = match all {
                        Some(1) => "of its one item".to_owned(),
                        Some(all) => format!("of all {}", number::count(all, "item")),
                        None if one => {
                            "of its pages, blog posts, comments, files and trash".to_owned()
                        }
                        None => {
                            "of the pages, blog posts, comments, files and trash of each".to_owned()
                        }
                    };
                    say(
                        Tone::Plain,
                        &format!(
                            "{} a backup {what} to this machine.",
                            if by_server { "Then" } else { "First" }
                        ),
                    );
                }
                BackupChoice::Declined if by_server => say(
                    Tone::Warning,
                    "There will be no local backup: you declined it.",
                ),
                BackupChoice::Declined => say(
                    Tone::Warning,
                    "There will be no backup: you declined it. Nothing of this is kept.",
                ),
            }
            let gone = if by_server && one {
                "Then the space is gone from the server for everybody. Undo: ‹backups›, by a server administrator, while you keep the backup."
            } else if by_server {
                "Then these spaces are gone from the server for everybody, one after the other. Undo: ‹backups›, by a server administrator, while you keep the backups."
            } else if one {
                "Then the space is gone from the server for everybody. There is no undo."
            } else {
                "Then these spaces are gone from the server for everybody, one after the other. \
                 There is no undo."
            };
            say(Tone::Warning, &model.spell(gone));
            if dialog.backup == BackupChoice::Save && !by_server {
                say(
                    Tone::Plain,
                    "Permissions and history are not in the backup.",
                );
                say(Tone::Plain, COUNTED_LATER);
            }
            if !one {
                say(
                    Tone::Plain,
                    match dialog.on_failure {
                        OnFailure::Stop => "After a failure the rest is left alone.",
                        OnFailure::GoOn => "After a failure the others are deleted all the same.",
                    },
                );
            }
        }
        Act::PurgeMarked | Act::PurgeAll => {
            if target.act == Act::PurgeAll {
                say(Tone::Plain, "");
            }
            let items = if target.act == Act::PurgeAll {
                "everything in it".to_owned()
            } else {
                number::count(target.items.len() as u64, "item")
            };
            say(
                Tone::Plain,
                &format!("1  back up   {items}, body and restrictions"),
            );
            say(Tone::Plain, "2  verify    the backup, read back");
            let named = if target.act == Act::PurgeAll {
                "what is saved and unchanged".to_owned()
            } else {
                named(target)
            };
            let indent = " ".repeat(13);
            for (ix, line) in folded(&named, columns.saturating_sub(13).max(10))
                .into_iter()
                .enumerate()
            {
                let before = if ix == 0 { "3  purge     " } else { &indent };
                say(Tone::Plain, &format!("{before}{line}"));
            }
            if let Some(spaces) = by_space(target) {
                let spaces = folded(&spaces, columns.saturating_sub(13).max(10));
                for (ix, line) in spaces.into_iter().enumerate() {
                    let before = if ix == 0 { "   from      " } else { &indent };
                    say(Tone::Plain, &format!("{before}{line}"));
                }
            }
            say(Tone::Plain, "");
            if target.act == Act::PurgeAll {
                say(
                    Tone::Warning,
                    "What you may not see in this trash can go with it, and is in no backup.",
                );
            }
            say(Tone::Plain, COUNTED_LATER);
            say(
                Tone::Warning,
                "Purged items can be re-created from the backup with new ids; their history \
                 and watchers can't.",
            );
        }
        Act::ArchiveSpaces | Act::RestoreSpaces => {
            say(Tone::Plain, "");
            let back = if target.act == Act::ArchiveSpaces {
                " restores what is archived."
            } else {
                " archives it again."
            };
            let pieces = [
                (Tone::Dim, "Nothing is lost: "),
                (Tone::Key, "a"),
                (Tone::Dim, back),
            ];
            lines.extend(folded_pieces(&pieces, columns));
        }
        Act::OpenForWriting => {
            say(
                Tone::Plain,
                &format!(
                    "The profile {} is protected and was opened read-only.",
                    target.profile
                ),
            );
            say(
                Tone::Warning,
                "Until you quit, changes go out to this server.",
            );
        }
        Act::BackUp
        | Act::BackUpSpaces
        | Act::RestoreFromBackup
        | Act::RestoreContent
        | Act::Recreate
        | Act::CreateSpace
        | Act::UpdateSpace
        | Act::DryRun => {
            if !target.items.is_empty() {
                say(Tone::Plain, &named(target));
            }
            if let Some(spaces) = by_space(target) {
                say(Tone::Plain, &format!("In {spaces}"));
            }
            say(Tone::Plain, "");
            for (ix, step) in dialog.plan.steps.iter().enumerate() {
                say(Tone::Plain, &format!("{}  {}", ix + 1, step.what));
            }
            for line in &dialog.plan.cannot_be_undone {
                say(Tone::Warning, line);
            }
            if let Some(file) = &dialog.space_file {
                say(Tone::Plain, "");
                say(
                    Tone::Plain,
                    &format!("{} · {}", file.in_words(), number::bytes(file.bytes())),
                );
                if dialog.is_key_taken {
                    let key = &file.space().key;
                    say(
                        Tone::Warning,
                        &format!(
                            "There is a space with the key {key} now. Until it is gone, this cannot be restored, and nothing is sent."
                        ),
                    );
                }
                say(
                    Tone::Dim,
                    "It comes back with its history and permissions. It takes a site administrator, and no space of this key may be there.",
                );
            }
            if target.act == Act::BackUpSpaces {
                say(Tone::Plain, "");
                say(
                    Tone::Dim,
                    "It takes Confluence 9.0, and a site administrator or the right to export the space. Nothing in the space is changed.",
                );
            }
        }
    }
    let mut say = |tone: Tone, text: &str| {
        let folded = folded(text, columns).into_iter();
        lines.extend(folded.map(|line| vec![(tone, line)]));
    };
    for line in dialog.skipped.iter().take(NAMED) {
        say(Tone::Dim, line);
    }
    let more = dialog.skipped.len().saturating_sub(NAMED);
    if more > 0 {
        say(
            Tone::Dim,
            &format!(
                "and {} more, left out as well",
                number::grouped(more as u64)
            ),
        );
    }
    if dialog.hidden > 0 {
        let rows = number::count(dialog.hidden as u64, "marked row");
        say(Tone::Warning, &format!("The filter hides {rows} of these."));
    }
    // Whole spaces are read by name. Of items the first ones are named and the others counted, or
    // nobody could empty a long trash; they are listed for whoever wants to see them.
    let rest = others(dialog, columns);
    if target.items.is_empty() && target.act.is_destructive() {
        lines.extend(rest);
        let must = lines.len();
        lines.extend(option_lines(dialog, columns));
        return (lines, must);
    }
    let must = lines.len();
    lines.extend(option_lines(dialog, columns));
    lines.extend(rest);
    (lines, must)
}

/// What is not named above, a line each.
fn others(dialog: &Confirm, columns: usize) -> Vec<Line> {
    let target = dialog.target();
    let mut rest: Vec<String> = if target.items.is_empty() {
        let named = |it: &SpaceTarget| format!("{} · {}", it.key, it.name);
        target.spaces.iter().skip(NAMED).map(named).collect()
    } else {
        let named = |it: &ItemTarget| format!("{} ({})", it.name(), kind_name(&it.kind));
        target.items.iter().skip(NAMED).map(named).collect()
    };
    let beyond = rest.len().saturating_sub(LISTED);
    rest.truncate(LISTED);
    let left_out = dialog.skipped.iter().skip(NAMED).take(LISTED);
    let mut lines: Vec<Line> = Vec::new();
    for (heading, texts) in [
        ("The others", rest),
        ("Left out as well", left_out.cloned().collect()),
    ] {
        if texts.is_empty() {
            continue;
        }
        lines.push(vec![(Tone::Plain, String::new())]);
        lines.push(vec![(Tone::Heading, heading.to_owned())]);
        for text in &texts {
            let folded = folded(text, columns).into_iter();
            lines.extend(folded.map(|line| vec![(Tone::Plain, line)]));
        }
        if beyond > 0 && heading == "The others" {
            let more = number::grouped(beyond as u64);
            let text = format!("and {more} more, all in the plan that ");
            let pieces = [
                (Tone::Dim, text.as_str()),
                (Tone::Key, "w"),
                (Tone::Dim, " writes."),
            ];
            lines.extend(folded_pieces(&pieces, columns));
        }
    }
    lines
}

/// What is said of the backup that the server itself makes.
fn about_server(dialog: &Confirm, say: &mut impl FnMut(Tone, &str)) {
    match (dialog.server, &dialog.server_can) {
        (BackupChoice::Save, _) => {
            say(
                Tone::Plain,
                "First the server writes it out, with history and permissions; that is downloaded and checked. What is new by then is shown before anything is deleted.",
            );
        }
        (BackupChoice::Declined, ServerCan::NotKnown) => {}
        (BackupChoice::Declined, ServerCan::Yes) => say(
            Tone::Warning,
            "There will be no backup by the server: you skipped it.",
        ),
        (BackupChoice::Declined, ServerCan::No(why)) => say(
            Tone::Dim,
            &format!("The server can't back it up itself: {why}."),
        ),
    }
}

/// The plan's own keys, below an empty line, as many to a line as fit.
fn option_lines(dialog: &Confirm, columns: usize) -> Vec<Line> {
    let options = dialog.options();
    if options.is_empty() {
        return Vec::new();
    }
    // Where the plan has the keys, its words stand out.
    let tone = if dialog.at == At::Plan {
        Tone::Plain
    } else {
        Tone::Dim
    };
    let is_after_tab = dialog.at == At::Typed && dialog.keys_wait_for_tab();
    let mut units: Vec<Line> = options
        .into_iter()
        .map(|(key, word)| vec![(Tone::Key, key.to_owned()), (tone, format!(" {word}"))])
        .collect();
    if is_after_tab {
        let after = [(tone, "(after "), (Tone::Key, "Tab"), (tone, ")")];
        units.push(after.map(|(tone, text)| (tone, text.to_owned())).to_vec());
    }
    let mut lines = vec![vec![(Tone::Plain, String::new())]];
    lines.extend(filled(units, tone, columns));
    lines
}

/// Lines of units that stay whole, with room between them. One that is wider than a line is folded.
fn filled(units: Vec<Line>, gap: Tone, columns: usize) -> Vec<Line> {
    const GAP: &str = "   ";
    let wide = |line: &Line| {
        line.iter()
            .map(|(_, text)| width::width(text))
            .sum::<usize>()
    };
    let mut lines: Vec<Line> = Vec::new();
    for unit in units {
        let room = lines
            .last()
            .map_or(0, |line| columns.saturating_sub(wide(line)));
        match lines.last_mut() {
            Some(line) if GAP.len() + wide(&unit) <= room => {
                line.push((gap, GAP.to_owned()));
                line.extend(unit);
            }
            _ if wide(&unit) <= columns => lines.push(unit),
            _ => {
                let pieces: Vec<(Tone, &str)> = unit
                    .iter()
                    .map(|(tone, text)| (*tone, text.as_str()))
                    .collect();
                lines.extend(folded_pieces(&pieces, columns));
            }
        }
    }
    lines
}

/// The spaces that it is about, each with what is known of it.
fn about_spaces(model: &Model, dialog: &Confirm, say: &mut impl FnMut(Tone, &str)) {
    let target = dialog.target();
    if target.act == Act::OpenForWriting {
        return;
    }
    let over = model.over_for(dialog);
    for space in target.spaces.iter().take(NAMED) {
        if over.contains(&space.key) {
            say(Tone::Dim, &format!("{} · {}   done", space.key, space.name));
            continue;
        }
        let facts = dialog.facts.iter().find(|facts| facts.key == space.key);
        let mut line = format!("{} · {}", space.key, space.name);
        if let Some(listed) = model.spaces.table.get(&space.key) {
            line = format!("{line}   {}", crate::app::pane::spaces::standing(listed));
        }
        if let Some((at, by)) = facts.and_then(|facts| facts.changed.as_ref()) {
            line = format!("{line} · last change {}", number::date(at.0, &model.zone));
            if !by.is_empty() {
                line = format!("{line} by {by}");
            }
        }
        say(Tone::Heading, &line);
        if let Some(facts) = facts {
            say(Tone::Plain, &counted(facts, target.act));
            if !facts.administrators.is_empty() && target.act == Act::DeleteSpaces {
                let names = facts.administrators.join(", ");
                say(Tone::Plain, &format!("administrators: {names}"));
            }
        }
    }
    let more = target.spaces.len().saturating_sub(NAMED);
    if more > 0 {
        let more = number::count(more as u64, "space");
        say(Tone::Plain, &format!("and {more} more, listed below"));
    }
}

/// How much there is in a space, as far as known.
fn counted(facts: &SpaceFacts, act: Act) -> String {
    let count = |count: &Count, noun: &str| match count {
        Count::Asked => format!("… {}", number::plural(noun)),
        Count::Exactly(n) => number::count(*n, noun),
        Count::AtLeast(n) => format!("{}+ {}", number::grouped(*n), number::plural(noun)),
        Count::Uncertain(n) => format!("{}? {}", number::grouped(*n), number::plural(noun)),
        Count::Refused => format!("you may not read its {}", number::plural(noun)),
        Count::Unknown => format!("{} unknown", number::plural(noun)),
    };
    let trash = match &facts.trash {
        Count::Asked => "… in trash".to_owned(),
        Count::Exactly(n) => format!("{} in trash", number::grouped(*n)),
        Count::AtLeast(n) => format!("{}+ in trash", number::grouped(*n)),
        Count::Uncertain(n) => format!("{}? in trash", number::grouped(*n)),
        Count::Refused => "you may not read its trash".to_owned(),
        Count::Unknown => "trash unknown".to_owned(),
    };
    if matches!(act, Act::PurgeAll | Act::BackUp) {
        return trash;
    }
    let (pages, blog) = (count(&facts.pages, "page"), count(&facts.blog, "blog post"));
    format!("{pages} · {blog} · {trash}")
}

/// Everything in a space, where the server told all of it.
fn all_of(facts: &SpaceFacts) -> Option<u64> {
    match (&facts.pages, &facts.blog, &facts.trash) {
        (Count::Exactly(pages), Count::Exactly(blog), Count::Exactly(trash)) => {
            Some(pages + blog + trash)
        }
        _ => None,
    }
}

/// How many of the items are in each space, where they are in several.
fn by_space(target: &Target) -> Option<String> {
    if target.spaces.len() < 2 || target.items.is_empty() {
        return None;
    }
    let mut counts: BTreeMap<&SpaceKey, u64> = BTreeMap::new();
    for key in target.items.iter().filter_map(|item| item.space.as_ref()) {
        *counts.entry(key).or_default() += 1;
    }
    let more = counts.len().saturating_sub(NAMED);
    let mut parts: Vec<String> = counts
        .iter()
        .take(NAMED)
        .map(|(key, count)| format!("{key} {}", number::grouped(*count)))
        .collect();
    if more > 0 {
        parts.push(format!("and {} more", number::count(more as u64, "space")));
    }
    Some(parts.join(" · "))
}

/// The items by title and type; of many, the first ones.
fn named(target: &Target) -> String {
    let mut names: Vec<String> = target
        .items
        .iter()
        .take(NAMED)
        .map(|item| format!("{} ({})", item.name(), kind_name(&item.kind)))
        .collect();
    let more = target.items.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!(
            "and {} more, listed below",
            number::count(more as u64, "item")
        ));
    }
    names.join(" · ")
}
