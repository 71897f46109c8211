//! The tracker: a directory of record segments, growing without moving a record.

use super::counters::Counters;
use super::isolate::Tables;
use super::label::Labels;
use super::record::{Columns, Record, SEGMENT_BITS, SEGMENT_SLOTS};
use super::stack::{Chain, Links, Stack};
use super::state::{Generation, Handle, Place, Slot, State};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Arc, AtomicU64, Mutex, OnceLock, Ordering, lock, sized};

/// How many segments there can be.
pub const SEGMENT_COUNT: usize = sized(1 << (Slot::BITS - SEGMENT_BITS), 2);

/// Slots that were never used: the rest of the newest segment.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) segments: usize, // segments made so far
    pub(super) next: u32,       // next unused slot of the newest segment
    pub(super) left: u32,
}

/// Every live allocation of the process has exactly one record in here.
#[derive(Debug)]
pub struct Tracker {
    segments: Box<[OnceLock<Columns>]>,
    pub(super) fresh: Mutex<Fresh>,
    pub(super) unbound: Stack, // records without memory
    retired: AtomicU64,
    /// What is lent to isolates.
    pub tables: Arc<Tables>,
    /// Totals.
    pub counters: Arc<Counters>,
    /// Labels.
    pub labels: Labels,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::with_segments(SEGMENT_COUNT)
    }
}

impl Tracker {
    /// With room for so many segments: fewer than there can be are for tests that use all records up.
    #[doc(hidden)]
    #[must_use]
    pub fn with_segments(count: usize) -> Self {
        let tables = Arc::<Tables>::default();
        Self {
            segments: (0..count.min(SEGMENT_COUNT)).map(|_| OnceLock::new()).collect(),
            fresh: Mutex::default(),
            unbound: Stack::new(),
            retired: AtomicU64::new(0),
            counters: Arc::new(Counters::with(Arc::clone(&tables))),
            tables,
            labels: Labels::default(),
        }
    }
}

impl Links for Tracker {
    fn link(&self, slot: Slot) -> u32 {
        self.shared(slot).map_or(0, |record| record.origin.load(Ordering::Relaxed) as u32)
    }

    fn set_link(&self, slot: Slot, link: u32) {
        if let Some(record) = self.shared(slot) {
            record.origin.store(u64::from(link), Ordering::Release); // as in `Record::begin`
        }
    }
}

impl Tracker {
    /// The segment that a slot lies in.
    #[must_use]
    pub fn segment(&self, index: usize) -> Option<&Columns> {
        self.segments.get(index)?.get()
    }

    /// The shared record of a slot; `None` when there is none.
    #[must_use]
    #[inline]
    pub fn shared(&self, slot: Slot) -> Option<Record<'static>> {
        Some(self.segment(slot.0 as usize >> SEGMENT_BITS)?.record(slot.0 as usize))
    }

    /// The shared record of a live handle.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`] when this owner's time is over.
    pub fn live(&self, handle: Handle) -> Result<Record<'static>> {
        let record = self.shared(handle.slot).ok_or(Error::from(Code::UseAfterFree))?;
        if record.is_live(handle.generation) { Ok(record) } else { Err(Code::UseAfterFree.into()) }
    }

    /// Takes up to `most` free records that have no memory yet, at least one.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] when all 2^24 records are in use or the system refuses a segment.
    pub fn take(&self, most: u32) -> Result<Chain> {
        if let Some(chain) = self.unbound.pop(self, most) {
            return Ok(chain);
        }
        let mut fresh = lock(&self.fresh);
        if fresh.left == 0 {
            self.segments.get(fresh.segments).ok_or(Error::new(Code::OutOfMemory, 0, 0))?; // before it costs
            let columns = Columns::reserve().ok_or(Error::new(Code::OutOfMemory, 0, 0))?;
            let index = self.add(&mut fresh, columns)?;
            // The first record of all stays unused, so that no id is 0 and none is falsy in JavaScript.
            let unused = u32::from(index == 0);
            fresh.next = (index << SEGMENT_BITS) as u32 + unused;
            fresh.left = SEGMENT_SLOTS as u32 - unused;
        }
        let count = most.clamp(1, fresh.left);
        let first = fresh.next;
        fresh.next += count;
        fresh.left -= count;
        drop(fresh);
        for slot in first..first + count - 1 {
            self.set_link(Slot(slot), slot + 2); // the next slot's index, + 1 as links are
        }
        Ok(Chain { first: Slot(first), last: Slot(first + count - 1), count })
    }

    /// Makes sure that the first segment exists, so that an isolate can look at it from the start.
    ///
    /// # Errors
    /// As [`Tracker::take`].
    pub fn open(&self) -> Result<()> {
        if self.segment(0).is_none() {
            self.give(self.take(1)?);
        }
        Ok(())
    }

    /// Gives records without memory back.
    pub fn give(&self, chain: Chain) {
        self.unbound.push(self, chain);
    }

    /// Binds a free record that the caller owns to memory, for good.
    pub fn bind(&self, slot: Slot, place: Place, flags: u64) {
        if let Some(record) = self.shared(slot) {
            record.bind(place, flags);
        }
    }

    /// Gives the memory of a spent record a fresh one. The spent record keeps its place, so that
    /// old handles still tell their address, and is never used again.
    ///
    /// # Errors
    /// As [`Tracker::take`].
    pub fn replace_spent(&self, spent: Slot) -> Result<Slot> {
        let old = self.shared(spent).ok_or(Error::from(Code::Corrupted))?;
        let chain = self.take(1)?;
        let flags = old.state().0 & (State::CLEAN | State::DECOMMITTED | State::EVER_VIEWED);
        self.bind(chain.first, old.place(), flags);
        old.set_free_flags(State::RETIRED, 0);
        self.retired.fetch_add(1, Ordering::Relaxed);
        Ok(chain.first)
    }

    /// Retires a spent record that is free and bound to no memory any more.
    pub fn retire(&self, spent: Slot) {
        if let Some(record) = self.shared(spent) {
            record.set_free_flags(State::RETIRED, 0);
            self.retired.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Moves a free record, owned by the caller, on to a later even generation, as if it had had all
    /// the owners in between: for tests that start near the limit. Generations only grow, so no id
    /// is given twice.
    #[doc(hidden)]
    pub fn age(&self, slot: Slot, generation: Generation) {
        let Some(record) = self.shared(slot) else { return };
        let state = record.state();
        assert!(!state.generation().is_live() && !generation.is_live() && generation >= state.generation());
        record.state.store(State::new(generation, state.flags()).0, Ordering::Release);
    }

    /// How many records are spent.
    #[must_use]
    pub fn retired(&self) -> u64 {
        self.retired.load(Ordering::Relaxed)
    }

    fn add(&self, fresh: &mut Fresh, columns: Columns) -> Result<usize> {
        let index = fresh.segments;
        let cell = self.segments.get(index).ok_or(Error::new(Code::OutOfMemory, 0, 0))?;
        cell.get_or_init(|| columns);
        fresh.segments += 1;
        Ok(index)
    }

    /// How many records of each segment were ever used, in the order of the segments.
    #[must_use]
    pub fn used(&self) -> Vec<usize> {
        let fresh = lock(&self.fresh);
        let newest = (fresh.next as usize) >> SEGMENT_BITS;
        (0..fresh.segments)
            .map(|index| {
                if index == newest && fresh.left > 0 {
                    SEGMENT_SLOTS - fresh.left as usize
                } else {
                    SEGMENT_SLOTS
                }
            })
            .collect()
    }
}
