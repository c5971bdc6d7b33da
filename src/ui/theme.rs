//! Looks: what each role on the screen is drawn with, and with which glyphs.
//!
//! A [`Theme`] is plain data: one [`Style`] per role, read from TOML and brought down to the
//! colours that the terminal has. The built-in themes are TOML too (`assets/themes`).
//!
//! This module reads no environment and no file: the caller says how many colours there are
//! ([`Depth`], where `NO_COLOR` is [`Depth::Mono`]) and which [`Glyphs`] to use (`--ascii`).
//! Nothing here carries meaning that is not also in a word or a glyph.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;
use serde::Deserialize;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// None: attributes only.
    Mono,
    /// The sixteen of the terminal's own palette.
    Ansi16,
    /// The 6×6×6 cube and 24 greys besides.
    Ansi256,
    /// Any colour, 8 bits a channel.
    True,
}

impl Depth {
    /// Brings a colour down to this depth; `None` where it can't be shown at all.
    pub fn lower(self, color: Color) -> Option<Color> {
        match (self, color) {
            (Self::Mono, _) => None,
            (Self::True, _) => Some(color),
            (Self::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_256([r, g, b]))),
            (Self::Ansi256, _) => Some(color),
            (Self::Ansi16, Color::Rgb(r, g, b)) => Some(nearest_16([r, g, b])),
            (Self::Ansi16, Color::Indexed(index)) => Some(if index < 16 {
                ANSI[usize::from(index)].0
            } else {
                nearest_16(indexed_rgb(index))
            }),
            (Self::Ansi16, _) => Some(color),
        }
    }

    fn lower_style(self, style: Style) -> Style {
        Style {
            fg: style.fg.and_then(|color| self.lower(color)),
            bg: style.bg.and_then(|color| self.lower(color)),
            ..style
        }
    }
}

/// Whether the terminal's background is dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ground {
    /// Light text on a dark background.
    Dark,
    /// Dark text on a light background.
    Light,
}

impl Ground {
    /// Tells the ground from a background colour by its luminance.
    pub fn of(rgb: [u8; 3]) -> Self {
        // Below this luminance white text has the better contrast, above it black text has.
        if luminance(rgb) < 0.179 {
            Self::Dark
        } else {
            Self::Light
        }
    }
}

/// The eight colours a profile can be told by, as `color` in the configuration names them.
pub const PROFILE_COLORS: [&str; 8] = [
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink",
];

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $field:ident = $name:literal,)+) => {
        /// What everything is drawn with.
        ///
        /// Fields read at the call site: `Span::styled(age, theme.dim)`. A style leaves alone
        /// what it doesn't set, so it can be laid over another.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Theme {
            /// The name it was loaded by.
            pub name: String,
            /// One line about it, for the list of themes.
            pub description: String,
            /// The glyphs to draw with.
            pub glyphs: &'static Glyphs,
            $($(#[doc = $doc])+ pub $field: Style,)+
            profiles: [Style; PROFILE_COLORS.len()],
        }

        impl Theme {
            /// The names of all roles, as a theme's file writes them.
            pub const ROLES: &'static [&'static str] = &[$($name),+];

            /// Every role's name and style, in the order of [`Theme::ROLES`].
            pub fn roles(&self) -> impl Iterator<Item = (&'static str, Style)> + '_ {
                [$(($name, self.$field)),+].into_iter()
            }

            fn role_mut(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $($name => Some(&mut self.$field),)+
                    _ => None,
                }
            }

            fn plain() -> Self {
                Self {
                    name: String::new(),
                    description: String::new(),
                    glyphs: &UNICODE,
                    $($field: Style::new(),)+
                    profiles: [Style::new(); PROFILE_COLORS.len()],
                }
            }
        }
    };
}

