//! The embedded Confluence: users and groups, what one may do in a space, its categories.
//!
//! Spoken to in plain HTTP and JSON, as in `embedded`.

use coracle::demo::{Generation, Options, Seed};
use serde_json::{Value, json};

use crate::embedded::{Wiki, rows, text, wiki};

const WIKI: &str = "\
person: jdoe | J. Doe
person: asmith | A. Smith
person: bturner | Ben Turner | disabled
person: cgone | Carla Gone | gone
group: hr-staff | asmith, bturner, cgone

space: ENG
name: Engineering
labels: platform
categories: building
favourite: yes
admins: jdoe, asmith

=== page
title: Home
by: bturner

=== page
title: Plan
by: cgone
read: user:asmith, group:hr-staff, group:directors
update: user:newcomer

=== comment
title: Re: Plan
parent: Plan
by: cgone

=== attachment
title: plan.pdf
parent: Plan
by: cgone
media-type: application/pdf
size: 12

space: OPEN
name: Open
permit: anonymous | read | space
permit: group:confluence-users | read | space
permit: user:bturner | create | page

space: HR
name: People
access: not-admin

space: SECRET
name: Secret
access: hidden
";

fn start(generation: Generation, real: bool) -> Wiki {
    wiki(Options {
        generation,
        real,
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    })
}

fn ten() -> Wiki {
    start(Generation::Ten, false)
}

fn usernames(page: &Value) -> Vec<&str> {
    rows(page).iter().map(|it| text(&it["username"])).collect()
}

#[test]
fn a_user_is_found_by_name_and_by_key_and_whoever_is_gone_is_not() {
    for generation in [Generation::Ten, Generation::Nine, Generation::Seven] {
        let wiki = start(generation, false);
        for (username, name, status) in [
            ("jdoe", "J. Doe", "current"),
            ("asmith", "A. Smith", "current"),
            ("bturner", "Ben Turner", "deactivated"),
        ] {
            let user = wiki.get(&format!("/rest/api/user?username={username}&expand=status"));
            assert_eq!(user["displayName"], name);
            assert_eq!(user["type"], "known");
            assert_eq!(user["status"], status);
            let key = text(&user["userKey"]);
            let by_key = wiki.get(&format!("/rest/api/user?key={key}"));
            assert_eq!(by_key["username"], username);
            assert!(by_key.get("status").is_none());
        }
        let path = "/rest/api/user?username=";
        for nobody in ["cgone", "nobody"] {
            assert_eq!(wiki.status("GET", &format!("{path}{nobody}")), 404);
        }
        assert_eq!(wiki.status("GET", "/rest/api/user?key=nonsense"), 404);
        assert_eq!(wiki.status("GET", "/rest/api/user"), 400);
    }
}

#[test]
fn users_are_listed_with_the_disabled_ones_from_generation_9_on() {
    for (generation, real) in [(Generation::Ten, false), (Generation::Nine, true)] {
        let wiki = start(generation, real);
        let all = wiki.get("/rest/api/user/list?expand=status");
        assert_eq!(usernames(&all), ["asmith", "bturner", "jdoe", "newcomer"]);
        assert_eq!(all["results"][1]["status"], "deactivated");
        assert_eq!(all.get("totalCount").is_some(), !real);
        let second = wiki.get("/rest/api/user/list?start=1&limit=2");
        assert_eq!(usernames(&second), ["bturner", "jdoe"]);
        assert!(second["results"][0].get("status").is_none());
        assert_eq!(
            second["_links"]["next"],
            "/rest/api/user/list?limit=2&start=3"
        );
        wiki.server
            .behave(|behaviour| behaviour.may_list_users = false);
        assert_eq!(wiki.status("GET", "/rest/api/user/list"), 403);
        assert_eq!(wiki.status("GET", "/rest/api/user?username=asmith"), 200);
    }
    let seven = start(Generation::Seven, true);
    assert_eq!(seven.status("GET", "/rest/api/user/list"), 404);
}

#[test]
fn the_author_whose_account_is_gone_is_unknown_and_the_disabled_one_is_not() {
    let wiki = ten();
    let author = |title: &str, kind: &str| {
        let path = format!("/rest/api/content?spaceKey=ENG&title={title}&type={kind}");
        wiki.get(&format!("{path}&expand=version,history"))["results"][0].clone()
    };
    for (title, kind) in [
        ("Plan", "page"),
        ("Re:%20Plan", "comment"),
        ("plan.pdf", "attachment"),
    ] {
        let item = author(title, kind);
        for by in [&item["version"]["by"], &item["history"]["createdBy"]] {
            assert_eq!(by["type"], "unknown", "{kind}");
            assert_eq!(by["displayName"], "Unknown User (cgone)", "{kind}");
            assert!(by["_links"].get("self").is_none(), "{kind}");
        }
    }
    let by = &author("Home", "page")["version"]["by"];
    assert_eq!(
        (&by["type"], &by["displayName"]),
        (&json!("known"), &json!("Ben Turner"))
    );
}

