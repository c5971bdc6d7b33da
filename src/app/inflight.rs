//! The requests whose answers are awaited, and what waits for each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::expansions::{Expansions, Less, Next};
use super::message::{Effect, Millis, Ticket};
use super::modal::confirm::Fact;
use super::pane::preview::Form;
use crate::confluence::call::Window;
use crate::confluence::{ApiError, Call, ContentId, ContentKind, ContentStatus, Reply, SpaceKey};
use crate::jobs::{JobId, RequestNo};

/// What an answer is for. Routing goes by this, never by what is selected when it comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Waiter {
    /// Who we are: the first request of all.
    User,
    /// What the server is.
    Server,
    /// What the server is, asked in the older way.
    Manifest,
    /// Whether the site takes writes.
    AccessMode,
    /// A page of the list of spaces.
    Spaces(Window),
    /// A page of the list of archived spaces, to learn the status where spaces don't tell it.
    ArchivedSpaces(Window),
    /// A space in detail.
    Detail(SpaceKey),
    /// The root pages and blog posts of a space.
    Roots(SpaceKey, Window),
    /// More root pages, or more blog posts.
    MoreOfKind(SpaceKey, ContentKind, Window),
    /// Children of a page.
    Children(SpaceKey, ContentId, Window),
    /// A page of the trash of a space.
    Trash(SpaceKey),
    /// A page of the trash of a space on a server without operation 12.
    OldTrash(SpaceKey, ContentKind, Window),
    /// A job.
    Job(JobId, RequestNo),
    /// A space that a job changed or made, to show it as it is now.
    Changed(SpaceKey),
    /// Whether a key is taken, for the form of a new space.
    KeyCheck(SpaceKey),
    /// A space, for the form that changes it.
    EditSpace(SpaceKey),
    /// Pages to pick a homepage from.
    PickPages(SpaceKey, Window),
    /// A page of the trash that a plan is held against.
    PlanTrash(SpaceKey),
    /// The same, where a server has no trash listing.
    PlanList(SpaceKey, Window),
    /// A space that a plan is held against.
    PlanSpace(SpaceKey),
    /// Something to know of a space before an act.
    Fact(SpaceKey, Fact),
    /// The text of a content.
    Preview(ContentId, Form),
    /// Whether a former parent of something trashed is there, asked for with this status.
    Parent(SpaceKey, ContentId, Option<ContentStatus>),
    /// A page of the trash of one of many spaces.
    Across(SpaceKey),
    /// The same on a server without operation 12.
    AcrossList(SpaceKey, Window),
}

/// A class of reads of which only the newest is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Detail,
    Roots,
    KeyCheck,
}

impl Waiter {
    fn lane(&self) -> Option<Lane> {
        match self {
            Self::Detail(_) => Some(Lane::Detail),
            Self::Roots(..) => Some(Lane::Roots),
            Self::KeyCheck(_) => Some(Lane::KeyCheck),
            Self::User
            | Self::Server
            | Self::Manifest
            | Self::AccessMode
            | Self::Spaces(_)
            | Self::ArchivedSpaces(_)
            | Self::MoreOfKind(..)
            | Self::Children(..)
            | Self::Trash(_)
            | Self::OldTrash(..)
            | Self::Job(..)
            | Self::Changed(_)
            | Self::EditSpace(_)
            | Self::PickPages(..)
            | Self::PlanTrash(_)
            | Self::PlanList(..)
            | Self::PlanSpace(_)
            | Self::Fact(..)
            | Self::Parent(..)
            | Self::Across(_)
            | Self::AcrossList(..)
            | Self::Preview(..) => None,
        }
    }
}

/// One awaited answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Awaited {
    /// What it is for.
    pub waiter: Waiter,
    /// When it was asked for.
    pub since: Millis,
    /// Set while the request is not on its way but waits to be tried again.
    pub retry: Option<Retry>,
    /// What was asked, where the server may be unable to expand a part of it.
    #[serde(default)]
    pub call: Option<Box<Call>>,
    /// Set while the same is read with less expanded.
    #[serde(default)]
    pub less: Option<Less>,
}

/// An answer for somebody who waits.
#[derive(Debug)]
pub struct Settled {
    /// Who.
    pub waiter: Waiter,
    /// The answer.
    pub outcome: Result<Reply, ApiError>,
    /// What the server turned out to be unable to expand.
    pub missing: Vec<String>,
}

