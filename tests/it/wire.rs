//! The HTTP contract without a socket: each request as a snapshot, each decode against documented,
//! real and odd answers.

use coracle::confluence::call::{Audience, Depth, SpacesFilter, Window};
use coracle::confluence::{
    AccessMode, ApiError, Call, Content, ContentId, ContentKind, ContentStatus, Cursor, ErrorKind,
    Headers, LocalFile, LongTaskId, Remark, Reply, Restriction, ServerText, SpaceContent, SpaceKey,
    SpaceKind, SpaceStatus,
};

use crate::simulation::download;

const WINDOW: Window = Window {
    start: 50,
    limit: 25,
};

fn key(text: &str) -> SpaceKey {
    SpaceKey::new(text)
}

fn id(text: &str) -> ContentId {
    ContentId::new(text)
}

fn line(call: &Call) -> String {
    let request = call.request();
    assert!(request.stays_below_base(), "{request:?}");
    use std::fmt::Write as _;
    let mut line = format!("{:?} {}", request.method, request.path);
    let mut before = " ?";
    for (name, value) in &request.query {
        let _ = write!(line, "{before}{name}={value}");
        before = "&";
    }
    if let Some(body) = request.body {
        line.push(' ');
        line.push_str(&body);
    }
    line
}

fn lines(calls: &[Call]) -> String {
    calls.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn json() -> Headers {
    Headers::from_iter([("Content-Type", "application/json;charset=UTF-8")])
}

fn html() -> Headers {
    Headers::from_iter([("content-type", "text/html;charset=utf-8")])
}

fn spaces_call() -> Call {
    Call::Spaces {
        filter: SpacesFilter::default(),
        expand: String::new(),
        window: WINDOW,
    }
}

fn content_call() -> Call {
    Call::Content {
        id: id("77"),
        status: None,
        expand: String::new(),
    }
}

fn trash_call(cursor: Option<&str>) -> Call {
    Call::Trash {
        key: key("ENG"),
        cursor: cursor.map(|text| Cursor(text.to_owned())),
        expand: String::new(),
        limit: 2,
    }
}

fn ok(call: &Call, body: &str) -> Reply {
    call.decode(200, &json(), body.as_bytes())
        .unwrap_or_else(|error| panic!("{call:?}: {error:?}"))
}

fn fails(call: &Call, status: u16, headers: &Headers, body: &[u8]) -> ApiError {
    let error = call.decode(status, headers, body).expect_err("a failure");
    assert_eq!(error.status, Some(status));
    assert!(error.message.ends_with(['.', '…']), "{}", error.message);
    assert!(!error.hint().is_empty());
    error
}

#[test]
fn requests_about_spaces() {
    let everything = SpacesFilter {
        keys: vec![key("A"), key("~b c@d")],
        key_single: Some(key("S")),
        ids: vec![1, 2],
        kind: Some(SpaceKind::Global),
        status: Some(SpaceStatus::Archived),
        labels: vec!["x".to_owned(), "y".to_owned()],
        content_labels: vec!["z".to_owned()],
        favourite: Some(true),
        has_retention_policy: Some(false),
    };
    insta::assert_snapshot!(lines(&[
        spaces_call(),
        Call::Spaces { filter: everything, expand: "homepage,metadata.labels".to_owned(), window: WINDOW },
        Call::CreateSpace { key: key("ENG"), name: ServerText::new("Eng \"1\""), description: String::new(), audience: Audience::Everybody },
        Call::CreateSpace { key: key("ENG"), name: ServerText::new("Eng"), description: "About".to_owned(), audience: Audience::OnlyCreator },
        Call::CreatePersonalSpace { description: String::new(), audience: Audience::Everybody },
        Call::CreatePersonalSpace { description: "Mine".to_owned(), audience: Audience::OnlyCreator },
        Call::Space { key: key("~jürgen k/o@example.org"), expand: "description.plain".to_owned() },
        Call::UpdateSpace { key: key("ENG"), name: ServerText::new("New"), description: None, homepage: None },
        Call::UpdateSpace { key: key("ENG"), name: ServerText::new("New"), description: Some(String::new()), homepage: Some(id("7")) },
        Call::DeleteSpace { key: key("ENG") },
        Call::ArchiveSpace { key: key("ENG") },
        Call::RestoreSpace { key: key("~a.b") },
        Call::PurgeTrash { key: key("ENG") },
    ]), @r#"
    Get /rest/api/space ?start=50&limit=25
    Get /rest/api/space ?spaceKey=A&spaceKey=~b c@d&spaceKeySingle=S&spaceId=1&spaceId=2&type=global&status=archived&label=x&label=y&contentLabel=z&favourite=true&hasRetentionPolicy=false&expand=homepage,metadata.labels&start=50&limit=25
    Post /rest/api/space {"key":"ENG","name":"Eng \"1\""}
    Post /rest/api/space/_private {"key":"ENG","name":"Eng","description":{"plain":{"value":"About","representation":"plain"}}}
    Post /rest/api/space/personal {}
    Post /rest/api/space/personal {"description":{"plain":{"value":"Mine","representation":"plain"}},"isPrivate":true}
    Get /rest/api/space/~j%C3%BCrgen%20k%2Fo%40example.org ?expand=description.plain
    Put /rest/api/space/ENG {"key":"ENG","name":"New"}
    Put /rest/api/space/ENG {"key":"ENG","name":"New","description":{"plain":{"value":"","representation":"plain"}},"homepage":{"id":"7"}}
    Delete /rest/api/space/ENG
    Put /rest/api/space/ENG/archive
    Put /rest/api/space/~a.b/restore
    Delete /rest/api/space/ENG/trash
    "#);
}

#[test]
fn requests_about_content() {
    let window = WINDOW;
    let expand = "version".to_owned();
    insta::assert_snapshot!(lines(&[
        Call::SpaceContent { key: key("ENG"), depth: Depth::Root, expand: expand.clone(), window },
        Call::SpaceContentOfKind { key: key("ENG"), kind: ContentKind::BlogPost, depth: Depth::All, expand: String::new(), window },
        trash_call(None),
        trash_call(Some("content:false:360456")),
        Call::LongTask { id: LongTaskId("0f6a-1".to_owned()) },
        content_call(),
        Call::Content { id: id("7"), status: Some(ContentStatus::Trashed), expand: expand.clone() },
        Call::ChildPages { id: id("7"), expand: expand.clone(), window },
        Call::Attachments { id: id("7"), expand, window },
        Call::TrashedContent { key: key("ENG"), kind: ContentKind::Page, expand: String::new(), window },
        Call::ContentByTitle { key: key("ENG"), title: ServerText::new("A & B"), kind: ContentKind::Page },
        Call::RestoreContent { id: id("7"), kind: ContentKind::Page, title: ServerText::new("T"), version: 4 },
        Call::MoveContent { id: id("7"), kind: ContentKind::Page, title: ServerText::new("T"), version: 5, parent: id("1") },
        Call::PurgeContent { id: id("att7") },
        Call::TrashContent { id: id("7") },
        Call::CreateContent { space: key("ENG"), kind: ContentKind::Page, title: ServerText::new("T"), parent: Some(id("1")), storage: "<p>\n</p>".to_owned() },
        Call::CreateContent { space: key("ENG"), kind: ContentKind::BlogPost, title: ServerText::new("T"), parent: None, storage: String::new() },
        Call::CreateComment { on: id("7"), kind: ContentKind::Page, parent: None, remark: Some(Remark { location: Some("inline".to_owned()), resolution: None, marker: Some("m1".to_owned()), selection: Some(ServerText::new("word")) }), storage: "<p/>".to_owned() },
        Call::CreateComment { on: id("7"), kind: ContentKind::BlogPost, parent: Some(id("8")), remark: None, storage: "<p/>".to_owned() },
        Call::AttachFile { id: id("7"), title: ServerText::new("a.pdf"), from: LocalFile { backup: "b".to_owned(), name: "file-1-v1".to_owned() }, media_type: None, note: None },
        Call::ReplaceBody { id: id("7"), kind: ContentKind::Page, title: ServerText::new("T"), version: 2, storage: "<p/>".to_owned() },
        Call::SetRestrictions { id: id("7"), restrictions: vec![
            Restriction { operation: "read".to_owned(), users: vec!["a".to_owned()], user_keys: vec!["k".to_owned()], groups: vec![ServerText::new("g")] },
            Restriction { operation: "update".to_owned(), users: vec!["b".to_owned()], user_keys: vec![], groups: vec![] },
        ] },
        Call::AddLabels { id: id("7"), labels: vec![ServerText::new("x")] },
        download("/download/attachments/7/a%20b.pdf?version=1&api=v2"),
        Call::CurrentUser,
        Call::ServerInfo,
        Call::Manifest,
        Call::AccessMode,
    ]), @r#"
    Get /rest/api/space/ENG/content ?depth=root&expand=version&start=50&limit=25
    Get /rest/api/space/ENG/content/blogpost ?depth=all&start=50&limit=25
    Get /rest/api/space/ENG/trash ?limit=2
    Get /rest/api/space/ENG/trash ?cursor=content:false:360456&limit=2
    Get /rest/api/longtask/0f6a-1
    Get /rest/api/content/77
    Get /rest/api/content/7 ?status=trashed&expand=version
    Get /rest/api/content/7/child/page ?expand=version&start=50&limit=25
    Get /rest/api/content/7/child/attachment ?expand=version&start=50&limit=25
    Get /rest/api/content ?spaceKey=ENG&type=page&status=trashed&start=50&limit=25
    Get /rest/api/content ?spaceKey=ENG&type=page&title=A & B
    Put /rest/api/content/7 {"id":"7","type":"page","title":"T","status":"current","version":{"number":4}}
    Put /rest/api/content/7 {"id":"7","type":"page","title":"T","version":{"number":5},"ancestors":[{"id":"1"}]}
    Delete /rest/api/content/att7 ?status=trashed
    Delete /rest/api/content/7
    Post /rest/api/content {"type":"page","title":"T","space":{"key":"ENG"},"ancestors":[{"id":"1"}],"body":{"storage":{"value":"<p>\n</p>","representation":"storage"}}}
    Post /rest/api/content {"type":"blogpost","title":"T","space":{"key":"ENG"},"body":{"storage":{"value":"","representation":"storage"}}}
    Post /rest/api/content {"type":"comment","container":{"id":"7","type":"page"},"body":{"storage":{"value":"<p/>","representation":"storage"}},"extensions":{"location":"inline","inlineProperties":{"markerRef":"m1","originalSelection":"word"}}}
    Post /rest/api/content {"type":"comment","container":{"id":"7","type":"blogpost"},"ancestors":[{"id":"8"}],"body":{"storage":{"value":"<p/>","representation":"storage"}}}
    Post /rest/api/content/7/child/attachment
    Put /rest/api/content/7 {"id":"7","type":"page","title":"T","version":{"number":2},"body":{"storage":{"value":"<p/>","representation":"storage"}}}
    Put /rest/api/content/7/restriction [{"operation":"read","restrictions":{"user":[{"type":"known","username":"a","userKey":"k"}],"group":[{"type":"group","name":"g"}]}},{"operation":"update","restrictions":{"user":[{"type":"known","username":"b"}]}}]
    Post /rest/api/content/7/label [{"prefix":"global","name":"x"}]
    Get /download/attachments/7/a%20b.pdf ?version=1&api=v2
    Get /rest/api/user/current
    Get /rest/api/server-information
    Get /rest/applinks/1.0/manifest
    Get /rest/api/accessmode
    "#);
}

#[test]
fn exactly_the_requests_that_change_nothing_are_gets() {
    use coracle::confluence::call::Method;
    for call in [
        spaces_call(),
        trash_call(None),
        Call::AccessMode,
        Call::PurgeTrash { key: key("A") },
        Call::RestoreSpace { key: key("A") },
    ] {
        assert_eq!(call.is_read(), call.request().method == Method::Get);
    }
}

#[test]
fn an_old_list_of_spaces() {
    let call = Call::Spaces {
        filter: SpacesFilter::default(),
        expand: "metadata.labels".to_owned(),
        window: WINDOW,
    };
    let Reply::Spaces(page) = ok(&call, include_str!("samples/spaces-7.json")) else {
        panic!("a list");
    };
    assert!(page.has_next);
    assert_eq!((page.start, page.limit, page.total), (0, Some(500), None));
    let [harbour, personal] = page.results.as_slice() else {
        panic!("two");
    };
    assert_eq!(harbour.id, Some(98310));
    assert_eq!(harbour.status, None, "absent before 8");
    assert_eq!(harbour.more, None, "an address alone is not worth memory");
    assert_eq!(personal.id, Some(98311), "a number as text");
    assert_eq!(personal.kind, SpaceKind::Personal);
    let more = personal.more.as_ref().expect("labels");
    assert_eq!(
        more.labels,
        Some(vec!["team".to_owned(), "todo".to_owned()])
    );
    assert_eq!(more.homepage, None, "{{}} is not given");
    assert_eq!(more.creator, None, "a reference without a person");
}

#[test]
fn a_space_with_everything() {
    let call = Call::Space {
        key: key("ENG"),
        expand: String::new(),
    };
    let Reply::Space(space) = ok(&call, include_str!("samples/space-10.json")) else {
        panic!("a space");
    };
    assert_eq!(space.status, Some(SpaceStatus::Archived));
    let more = space.more.expect("more");
    let description = more.description.expect("description");
    assert!(description.starts_with("First line\nsecond"));
    assert!(!description.contains('\u{202e}'));
    assert_eq!(more.homepage.expect("homepage").id, id("65551"));
    assert_eq!(
        more.creator.expect("creator").username.as_deref(),
        Some("asmith")
    );
    assert_eq!(
        more.last_modifier.expect("modifier").display_name,
        "Anonymous"
    );
    assert_eq!(
        more.modified.expect("date").0.to_string(),
        "2024-10-09T00:51:59.233Z"
    );
    assert_eq!(
        more.labels,
        Some(vec!["platform".to_owned(), "eng".to_owned()])
    );
    assert_eq!(
        more.retention_policy.as_deref(),
        Some("mode: keep, versions: 10")
    );
    let permission = &more.permissions.expect("permissions")[0];
    assert_eq!(permission.operation, "administer");
    assert_eq!(permission.subjects, ["asmith", "admins"]);
}

#[test]
fn a_space_of_which_little_is_said() {
    let call = Call::Space {
        key: key("~x"),
        expand: String::new(),
    };
    for body in [
        r#"{"key":"~x"}"#,
        r#"{"key":"~x","id":null,"name":null,"type":{},"status":[],"description":null,"homepage":null,"metadata":{"labels":null},"_links":null}"#,
        r#"{"key":"~x","id":{},"name":"","type":"novelty","status":"other","description":{"plain":{}},"homepage":{"idProperties":{},"expanded":true},"creationDate":"soon","permissions":{}}"#,
        "\u{feff} {\"key\":\"~x\"}",
    ] {
        let Reply::Space(space) = ok(&call, body) else {
            panic!("a space");
        };
        assert_eq!(space.name, "~x", "{body}");
        assert_eq!(
            (space.id, space.status, space.kind),
            (None, None, SpaceKind::Personal)
        );
        assert_eq!(space.more, None, "{body}");
    }
    assert_eq!(fails(&call, 200, &json(), b"{}").kind, ErrorKind::Malformed);
}

#[test]
fn a_list_whose_rows_have_no_names_is_no_list() {
    let call = spaces_call();
    let Reply::Spaces(page) = ok(&call, r#"{"results":[{"name":"x"},null,7,{"key":"A"}]}"#) else {
        panic!("a list");
    };
    assert_eq!(page.results.len(), 1);
    for body in [
        r#"{"results":[{"name":"x"}]}"#,
        "{}",
        "[]",
        r#"{"message":"hello"}"#,
    ] {
        assert_eq!(
            fails(&call, 200, &json(), body.as_bytes()).kind,
            ErrorKind::Malformed
        );
    }
}

#[test]
fn the_content_of_a_space_in_both_shapes() {
    let call = Call::SpaceContent {
        key: key("ENG"),
        depth: Depth::All,
        expand: String::new(),
        window: WINDOW,
    };
    let Reply::SpaceContent(SpaceContent::ByType { page, blogpost }) =
        ok(&call, include_str!("samples/content-by-type.json"))
    else {
        panic!("by type");
    };
    assert!(blogpost.results.is_empty());
    let [first, second] = page.results.as_slice() else {
        panic!("two");
    };
    let ancestors: Vec<&str> = first
        .ancestors
        .iter()
        .flatten()
        .map(|ancestor| ancestor.id.as_str())
        .collect();
    assert_eq!(
        ancestors,
        ["1", "2"],
        "cut where the line turns in a circle"
    );
    assert_eq!(first.position, Some(3));
    assert_eq!(first.has_children, Some(false));
    let version = first.version.as_ref().expect("version");
    assert_eq!(version.number, Some(8));
    assert_eq!(
        version.by.as_ref().expect("author").display_name,
        "Unknown user"
    );
    assert_eq!(version.message, None);
    assert_eq!(second.id, id("393231"), "a number");
    assert_eq!((second.position, second.has_children), (None, Some(true)));

    let flat = r#"{"results":[{"id":"1","type":"BLOGPOST","title":"N"}],"totalCount":7,"size":1}"#;
    let Reply::SpaceContent(SpaceContent::Flat(page)) = ok(&call, flat) else {
        panic!("flat");
    };
    assert_eq!((page.total, page.has_next), (Some(7), false));
    assert_eq!(page.results[0].kind, ContentKind::BlogPost);
    let Reply::SpaceContent(SpaceContent::ByType { page, .. }) = ok(&call, r#"{"page":{}}"#) else {
        panic!("by type");
    };
    assert!(page.results.is_empty());
}

#[test]
fn bodies_are_kept_to_the_byte_and_all_else_is_scrubbed() {
    let Reply::Content(content) = ok(&content_call(), include_str!("samples/content-full.json"))
    else {
        panic!("content");
    };
    let more = content.more.expect("more");
    assert_eq!(
        more.body_storage.as_deref(),
        Some("<p>\u{202e}A\u{200b}B\u{7}</p>\r\n")
    );
    assert_eq!(more.body_view.as_deref(), Some("<p>x</p>"));
    assert_eq!(content.position, None);
    assert_eq!(
        more.restrictions,
        Some(vec![Restriction {
            operation: "read".to_owned(),
            users: vec!["mott".to_owned()],
            user_keys: vec!["k1".to_owned()],
            groups: vec![ServerText::new("pilots")],
        }])
    );
    assert_eq!(more.created_by.expect("author").username, None);
    let hostile = r#"{"id":"1","title":"a\u001b[31mb\u202ec\u200bd\ne\u009b","version":{"number":1,"message":"\u0000"}}"#;
    let Reply::Content(content) = ok(&content_call(), hostile) else {
        panic!("content");
    };
    assert!(
        !content
            .title
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{200b}' | '\u{9b}')),
        "{:?}",
        content.title
    );
}

/// A row of a list, as sent.
fn row(text: &str) -> Content {
    let call = Call::Trash {
        key: key("ENG"),
        cursor: None,
        expand: String::new(),
        limit: 100,
    };
    let Reply::Trash(mut page) = ok(&call, &format!("{{\"results\":[{text}]}}")) else {
        panic!("a trash");
    };
    page.results.pop().expect("one")
}

#[test]
fn attachments_below_a_page_count_only_where_all_of_them_were_sent() {
    let child = |attachment: &str| {
        let text = format!(r#"{{"id":"1","children":{{"attachment":{attachment}}}}}"#);
        row(&text).more.and_then(|more| more.attachments)
    };
    let two = r#"{"id":"att5","title":"a\u001b.pdf","extensions":{"mediaType":"application/pdf","fileSize":7}},{"id":6,"metadata":{"mediaType":"text/plain"}}"#;
    let all = child(&format!(
        r#"{{"results":[{two}],"start":0,"limit":25,"size":2,"_links":{{"self":"x"}}}}"#
    ));
    let all = all.expect("they are all");
    assert_eq!((all[0].id.as_str(), all[1].id.as_str()), ("att5", "6"));
    assert!(!all[0].title.contains('\u{1b}'));
    assert_eq!((all[0].file_size, all[1].file_size), (Some(7), None));
    let kinds = [&all[0].media_type, &all[1].media_type];
    assert_eq!(
        kinds.map(|it| it.as_deref()),
        [Some("application/pdf"), Some("text/plain")]
    );
    assert_eq!(
        child(r#"{"results":[],"limit":25,"size":0}"#),
        Some(Vec::new())
    );
    assert_eq!(child(r#"{"results":[]}"#), Some(Vec::new()));

    let full = vec![two; 13].join(",");
    for part in [
        "{}".to_owned(),
        r#"{"size":0}"#.to_owned(),
        r#""/rest/api/content/1/child/attachment""#.to_owned(),
        "[]".to_owned(),
        // There are more, or may be.
        format!(r#"{{"results":[{two}],"_links":{{"next":"/rest/api/x?start=2"}}}}"#),
        format!(r#"{{"results":[{two}],"limit":2}}"#),
        format!(r#"{{"results":[{two}],"size":3}}"#),
        format!(r#"{{"results":[{two}],"totalCount":9}}"#),
        format!(r#"{{"results":[{full}]}}"#),
        format!(r#"{{"results":[{full}],"limit":200}}"#),
        // One of them can't be named.
        format!(r#"{{"results":[{two},{{"title":"b"}}]}}"#),
        format!(r#"{{"results":[{two},null]}}"#),
    ] {
        assert_eq!(child(&part), None, "{part}");
    }
    let text = r#"{"id":"1","_expandable":{"children":"/rest/api/content/1/child"}}"#;
    assert_eq!(row(text).more, None);
}

#[test]
fn a_null_row_is_no_row() {
    let has = |children: &str| {
        let text = format!(r#"{{"id":"1","children":{{"page":{children}}}}}"#);
        row(&text).has_children
    };
    assert_eq!(has(r#"{"results":[null],"size":1}"#), Some(false));
    assert_eq!(has(r#"{"results":[null,{}]}"#), Some(true));
    assert_eq!(has(r#"{"results":[{"id":"2"}]}"#), Some(true));
    assert_eq!(has(r#"{"results":[]}"#), Some(false));
    assert_eq!(has(r#"{"size":2}"#), Some(true));
}

#[test]
fn restrictions_of_a_row_count_only_where_all_of_them_were_told() {
    let told = |restrictions: &str| {
        let text = format!(r#"{{"id":"1","restrictions":{restrictions}}}"#);
        row(&text).more.and_then(|more| more.restrictions)
    };
    let nobody = r#"{"user":{"results":[]},"group":{"results":[]}}"#;
    let side = |subjects: &str| format!(r#"{{"restrictions":{subjects}}}"#);
    let whole = side(nobody);
    assert_eq!(
        told(&format!(r#"{{"read":{whole},"update":{whole}}}"#)),
        Some(Vec::new())
    );
    let users = side(r#"{"user":{"results":[{"username":"mott"}]}}"#);
    let groups = side(r#"{"group":{"results":[]}}"#);
    for part in [
        "{}".to_owned(),
        format!(r#"{{"read":{whole}}}"#),
        format!(r#"{{"update":{whole}}}"#),
        format!(r#"{{"read":{whole},"update":{users}}}"#),
        format!(r#"{{"read":{groups},"update":{whole}}}"#),
        format!(r#"{{"read":{whole},"update":{{"_expandable":{{"restrictions":""}}}}}}"#),
    ] {
        assert_eq!(told(&part), None, "{part}");
    }
}

/// The restrictions of a page that was read by itself.
fn restricted(restrictions: &str) -> Option<Vec<Restriction>> {
    let text = format!(r#"{{"id":"1","title":"T","restrictions":{restrictions}}}"#);
    let Reply::Content(content) = ok(&content_call(), &text) else {
        panic!("content");
    };
    content.more.and_then(|more| more.restrictions)
}

#[test]
fn who_has_neither_name_nor_key_is_counted_among_those_who_may_read() {
    let nobody = r#"{"restrictions":{"user":{"results":[]},"group":{"results":[]}}}"#;
    let told = |users: &str, groups: &str| {
        let read = format!(
            r#"{{"restrictions":{{"user":{{"results":[{users}]}},"group":{{"results":[{groups}]}}}}}}"#
        );
        let list = restricted(&format!(r#"{{"read":{read},"update":{nobody}}}"#));
        let mut list = list.expect("all was told");
        assert!(list.len() < 2, "{list:?}");
        list.pop()
    };
    assert_eq!(told("", ""), None);
    for (users, groups) in [
        (r#"{"type":"unknown","displayName":"Unknown user"}"#, ""),
        ("{}", ""),
        ("null", ""),
        ("\"jdoe\"", ""),
        ("", r#"{"type":"group"}"#),
        ("", "null"),
    ] {
        let read = told(users, groups).expect("it is restricted");
        assert!(!read.names_anybody() && read.hides_anybody(), "{read:?}");
    }
    // Names and keys stay with whom they belong to.
    let read = told(
        r#"{"username":"a"},{"userKey":"k2"},{"username":"c","userKey":"k3"}"#,
        "",
    );
    let read = read.expect("it is restricted");
    let people: Vec<_> = read.people().iter().map(|it| (it.name, it.key)).collect();
    assert_eq!(
        people,
        [
            (Some("a"), None),
            (None, Some("k2")),
            (Some("c"), Some("k3"))
        ]
    );
    let call = Call::SetRestrictions {
        id: ContentId::new("7"),
        restrictions: vec![read],
    };
    assert_eq!(
        call.request().body.as_deref(),
        Some(
            r#"[{"operation":"read","restrictions":{"user":[{"type":"known","username":"a"},{"type":"known","userKey":"k2"},{"type":"known","username":"c","userKey":"k3"}]}}]"#
        )
    );
}

#[test]
fn restrictions_told_in_part_are_never_taken_for_none() {
    let whole = r#"{"restrictions":{"user":{"results":[]},"group":{"results":[]}}}"#;
    let users = r#"{"restrictions":{"user":{"results":[]}}}"#;
    let groups = r#"{"restrictions":{"group":{"results":[]}}}"#;
    let somebody = r#"{"restrictions":{"user":{"results":[{"username":"mott"}]}}}"#;
    let told = |read: &str, update: &str| {
        let list = restricted(&format!(r#"{{"read":{read},"update":{update}}}"#));
        list.map(|list| list.len())
    };
    assert_eq!(told(whole, whole), Some(0));
    for (read, update) in [
        (users, whole),
        (groups, whole),
        ("{}", whole),
        ("null", whole),
        ("{}", somebody),
        (users, somebody),
        (whole, "{}"),
        (whole, groups),
    ] {
        assert_eq!(told(read, update), None, "{read} {update}");
    }
    // Who is told keeps all others out, whatever else is not told.
    assert_eq!(told(somebody, "{}"), Some(1));
    assert_eq!(told(whole, somebody), Some(1));
}

/// Where a list says that it is longer than what it names, somebody may read who is not named.
#[test]
fn a_list_of_people_that_is_longer_than_it_tells_restricts_all_the_same() {
    let nobody = r#"{"results":[],"size":0}"#;
    let told = |users: &str, groups: &str| {
        let side =
            |users, groups| format!(r#"{{"restrictions":{{"user":{users},"group":{groups}}}}}"#);
        let (read, update) = (side(users, groups), side(nobody, nobody));
        let list = restricted(&format!(r#"{{"read":{read},"update":{update}}}"#));
        list.expect("all was told").pop()
    };
    assert_eq!(told(nobody, nobody), None);
    let named = r#"{"results":[{"username":"mott"}],"size":1,"totalCount":1}"#;
    let read = told(named, nobody).expect("it is restricted");
    assert!(read.names_anybody() && !read.hides_anybody(), "{read:?}");
    for (users, groups) in [
        (r#"{"results":[],"size":1}"#, nobody),
        (r#"{"results":[],"totalCount":3}"#, nobody),
        (nobody, r#"{"results":[],"size":2}"#),
        (
            r#"{"results":[{"username":"mott"}],"totalCount":2}"#,
            nobody,
        ),
    ] {
        let read = told(users, groups).expect("it is restricted");
        assert!(read.hides_anybody(), "{users} {groups}: {read:?}");
    }
}

#[test]
fn half_an_emoji_in_a_title_does_not_hide_the_page_but_never_alters_a_body() {
    let Reply::Content(content) = ok(
        &content_call(),
        r#"{"id":"1","title":"a\ud83d \\ud83d \ud83d\ude00"}"#,
    ) else {
        panic!("content");
    };
    assert_eq!(content.title, "a\u{fffd} \\ud83d 😀");
    let latin = b"{\"id\":\"1\",\"title\":\"caf\xe9\"}";
    assert!(content_call().decode(200, &json(), latin).is_ok());
    let body = br#"{"id":"1","title":"a","body":{"storage":{"value":"\ud83d"}}}"#;
    assert_eq!(
        fails(&content_call(), 200, &json(), body).kind,
        ErrorKind::Malformed
    );
}

#[test]
fn a_page_of_the_trash_and_its_cursor() {
    let Reply::Trash(page) = ok(&trash_call(None), include_str!("samples/trash-1.json")) else {
        panic!("trash");
    };
    assert_eq!(page.next, Some(Cursor("content:false:393229".to_owned())));
    let file = &page.results[1];
    assert_eq!(file.kind, ContentKind::Attachment);
    let more = file.more.as_ref().expect("more");
    assert_eq!(more.file_size, Some(2048));
    assert_eq!(more.container.as_ref().expect("container").id, id("393229"));
    assert!(
        more.download
            .as_deref()
            .expect("link")
            .starts_with("/download/")
    );

    let own = r#"{"results":[],"nextCursor":"a%3Ab","_links":{"next":"/x?cursor=other"}}"#;
    let Reply::Trash(page) = ok(&trash_call(None), own) else {
        panic!("trash");
    };
    assert_eq!(page.next, Some(Cursor("a%3Ab".to_owned())), "as it came");
    let same = r#"{"results":[],"nextCursor":"a"}"#;
    assert_eq!(
        fails(&trash_call(Some("a")), 200, &json(), same.as_bytes()).kind,
        ErrorKind::RepeatedCursor
    );
}

#[test]
fn long_tasks() {
    let delete = Call::DeleteSpace { key: key("ENG") };
    for body in [
        r#"{"id":"0f-1","links":{"status":"/rest/api/longtask/zz"}}"#,
        r#"{"links":{"status":"https://elsewhere.example/wiki/rest/api/longtask/0f-1/status"}}"#,
    ] {
        let reply = delete.decode(202, &json(), body.as_bytes());
        assert_eq!(
            reply,
            Ok(Reply::LongTaskStarted(LongTaskId("0f-1".to_owned())))
        );
    }
    let poll = Call::LongTask {
        id: LongTaskId("0f-1".to_owned()),
    };
    let Reply::LongTask(task) = ok(
        &poll,
        r#"{"id":885174,"name":{"key":"remove.space","args":[]},"elapsedTime":1204,"percentageComplete":370,"successful":true,"messages":[{"translation":"Removing pages","args":[]},{"translation":null,"args":["3","4"]}]}"#,
    ) else {
        panic!("task");
    };
    assert_eq!(task.percentage, 100, "clamped");
    assert_eq!(task.id, LongTaskId("885174".to_owned()));
    assert_eq!(task.messages, ["Removing pages", "3, 4"]);
    let Reply::LongTask(task) = ok(&poll, r#"{"percentageComplete":-3}"#) else {
        panic!("task");
    };
    assert_eq!((task.percentage, task.successful), (0, false));
    assert_eq!(
        fails(&poll, 404, &Headers::new(), b"").kind,
        ErrorKind::NotFound
    );
}

#[test]
fn who_and_what() {
    let Reply::CurrentUser(user) = ok(
        &Call::CurrentUser,
        r#"{"type":"known","username":"a","displayName":"A"}"#,
    ) else {
        panic!("user");
    };
    assert_eq!(user.username.as_deref(), Some("a"));
    let Reply::CurrentUser(user) = ok(
        &Call::CurrentUser,
        r#"{"type":"anonymous","username":"x","displayName":"Anonymous"}"#,
    ) else {
        panic!("user");
    };
    assert_eq!(user.username, None);
    let manifest =
        r#"{"typeId":"confluence","version":"7.13.0","buildNumber":8703,"url":"http://x"}"#;
    let Reply::ServerInfo(info) = ok(&Call::Manifest, manifest) else {
        panic!("info");
    };
    assert_eq!(info.version.as_deref(), Some("7.13.0"));
    assert_eq!(info.build.as_deref(), Some("8703"));
    let jira = br#"{"typeId":"jira","version":"9"}"#;
    assert_eq!(
        fails(&Call::Manifest, 200, &json(), jira).kind,
        ErrorKind::NotConfluence
    );
    assert_eq!(
        ok(&Call::AccessMode, "\"READ_ONLY\""),
        Reply::AccessMode(AccessMode::ReadOnly)
    );
    let plain = Headers::from_iter([("content-type", "text/plain")]);
    assert_eq!(
        Call::AccessMode.decode(200, &plain, b"READ_WRITE"),
        Ok(Reply::AccessMode(AccessMode::ReadWrite))
    );
}

#[test]
fn an_answer_that_is_none() {
    let call = spaces_call();
    let page = include_bytes!("samples/login.html");
    let error = fails(&call, 200, &html(), page);
    assert!(matches!(error.kind, ErrorKind::NotJson { .. }));
    assert!(
        error.message.contains("“Log In - Harbour wiki”"),
        "{}",
        error.message
    );
    // A sign-in page after a write is no success.
    let write = Call::ArchiveSpace { key: key("ENG") };
    assert!(matches!(
        fails(&write, 200, &html(), page).kind,
        ErrorKind::NotJson { .. }
    ));
    assert_eq!(write.decode(204, &Headers::new(), b""), Ok(Reply::Done));
    // Nor is it an attachment.
    assert!(matches!(
        fails(&download("/download/x"), 200, &html(), page).kind,
        ErrorKind::NotJson { .. }
    ));

    let whole = include_str!("samples/spaces-7.json");
    for cut in [1, whole.len() / 2, whole.trim_end().len() - 1] {
        let error = fails(&call, 200, &json(), &whole.as_bytes()[..cut]);
        assert_eq!(error.kind, ErrorKind::Truncated, "cut at {cut}");
    }
    assert_eq!(fails(&call, 200, &json(), b"{]").kind, ErrorKind::Malformed);
    assert!(call.decode(200, &json(), b"").is_err());
}

#[test]
fn nesting_without_end_is_no_crash() {
    let call = spaces_call();
    for open in ["[", "{\"results\":", "{\"results\":[", "{\"_links\":"] {
        let deep = open.repeat(100_000);
        assert!(
            call.decode(200, &json(), deep.as_bytes()).is_err(),
            "{open}"
        );
    }
    let deep = format!(
        "{{\"results\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert_eq!(
        fails(&call, 200, &json(), deep.as_bytes()).kind,
        ErrorKind::Malformed
    );
    let deep = format!(
        "{{\"key\":\"A\",\"retentionPolicy\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let call = Call::Space {
        key: key("A"),
        expand: String::new(),
    };
    let _ = call.decode(200, &json(), deep.as_bytes());
}

#[test]
fn refusals_say_what_the_server_said() {
    let call = spaces_call();
    let error = fails(
        &call,
        400,
        &json(),
        include_bytes!("samples/error-400.json"),
    );
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert_eq!(
        error.details,
        ["A space already exists with key ENG", "space.name.blank"]
    );
    assert!(
        error
            .message
            .starts_with("A space already exists with key ENG")
    );
    let error = fails(
        &call,
        403,
        &json(),
        include_bytes!("samples/error-403-class.json"),
    );
    assert_eq!(error.message, "Could not create content with type page.");
    let error = fails(
        &call,
        404,
        &json(),
        include_bytes!("samples/error-404.json"),
    );
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::NotFound, "No space with key : x.")
    );
    let read_only = include_bytes!("samples/error-405-read-only.json");
    assert_eq!(
        fails(&call, 405, &json(), read_only).kind,
        ErrorKind::ReadOnlySite
    );
    assert_eq!(
        fails(&call, 405, &json(), b"{}").kind,
        ErrorKind::NoSuchOperation
    );
    assert_eq!(fails(&call, 402, &json(), b"{}").kind, ErrorKind::Licence);
    assert_eq!(fails(&call, 409, &json(), b"{}").kind, ErrorKind::Conflict);
    assert_eq!(
        fails(&call, 502, &html(), b"<html>").kind,
        ErrorKind::Server
    );
    assert_eq!(fails(&call, 418, &html(), b"").kind, ErrorKind::Status);
    // A page that is not there: of an operation that some servers lack, and of none at all.
    assert_eq!(
        fails(&trash_call(None), 404, &html(), b"<html>").kind,
        ErrorKind::NoSuchOperation
    );
    assert_eq!(
        fails(&call, 404, &html(), b"<html>").kind,
        ErrorKind::NotConfluence
    );
    assert_eq!(
        fails(
            &trash_call(None),
            404,
            &json(),
            include_bytes!("samples/error-404.json")
        )
        .kind,
        ErrorKind::NotFound
    );
}

#[test]
fn sign_in_outcomes_are_told_apart() {
    let call = Call::CurrentUser;
    let token = fails(
        &call,
        401,
        &json(),
        br#"{"message":"Client must be authenticated.","status-code":401}"#,
    );
    let password = fails(&call, 401, &html(), b"<html>Basic Authentication Failure");
    assert_eq!(
        (&token.kind, &password.kind),
        (&ErrorKind::Unauthorized, &ErrorKind::Unauthorized)
    );
    assert_ne!(token.hint(), password.hint());
    let lock = Headers::from_iter([
        ("X-Seraph-LoginReason", "AUTHENTICATION_DENIED"),
        (
            "X-Authentication-Denied-Reason",
            "CAPTCHA_CHALLENGE; login-url=https://wiki.example.org/login.action",
        ),
    ]);
    let error = fails(&call, 401, &lock, b"");
    assert!(
        error
            .hint()
            .contains("https://wiki.example.org/login.action"),
        "{}",
        error.hint()
    );
    let cloud = Headers::from_iter([("Server", "AtlassianEdge")]);
    assert_eq!(
        fails(&call, 403, &cloud, b"{}").kind,
        ErrorKind::CloudNotSupported
    );
    let to = |location: &str| {
        fails(
            &call,
            302,
            &Headers::from_iter([("Location", location)]),
            b"",
        )
        .kind
    };
    assert_eq!(
        to("/login.action?os_destination=%2Findex.action"),
        ErrorKind::Redirect {
            to: "/login.action".to_owned(),
            login: true
        }
    );
    assert_eq!(
        to("https://me:pw@new.example.org/wiki/rest/api/user/current"),
        ErrorKind::Redirect {
            to: "https://new.example.org/wiki".to_owned(),
            login: false
        }
    );
    // One that leads nowhere is not told as one to the address that was asked.
    let nowhere = fails(&call, 302, &Headers::new(), b"");
    assert!(nowhere.message.contains("does not say where"), "{nowhere}");
    assert!(
        nowhere.hint().starts_with("Check `url`"),
        "{}",
        nowhere.hint()
    );
}

#[test]
fn the_wait_that_a_server_asks_for_is_clamped() {
    let call = spaces_call();
    let after = |pairs: &[(&str, &str)]| match fails(
        &call,
        429,
        &pairs.iter().copied().collect(),
        b"",
    )
    .kind
    {
        ErrorKind::RateLimited { after_ms } => after_ms,
        other => panic!("{other:?}"),
    };
    assert_eq!(after(&[("Retry-After", "12")]), Some(12_000));
    assert_eq!(after(&[("Retry-After", "0")]), Some(0));
    assert_eq!(
        after(&[("Retry-After", "9223372036854775807")]),
        Some(3_600_000)
    );
    assert_eq!(
        after(&[("Retry-After", "99999999999999999999999")]),
        Some(3_600_000)
    );
    assert_eq!(after(&[("Retry-After", "soon")]), None);
    assert_eq!(after(&[("X-RateLimit-Interval-Seconds", "5")]), Some(5_000));
    assert_eq!(
        after(&[
            ("Retry-After", "Mon, 01 Aug 2022 05:52:42 GMT"),
            ("Date", "Mon, 01 Aug 2022 05:52:32 GMT")
        ]),
        Some(10_000)
    );
}

#[test]
fn a_failed_write_is_certain_or_unknown() {
    let write = Call::DeleteSpace { key: key("ENG") };
    for (status, unknown) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (409, false),
        (429, false),
        (408, true),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        let error = fails(&write, status, &json(), b"{}");
        assert_eq!(error.may_have_been_applied(), unknown, "{status}");
    }
    for (kind, unknown) in [
        (ErrorKind::Connect, false),
        (ErrorKind::Tls, false),
        (ErrorKind::ReadOnlyClient, false),
        (ErrorKind::Timeout, true),
        (ErrorKind::Lost, true),
        (ErrorKind::Truncated, true),
        (ErrorKind::TooLarge, true),
    ] {
        assert_eq!(ApiError::new(kind, "x").may_have_been_applied(), unknown);
    }
}
