//! Ground: a region and the strategy that cuts it. The two stay together for ever.

use super::waiting::Waits;
use super::{Kind, Measures, out_of_memory};
use crate::alloc::arena::Arena;
use crate::alloc::buddy::Buddy;
use crate::alloc::hybrid::Hybrid;
use crate::alloc::object_pool::ObjectPool;
use crate::alloc::ring::Ring;
use crate::alloc::slab::Slab;
use crate::alloc::strategy::{Strategy, Usage};
use crate::base::error::{Code, Result};
use crate::base::sync::{Arc, AtomicBool, Ordering};
use crate::raw;
use crate::raw::atlas::{Atlas, Span};
use crate::raw::region::Region;
use crate::tracker::counters::Counters;
use crate::tracker::record::Record;
use crate::tracker::state::{Handle, Place};
use crate::tracker::table::Tracker;

/// How the ground is cut. A ring, a pool and an arena answer to more than the others do.
#[derive(Debug)]
#[cfg_attr(loom, expect(clippy::large_enum_variant, reason = "a model's atomics are large"))]
pub(super) enum Plan {
    Buddy(Buddy),
    Slab(Slab),
    Arena(Arena),
    Ring(Ring),
    ObjectPool(ObjectPool),
    Hybrid(Hybrid),
}

#[derive(Debug)]
pub(super) struct Ground {
    pub(super) measures: Measures,
    pub(super) plan: Plan,
    pub(super) span: Span,
    region: &'static Region,
    pub(super) was_shared: AtomicBool, // by several isolates: one may still be in it when it is closed
    pub(super) waits: Waits,
    pub(super) seen: AtomicBool, // by users, through ArrayBuffers, which may be with anybody by now
    counted: AtomicBool,         // as committed; changed under the registry's lock
}

impl Plan {
    fn make(kind: Kind, total: u64, alignment: u64) -> Result<Self> {
        Ok(match kind {
            Kind::Buddy => Self::Buddy(Buddy::new(total, alignment)?),
            Kind::Slab => Self::Slab(Slab::new(total, alignment)?),
            Kind::Arena => Self::Arena(Arena::new(total, alignment)?),
            Kind::Ring => Self::Ring(Ring::new(total, alignment)?),
            Kind::ObjectPool => Self::ObjectPool(ObjectPool::new(total, alignment)?),
            Kind::Hybrid => Self::Hybrid(Hybrid::new(total, alignment)?),
        })
    }

    /// The strategy of single grants; none for an arena.
    #[inline]
    pub(super) fn strategy(&self) -> Option<&dyn Strategy> {
        match self {
            Self::Buddy(buddy) => Some(buddy),
            Self::Slab(slab) => Some(slab),
            Self::Arena(_) => None,
            Self::Ring(ring) => Some(ring),
            Self::ObjectPool(pool) => Some(pool),
            Self::Hybrid(hybrid) => Some(hybrid),
        }
    }
}

impl Plan {
    /// The class of a request; see [`Strategy::class_of`].
    #[inline]
    pub(super) fn class_of(&self, size: u64) -> Option<u32> {
        match self {
            Self::Buddy(buddy) => buddy.class_of(size),
            Self::Slab(slab) => slab.class_of(size),
            Self::ObjectPool(pool) => pool.class_of(size),
            Self::Hybrid(hybrid) => hybrid.class_of(size),
            Self::Arena(_) | Self::Ring(_) => None,
        }
    }

    /// See [`Strategy::has_class_at`].
    #[inline]
    pub(super) fn has_class_at(&self, offset: u64, size: u64) -> bool {
        if let Self::Hybrid(hybrid) = self { hybrid.has_class_at(offset, size) } else { true }
    }
}

