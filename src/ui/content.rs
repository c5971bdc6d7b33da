//! The content of a space: tabs, each a tree.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::Canvas;
use super::spaces::{failure_bar, filter_line};
use super::theme::Focus;
use crate::app::layout::{Pane, inside};
use crate::app::model::Model;
use crate::app::pane::content::{Outline, Tab, TrashRead};
use crate::app::tree::{Node, NodeIx, Rest, Row, Standing};
use crate::confluence::ContentKind;
use crate::text::width::Align;
use crate::text::{number, width};

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = canvas.theme;
    let focus = if model.focus == Pane::Content && model.modals.is_empty() {
        Focus::Here
    } else {
        Focus::Elsewhere
    };
    let content = &model.content;
    let mut pieces: Vec<(String, Style)> = Vec::new();
    for tab in Tab::ALL {
        if !pieces.is_empty() {
            pieces.push((" │ ".to_owned(), theme.border_of(focus)));
        }
        let count = count(model, tab);
        let label = if count.is_empty() {
            tab.label().to_owned()
        } else {
            format!("{} {count}", tab.label())
        };
        let style = if tab == content.tab {
            theme.accent
        } else {
            theme.dim
        };
        pieces.push((label, style));
    }
    let pieces: Vec<(&str, Style)> = pieces
        .iter()
        .map(|(text, style)| (text.as_str(), *style))
        .collect();
    canvas.frame(area, &pieces, focus);
    let inner = inside(area);
    if inner.is_empty() {
        return;
    }
    let outline = content.outline();
    let rows = outline.tree.rows();
    if rows.is_empty()
        || (outline.tree.items() == 0
            && matches!(
                outline.tree.roots.rest,
                Rest::Loading { .. } | Rest::Failed { .. }
            ))
    {
        empty(model, canvas, inner, outline);
    } else {
        let window = outline.cursor.window(rows.len(), usize::from(inner.height));
        for (line, row) in window.enumerate() {
            let y = inner.y + u16::try_from(line).unwrap_or(0);
            let at = Rect {
                y,
                height: 1,
                ..inner
            };
            let here = row == outline.cursor.at;
            match rows[row] {
                Row::Node(ix, depth) => draw_node(model, canvas, at, outline, ix, depth, here),
                Row::Rest(of, depth) => draw_rest(
                    canvas,
                    at,
                    &outline.tree.branch(of).rest,
                    of.is_some(),
                    depth,
                    here,
                ),
            }
        }
        if let Some(error) = &outline.error {
            failure_bar(canvas, area, error);
        }
    }
    let mut note = String::new();
    if !outline.marks.is_empty() {
        note = format!("{} marked", number::grouped(outline.marks.len() as u64));
        let hidden = outline.hidden_marks();
        if hidden > 0 {
            note.push_str(&format!(", {} hidden", number::grouped(hidden as u64)));
        }
    } else if let Some(matched) = outline.tree.matched() {
        note = format!(
            "{} of {} read",
            number::grouped(matched as u64),
            number::grouped(outline.tree.items() as u64)
        );
    }
    filter_line(canvas, area, &outline.filter, note, focus);
}

/// How many there are, as far as that is known: "12", "12+", "".
fn count(model: &Model, tab: Tab) -> String {
    let outline = model.content.outline_of(tab);
    let have = outline.tree.items() as u64;
    let whole = match tab {
        Tab::Pages | Tab::Blog => {
            let more = !matches!(outline.tree.roots.rest, Rest::Nothing);
            let closed = tab == Tab::Pages
                && outline
                    .tree
                    .all_items()
                    .any(|node| node.branch.rest != Rest::Nothing);
            !more && !closed
        }
        Tab::Trash => model.content.trees.trash_read == TrashRead::Complete,
    };
    match (tab, outline.total) {
        (Tab::Trash, _) if model.content.trees.trash_read == TrashRead::Not => String::new(),
        (Tab::Trash, Some(total)) => number::grouped(total.max(have)),
        _ if outline.as_of.is_none() && have == 0 => String::new(),
        _ if whole => number::grouped(have),
        _ => format!("{}+", number::grouped(have)),
    }
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, inner: Rect, outline: &Outline) {
    let theme = canvas.theme;
    let text = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let Some(space) = model.shown_space() else {
        canvas.lines(
            text,
            [(
                "Pages, blog posts and trash of the space appear here.",
                theme.dim,
            )],
        );
        return;
    };
    if let Some(error) = &outline.error {
        let hint = error.hint();
        canvas.lines(
            text,
            [
                (error.message.as_str(), theme.danger),
                (hint.as_str(), theme.text),
                ("r tries again.", theme.dim),
            ],
        );
        return;
    }
    let tab = model.content.tab;
    if outline.tree.items() > 0 {
        let line = if outline.filter.applied.is_some() {
            "Nothing that is read matches. Esc clears the filter."
        } else {
            ""
        };
        canvas.lines(text, [(line, theme.dim)]);
        return;
    }
    let line = match (&outline.tree.roots.rest, tab) {
        (Rest::Loading { .. }, Tab::Pages) => format!("Reading the pages of {space}."),
        (Rest::Loading { .. }, Tab::Blog) => format!("Reading the blog posts of {space}."),
        (Rest::Loading { .. }, Tab::Trash) => format!("Reading the trash of {space}."),
        (Rest::Nothing, Tab::Pages) => format!("No pages in {space}."),
        (Rest::Nothing, Tab::Blog) => format!("No blog posts in {space}."),
        (Rest::Nothing, Tab::Trash) => format!("Nothing in the trash of {space}."),
        (Rest::Unknown | Rest::More { .. } | Rest::Failed { .. }, _) => {
            "Not read. r reads it.".to_owned()
        }
    };
    canvas.lines(text, [(line.as_str(), theme.dim)]);
}

