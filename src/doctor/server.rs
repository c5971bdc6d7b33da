//! The server: what its answers to harmless reads tell.

use jiff::Timestamp;

use super::{Check, Finding};
use crate::confluence::certificate::{Certificate, Chain, End, told_hosts};
use crate::confluence::{ApiError, CurrentUser, ErrorKind, ServerInfo};
use crate::text::number;

/// A clock that is this far off is worth a word, in seconds: tokens and single sign-on mind it.
const CLOCK_NOTE: i64 = 60;

/// A certificate that ends within this many days is worth a word.
const CERTIFICATE_NOTE: i64 = 30;

/// What the thirteen operations are, in their order.
pub const OPERATIONS: [&str; 13] = [
    "list spaces",
    "create a space",
    "create a private space",
    "create a personal space",
    "read a space",
    "update a space",
    "delete a space",
    "archive a space",
    "restore a space",
    "content of a space",
    "content of one type",
    "list the trash",
    "purge the whole trash",
];

/// The major version that first has an operation, as far as is known; `None`: all of them.
fn since(operation: u8) -> Option<u32> {
    match operation {
        8 | 9 => Some(9),
        4 | 12 | 13 => Some(10),
        _ => None,
    }
}

/// How a read came out: nothing, or why not.
pub type Probe = Result<(), ApiError>;

/// What was asked, to learn which operations there are. `None`: not asked, as there was nothing to
/// ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    /// Operation 1, `GET /space`.
    pub spaces: Option<Probe>,
    /// `GET /space/_private`, where operation 3 takes a POST.
    pub private: Option<Probe>,
    /// `GET /space/personal`, where operation 4 takes a POST.
    pub personal: Option<Probe>,
    /// Operation 5, `GET /space/{key}`.
    pub space: Option<Probe>,
    /// `GET /space/{key}/archive`, where operation 8 takes a PUT.
    pub archive: Option<Probe>,
    /// `GET /space/{key}/restore`, where operation 9 takes a PUT.
    pub restore: Option<Probe>,
    /// Operation 10.
    pub content: Option<Probe>,
    /// Operation 11.
    pub of_type: Option<Probe>,
    /// Operation 12.
    pub trash: Option<Probe>,
}

/// The major number of a version such as `9.2.1`.
fn major(version: &str) -> Option<u32> {
    version.split(['.', '-']).next()?.parse().ok()
}

/// Which of the thirteen operations the server has. Writes are told from what a read on their path
/// answers: 405 where only another method is taken, 404 where there is nothing.
pub fn operations(probes: &Probes, version: Option<&str>) -> Vec<Finding> {
    (1..=13)
        .map(|number| {
            // Writes on a path that a read is known for live and die with that read.
            let probe = match number {
                1 | 2 => &probes.spaces,
                3 => &probes.private,
                4 => &probes.personal,
                5..=7 => &probes.space,
                8 => &probes.archive,
                9 => &probes.restore,
                10 => &probes.content,
                11 => &probes.of_type,
                _ => &probes.trash,
            };
            let only_other_methods = matches!(number, 3 | 4 | 8 | 9);
            operation(number, probe.as_ref(), only_other_methods, version)
        })
        .collect()
}

fn operation(
    number: u8,
    probe: Option<&Probe>,
    only_other_methods: bool,
    version: Option<&str>,
) -> Finding {
    let check = Check::Operation(number);
    let what = OPERATIONS[usize::from(number) - 1];
    let there = Finding::ok(check, format!("{what}: available"));
    let missing = || {
        let hint = match since(number) {
            Some(since) => format!(
                "Known from Confluence {since} on; Coracle does without it, and says so where it matters."
            ),
            None => "Every version has it: check that no proxy keeps it back.".to_owned(),
        };
        let says = format!("{what}: not available");
        if since(number).is_some() {
            Finding::note(check, says, hint)
        } else {
            Finding::failed(check, says, hint)
        }
    };
    let by_version = |why: &str| {
        let has = match (since(number), version.and_then(major)) {
            (None, _) => Some(true),
            (Some(since), Some(major)) => Some(major >= since),
            (Some(_), None) => None,
        };
        let likely = match has {
            Some(true) => "its version should have it",
            Some(false) => "its version should not have it",
            None => "its version is not known",
        };
        Finding::note(
            check,
            format!("{what}: not told ({likely})"),
            format!("{why} It is told at the first use."),
        )
    };
    match probe {
        None => Finding::skipped(check, format!("{what}: there is no space to ask about")),
        Some(Ok(())) if only_other_methods => {
            by_version("The server answers a read where only a write was expected.")
        }
        Some(Ok(())) => there,
        Some(Err(error)) => match (&error.kind, error.status) {
            (ErrorKind::ReadOnlySite, _) => there,
            (ErrorKind::NoSuchOperation, Some(405)) if only_other_methods => there,
            (ErrorKind::NoSuchOperation | ErrorKind::NotConfluence, _) => missing(),
            (ErrorKind::NotFound, _) if only_other_methods => missing(),
            // It is there, and not for everybody.
            (ErrorKind::Forbidden, _) => Finding::ok(
                check,
                format!("{what}: available, but not permitted to you here"),
            ),
            _ => by_version(&error.message),
        },
    }
}

