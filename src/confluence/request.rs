//! From a [`Call`] to a [`Request`]: methods, paths, parameters and bodies. Pure; never knows an
//! origin, a context path or a token.

use percent_encoding::utf8_percent_encode;
use serde::Serialize;

use super::backup_restore::BackUpBody;
use super::call::{Audience, Call, Depth, Method, Request, SEGMENT, Scanned, SpacesFilter, Window};
use super::server_text::ServerText;
use super::types::{
    ContentId, ContentKind, ContentStatus, Remark, Restriction, SpaceKind, SpaceStatus, Subject,
};

/// `{"plain":{"value":…,"representation":"plain"}}`
#[derive(Serialize)]
struct Description<'a> {
    plain: Value<'a>,
}

/// `{"storage":{"value":…,"representation":"storage"}}`
#[derive(Serialize)]
struct Body<'a> {
    storage: Value<'a>,
}

#[derive(Serialize)]
struct Value<'a> {
    value: &'a str,
    representation: &'static str,
}

#[derive(Serialize)]
struct IdOnly<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct KeyOnly<'a> {
    key: &'a str,
}

#[derive(Serialize)]
struct Number {
    number: u64,
}

/// What goes to `POST /space` and `PUT /space/{key}`. Nothing else is ever sent: the other fields
/// of the documented request bodies are artefacts of its generator.
#[derive(Serialize)]
struct SpaceBody<'a> {
    key: &'a str,
    name: &'a ServerText,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<IdOnly<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonalSpaceBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Description<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_private: Option<bool>,
}

/// What goes to `POST /content` and `PUT /content/{id}`.
#[derive(Default, Serialize)]
struct ContentBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a ServerText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<KeyOnly<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ancestors: Option<[IdOnly<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body<'a>>,
}

/// What goes to `POST /content` for a comment.
#[derive(Serialize)]
struct CommentBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    container: Container<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ancestors: Option<[IdOnly<'a>; 1]>,
    body: Body<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions<'a>>,
}

#[derive(Serialize)]
struct Container<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extensions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<Resolution<'a>>,
    inline_properties: Inline<'a>,
}

#[derive(Serialize)]
struct Resolution<'a> {
    status: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inline<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    marker_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_selection: Option<&'a ServerText>,
}

fn extensions(remark: &Remark) -> Extensions<'_> {
    let resolution = remark.resolution.as_deref();
    Extensions {
        location: remark.location.as_deref(),
        resolution: resolution.map(|status| Resolution { status }),
        inline_properties: Inline {
            marker_ref: remark.marker.as_deref(),
            original_selection: remark.selection.as_ref(),
        },
    }
}

#[derive(Serialize)]
struct RestrictionBody<'a> {
    operation: &'a str,
    restrictions: Subjects<'a>,
}

#[derive(Serialize)]
struct Subjects<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user: Vec<UserSubject<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group: Vec<GroupSubject<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserSubject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_key: Option<&'a str>,
}

#[derive(Serialize)]
struct GroupSubject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a ServerText,
}

#[derive(Serialize)]
struct LabelBody<'a> {
    prefix: &'static str,
    name: &'a ServerText,
}

fn plain(value: &str) -> Description<'_> {
    Description {
        plain: Value {
            value,
            representation: "plain",
        },
    }
}

fn storage(value: &str) -> Body<'_> {
    Body {
        storage: Value {
            value,
            representation: "storage",
        },
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A path below `/rest/api`, each part encoded as one segment.
fn path(parts: &[&str]) -> String {
    let mut path = String::from("/rest/api");
    for part in parts {
        path.push('/');
        match *part {
            // Segments that mean "here" and "up" to every URL library, encoded or not. No key
            // and no id is one of them; the empty one is answered by a 404.
            "." | ".." => path.push_str("%252E"),
            part => path.extend(utf8_percent_encode(part, SEGMENT)),
        }
    }
    path
}

/// Collects parameters; what is not given is left out.
#[derive(Default)]
struct Query(Vec<(String, String)>);

impl Query {
    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    fn with_if<T: ToString>(self, name: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn each<T: ToString>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        values
            .into_iter()
            .fold(self, |query, value| query.with(name, value))
    }

    fn expand(self, expand: &str) -> Self {
        self.with_if("expand", given(expand))
    }

    fn window(self, window: Window) -> Self {
        self.with("start", window.start).with("limit", window.limit)
    }

    fn filter(self, filter: &SpacesFilter) -> Self {
        self.each("spaceKey", &filter.keys)
            .with_if("spaceKeySingle", filter.key_single.as_ref())
            .each("spaceId", &filter.ids)
            .with_if(
                "type",
                filter.kind.map(|kind| match kind {
                    SpaceKind::Global => "global",
                    SpaceKind::Personal => "personal",
                }),
            )
            .with_if(
                "status",
                filter.status.map(|status| match status {
                    SpaceStatus::Current => "current",
                    SpaceStatus::Archived => "archived",
                }),
            )
            .each("label", &filter.labels)
            .each("contentLabel", &filter.content_labels)
            .with_if("favourite", filter.favourite)
            .with_if("hasRetentionPolicy", filter.has_retention_policy)
    }
}

fn depth(depth: Depth) -> &'static str {
    match depth {
        Depth::All => "all",
        Depth::Root => "root",
    }
}

