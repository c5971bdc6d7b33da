//! Where everything is, from nothing but the size: shared by update (paging, clicks) and draw.

use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::message::Size;

/// The smallest terminal that the panes fit in.
pub const SMALLEST: Size = Size {
    width: 40,
    height: 10,
};

/// From this width on the panes stand side by side.
pub const WIDE: u16 = 100;

/// Below this many rows detail and content don't both fit on the right.
const LOW: u16 = 14;

/// One of the three panes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Pane {
    /// The list of spaces.
    #[default]
    Spaces,
    /// The space under the cursor.
    Detail,
    /// Its pages, blog posts and trash.
    Content,
}

impl Pane {
    /// The next one, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Spaces => Self::Detail,
            Self::Detail => Self::Content,
            Self::Content => Self::Spaces,
        }
    }

    /// The one before.
    #[must_use]
    pub fn previous(self) -> Self {
        self.next().next()
    }
}

/// How wide the list of spaces is, in hundredths of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Split(u16);

impl Default for Split {
    fn default() -> Self {
        Self(43)
    }
}

impl Split {
    /// A split that leaves room for both sides.
    pub fn new(hundredths: u16) -> Self {
        Self(hundredths.clamp(25, 70))
    }
}

/// The parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Nothing fits.
    TooSmall,
    /// Header, panes and footer.
    Panes {
        /// The line at the top.
        header: Rect,
        /// Spaces, detail and content; those that are not shown are empty.
        panes: [Rect; 3],
        /// The line at the bottom.
        footer: Rect,
    },
}

/// The parts of a screen of `size`, with `focus` in front where only one pane fits.
pub fn layout(size: Size, focus: Pane, split: Split) -> Layout {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return Layout::TooSmall;
    }
    let header = Rect {
        x: 0,
        y: 0,
        width: size.width,
        height: 1,
    };
    let footer = Rect {
        x: 0,
        y: size.height - 1,
        width: size.width,
        height: 1,
    };
    let body = Rect {
        x: 0,
        y: 1,
        width: size.width,
        height: size.height - 2,
    };
    let mut panes = [Rect {
        width: 0,
        height: 0,
        ..body
    }; 3];
    if size.width < WIDE {
        panes[focus as usize] = body;
    } else {
        let left = u16::try_from(u32::from(size.width) * u32::from(split.0) / 100)
            .unwrap_or(body.width / 2);
        // On a low screen one of the two on the right has all of it.
        let detail = match focus {
            Pane::Detail if body.height < LOW => body.height,
            Pane::Spaces | Pane::Content if body.height < LOW => 0,
            _ => (body.height * 36 / 100).clamp(6, 16),
        };
        panes[Pane::Spaces as usize] = Rect {
            width: left,
            ..body
        };
        let right = Rect {
            x: left,
            width: body.width - left,
            ..body
        };
        panes[Pane::Detail as usize] = Rect {
            height: detail,
            ..right
        };
        panes[Pane::Content as usize] = Rect {
            y: right.y + detail,
            height: right.height - detail,
            ..right
        };
    }
    Layout::Panes {
        header,
        panes,
        footer,
    }
}

/// Makes room for the preview among the panes; says where it is. Side by side it takes the place
/// of the detail and more than half of the content; else the whole screen, over what is there.
pub fn make_room(size: Size, panes: &mut [Rect; 3]) -> Rect {
    let [spaces, detail, content] = panes;
    if size.width < WIDE {
        let whole = [*spaces, *detail, *content];
        return whole
            .into_iter()
            .find(|pane| !pane.is_empty())
            .unwrap_or_default();
    }
    let right = detail.union(*content);
    let tree = (right.height * 2 / 5).max(4).min(right.height);
    *detail = Rect {
        height: 0,
        ..*detail
    };
    *content = Rect {
        height: tree,
        ..right
    };
    Rect {
        y: right.y + tree,
        height: right.height - tree,
        ..right
    }
}

/// The inside of a box with a border all round.
pub fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// How tall a dialog can be: the header and the footer stay in sight, where notices are told.
pub fn tallest(size: Size) -> u16 {
    size.height.saturating_sub(2)
}

/// How many rows the tallest dialog has inside its borders, at least one.
pub fn tallest_inside(size: Size) -> usize {
    usize::from(tallest(size).saturating_sub(2)).max(1)
}

/// A dialog of the wanted size, centred and cut to what [`tallest`] leaves it. Every dialog is
/// placed here.
pub fn centred(size: Size, width: u16, height: u16) -> Rect {
    let width = width.min(size.width);
    let height = height.min(tallest(size));
    Rect {
        x: (size.width - width) / 2,
        y: 1 + (tallest(size) - height) / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialog_of_any_size_leaves_the_first_and_the_last_row_alone() {
        for height in SMALLEST.height..80 {
            let size = Size { width: 80, height };
            for wanted in (0..100).chain([u16::MAX]) {
                let at = centred(size, 60, wanted);
                assert!(at.y >= 1 && at.bottom() < height, "{at:?} of {height}");
                assert_eq!(at.height, wanted.min(tallest(size)));
            }
        }
    }

    #[test]
    fn panes_never_leave_the_screen_nor_overlap() {
        for width in 0..240 {
            for height in 0..80 {
                let size = Size { width, height };
                for focus in [Pane::Spaces, Pane::Detail, Pane::Content] {
                    let Layout::Panes {
                        panes,
                        header,
                        footer,
                    } = layout(size, focus, Split::default())
                    else {
                        continue;
                    };
                    let screen = Rect {
                        x: 0,
                        y: 0,
                        width,
                        height,
                    };
                    let all = [panes[0], panes[1], panes[2], header, footer];
                    for (i, one) in all.iter().enumerate() {
                        assert_eq!(one.intersection(screen), *one);
                        for other in &all[i + 1..] {
                            assert!(one.intersection(*other).is_empty(), "{one:?} {other:?}");
                        }
                    }
                    assert!(panes[focus as usize].height >= 6);
                }
            }
        }
    }
}
