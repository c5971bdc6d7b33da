//! Rows to JSON: fields, expand, links, and the shapes that differ between generations.
//!
//! Nothing here decides whether something may be seen; that is done before.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, Generation, Quirk};
use super::percent::encoded;
use super::permissions::{self, Permission, Subject};
use super::seed::large;
use super::store::{Account, ContentRow, Filter, Kind, PersonRow, Rows, SpaceRow, Status, Store};
use super::view;

/// The tree of what is to be expanded.
#[derive(Clone, Debug, Default)]
pub(super) struct Expand(BTreeMap<String, Expand>);

impl Expand {
    pub(super) fn parse<'a>(lists: impl Iterator<Item = &'a str>) -> Self {
        let mut root = Self::default();
        for path in lists.flat_map(|list| list.split(',')) {
            let mut node = &mut root;
            for name in path
                .split('.')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                node = node.0.entry(name.to_owned()).or_default();
            }
        }
        root
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn below(&self, name: &str) -> Option<&Self> {
        self.0.get(name)
    }
}

/// A page of a list, before it is JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// The rows to read.
    pub(super) rows: Rows,
    /// `start` as asked for.
    pub(super) start: u64,
    /// `limit` as answered.
    pub(super) limit: u64,
    /// `start` of the next page.
    pub(super) next: Option<u64>,
    /// How many there are.
    pub(super) total: u64,
}

impl Slice {
    pub(super) fn new(start: u64, asked: u64, cap: u64, total: u64, behaviour: &Behaviour) -> Self {
        let limit = asked.min(cap);
        let (mut offset, mut count) = (start, limit);
        if behaviour.has(Quirk::ShortPages) && (start / limit.max(1)) % 2 == 1 && limit > 1 {
            count = limit / 2;
        }
        if behaviour.has(Quirk::Duplicates) && start > 0 {
            offset -= 1;
        }
        let mut next = (offset + count < total).then_some(offset + count);
        if behaviour.has(Quirk::EchoedLimit) {
            next = next.map(|_| start + asked);
        }
        if behaviour.has(Quirk::NeverEnds) && limit > 0 {
            if start >= total {
                offset = total.saturating_sub(limit);
            }
            next = Some(start + limit);
        }
        Self {
            rows: Rows { offset, count },
            start,
            limit: if behaviour.has(Quirk::EchoedLimit) {
                asked
            } else {
                limit
            },
            next,
            total,
        }
    }
}

/// What shapes the JSON of one answer.
pub(super) struct Shape<'a> {
    pub(super) db: &'a Connection,
    pub(super) generation: Generation,
    /// The shapes of real servers instead of the documented ones.
    pub(super) real: bool,
    pub(super) base: String,
    pub(super) context: &'a str,
    pub(super) behaviour: &'a Behaviour,
    people: RefCell<HashMap<i64, Value>>,
    spaces: RefCell<HashMap<i64, Value>>,
    keys: RefCell<HashMap<i64, String>>,
}

impl<'a> Shape<'a> {
    pub(super) fn new(
        db: &'a Connection,
        generation: Generation,
        real: bool,
        base: &str,
        context: &'a str,
        behaviour: &'a Behaviour,
    ) -> Self {
        let base = if behaviour.has(Quirk::ForeignBase) {
            "https://wiki.inside.example:8443/elsewhere".to_owned()
        } else {
            base.to_owned()
        };
        Self {
            db,
            generation,
            real,
            base,
            context,
            behaviour,
            people: RefCell::default(),
            spaces: RefCell::default(),
            keys: RefCell::default(),
        }
    }

    /// A time, in the form of this generation: `…Z` as documented, `…+01:00` from real servers,
    /// `…+0100` from old ones.
    pub(super) fn time(&self, ms: i64) -> Value {
        let stamp = Timestamp::from_millisecond(ms).unwrap_or_default();
        let (offset, form) = match (self.generation, self.real) {
            (Generation::Seven, _) => (1, "%Y-%m-%dT%H:%M:%S%.3f%z"),
            (_, true) => (1, "%Y-%m-%dT%H:%M:%S%.3f%:z"),
            (_, false) => (0, "%Y-%m-%dT%H:%M:%S%.3fZ"),
        };
        let zone = TimeZone::fixed(Offset::constant(offset));
        Value::String(stamp.to_zoned_datetime(zone).strftime(form).to_string())
    }

