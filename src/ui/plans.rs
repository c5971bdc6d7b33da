//! The list of plans that can be applied.

use ratatui::layout::Rect;

use super::draw::Canvas;
use super::modal::{Owner, dialog};
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::plans::{Plans, line};
use crate::app::modal::reading;
use crate::app::model::Model;
use crate::text::number;
use crate::text::width::Align;

/// Draws the list.
pub(super) fn draw(model: &Model, plans: &Plans, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let at = centred(size, wide, size.height.saturating_sub(2));
    let inner = dialog(canvas, at, "Plans", Owner::server(model));
    if let Some(check) = &plans.check {
        let read = number::count(check.now.len() as u64, "item");
        let text = format!("Reading the trash, to hold the plan against it: {read} so far.");
        canvas.lines(inner, [(text.as_str(), theme.dim)]);
        canvas.bottom_note(at, "Esc stop", theme.dim);
        return;
    }
    match (&plans.files, &plans.problem) {
        (_, Some(problem)) => canvas.lines(inner, [(problem.as_str(), theme.danger)]),
        (None, None) => canvas.lines(inner, [("Reading the plans.", theme.dim)]),
        (Some(files), None) if files.is_empty() => {
            let text = "No plans yet. In the confirmation of an act, w writes its plan to a file.";
            canvas.lines(inner, [(text, theme.dim)]);
        }
        (Some(files), None) => {
            let window = plans.cursor.window(files.len(), usize::from(inner.height));
            for (row, ix) in window.enumerate() {
                let Some(file) = files.get(ix) else { continue };
                let y = inner.y + u16::try_from(row).unwrap_or(0);
                let here = ix == plans.cursor.at;
                let caret = if here { theme.glyphs.caret } else { " " };
                let text = Rect {
                    y,
                    height: 1,
                    ..inner
                };
                canvas.text(text, caret, theme.caret);
                let text = Rect {
                    x: text.x + 2,
                    width: text.width.saturating_sub(2),
                    ..text
                };
                let style = if here { theme.cursor } else { theme.text };
                let columns = text.width.saturating_sub(20);
                let rest = canvas.column(text, columns, &line(file), Align::Left, style);
                if let Ok(plan) = &file.plan {
                    canvas.right(rest, &number::date(plan.created, &model.zone), theme.dim);
                }
            }
        }
    }
    canvas.bottom_note(at, "Enter apply  q close", theme.dim);
}
