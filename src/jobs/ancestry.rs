//! What saved items hung below, and what keeps them there: learned by reads before any is made.
//!
//! A backup tells the ancestors of an item, or does not. Where the parent is made again too, its own
//! place counts; where it is a current page, that and all above it are read, once for all items.
//! What can't be told is not known, and never "nothing".

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::backup::Item;
use super::desk::{is_not_there, unexpected};
use super::guard::{self, Guardian, Inherited, Unsure};
use super::listing::may_hang;
use super::recipe::Recipe;
use crate::confluence::{ApiError, Call, Content, ContentId, ContentKind, Reply};

/// Where an item goes, and what keeps it from others there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) below: Below,
    pub(super) keeper: Keeper,
}

impl Place {
    /// Whether its former parent was looked for and is not there.
    pub(super) fn is_parent_gone(&self) -> bool {
        self.keeper == Keeper::Unknown(Unsure::ParentGone)
    }
}

/// What an item is made below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Below {
    /// Nothing.
    Top,
    /// A current page.
    Live(ContentId),
    /// An item that is made again too.
    Again(u32),
}

/// What above an item keeps it from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Keeper {
    /// Nobody: all above it is known to be readable.
    Nobody,
    /// This current page, which was seen restricted.
    Live(ContentId),
    /// Its parent, or what keeps its parent.
    Parent,
    /// It is not known.
    Unknown(Unsure),
}

/// A current page that something is to be made below, as it was read.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    There {
        /// Outermost first; `None` where the server does not tell.
        above: Option<Vec<ContentId>>,
        /// `None` where the server does not tell.
        is_restricted: Option<bool>,
    },
    NotThere,
    Failed(String),
}

/// What has to be known first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// This page is to be read.
    Read(ContentId),
    /// Its parent can't be read, for this reason.
    Failed(String),
}

/// The pages read so far. Not stored: they are read again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ancestry {
    seen: BTreeMap<ContentId, Seen>,
    asked: BTreeMap<u32, ContentId>,
    /// Which item of the recipe has this id.
    items: HashMap<ContentId, u32>,
}

impl Ancestry {
    /// Where an item goes.
    pub(super) fn place(&mut self, recipe: &Recipe, item: u32) -> Result<Place, Open> {
        if self.items.is_empty() {
            let items = recipe.items.iter().enumerate().rev();
            self.items = items
                .map(|(at, (_, it))| (it.id.clone(), at as u32))
                .collect();
        }
        let it = &recipe.items[item as usize].1;
        let at_the_top = |keeper| {
            Ok(Place {
                below: Below::Top,
                keeper,
            })
        };
        if it.kind == ContentKind::BlogPost {
            return at_the_top(Keeper::Nobody);
        }
        let Some((parent, further)) = it.ancestors.as_ref().and_then(|above| above.split_last())
        else {
            let is_told = it.ancestors.is_some() && guard::was_at_the_top(it);
            return at_the_top(if is_told {
                Keeper::Nobody
            } else {
                Keeper::Unknown(Unsure::NoPlace)
            });
        };
        if let Some(&parent) = self.items.get(&parent.id) {
            let keeper = if parent < item {
                Keeper::Parent
            } else {
                Keeper::Unknown(Unsure::NoPlace)
            };
            return Ok(Place {
                below: Below::Again(parent),
                keeper,
            });
        }
        if recipe.into.is_some() {
            return at_the_top(Keeper::Unknown(Unsure::OtherSpace));
        }
        match self.seen.get(&parent.id) {
            None => Err(Open::Read(parent.id.clone())),
            Some(Seen::NotThere) => at_the_top(Keeper::Unknown(Unsure::ParentGone)),
            Some(Seen::Failed(why)) => Err(Open::Failed(why.clone())),
            Some(Seen::There {
                above,
                is_restricted,
            }) => {
                let above = above.as_deref();
                let is_below = |id| above.is_some_and(|above| above.contains(id));
                let keeper = if further.iter().all(|it| is_below(&it.id)) {
                    self.keeper(&parent.id, above, *is_restricted)?
                } else {
                    Keeper::Unknown(Unsure::ParentMoved)
                };
                Ok(Place {
                    below: Below::Live(parent.id.clone()),
                    keeper,
                })
            }
        }
    }

    /// The nearest restricted page from a current page upwards.
    fn keeper(
        &self,
        parent: &ContentId,
        above: Option<&[ContentId]>,
        is_restricted: Option<bool>,
    ) -> Result<Keeper, Open> {
        if is_restricted == Some(true) {
            return Ok(Keeper::Live(parent.clone()));
        }
        let mut is_known = is_restricted.is_some() && above.is_some();
        for id in above.unwrap_or_default().iter().rev() {
            match self.seen.get(id) {
                None => return Err(Open::Read(id.clone())),
                Some(Seen::There {
                    is_restricted: Some(true),
                    ..
                }) => {
                    return Ok(Keeper::Live(id.clone()));
                }
                Some(Seen::There {
                    is_restricted: Some(false),
                    ..
                }) => {}
                Some(Seen::There { .. } | Seen::NotThere | Seen::Failed(_)) => is_known = false,
            }
        }
        Ok(if is_known {
            Keeper::Nobody
        } else {
            Keeper::Unknown(Unsure::ParentNotTold)
        })
    }

