//! Trees of content that are read branch by branch, and lists of a million trashed items.
//!
//! Nodes live in one list and are named by their place in it, which never changes; the rows on
//! the screen are a second list, built anew when a branch opens, closes or grows, or when the
//! filter finds more. Reading more of a branch is the pane's business: the tree only says which
//! branch wants it.
//!
//! A node takes some 60 bytes and its title: numbers for ids, links instead of lists of children,
//! one copy of each name. What takes long in large trees, filtering and building the rows, is
//! done in slices; see [`Tree::work`].

use std::collections::HashMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::fields::{Test, Wanted, is_kind, tests};
use super::message::Millis;
use super::slices::{self, Stage};
use super::sort::Sorter;
use crate::confluence::ids::{ATTACHMENT, ODD};
pub use crate::confluence::ids::{IdSet, ShortId};
use crate::confluence::{
    ApiError, Content, ContentId, ContentKind, ContentRef, Moment, ServerText,
};
use crate::text::filter::Filter;
use crate::text::index::{Index, Scan};
use crate::text::width::width;

/// The place of a node in its tree.
pub type NodeIx = u32;

/// No node.
const NONE: NodeIx = NodeIx::MAX;

/// The fields that filters of these trees know.
pub const FIELDS: [&str; 7] = ["type", "by", "under", "before", "after", "older", "newer"];

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// An item that the tree lists.
    Item,
    /// Not in this list itself, but the parent of something that is: in the trash, a parent
    /// that was not trashed with its children, or that is gone.
    FormerParent,
}

/// What is known of a former parent that is not in the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    /// Nothing yet; it was asked for.
    Asked,
    /// It is in its place.
    Alive,
    /// It is in the trash too, where we have not read yet.
    Trashed,
    /// The server does not show it: gone, or hidden from us.
    Gone,
    /// The server did not tell.
    Unknown,
}

/// What there is beyond the children read so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rest {
    /// Not asked yet whether there are any.
    Unknown,
    /// Nothing.
    Nothing,
    /// More, from this offset on; `left` of them, if the server told the total.
    More {
        /// Offset of the next.
        start: u64,
        /// How many are left.
        left: Option<u64>,
    },
    /// More are on their way.
    Loading {
        /// Offset of the next.
        start: u64,
        /// How many are left.
        left: Option<u64>,
    },
    /// They could not be read.
    Failed {
        /// Offset of the next.
        start: u64,
        /// Why not.
        error: ApiError,
    },
}

/// How siblings, or the rows of a table, are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As the server lists them.
    #[default]
    Server,
    /// By title.
    Title,
    /// The newest edit first.
    Newest,
    /// The oldest edit first.
    Oldest,
}

impl Order {
    /// Every order, with its name in the menu.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Server, "As the server lists them"),
        (Self::Title, "Title, A to Z"),
        (Self::Newest, "Last edit, newest first"),
        (Self::Oldest, "Last edit, oldest first"),
    ];
}

/// How the nodes become rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Below their parents.
    #[default]
    Tree,
    /// One after the other, in one order for all.
    Table,
}

/// A page, blog post or attachment in a tree, as it is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'t> {
    /// Its id.
    pub id: ContentId,
    /// Its type.
    pub kind: &'t ContentKind,
    /// Its title; empty if the server did not say.
    pub title: &'t str,
    /// Number of the last version.
    pub version: Option<u32>,
    /// Date of the last edit.
    pub edited: Option<Moment>,
    /// Who made the last edit.
    pub editor: Option<&'t str>,
    /// Address in a browser, relative to the base.
    pub webui: Option<&'t str>,
    /// What it stands for.
    pub standing: Standing,
    /// The node above it; `None` for a root.
    pub parent: Option<NodeIx>,
    /// Whether its children are shown.
    pub expanded: bool,
    /// On which day we saw it in the trash for the first time.
    pub first_seen: Option<Date>,
}

/// One row of the tree as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Row {
    /// A node, this deep.
    Node(NodeIx, u16),
    /// The end of a branch that has more: the roots or the children of a node.
    Rest(Option<NodeIx>, u16),
}

/// What is kept of a node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Slot {
    id: ShortId,
    /// Milliseconds since 1970; `i64::MIN` for none.
    edited: i64,
    /// 0 for none.
    version: u32,
    /// Place among the editors; `NONE` for none.
    editor: u32,
    parent: NodeIx,
    first: NodeIx,
    last: NodeIx,
    next: NodeIx,
    previous: NodeIx,
    /// Days since 1970; 0 for none.
    seen: u16,
    /// Place among the kinds.
    kind: u8,
    standing: Standing,
    rest: SlotRest,
    expanded: bool,
    /// Taken out; nothing leads here any more.
    dead: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum SlotRest {
    Unknown,
    Nothing,
    /// Said in `Tree::rests`.
    Told,
}

static UNKNOWN: Rest = Rest::Unknown;
static NOTHING: Rest = Rest::Nothing;

/// A filter at work.
#[derive(Clone, Debug, PartialEq)]
struct Lens {
    scan: Scan,
    tests: Vec<Test>,
    /// For each node: whether it matches, and whether it is on the way to one that does.
    shown: Vec<u8>,
    stage: Stage,
    /// Somebody waits for the first result.
    is_new: bool,
}

const HIT: u8 = 1;
const WAY: u8 = 2;

/// Rows that are being built.
#[derive(Clone, Debug, PartialEq)]
struct Build {
    rows: Vec<Row>,
    at: NodeIx,
    depth: u32,
    order: Ordering,
}

/// What is being put in order before, or after, the rows are built.
#[derive(Clone, Debug, PartialEq)]
enum Ordering {
    /// The children of one node after the other, those of this one next; `NONE` for the roots,
    /// which are the last.
    Siblings(NodeIx, Option<Siblings>),
    /// The rows of a table, once they are all there.
    Rows,
    /// The same, at work.
    SortingRows(Sorter<NodeIx>),
    /// Nothing, or nothing any more.
    Done,
}

/// The children of one node, being put in order.
#[derive(Clone, Debug, PartialEq)]
struct Siblings {
    sorter: Sorter<NodeIx>,
    /// Nodes from this one on came later.
    end: NodeIx,
}

/// What a slice of work has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worked {
    /// The rows are as before.
    OnTheWay,
    /// There are new rows.
    NewRows,
}

/// A tree, its filter and its rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tree {
    slots: Vec<Slot>,
    #[serde(skip)]
    by_id: HashMap<ShortId, NodeIx>,
    odd: Vec<ContentId>,
    #[serde(skip)]
    odd_by_id: HashMap<ContentId, u64>,
    kinds: Vec<ContentKind>,
    editors: Vec<Box<str>>,
    /// The columns that the longest name of an editor fills.
    editors_wide: u16,
    #[serde(skip)]
    editor_by_name: HashMap<Box<str>, u32>,
    webui: HashMap<NodeIx, Box<str>>,
    rests: HashMap<NodeIx, Rest>,
    presence: HashMap<NodeIx, Presence>,
    first_root: NodeIx,
    last_root: NodeIx,
    roots_rest: Rest,
    order: Order,
    shape: Shape,
    rows: Vec<Row>,
    items: usize,
    rows_stale: bool,
    /// A person waits for the new rows.
    urgent: bool,
    built: Millis,
    #[serde(skip)]
    build: Option<Build>,
    #[serde(skip)]
    index: Index,
    #[serde(skip)]
    lens: Option<Lens>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            by_id: HashMap::new(),
            odd: Vec::new(),
            odd_by_id: HashMap::new(),
            kinds: Vec::new(),
            editors: Vec::new(),
            editors_wide: 0,
            editor_by_name: HashMap::new(),
            webui: HashMap::new(),
            rests: HashMap::new(),
            presence: HashMap::new(),
            first_root: NONE,
            last_root: NONE,
            roots_rest: Rest::Unknown,
            order: Order::Server,
            shape: Shape::Tree,
            rows: Vec::new(),
            items: 0,
            rows_stale: false,
            urgent: false,
            built: Millis(0),
            build: None,
            index: Index::default(),
            lens: None,
        }
    }
}

