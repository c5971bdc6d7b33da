//! What frames the panes: header, footer, toasts.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::canvas::{Canvas, margin};
use super::theme::Focus;
use crate::app::action::{Action, Availability, VERBS, Verb};
use crate::app::form::{Control, Form};
use crate::app::layout::{Pane, WIDE};
use crate::app::message::{LogLevel, Millis};
use crate::app::modal::Modal;
use crate::app::modal::edit_space::Stage;
use crate::app::modal::jobs::{asks, standing};
use crate::app::modal::reading::folded;
use crate::app::model::{Model, SLOW, SPIN, Screen, Writes};
use crate::confluence::{AccessMode, ErrorKind, retry};
use crate::jobs::{Job, JobState};
use crate::text::{number, width};

/// The line at the top: where we are, who we are, what the server is.
pub(super) fn header(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.theme;
    let badge = match (&model.writes, model.session.access) {
        (Writes::ReadOnly(_) | Writes::Unkept(_) | Writes::Protected, _)
        | (_, Some(AccessMode::ReadOnly)) => " READ-ONLY ",
        (Writes::Allowed, _) => "",
    };
    let mut rest = area;
    if !badge.is_empty() {
        rest.width = rest.width.saturating_sub(
            1 + canvas.right(
                Rect {
                    width: area.width,
                    ..area
                },
                badge,
                theme.badge,
            ),
        );
    }
    if let Some(banner) = &model.profile.banner {
        let banner = format!(" {banner} ");
        rest.width = rest
            .width
            .saturating_sub(1 + canvas.right(rest, &banner, theme.badge));
    }
    let mut facts: Vec<String> = Vec::new();
    if let Some(user) = model.session.user.value() {
        facts.push(
            user.username
                .clone()
                .unwrap_or_else(|| "anonymous".to_owned()),
        );
    }
    facts.extend(
        model
            .session
            .server
            .value()
            .and_then(|server| server.version.clone()),
    );
    let silent = model.silent_since().map(|since| {
        let since = number::time(model.time(since), &model.zone);
        format!("no answer since {since}")
    });
    if silent.is_none() {
        facts.extend(
            model
                .session
                .round_trip
                .map(|ms| format!("{} ms", number::grouped(ms))),
        );
    }
    let wide = facts.len() + usize::from(silent.is_some());
    if area.width < WIDE && wide == 3 {
        facts.remove(0);
    }
    // Beside a banner, where one is comes before what the server is.
    if area.width < WIDE && model.profile.banner.is_some() {
        facts.clear();
    }
    let separator = format!(" {} ", theme.glyphs.dot);
    let mut facts = facts.join(&separator);
    let mut told = Rect {
        width: rest.width.saturating_sub(1),
        ..rest
    };
    let mut used = 0;
    if let Some(silent) = &silent {
        used = canvas.right(told, silent, theme.warning);
        told.width = told.width.saturating_sub(used);
        if !facts.is_empty() {
            facts.push_str(&separator);
        }
    }
    used += canvas.right(told, &facts, theme.dim);
    let left = Rect {
        width: rest.width.saturating_sub(used + 3),
        ..rest
    };

    let path = format!(" {} ", theme.glyphs.path);
    let profile = theme.profile_name(model.profile.color.as_deref());
    let mut pieces: Vec<(String, Style)> = vec![
        (
            " coracle  ".to_owned(),
            theme.title.add_modifier(Modifier::BOLD),
        ),
        (model.profile.name.clone(), profile),
    ];
    // The breadcrumb follows the cursor when it rests, as detail and content do.
    if model.screen == Screen::Across {
        pieces.push((path.clone(), theme.dim));
        pieces.push(("Trash across spaces".to_owned(), theme.accent));
        let across = model.across.as_ref();
        let inside = across.and_then(|across| {
            let inside = across.inside.as_ref()?;
            across.rows.get(inside.row)
        });
        if let Some(space) = inside {
            pieces.push((path, theme.dim));
            pieces.push((space.key.to_string(), theme.accent));
            pieces.push((format!(" {}", space.name), theme.text));
        }
    } else if let Some(key) = model.shown_space() {
        let name = model
            .spaces
            .table
            .get(key)
            .map(|space| space.name.shown())
            .unwrap_or_default();
        pieces.push((path.clone(), theme.dim));
        pieces.push((key.to_string(), theme.accent));
        pieces.push((format!(" {name}"), theme.text));
        if model.focus == Pane::Content || area.width < WIDE {
            let here = match model.focus {
                Pane::Spaces => None,
                Pane::Detail => Some("Detail"),
                Pane::Content => Some(model.content.tab.label()),
            };
            if let Some(here) = here {
                pieces.push((path, theme.dim));
                pieces.push((here.to_owned(), theme.text));
            }
        }
    }
    canvas.pieces(
        left,
        pieces.iter().map(|(text, style)| (text.as_str(), *style)),
    );
}

