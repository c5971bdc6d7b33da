//! The number pad, where the terminal is in its application mode: `ESC O` and a byte for each key. No
//! program of ours asks for that mode, but one that was there before may have left it on.

use crate::app::key::Key;

/// The key that this byte after `ESC O` stands for, as the VT100 has it.
pub fn key(byte: u8) -> Option<Key> {
    Some(match byte {
        b'M' => Key::Enter,
        b'I' => Key::Tab,
        b'X' => Key::Char('='),
        // `*` to `/`, then `0` to `9`: as in ASCII, 64 further on.
        b'j'..=b'y' => Key::Char(char::from(byte - 0x40)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_number_pad_is_what_is_printed_on_it() {
        let typed: String = (b'j'..=b'y')
            .filter_map(|byte| match key(byte) {
                Some(Key::Char(c)) => Some(c),
                _ => None,
            })
            .collect();
        assert_eq!(typed, "*+,-./0123456789");
        assert_eq!(key(b'M'), Some(Key::Enter));
        assert_eq!(key(b'X'), Some(Key::Char('=')));
        assert_eq!(key(b'A'), None, "an arrow is none of it");
    }
}
