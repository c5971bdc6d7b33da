//! What is in the space: what is put there beside what the server makes by formula, and everything that
//! can be read of it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::World;
use super::terminal::Outcome;

/// What is read of each page and blog post.
const EXPAND: &str = "body.storage,version,ancestors,metadata.labels,history,\
restrictions.read.restrictions.user,restrictions.read.restrictions.group,\
restrictions.update.restrictions.user,restrictions.update.restrictions.group";

impl World {
    /// Gives some pages a history, others restrictions, and the space categories; grows a tree with everything on it.
    pub(super) fn prepare(&self) -> Outcome<()> {
        for name in ["harbour", "safety"] {
            let url = self.url(&format!("/space/BIG/category/{name}"));
            self.succeeds(self.http.post(url))?;
        }
        let pages = self.get("/space/BIG/content/page?limit=12&expand=version")?;
        let pages = pages["results"].as_array().ok_or("no pages")?;
        for (n, page) in pages.iter().enumerate() {
            if n % 2 == 0 {
                self.edit(page, &format!("<p>edited {n} ]]&gt;</p>"))?;
            } else {
                self.restrict(page, &[("read", "jdoe", None)])?;
            }
        }
        let mut above = Value::Null;
        for level in ["Top", "Middle", "Leaf"] {
            above = self.grow(level, &above)?;
        }
        let gone = self.post(
            "/content",
            &json!({
                "type": "page", "title": "Thrown away", "space": {"key": "BIG"},
                "body": {"storage": {"value": "<p>No more.</p>", "representation": "storage"}},
            }),
        )?;
        self.comment(&gone, None, "Is it needed?", None)?;
        self.attach(&gone, "gone.bin", 70_000)?;
        let url = self.url(&format!("/content/{}", id_of(&gone)?));
        self.succeeds(self.http.delete(url))?;
        Ok(())
    }

    /// A page below another with three versions, labels, restrictions, a thread of comments, an inline one
    /// and one that is resolved, and a file.
    fn grow(&self, title: &str, above: &Value) -> Outcome<Value> {
        let mut body = json!({
            "type": "page", "title": title, "space": {"key": "BIG"},
            "body": {"storage": {"value": format!("<p>{title}</p>"), "representation": "storage"}},
        });
        if let Some(id) = above["id"].as_str() {
            body["ancestors"] = json!([{"id": id}]);
        }
        let page = self.post("/content", &body)?;
        let page = self.edit(&page, &format!("<p>{title} &amp; more</p>"))?;
        let marked = format!(
            "<p>{title} and <ac:inline-comment-marker ac:ref=\"{title}\">a word\
</ac:inline-comment-marker></p>"
        );
        let page = self.edit(&page, &marked)?;
        let labels = json!([{"prefix": "global", "name": "kept"}, {"name": title.to_lowercase()}]);
        self.post(&format!("/content/{}/label", id_of(&page)?), &labels)?;
        self.restrict(
            &page,
            &[
                ("read", "jdoe", Some("hr-staff")),
                ("update", "asmith", None),
            ],
        )?;
        let first = self.comment(&page, None, "Why?", None)?;
        let answer = self.comment(&page, Some(&first), "Because.", None)?;
        self.comment(&page, Some(&answer), "I see.", None)?;
        self.comment(&page, None, "Which word?", Some(("inline", title)))?;
        self.comment(&page, None, "Settled.", Some(("resolved", "gone")))?;
        self.attach(&page, &format!("{title} & co.bin"), 150_000)?;
        Ok(page)
    }

