//! The dialogs that are open, and what of them was on the screen before a key for it was typed.
//!
//! A dialog is unseen until the shell has told that its picture is written ([`Stack::shown`]). Keys
//! typed before that were typed for something else, and are dropped. That a picture is written does not
//! mean that it has arrived: where the terminal answers status reports, one is sent behind the picture,
//! and what stands before its answer in the input was typed too early as well. Where it doesn't, a
//! quarter of a second without a key has to do; nor where answers come that nobody asked for, as where
//! several terminals show one program: an answer may then be to another report, or from another screen.
//!
//! What is agreed to may be longer than the screen. Its lines count as read once they were in a picture,
//! from the first one on without a gap ([`Reader`]).
//!
//! A dialog gets a key with a [`Seen`], which is made nowhere else; so is [`SeenTerms`], without which
//! nothing is agreed to.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use serde::Serialize;

use super::{Face, Modal, Terms};
use crate::app::key::{Chord, Company, KeyPress};
use crate::app::message::Millis;
use crate::text::width;

/// How long the answer to a status report is waited for, in milliseconds.
const ANSWER: u64 = 2_000;

/// How long no key may come after a picture that nothing tells the arrival of, in milliseconds.
const QUIET: u64 = 250;

/// So many keys that were dropped are named, the last ones.
const NAMED: usize = 4;

/// Whether something was on the screen before the key that comes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
enum Sight {
    /// It is in no picture yet.
    #[default]
    Unseen,
    /// Its picture was written, and this status report behind it.
    Written { since: Millis, report: Option<u64> },
    /// Whoever types now has had it before the eyes.
    Seen,
}

impl Sight {
    fn written(&mut self, since: Millis, report: Option<u64>) {
        if *self == Self::Unseen {
            *self = Self::Written { since, report };
        }
    }

    /// Whether it is seen by somebody whose key was read at `at`.
    fn is_seen(&mut self, at: Millis, last_key: Millis, answered: u64) -> bool {
        if let Self::Written { since, report } = *self {
            let came = report.is_some_and(|report| report <= answered);
            let may_still_come = report.is_some() && at.since(since) < ANSWER;
            let is_quiet = at.since(since.max(last_key)) >= QUIET;
            if came || !may_still_come && is_quiet {
                *self = Self::Seen;
            }
        }
        *self == Self::Seen
    }
}

/// Something that has to be seen before keys count for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Watched<T> {
    what: T,
    /// The number of the picture that it has to be in.
    picture: u64,
    sight: Sight,
}

impl<T: PartialEq> Watched<T> {
    fn new(what: T, picture: u64) -> Self {
        Self {
            what,
            picture,
            sight: Sight::Unseen,
        }
    }

    /// Takes what it is now: when that is something else, it has to be seen anew.
    fn become_(&mut self, what: T, pictures: &mut u64) {
        if self.what != what {
            *pictures += 1;
            *self = Self::new(what, *pictures);
        }
    }

    fn written(&mut self, picture: u64, since: Millis, report: Option<u64>) {
        if self.picture <= picture {
            self.sight.written(since, report);
        }
    }
}

/// What has to be read before an answer counts, at the size of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::app) struct ToRead {
    /// Its lines.
    pub lines: Vec<String>,
    /// The first one that is in sight.
    pub from: usize,
    /// The one after the last that is in sight.
    pub to: usize,
}

/// How far what is agreed to was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Reader {
    lines: Vec<String>,
    /// The part of them that is in sight, and the number of the picture that it has to be in.
    page: (usize, usize),
    picture: u64,
    /// So many were in a picture that was written, from the first one on without a gap.
    shown: usize,
    /// What became of the picture with the last of them.
    end: Sight,
}

impl Reader {
    /// Takes what there is to read by now: from the first line on that is another one, it has to be
    /// read anew. Gives the line that has to be in sight before it is read on.
    fn look_at(&mut self, text: ToRead, pictures: &mut u64) -> usize {
        if self.lines != text.lines {
            let pairs = self.lines.iter().zip(&text.lines);
            let same = pairs.take_while(|(old, new)| old == new).count();
            self.shown = self.shown.min(same);
            self.lines = text.lines;
            self.end = Sight::Unseen;
            self.page = (0, 0);
        }
        let page = (text.from, text.to);
        if self.page != page {
            *pictures += 1;
            self.page = page;
            self.picture = *pictures;
        }
        self.read_from()
    }

