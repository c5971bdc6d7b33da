//! The list of jobs, and one of them in detail: what they show, and what their keys do.

use std::time::Duration;

use serde::Serialize;

use super::confirm::{Confirm, heading};
use super::question::QuestionDialog;
use super::reading::{Line, Tone, folded, height, width};
use super::{Modal, Outcome, is_esc};
use crate::app::jobs::Entered;
use crate::app::key::{Chord, Key};
use crate::app::list::Step;
use crate::app::message::{Effect, LogLevel};
use crate::app::model::Model;
use crate::jobs::{
    Act, Job, JobEvent, JobId, JobState, Outcome as Became, Progress, Thing, ToAgree,
};
use crate::text::number;
use crate::text::width::{Align, fit};

/// A job in detail.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobView {
    /// Which.
    pub job: JobId,
    /// The first line that is shown.
    pub top: usize,
}

impl Model {
    fn job_at_cursor(&self) -> Option<JobId> {
        let entered = self.jobs.at_cursor();
        entered.map(|entered| entered.job.head().id.clone())
    }

    pub(super) fn jobs_key(&mut self, chord: Chord, out: &mut Vec<Effect>) -> Outcome {
        let len = self.jobs.list.len();
        let rows = height(self.size);
        let step = match chord.key {
            Key::Up | Key::Char('k') => Some(Step::Up),
            Key::Down | Key::Char('j') => Some(Step::Down),
            Key::PageUp => Some(Step::PageUp),
            Key::PageDown => Some(Step::PageDown),
            Key::Home | Key::Char('g') => Some(Step::Top),
            Key::End | Key::Char('G') => Some(Step::Bottom),
            _ => None,
        };
        if let Some(step) = step.filter(|_| !chord.ctrl) {
            self.jobs.cursor.step(step, len, rows);
            return Outcome::Stay;
        }
        match chord.key {
            Key::Char('q' | 'J') if !chord.ctrl => return Outcome::Close,
            _ if is_esc(chord) => return Outcome::Close,
            Key::Char('o') if !chord.ctrl => {
                self.open_plans(out);
            }
            Key::Enter => {
                if let Some(job) = self.job_at_cursor() {
                    if self.asks(&job) {
                        self.take_up(&job, out);
                        return Outcome::Stay;
                    }
                    self.modals.push(Modal::Job(JobView { job, top: 0 }));
                }
            }
            _ => {
                if let Some(id) = self.job_at_cursor() {
                    return self.job_verb(&id, chord, out);
                }
            }
        }
        Outcome::Stay
    }

    pub(super) fn job_key(
        &mut self,
        view: &mut JobView,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let rows = height(self.size);
        let len = lines(self, view, width(self.size)).len();
        let last = len.saturating_sub(rows);
        // What it shows may have become shorter.
        view.top = view.top.min(last);
        match chord.key {
            Key::Up | Key::Char('k') => view.top = view.top.saturating_sub(1),
            Key::Down | Key::Char('j') => view.top = (view.top + 1).min(last),
            Key::PageUp => view.top = view.top.saturating_sub(rows),
            Key::PageDown => view.top = (view.top + rows).min(last),
            Key::Home | Key::Char('g') => view.top = 0,
            Key::End | Key::Char('G') => view.top = last,
            Key::Char('q') => return Outcome::Close,
            Key::Enter if self.asks(&view.job) => {
                self.take_up(&view.job.clone(), out);
            }
            _ if is_esc(chord) => return Outcome::Close,
            _ => {
                return self.job_verb(&view.job.clone(), chord, out);
            }
        }
        Outcome::Stay
    }

    fn asks(&self, id: &JobId) -> bool {
        self.jobs.get(id).is_some_and(asks)
    }

