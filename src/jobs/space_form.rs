//! What the form for a space holds.

use serde::{Deserialize, Serialize};

use crate::confluence::{ContentId, ServerText, Space};

/// What the form for a space holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceForm {
    /// The name.
    pub name: ServerText,
    /// The description as plain text; `None` where the server did not say.
    pub description: Option<String>,
    /// The homepage; `None` where there is none or the server did not say.
    pub homepage: Option<ContentId>,
    /// What that page is called, where known: for people to read, it is never sent.
    #[serde(default)]
    pub homepage_title: Option<String>,
}

impl SpaceForm {
    /// The form for a space that was read with `description.plain` and `homepage` expanded.
    pub fn of(space: &Space) -> Self {
        let more = space.more.as_deref();
        let page = more.and_then(|more| more.homepage.as_ref());
        Self {
            name: space.name.clone(),
            description: more.and_then(|more| more.description.clone()),
            homepage: page.map(|page| page.id.clone()),
            homepage_title: page.and_then(|page| page.title.clone()),
        }
    }

    pub(super) fn text(&self) -> &str {
        self.description.as_deref().unwrap_or_default()
    }

    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.name == other.name
            && same_text(self.text(), other.text())
            && self.homepage == other.homepage
    }
}

/// Whether two texts are the same but for how lines end and for blanks at the end, which servers
/// change by themselves.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    a == b || plain(a) == plain(b)
}

/// What has to be expanded for [`SpaceForm::of`].
pub(super) const EXPAND: &str = "description.plain,homepage";
