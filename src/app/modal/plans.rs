//! Plans that were written to files, to be applied later: against the trash as it is then, with
//! what has changed since shown first.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::backups::{Meant, problem_of, shown_item, shown_manifest, told as told_of_backup};
use super::confirm::{Confirm, heading};
use super::{Modal, Outcome, is_esc};
use crate::app::disk::DiskWaiter;
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key};
use crate::app::list::{Cursor, Step};
use crate::app::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, Size, TextFile};
use crate::app::modal::reading::height;
use crate::app::model::Model;
use crate::app::pane::content::TrashRead;
use crate::confluence::call::Window;
use crate::confluence::paging::{CursorPager, Pager};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, CursorPage, ErrorKind, Page, SpaceKey,
};
use crate::jobs::backup::{Contents, Item, Manifest};
use crate::jobs::plan::{Differences, Plan, Seal};
use crate::jobs::{Act, ItemTarget, JobEvent, JobId, SameServer, SpaceTarget, Target, Verdict};
use crate::text::number;

/// How many trashed items are read at once.
const PAGE: u64 = 200;

/// So many changed or vanished items are named; of more, the number is told.
const NAMED: usize = 3;

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanFile {
    /// The name of the file.
    pub name: String,
    /// The plan, or why it is none.
    pub plan: Result<Plan, String>,
    /// Whether it is as it was written.
    pub seal: Seal,
}

/// The trash and the spaces being read, to hold a plan against them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The plan.
    pub plan: Plan,
    /// What is said of the plan itself.
    remarks: Vec<String>,
    /// The spaces whose trash is still to be read, the next one last.
    left: Vec<SpaceKey>,
    read: TrashRead,
    /// What is in the trash now.
    pub now: Vec<ItemTarget>,
    /// The spaces still to be read themselves, the next one last.
    spaces_left: Vec<SpaceKey>,
    /// What the spaces are called now; `None`: not there any more.
    names: BTreeMap<SpaceKey, Option<String>>,
}

/// The list of plans.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Plans {
    /// The plans; `None` while they are being read.
    pub files: Option<Vec<PlanFile>>,
    /// Why they could not be read.
    pub problem: Option<String>,
    /// The cursor.
    pub cursor: Cursor,
    /// The plan that is being held against the trash.
    pub check: Option<Box<Check>>,
    /// The plan that is being held against its backup and the server.
    pub again: Option<Box<Again>>,
}

impl Plans {
    /// What is wrong with the file under the cursor, and what to do, if it is no plan.
    pub fn broken(&self) -> Option<String> {
        let file = self.files.as_ref()?.get(self.cursor.at)?;
        let problem = file.plan.as_ref().err()?;
        let problem = problem.strip_prefix("This").unwrap_or(problem);
        Some(format!(
            "{}{problem} It can't be applied: write the plan anew, with w where the act is confirmed, or take the file away.",
            file.name
        ))
    }

    /// The keys that do something here, each with its word.
    pub fn hints(&self) -> &'static [(&'static str, &'static str)] {
        let none = self.files.as_ref().is_none_or(Vec::is_empty);
        if none || self.check.is_some() || self.again.is_some() {
            return &[("q", "close")];
        }
        let file = (self.files.as_ref()).and_then(|files| files.get(self.cursor.at));
        match file {
            Some(PlanFile { plan: Err(_), .. }) => &[("q", "close")],
            Some(PlanFile {
                seal: Seal::Changed | Seal::Missing,
                ..
            }) => &[("Enter", "review"), ("q", "close")],
            Some(_) | None => &[("Enter", "apply"), ("q", "close")],
        }
    }
}

/// A backup and the server being read, to hold a plan of making content again against them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Again {
    plan: Plan,
    /// What the backup is, and the items meant, once it was read.
    found: Option<(Manifest, Vec<(String, Item)>)>,
    /// The dry run that reads, once it has begun.
    pub job: Option<JobId>,
}

impl Model {
    /// Opens the list of plans.
    pub(in crate::app) fn open_plans(&mut self, out: &mut Vec<Effect>) {
        self.ask_disk(DiskWaiter::Plans, DiskCall::ReadPlans, out);
        self.modals.push(Modal::Plans(Plans::default()));
    }

