//! The embedded Confluence, spoken to in plain HTTP and JSON.
//!
//! The crate's own client is not used here: the two must be able to be wrong independently.

use coracle::demo::{
    Behaviour, Deletion, Fault, Generation, Lie, ListOf, Options, Quirk, Rule, Seed, ServeArgs,
    Server,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

pub(crate) const SMALL: &str = "\
space: ENG
name: Engineering
description: Everything & more
labels: platform, eng
favourite: yes
retention: Two years of versions
homepage: Home
created: 2019-03-02T09:14:00+01:00
modified: 2024-11-02T10:00:00+01:00
creator: asmith

=== page
title: Home
by: asmith
when: 2024-11-02T10:00:00+01:00
version: 12
labels: start

<p>Hello <ac:link><ri:page ri:content-title=\"Plan\"/></ac:link></p>

=== page
title: Plan
parent: Home
version: 3
read: user:jdoe, group:hr-staff
update: user:asmith
attachment: plan.pdf | application/pdf | 20480
attachment: notes.txt | text/plain | 100

<p>Plan</p>

=== page
title: Step
parent: Plan

=== page
title: Second root

=== blogpost
title: News

=== page
title: Old tree
parent: Home
status: trashed
version: 5
attachment: old.bin | application/octet-stream | 70000

=== page
title: Old leaf
parent: Old tree
status: trashed

=== page
title: Plan
status: trashed

=== blogpost
title: Old news
status: trashed

=== attachment
title: dropped.txt
parent: Plan
media-type: text/plain
size: 59
status: trashed

space: OPS
name: Operations
status: archived
labels: platform

=== page
title: Runbook

space: HR
name: People
access: not-admin

=== page
title: Handbook

space: SECRET
name: Secret
access: hidden

space: ~asmith
name: A. Smith
";

/// A server, and something to speak to it with.
pub(crate) struct Wiki {
    pub(crate) server: Server,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What was answered.
pub(crate) struct Got {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

pub(crate) fn wiki(options: Options) -> Wiki {
    coracle::confluence::client::choose_cryptography();
    Wiki {
        server: Server::start(options).expect("because loopback has a free port"),
        client: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("because nothing special is asked for"),
        runtime: tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("because a test may have a runtime"),
    }
}

fn small() -> Wiki {
    small_as(Generation::Ten, false)
}

pub(crate) fn small_as(generation: Generation, real: bool) -> Wiki {
    wiki(Options {
        generation,
        real,
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    })
}

/// `n` pages, then `n` trashed ones, in a space `N`.
fn many(n: usize, behaviour: Behaviour) -> Wiki {
    wiki(Options {
        seed: many_text(n),
        behaviour,
        ..Options::default()
    })
}

fn many_text(n: usize) -> Seed {
    let mut text = "space: N\nname: Many\n\n".to_owned();
    for number in 0..n {
        text.push_str(&format!("=== page\ntitle: Page {number}\n\n"));
    }
    for number in 0..n {
        text.push_str(&format!(
            "=== page\ntitle: Gone {number}\nstatus: trashed\n\n"
        ));
    }
    Seed::Text(text)
}

fn many_spaces(n: usize, behaviour: Behaviour) -> Wiki {
    let mut text = String::new();
    for number in 0..n {
        text.push_str(&format!("space: S{number}\nname: Space {number}\n\n"));
    }
    wiki(Options {
        seed: Seed::Text(text),
        behaviour,
        ..Options::default()
    })
}

fn quirk(quirk: Quirk) -> Behaviour {
    Behaviour {
        quirks: vec![quirk],
        ..Behaviour::default()
    }
}

impl Wiki {
    fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Got, reqwest::Error> {
        let url = format!("{}{path}", self.server.base_url());
        let method = method.parse().expect("because tests name methods");
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = response.bytes().await?.to_vec();
            Ok(Got {
                status,
                headers,
                body,
            })
        })
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Got {
        self.try_send(method, path, body, &[])
            .expect("because the server answers")
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let got = self.send("GET", path, None);
        assert_eq!(
            got.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&got.body)
        );
        got.json()
    }

    pub(crate) fn status(&self, method: &str, path: &str) -> u16 {
        self.send(method, path, None).status
    }

    /// The id of the current content of this title in a space.
    pub(crate) fn id(&self, key: &str, title: &str) -> String {
        let page = self.get(&format!("/rest/api/content?spaceKey={key}&title={title}"));
        text(&page["results"][0]["id"]).to_owned()
    }

    /// The id of the trashed item of this title.
    fn trashed(&self, key: &str, title: &str) -> String {
        let page = self.get(&format!("/rest/api/space/{key}/trash?limit=100"));
        let found = rows(&page)
            .iter()
            .find(|item| item["title"] == title)
            .unwrap_or_else(|| panic!("{title} is not in the trash"));
        text(&found["id"]).to_owned()
    }
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

pub(crate) fn rows(page: &Value) -> &[Value] {
    page["results"]
        .as_array()
        .unwrap_or_else(|| panic!("not a page: {page}"))
}

fn titles(page: &Value) -> Vec<&str> {
    rows(page).iter().map(|row| text(&row["title"])).collect()
}

fn keys(page: &Value) -> Vec<&str> {
    rows(page).iter().map(|row| text(&row["key"])).collect()
}

#[test]
fn spaces_are_listed_without_hidden_ones_and_filtered_by_every_parameter() {
    let wiki = small();
    let list = |query: &str| {
        let page = wiki.get(&format!("/rest/api/space?{query}"));
        keys(&page).join(" ")
    };
    assert_eq!(list(""), "ENG OPS HR ~asmith");
    assert_eq!(list("spaceKey=HR&spaceKey=eng"), "ENG HR");
    assert_eq!(list("spaceKeys=HR,OPS"), "OPS HR");
    assert_eq!(list("spaceKeySingle=OPS"), "OPS");
    assert_eq!(list("spaceId=98306&spaceId=98307"), "OPS HR");
    assert_eq!(list("type=personal"), "~asmith");
    assert_eq!(list("type=global&status=current"), "ENG HR");
    assert_eq!(list("status=archived"), "OPS");
    assert_eq!(list("label=platform"), "ENG OPS");
    assert_eq!(list("label=eng&label=platform"), "ENG OPS");
    assert_eq!(list("contentLabel=start"), "ENG");
    assert_eq!(list("favourite=true"), "ENG");
    assert_eq!(list("favourite=false"), "OPS HR ~asmith");
    assert_eq!(list("hasRetentionPolicy=true"), "ENG");
    assert_eq!(list("hasRetentionPolicy=false&type=global"), "OPS HR");
    assert_eq!(list("start=1&limit=2"), "OPS HR");
    for bad in [
        "label=nope",
        "contentLabel=nope",
        "status=nope",
        "type=nope",
        "start=x",
    ] {
        assert_eq!(
            wiki.status("GET", &format!("/rest/api/space?{bad}")),
            400,
            "{bad}"
        );
    }
}

#[test]
fn the_user_is_told_in_body_and_header() {
    let wiki = small();
    let got = wiki.send("GET", "/rest/api/user/current", None);
    assert_eq!(got.json()["username"], "jdoe");
    assert_eq!(got.json()["displayName"], "J. Doe");
    assert_eq!(got.header("x-ausername"), "jdoe");
    wiki.server.behave(|behaviour| behaviour.anonymous = true);
    let got = wiki.send("GET", "/rest/api/user/current", None);
    assert_eq!(
        (got.status, got.json()["type"].as_str()),
        (200, Some("anonymous"))
    );
    assert_eq!(got.header("x-ausername"), "anonymous");
}

#[test]
fn a_space_is_read_with_what_is_expanded() {
    let wiki = small();
    let plain = wiki.get("/rest/api/space/eng");
    assert_eq!(plain["key"], "ENG");
    assert_eq!(plain["status"], "CURRENT");
    assert_eq!(plain["creator"]["username"], "asmith");
    assert_eq!(plain["creationDate"], "2019-03-02T08:14:00.000Z");
    assert_eq!(
        plain["homepage"],
        json!({"idProperties": {}, "expanded": false})
    );
    assert!(plain["_expandable"]["description"].is_string());
    let full = wiki.get(
        "/rest/api/space/ENG?expand=homepage.version,description.plain,description.view,\
         metadata.labels,permissions,icon,retentionPolicy",
    );
    assert_eq!(full["homepage"]["title"], "Home");
    assert_eq!(full["homepage"]["version"]["number"], 12);
    assert_eq!(full["description"]["plain"]["value"], "Everything & more");
    assert_eq!(
        full["description"]["view"]["value"],
        "<p>Everything &amp; more</p>"
    );
    assert_eq!(full["metadata"]["labels"], json!(["eng", "platform"]));
    assert_eq!(
        full["permissions"][0]["operation"]["operation"],
        "administer"
    );
    assert!(text(&full["icon"]["path"]).starts_with("/images/"));
    assert_eq!(full["retentionPolicy"]["name"], "Two years of versions");
    for hidden in ["SECRET", "NONE"] {
        let got = wiki.send("GET", &format!("/rest/api/space/{hidden}"), None);
        assert_eq!(got.status, 404);
        assert_eq!(
            got.json()["message"],
            format!("No space with key : {hidden}")
        );
        assert_eq!(got.json()["reason"], "Not Found");
    }
}

#[test]
fn spaces_are_created_and_refused() {
    let wiki = small();
    let made = wiki.send(
        "POST",
        "/rest/api/space",
        Some(&json!({"key": "NEW", "name": "New", "description": {"plain": {"value": "d"}}})),
    );
    assert_eq!(made.status, 200);
    assert_eq!(made.json()["description"]["plain"]["value"], "d");
    assert_eq!(made.json()["homepage"]["title"], "New Home");
    let private = json!({"key": "MINE", "name": "Mine"});
    assert_eq!(
        wiki.send("POST", "/rest/api/space/_private", Some(&private))
            .status,
        200
    );
    assert_eq!(
        wiki.send("POST", "/rest/api/space/_private", Some(&private))
            .status,
        409
    );
    let lower = json!({"key": "new", "name": "Again"});
    assert_eq!(
        wiki.send("POST", "/rest/api/space", Some(&lower)).status,
        409
    );
    let bad = wiki.send(
        "POST",
        "/rest/api/space",
        Some(&json!({"key": "a b", "name": " "})),
    );
    assert_eq!(bad.status, 400);
    let errors = &bad.json()["data"]["errors"];
    assert_eq!(errors.as_array().map(Vec::len), Some(2));
    assert!(text(&errors[0]["message"]["translation"]).contains("key"));
    let personal = wiki.send("POST", "/rest/api/space/personal", Some(&json!({})));
    assert_eq!(personal.json()["key"], "~jdoe");
    assert_eq!(personal.json()["type"], "personal");
    assert_eq!(
        wiki.send("POST", "/rest/api/space/personal", None).status,
        409
    );
    let bad = json!({"description": "text"});
    assert_eq!(
        wiki.send("POST", "/rest/api/space/personal", Some(&bad))
            .status,
        400
    );
    wiki.server
        .behave(|behaviour| behaviour.may_create_spaces = false);
    for path in [
        "/rest/api/space",
        "/rest/api/space/_private",
        "/rest/api/space/personal",
    ] {
        let body = json!({"key": "X", "name": "X"});
        assert_eq!(wiki.send("POST", path, Some(&body)).status, 403, "{path}");
    }
}

#[test]
fn a_space_is_updated_by_what_is_sent_alone() {
    let wiki = small();
    let second = wiki.id("ENG", "Second%20root");
    let put = |body: Value| wiki.send("PUT", "/rest/api/space/ENG", Some(&body));
    let done = put(json!({"key": "ENG", "name": "Renamed", "homepage": {"id": second}}));
    assert_eq!(done.status, 200);
    assert_eq!(done.json()["name"], "Renamed");
    assert_eq!(done.json()["homepage"]["title"], "Second root");
    assert_eq!(
        done.json()["description"]["plain"]["value"],
        "Everything & more"
    );
    assert_eq!(done.json()["lastModifier"]["username"], "jdoe");
    let cleared = put(json!({"name": "Renamed", "description": {"plain": {"value": ""}}}));
    assert_eq!(cleared.json()["description"]["plain"]["value"], "");
    assert_eq!(put(json!({"key": "ENG"})).status, 400);
    assert_eq!(put(json!({"key": "OTHER", "name": "n"})).status, 400);
    let foreign = wiki.id("OPS", "Runbook");
    assert_eq!(
        put(json!({"name": "n", "homepage": {"id": foreign}})).status,
        400
    );
    let body = json!({"name": "n"});
    assert_eq!(
        wiki.send("PUT", "/rest/api/space/HR", Some(&body)).status,
        403
    );
    assert_eq!(
        wiki.send("PUT", "/rest/api/space/SECRET", Some(&body))
            .status,
        404
    );
}

#[test]
fn archive_and_restore_are_idempotent() {
    let wiki = small();
    for (verb, status) in [("archive", "ARCHIVED"), ("restore", "CURRENT")] {
        for _ in 0..2 {
            assert_eq!(
                wiki.status("PUT", &format!("/rest/api/space/ENG/{verb}")),
                204
            );
            assert_eq!(wiki.get("/rest/api/space/ENG")["status"], status);
        }
        assert_eq!(
            wiki.status("PUT", &format!("/rest/api/space/HR/{verb}")),
            403
        );
        assert_eq!(
            wiki.status("PUT", &format!("/rest/api/space/NONE/{verb}")),
            404
        );
    }
}

/// Starts a deletion and gives the path of its task.
fn deletion(wiki: &Wiki) -> String {
    let got = wiki.send("DELETE", "/rest/api/space/ENG", None);
    assert_eq!(got.status, 202);
    format!("/rest/api/longtask/{}", text(&got.json()["id"]))
}

#[test]
fn a_deletion_takes_several_looks_and_then_the_space_is_gone() {
    let wiki = small();
    let task = deletion(&wiki);
    let shares: Vec<_> = (0..4)
        .map(|_| wiki.get(&task)["percentageComplete"].as_u64())
        .collect();
    assert_eq!(shares, [Some(25), Some(50), Some(75), Some(100)]);
    assert_eq!(wiki.get(&task)["successful"], true);
    assert_eq!(wiki.status("GET", "/rest/api/space/ENG"), 404);
    assert_eq!(wiki.status("DELETE", "/rest/api/space/HR"), 403);
    assert_eq!(wiki.status("DELETE", "/rest/api/space/NONE"), 404);
    assert_eq!(wiki.status("GET", "/rest/api/longtask/nonsense"), 404);
}

#[test]
fn a_deletion_goes_on_when_only_the_space_is_looked_at() {
    let wiki = small();
    deletion(&wiki);
    let looks: Vec<_> = (0..5)
        .map(|_| wiki.status("GET", "/rest/api/space/ENG"))
        .collect();
    assert_eq!(looks, [200, 200, 200, 404, 404]);
}

#[test]
fn a_deletion_can_fail_stall_expire_or_vanish() {
    for (fate, last, space) in [
        (Deletion::Fails, Some((100, false)), 200),
        (Deletion::Stalls, Some((60, true)), 200),
        (Deletion::StallsWithError, Some((60, false)), 200),
        (Deletion::Expires, None, 404),
        (Deletion::Vanishes, None, 200),
    ] {
        let wiki = small();
        wiki.server.behave(|behaviour| behaviour.deletion = fate);
        let task = deletion(&wiki);
        for _ in 0..5 {
            wiki.send("GET", &task, None);
        }
        let got = wiki.send("GET", &task, None);
        match last {
            Some((share, successful)) => {
                assert_eq!(got.json()["percentageComplete"], share, "{fate:?}");
                assert_eq!(got.json()["successful"], successful, "{fate:?}");
            }
            None => assert_eq!(got.status, 404, "{fate:?}"),
        }
        assert_eq!(wiki.status("GET", "/rest/api/space/ENG"), space, "{fate:?}");
    }
}

#[test]
fn content_is_flat_as_documented_and_by_type_from_real_servers() {
    let wiki = small();
    let flat = wiki.get("/rest/api/space/ENG/content");
    assert_eq!(
        titles(&flat),
        ["Home", "Plan", "Step", "Second root", "News"]
    );
    assert_eq!(flat["totalCount"], 5);
    let roots = wiki.get("/rest/api/space/ENG/content?depth=root&start=1");
    assert_eq!(titles(&roots), ["Second root", "News"]);
    assert_eq!(
        wiki.status("GET", "/rest/api/space/ENG/content?depth=deep"),
        400
    );
    assert_eq!(wiki.status("GET", "/rest/api/space/NONE/content"), 404);

    let wiki = small_as(Generation::Ten, true);
    let map = wiki.get("/rest/api/space/ENG/content?limit=2&start=2");
    assert_eq!(titles(&map["page"]), ["Step", "Second root"]);
    assert_eq!(titles(&map["blogpost"]), Vec::<&str>::new());
    assert!(map["page"].get("totalCount").is_none());
}

#[test]
fn content_of_one_type_is_flat_and_an_unknown_type_is_empty() {
    let wiki = small();
    let list = |rest: &str| wiki.get(&format!("/rest/api/space/ENG/content/{rest}"));
    assert_eq!(titles(&list("page?depth=root")), ["Home", "Second root"]);
    assert_eq!(titles(&list("blogpost")), ["News"]);
    assert!(rows(&list("comment")).is_empty());
    assert!(rows(&list("sheet")).is_empty());
}

#[test]
fn content_is_expanded_in_depth() {
    let wiki = small();
    let plan = wiki.id("ENG", "Plan");
    let got = wiki.get(&format!(
        "/rest/api/content/{plan}?expand=version,ancestors.version,body.storage,body.view,history.\
         lastUpdated,metadata.labels,children.page.version,children.attachment,space.homepage,\
         restrictions.read.restrictions.user,restrictions.read.restrictions.group,\
         restrictions.update.restrictions.user,container"
    ));
    assert_eq!(got["version"]["number"], 3);
    assert_eq!(got["ancestors"][0]["title"], "Home");
    assert_eq!(got["ancestors"][0]["version"]["number"], 12);
    assert_eq!(got["body"]["storage"]["value"], "<p>Plan</p>");
    assert_eq!(got["history"]["lastUpdated"]["number"], 3);
    assert_eq!(titles(&got["children"]["page"]), ["Step"]);
    assert_eq!(
        titles(&got["children"]["attachment"]),
        ["plan.pdf", "notes.txt"]
    );
    assert_eq!(got["space"]["key"], "ENG");
    let read = &got["restrictions"]["read"]["restrictions"];
    assert_eq!(read["user"]["results"][0]["username"], "jdoe");
    assert_eq!(read["group"]["results"][0]["name"], "hr-staff");
    let update = &got["restrictions"]["update"]["restrictions"];
    assert_eq!(update["user"]["results"][0]["username"], "asmith");
    assert!(update.get("group").is_none());
    let home = wiki.id("ENG", "Home");
    let view = wiki.get(&format!("/rest/api/content/{home}?expand=body.view"));
    assert_eq!(
        view["body"]["view"]["value"],
        "<p>Hello <a href=\"/display/ENG/Plan\">Plan</a></p>"
    );
    assert!(view["body"].get("storage").is_none());
    assert!(view["_expandable"]["version"].is_string());
    let children = wiki.get(&format!(
        "/rest/api/content/{home}/child/page?expand=version"
    ));
    assert_eq!(titles(&children), ["Plan"]);
    assert_eq!(wiki.status("GET", "/rest/api/content/999999999"), 404);
    assert_eq!(wiki.status("GET", "/rest/api/content/12x"), 500);
}

/// Whatever is expanded, a row of a list says what the content says alone.
#[test]
fn lists_expand_as_a_single_content_does() {
    const EXPAND: &str = "expand=body.storage,version,ancestors,history,space,container,\
        metadata.labels,extensions,children.attachment,restrictions.read.restrictions.user,\
        restrictions.read.restrictions.group,restrictions.update.restrictions.user,\
        restrictions.update.restrictions.group";
    for (generation, real) in [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ] {
        let wiki = small_as(generation, real);
        let trashed = "/rest/api/content?spaceKey=ENG&status=trashed&type=";
        let mut lists = vec![
            "/rest/api/space/ENG/content/page?".to_owned(),
            "/rest/api/space/ENG/content/blogpost?".to_owned(),
            format!("{trashed}page"),
            format!("{trashed}blogpost"),
            format!("{trashed}attachment"),
        ];
        if generation == Generation::Ten {
            lists.push("/rest/api/space/ENG/trash?".to_owned());
        }
        for list in lists {
            let page = wiki.get(&format!("{list}&{EXPAND}"));
            assert!(!rows(&page).is_empty(), "{list}");
            for row in rows(&page) {
                let id = text(&row["id"]);
                let alone = format!("/rest/api/content/{id}?status=any&{EXPAND}");
                let mut alone = wiki.get(&alone);
                // What stands alone says where the wiki is, too.
                let links = alone["_links"].as_object_mut().expect("links");
                assert!(links.remove("base").is_some() && links.remove("context").is_some());
                assert_eq!(*row, alone, "{list}");
            }
        }
    }
    // No more than a hundred with bodies, and twenty-five attachments of each.
    let mut seed = String::from("space: ENG\nname: Engineering\n");
    for n in 0..120 {
        seed.push_str(&format!("\n=== page\ntitle: Old {n}\nstatus: trashed\n"));
        if n == 0 {
            for file in 0..26 {
                seed.push_str(&format!("attachment: {file}.txt | text/plain | 1\n"));
            }
        }
    }
    let wiki = wiki(Options {
        seed: Seed::Text(seed),
        ..Options::default()
    });
    for list in [
        "/rest/api/space/ENG/trash?",
        "/rest/api/content?spaceKey=ENG&status=trashed&type=page",
    ] {
        let page = wiki.get(&format!("{list}&limit=200&{EXPAND}"));
        assert_eq!(rows(&page).len(), 100, "{list}");
        let attachments = &rows(&page)[0]["children"]["attachment"];
        assert_eq!(rows(attachments).len(), 25, "{list}");
        assert!(attachments["_links"]["next"].is_string(), "{list}");
    }
}

#[test]
fn trash_is_read_by_cursor_both_ways() {
    let wiki = small();
    let page = |cursor: &str| wiki.get(&format!("/rest/api/space/ENG/trash?limit=2{cursor}"));
    let first = page("");
    assert_eq!(titles(&first), ["Old tree", "Old leaf"]);
    assert_eq!(first["cursor"], "content:false:null");
    assert_eq!(first["totalCount"], 5);
    assert!(first.get("prevCursor").is_none());
    assert!(
        text(&first["_links"]["next"]).starts_with("/rest/api/space/ENG/trash?cursor=content:")
    );
    let second = page(&format!("&cursor={}", text(&first["nextCursor"])));
    assert_eq!(titles(&second), ["Plan", "Old news"]);
    let third = page(&format!("&cursor={}", text(&second["nextCursor"])));
    assert_eq!(titles(&third), ["dropped.txt"]);
    assert!(third.get("nextCursor").is_none());
    assert!(third["_links"].get("next").is_none());
    let back = page(&format!("&cursor={}", text(&third["prevCursor"])));
    assert_eq!(titles(&back), ["Plan", "Old news"]);
    let first_again = page(&format!("&cursor={}", text(&back["prevCursor"])));
    assert_eq!(titles(&first_again), ["Old tree", "Old leaf"]);
    assert!(first_again.get("prevCursor").is_none());
    let leaf = wiki.trashed("ENG", "Old leaf");
    let leaf = wiki.get(&format!(
        "/rest/api/content/{leaf}?status=trashed&expand=ancestors"
    ));
    assert_eq!(leaf["ancestors"][0]["title"], "Home");
    assert_eq!(leaf["ancestors"][1]["title"], "Old tree");
    assert_eq!(
        wiki.status("GET", "/rest/api/space/ENG/trash?cursor=x"),
        400
    );
    assert_eq!(wiki.status("GET", "/rest/api/space/HR/trash"), 403);
    assert_eq!(wiki.status("GET", "/rest/api/space/NONE/trash"), 404);
}

#[test]
fn the_trash_of_older_servers_is_read_by_content() {
    let wiki = small_as(Generation::Nine, true);
    let list = |kind: &str| {
        wiki.get(&format!(
            "/rest/api/content?spaceKey=ENG&status=trashed&type={kind}"
        ))
    };
    assert_eq!(titles(&list("page")), ["Old tree", "Old leaf", "Plan"]);
    assert_eq!(titles(&list("blogpost")), ["Old news"]);
    assert_eq!(titles(&list("attachment")), ["dropped.txt"]);
    assert_eq!(
        wiki.status("GET", "/rest/api/content?spaceKey=HR&status=trashed"),
        403
    );
}

#[test]
fn the_whole_trash_is_purged_and_nothing_else() {
    let wiki = small();
    assert_eq!(wiki.status("DELETE", "/rest/api/space/ENG/trash"), 204);
    assert!(rows(&wiki.get("/rest/api/space/ENG/trash")).is_empty());
    assert_eq!(rows(&wiki.get("/rest/api/space/ENG/content")).len(), 5);
    assert_eq!(wiki.status("DELETE", "/rest/api/space/HR/trash"), 403);
    assert_eq!(wiki.status("DELETE", "/rest/api/space/NONE/trash"), 404);
}

#[test]
fn one_item_is_purged_only_from_the_trash() {
    let wiki = small();
    let tree = wiki.trashed("ENG", "Old tree");
    let leaf = wiki.trashed("ENG", "Old leaf");
    let home = wiki.id("ENG", "Home");
    assert_eq!(
        wiki.status(
            "DELETE",
            &format!("/rest/api/content/{home}?status=trashed")
        ),
        404
    );
    assert_eq!(
        wiki.status("DELETE", &format!("/rest/api/content/{tree}")),
        404
    );
    assert_eq!(
        wiki.status(
            "DELETE",
            &format!("/rest/api/content/{tree}?status=trashed")
        ),
        204
    );
    assert_eq!(
        wiki.status("GET", &format!("/rest/api/content/{tree}?status=any")),
        404
    );
    let leaf = wiki.get(&format!(
        "/rest/api/content/{leaf}?status=trashed&expand=ancestors"
    ));
    assert_eq!(leaf["ancestors"], json!([]));
    assert_eq!(wiki.get("/rest/api/space/ENG/trash")["totalCount"], 4);
}

#[test]
fn restoring_checks_version_and_title_and_keeps_a_living_parent() {
    let wiki = small();
    let tree = wiki.trashed("ENG", "Old tree");
    let leaf = wiki.trashed("ENG", "Old leaf");
    let plan = wiki.trashed("ENG", "Plan");
    let restore = |id: &str, title: &str, number: u64| {
        let body = json!({"id": id, "type": "page", "title": title, "status": "current",
                          "version": {"number": number}});
        wiki.send("PUT", &format!("/rest/api/content/{id}"), Some(&body))
    };
    assert_eq!(restore(&tree, "Old tree", 5).status, 400);
    assert_eq!(restore(&plan, "plan", 2).status, 409);
    let done = restore(&tree, "Old tree", 6);
    assert_eq!(done.status, 200);
    assert_eq!(done.json()["status"], "current");
    assert_eq!(done.json()["version"]["number"], 6);
    assert_eq!(done.json()["ancestors"][0]["title"], "Home");
    assert_eq!(
        restore(&leaf, "Old leaf", 2).json()["ancestors"][1]["title"],
        "Old tree"
    );
    assert_eq!(restore(&plan, "Plan two", 2).json()["title"], "Plan two");
    assert_eq!(wiki.get("/rest/api/space/ENG/trash")["totalCount"], 2);
    assert_eq!(
        wiki.get("/rest/api/space/ENG/content/page")["totalCount"],
        7
    );
}

#[test]
fn an_orphan_is_restored_to_the_root() {
    let wiki = small();
    let leaf = wiki.trashed("ENG", "Old leaf");
    let body = json!({"type": "page", "title": "Old leaf", "status": "current",
                      "version": {"number": 2}});
    let done = wiki.send("PUT", &format!("/rest/api/content/{leaf}"), Some(&body));
    assert_eq!(done.json()["ancestors"], json!([]));
}

#[test]
fn pages_are_made_moved_rewritten_and_trashed() {
    let wiki = small();
    let home = wiki.id("ENG", "Home");
    let create = |body: &Value| wiki.send("POST", "/rest/api/content", Some(body));
    let new = json!({"type": "page", "title": "Fresh", "space": {"key": "ENG"},
                     "ancestors": [{"id": home}],
                     "body": {"storage": {"value": "<p>1</p>", "representation": "storage"}}});
    let made = create(&new);
    assert_eq!(made.status, 200);
    let id = text(&made.json()["id"]).to_owned();
    assert_eq!(made.json()["ancestors"][0]["title"], "Home");
    assert_eq!(create(&new).status, 409);
    assert_eq!(
        create(&json!({"type": "page", "space": {"key": "ENG"}})).status,
        400
    );

    let path = format!("/rest/api/content/{id}");
    let second = wiki.id("ENG", "Second%20root");
    let change = |number: u64, more: Value| {
        let mut body = json!({"type": "page", "title": "Fresh", "version": {"number": number}});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        wiki.send("PUT", &path, Some(&body))
    };
    let text_two = json!({"body": {"storage": {"value": "<p>2</p>"}}});
    assert_eq!(change(1, text_two.clone()).status, 409);
    assert_eq!(
        change(2, text_two).json()["body"]["storage"]["value"],
        "<p>2</p>"
    );
    let moved = change(3, json!({"ancestors": [{"id": second}]}));
    assert_eq!(moved.json()["ancestors"][0]["title"], "Second root");
    assert_eq!(moved.json()["body"]["storage"]["value"], "<p>2</p>");
    assert_eq!(change(4, json!({"ancestors": [{"id": id}]})).status, 400);

    let plan = wiki.id("ENG", "Plan");
    assert_eq!(
        wiki.status("DELETE", &format!("/rest/api/content/{plan}")),
        204
    );
    let step = wiki.id("ENG", "Step");
    let step = wiki.get(&format!("/rest/api/content/{step}?expand=ancestors"));
    assert_eq!(step["ancestors"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        wiki.status("GET", &format!("/rest/api/content/{plan}")),
        404
    );
    assert_eq!(
        wiki.status("GET", &format!("/rest/api/content/{plan}?status=trashed")),
        200
    );
}

#[test]
fn labels_and_restrictions_are_set() {
    let wiki = small();
    let id = wiki.id("ENG", "Step");
    let labels = json!([{"prefix": "global", "name": "One"}, {"prefix": "global", "name": "two"}]);
    let path = format!("/rest/api/content/{id}");
    let got = wiki.send("POST", &format!("{path}/label"), Some(&labels));
    assert_eq!((got.status, rows(&got.json()).len()), (200, 2));
    let bad = json!([{"prefix": "global", "name": "two words"}]);
    assert_eq!(
        wiki.send("POST", &format!("{path}/label"), Some(&bad))
            .status,
        400
    );
    let restrictions = json!([
        {"operation": "read", "restrictions": {
            "user": [{"type": "known", "username": "jdoe"}], "group": [{"name": "staff"}]}},
        {"operation": "update", "restrictions": {"user": {"results": [{"username": "asmith"}]}}},
    ]);
    let put = format!("{path}/restriction");
    assert_eq!(wiki.send("PUT", &put, Some(&restrictions)).status, 200);
    let got = wiki.get(&format!(
        "{path}?expand=metadata.labels,restrictions.read.restrictions.group,\
         restrictions.update.restrictions.user"
    ));
    let names: Vec<_> = rows(&got["metadata"]["labels"])
        .iter()
        .map(|label| text(&label["name"]))
        .collect();
    assert_eq!(names, ["one", "two"]);
    let group = &got["restrictions"]["read"]["restrictions"]["group"]["results"][0];
    assert_eq!(group["name"], "staff");
    let user = &got["restrictions"]["update"]["restrictions"]["user"]["results"][0];
    assert_eq!(user["username"], "asmith");
}

#[test]
fn attachments_are_downloaded_also_from_the_trash() {
    let wiki = wiki(Options {
        context: "/confluence".to_owned(),
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    });
    assert!(wiki.server.base_url().ends_with("/confluence"));
    let tree = wiki.trashed("ENG", "Old tree");
    let list = wiki.get(&format!("/rest/api/content/{tree}/child/attachment"));
    let old = &rows(&list)[0];
    assert!(text(&old["id"]).starts_with("att"));
    assert_eq!(old["extensions"]["fileSize"], 70000);
    let file = wiki.send("GET", text(&old["_links"]["download"]), None);
    assert_eq!(file.body.len(), 70000);
    let again = wiki.send("GET", text(&old["_links"]["download"]), None);
    assert!(file.body == again.body);
    let dropped = wiki.trashed("ENG", "dropped.txt");
    let got = wiki.get(&format!(
        "/rest/api/content/{dropped}?status=trashed&expand=container"
    ));
    assert_eq!(got["container"]["title"], "Plan");
    let file = wiki.send("GET", text(&got["_links"]["download"]), None);
    assert_eq!(file.body.len(), 59);
    assert!(file.body.is_ascii());
    assert_eq!(file.header("content-type"), "text/plain");
    assert_eq!(
        wiki.status("GET", "/download/attachments/393217/none.pdf"),
        404
    );
}

#[test]
fn search_takes_the_simple_forms_of_cql() {
    let wiki = small();
    let find = |cql: &str| {
        let page = wiki.get(&format!("/rest/api/content/search?cql={cql}"));
        titles(&page).join(" ")
    };
    assert_eq!(find("space%3DENG%20and%20type%3Dblogpost"), "News");
    assert_eq!(find("title~%22pla%22%20and%20type=page"), "Plan");
    assert_eq!(find("space=OPS"), "Runbook");
    let page = wiki.get("/rest/api/search?cql=title=Home");
    assert_eq!(page["results"][0]["content"]["title"], "Home");
    assert_eq!(page["totalSize"], 1);
    assert_eq!(wiki.status("GET", "/rest/api/search?cql=nonsense"), 400);
    assert_eq!(wiki.status("GET", "/rest/api/search?cql=creator=jdoe"), 400);
}

#[test]
fn generations_differ_as_they_should() {
    let nine = small_as(Generation::Nine, false);
    let seven = small_as(Generation::Seven, false);
    for wiki in [&nine, &seven] {
        for (method, path, status) in [
            ("GET", "/rest/api/space/ENG/trash", 404),
            ("DELETE", "/rest/api/space/ENG/trash", 404),
            ("POST", "/rest/api/space/personal", 405),
        ] {
            assert_eq!(wiki.status(method, path), status, "{method} {path}");
        }
        let page = wiki.get("/rest/api/space?expand=metadata.labels&limit=1");
        assert!(page.get("totalCount").is_none());
        let labels = &page["results"][0]["metadata"]["labels"];
        assert_eq!(labels["results"][0]["name"], "eng");
        assert!(wiki.get("/rest/api/space/ENG/content")["page"].is_object());
    }
    assert_eq!(nine.status("PUT", "/rest/api/space/ENG/archive"), 204);
    assert_eq!(nine.get("/rest/api/space/ENG")["status"], "archived");
    assert_eq!(
        nine.get("/rest/api/space/OPS")["creationDate"],
        "2024-01-01T13:00:00.000+01:00"
    );
    assert_eq!(seven.status("PUT", "/rest/api/space/ENG/archive"), 404);
    let space = seven.get("/rest/api/space/OPS");
    for field in ["status", "creator", "creationDate"] {
        assert!(space.get(field).is_none(), "{field}");
    }
    assert_eq!(keys(&seven.get("/rest/api/space?status=archived")), ["OPS"]);
    let home = seven.id("ENG", "Home");
    let home = seven.get(&format!("/rest/api/content/{home}?expand=version"));
    assert_eq!(home["version"]["when"], "2024-11-02T10:00:00.000+0100");
    assert_eq!(seven.status("GET", "/rest/api/server-information"), 404);
    let manifest = seven
        .try_send(
            "GET",
            "/rest/applinks/1.0/manifest",
            None,
            &[("accept", "application/json")],
        )
        .expect("because the server answers");
    assert_eq!(manifest.json()["version"], "7.19.16");
    assert_eq!(
        small().get("/rest/api/server-information")["version"],
        "10.2.1"
    );
}

#[test]
fn unknown_paths_are_html() {
    let wiki = wiki(Options {
        context: "confluence/".to_owned(),
        seed: Seed::Empty,
        ..Options::default()
    });
    for path in ["/nothing", "/rest/api/nothing"] {
        let got = wiki.send("GET", path, None);
        assert_eq!(got.status, 404);
        assert!(got.header("content-type").starts_with("text/html"));
    }
    assert!(rows(&wiki.get("/rest/api/space")).is_empty());
}

#[test]
fn a_token_is_needed_where_one_is_set() {
    let wiki = wiki(Options {
        token: Some("s3cret".to_owned()),
        seed: Seed::Empty,
        ..Options::default()
    });
    let send = |authorization: &str| {
        let header = [("authorization", authorization)];
        wiki.try_send("GET", "/rest/api/user/current", None, &header)
            .expect("because the server answers")
    };
    assert_eq!(send("Bearer s3cret").status, 200);
    assert_eq!(send("Basic amRvZTpzM2NyZXQ=").status, 200);
    let refused = send("Bearer other");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["status-code"], 401);
    assert_eq!(wiki.status("GET", "/rest/api/user/current"), 401);
}

#[test]
fn a_site_in_read_only_mode_takes_no_write() {
    let wiki = small();
    assert_eq!(wiki.get("/rest/api/accessmode"), "READ_WRITE");
    wiki.server.behave(|behaviour| behaviour.read_only = true);
    assert_eq!(wiki.get("/rest/api/accessmode"), "READ_ONLY");
    let got = wiki.send("DELETE", "/rest/api/space/ENG/trash", None);
    assert_eq!(got.status, 405);
    assert_eq!(got.json()["reason"], "READ_ONLY");
    assert_eq!(wiki.get("/rest/api/space/ENG/trash")["totalCount"], 5);
}

#[test]
fn limits_are_capped_silently() {
    let spaces = many_spaces(600, Behaviour::default());
    let count = |path: &str| rows(&spaces.get(path)).len();
    assert_eq!(count("/rest/api/space"), 25);
    assert_eq!(count("/rest/api/space?limit=1000"), 500);
    assert_eq!(
        count("/rest/api/space?limit=1000&expand=metadata.labels"),
        200
    );
    assert_eq!(
        count("/rest/api/space?limit=1000&expand=description.plain"),
        100
    );
    assert_eq!(count("/rest/api/space?limit=1000&expand=homepage"), 100);
    let content = many(600, Behaviour::default());
    for path in [
        "/rest/api/space/N/content",
        "/rest/api/space/N/content/page",
        "/rest/api/space/N/trash",
    ] {
        let count = |query: &str| rows(&content.get(&format!("{path}?limit=1000{query}"))).len();
        assert_eq!(count(""), 500, "{path}");
        assert_eq!(count("&expand=version"), 200, "{path}");
        assert_eq!(count("&expand=version,body.storage"), 100, "{path}");
    }
    let page = content.get("/rest/api/space/N/content/page?limit=1000&start=590");
    assert_eq!((rows(&page).len(), page["start"].as_u64()), (10, Some(590)));
    assert!(page["_links"].get("next").is_none());
}

#[test]
fn next_is_relative_and_keeps_what_was_asked_for() {
    let wiki = wiki(Options {
        context: "/wiki".to_owned(),
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    });
    let page = wiki.get("/rest/api/space?type=global&limit=1&expand=metadata.labels");
    let next = text(&page["_links"]["next"]);
    assert_eq!(
        next,
        "/rest/api/space?type=global&expand=metadata.labels&limit=1&start=1"
    );
    assert!(text(&page["_links"]["self"]).starts_with(wiki.server.base_url()));
    assert_eq!(keys(&wiki.get(next)), ["OPS"]);
    wiki.server
        .behave(|behaviour| behaviour.quirks.push(Quirk::ForeignBase));
    let page = wiki.get("/rest/api/space");
    assert!(text(&page["_links"]["base"]).contains("inside.example"));
}

/// The titles of all pages, followed by `start += results.len()` for at most `turns` requests.
fn walk(wiki: &Wiki, turns: usize) -> Vec<String> {
    let mut all = Vec::new();
    for _ in 0..turns {
        let path = format!(
            "/rest/api/space/N/content/page?limit=10&start={}",
            all.len()
        );
        let page = wiki.get(&path);
        all.extend(titles(&page).into_iter().map(str::to_owned));
        if page["_links"].get("next").is_none() {
            break;
        }
    }
    all
}

#[test]
fn quirks_of_paging() {
    let distinct = |all: &[String]| all.iter().collect::<HashSet<_>>().len();
    let wiki = many(35, Behaviour::default());
    assert_eq!(walk(&wiki, 9).len(), 35);

    let wiki = many(35, quirk(Quirk::NeverEnds));
    let all = walk(&wiki, 9);
    assert_eq!((all.len() > 60, distinct(&all)), (true, 35));

    let wiki = many(35, quirk(Quirk::Duplicates));
    let all = walk(&wiki, 9);
    assert_eq!((all.len() > 35, distinct(&all)), (true, 35));

    let wiki = many(35, quirk(Quirk::ShortPages));
    assert_eq!(walk(&wiki, 20).len(), 35);
    let page = wiki.get("/rest/api/space/N/content/page?limit=10&start=10");
    assert_eq!(rows(&page).len(), 5);
    assert!(page["_links"].get("next").is_some());

    let wiki = many(700, quirk(Quirk::EchoedLimit));
    let page = wiki.get("/rest/api/space/N/content/page?limit=600");
    assert_eq!(
        (rows(&page).len(), page["limit"].as_u64()),
        (500, Some(600))
    );
    assert!(text(&page["_links"]["next"]).ends_with("start=600"));

    let wiki = many(5, quirk(Quirk::RepeatedCursor));
    let first = wiki.get("/rest/api/space/N/trash?limit=2");
    let path = format!(
        "/rest/api/space/N/trash?limit=2&cursor={}",
        text(&first["nextCursor"])
    );
    assert_eq!(wiki.get(&path)["nextCursor"], first["nextCursor"]);

    let wiki = many(5, quirk(Quirk::EncodedCursor));
    let first = wiki.get("/rest/api/space/N/trash?limit=2");
    assert!(text(&first["_links"]["next"]).contains("cursor=content%3Afalse%3A"));

    let wiki = many_spaces(30, quirk(Quirk::Growing));
    assert_eq!(wiki.get("/rest/api/space?start=25")["totalCount"], 30);
    assert_eq!(wiki.get("/rest/api/space?start=25")["totalCount"], 31);
}

#[test]
fn a_list_can_tell_a_row_again_in_place_of_others_whatever_the_limit() {
    let told = |wiki: &Wiki, path: &str, limit: usize| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = wiki.get(&format!("{path}limit={limit}&start={}{cursor}", all.len()));
            all.extend(titles(&page).into_iter().map(str::to_owned));
            let Some(next) = page["_links"]["next"].as_str() else {
                return (all, page["totalCount"].as_u64());
            };
            if let Some((_, query)) = next.split_once("cursor=") {
                let (query, _) = query.split_once('&').unwrap_or((query, ""));
                cursor = format!("&cursor={query}");
            }
        }
    };
    for real in [false, true] {
        let wiki = wiki(Options {
            real,
            seed: many_text(6),
            ..Options::default()
        });
        let home = wiki.id("N", "Page 0");
        for list in [
            (
                ListOf::SpaceContentOfKind,
                "/rest/api/space/N/content/page?",
            ),
            (ListOf::Trash, "/rest/api/space/N/trash?"),
            (
                ListOf::Contents,
                "/rest/api/content?spaceKey=N&status=trashed&",
            ),
            (
                ListOf::Scan,
                "/rest/api/content/scan?spaceKey=N&status=trashed&",
            ),
        ] {
            let what = format!("{list:?} {real}");
            wiki.server.behave(|behaviour| behaviour.lies.clear());
            let (truth, total) = told(&wiki, list.1, 4);
            assert_eq!(truth.len(), 6, "{what}");
            let lie = Lie {
                list: list.0,
                place: 1,
                hides: 2,
            };
            wiki.server.behave(|behaviour| behaviour.lies.push(lie));
            let lied = [0, 1, 1, 1, 4, 5].map(|place| truth[place].clone());
            for limit in [1, 2, 4, 10] {
                assert_eq!(told(&wiki, list.1, limit), (lied.to_vec(), total), "{what}");
            }
        }
        let lie = |list| Lie {
            list,
            place: 0,
            hides: 1,
        };
        wiki.server.behave(|behaviour| {
            behaviour.lies = vec![lie(ListOf::Children), lie(ListOf::SpaceContent)];
        });
        for title in ["One", "Two"] {
            let body = json!({
                "type": "comment", "container": {"id": home, "type": "page"},
                "body": {"storage": {"value": title}},
            });
            assert_eq!(
                wiki.send("POST", "/rest/api/content", Some(&body)).status,
                200
            );
        }
        let path = format!("/rest/api/content/{home}/child/comment?expand=body.storage");
        let bodies: Vec<Value> = rows(&wiki.get(&path))
            .iter()
            .map(|row| row["body"]["storage"]["value"].clone())
            .collect();
        assert_eq!(bodies, [json!("One"), json!("One")]);
        let page = wiki.get("/rest/api/space/N/content");
        let page = if real { &page["page"] } else { &page };
        assert_eq!(titles(page)[..3], ["Page 0", "Page 0", "Page 2"]);
    }
}

