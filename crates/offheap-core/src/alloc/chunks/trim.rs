//! Giving pages of free chunks back to the system, without a lock and without stopping anybody:
//! only chunks that were first taken off the free stacks are touched.

use super::cache::Cache;
use super::classes;
use super::pieces::PIECE_BYTES;
use super::quarantine::Quarantine;
use super::runs::SEGMENT_MAX;
use super::store::Chunks;
use crate::raw;
use crate::raw::atlas::{SPAN_BITS, Span};
use crate::raw::scratch::Scratch;
use crate::tracker::stack::Links;
use crate::tracker::state::{Slot, State};
use crate::tracker::table::Tracker;

impl Chunks {
    /// Decommits the pages of every chunk that is free in `cache`, on a shared stack or in quarantine,
    /// where it stays. Addresses stay ours. Returns the bytes given back.
    pub fn trim(&self, cache: &mut Cache, tracker: &Tracker) -> u64 {
        cache.spill(self, tracker);
        let mut left = self.left();
        let given =
            (0..classes::COUNT as u8).map(|class| self.trim_class(cache, &left, tracker, class)).sum();
        left.unpaged();
        cache.unpaged();
        given
    }

    fn trim_class(&self, cache: &Cache, left: &Quarantine, tracker: &Tracker, class: u8) -> u64 {
        let shared = self.pop(tracker, class, u32::MAX);
        let waiting = || cache.viewed(class).chain(left.of_class(class));
        let count = shared.map_or(0, |chain| chain.count as usize) + waiting().count();
        let Some(mut scratch) = Scratch::of(count) else {
            if let Some(chain) = shared {
                self.push(tracker, class, chain); // there is no memory for a list of them
            }
            return 0;
        };
        let keys = scratch.numbers();
        let mut places = keys.iter_mut();
        let mut note = |slot, is_shared| {
            if let Some(place) = places.next() {
                *place = Free::key(tracker, slot, class, is_shared);
            }
        };
        if let Some(chain) = shared {
            tracker.walk(chain, |slot| note(slot, true));
        }
        waiting().for_each(|slot| note(slot, false));
        keys.sort_unstable();
        let given = if classes::is_run(class) {
            keys.iter().map(|key| self.decommit_run(tracker, Free::of(*key, class).slot, class)).sum()
        } else {
            self.decommit_small(tracker, class, keys)
        };
        // Lowest addresses first out: later allocations gather in few pages.
        let ordered = keys.iter().map(|key| Free::of(*key, class)).filter(|chunk| chunk.is_shared);
        if let Some(chain) = tracker.chain_of(ordered.map(|chunk| chunk.slot)) {
            self.push(tracker, class, chain);
        }
        given
    }

    /// Decommits the whole pages that lie under the given free chunks of a small class, which are in order. Returns the
    /// bytes of the chunks that have no page left.
    fn decommit_small(&self, tracker: &Tracker, class: u8, keys: &[u64]) -> u64 {
        let size = classes::size_of(class);
        let mut given = 0;
        let mut rest = keys;
        while let Some(first) = rest.first() {
            let first = Free::of(*first, class);
            let follows = |(index, key): &(usize, &u64)| {
                let chunk = Free::of(**key, class);
                chunk.span == first.span && chunk.offset == first.offset + *index as u64 * size
            };
            let count = rest.iter().enumerate().take_while(follows).count();
            let stretch = Stretch { tracker, class, keys: &rest[..count] };
            if let Some(pages) = self.decommit_stretch(&stretch, size) {
                given += self.note_decommitted(&stretch, size, pages);
            }
            rest = &rest[count..];
        }
        given
    }

