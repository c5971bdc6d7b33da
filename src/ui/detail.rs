//! The space in detail.

use ratatui::layout::Rect;

use super::canvas::{Canvas, margin, style_of};
use super::spaces::failure_bar;
use super::theme::Focus;
use crate::app::layout::{Pane, inside};
use crate::app::model::Model;
use crate::app::pane::detail::lines;
use crate::app::remote::Remote;
use crate::text::{number, width};

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = canvas.theme;
    let focus = Focus::when(model.focus == Pane::Detail && model.modals.is_empty());
    let detail = &model.detail;
    let space = detail.space.as_ref();
    let name = detail
        .value
        .value()
        .map(|space| space.name.shown())
        .or_else(|| Some(model.spaces.table.get(space?)?.name.shown()))
        .unwrap_or_default();
    let key = space.map(ToString::to_string).unwrap_or_default();
    let age = match (&detail.value, detail.value.value().is_some()) {
        (Remote::Loading { .. }, true) => " · reading again".to_owned(),
        (Remote::Failed { at, .. }, true) => format!(
            " · as of before {}",
            number::time(model.time(*at), &model.zone)
        ),
        _ => String::new(),
    };
    let room = usize::from(area.width.saturating_sub(10))
        .saturating_sub(width::width(&key) + width::width(&age));
    let name = width::clip(name, room);
    let dot = format!(" {} ", theme.glyphs.dot);
    if key.is_empty() {
        canvas.frame(area, &[("Detail", theme.title)], focus);
    } else {
        canvas.frame(
            area,
            &[
                (&key, theme.title),
                (&dot, theme.dim),
                (&name, theme.text),
                (&age, theme.dim),
            ],
            focus,
        );
    }
    let inner = inside(area);
    let text = margin(inner);
    match &detail.value {
        Remote::Absent => {
            if space.is_none() {
                canvas.lines(
                    text,
                    [("The space under the cursor appears here.", theme.dim)],
                );
            } else {
                let line = model.spell("Not read. ‹refresh› reads it.");
                canvas.lines(text, [(line.as_str(), theme.dim)]);
            }
        }
        Remote::Loading { old: None, .. } => {
            canvas.lines(text, [(format!("Reading {key}.").as_str(), theme.dim)]);
        }
        Remote::Failed {
            old: None, error, ..
        } => {
            canvas.failure(text, error, &model.spell("‹refresh›"));
        }
        Remote::Loading { .. } | Remote::Ready { .. } | Remote::Failed { .. } => {
            let all = lines(model, usize::from(text.width));
            let scroll = detail
                .scroll
                .min(all.len().saturating_sub(usize::from(text.height)));
            for (ix, line) in all
                .iter()
                .skip(scroll)
                .take(usize::from(text.height))
                .enumerate()
            {
                let y = text.y + u16::try_from(ix).unwrap_or(0);
                let pieces = line
                    .iter()
                    .map(|(tone, text)| (text.as_str(), style_of(theme, *tone)));
                canvas.pieces(
                    Rect {
                        y,
                        height: 1,
                        ..text
                    },
                    pieces,
                );
            }
            let below = all.len().saturating_sub(scroll + usize::from(text.height));
            if below > 0 {
                canvas.bottom_note(
                    area,
                    &format!("{} more", number::count(below as u64, "line")),
                    theme.dim,
                );
            }
            if let Remote::Failed { error, .. } = &detail.value {
                failure_bar(model, canvas, area, 1, error);
            }
        }
    }
}