#[test]
fn whoever_a_restriction_names_is_there_and_groups_have_members() {
    let wiki = ten();
    let members = |group: &str| {
        let page = wiki.get(&format!("/rest/api/group/{group}/member"));
        usernames(&page).join(" ")
    };
    assert_eq!(members("hr-staff"), "asmith bturner");
    assert_eq!(members("directors"), "");
    assert_eq!(members("confluence-administrators"), "jdoe");
    assert_eq!(members("confluence-users"), "asmith bturner jdoe newcomer");
    assert_eq!(wiki.get("/rest/api/group/directors")["name"], "directors");
    assert_eq!(wiki.status("GET", "/rest/api/group/nobodies/member"), 404);
    assert_eq!(wiki.status("GET", "/rest/api/group/nobodies"), 404);

    // Also those that a restriction names later.
    let id = wiki.id("ENG", "Home");
    let restrictions = json!([{"operation": "read", "restrictions": {
        "user": [{"username": "late"}], "group": [{"name": "later"}]}}]);
    let put = wiki.send(
        "PUT",
        &format!("/rest/api/content/{id}/restriction"),
        Some(&restrictions),
    );
    assert_eq!(put.status, 200);
    assert_eq!(wiki.status("GET", "/rest/api/user?username=late"), 200);
    assert_eq!(members("later"), "");
}

#[test]
fn permissions_are_told_one_by_one_and_by_operation_from_the_same_data() {
    let wiki = ten();
    let told = |key: &str| wiki.get(&format!("/rest/api/space/{key}/permissions"));
    let asmith = wiki.get("/rest/api/user?username=asmith")["userKey"].clone();
    let eng = told("ENG");
    let first = &eng[0];
    assert_eq!(
        first["operation"],
        json!({"operationKey": "administer", "targetType": "space"})
    );
    assert_eq!(first["subject"], json!({"type": "user", "userKey": asmith}));
    assert_eq!(first["spaceKey"], "ENG");
    assert!(
        eng.as_array()
            .is_some_and(|all| all.iter().any(|it| it["subject"]
                == json!({"type": "group", "name": "confluence-users"})
                && it["operation"]["operationKey"] == "read"))
    );
    assert_eq!(told("OPEN")[1]["subject"], json!({"type": "anonymous"}));

    for key in ["ENG", "OPEN"] {
        let space = wiki.get(&format!("/rest/api/space/{key}?expand=permissions"));
        let mut grouped = Vec::new();
        for entry in space["permissions"].as_array().expect("a list") {
            let what = format!(
                "{} {}",
                text(&entry["operation"]["operation"]),
                text(&entry["operation"]["targetType"])
            );
            for user in rows(&entry["subjects"]["user"]) {
                grouped.push(format!("{what} {}", user["userKey"]));
            }
            for group in rows(&entry["subjects"]["group"]) {
                grouped.push(format!("{what} {}", group["name"]));
            }
            if entry["anonymousAccess"] == true {
                grouped.push(format!("{what} null"));
            }
        }
        let list = told(key);
        let mut single: Vec<String> = list
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| {
                let who = match &entry["subject"]["userKey"] {
                    Value::Null => &entry["subject"]["name"],
                    key => key,
                };
                format!(
                    "{} {} {who}",
                    text(&entry["operation"]["operationKey"]),
                    text(&entry["operation"]["targetType"])
                )
            })
            .collect();
        grouped.sort();
        single.sort();
        assert_eq!(grouped, single, "{key}");
    }
    for (key, status) in [("HR", 403), ("SECRET", 404), ("NONE", 404)] {
        let path = format!("/rest/api/space/{key}/permissions");
        assert_eq!(wiki.status("GET", &path), status, "{key}");
    }
    for generation in [Generation::Nine, Generation::Seven] {
        let wiki = start(generation, true);
        assert_eq!(wiki.status("GET", "/rest/api/space/ENG/permissions"), 404);
        let space = wiki.get("/rest/api/space/ENG?expand=permissions");
        assert!(
            space["permissions"]
                .as_array()
                .is_some_and(|it| it.len() > 3)
        );
    }
}

#[test]
fn a_private_space_is_for_its_maker_alone_and_another_for_everybody() {
    let wiki = ten();
    let jdoe = wiki.get("/rest/api/user/current")["userKey"].clone();
    let subjects = |path: &str, key: &str| {
        let body = json!({"key": key, "name": key});
        assert_eq!(wiki.send("POST", path, Some(&body)).status, 200);
        let list = wiki.get(&format!("/rest/api/space/{key}/permissions"));
        let subjects = list.as_array().expect("a list").iter();
        subjects.map(|it| it["subject"].clone()).collect::<Vec<_>>()
    };
    let private = subjects("/rest/api/space/_private", "MINE");
    assert_eq!(private.len(), 4);
    assert!(
        private.iter().all(|it| it["userKey"] == jdoe),
        "{private:?}"
    );
    let open = subjects("/rest/api/space", "OURS");
    assert!(open.contains(&json!({"type": "group", "name": "confluence-users"})));
}

