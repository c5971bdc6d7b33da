//! Makes a document of tags and text, whichever parser they come from.
//!
//! `storage` and `html` send what they read to a [`Builder`]: it knows what the elements of HTML
//! and of Confluence's storage format mean. It is a machine with stacks of its own, so that no
//! depth of nesting can exhaust that of the program; past [`DEPTH`] blocks are set flat. It
//! closes what was left open and passes over ends without a beginning. Text is scrubbed here and
//! is never dropped, except for scripts, style sheets, the ids of tasks, and the parameters that
//! only say how a macro looks which has a form of its own here.

use std::mem;
use std::sync::Arc;

use super::doc::{Block, Cell, Doc, Item, ListKind, PanelKind, Run, RunKind, Style};
use super::plain::{scrub, scrub_lines};

/// How deep blocks are nested.
pub(super) const DEPTH: usize = 24;

/// How much of a body is read, in bytes: a preview is for a look, and the largest pages on
/// record are smaller.
pub(super) const SIZE: usize = 4 << 20;

/// How much of a link's target is kept, in bytes: what servers take as an address, at most.
const ADDRESS: usize = 8 << 10;

/// How far up an end looks for its beginning.
const REACH: usize = 128;

/// The attributes of an element.
pub(super) type Attributes = Vec<(String, String)>;

fn attribute<'a>(attributes: &'a Attributes, name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

/// The start of a body that is read, and a note where it is not all.
pub(super) fn limited(body: &str) -> (&str, Option<Block>) {
    if body.len() <= SIZE {
        return (body, None);
    }
    let end = body.floor_char_boundary(SIZE);
    let rest = super::number::bytes((body.len() - end) as u64);
    let note = format!("The page is longer than this preview; {rest} of it are not shown.");
    (&body[..end], Some(Block::Note(note)))
}

/// What an end tag has to undo.
enum Effect {
    Nothing,
    /// Parts paragraphs.
    Part,
    Style(Style),
    Container,
    Capture(Capture),
    Resource,
    /// Its text is not text: scripts and style sheets.
    Skip,
}

enum Capture {
    Parameter(String),
    Body,
    Status,
    Unshown,
}

enum Kind {
    Root,
    Heading(u8),
    List(ListKind),
    Item {
        done: bool,
    },
    Table,
    Row,
    Cell {
        heading: bool,
    },
    Quote,
    Code,
    Panel(PanelKind),
    Badge,
    Macro {
        name: String,
        parameters: Vec<(String, String)>,
        /// The plain text body.
        text: Option<String>,
        /// How many elements were open when it began.
        level: usize,
    },
}

struct Container {
    kind: Kind,
    blocks: Vec<Block>,
    runs: Vec<Run>,
    /// Items of a list.
    items: Vec<Item>,
    /// Rows of a table.
    rows: Vec<Vec<Cell>>,
    /// Cells of a row.
    cells: Vec<Cell>,
    language: Option<String>,
}

impl Container {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            blocks: Vec::new(),
            runs: Vec::new(),
            items: Vec::new(),
            rows: Vec::new(),
            cells: Vec::new(),
            language: None,
        }
    }

    /// Makes a paragraph of the runs so far.
    fn part(&mut self) {
        let mut runs = mem::take(&mut self.runs);
        if let Some(first) = runs.first_mut()
            && first.kind == RunKind::Text
        {
            first
                .text
                .drain(..first.text.len() - first.text.trim_start().len());
        }
        if let Some(last) = runs.last_mut()
            && last.kind == RunKind::Text
        {
            last.text.truncate(last.text.trim_end().len());
        }
        runs.retain(|run| !run.text.is_empty());
        if runs.iter().any(|run| !run.text.trim().is_empty()) {
            self.blocks.push(Block::Paragraph(runs));
        }
    }
}

/// A link or an image that is open.
struct Resource {
    is_image: bool,
    target: Option<Arc<str>>,
    anchor: Option<Arc<str>>,
    name: Option<String>,
    /// Whether text came before the target.
    text_before: bool,
    has_text: bool,
}

