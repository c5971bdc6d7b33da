//! Everything that is known: one plain value, owned by the shell's main thread.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

use super::across::Across;
use super::action::Context;
use super::disk::DiskWaiter;
use super::inflight::Inflight;
use super::jobs::Jobs;
use super::key::{Chord, KeyPress};
use super::keymap::Keymap;
use super::layout::{Layout, Pane, Split, layout, make_room};
use super::message::{Effect, LogLevel, LogLine, Millis, Size, Ticket};
use super::modal::{Modal, Stack};
use super::notice::Toast;
use super::pane::content::ContentPane;
use super::pane::detail::DetailPane;
use super::pane::preview::PreviewPane;
use super::pane::spaces::SpacesPane;
use super::pointer::Pointer;
use super::remote::Remote;
use super::view::View;
use crate::confluence::{
    AccessMode, ApiError, BaseUrl, CurrentUser, ErrorKind, ServerInfo, SpaceKey,
};

/// How long the cursor rests before detail and content follow it, in milliseconds.
pub const REST: u64 = 120;

/// How long a toast stays, in milliseconds.
pub const TOAST: u64 = 8_000;

/// Between two frames of the spinner, in milliseconds.
pub const SPIN: u64 = 250;

/// From this age on a request shows in the footer, in milliseconds.
pub const SLOW: u64 = 200;

/// From this width on the trash has columns, with their names.
pub const TABLE: u16 = 54;

/// How many lines of the log are kept for the view.
const LOG_LINES: usize = 2_000;

/// Where the program begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum StartMode {
    /// No configuration yet.
    Welcome {
        /// Where one would be, as it is shown.
        config_path: String,
    },
    /// The embedded server.
    Demo,
    /// A server, which the shell has a client for.
    Connect,
}

/// Whether writes may leave, and if not, why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writes {
    /// They may.
    Allowed,
    /// Reads only, for this reason: one sentence.
    ReadOnly(String),
    /// Reads only until the profile's name is typed.
    Protected,
    /// Reads only, as nothing can be kept: journal, jobs and backups are closed. Why, and what to do.
    Unkept(String),
}

/// The server and how it is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The base address, without credentials; empty until it is known.
    pub base_url: String,
    /// The name of its colour, if it has one.
    pub color: Option<String>,
    /// Whether requests carry a token or password.
    pub signs_in: bool,
    /// A warning that stays on the screen, such as an unchecked certificate.
    pub banner: Option<String>,
    /// How many requests may be on their way at once.
    pub concurrency: usize,
}

impl Profile {
    /// What the server is called: its address without the scheme.
    pub fn server(&self) -> &str {
        let rest = self
            .base_url
            .split_once("://")
            .map_or(self.base_url.as_str(), |(_, rest)| rest);
        rest.trim_end_matches('/')
    }

    /// Its whole base address, to be compared.
    pub fn address(&self) -> BaseUrl {
        BaseUrl::of(&self.base_url)
    }
}

/// A profile that can be switched to, as far as the picker shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileChoice {
    /// Its name in the configuration.
    pub name: String,
    /// The base address, without credentials.
    pub base_url: String,
    /// The name of its colour, if it has one.
    pub color: Option<String>,
    /// Whether it never writes.
    pub read_only: bool,
    /// Whether it begins read-only.
    pub protected: bool,
}

/// What another profile begins with, once it was switched to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Switched {
    /// The server.
    pub profile: Profile,
    /// Whether writes may leave.
    pub writes: Writes,
    /// Something to say at once, such as who else holds the profile.
    pub notice: Option<String>,
    /// The profiles that there are now.
    pub profiles: Vec<ProfileChoice>,
}

/// What the program begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The terminal.
    pub size: Size,
    /// What time it is at `Millis(0)`.
    pub wall: Timestamp,
    /// Where we are.
    #[serde(with = "by_name")]
    pub zone: TimeZone,
    /// Where to begin.
    pub mode: StartMode,
    /// The server.
    pub profile: Profile,
    /// Whether writes may leave.
    pub writes: Writes,
    /// The keys in effect.
    pub keymap: Keymap,
    /// Something to say at once, such as who else holds the profile.
    pub notice: Option<String>,
    /// The profiles of the configuration, in the order of their names.
    #[serde(default)]
    pub profiles: Vec<ProfileChoice>,
}

