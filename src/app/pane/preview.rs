//! The text of the page, blog post or trashed item under the cursor.
//!
//! It follows the cursor when that rests, as the detail of a space does: what is passed over is
//! never asked for, or given up. Bodies come as the server has them; the readers of `text` make
//! documents of them that are safe to show.

use std::collections::VecDeque;

use serde::Serialize;

use crate::app::action::Action;
use crate::app::field::{Field, Lines};
use crate::app::fields::kind_name;
use crate::app::inflight::Waiter;
use crate::app::key::{Chord, Key};
use crate::app::layout::{Pane, WIDE, inside};
use crate::app::message::{Effect, Millis};
use crate::app::modal::reading::folded;
use crate::app::model::{Model, REST, Screen};
use crate::app::pane::hits::{Hits, Seek};
use crate::app::remote::Remote;
use crate::app::tree::Standing;
use crate::confluence::{ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Reply};
use crate::text::doc::{Doc, Ink, Line, Span, Style};
use crate::text::{html, number, storage};

/// What is asked for: the body as it was written.
const STORAGE: &str = "body.storage,version,space,ancestors,container";

/// What is asked for where a server does not give that: the body as it is shown.
const VIEW: &str = "body.view,version,space,ancestors,container";

/// How many texts are kept.
const KEPT: usize = 12;

/// Bodies are read up to this many bytes: a book, and some milliseconds to lay out.
const LONGEST: usize = 2_000_000;

/// Which form of a body is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum Form {
    /// Storage format.
    Storage,
    /// HTML.
    View,
}

/// What is previewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its id.
    pub id: ContentId,
    /// Its title, as the list has it.
    pub title: String,
    /// Where it is read from.
    pub status: Option<ContentStatus>,
}

/// A text, ready to be laid out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Text {
    /// Title, version, date, place: one string each.
    head: Vec<String>,
    /// The body; `None` where there was none to be had, which does not say that there is none.
    doc: Option<Doc>,
    /// What is said in place of a body that was not to be had.
    missing: &'static str,
}

/// What is said where a server gave no body in any form.
const NOT_GIVEN: &str = "The server gave no text of it. Whether there is any is not known.";

/// What is said of a file.
const A_FILE: &str = "It is a file, which has no text to show.";

/// What is said where a backup holds no body.
const NOT_SAVED: &str = "The backup holds no text of it.";

/// The pane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PreviewPane {
    /// Whether it is shown.
    pub is_open: bool,
    /// Whether it has the keys, where the tree is beside it.
    pub has_keys: bool,
    /// What it shows, or is about to.
    pub subject: Option<Subject>,
    /// The text.
    pub value: Remote<Box<Text>>,
    /// The first line that is shown.
    pub top: usize,
    /// What is searched for.
    pub search: Field,
    /// Whether the search has the keys.
    pub typing: bool,
    /// Since when the cursor stands where it stands, until it counts as resting.
    pub moved: Option<Millis>,
    /// What the search found.
    #[serde(skip)]
    pub hits: Hits,
    kept: VecDeque<(Subject, Box<Text>)>,
    #[serde(skip)]
    laid: Option<(usize, Vec<Line>)>,
}

impl Default for PreviewPane {
    fn default() -> Self {
        Self {
            is_open: false,
            has_keys: false,
            subject: None,
            value: Remote::Absent,
            top: 0,
            search: Field::new(Lines::One, ""),
            typing: false,
            moved: None,
            hits: Hits::default(),
            kept: VecDeque::new(),
            laid: None,
        }
    }
}

impl PreviewPane {
    /// The lines of the text at this width.
    pub fn lines(&self, width: usize) -> Vec<Line> {
        match (&self.laid, self.value.value()) {
            (Some((laid, lines)), _) if *laid == width => lines.clone(),
            (_, Some(text)) => lines(text, width),
            (_, None) => Vec::new(),
        }
    }

    /// Some of the lines at this width, without laying out all again where that was done.
    pub fn window(&self, width: usize, from: usize, height: usize) -> (Vec<Line>, usize) {
        if let Some((_, lines)) = self.laid.as_ref().filter(|(laid, _)| *laid == width) {
            let end = (from + height).min(lines.len());
            return (lines[from.min(end)..end].to_vec(), lines.len());
        }
        let lines = self.lines(width);
        let all = lines.len();
        (lines.into_iter().skip(from).take(height).collect(), all)
    }