/// How the certificates of the server are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checking {
    /// They are.
    Yes,
    /// They are not, as the profile says.
    No,
}

/// Whether the server's certificate was taken, by whose word, and the chain that it sent, also
/// where it was refused.
pub fn tls(
    outcome: Result<(), &ApiError>,
    chain: Option<&Chain>,
    checking: Checking,
    now: Timestamp,
) -> Vec<Finding> {
    let mut found = vec![trust(outcome, chain, checking)];
    if let Some(chain) = chain {
        found.extend(
            (1..)
                .zip(&chain.certificates)
                .map(|(number, certificate)| told_certificate(number, certificate.as_ref(), now)),
        );
        if chain.more > 0 {
            let number = u8::try_from(chain.certificates.len() + 1).unwrap_or(u8::MAX);
            let more = number::count(chain.more as u64, "more certificate");
            found.push(Finding::note(
                Check::Certificate(number),
                format!("{more} in the chain, not told."),
                "A chain has two or three: tell the administrators of the server.",
            ));
        }
    }
    found
}

/// Whether the certificate was taken.
fn trust(outcome: Result<(), &ApiError>, chain: Option<&Chain>, checking: Checking) -> Finding {
    let version = |chain: &Chain| {
        let version = chain.version.as_deref();
        version.map_or_else(String::new, |version| format!(" {version}."))
    };
    if let Err(error) = outcome {
        if error.kind == ErrorKind::Tls {
            let says = match chain {
                Some(chain) => format!("{}{}", error.message, version(chain)),
                None => error.message.clone(),
            };
            return Finding::failed(Check::Tls, says, error.hint());
        }
        let before = matches!(
            error.kind,
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Lost | ErrorKind::Settings
        ) && error.status.is_none();
        if before && chain.is_none() {
            return Finding::skipped(Check::Tls, "There was no answer to see one of.");
        }
    }
    let spoken = chain.map(version).unwrap_or_default();
    if checking == Checking::No {
        return Finding::note(
            Check::Tls,
            format!("The certificate is not checked, as the profile says.{spoken}"),
            "Set ca_file to the authority that your organisation uses, and take insecure out.",
        );
    }
    let by = match chain.map(|chain| &chain.end) {
        Some(End::System(name)) => format!(" by an authority of the system, {name}"),
        Some(End::File(name)) => format!(" by an authority of ca_file, {name}"),
        Some(End::Unchecked | End::Refused) | None => String::new(),
    };
    Finding::ok(
        Check::Tls,
        format!("The certificate is trusted{by}.{spoken}"),
    )
}

/// One certificate of a chain: for whom, by whom, and how long it will be valid.
fn told_certificate(number: u8, certificate: Option<&Certificate>, now: Timestamp) -> Finding {
    let check = Check::Certificate(number);
    let Some(certificate) = certificate else {
        return Finding::note(
            check,
            "It can't be read.",
            "Tell the administrators of the server: clients may refuse the whole chain.",
        );
    };
    let day = |time| number::date(time, &jiff::tz::TimeZone::UTC);
    let days = |time: Timestamp| {
        let hours = time.duration_since(now).as_hours();
        number::count(hours.unsigned_abs() / 24, "day")
    };
    let hosts = match (number, certificate.hosts.as_slice()) {
        (1, hosts @ [_, ..]) => format!(" for {}", told_hosts(hosts)),
        _ => String::new(),
    };
    let by = if certificate.issuer == certificate.subject {
        "by itself".to_owned()
    } else {
        format!("by {}", certificate.issuer)
    };
    let (when, hint) = if certificate.until < now {
        (
            format!(
                "Expired on {}, {} ago.",
                day(certificate.until),
                days(certificate.until)
            ),
            Some("Tell the administrators of the server; check the clock of this machine."),
        )
    } else if certificate.from > now {
        (
            format!("Not valid before {}.", day(certificate.from)),
            Some("Check the clock of this machine, then tell the administrators of the server."),
        )
    } else {
        let left = certificate.until.duration_since(now).as_hours() / 24;
        (
            format!(
                "Valid until {}, {}.",
                day(certificate.until),
                days(certificate.until)
            ),
            (left < CERTIFICATE_NOTE).then_some(
                "Tell the administrators of the server: no client will get in after that day.",
            ),
        )
    };
    let says = format!("{}{hosts}, issued {by}. {when}", certificate.subject);
    match hint {
        Some(hint) => Finding::note(check, says, hint),
        None => Finding::ok(check, says),
    }
    .about(certificate)
}