fn some(ix: NodeIx) -> Option<NodeIx> {
    (ix != NONE).then_some(ix)
}

impl Tree {
    /// A node.
    pub fn node(&self, ix: NodeIx) -> Node<'_> {
        let slot = &self.slots[ix as usize];
        Node {
            id: self.id_of(slot.id),
            kind: &self.kinds[usize::from(slot.kind)],
            title: self.index.row(ix),
            version: (slot.version > 0).then_some(slot.version),
            edited: Timestamp::from_millisecond(slot.edited).ok().map(Moment),
            editor: self.editors.get(slot.editor as usize).map(AsRef::as_ref),
            webui: self.webui.get(&ix).map(AsRef::as_ref),
            standing: slot.standing,
            parent: some(slot.parent),
            expanded: slot.expanded,
            first_seen: date_of(slot.seen),
        }
    }

    fn id_of(&self, short: ShortId) -> ContentId {
        match short.0 {
            odd if odd & ATTACHMENT == 0 && odd & ODD != 0 => usize::try_from(odd ^ ODD)
                .ok()
                .and_then(|ix| self.odd.get(ix).cloned())
                .unwrap_or_else(|| ContentId::new("")),
            _ => short.id(),
        }
    }

    fn short_of(&self, id: &ContentId) -> Option<ShortId> {
        ShortId::of(id).or_else(|| self.odd_by_id.get(id).map(|ix| ShortId(ix | ODD)))
    }

    fn shorten(&mut self, id: &ContentId) -> ShortId {
        if let Some(short) = self.short_of(id) {
            return short;
        }
        let ix = self.odd.len() as u64;
        self.odd.push(id.clone());
        self.odd_by_id.insert(id.clone(), ix);
        ShortId(ix | ODD)
    }

    /// A node, by id.
    pub fn find(&self, id: &ContentId) -> Option<NodeIx> {
        self.by_id.get(&self.short_of(id)?).copied()
    }

    /// The rows that are shown.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many items are in the tree; former parents don't count.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many nodes there are, with those that were taken out.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many items match the filter, as far as is known; `None` without a filter.
    pub fn matched(&self) -> Option<usize> {
        self.lens.as_ref().map(|lens| lens.scan.matches().len())
    }

    /// How many of the items that match are in a set.
    pub fn matches_in(&self, set: &IdSet) -> usize {
        let Some(lens) = &self.lens else {
            return set.len();
        };
        let is_in = |ix: &&NodeIx| {
            let slot = &self.slots[**ix as usize];
            let is_odd = slot.id.0 & ATTACHMENT == 0 && slot.id.0 & ODD != 0;
            !slot.dead
                && slot.standing == Standing::Item
                && if is_odd {
                    set.contains(&self.id_of(slot.id))
                } else {
                    set.contains_number(slot.id)
                }
        };
        lens.scan.matches().iter().filter(is_in).count()
    }

    /// Whether a node is an item that the tree lists.
    pub fn is_item(&self, ix: NodeIx) -> bool {
        let slot = &self.slots[ix as usize];
        slot.standing == Standing::Item && !slot.dead
    }

    /// Puts the ids of nodes into a set.
    pub fn put_into(&self, set: &mut IdSet, nodes: &[NodeIx]) {
        let is_odd = |id: ShortId| id.0 & ATTACHMENT == 0 && id.0 & ODD != 0;
        let mut numbers = Vec::with_capacity(nodes.len());
        for ix in nodes {
            let id = self.slots[*ix as usize].id;
            if is_odd(id) {
                set.insert(&self.id_of(id));
            } else {
                numbers.push(id);
            }
        }
        set.insert_numbers(numbers);
    }

    /// Whether the filter still looks.
    pub fn is_looking(&self) -> bool {
        self.lens
            .as_ref()
            .is_some_and(|lens| lens.stage != Stage::Done)
    }

    /// Whether the filter lets this node through by itself.
    pub fn is_match(&self, ix: NodeIx) -> bool {
        self.lens
            .as_ref()
            .is_none_or(|lens| lens.shown.get(ix as usize).is_some_and(|s| s & HIT != 0))
    }

    /// Every item, in the order in which it came.
    pub fn all_items(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.end())
            .filter(|ix| {
                let slot = &self.slots[*ix as usize];
                slot.standing == Standing::Item && !slot.dead
            })
            .map(|ix| self.node(ix))
    }

    /// Every item that the filter lets through, in the order of the rows, whether its branch is
    /// open or not.
    pub fn listed(&self) -> Vec<NodeIx> {
        let is_listed = |ix: NodeIx| {
            let slot = &self.slots[ix as usize];
            !slot.dead && slot.standing == Standing::Item && self.is_match(ix)
        };
        let mut listed = Vec::new();
        match self.shape {
            // The rows are just that, once they are built.
            Shape::Table if !self.is_stale() => {
                listed.extend(self.rows.iter().filter_map(|row| match row {
                    Row::Node(ix, _) => Some(*ix),
                    Row::Rest(..) => None,
                }));
            }
            Shape::Table => {
                listed.extend((0..self.end()).filter(|ix| is_listed(*ix)));
                listed.sort_by(|a, b| self.compare(*a, *b));
            }
            Shape::Tree => {
                let mut at = self.first_root;
                while at != NONE {
                    if is_listed(at) {
                        listed.push(at);
                    }
                    at = self.after(at);
                }
            }
        }
        listed
    }

    /// The node after this one, children first, in an order of all nodes; `NONE` after the last.
    fn after(&self, ix: NodeIx) -> NodeIx {
        let slot = &self.slots[ix as usize];
        if slot.first != NONE {
            return slot.first;
        }
        let mut at = ix;
        while at != NONE {
            let slot = &self.slots[at as usize];
            if slot.next != NONE {
                return slot.next;
            }
            at = slot.parent;
        }
        NONE
    }

    fn end(&self) -> NodeIx {
        NodeIx::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// What there is beyond the children of a node, or beyond the roots.
    pub fn rest(&self, of: Option<NodeIx>) -> &Rest {
        let Some(ix) = of else {
            return &self.roots_rest;
        };
        match self.slots[ix as usize].rest {
            SlotRest::Unknown => &UNKNOWN,
            SlotRest::Nothing => &NOTHING,
            SlotRest::Told => self.rests.get(&ix).unwrap_or(&UNKNOWN),
        }
    }

    /// Whether children of a node, or roots, have been read.
    pub fn has_kids(&self, of: Option<NodeIx>) -> bool {
        self.first_of(of.unwrap_or(NONE)) != NONE
    }

    fn first_of(&self, of: NodeIx) -> NodeIx {
        match self.slots.get(of as usize) {
            Some(slot) => slot.first,
            None => self.first_root,
        }
    }

    /// The children of a node that have been read, or the roots.
    pub fn kids(&self, of: Option<NodeIx>) -> impl Iterator<Item = NodeIx> + '_ {
        std::iter::successors(some(self.first_of(of.unwrap_or(NONE))), |ix| {
            some(self.slots[*ix as usize].next)
        })
    }

    /// Whether any node may have children that have not been read.
    pub fn has_unread(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| !slot.dead && slot.rest != SlotRest::Nothing)
    }

    /// Says what there is beyond the children read so far.
    pub fn set_rest(&mut self, of: Option<NodeIx>, rest: Rest) {
        match of {
            None => self.roots_rest = rest,
            Some(ix) => {
                let told = match rest {
                    Rest::Unknown => SlotRest::Unknown,
                    Rest::Nothing => SlotRest::Nothing,
                    Rest::More { .. } | Rest::Loading { .. } | Rest::Failed { .. } => {
                        self.rests.insert(ix, rest);
                        SlotRest::Told
                    }
                };
                self.slots[ix as usize].rest = told;
                if told != SlotRest::Told {
                    self.rests.remove(&ix);
                }
            }
        }
        self.rows_stale = true;
    }

    fn link(&mut self, parent: NodeIx, ix: NodeIx) {
        let last = match self.slots.get_mut(parent as usize) {
            Some(slot) => std::mem::replace(&mut slot.last, ix),
            None => std::mem::replace(&mut self.last_root, ix),
        };
        if last == NONE {
            match self.slots.get_mut(parent as usize) {
                Some(slot) => slot.first = ix,
                None => self.first_root = ix,
            }
        } else {
            self.slots[last as usize].next = ix;
        }
        let slot = &mut self.slots[ix as usize];
        slot.parent = parent;
        slot.previous = last;
        slot.next = NONE;
    }

    fn unlink(&mut self, ix: NodeIx) {
        let Slot {
            parent,
            previous,
            next,
            ..
        } = self.slots[ix as usize];
        match self.slots.get_mut(previous as usize) {
            Some(slot) => slot.next = next,
            None => match self.slots.get_mut(parent as usize) {
                Some(slot) => slot.first = next,
                None => self.first_root = next,
            },
        }
        match self.slots.get_mut(next as usize) {
            Some(slot) => slot.previous = previous,
            None => match self.slots.get_mut(parent as usize) {
                Some(slot) => slot.last = previous,
                None => self.last_root = previous,
            },
        }
        let slot = &mut self.slots[ix as usize];
        (slot.previous, slot.next) = (NONE, NONE);
    }

    fn kind_of(&mut self, kind: ContentKind) -> u8 {
        let at = self.kinds.iter().position(|known| *known == kind);
        let at = at.unwrap_or_else(|| {
            // More types than this no server has; the last one stands for them.
            if self.kinds.len() < usize::from(u8::MAX) {
                self.kinds.push(kind);
            }
            self.kinds.len() - 1
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    /// The columns that the longest name of an editor fills.
    pub fn editors_wide(&self) -> u16 {
        self.editors_wide
    }

    fn editor_of(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NONE };
        if let Some(ix) = self.editor_by_name.get(name) {
            return *ix;
        }
        let ix = u32::try_from(self.editors.len()).unwrap_or(NONE);
        let wide = u16::try_from(width(name)).unwrap_or(u16::MAX);
        self.editors_wide = self.editors_wide.max(wide);
        self.editors.push(name.into());
        self.editor_by_name.insert(name.into(), ix);
        ix
    }

    /// Makes a node of a content and hangs it below `parent`, at the end.
    fn push(&mut self, content: Content, parent: NodeIx, rest: SlotRest) -> NodeIx {
        let ix = self.end();
        let slot = self.slot_of(ix, &content, rest);
        self.by_id.insert(slot.id, ix);
        self.index.push(&content.title);
        self.slots.push(slot);
        if let Some(lens) = &mut self.lens {
            lens.shown.push(0);
            lens.stage = Stage::Plain;
        }
        self.items += 1;
        self.link(parent, ix);
        self.rows_stale = true;
        ix
    }

    fn slot_of(&mut self, ix: NodeIx, content: &Content, rest: SlotRest) -> Slot {
        let version = content.version.as_ref();
        let editor = version.and_then(|v| v.by.as_ref());
        let webui = content.more.as_ref().and_then(|more| more.webui.as_ref());
        // The usual address of a trashed page is told by its id.
        if let Some(webui) = webui.filter(|webui| !webui.ends_with(content.id.as_str())) {
            self.webui.insert(ix, webui.as_str().into());
        }
        Slot {
            id: self.shorten(&content.id),
            edited: version
                .and_then(|v| v.when)
                .map_or(i64::MIN, |when| when.0.as_millisecond()),
            version: version
                .and_then(|v| v.number)
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(0),
            editor: self.editor_of(editor.map(|person| person.display_name.as_str())),
            parent: NONE,
            first: NONE,
            last: NONE,
            next: NONE,
            previous: NONE,
            seen: 0,
            kind: self.kind_of(content.kind.clone()),
            standing: Standing::Item,
            rest,
            expanded: false,
            dead: false,
        }
    }

    /// Adds children below `parent`, those that are new. Says how many those were.
    ///
    /// A content that is already somewhere in the tree stays where it is.
    pub fn add(&mut self, parent: Option<NodeIx>, contents: Vec<Content>) -> usize {
        let mut fresh = 0;
        for content in contents {
            if self.find(&content.id).is_some() {
                continue;
            }
            let rest = match (&content.kind, content.has_children) {
                (ContentKind::Page, None | Some(true)) => SlotRest::Unknown,
                (_, None | Some(_)) => SlotRest::Nothing,
            };
            self.push(content, parent.unwrap_or(NONE), rest);
            fresh += 1;
        }
        fresh
    }

    /// Replaces the children of `parent` by what was read anew, in its order. Nodes that are
    /// still there keep what is open below them; the others go.
    pub fn replace(&mut self, parent: Option<NodeIx>, contents: Vec<Content>) {
        let above = parent.unwrap_or(NONE);
        let mut old: std::collections::BTreeSet<NodeIx> = self.kids(parent).collect();
        for ix in &old {
            self.unlink(*ix);
        }
        for content in contents {
            match self.find(&content.id) {
                Some(ix) if old.remove(&ix) => {
                    let was = self.slots[ix as usize];
                    let now = self.slot_of(ix, &content, was.rest);
                    self.slots[ix as usize] = Slot {
                        first: was.first,
                        last: was.last,
                        expanded: was.expanded,
                        seen: was.seen,
                        ..now
                    };
                    self.index.update(ix, &content.title);
                    self.link(above, ix);
                }
                Some(_) => {}
                None => {
                    self.add(parent, vec![content]);
                }
            }
        }
        for gone in old {
            let mut below = vec![gone];
            while let Some(ix) = below.pop() {
                below.extend(self.kids(Some(ix)));
                self.kill(ix);
            }
        }
        self.rows_stale = true;
        self.urgent = true;
    }

    /// Makes sure that nothing leads to a node any more, once it is unlinked.
    fn kill(&mut self, ix: NodeIx) {
        let slot = &mut self.slots[ix as usize];
        if slot.standing == Standing::Item && !slot.dead {
            self.items -= 1;
        }
        slot.dead = true;
        slot.standing = Standing::FormerParent;
        (slot.first, slot.last) = (NONE, NONE);
        let id = slot.id;
        if self.by_id.get(&id) == Some(&ix) {
            self.by_id.remove(&id);
        }
        self.rests.remove(&ix);
        self.webui.remove(&ix);
        self.presence.remove(&ix);
        // What the filter has found of it counts no more.
        if self.is_filtered_hit(ix) {
            self.look_again();
        }
    }

    fn is_filtered_hit(&self, ix: NodeIx) -> bool {
        self.lens.is_some() && self.is_match(ix)
    }

    /// The open nodes that are shown.
    pub fn open_nodes(&self) -> Vec<NodeIx> {
        let open = |row: &Row| match row {
            Row::Node(ix, _) => {
                Some(*ix).filter(|ix| self.slots[*ix as usize].expanded && self.has_kids(Some(*ix)))
            }
            Row::Rest(..) => None,
        };
        self.rows.iter().filter_map(open).collect()
    }

    /// Adds an item to the former hierarchy that its ancestors tell: below its parent if that
    /// is listed too, else below a row that stands for the parent.
    ///
    /// Items come in any order: a row that stood for a parent gives way to the item when it comes.
    /// Says which node it became, if it was new.
    pub fn add_with_ancestors(&mut self, content: Content) -> Option<NodeIx> {
        let stood = self.find(&content.id);
        if stood.is_some_and(|ix| self.slots[ix as usize].standing == Standing::Item) {
            return None;
        }
        let ancestors = content.ancestors.as_deref().unwrap_or(&[]);
        let mut parent = self.former_parent(ancestors, &content.id).unwrap_or(NONE);
        if let Some(stood) = stood
            && self.is_below(parent, stood)
        {
            let circle = std::mem::replace(&mut parent, self.slots[stood as usize].parent);
            if circle != stood {
                self.prune(circle);
            }
        }
        let ix = self.push(content, parent, SlotRest::Nothing);
        self.slots[ix as usize].expanded = true;
        if let Some(stood) = stood {
            // A node of its own, as the title differs: to change a text in the middle of all
            // others costs far more than to add one.
            let mut kid = self.slots[stood as usize].first;
            while kid != NONE {
                let next = self.slots[kid as usize].next;
                self.unlink(kid);
                self.link(ix, kid);
                kid = next;
            }
            self.unlink(stood);
            let above = self.slots[stood as usize].parent;
            self.kill(stood);
            self.by_id.insert(self.slots[ix as usize].id, ix);
            self.prune(above);
            self.show_way_to(ix);
        }
        Some(ix)
    }

    /// Takes an item out, after it was purged or restored. Its children stay, under a row that
    /// stands for it.
    pub fn remove(&mut self, id: &ContentId) {
        let Some(ix) = self.find(id) else {
            return;
        };
        self.urgent = true;
        self.rows_stale = true;
        let slot = &mut self.slots[ix as usize];
        if slot.standing == Standing::Item {
            self.items -= 1;
        }
        slot.standing = Standing::FormerParent;
        let (parent, has_kids) = (slot.parent, slot.first != NONE);
        if has_kids {
            if self.is_filtered_hit(ix) {
                self.look_again();
            }
        } else {
            self.unlink(ix);
            self.kill(ix);
            self.prune(parent);
        }
    }

    /// Takes out rows that stand for parents of nothing any more.
    fn prune(&mut self, mut at: NodeIx) {
        while let Some(slot) = self.slots.get(at as usize) {
            if slot.standing == Standing::Item || slot.first != NONE || slot.dead {
                return;
            }
            let parent = slot.parent;
            self.unlink(at);
            self.kill(at);
            at = parent;
        }
    }

    /// Takes over the opened branches of an older reading of the same list, below the nodes that
    /// are still there.
    pub fn adopt(&mut self, old: &Self) {
        let mut ix = 0;
        while ix < self.end() {
            let before = self
                .short_to(old, self.slots[ix as usize].id)
                .and_then(|was| old.by_id.get(&was))
                .copied();
            if let Some(before) = before.filter(|was| old.has_kids(Some(*was))) {
                for kid in old.kids(Some(before)) {
                    let id = old.id_of(old.slots[kid as usize].id);
                    if self.find(&id).is_none() {
                        self.copy(old, kid, ix);
                    }
                }
                self.set_rest(Some(ix), old.rest(Some(before)).clone());
                self.slots[ix as usize].expanded = old.slots[before as usize].expanded;
            }
            ix += 1;
        }
    }

    /// The short id that another tree has for what this one calls `id`.
    fn short_to(&self, other: &Self, id: ShortId) -> Option<ShortId> {
        other.short_of(&self.id_of(id))
    }

    fn copy(&mut self, old: &Self, was: NodeIx, parent: NodeIx) {
        let (node, slot) = (old.node(was), old.slots[was as usize]);
        let ix = self.end();
        let copied = Slot {
            id: self.shorten(&node.id),
            kind: self.kind_of(node.kind.clone()),
            editor: self.editor_of(node.editor),
            first: NONE,
            last: NONE,
            expanded: false,
            ..slot
        };
        if let Some(webui) = node.webui {
            self.webui.insert(ix, webui.into());
        }
        self.by_id.insert(copied.id, ix);
        self.index.push(node.title);
        self.slots.push(copied);
        if slot.standing == Standing::Item {
            self.items += 1;
        }
        self.link(parent, ix);
        self.set_rest(Some(ix), old.rest(Some(was)).clone());
    }

    /// The node of the nearest ancestor, made if there is none yet.
    fn former_parent(&mut self, ancestors: &[ContentRef], of: &ContentId) -> Option<NodeIx> {
        let nearest = ancestors.last().filter(|a| a.id != *of)?;
        if let Some(ix) = self.find(&nearest.id) {
            return Some(ix);
        }
        // Further ancestors only where one of them is listed already: the way up then leads there.
        let above = ancestors
            .iter()
            .rev()
            .skip(1)
            .find_map(|a| self.find(&a.id));
        let path: Vec<&str> = match above {
            Some(_) => vec![nearest.title.as_deref().unwrap_or("?")],
            None => ancestors
                .iter()
                .map(|a| a.title.as_deref().unwrap_or("?"))
                .collect(),
        };
        let content = Content {
            id: nearest.id.clone(),
            kind: ContentKind::Page,
            status: None,
            title: ServerText::new(path.join(" ▸ ")),
            has_children: None,
            space: None,
            version: None,
            ancestors: None,
            position: None,
            more: None,
        };
        let ix = self.push(content, above.unwrap_or(NONE), SlotRest::Nothing);
        self.items -= 1;
        let slot = &mut self.slots[ix as usize];
        slot.standing = Standing::FormerParent;
        slot.expanded = true;
        Some(ix)
    }

    /// Whether `node` is `top` or below it.
    fn is_below(&self, mut node: NodeIx, top: NodeIx) -> bool {
        while node != NONE {
            if node == top {
                return true;
            }
            node = self.slots[node as usize].parent;
        }
        false
    }

    /// What is known of a former parent.
    pub fn presence(&self, ix: NodeIx) -> Option<Presence> {
        self.presence.get(&ix).copied()
    }

    /// Says what is known of a former parent.
    pub fn set_presence(&mut self, ix: NodeIx, presence: Presence) {
        self.presence.insert(ix, presence);
    }

    /// The number that an item can be remembered by; `None` for ids of odd forms.
    pub fn number_of(&self, ix: NodeIx) -> Option<u64> {
        let id = self.slots[ix as usize].id.0;
        (id & ATTACHMENT != 0 || id & ODD == 0).then_some(id)
    }

    /// Forgets that former parents were asked for, as no answer comes any more.
    pub fn forget_asked(&mut self) {
        self.presence.retain(|_, known| *known != Presence::Asked);
    }

    /// Every item with its number, for what is kept of it elsewhere; none for ids of odd forms.
    pub fn numbered(&self) -> impl Iterator<Item = (NodeIx, u64, Option<Date>)> + '_ {
        self.slots.iter().zip(0..).filter_map(|(slot, ix)| {
            let number = self.number_of(ix)?;
            (slot.standing == Standing::Item && !slot.dead)
                .then(|| (ix, number, date_of(slot.seen)))
        })
    }

    /// Says on which day an item was seen for the first time.
    pub fn set_first_seen(&mut self, ix: NodeIx, day: Date) {
        self.slots[ix as usize].seen = day_number(day);
    }

    /// Shows or hides the children of a node.
    pub fn set_expanded(&mut self, ix: NodeIx, expanded: bool) {
        self.slots[ix as usize].expanded = expanded;
        self.rows_stale = true;
        self.urgent = true;
    }

    /// Whether the node has or may have children.
    pub fn can_expand(&self, ix: NodeIx) -> bool {
        let slot = &self.slots[ix as usize];
        slot.first != NONE || slot.rest != SlotRest::Nothing
    }

    /// How the nodes become rows.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Says how the nodes become rows, and in which order.
    pub fn arrange(&mut self, shape: Shape, order: Order) {
        if (self.shape, self.order) != (shape, order) {
            (self.shape, self.order) = (shape, order);
            self.rows_stale = true;
            self.urgent = true;
            self.build = None;
        }
    }

    /// Shows only what matches, and the way to it. Ages count from `now`, days are those of `zone`.
    ///
    /// The rows stay as they are until the filter has found what it can.
    pub fn filter(&mut self, filter: &Filter, now: Timestamp, zone: &TimeZone) {
        self.urgent = true;
        self.build = None;
        self.lens = Some(Lens {
            scan: match &self.lens {
                Some(lens) => Scan::after(&lens.scan, filter, &self.index),
                None => Scan::new(filter, &self.index),
            },
            tests: tests(filter, now, zone),
            shown: vec![0; self.slots.len()],
            stage: Stage::Plain,
            is_new: true,
        });
    }

    /// Filters as another tree does: an older reading of the same list.
    pub fn filter_as(&mut self, other: &Self) {
        self.lens = other.lens.as_ref().map(|lens| Lens {
            scan: Scan::new(lens.scan.filter(), &self.index),
            tests: lens.tests.clone(),
            shown: vec![0; self.slots.len()],
            stage: Stage::Plain,
            is_new: true,
        });
        self.rows_stale = true;
    }

    /// Shows all again.
    pub fn unfilter(&mut self) {
        if self.lens.take().is_some() {
            self.rows_stale = true;
            self.urgent = true;
            self.build = None;
        }
    }

    /// Begins the look at all nodes anew, as some of what was found counts no more.
    fn look_again(&mut self) {
        if let Some(lens) = &mut self.lens {
            let filter = lens.scan.filter().clone();
            lens.scan = Scan::new(&filter, &self.index);
            lens.shown.fill(0);
            lens.stage = Stage::Plain;
        }
    }

    /// After a node has moved: what leads to it now is shown too, if it is.
    fn show_way_to(&mut self, ix: NodeIx) {
        let mut shown = self
            .lens
            .as_ref()
            .is_some_and(|l| l.shown[ix as usize] != 0);
        let kids: Vec<NodeIx> = if shown {
            Vec::new()
        } else {
            self.kids(Some(ix)).collect()
        };
        if let Some(lens) = &mut self.lens {
            shown |= kids.iter().any(|kid| lens.shown[*kid as usize] != 0);
            if shown {
                lens.shown[ix as usize] |= WAY;
                show_way(&self.slots, &mut lens.shown, ix);
            }
        }
    }

    /// Whether the rows have to be built anew, or the filter still looks.
    pub fn is_stale(&self) -> bool {
        self.rows_stale || self.build.is_some() || self.is_looking()
    }

    /// When [`work`](Self::work) is due; `None` if there is nothing to do.
    ///
    /// While a large list streams in its rows are built now and then, not with every page.
    pub fn due(&self) -> Option<Millis> {
        if self.build.is_some() || self.is_looking() || (self.rows_stale && self.urgent) {
            return Some(Millis(0));
        }
        self.rows_stale.then(|| self.next_rows())
    }

    /// From when on rows that nobody waits for are built again.
    fn next_rows(&self) -> Millis {
        slices::next_rows(self.built, self.slots.len(), self.order != Order::Server)
    }

    /// Whether everything is done at once.
    pub fn is_small(&self) -> bool {
        self.slots.len() <= slices::SMALL
    }

    /// Does all that is to be done.
    pub fn finish(&mut self, now: Millis) -> Worked {
        let mut worked = Worked::OnTheWay;
        while self.is_stale() {
            self.urgent |= self.rows_stale;
            if self.work_for(now, usize::MAX, usize::MAX) == Worked::NewRows {
                worked = Worked::NewRows;
            }
        }
        worked
    }

    /// Does a slice of what is to be done, a millisecond or so.
    pub fn work(&mut self, now: Millis) -> Worked {
        self.work_for(now, slices::SCAN, slices::ROWS)
    }

    fn work_for(&mut self, now: Millis, rows: usize, nodes: usize) -> Worked {
        if let Some(lens) = self.lens.as_mut().filter(|lens| lens.stage != Stage::Done) {
            if lens.scan.is_stale(&self.index) {
                self.look_again();
                return Worked::OnTheWay;
            }
            let judge = Judge::new(
                &lens.tests,
                &self.slots,
                &self.kinds,
                &self.editors,
                &self.index,
            );
            let before = lens.scan.matches().len();
            let progress = lens
                .scan
                .step_where(&self.index, rows, |row| judge.accepts(row));
            let found = lens.scan.matches();
            if found.len() != before || lens.stage == Stage::Plain {
                for row in found {
                    let shown = &mut lens.shown[*row as usize];
                    if *shown & HIT == 0 {
                        *shown |= HIT;
                        show_way(&self.slots, &mut lens.shown, *row);
                    }
                }
            }
            let stage = Stage::after(progress, &lens.scan, &self.index);
            if stage != lens.stage {
                self.rows_stale = true;
                self.urgent |= lens.is_new;
            }
            lens.is_new &= stage != Stage::Done;
            lens.stage = stage;
            if !self.rows_stale {
                return Worked::OnTheWay;
            }
        }
        if self.build.is_none() {
            // While a filtered list streams in, its rows are not built with every page either.
            if !self.rows_stale || (!self.urgent && now < self.next_rows()) {
                return Worked::OnTheWay;
            }
            self.rows_stale = false;
            self.urgent = false;
            let order = match (self.order, self.shape) {
                (Order::Server, _) => Ordering::Done,
                (_, Shape::Tree) => Ordering::Siblings(0, None),
                (_, Shape::Table) => Ordering::Rows,
            };
            let at = match self.shape {
                Shape::Tree => self.first_root,
                Shape::Table => 0,
            };
            self.build = Some(Build {
                rows: Vec::new(),
                at,
                depth: 0,
                order,
            });
            if self.shape == Shape::Tree && at == NONE {
                let build = self.build.as_mut();
                if let Some(build) = build
                    && self.lens.is_none()
                    && has_rest_row(&self.roots_rest, None)
                {
                    build.rows.push(Row::Rest(None, 0));
                }
            }
        }
        let Some(mut build) = self.build.take() else {
            return Worked::OnTheWay;
        };
        if let Ordering::Siblings(..) = build.order {
            self.sort_siblings(&mut build, nodes);
            // The first of the roots may be another one by now.
            build.at = self.first_root;
            if build.order != Ordering::Done || !self.is_small() {
                self.build = Some(build);
                return Worked::OnTheWay;
            }
        }
        match self.shape {
            Shape::Tree => self.build_tree(&mut build, nodes),
            Shape::Table => self.build_table(&mut build, nodes),
        }
        if build.at != NONE || build.order != Ordering::Done {
            self.build = Some(build);
            return Worked::OnTheWay;
        }
        self.rows = build.rows;
        self.built = now;
        Worked::NewRows
    }

    fn build_tree(&self, build: &mut Build, nodes: usize) {
        let mut left = nodes;
        while build.at != NONE && left > 0 {
            left -= 1;
            let ix = build.at;
            let slot = &self.slots[ix as usize];
            let wanted = match &self.lens {
                None => true,
                Some(lens) => lens.shown.get(ix as usize).is_some_and(|shown| *shown != 0),
            };
            if wanted && !slot.dead {
                let depth = u16::try_from(build.depth).unwrap_or(u16::MAX);
                build.rows.push(Row::Node(ix, depth));
                if slot.expanded || self.lens.is_some() {
                    if slot.first != NONE {
                        build.at = slot.first;
                        build.depth += 1;
                        continue;
                    }
                    self.push_rest(build, ix, build.depth + 1);
                }
            }
            // On to the next, by way of the parents whose last child this was.
            let mut at = ix;
            loop {
                let slot = &self.slots[at as usize];
                if slot.next != NONE {
                    build.at = slot.next;
                    break;
                }
                self.push_rest(build, slot.parent, build.depth);
                build.at = NONE;
                if slot.parent == NONE {
                    break;
                }
                at = slot.parent;
                build.depth = build.depth.saturating_sub(1);
            }
        }
    }

    fn push_rest(&self, build: &mut Build, of: NodeIx, depth: u32) {
        let of = some(of);
        if self.lens.is_none() && has_rest_row(self.rest(of), of) {
            let depth = u16::try_from(depth).unwrap_or(u16::MAX);
            build.rows.push(Row::Rest(of, depth));
        }
    }

    fn build_table(&self, build: &mut Build, nodes: usize) {
        match &mut build.order {
            Ordering::SortingRows(sorter) => {
                if !sorter.step(nodes / slices::SORT_COST, |a, b| self.compare(*a, *b)) {
                    return;
                }
                let listed = sorter.take();
                build.rows.clear();
                build
                    .rows
                    .extend(listed.into_iter().map(|ix| Row::Node(ix, 0)));
                build.order = Ordering::Done;
                self.push_rest(build, NONE, 0);
                return;
            }
            Ordering::Siblings(..) | Ordering::Rows | Ordering::Done => {}
        }
        let end = self.end();
        let until = build
            .at
            .saturating_add(u32::try_from(nodes).unwrap_or(NONE))
            .min(end);
        for ix in build.at..until {
            let slot = &self.slots[ix as usize];
            if !slot.dead && slot.standing == Standing::Item && self.is_match(ix) {
                build.rows.push(Row::Node(ix, 0));
            }
        }
        build.at = until;
        if until == end {
            build.at = NONE;
            if build.order == Ordering::Rows {
                let listed = build.rows.iter().filter_map(|row| match row {
                    Row::Node(ix, _) => Some(*ix),
                    Row::Rest(..) => None,
                });
                build.order = Ordering::SortingRows(Sorter::new(listed.collect()));
            } else {
                self.push_rest(build, NONE, 0);
            }
        }
    }

    fn compare(&self, a: NodeIx, b: NodeIx) -> std::cmp::Ordering {
        let edited = |ix: NodeIx| self.slots[ix as usize].edited;
        match self.order {
            Order::Server => std::cmp::Ordering::Equal,
            Order::Title => self.index.folded(a).cmp(self.index.folded(b)),
            Order::Newest => edited(b).cmp(&edited(a)),
            Order::Oldest => edited(a).cmp(&edited(b)),
        }
    }

    /// Puts children in order, those of one node after the other, for as long as `budget` lasts.
    fn sort_siblings(&mut self, build: &mut Build, budget: usize) {
        let Ordering::Siblings(next, work) = &mut build.order else {
            return;
        };
        let mut left = budget / slices::SORT_COST;
        loop {
            let parent = *next;
            let mut siblings = match work.take() {
                Some(siblings) => siblings,
                None => {
                    let kids: Vec<NodeIx> = self.kids(some(parent)).collect();
                    left = left.saturating_sub(1 + kids.len() / slices::SORT_COST);
                    Siblings {
                        sorter: Sorter::new(kids),
                        end: self.end(),
                    }
                }
            };
            let cost = siblings.sorter.len().min(left);
            if !siblings
                .sorter
                .step(left.max(1), |a, b| self.compare(*a, *b))
            {
                *work = Some(siblings);
                return;
            }
            left = left.saturating_sub(cost);
            if siblings.sorter.len() > 1 && !self.relink(parent, siblings) {
                // What was sorted is no longer what is there.
                continue;
            }
            if parent == NONE {
                build.order = Ordering::Done;
                return;
            }
            let end = self.end();
            *next = (parent + 1..end)
                .find(|ix| {
                    let slot = &self.slots[*ix as usize];
                    slot.first != slot.last
                })
                .unwrap_or(NONE);
            if left == 0 {
                return;
            }
        }
    }

    /// Hangs children below their parent in the order that was found; what came meanwhile comes
    /// last. Says whether it could: not where others were hung there meanwhile.
    fn relink(&mut self, parent: NodeIx, mut siblings: Siblings) -> bool {
        let mut kids = siblings.sorter.take();
        kids.retain(|kid| {
            let slot = &self.slots[*kid as usize];
            !slot.dead && slot.parent == parent
        });
        let sorted = kids.len();
        let mut count = 0;
        for kid in self.kids(some(parent)) {
            count += 1;
            if kid >= siblings.end {
                kids.push(kid);
            }
        }
        if kids.len() != count {
            return false;
        }
        self.rows_stale |= kids.len() > sorted;
        match self.slots.get_mut(parent as usize) {
            Some(slot) => (slot.first, slot.last) = (NONE, NONE),
            None => (self.first_root, self.last_root) = (NONE, NONE),
        }
        for kid in kids {
            self.link(parent, kid);
        }
        true
    }

    /// The row of a node, if it is shown.
    pub fn row_of(&self, ix: NodeIx) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| matches!(row, Row::Node(at, _) if *at == ix))
    }
}

