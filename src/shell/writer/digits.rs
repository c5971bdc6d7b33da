//! Numbers as terminals read them.

/// Writes a number in decimal.
pub(super) fn number(value: u32, out: &mut Vec<u8>) {
    if value >= 10 {
        number(value / 10, out);
    }
    out.push(b'0' + (value % 10) as u8);
}

/// Decimal digits of a number.
pub(super) fn digits(value: u16) -> usize {
    match value {
        0..=9 => 1,
        10..=99 => 2,
        100..=999 => 3,
        1000..=9999 => 4,
        10_000.. => 5,
    }
}

/// Writes `CSI`, a count that is left out where it is 1, and the final byte.
pub(super) fn counted(count: u16, end: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[");
    if count != 1 {
        number(u32::from(count), out);
    }
    out.push(end);
}

pub(super) fn counted_len(count: u16) -> usize {
    3 + if count == 1 { 0 } else { digits(count) }
}