/// Whether the server takes the sign-in, and whom it takes us for.
pub fn sign_in(outcome: &Result<CurrentUser, ApiError>, signs_in: bool) -> [Finding; 2] {
    match outcome {
        Ok(user) => match (&user.username, signs_in) {
            (Some(name), _) => [
                Finding::ok(
                    Check::SignIn,
                    if signs_in {
                        "The server takes it."
                    } else {
                        "None is configured, and the server asks for none."
                    },
                ),
                Finding::ok(Check::User, format!("{name} ({})", user.display_name)),
            ],
            (None, true) => [
                Finding::failed(
                    Check::SignIn,
                    "The server took the request as anonymous.",
                    "The token or password was passed over: make a new token, and check that no proxy takes the Authorization header away.",
                ),
                Finding::skipped(Check::User, "Nobody."),
            ],
            (None, false) => [
                Finding::note(
                    Check::SignIn,
                    "No token or password is configured.",
                    "You see what everybody sees. Name a source of a token in the profile to sign in.",
                ),
                Finding::ok(Check::User, "anonymous"),
            ],
        },
        Err(error) if error.kind == ErrorKind::NoSuchOperation => [
            Finding::note(
                Check::SignIn,
                "The server does not tell who is signed in.",
                "What can be read below says whether it works.",
            ),
            Finding::skipped(Check::User, "It is not told."),
        ],
        Err(error) => {
            let before = matches!(
                error.kind,
                ErrorKind::Connect
                    | ErrorKind::Tls
                    | ErrorKind::Timeout
                    | ErrorKind::Lost
                    | ErrorKind::Settings
            ) && error.status.is_none();
            let first = match (before, &error.kind) {
                (true, ErrorKind::Tls) => {
                    Finding::skipped(Check::SignIn, "There is no connection to trust it to.")
                }
                // The way there is at fault, not the secret.
                (true, _) => Finding::failed(Check::Connection, &error.message, error.hint()),
                (false, _) => Finding::failed(Check::SignIn, &error.message, error.hint()),
            };
            [first, Finding::skipped(Check::User, "It is not known.")]
        }
    }
}

/// Which version answers.
pub fn version(outcome: &Result<ServerInfo, ApiError>) -> Finding {
    match outcome {
        Ok(info) => match &info.version {
            Some(version) => match major(version) {
                Some(major) if major < 7 => Finding::note(
                    Check::Version,
                    format!("Confluence {version}"),
                    "Coracle is made for 7 to 10; an older one may lack more than is told here.",
                ),
                _ => Finding::ok(Check::Version, format!("Confluence {version}")),
            },
            None => Finding::note(
                Check::Version,
                "The server does not tell its version.",
                "Coracle finds out what it can as it goes.",
            ),
        },
        Err(error) => Finding::note(
            Check::Version,
            format!("The server does not tell its version: {}", error.message),
            "Coracle finds out what it can as it goes.",
        ),
    }
}

