//! The writer against a terminal model, beside crossterm's backend.

use std::num::NonZeroU16;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::*;
use crate::ui::theme::Depth;

/// A writer, the terminal model behind it, and what each frame took.
struct Bench {
    terminal: Terminal<ThriftyBackend<Vec<u8>>>,
    model: vt100::Parser,
    drawn: Buffer,
    cursor: Option<(u16, u16)>,
}

fn sized(size: Size) -> (NonZeroU16, NonZeroU16) {
    (
        NonZeroU16::new(size.height).unwrap(),
        NonZeroU16::new(size.width).unwrap(),
    )
}

fn model(size: Size) -> vt100::Parser {
    let (rows, columns) = sized(size);
    vt100::Parser::new(rows, columns, 0)
}

impl Bench {
    fn new(width: u16, height: u16) -> Self {
        Self::with(Size::new(width, height), Traits::new(Depth::True))
    }

    fn with(size: Size, traits: Traits) -> Self {
        let backend = ThriftyBackend::with_size(Vec::new(), traits, size);
        let mut model = model(size);
        // The terminal isn't clean when the program starts.
        model.process(b"\x1b[41;4mleft from before\x1b[3;5r\x1b[2;2H");
        Self {
            terminal: Terminal::new(backend).unwrap(),
            model,
            drawn: Buffer::empty(Rect::ZERO),
            cursor: None,
        }
    }

    fn resize(&mut self, size: Size) {
        self.terminal.backend_mut().resize(size);
        let (rows, columns) = sized(size);
        self.model.screen_mut().set_size(rows, columns);
    }

    /// Draws a frame and gives the bytes it took.
    fn draw(&mut self, cursor: Option<(u16, u16)>, paint: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        self.terminal
            .draw(|frame| {
                paint(frame.buffer_mut());
                self.drawn = frame.buffer_mut().clone();
                if let Some(at) = cursor {
                    frame.set_cursor_position(at);
                }
            })
            .unwrap();
        self.cursor = cursor;
        let bytes = std::mem::take(self.terminal.backend_mut().out_mut());
        self.model.process(&bytes);
        bytes
    }

    /// What the terminal shows.
    fn contents(&self) -> String {
        self.model.screen().contents()
    }

    fn lines(&mut self, lines: &[&str]) -> Vec<u8> {
        self.draw(None, |buffer| {
            for (y, line) in lines.iter().enumerate() {
                buffer.set_string(0, y as u16, *line, Style::new());
            }
        })
    }

    /// Compares with what crossterm's backend makes of the same frame on a clean terminal.
    fn check(&self) {
        let mut bytes = Vec::new();
        let mut crossterm = CrosstermBackend::new(&mut bytes);
        let blank = Buffer::empty(self.drawn.area);
        crossterm.draw(blank.diff_iter(&self.drawn)).unwrap();
        match self.cursor {
            Some(at) => {
                crossterm.show_cursor().unwrap();
                crossterm.set_cursor_position(at).unwrap();
            }
            None => crossterm.hide_cursor().unwrap(),
        }
        let mut expected = model(self.drawn.area.as_size());
        expected.process(&bytes);
        let (shown, expected) = (self.model.screen(), expected.screen());
        for y in 0..self.drawn.area.height {
            for x in 0..self.drawn.area.width {
                assert_eq!(
                    look(shown, x, y),
                    look(expected, x, y),
                    "cell {x},{y} of\n{}\nwanted\n{}",
                    shown.contents(),
                    expected.contents()
                );
            }
        }
        assert_eq!(shown.hide_cursor(), expected.hide_cursor());
        if self.cursor.is_some() {
            assert_eq!(shown.cursor_position(), expected.cursor_position());
        }
    }
}

