//! The rows of a list, laid out so that a filter runs through them fast.
//!
//! All rows are one lower-cased text, so that a plain word is one search through memory instead
//! of one per row. A [`Scan`] goes in slices: as many rows as the caller can spare time for, with
//! the matches so far ranked and ready after each. It first finds plain substrings in all rows,
//! which takes a millisecond or so for 100,000 titles, and then what is only alike.
//!
//! Nothing here knows what a row is, and nothing here looks at a clock.

use std::ops::Range;

use memchr::memmem;
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str, chars};
use unicode_segmentation::UnicodeSegmentation;

use super::filter::{Filter, Term};

/// The texts of all rows of a list. Rows are known by their number, in the order of the pushes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    original: Rows,
    lower: Rows,
    /// How often rows were changed in place; old results can't be narrowed then.
    changes: u64,
}

/// Rows one after another, each ended by a line feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rows {
    text: String,
    /// Where each row ends, its line feed included.
    ends: Vec<usize>,
}

impl Rows {
    fn push(&mut self, row: &str) {
        self.text.push_str(row);
        self.text.push('\n');
        self.ends.push(self.text.len());
    }

    fn start(&self, row: usize) -> usize {
        row.checked_sub(1)
            .and_then(|before| self.ends.get(before).copied())
            .unwrap_or(0)
    }

    fn range(&self, row: usize) -> Range<usize> {
        let end = self.ends.get(row).map_or(self.text.len(), |end| end - 1);
        self.start(row).min(end)..end
    }

    fn get(&self, row: usize) -> &str {
        &self.text[self.range(row)]
    }

    fn replace(&mut self, row: usize, text: &str) {
        let old = self.range(row);
        let (before, after) = (old.len(), text.len());
        self.text.replace_range(old, text);
        for end in &mut self.ends[row..] {
            *end = *end + after - before;
        }
    }
}

/// One line: the line feed ends a row.
fn one_line(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\n') {
        text.replace('\n', " ").into()
    } else {
        text.into()
    }
}

impl Index {
    /// An index of these rows.
    pub fn new<'a>(rows: impl IntoIterator<Item = &'a str>) -> Self {
        let mut index = Self::default();
        for row in rows {
            index.push(row);
        }
        index
    }

    /// Adds a row at the end. Scans under way go on to it.
    pub fn push(&mut self, row: &str) {
        let row = one_line(row);
        self.original.push(&row);
        self.lower.push(&row.to_lowercase());
    }

    /// Changes the text of a row; a number past the end is passed over. Scans over this index
    /// have to start anew: see [`Scan::is_stale`].
    pub fn update(&mut self, row: u32, text: &str) {
        let row = row as usize;
        if row >= self.original.ends.len() {
            return;
        }
        let text = one_line(text);
        if self.original.get(row) == text {
            return;
        }
        self.original.replace(row, &text);
        self.lower.replace(row, &text.to_lowercase());
        self.changes += 1;
    }

    /// Takes all rows out.
    pub fn clear(&mut self) {
        let changes = self.changes + 1;
        *self = Self {
            changes,
            ..Self::default()
        };
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.original.ends.len() as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.original.ends.is_empty()
    }

    /// The text of a row as it was pushed.
    pub fn row(&self, row: u32) -> &str {
        self.original.get(row as usize)
    }

    /// The text of a row in lower case.
    pub fn folded(&self, row: u32) -> &str {
        self.lower.get(row as usize)
    }
}

/// Whether a scan has more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not all rows have been looked at.
    Working,
    /// All rows have been looked at; more may be pushed.
    Done,
}

/// A filter on its way through an index.
///
/// Terms about fields are the list's business: it gives [`Scan::step_where`] a closure for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    filter: Filter,
    changes: u64,
    /// Rows before this one were looked at for plain words.
    plain_at: u32,
    /// Where the look for what is alike goes: first through these rows of an earlier result,
    /// then on from `rest_from`. Ascending.
    candidates: Vec<u32>,
    rest_from: u32,
    /// How many of those have been looked at.
    alike_at: u32,
    /// Rows with all words as substrings, ascending.
    plain: Vec<u32>,
    /// Those of them where all words begin a word.
    starts: Vec<u32>,
    /// The others of them.
    inside: Vec<u32>,
    /// Rows that are alike with their scores, best first.
    alike: Vec<(u32, u32)>,
    /// All of these, best first.
    matches: Vec<u32>,
}

