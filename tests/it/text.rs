//! The widths that layout counts with are the widths that the screen draws with.

use coracle::text::{plain, width};
use proptest::prelude::*;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use ratatui::widgets::Widget;

/// The column after the last one that ratatui fills.
fn drawn(text: &str) -> usize {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 1));
    let (x, _) = buffer.set_stringn(0, 0, text, usize::MAX, Style::default());
    usize::from(x)
}

#[test]
fn clusters_are_as_wide_as_cells() {
    for cluster in [
        "a",
        "日",
        "e\u{301}",
        "👩\u{200D}👧",
        "❤\u{FE0F}",
        "🇩🇪",
        "ｶ\u{FF9E}",
        "\u{2068}",
    ] {
        assert_eq!(
            width::cluster_width(cluster),
            usize::from(cluster.cell_width()),
            "{cluster:?}"
        );
    }
}

#[test]
fn isolates_survive_being_drawn_as_a_widget() {
    let name = width::isolate("شركة").into_owned();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 1));
    Span::raw(name.as_str()).render(buffer.area, &mut buffer);
    let row: String = buffer.content().iter().map(|cell| cell.symbol()).collect();
    assert_eq!(row, format!("{name}  "));
}

proptest! {
    #[test]
    fn text_is_as_wide_as_drawn(text in "\\PC{0,30}") {
        let text = plain::scrub(&text);
        prop_assert_eq!(width::width(&text), drawn(&text));
    }
}