/// A time zone by its name. One without a name becomes UTC: times are then told in another zone.
mod by_name {
    use jiff::tz::TimeZone;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(zone: &TimeZone, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(zone.iana_name().unwrap_or("UTC"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TimeZone, D::Error> {
        let name = String::deserialize(from)?;
        Ok(TimeZone::get(&name).unwrap_or(TimeZone::UTC))
    }
}

/// What the server and its user are, as far as they told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// Who we are.
    pub user: Remote<CurrentUser>,
    /// What the server is.
    pub server: Remote<ServerInfo>,
    /// Whether the site takes writes.
    pub access: Option<AccessMode>,
    /// The last round trip, in milliseconds.
    pub round_trip: Option<u64>,
    /// Since when the server has not answered: when the first request went out to which no answer
    /// came. `None` while it answers.
    pub silent_since: Option<Millis>,
    /// When it last answered.
    pub heard_at: Millis,
    /// Whether the server has the trash operation; `None`: not known yet.
    pub has_trash: Option<bool>,
    /// Whether a list of this server was caught repeating rows, which means that it leaves others out.
    pub lists_lie: bool,
    /// Whether the first request was answered, so that others may follow.
    pub open: bool,
}

/// From this age on a request to which nothing came counts as not answered, in milliseconds.
const SILENCE: u64 = 10_000;

impl Session {
    /// Learns from the end of a request, or from an attempt at one, whether the server answers.
    /// `asked` is when the request went out.
    pub fn heard(&mut self, now: Millis, asked: Millis, error: Option<&ApiError>) {
        match error {
            Some(error) if error.status.is_none() => {
                if matches!(
                    error.kind,
                    ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Lost
                ) {
                    let since = self.silent_since.unwrap_or(asked);
                    self.silent_since = Some(since.min(asked));
                }
                // Whatever else kept a request from its answer says nothing of the server.
            }
            Some(_) | None => {
                self.silent_since = None;
                self.heard_at = now;
            }
        }
    }

    /// Whether the refused list of the trash of a space that is there shows that the server has no
    /// such operation. From 10.0 on it has it: a 404 then is a node that stumbles, and it must not
    /// make a trash look empty.
    pub fn shows_no_trash(&self, error: &ApiError) -> bool {
        self.has_trash.is_none()
            && match error.kind {
                ErrorKind::NoSuchOperation => true,
                ErrorKind::NotFound => self.major().is_none_or(|major| major < 10),
                _ => false,
            }
    }

    /// The first number of the server's version, where it is known.
    pub fn major(&self) -> Option<u32> {
        let info: &ServerInfo = self.server.value()?;
        info.version.as_ref()?.split('.').next()?.parse().ok()
    }
}

/// A line of the log, with its time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Logged {
    /// When it was logged.
    pub at: Millis,
    /// What was logged.
    pub line: LogLine,
}

/// What fills the screen below the header.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Screen {
    /// A choice of where to go, without a configuration.
    Welcome {
        /// Where a configuration would be.
        config_path: String,
        /// The line under the cursor.
        chosen: usize,
    },
    /// The three panes.
    Panes,
    /// The trash of many spaces.
    Across,
}

/// Everything that is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// The time of the last message.
    pub now: Millis,
    /// What time it was at `Millis(0)`.
    pub wall: Timestamp,
    /// Where we are.
    #[serde(skip)]
    pub zone: TimeZone,
    /// The terminal.
    pub size: Size,
    /// The server.
    pub profile: Profile,
    /// The profiles that can be switched to.
    pub profiles: Vec<ProfileChoice>,
    /// Whether writes may leave.
    pub writes: Writes,
    /// What fills the screen.
    pub screen: Screen,
    /// What the server and its user are.
    pub session: Session,
    /// The list of spaces.
    pub spaces: SpacesPane,
    /// The space in detail.
    pub detail: DetailPane,
    /// Its content.
    pub content: ContentPane,
    /// The text under its cursor.
    pub preview: PreviewPane,
    /// Which pane has the keys.
    pub focus: Pane,
    /// How wide the list is.
    pub split: Split,
    /// What is kept of the looks from run to run.
    pub view: View,
    /// What lies over the panes; the last is on top and has the keys.
    pub modals: Stack,
    /// Short notices, oldest first.
    pub toasts: Vec<Toast>,
    /// The trash of many spaces, as far as it was read.
    pub across: Option<Box<Across>>,
    /// What was logged, oldest first.
    pub log: Vec<Logged>,
    /// The jobs.
    pub jobs: Jobs,
    /// What is awaited.
    pub inflight: Inflight,
    /// What is awaited of the disk.
    pub disk: BTreeMap<Ticket, DiskWaiter>,
    /// The keys in effect.
    pub keymap: Keymap,
    /// The first key of two.
    pub pending: Option<Chord>,
    /// When the last key was read.
    pub typed_at: Millis,
    /// A paste is coming in, and takes long.
    pub pasting: bool,
    /// What was typed before the list that it is for.
    pub ahead: Vec<KeyPress>,
    /// What the mouse is in the middle of.
    pub pointer: Pointer,
    /// Since when the cursor of the spaces stands where it stands, until it counts as resting.
    pub moved: Option<Millis>,
    /// Whether the program is about to end.
    pub quitting: bool,
}

