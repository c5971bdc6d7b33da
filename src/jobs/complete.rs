//! Whether a list tells all that is there. Lists of servers lie now and then: an id is told again, and
//! others are not told at all.
//!
//! A [`Prover`] reads a list, and where it has to, the same in other ways: by a scan, whose cursor
//! nothing can shift; else along the tree of pages; else as a whole once more by another limit. The
//! union of what they tell is what there is, and it is *certain* where, for every type,
//!
//! - a scan that repeated nothing told all of it, or
//! - the tree of pages that repeated nothing told all of it, or
//! - two readings of lists by different limits, or two different lists, repeated nothing, left nothing
//!   of their own total out, and both told all of it.
//!
//! What is told may be saved at once. What destroys more than the items that it names, the deletion of
//! a space and the purge of a whole trash in one stroke, needs a [`CompleteList`], and only a
//! prover makes one.

use super::desk::Desk;
use super::listing::{CLASSES, Counts, Flaw, LIMIT, Listing, Rows, Seen};
use super::met::Met;
use crate::confluence::call::Scanned;
use crate::confluence::{ApiError, Call, ContentKind, ContentStatus, Reply, SpaceKey};
use crate::text::number;

/// So often a list is read as a whole before it is left uncertain.
const MOST_READINGS: usize = 4;
/// A little less than servers give at once, so that pages begin elsewhere than by round limits.
const OTHER_LIMIT: u64 = LIMIT - LIMIT / 20;

/// What is to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The trash of a space.
    Trash,
    /// Its pages and blog posts, and its trash.
    Everything,
}

/// When a second way is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// Always: something is destroyed on the strength of the list.
    Always,
    /// Where something speaks against the first.
    InDoubt,
}

/// A way to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    List,
    /// The trash, one type after the other, where it has a list of its own.
    ByKind,
    Scan,
    Tree,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    way: Way,
    /// The most rows that came at once: where pages begin depends on that.
    width: u64,
    /// How many were asked for at once.
    asked: u64,
    /// Whether nothing took more than one page.
    is_one_page: bool,
    /// `None` for one that failed on its way.
    told: Option<Counts>,
    flaws: [Option<Flaw>; CLASSES],
}

impl Reading {
    /// Whether it repeated nothing and told all of a class.
    fn tells_all(&self, class: usize, union: Counts) -> bool {
        let is_clean = self.flaws[class].is_none();
        is_clean && self.told.is_some_and(|it| it.of(class) == union.of(class))
    }

    fn flaw(&self) -> Option<Flaw> {
        self.flaws.iter().copied().find_map(|flaw| flaw)
    }

    /// Whether its pages begin elsewhere than those of another.
    fn differs(&self, other: &Self) -> bool {
        let asked_alike = self.asked == other.asked;
        self.way != other.way
            || self.width != other.width
            || (!asked_alike && self.is_one_page && other.is_one_page)
    }
}

/// What speaks against a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A list told a row again.
    Repeats,
    /// A list told fewer rows than it says there are.
    Short {
        /// How many it told.
        told: u64,
        /// How many it says there are.
        total: u64,
    },
    /// Two ways of listing do not agree.
    Differ,
    /// There is no second way.
    OneWay,
}

impl Doubt {
    /// Whether it says that a list leaves rows out, and not only that there is no second way.
    pub(super) fn is_of_a_list(self) -> bool {
        match self {
            Self::Repeats | Self::Short { .. } => true,
            Self::Differ | Self::OneWay => false,
        }
    }

    /// In words: a clause that follows "because".
    pub(super) fn because(self) -> String {
        match self {
            Self::Repeats => {
                "the server's list repeats rows, which means that it leaves others out".to_owned()
            }
            Self::Short { told, total } => format!(
                "the server's list tells {} of {}",
                number::grouped(told),
                number::count(total, "item")
            ),
            Self::Differ => "two ways of listing it do not agree".to_owned(),
            Self::OneWay => "the server has no second way to list it".to_owned(),
        }
    }
}

/// Whether a list is known to tell all that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Completeness {
    Certain(CompleteList),
    NotCertain(Doubt),
}

/// A list that is known to tell all that is there. Made by a [`Prover`] alone, and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CompleteList {
    items: u64,
    is_undisputed: bool,
}

impl CompleteList {
    /// How many items are in it.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Whether two different ways of listing agree in every row and nothing spoke against either.
    pub(super) fn is_undisputed(&self) -> bool {
        self.is_undisputed
    }
}

/// Lists a space, or its trash, until it is certain that nothing is left out, or that this can't be had.
///
/// Never stored with a job: what was interrupted is begun anew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Prover {
    space: SpaceKey,
    scope: Scope,
    care: Care,
    way: Way,
    asked: u64,
    /// What is being read; `None` at the end.
    listing: Option<Listing>,
    readings: Vec<Reading>,
    /// What all of them told.
    known: Met,
    union: Counts,
    seen: Vec<Seen>,
    rows: Rows,
    total: Option<u64>,
    is_whole_trash: bool,
    unlisted: Vec<ContentKind>,
}

