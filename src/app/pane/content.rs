//! The content of a space: pages and blog posts as trees that are read branch by branch, and
//! the trash in its former hierarchy.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::filter::FilterLine;
use crate::app::inflight::Waiter;
use crate::app::layout::Pane;
use crate::app::list::{Cursor, Step};
use crate::app::message::{Effect, LogLevel, Millis};
use crate::app::model::Model;
use crate::app::notice::Holds;
use crate::app::pane::first_seen::FirstSeen;
pub use crate::app::tree::Order;
use crate::app::tree::{
    FIELDS, IdSet, Node, NodeIx, Presence, Rest, Row, Shape, Standing, Tree, Worked,
};
use crate::confluence::call::{Depth, Window};
use crate::confluence::paging::{CursorPager, Pager};
use crate::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Cursor as TrashCursor,
    CursorPage, ErrorKind, Page, Reply, SpaceContent, SpaceKey,
};
use crate::text::number;

/// What is asked for with each page: `children.page` tells which pages have children.
const EXPAND: &str = "version,children.page";

/// What is asked for with each trashed item.
const TRASH_EXPAND: &str = "version,ancestors";

/// How many rows of a branch are asked for at once. Few, as each brings its children along.
const BRANCH_PAGE: u64 = 50;

/// How many trashed items are asked for at once: the cap of real servers for content with `expand`.
const TRASH_PAGE: u64 = 200;

/// So many items of a trash are read without being asked for.
const TRASH_AHEAD: usize = 1_000;

/// How many former parents are asked for at once.
const PARENTS_AT_ONCE: usize = 4;

/// How many open branches are read again with their tree.
const OPEN_AGAIN: usize = 40;

/// How many spaces keep their content while others are shown.
const SHELVED: usize = 8;

/// For how long content is shown without asking again, in milliseconds.
const FRESH: u64 = 120_000;

/// A tab of the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    /// Pages.
    #[default]
    Pages,
    /// Blog posts.
    Blog,
    /// Trash.
    Trash,
}

/// What stands between the labels of two tabs.
pub const TAB_GAP: &str = " │ ";

impl Tab {
    /// All tabs, in order.
    pub const ALL: [Self; 3] = [Self::Pages, Self::Blog, Self::Trash];

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pages => "Pages",
            Self::Blog => "Blog",
            Self::Trash => "Trash",
        }
    }
}

/// A tree, a cursor in it, and how far it is read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outline {
    /// The tree.
    pub tree: Tree,
    /// The cursor, in rows.
    pub cursor: Cursor,
    /// What is under the cursor: it stays there when rows come or go.
    pub at: Option<ContentId>,
    /// The filter line.
    pub filter: FilterLine,
    /// What was under the cursor when the filter was opened.
    before: Option<ContentId>,
    /// The order of siblings.
    pub order: Order,
    /// How nodes become rows.
    pub shape: Shape,
    /// The marked items.
    pub marks: IdSet,
    /// The last item that was marked by itself.
    pub last_mark: Option<ContentId>,
    /// When it was read.
    pub as_of: Option<Millis>,
    /// Why the last read failed.
    pub error: Option<ApiError>,
    /// How many there are in all, as far as the server told.
    pub total: Option<u64>,
    /// Whether something says that the list left rows out.
    pub is_uncertain: bool,
    /// How many marked items the filter hides.
    hidden: usize,
    /// Whether the cursor goes to the first match when the rows come.
    seeks_match: bool,
}

impl Outline {
    /// The row under the cursor.
    pub fn row(&self) -> Option<Row> {
        self.tree.rows().get(self.cursor.at).copied()
    }

    /// The node under the cursor.
    pub fn node(&self) -> Option<(NodeIx, Node<'_>)> {
        match self.row()? {
            Row::Node(ix, _) => Some((ix, self.tree.node(ix))),
            Row::Rest(..) => None,
        }
    }

    /// Moves the cursor.
    pub fn step(&mut self, step: Step, height: usize) {
        self.cursor.step(step, self.tree.rows().len(), height);
        self.note_cursor();
    }

    /// Puts the cursor on a row.
    pub fn put(&mut self, row: usize, height: usize) {
        self.cursor.put(row, self.tree.rows().len(), height);
        self.note_cursor();
    }

    fn note_cursor(&mut self) {
        self.at = self.node().map(|(_, node)| node.id);
    }

    /// Builds the rows anew where needed, with the cursor on what it was on. Large trees take
    /// their time: see [`work`](Self::work).
    pub fn settle(&mut self, height: usize) {
        if self.tree.is_stale()
            && self.tree.is_small()
            && self.tree.finish(Millis(0)) == Worked::NewRows
        {
            self.place_cursor(height);
        }
    }

    /// Does a slice of what a large tree has to do.
    pub fn work(&mut self, now: Millis, height: usize) {
        if self.tree.work(now) == Worked::NewRows {
            self.place_cursor(height);
        }
    }

