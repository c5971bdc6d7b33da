//! What is expanded in what is read for the screen, and what a server was seen unable to expand.
//!
//! One expansion can fail alone: a server answers 500 to `expand=permissions` and is well without
//! it. Then the same is asked again with less: first with nothing that can be missed, which tells
//! whether the expansions are to blame at all, then with one left out after the other. Which one it
//! was is remembered, and said where it is missed, until a refresh asks for it anew and the server
//! answers.
//!
//! Jobs ask for themselves: what they save or stand on can't be missed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::inflight::{Awaited, Waiter};
use crate::confluence::{ApiError, Call, ErrorKind, Reply};

/// An operation with the expansions that are asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// A space.
    Space,
    /// The content of a space, its lists by type and the children of pages.
    Content,
    /// The trash of a space, in either way.
    Trash,
    /// One content.
    Preview,
}

/// Reading again with less, as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Less {
    /// Nothing that can be missed was asked for. The first failure.
    Bare(ApiError),
    /// All but one of those that can be missed, by its place, was asked for; without any of them the
    /// server answered so.
    Without(usize, Box<Reply>),
}

/// What the servers of this visit can't expand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expansions {
    refused: BTreeMap<Operation, BTreeSet<String>>,
    /// Operations of which the next is asked for with all.
    #[serde(default)]
    anew: BTreeSet<Operation>,
}

/// What comes of an answer.
#[derive(Debug)]
pub enum Next {
    /// It is the answer. These were just learned to be missing.
    Take(Result<Reply, ApiError>, Vec<String>),
    /// Ask this, with what is known by then.
    Ask(Call, Less),
}

impl Expansions {
    /// What is missing from the answers of an operation.
    pub fn missing(&self, operation: Operation) -> impl Iterator<Item = &str> {
        let missing = self.refused.get(&operation).into_iter().flatten();
        missing.map(String::as_str)
    }

    /// A person refreshes: what the server could not expand is asked for once more. Until it is
    /// answered it stays missing.
    pub fn ask_anew(&mut self) {
        self.anew = self.refused.keys().copied().collect();
    }

    /// The call without what the server can't expand.
    pub fn spared(&mut self, waiter: &Waiter, mut call: Call) -> Call {
        if let Some(operation) = operation(waiter)
            && !self.anew.remove(&operation)
            && let Some(refused) = self.refused.get(&operation)
            && let Some(expand) = expand_of(&mut call)
        {
            *expand = joined(expand.split(',').filter(|one| !refused.contains(*one)));
        }
        call
    }

    /// The call, to be asked again with less; `None` where there is nothing to spare.
    pub fn may_be_spared(&self, waiter: &Waiter, call: &Call) -> Option<Box<Call>> {
        let mut call = call.clone();
        operation(waiter)?;
        let expand = expand_of(&mut call)?;
        let any = expand
            .split(',')
            .any(|one| !one.is_empty() && can_be_missed(one));
        any.then(|| Box::new(call))
    }

    /// Looks at an answer: whether it is to be taken, or the same to be asked with less.
    pub fn next(&mut self, awaited: &Awaited, outcome: Result<Reply, ApiError>) -> Next {
        let (Some(operation), Some(whole)) = (operation(&awaited.waiter), &awaited.call) else {
            return Next::Take(outcome, Vec::new());
        };
        let mut whole = (**whole).clone();
        let Some(expand) = expand_of(&mut whole).cloned() else {
            return Next::Take(outcome, Vec::new());
        };
        let all: Vec<&str> = expand.split(',').filter(|one| !one.is_empty()).collect();
        let missable: Vec<&str> = all
            .iter()
            .copied()
            .filter(|one| can_be_missed(one))
            .collect();
        let without = |left_out: &dyn Fn(&str) -> bool| {
            let mut call = whole.clone();
            if let Some(expand) = expand_of(&mut call) {
                *expand = joined(all.iter().copied().filter(|one| !left_out(one)));
            }
            call
        };
        let one_less = |place: usize, bare: Box<Reply>| {
            let call = without(&|one| one == missable[place]);
            Next::Ask(call, Less::Without(place, bare))
        };
        match (&awaited.less, outcome) {
            (None, Err(error)) if is_to_blame(&error) && !missable.is_empty() => {
                Next::Ask(without(&can_be_missed), Less::Bare(error))
            }
            (None, outcome) => {
                if outcome.is_ok() {
                    self.unlearn(operation, &missable);
                }
                Next::Take(outcome, Vec::new())
            }
            // It fails without them too: they are not to blame.
            (Some(Less::Bare(first)), Err(_)) => Next::Take(Err(first.clone()), Vec::new()),
            (Some(Less::Bare(_)), Ok(bare)) if missable.len() == 1 => {
                self.learn(operation, &missable, bare)
            }
            (Some(Less::Bare(_)), Ok(bare)) => one_less(0, Box::new(bare)),
            (Some(Less::Without(place, _)), Ok(reply)) => {
                self.unlearn(operation, &missable);
                self.learn(operation, &missable[*place..=*place], reply)
            }
            (Some(Less::Without(place, bare)), Err(error)) if is_to_blame(&error) => {
                if place + 1 < missable.len() {
                    one_less(place + 1, bare.clone())
                } else {
                    // More than one fails.
                    self.learn(operation, &missable, (**bare).clone())
                }
            }
            (Some(Less::Without(..)), Err(error)) => Next::Take(Err(error), Vec::new()),
        }
    }