#[test]
fn an_expansion_can_fail_alone_and_the_rest_is_well() {
    let wiki = ten();
    wiki.server
        .behave(|behaviour| behaviour.failing_expansions = vec!["permissions".to_owned()]);
    for path in ["/rest/api/space", "/rest/api/space/ENG"] {
        for (expand, status) in [
            ("permissions", 500),
            ("homepage,permissions", 500),
            ("permissions.subjects", 500),
            ("homepage", 200),
            ("retentionPolicy", 200),
            ("homepage.permissions", 200),
        ] {
            let path = format!("{path}?expand={expand}");
            assert_eq!(wiki.status("GET", &path), status, "{path}");
        }
    }
    assert_eq!(wiki.status("GET", "/rest/api/space/ENG/permissions"), 200);
}

#[test]
fn categories_are_set_and_removed_and_stand_among_the_labels() {
    let wiki = ten();
    let labels = || {
        let page = wiki.get("/rest/api/space/ENG/labels");
        let all = rows(&page).iter();
        all.map(|it| format!("{} {}", text(&it["prefix"]), text(&it["name"])))
            .collect::<Vec<_>>()
    };
    let path = |name: &str| format!("/rest/api/space/ENG/category/{name}");
    assert_eq!(
        labels(),
        ["team building", "global platform", "my favourite"]
    );
    for _ in 0..2 {
        assert_eq!(wiki.status("POST", &path("Harbour")), 204);
    }
    assert_eq!(
        labels(),
        [
            "team building",
            "team harbour",
            "global platform",
            "my favourite"
        ]
    );
    let space = wiki.get("/rest/api/space/ENG?expand=metadata.labels");
    assert_eq!(
        space["metadata"]["labels"],
        json!(["building", "harbour", "platform"])
    );
    let found = wiki.get("/rest/api/space?label=harbour");
    assert_eq!(found["results"][0]["key"], "ENG");
    assert_eq!(wiki.status("DELETE", &path("building")), 204);
    assert_eq!(wiki.status("DELETE", &path("building")), 404);
    assert_eq!(wiki.status("POST", &path("two%20words")), 400);
    assert_eq!(labels().len(), 3);
    for (key, status) in [("HR", 403), ("NONE", 404)] {
        let path = format!("/rest/api/space/{key}/category/x");
        assert_eq!(wiki.status("POST", &path), status);
        assert_eq!(wiki.status("DELETE", &path), status);
    }
    for generation in [Generation::Nine, Generation::Seven] {
        let wiki = start(generation, true);
        assert_eq!(wiki.status("POST", &path("x")), 404);
        assert_eq!(wiki.status("GET", "/rest/api/space/ENG/labels"), 404);
        let space = wiki.get("/rest/api/space/ENG?expand=metadata.labels");
        let names: Vec<_> = rows(&space["metadata"]["labels"])
            .iter()
            .map(|it| text(&it["prefix"]))
            .collect();
        assert_eq!(names, ["team", "global", "my"]);
    }
}

#[test]
fn a_data_file_of_an_earlier_version_gets_permissions_from_its_administrators() {
    let folder = tempfile::tempdir().expect("because a test may have a folder");
    let data = folder.path().join("wiki.sqlite");
    let start = || {
        wiki(Options {
            data: Some(data.clone()),
            seed: Seed::Text(WIKI.to_owned()),
            ..Options::default()
        })
    };
    let told = |wiki: &Wiki| {
        [
            wiki.get("/rest/api/space/ENG/permissions"),
            wiki.get("/rest/api/group/directors"),
            wiki.get("/rest/api/user?username=newcomer"),
        ]
        .map(|mut it| {
            if it.is_object() {
                it["_links"] = json!({});
            }
            it
        })
    };
    let first = start();
    let before = told(&first);
    drop(first);
    let db = rusqlite::Connection::open(&data).expect("the data");
    db.execute_batch(
        "DROP VIEW label_of_space; DROP TABLE account; DROP TABLE team; DROP TABLE membership; \
         DROP TABLE space_permission; DROP TABLE space_category; \
         DROP TRIGGER restricted_to_group; DROP TRIGGER restricted_to_user; \
         CREATE TABLE space_admin (space INTEGER NOT NULL, username TEXT NOT NULL, \
         PRIMARY KEY (space, username)) WITHOUT ROWID; \
         INSERT INTO space_admin SELECT id, 'jdoe' FROM space WHERE key = 'ENG'; \
         INSERT INTO space_admin SELECT id, 'asmith' FROM space WHERE key = 'ENG';",
    )
    .expect("the layout of before");
    drop(db);
    for _ in 0..2 {
        let again = start();
        assert_eq!(told(&again), before);
    }
}
