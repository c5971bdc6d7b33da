//! What a configuration may say, and the defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use crate::app::keymap::Keymap;
use crate::cli::LogLevel;
use crate::confluence::Endpoint;
use crate::secret::SecretSource;

/// Everything that the configuration says, with defaults for the rest.
#[derive(Clone, Debug)]
pub struct Config {
    /// The profile that is opened when none is named.
    pub default_profile: Option<String>,
    /// The theme.
    pub theme: String,
    /// Whether only characters of ASCII are drawn.
    pub ascii: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether the terminal is asked to say of keys what they are (the kitty keyboard protocol).
    pub keyboard_protocol: bool,
    /// How much goes into the log file.
    pub log: LogLevel,
    /// Keys by context and verb. The core knows which there are.
    pub keys: Vec<KeyBinding>,
    /// The keys in effect.
    pub keymap: Keymap,
    /// The servers, by name.
    pub profiles: BTreeMap<String, Profile>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_profile: None,
            theme: "auto".to_owned(),
            ascii: false,
            mouse: true,
            keyboard_protocol: true,
            log: LogLevel::default(),
            keys: Vec::new(),
            keymap: Keymap::default(),
            profiles: BTreeMap::new(),
        }
    }
}

/// One line of a `[keys.…]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBinding {
    /// The context.
    pub context: String,
    /// The verb.
    pub verb: String,
    /// Its keys; none unbinds it.
    pub keys: Vec<String>,
}

/// How to sign in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// Not at all.
    Anonymous,
    /// A personal access token.
    Token(SecretSource),
    /// A user name and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretSource,
    },
}

/// A client certificate, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and what leads from it to a known authority.
    pub certificate: PathBuf,
    /// Its key; `None`: in the same file.
    pub key: Option<PathBuf>,
}

/// One server and how to reach it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The base address, with the context path, without credentials.
    pub url: Endpoint,
    /// How to sign in.
    pub auth: Auth,
    /// Certificates of authorities to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// A certificate of our own.
    pub client_certificate: Option<ClientCertificate>,
    /// The proxy; `None`: as the environment says. Its address may hold a password.
    pub proxy: Option<SecretString>,
    /// Hosts to reach without a proxy.
    pub no_proxy: Vec<String>,
    /// Whether any certificate is taken.
    pub insecure: bool,
    /// Whether the secret may go over plain HTTP to another machine.
    pub allow_http: bool,
    /// How long a request may take.
    pub timeout: Duration,
    /// How many requests may be on their way at once.
    pub concurrency: u16,
    /// Whether nothing that changes anything is ever sent.
    pub read_only: bool,
    /// Whether writes need the profile's name first.
    pub protected: bool,
    /// The colour of its name.
    pub color: Option<String>,
}

impl Profile {
    /// A profile with all defaults.
    pub fn new(url: Endpoint) -> Self {
        Self {
            url,
            auth: Auth::Anonymous,
            ca_file: None,
            client_certificate: None,
            proxy: None,
            no_proxy: Vec::new(),
            insecure: false,
            allow_http: false,
            timeout: Duration::from_secs(30),
            concurrency: 8,
            read_only: false,
            protected: false,
            color: None,
        }
    }
}

/// The settings of the top level, each with its default as it would be written, if it has one.
pub const TOP_KEYS: &[(&str, Option<&str>)] = &[
    ("default_profile", None),
    ("theme", Some("\"auto\"")),
    ("ascii", Some("false")),
    ("mouse", Some("true")),
    ("keyboard_protocol", Some("true")),
    ("log", Some("\"info\"")),
    ("keys", None),
    ("profiles", None),
];

/// The settings of a profile, each with its default as it would be written, if it has one.
pub const PROFILE_KEYS: &[(&str, Option<&str>)] = &[
    ("url", None),
    ("token_command", None),
    ("token_env", None),
    ("token_file", None),
    ("token", None),
    ("user", None),
    ("password_command", None),
    ("password_env", None),
    ("password_file", None),
    ("password", None),
    ("ca_file", None),
    ("client_cert", None),
    ("client_key", None),
    ("proxy", None),
    ("no_proxy", Some("[]")),
    ("insecure", Some("false")),
    ("allow_http", Some("false")),
    ("timeout", Some("30")),
    ("concurrency", Some("8")),
    ("read_only", Some("false")),
    ("protected", Some("false")),
    ("color", None),
];
