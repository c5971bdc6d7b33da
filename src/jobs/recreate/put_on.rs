//! Comments and attached files put back on pages that were made again.
//!
//! A page comes first, with its text, what keeps it from others and its labels. What hung on it follows: a
//! comment after the one that it answers, a file once the disk has shown that it is what was saved. What
//! goes onto a page that is kept from others needs a look at that page just before, as its text did, and
//! another one after. After a lost answer the page is asked what is on it: nothing is put there twice.

use serde::{Deserialize, Serialize};

use super::{Recreate, TRIES, is_ours};
use crate::confluence::call::Window;
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, LocalFile, Page, Remark, Reply,
};
use crate::jobs::ancestry;
use crate::jobs::backup::ANOTHER_COPY;
use crate::jobs::comparison::Comparison;
use crate::jobs::desk::{Again, Desk, Fate, Settled, is_not_there, unexpected};
use crate::jobs::effect::{JobWrite, StoreError, Stored};
use crate::jobs::guard::{MayHoldText, Need};
use crate::jobs::line::Outcome;
use crate::jobs::listing::may_hang;
use crate::jobs::step::Step;
use crate::text::number;

/// How often it is looked whether a page is kept from others.
const LOOKS: u8 = 3;
/// So much of what is on a page is asked for at once.
const ROWS: u64 = 100;

/// How far something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    #[default]
    Begin,
    /// Is its file what was saved?
    Check,
    /// Is the page kept from others?
    Verify,
    /// And what that hangs below?
    VerifyAbove,
    Send,
    /// What has become of it?
    Look,
}

/// A comment or a file that is put back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct PutOn {
    pub(super) stage: Stage,
    made: Option<ContentId>,
    tries: u8,
    looks: u8,
    /// From which row on the page is asked what is on it.
    start: u64,
    /// Whether the server would not have it in its place in the text.
    at_foot: bool,
    /// Whether it is there, and only the page is looked at once more.
    is_there: bool,
    /// Whether the comment that it answers is not there.
    is_alone: bool,
    /// What is there, compared with what the backup holds.
    #[serde(default)]
    comparison: Comparison,
    #[serde(skip)]
    asked_disk: bool,
}

impl PutOn {
    /// It was loaded from a file: what was asked is asked again.
    pub(super) fn reopened(&mut self) {
        self.looks = 0;
        self.start = 0;
        self.stage = match self.stage {
            Stage::Begin | Stage::Check => Stage::Begin,
            Stage::Verify | Stage::VerifyAbove | Stage::Send => Stage::Verify,
            Stage::Look => Stage::Look,
        };
    }

    /// Whether a write about it is not settled, or it is not shown that others are kept out.
    pub(super) fn is_begun(&self) -> bool {
        self.stage == Stage::Look || self.is_there
    }
}

impl Recreate {
    /// Whether an item hangs on another.
    pub(super) fn hangs(&self, item: u32) -> bool {
        may_hang(&self.item(item).kind)
    }

    fn put(&mut self, item: u32) -> &mut PutOn {
        self.put_on.entry(item).or_default()
    }

    fn at(&self, item: u32) -> PutOn {
        self.put_on.get(&item).cloned().unwrap_or_default()
    }

    /// The item that something hangs on.
    fn holder(&self, item: u32) -> Option<u32> {
        let container = &self.item(item).container.as_ref()?.id;
        let mut items = self.recipe.items.iter().zip(0..);
        let found = items.find(|((_, it), _)| it.id == *container && !may_hang(&it.kind));
        found.map(|(_, at)| at)
    }

