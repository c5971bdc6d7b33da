//! Forms: labels, fields, and what stands beside them.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::app::field::{Field, Lines};
use crate::app::form::{Control, Form, FormField, Note};
use crate::app::modal::reading::folded;
use crate::text::width::{self, Align};

/// The columns of a problem are what these leave.
const LABEL: u16 = 14;

/// How many rows a text area has.
const AREA_ROWS: u16 = 5;

/// What doesn't apply now is not there.
fn rows_of(field: &FormField) -> u16 {
    match &field.control {
        _ if !field.enabled => 0,
        Control::Text(text) if text.kind() == Lines::Many => AREA_ROWS,
        Control::Text(_)
        | Control::Choice { .. }
        | Control::Picked { .. }
        | Control::Closed { .. } => 1,
    }
}

/// How many rows a form needs at this width.
pub(super) fn height(form: &Form, width: u16) -> u16 {
    form.fields
        .iter()
        .map(|field| rows_of(field) + note_rows(field, width))
        .sum()
}

fn note_rows(field: &FormField, width: u16) -> u16 {
    let narrow = width < 60;
    match &*field.shown_note() {
        _ if !field.enabled => 0,
        Note::Problem(text) => {
            let room = usize::from(width.saturating_sub(LABEL)).max(10);
            u16::try_from(folded(text, room).len()).unwrap_or(1)
        }
        Note::Hint(_) | Note::Busy(_) if narrow => 1,
        Note::None | Note::Hint(_) | Note::Busy(_) => 0,
    }
}

/// Draws a form; it scrolls so that the field with the focus is seen.
pub(super) fn draw(form: &Form, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.theme;
    let label_width = form
        .fields
        .iter()
        .map(|f| width::width(&f.label))
        .max()
        .unwrap_or(0);
    let label_width = u16::try_from(label_width + 2)
        .unwrap_or(12)
        .min(area.width / 2);
    let before: u16 = form.fields[..form.focus]
        .iter()
        .map(|field| rows_of(field) + note_rows(field, area.width))
        .sum();
    let own = rows_of(form.focused()) + note_rows(form.focused(), area.width);
    let skip = (before + own).saturating_sub(area.height).min(before);
    let rows = height(form, area.width);
    if let Some(dialog) = canvas.dialog.filter(|_| rows > area.height) {
        let shown = |ix: &usize| form.fields[*ix].enabled;
        let all = (0..form.fields.len()).filter(shown).count();
        let here = (0..=form.focus).filter(shown).count();
        canvas.bottom_note(dialog, &format!("field {here} of {all}"), theme.dim);
    }
    let mut y = i32::from(area.y) - i32::from(skip);
    for (ix, field) in form.fields.iter().enumerate() {
        let rows = rows_of(field);
        let here = ix == form.focus;
        let notes = note_rows(field, area.width);
        if rows == 0 {
            continue;
        }
        if y >= i32::from(area.y) && y < i32::from(area.bottom()) {
            let top = u16::try_from(y).unwrap_or(area.y);
            let line = Rect {
                y: top,
                height: 1,
                ..area
            };
            let label = if !field.enabled {
                theme.disabled
            } else if here {
                theme.accent
            } else {
                theme.dim
            };
            canvas.column(line, label_width, &field.label, Align::Left, label);
            let value = Rect {
                x: area.x + label_width,
                y: top,
                width: area.width - label_width,
                height: rows.min(area.bottom().saturating_sub(top)),
            };
            let note = field.shown_note();
            let beside = match &*note {
                Note::Hint(text) | Note::Busy(text) if notes == 0 && field.enabled => text.as_str(),
                _ => "",
            };
            let beside_width = u16::try_from(width::width(beside)).unwrap_or(0);
            let room = value.width.saturating_sub(if beside.is_empty() {
                0
            } else {
                beside_width + 2
            });
            control(
                canvas,
                Rect {
                    width: room,
                    ..value
                },
                &field.control,
                here,
                field.enabled,
            );
            if !beside.is_empty() {
                canvas.right(Rect { height: 1, ..value }, beside, theme.dim);
            }
            let under = top + rows;
            if notes > 0 && under < area.bottom() {
                let (text, style) = match &*note {
                    Note::Problem(text) => (text.as_str(), theme.danger),
                    Note::Hint(text) | Note::Busy(text) => (text.as_str(), theme.dim),
                    Note::None => ("", theme.dim),
                };
                let below = Rect {
                    x: value.x,
                    y: under,
                    width: value.width,
                    height: notes.min(area.bottom() - under),
                };
                let room = usize::from(area.width.saturating_sub(LABEL)).max(10);
                let lines = match &*note {
                    Note::Problem(_) => folded(text, room),
                    _ => vec![width::clip(text, room).into_owned()],
                };
                canvas.lines(below, lines.iter().map(|line| (line.as_str(), style)));
            }
        }
        y += i32::from(rows + notes);
    }
}

