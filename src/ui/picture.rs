//! Frames as something to keep: text, and SVG pictures for documentation.
//!
//! A picture is made of the same cells that go to a terminal. Text is written run by run at the
//! column where it stands, with the width it takes there, so that any fixed-pitch font keeps the
//! columns straight.

use std::borrow::Cow;
use std::fmt::Write as _;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::draw;
use super::theme::Theme;
use crate::app::message::Size;
use crate::app::model::Model;
use crate::text::plain::is_visible;
use crate::text::width;

/// Width of a cell in a picture, in tenths of a pixel.
const CELL: u32 = 84;
/// Height of a cell, in pixels.
const LINE: u32 = 17;
/// Where the text stands in its cell, from the top, in pixels.
const BASELINE: u32 = 13;
/// Around the screen, in pixels.
const MARGIN: u32 = 10;

/// The background of pictures, and their text where a theme leaves it to the terminal.
const GROUND: &str = "#1d2026";
const TEXT: &str = "#d5d8dc";

/// The terminal's sixteen colours in a picture.
const ANSI: [&str; 16] = [
    "#1d2026", "#ff8f85", "#8fd19e", "#f2c063", "#8ab4f8", "#c3a6f5", "#78d0c8", "#d5d8dc",
    "#8b929c", "#ffaaa2", "#a9deb5", "#f7d48d", "#abc9fa", "#d5c1f8", "#98dcd6", "#ffffff",
];

/// The frame of a model, as it would stand on a terminal.
pub fn frame(model: &Model, theme: &Theme) -> Buffer {
    let Size { width, height } = model.size;
    let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
    let Ok(_) = terminal.draw(|frame| draw(model, theme, frame));
    terminal.backend().buffer().clone()
}

/// The rows of a frame as text, without the blanks at their ends.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        for (_, cell) in cells(buffer, y) {
            row.push_str(&symbol(cell));
        }
        text.push_str(&closed(row.trim_end()));
        text.push('\n');
    }
    text
}

/// What stands in a cell, as far as it can be printed: a recording that somebody made up may have
/// there what drives a terminal or reorders a line. The isolates that keep a text from doing that
/// stay, and what joins letters.
fn symbol(cell: &Cell) -> Cow<'_, str> {
    let symbol = cell.symbol();
    let stays =
        |c: char| is_visible(c) || matches!(c, '\u{200c}' | '\u{200d}' | ISOLATE | END_OF_ISOLATE);
    if symbol.chars().all(stays) {
        return Cow::Borrowed(symbol);
    }
    Cow::Owned(symbol.chars().filter(|c| stays(*c)).collect())
}

/// Where a text begins that is kept apart from what is around it, and where it ends.
const ISOLATE: char = '\u{2068}';
const END_OF_ISOLATE: char = '\u{2069}';

/// A row in which every isolate ends, and nothing ends that has not begun.
fn closed(row: &str) -> String {
    let mut open = 0_usize;
    let mut out = String::with_capacity(row.len());
    for c in row.chars() {
        match c {
            ISOLATE => open += 1,
            END_OF_ISOLATE if open == 0 => continue,
            END_OF_ISOLATE => open -= 1,
            _ => {}
        }
        out.push(c);
    }
    out.extend(std::iter::repeat_n(END_OF_ISOLATE, open));
    out
}

/// The cells of a row with their columns, without those that a wide one covers.
fn cells(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut next = 0;
    (0..buffer.area.width).filter_map(move |x| {
        if x < next {
            return None;
        }
        let cell = &buffer[(x, y)];
        next = x + wide(cell);
        Some((x, cell))
    })
}

fn wide(cell: &Cell) -> u16 {
    u16::try_from(width::width(cell.symbol()))
        .unwrap_or(1)
        .max(1)
}

/// What a run of cells has in common.
#[derive(Clone, PartialEq)]
struct Look {
    fg: String,
    bg: Option<String>,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut fg, mut bg) = (color(cell.fg), color(cell.bg));
        if cell.modifier.contains(Modifier::REVERSED) {
            (fg, bg) = (
                Some(bg.unwrap_or_else(|| GROUND.to_owned())),
                Some(fg.unwrap_or_else(|| TEXT.to_owned())),
            );
        }
        Self {
            fg: fg.unwrap_or_else(|| TEXT.to_owned()),
            bg,
            modifier: cell.modifier,
        }
    }
}

