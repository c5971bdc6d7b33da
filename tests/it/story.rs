//! A person at the keys, a server that answers by hand, a clock that jumps: the core and the
//! picture together, without terminal, network or time.

use std::collections::VecDeque;

use coracle::app::key::{Chord, KeyPress};
use coracle::app::keymap::Keymap;
use coracle::app::layout::Layout;
use coracle::app::message::{Effect, Millis, Msg, Size, Ticket};
use coracle::app::{Model, Profile, Start, StartMode, Writes, update};
use coracle::confluence::call::Window;
use coracle::confluence::{
    AccessMode, ApiError, Call, Content, ContentId, ContentKind, ContentMore, ContentRef,
    ContentStatus, CurrentUser, CursorPage, ErrorKind, Moment, Page, Person, Reply, ServerInfo,
    ServerText, Space, SpaceContent, SpaceKey, SpaceKind, SpaceMore, SpaceStatus, Version,
};
use coracle::ui::theme::{Depth, Theme, load};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

/// What a server answers to a call.
pub(crate) type Answer = Result<Reply, ApiError>;

/// The person, the server and the clock.
pub(crate) struct Story {
    pub(crate) model: Model,
    pub(crate) at: u64,
    /// What was sent and not yet answered or cancelled.
    pub(crate) open: VecDeque<(Ticket, Call)>,
    /// Everything that was ever sent.
    pub(crate) sent: Vec<Call>,
    /// Every other effect.
    pub(crate) effects: Vec<Effect>,
    /// Where everything that happens is recorded, if it is.
    pub(crate) recorder: Option<coracle::shell::record::Recorder>,
}

impl Story {
    /// A start on a server, before anything was answered.
    pub(crate) fn start(width: u16, height: u16) -> Self {
        Self::with(width, height, StartMode::Connect, Writes::Allowed)
    }

    pub(crate) fn with(width: u16, height: u16, mode: StartMode, writes: Writes) -> Self {
        Self::begin(Start {
            mode,
            writes,
            ..beginning(width, height)
        })
    }

    /// A start as it is given.
    pub(crate) fn begin(start: Start) -> Self {
        let (model, effects) = Model::new(start);
        let mut story = Self {
            model,
            at: 0,
            open: VecDeque::new(),
            sent: Vec::new(),
            effects: Vec::new(),
            recorder: None,
        };
        story.take(effects);
        story
    }

