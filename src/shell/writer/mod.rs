//! The thrifty terminal writer: a ratatui backend that sends few bytes.
//!
//! ratatui hands over the cells that changed; [`ThriftyBackend`] keeps a picture of what the
//! terminal shows and one of what is wanted, and at `flush` encodes the way from the one to the
//! other: shortest moves, colours carried on from run to run and from frame to frame, erasing
//! instead of blanks, and bands of rows scrolled by the terminal where that is shorter. A frame
//! is one `write`, in a synchronized update unless it is so small that it can't tear. A frame
//! in which nothing changed writes nothing.
//!
//! Three pictures are kept, 16 bytes a cell each: 231 KB at 120×40, 576 KB at 200×60, besides
//! the clusters of several characters (4,096 at most before a sweep).
//!
//! One thing ratatui doesn't tell: the background of the cell under the right half of a wide
//! symbol. Where a frame uncovers such a cell without changing it, it is taken to be plain.
//!
//! The terminal must be in raw mode (a line feed keeps the column) with autowrap as it starts.
//! This module must never write to the terminal but through its one `out`, nor ask it anything but what
//! it is given to write behind a frame.
//! Sequences that some terminals lack are not used: no REP, no erasing in colours. Whoever else
//! writes to the terminal calls [`ThriftyBackend::invalidate`] afterwards, and
//! [`ThriftyBackend::leave`] comes before giving the terminal back.
//!
//! Written here because no kept crate does it: crossterm's and termwiz's backends write an
//! absolute move and full colours per run and have no scroll bands.

mod band;
mod digits;
mod encode;
mod picture;
#[cfg(test)]
mod tests;
mod traits;

use std::fs::File;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use band::Band;
use digits::{counted, number};
use encode::{Encoder, Pen, Spot};
use picture::{Look, Square, Symbols};
pub use traits::{Charset, Scrolling, Synchronized, Traits};

/// Frames of at most this many bytes arrive in one piece and need no synchronized update.
const SMALL: usize = 48;

/// Below this many bytes a scrolled band can't be shorter.
const WORTH_A_BAND: usize = 40;

/// Whether the terminal shows its cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visible {
    Unknown,
    Yes,
    No,
}

/// A ratatui backend that writes few bytes; see the module.
#[derive(Debug)]
pub struct ThriftyBackend<W: Write> {
    out: W,
    traits: Traits,
    /// The size to report; `None` asks the terminal.
    fixed: Option<Size>,
    size: Size,
    /// What the terminal shows; meaningless unless `known`.
    shown: Vec<Square>,
    wanted: Vec<Square>,
    /// Room to try a scrolled band in.
    trial: Vec<Square>,
    known: Known,
    pen: Pen,
    visible: Visible,
    wanted_visible: Visible,
    cursor: Position,
    symbols: Symbols,
    frame: Vec<u8>,
    other: Vec<u8>,
    dirty: Vec<bool>,
    written: u64,
    frames: u64,
    /// What goes out behind the next frame.
    behind: &'static [u8],
}

/// What is known of the terminal's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    Picture,
}

impl<W: Write> ThriftyBackend<W> {
    /// A backend that asks the terminal for its size.
    ///
    /// `out` should be unbuffered, such as [`unbuffered_stdout`]: each frame is one `write_all`
    /// and one `flush`.
    pub fn new(out: W, traits: Traits) -> Self {
        Self {
            out,
            traits,
            fixed: None,
            size: Size::ZERO,
            shown: Vec::new(),
            wanted: Vec::new(),
            trial: Vec::new(),
            known: Known::Nothing,
            pen: Pen::UNKNOWN,
            visible: Visible::Unknown,
            wanted_visible: Visible::Unknown,
            cursor: Position::ORIGIN,
            symbols: Symbols::default(),
            frame: Vec::new(),
            other: Vec::new(),
            dirty: Vec::new(),
            written: 0,
            frames: 0,
            behind: b"",
        }
    }

    /// A backend of a fixed size, for a terminal that isn't this process's own.
    pub fn with_size(out: W, traits: Traits, size: Size) -> Self {
        Self {
            fixed: Some(size),
            ..Self::new(out, traits)
        }
    }

    /// Changes the fixed size; ratatui notices at the next draw.
    pub fn resize(&mut self, size: Size) {
        self.fixed = Some(size);
    }

    /// Changes what the terminal can do, once it has told.
    pub fn set_traits(&mut self, traits: Traits) {
        if (traits.depth, traits.charset) != (self.traits.depth, self.traits.charset) {
            self.invalidate();
        }
        self.traits = traits;
    }

    /// Forgets what the terminal shows: the next frame clears it and paints everything.
    ///
    /// For after a suspend, after another program had the terminal, and for "redraw".
    pub fn invalidate(&mut self) {
        self.known = Known::Nothing;
        self.pen = Pen::UNKNOWN;
        self.visible = Visible::Unknown;
    }

