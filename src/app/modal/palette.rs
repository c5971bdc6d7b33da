//! The command palette: every verb by its name, with its key, or why it can't run now.

use ratatui::layout::Rect;
use serde::Serialize;

use super::{Outcome, is_esc};
use crate::app::action::{Action, Availability, Context, VERBS, Verb};
use crate::app::field::{Field, Lines};
use crate::app::key::{Chord, Key};
use crate::app::layout::centred;
use crate::app::list::{Cursor, Step};
use crate::app::message::{Effect, LogLevel, Size};
use crate::app::model::Model;
use crate::text::filter::Filter;
use crate::text::index::{Index, Progress, Scan};

/// The palette.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Palette {
    /// What is looked for.
    pub field: Field,
    /// What was found, the best first; without a search, what was used last first.
    pub found: Vec<Action>,
    /// The cursor.
    pub cursor: Cursor,
    /// Where a command runs: the contexts below the palette.
    pub here: Vec<Context>,
    /// Everything there is, in the order of an empty search.
    all: Vec<Action>,
}

/// How many commands are shown at once on a screen of this size.
pub fn rows(size: Size) -> usize {
    usize::from(size.height.saturating_sub(8).clamp(1, 18))
}

/// Where the palette is on a screen of this size.
pub fn area(size: Size) -> Rect {
    let wide = size.width.saturating_sub(4).min(96);
    let high = u16::try_from(rows(size)).unwrap_or(u16::MAX);
    centred(size, wide, high.saturating_add(5))
}

impl Palette {
    /// All commands: `recent` first, then what can run, then what can't; what only moves comes last.
    pub fn new(recent: &[Action], here: &[Context], can_run: impl Fn(Action) -> bool) -> Self {
        let others = VERBS
            .iter()
            .map(|verb| verb.action)
            .filter(|action| !recent.contains(action) && *action != Action::Palette);
        let mut others: Vec<Action> = others.collect();
        others.sort_by_cached_key(|action| (action.is_motion(), !can_run(*action)));
        let all: Vec<Action> = recent.iter().copied().chain(others).collect();
        Self {
            field: Field::new(Lines::One, ""),
            found: all.clone(),
            cursor: Cursor::default(),
            here: here.to_vec(),
            all,
        }
    }

    /// Looks again after the text changed. A term that is not finished keeps what was found.
    pub(super) fn search(&mut self) {
        let Ok(filter) = Filter::parse(&self.field.text(), &[]) else {
            return;
        };
        let rows: Vec<String> = self.all.iter().map(|action| names(action.verb())).collect();
        let index = Index::new(rows.iter().map(String::as_str));
        let mut scan = Scan::new(&filter, &index);
        while scan.step(&index, usize::MAX) != Progress::Done {}
        let found = scan.matches().iter().map(|row| self.all[*row as usize]);
        self.found = if filter.is_empty() {
            self.all.clone()
        } else {
            found.collect()
        };
        self.cursor = Cursor::default();
    }

    /// Puts the cursor on this line of those that are shown, if there is one.
    pub(in crate::app) fn point_at(&mut self, line: usize, shown: usize) -> bool {
        let row = self.cursor.window(self.found.len(), shown).nth(line);
        if let Some(row) = row {
            self.cursor.at = row;
        }
        row.is_some()
    }

    /// The verb under the cursor.
    pub fn chosen(&self) -> Option<Action> {
        self.found.get(self.cursor.at).copied()
    }
}

/// What a verb is found by.
fn names(verb: &Verb) -> String {
    format!("{} {} {}", verb.title, verb.name, verb.short)
}

impl Model {
    /// Opens the palette for what is in front now.
    pub(in crate::app) fn open_palette(&mut self) {
        let here = self.contexts();
        let can_run = |action| self.why_not(here, action).is_none();
        let palette = Palette::new(&self.view.recent, here, can_run);
        self.modals.push(super::Modal::Palette(palette));
    }

