//! Files of any size, moved piece by piece: what an answer to a download means, and the form that an
//! upload is sent as. Pure, but for what reads and writes the pieces, which comes from outside.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backup_restore::Resume;
use super::error::{ApiError, ErrorKind};
use super::headers::Headers;
use crate::text::on_disk;

/// One request of a download brings so much at most, where the server gives parts: what is paused or
/// cancelled need not wait for the whole.
pub const PART: u64 = 32 << 20;

/// Where a download goes.
pub trait Sink: Send {
    /// How many bytes are there already.
    fn length(&self) -> u64;
    /// What comes now begins at this byte: all that is there, or the first.
    fn begin(&mut self, from: u64) -> io::Result<()>;
    /// Where that is, as a person knows it.
    fn place(&self) -> String;
    /// Takes what has arrived.
    fn write(&mut self, piece: &[u8]) -> io::Result<()>;
}

/// What the server's own backups are.
const ZIP: &str = "application/zip";

/// Where an upload comes from.
pub trait Source: Send + Sync {
    /// What the file is called.
    fn name(&self) -> &str;
    /// How long it is.
    fn length(&self) -> u64;
    /// What it is.
    fn media_type(&self) -> &str {
        ZIP
    }
    /// What is noted of it.
    fn note(&self) -> Option<&str> {
        None
    }
    /// Reads it from its beginning.
    fn open(&self) -> io::Result<Box<dyn io::Read + Send>>;
}

/// What goes along with a call.
pub enum Transfer<'a> {
    /// Nothing.
    None,
    /// The answer is a file.
    Into(&'a mut dyn Sink),
    /// A file is sent.
    From(Arc<dyn Source>),
}

/// The part of a file that is asked for.
pub(super) fn range(from: u64) -> String {
    format!("bytes={from}-{}", from + PART - 1)
}

/// What an answer to a download brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Brings {
    /// The file from this byte on.
    From {
        from: u64,
        /// The length of the file, where told.
        total: Option<u64>,
        resume: Option<Resume>,
    },
    /// A file with nothing in it, of which no part can be given.
    Nothing,
    /// Something that does not fit what is there: it is to be asked for anew, from the beginning.
    Another,
    /// No file: to be read as any other answer.
    None,
}

/// What an answer brings to somebody who has so many bytes already.
pub(super) fn brings(
    status: u16,
    headers: &Headers,
    have: u64,
    before: Option<&Resume>,
) -> Result<Brings, ApiError> {
    let tag = headers.get("etag").map(str::to_owned);
    match status {
        200 => {
            let kind = headers.get("content-type").unwrap_or_default();
            let is_page = kind.contains("html") || kind.contains("json");
            if is_page && headers.get("content-disposition").is_none() {
                return Ok(Brings::None);
            }
            let total = headers.get("content-length").and_then(|it| it.parse().ok());
            let gives_parts = headers.get("accept-ranges").is_some_and(|it| it == "bytes");
            let resume = total.filter(|_| gives_parts);
            Ok(Brings::From {
                from: 0,
                total,
                resume: resume.map(|total| Resume { tag, total }),
            })
        }
        206 => {
            let told = headers.get("content-range").and_then(content_range);
            let Some((from, total)) = told else {
                return Err(ApiError::new(
                    ErrorKind::Malformed,
                    "The server gave a part of the file and did not say which.",
                ));
            };
            let is_same = before.is_none_or(|before| {
                before.total == total
                    && (before.tag.is_none() || tag.is_none() || before.tag == tag)
            });
            if from != have || !is_same {
                return Ok(Brings::Another);
            }
            Ok(Brings::From {
                from,
                total: Some(total),
                resume: Some(Resume { tag, total }),
            })
        }
        416 if have > 0 => Ok(Brings::Another),
        416 if empty(headers) => Ok(Brings::Nothing),
        _ => Ok(Brings::None),
    }
}

/// Whether the file has no first byte that could be asked for.
fn empty(headers: &Headers) -> bool {
    let range = headers.get("content-range");
    range.is_none_or(|range| range.trim().ends_with("/0"))
}

