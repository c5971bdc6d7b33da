//! The nouns of Confluence, as decoded from any server that we know of.
//!
//! Everything that a server may leave out is an `Option`: `None` means "the server did not say",
//! never "there is none". Strings have been scrubbed by `decode` and can go to a screen as they are.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::server_text::ServerText;

/// The key of a space, such as `ENG` or `~jdoe`. Compared as the server spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpaceKey(Arc<str>);

impl SpaceKey {
    /// A key as a server or a person gave it.
    pub fn new(key: impl AsRef<str>) -> Self {
        Self(Arc::from(key.as_ref()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the key of a personal space (`~` and a user name).
    pub fn is_personal(&self) -> bool {
        self.0.starts_with('~')
    }
}

impl fmt::Display for SpaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The id of a page, blog post, comment or attachment. A string on the wire (`"393229"`,
/// `"att5678"`); numbers are accepted and kept as their digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentId(#[serde(deserialize_with = "id_of_file")] Arc<str>);

/// Whether a text can be an id of something: letters, digits, `-` and `_`. What has a slash, a dot or a
/// percent sign in it would lead elsewhere as a part of a path, for one of those that a request passes.
pub(super) fn is_id(text: &str) -> bool {
    let is_of_ids = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.bytes().all(is_of_ids)
}

fn id_of_file<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    let text = Arc::<str>::deserialize(from)?;
    if is_id(&text) {
        Ok(text)
    } else {
        Err(D::Error::custom("an id has letters, digits, - and _ alone"))
    }
}

impl ContentId {
    /// An id as a server told it; `None` where it is none.
    pub fn told(id: impl AsRef<str>) -> Option<Self> {
        is_id(id.as_ref()).then(|| Self::new(id))
    }

    /// An id that was told before.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(Arc::from(id.as_ref()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The id of a long task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LongTaskId(pub String);

/// Global or personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceKind {
    /// A space of the site.
    Global,
    /// A space of one user.
    Personal,
}

/// Current or archived. Absent from servers before 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceStatus {
    /// In use.
    Current,
    /// Archived: kept, but out of lists and searches.
    Archived,
}

/// A user as an author or modifier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The name used to sign in; absent for anonymous and unknown users.
    pub username: Option<String>,
    /// The name shown; falls back to the user name, then "Anonymous" or "Unknown user".
    pub display_name: String,
    /// The stable key of the user.
    pub user_key: Option<String>,
}

/// A point in time as the server wrote it. Ordered by the instant alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub Timestamp);

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its number.
    pub id: Option<u64>,
    /// Its key.
    pub key: SpaceKey,
    /// Its name; the key where the server left it out.
    pub name: ServerText,
    /// Global or personal; guessed from the key (`~`) where the server left it out.
    pub kind: SpaceKind,
    /// Current or archived.
    pub status: Option<SpaceStatus>,
    /// All that a list seldom shows.
    pub more: Option<Box<SpaceMore>>,
}

/// The rest of a space. `None` in a field: the server did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceMore {
    /// The description as plain text.
    pub description: Option<String>,
    /// The homepage.
    pub homepage: Option<ContentRef>,
    /// Who made the space.
    pub creator: Option<Person>,
    /// When it was made.
    pub created: Option<Moment>,
    /// Who changed the space itself last.
    pub last_modifier: Option<Person>,
    /// When the space itself was changed last.
    pub modified: Option<Moment>,
    /// Labels, without prefix.
    pub labels: Option<Vec<String>>,
    /// The retention policy in one line.
    pub retention_policy: Option<String>,
    /// Permissions, one line each ("administer: jdoe").
    pub permissions: Option<Vec<Permission>>,
    /// Path of the icon.
    pub icon_path: Option<String>,
    /// Address in a browser, relative to the base.
    pub webui: Option<String>,
}

/// One permission of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// What may be done, such as `administer` or `create`.
    pub operation: String,
    /// On what, such as `space` or `page`.
    pub target: String,
    /// Users and groups that may, by name.
    pub subjects: Vec<String>,
}

/// A pointer to a content with what came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentRef {
    /// Its id.
    pub id: ContentId,
    /// Its title, where given.
    pub title: Option<String>,
}