    /// Takes the plans from the disk.
    pub(in crate::app) fn plans_came(&mut self, outcome: Result<DiskReply, DiskError>) {
        for modal in &mut self.modals {
            let Modal::Plans(plans) = modal else { continue };
            match &outcome {
                Ok(DiskReply::Files(files)) => {
                    let read = |file: &TextFile| {
                        let plan = match &file.text {
                            Ok(text) => Plan::decode(text),
                            Err(why) => Err(format!("This is not read. {why}")),
                        };
                        PlanFile {
                            name: file.name.clone(),
                            seal: plan.as_ref().map_or(Seal::Missing, Plan::seal),
                            plan,
                        }
                    };
                    plans.files = Some(files.iter().rev().map(read).collect());
                }
                Ok(_) => plans.files = Some(Vec::new()),
                Err(error) => plans.problem = Some(error.to_string()),
            }
        }
    }

    pub(super) fn plans_key(
        &mut self,
        plans: &mut Plans,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let len = plans.files.as_ref().map_or(0, Vec::len);
        let step = match chord.key {
            Key::Up | Key::Char('k') => Some(Step::Up),
            Key::Down | Key::Char('j') => Some(Step::Down),
            Key::PageUp => Some(Step::PageUp),
            Key::PageDown => Some(Step::PageDown),
            Key::Home | Key::Char('g') => Some(Step::Top),
            Key::End | Key::Char('G') => Some(Step::Bottom),
            _ => None,
        };
        if is_esc(chord) || chord.typed() == Some('q') {
            self.inflight.cancel(out, |waiter| {
                matches!(
                    waiter,
                    Waiter::PlanTrash(_) | Waiter::PlanList(..) | Waiter::PlanSpace(_)
                )
            });
            if let Some(id) = plans.again.take().and_then(|again| again.job) {
                self.job_event(&id, JobEvent::Cancel, out);
            }
            return Outcome::Close;
        }
        if plans.check.is_some() || plans.again.is_some() {
            return if chord.ctrl {
                Outcome::NotMine
            } else {
                Outcome::Stay
            };
        }
        if let Some(step) = step.filter(|_| !chord.ctrl) {
            plans.cursor.step(step, len, rows(self.size));
            return Outcome::Stay;
        }
        if chord.key != Key::Enter {
            return if chord.typed().is_some() {
                Outcome::Stay
            } else {
                Outcome::NotMine
            };
        }
        let file = plans
            .files
            .as_ref()
            .and_then(|files| files.get(plans.cursor.at));
        match file.map(|file| &file.plan) {
            Some(Ok(plan)) => {
                let plan = plan.clone();
                self.check_plan(plan, plans, out)
            }
            Some(Err(_)) => {
                // What to do stands below the list.
                let name = file.map_or("", |file| &file.name);
                self.say(LogLevel::Warning, format!("{name} can't be applied."));
                Outcome::Stay
            }
            None => Outcome::Stay,
        }
    }

    /// Holds a plan against what is there now, then shows it with its confirmation.
    fn check_plan(&mut self, plan: Plan, plans: &mut Plans, out: &mut Vec<Effect>) -> Outcome {
        let target = &plan.target;
        if let Some(why) = self.why_elsewhere(target) {
            self.say(
                LogLevel::Warning,
                format!("{why} Open that to apply the plan."),
            );
            return Outcome::Stay;
        }
        if target.act != Act::BackUp
            && let Some(reason) = self.why_read_only()
        {
            self.say(LogLevel::Warning, reason);
            return Outcome::Stay;
        }
        match target.act {
            Act::PurgeMarked | Act::RestoreContent if target.items.is_empty() => {
                self.say(LogLevel::Warning, "There is nothing in this plan.");
            }
            // What a space holds is read by the job itself, and shown by the confirmation.
            Act::PurgeMarked
            | Act::RestoreContent
            | Act::BackUp
            | Act::BackUpSpaces
            | Act::ArchiveSpaces
            | Act::RestoreSpaces
            | Act::DeleteSpaces
            | Act::PurgeAll => {
                plans.check = Some(Box::new(self.check_of(plan)));
                self.read_for_plan(plans, out);
            }
            Act::Recreate => self.read_backup_for_plan(plan, plans, out),
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::RestoreFromBackup
            | Act::OpenForWriting
            | Act::DryRun => {
                self.say(LogLevel::Warning, "This plan can't be applied from here.");
            }
        }
        Outcome::Stay
    }