/// All that can be seen of a cell.
fn look(screen: &vt100::Screen, x: u16, y: u16) -> (String, vt100::Color, vt100::Color, [bool; 5]) {
    let cell = screen.cell(y, x).unwrap();
    if cell.is_wide_continuation() {
        // It has no look of its own.
        return (
            "tail".to_owned(),
            vt100::Color::Default,
            vt100::Color::Default,
            [false; 5],
        );
    }
    let text = match cell.contents() {
        "" => " ",
        text => text,
    };
    let over = cell.underline() || cell.inverse();
    let seen = text != " " || over;
    (
        text.to_owned(),
        if seen {
            cell.fgcolor()
        } else {
            vt100::Color::Default
        },
        cell.bgcolor(),
        [
            cell.bold() && seen,
            cell.dim() && seen,
            cell.italic() && seen,
            cell.underline(),
            cell.inverse(),
        ],
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .replace('\x1b', "ESC")
        .replace("ESC[?2026h", "")
        .replace("ESC[?2026l", "")
}

/// Three panes side by side, as browsing draws them, at 120×40.
pub(super) fn browse(buffer: &mut Buffer, top: usize, cursor: usize) {
    let area = buffer.area;
    let third = area.width / 3;
    let dim = Style::new().add_modifier(Modifier::DIM);
    let title = Style::new().add_modifier(Modifier::BOLD);
    buffer.set_string(1, 0, "coracle  prod > ENG Engineering > Pages", title);
    for pane in 0..3 {
        let (x, width) = (pane * third, third);
        let line = "─".repeat(usize::from(width) - 2);
        buffer.set_string(x, 1, format!("╭{line}╮"), dim);
        buffer.set_string(x, area.height - 2, format!("╰{line}╯"), dim);
        for y in 2..area.height - 2 {
            buffer.set_string(x, y, "│", dim);
            buffer.set_string(x + width - 1, y, "│", dim);
        }
    }
    for row in 0..usize::from(area.height) - 4 {
        let y = row as u16 + 2;
        let item = top + row;
        let accent = if item == cursor {
            buffer.set_string(1, y, "▸", Style::new().fg(Color::Cyan));
            Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD)
        } else {
            Style::new()
        };
        buffer.set_string(3, y, format!("SP{item:05}"), accent);
        buffer.set_string(
            12,
            y,
            format!("Team {} notes", item * 7919 % 1000),
            Style::new(),
        );
        buffer.set_string(third - 9, y, "current", dim);
        if row < 12 {
            buffer.set_string(
                third + 3,
                y,
                format!("Page {row} of the tree"),
                Style::new(),
            );
        }
        if row < 20 {
            let words = ["alpha", "harbour", "log", "of", "what came in"];
            let line = (0..4)
                .map(|at| words[(row * 3 + at) % words.len()])
                .collect::<Vec<_>>()
                .join(" ");
            buffer.set_stringn(third * 2 + 2, y, line, usize::from(third) - 4, Style::new());
        }
    }
    buffer.set_string(
        third - 16,
        area.height - 2,
        format!(" {} of 10,000 ", cursor + 1),
        dim,
    );
    buffer.set_string(1, area.height - 1, "Enter open  / filter  ? help", dim);
}

#[test]
fn the_first_frame_clears_and_isnt_synchronized() {
    let mut bench = Bench::new(20, 5);
    let bytes = bench.lines(&["hello", "", "wörld 世界"]);
    assert_eq!(
        text(&bytes),
        "ESC[mESC[rESC[HESC[Jhello\n\n\rwörld 世界ESC[?25l"
    );
    assert!(!bytes.starts_with(b"\x1b[?2026h"));
    bench.check();
}

#[test]
fn a_frame_in_which_nothing_changed_writes_nothing() {
    let mut bench = Bench::new(120, 40);
    bench.draw(Some((4, 4)), |buffer| browse(buffer, 0, 0));
    for _ in 0..3 {
        let bytes = bench.draw(Some((4, 4)), |buffer| browse(buffer, 0, 0));
        assert_eq!(text(&bytes), "");
    }
    bench.check();
}

#[test]
fn typing_in_a_field_takes_one_byte_a_letter() {
    let mut bench = Bench::new(80, 24);
    let mut bytes = Vec::new();
    for typed in ["", "H", "Ha", "Har"] {
        bytes = bench.draw(Some((10 + typed.len() as u16, 4)), |buffer| {
            buffer.set_string(2, 4, "Name", Style::new());
            buffer.set_string(10, 4, typed, Style::new());
        });
    }
    assert_eq!(text(&bytes), "r");
    let bytes = bench.draw(Some((12, 4)), |buffer| {
        buffer.set_string(2, 4, "Name", Style::new());
        buffer.set_string(10, 4, "Ha", Style::new());
    });
    assert_eq!(text(&bytes), "\x08 \x08");
    bench.check();
}

#[test]
fn a_step_of_the_cursor_moves_the_caret() {
    let mut bench = Bench::new(120, 40);
    bench.draw(None, |buffer| browse(buffer, 0, 4));
    let bytes = bench.draw(None, |buffer| browse(buffer, 0, 5));
    bench.check();
    assert!(
        bytes.len() <= 110,
        "{} bytes: {}",
        bytes.len(),
        text(&bytes)
    );
}

