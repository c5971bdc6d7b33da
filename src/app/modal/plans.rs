//! Plans that were written to files, to be applied later: against the trash as it is then, with
//! what has changed since shown first.

use serde::Serialize;

use super::confirm::{Confirm, heading};
use super::{Modal, Outcome, is_esc};
use crate::app::disk::DiskWaiter;
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key};
use crate::app::list::{Cursor, Step};
use crate::app::message::{DiskCall, DiskError, DiskReply, Effect, LogLevel, Size};
use crate::app::modal::reading::height;
use crate::app::model::Model;
use crate::app::pane::content::TrashRead;
use crate::confluence::call::Window;
use crate::confluence::paging::{CursorPager, Pager};
use crate::confluence::{ApiError, Call, Content, ContentKind, CursorPage, Page, SpaceKey};
use crate::jobs::plan::{Differences, Plan};
use crate::jobs::{Act, ItemTarget};
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
}

/// The trash being read, to hold a plan against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The plan.
    pub plan: Plan,
    /// The spaces still to be read, the next one last.
    left: Vec<SpaceKey>,
    read: TrashRead,
    /// What is in the trash now.
    pub now: Vec<ItemTarget>,
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
                    let read = |(name, text): &(String, String)| PlanFile {
                        name: name.clone(),
                        plan: Plan::decode(text),
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
                matches!(waiter, Waiter::PlanTrash(_) | Waiter::PlanList(..))
            });
            return Outcome::Close;
        }
        if plans.check.is_some() {
            return if chord.ctrl {
                Outcome::Pass
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
                Outcome::Pass
            };
        }
        let file = plans
            .files
            .as_ref()
            .and_then(|files| files.get(plans.cursor.at));
        match file.map(|file| &file.plan) {
            Some(Ok(plan)) => self.check_plan(plan.clone(), plans, out),
            Some(Err(problem)) => {
                self.say(LogLevel::Warning, problem.clone());
                Outcome::Stay
            }
            None => Outcome::Stay,
        }
    }

    /// Holds a plan against what is there now, then shows it with its confirmation.
    fn check_plan(&mut self, plan: Plan, plans: &mut Plans, out: &mut Vec<Effect>) -> Outcome {
        let target = &plan.target;
        if target.profile != self.profile.name || target.host != self.profile.host() {
            let (name, host) = (target.profile.clone(), target.host.clone());
            self.say(
                LogLevel::Warning,
                format!("This plan is for {name} at {host}. Start with that profile to apply it."),
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
            Act::PurgeMarked | Act::RestoreContent | Act::BackUp if !target.items.is_empty() => {
                let mut left: Vec<SpaceKey> = target
                    .items
                    .iter()
                    .filter_map(|item| item.space.clone())
                    .collect();
                left.sort();
                left.dedup();
                let check = Check {
                    plan,
                    left,
                    read: self.reading_anew(),
                    now: Vec::new(),
                };
                plans.check = Some(Box::new(check));
                self.read_for_plan(plans, out);
                Outcome::Stay
            }
            // What a space holds is read by the job itself, and shown by the confirmation.
            Act::ArchiveSpaces
            | Act::RestoreSpaces
            | Act::DeleteSpaces
            | Act::PurgeAll
            | Act::BackUp => {
                let dialog = Confirm::new(target.clone(), self.time(self.now));
                self.confirm(dialog, out);
                Outcome::Close
            }
            Act::CreateSpace
            | Act::UpdateSpace
            | Act::PurgeMarked
            | Act::RestoreContent
            | Act::Recreate
            | Act::OpenForWriting
            | Act::DryRun => {
                self.say(LogLevel::Warning, "This plan can't be applied from here.");
                Outcome::Stay
            }
        }
    }

    fn read_for_plan(&mut self, plans: &mut Plans, out: &mut Vec<Effect>) {
        let Some(check) = &mut plans.check else {
            return;
        };
        let Some(key) = check.left.last().cloned() else {
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
        let Modal::Plans(mut plans) = self.modals.remove(place) else {
            return;
        };
        let Some(check) = &mut plans.check else {
            self.modals.insert(place, Modal::Plans(plans));
            return;
        };
        match take(check) {
            Err(error) => {
                self.say_error(
                    "The trash could not be read, so the plan was not applied",
                    &error,
                );
                plans.check = None;
            }
            Ok(fresh) => {
                check.now.extend(fresh.into_iter().map(|item| ItemTarget {
                    id: item.id,
                    kind: item.kind,
                    title: item.title,
                    version: item.version.and_then(|version| version.number),
                    space: Some(key.clone()),
                }));
                if check.read == TrashRead::Complete {
                    check.left.pop();
                    check.read = self.reading_anew();
                }
                if check.left.is_empty() {
                    if let Some(check) = plans.check.take() {
                        self.show_checked(*check, out);
                    }
                    return;
                }
                self.read_for_plan(&mut plans, out);
            }
        }
        self.modals.insert(place, Modal::Plans(plans));
    }

    /// Shows the plan for what is still as it was; what is not is named and left out.
    fn show_checked(&mut self, check: Check, out: &mut Vec<Effect>) {
        let differences = check.plan.differences(&check.now);
        let mut target = check.plan.target.clone();
        target.items.retain(|item| {
            let is_it = |other: &ItemTarget| other.id == item.id;
            !differences.gone.iter().any(is_it) && !differences.changed.iter().any(is_it)
        });
        if target.items.is_empty() {
            self.say(
                LogLevel::Warning,
                format!(
                    "Nothing of this plan is left to do. {}",
                    told(&differences).join(" ")
                ),
            );
            return;
        }
        let mut dialog = Confirm::new(target, self.time(self.now));
        dialog.skipped = told(&differences);
        self.confirm(dialog, out);
    }
}

fn by_kind(kind: ContentKind) -> TrashRead {
    TrashRead::ByKind {
        kind,
        pager: Pager::new(PAGE),
    }
}

/// What has changed since a plan was made, a sentence each.
fn told(differences: &Differences) -> Vec<String> {
    let named = |items: &[ItemTarget]| {
        let mut names: Vec<&str> = items
            .iter()
            .take(NAMED)
            .map(|item| item.title.as_str())
            .collect();
        if items.len() > NAMED {
            names.push("…");
        }
        names.join(" · ")
    };
    let count = |n: usize| number::count(n as u64, "item");
    if differences.is_empty() {
        return vec!["The trash is as the plan has it.".to_owned()];
    }
    let mut lines = Vec::new();
    if !differences.gone.is_empty() {
        let (n, names) = (count(differences.gone.len()), named(&differences.gone));
        lines.push(format!(
            "Not in the trash any more, left out: {n} ({names})."
        ));
    }
    if !differences.changed.is_empty() {
        let (n, names) = (
            count(differences.changed.len()),
            named(&differences.changed),
        );
        lines.push(format!(
            "Changed since the plan was made, left out: {n} ({names})."
        ));
    }
    if differences.new > 0 {
        lines.push(format!(
            "New in the trash and not touched: {}.",
            count(differences.new)
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
        Ok(plan) => heading(&plan.target),
        Err(problem) => problem.clone(),
    }
}
