//! A document as blocks and runs, and its layout into lines of a width.
//!
//! What the body of a page becomes on its way to a preview. No colours in here: a [`Span`] says
//! what it is ([`Ink`]), the theme says how that looks. All text has been scrubbed by the parser
//! that made the document, and blocks are nested no deeper than `markup::DEPTH`, so walking them
//! by recursion is safe.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use super::width::width;
use super::wrap::wrap;

/// A document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doc {
    /// Its blocks from top to bottom.
    pub blocks: Vec<Block>,
}

/// A part of a document that begins on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// A heading.
    Heading {
        /// 1 to 6.
        level: u8,
        /// Its text.
        runs: Vec<Run>,
    },
    /// A paragraph. A line feed in a run is a line break.
    Paragraph(Vec<Run>),
    /// A list.
    List {
        /// What stands before its items.
        kind: ListKind,
        /// Its items.
        items: Vec<Item>,
    },
    /// A table.
    Table(Vec<Vec<Cell>>),
    /// Code, line by line as it is.
    Code {
        /// The language that it says it is in.
        language: Option<String>,
        /// What stands above it.
        title: Option<String>,
        /// Its lines with `\n` between them.
        text: String,
    },
    /// A box that wants attention.
    Panel {
        /// How much.
        kind: PanelKind,
        /// Its title.
        title: Option<String>,
        /// What it holds.
        blocks: Vec<Block>,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// A section that a browser shows folded.
    Expand {
        /// What stands on the fold.
        title: Option<String>,
        /// What is folded.
        blocks: Vec<Block>,
    },
    /// A macro that has no form of its own here.
    Macro {
        /// Its name and parameters.
        label: String,
        /// Its body.
        blocks: Vec<Block>,
    },
    /// A line across.
    Rule,
    /// Said by the parser, not by the page.
    Note(String),
}

/// What stands before the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListKind {
    /// A dot.
    Bullet,
    /// Numbers from 1.
    Numbered,
    /// A box, ticked or not.
    Tasks,
}

/// An item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Whether it is a task that is done.
    pub done: bool,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Whether it is a heading.
    pub heading: bool,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// How much attention a panel wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PanelKind {
    /// None in particular.
    Plain,
    /// Good to know.
    Info,
    /// Advice.
    Tip,
    /// Take care.
    Note,
    /// Take great care.
    Warning,
}

/// What a run is, beside its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunKind {
    /// Text.
    #[default]
    Text,
    /// The name of an image.
    Image,
    /// A status badge.
    Badge,
    /// A macro or a placeholder: there for the author.
    Aside,
}

/// How a run is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// Bold.
    pub bold: bool,
    /// Italic.
    pub italic: bool,
    /// Struck out.
    pub strike: bool,
    /// In the type of a machine.
    pub code: bool,
}

/// Text of one style.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The text.
    pub text: String,
    /// How it is set.
    pub style: Style,
    /// What it is.
    pub kind: RunKind,
    /// Where it leads: an address, or the name of a page, file or user. Shared by the runs of one
    /// link, for a page may have very many of them.
    pub link: Option<Arc<str>>,
}

/// What a piece of a line is, for the theme to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ink {
    /// Text as usual.
    Text,
    /// A heading or a title.
    Heading,
    /// Code.
    Code,
    /// A link.
    Link,
    /// Secondary: markers, frames, numbers of links.
    Dim,
    /// Of an info or tip panel.
    Info,
    /// Of a note or warning panel, or a note of the parser.
    Warning,
    /// A status badge.
    Badge,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its text.
    pub text: String,
    /// What it is.
    pub ink: Ink,
    /// How it is set.
    pub style: Style,
}

/// A line of a laid out document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Blank columns before the text.
    pub indent: usize,
    /// The text.
    pub spans: Vec<Span>,
}

impl Line {
    /// The text without its indent.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// The columns that the line fills, indent included.
    pub fn width(&self) -> usize {
        self.indent
            + self
                .spans
                .iter()
                .map(|span| width(&span.text))
                .sum::<usize>()
    }
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number of the line, from 0.
    pub line: usize,
    /// The columns, indent included.
    pub columns: std::ops::Range<usize>,
}