    /// The keys that mean something for the job that is looked at, and what.
    pub fn job_hints(&self) -> Vec<(&'static str, &'static str)> {
        let (entered, alone) = match self.modals.last() {
            Some(Modal::Job(view)) => (self.jobs.entered(&view.job), true),
            _ => (self.jobs.at_cursor(), false),
        };
        let mut hints = Vec::new();
        if let Some(entered) = entered {
            let is_here = self.may_take_up(&entered.job).is_ok();
            let asks = asks(&entered.job);
            if asks {
                if is_here {
                    hints.push(("Enter", "answer"));
                }
            } else if !alone {
                hints.push(("Enter", "details"));
            }
            match entered.job.state() {
                _ if entered.elsewhere.is_some() => hints.push(("r", "look again")),
                JobState::Queued => {
                    hints.push(("r", "try again"));
                    hints.push(("c", "leave it"));
                }
                JobState::Running => {
                    if !asks {
                        hints.push(("p", "pause"));
                    }
                    hints.push(("c", "cancel"));
                }
                JobState::Paused if !is_here => {}
                JobState::Paused => {
                    if !asks {
                        hints.push(("r", "go on"));
                    }
                    hints.push(("c", "cancel"));
                }
                JobState::Done | JobState::Failed | JobState::Cancelled | JobState::Unknown => {}
            }
        }
        if entered.is_some_and(|entered| self.can_save_rest(&entered.job)) {
            hints.push(("w", "save the rest as a plan"));
        }
        if !alone {
            hints.push(("o", "plans"));
        }
        hints.push(("q", "close"));
        hints
    }

    /// `p` pause or go on, `c` cancel, `r` take up again or answer what it asks.
    fn job_verb(&mut self, id: &JobId, chord: Chord, out: &mut Vec<Effect>) -> Outcome {
        let Some(job) = self.jobs.get(id) else {
            return Outcome::Stay;
        };
        let state = job.state();
        let is_verb = matches!(chord.key, Key::Char('p' | 'c' | 'r')) && !chord.ctrl;
        if is_verb && state.is_over() {
            self.say(LogLevel::Info, "This job has ended.");
            return Outcome::Stay;
        }
        if is_verb && self.is_elsewhere_at_work(id, out) {
            return Outcome::Stay;
        }
        let Some(job) = self.jobs.get(id) else {
            return Outcome::Stay;
        };
        let may = self.may_take_up(job);
        if is_verb && let Err(why) = &may {
            let why = why.clone();
            self.say(LogLevel::Warning, why);
            return Outcome::Stay;
        }
        let found = self.jobs.entered(id).is_some_and(|entered| entered.found);
        // Where it is not certain that it is of this server, nothing is asked of this one about it.
        let unsaid = |it: &ToAgree| matches!(it, ToAgree::AddressUnsaid { .. });
        let is_uncertain = may.is_ok_and(|to_agree| to_agree.iter().any(unsaid));
        match chord.key {
            // Another process may be at work on it.
            Key::Char('p' | 'c') if !chord.ctrl && found && self.why_read_only().is_some() => {
                let reason = self.why_read_only().unwrap_or_default();
                self.say(LogLevel::Warning, reason);
            }
            Key::Char('c') if !chord.ctrl && is_uncertain => {
                let why = "Its file names no address of a server, so it is not certain that it is \
                           of this one. Going on says more and asks you; it can be cancelled then.";
                self.say(LogLevel::Warning, why);
            }
            Key::Char('w') if !chord.ctrl => {
                let id = id.clone();
                return self.save_rest(&id, out);
            }
            Key::Char('p') if !chord.ctrl => match state {
                JobState::Running | JobState::Queued => {
                    self.job_event(&id.clone(), JobEvent::Pause, out);
                }
                _ => self.take_up(id, out),
            },
            Key::Char('c') if !chord.ctrl => self.cancel_job(&id.clone(), out),
            Key::Char('r') if !chord.ctrl => {
                if state == JobState::Queued {
                    let id = id.clone();
                    self.begin_at_turn(&id, out);
                    return Outcome::Stay;
                }
                if state == JobState::Paused || job.question().is_some() {
                    self.take_up(id, out);
                } else {
                    self.say(LogLevel::Info, "This job waits for nothing.");
                }
            }
            _ => return Outcome::NotMine,
        }
        Outcome::Stay
    }