    /// The page that something goes onto, once that is made; else why it does not.
    fn page(&self, desk: &Desk, item: u32) -> Result<(u32, ContentId), &'static str> {
        let Some(holder) = self.holder(item) else {
            return Err("What it hung on is not among what is made again.");
        };
        let line = desk.lines().get(holder as usize);
        let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done(_) | Outcome::Differs(_));
        let is_done = line.is_some_and(|line| line.outcome.as_ref().is_some_and(is_done));
        match &self.things[holder as usize].made {
            Some(made) if is_done => Ok((holder, made.clone())),
            _ => Err("What it hung on was not made again."),
        }
    }

    /// The comment that one answers, as the backup names it.
    fn answered(&self, item: u32) -> Option<&ContentId> {
        let above = self.item(item).ancestors.as_ref()?.last()?;
        Some(&above.id)
    }

    /// The same as it is now; `None` also where it was not made again.
    fn parent(&self, item: u32) -> Option<ContentId> {
        let above = self.answered(item)?;
        let mut items = self.recipe.items.iter().zip(0..);
        let (_, at) = items.find(|((_, it), _)| it.id == *above)?;
        self.put_on.get(&at)?.made.clone()
    }

    /// Asks for what comes next about a comment or a file. Whether there is something else to do at once.
    pub(super) fn go_on_with(&mut self, desk: &mut Desk, item: u32) -> bool {
        let (holder, page) = match self.page(desk, item) {
            Ok(page) => page,
            Err(why) => {
                self.has_no_page(desk, item, why);
                return true;
            }
        };
        match self.at(item).stage {
            Stage::Begin => return self.begin(desk, item),
            Stage::Check => {}
            Stage::Verify => return self.verify(desk, item, holder),
            Stage::VerifyAbove => {
                let above = match self.need(holder) {
                    Need::Kept(kept) => self.guardian(&kept),
                    Need::Open | Need::Left(_) => None,
                };
                match above {
                    Some((id, _)) if self.shown.is_some() => {
                        desk.read(item, Step::Check, ancestry::look(id));
                    }
                    _ => {
                        self.put(item).stage = Stage::Verify;
                        return true;
                    }
                }
            }
            Stage::Send if !self.has_what_is_sent(desk, item) => {}
            Stage::Send => match self.take_proof(desk, holder) {
                Some(proof) => self.send(desk, item, page, proof),
                None => {
                    self.put(item).stage = Stage::Verify;
                    return true;
                }
            },
            Stage::Look if !self.can_look(desk, item) => {}
            Stage::Look => desk.read(item, Step::Settle, self.look_for(item, page)),
        }
        false
    }

    /// There is no page for it. What was sent to one before, in an earlier run, may be there.
    fn has_no_page(&mut self, desk: &mut Desk, item: u32, why: &str) {
        let step = self.step(item);
        if desk.is_in_doubt(item, step) {
            let why = format!("{}. {why} Look at that page.", desk.heard(item, step));
            self.end_unknown(desk, item, why);
            return;
        }
        let put = self.at(item);
        let outcome = match put.made.filter(|_| put.is_there) {
            None => Outcome::Skipped(why.to_owned()),
            Some(made) => Outcome::Failed(format!(
                "It is back, with the id {made}; what became of the page that it is on is told there."
            )),
        };
        desk.close(item, outcome);
    }

    /// Ends what was sent and could not be looked at. On a page that has to be kept from others it is not
    /// seen either whether it still is: servers drop restrictions when something is put on one.
    fn end_unknown(&mut self, desk: &mut Desk, item: u32, mut why: String) {
        let holder = self.holder(item);
        if holder.is_some_and(|holder| self.need(holder) != Need::Open) {
            why.push_str(
                " Nor was it seen whether that page is still kept from others: look at its restrictions.",
            );
        }
        desk.settle(item, self.step(item), Settled::Unknown(&why));
        desk.close(item, Outcome::Unknown(why));
    }

    /// Whether the text of a comment is at hand; of a file nothing is needed.
    fn has_what_is_sent(&mut self, desk: &mut Desk, item: u32) -> bool {
        self.step(item) == Step::Attach || self.has_texts(desk, item)
    }

    /// Whether what was sent can be looked for: by its id or its name, else by its text.
    fn can_look(&mut self, desk: &mut Desk, item: u32) -> bool {
        let is_lost = self
            .unreadable
            .contains(&self.recipe.items[item as usize].0);
        (is_lost && self.at(item).made.is_some()) || self.has_what_is_sent(desk, item)
    }

    /// The texts in this file of the backup cannot be read any more: what became of comments that can be
    /// told by their text alone is not learned.
    pub(super) fn texts_are_gone(&mut self, desk: &mut Desk, file: &str, why: &str) {
        self.unreadable.insert(file.to_owned());
        let is_lost = |item: &u32| {
            let put = self.at(*item);
            self.recipe.items[*item as usize].0 == file
                && self.hangs(*item)
                && self.step(*item) == Step::Comment
                && put.stage == Stage::Look
                && put.made.is_none()
        };
        let lost: Vec<u32> = desk.open().filter(is_lost).collect();
        for item in lost {
            let why = format!(
                "{}, and its text, by which it is known on the page, cannot be read any more. {why} Look at the page.",
                desk.heard(item, Step::Comment)
            );
            self.end_unknown(desk, item, why);
        }
    }

    fn begin(&mut self, desk: &mut Desk, item: u32) -> bool {
        if self.item(item).kind == ContentKind::Attachment {
            let Some(entry) = self.recipe.file_of(self.item(item)).cloned() else {
                let why = "The backup has no file for it.".to_owned();
                desk.close(item, Outcome::Skipped(why));
                return true;
            };
            let backup = self.recipe.backup.clone();
            let put = self.put(item);
            put.stage = Stage::Check;
            if !std::mem::replace(&mut put.asked_disk, true) {
                desk.store(JobWrite::CheckFile {
                    backup,
                    file: entry,
                });
            }
            return false;
        }
        if !self.has_texts(desk, item) {
            return false;
        }
        if self.text(item).is_none() {
            let why = "The backup has no text for it.".to_owned();
            desk.close(item, Outcome::Skipped(why));
        } else {
            self.put(item).stage = Stage::Verify;
        }
        true
    }

    /// The disk has looked at the file of an attachment.
    pub(super) fn file_checked(
        &mut self,
        desk: &mut Desk,
        name: &str,
        answer: Result<Stored, StoreError>,
    ) {
        let is_its = |item: &u32| {
            let file = self.item(*item).file.as_ref();
            file.is_some_and(|file| file.name == name) && self.at(*item).stage == Stage::Check
        };
        let Some(item) = desk.open().find(is_its) else {
            return;
        };
        match answer {
            Ok(_) => self.put(item).stage = Stage::Verify,
            Err(problem) => {
                let why = format!("{} {ANOTHER_COPY}", problem.message);
                desk.close(item, Outcome::Failed(why));
            }
        }
    }

    /// Sees that the page is kept from others, if it has to be.
    fn verify(&mut self, desk: &mut Desk, item: u32, holder: u32) -> bool {
        if self.need(holder) == Need::Open {
            self.shown_kept(desk, item, holder, None);
            return true;
        }
        let at = desk.at() + u64::from(self.at(item).looks) * 1_000;
        desk.read_at(item, Step::Check, self.look(holder), at);
        false
    }

    /// The page was read, or what it hangs below.
    fn verified(&mut self, desk: &mut Desk, item: u32, holder: u32, now: &Content) {
        let Need::Kept(kept) = self.need(holder) else {
            self.shown_kept(desk, item, holder, None);
            return;
        };
        let guardian = self.guardian(&kept);
        if self.at(item).stage == Stage::VerifyAbove {
            let set = guardian.and_then(|(_, kept)| kept);
            let set = set.as_ref().map(|kept| kept.set.as_slice());
            let shown = self.shown.take().filter(|(of, _)| *of == holder);
            let names = self.user.names();
            let proof = shown.and_then(|(_, it)| it.below(now, set, &names, desk.at()));
            match proof {
                Some(proof) => self.shown_kept(desk, item, holder, Some(proof)),
                None => self.not_shown(desk, item),
            }
            return;
        }
        if kept.below.is_some() && guardian.is_none() {
            self.not_shown(desk, item);
            return;
        }
        let guardian = guardian.as_ref().map(|(id, _)| id);
        match kept.shown_by(now, guardian, &self.user.names()) {
            Err(_) => self.not_shown(desk, item),
            Ok(shown) => match shown.alone(&kept, desk.at()) {
                Ok(proof) => self.shown_kept(desk, item, holder, Some(proof)),
                Err(shown) => {
                    self.shown = Some((holder, shown));
                    self.put(item).stage = Stage::VerifyAbove;
                }
            },
        }
    }

    fn shown_kept(&mut self, desk: &mut Desk, item: u32, holder: u32, proof: Option<MayHoldText>) {
        self.put(item).looks = 0;
        if self.at(item).is_there {
            self.put_back(desk, item);
            return;
        }
        self.proof = proof.map(|proof| (holder, proof));
        self.put(item).stage = Stage::Send;
    }

    /// The page is not shown to be kept from others.
    fn not_shown(&mut self, desk: &mut Desk, item: u32) {
        let put = self.put(item);
        put.looks += 1;
        put.stage = Stage::Verify;
        if put.looks < LOOKS {
            return;
        }
        let why = if put.is_there {
            "It is back, and the page that it is on is not shown to be kept from others any more: restrict that page or delete it now."
        } else {
            "The page that it goes onto is not shown to be kept from others, so it was not put back."
        };
        self.settle_there(desk, item);
        desk.close(item, Outcome::Failed(why.to_owned()));
    }

    fn step(&self, item: u32) -> Step {
        match self.item(item).kind {
            ContentKind::Attachment => Step::Attach,
            _ => Step::Comment,
        }
    }

    fn send(&mut self, desk: &mut Desk, item: u32, page: ContentId, proof: MayHoldText) {
        let it = self.item(item);
        let call = if let (ContentKind::Attachment, Some(file)) = (&it.kind, &it.file) {
            let from = LocalFile {
                backup: self.recipe.backup.clone(),
                name: file.name.clone(),
            };
            let (media_type, note) = (file.media_type.clone(), file.comment.clone());
            proof.attach(page, it.title.clone(), from, media_type, note)
        } else {
            let Some(storage) = self.comment_text(item) else {
                return;
            };
            let parent = self.parent(item);
            let is_answer = self.answered(item).is_some();
            let remark = it.remark.clone().filter(|_| !self.at(item).at_foot);
            // An answer stands where the comment does that it answers.
            let remark = remark.filter(|it| it.marker.is_some() && !is_answer);
            self.put(item).is_alone = is_answer && parent.is_none();
            let kind = self.holder(item).map(|at| self.item(at).kind.clone());
            let kind = kind.unwrap_or(ContentKind::Page);
            proof.comment(page, kind, parent, remark, storage)
        };
        // Should this not go out, the page is looked at again.
        self.put(item).stage = Stage::Verify;
        desk.write(item, self.step(item), call, "not there");
    }

    /// A comment comes back as that of whoever puts it back: it says whose it was.
    fn comment_text(&self, item: u32) -> Option<String> {
        let text = self.text(item)?;
        let it = self.item(item);
        let by = it.created_by.as_ref().map(|by| by.display_name.as_str());
        let by = by.filter(|name| !name.is_empty()).unwrap_or("somebody");
        let when = it.created.map(|when| when.0.strftime("%Y-%m-%d %H:%M UTC"));
        let when = when.map_or_else(String::new, |when| format!(", {when}"));
        let by = by
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        Some(format!("<p><em>{by}{when}:</em></p>{text}"))
    }

    /// Asks what has become of it: by its id, else among what is on the page.
    fn look_for(&self, item: u32, page: ContentId) -> Call {
        let put = self.at(item);
        let window = Window {
            start: put.start,
            limit: ROWS,
        };
        let expand = "body.storage,version,history,container".to_owned();
        match (self.step(item), put.made) {
            (Step::Comment, Some(id)) => Call::Content {
                id,
                status: None,
                expand,
            },
            (Step::Comment, None) => Call::Comments {
                id: page,
                expand,
                window,
            },
            _ => Call::Attachments {
                id: page,
                expand: "version,history".to_owned(),
                window,
            },
        }
    }

    /// A read about a comment or a file was answered.
    pub(super) fn read_of(
        &mut self,
        desk: &mut Desk,
        item: u32,
        step: Step,
        answer: Result<Reply, ApiError>,
    ) {
        let Some(holder) = self.holder(item) else {
            return;
        };
        match (step, answer) {
            (Step::Check, Ok(Reply::Content(now))) => self.verified(desk, item, holder, &now),
            (Step::Check, _) => self.not_shown(desk, item),
            (_, Ok(Reply::Content(now))) => self.found(desk, item, &now),
            (_, Ok(Reply::Contents(rows))) => self.looked_through(desk, item, rows),
            (_, Err(error)) if is_not_there(&error) => self.not_there(desk, item),
            (step, Err(error)) if self.is_told_as_done(desk, item) && step != Step::Check => {
                let put = self.put(item);
                put.comparison = Comparison::unread(&error.message);
                put.stage = Stage::Verify;
            }
            (_, other) => {
                let error = other.err().unwrap_or_else(unexpected);
                let why = desk.unconfirmed(item, self.step(item), &error);
                self.end_unknown(desk, item, why);
            }
        }
    }

    /// A page of what is on the page.
    fn looked_through(&mut self, desk: &mut Desk, item: u32, rows: Page<Content>) {
        let sent = rows.results.len() as u64;
        let wanted = self.comment_text(item);
        let made = self.at(item).made;
        let is_other = |id: &ContentId| {
            let mut others = self.put_on.iter().filter(|(other, _)| **other != item);
            others.any(|(_, other)| other.made.as_ref() == Some(id))
        };
        let is_it = |row: &&Content| match self.item(item).kind {
            ContentKind::Attachment => row.title == self.item(item).title,
            _ => {
                let more = row.more.as_deref();
                let there = more.and_then(|more| more.body_storage.as_ref());
                made.as_ref()
                    .map_or(there.is_some() && there == wanted.as_ref(), |made| {
                        row.id == *made
                    })
                    && !is_other(&row.id)
            }
        };
        let found = rows.results.iter().find(is_it).cloned();
        match found {
            Some(found) => self.found(desk, item, &found),
            None if rows.has_next && sent > 0 => self.put(item).start += sent,
            None => self.not_there(desk, item),
        }
    }

    /// It is on the page, as the server tells of it.
    fn found(&mut self, desk: &mut Desk, item: u32, now: &Content) {
        let step = self.step(item);
        let more = now.more.as_deref();
        self.put(item).start = 0;
        let comparison = self.comparison(item, now);
        if matches!(comparison, Comparison::Differs(_)) {
            if desk.looks_again(item, step) {
                return;
            }
            // Of one that nobody answered for, it may be somebody else's.
            let is_known = desk.is_accepted(item, step) || is_ours(now, &self.user);
            if step == Step::Attach && !is_known {
                let there = more.and_then(|more| more.file_size).unwrap_or_default();
                let why = format!(
                    "{}, and a file of this name is on the page that has {}: look at it there.",
                    desk.heard(item, step),
                    number::bytes(there)
                );
                self.end_unknown(desk, item, why);
                return;
            }
        }
        let put = self.put(item);
        put.comparison = comparison;
        put.made = Some(now.id.clone());
        put.is_there = true;
        put.stage = Stage::Verify;
        if let Some(remark) = more.and_then(|more| more.remark.as_deref()) {
            self.stands(item, remark);
        }
    }

    /// A comment or a file on the page, compared with what was sent.
    fn comparison(&self, item: u32, now: &Content) -> Comparison {
        let more = now.more.as_deref();
        if self.step(item) == Step::Attach {
            let sent = self
                .recipe
                .file_of(self.item(item))
                .map_or(0, |file| file.bytes);
            return Comparison::of_file(sent, more.and_then(|more| more.file_size));
        }
        let there = more.and_then(|more| more.body_storage.as_deref());
        Comparison::of_text(self.comment_text(item).as_deref(), there)
    }

    /// Where a comment stands by now.
    fn stands(&mut self, item: u32, now: &Remark) {
        let was = self.item(item).remark.clone().unwrap_or_default();
        let is_at_foot = now.location.as_deref() == Some("footer");
        let had_a_place = was.marker.is_some() && self.answered(item).is_none();
        self.put(item).at_foot |= is_at_foot && had_a_place;
    }

    /// Whether the journal says that it was put back.
    fn is_told_as_done(&self, desk: &Desk, item: u32) -> bool {
        self.at(item).is_there && !desk.is_in_doubt(item, self.step(item))
    }

    fn not_there(&mut self, desk: &mut Desk, item: u32) {
        let step = self.step(item);
        self.put(item).start = 0;
        if self.is_told_as_done(desk, item) {
            let why = "It was put back, and is not on the page any more: look at that page.";
            desk.close(item, Outcome::Unknown(why.to_owned()));
            return;
        }
        if desk.looks_again(item, step) {
            return;
        }
        let was_stopped = desk.is_broken_off(item, step);
        let (why, again) = desk.not_applied(item, step, "it is not on the page");
        let put = self.put(item);
        put.tries += 1;
        put.made = None;
        put.stage = Stage::Verify;
        if was_stopped {
            desk.close(item, Outcome::Stopped(why));
        } else if again == Again::No || put.tries >= TRIES {
            desk.close(item, Outcome::Failed(why));
        }
    }

    /// Ends its write: it is on the page.
    fn settle_there(&mut self, desk: &mut Desk, item: u32) {
        let put = self.at(item);
        if let (true, Some(made)) = (put.is_there, &put.made) {
            desk.settle(item, self.step(item), put.comparison.made(made));
        }
    }

    /// It is back, and whoever must not see it does not.
    fn put_back(&mut self, desk: &mut Desk, item: u32) {
        self.settle_there(desk, item);
        let put = self.at(item);
        let mut note = match &put.made {
            Some(made) => format!("Its new id is {made}."),
            None => String::new(),
        };
        if put.at_foot {
            note.push_str(
                " The server did not take its place in the text, so it stands at the foot of the page.",
            );
        }
        if put.is_alone {
            note.push_str(" The comment that it answered is not back, so it stands by itself.");
        }
        desk.close(item, put.comparison.outcome(&note));
        // What answers it has to find it again, also after a kill.
        desk.checkpoint();
    }

    /// It is known how a write about a comment or a file went, or that this is not known.
    pub(super) fn wrote_of(&mut self, desk: &mut Desk, item: u32, fate: Fate) {
        let step = self.step(item);
        match fate {
            Fate::Accepted { made, .. } => {
                let put = self.put(item);
                put.made = made.map(ContentId::new);
                put.stage = Stage::Look;
            }
            Fate::Applied { made } => {
                let put = self.put(item);
                put.made = made.map(ContentId::new);
                put.is_there = true;
                // The journal says so. What was seen of it may not have been stored.
                put.stage = Stage::Look;
            }
            Fate::InDoubt(_) => self.put(item).stage = Stage::Look,
            Fate::NeverKnown(why) => self.end_unknown(desk, item, why),
            Fate::NotApplied(_) => self.put(item).stage = Stage::Verify,
            Fate::Refused(error) => {
                let had_a_place = self
                    .item(item)
                    .remark
                    .as_ref()
                    .is_some_and(|it| it.marker.is_some());
                let put = self.put(item);
                put.stage = Stage::Verify;
                if step == Step::Comment && had_a_place && !put.at_foot {
                    put.at_foot = true;
                } else {
                    desk.close(item, Outcome::Failed(error.message));
                }
            }
        }
    }
}