    fn settle(&mut self, now: Millis, outcome: Result<Box<Text>, ApiError>) {
        if let (Ok(text), Some(subject)) = (&outcome, &self.subject) {
            self.kept.retain(|(kept, _)| kept != subject);
            if self.kept.len() >= KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back((subject.clone(), text.clone()));
        }
        self.value.settle(now, outcome);
        self.laid = None;
    }
}

impl Text {
    /// A text in storage format, below what it is.
    pub(in crate::app) fn of_storage(head: Vec<String>, stored: Option<&str>) -> Self {
        Self {
            head,
            doc: stored.map(|stored| storage::parse(beginning(stored))),
            missing: NOT_SAVED,
        }
    }
}

/// Lays a text out: what it is, an empty line, what it says.
pub fn lines(text: &Text, width: usize) -> Vec<Line> {
    let mut out = Vec::new();
    for (ix, part) in text.head.iter().enumerate() {
        let ink = if ix == 0 { Ink::Heading } else { Ink::Dim };
        for part in folded(part, width) {
            out.push(Line {
                indent: 0,
                spans: vec![Span {
                    text: part,
                    ink,
                    style: Style::default(),
                }],
            });
        }
    }
    out.push(Line::default());
    let body = text.doc.as_ref().map(|doc| doc.lines(width));
    let instead = match &body {
        None => text.missing,
        Some(body) if body.is_empty() => "There is no text in it.",
        Some(_) => "",
    };
    let instead = folded(instead, width).into_iter();
    for line in instead.filter(|line| !line.is_empty()) {
        out.push(Line {
            indent: 0,
            spans: vec![Span {
                text: line,
                ink: Ink::Dim,
                style: Style::default(),
            }],
        });
    }
    out.extend(body.unwrap_or_default());
    out
}

impl Model {
    /// Whether the preview has the keys: by `Tab`, or as nothing else fits beside it.
    pub fn preview_has_keys(&self) -> bool {
        let is_here = match self.screen {
            Screen::Panes => self.focus == Pane::Content,
            Screen::Across => true,
            Screen::Welcome { .. } => false,
        };
        self.preview.is_open && is_here && (self.preview.has_keys || self.size.width < WIDE)
    }

    /// Columns and rows of the text of the preview.
    pub fn preview_room(&self) -> (usize, usize) {
        let inner = inside(self.preview_area());
        (
            usize::from(inner.width.saturating_sub(2)).max(1),
            usize::from(inner.height).max(1),
        )
    }

    /// What is under the cursor to preview.
    fn preview_subject(&self) -> Option<Subject> {
        if self.screen == Screen::Across {
            let (space, ix) = self.across.as_ref()?.item_at_cursor()?;
            return Some(Subject {
                id: space.items[ix as usize].id.clone(),
                title: space.title(ix).to_owned(),
                status: Some(ContentStatus::Trashed),
            });
        }
        let (_, node) = self.content.outline().node()?;
        let in_trash = self.content.is_trash() && node.standing == Standing::Item;
        Some(Subject {
            id: node.id,
            title: node.title.to_owned(),
            status: in_trash.then_some(ContentStatus::Trashed),
        })
    }

    /// Shows the preview.
    pub(in crate::app) fn open_preview(&mut self, out: &mut Vec<Effect>) {
        self.preview.is_open = true;
        self.preview.has_keys = false;
        self.preview.subject = None;
        self.follow_with_preview(out);
        self.read_preview(out);
        self.resettle();
    }

    /// Closes the preview.
    pub(in crate::app) fn close_preview(&mut self, out: &mut Vec<Effect>) {
        self.inflight
            .cancel(out, |w| matches!(w, Waiter::Preview(..)));
        let kept = std::mem::take(&mut self.preview.kept);
        self.preview = PreviewPane {
            kept,
            ..PreviewPane::default()
        };
        self.resettle();
    }

    /// The preview turns to what is under the cursor, and reads it when the cursor rests.
    pub(in crate::app) fn follow_with_preview(&mut self, out: &mut Vec<Effect>) {
        if !self.preview.is_open {
            return;
        }
        let subject = self.preview_subject();
        if subject != self.preview.subject {
            self.inflight
                .cancel(out, |w| matches!(w, Waiter::Preview(..)));
            self.preview.subject = subject;
            self.preview.value = Remote::Absent;
            self.preview.laid = None;
            self.preview.top = 0;
            self.preview.moved = Some(self.now);
        }
        if self
            .preview
            .moved
            .is_some_and(|moved| self.now >= moved.plus(REST))
        {
            self.read_preview(out);
        }
        self.lay_out_preview();
    }