fn has_rest_row(rest: &Rest, of: Option<NodeIx>) -> bool {
    match rest {
        Rest::Nothing => false,
        Rest::Unknown => of.is_some(),
        Rest::More { .. } | Rest::Loading { .. } | Rest::Failed { .. } => true,
    }
}

fn show_way(slots: &[Slot], shown: &mut [u8], to: NodeIx) {
    let mut at = slots[to as usize].parent;
    while at != NONE {
        let above = &mut shown[at as usize];
        if *above & WAY != 0 {
            return;
        }
        *above |= WAY;
        at = slots[at as usize].parent;
    }
}

/// Days since 1970, from 1 on.
pub(in crate::app) fn day_number(day: Date) -> u16 {
    let days = (day - jiff::civil::date(1970, 1, 1)).get_days();
    u16::try_from(days).unwrap_or(0)
}

pub(in crate::app) fn date_of(day: u16) -> Option<Date> {
    let days = SignedDuration::from_hours(i64::from(day) * 24);
    (day > 0)
        .then(|| jiff::civil::date(1970, 1, 1).checked_add(days).ok())
        .flatten()
}

/// The tests of a filter with what they need to look at.
struct Judge<'t> {
    tests: Vec<(Sieve<'t>, Wanted)>,
    slots: &'t [Slot],
    index: &'t Index,
}

