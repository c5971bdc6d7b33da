//! The list of jobs, and one of them in detail.

use ratatui::layout::Rect;

use super::canvas::{Canvas, style_of};
use super::dialog::{Owner, dialog};
use super::scroll;
use super::theme::Theme;
use crate::app::jobs::Journal;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::jobs::{JobView, Pace, lines, pace, remark, tone, word};
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
        let text = nothing_here(model);
        let lines = reading::folded(&text, usize::from(inner.width));
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
            let told = match &entered.elsewhere {
                Some(who) => fitting(
                    None,
                    Pace::default(),
                    Some(format!("in another window ({who})")),
                    room,
                ),
                None => progress(model, job, theme, room),
            };
            canvas.text(tell, &told, theme.dim);
        }
        canvas.right(rest, word(entered), style_of(theme, tone(entered)));
    }
    if jobs.list.len() > height {
        let note = format!(
            "{} of {}",
            number::grouped(cursor.at as u64 + 1),
            number::grouped(jobs.list.len() as u64)
        );
        canvas.bottom_note(at, &note, theme.dim);
    }
}

/// Why there is nothing in the list.
fn nothing_here(model: &Model) -> String {
    let jobs = &model.jobs;
    if let Some(why) = model.why_closed() {
        return format!("Jobs and journal are closed. {why}");
    }
    if let Journal::Closed(why) = &jobs.journal {
        return format!("It is not known which jobs there are. {why}");
    }
    if let Some(first) = jobs.aside.first() {
        let more = match jobs.aside.len() - 1 {
            0 => String::new(),
            more => format!(
                " {} more; {}",
                number::count(more as u64, "file"),
                model.spell("‹log› shows them.")
            ),
        };
        return format!("No other jobs. {first}{more}");
    }
    "No jobs yet. Everything that changes the wiki becomes one.".to_owned()
}

/// As tall as what is in it, with a little room, so that it rarely changes while jobs go on.
fn frame(size: Size, rows: usize) -> Rect {
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let high = u16::try_from(rows.max(LEAST) + 2).unwrap_or(u16::MAX);
    centred(size, wide, high)
}

/// A bar while it goes on, how far it is, and what there is to say beside.
fn progress(model: &Model, job: &Job, theme: &Theme, room: usize) -> String {
    let progress = job.progress();
    let (done, total) = progress
        .saving
        .unwrap_or((progress.finished, progress.total));
    let bar = (room >= 50 && total > 0 && !job.state().is_over()).then(|| {
        // With the share of what is at work: a deletion is one thing for all of its time.
        let full = (done * 100 + usize::from(progress.part)) * BAR / (total * 100);
        let full = full.min(BAR);
        format!(
            "{}{}",
            theme.glyphs.bar_done.repeat(full),
            theme.glyphs.bar_open.repeat(BAR - full)
        )
    });
    fitting(bar, pace(model, job), remark(job), room)
}

/// The fields of a row that there is room for, each of them whole, as a number without its last
/// digits is another number. Only a remark is shortened, which is prose.
fn fitting(bar: Option<String>, pace: Pace, remark: Option<String>, room: usize) -> String {
    let mut left = room;
    // A field, or what can stand for it in the columns that are left.
    let mut take = |field: Option<String>, less: fn(&str, usize) -> Option<String>| {
        let field = field?;
        let gap = if left == room { 0 } else { 2 };
        let beside = left.saturating_sub(gap);
        let text = if width::width(&field) <= beside {
            field
        } else {
            less(&field, beside)?
        };
        left -= gap + width::width(&text);
        Some(text)
    };
    let nothing: fn(&str, usize) -> Option<String> = |_, _| None;
    // In the order of their worth, which is not that in which they stand.
    let bar = take(bar, nothing);
    let count = take(pace.count, nothing);
    let remark = take(remark, shortened);
    let time = take(pace.time, nothing);
    let rate = take(pace.rate, nothing);
    let kept: Vec<String> = [bar, count, rate, time, remark]
        .into_iter()
        .flatten()
        .collect();
    kept.join("  ")
}

/// The first words of a text, two at least, none of them cut and no number at the end, whose unit
/// would be missing.
fn shortened(text: &str, room: usize) -> Option<String> {
    let mut end = 0;
    for (at, _) in text.match_indices(' ') {
        if width::width(&text[..at]) >= room {
            break;
        }
        end = at;
    }
    let mut kept = text[..end].trim_end();
    while kept.ends_with(|last: char| last.is_ascii_digit()) {
        kept = kept.rsplit_once(' ')?.0.trim_end();
    }
    kept.contains(' ')
        .then(|| format!("{kept}{}", width::ELLIPSIS))
}

/// Draws one job.
pub(super) fn draw_one(model: &Model, view: &JobView, canvas: &mut Canvas<'_>, size: Size) {
    let Some(job) = model.jobs.get(&view.job) else {
        return;
    };
    let head = job.head();
    let owner = Owner::captured(model, &head.target.profile, head.target.server.shown());
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
    scroll::note(canvas, at, (top, below), theme.dim);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(count: &str, rate: &str, time: &str, remark: &str, room: usize) -> String {
        let field = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let pace = Pace {
            count: field(count),
            rate: field(rate),
            time: field(time),
        };
        fitting(None, pace, field(remark), room)
    }

    #[test]
    fn fields_without_room_are_left_out_whole() {
        let saving = |room| {
            let count = "backing up 5,699 of 40,000";
            row(count, "8.0/s", "1 h 11 m left", "Saving", room)
        };
        assert_eq!(
            saving(80),
            "backing up 5,699 of 40,000  8.0/s  1 h 11 m left  Saving"
        );
        assert_eq!(
            saving(55),
            "backing up 5,699 of 40,000  1 h 11 m left  Saving"
        );
        assert_eq!(saving(34), "backing up 5,699 of 40,000  Saving");
        assert_eq!(saving(33), "backing up 5,699 of 40,000  8.0/s");
        assert_eq!(saving(32), "backing up 5,699 of 40,000");
        // What was started matters more than for how long.
        let deleting = |room| row("0 of 1", "", "12 s", "Deleting BOAT: 50 %", room);
        assert_eq!(deleting(32), "0 of 1  Deleting BOAT: 50 %");
        assert_eq!(deleting(26), "0 of 1  Deleting BOAT:…");
        assert_eq!(deleting(22), "0 of 1  12 s");
        assert_eq!(deleting(3), "");
    }

    #[test]
    fn a_remark_loses_whole_words_and_never_the_end_of_a_number() {
        let text = "Removing 12,345 pages of BOAT";
        assert_eq!(
            shortened(text, 28).as_deref(),
            Some("Removing 12,345 pages of…")
        );
        assert_eq!(shortened(text, 20).as_deref(), None);
        assert_eq!(shortened("backup 20261123T140211464", 20), None);
        assert_eq!(
            shortened("港の 船の 日誌", 10).as_deref(),
            Some("港の 船の…")
        );
    }
}
