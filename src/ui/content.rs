//! The content of a space: tabs, each a tree.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::{Canvas, margin};
use super::spaces::{ROWS, failure_bar, filter_line};
use super::theme::Focus;
use crate::app::fields::kind_name;
use crate::app::layout::{Pane, inside};
use crate::app::model::Model;
use crate::app::pane::content::{Outline, TAB_GAP, Tab};
use crate::app::tree::{Node, NodeIx, Presence, Rest, Row, Shape, Standing};
use crate::confluence::ContentKind;
use crate::text::filter::positions;
use crate::text::width::Align;
use crate::text::{number, width};

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let theme = canvas.theme;
    let focus = Focus::when(model.focus == Pane::Content && model.modals.is_empty());
    let content = &model.content;
    let mut pieces: Vec<(String, Style)> = Vec::new();
    for tab in Tab::ALL {
        if !pieces.is_empty() {
            pieces.push((TAB_GAP.to_owned(), theme.border_of(focus)));
        }
        let label = model.content.label(tab);
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
                outline.tree.rest(None),
                Rest::Loading { .. } | Rest::Failed { .. }
            ))
    {
        empty(model, canvas, inner, outline);
    } else {
        let columns = columns(model, area.width, outline);
        let inner = head(canvas, inner, model.content_head(area.width), &columns);
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
                Row::Node(ix, depth) => {
                    draw_node(model, canvas, at, outline, &columns, ix, depth, here);
                }
                Row::Rest(of, depth) => {
                    draw_rest(canvas, at, outline.tree.rest(of), of.is_some(), depth, here);
                }
            }
        }
        if let Some(error) = &outline.error {
            failure_bar(canvas, area, ROWS, error);
        }
    }
    let mut notes = Vec::new();
    if let Some(matched) = outline.tree.matched() {
        notes.push(format!(
            "{}{} of {} read",
            number::grouped(matched as u64),
            if outline.tree.is_looking() {
                " …"
            } else {
                ""
            },
            number::grouped(outline.tree.items() as u64)
        ));
    }
    if !outline.marks.is_empty() {
        let hidden = outline.hidden_marks();
        let hidden = if hidden > 0 {
            format!(", {} hidden", number::grouped(hidden as u64))
        } else {
            String::new()
        };
        let marked = number::grouped(outline.marks.len() as u64);
        notes.push(format!("{marked} marked{hidden}"));
    }
    filter_line(canvas, area, &outline.filter, notes.join(" · "), focus);
}

fn empty(model: &Model, canvas: &mut Canvas<'_>, inner: Rect, outline: &Outline) {
    let theme = canvas.theme;
    let text = margin(inner);
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
        canvas.failure(text, error);
        return;
    }
    let tab = model.content.tab;
    if outline.tree.items() > 0 {
        let is_whole = outline.tree.rest(None) == &Rest::Nothing;
        let line = match (outline.filter.applied.is_some(), is_whole) {
            (true, _) if outline.tree.is_looking() => "Nothing matches so far.",
            (true, true) => "Nothing matches. Esc clears the filter.",
            (true, false) => "Nothing that is read matches. Esc clears the filter.",
            (false, _) => "",
        };
        canvas.lines(text, [(line, theme.dim)]);
        return;
    }
    let line = match (outline.tree.rest(None), tab) {
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
    columns: &[Column],
    ix: NodeIx,
    depth: u16,
    here: bool,
) {
    let theme = canvas.theme;
    let node = outline.tree.node(ix);
    let marked = outline.marks.contains(&node.id);
    let mut rest = canvas.gutter(at, here, marked);
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
    if outline.shape == Shape::Tree {
        rest.x += canvas.column_width(rest, 2, twist, theme.dim);
        rest.width = (at.x + at.width).saturating_sub(rest.x);
    }
    let used = if columns.is_empty() {
        let facts = match node.standing {
            Standing::FormerParent => standing(outline.tree.presence(ix)).to_owned(),
            Standing::Item => facts(model, &node, at.width),
        };
        rest.width = rest.width.saturating_sub(1);
        canvas.right(rest, &facts, theme.dim)
    } else {
        let wide = beside_title(columns);
        let mut cells = Rect {
            x: at.right().saturating_sub(wide),
            width: wide.min(at.width),
            ..at
        };
        for column in columns {
            let text = match node.standing {
                Standing::Item if column.what == What::Kind && column.width < 10 => {
                    short_kind(node.kind).to_owned()
                }
                Standing::Item => cell(model, outline, ix, &node, column.what),
                Standing::FormerParent => match column.what {
                    What::Kind => standing(outline.tree.presence(ix)).to_owned(),
                    What::Edited | What::Editor | What::Parent | What::Seen => String::new(),
                },
            };
            let width = match (node.standing, column.what) {
                // What became of it has the room of the columns that are empty.
                (Standing::FormerParent, What::Kind) => cells.width.saturating_sub(2),
                _ => column.width,
            };
            let padded = Rect {
                x: cells.x + 2,
                width: cells.width.saturating_sub(2),
                ..cells
            };
            canvas.column(padded, width, &text, Align::Left, theme.dim);
            if node.standing == Standing::FormerParent {
                break;
            }
            cells = Rect {
                x: cells.x + column.width + 2,
                width: cells.width.saturating_sub(column.width + 2),
                ..cells
            };
        }
        wide.saturating_sub(1)
    };
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
    if let Some(filter) = &outline.filter.applied
        && matches
        && !node.title.is_empty()
    {
        canvas.pick_out(title, &name, &positions(filter, &name));
    }
}

