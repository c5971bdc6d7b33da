//! The plan with its confirmation, a job's question, and "Leave?".

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog, warning_dialog};
use super::form::text_field;
use super::scroll;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::confirm::{At, Confirm, shape, title};
use crate::app::modal::leave::Leave;
use crate::app::modal::question::QuestionDialog;
use crate::app::model::Model;
use crate::text::width;

/// Draws the confirmation.
pub(super) fn draw(model: &Model, confirm: &Confirm, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let target = confirm.target();
    let shape = shape(model, confirm, size);
    let at = centred(size, shape.wide, shape.high);
    let owner = Owner::captured(model, &target.profile, target.server.shown());
    let title = title(model, target);
    let inner = if target.act.is_destructive() {
        warning_dialog(canvas, at, &title, owner)
    } else {
        dialog(canvas, at, &title, owner)
    };
    let row = |y: u16| Rect {
        y,
        height: 1,
        ..inner
    };
    let y = inner.y + u16::from(shape.airy);
    let lines = (shape.lines.as_slice(), shape.must, shape.rows, confirm.top);
    let mut y = scroll::draw(canvas, at, y, lines);
    y += u16::from(shape.airy);
    if confirm.wanted().is_some() {
        let mut used = 0;
        for line in &shape.prompt {
            used = canvas.text(row(y), line, theme.text);
            y += 1;
        }
        let line = row(if shape.below { y } else { y - 1 });
        let field = if shape.below {
            line
        } else {
            let leave = canvas.keys_right(line, &[("Esc", "cancel")], "");
            Rect {
                x: line.x + used + 2,
                width: line.width.saturating_sub(used + leave + 4),
                ..line
            }
        };
        text_field(canvas, field, &confirm.typed, confirm.at == At::Typed);
        y = line.y + 1;
    } else {
        let line = row(y);
        let button = |on: bool| if on { theme.cursor } else { theme.text };
        let mark = |on: bool| if on { theme.glyphs.caret } else { " " };
        let (cancel, confirm_on) = (confirm.at == At::Cancel, confirm.at == At::Confirm);
        let used = canvas.pieces(
            line,
            [
                (mark(cancel), theme.caret),
                (" Cancel ", button(cancel)),
                (" ", theme.text),
                (mark(confirm_on), theme.caret),
                (" Confirm ", button(confirm_on)),
            ],
        );
        let keys = [("y", "confirm"), ("Esc", "cancel")];
        let rest = Rect {
            x: line.x + used + 2,
            width: line.width.saturating_sub(used + 2),
            ..line
        };
        canvas.keys_right(rest, &keys, "   ");
        y += 1;
    }
    for line in &shape.problem {
        canvas.text(row(y), line, theme.danger);
        y += 1;
    }
}

/// Draws a job's question.
pub(super) fn draw_question(
    model: &Model,
    question: &QuestionDialog,
    canvas: &mut Canvas<'_>,
    size: Size,
) {
    let theme = canvas.theme;
    let shape = question.shape(size);
    let at = centred(size, shape.wide, shape.high);
    let owner = match model.jobs.get(&question.job) {
        Some(job) => {
            let target = &job.head().target;
            Owner::captured(model, &target.profile, target.server.shown())
        }
        None => Owner::server(model),
    };
    // Which job asks, where its name has room beside that of the profile.
    let mut title = format!("{} {} {}", question.title(), theme.glyphs.dot, question.of);
    if width::width(&title) + owner.columns() + 7 > usize::from(at.width) {
        question.title().clone_into(&mut title);
    }
    let inner = dialog(canvas, at, &title, owner);
    let row = |y: u16| Rect {
        y,
        height: 1,
        ..inner
    };
    let lines = (shape.lines.as_slice(), shape.must, shape.rows, question.top);
    let mut y = scroll::draw(canvas, at, inner.y, lines);
    for (ix, (letter, label)) in shape.choices.iter().enumerate() {
        let here = ix == question.chosen;
        for (line, text) in label.iter().enumerate() {
            let first = line == 0;
            let caret = if here && first {
                theme.glyphs.caret
            } else {
                " "
            };
            let letter = if first {
                letter.to_string()
            } else {
                " ".to_owned()
            };
            let style = if here { theme.cursor } else { theme.text };
            canvas.pieces(
                row(y),
                [
                    (caret, theme.caret),
                    (" ", theme.text),
                    (&*letter, theme.key),
                    ("  ", theme.text),
                    (text.as_str(), style),
                ],
            );
            y += 1;
        }
    }
}

/// Draws "Leave?".
pub(super) fn draw_leave(model: &Model, leave: &Leave, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let shape = leave.shape(&model.left_open(), size);
    let at = centred(size, shape.wide, shape.high);
    let inner = dialog(canvas, at, leave.what.title(), Owner::server(model));
    let y = inner.y + u16::from(shape.airy);
    scroll::draw(canvas, at, y, (&shape.lines, 0, shape.rows, leave.top));
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    let word = format!(" {}   ", leave.what.verb());
    canvas.pieces(
        foot,
        [
            ("y", theme.key),
            (&word, theme.key_word),
            ("Esc", theme.key),
            (" stay", theme.key_word),
        ],
    );
}
