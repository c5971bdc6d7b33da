//! What stands in each cell of a terminal, packed so that pictures compare and copy fast.
//!
//! A [`Square`] is 16 bytes; a picture of 120×40 takes 77 KB, one of 200×60 takes 192 KB.

use std::collections::HashMap;
use std::num::NonZeroU16;

use ratatui::buffer::{Cell, CellDiffOption, CellWidth};
use ratatui::style::{Color, Modifier};

use super::traits::{Charset, Traits};
use crate::ui::theme::Depth;

/// Attributes that show on a cell without a glyph.
const SHOWN_ON_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT);

/// A colour as one word: 0 is the terminal's own, see [`Paint::pack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Paint(u32);

impl Paint {
    const INDEXED: u32 = 0x100;
    const RGB: u32 = 0x0100_0000;

    fn pack(color: Color) -> Self {
        Self(match color {
            Color::Reset => 0,
            Color::Black => 1,
            Color::Red => 2,
            Color::Green => 3,
            Color::Yellow => 4,
            Color::Blue => 5,
            Color::Magenta => 6,
            Color::Cyan => 7,
            Color::Gray => 8,
            Color::DarkGray => 9,
            Color::LightRed => 10,
            Color::LightGreen => 11,
            Color::LightYellow => 12,
            Color::LightBlue => 13,
            Color::LightMagenta => 14,
            Color::LightCyan => 15,
            Color::White => 16,
            // The first sixteen have shorter names.
            Color::Indexed(index) if index < 16 => u32::from(index) + 1,
            Color::Indexed(index) => Self::INDEXED | u32::from(index),
            Color::Rgb(r, g, b) => Self::RGB | u32::from_be_bytes([0, r, g, b]),
        })
    }

    /// Writes the SGR parameter; `base` is 30 for the foreground, 40 for the background.
    pub(super) fn parameter(self, base: u8, out: &mut Vec<u8>) {
        match self.0 {
            0 => super::digits::number(u32::from(base) + 9, out),
            named @ 1..=8 => super::digits::number(u32::from(base) + named - 1, out),
            bright @ 9..=16 => super::digits::number(u32::from(base) + 60 + bright - 9, out),
            other if other < Self::RGB => {
                super::digits::number(u32::from(base) + 8, out);
                out.extend_from_slice(b";5;");
                super::digits::number(other & 0xff, out);
            }
            other => {
                let [_, r, g, b] = other.to_be_bytes();
                super::digits::number(u32::from(base) + 8, out);
                out.extend_from_slice(b";2");
                for channel in [r, g, b] {
                    out.push(b';');
                    super::digits::number(u32::from(channel), out);
                }
            }
        }
    }
}

/// The style of a cell, or the one that the terminal prints the next glyph in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Look {
    pub(super) fg: Paint,
    pub(super) bg: Paint,
    pub(super) modifier: Modifier,
}

impl Look {
    /// Whether a blank printed or erased with this pen looks like a blank of `other`.
    pub(super) fn blanks_like(self, other: Self) -> bool {
        self == other
            || (self.bg == other.bg
                && !self.modifier.intersects(SHOWN_ON_BLANK)
                && !other.modifier.intersects(SHOWN_ON_BLANK))
    }
}

/// What stands in a cell, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Symbol(u32);

impl Symbol {
    pub(super) const BLANK: Self = Self(' ' as u32);
    /// The right half of the wide symbol before it.
    pub(super) const TAIL: Self = Self(0);
    /// With this bit the rest is a place in [`Symbols`], else it is a character.
    const LISTED: u32 = 0x8000_0000;

    /// Whether terminals may disagree about how far the cursor goes on after this symbol.
    pub(super) fn is_uncertain(self) -> bool {
        // Clusters of several characters, and emoji, where every Unicode version moved widths.
        self.0 >= 0x1_F000
    }
}

/// One cell of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Square {
    pub(super) symbol: Symbol,
    pub(super) look: Look,
    /// Columns it takes, mostly 1 or 2; 0 for a tail.
    pub(super) width: u8,
}

impl Square {
    /// A cell of a cleared screen.
    pub(super) const BLANK: Self = Self {
        symbol: Symbol::BLANK,
        look: Look {
            fg: Paint(0),
            bg: Paint(0),
            modifier: Modifier::empty(),
        },
        width: 1,
    };

    pub(super) fn tail(look: Look) -> Self {
        Self {
            symbol: Symbol::TAIL,
            look,
            width: 0,
        }
    }

    pub(super) fn blank(look: Look) -> Self {
        let look = if look.modifier.intersects(SHOWN_ON_BLANK) {
            look
        } else {
            // Nobody sees the foreground of nothing: equal pictures must compare equal.
            Look {
                bg: look.bg,
                ..Look::default()
            }
        };
        Self {
            symbol: Symbol::BLANK,
            look,
            width: 1,
        }
    }

    pub(super) fn is_blank(self) -> bool {
        self.symbol == Symbol::BLANK
    }

