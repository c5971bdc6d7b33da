//! The texts of the demo wiki, put into the binary. It must hold every file of `assets/demo`; a
//! test compares the two.

/// The people: `username | Display Name`.
pub(super) const PEOPLE: &str = "jdoe | J. Doe\nasmith | A. Smith\n";

/// The spaces: file name and text.
pub(super) const SPACES: &[(&str, &str)] = &[("00-ENG.wiki", SAMPLE)];

const SAMPLE: &str = "space: ENG\nname: Engineering\nhomepage: Engineering Home\n\n=== page\ntitle: Engineering Home\n\n<p>Home.</p>\n";
