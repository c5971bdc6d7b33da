//! Reading a long list page by page: what to ask next, what of an answer is new, and when it
//! ends. Plain data and no I/O; whoever drives it sends each page as a request of its own.
//!
//! Servers end lists badly: a `next` that never stops, caps that are applied silently, rows that
//! move while they are read. Every rule here has a test that would loop, lose or double rows
//! without it.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::call::Window;
use super::error::{ApiError, ErrorKind};
use super::types::{Cursor, CursorPage, Page};

/// What was seen: eight bytes for each row (sixteen at worst in the table), 1.6 MB for 100,000.
/// Two of 100,000 rows share a hash with a chance of one in four thousand million.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Seen(HashSet<u64>);

impl Seen {
    fn is_new(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        self.0.insert(hasher.finish())
    }
}

/// Rows that were not there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted<T> {
    /// The new rows.
    pub fresh: Vec<T>,
    /// The place of each in the server's order, so that pages that overtook each other can be put
    /// right. Ascends.
    pub places: Vec<u64>,
    /// The total changed while the list was read: something was added or removed meanwhile.
    pub moved: Option<Moved>,
}

/// A total that changed between two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// What it was.
    pub from: u64,
    /// What it is.
    pub to: u64,
}

/// Reads a list by `start` and `limit`.
///
/// While the total is unknown one page is asked for at a time, in order. Once a page has told it,
/// and how many rows the server really gives at once, up to `concurrency` are asked for side by
/// side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pager {
    /// Rows to ask for at a time; falls to what the server really gives.
    limit: u64,
    /// Where the next unasked rows begin.
    next: u64,
    /// Places skipped by pages that came back short: asked for before anything new.
    gaps: Vec<Window>,
    /// Windows that are under way, with their length.
    out: BTreeMap<u64, u64>,
    total: Option<u64>,
    seen: Seen,
    have: usize,
    /// Behind the last row that was ever sent.
    furthest: u64,
    /// Pages in a row without a new row.
    stale: u32,
    /// Whether a row was told again before the end.
    #[serde(default)]
    repeats: bool,
    ended: bool,
}

/// The lowest of the caps that servers are known to apply silently (25 per type in a child map).
const SMALLEST_CAP: u64 = 25;

/// So many pages in a row without a new row end a list of which the total says that it goes on.
const MOST_STALE: u32 = 3;

impl Pager {
    /// A list of which nothing is known; `limit` rows are asked for at a time.
    pub fn new(limit: u64) -> Self {
        Self {
            limit: limit.max(1),
            next: 0,
            gaps: Vec::new(),
            out: BTreeMap::new(),
            total: None,
            seen: Seen::default(),
            have: 0,
            furthest: 0,
            stale: 0,
            repeats: false,
            ended: false,
        }
    }

    /// Whether nothing says that rows were left out: none was told again within the list, and there are
    /// as many different ones as the server says.
    pub fn is_certain(&self) -> bool {
        let is_short = self.is_done() && self.total.is_some_and(|total| (self.have as u64) < total);
        !self.repeats && !is_short
    }

    /// What to ask for now, with at most `at_most` under way. Each window is handed out once and
    /// counts as under way until [`Pager::accept`] or [`Pager::failed`].
    pub fn wanted(&mut self, at_most: usize) -> Vec<Window> {
        let mut windows = Vec::new();
        while self.out.len() < at_most {
            let Some(window) = self.next_window() else {
                break;
            };
            self.out.insert(window.start, window.limit);
            windows.push(window);
        }
        windows
    }

    fn next_window(&mut self) -> Option<Window> {
        if let Some(gap) = self.gaps.pop() {
            if gap.limit > self.limit {
                self.gaps.push(Window {
                    start: gap.start + self.limit,
                    limit: gap.limit - self.limit,
                });
            }
            return Some(Window {
                start: gap.start,
                limit: gap.limit.min(self.limit),
            });
        }
        if self.ended {
            return None;
        }
        match self.total {
            // In order: the next place is known only when the page before it is there.
            None if !self.out.is_empty() => return None,
            None => {}
            Some(total) if self.next < total => {}
            // All of the total is asked for; whether more is there, the answers have to say.
            Some(_) if !self.out.is_empty() => return None,
            Some(_) => {}
        }
        let window = Window {
            start: self.next,
            limit: self.limit,
        };
        self.next += self.limit;
        Some(window)
    }

