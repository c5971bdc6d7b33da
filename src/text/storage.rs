//! Confluence's storage format as a document.
//!
//! Storage format is XML with the elements of HTML and those of Confluence (`ac:`, `ri:`), and
//! with macro bodies in CDATA sections, which an HTML parser would break. Any text may come in:
//! what is not well-formed is shown as it is, with a note, and nothing is lost.

use std::collections::BTreeMap;

use html5ever::data::NAMED_ENTITIES;
use quick_xml::Reader;
use quick_xml::escape::unescape_with;
use quick_xml::events::{BytesStart, Event};

use super::doc::{Block, Doc};
use super::markup::{self, Attributes, Builder};

/// Reads a body in storage format.
pub fn parse(body: &str) -> Doc {
    let (body, cut) = markup::limited(body);
    let mut builder = Builder::new();
    let mut reader = Reader::from_str(body);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    loop {
        let before = reader.buffer_position() as usize;
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(tag)) => {
                builder.open(tag.name().into_inner(), &attributes(&tag));
            }
            Ok(Event::Empty(tag)) => builder.empty(tag.name().into_inner(), &attributes(&tag)),
            Ok(Event::End(tag)) => builder.close(tag.name().into_inner()),
            Ok(Event::Text(text)) => builder.text(&text),
            Ok(Event::CData(text)) => builder.text(&text),
            Ok(Event::GeneralRef(entity)) => {
                if let Ok(Some(c)) = entity.resolve_char_ref() {
                    builder.text(c.encode_utf8(&mut [0; 4]));
                } else if let Some(text) = meaning(&entity) {
                    builder.text(&text);
                } else {
                    builder.text(&format!("&{};", &*entity));
                }
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => {}
            Err(_) => {
                builder.note(Block::Note(
                    "From here on the page is not well-formed; its source is shown.".to_owned(),
                ));
                let rest = body.get(before..).unwrap_or(body);
                builder.note(markup::code(None, None, rest));
                break;
            }
        }
    }
    if let Some(note) = cut {
        builder.note(note);
    }
    builder.finish()
}

/// The attributes that can be read; entities are resolved where they are known.
pub(super) fn attributes(tag: &BytesStart<'_>) -> Attributes {
    tag.attributes()
        .with_checks(false)
        .flatten()
        .map(|attribute| {
            let entities = attribute.value.split('&').skip(1);
            let known: BTreeMap<&str, String> = entities
                .filter_map(|rest| rest.split_once(';'))
                .filter_map(|(name, _)| Some((name, meaning(name)?)))
                .collect();
            let resolve = |name: &str| known.get(name).map(String::as_str);
            let value = unescape_with(&attribute.value, resolve);
            let value = value.map_or_else(|_| attribute.value.to_string(), |value| value.into());
            (attribute.key.into_inner().to_owned(), value)
        })
        .collect()
}

