//! The shapes of the wire, read with leniency: whatever is missing, `null`, `{}` or of another
//! type than expected is "not given", never a failure. Only [`super::decode`] uses them.
//!
//! Every text is scrubbed here, once, by the type of its field: [`Text`] is one line, [`Lines`]
//! keeps line breaks, [`Name`] is an identity (escaped instead of cleaned, so that it can't be
//! taken for another one), [`ToKeep`] is one line and what was sent, [`Raw`] is kept to the byte for
//! backups.
//! Nesting is bounded by these types: what they don't name is passed over without recursion.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{
    DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value,
};
use serde_json::value::RawValue;

use super::server_text::ServerText;
use super::types::*;
use crate::text::plain::{scrub, scrub_lines};

/// Longest line of ancestors that is taken; Confluence itself gets nowhere near.
const DEEPEST: usize = 500;

/// Reads a scalar: text by `from`, numbers and truth values as their text, all else as nothing.
struct Scalar<T>(fn(&str) -> Option<T>);

impl<'de, T> Visitor<'de> for Scalar<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((self.0)(text))
    }
    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok((self.0)(if truth { "true" } else { "false" }))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok((self.0)(&number.to_string()))
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

macro_rules! scalar {
    ($(#[$doc:meta])* $name:ident, $of:ty, $from:expr) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name(pub(super) Option<$of>);

        impl Default for $name {
            fn default() -> Self {
                Self(None)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Scalar($from)).map(Self)
            }
        }
    };
}

scalar!(
    /// One line to show.
    Text,
    String,
    |text| Some(scrub(text).into_owned())
);
scalar!(
    /// One line to show that is also kept or sent back.
    ToKeep,
    ServerText,
    |text| Some(ServerText::new(text))
);
scalar!(
    /// Text with line breaks to show.
    Lines,
    String,
    |text| Some(scrub_lines(text).into_owned())
);
scalar!(
    /// As sent. Never goes to a screen as it is.
    Raw,
    String,
    |text| Some(text.to_owned())
);
scalar!(
    /// A key, an id, a user name: empty is "not given".
    Name,
    String,
    |text| (!text.is_empty()).then(|| identity(text).into_owned())
);
scalar!(
    /// A whole number, clamped to what fits; a text of digits counts.
    Number,
    i64,
    whole
);
scalar!(
    /// True or false, also as text.
    Truth,
    bool,
    |text| match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
);
scalar!(
    /// A point in time.
    When,
    Moment,
    moment
);

impl Number {
    /// The number if it is not negative.
    pub(super) fn count(&self) -> Option<u64> {
        self.0.and_then(|number| u64::try_from(number).ok())
    }
}

/// A whole number, clamped. `"none"`, `NaN` and other words are nothing.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    // Larger than any `i64`, or a fraction; the cast clamps.
    text.parse::<f64>()
        .ok()
        .filter(|number| !number.is_nan())
        .map(|number| number as i64)
}

/// The three forms of the wire, and milliseconds since 1970.
fn moment(text: &str) -> Option<Moment> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(Moment(at));
    }
    if let Ok(ms) = text.parse::<i64>() {
        return Timestamp::from_millisecond(ms).ok().map(Moment);
    }
    // `+1100`: an offset without a colon.
    let (date, offset) = text.split_at_checked(text.len().checked_sub(5)?)?;
    let (hours, minutes) = offset.split_at_checked(3)?;
    format!("{date}{hours}:{minutes}").parse().ok().map(Moment)
}

/// A name to act upon: what scrubbing would change stands as an escape instead. Two different
/// names stay different, so that no request goes to the neighbour of what was shown.
pub(super) fn identity(text: &str) -> Cow<'_, str> {
    if matches!(scrub(text), Cow::Borrowed(same) if same == text) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let mut buffer = [0; 4];
        let alone: &str = c.encode_utf8(&mut buffer);
        if c.is_ascii_graphic() || c.is_alphanumeric() || scrub(alone) == alone {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_unicode());
        }
    }
    // Some marks are harmless alone and scrubbed in company: then nothing but ASCII stays.
    if scrub(&escaped) == escaped.as_str() {
        Cow::Owned(escaped)
    } else {
        Cow::Owned(text.escape_default().to_string())
    }
}

/// An object, or nothing.
#[derive(Debug)]
pub(super) struct Maybe<T>(pub(super) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

struct MaybeVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MaybeVisitor<T> {
    type Value = Maybe<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(value::MapAccessDeserializer::new(map)).map(|it| Maybe(Some(it)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Maybe(None))
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Maybe(None))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MaybeVisitor(PhantomData))
    }
}

/// A list, either bare or as the `results` of a page.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

struct ListVisitor<T>(PhantomData<T>);

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Results<T> {
    #[serde(default)]
    results: BareList<T>,
}

/// A list that is not a page: keeps [`List`] from nesting without end.
#[derive(Debug)]
struct BareList<T>(Option<Vec<T>>);

impl<T> Default for BareList<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for BareList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(BareVisitor(PhantomData))
            .map(Self)
    }
}

struct BareVisitor<T>(PhantomData<T>);

macro_rules! nothing_from_scalars {
    ($nothing:expr) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}

