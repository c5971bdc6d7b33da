//! What hangs on the items of a purge and is in the trash by itself: attached files and comments.
//!
//! A server that purges a page takes them along, whether they were chosen or not. What belongs to the
//! job goes before its page, saved and proved like everything else; the page goes only when all of that
//! has gone. What does not belong to it is in no backup, and is a loss.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::attached::Hung;
use super::complete::{Care, Prover, Scope};
use super::desk::{Desk, WHOLE};
use super::line::Outcome;
use super::listing::{Rows, Seen, may_hang};
use super::losses::{Losses, NAMED_OF_ONE};
use crate::confluence::ids::IdSet;
use crate::confluence::{ApiError, ContentId, ContentKind, Reply, SpaceKey};
use crate::text::number;

/// How far it is looked up what something hangs on: a file on a comment on a page.
const MOST_ABOVE: usize = 8;

/// One of this type, at the beginning of a sentence.
fn one_of(kind: &ContentKind) -> &'static str {
    match kind {
        ContentKind::Attachment => "A file",
        _ => "A comment",
    }
}

/// Something that hangs on something.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    holder: Option<ContentId>,
    kind: ContentKind,
    space: Option<SpaceKey>,
}

/// What hangs on the items of a purge.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Hanging {
    /// By item, the items that hang on it, by number.
    on: BTreeMap<u32, Vec<u32>>,
    /// The items that told what they hang on.
    #[serde(default)]
    told: BTreeSet<u32>,
    // What is told of, until it is sorted. A look that was interrupted is begun anew.
    #[serde(skip)]
    rows: HashMap<ContentId, Row>,
    /// The spaces whose trash is still to be read.
    #[serde(skip)]
    spaces: Vec<SpaceKey>,
    #[serde(skip)]
    list: Option<Prover>,
    /// Of which spaces it is not known what of a type is in their trash.
    #[serde(skip)]
    untold: Vec<(SpaceKey, ContentKind, String)>,
    /// By item, why something goes with it that is in no backup.
    #[serde(skip)]
    why: BTreeMap<u32, Vec<String>>,
    /// What is in the backup with what it hangs on.
    #[serde(skip)]
    saved: IdSet,
}

impl Hanging {
    /// What the items told of themselves while they were saved, by number.
    pub(super) fn told(desk: &Desk, placed: Vec<(u32, ContentKind, ContentId)>) -> Self {
        let rows = placed.into_iter().map(|(item, kind, holder)| {
            let row = Row {
                holder: Some(holder),
                kind,
                space: None,
            };
            (ContentId::new(&desk.lines()[item as usize].subject), row)
        });
        Self {
            rows: rows.collect(),
            ..Self::default()
        }
    }

    /// These are in the backup with what they hang on.
    pub(super) fn are_saved(&mut self, hung: &[Hung]) {
        self.saved.insert_all(hung.iter().map(|it| &it.id));
    }

    /// Reads the trash of these spaces, for what is in it and not among the items.
    pub(super) fn look(&mut self, spaces: Vec<SpaceKey>) {
        self.spaces = spaces;
    }

    /// Asks for the next page; `false` when all is read.
    pub(super) fn ask(&mut self, desk: &mut Desk) -> bool {
        let Some(space) = self.spaces.last() else {
            return false;
        };
        let list = self.list.get_or_insert_with(|| {
            Prover::new(space.clone(), Scope::Trash, Rows::Holders, Care::InDoubt)
        });
        desk.say(format!(
            "Looking for files and comments in the trash, {} so far",
            number::grouped(list.len() as u64)
        ));
        if !desk.is_busy(WHOLE) {
            list.ask(desk, WHOLE);
        }
        true
    }

    pub(super) fn take(&mut self, answer: Result<Reply, ApiError>) {
        let (Some(list), Some(space)) = (&mut self.list, self.spaces.last()) else {
            return;
        };
        let mut untold = Vec::new();
        let failed = list.take(answer).err().map(|error| error.message);
        for seen in list.take_seen() {
            let Seen {
                id, kind, holder, ..
            } = seen;
            if may_hang(&kind) {
                let row = Row {
                    holder,
                    kind,
                    space: Some(space.clone()),
                };
                self.rows.entry(id).or_insert(row);
            }
        }
        if failed.is_none() && !list.is_over() {
            return;
        }
        let because = list.doubt().map(|doubt| format!("{}.", doubt.because()));
        let why = failed.or(because);
        if why.is_some() {
            untold.extend([ContentKind::Attachment, ContentKind::Comment]);
        } else {
            untold.extend_from_slice(list.unlisted());
        }
        let space = space.clone();
        let why = match why {
            Some(why) => format!("The trash of {space} could not be listed for certain: {why}"),
            None => format!("The server does not list this type in the trash of {space}."),
        };
        let untold = untold
            .into_iter()
            .map(|kind| (space.clone(), kind, why.clone()));
        self.untold.extend(untold);
        self.spaces.pop();
        self.list = None;
    }

