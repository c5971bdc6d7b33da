//! The real client against the embedded Confluence over loopback: every operation, lists to their
//! ends, every generation, every oddity of paging. Bounded by requests, never by time.

use std::collections::HashSet;
use std::time::Duration;

use coracle::confluence::Endpoint;
use coracle::confluence::call::{Audience, Depth, Scanned, SpacesFilter, Window};
use coracle::confluence::client::{Client, Credentials, Settings};
use coracle::confluence::paging::{CursorPager, Pager};
use coracle::confluence::retry::Patience;
use coracle::confluence::{
    ApiError, Call, Content, ContentId, ContentKind, ContentStatus, ErrorKind, Reply, ServerText,
    SpaceContent, SpaceKey, SpaceStatus,
};
use coracle::demo::{Fault, Generation, Options, Quirk, Rule, Seed, Server};
use secrecy::SecretString;

struct Site {
    server: Server,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

/// One space `ENG` with `pages` pages, as many in the trash, and `spaces` empty spaces beside it.
fn wiki(spaces: usize, pages: usize) -> Seed {
    use std::fmt::Write as _;
    let mut text =
        String::from("space: ENG\nname: Engineering\ncreator: asmith\nlabels: platform\n");
    for n in 0..pages {
        let _ = write!(text, "\n=== page\ntitle: Page {n}\n\n<p>{n}</p>\n");
        let _ = write!(text, "\n=== page\ntitle: Gone {n}\nstatus: trashed\n");
    }
    text.push_str("\n=== blogpost\ntitle: News\n");
    for n in 0..spaces {
        let _ = write!(text, "\nspace: S{n}\nname: Space {n}\n");
    }
    Seed::Text(text)
}

fn site(options: Options) -> Site {
    let token = options.token.clone();
    let server = Server::start(options).expect("a server");
    let credentials = match token {
        Some(token) => Credentials::Bearer(SecretString::from(token)),
        None => Credentials::Anonymous,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = client(&server, credentials);
    Site {
        server,
        client,
        runtime,
    }
}

fn client(server: &Server, credentials: Credentials) -> Client {
    let endpoint = Endpoint::parse(server.base_url()).expect("usable");
    Client::new(Settings {
        patience: Patience {
            first_wait: Duration::from_millis(1),
            shortest_limit_wait: Duration::from_millis(1),
            longest_limit_wait: Duration::from_millis(5),
            ..Patience::default()
        },
        ..Settings::new(endpoint, credentials)
    })
    .expect("usable")
}

impl Site {
    fn ask(&self, call: &Call) -> Result<Reply, ApiError> {
        self.runtime
            .block_on(self.client.send(call, |_| {}))
            .outcome
    }

    fn content(&self, call: &Call) -> Content {
        match self.ask(call) {
            Ok(Reply::Content(content)) => *content,
            other => panic!("{call:?}: {other:?}"),
        }
    }

    fn done(&self, call: &Call) {
        assert_eq!(self.ask(call), Ok(Reply::Done), "{call:?}");
    }

    fn refused(&self, call: &Call) -> ErrorKind {
        self.ask(call).expect_err("a refusal").kind
    }

    /// Every space by the pager, `limit` at a time; with the number of requests.
    fn spaces(&self, limit: u64) -> (Vec<String>, usize) {
        let mut pager = Pager::new(limit);
        let mut keys = Vec::new();
        self.server.forget_requests();
        while !pager.is_done() {
            let windows = pager.wanted(4);
            assert!(!windows.is_empty(), "stuck: {pager:?}");
            for window in windows {
                let call = Call::Spaces {
                    filter: SpacesFilter::default(),
                    expand: String::new(),
                    window,
                };
                let Ok(Reply::Spaces(page)) = self.ask(&call) else {
                    panic!("a list");
                };
                let accepted = pager.accept(window, page, |space| space.key.as_str());
                keys.extend(
                    accepted
                        .fresh
                        .into_iter()
                        .map(|space| space.key.to_string()),
                );
            }
            assert!(self.server.requests().len() < 200, "does not end");
        }
        (keys, self.server.requests().len())
    }

    /// The whole trash by cursor.
    fn trash(&self) -> (Vec<Content>, Result<(), ApiError>) {
        let mut pager = CursorPager::new();
        let mut rows = Vec::new();
        while let Some(cursor) = pager.wanted() {
            let call = Call::Trash {
                key: eng(),
                cursor,
                expand: String::new(),
                limit: 10,
            };
            assert!(self.server.requests().len() < 200, "does not end");
            let page = match self.ask(&call) {
                Ok(Reply::Trash(page)) => page,
                Ok(other) => panic!("{other:?}"),
                Err(error) => return (rows, Err(error)),
            };
            match pager.accept(page, |content| content.id.as_str()) {
                Ok(accepted) => rows.extend(accepted.fresh),
                Err(error) => return (rows, Err(error)),
            }
        }
        (rows, Ok(()))
    }
}

fn eng() -> SpaceKey {
    SpaceKey::new("ENG")
}

fn space_call() -> Call {
    Call::Space {
        key: eng(),
        expand: "description.plain,homepage,metadata.labels".to_owned(),
    }
}

fn window(limit: u64) -> Window {
    Window { start: 0, limit }
}

fn all_generations() -> [(Generation, bool); 4] {
    [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ]
}

#[test]
fn lists_are_read_to_their_end_in_every_generation_and_oddity() {
    let oddities = [
        vec![],
        vec![Quirk::NeverEnds],
        vec![Quirk::EchoedLimit],
        vec![Quirk::ShortPages],
        vec![Quirk::Duplicates],
        vec![Quirk::ForeignBase],
        vec![Quirk::NeverEnds, Quirk::EchoedLimit, Quirk::ShortPages],
    ];
    for (generation, real) in all_generations() {
        let site = site(Options {
            generation,
            real,
            context: "/wiki".to_owned(),
            seed: wiki(60, 1),
            ..Options::default()
        });
        for quirks in &oddities {
            site.server
                .behave(|behaviour| behaviour.quirks.clone_from(quirks));
            for limit in [7, 500] {
                let (keys, requests) = site.spaces(limit);
                let unique: HashSet<&String> = keys.iter().collect();
                assert_eq!(unique.len(), keys.len(), "doubled: {quirks:?}");
                assert_eq!(keys.len(), 61, "lost: {generation:?} {quirks:?} {limit}");
                assert!(requests <= 40, "{requests} requests: {quirks:?}");
            }
        }
    }
}

#[test]
fn a_list_that_grows_while_it_is_read_ends() {
    let site = site(Options {
        seed: wiki(60, 1),
        ..Options::default()
    });
    site.server
        .behave(|behaviour| behaviour.quirks = vec![Quirk::Growing]);
    let (keys, _) = site.spaces(20);
    assert!(keys.len() >= 61);
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
}

#[test]
fn the_trash_is_read_by_cursor() {
    let site = site(Options {
        seed: wiki(0, 35),
        ..Options::default()
    });
    for quirks in [vec![], vec![Quirk::EncodedCursor], vec![Quirk::ForeignBase]] {
        site.server.forget_requests();
        site.server
            .behave(|behaviour| behaviour.quirks.clone_from(&quirks));
        let (rows, outcome) = site.trash();
        assert_eq!((rows.len(), outcome), (35, Ok(())), "{quirks:?}");
    }
    site.server
        .behave(|behaviour| behaviour.quirks = vec![Quirk::RepeatedCursor]);
    let (_, outcome) = site.trash();
    assert_eq!(
        outcome.expect_err("a circle").kind,
        ErrorKind::RepeatedCursor
    );
}

#[test]
fn spaces_are_made_changed_archived_and_deleted() {
    let site = site(Options {
        seed: wiki(0, 2),
        token: Some("t0ken".to_owned()),
        ..Options::default()
    });
    let create = |key: &str, audience| Call::CreateSpace {
        key: SpaceKey::new(key),
        name: ServerText::new("New"),
        description: "About".to_owned(),
        audience,
    };
    for (key, audience) in [
        ("NEW", Audience::Everybody),
        ("MINE", Audience::OnlyCreator),
    ] {
        let Ok(Reply::Space(space)) = site.ask(&create(key, audience)) else {
            panic!("a space");
        };
        assert_eq!(space.key.as_str(), key);
    }
    assert!(matches!(
        site.refused(&create("NEW", Audience::Everybody)),
        ErrorKind::Invalid | ErrorKind::Conflict
    ));
    let personal = Call::CreatePersonalSpace {
        description: String::new(),
        audience: Audience::OnlyCreator,
    };
    let Ok(Reply::Space(space)) = site.ask(&personal) else {
        panic!("a space");
    };
    assert!(space.key.is_personal());
    let Ok(Reply::SpaceContent(_)) = site.ask(&Call::SpaceContent {
        key: space.key,
        depth: Depth::All,
        expand: String::new(),
        window: window(10),
    }) else {
        panic!("content");
    };
    let update = Call::UpdateSpace {
        key: eng(),
        name: ServerText::new("Renamed"),
        description: Some("Words".to_owned()),
        homepage: None,
    };
    assert!(matches!(site.ask(&update), Ok(Reply::Space(_))));
    let Ok(Reply::Space(space)) = site.ask(&space_call()) else {
        panic!("a space");
    };
    assert_eq!(space.name, "Renamed");
    let more = space.more.expect("more");
    assert_eq!(more.description.as_deref(), Some("Words"));
    assert_eq!(more.labels, Some(vec!["platform".to_owned()]));
    for (call, status) in [
        (Call::ArchiveSpace { key: eng() }, SpaceStatus::Archived),
        (Call::RestoreSpace { key: eng() }, SpaceStatus::Current),
    ] {
        site.done(&call);
        let Ok(Reply::Space(space)) = site.ask(&space_call()) else {
            panic!("a space");
        };
        assert_eq!(space.status, Some(status));
    }
    let Ok(Reply::LongTaskStarted(id)) = site.ask(&Call::DeleteSpace { key: eng() }) else {
        panic!("a task");
    };
    for looks in 0.. {
        assert!(looks < 20, "the task does not end");
        let Ok(Reply::LongTask(task)) = site.ask(&Call::LongTask { id: id.clone() }) else {
            panic!("a task");
        };
        if task.percentage == 100 {
            assert!(task.successful);
            break;
        }
    }
    assert_eq!(site.refused(&space_call()), ErrorKind::NotFound);
}

#[test]
fn content_is_made_trashed_restored_and_purged() {
    let site = site(Options {
        seed: wiki(0, 2),
        ..Options::default()
    });
    let make = Call::CreateContent {
        space: eng(),
        kind: ContentKind::Page,
        title: ServerText::new("Fresh"),
        parent: None,
        storage: "<p>one</p>".to_owned(),
    };
    let id = site.content(&make).id;
    let look = |status, expand: &str| Call::Content {
        id: id.clone(),
        status,
        expand: expand.to_owned(),
    };
    let body = |content: Content| content.more.and_then(|more| more.body_storage);
    assert_eq!(
        body(site.content(&look(None, "body.storage"))).as_deref(),
        Some("<p>one</p>")
    );
    let version = |status| {
        let content = site.content(&look(status, "version"));
        content
            .version
            .and_then(|version| version.number)
            .expect("a number")
    };
    site.content(&Call::ReplaceBody {
        id: id.clone(),
        kind: ContentKind::Page,
        title: ServerText::new("Fresh"),
        version: version(None) + 1,
        storage: "<p>two</p>".to_owned(),
    });
    assert_eq!(
        body(site.content(&look(None, "body.storage"))).as_deref(),
        Some("<p>two</p>")
    );
    site.done(&Call::AddLabels {
        id: id.clone(),
        labels: vec![ServerText::new("quay")],
    });
    let labels = site
        .content(&look(None, "metadata.labels"))
        .more
        .and_then(|more| more.labels);
    assert_eq!(labels, Some(vec![ServerText::new("quay")]));
    site.done(&Call::TrashContent { id: id.clone() });
    assert!(site.trash().0.iter().any(|content| content.id == id));
    let restore = |version| Call::RestoreContent {
        id: id.clone(),
        kind: ContentKind::Page,
        title: ServerText::new("Fresh"),
        version,
    };
    let now = version(Some(ContentStatus::Trashed));
    assert!(matches!(
        site.refused(&restore(now + 7)),
        ErrorKind::Invalid | ErrorKind::Conflict
    ));
    site.content(&restore(now + 1));
    assert!(!site.trash().0.iter().any(|content| content.id == id));
    site.done(&Call::TrashContent { id: id.clone() });
    site.done(&Call::PurgeContent { id: id.clone() });
    assert_eq!(
        site.refused(&look(Some(ContentStatus::Trashed), "")),
        ErrorKind::NotFound
    );
    site.done(&Call::PurgeTrash { key: eng() });
    assert_eq!(site.trash().0, []);
}

#[test]
fn the_other_reads() {
    for (generation, real) in all_generations() {
        let site = site(Options {
            generation,
            real,
            seed: wiki(0, 3),
            ..Options::default()
        });
        let content = site.ask(&Call::SpaceContent {
            key: eng(),
            depth: Depth::Root,
            expand: "version,children.page".to_owned(),
            window: window(25),
        });
        let rows = match content {
            Ok(Reply::SpaceContent(SpaceContent::Flat(page))) if !real => page.results.len(),
            Ok(Reply::SpaceContent(SpaceContent::ByType { page, blogpost })) if real => {
                page.results.len() + blogpost.results.len()
            }
            other => panic!("{other:?}"),
        };
        assert!(rows >= 4, "{rows}");
        let lists = [
            Call::SpaceContentOfKind {
                key: eng(),
                kind: ContentKind::Page,
                depth: Depth::All,
                expand: String::new(),
                window: window(25),
            },
            Call::TrashedContent {
                key: eng(),
                kind: ContentKind::Page,
                expand: String::new(),
                window: window(25),
            },
            Call::ContentByTitle {
                key: eng(),
                title: ServerText::new("Page 1"),
                kind: ContentKind::Page,
            },
        ];
        for call in lists {
            let Ok(Reply::Contents(page)) = site.ask(&call) else {
                panic!("{call:?}");
            };
            assert!(!page.results.is_empty(), "{call:?}");
            let id: ContentId = page.results[0].id.clone();
            for child in [
                Call::ChildPages {
                    id: id.clone(),
                    expand: String::new(),
                    window: window(5),
                },
                Call::Attachments {
                    id,
                    expand: String::new(),
                    window: window(5),
                },
            ] {
                let outcome = site.ask(&child);
                let trashed = matches!(call, Call::TrashedContent { .. });
                assert!(
                    trashed || matches!(outcome, Ok(Reply::Contents(_))),
                    "{outcome:?}"
                );
            }
        }
        assert!(matches!(
            site.ask(&Call::CurrentUser),
            Ok(Reply::CurrentUser(_))
        ));
        assert!(matches!(
            site.ask(&Call::Manifest),
            Ok(Reply::ServerInfo(_))
        ));
        let trash = Call::Trash {
            key: eng(),
            cursor: None,
            expand: String::new(),
            limit: 5,
        };
        let archive = Call::ArchiveSpace { key: eng() };
        if generation != Generation::Ten {
            assert_eq!(site.refused(&trash), ErrorKind::NoSuchOperation);
        }
        if generation == Generation::Seven {
            assert_eq!(site.refused(&archive), ErrorKind::NoSuchOperation);
        } else {
            site.done(&archive);
        }
    }
}

#[test]
fn what_is_answered_and_not_applied_leaves_the_data_as_they_were() {
    let site = site(Options {
        seed: wiki(3, 1),
        ..Options::default()
    });
    let faults = site.server.faults();
    let before = site.ask(&space_call()).expect("it is there");
    let update = Call::UpdateSpace {
        key: eng(),
        name: ServerText::new("Another name"),
        description: None,
        homepage: None,
    };
    for (call, route) in [
        (update.clone(), "PUT /rest/api/space/*"),
        (
            Call::ArchiveSpace { key: eng() },
            "PUT /rest/api/space/*/archive",
        ),
        (
            Call::PurgeTrash { key: eng() },
            "DELETE /rest/api/space/*/trash",
        ),
        (Call::DeleteSpace { key: eng() }, "DELETE /rest/api/space/*"),
    ] {
        faults.add(Rule::new(route, Fault::Unapplied));
        let answer = site.ask(&call);
        assert!(answer.is_ok(), "{call:?}: {answer:?}");
        assert_eq!(faults.pending(), 0, "{route}");
        assert_eq!(site.ask(&space_call()).as_ref(), Ok(&before), "{call:?}");
    }
    // A refusal in the API's own form says what it is told to say.
    for (status, message, kind) in [
        (404, "No space with key : ENG", ErrorKind::NotFound),
        (409, "Version must be incremented", ErrorKind::Conflict),
        (
            400,
            "A page with this title already exists",
            ErrorKind::Invalid,
        ),
    ] {
        let message = message.to_owned();
        faults.add(Rule::new(
            "PUT /rest/api/space/*",
            Fault::Refused {
                status,
                message: message.clone(),
            },
        ));
        let error = site.ask(&update).expect_err("it is refused");
        assert_eq!(error.kind, kind);
        assert!(error.message.starts_with(&message), "{error}");
    }
}

#[test]
fn faults_are_told_and_reads_get_over_them() {
    let site = site(Options {
        seed: wiki(3, 1),
        token: Some("t0ken".to_owned()),
        ..Options::default()
    });
    let route = "GET /rest/api/space/*";
    let busy = Fault::Answer {
        status: 503,
        headers: vec![],
        body: String::new(),
    };
    for fault in [Fault::Dropped, Fault::DroppedMidBody, Fault::CutShort, busy] {
        site.server.faults().add(Rule::new(route, fault.clone()));
        assert!(
            matches!(site.ask(&space_call()), Ok(Reply::Space(_))),
            "{fault:?}"
        );
        assert_eq!(site.server.faults().pending(), 0);
    }
    site.server.faults().add(Rule::new(route, Fault::LoginPage));
    assert!(matches!(
        site.refused(&space_call()),
        ErrorKind::NotJson { .. }
    ));
    site.server.faults().add(Rule::new(
        route,
        Fault::Redirect("/login.action".to_owned()),
    ));
    assert!(matches!(
        site.refused(&space_call()),
        ErrorKind::Redirect { login: true, .. }
    ));

    // A write whose answer is lost is sent once, and left in doubt.
    site.server.forget_requests();
    site.server.faults().add(Rule::new(
        "PUT /rest/api/space/*/archive",
        Fault::AppliedThenLost,
    ));
    let error = site
        .ask(&Call::ArchiveSpace { key: eng() })
        .expect_err("lost");
    assert!(error.may_have_been_applied());
    assert_eq!(site.server.requests().len(), 1);

    let stranger = client(
        &site.server,
        Credentials::Bearer(SecretString::from("wrong")),
    );
    let answer = site
        .runtime
        .block_on(stranger.send(&Call::CurrentUser, |_| {}));
    assert_eq!(
        answer.outcome.expect_err("a bad token").kind,
        ErrorKind::Unauthorized
    );
    site.server.behave(|behaviour| behaviour.read_only = true);
    assert_eq!(
        site.refused(&Call::RestoreSpace { key: eng() }),
        ErrorKind::ReadOnlySite
    );
    site.server.behave(|behaviour| behaviour.anonymous = true);
    assert_eq!(site.refused(&Call::CurrentUser), ErrorKind::Anonymous);
}

/// By text and by object, the cursor leads to the end; before 9 there is no scan.
#[test]
fn a_space_is_scanned_to_its_end_in_9_and_10_and_7_has_no_scan() {
    for (generation, real) in [
        (Generation::Ten, false),
        (Generation::Ten, true),
        (Generation::Nine, true),
        (Generation::Seven, true),
    ] {
        let site = site(Options {
            generation,
            real,
            seed: wiki(0, 12),
            ..Options::default()
        });
        let scan = |of, kind: Option<ContentKind>, cursor| Call::Scan {
            key: SpaceKey::new("ENG"),
            of,
            kind,
            cursor,
            expand: "version".to_owned(),
            limit: 5,
        };
        if generation == Generation::Seven {
            let refused = site.refused(&scan(Scanned::Any, None, None));
            assert_eq!(
                refused,
                ErrorKind::NoSuchOperation,
                "it takes the word for an id"
            );
            continue;
        }
        for (of, kind, many) in [
            (Scanned::Any, None, 25),
            (Scanned::Trashed, None, 12),
            (Scanned::Any, Some(ContentKind::BlogPost), 1),
        ] {
            let (mut pager, mut ids) = (CursorPager::new(), HashSet::new());
            while let Some(cursor) = pager.wanted() {
                let page = match site.ask(&scan(of, kind.clone(), cursor)) {
                    Ok(Reply::Scan(page)) => page,
                    other => panic!("{other:?}"),
                };
                let accepted = pager
                    .accept(page, |row| row.id.as_str())
                    .expect("it goes on");
                let is_trashed = |row: &Content| row.status == Some(ContentStatus::Trashed);
                assert!(of == Scanned::Any || accepted.fresh.iter().all(is_trashed));
                ids.extend(accepted.fresh.into_iter().map(|row| row.id));
            }
            assert_eq!(
                (ids.len(), pager.is_certain()),
                (many, true),
                "{generation:?} {of:?}"
            );
        }
    }
}