fn control(canvas: &mut Canvas<'_>, area: Rect, control: &Control, here: bool, enabled: bool) {
    let theme = canvas.theme;
    if area.is_empty() {
        return;
    }
    match control {
        Control::Text(field) => text_field(canvas, area, field, here),
        Control::Choice { options, chosen } => {
            let option = options.get(*chosen).map_or("", String::as_str);
            let style = if !enabled {
                theme.disabled
            } else if here {
                theme.field_focus
            } else {
                theme.field
            };
            let (left, right) = (theme.glyphs.left, theme.glyphs.right);
            canvas.pieces(
                area,
                [
                    (left, theme.dim),
                    (" ", theme.text),
                    (option, style),
                    (" ", theme.text),
                    (right, theme.dim),
                ],
            );
        }
        Control::Closed { why } => {
            canvas.text(area, why, theme.disabled);
        }
        Control::Picked { label } => {
            let text = if label.is_empty() { "none" } else { label };
            let style = if here { theme.field_focus } else { theme.field };
            let (key, word) = if here { ("Enter", " picks") } else { ("", "") };
            canvas.pieces(
                area,
                [
                    (text, style),
                    ("  ", theme.text),
                    (key, theme.key),
                    (word, theme.dim),
                ],
            );
        }
    }
}

/// Draws a text field; it scrolls so that its cursor is seen.
pub(super) fn text_field(canvas: &mut Canvas<'_>, area: Rect, field: &Field, here: bool) {
    let theme = canvas.theme;
    let style = if here { theme.field_focus } else { theme.field };
    let (row, column) = field.cursor();
    let height = usize::from(area.height);
    let top = (row + 1).saturating_sub(height);
    canvas.buffer.set_style(area, style);
    for (line, text) in field.lines().iter().enumerate().skip(top).take(height) {
        let y = area.y + u16::try_from(line - top).unwrap_or(0);
        let at = Rect {
            y,
            height: 1,
            ..area
        };
        let before: String = text.chars().take(column).collect();
        let cursor = if line == row {
            width::width(&before)
        } else {
            0
        };
        let room = usize::from(area.width.saturating_sub(1)).max(1);
        let from = (cursor + 1).saturating_sub(room);
        let range = width::window(text, from, usize::from(area.width));
        let skipped = width::width(&text[..range.start]);
        canvas.text(at, &text[range], style);
        selection(canvas, at, field, line, text, skipped);
        if here && line == row {
            let x = area.x + u16::try_from(cursor.saturating_sub(skipped)).unwrap_or(0);
            canvas.cursor = Some((x.min(area.right().saturating_sub(1)), y));
        }
    }
}

fn selection(
    canvas: &mut Canvas<'_>,
    at: Rect,
    field: &Field,
    line: usize,
    text: &str,
    skipped: usize,
) {
    let Some(((from_row, from), (to_row, to))) = field.selection() else {
        return;
    };
    if line < from_row || line > to_row {
        return;
    }
    let chars = text.chars().count();
    let from = if line == from_row { from } else { 0 };
    let to = if line == to_row { to } else { chars };
    let column =
        |n: usize| width::width(&text.chars().take(n).collect::<String>()).saturating_sub(skipped);
    let (x, end) = (column(from), column(to));
    let style = canvas.theme.selection;
    let area = Rect {
        x: at.x + u16::try_from(x).unwrap_or(0),
        width: u16::try_from(end.saturating_sub(x)).unwrap_or(0),
        ..at
    };
    canvas.buffer.set_style(area.intersection(at), style);
}