#[test]
fn a_scan_tells_what_is_in_a_space_by_a_cursor_from_generation_9_on() {
    let scanned = |wiki: &Wiki, query: &str| {
        let path = format!("/rest/api/content/scan?spaceKey=ENG{query}&limit=2");
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = wiki.get(&format!("{path}{cursor}"));
            all.extend(titles(&page).into_iter().map(str::to_owned));
            cursor = match &page["nextCursor"] {
                Value::Null => return all,
                Value::String(text) => format!("&cursor={text}"),
                // An object is sent back as it came, or taken from the link.
                object => {
                    let written: String =
                        url::form_urlencoded::byte_serialize(object.to_string().as_bytes())
                            .collect();
                    let link = text(&page["_links"]["next"]);
                    let (_, linked) = link.split_once("cursor=").expect("a cursor");
                    let path = format!("{path}&cursor=");
                    assert_eq!(
                        wiki.get(&format!("{path}{written}")),
                        wiki.get(&format!("{path}{linked}"))
                    );
                    format!("&cursor={linked}")
                }
            };
        }
    };
    let current = ["Home", "Plan", "Step", "Second root", "News"];
    let trashed = ["Old tree", "Old leaf", "Plan", "Old news", "dropped.txt"];
    for (generation, real) in [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
    ] {
        let wiki = small_as(generation, real);
        assert_eq!(scanned(&wiki, ""), current);
        assert_eq!(scanned(&wiki, "&status=current"), current);
        assert_eq!(scanned(&wiki, "&status=trashed"), trashed);
        let both: Vec<&str> = current.into_iter().chain(trashed).collect();
        assert_eq!(scanned(&wiki, "&status=any"), both);
        assert_eq!(
            scanned(&wiki, "&status=any&type=blogpost"),
            ["News", "Old news"]
        );
        let path = "/rest/api/content/scan?spaceKey=";
        assert_eq!(wiki.status("GET", &format!("{path}HR&status=any")), 403);
        assert_eq!(wiki.status("GET", &format!("{path}HR")), 200);
        assert_eq!(wiki.status("GET", &format!("{path}NONE")), 404);
        assert_eq!(wiki.status("GET", &format!("{path}ENG&cursor=x")), 400);
    }
    // An older one takes it for an id, and stumbles over that.
    let wiki = small_as(Generation::Seven, true);
    let path = "/rest/api/content/scan?spaceKey=ENG";
    assert_eq!(wiki.status("GET", path), 500);
}