    /// Puts colours and cursor back before the terminal is given to somebody else.
    pub fn leave(&mut self) -> io::Result<()> {
        self.invalidate();
        self.out.write_all(b"\x1b[m\x1b[?25h")?;
        self.out.flush()
    }

    /// Writes these bytes behind the next frame, in one write with it. They must change nothing that
    /// the terminal shows.
    pub fn write_behind(&mut self, bytes: &'static [u8]) {
        self.behind = bytes;
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// What the bytes go to.
    pub fn out(&self) -> &W {
        &self.out
    }

    /// What the bytes go to; whoever writes to it calls [`ThriftyBackend::invalidate`].
    pub fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.width) + usize::from(x)
    }

    /// Takes over the size; a new one makes the screen unknown, since terminals reflow.
    fn measure(&mut self) -> io::Result<()> {
        let size = self.size()?;
        if size != self.size {
            self.size = size;
            let cells = usize::from(size.width) * usize::from(size.height);
            for picture in [&mut self.shown, &mut self.wanted] {
                picture.clear();
                picture.resize(cells, Square::BLANK);
            }
            self.invalidate();
        }
        Ok(())
    }

    /// Puts a symbol into the wanted picture and mends what it cuts in half.
    fn put(&mut self, x: u16, y: u16, square: Square) {
        let at = self.index(x, y);
        let fits = x + u16::from(square.width) <= self.size.width;
        let square = if fits {
            square
        } else {
            Square::blank(square.look)
        };
        // The symbols that it covers: each is blanked from its head to its last tail.
        let row = at - usize::from(x)..at - usize::from(x) + usize::from(self.size.width);
        for covered in at..at + usize::from(square.width.max(1)) {
            let tails = |from: usize| (from..row.end).take_while(|&it| self.wanted[it].width == 0);
            let mut head = covered;
            while self.wanted[head].width == 0 && head > row.start {
                head -= 1;
            }
            let end = tails(head + 1).last().unwrap_or(head);
            if end > head {
                let look = self.wanted[head].look;
                self.wanted[head] = Square::blank(look);
                self.wanted[head + 1..=end].fill(Square::BLANK);
            }
        }
        self.wanted[at + 1..at + usize::from(square.width.max(1))].fill(Square::tail(square.look));
        self.wanted[at] = square;
    }

    /// Encodes the frame into `self.frame` and takes over what it leaves behind.
    fn encode(&mut self) {
        let columns = self.size.width;
        self.frame.clear();
        let mut pen = self.pen;
        if self.known == Known::Nothing {
            // No attribute may be on while clearing, and the region must be the whole screen.
            self.frame.extend_from_slice(b"\x1b[m\x1b[r\x1b[H\x1b[J");
            self.shown.fill(Square::BLANK);
            pen = Pen {
                spot: Spot::At(0, 0),
                look: Some(Look::default()),
            };
        }
        let start = self.frame.len();
        let mut encoder = Encoder {
            symbols: &self.symbols,
            columns,
            from: &self.shown,
            to: &self.wanted,
            out: &mut self.frame,
            pen,
            dirty: &mut self.dirty,
        };
        encoder.picture();
        let mut end = encoder.pen;
        let plain = self.frame.len() - start;
        if self.known == Known::Picture
            && self.traits.scrolling != Scrolling::Never
            && plain > WORTH_A_BAND
        {
            for band in band::find(&self.shown, &self.wanted, usize::from(columns)) {
                self.trial.clone_from(&self.shown);
                band::apply(band, &mut self.trial, usize::from(columns));
                self.other.clear();
                let mut encoder = Encoder {
                    symbols: &self.symbols,
                    columns,
                    from: &self.trial,
                    to: &self.wanted,
                    out: &mut self.other,
                    pen,
                    dirty: &mut self.dirty,
                };
                // Some terminals fill the rows that come in with the background in effect.
                encoder.wear_blank(Look::default());
                scroll(band, self.size.height, self.traits.scrolling, &mut encoder);
                encoder.picture();
                if encoder.out.len() < self.frame.len() {
                    end = encoder.pen;
                    std::mem::swap(&mut self.frame, &mut self.other);
                }
            }
        }
        let mut encoder = Encoder {
            symbols: &self.symbols,
            columns,
            from: &self.shown,
            to: &self.wanted,
            out: &mut self.frame,
            pen: end,
            dirty: &mut self.dirty,
        };
        if self.wanted_visible == Visible::Yes {
            let x = self.cursor.x.min(columns.saturating_sub(1));
            let y = self.cursor.y.min(self.size.height.saturating_sub(1));
            encoder.go(x, y, None);
        }
        self.pen = encoder.pen;
        if self.wanted_visible != self.visible {
            match self.wanted_visible {
                Visible::Yes => self.frame.extend_from_slice(b"\x1b[?25h"),
                Visible::No => self.frame.extend_from_slice(b"\x1b[?25l"),
                Visible::Unknown => {}
            }
            self.visible = self.wanted_visible;
        }
        self.shown.copy_from_slice(&self.wanted);
        self.known = Known::Picture;
    }
}

