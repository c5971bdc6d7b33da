//! What is wrong with a JSON text, in plain words.

/// What the parser found wrong, and where: "it ends in the middle (line 35)". The parser's own words are
/// about types and tokens, and tell a person nothing.
pub fn told(problem: &serde_json::Error) -> String {
    let (line, column) = (problem.line(), problem.column());
    let place = match (line, column) {
        (0, _) => String::new(),
        (_, 0) => format!(" (line {line})"),
        _ => format!(" (line {line}, column {column})"),
    };
    if problem.is_eof() {
        format!("it ends in the middle (line {line})")
    } else if problem.is_syntax() {
        format!("it is no valid JSON{place}")
    } else {
        format!("something else stands in it than belongs there{place}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_in_plain_words_with_its_place() {
        for (text, told_as) in [
            ("[1,\n2", "it ends in the middle (line 2)"),
            ("[1 2]", "it is no valid JSON (line 1, column 4)"),
            (
                "{}",
                "something else stands in it than belongs there (line 1)",
            ),
            (
                "[\"x\"]",
                "something else stands in it than belongs there (line 1, column 4)",
            ),
        ] {
            let problem = serde_json::from_str::<Vec<u8>>(text).expect_err("it is wrong");
            assert_eq!(told(&problem), told_as, "{text}");
        }
    }
}