fn collect<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut seq: A) -> Result<Vec<T>, A::Error> {
    let mut all = Vec::new();
    while let Some(one) = seq.next_element()? {
        all.push(one);
    }
    Ok(all)
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for BareVisitor<T> {
    type Value = Option<Vec<T>>;
    nothing_from_scalars!(None);
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        collect(seq).map(Some)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;
    nothing_from_scalars!(List(None));
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        collect(seq).map(|all| List(Some(all)))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Results::deserialize(value::MapAccessDeserializer::new(map))
            .map(|page| List(page.results.0))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// An object, or a text that stands for it.
#[derive(Debug, Default)]
pub(super) enum Either<T> {
    Object(T),
    Word(String),
    #[default]
    Nothing,
}

struct EitherVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EitherVisitor<T> {
    type Value = Either<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Either::Word(scrub_lines(text).into_owned()))
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Either::Nothing)
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Either::Nothing)
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Either::Nothing)
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Either::Nothing)
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Either::Nothing)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Either::Nothing)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(value::MapAccessDeserializer::new(map)).map(Either::Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Either<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EitherVisitor(PhantomData))
    }
}

// ---- Pages --------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinksWire {
    pub(super) next: Raw,
    pub(super) webui: Text,
    pub(super) download: Raw,
    pub(super) status: Raw,
}

/// What a list holds a row of, and how it is read from the wire.
pub(super) trait Row: Sized {
    /// The shape of a row on the wire.
    type Wire: DeserializeOwned + Into<Option<Self>>;
}

/// A row, made as soon as it is read: the shapes of the wire are ten times as large as what is
/// kept of them, and five hundred of them side by side are memory that is never given back.
/// `None` if it can't be named.
#[derive(Debug)]
pub(super) struct Kept<T>(Option<T>);

impl<'de, T: Row> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Wire::deserialize(deserializer).map(|row| Self(row.into()))
    }
}

/// A page by `start`, or by cursor, or the map of pages by type.
#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", bound = "T: Row")]
pub(super) struct PageWire<T> {
    results: List<Maybe<Kept<T>>>,
    start: Number,
    limit: Number,
    total_count: Number,
    /// Only in answers of a search.
    total_size: Number,
    next_cursor: Raw,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
    #[serde(rename = "links")]
    old_links: Maybe<LinksWire>,
}

impl<T> Default for PageWire<T> {
    fn default() -> Self {
        Self {
            results: List(None),
            start: Number(None),
            limit: Number(None),
            total_count: Number(None),
            total_size: Number(None),
            next_cursor: Raw(None),
            links: Maybe(None),
            old_links: Maybe(None),
        }
    }
}

/// Operation 10 in both shapes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SpaceContentWire {
    results: List<Maybe<Kept<Content>>>,
    start: Number,
    limit: Number,
    total_count: Number,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
    page: Maybe<PageWire<Content>>,
    blogpost: Maybe<PageWire<Content>>,
}

impl<T> PageWire<T> {
    fn next(&self) -> Option<&str> {
        [&self.links, &self.old_links]
            .into_iter()
            .filter_map(|links| links.0.as_ref()?.next.0.as_deref())
            .find(|next| !next.is_empty())
    }

    /// The page. `None` if the answer was no page, or if it had rows and none of them can be named.
    pub(super) fn page(self) -> Option<Page<T>> {
        let has_next = self.next().is_some();
        Some(Page {
            start: self.start.count().unwrap_or(0),
            limit: self.limit.count(),
            total: self.total_count.count().or(self.total_size.count()),
            has_next,
            results: rows(self.results)?,
        })
    }

    /// The same for a page by cursor. The cursor is the answer's own or, decoded once, the one in
    /// the query of `next`; of a link nothing but the query is ever read.
    pub(super) fn cursor_page(self) -> Option<CursorPage<T>> {
        let next = self
            .next_cursor
            .0
            .as_ref()
            .filter(|cursor| !cursor.is_empty())
            .cloned()
            .or_else(|| cursor_of(self.next()?));
        Some(CursorPage {
            next: next.map(Cursor),
            total: self.total_count.count().or(self.total_size.count()),
            results: rows(self.results)?,
        })
    }
}

fn cursor_of(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let query = query.split('#').next()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, value)| name == "cursor" && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

fn rows<T>(list: List<Maybe<Kept<T>>>) -> Option<Vec<T>> {
    let list = list.0?;
    let sent = list.len();
    let mut rows = Vec::with_capacity(sent);
    rows.extend(list.into_iter().filter_map(|one| one.0?.0));
    (sent == 0 || !rows.is_empty()).then_some(rows)
}

impl SpaceContentWire {
    pub(super) fn answer(self) -> Option<SpaceContent> {
        if self.results.0.is_none() && (self.page.0.is_some() || self.blogpost.0.is_some()) {
            let part = |part: Maybe<PageWire<Content>>| match part.0 {
                Some(page) if page.results.0.is_some() => page.page(),
                // A type without rows may be left out or be `{}`.
                Some(_) | None => Some(Page {
                    results: Vec::new(),
                    start: 0,
                    limit: None,
                    total: None,
                    has_next: false,
                }),
            };
            return Some(SpaceContent::ByType {
                page: part(self.page)?,
                blogpost: part(self.blogpost)?,
            });
        }
        PageWire {
            results: self.results,
            start: self.start,
            limit: self.limit,
            total_count: self.total_count,
            links: self.links,
            ..PageWire::default()
        }
        .page()
        .map(SpaceContent::Flat)
    }
}

// ---- People -------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PersonWire {
    #[serde(rename = "type")]
    kind: Text,
    username: Name,
    user_key: Name,
    display_name: Text,
}

impl PersonWire {
    fn said(&self) -> bool {
        self.kind.0.is_some()
            || self.username.0.is_some()
            || self.user_key.0.is_some()
            || self.display_name.0.is_some()
    }

