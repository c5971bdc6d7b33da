//! A space deleted and brought back from the keyboard, against a server in a process of its own, and
//! interrupted meanwhile. The example `undelete` does the same with gigabytes, and at every moment.

use std::path::Path;

use driver::{Interruption, Moment, Scale, What, undelete};

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

#[test]
fn whatever_gets_in_the_way_the_space_comes_back_as_it_was() {
    let cases = [
        (What::Killed, 40),
        (What::Ended, 60),
        (What::DroppedAfter, 90),
        (What::Full, 70),
        (What::ServerKilled, 100),
        (What::Helper, 50),
        (What::SecondServer, 30),
    ];
    std::thread::scope(|scope| {
        for (what, moment) in cases {
            scope.spawn(move || {
                let moment = Moment::Piece(moment);
                let interruption = Interruption { what, moment };
                undelete(program(), &small(), Some(interruption.clone()))
                    .unwrap_or_else(|error| panic!("{interruption:?}: {error}"));
            });
        }
    });
}
