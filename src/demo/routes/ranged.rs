//! Answers that are files: whole, or the range that was asked for, piece by piece.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::demo::percent::encoded;
use crate::demo::store::PIECE;

/// A file that can be asked for.
pub(super) struct Ranged<'a> {
    pub(super) name: &'a str,
    pub(super) media_type: &'a str,
    /// What this state of it is called.
    pub(super) tag: String,
    pub(super) length: u64,
}

impl Ranged<'_> {
    /// The answer to a request with these headers. `read` gives bytes of the file: from where, and how
    /// many at most; none before the end break the answer off.
    pub(super) fn answer(
        &self,
        asked: &HeaderMap,
        read: impl FnMut(u64, u64) -> io::Result<Vec<u8>> + Send + 'static,
    ) -> Response {
        let wanted = asked
            .get(header::RANGE)
            .and_then(|value| value.to_str().ok())
            .filter(|_| {
                asked
                    .get(header::IF_RANGE)
                    .is_none_or(|value| value.as_bytes() == self.tag.as_bytes())
            });
        let range = wanted.and_then(|text| range_of(text, self.length));
        if wanted.is_some() && range.is_none() {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            let length = format!("bytes */{}", self.length);
            put(response.headers_mut(), header::CONTENT_RANGE, &length);
            return response;
        }
        let (from, to) = range.unwrap_or((0, self.length));
        let mut response = Response::new(Body::from_stream(pieces(from, to, read)));
        if range.is_some() {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        put(headers, header::CONTENT_TYPE, self.media_type);
        put(headers, header::ETAG, &self.tag);
        let disposition = format!("attachment; filename*=UTF-8''{}", encoded(self.name));
        put(headers, header::CONTENT_DISPOSITION, &disposition);
        if range.is_some() {
            let of = format!("bytes {from}-{}/{}", to - 1, self.length);
            put(headers, header::CONTENT_RANGE, &of);
        }
        response
    }
}

fn put(headers: &mut HeaderMap, name: header::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

fn pieces(
    from: u64,
    to: u64,
    read: impl FnMut(u64, u64) -> io::Result<Vec<u8>> + Send + 'static,
) -> impl stream::Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold((from, read), move |(at, mut read)| async move {
        if at >= to {
            return None;
        }
        let piece = match read(at, (to - at).min(PIECE)) {
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            other => other.map(Bytes::from),
        };
        let at = piece
            .as_ref()
            .map_or(u64::MAX, |bytes| at + bytes.len() as u64);
        Some((piece, (at, read)))
    })
}

/// The bytes that `bytes=A-` or `bytes=A-B` means: from, and one past the last.
fn range_of(text: &str, length: u64) -> Option<(u64, u64)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let from: u64 = from.parse().ok()?;
    let to = match to {
        "" => length,
        last => last.parse::<u64>().ok()?.saturating_add(1).min(length),
    };
    (from < to).then_some((from, to))
}