/// How well a row holds a plain word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Inside,
    WordStart,
}

/// A plain word with its searcher.
struct Needle<'a> {
    finder: memmem::Finder<'a>,
    /// Looked for in the rows as pushed; else in lower case.
    case_counts: bool,
}

impl Needle<'_> {
    fn rows<'i>(&self, index: &'i Index) -> &'i Rows {
        if self.case_counts {
            &index.original
        } else {
            &index.lower
        }
    }

    /// The best place in one row.
    fn place(&self, index: &Index, row: u32) -> Option<Place> {
        let text = self.rows(index).get(row as usize);
        let mut found = None;
        for at in self.finder.find_iter(text.as_bytes()) {
            found = Some(Place::Inside);
            if begins_word(text, at) {
                return Some(Place::WordStart);
            }
        }
        found
    }
}

fn begins_word(text: &str, at: usize) -> bool {
    match at.checked_sub(1).map(|before| text.as_bytes()[before]) {
        None => true,
        Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
        Some(_) => !text[..at]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric),
    }
}

fn has_capital(word: &str) -> bool {
    word.chars().any(char::is_uppercase)
}

/// The terms about text, ready to search with.
struct Needles<'a> {
    /// Must be there in a plain match: words and exact terms.
    wanted: Vec<Needle<'a>>,
    /// Must be there in any match: exact terms.
    exact: Vec<Needle<'a>>,
    unwanted: Vec<Needle<'a>>,
    words: Vec<Atom>,
}

/// The text of each term as it is looked for.
fn spellings(filter: &Filter) -> Vec<String> {
    filter
        .terms()
        .iter()
        .map(|term| match term {
            Term::Word(word) if has_capital(word) => word.clone(),
            Term::Word(text) | Term::Exact(text) | Term::Without(text) => text.to_lowercase(),
            _ => String::new(),
        })
        .collect()
}

fn atom(word: &str) -> Atom {
    let word: String = word.chars().map(one_lower_case).collect();
    Atom::new(
        &word,
        CaseMatching::Smart,
        Normalization::Smart,
        AtomKind::Fuzzy,
        false,
    )
}

/// One form for small letters of which there are several, like σ and ς. The matcher takes them for
/// the same where it looks for a first match, and for different ones where it counts points.
fn one_lower_case(letter: char) -> char {
    if letter.is_lowercase() {
        chars::to_lower_case(letter)
    } else {
        letter
    }
}

/// A row as the matcher takes it: a letter for each cluster.
fn letters<'a>(row: &'a str, buffer: &'a mut Vec<char>) -> Utf32Str<'a> {
    if row.is_ascii() {
        return Utf32Str::Ascii(row.as_bytes());
    }
    buffer.clear();
    buffer.extend(chars::graphemes(row).map(one_lower_case));
    Utf32Str::Unicode(buffer)
}

impl<'a> Needles<'a> {
    fn new(filter: &Filter, spellings: &'a [String]) -> Self {
        let mut needles = Self {
            wanted: Vec::new(),
            exact: Vec::new(),
            unwanted: Vec::new(),
            words: Vec::new(),
        };
        for (term, spelling) in filter.terms().iter().zip(spellings) {
            let needle = |case_counts| Needle {
                finder: memmem::Finder::new(spelling.as_bytes()),
                case_counts,
            };
            match term {
                Term::Word(word) => {
                    needles.wanted.push(needle(has_capital(word)));
                    needles.words.push(atom(word));
                }
                Term::Exact(_) => {
                    needles.wanted.push(needle(false));
                    needles.exact.push(needle(false));
                }
                Term::Without(_) => needles.unwanted.push(needle(false)),
                Term::Is { .. }
                | Term::IsNot { .. }
                | Term::Before(_)
                | Term::After(_)
                | Term::Older(_)
                | Term::Newer(_) => {}
            }
        }
        // The longest is the rarest: it leads.
        needles
            .wanted
            .sort_by_key(|needle| std::cmp::Reverse(needle.finder.needle().len()));
        needles
    }

