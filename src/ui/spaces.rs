//! The list of spaces.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{Canvas, key_column, margin, order_sign};
use super::theme::Focus;
use crate::app::inflight::{Retry, Waiter};
use crate::app::layout::{Pane, inside};
use crate::app::list::Cursor;
use crate::app::modal::reading::folded;
use crate::app::modal::spaces_filter::summary;
use crate::app::model::Model;
use crate::app::pane::filter::FilterLine;
use crate::app::pane::spaces::{
    Ended, FILTER_KEYS, Heeded, Sort, SortBy, SpaceTable, row_text, standing,
};
use crate::app::remote::Remote;
use crate::confluence::{ApiError, Space, SpaceStatus};
use crate::text::index::positions;
use crate::text::width::Align;
use crate::text::{number, width};

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = canvas.theme;
    let spaces = &model.spaces;
    let focus = Focus::when(model.focus == Pane::Spaces && model.modals.is_empty());
    let counts = match counts(model) {
        counts if counts.is_empty() => counts,
        counts => format!(" {counts}"),
    };
    let asked = match (summary(&spaces.shown), spaces.heeded) {
        (asked, _) if asked.is_empty() => asked,
        (asked, Heeded::Yes) => format!(" · {asked}"),
        // Never over rows that are something else, or may be, as if they were that.
        (asked, Heeded::Perhaps) => format!(" · perhaps not all {asked}"),
        (asked, Heeded::No(others)) => {
            format!(" · not {asked}: {}", number::grouped(others as u64))
        }
    };
    let state = state(model);
    canvas.frame(
        area,
        &[
            ("Spaces", theme.title),
            (&counts, theme.text),
            (&asked, theme.accent),
            (&state, theme.dim),
        ],
        focus,
    );
    let mut inner = inside(area);
    if inner.is_empty() {
        return;
    }
    let error = model.spaces_failure();
    if spaces.table.is_empty() {
        empty(model, canvas, inner, error);
        filter_line(canvas, area, &spaces.filter, &Foot::default(), focus);
        return;
    }
    let columns = columns(inner.width, &spaces.table);
    let head = Rect { height: 1, ..inner };
    let cells = Rect {
        x: head.x + 2,
        width: head.width.saturating_sub(2),
        ..head
    };
    // Among what a filter found the best comes first, unless another order was asked for.
    let is_sorted = spaces.filter.applied.is_none() || spaces.sort != Sort::default();
    let name = |by, name: &str| {
        if is_sorted && spaces.sort.by == by {
            format!("{name}{}", order_sign(spaces.sort.descending))
        } else {
            name.to_owned()
        }
    };
    let key = name(SortBy::Key, "KEY");
    let cells = canvas.column(cells, columns.key, &key, Align::Left, theme.table_head);
    let cells = canvas.column_head(cells, columns.name, &name(SortBy::Name, "NAME"));
    canvas.column_head(cells, columns.status, &name(SortBy::Status, "STATUS"));
    inner = Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    };
    if spaces.is_empty() {
        let text = if spaces.load.is_some() {
            "Nothing matches so far."
        } else {
            "Nothing matches. ‹cancel› clears the filter."
        };
        canvas.lines(
            Rect {
                x: inner.x + 2,
                width: inner.width.saturating_sub(3),
                ..inner
            },
            [(model.spell(text).as_str(), theme.dim)],
        );
    }
    for (line, row) in spaces
        .cursor
        .window(spaces.len(), usize::from(inner.height))
        .enumerate()
    {
        let Some(space) = spaces.row(row) else {
            continue;
        };
        let y = inner.y + u16::try_from(line).unwrap_or(0);
        let at = Rect {
            y,
            height: 1,
            ..inner
        };
        let here = row == spaces.cursor.at;
        draw_row(model, canvas, at, &columns, space, here);
        if here && focus == Focus::Elsewhere {
            canvas.at_rest(at);
        }
    }
    let mut foot = Foot::default();
    if spaces.is_uncertain {
        let note = "may not be all: the list repeats rows";
        foot.note(note.to_owned(), canvas.theme.warning);
    }
    if !spaces.marks.is_empty() {
        let mut note = format!("{} marked", number::grouped(spaces.marks.len() as u64));
        let hidden = spaces.hidden_marks();
        if hidden > 0 {
            note.push_str(&format!(", {} hidden", number::grouped(hidden as u64)));
        }
        foot.note(note, theme.mark);
    }
    // The place in the list is not told: at each step its digits would take as many bytes as the
    // step, and a held key would go on longer after it was let go.
    filter_line(canvas, area, &spaces.filter, &foot, focus);
    if let Some(error) = error {
        match spaces.failed_filter(error) {
            Some(told) => filter_bar(model, canvas, area, &told),
            None => failure_bar(model, canvas, area, ROWS, error),
        }
    } else if let Some(retry) = retry(model) {
        let next = next_try(model, retry);
        let (now, stop) = (model.spell("‹refresh›"), model.spell("‹cancel›"));
        let keys = [
            (next.as_str(), ""),
            ("  ", now.as_str()),
            (" now   ", stop.as_str()),
            (" stop", ""),
        ];
        bar(canvas, area, ROWS, &retry.error.message, &keys);
    }
}

