//! Rendered HTML (`body.view`) as a document.
//!
//! Read with the tokenizer of html5ever: any text is HTML to it, as it is to a browser, and it
//! keeps no tree that could be too deep. What the tags mean is the builder's business.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states,
};

use super::doc::Doc;
use super::markup::{self, Builder};

/// Reads a body in HTML.
pub fn parse(body: &str) -> Doc {
    let (body, cut) = markup::limited(body);
    let tokenizer = Tokenizer::new(Sink(RefCell::new(Builder::new())), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(body));
    // The sink never asks for a pause, so this reads to the end.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut builder = tokenizer.sink.0.into_inner();
    if let Some(note) = cut {
        builder.note(note);
    }
    builder.finish()
}

/// Hands on what the tokenizer reads. The trait gives it a shared reference, hence the cell.
struct Sink(RefCell<Builder>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut builder = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                let name: &str = &tag.name;
                if tag.kind == TagKind::EndTag {
                    // Browsers make a line break of this one.
                    if name == "br" {
                        builder.empty(name, &Vec::new());
                    } else {
                        builder.close(name);
                    }
                    return TokenSinkResult::Continue;
                }
                let attributes = tag
                    .attrs
                    .iter()
                    .map(|attribute| {
                        (
                            attribute.name.local.to_string(),
                            attribute.value.to_string(),
                        )
                    })
                    .collect();
                let is_void = matches!(
                    name,
                    "area"
                        | "base"
                        | "br"
                        | "col"
                        | "embed"
                        | "hr"
                        | "img"
                        | "input"
                        | "link"
                        | "meta"
                        | "source"
                        | "track"
                        | "wbr"
                );
                if is_void || tag.self_closing {
                    builder.empty(name, &attributes);
                    return TokenSinkResult::Continue;
                }
                builder.open(name, &attributes);
                match name {
                    "script" => TokenSinkResult::RawData(states::RawKind::ScriptData),
                    "style" => TokenSinkResult::RawData(states::RawKind::Rawtext),
                    "textarea" | "title" => TokenSinkResult::RawData(states::RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                }
            }
            Token::CharacterTokens(text) => {
                builder.text(&text);
                TokenSinkResult::Continue
            }
            Token::NullCharacterToken => {
                builder.text("\0");
                TokenSinkResult::Continue
            }
            Token::DoctypeToken(_)
            | Token::CommentToken(_)
            | Token::EOFToken
            | Token::ParseError(_) => TokenSinkResult::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        let lines: Vec<String> = parse(body)
            .lines(50)
            .iter()
            .map(|line| format!("{}{}", " ".repeat(line.indent), line.text()))
            .collect();
        lines.join("\n")
    }

    #[test]
    fn html_as_confluence_renders_it() {
        let body = "<div class=\"confluence-information-macro confluence-information-macro-note\">\
            <p class=\"title\">Heads up</p><div class=\"confluence-information-macro-body\"><p>Body.</p></div></div>\
            <p>State <span class=\"status-macro aui-lozenge\">OPEN</span> <img src=\"/a/b/pic.png?v=1\"></p>\
            <ul class=\"inline-task-list\"><li class=\"checked\">yes<li>no</ul>\
            <pre class=\"x\" data-syntaxhighlighter-params=\"brush: py; gutter: false\">a\n  b</pre>\
            <script>alert('<p>')</script><style>p{}</style>";
        assert_eq!(
            shown(body),
            "│ Note\n│ Heads up\n│\n│ Body.\n\nState [OPEN] [image: pic.png]\n\n\
             [x] yes\n[ ] no\n\n│ py\n│ a\n│   b"
        );
    }

    #[test]
    fn anything_goes() {
        assert_eq!(shown("a <b>b <i>c</b> d"), "a b c d");
        assert_eq!(shown("1 < 2 & 3 &lt; 4 &nosuch;"), "1 < 2 & 3 < 4 &nosuch;");
        let deep = "<div><ul><li>".repeat(10_000) + "x";
        assert!(shown(&deep).contains('x'));
    }
}