    /// Where a verb can run that can't in these contexts, in as few words as a row has room for.
    pub fn place_of(&self, here: &[Context], action: Action) -> Option<String> {
        let contexts = action.verb().contexts;
        if contexts.iter().any(|context| here.contains(context)) {
            return None;
        }
        // Of the lists, one alone would say too little.
        let place = match contexts {
            [Context::Spaces, _, ..] => "in a list",
            [first, ..] => first.place(),
            [] => return None,
        };
        Some(format!("Only {place}."))
    }

    /// Why a verb can't run in these contexts, if it can't: one sentence.
    pub fn why_not(&self, here: &[Context], action: Action) -> Option<String> {
        let verb = action.verb();
        if !verb.contexts.iter().any(|context| here.contains(context)) {
            let places: Vec<&str> = verb
                .contexts
                .iter()
                .map(|context| context.title())
                .collect();
            return Some(format!("In another place: {}.", places.join(" or ")));
        }
        match self.availability(action) {
            Availability::Yes => None,
            Availability::No(reason) if reason.is_empty() => {
                Some("Not before a server is chosen.".to_owned())
            }
            Availability::No(reason) => Some(reason),
        }
    }

    pub(super) fn palette_key(
        &mut self,
        palette: &mut Palette,
        chord: Chord,
        out: &mut Vec<Effect>,
    ) -> Outcome {
        let (len, height) = (palette.found.len(), rows(self.size));
        let step = match (chord.key, chord.ctrl) {
            (Key::Up, _) | (Key::Char('p'), true) => Step::Up,
            (Key::Down, _) | (Key::Char('n'), true) => Step::Down,
            (Key::PageUp, _) => Step::PageUp,
            (Key::PageDown, _) => Step::PageDown,
            (Key::Enter, _) => {
                let Some(action) = palette.chosen() else {
                    return Outcome::Stay;
                };
                if let Some(reason) = self.why_not(&palette.here, action) {
                    self.say(LogLevel::Info, reason);
                    return Outcome::Stay;
                }
                self.remember(action);
                self.act(action, out);
                return Outcome::Close;
            }
            _ if is_esc(chord) => return Outcome::Close,
            _ => {
                let before = palette.field.text();
                if !palette.field.key(chord) {
                    return Outcome::NotMine;
                }
                if palette.field.text() != before {
                    palette.search();
                }
                return Outcome::Stay;
            }
        };
        palette.cursor.step(step, len, height);
        Outcome::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Action> {
        let recent = [Action::Log, Action::Sort];
        let can_run = |action| action != Action::Delete;
        let mut palette = Palette::new(&recent, &[Context::Spaces], can_run);
        palette.field.set(text);
        palette.search();
        palette.found
    }

    #[test]
    fn every_verb_is_there_and_what_was_used_last_comes_first() {
        let all = found("");
        assert_eq!(all.len(), VERBS.len() - 1, "all but the palette itself");
        assert_eq!(&all[..2], [Action::Log, Action::Sort]);
    }

    #[test]
    fn what_can_run_comes_before_what_cannot_and_motions_come_last() {
        let all = found("");
        let rank = |action: &Action| (action.is_motion(), *action == Action::Delete);
        assert!(all[2..].is_sorted_by_key(rank), "{all:?}");
        assert!(!all[2].is_motion() && all[all.len() - 1].is_motion());
    }

    #[test]
    fn where_else_a_command_runs_fits_beside_it_at_80_columns() {
        for verb in VERBS {
            for place in verb.contexts {
                assert!(format!("Only {}.", place.place()).len() <= 28, "{place:?}");
            }
        }
    }

    #[test]
    fn a_few_letters_find_a_verb() {
        for (text, action) in [
            ("new sp", Action::NewSpace),
            ("purge all", Action::PurgeAll),
            ("srvr", Action::ServerFilter),
            ("'log", Action::Log),
        ] {
            assert_eq!(
                found(text).first(),
                Some(&action),
                "{text}: {:?}",
                found(text)
            );
        }
        assert_eq!(found("zzzz"), []);
    }
}
