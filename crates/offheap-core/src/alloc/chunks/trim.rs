//! Giving pages of free chunks back to the system, without a lock and without stopping anybody:
//! only chunks that were first taken off the free stacks are touched.

use super::cache::Cache;
use super::classes;
use super::store::Chunks;
use crate::raw;
use crate::raw::atlas::Span;
use crate::tracker::stack::Links;
use crate::tracker::state::{Slot, State};
use crate::tracker::table::Tracker;

impl Chunks {
    /// Decommits the pages of every chunk that is free in `cache`, on a shared stack or in quarantine,
    /// where it stays. Addresses stay ours. Returns the bytes given back.
    pub fn trim(&self, cache: &mut Cache, tracker: &Tracker) -> u64 {
        cache.spill(self, tracker);
        let mut left = self.left();
        let mut given = 0;
        for class in 0..classes::COUNT as u8 {
            let mut slots = Vec::new();
            if let Some(chain) = self.pop(tracker, class, u32::MAX) {
                tracker.walk(chain, |slot| slots.push(slot));
            }
            let shared = slots.len();
            slots.extend(cache.viewed(class).chain(left.of_class(class)));
            given += if classes::is_run(class) {
                slots.iter().map(|slot| self.decommit_run(tracker, *slot, class)).sum::<u64>()
            } else {
                self.decommit_small(tracker, class, &slots)
            };
            slots.truncate(shared);
            // Lowest addresses first out: later allocations gather in few pages.
            let ordered: Vec<Slot> = in_order(tracker, &slots).into_iter().map(|(_, slot)| slot).collect();
            if let Some(chain) = tracker.chain(&ordered) {
                self.push(tracker, class, chain);
            }
        }
        left.unpaged();
        cache.unpaged();
        given
    }

    /// Decommits the whole pages that lie under the given free chunks of a small class. Returns the
    /// bytes of the chunks that have no page left.
    fn decommit_small(&self, tracker: &Tracker, class: u8, slots: &[Slot]) -> u64 {
        let free: Vec<Free> =
            in_order(tracker, slots).into_iter().filter_map(|(_, slot)| Free::of(tracker, slot)).collect();
        let size = classes::size_of(class);
        let mut given = 0;
        let mut rest = free.as_slice();
        while let Some(first) = rest.first() {
            let follows = |(index, chunk): &(usize, &Free)| {
                chunk.span == first.span && chunk.offset == first.offset + *index as u64 * size
            };
            let count = rest.iter().enumerate().take_while(follows).count();
            if let Some(pages) = self.decommit_stretch(&rest[..count], size) {
                given += self.note_decommitted(tracker, &rest[..count], size, pages);
            }
            rest = &rest[count..];
        }
        given
    }

    /// Decommits the whole pages of a stretch of adjacent free chunks and returns where they begin
    /// and end; `None` when the system did not take them. A page is left alone only when every chunk
    /// on it has no page since an earlier trim. A chunk at the edge of the stretch, which shares a
    /// page with one in use or in another cache, never says so: its other pages are offered again.
    fn decommit_stretch(&self, chunks: &[Free], size: u64) -> Option<(u64, u64)> {
        let page = raw::page_size() as u64;
        let first = chunks.first()?;
        let region = self.atlas.region(Span(first.span))?;
        let end = first.offset + chunks.len() as u64 * size;
        let (start, stop) = (first.offset.next_multiple_of(page), end / page * page);
        let used = |from: u64| {
            let (low, high) = ((from - first.offset) / size, (from + page - 1 - first.offset) / size);
            chunks[low as usize..=high as usize].iter().any(|chunk| !chunk.decommitted)
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
    fn note_decommitted(
        &self,
        tracker: &Tracker,
        chunks: &[Free],
        size: u64,
        (start, stop): (u64, u64),
    ) -> u64 {
        let mut given = 0;
        for chunk in chunks {
            let whole = chunk.offset >= start && chunk.offset + size <= stop;
            if let Some(record) = tracker.shared(chunk.slot).filter(|_| whole && !chunk.decommitted) {
                record.set_free_flags(State::DECOMMITTED, 0);
                given += size;
            }
        }
        self.uncommitted(given);
        given
    }
}

/// Chunks of one class by address, each with its packed place. The places are read once and not in each comparison, and
/// both who ask for the order share one sort: else it is 19 kB more of program.
fn in_order(tracker: &Tracker, slots: &[Slot]) -> Vec<(u64, Slot)> {
    let placed = |slot: &Slot| Some((tracker.shared(*slot)?.place().pack(), *slot));
    let mut ordered: Vec<(u64, Slot)> = slots.iter().filter_map(placed).collect();
    ordered.sort_unstable();
    ordered
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