    fn is_unwanted(&self, index: &Index, row: u32) -> bool {
        self.unwanted
            .iter()
            .any(|needle| needle.place(index, row).is_some())
    }
}

impl Scan {
    /// Begins at the first row.
    pub fn new(filter: &Filter, index: &Index) -> Self {
        Self {
            filter: filter.clone(),
            changes: index.changes,
            plain_at: 0,
            candidates: Vec::new(),
            rest_from: 0,
            alike_at: 0,
            plain: Vec::new(),
            starts: Vec::new(),
            inside: Vec::new(),
            alike: Vec::new(),
            matches: Vec::new(),
        }
    }

    /// Begins with what an earlier scan of the same index has found, where the new filter can
    /// only let fewer rows through; otherwise at the first row.
    pub fn after(earlier: &Self, filter: &Filter, index: &Index) -> Self {
        let mut scan = Self::new(filter, index);
        if earlier.is_stale(index) || !filter.narrows(&earlier.filter) {
            return scan;
        }
        // Only rows that the earlier scan is through with have been judged.
        let seen = earlier.alike_at as usize;
        let judged = seen.min(earlier.candidates.len());
        let rest = earlier.rest_from + (seen - judged) as u32;
        let through = if judged < earlier.candidates.len() {
            // It stopped among its own candidates: those ahead of it are candidates still.
            scan.candidates
                .extend_from_slice(&earlier.candidates[judged..]);
            earlier.rest_from
        } else {
            rest
        };
        scan.candidates.extend_from_slice(&earlier.matches);
        scan.candidates.retain(|&row| row < through);
        scan.candidates.sort_unstable();
        scan.candidates.dedup();
        scan.rest_from = through;
        scan
    }

    /// The filter that is applied.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether all rows were looked at for plain words, so that what follows is only alike.
    pub fn has_plain(&self, index: &Index) -> bool {
        self.plain_at >= index.len()
    }

    /// Whether rows were changed under this scan, so that it has to start anew.
    pub fn is_stale(&self, index: &Index) -> bool {
        self.changes != index.changes
    }

    /// The rows that match, the best first, as far as is known. Words that begin a word come
    /// before words inside of others, these before what is only alike; equals stay in the order
    /// of the list.
    pub fn matches(&self) -> &[u32] {
        &self.matches
    }

    /// Looks at up to `budget` rows more. Terms about fields let every row through.
    pub fn step(&mut self, index: &Index, budget: usize) -> Progress {
        self.step_where(index, budget, |_| true)
    }

    /// Looks at up to `budget` rows more. `accepts` judges the terms about fields and is asked
    /// only for rows whose text matches.
    pub fn step_where(
        &mut self,
        index: &Index,
        budget: usize,
        mut accepts: impl FnMut(u32) -> bool,
    ) -> Progress {
        let spellings = spellings(&self.filter);
        let needles = Needles::new(&self.filter, &spellings);
        let budget = u32::try_from(budget).unwrap_or(u32::MAX).max(1);
        if self.plain_at < index.len() {
            let end = self.plain_at.saturating_add(budget).min(index.len());
            self.look_for_plain(index, &needles, end, &mut accepts);
            self.plain_at = end;
        } else if self.alike_at < self.alike_total(index) {
            let end = self
                .alike_at
                .saturating_add(budget)
                .min(self.alike_total(index));
            if !needles.words.is_empty() {
                self.look_for_alike(index, &needles, end, &mut accepts);
            }
            self.alike_at = end;
        } else {
            return Progress::Done;
        }
        if needles.words.is_empty() && self.plain_at == index.len() {
            self.alike_at = self.alike_total(index);
        }
        self.matches.clear();
        self.matches.extend_from_slice(&self.starts);
        self.matches.extend_from_slice(&self.inside);
        self.matches.extend(self.alike.iter().map(|&(_, row)| row));
        if self.plain_at < index.len() || self.alike_at < self.alike_total(index) {
            Progress::Working
        } else {
            Progress::Done
        }
    }

    fn alike_total(&self, index: &Index) -> u32 {
        self.candidates.len() as u32 + index.len().saturating_sub(self.rest_from)
    }

