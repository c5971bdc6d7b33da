//! What an attached file is called in a backup.

use std::fmt::Write as _;

use crate::confluence::Content;

/// A plain name whatever the server uses for ids, and another one for each id, also on a disk that takes
/// `a` and `A` for one; of one version, so that no other is taken for it.
///
/// Small letters and digits stand for themselves, any other character for its number between two `_`. So
/// no `_` and no `-` in a name comes from an id, and two ids never meet in one name.
pub(super) fn file_name(content: &Content) -> String {
    let mut plain = String::new();
    for c in content.id.as_str().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            plain.push(c);
        } else {
            let _ = write!(plain, "_{:x}_", u32::from(c));
        }
    }
    match content.version.as_ref().and_then(|version| version.number) {
        Some(number) => format!("file-{plain}-v{number}"),
        None => format!("file-{plain}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::confluence::{ContentId, ContentKind, ServerText, Version};

    fn name(id: &str, number: Option<u64>) -> String {
        file_name(&Content {
            id: ContentId::new(id),
            kind: ContentKind::Attachment,
            status: None,
            title: ServerText::new(String::new()),
            has_children: None,
            space: None,
            version: Some(Version {
                number,
                ..Version::default()
            }),
            ancestors: None,
            position: None,
            more: None,
        })
    }

    #[test]
    fn ids_that_differ_in_one_sign_have_files_of_their_own() {
        let ids = [
            "a-b", "a_b", "a.b", "ab", "aB", "a_2d_b", "a__b", "1-v2", "1", "a/b", "é",
        ];
        let mut names: Vec<String> = Vec::new();
        for id in ids {
            for number in [None, Some(1), Some(2)] {
                let name = name(id, number).to_lowercase();
                assert!(!names.contains(&name), "{id} {number:?}: {name}");
                assert!(!name.contains(['/', '\\', '.']), "{name}");
                names.push(name);
            }
        }
        assert_eq!(name("att4711", Some(3)), "file-att4711-v3");
    }

    fn id() -> impl Strategy<Value = String> {
        prop_oneof!["[a-bA-B12_.v-]{0,5}", any::<String>()]
    }

    proptest! {
        #[test]
        fn no_two_files_meet_in_one_name(
            one in (id(), prop::option::of(0..3_u64)),
            other in (id(), prop::option::of(0..3_u64)),
        ) {
            let named = |(id, number): &(String, Option<u64>)| name(id, *number).to_lowercase();
            prop_assert_eq!(one == other, named(&one) == named(&other));
        }
    }
}