impl Prover {
    pub(super) fn new(space: SpaceKey, scope: Scope, rows: Rows, care: Care) -> Self {
        let listing = match scope {
            Scope::Trash => Listing::trash(space.clone(), rows),
            Scope::Everything => Listing::everything(space.clone(), rows),
        };
        Self {
            space,
            scope,
            care,
            way: Way::List,
            asked: asked_by(&listing),
            listing: Some(listing),
            readings: Vec::new(),
            known: Met::default(),
            union: Counts::default(),
            seen: Vec::new(),
            rows,
            total: None,
            is_whole_trash: true,
            unlisted: Vec::new(),
        }
    }

    /// Asks for the next page under this number, unless it is over.
    pub(super) fn ask(&self, desk: &mut Desk, item: u32) {
        if let Some(listing) = &self.listing {
            listing.ask(desk, item);
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.listing.is_none()
    }

    /// Whether the list itself has come to its end, and other ways are taken.
    pub(super) fn is_checking(&self) -> bool {
        !self.readings.is_empty()
    }

    /// How many different things were told.
    pub(super) fn len(&self) -> usize {
        self.listing.as_ref().map_or(self.known.len(), Listing::len)
    }

    /// How many rows the list has, as far as the server told.
    pub(super) fn total(&self) -> Option<u64> {
        self.listing
            .as_ref()
            .and_then(Listing::total)
            .or(self.total)
    }

    /// What to ask the next list of this server for.
    pub(super) fn rows(&self) -> Rows {
        self.rows
    }

    /// Whether the list names all that is in the trash: read by operation 12, not type by type.
    pub(super) fn is_whole_trash(&self) -> bool {
        self.is_whole_trash
    }

    /// Types in the trash that the server would not list.
    pub(super) fn unlisted(&self) -> &[ContentKind] {
        &self.unlisted
    }

    /// What was told since this was asked last, each thing once. It may be saved; what may be destroyed
    /// is another question.
    pub(super) fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    /// Takes an answer in. Only the first list has to be had.
    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) -> Result<(), ApiError> {
        let Some(listing) = &mut self.listing else {
            return Ok(());
        };
        let taken = listing.take(answer);
        for seen in listing.take_seen() {
            self.union.add(Counts::class(&seen.kind, seen.status));
            self.seen.push(seen);
        }
        match taken {
            Err(error) if self.readings.is_empty() => return Err(error),
            Err(_) => self.has_read(false),
            Ok(()) if listing.is_over() => self.has_read(true),
            Ok(()) => {}
        }
        Ok(())
    }

    /// A reading has come to its end, or has failed.
    fn has_read(&mut self, is_whole: bool) {
        let Some(listing) = self.listing.take() else {
            return;
        };
        if self.readings.is_empty() {
            self.rows = listing.rows();
            self.total = listing.total();
            self.is_whole_trash = listing.is_whole_trash();
            self.unlisted = listing.unlisted().to_vec();
        }
        // What another way tells of was listed after all.
        let (of, union) = (ContentStatus::Trashed, self.union);
        self.unlisted
            .retain(|kind| union.of(Counts::class(kind, of)) == 0);
        self.readings.push(Reading {
            way: self.way,
            width: listing.widest(),
            asked: self.asked,
            is_one_page: listing.is_one_page(),
            told: is_whole.then(|| listing.counts()),
            flaws: listing.flaws(),
        });
        self.known = listing.into_known();
        self.go_on();
    }

    /// Begins the next reading, if there is one that would help.
    fn go_on(&mut self) {
        let is_clean = self.readings.iter().all(|it| it.flaw().is_none());
        if self.care == Care::InDoubt && self.readings.len() == 1 && is_clean {
            return;
        }
        let space = self.space.clone();
        let has_tried = |way| self.readings.iter().any(|it| it.way == way);
        let next = if !has_tried(Way::Scan) {
            let of = match self.scope {
                Scope::Trash => Scanned::Trashed,
                Scope::Everything => Scanned::Any,
            };
            let rows = match self.scope {
                Scope::Trash => Rows::Ids,
                Scope::Everything => Rows::Bare,
            };
            (Way::Scan, Listing::scan(space, of, rows, self.expected()))
        } else if self.is_settled() {
            return;
        } else if self.scope == Scope::Everything && self.are_pages_open() && !has_tried(Way::Tree)
        {
            (Way::Tree, Listing::tree(space))
        } else if self.scope == Scope::Trash && self.is_whole_trash && !has_tried(Way::ByKind) {
            (Way::ByKind, Listing::trash_by_kind(space, Rows::Bare))
        } else if let Some(limit) = self.other_limit() {
            let listing = match self.scope {
                Scope::Trash => Listing::trash(space, Rows::Bare),
                Scope::Everything => Listing::everything(space, Rows::Bare),
            };
            (Way::List, listing.by(limit))
        } else {
            return;
        };
        self.way = next.0;
        self.asked = asked_by(&next.1);
        self.listing = Some(next.1.after(std::mem::take(&mut self.known)));
    }