    fn check_of(&self, plan: Plan) -> Check {
        let target = &plan.target;
        let of_items = target.items.iter().filter(|_| !is_about_spaces(target));
        let mut left: Vec<SpaceKey> = of_items.filter_map(|item| item.space.clone()).collect();
        left.sort();
        left.dedup();
        let named = target.spaces.iter().map(|space| space.key.clone());
        let mut spaces_left: Vec<SpaceKey> = left.iter().cloned().chain(named).collect();
        spaces_left.sort();
        spaces_left.dedup();
        Check {
            remarks: self.remarks_on(&plan),
            left,
            read: self.reading_anew(),
            now: Vec::new(),
            spaces_left,
            names: BTreeMap::new(),
            plan,
        }
    }

    /// What is to be known of a plan itself: that it was changed, that it does not say for which
    /// address it is, whose rest it is.
    fn remarks_on(&self, plan: &Plan) -> Vec<String> {
        let mut remarks = Vec::new();
        match plan.seal() {
            Seal::Whole => {}
            Seal::Changed => remarks.push(
                "This plan was changed after it was written. Review it as a new one.".to_owned(),
            ),
            Seal::Missing => remarks.push(
                "This plan has no check sum: it may have been changed. Review it as a new one."
                    .to_owned(),
            ),
        }
        let here = self.profile.address();
        if plan.target.server.is_at(&here) == SameServer::Unsaid {
            remarks.push(format!(
                "It names the server {} and no address. Go on only if that is {here}.",
                plan.target.server.shown()
            ));
        }
        if let Some(was) = &plan.left_of {
            let was = was.shown();
            remarks.push(format!("It is what was left of a job at {was}."));
        }
        remarks
    }

    /// Asks for what comes next: the trash of each space, then each space itself.
    fn read_for_plan(&mut self, plans: &mut Plans, out: &mut Vec<Effect>) {
        let Some(check) = &mut plans.check else {
            return;
        };
        let Some(key) = check.left.last().cloned() else {
            if let Some(key) = check.spaces_left.last().cloned() {
                let call = Call::Space {
                    key: key.clone(),
                    expand: String::new(),
                };
                let waiter = Waiter::PlanSpace(key);
                self.inflight.ask(waiter, call, self.now, out);
            }
            return;
        };
        let expand = "version".to_owned();
        let (waiter, call) = match &mut check.read {
            TrashRead::ByCursor(pager) => {
                let Some(cursor) = pager.wanted() else { return };
                let call = Call::Trash {
                    key: key.clone(),
                    cursor,
                    expand,
                    limit: PAGE,
                };
                (Waiter::PlanTrash(key), call)
            }
            TrashRead::ByKind { kind, pager } => {
                let Some(window) = pager.wanted(1).into_iter().next() else {
                    return;
                };
                let call = Call::TrashedContent {
                    key: key.clone(),
                    kind: kind.clone(),
                    expand,
                    window,
                };
                (Waiter::PlanList(key, window), call)
            }
            TrashRead::Not | TrashRead::Complete => return,
        };
        self.inflight.ask(waiter, call, self.now, out);
    }

    /// How a trash is read: by operation 12, or where the server has none by the list of content.
    fn reading_anew(&self) -> TrashRead {
        if self.session.has_trash == Some(false) {
            by_kind(ContentKind::Page)
        } else {
            TrashRead::ByCursor(CursorPager::new())
        }
    }

    /// Takes a page of the list of trashed content, where a server has no trash listing.
    pub(in crate::app) fn plan_list_came(
        &mut self,
        key: &SpaceKey,
        window: Window,
        outcome: Result<Page<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        self.plan_read(key, out, |check| {
            let TrashRead::ByKind { kind, pager } = &mut check.read else {
                return Ok(Vec::new());
            };
            let accepted = pager.accept(window, outcome?, |item| item.id.as_str());
            if pager.is_done() {
                check.read = if *kind == ContentKind::Page {
                    by_kind(ContentKind::BlogPost)
                } else {
                    TrashRead::Complete
                };
            }
            Ok(accepted.fresh)
        });
    }

