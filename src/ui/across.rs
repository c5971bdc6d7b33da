//! The trash of many spaces: one row for each space, or the items of one.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{Canvas, key_column, order_sign};
use super::content::{Column, KIND, What, beside_title, head, short_kind, trash_columns};
use super::spaces::{Foot, filter_line};
use super::theme::{Focus, Theme};
use crate::app::across::{Across, Going, Inside, ItemSort, Read, Scope, Sort, SpaceTrash};
use crate::app::expansions::{Operation, word};
use crate::app::fields::kind_name;
use crate::app::layout::{WIDE, inside};
use crate::app::model::{Model, TABLE};
use crate::app::tree::{Order, Shape};
use crate::confluence::{ErrorKind, Moment};
use crate::text::index::positions;
use crate::text::number;
use crate::text::width::{self, Align};

/// Draws the view.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(across) = &model.across else { return };
    let focus = Focus::when(model.modals.is_empty() && !model.preview_has_keys());
    let mut foot = foot(model, across, canvas.theme);
    let missing = model
        .inflight
        .expansions
        .missing(Operation::Trash)
        .map(word);
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        foot.note(
            format!("not read: {}", missing.join(", ")),
            canvas.theme.warning,
        );
    }
    if across.is_uncertain() {
        let note = "may not be all: a list repeats rows";
        foot.note(note.to_owned(), canvas.theme.warning);
    }
    match &across.inside {
        Some(within) => draw_inside(model, across, within, canvas, area, focus),
        None => draw_spaces(model, across, canvas, area, focus),
    }
    let (cursor, rows) = match &across.inside {
        Some(within) => (within.cursor, within.view.len()),
        None => (across.cursor, across.len()),
    };
    // The head of the columns is no row.
    let seen = usize::from(inside(area).height.saturating_sub(1));
    foot.place("", cursor, rows, seen, "");
    filter_line(canvas, area, &across.filter, &foot, focus);
}

/// "2 marked: 30,443 items", or what the filter lets through.
fn foot(model: &Model, across: &Across, theme: &Theme) -> Foot {
    let mut foot = Foot::default();
    if across.inside.as_ref().is_some_and(Inside::is_sorting) {
        foot.note("sorting …".to_owned(), theme.dim);
    }
    if across.is_filtering() {
        foot.note("filtering …".to_owned(), theme.dim);
    } else if across.filter.applied.is_some() {
        let matching = across.matching() as u64;
        let note = format!(
            "{} in {}",
            number::count(matching, "item"),
            number::count(across.len() as u64, "space")
        );
        foot.note(note, theme.dim);
    }
    let marked = across.marked() as u64;
    if marked > 0 {
        let hidden = across.hidden_marks() as u64;
        let hidden = if hidden > 0 {
            format!(", {} hidden", number::grouped(hidden))
        } else {
            String::new()
        };
        let spaces = number::count(across.marks.len() as u64, "space");
        let note = format!(
            "{} marked in {spaces}{hidden}",
            number::count(marked, "item")
        );
        foot.note(note, theme.mark);
    }
    // What is wrong with the space under the cursor, in full.
    let here = across.at_cursor().filter(|_| across.inside.is_none());
    if let Some(Read::Failed(error)) = here.map(|space| &space.read)
        && foot.is_empty()
    {
        let note = format!("{} {}", error.message, model.spell("‹open› tries again."));
        foot.note(note, theme.warning);
    }
    foot
}