/// The line at the bottom: the keys that work here, and what is under way.
pub(super) fn footer(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.theme;
    let right = activity(model, theme.glyphs.spinner);
    let (text, style) = match &right {
        Some(Activity::Waiting(text)) => (text.as_str(), theme.warning),
        Some(Activity::Working(text)) => (text.as_str(), theme.dim),
        None => ("", theme.dim),
    };
    let used = canvas.right(
        Rect {
            width: area.width.saturating_sub(1),
            ..area
        },
        text,
        style,
    );
    let mut rest = Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(used + 3),
        ..area
    };
    // What did not count comes before what does.
    let dropped = model.modals.dropped().filter(|_| model.pending.is_none());
    if let Some(dropped) = dropped {
        let told = dropped.told_in(usize::from(rest.width));
        let used = canvas.pieces(
            rest,
            [(told.as_str(), theme.warning), ("  ", theme.key_word)],
        );
        rest.x += used;
        rest.width -= used;
    }
    let hints = hints(model);
    // Help has its place at the end, whatever else fits before it.
    let wide = |(key, word): &(String, String)| width::width(key) + 1 + width::width(word) + 2;
    let (last, others) = hints
        .split_last()
        .map_or((None, &hints[..]), |(last, others)| (Some(last), others));
    let reserved = last.map_or(0, wide);
    let room = usize::from(rest.width);
    let fits = others.iter().scan(reserved, |sum, hint| {
        *sum += wide(hint);
        (*sum <= room).then_some(hint)
    });
    for (key, word) in fits.chain(last) {
        let pieces = [
            (key.as_str(), theme.key),
            (" ", theme.key_word),
            (word, theme.key_word),
            ("  ", theme.key_word),
        ];
        let used = canvas.pieces(rest, pieces);
        rest.x += used;
        rest.width -= used;
    }
}

enum Activity {
    Working(String),
    Waiting(String),
}

/// What is under way, if it takes long enough to be worth a word.
fn activity(model: &Model, spinner: &[&str]) -> Option<Activity> {
    let waiting = model
        .inflight
        .iter()
        .filter_map(|awaited| awaited.retry.as_ref())
        .min_by_key(|retry| retry.until);
    if let Some(retry) = waiting {
        let seconds = retry.until.since(model.now).div_ceil(1_000);
        let stop = model.spell("‹cancel› stop");
        let text = match (&retry.error.kind, retry.error.status) {
            (ErrorKind::RateLimited { after_ms }, _) => {
                format!("{}  {stop}", retry::limited(seconds, *after_ms))
            }
            (_, Some(status)) if status < 400 => {
                format!("broken answer, next try in {seconds} s  {stop}")
            }
            (_, Some(status)) => format!("{status}, next try in {seconds} s  {stop}"),
            (_, None) => format!("no answer, next try in {seconds} s  {stop}"),
        };
        return Some(Activity::Waiting(text));
    }
    let jobs: Vec<&Job> = model.jobs.at_work().collect();
    let told_above = matches!(
        model.modals.last(),
        Some(Modal::Question(_) | Modal::Jobs | Modal::Job(_))
    );
    let waits = |job: &Job| job.trouble().is_some() || model.jobs.waits_for(job).is_some();
    if !told_above && let Some(job) = jobs.iter().find(|job| asks(job) || waits(job)) {
        let what = if asks(job) { "asks you" } else { "waits" };
        let way = if model.reaches_jobs() {
            model.spell("  ‹jobs› shows it")
        } else {
            String::new()
        };
        return Some(Activity::Waiting(format!("a job {what}{way}")));
    }
    let work = jobs.first().map(|job| {
        let count = number::count(jobs.len() as u64, "job");
        match standing(job).as_str() {
            "" if jobs.len() == 1 => format!("{count} {}", state(job)),
            told => format!("{count}{told}"),
        }
    });
    let left = model.jobs.left_over();
    let work = work
        .or_else(|| (left > 0).then(|| format!("{} left over", number::count(left as u64, "job"))));
    let Some(oldest) = model.inflight.iter().map(|awaited| awaited.since).min() else {
        return work.map(Activity::Working);
    };
    if model.now < oldest.plus(SLOW) {
        return work.map(Activity::Working);
    }
    let frame = spinner
        .get(spin(model.now, spinner.len()))
        .copied()
        .unwrap_or_default();
    let requests = number::count(model.inflight.len() as u64, "request");
    let both = work.map_or(requests.clone(), |work| format!("{requests} · {work}"));
    Some(Activity::Working(format!("{frame} {both}")))
}