    /// A word for the whole cell, to find rows that are alike.
    pub(super) fn mix(self) -> u64 {
        let colors = u64::from(self.look.fg.0) << 32 | u64::from(self.look.bg.0);
        let rest = u64::from(self.symbol.0) << 32 | u64::from(self.look.modifier.bits());
        (colors.rotate_left(17) ^ rest).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Clusters of more than one character, each kept once.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    texts: Vec<Box<str>>,
    places: HashMap<Box<str>, u32>,
}

impl Symbols {
    /// How many clusters are kept before those that left the screen are dropped.
    const ENOUGH: usize = 4096;

    /// Packs a cell of ratatui's.
    pub(super) fn pack(&mut self, cell: &Cell, traits: Traits) -> Square {
        let depth = traits.depth;
        let look = Look {
            fg: lower(depth, cell.fg),
            bg: lower(depth, cell.bg),
            modifier: cell.modifier,
        };
        let text = cell.symbol();
        if text == " " {
            return Square::blank(look);
        }
        // What would move the cursor or send a command can't stand in a cell.
        if text.is_empty() || text.chars().any(char::is_control) {
            return Square::blank(look);
        }
        let width = match cell.diff_option {
            CellDiffOption::ForcedWidth(width) => NonZeroU16::get(width),
            _ => text.cell_width(),
        };
        if width == 0 {
            return Square::blank(look);
        }
        if traits.charset == Charset::Ascii && !text.is_ascii() {
            if let Some(ascii) = in_order(text) {
                return Square {
                    symbol: Symbol(u32::from(ascii)),
                    look,
                    width: 1,
                };
            }
            let symbol = match width {
                1 => Symbol(u32::from('?')),
                _ => self.list(&"?".repeat(usize::from(width))),
            };
            return Square {
                symbol,
                look,
                width: width.min(u16::from(u8::MAX)) as u8,
            };
        }
        let mut chars = text.chars();
        let symbol = match (chars.next(), chars.next()) {
            (Some(single), None) => Symbol(u32::from(single)),
            _ => self.list(text),
        };
        Square {
            symbol,
            look,
            width: width.min(u16::from(u8::MAX)) as u8,
        }
    }

    fn list(&mut self, text: &str) -> Symbol {
        if let Some(place) = self.places.get(text) {
            return Symbol(Symbol::LISTED | place);
        }
        let place = self.texts.len() as u32;
        self.texts.push(text.into());
        self.places.insert(text.into(), place);
        Symbol(Symbol::LISTED | place)
    }

    /// Drops the clusters that stand in none of the pictures, once there are many.
    pub(super) fn sweep(&mut self, pictures: [&mut [Square]; 2]) {
        if self.texts.len() <= Self::ENOUGH {
            return;
        }
        let old = std::mem::take(self);
        for square in pictures.into_iter().flatten() {
            if square.symbol.0 & Symbol::LISTED != 0 {
                let text = &old.texts[(square.symbol.0 & !Symbol::LISTED) as usize];
                square.symbol = self.list(text);
            }
        }
    }

    /// Writes a symbol's text.
    pub(super) fn write(&self, symbol: Symbol, out: &mut Vec<u8>) {
        if symbol.0 < 0x80 {
            out.push(symbol.0 as u8);
        } else if symbol.0 & Symbol::LISTED != 0 {
            let text = &self.texts[(symbol.0 & !Symbol::LISTED) as usize];
            out.extend_from_slice(text.as_bytes());
        } else if let Some(single) = char::from_u32(symbol.0) {
            let mut bytes = [0; 4];
            out.extend_from_slice(single.encode_utf8(&mut bytes).as_bytes());
        }
    }

    /// Bytes of a symbol's text.
    pub(super) fn len(&self, symbol: Symbol) -> usize {
        if symbol.0 & Symbol::LISTED != 0 {
            self.texts[(symbol.0 & !Symbol::LISTED) as usize].len()
        } else {
            char::from_u32(symbol.0).map_or(0, char::len_utf8)
        }
    }

    /// The most columns that a terminal which knows no clusters may take for a symbol.
    pub(super) fn reach(&self, square: Square) -> usize {
        let listed = if square.symbol.0 & Symbol::LISTED != 0 {
            use unicode_width::UnicodeWidthChar;
            self.texts[(square.symbol.0 & !Symbol::LISTED) as usize]
                .chars()
                .map(|one| one.width().unwrap_or(0))
                .sum()
        } else {
            0
        };
        listed.max(usize::from(square.width)).max(2)
    }
}

fn lower(depth: Depth, color: Color) -> Paint {
    Paint::pack(depth.lower(color).unwrap_or(Color::Reset))
}

/// The one character of ASCII that is left of a text without the marks that only keep it in order
/// beside text of another direction, which a terminal of ASCII has no use for.
fn in_order(text: &str) -> Option<char> {
    let mut left = text.chars().filter(|c| {
        !matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    });
    let only = left.next().filter(char::is_ascii)?;
    left.next().is_none().then_some(only)
}