/// "48,112 items · 1,180 read, 24 to go", and why it stopped where it did.
fn state(model: &Model, across: &Across) -> String {
    let (items, exact) = across.items();
    let plus = if exact { "" } else { "+" };
    let noun = if items == 1 && exact { "item" } else { "items" };
    let items = format!("{}{plus} {noun}", number::grouped(items));
    let (settled, all) = (across.settled() as u64, across.rows.len() as u64);
    let progress = match &across.going {
        Going::On if settled < all => format!(
            " · {} read, {} to go",
            number::grouped(settled),
            number::grouped(all - settled)
        ),
        Going::On => String::new(),
        Going::Stopped | Going::Halted(_) if settled < all => {
            format!(
                " · stopped at {} of {}, {}",
                number::grouped(settled),
                number::grouped(all),
                model.spell("‹refresh› reads on")
            )
        }
        Going::Stopped | Going::Halted(_) => String::new(),
    };
    let as_of = match across.as_of {
        Some(at) if settled == all => {
            format!(" · as of {}", number::time(model.time(at), &model.zone))
        }
        Some(_) | None => String::new(),
    };
    let list = match across.rows.iter().any(|row| row.by_list) {
        true if model.size.width < WIDE => " · no attachments",
        true => " · through the content list, without attachments",
        false => "",
    };
    let short = if across.scope == Scope::All && model.spaces.is_cut_short() {
        " · of a list cut short"
    } else {
        ""
    };
    format!("{items}{progress}{as_of}{list}{short}")
}

/// How wide the columns of the spaces are; 0 where there is no room.
struct Columns {
    key: u16,
    name: u16,
    items: u16,
    oldest: u16,
    newest: u16,
    seen: u16,
}

fn columns(width: u16, across: &Across) -> Columns {
    let (least, items) = (if width < 60 { 9 } else { 12 }, 10);
    // The longest head of a date with its sign, and a blank before it.
    let date = |from| if width < from { 0 } else { 14 };
    let (newest, oldest, seen) = (date(46), date(70), date(84));
    // The caret before, a gap between key and name, a blank behind.
    let beside = 2 + 2 + 1 + items + oldest + newest + seen;
    let (keys, names) = (&across.key_widths, &across.name_widths);
    let key = key_column(width, least, beside, keys, names);
    let name = width.saturating_sub(3 + key + items + oldest + newest + seen);
    Columns {
        key,
        name,
        items,
        oldest,
        newest,
        seen,
    }
}

fn draw_spaces(model: &Model, across: &Across, canvas: &mut Canvas<'_>, area: Rect, focus: Focus) {
    let theme = canvas.theme;
    let title = match &across.scope {
        Scope::All => format!(
            "Trash across {} ",
            number::count(across.rows.len() as u64, "space")
        ),
        Scope::Marked(_) => format!(
            "Trash across {} ",
            number::count(across.rows.len() as u64, "marked space")
        ),
    };
    let state = state(model, across);
    canvas.frame(
        area,
        &[
            (&title, theme.title),
            (theme.glyphs.rule, theme.dim),
            (" ", theme.dim),
            (&state, theme.dim),
        ],
        focus,
    );
    let inner = inside(area);
    if inner.height < 2 {
        return;
    }
    let widths = columns(inner.width, across);
    let cells = Rect {
        x: inner.x + 2,
        width: inner.width.saturating_sub(2),
        height: 1,
        ..inner
    };
    let head = theme.table_head;
    let name = |by, name: &str, descending| {
        if across.sort == by {
            format!("{name}{}", order_sign(descending))
        } else {
            name.to_owned()
        }
    };
    let key = name(Sort::Key, "KEY", false);
    let cells = canvas.column(cells, widths.key, &key, Align::Left, head);
    let cells = canvas.column_head(cells, widths.name, "SPACE");
    let items = name(Sort::Items, "ITEMS", true);
    let cells = canvas.column(cells, widths.items, &items, Align::Right, head);
    let oldest = name(Sort::Oldest, "OLDEST EDIT", false);
    let cells = canvas.column(cells, widths.oldest, &oldest, Align::Right, head);
    let newest = name(Sort::Newest, "NEWEST EDIT", true);
    let cells = canvas.column(cells, widths.newest, &newest, Align::Right, head);
    canvas.column(cells, widths.seen, "FIRST SEEN", Align::Right, head);
    let body = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if across.is_empty() {
        let text = match (across.filter.applied.is_some(), across.is_reading()) {
            (true, true) => "Nothing matches so far.",
            (true, false) => "Nothing matches. ‹cancel› clears the filter.",
            (false, _) => "No spaces are listed.",
        };
        canvas.lines(indented(body), [(model.spell(text).as_str(), theme.dim)]);
        return;
    }
    let window = across.cursor.window(across.len(), usize::from(body.height));
    for (line, row) in window.enumerate() {
        let Some(space) = across.row(row) else {
            continue;
        };
        let at = Rect {
            y: body.y + u16::try_from(line).unwrap_or(0),
            height: 1,
            ..body
        };
        let here = row == across.cursor.at;
        draw_space(model, across, canvas, at, &widths, space, here);
    }
}