/// What an entity of HTML stands for. Taken from the table of the HTML parser: a second one would
/// weigh as much as the reader of the whole format.
pub(super) fn meaning(entity: &str) -> Option<String> {
    let (first, second) = NAMED_ENTITIES.get(format!("{entity};").as_str())?;
    let text: String = [*first, *second]
        .into_iter()
        .filter(|point| *point != 0)
        .filter_map(char::from_u32)
        .collect();
    // The beginnings of names are in the table too, and stand for nothing.
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::doc::{Ink, Line, find};

    /// The document as lines of text, their indents as blanks.
    fn shown(body: &str, columns: usize) -> String {
        let lines: Vec<String> = parse(body)
            .lines(columns)
            .iter()
            .map(|line| {
                format!("{}{}", " ".repeat(line.indent), line.text())
                    .trim_end()
                    .to_owned()
            })
            .collect();
        lines.join("\n")
    }

    #[test]
    fn headings_paragraphs_and_styles() {
        let body = "<h2>Fail<em>over</em></h2><p>Tom &amp; Jerry&nbsp;&mdash; <strong>now</strong>\n   and <code>then</code>.</p><hr/><p>a<br/>b</p>";
        assert_eq!(
            shown(body, 20),
            "## Failover\n\nTom & Jerry\u{a0}— now\nand then.\n\n────────────────────\n\na\nb"
        );
        let lines = parse(body).lines(40);
        assert_eq!(lines[0].spans[1].ink, Ink::Heading);
        assert!(
            lines[2]
                .spans
                .iter()
                .any(|s| s.style.bold && s.text == "now")
        );
        assert!(
            lines[2]
                .spans
                .iter()
                .any(|s| s.ink == Ink::Code && s.text == "then")
        );
    }

    #[test]
    fn lists_and_tasks() {
        let body = "<ul><li>one<ol><li><p>deep</p></li><li>er</li></ol></li><li>two</li></ul>\
            <ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status>\
            <ac:task-body>done</ac:task-body></ac:task><ac:task><ac:task-status>incomplete</ac:task-status>\
            <ac:task-body>to do</ac:task-body></ac:task></ac:task-list>";
        assert_eq!(
            shown(body, 40),
            "• one\n  1. deep\n  2. er\n• two\n\n[x] done\n[ ] to do"
        );
    }

    #[test]
    fn macros() {
        let body = "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">java</ac:parameter>\
            <ac:plain-text-body><![CDATA[if (a < b && c) {\n\treturn \"<p>\";\n}]]></ac:plain-text-body></ac:structured-macro>\
            <ac:structured-macro ac:name=\"warning\"><ac:parameter ac:name=\"title\">Careful</ac:parameter>\
            <ac:rich-text-body><p>Hot.</p></ac:rich-text-body></ac:structured-macro>\
            <p>Now <ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">DONE</ac:parameter></ac:structured-macro> \
            <ac:structured-macro ac:name=\"jira\"><ac:parameter ac:name=\"key\">A-1</ac:parameter></ac:structured-macro></p>\
            <ac:structured-macro ac:name=\"odd\"><ac:rich-text-body><p>inside</p></ac:rich-text-body></ac:structured-macro>";
        assert_eq!(
            shown(body, 40),
            "│ java\n│ if (a < b && c) {\n│     return \"<p>\";\n│ }\n\n\
             │ Warning: Careful\n│ Hot.\n\nNow [DONE] [jira key=A-1]\n\n│ [odd]\n│ inside"
        );
    }

    #[test]
    fn links_and_images() {
        let body = "<p><ac:link><ri:page ri:content-title=\"Home\" ri:space-key=\"ENG\"/>\
            <ac:plain-text-link-body><![CDATA[start]]></ac:plain-text-link-body></ac:link>, \
            <ac:link><ri:user ri:username=\"jdoe\"/></ac:link>, <a href=\"https://x.example/\">x</a>, \
            <ac:image><ri:attachment ri:filename=\"plan.png\"/></ac:image></p>";
        assert_eq!(
            shown(body, 60),
            "start[1], @jdoe, x[2], [image: plan.png]\n\n[1] ENG: Home\n[2] https://x.example/"
        );
        assert_eq!(parse(body).links(), ["ENG: Home", "https://x.example/"]);
    }

    #[test]
    fn tables_fit() {
        let body = "<table><tbody><tr><th>Name</th><th>What</th></tr>\
            <tr><td>a</td><td>one two three four</td></tr></tbody></table>";
        assert_eq!(
            shown(body, 20),
            "Name │ What\n─────┼──────────────\na    │ one two three\n     │ four"
        );
        assert_eq!(
            shown(body, 10),
            "Name\n\nWhat\n────────\na\n\none two\nthree four"
                .replace("Name\n\nWhat", "Name\nWhat")
                .replace("a\n\none", "a\none")
        );
    }

    #[test]
    fn what_is_not_well_formed_is_shown() {
        let text = shown("<p>one</p><p>two & three <b>four</p><![CDATA[ rest", 60);
        for word in ["one", "two & three", "four", "not well-formed", "rest"] {
            assert!(text.contains(word), "{word} in {text}");
        }
        assert_eq!(
            shown("</p></p>just text &unknown; <", 60)
                .matches("just text &unknown;")
                .count(),
            1
        );
    }

    #[test]
    fn too_long_a_page_says_so() {
        let filler = "x".repeat(markup::SIZE - 20);
        let tail = "z".repeat(1_300_000);
        let text = shown(&format!("<p>word</p><p a='{filler}'/>{tail}"), 90);
        assert_eq!(
            text,
            "word\n\nThe page is longer than this preview; 1.3 MB of it are not shown."
        );
    }

    #[test]
    fn many_runs_and_many_links_keep_their_text() {
        let body = "<b>bold</b> and <a href='x'>here</a> ".repeat(500);
        let lines = parse(&body).lines(33);
        let text: Vec<String> = lines.iter().map(|line| line.text()).collect();
        let text = text.join(" ");
        assert_eq!(text.matches("bold and here[1]").count(), 500);
        let bold: usize = lines
            .iter()
            .flat_map(|line| &line.spans)
            .filter(|span| span.style.bold)
            .map(|span| span.text.len())
            .sum();
        assert_eq!(bold, 4 * 500);
    }

    #[test]
    fn any_depth_is_flattened() {
        let deep = format!(
            "{}x{}",
            "<ul><li>".repeat(10_000),
            "</li></ul>".repeat(10_000)
        );
        assert!(shown(&deep, 30).contains('x'));
        let deep = format!("{}x", "<table><tr><td>".repeat(10_000));
        assert!(shown(&deep, 30).contains('x'));
        let deep = "<blockquote>".repeat(10_000) + "x";
        assert!(shown(&deep, 30).contains('x'));
    }

    #[test]
    fn text_is_found() {
        let lines = parse("<p>Alpha beta</p><ul><li>BETA</li></ul>").lines(40);
        let found = find(&lines, "beta");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[0].columns.clone()), (0, 6..10));
        assert_eq!((found[1].line, found[1].columns.clone()), (2, 2..6));
        assert!(find(&lines, "").is_empty());
    }

    /// Every line fits and can be sent to a terminal.
    fn check(body: &str, columns: usize) -> Result<(), String> {
        for doc in [parse(body), crate::text::html::parse(body)] {
            for line in doc.lines(columns) {
                let text = line.text();
                let hidden = ['\u{202E}', '\u{200B}', '\u{2068}'];
                if line.width() > columns.max(8) {
                    return Err(format!("wider than {columns}: {line:?}"));
                }
                if text.contains(char::is_control) || text.contains(hidden) {
                    return Err(format!("not safe: {text:?}"));
                }
            }
        }
        Ok(())
    }

    #[test]
    fn marks_fit_where_the_indent_is_used_up() {
        let code = "<ac:structured-macro ac:name='code'>";
        let tasks = "<ac:task-list><ac:task-list>";
        let numbers = format!("<ol><li><ol>{}", "<li>x</li>".repeat(1_000));
        for body in [
            format!("<blockquote><tr>{tasks}{code}"),
            format!("<blockquote><table><tr><td>{tasks}<ac:task>{code}"),
            format!("<blockquote><ul><li>{numbers}"),
            format!("<blockquote><table><tr><td>{numbers}"),
        ] {
            for columns in [0, 9, 10, 12, 19] {
                assert_eq!(check(&body, columns), Ok(()), "{columns}");
            }
        }
    }

    #[test]
    fn clusters_wider_than_the_line_are_broken() {
        let towers = [
            "\u{1100}".repeat(15),
            format!("\u{FF76}{}", "\u{FF9E}".repeat(14)),
            ["\u{930}", "\u{924}", "\u{938}", "\u{928}", "\u{92F}"].join("\u{94D}"),
        ];
        for tower in towers {
            let body = format!("<blockquote><ul><li>a {tower} b</li></ul></blockquote>");
            for columns in 0..20 {
                assert_eq!(check(&body, columns), Ok(()), "{columns}");
            }
            let kept: String = parse(&body).lines(8).iter().map(Line::text).collect();
            assert!(tower.chars().all(|c| kept.contains(c)), "{kept:?}");
        }
    }

    /// Scraps of storage format and of everything else.
    fn scraps() -> impl Strategy<Value = String> {
        let scrap = prop::sample::select(vec![
            "<p>",
            "</p>",
            "<ul>",
            "<li>",
            "</li>",
            "</ul>",
            "<table>",
            "<tr>",
            "<td>",
            "<th>",
            "</td>",
            "</tr>",
            "</table>",
            "<h1>",
            "</h1>",
            "<b>",
            "</b>",
            "<pre>",
            "</pre>",
            "<blockquote>",
            "<br/>",
            "<hr/>",
            "<a href='x'>",
            "</a>",
            "<ac:link>",
            "</ac:link>",
            "<ri:page ri:content-title='T'/>",
            "<ac:image>",
            "</ac:image>",
            "<ac:placeholder>",
            "<ac:structured-macro ac:name='code'>",
            "<ac:structured-macro ac:name='status'>",
            "<ac:structured-macro ac:name='x'>",
            "</ac:structured-macro>",
            "<ac:parameter ac:name='title'>",
            "</ac:parameter>",
            "<ac:plain-text-body>",
            "</ac:plain-text-body>",
            "<ac:rich-text-body>",
            "</ac:rich-text-body>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "&amp;",
            "&#27;",
            "&#x202E;",
            "&zwj;",
            "&",
            "<",
            "\x1b[31m",
            "\u{202E}",
            "\u{301}",
            "日本",
            "word ",
            "\n",
            "\t",
            "<script>",
            "</script>",
            "<span class='status-macro'>",
            "</span>",
            "<ac:task-list>",
            "<ac:task>",
            "</ac:task>",
            "<ac:task-status>",
            "complete",
            "</ac:task-status>",
        ]);
        prop::collection::vec(
            prop_oneof![8 => scrap.prop_map(str::to_owned), 1 => "\\PC{0,6}"],
            0..60,
        )
        .prop_map(|scraps| scraps.concat())
    }

    proptest! {
        #[test]
        fn anything_in_safe_lines_out(body in scraps(), columns in 0..60_usize) {
            prop_assert_eq!(check(&body, columns), Ok(()));
        }

        #[test]
        fn no_word_is_lost(
            parts in prop::collection::vec((
                prop::sample::select(vec!["<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<td>",
                    "<tr>", "<table>", "</table>", "<h1>", "</h1>", "<b>", "</b>", "<blockquote>",
                    "<pre>", "</pre>", "<ac:structured-macro ac:name='info'>", "<a href='x'>", "</a>",
                    "<ac:structured-macro ac:name='status'>", "</ac:structured-macro>", "<ac:link>",
                    "</ac:link>", "<ac:plain-text-body>", "</ac:plain-text-body>", "<ac:task-status>", "</ac:task-status>"]),
                "[a-z]{8}",
            ), 0..30),
        ) {
            let body = parts.iter().map(|(tag, word)| [tag, word.as_str()].concat());
            let body = body.collect::<Vec<_>>().join(" ");
            let text: String = parse(&body).lines(400).iter().map(|l| l.text() + "\n").collect();
            for (_, word) in &parts {
                prop_assert!(text.contains(word.as_str()), "{} not in {:?}", word, text);
            }
        }
    }
}
