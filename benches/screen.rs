//! What a frame costs on its way to the terminal: bytes and time, beside crossterm's backend.
//!
//! `cargo bench --bench screen` prints the bytes of typical frames, those of crossterm's backend
//! and the floor, then measures the time to encode them. The floor is the fewest bytes that turn
//! the old picture into the new one: changed cells, shortest moves, erased row ends, a scrolled
//! band of rows; it carries nothing over from frame to frame and knows no synchronized updates.

use std::hint::black_box;
use std::io::{self, Write};

use coracle::shell::writer::{ThriftyBackend, Traits};
use coracle::ui::theme::Depth;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier, Style};

const SIZES: [Size; 2] = [
    Size {
        width: 120,
        height: 40,
    },
    Size {
        width: 200,
        height: 60,
    },
];

/// Two pictures, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    First,
    Nothing,
    CursorDown,
    ListByOne,
    ListByHalf,
    Typing,
    TextByOne,
    TextByPage,
}

const CHANGES: [Change; 8] = [
    Change::First,
    Change::Nothing,
    Change::CursorDown,
    Change::ListByOne,
    Change::ListByHalf,
    Change::Typing,
    Change::TextByOne,
    Change::TextByPage,
];

impl Change {
    fn pictures(self, size: Size) -> (Buffer, Buffer) {
        let rows = usize::from(size.height) - 4;
        let blank = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        match self {
            Self::First => (blank, panes(size, 0, 3, "")),
            Self::Nothing => (panes(size, 0, 3, ""), panes(size, 0, 3, "")),
            Self::CursorDown => (panes(size, 0, 3, ""), panes(size, 0, 4, "")),
            Self::ListByOne => (panes(size, 0, rows - 1, ""), panes(size, 1, rows, "")),
            Self::ListByHalf => (
                panes(size, 0, rows - 1, ""),
                panes(size, rows / 2, rows, ""),
            ),
            Self::Typing => (panes(size, 0, 3, "har"), panes(size, 0, 3, "harb")),
            Self::TextByOne => (text(size, 0), text(size, 1)),
            Self::TextByPage => (text(size, 0), text(size, rows)),
        }
    }
}

/// Words that differ from line to line without repeating soon.
fn words(seed: usize, count: usize) -> String {
    const WORDS: [&str; 12] = [
        "harbour", "log", "what", "came", "in", "failover", "the", "runbook", "of", "paging",
        "teams", "archive",
    ];
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            WORDS[(state >> 33) % WORDS.len()]
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Spaces, pages and detail side by side.
fn panes(size: Size, top: usize, cursor: usize, filter: &str) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
    let third = size.width / 3;
    let dim = Style::new().add_modifier(Modifier::DIM);
    let accent = Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD);
    buffer.set_string(1, 0, "coracle  prod ▸ ENG Engineering ▸ Pages", accent);
    let line = "─".repeat(usize::from(third) - 2);
    for x in [0, third, third * 2] {
        buffer.set_string(x, 1, format!("╭{line}╮"), dim);
        for y in 2..size.height - 2 {
            buffer.set_string(x, y, "│", dim);
            buffer.set_string(x + third - 1, y, "│", dim);
        }
        buffer.set_string(x, size.height - 2, format!("╰{line}╯"), dim);
    }
    for row in 0..size.height - 4 {
        let (y, item) = (row + 2, top + usize::from(row));
        let name = if item == cursor {
            buffer.set_string(1, y, "▸", accent);
            accent
        } else {
            Style::new()
        };
        buffer.set_string(3, y, format!("SP{item:05}"), name);
        buffer.set_stringn(12, y, words(item, 3), usize::from(third) - 24, Style::new());
        buffer.set_string(third - 10, y, "current", dim);
        let width = usize::from(third) - 4;
        if row % 4 != 3 {
            let page = words(usize::from(row) + 5000, 4);
            buffer.set_stringn(third + 2, y, page, width, Style::new());
        }
        if row < size.height / 2 {
            let detail = words(usize::from(row) + 9000, 8);
            buffer.set_stringn(third * 2 + 2, y, detail, width, Style::new());
        }
    }
    let count = format!(" {} of 10,000 ", cursor + 1);
    buffer.set_string(third - 18, size.height - 2, count, dim);
    buffer.set_string(1, size.height - 1, "/", accent);
    buffer.set_string(3, size.height - 1, filter, Style::new());
    buffer
}

/// A page of text over the whole width.
fn text(size: Size, top: usize) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
    buffer.set_string(1, 0, "Database failover", Style::new());
    for y in 2..size.height - 2 {
        let line = top + usize::from(y);
        if !line.is_multiple_of(7) {
            let width = usize::from(size.width) - 6;
            buffer.set_stringn(2, y, words(line, 9 + line % 5), width, Style::new());
        }
    }
    buffer
}

/// Where bytes are counted and dropped.
#[derive(Debug, Default)]
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += black_box(bytes).len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn thrifty(size: Size) -> ThriftyBackend<Counter> {
    ThriftyBackend::with_size(Counter::default(), Traits::new(Depth::True), size)
}

fn send<B: Backend>(backend: &mut B, old: &Buffer, new: &Buffer) -> Option<()> {
    backend.draw(old.diff_iter(new)).ok()?;
    backend.hide_cursor().ok()?;
    backend.flush().ok()
}

fn bytes_of(change: Change, size: Size) -> (usize, usize, usize) {
    let (old, new) = change.pictures(size);
    let blank = Buffer::empty(old.area);
    let mut ours = thrifty(size);
    send(&mut ours, &blank, &old);
    let before = ours.out().0;
    send(&mut ours, &old, &new);
    let ours = if change == Change::First {
        ours.out().0
    } else {
        ours.out().0 - before
    };
    let mut theirs = Counter::default();
    send(&mut CrosstermBackend::new(&mut theirs), &old, &new);
    (ours, theirs.0, floor(&old, &new))
}