struct Columns {
    key: u16,
    name: u16,
    status: u16,
}

fn columns(width: u16, table: &SpaceTable) -> Columns {
    let status = if width < 34 { 1 } else { 11 };
    let least = if width < 50 { 9 } else { 12 };
    // The caret before, and a gap between the two.
    let key = key_column(width, least, 2 + 2 + status, &table.keys, &table.names);
    Columns {
        key,
        name: width.saturating_sub(2 + key + status),
        status,
    }
}

fn draw_row(
    model: &Model,
    canvas: &mut Canvas<'_>,
    at: Rect,
    columns: &Columns,
    space: &Space,
    here: bool,
) {
    let theme = canvas.theme;
    let marked = model.spaces.marks.contains(&space.key);
    let archived = space.status == Some(SpaceStatus::Archived);
    let cells = canvas.gutter(at, here, marked);
    let asked_for = model.spaces.shown.may_fit(space);
    let plain: Style = if archived || !asked_for {
        theme.dim
    } else {
        theme.text
    };
    let key_style = if here { theme.cursor } else { plain };
    let key = Rect {
        width: columns.key.min(cells.width),
        ..cells
    };
    let cells = canvas.column(
        cells,
        columns.key,
        space.key.as_str(),
        Align::Left,
        key_style,
    );
    let cells = Rect {
        x: cells.x + 2,
        width: cells.width.saturating_sub(2),
        ..cells
    };
    let name = Rect {
        width: columns.name.saturating_sub(2).min(cells.width),
        ..cells
    };
    let cells = canvas.column(cells, name.width, &space.name, Align::Left, plain);
    if let Some(filter) = &model.spaces.filter.applied {
        // It looks at both at once.
        let row = row_text(space);
        let from = row.len() - space.name.len();
        let (mut of_key, mut of_name) = (Vec::new(), Vec::new());
        for hit in positions(filter, &row) {
            of_key.push(hit.start.min(from - 1)..hit.end.min(from - 1));
            of_name.push(hit.start.max(from) - from..hit.end.max(from) - from);
        }
        canvas.pick_out(key, space.key.as_str(), &of_key);
        canvas.pick_out(name, &space.name, &of_name);
    }
    let cells = Rect {
        x: cells.x + 2,
        width: cells.width.saturating_sub(2),
        ..cells
    };
    canvas.column(
        cells,
        columns.status.saturating_sub(2),
        standing(space),
        Align::Left,
        theme.dim,
    );
}

/// "1,204 of 1,204", "500 of 1,204", "500+", "12 of 1,204".
fn counts(model: &Model) -> String {
    let spaces = &model.spaces;
    let have = spaces.table.len() as u64;
    let shown = if spaces.filter.applied.is_some() {
        spaces.len() as u64
    } else {
        have
    };
    let total = match (&spaces.load, spaces.total) {
        (_, Some(total)) => number::grouped(total.max(have)),
        // Nothing is known yet: a number would be made up.
        (_, None) if have == 0 => return String::new(),
        (_, None) => format!("{}+", number::grouped(have)),
    };
    format!("{} of {total}", number::grouped(shown))
}

