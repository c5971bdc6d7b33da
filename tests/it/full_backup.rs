//! The embedded Confluence writes a space out, and reads it in again.
//!
//! Spoken to in plain HTTP, as in `embedded`.

use std::collections::BTreeMap;

use coracle::demo::seed::Large;
use coracle::demo::{Behaviour, FullBackup, FullRestore, Generation, Options, Seed, Server};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const WIKI: &str = "\
person: jdoe | J. Doe
person: bturner | Ben Turner | disabled
person: cgone | Carla Gone | gone
group: hr-staff | jdoe, cgone

space: ENG
name: Engineering
description: Everything & <more>
labels: platform, eng
categories: building, harbour
permit: anonymous | read | space
permit: group:engineering | create | page
permit: user:bturner | create | page
homepage: Home
admins: jdoe, asmith

=== page
title: Home
by: asmith
version: 12
labels: start

<p>]]> and \u{1}, <ac:link><ri:page ri:content-title=\"Plan\"/></ac:link></p>

=== page
title: Plan
parent: Home
read: user:jdoe, group:hr-staff
attachment: plan.pdf | application/pdf | 200000
attachment: notes.txt | text/plain | 100

=== page
title: Step
parent: Plan
by: cgone

=== blogpost
title: News
by: bturner

=== page
title: Old tree
parent: Home
status: trashed
attachment: old.bin | application/octet-stream | 70000

space: OPS
name: Operations
";

struct Wiki {
    server: Server,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }
}

