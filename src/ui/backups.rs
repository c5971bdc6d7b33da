//! The backups on this machine: their list, what is in one, and the text of an item.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::dialog::{Owner, dialog};
use super::form;
use super::preview::{Search, draw_lines, draw_search};
use super::scroll;
use super::spaces::{Foot, filter_line};
use super::theme::Focus;
use crate::app::fields::kind_name;
use crate::app::layout::{centred, tallest};
use crate::app::list::Cursor;
use crate::app::message::Size;
use crate::app::modal::backups::{
    Again, Backups, Check, Kept, Opened, Removal, Shown, lines, rows,
};
use crate::app::modal::reading::{self, Tone, folded};
use crate::app::model::Model;
use crate::jobs::backup::Manifest;
use crate::text::width::Align;
use crate::text::{number, width};

/// From this width on sizes and hosts have columns.
const WIDE: u16 = 70;

/// From this width on numbers stand apart.
const AIRY: u16 = 90;

/// From this width on the number of items has one.
const ROOMY: u16 = 44;

/// Draws the browser.
pub(super) fn draw(model: &Model, backups: &Backups, canvas: &mut Canvas<'_>, size: Size) {
    let wide = u16::try_from(reading::width(size) + 4).unwrap_or(size.width);
    let at = centred(size, wide, tallest(size));
    match &backups.open {
        None => draw_list(model, backups, canvas, at, size),
        Some(open) => match &open.preview {
            Some(shown) => draw_text(model, open, shown, canvas, at, size),
            None => draw_items(model, backups, open, canvas, at, size),
        },
    }
    if let Some(removal) = &backups.removal {
        draw_removal(model, removal, canvas, size);
    }
    if let Some(open) = &backups.open
        && let Some(again) = &open.again
    {
        draw_again(model, (open, again), canvas, size);
    }
}

/// One row of `area`, or nothing of it below its end.
fn row_of(area: Rect, row: usize) -> Rect {
    let y = area
        .y
        .saturating_add(u16::try_from(row).unwrap_or(u16::MAX));
    Rect {
        y: y.min(area.bottom()),
        height: u16::from(y < area.bottom()),
        ..area
    }
}

/// The columns of a list and how wide each is; the first is as wide as it can be.
fn columns(canvas: &mut Canvas<'_>, line: Rect, cells: &[(&str, u16, Align, Style)]) {
    let fixed: u16 = cells.iter().skip(1).map(|cell| cell.1).sum();
    let mut rest = line;
    for (ix, (text, wide, align, style)) in cells.iter().enumerate() {
        let wide = if ix == 0 {
            line.width.saturating_sub(fixed)
        } else {
            *wide
        };
        rest = if ix == 0 {
            // A long text ends before the next column begins.
            canvas.column(rest, wide.saturating_sub(1), text, *align, *style);
            Rect {
                x: rest.x + wide,
                width: rest.width - wide,
                ..rest
            }
        } else {
            canvas.column(rest, wide, text, *align, *style)
        };
    }
}

fn word(check: &Check) -> &'static str {
    match check {
        Check::No => "not yet",
        Check::WhenMade => "when made",
        Check::Running => "verifying",
        Check::AsWritten => "just now",
        Check::Spoilt(_) => "spoilt",
    }
}

fn style_of(canvas: &Canvas<'_>, check: &Check) -> Style {
    match check {
        Check::No | Check::WhenMade | Check::Running => canvas.theme.dim,
        Check::AsWritten => canvas.theme.accent,
        Check::Spoilt(_) => canvas.theme.danger,
    }
}

