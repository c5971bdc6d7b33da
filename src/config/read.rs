//! Walks a configuration and notes everything that is wrong with it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum as _;
use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::problem::{Problem, Quote, nearest};
use super::settings::{
    Auth, ClientCertificate, Config, KeyBinding, PROFILE_KEYS, Profile, TOP_KEYS,
};
use crate::app::action::Context;
use crate::app::keymap::{Keymap, KeymapError, Keys, Rebinding};
use crate::cli::LogLevel;
use crate::confluence::Endpoint;
use crate::secret::SecretSource;
use crate::secret::program::SecretVariable;
use crate::ui::theme::PROFILE_COLORS;

/// Reads a configuration; see [`super::parse`].
pub(super) fn config(
    text: &str,
    folder: &Path,
    private: Result<(), String>,
) -> Result<Config, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        folder,
        private,
        problems: errors
            .into_iter()
            .map(|error| Problem {
                span: error.span().unwrap_or(0..0),
                message: format!("This is not TOML: {}.", error.message()),
                hint: None,
                // What a broken line was to say is not known.
                quote: Quote::Hide,
            })
            .collect(),
    };
    let config = reader.top(table.get_ref());
    let mut problems = reader.problems;
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|problem| problem.span.start);
    // A reader that stumbles at each of a thousand brackets says so once.
    problems.dedup_by(|a, b| a.span == b.span && a.message == b.message);
    let secrets = secrets(table.get_ref(), text);
    for problem in &mut problems {
        if let Quote::Without(hidden) = &mut problem.quote {
            *hidden = on_line(&secrets, text, problem.span.start);
        }
    }
    Err(problems)
}

/// Where in the text something stands that may be a secret, in its order: values of settings that
/// hold one, or may have been meant to, and whatever has the sign that ends a password in an address.
fn secrets(top: &DeTable<'_>, text: &str) -> Vec<Range<usize>> {
    fn below(table: &DeTable<'_>, text: &str, found: &mut Vec<Range<usize>>) {
        for (key, value) in table {
            one(key.get_ref(), value, text, found);
        }
    }
    fn one(name: &str, value: &Value<'_>, text: &str, found: &mut Vec<Range<usize>>) {
        let span = value.span();
        match value.get_ref().as_table() {
            Some(table) => below(table, text, found),
            None if may_be_secret(name) || text.get(span.clone()).is_none_or(has_at) => {
                found.push(span);
            }
            None => {}
        }
    }
    fn has_at(text: &str) -> bool {
        text.contains('@')
    }
    let mut found = Vec::new();
    for (key, value) in top {
        match (&**key.get_ref(), value.get_ref().as_table()) {
            // Verbs and their keys, of which one is an @.
            ("keys", Some(_)) => {}
            ("profiles", Some(profiles)) => {
                for value in profiles.values() {
                    match value.get_ref().as_table() {
                        Some(profile) => below(profile, text, &mut found),
                        None => found.push(value.span()),
                    }
                }
            }
            (name, _) => one(name, value, text, &mut found),
        }
    }
    found.sort_by_key(|span| span.start);
    found
}

/// Those that reach into the line of the byte `at`.
fn on_line(secrets: &[Range<usize>], text: &str, at: usize) -> Vec<Range<usize>> {
    let at = text.floor_char_boundary(at);
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let first = secrets.partition_point(|secret| secret.end <= start);
    secrets[first..]
        .iter()
        .take_while(|secret| secret.start < end)
        .cloned()
        .collect()
}

/// Until it is known where secrets stand.
const SHOWN: Quote = Quote::Without(Vec::new());

type Value<'i> = Spanned<DeValue<'i>>;
type Name<'i> = Spanned<toml::de::DeString<'i>>;

