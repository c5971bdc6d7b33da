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
    for piece in with_few_attributes(body) {
        input.push_back(StrTendril::from_slice(piece));
    }
    // The sink never asks for a pause, so this reads to the end.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let mut builder = tokenizer.sink.0.into_inner();
    if let Some(note) = cut {
        builder.note(note);
    }
    builder.finish()
}

/// The body in pieces, without the attributes of a tag past the first few hundred: the tokenizer
/// compares each with all before it, and a tag with a hundred thousand would take minutes. Reads
/// tags as the tokenizer does; what looks like one in a script may be cut too, and isn't shown.
fn with_few_attributes(body: &str) -> Vec<&str> {
    const MOST: usize = 250;
    let bytes = body.as_bytes();
    let mut pieces = Vec::new();
    let (mut kept_from, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'<', &bytes[at..]) {
        at += found + 1;
        let name = at + usize::from(bytes.get(at) == Some(&b'/'));
        if !bytes.get(name).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let ends_word = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        let to = |from: usize, end: &dyn Fn(&u8) -> bool| {
            let rest = &bytes[from.min(bytes.len())..];
            from + rest.iter().position(end).unwrap_or(rest.len())
        };
        at = to(name, &ends_word);
        let mut cut = None;
        for number in 0.. {
            at = to(at, &|byte| !byte.is_ascii_whitespace() && *byte != b'/');
            if at >= bytes.len() || bytes[at] == b'>' {
                break;
            }
            if number == MOST {
                cut = Some(at);
            }
            // A name, which may begin with `=`, and perhaps a value.
            at = to(at + 1, &|byte| ends_word(byte) || *byte == b'=');
            let equals = to(at, &|byte| !byte.is_ascii_whitespace());
            if bytes.get(equals) == Some(&b'=') {
                at = to(equals + 1, &|byte| !byte.is_ascii_whitespace());
                at = match bytes.get(at) {
                    Some(quote @ (b'"' | b'\'')) => to(at + 1, &|byte| byte == quote) + 1,
                    _ => to(at, &|byte| byte.is_ascii_whitespace() || *byte == b'>'),
                };
            }
        }
        if let Some(cut) = cut {
            pieces.push(&body[kept_from..body.floor_char_boundary(cut)]);
            kept_from = at.min(bytes.len());
        }
        at = at.min(bytes.len());
    }
    pieces.push(&body[kept_from..]);
    pieces
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
    fn a_tag_of_very_many_attributes_takes_no_longer_than_its_length() {
        let mut tag = String::from("a<b");
        for number in 0..100_000 {
            tag.push_str(&format!(" x{number}='>' /y{number} = z"));
        }
        assert_eq!(shown(&format!("{tag}>c</b> d")), "ac d");
        assert_eq!(shown(&tag), "a");
        let few = "<i title='>' data-x=1>a</i><p =\"\">b < c <é d='x'>e";
        assert_eq!(with_few_attributes(few), [few]);
    }

    #[test]
    fn runs_share_their_link() {
        let address = format!("https://x.example/{}", "y".repeat(1 << 20));
        let body = format!("<a href='{address}'>{}</a>", "<b>x</b> ".repeat(10_000));
        let doc = parse(&body);
        let links = doc.links();
        assert_eq!(links.len(), 1);
        assert!(
            links[0].len() < 9_000 && links[0].ends_with('…'),
            "{}",
            links[0].len()
        );
        let Some(crate::text::doc::Block::Paragraph(runs)) = doc.blocks.first() else {
            panic!("a paragraph");
        };
        let first = runs[0].link.as_ref().expect("a link");
        let shared = |run: &crate::text::doc::Run| {
            run.link
                .as_ref()
                .is_some_and(|link| std::sync::Arc::ptr_eq(link, first))
        };
        assert!(runs.len() > 10_000 && runs.iter().all(shared));
    }

    #[test]
    fn anything_goes() {
        assert_eq!(shown("a <b>b <i>c</b> d"), "a b c d");
        assert_eq!(shown("1 < 2 & 3 &lt; 4 &nosuch;"), "1 < 2 & 3 < 4 &nosuch;");
        let deep = "<div><ul><li>".repeat(10_000) + "x";
        assert!(shown(&deep).contains('x'));
    }
}
