//! Circles of source files: files that name one another, directly or by way of others. Whoever wants to
//! understand one file of a circle has to read them all.
//!
//! A file names another where it uses something of it; what a file only passes on (`pub use`) is taken as
//! a name of the file that it comes from. Tests inside the files don't count.

use std::collections::{BTreeMap, BTreeSet};

use crate::structure::sources;

/// The files of each room that are still in a circle. It only gets shorter: a change that takes a file out
/// of a circle lowers the number here.
const STILL_IN_CIRCLES: &[(&str, usize)] = &[("app", 43), ("jobs", 5)];

/// A path of modules: `["app", "pane", "spaces"]`.
type Module = Vec<String>;

/// The source files as a graph.
struct Files {
    code: BTreeMap<Module, String>,
    /// By file, what it passes on: the name and where it comes from.
    passed_on: BTreeMap<Module, Vec<(String, Module)>>,
}

impl Files {
    fn new(code: BTreeMap<Module, String>) -> Self {
        let mut files = Self {
            code,
            passed_on: BTreeMap::new(),
        };
        for (module, code) in &files.code {
            let mut here = Vec::new();
            for (_, tree) in uses(code).into_iter().filter(|(is_public, _)| *is_public) {
                for path in unfolded(&tree) {
                    if let Some(path) = files.whole_path(module, &path)
                        && let Some(name) = path.last().cloned()
                    {
                        here.push((name, path));
                    }
                }
            }
            files.passed_on.insert(module.clone(), here);
        }
        files
    }

    /// The whole path of what a file calls `path`; `None` where it is in another crate or in the file.
    fn whole_path(&self, module: &[String], path: &str) -> Option<Module> {
        let mut parts: Vec<String> = path.split("::").map(|it| it.trim().to_owned()).collect();
        let first = parts.first()?.clone();
        if first == "crate" {
            parts.remove(0);
            return Some(parts);
        }
        let mut base = module.to_vec();
        if first == "self" {
            parts.remove(0);
        } else if first == "super" {
            while parts.first().is_some_and(|it| it == "super") {
                parts.remove(0);
                base.pop()?;
            }
        } else {
            let child: Module = base.iter().cloned().chain([first]).collect();
            if !self.code.contains_key(&child) {
                return None;
            }
        }
        base.extend(parts);
        Some(base)
    }

    /// The file that a path leads to, through what others pass on.
    fn file_of(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let length = (1..=path.len())
                .rev()
                .find(|length| self.code.contains_key(&path[..*length]))?;
            let (file, rest) = path.split_at(length);
            let origin = rest.first().and_then(|name| {
                let passed_on = self.passed_on.get(file)?;
                passed_on.iter().find(|(it, _)| it == name)
            });
            let Some((_, origin)) = origin else {
                return Some(file.to_vec());
            };
            path = origin.iter().chain(&rest[1..]).cloned().collect();
        }
        None
    }

    /// The files that each file names.
    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut arrows = BTreeMap::new();
        for (module, code) in &self.code {
            let mut paths: Vec<String> = paths_in(code);
            for (_, tree) in uses(code) {
                paths.extend(unfolded(&tree));
            }
            let named = paths
                .iter()
                .filter_map(|path| self.file_of(&self.whole_path(module, path)?))
                .filter(|file| file != module)
                .collect();
            arrows.insert(module.clone(), named);
        }
        arrows
    }
}

/// The trees of all `use` lines, and whether each is public.
fn uses(code: &str) -> Vec<(bool, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = &code[..at];
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        let is_use = line.is_empty() || (line.starts_with("pub") && !line.contains(' '));
        let Some(end) = code[at..].find(';').filter(|_| is_use) else {
            continue;
        };
        let tree = code[at + "use ".len()..at + end].to_owned();
        found.push((line.starts_with("pub"), tree));
    }
    found
}

/// The paths of a tree of a `use` line, each whole and without its new name.
fn unfolded(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().trim_end_matches("::self").to_owned()];
    };
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut paths = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = list[from..at].trim();
                if !part.is_empty() {
                    paths.extend(unfolded(&format!("{}{part}", before.trim())));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// The paths with `::` that begin with a small letter, outside `use` lines too. How far something can be
/// seen (`pub(in …)`) names nothing.
fn paths_in(code: &str) -> Vec<String> {
    let code = code.replace("pub(in crate::", "pub(in ");
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    code.split(|c| !is_of_path(c))
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| word.contains("::") && word.starts_with(|c: char| c.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// The files that reach themselves over others, a set for each circle.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Module> = arrows[from].iter().collect();
        while let Some(file) = next.pop() {
            if seen.insert(file.clone()) {
                next.extend(&arrows[file]);
            }
        }
        seen
    };
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        arrows.keys().map(|file| (file, reached(file))).collect();
    let mut found: Vec<BTreeSet<Module>> = Vec::new();
    for (file, there) in &reach {
        if there.contains(*file) && !found.iter().any(|circle| circle.contains(*file)) {
            let back = |other: &&Module| reach[*other].contains(*file);
            found.push(there.iter().filter(back).cloned().collect());
        }
    }
    found
}

fn files(given: &[(&str, &str)]) -> Files {
    let module = |path: &str| path.split('/').map(str::to_owned).collect();
    Files::new(
        given
            .iter()
            .map(|(path, code)| (module(path), (*code).to_owned()))
            .collect(),
    )
}

#[test]
fn a_circle_is_seen_through_trees_ways_up_and_what_is_passed_on() {
    let seen = circles(
        &files(&[
            ("a", "pub use b::{Thing, other::{More as Same}}; mod b;"),
            ("a/e", "use super::{Thing, c::Far};"),
            ("a/b", "use super::c::Far;\nfn f() { crate::d::go(); }"),
            ("a/c", "use crate::a::Thing;"),
            ("d", "use std::fmt;\npub(in crate::a) fn go() {}"),
        ])
        .arrows(),
    );
    let names: Vec<String> = seen
        .iter()
        .flatten()
        .map(|module| module.join("/"))
        .collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(names, ["a/b", "a/c"]);
}

#[test]
fn files_that_name_one_another_get_fewer() {
    let code = sources()
        .into_iter()
        .filter(|source| !["lib", "main"].contains(&source.module[0].as_str()))
        .map(|source| (source.module, source.code))
        .collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut told = String::new();
    for circle in circles(&Files::new(code).arrows()) {
        let names: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
        told.push_str(&format!("\n{}", names.join(" ")));
        let rooms: BTreeSet<&str> = circle.iter().map(|module| module[0].as_str()).collect();
        assert_eq!(rooms.len(), 1, "a circle over several rooms: {rooms:?}");
        for room in rooms {
            *counts.entry(room.to_owned()).or_default() += circle.len();
        }
    }
    let expected: BTreeMap<String, usize> = STILL_IN_CIRCLES
        .iter()
        .map(|(room, count)| ((*room).to_owned(), *count))
        .collect();
    assert_eq!(counts, expected, "files in circles, by room:{told}");
}
