//! Comments and files that are added after a space was saved, or a server began to write it out: none is
//! deleted that is in no backup, but for what comes in the moment between the last look and the deletion.

use std::io::{Read as _, Write as _};

use coracle::confluence::{Call, ContentId, ContentKind, ServerText, SpaceKey};
use coracle::demo::{Fault, Options, Rule, Seed};
use coracle::jobs::*;
use coracle::shell::backups;
use serde_json::{Value, json};

use BackupChoice::{Declined, Save};

use crate::server_copies::{Bench, Death, ZIP, options};

#[derive(Clone, Copy, Debug)]
enum Late {
    Comment,
    File,
}

const TEXT: &str = "added late";

/// Sends this to the embedded server, as another user's browser does, and gives the answer's body.
fn send(bench: &Bench, head: &str, body: &str) -> String {
    let address = bench.server.base_url().trim_start_matches("http://");
    let mut line = std::net::TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let request = format!(
        "{head}Host: {address}\r\nX-Atlassian-Token: no-check\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    line.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    line.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}

fn get(bench: &Bench, path: &str) -> Value {
    let head = format!("GET /rest/api{path} HTTP/1.1\r\n");
    serde_json::from_str(&send(bench, &head, "")).expect("JSON")
}

fn page(bench: &Bench, title: &str) -> String {
    let found = get(bench, &format!("/content?spaceKey=ENG&title={title}"));
    let id = found["results"][0]["id"].as_str();
    id.expect("it is there").to_owned()
}

fn comment(bench: &Bench, on: &str, answers: Option<&str>) -> String {
    let mut body = json!({
        "type": "comment", "container": {"id": on, "type": "page"},
        "body": {"storage": {"value": format!("<p>{TEXT}</p>"), "representation": "storage"}},
    });
    if let Some(id) = answers {
        body["ancestors"] = json!([{"id": id}]);
    }
    let head = "POST /rest/api/content HTTP/1.1\r\nContent-Type: application/json\r\n";
    let made: Value = serde_json::from_str(&send(bench, head, &body.to_string())).expect("JSON");
    made["id"].as_str().expect("an id").to_owned()
}

fn attach(bench: &Bench, to: &str, name: &str) {
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\n{TEXT}\r\n--edge--\r\n"
    );
    let head = format!(
        "POST /rest/api/content/{to}/child/attachment HTTP/1.1\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\n"
    );
    send(bench, &head, &body);
}

impl Late {
    fn is_added(self, bench: &Bench, to: &str) {
        match self {
            Self::Comment => {
                comment(bench, to, None);
            }
            Self::File => attach(bench, to, "late.txt"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Comment => "a comment on Home",
            Self::File => "the file late.txt on Home",
        }
    }

    /// Whether it is in a file of the server.
    fn is_kept(self, bench: &Bench) -> bool {
        let mark = match self {
            Self::Comment => TEXT,
            Self::File => "late.txt",
        };
        bench.copies().into_iter().any(|(name, _)| {
            let file = std::fs::File::open(bench.folder(&name).join(ZIP)).expect("the file");
            let mut zip = zip::ZipArchive::new(file).expect("a zip");
            let mut text = String::new();
            let mut entry = zip.by_name("entities.xml").expect("what is in it");
            entry.read_to_string(&mut text).expect("text");
            text.contains(mark)
        })
    }
}

/// Runs until a request is about to be sent, or the end.
fn run_until(bench: &mut Bench, is_it: impl Fn(&Call) -> bool) {
    bench.run(None, |bench| {
        let waits = bench.requests.front();
        waits.is_some_and(|(_, call)| is_it(call))
    });
}

#[test]
fn what_is_added_while_the_server_writes_the_space_out_halts_the_deletion_and_is_shown() {
    for late in [Late::Comment, Late::File] {
        for backup in [Save, Declined] {
            let what = format!("{late:?} {backup:?}");
            let mut bench = Bench::deletes(Save, backup, options());
            bench.feed(JobEvent::Begin);
            run_until(&mut bench, |call| {
                matches!(call, Call::DownloadBackup { .. })
            });
            late.is_added(&bench, &page(&bench, "Home"));
            bench.run(None, |_| false);
            let Some(Question::ServerBackup {
                changed, is_there, ..
            }) = bench.job.question()
            else {
                panic!("{what}: {:?}", bench.job.lines());
            };
            assert_eq!(changed, &[late.name()], "{what}");
            assert!(is_there);
            assert_eq!(bench.asked("DELETE", ""), 0, "{what}");
            bench.decides(Decision::Again);
            assert_eq!(bench.job.state(), JobState::Done, "{what}");
            assert!(!bench.has_space() && late.is_kept(&bench), "{what}");
        }
    }
}

#[test]
fn what_is_accepted_is_accepted_as_it_was_then() {
    let mut bench = Bench::deletes(Save, Save, options());
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, |call| {
        matches!(call, Call::DownloadBackup { .. })
    });
    Late::Comment.is_added(&bench, &page(&bench, "Home"));
    bench.run(None, |_| false);
    Late::File.is_added(&bench, &page(&bench, "Home"));
    bench.decides(Decision::GoOn);
    let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
        panic!("{:?}", bench.job.lines());
    };
    assert_eq!(changed, &["the file late.txt on Home"]);
    bench.decides(Decision::GoOn);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
}