    /// Takes the answer to `window`. An answer to a window that is not under way adds its new
    /// rows and changes nothing else.
    pub fn accept<T>(
        &mut self,
        window: Window,
        page: Page<T>,
        id: impl Fn(&T) -> &str,
    ) -> Accepted<T> {
        let sent = page.results.len() as u64;
        let (places, fresh): (Vec<u64>, Vec<T>) = (window.start..)
            .zip(page.results)
            .filter(|(_, row)| self.seen.is_new(id(row)))
            .unzip();
        self.have += fresh.len();
        let mut accepted = Accepted {
            fresh,
            places,
            moved: None,
        };
        if self.out.remove(&window.start).is_none() {
            return accepted;
        }
        let nothing = accepted.fresh.is_empty();
        // Behind the end some servers tell the last rows again and again.
        let total = page.total.or(self.total);
        let may_be_past_the_end =
            nothing && page.has_next && total.is_none_or(|total| window.start >= total);
        self.repeats |= (accepted.fresh.len() as u64) < sent && !may_be_past_the_end;
        self.stale = if nothing { self.stale + 1 } else { 0 };
        if let Some(to) = page.total {
            accepted.moved = self
                .total
                .filter(|&from| from != to)
                .map(|from| Moved { from, to });
            self.total = Some(to);
            if !nothing && to > self.next {
                // A later answer knows of more.
                self.ended = false;
            }
        }
        let after = window.start.saturating_add(sent);
        let asked_to = window.start.saturating_add(window.limit);
        let furthest = self.furthest;
        self.furthest = self.furthest.max(after);
        if asked_to == self.next {
            // The next page begins where this one really ended, whatever was asked for or echoed.
            self.next = after;
        } else if sent > 0 && after < asked_to {
            self.put_back(Window {
                start: after,
                limit: asked_to - after,
            });
        }
        match self.total {
            None => self.ended |= nothing || !page.has_next,
            Some(total) => {
                // What a cap cut off would be cut off from every page. Shorter pages are more
                // likely short because of rows that we may not see.
                if (SMALLEST_CAP..self.limit).contains(&sent) && after < total {
                    self.limit = sent;
                }
                // The last page of the total; a server that offers more is asked for it.
                self.ended |= after >= total && (nothing || !page.has_next);
                // Nothing, behind everything: the total was wrong.
                self.ended |= sent == 0 && window.start >= furthest;
                if self.stale >= MOST_STALE {
                    self.ended = true;
                    self.gaps.clear();
                }
            }
        }
        accepted
    }

    fn put_back(&mut self, window: Window) {
        self.gaps.push(window);
        // The lowest is taken first, from the end.
        self.gaps.sort_by_key(|gap| std::cmp::Reverse(gap.start));
    }

    /// The request for `window` failed or was given up; it will be handed out again.
    pub fn failed(&mut self, window: Window) {
        if self.out.remove(&window.start).is_some() {
            self.put_back(window);
        }
    }

    /// Everything under way was given up; it will be handed out again.
    pub fn rewind(&mut self) {
        for (start, limit) in std::mem::take(&mut self.out) {
            self.put_back(Window { start, limit });
        }
    }

    /// Whether everything was read.
    pub fn is_done(&self) -> bool {
        self.ended && self.out.is_empty() && self.gaps.is_empty()
    }

    /// Rows so far, and rows in all if the server says so or the end was reached (shown as `n+`
    /// while unknown).
    pub fn progress(&self) -> (usize, Option<u64>) {
        let total = if self.is_done() {
            Some(self.have as u64)
        } else {
            self.total
        };
        (self.have, total)
    }
}

/// Reads a list by cursor, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorPager {
    /// What comes next; `None` before the first page.
    next: Option<Cursor>,
    /// Cursors that were handed out by the server.
    used: HashSet<Cursor>,
    seen: Seen,
    have: usize,
    total: Option<u64>,
    waiting: bool,
    /// Whether a row was told again.
    #[serde(default)]
    repeats: bool,
    ended: bool,
}

impl Default for CursorPager {
    fn default() -> Self {
        Self::new()
    }
}

impl CursorPager {
    /// A list of which nothing is known.
    pub fn new() -> Self {
        Self {
            next: None,
            used: HashSet::new(),
            seen: Seen::default(),
            have: 0,
            total: None,
            waiting: false,
            repeats: false,
            ended: false,
        }
    }

