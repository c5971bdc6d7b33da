//! What of a space a dialog showed: no more than that is agreed to.

use std::sync::Arc;

use super::confirm::{Confirm, Count, Fact, SpaceFacts, counts_all};
use crate::app::model::Model;
use crate::app::pane::content::TrashRead;
use crate::confluence::ids::IdSet;
use crate::confluence::{ApiError, Content, Reply, SpaceKey};
use crate::jobs::{Consent, Shown};

/// What was listed for a dialog, where that is all there is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Listed(Vec<(Fact, IdSet)>);

impl Listed {
    /// Takes an answer in that was counted so.
    pub(super) fn learn(&mut self, fact: Fact, count: &Count, outcome: &Result<Reply, ApiError>) {
        let rows: &[Content] = match outcome {
            Ok(Reply::Contents(page)) if !page.has_next => &page.results,
            Ok(Reply::Trash(page)) if page.next.is_none() => &page.results,
            Ok(_) | Err(_) => return,
        };
        let items: IdSet = rows.iter().map(|row| row.id.clone()).collect();
        if *count == Count::Exactly(items.len() as u64) {
            self.0.push((fact, items));
        }
    }

    fn items(&self, fact: Fact) -> Option<&IdSet> {
        self.0.iter().find(|(of, _)| *of == fact).map(|(_, it)| it)
    }
}

/// What of a space was shown, by these counts and lists.
fn shown(facts: &SpaceFacts, wanted: &[Fact]) -> Option<Shown> {
    let lists: Option<Vec<&IdSet>> = wanted
        .iter()
        .map(|fact| facts.listed.items(*fact))
        .collect();
    if let Some(lists) = lists {
        let items: IdSet = lists.into_iter().flat_map(IdSet::iter).collect();
        return Some(Shown::Items(Arc::new(items)));
    }
    let count = |fact: &Fact| match (fact, &facts.pages, &facts.blog, &facts.trash) {
        (Fact::Pages, Count::Exactly(count), _, _)
        | (Fact::Blog, _, Count::Exactly(count), _)
        | (Fact::Trash, _, _, Count::Exactly(count)) => Some(*count),
        _ => None,
    };
    wanted
        .iter()
        .map(count)
        .sum::<Option<u64>>()
        .map(Shown::Count)
}

impl Model {
    /// A consent to no more of each space than the dialog showed.
    pub(super) fn to_what_was_shown(&self, dialog: &Confirm, consent: Consent) -> Consent {
        let act = dialog.target().act;
        if !act.is_destructive() {
            return consent;
        }
        let wanted: &[Fact] = if counts_all(act) {
            &[Fact::Pages, Fact::Blog, Fact::Trash]
        } else {
            &[Fact::Trash]
        };
        dialog.facts.iter().fold(consent, |consent, facts| {
            let shown = match shown(facts, wanted) {
                Some(Shown::Count(count)) if wanted == [Fact::Trash] => Some(
                    self.trash_read(&facts.key, count)
                        .unwrap_or(Shown::Count(count)),
                ),
                shown => shown,
            };
            match shown {
                Some(shown) => consent.showing(facts.key.clone(), shown),
                None => consent,
            }
        })
    }

    /// The whole trash that is shown beside the dialog, where it has as many items as the dialog says.
    fn trash_read(&self, key: &SpaceKey, count: u64) -> Option<Shown> {
        let trees = &self.content.trees;
        if self.shown_space() != Some(key) || trees.trash_read != TrashRead::Complete {
            return None;
        }
        let items: IdSet = trees
            .trash
            .tree
            .all_items()
            .map(|it| it.id.clone())
            .collect();
        (items.len() as u64 == count).then(|| Shown::Items(Arc::new(items)))
    }
}
