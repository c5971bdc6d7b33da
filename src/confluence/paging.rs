//! Stand-in.
use super::{ApiError, call::Window, types::*};
use serde::*;
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pager {
    limit: u64,
    start: u64,
    total: Option<u64>,
    done: bool,
    have: usize,
    out: bool,
}
pub struct Accepted<T> {
    pub fresh: Vec<T>,
}
impl Pager {
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            start: 0,
            total: None,
            done: false,
            have: 0,
            out: false,
        }
    }
    pub fn wanted(&mut self, n: usize) -> Vec<Window> {
        if n == 0 || self.done || self.out {
            return vec![];
        }
        self.out = true;
        vec![Window {
            start: self.start,
            limit: self.limit,
        }]
    }
    pub fn accept<T>(&mut self, _w: Window, p: Page<T>, _id: impl Fn(&T) -> &str) -> Accepted<T> {
        self.out = false;
        self.start += p.results.len() as u64;
        self.have += p.results.len();
        self.total = p.total;
        self.done = !p.has_next || p.results.is_empty();
        Accepted { fresh: p.results }
    }
    pub fn is_done(&self) -> bool {
        self.done
    }
    pub fn progress(&self) -> (usize, Option<u64>) {
        (self.have, self.total)
    }
    pub fn rewind(&mut self) {
        self.out = false
    }
}
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CursorPager {
    next: Option<Cursor>,
    done: bool,
    out: bool,
}
impl CursorPager {
    pub fn new() -> Self {
        Self {
            next: None,
            done: false,
            out: false,
        }
    }
    pub fn wanted(&mut self) -> Option<Option<Cursor>> {
        if self.done || self.out {
            None
        } else {
            self.out = true;
            Some(self.next.clone())
        }
    }
    pub fn accept<T>(&mut self, p: &CursorPage<T>) -> Result<bool, ApiError> {
        self.out = false;
        self.next = p.next.clone();
        self.done = self.next.is_none();
        Ok(self.done)
    }
    pub fn rewind(&mut self) {
        self.out = false
    }
}