fn state(model: &Model) -> String {
    let spaces = &model.spaces;
    let at = |at| number::time(model.time(at), &model.zone);
    match (&spaces.load, &spaces.ended) {
        (Some(load), _) if load.fresh.is_some() => match load.pager.progress() {
            (0, _) => " · reading again".to_owned(),
            (have, _) => format!(" · reading again, {}", number::grouped(have as u64)),
        },
        (Some(_), _) => " · loading".to_owned(),
        (None, Ended::Stopped) => model.spell(" · stopped, ‹refresh› reads on"),
        (None, Ended::Failed(_)) => match spaces.as_of {
            Some(as_of) => format!(" · as of {}", at(as_of)),
            None if spaces.table.is_empty() => String::new(),
            None => " · cut short".to_owned(),
        },
        (None, Ended::Not | Ended::Complete) => String::new(),
    }
}

/// The request for the list that waits to be tried again.
fn retry(model: &Model) -> Option<&Retry> {
    model
        .inflight
        .iter()
        .find(|a| matches!(a.waiter, Waiter::Spaces(_) | Waiter::User))
        .and_then(|a| a.retry.as_ref())
}

fn next_try(model: &Model, retry: &Retry) -> String {
    let seconds = retry.until.since(model.now).div_ceil(1_000);
    format!("Next try in {seconds} s.")
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, inner: Rect, error: Option<&ApiError>) {
    let theme = canvas.theme;
    let text = margin(inner);
    let retry = retry(model);
    if let Some(retry) = retry {
        let keys = model.spell("‹refresh› now   ‹cancel› stop");
        let next = format!("{}  {keys}", next_try(model, retry));
        canvas.lines(
            text,
            [
                (retry.error.message.as_str(), theme.warning),
                (next.as_str(), theme.dim),
            ],
        );
    } else if let Some(error) = error {
        match model.spaces.failed_filter(error) {
            Some(told) => {
                let keys = model.spell(FILTER_KEYS);
                canvas.lines(
                    text,
                    [(told.as_str(), theme.danger), (keys.as_str(), theme.dim)],
                );
            }
            None => canvas.failure(text, error, &model.spell("‹refresh›")),
        }
    } else if let Some(load) = &model.spaces.load {
        let (have, _) = load.pager.progress();
        let so_far = if have > 0 {
            format!(" {} so far.", number::grouped(have as u64))
        } else {
            String::new()
        };
        canvas.lines(
            text,
            [(
                format!("Reading the spaces of {}.{so_far}", model.profile.server()).as_str(),
                theme.dim,
            )],
        );
    } else if model.profile.base_url.is_empty() {
        canvas.lines(text, [("Starting the demo wiki.", theme.dim)]);
    } else if matches!(model.session.user, Remote::Loading { .. }) {
        canvas.lines(
            text,
            [(
                format!("Signing in at {}.", model.profile.server()).as_str(),
                theme.dim,
            )],
        );
    } else if model.spaces.ended == Ended::Complete {
        let lines = if summary(&model.spaces.shown).is_empty() {
            [
                "No spaces, or none that this user may see.",
                "‹new-space› makes one where you may; ‹refresh› reads again.",
            ]
        } else {
            [
                "The server has no such space.",
                "‹server-filter› changes what is asked for; ‹refresh› asks again.",
            ]
        };
        let lines = lines.map(|line| model.spell(line));
        canvas.lines(
            text,
            lines.each_ref().map(|line| (line.as_str(), theme.dim)),
        );
    } else {
        let line = model.spell("Nothing was read. ‹refresh› reads the spaces.");
        canvas.lines(text, [(line.as_str(), theme.dim)]);
    }
}

/// How far the text of a row is from the border: behind its mark and a blank.
pub(super) const ROWS: u16 = 2;

/// A failure over rows that are still good, above the bottom border: what happened and what to do,
/// as far as there is room, and the key that tries again. It begins `indent` columns from the border,
/// where what it lies over begins.
pub(super) fn failure_bar(
    model: &Model,
    canvas: &mut Canvas<'_>,
    area: Rect,
    indent: u16,
    error: &ApiError,
) {
    let key = model.spell("‹refresh›");
    let again = [("", key.as_str()), (" tries again.", "")];
    let told = error.told();
    let whole = format!("{told} {}", error.hint());
    let inner = inside(area);
    let columns = usize::from(inner.width.saturating_sub(indent + 1));
    let room = usize::from(inner.height / 3).max(1);
    let text = format!("{whole}  {key} tries again.");
    let fits = folded(&text, columns).len() <= room;
    let text = if fits { &whole } else { &told };
    bar(canvas, area, indent, text, &again);
}