roles! {
    /// The whole frame, under everything else; most themes leave it to the terminal.
    ground = "ground",
    /// Ordinary text.
    text = "text",
    /// What is secondary: ages, counts, hints, old data.
    dim = "dim",
    /// Where you are: the selected tab, the space's name in the head line.
    accent = "accent",
    /// A heading in a page or a dialog.
    heading = "heading",
    /// The caret glyph before the row under the cursor.
    caret = "caret",
    /// The row under the cursor; lay it over the row's first words only, so that a step of the
    /// cursor changes few cells.
    cursor = "cursor",
    /// The glyph of a marked row.
    mark = "mark",
    /// A border.
    border = "border",
    /// The border of the pane that has the keys.
    border_focus = "border-focus",
    /// A title in a border.
    title = "title",
    /// A badge such as READ-ONLY.
    badge = "badge",
    /// Something can be lost.
    warning = "warning",
    /// Something was lost, failed, or is about to go for good.
    danger = "danger",
    /// Something is done and well.
    good = "good",
    /// The key in a key hint.
    key = "key",
    /// The word after the key in a key hint.
    key_word = "key-word",
    /// The part of a row that a filter matched.
    matched = "match",
    /// A link.
    link = "link",
    /// Code, and what stands in a fixed pitch.
    code = "code",
    /// A text field without the keys.
    field = "field",
    /// The text field that has the keys.
    field_focus = "field-focus",
    /// The cell under the text cursor, where the terminal's own cursor isn't used.
    input_cursor = "input-cursor",
    /// The selected part of a text field.
    selection = "selection",
    /// What can't be chosen now.
    disabled = "disabled",
    /// A short notice over the panes.
    toast = "toast",
    /// The head row of a table.
    table_head = "table-head",
    /// A line that a change adds.
    added = "added",
    /// A line that a change removes.
    removed = "removed",
}

impl Theme {
    /// The theme for a terminal about which nothing is known: no colours, only attributes.
    pub fn auto() -> Self {
        load("auto", Depth::Ansi16)
            .expect("because the built-in themes are fixed and a test loads each of them")
    }

    /// The same theme with other glyphs.
    #[must_use]
    pub fn with_glyphs(self, glyphs: &'static Glyphs) -> Self {
        Self { glyphs, ..self }
    }

    /// The style for one of [`PROFILE_COLORS`], or `None` for a name that isn't one.
    pub fn profile(&self, color: &str) -> Option<Style> {
        let at = PROFILE_COLORS.iter().position(|known| *known == color)?;
        Some(self.profiles[at])
    }

    /// The style of a profile's name: its own colour, else that of a title.
    pub fn profile_name(&self, color: Option<&str>) -> Style {
        color
            .and_then(|color| self.profile(color))
            .unwrap_or(self.title)
    }

    /// The border style of a pane.
    pub fn border_of(&self, focus: Focus) -> Style {
        match focus {
            Focus::Here => self.border_focus,
            Focus::Elsewhere => self.border,
        }
    }
}

/// Whether a pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Focus {
    /// Keys go to this pane.
    Here,
    /// Keys go to another pane.
    Elsewhere,
}

impl Focus {
    /// Here, if it has the keys.
    pub fn when(has_keys: bool) -> Self {
        if has_keys {
            Self::Here
        } else {
            Self::Elsewhere
        }
    }
}

/// The name of the theme that `auto` becomes once the background is known.
pub fn auto_on(ground: Ground) -> &'static str {
    match ground {
        Ground::Dark => "auto-dark",
        Ground::Light => "auto-light",
    }
}

/// The built-in themes: name and TOML.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("auto", include_str!("../../assets/themes/auto.toml")),
    (
        "auto-dark",
        include_str!("../../assets/themes/auto-dark.toml"),
    ),
    (
        "auto-light",
        include_str!("../../assets/themes/auto-light.toml"),
    ),
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    (
        "high-contrast",
        include_str!("../../assets/themes/high-contrast.toml"),
    ),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

/// Loads a built-in theme, brought down to the given depth.
pub fn load(name: &str, depth: Depth) -> Result<Theme, ThemeError> {
    parse(name, built_in(name)?, depth)
}

/// Reads a theme from the text of its file, brought down to the given depth.
///
/// What the text doesn't set comes from the built-in theme it `inherits`, else from `auto`.
/// With [`Depth::Mono`] the styles are those of the theme `mono`, since a theme that tells
/// things apart by colour would lose its marks; the text is checked all the same.
pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Theme, ThemeError> {
    let file = read(name, text)?;
    let mut theme = styles(name, &file, 0)?;
    let instead = match depth {
        Depth::Mono => Some("mono"),
        Depth::Ansi16 => file.sixteen.as_deref(),
        Depth::Ansi256 | Depth::True => None,
    };
    if let Some(other) = instead.filter(|other| *other != name) {
        theme = styles(other, &read(other, built_in(other)?)?, 0)?;
    }
    name.clone_into(&mut theme.name);
    theme.description.clone_from(&file.description);
    for role in Theme::ROLES {
        if let Some(style) = theme.role_mut(role) {
            *style = depth.lower_style(*style);
        }
    }
    theme.profiles = theme.profiles.map(|style| depth.lower_style(style));
    Ok(theme)
}