    /// The line that has to be in sight before it is read on.
    fn read_from(&self) -> usize {
        if self.shown < self.lines.len() {
            self.shown
        } else {
            usize::MAX
        }
    }

    /// Whether a part that was in no picture yet is out of sight, too.
    fn is_beyond(&self) -> bool {
        self.shown < self.lines.len()
            && (self.page.0 > self.shown || self.page.1 < self.lines.len())
    }

    /// Whether the next picture shows something of it for the first time. What is below the window
    /// does not count: a picture would not change that.
    fn is_unseen(&self) -> bool {
        let reaches = self.shown.max(self.page.1).min(self.lines.len());
        let is_new = reaches > self.shown || reaches == self.lines.len();
        self.end == Sight::Unseen && self.page.0 <= self.shown && is_new
    }

    fn written(&mut self, picture: u64, since: Millis, report: Option<u64>) {
        if self.picture > picture || self.page.0 > self.shown {
            return;
        }
        self.shown = self.shown.max(self.page.1).min(self.lines.len());
        if self.shown == self.lines.len() {
            self.end.written(since, report);
        }
    }
}

/// What is watched of a dialog.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Watch {
    /// What it asks: before that is seen no key counts.
    face: Watched<Face>,
    /// What is agreed to: before that is seen nothing is agreed to.
    terms: Watched<Terms>,
    /// How far that was read: before its end nothing is agreed to.
    reader: Reader,
    /// When the last key for it was read.
    last_key: Millis,
}

/// Proof that a dialog was on the screen before the key that it is given.
#[derive(Debug)]
pub struct Seen {
    terms: Result<(), Missed>,
    read_from: usize,
}

/// Proof that what is agreed to was on the screen as it is now, all of it.
#[derive(Debug)]
pub struct SeenTerms(());

/// Why nothing can be agreed to yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// What is agreed to is not on the screen yet as it is now.
    Changed,
    /// A part of it was never on the screen.
    Unread,
}

impl Missed {
    /// What is said to an answer that came too early.
    pub fn told(self) -> &'static str {
        match self {
            Self::Changed => "This has just changed; nothing was done. Look, then answer again.",
            Self::Unread => {
                "Not all of this was on the screen yet; nothing was done. PgDn to its end, then answer again."
            }
        }
    }
}

impl Seen {
    /// Whether what is agreed to was seen, too, to its end.
    pub fn terms(&self) -> Result<SeenTerms, Missed> {
        self.terms.map(|()| SeenTerms(()))
    }

    /// The line to which a text can be scrolled at most, so that none is left out that was in no
    /// picture yet.
    pub fn read_from(&self) -> usize {
        self.read_from
    }
}

/// A dialog taken from the stack, to be laid back.
#[derive(Debug)]
pub struct Lifted {
    /// The dialog.
    pub modal: Modal,
    watch: Watch,
}

impl Dropped {
    /// What was dropped, and why.
    pub fn told(&self) -> String {
        match self {
            Self::TooEarly(keys) => {
                let more = keys.len().saturating_sub(NAMED);
                let before = if more > 0 { "…, " } else { "" };
                let keys = keys[more..].join(", ");
                format!("Dropped, typed too early: {before}{keys}.")
            }
            Self::Together(key) => {
                format!("Dropped, it came with other keys: {key}. Press {key} again.")
            }
        }
    }

    /// The same in so many columns, or fewer: whole sentences, for the end of one is what to do.
    pub fn told_in(&self, columns: usize) -> String {
        let fits = |text: &String| width::width(text) <= columns;
        let shorter = match self {
            Self::TooEarly(_) => {
                ["Keys typed too early were dropped.", "Typed too early."].map(str::to_owned)
            }
            Self::Together(key) => [
                format!("Press {key} again, by itself."),
                format!("{key} again."),
            ],
        };
        let told = Some(self.told()).filter(fits);
        told.or_else(|| shorter.into_iter().find(fits))
            .unwrap_or_default()
    }
}

/// A key as it is named among others: what types a character in quotes.
fn named(chord: Chord) -> String {
    match chord.typed() {
        Some(c) if c != ' ' => format!("\"{c}\""),
        _ => chord.to_string(),
    }
}

/// Keys that did not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Dropped {
    /// They were typed before the dialog was on the screen: the last ones, and one more where there
    /// were more.
    TooEarly(Vec<String>),
    /// This one, which came together with other keys.
    Together(String),
}

