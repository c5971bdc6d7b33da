//! What is listed, as a file for other programs.
//!
//! CSV by RFC 4180 with a head line, or one JSON object a line. A list that was not read to its
//! end says so: in the name of the file and in its last line.

use serde::{Deserialize, Serialize};

use crate::app::disk::DiskWaiter;
use crate::app::message::{DiskCall, Effect};
use crate::app::modal::menu::{Choice, Entry, Menu};
use crate::app::model::Model;
use crate::app::pane::content::{Tab, TrashRead};
use crate::app::tree::{Node, NodeIx, Presence, Rest, Standing, Tree};

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
    id: &'l str,
    #[serde(rename = "type")]
    kind: &'l str,
    title: &'l str,
    version: Option<u32>,
    last_edit: Option<String>,
    last_edit_by: Option<&'l str>,
    former_parent: Option<&'l str>,
    former_parent_is: Option<&'static str>,
    first_seen_in_trash: Option<String>,
}

const HEAD: &str = "id,type,title,version,last_edit,last_edit_by,former_parent,former_parent_is,first_seen_in_trash\r\n";

impl Line<'_> {
    fn csv(&self, out: &mut String) {
        let version = self.version.map(|version| version.to_string());
        let fields = [
            Some(self.id),
            Some(self.kind),
            Some(self.title),
            version.as_deref(),
            self.last_edit.as_deref(),
            self.last_edit_by,
            self.former_parent,
            self.former_parent_is,
            self.first_seen_in_trash.as_deref(),
        ];
        for (ix, field) in fields.into_iter().enumerate() {
            if ix > 0 {
                out.push(',');
            }
            push_field(out, field.unwrap_or_default());
        }
        out.push_str("\r\n");
    }
}

fn push_field(out: &mut String, field: &str) {
    if field.contains(['"', ',', '\n', '\r']) || field.starts_with(' ') || field.ends_with(' ') {
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(field);
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
            title: format!("Export {}", self.content.tab.label().to_lowercase()),
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
        let outline = self.content.outline();
        let tree = &outline.tree;
        let listed = tree.listed();
        let is_whole = self.is_list_whole() && !tree.is_looking();
        let mut text = String::new();
        if form == Form::Csv {
            text.push_str(HEAD);
        }
        for ix in &listed {
            let node = tree.node(*ix);
            let line = line(tree, &node);
            match form {
                Form::Csv => line.csv(&mut text),
                Form::Ndjson => {
                    text.push_str(&serde_json::to_string(&line).unwrap_or_default());
                    text.push('\n');
                }
            }
        }
        if !is_whole {
            let (have, total) = (tree.items(), outline.total);
            match form {
                Form::Csv => {
                    let of = total
                        .map(|total| format!(" of {total}"))
                        .unwrap_or_default();
                    text.push_str(&format!("# truncated: {have}{of} were read\r\n"));
                }
                Form::Ndjson => {
                    let end = serde_json::json!({"truncated": true, "read": have, "total": total});
                    text.push_str(&format!("{end}\n"));
                }
            }
        }
        let space = self
            .shown_space()
            .map(ToString::to_string)
            .unwrap_or_default();
        let space: String = space
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let tab = self.content.tab.label().to_lowercase();
        let mark = if is_whole { "" } else { "-truncated" };
        let kind = match form {
            Form::Csv => "csv",
            Form::Ndjson => "ndjson",
        };
        let name = format!("{tab}-{space}-{}{mark}.{kind}", self.today());
        self.ask_disk(DiskWaiter::Export, DiskCall::Export { name, text }, out);
    }
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
        id: node.id.as_str(),
        kind: node.kind.as_str(),
        title: node.title,
        version: node.version,
        last_edit: node.edited.map(|edited| edited.0.to_string()),
        last_edit_by: node.editor,
        former_parent: parent.map(|parent| parent.title),
        former_parent_is: state,
        first_seen_in_trash: node.first_seen.map(|day| day.to_string()),
    }
}