/// Why a theme can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// No built-in theme has this name.
    #[error("There is no theme {name}.")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The text is no TOML, or has a field that themes don't have.
    #[error("The theme {theme} can't be read: {message}")]
    Toml {
        /// The theme.
        theme: String,
        /// What the reader says, with line and column.
        message: String,
    },
    /// A role that isn't one.
    #[error("The theme {theme} sets {role}, which is no role.")]
    Role {
        /// The theme.
        theme: String,
        /// The word in the file.
        role: String,
    },
    /// A colour that is neither in the theme's palette nor one of the terminal's.
    #[error("The theme {theme} gives {role} the colour {color}, which is none.")]
    Color {
        /// The theme.
        theme: String,
        /// The role with that colour.
        role: String,
        /// The word in the file.
        color: String,
    },
    /// A profile colour that isn't one of [`PROFILE_COLORS`].
    #[error("The theme {theme} sets the profile colour {color}, which is none.")]
    Profile {
        /// The theme.
        theme: String,
        /// The word in the file.
        color: String,
    },
    /// Themes that inherit from each other in a circle.
    #[error("The theme {theme} inherits from itself.")]
    Circle {
        /// The theme.
        theme: String,
    },
}

impl ThemeError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { name } => near(name, BUILT_IN.iter().map(|(name, _)| *name)),
            Self::Role { role, .. } => near(role, Theme::ROLES.iter().copied()),
            Self::Profile { color, .. } => near(color, PROFILE_COLORS.into_iter()),
            Self::Toml { .. } => {
                "Correct the line named above, or choose another theme.".to_owned()
            }
            Self::Color { .. } => {
                "Write #rrggbb, a number from 0 to 255, one of the terminal's sixteen such as \
                 bright-red, or a name from [palette]."
                    .to_owned()
            }
            Self::Circle { .. } => "Name a built-in theme in inherits.".to_owned(),
        }
    }
}

fn near<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let all = known.clone().collect::<Vec<_>>().join(", ");
    known
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map_or_else(
            || format!("Choose one of {all}."),
            |(_, name)| format!("Did you mean {name}?"),
        )
}

/// The file of a theme.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    description: String,
    inherits: Option<String>,
    sixteen: Option<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "the contrast test reads it"))]
    on: On,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, StyleText>,
    #[serde(default)]
    profiles: BTreeMap<String, StyleText>,
}

/// The terminal that the colours were chosen for; the contrast test reads it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), expect(dead_code, reason = "the contrast test reads it"))]
struct On {
    #[serde(default)]
    backgrounds: Vec<String>,
    foreground: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleText {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Attribute {
    Bold,
    Dim,
    Italic,
    Underlined,
    Reversed,
    CrossedOut,
}

impl Attribute {
    fn modifier(self) -> Modifier {
        match self {
            Self::Bold => Modifier::BOLD,
            Self::Dim => Modifier::DIM,
            Self::Italic => Modifier::ITALIC,
            Self::Underlined => Modifier::UNDERLINED,
            Self::Reversed => Modifier::REVERSED,
            Self::CrossedOut => Modifier::CROSSED_OUT,
        }
    }
}

fn built_in(name: &str) -> Result<&'static str, ThemeError> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
        .ok_or_else(|| ThemeError::Unknown {
            name: name.to_owned(),
        })
}

fn read(name: &str, text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|error| ThemeError::Toml {
        theme: name.to_owned(),
        message: toml_told(text, &error),
    })
}

/// What the reader of TOML says, with its place, in one line: its own text draws the line below.
fn toml_told(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("line {line}, column {column}: {}.", error.message())
}

