//! `backup-restore`: spaces written out by the server itself, and read in again (9.0).
//!
//! Every field of a job is optional: a state is believed when it is read, and a word that is not known
//! is none. Files of any size are moved by [`super::transfer`].

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::json::{not_what, parse};
use super::types::SpaceKey;
use super::wire::{List, Maybe, Name, Number, Text, Truth, in_words};

/// Which way a job goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobOperation {
    /// A space is written out.
    Backup,
    /// A space is read in.
    Restore,
}

impl JobOperation {
    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "BACKUP",
            Self::Restore => "RESTORE",
        }
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum BackupState {
    /// Not begun.
    Queued,
    /// At work.
    Processing,
    /// Nearly done.
    Completing,
    /// Done.
    Finished,
    /// Being given up.
    Cancelling,
    /// Given up.
    Cancelled,
    /// It did not work.
    Failed,
}

impl BackupState {
    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Finished | Self::Cancelled | Self::Failed)
    }

    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "QUEUED" => Self::Queued,
            "PROCESSING" => Self::Processing,
            "COMPLETING" => Self::Completing,
            "FINISHED" => Self::Finished,
            "CANCELLING" => Self::Cancelling,
            "CANCELLED" => Self::Cancelled,
            "FAILED" => Self::Failed,
            _ => return None,
        })
    }
}

/// A job of the server, as far as it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupJob {
    /// Its number.
    pub id: u64,
    /// Whether it writes out or reads in.
    pub operation: Option<JobOperation>,
    /// Where it stands.
    pub state: Option<BackupState>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who asked for it.
    pub owner: Option<String>,
    /// What its file is called, or the beginning of that name.
    pub file: Option<String>,
    /// Whether its file is there.
    pub has_file: Option<bool>,
    /// The spaces it is about.
    pub spaces: Vec<SpaceKey>,
    /// How many objects there are.
    pub total: Option<u64>,
    /// How many of them are done.
    pub processed: Option<u64>,
    /// How many of them were left out.
    #[serde(default)]
    pub skipped: Option<u64>,
}

impl BackupJob {
    /// Whether it is known to be over.
    pub fn is_over(&self) -> bool {
        self.state.is_some_and(BackupState::is_over)
    }

    /// Whether it was asked for under this prefix of file names.
    pub fn is_of(&self, prefix: &str) -> bool {
        self.file
            .as_deref()
            .is_some_and(|file| file.starts_with(prefix))
    }
}

/// A file in a folder of the backups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LocalFile {
    /// The folder below the backups; a plain name.
    pub backup: String,
    /// The file in it; a plain name.
    pub name: String,
}

/// The file on the server that a download goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resume {
    /// What the server calls this state of it (`ETag`), if it does.
    pub tag: Option<String>,
    /// Its length.
    pub total: u64,
}

/// How far a download has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Downloaded {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Bytes in all, where the server told.
    pub total: Option<u64>,
    /// What to go on with; `None`: from the beginning.
    pub resume: Option<Resume>,
    /// The check sum of what arrived, in hexadecimal digits, once all of it has.
    pub sha256: Option<String>,
}

/// What goes to `POST /backup-restore/backup/space`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackUpBody<'a> {
    pub(super) space_keys: [&'a str; 1],
    pub(super) keep_permanently: bool,
    pub(super) file_name_prefix: &'a str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct JobWire {
    id: Number,
    job_operation: Text,
    job_state: Text,
    error_message: Text,
    owner: Text,
    file_name: Text,
    file_exists: Truth,
    space_keys: List<Name>,
    job_settings: Maybe<SettingsWire>,
    statistics: Maybe<StatisticsWire>,
    job_statistics: Maybe<StatisticsWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SettingsWire {
    space_keys: List<Name>,
    file_name_prefix: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatisticsWire {
    total_objects_count: Number,
    processed_objects_count: Number,
    skipped_objects_count: Number,
}

impl JobWire {
    fn job(self) -> Option<BackupJob> {
        let settings = self.job_settings.0.unwrap_or_default();
        let statistics = self.statistics.0.or(self.job_statistics.0);
        let statistics = statistics.unwrap_or_default();
        let keys = self.space_keys.0.or(settings.space_keys.0);
        let word = |text: Text| text.0.map(|word| word.to_ascii_uppercase());
        Some(BackupJob {
            id: self.id.count()?,
            operation: match word(self.job_operation).as_deref() {
                Some("BACKUP") => Some(JobOperation::Backup),
                Some("RESTORE") => Some(JobOperation::Restore),
                _ => None,
            },
            state: word(self.job_state).and_then(|word| BackupState::named(&word)),
            error: self
                .error_message
                .0
                .map(|it| in_words(&it))
                .filter(|it| !it.is_empty()),
            owner: self.owner.0.filter(|it| !it.is_empty()),
            file: self.file_name.0.or(settings.file_name_prefix.0),
            has_file: self.file_exists.0,
            spaces: keys
                .into_iter()
                .flatten()
                .filter_map(|key| key.0.map(SpaceKey::new))
                .collect(),
            total: statistics.total_objects_count.count(),
            processed: statistics.processed_objects_count.count(),
            skipped: statistics.skipped_objects_count.count(),
        })
    }
}

/// A job, from the body of an answer.
pub(super) fn job(body: &[u8]) -> Result<BackupJob, ApiError> {
    let wire: JobWire = parse(body)?;
    wire.job().ok_or_else(|| not_what("a job of a backup"))
}

/// Jobs, bare or as a page.
pub(super) fn jobs(body: &[u8]) -> Result<Vec<BackupJob>, ApiError> {
    let wire: List<JobWire> = parse(body)?;
    let rows = wire.0.ok_or_else(|| not_what("a list of jobs"))?;
    Ok(rows.into_iter().filter_map(JobWire::job).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_read_with_whatever_is_missing() {
        let told = job(
            br#"{"id": 17, "jobOperation": "BACKUP", "jobState": "PROCESSING",
            "spaceKeys": ["ENG"], "fileName": "x-ENG.zip", "fileExists": false, "owner": "jdoe",
            "jobStatistics": {"totalObjectsCount": 10, "processedObjectsCount": "4",
            "skippedObjectsCount": 3}}"#,
        )
        .expect("a job");
        assert_eq!(told.id, 17);
        assert_eq!(told.operation, Some(JobOperation::Backup));
        assert_eq!(told.state, Some(BackupState::Processing));
        assert_eq!((told.total, told.processed), (Some(10), Some(4)));
        assert_eq!(told.skipped, Some(3));
        assert_eq!(told.spaces, [SpaceKey::new("ENG")]);
        assert!(told.is_of("x-") && !told.is_of("y-") && !told.is_over());
        let little = job(br#"{"id": "18", "jobState": "DREAMING"}"#).expect("a job");
        assert_eq!((little.id, little.state), (18, None));
        assert!(!little.is_over(), "a word that is not known is no end");
        let settings =
            br#"[{"id": 1, "jobSettings": {"fileNamePrefix": "p", "spaceKeys": ["A"]}}]"#;
        let listed = jobs(settings).expect("jobs");
        assert!(listed[0].is_of("p"));
        assert_eq!(listed[0].spaces, [SpaceKey::new("A")]);
        assert!(job(b"{}").is_err() && jobs(b"{}").is_err());
    }
}