    /// Whether nothing says that rows were left out: none was told again, and there are as many
    /// different ones as the server says.
    pub fn is_certain(&self) -> bool {
        let is_short = self.ended && self.total.is_some_and(|total| (self.have as u64) < total);
        !self.repeats && !is_short
    }

    /// The cursor to ask with (`Some(None)` for the first page); `None` while a page is under way
    /// and at the end.
    pub fn wanted(&mut self) -> Option<Option<Cursor>> {
        if self.waiting || self.ended {
            return None;
        }
        self.waiting = true;
        Some(self.next.clone())
    }

    /// Takes the answer to what [`CursorPager::wanted`] asked for. A cursor that comes a second
    /// time ends the list with an error.
    pub fn accept<T>(
        &mut self,
        page: CursorPage<T>,
        id: impl Fn(&T) -> &str,
    ) -> Result<Accepted<T>, ApiError> {
        self.waiting = false;
        if let Some(next) = &page.next
            && !self.used.insert(next.clone())
        {
            self.ended = true;
            return Err(ApiError::new(
                ErrorKind::RepeatedCursor,
                "The server gave the same place in the list a second time.",
            ));
        }
        let from = self.have as u64;
        let sent = page.results.len();
        let fresh: Vec<T> = page
            .results
            .into_iter()
            .filter(|row| self.seen.is_new(id(row)))
            .collect();
        self.repeats |= fresh.len() < sent;
        self.have += fresh.len();
        let moved = match (self.total, page.total) {
            (Some(from), Some(to)) if from != to => Some(Moved { from, to }),
            _ => None,
        };
        self.total = page.total.or(self.total);
        self.ended = page.next.is_none() || fresh.is_empty();
        self.next = page.next;
        Ok(Accepted {
            places: (from..self.have as u64).collect(),
            fresh,
            moved,
        })
    }

    /// The request failed or was given up; the same cursor will be handed out again.
    pub fn rewind(&mut self) {
        self.waiting = false;
    }

    /// Whether everything was read, or the list had to be given up.
    pub fn is_done(&self) -> bool {
        self.ended
    }