/// A test with its answer for each type and each editor worked out beforehand.
enum Sieve<'t> {
    Kinds(Vec<bool>),
    Editors(Vec<bool>),
    Under(&'t str),
    Before(i64),
}

impl<'t> Judge<'t> {
    fn new(
        tests: &'t [Test],
        slots: &'t [Slot],
        kinds: &[ContentKind],
        editors: &[Box<str>],
        index: &'t Index,
    ) -> Self {
        let sieve = |test: &'t Test| match test {
            Test::Kind(value, wanted) => {
                let is = |kind| is_kind(kind, value);
                (Sieve::Kinds(kinds.iter().map(is).collect()), *wanted)
            }
            Test::Editor(value, wanted) => {
                let is = |name: &str| name.to_lowercase().contains(value.as_str());
                (
                    Sieve::Editors(editors.iter().map(|name| is(name)).collect()),
                    *wanted,
                )
            }
            Test::Under(value, wanted) => (Sieve::Under(value), *wanted),
            Test::Before(moment) => (Sieve::Before(*moment), Wanted::Yes),
            Test::From(moment) => (Sieve::Before(*moment), Wanted::No),
        };
        Self {
            tests: tests.iter().map(sieve).collect(),
            slots,
            index,
        }
    }

    /// Whether a node is an item that passes all tests.
    fn accepts(&self, row: NodeIx) -> bool {
        let slot = &self.slots[row as usize];
        if slot.dead || slot.standing != Standing::Item {
            return false;
        }
        self.tests.iter().all(|(sieve, wanted)| {
            let passes = match sieve {
                Sieve::Kinds(kinds) => kinds.get(usize::from(slot.kind)).copied().unwrap_or(false),
                Sieve::Editors(editors) => {
                    editors.get(slot.editor as usize).copied().unwrap_or(false)
                }
                Sieve::Under(value) => self.is_under(slot.parent, value),
                // Of unknown age: neither before nor after.
                Sieve::Before(_) if slot.edited == i64::MIN => return false,
                Sieve::Before(moment) => slot.edited < *moment,
            };
            passes == (*wanted == Wanted::Yes)
        })
    }

    fn is_under(&self, mut at: NodeIx, value: &str) -> bool {
        while at != NONE {
            if self.index.folded(at).contains(value) {
                return true;
            }
            at = self.slots[at as usize].parent;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(id: &str, title: &str, ancestors: &[(&str, &str)]) -> Content {
        Content {
            id: ContentId::new(id),
            kind: ContentKind::Page,
            status: None,
            title: ServerText::new(title.to_owned()),
            has_children: None,
            space: None,
            version: None,
            ancestors: Some(
                ancestors
                    .iter()
                    .map(|(id, title)| ContentRef {
                        id: ContentId::new(id),
                        title: Some((*title).to_owned()),
                    })
                    .collect(),
            ),
            position: None,
            more: None,
        }
    }

    fn shown(tree: &mut Tree) -> Vec<String> {
        tree.finish(Millis(0));
        tree.rows()
            .iter()
            .map(|row| match row {
                Row::Node(ix, depth) => {
                    let node = tree.node(*ix);
                    let parent = if node.standing == Standing::FormerParent {
                        "~"
                    } else {
                        ""
                    };
                    format!("{}{parent}{}", "  ".repeat(usize::from(*depth)), node.title)
                }
                Row::Rest(_, depth) => format!("{}…", "  ".repeat(usize::from(*depth))),
            })
            .collect()
    }

    #[test]
    fn branches_open_and_grow() {
        let mut tree = Tree::default();
        tree.add(
            None,
            vec![content("1", "Home", &[]), content("2", "Notes", &[])],
        );
        tree.set_rest(
            None,
            Rest::More {
                start: 2,
                left: Some(3),
            },
        );
        assert_eq!(shown(&mut tree), ["Home", "Notes", "…"]);
        let home = tree.find(&ContentId::new("1")).expect("added");
        tree.set_expanded(home, true);
        assert_eq!(shown(&mut tree), ["Home", "  …", "Notes", "…"]);
        tree.add(
            Some(home),
            vec![content("3", "Runbooks", &[]), content("1", "Home", &[])],
        );
        tree.set_rest(Some(home), Rest::Nothing);
        tree.set_rest(None, Rest::Nothing);
        assert_eq!(shown(&mut tree), ["Home", "  Runbooks", "Notes"]);
        assert_eq!(tree.items(), 3);
    }

    #[test]
    fn a_branch_read_anew_loses_what_is_gone_and_keeps_what_is_open() {
        let mut tree = Tree::default();
        tree.add(
            None,
            vec![content("1", "Home", &[]), content("2", "Notes", &[])],
        );
        tree.set_rest(None, Rest::Nothing);
        let home = tree.find(&ContentId::new("1")).expect("added");
        tree.add(Some(home), vec![content("3", "Runbooks", &[])]);
        tree.set_rest(Some(home), Rest::Nothing);
        tree.set_expanded(home, true);
        tree.replace(
            None,
            vec![content("4", "New", &[]), content("1", "Home again", &[])],
        );
        assert_eq!(shown(&mut tree), ["New", "Home again", "  Runbooks"]);
        assert_eq!(tree.items(), 3);
        assert_eq!(tree.find(&ContentId::new("2")), None);
    }

    #[test]
    fn trash_takes_its_former_hierarchy_in_any_order() {
        let top = ("1", "Home");
        let mut tree = Tree::default();
        assert!(
            tree.add_with_ancestors(content("3", "Leaf", &[top, ("2", "Branch")]))
                .is_some()
        );
        assert_eq!(shown(&mut tree), ["~Home ▸ Branch", "  Leaf"]);
        assert!(
            tree.add_with_ancestors(content("2", "Branch", &[top]))
                .is_some()
        );
        assert_eq!(shown(&mut tree), ["~Home", "  Branch", "    Leaf"]);
        assert!(
            tree.add_with_ancestors(content("2", "Branch", &[top]))
                .is_none(),
            "a second time"
        );
        assert!(
            tree.add_with_ancestors(content("4", "Loner", &[]))
                .is_some()
        );
        assert_eq!(shown(&mut tree), ["~Home", "  Branch", "    Leaf", "Loner"]);
        assert_eq!(tree.items(), 3);
        tree.remove(&ContentId::new("2"));
        assert_eq!(
            shown(&mut tree),
            ["~Home", "  ~Branch", "    Leaf", "Loner"]
        );
        tree.remove(&ContentId::new("3"));
        assert_eq!(shown(&mut tree), ["Loner"]);
        assert_eq!(tree.items(), 1);
    }

    #[test]
    fn ancestors_in_a_circle_do_no_harm() {
        let mut tree = Tree::default();
        tree.add_with_ancestors(content("1", "One", &[("2", "Two")]));
        tree.add_with_ancestors(content("2", "Two", &[("1", "One")]));
        tree.add_with_ancestors(content("3", "Three", &[("3", "Three")]));
        assert_eq!(shown(&mut tree), ["Two", "  One", "Three"]);
    }

    fn ids(rows: &[Row]) -> Vec<NodeIx> {
        rows.iter()
            .filter_map(|row| match row {
                Row::Node(ix, _) => Some(*ix),
                Row::Rest(..) => None,
            })
            .collect()
    }

    #[test]
    fn odd_ids_are_kept_as_they_are() {
        let mut tree = Tree::default();
        let all = [
            "12",
            "att12",
            "0",
            "012",
            "x-1",
            "att",
            "99999999999999999999",
            "aé",
        ];
        for id in all {
            assert!(
                tree.add_with_ancestors(content(id, id, &[])).is_some(),
                "{id}"
            );
        }
        for id in all {
            let ix = tree.find(&ContentId::new(id)).expect("added");
            assert_eq!(tree.node(ix).id.as_str(), id);
        }
        assert_eq!(tree.items(), all.len());
    }

    #[test]
    fn a_filter_about_fields_finds_items_and_the_way_to_them() {
        let mut tree = Tree::default();
        let (home, old) = (("1", "Home"), ("2", "Old Runbooks"));
        let mut post = content("5", "News", &[]);
        post.kind = ContentKind::BlogPost;
        for item in [
            content("3", "Failover", &[home, old]),
            content("4", "Other", &[home]),
            post,
        ] {
            tree.add_with_ancestors(item);
        }
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a date of the test");
        let mut found = |text: &str| {
            let filter = Filter::parse(text, &FIELDS).expect("a sound filter");
            tree.filter(&filter, now, &TimeZone::UTC);
            (shown(&mut tree), tree.matched())
        };
        assert_eq!(
            found("under:runb"),
            (
                vec!["~Home ▸ Old Runbooks".to_owned(), "  Failover".to_owned()],
                Some(1)
            )
        );
        assert_eq!(found("type:blog"), (vec!["News".to_owned()], Some(1)));
        assert_eq!(found("!type:page !under:home").1, Some(1));
        assert_eq!(found("before:2030").1, Some(0), "of unknown age");
        assert_eq!(found("o").1, Some(2));
    }

    #[test]
    fn large_trees_are_worked_on_in_slices_and_end_alike() {
        let mut tree = Tree::default();
        for n in 0..60_000_u32 {
            let parent = format!("p{}", n % 500);
            let title = format!("Item {} {n}", ["alpha", "beta"][n as usize % 2]);
            tree.add_with_ancestors(content(&n.to_string(), &title, &[(&parent, &parent)]));
        }
        assert!(!tree.is_small());
        let work = |tree: &mut Tree| {
            let mut slices = 0;
            while tree.due().is_some_and(|due| due <= Millis(1_000)) {
                tree.work(Millis(1_000));
                slices += 1;
            }
            slices
        };
        assert!(work(&mut tree) > 1);
        assert_eq!(tree.rows().len(), 60_500);
        let filter = Filter::parse("'beta", &FIELDS).expect("a sound filter");
        tree.filter(&filter, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        let before = tree.rows().len();
        tree.work(Millis(1));
        assert_eq!(tree.rows().len(), before, "the old rows stay meanwhile");
        assert!(work(&mut tree) > 5);
        assert_eq!(tree.matched(), Some(30_000));
        assert_eq!(tree.rows().len(), 30_250);
        tree.arrange(Shape::Table, Order::Title);
        work(&mut tree);
        let rows = ids(tree.rows());
        assert_eq!(rows.len(), 30_000);
        let titles: Vec<&str> = rows.iter().map(|ix| tree.node(*ix).title).collect();
        assert!(titles.is_sorted());
        assert_eq!(tree.listed(), rows);
    }

    proptest::proptest! {
        /// However items come and go, each is shown once, and the filter shows those that hold
        /// its word, whether it looked before or after they came.
        #[test]
        fn every_item_is_shown_once(
            items in proptest::collection::vec(
                (0..12_u8, proptest::collection::vec(0..12_u8, 0..3)),
                1..40,
            ),
            gone in proptest::collection::vec(0..12_u8, 0..6),
            early in 0..40_usize,
        ) {
            let mut tree = Tree::default();
            let filter = Filter::parse("'even", &FIELDS).expect("a sound filter");
            let mut there = std::collections::BTreeSet::new();
            for (at, (id, above)) in items.iter().enumerate() {
                if at == early {
                    tree.filter(&filter, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
                }
                let title = if id % 2 == 0 { "even" } else { "odd" };
                let above: Vec<(String, String)> = above
                    .iter()
                    .map(|n| (n.to_string(), format!("up {n}")))
                    .collect();
                let above: Vec<(&str, &str)> = above
                    .iter()
                    .map(|(id, title)| (id.as_str(), title.as_str()))
                    .collect();
                tree.add_with_ancestors(content(&id.to_string(), title, &above));
                there.insert(*id);
                tree.finish(Millis(0));
            }
            for id in gone {
                tree.remove(&ContentId::new(id.to_string()));
                there.remove(&id);
            }
            let even = there.iter().filter(|id| *id % 2 == 0).count();
            if early < items.len() {
                tree.finish(Millis(0));
                proptest::prop_assert_eq!(tree.matched(), Some(even));
            }
            tree.filter(&filter, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
            tree.finish(Millis(0));
            proptest::prop_assert_eq!(tree.matched(), Some(even));
            tree.unfilter();
            tree.finish(Millis(0));
            let mut shown: Vec<String> = ids(tree.rows())
                .into_iter()
                .map(|ix| tree.node(ix))
                .filter(|node| node.standing == Standing::Item)
                .map(|node| node.id.to_string())
                .collect();
            shown.sort();
            let mut wanted: Vec<String> = there.iter().map(ToString::to_string).collect();
            wanted.sort();
            proptest::prop_assert_eq!(tree.items(), wanted.len());
            proptest::prop_assert_eq!(shown, wanted);
        }
    }
}
