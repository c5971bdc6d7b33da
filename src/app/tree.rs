//! Trees of content that are read branch by branch.
//!
//! Nodes live in one list and are named by their place in it, which never changes; the rows on
//! the screen are a second list, rebuilt when a branch opens, closes or grows. Reading more of
//! a branch is the pane's business: the tree only says which branch wants it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::confluence::{ApiError, Content, ContentId, ContentKind, ContentRef, Moment};
use crate::text::filter::{Filter, Index, Progress, Scan};

/// The place of a node in its tree.
pub type NodeIx = u32;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// An item that the tree lists.
    Item,
    /// Not in this list itself, but the parent of something that is: in the trash, a parent
    /// that was not trashed with its children, or that is gone.
    FormerParent,
}

/// What is read of the children of a node, or of the roots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// The children read so far.
    pub kids: Vec<NodeIx>,
    /// What there is beyond them.
    pub rest: Rest,
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

impl Branch {
    /// A branch of which nothing is known.
    pub const UNKNOWN: Self = Self {
        kids: Vec::new(),
        rest: Rest::Unknown,
    };
    /// A branch without children.
    pub const EMPTY: Self = Self {
        kids: Vec::new(),
        rest: Rest::Nothing,
    };
}

/// A page, blog post or attachment in a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: ContentId,
    /// Its type.
    pub kind: ContentKind,
    /// Its title; empty if the server did not say.
    pub title: Box<str>,
    /// Number of the last version.
    pub version: Option<u32>,
    /// Date of the last edit.
    pub edited: Option<Moment>,
    /// Who made the last edit.
    pub editor: Option<Box<str>>,
    /// Address in a browser, relative to the base.
    pub webui: Option<Box<str>>,
    /// What it stands for.
    pub standing: Standing,
    /// The node above it; `None` for a root.
    pub parent: Option<NodeIx>,
    /// Its children.
    pub branch: Branch,
    /// Whether they are shown.
    pub expanded: bool,
}

/// One row of the tree as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Row {
    /// A node, this deep.
    Node(NodeIx, u16),
    /// The end of a branch that has more: the roots or the children of a node.
    Rest(Option<NodeIx>, u16),
}

/// A tree, its filter and its rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    nodes: Vec<Node>,
    by_id: HashMap<ContentId, NodeIx>,
    /// The top of the tree.
    pub roots: Branch,
    rows: Vec<Row>,
    items: usize,
    rows_stale: bool,
    #[serde(skip)]
    index: Index,
    #[serde(skip)]
    matches: Option<Vec<bool>>,
    #[serde(skip)]
    matched: usize,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            by_id: HashMap::new(),
            roots: Branch::UNKNOWN,
            rows: Vec::new(),
            items: 0,
            rows_stale: false,
            index: Index::default(),
            matches: None,
            matched: 0,
        }
    }
}

