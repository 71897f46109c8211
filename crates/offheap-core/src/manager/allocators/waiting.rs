//! Waiting: what an isolate freed, and keeps for its next request of the same class.
//!
//! The strategy still counts such a grant as taken, and its record stays with it, free but marked
//! ([`State::WAITING`]). Whoever clears the mark by a compare-exchange has the grant: its isolate, to
//! hand it out again, or anybody who wants all that is free (a full region, a reset, statistics).

use super::Manager;
use super::grants::Attached;
use super::ground::{Ground, Plan};
use super::stock::put_record;
use crate::base::error::Result;
use crate::base::sync::{Arc, AtomicU64, Mutex, Ordering, lock};
use crate::tracker::counters::{Counter, Counters};
use crate::tracker::record::{Birth, Record};
use crate::tracker::stack::Links;
use crate::tracker::state::{Generation, Handle, Slot, State};
use crate::tracker::table::Tracker;

/// Classes of which an isolate keeps grants at once, for one allocator.
const BINS: usize = 64;
/// Grants of one class that wait, at most, and which part of the region: so few that others hardly miss them.
const GRANTS_MAX: u64 = 64;
const REGION_PART: u64 = 64;

/// How many grants of a region wait. Sums that only grow: an isolate counts what it keeps before it marks it,
/// and what it grants again, or anybody gives back, when that is done. So the difference is never too low,
/// and what is on its way back still counts.
#[derive(Debug, Default)]
pub(super) struct Waits {
    kept: Arc<Counters>, // and granted again, as frees
    returned: AtomicU64,
    pub(super) returning: Mutex<()>, // held while grants go back: who finds the region full then waits for them
}

impl Waits {
    /// Grants that wait, or are on their way.
    pub(super) fn count(&self) -> u64 {
        let returned = self.returned.load(Ordering::Acquire); // first: see above
        let sum = self.kept.sum();
        sum.allocations.wrapping_sub(sum.frees).wrapping_sub(returned)
    }

    /// Grants that went back to the strategy, ever.
    pub(super) fn returned(&self) -> u64 {
        self.returned.load(Ordering::Acquire)
    }

    /// Counts one that went back.
    pub(super) fn count_returned(&self) {
        self.returned.fetch_add(1, Ordering::AcqRel);
    }

    /// An isolate's part of the count.
    pub(super) fn counter(&self) -> Counter {
        self.kept.counter()
    }
}

/// One isolate's waiting grants of one allocator, by class.
#[derive(Debug)]
pub(super) struct Bins {
    bins: [Bin; BINS],
    latest: (u64, u32), // a size and its class: most requests are for the size of the one before
    serves: bool,       // whether there are classes
    counter: Counter,
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
    pub(super) fn of(ground: &Ground) -> Self {
        let bins = std::array::from_fn(|_| Bin::default());
        let serves = !matches!(ground.plan, Plan::Arena(_) | Plan::Ring(_));
        Self { bins, latest: (0, 0), serves, counter: ground.waits.counter() }
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
        if !self.waiting.serves {
            return None;
        }
        let ground = &self.allocator.ground;
        let keeps = size <= ground.measures.total / REGION_PART && ground.plan.has_class_at(offset, size);
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
            let Some(record) = tracker.shared(slot) else { continue };
            if !record.claim(generation, sole) {
                continue; // somebody needed all that is free
            }
            let place = record.place();
            let begun = record.begin(birth);
            self.waiting.counter.one_less();
            if let Some((generation, _)) = begun {
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
        self.waiting.counter.one_more();
        let ended = if sole {
            record.end_alone(handle.generation, State::WAITING)
        } else {
            record.end_marked(handle.generation, State::WAITING)
        };
        if let Err(refused) = ended {
            self.waiting.counter.one_less();
            return Err(refused);
        }
        let generation = Generation(handle.generation.0 + 1);
        bin.kept.push(Handle { slot: handle.slot, generation });
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
        let given: Vec<Handle> = self.waiting.bins.iter_mut().flat_map(|bin| bin.kept.drain(..)).collect();
        if !given.is_empty() {
            self.give_back(given, tracker, records);
        }
    }

    fn give_back(&self, given: Vec<Handle>, tracker: &Tracker, records: &mut Vec<Slot>) {
        let ground = &self.allocator.ground;
        let _returning = lock(&ground.waits.returning);
        for handle in given {
            let Some(record) = tracker.shared(handle.slot) else { continue };
            if give_back(ground, handle, &record) {
                put_record(tracker, records, handle.slot);
            }
        }
    }
}

impl Manager {
    /// Gives everything back to a ground's strategy that waits in any isolate, or waits until it is back.
    pub(super) fn reclaim(&self, ground: &Ground) {
        if ground.waits.count() == 0 {
            return;
        }
        let mut records = Vec::new();
        let returning = lock(&ground.waits.returning);
        self.tracker.each_waiting(|handle, record| {
            if ground.holds(record.place()) && give_back(ground, handle, &record) {
                records.push(handle.slot);
            }
        });
        drop(returning);
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
    ground.waits.count_returned();
    true
}
