//! Whether two bodies in storage format say the same.
//!
//! A server reads what it is sent as XML and writes it again its own way. Two bodies are the same where
//! these are, in this order:
//!
//! - the elements, by name, with their attributes, by name and value;
//! - the text, character by character.
//!
//! What makes no difference, because no reader of the page sees any:
//!
//! - how it is written: the order of attributes, their quotes, `<br/>` or `<br></br>`, an entity or its
//!   character, CDATA or escaped text;
//! - white space in text: a run of blanks, tabs and line breaks is one blank, and none beside the tag of a
//!   block or at either end. In `pre`, in the plain body of a macro and in CDATA every blank counts;
//! - what the server keeps its own books by ([`BOOKS`]), and the names of XML namespaces;
//! - comments of XML;
//! - where an inline comment is marked: that is told with the comment, and a server takes the mark away
//!   where the comment is not there yet.
//!
//! All else is a difference. What is not well-formed is the same only if it is so to the byte.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::storage::{attributes, meaning};

/// Attributes that a server sets and changes by itself.
const BOOKS: [&str; 5] = [
    "ac:macro-id",
    "ac:schema-version",
    "ac:local-id",
    "local-id",
    "ri:version-at-save",
];

/// Elements that stand in lines of their own: white space beside their tags is not shown.
const BLOCKS: [&str; 32] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "table",
    "tbody",
    "thead",
    "tfoot",
    "tr",
    "th",
    "td",
    "colgroup",
    "col",
    "div",
    "blockquote",
    "hr",
    "pre",
    "ac:layout",
    "ac:layout-section",
    "ac:layout-cell",
    "ac:rich-text-body",
    "ac:task-list",
    "ac:task",
    "ac:task-id",
    "ac:task-status",
    "ac:task-body",
];

/// Elements in which every blank counts.
const VERBATIM: [&str; 3] = ["pre", "ac:plain-text-body", "ac:plain-text-link-body"];

/// The mark of an inline comment, around the words that it is about.
const MARK: &str = "ac:inline-comment-marker";

/// How a body is beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It says the same.
    Same,
    /// What is there is not well-formed, as a text is that was cut.
    Broken,
    /// It does not.
    Other {
        /// How many characters of text are in the one that was wanted.
        wanted: u64,
        /// How many are there.
        there: u64,
    },
}

/// Holds a body that is there against the one that was wanted.
pub fn compare(wanted: &str, there: &str) -> Likeness {
    if wanted == there {
        return Likeness::Same;
    }
    let (one, other) = (Form::read(wanted), Form::read(there));
    match (&one, &other) {
        (Some(one), Some(other)) if one == other => Likeness::Same,
        (Some(_), None) => Likeness::Broken,
        _ => Likeness::Other {
            wanted: length(one.as_ref(), wanted),
            there: length(other.as_ref(), there),
        },
    }
}

/// How many characters of text there are; of what is not well-formed, how many in all.
fn length(form: Option<&Form>, body: &str) -> u64 {
    let count = |text: &str| text.chars().count() as u64;
    form.map_or_else(
        || count(body),
        |form| {
            let texts = form.pieces.iter().map(|piece| match piece {
                Piece::Text(text) => count(text),
                Piece::Open(..) | Piece::Close => 0,
            });
            texts.sum()
        },
    )
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Open(String, BTreeMap<String, String>),
    Close,
    Text(String),
}

/// A body without what makes no difference.
#[derive(Debug, Default, PartialEq, Eq)]
struct Form {
    pieces: Vec<Piece>,
}

/// A body while it is read.
#[derive(Default)]
struct Reading {
    pieces: Vec<Piece>,
    /// The elements that are open.
    open: Vec<String>,
    text: String,
    /// Whether white space at the end of `text` is not told yet.
    blank: bool,
    /// Whether the last thing before `text` leaves no blank beside it.
    after_block: bool,
}