#[test]
fn comments_are_made_answered_listed_and_purged_with_their_page() {
    let wiki = small();
    let page = wiki.id("ENG", "Plan");
    let make = |on: &str, under: Option<&str>, words: &str| {
        let mut body = json!({
            "type": "comment", "container": {"id": on, "type": "page"},
            "body": {"storage": {"value": words, "representation": "storage"}},
        });
        if let Some(under) = under {
            body["ancestors"] = json!([{"id": under}]);
        }
        wiki.send("POST", "/rest/api/content", Some(&body))
    };
    let first = make(&page, None, "First").json();
    let id = text(&first["id"]);
    assert_eq!(first["title"], "Re: Plan");
    let answer = make(&page, Some(id), "Answer").json();
    assert_eq!(answer["container"]["id"], json!(page));
    assert_eq!(answer["ancestors"][0]["id"], json!(id));
    make(&page, None, "Second");
    assert_eq!(make("999999", None, "x").status, 404);
    assert_eq!(make(&page, Some("999999"), "x").status, 400);
    let listed = |depth: &str| {
        let path = format!("/rest/api/content/{page}/child/comment?expand=body.storage{depth}");
        let page = wiki.get(&path);
        let words = rows(&page)
            .iter()
            .map(|row| row["body"]["storage"]["value"].clone());
        words.collect::<Vec<_>>()
    };
    assert_eq!(listed(""), [json!("First"), json!("Second")]);
    let all = [json!("First"), json!("Answer"), json!("Second")];
    assert_eq!(listed("&depth=all"), all);
    assert_eq!(
        wiki.status("DELETE", &format!("/rest/api/content/{page}")),
        204
    );
    assert_eq!(listed("&depth=all"), all, "a page in the trash keeps them");
    let path = format!("/rest/api/content/{page}?status=trashed");
    let files = wiki.get(&format!("/rest/api/content/{page}/child/attachment"));
    assert_eq!(titles(&files), ["plan.pdf", "notes.txt"]);
    assert_eq!(wiki.status("DELETE", &path), 204);
    for gone in [id, text(&answer["id"])] {
        assert_eq!(
            wiki.status("GET", &format!("/rest/api/content/{gone}")),
            404
        );
    }
}