/// Finds text in laid out lines, in any case; from top to bottom.
pub fn find(lines: &[Line], needle: &str) -> Vec<Found> {
    let needle = needle.to_lowercase();
    if needle.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let text = line.text();
        let mut lower = String::with_capacity(text.len());
        // For each byte of the lower-cased text the columns of its cluster.
        let mut columns = Vec::with_capacity(text.len());
        let mut at = line.indent;
        for cluster in text.graphemes(true) {
            lower.push_str(&cluster.to_lowercase());
            let end = at + super::width::cluster_width(cluster);
            columns.resize(lower.len(), (at, end));
            at = end;
        }
        for (start, hit) in lower.match_indices(&needle) {
            let end = start + hit.len() - 1;
            found.push(Found {
                line: number,
                columns: columns[start].0..columns[end].1,
            });
        }
    }
    found
}

impl Doc {
    /// Lays the document out in `columns`. Links are numbered; their targets are listed at the
    /// end. No line is wider than `columns`, unless that is less than eight.
    pub fn lines(&self, columns: usize) -> Vec<Line> {
        let mut layout = Layout {
            lines: Vec::new(),
            links: HashMap::new(),
            targets: Vec::new(),
        };
        let columns = columns.max(8);
        layout.blocks(&self.blocks, Place::new(columns));
        if !layout.targets.is_empty() {
            layout.gap();
            for (number, target) in std::mem::take(&mut layout.targets).into_iter().enumerate() {
                let number = format!("[{}] ", number + 1);
                layout.hanging(
                    Place::new(columns),
                    span(&number, Ink::Dim),
                    &[span(&target, Ink::Link)],
                );
            }
        }
        layout.lines
    }

    /// The targets of the links in the order of their numbers.
    pub fn links(&self) -> Vec<String> {
        let mut layout = Layout {
            lines: Vec::new(),
            links: HashMap::new(),
            targets: Vec::new(),
        };
        layout.blocks(&self.blocks, Place::new(80));
        layout.targets
    }
}

fn span(text: &str, ink: Ink) -> Span {
    Span {
        text: text.to_owned(),
        ink,
        style: Style::default(),
    }
}

/// Where on the line a block goes.
#[derive(Clone, Copy)]
struct Place {
    columns: usize,
    indent: usize,
    /// Inside of a table cell no second table is laid out in columns: that would take time that
    /// doubles with each level.
    in_table: bool,
}

impl Place {
    fn new(columns: usize) -> Self {
        Self {
            columns,
            indent: 0,
            in_table: false,
        }
    }

    /// Further in by `by`, never past the middle.
    fn deeper(self, by: usize) -> Self {
        Self {
            indent: (self.indent + by).min(self.columns / 2),
            ..self
        }
    }

    fn room(self) -> usize {
        (self.columns - self.indent).max(1)
    }
}

struct Layout {
    lines: Vec<Line>,
    links: HashMap<String, usize>,
    targets: Vec<String>,
}

impl Layout {
    /// A blank line, unless there is one or nothing yet.
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.spans.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    fn blocks(&mut self, blocks: &[Block], place: Place) {
        for (number, block) in blocks.iter().enumerate() {
            // A list inside of an item stands right under its text.
            let tight = matches!(block, Block::List { .. }) && place.indent > 0;
            if number > 0 && !tight {
                self.gap();
            }
            self.block(block, place);
        }
    }