fn status(status: ContentStatus) -> &'static str {
    match status {
        ContentStatus::Current => "current",
        ContentStatus::Trashed => "trashed",
        ContentStatus::Draft => "draft",
        ContentStatus::Historical => "historical",
    }
}

fn get(path: String, query: Query) -> Request {
    Request {
        method: Method::Get,
        path,
        query: query.0,
        body: None,
    }
}

fn delete(path: String, query: Query) -> Request {
    Request {
        method: Method::Delete,
        path,
        query: query.0,
        body: None,
    }
}

fn send(method: Method, path: String, body: &impl Serialize) -> Request {
    Request {
        method,
        path,
        query: Vec::new(),
        body: Some(
            serde_json::to_string(body)
                .expect("because these bodies have string keys and no fallible fields"),
        ),
    }
}

fn put_content(id: &ContentId, body: &ContentBody<'_>) -> Request {
    send(Method::Put, path(&["content", id.as_str()]), body)
}

fn restriction(restriction: &Restriction) -> RestrictionBody<'_> {
    let people = restriction.people().into_iter();
    let user = people
        .filter(Subject::is_named)
        .map(|person| UserSubject {
            kind: "known",
            username: person.name,
            user_key: person.key,
        })
        .collect();
    let groups = restriction.groups.iter();
    let group = groups
        .filter(|name| !name.is_empty())
        .map(|name| GroupSubject {
            kind: "group",
            name,
        })
        .collect();
    RestrictionBody {
        operation: &restriction.operation,
        restrictions: Subjects { user, group },
    }
}

/// The path of a job of the server's own backups, or of something below it.
fn backup_job(id: u64, below: &[&str]) -> String {
    let id = id.to_string();
    let mut parts = vec!["backup-restore", "jobs", id.as_str()];
    parts.extend(below);
    path(&parts)
}

/// The path and the parameters of a link that a server gave for a file.
fn download(link: &str) -> Request {
    let (path, parameters) = link.split_once('?').unwrap_or((link, ""));
    let query = url::form_urlencoded::parse(parameters.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    get(path.to_owned(), Query(query))
}

impl Request {
    /// Whether the path stays below the base address: it begins with one slash, and no segment
    /// leads up or to another host, whichever way it is written.
    pub fn stays_below_base(&self) -> bool {
        let path = &self.path;
        let sane = path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains(['\\', '?', '#'])
            && !path.chars().any(char::is_control);
        // A personal key may hold a slash; elsewhere an encoded one is a way around this check. Whoever
        // reads one as a slash is not led up by it either way.
        let has_key = path.starts_with("/rest/api/space/");
        sane && path.split('/').all(|segment| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            let plain = plain.replace("%5c", "%2f");
            let leads = |part: &str| part == "." || part == "..";
            !plain.split("%2f").any(leads) && (has_key || !plain.contains("%2f"))
        })
    }
}