#[test]
fn faults_answer_instead_of_the_server() {
    let wiki = small();
    let faults = wiki.server.faults();
    faults.add(Rule::new(
        "GET /rest/api/space",
        Fault::Answer {
            status: 429,
            headers: vec![("Retry-After".to_owned(), "7".to_owned())],
            body: "slow down".to_owned(),
        },
    ));
    let got = wiki.send("GET", "/rest/api/space?limit=1", None);
    assert_eq!((got.status, got.header("retry-after")), (429, "7"));
    assert_eq!(got.body, b"slow down");
    assert_eq!(wiki.status("GET", "/rest/api/space"), 200);

    faults.add(Rule::new("* /rest/api/**", Fault::LoginPage));
    let got = wiki.send("GET", "/rest/api/space", None);
    assert_eq!(got.status, 200);
    assert!(got.header("content-type").starts_with("text/html"));

    faults.add(Rule::new(
        "* /**",
        Fault::Redirect("https://sso.example/login".to_owned()),
    ));
    let got = wiki.send("GET", "/rest/api/space", None);
    assert_eq!(
        (got.status, got.header("location")),
        (302, "https://sso.example/login")
    );
}

#[test]
fn faults_of_the_line_lose_the_answer_and_say_whether_it_was_applied() {
    let wiki = small();
    let faults = wiki.server.faults();
    let total = || wiki.get("/rest/api/space/ENG/trash")["totalCount"].clone();
    let route = "DELETE /rest/api/space/*/trash";
    faults.add(Rule::new(route, Fault::Dropped));
    assert!(
        wiki.try_send("DELETE", "/rest/api/space/ENG/trash", None, &[])
            .is_err()
    );
    assert_eq!(total(), 5);
    assert_eq!(wiki.server.requests()[0].status, None);
    faults.add(Rule::new(route, Fault::AppliedThenLost));
    assert!(
        wiki.try_send("DELETE", "/rest/api/space/ENG/trash", None, &[])
            .is_err()
    );
    assert_eq!(total(), 0);
    for fault in [Fault::DroppedMidBody, Fault::CutShort] {
        faults.add(Rule::new("GET /rest/api/space", fault.clone()));
        let lost = wiki.try_send("GET", "/rest/api/space", None, &[]).err();
        // The head came; it is the body that broke.
        let lost = lost.unwrap_or_else(|| panic!("{fault:?}: the answer came whole"));
        assert!(lost.is_body() || lost.is_decode(), "{fault:?}: {lost:?}");
    }
    assert_eq!(wiki.status("GET", "/rest/api/space"), 200);
    faults.add(Rule::new(
        "GET /rest/api/user/current",
        Fault::Trickle {
            bytes: 100,
            pause: Duration::ZERO,
        },
    ));
    assert_eq!(wiki.get("/rest/api/user/current")["username"], "jdoe");
}