    /// Takes a page of the trash that a plan is held against.
    pub(in crate::app) fn plan_trash_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<CursorPage<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let missing = outcome
            .as_ref()
            .is_err_and(|error| self.session.shows_no_trash(error))
            && self.spaces.table.get(key).is_some();
        if missing {
            // The space is there, so it is the operation that is not.
            self.session.has_trash = Some(false);
        }
        self.plan_read(key, out, |check| {
            if missing {
                check.read = by_kind(ContentKind::Page);
                return Ok(Vec::new());
            }
            let TrashRead::ByCursor(pager) = &mut check.read else {
                return Ok(Vec::new());
            };
            let accepted = pager.accept(outcome?, |item| item.id.as_str())?;
            if pager.is_done() {
                check.read = TrashRead::Complete;
            }
            Ok(accepted.fresh)
        });
    }

    /// Takes the name of a space that a plan is held against.
    pub(in crate::app) fn plan_space_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<String, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        self.plan_read(key, out, |check| {
            let name = match outcome {
                Ok(name) => Some(name),
                Err(error) if error.kind == ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            let was_it = check.left.is_empty() && check.spaces_left.last() == Some(key);
            if was_it {
                check.spaces_left.pop();
                check.names.insert(key.clone(), name);
            }
            Ok(Vec::new())
        });
    }

    /// Goes on with reading after an answer: with this space, with the next one, or with the
    /// confirmation.
    fn plan_read(
        &mut self,
        key: &SpaceKey,
        out: &mut Vec<Effect>,
        take: impl FnOnce(&mut Check) -> Result<Vec<Content>, ApiError>,
    ) {
        let place = self
            .modals
            .iter()
            .position(|modal| matches!(modal, Modal::Plans(_)));
        let Some(place) = place else { return };
        let Some(mut lifted) = self.modals.lift(place) else {
            return;
        };
        let Modal::Plans(plans) = &mut lifted.modal else {
            return;
        };
        let Some(check) = &mut plans.check else {
            self.modals.lay(place, lifted);
            return;
        };
        match take(check) {
            Err(error) => {
                self.say_error(
                    "The plan was not applied, as what it is about could not be read",
                    &error,
                );
                plans.check = None;
            }
            Ok(fresh) => {
                check.now.extend(fresh.into_iter().map(|item| ItemTarget {
                    id: item.id,
                    kind: item.kind,
                    title: item.title.to_string(),
                    version: item.version.and_then(|version| version.number),
                    space: Some(key.clone()),
                }));
                if check.read == TrashRead::Complete {
                    check.left.pop();
                    check.read = self.reading_anew();
                }
                if check.left.is_empty() && check.spaces_left.is_empty() {
                    if let Some(check) = plans.check.take() {
                        self.show_checked(*check, out);
                    }
                    return;
                }
                self.read_for_plan(plans, out);
            }
        }
        self.modals.lay(place, lifted);
    }

    /// Shows the plan for what is still as it was, as the server tells it; what is not is named and
    /// left out.
    fn show_checked(&mut self, check: Check, out: &mut Vec<Effect>) {
        let Check {
            plan,
            remarks,
            now,
            names,
            ..
        } = check;
        let mut target = plan.target.clone();
        target.server = self.profile.address().into();
        let lines = if is_about_spaces(&target) {
            spaces_as_they_are(&mut target, &names)
        } else {
            let differences = plan.differences(&now);
            let lines = told(&differences);
            target.items = differences.same;
            target.spaces = spaces_of(&target, &names);
            lines
        };
        if target.count() == 0 {
            self.say(
                LogLevel::Warning,
                format!("Nothing of this plan is left to do. {}", lines.join(" ")),
            );
            return;
        }
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.to_agree = remarks;
        dialog.skipped = lines;
        self.confirm(dialog, out);
    }
}

/// Whether a plan is about whole spaces, whatever items its file names.
fn is_about_spaces(target: &Target) -> bool {
    let of_spaces = matches!(
        target.act,
        Act::ArchiveSpaces | Act::RestoreSpaces | Act::DeleteSpaces | Act::PurgeAll
    );
    of_spaces || target.items.is_empty()
}

