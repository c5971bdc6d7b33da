//! Storage format to HTML as a browser would get it: macros become plain elements.
//!
//! A renderer for reading, not a copy of Confluence's: what it does not know it leaves out, and
//! keeps the text inside. It takes any text and never fails.

use std::fmt::Write as _;

use super::percent::encoded;

/// `&`, `<`, `>` and `"` as entities.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Renders storage format; `key` is the key of its space, percent-encoded.
pub(super) fn render(storage: &str, context: &str, key: &str) -> String {
    let mut out = String::with_capacity(storage.len());
    let mut macros: Vec<String> = Vec::new();
    // Text that is a parameter of a macro is not shown.
    let mut hidden = 0_usize;
    let mut link: Option<(String, bool)> = None;
    let mut task_done = false;
    let mut rest = storage;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("<![CDATA[") {
            let (text, after) = after.split_once("]]>").unwrap_or((after, ""));
            if hidden == 0 {
                out.push_str(&escape(text));
                if let Some((_, labelled)) = &mut link {
                    *labelled = true;
                }
            }
            rest = after;
            continue;
        }
        let Some(after) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            if hidden == 0 {
                out.push_str(&rest[..end]);
            } else if macros.last().is_some_and(|name| name == "task-status") {
                task_done = rest[..end].trim() == "complete";
            }
            rest = &rest[end..];
            continue;
        };
        let Some((tag, after)) = after.split_once('>') else {
            out.push_str(&escape(rest));
            break;
        };
        rest = after;
        let closing = tag.starts_with('/');
        let empty = tag.ends_with('/');
        let inner = tag.trim_start_matches('/').trim_end_matches('/');
        let name = inner.split_whitespace().next().unwrap_or_default();
        if !name.starts_with("ac:") && !name.starts_with("ri:") {
            if hidden == 0 {
                out.push('<');
                out.push_str(tag);
                out.push('>');
            }
            continue;
        }
        match (name, closing) {
            ("ac:structured-macro" | "ac:macro", false) => {
                let kind = attribute(inner, "ac:name").unwrap_or_default();
                let start = match kind.as_str() {
                    "code" | "noformat" => "<pre>".to_owned(),
                    "info" | "note" | "tip" | "warning" | "panel" | "expand" => {
                        format!("<div class=\"confluence-information-macro {kind}\">")
                    }
                    "status" => "<span class=\"status-macro\">".to_owned(),
                    _ => format!("<div class=\"{}-macro\">", escape(&kind)),
                };
                out.push_str(&start);
                if empty {
                    out.push_str(macro_end(&kind));
                } else {
                    macros.push(kind);
                }
            }
            ("ac:structured-macro" | "ac:macro", true) => {
                let kind = macros.pop().unwrap_or_default();
                out.push_str(macro_end(&kind));
            }
            ("ac:parameter", false) if !empty => {
                // The title of a status is its text.
                let shown = macros.last().is_some_and(|kind| kind == "status")
                    && attribute(inner, "ac:name").as_deref() == Some("title");
                if !shown {
                    hidden += 1;
                    macros.push("parameter".to_owned());
                }
            }
            ("ac:parameter", true) if macros.last().is_some_and(|kind| kind == "parameter") => {
                macros.pop();
                hidden = hidden.saturating_sub(1);
            }
            ("ac:task-list", false) => out.push_str("<ul class=\"inline-task-list\">"),
            ("ac:task-list", true) => out.push_str("</ul>"),
            ("ac:task-id" | "ac:task-status" | "ac:placeholder", false) if !empty => {
                hidden += 1;
                macros.push(name.trim_start_matches("ac:").to_owned());
            }
            ("ac:task-id" | "ac:task-status" | "ac:placeholder", true) => {
                macros.pop();
                hidden = hidden.saturating_sub(1);
            }
            ("ac:task-body", false) => {
                out.push_str(if task_done {
                    "<li class=\"checked\">"
                } else {
                    "<li>"
                });
            }
            ("ac:task-body", true) => out.push_str("</li>"),
            ("ac:task", _) => task_done = false,
            ("ac:image", false) => {
                out.push_str("<span class=\"confluence-embedded-file-wrapper\">");
            }
            ("ac:image", true) => out.push_str("</span>"),
            ("ac:link", false) => link = Some((String::new(), false)),
            ("ac:link", true) => {
                if let Some((title, labelled)) = link.take() {
                    if !labelled {
                        out.push_str(&escape(&title));
                    }
                    if !title.is_empty() {
                        out.push_str("</a>");
                    }
                }
            }
            ("ac:link-body" | "ac:plain-text-link-body", false) => {
                if let Some((_, labelled)) = &mut link {
                    *labelled = true;
                }
            }
            ("ri:page" | "ri:blog-post" | "ri:content-entity", false) => {
                let title = unescaped(&attribute(inner, "ri:content-title").unwrap_or_default());
                let key = attribute(inner, "ri:space-key").unwrap_or_else(|| key.to_owned());
                if let Some((held, _)) = &mut link
                    && !title.is_empty()
                {
                    let _ = write!(
                        out,
                        "<a href=\"{context}/display/{key}/{}\">",
                        encoded(&title)
                    );
                    *held = title;
                }
            }
            ("ri:user", false) => {
                let user = attribute(inner, "ri:username")
                    .or_else(|| attribute(inner, "ri:userkey"))
                    .unwrap_or_default();
                if let Some((held, _)) = &mut link
                    && !user.is_empty()
                {
                    let _ = write!(
                        out,
                        "<a class=\"confluence-userlink\" href=\"{context}/display/~{}\">",
                        encoded(&user)
                    );
                    *held = user;
                }
            }
            ("ri:attachment", false) => {
                let file = unescaped(&attribute(inner, "ri:filename").unwrap_or_default());
                match &mut link {
                    Some((held, _)) => {
                        let _ = write!(out, "<a href=\"{context}/download/{}\">", encoded(&file));
                        *held = file;
                    }
                    None => {
                        let _ = write!(
                            out,
                            "<img src=\"{context}/download/{}\" alt=\"{}\"/>",
                            encoded(&file),
                            escape(&file)
                        );
                    }
                }
            }
            ("ri:url", false) if link.is_none() => {
                let source = attribute(inner, "ri:value").unwrap_or_default();
                let _ = write!(out, "<img src=\"{source}\"/>");
            }
            ("ac:emoticon", false) => {
                let name = attribute(inner, "ac:name").unwrap_or_default();
                let _ = write!(out, "<span class=\"emoticon\">({name})</span>");
            }
            _ => {}
        }
    }
    out
}

