//! A job's question: what it can't decide by itself.

use serde::Serialize;

use super::stack::Seen;
use super::{Modal, Outcome, is_esc};
use crate::app::key::{Chord, Key};
use crate::app::layout::tallest_inside;
use crate::app::message::{Effect, LogLevel, Size};
use crate::app::modal::reading::{Line, Tone, folded};
use crate::app::model::Model;
use crate::jobs::{
    Act, Decision, Job, JobEvent, JobId, JobState, Question, SpaceForm, kinds_in_words,
};
use crate::text::{number, width};

/// So many items are named; of more, the number is told.
const NAMED: usize = 6;

/// So many more are listed at the end.
const LISTED: usize = 200;

/// What could not be had may be there by now.
const ONCE_MORE: &str = "Try once more to save them";

/// The dialog.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QuestionDialog {
    /// Whose question it is.
    pub job: JobId,
    /// What that job is called.
    pub of: String,
    /// What it does.
    pub act: Act,
    /// How many spaces it is about.
    pub spaces: usize,
    /// The question.
    pub question: Question,
    /// The line under the cursor.
    pub chosen: usize,
    /// Lines scrolled away.
    pub top: usize,
}

/// The text of the dialog and how it is laid out on a screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// What is asked.
    pub lines: Vec<Line>,
    /// How many of its lines have to be read before an answer that writes: the others are a list that
    /// they give the sum of.
    pub must: usize,
    /// How many of its lines are shown at once.
    pub rows: usize,
    /// The ways to answer: a letter, and what it means.
    pub choices: Vec<(char, Vec<String>)>,
    /// The width of the dialog with its borders.
    pub wide: u16,
    /// Its height with its borders.
    pub high: u16,
}

/// One way to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The letter that chooses it.
    pub letter: char,
    /// What it says.
    pub label: &'static str,
    /// What it answers.
    pub decision: Decision,
}

impl QuestionDialog {
    /// The dialog for what a job asks, if it asks; the cursor is on the harmless answer.
    pub fn of(job: &Job) -> Option<Self> {
        Some(Self {
            job: job.head().id.clone(),
            of: job.head().title.clone(),
            act: job.head().target.act,
            spaces: job.head().target.spaces.len(),
            question: job.question()?.clone(),
            chosen: 0,
            top: 0,
        })
    }

    /// The ways to answer, the harmless first.
    pub fn choices(&self) -> Vec<Choice> {
        let choice = |letter, label, decision| Choice {
            letter,
            label,
            decision,
        };
        match &self.question {
            Question::TitleCollision { .. } => {
                let again = match self.act {
                    Act::Recreate => "Make it and all like it under another title",
                    _ => "Restore it and all like it under another title",
                };
                vec![
                    choice('s', "Skip it and all like it", Decision::Skip),
                    choice('r', again, Decision::Rename),
                    choice('x', "Stop the job here", Decision::Stop),
                ]
            }
            Question::ServerBackup {
                changed,
                is_local,
                is_there,
                hangs,
                ..
            } => {
                let go_on = match (changed.is_empty(), is_local) {
                    (true, _) if *is_there => Some("Delete it all the same"),
                    (false, true) if *hangs => {
                        Some("Delete it: the files and comments among these may be in no backup")
                    }
                    (true, true) => Some("Delete it with the local backup alone"),
                    (true, false) => Some("Delete it without any backup"),
                    (false, true) => Some("Delete it: these are in the local backup alone"),
                    // What changed would be in no backup at all.
                    (false, false) => None,
                };
                let go_on = go_on.map(|label| choice('d', label, Decision::GoOn));
                let again = "Have the server write it out once more";
                let mut choices = self.leaving(None);
                choices.push(choice('a', again, Decision::Again));
                choices.extend(go_on);
                choices
            }
            Question::NotSaved { space: Some(_), .. } => {
                let mut choices = self.leaving(None);
                choices.push(choice('a', ONCE_MORE, Decision::Again));
                choices
            }
            Question::NotSaved { space: None, .. } => vec![
                choice('x', "Stop the job: nothing is purged", Decision::Stop),
                choice(
                    'l',
                    "Leave these on the server and go on with the others",
                    Decision::LeaveOut,
                ),
                choice('a', ONCE_MORE, Decision::Again),
            ],
            Question::Unlisted { .. } => {
                self.leaving(Some(choice('d', "Delete it all the same", Decision::GoOn)))
            }
            Question::CameLater { .. } if self.act == Act::PurgeAll => vec![
                choice('x', "Stop the job: nothing is purged", Decision::Stop),
                choice('p', "Purge these too", Decision::GoOn),
            ],
            Question::CameLater { .. } => self.leaving(Some(choice(
                'd',
                "Delete it with what came later",
                Decision::GoOn,
            ))),
            Question::Losses { space: Some(_), .. } => {
                let mut choices = self.leaving(None);
                choices.push(choice('a', ONCE_MORE, Decision::Again));
                choices.push(choice('d', "Delete it all the same", Decision::GoOn));
                choices
            }
            Question::Losses { space: None, .. } => vec![
                choice('x', "Stop the job: nothing is purged", Decision::Stop),
                choice(
                    'l',
                    "Leave these in the trash and purge the others",
                    Decision::LeaveOut,
                ),
                choice('a', ONCE_MORE, Decision::Again),
                choice('p', "Purge these all the same", Decision::GoOn),
            ],
            Question::SpaceChanged { mine, .. } => {
                let mut choices = vec![
                    choice('t', "Keep theirs: nothing is written", Decision::KeepTheirs),
                    choice('m', "Write mine over it", Decision::KeepMine),
                ];
                if let Some(merged) = self.merged()
                    && merged != *mine
                {
                    choices.push(choice(
                        'b',
                        "Write both: mine where I changed it, theirs elsewhere",
                        Decision::Merge(merged),
                    ));
                }
                choices
            }
        }
    }

