//! The journal: every write, before it goes out and after it is known what became of it.
//!
//! Append-only NDJSON. Each line carries the SHA-256 of the line before it, so that a changed or
//! removed line shows. This module makes and checks lines; files, modes and syncing are the
//! shell's business. What a line holds is listed in [`Record`]: no header, no query, no body, so
//! no secret can get in. `docs/journal.md` describes the format.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::consent::Act;
use super::saved_server::SavedServer;
use super::session::Session;
use super::{JobId, Step};
use crate::confluence::BaseUrl;
use crate::confluence::call::Method;

/// `prev` of the first line.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How far a write has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Written before the request goes out.
    Intended,
    /// The server has applied it.
    Done,
    /// The server has not applied it.
    Failed,
    /// It could not be learned whether the server has applied it.
    Unknown,
}

/// What one line says, but for its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The job.
    pub job: JobId,
    /// What the job does.
    pub act: Act,
    /// The write's number within the job; the lines of one write share it.
    pub no: u64,
    /// Which thing of the job, counted from 0.
    pub item: u32,
    /// What is done to that thing.
    pub step: Step,
    /// The key of the space or the id of the content.
    pub subject: String,
    /// Its name or title.
    pub title: String,
    /// The method.
    pub method: Method,
    /// The path below the base, without query.
    pub path: String,
    /// The state before, in a few words: `trashed, version 3`.
    pub before: String,
    /// How far it has come.
    pub outcome: Phase,
    /// The id of what was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// Why, where it is not simply done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1.
    pub seq: u64,
    /// When the line was made.
    pub time: Timestamp,
    /// The profile, by name.
    pub profile: String,
    /// The host of the server.
    pub host: String,
    /// Its whole base address; lines of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<BaseUrl>,
    /// Who was signed in when the line was made, where known.
    pub user: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
    /// SHA-256 of the line before, hexadecimal, without its line break.
    pub prev: String,
}

/// SHA-256 of `bytes` in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// The same of what is read to its end, piece by piece, with its length.
pub(super) fn sha256_of(mut from: impl std::io::Read) -> std::io::Result<(u64, String)> {
    let (mut hasher, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; 64 << 10];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok((length, hexadecimal(&hasher.finalize()))),
            read => {
                hasher.update(&piece[..read]);
                length += read as u64;
            }
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The end of a chain, where the next line goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    next: u64,
    prev: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            next: 1,
            prev: START.to_owned(),
        }
    }
}

impl Chain {
    /// The line for `record`, written at `time` in `session`, without a line break. It belongs to
    /// the chain only once it is committed: until then another draft takes the same place.
    pub fn draft(&self, record: &Record, time: Timestamp, session: &Session) -> String {
        let server = SavedServer::from(session.address.clone());
        let entry = Entry {
            seq: self.next,
            time,
            profile: session.profile.clone(),
            host: server.host().to_owned(),
            address: Some(session.address.clone()),
            user: session.user.clone(),
            record: record.clone(),
            prev: self.prev.clone(),
        };
        serde_json::to_string(&entry).expect("because an entry is made of strings and numbers")
    }

    /// Takes `line`, the last draft, into the chain after it has reached the disk.
    pub fn commit(&mut self, line: &str) {
        self.next += 1;
        self.prev = sha256(line.as_bytes());
    }
}

/// A line that is in the file but not in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its number, counted from 1.
    pub line: u64,
    /// Why it does not count.
    pub why: Cow<'static, str>,
}

/// A chain that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// How many entries it has.
    pub entries: u64,
    /// Lines that a crash or a failed write left behind.
    pub set_aside: Vec<SetAside>,
    /// Where the next line goes.
    pub chain: Chain,
}

/// A chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("The journal is broken at line {line}: {why}")]
pub struct Broken {
    /// The first line that is wrong, counted from 1.
    pub line: u64,
    /// What is wrong with it; one sentence.
    pub why: String,
}

impl Broken {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        "Keep the file as it is and move it aside; a new journal is begun with the next write."
    }
}