fn macro_end(kind: &str) -> &'static str {
    match kind {
        "code" | "noformat" => "</pre>",
        "status" => "</span>",
        _ => "</div>",
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}=\""))?;
    after.split_once('"').map(|(value, _)| value.to_owned())
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn macros_links_images_and_tasks() {
        let view = |storage| render(storage, "/wiki", "ENG");
        assert_eq!(
            view(
                "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">sh\
                 </ac:parameter><ac:plain-text-body><![CDATA[a < b && c]]></ac:plain-text-body>\
                 </ac:structured-macro>"
            ),
            "<pre>a &lt; b &amp;&amp; c</pre>"
        );
        assert_eq!(
            view("<ac:link><ri:page ri:content-title=\"A &amp; B\"/></ac:link>!"),
            "<a href=\"/wiki/display/ENG/A%20%26%20B\">A &amp; B</a>!"
        );
        assert_eq!(
            view("<ac:image><ri:attachment ri:filename=\"a.png\"/></ac:image>"),
            "<span class=\"confluence-embedded-file-wrapper\">\
             <img src=\"/wiki/download/a.png\" alt=\"a.png\"/></span>"
        );
        assert_eq!(
            view(
                "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete\
                 </ac:task-status><ac:task-body>Pack</ac:task-body></ac:task></ac:task-list>"
            ),
            "<ul class=\"inline-task-list\"><li class=\"checked\">Pack</li></ul>"
        );
    }

    #[test]
    fn broken_markup_keeps_its_text() {
        assert_eq!(render("<p>a", "", ""), "<p>a");
        assert_eq!(render("a < b", "", ""), "a &lt; b");
        assert_eq!(render("</ac:link></ac:parameter>x", "", ""), "x");
        assert_eq!(render("<![CDATA[y", "", ""), "y");
    }
}
