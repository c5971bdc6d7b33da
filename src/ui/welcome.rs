//! The first screen of somebody without a configuration.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::model::{Model, Screen};
use crate::text::width;

const BOAT: [&str; 4] = [
    "       ╭──╮       ",
    "   ╭───╯  ╰───╮   ",
    "   ╰──────────╯   ",
    " ~ ~  ~~ ~  ~~  ~ ",
];
const BOAT_ASCII: [&str; 4] = [
    "        __        ",
    "   ____/  \\____   ",
    "   \\__________/   ",
    " ~ ~  ~~ ~  ~~  ~ ",
];

/// The lines to choose from, with their keys.
const CHOICES: [(&str, &str); 4] = [
    ("Connect to my Confluence", "c"),
    ("Look around in the demo wiki", "d"),
    ("Read the keys first", "?"),
    ("Quit", "q"),
];

/// Draws the screen.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Screen::Welcome {
        config_path,
        chosen,
    } = &model.screen
    else {
        return;
    };
    let theme = canvas.theme;
    let size = Size {
        width: area.width,
        height: area.height,
    };
    // It is no dialog: nothing lies below it.
    let high = 12.min(area.height);
    let at = Rect {
        y: (area.height - high) / 2,
        height: high,
        ..centred(size, 64, high)
    };
    let unicode = theme.glyphs.caret == "▸";
    let boat = if unicode { BOAT } else { BOAT_ASCII };
    let name = format!("coracle {}", env!("CARGO_PKG_VERSION"));
    let beside = [
        "",
        name.as_str(),
        "A terminal browser for Confluence spaces",
        "",
    ];
    for (ix, (left, right)) in boat.iter().zip(beside).enumerate() {
        let y = at.y + u16::try_from(ix).unwrap_or(0);
        let style = if ix == 1 { theme.title } else { theme.dim };
        if area.width >= 60 {
            canvas.pieces(
                Rect { y, height: 1, ..at },
                [(*left, theme.accent), ("  ", theme.text), (right, style)],
            );
        } else {
            canvas.text(Rect { y, height: 1, ..at }, right, style);
        }
    }
    for (ix, (label, key)) in CHOICES.iter().enumerate() {
        let y = at.y + 6 + u16::try_from(ix).unwrap_or(0);
        let here = ix == *chosen;
        let caret = if here { theme.glyphs.caret } else { " " };
        let label = width::fit(label, 34, width::Align::Left);
        let style = if here { theme.cursor } else { theme.text };
        let pieces = [
            (caret, theme.caret),
            (" ", theme.text),
            (&*label, style),
            (*key, theme.key),
        ];
        canvas.pieces(
            Rect {
                x: at.x + 4.min(at.width),
                y,
                width: at.width.saturating_sub(4),
                height: 1,
            },
            pieces,
        );
    }
    let note = format!("No config file at {config_path}");
    // The last line is the footer's.
    if at.y + 11 + 1 >= area.bottom() {
        return;
    }
    canvas.text(
        Rect {
            x: at.x + 4.min(at.width),
            y: at.y + 11.min(at.height),
            width: at.width.saturating_sub(4),
            height: 1,
        },
        &note,
        theme.dim,
    );
}
