//! A page that everybody may read is read again once it was made, and compared with the backup. What a
//! comparison shows becomes the outcome of an item and the end of its write in the journal.

use super::Recreate;
use crate::confluence::{ApiError, Content, ContentId};
use crate::jobs::comparison::Comparison;
use crate::jobs::desk::{Desk, Settled, is_not_there};
use crate::jobs::guard::Need;
use crate::jobs::line::Outcome;
use crate::jobs::step::Step;

impl Comparison {
    /// As the outcome of what was put back, of which this is to be told.
    pub(super) fn outcome(&self, note: &str) -> Outcome {
        let with = |what: &str| format!("{what} {note}").trim_end().to_owned();
        match self {
            Self::Differs(how) => Outcome::Differs(with(how)),
            Self::NotCompared(why) => Outcome::Done(Some(with(why))),
            Self::NotRead | Self::Same => Outcome::Done(Some(note.to_owned())),
        }
    }

    /// As the end of a write that put a text in.
    pub(super) fn settled(&self) -> Settled<'_> {
        match self {
            Self::Differs(how) => Settled::DoneBut(how),
            Self::NotCompared(_) | Self::NotRead | Self::Same => Settled::Done,
        }
    }

    /// As the end of a write that made this.
    pub(super) fn made<'a>(&'a self, id: &'a ContentId) -> Settled<'a> {
        match self {
            Self::Differs(how) => Settled::MadeBut(id.as_str(), how),
            Self::NotCompared(_) | Self::NotRead | Self::Same => Settled::Made(id.as_str()),
        }
    }
}

impl Recreate {
    /// The server says that an item was made. What is blank is filled later, and compared then.
    pub(super) fn was_made(&mut self, desk: &mut Desk, item: u32, made: ContentId) {
        if self.need(item) != Need::Open {
            desk.settle(item, Step::Create, Settled::Made(made.as_str()));
        }
        self.after_creating(item, made);
    }

    /// Whether an item that everybody may read was made and not looked at since.
    pub(super) fn is_to_be_read_back(&self, item: u32) -> bool {
        let thing = &self.things[item as usize];
        thing.made.is_some()
            && thing.comparison == Comparison::NotRead
            && thing.unsure_of_text.is_none()
            && self.need(item) == Need::Open
    }

    /// Compares the text of a page that was just read.
    pub(super) fn compare_text(&mut self, item: u32, now: &Content) {
        let there = now
            .more
            .as_deref()
            .and_then(|more| more.body_storage.as_deref());
        let wanted = self.text(item);
        self.things[item as usize].comparison = Comparison::of_text(wanted.as_deref(), there);
    }

    /// A page that everybody may read was read after it was made.
    pub(super) fn read_back(&mut self, desk: &mut Desk, item: u32, now: &Content) {
        self.compare_text(item, now);
        let thing = &self.things[item as usize];
        let is_other = matches!(thing.comparison, Comparison::Differs(_));
        if is_other && desk.looks_again(item, Step::Create) {
            return;
        }
        desk.settle(item, Step::Create, thing.comparison.made(&now.id));
        self.after_filling(desk, item);
    }

    /// It could not be read.
    pub(super) fn not_read_back(&mut self, desk: &mut Desk, item: u32, error: &ApiError) {
        let is_gone = is_not_there(error);
        if is_gone && desk.looks_again(item, Step::Create) {
            return;
        }
        let id = self.things[item as usize].made.clone();
        let id = id.map_or_else(String::new, |id| format!(" Its id would be {id}."));
        let why = if !desk.is_in_doubt(item, Step::Create) {
            format!(
                "It was made, and could not be read again. {}{id}",
                error.message
            )
        } else if is_gone {
            let (why, _) = desk.not_applied(item, Step::Create, "it is not there");
            desk.close(item, Outcome::Failed(why));
            return;
        } else {
            format!("{}{id}", desk.unconfirmed(item, Step::Create, error))
        };
        desk.close(item, Outcome::Unknown(why));
    }
}
