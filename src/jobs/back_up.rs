//! Whole trashes saved, page by page as they are listed: a backup and nothing else.
//!
//! What is saved is forgotten at once, so that a million items take no more memory than a thousand:
//! of an item only its number stays, to know a list that repeats itself. The job has one line for
//! each space and one for each item that could not be saved. No page of the list is asked for
//! while more than a page waits to be saved.

use serde::{Deserialize, Serialize};

use super::complete::{Care, Completeness, Doubt, Prover, Scope};
use super::consent::SpaceTarget;
use super::desk::{Desk, Fate, WHOLE};
use super::effect::{JobWrite, StoreError, Stored};
use super::head::Head;
use super::line::{Line, Outcome};
use super::listing::{LIMIT, Rows, in_words};
use super::machine::Machine;
use super::save::{Kept, Save, Wanted};
use super::step::Step;
use crate::confluence::{ApiError, Reply};
use crate::text::number;

/// After so many items that could not be saved it is not about the items.
const MOST_FAILURES: u64 = 10_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BackUp {
    round: u32,
    spaces: Vec<SpaceTarget>,
    /// The space that is being listed; past the last one when all are.
    space: usize,
    /// How many items of each space were listed, and why no more.
    listed: Vec<(u64, Option<String>)>,
    /// Of each space, why it is not certain that all of its trash was listed.
    #[serde(default)]
    doubts: Vec<Option<String>>,
    /// Whether a list was caught leaving rows out.
    #[serde(default)]
    caught: bool,
    /// The number of the next item.
    next: u32,
    failures: u64,
    folder: String,
    /// What lists are asked for.
    #[serde(skip)]
    rows: Rows,
    // What was interrupted is begun anew.
    #[serde(skip)]
    listing: Option<Prover>,
    #[serde(skip)]
    save: Option<Save>,
}

impl BackUp {
    pub(super) fn new(head: &Head) -> Self {
        Self {
            round: 0,
            listed: vec![(0, None); head.target.spaces.len()],
            spaces: head.target.spaces.clone(),
            doubts: vec![None; head.target.spaces.len()],
            caught: false,
            space: 0,
            next: 0,
            failures: 0,
            folder: String::new(),
            rows: Rows::default(),
            listing: None,
            save: None,
        }
    }

    pub(super) fn caught_a_list(&self) -> bool {
        self.caught
    }

    pub(super) fn backup(&self) -> Option<&str> {
        (!self.folder.is_empty()).then_some(self.folder.as_str())
    }

    /// How many items are held at this moment.
    pub(super) fn held(&self) -> usize {
        self.save.as_ref().map_or(0, Save::waiting)
    }

    fn begin(&mut self, desk: &Desk) {
        self.round += 1;
        self.folder = desk.backup_name(self.round);
        self.save = Some(Save::streamed(self.folder.clone()));
    }

    /// Asks for the next page, once there is room for what it brings.
    fn list(&mut self, desk: &mut Desk) {
        if self.held() >= LIMIT as usize || desk.is_busy(WHOLE) {
            return;
        }
        let Some(space) = self.spaces.get(self.space) else {
            return;
        };
        let rows = self.rows;
        let listing = self.listing.get_or_insert_with(|| {
            Prover::new(space.key.clone(), Scope::Trash, rows, Care::InDoubt)
        });
        if desk.has_room() && desk.has_room_for_files() {
            listing.ask(desk, WHOLE);
        }
    }

    fn next_space(&mut self) {
        if let Some(listing) = self.listing.take() {
            self.rows = listing.rows();
            self.caught |= listing.doubt().is_some_and(Doubt::is_of_a_list);
            if let (Some(doubt), Completeness::NotCertain(_)) =
                (listing.doubt(), listing.completeness())
                && let Some(place) = self.doubts.get_mut(self.space)
            {
                *place = Some(doubt.because());
            }
        }
        self.space += 1;
        if self.space >= self.spaces.len()
            && let Some(save) = &mut self.save
        {
            save.finish();
        }
    }