    fn lay_out_preview(&mut self) {
        let (width, height) = self.preview_room();
        let is_laid = self
            .preview
            .laid
            .as_ref()
            .is_some_and(|(laid, _)| *laid == width);
        if !is_laid && let Some(text) = self.preview.value.value() {
            let lines = lines(text, width);
            self.preview.top = self.preview.top.min(lines.len().saturating_sub(height));
            self.preview.hits =
                Hits::of(&lines, width, &self.preview.search.text(), self.preview.top);
            self.preview.laid = Some((width, lines));
        }
    }

    fn read_preview(&mut self, out: &mut Vec<Effect>) {
        self.preview.moved = None;
        let Some(subject) = self.preview.subject.clone() else {
            return;
        };
        let kept = self.preview.kept.iter().find(|(kept, _)| *kept == subject);
        if let Some((_, text)) = kept {
            self.preview.value = Remote::Ready {
                value: text.clone(),
                at: self.now,
            };
            self.lay_out_preview();
            return;
        }
        self.preview.value.begin(self.now);
        self.ask_preview(&subject, Form::Storage, out);
    }

    fn ask_preview(&mut self, subject: &Subject, form: Form, out: &mut Vec<Effect>) {
        let call = Call::Content {
            id: subject.id.clone(),
            status: subject.status,
            expand: match form {
                Form::Storage => STORAGE.to_owned(),
                Form::View => VIEW.to_owned(),
            },
        };
        let waiter = Waiter::Preview(subject.id.clone(), form);
        self.inflight.ask(waiter, call, self.now, out);
    }

    /// Takes a text. One without its storage format is asked for once more as HTML.
    pub(in crate::app) fn preview_came(
        &mut self,
        id: &ContentId,
        form: Form,
        outcome: Result<Reply, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let Some(subject) = self.preview.subject.clone().filter(|s| s.id == *id) else {
            return;
        };
        let now = self.now;
        match outcome {
            Ok(Reply::Content(content)) => {
                let more = content.more.as_deref();
                let (stored, shown) = more.map_or((None, None), |more| {
                    (more.body_storage.as_deref(), more.body_view.as_deref())
                });
                let doc = match (stored, shown, form) {
                    (Some(stored), ..) => Some(storage::parse(beginning(stored))),
                    (None, Some(shown), _) => Some(html::parse(beginning(shown))),
                    (None, None, Form::Storage) if content.kind != ContentKind::Attachment => {
                        self.ask_preview(&subject, Form::View, out);
                        return;
                    }
                    (None, None, _) => None,
                };
                let missing = match content.kind {
                    ContentKind::Attachment => A_FILE,
                    _ => NOT_GIVEN,
                };
                let head = self.preview_head(&subject, &content);
                self.preview
                    .settle(now, Ok(Box::new(Text { head, doc, missing })));
                self.lay_out_preview();
            }
            Ok(_) => {}
            Err(error) => self.preview.settle(now, Err(error)),
        }
    }

    /// What a content is, in a few lines.
    fn preview_head(&self, subject: &Subject, content: &Content) -> Vec<String> {
        let title = if content.title.is_empty() {
            subject.title.clone()
        } else {
            content.title.to_string()
        };
        let mut facts = vec![kind_name(&content.kind).to_owned()];
        if let Some(version) = &content.version {
            facts.extend(version.number.map(|number| format!("version {number}")));
            facts.extend(
                version
                    .when
                    .map(|when| format!("last edit {}", number::exact(when.0, &self.zone))),
            );
            facts.extend(
                version
                    .by
                    .as_ref()
                    .map(|by| format!("by {}", by.display_name)),
            );
        }
        let mut head = vec![title, facts.join(" · ")];
        let mut place = Vec::new();
        place.extend(content.space.as_ref().map(ToString::to_string));
        let titles: Vec<&str> = content
            .ancestors
            .iter()
            .flatten()
            .map(|above| above.title.as_deref().unwrap_or("?"))
            .collect();
        if !titles.is_empty() {
            place.push(titles.join(" ▸ "));
        }
        if !place.is_empty() {
            let verb = match subject.status {
                Some(ContentStatus::Trashed) => "in the trash, was in",
                None | Some(_) => "in",
            };
            head.push(format!("{verb} {}", place.join(" · ")));
        }
        if let Some(more) = content.more.as_deref() {
            let mut file: Vec<String> = Vec::new();
            file.extend(more.file_size.map(number::bytes));
            file.extend(more.media_type.clone());
            let holder = more.container.as_ref().and_then(|on| on.title.clone());
            file.extend(holder.map(|title| format!("on {title}")));
            if !file.is_empty() {
                head.push(file.join(" · "));
            }
        }
        head
    }

