//! Lines of a dialog that may be more than it has rows for: those that are shown, and how many are
//! not, in its bottom border.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{Canvas, margin, style_of};
use crate::app::layout::inside;
use crate::app::modal::reading::Line;
use crate::text::number;

/// Draws from row `y` on as many of the dialog's lines as have room, from the `top`th on; the first `must`
/// of them have to be read before an answer counts. Gives the row after them.
pub(super) fn draw(
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
    let unread = must.saturating_sub(top + rows);
    if unread > 0 {
        let unread = number::grouped(unread as u64);
        canvas.bottom_note(dialog, &format!("{unread} unread, PgDn"), theme.warning);
    } else {
        note(canvas, dialog, (top, below), theme.warning);
    }
    y
}

/// Says in the bottom border of a dialog that lines are above or below those that are shown.
pub(super) fn note(
    canvas: &mut Canvas<'_>,
    dialog: Rect,
    (above, below): (usize, usize),
    style: Style,
) {
    let note = match (above, below) {
        (0, 0) => return,
        (_, 0) => "PgUp".to_owned(),
        (_, below) => format!("{} more, PgDn", number::count(below as u64, "line")),
    };
    canvas.bottom_note(dialog, &note, style);
}
