//! What everything is drawn with: cells, a theme, and what lists and boxes have in common.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Widget as _;

use super::theme::{Focus, Theme};
use crate::app::modal::reading::{Tone, folded_pieces};
use crate::app::spread::Spread;
use crate::confluence::ApiError;
use crate::text::width::{self, Align};

/// What stands between two columns of a table.
const GAP: u16 = 2;

/// The sign beside the head of the column that a list is ordered by.
pub(super) fn order_sign(descending: bool) -> &'static str {
    if descending { " ↓" } else { " ↑" }
}

/// How wide a column of keys is in a list of this width: as the widest needs it, where names of the
/// usual length stay whole beside it. `beside` is what all columns but those two take.
pub(super) fn key_column(list: u16, least: u16, beside: u16, keys: &Spread, names: &Spread) -> u16 {
    let room = list.saturating_sub(beside).saturating_sub(names.most());
    least.max(keys.widest().min(list / 3).min(room))
}

/// The inside of a pane or dialog without the blank column at each side, where text stands.
pub(super) fn margin(inner: Rect) -> Rect {
    Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    }
}

/// The style of a piece of text to read.
pub(super) fn style_of(theme: &Theme, tone: Tone) -> Style {
    match tone {
        Tone::Plain => theme.text,
        Tone::Dim => theme.dim,
        Tone::Heading => theme.heading,
        Tone::Key => theme.key,
        Tone::Good => theme.good,
        Tone::Warning => theme.warning,
        Tone::Danger => theme.danger,
    }
}

/// Cells to write, a theme to write them with, and where the terminal's cursor goes.
pub(super) struct Canvas<'a> {
    /// The cells.
    pub(super) buffer: &'a mut Buffer,
    /// The theme.
    pub(super) theme: &'a Theme,
    /// Where text is being typed.
    pub(super) cursor: Option<(u16, u16)>,
    /// Where the dialog on top is.
    pub(super) dialog: Option<Rect>,
}