    /// Puts the cursor back onto what it was on, after the rows have changed.
    fn place_cursor(&mut self, height: usize) {
        self.count_hidden_marks();
        if self.seeks_match {
            self.seeks_match = self.tree.is_looking();
            let first = self.tree.rows().iter().position(|row| match row {
                Row::Node(ix, _) => self.tree.is_match(*ix),
                Row::Rest(..) => false,
            });
            if let Some(row) = first {
                self.cursor = Cursor::default();
                self.put(row, height);
                return;
            }
        }
        let row = self
            .at
            .as_ref()
            .and_then(|id| self.tree.find(id))
            .and_then(|ix| self.tree.row_of(ix));
        if let Some(row) = row {
            let from_top = self.cursor.at.saturating_sub(self.cursor.top);
            self.cursor.at = row;
            if self.cursor.top > 0 {
                self.cursor.top = row.saturating_sub(from_top);
            }
        }
        self.cursor.keep_in_view(self.tree.rows().len(), height);
        // Among no rows the cursor is nowhere: it comes back with them.
        if row.is_none() && !self.tree.rows().is_empty() {
            self.note_cursor();
        }
    }

    /// Orders siblings, or the rows of the table, as chosen.
    pub fn sort(&mut self, order: Order, height: usize) {
        self.order = order;
        self.tree.arrange(self.shape, order);
        self.settle(height);
    }

    /// Shows the items below their parents, or one after the other.
    pub fn reshape(&mut self, shape: Shape, height: usize) {
        self.shape = shape;
        self.tree.arrange(shape, self.order);
        self.settle(height);
    }

    /// Opens the filter line.
    pub fn open_filter(&mut self, height: usize) {
        if self.filter.applied.is_none() {
            self.before.clone_from(&self.at);
        }
        self.filter.open();
        // It opens empty, and so does what it shows.
        self.tree.unfilter();
        self.settle(height);
    }

    /// The filter text changed: show what matches and the way to it. A term that is not finished
    /// leaves the last result.
    pub fn filter_changed(&mut self, height: usize, now: Timestamp, zone: &TimeZone) {
        let before = self.filter.applied.take();
        self.filter.applied.clone_from(&before);
        self.filter.parse(&FIELDS);
        if self.filter.applied == before {
            return;
        }
        match &self.filter.applied {
            Some(filter) => self.tree.filter(filter, now, zone),
            None => self.tree.unfilter(),
        }
        self.seeks_match = self.filter.applied.is_some();
        self.settle(height);
    }

    /// Clears the filter. The cursor stays where it is, or goes back to where it was before if
    /// nothing matched. Says whether there was one.
    pub fn clear_filter(&mut self, height: usize) -> bool {
        let had = self.filter.clear();
        let before = self.before.take();
        if self.tree.matched() == Some(0) && before.is_some() {
            self.at = before;
        }
        self.seeks_match = false;
        self.tree.unfilter();
        self.settle(height);
        had
    }

    /// Marks or unmarks the item under the cursor, and not what is below it.
    pub fn toggle_mark(&mut self) {
        let Some((_, node)) = self.node() else { return };
        if node.standing == Standing::Item {
            let id = node.id;
            if !self.marks.remove(&id) {
                self.marks.insert(&id);
            }
            self.last_mark = Some(id);
            self.count_hidden_marks();
        }
    }

    fn items_in<'s>(&'s self, rows: &'s [Row]) -> impl Iterator<Item = ContentId> + 's {
        rows.iter()
            .filter_map(|row| match row {
                Row::Node(ix, _) => Some((*ix, self.tree.node(*ix))),
                Row::Rest(..) => None,
            })
            .filter(|(ix, node)| node.standing == Standing::Item && self.tree.is_match(*ix))
            .map(|(_, node)| node.id)
    }

    /// Marks all that the filter shows.
    pub fn mark_all(&mut self) {
        let mut meant: Vec<NodeIx> = if self.tree.matched().is_some() {
            self.tree.listed()
        } else {
            let rows = self.tree.rows().iter();
            rows.filter_map(|row| match row {
                Row::Node(ix, _) => Some(*ix),
                Row::Rest(..) => None,
            })
            .collect()
        };
        meant.retain(|ix| self.tree.is_item(*ix));
        self.tree.put_into(&mut self.marks, &meant);
        self.count_hidden_marks();
    }

    /// Whether every item that is read is marked.
    pub fn all_marked(&self) -> bool {
        !self.marks.is_empty()
            && self.marks.len() == self.tree.items()
            && self
                .tree
                .all_items()
                .all(|node| self.marks.contains(&node.id))
    }

    /// Marks from the last mark to the cursor.
    pub fn mark_range(&mut self) {
        let last = self
            .last_mark
            .as_ref()
            .and_then(|id| self.tree.find(id))
            .and_then(|ix| self.tree.row_of(ix));
        let from = last.unwrap_or(self.cursor.at);
        let (from, to) = (from.min(self.cursor.at), from.max(self.cursor.at));
        let mut marks = std::mem::take(&mut self.marks);
        marks.extend(self.items_in(self.tree.rows().get(from..=to).unwrap_or(&[])));
        self.marks = marks;
        self.last_mark.clone_from(&self.at);
    }