fn draw_node(
    model: &Model,
    canvas: &mut Canvas<'_>,
    at: Rect,
    outline: &Outline,
    ix: NodeIx,
    depth: u16,
    here: bool,
) {
    let theme = canvas.theme;
    let node = outline.tree.node(ix);
    let marked = outline.marks.contains(&node.id);
    let glyph = match (here, marked) {
        (true, _) => (theme.glyphs.caret, theme.caret),
        (false, true) => (theme.glyphs.mark, theme.mark),
        (false, false) => (" ", theme.text),
    };
    canvas.text(Rect { width: 1, ..at }, glyph.0, glyph.1);
    if here && marked {
        canvas.text(
            Rect {
                x: at.x + 1,
                width: 1,
                ..at
            },
            theme.glyphs.mark,
            theme.mark,
        );
    }
    let mut rest = Rect {
        x: at.x + 2,
        width: at.width.saturating_sub(2),
        ..at
    };
    // Deep trees keep half of the width for titles.
    let indent = (depth.saturating_mul(2)).min(at.width / 2);
    rest = Rect {
        x: rest.x + indent,
        width: rest.width.saturating_sub(indent),
        ..rest
    };
    let can_expand = outline.tree.can_expand(ix);
    let twist = match (
        can_expand,
        node.expanded || outline.filter.applied.is_some(),
    ) {
        (true, true) => theme.glyphs.open,
        (true, false) => theme.glyphs.closed,
        (false, _) => " ",
    };
    rest.x += canvas.column_width(rest, 2, twist, theme.dim);
    rest.width = (at.x + at.width).saturating_sub(rest.x);
    let facts = facts(model, node, at.width);
    rest.width = rest.width.saturating_sub(1);
    let used = canvas.right(rest, &facts, theme.dim);
    let title = Rect {
        width: rest
            .width
            .saturating_sub(if used > 0 { used + 2 } else { 0 }),
        ..rest
    };
    let matches = outline.tree.is_match(ix);
    let style = match (here, node.standing) {
        (true, _) => theme.cursor,
        (false, Standing::FormerParent) => theme.dim,
        (false, Standing::Item) if !matches => theme.dim,
        (false, Standing::Item) => theme.text,
    };
    let name = if node.title.is_empty() {
        format!("(no title, id {})", node.id)
    } else {
        node.title.to_string()
    };
    canvas.text(title, &name, style);
}

/// Type, version and date of the last edit, as far as there is room.
fn facts(model: &Model, node: &Node, width: u16) -> String {
    if node.standing == Standing::FormerParent {
        return "not in the trash".to_owned();
    }
    let mut facts: Vec<String> = Vec::new();
    if model.content.is_trash() || !matches!(node.kind, ContentKind::Page | ContentKind::BlogPost) {
        let kind = match &node.kind {
            ContentKind::Page => "page",
            ContentKind::BlogPost => "blog post",
            ContentKind::Comment => "comment",
            ContentKind::Attachment => "attachment",
            ContentKind::Other(name) => name,
        };
        if width >= 50 {
            facts.push(width::fit(kind, 10, Align::Left).into_owned());
        }
    }
    if let Some(version) = node.version
        && width >= 40
    {
        facts.push(width::fit(&format!("v{version}"), 4, Align::Right).into_owned());
    }
    if let Some(edited) = node.edited {
        facts.push(number::date(edited.0, &model.zone));
    }
    facts.join("  ")
}

fn draw_rest(canvas: &mut Canvas<'_>, at: Rect, rest: &Rest, below: bool, depth: u16, here: bool) {
    let theme = canvas.theme;
    if here {
        canvas.text(Rect { width: 1, ..at }, theme.glyphs.caret, theme.caret);
    }
    let indent = 2 + depth.saturating_mul(2).min(at.width / 2);
    let area = Rect {
        x: at.x + indent,
        width: at.width.saturating_sub(indent),
        ..at
    };
    let more = |left: &Option<u64>| match left {
        Some(left) => format!("{} more", number::grouped(*left)),
        None => "more".to_owned(),
    };
    let (text, style) = match rest {
        Rest::Loading { .. } => ("reading …".to_owned(), theme.dim),
        Rest::More { left, .. } => (format!("{} …", more(left)), theme.dim),
        Rest::Failed { error, .. } => (
            format!("{}  Enter tries again", error.message),
            theme.danger,
        ),
        Rest::Unknown if below => ("not read, Enter reads it".to_owned(), theme.dim),
        Rest::Unknown | Rest::Nothing => (String::new(), theme.dim),
    };
    canvas.pieces(
        area,
        [
            (theme.glyphs.leaf, theme.dim),
            (" ", theme.dim),
            (text.as_str(), style),
        ],
    );
}
