//! A job that is cancelled while it sends a file: the line is dropped at once, and the server is asked
//! what it has.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::mpsc::channel;

use coracle::app::message::Ticket;
use coracle::config::Profile;
use coracle::confluence::call::Audience;
use coracle::confluence::client::Access;
use coracle::confluence::{Call, Endpoint, LocalFile, ServerText, SpaceKey};
use coracle::demo::FullRestore;
use coracle::jobs::*;
use coracle::shell::connection::Target;
use coracle::shell::disk::Disk;
use coracle::shell::folders::{Folders, JournalAccess};
use coracle::shell::perform::Perform;

use crate::server_copies::{Bench, ZIP, options, with_a_backup};

/// A space that is being restored, at the moment at which its file goes out.
fn uploading() -> Bench {
    let (mut bench, file) = with_a_backup(options());
    bench.deletes_the_space();
    bench.restores(&file).feed(JobEvent::Begin);
    bench.run(None, uploads);
    bench
}

fn uploads(bench: &Bench) -> bool {
    let is_upload = |call: &Call| matches!(call, Call::UploadBackup { .. });
    bench.requests().any(is_upload)
}

#[test]
fn a_cancel_waits_for_no_upload_and_says_what_the_server_has() {
    let mut bench = uploading();
    bench.feed(JobEvent::Cancel);
    assert!(!uploads(&bench), "nobody waits for it");
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    let Outcome::Stopped(why) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    assert_eq!(
        why,
        "It was stopped while the file was being sent. The server has no job for it, and no space ENG."
    );
    assert_eq!(bench.asked("POST", "/upload"), 0);
    bench.assert_told("nothing arrived");
}

#[test]
fn a_cancel_after_the_whole_file_arrived_says_that_the_server_goes_on() {
    let mut bench = uploading();
    // Its job is at work for as long as anybody looks.
    bench
        .server
        .behave(|it| it.full_restore = FullRestore::Stalls);
    let call = bench.requests().next().expect("it waits").clone();
    bench.send(&call).expect("it is taken");
    bench.feed(JobEvent::Cancel);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Unknown);
    let Outcome::Unknown(why) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    assert!(why.contains("goes on with its job 2."), "{why}");
    assert!(why.contains("There is no space ENG so far"), "{why}");
    assert_eq!(bench.asked("POST", "/upload"), 1);
    bench.assert_told("all of it arrived");
}

#[test]
fn a_space_that_appeared_meanwhile_is_told_beside_the_upload_that_was_stopped() {
    let mut bench = uploading();
    bench.feed(JobEvent::Cancel);
    let made = bench.send(&Call::CreateSpace {
        key: SpaceKey::new("ENG"),
        name: ServerText::new("Engineering".to_owned()),
        description: String::new(),
        audience: Audience::Everybody,
    });
    assert!(made.is_ok(), "{made:?}");
    bench.run(None, |_| false);
    let Outcome::Unknown(why) = bench.outcome() else {
        panic!("{:?}", bench.outcome());
    };
    assert!(why.contains("there is a space ENG by now"), "{why}");
    bench.assert_told("a space appeared");
}

#[test]
fn an_upload_that_was_stopped_is_not_sent_again_after_a_kill() {
    let mut bench = uploading();
    bench.feed(JobEvent::Cancel);
    // The journal and the job are on the disk; the answers never come.
    bench.run(None, |bench| bench.requests().next().is_some());
    assert!(bench.taken_up(), "it was stored");
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Cancelled);
    assert_eq!(bench.asked("POST", "/upload"), 0);
    let told = bench.outcome();
    assert!(
        matches!(told, Outcome::Stopped(why) if why.contains("has no job for it")),
        "{told:?}"
    );
    bench.assert_told("killed");
}

/// The length of a file that no line swallows before it is read at the other end. It takes no room.
const LONG: u64 = 1 << 30;

#[test]
fn the_line_of_an_upload_that_is_given_up_is_dropped() {
    let home = tempfile::tempdir().expect("a folder for the test");
    let folder = |name: &str| home.path().join(name);
    let backup = folder("backups").join("one");
    std::fs::create_dir_all(&backup).expect("a folder");
    let file = std::fs::File::create(backup.join(ZIP)).expect("a file");
    file.set_len(LONG).expect("a long file");
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("its address");
    let endpoint = Endpoint::parse(&format!("http://{address}")).expect("an address");
    let (events, _queue) = channel();
    let folders = Folders {
        profile: folder("profile"),
        backups: folder("backups"),
        plans: folder("plans"),
        exports: folder("exports"),
        locks: Vec::new(),
    };
    let disk = Disk::start(folders, JournalAccess::Write, events.clone()).expect("a thread");
    let target = Target {
        profile: Profile::new(endpoint),
        access: Access::ReadWrite,
        credentials: None,
    };
    let mut perform = Perform::start(disk, Some(target), events).expect("threads");
    let from = LocalFile {
        backup: "one".to_owned(),
        name: ZIP.to_owned(),
    };
    perform.send(Ticket(1), Call::UploadBackup { from });
    let (mut line, _) = server.accept().expect("it comes");
    let mut piece = vec![0; 64 * 1024];
    let mut arrived = line.read(&mut piece).expect("it begins") as u64;
    assert!(arrived > 0);
    perform.cancel(Ticket(1));
    while arrived < LONG {
        match line.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => arrived += read as u64,
        }
    }
    assert!(arrived < LONG, "all of it came: {arrived} bytes");
}