    /// The ways to answer about a space that is to be deleted: one of many can be left alone.
    fn leaving(&self, go_on: Option<Choice>) -> Vec<Choice> {
        let stop = if self.spaces > 1 {
            "Stop the job: no more is deleted"
        } else {
            "Stop: it is not deleted"
        };
        let leave = Choice {
            letter: 'l',
            label: "Leave this space alone and go on with the others",
            decision: Decision::LeaveOut,
        };
        let stop = Choice {
            letter: 'x',
            label: stop,
            decision: Decision::Stop,
        };
        let leave = (self.spaces > 1).then_some(leave);
        [Some(stop), leave, go_on].into_iter().flatten().collect()
    }

    /// What the dialog is called.
    pub fn title(&self) -> &'static str {
        match self.question {
            Question::TitleCollision { .. } => "The title is taken",
            Question::ServerBackup { ref changed, .. } if !changed.is_empty() => {
                "Not in the server's backup"
            }
            Question::ServerBackup { is_there: true, .. } => "Not known to be in the backup",
            Question::ServerBackup { .. } => "No backup by the server",
            Question::NotSaved { .. } => "Not all could be backed up",
            Question::Unlisted { .. } => "Not all could be listed",
            Question::CameLater { .. } => "More than you agreed to",
            Question::Losses { .. } => "Not all would be kept",
            Question::SpaceChanged { .. } => "Changed meanwhile",
        }
    }

    /// Lays the dialog out: the ways to answer are always in sight, the text above them scrolls.
    pub fn shape(&self, size: Size) -> Shape {
        let wide = size.width.saturating_sub(2).min(82);
        let columns = usize::from(wide.saturating_sub(4)).max(1);
        let choices: Vec<(char, Vec<String>)> = self
            .choices()
            .into_iter()
            .map(|choice| {
                let label = folded(choice.label, columns.saturating_sub(5).max(10));
                (choice.letter, label)
            })
            .collect();
        let (lines, must) = self.lines(columns);
        let lines: Vec<Line> = lines.into_iter().map(|line| vec![line]).collect();
        let below: usize = choices.iter().map(|(_, label)| label.len()).sum();
        let room = tallest_inside(size).saturating_sub(below);
        let rows = lines.len().min(room);
        Shape {
            high: u16::try_from(rows + below + 2).unwrap_or(size.height),
            lines,
            must,
            rows,
            choices,
            wide,
        }
    }

    /// What is asked, and how many lines of it have to be read.
    fn lines(&self, columns: usize) -> (Vec<(Tone, String)>, usize) {
        let mut lines: Vec<(Tone, String)> = Vec::new();
        let mut rest: Vec<String> = Vec::new();
        let mut say = |tone: Tone, label: &str, text: &str| {
            let room = columns.saturating_sub(width::width(label)).max(10);
            for (ix, line) in folded(text, room).into_iter().enumerate() {
                let before = if ix == 0 {
                    label.to_owned()
                } else {
                    " ".repeat(width::width(label))
                };
                lines.push((tone, format!("{before}{line}")));
            }
        };
        match &self.question {
            Question::TitleCollision { title } => {
                let text =
                    format!("A current page or blog post has the title \"{title}\" already.");
                say(Tone::Plain, "", &text);
                say(Tone::Dim, "", "The answer is for the whole job.");
            }
            Question::ServerBackup {
                space,
                why,
                changed,
                ..
            } => {
                say(Tone::Plain, "", &format!("{space}: {why}"));
                for title in changed {
                    say(Tone::Plain, "  ", title);
                }
                let text = if self.spaces > 1 {
                    // Others of them may be gone already.
                    &format!("{space} has not been deleted.")
                } else {
                    "Nothing has been deleted."
                };
                say(Tone::Warning, "", text);
            }
            Question::NotSaved { space, items } => {
                let count = number::count(items.len() as u64, "item");
                let text = match space {
                    Some(key) => format!(
                        "{count} of {key} could not be backed up, so {key} was not deleted:"
                    ),
                    None => format!("{count} could not be backed up, so nothing was purged:"),
                };
                say(Tone::Warning, "", &text);
                let mut told = items
                    .iter()
                    .map(|item| format!("{}: {}", item.title, item.why));
                for line in told.by_ref().take(NAMED) {
                    say(Tone::Plain, "  ", &line);
                }
                let more = items.len().saturating_sub(NAMED);
                if more > 0 {
                    let more = number::count(more as u64, "item");
                    say(Tone::Dim, "  ", &format!("and {more} more, listed below"));
                }
                rest.extend(told.by_ref().take(LISTED));
                let beyond = told.count();
                if beyond > 0 {
                    let beyond = number::grouped(beyond as u64);
                    rest.push(format!("and {beyond} more, told with the job"));
                }
            }
            Question::Unlisted { space, kinds } => {
                let what = kinds_in_words(kinds);
                let text = format!(
                    "The server does not list the {what} in the trash of {space}. If there are any, \
                     they are in no backup, and they are gone when {space} is deleted."
                );
                say(Tone::Warning, "", &text);
                let text = "Everything else in it is saved, and it is not deleted yet.";
                say(Tone::Plain, "", text);
                say(Tone::Dim, "", "The answer is for the whole job.");
            }
            Question::CameLater {
                space,
                shown,
                found,
                items,
            } => {
                let place = match self.act {
                    Act::PurgeAll => format!("The trash of {space}"),
                    _ => space.to_string(),
                };
                let text = format!(
                    "{place} holds {} by now; you were shown {} when you agreed.",
                    number::count(*found, "item"),
                    number::grouped(*shown)
                );
                say(Tone::Warning, "", &text);
                for title in items {
                    say(Tone::Plain, "  ", title);
                }
                let more = found.saturating_sub(*shown + items.len() as u64);
                if more > 0 && !items.is_empty() {
                    say(Tone::Dim, "  ", &format!("and {more} more"));
                }
                let text = match self.act {
                    Act::PurgeAll => "Nothing is purged yet.",
                    _ => "It is not deleted yet.",
                };
                say(Tone::Plain, "", text);
            }
            Question::Losses {
                space,
                items,
                losses,
            } => {
                let lost = losses.told();
                let text = match space {
                    Some(key) => {
                        format!("{lost} What is in no backup would be gone with {key}.")
                    }
                    None => {
                        format!("{lost} What is in no backup would be gone with what is purged.")
                    }
                };
                say(Tone::Warning, "", &text);
                let text = match space {
                    Some(_) => "Everything else in it is saved, and it is not deleted yet.",
                    None => "The items themselves are saved, and nothing is purged yet.",
                };
                say(Tone::Plain, "", text);
                for item in items {
                    let title = &item.title;
                    say(
                        Tone::Plain,
                        "  ",
                        &format!("{title}: {}", item.losses.in_words()),
                    );
                    for named in &item.named {
                        say(Tone::Dim, "    ", named);
                    }
                }
                let more = losses.items.saturating_sub(items.len() as u64);
                if more > 0 {
                    say(Tone::Dim, "  ", &format!("and {more} more"));
                }
            }
            Question::SpaceChanged { base, mine, theirs } => {
                let text = "Somebody changed this space since the form was opened.";
                say(Tone::Warning, "", text);
                let plain = |text: &Option<String>| text.clone().unwrap_or_default();
                let page = |form: &SpaceForm| match (&form.homepage_title, &form.homepage) {
                    (Some(title), _) => title.clone(),
                    (None, Some(id)) => format!("page {id}"),
                    (None, None) => "none".to_owned(),
                };
                for (label, was, now, wanted) in [
                    (
                        "Name",
                        base.name.to_string(),
                        theirs.name.to_string(),
                        mine.name.to_string(),
                    ),
                    (
                        "Description",
                        plain(&base.description),
                        plain(&theirs.description),
                        plain(&mine.description),
                    ),
                    ("Homepage", page(base), page(theirs), page(mine)),
                ] {
                    if was == now && now == wanted {
                        continue;
                    }
                    say(Tone::Heading, "", label);
                    for (label, text) in [
                        ("  was     ", was),
                        ("  theirs  ", now),
                        ("  mine    ", wanted),
                    ] {
                        let text = if text.is_empty() { "(empty)" } else { &text };
                        for (ix, line) in text.lines().enumerate() {
                            let label = if ix == 0 { label } else { "          " };
                            say(Tone::Plain, label, line);
                        }
                    }
                }
            }
        }
        let must = lines.len();
        for text in rest {
            for (ix, line) in folded(&text, columns.saturating_sub(4).max(10))
                .into_iter()
                .enumerate()
            {
                let before = " ".repeat(if ix == 0 { 2 } else { 4 });
                lines.push((Tone::Plain, format!("{before}{line}")));
            }
        }
        lines.push((Tone::Plain, String::new()));
        (lines, must)
    }

    /// Mine where it differs from the base, theirs elsewhere.
    fn merged(&self) -> Option<SpaceForm> {
        let Question::SpaceChanged { base, mine, theirs } = &self.question else {
            return None;
        };
        let pick = |differs: bool| if differs { mine } else { theirs };
        let page = pick(mine.homepage != base.homepage);
        Some(SpaceForm {
            name: pick(mine.name != base.name).name.clone(),
            description: pick(mine.description != base.description)
                .description
                .clone(),
            homepage: page.homepage.clone(),
            homepage_title: page.homepage_title.clone(),
        })
    }
}