    fn block(&mut self, block: &Block, place: Place) {
        match block {
            Block::Heading { level, runs } => {
                let mut spans = self.spans(runs);
                for span in &mut spans {
                    if span.ink == Ink::Text {
                        span.ink = Ink::Heading;
                    }
                    span.style.bold = true;
                }
                let mark = format!("{} ", "#".repeat(usize::from(*level)));
                self.hanging(place, span(&mark, Ink::Dim), &spans);
            }
            Block::Paragraph(runs) => {
                let spans = self.spans(runs);
                self.flow(place, &spans);
            }
            Block::List { kind, items } => self.list(*kind, items, place),
            Block::Table(rows) => self.table(rows, place),
            Block::Code {
                language,
                title,
                text,
            } => self.code(language.as_deref(), title.as_deref(), text, place),
            Block::Panel {
                kind,
                title,
                blocks,
            } => {
                let (name, ink) = match kind {
                    PanelKind::Plain => ("Panel", Ink::Dim),
                    PanelKind::Info => ("Info", Ink::Info),
                    PanelKind::Tip => ("Tip", Ink::Info),
                    PanelKind::Note => ("Note", Ink::Warning),
                    PanelKind::Warning => ("Warning", Ink::Warning),
                };
                let label = match title {
                    Some(title) => format!("{name}: {title}"),
                    None => name.to_owned(),
                };
                self.framed(span(&label, ink), ink, blocks, place);
            }
            Block::Quote(blocks) => {
                let first = self.lines.len();
                self.blocks(blocks, place.deeper(2));
                self.bar(first, place, Ink::Dim);
            }
            Block::Expand { title, blocks } => {
                let title = title.as_deref().unwrap_or("Expand");
                self.framed(
                    span(&format!("▾ {title}"), Ink::Heading),
                    Ink::Dim,
                    blocks,
                    place,
                );
            }
            Block::Macro { label, blocks } => {
                self.framed(
                    span(&format!("[{label}]"), Ink::Dim),
                    Ink::Dim,
                    blocks,
                    place,
                );
            }
            Block::Rule => {
                let rule = span(&"─".repeat(place.room()), Ink::Dim);
                self.flow(place, &[rule]);
            }
            Block::Note(text) => self.flow(place, &[span(text, Ink::Warning)]),
        }
    }

    /// A label, and under it what belongs to it, with a bar at its side.
    fn framed(&mut self, label: Span, ink: Ink, blocks: &[Block], place: Place) {
        let first = self.lines.len();
        self.flow(place.deeper(2), &[label]);
        self.blocks(blocks, place.deeper(2));
        self.bar(first, place, ink);
    }

    /// Draws a bar at the side of all lines from `first` on.
    fn bar(&mut self, first: usize, place: Place, ink: Ink) {
        for line in &mut self.lines[first..] {
            let inner = line.indent.max(place.indent);
            // Where the indent is used up there is no room for a bar.
            if line.indent >= place.indent + 2 || line.spans.is_empty() {
                let gap = if line.spans.is_empty() {
                    String::new()
                } else {
                    " ".repeat(inner - place.indent - 1)
                };
                line.indent = place.indent;
                line.spans.insert(0, span(&format!("│{gap}"), ink));
            }
        }
    }

    fn list(&mut self, kind: ListKind, items: &[Item], place: Place) {
        let digits = items.len().to_string().len();
        for (number, item) in items.iter().enumerate() {
            let mark = match kind {
                ListKind::Bullet => "• ".to_owned(),
                ListKind::Numbered => format!("{:>digits$}. ", number + 1),
                ListKind::Tasks if item.done => "[x] ".to_owned(),
                ListKind::Tasks => "[ ] ".to_owned(),
            };
            let inner = place.deeper(width(&mark));
            let first = self.lines.len();
            self.blocks(&item.blocks, inner);
            let mark = span(&mark, Ink::Dim);
            let fits = self
                .lines
                .get(first)
                .is_some_and(|line| line.indent >= place.indent + width(&mark.text));
            if fits {
                let line = &mut self.lines[first];
                let gap = line.indent - place.indent - width(&mark.text);
                line.indent = place.indent;
                line.spans.insert(0, span(&" ".repeat(gap), Ink::Text));
                line.spans.insert(0, mark);
                line.spans.retain(|span| !span.text.is_empty());
            } else {
                // The indent is used up: the mark stands above its item, in as many lines as it
                // needs. In a narrow cell of a table there may be no room for it on one.
                let item = self.lines.split_off(first);
                let mark = span(mark.text.trim_end(), Ink::Dim);
                self.flow(place, &[mark]);
                self.lines.extend(item);
            }
        }
    }