    /// Decommits the whole pages of a stretch of adjacent free chunks and returns where they begin
    /// and end; `None` when the system did not take them. A page is left alone only when every chunk
    /// on it has no page since an earlier trim. A chunk at the edge of the stretch, which shares a
    /// page with one in use or in another cache, never says so: its other pages are offered again.
    fn decommit_stretch(&self, chunks: &Stretch<'_>, size: u64) -> Option<(u64, u64)> {
        let page = raw::page_size() as u64;
        let first = chunks.at(0)?;
        let region = self.atlas.region(Span(first.span))?;
        let end = first.offset + chunks.keys.len() as u64 * size;
        let (start, stop) = (first.offset.next_multiple_of(page), end / page * page);
        let used = |from: u64| {
            let (low, high) = ((from - first.offset) / size, (from + page - 1 - first.offset) / size);
            (low..=high)
                .any(|index| chunks.at(index as usize).is_some_and(|chunk| !chunks.is_decommitted(chunk)))
        };
        let mut from = start;
        while from < stop {
            let mut to = from;
            while to < stop && used(to) {
                to += page;
            }
            if to > from && region.decommit(from as usize, (to - from) as usize) == 0 {
                return None;
            }
            from = to + page;
        }
        Some((start, stop))
    }

    /// Notes which chunks of a stretch have no page left; they do not count as committed until they
    /// are handed out. Returns their bytes.
    fn note_decommitted(&self, chunks: &Stretch<'_>, size: u64, (start, stop): (u64, u64)) -> u64 {
        let mut given = 0;
        for chunk in chunks.keys.iter().map(|key| Free::of(*key, chunks.class)) {
            let whole = chunk.offset >= start && chunk.offset + size <= stop;
            if let Some(record) = chunks.tracker.shared(chunk.slot).filter(|_| whole)
                && !record.state().has(State::DECOMMITTED)
            {
                record.set_free_flags(State::DECOMMITTED, 0);
                given += size;
            }
        }
        self.uncommitted(given);
        given
    }
}

/// Adjacent free chunks of a small class, by address.
struct Stretch<'a> {
    tracker: &'a Tracker,
    class: u8,
    keys: &'a [u64],
}

impl Stretch<'_> {
    fn at(&self, index: usize) -> Option<Free> {
        self.keys.get(index).map(|key| Free::of(*key, self.class))
    }

    fn is_decommitted(&self, chunk: Free) -> bool {
        self.tracker.shared(chunk.slot).is_some_and(|record| record.state().has(State::DECOMMITTED))
    }
}

/// A free chunk, as trim sees it. One word holds all of it, and such words are in order when the chunks are: 8 bytes a
/// chunk are what a trim of millions needs besides.
#[derive(Clone, Copy)]
struct Free {
    slot: Slot,
    span: u32,
    offset: u64,
    is_shared: bool, // from a shared stack, to which it returns
}

/// `span:20 | offset, in units:18 | slot:24 | shared:1`.
const SLOT_SHIFT: u32 = 1;
const OFFSET_SHIFT: u32 = SLOT_SHIFT + Slot::BITS;
const OFFSET_BITS: u32 = 18;
const SPAN_SHIFT: u32 = OFFSET_SHIFT + OFFSET_BITS;
const _: () = assert!(SPAN_SHIFT + SPAN_BITS <= u64::BITS);
const _: () = assert!(PIECE_BYTES >> unit_shift(0) <= 1 << OFFSET_BITS);
const _: () = assert!(SEGMENT_MAX >> unit_shift(classes::COUNT as u8 - 1) <= 1 << OFFSET_BITS);

/// The unit of a class's offsets: small chunks lie at multiples of 16 bytes, runs at multiples of 4 KiB, the smallest page
/// there is.
const fn unit_shift(class: u8) -> u32 {
    if classes::is_run(class) { 12 } else { 4 }
}

impl Free {
    fn key(tracker: &Tracker, slot: Slot, class: u8, is_shared: bool) -> u64 {
        let Some(record) = tracker.shared(slot) else { return 0 };
        let place = record.place();
        (u64::from(place.span) << SPAN_SHIFT)
            | ((u64::from(place.offset) >> unit_shift(class)) << OFFSET_SHIFT)
            | (u64::from(slot.0) << SLOT_SHIFT)
            | u64::from(is_shared)
    }

    const fn of(key: u64, class: u8) -> Self {
        let units = (key >> OFFSET_SHIFT) & ((1 << OFFSET_BITS) - 1);
        Self {
            slot: Slot((key >> SLOT_SHIFT) as u32 & (Slot::COUNT - 1)),
            span: (key >> SPAN_SHIFT) as u32,
            offset: units << unit_shift(class),
            is_shared: key & 1 == 1,
        }
    }
}
