//! What is listed, as a file for other programs.
//!
//! CSV with a head line, or one JSON object a line. A list that was not read to its end says so in
//! the name of the file, and as JSON in its last line too: in CSV that would be a row like any other.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::across::{Across, Read};
use crate::app::disk::DiskWaiter;
use crate::app::message::{DiskCall, Effect};
use crate::app::modal::menu::{Choice, Entry, Menu};
use crate::app::model::{Model, Screen};
use crate::app::pane::content::{Tab, TrashRead};
use crate::app::tree::{Node, NodeIx, Presence, Rest, Standing, Tree};
use crate::text::csv::Table;

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Ndjson,
}

/// One line of the file. An empty field: the server did not say.
#[derive(Serialize)]
struct Line<'l> {
    /// Only where items of several spaces are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<&'l str>,
    id: &'l str,
    #[serde(rename = "type")]
    kind: &'l str,
    title: &'l str,
    version: Option<u64>,
    last_edit: Option<String>,
    last_edit_by: Option<&'l str>,
    former_parent: Option<&'l str>,
    former_parent_is: Option<&'static str>,
    first_seen_in_trash: Option<String>,
}

const HEAD: [&str; 9] = [
    "id",
    "type",
    "title",
    "version",
    "last_edit",
    "last_edit_by",
    "former_parent",
    "former_parent_is",
    "first_seen_in_trash",
];

/// A file that is being written.
enum File {
    Csv(Table),
    Ndjson(String),
}

impl File {
    fn new(form: Form) -> Self {
        match form {
            Form::Csv => Self::Csv(Table::with_head(HEAD)),
            Form::Ndjson => Self::Ndjson(String::new()),
        }
    }

    /// A file whose lines name their space first.
    fn with_space(form: Form) -> Self {
        match form {
            Form::Csv => Self::Csv(Table::with_head(["space"].into_iter().chain(HEAD))),
            Form::Ndjson => Self::Ndjson(String::new()),
        }
    }

    fn push(&mut self, line: &Line<'_>) {
        match self {
            Self::Csv(table) => {
                let version = line.version.map(|version| version.to_string());
                let cells = [
                    Some(line.id),
                    Some(line.kind),
                    Some(line.title),
                    version.as_deref(),
                    line.last_edit.as_deref(),
                    line.last_edit_by,
                    line.former_parent,
                    line.former_parent_is,
                    line.first_seen_in_trash.as_deref(),
                ];
                let cells = cells.into_iter().map(Option::unwrap_or_default);
                table.push(line.space.into_iter().chain(cells));
            }
            Self::Ndjson(text) => {
                text.push_str(&serde_json::to_string(line).unwrap_or_default());
                text.push('\n');
            }
        }
    }

    /// Says at the end that this is not all, where that can be said.
    fn is_truncated(&mut self, how: &serde_json::Value) {
        if let Self::Ndjson(text) = self {
            text.push_str(&format!("{how}\n"));
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Csv(table) => table.finish(),
            Self::Ndjson(text) => text,
        }
    }
}

impl Model {
    /// The menu of the forms.
    pub(in crate::app) fn export_menu(&self) -> Menu {
        let entry = |letter, label: &str, note: &str, form| Entry {
            letter,
            label: label.to_owned(),
            note: note.to_owned(),
            choice: Choice::Export(form),
        };
        Menu {
            title: match self.screen {
                Screen::Across => "Export what is listed of all trash".to_owned(),
                Screen::Panes | Screen::Welcome { .. } => {
                    format!("Export {}", self.content.tab.label().to_lowercase())
                }
            },
            entries: vec![
                entry('c', "CSV", "for spreadsheets", Form::Csv),
                entry('n', "NDJSON", "for programs", Form::Ndjson),
            ],
            chosen: 0,
        }
    }

    /// Whether the list in front was read to its end.
    fn is_list_whole(&self) -> bool {
        let tree = &self.content.outline().tree;
        match self.content.tab {
            Tab::Trash => self.content.trees.trash_read == TrashRead::Complete,
            Tab::Pages => *tree.rest(None) == Rest::Nothing && !tree.has_unread(),
            Tab::Blog => *tree.rest(None) == Rest::Nothing,
        }
    }

