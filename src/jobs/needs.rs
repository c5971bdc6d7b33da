//! Which job that is not over may need a backup, told by the files of jobs alone: the process that
//! was at work on it may be gone, and its lock with it.
//!
//! In doubt it is needed. A backup that a job has made is named after the job; one that it reads from
//! is named in its file, whatever kind of job it is and whatever version wrote it.

use serde::Deserialize;

use super::names::JobId;
use super::state::JobState;

/// An unfinished job that may need a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What the job is called, where its file tells.
    pub title: Option<String>,
    /// The profile it belongs to, where its file tells.
    pub profile: Option<String>,
}

/// What of a job's file is of interest here.
#[derive(Deserialize)]
struct Brief {
    head: BriefHead,
    state: JobState,
}

#[derive(Deserialize)]
struct BriefHead {
    id: JobId,
    title: String,
    target: BriefTarget,
}

#[derive(Deserialize)]
struct BriefTarget {
    profile: String,
}

/// Whether a backup was made by this job: it has the job's name, perhaps with a number.
pub fn is_made_by(backup: &str, job: &JobId) -> bool {
    let rest = backup.strip_prefix(job.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The job in the file of this name, if it is not over and may need this backup. `text` is what is in
/// the file, where it can be read.
pub fn need(file: &str, text: Option<&str>, backup: &str) -> Option<Need> {
    let names_it = |text: &str| text.contains(&format!("\"{backup}\""));
    match text.map(|text| (text, serde_json::from_str::<Brief>(text))) {
        Some((_, Ok(job))) if job.state.is_over() => None,
        Some((text, Ok(Brief { head, .. }))) => (is_made_by(backup, &head.id) || names_it(text))
            .then_some(Need {
                title: Some(head.title),
                profile: Some(head.target.profile),
            }),
        unread => {
            let id = file.strip_prefix("job-")?.strip_suffix(".json")?;
            let names_it = unread.is_some_and(|(text, _)| names_it(text));
            (is_made_by(backup, &JobId::new(id)) || names_it).then_some(Need {
                title: None,
                profile: None,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, state: &str, more: &str) -> String {
        format!(
            r#"{{"head":{{"id":"{id}","title":"It","target":{{"profile":"prod"}}}},"state":"{state}","work":{{{more}}}}}"#
        )
    }

    #[test]
    fn a_job_that_is_not_over_needs_what_it_has_made_and_what_it_reads() {
        let reads = r#""recipe":{"backup":"old-1"}"#;
        for state in ["queued", "running", "paused"] {
            let text = file("new-1", state, reads);
            let needs = |backup: &str| need("job-new-1.json", Some(&text), backup);
            let told = Some(Need {
                title: Some("It".to_owned()),
                profile: Some("prod".to_owned()),
            });
            for backup in ["new-1", "new-1-2", "new-1-run2", "new-1-run2-3", "old-1"] {
                assert_eq!(needs(backup), told, "{state} {backup}");
            }
            for backup in ["new-10", "new", "old-10", "old"] {
                assert_eq!(needs(backup), None, "{state} {backup}");
            }
        }
        for state in ["done", "failed", "cancelled", "unknown"] {
            let text = file("new-1", state, reads);
            assert_eq!(need("job-new-1.json", Some(&text), "old-1"), None);
            assert_eq!(need("job-new-1.json", Some(&text), "new-1"), None);
        }
    }

    #[test]
    fn a_file_that_is_no_job_or_that_cannot_be_read_needs_what_its_name_or_text_tells_of() {
        let needs = |text, backup| need("job-new-1.json", text, backup).is_some();
        let cut = r#"{"head":{"id":"new-1"},"work":{"recipe":{"backup":"old-1""#;
        assert!(needs(Some(cut), "new-1"));
        assert!(needs(Some(cut), "old-1"));
        assert!(needs(None, "new-1-2"));
        assert!(!needs(None, "old-1"));
        assert!(!needs(Some(cut), "other-1"));
    }
}