    /// Does what a verb means for the preview. Says whether it meant anything.
    pub(in crate::app) fn preview_verb(&mut self, action: Action, out: &mut Vec<Effect>) -> bool {
        if !self.preview.is_open
            || !self.modals.is_empty()
            || matches!(self.screen, Screen::Welcome { .. })
        {
            return false;
        }
        let has_keys = self.preview_has_keys();
        let is_wide = self.size.width >= WIDE;
        let (width, height) = self.preview_room();
        let last = self.preview.window(width, 0, 0).1.saturating_sub(height);
        let top = self.preview.top;
        match action {
            Action::Preview => self.close_preview(out),
            Action::Cancel if has_keys && !self.preview.search.is_empty() => {
                self.preview.search.set("");
                self.preview.hits = Hits::default();
            }
            Action::Cancel | Action::Back
                if self.screen == Screen::Across || self.focus == Pane::Content =>
            {
                self.close_preview(out);
            }
            // Between the table and the text.
            Action::NextPane | Action::PreviousPane if self.screen == Screen::Across => {
                self.preview.has_keys = is_wide && !self.preview.has_keys;
            }
            // Round and round: spaces, content, preview.
            Action::NextPane if is_wide && self.focus == Pane::Content => {
                if has_keys {
                    self.preview.has_keys = false;
                    self.focus = Pane::Spaces;
                } else {
                    self.preview.has_keys = true;
                }
            }
            Action::NextPane if is_wide => self.focus = Pane::Content,
            Action::PreviousPane if is_wide && self.focus == Pane::Content => {
                if has_keys {
                    self.preview.has_keys = false;
                } else {
                    self.focus = Pane::Spaces;
                }
            }
            Action::PreviousPane if is_wide => {
                self.focus = Pane::Content;
                self.preview.has_keys = true;
            }
            Action::NextPane | Action::PreviousPane => {}
            Action::Up if has_keys => self.preview.top = top.saturating_sub(1),
            Action::Down if has_keys => self.preview.top = top + 1,
            Action::Top if has_keys => self.preview.top = 0,
            Action::Bottom if has_keys => self.preview.top = last,
            Action::PageUp if has_keys => self.preview.top = top.saturating_sub(height),
            Action::PageDown if has_keys => self.preview.top = top + height,
            Action::HalfUp if has_keys => self.preview.top = top.saturating_sub(height / 2),
            Action::HalfDown if has_keys => self.preview.top = top + height / 2,
            Action::Search if has_keys => {
                self.preview.search.set("");
                self.preview.hits = Hits::default();
                self.preview.typing = true;
            }
            Action::NextHit | Action::PreviousHit if has_keys => {
                let seek = match action {
                    Action::NextHit => Seek::Next,
                    _ => Seek::Previous,
                };
                self.preview.hits.seek(seek, top..top + height);
                self.preview.top = self.preview.hits.top(top..top + height);
            }
            _ => return false,
        }
        self.preview.top = self.preview.top.min(last);
        true
    }

    /// Takes a key for the search of the preview.
    pub(in crate::app) fn preview_search_key(&mut self, chord: Chord) {
        match chord.key {
            Key::Esc => {
                self.preview.search.set("");
                self.preview.typing = false;
            }
            Key::Enter => self.preview.typing = false,
            _ => {
                self.preview.search.key(chord);
            }
        }
        // To the first hit from here on.
        let (width, height) = self.preview_room();
        let lines = self.preview.lines(width);
        let top = self.preview.top;
        let hits = Hits::of(&lines, width, &self.preview.search.text(), top);
        self.preview.top = hits
            .top(top..top + height)
            .min(lines.len().saturating_sub(height).max(top));
        self.preview.hits = hits;
    }
}

/// The beginning of a body, whole characters.
fn beginning(body: &str) -> &str {
    &body[..body.floor_char_boundary(LONGEST.min(body.len()))]
}