    /// Tells what could not be saved, and how far it is.
    fn tell(&mut self, desk: &mut Desk) {
        let Some(save) = &mut self.save else {
            return;
        };
        for (wanted, kept) in save.take_settled() {
            let outcome = match kept {
                Kept::Gone => Outcome::Gone,
                Kept::Not(why) => Outcome::NotSaved(why),
                Kept::Saved(_) => continue,
            };
            self.failures += 1;
            if self.failures > MOST_FAILURES {
                desk.halt(format!(
                    "More than {} items could not be saved, so it was given up.",
                    number::grouped(MOST_FAILURES)
                ));
                return;
            }
            let line = desk.add_line(Line::content(&wanted.id, &wanted.title));
            desk.close(line, outcome);
        }
        let total = self.listing.as_ref().and_then(Prover::total);
        let sum = |spaces: &[(u64, Option<String>)]| spaces.iter().map(|(listed, _)| listed).sum();
        let listed: u64 = sum(&self.listed);
        let before: u64 = sum(&self.listed[..self.space]);
        let total = total.map_or(listed, |total| listed.max(before + total));
        let done = save.fetched() + self.failures;
        desk.tally(done as usize, total as usize);
    }

    /// Whether no trash could be listed at all.
    fn is_refused(&self) -> bool {
        self.listed.iter().all(|(_, problem)| problem.is_some())
    }

    fn end(&mut self, desk: &mut Desk) {
        for (line, (listed, problem)) in self.listed.iter().enumerate() {
            let items = number::count(*listed, "item");
            let outcome = match problem {
                None => Outcome::Done(Some(match self.doubts.get(line).and_then(Option::as_ref) {
                    None => format!("{items}, saved and read back."),
                    Some(why) => format!(
                        "{items}, saved and read back. That is not certain to be all, because {why}."
                    ),
                })),
                Some(why) if *listed == 0 => Outcome::Failed(why.clone()),
                Some(why) => Outcome::Failed(format!(
                    "{why} What was listed before is in the backup: {items}."
                )),
            };
            desk.close(line as u32, outcome);
        }
    }
}

impl Machine for BackUp {
    fn go(&mut self, desk: &mut Desk) {
        if desk.is_stopping() {
            return;
        }
        if self.save.is_none() {
            self.begin(desk);
        }
        self.list(desk);
        if self.space >= self.spaces.len() && self.next == 0 && self.is_refused() {
            self.folder.clear();
            self.end(desk);
            return;
        }
        let Some(save) = &mut self.save else {
            return;
        };
        save.go(desk);
        if let Some(why) = save.broken() {
            let why = format!("The backup is not good. {why}");
            desk.halt(why);
        } else if save.is_verified() {
            self.end(desk);
        }
    }

    fn read(&mut self, desk: &mut Desk, item: u32, step: Step, answer: Result<Reply, ApiError>) {
        if item != WHOLE {
            if let Some(save) = &mut self.save {
                save.read(desk, item, step, answer);
            }
            self.tell(desk);
            return;
        }
        let (Some(listing), Some(save)) = (&mut self.listing, &mut self.save) else {
            return;
        };
        if let Err(error) = listing.take(answer) {
            self.listed[self.space].1 = Some(error.message);
            self.next_space();
            return;
        }
        for seen in listing.take_seen() {
            self.listed[self.space].0 += 1;
            let (wanted, whole) = Wanted::seen(self.next, seen);
            save.want(desk, wanted, whole);
            self.next += 1;
        }
        if listing.is_over() {
            for kind in listing.unlisted() {
                let title = format!("All {} in the trash", in_words(std::slice::from_ref(kind)));
                let id = crate::confluence::ContentId::new("");
                let line = desk.add_line(Line::content(&id, &title));
                let why = "The server would not list them; they were not saved.";
                desk.close(line, Outcome::Skipped(why.to_owned()));
            }
            self.next_space();
        }
        self.tell(desk);
    }

    fn wrote(&mut self, _: &mut Desk, _: u32, _: Step, _: Fate) {
        // A backup writes nothing to the server.
    }

    fn stored(&mut self, _: &mut Desk, what: &JobWrite, answer: Result<Stored, StoreError>) {
        if let Some(save) = &mut self.save {
            save.stored(what, answer);
        }
    }

    fn reopened(&mut self, desk: &mut Desk) {
        // The backup was not finished: it is made anew.
        self.listing = None;
        self.save = None;
        self.space = 0;
        self.next = 0;
        self.failures = 0;
        self.listed.fill((0, None));
        self.doubts = vec![None; self.spaces.len()];
        desk.forget_lines();
        for space in &self.spaces {
            desk.add_line(Line::space(&space.key, &space.name));
        }
    }
}