#[test]
fn a_held_request_waits_while_others_are_answered() {
    let wiki = small();
    let gate = wiki.server.faults().hold("GET /rest/api/space/ENG");
    let url = format!("{}/rest/api/space", wiki.server.base_url());
    wiki.runtime.block_on(async {
        let held = tokio::spawn(wiki.client.get(format!("{url}/ENG")).send());
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let other = wiki.client.get(format!("{url}/OPS")).send().await;
        assert_eq!(other.expect("because it is not held").status(), 200);
        assert!(!held.is_finished());
        gate.open();
        let held = held.await.expect("because it does not panic");
        assert_eq!(held.expect("because the gate is open").status(), 200);
    });
    assert_eq!(wiki.server.peak_inflight(), 2);
    let log = wiki.server.requests();
    assert_eq!(log.len(), 2);
    assert_eq!((log[0].method.as_str(), log[0].status), ("GET", Some(200)));
    assert_eq!(log[1].target, "/rest/api/space/OPS");
}

#[test]
fn more_requests_than_the_rate_are_refused_with_what_to_wait() {
    let wiki = small();
    wiki.server
        .behave(|behaviour| behaviour.requests_per_second = Some(0));
    wiki.send("GET", "/rest/api/space", None);
    let got = wiki.send("GET", "/rest/api/space", None);
    assert_eq!((got.status, got.header("retry-after")), (429, "1"));
    assert_eq!(got.header("x-ratelimit-remaining"), "0");
}