fn indented(area: Rect) -> Rect {
    Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    }
}

fn draw_space(
    model: &Model,
    across: &Across,
    canvas: &mut Canvas<'_>,
    at: Rect,
    widths: &Columns,
    space: &SpaceTrash,
    here: bool,
) {
    let theme = canvas.theme;
    let marked = across.marked_of(&space.key);
    let cells = canvas.gutter(at, here, marked > 0);
    let key_style = if here { theme.cursor } else { theme.text };
    let cells = canvas.column(
        cells,
        widths.key,
        space.key.as_str(),
        Align::Left,
        key_style,
    );
    let name = Rect {
        x: cells.x + 2,
        width: cells.width.saturating_sub(2),
        ..cells
    };
    // What keeps a space from being read stands where its numbers would be, and takes of its name
    // what it needs.
    if let Read::Failed(error) = &space.read {
        let why = match error.kind {
            ErrorKind::Forbidden => "no permission",
            ErrorKind::NotFound => "not there any more",
            ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Timeout | ErrorKind::Lost => {
                "not reached"
            }
            _ => "could not be read",
        };
        let style = if error.kind == ErrorKind::Forbidden {
            theme.dim
        } else {
            theme.warning
        };
        let needed = u16::try_from(width::width(why)).unwrap_or(0) + 3;
        let wide = widths.name.min(name.width.saturating_sub(needed) + 2);
        let rest = canvas.column(
            name,
            wide.saturating_sub(2),
            &space.name,
            Align::Left,
            theme.text,
        );
        let text = Rect {
            x: rest.x + 2.min(rest.width),
            width: rest.width.saturating_sub(2),
            ..rest
        };
        canvas.text(text, why, style);
        return;
    }
    let cells = canvas.column(
        name,
        widths.name.saturating_sub(2),
        &space.name,
        Align::Left,
        theme.text,
    );
    let (count, exact) = space.count();
    let count = match (&space.read, across.filter.applied.is_some()) {
        (_, true) if !space.is_looked_through() && space.shown_len() == 0 => {
            theme.glyphs.ellipsis.to_owned()
        }
        (_, true) => number::grouped(space.shown_len() as u64),
        (_, false) if space.items.is_empty() && !space.is_settled() => match across.going {
            Going::On => theme.glyphs.ellipsis.to_owned(),
            Going::Stopped | Going::Halted(_) => "not read".to_owned(),
        },
        (_, false) if exact => number::grouped(count),
        (_, false) => format!("{}+", number::grouped(count)),
    };
    let settled: Style = if space.is_settled() && !space.items.is_empty() {
        theme.text
    } else {
        theme.dim
    };
    let cells = canvas.column(cells, widths.items, &count, Align::Right, settled);
    let date = |moment: Option<Moment>| {
        moment.map_or_else(String::new, |at| number::date(at.0, &model.zone))
    };
    let cells = canvas.column(
        cells,
        widths.oldest,
        &date(space.oldest),
        Align::Right,
        theme.dim,
    );
    let cells = canvas.column(
        cells,
        widths.newest,
        &date(space.newest),
        Align::Right,
        theme.dim,
    );
    let seen = seen_on(model, space.first_seen());
    canvas.column(cells, widths.seen, &seen, Align::Right, theme.dim);
}

