//! The bytes of an answer, while they arrive and until they are read.
//!
//! Long ones lie outside of the heap, in pages that go back to the system as soon as they have been
//! read. On the heap, half a megabyte after another, by two threads, would teach the allocator to
//! keep some for the next: megabytes that are counted as ours for good.

use std::ops::Deref;

use memmap2::MmapMut;

/// From this length on, a body is long.
const LONG: usize = 64 * 1024;

/// What has arrived of a body.
#[derive(Debug)]
pub(super) struct Body {
    place: Place,
    length: usize,
}

#[derive(Debug)]
enum Place {
    Heap(Vec<u8>),
    Pages(MmapMut),
}

impl Place {
    fn with_room_for(bytes: usize) -> Self {
        if bytes < LONG {
            return Self::Heap(Vec::with_capacity(bytes));
        }
        // Where no pages are to be had, the heap may still have room.
        MmapMut::map_anon(bytes).map_or_else(|_| Self::Heap(Vec::with_capacity(bytes)), Self::Pages)
    }
}

impl Body {
    /// An empty one, with room for as many bytes as were announced.
    pub(super) fn announced(bytes: usize) -> Self {
        Self {
            place: Place::with_room_for(bytes),
            length: 0,
        }
    }

    /// How many bytes have arrived.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Adds what has arrived.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let after = self.length + piece.len();
        let room = match &self.place {
            Place::Heap(bytes) if after < LONG => bytes.capacity().max(after),
            Place::Heap(bytes) => bytes.capacity(),
            Place::Pages(pages) => pages.len(),
        };
        if after > room {
            let mut larger = Place::with_room_for(after.max(self.length * 2).max(LONG));
            match &mut larger {
                Place::Heap(bytes) => bytes.extend_from_slice(self),
                Place::Pages(pages) => pages[..self.length].copy_from_slice(self),
            }
            self.place = larger;
        }
        match &mut self.place {
            Place::Heap(bytes) => bytes.extend_from_slice(piece),
            Place::Pages(pages) => pages[self.length..after].copy_from_slice(piece),
        }
        self.length = after;
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.place {
            Place::Heap(bytes) => bytes,
            Place::Pages(pages) => &pages[..self.length],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_that_arrived_is_there_whatever_was_announced(
            announced in prop_oneof![Just(0), 0..3 * LONG],
            pieces in prop::collection::vec((any::<u8>(), prop_oneof![0..9usize, 0..2 * LONG]), 0..9),
        ) {
            let mut body = Body::announced(announced);
            let mut plain = Vec::new();
            for (byte, length) in pieces {
                let piece = vec![byte; length];
                body.push(&piece);
                plain.extend_from_slice(&piece);
                prop_assert_eq!(body.len(), plain.len());
                prop_assert!(*body == *plain);
            }
        }
    }
}