impl Call {
    /// What to send for this call, but for origin, context path, headers and sign-in.
    pub fn request(&self) -> Request {
        match self {
            Self::Spaces {
                filter,
                expand,
                window,
            } => get(
                path(&["space"]),
                Query::default()
                    .filter(filter)
                    .expand(expand)
                    .window(*window),
            ),
            Self::CreateSpace {
                key,
                name,
                description,
                audience,
            } => send(
                Method::Post,
                match audience {
                    Audience::Everybody => path(&["space"]),
                    Audience::OnlyCreator => path(&["space", "_private"]),
                },
                &SpaceBody {
                    key: key.as_str(),
                    name,
                    description: given(description).map(plain),
                    homepage: None,
                },
            ),
            Self::CreatePersonalSpace {
                description,
                audience,
            } => send(
                Method::Post,
                path(&["space", "personal"]),
                &PersonalSpaceBody {
                    description: given(description).map(plain),
                    is_private: match audience {
                        Audience::Everybody => None,
                        Audience::OnlyCreator => Some(true),
                    },
                },
            ),
            Self::Space { key, expand } => get(
                path(&["space", key.as_str()]),
                Query::default().expand(expand),
            ),
            Self::UpdateSpace {
                key,
                name,
                description,
                homepage,
            } => send(
                Method::Put,
                path(&["space", key.as_str()]),
                &SpaceBody {
                    key: key.as_str(),
                    name,
                    // An empty text clears the description; only `None` leaves it as it is.
                    description: description.as_deref().map(plain),
                    homepage: homepage.as_ref().map(|id| IdOnly { id: id.as_str() }),
                },
            ),
            Self::DeleteSpace { key } => delete(path(&["space", key.as_str()]), Query::default()),
            Self::ArchiveSpace { key } => Request {
                method: Method::Put,
                path: path(&["space", key.as_str(), "archive"]),
                query: Vec::new(),
                body: None,
            },
            Self::RestoreSpace { key } => Request {
                method: Method::Put,
                path: path(&["space", key.as_str(), "restore"]),
                query: Vec::new(),
                body: None,
            },
            Self::SpaceContent {
                key,
                depth: how_deep,
                expand,
                window,
            } => get(
                path(&["space", key.as_str(), "content"]),
                Query::default()
                    .with("depth", depth(*how_deep))
                    .expand(expand)
                    .window(*window),
            ),
            Self::SpaceContentOfKind {
                key,
                kind,
                depth: how_deep,
                expand,
                window,
            } => get(
                path(&["space", key.as_str(), "content", kind.as_str()]),
                Query::default()
                    .with("depth", depth(*how_deep))
                    .expand(expand)
                    .window(*window),
            ),
            Self::Trash {
                key,
                cursor,
                expand,
                limit,
            } => get(
                path(&["space", key.as_str(), "trash"]),
                Query::default()
                    .with_if("cursor", cursor.as_ref().map(|cursor| &cursor.0))
                    .expand(expand)
                    .with("limit", limit),
            ),
            Self::PurgeTrash { key } => {
                delete(path(&["space", key.as_str(), "trash"]), Query::default())
            }
            Self::LongTask { id } => get(path(&["longtask", &id.0]), Query::default()),
            Self::Content {
                id,
                status: wanted,
                expand,
            } => get(
                path(&["content", id.as_str()]),
                Query::default()
                    .with_if("status", wanted.map(status))
                    .expand(expand),
            ),
            Self::ChildPages { id, expand, window } => get(
                path(&["content", id.as_str(), "child", "page"]),
                Query::default().expand(expand).window(*window),
            ),
            Self::Attachments { id, expand, window } => get(
                path(&["content", id.as_str(), "child", "attachment"]),
                Query::default().expand(expand).window(*window),
            ),
            Self::Comments { id, expand, window } => get(
                path(&["content", id.as_str(), "child", "comment"]),
                Query::default()
                    .with("depth", "all")
                    .expand(expand)
                    .window(*window),
            ),
            Self::Scan {
                key,
                of,
                kind,
                cursor,
                expand,
                limit,
            } => get(
                path(&["content", "scan"]),
                Query::default()
                    .with("spaceKey", key)
                    .with(
                        "status",
                        match of {
                            Scanned::Trashed => "trashed",
                            Scanned::Any => "any",
                        },
                    )
                    .with_if("type", kind.as_ref().map(ContentKind::as_str))
                    .with_if("cursor", cursor.as_ref().map(|cursor| &cursor.0))
                    .expand(expand)
                    .with("limit", limit),
            ),
            Self::TrashedContent {
                key,
                kind,
                expand,
                window,
            } => get(
                path(&["content"]),
                Query::default()
                    .with("spaceKey", key)
                    .with("type", kind.as_str())
                    .with("status", "trashed")
                    .expand(expand)
                    .window(*window),
            ),
            Self::ContentByTitle { key, title, kind } => get(
                path(&["content"]),
                Query::default()
                    .with("spaceKey", key)
                    .with("type", kind.as_str())
                    .with("title", title.as_sent()),
            ),
            Self::RestoreContent {
                id,
                kind,
                title,
                version,
            } => put_content(
                id,
                &ContentBody {
                    id: Some(id.as_str()),
                    kind: kind.as_str(),
                    title: Some(title),
                    status: Some("current"),
                    version: Some(Number { number: *version }),
                    ..ContentBody::default()
                },
            ),
            Self::MoveContent {
                id,
                kind,
                title,
                version,
                parent,
            } => put_content(
                id,
                &ContentBody {
                    id: Some(id.as_str()),
                    kind: kind.as_str(),
                    title: Some(title),
                    version: Some(Number { number: *version }),
                    ancestors: Some([IdOnly {
                        id: parent.as_str(),
                    }]),
                    ..ContentBody::default()
                },
            ),
            Self::PurgeContent { id } => delete(
                path(&["content", id.as_str()]),
                Query::default().with("status", "trashed"),
            ),
            Self::TrashContent { id } => delete(path(&["content", id.as_str()]), Query::default()),
            Self::CreateContent {
                space,
                kind,
                title,
                parent,
                storage: text,
            } => send(
                Method::Post,
                path(&["content"]),
                &ContentBody {
                    kind: kind.as_str(),
                    title: Some(title),
                    space: Some(KeyOnly {
                        key: space.as_str(),
                    }),
                    ancestors: parent.as_ref().map(|id| [IdOnly { id: id.as_str() }]),
                    body: Some(storage(text)),
                    ..ContentBody::default()
                },
            ),
            Self::CreateComment {
                on,
                kind,
                parent,
                remark,
                storage: text,
            } => send(
                Method::Post,
                path(&["content"]),
                &CommentBody {
                    kind: "comment",
                    container: Container {
                        id: on.as_str(),
                        kind: kind.as_str(),
                    },
                    ancestors: parent.as_ref().map(|id| [IdOnly { id: id.as_str() }]),
                    body: storage(text),
                    extensions: remark.as_ref().map(extensions),
                },
            ),
            Self::AttachFile { id, .. } => Request {
                method: Method::Post,
                path: path(&["content", id.as_str(), "child", "attachment"]),
                query: Vec::new(),
                body: None,
            },
            Self::ReplaceBody {
                id,
                kind,
                title,
                version,
                storage: text,
            } => put_content(
                id,
                &ContentBody {
                    id: Some(id.as_str()),
                    kind: kind.as_str(),
                    title: Some(title),
                    version: Some(Number { number: *version }),
                    body: Some(storage(text)),
                    ..ContentBody::default()
                },
            ),
            Self::SetRestrictions { id, restrictions } => send(
                Method::Put,
                path(&["content", id.as_str(), "restriction"]),
                &restrictions.iter().map(restriction).collect::<Vec<_>>(),
            ),
            Self::AddLabels { id, labels } => send(
                Method::Post,
                path(&["content", id.as_str(), "label"]),
                &labels
                    .iter()
                    .map(|name| LabelBody {
                        prefix: "global",
                        name,
                    })
                    .collect::<Vec<_>>(),
            ),
            Self::Download { path, .. } => download(path),
            Self::BackUpSpace { key, prefix } => send(
                Method::Post,
                path(&["backup-restore", "backup", "space"]),
                &BackUpBody {
                    space_keys: [key.as_str()],
                    keep_permanently: false,
                    file_name_prefix: prefix,
                },
            ),
            Self::BackupJobs {
                key,
                operation,
                limit,
            } => get(
                path(&["backup-restore", "jobs"]),
                Query::default()
                    .with("spaceKey", key)
                    .with("jobOperation", operation.as_str())
                    .with("limit", limit),
            ),
            Self::BackupJob { id } => get(backup_job(*id, &[]), Query::default()),
            Self::CancelBackupJob { id } => Request {
                method: Method::Put,
                path: backup_job(*id, &["cancel"]),
                query: Vec::new(),
                body: None,
            },
            Self::DownloadBackup { id, .. } => {
                get(backup_job(*id, &["download"]), Query::default())
            }
            Self::UploadBackup { .. } => Request {
                method: Method::Post,
                path: path(&["backup-restore", "restore", "space", "upload"]),
                query: Vec::new(),
                body: None,
            },
            Self::Probe { segments } => {
                let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
                get(path(&segments), Query::default())
            }
            Self::CurrentUser => get(path(&["user", "current"]), Query::default()),
            Self::ServerInfo => get(path(&["server-information"]), Query::default()),
            Self::Manifest => get("/rest/applinks/1.0/manifest".to_owned(), Query::default()),
            Self::AccessMode => get(path(&["accessmode"]), Query::default()),
        }
    }
}

impl ContentKind {
    /// From the name on the wire, in any case.
    pub(super) fn named(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "page" => Self::Page,
            "blogpost" => Self::BlogPost,
            "comment" => Self::Comment,
            "attachment" => Self::Attachment,
            _ => Self::Other(name.to_owned()),
        }
    }
}