    fn look_for_plain(
        &mut self,
        index: &Index,
        needles: &Needles<'_>,
        end: u32,
        accepts: &mut impl FnMut(u32) -> bool,
    ) {
        let Some((lead, others)) = needles.wanted.split_first() else {
            for row in self.plain_at..end {
                if !needles.is_unwanted(index, row) && accepts(row) {
                    self.plain.push(row);
                    self.starts.push(row);
                }
            }
            return;
        };
        let rows = lead.rows(index);
        let text = &rows.text;
        let from = rows.start(self.plain_at as usize);
        let until = rows.start(end as usize);
        let mut row = self.plain_at;
        let mut at = from;
        while let Some(found) = lead.finder.find(&text.as_bytes()[at..until]) {
            let hit = at + found;
            while rows.ends[row as usize] <= hit {
                row += 1;
            }
            // On to the next row whatever comes of this one.
            at = rows.ends[row as usize];
            let mut place = Place::WordStart;
            if !begins_word(text, hit) {
                place = lead.place(index, row).unwrap_or(Place::Inside);
            }
            let all = others.iter().all(|needle| {
                let other = needle.place(index, row);
                place = place.min(other.unwrap_or(Place::Inside));
                other.is_some()
            });
            if all && !needles.is_unwanted(index, row) && accepts(row) {
                self.plain.push(row);
                match place {
                    Place::WordStart => self.starts.push(row),
                    Place::Inside => self.inside.push(row),
                }
            }
            row += 1;
        }
    }

    fn look_for_alike(
        &mut self,
        index: &Index,
        needles: &Needles<'_>,
        end: u32,
        accepts: &mut impl FnMut(u32) -> bool,
    ) {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut found: Vec<(u32, u32)> = Vec::new();
        let row_at = |at: u32| match self.candidates.get(at as usize) {
            Some(&row) => row,
            None => self.rest_from + (at - self.candidates.len() as u32),
        };
        let first = row_at(self.alike_at);
        let mut plain = self.plain[self.plain.partition_point(|&row| row < first)..].iter();
        let mut next_plain = plain.next();
        for at in self.alike_at..end {
            let row = row_at(at);
            while next_plain.is_some_and(|&plain| plain < row) {
                next_plain = plain.next();
            }
            if next_plain == Some(&row) {
                continue;
            }
            let text = letters(index.original.get(row as usize), &mut buffer);
            let score = needles.words.iter().try_fold(0_u32, |sum, word| {
                word.score(text, &mut matcher)
                    .map(|score| sum + u32::from(score))
            });
            let Some(score) = score else {
                continue;
            };
            let has_exact = needles
                .exact
                .iter()
                .all(|needle| needle.place(index, row).is_some());
            if has_exact && !needles.is_unwanted(index, row) && accepts(row) {
                found.push((score, row));
            }
        }
        let best_first = |&(score, row): &(u32, u32)| (std::cmp::Reverse(score), row);
        // Two runs in order each: the sort takes advantage of that.
        found.sort_by_key(best_first);
        self.alike.append(&mut found);
        self.alike.sort_by_key(best_first);
    }
}

