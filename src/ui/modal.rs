//! What lies over the panes.

use ratatui::layout::Rect;

use super::backups;
use super::canvas::{Canvas, style_of};
use super::confirm;
use super::dialog::{Owner, dialog};
use super::form;
use super::jobs;
use super::palette;
use super::plans;
use super::profiles;
use super::setup;
use super::space_forms;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::Modal;
use crate::app::modal::menu::Menu;
use crate::app::modal::reading::{self, Reading, by_hits};
use crate::app::modal::spaces_filter::SpacesFilterForm;
use crate::app::model::Model;
use crate::text::{number, width};

/// Draws one modal.
pub(super) fn draw(model: &Model, modal: &Modal, canvas: &mut Canvas<'_>, area: Rect) {
    let size = Size {
        width: area.width,
        height: area.height,
    };
    match modal {
        Modal::Menu(menu) => draw_menu(model, menu, canvas, size),
        Modal::Palette(palette) => palette::draw(model, palette, canvas, size),
        Modal::Reading(reading) => draw_reading(model, reading, canvas, size),
        Modal::SpacesFilter(form) => draw_spaces_filter(model, form, canvas, size),
        Modal::NewSpace(form) => space_forms::draw_new(model, form, canvas, size),
        Modal::EditSpace(form) => space_forms::draw_edit(model, form, canvas, size),
        Modal::Confirm(dialog) => confirm::draw(model, dialog, canvas, size),
        Modal::Question(question) => confirm::draw_question(model, question, canvas, size),
        Modal::Jobs => jobs::draw(model, canvas, size),
        Modal::Plans(list) => plans::draw(model, list, canvas, size),
        Modal::Backups(backups) => backups::draw(model, backups, canvas, size),
        Modal::Profiles(list) => profiles::draw(model, list, canvas, size),
        Modal::SetUp(dialog) => setup::draw(model, dialog, canvas, size),
        Modal::Job(view) => jobs::draw_one(model, view, canvas, size),
        Modal::Leave(leave) => confirm::draw_leave(model, leave, canvas, size),
    }
}

fn draw_menu(model: &Model, menu: &Menu, canvas: &mut Canvas<'_>, size: Size) {
    let (label, _) = menu.columns();
    let at = menu.area(size);
    let inner = dialog(canvas, at, &menu.title, Owner::profile(model));
    let theme = canvas.theme;
    let window = menu.window(size);
    if window.len() < menu.entries.len() {
        let note = format!("{} of {}", menu.chosen + 1, menu.entries.len());
        canvas.bottom_note(at, &note, theme.dim);
    }
    for (row, ix) in window.enumerate() {
        let entry = &menu.entries[ix];
        let line = Rect {
            y: inner.y + u16::try_from(row).unwrap_or(0),
            height: 1,
            ..inner
        };
        let here = ix == menu.chosen;
        let caret = if here { theme.glyphs.caret } else { " " };
        let style = if here { theme.cursor } else { theme.text };
        let name = width::fit(&entry.label, label + 2, width::Align::Left);
        let key = entry.letter.to_string();
        canvas.pieces(
            line,
            [
                (caret, theme.caret),
                (" ", theme.text),
                (&key, theme.key),
                ("  ", theme.text),
                (&name, style),
                (&entry.note, theme.dim),
            ],
        );
    }
}

fn draw_reading(model: &Model, reading: &Reading, canvas: &mut Canvas<'_>, size: Size) {
    let wide = reading.width(size);
    let lines = reading::lines(model, reading);
    let rows = reading.height(lines.len(), size);
    let at = centred(
        size,
        u16::try_from(wide + 4).unwrap_or(size.width),
        u16::try_from(rows + 2).unwrap_or(size.height),
    );
    let inner = dialog(canvas, at, &reading.title(), Owner::profile(model));
    let theme = canvas.theme;
    let needle = reading.search.text().to_lowercase();
    for (ix, line) in lines.iter().skip(reading.top).take(rows).enumerate() {
        let y = inner.y + u16::try_from(ix).unwrap_or(0);
        let pieces = line.iter().flat_map(|(tone, text)| {
            let style = style_of(theme, *tone);
            by_hits(text, &needle)
                .into_iter()
                .enumerate()
                .map(move |(ix, part)| {
                    let is_hit = ix % 2 == 1;
                    let style = if is_hit {
                        style.patch(theme.matched)
                    } else {
                        style
                    };
                    (part, style)
                })
        });
        canvas.pieces(
            Rect {
                y,
                height: 1,
                ..inner
            },
            pieces,
        );
    }
    let below = lines.len().saturating_sub(reading.top + rows);
    if below > 0 {
        canvas.bottom_note(
            at,
            &format!("{} more", number::count(below as u64, "line")),
            theme.dim,
        );
    }
    if reading.typing || !needle.is_empty() {
        let line = Rect {
            x: at.x + 2,
            y: at.bottom() - 1,
            width: at.width / 2,
            height: 1,
        };
        let text = reading.search.text();
        canvas.pieces(
            line,
            [
                (" / ", theme.key),
                (text.as_str(), theme.field_focus),
                (" ", theme.text),
            ],
        );
        if reading.typing {
            let column: String = text.chars().take(reading.search.cursor().1).collect();
            let x = line.x + 3 + u16::try_from(width::width(&column)).unwrap_or(0);
            canvas.cursor = Some((x.min(line.right()), line.y));
        }
    }
}

fn draw_spaces_filter(
    model: &Model,
    dialog_form: &SpacesFilterForm,
    canvas: &mut Canvas<'_>,
    size: Size,
) {
    let wide = size.width.saturating_sub(4).min(72);
    let high = form::height(&dialog_form.form, wide) + 4;
    let at = centred(size, wide, high);
    let inner = dialog(canvas, at, "Ask the server for", Owner::server(model));
    let body = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(2),
        ..inner
    };
    form::draw(&dialog_form.form, canvas, body);
}