/// What a job does of which nothing is known yet.
fn state(job: &Job) -> &'static str {
    match job.state() {
        _ if asks(job) => "asks",
        JobState::Paused if job.trouble().is_some() => "waits",
        JobState::Paused => "paused",
        JobState::Queued => "queued",
        _ => "runs",
    }
}

fn spin(now: Millis, frames: usize) -> usize {
    usize::try_from(now.0 / SPIN).unwrap_or(0) % frames.max(1)
}

/// Keys and words for the footer, the most useful first.
fn hints(model: &Model) -> Vec<(String, String)> {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, w)| ((*k).to_owned(), (*w).to_owned()))
            .collect()
    };
    if model.pasting {
        return own(&[("Esc", "end the paste that is being received")]);
    }
    if let Some(first) = model.pending {
        // A key that waits for a second one says so, and for which.
        return model
            .keymap
            .after(model.contexts(), first)
            .into_iter()
            .map(|(keys, action)| {
                let verb = action.verb();
                let word = if verb.short.is_empty() {
                    verb.title
                } else {
                    verb.short
                };
                (keys, word.to_owned())
            })
            .chain(own(&[("Esc", "leave")]))
            .collect();
    }
    let ahead = model.typed_ahead();
    if !ahead.is_empty() && model.modals.is_empty() {
        return own(&[(ahead.trim(), "waits for the list"), ("Esc", "forget it")]);
    }
    let typing = match model.focus {
        _ if model.screen == Screen::Across => model.across_typing(),
        Pane::Spaces => model.spaces.filter.typing,
        Pane::Detail => false,
        Pane::Content => model.content.outline().filter.typing,
    };
    if model.modals.is_empty() && model.preview.typing && model.preview_has_keys() {
        return own(&[("Enter", "keep"), ("Esc", "clear")]);
    }
    match model.modals.last() {
        Some(Modal::Menu(_)) => return own(&[("Enter", "choose"), ("Esc", "leave")]),
        Some(Modal::Palette(_)) => {
            return own(&[("Enter", "run"), ("Esc", "leave"), ("↑ ↓", "move")]);
        }
        Some(Modal::SpacesFilter(_)) => {
            return own(&[
                ("Enter", "ask"),
                ("Tab", "next field"),
                ("← →", "change"),
                ("Esc", "leave"),
            ]);
        }
        Some(Modal::Reading(reading)) if reading.typing => {
            return own(&[("Enter", "keep"), ("Esc", "clear")]);
        }
        None if typing => {
            return own(&[
                ("Enter", "keep the filter"),
                ("Esc", "clear it"),
                ("↑ ↓", "move"),
            ]);
        }
        Some(Modal::NewSpace(form)) if form.job.is_some() => {
            return own(&[("Esc", "leave: the job goes on")]);
        }
        Some(Modal::EditSpace(form)) if form.job.is_some() => {
            return own(&[("Esc", "leave: the job goes on")]);
        }
        Some(Modal::EditSpace(form)) if !matches!(form.stage, Stage::Form) => {
            return match form.stage {
                Stage::Picking(_) => own(&[("Enter", "pick"), ("↑ ↓", "move"), ("Esc", "back")]),
                Stage::Diff { .. } => {
                    let view = form.diff_view(model.size);
                    if view.lines.len() > view.rows {
                        own(&[("y", "save"), ("j/k", "scroll"), ("Esc", "back")])
                    } else {
                        own(&[("y", "save"), ("Esc", "back")])
                    }
                }
                Stage::Failed(_) => own(&[("r", "try again"), ("Esc", "leave")]),
                Stage::Reading | Stage::Form => own(&[("Esc", "leave")]),
            };
        }
        Some(Modal::NewSpace(dialog)) => return own(&form_hints(&dialog.form, "create")),
        Some(Modal::EditSpace(dialog)) => return own(&form_hints(&dialog.form, "save")),
        Some(Modal::Confirm(dialog)) => return own(&dialog.hints()),
        Some(Modal::Question(_)) => return own(&[("Enter", "choose"), ("Esc", "later")]),
        Some(Modal::Jobs | Modal::Job(_)) => return own(&model.job_hints()),
        Some(Modal::Backups(backups)) => return own(backups.hints()),
        Some(Modal::Plans(plans)) => return own(plans.hints()),
        Some(Modal::SetUp(dialog)) => return own(dialog.hints()),
        Some(Modal::Profiles(_)) => return own(&[("Enter", "open"), ("Esc", "stay")]),
        Some(Modal::Leave(leave)) => {
            return own(&[("y", leave.what.verb()), ("Esc", "stay")]);
        }
        Some(Modal::Reading(_)) | None => {}
    }
    let contexts = model.contexts();
    let mut verbs: Vec<&Verb> = VERBS
        .iter()
        .filter(|verb| {
            verb.weight > 0
                && verb
                    .contexts
                    .iter()
                    .any(|context| contexts.contains(context))
        })
        .collect();
    // There is no pane to go to from there: how one comes back stands among the first.
    let weight = |verb: &Verb| match verb.action {
        Action::Back if model.screen == Screen::Across => 6,
        // A pane that shows what went wrong promises this key.
        Action::Refresh if model.focus_failed() => 9,
        _ => verb.weight,
    };
    verbs.sort_by_key(|verb| (verb.action == Action::Help, std::cmp::Reverse(weight(verb))));
    let steps = [Action::Down, Action::Up].map(|step| model.keymap.key_here(contexts, step));
    let steps: Vec<String> = steps.into_iter().flatten().collect();
    let mut hints = Vec::new();
    if !steps.is_empty() {
        hints.push((steps.join("/"), "move".to_owned()));
    }
    let welcome = matches!(model.screen, Screen::Welcome { .. });
    if welcome && model.modals.is_empty() {
        hints.push(("Enter".to_owned(), "choose".to_owned()));
    }
    for verb in verbs {
        // Nothing is offered that would only say why not.
        if model.availability(verb.action) != Availability::Yes {
            continue;
        }
        let Some(word) = word_here(model, verb) else {
            continue;
        };
        let Some(key) = model.keymap.key_here(contexts, verb.action) else {
            continue;
        };
        hints.push((key, word.to_owned()));
    }
    hints
}