#[test]
fn a_dropped_server_is_gone() {
    let wiki = small();
    let base = wiki.server.base_url().to_owned();
    let gate = wiki.server.faults().hold("GET /rest/api/space/ENG");
    let (client, runtime) = (wiki.client, wiki.runtime);
    let server = wiki.server;
    runtime.block_on(async {
        let held = tokio::spawn(client.get(format!("{base}/rest/api/space/ENG")).send());
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        drop(server);
        assert!(held.await.expect("because it does not panic").is_err());
        assert!(
            client
                .get(format!("{base}/rest/api/space"))
                .send()
                .await
                .is_err()
        );
    });
}

#[test]
fn data_survives_a_restart() {
    let folder = tempfile::tempdir().expect("because a test may have a folder");
    let start = |seed: &str| {
        wiki(Options {
            data: Some(folder.path().join("wiki.sqlite")),
            seed: Seed::Text(seed.to_owned()),
            ..Options::default()
        })
    };
    let first = start(SMALL);
    let body = json!({"key": "KEPT", "name": "Kept"});
    assert_eq!(
        first.send("POST", "/rest/api/space", Some(&body)).status,
        200
    );
    assert_eq!(first.status("DELETE", "/rest/api/space/ENG/trash"), 204);
    let task = deletion(&first);
    drop(first);
    let second = start("space: OTHER\nname: Never seen\n");
    assert_eq!(
        keys(&second.get("/rest/api/space")),
        ["ENG", "OPS", "HR", "~asmith", "KEPT"]
    );
    assert_eq!(second.get("/rest/api/space/HR/content")["totalCount"], 1);
    assert_eq!(second.get(&task)["percentageComplete"], 25);
    drop(second);
    std::fs::write(folder.path().join("text"), "no database").expect("because the folder is ours");
    let refused = Server::start(Options {
        data: Some(folder.path().join("text")),
        ..Options::default()
    });
    assert!(
        refused
            .expect_err("because it is no database")
            .hint()
            .contains("--data")
    );
}

