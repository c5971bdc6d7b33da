//! Which key does what, where: the table of verbs with the changes of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::action::{Action, Context, VERBS, Verb};
use super::key::{BadKey, Chord};

/// One or two keys in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Keys {
    /// The first.
    pub first: Chord,
    /// The second, if it takes two.
    pub second: Option<Chord>,
}

impl std::str::FromStr for Keys {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let mut words = text.split_whitespace();
        let first = words
            .next()
            .ok_or_else(|| BadKey(text.to_owned()))?
            .parse()?;
        let second = words.next().map(str::parse).transpose()?;
        match words.next() {
            Some(_) => Err(BadKey(text.to_owned())),
            None => Ok(Self { first, second }),
        }
    }
}

impl std::fmt::Display for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.second {
            None => self.first.fmt(f),
            Some(second) => write!(f, "{} {second}", self.first),
        }
    }
}

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This is to be done.
    Action(Action),
    /// One more key decides.
    Pending,
    /// Nothing here.
    Nothing,
}

/// A change of the configuration: in this context, this verb has these keys and no others.
/// No keys unbinds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebinding {
    /// Where.
    pub context: Context,
    /// The verb's name.
    pub verb: String,
    /// Its keys.
    pub keys: Vec<String>,
}

/// Why a set of changes can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// A key that is no key.
    #[error("[keys.{context}] {verb}: {source}", context = .context.name())]
    Key {
        /// Where it stands.
        context: Context,
        /// For which verb.
        verb: String,
        /// What is wrong with it.
        source: BadKey,
    },
    /// A verb that there is not, or not there.
    #[error("[keys.{context}] there is no verb `{verb}` here.{hint}", context = .context.name())]
    Verb {
        /// Where it stands.
        context: Context,
        /// Its name.
        verb: String,
        /// The nearest name, in a sentence.
        hint: String,
    },
    /// One key for two verbs.
    #[error("[keys.{context}] {keys} is bound to both `{one}` and `{other}`. Give one of them another key.", context = .context.name())]
    Conflict {
        /// Where.
        context: Context,
        /// The key.
        keys: String,
        /// The one verb.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// A key alone, and the first of two, in two places that hold at one time.
    #[error("[keys.{context}] `{verb}` is {keys}, and `{other}` in [keys.{place}] is {others}: one of them would never be reached. Give it another key.", context = .context.name(), place = .place.name())]
    Prefix {
        /// The inner place.
        context: Context,
        /// Its verb.
        verb: &'static str,
        /// Its keys.
        keys: String,
        /// The outer place.
        place: Context,
        /// Its verb.
        other: &'static str,
        /// Its keys.
        others: String,
    },
}

/// The keys in effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keymap {
    bindings: BTreeMap<Context, Vec<(Keys, Action)>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::with(&[]).unwrap_or_else(|_| Self {
            bindings: BTreeMap::new(),
        })
    }
}

impl Keymap {
    /// The table of verbs with changes applied. All problems are reported, not the first alone.
    pub fn with(changes: &[Rebinding]) -> Result<Self, Vec<KeymapError>> {
        let mut problems = Vec::new();
        let mut changed: BTreeMap<(Context, Action), Vec<Keys>> = BTreeMap::new();
        for Rebinding {
            context,
            verb,
            keys,
        } in changes
        {
            let known = |v: &&Verb| v.contexts.contains(context);
            let Some(found) = VERBS.iter().filter(known).find(|v| v.name == verb) else {
                let nearest = VERBS
                    .iter()
                    .map(|v| (strsim::damerau_levenshtein(v.name, verb), v))
                    .filter(|(distance, _)| *distance <= 3)
                    .min_by_key(|(distance, _)| *distance);
                let hint = nearest.map_or_else(String::new, |(_, v)| {
                    let places: Vec<&str> = v.contexts.iter().map(|c| c.name()).collect();
                    format!(
                        " Did you mean `{}` in [keys.{}]?",
                        v.name,
                        places.join("], [keys.")
                    )
                });
                problems.push(KeymapError::Verb {
                    context: *context,
                    verb: verb.clone(),
                    hint,
                });
                continue;
            };
            let entry = changed.entry((*context, found.action)).or_default();
            for key in keys {
                match key.parse() {
                    Ok(keys) => entry.push(keys),
                    Err(source) => {
                        problems.push(KeymapError::Key {
                            context: *context,
                            verb: verb.clone(),
                            source,
                        });
                    }
                }
            }
        }
        let mut bindings: BTreeMap<Context, Vec<(Keys, Action)>> = BTreeMap::new();
        for verb in VERBS {
            for context in verb.contexts {
                let keys = match changed.get(&(*context, verb.action)) {
                    Some(keys) => keys.clone(),
                    None => verb
                        .keys
                        .iter()
                        .filter_map(|key| key.parse().ok())
                        .collect(),
                };
                let bound = bindings.entry(*context).or_default();
                for keys in keys {
                    // A key that leads on to a second one can't also stand alone.
                    let clash = bound.iter().find(|(other, _)| {
                        other.first == keys.first
                            && (other.second == keys.second
                                || other.second.is_none()
                                || keys.second.is_none())
                    });
                    match clash {
                        Some((_, other)) => problems.push(KeymapError::Conflict {
                            context: *context,
                            keys: keys.to_string(),
                            one: other.verb().name,
                            other: verb.name,
                        }),
                        None => bound.push((keys, verb.action)),
                    }
                }
            }
        }
        problems.extend(unreachable(&bindings));
        if problems.is_empty() {
            Ok(Self { bindings })
        } else {
            Err(problems)
        }
    }

