//! The plan with its confirmation, a job's question, and "Leave?".

use ratatui::layout::Rect;

use super::detail::style_of;
use super::draw::{Canvas, margin};
use super::form::text_field;
use super::modal::{Owner, dialog, warning_dialog};
use crate::app::layout::{centred, inside};
use crate::app::message::Size;
use crate::app::modal::confirm::{At, Confirm, shape, title};
use crate::app::modal::leave::Leaving;
use crate::app::modal::question::QuestionDialog;
use crate::app::modal::reading::Line;
use crate::app::model::Model;
use crate::text::{number, width};

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
    let mut y = scrolled(
        canvas,
        at,
        y,
        (&shape.lines, shape.must, shape.rows, confirm.top),
    );
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

/// Draws from row `y` on as many of the dialog's lines as have room, from the `top`th on; the bottom
/// border says when there are more. Gives the row after them.
fn scrolled(
    canvas: &mut Canvas<'_>,
    dialog: Rect,
    mut y: u16,
    (lines, must, rows, top): (&[Line], usize, usize, usize),
) -> u16 {
    let theme = canvas.theme;
    let inner = margin(inside(dialog));
    let top = top.min(lines.len().saturating_sub(rows));
    for line in lines.iter().skip(top).take(rows) {
        let row = Rect {
            y,
            height: 1,
            ..inner
        };
        let pieces = line
            .iter()
            .map(|(tone, text)| (text.as_str(), style_of(theme, *tone)));
        canvas.pieces(row, pieces);
        y += 1;
    }
    let below = lines.len().saturating_sub(top + rows);
    if rows < lines.len() {
        let unread = must.saturating_sub(top + rows);
        let note = if unread > 0 {
            let unread = number::grouped(unread as u64);
            format!("{unread} unread, PgDn")
        } else if below > 0 {
            format!("{} more, PgDn", number::count(below as u64, "line"))
        } else {
            "PgUp".to_owned()
        };
        canvas.bottom_note(dialog, &note, theme.warning);
    }
    y
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
    let mut y = scrolled(
        canvas,
        at,
        inner.y,
        (&shape.lines, shape.must, shape.rows, question.top),
    );
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
pub(super) fn draw_leave(model: &Model, leaving: &Leaving, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(4).min(64);
    let columns = usize::from(wide.saturating_sub(4));
    let rows = usize::from(size.height.saturating_sub(5));
    let lines = leaving.text(&model.left_open(), columns, rows);
    let at = centred(size, wide, u16::try_from(lines.len()).unwrap_or(4) + 5);
    let inner = dialog(canvas, at, leaving.title(), Owner::server(model));
    let room = inner.height.saturating_sub(3);
    for (line, y) in lines.iter().take(usize::from(room)).zip(inner.y + 1..) {
        canvas.text(
            Rect {
                y,
                height: 1,
                ..inner
            },
            line,
            theme.text,
        );
    }
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    let word = format!(" {}   ", leaving.verb());
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
