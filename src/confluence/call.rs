//! What can be asked of a server: one [`Call`] variant for each operation.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::{Deserialize, Serialize};

use super::backup_restore::{BackupJob, Downloaded, JobOperation, LocalFile, Resume};
use super::server_text::ServerText;
use super::types::*;

/// What is escaped in a key that stands as one segment of a path: all but the "unreserved"
/// characters of RFC 3986.
pub const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Side filters of the list of spaces: every parameter of operation 1.
/// An empty list or `None` leaves the parameter out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SpacesFilter {
    /// `spaceKey`, repeated.
    pub keys: Vec<SpaceKey>,
    /// `spaceKeySingle`.
    pub key_single: Option<SpaceKey>,
    /// `spaceId`, repeated.
    pub ids: Vec<u64>,
    /// `type`.
    pub kind: Option<SpaceKind>,
    /// `status`.
    pub status: Option<SpaceStatus>,
    /// `label`, repeated.
    pub labels: Vec<String>,
    /// `contentLabel`, repeated.
    pub content_labels: Vec<String>,
    /// `favourite`.
    pub favourite: Option<bool>,
    /// `hasRetentionPolicy`.
    pub has_retention_policy: Option<bool>,
}

impl SpacesFilter {
    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a space is one of those asked for, as far as its row tells: some servers pass over a
    /// parameter that they don't know, and answer with the others too.
    pub fn may_fit(&self, space: &Space) -> bool {
        let is = |key: &SpaceKey| key.as_str().eq_ignore_ascii_case(space.key.as_str());
        let status = |wanted| space.status.is_none_or(|status| status == wanted);
        self.kind.is_none_or(|kind| kind == space.kind)
            && self.status.is_none_or(status)
            && (self.keys.is_empty() || self.keys.iter().any(is))
            && self.key_single.as_ref().is_none_or(is)
            && (self.ids.is_empty() || space.id.is_none_or(|id| self.ids.contains(&id)))
    }

    /// Whether a row tells all that is asked for.
    pub fn is_told_by(&self, space: &Space) -> bool {
        self.labels.is_empty()
            && self.content_labels.is_empty()
            && self.favourite.is_none()
            && self.has_retention_policy.is_none()
            && (self.status.is_none() || space.status.is_some())
    }
}

/// Who can see a new global space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Audience {
    /// Everybody with access (operation 2).
    Everybody,
    /// Only its creator (operation 3; personal: `isPrivate`).
    OnlyCreator,
}

/// How deep operations 10 and 11 go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Every page.
    All,
    /// Root pages only.
    Root,
}

/// What a scan of a space tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scanned {
    /// What is in the trash.
    Trashed,
    /// That, and what is current.
    Any,
}

/// A window into a list read by `start` and `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Offset of the first row wanted.
    pub start: u64,
    /// How many rows are wanted; the server may give fewer.
    pub limit: u64,
}