    /// What it hangs on in the end: of a file on a comment, the page.
    fn bottom<'a>(&'a self, row: &'a Row) -> Option<&'a ContentId> {
        let mut holder = row.holder.as_ref()?;
        for _ in 0..MOST_ABOVE {
            let Some(row) = self.rows.get(holder) else {
                return Some(holder);
            };
            holder = row.holder.as_ref()?;
        }
        None
    }

    /// Takes down what waits for what, and tells what goes with each item and does not belong to the job.
    /// `pages` are the items that something can hang on, each with its space.
    pub(super) fn sort(
        &mut self,
        desk: &Desk,
        pages: &[(u32, Option<SpaceKey>)],
    ) -> BTreeMap<u32, Losses> {
        if self.rows.is_empty() && pages.is_empty() {
            return BTreeMap::new();
        }
        let lines = desk.lines().iter().zip(0..);
        let items: HashMap<&str, u32> = lines.map(|(line, item)| (&*line.subject, item)).collect();
        let mut losses = BTreeMap::<u32, Losses>::new();
        let mut on = BTreeMap::<u32, Vec<u32>>::new();
        let mut told = BTreeSet::new();
        let mut untold = std::mem::take(&mut self.untold);
        let mut why = BTreeMap::<u32, Vec<String>>::new();
        let mut because = |item: u32, reason: String| {
            let reasons = why.entry(item).or_default();
            if reasons.len() < NAMED_OF_ONE && !reasons.contains(&reason) {
                reasons.push(reason);
            }
        };
        for (id, row) in &self.rows {
            let own = items.get(id.as_str()).copied();
            if row.holder.is_some() {
                told.extend(own);
            }
            let Some(bottom) = self.bottom(row) else {
                if own.is_none()
                    && let Some(space) = &row.space
                {
                    let reason = format!(
                        "{} in the trash of {space} does not say what it hangs on.",
                        one_of(&row.kind)
                    );
                    untold.push((space.clone(), row.kind.clone(), reason));
                }
                continue;
            };
            let Some(holder) = items.get(bottom.as_str()).copied() else {
                continue;
            };
            match own {
                Some(item) => on.entry(holder).or_default().push(item),
                // It is in the backup with what it hangs on.
                None if self.saved.contains(id) => {}
                None => {
                    let losses = losses.entry(holder).or_default();
                    *losses = losses.with(Losses::one(&row.kind, 0));
                    let one = one_of(&row.kind);
                    because(
                        holder,
                        format!(
                            "{one} of it is in the trash by itself, and is not among what is purged: mark it too, and it is saved."
                        ),
                    );
                }
            }
        }
        for (page, space) in pages {
            for kind in [ContentKind::Attachment, ContentKind::Comment] {
                let reason = match space {
                    Some(space) => untold
                        .iter()
                        .find(|(of, it, _)| of == space && *it == kind)
                        .map(|(_, _, why)| why.clone()),
                    None => Some("The server does not say in which space it is.".to_owned()),
                };
                if let Some(reason) = reason {
                    because(*page, reason);
                    let losses = losses.entry(*page).or_default();
                    *losses = losses.with(Losses::unknown(&kind));
                }
            }
        }
        self.why = why;
        self.rows = HashMap::new();
        self.saved = IdSet::default();
        self.on = on;
        self.told = told;
        losses
    }

    /// Why something goes with this item that is in no backup.
    pub(super) fn why(&self, item: u32) -> &[String] {
        self.why.get(&item).map_or(&[], Vec::as_slice)
    }

    /// What has to go before this item.
    pub(super) fn before(&self, item: u32) -> &[u32] {
        self.on.get(&item).map_or(&[], Vec::as_slice)
    }

    /// Whether an item told what it hangs on.
    pub(super) fn is_told(&self, item: u32) -> bool {
        self.told.contains(&item)
    }

    /// What an item is known to hang on in the end, with what hangs there as well: one of those may
    /// have taken it along.
    pub(super) fn holders(&self, item: u32) -> impl Iterator<Item = u32> {
        let its = self.on.iter().filter(move |(_, on)| on.contains(&item));
        its.flat_map(|(holder, on)| std::iter::once(*holder).chain(on.iter().copied()))
            .filter(move |it| *it != item)
    }

    /// Why an item stays: something that hangs on it stays.
    pub(super) fn keeps(&self, desk: &Desk, item: u32) -> Option<String> {
        let staying = self.before(item).iter().find(|it| {
            let outcome = &desk.lines()[**it as usize].outcome;
            !matches!(
                outcome,
                None | Some(Outcome::Done(_) | Outcome::Gone | Outcome::WithPage)
            )
        })?;
        Some(format!(
            "It was left alone: {:?} hangs on it, is not known to be purged, and would go with it.",
            desk.lines()[*staying as usize].title
        ))
    }
}