    /// An answer has shown that the server can expand these.
    fn unlearn(&mut self, operation: Operation, expanded: &[&str]) {
        if let Some(refused) = self.refused.get_mut(&operation) {
            refused.retain(|one| !expanded.contains(&one.as_str()));
        }
    }

    fn learn(&mut self, operation: Operation, refused: &[&str], reply: Reply) -> Next {
        let known = self.refused.entry(operation).or_default();
        let news = refused
            .iter()
            .filter(|one| known.insert((**one).to_owned()));
        Next::Take(Ok(reply), news.map(|one| (*one).to_owned()).collect())
    }
}

/// What an expansion is called among people.
pub fn word(expansion: &str) -> &str {
    match expansion {
        "ancestors" => "former parents",
        "children.page" => "children",
        "container" => "what a file is attached to",
        "description.plain" => "description",
        "metadata.labels" => "labels",
        "retentionPolicy" => "retention",
        "version" => "version and last edit",
        other => other,
    }
}

/// Which operation a read for the screen is.
fn operation(waiter: &Waiter) -> Option<Operation> {
    match waiter {
        Waiter::Detail(_) | Waiter::Changed(_) | Waiter::EditSpace(_) => Some(Operation::Space),
        Waiter::Roots(..) | Waiter::MoreOfKind(..) | Waiter::Children(..) => {
            Some(Operation::Content)
        }
        Waiter::Trash(_) | Waiter::OldTrash(..) | Waiter::Across(_) | Waiter::AcrossList(..) => {
            Some(Operation::Trash)
        }
        Waiter::Preview(..) => Some(Operation::Preview),
        // What is not read to be shown alone, or expands nothing.
        Waiter::User
        | Waiter::Server
        | Waiter::Manifest
        | Waiter::AccessMode
        | Waiter::Spaces(_)
        | Waiter::ArchivedSpaces(_)
        | Waiter::Job(..)
        | Waiter::KeyCheck(_)
        | Waiter::PickPages(..)
        | Waiter::PlanTrash(_)
        | Waiter::PlanList(..)
        | Waiter::PlanSpace(_)
        | Waiter::Fact(..)
        | Waiter::Parent(..) => None,
    }
}

/// The text is what a preview is for.
fn can_be_missed(expansion: &str) -> bool {
    !expansion.starts_with("body.")
}

/// Whether a failure can be that of an expansion.
fn is_to_blame(error: &ApiError) -> bool {
    error.kind == ErrorKind::Server && error.status == Some(500)
}

fn joined<'e>(expansions: impl Iterator<Item = &'e str>) -> String {
    expansions.collect::<Vec<_>>().join(",")
}

fn expand_of(call: &mut Call) -> Option<&mut String> {
    match call {
        Call::Space { expand, .. }
        | Call::SpaceContent { expand, .. }
        | Call::SpaceContentOfKind { expand, .. }
        | Call::ChildPages { expand, .. }
        | Call::Trash { expand, .. }
        | Call::TrashedContent { expand, .. }
        | Call::Content { expand, .. } => Some(expand),
        _ => None,
    }
}