fn draw_list(model: &Model, backups: &Backups, canvas: &mut Canvas<'_>, at: Rect, size: Size) {
    let theme = canvas.theme;
    let title = match &backups.list {
        Some(list) if !list.is_empty() => {
            let bytes = list.iter().map(|kept| kept.bytes).sum();
            let count = number::count(list.len() as u64, "backup");
            format!("{count} · {} on this machine", number::bytes(bytes))
        }
        _ => "Backups".to_owned(),
    };
    let inner = dialog(canvas, at, &title, Owner::profile(model));
    let is_bare = backups.list.as_ref().is_none_or(Vec::is_empty);
    if let Some(why) = model.why_closed().filter(|_| is_bare) {
        let text = format!("Backups are closed. {why}");
        let lines = reading::folded(&text, usize::from(inner.width));
        canvas.lines(inner, lines.iter().map(|line| (line.as_str(), theme.dim)));
        return;
    }
    let list = match (&backups.list, &backups.problem) {
        (_, Some(problem)) => {
            canvas.lines(inner, [(problem.as_str(), theme.danger)]);
            return;
        }
        (None, None) => {
            canvas.lines(inner, [("Reading the backups.", theme.dim)]);
            return;
        }
        (Some(list), None) if list.is_empty() => {
            let text = [
                (Tone::Dim, "No backups yet. In the trash, "),
                (Tone::Key, "b"),
                (Tone::Dim, " makes one; before a purge there always is one."),
            ];
            canvas.sentence(inner, &text);
            return;
        }
        (Some(list), None) => list,
    };
    let indent = |line: Rect| Rect {
        x: line.x + 2.min(line.width),
        width: line.width.saturating_sub(2),
        ..line
    };
    let is_wide = inner.width >= WIDE;
    let draw = |canvas: &mut Canvas<'_>, line: Rect, cells: [(&str, Style); 7]| {
        let [date, spaces, host, items, bytes, kind, check] = cells;
        let date_at = canvas.column(line, 18, date.0, Align::Left, date.1);
        if is_wide {
            let host_wide = line.width / if line.width < AIRY { 5 } else { 4 };
            let [items_wide, bytes_wide, kind_wide, check_wide] = if line.width < AIRY {
                [7, 8, 7, 9]
            } else {
                [9, 11, 9, 12]
            };
            columns(
                canvas,
                date_at,
                &[
                    (spaces.0, 0, Align::Left, spaces.1),
                    (host.0, host_wide, Align::Left, host.1),
                    (items.0, items_wide, Align::Right, items.1),
                    (bytes.0, bytes_wide, Align::Right, bytes.1),
                    ("", 2, Align::Left, bytes.1),
                    (kind.0, kind_wide, Align::Left, kind.1),
                    (check.0, check_wide, Align::Left, check.1),
                ],
            );
        } else {
            // Which one it is comes before how much is in it.
            let items_wide = if line.width < ROOMY { 0 } else { 6 };
            columns(
                canvas,
                date_at,
                &[
                    (spaces.0, 0, Align::Left, spaces.1),
                    (items.0, items_wide, Align::Right, items.1),
                    ("", 1, Align::Left, items.1),
                    (check.0, 12.min(line.width / 3), Align::Left, check.1),
                ],
            );
        }
    };
    let head = [
        "MADE", "SPACES", "SERVER", "ITEMS", "SIZE", "KIND", "VERIFIED",
    ];
    let head = head.map(|word| (word, theme.table_head));
    draw(canvas, indent(row_of(inner, 0)), head);
    if backups.shown.is_empty() {
        let text = "Nothing matches. Esc clears the filter.";
        canvas.text(indent(row_of(inner, 1)), text, theme.dim);
    }
    let window = backups.cursor.window(backups.shown.len(), rows(size));
    for (row, ix) in window.enumerate() {
        let Some(kept) = backups.shown.get(ix).and_then(|at| list.get(*at)) else {
            continue;
        };
        let line = row_of(inner, row + 1);
        let here = ix == backups.cursor.at;
        let style = if here { theme.cursor } else { theme.text };
        if here {
            canvas.text(line, theme.glyphs.caret, theme.caret);
        }
        let line = indent(line);
        match &kept.manifest {
            Ok(manifest) => {
                let date = number::minute(manifest.created, &model.zone);
                let keys: Vec<&str> = manifest.spaces.iter().map(|it| it.key.as_str()).collect();
                let (keys, items) = (keys.join(" "), number::grouped(manifest.items));
                let (bytes, check) = (number::bytes(kept.bytes), style_of(canvas, &kept.check));
                let cells = [
                    (date.as_str(), theme.dim),
                    (&keys, style),
                    (manifest.server.shown(), theme.dim),
                    (&items, style),
                    (&bytes, theme.dim),
                    (kind_of(manifest), theme.dim),
                    (word(&kept.check), check),
                ];
                draw(canvas, line, cells);
            }
            Err(why) => {
                let used = canvas.column_width(line, line.width / 3, &kept.name, style);
                let rest = Rect {
                    x: line.x + used + 1.min(line.width - used),
                    width: line.width.saturating_sub(used + 1),
                    ..line
                };
                let (text, style) = match model.job_of_backup(&kept.name) {
                    Some(what) => (what, theme.dim),
                    None => (why.as_str(), theme.danger),
                };
                let text = width::clauses(text, usize::from(rest.width));
                canvas.text(rest, &text, style);
            }
        }
    }
    if backups.filter.is_shown() {
        let note = format!(
            "{} of {}",
            number::grouped(backups.shown.len() as u64),
            number::grouped(list.len() as u64)
        );
        filter_line(
            canvas,
            at,
            &backups.filter,
            &Foot::of(note, theme.dim),
            Focus::Here,
        );
        return;
    }
    let mut note = backups.at_cursor().map(note_of).unwrap_or_default();
    if backups.shown.len() > rows(size) {
        note.push_str(&place(&backups.cursor, backups.shown.len()));
    }
    canvas.bottom_note(at, &note, theme.dim);
}

