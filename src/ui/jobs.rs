//! The list of jobs, and one of them in detail.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::Canvas;
use super::modal::dialog;
use super::theme::Theme;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::jobs::{JobView, word};
use crate::app::modal::reading;
use crate::app::model::Model;
use crate::jobs::{Job, JobState, Outcome};
use crate::text::width::Align;
use crate::text::{number, width};

/// Draws the list.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let at = centred(size, wide, size.height.saturating_sub(2));
    let inner = dialog(canvas, at, "Jobs", "");
    let jobs = &model.jobs;
    if jobs.list.is_empty() {
        canvas.lines(
            inner,
            [(
                "No jobs yet. Everything that changes the wiki becomes one.",
                theme.dim,
            )],
        );
    }
    for (line, row) in jobs
        .cursor
        .window(jobs.list.len(), usize::from(inner.height))
        .enumerate()
    {
        let Some(entered) = jobs.list.get(row) else {
            continue;
        };
        let job = &entered.job;
        let y = inner.y + u16::try_from(line).unwrap_or(0);
        let at = Rect {
            y,
            height: 1,
            ..inner
        };
        let here = row == jobs.cursor.at;
        let state = if entered.found && !job.state().is_over() {
            "left over"
        } else {
            word(job)
        };
        let caret = if here { theme.glyphs.caret } else { " " };
        canvas.text(at, caret, theme.caret);
        let rest = Rect {
            x: at.x + 2,
            width: at.width.saturating_sub(2),
            ..at
        };
        let title = if at.width < 60 {
            at.width.saturating_sub(14)
        } else {
            at.width * 2 / 5
        };
        let style = if here { theme.cursor } else { theme.text };
        let rest = canvas.column(rest, title, &job.head().title, Align::Left, style);
        let tell = Rect {
            x: rest.x + 1,
            width: rest.width.saturating_sub(13),
            ..rest
        };
        if at.width >= 60 {
            canvas.text(
                tell,
                &progress(model, job, theme, usize::from(tell.width)),
                theme.dim,
            );
        }
        canvas.right(rest, state, state_style(theme, job));
    }
    let note = "p pause  c cancel  r go on  Enter details  o plans  q close";
    canvas.bottom_note(at, note, theme.dim);
}

fn state_style(theme: &Theme, job: &Job) -> Style {
    match job.state() {
        JobState::Queued | JobState::Running | JobState::Cancelled => theme.text,
        JobState::Paused => theme.warning,
        JobState::Done => theme.good,
        JobState::Failed | JobState::Unknown => theme.danger,
    }
}

/// A bar, how many of how many, rate and time left; then what it is doing.
fn progress(model: &Model, job: &Job, theme: &Theme, room: usize) -> String {
    let progress = job.progress();
    let (done, total) = (progress.finished as u64, progress.total as u64);
    if job.state().is_over() {
        let mut text = format!("{} of {}", number::grouped(done), number::grouped(total));
        if let Some(why) = first_trouble(job) {
            text = format!("{text}  {why}");
        } else if let Some(backup) = job.backup() {
            text = format!("{text}  backup {backup}");
        }
        return text;
    }
    let mut parts = Vec::new();
    if room >= 50 && total > 0 {
        let cells: u64 = 10;
        let full = done * cells / total.max(1);
        let full = usize::try_from(full).unwrap_or(0);
        parts.push(format!(
            "{}{}",
            theme.glyphs.bar_done.repeat(full),
            theme.glyphs.bar_open.repeat(10 - full.min(10))
        ));
    }
    parts.push(format!(
        "{} of {}",
        number::grouped(done),
        number::grouped(total)
    ));
    if let Some(rate) = progress.per_second.filter(|rate| *rate >= 0.1) {
        parts.push(format!("{rate:.0}/s"));
    }
    if let Some(left) = progress.remaining_ms {
        parts.push(number::duration(Duration::from_millis(left)));
    } else if let Some(started) = progress.started_ms {
        parts.push(number::duration(Duration::from_millis(
            model.now.0.saturating_sub(started) / 1_000 * 1_000,
        )));
    }
    if !progress.message.is_empty() {
        parts.push(progress.message);
    }
    width::clip(&parts.join("  "), room).into_owned()
}

fn first_trouble(job: &Job) -> Option<String> {
    job.lines()
        .iter()
        .find_map(|line| match &line.outcome {
            Some(Outcome::Failed(why) | Outcome::Unknown(why) | Outcome::NotSaved(why)) => {
                Some(why.clone())
            }
            _ => None,
        })
        .or_else(|| job.halted().map(str::to_owned))
}

/// Draws one job.
pub(super) fn draw_one(model: &Model, view: &JobView, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let at = centred(size, wide, size.height.saturating_sub(2));
    let Some(job) = model.jobs.get(&view.job) else {
        return;
    };
    let head = job.head();
    let server = format!("{} · {}", head.target.profile, head.target.host);
    let inner = dialog(canvas, at, &head.title, &server);
    let mut lines: Vec<Vec<(String, Style)>> = Vec::new();
    let fact = |label: &str, value: String| {
        vec![
            (width::fit(label, 10, Align::Left).into_owned(), theme.dim),
            (value, theme.text),
        ]
    };
    lines.push(vec![
        (width::fit("state", 10, Align::Left).into_owned(), theme.dim),
        (word(job).to_owned(), state_style(theme, job)),
    ]);
    lines.push(fact("made", number::exact(head.created, &model.zone)));
    lines.push(fact(
        "progress",
        progress(
            model,
            job,
            theme,
            usize::from(inner.width).saturating_sub(10),
        ),
    ));
    if let Some(backup) = job.backup() {
        lines.push(fact("backup", backup.to_owned()));
    }
    if let Some(trouble) = job.trouble() {
        lines.push(vec![
            (width::fit("waits", 10, Align::Left).into_owned(), theme.dim),
            (trouble.to_owned(), theme.warning),
        ]);
    }
    lines.push(Vec::new());
    for line in job.lines() {
        let (word, why, style) = match &line.outcome {
            None => ("open", "", theme.dim),
            Some(Outcome::Done(note)) => ("done", note.as_deref().unwrap_or(""), theme.good),
            Some(Outcome::Gone) => ("gone", "It had vanished meanwhile.", theme.dim),
            Some(Outcome::Failed(why)) => ("failed", why.as_str(), theme.danger),
            Some(Outcome::Skipped(why)) => ("skipped", why.as_str(), theme.warning),
            Some(Outcome::Unknown(why)) => ("unknown", why.as_str(), theme.danger),
            Some(Outcome::NotSaved(why)) => ("not saved", why.as_str(), theme.danger),
        };
        lines.push(vec![
            (width::fit(word, 10, Align::Left).into_owned(), style),
            (format!("{} ", line.subject), theme.dim),
            (format!("{}  ", line.title), theme.text),
            (why.to_owned(), theme.dim),
        ]);
    }
    let rows = usize::from(inner.height);
    let top = view.top.min(lines.len().saturating_sub(rows));
    for (ix, line) in lines.iter().skip(top).take(rows).enumerate() {
        let y = inner.y + u16::try_from(ix).unwrap_or(0);
        canvas.pieces(
            Rect {
                y,
                height: 1,
                ..inner
            },
            line.iter().map(|(text, style)| (text.as_str(), *style)),
        );
    }
    canvas.bottom_note(at, "p pause  c cancel  r go on  q close", theme.dim);
}
