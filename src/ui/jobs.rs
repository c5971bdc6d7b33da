//! The list of jobs, and one of them in detail.

use ratatui::layout::Rect;

use super::detail::style_of;
use super::draw::Canvas;
use super::modal::{Owner, dialog};
use super::theme::Theme;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::jobs::{JobView, lines, pace, remark, tone, word};
use crate::app::modal::reading;
use crate::app::model::Model;
use crate::jobs::Job;
use crate::text::width::Align;
use crate::text::{number, width};

/// From this width on a row tells how far its job is.
const ROOMY: u16 = 60;

/// The fewest rows of a dialog.
const LEAST: usize = 8;

/// The cells of a bar.
const BAR: usize = 10;

/// Draws the list.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let jobs = &model.jobs;
    let at = frame(size, jobs.list.len());
    let inner = dialog(canvas, at, "Jobs", Owner::profile(model));
    if jobs.list.is_empty() {
        let text = "No jobs yet. Everything that changes the wiki becomes one.";
        let lines = reading::folded(text, usize::from(inner.width));
        canvas.lines(inner, lines.iter().map(|line| (line.as_str(), theme.dim)));
    }
    let height = usize::from(inner.height);
    let mut cursor = jobs.cursor;
    cursor.keep_in_view(jobs.list.len(), height);
    for (line, row) in cursor.window(jobs.list.len(), height).enumerate() {
        let Some(entered) = jobs.list.get(row) else {
            continue;
        };
        let job = &entered.job;
        let at = Rect {
            y: inner.y + u16::try_from(line).unwrap_or(0),
            height: 1,
            ..inner
        };
        let here = row == cursor.at;
        let caret = if here { theme.glyphs.caret } else { " " };
        canvas.text(at, caret, theme.caret);
        let rest = Rect {
            x: at.x + 2,
            width: at.width.saturating_sub(2),
            ..at
        };
        let title = if at.width < ROOMY {
            at.width.saturating_sub(14)
        } else {
            at.width * 2 / 5
        };
        let style = if here { theme.cursor } else { theme.text };
        let rest = canvas.column(rest, title, &job.head().title, Align::Left, style);
        let tell = Rect {
            x: rest.x + 1,
            width: rest.width.saturating_sub(12),
            ..rest
        };
        if at.width >= ROOMY {
            let room = usize::from(tell.width);
            canvas.text(tell, &progress(model, job, theme, room), theme.dim);
        }
        canvas.right(rest, word(entered), style_of(theme, tone(entered)));
    }
    if jobs.list.len() > height {
        let note = format!("{} of {}", cursor.at + 1, jobs.list.len());
        canvas.bottom_note(at, &note, theme.dim);
    }
}

/// As tall as what is in it, with a little room, so that it rarely changes while jobs go on.
fn frame(size: Size, rows: usize) -> Rect {
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let high = u16::try_from(rows.max(LEAST) + 2).unwrap_or(u16::MAX);
    centred(size, wide, high.min(size.height.saturating_sub(2)))
}

/// A bar while it goes on, how far it is, and what there is to say beside.
fn progress(model: &Model, job: &Job, theme: &Theme, room: usize) -> String {
    let progress = job.progress();
    let (done, total) = progress
        .saving
        .unwrap_or((progress.finished, progress.total));
    let mut parts = Vec::new();
    if room >= 50 && total > 0 && !job.state().is_over() {
        let full = (done * BAR / total).min(BAR);
        parts.push(format!(
            "{}{}",
            theme.glyphs.bar_done.repeat(full),
            theme.glyphs.bar_open.repeat(BAR - full)
        ));
    }
    parts.extend(pace(model, job));
    parts.extend(remark(job));
    width::clip(&parts.join("  "), room).into_owned()
}

/// Draws one job.
pub(super) fn draw_one(model: &Model, view: &JobView, canvas: &mut Canvas<'_>, size: Size) {
    let Some(job) = model.jobs.get(&view.job) else {
        return;
    };
    let head = job.head();
    let owner = Owner::captured(model, &head.target.profile, &head.target.host);
    let lines = lines(model, view, reading::width(size));
    let at = frame(size, lines.len());
    let inner = dialog(canvas, at, &head.title, owner);
    let theme = canvas.theme;
    let rows = usize::from(inner.height);
    let top = view.top.min(lines.len().saturating_sub(rows));
    for (ix, line) in lines.iter().skip(top).take(rows).enumerate() {
        let y = inner.y + u16::try_from(ix).unwrap_or(0);
        let pieces = line
            .iter()
            .map(|(tone, text)| (text.as_str(), style_of(theme, *tone)));
        canvas.pieces(
            Rect {
                y,
                height: 1,
                ..inner
            },
            pieces,
        );
    }
    let below = lines.len().saturating_sub(top + rows);
    if below > 0 {
        let note = format!("{} more, PgDn", number::count(below as u64, "line"));
        canvas.bottom_note(at, &note, theme.dim);
    }
}