    /// A start on the sample wiki, with everything answered.
    pub(crate) fn browsing(width: u16, height: u16) -> Self {
        let mut story = Self::start(width, height);
        story.answer_all(&wiki);
        story.rest();
        story.answer_all(&wiki);
        story
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { ticket, call } => {
                    self.sent.push(call.clone());
                    self.open.push_back((ticket, call));
                }
                Effect::Cancel(ticket) => self.open.retain(|(open, _)| *open != ticket),
                other => self.effects.push(other),
            }
        }
    }

    /// Something happens, a millisecond after what happened before.
    pub(crate) fn happen(&mut self, msg: Msg) {
        self.at += 1;
        self.happen_now(msg);
    }

    /// Something happens at the same moment as what happened before.
    pub(crate) fn happen_now(&mut self, msg: Msg) {
        if let Some(recorder) = &mut self.recorder {
            recorder
                .message(Millis(self.at), &msg)
                .expect("it is written");
        }
        let effects = update(&mut self.model, Millis(self.at), msg);
        self.take(effects);
    }

    /// Looks at the screen: what is drawn by now has arrived, as far as it matters.
    pub(crate) fn looks_at_it(&mut self) -> &mut Self {
        if let Some(picture) = self.model.unseen() {
            let asked = true;
            self.happen_now(Msg::Shown { picture, asked });
            self.happen_now(Msg::Status);
        }
        self
    }

    /// Somebody who looks at the screen presses a key.
    pub(crate) fn press(&mut self, press: KeyPress) -> &mut Self {
        self.looks_at_it();
        self.happen(Msg::Key(press));
        self
    }

    /// Types keys as the configuration writes them, with blanks between; looks before each.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.split_whitespace() {
            let chord: Chord = key.parse().expect("a key of the test");
            self.press(KeyPress::press(chord));
        }
        self
    }

    /// Types text, letter by letter.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            let chord = Chord::plain(coracle::app::key::Key::Char(c));
            self.press(KeyPress::press(chord));
        }
        self
    }

    /// Lets time pass until the core wants nothing from the clock any more, at most a second.
    pub(crate) fn rest(&mut self) -> &mut Self {
        let end = self.at + 1_000;
        while let Some(deadline) = self.model.deadline().filter(|at| at.0 <= end) {
            self.at = self.at.max(deadline.0);
            if let Some(recorder) = &mut self.recorder {
                recorder
                    .message(Millis(self.at), &Msg::Clock)
                    .expect("it is written");
            }
            let effects = update(&mut self.model, Millis(self.at), Msg::Clock);
            self.take(effects);
            if !self.open.is_empty() {
                break;
            }
        }
        self
    }

    /// Answers the oldest open request.
    pub(crate) fn answer(&mut self, outcome: Answer) -> &mut Self {
        let (ticket, _) = self.open.pop_front().expect("a request is open");
        self.happen(Msg::Reply {
            ticket,
            outcome,
            took_ms: 42,
        });
        self
    }

    /// Answers everything that is asked, until nothing more is asked.
    pub(crate) fn answer_all(&mut self, server: &dyn Fn(&Call) -> Answer) -> &mut Self {
        while let Some((ticket, call)) = self.open.pop_front() {
            let outcome = server(&call);
            self.happen(Msg::Reply {
                ticket,
                outcome,
                took_ms: 42,
            });
        }
        self
    }

    /// The screen as text, without the blanks at the ends of lines. Whoever looks at it has made
    /// sure too that it can do without signs beyond ASCII.
    pub(crate) fn screen(&self) -> String {
        let plain = self.drawn_with(&Theme::auto().with_glyphs(&coracle::ui::theme::ASCII));
        let beyond: Vec<&str> = plain.lines().filter(|line| has_sign(line)).collect();
        assert!(
            beyond.is_empty(),
            "signs beyond ASCII in:\n{}",
            beyond.join("\n")
        );
        self.dialog_names_its_profile();
        self.drawn_with(&Theme::auto())
    }

    /// Whatever dialog is open has the profile's name in its border, in the profile's own colour.
    fn dialog_names_its_profile(&self) {
        let welcome = matches!(
            self.model.screen,
            coracle::app::model::Screen::Welcome { .. }
        );
        let Some(dialog) = self.model.modals.last().filter(|_| !welcome) else {
            return;
        };
        // In a narrow window the title comes first, and in the smallest there is no dialog.
        if self.model.size.width < 80 || self.model.layout() == Layout::TooSmall {
            return;
        }
        let looks = load("dark", Depth::True).expect("a built-in theme");
        let mut model = self.model.clone();
        model.modals = std::iter::once(dialog.clone()).collect();
        model.toasts.clear();
        model.profile.color = Some("teal".to_owned());
        let own = looks.profile("teal").expect("a colour of profiles").fg;
        let buffer = drawn(&model, &looks);
        let name = format!(" {} ", model.profile.name);
        // The header has the name too, unless the dialog is over it.
        let covered = (0..model.size.width).any(|x| buffer[(x, 0)].symbol() == "╭");
        let found = (u16::from(!covered)..model.size.height).any(|y| {
            (0..model.size.width.saturating_sub(6)).any(|x| {
                let mut cells = name.chars().zip(x..);
                cells.all(|(c, x)| {
                    let cell = &buffer[(x, y)];
                    cell.symbol() == c.to_string() && Some(cell.fg) == own
                })
            })
        });
        assert!(
            found,
            "whose dialog is this?\n{}",
            self.drawn_with(&Theme::auto())
        );
    }

    /// The screen where a page's own text may hold any sign.
    pub(crate) fn screen_of_any_text(&self) -> String {
        self.drawn_with(&Theme::auto())
    }

    fn drawn_with(&self, theme: &Theme) -> String {
        let size = self.model.size;
        let buffer = self.buffer(theme);
        let mut lines = Vec::new();
        for y in 0..size.height {
            let mut line = String::new();
            let mut x = 0;
            while x < size.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(coracle::text::width::width(symbol))
                    .unwrap_or(1)
                    .max(1);
            }
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }

    fn buffer(&self, theme: &Theme) -> Buffer {
        drawn(&self.model, theme)
    }

    /// What is picked out on the screen, in a theme that lays a ground under it and nothing else.
    pub(crate) fn picked_out(&self) -> Vec<String> {
        let theme = load("high-contrast", Depth::True).expect("it is built in");
        let buffer = self.buffer(&theme);
        let is_picked = |cell: &Cell| Some(cell.bg) == theme.matched.bg;
        let rows = buffer.content.chunks(usize::from(self.model.size.width));
        let parts = rows.flat_map(|row| row.chunk_by(|a, b| is_picked(a) == is_picked(b)));
        parts
            .filter(|part| part.iter().any(is_picked))
            .map(|part| part.iter().map(Cell::symbol).collect())
            .collect()
    }

    /// The cells of the screen that `wanted` picks, row by row, as text.
    pub(crate) fn cells(&self, theme: &str, wanted: impl Fn(&Cell) -> bool) -> Vec<String> {
        let theme = load(theme, Depth::Ansi16).expect("it is built in");
        let buffer = self.buffer(&theme);
        let row = |row: &[Cell]| -> String {
            let cells = row.iter().filter(|cell| wanted(cell)).map(Cell::symbol);
            cells.collect::<String>().trim().to_owned()
        };
        let rows = buffer.content.chunks(usize::from(self.model.size.width));
        rows.map(row).filter(|row| !row.is_empty()).collect()
    }

    /// What is drawn as a key is, in a theme where nothing else looks so.
    pub(crate) fn drawn_as_keys(&self) -> Vec<String> {
        let mut theme = load("dark", Depth::True).expect("it is built in");
        theme.key = Style::new().fg(Color::Rgb(1, 2, 3));
        let buffer = self.buffer(&theme);
        let is_key = |cell: &Cell| Some(cell.fg) == theme.key.fg;
        let rows = buffer.content.chunks(usize::from(self.model.size.width));
        let parts = rows.flat_map(|row| row.chunk_by(|a, b| is_key(a) == is_key(b)));
        parts
            .filter(|part| part.iter().any(is_key))
            .map(|part| part.iter().map(Cell::symbol).collect())
            .collect()
    }

    /// The keys and words in the line at the bottom.
    pub(crate) fn footer(&self) -> String {
        let screen = self.screen();
        screen.lines().last().unwrap_or_default().to_owned()
    }

    /// The looks of the screen: a letter for each cell, and what each letter stands for.
    pub(crate) fn looks(&self, theme: &Theme) -> String {
        let buffer = self.buffer(theme);
        let mut styles: Vec<Style> = Vec::new();
        let mut rows = Vec::new();
        for row in buffer.content.chunks(usize::from(self.model.size.width)) {
            let letters = row.iter().map(|cell| {
                // Of a blank, its ground alone is seen.
                let style = match cell.symbol() {
                    " " if !cell
                        .modifier
                        .intersects(Modifier::REVERSED | Modifier::UNDERLINED) =>
                    {
                        Style::new().bg(cell.bg)
                    }
                    _ => cell.style(),
                };
                let at = styles.iter().position(|known| *known == style);
                let at = at.unwrap_or_else(|| {
                    styles.push(style);
                    styles.len() - 1
                });
                char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[at])
            });
            rows.push(letters.collect::<String>());
        }
        for (style, letter) in styles.iter().zip(('a'..='z').chain('A'..='Z')) {
            rows.push(format!("{letter} {style:?}"));
        }
        rows.join("\n")
    }
}