    /// How many marked items the filter hides.
    pub fn hidden_marks(&self) -> usize {
        self.hidden.min(self.marks.len())
    }

    fn count_hidden_marks(&mut self) {
        let Some(matched) = self.tree.matched() else {
            self.hidden = 0;
            return;
        };
        // Whichever is fewer is gone through: both can be a million.
        self.hidden = if matched < self.marks.len() {
            self.marks.len() - self.tree.matches_in(&self.marks)
        } else {
            let hidden =
                |id: &ContentId| self.tree.find(id).is_none_or(|ix| !self.tree.is_match(ix));
            self.marks.iter().filter(hidden).count()
        };
    }
}

/// How the trash of a space is read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum TrashRead {
    /// Not asked for.
    Not,
    /// By operation 12.
    ByCursor(CursorPager),
    /// By `GET /content?status=trashed`, type by type: servers without operation 12.
    ByKind {
        /// The type being read.
        kind: ContentKind,
        /// What was read of it.
        pager: Pager,
    },
    /// To the end.
    Complete,
}

/// The content of one space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceTrees {
    /// Pages.
    pub pages: Outline,
    /// Blog posts.
    pub blog: Outline,
    /// Trash.
    pub trash: Outline,
    /// How far the trash is read.
    pub trash_read: TrashRead,
    /// Whether all of the trash is wanted, not only what is looked at.
    pub want_all_trash: bool,
    /// Whether pages and blog posts were asked for.
    pub asked: bool,
    /// When trashed items were seen for the first time.
    pub first_seen: FirstSeen,
}

impl Default for SpaceTrees {
    fn default() -> Self {
        Self {
            pages: Outline::default(),
            blog: Outline::default(),
            trash: Outline::default(),
            trash_read: TrashRead::Not,
            want_all_trash: false,
            asked: false,
            first_seen: FirstSeen::default(),
        }
    }
}

/// The pane.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ContentPane {
    /// Whose content it is.
    pub space: Option<SpaceKey>,
    /// The tab in front.
    pub tab: Tab,
    /// Its trees.
    pub trees: SpaceTrees,
    /// The trees of spaces shown before, the last one last.
    shelf: VecDeque<(SpaceKey, SpaceTrees)>,
}

impl ContentPane {
    /// Whether the trash is in front.
    pub fn is_trash(&self) -> bool {
        self.tab == Tab::Trash
    }

    /// Whether there is nothing to expand under the cursor.
    pub fn is_leaf(&self) -> bool {
        let outline = self.outline();
        match outline.row() {
            Some(Row::Node(ix, _)) => outline.shape == Shape::Table || !outline.tree.can_expand(ix),
            Some(Row::Rest(..)) | None => false,
        }
    }

    /// The tree in front.
    pub fn outline(&self) -> &Outline {
        self.outline_of(self.tab)
    }

    /// The label of a tab, with how many there are as far as that is known: "12", "12+", and "12?" of a
    /// list that leaves rows out.
    pub fn label(&self, tab: Tab) -> String {
        let outline = self.outline_of(tab);
        let have = outline.tree.items() as u64;
        let whole = match tab {
            Tab::Pages | Tab::Blog => {
                let more = !matches!(outline.tree.rest(None), Rest::Nothing);
                let closed = tab == Tab::Pages && outline.tree.has_unread();
                !more && !closed
            }
            Tab::Trash => self.trees.trash_read == TrashRead::Complete,
        };
        let name = tab.label();
        if outline.is_uncertain {
            return format!("{name} {}?", number::grouped(have));
        }
        match (tab, outline.total) {
            (Tab::Trash, _) if self.trees.trash_read == TrashRead::Not => name.to_owned(),
            (Tab::Trash, Some(total)) => format!("{name} {}", number::grouped(total.max(have))),
            _ if outline.as_of.is_none() && have == 0 => name.to_owned(),
            _ if whole => format!("{name} {}", number::grouped(have)),
            _ => format!("{name} {}+", number::grouped(have)),
        }
    }

    /// A tree.
    pub fn outline_of(&self, tab: Tab) -> &Outline {
        match tab {
            Tab::Pages => &self.trees.pages,
            Tab::Blog => &self.trees.blog,
            Tab::Trash => &self.trees.trash,
        }
    }

    /// The tree in front, to change.
    pub fn outline_mut(&mut self) -> &mut Outline {
        match self.tab {
            Tab::Pages => &mut self.trees.pages,
            Tab::Blog => &mut self.trees.blog,
            Tab::Trash => &mut self.trees.trash,
        }
    }

    fn of_kind(&mut self, kind: &ContentKind) -> &mut Outline {
        match kind {
            ContentKind::BlogPost => &mut self.trees.blog,
            ContentKind::Page
            | ContentKind::Comment
            | ContentKind::Attachment
            | ContentKind::Other(_) => &mut self.trees.pages,
        }
    }

