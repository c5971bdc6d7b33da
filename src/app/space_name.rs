//! What a server takes as the name of a space. A form says so before anything is sent.

use crate::text::plain;

/// The longest name that servers take, in characters. A key may be as long.
pub(in crate::app) const LONGEST: usize = 255;

/// Joiners that some scripts and emoji need: they hide nothing there.
const JOINERS: [char; 2] = ['\u{200C}', '\u{200D}'];

/// What is wrong with a name, in a sentence or two.
pub(in crate::app) fn problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("A space needs a name.".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Some(format!("The name is longer than {LONGEST} characters."));
    }
    let hidden = |c: &char| !plain::is_visible(*c) && !JOINERS.contains(c);
    name.chars().find(hidden).map(|c| {
        format!(
            "The name holds {}, which can't be seen and can make it read otherwise. Type the name anew.",
            code(c)
        )
    })
}

/// A character that can't be shown, by its number.
fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Says which characters, each named once, were left out of a text because they can't be sent; `None` for none.
pub(in crate::app) fn left_out(dropped: &[char]) -> Option<String> {
    let codes: Vec<String> = dropped.iter().map(|c| code(*c)).collect();
    let verb = if dropped.len() == 1 { "was" } else { "were" };
    (!dropped.is_empty())
        .then(|| format!("{} can't be sent and {verb} left out.", codes.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_counted_in_characters_and_holds_what_can_be_seen() {
        for fine in ["a", "港湾局", "می\u{200C}خواهم", &"ü".repeat(LONGEST)] {
            assert_eq!(problem(fine), None, "{fine}");
        }
        for bad in [
            "",
            "a\0b",
            "a\u{202E}b",
            "a\u{AD}b",
            &"ü".repeat(LONGEST + 1),
        ] {
            assert!(problem(bad).is_some(), "{bad:?}");
        }
    }
}