    /// The request for a page on behalf of an item, unless it is under way for another.
    pub(super) fn ask(&mut self, item: u32, id: ContentId) -> Option<Call> {
        if self.asked.values().any(|asked| *asked == id) {
            return None;
        }
        self.asked.insert(item, id.clone());
        Some(look(id))
    }

    /// Takes in the answer to what was asked on behalf of an item.
    pub(super) fn learn(&mut self, item: u32, answer: Result<Reply, ApiError>) {
        let Some(id) = self.asked.remove(&item) else {
            return;
        };
        let seen = match answer {
            Ok(Reply::Content(page)) if page.id == id => there(&page),
            Err(error) if is_not_there(&error) => Seen::NotThere,
            other => Seen::Failed(other.err().unwrap_or_else(unexpected).message),
        };
        self.seen.insert(id, seen);
    }
}

fn there(page: &Content) -> Seen {
    let above = page.ancestors.as_ref();
    Seen::There {
        above: above.map(|above| above.iter().map(|it| it.id.clone()).collect()),
        is_restricted: guard::is_restricted(page),
    }
}

/// Reads a current page and what keeps it.
pub(super) fn look(id: ContentId) -> Call {
    Call::Content {
        id,
        status: None,
        expand: guard::EXPAND.to_owned(),
    }
}

/// What an item inherits from what it hangs below; `place` gives the place of an item.
pub(super) fn inherited<'a>(
    recipe: &Recipe,
    item: u32,
    place: impl Fn(u32) -> Option<&'a Place>,
) -> Inherited {
    let mut at = item;
    loop {
        let Some(place) = place(at) else {
            return Inherited::Unknown(Unsure::NoPlace);
        };
        match (&place.keeper, &place.below) {
            (Keeper::Nobody, _) => return Inherited::Nothing,
            (Keeper::Live(id), _) => return Inherited::From(Guardian::Live(id.clone())),
            (Keeper::Unknown(why), _) if at == item => return Inherited::Unknown(*why),
            // It is for oneself alone, and so is what hangs below it.
            (Keeper::Unknown(_), _) => return Inherited::From(Guardian::Again(at)),
            (Keeper::Parent, Below::Again(parent)) if *parent < at => {
                if guard::keeps_others_out(&recipe.items[*parent as usize].1) {
                    return Inherited::From(Guardian::Again(*parent));
                }
                at = *parent;
            }
            (Keeper::Parent, _) => return Inherited::Unknown(Unsure::NoPlace),
        }
    }
}

impl Recipe {
    /// How many items may have been restricted, as far as the backup tells.
    pub fn unclear(&self) -> usize {
        unclear(self)
    }

    /// How many items had readers of their own, and how many others hang below one of those.
    pub fn restricted(&self) -> (usize, usize) {
        restricted(self)
    }
}

/// How many items are for oneself alone or left out, as far as their backup tells.
fn unclear(recipe: &Recipe) -> usize {
    let ids: BTreeSet<&ContentId> = recipe.items.iter().map(|(_, it)| &it.id).collect();
    let items = recipe.items.iter().filter(|(_, it)| !may_hang(&it.kind));
    items
        .filter(|(_, it)| {
            let parent = it.ancestors.as_ref().and_then(|above| above.last());
            let has_place = match parent {
                _ if it.kind == ContentKind::BlogPost => true,
                None => it.ancestors.is_some() && guard::was_at_the_top(it),
                Some(parent) => recipe.into.is_none() || ids.contains(&parent.id),
            };
            // Restrictions of its own hold wherever it is.
            guard::unsure_of(it).is_some() || !(has_place || guard::keeps_others_out(it))
        })
        .count()
}

/// How many items name who may read them, and how many others hang below one of those.
fn restricted(recipe: &Recipe) -> (usize, usize) {
    let names_readers = |it: &Item| guard::unsure_of(it).is_none() && guard::keeps_others_out(it);
    let items = || {
        let items = recipe.items.iter().map(|(_, it)| it);
        items.filter(|it| !may_hang(&it.kind))
    };
    let readers: BTreeSet<&ContentId> = items()
        .filter(|it| names_readers(it))
        .map(|it| &it.id)
        .collect();
    let is_below = |it: &&Item| {
        let mut above = it.ancestors.iter().flatten();
        !readers.contains(&it.id) && above.any(|above| readers.contains(&above.id))
    };
    (readers.len(), items().filter(is_below).count())
}