#[test]
fn scrolling_a_pane_costs_what_the_others_cost_to_keep() {
    for (by, most) in [(1, 900), (18, 1200)] {
        let mut bench = Bench::new(120, 40);
        bench.draw(None, |buffer| browse(buffer, 0, 35));
        let bytes = bench.draw(None, |buffer| browse(buffer, by, 35 + by));
        bench.check();
        assert!(bytes.len() <= most, "{by}: {} bytes", bytes.len());
    }
}

#[test]
fn a_page_scrolled_by_one_row_is_moved_by_the_terminal() {
    let page = |from: usize| {
        move |buffer: &mut Buffer| {
            buffer.set_string(0, 0, "A title that stays", Style::new());
            for y in 1..23 {
                let line = format!("line {} of a long text, here to scroll", from + y as usize);
                buffer.set_string(0, y, line, Style::new());
            }
            buffer.set_string(0, 23, "q quit", Style::new());
        }
    };
    for scrolling in [Scrolling::ByCount, Scrolling::ByLine] {
        let traits = Traits {
            scrolling,
            ..Traits::new(Depth::True)
        };
        let mut bench = Bench::with(Size::new(80, 24), traits);
        bench.draw(None, page(0));
        let down = bench.draw(None, page(1));
        bench.check();
        let up = bench.draw(None, page(0));
        bench.check();
        let half = bench.draw(None, page(11));
        bench.check();
        if scrolling == Scrolling::ByCount {
            assert_eq!(
                text(&down),
                "ESC[2;23rESC[SESC[rESC[23Hline 23 of a long text, here to scroll"
            );
            assert_eq!(
                text(&up),
                "ESC[2;23rESC[TESC[r\nline 1 of a long text, here to scroll"
            );
        }
        assert!(half.len() < 11 * 42 + 60, "{}", half.len());
    }
}

#[test]
fn an_emptied_row_is_erased() {
    let mut bench = Bench::new(80, 5);
    bench.lines(&["a row with some text in it", "another"]);
    let bytes = bench.lines(&["a row", "another"]);
    assert_eq!(text(&bytes), "ESC[A\x08ESC[K");
    bench.check();
}

#[test]
fn blanks_between_borders_are_erased() {
    let mut bench = Bench::new(40, 3);
    bench.lines(&["│ a row with some text between borders│"]);
    let bytes = bench.lines(&["│                                     │"]);
    assert_eq!(text(&bytes), "ESC[3GESC[36X");
    bench.check();
}

#[test]
fn coloured_blanks_are_printed_not_erased() {
    let mut bench = Bench::new(20, 3);
    let bytes = bench.draw(None, |buffer| {
        buffer.set_style(Rect::new(0, 1, 20, 1), Style::new().bg(Color::Blue));
    });
    assert!(text(&bytes).ends_with(&format!("\nESC[44m{}ESC[?25l", " ".repeat(20))));
    bench.check();
}

#[test]
fn a_wide_symbol_cut_in_half_leaves_a_blank() {
    let mut bench = Bench::new(10, 2);
    bench.lines(&["世界x"]);
    bench.lines(&["a世bx"]);
    bench.check();
    bench.lines(&["世界x"]);
    bench.check();
    bench.lines(&["ab"]);
    bench.check();
    bench.lines(&["12345678世"]);
    bench.check();
    bench.lines(&["1234567世"]);
    bench.check();
}

#[test]
fn after_a_symbol_of_doubtful_width_the_cursor_is_placed() {
    let mut bench = Bench::new(20, 2);
    for symbol in ["e\u{301}", "⚠\u{FE0F}", "😀", "👩\u{200D}🚀"] {
        bench.lines(&["plain"]);
        let bytes = bench.lines(&[&format!("{symbol} after")]);
        let sent = text(&bytes);
        let behind = sent.split(symbol).nth(1).unwrap();
        assert!(behind.starts_with("ESC["), "{symbol}: {sent}");
    }
    let mut bench = Bench::new(20, 2);
    for symbol in ["e\u{301}", "⚠\u{FE0F}", "😀"] {
        bench.lines(&[&format!("{symbol} after")]);
        bench.check();
    }
    // A terminal that doesn't join would print four columns: what follows comes again.
    let mut bench = Bench::new(20, 2);
    bench.lines(&["👩\u{200D}🚀 after"]);
    let bytes = bench.lines(&["👩\u{200D}🔧 after"]);
    assert!(text(&bytes).contains("ESC[1;3H a"), "{}", text(&bytes));
}

