//! The texts of the demo wiki, as `build.rs` packs them into the binary.

use std::io::Read as _;

use flate2::read::GzDecoder;

/// Every file of `assets/demo`, by the order of their names.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/demo.gz"));

/// The name of the file with the people: `username | Display Name`.
pub(super) const PEOPLE: &str = "people.txt";

/// The texts, unpacked.
pub(super) struct Texts(String);

impl Texts {
    /// Unpacks them: some milliseconds.
    pub(super) fn unpack() -> Self {
        let mut texts = String::new();
        GzDecoder::new(PACKED)
            .read_to_string(&mut texts)
            .expect("because it was packed from text, in the same build");
        Self(texts)
    }

    /// Name and text of each file, by the order of their names.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let (name, after) = rest.split_once('\n')?;
            let (length, after) = after.split_once('\n')?;
            let (text, after) = after.split_at_checked(length.parse().ok()?)?;
            rest = after;
            Some((name, text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn every_file_of_the_folder_is_there_to_the_byte() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        found.sort();
        let texts = Texts::unpack();
        let packed: Vec<_> = texts
            .files()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        assert!(found.len() > 40);
        assert_eq!(packed, found);
    }
}