    fn code(&mut self, language: Option<&str>, title: Option<&str>, text: &str, place: Place) {
        let first = self.lines.len();
        let inner = place.deeper(2);
        let label: Vec<&str> = [title, language].into_iter().flatten().collect();
        if !label.is_empty() {
            self.flow(inner, &[span(&label.join(" · "), Ink::Dim)]);
        }
        for line in text.split('\n') {
            // Wrapped rather than cut: nothing of it is lost.
            self.flow(inner, &[span(line, Ink::Code)]);
        }
        self.bar(first, place, Ink::Dim);
    }

    /// Runs as spans, the links with their numbers.
    fn spans(&mut self, runs: &[Run]) -> Vec<Span> {
        let mut spans = Vec::with_capacity(runs.len());
        for (index, run) in runs.iter().enumerate() {
            let (text, ink) = match run.kind {
                RunKind::Text if run.link.is_some() => (run.text.clone(), Ink::Link),
                RunKind::Text if run.style.code => (run.text.clone(), Ink::Code),
                RunKind::Text => (run.text.clone(), Ink::Text),
                RunKind::Image => (format!("[image: {}]", run.text), Ink::Dim),
                RunKind::Badge => (format!("[{}]", run.text), Ink::Badge),
                RunKind::Aside => (run.text.clone(), Ink::Dim),
            };
            spans.push(Span {
                text,
                ink,
                style: run.style,
            });
            let goes_on = runs
                .get(index + 1)
                .is_some_and(|next| next.link == run.link);
            if let Some(target) = &run.link
                && !goes_on
                && **target != *run.text
            {
                let number = self.number(target);
                spans.push(span(&format!("[{number}]"), Ink::Dim));
            }
        }
        spans
    }

    fn number(&mut self, target: &str) -> usize {
        if let Some(&number) = self.links.get(target) {
            return number;
        }
        self.targets.push(target.to_owned());
        self.links.insert(target.to_owned(), self.targets.len());
        self.targets.len()
    }

    /// Wraps spans and adds the lines.
    fn flow(&mut self, place: Place, spans: &[Span]) {
        let text: String = spans.iter().map(|span| span.text.as_str()).collect();
        // Where the first span begins that may reach into the next line: both go forward
        // together, so that a paragraph of many runs takes no longer than its length.
        let mut at = 0;
        let mut start = 0;
        let room = place.room();
        let lines = wrap(&text, room);
        for range in lines.into_iter().flat_map(|line| parts(&text, line, room)) {
            let mut line = Line {
                indent: place.indent,
                spans: Vec::new(),
            };
            while let Some(span) = spans.get(at) {
                let end = start + span.text.len();
                let (from, to) = (range.start.max(start), range.end.min(end));
                if from < to {
                    line.spans.push(Span {
                        text: text[from..to].to_owned(),
                        ink: span.ink,
                        style: span.style,
                    });
                }
                if end > range.end {
                    break;
                }
                start = end;
                at += 1;
            }
            self.lines.push(line);
        }
    }

    /// As `flow`, with a mark before the first line and the others under its text.
    fn hanging(&mut self, place: Place, mark: Span, spans: &[Span]) {
        let first = self.lines.len();
        let inner = place.deeper(width(&mark.text));
        self.flow(inner, spans);
        let line = &mut self.lines[first];
        if line.indent == place.indent + width(&mark.text) {
            line.indent = place.indent;
            line.spans.insert(0, mark);
        }
    }

    /// What some blocks become in some columns, apart from the rest.
    fn apart(&mut self, blocks: &[Block], columns: usize) -> Vec<Line> {
        let outer = std::mem::take(&mut self.lines);
        let place = Place {
            in_table: true,
            ..Place::new(columns)
        };
        self.blocks(blocks, place);
        std::mem::replace(&mut self.lines, outer)
    }