/// The same where the server was asked for some spaces only: which, and the keys that change that or
/// ask once more.
fn filter_bar(model: &Model, canvas: &mut Canvas<'_>, area: Rect, told: &str) {
    let keys = ["‹server-filter›", "‹refresh›"].map(|key| model.spell(key));
    let [change, again] = &keys;
    let keys = [
        ("", change.as_str()),
        (" changes or clears it, ", again.as_str()),
        (" asks again.", ""),
    ];
    bar(canvas, area, ROWS, told, &keys);
}

/// What happened and what comes of it, over rows that are still good: a text, and behind it pieces
/// of plain text and keys.
fn bar(canvas: &mut Canvas<'_>, area: Rect, indent: u16, text: &str, keys: &[(&str, &str)]) {
    let inner = inside(area);
    if inner.height < 3 {
        return;
    }
    let room = Rect {
        x: inner.x + indent.min(inner.width),
        width: inner.width.saturating_sub(indent + 1),
        ..inner
    };
    let columns = usize::from(room.width);
    let again: usize = keys
        .iter()
        .map(|(plain, key)| width::width(plain) + width::width(key))
        .sum();
    let mut lines = folded(text, columns);
    // The keys stand behind the last line, or below it where they don't fit; and in any case.
    let beside = |line: &String| width::width(line) + 2 + again <= columns;
    let most = usize::from(inner.height / 3).max(1);
    let own_line = !lines.last().is_some_and(beside);
    if lines.len() + usize::from(own_line) > most {
        lines.truncate(most.saturating_sub(usize::from(most > 1)).max(1));
        if let Some(last) = lines.last_mut().filter(|_| most == 1) {
            *last = width::clip(last, columns.saturating_sub(again + 2)).into_owned();
        }
    }
    let own_line = !lines.last().is_some_and(beside);
    let high = u16::try_from(lines.len() + usize::from(own_line)).unwrap_or(1);
    let y = inner.bottom().saturating_sub(high);
    canvas.clear(Rect {
        y,
        height: high,
        ..inner
    });
    let theme = canvas.theme;
    let line = |ix: u16| Rect {
        y: y + ix,
        height: 1,
        ..room
    };
    let mut used = 0;
    for (ix, text) in (0..).zip(&lines) {
        used = canvas.text(line(ix), text, theme.danger) + 2;
    }
    if own_line {
        used = 0;
    }
    let rest = line(high - 1);
    let rest = Rect {
        x: rest.x + used,
        width: rest.width.saturating_sub(used),
        ..rest
    };
    let pieces = keys
        .iter()
        .flat_map(|(plain, key)| [(*plain, theme.dim), (*key, theme.key)]);
    canvas.pieces(rest, pieces);
}

/// What stands in the bottom border: what is to be noted, and where in the list the cursor is.
#[derive(Default)]
pub(super) struct Foot {
    /// Notes, the most important first.
    notes: Vec<(String, Style)>,
    place: Option<(String, u16)>,
}

impl Foot {
    /// Notes without a place.
    pub(super) fn of(note: String, style: Style) -> Self {
        let mut foot = Self::default();
        foot.note(note, style);
        foot
    }

    /// Adds a note, if it says anything.
    pub(super) fn note(&mut self, note: String, style: Style) {
        if !note.is_empty() {
            self.notes.push((note, style));
        }
    }

    /// Whether there is nothing to be noted.
    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// "3 of 812", in a list that is longer than what is seen of it. `word` comes before, `more`
    /// follows the number of rows, where not all are known.
    pub(super) fn place(
        &mut self,
        word: &str,
        cursor: Cursor,
        rows: usize,
        seen: usize,
        more: &str,
    ) {
        if rows > seen && cursor.at < rows {
            let (row, rows) = (cursor.at as u64 + 1, number::grouped(rows as u64));
            let text = format!(" {word}{} of {rows}{more} ", number::grouped(row));
            // As wide as at the last row: the notes before it stay where they are.
            let wide = word.len() + 2 * rows.len() + more.len() + 6;
            self.place = Some((text, u16::try_from(wide).unwrap_or(u16::MAX)));
        }
    }