/// Type, version and date of the last edit, as far as there is room.
fn facts(model: &Model, node: &Node<'_>, width: u16) -> String {
    let mut facts: Vec<String> = Vec::new();
    if model.content.is_trash() || !matches!(node.kind, ContentKind::Page | ContentKind::BlogPost) {
        let kind = kind_name(node.kind);
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

/// What became of a parent that is not in the trash with its children.
fn standing(presence: Option<Presence>) -> &'static str {
    match presence {
        Some(Presence::Alive) => "parent, alive",
        Some(Presence::Gone) => "parent, gone or hidden",
        Some(Presence::Trashed) => "parent, trashed too",
        Some(Presence::Asked | Presence::Unknown) | None => "parent, not in the trash",
    }
}

/// What a column of the trash tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Kind,
    Edited,
    Editor,
    Parent,
    Seen,
}

/// A column of the trash, beside the title.
pub(super) struct Column {
    pub(super) what: What,
    pub(super) width: u16,
    name: &'static str,
}

/// How wide the columns beside the title are, with the gap before each and a blank at the end.
pub(super) fn beside_title(columns: &[Column]) -> u16 {
    let wide: u16 = columns.iter().map(|column| column.width + 2).sum();
    wide + 1
}

/// From this width on types are written out.
const ROOMY: u16 = 70;

/// A type in four letters.
pub(super) fn short_kind(kind: &ContentKind) -> &str {
    match kind {
        ContentKind::Page => "page",
        ContentKind::BlogPost => "blog",
        ContentKind::Comment => "note",
        ContentKind::Attachment => "file",
        ContentKind::Other(name) => name,
    }
}

/// The columns of the trash that fit beside the title; none where there is no room for a head.
fn columns(model: &Model, width: u16, outline: &Outline) -> Vec<Column> {
    if model.content_head(width) == 0 {
        return Vec::new();
    }
    trash_columns(width, outline.shape)
}

/// The columns of trashed items that fit beside their titles.
pub(super) fn trash_columns(width: u16, shape: Shape) -> Vec<Column> {
    let column = |what, width, name| Column { what, width, name };
    // Beside the list of spaces there is room for a word of four letters.
    let kind = if width < ROOMY { 4 } else { 10 };
    let mut columns = vec![
        column(What::Kind, kind, "TYPE"),
        column(What::Edited, 10, "LAST EDIT"),
    ];
    if width >= 84 {
        columns.push(column(What::Editor, (width / 9).min(20), "BY"));
    }
    if shape == Shape::Table && width >= 64 {
        let wide = if width < 84 { 13 } else { (width / 5).min(48) };
        columns.push(column(What::Parent, wide, "FORMER PARENT"));
    }
    columns.push(column(What::Seen, 10, "FIRST SEEN"));
    columns
}

/// The names of the columns; gives back what is below them.
pub(super) fn head(canvas: &mut Canvas<'_>, inner: Rect, lines: u16, columns: &[Column]) -> Rect {
    if lines == 0 || inner.height == 0 {
        return inner;
    }
    let style = canvas.theme.table_head;
    let wide = beside_title(columns);
    let line = Rect { height: 1, ..inner };
    let title = Rect {
        x: line.x + 2,
        width: line.width.saturating_sub(wide + 2),
        ..line
    };
    canvas.column(title, title.width, "TITLE", Align::Left, style);
    let mut cells = Rect {
        x: line.right().saturating_sub(wide),
        width: wide.min(line.width),
        ..line
    };
    for column in columns {
        cells = canvas.column_head(cells, column.width + 2, column.name);
    }
    Rect {
        y: inner.y + 1,
        height: inner.height - 1,
        ..inner
    }
}

fn cell(model: &Model, outline: &Outline, ix: NodeIx, node: &Node<'_>, what: What) -> String {
    match what {
        What::Kind => kind_name(node.kind).to_owned(),
        What::Edited => node
            .edited
            .map(|edited| number::date(edited.0, &model.zone))
            .unwrap_or_default(),
        What::Editor => node.editor.unwrap_or_default().to_owned(),
        What::Parent => match outline.tree.node(ix).parent {
            None => String::new(),
            Some(up) => {
                let parent = outline.tree.node(up);
                let state = match (parent.standing, outline.tree.presence(up)) {
                    (Standing::Item, _) | (_, Some(Presence::Trashed)) => " (trashed)",
                    (_, Some(Presence::Alive)) => " (alive)",
                    (_, Some(Presence::Gone)) => " (gone)",
                    (_, Some(Presence::Asked | Presence::Unknown) | None) => "",
                };
                format!("{}{state}", parent.title)
            }
        },
        What::Seen => match node.first_seen {
            None => String::new(),
            Some(day) if day == model.today() => "today".to_owned(),
            Some(day) => day.to_string(),
        },
    }
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