    /// `None` for `{}` and references without a person.
    fn person(self) -> Option<Person> {
        self.said().then(|| {
            let kind = self.kind.0.unwrap_or_default();
            let display_name = self
                .display_name
                .0
                .filter(|name| !name.trim().is_empty())
                .or_else(|| self.username.0.clone())
                .unwrap_or_else(|| {
                    if kind == "anonymous" {
                        "Anonymous".to_owned()
                    } else {
                        "Unknown user".to_owned()
                    }
                });
            Person {
                username: self.username.0,
                display_name,
                user_key: self.user_key.0,
            }
        })
    }

    pub(super) fn current_user(self) -> Option<CurrentUser> {
        let anonymous = self.kind.0.as_deref() == Some("anonymous");
        let person = self.person()?;
        Some(CurrentUser {
            username: person.username.filter(|_| !anonymous),
            display_name: person.display_name,
        })
    }
}

// ---- Spaces -------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DescriptionWire {
    plain: Either<ValueWire>,
    view: Either<ValueWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ValueWire {
    value: Lines,
}

impl Either<DescriptionWire> {
    fn text(self) -> Option<String> {
        fn value(either: Either<ValueWire>) -> Option<String> {
            match either {
                Either::Object(it) => it.value.0,
                Either::Word(word) => Some(word),
                Either::Nothing => None,
            }
        }
        match self {
            Self::Object(it) => value(it.plain).or_else(|| value(it.view)),
            Self::Word(word) => Some(word),
            Self::Nothing => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RefWire {
    id: Name,
    title: Text,
    /// Only spaces have one.
    key: Name,
}

impl RefWire {
    fn content(self) -> Option<ContentRef> {
        let id = ContentId::told(self.id.0?)?;
        self.key.0.is_none().then(|| ContentRef {
            id,
            title: self.title.0.filter(|title| !title.is_empty()),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IconWire {
    path: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NameWire {
    name: ToKeep,
    label: ToKeep,
}

fn words(list: List<Either<NameWire>>) -> Option<Vec<ServerText>> {
    Some(
        list.0?
            .into_iter()
            .filter_map(|one| match one {
                Either::Object(it) => it.name.0.or(it.label.0),
                Either::Word(word) => Some(ServerText::new(word)),
                Either::Nothing => None,
            })
            .filter(|word| !word.is_empty())
            .collect(),
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MetadataWire {
    labels: List<Either<NameWire>>,
    media_type: Text,
    comment: ToKeep,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OperationWire {
    operation: Text,
    operation_key: Text,
    target_type: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PermissionWire {
    operation: Either<OperationWire>,
    target_type: Text,
    subjects: Maybe<SubjectsWire>,
    subject: Maybe<SubjectsWire>,
    anonymous_access: Truth,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubjectsWire {
    user: Everybody<Maybe<PersonWire>>,
    group: Everybody<Either<NameWire>>,
}

/// A list of people or of groups. Where its page says that there are more than it names, somebody without
/// a name is added: who is not told of is not nobody.
#[derive(Debug)]
struct Everybody<T>(Option<Vec<T>>);

impl<T> Default for Everybody<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>", default, rename_all = "camelCase")]
struct Counted<T> {
    results: BareList<T>,
    size: Number,
    total_count: Number,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self {
            results: BareList(None),
            size: Number::default(),
            total_count: Number::default(),
        }
    }
}

struct EverybodyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Everybody<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EverybodyVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for EverybodyVisitor<T> {
    type Value = Everybody<T>;
    nothing_from_scalars!(Everybody(None));
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        collect(seq).map(|all| Everybody(Some(all)))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let page = Counted::<T>::deserialize(value::MapAccessDeserializer::new(map))?;
        let told = page.size.count().max(page.total_count.count());
        let mut named = page.results.0;
        if let Some(named) = &mut named
            && told.is_some_and(|told| told > named.len() as u64)
        {
            named.push(T::default());
        }
        Ok(Everybody(named))
    }
}

impl SubjectsWire {
    /// Whether everybody that is listed has a name or a key.
    fn names_all(&self) -> bool {
        let mut people = self.user.0.iter().flatten();
        let mut groups = self.group.0.iter().flatten();
        people.all(|one| {
            let named = |it: &PersonWire| it.username.0.is_some() || it.user_key.0.is_some();
            one.0.as_ref().is_some_and(named)
        }) && groups.all(|one| match one {
            Either::Object(it) => it.name.0.is_some() || it.label.0.is_some(),
            Either::Word(word) => !scrub(word).is_empty(),
            Either::Nothing => false,
        })
    }
}

impl PermissionWire {
    fn permission(self) -> Option<Permission> {
        let (operation, target) = match self.operation {
            Either::Object(it) => (it.operation.0.or(it.operation_key.0)?, it.target_type.0),
            Either::Word(word) => (word, None),
            Either::Nothing => return None,
        };
        let mut subjects = Vec::new();
        for side in [self.subjects.0, self.subject.0].into_iter().flatten() {
            let people = side.user.0.unwrap_or_default();
            subjects.extend(
                people
                    .into_iter()
                    .filter_map(|one| one.0?.person())
                    .map(|person| person.username.unwrap_or(person.display_name)),
            );
            let groups = words(List(side.group.0)).unwrap_or_default();
            subjects.extend(groups.iter().map(ToString::to_string));
        }
        if self.anonymous_access.0 == Some(true) {
            subjects.push("Anonymous".to_owned());
        }
        Some(Permission {
            operation,
            target: target.or(self.target_type.0).unwrap_or_default(),
            subjects,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SpaceWire {
    id: Number,
    key: Name,
    name: ToKeep,
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    description: Either<DescriptionWire>,
    homepage: Maybe<RefWire>,
    icon: Maybe<IconWire>,
    creator: Maybe<PersonWire>,
    creation_date: When,
    last_modifier: Maybe<PersonWire>,
    last_modification_date: When,
    metadata: Maybe<MetadataWire>,
    retention_policy: Option<Box<RawValue>>,
    permissions: List<Maybe<PermissionWire>>,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
    #[serde(rename = "links")]
    old_links: Maybe<LinksWire>,
}

impl Row for Space {
    type Wire = SpaceWire;
}

impl From<SpaceWire> for Option<Space> {
    fn from(row: SpaceWire) -> Self {
        row.in_list()
    }
}

impl SpaceWire {
    /// As a row of a list: `more` only if the server said more than an address.
    fn in_list(self) -> Option<Space> {
        let mut space = self.space(None)?;
        if let Some(more) = &space.more {
            let address_alone = SpaceMore {
                webui: more.webui.clone(),
                icon_path: more.icon_path.clone(),
                ..SpaceMore::default()
            };
            if **more == address_alone {
                space.more = None;
            }
        }
        Some(space)
    }

    /// The space; `asked` is the key that was asked for, if the server repeats none.
    pub(super) fn space(self, asked: Option<&SpaceKey>) -> Option<Space> {
        let key = match self.key.0 {
            Some(key) => SpaceKey::new(key),
            None => asked?.clone(),
        };
        let kind = match self.kind.0.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("personal") => SpaceKind::Personal,
            Some(kind) if kind.eq_ignore_ascii_case("global") => SpaceKind::Global,
            _ if key.is_personal() => SpaceKind::Personal,
            _ => SpaceKind::Global,
        };
        let status = match self.status.0.as_deref() {
            Some(status) if status.eq_ignore_ascii_case("current") => Some(SpaceStatus::Current),
            Some(status) if status.eq_ignore_ascii_case("archived") => Some(SpaceStatus::Archived),
            _ => None,
        };
        let name = match self.name.0 {
            Some(name) if !name.is_empty() => name,
            _ => ServerText::new(key.as_str()),
        };
        let more = SpaceMore {
            description: self.description.text(),
            homepage: self.homepage.0.and_then(RefWire::content),
            creator: self.creator.0.and_then(PersonWire::person),
            created: self.creation_date.0,
            last_modifier: self.last_modifier.0.and_then(PersonWire::person),
            modified: self.last_modification_date.0,
            labels: self
                .metadata
                .0
                .and_then(|it| words(it.labels))
                .map(|labels| labels.iter().map(ToString::to_string).collect()),
            retention_policy: self.retention_policy.as_deref().and_then(one_line),
            permissions: self.permissions.0.map(|list| {
                list.into_iter()
                    .filter_map(|one| one.0?.permission())
                    .collect()
            }),
            icon_path: self.icon.0.and_then(|icon| icon.path.0),
            webui: [self.links.0, self.old_links.0]
                .into_iter()
                .flatten()
                .find_map(|links| links.webui.0),
        };
        Some(Space {
            id: self.id.count(),
            key,
            name,
            kind,
            status,
            more: (more != SpaceMore::default()).then(|| Box::new(more)),
        })
    }
}

/// An object of which only some releases have one, as "name: value, …"; its shape is documented
/// nowhere. References without content are nothing.
fn one_line(raw: &RawValue) -> Option<String> {
    fn walk(value: &serde_json::Value, name: &str, out: &mut Vec<String>) {
        use serde_json::Value;
        let text = match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    if !key.starts_with('_') && key != "idProperties" && key != "expanded" {
                        walk(inner, key, out);
                    }
                }
                return;
            }
            Value::Array(list) => {
                for inner in list {
                    walk(inner, name, out);
                }
                return;
            }
            Value::Null => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if name.is_empty() {
            out.push(text);
        } else {
            out.push(format!("{name}: {text}"));
        }
    }
    // Nested deeper than 128 levels: not a policy.
    let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
    let mut parts = Vec::new();
    match value.get("name") {
        // A policy with a name is told by it.
        Some(serde_json::Value::String(name)) => parts.push(name.clone()),
        _ => walk(&value, "", &mut parts),
    }
    (!parts.is_empty()).then(|| scrub(&parts.join(", ")).chars().take(500).collect())
}

// ---- Content ------------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VersionWire {
    number: Number,
    when: When,
    by: Maybe<PersonWire>,
    message: Text,
}

impl VersionWire {
    fn version(self) -> Option<Version> {
        let version = Version {
            number: self.number.count(),
            when: self.when.0,
            by: self.by.0.and_then(PersonWire::person),
            message: self.message.0.filter(|message| !message.is_empty()),
        };
        (version != Version::default()).then_some(version)
    }

    fn number(self) -> Option<u64> {
        self.number.count()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HistoryWire {
    created_by: Maybe<PersonWire>,
    created_date: When,
    last_updated: Maybe<VersionWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BodiesWire {
    storage: Maybe<BodyWire>,
    view: Maybe<BodyWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BodyWire {
    value: Raw,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExtensionsWire {
    position: Number,
    file_size: Number,
    media_type: Text,
    comment: ToKeep,
    location: Text,
    inline_properties: Maybe<InlineWire>,
    resolution: Either<ResolutionWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InlineWire {
    marker_ref: Name,
    original_selection: ToKeep,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ResolutionWire {
    status: Text,
}

impl ExtensionsWire {
    /// Where and how a comment stands, as far as it was told.
    fn remark(self) -> Option<Box<Remark>> {
        let inline = self.inline_properties.0.unwrap_or_default();
        let remark = Remark {
            location: self.location.0,
            resolution: match self.resolution {
                Either::Object(it) => it.status.0,
                Either::Word(word) => Some(scrub(&word).into_owned()),
                Either::Nothing => None,
            },
            marker: inline.marker_ref.0,
            selection: inline.original_selection.0,
        };
        (remark != Remark::default()).then(|| Box::new(remark))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ChildrenWire {
    page: Maybe<CountWire>,
    attachment: Maybe<AttachmentsWire>,
    comment: Maybe<CommentsWire>,
}

/// How many of each type a child map holds at most.
const CHILD_MAP: u64 = 25;

/// How much of a list a child map gave.
struct Given<'a> {
    count: u64,
    limit: &'a Number,
    totals: [&'a Number; 2],
    links: &'a Maybe<LinksWire>,
}

impl Given<'_> {
    /// Whether there can't be more than was sent.
    fn is_whole(&self) -> bool {
        let most = self.limit.count().unwrap_or(CHILD_MAP).min(CHILD_MAP);
        let is_all = |told: &Number| told.count().is_none_or(|told| told == self.count);
        let next = self.links.0.as_ref().and_then(|it| it.next.0.as_deref());
        let has_next = next.is_some_and(|next| !next.is_empty());
        !has_next && self.count < most && self.totals.iter().all(|it| is_all(it))
    }
}

/// The attachments of a child map.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AttachmentsWire {
    results: BareList<Maybe<AttachmentWire>>,
    limit: Number,
    size: Number,
    total_count: Number,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AttachmentWire {
    id: Name,
    title: ToKeep,
    version: Maybe<VersionWire>,
    extensions: Maybe<ExtensionsWire>,
    metadata: Maybe<MetadataWire>,
}

impl AttachmentsWire {
    /// All of them, or `None`: where there may be more than were sent, or one can't be named, it
    /// is not known which there are.
    fn whole(self) -> Option<Vec<AttachmentRef>> {
        let sent = self.results.0?;
        let given = Given {
            count: sent.len() as u64,
            limit: &self.limit,
            totals: [&self.size, &self.total_count],
            links: &self.links,
        };
        if !given.is_whole() {
            return None;
        }
        sent.into_iter().map(|one| one.0?.named()).collect()
    }
}

impl AttachmentWire {
    fn named(self) -> Option<AttachmentRef> {
        let extensions = self.extensions.0.unwrap_or_default();
        let media_type = self.metadata.0.and_then(|metadata| metadata.media_type.0);
        Some(AttachmentRef {
            id: ContentId::told(self.id.0?)?,
            title: self.title.0.unwrap_or_default(),
            version: self.version.0.and_then(VersionWire::number),
            file_size: extensions.file_size.count(),
            media_type: extensions.media_type.0.or(media_type),
        })
    }
}

/// The comments of a child map.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CommentsWire {
    results: BareList<Maybe<CommentWire>>,
    limit: Number,
    size: Number,
    total_count: Number,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CommentWire {
    id: Name,
    version: Maybe<VersionWire>,
    children: Maybe<ChildrenWire>,
}

impl CommentsWire {
    fn any(&self) -> Option<bool> {
        let rows = self.results.0.as_ref();
        let listed = rows.map(|rows| rows.iter().any(|row| row.0.is_some()));
        let counted = self.total_count.0.or(self.size.0).map(|size| size > 0);
        listed.or(counted)
    }

    /// All of them, and the answers to them; `None` unless every one of these was told.
    fn whole(self) -> Option<Vec<CommentRef>> {
        let sent = self.results.0?;
        let given = Given {
            count: sent.len() as u64,
            limit: &self.limit,
            totals: [&self.size, &self.total_count],
            links: &self.links,
        };
        if !given.is_whole() {
            return None;
        }
        let mut all = Vec::new();
        for one in sent {
            let one = one.0?;
            all.push(CommentRef {
                id: ContentId::told(one.id.0?)?,
                version: one.version.0.and_then(VersionWire::number),
            });
            all.append(&mut one.children.0?.comment.0?.whole()?);
        }
        Some(all)
    }
}

/// How many of something, without the things themselves.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CountWire {
    results: List<Maybe<SomeRow>>,
    size: Number,
    total_count: Number,
    /// Of `childTypes`.
    value: Truth,
}

/// A row of which it counts only that it is one: `null` is none.
#[derive(Debug, Deserialize)]
struct SomeRow {}

impl CountWire {
    fn any(&self) -> Option<bool> {
        let rows = self.results.0.as_ref();
        let listed = rows.map(|rows| rows.iter().any(|row| row.0.is_some()));
        let counted = self.total_count.0.or(self.size.0).map(|size| size > 0);
        self.value.0.or(listed).or(counted)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestrictionsWire {
    read: Maybe<RestrictionWire>,
    update: Maybe<RestrictionWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestrictionWire {
    restrictions: Maybe<SubjectsWire>,
}

impl RestrictionWire {
    /// Whether users and groups were both listed.
    fn is_whole(&self) -> bool {
        let subjects = self.restrictions.0.as_ref();
        subjects.is_some_and(|it| it.user.0.is_some() && it.group.0.is_some())
    }

    /// What is listed, if anybody is. Who has neither name nor key is kept as an empty text, for
    /// everybody else is kept out all the same.
    fn restriction(self, operation: &str) -> Option<Restriction> {
        let subjects = self.restrictions.0?;
        let people = subjects.user.0.unwrap_or_default().into_iter();
        let (mut users, mut user_keys): (Vec<String>, Vec<String>) = people
            .map(|person| person.0.unwrap_or_default())
            .map(|it| {
                (
                    it.username.0.unwrap_or_default(),
                    it.user_key.0.unwrap_or_default(),
                )
            })
            .unzip();
        let groups: Vec<ServerText> = subjects
            .group
            .0
            .unwrap_or_default()
            .into_iter()
            .map(|group| match group {
                Either::Object(it) => it.name.0.or(it.label.0).unwrap_or_default(),
                Either::Word(word) => ServerText::new(word),
                Either::Nothing => ServerText::default(),
            })
            .collect();
        if users.is_empty() && groups.is_empty() {
            return None;
        }
        if user_keys.iter().all(String::is_empty) {
            user_keys.clear();
        } else if users.iter().all(String::is_empty) {
            users.clear();
        }
        Some(Restriction {
            operation: operation.to_owned(),
            users,
            user_keys,
            groups,
        })
    }
}

impl RestrictionsWire {
    /// Whether all who are listed were named, for reading and for updating.
    fn is_whole(&self) -> bool {
        [&self.read, &self.update].into_iter().all(|side| {
            let listed = side.0.as_ref().filter(|side| side.is_whole());
            let subjects = listed.and_then(|side| side.restrictions.0.as_ref());
            subjects.is_some_and(SubjectsWire::names_all)
        })
    }

    /// `None` unless the server said who may read: somebody is listed, or it listed users and groups
    /// and there are none. A list that was not expanded is no statement that everybody may.
    fn list(self) -> Option<Vec<Restriction>> {
        let is_whole =
            |side: &Maybe<RestrictionWire>| side.0.as_ref().is_some_and(RestrictionWire::is_whole);
        let (read_is_whole, update_is_whole) = (is_whole(&self.read), is_whole(&self.update));
        let read = self.read.0.and_then(|side| side.restriction("read"));
        let update = self.update.0.and_then(|side| side.restriction("update"));
        let is_told = read.is_some() || (read_is_whole && (update_is_whole || update.is_some()));
        is_told.then(|| read.into_iter().chain(update).collect())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContentWire {
    id: Name,
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    title: ToKeep,
    space: Maybe<RefWire>,
    version: Maybe<VersionWire>,
    history: Maybe<HistoryWire>,
    ancestors: List<Maybe<RefWire>>,
    position: Number,
    extensions: Maybe<ExtensionsWire>,
    body: Maybe<BodiesWire>,
    children: Maybe<ChildrenWire>,
    child_types: Maybe<ChildrenWire>,
    metadata: Maybe<MetadataWire>,
    restrictions: Maybe<RestrictionsWire>,
    container: Maybe<RefWire>,
    #[serde(rename = "_links")]
    links: Maybe<LinksWire>,
}

impl Row for Content {
    type Wire = ContentWire;
}

impl From<ContentWire> for Option<Content> {
    fn from(row: ContentWire) -> Self {
        row.in_list()
    }
}

impl ContentWire {
    /// As a row of a list: `more` only if the server said more than an address. Restrictions count
    /// only if all were told: what was told in part can be asked for alone.
    fn in_list(mut self) -> Option<Content> {
        if !self
            .restrictions
            .0
            .as_ref()
            .is_some_and(RestrictionsWire::is_whole)
        {
            self.restrictions = Maybe(None);
        }
        let mut content = self.content(None)?;
        if let Some(more) = &content.more {
            let address_alone = ContentMore {
                webui: more.webui.clone(),
                ..ContentMore::default()
            };
            if **more == address_alone {
                content.more = None;
            }
        }
        Some(content)
    }

    /// The content; `asked` is the id that was asked for, if the server repeats none.
    pub(super) fn content(self, asked: Option<&ContentId>) -> Option<Content> {
        let id = match self.id.0 {
            Some(id) => ContentId::told(id)?,
            None => asked?.clone(),
        };
        let kind = ContentKind::named(self.kind.0.as_deref().unwrap_or("page"));
        let status = self
            .status
            .0
            .and_then(|status| match status.to_ascii_lowercase().as_str() {
                "current" => Some(ContentStatus::Current),
                "trashed" => Some(ContentStatus::Trashed),
                "draft" => Some(ContentStatus::Draft),
                "historical" => Some(ContentStatus::Historical),
                _ => None,
            });
        let mut extensions = self.extensions.0.unwrap_or_default();
        let metadata = self.metadata.0.unwrap_or_default();
        let history = self.history.0.unwrap_or_default();
        let links = self.links.0.unwrap_or_default();
        let body = self.body.0.unwrap_or_default();
        let children = self.children.0.unwrap_or_default();
        let is_file = kind == ContentKind::Attachment;
        let is_comment = kind == ContentKind::Comment;
        let (file_note, position) = (extensions.comment.0.take(), extensions.position.0);
        let (file_size, media_type) = (
            extensions.file_size.count(),
            extensions.media_type.0.take().or(metadata.media_type.0),
        );
        let has_comments = children.comment.0.as_ref().and_then(CommentsWire::any);
        let more = ContentMore {
            created_by: history.created_by.0.and_then(PersonWire::person),
            created: history.created_date.0,
            body_storage: body.storage.0.and_then(|body| body.value.0),
            body_view: body.view.0.and_then(|body| body.value.0),
            labels: words(metadata.labels),
            restrictions: self.restrictions.0.and_then(RestrictionsWire::list),
            webui: links.webui.0,
            download: links.download.0.filter(|_| is_file),
            file_size: file_size.filter(|_| is_file),
            media_type: media_type.filter(|_| is_file),
            file_note: file_note
                .or(metadata.comment.0)
                .filter(|note| is_file && !note.is_empty()),
            remark: extensions.remark().filter(|_| is_comment),
            container: self.container.0.and_then(RefWire::content),
            attachments: children.attachment.0.and_then(AttachmentsWire::whole),
            has_comments,
            comments: children.comment.0.and_then(CommentsWire::whole),
        };
        Some(Content {
            ancestors: self.ancestors.0.map(|list| lineage(&id, list)),
            id,
            kind,
            status,
            title: self.title.0.unwrap_or_default(),
            has_children: children
                .page
                .0
                .and_then(|page| page.any())
                .or_else(|| self.child_types.0?.page.0?.any()),
            space: self.space.0.and_then(|it| it.key.0).map(SpaceKey::new),
            version: self
                .version
                .0
                .and_then(VersionWire::version)
                .or_else(|| history.last_updated.0?.version()),
            position: self
                .position
                .0
                .or(position)
                .filter(|&position| position >= 0),
            more: (more != ContentMore::default()).then(|| Box::new(more)),
        })
    }
}

/// Ancestors, outermost first. A line that comes back to itself, or to the content, is cut where
/// it does: what is shown as a tree must not turn in a circle.
fn lineage(of: &ContentId, list: Vec<Maybe<RefWire>>) -> Vec<ContentRef> {
    let mut seen = HashSet::from([of.clone()]);
    list.into_iter()
        .filter_map(|one| one.0?.content())
        .take(DEEPEST)
        .take_while(|ancestor| seen.insert(ancestor.id.clone()))
        .collect()
}

// ---- The rest -----------------------------------------------------------------------------

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TaskPointerWire {
    id: Name,
    links: Maybe<LinksWire>,
    #[serde(rename = "_links")]
    new_links: Maybe<LinksWire>,
}

impl TaskPointerWire {
    /// The id, also from a link such as `…/rest/api/longtask/<id>` or `…/<id>/status`.
    pub(super) fn id(self) -> Option<LongTaskId> {
        let from_link = |links: Maybe<LinksWire>| {
            let link = links.0?.status.0?;
            let (_, rest) = link.rsplit_once("/longtask/")?;
            let id = rest.split(['/', '?', '#']).next()?;
            (!id.is_empty()).then(|| identity(id).into_owned())
        };
        self.id
            .0
            .or_else(|| from_link(self.links))
            .or_else(|| from_link(self.new_links))
            .filter(|id| is_id(id))
            .map(LongTaskId)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MessageWire {
    translation: Text,
    key: Text,
    args: List<Text>,
}

impl MessageWire {
    fn text(self) -> Option<String> {
        let said = |text: Text| text.0.filter(|text| !text.trim().is_empty());
        said(self.translation)
            .or_else(|| {
                let args: Vec<String> = self.args.0?.into_iter().filter_map(|arg| arg.0).collect();
                (!args.is_empty()).then(|| args.join(", "))
            })
            .or_else(|| said(self.key))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LongTaskWire {
    id: Name,
    name: Either<MessageWire>,
    elapsed_time: Number,
    percentage_complete: Number,
    successful: Truth,
    messages: List<Either<MessageWire>>,
}

impl LongTaskWire {
    pub(super) fn task(self, asked: &LongTaskId) -> LongTask {
        fn text(either: Either<MessageWire>) -> Option<String> {
            match either {
                Either::Object(it) => it.text(),
                Either::Word(word) => Some(scrub(&word).into_owned()),
                Either::Nothing => None,
            }
        }
        LongTask {
            id: self.id.0.map_or_else(|| asked.clone(), LongTaskId),
            name: text(self.name),
            elapsed_ms: self.elapsed_time.count(),
            percentage: self.percentage_complete.0.unwrap_or(0).clamp(0, 100) as u8,
            successful: self.successful.0.unwrap_or(false),
            messages: self
                .messages
                .0
                .unwrap_or_default()
                .into_iter()
                .filter_map(text)
                .map(|text| in_words(&text))
                .collect(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ServerWire {
    type_id: Text,
    version: Text,
    build_number: Text,
    base_url: Text,
    url: Text,
}

impl ServerWire {
    /// The name of the product if it is another one, such as `jira`.
    pub(super) fn stranger(&self) -> Option<&str> {
        self.type_id
            .0
            .as_deref()
            .filter(|kind| !kind.eq_ignore_ascii_case("confluence"))
    }

    pub(super) fn info(self) -> ServerInfo {
        ServerInfo {
            version: self.version.0,
            build: self.build_number.0,
            base_url: self.base_url.0.or(self.url.0),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorItemWire {
    message: Either<MessageWire>,
    translation: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDataWire {
    errors: List<Either<ErrorItemWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorWire {
    data: Maybe<ErrorDataWire>,
    message: Text,
    reason: Text,
}

impl ErrorWire {
    /// All of `data.errors`, then `message`, then `reason`: the first that says something is the
    /// one to show. The second value holds all of `data.errors`.
    pub(super) fn said(self) -> (Option<String>, Vec<String>) {
        let details: Vec<String> = self
            .data
            .0
            .and_then(|data| data.errors.0)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| match item {
                Either::Object(item) => match item.message {
                    Either::Object(message) => message.text(),
                    Either::Word(word) => Some(scrub(&word).into_owned()),
                    Either::Nothing => item.translation.0,
                },
                Either::Word(word) => Some(scrub(&word).into_owned()),
                Either::Nothing => None,
            })
            .map(|text| in_words(&text))
            .filter(|text| !text.is_empty())
            .collect();
        let text = |text: Text| {
            text.0
                .map(|text| in_words(&text))
                .filter(|text| !text.is_empty())
        };
        let message = if details.is_empty() {
            text(self.message).or_else(|| text(self.reason))
        } else {
            Some(details.join(" "))
        };
        (message, details)
    }
}

/// A message of the server for a person: without the names of Java classes before it, without the
/// packages of those in it, and with a capital letter. Empty if it is nothing but such a name.
pub(super) fn in_words(text: &str) -> String {
    let text = without_class(text);
    if is_class(text.trim_end_matches('.')) {
        return String::new();
    }
    let text = without_packages(text);
    let first = text.split(' ').next().unwrap_or_default();
    let is_word = first.len() < text.len() && first.bytes().all(|b| b.is_ascii_lowercase());
    match text.get(..1) {
        Some(letter) if is_word => format!("{}{}", letter.to_ascii_uppercase(), &text[1..]),
        _ => text,
    }
}

/// Whether this is the whole name of a Java class and nothing else.
fn is_class(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.') && !text.contains(' ') && is_camel(last)
}

/// Whether this begins as names of classes do: not all of it is in capitals.
fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains(|c: char| c.is_lowercase())
}

/// `com.acme.user.User.getKey()` is `User.getKey()` to a person. Addresses stay as they are.
fn without_packages(text: &str) -> String {
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$' | '/' | '@' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find(is_part) {
        let (before, word) = rest.split_at(from);
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out.push_str(before);
        out.push_str(class_of(word));
        rest = after;
    }
    out + rest
}

/// A name without its package, if it is one of a class in a package of two parts or more.
fn class_of(name: &str) -> &str {
    if name.contains(['/', '@', '-']) {
        return name;
    }
    let mut at = 0;
    for (parts, part) in name.split('.').enumerate() {
        if is_camel(part) && parts >= 2 {
            return &name[at..];
        }
        let is_package = part.starts_with(|c: char| c.is_ascii_lowercase());
        if !is_package || part.contains(|c: char| c.is_ascii_uppercase()) {
            return name;
        }
        at += part.len() + 1;
    }
    name
}

/// A message without the names of Java classes before it.
fn without_class(mut text: &str) -> &str {
    while let Some((head, rest)) = text.split_once(": ") {
        let class = head.contains('.')
            && !head.contains(' ')
            && head
                .rsplit('.')
                .next()
                .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
        if !class {
            break;
        }
        text = rest;
    }
    text.trim()
}

/// A JSON text that stands alone (`"READ_WRITE"`).
pub(super) type Word = Text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_three_forms_and_name_the_same_instant() {
        let at = |text: &str| moment(text).map(|m| m.0.to_string());
        let expected = Some("2024-10-09T00:51:59.233Z".to_owned());
        assert_eq!(at("2024-10-09T11:51:59.233+11:00"), expected);
        assert_eq!(at("2024-10-09T11:51:59.233+1100"), expected);
        assert_eq!(at("2024-10-09T00:51:59.233Z"), expected);
        assert_eq!(at("1728435119233"), expected);
        assert_eq!(at("yesterday"), None);
        assert_eq!(at(""), None);
        assert_eq!(at("ä+é00"), None);
        assert_eq!(at("9223372036854775807"), None);
    }

    #[test]
    fn class_names_are_taken_off_and_nothing_else() {
        assert_eq!(
            without_class(
                "com.sun.jersey.api.ParamException$PathParamException: com.acme.BadRequestException: Can't parse: x"
            ),
            "Can't parse: x"
        );
        assert_eq!(
            without_class("No space with key : x"),
            "No space with key : x"
        );
        assert_eq!(without_class("see a.b.c: d"), "see a.b.c: d");
    }

    #[test]
    fn a_refusal_is_in_words_and_names_no_java_package() {
        for (said, told) in [
            (
                "java.lang.NullPointerException: Cannot invoke \"com.acme.user.User.getKey()\" because it is null",
                "Cannot invoke \"User.getKey()\" because it is null",
            ),
            (
                "com.acme.SqlException: org.acme.db.Pool$Lease timed out",
                "Pool$Lease timed out",
            ),
            ("java.lang.StackOverflowError", ""),
            ("not permitted", "Not permitted"),
            ("wiki.example.com is in use", "wiki.example.com is in use"),
            (
                "see https://wiki.example.com/a.b.Cde",
                "See https://wiki.example.com/a.b.Cde",
            ),
            ("ask j.doe.Smith@example.com", "Ask j.doe.Smith@example.com"),
            ("No space with key : x.y.Z", "No space with key : x.y.Z"),
        ] {
            assert_eq!(in_words(said), told, "{said}");
        }
    }

    #[test]
    fn names_that_look_alike_stay_apart() {
        assert_eq!(identity("ENG"), "ENG");
        assert_eq!(identity("~jürgen@example.org"), "~jürgen@example.org");
        let hidden = identity("EN\u{200b}G");
        assert_ne!(hidden, "ENG");
        assert_eq!(scrub(&hidden), hidden);
        assert_ne!(identity("EN\u{202e}G"), hidden);
    }

    #[test]
    fn numbers_are_clamped() {
        assert_eq!(whole("12"), Some(12));
        assert_eq!(whole("99999999999999999999999"), Some(i64::MAX));
        assert_eq!(whole("1e400"), Some(i64::MAX));
        assert_eq!(whole("none"), None);
        assert_eq!(whole("NaN"), None);
    }
}