/// What a verb is called in the footer now; `None` where it has no place there.
fn word_here(model: &Model, verb: &Verb) -> Option<&'static str> {
    let reading = matches!(model.modals.last(), Some(Modal::Reading(_)));
    let across = model.screen == Screen::Across;
    let at_content = across || model.focus == Pane::Content;
    let previews = model.modals.is_empty() && model.preview.is_open;
    let word = match verb.action {
        // In the trash one is there already.
        Action::Trash if model.focus == Pane::Content && model.content.is_trash() => return None,
        // Before there is a server there are none.
        Action::Jobs if matches!(model.screen, Screen::Welcome { .. }) => return None,
        Action::Back if reading => "close",
        // The key that opened the preview is offered to close it.
        Action::Back if previews && at_content => return None,
        Action::Preview if previews => "close",
        Action::Back if across || model.focus != Pane::Spaces => "back",
        Action::Refresh if model.focus_failed() => "try again",
        Action::Open
            if model
                .across
                .as_ref()
                .is_some_and(|view| across && view.inside.is_none()) =>
        {
            "look inside"
        }
        _ => verb.short,
    };
    Some(word)
}

/// The keys of a form, with the word for what it does in the end.
fn form_hints(form: &Form, done: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut hints = vec![("Tab", "next field")];
    if form.is_at_choice() {
        hints.push(("← →", "change"));
    } else if matches!(form.focused().control, Control::Picked { .. }) {
        hints.push(("Enter", "pick"));
    }
    hints.extend([("Ctrl-s", done), ("Ctrl-e", "editor"), ("Esc", "leave")]);
    hints
}