/// The cells that a model is drawn into.
fn drawn(model: &Model, theme: &Theme) -> Buffer {
    let size = model.size;
    let mut terminal =
        Terminal::new(TestBackend::new(size.width, size.height)).expect("a test backend");
    terminal
        .draw(|frame| coracle::ui::draw(model, theme, frame))
        .expect("a test backend takes any frame");
    terminal.backend().buffer().clone()
}

/// Whether there is a sign of ours that ASCII doesn't have: dots, dashes, quotes, arrows, lines,
/// blocks. Letters are the wiki's, whatever their script.
fn has_sign(line: &str) -> bool {
    line.chars().any(|c| {
        matches!(c, '·' | '×' | '–' | '—' | '‘'..='”' | '•' | '…' | '←'..='↓' | '✓' | '✗')
            || matches!(c, '\u{2500}'..='\u{25ff}' | '\u{2800}'..='\u{28ff}')
    })
}

/// The beginning of a story.
pub(crate) fn beginning(width: u16, height: u16) -> Start {
    Start {
        size: Size { width, height },
        wall: "2026-11-23T14:02:11Z".parse().expect("a date of the test"),
        zone: jiff::tz::TimeZone::UTC,
        mode: StartMode::Connect,
        profile: Profile {
            name: "prod".to_owned(),
            base_url: "https://wiki.example.com".to_owned(),
            color: None,
            signs_in: true,
            banner: None,
            concurrency: 4,
        },
        writes: Writes::Allowed,
        keymap: Keymap::default(),
        notice: None,
        profiles: Vec::new(),
    }
}

