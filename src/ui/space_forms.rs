//! The forms for a new space and for one that is changed.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog};
use super::form;
use crate::app::layout::{centred, tallest, tallest_inside};
use crate::app::message::Size;
use crate::app::modal::edit_space::{EditSpaceForm, Mark, PICKER_ROWS, PagePicker, Stage};
use crate::app::modal::new_space::NewSpaceForm;
use crate::app::modal::reading::folded;
use crate::app::model::Model;
use crate::jobs::{Job, JobId};
use crate::text::{number, width};

/// What concerns no field: the form's own problem, or what its job waits for.
fn concern(model: &Model, problem: Option<&str>, job: Option<&JobId>) -> String {
    let job = job.and_then(|id| model.jobs.get(id));
    if let Some(what) = job.and_then(|job| model.jobs.waits_for(job)) {
        return model.spell(&format!(
            "{what}, so nothing was sent. Esc leaves the form; then ‹jobs› has the keys to try again or to cancel it."
        ));
    }
    let trouble = job.and_then(Job::trouble);
    match trouble.or(problem) {
        Some(text) => text.to_owned(),
        // For how long it waits before it asks again, and why.
        None => job.map(|job| job.progress().message).unwrap_or_default(),
    }
}

/// What a form says of its job, in place of keys.
fn at_work<'a>(model: &Model, job: &JobId, doing: &'a str) -> [(&'static str, &'a str); 1] {
    let job = model.jobs.get(job);
    let waits = job.is_some_and(|job| model.jobs.waits_for(job).is_some());
    [("", if waits { "Waiting." } else { doing })]
}

/// A dialog of the height that a form wants, with a line for what concerns no field and one for keys.
pub(super) fn framed(
    canvas: &mut Canvas<'_>,
    size: Size,
    title: &str,
    owner: Owner<'_>,
    rows: u16,
    foot: &[(&str, &str)],
    problem: &str,
) -> Rect {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(2).min(82);
    let problems = folded(problem, usize::from(wide.saturating_sub(6)));
    let problem_rows = if problem.is_empty() {
        0
    } else {
        // The keys and a row of the form stay in the smallest window.
        let most = tallest_inside(size).saturating_sub(2);
        u16::try_from(problems.len().min(most)).unwrap_or(1)
    };
    let at = centred(size, wide, rows + problem_rows + 5);
    // Where the form is taller than the screen, it is closer to the border.
    let airy = u16::from(at.height >= rows + problem_rows + 5);
    let inner = dialog(canvas, at, title, owner);
    let line = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    // The footer names them too; what does not fit is left to it.
    let fewer = foot.split_last().map_or(foot, |(_, others)| others);
    for (keys, gap) in [(foot, "    "), (foot, "  "), (fewer, "  ")] {
        if canvas.keys_right(line, keys, gap) > 0 {
            break;
        }
    }
    for (ix, text) in problems.iter().enumerate().take(usize::from(problem_rows)) {
        let y = line.y.saturating_sub(problem_rows) + u16::try_from(ix).unwrap_or(0);
        canvas.text(Rect { y, ..line }, text, theme.danger);
    }
    Rect {
        y: inner.y + airy,
        height: inner.height.saturating_sub(1 + 2 * airy + problem_rows),
        ..inner
    }
}

/// Draws the form for a new space.
pub(super) fn draw_new(model: &Model, new: &NewSpaceForm, canvas: &mut Canvas<'_>, size: Size) {
    let wide = size.width.saturating_sub(6).min(78);
    let problem = concern(model, new.problem.as_deref(), new.job.as_ref());
    let foot: &[(&str, &str)] = if let Some(job) = &new.job {
        &at_work(model, job, "Making the space …")
    } else {
        &[("Ctrl-s", "create"), ("Ctrl-e", "editor"), ("Esc", "leave")]
    };
    let body = framed(
        canvas,
        size,
        "New space",
        Owner::server(model),
        form::height(&new.form, wide),
        foot,
        &problem,
    );
    form::draw(&new.form, canvas, body);
    if new.job.is_some() {
        canvas.cursor = None;
    }
}

