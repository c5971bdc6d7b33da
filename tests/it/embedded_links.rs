//! The embedded Confluence serves what it names: no link and nothing that can be expanded is a 404.

use std::collections::BTreeSet;

use coracle::demo::{Generation, Options, Seed};
use serde_json::{Value, json};

use crate::embedded::{SMALL, Wiki, rows, text, wiki};

/// Every address that an answer names.
fn named(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| named(one, found)),
        Value::Object(map) => {
            for (name, one) in map {
                let is_address = ["path", "statusPath", "resultPath"].contains(&name.as_str());
                match one {
                    Value::String(link) if is_address => found.push(link.clone()),
                    Value::Object(links)
                        if ["_links", "links", "_expandable"].contains(&name.as_str()) =>
                    {
                        let links = links
                            .iter()
                            .filter(|(name, _)| !["base", "context"].contains(&name.as_str()));
                        found.extend(links.filter_map(|(_, it)| it.as_str().map(str::to_owned)));
                    }
                    _ => named(one, found),
                }
            }
        }
        _ => {}
    }
    found.retain(|link| !link.is_empty());
}

/// An address as a path below the context.
fn below(wiki: &Wiki, link: &str) -> String {
    let link = link.strip_prefix(wiki.server.base_url()).unwrap_or(link);
    let inside = link.strip_prefix("/confluence").unwrap_or(link);
    inside.to_owned()
}

/// Follows everything that these answers name, and what that names, and so on; says what is not there.
fn broken(wiki: &Wiki, start: &[String], first: &[Value]) -> (usize, Vec<String>) {
    let mut waiting: Vec<String> = start.to_vec();
    for answer in first {
        let mut found = Vec::new();
        named(answer, &mut found);
        waiting.extend(found.iter().map(|link| below(wiki, link)));
    }
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let got = wiki.send("GET", &path, None);
        if got.status != 200 {
            wrong.push(format!("{} {path}", got.status));
        } else if got.header("content-type").contains("json") {
            let mut found = Vec::new();
            named(&got.json(), &mut found);
            waiting.extend(found.iter().map(|link| below(wiki, link)));
        }
    }
    (seen.len(), wrong)
}

#[test]
fn nothing_that_the_server_names_is_a_404() {
    const EVERYTHING: &str = "expand=body.storage,body.view,version,ancestors,history,space,container,\
        metadata.labels,children.page,children.comment,children.attachment,\
        restrictions.read.restrictions.user,restrictions.read.restrictions.group";
    for (generation, real) in [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ] {
        let wiki = wiki(Options {
            generation,
            real,
            context: "/confluence".to_owned(),
            seed: Seed::Text(format!("person: asmith | A. Smith | gone\n\n{SMALL}")),
            ..Options::default()
        });
        let page = wiki.id("ENG", "Plan");
        let comment = json!({
            "type": "comment", "container": {"id": page, "type": "page"},
            "body": {"storage": {"value": "A word"}},
        });
        let made = wiki.send("POST", "/rest/api/content", Some(&comment));
        assert_eq!(made.status, 200);
        let mut first = vec![made.json()];
        let spaces =
            "/rest/api/space?expand=homepage,description.plain,metadata.labels,icon,permissions";
        let mut start = vec![
            spaces.to_owned(),
            "/rest/api/user/current".to_owned(),
            format!("/rest/api/content/{page}/version"),
            "/rest/api/group/hr-staff/member".to_owned(),
            format!("/rest/api/content?spaceKey=ENG&status=trashed&type=attachment&{EVERYTHING}"),
            format!("/rest/api/content?spaceKey=ENG&status=trashed&{EVERYTHING}"),
            "/rest/api/search?cql=space=ENG".to_owned(),
        ];
        for kind in ["page", "blogpost", "comment", "attachment"] {
            start.push(format!("/rest/api/content?spaceKey=ENG&type={kind}"));
            start.push(format!(
                "/rest/api/content?spaceKey=ENG&type={kind}&{EVERYTHING}"
            ));
        }
        if generation == Generation::Ten {
            start.push("/rest/api/space/ENG/labels?limit=1".to_owned());
            start.push("/rest/api/space/ENG/permissions".to_owned());
            start.push("/rest/api/space/ENG/trash?limit=2".to_owned());
        }
        if generation != Generation::Seven {
            start.push("/rest/api/user/list?limit=1&expand=status".to_owned());
            let body = json!({"spaceKeys": ["ENG"]});
            let path = "/rest/api/backup-restore/backup/space";
            first.push(wiki.send("POST", path, Some(&body)).json());
        }
        let (count, wrong) = broken(&wiki, &start, &first);
        assert_eq!(wrong, Vec::<String>::new(), "{generation:?} {real}");
        assert!(count > 80, "{generation:?}: {count}");
        // Last, for it takes the space with it.
        let task = wiki.send("DELETE", "/rest/api/space/ENG", None).json();
        let (_, wrong) = broken(&wiki, &[], &[task]);
        assert_eq!(wrong, Vec::<String>::new(), "{generation:?} {real}");
    }
}

#[test]
fn a_single_object_says_where_the_wiki_is() {
    let wiki = wiki(Options {
        context: "/confluence".to_owned(),
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    });
    let page = wiki.id("ENG", "Plan");
    for path in [
        "/rest/api/space/ENG".to_owned(),
        format!("/rest/api/content/{page}"),
        "/rest/api/user?username=asmith".to_owned(),
        "/rest/api/group/hr-staff".to_owned(),
    ] {
        let links = wiki.get(&path)["_links"].clone();
        assert_eq!(text(&links["base"]), wiki.server.base_url(), "{path}");
        assert_eq!(links["context"], "/confluence", "{path}");
    }
    let below = wiki.id("ENG", "Home");
    let all = wiki.get(&format!("/rest/api/content/{below}/descendant/page"));
    assert_eq!(rows(&all).len(), 2);
    let shown = wiki.send("GET", "/display/ENG/Second+root", None);
    assert!(String::from_utf8_lossy(&shown.body).contains("<h1>Second root</h1>"));
}