    /// What a key does in these contexts, innermost first, after `pending` was typed.
    pub fn find(&self, contexts: &[Context], pending: Option<Chord>, chord: Chord) -> Found {
        for context in contexts {
            for (keys, action) in self.bindings.get(context).into_iter().flatten() {
                match (pending, &keys.second) {
                    (None, None) if keys.first == chord => return Found::Action(*action),
                    (None, Some(_)) if keys.first == chord => return Found::Pending,
                    (Some(first), Some(second)) if keys.first == first && *second == chord => {
                        return Found::Action(*action);
                    }
                    _ => {}
                }
            }
        }
        Found::Nothing
    }

    /// The first key that leads to a verb in these contexts, innermost first: not one that means
    /// something else further in.
    pub fn key_here(&self, contexts: &[Context], action: Action) -> Option<String> {
        let mut bound = contexts
            .iter()
            .flat_map(|context| self.bindings.get(context).into_iter().flatten());
        let (keys, _) = bound.find(|(keys, to)| {
            let found = match keys.second {
                None => self.find(contexts, None, keys.first),
                Some(second) => match self.find(contexts, None, keys.first) {
                    Found::Pending => self.find(contexts, Some(keys.first), second),
                    other => other,
                },
            };
            *to == action && found == Found::Action(action)
        })?;
        Some(keys.to_string())
    }

    /// What may follow the first key of two: the keys in full, and what they do, innermost first.
    pub fn after(&self, contexts: &[Context], first: Chord) -> Vec<(String, Action)> {
        let mut found: Vec<(&Keys, Action)> = Vec::new();
        for context in contexts {
            for (keys, action) in self.bindings.get(context).into_iter().flatten() {
                let is_news = !found.iter().any(|(known, _)| *known == keys);
                if keys.first == first && keys.second.is_some() && is_news {
                    found.push((keys, *action));
                }
            }
        }
        found
            .into_iter()
            .map(|(keys, action)| (keys.to_string(), action))
            .collect()
    }

    /// The keys of a verb in these contexts, as they are written.
    pub fn keys_of(&self, contexts: &[Context], action: Action) -> Vec<String> {
        let mut keys = Vec::new();
        for context in contexts {
            for (bound, to) in self.bindings.get(context).into_iter().flatten() {
                if *to != action {
                    continue;
                }
                let text = bound.to_string();
                if !keys.contains(&text) {
                    keys.push(text);
                }
            }
        }
        keys
    }

    /// A sentence with the keys in effect in it. Sentences never spell a key: they name the verb, as
    /// in `‹refresh› reads on`. A verb without a key is reached by its title in the palette.
    pub fn spell(&self, here: &[Context], text: &str) -> String {
        let mut spelt = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('‹') {
            spelt.push_str(before);
            let named = after.split_once('›').and_then(|(name, after)| {
                let verb = VERBS.iter().find(|verb| verb.name == name)?;
                Some((verb, after))
            });
            let Some((verb, after)) = named else {
                // Somebody else's word.
                spelt.push('‹');
                rest = after;
                continue;
            };
            spelt.push_str(&self.key_to_name(here, verb));
            rest = after;
        }
        spelt.push_str(rest);
        spelt
    }

    /// The key that a sentence names for a verb: the one that reaches it here, else the one that does
    /// where it belongs.
    fn key_to_name(&self, here: &[Context], verb: &Verb) -> String {
        self.key_here(here, verb.action)
            .or_else(|| self.keys_of(verb.contexts, verb.action).into_iter().next())
            .unwrap_or_else(|| format!("\"{}\"", verb.title))
    }

    /// Everything that is bound, by context.
    pub fn table(&self) -> impl Iterator<Item = (Context, &Keys, Action)> {
        self.bindings.iter().flat_map(|(context, bound)| {
            bound.iter().map(|(keys, action)| (*context, keys, *action))
        })
    }
}

