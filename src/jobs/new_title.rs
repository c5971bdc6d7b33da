//! The title that something comes back under where its own is taken.

use crate::confluence::ServerText;

/// The longest title that a server takes, in characters.
const LONGEST_TITLE: usize = 255;

/// `title`, told apart from the one that has it: " (restored)", or with a number from the second time on.
/// What is too long with it is cut before it. As it is where it was not renamed.
pub(super) fn new_title(title: &ServerText, renamed: u32) -> ServerText {
    let suffix = match renamed {
        0 => return title.clone(),
        1 => " (restored)".to_owned(),
        n => format!(" (restored {n})"),
    };
    let room = LONGEST_TITLE - suffix.chars().count();
    let kept: String = title.as_sent().chars().take(room).collect();
    ServerText::new(format!("{kept}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_title_keeps_what_was_sent_and_fits() {
        let title = ServerText::new("Bud\u{AD}get");
        assert_eq!(new_title(&title, 0), title);
        assert_eq!(new_title(&title, 1).as_sent(), "Bud\u{AD}get (restored)");
        assert_eq!(new_title(&title, 2).as_sent(), "Bud\u{AD}get (restored 2)");
        let long = new_title(&ServerText::new("x".repeat(255)), 12);
        assert_eq!(long.chars().count(), 255);
        assert!(long.ends_with("x (restored 12)"));
    }
}
