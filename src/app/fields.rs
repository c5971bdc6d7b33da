//! What the terms of a filter that are about fields ask of content, the same in every list of it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::confluence::ContentKind;
use crate::text::filter::{Filter, Term};

/// A term about a field, ready to judge with.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) enum Test {
    /// Its type, in lower case.
    Kind(String, Wanted),
    /// Who edited it last, in lower case.
    Editor(String, Wanted),
    /// What it is below, in lower case.
    Under(String, Wanted),
    /// Edited before this moment, in milliseconds.
    Before(i64),
    /// Edited at this moment or later.
    From(i64),
}

/// Whether a test is to be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Wanted {
    Yes,
    No,
}

/// The terms of a filter that are about fields of content. Ages count from `now`, days are those
/// of `zone`.
pub(in crate::app) fn tests(filter: &Filter, now: Timestamp, zone: &TimeZone) -> Vec<Test> {
    let start_of = |day: Date| {
        zone.to_timestamp(day.to_datetime(jiff::civil::Time::midnight()))
            .map_or(i64::MIN, Timestamp::as_millisecond)
    };
    let ago = |days: u32| now.as_millisecond() - i64::from(days) * 86_400_000;
    let field = |field: &str, value: &str, wanted: Wanted| {
        let value = value.to_lowercase();
        match field {
            "type" => Some(Test::Kind(value, wanted)),
            "by" => Some(Test::Editor(value, wanted)),
            "under" => Some(Test::Under(value, wanted)),
            _ => None,
        }
    };
    filter
        .terms()
        .iter()
        .filter_map(|term| match term {
            Term::Word(_) | Term::Exact(_) | Term::Without(_) => None,
            Term::Is { field: name, value } => field(name, value, Wanted::Yes),
            Term::IsNot { field: name, value } => field(name, value, Wanted::No),
            Term::Before(day) => Some(Test::Before(start_of(*day))),
            Term::After(day) => Some(Test::From(start_of(*day))),
            Term::Older(days) => Some(Test::Before(ago(*days))),
            Term::Newer(days) => Some(Test::From(ago(*days))),
        })
        .collect()
}

/// Whether content of this type is meant by a name of a type, or its beginning, in lower case.
pub(in crate::app) fn is_kind(kind: &ContentKind, name: &str) -> bool {
    kind_name(kind).starts_with(name) || kind.as_str().to_lowercase().starts_with(name)
}

/// How a type is called on the screen.
pub fn kind_name(kind: &ContentKind) -> &str {
    match kind {
        ContentKind::BlogPost => "blog post",
        ContentKind::Page
        | ContentKind::Comment
        | ContentKind::Attachment
        | ContentKind::Other(_) => kind.as_str(),
    }
}