    pub(super) fn person(&self, id: Option<i64>) -> rusqlite::Result<Value> {
        let anonymous = || json!({"type": "anonymous", "displayName": "Anonymous"});
        let Some(id) = id else {
            return Ok(anonymous());
        };
        if let Some(known) = self.people.borrow().get(&id) {
            return Ok(known.clone());
        }
        let value = match self.db.person(id)? {
            Some(person) => self.user(&person),
            None => anonymous(),
        };
        self.people.borrow_mut().insert(id, value.clone());
        Ok(value)
    }

    /// Somebody, as authors and members are told. Whose account is gone is unknown, and has no address.
    pub(super) fn user(&self, person: &PersonRow) -> Value {
        let gone = person.account == Account::Gone;
        let key = user_key(person.id);
        let name = if gone {
            format!("Unknown User ({})", person.username)
        } else {
            person.name.clone()
        };
        let mut user = json!({
            "type": if gone { "unknown" } else { "known" },
            "username": person.username,
            "userKey": key,
            "displayName": name,
            "profilePicture": {
                "path": format!("{}/images/icons/profilepics/default.svg", self.context),
                "width": 48, "height": 48, "isDefault": true,
            },
            "_links": {},
            "_expandable": {"status": ""},
        });
        if !gone {
            user["_links"]["self"] = json!(format!("{}/rest/api/user?key={key}", self.base));
        }
        user
    }

    /// Somebody, with the state of the account where that is asked for.
    pub(super) fn account(&self, person: &PersonRow, expand: &Expand) -> Value {
        let mut user = self.user(person);
        if expand.has("status") {
            user["status"] = json!(match person.account {
                Account::Active => "current",
                Account::Disabled => "deactivated",
                Account::Gone => "unknown",
            });
            user["_expandable"] = json!({});
        }
        user
    }

    fn user_or_name(&self, username: &str) -> rusqlite::Result<Value> {
        Ok(match self.db.person_named(username)? {
            Some(person) => self.user(&person),
            None => json!({"type": "unknown", "username": username, "displayName": username}),
        })
    }

    pub(super) fn group(&self, name: &str) -> Value {
        let path = format!("{}/rest/api/group/{}", self.base, encoded(name));
        json!({"type": "group", "name": name, "_links": {"self": path}})
    }

    /// A list that came whole, as a page of its own.
    fn whole(results: Vec<Value>, limit: u64, link: &str) -> Value {
        json!({
            "size": results.len(), "results": results, "start": 0, "limit": limit,
            "_links": {"self": link},
        })
    }

    /// The labels of a content, as a page of their own: so in every generation.
    pub(super) fn content_labels(&self, row: &ContentRow) -> rusqlite::Result<Value> {
        let names = self.db.texts(
            "SELECT name FROM content_label WHERE content = ? ORDER BY name",
            row.id,
        )?;
        let results = names.iter().map(|name| label("global", name)).collect();
        let link = format!("{}/rest/api/content/{}/label", self.base, wire_id(row));
        Ok(Self::whole(results, 200, &link))
    }

