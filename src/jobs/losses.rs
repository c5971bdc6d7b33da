//! What is lost with what is destroyed, because no backup holds it: files attached to pages, and
//! comments on them, that could not be read.
//!
//! Every dialog, plan and line of the journal about something that destroys tells of losses from here.
//! What a server does not tell is not known, which is not none.

use serde::{Deserialize, Serialize};

use super::backup::Lack;
use crate::confluence::{ContentId, ContentKind};
use crate::text::number;

/// Files and comments that go with what is destroyed and are in no backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Losses {
    /// Pages and blog posts that take something with them, or may.
    pub items: u64,
    /// Attached files.
    pub files: u64,
    /// Their sizes together, as far as they are told.
    pub bytes: u64,
    /// Comments, and answers to them.
    pub comments: u64,
    /// Pages and blog posts of which it is not known which files they have.
    pub files_unknown: u64,
    /// Pages and blog posts of which it is not known whether there are comments on them.
    pub comments_unknown: u64,
}

impl Losses {
    /// What may go with items of these types, of which nothing is known yet.
    pub fn not_known<'a>(kinds: impl IntoIterator<Item = &'a ContentKind>) -> Self {
        let pages = kinds.into_iter().filter(|kind| has_any(kind)).count() as u64;
        Self {
            items: pages,
            files_unknown: pages,
            comments_unknown: pages,
            ..Self::default()
        }
    }

    /// Whether it is known that nothing is lost.
    pub fn is_none(&self) -> bool {
        let Self {
            items: _,
            files,
            bytes: _,
            comments,
            files_unknown,
            comments_unknown,
        } = self;
        files + comments + files_unknown + comments_unknown == 0
    }

    /// This and that.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            items: self.items + other.items,
            files: self.files + other.files,
            bytes: self.bytes.saturating_add(other.bytes),
            comments: self.comments + other.comments,
            files_unknown: self.files_unknown + other.files_unknown,
            comments_unknown: self.comments_unknown + other.comments_unknown,
        }
    }

    /// One more thing of this type and size.
    pub(super) fn one(kind: &ContentKind, bytes: u64) -> Self {
        let is_file = *kind == ContentKind::Attachment;
        Self {
            items: 1,
            files: u64::from(is_file),
            bytes,
            comments: u64::from(!is_file),
            ..Self::default()
        }
    }

    /// It is not known what of this type hangs on an item.
    pub(super) fn unknown(kind: &ContentKind) -> Self {
        let is_file = *kind == ContentKind::Attachment;
        Self {
            items: 1,
            files_unknown: u64::from(is_file),
            comments_unknown: u64::from(!is_file),
            ..Self::default()
        }
    }

    /// What goes with one item, where this goes with it as well.
    #[must_use]
    pub(super) fn with(self, more: Self) -> Self {
        Self {
            items: self.items.max(more.items),
            files_unknown: self.files_unknown.max(more.files_unknown),
            comments_unknown: self.comments_unknown.max(more.comments_unknown),
            ..self.and(more)
        }
    }

    /// Whether somebody who accepted `accepted` has accepted this.
    pub fn are_within(&self, accepted: &Self) -> bool {
        self.files <= accepted.files
            && self.bytes <= accepted.bytes
            && self.comments <= accepted.comments
            && self.files_unknown <= accepted.files_unknown
            && self.comments_unknown <= accepted.comments_unknown
    }

    /// In words: "3 attached files (2.1 MB) and 4 comments".
    pub fn in_words(&self) -> String {
        let mut words = Vec::new();
        if self.files > 0 {
            let files = number::count(self.files, "attached file");
            words.push(match self.bytes {
                0 => files,
                bytes => format!("{files} ({})", number::bytes(bytes)),
            });
        }
        if self.comments > 0 {
            words.push(number::count(self.comments, "comment"));
        }
        let of = |count: u64| number::count(count, "item");
        match (self.files_unknown, self.comments_unknown) {
            (0, 0) => {}
            (files, 0) => words.push(format!("the files of {} (not known)", of(files))),
            (0, comments) => words.push(format!("the comments on {} (not known)", of(comments))),
            (files, comments) if files == comments => {
                words.push(format!(
                    "the files and comments of {} (not known)",
                    of(files)
                ));
            }
            (files, comments) => {
                words.push(format!("the files of {} (not known)", of(files)));
                words.push(format!("the comments on {} (not known)", of(comments)));
            }
        }
        match words.len() {
            0 => "nothing".to_owned(),
            1 => words.remove(0),
            count => {
                let last = words.remove(count - 1);
                format!("{} and {last}", words.join(", "))
            }
        }
    }
}

impl Losses {
    /// The same as a sentence without its end: "12 comments in 3 pages could not be read".
    pub fn could_not_be_read(&self) -> String {
        let words = self.in_words();
        let pages = number::count(self.items, "page");
        let sentence = format!("{words} in {pages} could not be read");
        let mut letters = sentence.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    }

    /// The same as a note for the journal, where it was accepted.
    pub(super) fn accepted(&self) -> String {
        if self.is_none() {
            String::new()
        } else {
            format!("; not saved, as accepted: {}", self.in_words())
        }
    }
}

/// What is said before anything is counted: no list tells of these, and no item is asked for by itself
/// for a dialog.
pub const COUNTED_LATER: &str = "Attached files and comments are saved too. What can't be read of them is counted, and asked about before anything is destroyed.";

/// So many of what takes something with it are named.
pub(super) const NAMED: usize = 100;

/// Whether files and comments can hang on it.
pub(super) fn has_any(kind: &ContentKind) -> bool {
    matches!(kind, ContentKind::Page | ContentKind::BlogPost)
}

/// An item that takes something with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losing {
    /// Its id.
    pub id: ContentId,
    /// Its title.
    pub title: String,
    /// What goes with it.
    pub losses: Losses,
    /// What of that has a name, and why it could not be read: the first of many.
    #[serde(default)]
    pub named: Vec<String>,
}

/// So much of what goes with one item is named.
const NAMED_OF_ONE: usize = 10;

/// What of `lacks` hangs on an item, each with why it could not be read.
pub(super) fn named(lacks: &[Lack], on: &ContentId) -> Vec<String> {
    let its = lacks.iter().filter(|lack| lack.on == *on);
    its.take(NAMED_OF_ONE)
        .map(|lack| format!("{}: {}", lack.title, lack.why))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_not_none() {
        use ContentKind::{Attachment, Comment};
        assert!(Losses::default().is_none());
        let (file, comment) = (Losses::one(&Attachment, 2_000), Losses::one(&Comment, 0));
        let (files, comments) = (Losses::unknown(&Attachment), Losses::unknown(&Comment));
        for (losses, words) in [
            (
                files.with(comments),
                "the files and comments of 1 item (not known)",
            ),
            (
                comment.with(comment).with(files).with(files),
                "2 comments and the files of 1 item (not known)",
            ),
            (comments, "the comments on 1 item (not known)"),
            (Losses::one(&Attachment, 0), "1 attached file"),
            (
                file.with(Losses::one(&Attachment, 0)).with(comment),
                "2 attached files (2.0 kB) and 1 comment",
            ),
        ] {
            assert!(!losses.is_none(), "{words}");
            assert_eq!((losses.items, losses.in_words().as_str()), (1, words));
            assert!(losses.are_within(&losses));
            assert!(!losses.and(losses).are_within(&losses), "{words}");
        }
        let kinds = [ContentKind::Page, ContentKind::Attachment];
        assert_eq!(Losses::not_known(&kinds).items, 1);
    }
}