/// Checks a journal line by line.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    line: u64,
    last_line: u64,
    before: Chain,
    found: Verified,
}

impl Verifier {
    /// Takes the next line, without its line break. `None`: the line does not count.
    pub fn push(&mut self, line: &[u8]) -> Result<Option<Entry>, Broken> {
        self.line += 1;
        if line.is_empty() {
            return Ok(None);
        }
        let Some(entry) = std::str::from_utf8(line)
            .ok()
            .and_then(|text| serde_json::from_str::<Entry>(text).ok())
        else {
            self.set_aside(
                self.line,
                "It is no whole entry: it was cut short, or another program wrote it.",
            );
            return Ok(None);
        };
        let here = &self.found.chain;
        if entry.seq == here.next && entry.prev == here.prev {
            self.before = here.clone();
            self.found.entries += 1;
        } else if self.found.entries > 0
            && entry.seq == self.before.next
            && entry.prev == self.before.prev
        {
            // The disk reported a failure for a line that had reached it: it was written again.
            self.set_aside(self.last_line, "It was written again by the line after it.");
            self.found.chain = self.before.clone();
        } else if entry.seq == here.next && self.found.entries > 0 {
            return Err(Broken {
                line: self.last_line,
                why: format!(
                    "It was changed after it was written: line {} no longer follows from it.",
                    self.line
                ),
            });
        } else {
            return Err(Broken {
                line: self.line,
                why: format!(
                    "It has number {} where {} was due: lines before it are missing.",
                    entry.seq, here.next
                ),
            });
        }
        self.found.chain.next = entry.seq + 1;
        self.found.chain.prev = sha256(line);
        self.last_line = self.line;
        Ok(Some(entry))
    }

    /// The result, when all lines have been taken.
    pub fn finish(self) -> Verified {
        self.found
    }

    fn set_aside(&mut self, line: u64, why: &'static str) {
        let why = Cow::Borrowed(why);
        self.found.set_aside.push(SetAside { line, why });
    }
}

/// Checks all lines of a journal, given without their line breaks.
pub fn verify<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Result<Verified, Broken> {
    let mut verifier = Verifier::default();
    for line in lines {
        verifier.push(line.as_ref())?;
    }
    Ok(verifier.finish())
}

/// Puts records into the journal one at a time, so that a failed write leaves no gap.
///
/// `K` names whoever waits for the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scribe<K> {
    chain: Chain,
    queue: VecDeque<(K, Record)>,
    writing: Option<(K, String)>,
}

impl<K> Scribe<K> {
    /// Goes on at the end of `chain`.
    pub fn new(chain: Chain) -> Self {
        Self {
            chain,
            queue: VecDeque::new(),
            writing: None,
        }
    }

    /// Queues `record` for `who`.
    pub fn push(&mut self, who: K, record: Record) {
        self.queue.push_back((who, record));
    }

    /// The next line to append, if none is on its way. `written` is to be told what became of it.
    pub fn next_line(&mut self, time: Timestamp, session: &Session) -> Option<String> {
        if self.writing.is_some() {
            return None;
        }
        let (who, record) = self.queue.pop_front()?;
        let line = self.chain.draft(&record, time, session);
        self.writing = Some((who, line.clone()));
        Some(line)
    }

    /// The line on its way has reached the disk, or has not. Returns who is to hear of it: after a
    /// failure everybody who waits, so that nothing overtakes what has to be written again.
    pub fn written(&mut self, reached: Reached) -> Vec<K> {
        let Some((who, line)) = self.writing.take() else {
            return Vec::new();
        };
        match reached {
            Reached::Yes => {
                self.chain.commit(&line);
                vec![who]
            }
            Reached::No => std::iter::once(who)
                .chain(self.queue.drain(..).map(|(who, _)| who))
                .collect(),
        }
    }

    /// The end of the chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }
}