/// The spaces that the items are in, as the server calls them.
fn spaces_of(target: &Target, names: &BTreeMap<SpaceKey, Option<String>>) -> Vec<SpaceTarget> {
    let keys: BTreeSet<&SpaceKey> = target
        .items
        .iter()
        .filter_map(|it| it.space.as_ref())
        .collect();
    let named = |key: &SpaceKey| SpaceTarget {
        key: key.clone(),
        name: names.get(key).cloned().flatten().unwrap_or_default(),
    };
    keys.into_iter().map(named).collect()
}

/// Leaves out the spaces that are not there any more or have another name, and says which.
fn spaces_as_they_are(
    target: &mut Target,
    names: &BTreeMap<SpaceKey, Option<String>>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut gone = Vec::new();
    let mut renamed = Vec::new();
    target.items.clear();
    target.spaces.retain(|space| match names.get(&space.key) {
        Some(Some(name)) if *name == space.name => true,
        Some(Some(name)) => {
            renamed.push(format!("{} ({name})", space.key));
            false
        }
        Some(None) | None => {
            gone.push(space.key.to_string());
            false
        }
    });
    if !gone.is_empty() {
        let gone = gone.join(" · ");
        lines.push(format!("Not there any more, left out: {gone}."));
    }
    if !renamed.is_empty() {
        let renamed = renamed.join(" · ");
        lines.push(format!(
            "Named otherwise since the plan was made, left out: {renamed}."
        ));
    }
    if lines.is_empty() {
        lines.push("The spaces are named as the plan has them.".to_owned());
    }
    lines
}

/// A plan of making content again: held against its backup, then against the server by a dry run.
impl Model {
    fn read_backup_for_plan(&mut self, plan: Plan, plans: &mut Plans, out: &mut Vec<Effect>) {
        let Some(source) = &plan.source else {
            let text = "This plan does not say which backup it is from, so it can't be applied.";
            self.say(LogLevel::Warning, text);
            return;
        };
        let backup = source.backup.clone();
        let call = DiskCall::ReadContents {
            backup: backup.clone(),
        };
        self.ask_disk(DiskWaiter::PlanBackup(backup), call, out);
        plans.again = Some(Box::new(Again {
            plan,
            found: None,
            job: None,
        }));
    }

    /// Takes what is in the backup of a plan.
    pub(in crate::app) fn plan_backup_came(
        &mut self,
        name: &str,
        outcome: Result<DiskReply, DiskError>,
        out: &mut Vec<Effect>,
    ) {
        let waits = |again: &Again| {
            let source = again.plan.source.as_ref();
            again.found.is_none() && source.is_some_and(|source| source.backup == name)
        };
        let Some((place, again)) = self.plan_again(waits) else {
            return;
        };
        let contents = match outcome {
            Ok(DiskReply::Contents(contents)) => contents.map_err(|error| told_of_backup(&error)),
            other => Err(problem_of(other)),
        };
        let begun = contents.and_then(|contents| self.rehearse_plan(*again, contents, out));
        match (begun, self.modals.get_mut(place)) {
            (Ok(again), Some(Modal::Plans(plans))) => plans.again = Some(Box::new(again)),
            (Ok(_), _) => {}
            (Err(why), _) => self.say(
                LogLevel::Warning,
                format!("The plan can't be applied from its backup {name}. {why}"),
            ),
        }
    }

    /// The plan that is held against its backup, taken out of its list, with the place of that.
    fn plan_again(&mut self, is_it: impl Fn(&Again) -> bool) -> Option<(usize, Box<Again>)> {
        self.modals
            .iter_mut()
            .enumerate()
            .find_map(|(place, modal)| match modal {
                Modal::Plans(plans) => {
                    let again = plans.again.take_if(|again| is_it(again))?;
                    Some((place, again))
                }
                _ => None,
            })
    }