/// One operation with its parameters. Decides method, path, query and body; see `request`.
///
/// `expand` is a list of names joined by commas (`"version,ancestors"`), empty for none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are the parameters of the operation, by their names there"
)]
pub enum Call {
    /// 1: `GET /space`.
    Spaces {
        filter: SpacesFilter,
        expand: String,
        window: Window,
    },
    /// 2 and 3: `POST /space`, `POST /space/_private`.
    CreateSpace {
        key: SpaceKey,
        name: ServerText,
        description: String,
        audience: Audience,
    },
    /// 4: `POST /space/personal`.
    CreatePersonalSpace {
        description: String,
        audience: Audience,
    },
    /// 5: `GET /space/{key}`.
    Space { key: SpaceKey, expand: String },
    /// 6: `PUT /space/{key}`. Key and name always go; the others only when `Some`.
    UpdateSpace {
        key: SpaceKey,
        name: ServerText,
        description: Option<String>,
        homepage: Option<ContentId>,
    },
    /// 7: `DELETE /space/{key}`.
    DeleteSpace { key: SpaceKey },
    /// 8: `PUT /space/{key}/archive`.
    ArchiveSpace { key: SpaceKey },
    /// 9: `PUT /space/{key}/restore`.
    RestoreSpace { key: SpaceKey },
    /// 10: `GET /space/{key}/content`.
    SpaceContent {
        key: SpaceKey,
        depth: Depth,
        expand: String,
        window: Window,
    },
    /// 11: `GET /space/{key}/content/{type}`.
    SpaceContentOfKind {
        key: SpaceKey,
        kind: ContentKind,
        depth: Depth,
        expand: String,
        window: Window,
    },
    /// 12: `GET /space/{key}/trash`.
    Trash {
        key: SpaceKey,
        cursor: Option<Cursor>,
        expand: String,
        limit: u64,
    },
    /// 13: `DELETE /space/{key}/trash`.
    PurgeTrash { key: SpaceKey },
    /// `GET /longtask/{id}`.
    LongTask { id: LongTaskId },
    /// `GET /content/{id}`, with `status=trashed` when `trashed`.
    Content {
        id: ContentId,
        status: Option<ContentStatus>,
        expand: String,
    },
    /// `GET /content/{id}/child/page`.
    ChildPages {
        id: ContentId,
        expand: String,
        window: Window,
    },
    /// `GET /content/{id}/child/attachment`.
    Attachments {
        id: ContentId,
        expand: String,
        window: Window,
    },
    /// `GET /content/{id}/child/comment?depth=all`: the comments on it and the answers to them.
    Comments {
        id: ContentId,
        expand: String,
        window: Window,
    },
    /// `GET /content/scan?spaceKey=&status=` (9.0): what is in a space, by a cursor that no offset can
    /// shift; with `kind` of that type alone.
    Scan {
        key: SpaceKey,
        of: Scanned,
        kind: Option<ContentKind>,
        cursor: Option<Cursor>,
        expand: String,
        limit: u64,
    },
    /// `GET /content?spaceKey=&status=trashed&type=`: the trash of servers without operation 12.
    TrashedContent {
        key: SpaceKey,
        kind: ContentKind,
        expand: String,
        window: Window,
    },
    /// `GET /content?spaceKey=&title=`: pages of that title, to find collisions.
    ContentByTitle {
        key: SpaceKey,
        title: ServerText,
        kind: ContentKind,
    },
    /// `PUT /content/{id}` with `status: current`: out of the trash again. Here and below,
    /// `version` is the number that goes out: one more than the content has now.
    RestoreContent {
        id: ContentId,
        kind: ContentKind,
        title: ServerText,
        version: u64,
    },
    /// `PUT /content/{id}` with `ancestors`: moved below `parent`.
    MoveContent {
        id: ContentId,
        kind: ContentKind,
        title: ServerText,
        version: u64,
        parent: ContentId,
    },
    /// `DELETE /content/{id}?status=trashed`: purged for good.
    PurgeContent { id: ContentId },
    /// `DELETE /content/{id}`: into the trash.
    TrashContent { id: ContentId },
    /// `POST /content`: a new page or blog post from storage format.
    CreateContent {
        space: SpaceKey,
        kind: ContentKind,
        title: ServerText,
        parent: Option<ContentId>,
        storage: String,
    },
    /// `POST /content` with a container: a comment on a page or blog post, or an answer to one.
    CreateComment {
        on: ContentId,
        /// The type of what it is on.
        kind: ContentKind,
        parent: Option<ContentId>,
        /// Where it stands; `None`: at the foot.
        remark: Option<Remark>,
        storage: String,
    },
    /// `POST /content/{id}/child/attachment`: a file goes onto a page or blog post.
    AttachFile {
        id: ContentId,
        title: ServerText,
        from: LocalFile,
        media_type: Option<String>,
        note: Option<ServerText>,
    },
    /// `PUT /content/{id}` with a new body: text put into a page that was made empty.
    ReplaceBody {
        id: ContentId,
        kind: ContentKind,
        title: ServerText,
        version: u64,
        storage: String,
    },
    /// `PUT /content/{id}/restriction`: who alone may read or update.
    SetRestrictions {
        id: ContentId,
        restrictions: Vec<Restriction>,
    },
    /// `POST /content/{id}/label`: labels added, prefix `global`.
    AddLabels {
        id: ContentId,
        labels: Vec<ServerText>,
    },
    /// `GET {download}`: an attachment's file, or a part of it, goes to the disk. `path` is relative to
    /// the base and is checked to stay below it.
    Download {
        path: String,
        into: LocalFile,
        /// Its length, where the server told: what is there already and is as long is taken for it.
        size: Option<u64>,
        /// The job that saves it: what an earlier run has of the file need not come again.
        job: String,
        resume: Option<Resume>,
    },
    /// `POST /backup-restore/backup/space` (9.0): the server writes a space out, with all that is in it.
    BackUpSpace { key: SpaceKey, prefix: String },
    /// `GET /backup-restore/jobs?spaceKey=&jobOperation=`: the jobs about a space.
    BackupJobs {
        key: SpaceKey,
        operation: JobOperation,
        limit: u64,
    },
    /// `GET /backup-restore/jobs/{id}`.
    BackupJob { id: u64 },
    /// `PUT /backup-restore/jobs/{id}/cancel`.
    CancelBackupJob { id: u64 },
    /// `GET /backup-restore/jobs/{id}/download`: a part of the file goes to the disk, after what is
    /// there of it.
    DownloadBackup {
        id: u64,
        into: LocalFile,
        resume: Option<Resume>,
    },
    /// `POST /backup-restore/restore/space/upload`: the server reads a space in again.
    UploadBackup { from: LocalFile },
    /// `GET` on the path below `/rest/api` that these segments make and that takes writes alone:
    /// tells whether a server has the operation, and changes nothing. 405 means that it has.
    Probe { segments: Vec<String> },
    /// `GET /user/current`.
    CurrentUser,
    /// `GET /server-information`.
    ServerInfo,
    /// `GET /rest/applinks/1.0/manifest`: the version of servers without `server-information`.
    Manifest,
    /// `GET /accessmode`.
    AccessMode,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Makes.
    Post,
    /// Changes.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, complete but for origin, context path and sign-in, which the client adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Below the base, such as `/rest/api/space/ENG`; segments are percent-encoded.
    pub path: String,
    /// Names and values, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The body, JSON.
    pub body: Option<String>,
}