    fn succeeds(&self, request: reqwest::RequestBuilder) -> Outcome<Value> {
        // As any program does that is no page in a browser.
        let request = request.header("X-Atlassian-Token", "no-check");
        match self.send(request)? {
            (200..=299, said) => Ok(said),
            (status, said) => Err(format!("the wiki cannot be prepared: {status} {said}").into()),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.succeeds(self.http.post(self.url(path)).body(body.to_string()))
    }

    fn edit(&self, page: &Value, text: &str) -> Outcome<Value> {
        let version = page["version"]["number"].as_u64().ok_or("no version")?;
        let body = json!({
            "type": "page", "title": page["title"], "version": {"number": version + 1},
            "body": {"storage": {"value": text, "representation": "storage"}},
        });
        let url = self.url(&format!("/content/{}", id_of(page)?));
        self.succeeds(self.http.put(url).body(body.to_string()))
    }

    /// Operations, each with a user and perhaps a group.
    fn restrict(&self, page: &Value, to: &[(&str, &str, Option<&str>)]) -> Outcome<()> {
        let body: Vec<Value> = to
            .iter()
            .map(|(operation, user, group)| {
                let groups: Vec<Value> = group
                    .iter()
                    .map(|name| json!({"type": "group", "name": name}))
                    .collect();
                json!({
                    "operation": operation,
                    "restrictions": {
                        "user": [{"type": "known", "username": user}], "group": groups,
                    },
                })
            })
            .collect();
        let url = self.url(&format!("/content/{}/restriction", id_of(page)?));
        self.succeeds(self.http.put(url).body(json!(body).to_string()))?;
        Ok(())
    }

    /// A comment, perhaps an answer to another, perhaps somewhere else than at the foot of its page.
    fn comment(
        &self,
        page: &Value,
        above: Option<&Value>,
        text: &str,
        place: Option<(&str, &str)>,
    ) -> Outcome<Value> {
        let mut body = json!({
            "type": "comment", "container": {"id": id_of(page)?, "type": "page"},
            "body": {"storage": {"value": format!("<p>{text}</p>"), "representation": "storage"}},
        });
        if let Some(above) = above {
            body["ancestors"] = json!([{"id": id_of(above)?}]);
        }
        if let Some((location, marker)) = place {
            let status = if location == "resolved" {
                "resolved"
            } else {
                "open"
            };
            body["extensions"] = json!({
                "location": location, "resolution": {"status": status},
                "inlineProperties": {"markerRef": marker, "originalSelection": "a word"},
            });
        }
        self.post("/content", &body)
    }

    fn attach(&self, page: &Value, name: &str, length: usize) -> Outcome<()> {
        let bytes = (0..length).map(|n| (n * 31 + n / 251) as u8);
        let head = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
content-type: application/octet-stream\r\n\r\n"
        );
        let form: Vec<u8> = head.into_bytes().into_iter().chain(bytes).collect();
        let form = [form, b"\r\n--edge--\r\n".to_vec()].concat();
        let url = self.url(&format!("/content/{}/child/attachment", id_of(page)?));
        let request = self
            .http
            .post(url)
            .header("content-type", "multipart/form-data; boundary=edge");
        self.succeeds(request.body(form))?;
        Ok(())
    }

    /// Everything that can be read of the space, by path of titles, without ids; of files their hash.
    pub(super) fn picture(&self) -> Outcome<BTreeMap<String, Value>> {
        let mut picture = BTreeMap::new();
        picture.insert("the space".to_owned(), self.space()?);
        let mut path = format!("/content/scan?spaceKey=BIG&status=any&limit=100&expand={EXPAND}");
        loop {
            let page = self.get(&path)?;
            for row in page["results"].as_array().ok_or("no rows")? {
                let above = row["ancestors"].as_array().into_iter().flatten();
                let above: Vec<&Value> = above.map(|it| &it["title"]).collect();
                let name = format!("{above:?} {} {}", row["title"], row["type"]);
                if picture.insert(name.clone(), self.seen(row)?).is_some() {
                    return Err(format!("twice: {name}").into());
                }
            }
            match page["_links"]["next"].as_str() {
                Some(next) => next
                    .split_once("/rest/api")
                    .map_or("", |(_, rest)| rest)
                    .clone_into(&mut path),
                None => return Ok(picture),
            }
        }
    }

    /// The space without its content: permissions, labels and categories, homepage, who made it.
    fn space(&self) -> Outcome<Value> {
        let mut permissions = self.get("/space/BIG/permissions")?;
        for one in permissions.as_array_mut().ok_or("no permissions")? {
            // What is read in has a new id.
            one.as_object_mut()
                .ok_or("no permission")?
                .remove("spaceId");
        }
        let space = self.get("/space/BIG?expand=description.plain,homepage,metadata.labels")?;
        Ok(json!({
            "permissions": permissions,
            "labels": self.get("/space/BIG/labels")?["results"],
            "name": space["name"], "type": space["type"], "status": space["status"],
            "description": space["description"], "homepage": space["homepage"]["title"],
            "creator": space["creator"]["username"], "created": space["creationDate"],
        }))
    }

