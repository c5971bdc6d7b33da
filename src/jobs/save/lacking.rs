//! What a backup lacks of what hangs on its items, told in one way to the manifest and to the dialog.
//!
//! Whatever is not saved is written down here as a [`Lack`], and what would be lost is counted from that
//! alone: neither can say what the other does not.

use std::collections::HashSet;

use super::{Save, Slot};
use crate::confluence::{Content, ContentId, ContentKind};
use crate::jobs::attached::{Holder, Read};
use crate::jobs::backup::{Lack, ListLack};
use crate::jobs::losses::Losses;

/// Why a list is not believed.
const REPEATS: &str = "It told rows twice or fewer than it counts, so it may have left others out.";
/// Why one of two things is not saved.
const TWINS: &str =
    "Something else in this space has the same id, so only one of the two could be saved.";

/// A list of what hangs on a page, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// All of it.
    Whole,
    /// It may have left something out.
    Uncertain,
    /// It could not be read, for this reason.
    Refused(String),
}

impl Listed {
    pub(super) fn of(read: Read) -> Self {
        match read {
            Read::Whole => Self::Whole,
            Read::More | Read::Uncertain => Self::Uncertain,
        }
    }

    /// The same where something else names all that there is, each by an id of its own.
    pub(super) fn borne_out_by<'a>(
        self,
        named: Option<impl IntoIterator<Item = &'a ContentId>>,
    ) -> Self {
        match named {
            None => self,
            Some(ids) => {
                let mut seen = HashSet::new();
                if ids.into_iter().all(|id| seen.insert(id)) {
                    Self::Whole
                } else {
                    Self::Uncertain
                }
            }
        }
    }
}

impl Save {
    /// One thing that hangs on an item is not saved.
    pub(super) fn lack_one(&mut self, slot: &Slot, on: &Holder, why: &str) {
        let more = slot.content.as_ref().and_then(|it| it.more.as_deref());
        let size = more.and_then(|more| more.file_size).unwrap_or(0);
        let lack = Lack {
            id: slot.wanted.id.clone(),
            kind: slot.wanted.kind.clone(),
            title: slot.wanted.title.to_string(),
            on: on.id.clone(),
            why: why.to_owned(),
            list: None,
        };
        self.lack(on.item, lack, size);
    }

    /// Two things have one id: this is the one that is not saved.
    pub(super) fn lack_twin(&mut self, on: &Holder, row: &Content) {
        let more = row.more.as_deref();
        let size = more.and_then(|more| more.file_size).unwrap_or(0);
        self.lack_named_twin(on, &row.kind, &row.id, &row.title, size);
    }

    /// The same where no row tells of it.
    pub(super) fn lack_named_twin(
        &mut self,
        on: &Holder,
        kind: &ContentKind,
        id: &ContentId,
        title: &str,
        size: u64,
    ) {
        let is_it = |lack: &Lack| lack.id == *id && lack.on == on.id && lack.title == title;
        if self.attached.lacks.iter().any(is_it) {
            return;
        }
        let lack = Lack {
            id: id.clone(),
            kind: kind.clone(),
            title: title.to_owned(),
            on: on.id.clone(),
            why: TWINS.to_owned(),
            list: None,
        };
        self.lack(on.item, lack, size);
    }

    /// The list of what of this type hangs on an item is not all that there is.
    pub(super) fn lack_list(&mut self, on: &Holder, kind: ContentKind, listed: Listed) {
        let (list, why) = match listed {
            Listed::Whole => return,
            Listed::Uncertain => (ListLack::NotCertain, REPEATS.to_owned()),
            Listed::Refused(why) => (ListLack::NotRead, why),
        };
        let lack = Lack {
            id: on.id.clone(),
            kind,
            title: on.title.to_string(),
            on: on.id.clone(),
            why,
            list: Some(list),
        };
        self.lack(on.item, lack, 0);
    }

    /// The one place where something is written down as not saved.
    fn lack(&mut self, item: u32, lack: Lack, bytes: u64) {
        let losses = Losses::of(&lack, bytes);
        self.attached.lacks.push(lack);
        let known = self.losing.iter_mut().rev().find(|(of, _)| *of == item);
        match known {
            Some((_, known)) => *known = known.with(losses),
            None => self.losing.push((item, losses)),
        }
    }
}