/// Keys alone that are the first of two elsewhere at the same time. That an inner place gives a key
/// another meaning is what places are for; but here one would wait for the other for ever.
fn unreachable(bindings: &BTreeMap<Context, Vec<(Keys, Action)>>) -> Vec<KeymapError> {
    let bound = |context: &Context| bindings.get(context).into_iter().flatten();
    let mut found = Vec::new();
    for places in Context::STACKS {
        for (depth, inner) in places.iter().enumerate() {
            for outer in &places[depth + 1..] {
                for (keys, action) in bound(inner) {
                    let clash = bound(outer).find(|(other, _)| {
                        other.first == keys.first && other.second.is_some() != keys.second.is_some()
                    });
                    let Some((others, other)) = clash else {
                        continue;
                    };
                    let error = KeymapError::Prefix {
                        context: *inner,
                        verb: action.verb().name,
                        keys: keys.to_string(),
                        place: *outer,
                        other: other.verb().name,
                        others: others.to_string(),
                    };
                    if !found.contains(&error) {
                        found.push(error);
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(context: Context, verb: &str, keys: &[&str]) -> Rebinding {
        Rebinding {
            context,
            verb: verb.to_owned(),
            keys: keys.iter().map(|k| (*k).to_owned()).collect(),
        }
    }

    #[test]
    fn the_defaults_have_no_conflict_and_reach_every_verb() {
        let keymap = Keymap::with(&[]).expect("the table as it stands");
        for verb in VERBS {
            assert!(
                !keymap.keys_of(verb.contexts, verb.action).is_empty(),
                "{} has no key",
                verb.name
            );
            assert!(verb.help.ends_with('.'), "{}", verb.name);
            assert_eq!(
                verb.action.verb().name,
                verb.name,
                "two verbs for one action"
            );
        }
    }

    #[test]
    fn a_key_alone_is_not_the_first_of_two_elsewhere_at_the_same_time() {
        let told = |context, verb, keys: &str| {
            let problems = Keymap::with(&[change(context, verb, &[keys])]).err();
            let problems = problems.unwrap_or_default();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let inner = told(Context::Spaces, "sort", "g s");
        assert_eq!(
            inner,
            [
                "[keys.spaces] `sort` is g s, and `top` in [keys.everywhere] is g: one of them would never be reached. Give it another key."
            ]
        );
        let outer = told(Context::Everywhere, "log", "s x");
        assert!(
            outer
                .iter()
                .any(|line| line.contains("`sort` is s, and `log`")),
            "{outer:?}"
        );
        // An inner place may give a key another meaning, and what never meets may share one.
        assert!(told(Context::Spaces, "sort", "t").is_empty());
        assert!(told(Context::Spaces, "sort", "u x").is_empty());
    }

    #[test]
    fn keys_can_be_changed_and_unbound() {
        let keymap = Keymap::with(&[
            change(Context::Everywhere, "top", &["g g"]),
            change(Context::Panes, "trash", &[]),
        ])
        .expect("a sound change");
        let g = "g".parse().expect("a key");
        assert_eq!(keymap.find(&[Context::Everywhere], None, g), Found::Pending);
        assert_eq!(
            keymap.find(&[Context::Everywhere], Some(g), g),
            Found::Action(Action::Top)
        );
        assert_eq!(
            keymap.find(&[Context::Panes], None, "t".parse().expect("a key")),
            Found::Nothing
        );
    }

    #[test]
    fn the_innermost_context_wins_and_hides_what_is_further_out() {
        let keymap = Keymap::with(&[
            change(Context::Spaces, "sort", &["t"]),
            change(Context::Panes, "new-space", &["n", "Ctrl-x n"]),
            change(Context::Spaces, "mark", &["n"]),
        ])
        .expect("a sound change");
        let stack = [Context::Spaces, Context::Panes, Context::Everywhere];
        let t = "t".parse().expect("a key");
        assert_eq!(keymap.find(&stack, None, t), Found::Action(Action::Sort));
        assert_eq!(
            keymap.find(&stack[1..], None, t),
            Found::Action(Action::Trash)
        );
        let here = |action| keymap.key_here(&stack, action);
        assert_eq!(here(Action::Sort).as_deref(), Some("t"));
        assert_eq!(here(Action::Trash), None, "it means something else here");
        assert_eq!(here(Action::NewSpace).as_deref(), Some("Ctrl-x n"));
        assert_eq!(
            keymap.key_here(&stack[1..], Action::NewSpace).as_deref(),
            Some("n")
        );
    }

    #[test]
    fn a_key_that_is_another_for_the_terminal_conflicts_with_it() {
        let problems = Keymap::with(&[change(Context::Panes, "trash", &["Ctrl-i"])])
            .expect_err("Tab goes to the next pane");
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("Tab is bound to both `next-pane` and `trash`"),
            "{told:?}"
        );
    }

    #[test]
    fn every_problem_is_told_with_both_names() {
        let problems = Keymap::with(&[
            change(Context::Spaces, "sort", &["f"]),
            change(Context::Spaces, "sorting", &["x"]),
            change(Context::Panes, "trash", &["Hyper-t"]),
        ])
        .expect_err("three problems");
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told.iter()
                .any(|t| t.contains("`sort`") && t.contains("`server-filter`")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|t| t.contains("Did you mean `sort`")),
            "{told:?}"
        );
    }
}
