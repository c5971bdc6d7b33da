//! What an edit changes: for a dialog that shows the old and the new before they are sent.
//!
//! Lines for descriptions, words within one line for names. Both texts are scrubbed already.

use similar::{Algorithm, ChangeTag, TextDiff};

/// What became of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is in both texts.
    Same,
    /// It is in the old text only.
    Removed,
    /// It is in the new text only.
    Added,
}

/// A piece of text and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What became of it.
    pub change: Change,
    /// The text. Of a line without its line feed.
    pub text: String,
}

/// Compares line by line. A text that ends in a line feed has no line behind it.
pub fn lines(old: &str, new: &str) -> Vec<Piece> {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .diff_slices(&old, &new);
    diff.iter_all_changes()
        .map(|piece| Piece {
            change: change(piece.tag()),
            text: piece.value().to_owned(),
        })
        .collect()
}

/// Compares word by word; neighbours of one kind come as one piece. All pieces that are not
/// `Added`, joined, are the old text; all that are not `Removed`, the new.
pub fn words(old: &str, new: &str) -> Vec<Piece> {
    let diff = TextDiff::from_words(old, new);
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in diff.iter_all_changes() {
        let change = change(piece.tag());
        match pieces.last_mut() {
            Some(last) if last.change == change => last.text.push_str(piece.value()),
            _ => pieces.push(Piece {
                change,
                text: piece.value().to_owned(),
            }),
        }
    }
    pieces
}

fn change(tag: ChangeTag) -> Change {
    match tag {
        ChangeTag::Equal => Change::Same,
        ChangeTag::Delete => Change::Removed,
        ChangeTag::Insert => Change::Added,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Change::{Added, Removed, Same};
    use super::*;

    fn short(pieces: &[Piece]) -> Vec<(Change, &str)> {
        pieces
            .iter()
            .map(|piece| (piece.change, piece.text.as_str()))
            .collect()
    }

    #[test]
    fn lines_that_changed() {
        assert_eq!(
            short(&lines("a\nb\nc\n", "a\nx\nc")),
            [(Same, "a"), (Removed, "b"), (Added, "x"), (Same, "c")]
        );
        assert_eq!(short(&lines("", "new")), [(Added, "new")]);
        assert_eq!(lines("", ""), []);
    }

    #[test]
    fn words_that_changed() {
        assert_eq!(
            short(&words("Harbour Log book", "Harbour Cargo book")),
            [
                (Same, "Harbour "),
                (Removed, "Log"),
                (Added, "Cargo"),
                (Same, " book")
            ]
        );
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_back(old in "[ab \n]{0,20}|\\PC{0,9}", new in "[ab \n]{0,20}|\\PC{0,9}") {
            let join = |pieces: &[Piece], without| -> Vec<String> {
                let kept = pieces.iter().filter(|piece| piece.change != without);
                kept.map(|piece| piece.text.clone()).collect()
            };
            let pieces = words(&old, &new);
            prop_assert_eq!(join(&pieces, Added).concat(), old.as_str());
            prop_assert_eq!(join(&pieces, Removed).concat(), new.as_str());
            let pieces = lines(&old, &new);
            prop_assert_eq!(join(&pieces, Added), old.lines().collect::<Vec<_>>());
            prop_assert_eq!(join(&pieces, Removed), new.lines().collect::<Vec<_>>());
        }
    }
}
