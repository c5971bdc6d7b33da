//! The texts of the demo wiki, put into the binary. It must hold every file of `assets/demo`; a
//! test compares the two.

/// The people: `username | Display Name`.
pub(super) const PEOPLE: &str = include_str!("../../../assets/demo/people.txt");

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../assets/demo/", $name)))),*]
    };
}

/// The spaces: file name and text, in the order of their ids.
pub(super) const SPACES: &[(&str, &str)] = files![
    "01-ENG.wiki",
    "02-HR.wiki",
    "03-OPS.wiki",
    "04-LEGAL.wiki",
    "05-OLD1.wiki",
    "06-personal-jdoe.wiki",
    "07-IT.wiki",
    "08-PILOT.wiki",
    "09-VTS.wiki",
    "10-TIDE.wiki",
    "11-DREDGE.wiki",
    "12-TUGS.wiki",
    "13-SAFE.wiki",
    "14-ENV.wiki",
    "15-FIN.wiki",
    "16-MARINA.wiki",
    "17-FERRY.wiki",
    "18-CARGO.wiki",
    "19-LIGHT.wiki",
    "20-FISH.wiki",
    "21-COMMS.wiki",
    "22-BOAT.wiki",
    "23-Q7.wiki",
    "24-JA.wiki",
    "25-ZH.wiki",
    "26-KO.wiki",
    "27-AR.wiki",
    "28-HE.wiki",
    "29-UK.wiki",
    "30-EL.wiki",
    "31-HI.wiki",
    "32-VI.wiki",
    "33-BICEN.wiki",
    "34-VHF14.wiki",
    "35-INTRA.wiki",
    "36-personal-asmith.wiki",
    "37-personal-mkowalska.wiki",
    "38-personal-t.okafor.wiki",
    "39-personal-lena.wiki",
    "40-personal-zoe.wiki",
    "41-personal-hsato.wiki",
    "42-personal-dnguyen.wiki",
];

#[cfg(test)]
mod tests {
    use super::SPACES;

    #[test]
    fn every_file_is_in_the_list() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo");
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                std::path::Path::new(name)
                    .extension()
                    .is_some_and(|ext| ext == "wiki")
            })
            .collect();
        found.sort();
        let listed: Vec<_> = SPACES.iter().map(|(name, _)| *name).collect();
        assert_eq!(found, listed);
    }
}
