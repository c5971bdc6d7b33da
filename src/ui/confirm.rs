//! The plan with its confirmation, a job's question, and "Leave?".

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::Canvas;
use super::form::text_field;
use super::modal::dialog;
use crate::app::layout::centred;
use crate::app::message::Size;
use crate::app::modal::confirm::{At, Confirm, Count, SpaceFacts, heading};
use crate::app::modal::leave::Leaving;
use crate::app::modal::question::QuestionDialog;
use crate::app::modal::reading::folded;
use crate::app::model::Model;
use crate::jobs::{Act, BackupChoice, OnFailure, Question, Target};
use crate::text::{number, width};

/// So many things are named, in a list that scrolls; of more, the number is told.
const NAMED: usize = 200;

type Line = Vec<(String, Style)>;

/// Draws the confirmation.
pub(super) fn draw(model: &Model, confirm: &Confirm, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(2).min(82);
    let inner_width = usize::from(wide.saturating_sub(4));
    let target = confirm.target();
    let server = format!("{} · {}", target.profile, target.host);
    let title = heading(target);
    let fold = |text: &str, style: Style| -> Vec<Line> {
        let lines = folded(text, inner_width).into_iter();
        lines.map(|line| vec![(line, style)]).collect()
    };
    // What is meant, and what is done to it: the first scrolls, the second stays in sight.
    let mut meant: Vec<Line> = vec![Vec::new()];
    if width::width(&title) + width::width(&server) + 10 > usize::from(wide) {
        meant.extend(fold(&server, theme.dim));
    }
    meant.extend(
        about(model, confirm)
            .iter()
            .flat_map(|line| fold(line, theme.text)),
    );
    let mut plan: Vec<Line> = vec![Vec::new()];
    let mut say = |text: &str, style: Style| plan.extend(fold(text, style));
    if target.act != Act::OpenForWriting {
        for (ix, step) in confirm.plan.steps.iter().enumerate() {
            let count = step
                .count
                .map(|n| format!(" ({})", number::grouped(n as u64)))
                .unwrap_or_default();
            say(&format!("{}  {}{count}", ix + 1, step.what), theme.text);
        }
    }
    for line in &confirm.plan.cannot_be_undone {
        say(line, theme.warning);
    }
    if target.act == Act::DeleteSpaces && confirm.backup == BackupChoice::Save {
        say(
            "Permissions, history, comments and attachments are not in the backup.",
            theme.warning,
        );
    }
    if matches!(target.act, Act::ArchiveSpaces | Act::RestoreSpaces) {
        say("This can be undone with a.", theme.dim);
    }
    if target.act == Act::OpenForWriting {
        say(
            "Until you quit, changes go out to this server.",
            theme.warning,
        );
    }
    for line in &confirm.skipped {
        say(line, theme.dim);
    }
    if confirm.hidden > 0 {
        let rows = number::count(confirm.hidden as u64, "marked row");
        say(&format!("The filter hides {rows} of these."), theme.warning);
    }
    let options = options(confirm);
    if !options.is_empty() {
        say("", theme.text);
        let style = if confirm.at == At::Plan {
            theme.accent
        } else {
            theme.dim
        };
        say(&options, style);
    }
    say("", theme.text);
    let foot = if confirm.problem.is_some() { 2 } else { 1 };
    let high = u16::try_from(meant.len() + plan.len())
        .unwrap_or(size.height)
        .saturating_add(foot + 2);
    let at = centred(size, wide, high);
    let inner = dialog(canvas, at, &title, &server);
    let room = usize::from(inner.height.saturating_sub(foot));
    // On a screen that is too low even for what is done, all of it scrolls.
    let (scrolled, fixed): (Vec<Line>, Vec<Line>) = if plan.len() + 2 <= room {
        (meant, plan)
    } else {
        (meant.into_iter().chain(plan).collect(), Vec::new())
    };
    let shown = room.saturating_sub(fixed.len());
    let top = confirm.scroll.min(scrolled.len().saturating_sub(shown));
    let below = scrolled.len().saturating_sub(top + shown);
    let window = scrolled.iter().skip(top).take(shown);
    for (ix, line) in window.chain(&fixed).enumerate() {
        let y = inner.y + u16::try_from(ix).unwrap_or(0);
        let at = Rect {
            y,
            height: 1,
            ..inner
        };
        canvas.pieces(at, line.iter().map(|(text, style)| (text.as_str(), *style)));
    }
    if below > 0 || top > 0 {
        let more = format!(
            "{} above, {} below  PgUp PgDn",
            number::grouped(top as u64),
            number::grouped(below as u64)
        );
        canvas.bottom_note(at, &more, theme.warning);
    }
    let rows = shown.min(scrolled.len()) + fixed.len();
    let y = inner.y + u16::try_from(rows).unwrap_or(0);
    let line = Rect {
        y,
        height: 1,
        ..inner
    };
    match confirm.wanted() {
        Some(wanted) => {
            let verb = act_words(target);
            let label = format!("Type {wanted} to {verb}:  ");
            let used = canvas.text(line, &label, theme.text);
            let leave = u16::try_from(width::width("Esc cancel")).unwrap_or(10);
            let field = Rect {
                x: line.x + used,
                width: line.width.saturating_sub(used + leave + 2),
                ..line
            };
            text_field(canvas, field, &confirm.typed, confirm.at == At::Typed);
            canvas.right(line, "Esc cancel", theme.dim);
        }
        None => {
            let button = |on: bool| if on { theme.cursor } else { theme.text };
            let mark = |on: bool| if on { theme.glyphs.caret } else { " " };
            let (cancel, confirm_on) = (confirm.at == At::Cancel, confirm.at == At::Confirm);
            canvas.pieces(
                line,
                [
                    (mark(cancel), theme.caret),
                    (" Cancel ", button(cancel)),
                    ("   ", theme.text),
                    (mark(confirm_on), theme.caret),
                    (" Confirm ", button(confirm_on)),
                ],
            );
            canvas.right(line, "y confirm   Esc cancel", theme.dim);
        }
    }
    if let Some(problem) = &confirm.problem {
        canvas.text(
            Rect {
                y: y + 1,
                height: 1,
                ..inner
            },
            problem,
            theme.danger,
        );
    }
}