/// Short notices, above the footer at the right, the newest lowest. Below the header while a dialog
/// is open, whose answers stand at its foot; where they would cover it, the newest has the header's
/// line. Where that is too short for it, it lies over the last rows of a list, as over those of the
/// panes; what a dialog asks is never hidden. Every notice is in the log.
pub(super) fn toasts(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let theme = canvas.theme;
    let wide = area.width.saturating_sub(4).min(64);
    if wide < 20 || area.height < 6 {
        return;
    }
    let at_top = !model.modals.is_empty();
    let mut edge = if at_top {
        area.y + 1
    } else {
        // The panes' bottom border stays in sight with its notes.
        area.bottom() - 2
    };
    let folded: Vec<_> = model
        .toasts
        .iter()
        .rev()
        .map(|toast| (toast, folded(&toast.text, usize::from(wide - 4))))
        .collect();
    // One width for all: boxes one over the other have one edge.
    let inner = folded
        .iter()
        .flat_map(|(_, lines)| lines.iter().map(|line| width::width(line)))
        .max()
        .unwrap_or(0);
    let boxed = u16::try_from(inner + 4).unwrap_or(wide).min(wide);
    for (ix, (toast, lines)) in folded.iter().enumerate() {
        let height = u16::try_from(lines.len()).unwrap_or(4).min(6) + 2;
        let fits = if at_top {
            edge + height < area.bottom()
        } else {
            edge >= area.y + 2 + height
        };
        if !fits {
            return;
        }
        let at = Rect {
            x: area.right() - boxed - 1,
            y: if at_top { edge } else { edge - height },
            width: boxed,
            height,
        };
        let (label, style) = match toast.level {
            LogLevel::Info => ("", theme.toast),
            LogLevel::Warning => ("Note", theme.warning),
            LogLevel::Error => ("Failed", theme.danger),
        };
        if let Some(dialog) = canvas.dialog.filter(|dialog| dialog.intersects(at)) {
            if ix == 0 {
                let asks = model.modals.last().is_some_and(Modal::asks);
                let inside = Rect {
                    x: dialog.right().saturating_sub(boxed + 1),
                    y: dialog.bottom().saturating_sub(height + 1),
                    ..at
                };
                let fits = is_in_one_line(area, &toast.text, label);
                if fits || asks || dialog.width < boxed + 2 || dialog.height < height + 4 {
                    in_header(canvas, area, &toast.text, (label, style));
                } else {
                    boxed_notice(canvas, inside, lines, (label, style));
                }
            }
            return;
        }
        boxed_notice(canvas, at, lines, (label, style));
        edge = if at_top { at.bottom() } else { at.y };
    }
}

/// A notice in a frame of its own.
fn boxed_notice(
    canvas: &mut Canvas<'_>,
    at: Rect,
    lines: &[String],
    (label, style): (&str, Style),
) {
    let theme = canvas.theme;
    canvas.clear(at);
    let title = [(label, style)];
    canvas.frame(
        at,
        if label.is_empty() { &[] } else { &title },
        Focus::Elsewhere,
    );
    let text = Rect {
        x: at.x + 1,
        y: at.y + 1,
        width: at.width - 2,
        height: at.height - 2,
    };
    canvas.buffer.set_style(text, theme.toast);
    for (row, line) in text.rows().zip(lines) {
        canvas.text(margin(row), line, theme.toast);
    }
}

/// Whether a notice is whole in the line of the header.
fn is_in_one_line(area: Rect, text: &str, label: &str) -> bool {
    let label = match width::width(label) {
        0 => 0,
        word => word + 2,
    };
    label + width::width(text) + 2 <= usize::from(area.width)
}

/// A notice in one line, over the header, unless the dialog is there as well.
fn in_header(canvas: &mut Canvas<'_>, area: Rect, text: &str, (label, style): (&str, Style)) {
    let line = Rect { height: 1, ..area };
    if canvas.dialog.is_some_and(|dialog| dialog.intersects(line)) {
        return;
    }
    let theme = canvas.theme;
    canvas.clear(line);
    canvas.buffer.set_style(line, theme.toast);
    let mut rest = margin(line);
    if !label.is_empty() {
        let used = canvas.text(rest, &format!("{label}:"), style) + 1;
        rest.x += used;
        rest.width = rest.width.saturating_sub(used);
    }
    canvas.text(rest, text, theme.toast);
}
