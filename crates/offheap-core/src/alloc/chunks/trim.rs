//! Giving pages of free chunks back to the system, without a lock and without stopping anybody:
//! only chunks that were first taken off the free stacks are touched.

use super::cache::Cache;
use super::classes;
use super::store::Chunks;
use crate::raw;
use crate::raw::atlas::Span;
use crate::tracker::state::{Slot, State};
use crate::tracker::table::Tracker;

impl Chunks {
    /// Decommits the pages of every chunk that is free in `cache` or on a shared stack. Addresses
    /// stay ours. Returns the bytes given back.
    pub fn trim(&self, cache: &mut Cache, tracker: &Tracker) -> u64 {
        cache.spill(self, tracker);
        let mut given = 0;
        for class in 0..classes::COUNT as u8 {
            let mut slots = Vec::new();
            if let Some(chain) = self.pop(tracker, class, u32::MAX) {
                tracker.walk(chain, |slot| slots.push(slot));
            }
            let shared = slots.len();
            slots.extend_from_slice(cache.viewed(class));
            given += if classes::is_run(class) {
                slots.iter().map(|slot| self.decommit_run(tracker, *slot, class)).sum::<u64>()
            } else {
                self.decommit_small(tracker, class, &slots)
            };
            slots.truncate(shared);
            // Lowest addresses first out: later allocations gather in few pages.
            slots.sort_unstable_by_key(|slot| tracker.shared(*slot).map(|record| record.place().pack()));
            if let Some(chain) = tracker.chain(&slots) {
                self.push(tracker, class, chain);
            }
        }
        given
    }

    /// Decommits the whole pages that lie under the given free chunks of a small class.
    fn decommit_small(&self, tracker: &Tracker, class: u8, slots: &[Slot]) -> u64 {
        let mut free: Vec<Free> = slots.iter().filter_map(|slot| Free::of(tracker, *slot)).collect();
        free.sort_unstable_by_key(|chunk| (chunk.span, chunk.offset));
        let size = classes::size_of(class);
        let mut given = 0;
        let mut rest = free.as_slice();
        while let Some(first) = rest.first() {
            let follows = |(index, chunk): &(usize, &Free)| {
                chunk.span == first.span && chunk.offset == first.offset + *index as u64 * size
            };
            let count = rest.iter().enumerate().take_while(follows).count();
            given += self.decommit_stretch(&rest[..count], size);
            rest = &rest[count..];
        }
        for chunk in &free {
            if let Some(record) = tracker.shared(chunk.slot) {
                record.set_free_flags(State::DECOMMITTED, 0);
            }
        }
        given
    }

    /// Decommits the whole pages of a stretch of adjacent free chunks, but for those that an
    /// earlier trim took: a page is taken when some chunk on it was used since.
    fn decommit_stretch(&self, chunks: &[Free], size: u64) -> u64 {
        let page = raw::page_size() as u64;
        let Some(first) = chunks.first() else { return 0 };
        let Some(region) = self.atlas.region(Span(first.span)) else { return 0 };
        let end = first.offset + chunks.len() as u64 * size;
        let (mut from, stop) = (first.offset.next_multiple_of(page), end / page * page);
        let used = |start: u64| {
            let (low, high) = ((start - first.offset) / size, (start + page - 1 - first.offset) / size);
            chunks[low as usize..=high as usize].iter().any(|chunk| !chunk.decommitted)
        };
        let mut given = 0;
        while from < stop {
            let mut to = from;
            while to < stop && used(to) {
                to += page;
            }
            if to > from {
                given += region.decommit(from as usize, (to - from) as usize) as u64;
            }
            from = to + page;
        }
        given
    }
}

/// A free chunk of a small class, as trim sees it.
struct Free {
    slot: Slot,
    span: u32,
    offset: u64,
    decommitted: bool,
}

impl Free {
    fn of(tracker: &Tracker, slot: Slot) -> Option<Self> {
        let record = tracker.shared(slot)?;
        let place = record.place();
        let decommitted = record.state().has(State::DECOMMITTED);
        Some(Self { slot, span: place.span, offset: u64::from(place.offset), decommitted })
    }
}