/// How often the pages were listed with what hangs on them.
fn looks(bench: &Bench) -> usize {
    let requests = bench.server.requests();
    let of_it = requests.iter().filter(|it| {
        it.target.contains("/content/page?") && it.target.contains("children.attachment.version")
    });
    of_it.count()
}

/// Adds something at each step of a deletion after these backups, with and without a kill. Once the space is
/// gone it is in a backup, as `is_kept` looks, or it came after the last look. `answer` answers what the
/// job asks and says whether what was added was noticed; that happens more than a few times.
fn added_at_each_step(
    (server, backup): (BackupChoice, BackupChoice),
    is_kept: impl Fn(Late, &Bench) -> bool,
    answer: impl Fn(Late, &mut Bench, &str) -> bool,
) {
    let mut calm = Bench::deletes(server, backup, options());
    calm.ends();
    for late in [Late::Comment, Late::File] {
        for is_killed in [true, false] {
            let mut noticed = 0;
            for at in 0..calm.steps {
                let what = format!("{late:?} {at} {is_killed}");
                let mut bench = Bench::deletes(server, backup, options());
                let home = page(&bench, "Home");
                bench.feed(JobEvent::Begin);
                let death = Death { at, done: false };
                if is_killed {
                    if !bench.run(Some(death), |_| false) {
                        continue;
                    }
                } else {
                    bench.run(None, |bench| bench.steps >= at);
                }
                if !bench.has_space() {
                    continue;
                }
                let before = looks(&bench);
                let is_sent = bench.asked("DELETE", "/space/ENG") > 0;
                late.is_added(&bench, &home);
                if is_killed && !bench.taken_up() {
                    assert!(bench.has_space(), "{what}");
                    continue;
                }
                bench.run(None, |_| false);
                noticed += usize::from(answer(late, &mut bench, &what));
                let is_in_the_last_moment = looks(&bench) == before;
                assert!(
                    bench.has_space()
                        || is_kept(late, &bench)
                        || is_sent
                        || is_in_the_last_moment && !is_killed,
                    "{what}: {:?}",
                    bench.job.lines()
                );
            }
            assert!(noticed > 5, "{late:?} {is_killed}: {noticed}");
        }
    }
}

#[test]
fn what_is_added_at_any_step_is_in_the_servers_file_or_the_space_is_there() {
    let mut calm = Bench::deletes(Save, Declined, options());
    calm.ends();
    assert_eq!(looks(&calm), 2, "once before and once after");
    added_at_each_step((Save, Declined), Late::is_kept, |late, bench, what| {
        let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
            return false;
        };
        assert_eq!(changed, &[late.name()], "{what}");
        assert!(bench.has_space(), "{what}");
        bench.decides(Decision::Again);
        true
    });
}

#[test]
fn what_cannot_be_listed_is_unknown_and_the_job_asks() {
    for when in ["before", "after"] {
        let mut bench = Bench::deletes(Save, Declined, options());
        // An answer to an answer to an answer: its page is asked about by itself.
        let home = page(&bench, "Home");
        let mut above = None;
        for _ in 0..3 {
            above = Some(comment(&bench, &home, above.as_deref()));
        }
        let fault = Fault::Refused {
            status: 403,
            message: "Not for you.".to_owned(),
        };
        let route = "GET /rest/api/content/*/child/comment";
        bench.feed(JobEvent::Begin);
        if when == "after" {
            run_until(&mut bench, |call| {
                matches!(call, Call::DownloadBackup { .. })
            });
            bench.server.faults().add(Rule::new(route, fault).always());
        } else {
            bench.server.faults().add(Rule::new(route, fault));
        }
        bench.run(None, |_| false);
        let Some(Question::ServerBackup { why, changed, .. }) = bench.job.question() else {
            panic!("{when}: {:?}", bench.job.lines());
        };
        assert!(changed.is_empty() || when == "before", "{changed:?}");
        if when == "after" {
            assert!(why.contains("What hangs on 1 page (Home)"), "{why}");
        }
        assert_eq!(bench.asked("DELETE", ""), 0);
        bench.decides(Decision::Stop);
        assert!(bench.has_space());
    }
}