/// The fewest bytes, near enough; see the module.
fn floor(old: &Buffer, new: &Buffer) -> usize {
    let (width, height) = (usize::from(new.area.width), usize::from(new.area.height));
    let plain = difference(&old.content, &new.content, width);
    let mut best = plain;
    for by in 1..height {
        for up in [true, false] {
            let source = |y: usize| if up { y + by } else { y.wrapping_sub(by) };
            let alike: Vec<usize> = (0..height)
                .filter(|&y| source(y) < height && row(old, source(y)) == row(new, y))
                .filter(|&y| row(new, y) != row(old, y))
                .collect();
            let (Some(&first), Some(&last)) = (alike.first(), alike.last()) else {
                continue;
            };
            let (top, bottom) = (first.min(source(first)), last.max(source(last)));
            let mut moved = old.content.clone();
            for y in top..=bottom {
                for x in 0..width {
                    moved[y * width + x] = if (top..=bottom).contains(&source(y)) {
                        old.content[source(y) * width + x].clone()
                    } else {
                        Cell::EMPTY
                    };
                }
            }
            let region = 4 + digits(top + 1) + digits(bottom + 1) + 3;
            let scroll = 3 + if by > 1 { digits(by) } else { 0 };
            best = best.min(region + scroll + difference(&moved, &new.content, width));
        }
    }
    best
}

fn row(buffer: &Buffer, y: usize) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    &buffer.content[y * width..(y + 1) * width]
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

fn difference(old: &[Cell], new: &[Cell], width: usize) -> usize {
    let (mut total, mut pen, mut spot) = (0, Style::reset(), None);
    for (y, (old, new)) in old.chunks(width).zip(new.chunks(width)).enumerate() {
        let text = width - new.iter().rev().take_while(|c| **c == Cell::EMPTY).count();
        let erased = (text..width).filter(|&x| old[x] != new[x]).count() > 3;
        let end = if erased { text } else { width };
        for x in (0..end).filter(|&x| old[x] != new[x]) {
            total += step(spot, (x, y), new, pen) + change(pen, &new[x]) + new[x].symbol().len();
            pen = new[x].style();
            spot = Some((x + 1, y));
        }
        if erased && let Some(first) = (end..width).find(|&x| old[x] != new[x]) {
            total += step(spot, (first, y), new, pen) + change(pen, &Cell::EMPTY) + 3;
            pen = Cell::EMPTY.style();
            spot = Some((first, y));
        }
    }
    total
}

/// Bytes of the shortest move.
fn step(from: Option<(usize, usize)>, (x, y): (usize, usize), row: &[Cell], pen: Style) -> usize {
    let absolute = 4 + digits(y + 1) + digits(x + 1);
    let Some((x0, y0)) = from else {
        return absolute;
    };
    if (x0, y0) == (x, y) {
        return 0;
    }
    let count = |n: usize| if n == 1 { 3 } else { 3 + digits(n) };
    if y == y0 {
        let gap = &row[x0.min(x)..x];
        let through = if x > x0 && x - x0 <= 8 && gap.iter().all(|cell| cell.style() == pen) {
            gap.iter().map(|cell| cell.symbol().len()).sum()
        } else {
            usize::MAX
        };
        return absolute.min(count(x.abs_diff(x0))).min(through);
    }
    let down = y - y0;
    let along = if x == x0 { 0 } else { count(x.abs_diff(x0)) };
    let home = 1 + down + if x == 0 { 0 } else { count(x) };
    absolute.min(down + along).min(home)
}

/// Bytes of the shortest change of style.
fn change(pen: Style, cell: &Cell) -> usize {
    if pen == cell.style() || (cell.symbol() == " " && pen.bg == Some(cell.bg)) {
        return 0;
    }
    let color = |color: Color| match color {
        Color::Reset => 0,
        Color::Indexed(index) => 6 + digits(usize::from(index)),
        Color::Rgb(r, g, b) => {
            8 + [r, g, b]
                .map(|c| digits(usize::from(c)))
                .iter()
                .sum::<usize>()
        }
        _ => 3,
    };
    let attributes = 2 * cell.modifier.iter().count();
    3 + attributes + color(cell.fg) + color(cell.bg)
}

#[divan::bench(args = CHANGES, consts = [0, 1])]
fn thrifty_writer<const AT: usize>(bencher: divan::Bencher, change: Change) {
    let size = SIZES[AT];
    let (old, new) = change.pictures(size);
    bencher
        .with_inputs(|| {
            let mut backend = thrifty(size);
            send(&mut backend, &Buffer::empty(old.area), &old);
            backend
        })
        .bench_local_refs(|backend| send(backend, &old, &new));
}

#[divan::bench(args = CHANGES, consts = [0, 1])]
fn crossterms_backend<const AT: usize>(bencher: divan::Bencher, change: Change) {
    let (old, new) = change.pictures(SIZES[AT]);
    bencher
        .with_inputs(|| CrosstermBackend::new(Counter::default()))
        .bench_local_refs(|backend| send(backend, &old, &new));
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn main() {
    println!("bytes a frame       size      floor   writer  × floor  crossterm's");
    for size in SIZES {
        for change in CHANGES {
            let (ours, theirs, floor) = bytes_of(change, size);
            println!(
                "{:<16} {:>4}×{:<3} {floor:>8} {ours:>8} {:>8.2} {theirs:>12}",
                format!("{change:?}"),
                size.width,
                size.height,
                ours as f64 / floor.max(1) as f64,
            );
        }
    }
    divan::main();
}
