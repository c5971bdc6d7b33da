//! The embedded Confluence, spoken to in plain HTTP and JSON.
//!
//! The crate's own client is not used here: the two must be able to be wrong independently.

use coracle::demo::{
    Behaviour, Deletion, Fault, Generation, Options, Quirk, Rule, Seed, ServeArgs, Server,
};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

const SMALL: &str = "\
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
struct Wiki {
    server: Server,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What was answered.
struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

fn wiki(options: Options) -> Wiki {
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

fn small_as(generation: Generation, real: bool) -> Wiki {
    wiki(Options {
        generation,
        real,
        seed: Seed::Text(SMALL.to_owned()),
        ..Options::default()
    })
}

/// `n` pages, then `n` trashed ones, in a space `N`.
fn many(n: usize, behaviour: Behaviour) -> Wiki {
    let mut text = "space: N\nname: Many\n\n".to_owned();
    for number in 0..n {
        text.push_str(&format!("=== page\ntitle: Page {number}\n\n"));
    }
    for number in 0..n {
        text.push_str(&format!(
            "=== page\ntitle: Gone {number}\nstatus: trashed\n\n"
        ));
    }
    wiki(Options {
        seed: Seed::Text(text),
        behaviour,
        ..Options::default()
    })
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

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Got {
        self.try_send(method, path, body, &[])
            .expect("because the server answers")
    }

    fn get(&self, path: &str) -> Value {
        let got = self.send("GET", path, None);
        assert_eq!(
            got.status,
            200,
            "{path}: {}",
            String::from_utf8_lossy(&got.body)
        );
        got.json()
    }

    fn status(&self, method: &str, path: &str) -> u16 {
        self.send(method, path, None).status
    }

    /// The id of the current content of this title in a space.
    fn id(&self, key: &str, title: &str) -> String {
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

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

fn rows(page: &Value) -> &[Value] {
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