    /// The trees of a space, shown or on the shelf.
    pub fn trees_of(&mut self, key: &SpaceKey) -> Option<&mut SpaceTrees> {
        if self.space.as_ref() == Some(key) {
            return Some(&mut self.trees);
        }
        let shelved = self.shelf.iter_mut().find(|(other, _)| other == key);
        shelved.map(|(_, trees)| trees)
    }

    /// Forgets what is remembered of a space.
    pub fn forget(&mut self, key: &SpaceKey) {
        self.shelf.retain(|(other, _)| other != key);
    }

    /// Drops everything, as after a change of server.
    pub fn clear(&mut self) {
        *self = Self {
            tab: self.tab,
            ..Self::default()
        };
    }
}

impl Model {
    /// Shows the content of a space: from the shelf, or read anew.
    pub(in crate::app) fn show_content(&mut self, key: &SpaceKey, out: &mut Vec<Effect>) {
        if self.content.space.as_ref() != Some(key) {
            self.stop_content(out);
            if let Some(old) = self.content.space.replace(key.clone()) {
                let trees = std::mem::take(&mut self.content.trees);
                if trees.asked {
                    self.content.shelf.push_back((old, trees));
                    if self.content.shelf.len() > SHELVED {
                        self.content.shelf.pop_front();
                    }
                }
            }
            let shelved = self
                .content
                .shelf
                .iter()
                .position(|(other, _)| other == key);
            self.content.trees = shelved
                .and_then(|ix| self.content.shelf.remove(ix))
                .map(|(_, trees)| trees)
                .unwrap_or_default();
        }
        let since = Millis(self.now.0.saturating_sub(FRESH));
        let fresh = self.content.trees.pages.as_of.is_some_and(|at| at >= since);
        if !fresh
            && self
                .inflight
                .count(|w| matches!(w, Waiter::Roots(of, _) if of == key))
                == 0
        {
            self.load_roots(out);
        }
        if self.content.is_trash() {
            self.load_trash(out);
        }
    }

    /// Reads pages and blog posts from the top.
    pub(in crate::app) fn load_roots(&mut self, out: &mut Vec<Effect>) {
        let Some(key) = self.content.space.clone() else {
            return;
        };
        self.content.trees.asked = true;
        for outline in [&mut self.content.trees.pages, &mut self.content.trees.blog] {
            outline.error = None;
            if *outline.tree.rest(None) == Rest::Unknown {
                outline.tree.set_rest(
                    None,
                    Rest::Loading {
                        start: 0,
                        left: None,
                    },
                );
            }
        }
        let window = Window {
            start: 0,
            limit: BRANCH_PAGE,
        };
        let call = Call::SpaceContent {
            key: key.clone(),
            depth: Depth::Root,
            expand: EXPAND.to_owned(),
            window,
        };
        self.inflight
            .ask(Waiter::Roots(key, window), call, self.now, out);
        self.settle_outlines();
    }