#[test]
fn at_the_right_margin_a_symbol_of_doubtful_width_is_gone_back_to_by_its_place() {
    // A terminal that waits there with its wrap goes one column less back than the others.
    for (x, goes_by) in [(16, "\u{8}\u{8}😀"), (18, "ESC[1;19H😀")] {
        let mut bench = Bench::new(20, 2);
        bench.lines(&["────────────────────"]);
        let bytes = bench.draw(None, |buffer| {
            buffer.set_string(0, 0, "────────────────────", Style::new());
            buffer.set_string(x, 0, "😀", Style::new());
        });
        let sent = text(&bytes);
        assert!(sent.contains(goes_by), "{x}: {sent:?}");
        bench.check();
    }
}

#[test]
fn a_cluster_of_three_columns_leaves_no_old_cell_beside_it() {
    // Three columns to ratatui, two to terminals that give the vowel sign none of its own.
    let mut bench = Bench::new(20, 2);
    bench.lines(&["────────"]);
    let bytes = bench.lines(&["कल्याण"]);
    let sent = text(&bytes);
    let left = bench.model.screen().contents();
    assert!(!left.contains('─'), "{left}: {sent}");
}

#[test]
fn the_pen_is_changed_by_the_shorter_way() {
    let mut bench = Bench::new(40, 2);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let bytes = bench.draw(None, |buffer| {
        buffer.set_string(0, 0, "a", bold.fg(Color::Red));
        buffer.set_string(1, 0, "b", Style::new().fg(Color::Red));
        buffer.set_string(2, 0, "c", Style::new());
        buffer.set_string(
            3,
            0,
            "d",
            Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::LightBlue),
        );
        buffer.set_string(4, 0, "e", Style::new().add_modifier(Modifier::CROSSED_OUT));
        buffer.set_string(5, 0, "f", Style::new().fg(Color::Indexed(200)));
    });
    assert!(
        text(&bytes)
            .contains("ESC[1;31maESC[22mbESC[mcESC[38;2;1;2;3;104mdESC[;9meESC[;38;5;200mf"),
        "{}",
        text(&bytes)
    );
    bench.check();
}

#[test]
fn colours_come_down_to_the_depth() {
    let paint = |buffer: &mut Buffer| {
        buffer.set_string(0, 0, "x", Style::new().fg(Color::Rgb(255, 0, 0)));
    };
    for (depth, sent) in [
        (Depth::True, "38;2;255;0;0"),
        (Depth::Ansi256, "38;5;196"),
        (Depth::Ansi16, "ESC[91m"),
        (Depth::Mono, "ESC[Jx"),
    ] {
        let mut bench = Bench::with(Size::new(5, 1), Traits::new(depth));
        let bytes = bench.draw(None, paint);
        assert!(text(&bytes).contains(sent), "{depth:?}: {}", text(&bytes));
    }
}

#[test]
fn a_terminal_of_ascii_gets_ascii_alone_and_each_cell_its_columns() {
    let traits = Traits {
        charset: Charset::Ascii,
        ..Traits::new(Depth::True)
    };
    let mut bench = Bench::with(Size::new(20, 2), traits);
    let bytes = bench.lines(&["Café 港湾 x", "a\u{301}b"]);
    assert!(bytes.is_ascii(), "{}", text(&bytes));
    let shown = bench.contents();
    assert!(shown.starts_with("Caf? ???? x\n?b"), "{shown}");
}

#[test]
fn what_only_keeps_a_line_in_order_is_no_question_mark() {
    let traits = Traits {
        charset: Charset::Ascii,
        ..Traits::new(Depth::True)
    };
    let mut bench = Bench::with(Size::new(20, 1), traits);
    let bytes = bench.draw(None, |buffer| {
        // As a right-to-left name is drawn: isolated from its neighbours.
        for (x, symbol) in ["R", " \u{2068}", "ש", "ל\u{2069}", "x"].iter().enumerate() {
            buffer[(x as u16, 0)].set_symbol(symbol);
        }
    });
    assert!(bytes.is_ascii(), "{}", text(&bytes));
    let shown = bench.contents();
    assert!(shown.starts_with("R ??x"), "{shown}");
}