/// The styles of a file at full depth, with what it inherits.
fn styles(name: &str, file: &File, generation: usize) -> Result<Theme, ThemeError> {
    let base = match file.inherits.as_deref() {
        Some(base) => Some(base),
        // A theme of somebody's own may leave roles out; the built-in root may not (by a test).
        None if name == "auto" => None,
        None => Some("auto"),
    };
    let mut theme = match base {
        None => Theme::plain(),
        Some(base) => {
            if generation > BUILT_IN.len() {
                return Err(ThemeError::Circle {
                    theme: name.to_owned(),
                });
            }
            styles(base, &read(base, built_in(base)?)?, generation + 1)?
        }
    };
    for (role, text) in &file.roles {
        let style = style(name, role, text, &file.palette)?;
        let slot = theme.role_mut(role).ok_or_else(|| ThemeError::Role {
            theme: name.to_owned(),
            role: role.clone(),
        })?;
        *slot = style;
    }
    for (color, text) in &file.profiles {
        let style = style(name, color, text, &file.palette)?;
        let at = PROFILE_COLORS
            .iter()
            .position(|known| known == color)
            .ok_or_else(|| ThemeError::Profile {
                theme: name.to_owned(),
                color: color.clone(),
            })?;
        theme.profiles[at] = style;
    }
    Ok(theme)
}

fn style(
    theme: &str,
    role: &str,
    text: &StyleText,
    palette: &BTreeMap<String, String>,
) -> Result<Style, ThemeError> {
    let color = |word: &Option<String>| -> Result<Option<Color>, ThemeError> {
        let Some(word) = word else { return Ok(None) };
        let value = palette.get(word).unwrap_or(word);
        Color::from_str(value)
            .map(Some)
            .map_err(|_| ThemeError::Color {
                theme: theme.to_owned(),
                role: role.to_owned(),
                color: word.clone(),
            })
    };
    let attributes = text
        .attributes
        .iter()
        .fold(Modifier::empty(), |all, one| all | one.modifier());
    Ok(Style {
        fg: color(&text.fg)?,
        bg: color(&text.bg)?,
        add_modifier: attributes,
        ..Style::new()
    })
}

/// The sixteen colours and what xterm shows for them by default.
const ANSI: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// The six steps of a channel in the cube of 256 colours.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

