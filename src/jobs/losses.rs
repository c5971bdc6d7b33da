//! What is lost with what is destroyed, because no backup holds it: files attached to pages, and
//! comments on them, that could not be read.
//!
//! Every dialog, plan and line of the journal about something that destroys tells of losses from here.
//! What a server does not tell is not known, which is not none.

use serde::{Deserialize, Serialize};

use super::backup::{Lack, ListLack};
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
    /// Pages and blog posts whose list of files may have left some out; what it told is saved.
    pub files_uncertain: u64,
    /// The same of comments.
    pub comments_uncertain: u64,
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
            files_uncertain,
            comments_uncertain,
        } = self;
        let lists = files_unknown + comments_unknown + files_uncertain + comments_uncertain;
        files + comments + lists == 0
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
            files_uncertain: self.files_uncertain + other.files_uncertain,
            comments_uncertain: self.comments_uncertain + other.comments_uncertain,
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

    /// What one entry of a backup's `lacks` says; `bytes` is the size of a file that is lacking.
    pub(super) fn of(lack: &Lack, bytes: u64) -> Self {
        match lack.list {
            None => Self::one(&lack.kind, bytes),
            Some(ListLack::NotRead) => Self::unknown(&lack.kind),
            Some(ListLack::NotCertain) => {
                let unknown = Self::unknown(&lack.kind);
                Self {
                    files_unknown: 0,
                    comments_unknown: 0,
                    files_uncertain: unknown.files_unknown,
                    comments_uncertain: unknown.comments_unknown,
                    ..unknown
                }
            }
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
            files_uncertain: self.files_uncertain.max(more.files_uncertain),
            comments_uncertain: self.comments_uncertain.max(more.comments_uncertain),
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
            && self.files_uncertain <= accepted.files_uncertain
            && self.comments_uncertain <= accepted.comments_uncertain
    }

    /// In words: "3 attached files (2.1 MB) and 4 comments".
    pub fn in_words(&self) -> String {
        let mut words = self.unread();
        let uncertain = self.uncertain();
        if !uncertain.is_empty() {
            let words_of = joined(uncertain);
            words.push(format!("{words_of} that the lists may have left out"));
        }
        joined(words)
    }

    /// What could not be read.
    fn unread(&self) -> Vec<String> {
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
            (files, comments) if files == comments => {
                words.push(format!(
                    "the files and comments of {} (not known)",
                    of(files)
                ));
            }
            (files, comments) => {
                if files > 0 {
                    words.push(format!("the files of {} (not known)", of(files)));
                }
                if comments > 0 {
                    words.push(format!("the comments on {} (not known)", of(comments)));
                }
            }
        }
        words
    }

    /// What lists may have left out.
    fn uncertain(&self) -> Vec<String> {
        let of = [
            ("files of", self.files_uncertain),
            ("comments on", self.comments_uncertain),
        ];
        let of = of.into_iter().filter(|(_, count)| *count > 0);
        of.map(|(what, count)| format!("{what} {}", number::count(count, "item")))
            .collect()
    }
}

/// "A, b and c".
fn joined(mut words: Vec<String>) -> String {
    match words.len() {
        0 => "nothing".to_owned(),
        1 => words.remove(0),
        count => {
            let last = words.remove(count - 1);
            format!("{} and {last}", words.join(", "))
        }
    }
}

impl Losses {
    /// The same as sentences: "12 comments in 3 pages could not be read." What was read and is saved is
    /// never said to be unread.
    pub fn told(&self) -> String {
        let mut sentences = Vec::new();
        let unread = self.unread();
        let uncertain = self.uncertain();
        if !unread.is_empty() {
            let words = joined(unread);
            sentences.push(if uncertain.is_empty() {
                let pages = number::count(self.items, "page");
                format!("{words} in {pages} could not be read.")
            } else {
                format!("{words} could not be read.")
            });
        }
        if !uncertain.is_empty() {
            let words = joined(uncertain);
            sentences.push(format!(
                "The lists may have left out {words}; what they told is saved."
            ));
        }
        let capital = |sentence: String| {
            let mut letters = sentence.chars();
            let first = letters
                .next()
                .map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        };
        let sentences: Vec<String> = sentences.into_iter().map(capital).collect();
        sentences.join(" ")
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
pub(super) const NAMED_OF_ONE: usize = 10;

/// What of `lacks` hangs on an item, each with why it could not be read.
pub(super) fn named(lacks: &[Lack], on: &ContentId) -> Vec<String> {
    let its = lacks.iter().filter(|lack| lack.on == *on);
    its.take(NAMED_OF_ONE)
        .map(|lack| match (lack.list, &lack.kind) {
            (None, _) => format!("{}: {}", lack.title, lack.why),
            (Some(_), ContentKind::Attachment) => format!("The list of its files: {}", lack.why),
            (Some(_), _) => format!("The list of its comments: {}", lack.why),
        })
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
