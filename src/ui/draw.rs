//! The picture of a model. Reads it, writes cells, and changes nothing else.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::theme::{self, Theme};
use super::{across, chrome, content, detail, modal, preview, spaces, welcome};
use crate::app::layout::{Layout, Pane, SMALLEST};
use crate::app::modal::Modal;
use crate::app::model::{Model, Screen};

/// Draws everything.
pub fn draw(model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let canvas = &mut Canvas {
        buffer: frame.buffer_mut(),
        theme,
        cursor: None,
        dialog: None,
    };
    if theme.ground != Style::default() {
        canvas.buffer.set_style(area, theme.ground);
    }
    match (model.layout(), &model.screen) {
        (Layout::TooSmall, _) => too_small(canvas, area),
        (Layout::Panes { footer, .. }, Screen::Welcome { .. }) => {
            // Around the set-up it would stick out in pieces.
            let sets_up = |modal: &Modal| matches!(modal, Modal::SetUp(_));
            if !model.modals.iter().any(sets_up) {
                welcome::draw(model, canvas, area);
            }
            chrome::footer(model, canvas, footer);
        }
        (Layout::Panes { header, footer, .. }, Screen::Across) => {
            chrome::header(model, canvas, header);
            across::draw(model, canvas, model.across_areas().0);
            preview::draw(model, canvas);
            chrome::footer(model, canvas, footer);
        }
        (
            Layout::Panes {
                header,
                panes,
                footer,
            },
            Screen::Panes,
        ) => {
            chrome::header(model, canvas, header);
            spaces::draw(model, canvas, panes[Pane::Spaces as usize]);
            detail::draw(model, canvas, panes[Pane::Detail as usize]);
            content::draw(model, canvas, panes[Pane::Content as usize]);
            preview::draw(model, canvas);
            chrome::footer(model, canvas, footer);
        }
    }
    if model.layout() != Layout::TooSmall {
        for modal in &model.modals {
            modal::draw(model, modal, canvas, area);
        }
        chrome::toasts(model, canvas, area);
    }
    if std::ptr::eq(theme.glyphs, &raw const theme::ASCII) {
        plain(canvas.buffer);
    }
    if let Some((x, y)) = canvas.cursor {
        frame.set_cursor_position((x, y));
    }
}

/// Puts signs of ASCII in the place of those that stand in sentences and titles of ours. What a
/// wiki holds keeps its letters, whatever their script.
fn plain(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() || !symbol.chars().any(|c| theme::in_ascii(c).is_some()) {
            continue;
        }
        // Marks without width stay: they may end or begin a text from right to left.
        let symbol: String = symbol
            .chars()
            .map(|c| theme::in_ascii(c).unwrap_or(c))
            .collect();
        cell.set_symbol(&symbol);
    }
}

fn too_small(canvas: &mut Canvas<'_>, area: Rect) {
    let text = format!(
        "Too small: {} × {} at least.",
        SMALLEST.width, SMALLEST.height
    );
    let y = area.y + area.height / 2;
    let style = canvas.theme.text;
    canvas.text(
        Rect {
            y,
            height: 1.min(area.height),
            ..area
        },
        &text,
        style,
    );
}
