//! Finds bands of rows that moved up or down.
//!
//! A terminal scrolls whole rows. Where panes stand side by side, moving a band for one of them
//! also moves what stands beside it; whether that pays is for the caller to weigh, by encoding
//! both ways. This module only proposes.

use super::picture::Square;

/// Rows `top..=bottom` whose content goes up by `by` rows, or down where it is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) top: u16,
    pub(super) bottom: u16,
    pub(super) by: i32,
}

/// Columns compared as one piece: narrow enough that a pane holds several.
const PIECE: usize = 8;

/// How many distances are proposed.
const PROPOSALS: usize = 3;

/// Proposes bands, the most promising first.
pub(super) fn find(from: &[Square], to: &[Square], columns: usize) -> Vec<Band> {
    if columns == 0 {
        return Vec::new();
    }
    let rows = to.len() / columns;
    let pieces = columns.div_ceil(PIECE);
    let old = hashes(from, columns);
    let new = hashes(to, columns);
    let blank = hashes(&vec![Square::BLANK; columns], columns);
    // How many changed pieces each distance explains; the index is the distance plus `rows`.
    let mut votes = vec![0u32; rows * 2 + 1];
    for piece in 0..pieces {
        for y in 0..rows {
            let wanted = new[y * pieces + piece];
            if wanted == old[y * pieces + piece] || wanted == blank[piece] {
                continue;
            }
            for source in 0..rows {
                if old[source * pieces + piece] == wanted {
                    votes[source + rows - y] += 1;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..votes.len()).filter(|&at| votes[at] > 1).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(votes[at]));
    order
        .into_iter()
        .take(PROPOSALS)
        .filter_map(|at| {
            let by = at as i32 - rows as i32;
            best_band(&old, &new, pieces, rows, by)
        })
        .collect()
}

/// The run of rows for which moving by this distance puts most pieces right.
fn best_band(old: &[u64], new: &[u64], pieces: usize, rows: usize, by: i32) -> Option<Band> {
    let mut best: Option<(i32, usize, usize)> = None;
    let (mut sum, mut start) = (0, 0);
    for y in 0..rows {
        let source = y as i32 + by;
        let gain = if (0..rows as i32).contains(&source) {
            let source = source as usize * pieces;
            (0..pieces)
                .map(|piece| {
                    let wanted = new[y * pieces + piece];
                    let moved = old[source + piece] == wanted;
                    let stayed = old[y * pieces + piece] == wanted;
                    i32::from(moved) - i32::from(stayed)
                })
                .sum()
        } else {
            -(pieces as i32)
        };
        if sum <= 0 {
            sum = 0;
            start = y;
        }
        sum += gain;
        if sum > 0 && best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, start, y));
        }
    }
    let (_, first, last) = best?;
    let source = |y: usize| (y as i32 + by) as usize;
    Some(Band {
        top: first.min(source(first)) as u16,
        bottom: last.max(source(last)) as u16,
        by,
    })
}

fn hashes(picture: &[Square], columns: usize) -> Vec<u64> {
    picture
        .chunks(columns)
        .flat_map(|row| {
            row.chunks(PIECE).map(|piece| {
                piece.iter().fold(0, |hash: u64, square| {
                    (hash.rotate_left(5) ^ square.mix()).wrapping_mul(0xFF51_AFD7_ED55_8CCD)
                })
            })
        })
        .collect()
}

/// Moves the band in a picture, as the terminal will.
pub(super) fn apply(band: Band, picture: &mut [Square], columns: usize) {
    let range = usize::from(band.top) * columns..(usize::from(band.bottom) + 1) * columns;
    let rows = &mut picture[range];
    let by = (band.by.unsigned_abs() as usize * columns).min(rows.len());
    if band.by > 0 {
        rows.copy_within(by.., 0);
        let kept = rows.len() - by;
        rows[kept..].fill(Square::BLANK);
    } else {
        let kept = rows.len() - by;
        rows.copy_within(..kept, by);
        rows[..by].fill(Square::BLANK);
    }
}