impl Model {
    pub(super) fn question_key(
        &mut self,
        dialog: &mut QuestionDialog,
        chord: Chord,
        seen: &Seen,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let choices = dialog.choices();
        let by_letter = chord
            .typed()
            .and_then(|c| choices.iter().position(|choice| choice.letter == c));
        let last = choices.len().saturating_sub(1);
        let shape = dialog.shape(self.size);
        let end = shape.lines.len().saturating_sub(shape.rows);
        match chord.key {
            Key::PageDown => {
                let top = (dialog.top + shape.rows.max(1)).min(end);
                // Whatever comes faster than the pictures leaves nothing out.
                dialog.top = top.min(seen.read_from());
                return Outcome::Stay;
            }
            Key::PageUp => {
                dialog.top = dialog.top.min(end).saturating_sub(shape.rows.max(1));
                return Outcome::Stay;
            }
            _ => {}
        }
        match (by_letter, chord.key) {
            // A letter alone decides nothing: it may have been meant for something else.
            (Some(ix), _) => {
                dialog.chosen = ix;
                return Outcome::Stay;
            }
            (None, Key::Up | Key::Char('k')) => {
                dialog.chosen = dialog.chosen.saturating_sub(1);
                return Outcome::Stay;
            }
            (None, Key::Down | Key::Char('j')) => {
                dialog.chosen = (dialog.chosen + 1).min(last);
                return Outcome::Stay;
            }
            (None, Key::Enter) => {}
            (None, _) if is_esc(chord) => {
                self.put_off(dialog, out);
                return Outcome::Close;
            }
            (None, Key::Char(_)) if !chord.ctrl => return Outcome::Stay,
            _ => return Outcome::NotMine,
        }
        if let Some(choice) = choices.into_iter().nth(dialog.chosen) {
            let job = dialog.job.clone();
            let ends = matches!(
                choice.decision,
                Decision::Stop | Decision::KeepTheirs | Decision::Skip
            );
            if let Some(reason) = self.why_read_only().filter(|_| !ends) {
                self.say(LogLevel::Warning, reason);
                return Outcome::Stay;
            }
            // What ends it needs no reading.
            let missed = seen.terms().err().filter(|_| !ends);
            if let Some(missed) = missed {
                self.say(LogLevel::Warning, missed.told());
                return Outcome::Stay;
            }
            self.decide_job(&job, choice.decision, out);
        }
        Outcome::Close
    }