/// The dialogs, the last on top. It reads as a slice of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stack {
    modals: Vec<Modal>,
    /// As many as dialogs.
    watches: Vec<Watch>,
    /// How many things were ever to be seen.
    pictures: u64,
    /// How many status reports were answered.
    answered: u64,
    /// When those were sent that are not.
    reports: VecDeque<Millis>,
    /// Whether an answer came that nobody asked for, so that none tells of a picture any more.
    is_answered_unasked: bool,
    dropped: Option<Dropped>,
}

impl Deref for Stack {
    type Target = [Modal];

    fn deref(&self) -> &[Modal] {
        &self.modals
    }
}

impl DerefMut for Stack {
    fn deref_mut(&mut self) -> &mut [Modal] {
        &mut self.modals
    }
}

impl<'a> IntoIterator for &'a Stack {
    type Item = &'a Modal;
    type IntoIter = std::slice::Iter<'a, Modal>;

    fn into_iter(self) -> Self::IntoIter {
        self.modals.iter()
    }
}

impl<'a> IntoIterator for &'a mut Stack {
    type Item = &'a mut Modal;
    type IntoIter = std::slice::IterMut<'a, Modal>;

    fn into_iter(self) -> Self::IntoIter {
        self.modals.iter_mut()
    }
}

impl FromIterator<Modal> for Stack {
    fn from_iter<I: IntoIterator<Item = Modal>>(modals: I) -> Self {
        let mut stack = Self::default();
        for modal in modals {
            stack.push(modal);
        }
        stack
    }
}

impl Stack {
    /// Lays a dialog on top. Nobody has seen it.
    pub(in crate::app) fn push(&mut self, modal: Modal) {
        self.insert(self.modals.len(), modal);
    }

    /// Lays a dialog below those from this place on. Nobody has seen it.
    pub(in crate::app) fn insert(&mut self, place: usize, modal: Modal) {
        self.pictures += 1;
        let watch = Watch {
            face: Watched::new(modal.face(), self.pictures),
            terms: Watched::new(modal.terms(), self.pictures),
            reader: Reader::default(),
            last_key: Millis(0),
        };
        self.lay(place, Lifted { modal, watch });
    }

    /// Takes a dialog out, to be changed and laid back.
    pub(in crate::app) fn lift(&mut self, place: usize) -> Option<Lifted> {
        (place < self.modals.len()).then(|| Lifted {
            modal: self.modals.remove(place),
            watch: self.watches.remove(place),
        })
    }

    /// Takes the one on top.
    pub(in crate::app) fn pop(&mut self) -> Option<Lifted> {
        self.lift(self.modals.len().checked_sub(1)?)
    }

    /// Lays back what was lifted.
    pub(in crate::app) fn lay(&mut self, place: usize, lifted: Lifted) {
        let place = place.min(self.modals.len());
        if place == self.modals.len() {
            self.dropped = None;
        }
        self.modals.insert(place, lifted.modal);
        self.watches.insert(place, lifted.watch);
    }

    /// Closes those that `keep` does not keep.
    pub(in crate::app) fn retain_mut(&mut self, mut keep: impl FnMut(&mut Modal) -> bool) {
        for place in (0..self.modals.len()).rev() {
            if !keep(&mut self.modals[place]) {
                self.lift(place);
            }
        }
    }

    /// Starts with none, another profile being open: reports that are under way are still counted.
    pub(in crate::app) fn emptied(self) -> Self {
        Self {
            pictures: self.pictures,
            answered: self.answered,
            reports: self.reports,
            is_answered_unasked: self.is_answered_unasked,
            ..Self::default()
        }
    }

    /// Notes what the dialog on top asks by now.
    pub(in crate::app) fn look_again(&mut self) {
        if let (Some(modal), Some(watch)) = (self.modals.last(), self.watches.last_mut()) {
            watch.face.become_(modal.face(), &mut self.pictures);
            watch.terms.become_(modal.terms(), &mut self.pictures);
        }
    }

    /// Notes what there is to read by now in the dialog on top. Gives the line that has to be in sight
    /// before it is read on.
    pub(in crate::app) fn read_on(&mut self, text: ToRead) -> usize {
        let watch = self.watches.last_mut();
        watch.map_or(usize::MAX, |watch| {
            watch.reader.look_at(text, &mut self.pictures)
        })
    }

    /// The number of the next picture, if something in it has to be seen before keys count for it.
    pub fn unseen(&self) -> Option<u64> {
        let watch = self.watches.last()?;
        let is_unseen = watch.face.sight == Sight::Unseen
            || watch.terms.sight == Sight::Unseen
            || watch.reader.is_unseen();
        (is_unseen && !self.is_text()).then_some(self.pictures)
    }