impl Form {
    /// `None`: it is not well-formed.
    fn read(body: &str) -> Option<Self> {
        let mut reading = Reading {
            after_block: true,
            ..Reading::default()
        };
        let mut reader = Reader::from_str(body);
        reader.config_mut().allow_dangling_amp = true;
        loop {
            match reader.read_event().ok()? {
                Event::Eof => break,
                Event::Start(tag) => reading.opens(&tag),
                Event::Empty(tag) => {
                    reading.opens(&tag);
                    reading.closes();
                }
                Event::End(_) => reading.closes(),
                Event::Text(text) => reading.says(&text),
                Event::CData(text) => reading.says_exactly(&text),
                Event::GeneralRef(entity) => match entity.resolve_char_ref() {
                    Ok(Some(c)) => reading.says(c.encode_utf8(&mut [0; 4])),
                    _ => match meaning(&entity) {
                        Some(text) => reading.says(&text),
                        None => reading.says(&format!("&{};", &*entity)),
                    },
                },
                Event::Comment(_) => {}
                Event::Decl(_) | Event::PI(_) | Event::DocType(_) => return None,
            }
        }
        if !reading.open.is_empty() {
            return None;
        }
        reading.ends_text(true);
        Some(Self {
            pieces: reading.pieces,
        })
    }
}

impl Reading {
    fn opens(&mut self, tag: &BytesStart<'_>) {
        let name = tag.name().into_inner().to_owned();
        if name != MARK {
            let is_block = BLOCKS.contains(&name.as_str());
            self.ends_text(is_block);
            let all = attributes(tag).into_iter();
            let told =
                all.filter(|(of, _)| !BOOKS.contains(&of.as_str()) && !of.starts_with("xmlns"));
            self.pieces.push(Piece::Open(name.clone(), told.collect()));
            self.after_block = is_block;
        }
        self.open.push(name);
    }

    fn closes(&mut self) {
        let Some(name) = self.open.pop() else {
            return;
        };
        if name == MARK {
            return;
        }
        let is_block = BLOCKS.contains(&name.as_str());
        self.ends_text(is_block && name != "pre");
        self.pieces.push(Piece::Close);
        self.after_block = is_block;
    }

    /// Text of which blanks count only where the page shows them.
    fn says(&mut self, text: &str) {
        if self.open.iter().any(|it| VERBATIM.contains(&it.as_str())) {
            self.says_exactly(text);
            return;
        }
        for c in text.chars() {
            if matches!(c, ' ' | '\t' | '\r' | '\n') {
                self.blank = true;
            } else {
                self.tells_blank();
                self.text.push(c);
            }
        }
    }

    fn says_exactly(&mut self, text: &str) {
        if !text.is_empty() {
            self.tells_blank();
            self.text.push_str(text);
        }
    }

    fn tells_blank(&mut self) {
        if std::mem::take(&mut self.blank) && !(self.text.is_empty() && self.after_block) {
            self.text.push(' ');
        }
    }