    /// Goes on with a job, or opens over its list what has to be answered before.
    fn take_up(&mut self, id: &JobId, out: &mut Vec<Effect>) {
        let Some(job) = self.jobs.get(id) else {
            return;
        };
        let to_agree = match self.may_take_up(job) {
            Ok(to_agree) => to_agree,
            Err(why) => {
                self.say(LogLevel::Warning, why);
                return;
            }
        };
        let target = &job.head().target;
        let reads_only = matches!(target.act, Act::BackUp | Act::DryRun);
        if let Some(reason) = self.why_read_only().filter(|_| !reads_only) {
            self.say(LogLevel::Warning, reason);
            return;
        }
        if let Some(dialog) = QuestionDialog::of(job) {
            self.modals.push(Modal::Question(dialog));
            return;
        }
        let found = self.jobs.entered(id).is_some_and(|entered| entered.found);
        // Where nothing is left that could be destroyed, it only ends.
        let only_ends = target.act.is_destructive() && job.left() == 0;
        if job.challenge().is_none() && (!found || only_ends) && to_agree.is_empty() {
            self.resume_job(id, None, out);
            return;
        }
        // What can't be undone is agreed to anew in each run; what an earlier run left is shown
        // before it goes on.
        let dialog = Confirm::going_on(job, &to_agree, self.time(self.now));
        self.confirm(dialog, out);
    }
}

/// A job in a few words: what it is and how far it came.
pub fn told(job: &Job) -> String {
    let progress = job.progress();
    // While a backup is made, nothing of the job itself is done yet.
    let (done, total, what) = match progress.saving {
        Some((saved, total)) => (saved, total, "backed up"),
        None => (progress.finished, progress.total, "done"),
    };
    let sent = match (progress.saving, sent(&progress)) {
        (None, sent) if sent > 0 => format!(", {} more sent", number::grouped(sent as u64)),
        _ => String::new(),
    };
    format!(
        "{}, {} of {} {what}{sent}",
        heading(&job.head().target),
        number::grouped(done as u64),
        number::grouped(total as u64)
    )
}

/// How many of what is not finished are sent and not confirmed. Where the server tells how far the
/// thing at work is, that says more.
fn sent(progress: &Progress) -> usize {
    if progress.part > 0 { 0 } else { progress.sent }
}

/// Whether a job waits for an answer.
pub fn asks(job: &Job) -> bool {
    job.question().is_some() && !job.state().is_over()
}

/// Where a job stands, in a word or two.
pub fn word(entered: &Entered) -> &'static str {
    let job = &entered.job;
    match job.state() {
        _ if entered.elsewhere.is_some() => "elsewhere",
        JobState::Queued | JobState::Running | JobState::Paused if entered.found => "left over",
        _ if job.is_cancelling() => "stopping",
        _ if asks(job) => "asks you",
        JobState::Queued => "queued",
        JobState::Running => "running",
        JobState::Paused if job.trouble().is_some() => "waits",
        JobState::Paused => "paused",
        JobState::Done if is_all_left_out(job) => "left out",
        JobState::Done => "done",
        JobState::Failed if job.is_stopped() => "stopped",
        JobState::Failed => "failed",
        JobState::Cancelled => "cancelled",
        JobState::Unknown => "unknown",
    }
}

/// Whether a job has done nothing, on purpose. A dry run does what it is for.
fn is_all_left_out(job: &Job) -> bool {
    job.would().is_none() && job.outcomes().is_all_left_out()
}

/// The tone of [`word`].
pub fn tone(entered: &Entered) -> Tone {
    let job = &entered.job;
    match job.state() {
        _ if entered.elsewhere.is_some() => Tone::Plain,
        _ if asks(job) => Tone::Warning,
        JobState::Queued | JobState::Running | JobState::Cancelled => Tone::Plain,
        JobState::Paused => Tone::Warning,
        JobState::Done if is_all_left_out(job) => Tone::Warning,
        JobState::Done => Tone::Good,
        JobState::Failed if job.is_stopped() => Tone::Warning,
        JobState::Failed | JobState::Unknown => Tone::Danger,
    }
}

/// How far a job is, at what pace and for how long still; of one that is over, how far it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// "1,320 of 2,001", once it is known of how many.
    pub count: Option<String>,
    /// "38/s", where it goes that fast.
    pub rate: Option<String>,
    /// "18 s left", or for how long it goes on already.
    pub time: Option<String>,
}

impl Pace {
    /// What there is of it, in the order in which it is read.
    pub fn parts(self) -> impl Iterator<Item = String> {
        [self.count, self.rate, self.time].into_iter().flatten()
    }
}

