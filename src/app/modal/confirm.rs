//! A plan and its confirmation, one screen: what will be done, exactly to what, on which server,
//! what cannot be undone, and the field or the button that agrees to it.

use serde::Serialize;

use super::{Outcome, is_esc};
use crate::app::disk::DiskWaiter;
use crate::app::field::{Field, Lines};
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key, KeyPress, Stroke};
use crate::app::message::{DiskCall, Effect, LogLevel, Millis};
use crate::app::modal::Modal;
use crate::app::model::{Model, Writes};
use crate::confluence::call::{Depth, Window};
use crate::confluence::{ApiError, Call, ContentKind, Moment, Permission, Reply, SpaceKey};
use crate::jobs::plan::Plan;
use crate::jobs::{
    Act, Answer, BackupChoice, Challenge, Consent, DeleteOptions, Job, JobId, OnFailure, Recipe,
    Target,
};

/// Equal keys this close together, in milliseconds, come from a key that is held down.
const HELD_MS: u64 = 40;

/// So many of them are not typed by a person.
const HELD_KEYS: usize = 4;

/// Facts are asked for about so many spaces; a dialog has no room for more.
const FACTS: usize = 8;

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

/// How many there are, as far as the server told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Count {
    /// Not known yet.
    Asked,
    /// So many.
    Exactly(u64),
    /// At least so many.
    AtLeast(u64),
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
    /// Lines of what is meant that are scrolled away.
    pub scroll: usize,
    /// A job of an earlier run that this agrees to go on with.
    pub resumes: Option<JobId>,
    /// What is made again from which backup, where that is the act.
    pub recipe: Option<Box<Recipe>>,
    /// The last key, how often it came in a row, and when.
    run: Option<(Chord, usize, Millis)>,
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
            on_failure: OnFailure::Stop,
            hidden: 0,
            skipped: Vec::new(),
            problem: None,
            facts: Vec::new(),
            scroll: 0,
            resumes: None,
            recipe: None,
            run: None,
        }
    }

    /// What the act is about.
    pub fn target(&self) -> &Target {
        self.challenge.target()
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

    fn replan(&mut self) {
        self.plan = Plan::of(self.target().clone(), self.backup, self.plan.created);
    }

    /// Notes a fact that came.
    pub(in crate::app) fn learn(
        &mut self,
        key: &SpaceKey,
        fact: Fact,
        outcome: Result<Reply, ApiError>,
    ) {
        let Some(facts) = self.facts.iter_mut().find(|facts| facts.key == *key) else {
            return;
        };
        let count = match &outcome {
            Ok(Reply::Contents(page)) => {
                let len = page.results.len() as u64;
                match (page.total, page.has_next) {
                    (Some(total), _) => Count::Exactly(total),
                    (None, true) => Count::AtLeast(len),
                    (None, false) => Count::Exactly(len),
                }
            }
            Ok(Reply::Trash(page)) => {
                let len = page.results.len() as u64;
                match (page.total, &page.next) {
                    (Some(total), _) => Count::Exactly(total),
                    (None, Some(_)) => Count::AtLeast(len),
                    (None, None) => Count::Exactly(len),
                }
            }
            Ok(_) | Err(_) => Count::Unknown,
        };
        match fact {
            Fact::Pages => facts.pages = count,
            Fact::Blog => facts.blog = count,
            Fact::Trash => facts.trash = count,
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
        if matches!(act, Act::DeleteSpaces | Act::PurgeAll) {
            let keys: Vec<SpaceKey> = dialog
                .target()
                .spaces
                .iter()
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
                    .filter(|(fact, _)| act == Act::DeleteSpaces || *fact == Fact::Trash);
                for (fact, call) in asked {
                    self.inflight
                        .ask(Waiter::Fact(key.clone(), fact), call, self.now, out);
                }
            }
        }
        self.modals.push(Modal::Confirm(Box::new(dialog)));
    }

    pub(super) fn confirm_key(
        &mut self,
        dialog: &mut Confirm,
        press: KeyPress,
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
                ('w', act) if act != Act::OpenForWriting => {
                    self.write_plan(dialog, out);
                    return Outcome::Stay;
                }
                ('d', act) if act != Act::OpenForWriting && act != Act::Recreate => {
                    let target = dialog.target().clone();
                    let head = self.head(format!("Dry run: {}", heading(&target)), target);
                    self.begin_job(Job::dry_run(head), out);
                    self.modals.push(Modal::Jobs);
                    self.jobs.cursor.at = self.jobs.list.len().saturating_sub(1);
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
                ('y', _) if dialog.wanted().is_none() => return self.agree(dialog, "", out),
                ('q' | 'n', _) if dialog.wanted().is_none() => return Outcome::Close,
                _ => {}
            }
        }
        let last = dialog.target().count() * 4 + 40;
        match chord.key {
            Key::PageUp => {
                dialog.scroll = dialog.scroll.saturating_sub(4);
                return Outcome::Stay;
            }
            Key::PageDown => {
                dialog.scroll = (dialog.scroll + 4).min(last);
                return Outcome::Stay;
            }
            _ => {}
        }
        match (chord.key, dialog.at) {
            (Key::Enter, At::Cancel) => Outcome::Close,
            (Key::Enter, At::Confirm) => self.agree(dialog, "", out),
            (Key::Enter, At::Typed) => {
                if press.stroke == Stroke::Repeat {
                    return Outcome::Stay;
                }
                let typed = dialog.typed.text();
                self.agree(dialog, &typed, out)
            }
            (Key::Tab, _) => {
                dialog.at = match (dialog.at, dialog.wanted().is_some()) {
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
                    dialog.problem = Some("Held keys don't count here.".to_owned());
                    return Outcome::Stay;
                }
                if dialog.typed.key(chord) {
                    dialog.problem = None;
                    Outcome::Stay
                } else {
                    Outcome::Pass
                }
            }
            (Key::Char(_), _) if !chord.ctrl => Outcome::Stay,
            _ => Outcome::Pass,
        }
    }

    fn agree(&mut self, dialog: &mut Confirm, typed: &str, out: &mut Vec<Effect>) -> Outcome {
        let Some(consent) = dialog.challenge.answer(typed) else {
            let wanted = dialog.wanted().unwrap_or_default();
            dialog.problem = Some(format!("That is not {wanted}. Nothing was done."));
            return Outcome::Stay;
        };
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
        let options = DeleteOptions {
            backup: dialog.backup,
            on_failure: dialog.on_failure,
        };
        self.start_agreed(consent, options, out);
        Outcome::Close
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
                self.begin_fit(Job::purge_all(head, consent), out);
            }
            Act::BackUp => {
                self.begin_fit(Job::back_up(head), out);
            }
            Act::RestoreContent => {
                self.begin_job(Job::restore_content(head), out);
            }
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::Recreate
            | Act::OpenForWriting
            | Act::DryRun => {}
        }
        self.spaces.marks.clear();
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
        Act::RestoreContent => ("Restore", "item"),
        Act::Recreate => ("Re-create", "item"),
        Act::OpenForWriting => return format!("Open {} for writing", target.profile),
        Act::DryRun => ("Dry run of", "item"),
    };
    match (target.spaces.as_slice(), items) {
        ([one], 0) if target.act == Act::BackUp => format!("Back up the trash of {}", one.key),
        ([one], 0) => format!("{verb} {}", one.key),
        (many, 0) => format!("{verb} {}", count(many.len() as u64, what)),
        ([one], n) if target.act == Act::Recreate => {
            format!("{verb} {} in {}", count(n, what), one.key)
        }
        ([one], n) => format!("{verb} {} of {}", count(n, what), one.key),
        (_, n) => format!("{verb} {}", count(n, what)),
    }
}
