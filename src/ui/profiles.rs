//! The picker of profiles: name in its colour, host, whether it can write.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog};
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::profiles::{Profiles, height};
use crate::app::model::{Model, ProfileChoice};
use crate::text::width::{self, Align};

/// Draws the picker.
pub(super) fn draw(model: &Model, list: &Profiles, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(2).min(76);
    let rows = model.profiles.len().min(height(size)).max(1);
    let at = centred(size, wide, u16::try_from(rows).unwrap_or(1) + 2);
    let inner = dialog(canvas, at, "Profiles", Owner::profile(model));
    let name = model
        .profiles
        .iter()
        .map(|choice| width::width(&choice.name))
        .max()
        .unwrap_or(0)
        .min(usize::from(inner.width / 2));
    if model.profiles.len() > rows {
        let note = format!("{} of {}", list.cursor.at + 1, model.profiles.len());
        canvas.bottom_note(at, &note, theme.dim);
    }
    let window = list.cursor.window(model.profiles.len(), rows);
    for (row, ix) in window.enumerate() {
        let Some(choice) = model.profiles.get(ix) else {
            continue;
        };
        let here = ix == list.cursor.at;
        let caret = if here { theme.glyphs.caret } else { " " };
        let line = Rect {
            y: inner.y + u16::try_from(row).unwrap_or(0),
            height: 1,
            ..inner
        };
        canvas.text(line, caret, theme.caret);
        let line = Rect {
            x: line.x + 2,
            width: line.width.saturating_sub(2),
            ..line
        };
        let own = choice.color.as_deref().and_then(|c| theme.profile(c));
        let style = own.unwrap_or(if here { theme.cursor } else { theme.text });
        let rest = canvas.column(
            line,
            u16::try_from(name + 2).unwrap_or(20),
            &choice.name,
            Align::Left,
            style,
        );
        let state = state(model, choice);
        let used = canvas.right(rest, state, theme.dim);
        let host = Rect {
            width: rest.width.saturating_sub(used + u16::from(used > 0) * 2),
            ..rest
        };
        let style = if here { theme.cursor } else { theme.text };
        canvas.text(host, shown_host(choice), style);
    }
}

/// Whether it is open, and whether it takes writes.
fn state(model: &Model, choice: &ProfileChoice) -> &'static str {
    match (
        model.is_open_profile(choice),
        choice.read_only,
        choice.protected,
    ) {
        (true, true, _) => "open, read-only",
        (true, false, true) => "open, protected",
        (true, false, false) => "open",
        (false, true, _) => "read-only",
        (false, false, true) => "protected",
        (false, false, false) => "",
    }
}

/// Host, port and context path.
fn shown_host(choice: &ProfileChoice) -> &str {
    choice
        .base_url
        .split_once("://")
        .map_or(choice.base_url.as_str(), |(_, rest)| rest)
}