/// The [`Pace`] of a job.
pub fn pace(model: &Model, job: &Job) -> Pace {
    let progress = job.progress();
    let of = |done: usize, total: usize| {
        format!(
            "{} of {}",
            number::grouped(done as u64),
            number::grouped(total as u64)
        )
    };
    let mut pace = Pace {
        count: match progress.saving {
            Some((saved, total)) if !job.state().is_over() => {
                Some(format!("backing up {}", of(saved, total)))
            }
            _ if job.state().is_over() && progress.total > 0 => {
                Some(job.outcomes().in_words(job.head().target.act))
            }
            _ if progress.total > 0 => Some(of(progress.finished, progress.total)),
            _ => None,
        },
        ..Pace::default()
    };
    if job.state() != JobState::Running {
        return pace;
    }
    pace.rate = match progress.per_second {
        Some(rate) if rate >= 1.0 => Some(format!("{}/s", number::grouped(rate.round() as u64))),
        Some(rate) if rate >= 0.1 => Some(format!("{rate:.1}/s")),
        _ => None,
    };
    if let Some(left) = progress.remaining_ms {
        let left = number::duration(Duration::from_millis(left / 1_000 * 1_000));
        pace.time = Some(format!("{left} left"));
    } else if let Some(started) = progress.started_ms {
        let spent = model.now.0.saturating_sub(started) / 1_000 * 1_000;
        if spent > 0 {
            pace.time = Some(number::duration(Duration::from_millis(spent)));
        }
    }
    pace
}

/// What there is to say of a job beside how far it is.
pub fn remark(job: &Job) -> Option<String> {
    let bad = |line: &crate::jobs::Line| match &line.outcome {
        Some(Became::Failed(why) | Became::Unknown(why) | Became::NotSaved(why)) => {
            Some(why.clone())
        }
        Some(Became::Skipped(why)) if is_all_left_out(job) => Some(why.clone()),
        _ => None,
    };
    if job.state().is_over() {
        let halted = || job.halted().map(str::to_owned);
        let named = || (0..job.lines().len()).flat_map(|line| job.backups_of(line));
        let backup = || match job.backup() {
            _ if named().nth(1).is_some() => {
                let backups = number::count(named().count() as u64, "backup");
                Some(format!("{backups}, named in its details"))
            }
            Some(backup) => Some(format!("backup {backup}")),
            None => job
                .has_declined_backup()
                .then(|| "Without a backup, which was declined.".to_owned()),
        };
        return job
            .lines()
            .iter()
            .find_map(bad)
            .or_else(halted)
            .or_else(backup);
    }
    if let Some(dialog) = QuestionDialog::of(job) {
        return Some(format!("{}.", dialog.title()));
    }
    Some(job.progress().message).filter(|message| !message.is_empty())
}

/// How far a job is, for the footer: what it does where that comes before the thing that it is about,
/// else how much of it is done. No percent goes down, and where nothing is known none is told.
pub fn standing(job: &Job) -> String {
    let of = |done: usize, total: usize| {
        let (done, total) = (number::grouped(done as u64), number::grouped(total as u64));
        format!("{done} of {total}")
    };
    match (job.part_of_it(), job.progress().saving) {
        (Some(part), Some((done, total))) if total > 0 => format!(", {part} {}", of(done, total)),
        (Some(part), _) => format!(", {part}"),
        (None, _) => match job.share() {
            Some(share) => format!(" {share} %"),
            None => String::new(),
        },
    }
}

/// The width of the labels of [`lines`].
const LABEL: usize = 10;