#[test]
fn forgetting_the_screen_paints_it_again() {
    let mut bench = Bench::new(20, 3);
    bench.lines(&["hello"]);
    bench.model.process(b"\x1b[2J\x1b[3;3Hjunk\x1b[?25h");
    bench.terminal.backend_mut().invalidate();
    bench.lines(&["hello"]);
    bench.check();
    bench.terminal.clear().unwrap();
    bench.lines(&["hello"]);
    bench.check();
    bench.terminal.backend_mut().leave().unwrap();
    let left = std::mem::take(bench.terminal.backend_mut().out_mut());
    assert_eq!(text(&left), "ESC[mESC[?25h");
}

#[test]
fn commands_in_a_cell_are_not_sent() {
    let mut bench = Bench::new(10, 2);
    let bytes = bench.draw(None, |buffer| {
        buffer[(0, 0)].set_symbol("\u{1b}[2J");
        buffer[(1, 0)].set_symbol("ok");
        buffer[(3, 0)].set_symbol("");
    });
    assert!(!text(&bytes).contains("[2J"));
}

/// Counts writes, and fails when told to.
#[derive(Default)]
struct Line {
    writes: usize,
    broken: bool,
    bytes: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.writes += 1;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_frame_is_one_write_and_a_lost_one_is_painted_again() {
    let size = Size::new(120, 40);
    let backend = ThriftyBackend::with_size(Line::default(), Traits::new(Depth::True), size);
    let mut terminal = Terminal::new(backend).unwrap();
    for cursor in 0..5 {
        terminal
            .draw(|frame| browse(frame.buffer_mut(), 0, cursor))
            .unwrap();
    }
    assert_eq!(terminal.backend().out().writes, 5);
    assert_eq!(
        terminal.backend().written(),
        terminal.backend().out().bytes.len() as u64
    );
    terminal.backend_mut().out_mut().broken = true;
    terminal
        .draw(|frame| browse(frame.buffer_mut(), 0, 6))
        .unwrap_err();
    let line = terminal.backend_mut().out_mut();
    line.broken = false;
    line.bytes.clear();
    terminal
        .draw(|frame| browse(frame.buffer_mut(), 0, 6))
        .unwrap();
    let mut model = model(size);
    model.process(&terminal.backend().out().bytes);
    assert!(model.screen().contents().contains("▸ SP00006"));
    assert!(model.screen().contents().contains("current"));
}

/// What a random program does between two frames.
#[derive(Debug, Clone)]
enum Step {
    Write {
        x: u16,
        y: u16,
        text: String,
        style: u8,
    },
    Row {
        y: u16,
        style: u8,
    },
    Scroll {
        pane: u8,
        by: i8,
    },
    Caret {
        pane: u8,
        row: u16,
    },
    Page(u8),
    Resize(u16, u16),
    Forget,
    Clear,
}

/// A program with panes, scribbled over.
#[derive(Debug, Clone, Default)]
struct Scene {
    tops: [i32; 3],
    carets: [u16; 3],
    page: u8,
    scribbles: Vec<(u16, u16, String, u8)>,
    rows: Vec<(u16, u8)>,
}

fn style(number: u8) -> Style {
    let fg = [
        Color::Reset,
        Color::Red,
        Color::LightCyan,
        Color::Indexed(123),
        Color::Rgb(9, 80, 200),
    ][usize::from(number % 5)];
    let bg = [
        Color::Reset,
        Color::Reset,
        Color::Blue,
        Color::Rgb(40, 40, 40),
    ][usize::from(number / 5 % 4)];
    let modifier = [
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM.union(Modifier::ITALIC),
        Modifier::UNDERLINED,
        Modifier::REVERSED,
    ][usize::from(number / 20 % 5)];
    Style::new().fg(fg).bg(bg).add_modifier(modifier)
}

impl Scene {
    fn line(&self, pane: usize, row: u16) -> String {
        let item = self.tops[pane] + i32::from(row);
        match item.rem_euclid(7) {
            0 => String::new(),
            1 => format!("世界 {item} 記録"),
            2 => format!("cafe\u{301} {item}"),
            3 => format!("item {item} is current"),
            4 => format!("⚠\u{FE0F} {item}"),
            5 => format!("{item}            far"),
            _ => format!("😀 {}", item % 3),
        }
    }