/// How far the clocks are apart. The answer may have been on its way for `took` milliseconds, and
/// the header has whole seconds.
pub fn clock(theirs: Option<Timestamp>, ours: Timestamp, took: u64) -> Finding {
    let Some(theirs) = theirs else {
        return Finding::skipped(Check::Clock, "The server does not tell what time it is.");
    };
    let apart = theirs.duration_since(ours).as_secs();
    let slack = i64::try_from(took / 1_000)
        .unwrap_or(i64::MAX)
        .saturating_add(1);
    if apart.abs() <= slack {
        return Finding::ok(Check::Clock, "The server's clock agrees with this one.");
    }
    let seconds = number::count(apart.unsigned_abs(), "second");
    let way = if apart > 0 { "ahead of" } else { "behind" };
    let says = format!("The server's clock is {seconds} {way} this one.");
    if apart.abs() < CLOCK_NOTE {
        Finding::ok(Check::Clock, says)
    } else {
        Finding::note(
            Check::Clock,
            says,
            "Set the clock that is wrong: tokens, certificates and the ages on the screen go by it.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn error(kind: ErrorKind, status: u16) -> ApiError {
        ApiError::new(kind, "It says no.").with_status(status)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a date of the test")
    }

    fn verdicts(probes: &Probes, version: Option<&str>) -> Vec<Verdict> {
        operations(probes, version)
            .iter()
            .map(|finding| finding.verdict)
            .collect()
    }

    #[test]
    fn operations_are_told_by_what_a_read_answers() {
        use Verdict::{Note, Ok as Good, Skipped};
        let only_writes = || Some(Err(error(ErrorKind::NoSuchOperation, 405)));
        let nothing = || Some(Err(error(ErrorKind::NoSuchOperation, 404)));
        let no_space_of_that_name = || Some(Err(error(ErrorKind::NotFound, 404)));
        let all = Probes {
            spaces: Some(Ok(())),
            private: only_writes(),
            personal: only_writes(),
            space: Some(Ok(())),
            archive: only_writes(),
            restore: only_writes(),
            content: Some(Ok(())),
            of_type: Some(Ok(())),
            trash: Some(Ok(())),
        };
        assert_eq!(verdicts(&all, Some("10.0.1")), vec![Good; 13]);
        let nine = Probes {
            personal: no_space_of_that_name(),
            trash: nothing(),
            ..all.clone()
        };
        let mut expected = vec![Good; 13];
        for missing in [4, 12, 13] {
            expected[missing - 1] = Note;
        }
        assert_eq!(verdicts(&nine, Some("9.2.1")), expected);
        let seven = Probes {
            archive: nothing(),
            restore: nothing(),
            ..nine
        };
        for missing in [8, 9] {
            expected[missing - 1] = Note;
        }
        assert_eq!(verdicts(&seven, Some("7.19.0")), expected);
        // Nothing to ask about, nothing told.
        let empty = Probes {
            space: None,
            archive: None,
            restore: None,
            content: None,
            of_type: None,
            trash: None,
            ..all
        };
        let mut expected = vec![Good; 4];
        expected.extend([Skipped; 9]);
        assert_eq!(verdicts(&empty, None), expected);
    }

    #[test]
    fn what_is_not_permitted_is_there_all_the_same() {
        let probes = Probes {
            trash: Some(Err(error(ErrorKind::Forbidden, 403))),
            archive: Some(Err(error(ErrorKind::Server, 503))),
            ..Probes::default()
        };
        let found = operations(&probes, Some("10.0"));
        assert_eq!(found[11].verdict, Verdict::Ok);
        assert!(
            found[11].says.contains("not permitted"),
            "{}",
            found[11].says
        );
        assert_eq!(found[7].verdict, Verdict::Note);
        assert!(
            found[7].says.contains("should have it"),
            "{}",
            found[7].says
        );
    }

    fn certificate(subject: &str, issuer: &str, until: &str) -> Certificate {
        Certificate {
            subject: subject.to_owned(),
            hosts: vec!["wiki.example.com".to_owned()],
            issuer: issuer.to_owned(),
            from: at("2026-01-01T00:00:00Z"),
            until: at(until),
        }
    }

    fn chain(end: End) -> Chain {
        Chain {
            host: "wiki.example.com".to_owned(),
            version: Some("TLS 1.3".to_owned()),
            certificates: vec![
                Some(certificate("CN=a", "CN=b", "2027-02-01T00:00:00Z")),
                Some(certificate("CN=b", "CN=c", "2030-02-01T00:00:00Z")),
                None,
            ],
            more: 0,
            end,
        }
    }

    #[test]
    fn a_chain_is_told_whole_and_what_ends_soon_is_a_note() {
        let chain = chain(End::File("CN=c".to_owned()));
        let found = |now: &str| tls(Ok(()), Some(&chain), Checking::Yes, at(now));
        let verdicts = |now: &str| found(now).iter().map(|f| f.verdict).collect::<Vec<_>>();
        use Verdict::{Note, Ok as Good};
        assert_eq!(
            verdicts("2026-11-23T00:00:00Z"),
            [Good, Good, Good, Note],
            "what can't be read is told in its place"
        );
        let now = found("2026-11-23T00:00:00Z");
        assert_eq!(
            now[0].says,
            "The certificate is trusted by an authority of ca_file, CN=c. TLS 1.3."
        );
        assert_eq!(
            now[1].says,
            "CN=a for wiki.example.com, issued by CN=b. Valid until 2027-02-01, 70 days."
        );
        assert_eq!(
            now[2].says, "CN=b, issued by CN=c. Valid until 2030-02-01, 1,166 days.",
            "hosts are those of its own"
        );
        assert_eq!(
            now[1].certificate.as_deref(),
            chain.certificates[0].as_ref()
        );
        // 30 days before, and a day later.
        assert_eq!(verdicts("2027-01-02T00:00:00Z")[1], Good);
        assert_eq!(verdicts("2027-01-02T01:00:00Z")[1], Note);
        let over = &found("2027-02-03T00:00:00Z")[1];
        assert!(
            over.says.ends_with("Expired on 2027-02-01, 2 days ago."),
            "{}",
            over.says
        );
        assert_eq!(over.verdict, Note);
        let early = &found("2025-01-01T00:00:00Z")[1];
        assert!(
            early.says.ends_with("Not valid before 2026-01-01."),
            "{}",
            early.says
        );
    }

    #[test]
    fn a_chain_is_told_where_it_was_refused_too_and_where_nobody_checks() {
        let now = at("2026-11-23T00:00:00Z");
        let mut refused = chain(End::Refused);
        refused.version = None;
        refused.more = 3;
        let expired = ApiError::new(ErrorKind::Tls, "The certificate has expired.");
        let found = tls(Err(&expired), Some(&refused), Checking::Yes, now);
        assert_eq!(found[0].verdict, Verdict::Failed);
        assert!(found[0].hint.is_some());
        assert_eq!(found.len(), 5);
        assert_eq!(found[4].says, "3 more certificates in the chain, not told.");
        let found = tls(Ok(()), Some(&chain(End::Unchecked)), Checking::No, now);
        assert_eq!(found[0].verdict, Verdict::Note);
        assert!(found[0].says.contains("not checked"), "{}", found[0].says);
        assert!(found[0].says.ends_with("TLS 1.3."), "{}", found[0].says);
        assert_eq!(found.len(), 4);
        let away = ApiError::new(ErrorKind::Connect, "Nothing listens.");
        let found = tls(Err(&away), None, Checking::Yes, now);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].verdict, Verdict::Skipped);
        // A refused sign-in came over a line that was fine.
        let system = chain(End::System("CN=root".to_owned()));
        let sign_in = error(ErrorKind::Unauthorized, 401);
        let found = tls(Err(&sign_in), Some(&system), Checking::Yes, now);
        assert_eq!(found[0].verdict, Verdict::Ok);
        assert!(
            found[0].says.contains("of the system, CN=root"),
            "{}",
            found[0].says
        );
    }

    #[test]
    fn clocks_are_compared_with_the_time_that_the_answer_took() {
        let ours = at("2026-11-23T12:00:00Z");
        for (theirs, took, verdict, word) in [
            ("2026-11-23T12:00:01Z", 20, Verdict::Ok, "agrees"),
            ("2026-11-23T11:59:57Z", 3_000, Verdict::Ok, "agrees"),
            ("2026-11-23T11:59:30Z", 20, Verdict::Ok, "30 seconds behind"),
            (
                "2026-11-23T12:10:00Z",
                20,
                Verdict::Note,
                "600 seconds ahead",
            ),
        ] {
            let found = clock(Some(at(theirs)), ours, took);
            assert_eq!(found.verdict, verdict, "{theirs}");
            assert!(found.says.contains(word), "{}", found.says);
        }
        assert_eq!(clock(None, ours, 0).verdict, Verdict::Skipped);
    }

    #[test]
    fn a_sign_in_that_is_passed_over_has_failed() {
        let nobody = CurrentUser {
            username: None,
            display_name: "Anonymous".to_owned(),
        };
        let [found, _] = sign_in(&Ok(nobody.clone()), true);
        assert_eq!(
            (found.check, found.verdict),
            (Check::SignIn, Verdict::Failed)
        );
        let [found, _] = sign_in(&Ok(nobody), false);
        assert_eq!(found.verdict, Verdict::Note);
        let [found, _] = sign_in(&Err(error(ErrorKind::Unauthorized, 401)), true);
        assert_eq!(
            (found.check, found.verdict),
            (Check::SignIn, Verdict::Failed)
        );
        let lost = ApiError::new(ErrorKind::Connect, "Nothing listens.");
        let [found, _] = sign_in(&Err(lost), true);
        assert_eq!(
            (found.check, found.verdict),
            (Check::Connection, Verdict::Failed)
        );
    }
}