    /// The question is left without an answer. A job of several things waits, and asks again from the
    /// list of jobs; a form gets what was typed back at once, for its job alone can't end the waiting.
    fn put_off(&mut self, dialog: &QuestionDialog, out: &mut Vec<Effect>) {
        let waits = |modal: &Modal| modal.saved_by() == Some(&dialog.job);
        let has_form = self.modals.iter().chain(&self.jobs.parked).any(waits);
        if !has_form || !matches!(dialog.question, Question::SpaceChanged { .. }) {
            return;
        }
        self.job_event(&dialog.job, JobEvent::Cancel, out);
    }

    /// Gives a job the answer; one of an earlier run then goes on.
    pub(in crate::app) fn decide_now(
        &mut self,
        job: &JobId,
        decision: Decision,
        out: &mut Vec<Effect>,
    ) {
        self.job_event(job, JobEvent::Decide(decision), out);
        // A job of an earlier run waits to be told to go on; the answer says that too.
        let waits = self
            .jobs
            .get(job)
            .filter(|job| job.state() == JobState::Paused && job.challenge().is_none())
            .is_some_and(|job| self.may_take_up(job) == Ok(Vec::new()));
        if waits && self.why_read_only().is_none() {
            self.resume_job(job, None, out);
        }
    }
}