fn color(color: Color) -> Option<String> {
    let named = match color {
        Color::Reset => return None,
        Color::Rgb(r, g, b) => return Some(format!("#{r:02x}{g:02x}{b:02x}")),
        Color::Indexed(index) if index < 16 => index,
        Color::Indexed(index) => {
            let [r, g, b] = super::theme::indexed_rgb(index);
            return Some(format!("#{r:02x}{g:02x}{b:02x}"));
        }
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    Some(ANSI[usize::from(named)].to_owned())
}

/// A frame as an SVG picture.
pub fn svg(buffer: &Buffer, title: &str) -> String {
    let pixels = |columns: u16| u32::from(columns) * CELL;
    let (width, height) = (
        pixels(buffer.area.width).div_ceil(10) + 2 * MARGIN,
        u32::from(buffer.area.height) * LINE + 2 * MARGIN,
    );
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\" \
         xml:space=\"preserve\" transform=\"translate({MARGIN} {MARGIN})\">",
        escaped(title)
    );
    for y in 0..buffer.area.height {
        let mut runs: Vec<(u16, u16, Look, String)> = Vec::new();
        for (x, cell) in cells(buffer, y) {
            let (look, columns) = (Look::of(cell), wide(cell));
            // Wide and combined symbols stand alone: fonts seldom give them two whole cells.
            let alone = columns > 1 || cell.symbol().chars().count() > 1;
            match runs.last_mut() {
                Some((from, count, old, text))
                    if !alone && *old == look && *from + *count == x && !text.is_empty() =>
                {
                    *count += columns;
                    text.push_str(&symbol(cell));
                }
                _ => runs.push((x, columns, look, symbol(cell).into_owned())),
            }
        }
        let top = u32::from(y) * LINE;
        for (x, columns, look, text) in runs {
            let (left, wide) = (tenths(pixels(x)), tenths(pixels(columns)));
            if let Some(bg) = &look.bg {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{LINE}\" fill=\"{bg}\"/>"
                );
            }
            let shown = text.trim_end();
            let indent = width::width(shown) - width::width(shown.trim_start());
            let shown = shown.trim_start();
            if shown.is_empty() {
                continue;
            }
            let x = x + u16::try_from(indent).unwrap_or(0);
            let columns = u16::try_from(width::width(shown)).unwrap_or(columns);
            let mut style = String::new();
            for (modifier, attribute) in [
                (Modifier::BOLD, " font-weight=\"bold\""),
                (Modifier::ITALIC, " font-style=\"italic\""),
                (Modifier::UNDERLINED, " text-decoration=\"underline\""),
                (Modifier::CROSSED_OUT, " text-decoration=\"line-through\""),
                (Modifier::DIM, " opacity=\"0.7\""),
            ] {
                if look.modifier.contains(modifier) {
                    style.push_str(attribute);
                }
            }
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{style}>{}</text>",
                tenths(pixels(x)),
                top + BASELINE,
                tenths(pixels(columns)),
                look.fg,
                escaped(shown),
            );
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn tenths(number: u32) -> String {
    format!("{}.{}", number / 10, number % 10)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Neither controls nor surrogates may stand in XML.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_picture_has_the_text_where_it_stands() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(1, 0, "a<b", Style::new().fg(Color::Red));
        buffer.set_string(0, 1, "港 x", Style::new().bg(Color::Blue));
        let svg = svg(&buffer, "A & B");
        for part in [
            "<title>A &amp; B</title>",
            "<text x=\"8.4\" y=\"13\" textLength=\"25.2\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#ff8f85\">a&lt;b</text>",
            "<text x=\"0.0\" y=\"30\" textLength=\"33.6\"",
        ] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
        assert_eq!(text(&buffer), " a<b\n港 x\n");
    }

    #[test]
    fn nothing_that_drives_a_terminal_is_left_in_the_text() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer[(0, 0)].set_symbol("\u{1b}[2J");
        assert_eq!(text(&buffer), "[2J\n");
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        buffer[(0, 0)].set_symbol("a\u{202e}b");
        buffer[(2, 0)].set_symbol("\u{2066}c");
        for shown in [text(&buffer), svg(&buffer, "")] {
            assert!(
                !shown.contains(['\u{202e}', '\u{2066}']) && shown.contains('c'),
                "{shown:?}"
            );
        }
        // What is kept apart ends, and what has not begun does not.
        buffer[(0, 0)].set_symbol("\u{2069}a");
        buffer[(2, 0)].set_symbol("\u{2068}c");
        assert_eq!(text(&buffer), "a \u{2068}c\u{2069}\n");
    }
}