/// A job in detail, at this width: what is known of it, then its things and what became of each.
pub fn lines(model: &Model, view: &JobView, columns: usize) -> Vec<Line> {
    let Some(entered) = model.jobs.entered(&view.job) else {
        return Vec::new();
    };
    let job = &entered.job;
    let room = columns.saturating_sub(LABEL).max(10);
    let label = |text: &str| (Tone::Dim, fit(text, LABEL, Align::Left).into_owned());
    let mut lines: Vec<Line> = Vec::new();
    let mut fact = |name: &str, tone: Tone, text: &str| {
        for (ix, text) in folded(text, room).into_iter().enumerate() {
            lines.push(vec![label(if ix == 0 { name } else { "" }), (tone, text)]);
        }
    };
    fact("state", tone(entered), word(entered));
    let made = number::exact(job.head().created, &model.zone);
    fact("started", Tone::Plain, &made);
    let pace = pace(model, job).parts().collect::<Vec<_>>().join("  ");
    if !pace.is_empty() {
        fact("progress", Tone::Plain, &pace);
    }
    if let Some(who) = &entered.elsewhere {
        fact(
            "now",
            Tone::Plain,
            &format!("It runs in another window ({who}). r looks again."),
        );
    } else if let Some(what) = model.jobs.waits_for(job) {
        let text = format!("{what}. Try again once that is over, or leave it.");
        fact("waits", Tone::Warning, &text);
    } else if let Some(trouble) = job.trouble() {
        fact("waits", Tone::Warning, trouble);
    } else if let Some(why) = job.halted() {
        fact("ended", tone(entered), why);
    } else if asks(job) {
        let title = remark(job).unwrap_or_default();
        fact("asks", Tone::Warning, &format!("{title} Enter answers."));
    } else if entered.found && !job.state().is_over() {
        let text = model.why_not_here(job).unwrap_or_else(|| {
            "An earlier run left it unfinished. Nothing goes on by itself: r asks you first."
                .to_owned()
        });
        fact("waits", Tone::Warning, &text);
    } else if let Some(doing) = remark(job).filter(|_| !job.state().is_over()) {
        fact("now", Tone::Plain, &doing);
    }
    let is_of_one = job.lines().len() == 1;
    if is_of_one && job.backups_of(0).next().is_some() {
        for backup in job.backups_of(0) {
            fact("backup", Tone::Plain, backup);
        }
    } else if (0..job.lines().len()).any(|line| job.backups_of(line).next().is_some()) {
        // Each stands with its space.
    } else if let Some(backup) = job.backup() {
        fact("backup", Tone::Plain, backup);
    } else if job.has_declined_backup() {
        fact("backup", Tone::Warning, "None. It was declined.");
    }
    lines.push(Vec::new());
    for (ix, line) in job.lines().iter().enumerate() {
        let (word, tone, why) = match &line.outcome {
            None => ("waiting", Tone::Dim, None),
            // A dry run has done nothing to it.
            Some(Became::Done(note)) if job.would().is_some() => {
                ("looked at", Tone::Plain, note.as_deref())
            }
            Some(Became::Done(note)) => ("done", Tone::Good, note.as_deref()),
            Some(Became::Differs(how)) => ("differs", Tone::Warning, Some(how.as_str())),
            Some(Became::Stopped(why)) => ("stopped", Tone::Warning, Some(why.as_str())),
            Some(Became::Gone) => ("gone", Tone::Dim, Some("It had vanished meanwhile.")),
            Some(Became::Failed(why)) => ("failed", Tone::Danger, Some(why.as_str())),
            Some(Became::WithPage) => ("with page", Tone::Good, Some("Went with its page.")),
            Some(Became::Skipped(why)) => ("left out", Tone::Warning, Some(why.as_str())),
            // Why is said once, above.
            Some(Became::NotTried(_)) => ("not tried", Tone::Dim, None),
            Some(Became::Unknown(why)) => ("unknown", Tone::Danger, Some(why.as_str())),
            Some(Became::NotSaved(why)) => ("not saved", Tone::Danger, Some(why.as_str())),
        };
        let name = match line.thing {
            Thing::Space if !line.title.is_empty() && line.title != line.subject => {
                format!("{} · {}", line.subject, line.title)
            }
            Thing::Space | Thing::Content => line.name().to_owned(),
        };
        let word = fit(word, LABEL, Align::Left).into_owned();
        lines.push(vec![(tone, word), (Tone::Plain, name)]);
        for text in why.map(|why| folded(why, room)).unwrap_or_default() {
            lines.push(vec![label(""), (Tone::Dim, text)]);
        }
        for backup in job.backups_of(ix).filter(|_| !is_of_one) {
            for text in folded(&format!("backup {backup}"), room) {
                lines.push(vec![label(""), (Tone::Dim, text)]);
            }
        }
    }
    lines
}