    /// Whether a status report behind the next picture is of use: not while an earlier one stays
    /// unanswered, as answers are told apart by their order alone.
    pub fn wants_report(&self, now: Millis) -> bool {
        let oldest = self.reports.front();
        !self.is_answered_unasked && oldest.is_none_or(|sent| now.since(*sent) < ANSWER)
    }

    /// When the last status report was sent that has no answer yet.
    pub fn report_owed(&self) -> Option<Millis> {
        self.reports.back().copied()
    }

    /// How many status reports have no answer yet.
    pub fn reports_owed(&self) -> usize {
        self.reports.len()
    }

    /// A picture was written, perhaps with a status report behind it.
    pub(in crate::app) fn shown(&mut self, picture: u64, asked: bool, at: Millis) {
        let report = asked.then(|| {
            self.reports.push_back(at);
            self.answered + self.reports.len() as u64
        });
        if let Some(watch) = self.watches.last_mut() {
            watch.face.written(picture, at, report);
            watch.terms.written(picture, at, report);
            watch.reader.written(picture, at, report);
        }
    }

    /// The terminal has answered a status report; or nobody had sent one, and none is sent any more.
    pub(in crate::app) fn status_came(&mut self) {
        if self.reports.pop_front().is_some() {
            self.answered += 1;
        } else {
            self.is_answered_unasked = true;
        }
    }

    /// Whether the dialog on top is a text to read, which asks nothing.
    fn is_text(&self) -> bool {
        matches!(self.modals.last(), Some(Modal::Reading(_)))
    }

    /// Whether what was read at `at` counts for the dialog on top; if so, with the proof of it.
    pub(in crate::app) fn seen(&mut self, at: Millis) -> Option<Seen> {
        self.look_again();
        let is_text = self.is_text();
        let watch = self.watches.last_mut()?;
        let is_seen = |sight: &mut Sight| sight.is_seen(at, watch.last_key, self.answered);
        let face = is_seen(&mut watch.face.sight);
        let terms = is_seen(&mut watch.terms.sight);
        let read = is_seen(&mut watch.reader.end);
        let terms = match (terms, watch.reader.read_from()) {
            (true, usize::MAX) if read => Ok(()),
            _ if watch.reader.is_beyond() => Err(Missed::Unread),
            _ => Err(Missed::Changed),
        };
        (face || is_text).then_some(Seen {
            terms,
            read_from: watch.reader.read_from(),
        })
    }

    /// Whether a key that was read at `at` counts for the dialog on top. One that doesn't is noted.
    pub(in crate::app) fn heed(&mut self, press: KeyPress, at: Millis) -> Option<Seen> {
        let seen = self.seen(at);
        if let Some(watch) = self.watches.last_mut() {
            watch.last_key = watch.last_key.max(at);
        }
        if seen.is_none() {
            self.drop_early(named(press.chord));
            return None;
        }
        let top = self.modals.last();
        let confirms = top.is_some_and(|modal| modal.confirms(press.chord));
        if confirms && press.company == Company::Behind {
            self.dropped = Some(Dropped::Together(named(press.chord)));
            return None;
        }
        self.dropped = None;
        seen
    }

    /// Notes something that was typed before the dialog was on the screen.
    pub(in crate::app) fn drop_early(&mut self, what: String) {
        let mut keys = match self.dropped.take() {
            Some(Dropped::TooEarly(keys)) => keys,
            _ => Vec::new(),
        };
        if keys.len() > NAMED {
            keys.remove(0);
        }
        keys.push(what);
        self.dropped = Some(Dropped::TooEarly(keys));
    }

    /// What did not count, last.
    pub fn dropped(&self) -> Option<&Dropped> {
        self.dropped.as_ref().filter(|_| !self.modals.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_told_in_whole_sentences_in_every_width() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        for dropped in [
            Dropped::Together("Enter".to_owned()),
            Dropped::Together("Ctrl-s".to_owned()),
            Dropped::TooEarly(keys(&["\"1\"", "Enter"])),
            Dropped::TooEarly(keys(&["\"p\"", "\"u\"", "\"r\"", "\"g\"", "Enter"])),
        ] {
            for columns in 18..100 {
                let told = dropped.told_in(columns);
                assert!(width::width(&told) <= columns, "{columns}: {told}");
                assert!(told.ends_with('.'), "{columns}: {told}");
            }
            assert_eq!(dropped.told_in(100), dropped.told());
        }
    }
}