/// A day of a first sight.
fn seen_on(model: &Model, day: Option<jiff::civil::Date>) -> String {
    match day {
        None => String::new(),
        Some(day) if day == model.today() => "today".to_owned(),
        Some(day) => day.to_string(),
    }
}

fn draw_inside(
    model: &Model,
    across: &Across,
    within: &Inside,
    canvas: &mut Canvas<'_>,
    area: Rect,
    focus: Focus,
) {
    let theme = canvas.theme;
    let space = &across.rows[within.row];
    let (count, exact) = space.count();
    let plus = if exact { "" } else { "+" };
    let of = if across.filter.applied.is_some() {
        format!("{} of ", number::grouped(space.shown_len() as u64))
    } else {
        String::new()
    };
    let state = format!("{of}{}{plus}", number::grouped(count));
    canvas.frame(
        area,
        &[
            ("Trash of ", theme.title),
            (space.key.as_str(), theme.accent),
            (" ", theme.title),
            (&state, theme.text),
        ],
        focus,
    );
    let inner = inside(area);
    if inner.height < 2 {
        return;
    }
    let order = match within.sort {
        ItemSort::Server => Order::Server,
        ItemSort::Title => Order::Title,
        ItemSort::Oldest => Order::Oldest,
        ItemSort::Newest => Order::Newest,
    };
    let columns = trash_columns(inner.width, Shape::Table, order, across.editors_wide());
    // Where the columns leave no room for a title, the date alone stays.
    let columns: Vec<Column> = if area.width < TABLE {
        let is_date = |column: &Column| column.what == What::Edited;
        columns.into_iter().filter(is_date).collect()
    } else {
        columns
    };
    let body = head(canvas, inner, 1, &columns, order);
    if within.view.is_empty() {
        let text = if across.filter.applied.is_some() {
            "Nothing matches here. ‹cancel› clears the filter."
        } else if space.is_settled() {
            "Nothing in the trash of this space."
        } else {
            "Nothing was read yet."
        };
        canvas.lines(indented(body), [(model.spell(text).as_str(), theme.dim)]);
        return;
    }
    let marks = across.marks.get(&space.key);
    let window = within
        .cursor
        .window(within.view.len(), usize::from(body.height));
    for (line, row) in window.enumerate() {
        let ix = within.view[row];
        let item = &space.items[ix as usize];
        let at = Rect {
            y: body.y + u16::try_from(line).unwrap_or(0),
            height: 1,
            ..body
        };
        let here = row == within.cursor.at;
        let marked = marks.is_some_and(|marks| marks.contains(&item.id));
        let title = canvas.gutter(at, here, marked);
        let title = Rect {
            width: title.width.saturating_sub(beside_title(&columns)),
            ..title
        };
        let style = if here { theme.cursor } else { theme.text };
        let name = match space.title(ix) {
            "" => format!("(no title, id {})", item.id),
            title => title.to_owned(),
        };
        canvas.text(title, &name, style);
        if let Some(filter) = &across.filter.applied
            && !space.title(ix).is_empty()
        {
            canvas.pick_out(title, &name, &positions(filter, &name));
        }
        let mut cells = Rect {
            x: title.right(),
            width: at.right().saturating_sub(title.right()),
            ..at
        };
        for column in &columns {
            let text = match column.what {
                What::Kind if column.width < KIND => short_kind(&item.kind).to_owned(),
                What::Kind => kind_name(&item.kind).to_owned(),
                What::Edited => item
                    .edited
                    .map_or_else(String::new, |at| number::date(at.0, &model.zone)),
                What::Editor => across.by(item).to_owned(),
                What::Parent => across.former_parent(item).to_owned(),
                What::Seen => seen_on(model, item.first_seen()),
            };
            cells.x += 2.min(cells.width);
            cells.width = cells.width.saturating_sub(2);
            cells = canvas.column(cells, column.width, &text, Align::Left, theme.dim);
        }
    }
}