/// The type of a content. Unknown ones are kept by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentKind {
    /// A page.
    Page,
    /// A blog post.
    BlogPost,
    /// A comment.
    Comment,
    /// An attachment.
    Attachment,
    /// Anything else, by the server's name for it.
    #[serde(untagged)]
    Other(String),
}

impl ContentKind {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Page => "page",
            Self::BlogPost => "blogpost",
            Self::Comment => "comment",
            Self::Attachment => "attachment",
            Self::Other(name) => name,
        }
    }
}

/// The status of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentStatus {
    /// Readable in its place.
    Current,
    /// In the trash.
    Trashed,
    /// Not yet published.
    Draft,
    /// An old version.
    Historical,
}

/// The version of a content: who touched it last, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Counts from 1.
    pub number: Option<u64>,
    /// When it was saved: the last edit, and nothing else (never a date of deletion).
    pub when: Option<Moment>,
    /// Who saved it.
    pub by: Option<Person>,
    /// What was said of the change.
    pub message: Option<String>,
}

/// A page, blog post, comment or attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its id.
    pub id: ContentId,
    /// Its type.
    pub kind: ContentKind,
    /// Its status; `None` where the server left it out.
    pub status: Option<ContentStatus>,
    /// Its title; empty where the server left it out.
    pub title: ServerText,
    /// Whether the server says that it has children (pages): from `children.page`; `None` unknown.
    pub has_children: Option<bool>,
    /// The space it is in, where given.
    pub space: Option<SpaceKey>,
    /// The last version, where expanded.
    pub version: Option<Version>,
    /// Ancestors, outermost first; `None` when not expanded.
    pub ancestors: Option<Vec<ContentRef>>,
    /// Position among its siblings; `None` for `"none"` and `-1`.
    pub position: Option<i64>,
    /// All that a list seldom shows.
    pub more: Option<Box<ContentMore>>,
}

/// The rest of a content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentMore {
    /// Who made it.
    pub created_by: Option<Person>,
    /// When it was made.
    pub created: Option<Moment>,
    /// `body.storage.value`, as sent, not scrubbed: it goes into backups to the byte and to a
    /// screen only by way of `text::storage`.
    pub body_storage: Option<String>,
    /// `body.view.value`, as sent, not scrubbed: to a screen only by way of `text::html`.
    pub body_view: Option<String>,
    /// Labels, without prefix.
    pub labels: Option<Vec<ServerText>>,
    /// Restrictions by operation.
    pub restrictions: Option<Vec<Restriction>>,
    /// Address in a browser, relative to the base.
    pub webui: Option<String>,
    /// Where an attachment's file is, relative to the base.
    pub download: Option<String>,
    /// Size of an attachment's file in bytes.
    pub file_size: Option<u64>,
    /// Media type of an attachment's file.
    pub media_type: Option<String>,
    /// The content that an attachment or comment hangs on.
    pub container: Option<ContentRef>,
    /// Its attachments, from `children.attachment`; `None` unless the server gave all of them.
    pub attachments: Option<Vec<AttachmentRef>>,
    /// Whether anybody has commented on it, from `children.comment`.
    pub has_comments: Option<bool>,
    /// The comments on it and the answers to them, from the same; `None` unless the server gave all.
    #[serde(default)]
    pub comments: Option<Vec<CommentRef>>,
    /// What was noted of an attachment's file when it was uploaded.
    pub file_note: Option<ServerText>,
    /// Where and how a comment stands.
    pub remark: Option<Box<Remark>>,
}

/// A comment as it stands below what it is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentRef {
    /// Its id.
    pub id: ContentId,
    /// Its version, where given.
    pub version: Option<u64>,
}

/// What sets a comment apart from other content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Remark {
    /// `inline`, `footer` or `resolved`.
    pub location: Option<String>,
    /// Whether it is `open` or `resolved`, in the server's word.
    pub resolution: Option<String>,
    /// The name of the mark in the page's text that an inline comment is about.
    pub marker: Option<String>,
    /// The words that it was about.
    pub selection: Option<ServerText>,
}