/// Writes a scrolled band.
fn scroll(band: Band, rows: u16, scrolling: Scrolling, encoder: &mut Encoder<'_>) {
    let whole = band.top == 0 && band.bottom + 1 == rows;
    let by = band.by.unsigned_abs() as u16;
    if !whole {
        encoder.out.extend_from_slice(b"\x1b[");
        if band.top > 0 {
            number(u32::from(band.top) + 1, encoder.out);
        }
        if band.bottom + 1 < rows {
            encoder.out.push(b';');
            number(u32::from(band.bottom) + 1, encoder.out);
        }
        encoder.out.push(b'r');
        // The top of the screen or of the region: terminals differ.
        encoder.pen.spot = Spot::Unknown;
    }
    let (up, down) = match scrolling {
        Scrolling::ByCount | Scrolling::Never => (b'S', b'T'),
        Scrolling::ByLine => {
            encoder.go(0, band.top, None);
            (b'M', b'L')
        }
    };
    counted(by, if band.by > 0 { up } else { down }, encoder.out);
    if !whole {
        encoder.out.extend_from_slice(b"\x1b[r");
        encoder.pen.spot = Spot::At(0, 0);
    }
}

impl<W: Write> Backend for ThriftyBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        if self.wanted.is_empty() {
            self.measure()?;
        }
        // The wide symbol with a variation selector that came just before: ratatui sends a blank
        // for its right half, which is no cell of its own here.
        let mut selector: Option<(u16, u16)> = None;
        for (x, y, cell) in content {
            if x >= self.size.width || y >= self.size.height {
                continue;
            }
            if selector.take() == Some((x, y)) && cell.symbol() == " " {
                continue;
            }
            let square = self.symbols.pack(cell, self.traits);
            if square.width >= 2 && cell.symbol().contains('\u{FE0F}') {
                selector = Some((x + 1, y));
            }
            self.put(x, y, square);
        }
        Ok(())
    }

    fn append_lines(&mut self, n: u16) -> io::Result<()> {
        if self.wanted.is_empty() {
            self.measure()?;
        }
        let last = self.size.height.saturating_sub(1);
        let beyond = (u32::from(self.cursor.y) + u32::from(n)).saturating_sub(u32::from(last));
        if beyond > 0 && self.size.height > 0 {
            let band = Band {
                top: 0,
                bottom: last,
                by: beyond.min(u32::from(self.size.height)) as i32,
            };
            band::apply(band, &mut self.wanted, usize::from(self.size.width));
        }
        self.cursor.y = self.cursor.y.saturating_add(n).min(last);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.wanted_visible = Visible::No;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.wanted_visible = Visible::Yes;
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.measure()?;
        let row = self.index(0, self.cursor.y);
        let next = row + usize::from(self.size.width);
        let here = (row + usize::from(self.cursor.x)).min(next);
        let all = self.wanted.len();
        let range = match clear_type {
            ClearType::All => {
                // Asked for when the screen can't be trusted: really clear it.
                self.invalidate();
                0..all
            }
            ClearType::AfterCursor => here..all,
            ClearType::BeforeCursor => 0..here + 1,
            ClearType::CurrentLine => row..next,
            ClearType::UntilNewLine => here..next,
        };
        let range = range.start.min(all)..range.end.min(all);
        self.wanted[range].fill(Square::BLANK);
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        if let Some(size) = self.fixed {
            return Ok(size);
        }
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        // Pixels serve images alone; asking is left to those who draw some.
        Ok(WindowSize {
            columns_rows: self.size()?,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.wanted.is_empty() {
            self.measure()?;
        }
        self.encode();
        self.symbols.sweep([&mut self.shown, &mut self.wanted]);
        let behind = std::mem::take(&mut self.behind);
        if self.frame.is_empty() && behind.is_empty() {
            return Ok(());
        }
        let first = self.frames == 0;
        if self.traits.synchronized == Synchronized::Frames && !first && self.frame.len() > SMALL {
            self.frame.splice(0..0, *b"\x1b[?2026h");
            self.frame.extend_from_slice(b"\x1b[?2026l");
        }
        self.frame.extend_from_slice(behind);
        self.frames += 1;
        let sent = self
            .out
            .write_all(&self.frame)
            .and_then(|()| self.out.flush());
        match sent {
            Ok(()) => self.written += self.frame.len() as u64,
            // Part of the frame may have arrived.
            Err(_) => self.invalidate(),
        }
        sent
    }
}

/// The standard output without the line buffer that would cut frames at line feeds.
pub fn unbuffered_stdout() -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        io::stdout().as_fd().try_clone_to_owned().map(File::from)
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        io::stdout()
            .as_handle()
            .try_clone_to_owned()
            .map(File::from)
    }
}