impl Model {
    /// The beginning, and what is to be done first.
    pub fn new(start: Start) -> (Self, Vec<Effect>) {
        let (mode, notice) = (start.mode.clone(), start.notice.clone());
        let mut model = Self::blank(start);
        let mut out = Vec::new();
        model.begin(mode, notice, &mut out);
        (model, out)
    }

    /// Begins with another profile: nothing of the one before is kept but the terminal, the keys
    /// and the count of tickets, so that a late answer of the old server finds nobody waiting.
    pub(in crate::app) fn begin_anew(&mut self, switched: Switched, out: &mut Vec<Effect>) {
        let Switched {
            profile,
            writes,
            notice,
            profiles,
        } = switched;
        let fresh = Self::blank(Start {
            size: self.size,
            wall: self.wall,
            zone: self.zone.clone(),
            mode: StartMode::Connect,
            profile,
            writes,
            keymap: self.keymap.clone(),
            notice: None,
            profiles,
        });
        let old = std::mem::replace(self, fresh);
        self.now = old.now;
        self.inflight = old.inflight.emptied();
        self.modals = old.modals.emptied();
        self.begin(StartMode::Connect, notice, out);
    }

    fn begin(&mut self, mode: StartMode, notice: Option<String>, out: &mut Vec<Effect>) {
        match mode {
            StartMode::Welcome { config_path } => {
                self.screen = Screen::Welcome {
                    config_path,
                    chosen: 0,
                }
            }
            StartMode::Demo => out.push(Effect::StartDemo),
            StartMode::Connect => self.connect(out),
        }
        if let Some(notice) = notice {
            self.say(LogLevel::Warning, notice);
        }
    }

    /// A model of which nothing is known yet.
    fn blank(start: Start) -> Self {
        let Start {
            size,
            wall,
            zone,
            mode: _,
            profile,
            writes,
            keymap,
            notice: _,
            profiles,
        } = start;
        Self {
            now: Millis(0),
            wall,
            zone,
            size,
            profile,
            profiles,
            writes,
            screen: Screen::Panes,
            session: Session {
                user: Remote::Absent,
                server: Remote::Absent,
                access: None,
                round_trip: None,
                silent_since: None,
                heard_at: Millis(0),
                has_trash: None,
                lists_lie: false,
                open: false,
            },
            spaces: SpacesPane::default(),
            detail: DetailPane::default(),
            content: ContentPane::default(),
            preview: PreviewPane::default(),
            focus: Pane::Spaces,
            split: Split::default(),
            view: View::default(),
            modals: Stack::default(),
            typed_at: Millis(0),
            pasting: false,
            toasts: Vec::new(),
            across: None,
            log: Vec::new(),
            jobs: Jobs::default(),
            inflight: Inflight::default(),
            disk: BTreeMap::new(),
            keymap,
            pending: None,
            ahead: Vec::new(),
            pointer: Pointer::default(),
            moved: None,
            quitting: false,
        }
    }

    /// What time it is at `at`.
    pub fn time(&self, at: Millis) -> Timestamp {
        let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
        self.wall
            .checked_add(jiff::SignedDuration::from_millis(ms))
            .unwrap_or(self.wall)
    }