#[test]
fn a_server_that_tells_it_page_by_page_alone_is_asked_page_by_page() {
    let mut bench = Bench::deletes(Save, Declined, options());
    let home = page(&bench, "Home");
    comment(&bench, &home, None);
    let route = "GET /rest/api/space/*/content/*?children.comment";
    let fault = Fault::Refused {
        status: 500,
        message: "Too much.".to_owned(),
    };
    bench.server.faults().add(Rule::new(route, fault).always());
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, |call| {
        matches!(call, Call::DownloadBackup { .. })
    });
    Late::Comment.is_added(&bench, &home);
    bench.run(None, |_| false);
    let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
        panic!("{:?}", bench.job.lines());
    };
    assert_eq!(changed, &["a comment on Home"]);
}

#[test]
fn a_hundred_pages_with_what_hangs_on_them_cost_one_request() {
    let mut wiki = "space: ENG\nname: Engineering\n".to_owned();
    for page in 0..250 {
        wiki.push_str(&format!(
            "\n=== page\ntitle: P{page}\nattachment: f.txt | text/plain | 10\n\n<p>x</p>\n\
             \n=== comment\ntitle: Re P{page}\nparent: P{page}\n\n<p>c</p>\n"
        ));
    }
    let options = Options {
        seed: Seed::Text(wiki),
        ..options()
    };
    let mut bench = Bench::deletes(Save, Declined, options);
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, |call| matches!(call, Call::BackUpSpace { .. }));
    assert_eq!(bench.asked("GET", "/child/"), 0);
    let lists = bench.asked("GET", "children.attachment");
    assert_eq!(lists, 4, "three pages of pages, and one of blog posts");
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
}

#[test]
fn a_changed_page_is_named_beside_what_is_added() {
    let mut bench = Bench::deletes(Save, Declined, options());
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, |call| {
        matches!(call, Call::DownloadBackup { .. })
    });
    let made = bench.send(&Call::CreateContent {
        space: SpaceKey::new("ENG"),
        kind: ContentKind::Page,
        title: ServerText::new("Late"),
        parent: None,
        storage: "<p>late</p>".to_owned(),
    });
    assert!(made.is_ok(), "{made:?}");
    attach(&bench, &page(&bench, "Late"), "late.txt");
    bench.run(None, |_| false);
    let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
        panic!("{:?}", bench.job.lines());
    };
    assert_eq!(changed, &["Late", "the file late.txt on Late"]);
    bench.decides(Decision::Stop);
    let why = bench.why();
    assert!(!why.contains("did not back it up"), "{why}");
}

/// The second list of the space, after all that the first told of was saved on this machine.
fn is_listed_again(call: &Call) -> bool {
    matches!(call, Call::SpaceContentOfKind { expand, .. } if expand == "version")
}

impl Late {
    /// Whether it is in a backup on this machine that is whole.
    fn is_saved_here(self, bench: &Bench) -> bool {
        let found = backups::list(&bench.folders.backups).expect("the backups");
        let whole = found.into_iter().filter(|it| it.manifest.is_ok());
        whole.into_iter().any(|it| {
            let folder = bench.folder(&it.name);
            let read = |name: &str| std::fs::read(folder.join(name)).ok();
            let manifest = it.manifest.expect("it is whole");
            let files = manifest.files.iter().filter(|file| file.items > 0);
            let items = files.flat_map(|file| {
                let bytes = read(&file.name).expect("it is there");
                backup::unpack(&file.name, &bytes).expect("items")
            });
            items.into_iter().any(|item| match self {
                Self::Comment => item.storage.is_some_and(|text| text.contains(TEXT)),
                Self::File => {
                    let bytes = item.file.and_then(|file| read(&file.name));
                    item.title == "late.txt" && bytes.as_deref() == Some(TEXT.as_bytes())
                }
            })
        })
    }
}

#[test]
fn what_is_added_once_the_space_is_saved_here_is_saved_too() {
    for late in [Late::Comment, Late::File] {
        let mut bench = Bench::deletes(Declined, Save, options());
        bench.feed(JobEvent::Begin);
        run_until(&mut bench, is_listed_again);
        late.is_added(&bench, &page(&bench, "Home"));
        assert!(!late.is_saved_here(&bench));
        bench.run(None, |_| false);
        let lines = bench.job.lines();
        assert_eq!(bench.job.state(), JobState::Done, "{late:?} {lines:?}");
        assert!(
            !bench.has_space() && late.is_saved_here(&bench),
            "{late:?} {lines:?}"
        );
    }
}

#[test]
fn what_is_added_at_any_step_is_saved_here_or_the_space_is_there() {
    let mut calm = Bench::deletes(Declined, Save, options());
    calm.ends();
    assert_eq!(looks(&calm), 1);
    added_at_each_step((Declined, Save), Late::is_saved_here, |late, bench, _| {
        late.is_saved_here(bench)
    });
}