/// Who wrote out what is in it.
fn kind_of(manifest: &Manifest) -> &'static str {
    if manifest.server_file.is_some() {
        "server"
    } else {
        "local"
    }
}

/// Where the cursor is in a list that is longer than its window.
fn place(cursor: &Cursor, len: usize) -> String {
    format!(
        " · {} of {}",
        number::grouped(cursor.at as u64 + 1),
        number::grouped(len as u64)
    )
}

/// What is to be said of the backup under the cursor.
fn note_of(kept: &Kept) -> String {
    match (&kept.check, &kept.manifest) {
        (Check::Spoilt(why), _) => why.clone(),
        (_, Ok(manifest)) if !manifest.not_saved.is_empty() => {
            let missing = number::count(manifest.not_saved.len() as u64, "item");
            format!("{missing} could not be saved and was not touched")
        }
        (_, Ok(manifest)) if !manifest.lacks.is_empty() => {
            let missing = number::grouped(manifest.lacks.len() as u64);
            format!("{missing} of the comments and files on saved pages could not be read")
        }
        (
            _,
            Ok(Manifest {
                server_file: Some(file),
                ..
            }),
        ) => format!(
            "{}, {} and {}, written out by the server",
            number::count(file.pages, "page"),
            number::count(file.posts, "blog post"),
            number::count(file.files, "file")
        ),
        _ => kept.name.clone(),
    }
}

fn draw_items(
    model: &Model,
    backups: &Backups,
    open: &Opened,
    canvas: &mut Canvas<'_>,
    at: Rect,
    size: Size,
) {
    let theme = canvas.theme;
    let date = number::exact(open.manifest.created, &model.zone);
    let inner = dialog(
        canvas,
        at,
        &format!("Backup of {date}"),
        Owner::captured(model, &open.manifest.profile, open.manifest.server.shown()),
    );
    let Some(items) = &open.items else {
        match &open.problem {
            Some(problem) => canvas.lines(inner, [(problem.as_str(), theme.danger)]),
            None => canvas.lines(inner, [("Reading the backup.", theme.dim)]),
        }
        return;
    };
    let check = backups
        .get(&open.name)
        .map_or(&Check::No, |kept| &kept.check);
    let mut facts = if open.shown.len() == items.len() {
        number::count(open.manifest.items, "item")
    } else {
        format!(
            "{} of {}",
            number::grouped(open.shown.len() as u64),
            number::count(open.manifest.items, "item")
        )
    };
    if (items.len() as u64) < open.manifest.items {
        facts = format!(
            "{facts}, the first {} of them read",
            number::grouped(items.len() as u64)
        );
    }
    if !open.marks.is_empty() {
        facts = format!(
            "{facts} · {} marked",
            number::grouped(open.marks.len() as u64)
        );
    }
    let said = match check {
        Check::No => "not verified yet".to_owned(),
        Check::WhenMade => "verified when made".to_owned(),
        Check::Running => "verifying".to_owned(),
        Check::AsWritten => "verified just now".to_owned(),
        Check::Spoilt(why) => format!("spoilt: {why}"),
    };
    let is_wide = inner.width >= WIDE;
    let draw = |canvas: &mut Canvas<'_>, line: Rect, cells: [(&str, Style); 4]| {
        let [title, kind, edited, space] = cells;
        let date = if is_wide { 12 } else { 0 };
        columns(
            canvas,
            line,
            &[
                (title.0, 0, Align::Left, title.1),
                ("", 2, Align::Left, title.1),
                (kind.0, 12, Align::Left, kind.1),
                (edited.0, date, Align::Left, edited.1),
                (space.0, 10.min(line.width / 4), Align::Left, space.1),
            ],
        );
    };
    let beside = |line: Rect| Rect {
        x: line.x + 4.min(line.width),
        width: line.width.saturating_sub(4),
        ..line
    };
    let heads = ["TITLE", "TYPE", "LAST EDIT", "SPACE"].map(|word| (word, theme.table_head));
    draw(canvas, beside(row_of(inner, 0)), heads);
    if open.shown.is_empty() {
        let text = if items.is_empty() {
            "There is nothing in this backup."
        } else {
            "Nothing matches. Esc clears the filter."
        };
        canvas.text(beside(row_of(inner, 1)), text, theme.dim);
    }
    let window = open.cursor.window(open.shown.len(), rows(size));
    for (row, ix) in window.enumerate() {
        let Some((at_row, (_, item))) = open
            .shown
            .get(ix)
            .and_then(|row| Some((row, items.get(*row)?)))
        else {
            continue;
        };
        let line = row_of(inner, row + 1);
        let here = ix == open.cursor.at;
        let style = if here { theme.cursor } else { theme.text };
        if here {
            canvas.text(line, theme.glyphs.caret, theme.caret);
        }
        let mark = if open.marks.contains(at_row) {
            theme.glyphs.mark
        } else {
            ""
        };
        let line = Rect {
            x: line.x + 2.min(line.width),
            width: line.width.saturating_sub(2),
            ..line
        };
        let rest = canvas.column(line, 2, mark, Align::Left, theme.mark);
        let space = item.space.as_ref().map_or("", |key| key.as_str());
        let edited = item.version.as_ref().and_then(|version| version.when);
        let edited = edited.map_or_else(String::new, |at| number::date(at.0, &model.zone));
        let cells = [
            (item.title.shown(), style),
            (kind_name(&item.kind), theme.dim),
            (edited.as_str(), theme.dim),
            (space, theme.dim),
        ];
        draw(canvas, rest, cells);
    }
    let mut note = format!("{facts} · {said}");
    if open.shown.len() > rows(size) {
        note.push_str(&place(&open.cursor, open.shown.len()));
    }
    let style = style_of(canvas, check);
    if open.filter.is_shown() {
        filter_line(
            canvas,
            at,
            &open.filter,
            &Foot::of(note, style),
            Focus::Here,
        );
    } else {
        canvas.bottom_note(at, &note, style);
    }
}