#[test]
fn one_server_has_a_data_file_at_a_time() {
    let folder = tempfile::tempdir().expect("because a test may have a folder");
    let options = |port: u16| Options {
        port,
        data: Some(folder.path().join("wiki.sqlite")),
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    };
    let first = wiki(options(0));
    let body = json!({"spaceKeys": ["ENG"]});
    let asked = first.send("POST", "/rest/api/backup-restore/backup/space", Some(&body));
    assert_eq!(asked.status, 200, "{}", asked.json());
    let port = first.server.base_url().rsplit(':').next();
    let port = port.and_then(|it| it.parse().ok()).expect("a port");
    for port in [0, port] {
        let refused = Server::start(options(port)).expect_err("the first one has the file");
        assert_eq!(
            refused.to_string(),
            "another coracle serve uses this data file"
        );
        assert!(refused.hint().contains("End the other one first"));
    }
    // The job of the first one goes on, and what is written is kept.
    let job = format!("/rest/api/backup-restore/jobs/{}", asked.json()["id"]);
    assert_ne!(first.get(&job)["jobState"], "FAILED");
    assert_eq!(first.status("DELETE", "/rest/api/space/ENG/trash"), 204);
    drop(first);
    assert_eq!(wiki(options(0)).get("/rest/api/space/ENG/trash")["size"], 0);
}