pub(super) fn indexed_rgb(index: u8) -> [u8; 3] {
    match index {
        0..=15 => ANSI[usize::from(index)].1,
        16..=231 => {
            let at = usize::from(index - 16);
            [CUBE[at / 36], CUBE[at / 6 % 6], CUBE[at % 6]]
        }
        232..=255 => [8 + 10 * (index - 232); 3],
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(&a, b)| u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

fn nearest_256(rgb: [u8; 3]) -> u8 {
    // The first sixteen are the person's own and may be anything.
    (16..=255u8)
        .min_by_key(|&index| distance(indexed_rgb(index), rgb))
        .expect("because the range isn't empty")
}

fn nearest_16(rgb: [u8; 3]) -> Color {
    ANSI.iter()
        .min_by_key(|(_, shown)| distance(*shown, rgb))
        .expect("because there are sixteen")
        .0
}

/// Relative luminance as WCAG 2 defines it, 0 to 1.
fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(|channel| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// What is drawn beside text.
///
/// Every glyph is one column wide, in both sets.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// The lines of a border.
    pub border: border::Set<'static>,
    /// Before the row under the cursor.
    pub caret: &'static str,
    /// Before a marked row.
    pub mark: &'static str,
    /// A node whose children are shown.
    pub open: &'static str,
    /// A node with children that aren't shown.
    pub closed: &'static str,
    /// A node without children.
    pub leaf: &'static str,
    /// Between the parts of a path.
    pub path: &'static str,
    /// Between two facts in one line.
    pub dot: &'static str,
    /// From one thing to another.
    pub arrow: &'static str,
    /// Left of a value that can be changed with the left key.
    pub left: &'static str,
    /// Right of a value that can be changed with the right key.
    pub right: &'static str,
    /// What is done.
    pub check: &'static str,
    /// What failed.
    pub cross: &'static str,
    /// Where text was cut off.
    pub ellipsis: &'static str,
    /// The frames of the spinner.
    pub spinner: &'static [&'static str],
    /// The done part of a progress bar.
    pub bar_done: &'static str,
    /// The open part of a progress bar.
    pub bar_open: &'static str,
    /// The thumb of a scroll bar.
    pub thumb: &'static str,
    /// A line across.
    pub rule: &'static str,
    /// The line before quoted text.
    pub quote: &'static str,
    /// The mark of a list item.
    pub bullet: &'static str,
}

/// Thin rounded lines and the usual symbols.
pub static UNICODE: Glyphs = Glyphs {
    border: border::ROUNDED,
    caret: "▸",
    mark: "●",
    open: "▾",
    closed: "▸",
    leaf: "·",
    path: "▸",
    dot: "·",
    arrow: "→",
    left: "◂",
    right: "▸",
    check: "✓",
    cross: "✗",
    ellipsis: "…",
    spinner: &["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"],
    bar_done: "█",
    bar_open: "░",
    thumb: "┃",
    rule: "─",
    quote: "│",
    bullet: "•",
};

/// Nothing but ASCII.
pub static ASCII: Glyphs = Glyphs {
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    caret: ">",
    mark: "*",
    open: "v",
    closed: ">",
    leaf: "-",
    path: ">",
    dot: "-",
    arrow: ">",
    left: "<",
    right: ">",
    check: "y",
    cross: "x",
    ellipsis: "~",
    spinner: &["|", "/", "-", "\\"],
    bar_done: "#",
    bar_open: ".",
    thumb: "#",
    rule: "-",
    quote: "|",
    bullet: "*",
};

/// What stands for a sign of ours where there is nothing but ASCII, as wide as the sign.
pub(super) fn in_ascii(sign: char) -> Option<char> {
    Some(match sign {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => ' ',
        '·' | '–' | '—' | '‐' | '‑' | '−' | '─' => '-',
        '•' | '●' | '○' => '*',
        '…' => '~',
        '‘' | '’' | '‚' | '‛' => '\'',
        '“' | '”' | '„' => '"',
        '×' => 'x',
        '←' | '◂' | '‹' | '«' => '<',
        '→' | '▸' | '›' | '»' => '>',
        '↑' => '^',
        '↓' | '▾' => 'v',
        '│' | '┃' => '|',
        '╭' | '╮' | '╰' | '╯' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => {
            '+'
        }
        '█' => '#',
        '░' | '◌' => '.',
        '✓' => 'y',
        '✗' => 'x',
        _ => return None,
    })
}

impl Glyphs {
    /// The spinner's frame at a step that counts up.
    pub fn spin(&self, step: u64) -> &'static str {
        let at = step % self.spinner.len() as u64;
        self.spinner[at as usize]
    }

    /// A progress bar of `width` cells with `done` of `total` filled.
    ///
    /// The last cell fills only when everything is done, the first as soon as anything is.
    pub fn bar(&self, width: u16, done: u64, total: u64) -> String {
        let cells = u64::from(width);
        let filled = if total == 0 || done == 0 {
            0
        } else if done >= total {
            cells
        } else {
            let share = u128::from(done) * u128::from(cells) / u128::from(total);
            u64::try_from(share)
                .unwrap_or(cells)
                .max(1)
                .min(cells.saturating_sub(1))
        };
        self.bar_done.repeat(filled as usize) + &self.bar_open.repeat((cells - filled) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    const DEPTHS: [Depth; 4] = [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::True];

    fn rgb(color: Color) -> Option<[u8; 3]> {
        match color {
            Color::Reset => None,
            Color::Rgb(r, g, b) => Some([r, g, b]),
            Color::Indexed(index) => Some(indexed_rgb(index)),
            named => Some(
                ANSI.iter()
                    .find(|(known, _)| *known == named)
                    .expect("because every other colour is one of the sixteen")
                    .1,
            ),
        }
    }

    fn hex(text: &str) -> [u8; 3] {
        rgb(Color::from_str(text).unwrap()).unwrap()
    }

    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// The foreground and background that a cell ends up with on a terminal.
    fn shown(style: Style, foreground: [u8; 3], background: [u8; 3]) -> ([u8; 3], [u8; 3]) {
        let mut fg = style.fg.and_then(rgb).unwrap_or(foreground);
        let mut bg = style.bg.and_then(rgb).unwrap_or(background);
        if style.add_modifier.contains(Modifier::DIM) {
            // VTE and xterm take a third off the foreground towards the background.
            for (fg, bg) in fg.iter_mut().zip(bg) {
                *fg = ((u16::from(*fg) * 2 + u16::from(bg)) / 3) as u8;
            }
        }
        if style.add_modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut fg, &mut bg);
        }
        (fg, bg)
    }

    #[test]
    fn every_pair_of_every_theme_has_contrast() {
        let mut low = Vec::new();
        for (name, text) in BUILT_IN {
            let file = read(name, text).unwrap();
            for depth in DEPTHS {
                // With few colours another theme stands in, and with it the palette and the
                // backgrounds of terminals that have so few.
                let on = match (depth, &file.sixteen) {
                    (Depth::Mono, _) => read("mono", built_in("mono").unwrap()).unwrap().on,
                    (Depth::Ansi16, Some(other)) => {
                        read(other, built_in(other).unwrap()).unwrap().on
                    }
                    _ => read(name, text).unwrap().on,
                };
                assert!(!on.backgrounds.is_empty(), "{name} declares no background");
                let theme = load(name, depth).unwrap();
                for background in &on.backgrounds {
                    let background = hex(background);
                    let foreground = on.foreground.as_deref().map_or_else(
                        || match Ground::of(background) {
                            Ground::Dark => [229; 3],
                            Ground::Light => [0; 3],
                        },
                        hex,
                    );
                    let profiles = PROFILE_COLORS
                        .into_iter()
                        .map(|color| (color, theme.profile(color).unwrap()));
                    // Roles are laid on the ground, and those that mark a part of a row on a row.
                    let under = [theme.ground, theme.ground.patch(theme.cursor)];
                    for ((role, style), under) in theme
                        .roles()
                        .chain(profiles)
                        .flat_map(|role| under.map(|under| (role, under)))
                    {
                        let (fg, bg) = shown(under.patch(style), foreground, background);
                        let ratio = contrast(fg, bg);
                        if ratio < 4.5 {
                            low.push(format!("{name} {depth:?} {role}: {ratio:.2}"));
                        }
                    }
                }
            }
        }
        assert_eq!(low, Vec::<String>::new());
    }

    #[test]
    fn the_root_theme_sets_every_role_and_profile() {
        let file = read("auto", BUILT_IN[0].1).unwrap();
        for role in Theme::ROLES {
            assert!(file.roles.contains_key(*role), "auto leaves out {role}");
        }
        for color in PROFILE_COLORS {
            assert!(file.profiles.contains_key(color), "auto leaves out {color}");
        }
    }

    #[test]
    fn no_theme_goes_beyond_its_depth() {
        for (name, _) in BUILT_IN {
            for depth in DEPTHS {
                let theme = load(name, depth).unwrap();
                for (role, style) in theme.roles() {
                    for color in [style.fg, style.bg].into_iter().flatten() {
                        let allowed = match color {
                            Color::Rgb(..) => Depth::True,
                            Color::Indexed(_) => Depth::Ansi256,
                            _ => Depth::Ansi16,
                        };
                        assert!(allowed <= depth, "{name} {depth:?} {role}: {color:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_can_be_lost_stands_out_without_colour() {
        for (name, _) in BUILT_IN {
            let theme = load(name, Depth::Mono).unwrap();
            for style in [
                theme.warning,
                theme.danger,
                theme.badge,
                theme.caret,
                theme.matched,
            ] {
                assert_ne!(style, theme.text, "{name}");
            }
            assert_ne!(theme.border, theme.border_focus, "{name}");
            assert_ne!(theme.warning, theme.danger, "{name}");
        }
    }

    #[test]
    fn a_theme_of_ones_own_takes_the_rest_from_what_it_inherits() {
        let text = "inherits = \"dark\"\n[palette]\nsea = \"#00aabb\"\n\
                    [roles]\naccent = { fg = \"sea\", attributes = [\"bold\"] }\n";
        let theme = parse("mine", text, Depth::True).unwrap();
        let dark = load("dark", Depth::True).unwrap();
        assert_eq!(
            theme.accent,
            Style::new()
                .fg(Color::Rgb(0, 0xaa, 0xbb))
                .add_modifier(Modifier::BOLD)
        );
        assert_eq!(theme.warning, dark.warning);
        assert_eq!(theme.name, "mine");
        let fewer = parse("mine", text, Depth::Ansi16).unwrap();
        assert_eq!(fewer.accent.fg, Some(Color::Cyan));
        assert_eq!(parse("mine", text, Depth::Mono).unwrap().accent.fg, None);
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        let error = load("drak", Depth::True).unwrap_err();
        assert_eq!(error.to_string(), "There is no theme drak.");
        assert_eq!(error.hint(), "Did you mean dark?");

        let error = parse("mine", "[roles]\nacent = {}\n", Depth::True).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The theme mine sets acent, which is no role."
        );
        assert_eq!(error.hint(), "Did you mean accent?");

        let error = parse("mine", "[roles]\ntext = { fg = \"sea\" }\n", Depth::True).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("gives text the colour sea, which is none")
        );

        let error =
            parse("mine", "[roles]\ntext = { color = \"red\" }\n", Depth::True).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(error.to_string().contains("unknown field"), "{error}");

        let error = parse("mine", "[profiles]\nmauve = {}\n", Depth::True).unwrap_err();
        assert!(error.hint().starts_with("Choose one of red,"));

        let error = parse("mine", "inherits = \"yours\"\n", Depth::True).unwrap_err();
        assert_eq!(
            error,
            ThemeError::Unknown {
                name: "yours".to_owned()
            }
        );
    }

    #[test]
    fn colours_come_down_to_the_nearest() {
        assert_eq!(
            Depth::Ansi256.lower(Color::Rgb(255, 0, 0)),
            Some(Color::Indexed(196))
        );
        assert_eq!(
            Depth::Ansi256.lower(Color::Rgb(9, 8, 7)),
            Some(Color::Indexed(232))
        );
        assert_eq!(
            Depth::Ansi16.lower(Color::Indexed(196)),
            Some(Color::LightRed)
        );
        assert_eq!(Depth::Ansi16.lower(Color::Indexed(7)), Some(Color::Gray));
        assert_eq!(Depth::Mono.lower(Color::Red), None);
    }

    #[test]
    fn the_ground_is_told_from_the_background() {
        assert_eq!(Ground::of([0, 0, 0]), Ground::Dark);
        assert_eq!(Ground::of([0x28, 0x2c, 0x34]), Ground::Dark);
        assert_eq!(Ground::of([0xfd, 0xf6, 0xe3]), Ground::Light);
        assert_eq!(auto_on(Ground::Light), "auto-light");
    }

    fn all(glyphs: &Glyphs) -> Vec<&str> {
        let line = &glyphs.border;
        let mut all = vec![
            line.top_left,
            line.top_right,
            line.bottom_left,
            line.bottom_right,
            line.vertical_left,
            line.vertical_right,
            line.horizontal_top,
            line.horizontal_bottom,
            glyphs.caret,
            glyphs.mark,
            glyphs.open,
            glyphs.closed,
            glyphs.leaf,
            glyphs.path,
            glyphs.dot,
            glyphs.arrow,
            glyphs.left,
            glyphs.right,
            glyphs.check,
            glyphs.cross,
            glyphs.ellipsis,
            glyphs.bar_done,
            glyphs.bar_open,
            glyphs.thumb,
            glyphs.rule,
            glyphs.quote,
            glyphs.bullet,
        ];
        all.extend(glyphs.spinner);
        all
    }

    #[test]
    fn glyphs_are_one_column_wide_and_ascii_is_ascii() {
        for glyph in all(&UNICODE).into_iter().chain(all(&ASCII)) {
            assert_eq!(glyph.width(), 1, "{glyph}");
        }
        for glyph in all(&ASCII) {
            assert!(glyph.is_ascii(), "{glyph}");
        }
    }

    #[test]
    fn a_bar_is_full_only_when_all_is_done() {
        assert_eq!(ASCII.bar(10, 0, 100), "..........");
        assert_eq!(ASCII.bar(10, 1, 100), "#.........");
        assert_eq!(ASCII.bar(10, 50, 100), "#####.....");
        assert_eq!(ASCII.bar(10, 99, 100), "#########.");
        assert_eq!(ASCII.bar(10, 100, 100), "##########");
        assert_eq!(ASCII.bar(10, 5, 0), "..........");
        assert_eq!(ASCII.bar(0, 5, 10), "");
        assert_eq!(ASCII.bar(1, 5, 10), ".");
        assert_eq!(ASCII.spin(5), "/");
    }
}