impl Canvas<'_> {
    /// Writes one line of text at the start of `area`, cut to it; says how wide it was.
    pub(super) fn text(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        if area.width == 0 || area.height == 0 {
            return 0;
        }
        let text = width::clip(text, usize::from(area.width));
        if width::is_ascii_line(&text) {
            return self.ascii(area, &text, style);
        }
        if width::has_right_to_left(&text) {
            return self.isolated(area, &text, style);
        }
        let (end, _) =
            self.buffer
                .set_stringn(area.x, area.y, &text, usize::from(area.width), style);
        end - area.x
    }

    /// Writes a line of printable ASCII, a cell each: most of what a screen holds, and `set_stringn`
    /// would look for the clusters in it first, which is a seventh of a frame's time.
    fn ascii(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let room = self.buffer.area.intersection(area);
        if room.is_empty() || (room.x, room.y) != (area.x, area.y) {
            return 0;
        }
        let from = self.buffer.index_of(room.x, room.y);
        let cells = &mut self.buffer.content[from..from + usize::from(room.width)];
        let mut used = 0;
        for (cell, byte) in cells.iter_mut().zip(text.bytes()) {
            cell.set_char(char::from(byte)).set_style(style);
            used += 1;
        }
        used
    }

    /// Writes text that runs from right to left so that it can't reorder its row.
    ///
    /// Terminals keep a mark without width with the cell before it, so the opening one goes into
    /// that cell here too: else it would stay behind when the text goes. Drawn as a span, as
    /// `set_stringn` drops the marks.
    fn isolated(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let isolated = width::isolate(text);
        let wide = u16::try_from(width::width(text))
            .unwrap_or(area.width)
            .min(area.width);
        let mut chars = isolated.chars();
        let body = match (area.x.checked_sub(1), chars.next()) {
            (Some(before), Some(opening)) if before >= self.buffer.area.x => {
                let cell = &mut self.buffer[(before, area.y)];
                if !cell.symbol().ends_with(opening) {
                    let symbol = format!("{}{opening}", cell.symbol());
                    cell.set_symbol(&symbol);
                }
                chars.as_str()
            }
            _ => &*isolated,
        };
        let at = Rect {
            width: wide,
            height: 1,
            ..area
        };
        Span::styled(body, style).render(at, self.buffer);
        wide
    }

    /// Writes pieces one after the other; says how wide they were.
    pub(super) fn pieces<'t>(
        &mut self,
        area: Rect,
        pieces: impl IntoIterator<Item = (&'t str, Style)>,
    ) -> u16 {
        let mut rest = area;
        for (text, style) in pieces {
            let used = self.text(rest, text, style);
            rest.x += used;
            rest.width -= used;
        }
        area.width - rest.width
    }

    /// Writes keys with their words at the end of `area`, as the footer has them, if there is room
    /// for all; says how wide that was.
    pub(super) fn keys_right(&mut self, area: Rect, keys: &[(&str, &str)], gap: &str) -> u16 {
        let of = |(key, word): &(&str, &str)| match (key.is_empty(), word.is_empty()) {
            (false, false) => width::width(key) + 1 + width::width(word),
            _ => width::width(key) + width::width(word),
        };
        let gaps = width::width(gap) * keys.len().saturating_sub(1);
        let wide = keys.iter().map(of).sum::<usize>() + gaps;
        let Some(wide) = u16::try_from(wide).ok().filter(|it| *it <= area.width) else {
            return 0;
        };
        let theme = self.theme;
        let pieces = keys.iter().enumerate().flat_map(|(ix, (key, word))| {
            let between = if ix == 0 { "" } else { gap };
            let blank = if key.is_empty() { "" } else { " " };
            [
                (between, theme.key_word),
                (*key, theme.key),
                (blank, theme.key_word),
                (*word, theme.key_word),
            ]
        });
        self.pieces(
            Rect {
                x: area.right() - wide,
                width: wide,
                ..area
            },
            pieces,
        );
        wide
    }

    /// Writes text so that it ends at the end of `area`; says how wide it was.
    pub(super) fn right(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let text = width::clip(text, usize::from(area.width));
        let wide = u16::try_from(width::width(&text))
            .unwrap_or(area.width)
            .min(area.width);
        self.text(
            Rect {
                x: area.x + area.width - wide,
                width: wide,
                ..area
            },
            &text,
            style,
        );
        wide
    }

    /// Fills `area` with blanks, to draw something over what is there.
    pub(super) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.y..area.bottom() {
            self.mend_cuts(area, y);
            for x in area.x..area.right() {
                self.buffer[(x, y)].reset();
            }
        }
        self.buffer.set_style(area, self.theme.ground);
    }

    /// Mends what is left beside `area` in this row when something is drawn over the rest of it: a wide
    /// letter that reaches in from the left would hide the first column, and an isolate that is cut
    /// would take in what is drawn there.
    fn mend_cuts(&mut self, area: Rect, y: u16) {
        let mut open = 0;
        let mut open_before = 0;
        for x in self.buffer.area.x..area.right() {
            if x == area.x {
                open_before = open;
            }
            open = width::isolates_open(self.buffer[(x, y)].symbol(), open);
        }
        if let Some(x) = area.x.checked_sub(1).filter(|x| *x >= self.buffer.area.x) {
            let cell = &mut self.buffer[(x, y)];
            if width::width(cell.symbol()) > 1 {
                cell.set_symbol(" ");
            }
            if open_before > 0 {
                cell.set_symbol(&width::isolates_closed(cell.symbol(), open_before));
            }
        }
        if open > 0 && area.right() < self.buffer.area.right() {
            let cell = &mut self.buffer[(area.right(), y)];
            cell.set_symbol(&width::isolates_opened(cell.symbol(), open));
        }
    }

    /// Draws a border with a title in it; the border of what has the keys differs in more than colour.
    pub(super) fn frame(&mut self, area: Rect, title: &[(&str, Style)], focus: Focus) {
        self.frame_in(area, title, self.theme.border_of(focus));
    }

    /// Draws a border in this style, with a title in it.
    pub(super) fn frame_in(&mut self, area: Rect, title: &[(&str, Style)], style: Style) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        let set = self.theme.glyphs.border;
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.buffer[(x, area.y)]
                .set_symbol(set.horizontal_top)
                .set_style(style);
            self.buffer[(x, bottom)]
                .set_symbol(set.horizontal_bottom)
                .set_style(style);
        }
        for y in area.y + 1..bottom {
            self.buffer[(area.x, y)]
                .set_symbol(set.vertical_left)
                .set_style(style);
            self.buffer[(right, y)]
                .set_symbol(set.vertical_right)
                .set_style(style);
        }
        self.buffer[(area.x, area.y)]
            .set_symbol(set.top_left)
            .set_style(style);
        self.buffer[(right, area.y)]
            .set_symbol(set.top_right)
            .set_style(style);
        self.buffer[(area.x, bottom)]
            .set_symbol(set.bottom_left)
            .set_style(style);
        self.buffer[(right, bottom)]
            .set_symbol(set.bottom_right)
            .set_style(style);
        if !title.is_empty() && area.width > 4 {
            let top = Rect {
                x: area.x + 1,
                width: area.width - 2,
                height: 1,
                ..area
            };
            let pieces = [(" ", style)]
                .into_iter()
                .chain(title.iter().copied())
                .chain([(" ", style)]);
            self.pieces_over_border(top, pieces);
        }
    }

    /// Writes over a border; says how wide it was.
    ///
    /// A cell keeps what was laid on it before. A title that is no bolder than another says so on a
    /// bold border too, where no colour tells them apart; and what is dimmed takes no colour from
    /// the border: dim on a hue has too little contrast to be read.
    pub(super) fn over_border(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let used = self.text(area, text, style);
        let cells = Rect {
            width: used,
            height: 1.min(area.height),
            ..area
        };
        let cells = cells.intersection(self.buffer.area);
        let wanted = style.add_modifier;
        let dimmed = wanted.contains(Modifier::DIM) && style.fg.is_none();
        for x in cells.left()..cells.right() {
            let cell = &mut self.buffer[(x, area.y)];
            cell.modifier = wanted;
            if dimmed {
                cell.fg = self.theme.ground.fg.unwrap_or(Color::Reset);
            }
        }
        used
    }

    /// Writes pieces over a border, one after the other.
    pub(super) fn pieces_over_border<'t>(
        &mut self,
        area: Rect,
        pieces: impl IntoIterator<Item = (&'t str, Style)>,
    ) {
        let mut rest = area;
        for (text, style) in pieces {
            let used = self.over_border(rest, text, style);
            rest.x += used;
            rest.width -= used;
        }
    }

    /// Takes the weight off the row under the cursor of a pane that hasn't the keys: of two rows with
    /// a caret, the one that keys move is seen at once, without colours too.
    pub(super) fn at_rest(&mut self, row: Rect) {
        let row = row.intersection(self.buffer.area);
        for y in row.top()..row.bottom() {
            for x in row.left()..row.right() {
                self.buffer[(x, y)].modifier.remove(Modifier::BOLD);
            }
        }
    }

    /// Draws what stands before a row, two columns: the caret, and the mark. Gives the rest of the
    /// row.
    pub(super) fn gutter(&mut self, row: Rect, here: bool, marked: bool) -> Rect {
        let theme = self.theme;
        let one = Rect { width: 1, ..row };
        if here {
            self.text(one, theme.glyphs.caret, theme.caret);
        }
        if marked {
            // A marked row under the cursor keeps its mark beside the caret.
            let x = row.x + u16::from(here);
            self.text(Rect { x, ..one }, theme.glyphs.mark, theme.mark);
        }
        Rect {
            x: row.x + 2,
            width: row.width.saturating_sub(2),
            ..row
        }
    }

    /// Writes into a pane that has nothing else why reading failed, and what to do.
    pub(super) fn failure(&mut self, area: Rect, error: &ApiError, again: &str) {
        let theme = self.theme;
        let (told, hint) = (error.told(), error.hint());
        let used = self.paragraphs(
            area,
            [(told.as_str(), theme.danger), (hint.as_str(), theme.text)],
        );
        let line = Rect {
            y: area.y + used,
            height: u16::from(used < area.height),
            ..area
        };
        self.pieces(line, [(again, theme.key), (" tries again.", theme.dim)]);
    }

    /// Writes a note into the bottom border, at its end.
    pub(super) fn bottom_note(&mut self, area: Rect, note: &str, style: Style) {
        if note.is_empty() || area.width < 6 || area.height < 2 {
            return;
        }
        let line = Rect {
            x: area.x + 2,
            y: area.bottom() - 1,
            width: area.width - 4,
            height: 1,
        };
        let note = format!(" {note} ");
        let note = width::clauses(&note, usize::from(line.width));
        let wide = u16::try_from(width::width(&note)).unwrap_or(line.width);
        let at = Rect {
            x: line.right() - wide.min(line.width),
            width: wide.min(line.width),
            ..line
        };
        self.over_border(at, &note, style);
    }

    /// Writes text into exactly `columns`, cut or padded; says where the next column begins.
    pub(super) fn column(
        &mut self,
        area: Rect,
        columns: u16,
        text: &str,
        align: Align,
        style: Style,
    ) -> Rect {
        let columns = columns.min(area.width);
        let cell = Rect {
            width: columns,
            ..area
        };
        // The blanks stay outside of the text: isolated text would put them on its other side.
        match align {
            Align::Left | Align::Centre => self.text(cell, text, style),
            Align::Right => self.right(cell, text, style),
        };
        Rect {
            x: area.x + columns,
            width: area.width - columns,
            ..area
        }
    }

    /// Writes the head of a column that stands apart from the one before; says where the next begins.
    pub(super) fn column_head(&mut self, area: Rect, columns: u16, name: &str) -> Rect {
        let columns = columns.min(area.width);
        let gap = GAP.min(columns);
        let rest = Rect {
            x: area.x + gap,
            width: area.width - gap,
            ..area
        };
        self.column(
            rest,
            columns - gap,
            name,
            Align::Left,
            self.theme.table_head,
        )
    }

    /// Picks out the parts of a text that a filter matched. The text stands at the start of `area`
    /// already, cut to it. One that runs from right to left is left as it is: where its parts stand is
    /// the terminal's business.
    pub(super) fn pick_out(&mut self, area: Rect, text: &str, hits: &[Range<usize>]) {
        if hits.is_empty() || area.is_empty() || width::has_right_to_left(text) {
            return;
        }
        let last = match width::clip(text, usize::from(area.width)) {
            Cow::Borrowed(whole) => width::width(whole),
            // The ellipsis is no part of it.
            Cow::Owned(cut) => width::width(&cut) - 1,
        };
        let column = |at: usize| {
            let column = width::width(&text[..at]).min(last);
            u16::try_from(column).unwrap_or(area.width)
        };
        for hit in hits {
            let (from, to) = (column(hit.start), column(hit.end));
            let part = Rect {
                x: area.x + from,
                width: to - from,
                height: 1,
                ..area
            };
            self.buffer.set_style(part, self.theme.matched);
        }
    }

    /// Writes text and the blanks after it up to `columns`; says how many columns those were.
    pub(super) fn column_width(
        &mut self,
        area: Rect,
        columns: u16,
        text: &str,
        style: Style,
    ) -> u16 {
        let columns = columns.min(area.width);
        self.text(
            Rect {
                width: columns,
                ..area
            },
            text,
            style,
        );
        columns
    }

    /// Writes paragraphs one below the other; lines that don't fit are left out.
    pub(super) fn lines<'t>(
        &mut self,
        area: Rect,
        lines: impl IntoIterator<Item = (&'t str, Style)>,
    ) {
        self.paragraphs(area, lines);
    }

    /// Writes a paragraph with keys in it, which look as they do in the footer.
    pub(super) fn sentence(&mut self, area: Rect, pieces: &[(Tone, &str)]) {
        let lines = folded_pieces(pieces, usize::from(area.width));
        for (line, y) in lines.iter().zip(area.y..area.bottom()) {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            let theme = self.theme;
            let styled = line
                .iter()
                .map(|(tone, text)| (text.as_str(), style_of(theme, *tone)));
            self.pieces(row, styled);
        }
    }

    /// Writes paragraphs one below the other; says how many rows they took.
    fn paragraphs<'t>(
        &mut self,
        area: Rect,
        lines: impl IntoIterator<Item = (&'t str, Style)>,
    ) -> u16 {
        let mut y = area.y;
        for (text, style) in lines {
            for part in crate::app::modal::reading::folded(text, usize::from(area.width)) {
                if y >= area.bottom() {
                    return area.height;
                }
                self.text(
                    Rect {
                        y,
                        height: 1,
                        ..area
                    },
                    &part,
                    style,
                );
                y += 1;
            }
        }
        y - area.y
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    /// Draws a text into so many columns, and gives back the columns that are picked out.
    fn picked_out(text: &str, columns: u16, parts: &[&str]) -> Vec<u16> {
        let place = |part: &&str| {
            text.match_indices(*part)
                .map(|(at, it)| at..at + it.len())
                .next()
        };
        let hits: Vec<_> = parts.iter().filter_map(place).collect();
        let theme = Theme::auto();
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns + 4, 1));
        let mut canvas = Canvas {
            buffer: &mut buffer,
            theme: &theme,
            cursor: None,
            dialog: None,
        };
        let area = Rect::new(1, 0, columns, 1);
        canvas.text(area, text, theme.text);
        canvas.pick_out(area, text, &hits);
        let is_picked = |x: &u16| buffer[(*x, 0)].modifier.contains(Modifier::UNDERLINED);
        (0..columns + 4).filter(is_picked).collect()
    }

    #[test]
    fn what_is_picked_out_is_where_it_stands_and_never_the_ellipsis() {
        let text = "Failover drill";
        let whole = picked_out(text, 20, &["Fa", "drill"]);
        assert_eq!(whole, [1, 2, 10, 11, 12, 13, 14]);
        assert_eq!(picked_out(text, 14, &["drill"]), [10, 11, 12, 13, 14]);
        // "Failov…"
        assert_eq!(picked_out(text, 7, &["over"]), [5, 6]);
        assert_eq!(picked_out(text, 7, &["drill"]), [0; 0]);
        // "港…", and a blank.
        assert_eq!(picked_out("港の港", 4, &["港の港"]), [1, 2]);
        assert_eq!(picked_out("港の港", 6, &["の"]), [3, 4]);
        assert_eq!(picked_out("مسودة", 9, &["مس"]), [0; 0]);
        assert_eq!(picked_out(text, 0, &["Fa"]), [0; 0]);
    }

    #[test]
    fn a_bold_border_makes_nothing_bold_that_stands_in_it() {
        let theme = Theme::auto();
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 3));
        let mut canvas = Canvas {
            buffer: &mut buffer,
            theme: &theme,
            cursor: None,
            dialog: None,
        };
        let title = [("A", theme.title), ("b", theme.text), ("c", theme.dim)];
        canvas.frame(Rect::new(0, 0, 20, 3), &title, Focus::Here);
        let looks = |x| buffer[(x, 0)].modifier;
        assert_eq!(looks(2), Modifier::BOLD);
        assert_eq!(looks(3), Modifier::empty());
        assert_eq!(looks(4), Modifier::DIM);
        assert_eq!(looks(6), Modifier::BOLD, "the border itself");
    }
}