    /// The types that were told of.
    fn expected(&self) -> Vec<ContentKind> {
        use ContentKind::{Attachment, BlogPost, Comment, Page};
        let statuses = [ContentStatus::Current, ContentStatus::Trashed];
        let is_told = |kind: &ContentKind| {
            let mut of = statuses.iter().map(|status| Counts::class(kind, *status));
            of.any(|class| self.union.of(class) > 0)
        };
        let kinds = [Page, BlogPost, Comment, Attachment].into_iter();
        kinds.filter(is_told).collect()
    }

    /// How many rows to ask for at once in one more reading of the list, so that its pages begin
    /// elsewhere.
    fn other_limit(&self) -> Option<u64> {
        let lists = || self.readings.iter().filter(|it| it.way == Way::List);
        let last = lists().next_back()?;
        if lists().count() >= MOST_READINGS {
            return None;
        }
        let gives_all = last.width >= last.asked;
        let fewer = (last.width * 2 / 3).max(2);
        let may_be_more = gives_all && last.asked < OTHER_LIMIT;
        Some(if may_be_more || fewer == last.asked {
            OTHER_LIMIT
        } else {
            fewer
        })
    }

    /// What is in its scope.
    fn classes(&self) -> impl Iterator<Item = usize> {
        let page = Counts::class(&ContentKind::Page, ContentStatus::Current);
        let post = Counts::class(&ContentKind::BlogPost, ContentStatus::Current);
        let (scope, union) = (self.scope, self.union);
        (0..CLASSES).filter(move |class| {
            let is_current = *class < CLASSES / 2;
            let is_listed = scope == Scope::Everything && [page, post].contains(class);
            !is_current || is_listed || union.of(*class) > 0
        })
    }

    /// Whether all of every class is told; also of those that nothing is told of.
    fn is_settled(&self) -> bool {
        self.classes().all(|class| self.is_class_settled(class))
    }

    fn is_class_settled(&self, class: usize) -> bool {
        let all: Vec<&Reading> = self
            .readings
            .iter()
            .filter(|it| it.tells_all(class, self.union))
            .collect();
        let is_a_page = class == Counts::class(&ContentKind::Page, ContentStatus::Current);
        all.iter().any(|it| match it.way {
            Way::Scan => true,
            Way::Tree => is_a_page,
            Way::List | Way::ByKind => {
                let mut lists = all.iter().filter(|other| other.way != Way::Tree);
                lists.any(|other| it.differs(other))
            }
        })
    }

    fn are_pages_open(&self) -> bool {
        !self.is_class_settled(Counts::class(&ContentKind::Page, ContentStatus::Current))
    }

    /// Whether what was told is all that is there.
    pub(super) fn completeness(&self) -> Completeness {
        if self.is_over() && self.is_settled() {
            return Completeness::Certain(CompleteList {
                items: self.known.len() as u64,
                is_undisputed: self.is_undisputed(),
            });
        }
        Completeness::NotCertain(self.doubt().unwrap_or(Doubt::OneWay))
    }

    /// What speaks against it, if anything does.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        let flaw = self.readings.iter().find_map(Reading::flaw);
        match flaw {
            Some(Flaw::Repeats) => Some(Doubt::Repeats),
            Some(Flaw::Short { told, total }) => Some(Doubt::Short { told, total }),
            None => {
                let read = self.readings.iter().filter_map(|it| it.told);
                let differs = read.into_iter().any(|told| {
                    let mut classes = told.classes();
                    classes.any(|class| told.of(class) != self.union.of(class))
                });
                differs.then_some(Doubt::Differ)
            }
        }
    }

    fn is_undisputed(&self) -> bool {
        let tells_all = |it: &Reading| {
            let mut classes = self.union.classes();
            it.told.is_some() && classes.all(|class| it.tells_all(class, self.union))
        };
        let whole: Vec<&Reading> = self.readings.iter().filter(|it| tells_all(it)).collect();
        let two_ways = whole
            .iter()
            .any(|it| whole.iter().any(|other| it.way != other.way));
        let is_clean = self.readings.iter().all(|it| it.flaw().is_none());
        two_ways && is_clean && self.doubt().is_none()
    }
}

/// How many rows a list asks for at once.
fn asked_by(listing: &Listing) -> u64 {
    match listing.call() {
        Some(Call::Trash { limit, .. } | Call::Scan { limit, .. }) => limit,
        Some(Call::SpaceContentOfKind { window, .. } | Call::TrashedContent { window, .. }) => {
            window.limit
        }
        _ => 0,
    }
}