    /// Text ends here: at the tag of a block, at that of something in a line, or at the end of all.
    fn ends_text(&mut self, at_block: bool) {
        if at_block {
            self.blank = false;
        }
        self.tells_blank();
        if !self.text.is_empty() {
            self.pieces
                .push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_same(one: &str, other: &str) -> bool {
        compare(one, other) == Likeness::Same
    }

    #[derive(Clone, Debug)]
    enum Node {
        Text(String),
        Code(String),
        Inline(usize, Vec<(usize, String)>, Vec<Node>),
        Block(usize, Vec<Node>),
    }

    const INLINE: [&str; 4] = ["strong", "span", "ac:link", "ac:structured-macro"];
    const BLOCK: [&str; 4] = ["p", "li", "td", "ac:layout-cell"];
    const ATTRIBUTES: [&str; 3] = ["ac:name", "style", "href"];

    /// Words with blanks between them, and characters that have entities.
    fn words() -> impl Strategy<Value = String> {
        "[a-zéß&<>\"'\u{A0}—]{1,6}( [a-z&<é]{1,5}){0,3}"
    }

    fn node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            words().prop_map(Node::Text),
            "[a-z<& \n]{1,12}".prop_map(Node::Code),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let attributes = prop::collection::vec((0..3_usize, words()), 0..3);
            let inside = prop::collection::vec(inner, 0..4);
            prop_oneof![
                (0..4_usize, attributes, inside.clone()).prop_map(|(name, all, inside)| {
                    let mut all = all;
                    all.sort_by_key(|(name, _)| *name);
                    all.dedup_by_key(|(name, _)| *name);
                    Node::Inline(name, all, inside)
                }),
                (0..4_usize, inside).prop_map(|(name, inside)| Node::Block(name, inside)),
            ]
        })
    }

    /// A body that ends with something to see.
    fn body() -> impl Strategy<Value = Vec<Node>> {
        prop::collection::vec(node(), 0..5).prop_map(|mut all| {
            all.push(Node::Block(0, vec![Node::Text("end".to_owned())]));
            all
        })
    }

    /// Writes a body in one of the many ways in which it can be written.
    struct Writer {
        dice: Vec<u8>,
        at: usize,
    }

    impl Writer {
        fn write(dice: &[u8], nodes: &[Node]) -> String {
            let mut writer = Self {
                dice: dice.to_vec(),
                at: 0,
            };
            let mut out = String::new();
            writer.nodes(nodes, &mut out);
            out
        }

        fn thrown(&mut self, of: u8) -> u8 {
            self.at += 1;
            self.dice[self.at % self.dice.len()] % of
        }

        fn nodes(&mut self, nodes: &[Node], out: &mut String) {
            for node in nodes {
                match node {
                    Node::Text(text) => self.text(text, out),
                    Node::Code(text) => self.code(text, out),
                    Node::Inline(name, attributes, inside) => {
                        self.element(INLINE[*name], attributes, inside, out);
                    }
                    Node::Block(name, inside) => {
                        self.blank(out);
                        self.element(BLOCK[*name], &[], inside, out);
                        self.blank(out);
                    }
                }
            }
        }

        fn blank(&mut self, out: &mut String) {
            out.push_str(["", "\n", "  ", "<!-- nobody sees it -->"][self.thrown(4) as usize]);
        }

        fn character(&mut self, c: char, out: &mut String) {
            let named = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                'é' => "&eacute;",
                '\u{A0}' => "&nbsp;",
                '—' => "&#x2014;",
                _ => "",
            };
            let must = matches!(c, '&' | '<' | '>' | '"' | '\'');
            if !named.is_empty() && (must || self.thrown(2) == 0) {
                out.push_str(named);
            } else {
                out.push(c);
            }
        }

        fn text(&mut self, text: &str, out: &mut String) {
            let is_marked = self.thrown(5) == 0;
            if is_marked {
                out.push_str("<ac:inline-comment-marker ac:ref=\"m1\">");
            }
            for c in text.chars() {
                if c == ' ' {
                    out.push_str([" ", "\n", " \t "][self.thrown(3) as usize]);
                } else {
                    self.character(c, out);
                }
            }
            if is_marked {
                out.push_str("</ac:inline-comment-marker>");
            }
        }

        fn code(&mut self, text: &str, out: &mut String) {
            out.push_str("<ac:plain-text-body>");
            if self.thrown(2) == 0 {
                out.push_str(&format!("<![CDATA[{text}]]>"));
            } else {
                for c in text.chars() {
                    self.character(c, out);
                }
            }
            out.push_str("</ac:plain-text-body>");
        }

        fn element(
            &mut self,
            name: &str,
            attributes: &[(usize, String)],
            inside: &[Node],
            out: &mut String,
        ) {
            let mut written: Vec<String> = Vec::new();
            for (of, value) in attributes {
                let mut text = String::new();
                value.chars().for_each(|c| self.character(c, &mut text));
                let quote = ['"', '\''][self.thrown(2) as usize];
                written.push(format!(" {}={quote}{text}{quote}", ATTRIBUTES[*of]));
            }
            if self.thrown(3) == 0 {
                written.push(format!(" ac:macro-id=\"{}\"", self.at));
            }
            if self.thrown(2) == 0 {
                written.reverse();
            }
            let written = written.concat();
            if inside.is_empty() && self.thrown(2) == 0 {
                out.push_str(&format!("<{name}{written}/>"));
                return;
            }
            out.push_str(&format!("<{name}{written}>"));
            self.nodes(inside, out);
            out.push_str(&format!("</{name}>"));
        }
    }

    /// All that can be changed so that a reader sees it, each by itself.
    fn changed(nodes: &[Node]) -> Vec<Vec<Node>> {
        let mut all = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let mut with = |new: Option<Node>| {
                let mut other = nodes.to_vec();
                match new {
                    Some(new) => other[at] = new,
                    None => drop(other.remove(at)),
                }
                all.push(other);
            };
            with(None);
            match node {
                Node::Text(text) => with(Some(Node::Text(format!("{text}x")))),
                Node::Code(text) => {
                    with(Some(Node::Code(format!("{text} "))));
                    with(Some(Node::Code(format!(" {text}"))));
                }
                Node::Inline(name, attributes, inside) => {
                    with(Some(Node::Inline(
                        (name + 1) % 4,
                        attributes.clone(),
                        inside.clone(),
                    )));
                    for at in 0..attributes.len() {
                        let mut other = attributes.clone();
                        other[at].1.push('x');
                        with(Some(Node::Inline(*name, other, inside.clone())));
                    }
                    for inside in changed(inside) {
                        with(Some(Node::Inline(*name, attributes.clone(), inside)));
                    }
                }
                Node::Block(name, inside) => {
                    with(Some(Node::Block((name + 1) % 4, inside.clone())));
                    for inside in changed(inside) {
                        with(Some(Node::Block(*name, inside)));
                    }
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_it_is_written(
            nodes in body(),
            one in prop::collection::vec(any::<u8>(), 1..40),
            other in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let (one, other) = (Writer::write(&one, &nodes), Writer::write(&other, &nodes));
            prop_assert!(is_same(&one, &other), "{one}\n{other}");
        }

        #[test]
        fn whatever_a_reader_would_see_changed_is_a_difference(
            nodes in body(),
            one in prop::collection::vec(any::<u8>(), 1..40),
            other in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let wanted = Writer::write(&one, &nodes);
            let changed = changed(&nodes);
            let step = 1 + changed.len() / 16;
            for nodes in changed.into_iter().step_by(step) {
                let there = Writer::write(&other, &nodes);
                prop_assert!(!is_same(&wanted, &there), "{wanted}\n{there}");
            }
        }

        #[test]
        fn a_body_that_is_cut_anywhere_is_a_difference(
            nodes in body(),
            dice in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let wanted = Writer::write(&dice, &nodes);
            let wanted = wanted.trim_end_matches("<!-- nobody sees it -->").trim_end();
            let cuts: Vec<usize> = wanted.char_indices().map(|(at, _)| at).collect();
            for at in cuts.iter().copied().step_by(1 + cuts.len() / 32) {
                prop_assert!(!is_same(wanted, &wanted[..at]), "{}", &wanted[..at]);
            }
        }

        #[test]
        fn any_two_texts_can_be_compared(one in any::<String>(), other in any::<String>()) {
            prop_assert!(is_same(&one, &one));
            prop_assert_eq!(is_same(&one, &other), is_same(&other, &one));
            // It is told whatever it is.
            let _ = (compare(&one, "<p>a</p>"), compare("<p>a</p>", &one));
        }
    }

    #[test]
    fn a_blank_between_words_is_seen_and_one_beside_a_block_is_not() {
        assert!(is_same("<p>a</p>\n <p>b</p>", "<p>a</p><p>b</p>"));
        assert!(is_same("<p> a\n b </p>", "<p>a b</p>"));
        assert!(!is_same("<p>a b</p>", "<p>ab</p>"));
        assert!(!is_same(
            "<p><b>a</b> <i>b</i></p>",
            "<p><b>a</b><i>b</i></p>"
        ));
        assert!(!is_same("<pre>a  b</pre>", "<pre>a b</pre>"));
    }

    #[test]
    fn how_much_is_there_of_how_much_is_told() {
        let other = |wanted, there| Likeness::Other { wanted, there };
        assert_eq!(compare("<p>four</p>", "<p>fo"), Likeness::Broken);
        assert_eq!(compare("<p>four</p>", ""), other(4, 0));
        assert_eq!(compare("<p>four</p>", "<p>fo</p>"), other(4, 2));
        assert_eq!(compare("<p>four</p>", "<h1>four</h1>"), other(4, 4));
    }
}