/// The machine.
pub(super) struct Builder {
    open: Vec<(String, Effect)>,
    containers: Vec<Container>,
    captures: Vec<String>,
    resources: Vec<Resource>,
    style: Style,
    aside: bool,
    skipping: usize,
    /// Text that has not been scrubbed yet.
    raw: String,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            open: Vec::new(),
            containers: vec![Container::new(Kind::Root)],
            captures: Vec::new(),
            resources: Vec::new(),
            style: Style::default(),
            aside: false,
            skipping: 0,
            raw: String::new(),
        }
    }

    fn top(&mut self) -> &mut Container {
        if self.containers.is_empty() {
            self.containers.push(Container::new(Kind::Root));
        }
        let last = self.containers.len() - 1;
        &mut self.containers[last]
    }

    fn in_code(&self) -> bool {
        self.containers
            .last()
            .is_some_and(|top| matches!(top.kind, Kind::Code))
    }

    /// Text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if self.skipping == 0 {
            self.raw.push_str(text);
        }
    }

    /// A note of the parser.
    pub(super) fn note(&mut self, note: Block) {
        self.flush();
        self.top().part();
        self.top().blocks.push(note);
    }

    /// Everything is read.
    pub(super) fn finish(mut self) -> Doc {
        self.flush();
        while !self.open.is_empty() {
            self.close_last();
        }
        let mut root = self.containers.swap_remove(0);
        root.part();
        Doc {
            blocks: root.blocks,
        }
    }

    /// Sends the text so far where it belongs.
    fn flush(&mut self) {
        if self.raw.is_empty() {
            return;
        }
        let raw = mem::take(&mut self.raw);
        if let Some(capture) = self.captures.last_mut() {
            capture.push_str(&raw);
            return;
        }
        if self.in_code() {
            let text = scrub_lines(&raw).into_owned();
            self.top().runs.push(Run {
                text,
                ..Run::default()
            });
            return;
        }
        let mut text = String::with_capacity(raw.len());
        for c in raw.chars() {
            if !matches!(c, ' ' | '\t' | '\n' | '\r') {
                text.push(c);
            } else if !text.ends_with(' ') {
                text.push(' ');
            }
        }
        let blank_before = match self.top().runs.last() {
            None => true,
            Some(run) => run.text.ends_with([' ', '\n']),
        };
        if blank_before && text.starts_with(' ') {
            text.remove(0);
        }
        let text = scrub(&text).into_owned();
        self.run(text, RunKind::Text);
    }

    fn run(&mut self, text: String, kind: RunKind) {
        if text.is_empty() {
            return;
        }
        let mut link = None;
        if let Some(resource) = self.resources.last_mut()
            && !resource.is_image
        {
            link = resource.target.clone().or_else(|| resource.anchor.clone());
            if !text.trim().is_empty() {
                resource.has_text = true;
                resource.text_before |= link.is_none();
            }
        }
        let run = Run {
            text,
            style: self.style,
            kind: if self.aside && kind == RunKind::Text {
                RunKind::Aside
            } else {
                kind
            },
            link,
        };
        let runs = &mut self.top().runs;
        match runs.last_mut() {
            Some(last)
                if kind == RunKind::Text
                    && last.kind == run.kind
                    && last.style == run.style
                    && last.link == run.link
                    // Joined, their clusters could be too long.
                    && run.text.starts_with(|c: char| c.is_ascii()) =>
            {
                last.text.push_str(&run.text);
            }
            _ => runs.push(run),
        }
    }

    /// Opens a container, unless that is too deep: then its text stays in the outer one.
    fn contain(&mut self, kind: Kind) -> Effect {
        if !matches!(kind, Kind::Macro { .. } | Kind::Badge) {
            self.top().part();
        }
        if self.containers.len() >= DEPTH {
            return Effect::Part;
        }
        self.containers.push(Container::new(kind));
        Effect::Container
    }

    fn styled(&mut self, change: impl FnOnce(&mut Style)) -> Effect {
        let before = self.style;
        change(&mut self.style);
        Effect::Style(before)
    }

    fn capture(&mut self, capture: Capture) -> Effect {
        self.captures.push(String::new());
        Effect::Capture(capture)
    }

    /// A tag without an end.
    pub(super) fn empty(&mut self, name: &str, attributes: &Attributes) {
        self.open(name, attributes);
        self.close(name);
    }

    /// A start tag.
    pub(super) fn open(&mut self, name: &str, attributes: &Attributes) {
        self.flush();
        let effect = self.effect(name, attributes);
        self.open.push((name.to_owned(), effect));
    }

    fn effect(&mut self, name: &str, attributes: &Attributes) -> Effect {
        if self.skipping > 0 || matches!(name, "script" | "style") {
            self.skipping += 1;
            return Effect::Skip;
        }
        if name.starts_with("ri:") {
            self.resource(name, attributes);
            return Effect::Nothing;
        }
        // Inside of a parameter only the text counts.
        if !self.captures.is_empty() {
            return Effect::Nothing;
        }
        match name {
            "p" | "div" | "thead" | "tbody" | "tfoot" | "caption" | "dl" | "dd" | "section"
            | "article" | "ac:layout" | "ac:layout-section" | "ac:layout-cell"
            | "ac:rich-text-body" => {
                let class = attribute(attributes, "class").unwrap_or_default();
                if let Some(kind) = panel_of_class(class) {
                    return self.contain(Kind::Panel(kind));
                }
                if !matches!(self.top().kind, Kind::Code) {
                    self.top().part();
                }
                Effect::Part
            }
            "dt" => {
                self.top().part();
                self.styled(|style| style.bold = true)
            }
            "br" => {
                if self.in_code() {
                    self.top().runs.push(Run {
                        text: "\n".to_owned(),
                        ..Run::default()
                    });
                } else {
                    self.run("\n".to_owned(), RunKind::Text);
                }
                Effect::Nothing
            }
            "hr" => {
                self.top().part();
                self.top().blocks.push(Block::Rule);
                Effect::Nothing
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.as_bytes()[1] - b'0';
                self.contain(Kind::Heading(level))
            }
            "b" | "strong" | "th-text" => self.styled(|style| style.bold = true),
            "i" | "em" | "cite" | "var" | "dfn" => self.styled(|style| style.italic = true),
            "s" | "del" | "strike" => self.styled(|style| style.strike = true),
            "code" | "tt" | "kbd" | "samp" => self.styled(|style| style.code = true),
            "span" => {
                let class = attribute(attributes, "class").unwrap_or_default();
                if class.contains("status-macro") {
                    return self.contain(Kind::Badge);
                }
                let css = attribute(attributes, "style").unwrap_or_default();
                if css.contains("line-through") {
                    return self.styled(|style| style.strike = true);
                }
                Effect::Nothing
            }
            "ul" => {
                let class = attribute(attributes, "class").unwrap_or_default();
                let kind = if class.contains("inline-task-list") {
                    ListKind::Tasks
                } else {
                    ListKind::Bullet
                };
                self.contain(Kind::List(kind))
            }
            "ol" => self.contain(Kind::List(ListKind::Numbered)),
            "ac:task-list" => self.contain(Kind::List(ListKind::Tasks)),
            "li" | "ac:task" => {
                self.close_open_item();
                let class = attribute(attributes, "class").unwrap_or_default();
                let done = class.split(' ').any(|class| class == "checked");
                self.contain(Kind::Item { done })
            }
            "ac:task-status" => self.capture(Capture::Status),
            "ac:task-id" | "ac:task-uuid" => self.capture(Capture::Unshown),
            "table" => self.contain(Kind::Table),
            "tr" => self.contain(Kind::Row),
            "td" | "th" => self.contain(Kind::Cell {
                heading: name == "th",
            }),
            "blockquote" => self.contain(Kind::Quote),
            "pre" => {
                let effect = self.contain(Kind::Code);
                let language = attribute(attributes, "data-syntaxhighlighter-params")
                    .and_then(|all| {
                        all.split(';')
                            .find_map(|one| one.trim().strip_prefix("brush:"))
                    })
                    .map(|language| scrub(language.trim()).into_owned());
                if matches!(effect, Effect::Container) {
                    self.top().language = language;
                }
                effect
            }
            "ac:structured-macro" | "ac:macro" => {
                let name = attribute(attributes, "ac:name")
                    .unwrap_or("macro")
                    .to_owned();
                let level = self.open.len();
                self.contain(Kind::Macro {
                    name,
                    parameters: Vec::new(),
                    text: None,
                    level,
                })
            }
            "ac:parameter" => {
                let name = attribute(attributes, "ac:name").unwrap_or_default();
                self.capture(Capture::Parameter(name.to_owned()))
            }
            "ac:plain-text-body" => self.capture(Capture::Body),
            "a" | "ac:link" => {
                let target = attribute(attributes, "href").map(address);
                let anchor =
                    attribute(attributes, "ac:anchor").map(|anchor| address(&format!("#{anchor}")));
                self.resources.push(Resource {
                    is_image: false,
                    target,
                    anchor,
                    name: None,
                    text_before: false,
                    has_text: false,
                });
                Effect::Resource
            }
            "img" | "ac:image" => {
                let source = attribute(attributes, "src").map(file_name);
                let name = attribute(attributes, "alt").or(attribute(attributes, "ac:alt"));
                self.resources.push(Resource {
                    is_image: true,
                    target: source.map(address),
                    anchor: None,
                    name: name.map(|name| scrub(name).into_owned()),
                    text_before: false,
                    has_text: false,
                });
                Effect::Resource
            }
            "ac:emoticon" => {
                let name = attribute(attributes, "ac:name").unwrap_or("?");
                let sign = attribute(attributes, "ac:emoji-fallback")
                    .map_or_else(|| emoticon(name), str::to_owned);
                let sign = scrub(&sign).into_owned();
                self.run(sign, RunKind::Text);
                Effect::Nothing
            }
            "ac:placeholder" => {
                self.aside = true;
                Effect::Nothing
            }
            _ => Effect::Nothing,
        }
    }

    /// What a link or an image leads to.
    fn resource(&mut self, name: &str, attributes: &Attributes) {
        let value = |name| attribute(attributes, name);
        let target = match name {
            "ri:page" | "ri:blog-post" => {
                let title = value("ri:content-title").unwrap_or("this page");
                match value("ri:space-key") {
                    Some(space) => format!("{space}: {title}"),
                    None => title.to_owned(),
                }
            }
            "ri:attachment" => value("ri:filename").unwrap_or("attachment").to_owned(),
            "ri:url" => value("ri:value").unwrap_or_default().to_owned(),
            "ri:user" => {
                let user = value("ri:username").or(value("ri:userkey"));
                format!("@{}", user.or(value("ri:account-id")).unwrap_or("user"))
            }
            "ri:space" => value("ri:space-key").unwrap_or("space").to_owned(),
            "ri:shortcut" => format!(
                "{}@{}",
                value("ri:parameter").unwrap_or_default(),
                value("ri:key").unwrap_or_default()
            ),
            _ => value("ri:content-id").unwrap_or_default().to_owned(),
        };
        let target = scrub(&target).into_owned();
        if let Some(capture) = self.captures.last_mut() {
            capture.push_str(&target);
            return;
        }
        // The page that an attachment hangs on comes inside of it; the attachment is what counts.
        match self.resources.last_mut() {
            Some(resource) if resource.target.is_none() => {
                resource.target = Some(address(&target));
            }
            Some(_) => {}
            None => self.run(target, RunKind::Aside),
        }
    }

    /// An item that was left open ends where the next one begins.
    fn close_open_item(&mut self) {
        let is_item = matches!(self.top().kind, Kind::Item { .. });
        if is_item {
            let mut inner = false;
            while !inner && !self.open.is_empty() {
                inner = matches!(self.open.last(), Some((_, Effect::Container)));
                self.close_last();
            }
        }
    }

    /// An end tag.
    pub(super) fn close(&mut self, name: &str) {
        self.flush();
        let near = self.open.len().saturating_sub(REACH);
        if let Some(at) = self.open[near..].iter().rposition(|(open, _)| open == name) {
            while self.open.len() > near + at {
                self.close_last();
            }
        }
    }

    fn close_last(&mut self) {
        let Some((name, effect)) = self.open.pop() else {
            return;
        };
        match effect {
            Effect::Nothing => {
                if name == "ac:placeholder" {
                    self.aside = false;
                }
            }
            Effect::Part => {
                if !self.in_code() {
                    self.top().part();
                }
            }
            Effect::Style(before) => {
                self.style = before;
                if name == "dt" {
                    self.top().part();
                }
            }
            Effect::Skip => self.skipping -= 1,
            Effect::Capture(capture) => self.captured(capture),
            Effect::Resource => self.close_resource(),
            Effect::Container => self.close_container(),
        }
    }

    fn captured(&mut self, capture: Capture) {
        let text = self.captures.pop().unwrap_or_default();
        let here = self.open.len();
        match (capture, &mut self.top().kind) {
            (Capture::Unshown, _) => {}
            (Capture::Status, Kind::Item { done })
                if matches!(text.trim(), "complete" | "incomplete") =>
            {
                *done = text.trim() == "complete";
            }
            (
                Capture::Parameter(name),
                Kind::Macro {
                    parameters, level, ..
                },
            ) if *level + 1 == here => {
                let value = scrub(text.trim()).into_owned();
                parameters.push((scrub(&name).into_owned(), value));
            }
            (
                Capture::Body,
                Kind::Macro {
                    text: body, level, ..
                },
            ) if *level + 1 == here => {
                body.get_or_insert_default().push_str(&text);
            }
            (Capture::Body, _) => {
                let block = code(None, None, &text);
                self.top().part();
                self.top().blocks.push(block);
            }
            (Capture::Status | Capture::Parameter(_), _) => {
                let text = scrub(&text).into_owned();
                self.run(text, RunKind::Aside);
            }
        }
    }

    fn close_resource(&mut self) {
        let Some(resource) = self.resources.pop() else {
            return;
        };
        if resource.is_image {
            let name = resource.name.filter(|name| !name.trim().is_empty());
            let name = name.or(resource.target.map(|target| target.to_string()));
            let name = name.filter(|name| !name.is_empty());
            self.run(name.unwrap_or_else(|| "unnamed".to_owned()), RunKind::Image);
            return;
        }
        let Some(target) = resource.target.or(resource.anchor) else {
            return;
        };
        if !resource.has_text || resource.text_before {
            let text = if resource.text_before {
                format!(" ({target})")
            } else {
                target.to_string()
            };
            let style = self.style;
            self.top().runs.push(Run {
                text,
                style,
                kind: RunKind::Text,
                link: Some(target),
            });
        }
    }

    fn close_container(&mut self) {
        let Some(mut this) = self.containers.pop() else {
            return;
        };
        if !matches!(this.kind, Kind::Heading(_) | Kind::Code | Kind::Badge) {
            this.part();
        }
        let block = match this.kind {
            Kind::Root => {
                self.top().blocks.append(&mut this.blocks);
                return;
            }
            Kind::Heading(level) => {
                let outer = mem::take(&mut this.blocks);
                self.top().blocks.extend(outer);
                this.part();
                for block in mem::take(&mut this.blocks) {
                    self.top().blocks.push(match block {
                        Block::Paragraph(runs) => Block::Heading { level, runs },
                        other => other,
                    });
                }
                return;
            }
            Kind::Item { done } => {
                let item = Item {
                    done,
                    blocks: this.blocks,
                };
                if let Kind::List(_) = self.top().kind {
                    self.top().items.push(item);
                    return;
                }
                Block::List {
                    kind: ListKind::Bullet,
                    items: vec![item],
                }
            }
            Kind::List(kind) => {
                // What stood between the items.
                if !this.blocks.is_empty() {
                    this.items.push(Item {
                        done: false,
                        blocks: this.blocks,
                    });
                }
                if this.items.is_empty() {
                    return;
                }
                Block::List {
                    kind,
                    items: this.items,
                }
            }
            Kind::Cell { heading } => {
                let cell = Cell {
                    heading,
                    blocks: this.blocks,
                };
                match self.top().kind {
                    Kind::Row => {
                        self.top().cells.push(cell);
                        return;
                    }
                    Kind::Table => {
                        self.top().rows.push(vec![cell]);
                        return;
                    }
                    _ => Block::Table(vec![vec![cell]]),
                }
            }
            Kind::Row => {
                if !this.blocks.is_empty() {
                    this.cells.push(Cell {
                        heading: false,
                        blocks: this.blocks,
                    });
                }
                if this.cells.is_empty() {
                    return;
                }
                if let Kind::Table = self.top().kind {
                    self.top().rows.push(this.cells);
                    return;
                }
                Block::Table(vec![this.cells])
            }
            Kind::Table => {
                let top = self.top();
                // A caption, or what stood between the rows.
                top.blocks.append(&mut this.blocks);
                if this.rows.is_empty() {
                    return;
                }
                Block::Table(this.rows)
            }
            Kind::Quote => Block::Quote(this.blocks),
            Kind::Panel(kind) => Block::Panel {
                kind,
                title: None,
                blocks: this.blocks,
            },
            Kind::Code => {
                let outer = mem::take(&mut this.blocks);
                self.top().blocks.extend(outer);
                let text: String = this.runs.iter().map(|run| run.text.as_str()).collect();
                code(this.language, None, &text)
            }
            Kind::Badge => {
                let mut text: String = this.runs.iter().map(|run| run.text.as_str()).collect();
                text.truncate(text.trim_end().len());
                self.top().blocks.append(&mut this.blocks);
                self.run(scrub(&text).into_owned(), RunKind::Badge);
                return;
            }
            Kind::Macro {
                name,
                parameters,
                text,
                ..
            } => {
                self.close_macro(&name, parameters, text, this.blocks);
                return;
            }
        };
        self.top().part();
        self.top().blocks.push(block);
    }

    fn close_macro(
        &mut self,
        name: &str,
        mut parameters: Vec<(String, String)>,
        text: Option<String>,
        mut blocks: Vec<Block>,
    ) {
        let mut take = |wanted: &str| {
            let at = parameters.iter().position(|(name, _)| name == wanted)?;
            let (_, value) = parameters.swap_remove(at);
            (!value.is_empty()).then_some(value)
        };
        let panel = match name {
            "info" => Some(PanelKind::Info),
            "tip" | "success" => Some(PanelKind::Tip),
            "note" => Some(PanelKind::Note),
            "warning" | "error" => Some(PanelKind::Warning),
            "panel" => Some(PanelKind::Plain),
            _ => None,
        };
        let block = match (name, panel) {
            ("status", _) if blocks.is_empty() && text.is_none() => {
                let title = take("title").or_else(|| take("colour"));
                self.run(title.unwrap_or_else(|| "status".to_owned()), RunKind::Badge);
                return;
            }
            ("code" | "noformat", _) => {
                let language = take("language");
                let title = take("title");
                let body = code(language, title, &text.unwrap_or_default());
                self.top().part();
                self.top().blocks.push(body);
                self.top().blocks.append(&mut blocks);
                return;
            }
            (_, Some(kind)) => {
                let title = take("title");
                blocks.extend(text.map(|text| code(None, None, &text)));
                Block::Panel {
                    kind,
                    title,
                    blocks,
                }
            }
            ("expand", _) => {
                let title = take("title").or_else(|| take(""));
                blocks.extend(text.map(|text| code(None, None, &text)));
                Block::Expand { title, blocks }
            }
            _ => {
                let mut label = scrub(name).into_owned();
                for (name, value) in &parameters {
                    label.push(' ');
                    if !name.is_empty() {
                        label.push_str(name);
                        label.push('=');
                    }
                    label.push_str(value);
                }
                if blocks.is_empty() && text.is_none() {
                    self.run(format!("[{label}]"), RunKind::Aside);
                    return;
                }
                blocks.extend(text.map(|text| code(None, None, &text)));
                Block::Macro { label, blocks }
            }
        };
        self.top().part();
        self.top().blocks.push(block);
    }
}