/// What a server answered to a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Operation 1.
    Spaces(Page<Space>),
    /// Operations 2 to 6.
    Space(Box<Space>),
    /// Operation 7.
    LongTaskStarted(LongTaskId),
    /// Operations 8, 9, 13 and every answer without a body.
    Done,
    /// Operation 10.
    SpaceContent(SpaceContent),
    /// Operation 11, children, attachments, trashed content by `GET /content`.
    Contents(Page<Content>),
    /// Operation 12.
    Trash(CursorPage<Content>),
    /// A scan of a space.
    Scan(CursorPage<Content>),
    /// A long task.
    LongTask(LongTask),
    /// One content.
    Content(Box<Content>),
    /// A job of the server's own backups.
    BackupJob(Box<BackupJob>),
    /// Such jobs.
    BackupJobs(Vec<BackupJob>),
    /// How far a file has come to the disk.
    Downloaded(Downloaded),
    /// Who we are.
    CurrentUser(CurrentUser),
    /// What the server is.
    ServerInfo(ServerInfo),
    /// Whether the site takes writes.
    AccessMode(AccessMode),
}

impl Call {
    /// Whether a file of this machine goes out with it. That takes as long as the line needs for the file.
    pub fn sends_a_file(&self) -> bool {
        matches!(self, Self::UploadBackup { .. } | Self::AttachFile { .. })
    }

    /// Whether this call only reads. Exactly these are sent by a read-only client.
    pub fn is_read(&self) -> bool {
        match self {
            Self::Spaces { .. }
            | Self::Space { .. }
            | Self::SpaceContent { .. }
            | Self::SpaceContentOfKind { .. }
            | Self::Trash { .. }
            | Self::LongTask { .. }
            | Self::Content { .. }
            | Self::ChildPages { .. }
            | Self::Attachments { .. }
            | Self::Comments { .. }
            | Self::Scan { .. }
            | Self::TrashedContent { .. }
            | Self::ContentByTitle { .. }
            | Self::Download { .. }
            | Self::BackupJobs { .. }
            | Self::BackupJob { .. }
            | Self::DownloadBackup { .. }
            | Self::Probe { .. }
            | Self::CurrentUser
            | Self::ServerInfo
            | Self::Manifest
            | Self::AccessMode => true,
            Self::CreateSpace { .. }
            | Self::CreatePersonalSpace { .. }
            | Self::UpdateSpace { .. }
            | Self::DeleteSpace { .. }
            | Self::ArchiveSpace { .. }
            | Self::RestoreSpace { .. }
            | Self::PurgeTrash { .. }
            | Self::RestoreContent { .. }
            | Self::MoveContent { .. }
            | Self::PurgeContent { .. }
            | Self::TrashContent { .. }
            | Self::CreateContent { .. }
            | Self::CreateComment { .. }
            | Self::AttachFile { .. }
            | Self::ReplaceBody { .. }
            | Self::SetRestrictions { .. }
            | Self::AddLabels { .. }
            | Self::BackUpSpace { .. }
            | Self::CancelBackupJob { .. }
            | Self::UploadBackup { .. } => false,
        }
    }
}