impl Tree {
    /// A node.
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix as usize]
    }

    /// A node, by id.
    pub fn find(&self, id: &ContentId) -> Option<NodeIx> {
        self.by_id.get(id).copied()
    }

    /// The rows that are shown.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// How many items are in the tree; former parents don't count.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many items match the filter; `None` without a filter.
    pub fn matched(&self) -> Option<usize> {
        self.matches.as_ref().map(|_| self.matched)
    }

    /// Whether the filter lets this node through by itself.
    pub fn is_match(&self, ix: NodeIx) -> bool {
        self.matches
            .as_ref()
            .is_none_or(|m| m.get(ix as usize).copied().unwrap_or(false))
    }

    /// Every item, in the order in which it came.
    pub fn all_items(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .iter()
            .filter(|node| node.standing == Standing::Item)
    }

    /// The branch of a node, or the roots.
    pub fn branch(&self, of: Option<NodeIx>) -> &Branch {
        match of {
            Some(ix) => &self.nodes[ix as usize].branch,
            None => &self.roots,
        }
    }

    fn branch_mut(&mut self, of: Option<NodeIx>) -> &mut Branch {
        match of {
            Some(ix) => &mut self.nodes[ix as usize].branch,
            None => &mut self.roots,
        }
    }

    /// Says what there is beyond the children read so far.
    pub fn set_rest(&mut self, of: Option<NodeIx>, rest: Rest) {
        self.branch_mut(of).rest = rest;
        self.rows_stale = true;
    }

    /// Adds children below `parent`, those that are new. Says how many those were.
    ///
    /// A content that is already somewhere in the tree stays where it is.
    pub fn add(&mut self, parent: Option<NodeIx>, contents: Vec<Content>) -> usize {
        let mut fresh = 0;
        for content in contents {
            if self.by_id.contains_key(&content.id) {
                continue;
            }
            let branch = match (&content.kind, content.has_children) {
                (ContentKind::Page, None | Some(true)) => Branch::UNKNOWN,
                (_, None | Some(_)) => Branch::EMPTY,
            };
            let ix = self.push(node_of(content, parent, branch));
            self.branch_mut(parent).kids.push(ix);
            fresh += 1;
        }
        fresh
    }

    /// Replaces the children of `parent` by what was read anew, in its order. Nodes that are
    /// still there keep what is open below them; the others go.
    pub fn replace(&mut self, parent: Option<NodeIx>, contents: Vec<Content>) {
        let old = std::mem::take(&mut self.branch_mut(parent).kids);
        let mut kids = Vec::with_capacity(contents.len());
        for content in contents {
            match self.find(&content.id) {
                Some(ix) if self.nodes[ix as usize].parent == parent => {
                    if !kids.contains(&ix) {
                        let node = &mut self.nodes[ix as usize];
                        let (branch, expanded) = (
                            std::mem::replace(&mut node.branch, Branch::EMPTY),
                            node.expanded,
                        );
                        *node = Node {
                            expanded,
                            ..node_of(content, parent, branch)
                        };
                        self.index.update(ix, &searched(&self.nodes[ix as usize]));
                        kids.push(ix);
                    }
                }
                Some(_) => {}
                None => {
                    self.branch_mut(parent).kids = kids;
                    self.add(parent, vec![content]);
                    kids = std::mem::take(&mut self.branch_mut(parent).kids);
                }
            }
        }
        for gone in old.into_iter().filter(|ix| !kids.contains(ix)) {
            let mut below = vec![gone];
            while let Some(ix) = below.pop() {
                let node = &mut self.nodes[ix as usize];
                below.append(&mut node.branch.kids);
                if node.standing == Standing::Item {
                    self.items -= 1;
                }
                node.standing = Standing::FormerParent;
                let id = node.id.clone();
                self.by_id.remove(&id);
            }
        }
        self.branch_mut(parent).kids = kids;
        self.rows_stale = true;
    }

    /// The open nodes that are shown.
    pub fn open_nodes(&self) -> Vec<NodeIx> {
        let open = |row: &Row| match row {
            Row::Node(ix, _) => Some(*ix)
                .filter(|ix| self.node(*ix).expanded && !self.node(*ix).branch.kids.is_empty()),
            Row::Rest(..) => None,
        };
        self.rows.iter().filter_map(open).collect()
    }

    /// Adds an item to the former hierarchy that its ancestors tell: below its parent if that
    /// is listed too, else below a row that stands for the parent.
    ///
    /// Items come in any order: a row that stood for a parent becomes the item when it comes.
    /// Says whether it was new.
    pub fn add_with_ancestors(&mut self, content: Content) -> bool {
        let parent = self.former_parent(content.ancestors.as_deref().unwrap_or(&[]), &content.id);
        match self.find(&content.id) {
            Some(ix) if self.nodes[ix as usize].standing == Standing::FormerParent => {
                let old = &mut self.nodes[ix as usize];
                let kids = std::mem::replace(&mut old.branch, Branch::EMPTY);
                let moved_from = old.parent;
                *old = node_of(content, old.parent, kids);
                old.expanded = true;
                self.items += 1;
                self.index.update(ix, &searched(&self.nodes[ix as usize]));
                if parent != moved_from && !self.is_below(parent, ix) {
                    self.branch_mut(moved_from).kids.retain(|kid| *kid != ix);
                    self.branch_mut(parent).kids.push(ix);
                    self.nodes[ix as usize].parent = parent;
                }
            }
            Some(_) => return false,
            None => {
                let ix = self.push(node_of(content, parent, Branch::EMPTY));
                self.nodes[ix as usize].expanded = true;
                self.branch_mut(parent).kids.push(ix);
            }
        }
        self.rows_stale = true;
        true
    }

    /// Takes an item out, after it was purged or restored. Its children stay, under a row that
    /// stands for it.
    pub fn remove(&mut self, id: &ContentId) {
        let Some(ix) = self.by_id.remove(id) else {
            return;
        };
        let node = &mut self.nodes[ix as usize];
        if node.standing == Standing::Item {
            self.items -= 1;
        }
        node.standing = Standing::FormerParent;
        let parent = node.parent;
        if node.branch.kids.is_empty() {
            self.branch_mut(parent).kids.retain(|kid| *kid != ix);
            self.prune(parent);
        } else {
            self.by_id.insert(id.clone(), ix);
        }
        self.rows_stale = true;
    }

    /// Takes out rows that stand for parents of nothing any more.
    fn prune(&mut self, mut at: Option<NodeIx>) {
        while let Some(ix) = at {
            let node = &self.nodes[ix as usize];
            if node.standing == Standing::Item || !node.branch.kids.is_empty() {
                return;
            }
            let (parent, id) = (node.parent, node.id.clone());
            self.by_id.remove(&id);
            self.branch_mut(parent).kids.retain(|kid| *kid != ix);
            at = parent;
        }
    }

    fn push(&mut self, node: Node) -> NodeIx {
        let ix = NodeIx::try_from(self.nodes.len()).unwrap_or(NodeIx::MAX);
        self.by_id.insert(node.id.clone(), ix);
        self.index.push(&searched(&node));
        if node.standing == Standing::Item {
            self.items += 1;
        }
        self.nodes.push(node);
        self.rows_stale = true;
        ix
    }

    /// Takes over the opened branches of an older reading of the same list, below the nodes that
    /// are still there.
    pub fn adopt(&mut self, old: &Self) {
        let mut at = 0;
        while at < self.nodes.len() {
            let ix = NodeIx::try_from(at).unwrap_or(NodeIx::MAX);
            at += 1;
            let Some(before) = old
                .find(&self.nodes[ix as usize].id)
                .map(|was| old.node(was))
            else {
                continue;
            };
            if before.branch.kids.is_empty() {
                continue;
            }
            for kid in &before.branch.kids {
                let kid = old.node(*kid);
                if !self.by_id.contains_key(&kid.id) {
                    let branch = Branch {
                        kids: Vec::new(),
                        rest: kid.branch.rest.clone(),
                    };
                    let kid = self.push(Node {
                        parent: Some(ix),
                        branch,
                        expanded: false,
                        ..kid.clone()
                    });
                    self.nodes[ix as usize].branch.kids.push(kid);
                }
            }
            self.nodes[ix as usize].branch.rest = before.branch.rest.clone();
            self.nodes[ix as usize].expanded = before.expanded;
        }
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
        let ix = self.push(Node {
            id: nearest.id.clone(),
            kind: ContentKind::Page,
            title: path.join(" ▸ ").into(),
            version: None,
            edited: None,
            editor: None,
            webui: None,
            standing: Standing::FormerParent,
            parent: above,
            branch: Branch::EMPTY,
            expanded: true,
        });
        self.branch_mut(above).kids.push(ix);
        Some(ix)
    }

    /// Whether `node` is `top` or below it.
    fn is_below(&self, mut node: Option<NodeIx>, top: NodeIx) -> bool {
        while let Some(ix) = node {
            if ix == top {
                return true;
            }
            node = self.nodes[ix as usize].parent;
        }
        false
    }

    /// Shows or hides the children of a node.
    pub fn set_expanded(&mut self, ix: NodeIx, expanded: bool) {
        self.nodes[ix as usize].expanded = expanded;
        self.rows_stale = true;
    }

    /// Whether the node has or may have children.
    pub fn can_expand(&self, ix: NodeIx) -> bool {
        let branch = &self.nodes[ix as usize].branch;
        !branch.kids.is_empty() || branch.rest != Rest::Nothing
    }

    /// Shows only what matches, and the way to it. `None` shows all.
    pub fn filter(&mut self, filter: Option<&Filter>) {
        self.matches = filter.map(|filter| {
            let mut scan = Scan::new(filter, &self.index);
            while scan.step(&self.index, usize::MAX) != Progress::Done {}
            let mut hit = vec![false; self.nodes.len()];
            for row in scan.matches() {
                if let Some(slot) = hit.get_mut(*row as usize) {
                    *slot = true;
                }
            }
            hit
        });
        self.matched = self.matches.as_ref().map_or(0, |hit| {
            hit.iter()
                .zip(&self.nodes)
                .filter(|(hit, node)| **hit && node.standing == Standing::Item)
                .count()
        });
        self.rows_stale = true;
    }

    /// Whether the rows have to be built anew.
    pub fn is_stale(&self) -> bool {
        self.rows_stale
    }

    /// Builds the rows anew, if something changed since.
    pub fn refresh_rows(&mut self) {
        if !std::mem::take(&mut self.rows_stale) {
            return;
        }
        let wanted = self.matches.as_ref().map(|hit| {
            let mut wanted = hit.clone();
            for (ix, hit) in hit.iter().enumerate() {
                let mut above = if *hit { self.nodes[ix].parent } else { None };
                while let Some(up) = above {
                    if std::mem::replace(&mut wanted[up as usize], true) {
                        break;
                    }
                    above = self.nodes[up as usize].parent;
                }
            }
            wanted
        });
        let is_wanted = |ix: NodeIx| {
            wanted
                .as_ref()
                .is_none_or(|w| w.get(ix as usize).copied().unwrap_or(false))
        };
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        // (branch owner, next child, depth)
        let mut stack: Vec<(Option<NodeIx>, usize, u16)> = vec![(None, 0, 0)];
        while let Some((owner, next, depth)) = stack.pop() {
            let branch = self.branch(owner);
            let Some(ix) = branch.kids.get(next).copied() else {
                let more = !matches!(branch.rest, Rest::Nothing | Rest::Unknown)
                    || (owner.is_some() && branch.rest == Rest::Unknown);
                if more && wanted.is_none() {
                    rows.push(Row::Rest(owner, depth));
                }
                continue;
            };
            stack.push((owner, next + 1, depth));
            if is_wanted(ix) {
                rows.push(Row::Node(ix, depth));
                let node = self.node(ix);
                if (node.expanded || wanted.is_some())
                    && self.can_expand(ix)
                    && stack.len() < usize::from(u16::MAX)
                {
                    stack.push((Some(ix), 0, depth.saturating_add(1)));
                }
            }
        }
        self.rows = rows;
    }

    /// The row of a node, if it is shown.
    pub fn row_of(&self, ix: NodeIx) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| matches!(row, Row::Node(at, _) if *at == ix))
    }

    /// Orders the children of every branch.
    pub fn sort_by(&mut self, mut order: impl FnMut(&Node, &Node) -> std::cmp::Ordering) {
        let nodes = &self.nodes;
        let mut branches: Vec<Vec<NodeIx>> = Vec::with_capacity(nodes.len() + 1);
        let mut sort = |kids: &[NodeIx]| {
            let mut kids = kids.to_vec();
            kids.sort_by(|a, b| order(&nodes[*a as usize], &nodes[*b as usize]));
            kids
        };
        for node in nodes {
            branches.push(if node.branch.kids.len() > 1 {
                sort(&node.branch.kids)
            } else {
                Vec::new()
            });
        }
        let roots = sort(&self.roots.kids);
        for (node, kids) in self.nodes.iter_mut().zip(branches) {
            if !kids.is_empty() {
                node.branch.kids = kids;
            }
        }
        self.roots.kids = roots;
        self.rows_stale = true;
    }
}

