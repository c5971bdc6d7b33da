//! The space under the cursor in detail: read when the cursor rests.

use serde::Serialize;

use crate::app::expansions::{Operation, word};
use crate::app::inflight::Waiter;
use crate::app::message::{Effect, Millis};
use crate::app::modal::reading::{Line, Tone, folded};
use crate::app::model::Model;
use crate::app::remote::Remote;
use crate::confluence::{
    ApiError, Call, ContentRef, Moment, Permission, Person, Space, SpaceKey, SpaceKind, SpaceStatus,
};
use crate::text::{number, width};

/// What is asked for besides the space itself.
pub(in crate::app) const EXPAND: &str =
    "description.plain,homepage,metadata.labels,icon,permissions,retentionPolicy";

/// How many spaces are remembered.
const REMEMBERED: usize = 64;

/// For how long a remembered space is shown without asking again, in milliseconds.
const FRESH: u64 = 30_000;

/// The pane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetailPane {
    /// Whose detail it is.
    pub space: Option<SpaceKey>,
    /// The space.
    pub value: Remote<Box<Space>>,
    /// How many lines are scrolled away.
    pub scroll: usize,
    /// Spaces that were shown before, the last one last.
    remembered: Vec<(SpaceKey, Millis, Box<Space>)>,
}

impl Default for DetailPane {
    fn default() -> Self {
        Self {
            space: None,
            value: Remote::Absent,
            scroll: 0,
            remembered: Vec::new(),
        }
    }
}

impl DetailPane {
    fn remember(&mut self) {
        if let (Some(key), Remote::Ready { value, at }) = (&self.space, &self.value) {
            let entry = (key.clone(), *at, value.clone());
            self.remembered.retain(|(other, ..)| other != &entry.0);
            if self.remembered.len() >= REMEMBERED {
                self.remembered.remove(0);
            }
            self.remembered.push(entry);
        }
    }

    /// Forgets what is remembered of a space.
    pub fn forget(&mut self, key: &SpaceKey) {
        self.remembered.retain(|(other, ..)| other != key);
    }
}

impl Model {
    /// Shows a space in detail, from memory if that is fresh.
    pub(in crate::app) fn show_detail(&mut self, key: SpaceKey, out: &mut Vec<Effect>) {
        if self.detail.space.as_ref() != Some(&key) {
            self.detail.remember();
            self.detail.scroll = 0;
            self.detail.value = match self
                .detail
                .remembered
                .iter()
                .find(|(other, ..)| *other == key)
            {
                Some((_, at, value)) => Remote::Ready {
                    value: value.clone(),
                    at: *at,
                },
                None => Remote::Absent,
            };
            self.detail.space = Some(key);
        }
        let since = Millis(self.now.0.saturating_sub(FRESH));
        let fresh = self.detail.value.is_newer_than(since) && self.now.0 > 0;
        if fresh || self.detail.value.is_loading() {
            // What is on its way for another space is not wanted any more.
            let wanted = self.detail.space.clone();
            self.inflight.cancel(
                out,
                |w| matches!(w, Waiter::Detail(key) if Some(key) != wanted.as_ref()),
            );
        } else {
            self.load_detail(out);
        }
    }

    /// Reads the space again.
    pub(in crate::app) fn load_detail(&mut self, out: &mut Vec<Effect>) {
        let Some(key) = self.detail.space.clone() else {
            return;
        };
        self.detail.value.begin(self.now);
        let call = Call::Space {
            key: key.clone(),
            expand: EXPAND.to_owned(),
        };
        self.inflight.ask(Waiter::Detail(key), call, self.now, out);
    }

    pub(in crate::app) fn detail_came(
        &mut self,
        key: &SpaceKey,
        outcome: Result<Box<Space>, ApiError>,
    ) {
        if self.detail.space.as_ref() == Some(key) {
            if let Ok(space) = &outcome {
                let height = self.rows_of(crate::app::layout::Pane::Spaces);
                if self.spaces.table.get(key).is_some() {
                    self.spaces.replace(space, height);
                }
            }
            self.detail.value.settle(self.now, outcome);
        }
    }

    /// Stops reading the detail. Says whether there was anything to stop.
    pub(in crate::app) fn stop_detail(&mut self, out: &mut Vec<Effect>) -> bool {
        self.detail.value.abandon(self.now);
        self.inflight
            .cancel(out, |w| matches!(w, Waiter::Detail(_)))
            > 0
    }
}

/// The column of the values.
const LABEL: usize = 13;

/// The lines of the pane at this width: what a person wants to know of a space, the more
/// important first. What the server didn't tell is left out.
pub fn lines(model: &Model, width: usize) -> Vec<Line> {
    let Some(space) = model.detail.value.value() else {
        return Vec::new();
    };
    let more = space.more.as_deref().cloned().unwrap_or_default();
    let mut out: Vec<Line> = Vec::new();
    if let Some(text) = more
        .description
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        for line in text.lines().flat_map(|line| folded(line, width)) {
            out.push(vec![(Tone::Plain, line)]);
        }
        out.push(Vec::new());
    }
    let mut row = |label: &str, value: String| {
        for (ix, text) in folded(&value, width.saturating_sub(LABEL).max(10))
            .into_iter()
            .enumerate()
        {
            let label = if ix == 0 { label } else { "" };
            let label = width::fit(label, LABEL, width::Align::Left).into_owned();
            out.push(vec![(Tone::Dim, label), (Tone::Plain, text)]);
        }
    };
    let kind = match space.kind {
        SpaceKind::Global => "global",
        SpaceKind::Personal => "personal",
    };
    let status = match space.status {
        Some(SpaceStatus::Current) => " · current",
        Some(SpaceStatus::Archived) => " · archived",
        None => "",
    };
    row("space", format!("{} · {kind}{status}", space.key));
    let when = |moment: Option<Moment>| moment.map(|at| number::exact(at.0, &model.zone));
    let by = |at: Option<String>, person: &Option<Person>| match (at, person) {
        (Some(at), Some(person)) => Some(format!("{at} by {}", person.display_name)),
        (Some(at), None) => Some(at),
        (None, Some(person)) => Some(format!("by {}", person.display_name)),
        (None, None) => None,
    };
    let home = |home: &ContentRef| {
        home.title
            .clone()
            .unwrap_or_else(|| format!("page {}", home.id))
    };
    let list = |list: Option<Vec<String>>| {
        list.filter(|list| !list.is_empty())
            .map(|list| list.join(", "))
    };
    let permissions = more
        .permissions
        .filter(|permissions| !permissions.is_empty())
        .map(|permissions| {
            let one =
                |p: &Permission| format!("{} {}: {}", p.operation, p.target, p.subjects.join(", "));
            permissions.iter().map(one).collect::<Vec<_>>().join("; ")
        });
    let base = model.profile.base_url.trim_end_matches('/');
    let facts = [
        ("homepage", more.homepage.as_ref().map(home)),
        ("labels", list(more.labels)),
        ("created", by(when(more.created), &more.creator)),
        ("changed", by(when(more.modified), &more.last_modifier)),
        ("retention", more.retention_policy),
        ("permissions", permissions),
        ("id", space.id.map(|id| id.to_string())),
        ("icon", more.icon_path),
        (
            "URL",
            more.webui
                .map(|path| format!("{base}/{}", path.trim_start_matches('/'))),
        ),
    ];
    for (label, value) in facts {
        if let Some(value) = value {
            row(label, value);
        }
    }
    // Not known is not none.
    for missing in model.inflight.expansions.missing(Operation::Space) {
        row(
            word(missing),
            "not read: the server fails over it".to_owned(),
        );
    }
    out
}