/// A block of code from text that has not been scrubbed.
pub(super) fn code(language: Option<String>, title: Option<String>, text: &str) -> Block {
    let text = scrub_lines(text);
    let text = text.strip_prefix('\n').unwrap_or(&text);
    Block::Code {
        language,
        title,
        text: text.trim_end_matches('\n').to_owned(),
    }
}

fn panel_of_class(class: &str) -> Option<PanelKind> {
    class.split(' ').find_map(|class| {
        match class.strip_prefix("confluence-information-macro-")? {
            "information" => Some(PanelKind::Info),
            "tip" => Some(PanelKind::Tip),
            "note" => Some(PanelKind::Note),
            "warning" => Some(PanelKind::Warning),
            _ => None,
        }
    })
}

/// A target as it is shown and told apart from others. What is longer than any address that works
/// is cut: thousands of links could have it.
fn address(target: &str) -> Arc<str> {
    let target = scrub(target);
    if target.len() <= ADDRESS {
        return Arc::from(&*target);
    }
    let end = target.floor_char_boundary(ADDRESS);
    // Cut within a cluster, what is left could begin otherwise.
    Arc::from(&*scrub(&format!("{}…", &target[..end])))
}

fn file_name(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

fn emoticon(name: &str) -> String {
    match name {
        "tick" => "✓".to_owned(),
        "cross" => "✗".to_owned(),
        "warning" => "⚠".to_owned(),
        "information" => "ℹ".to_owned(),
        "smile" => "🙂".to_owned(),
        "sad" => "🙁".to_owned(),
        "thumbs-up" => "👍".to_owned(),
        "thumbs-down" => "👎".to_owned(),
        _ => format!(":{name}:"),
    }
}
