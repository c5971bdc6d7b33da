//! The list of plans that can be applied.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog};
use crate::app::layout::{centred, tallest};
use crate::app::message::Size;
use crate::app::modal::plans::{Plans, line, rows};
use crate::app::modal::reading::{self, Tone};
use crate::app::model::Model;
use crate::jobs::Job;
use crate::text::width::Align;
use crate::text::{number, width};

/// From this width on servers have a column.
const WIDE: u16 = 70;

/// Draws the list.
pub(super) fn draw(model: &Model, plans: &Plans, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let at = centred(size, wide, tallest(size));
    let inner = dialog(canvas, at, "Plans", Owner::server(model));
    if let Some(check) = &plans.check {
        let read = number::count(check.now.len() as u64, "item");
        let text = format!("Reading the trash, to hold the plan against it: {read} so far.");
        canvas.lines(inner, [(text.as_str(), theme.dim)]);
        canvas.bottom_note(at, "Esc stop", theme.dim);
        return;
    }
    if let Some(again) = &plans.again {
        let job = again.job.as_ref().and_then(|id| model.jobs.get(id));
        let progress = job.map(Job::progress);
        let (read, doing) = progress.map_or((0, String::new()), |it| (it.finished, it.message));
        let read = number::count(read as u64, "item");
        let text = format!(
            "Reading the backup and the server, to hold the plan against them: {read} so far."
        );
        canvas.lines(inner, [(text.as_str(), theme.dim), (&doing, theme.dim)]);
        canvas.bottom_note(at, "Esc stop", theme.dim);
        return;
    }
    match (&plans.files, &plans.problem) {
        (_, Some(problem)) => canvas.lines(inner, [(problem.as_str(), theme.danger)]),
        (None, None) => canvas.lines(inner, [("Reading the plans.", theme.dim)]),
        (Some(files), None) if files.is_empty() => {
            let text = [
                (Tone::Dim, "No plans yet. In the confirmation of an act, "),
                (Tone::Key, "w"),
                (Tone::Dim, " writes its plan to a file."),
            ];
            canvas.sentence(inner, &text);
        }
        (Some(files), None) => {
            let host = if inner.width < WIDE {
                0
            } else {
                inner.width / 4
            };
            let draw = |canvas: &mut Canvas<'_>, row: usize, cells: [(&str, Style); 3]| {
                let line = Rect {
                    x: inner.x + 2,
                    y: inner.y + u16::try_from(row).unwrap_or(0),
                    width: inner.width.saturating_sub(2),
                    height: 1,
                };
                let [made, what, server] = cells;
                let rest = canvas.column(line, 12, made.0, Align::Left, made.1);
                let what_wide = rest.width.saturating_sub(host);
                // A name that is cut does not touch the server beside it.
                let gap = 2.min(host).min(what_wide);
                let rest = canvas.column(rest, what_wide - gap, what.0, Align::Left, what.1);
                let rest = canvas.column(rest, gap, "", Align::Left, what.1);
                canvas.column(rest, host, server.0, Align::Left, server.1);
            };
            let head = ["WRITTEN", "PLAN", "SERVER"].map(|word| (word, theme.table_head));
            draw(canvas, 0, head);
            let wide = usize::from(inner.width.saturating_sub(3));
            let broken = plans.broken().map(|text| reading::folded(&text, wide));
            let broken = broken.unwrap_or_default();
            let room = rows(model.size).saturating_sub(broken.len()).max(1);
            let below = Rect {
                x: inner.x + 2,
                y: inner.y + 1 + u16::try_from(room).unwrap_or(u16::MAX).min(inner.height),
                width: inner.width.saturating_sub(3),
                height: u16::try_from(broken.len()).unwrap_or(0),
            };
            let told = broken.iter().map(|line| (line.as_str(), theme.danger));
            canvas.lines(below.intersection(inner), told);
            let mut cursor = plans.cursor;
            cursor.keep_in_view(files.len(), room);
            let window = cursor.window(files.len(), room);
            for (row, ix) in window.enumerate() {
                let Some(file) = files.get(ix) else { continue };
                let here = ix == plans.cursor.at;
                if here {
                    let caret = Rect {
                        y: inner.y + 1 + u16::try_from(row).unwrap_or(0),
                        height: 1,
                        ..inner
                    };
                    canvas.text(caret, theme.glyphs.caret, theme.caret);
                }
                let style = match (here, &file.plan) {
                    (true, _) => theme.cursor,
                    (false, Ok(_)) => theme.text,
                    (false, Err(_)) => theme.danger,
                };
                let (made, server) = match &file.plan {
                    Ok(plan) => (
                        number::date(plan.created, &model.zone),
                        plan.target.server.shown(),
                    ),
                    Err(_) => (String::new(), ""),
                };
                // What is wrong with a file stands below the list in full.
                let what = match &file.plan {
                    Ok(_) => line(file),
                    Err(_) => {
                        let room = inner.width.saturating_sub(16).saturating_sub(host);
                        width::clauses(&line(file), usize::from(room)).into_owned()
                    }
                };
                let cells = [
                    (made.as_str(), theme.dim),
                    (&what, style),
                    (server, theme.dim),
                ];
                draw(canvas, row + 1, cells);
            }
            let name = files.get(plans.cursor.at).map(|file| file.name.as_str());
            let mut note = name.unwrap_or_default().to_owned();
            if files.len() > rows(model.size) {
                note.push_str(&format!(" · {} of {}", plans.cursor.at + 1, files.len()));
            }
            canvas.bottom_note(at, &note, theme.dim);
        }
    }
}