/// A request that failed and will be tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Why it failed.
    pub error: ApiError,
    /// When it goes out again.
    pub until: Millis,
    /// The number of that attempt.
    pub attempt: u32,
}

/// All awaited answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inflight {
    next: u64,
    awaited: BTreeMap<Ticket, Awaited>,
    /// What this server can't expand.
    #[serde(default)]
    pub expansions: Expansions,
}

impl Inflight {
    /// A name that was never used before.
    pub fn ticket(&mut self) -> Ticket {
        self.next += 1;
        Ticket(self.next)
    }

    /// A name that is none of those, and takes none of them: a recording of a version that did not ask
    /// this keeps its names. Where it is asked twice, the first has to be answered before.
    pub fn beside(&self) -> Ticket {
        Ticket(u64::MAX - self.next)
    }

    /// The same without anything awaited. Names go on where they were, so that an answer to one of
    /// before is stale.
    #[must_use]
    pub fn emptied(self) -> Self {
        Self {
            next: self.next,
            awaited: BTreeMap::new(),
            expansions: Expansions::default(),
        }
    }

    /// Sends `call` for `waiter`. A newer read replaces the older one of its lane.
    pub fn ask(
        &mut self,
        waiter: Waiter,
        call: Call,
        now: Millis,
        out: &mut Vec<Effect>,
    ) -> Ticket {
        if let Some(lane) = waiter.lane() {
            self.cancel(out, |other| other.lane() == Some(lane));
        }
        let call = self.expansions.spared(&waiter, call);
        let whole = self.expansions.may_be_spared(&waiter, &call);
        self.send(
            Awaited {
                waiter,
                since: now,
                retry: None,
                call: whole,
                less: None,
            },
            call,
            out,
        )
    }

    fn send(&mut self, awaited: Awaited, call: Call, out: &mut Vec<Effect>) -> Ticket {
        let ticket = self.ticket();
        self.awaited.insert(ticket, awaited);
        out.push(Effect::Send { ticket, call });
        ticket
    }

    /// Takes the answer to what was awaited: hands it back with what is missing in it for the first
    /// time, or asks again with less expanded.
    pub fn settle(
        &mut self,
        awaited: Awaited,
        outcome: Result<Reply, ApiError>,
        now: Millis,
        out: &mut Vec<Effect>,
    ) -> Option<Settled> {
        match self.expansions.next(&awaited, outcome) {
            Next::Take(outcome, missing) => Some(Settled {
                waiter: awaited.waiter,
                outcome,
                missing,
            }),
            Next::Ask(call, less) => {
                let awaited = Awaited {
                    since: now,
                    retry: None,
                    less: Some(less),
                    ..awaited
                };
                self.send(awaited, call, out);
                None
            }
        }
    }

    /// Takes the waiter of an answer; `None` if nobody waits for it any more.
    pub fn answer(&mut self, ticket: Ticket) -> Option<Awaited> {
        self.awaited.remove(&ticket)
    }

    /// What waits for an answer; `None` if nobody does any more.
    pub fn get(&self, ticket: Ticket) -> Option<&Awaited> {
        self.awaited.get(&ticket)
    }

    /// Notes that a request will be tried again. Says whose it is.
    pub fn retrying(&mut self, ticket: Ticket, retry: Retry) -> Option<&Waiter> {
        let awaited = self.awaited.get_mut(&ticket)?;
        awaited.retry = Some(retry);
        Some(&awaited.waiter)
    }

    /// Gives up all requests whose waiter is `unwanted`. Says how many there were.
    pub fn cancel(&mut self, out: &mut Vec<Effect>, unwanted: impl Fn(&Waiter) -> bool) -> usize {
        let tickets: Vec<Ticket> = self
            .awaited
            .iter()
            .filter(|(_, a)| unwanted(&a.waiter))
            .map(|(t, _)| *t)
            .collect();
        for ticket in &tickets {
            self.awaited.remove(ticket);
            out.push(Effect::Cancel(*ticket));
        }
        tickets.len()
    }

    /// How many answers are awaited for which `wanted` holds.
    pub fn count(&self, wanted: impl Fn(&Waiter) -> bool) -> usize {
        self.awaited.values().filter(|a| wanted(&a.waiter)).count()
    }

    /// Everything awaited, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Awaited> {
        self.awaited.values()
    }

    /// How many answers are awaited.
    pub fn len(&self) -> usize {
        self.awaited.len()
    }

    /// Whether nothing is awaited.
    pub fn is_empty(&self) -> bool {
        self.awaited.is_empty()
    }
}
