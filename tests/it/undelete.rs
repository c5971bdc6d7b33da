//! A space deleted and brought back from the keyboard, against a server in a process of its own. The
//! example `undelete` does the same with gigabytes, and with something in the way at each moment.

use std::path::Path;

use driver::{Scale, undelete};

#[path = "../../examples/undelete.rs"]
#[allow(dead_code, reason = "the example has more")]
mod driver;

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_coracle"))
}

fn small() -> Scale {
    coracle::confluence::client::choose_cryptography();
    Scale {
        size: "3M".to_owned(),
        pages: 14,
    }
}

#[test]
fn a_space_with_its_files_comes_back_as_it_was() {
    let report = undelete(program(), &small(), None).unwrap_or_else(|error| panic!("{error}"));
    assert!(report.client <= 100, "{report}");
}