    fn table(&mut self, rows: &[Vec<Cell>], place: Place) {
        const LEAST: usize = 6;
        const GAP: usize = 3;
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        if count == 0 {
            return;
        }
        let room = place.room().saturating_sub(GAP * (count - 1));
        if place.in_table || room < LEAST * count {
            self.stacked(rows, place);
            return;
        }
        let mut wanted = vec![1; count];
        for row in rows {
            for (column, cell) in row.iter().enumerate() {
                let lines = self.apart(&cell.blocks, room.max(8));
                let widest = lines.iter().map(Line::width).max().unwrap_or(0);
                wanted[column] = wanted[column].max(widest);
            }
        }
        let columns = share(&wanted, room);
        for (number, row) in rows.iter().enumerate() {
            let mut cells: Vec<Vec<Line>> = Vec::with_capacity(count);
            for (cell, &columns) in row.iter().zip(&columns) {
                let mut lines = self.apart(&cell.blocks, columns);
                if cell.heading {
                    for span in lines.iter_mut().flat_map(|line| &mut line.spans) {
                        span.style.bold = true;
                    }
                }
                cells.push(lines);
            }
            let height = cells.iter().map(Vec::len).max().unwrap_or(0).max(1);
            for at in 0..height {
                let mut line = Line {
                    indent: place.indent,
                    spans: Vec::new(),
                };
                for (column, &columns) in columns.iter().enumerate() {
                    if column > 0 {
                        line.spans.push(span(" │ ", Ink::Dim));
                    }
                    let piece = cells.get(column).and_then(|lines| lines.get(at));
                    let used = piece.map_or(0, Line::width);
                    if let Some(piece) = piece {
                        line.spans.push(span(&" ".repeat(piece.indent), Ink::Text));
                        line.spans.extend(piece.spans.iter().cloned());
                    }
                    let fill = columns.saturating_sub(used);
                    line.spans.push(span(&" ".repeat(fill), Ink::Text));
                }
                line.spans.retain(|span| !span.text.is_empty());
                self.lines.push(line);
            }
            let is_head = row.iter().all(|cell| cell.heading);
            if is_head && number == 0 && rows.len() > 1 {
                let rule: Vec<String> = columns.iter().map(|&c| "─".repeat(c)).collect();
                self.lines.push(Line {
                    indent: place.indent,
                    spans: vec![span(&rule.join("─┼─"), Ink::Dim)],
                });
            }
        }
    }

    /// A table too narrow for columns: one cell under the other.
    fn stacked(&mut self, rows: &[Vec<Cell>], place: Place) {
        for (number, row) in rows.iter().enumerate() {
            if number > 0 {
                let rule = "─".repeat(place.room().min(8));
                self.flow(place, &[span(&rule, Ink::Dim)]);
            }
            for cell in row {
                let first = self.lines.len();
                self.blocks(&cell.blocks, place);
                if cell.heading {
                    for span in self.lines[first..].iter_mut().flat_map(|l| &mut l.spans) {
                        span.style.bold = true;
                    }
                }
            }
        }
    }
}

/// A line, in parts where it is one cluster that is wider than the room: a tower of Hangul
/// letters or a long Indian conjunct. No part begins with a mark.
fn parts(text: &str, line: Range<usize>, room: usize) -> Vec<Range<usize>> {
    if line.len() <= room || width(&text[line.clone()]) <= room {
        return vec![line];
    }
    let mut parts = Vec::new();
    let mut start = line.start;
    for (index, c) in text[line.clone()].char_indices() {
        let end = line.start + index + c.len_utf8();
        let begins = start < line.start + index && width(c.encode_utf8(&mut [0; 4])) > 0;
        if begins && width(&text[start..end]) > room {
            parts.push(start..line.start + index);
            start = line.start + index;
        }
    }
    parts.push(start..line.end);
    parts
}

/// Shares columns out: who wants less than a fair share gets it, the others share the rest.
fn share(wanted: &[usize], room: usize) -> Vec<usize> {
    let mut given = vec![0; wanted.len()];
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&column| wanted[column]);
    let mut left = room;
    for (done, &column) in order.iter().enumerate() {
        let fair = left / (wanted.len() - done);
        given[column] = wanted[column].min(fair).max(1);
        left = left.saturating_sub(given[column]);
    }
    given
}
