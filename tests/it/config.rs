//! The configuration: what it may say, what is wrong with it, and that its example is true.

use std::collections::BTreeSet;
use std::path::Path;

use coracle::config::{self, Auth, Config, PROFILE_KEYS, Problem, TOP_KEYS};

fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    config::parse(text, Path::new("/etc/coracle"), Ok(()))
}

fn told(text: &str) -> String {
    let problems = parse(text).expect_err("it is wrong");
    config::failure("config.toml", text, &problems).text()
}

/// The example with its settings switched on.
fn example() -> String {
    let text = include_str!("../../config.example.toml");
    let mut settings = String::new();
    for line in text.lines() {
        let setting = line
            .strip_prefix('#')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['));
        settings.push_str(setting.unwrap_or(line));
        settings.push('\n');
    }
    settings
}

#[test]
fn the_example_is_a_configuration_as_it_is_and_switched_on() {
    assert!(parse(include_str!("../../config.example.toml")).is_ok());
    if let Err(problems) = parse(&example()) {
        panic!(
            "{}",
            config::failure("example", &example(), &problems).text()
        );
    }
}

#[test]
fn the_example_has_every_setting_and_its_default() {
    let example: toml::Table = example().parse().expect("it is TOML");
    let check = |table: &toml::Table, known: &[(&str, Option<&str>)]| {
        for (key, value) in table {
            let (_, default) = known
                .iter()
                .find(|(name, _)| name == key)
                .unwrap_or_else(|| panic!("no setting {key}"));
            if let Some(default) = default {
                let default: toml::Table = format!("it = {default}").parse().expect("TOML");
                assert_eq!(value, &default["it"], "{key}");
            }
        }
    };
    check(&example, TOP_KEYS);
    let profiles = example["profiles"].as_table().expect("profiles");
    let mut shown: BTreeSet<&str> = BTreeSet::new();
    for (name, profile) in profiles {
        let profile = profile.as_table().expect(name);
        check(profile, PROFILE_KEYS);
        shown.extend(profile.keys().map(String::as_str));
    }
    assert_eq!(shown, PROFILE_KEYS.iter().map(|(name, _)| *name).collect());
    let top: BTreeSet<&str> = example.keys().map(String::as_str).collect();
    assert_eq!(top, TOP_KEYS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn the_defaults_that_are_written_are_those_in_effect() {
    let written: String = TOP_KEYS
        .iter()
        .filter_map(|(name, default)| Some(format!("{name} = {}\n", (*default)?)))
        .collect();
    let profile: String = PROFILE_KEYS
        .iter()
        .filter_map(|(name, default)| Some(format!("{name} = {}\n", (*default)?)))
        .collect();
    let head = "[profiles.one]\nurl = \"https://wiki.example.com\"\n";
    let full = parse(&format!("{written}{head}{profile}")).expect("it is right");
    let bare = parse(head).expect("it is right");
    assert_eq!(format!("{full:?}"), format!("{bare:?}"));
    assert_eq!(
        format!("{:?}", parse("").expect("nothing is fine")),
        format!("{:?}", Config::default())
    );
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let text = r#"them = "dark"
mouse = "yes"
log = "loud"
default_profile = "prd"

[profiles.prod]
url = "wiki.example.com"
token_command = "pass show wiki"
timout = 3
timeout = 0
concurrency = 2.5
color = "rde"
"#;
    insta::assert_snapshot!(told(text), @r#"
    error: 10 problems in the configuration.
    config.toml:1:1: There is no setting `them` at the top level.
     1 | them = "dark"
       | ^^^^
       Did you mean `theme`?
    config.toml:2:9: `mouse` is true or false, without quotation marks, and this is of type string.
     2 | mouse = "yes"
       |         ^^^^^
    config.toml:3:7: `log` can't be `loud`.
     3 | log = "loud"
       |       ^^^^^^
       It can be off, error, warn, info, debug, trace.
    config.toml:4:19: There is no profile `prd`.
     4 | default_profile = "prd"
       |                   ^^^^^
       Did you mean `prod`?
    config.toml:7:7: The address has to begin with https://.
     7 | url = "wiki.example.com"
       |       ^^^^^^^^^^^^^^^^^^
       Give the address of the start page, such as https://wiki.example.org or https://example.org/confluence.
    config.toml:8:17: `token_command` is a list: the program, then its arguments.
     8 | token_command = "pass show wiki"
       |                 ^^^^^^^^^^^^^^^^
       Such as ["pass", "show", "wiki"]; no shell is involved.
    config.toml:9:1: There is no setting `timout` in a profile.
     9 | timout = 3
       | ^^^^^^
       Did you mean `timeout`?
    config.toml:10:11: `timeout` is a whole number from 1 to 3600.
     10 | timeout = 0
        |           ^
    config.toml:11:15: `concurrency` is a whole number from 1 to 64, and this is of type float.
     11 | concurrency = 2.5
        |               ^^^
    config.toml:12:9: `color` can't be `rde`.
     12 | color = "rde"
        |         ^^^^^
       Did you mean `red`?
    "#);
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let said =
        told("theme = \"dark\"\nmouse = = true\n[profiles.prod]\nurl = \"https://a.example\"\n");
    assert!(said.contains("config.toml:2:9: This is not TOML"), "{said}");
}

#[test]
fn there_is_one_way_to_sign_in() {
    for (settings, count) in [
        ("token_env = 'A'", 0),
        ("user = 'u'\npassword_env = 'A'", 0),
        ("token_env = 'A'\ntoken_file = 'a'", 1),
        ("token_env = 'A'\nuser = 'u'\npassword_env = 'B'", 1),
        ("user = 'u'", 1),
        ("password_env = 'A'", 1),
        ("token_command = []", 1),
        ("client_key = 'a'", 1),
    ] {
        let text = format!("[profiles.p]\nurl = 'https://a.example'\n{settings}\n");
        let found = parse(&text).err().map_or(0, |problems| problems.len());
        assert_eq!(found, count, "{settings}");
    }
}

#[test]
fn a_secret_in_a_file_that_others_can_read_is_refused_and_not_quoted() {
    let text = "[profiles.p]\nurl = 'https://a.example'\ntoken = 'hunter2'\n";
    let config = parse(text).expect("the file is private");
    assert!(matches!(config.profiles["p"].auth, Auth::Token(_)));
    assert!(!format!("{config:?}").contains("hunter2"));
    let problems = config::parse(text, Path::new("/"), Err("it has mode 0644".to_owned()))
        .expect_err("others can read it");
    let said = config::failure("c", text, &problems).text();
    assert!(said.contains("c:3:1: `token` can't stand here"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    // Nor where it is misspelt, of the wrong type, in an address, or on a broken line.
    for line in [
        "tokn = 'hunter2'",
        "pasword = 'hunter2'",
        "token = ['hunter2']",
        "url = 'https://me:hunter2@a.example'",
        "url = 'me:hunter2@a.example'",
        "url = 'ftp://me:hunter2@a.example'",
        "proxy = 'me:hunter2@proxy'",
        "token = 'hunter2",
        // Nor where something else on its line is wrong, or nobody knows what it is.
        "token = 'hunter2'\ntoken_file = 'a'",
        "token_file = 'a'\ntoken = 'hunter2'",
        "token = 'hunter2'\nuser = 'me'\npassword = 'hunter2'",
        "password = 'hunter2'",
        "proxi = 'http://me:hunter2@proxy'",
        "urll = 'https://me:hunter2@a.example'",
        "pass = 'hunter2'",
        "pat = 'hunter2'",
        "bearer = ['hunter2']",
        "sign_in = { with = 'hunter2' }",
        "[profiles.q]\nauth.basic.word = 'hunter2'\nauth = 1",
    ] {
        let said = told(&format!("[profiles.p]\n{line}\n"));
        assert!(!said.contains("hunter2"), "{line}: {said}");
    }
    // All of a profile may stand on one line.
    let text = "profiles = { p = { url = 'https://a.example', colr = 'x', token = 'hunter2', timeout = 0 } }\n";
    insta::assert_snapshot!(told(text), @r"
    error: 2 problems in the configuration.
    config.toml:1:47: There is no setting `colr` in a profile.
     1 | profiles = { p = { url = 'https://a.example', colr = 'x', token = …, timeout = 0 } }
       |                                               ^^^^
       Did you mean `color`?
    config.toml:1:88: `timeout` is a whole number from 1 to 3600.
     1 | profiles = { p = { url = 'https://a.example', colr = 'x', token = …, timeout = 0 } }
       |                                                                                ^
    ");
}

#[test]
fn a_secret_is_left_out_of_its_line_and_the_mark_stays_where_it_belongs() {
    insta::assert_snapshot!(
        told("[profiles.p]\nurl = 'https://me:hunter2@ä.example' # ü\ntokn = 'hunter2'\ntoken = ['hunter2']\nproxy = 'nothing'\n"),
        @r"
    error: 4 problems in the configuration.
    config.toml:2:7: The address holds a user name or a password; put them into the profile instead.
     2 | url = … # ü
       |       ^
       Give the address of the start page, such as https://wiki.example.org or https://example.org/confluence.
    config.toml:3:1: There is no setting `tokn` in a profile.
     3 | tokn = …
       | ^^^^
       Did you mean `token`?
    config.toml:4:9: `token` is a string in quotation marks, and this is of type array.
     4 | token = …
       |         ^
    config.toml:5:9: This is not the address of a proxy.
     5 | proxy = 'nothing'
       |         ^^^^^^^^^
       Write it as http://proxy.example.com:3128 or socks5h://….
    "
    );
}

#[test]
fn plain_http_goes_to_this_machine_only_unless_it_is_accepted() {
    for (settings, fine) in [
        ("url = 'http://localhost:8090'", true),
        ("url = 'http://127.0.0.1:8090/confluence'", true),
        ("url = 'http://[::1]:8090'", true),
        ("url = 'http://wiki.example.com'", false),
        ("url = 'http://localhost.example.com'", false),
        ("url = 'http://wiki.example.com'\nallow_http = true", true),
        ("url = 'ftp://wiki.example.com'", false),
        ("url = 'https://example.atlassian.net/wiki'", false),
    ] {
        let text = format!("[profiles.p]\n{settings}\n");
        assert_eq!(parse(&text).is_ok(), fine, "{settings}");
    }
}

#[test]
fn paths_start_at_the_folder_of_the_file() {
    let config = parse("[profiles.p]\nurl = 'https://a.example/wiki/'\nca_file = 'ca.pem'\n")
        .expect("it is right");
    let profile = &config.profiles["p"];
    assert_eq!(
        profile.ca_file.as_deref(),
        Some(Path::new("/etc/coracle/ca.pem"))
    );
    assert_eq!(profile.url.as_str(), "https://a.example/wiki");
}

#[test]
fn any_text_at_all_is_answered_without_a_panic() {
    use proptest::prelude::*;
    let piece = prop_oneof![
        "[a-z_]{1,8}",
        Just("[profiles.x]\n".to_owned()),
        Just("[keys.spaces]\n".to_owned()),
        Just("url = ".to_owned()),
        Just("'https://a.example'\n".to_owned()),
        Just("token = 'ü\u{1b}世\n".to_owned()),
        "\\PC{0,6}",
        Just("\n\t= [\"".to_owned()),
    ];
    proptest!(|(pieces in proptest::collection::vec(piece, 0..20))| {
        let text = pieces.concat();
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.is_empty());
            let said = config::failure("c", &text, &problems).text();
            prop_assert!(!said.contains('\u{1b}'), "{:?}", said);
        }
    });
}

#[test]
fn a_setting_that_was_written_in_part_is_told_in_full() {
    let told = told("default = \"prod\"\n");
    assert!(told.contains("Did you mean `default_profile`?"), "{told}");
}

#[test]
fn what_is_wrong_at_one_place_is_told_once() {
    let problems = parse(&format!("a = {}", "[".repeat(500))).expect_err("it is never closed");
    let places: BTreeSet<_> = problems
        .iter()
        .map(|problem| (problem.span.start, problem.span.end, &problem.message))
        .collect();
    assert_eq!(places.len(), problems.len());
    assert!(problems.len() < 10, "{}", problems.len());
}