/// Draws the form for a space that is changed.
pub(super) fn draw_edit(model: &Model, edit: &EditSpaceForm, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let title = format!("Edit {}", edit.key);
    let wide = size.width.saturating_sub(6).min(78);
    let problem = concern(model, edit.problem.as_deref(), edit.job.as_ref());
    let problem = problem.as_str();
    match &edit.stage {
        Stage::Reading => {
            let body = framed(
                canvas,
                size,
                &title,
                Owner::server(model),
                3,
                &[("Esc", "leave")],
                "",
            );
            canvas.text(body, &format!("Reading {}.", edit.key), theme.dim);
        }
        Stage::Failed(error) => {
            let body = framed(
                canvas,
                size,
                &title,
                Owner::server(model),
                4,
                &[("r", "try again"), ("Esc", "leave")],
                "",
            );
            let hint = error.hint();
            canvas.lines(
                body,
                [
                    (error.message.as_str(), theme.danger),
                    (hint.as_str(), theme.text),
                ],
            );
        }
        Stage::Form => {
            let foot: &[(&str, &str)] = if let Some(job) = &edit.job {
                &at_work(model, job, "Saving …")
            } else {
                &[("Ctrl-s", "save"), ("Ctrl-e", "editor"), ("Esc", "leave")]
            };
            let body = framed(
                canvas,
                size,
                &title,
                Owner::server(model),
                form::height(&edit.form, wide),
                foot,
                problem,
            );
            form::draw(&edit.form, canvas, body);
        }
        Stage::Picking(picker) => draw_picker(model, picker, canvas, size, &title),
        Stage::Diff { .. } => {
            let view = edit.diff_view(size);
            let foot: &[(&str, &str)] = if let Some(job) = &edit.job {
                &at_work(model, job, "Saving …")
            } else {
                &[("y", "save"), ("Esc", "back to the form")]
            };
            let rows = u16::try_from(view.lines.len())
                .unwrap_or(u16::MAX)
                .min(tallest(size));
            let body = framed(
                canvas,
                size,
                &format!("Save {}", edit.key),
                Owner::server(model),
                rows,
                foot,
                problem,
            );
            if view.rows < view.lines.len() {
                let below = view.lines.len().saturating_sub(view.from + view.rows);
                let note = if below > 0 {
                    format!("{} unread, PgDn", number::grouped(below as u64))
                } else {
                    "PgUp".to_owned()
                };
                // Such a dialog is as tall as can be.
                let at = centred(size, size.width.saturating_sub(2).min(82), tallest(size));
                canvas.bottom_note(at, &note, theme.warning);
            }
            for (ix, (mark, text)) in view
                .lines
                .iter()
                .skip(view.from)
                .take(view.rows)
                .enumerate()
            {
                let y = body.y + u16::try_from(ix).unwrap_or(0);
                let style = match mark {
                    Mark::Label | Mark::Same => theme.dim,
                    Mark::Removed => theme.removed,
                    Mark::Added => theme.added,
                    Mark::Warning => theme.warning,
                };
                canvas.text(
                    Rect {
                        y,
                        height: 1,
                        ..body
                    },
                    text,
                    style,
                );
            }
        }
    }
}

fn draw_picker(
    model: &Model,
    picker: &PagePicker,
    canvas: &mut Canvas<'_>,
    size: Size,
    title: &str,
) {
    let theme = canvas.theme;
    let rows = u16::try_from(PICKER_ROWS).unwrap_or(10) + 2;
    let foot = [("Enter", "pick"), ("Esc", "back to the form")];
    let problem = picker
        .error
        .as_ref()
        .map(|error| format!("The pages could not be read on: {error}"))
        .unwrap_or_default();
    let body = framed(
        canvas,
        size,
        &format!("{title} · homepage"),
        Owner::server(model),
        rows,
        &foot,
        &problem,
    );
    let line = Rect { height: 1, ..body };
    let used = canvas.text(line, "Search  ", theme.accent);
    form::text_field(
        canvas,
        Rect {
            x: line.x + used,
            width: line.width.saturating_sub(used + 18),
            ..line
        },
        &picker.search,
        true,
    );
    canvas.right(line, &picker.count(), theme.dim);
    let list = Rect {
        y: body.y + 2,
        height: body.height.saturating_sub(2),
        ..body
    };
    if picker.view.is_empty() {
        let text = if picker.pager.is_done() {
            "No page matches."
        } else {
            "Reading the pages."
        };
        canvas.text(list, text, theme.dim);
    }
    for (line, row) in picker
        .cursor
        .window(picker.view.len(), usize::from(list.height))
        .enumerate()
    {
        let Some((_, title)) = picker
            .view
            .get(row)
            .and_then(|ix| picker.pages.get(*ix as usize))
        else {
            continue;
        };
        let here = row == picker.cursor.at;
        let y = list.y + u16::try_from(line).unwrap_or(0);
        let caret = if here { theme.glyphs.caret } else { " " };
        let style = if here { theme.cursor } else { theme.text };
        let title = width::clip(title, usize::from(list.width.saturating_sub(2)));
        canvas.pieces(
            Rect {
                y,
                height: 1,
                ..list
            },
            [(caret, theme.caret), (" ", theme.text), (&*title, style)],
        );
    }
}