    pub(in crate::app) fn roots_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<SpaceContent, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        if self.content.space.as_ref() != Some(key) {
            return;
        }
        let height = self.rows_of(Pane::Content);
        let now = self.now;
        let trees = &mut self.content.trees;
        match outcome {
            Err(error) => {
                for outline in [&mut trees.pages, &mut trees.blog] {
                    if outline.tree.items() == 0 {
                        outline.tree.set_rest(
                            None,
                            Rest::Failed {
                                start: 0,
                                error: error.clone(),
                            },
                        );
                    }
                    outline.error = Some(error.clone());
                    outline.settle(height);
                }
            }
            Ok(SpaceContent::Flat(page)) => {
                let more = more_after(&page);
                let (blog, pages): (Vec<Content>, Vec<Content>) = page
                    .results
                    .into_iter()
                    .partition(|content| content.kind == ContentKind::BlogPost);
                // A list of both kinds has offsets of its own: the rest is read kind by kind, from the top.
                let rest = if more {
                    Rest::More {
                        start: 0,
                        left: None,
                    }
                } else {
                    Rest::Nothing
                };
                restart(&mut trees.pages, pages, rest.clone(), None, now, height);
                restart(&mut trees.blog, blog, rest, None, now, height);
            }
            Ok(SpaceContent::ByType { page, blogpost }) => {
                for (outline, page) in [(&mut trees.pages, page), (&mut trees.blog, blogpost)] {
                    let rest = rest_after(&page);
                    let total = page.total;
                    restart(outline, page.results, rest, total, now, height);
                }
            }
        }
        // What was open below is read anew too.
        let trees = &self.content.trees;
        let open: Vec<ContentId> = trees
            .pages
            .tree
            .open_nodes()
            .into_iter()
            .take(OPEN_AGAIN)
            .map(|ix| trees.pages.tree.node(ix).id)
            .collect();
        for id in open {
            let window = Window {
                start: 0,
                limit: BRANCH_PAGE,
            };
            let call = Call::ChildPages {
                id: id.clone(),
                expand: EXPAND.to_owned(),
                window,
            };
            self.inflight
                .ask(Waiter::Children(key.clone(), id, window), call, now, out);
        }
    }

    /// Reads on in a branch that has more.
    pub(in crate::app) fn load_branch(&mut self, of: Option<NodeIx>, out: &mut Vec<Effect>) {
        let Some(key) = self.content.space.clone() else {
            return;
        };
        let kind = match self.content.tab {
            Tab::Pages => ContentKind::Page,
            Tab::Blog => ContentKind::BlogPost,
            Tab::Trash => return,
        };
        let now = self.now;
        let outline = self.content.outline_mut();
        let (start, left) = match outline.tree.rest(of) {
            Rest::Unknown => (0, None),
            Rest::More { start, left } => (*start, *left),
            Rest::Failed { start, .. } => (*start, None),
            Rest::Nothing | Rest::Loading { .. } => return,
        };
        outline.tree.set_rest(of, Rest::Loading { start, left });
        outline.settle(usize::MAX);
        let window = Window {
            start,
            limit: BRANCH_PAGE,
        };
        let expand = EXPAND.to_owned();
        match of {
            None => {
                let call = Call::SpaceContentOfKind {
                    key: key.clone(),
                    kind: kind.clone(),
                    depth: Depth::Root,
                    expand,
                    window,
                };
                self.inflight
                    .ask(Waiter::MoreOfKind(key, kind, window), call, now, out);
            }
            Some(ix) => {
                let id = self.content.outline().tree.node(ix).id;
                let call = Call::ChildPages {
                    id: id.clone(),
                    expand,
                    window,
                };
                self.inflight
                    .ask(Waiter::Children(key, id, window), call, now, out);
            }
        }
    }

    /// Takes more roots, or the children of a page.
    pub(in crate::app) fn branch_came(
        &mut self,
        key: &SpaceKey,
        kind: &ContentKind,
        parent: Option<&ContentId>,
        window: Window,
        outcome: Result<Page<Content>, ApiError>,
    ) {
        if self.content.space.as_ref() != Some(key) {
            return;
        }
        let height = self.rows_of(Pane::Content);
        let outline = self.content.of_kind(kind);
        let of = match parent {
            None => None,
            Some(id) => match outline.tree.find(id) {
                Some(ix) => Some(ix),
                None => return,
            },
        };
        match outcome {
            Err(error) => outline.tree.set_rest(
                of,
                Rest::Failed {
                    start: window.start,
                    error,
                },
            ),
            Ok(page) => {
                let mut rest = rest_after(&page);
                if window.start == 0 && of.is_some() {
                    outline.tree.replace(of, page.results);
                } else {
                    let fresh = outline.tree.add(of, page.results);
                    // A page that adds nothing new is the end, whatever the server offers next: some
                    // releases repeat the last page for ever. But the top may be known already.
                    if fresh == 0 && window.start > 0 {
                        rest = Rest::Nothing;
                    }
                }
                outline.tree.set_rest(of, rest);
            }
        }
        outline.settle(height);
    }

    /// Reads the trash, or on in it, as far as it is looked at.
    pub(in crate::app) fn load_trash(&mut self, out: &mut Vec<Effect>) {
        let Some(key) = self.content.space.clone() else {
            return;
        };
        let under_way =
            |w: &Waiter| matches!(w, Waiter::Trash(of) | Waiter::OldTrash(of, ..) if *of == key);
        if self.inflight.count(under_way) > 0 {
            return;
        }
        let height = self.rows_of(Pane::Content);
        let without = self.session.has_trash == Some(false);
        let trees = &mut self.content.trees;
        let outline = &mut trees.trash;
        let enough = (outline.cursor.at + 3 * height).max(TRASH_AHEAD);
        if trees.trash_read == TrashRead::Not {
            trees.trash_read = if without {
                by_kind(ContentKind::Page)
            } else {
                TrashRead::ByCursor(CursorPager::new())
            };
            trees.first_seen.begin();
        } else if outline.error.is_some()
            || (!trees.want_all_trash && outline.tree.items() >= enough)
        {
            self.keep_first_seen(&key, out);
            return;
        }
        self.read_first_seen(&key, out);
        let trees = &mut self.content.trees;
        let outline = &mut trees.trash;
        let expand = TRASH_EXPAND.to_owned();
        let (waiter, call) = match &mut trees.trash_read {
            TrashRead::Not => return,
            TrashRead::Complete => {
                self.keep_first_seen(&key, out);
                return;
            }
            TrashRead::ByCursor(pager) => {
                let cursor: Option<TrashCursor> = match pager.wanted() {
                    Some(cursor) => cursor,
                    None => return,
                };
                (
                    Waiter::Trash(key.clone()),
                    Call::Trash {
                        key: key.clone(),
                        cursor,
                        expand,
                        limit: TRASH_PAGE,
                    },
                )
            }
            TrashRead::ByKind { kind, pager } => {
                let Some(window) = pager.wanted(1).into_iter().next() else {
                    return;
                };
                (
                    Waiter::OldTrash(key.clone(), kind.clone(), window),
                    Call::TrashedContent {
                        key: key.clone(),
                        kind: kind.clone(),
                        expand,
                        window,
                    },
                )
            }
        };
        outline.tree.set_rest(
            None,
            Rest::Loading {
                start: 0,
                left: None,
            },
        );
        self.inflight.ask(waiter, call, self.now, out);
        self.settle_outlines();
    }

    /// Takes a page of the trash by operation 12.
    pub(in crate::app) fn trash_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<CursorPage<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        if let Err(error) = &outcome
            && self.session.shows_no_trash(error)
            && self.spaces.table.get(key).is_some()
        {
            // The space is there, so it is the operation that is not.
            self.session.has_trash = Some(false);
            if self.content.space.as_ref() == Some(key) {
                self.content.trees.trash_read = TrashRead::Not;
            }
            let why = if self.session.major().is_some_and(|major| major >= 10) {
                "The server does not answer its trash listing as Confluence does (404)."
            } else {
                "This server has no trash listing (10.0 and later have it)."
            };
            self.say_while(
                Holds::WhileNoTrashListing,
                LogLevel::Info,
                format!(
                    "{why} Trashed pages and blog posts are read through the content list instead."
                ),
            );
            self.load_trash(out);
            return;
        }
        if self.content.space.as_ref() != Some(key) {
            return;
        }
        let trees = &mut self.content.trees;
        let TrashRead::ByCursor(pager) = &mut trees.trash_read else {
            return;
        };
        let result = outcome.and_then(|page| {
            let total = page.total;
            let accepted = pager.accept(page, |content| content.id.as_str())?;
            let sure = pager.is_certain();
            Ok((accepted.fresh, total, pager.is_done(), sure))
        });
        if result.is_ok() {
            self.session.has_trash = Some(true);
        }
        self.trash_grown(result, out);
    }

    /// Takes a page of the trash by `GET /content`.
    pub(in crate::app) fn old_trash_came(
        &mut self,
        key: &SpaceKey,
        window: Window,
        outcome: Result<Page<Content>, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        if self.content.space.as_ref() != Some(key) {
            return;
        }
        let trees = &mut self.content.trees;
        let TrashRead::ByKind { kind, pager } = &mut trees.trash_read else {
            return;
        };
        let result = outcome.map(|page| {
            let accepted = pager.accept(window, page, |content| content.id.as_str());
            let (mut done, sure) = (pager.is_done(), pager.is_certain());
            if done && *kind == ContentKind::Page {
                *kind = ContentKind::BlogPost;
                *pager = Pager::new(TRASH_PAGE);
                done = false;
            }
            (accepted.fresh, None, done, sure)
        });
        self.trash_grown(result, out);
    }

    fn trash_grown(
        &mut self,
        result: Result<(Vec<Content>, Option<u64>, bool, bool), ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let height = self.rows_of(Pane::Content);
        let now = self.now;
        let today = self.today();
        let trees = &mut self.content.trees;
        let outline = &mut trees.trash;
        match result {
            Err(error) => {
                outline.tree.set_rest(
                    None,
                    Rest::Failed {
                        start: 0,
                        error: error.clone(),
                    },
                );
                outline.error = Some(error);
                outline.settle(height);
            }
            Ok((items, total, done, sure)) => {
                let first = outline.tree.items() == 0;
                outline.is_uncertain |= !sure;
                self.session.lists_lie |= !sure;
                for item in items {
                    if let Some(ix) = outline.tree.add_with_ancestors(item) {
                        trees.first_seen.note(&mut outline.tree, ix, today);
                    }
                }
                outline.total = total;
                outline.error = None;
                let left = total.map(|total| total.saturating_sub(outline.tree.items() as u64));
                outline.tree.set_rest(
                    None,
                    if done {
                        Rest::Nothing
                    } else {
                        Rest::More { start: 0, left }
                    },
                );
                if done {
                    trees.trash_read = TrashRead::Complete;
                    outline.as_of = Some(now);
                }
                outline.settle(height);
                if first {
                    self.go_to_first_trashed();
                }
                self.load_trash(out);
            }
        }
    }

    /// Asks what became of the former parents that are on the screen, each once, few at a time.
    pub(in crate::app) fn ask_parents(&mut self, out: &mut Vec<Effect>) {
        let Some(key) = self.content.space.clone() else {
            return;
        };
        if !self.content.is_trash() || !self.session.open {
            return;
        }
        let height = self.rows_of(Pane::Content);
        let under_way = self.inflight.count(|w| matches!(w, Waiter::Parent(..)));
        let tree = &self.content.trees.trash.tree;
        let cursor = self.content.trees.trash.cursor;
        let due: Vec<(NodeIx, ContentId)> = tree.rows()[cursor.window(tree.rows().len(), height)]
            .iter()
            .filter_map(|row| match (row, tree.shape()) {
                (Row::Node(ix, _), Shape::Tree) => Some(*ix),
                (Row::Node(ix, _), Shape::Table) => tree.node(*ix).parent,
                (Row::Rest(..), _) => None,
            })
            .filter(|ix| tree.presence(*ix).is_none())
            .map(|ix| (ix, tree.node(ix)))
            .filter(|(_, node)| node.standing == Standing::FormerParent)
            .map(|(ix, node)| (ix, node.id))
            .take(PARENTS_AT_ONCE.saturating_sub(under_way))
            .collect();
        for (ix, id) in due {
            let tree = &mut self.content.trees.trash.tree;
            if tree.presence(ix).is_none() {
                tree.set_presence(ix, Presence::Asked);
                self.ask_parent(key.clone(), id, None, out);
            }
        }
    }

    fn ask_parent(
        &mut self,
        key: SpaceKey,
        id: ContentId,
        status: Option<ContentStatus>,
        out: &mut Vec<Effect>,
    ) {
        let call = Call::Content {
            id: id.clone(),
            status,
            expand: String::new(),
        };
        self.inflight
            .ask(Waiter::Parent(key, id, status), call, self.now, out);
    }

    /// Takes what the server says of a former parent. One that is not in its place may still be
    /// in the trash, where we have not read yet.
    pub(in crate::app) fn parent_came(
        &mut self,
        key: &SpaceKey,
        id: ContentId,
        asked: Option<ContentStatus>,
        outcome: &Result<Reply, ApiError>,
        out: &mut Vec<Effect>,
    ) {
        let shown = self.content.space.as_ref() == Some(key);
        let Some(ix) = self.content.trees.trash.tree.find(&id).filter(|_| shown) else {
            return;
        };
        let presence = match outcome {
            Ok(Reply::Content(content)) => match content.status.or(asked) {
                None | Some(ContentStatus::Current) => Presence::Alive,
                Some(ContentStatus::Trashed) => Presence::Trashed,
                Some(ContentStatus::Draft | ContentStatus::Historical) => Presence::Unknown,
            },
            Err(error) if matches!(error.kind, ErrorKind::NotFound) => match asked {
                Some(_) => Presence::Gone,
                None => {
                    self.ask_parent(key.clone(), id, Some(ContentStatus::Trashed), out);
                    return;
                }
            },
            Ok(_) | Err(_) => Presence::Unknown,
        };
        self.content.trees.trash.tree.set_presence(ix, presence);
    }

    /// Shows the trash as a tree or as a table.
    pub(in crate::app) fn reshape_trash(&mut self) {
        let height = self.rows_of(Pane::Content);
        let outline = &mut self.content.trees.trash;
        let shape = match outline.shape {
            Shape::Tree => Shape::Table,
            Shape::Table => Shape::Tree,
        };
        outline.reshape(shape, height);
    }

    /// When a large tree in front wants the next slice of work.
    pub(in crate::app) fn content_deadline(&self) -> Option<Millis> {
        let tree = &self.content.outline().tree;
        tree.due().map(|due| due.max(self.now))
    }

    /// Does a slice of work in a large tree that is due.
    pub(in crate::app) fn work_on_content(&mut self) {
        let height = self.rows_of(Pane::Content);
        let now = self.now;
        let outline = self.content.outline_mut();
        if outline.tree.due().is_some_and(|due| due <= now) {
            outline.work(now, height);
        }
    }

    /// Puts the cursor on the first trashed item.
    pub(in crate::app) fn go_to_first_trashed(&mut self) {
        let height = self.rows_of(Pane::Content);
        let outline = &mut self.content.trees.trash;
        outline.settle(height);
        let first = outline.tree.rows().iter().position(|row| match row {
            Row::Node(ix, _) => outline.tree.node(*ix).standing == Standing::Item,
            Row::Rest(..) => false,
        });
        if let Some(row) = first {
            outline.put(row, height);
        }
    }

    /// Reads the tab in front again from the top; what is shown stays until the answer comes.
    pub(in crate::app) fn reload_content(&mut self, out: &mut Vec<Effect>) {
        if self.content.is_trash() {
            let Some(key) = self.content.space.clone() else {
                return;
            };
            self.inflight.cancel(
                out,
                |w| matches!(w, Waiter::Trash(of) | Waiter::OldTrash(of, ..) if *of == key),
            );
            let trees = &mut self.content.trees;
            let old = std::mem::take(&mut trees.trash);
            let mut tree = Tree::default();
            tree.arrange(old.shape, old.order);
            tree.filter_as(&old.tree);
            trees.trash = Outline {
                tree,
                at: old.at,
                order: old.order,
                shape: old.shape,
                marks: old.marks,
                last_mark: old.last_mark,
                filter: old.filter,
                ..Outline::default()
            };
            trees.trash_read = TrashRead::Not;
            self.load_trash(out);
        } else {
            self.load_roots(out);
        }
    }

    /// Reads on where the cursor comes near the end of what is read.
    pub(in crate::app) fn read_ahead(&mut self, out: &mut Vec<Effect>) {
        if self.content.is_trash() {
            self.load_trash(out);
            return;
        }
        let height = self.rows_of(Pane::Content);
        let outline = self.content.outline();
        let window = outline.cursor.window(outline.tree.rows().len(), height);
        let due: Vec<Option<NodeIx>> = outline.tree.rows()[window]
            .iter()
            .filter_map(|row| match row {
                Row::Rest(of, _) => Some(*of),
                Row::Node(..) => None,
            })
            .filter(|of| matches!(outline.tree.rest(*of), Rest::More { .. } | Rest::Unknown))
            .collect();
        for of in due {
            self.load_branch(of, out);
        }
    }

    /// Expands or collapses what is under the cursor, or reads on.
    pub(in crate::app) fn toggle_branch(&mut self, expand: Option<bool>, out: &mut Vec<Effect>) {
        let height = self.rows_of(Pane::Content);
        let outline = self.content.outline_mut();
        match outline.row() {
            None => {}
            Some(Row::Rest(of, _)) => {
                if expand != Some(false) {
                    self.load_branch(of, out);
                    return;
                }
                if let Some(ix) = of
                    && let Some(row) = outline.tree.row_of(ix)
                {
                    outline.put(row, height);
                }
            }
            Some(Row::Node(ix, _)) => {
                let node = outline.tree.node(ix);
                let (is_open, parent) = (node.expanded, node.parent);
                let can = outline.tree.can_expand(ix);
                let open = expand.unwrap_or(!is_open);
                if open && can && !is_open {
                    outline.tree.set_expanded(ix, true);
                    outline.settle(height);
                    if *self.content.outline().tree.rest(Some(ix)) == Rest::Unknown {
                        self.load_branch(Some(ix), out);
                    }
                } else if open && can && expand == Some(true) {
                    outline.step(Step::Down, height);
                } else if !open && is_open && can {
                    outline.tree.set_expanded(ix, false);
                } else if !open && let Some(row) = parent.and_then(|up| outline.tree.row_of(up)) {
                    outline.put(row, height);
                }
            }
        }
        self.settle_outlines();
    }

    /// Builds rows anew where trees changed.
    pub(in crate::app) fn settle_outlines(&mut self) {
        let height = self.rows_of(Pane::Content);
        let trees = &mut self.content.trees;
        for outline in [&mut trees.pages, &mut trees.blog, &mut trees.trash] {
            outline.settle(height);
        }
    }

    /// Stops reading content. Says whether there was anything to stop.
    pub(in crate::app) fn stop_content(&mut self, out: &mut Vec<Effect>) -> bool {
        let stopped = self.inflight.cancel(out, |w| {
            matches!(
                w,
                Waiter::Roots(..)
                    | Waiter::MoreOfKind(..)
                    | Waiter::Children(..)
                    | Waiter::Trash(_)
                    | Waiter::OldTrash(..)
                    | Waiter::Parent(..)
            )
        });
        let trees = &mut self.content.trees;
        trees.trash.tree.forget_asked();
        for outline in [&mut trees.pages, &mut trees.blog, &mut trees.trash] {
            let loading: Vec<Option<NodeIx>> = outline
                .tree
                .rows()
                .iter()
                .filter_map(|row| match row {
                    Row::Rest(of, _) => Some(*of),
                    Row::Node(..) => None,
                })
                .chain([None])
                .collect();
            for of in loading {
                if let Rest::Loading { start, left } = *outline.tree.rest(of) {
                    let rest = if start == 0 && !outline.tree.has_kids(of) {
                        Rest::Unknown
                    } else {
                        Rest::More { start, left }
                    };
                    outline.tree.set_rest(of, rest);
                }
            }
        }
        // What was stopped begins again when it is looked at.
        match &mut trees.trash_read {
            TrashRead::ByCursor(pager) => pager.rewind(),
            TrashRead::ByKind { pager, .. } => pager.rewind(),
            TrashRead::Not | TrashRead::Complete => {}
        }
        if trees.pages.as_of.is_none() {
            trees.asked = false;
        }
        self.settle_outlines();
        stopped > 0
    }
}

fn by_kind(kind: ContentKind) -> TrashRead {
    TrashRead::ByKind {
        kind,
        pager: Pager::new(TRASH_PAGE),
    }
}

fn more_after<T>(page: &Page<T>) -> bool {
    let end = page.start + page.results.len() as u64;
    !page.results.is_empty() && page.total.map_or(page.has_next, |total| end < total)
}

fn rest_after<T>(page: &Page<T>) -> Rest {
    let start = page.start + page.results.len() as u64;
    if more_after(page) {
        Rest::More {
            start,
            left: page.total.map(|total| total.saturating_sub(start)),
        }
    } else {
        Rest::Nothing
    }
}

/// Replaces the top of a tree by what came; branches that were open are kept if they still exist.
fn restart(
    outline: &mut Outline,
    items: Vec<Content>,
    rest: Rest,
    total: Option<u64>,
    now: Millis,
    height: usize,
) {
    let mut tree = Tree::default();
    tree.add(None, items);
    tree.set_rest(None, rest);
    tree.adopt(&outline.tree);
    tree.arrange(outline.shape, outline.order);
    tree.filter_as(&outline.tree);
    outline.tree = tree;
    outline.total = total;
    outline.as_of = Some(now);
    outline.error = None;
    outline.settle(height);
}