    /// Begins the dry run of a plan with what is in its backup now.
    fn rehearse_plan(
        &mut self,
        again: Again,
        contents: Contents,
        out: &mut Vec<Effect>,
    ) -> Result<Again, String> {
        let Some(source) = &again.plan.source else {
            return Err(String::new());
        };
        if contents.manifest.files != source.files {
            return Err("It has other files than when the plan was made.".to_owned());
        }
        if self.is_elsewhere(&contents.manifest) && source.into.is_none() {
            // By ids of another server nothing can be found here.
            return Err("It is from another server, and the plan names no space here.".to_owned());
        }
        // What moved while it was saved may be in it twice.
        let mut wanted: BTreeMap<(ContentId, Option<u64>), usize> = BTreeMap::new();
        for item in &again.plan.target.items {
            *wanted.entry((item.id.clone(), item.version)).or_default() += 1;
        }
        let mut is_meant = |(_, item): &(String, Item)| {
            let left = wanted.get_mut(&(item.id.clone(), item.version_number()));
            let is_fit = matches!(item.kind, ContentKind::Page | ContentKind::BlogPost);
            match left.filter(|left| is_fit && **left > 0) {
                Some(left) => {
                    *left -= 1;
                    true
                }
                None => false,
            }
        };
        let meant: Vec<(String, Item)> = contents
            .items
            .into_iter()
            .filter(|item| is_meant(item))
            .map(|(file, item)| (file, shown_item(item)))
            .collect();
        if meant.is_empty() {
            return Err("Nothing of the plan is in it.".to_owned());
        }
        let manifest = shown_manifest(contents.manifest);
        let dialog = self.recreation(Meant {
            backup: &source.backup,
            manifest: &manifest,
            items: meant.clone(),
            into: source.into.clone(),
            unknown: source.unknown,
        });
        let target = dialog.target().clone();
        let job = self.dry_run(target, dialog.recipe.as_deref(), out);
        Ok(Again {
            job: Some(job),
            found: Some((manifest, meant)),
            ..again
        })
    }

    /// A dry run is over: if a plan waited for it, what was found is shown with the confirmation.
    /// Whether one did.
    pub(in crate::app) fn plan_was_rehearsed(&mut self, id: &JobId, out: &mut Vec<Effect>) -> bool {
        let Some((place, again)) = self.plan_again(|again| again.job.as_ref() == Some(id)) else {
            return false;
        };
        match self.rehearsed(&again, id) {
            Ok(dialog) => {
                self.modals.lift(place);
                self.confirm(dialog, out);
            }
            Err(why) => self.say(LogLevel::Warning, why),
        }
        true
    }

    /// The confirmation for what can be made again as the plan has it; the rest is named and left
    /// out.
    fn rehearsed(&self, again: &Again, id: &JobId) -> Result<Confirm, String> {
        let not_applied = |why: &str| format!("The plan was not applied. {why}");
        let job = self.jobs.get(id);
        if let Some(why) = job.and_then(|job| job.halted()) {
            return Err(not_applied(why));
        }
        let (Some(job), Some((manifest, meant)), Some(source)) =
            (job, &again.found, &again.plan.source)
        else {
            return Err(not_applied("Its backup was not read."));
        };
        let verdicts = job.verdicts().unwrap_or_default();
        let mut found: BTreeMap<&str, &Verdict> = BTreeMap::new();
        for (line, verdict) in job.lines().iter().zip(verdicts) {
            let Some(verdict) = verdict else {
                return Err(not_applied("Its dry run was ended before it had read all."));
            };
            if let Verdict::Spoilt(why) = verdict {
                return Err(format!(
                    "The plan can't be applied from its backup {}. {why}",
                    source.backup
                ));
            }
            found.insert(&line.subject, verdict);
        }
        let told = told_again(&again.plan, &found);
        let may_be_made = |id: &ContentId| {
            let verdict = found.get(id.as_str());
            verdict.is_some_and(|verdict| verdict.may_be_made())
        };
        let left: Vec<(String, Item)> = (meant.iter())
            .filter(|(_, item)| may_be_made(&item.id))
            .cloned()
            .collect();
        if left.is_empty() {
            return Err(format!(
                "Nothing of this plan is left to do. {}",
                told.join(" ")
            ));
        }
        let mut dialog = self.recreation(Meant {
            backup: &source.backup,
            manifest,
            items: left,
            into: source.into.clone(),
            unknown: source.unknown,
        });
        dialog.to_agree = self.remarks_on(&again.plan);
        dialog.skipped.splice(0..0, told);
        Ok(dialog)
    }
}