    fn paint(&self, buffer: &mut Buffer) {
        let area = buffer.area;
        let panes = u16::from(self.page % 3) + 1;
        let width = area.width / panes;
        for pane in 0..panes {
            let x = pane * width;
            for row in 0..area.height.saturating_sub(2) {
                let y = row + 1;
                if self.page % 2 == 1 {
                    buffer.set_stringn(x, y, "│", usize::from(width), Style::new());
                }
                let look = if self.carets[usize::from(pane)] == row {
                    style(41)
                } else {
                    Style::new()
                };
                buffer.set_stringn(
                    x + 1,
                    y,
                    self.line(usize::from(pane), row),
                    usize::from(width).saturating_sub(2),
                    look,
                );
            }
        }
        for (y, look) in &self.rows {
            let row = Rect::new(0, *y, area.width, 1).intersection(area);
            // Under a wide symbol ratatui keeps a cell of its own, with a style that it doesn't
            // tell; where the next frame uncovers it, no backend can know its background.
            let wide = row
                .positions()
                .any(|at| ratatui::buffer::CellWidth::cell_width(&buffer[at]) > 1);
            if !wide {
                // The model knows bold or dim, not both.
                let either = Modifier::BOLD.union(Modifier::DIM);
                let look = style(*look);
                let other = either.difference(look.add_modifier);
                buffer.set_style(
                    row,
                    Style {
                        sub_modifier: other,
                        ..look
                    },
                );
            }
        }
        for (x, y, text, look) in &self.scribbles {
            // A scribble stands on blanks of its own, so that no wide symbol is cut.
            let room = area.width.saturating_sub(*x);
            if *y >= area.height || room < 2 {
                continue;
            }
            for at in 0..area.width {
                buffer[(at, *y)].reset();
            }
            buffer.set_stringn(*x, *y, text, usize::from(room), style(*look));
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let word = prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "b",
            " ",
            "   ",
            "────────────",
            "世",
            "界",
            "e\u{301}",
            "⚠\u{FE0F}",
            "😀",
            "ｶ",
            "word",
            "          ",
            "█",
            "\u{5d0}",
        ]),
        0..14,
    )
    .prop_map(|words| words.concat());
    let step = prop_oneof![
        4 => (0u16..60, 0u16..20, word, any::<u8>())
            .prop_map(|(x, y, text, style)| Step::Write { x, y, text, style }),
        2 => (0u16..20, any::<u8>()).prop_map(|(y, style)| Step::Row { y, style }),
        5 => (0u8..3, -9i8..10).prop_map(|(pane, by)| Step::Scroll { pane, by }),
        4 => (0u8..3, 0u16..18).prop_map(|(pane, row)| Step::Caret { pane, row }),
        1 => any::<u8>().prop_map(Step::Page),
        1 => (4u16..70, 2u16..24).prop_map(|(width, height)| Step::Resize(width, height)),
        1 => Just(Step::Forget),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(prop::collection::vec(step, 0..4), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sequence_of_frames_ends_in_the_picture_of_crossterms_backend(
        frames in steps(),
        cursors in prop::collection::vec(prop::option::of((0u16..70, 0u16..24)), 14),
        by_line in any::<bool>(),
    ) {
        let traits = Traits {
            scrolling: if by_line { Scrolling::ByLine } else { Scrolling::ByCount },
            ..Traits::new(Depth::True)
        };
        let mut size = Size::new(60, 16);
        let mut bench = Bench::with(size, traits);
        let mut scene = Scene::default();
        for (frame, cursor) in frames.into_iter().zip(cursors) {
            for step in frame {
                match step {
                    Step::Write { x, y, text, style } => {
                        scene.scribbles.push((x, y, text, style));
                        if scene.scribbles.len() > 3 {
                            scene.scribbles.remove(0);
                        }
                    }
                    Step::Row { y, style } => {
                        scene.rows.push((y, style));
                        if scene.rows.len() > 2 {
                            scene.rows.remove(0);
                        }
                    }
                    Step::Scroll { pane, by } => {
                        scene.tops[usize::from(pane)] += i32::from(by);
                    }
                    Step::Caret { pane, row } => scene.carets[usize::from(pane)] = row,
                    Step::Page(page) => scene.page = page,
                    Step::Resize(width, height) => {
                        size = Size::new(width, height);
                        bench.resize(size);
                    }
                    Step::Forget => bench.terminal.backend_mut().invalidate(),
                    Step::Clear => bench.terminal.clear().unwrap(),
                }
            }
            let cursor = cursor.map(|(x, y)| (x.min(size.width - 1), y.min(size.height - 1)));
            bench.draw(cursor, |buffer| scene.paint(buffer));
            bench.check();
        }
    }
}