fn act_words(target: &Target) -> &'static str {
    let one = target.count() == 1;
    match target.act {
        Act::DeleteSpaces if one => "delete it",
        Act::DeleteSpaces => "delete them",
        Act::PurgeAll => "purge its trash",
        Act::PurgeMarked if one => "purge it",
        Act::PurgeMarked => "purge them",
        Act::OpenForWriting => "open it",
        _ => "go on",
    }
}

/// The plan's own keys.
fn options(confirm: &Confirm) -> String {
    let act = confirm.target().act;
    let mut parts = Vec::new();
    if act == Act::DeleteSpaces {
        parts.push(match confirm.backup {
            BackupChoice::Save => "b backup: yes".to_owned(),
            BackupChoice::Declined => "b backup: declined".to_owned(),
        });
        if confirm.target().spaces.len() > 1 {
            parts.push(match confirm.on_failure {
                OnFailure::Stop => "f on a failure: stop".to_owned(),
                OnFailure::GoOn => "f on a failure: go on".to_owned(),
            });
        }
    }
    if act != Act::OpenForWriting && act != Act::Recreate {
        parts.push("w write plan".to_owned());
        parts.push("d dry run".to_owned());
    }
    if confirm.wanted().is_some() && !parts.is_empty() && confirm.at == At::Typed {
        parts.push("Tab to these".to_owned());
    }
    parts.join("   ")
}

/// What the act is about: spaces with their facts, or items.
fn about(model: &Model, confirm: &Confirm) -> Vec<String> {
    let target = confirm.target();
    let mut lines = Vec::new();
    if target.act == Act::OpenForWriting {
        lines.push(format!(
            "The profile {} is protected and was opened read-only.",
            target.profile
        ));
        return lines;
    }
    if target.items.is_empty() {
        for space in target.spaces.iter().take(NAMED) {
            let facts = confirm.facts.iter().find(|facts| facts.key == space.key);
            let changed = facts
                .and_then(|facts| facts.changed.as_ref())
                .map(|(at, by)| {
                    format!("   last change {} by {by}", number::date(at.0, &model.zone))
                });
            let status = model
                .spaces
                .table
                .get(&space.key)
                .map_or("", crate::app::pane::spaces::standing);
            lines.push(format!(
                "{} · {}   {status}{}",
                space.key,
                space.name,
                changed.unwrap_or_default()
            ));
            if let Some(facts) = facts {
                lines.push(told(facts, target.act));
                if !facts.administrators.is_empty() && target.act == Act::DeleteSpaces {
                    lines.push(format!(
                        "administrators {}",
                        facts.administrators.join(", ")
                    ));
                }
            }
        }
        let more = target.spaces.len().saturating_sub(NAMED);
        if more > 0 {
            lines.push(format!("and {} more", number::count(more as u64, "space")));
        }
        return lines;
    }
    for item in target.items.iter().take(NAMED) {
        lines.push(format!("{} ({})", item.title, item.kind.as_str()));
    }
    let more = target.items.len().saturating_sub(NAMED);
    if more > 0 {
        lines.push(format!("and {} more", number::count(more as u64, "item")));
    }
    lines
}

fn told(facts: &SpaceFacts, act: Act) -> String {
    let count = |count: &Count, noun: &str| match count {
        Count::Asked => format!("… {}", number::plural(noun)),
        Count::Exactly(n) => number::count(*n, noun),
        Count::AtLeast(n) => format!("{}+ {}", number::grouped(*n), number::plural(noun)),
        Count::Unknown => format!("{} unknown", number::plural(noun)),
    };
    let trash = match &facts.trash {
        Count::Asked => "… in trash".to_owned(),
        Count::Exactly(n) => format!("{} in trash", number::grouped(*n)),
        Count::AtLeast(n) => format!("{}+ in trash", number::grouped(*n)),
        Count::Unknown => "trash unknown".to_owned(),
    };
    if act == Act::PurgeAll {
        return trash;
    }
    format!(
        "{} · {} · {trash}",
        count(&facts.pages, "page"),
        count(&facts.blog, "blog post")
    )
}