/// A moment, from text.
pub(crate) fn moment(text: &str) -> Moment {
    Moment(text.parse().expect("a date of the test"))
}

/// A failure of this kind.
pub(crate) fn error(kind: ErrorKind, status: u16, message: &str) -> ApiError {
    ApiError {
        kind,
        message: message.to_owned(),
        status: Some(status),
        details: Vec::new(),
    }
}

/// A page of a list, cut from all of it by a window, as a server with a total answers.
pub(crate) fn page<T: Clone>(all: &[T], window: Window) -> Page<T> {
    let start = usize::try_from(window.start)
        .expect("a small list")
        .min(all.len());
    let end = (start + usize::try_from(window.limit).expect("a small list")).min(all.len());
    Page {
        results: all[start..end].to_vec(),
        start: window.start,
        limit: Some(window.limit),
        total: Some(all.len() as u64),
        has_next: end < all.len(),
    }
}

/// A space of the sample wiki.
pub(crate) fn space(key: &str, name: &str, status: SpaceStatus) -> Space {
    Space {
        id: Some(98_300 + key.len() as u64),
        key: SpaceKey::new(key),
        name: ServerText::new(name.to_owned()),
        kind: if key.starts_with('~') {
            SpaceKind::Personal
        } else {
            SpaceKind::Global
        },
        status: Some(status),
        more: None,
    }
}

/// The spaces of the sample wiki.
pub(crate) fn spaces() -> Vec<Space> {
    use SpaceStatus::{Archived, Current};
    vec![
        space("ENG", "Engineering", Current),
        space("HR", "People & Culture", Current),
        space("OLD1", "Old project", Archived),
        space("OPS", "Operations", Current),
        space("PORT", "港湾局 Harbour Office", Current),
        space("~jdoe", "J. Doe", Current),
    ]
}

/// A content of the sample wiki.
pub(crate) fn content(id: &str, title: &str, version: u64, children: bool) -> Content {
    Content {
        id: ContentId::new(id),
        kind: ContentKind::Page,
        status: Some(ContentStatus::Current),
        title: ServerText::new(title.to_owned()),
        has_children: Some(children),
        space: None,
        version: Some(Version {
            number: Some(version),
            when: Some(moment("2024-11-02T10:00:00Z")),
            by: Some(Person {
                username: None,
                display_name: "J. Doe".to_owned(),
                user_key: None,
            }),
            message: None,
        }),
        ancestors: None,
        position: None,
        more: None,
    }
}