/// An attachment as it stands below the page that it hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// Its id.
    pub id: ContentId,
    /// Its name.
    pub title: ServerText,
    /// Its version, where given.
    #[serde(default)]
    pub version: Option<u64>,
    /// Size of its file in bytes.
    pub file_size: Option<u64>,
    /// Media type of its file.
    pub media_type: Option<String>,
}

/// Who alone may `read` or `update` a content.
///
/// Where `users` and `user_keys` are equally long they tell of the same people in the same order.
/// An empty text stands for a name or key that the server did not tell: a restriction to somebody
/// whom it does not name is a restriction all the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Restriction {
    /// `read` or `update`.
    pub operation: String,
    /// User names.
    pub users: Vec<String>,
    /// User keys of the same users, where given.
    pub user_keys: Vec<String>,
    /// Group names.
    pub groups: Vec<ServerText>,
}

/// One person of a [`Restriction`], as far as the server named them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// The user name.
    pub name: Option<&'a str>,
    /// The user key. It outlives a change of the name.
    pub key: Option<&'a str>,
}

impl Subject<'_> {
    /// Whether the server said who it is.
    pub fn is_named(&self) -> bool {
        self.name.is_some() || self.key.is_some()
    }
}

impl Restriction {
    /// The people it lists, also those whom the server did not name.
    pub fn people(&self) -> Vec<Subject<'_>> {
        fn told(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        if self.users.is_empty() {
            let keys = self.user_keys.iter();
            return keys
                .map(|key| Subject {
                    name: None,
                    key: told(key),
                })
                .collect();
        }
        // Of lists that are not equally long nobody knows which key is whose.
        let is_paired = self.users.len() == self.user_keys.len();
        let keys = |at: usize| self.user_keys.get(at).filter(|_| is_paired);
        let names = self.users.iter().enumerate();
        names
            .map(|(at, name)| Subject {
                name: told(name),
                key: keys(at).and_then(|key| told(key)),
            })
            .collect()
    }

    /// Whether it lists anybody whom the server named.
    pub fn names_anybody(&self) -> bool {
        self.people().iter().any(Subject::is_named) || self.groups.iter().any(|it| !it.is_empty())
    }

    /// Whether it lists anybody whom the server did not name.
    pub fn hides_anybody(&self) -> bool {
        !self.people().iter().all(Subject::is_named) || self.groups.iter().any(|it| it.is_empty())
    }
}

/// A page of a list read by `start` and `limit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What it holds.
    pub results: Vec<T>,
    /// Offset of the first.
    pub start: u64,
    /// The limit that the server says it used. It may be what was asked for, though capped.
    pub limit: Option<u64>,
    /// How many there are in all; real servers leave it out.
    pub total: Option<u64>,
    /// Whether the server offers a next page. It may do so past the end for ever.
    pub has_next: bool,
}

/// A page of a list read by cursor (the trash).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPage<T> {
    /// What it holds.
    pub results: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
    /// How many there are in all; real servers leave it out.
    pub total: Option<u64>,
}

/// An opaque place in a list. Sent back as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// The answer of operation 10, in either shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpaceContent {
    /// One flat page over all types, as documented.
    Flat(Page<Content>),
    /// A page for each type, as real servers answer.
    ByType {
        /// Pages.
        page: Page<Content>,
        /// Blog posts.
        blogpost: Page<Content>,
    },
}

/// Where a long task stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LongTask {
    /// Its id.
    pub id: LongTaskId,
    /// What it is called.
    pub name: Option<String>,
    /// Milliseconds since it began.
    pub elapsed_ms: Option<u64>,
    /// 0 to 100, clamped.
    pub percentage: u8,
    /// Says nothing while it runs.
    pub successful: bool,
    /// What it reports, oldest first.
    pub messages: Vec<String>,
}

/// Who the server thinks we are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// `None`: anonymous, also with a bad token.
    pub username: Option<String>,
    /// The name shown.
    pub display_name: String,
}

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Such as `9.2.1`.
    pub version: Option<String>,
    /// Build number.
    pub build: Option<String>,
    /// The address it believes to have; never followed.
    pub base_url: Option<String>,
}

/// Whether the site takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessMode {
    /// Reads and writes.
    ReadWrite,
    /// Reads only (maintenance).
    ReadOnly,
}