/// A question about what would be lost.
fn losing(bench: &Bench) -> Losses {
    match bench.job.question() {
        Some(Question::Losses { items, losses, .. }) => {
            assert!(items.iter().all(|it| !it.named.is_empty()), "{items:?}");
            *losses
        }
        other => panic!("{other:?} {:?}", bench.job.lines()),
    }
}

#[test]
fn what_is_new_and_cannot_be_saved_here_is_a_loss_that_is_asked_about() {
    for goes_on in [true, false] {
        let mut bench = Bench::deletes(Declined, Save, options());
        bench.feed(JobEvent::Begin);
        run_until(&mut bench, is_listed_again);
        let home = page(&bench, "Home");
        comment(&bench, &home, None);
        let fault = Fault::Refused {
            status: 403,
            message: "Not for you.".to_owned(),
        };
        let route = "GET /rest/api/content/*/child/comment";
        bench.server.faults().add(Rule::new(route, fault).always());
        bench.run(None, |_| false);
        assert_eq!(losing(&bench).comments_unknown, 1);
        if goes_on {
            bench.decides(Decision::GoOn);
            // It is there, and it is not saved.
            assert_eq!(losing(&bench).comments, 1);
            assert_eq!(bench.asked("DELETE", ""), 0);
            bench.decides(Decision::GoOn);
            assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
            let Outcome::Done(Some(note)) = bench.outcome() else {
                panic!("{:?}", bench.outcome());
            };
            assert!(note.contains("as was accepted: 1 comment"), "{note}");
        } else {
            bench.decides(Decision::Stop);
            assert_eq!(bench.asked("DELETE", ""), 0);
            assert!(bench.has_space());
        }
    }
}

#[test]
fn pages_whose_comments_cannot_be_listed_again_are_asked_about() {
    let mut bench = Bench::deletes(Declined, Save, options());
    let home = page(&bench, "Home");
    // An answer to an answer to an answer: its page is asked about by itself.
    let mut above = None;
    for _ in 0..3 {
        above = Some(comment(&bench, &home, above.as_deref()));
    }
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, is_listed_again);
    let fault = Fault::Refused {
        status: 403,
        message: "Not for you.".to_owned(),
    };
    let route = "GET /rest/api/content/*/child/comment";
    bench.server.faults().add(Rule::new(route, fault).always());
    bench.run(None, |_| false);
    let losses = losing(&bench);
    assert_eq!(
        (losses.items, losses.comments_unknown),
        (1, 1),
        "{losses:?}"
    );
    assert_eq!(bench.asked("DELETE", ""), 0);
    bench.decides(Decision::GoOn);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
}

/// Somebody adds a file to a page, and the page goes into the trash: there no list tells of the file.
fn goes_into_the_trash_with_a_file(bench: &Bench) {
    let plan = page(bench, "Plan");
    attach(bench, &plan, "late.txt");
    let id = ContentId::new(plan);
    bench.send(&Call::TrashContent { id }).expect("it is there");
}

#[test]
fn a_page_that_went_into_the_trash_since_the_server_wrote_the_space_out_is_shown() {
    let mut bench = Bench::deletes(Save, Declined, options());
    bench.feed(JobEvent::Begin);
    run_until(&mut bench, |call| {
        matches!(call, Call::DownloadBackup { .. })
    });
    goes_into_the_trash_with_a_file(&bench);
    bench.run(None, |_| false);
    let Some(Question::ServerBackup { changed, .. }) = bench.job.question() else {
        panic!("{:?}", bench.job.lines());
    };
    assert_eq!(changed, &["Plan"]);
    assert!(bench.has_space());
}

#[test]
fn a_page_that_went_into_the_trash_since_it_was_saved_is_saved_once_more() {
    let mut bench = Bench::deletes(Declined, Save, options());
    bench.feed(JobEvent::Begin);
    // The second list.
    run_until(&mut bench, |call| {
        let Call::SpaceContentOfKind { expand, .. } = call else {
            return false;
        };
        !expand.contains("body.storage")
    });
    goes_into_the_trash_with_a_file(&bench);
    bench.run(None, |_| false);
    assert_eq!(bench.job.state(), JobState::Done, "{:?}", bench.job.lines());
    let found = backups::list(&bench.folders.backups).expect("the backups");
    let saved = found.iter().any(|backup| {
        let contents = backups::contents(&bench.folders.backups, &backup.name);
        let items = contents.expect("there").expect("whole").items;
        items.iter().any(|(_, item)| item.title == *"late.txt")
    });
    assert!(saved, "the file is in no backup");
}