/// What a filter searches of a node.
fn searched(node: &Node) -> String {
    node.title.to_string()
}

fn node_of(content: Content, parent: Option<NodeIx>, branch: Branch) -> Node {
    let version = content.version.unwrap_or_default();
    Node {
        id: content.id,
        kind: content.kind,
        title: content.title.into(),
        version: version.number.and_then(|n| u32::try_from(n).ok()),
        edited: version.when,
        editor: version.by.map(|person| person.display_name.into()),
        webui: content.more.and_then(|more| more.webui).map(Into::into),
        standing: Standing::Item,
        parent,
        branch,
        expanded: false,
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
            title: title.to_owned(),
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
        tree.refresh_rows();
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
        assert!(tree.add_with_ancestors(content("3", "Leaf", &[top, ("2", "Branch")])));
        assert_eq!(shown(&mut tree), ["~Home ▸ Branch", "  Leaf"]);
        assert!(tree.add_with_ancestors(content("2", "Branch", &[top])));
        assert_eq!(shown(&mut tree), ["~Home", "  Branch", "    Leaf"]);
        assert!(
            !tree.add_with_ancestors(content("2", "Branch", &[top])),
            "a second time"
        );
        assert!(tree.add_with_ancestors(content("4", "Loner", &[])));
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
}