impl Wiki {
    fn start(options: Options) -> Self {
        coracle::confluence::client::choose_cryptography();
        Self {
            server: Server::start(options).expect("a server"),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn new() -> Self {
        Self::start(Options {
            seed: Seed::Text(WIKI.to_owned()),
            behaviour: Behaviour {
                deletion_looks: 1,
                ..Behaviour::default()
            },
            ..Options::default()
        })
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Got {
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            Got {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                bytes: answer.bytes().await.expect("a body").to_vec(),
            }
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/rest/api{path}", self.server.base_url())
    }

    fn get(&self, path: &str) -> Got {
        self.send(self.client.get(self.url(path)))
    }

    fn post(&self, path: &str, body: &Value) -> Got {
        let request = self.client.post(self.url(path));
        self.send(request.body(body.to_string()))
    }

    fn ask_for_backup(&self, key: &str) -> Got {
        let body = json!({"spaceKeys": [key], "keepPermanently": false, "fileNamePrefix": "c"});
        self.post("/backup-restore/backup/space", &body)
    }

    /// Looks at a job until it is over.
    fn follow(&self, id: &Value) -> Value {
        for _ in 0..10_000 {
            let job = self.get(&format!("/backup-restore/jobs/{id}")).json();
            let state = job["jobState"].as_str().unwrap_or_default();
            if ["FINISHED", "FAILED", "CANCELLED"].contains(&state) {
                return job;
            }
        }
        panic!("the job does not end");
    }

    fn zip_of(&self, key: &str) -> Vec<u8> {
        let job = self.ask_for_backup(key).json();
        assert_eq!(self.follow(&job["id"])["jobState"], "FINISHED");
        let path = format!("/backup-restore/jobs/{}/download", job["id"]);
        self.get(&path).bytes
    }

    fn send_in(&self, zip: &[u8]) -> Got {
        let mut body = b"--edge\r\ncontent-disposition: form-data; name=\"file\"; \
filename=\"c.zip\"\r\ncontent-type: application/zip\r\n\r\n"
            .to_vec();
        body.extend_from_slice(zip);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = self
            .client
            .post(self.url("/backup-restore/restore/space/upload"))
            .header("content-type", "multipart/form-data; boundary=edge")
            .header("x-atlassian-token", "no-check")
            .body(body);
        self.send(request)
    }

    fn delete(&self, key: &str) {
        let url = self.url(&format!("/space/{key}"));
        assert_eq!(self.send(self.client.delete(url)).status, 202);
        assert_eq!(self.get(&format!("/space/{key}")).status, 404);
    }

    /// Everything that can be read of a space, by path of titles, without ids.
    fn picture(&self, key: &str) -> BTreeMap<String, Value> {
        let mut picture = BTreeMap::new();
        let space = self.get(&format!(
            "/space/{key}?expand=description.plain,metadata.labels,permissions"
        ));
        let space = space.json();
        picture.insert(
            String::new(),
            json!([
                space["name"],
                space["description"]["plain"]["value"],
                space["metadata"],
                self.get(&format!("/space/{key}/labels")).json()["results"],
                self.permissions(key),
                without_ids(&space["permissions"]),
            ]),
        );
        let expand = "body.storage,version,ancestors,metadata.labels,history,\
restrictions.read.restrictions.user,restrictions.read.restrictions.group";
        let path = format!("/content/scan?spaceKey={key}&status=any&limit=100&expand={expand}");
        for row in self.get(&path).json()["results"].as_array().expect("rows") {
            let id = row["id"].as_str().expect("an id");
            let above: Vec<&Value> = row["ancestors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|it| &it["title"])
                .collect();
            let comments = self.get(&format!(
                "/content/{id}/child/comment?depth=all&expand=body.storage"
            ));
            let comments: Vec<Value> = comments.json()["results"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|it| it["body"]["storage"]["value"].clone())
                .collect();
            let old = self.get(&format!("/content/{id}?status=historical&version=1"));
            let old = (old.status == 200).then(|| old.json()["body"]["storage"]["value"].clone());
            picture.insert(
                format!("{above:?} {}", row["title"]),
                json!([
                    row["type"],
                    row["status"],
                    row["version"]["number"],
                    row["version"]["by"],
                    row["history"]["createdBy"],
                    row["body"]["storage"]["value"],
                    row["history"]["createdDate"],
                    row["metadata"]["labels"]["results"],
                    row["restrictions"]["read"]["restrictions"]["user"]["results"],
                    row["restrictions"]["read"]["restrictions"]["group"]["results"],
                    comments,
                    old,
                    self.files(id),
                ]),
            );
        }
        picture
    }

    /// Who may do what in a space.
    fn permissions(&self, key: &str) -> Value {
        without_ids(&self.get(&format!("/space/{key}/permissions")).json())
    }

    /// Name and hash of each file of a page.
    fn files(&self, page: &str) -> Vec<Value> {
        let list = self.get(&format!("/content/{page}/child/attachment"));
        let mut files = Vec::new();
        for file in list.json()["results"].as_array().into_iter().flatten() {
            let link = file["_links"]["download"].as_str().expect("a link");
            let url = format!("{}{link}", self.server.base_url());
            let got = self.send(self.client.get(url));
            files.push(json!([
                file["title"],
                got.bytes.len(),
                format!("{:x?}", &Sha256::digest(&got.bytes)[..])
            ]));
        }
        files
    }

    fn edit(&self, title: &str) {
        let found = self.get(&format!(
            "/content?spaceKey=ENG&title={title}&expand=version"
        ));
        let page = &found.json()["results"][0];
        let body = json!({
            "type": "page", "title": title,
            "version": {"number": page["version"]["number"].as_u64().expect("a number") + 1},
            "body": {"storage": {"value": "<p>edited</p>", "representation": "storage"}},
        });
        let url = self.url(&format!("/content/{}", page["id"].as_str().expect("an id")));
        let put = self.client.put(url).body(body.to_string());
        assert_eq!(self.send(put).status, 200);
        let comment = json!({
            "type": "comment",
            "container": {"type": "page", "id": page["id"]},
            "body": {"storage": {"value": "<p>a word</p>", "representation": "storage"}},
        });
        assert_eq!(self.post("/content", &comment).status, 200);
    }
}

/// A list without the ids, which a space that was read in has new.
fn without_ids(list: &Value) -> Value {
    let mut list = list.clone();
    for entry in list.as_array_mut().expect("a list") {
        let entry = entry.as_object_mut().expect("objects");
        entry.remove("id");
        entry.remove("spaceId");
    }
    list
}

#[test]
fn a_deleted_space_comes_back_from_the_servers_own_backup_as_it_was() {
    let wiki = Wiki::new();
    wiki.edit("Step");
    let before = wiki.picture("ENG");
    assert_eq!(before.len(), 6, "{before:#?}");
    let zip = wiki.zip_of("ENG");
    wiki.delete("ENG");
    let job = wiki.send_in(&zip).json();
    assert_eq!(job["jobOperation"], "RESTORE");
    let ended = wiki.follow(&job["id"]);
    assert_eq!(ended["jobState"], "FINISHED", "{ended}");
    assert_eq!(wiki.picture("ENG"), before);
}

#[test]
fn a_large_wiki_comes_back_with_the_texts_and_files_that_it_had() {
    let wiki = Wiki::start(Options {
        seed: Seed::Large(Large {
            spaces: 1,
            pages: 70,
            trash: 9,
            comments: 11,
            files: 12,
            bytes: 700_000,
            seed: 3,
        }),
        behaviour: Behaviour {
            deletion_looks: 1,
            ..Behaviour::default()
        },
        ..Options::default()
    });
    let before = wiki.picture("BIG");
    assert!(before.len() > 70, "{}", before.len());
    let zip = wiki.zip_of("BIG");
    wiki.delete("BIG");
    let job = wiki.send_in(&zip).json();
    assert_eq!(wiki.follow(&job["id"])["jobState"], "FINISHED");
    let after = wiki.picture("BIG");
    for (title, was) in &before {
        assert_eq!(after.get(title), Some(was), "{title}");
    }
    assert_eq!(after.len(), before.len());
}

#[test]
fn a_part_of_an_attached_file_is_given_where_it_is_asked_for() {
    let wiki = Wiki::new();
    let found = wiki.get("/content?spaceKey=ENG&title=Plan").json();
    let id = found["results"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let list = wiki.get(&format!("/content/{id}/child/attachment")).json();
    let link = list["results"][0]["_links"]["download"].as_str();
    let url = format!("{}{}", wiki.server.base_url(), link.expect("a link"));
    let whole = wiki.send(wiki.client.get(&url)).bytes;
    assert_eq!(whole.len(), 200_000);
    for (from, to) in [(0, 9), (65_530, 65_545), (131_071, 199_999), (7, 199_998)] {
        let request = wiki.client.get(&url);
        let part = wiki.send(request.header("range", format!("bytes={from}-{to}")));
        assert_eq!(part.status, 206);
        assert_eq!(part.bytes, whole[from..=to], "{from}-{to}");
    }
}

#[test]
fn a_download_goes_on_from_where_it_was_cut() {
    let wiki = Wiki::new();
    let job = wiki.ask_for_backup("ENG").json();
    wiki.follow(&job["id"]);
    let path = format!("/backup-restore/jobs/{}/download", job["id"]);
    let whole = wiki.get(&path);
    let tag = whole.headers["etag"].clone();
    let ask = |range: &str, tag: &str| {
        let request = wiki.client.get(wiki.url(&path)).header("range", range);
        wiki.send(request.header("if-range", tag))
    };
    let rest = ask("bytes=1000-", tag.to_str().expect("text"));
    assert_eq!(rest.status, 206);
    assert_eq!(rest.bytes, whole.bytes[1000..]);
    let length = whole.bytes.len();
    assert_eq!(
        rest.headers["content-range"].to_str().expect("text"),
        format!("bytes 1000-{}/{length}", length - 1)
    );
    assert_eq!(
        ask("bytes=0-9", tag.to_str().expect("text")).bytes,
        whole.bytes[..10]
    );
    let other = ask("bytes=1000-", "\"another\"");
    assert_eq!((other.status, other.bytes.len()), (200, length));
    let past = ask(&format!("bytes={length}-"), tag.to_str().expect("text"));
    assert_eq!(past.status, 416);
}

#[test]
fn a_backup_can_be_refused_fail_stall_or_give_a_file_that_is_none() {
    for (behaviour, status) in [
        (FullBackup::Forbidden, 403),
        (FullBackup::SwitchedOff, 403),
        (FullBackup::Busy, 409),
    ] {
        let wiki = Wiki::new();
        wiki.server.behave(|it| it.full_backup = behaviour);
        assert_eq!(wiki.ask_for_backup("ENG").status, status);
    }
    let wiki = Wiki::new();
    let first = wiki.ask_for_backup("ENG");
    assert_eq!(first.status, 200);
    assert_eq!(wiki.ask_for_backup("ENG").status, 409, "one is under way");
    assert_eq!(wiki.ask_for_backup("NONE").status, 404);

    for (behaviour, state, status) in [
        (FullBackup::Fails, "FAILED", 404),
        (FullBackup::NoFile, "FINISHED", 404),
        (FullBackup::Broken, "FINISHED", 200),
        (FullBackup::OtherSpace, "FINISHED", 200),
    ] {
        let wiki = Wiki::new();
        wiki.server.behave(|it| it.full_backup = behaviour);
        let job = wiki.ask_for_backup("ENG").json();
        assert_eq!(wiki.follow(&job["id"])["jobState"], state);
        let got = wiki.get(&format!("/backup-restore/jobs/{}/download", job["id"]));
        assert_eq!(got.status, status, "{behaviour:?}");
        if behaviour == FullBackup::Broken {
            assert_eq!(wiki.send_in(&got.bytes).status, 400);
        }
    }

    let wiki = Wiki::new();
    wiki.server.behave(|it| it.full_backup = FullBackup::Stalls);
    let job = wiki.ask_for_backup("ENG").json();
    let path = format!("/backup-restore/jobs/{}", job["id"]);
    for _ in 0..20 {
        assert_eq!(wiki.get(&path).json()["jobState"], "PROCESSING");
    }
    let url = wiki.url(&format!("{path}/cancel"));
    wiki.send(wiki.client.put(url));
    assert_eq!(wiki.get(&path).json()["jobState"], "CANCELLED");
    let list = wiki
        .get("/backup-restore/jobs?spaceKey=ENG&jobStates=CANCELLED")
        .json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(wiki.get("/backup-restore/jobs/99999").status, 403);
}

#[test]
fn a_restore_is_refused_while_the_space_is_there_and_can_fail_or_do_half() {
    let wiki = Wiki::new();
    let zip = wiki.zip_of("ENG");
    let job = wiki.send_in(&zip).json();
    let ended = wiki.follow(&job["id"]);
    assert_eq!(ended["jobState"], "FAILED");
    let why = ended["errorMessage"].as_str().expect("a reason");
    assert!(why.contains("exists already"), "{why}");
    assert_eq!(wiki.send_in(b"no zip").status, 400);
    assert_eq!(
        wiki.post("/backup-restore/restore/space/upload", &json!({}))
            .status,
        400
    );

    wiki.delete("ENG");
    for (behaviour, state, pages) in [
        (FullRestore::Fails, "FAILED", None),
        (FullRestore::Half, "FINISHED", Some(2)),
    ] {
        wiki.server.behave(|it| it.full_restore = behaviour);
        let job = wiki.send_in(&zip).json();
        assert_eq!(wiki.follow(&job["id"])["jobState"], state);
        let got = wiki.get("/space/ENG/content/page?limit=100");
        let found =
            (got.status == 200).then(|| got.json()["results"].as_array().expect("rows").len());
        assert_eq!(found, pages, "{behaviour:?}");
    }
    let wiki = Wiki::new();
    wiki.server
        .behave(|it| it.full_restore = FullRestore::Forbidden);
    assert_eq!(wiki.send_in(&zip).status, 403);
}

#[test]
fn a_server_of_generation_7_has_no_backups_and_a_file_keeps_them() {
    let wiki = Wiki::start(Options {
        generation: Generation::Seven,
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    });
    assert_eq!(wiki.ask_for_backup("ENG").status, 404);

    let home = tempfile::tempdir().expect("a folder");
    let options = || Options {
        data: Some(home.path().join("wiki.sqlite")),
        seed: Seed::Text(WIKI.to_owned()),
        ..Options::default()
    };
    let wiki = Wiki::start(options());
    let zip = wiki.zip_of("ENG");
    let under_way = wiki.ask_for_backup("OPS").json();
    drop(wiki);
    let wiki = Wiki::start(options());
    let list = wiki.get("/backup-restore/jobs?jobStates=FINISHED").json();
    let got = wiki.get(&format!("/backup-restore/jobs/{}/download", list[0]["id"]));
    assert_eq!(got.bytes, zip, "it is there after a restart");
    let job = wiki
        .get(&format!("/backup-restore/jobs/{}", under_way["id"]))
        .json();
    assert_eq!(job["jobState"], "FAILED");
    assert_eq!(job["errorMessage"], "The server was restarted.");
}

#[test]
fn a_file_that_is_sent_comes_back_as_it_was() {
    let wiki = Wiki::new();
    let found = wiki.get("/content?spaceKey=ENG&title=Step").json();
    let id = found["results"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut body = b"--edge\r\ncontent-disposition: form-data; name=\"file\"; \
filename=\"numbers.bin\"\r\ncontent-type: application/octet-stream\r\n\r\n"
        .to_vec();
    body.extend_from_slice(&bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let url = wiki.url(&format!("/content/{id}/child/attachment"));
    let send = || {
        let request = wiki.client.post(&url).body(body.clone());
        let request = request.header("x-atlassian-token", "no-check");
        wiki.send(request.header("content-type", "multipart/form-data; boundary=edge"))
    };
    let made = send();
    assert_eq!(made.status, 200);
    let link = made.json()["results"][0]["_links"]["download"].clone();
    let address = format!(
        "{}{}",
        wiki.server.base_url(),
        link.as_str().expect("a link")
    );
    assert_eq!(wiki.send(wiki.client.get(address)).bytes, bytes);
    assert_eq!(send().status, 400, "the name is taken");
}