impl Ground {
    /// Reserves a region and commits it, so that every byte of a view of it can be touched; the pages
    /// come with the first touch.
    pub(super) fn make(measures: Measures, alignment: u64, atlas: &'static Atlas) -> Result<Self> {
        let page = raw::page_size();
        let refused = || out_of_memory(measures.total);
        let size = usize::try_from(measures.total).map_err(|_| refused())?.next_multiple_of(page);
        let region_alignment = (alignment as usize).max(page);
        let region = Region::reserve(size, region_alignment).ok_or_else(refused)?;
        // The plan last: its tables are never given back.
        let plan = match region.commit_to(size) {
            Some(_) => Plan::make(measures.kind, measures.total, alignment),
            None => Err(refused()),
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                region.discard(region_alignment);
                return Err(error);
            }
        };
        let span = atlas.add(region).ok_or_else(refused)?;
        let region = atlas.region(span).ok_or_else(refused)?;
        let was_shared = AtomicBool::new(false);
        Ok(Self {
            measures,
            plan,
            span,
            region,
            was_shared,
            waits: Waits::default(),
            seen: AtomicBool::new(false),
            counted: AtomicBool::new(false),
        })
    }

    /// Counters for an allocator on this ground: an arena's own, which tell what its rewinds ended.
    pub(super) fn counters(&self) -> Arc<Counters> {
        if let Plan::Arena(arena) = &self.plan { Arc::clone(&arena.counters) } else { Arc::default() }
    }

    pub(super) fn usage(&self) -> Usage {
        match &self.plan {
            Plan::Arena(arena) => arena.usage(),
            plan => plan.strategy().map(Strategy::usage).unwrap_or_default(),
        }
    }

    /// Whether the next allocator may have it: nothing of the last one is in use. An arena forgets what
    /// a thread was granted that came too late for the end.
    pub(super) fn serves_again(&self) -> bool {
        if let Plan::Arena(arena) = &self.plan {
            arena.reset(&|| ()); // who was there waited for operations as it closed
        }
        self.usage().blocks == 0
    }

    /// Allocations of an object pool that had to carve a slot.
    pub(super) fn misses(&self) -> u64 {
        if let Plan::ObjectPool(pool) = &self.plan { pool.misses() } else { 0 }
    }

    /// An allocator gets it: from now on any page may be touched. Returns the bytes that are committed by that.
    pub(super) fn open(&self) -> u64 {
        if self.counted.swap(true, Ordering::Relaxed) { 0 } else { self.region.size() as u64 }
    }

    /// Gives all pages back. Where the system zeroes them, nothing of the last allocator is left to read. Returns the bytes
    /// that are committed no more: none where the system did not take them.
    pub(super) fn clear(&self) -> u64 {
        self.seen.store(false, Ordering::Relaxed); // whoever gets it next takes a lock that we hold
        let given = self.decommit(0, self.region.size() as u64);
        if given > 0 {
            self.counted.store(false, Ordering::Relaxed);
        }
        given
    }

    /// Gives pages back that nobody can be granted now. Returns the bytes that the system took: none where a page is
    /// locked.
    fn decommit(&self, offset: u64, size: u64) -> u64 {
        self.region.decommit(offset as usize, size as usize) as u64
    }

    /// Gives the pages back that no grant has a byte of. Returns the bytes.
    pub(super) fn trim(&self) -> u64 {
        let decommit = |offset: u64, size: u64| self.decommit(offset, size);
        match &self.plan {
            Plan::Arena(arena) => arena.trim(&decommit),
            plan => plan.strategy().map_or(0, |strategy| strategy.trim(&decommit)),
        }
    }
}

impl Ground {
    /// Whether a place lies in this ground.
    #[inline]
    pub(super) const fn holds(&self, place: Place) -> bool {
        place.is_grant() && place.span == self.span.0
    }

    /// Gives the memory of an ended record back, and a large one's pages to the system: unless the region was ever seen,
    /// for whoever was sent its ArrayBuffer goes on reading what nobody may write any more.
    #[inline]
    pub(super) fn put(&self, place: Place) -> Result<u64> {
        let offset = place.offset_bytes();
        let put = match &self.plan {
            Plan::Buddy(buddy) => buddy.free(offset),
            Plan::Slab(slab) => slab.free(offset),
            Plan::Ring(ring) => ring.free(offset),
            Plan::ObjectPool(pool) => pool.free(offset),
            Plan::Hybrid(hybrid) if self.seen.load(Ordering::Relaxed) => hybrid.free(offset),
            Plan::Hybrid(hybrid) => hybrid.free_with(offset, &|offset, size| self.decommit(offset, size)),
            Plan::Arena(_) => Err(Code::Corrupted.into()),
        };
        put.map_err(|_| Code::Corrupted.into())
    }

    /// The same, and its bytes stay: a closed region keeps them for whoever sees it, see [`super::sight`].
    pub(super) fn put_as_is(&self, place: Place) -> Result<u64> {
        let Plan::Hybrid(hybrid) = &self.plan else { return self.put(place) };
        hybrid.free(place.offset_bytes()).map_err(|_| Code::Corrupted.into())
    }

    /// The record of a live grant of this ground.
    pub(super) fn live(&self, tracker: &Tracker, handle: Handle) -> Result<Record<'static>> {
        let record = tracker.live(handle)?;
        if self.holds(record.place()) { Ok(record) } else { Err(Code::ForeignBlock.into()) }
    }
}