    /// Rows so far, and rows in all if the server says so or the end was reached (shown as `n+`
    /// while unknown).
    pub fn progress(&self) -> (usize, Option<u64>) {
        let total = if self.ended {
            Some(self.have as u64)
        } else {
            self.total
        };
        (self.have, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that is nothing but its identity.
    type Row = String;

    fn row(number: u64) -> Row {
        number.to_string()
    }

    fn id(row: &Row) -> &str {
        row
    }

    /// A server with `rows` rows and its oddities.
    struct Server {
        rows: u64,
        cap: u64,
        total: Option<u64>,
        next_for_ever: bool,
        /// Past the end, the last page again and again.
        repeats_tail: bool,
    }

    impl Server {
        fn plain(rows: u64) -> Self {
            Self {
                rows,
                cap: u64::MAX,
                total: None,
                next_for_ever: false,
                repeats_tail: false,
            }
        }

        fn page(&self, window: Window) -> Page<Row> {
            let limit = window.limit.min(self.cap);
            let mut start = window.start;
            if self.repeats_tail && start >= self.rows {
                start = self.rows.saturating_sub(limit);
            }
            let end = start.saturating_add(limit).min(self.rows);
            Page {
                results: (start.min(end)..end).map(row).collect(),
                start: window.start,
                // Echoed as asked, though capped.
                limit: Some(window.limit),
                total: self.total,
                has_next: self.next_for_ever || end < self.rows,
            }
        }
    }

    /// Reads to the end with pages answered in the order that `pick` chooses; returns the rows in
    /// the server's order and the number of requests.
    fn read(
        server: &Server,
        limit: u64,
        at_most: usize,
        pick: fn(usize) -> usize,
    ) -> (Vec<u64>, u32) {
        let mut pager = Pager::new(limit);
        let mut under_way = Vec::new();
        let mut rows = Vec::new();
        let mut requests = 0;
        loop {
            let wanted = pager.wanted(at_most);
            requests += wanted.len() as u32;
            under_way.extend(wanted);
            assert!(under_way.len() <= at_most);
            assert!(requests < 1000, "does not end: {pager:?}");
            if under_way.is_empty() {
                break;
            }
            let window = under_way.remove(pick(under_way.len()) % under_way.len());
            rows.extend({
                let accepted = pager.accept(window, server.page(window), id);
                accepted.places.into_iter().zip(accepted.fresh)
            });
        }
        assert!(pager.is_done());
        assert_eq!(pager.progress(), (rows.len(), Some(rows.len() as u64)));
        rows.sort_by_key(|(place, _)| *place);
        let rows = rows
            .into_iter()
            .map(|(_, row)| row.parse().expect("because rows are numbers"));
        (rows.collect(), requests)
    }

    fn all(rows: u64) -> Vec<u64> {
        (0..rows).collect()
    }

    #[test]
    fn a_list_of_unknown_length_is_read_in_order() {
        assert_eq!(read(&Server::plain(95), 10, 4, |_| 0), (all(95), 10));
        assert_eq!(read(&Server::plain(100), 10, 4, |_| 0), (all(100), 10));
        assert_eq!(read(&Server::plain(0), 10, 4, |_| 0), (all(0), 1));
    }

    #[test]
    fn a_list_of_known_length_is_read_side_by_side_in_any_order() {
        let server = Server {
            total: Some(1000),
            ..Server::plain(1000)
        };
        let mut pager = Pager::new(100);
        let first = pager.wanted(8);
        assert_eq!(
            first,
            [Window {
                start: 0,
                limit: 100
            }]
        );
        pager.accept(first[0], server.page(first[0]), id);
        assert_eq!(pager.wanted(8).len(), 8);
        assert_eq!(read(&server, 100, 8, |_| 0), (all(1000), 10));
        assert_eq!(read(&server, 100, 8, |n| n - 1), (all(1000), 10));
        assert_eq!(read(&server, 100, 3, |n| n / 2), (all(1000), 10));
    }

    #[test]
    fn a_silent_cap_loses_no_row_and_is_asked_for_from_then_on() {
        for total in [None, Some(1000)] {
            let server = Server {
                cap: 200,
                total,
                ..Server::plain(1000)
            };
            assert_eq!(read(&server, 500, 8, |n| n - 1), (all(1000), 5));
        }
        // One so small that it looks like rows we may not see.
        let server = Server {
            cap: 7,
            total: Some(100),
            ..Server::plain(100)
        };
        assert_eq!(read(&server, 10, 4, |n| n - 1).0, all(100));
    }

    #[test]
    fn a_next_that_never_stops_ends_with_the_rows() {
        for total in [None, Some(100)] {
            for repeats_tail in [false, true] {
                let server = Server {
                    next_for_ever: true,
                    repeats_tail,
                    total,
                    ..Server::plain(100)
                };
                let (rows, requests) = read(&server, 10, 4, |_| 0);
                assert_eq!(rows, all(100));
                assert!(requests <= 14, "{requests} requests");
            }
        }
    }

    #[test]
    fn a_wrong_total_neither_loops_nor_loses() {
        let too_many = Server {
            total: Some(1_000_000_000),
            ..Server::plain(100)
        };
        let (rows, requests) = read(&too_many, 10, 4, |_| 0);
        assert_eq!(rows, all(100));
        assert!(requests <= 20, "{requests} requests");
        let repeating = Server {
            repeats_tail: true,
            next_for_ever: true,
            ..too_many
        };
        assert_eq!(read(&repeating, 10, 4, |_| 0).0, all(100));
        let too_few = Server {
            total: Some(30),
            ..Server::plain(100)
        };
        assert_eq!(read(&too_few, 10, 4, |_| 0).0, all(100));
    }

    #[test]
    fn a_total_that_moves_is_told_and_followed() {
        let mut server = Server {
            total: Some(20),
            ..Server::plain(20)
        };
        let mut pager = Pager::new(10);
        let first = pager.wanted(1)[0];
        pager.accept(first, server.page(first), id);
        server.rows = 25;
        server.total = Some(25);
        let second = pager.wanted(1)[0];
        let accepted = pager.accept(second, server.page(second), id);
        assert_eq!(accepted.moved, Some(Moved { from: 20, to: 25 }));
        let third = pager.wanted(1)[0];
        assert_eq!(third.start, 20);
        pager.accept(third, server.page(third), id);
        assert_eq!(pager.progress(), (25, Some(25)));
        assert!(pager.is_done());
    }

    #[test]
    fn a_page_that_failed_is_handed_out_again() {
        let server = Server::plain(20);
        let mut pager = Pager::new(10);
        let first = pager.wanted(4)[0];
        assert!(pager.wanted(4).is_empty());
        pager.failed(first);
        assert_eq!(pager.wanted(4), [first]);
        pager.accept(first, server.page(first), id);
        assert_eq!(pager.wanted(4)[0].start, 10);
    }

    #[test]
    fn a_list_that_tells_a_row_again_within_it_or_too_few_is_not_certain() {
        let whole = |rows: &[u64], total: Option<u64>| {
            let mut pager = Pager::new(2);
            for (at, page) in (0..).step_by(2).zip(rows.chunks(2)) {
                let window = pager.wanted(1)[0];
                let page = Page {
                    results: page.iter().map(|number| row(*number)).collect(),
                    start: at,
                    limit: None,
                    total,
                    has_next: at + 2 < rows.len() as u64,
                };
                pager.accept(window, page, id);
                if pager.is_done() {
                    break;
                }
            }
            // Nothing is behind the last row, whatever the total says.
            while let Some(window) = pager.wanted(1).first().copied() {
                let page = Page {
                    results: Vec::new(),
                    start: window.start,
                    limit: None,
                    total,
                    has_next: false,
                };
                pager.accept(window, page, id);
            }
            pager.is_certain()
        };
        assert!(whole(&[1, 2, 3, 4, 5, 6], None));
        assert!(whole(&[1, 2, 3, 4, 5, 6], Some(6)));
        assert!(!whole(&[1, 2, 2, 2, 5, 6], Some(6)));
        assert!(!whole(&[1, 2, 2, 4, 5, 6], None));
        assert!(!whole(&[1, 2, 3, 4], Some(6)), "two are missing");
        // Behind its end a server tells the last rows for ever.
        let server = Server {
            next_for_ever: true,
            repeats_tail: true,
            ..Server::plain(6)
        };
        let mut pager = Pager::new(2);
        while let Some(window) = pager.wanted(1).first().copied() {
            pager.accept(window, server.page(window), id);
        }
        assert!(pager.is_certain());
        let mut pager = CursorPager::new();
        pager.wanted();
        pager.accept(cursor_page(0..3, Some("a")), id).expect("new");
        assert!(pager.is_certain());
        pager.wanted();
        pager.accept(cursor_page(2..5, None), id).expect("the end");
        assert!(!pager.is_certain());
    }

    fn cursor_page(rows: std::ops::Range<u64>, next: Option<&str>) -> CursorPage<Row> {
        CursorPage {
            results: rows.map(row).collect(),
            next: next.map(|next| Cursor(next.to_owned())),
            total: None,
        }
    }

    #[test]
    fn cursors_are_followed_to_the_end() {
        let mut pager = CursorPager::new();
        assert_eq!(pager.wanted(), Some(None));
        assert_eq!(pager.wanted(), None, "one at a time");
        let accepted = pager.accept(cursor_page(0..3, Some("a")), id).expect("new");
        assert_eq!(accepted.fresh.len(), 3);
        assert_eq!(pager.wanted(), Some(Some(Cursor("a".to_owned()))));
        pager.rewind();
        assert_eq!(pager.wanted(), Some(Some(Cursor("a".to_owned()))));
        // One row came twice.
        let accepted = pager.accept(cursor_page(2..5, None), id).expect("the end");
        assert_eq!(accepted.fresh, [row(3), row(4)]);
        assert_eq!(accepted.places, [3, 4]);
        assert!(pager.is_done());
        assert_eq!(pager.wanted(), None);
    }

    #[test]
    fn a_cursor_that_comes_again_is_an_error_and_the_end() {
        let mut pager = CursorPager::new();
        pager.wanted();
        pager.accept(cursor_page(0..3, Some("a")), id).expect("new");
        pager.wanted();
        pager.accept(cursor_page(3..6, Some("b")), id).expect("new");
        pager.wanted();
        let outcome = pager.accept(cursor_page(6..9, Some("a")), id);
        assert_eq!(
            outcome.expect_err("a circle").kind,
            ErrorKind::RepeatedCursor
        );
        assert!(pager.is_done());
    }

    #[test]
    fn new_cursors_without_new_rows_end_the_list() {
        let mut pager = CursorPager::new();
        let mut requests = 0;
        while pager.wanted().is_some() {
            requests += 1;
            let next = format!("c{requests}");
            pager
                .accept(cursor_page(0..3, Some(&next)), id)
                .expect("new");
            assert!(requests < 10, "does not end");
        }
        assert_eq!(requests, 2);
    }
}
