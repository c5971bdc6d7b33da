//! The guided set-up: its form, and what the test of it has found.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::dialog::Owner;
use super::form;
use super::scroll;
use super::space_forms::framed;
use crate::app::layout::tallest;
use crate::app::message::Size;
use crate::app::modal::reading::folded;
use crate::app::modal::setup::{SetUp, Stage};
use crate::app::model::Model;
use crate::doctor::Verdict;

/// Draws the set-up.
pub(super) fn draw(model: &Model, setup: &SetUp, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(6).min(78);
    let title = "Connect to a Confluence";
    let owner = Owner::profile(model);
    let problem = setup.problem.as_deref().unwrap_or_default();
    if matches!(setup.stage, Stage::Form) {
        let rows = form::height(&setup.form, wide);
        let body = framed(canvas, size, title, owner, rows, setup.hints(), problem);
        form::draw(&setup.form, canvas, body);
        return;
    }
    let rows = tallest(size).saturating_sub(5).min(18);
    let body = framed(canvas, size, title, owner, rows, setup.hints(), problem);
    if matches!(setup.stage, Stage::Writing(_)) {
        canvas.text(body, "Writing the configuration …", theme.dim);
        return;
    }
    let Stage::Test { ticket, top, .. } = &setup.stage else {
        return;
    };
    // Where one line of the list begins among those that are shown.
    let mut starts = Vec::new();
    let mut lines = Vec::new();
    for (verdict, text) in setup.lines() {
        starts.push(lines.len());
        let style = match verdict {
            Verdict::Ok => theme.text,
            Verdict::Note => theme.warning,
            Verdict::Failed => theme.danger,
            Verdict::Skipped => theme.dim,
        };
        for part in folded(&text, usize::from(body.width)) {
            lines.push((part, style));
        }
    }
    let last = if ticket.is_some() {
        ("Testing …", theme.dim)
    } else if setup.is_good() {
        ("It works. Nothing was written yet.", theme.good)
    } else {
        (
            "Nothing was written. Esc goes back to the form.",
            theme.text,
        )
    };
    lines.push((last.0.to_owned(), last.1));
    let height = usize::from(body.height);
    let end = lines.len().saturating_sub(height);
    let from = top.map_or(end, |top| starts.get(top).copied().unwrap_or(end).min(end));
    if let Some(dialog) = canvas.dialog {
        let below = end.saturating_sub(from);
        scroll::note(canvas, dialog, (from, below), theme.dim);
    }
    for (ix, (text, style)) in lines.iter().skip(from).take(height).enumerate() {
        let y = body.y + u16::try_from(ix).unwrap_or(0);
        canvas.text(
            Rect {
                y,
                height: 1,
                ..body
            },
            text,
            *style,
        );
    }
}