    /// The labels of a space and its categories, and the mark of whoever likes it.
    pub(super) fn space_labels(&self, row: &SpaceRow) -> rusqlite::Result<Vec<Value>> {
        let mut results = self
            .db
            .prepare_cached(
                "SELECT prefix, name FROM label_of_space WHERE space = ? ORDER BY name, prefix",
            )?
            .query_map([row.id], |row| {
                let (prefix, name): (String, String) = (row.get(0)?, row.get(1)?);
                Ok(label(&prefix, &name))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        if row.favourite {
            results.push(label("my", "favourite"));
        }
        Ok(results)
    }

    /// The same, as they stand in a space: their names alone, as documented, or a page of its own.
    fn labels_in_space(&self, row: &SpaceRow) -> rusqlite::Result<Value> {
        if self.real {
            let link = format!("{}/rest/api/space/{}/label", self.base, encoded(&row.key));
            return Ok(Self::whole(self.space_labels(row)?, 200, &link));
        }
        let names = self.db.texts(
            "SELECT DISTINCT name FROM label_of_space WHERE space = ? ORDER BY name",
            row.id,
        )?;
        Ok(json!(names))
    }

    /// A space.
    pub(super) fn space(&self, row: &SpaceRow, expand: &Expand) -> rusqlite::Result<Value> {
        let key = encoded(&row.key);
        let path = format!("/rest/api/space/{key}");
        let mut out = Map::new();
        let mut expandable = Map::new();
        out.insert("id".into(), json!(row.id));
        out.insert("key".into(), json!(row.key));
        out.insert("name".into(), json!(row.name));
        let kind = if row.personal { "personal" } else { "global" };
        out.insert("type".into(), json!(kind));
        if self.generation != Generation::Seven {
            let status = match (row.archived, self.real) {
                (false, true) => "current",
                (true, true) => "archived",
                (false, false) => "CURRENT",
                (true, false) => "ARCHIVED",
            };
            out.insert("status".into(), json!(status));
            out.insert("creator".into(), self.person(row.creator)?);
            out.insert("creationDate".into(), self.time(row.created));
            out.insert("lastModifier".into(), self.person(row.modifier)?);
            out.insert("lastModificationDate".into(), self.time(row.modified));
        }
        let mut field = |name: &str, value: Option<Value>, link: String| match value {
            Some(value) => {
                out.insert(name.into(), value);
            }
            None => {
                expandable.insert(name.into(), json!(link));
                // As documented: a reference that was not expanded says nothing.
                if !self.real && name == "homepage" {
                    out.insert(name.into(), json!({"idProperties": {}, "expanded": false}));
                } else if !self.real && matches!(name, "metadata" | "description" | "icon") {
                    out.insert(name.into(), json!({}));
                }
            }
        };
        let metadata = match expand.below("metadata") {
            None => None,
            Some(below) if below.has("labels") => {
                Some(json!({"labels": self.labels_in_space(row)?}))
            }
            Some(_) => Some(json!({"_expandable": {"labels": ""}})),
        };
        field("metadata", metadata, String::new());
        let description = match expand.below("description") {
            None => None,
            Some(below) => {
                let mut forms = Map::new();
                for form in ["plain", "view"] {
                    if below.has(form) {
                        let value = match form {
                            "plain" => row.description.clone(),
                            _ if row.description.is_empty() => String::new(),
                            _ => format!("<p>{}</p>", view::escape(&row.description)),
                        };
                        let value = json!({"value": value, "representation": form});
                        forms.insert(form.into(), value);
                    } else {
                        let expandable = forms.entry("_expandable").or_insert_with(|| json!({}));
                        expandable[form] = json!("");
                    }
                }
                Some(Value::Object(forms))
            }
        };
        field("description", description, String::new());
        let homepage = match (expand.below("homepage"), row.homepage) {
            (Some(below), Some(id)) => match self.db.content(id)? {
                Some(page) => Some(self.content(&page, below)?),
                None => None,
            },
            // Expanded, and there is none.
            (Some(_), None) if !self.real => Some(json!({})),
            _ => None,
        };
        let link = row
            .homepage
            .map_or_else(String::new, |id| format!("/rest/api/content/{id}"));
        field("homepage", homepage, link);
        let icon = expand.has("icon").then(|| {
            json!({
                "path": format!("{}/images/logo/default-space-logo.svg", self.context),
                "width": 48, "height": 48, "isDefault": true,
            })
        });
        field("icon", icon, String::new());
        if self.generation != Generation::Seven {
            let retention = expand.has("retentionPolicy").then(|| match &row.retention {
                Some(words) => json!({"name": words, "type": "SPACE"}),
                None => Value::Null,
            });
            field("retentionPolicy", retention, String::new());
        }
        let permissions = if expand.has("permissions") {
            Some(self.permissions_by_operation(row)?)
        } else {
            None
        };
        field("permissions", permissions, String::new());
        out.insert(
            "_links".into(),
            json!({
                "webui": format!("/display/{key}"),
                "self": format!("{}{path}", self.base),
            }),
        );
        out.insert("_expandable".into(), Value::Object(expandable));
        Ok(Value::Object(out))
    }

    /// Who may do what, one entry for each thing: what `expand=permissions` shows.
    fn permissions_by_operation(&self, row: &SpaceRow) -> rusqlite::Result<Value> {
        let mut entries: Vec<((String, String), Vec<Subject>)> = Vec::new();
        for Permission {
            operation,
            target,
            subject,
        } in permissions::of(self.db, row.id)?
        {
            let what = (operation, target);
            match entries.iter_mut().find(|(it, _)| *it == what) {
                Some((_, subjects)) => subjects.push(subject),
                None => entries.push((what, vec![subject])),
            }
        }
        let mut shown = Vec::new();
        for (index, ((operation, target), subjects)) in entries.iter().enumerate() {
            let (mut users, mut groups) = (Vec::new(), Vec::new());
            for subject in subjects {
                match subject {
                    Subject::User(name) => users.push(self.user_or_name(name)?),
                    Subject::Group(name) => groups.push(self.group(name)),
                    Subject::Anonymous => {}
                }
            }
            shown.push(json!({
                "id": row.id * 64 + index as i64,
                "subjects": {
                    "user": {"size": users.len(), "results": users},
                    "group": {"size": groups.len(), "results": groups},
                },
                "operation": {"operation": operation, "targetType": target},
                "anonymousAccess": subjects.contains(&Subject::Anonymous),
                "unlicensedAccess": false,
            }));
        }
        Ok(Value::Array(shown))
    }

    /// Who may do what, one entry for each who and what: `GET /space/{key}/permissions`. A user is told
    /// by key alone.
    pub(super) fn permissions(&self, row: &SpaceRow) -> rusqlite::Result<Value> {
        let mut shown = Vec::new();
        for permission in permissions::of(self.db, row.id)? {
            let subject = match &permission.subject {
                Subject::User(name) => {
                    let id = self.db.person_named(name)?.map(|person| person.id);
                    json!({"type": "user", "userKey": id.map(user_key)})
                }
                Subject::Group(name) => json!({"type": "group", "name": name}),
                Subject::Anonymous => json!({"type": "anonymous"}),
            };
            shown.push(json!({
                "operation": {
                    "targetType": permission.target, "operationKey": permission.operation,
                },
                "subject": subject,
                "spaceKey": row.key,
                "spaceId": row.id,
            }));
        }
        Ok(Value::Array(shown))
    }

    fn key_of(&self, space: i64) -> rusqlite::Result<String> {
        if let Some(key) = self.keys.borrow().get(&space) {
            return Ok(key.clone());
        }
        let key = self
            .db
            .space_by_id(space)?
            .map_or_else(String::new, |row| encoded(&row.key));
        self.keys.borrow_mut().insert(space, key.clone());
        Ok(key)
    }

    fn space_of(&self, space: i64, expand: &Expand) -> rusqlite::Result<Value> {
        if expand.is_empty()
            && let Some(known) = self.spaces.borrow().get(&space)
        {
            return Ok(known.clone());
        }
        let value = match self.db.space_by_id(space)? {
            Some(row) => self.space(&row, expand)?,
            None => json!({}),
        };
        if expand.is_empty() {
            self.spaces.borrow_mut().insert(space, value.clone());
        }
        Ok(value)
    }

    /// A page, blog post, comment or attachment.
    pub(super) fn content(&self, row: &ContentRow, expand: &Expand) -> rusqlite::Result<Value> {
        let id = wire_id(row);
        let path = format!("/rest/api/content/{id}");
        let key = self.key_of(row.space)?;
        let mut out = Map::new();
        out.insert("id".into(), json!(id));
        out.insert("type".into(), json!(row.kind.name()));
        out.insert("status".into(), json!(row.status.name()));
        out.insert("title".into(), json!(row.title));
        let mut extensions = Map::new();
        match (row.kind, row.position) {
            (Kind::Page, Some(position)) => {
                if !self.real {
                    out.insert("position".into(), json!(position));
                }
                extensions.insert("position".into(), json!(position));
            }
            (Kind::Page, None) => {
                extensions.insert("position".into(), json!("none"));
            }
            (Kind::Comment, _) => self.remark(row.id, &mut extensions)?,
            _ => {}
        }
        let mut metadata_of_file = None;
        // What is in the trash is not found without its status.
        let address = match row.status {
            Status::Current => path.clone(),
            Status::Trashed => format!("{path}?status=trashed"),
        };
        let mut links = json!({"self": format!("{}{address}", self.base)});
        links["webui"] = json!(match (row.kind, row.status) {
            (Kind::Attachment, _) => {
                let page = row.parent.unwrap_or_default();
                format!(
                    "/pages/viewpageattachments.action?pageId={page}&preview=%2F{page}%2F{}",
                    row.id
                )
            }
            (Kind::Page, Status::Current) => {
                format!("/display/{key}/{}", encoded(&row.title).replace("%20", "+"))
            }
            _ => format!("/pages/viewpage.action?pageId={}", row.id),
        });
        if row.kind == Kind::Attachment {
            let file = self.file(row.id)?;
            extensions.insert("mediaType".into(), json!(file.0));
            if self.behaviour.tells_sizes {
                extensions.insert("fileSize".into(), json!(file.1));
            }
            extensions.insert("comment".into(), json!(self.extension(row.id, "note")?));
            metadata_of_file = Some(file.0);
            links["download"] = json!(format!(
                "/download/attachments/{}/{}?version={}&modificationDate={}&api=v2",
                row.parent.unwrap_or(row.id),
                encoded(&row.title),
                row.version,
                row.modified
            ));
        } else {
            links["tinyui"] = json!(format!("/x/{:x}", row.id));
        }
        if !extensions.is_empty() {
            out.insert("extensions".into(), Value::Object(extensions));
        }
        let mut expandable = Map::new();
        let mut field = |name: &str, value: Option<Value>, link: String| match value {
            Some(value) => {
                out.insert(name.into(), value);
            }
            None => {
                expandable.insert(name.into(), json!(link));
            }
        };
        let space = match expand.below("space") {
            Some(below) => Some(self.space_of(row.space, below)?),
            None => None,
        };
        field("space", space, format!("/rest/api/space/{key}"));
        let version = if expand.has("version") {
            Some(self.version(row)?)
        } else {
            None
        };
        field("version", version, String::new());
        let history = match expand.below("history") {
            Some(below) => Some(self.history(row, below)?),
            None => None,
        };
        field("history", history, format!("{path}/history"));
        let ancestors = match expand.below("ancestors") {
            Some(below) => Some(self.ancestors(row, below)?),
            None => None,
        };
        field("ancestors", ancestors, String::new());
        let body = match expand.below("body") {
            Some(below) => Some(self.body(row, below, &key)?),
            None => None,
        };
        field("body", body, String::new());
        let metadata = match expand.below("metadata") {
            Some(below) if below.has("labels") => {
                Some(json!({"labels": self.content_labels(row)?, "likesCount": null}))
            }
            Some(_) => Some(json!({"_expandable": {"labels": ""}, "likesCount": null})),
            None if metadata_of_file.is_some() => Some(json!({})),
            None => None,
        };
        let metadata = metadata.map(|mut metadata| {
            if let Some(media_type) = metadata_of_file {
                metadata["mediaType"] = json!(media_type);
            }
            metadata
        });
        field("metadata", metadata, String::new());
        let children = match expand.below("children") {
            Some(below) => Some(self.children(row, below, &path)?),
            None => None,
        };
        field("children", children, format!("{path}/child"));
        let restrictions = match expand.below("restrictions") {
            Some(below) => Some(self.restrictions(row.id, below, &path)?),
            None => None,
        };
        field(
            "restrictions",
            restrictions,
            format!("{path}/restriction/byOperation"),
        );
        let container = match (expand.has("container"), row.kind, row.parent) {
            (true, Kind::Attachment | Kind::Comment, Some(parent)) => {
                let mut on = self.db.content(parent)?;
                // An answer to a comment belongs to the page as well.
                while let Some(parent) = on
                    .as_ref()
                    .filter(|it| it.kind == Kind::Comment)
                    .and_then(|it| it.parent)
                {
                    on = self.db.content(parent)?;
                }
                match on {
                    Some(page) => Some(self.content(&page, &Expand::default())?),
                    None => None,
                }
            }
            (true, _, _) => Some(self.space_of(row.space, &Expand::default())?),
            (false, _, _) => None,
        };
        field("container", container, String::new());
        field("operations", None, String::new());
        field("descendants", None, format!("{path}/descendant"));
        out.insert("_links".into(), links);
        out.insert("_expandable".into(), Value::Object(expandable));
        Ok(Value::Object(out))
    }

    /// Where and how a comment stands.
    fn remark(&self, id: i64, extensions: &mut Map<String, Value>) -> rusqlite::Result<()> {
        let location = self.extension(id, "location")?;
        let location = if location.is_empty() {
            "footer".to_owned()
        } else {
            location
        };
        if location != "footer" {
            extensions.insert(
                "inlineProperties".into(),
                json!({
                    "markerRef": self.extension(id, "marker")?,
                    "originalSelection": self.extension(id, "selection")?,
                }),
            );
            let resolution = self.extension(id, "resolution")?;
            let status = if resolution.is_empty() {
                "open"
            } else {
                &resolution
            };
            extensions.insert("resolution".into(), json!({"status": status}));
        }
        extensions.insert("location".into(), json!(location));
        Ok(())
    }

    /// What else is kept of a content; empty where there is nothing.
    fn extension(&self, id: i64, column: &str) -> rusqlite::Result<String> {
        let sql = format!("SELECT ifnull({column}, '') FROM extension WHERE content = ?");
        let found = self
            .db
            .prepare_cached(&sql)?
            .query_row([id], |row| row.get(0));
        Ok(found.optional()?.unwrap_or_default())
    }

    pub(super) fn file(&self, id: i64) -> rusqlite::Result<(String, i64)> {
        self.db
            .prepare_cached("SELECT media_type, size FROM file WHERE content = ?")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn version(&self, row: &ContentRow) -> rusqlite::Result<Value> {
        Ok(json!({
            "by": self.person(row.modifier)?,
            "when": self.time(row.modified),
            "message": "",
            "number": row.version,
            "minorEdit": false,
            "hidden": false,
        }))
    }

    pub(super) fn history(&self, row: &ContentRow, expand: &Expand) -> rusqlite::Result<Value> {
        let mut out = json!({
            "latest": true,
            "createdBy": self.person(row.creator)?,
            "createdDate": self.time(row.created),
            "_links": {"self": format!("{}/rest/api/content/{}/history", self.base, wire_id(row))},
            "_expandable": {},
        });
        if expand.has("lastUpdated") {
            out["lastUpdated"] = self.version(row)?;
        } else {
            out["_expandable"]["lastUpdated"] = json!("");
        }
        out["_expandable"]["previousVersion"] = json!("");
        out["_expandable"]["contributors"] = json!("");
        Ok(out)
    }

    /// Outermost first. Attachments have none, and of comments only comments are: they have a
    /// container.
    fn ancestors(&self, row: &ContentRow, expand: &Expand) -> rusqlite::Result<Value> {
        let mut chain = Vec::new();
        let mut seen = vec![row.id];
        let mut next = match row.kind {
            Kind::Page | Kind::Comment => row.parent,
            Kind::BlogPost | Kind::Attachment => None,
        };
        while let Some(id) = next {
            if seen.contains(&id) {
                break;
            }
            seen.push(id);
            let Some(ancestor) = self.db.content(id)? else {
                break;
            };
            if (ancestor.kind == Kind::Comment) != (row.kind == Kind::Comment) {
                break;
            }
            next = ancestor.parent;
            chain.push(self.content(&ancestor, expand)?);
        }
        chain.reverse();
        Ok(Value::Array(chain))
    }

    fn body(&self, row: &ContentRow, expand: &Expand, key: &str) -> rusqlite::Result<Value> {
        const FORMS: [&str; 5] = ["storage", "view", "export_view", "styled_view", "editor"];
        let mut out = Map::new();
        let mut expandable = Map::new();
        let wants = FORMS.iter().any(|form| expand.has(form));
        let storage = if wants && row.kind != Kind::Attachment {
            match self.db.body(row.id)? {
                Some(body) => body,
                None => large::body(row.id, &row.title),
            }
        } else {
            String::new()
        };
        let address = match row.status {
            Status::Current => format!("/rest/api/content/{}", wire_id(row)),
            Status::Trashed => format!("/rest/api/content/{}?status=trashed", wire_id(row)),
        };
        for form in FORMS {
            if expand.has(form) {
                let value = match form {
                    "storage" | "editor" => storage.clone(),
                    _ => view::render(&storage, self.context, key),
                };
                out.insert(
                    form.into(),
                    json!({
                        "value": value, "representation": form,
                        "_expandable": {"content": address},
                    }),
                );
            } else {
                expandable.insert(form.into(), json!(""));
            }
        }
        out.insert("_expandable".into(), Value::Object(expandable));
        Ok(Value::Object(out))
    }

    /// A content as a browser shows it.
    pub(super) fn rendered(&self, row: &ContentRow) -> rusqlite::Result<String> {
        if row.kind == Kind::Attachment {
            return Ok(String::new());
        }
        let storage = match self.db.body(row.id)? {
            Some(body) => body,
            None => large::body(row.id, &row.title),
        };
        Ok(view::render(
            &storage,
            self.context,
            &self.key_of(row.space)?,
        ))
    }

    /// At most 25 of each type.
    pub(super) fn children(
        &self,
        row: &ContentRow,
        expand: &Expand,
        path: &str,
    ) -> rusqlite::Result<Value> {
        let mut out = Map::new();
        let mut expandable = Map::new();
        for kind in [Kind::Page, Kind::Attachment, Kind::Comment] {
            let link = format!("{path}/child/{}", kind.name());
            let Some(below) = expand.below(kind.name()) else {
                expandable.insert(kind.name().into(), json!(link));
                continue;
            };
            let rows = self.db.contents(
                &children_of(row.id, kind),
                "position, id",
                Rows {
                    offset: 0,
                    count: 26,
                },
            )?;
            let more = rows.len() > 25;
            let mut results = Vec::new();
            for child in rows.iter().take(25) {
                results.push(self.content(child, below)?);
            }
            let mut page = Self::whole(results, 25, &format!("{}{link}", self.base));
            if more {
                page["_links"]["next"] = json!(format!("{link}?limit=25&start=25"));
            }
            out.insert(kind.name().into(), page);
        }
        out.insert(
            "_links".into(),
            json!({"self": format!("{}{path}/child", self.base)}),
        );
        out.insert("_expandable".into(), Value::Object(expandable));
        Ok(Value::Object(out))
    }

    pub(super) fn restrictions(
        &self,
        id: i64,
        expand: &Expand,
        path: &str,
    ) -> rusqlite::Result<Value> {
        let mut out = Map::new();
        let mut expandable = Map::new();
        for operation in ["read", "update"] {
            let link = format!("{path}/restriction/byOperation/{operation}");
            let Some(below) = expand.below(operation) else {
                expandable.insert(operation.into(), json!(link));
                continue;
            };
            let mut entry = json!({
                "operation": operation,
                "_links": {"self": format!("{}{link}", self.base)},
                "_expandable": {"content": format!("{path}?status=any")},
            });
            if let Some(subjects) = below.below("restrictions") {
                let mut lists = Map::new();
                let mut missing = Map::new();
                for (subject, sql) in [
                    (
                        "user",
                        format!(
                            "SELECT name FROM restriction WHERE content = ? AND subject = 'user' \
                             AND operation = '{operation}' ORDER BY name"
                        ),
                    ),
                    (
                        "group",
                        format!(
                            "SELECT name FROM restriction WHERE content = ? AND subject = 'group' \
                             AND operation = '{operation}' ORDER BY name"
                        ),
                    ),
                ] {
                    if !subjects.has(subject) && !subjects.is_empty() {
                        missing.insert(subject.into(), json!(""));
                        continue;
                    }
                    let mut results = Vec::new();
                    for name in self.db.texts(&sql, id)? {
                        results.push(match subject {
                            "user" => self.user_or_name(&name)?,
                            _ => self.group(&name),
                        });
                    }
                    lists.insert(
                        subject.into(),
                        json!({
                            "size": results.len(), "results": results, "start": 0, "limit": 200,
                        }),
                    );
                }
                lists.insert("_expandable".into(), Value::Object(missing));
                entry["restrictions"] = Value::Object(lists);
            } else {
                entry["_expandable"]["restrictions"] = json!("");
            }
            out.insert(operation.into(), entry);
        }
        out.insert(
            "_links".into(),
            json!({"self": format!("{}{path}/restriction/byOperation", self.base)}),
        );
        out.insert("_expandable".into(), Value::Object(expandable));
        Ok(Value::Object(out))
    }

    /// An answer of its own, with the address of the wiki, as single objects have it.
    pub(super) fn alone(&self, mut value: Value) -> Value {
        value["_links"]["base"] = json!(self.base);
        value["_links"]["context"] = json!(self.context);
        value
    }

    /// A page of a list. `query` is what was asked for, without `start` and `limit`.
    pub(super) fn page(
        &self,
        results: Vec<Value>,
        slice: &Slice,
        path: &str,
        query: &[(String, String)],
    ) -> Value {
        let link = |start: u64, limit: u64| {
            let mut link = format!("{path}?");
            for (name, value) in query {
                if name != "start" && name != "limit" {
                    let _ = write!(link, "{}={}&", encoded(name), encoded(value));
                }
            }
            let _ = write!(link, "limit={limit}&start={start}");
            link
        };
        let mut links = json!({
            "base": self.base,
            "context": self.context,
            "self": format!("{}{}", self.base, link(slice.start, slice.limit)),
        });
        if let Some(next) = slice.next {
            links["next"] = json!(link(next, slice.limit));
        }
        if slice.start > 0 {
            links["prev"] = json!(link(slice.start.saturating_sub(slice.limit), slice.limit));
        }
        let mut page = json!({
            "size": results.len(),
            "results": results,
            "start": slice.start,
            "limit": slice.limit,
            "_links": links,
        });
        if !self.real {
            page["totalCount"] = json!(slice.total);
        }
        page
    }
}

/// The key of a user on the wire.
fn user_key(id: i64) -> String {
    format!("4028d6c7{id:024x}")
}

/// The id behind such a key.
pub(super) fn id_of_user_key(key: &str) -> Option<i64> {
    let digits = key.strip_prefix("4028d6c7")?;
    i64::from_str_radix(digits, 16).ok()
}

fn label(prefix: &str, name: &str) -> Value {
    let written = if prefix == "my" {
        format!("my:{name}")
    } else {
        name.to_owned()
    };
    let id = format!("{prefix}:{name}")
        .bytes()
        .fold(0, |id, byte| large::scatter(id ^ u64::from(byte)))
        >> 44;
    json!({"prefix": prefix, "id": id.to_string(), "label": written, "name": name})
}

/// The id on the wire: attachments have a prefix.
pub(super) fn wire_id(row: &ContentRow) -> String {
    match row.kind {
        Kind::Attachment => format!("att{}", row.id),
        Kind::Page | Kind::BlogPost | Kind::Comment => row.id.to_string(),
    }
}

/// What hangs below a content and is current.
pub(super) fn children_of(id: i64, kind: Kind) -> Filter {
    let mut filter = Filter::default();
    filter.and(
        "parent = ? AND status = 0 AND kind = ?",
        [id.into(), (kind as i64).into()],
    );
    filter
}

/// What is below a content, at any depth, and is current.
pub(super) fn descendants_of(id: i64, kind: Kind) -> Filter {
    let mut filter = Filter::default();
    filter.and(
        "id IN (WITH RECURSIVE below (id) AS (SELECT id FROM content WHERE parent = ? \
         UNION SELECT content.id FROM content JOIN below ON parent = below.id) \
         SELECT id FROM below) AND status = 0 AND kind = ?",
        [id.into(), (kind as i64).into()],
    );
    filter
}

/// The comments on a content that are current, and the answers to them.
pub(super) fn comments_of(id: i64) -> Filter {
    let mut filter = Filter::default();
    filter.and(
        "id IN (WITH RECURSIVE below (id) AS (SELECT id FROM content WHERE parent = ? AND kind = 2 \
         UNION SELECT content.id FROM content JOIN below ON parent = below.id WHERE kind = 2) \
         SELECT id FROM below) AND status = 0",
        [id.into()],
    );
    filter
}
