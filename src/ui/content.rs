//! The content of a space: tabs, each a tree.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::{Canvas, margin, order_sign};
use super::spaces::{Foot, ROWS, failure_bar, filter_line};
use super::theme::Focus;
use crate::app::expansions::{Operation, word};
use crate::app::fields::kind_name;
use crate::app::layout::{Pane, inside};
use crate::app::model::Model;
use crate::app::pane::content::{Outline, TAB_GAP, Tab};
use crate::app::tree::{Node, NodeIx, Order, Presence, Rest, Row, Shape, Standing};
use crate::confluence::ContentKind;
use crate::text::index::positions;
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
    let mut foot = Foot::default();
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
        let lines = model.content_head(area.width);
        let inner = head(canvas, inner, lines, &columns, outline.order);
        let seen = usize::from(inner.height);
        let window = outline.cursor.window(rows.len(), seen);
        // What stands for rows that are not read is none at the end.
        let (known, more) = match rows.last() {
            Some(Row::Rest(None, _)) => (rows.len() - 1, "+"),
            Some(Row::Node(..) | Row::Rest(Some(_), _)) | None => (rows.len(), ""),
        };
        // Rows are not the items that the title counts, where branches are closed, or former parents
        // stand among them.
        let word = if known == outline.tree.items() {
            ""
        } else {
            "row "
        };
        foot.place(word, outline.cursor, known, seen, more);
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
                    draw_rest(
                        model,
                        canvas,
                        at,
                        outline.tree.rest(of),
                        of.is_some(),
                        depth,
                        here,
                    );
                }
            }
            if here && focus == Focus::Elsewhere {
                canvas.at_rest(at);
            }
        }
        if let Some(error) = &outline.error {
            failure_bar(model, canvas, area, ROWS, error);
        }
    }
    let operation = if model.content.is_trash() {
        Operation::Trash
    } else {
        Operation::Content
    };
    let missing: Vec<&str> = model
        .inflight
        .expansions
        .missing(operation)
        .map(word)
        .collect();
    if !missing.is_empty() {
        let note = format!("not read: {}", missing.join(", "));
        foot.note(note, theme.warning);
    }
    if outline.is_uncertain {
        let note = "not certain: the list repeats rows";
        foot.note(note.to_owned(), theme.warning);
    }
    if let Some(matched) = outline.tree.matched() {
        let note = format!(
            "{}{} of {} read",
            number::grouped(matched as u64),
            if outline.tree.is_looking() {
                " …"
            } else {
                ""
            },
            number::grouped(outline.tree.items() as u64)
        );
        foot.note(note, theme.dim);
    }
    if !outline.marks.is_empty() {
        let hidden = outline.hidden_marks();
        let hidden = if hidden > 0 {
            format!(", {} hidden", number::grouped(hidden as u64))
        } else {
            String::new()
        };
        let marked = number::grouped(outline.marks.len() as u64);
        foot.note(format!("{marked} marked{hidden}"), theme.mark);
    }
    filter_line(canvas, area, &outline.filter, &foot, focus);
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
        canvas.failure(text, error, &model.spell("‹refresh›"));
        return;
    }
    let tab = model.content.tab;
    if outline.tree.items() > 0 {
        let is_whole = outline.tree.rest(None) == &Rest::Nothing;
        let line = match (outline.filter.applied.is_some(), is_whole) {
            (true, _) if outline.tree.is_looking() => "Nothing matches so far.",
            (true, true) => "Nothing matches. ‹cancel› clears the filter.",
            (true, false) => "Nothing that is read matches. ‹cancel› clears the filter.",
            (false, _) => "",
        };
        canvas.lines(text, [(model.spell(line).as_str(), theme.dim)]);
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
            model.spell("Not read. ‹refresh› reads it.")
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
    } else if node.standing == Standing::FormerParent {
        // What became of it has the room of the columns, which are empty, and of its title what it
        // needs besides.
        let what = standing(outline.tree.presence(ix));
        let needed = u16::try_from(width::width(what)).unwrap_or(u16::MAX);
        let wide = beside_title(columns).max(needed.saturating_add(3));
        let wide = wide.min(at.width);
        let text = Rect {
            x: at.right() - wide + 2.min(wide),
            width: wide.saturating_sub(3),
            ..at
        };
        canvas.text(text, what, theme.dim);
        wide.saturating_sub(1)
    } else {
        let wide = beside_title(columns);
        let mut cells = Rect {
            x: at.right().saturating_sub(wide),
            width: wide.min(at.width),
            ..at
        };
        for column in columns {
            let text = match column.what {
                What::Kind if column.width < KIND => short_kind(node.kind).to_owned(),
                what => cell(model, outline, ix, &node, what),
            };
            cells.x += 2.min(cells.width);
            cells.width = cells.width.saturating_sub(2);
            cells = canvas.column(cells, column.width, &text, Align::Left, theme.dim);
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
const ROOMY: u16 = 98;

/// The width of the longest type.
pub(super) const KIND: u16 = 10;

/// So wide are titles at least, before columns go.
const TITLE: u16 = 30;

/// The longest name of an editor gets no more than this.
const EDITOR: u16 = 32;

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
    let editors = outline.tree.editors_wide();
    let inner = width.saturating_sub(2);
    trash_columns(inner, outline.shape, outline.order, editors)
}

/// The columns of trashed items that fit beside their titles, in a list of this width. `editors` is
/// what the longest name of an editor needs.
pub(super) fn trash_columns(width: u16, shape: Shape, order: Order, editors: u16) -> Vec<Column> {
    let column = |what, width, name| Column { what, width, name };
    // Beside the list of spaces there is room for a word of four letters.
    let kind = if width < ROOMY { 4 } else { KIND };
    // A date, or its head with a sign.
    let edited = match order {
        Order::Newest | Order::Oldest => 11,
        Order::Server | Order::Title => 10,
    };
    let mut columns = vec![
        column(What::Kind, kind, "TYPE"),
        column(What::Edited, edited, "LAST EDIT"),
    ];
    if width >= 82 {
        columns.push(column(What::Editor, (width / 9).min(20), "BY"));
    }
    if shape == Shape::Table && width >= 62 {
        let wide = if width < 82 { 13 } else { (width / 5).min(48) };
        columns.push(column(What::Parent, wide, "FORMER PARENT"));
    }
    columns.push(column(What::Seen, 10, "FIRST SEEN"));
    // Titles are what is looked for: what says the same of most items goes first.
    let title = |columns: &[Column]| width.saturating_sub(2 + beside_title(columns));
    for what in [What::Seen, What::Kind] {
        if title(&columns) < TITLE {
            columns.retain(|column| column.what != what);
        }
    }
    let spare = title(&columns).saturating_sub(TITLE);
    if let Some(by) = columns.iter_mut().find(|it| it.what == What::Editor) {
        by.width = by.width.max(editors.min(EDITOR).min(by.width + spare));
    }
    columns
}

/// The names of the columns; gives back what is below them.
pub(super) fn head(
    canvas: &mut Canvas<'_>,
    inner: Rect,
    lines: u16,
    columns: &[Column],
    order: Order,
) -> Rect {
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
    let (by_title, by_edit) = match order {
        Order::Server => ("", ""),
        Order::Title => (order_sign(false), ""),
        Order::Oldest => ("", order_sign(false)),
        Order::Newest => ("", order_sign(true)),
    };
    let name = format!("TITLE{by_title}");
    canvas.column(title, title.width, &name, Align::Left, style);
    let mut cells = Rect {
        x: line.right().saturating_sub(wide),
        width: wide.min(line.width),
        ..line
    };
    for column in columns {
        let sign = match column.what {
            What::Edited => by_edit,
            What::Kind | What::Editor | What::Parent | What::Seen => "",
        };
        let name = format!("{}{sign}", column.name);
        cells = canvas.column_head(cells, column.width + 2, &name);
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

fn draw_rest(
    model: &Model,
    canvas: &mut Canvas<'_>,
    at: Rect,
    rest: &Rest,
    below: bool,
    depth: u16,
    here: bool,
) {
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
            format!("{}  {}", error.message, model.spell("‹open› tries again")),
            theme.danger,
        ),
        Rest::Unknown if below => (model.spell("not read, ‹open› reads it"), theme.dim),
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