    /// Writes what is listed, after the filter, into a file.
    pub(in crate::app) fn export(&mut self, form: Form, out: &mut Vec<Effect>) {
        if self.screen == Screen::Across {
            self.export_across(form, out);
            return;
        }
        let outline = self.content.outline();
        let tree = &outline.tree;
        let listed = tree.listed();
        let is_whole = self.is_list_whole() && !tree.is_looking();
        let mut file = File::new(form);
        for ix in &listed {
            file.push(&line(tree, &tree.node(*ix)));
        }
        if !is_whole {
            let (have, total) = (tree.items(), outline.total);
            file.is_truncated(&json!({"truncated": true, "read": have, "total": total}));
        }
        let text = file.finish();
        let space = self
            .shown_space()
            .map(ToString::to_string)
            .unwrap_or_default();
        let tab = self.content.tab.label().to_lowercase();
        let what = format!("{tab}-{}", plain(&space));
        let name = file_name(&what, form, is_whole, self.today());
        self.ask_disk(DiskWaiter::Export, DiskCall::Export { name, text }, out);
    }
}

impl Model {
    /// Writes what is listed of the trash across spaces.
    fn export_across(&mut self, form: Form, out: &mut Vec<Effect>) {
        let Some(across) = &self.across else { return };
        let text = text_across(across, form);
        let is_whole = unread(across).is_empty() && !across.is_filtering();
        let space = match &across.inside {
            Some(inside) => plain(across.rows[inside.row].key.as_str()),
            None => "spaces".to_owned(),
        };
        let name = file_name(&format!("trash-{space}"), form, is_whole, self.today());
        self.ask_disk(DiskWaiter::Export, DiskCall::Export { name, text }, out);
    }
}

/// The spaces of what is listed whose trash was not read to its end.
fn unread(across: &Across) -> Vec<&str> {
    let rows = match &across.inside {
        Some(inside) => &across.rows[inside.row..=inside.row],
        None => &across.rows[..],
    };
    rows.iter()
        .filter(|space| space.read != Read::Complete)
        .map(|space| space.key.as_str())
        .collect()
}

fn text_across(across: &Across, form: Form) -> String {
    let mut file = File::with_space(form);
    let mut count = 0_u64;
    for (space, items) in across.listed() {
        for ix in items {
            let item = &space.items[ix as usize];
            let some = |text| (!str::is_empty(text)).then_some(text);
            let line = Line {
                space: Some(space.key.as_str()),
                id: item.id.as_str(),
                kind: item.kind.as_str(),
                title: space.title(ix),
                version: item.version,
                last_edit: item.edited.map(|edited| edited.0.to_string()),
                last_edit_by: some(across.by(item)),
                former_parent: some(across.former_parent(item)),
                former_parent_is: None,
                first_seen_in_trash: item.first_seen().map(|day| day.to_string()),
            };
            file.push(&line);
            count += 1;
        }
    }
    let unread = unread(across);
    if !unread.is_empty() {
        file.is_truncated(&json!({
            "truncated": true, "listed": count, "spaces_not_read": unread.len(), "not_read": unread,
        }));
    }
    file.finish()
}

/// Letters and digits; an underscore for what is neither.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

fn file_name(what: &str, form: Form, is_whole: bool, today: jiff::civil::Date) -> String {
    let mark = if is_whole { "" } else { "-truncated" };
    let kind = match form {
        Form::Csv => "csv",
        Form::Ndjson => "ndjson",
    };
    format!("{what}-{today}{mark}.{kind}")
}

fn line<'l>(tree: &'l Tree, node: &'l Node<'l>) -> Line<'l> {
    let up: Option<NodeIx> = node.parent;
    let parent = up.map(|up| tree.node(up));
    let state =
        parent
            .as_ref()
            .zip(up)
            .map(|(parent, up)| match (parent.standing, tree.presence(up)) {
                (Standing::Item, _) => "listed",
                (_, Some(Presence::Trashed)) => "trashed",
                (_, Some(Presence::Alive)) => "alive",
                (_, Some(Presence::Gone)) => "gone or hidden",
                (_, Some(Presence::Asked | Presence::Unknown) | None) => "unknown",
            });
    Line {
        space: None,
        id: node.id.as_str(),
        kind: node.kind.as_str(),
        title: node.title,
        version: node.version.map(u64::from),
        last_edit: node.edited.map(|edited| edited.0.to_string()),
        last_edit_by: node.editor,
        former_parent: parent.map(|parent| parent.title),
        former_parent_is: state,
        first_seen_in_trash: node.first_seen.map(|day| day.to_string()),
    }
}
