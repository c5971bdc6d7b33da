//! What lies over the panes.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::backups;
use super::confirm;
use super::detail::style_of;
use super::draw::{Canvas, margin};
use super::form;
use super::jobs;
use super::palette;
use super::plans;
use super::profiles;
use super::setup;
use super::space_forms;
use crate::app::layout::{centred, inside};
use crate::app::message::Size;
use crate::app::modal::Modal;
use crate::app::modal::menu::Menu;
use crate::app::modal::reading::{self, Reading, by_hits};
use crate::app::modal::spaces_filter::SpacesFilterForm;
use crate::app::model::{Model, Screen};
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

/// Whose dialog it is: a profile by its name, in its colour, and its server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    profile: &'a str,
    color: Option<&'a str>,
    /// Empty where nothing is decided that concerns the server.
    host: &'a str,
}

impl<'a> Owner<'a> {
    /// The profile that is open. Before one is, nobody owns a dialog.
    pub(super) fn profile(model: &'a Model) -> Self {
        let profile = match model.screen {
            Screen::Welcome { .. } => "",
            Screen::Panes | Screen::Across => model.profile.name.as_str(),
        };
        Self {
            profile,
            color: model.profile.color.as_deref(),
            host: "",
        }
    }

    /// The profile that is open, with its server: for what is to be decided.
    pub(super) fn server(model: &'a Model) -> Self {
        Self {
            host: model.profile.server(),
            ..Self::profile(model)
        }
    }

    /// What was captured of a profile when an act began: it keeps that server, whatever is open now.
    pub(super) fn captured(model: &'a Model, profile: &'a str, host: &'a str) -> Self {
        let color = if profile == model.profile.name {
            model.profile.color.as_deref()
        } else {
            let of_that_name = model.profiles.iter().find(|choice| choice.name == profile);
            of_that_name.and_then(|choice| choice.color.as_deref())
        };
        Self {
            profile,
            color,
            host,
        }
    }

    /// How many columns its name takes in a border, with the blanks around it.
    pub(super) fn columns(&self) -> usize {
        match width::width(self.profile) {
            0 => 0,
            name => name + 2,
        }
    }
}

/// An empty dialog with a title, and whose it is: the profile's name where there is room for it,
/// then the host.
pub(super) fn dialog(canvas: &mut Canvas<'_>, at: Rect, title: &str, owner: Owner<'_>) -> Rect {
    let theme = canvas.theme;
    dialog_in(canvas, at, (title, theme.title), owner, theme.border_focus)
}

/// The same for something that can't be undone: its frame warns before a word is read.
pub(super) fn warning_dialog(
    canvas: &mut Canvas<'_>,
    at: Rect,
    title: &str,
    owner: Owner<'_>,
) -> Rect {
    let theme = canvas.theme;
    // What picks out words in a sentence would draw a second line along a border.
    let frame = theme
        .warning
        .remove_modifier(Modifier::UNDERLINED | Modifier::REVERSED);
    dialog_in(canvas, at, (title, theme.title.patch(frame)), owner, frame)
}

fn dialog_in(
    canvas: &mut Canvas<'_>,
    at: Rect,
    (title, style): (&str, Style),
    owner: Owner<'_>,
    frame: Style,
) -> Rect {
    canvas.clear(at);
    canvas.dialog = Some(at);
    let theme = canvas.theme;
    canvas.frame_in(at, &[(title, style)], frame);
    let used = u16::try_from(width::width(title)).unwrap_or(0) + 4;
    let line = Rect {
        x: at.x + used,
        y: at.y,
        width: at.width.saturating_sub(used + 2),
        height: 1,
    };
    // One cell of the border stays between title and owner.
    let room = usize::from(line.width.saturating_sub(1));
    let name = owner.columns();
    if name > 0 && name <= room {
        let host = format!("{} {} ", theme.glyphs.dot, owner.host);
        let host =
            Some(host).filter(|host| !owner.host.is_empty() && name + width::width(host) <= room);
        let host = host.as_deref().unwrap_or_default();
        let wide = u16::try_from(name + width::width(host)).unwrap_or(line.width);
        let profile = format!(" {} ", owner.profile);
        let mut place = Rect {
            x: line.right() - wide,
            width: wide,
            ..line
        };
        let own = theme.profile_name(owner.color);
        // Without a colour of its own it takes none from the border: that would look like one.
        let own = own.fg(own.fg.or(theme.ground.fg).unwrap_or(Color::Reset));
        let used = canvas.over_border(place, &profile, own);
        place.x += used;
        place.width -= used;
        canvas.over_border(place, host, theme.dim);
    }
    margin(inside(at))
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
