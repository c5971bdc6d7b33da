//! From the picture on the terminal to the picture wanted, in few bytes.
//!
//! Every choice weighs bytes: how to move, how to change the pen, whether to print through
//! cells that are right already, to print blanks or to erase. Nothing is written here but into
//! memory; what an encoding costs is how long it came out.

use ratatui::style::Modifier;

use super::digits::{counted, counted_len, digits, number};
use super::picture::{Look, Square, Symbols};

/// Where the terminal's cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Column and row, from 0.
    At(u16, u16),
    /// Behind the last column of this row; the next glyph would wrap.
    Margin(u16),
    /// Somewhere: only an absolute move helps.
    Unknown,
}

/// What the terminal is set to between two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pen {
    pub(super) spot: Spot,
    /// `None` before the first reset.
    pub(super) look: Option<Look>,
}

impl Pen {
    pub(super) const UNKNOWN: Self = Self {
        spot: Spot::Unknown,
        look: None,
    };
}

/// Cells in an unchanged gap that may be printed through instead of moved over.
const THROUGH: usize = 12;

/// Attributes with the SGR parameters that set and clear them.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Encodes the way from one picture to another.
pub(super) struct Encoder<'a> {
    pub(super) symbols: &'a Symbols,
    pub(super) columns: u16,
    pub(super) from: &'a [Square],
    pub(super) to: &'a [Square],
    pub(super) out: &'a mut Vec<u8>,
    pub(super) pen: Pen,
    /// Cells of the current row to print; kept between rows to save an allocation.
    pub(super) dirty: &'a mut Vec<bool>,
}

/// A way to go along a row.
#[derive(Clone, Copy)]
enum Along {
    Stay,
    Home,
    Back(u16),
    Left(u16),
    Right(u16),
    Column,
    HomeRight(u16),
}

