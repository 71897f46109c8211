//! Waiting: what an isolate freed, and keeps for its next request of the same class.
//!
//! The strategy still counts such a grant as taken, and its record stays with it, free but marked
//! ([`State::WAITING`]). Whoever clears the mark by a compare-exchange has the grant: its isolate, to
//! hand it out again, or anybody who wants all that is free (a full region, a reset, statistics).

use super::Manager;
use super::grants::{Attached, put_record};
use super::ground::{Ground, Plan};
use crate::base::error::Result;
use crate::tracker::counters::Counters;
use crate::tracker::record::{Birth, Record};
use crate::tracker::stack::Links;
use crate::tracker::state::{Generation, Handle, Slot, State};
use crate::tracker::table::Tracker;

/// Classes of which an isolate keeps grants at once, for one allocator.
const BINS: usize = 64;
/// Grants of one class that wait, at most, and which part of the region: DESIGN's bounds of a magazine.
const GRANTS_MAX: u64 = 64;
const REGION_PART: u64 = 64;

/// One isolate's waiting grants of one allocator, by class.
#[derive(Debug)]
pub(super) struct Bins {
    bins: [Bin; BINS],
    count: usize,       // in all of them
    latest: (u64, u32), // a size and its class: most requests are for the size of the one before
    serves: bool,       // whether there are classes
}

#[derive(Debug, Default)]
struct Bin {
    class: Option<u32>,
    granted: u64,      // bytes of each
    most: usize,       // so many may wait
    kept: Vec<Handle>, // with the generation that each waits in
}

/// A grant that an isolate took out of its bins.
pub(super) struct Regrant {
    pub(super) handle: Handle,
    pub(super) offset: u64,
    pub(super) granted: u64,
}

impl Bins {
    pub(super) fn of(plan: &Plan) -> Self {
        let bins = std::array::from_fn(|_| Bin::default());
        Self { bins, count: 0, latest: (0, 0), serves: !matches!(plan, Plan::Arena(_) | Plan::Ring(_)) }
    }
}

impl Attached {
    /// The class of a request; see [`crate::alloc::strategy::Strategy::class_of`].
    #[inline]
    pub(super) fn class_of(&mut self, size: u64) -> Option<u32> {
        if !self.waiting.serves {
            return None;
        }
        let (latest, class) = self.waiting.latest;
        if size == latest && size > 0 {
            return Some(class);
        }
        let class = self.allocator.ground.plan.class_of(size)?;
        self.waiting.latest = (size, class);
        Some(class)
    }

    /// The class of a live grant, if it is one to keep.
    #[inline]
    pub(super) fn class_at(&mut self, offset: u64, size: u64) -> Option<u32> {
        let ground = &self.allocator.ground;
        let keeps = size <= ground.measures.total / REGION_PART && ground.plan.has_class_at(offset);
        if keeps { self.class_of(size) } else { None }
    }

    /// Hands a waiting grant of a class to its next owner.
    #[inline]
    pub(super) fn grant_again(
        &mut self,
        class: u32,
        tracker: &Tracker,
        birth: Birth,
        sole: bool,
    ) -> Option<Regrant> {
        let bin = &mut self.waiting.bins[class as usize % BINS];
        if bin.class != Some(class) {
            return None;
        }
        while let Some(Handle { slot, generation }) = bin.kept.pop() {
            self.waiting.count -= 1;
            self.counter.waiting(self.waiting.count);
            let Some(record) = tracker.shared(slot) else { continue };
            if !record.claim(generation, sole) {
                self.allocator.counters.missed();
                continue;
            }
            let place = record.place();
            if let Some((generation, _)) = record.begin(birth) {
                let handle = Handle { slot, generation };
                return Some(Regrant { handle, offset: place.offset_bytes(), granted: bin.granted });
            }
            let put = self.allocator.ground.put(place); // the record is spent, not its memory
            debug_assert!(put.is_ok());
            tracker.retire(slot);
        }
        None
    }

    /// Ends a live grant of a class and keeps it; false, with nothing changed, when there is no room to.
    ///
    /// # Errors
    /// As [`Record::end`].
    #[inline]
    pub(super) fn keep(
        &mut self,
        class: u32,
        handle: Handle,
        record: &Record<'_>,
        sole: bool,
    ) -> Result<bool> {
        let bin = &mut self.waiting.bins[class as usize % BINS];
        if bin.class != Some(class) || bin.kept.len() >= bin.most {
            return Ok(false);
        }
        if sole {
            record.end_alone(handle.generation, State::WAITING)?;
        } else {
            record.end_marked(handle.generation, State::WAITING)?;
        }
        let generation = Generation(handle.generation.0 + 1);
        bin.kept.push(Handle { slot: handle.slot, generation });
        self.waiting.count += 1;
        self.counter.waiting(self.waiting.count);
        Ok(true)
    }

    /// Makes room for another grant of a class, of the size of the one at `offset`: that class's older half
    /// goes back, or all of the class that has its bin.
    #[cold]
    pub(super) fn make_room(&mut self, class: u32, offset: u64, tracker: &Tracker, records: &mut Vec<Slot>) {
        let ground = &self.allocator.ground;
        let Some(granted) = ground.plan.strategy().and_then(|strategy| strategy.granted(offset)) else {
            return; // no grant any more
        };
        let bin = &mut self.waiting.bins[class as usize % BINS];
        let count = if bin.class == Some(class) { bin.kept.len().div_ceil(2) } else { bin.kept.len() };
        let given: Vec<Handle> = bin.kept.drain(..count).collect();
        (bin.class, bin.granted) = (Some(class), granted);
        bin.most = (ground.measures.total / REGION_PART / granted).min(GRANTS_MAX) as usize;
        self.give_back(given, tracker, records);
    }

    /// Gives everything that waits back to the strategy.
    pub(super) fn empty_bins(&mut self, tracker: &Tracker, records: &mut Vec<Slot>) {
        if self.waiting.count > 0 {
            let given = self.waiting.bins.iter_mut().flat_map(|bin| bin.kept.drain(..)).collect();
            self.give_back(given, tracker, records);
        }
    }

    fn give_back(&mut self, given: Vec<Handle>, tracker: &Tracker, records: &mut Vec<Slot>) {
        self.waiting.count -= given.len();
        self.counter.waiting(self.waiting.count);
        for handle in given {
            let Some(record) = tracker.shared(handle.slot) else { continue };
            if give_back(&self.allocator.ground, handle, &record) {
                put_record(tracker, records, handle.slot);
            } else {
                self.allocator.counters.missed();
            }
        }
    }
}

impl Manager {
    /// Gives everything back to a ground's strategy that waits in any isolate. `counters`: its allocator's.
    pub(super) fn reclaim(&self, ground: &Ground, counters: &Counters) {
        if counters.waiting() == 0 {
            return;
        }
        let mut records = Vec::new();
        self.tracker.each_waiting(|handle, record| {
            if ground.holds(record.place()) && give_back(ground, handle, &record) {
                records.push(handle.slot);
            }
        });
        counters.took(records.len() as u64);
        if let Some(chain) = self.tracker.chain(&records) {
            self.tracker.give(chain);
        }
    }
}

/// Gives a waiting grant back to the strategy; false when somebody else took it.
fn give_back(ground: &Ground, handle: Handle, record: &Record<'_>) -> bool {
    let place = record.place(); // constant while it waits
    if !record.claim(handle.generation, false) {
        return false;
    }
    let put = ground.put(place);
    debug_assert!(put.is_ok());
    true
}