fn draw_text(
    model: &Model,
    open: &Opened,
    shown: &Shown,
    canvas: &mut Canvas<'_>,
    at: Rect,
    size: Size,
) {
    let theme = canvas.theme;
    let inner = dialog(
        canvas,
        at,
        "Preview from the backup",
        Owner::captured(model, &open.manifest.profile, open.manifest.server.shown()),
    );
    match &shown.text {
        None => canvas.lines(inner, [("Reading the text.", theme.dim)]),
        Some(Err(why)) => canvas.lines(inner, [(why.as_str(), theme.danger)]),
        Some(Ok(_)) => {
            let (window, all) = shown.window(reading::width(size), lines(size));
            draw_lines(canvas, inner, &window);
            draw_search(
                canvas,
                at,
                inner,
                &window,
                &Search {
                    field: &shown.search,
                    typing: shown.typing,
                    hits: &shown.hits,
                    top: shown.top,
                },
            );
            let below = all.saturating_sub(shown.top + lines(size));
            if below > 0 {
                let note = format!("{} more", number::count(below as u64, "line"));
                canvas.bottom_note(at, &note, theme.dim);
            }
        }
    }
}

fn draw_removal(model: &Model, removal: &Removal, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let (lines, rows) = removal.text(size);
    let high = u16::try_from(rows + 4).unwrap_or(size.height);
    let at = centred(size, size.width.saturating_sub(2).min(72), high);
    let inner = dialog(canvas, at, "Remove a backup", Owner::profile(model));
    scroll::draw(canvas, at, inner.y, (&lines, 0, rows, removal.top));
    let line = row_of(inner, usize::from(inner.height.saturating_sub(2)));
    let label = format!("Type {} to remove it:  ", removal.wanted);
    let used = canvas.text(line, &label, theme.text);
    let field = Rect {
        x: line.x + used,
        width: line.width.saturating_sub(used),
        ..line
    };
    form::text_field(canvas, field, &removal.typed, true);
    if let Some(problem) = &removal.problem {
        let line = row_of(inner, usize::from(inner.height.saturating_sub(1)));
        canvas.text(line, problem, theme.danger);
    }
}

fn draw_again(
    model: &Model,
    (open, again): (&Opened, &Again),
    canvas: &mut Canvas<'_>,
    size: Size,
) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(2).min(72);
    let items = open.items.as_deref().unwrap_or_default();
    let unfit = again.unfit(items).unwrap_or_default();
    let text = folded(&unfit, usize::from(wide.saturating_sub(4)).max(10));
    let told = if unfit.is_empty() { 0 } else { text.len() + 1 };
    let fields = form::height(&again.form, wide);
    // Where not all fits, the fields do: the names are in the plan that follows.
    let room = tallest(size).saturating_sub(fields + 4);
    let told = u16::try_from(told).unwrap_or(room).min(room);
    let at = centred(size, wide, fields + told + 4);
    let inner = dialog(canvas, at, &again.title(), Owner::server(model));
    let body = Rect {
        y: inner.y + 1.min(inner.height),
        height: inner.height.saturating_sub(2),
        ..inner
    };
    let lines = text.iter().map(|line| (line.as_str(), theme.warning));
    let above = Rect {
        height: told.min(body.height),
        ..body
    };
    canvas.lines(above, lines);
    let below = Rect {
        y: body.y + told,
        height: body.height.saturating_sub(told),
        ..body
    };
    form::draw(&again.form, canvas, below);
}