/// Whether a line is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reached {
    /// Written and synced.
    Yes,
    /// Refused, or not certainly there.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(no: u64, outcome: Phase) -> Record {
        Record {
            job: JobId::new("j1"),
            act: Act::ArchiveSpaces,
            no,
            item: 0,
            step: Step::Archive,
            subject: "ENG".into(),
            title: "Engineering".into(),
            method: Method::Put,
            path: "/rest/api/space/ENG/archive".into(),
            before: "current".into(),
            outcome,
            made: None,
            note: None,
        }
    }

    fn session() -> Session {
        Session {
            profile: "prod".into(),
            address: BaseUrl::of("https://wiki.example.org"),
            user: Some("jdoe".into()),
        }
    }

    fn lines(n: u64) -> Vec<String> {
        let mut chain = Chain::default();
        (1..=n)
            .map(|no| {
                let line = chain.draft(
                    &record(no, Phase::Intended),
                    Timestamp::UNIX_EPOCH,
                    &session(),
                );
                chain.commit(&line);
                line
            })
            .collect()
    }

    #[test]
    fn a_chain_holds_and_goes_on_where_it_ended() {
        let mut all = lines(3);
        let found = verify(&all).expect("because nothing was touched");
        assert_eq!(found.entries, 3);
        all.push(
            found
                .chain
                .draft(&record(4, Phase::Done), Timestamp::UNIX_EPOCH, &session()),
        );
        assert_eq!(verify(&all).map(|found| found.entries), Ok(4));
    }

    #[test]
    fn a_changed_line_is_named() {
        let mut all = lines(4);
        all[1] = all[1].replace("Engineering", "Marketing");
        assert_eq!(verify(&all).map_err(|broken| broken.line), Err(2));
    }

    #[test]
    fn a_removed_line_shows_where_it_is_missing() {
        let mut all = lines(4);
        all.remove(1);
        assert_eq!(verify(&all).map_err(|broken| broken.line), Err(2));
        all.remove(0);
        assert_eq!(verify(&all).map_err(|broken| broken.line), Err(1));
    }

    #[test]
    fn a_line_turned_into_rubbish_is_not_mistaken_for_a_cut_one() {
        let mut all = lines(4);
        all[1].truncate(20);
        assert!(verify(&all).is_err());
    }

    #[test]
    fn a_cut_line_is_set_aside_and_the_chain_goes_on() {
        let mut all = lines(2);
        let chain = verify(&all).expect("because nothing was touched").chain;
        all.push(r#"{"seq":3,"time":"19"#.to_owned());
        all.push(chain.draft(&record(3, Phase::Done), Timestamp::UNIX_EPOCH, &session()));
        let found = verify(&all).expect("because a cut line does not break a chain");
        assert_eq!(found.entries, 3);
        assert_eq!(found.set_aside.len(), 1);
        assert_eq!(found.set_aside[0].line, 3);
    }

    #[test]
    fn a_line_written_twice_is_set_aside() {
        let mut all = lines(2);
        let mut chain = Chain::default();
        chain.commit(&all[0]);
        all.push(chain.draft(&record(2, Phase::Failed), Timestamp::UNIX_EPOCH, &session()));
        let found = verify(&all).expect("because only the last line was written again");
        assert_eq!((found.entries, found.set_aside.len()), (2, 1));
    }

    #[test]
    fn the_scribe_leaves_no_gap_after_a_failure() {
        let mut scribe = Scribe::new(Chain::default());
        let mut file = Vec::new();
        let time = Timestamp::UNIX_EPOCH;
        for no in 1..=3 {
            scribe.push(no, record(no, Phase::Intended));
        }
        file.extend(scribe.next_line(time, &session()));
        assert_eq!(
            scribe.next_line(time, &session()),
            None,
            "one line at a time"
        );
        assert_eq!(scribe.written(Reached::Yes), [1]);
        assert!(scribe.next_line(time, &session()).is_some());
        assert_eq!(scribe.written(Reached::No), [2, 3], "nothing overtakes");
        for no in 2..=3 {
            scribe.push(no, record(no, Phase::Intended));
            file.extend(scribe.next_line(time, &session()));
            assert_eq!(scribe.written(Reached::Yes), [no]);
        }
        assert_eq!(verify(&file).map(|found| found.entries), Ok(3));
    }
}