/// What a dry run found of a plan of making content again, a sentence each.
fn told_again(plan: &Plan, found: &BTreeMap<&str, &Verdict>) -> Vec<String> {
    let of = |is_it: &dyn Fn(Option<&Verdict>) -> bool| -> Vec<ItemTarget> {
        let items = plan.target.items.iter();
        items
            .filter(|item| is_it(found.get(item.id.as_str()).copied()))
            .cloned()
            .collect()
    };
    let taken = of(&|it| matches!(it, Some(Verdict::TitleTaken)));
    let homeless = of(&|it| {
        let parent_is_gone = true;
        it == Some(&Verdict::Made { parent_is_gone })
    });
    let mut lines = Vec::new();
    if !taken.is_empty() {
        lines.push(format!(
            "Their titles are taken now, you will be asked: {}.",
            counted(&taken)
        ));
    }
    if !homeless.is_empty() {
        lines.push(format!(
            "Their former parents are not there any more, made at the top: {}.",
            counted(&homeless)
        ));
    }
    let missing = of(&|it| it.is_none());
    if !missing.is_empty() {
        lines.push(format!(
            "Not in the backup, left out: {}.",
            counted(&missing)
        ));
    }
    let no_space = of(&|it| matches!(it, Some(Verdict::NoSpace)));
    if !no_space.is_empty() {
        let mut keys: Vec<&str> = (no_space.iter())
            .filter_map(|item| item.space.as_ref().map(SpaceKey::as_str))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        lines.push(format!(
            "Their space {} is not there any more, left out: {}.",
            keys.join(", "),
            counted(&no_space)
        ));
    }
    let mut others: BTreeMap<&str, Vec<ItemTarget>> = BTreeMap::new();
    for item in &plan.target.items {
        if let Some(Verdict::LeftOut(why) | Verdict::Cannot(why)) = found.get(item.id.as_str()) {
            others.entry(why).or_default().push(item.clone());
        }
    }
    for (why, items) in others {
        lines.push(format!("Left out: {}. {why}", counted(&items)));
    }
    if lines.is_empty() {
        lines.push("The backup and the server are as the plan has them.".to_owned());
    }
    lines
}

fn by_kind(kind: ContentKind) -> TrashRead {
    TrashRead::ByKind {
        kind,
        pager: Pager::new(PAGE),
    }
}

/// How many items, the first ones by their titles.
fn counted(items: &[ItemTarget]) -> String {
    let names = items.iter().take(NAMED).map(ItemTarget::name);
    let mut names: Vec<Cow<'_, str>> = names.collect();
    if items.len() > NAMED {
        names.push(Cow::Borrowed("…"));
    }
    let count = number::count(items.len() as u64, "item");
    format!("{count} ({})", names.join(" · "))
}

/// What has changed since a plan was made, a sentence each.
fn told(differences: &Differences) -> Vec<String> {
    let count = |n: usize| number::count(n as u64, "item");
    let mut lines = Vec::new();
    if differences.is_empty() {
        lines.push("All that is in the plan is in the trash as it was.".to_owned());
    }
    if !differences.gone.is_empty() {
        lines.push(format!(
            "Not in the trash any more, left out: {} of the plan.",
            counted(&differences.gone)
        ));
    }
    if !differences.changed.is_empty() {
        lines.push(format!(
            "Changed since the plan was made, left out: {}.",
            counted(&differences.changed)
        ));
    }
    if differences.others > 0 {
        lines.push(format!(
            "Also in the trash, not in the plan and not touched: {}.",
            count(differences.others)
        ));
    }
    lines
}

/// How many rows of the list are shown, below the names of its columns.
pub fn rows(size: Size) -> usize {
    height(size).saturating_sub(1).max(1)
}

/// A plan in one line.
pub fn line(file: &PlanFile) -> String {
    match &file.plan {
        Ok(plan) if file.seal == Seal::Changed => {
            format!("{}, changed since it was written", heading(&plan.target))
        }
        Ok(plan) => heading(&plan.target),
        Err(problem) => problem.clone(),
    }
}