    fn seen(&self, row: &Value) -> Outcome<Value> {
        let id = id_of(row)?;
        let restrictions = ["read", "update"].map(|operation| {
            let them = &row["restrictions"][operation]["restrictions"];
            json!([&them["user"]["results"], &them["group"]["results"]])
        });
        Ok(json!({
            "type": row["type"], "status": row["status"], "number": row["version"]["number"],
            "by": row["version"]["by"]["displayName"],
            "kind": row["version"]["by"]["type"], "when": row["version"]["when"],
            "body": row["body"]["storage"]["value"], "labels": row["metadata"]["labels"]["results"],
            "creator": row["history"]["createdBy"]["username"],
            "created": row["history"]["createdDate"],
            "restrictions": restrictions,
            "comments": self.comments(id)?,
            "old": self.old_versions(row)?,
            "files": self.files(id)?,
        }))
    }

    /// The comments on a page: what each says, below which ones, where, by whom and when.
    fn comments(&self, page: &str) -> Outcome<Vec<Value>> {
        let list = self.get(&format!(
            "/content/{page}/child/comment?depth=all&limit=200&expand=body.storage,ancestors,\
version,history,extensions.inlineProperties,extensions.resolution"
        ))?;
        let list = list["results"].as_array().ok_or("no comments")?;
        let text = |it: &Value| it["body"]["storage"]["value"].clone();
        let texts: HashMap<&str, Value> = list
            .iter()
            .filter_map(|it| Some((it["id"].as_str()?, text(it))))
            .collect();
        let mut said: Vec<Value> = list
            .iter()
            .map(|it| {
                let above = it["ancestors"].as_array().into_iter().flatten();
                let above = above.map(|it| it["id"].as_str().and_then(|id| texts.get(id)));
                let above: Vec<_> = above.collect();
                let place = &it["extensions"];
                json!([
                    text(it),
                    above,
                    it["title"],
                    it["history"]["createdBy"]["username"],
                    it["history"]["createdDate"],
                    it["version"]["number"],
                    place["location"],
                    place["resolution"]["status"],
                    place["inlineProperties"],
                ])
            })
            .collect();
        said.sort_by_key(Value::to_string);
        Ok(said)
    }

    /// The versions before the last one.
    fn old_versions(&self, row: &Value) -> Outcome<Vec<Value>> {
        let mut old = Vec::new();
        for number in 1..row["version"]["number"].as_u64().unwrap_or(1) {
            let path = format!(
                "/content/{}?status=historical&version={number}&expand=body.storage",
                id_of(row)?
            );
            let (status, it) = self.send(self.http.get(self.url(&path)))?;
            if status == 200 {
                old.push(json!([
                    number,
                    it["title"],
                    it["version"]["by"]["username"],
                    it["version"]["when"],
                    it["body"]["storage"]["value"],
                ]));
            }
        }
        Ok(old)
    }

    /// Name, length and hash of each file of a page, and what else is told of it.
    fn files(&self, page: &str) -> Outcome<Vec<Value>> {
        let path = format!("/content/{page}/child/attachment?limit=200&expand=version,history");
        let list = self.get(&path)?;
        let mut files = Vec::new();
        for file in list["results"].as_array().into_iter().flatten() {
            let link = file["_links"]["download"].as_str().ok_or("no link")?;
            let url = format!("http://127.0.0.1:{}{link}", self.port);
            let (mut hash, mut length) = (Sha256::new(), 0);
            self.runtime.block_on(async {
                let mut answer = self.http.get(url).send().await?;
                while let Some(piece) = answer.chunk().await? {
                    hash.update(&piece);
                    length += piece.len();
                }
                Ok::<_, reqwest::Error>(())
            })?;
            let hash = format!("{:x?}", &hash.finalize()[..]);
            files.push(json!([
                file["title"],
                length,
                hash,
                file["metadata"]["mediaType"],
                file["extensions"],
                file["version"]["number"],
                file["version"]["when"],
                file["history"]["createdBy"]["username"],
            ]));
        }
        files.sort_by_key(Value::to_string);
        Ok(files)
    }
}

fn id_of(content: &Value) -> Outcome<&str> {
    Ok(content["id"].as_str().ok_or("no id")?)
}