/// The byte ranges of a row that the words of a filter matched, for highlighting: ascending,
/// apart from one another, at cluster borders. Empty where nothing of the text is meant.
pub fn positions(filter: &Filter, row: &str) -> Vec<Range<usize>> {
    let clusters: Vec<(usize, &str)> = row.grapheme_indices(true).collect();
    let mut marked = vec![false; clusters.len()];
    // The row in lower case, and for each of its bytes the cluster that it comes from.
    let mut lower = String::with_capacity(row.len());
    let mut origin = Vec::with_capacity(row.len());
    for (number, (_, cluster)) in clusters.iter().enumerate() {
        lower.push_str(&cluster.to_lowercase());
        origin.resize(lower.len(), number);
    }
    let mut matcher = None;
    for (term, spelling) in filter.terms().iter().zip(spellings(filter)) {
        let (word, case_counts) = match term {
            Term::Word(word) => (Some(word), has_capital(word)),
            Term::Exact(_) => (None, false),
            _ => continue,
        };
        let text = if case_counts { row } else { &lower };
        let finder = memmem::Finder::new(&spelling);
        let best = finder
            .find_iter(text.as_bytes())
            .find(|&at| begins_word(text, at))
            .or_else(|| finder.find(text.as_bytes()));
        if let Some(at) = best {
            if case_counts {
                let end = at + spelling.len();
                for (mark, (start, cluster)) in marked.iter_mut().zip(&clusters) {
                    *mark |= *start < end && start + cluster.len() > at;
                }
            } else {
                for &number in &origin[at..at + spelling.len()] {
                    marked[number] = true;
                }
            }
        } else if let Some(word) = word {
            let matcher = matcher.get_or_insert_with(|| Matcher::new(Config::DEFAULT));
            let mut buffer = Vec::new();
            let mut found = Vec::new();
            // The matcher, too, counts in clusters.
            atom(word).indices(letters(row, &mut buffer), matcher, &mut found);
            for number in found {
                if let Some(mark) = marked.get_mut(number as usize) {
                    *mark = true;
                }
            }
        }
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for ((start, cluster), _) in clusters.iter().zip(marked).filter(|(_, mark)| *mark) {
        let end = start + cluster.len();
        match ranges.last_mut() {
            Some(last) if last.end == *start => last.end = end,
            _ => ranges.push(*start..end),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TITLES: [&str; 8] = [
        "Engineering Home",
        "Runbooks",
        "Old runbooks",
        "Database failover",
        "Prerun checks",
        "Überblick",
        "Résumé",
        "R U N",
    ];

    fn filter(text: &str) -> Filter {
        Filter::parse(text, &["type"]).unwrap()
    }

    fn finish(scan: &mut Scan, index: &Index, budget: usize) {
        while scan.step(index, budget) == Progress::Working {}
    }

    fn matches(text: &str) -> Vec<&'static str> {
        let index = Index::new(TITLES);
        let mut scan = Scan::new(&filter(text), &index);
        finish(&mut scan, &index, 3);
        scan.matches()
            .iter()
            .map(|&row| TITLES[row as usize])
            .collect()
    }

    #[test]
    fn two_small_sigmas_are_one_letter() {
        let rows = ["ς σû", "Λιμάνι-εταίρος"];
        let index = Index::new(rows);
        for (text, row) in [("σû", 0), ("εταίροσ", 1), ("εταίρος", 1)] {
            let filter = filter(text);
            let mut scan = Scan::new(&filter, &index);
            finish(&mut scan, &index, 3);
            assert_eq!(scan.matches(), [row], "{text}");
            let marked = positions(&filter, rows[row as usize]);
            assert!(!marked.is_empty(), "{text}");
        }
    }

    #[test]
    fn finds_what_is_meant() {
        assert_eq!(matches("engho"), ["Engineering Home"]);
        assert_eq!(matches("resume"), ["Résumé"]);
        assert_eq!(matches("'resume"), [""; 0]);
        assert_eq!(matches("'RÉS"), ["Résumé"]);
        assert_eq!(matches("über"), ["Überblick"]);
        assert_eq!(matches("ohgne"), [""; 0]);
        assert_eq!(matches("run !old 'book"), ["Runbooks"]);
        assert_eq!(matches("").len(), TITLES.len());
        assert_eq!(matches("type:page").len(), TITLES.len());
    }

    #[test]
    fn word_starts_before_insides_before_what_is_alike() {
        assert_eq!(
            matches("run"),
            ["Runbooks", "Old runbooks", "Prerun checks", "R U N"]
        );
        // A capital makes case count.
        assert_eq!(matches("Run"), ["Runbooks"]);
    }

    #[test]
    fn a_word_start_further_down_comes_first() {
        let index = Index::new(["Prerun", "Run"]);
        let mut scan = Scan::new(&filter("run"), &index);
        finish(&mut scan, &index, 10);
        assert_eq!(scan.matches(), [1, 0]);
    }

    #[test]
    fn narrowing_half_way_finds_each_row_once() {
        let index = Index::new(["b xc"]);
        let mut earlier = Scan::new(&filter("b"), &index);
        earlier.step(&index, 10);
        let mut scan = Scan::after(&earlier, &filter("bc"), &index);
        finish(&mut scan, &index, 10);
        assert_eq!(scan.matches(), [0]);
    }

    #[test]
    fn rows_come_later_and_change() {
        let mut index = Index::new(["alpha"]);
        let mut scan = Scan::new(&filter("ph"), &index);
        finish(&mut scan, &index, 10);
        assert_eq!(scan.matches(), [0]);
        index.push("graph\nic");
        assert_eq!(index.row(1), "graph ic");
        finish(&mut scan, &index, 10);
        assert_eq!(scan.matches(), [0, 1]);
        index.update(0, "Ähre");
        index.update(9, "nothing there");
        assert!(scan.is_stale(&index));
        assert_eq!((index.row(0), index.row(1)), ("Ähre", "graph ic"));
        let mut scan = Scan::after(&scan, &filter("ph"), &index);
        finish(&mut scan, &index, 10);
        assert_eq!(scan.matches(), [1]);
        index.clear();
        assert!(index.is_empty() && scan.is_stale(&index));
    }

    #[test]
    fn fields_are_judged_by_the_list() {
        let index = Index::new(TITLES);
        let mut scan = Scan::new(&filter("run type:page"), &index);
        while scan.step_where(&index, 2, |row| row % 2 == 0) == Progress::Working {}
        assert_eq!(scan.matches(), [2, 4]);
    }

    #[test]
    fn highlights_what_matched() {
        let marked = |text: &str, row: &'static str| -> Vec<&str> {
            positions(&filter(text), row)
                .into_iter()
                .map(|range| &row[range])
                .collect()
        };
        assert_eq!(marked("run", "Prerun run"), ["run"]);
        assert_eq!(
            positions(&filter("run"), "Prerun run").first(),
            Some(&(7..10))
        );
        assert_eq!(marked("engho", "Engineering Home"), ["Eng", "Ho"]);
        assert_eq!(marked("ü", "Überblick"), ["Ü"]);
        assert_eq!(marked("resume", "Résumé"), ["Résumé"]);
        assert_eq!(marked("!run type:x", "run"), [""; 0]);
        assert_eq!(marked("Run", "run Run"), ["Run"]);
    }

    proptest! {
        /// However it is sliced, and whether it starts from an earlier result or not, a scan
        /// finds what looking at each row alone finds.
        #[test]
        fn slices_and_narrowing_change_nothing(
            rows in prop::collection::vec("[a-cA-Ü ]{0,8}", 0..40),
            text in "[a-cB]{1,4}( [!']?[a-c]{1,2})?",
            cut in 1..4usize,
            budget in 1..9usize,
            steps in 0..12usize,
            late in 0..40usize,
        ) {
            let whole = filter(&text);
            let late = late.min(rows.len());
            let mut index = Index::new(rows[..late].iter().map(String::as_str));
            let mut earlier = Scan::new(&filter(&text[..cut.min(text.len())]), &index);
            for _ in 0..steps {
                earlier.step(&index, budget);
            }
            for row in &rows[late..] {
                index.push(row);
            }
            let mut narrowed = Scan::after(&earlier, &whole, &index);
            finish(&mut narrowed, &index, budget);
            let mut again = Scan::after(&narrowed, &whole, &index);
            finish(&mut again, &index, budget);
            let mut fresh = Scan::new(&whole, &index);
            finish(&mut fresh, &index, usize::MAX);
            prop_assert_eq!(narrowed.matches(), fresh.matches());
            prop_assert_eq!(again.matches(), fresh.matches());
            for (number, row) in rows.iter().enumerate() {
                let alone = Index::new([row.as_str()]);
                let mut scan = Scan::new(&whole, &alone);
                finish(&mut scan, &alone, 1);
                prop_assert_eq!(
                    !scan.matches().is_empty(),
                    fresh.matches().contains(&(number as u32))
                );
            }
        }

        #[test]
        fn positions_are_ranges_of_the_row(row in "\\PC{0,20}", text in "\\PC{0,6}|[a-z]{1,3}") {
            if let Ok(filter) = Filter::parse(&text, &[]) {
                let mut at = 0;
                for range in positions(&filter, &row) {
                    prop_assert!(range.start >= at && range.end > range.start);
                    prop_assert!(row.get(range.clone()).is_some());
                    at = range.end;
                }
                let index = Index::new([row.as_str()]);
                finish(&mut Scan::new(&filter, &index), &index, 1);
            }
        }
    }
}