/// `bytes 0-9/100`: where it begins, and the length of the whole.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (from, _) = range.split_once('-')?;
    Some((from.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// What could not be written or read on this machine.
pub(super) fn storage(error: &io::Error, place: &str) -> ApiError {
    ApiError::new(ErrorKind::Storage, on_disk::told(error, place))
}

/// A file as the part `file` of a form.
pub(super) struct Form {
    source: Arc<dyn Source>,
    boundary: String,
    /// How many bytes have been handed on.
    pub(super) sent: Arc<AtomicU64>,
}

impl Form {
    /// `chance` makes the border one that is not in the file.
    pub(super) fn of(source: Arc<dyn Source>, chance: [u64; 2]) -> Self {
        Self {
            source,
            boundary: format!("coracle-{:016x}{:016x}", chance[0], chance[1]),
            sent: Arc::default(),
        }
    }

    /// What the file is called.
    pub(super) fn name(&self) -> &str {
        self.source.name()
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    fn head(&self) -> Vec<u8> {
        let boundary = &self.boundary;
        let mut head = String::new();
        if let Some(note) = self.source.note() {
            head.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"comment\"\r\n\r\n{note}\r\n"
            ));
        }
        let plain = |text: &str| text.replace(['\r', '\n'], " ");
        let name = plain(self.source.name());
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let media_type = plain(self.source.media_type());
        head.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        ));
        head.into_bytes()
    }

    fn foot(&self) -> Vec<u8> {
        format!("\r\n--{}--\r\n", self.boundary).into_bytes()
    }

    pub(super) fn length(&self) -> u64 {
        (self.head().len() + self.foot().len()) as u64 + self.source.length()
    }

    /// The form, piece by piece.
    pub(super) fn pieces(
        &self,
    ) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>> + Send + 'static> {
        let mut file = self.source.open()?;
        let (sent, length) = (Arc::clone(&self.sent), self.source.length());
        let mut left = length;
        let body = std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let mut piece = vec![0; left.min(64 * 1024) as usize];
            match file.read(&mut piece) {
                Ok(0) => {
                    left = 0;
                    Some(Err(io::ErrorKind::UnexpectedEof.into()))
                }
                Ok(read) => {
                    piece.truncate(read);
                    left -= read as u64;
                    sent.fetch_add(read as u64, Ordering::Relaxed);
                    Some(Ok(piece))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Some(Ok(Vec::new())),
                Err(error) => {
                    left = 0;
                    Some(Err(error))
                }
            }
        });
        let (head, foot) = (self.head(), self.foot());
        Ok(std::iter::once(Ok(head))
            .chain(body)
            .chain(std::iter::once_with(move || Ok(foot))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(total: u64) -> Resume {
        Resume {
            tag: Some("\"1\"".to_owned()),
            total,
        }
    }

    #[test]
    fn a_part_is_taken_only_where_it_fits_what_is_there() {
        let part =
            |range: &str, tag: &str| Headers::from_iter([("content-range", range), ("etag", tag)]);
        let same = part("bytes 10-19/100", "\"1\"");
        let fits = brings(206, &same, 10, Some(&resume(100)));
        assert_eq!(
            fits,
            Ok(Brings::From {
                from: 10,
                total: Some(100),
                resume: Some(resume(100))
            })
        );
        for (have, before) in [(11, resume(100)), (10, resume(99))] {
            assert_eq!(brings(206, &same, have, Some(&before)), Ok(Brings::Another));
        }
        let other = part("bytes 10-19/100", "\"2\"");
        assert_eq!(
            brings(206, &other, 10, Some(&resume(100))),
            Ok(Brings::Another)
        );
        assert!(brings(206, &Headers::new(), 10, None).is_err());
        assert_eq!(brings(416, &Headers::new(), 10, None), Ok(Brings::Another));
        assert_eq!(brings(416, &Headers::new(), 0, None), Ok(Brings::Nothing));
        let longer = Headers::from_iter([("content-range", "bytes */9")]);
        assert_eq!(brings(416, &longer, 0, None), Ok(Brings::None));
    }

    #[test]
    fn a_web_page_is_no_file() {
        let of = |kind: &str| Headers::from_iter([("content-type", kind), ("content-length", "9")]);
        assert_eq!(brings(200, &of("text/html"), 0, None), Ok(Brings::None));
        let zip = brings(200, &of("application/zip"), 5, None);
        assert_eq!(
            zip,
            Ok(Brings::From {
                from: 0,
                total: Some(9),
                resume: None
            })
        );
    }

    struct Text(&'static [u8]);

    impl Source for Text {
        fn name(&self) -> &'static str {
            "space.zip"
        }
        fn length(&self) -> u64 {
            5
        }
        fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
            Ok(Box::new(self.0))
        }
    }

    #[test]
    fn a_form_is_as_long_as_it_says_and_a_file_that_became_shorter_breaks_it_off() {
        let form = Form::of(Arc::new(Text(b"hello")), [1, 2]);
        let whole: Vec<u8> = form
            .pieces()
            .expect("open")
            .flat_map(|it| it.expect("read"))
            .collect();
        assert_eq!(whole.len() as u64, form.length());
        assert_eq!(form.sent.load(Ordering::Relaxed), 5);
        let shorter = Form::of(Arc::new(Text(b"hell")), [1, 2]);
        assert!(shorter.pieces().expect("open").any(|it| it.is_err()));
    }
}
