//! What is in attached files: bytes that were sent, in the database, or made by formula.
//!
//! Files are read and written piece by piece, whatever their size.

use std::io::{self, Read};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::seed::large::scatter;
use super::store::PIECE;

/// Up to `count` bytes of a file from byte `from` on, as far as its piece goes: those that were sent,
/// or those made for its id.
pub(super) fn read(db: &Connection, file: i64, from: u64, count: u64) -> rusqlite::Result<Vec<u8>> {
    let into = (from % PIECE) as usize;
    let most = count.min(PIECE - into as u64);
    if let Some(bytes) = sent_piece(db, file, from / PIECE)? {
        let end = bytes.len().min(into + most as usize);
        return Ok(bytes.get(into..end).unwrap_or_default().to_vec());
    }
    let media_type: String = db
        .prepare_cached("SELECT media_type FROM file WHERE content = ?")?
        .query_row([file], |row| row.get(0))?;
    Ok(made(file, from, most, media_type.starts_with("text/")))
}

fn sent_piece(db: &Connection, file: i64, number: u64) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT bytes FROM file_piece WHERE content = ? AND number = ?")?
        .query_row(params![file, number as i64], |row| row.get(0))
        .optional()
}

/// Keeps one piece of a file that was sent.
pub(super) fn write_piece(
    db: &Connection,
    file: i64,
    number: i64,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO file_piece VALUES (?, ?, ?)")?
        .execute(params![file, number, bytes])?;
    Ok(())
}

/// Gives all that can be read as pieces: the number of each, and its bytes.
pub(super) fn pieces<E: From<io::Error>>(
    mut from: impl Read,
    mut take: impl FnMut(i64, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut piece = vec![0; PIECE as usize];
    for number in 0.. {
        let mut read = 0;
        while read < piece.len() {
            match from.read(&mut piece[read..]) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        if read == 0 {
            break;
        }
        take(number, &piece[..read])?;
    }
    Ok(())
}

/// Bytes `from..from + count` that are made for a file: text or noise, the same every time.
fn made(file: i64, from: u64, count: u64, text: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count as usize + 8);
    let mut word = from / 8;
    while (bytes.len() as u64) < from % 8 + count {
        bytes.extend_from_slice(&scatter(((file as u64) << 32) | word).to_le_bytes());
        word += 1;
    }
    bytes.drain(..(from % 8) as usize);
    bytes.truncate(count as usize);
    if text {
        for (byte, at) in bytes.iter_mut().zip(from..) {
            *byte = if at % 60 == 59 {
                b'\n'
            } else {
                b"abcdefghijklmnopqrstuvwxyz      "[usize::from(*byte % 32)]
            };
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_for_a_file_is_the_same_in_whatever_parts_it_is_read() {
        for text in [false, true] {
            let whole = made(7, 0, 1_000, text);
            assert_eq!(whole.len(), 1_000);
            for from in [0, 1, 7, 8, 9, 500] {
                for count in [0, 1, 8, 13, 400] {
                    let part = &whole[from as usize..][..count as usize];
                    assert_eq!(made(7, from, count, text), part, "{from} {count}");
                }
            }
        }
    }
}