struct Reader<'a> {
    folder: &'a Path,
    private: Result<(), String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Range<usize>, message: String, hint: Option<String>) {
        self.problems.push(Problem {
            span,
            message,
            hint,
            quote: SHOWN,
        });
    }

    fn top(&mut self, table: &DeTable<'_>) -> Config {
        let mut config = Config::default();
        let mut default_profile = None;
        for (key, value) in table {
            match &**key.get_ref() {
                "default_profile" => {
                    default_profile = self.string(key, value).map(|name| (value.span(), name));
                }
                "theme" => self.set(&mut config.theme, |r| r.string(key, value)),
                "ascii" => self.set(&mut config.ascii, |r| r.boolean(key, value)),
                "mouse" => self.set(&mut config.mouse, |r| r.boolean(key, value)),
                "keyboard_protocol" => {
                    self.set(&mut config.keyboard_protocol, |r| r.boolean(key, value));
                }
                "log" => self.set(&mut config.log, |r| r.level(key, value)),
                "keys" => (config.keys, config.keymap) = self.keys(key, value),
                "profiles" => {
                    for (name, value) in self.table(key, value).into_iter().flatten() {
                        self.profile_name(name);
                        if let Some(profile) = self.profile(name, value) {
                            config.profiles.insert(name.get_ref().to_string(), profile);
                        }
                    }
                }
                _ => self.unknown(key, "at the top level", TOP_KEYS),
            }
        }
        // A profile with problems is there, so it is no problem to name it.
        let profiles = table
            .get("profiles")
            .and_then(|value| value.get_ref().as_table());
        let names: Vec<&str> = profiles
            .iter()
            .flat_map(|table| table.keys())
            .map(|key| &**key.get_ref())
            .collect();
        if let Some((span, name)) = default_profile {
            if !names.contains(&name.as_str()) {
                let hint = nearest(&name, names.iter().copied())
                    .map(|near| format!("Did you mean `{near}`?"));
                self.wrong(span, format!("There is no profile `{name}`."), hint);
            }
            config.default_profile = Some(name);
        }
        config
    }

    fn keys(&mut self, key: &Name<'_>, value: &Value<'_>) -> (Vec<KeyBinding>, Keymap) {
        let mut bindings = Vec::new();
        let mut changes: Vec<Rebinding> = Vec::new();
        let mut places: Vec<KeyPlace> = Vec::new();
        for (context, value) in self.table(key, value).into_iter().flatten() {
            let name = context.get_ref();
            let known = Context::ALL.into_iter().find(|c| *c.name() == **name);
            if known.is_none() {
                let names = Context::ALL.map(Context::name);
                let hint = match nearest(name, names) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => format!("There are {}.", names.join(", ")),
                };
                let message = format!("There is no place `{name}` that has keys.");
                self.wrong(context.span(), message, Some(hint));
            }
            for (verb, value) in self.table(context, value).into_iter().flatten() {
                // One key may stand without its list.
                let keys = match value.get_ref().as_str() {
                    Some(one) => Some(vec![one.to_owned()]),
                    None => self.strings(verb, value),
                };
                let (Some(keys), Some(known)) = (keys, known) else {
                    continue;
                };
                let spans = match value.get_ref().as_array() {
                    Some(array) => array.iter().map(Spanned::span).collect(),
                    None => vec![value.span()],
                };
                places.push(KeyPlace {
                    verb: verb.span(),
                    keys: spans,
                });
                changes.push(Rebinding {
                    context: known,
                    verb: verb.get_ref().to_string(),
                    keys: keys.clone(),
                });
                bindings.push(KeyBinding {
                    context: known.name().to_owned(),
                    verb: verb.get_ref().to_string(),
                    keys,
                });
            }
        }
        let keymap = Keymap::with(&changes).unwrap_or_else(|errors| {
            let mut told = Vec::new();
            for error in errors {
                let span = key_span(&error, &changes, &places, &told);
                told.push(span.clone());
                self.wrong(span, error.to_string(), None);
            }
            Keymap::default()
        });
        (bindings, keymap)
    }

    fn profile_name(&mut self, name: &Name<'_>) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let text = name.get_ref();
        if text.is_empty() || text.len() > 64 || text.starts_with('.') || !text.chars().all(plain) {
            self.wrong(
                name.span(),
                format!("`{text}` can't be the name of a profile."),
                Some("Use up to 64 letters, digits, dots, hyphens and underscores.".to_owned()),
            );
        }
    }

    fn profile(&mut self, name: &Name<'_>, value: &Value<'_>) -> Option<Profile> {
        let table = self.table(name, value)?;
        // The rest is read even when there is no usable address, for its own problems.
        let placeholder = Endpoint::parse("https://confluence.invalid").ok()?;
        let mut profile = Profile::new(placeholder);
        let mut url = None;
        let mut sign_in = SignIn::default();
        let (mut certificate, mut certificate_key) = (None, None);
        for (key, value) in table {
            match &**key.get_ref() {
                "url" => {
                    if let Some(text) = self.string(key, value) {
                        match Endpoint::parse(&text) {
                            Ok(base) => url = Some((value.span(), base)),
                            Err(error) => self.problems.push(Problem {
                                span: value.span(),
                                hint: Some(error.hint()).filter(|hint| !hint.is_empty()),
                                message: error.message,
                                quote: SHOWN,
                            }),
                        }
                    }
                }
                "token_command" => sign_in.token(key, self.command(key, value)),
                "token_env" => sign_in.token(key, self.variable(key, value)),
                "token_file" => sign_in.token(key, self.path(key, value).map(SecretSource::File)),
                "token" => sign_in.token(key, self.inline(key, value)),
                "user" => sign_in.user = self.string(key, value).map(|user| (key.span(), user)),
                "password_command" => sign_in.password(key, self.command(key, value)),
                "password_env" => sign_in.password(key, self.variable(key, value)),
                "password_file" => {
                    sign_in.password(key, self.path(key, value).map(SecretSource::File));
                }
                "password" => sign_in.password(key, self.inline(key, value)),
                "ca_file" => profile.ca_file = self.path(key, value),
                "client_cert" => certificate = self.path(key, value),
                "client_key" => {
                    certificate_key = self.path(key, value).map(|path| (key.span(), path));
                }
                "proxy" => profile.proxy = self.proxy(key, value),
                "no_proxy" => self.set(&mut profile.no_proxy, |r| r.strings(key, value)),
                "insecure" => self.set(&mut profile.insecure, |r| r.boolean(key, value)),
                "allow_http" => self.set(&mut profile.allow_http, |r| r.boolean(key, value)),
                "timeout" => self.set(&mut profile.timeout, |r| {
                    r.integer(key, value, 1..=3600)
                        .map(|seconds| Duration::from_secs(seconds.into()))
                }),
                "concurrency" => {
                    self.set(&mut profile.concurrency, |r| r.integer(key, value, 1..=64));
                }
                "read_only" => self.set(&mut profile.read_only, |r| r.boolean(key, value)),
                "protected" => self.set(&mut profile.protected, |r| r.boolean(key, value)),
                "color" => profile.color = self.one_of(key, value, &PROFILE_COLORS),
                _ => self.unknown(key, "in a profile", PROFILE_KEYS),
            }
        }
        profile.auth = self.auth(sign_in);
        profile.client_certificate = match (certificate, certificate_key) {
            (Some(certificate), key) => Some(ClientCertificate {
                certificate,
                key: key.map(|(_, path)| path),
            }),
            (None, Some((span, _))) => {
                self.wrong(
                    span,
                    "A `client_key` needs its `client_cert`.".to_owned(),
                    None,
                );
                None
            }
            (None, None) => None,
        };
        match url {
            Some((span, base)) => {
                if base.is_plain_http() && !profile.allow_http && !base.is_loopback() {
                    self.wrong(
                        span,
                        "Everybody on the way could read the secret over plain HTTP.".to_owned(),
                        Some("Use https, or set `allow_http = true` to accept that.".to_owned()),
                    );
                }
                profile.url = base;
            }
            None if !table.contains_key("url") => {
                let message = format!("The profile `{}` has no `url`.", name.get_ref());
                self.wrong(name.span(), message, None);
            }
            None => {}
        }
        Some(profile)
    }

    fn auth(&mut self, sign_in: SignIn) -> Auth {
        let SignIn {
            mut tokens,
            user,
            mut passwords,
        } = sign_in;
        for many in [&tokens, &passwords] {
            for (span, _) in many.iter().skip(1) {
                self.wrong(
                    span.clone(),
                    "The secret has a second source.".to_owned(),
                    Some("Keep one of them.".to_owned()),
                );
            }
        }
        if let (Some((span, _)), false) = (tokens.first(), user.is_none() && passwords.is_empty()) {
            self.wrong(
                span.clone(),
                "There is a token as well as a user and password.".to_owned(),
                Some("Keep one way to sign in.".to_owned()),
            );
        }
        match (user, passwords.is_empty(), tokens.pop()) {
            (None, true, Some((_, Some(token)))) => Auth::Token(token),
            (Some((span, user)), _, None) => match passwords.pop() {
                Some((_, Some(password))) => Auth::Basic { user, password },
                Some((_, None)) => Auth::Anonymous,
                None => {
                    self.wrong(
                        span,
                        "A `user` needs a password.".to_owned(),
                        Some(
                            "Add `password_command`, `password_env` or `password_file`.".to_owned(),
                        ),
                    );
                    Auth::Anonymous
                }
            },
            (None, false, None) => {
                for (span, _) in passwords {
                    self.wrong(span, "A password needs a `user`.".to_owned(), None);
                }
                Auth::Anonymous
            }
            _ => Auth::Anonymous,
        }
    }

    // What a value has to be.

    fn set<T>(&mut self, place: &mut T, read: impl FnOnce(&mut Self) -> Option<T>) {
        if let Some(value) = read(self) {
            *place = value;
        }
    }

    fn wrong_type(&mut self, key: &Name<'_>, value: &Value<'_>, wanted: &str) {
        let (key, found) = (key.get_ref(), value.get_ref().type_str());
        self.problems.push(Problem {
            span: value.span(),
            message: format!("`{key}` is {wanted}, and this is of type {found}."),
            hint: None,
            quote: SHOWN,
        });
    }

    fn table<'t, 'i>(&mut self, key: &Name<'_>, value: &'t Value<'i>) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    fn string(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some("") => {
                self.wrong(value.span(), format!("`{}` is empty.", key.get_ref()), None);
                None
            }
            Some(text) => Some(text.to_owned()),
            None => {
                self.wrong_type(key, value, "a string in quotation marks");
                None
            }
        }
    }

    fn boolean(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(key, value, "true or false, without quotation marks");
        }
        found
    }

    fn integer(
        &mut self,
        key: &Name<'_>,
        value: &Value<'_>,
        range: std::ops::RangeInclusive<u16>,
    ) -> Option<u16> {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(key, value, &wanted);
            return None;
        };
        let number = u16::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .filter(|number| range.contains(number));
        if number.is_none() {
            self.wrong(
                value.span(),
                format!("`{}` is {wanted}.", key.get_ref()),
                None,
            );
        }
        number
    }

    fn strings(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<Vec<String>> {
        let strings = value.get_ref().as_array().and_then(|array| {
            array
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect()
        });
        if strings.is_none() {
            self.wrong_type(key, value, "a list of strings");
        }
        strings
    }

    fn one_of(&mut self, key: &Name<'_>, value: &Value<'_>, names: &[&str]) -> Option<String> {
        let text = self.string(key, value)?;
        if names.contains(&text.as_str()) {
            return Some(text);
        }
        let hint = match nearest(&text, names.iter().copied()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("It can be {}.", names.join(", ")),
        };
        self.wrong(
            value.span(),
            format!("`{}` can't be `{text}`.", key.get_ref()),
            Some(hint),
        );
        None
    }

    fn level(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<LogLevel> {
        let names: Vec<&str> = LogLevel::value_variants()
            .iter()
            .map(|level| level.name())
            .collect();
        let name = self.one_of(key, value, &names)?;
        LogLevel::from_str(&name, false).ok()
    }

    fn path(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<PathBuf> {
        let text = self.string(key, value)?;
        match text.strip_prefix("~/") {
            Some(rest) => {
                let home = directories::BaseDirs::new()?.home_dir().to_owned();
                Some(home.join(rest))
            }
            None => Some(self.folder.join(text)),
        }
    }

    fn proxy(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<SecretString> {
        let text = self.string(key, value)?;
        let known = Url::parse(&text).is_ok_and(|url| {
            url.has_host() && matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
        });
        if known {
            return Some(SecretString::from(text));
        }
        self.problems.push(Problem {
            span: value.span(),
            message: "This is not the address of a proxy.".to_owned(),
            hint: Some("Write it as http://proxy.example.com:3128 or socks5h://….".to_owned()),
            quote: SHOWN,
        });
        None
    }

    fn command(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<SecretSource> {
        if value.get_ref().is_str() {
            self.wrong(
                value.span(),
                format!(
                    "`{}` is a list: the program, then its arguments.",
                    key.get_ref()
                ),
                Some("Such as [\"pass\", \"show\", \"wiki\"]; no shell is involved.".to_owned()),
            );
            return None;
        }
        let words = self.strings(key, value)?;
        if words.first().is_none_or(String::is_empty) {
            self.wrong(
                value.span(),
                format!("`{}` names no program.", key.get_ref()),
                None,
            );
            return None;
        }
        Some(SecretSource::Command(words))
    }

    fn variable(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<SecretSource> {
        let name = self.string(key, value)?;
        Some(SecretSource::Env(SecretVariable::named(&name)))
    }

    fn inline(&mut self, key: &Name<'_>, value: &Value<'_>) -> Option<SecretSource> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a string in quotation marks");
            return None;
        };
        if let Err(why) = &self.private {
            let name = key.get_ref();
            self.problems.push(Problem {
                span: key.span(),
                message: format!("`{name}` can't stand here: {why}."),
                hint: Some(format!(
                    "Use `{name}_command` or `{name}_file`, or make the configuration yours alone with chmod 600."
                )),
                quote: SHOWN,
            });
            return None;
        }
        Some(SecretSource::Inline(SecretString::from(text)))
    }

    fn unknown(&mut self, key: &Name<'_>, place: &str, known: &[(&str, Option<&str>)]) {
        let name = key.get_ref();
        let hint = nearest(name, known.iter().map(|(name, _)| *name))
            .map(|near| format!("Did you mean `{near}`?"));
        self.problems.push(Problem {
            span: key.span(),
            message: format!("There is no setting `{name}` {place}."),
            hint,
            quote: SHOWN,
        });
    }
}

/// Where a change of keys stands.
struct KeyPlace {
    verb: Range<usize>,
    /// Each of its keys.
    keys: Vec<Range<usize>>,
}

/// What of the file a problem with keys is about. What was told already is not told again.
fn key_span(
    error: &KeymapError,
    changes: &[Rebinding],
    places: &[KeyPlace],
    told: &[Range<usize>],
) -> Range<usize> {
    let of = |context: Context, verbs: &[&str], is_meant: &dyn Fn(&str) -> bool| {
        let here = changes
            .iter()
            .zip(places)
            .filter(|(change, _)| change.context == context)
            .filter(|(change, _)| verbs.contains(&change.verb.as_str()));
        let keys = here.clone().flat_map(|(change, place)| {
            let keys = change.keys.iter().zip(&place.keys);
            keys.filter(|(key, _)| is_meant(key)).map(|(_, span)| span)
        });
        let verbs = here.map(|(_, place)| &place.verb);
        keys.chain(verbs)
            .find(|span| !told.contains(span))
            .cloned()
            .unwrap_or(0..0)
    };
    match error {
        KeymapError::Verb { context, verb, .. } => of(*context, &[verb], &|_| false),
        KeymapError::Key { context, verb, .. } => {
            of(*context, &[verb], &|key| key.parse::<Keys>().is_err())
        }
        KeymapError::Conflict {
            context,
            keys,
            one,
            other,
        } => of(*context, &[other, one], &|key| {
            key.parse::<Keys>()
                .is_ok_and(|parsed| parsed.to_string() == *keys)
        }),
        KeymapError::Prefix {
            context,
            verb,
            keys,
            place,
            other,
            others,
        } => {
            let is = |key: &str, keys: &str| {
                key.parse::<Keys>()
                    .is_ok_and(|parsed| parsed.to_string() == keys)
            };
            // One of them is in the file; the other may be a default.
            let inner = of(*context, &[verb], &|key| is(key, keys));
            if inner.is_empty() {
                of(*place, &[other], &|key| is(key, others))
            } else {
                inner
            }
        }
    }
}

/// Whether the value of a setting may be a secret: one that is known to be, and one that nobody
/// knows unless it is near to a harmless one.
fn may_be_secret(name: &str) -> bool {
    let known = || TOP_KEYS.iter().chain(PROFILE_KEYS).map(|(name, _)| *name);
    let meant = known().find(|known| *known == name).or_else(|| {
        let written = name.to_ascii_lowercase();
        let secret = ["token", "pass", "secret", "pwd", "key", "auth"];
        let source = ["_command", "_env", "_file"];
        if secret.iter().any(|word| written.contains(word))
            && !source.iter().any(|end| written.ends_with(end))
        {
            return None;
        }
        nearest(name, known())
    });
    matches!(meant, None | Some("token" | "password"))
}

/// What was found about the sign-in, each with its place. A source that was no good is there
/// without a value.
#[derive(Default)]
struct SignIn {
    tokens: Vec<(Range<usize>, Option<SecretSource>)>,
    user: Option<(Range<usize>, String)>,
    passwords: Vec<(Range<usize>, Option<SecretSource>)>,
}

impl SignIn {
    fn token(&mut self, key: &Name<'_>, source: Option<SecretSource>) {
        self.tokens.push((key.span(), source));
    }

    fn password(&mut self, key: &Name<'_>, source: Option<SecretSource>) {
        self.passwords.push((key.span(), source));
    }
}
