//! The text under the cursor.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::{Canvas, margin};
use super::theme::{Focus, Theme};
use crate::app::field::Field;
use crate::app::layout::inside;
use crate::app::model::Model;
use crate::app::pane::hits::Hits;
use crate::app::remote::Remote;
use crate::text::doc::{self, Ink};
use crate::text::{number, width};

/// Draws the preview, if it is open.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>) {
    if !model.preview.is_open {
        return;
    }
    let area = model.preview_area();
    let theme = canvas.theme;
    let preview = &model.preview;
    canvas.clear(area);
    let focus = Focus::when(model.preview_has_keys() && model.modals.is_empty());
    let name = preview
        .subject
        .as_ref()
        .map(|subject| subject.title.as_str());
    let name = width::isolate(name.unwrap_or_default());
    let name = width::clip(&name, usize::from(area.width.saturating_sub(16)));
    // The text begins with the title: the border has it while that is out of sight.
    let below = match &preview.value {
        Remote::Ready { .. } => preview.top == 0,
        Remote::Absent | Remote::Loading { .. } => true,
        Remote::Failed { .. } => false,
    };
    if below {
        canvas.frame(area, &[("Preview", theme.title)], focus);
    } else {
        canvas.frame(
            area,
            &[("Preview ", theme.title), (&name, theme.dim)],
            focus,
        );
    }
    let inner = inside(area);
    let text = margin(inner);
    if text.is_empty() {
        return;
    }
    match (&preview.value, &preview.subject) {
        (_, None) => canvas.lines(text, [("Nothing to preview here.", theme.dim)]),
        (Remote::Absent | Remote::Loading { .. }, Some(subject)) => {
            let line = format!("Reading {}.", width::isolate(&subject.title));
            canvas.lines(text, [(line.as_str(), theme.dim)]);
        }
        (Remote::Failed { error, .. }, Some(_)) => {
            let hint = error.hint();
            let again = model.spell("‹preview› closes the preview; ‹preview› again tries again.");
            canvas.lines(
                text,
                [
                    (error.message.as_str(), theme.danger),
                    (hint.as_str(), theme.text),
                    (again.as_str(), theme.dim),
                ],
            );
        }
        (Remote::Ready { .. }, Some(_)) => draw_text(model, canvas, area, text),
    }
}

fn draw_text(model: &Model, canvas: &mut Canvas<'_>, area: Rect, text: Rect) {
    let theme = canvas.theme;
    let preview = &model.preview;
    let (wide, rows) = (usize::from(text.width), usize::from(text.height));
    let (lines, all) = preview.window(wide, preview.top, rows);
    draw_lines(canvas, text, &lines);
    let below = all.saturating_sub(preview.top + rows);
    if below > 0 {
        let note = format!("{} more", number::count(below as u64, "line"));
        canvas.bottom_note(area, &note, theme.dim);
    }
    let search = Search {
        field: &preview.search,
        typing: preview.typing,
        hits: &preview.hits,
        top: preview.top,
    };
    draw_search(canvas, area, text, &lines, &search);
}

/// A search in a text.
pub(super) struct Search<'s> {
    pub(super) field: &'s Field,
    pub(super) typing: bool,
    pub(super) hits: &'s Hits,
    /// The first line that is shown.
    pub(super) top: usize,
}

/// Draws what is searched for into the bottom border of `area`, and what it found into the lines.
pub(super) fn draw_search(
    canvas: &mut Canvas<'_>,
    area: Rect,
    text: Rect,
    lines: &[doc::Line],
    search: &Search<'_>,
) {
    let theme = canvas.theme;
    let needle = search.field.text();
    let current = search.hits.current(usize::from(text.width));
    let current = current.filter(|hit| hit.line >= search.top);
    for found in doc::find(lines, &needle) {
        let from = u16::try_from(found.columns.start).unwrap_or(text.width);
        let to = u16::try_from(found.columns.end).unwrap_or(text.width);
        let hit = Rect {
            x: text.x + from.min(text.width),
            y: text.y + u16::try_from(found.line).unwrap_or(0),
            width: to.min(text.width).saturating_sub(from),
            height: 1,
        };
        canvas.buffer.set_style(hit, theme.matched);
        // The one that is looked at: a sign before its line, and turned over, as there may be
        // several on it.
        if current
            .is_some_and(|hit| hit.line - search.top == found.line && hit.columns == found.columns)
        {
            let turned = Style::new().add_modifier(Modifier::REVERSED);
            canvas.buffer.set_style(hit, turned);
            let margin = Rect {
                x: text.x.saturating_sub(1),
                width: 1,
                ..hit
            };
            canvas.text(margin, theme.glyphs.caret, theme.caret);
        }
    }
    if search.typing || !needle.is_empty() {
        let line = Rect {
            x: area.x + 2,
            y: area.bottom() - 1,
            width: (area.width / 2).max(1),
            height: 1,
        };
        let told = if needle.is_empty() {
            String::new()
        } else {
            format!("{} ", search.hits.told())
        };
        canvas.pieces(
            line,
            [
                (" / ", theme.key),
                (needle.as_str(), theme.field_focus),
                (" ", theme.text),
                (told.as_str(), theme.dim),
            ],
        );
        if search.typing {
            let before: String = needle.chars().take(search.field.cursor().1).collect();
            let x = line.x + 3 + u16::try_from(width::width(&before)).unwrap_or(0);
            canvas.cursor = Some((x.min(line.right()), line.y));
        }
    }
}

/// Draws lines of a document.
pub(super) fn draw_lines(canvas: &mut Canvas<'_>, text: Rect, lines: &[doc::Line]) {
    let theme = canvas.theme;
    for (line, y) in lines.iter().zip(text.y..text.bottom()) {
        let indent = u16::try_from(line.indent)
            .unwrap_or(text.width)
            .min(text.width);
        let row = Rect {
            x: text.x + indent,
            y,
            width: text.width - indent,
            height: 1,
        };
        let pieces = line
            .spans
            .iter()
            .map(|span| (span.text.as_str(), style_of(theme, span.ink, span.style)));
        canvas.pieces(row, pieces);
    }
}

/// The style of a piece of a document.
fn style_of(theme: &Theme, ink: Ink, style: doc::Style) -> Style {
    let mut out = match ink {
        Ink::Text if style.code => theme.code,
        Ink::Text => theme.text,
        Ink::Heading => theme.heading,
        Ink::Code => theme.code,
        Ink::Link => theme.link,
        Ink::Dim => theme.dim,
        Ink::Info => theme.accent,
        Ink::Warning => theme.warning,
        Ink::Badge => theme.badge,
    };
    for (on, modifier) in [
        (style.bold, Modifier::BOLD),
        (style.italic, Modifier::ITALIC),
        (style.strike, Modifier::CROSSED_OUT),
    ] {
        if on {
            out = out.add_modifier(modifier);
        }
    }
    out
}
