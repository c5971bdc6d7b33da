//! The command palette.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog};
use crate::app::message::Size;
use crate::app::modal::palette::{Palette, area, rows};
use crate::app::model::Model;
use crate::text::filter::Filter;
use crate::text::index::positions;
use crate::text::width::{self, Align};

/// From this width on a command that can't run says why in its own row.
const ROOMY: u16 = 60;

/// Draws the palette: the search, the commands, and what the chosen one does.
pub(super) fn draw(model: &Model, palette: &Palette, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let shown = rows(size);
    let at = area(size);
    let inner = dialog(canvas, at, "Commands", Owner::profile(model));
    let line = |y: u16| Rect {
        y: inner.y + y,
        height: 1,
        ..inner
    };
    let text = palette.field.text();
    canvas.pieces(line(0), [(": ", theme.key), (&text, theme.field_focus)]);
    let typed: String = text.chars().take(palette.field.cursor().1).collect();
    let column = u16::try_from(2 + width::width(&typed)).unwrap_or(inner.width);
    canvas.cursor = Some((inner.x + column.min(inner.width), inner.y));
    if palette.found.is_empty() {
        canvas.text(line(1), "No command has such a name.", theme.dim);
        return;
    }
    let filter = Filter::parse(&text, &[]).unwrap_or_default();
    let window = palette.cursor.window(palette.found.len(), shown);
    for (row, (ix, action)) in window
        .clone()
        .zip(&palette.found[window.clone()])
        .enumerate()
    {
        let verb = action.verb();
        let reason = model.why_not(&palette.here, *action);
        let here = ix == palette.cursor.at;
        let style = match (&reason, here) {
            (Some(_), _) => theme.disabled,
            (None, true) => theme.cursor,
            (None, false) => theme.text,
        };
        let rest = line(1 + u16::try_from(row).unwrap_or(0));
        let caret = if here { theme.glyphs.caret } else { " " };
        let rest = canvas.column(rest, 2, caret, Align::Left, theme.caret);
        let columns = if size.width < ROOMY { 20 } else { 24 };
        let mut pieces = Vec::new();
        let mut from = 0;
        for hit in positions(&filter, verb.title) {
            pieces.push((&verb.title[from..hit.start], style));
            pieces.push((&verb.title[hit.clone()], style.patch(theme.matched)));
            from = hit.end;
        }
        pieces.push((&verb.title[from..], style));
        canvas.pieces(
            Rect {
                width: columns.min(rest.width),
                ..rest
            },
            pieces,
        );
        let rest = Rect {
            x: rest.x + columns.min(rest.width),
            width: rest.width.saturating_sub(columns),
            ..rest
        };
        let keys = model.keymap.keys_of(verb.contexts, *action).join("  ");
        let key_style = if reason.is_some() {
            theme.disabled
        } else {
            theme.key
        };
        let rest = canvas.column(rest, 18, &keys, Align::Left, key_style);
        if size.width >= ROOMY {
            // In full below, when the cursor is on it.
            let about = reason.as_deref().unwrap_or_default();
            let short = model.place_of(&palette.here, *action);
            let fits = width::width(about) <= usize::from(rest.width);
            let about = short.as_deref().filter(|_| !fits).unwrap_or(about);
            canvas.text(rest, about, theme.disabled);
        }
    }
    if let Some(action) = palette.chosen() {
        let reason = model.why_not(&palette.here, action);
        let about = reason.as_deref().unwrap_or(action.verb().help);
        let last = Rect {
            y: inner.bottom().saturating_sub(2),
            height: 2,
            ..inner
        };
        canvas.lines(last, [(about, theme.dim)]);
    }
}
