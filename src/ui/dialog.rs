//! An empty dialog: its frame, its title and whose it is.

use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::canvas::{Canvas, margin};
use crate::app::layout::inside;
use crate::app::model::{Model, Screen};
use crate::text::width;

/// Whose dialog it is: a profile by its name, in its colour, and its server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    profile: &'a str,
    color: Option<&'a str>,
    /// Empty where nothing is decided that concerns the server.
    host: &'a str,
}

impl<'a> Owner<'a> {
    /// The profile that is open. Before one is, nobody owns a dialog.
    pub(super) fn profile(model: &'a Model) -> Self {
        let profile = match model.screen {
            Screen::Welcome { .. } => "",
            Screen::Panes | Screen::Across => model.profile.name.as_str(),
        };
        Self {
            profile,
            color: model.profile.color.as_deref(),
            host: "",
        }
    }

    /// The profile that is open, with its server: for what is to be decided.
    pub(super) fn server(model: &'a Model) -> Self {
        Self {
            host: model.profile.server(),
            ..Self::profile(model)
        }
    }

    /// What was captured of a profile when an act began: it keeps that server, whatever is open now.
    pub(super) fn captured(model: &'a Model, profile: &'a str, host: &'a str) -> Self {
        let color = if profile == model.profile.name {
            model.profile.color.as_deref()
        } else {
            let of_that_name = model.profiles.iter().find(|choice| choice.name == profile);
            of_that_name.and_then(|choice| choice.color.as_deref())
        };
        Self {
            profile,
            color,
            host,
        }
    }

    /// How many columns its name takes in a border, with the blanks around it.
    pub(super) fn columns(&self) -> usize {
        match width::width(self.profile) {
            0 => 0,
            name => name + 2,
        }
    }
}

/// An empty dialog with a title, and whose it is: the profile's name where there is room for it,
/// then the host.
pub(super) fn dialog(canvas: &mut Canvas<'_>, at: Rect, title: &str, owner: Owner<'_>) -> Rect {
    let theme = canvas.theme;
    dialog_in(canvas, at, (title, theme.title), owner, theme.border_focus)
}

/// The same for something that can't be undone: its frame warns before a word is read.
pub(super) fn warning_dialog(
    canvas: &mut Canvas<'_>,
    at: Rect,
    title: &str,
    owner: Owner<'_>,
) -> Rect {
    let theme = canvas.theme;
    // What picks out words in a sentence would draw a second line along a border.
    let frame = theme
        .warning
        .remove_modifier(Modifier::UNDERLINED | Modifier::REVERSED);
    dialog_in(canvas, at, (title, theme.title.patch(frame)), owner, frame)
}

fn dialog_in(
    canvas: &mut Canvas<'_>,
    at: Rect,
    (title, style): (&str, Style),
    owner: Owner<'_>,
    frame: Style,
) -> Rect {
    canvas.clear(at);
    canvas.dialog = Some(at);
    let theme = canvas.theme;
    canvas.frame_in(at, &[(title, style)], frame);
    let used = u16::try_from(width::width(title)).unwrap_or(0) + 4;
    let line = Rect {
        x: at.x + used,
        y: at.y,
        width: at.width.saturating_sub(used + 2),
        height: 1,
    };
    // One cell of the border stays between title and owner.
    let room = usize::from(line.width.saturating_sub(1));
    let name = owner.columns();
    if name > 0 && name <= room {
        let host = format!("{} {} ", theme.glyphs.dot, owner.host);
        let host =
            Some(host).filter(|host| !owner.host.is_empty() && name + width::width(host) <= room);
        let host = host.as_deref().unwrap_or_default();
        let wide = u16::try_from(name + width::width(host)).unwrap_or(line.width);
        let profile = format!(" {} ", owner.profile);
        let mut place = Rect {
            x: line.right() - wide,
            width: wide,
            ..line
        };
        let own = theme.profile_name(owner.color);
        // Without a colour of its own it takes none from the border: that would look like one.
        let own = own.fg(own.fg.or(theme.ground.fg).unwrap_or(Color::Reset));
        let used = canvas.over_border(place, &profile, own);
        place.x += used;
        place.width -= used;
        canvas.over_border(place, host, theme.dim);
    }
    margin(inside(at))
}