impl Encoder<'_> {
    /// Encodes all rows.
    pub(super) fn picture(&mut self) {
        let columns = usize::from(self.columns);
        if columns == 0 {
            return;
        }
        for row in 0..self.to.len() / columns {
            let range = row * columns..(row + 1) * columns;
            if self.from[range.clone()] != self.to[range.clone()] {
                self.row(row as u16, &range);
            }
        }
    }

    fn row(&mut self, y: u16, range: &std::ops::Range<usize>) {
        let (from, to) = (&self.from[range.clone()], &self.to[range.clone()]);
        self.mark(from, to);
        let columns = to.len();
        // Where the row ends in blanks of the terminal's own background, erasing may be cheaper.
        let text = columns - to.iter().rev().take_while(|&&s| s == Square::BLANK).count();
        let tail = (text..columns).find(|&x| self.dirty[x]);
        let last = (0..columns).rev().find(|&x| self.dirty[x]).unwrap_or(0);
        let (end, erase) = match tail {
            Some(first) if last - first >= 3 => (text, Some(first)),
            _ => (columns, None),
        };
        let mut x = 0;
        while x < end {
            if !self.dirty[x] {
                x += 1;
                continue;
            }
            let square = to[x];
            if square.width == 0 {
                // Its head, which is dirty with it, has been printed.
                x += 1;
                continue;
            }
            if square.is_blank() {
                // Blanks that are right already may be erased along with the others.
                let alike = (x..end).take_while(|&at| to[at] == square);
                let run = alike
                    .filter(|&at| self.dirty[at])
                    .last()
                    .map_or(0, |last| last + 1 - x);
                if self.blanks(x as u16, y, run, square.look, to, end) {
                    x += run;
                    continue;
                }
            }
            self.go(x as u16, y, Some(to));
            self.pen_to(square);
            self.print(square);
            x += usize::from(square.width);
        }
        if let Some(first) = erase {
            self.go(first as u16, y, Some(to));
            self.wear_blank(Look::default());
            self.out.extend_from_slice(b"\x1b[K");
        }
    }

    /// Erases a run of blanks where that is shorter than printing them.
    fn blanks(
        &mut self,
        x: u16,
        y: u16,
        run: usize,
        look: Look,
        to: &[Square],
        end: usize,
    ) -> bool {
        // Erased cells take on the background only on some terminals.
        if look != Look::default() {
            return false;
        }
        let next = usize::from(x) + run;
        let goes_on = next < end && self.dirty[next];
        let cost = counted_len(run as u16) + if goes_on { counted_len(run as u16) } else { 0 };
        if run <= cost {
            return false;
        }
        self.go(x, y, Some(to));
        self.wear_blank(look);
        counted(run as u16, b'X', self.out);
        true
    }

    /// Marks the cells to print: what differs, and what a symbol of doubtful width may run over.
    ///
    /// Both halves of a wide symbol are alike or different together, since a tail has the look
    /// of its head: no half is left behind.
    fn mark(&mut self, from: &[Square], to: &[Square]) {
        self.dirty.clear();
        self.dirty
            .extend(from.iter().zip(to).map(|(from, to)| from != to));
        for x in 0..to.len() {
            if !self.dirty[x] {
                continue;
            }
            for picture in [from, to] {
                if picture[x].symbol.is_uncertain() {
                    let reach = self.symbols.reach(picture[x]);
                    for after in self.dirty.iter_mut().skip(x + 1).take(reach - 1) {
                        *after = true;
                    }
                }
            }
        }
    }

    fn print(&mut self, square: Square) {
        let Spot::At(x, y) = self.pen.spot else {
            return;
        };
        if square.symbol.is_uncertain() {
            // A terminal that takes it for narrow must not leave an old cell beside it.
            if square.width >= 2 {
                let columns = usize::from(square.width);
                self.out.extend(std::iter::repeat_n(b' ', columns));
                if x + u16::from(square.width) < self.columns {
                    self.out.extend(std::iter::repeat_n(b'\x08', columns));
                } else {
                    // At the margin terminals differ about going back.
                    self.absolute(x, y);
                }
            }
            self.symbols.write(square.symbol, self.out);
            self.pen.spot = Spot::Unknown;
            return;
        }
        self.symbols.write(square.symbol, self.out);
        let next = x + u16::from(square.width);
        self.pen.spot = if next >= self.columns {
            Spot::Margin(y)
        } else {
            Spot::At(next, y)
        };
    }

    /// Makes the pen print this cell as it is wanted.
    fn pen_to(&mut self, square: Square) {
        if square.is_blank() {
            self.wear_blank(square.look);
        } else {
            self.wear(square.look);
        }
    }

    /// Makes the pen leave blanks of this look.
    pub(super) fn wear_blank(&mut self, look: Look) {
        if !self.pen.look.is_some_and(|pen| pen.blanks_like(look)) {
            self.wear(look);
        }
    }

    /// Changes the pen by the shorter of a difference and a reset.
    pub(super) fn wear(&mut self, look: Look) {
        if self.pen.look == Some(look) {
            return;
        }
        let start = self.out.len();
        self.out.extend_from_slice(b"\x1b[");
        self.all(look);
        self.out.push(b'm');
        if let Some(old) = self.pen.look {
            let middle = self.out.len();
            self.out.extend_from_slice(b"\x1b[");
            self.difference(old, look);
            self.out.push(b'm');
            if self.out.len() - middle < middle - start {
                self.out.drain(start..middle);
            } else {
                self.out.truncate(middle);
            }
        }
        self.pen.look = Some(look);
    }

    fn all(&mut self, look: Look) {
        // A parameter left out is 0, which resets.
        for (attribute, set, _) in ATTRIBUTES {
            if look.modifier.contains(attribute) {
                self.out.push(b';');
                number(u32::from(set), self.out);
            }
        }
        let plain = Look::default();
        if look.fg != plain.fg {
            self.out.push(b';');
            look.fg.parameter(30, self.out);
        }
        if look.bg != plain.bg {
            self.out.push(b';');
            look.bg.parameter(40, self.out);
        }
    }

    fn difference(&mut self, old: Look, new: Look) {
        let mut first = true;
        let mut has = old.modifier;
        let mut separate = |out: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                out.push(b';');
            }
        };
        for (attribute, _, clear) in ATTRIBUTES {
            if has.contains(attribute) && !new.modifier.contains(attribute) {
                separate(self.out);
                number(u32::from(clear), self.out);
                // Bold and dim are cleared together, and so are the two kinds of blinking.
                for (other, _, cleared) in ATTRIBUTES {
                    if cleared == clear {
                        has.remove(other);
                    }
                }
            }
        }
        for (attribute, set, _) in ATTRIBUTES {
            if new.modifier.contains(attribute) && !has.contains(attribute) {
                separate(self.out);
                number(u32::from(set), self.out);
            }
        }
        if old.fg != new.fg {
            separate(self.out);
            new.fg.parameter(30, self.out);
        }
        if old.bg != new.bg {
            separate(self.out);
            new.bg.parameter(40, self.out);
        }
    }

    /// Moves the cursor; `row` is what stands in the row of the target, where the cells before
    /// the target are right already and may be printed through.
    pub(super) fn go(&mut self, x: u16, y: u16, row: Option<&[Square]>) {
        if self.pen.spot == Spot::At(x, y) {
            return;
        }
        let absolute = if x > 0 {
            4 + digits(y + 1) + digits(x + 1)
        } else if y > 0 {
            3 + digits(y + 1)
        } else {
            3
        };
        match self.pen.spot {
            Spot::At(x0, y0) => self.relative(x0, y0, x, y, absolute, row),
            Spot::Margin(y0) if y >= y0 && usize::from(y - y0) + 1 < absolute => {
                // A carriage return ends the doubt about the margin, in every terminal.
                let (along, cost) = cheapest_along(0, x);
                if 1 + usize::from(y - y0) + cost < absolute {
                    self.out.push(b'\r');
                    self.down(y - y0);
                    self.along(along, x);
                } else {
                    self.absolute(x, y);
                }
            }
            Spot::Margin(_) | Spot::Unknown => self.absolute(x, y),
        }
        self.pen.spot = Spot::At(x, y);
    }

    fn relative(
        &mut self,
        x0: u16,
        y0: u16,
        x: u16,
        y: u16,
        absolute: usize,
        row: Option<&[Square]>,
    ) {
        if y == y0 {
            let (along, cost) = cheapest_along(x0, x);
            if let Some(row) = row
                && x > x0
                && usize::from(x - x0) <= THROUGH
                && self.through(&row[usize::from(x0)..usize::from(x)]) <= cost.min(absolute)
            {
                for square in &row[usize::from(x0)..usize::from(x)] {
                    if square.width > 0 {
                        self.symbols.write(square.symbol, self.out);
                    }
                }
            } else if cost <= absolute {
                self.along(along, x);
            } else {
                self.absolute(x, y);
            }
            return;
        }
        let (along, cost) = cheapest_along(x0, x);
        if y > y0 {
            let down = y - y0;
            // Where a line feed also returns, it is right only in the first column.
            let kept = if cfg!(windows) && x0 > 0 {
                counted_len(down)
            } else {
                usize::from(down).min(counted_len(down))
            };
            let (home, home_cost) = cheapest_along(0, x);
            let returned = 1 + usize::from(down) + home_cost;
            if returned < kept + cost && returned < absolute {
                self.out.push(b'\r');
                self.down(down);
                self.along(home, x);
                return;
            }
            if kept + cost < absolute {
                if kept == usize::from(down) && !(cfg!(windows) && x0 > 0) {
                    self.down(down);
                } else {
                    counted(down, b'B', self.out);
                }
                self.along(along, x);
                return;
            }
        } else {
            let up = y0 - y;
            if counted_len(up) + cost < absolute {
                counted(up, b'A', self.out);
                self.along(along, x);
                return;
            }
        }
        self.absolute(x, y);
    }

    /// Bytes to print through these cells, or too many where it can't be done.
    fn through(&self, cells: &[Square]) -> usize {
        if cells.first().is_some_and(|first| first.width == 0) {
            return usize::MAX;
        }
        let mut bytes = 0;
        for square in cells {
            let fits = self.pen.look.is_some_and(|pen| {
                if square.is_blank() {
                    pen.blanks_like(square.look)
                } else {
                    pen == square.look
                }
            });
            if !fits || square.symbol.is_uncertain() {
                return usize::MAX;
            }
            if square.width > 0 {
                bytes += self.symbols.len(square.symbol);
            }
        }
        bytes
    }

    fn down(&mut self, rows: u16) {
        for _ in 0..rows {
            self.out.push(b'\n');
        }
    }

    fn absolute(&mut self, x: u16, y: u16) {
        self.out.extend_from_slice(b"\x1b[");
        if x > 0 || y > 0 {
            number(u32::from(y) + 1, self.out);
        }
        if x > 0 {
            self.out.push(b';');
            number(u32::from(x) + 1, self.out);
        }
        self.out.push(b'H');
    }

    fn along(&mut self, along: Along, x: u16) {
        match along {
            Along::Stay => {}
            Along::Home => self.out.push(b'\r'),
            Along::Back(count) => {
                for _ in 0..count {
                    self.out.push(8);
                }
            }
            Along::Left(count) => counted(count, b'D', self.out),
            Along::Right(count) => counted(count, b'C', self.out),
            Along::Column => counted(x + 1, b'G', self.out),
            Along::HomeRight(count) => {
                self.out.push(b'\r');
                counted(count, b'C', self.out);
            }
        }
    }
}

fn cheapest_along(x0: u16, x: u16) -> (Along, usize) {
    let mut best = if x == x0 {
        (Along::Stay, 0)
    } else if x == 0 {
        (Along::Home, 1)
    } else if x > x0 {
        (Along::Right(x - x0), counted_len(x - x0))
    } else {
        (Along::Left(x0 - x), counted_len(x0 - x))
    };
    let mut offer = |along, cost| {
        if cost < best.1 {
            best = (along, cost);
        }
    };
    if x < x0 {
        offer(Along::Back(x0 - x), usize::from(x0 - x));
        offer(Along::HomeRight(x), 1 + counted_len(x));
    }
    offer(Along::Column, counted_len(x + 1));
    best
}
