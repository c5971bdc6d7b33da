//! What a request of a job is for.

use serde::{Deserialize, Serialize};

/// What a request of a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A read before anything is done.
    Look,
    /// A list.
    List,
    /// A read just before a write, to see that nothing has changed.
    Check,
    /// A read after a lost answer.
    Settle,
    /// A second read after a lost answer.
    SettleElsewhere,
    /// A read of something else that must be there, before a 404 counts as "gone".
    Witness,
    /// The state of a long task.
    Poll,
    /// An item for the backup.
    Fetch,
    /// The attachments of an item for the backup.
    FetchAttachments,
    /// The comments on an item, which go with it.
    FetchComments,
    /// A file for the backup.
    FetchFile,
    /// A space is to be written out by the server.
    BackUpSpace,
    /// A job of the server's own is given up.
    CancelBackup,
    /// A file of the server comes to the disk.
    Download,
    /// A file goes to the server.
    Upload,
    /// A space is made.
    CreateSpace,
    /// A space is changed.
    UpdateSpace,
    /// A space is archived.
    Archive,
    /// A space is taken out of the archive.
    Unarchive,
    /// A space is deleted.
    Delete,
    /// A whole trash is purged.
    PurgeTrash,
    /// One item is purged.
    Purge,
    /// One item is taken out of the trash.
    Restore,
    /// One item is put below its former parent.
    Move,
    /// A content is made.
    Create,
    /// Restrictions are set.
    Restrict,
    /// A body is put in.
    FillIn,
    /// Labels are added.
    Label,
    /// A comment is made.
    Comment,
    /// A file is attached.
    Attach,
    /// A content that was just made empty is put into the trash again.
    Withdraw,
}