    /// Draws it at the end of `line`. The place gives way to the notes, and what there is no room for
    /// beside the first note is left out whole.
    fn draw(&self, canvas: &mut Canvas<'_>, line: Rect) {
        let theme = canvas.theme;
        let mut pieces: Vec<(&str, Style)> = Vec::new();
        let room = usize::from(line.width).saturating_sub(2);
        let first = self.notes.first();
        let first = first.map(|(note, style)| (width::clauses(note, room), *style));
        let mut used = 0;
        if let Some((note, style)) = &first {
            used = width::width(note);
            pieces.extend([(" ", theme.dim), (note, *style)]);
        }
        for (note, style) in self.notes.iter().skip(1) {
            used += 3 + width::width(note);
            if used > room {
                break;
            }
            pieces.extend([(" · ", theme.dim), (note.as_str(), *style)]);
        }
        if !pieces.is_empty() {
            pieces.push((" ", theme.dim));
        }
        let wide: usize = pieces.iter().map(|(text, _)| width::width(text)).sum();
        let wide = u16::try_from(wide).unwrap_or(u16::MAX);
        let mut rest = line;
        if let Some((place, reserved)) = &self.place
            && wide.saturating_add(*reserved) <= line.width
        {
            let wide = u16::try_from(width::width(place)).unwrap_or(line.width);
            let at = Rect {
                x: line.right() - wide,
                width: wide,
                ..line
            };
            canvas.over_border(at, place, theme.dim);
            rest.width -= reserved;
        }
        let wide = wide.min(rest.width);
        let at = Rect {
            x: rest.right() - wide,
            width: wide,
            ..rest
        };
        canvas.pieces_over_border(at, pieces);
    }
}

/// The filter in the bottom border, with its problem; without a problem, the foot.
pub(super) fn filter_line(
    canvas: &mut Canvas<'_>,
    area: Rect,
    filter: &FilterLine,
    foot: &Foot,
    focus: Focus,
) {
    let theme = canvas.theme;
    if area.width < 8 || area.height < 2 {
        return;
    }
    let y = area.bottom() - 1;
    if !filter.is_shown() {
        let line = Rect {
            x: area.x + 2,
            y,
            width: area.width - 4,
            height: 1,
        };
        foot.draw(canvas, line);
        return;
    }
    let line = Rect {
        x: area.x + 1,
        y,
        width: area.width - 2,
        height: 1,
    };
    let text = filter.text();
    let room = usize::from(line.width.saturating_sub(6));
    let (before, cursor) = match &filter.field {
        Some(field) => {
            let column = field.cursor().1;
            (
                text.chars().take(column).collect::<String>(),
                width::width(&text.chars().take(column).collect::<String>()),
            )
        }
        None => (String::new(), 0),
    };
    let shown = if cursor > room {
        width::clip_start(&before, room).into_owned()
    } else {
        width::clip(&text, room).into_owned()
    };
    let style = if filter.typing {
        theme.field_focus
    } else {
        theme.field
    };
    let used = canvas.pieces(
        line,
        [
            (" / ", theme.key),
            (shown.as_str(), style),
            (" ", theme.text),
        ],
    );
    if filter.typing && focus == Focus::Here {
        let x = line.x + 3 + u16::try_from(cursor.min(room)).unwrap_or(0);
        canvas.cursor = Some((x.min(line.right().saturating_sub(1)), y));
    }
    let rest = Rect {
        x: line.x + used,
        width: line.width - used,
        ..line
    };
    if let Some(problem) = &filter.problem {
        // As much of what to do as there is room for.
        let first = filter.hint.split_inclusive(['.', '?']).next();
        let whole = format!(" {problem} {} ", filter.hint);
        let short = format!(" {problem} {} ", first.unwrap_or_default());
        let fits = |text: &String| width::width(text) <= usize::from(rest.width);
        let text = [whole, short].into_iter().find(fits);
        let text = text.unwrap_or_else(|| format!(" {problem} "));
        canvas.right(rest, &text, theme.warning);
    } else {
        let rest = Rect {
            width: rest.width.saturating_sub(1),
            ..rest
        };
        foot.draw(canvas, rest);
    }
}