/// A trashed content of the sample wiki, below these.
pub(crate) fn trashed(id: &str, title: &str, ancestors: &[(&str, &str)]) -> Content {
    let above = |(id, title): &(&str, &str)| ContentRef {
        id: ContentId::new(id),
        title: Some((*title).to_owned()),
    };
    Content {
        status: Some(ContentStatus::Trashed),
        ancestors: Some(ancestors.iter().map(above).collect()),
        more: Some(Box::new(ContentMore::default())),
        ..content(id, title, 3, false)
    }
}

/// The sample wiki: a few spaces, a small tree, some trash.
pub(crate) fn wiki(call: &Call) -> Answer {
    let not_found = || {
        error(
            ErrorKind::NotFound,
            404,
            "There is nothing at this address.",
        )
    };
    Ok(match call {
        Call::CurrentUser => Reply::CurrentUser(CurrentUser {
            username: Some("jdoe".to_owned()),
            display_name: "J. Doe".to_owned(),
        }),
        Call::ServerInfo => Reply::ServerInfo(ServerInfo {
            version: Some("9.2.1".to_owned()),
            build: None,
            base_url: None,
        }),
        Call::AccessMode => Reply::AccessMode(AccessMode::ReadWrite),
        Call::Spaces { filter, window, .. } => {
            let wanted = |space: &Space| {
                filter
                    .status
                    .is_none_or(|status| space.status == Some(status))
            };
            let all: Vec<Space> = spaces().into_iter().filter(wanted).collect();
            Reply::Spaces(page(&all, *window))
        }
        Call::Space { key, .. } => {
            let mut space = spaces()
                .into_iter()
                .find(|space| space.key == *key)
                .ok_or_else(not_found)?;
            let person = |name: &str| {
                Some(Person {
                    username: None,
                    display_name: name.to_owned(),
                    user_key: None,
                })
            };
            space.more = Some(Box::new(SpaceMore {
                description: Some("Everything that is written down here.".to_owned()),
                homepage: Some(ContentRef {
                    id: ContentId::new("1"),
                    title: Some("Home".to_owned()),
                }),
                creator: person("J. Doe"),
                created: Some(moment("2019-03-02T09:14:00Z")),
                last_modifier: person("A. Smith"),
                modified: Some(moment("2026-11-02T10:00:00Z")),
                labels: Some(vec!["platform".to_owned(), "eng".to_owned()]),
                webui: Some(format!("/display/{key}")),
                ..SpaceMore::default()
            }));
            Reply::Space(Box::new(space))
        }
        Call::SpaceContent { window, .. } => {
            let pages = [
                content("1", "Home", 12, true),
                content("2", "Notes", 3, false),
            ];
            let mut post = content("5", "We moved the pilots' office", 1, false);
            post.kind = ContentKind::BlogPost;
            Reply::SpaceContent(SpaceContent::ByType {
                page: page(&pages, *window),
                blogpost: page(&[post], *window),
            })
        }
        Call::ChildPages { id, window, .. } if id.as_str() == "1" => Reply::Contents(page(
            &[
                content("3", "Runbooks", 3, false),
                content("4", "Database failover", 41, false),
            ],
            *window,
        )),
        Call::ChildPages { window, .. } | Call::SpaceContentOfKind { window, .. } => {
            Reply::Contents(page(&[], *window))
        }
        Call::Trash { .. } => {
            let home = ("1", "Home");
            Reply::Trash(CursorPage {
                results: vec![
                    trashed("21", "Old policy 31", &[home, ("20", "Old policies")]),
                    trashed("20", "Old policies", &[home]),
                    trashed("22", "Draft of nothing", &[]),
                ],
                next: None,
                total: Some(3),
            })
        }
        _ => return Err(not_found()),
    })
}