/// Draws a job's question.
pub(super) fn draw_question(question: &QuestionDialog, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let wide = size.width.saturating_sub(2).min(82);
    let inner_width = usize::from(wide.saturating_sub(4));
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(
            folded(text, inner_width)
                .into_iter()
                .map(|line| (line, style)),
        );
    };
    say("", theme.text);
    match &question.question {
        Question::TitleCollision { title } => {
            say(
                &format!("A current page has the title \"{title}\" already."),
                theme.text,
            );
            say("The answer is for the whole job.", theme.dim);
        }
        Question::NotSaved { items } => {
            say(
                &format!(
                    "{} could not be backed up, so nothing was purged:",
                    number::count(items.len() as u64, "item")
                ),
                theme.warning,
            );
            for item in items.iter().take(NAMED) {
                say(&format!("{}: {}", item.title, item.why), theme.text);
            }
        }
        Question::SpaceChanged { base, mine, theirs } => {
            say(
                "Somebody changed this space since the form was opened.",
                theme.warning,
            );
            let text =
                |text: &Option<String>| text.clone().unwrap_or_default().replace('\n', " / ");
            let page = |id: &Option<crate::confluence::ContentId>| {
                id.as_ref().map_or("none".to_owned(), ToString::to_string)
            };
            for (label, one, two, three) in [
                (
                    "name",
                    base.name.clone(),
                    theirs.name.clone(),
                    mine.name.clone(),
                ),
                (
                    "description",
                    text(&base.description),
                    text(&theirs.description),
                    text(&mine.description),
                ),
                (
                    "homepage",
                    page(&base.homepage),
                    page(&theirs.homepage),
                    page(&mine.homepage),
                ),
            ] {
                if one == two && two == three {
                    continue;
                }
                say("", theme.text);
                say(label, theme.dim);
                say(&format!("  as it was  {one}"), theme.text);
                say(&format!("  theirs     {two}"), theme.removed);
                say(&format!("  mine       {three}"), theme.added);
            }
        }
    }
    say("", theme.text);
    let choices = question.choices();
    let high = u16::try_from(lines.len() + choices.len() + 3).unwrap_or(size.height);
    let at = centred(size, wide, high);
    let inner = dialog(canvas, at, "A job asks", "");
    let room = usize::from(inner.height).saturating_sub(choices.len());
    for (ix, (line, style)) in lines.iter().take(room).enumerate() {
        let y = inner.y + u16::try_from(ix).unwrap_or(0);
        canvas.text(
            Rect {
                y,
                height: 1,
                ..inner
            },
            line,
            *style,
        );
    }
    for (ix, choice) in choices.iter().enumerate() {
        let y = inner.y + u16::try_from(room.min(lines.len()) + ix).unwrap_or(0);
        let here = ix == question.chosen;
        let caret = if here { theme.glyphs.caret } else { " " };
        let letter = choice.letter.to_string();
        let style = if here { theme.cursor } else { theme.text };
        let pieces = [
            (caret, theme.caret),
            (" ", theme.text),
            (&*letter, theme.key),
            ("  ", theme.text),
            (choice.label, style),
        ];
        canvas.pieces(
            Rect {
                y,
                height: 1,
                ..inner
            },
            pieces,
        );
    }
}

/// Draws "Leave?".
pub(super) fn draw_leave(leaving: &Leaving, canvas: &mut Canvas<'_>, size: Size) {
    let theme = canvas.theme;
    let (title, lines) = match leaving {
        Leaving::Form => (
            "Leave the form?",
            vec!["What you typed is not saved and would be lost.".to_owned()],
        ),
        Leaving::Program { left, .. } => {
            let mut lines = vec!["Still open:".to_owned()];
            lines.extend(left.iter().map(|line| format!("  {line}")));
            lines.push(
                "Jobs stop after the requests under way; the next start offers to go on."
                    .to_owned(),
            );
            ("Quit?", lines)
        }
    };
    let wide = size.width.saturating_sub(4).min(64);
    let lines: Vec<String> = lines
        .iter()
        .flat_map(|line| folded(line, usize::from(wide - 4)))
        .collect();
    let at = centred(size, wide, u16::try_from(lines.len()).unwrap_or(4) + 5);
    let inner = dialog(canvas, at, title, "");
    canvas.lines(
        Rect {
            y: inner.y + 1,
            height: inner.height.saturating_sub(3),
            ..inner
        },
        lines.iter().map(|line| (line.as_str(), theme.text)),
    );
    let foot = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    let word = match leaving {
        Leaving::Form => " leave   ",
        Leaving::Program { .. } => " quit   ",
    };
    canvas.pieces(
        foot,
        [
            ("y", theme.key),
            (word, theme.key_word),
            ("Esc", theme.key),
            (" stay", theme.key_word),
        ],
    );
}