#[test]
fn a_large_wiki_follows_its_formula() {
    let args = |text: &str| {
        use clap::Parser;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            serve: ServeArgs,
        }
        Line::try_parse_from(text.split(' '))
            .expect("because the line is good")
            .serve
    };
    let made = args("serve --port 0 --spaces 30 --pages 3000 --trash 2000 --seed 7");
    let wiki = wiki(made.options());
    let spaces = wiki.get("/rest/api/space?limit=1");
    assert_eq!(
        (spaces["totalCount"].as_u64(), &spaces["results"][0]["key"]),
        (Some(30), &json!("BIG"))
    );
    let pages = wiki.get("/rest/api/space/BIG/content/page?start=2900&limit=100&expand=ancestors");
    assert_eq!(pages["totalCount"], 2971);
    assert_eq!(rows(&pages).len(), 71);
    assert!(rows(&pages).iter().all(|page| {
        page["ancestors"]
            .as_array()
            .is_some_and(|above| above.len() > 1)
    }));
    let roots = wiki.get("/rest/api/space/BIG/content/page?depth=root&expand=children.page");
    assert_eq!(roots["totalCount"], 50);
    let trash = wiki.get("/rest/api/space/BIG/trash?limit=100&expand=body.storage");
    assert_eq!(trash["totalCount"], 1826);
    assert_eq!(wiki.get("/rest/api/space/S00003/trash")["totalCount"], 6);
    let body = text(&trash["results"][0]["body"]["storage"]["value"]);
    assert!(body.starts_with("<p>"), "{body}");
    let same = self::wiki(made.options());
    assert_eq!(
        same.get("/rest/api/space?limit=30")["results"][29]["name"],
        wiki.get("/rest/api/space?limit=30")["results"][29]["name"]
    );
}

#[test]
fn a_large_wiki_has_the_comments_and_files_that_are_asked_for() {
    let large = |text: &str| {
        use clap::Parser;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            serve: ServeArgs,
        }
        let line = Line::try_parse_from(text.split(' '));
        line.map(|line| line.serve.options())
    };
    for (arguments, files, comments, bytes) in [
        ("--files 7 --attachments 1M --comments 5", 7, 5, 1 << 20),
        ("--attachments 2500K", 1_000, 0, 2_500 << 10),
        ("--attachments 700", 1, 0, 700),
        ("--files 3", 3, 0, 90 << 10),
    ] {
        let options = large(&format!("serve --port 0 --pages 200 {arguments}"));
        let wiki = wiki(options.expect("it is good"));
        let (mut found, mut said, mut sum) = (0, 0, 0);
        for start in [0, 100] {
            let path = format!(
                "/rest/api/space/BIG/content/page?start={start}&limit=100&expand=\
                 children.comment,children.attachment.extensions"
            );
            for page in rows(&wiki.get(&path)) {
                said += rows(&page["children"]["comment"]).len();
                let id = text(&page["id"]);
                let list = format!("/rest/api/content/{id}/child/attachment?limit=200");
                for file in rows(&wiki.get(&list)) {
                    found += 1;
                    sum += file["extensions"]["fileSize"].as_u64().expect("a size");
                }
            }
        }
        assert_eq!((found, said, sum), (files, comments, bytes), "{arguments}");
    }
    for wrong in ["2X", "G", "-1", "2000000G", "1.5G", ""] {
        assert!(
            large(&format!("serve --attachments {wrong}")).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn the_demo_wiki_is_whole_and_starts_quickly_enough_for_tests() {
    let wiki = wiki(Options::default());
    let spaces = wiki.get("/rest/api/space?limit=500");
    assert!(keys(&spaces).contains(&"ENG"));
    for key in keys(&spaces) {
        let page = wiki.get(&format!(
            "/rest/api/space/{key}/content?expand=ancestors,body.view"
        ));
        assert!(page["totalCount"].as_u64() > Some(0), "{key}");
    }
}

/// What is answered to these bytes.
fn raw(wiki: &Wiki, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = wiki.server.base_url().trim_start_matches("http://");
    let mut line = std::net::TcpStream::connect(address).expect("it listens");
    line.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("it answers");
    answer
}

fn status_of(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn only_who_calls_it_by_a_name_of_this_machine_is_answered() {
    let wiki = small();
    let port = wiki.server.base_url().rsplit(':').next().expect("a port");
    let get = |host: &str| {
        let request =
            format!("GET /rest/api/space/ENG HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        status_of(&raw(&wiki, &request)).to_owned()
    };
    for name in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        assert_eq!(get(&format!("Host: {name}:{port}\r\n")), "200", "{name}");
    }
    for host in [
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("192.168.1.1:{port}"),
        format!("me@evil.example:{port}"),
        String::new(),
    ] {
        assert_eq!(get(&format!("Host: {host}\r\n")), "403", "{host}");
    }
}

#[test]
fn what_a_form_of_a_page_could_have_sent_writes_nothing() {
    let wiki = small();
    let host = wiki.server.base_url().trim_start_matches("http://");
    let post = |key: &str, headers: &str| {
        let body = format!(r#"{{"key":"{key}","name":"Made"}}"#);
        let request = format!(
            "POST /rest/api/space HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        status_of(&raw(&wiki, &request)).to_owned()
    };
    for of_forms in [
        "text/plain",
        "text/plain; charset=UTF-8",
        "Text/Plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let headers = format!("Content-Type: {of_forms}\r\n");
        assert_eq!(post("FORM", &headers), "403", "{of_forms}");
    }
    let twice = "Content-Type: application/json\r\nContent-Type: text/plain\r\n";
    assert_eq!(post("FORM", twice), "403");
    // What a program sends goes on as before, with JSON or with a header that no form can have.
    for (key, headers) in [
        ("A", "Content-Type: application/json\r\n"),
        ("B", ""),
        (
            "C",
            "Content-Type: text/plain\r\nX-Atlassian-Token: no-check\r\n",
        ),
        (
            "D",
            "Content-Type: text/plain\r\nAuthorization: Bearer of-nobody\r\n",
        ),
        (
            "E",
            "Content-Type: text/plain\r\nSec-Fetch-Site: same-origin\r\n",
        ),
    ] {
        assert_eq!(post(key, headers), "200", "{headers}");
    }
}

#[test]
fn a_page_of_another_origin_writes_nothing() {
    let wiki = small();
    let host = wiki.server.base_url().trim_start_matches("http://");
    let name = || wiki.get("/rest/api/space/ENG")["name"].clone();
    let before = name();
    let put = |headers: &str| {
        let body = r#"{"name":"Taken over"}"#;
        let request = format!(
            "PUT /rest/api/space/ENG HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        status_of(&raw(&wiki, &request)).to_owned()
    };
    for headers in [
        "Origin: http://evil.example\r\n".to_owned(),
        "Origin: null\r\n".to_owned(),
        "Origin: http://localhost:1\r\n".to_owned(),
        format!("Origin: https://{host}\r\n"),
        format!("Origin: http://{host}.evil.example\r\n"),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
        format!("Origin: http://{host}\r\nSec-Fetch-Site: cross-site\r\n"),
    ] {
        assert_eq!(put(&headers), "403", "{headers}");
        assert_eq!(name(), before, "{headers}");
    }
    for headers in [
        String::new(),
        format!("Origin: http://{host}\r\n"),
        "Sec-Fetch-Site: none\r\n".to_owned(),
        "Sec-Fetch-Site: same-origin\r\n".to_owned(),
    ] {
        assert_eq!(put(&headers), "200", "{headers}");
    }
    assert_eq!(name(), "Taken over");
}
