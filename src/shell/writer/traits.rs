//! What the terminal can do.

use crate::ui::theme::Depth;

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// The colours it shows; others are brought down to these.
    pub depth: Depth,
    /// The characters that it takes.
    pub charset: Charset,
    /// How bands of rows are moved.
    pub scrolling: Scrolling,
    /// Whether frames stand in synchronized updates.
    pub synchronized: Synchronized,
}

impl Traits {
    /// What nearly every terminal can do, with this many colours.
    pub fn new(depth: Depth) -> Self {
        Self {
            depth,
            charset: Charset::Utf8,
            scrolling: Scrolling::ByCount,
            synchronized: Synchronized::Frames,
        }
    }
}

/// Which characters a terminal takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// All of them.
    Utf8,
    /// ASCII alone: in place of every other one stands a question mark for each column.
    Ascii,
}

/// How bands of rows are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrolling {
    /// A scroll region with SU and SD.
    ByCount,
    /// A scroll region with DL and IL: five bytes more, and known to the Linux console too.
    ByLine,
    /// Never: every row is printed again.
    Never,
}

/// Whether frames stand in synchronized updates (`CSI ? 2026`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronized {
    /// All but the first and the smallest; terminals that don't know them pass over them.
    Frames,
    /// None.
    Never,
}