    /// When the core next wants a `Msg::Clock`; `None` while there is nothing to wait for.
    pub fn deadline(&self) -> Option<Millis> {
        let rest = self.moved.map(|moved| moved.plus(REST));
        let toast = self.toasts.iter().map(|toast| toast.until).min();
        let spin = (!self.inflight.is_empty()).then(|| self.next_spin());
        let across = self.across_due().map(|due| due.max(self.now));
        let look_up = match self.modals.last() {
            Some(Modal::NewSpace(form)) => form.look_up,
            _ => None,
        };
        let job = self.jobs.deadline();
        let view = self.view_deadline();
        let scan = self.spaces.is_scanning().then_some(self.now);
        let work = self.content_deadline();
        let preview = self.preview.moved.map(|moved| moved.plus(REST));
        [
            rest, toast, spin, look_up, job, scan, work, across, preview, view,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When the trash across spaces wants the next slice of work, while it is looked at.
    fn across_due(&self) -> Option<Millis> {
        let across = self.across.as_ref()?;
        (self.screen == Screen::Across)
            .then(|| across.due())
            .flatten()
    }

    fn next_spin(&self) -> Millis {
        let oldest = self
            .inflight
            .iter()
            .map(|a| a.since)
            .min()
            .unwrap_or(self.now);
        let shown = oldest.plus(SLOW);
        if shown > self.now {
            shown
        } else {
            Millis((self.now.0 / SPIN + 1) * SPIN)
        }
    }

    /// The number of the next picture, if a dialog in it has to be seen before keys count for it.
    pub fn unseen(&self) -> Option<u64> {
        self.modals
            .unseen()
            .filter(|_| self.layout() != Layout::TooSmall)
    }

    /// Whether nothing is awaited from server, disk or clock that would change the picture by
    /// itself, but for toasts going away.
    pub fn idle(&self) -> bool {
        self.inflight.is_empty()
            && self.disk.is_empty()
            && self.moved.is_none()
            && self.preview.moved.is_none()
            && self.content.outline().tree.due().is_none()
            && self.across_due().is_none()
            && !self.spaces.is_scanning()
            && self.jobs.is_quiet()
            && self.jobs.deadline().is_none()
    }

    /// Where everything is.
    pub fn layout(&self) -> Layout {
        let mut layout = layout(self.size, self.focus, self.split);
        if self.preview.is_open
            && let Layout::Panes { panes, .. } = &mut layout
        {
            make_room(self.size, panes);
        }
        layout
    }

    /// Where the preview is: beside the list of spaces, below the tree; alone where only one pane
    /// fits.
    pub fn preview_area(&self) -> Rect {
        if self.screen == Screen::Across {
            return self.across_areas().1;
        }
        match layout(self.size, self.focus, self.split) {
            Layout::TooSmall => Rect::ZERO,
            Layout::Panes { mut panes, .. } => make_room(self.size, &mut panes),
        }
    }

    /// How many rows a pane shows, below its own head lines.
    pub fn rows_of(&self, pane: Pane) -> usize {
        match self.layout() {
            Layout::TooSmall => 1,
            Layout::Panes { panes, .. } => {
                let area = panes[pane as usize];
                let head = match pane {
                    Pane::Spaces => 1,
                    Pane::Detail => 0,
                    Pane::Content => self.content_head(area.width),
                };
                usize::from(area.height.saturating_sub(2 + head)).max(1)
            }
        }
    }

    /// How many lines of the content pane name its columns: the trash has columns where they fit.
    pub fn content_head(&self, width: u16) -> u16 {
        u16::from(self.content.is_trash() && width >= TABLE)
    }

    /// The contexts of keys now, innermost first.
    pub fn contexts(&self) -> &'static [Context] {
        if let Some(modal) = self.modals.last() {
            return if modal.is_reading() {
                Context::IN_READING
            } else {
                &[Context::Everywhere]
            };
        }
        if self.preview_has_keys() {
            return Context::IN_PREVIEW;
        }
        match (&self.screen, self.focus) {
            (Screen::Welcome { .. }, _) => &[Context::Everywhere],
            (Screen::Across, _) => Context::IN_ACROSS,
            (Screen::Panes, Pane::Spaces) => Context::IN_SPACES,
            (Screen::Panes, Pane::Detail) => Context::IN_DETAIL,
            (Screen::Panes, Pane::Content) if self.content.is_trash() => Context::IN_TRASH,
            (Screen::Panes, Pane::Content) => Context::IN_CONTENT,
        }
    }

    /// The key of the space under the cursor.
    pub fn space_at_cursor(&self) -> Option<&SpaceKey> {
        self.spaces.at_cursor().map(|space| &space.key)
    }

    /// Since when the server has not answered; `None` while it does.
    pub fn silent_since(&self) -> Option<Millis> {
        // One that the server put off was answered.
        let out = self
            .inflight
            .iter()
            .filter(|awaited| awaited.retry.is_none());
        let oldest = out.map(|awaited| awaited.since).min();
        let waiting = oldest.map(|since| since.max(self.session.heard_at));
        let long = |since: &Millis| self.now.since(*since) >= SILENCE;
        self.session.silent_since.or_else(|| waiting.filter(long))
    }

    /// The space that detail, content and breadcrumb show.
    pub fn shown_space(&self) -> Option<&SpaceKey> {
        self.content.space.as_ref()
    }

    /// A sentence with the keys in effect in it; see [`Keymap::spell`].
    pub fn spell(&self, text: &str) -> String {
        self.keymap.spell(self.contexts(), text)
    }

    /// Shows what went wrong and what to do, and keeps it in the log.
    pub fn say_error(&mut self, what: &str, error: &ApiError) {
        self.say(LogLevel::Error, format!("{what}: {error} {}", error.hint()));
    }

    /// Keeps a line in the log.
    pub fn keep(&mut self, line: LogLine) {
        if self.log.len() >= LOG_LINES {
            self.log.drain(..LOG_LINES / 10);
        }
        self.log.push(Logged { at: self.now, line });
    }
}
